#include "core/resmap.h"

#include <string.h>

enum { RESMAP_FIRST_CAP = 8 };

struct resmap resmap_new(struct arena *a)
{
    return (struct resmap){.arena = a};
}

static struct resmap_item *resmap_item(const struct resmap *m, uint32_t res)
{
    for (uint32_t i = 0; i < m->n; i++)
        if (m->v[i].res == res)
            return &m->v[i];
    return NULL;
}

const struct quantity *resmap_find(const struct resmap *m, uint32_t res)
{
    const struct resmap_item *item = resmap_item(m, res);
    return item ? &item->q : NULL;
}

static void resmap_append(struct resmap *m, uint32_t res, struct quantity q)
{
    if (m->n == m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : RESMAP_FIRST_CAP;
        struct resmap_item *v = arena_alloc(m->arena, cap * sizeof(*v));
        if (!v) {
            m->failed = true;
            return;
        }
        if (m->n)
            memcpy(v, m->v, m->n * sizeof(*v));
        m->v = v;
        m->cap = cap;
    }
    m->v[m->n++] = (struct resmap_item){res, q};
}

void resmap_put(struct resmap *m, uint32_t res, struct quantity q, enum resmap_rule rule)
{
    struct resmap_item *item = resmap_item(m, res);

    if (!item) {
        resmap_append(m, res, q);
        return;
    }
    switch (rule) {
    case RESMAP_KEEP:
        break;
    case RESMAP_REPLACE:
        item->q = q;
        break;
    case RESMAP_ADD:
        item->q = quantity_add(item->q, q);
        break;
    case RESMAP_MAX:
        if (quantity_cmp(q, item->q) > 0)
            item->q = q;
        break;
    case RESMAP_MIN:
        if (quantity_cmp(q, item->q) < 0)
            item->q = q;
        break;
    }
}

void resmap_merge(struct resmap *m, const struct resmap *from, enum resmap_rule rule)
{
    m->failed = m->failed || from->failed;
    for (uint32_t i = 0; i < from->n; i++)
        resmap_put(m, from->v[i].res, from->v[i].q, rule);
}

void resmap_merge_facts(struct names *names, struct resmap *m, const struct fact_amount *from, uint32_t n,
                        enum resmap_rule rule)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t res;
        if (names_id(names, from[i].resource, &res))
            m->failed = true;
        else
            resmap_put(m, res, from[i].q, rule);
    }
}
