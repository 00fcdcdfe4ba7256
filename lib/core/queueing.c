/* Workloads and their queues: who may queue where, who comes back when (engine.md 4.3, 4.4, 4.7). */
#include "core/world_priv.h"

#include <string.h>

struct cluster_queue *world_cq_by_name(const struct world *w, uint32_t name)
{
    uint32_t i = idmap_get(&w->cq_of, name);
    return i == NONE || !w->cqs[i]->exists ? NULL : w->cqs[i];
}

static bool lq_open(const struct world *w, uint32_t lq)
{
    return lq != NONE && w->local_queues[lq].exists && w->local_queues[lq].stop == STOP_NONE;
}

struct cluster_queue *world_queue_of(const struct world *w, const struct wl *wl)
{
    uint32_t lq = pairs_find(&w->lqs, wl->ns, wl->queue);
    return lq_open(w, lq) ? world_cq_by_name(w, w->local_queues[lq].cluster_queue) : NULL;
}

bool queueing_admissible(const struct world *w, const struct wl *wl)
{
    (void)w;
    const struct marks *m = &wl->marks;
    return !m->gated && !m->finished && m->active && !m->reserved && !m->on_hold && !m->waiting_replacement;
}

void queueing_delete(struct world *w, struct wl *wl)
{
    if (wl->pending_cq != NONE)
        pending_delete(&w->cqs[wl->pending_cq]->pending, wl);
    wl->pending_cq = NONE;
    wl->in_items = false;
    wl->scan.present = false; /* 4.4 step 4 copies it from what is queued only */
}

void queueing_refresh(const struct world *w, const struct cluster_queue *cq, struct wl *wl)
{
    wl->queue_time = wl_queue_time(&wl->marks, wl->created, w->requeue_by_creation,
                                   gate_on(&w->gates, GATE_PRIORITY_SORTING));
    wl->afs_usage = 0;
    if (w->afs.on && cq->usage_based_afs && wl->lq != NONE)
        wl->afs_usage = afs_usage(&w->afs, w->names, &w->local_queues[wl->lq].afs);
}

void queueing_enqueue(struct world *w, struct wl *wl, enum bucket was, bool changed, when_ns now)
{
    uint32_t lq = pairs_find(&w->lqs, wl->ns, wl->queue);
    if (!queueing_admissible(w, wl)) {
        if (was != BUCKET_NONE)
            pending_place(&w->cqs[wl->pending_cq]->pending, wl, was, false, now);
        return;
    }
    if (wl->lq != NONE && wl->lq != lq) { /* moved to another LocalQueue */
        queueing_delete(w, wl);
        fairness_drop(w, wl);
        wl->lq = NONE;
        was = BUCKET_NONE;
    }
    if (!lq_open(w, lq)) {
        w->strays = true;
        queueing_delete(w, wl);
        return;
    }
    wl->lq = lq;
    wl->in_items = was != BUCKET_INFLIGHT;
    struct cluster_queue *cq = world_cq_by_name(w, w->local_queues[lq].cluster_queue);
    uint32_t index = cq ? idmap_get(&w->cq_of, cq->name) : NONE;
    if (wl->pending_cq != index) {
        if (wl->pending_cq != NONE)
            pending_delete(&w->cqs[wl->pending_cq]->pending, wl);
        was = BUCKET_NONE;
    }
    wl->pending_cq = index;
    if (!cq) {
        w->strays = true;
        return;
    }
    queueing_refresh(w, cq, wl);
    /* Room for its admission, so that the cycle that decides it needs none. Failing is harmless: the cycle asks again. */
    (void)!accounts_reserve(cq, cq->pending.nactive + cq->pending.ninadmissible + 2);
    pending_place(&cq->pending, wl, was, changed, now);
}

