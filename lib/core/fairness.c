/* Admission fair sharing in the world (engine.md 4.9): penalties at admission, settlement when admitted, sampling as time goes by. */
#include "core/world_priv.h"

#include <string.h>

static struct local_queue *fair_queue(const struct world *w, const struct wl *wl)
{
    uint32_t lq = pairs_find(&w->lqs, wl->ns, wl->queue);
    if (!w->afs.on || lq == NONE)
        return NULL;
    return &w->local_queues[lq];
}

static struct quantity quantity_of(const struct world *w, uint32_t res, int64_t v)
{
    struct quantity q = quantity_from_i64(v);
    if (resource_is_cpu(names_text(w->names, res)))
        q = quantity_mul(q, (struct quantity){.coef = 1, .exp10 = -3});
    return q;
}

/* Adds what the Workload holds, by resource, flavors flattened. The implicit `pods` does not count. */
static uint32_t add_held(const struct world *w, const struct wl *wl, struct afs_amount *v, uint32_t n,
                         uint32_t cap)
{
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[i].first + k];
            uint32_t j = 0;
            if (s->res == w->pods)
                continue;
            while (j < n && v[j].res != s->res)
                j++;
            if (j == n) {
                if (n == cap)
                    return n;
                v[n++] = (struct afs_amount){s->res, quantity_from_i64(0)};
            }
            v[j].q = quantity_add(v[j].q, quantity_of(w, s->res, s->amount));
        }
    return n;
}

#define MOST_RESOURCES 256 /* a ClusterQueue covers at most that many (1.2 rule 8) */

/* What the admitted Workloads of a LocalQueue hold; `held` has MOST_RESOURCES places. */
static uint32_t held_by_queue(const struct world *w, const struct cluster_queue *cq, uint32_t ns,
                              uint32_t queue, struct afs_amount *held)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < cq->nholders; i++) {
        const struct wl *wl = cq->holders[i];
        if (wl->marks.admitted && wl->ns == ns && wl->queue == queue)
            n = add_held(w, wl, held, n, MOST_RESOURCES);
    }
    return n;
}

void fairness_assumed(struct world *w, const struct wl *wl)
{
    struct local_queue *lq = fair_queue(w, wl);
    if (!lq || !w->cqs[wl->cq]->usage_based_afs)
        return;
    struct afs_amount held[MOST_RESOURCES];
    uint32_t n = add_held(w, wl, held, 0, MOST_RESOURCES);
    w->afs_changes++;
    (void)!afs_penalize(&w->afs, w->names, &lq->afs, wl, held, n);
}

void fairness_admitted(struct world *w, const struct wl *wl, when_ns now)
{
    struct local_queue *lq = fair_queue(w, wl);
    if (!lq || wl->cq == NONE || !w->cqs[wl->cq]->usage_based_afs)
        return;
    struct afs_amount held[MOST_RESOURCES];
    uint32_t n = held_by_queue(w, w->cqs[wl->cq], wl->ns, wl->queue, held);
    w->afs_changes++;
    (void)!afs_settle(&w->afs, w->names, &lq->afs, wl, held, n, now);
}

void fairness_drop(struct world *w, const struct wl *wl)
{
    if (wl->lq == NONE || !w->afs.on)
        return;
    w->afs_changes++;
    afs_unpenalize(&w->local_queues[wl->lq].afs, wl);
}

int world_sample_usage(struct world *w, when_ns now, struct err *err)
{
    for (uint32_t i = 0; w->afs.on && i < w->lqs.n; i++) {
        struct local_queue *lq = &w->local_queues[i];
        const struct cluster_queue *cq = world_cq_by_name(w, lq->cluster_queue);
        if (!lq->exists || !cq || !cq->usage_based_afs)
            continue;
        struct afs_amount held[MOST_RESOURCES];
        uint32_t n = held_by_queue(w, cq, lq->ns, lq->name, held);
        w->afs_changes++;
        if (afs_sample(&w->afs, w->names, &lq->afs, held, n, now))
            return err_set(err, ERR_NOMEM, "out of memory for the consumption of a LocalQueue");
    }
    return 0;
}

double world_lq_usage(const struct world *w, const char *ns, const char *name)
{
    uint32_t lq = pairs_find(&w->lqs, names_find(w->names, ns), names_find(w->names, name));
    return lq == NONE || !w->afs.on ? 0 : afs_usage(&w->afs, w->names, &w->local_queues[lq].afs);
}
