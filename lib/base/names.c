#include "base/names.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

#define FIRST_SLOTS 256u
#define TEXT_BLOCK 16384u

struct name {
    const char *text;
    size_t len;
    uint32_t hash;
};

struct names {
    struct name *list; /* by id */
    uint32_t count, cap;
    uint32_t
        *slots; /* open addressing, linear probing; 0 is a free slot, because id 0 is never looked up here */
    uint32_t mask; /* number of slots minus 1; a power of two minus 1 */
    struct arena text;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint32_t hash_of(const char *s, size_t len)
{
    uint64_t h = mix(len, 0xa0761d6478bd642fu), w;
    for (; len >= sizeof(w); s += sizeof(w), len -= sizeof(w)) {
        memcpy(&w, s, sizeof(w));
        h = mix(h, w);
    }
    w = 0;
    memcpy(&w, s, len);
    h = mix(h, w);
    return (uint32_t)(h ^ (h >> 32));
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t slot_of(const struct names *n, const char *s, size_t len, uint32_t hash)
{
    uint32_t i = hash & n->mask;
    for (; n->slots[i]; i = (i + 1) & n->mask) {
        const struct name *e = &n->list[n->slots[i]];
        if (e->hash == hash && e->len == len && memcmp(e->text, s, len) == 0)
            break;
    }
    return i;
}

struct names *names_new(void)
{
    struct names *n = mem_zalloc(1, sizeof(*n));
    if (!n)
        return NULL;
    arena_init(&n->text, TEXT_BLOCK);
    n->slots = mem_zalloc(FIRST_SLOTS, sizeof(*n->slots));
    n->mask = FIRST_SLOTS - 1;
    if (!n->slots || mem_grow((void **)&n->list, &n->cap, FIRST_SLOTS / 2, sizeof(*n->list))) {
        names_free(n);
        return NULL;
    }
    n->list[0] = (struct name){.text = ""};
    n->count = 1;
    return n;
}

void names_free(struct names *n)
{
    if (!n)
        return;
    arena_free(&n->text);
    mem_free(n->list);
    mem_free(n->slots);
    mem_free(n);
}

/* Doubles the slots when they would be more than half full. */
static int widen(struct names *n)
{
    uint64_t size = (uint64_t)n->mask + 1;
    if ((uint64_t)n->count * 2 < size)
        return 0;
    size *= 2;
    if (size > (uint64_t)UINT32_MAX + 1)
        return ERR_NOMEM;
    uint32_t *slots = mem_zalloc((size_t)size, sizeof(*slots));
    if (!slots)
        return ERR_NOMEM;
    uint32_t mask = (uint32_t)(size - 1);
    for (uint32_t id = 1; id < n->count; id++) {
        uint32_t i = n->list[id].hash & mask;
        while (slots[i])
            i = (i + 1) & mask;
        slots[i] = id;
    }
    mem_free(n->slots);
    n->slots = slots;
    n->mask = mask;
    return 0;
}

static int add(struct names *n, const char *s, size_t len, uint32_t hash, uint32_t *ret_id)
{
    if (mem_grow((void **)&n->list, &n->cap, n->count + 1, sizeof(*n->list)) || widen(n))
        return ERR_NOMEM;
    const char *text = arena_strndup(&n->text, s, len);
    if (!text)
        return ERR_NOMEM;
    uint32_t id = n->count++;
    n->list[id] = (struct name){.text = text, .len = len, .hash = hash};
    n->slots[slot_of(n, s, len, hash)] = id;
    *ret_id = id;
    return 0;
}

int names_idn(struct names *n, const char *s, size_t len, uint32_t *ret_id)
{
    if (len == 0) {
        *ret_id = 0;
        return 0;
    }
    uint32_t hash = hash_of(s, len);
    uint32_t id = n->slots[slot_of(n, s, len, hash)];
    if (!id)
        return add(n, s, len, hash, ret_id);
    *ret_id = id;
    return 0;
}

int names_id(struct names *n, const char *s, uint32_t *ret_id)
{
    return names_idn(n, s, s ? strlen(s) : 0, ret_id);
}

uint32_t names_find(const struct names *n, const char *s)
{
    size_t len = s ? strlen(s) : 0;
    if (len == 0)
        return 0;
    uint32_t id = n->slots[slot_of(n, s, len, hash_of(s, len))];
    return id ? id : UINT32_MAX;
}

const char *names_text(const struct names *n, uint32_t id)
{
    return id < n->count ? n->list[id].text : "";
}

uint32_t names_count(const struct names *n)
{
    return n->count;
}
