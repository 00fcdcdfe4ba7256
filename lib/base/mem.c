#include "base/mem.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* No block of ours comes near this: a larger size is an overflow or hostile input, and fails like exhausted memory. */
#define SIZE_LIMIT ((size_t)1 << 38)

static uint64_t count;
static int64_t live;
static uint64_t
    fail_after; /* 0: no failures asked for; otherwise allocations left until the first failure, plus one */

/* True when the allocation about to be made must fail. */
static bool refused(size_t size)
{
    if (size > SIZE_LIMIT)
        return true;
    if (!fail_after)
        return false;
    if (fail_after == 1)
        return true;
    fail_after--;
    return false;
}

void *mem_alloc(size_t size)
{
    if (refused(size))
        return NULL;
    void *p = malloc(size ? size : 1);
    if (p) {
        count++;
        live++;
    }
    return p;
}

void *mem_zalloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || refused(bytes))
        return NULL;
    void *p = calloc(bytes ? bytes : 1, 1);
    if (p) {
        count++;
        live++;
    }
    return p;
}

void *mem_realloc(void *p, size_t size)
{
    if (!p)
        return mem_alloc(size);
    if (refused(size))
        return NULL;
    void *q = realloc(p, size ? size : 1);
    if (q)
        count++;
    return q;
}

void mem_free(void *p)
{
    if (p) {
        live--;
        free(p);
    }
}

char *mem_strndup(const char *s, size_t n)
{
    if (n == SIZE_MAX)
        return NULL;
    char *p = mem_alloc(n + 1);
    if (!p)
        return NULL;
    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

uint64_t mem_count(void)
{
    return count;
}

int64_t mem_live(void)
{
    return live;
}

void mem_fail_after(uint64_t n)
{
    fail_after = n;
}

int mem_grow(void **array, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    uint64_t want = *cap ? (uint64_t)*cap * 2 : 8;
    if (want < need)
        want = need;
    if (want > UINT32_MAX)
        want = UINT32_MAX;
    size_t bytes;
    if (__builtin_mul_overflow((size_t)want, size, &bytes))
        return ERR_NOMEM;
    void *p = mem_realloc(*array, bytes);
    if (!p)
        return ERR_NOMEM;
    *array = p;
    *cap = (uint32_t)want;
    return 0;
}
