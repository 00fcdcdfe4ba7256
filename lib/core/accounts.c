/* The accounts: which Workload holds quota in which ClusterQueue (engine.md 3.6), charged to the quota tree. */
#include "core/world_priv.h"

#include "base/mem.h"

int accounts_reserve(struct cluster_queue *cq, uint32_t more)
{
    return mem_grow((void **)&cq->holders, &cq->cap_holders, cq->nholders + more, sizeof *cq->holders);
}

/* Charges or discharges its usage in the tree; pairs that the tree does not know make it dirty. */
static void charge(struct world *w, struct wl *wl, bool add)
{
    struct cluster_queue *cq = w->cqs[wl->cq];
    struct tree *t = cq->tree;
    if (!t) {
        w->trees_dirty = true;
        return;
    }
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[i].first + k];
            if (s->fr == NONE)
                continue;
            uint32_t col = tree_col(t, s->fr);
            if (col == TREE_NONE)
                w->trees_dirty = true; /* the rebuild counts it */
            else if (add)
                tree_charge(t, cq->node, col, s->amount);
            else
                tree_discharge(t, cq->node, col, s->amount);
        }
    t->changed = true;
}

void accounts_assume(struct world *w, struct wl *wl, uint32_t cq)
{
    struct cluster_queue *q = w->cqs[cq];
    wl->cq = cq;
    wl->pos = q->nholders;
    q->holders[q->nholders++] = wl;
    if (!wl->marks.pods_ready)
        w->nnot_ready++;
    charge(w, wl, true);
}

int accounts_add(struct world *w, struct wl *wl, uint32_t cq)
{
    if (accounts_reserve(w->cqs[cq], 1))
        return ERR_NOMEM;
    accounts_assume(w, wl, cq);
    return 0;
}

void accounts_remove(struct world *w, struct wl *wl)
{
    if (wl->cq == NONE)
        return;
    lending_reclaimed(w, wl);
    charge(w, wl, false);
    struct cluster_queue *cq = w->cqs[wl->cq];
    struct wl *last = cq->holders[--cq->nholders];
    cq->holders[wl->pos] = last;
    last->pos = wl->pos;
    cq->generation++; /* 3.1 */
    if (!wl->marks.pods_ready)
        w->nnot_ready--;
    wl->cq = NONE;
    wl->expected = false;
    wl->reclaimed_by = 0;
}