static void reorder(const struct world *w, const struct cluster_queue *cq, struct wl_tree *t)
{
    struct wl_tree old = *t;
    struct wl *wl;
    RB_INIT(t);
    while ((wl = RB_ROOT(&old))) {
        RB_REMOVE(wl_tree, &old, wl);
        queueing_refresh(w, cq, wl);
        RB_INSERT(wl_tree, t, wl);
    }
}

/* The inadmissible as well: a flush puts them among the active with the keys that they have. */
void queueing_reorder(struct world *w, struct cluster_queue *cq)
{
    uint64_t seen = w->afs.on && cq->usage_based_afs ? w->afs_changes : AFS_NOTHING_SEEN;
    if (cq->afs_seen == seen)
        return;
    cq->afs_seen = seen;
    reorder(w, cq, &cq->pending.active);
    reorder(w, cq, &cq->pending.inadmissible);
}

int queueing_adopt(struct world *w, when_ns now)
{
    if (!w->strays)
        return 0;
    bool left = false;
    for (struct wl *wl = w->workloads; wl; wl = wl->hh.next) {
        if (wl->bucket != BUCKET_NONE || wl->cq != NONE || wl->marks.finished || !wl->marks.active)
            continue;
        uint32_t cq = idmap_get(&w->cq_of, wl->admission);
        if (wl->marks.reserved && cq != NONE && w->cqs[cq]->exists) {
            int rc = accounts_add(w, wl, cq);
            if (rc)
                return rc;
        } else if (!wl->marks.reserved) {
            queueing_enqueue(w, wl, BUCKET_NONE, true, now);
        }
        left |= wl->bucket == BUCKET_NONE && wl->cq == NONE;
    }
    w->strays = left;
    return 0;
}

/* ---- coming back (4.7) ------------------------------------------------------------------------------------------------------------ */

void world_remember_queue(const struct world *w, struct wl *wl)
{
    if (wl->lq == NONE)
        wl->lq = pairs_find(&w->lqs, wl->ns, wl->queue);
}

void queueing_notify(struct world *w, const struct wl *wl)
{
    if (!lq_open(w, wl->lq))
        return;
    struct cluster_queue *cq = world_cq_by_name(w, w->local_queues[wl->lq].cluster_queue);
    if (cq)
        cq->flush_wanted = true;
}

struct flush {
    const struct world *w;
    const struct cluster_queue *cq;
};

static bool may_return(const struct wl *wl, void *arg)
{
    const struct flush *f = arg;
    bool exists;
    return namespace_matches(f->w, f->cq, wl->ns, &exists);
}

/* All ClusterQueues of the tree; a tree with a cycle is passed over. */
static void flush_tree(struct world *w, const struct tree *t, when_ns now)
{
    for (uint32_t n = 0; n < t->nnodes; n++) {
        if (t->nodes[n].cq == TREE_NONE)
            continue;
        struct flush f = {w, w->cqs[t->nodes[n].cq]};
        w->cqs[t->nodes[n].cq]->flush_wanted = false;
        if (!t->cyclic)
            (void)pending_flush(&w->cqs[t->nodes[n].cq]->pending, may_return, &f, now);
    }
}

static bool is_flush_wanted(struct world *w, const struct tree *t)
{
    bool wanted = false;
    for (uint32_t n = 0; n < t->nnodes; n++) {
        bool *mark = t->nodes[n].cq != TREE_NONE
                         ? &w->cqs[t->nodes[n].cq]->flush_wanted
                         : &w->cohorts[idmap_get(&w->cohort_of, t->nodes[n].name)].flush_wanted;
        wanted |= *mark;
        *mark = false;
    }
    return wanted;
}

bool world_flush(struct world *w, when_ns now)
{
    bool any = false;
    if (world_settle(w, NULL))
        return false; /* out of memory: the marks stay, the next call does it */
    for (uint32_t i = 0; i < w->ntrees; i++)
        if (is_flush_wanted(w, w->trees[i])) {
            flush_tree(w, w->trees[i], now);
            any = true;
        }
    return any;
}
