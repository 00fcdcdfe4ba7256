#include "core/pairs.h"

#include "base/mem.h"

#include <string.h>

void pairs_init(struct pairs *p)
{
    memset(p, 0, sizeof *p);
}

void pairs_free(struct pairs *p)
{
    mem_free(p->at);
    mem_free(p->slots);
    pairs_init(p);
}

static uint32_t hash(uint32_t a, uint32_t b)
{
    uint64_t h = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

static uint32_t *probe(const struct pairs *p, uint32_t a, uint32_t b)
{
    uint32_t i = hash(a, b) & (p->nslots - 1);
    while (p->slots[i] && (p->at[p->slots[i] - 1].a != a || p->at[p->slots[i] - 1].b != b))
        i = (i + 1) & (p->nslots - 1);
    return &p->slots[i];
}

static int grow_slots(struct pairs *p)
{
    uint32_t nslots = p->nslots ? p->nslots * 2 : 64;
    uint32_t *slots = mem_zalloc(nslots, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(p->slots);
    p->slots = slots;
    p->nslots = nslots;
    for (uint32_t id = 0; id < p->n; id++)
        *probe(p, p->at[id].a, p->at[id].b) = id + 1;
    return 0;
}

int pairs_id(struct pairs *p, uint32_t a, uint32_t b, uint32_t *ret_id)
{
    uint32_t known = pairs_find(p, a, b);
    if (known != UINT32_MAX) {
        *ret_id = known;
        return 0;
    }
    if (2 * (p->n + 1) > p->nslots && grow_slots(p))
        return ERR_NOMEM;
    if (mem_grow((void **)&p->at, &p->cap, p->n + 1, sizeof *p->at))
        return ERR_NOMEM;
    uint32_t *slot = probe(p, a, b);
    p->at[p->n] = (struct pair){a, b};
    *slot = p->n + 1;
    *ret_id = p->n++;
    return 0;
}

uint32_t pairs_find(const struct pairs *p, uint32_t a, uint32_t b)
{
    if (!p->nslots)
        return UINT32_MAX;
    return *probe(p, a, b) - 1;
}

void idmap_free(struct idmap *m)
{
    mem_free(m->v);
    *m = (struct idmap){0};
}

int idmap_put(struct idmap *m, uint32_t id, uint32_t index)
{
    if (id >= m->n) {
        uint32_t n = id + 1 > 2 * m->n ? id + 1 : 2 * m->n;
        uint32_t *v = mem_realloc(m->v, (size_t)n * sizeof *v);
        if (!v)
            return ERR_NOMEM;
        memset(v + m->n, 0xff, (size_t)(n - m->n) * sizeof *v);
        m->v = v;
        m->n = n;
    }
    m->v[id] = index;
    return 0;
}
