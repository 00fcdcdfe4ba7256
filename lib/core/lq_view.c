#include "core/lq_view.h"

#include "core/world_priv.h"

static uint32_t find(const struct world *w, const char *ns, const char *name)
{
    uint32_t i = pairs_find(&w->lqs, names_find(w->names, ns), names_find(w->names, name));
    return i == NONE || !w->local_queues[i].exists ? NONE : i;
}

static bool is_of(const struct local_queue *lq, const struct wl *wl)
{
    return wl->ns == lq->ns && wl->queue == lq->name;
}

static uint32_t count_bucket(struct wl *first, uint32_t lq)
{
    uint32_t n = 0;
    for (struct wl *wl = first; wl; wl = world_pending_next(wl))
        n += wl->lq == lq && wl->in_items;
    return n;
}

/* Items of a LocalQueue are in the buckets of its ClusterQueue, but for those that wait for it to exist. */
static uint32_t count_pending(const struct world *w, uint32_t lq, uint32_t cq)
{
    uint32_t n = 0;
    if (cq != NONE)
        return count_bucket(world_pending_first(w, cq, false), lq) +
               count_bucket(world_pending_first(w, cq, true), lq);
    for (const struct wl *wl = w->workloads; wl; wl = wl->hh.next)
        n += wl->lq == lq && wl->in_items;
    return n;
}

struct lq_view lq_view(const struct world *w, const char *ns, const char *name)
{
    struct lq_view v = {.cq = NONE};
    uint32_t i = find(w, ns, name);
    if (i == NONE)
        return v;
    const struct local_queue *lq = &w->local_queues[i];
    const struct cluster_queue *cq = world_cq_by_name(w, lq->cluster_queue);
    v.exists = true;
    if (cq)
        v.cq = idmap_get(&w->cq_of, cq->name);
    if (lq->stop == STOP_NONE)
        v.npending = count_pending(w, i, v.cq);
    for (uint32_t k = 0; cq && k < cq->nholders; k++)
        if (is_of(lq, cq->holders[k])) {
            v.nreserving++;
            v.nadmitted += cq->holders[k]->marks.admitted;
        }
    return v;
}

static void add_held(const struct wl *wl, uint32_t fr, struct cq_use *u)
{
    for (uint32_t p = 0; p < wl->npod_sets; p++)
        for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[p].first + k];
            if (s->fr != fr)
                continue;
            u->reserved = amount_add(u->reserved, s->amount);
            if (wl->marks.admitted)
                u->admitted = amount_add(u->admitted, s->amount);
        }
}

void lq_view_uses(const struct world *w, const char *ns, const char *name,
                  void (*each)(const struct cq_use *u, void *arg), void *arg)
{
    uint32_t i = find(w, ns, name);
    const struct local_queue *lq = i == NONE ? NULL : &w->local_queues[i];
    const struct cluster_queue *cq = lq ? world_cq_by_name(w, lq->cluster_queue) : NULL;
    for (uint32_t q = 0; cq && q < cq->quotas.n; q++) {
        struct pair_names p = world_pair(w, cq->quotas.list[q].fr);
        struct cq_use u = {.flavor = p.flavor, .resource = p.resource, .fr = cq->quotas.list[q].fr};
        for (uint32_t k = 0; k < cq->nholders; k++)
            if (is_of(lq, cq->holders[k]))
                add_held(cq->holders[k], u.fr, &u);
        each(&u, arg);
    }
}

const struct afs_ledger *lq_view_consumed(const struct world *w, const char *ns, const char *name)
{
    uint32_t i = find(w, ns, name);
    return i == NONE ? NULL : &w->local_queues[i].afs;
}
