#include "core/cycle.h"

#include "core/cycle_priv.h"
#include "core/loans.h"

#include <string.h>

/* Room for what one head may bring about in its ClusterQueue: an admission, a parked shape. */
static int make_room(struct world *w)
{
    for (uint32_t i = 0; i < w->ncq_order; i++) {
        struct cluster_queue *cq = w->cqs[w->cq_order[i]];
        if (accounts_reserve(cq, 1) || pending_reserve(&cq->pending))
            return ERR_NOMEM;
    }
    return 0;
}

/* One head per active ClusterQueue (4.5), in name order. */
static uint32_t pop_heads(struct world *w, struct wl **heads, struct cluster_queue **from)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->ncq_order; i++) {
        struct cluster_queue *cq = w->cqs[w->cq_order[i]];
        if (cq->state != CQ_ACTIVE)
            continue;
        queueing_reorder(w, cq);
        struct wl *head = pending_pop(&cq->pending);
        if (!head)
            continue;
        head->in_items = false;
        heads[n] = head;
        from[n++] = cq;
    }
    return n;
}

/* The scan position of a head before the cycle, which writes over it. */
struct kept_scan {
    struct scan scan;
    uint32_t *nslots; /* one a pod set; NULL if there was no scan */
    struct slot *slots;
    int16_t *tried;
};

static bool keep_scan(struct arena *a, const struct wl *w, struct kept_scan *k)
{
    *k = (struct kept_scan){.scan = w->scan};
    if (!w->scan.present)
        return true;
    k->nslots = arena_alloc(a, w->npod_sets * sizeof *k->nslots);
    k->slots = arena_alloc(a, w->nslots * sizeof *k->slots);
    k->tried = arena_alloc(a, w->nslots * sizeof *k->tried);
    if (!k->nslots || !k->slots || !k->tried)
        return false;
    for (uint32_t i = 0; i < w->npod_sets; i++)
        k->nslots[i] = w->pod_sets[i].nslots;
    memcpy(k->slots, w->slots, w->nslots * sizeof *k->slots);
    memcpy(k->tried, w->tried, w->nslots * sizeof *k->tried);
    return true;
}

static void restore_scan(struct wl *w, const struct kept_scan *k)
{
    w->scan = k->scan;
    if (!k->nslots)
        return;
    for (uint32_t i = 0; i < w->npod_sets; i++)
        w->pod_sets[i].nslots = k->nslots[i];
    memcpy(w->slots, k->slots, w->nslots * sizeof *k->slots);
    memcpy(w->tried, k->tried, w->nslots * sizeof *k->tried);
}

/* A cycle without its end: trees, heads and victims become what they were; the pops stay counted. */
static void return_heads(struct world *w, struct wl **heads, struct cluster_queue **from, uint32_t n)
{
    for (uint32_t i = 0; i < w->ntrees; i++)
        while (w->trees[i]->journaling)
            tree_undo(w->trees[i], 0);
    for (uint32_t i = 0; i < w->ncq_order; i++) {
        const struct cluster_queue *cq = w->cqs[w->cq_order[i]];
        for (uint32_t k = 0; k < cq->nholders; k++)
            cq->holders[k]->away = false;
    }
    for (uint32_t i = 0; i < n; i++) {
        heads[i]->in_items = true;
        pending_lift(&from[i]->pending, heads[i]);
        pending_place(&from[i]->pending, heads[i], BUCKET_ACTIVE, true, INT64_MAX);
    }
    w->cycle_number--;
}

/* ---- after the cycle (5.6) ------------------------------------------------------------------------------------------------------ */

