#include "core/limits.h"

#include "base/mem.h"
#include "core/pack.h"

#include <string.h>

enum { LIMITS_BLOCK = 1024 };

struct limits_ns {
    uint32_t ns;                      /* id */
    struct fact_limit_range **ranges; /* owned, sorted by name */
    uint32_t n, cap;
    bool built; /* the summary is that of the ranges; made when it is first asked for */
    struct arena arena;
    struct limits_summary summary[LIMIT_POD + 1];
};

struct limits {
    struct names *names;
    struct limits_ns **v; /* owned, sorted by namespace id */
    uint32_t n, cap;
};

struct limits *limits_new(struct names *names)
{
    struct limits *l = mem_zalloc(1, sizeof(*l));

    if (l)
        l->names = names;
    return l;
}

static void limits_ns_free(struct limits_ns *ns)
{
    for (uint32_t i = 0; i < ns->n; i++)
        mem_free(ns->ranges[i]);
    mem_free(ns->ranges);
    arena_free(&ns->arena);
    mem_free(ns);
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->n; i++)
        limits_ns_free(l->v[i]);
    mem_free(l->v);
    mem_free(l);
}

/* Where the namespace is, or would be. */
static uint32_t limits_at(const struct limits *l, uint32_t ns)
{
    uint32_t lo = 0, hi = l->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (l->v[mid]->ns < ns)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct limits_ns *limits_find(const struct limits *l, const char *ns)
{
    uint32_t id = l->n ? names_find(l->names, ns) : UINT32_MAX;
    uint32_t at = limits_at(l, id);

    return at < l->n && l->v[at]->ns == id ? l->v[at] : NULL;
}

static uint32_t range_at(const struct limits_ns *ns, const char *name)
{
    uint32_t at = 0;

    while (at < ns->n && strcmp(ns->ranges[at]->name, name) < 0)
        at++;
    return at;
}

static const struct fact_amount *pack_amounts(struct pack *p, const struct fact_amount *src, uint32_t n)
{
    struct fact_amount *dst = pack_take(p, n * sizeof(*dst));

    for (uint32_t i = 0; i < n; i++) {
        const char *resource = pack_text(p, src[i].resource);
        if (dst)
            dst[i] = (struct fact_amount){resource, src[i].q};
    }
    return dst;
}

static void range_pack(struct pack *p, const struct fact_limit_range *f)
{
    struct fact_limit_range *range = pack_take(p, sizeof(*range));
    struct fact_limit_item *items = pack_take(p, f->nitems * sizeof(*items));
    const char *ns = pack_text(p, f->ns), *name = pack_text(p, f->name);

    for (uint32_t i = 0; i < f->nitems; i++) {
        struct fact_limit_item copy = f->items[i];
        copy.max = pack_amounts(p, copy.max, copy.nmax);
        copy.min = pack_amounts(p, copy.min, copy.nmin);
        copy.defaults = pack_amounts(p, copy.defaults, copy.ndefaults);
        copy.default_requests = pack_amounts(p, copy.default_requests, copy.ndefault_requests);
        if (items)
            items[i] = copy;
    }
    if (range)
        *range = (struct fact_limit_range){ns, name, items, f->nitems};
}

static struct fact_limit_range *range_copy(const struct fact_limit_range *f)
{
    struct pack p = {NULL, 0};

    range_pack(&p, f);
    p.base = mem_alloc(p.used);
    if (!p.base)
        return NULL;
    p.used = 0;
    range_pack(&p, f);
    return (struct fact_limit_range *)p.base;
}

static struct limits_ns *limits_insert_ns(struct limits *l, const char *name)
{
    void *v = l->v;
    uint32_t id;

    if (names_id(l->names, name, &id) || mem_grow(&v, &l->cap, l->n + 1, sizeof(struct limits_ns *)))
        return NULL;
    l->v = v;
    struct limits_ns *ns = mem_zalloc(1, sizeof(*ns));
    if (!ns)
        return NULL;
    ns->ns = id;
    arena_init(&ns->arena, LIMITS_BLOCK);
    uint32_t at = limits_at(l, id);
    memmove(l->v + at + 1, l->v + at, (l->n - at) * sizeof(struct limits_ns *));
    l->v[at] = ns;
    l->n++;
    return ns;
}

int limits_put(struct limits *l, const struct fact_limit_range *f, struct err *err)
{
    struct fact_limit_range *range = range_copy(f);
    struct limits_ns *ns = range ? limits_find(l, f->ns) : NULL;

    if (range && !ns)
        ns = limits_insert_ns(l, f->ns); /* left empty by a failure below: the same as none */
    if (!ns)
        goto failed;
    uint32_t at = range_at(ns, f->name);
    if (at < ns->n && !strcmp(ns->ranges[at]->name, f->name)) {
        mem_free(ns->ranges[at]);
    } else {
        void *ranges = ns->ranges;
        if (mem_grow(&ranges, &ns->cap, ns->n + 1, sizeof(struct fact_limit_range *)))
            goto failed;
        ns->ranges = ranges;
        memmove(ns->ranges + at + 1, ns->ranges + at, (ns->n - at) * sizeof(struct fact_limit_range *));
        ns->n++;
    }
    ns->ranges[at] = range;
    ns->built = false;
    return 0;
failed:
    mem_free(range);
    return err_set(err, ERR_NOMEM, "out of memory");
}

void limits_del(struct limits *l, const char *name_space, const char *name)
{
    struct limits_ns *ns = limits_find(l, name_space);

    if (!ns)
        return;
    uint32_t at = range_at(ns, name);
    if (at == ns->n || strcmp(ns->ranges[at]->name, name))
        return;
    mem_free(ns->ranges[at]);
    memmove(ns->ranges + at, ns->ranges + at + 1, (ns->n - at - 1) * sizeof(struct fact_limit_range *));
    ns->n--;
    ns->built = false;
    if (ns->n)
        return;
    uint32_t where = limits_at(l, ns->ns);
    memmove(l->v + where, l->v + where + 1, (l->n - where - 1) * sizeof(struct limits_ns *));
    l->n--;
    limits_ns_free(ns);
}

static bool summary_failed(const struct limits_summary *s)
{
    return s->max.failed || s->min.failed || s->defaults.failed || s->default_requests.failed;
}

static int limits_build(struct names *names, struct limits_ns *ns)
{
    arena_reset(&ns->arena);
    for (int t = 0; t <= LIMIT_POD; t++) {
        struct resmap empty = resmap_new(&ns->arena);
        ns->summary[t] = (struct limits_summary){empty, empty, empty, empty};
    }
    for (uint32_t i = 0; i < ns->n; i++) {
        for (uint32_t j = 0; j < ns->ranges[i]->nitems; j++) {
            const struct fact_limit_item *item = &ns->ranges[i]->items[j];
            struct limits_summary *s = &ns->summary[item->type];
            resmap_merge_facts(names, &s->max, item->max, item->nmax, RESMAP_MIN);
            resmap_merge_facts(names, &s->min, item->min, item->nmin, RESMAP_MAX);
            resmap_merge_facts(names, &s->defaults, item->defaults, item->ndefaults, RESMAP_KEEP);
            resmap_merge_facts(names, &s->default_requests, item->default_requests, item->ndefault_requests,
                               RESMAP_KEEP);
        }
    }
    ns->built = !summary_failed(&ns->summary[LIMIT_CONTAINER]) && !summary_failed(&ns->summary[LIMIT_POD]);
    return ns->built ? 0 : ERR_NOMEM;
}

int limits_of(struct limits *l, const char *name, const struct limits_summary **ret)
{
    struct limits_ns *ns = limits_find(l, name);

    if (ns && !ns->built && limits_build(l->names, ns))
        return ERR_NOMEM;
    *ret = ns ? ns->summary : NULL;
    return 0;
}
