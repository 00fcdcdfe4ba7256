#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <string.h>

#define ALIGNMENT alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t cap; /* bytes in data */
    alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t block_size)
{
    *a = (struct arena){.block_size = block_size ? block_size : 4096};
}

void arena_free(struct arena *a)
{
    struct arena_block *next;
    for (struct arena_block *b = a->first; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    a->first = a->cur = NULL;
    a->used = 0;
}

/* The first free block of at least `size` bytes, taken out of the list; NULL if there is none. Looking past the next block keeps
 * the number of blocks bounded when the order of sizes differs between two resets. */
static struct arena_block *take_free(struct arena *a, size_t size)
{
    struct arena_block **link = a->cur ? &a->cur->next : &a->first;
    for (; *link; link = &(*link)->next) {
        struct arena_block *b = *link;
        if (b->cap >= size) {
            *link = b->next;
            return b;
        }
    }
    return NULL;
}

/* Makes a block of at least `size` bytes the current one. */
static struct arena_block *next_block(struct arena *a, size_t size)
{
    struct arena_block *b = take_free(a, size);
    if (!b) {
        size_t cap = size > a->block_size ? size : a->block_size;
        size_t bytes;
        if (__builtin_add_overflow(cap, sizeof(*b), &bytes))
            return NULL;
        b = mem_alloc(bytes);
        if (!b)
            return NULL;
        b->cap = cap;
    }
    struct arena_block **link = a->cur ? &a->cur->next : &a->first;
    b->next = *link;
    *link = b;
    a->cur = b;
    a->used = 0;
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t rounded;
    if (__builtin_add_overflow(size, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded &= ~(size_t)(ALIGNMENT - 1);
    if (!rounded)
        rounded = ALIGNMENT;
    struct arena_block *b = a->cur;
    if (!b || b->cap - a->used < rounded) {
        b = next_block(a, rounded);
        if (!b)
            return NULL;
    }
    void *p = b->data + a->used;
    a->used += rounded;
    return p;
}

void *arena_need(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    if (!p) {
        if (!a->bail)
            __builtin_trap(); /* the contract: bail must be set */
        longjmp(*a->bail, 1);
    }
    return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    if (n == SIZE_MAX)
        return NULL;
    char *p = arena_alloc(a, n + 1);
    if (!p)
        return NULL;
    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

void arena_reset(struct arena *a)
{
    a->cur = a->first;
    a->used = 0;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){.block = a->cur, .used = a->used};
}

void arena_rewind(struct arena *a, struct arena_mark m)
{
    a->cur = m.block ? m.block : a->first;
    a->used = m.block ? m.used : 0;
}
