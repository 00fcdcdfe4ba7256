/* Processing one entry (engine.md 5.5): fit check against what earlier entries took, overlapping victims, reservation. */
#include "core/cycle_priv.h"
#include "core/preempt_priv.h"

#include <string.h>

/* ---- victims of this cycle ---------------------------------------------------------------------------------------------------- */

static bool is_picked(const struct run *r, const struct wl *w)
{
    return w->picked == r->w->attempt;
}

static bool overlaps(const struct run *r, const struct entry *e)
{
    for (uint32_t i = 0; i < e->ntargets; i++)
        if (is_picked(r, e->targets[i].w))
            return true;
    return false;
}

static void pick_targets(struct run *r, const struct entry *e)
{
    if (r->npreempted + e->ntargets > r->cap_preempted) {
        uint32_t cap = 2 * (r->npreempted + e->ntargets);
        struct target *p = ARENA_NEW(r->a, struct target, cap);
        if (r->npreempted)
            memcpy(p, r->preempted, r->npreempted * sizeof *p);
        r->preempted = p;
        r->cap_preempted = cap;
    }
    struct target *v = (struct target *)r->preempted;
    for (uint32_t i = 0; i < e->ntargets; i++)
        if (!is_picked(r, e->targets[i].w)) {
            e->targets[i].w->picked = r->w->attempt;
            v[r->npreempted++] = e->targets[i];
        }
}

static void remove_targets(const struct run *r, const struct cluster_queue *cq, const struct target *t,
                           uint32_t n, bool unless_picked)
{
    struct preempt_ctx ctx = {.w = r->w};
    for (uint32_t i = 0; i < n; i++)
        if (r->w->cqs[t[i].cq]->tree == cq->tree && !(unless_picked && is_picked(r, t[i].w)))
            take_away(&ctx, t[i].w);
}

/* Would the entry fit if all victims chosen so far and its own were gone? */
static bool fits(const struct run *r, const struct entry *e)
{
    struct tree *t = e->cq->tree;
    uint32_t mark = tree_begin(t);
    remove_targets(r, e->cq, r->preempted, r->npreempted, false);
    remove_targets(r, e->cq, e->targets, e->ntargets, true);
    bool ok = true;
    for (uint32_t i = 0; i < e->a->nuses && ok; i++)
        ok = tree_fit(t, e->cq->node, e->a->uses[i].col) >= e->a->uses[i].amount;
    tree_undo(t, mark);
    return ok;
}

static void add_usage(const struct entry *e)
{
    for (uint32_t i = 0; i < e->a->nuses; i++)
        tree_charge(e->cq->tree, e->cq->node, e->a->uses[i].col, e->a->uses[i].amount);
}

/* 5.5 step 4: an entry without victims keeps what it can claim, unless it can always reclaim it. */
static void reserve_capacity(const struct entry *e)
{
    if (e->cq->preemption.reclaim_within_cohort == POLICY_ANY && !e->preemptor)
        return;
    struct tree *t = e->cq->tree;
    for (uint32_t i = 0; i < e->a->nuses; i++) {
        const struct use *u = &e->a->uses[i];
        const struct cell *c = tree_cell(t, e->cq->node, u->col);
        amount v = u->amount;
        if (e->a->borrowing == 0)
            v = amount_max(0, amount_min(v, amount_sub(c->nominal, c->usage)));
        else if (c->has_borrowing)
            v = amount_min(v, amount_sub(amount_add(c->nominal, c->borrowing), c->usage));
        tree_charge(t, e->cq->node, u->col, v);
    }
}

/* 5.5 step 1: assigns anew as if the victims of this cycle were gone, with the nominated flavors only. */
static bool recompute(struct run *r, struct entry *e)
{
    struct tree *t = e->cq->tree;
    uint32_t mark = tree_begin(t);
    remove_targets(r, e->cq, r->preempted, r->npreempted, false);
    for (uint32_t i = 0; i < r->npreempted; i++)
        r->preempted[i].w->away = true;
    e->d.w->scan.present = false;
    cycle_assign(r, e, e->a);
    for (uint32_t i = 0; i < r->npreempted; i++)
        r->preempted[i].w->away = false;
    tree_undo(t, mark);
    if (e->a->mode == MODE_FIT)
        e->a->mode = MODE_DEFERRED_FIT;
    bool ok = fits(r, e);
    struct recompute *c = &r->w->cycle.recomputes[r->w->cycle.nrecomputes++];
    c->cq = e->d.cq;
    c->result = RECOMPUTE_SKIPPED;
    if (e->a->mode == MODE_DEFERRED_FIT)
        c->result = RECOMPUTE_DEFERRED_FIT;
    else if (e->ntargets && ok && !overlaps(r, e))
        c->result = RECOMPUTE_NEW_TARGETS;
    return ok;
}