void cycle_requeue(struct world *w, struct decision *d, struct cluster_queue *cq, when_ns now)
{
    bool nominated =
        d->outcome == OUTCOME_SKIPPED || d->outcome == OUTCOME_NOT_READY || d->outcome == OUTCOME_GATED;
    if (d->requeue == REQUEUE_GENERIC && nominated)
        d->requeue = REQUEUE_FAILED_AFTER_NOMINATION;
    if (!queueing_admissible(w, d->w)) {
        pending_lift(&cq->pending, d->w);
        d->w->scan.present = false;
        return;
    }
    d->w->in_items = true;
    queueing_refresh(w, cq, d->w);
    struct requeue r = {d->requeue, d->wait, gate_on(&w->gates, GATE_EQUIVALENCE_HASHING)};
    pending_requeue(&cq->pending, d->w, r, now);
}

/* The slots of the Workload become those of its admission (5.7), which is assumed at once. */
static void assume(struct world *w, const struct entry *e, when_ns now)
{
    struct wl *wl = e->d.w;
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        wl->pod_sets[i].nslots = wl->pod_sets[i].assigned = 0;
    for (uint32_t i = 0; i < e->a->npod_sets; i++) {
        const struct pod_set_choice *c = &e->a->pod_sets[i];
        struct pod_set *ps = &wl->pod_sets[c->pod_set];
        ps->assigned = c->count;
        for (uint32_t k = 0; k < c->nchoices; k++)
            if (c->choices[k].flavor != NONE)
                wl->slots[ps->first + ps->nslots++] =
                    (struct slot){c->choices[k].res, c->choices[k].fr, c->choices[k].amount};
    }
    pending_delete(&e->cq->pending, wl);
    wl->scan.present = false;
    wl->marks.reserved = true;
    wl->marks.reserved_at = now;
    wl->marks.evicted = wl->marks.preempted = wl->marks.preempted_by_reclaim = false;
    wl->marks.pods_ready = false;
    wl->admission = e->cq->name;
    accounts_assume(w, wl, e->d.cq);
    fairness_assumed(w, wl);
}

static void list_evicted(struct run *r, struct decision *d)
{
    struct cycle *c = &r->w->cycle;
    for (uint32_t i = 0; i < d->ntargets; i++) {
        struct wl *v = d->targets[i].w;
        if (v->marks.evicted || v->expected)
            continue;
        v->expected = true;
        if (d->targets[i].reason != PREEMPT_IN_CQ)
            v->reclaimed_by = r->w->cqs[d->cq]->name;
        c->evicted[c->nevicted] = v;
        c->evicted_target[c->nevicted] = &d->targets[i];
        c->evicted_by[c->nevicted++] = d;
    }
}

/* Writes the decisions down and makes them true. Nothing is allocated here, so nothing can fail. */
static void commit(struct run *r, const struct entry *rejected, uint32_t nrejected)
{
    struct cycle *c = &r->w->cycle;
    for (uint32_t i = 0; i < r->w->ntrees; i++)
        if (r->w->trees[i]->journaling)
            tree_undo(r->w->trees[i], 0);
    for (uint32_t i = 0; i < r->nentries; i++) {
        struct entry *e = r->order[i];
        e->d.a = e->a;
        e->d.targets = e->targets;
        e->d.ntargets = e->ntargets;
        c->decisions[c->ndecisions] = e->d;
        struct decision *d = &c->decisions[c->ndecisions++];
        if (d->outcome == OUTCOME_ADMITTED) {
            assume(r->w, e, r->now);
            c->progressed = true;
        } else if (d->outcome == OUTCOME_PREEMPTING) {
            list_evicted(r, d);
        }
        if (d->outcome != OUTCOME_ADMITTED)
            cycle_requeue(r->w, d, e->cq, r->now);
    }
    for (uint32_t i = 0; i < nrejected; i++) {
        c->decisions[c->ndecisions] = rejected[i].d;
        cycle_requeue(r->w, &c->decisions[c->ndecisions++], rejected[i].cq, r->now);
    }
    c->progressed |= c->nevicted > 0;
}

/* Room for the result, taken while failing is still harmless. */
static void prepare_result(struct run *r)
{
    struct cycle *c = &r->w->cycle;
    uint32_t targets = 0;
    for (uint32_t i = 0; i < r->nentries; i++)
        targets += r->entries[i].ntargets;
    c->evicted = ARENA_NEW(r->a, struct wl *, targets);
    c->evicted_target = ARENA_NEW(r->a, const struct target *, targets);
    c->evicted_by = ARENA_NEW(r->a, const struct decision *, targets);
}

