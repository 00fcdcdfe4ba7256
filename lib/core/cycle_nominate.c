/* Nomination (engine.md 5.1) and the assignment of a nominated head (5.2). */
#include "core/cycle_priv.h"

#include <string.h>

bool cycle_scan_outdated(const struct run *r, const struct entry *e)
{
    const struct scan *s = &e->d.w->scan;
    if (gate_on(&r->w->gates, GATE_PRESERVE_SCAN)) {
        if (memcmp(s->class, e->d.w->class, sizeof s->class) != 0)
            return true;
        if (r->w->cycle_number - s->cycle <= 1)
            return false;
    }
    return e->cq->generation > s->generation;
}

static struct assign_ctx assign_ctx_of(const struct run *r, const struct entry *e,
                                       const struct assignment *pinned)
{
    return (struct assign_ctx){.w = r->w,
                               .cq = e->cq,
                               .wl = e->d.w,
                               .a = r->a,
                               .pinned = pinned,
                               .now = r->now,
                               .oracle = preempt_oracle};
}

/* One probe of the search for reduced counts. */
struct probe {
    struct run *r;
    struct entry *e;
    const struct assign_ctx *ctx;
    struct assignment *a;
    const struct target *targets;
    uint32_t ntargets;
};

static bool probe_counts(const int32_t *counts, void *arg)
{
    struct probe *p = arg;
    struct assignment *a = assign(p->ctx, counts);
    const struct target *t = NULL;
    uint32_t n = 0;
    if (a->mode == MODE_PREEMPT)
        t = preempt_for(p->r->w, p->e->cq, p->e->d.w, p->r->a, p->r->now, a, &n);
    if (a->mode != MODE_FIT && !n)
        return false;
    p->a = a;
    p->targets = t;
    p->ntargets = n;
    return true;
}

/* 6.8, from 5.2 */
static void try_partial(struct run *r, struct entry *e, const struct assign_ctx *ctx)
{
    const struct wl *w = e->d.w;
    int32_t *full = ARENA_NEW(r->a, int32_t, w->npod_sets), *min = ARENA_NEW(r->a, int32_t, w->npod_sets);
    int32_t *counts = ARENA_NEW(r->a, int32_t, w->npod_sets);
    for (uint32_t i = 0; i < w->npod_sets; i++) {
        full[i] = w->pod_sets[i].count;
        min[i] = w->pod_sets[i].min_count;
    }
    struct probe p = {.r = r, .e = e, .ctx = ctx};
    if (!partial_search(full, min, w->npod_sets, counts, probe_counts, &p))
        return;
    e->a = p.a;
    e->targets = p.targets;
    e->ntargets = p.ntargets;
}

void cycle_assign(struct run *r, struct entry *e, const struct assignment *pinned)
{
    struct assign_ctx ctx = assign_ctx_of(r, e, pinned);
    e->targets = NULL;
    e->ntargets = 0;
    e->a = assign(&ctx, NULL);
    if (e->a->mode == MODE_PREEMPT)
        e->targets = preempt_for(r->w, e->cq, e->d.w, r->a, r->now, e->a, &e->ntargets);
    if (e->a->mode != MODE_FIT && !e->ntargets && gate_on(&r->w->gates, GATE_PARTIAL_ADMISSION))
        try_partial(r, e, &ctx);
    assign_keep_scan(&ctx, e->a);
}

static void reject(struct entry *e, enum message_kind message, enum wait_reason wait)
{
    e->d.outcome = OUTCOME_REJECTED;
    e->d.message = message;
    e->d.wait = wait;
}

/* 5.1 steps 2 to 6: true if the head is to be assigned flavors. Step 4 does not occur: heads come from ClusterQueues that exist. */
static bool may_compete(struct run *r, struct entry *e)
{
    struct wl *w = e->d.w;
    bool exists;
    if (w->marks.checks_failed)
        reject(e, MESSAGE_CHECKS_FAILED, WAIT_PENDING_EVALUATION);
    else if (e->cq->state != CQ_ACTIVE || e->cq->tree->cyclic)
        reject(e, MESSAGE_CQ_INACTIVE, WAIT_SUSPENDED);
    else if (!namespace_matches(r->w, e->cq, w->ns, &exists)) {
        reject(e, exists ? MESSAGE_NAMESPACE_MISMATCH : MESSAGE_NAMESPACE_MISSING, WAIT_MISCONFIGURED);
        if (exists)
            e->d.requeue = REQUEUE_NAMESPACE_MISMATCH;
    } else if (w->invalid)
        reject(e, MESSAGE_INVALID, WAIT_MISCONFIGURED);
    else if (w->wants_devices)
        reject(e, MESSAGE_DEVICES, WAIT_MISCONFIGURED);
    else
        return true;
    return false;
}

void cycle_nominate(struct run *r, struct wl *w, struct cluster_queue *cq, struct entry *e)
{
    *e = (struct entry){.cq = cq};
    e->d.w = w;
    e->d.cq = idmap_get(&r->w->cq_of, cq->name);
    if (!may_compete(r, e))
        return;
    struct preempt_side side = {wl_priority(w), w->queue_time};
    e->priority = side.priority;
    e->queue_time = side.queue_time;
    e->preemptor = gate_on(&r->w->gates, GATE_PREEMPTORS_FIRST) && pending_is_preemptor(&cq->pending, w);
    if (w->scan.present && cycle_scan_outdated(r, e))
        w->scan.present = false;
    cycle_assign(r, e, NULL);
    e->d.message = MESSAGE_ASSIGNMENT;
}
