#include "core/references.h"

#include "core/world_priv.h"

static bool names_flavor(const struct cluster_queue *cq, uint32_t name)
{
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t i = 0; i < cq->quotas.groups[g].nflavors; i++)
            if (cq->quotas.groups[g].flavors[i] == name)
                return true;
    return false;
}

static bool names_check(const struct cluster_queue *cq, uint32_t name)
{
    for (uint32_t i = 0; i < cq->nchecks; i++)
        if (cq->checks[i].name == name)
            return true;
    return false;
}

static uint32_t list(const struct world *w, const char *name, uint32_t *ret_cqs, uint32_t cap,
                     bool (*is_named)(const struct cluster_queue *cq, uint32_t name))
{
    uint32_t id = names_find(w->names, name), n = 0;
    for (uint32_t i = 0; i < w->ncqs; i++) {
        if (!w->cqs[i]->exists || !is_named(w->cqs[i], id))
            continue;
        if (n < cap)
            ret_cqs[n] = i;
        n++;
    }
    return n;
}

uint32_t references_of_flavor(const struct world *w, const char *name, uint32_t *ret_cqs, uint32_t cap)
{
    return list(w, name, ret_cqs, cap, names_flavor);
}

uint32_t references_of_check(const struct world *w, const char *name, uint32_t *ret_cqs, uint32_t cap)
{
    return list(w, name, ret_cqs, cap, names_check);
}

bool references_hold_flavor(const struct world *w, const char *name, bool deleting)
{
    return !deleting || references_of_flavor(w, name, NULL, 0) > 0;
}

bool references_hold_check(const struct world *w, const char *name, bool deleting)
{
    return !deleting || references_of_check(w, name, NULL, 0) > 0;
}

bool references_hold_cluster_queue(const struct world *w, const char *name, bool deleting)
{
    uint32_t cq = world_cq_find(w, name);
    return !deleting || (cq != NONE && w->cqs[cq]->nholders > 0);
}
