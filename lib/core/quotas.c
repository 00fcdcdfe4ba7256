#include "base/mem.h"
#include "core/world_priv.h"

static int group_alloc(const struct fact_resource_group *f, struct group *g)
{
    size_t npairs = (size_t)f->nflavors * f->nresources;

    g->nres = f->nresources;
    g->nflavors = f->nflavors;
    g->res = mem_zalloc(f->nresources, sizeof(*g->res));
    g->flavors = mem_zalloc(f->nflavors, sizeof(*g->flavors));
    g->fr = mem_zalloc(npairs, sizeof(*g->fr));
    g->col = mem_zalloc(npairs, sizeof(*g->col));
    return g->res && g->flavors && g->fr && g->col ? 0 : ERR_NOMEM;
}

/* Integers of 2.1: cpu in milli-units; limits beyond what is counted are Unlimited. */
static struct quota quota_read(const struct fact_quota *f, uint32_t fr, bool is_cpu)
{
    struct quota q = {.fr = fr, .has_borrowing = f->has_borrowing, .has_lending = f->has_lending};

    q.nominal = quantity_quota(f->nominal, is_cpu);
    if (f->has_borrowing)
        q.borrowing = quantity_quota(f->borrowing, is_cpu);
    if (f->has_lending)
        q.lending = quantity_quota(f->lending, is_cpu);
    return q;
}

static int flavor_read(struct world *w, const struct fact_resource_group *f, uint32_t flavor, struct group *g,
                       struct quota *ret_list)
{
    for (uint32_t r = 0; r < f->nresources; r++) {
        uint32_t *fr = &g->fr[flavor * f->nresources + r];
        if (pairs_id(&w->pairs, g->flavors[flavor], g->res[r], fr))
            return ERR_NOMEM;
        ret_list[r] = quota_read(&f->flavors[flavor].quotas[r], *fr, resource_is_cpu(f->resources[r]));
    }
    return 0;
}

static int group_read(struct world *w, const struct fact_resource_group *f, struct group *g,
                      struct quotas *ret)
{
    if (group_alloc(f, g))
        return ERR_NOMEM;
    for (uint32_t r = 0; r < f->nresources; r++)
        if (names_id(w->names, f->resources[r], &g->res[r]))
            return ERR_NOMEM;
    for (uint32_t i = 0; i < f->nflavors; i++) {
        if (names_id(w->names, f->flavors[i].flavor, &g->flavors[i]))
            return ERR_NOMEM;
        if (flavor_read(w, f, i, g, &ret->list[ret->n]))
            return ERR_NOMEM;
        ret->n += f->nresources;
    }
    return 0;
}

int quotas_read(struct world *w, const struct fact_resource_group *groups, uint32_t n, struct quotas *ret)
{
    size_t npairs = 0;

    *ret = (struct quotas){0};
    if (n == 0)
        return 0;
    for (uint32_t i = 0; i < n; i++)
        npairs += (size_t)groups[i].nflavors * groups[i].nresources;
    ret->groups = mem_zalloc(n, sizeof(*ret->groups));
    ret->list = mem_zalloc(npairs, sizeof(*ret->list));
    if (!ret->groups || !ret->list)
        goto failed;
    while (ret->ngroups < n) {
        struct group *g = &ret->groups[ret->ngroups++];
        if (group_read(w, &groups[ret->ngroups - 1], g, ret))
            goto failed;
    }
    return 0;
failed:
    quotas_free(ret);
    return ERR_NOMEM;
}

static bool quota_equal(const struct quota *a, const struct quota *b)
{
    return a->fr == b->fr && a->nominal == b->nominal && a->has_borrowing == b->has_borrowing &&
           a->has_lending == b->has_lending && (!a->has_borrowing || a->borrowing == b->borrowing) &&
           (!a->has_lending || a->lending == b->lending);
}

bool quotas_equal(const struct quotas *a, const struct quotas *b)
{
    bool same = a->ngroups == b->ngroups && a->n == b->n;
    for (uint32_t i = 0; same && i < a->ngroups; i++)
        same = a->groups[i].nres == b->groups[i].nres && a->groups[i].nflavors == b->groups[i].nflavors;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = quota_equal(&a->list[i], &b->list[i]);
    return same;
}

void quotas_free(struct quotas *q)
{
    for (uint32_t i = 0; i < q->ngroups; i++) {
        mem_free(q->groups[i].res);
        mem_free(q->groups[i].flavors);
        mem_free(q->groups[i].fr);
        mem_free(q->groups[i].col);
    }
    mem_free(q->groups);
    mem_free(q->list);
    *q = (struct quotas){0};
}
