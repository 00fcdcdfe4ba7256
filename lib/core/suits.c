/* Does a flavor suit the pod sets that ask for it (engine.md 6.4)? */
#include "core/assign_priv.h"

#include <string.h>

static bool only_tas_flavors(const struct world *w, const struct cluster_queue *cq)
{
    bool any = false;
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t f = 0; f < cq->quotas.groups[g].nflavors; f++) {
            const struct flavor *fl = world_flavor(w, cq->quotas.groups[g].flavors[f]);
            if (!fl || !fl->fact.topology[0])
                return false;
            any = true;
        }
    return any;
}

static bool topology_mismatch(const struct walk *k, const struct shape *shape, const struct flavor *f,
                              enum reason_kind *ret)
{
    if (!gate_on(&k->ctx->w->gates, GATE_TAS))
        return false;
    bool wants = shape->wants_topology, has = f->fact.topology[0] != '\0';
    if (!wants && !has)
        return false;
    if (!has)
        *ret = REASON_NO_TAS;
    else if (!wants && !only_tas_flavors(k->ctx->w, k->ctx->cq))
        *ret = REASON_TAS_ONLY;
    else
        *ret = REASON_TAS_UNKNOWN;
    return true;
}

/* True if it matches the shape; else the reason is added. */
static bool suits_shape(struct walk *k, const struct flavor *f, struct shape *shape)
{
    struct reason r = {.flavor = f->name};
    if (topology_mismatch(k, shape, f, &r.kind)) {
        walk_reason(k, r);
        return false;
    }
    r.match = shape_match(shape, f);
    switch ((enum match_kind)r.match.kind) {
    case MATCH_OK:
        return true;
    case MATCH_TAINT:
        r.kind = REASON_TAINT;
        break;
    case MATCH_AFFINITY:
        r.kind = REASON_AFFINITY;
        break;
    case MATCH_ERROR:
        r.kind = REASON_SELECTOR;
        k->ps->error = true;
        break;
    }
    walk_reason(k, r);
    return false;
}

/* The same for all pod sets of the group; the first that it does not match gives the reason. */
bool suits(struct walk *k, uint32_t name)
{
    const struct flavor *f = world_flavor(k->ctx->w, name);
    if (!f) {
        walk_reason(k, (struct reason){.kind = REASON_FLAVOR_UNKNOWN, .flavor = name});
        return false;
    }
    for (uint32_t m = 0; m < k->nmembers; m++)
        if (!suits_shape(k, f, k->ctx->wl->pod_sets[k->members[m]].shape))
            return false;
    return true;
}

static bool is_member(const struct walk *k, uint32_t pod_set)
{
    for (uint32_t m = 0; m < k->nmembers; m++)
        if (k->members[m] == pod_set)
            return true;
    return false;
}

/* Was the flavor nominated for this resource by no pod set of the group (6.5 "nomination mapping")? */
bool suits_not_pinned(const struct walk *k, uint32_t flavor, uint32_t res)
{
    const struct assignment *pin = k->ctx->pinned;
    if (!pin)
        return false;
    for (uint32_t i = 0; i < pin->npod_sets; i++) {
        const struct pod_set_choice *ps = &pin->pod_sets[i];
        if (!is_member(k, ps->pod_set))
            continue;
        for (uint32_t c = 0; c < ps->nchoices; c++)
            if (ps->choices[c].res == res && ps->choices[c].flavor == flavor)
                return false;
    }
    return true;
}