static void skip(struct run *r, struct entry *e, enum message_kind message)
{
    e->d.outcome = OUTCOME_SKIPPED;
    e->d.message = message;
    e->d.wait = WAIT_FOR_QUOTA;
    if (!gate_on(&r->w->gates, GATE_PRESERVE_SCAN))
        e->d.w->scan.present = false;
    if (message == MESSAGE_OVERLAP || e->a->mode == MODE_PREEMPT) {
        struct cycle *c = &r->w->cycle;
        uint32_t i = 0;
        while (i < c->nskips && c->skips[i].cq != e->d.cq)
            i++;
        if (i == c->nskips)
            c->skips[c->nskips++] = (struct cq_count){e->d.cq, 0};
        c->skips[i].n++;
    }
}

static void wait_for(struct entry *e, enum outcome outcome, enum wait_reason wait,
                     enum requeue_reason requeue)
{
    e->d.outcome = outcome;
    e->d.wait = wait;
    e->d.requeue = requeue;
}

static bool is_gated(const struct run *r, const struct wl *w)
{
    bool gates = gate_on(&r->w->gates, GATE_CONCURRENT_ADMISSION) ||
                 gate_on(&r->w->gates, GATE_ORCHESTRATED_PREEMPTION);
    return gates && w->marks.closed_gate;
}

static void gate_entry(struct entry *e)
{
    wait_for(e, OUTCOME_GATED, WAIT_ADMISSION_GATED, REQUEUE_PREEMPTION_GATED);
    e->d.message = MESSAGE_GATED;
    e->d.w->scan.present = false;
}

static void defer(struct entry *e)
{
    wait_for(e, OUTCOME_DEFERRED, WAIT_FOR_PREEMPTED, REQUEUE_PENDING_PREEMPTION);
    e->d.message = MESSAGE_DEFERRED;
    e->d.w->scan.present = false;
    add_usage(e);
}

/* Steps 9 to 13: the entry gets what it asked for, or its victims are told to go. */
static void accept(struct run *r, struct entry *e)
{
    pick_targets(r, e);
    add_usage(e);
    if (e->a->mode == MODE_PREEMPT) {
        wait_for(e, OUTCOME_PREEMPTING, WAIT_FOR_PREEMPTED, REQUEUE_PENDING_PREEMPTION);
        e->d.npreempted = e->ntargets;
        e->d.w->scan.present = false;
        return;
    }
    if (r->w->block_admission && r->w->nnot_ready + r->nadmitted > 0) {
        wait_for(e, OUTCOME_NOT_READY, WAIT_FOR_PODS_READY, REQUEUE_GENERIC);
        e->d.message = MESSAGE_NOT_READY;
        return;
    }
    e->d.outcome = OUTCOME_ADMITTED;
    e->d.message = MESSAGE_NONE;
    r->nadmitted++;
}

void cycle_process(struct run *r, struct entry *e)
{
    bool recomputed = gate_on(&r->w->gates, GATE_RECOMPUTE_ON_OVERLAP) && overlaps(r, e);
    bool ok = recomputed ? recompute(r, e) : fits(r, e);
    e->done = true;
    if (e->a->mode == MODE_NO_FIT) {
        wait_for(e, OUTCOME_NO_FIT, assign_no_fit_reason(e->a), REQUEUE_NO_FIT);
    } else if (e->a->mode == MODE_PREEMPT && !e->ntargets) {
        wait_for(e, OUTCOME_NO_CANDIDATES, WAIT_FOR_QUOTA, REQUEUE_PREEMPTION_NO_CANDIDATES);
        reserve_capacity(e);
    } else if (e->a->mode == MODE_PREEMPT && is_gated(r, e->d.w)) {
        gate_entry(e);
    } else if (e->a->mode == MODE_DEFERRED_FIT) {
        defer(e);
    } else if (overlaps(r, e)) {
        skip(r, e, MESSAGE_OVERLAP);
    } else if (!ok) {
        skip(r, e, MESSAGE_NO_LONGER_FITS);
    } else {
        accept(r, e);
    }
}
