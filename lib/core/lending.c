/* Keeps the loans in step with the accounts: after each cycle and each batch of facts the trees that changed are settled. Loans are a
 * record, not a decision: when memory is exhausted they lag behind and are settled the next time. */
#include "core/world_priv.h"

#include "base/mem.h"
#include "core/loans.h"

void lending_reclaimed(struct world *w, const struct wl *wl)
{
    if (!wl->reclaimed_by ||
        mem_grow((void **)&w->reclaims, &w->cap_reclaims, w->nreclaims + 1, sizeof *w->reclaims))
        return;
    w->reclaims[w->nreclaims++] = (struct loan_reclaim){w->cqs[wl->cq]->name, wl->reclaimed_by};
}

void lending_settle(struct world *w, when_ns now)
{
    bool all = true;
    for (uint32_t i = 0; w->cq_dropped && i < w->ncqs; i++)
        if (!w->cqs[i]->exists && loans_drop(w->loans, w->cqs[i]->name, now, NULL))
            all = false;
    if (all)
        w->cq_dropped = false;
    for (uint32_t i = 0; i < w->ntrees; i++) {
        struct tree *t = w->trees[i];
        if (!t->changed)
            continue;
        struct loan_change change = {now, t->requota, w->reclaims, w->nreclaims};
        if (loans_settle_tree(w->loans, t, &change, NULL))
            all = false;
        else
            t->changed = t->requota = false;
    }
    if (all)
        w->nreclaims = 0;
}