static void begin_trees(struct run *r)
{
    for (uint32_t i = 0; i < r->nentries; i++) {
        struct tree *t = r->entries[i].cq->tree;
        t->scratch = r->a;
        if (!t->journaling)
            (void)tree_begin(t);
    }
}

static void run_cycle(struct world *w, struct wl **heads, struct cluster_queue **from, uint32_t n,
                      when_ns now)
{
    struct arena *a = &w->scratch;
    struct run r = {.w = w, .a = a, .now = now, .entries = ARENA_NEW(a, struct entry, n)};
    struct entry *rejected = ARENA_NEW(a, struct entry, n);
    uint32_t nrejected = 0;
    w->cycle = (struct cycle){.number = w->cycle_number, .heads = heads, .nheads = n};
    w->cycle.decisions = ARENA_NEW(a, struct decision, n);
    w->cycle.skips = ARENA_NEW(a, struct cq_count, n);
    w->cycle.recomputes = ARENA_NEW(a, struct recompute, n);
    r.order = ARENA_NEW(a, struct entry *, n);
    for (uint32_t i = 0; i < n; i++) {
        struct entry e;
        from[i]->tree->scratch = a;
        if (heads[i]->cq !=
            NONE) { /* accounted already (5.1 step 1); second passes (4.8) are of topologies */
            pending_lift(&from[i]->pending, heads[i]);
            continue;
        }
        cycle_nominate(&r, heads[i], from[i], &e);
        if (e.d.outcome == OUTCOME_REJECTED)
            rejected[nrejected++] = e;
        else
            r.entries[r.nentries++] = e;
    }
    begin_trees(&r);
    if (w->fair_sharing) {
        order_fair(&r);
    } else {
        order_classical(&r);
        for (uint32_t i = 0; i < r.nentries; i++)
            cycle_process(&r, r.order[i]);
    }
    prepare_result(&r);
    commit(&r, rejected, nrejected);
}

/* Runs the cycle; when memory is exhausted on the way, all is as if it had not begun. */
static int run_or_undo(struct world *w, struct wl **heads, struct cluster_queue **from, uint32_t n,
                       when_ns now)
{
    jmp_buf bail;
    struct kept_scan *kept = arena_alloc(&w->scratch, n * sizeof *kept);
    bool ok = kept != NULL;
    for (uint32_t i = 0; i < n && ok; i++)
        ok = keep_scan(&w->scratch, heads[i], &kept[i]);
    w->scratch.bail = &bail;
    if (!ok || setjmp(bail)) {
        for (uint32_t i = 0; i < n && ok; i++)
            restore_scan(heads[i], &kept[i]);
        return_heads(w, heads, from, n);
        return ERR_NOMEM;
    }
    run_cycle(w, heads, from, n, now);
    return 0;
}

int world_cycle(struct world *w, when_ns now, const struct cycle **ret, struct err *err)
{
    *ret = NULL;
    int rc = world_settle(w, err);
    if (rc)
        return rc;
    lending_settle(w, now);
    arena_reset(&w->scratch);
    struct wl **heads = arena_alloc(&w->scratch, (w->ncq_order + 1) * sizeof(struct wl *));
    struct cluster_queue **from =
        arena_alloc(&w->scratch, (w->ncq_order + 1) * sizeof(struct cluster_queue *));
    if (!heads || !from || make_room(w))
        return err_set(err, ERR_NOMEM, "out of memory for the heads of a cycle");
    uint32_t n = pop_heads(w, heads, from);
    if (!n)
        return 0;
    w->cycle_number++;
    w->attempt++;
    if (run_or_undo(w, heads, from, n, now))
        return err_set(err, ERR_NOMEM, "out of memory in a scheduling cycle");
    lending_settle(w, now);
    *ret = &w->cycle;
    return 0;
}
