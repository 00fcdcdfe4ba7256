/* Reading the world, for reports and for those who write conditions; and bringing it up to date. */
#include "core/world_priv.h"

#include "core/loans.h"

#include <string.h>

int world_settle(struct world *w, struct err *err)
{
    if (w->activity_dirty)
        activity_update(w);
    if (!w->trees_dirty)
        return 0;
    int rc = forest_build(w);
    return rc ? err_set(err, rc, "out of memory while building the quota trees") : 0;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------------- */

static bool holds_flavor(const struct world *w, const struct wl *wl, const struct cq_check *c)
{
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            uint32_t fr = wl->slots[wl->pod_sets[i].first + k].fr;
            for (uint32_t f = 0; f < c->nflavors && fr != NONE; f++)
                if (w->pairs.at[fr].a == c->flavors[f])
                    return true;
        }
    return c->nflavors == 0;
}

uint32_t world_required_checks(const struct world *w, const struct wl *wl, uint32_t *ret_names, uint32_t cap)
{
    uint32_t n = 0;
    const struct cluster_queue *cq =
        wl->marks.reserved ? world_cq_by_name(w, wl->admission) : world_queue_of(w, wl);
    for (uint32_t i = 0; cq && i < cq->nchecks; i++) {
        const struct cq_check *c = &cq->checks[i];
        if (wl->marks.reserved ? !holds_flavor(w, wl, c) : c->nflavors > 0)
            continue;
        uint32_t at = n < cap ? n : cap;
        for (; at > 0 && strcmp(names_text(w->names, ret_names[at - 1]), names_text(w->names, c->name)) > 0;
             at--)
            if (at < cap)
                ret_names[at] = ret_names[at - 1];
        if (at < cap)
            ret_names[at] = c->name;
        n++;
    }
    return n;
}

/* ---- ClusterQueues --------------------------------------------------------------------------------------------------------------- */

uint32_t world_cq_count(const struct world *w)
{
    return w->ncqs;
}

uint32_t world_cq_find(const struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->cq_of, names_find(w->names, name));
    return i != NONE && w->cqs[i]->exists ? i : NONE;
}

struct cq_view world_cq(const struct world *w, uint32_t index)
{
    const struct cluster_queue *cq = w->cqs[index];
    struct cq_view v = {
        .name = names_text(w->names, cq->name),
        .cohort = names_text(w->names, cq->cohort),
        .exists = cq->exists,
        .in_snapshot = cq->exists && cq->state == CQ_ACTIVE && cq->tree && !cq->tree->cyclic,
        .state = cq->state,
        .strategy = cq->strategy,
        .tree = cq->tree,
        .node = cq->node,
        .nreserving = cq->nholders,
        .npending_active = cq->pending.nactive + (cq->pending.inflight != NULL),
        .npending_inadmissible = cq->pending.ninadmissible,
        .generation = cq->generation,
    };
    for (uint32_t i = 0; i < cq->nholders; i++)
        v.nadmitted += cq->holders[i]->marks.admitted;
    return v;
}

struct cq_place world_cq_place(const struct world *w, uint32_t index)
{
    const struct cluster_queue *cq = w->cqs[index];
    return (struct cq_place){names_text(w->names, cq->name), names_text(w->names, cq->cohort), cq->tree,
                             cq->node};
}

const uint32_t *world_cq_order(struct world *w, uint32_t *ret_n)
{
    *ret_n = w->ncq_order;
    return w->cq_order;
}

static amount held_of(const struct cluster_queue *cq, uint32_t fr, bool admitted)
{
    amount sum = 0;
    for (uint32_t i = 0; i < cq->nholders; i++) {
        const struct wl *wl = cq->holders[i];
        if (admitted && !wl->marks.admitted)
            continue;
        for (uint32_t p = 0; p < wl->npod_sets; p++)
            for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++)
                if (wl->slots[wl->pod_sets[p].first + k].fr == fr)
                    sum = amount_add(sum, wl->slots[wl->pod_sets[p].first + k].amount);
    }
    return sum;
}

void world_cq_uses(const struct world *w, uint32_t index, void (*each)(const struct cq_use *u, void *arg),
                   void *arg)
{
    const struct cluster_queue *cq = w->cqs[index];
    for (uint32_t i = 0; i < cq->quotas.n; i++) {
        uint32_t fr = cq->quotas.list[i].fr;
        struct pair_names p = world_pair(w, fr);
        struct cq_use u = {p.flavor,
                           p.resource,
                           fr,
                           cq->quotas.list[i].nominal,
                           held_of(cq, fr, false),
                           held_of(cq, fr, true)};
        each(&u, arg);
    }
}

struct wl *world_pending_first(const struct world *w, uint32_t cq, bool inadmissible)
{
    struct pending *p = &w->cqs[cq]->pending;
    return RB_MIN(wl_tree, inadmissible ? &p->inadmissible : &p->active);
}

struct wl *world_pending_next(struct wl *wl)
{
    return wl_tree_RB_NEXT(wl);
}

struct wl *world_cq_sticky(const struct world *w, uint32_t cq)
{
    struct wl *m = w->cqs[cq]->pending.marked;
    return m && m->sticky ? m : NULL;
}

uint32_t world_cq_parked(const struct world *w, uint32_t cq)
{
    return w->cqs[cq]->pending.nparked;
}

uint64_t world_cq_queue_state(const struct world *w, uint32_t cq)
{
    return w->cqs[cq]->pending.state;
}

struct wl *const *world_cq_holders(const struct world *w, uint32_t cq, uint32_t *ret_n)
{
    *ret_n = w->cqs[cq]->nholders;
    return w->cqs[cq]->holders;
}

enum stop_policy world_cq_stop(const struct world *w, uint32_t cq)
{
    return w->cqs[cq]->stop;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------------------------- */

struct pair_names world_pair(const struct world *w, uint32_t fr)
{
    return (struct pair_names){names_text(w->names, w->pairs.at[fr].a),
                               names_text(w->names, w->pairs.at[fr].b)};
}

uint32_t world_find_pair(const struct world *w, const char *flavor, const char *resource)
{
    return pairs_find(&w->pairs, names_find(w->names, flavor), names_find(w->names, resource));
}

const struct tree *world_tree(const struct world *w, uint32_t i)
{
    return i < w->ntrees ? w->trees[i] : NULL;
}

bool world_lq_deleting(const struct world *w, const char *ns, const char *name)
{
    uint32_t i = pairs_find(&w->lqs, names_find(w->names, ns), names_find(w->names, name));
    return i != NONE && w->local_queues[i].exists && w->local_queues[i].deleting;
}

enum lq_state world_lq(const struct world *w, const char *ns, const char *name,
                       const char **ret_cluster_queue, enum stop_policy *ret_stop)
{
    uint32_t i = pairs_find(&w->lqs, names_find(w->names, ns), names_find(w->names, name));
    *ret_cluster_queue = "";
    *ret_stop = STOP_NONE;
    if (i == NONE || !w->local_queues[i].exists)
        return LQ_MISSING;
    *ret_stop = w->local_queues[i].stop;
    if (*ret_stop != STOP_NONE)
        return LQ_STOPPED;
    *ret_cluster_queue = names_text(w->names, w->local_queues[i].cluster_queue);
    return LQ_OK;
}

const struct loans *world_loans(const struct world *w)
{
    return w->loans;
}
