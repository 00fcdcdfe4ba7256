/* One cycle of the engine, and what follows from it: statuses, events, verdicts. */
#include "run/run_priv.h"

#include "core/reason.h"
#include "lifecycle/waits.h"

#include <string.h>

/* ---- words ----------------------------------------------------------------------------------------------------------------- */

static int no_memory(struct record *r)
{
    run_log(r->c, LOG_ERROR, r->key, "out of memory for its status");
    return ERR_NOMEM;
}

static int notify(struct record *r, bool warning, const char *reason, struct str *text)
{
    return str_failed(text) ? ERR_NOMEM : notices_add(&r->notices, warning, reason, str_text(text));
}

/* Are all checks that this admission needs listed (engine.md 5.7)? */
static bool checks_listed(const struct record *r)
{
    const struct controller *c = r->c;
    uint32_t want[64], n = world_required_checks(c->w, r->wl, want, 64);

    for (uint32_t i = 0; i < n && i < 64; i++) {
        bool found = false;
        for (uint32_t k = 0; k < r->status->nchecks; k++)
            found = found || !strcmp(r->status->checks[k].name, names_text(world_names(c->w), want[i]));
        if (!found)
            return false;
    }
    return true;
}

/* 11.4 */
static int tell_admitted(struct record *r, const struct decision *d, int64_t waited_ns)
{
    struct controller *c = r->c;
    const char *cq = world_cq(c->w, d->cq).name;
    struct str flavors;

    str_init(&flavors, 0);
    reason_flavors_considered(&flavors, c->w, r->wl, d->a);
    str_clear(&c->text);
    str_addf(&c->text, "Quota reserved in ClusterQueue %s, wait time since queued was %.0fs", cq,
             (double)waited_ns / NS_PER_S);
    if (flavors.len)
        str_addf(&c->text, "; %s", str_text(&flavors));
    str_free(&flavors);
    int rc = notify(r, false, "QuotaReserved", &c->text);
    if (rc || r->status->cond[COND_ADMITTED].status != STATUS_TRUE)
        return rc;
    str_clear(&c->text);
    str_addf(&c->text, "Admitted by ClusterQueue %s, wait time since reservation was 0s", cq);
    return notify(r, false, "Admitted", &c->text);
}

/* ---- the outcomes ---------------------------------------------------------------------------------------------------------- */

static int apply_admission(struct record *r, const struct decision *d)
{
    struct controller *c = r->c;
    when_ns now = run_now(c);
    int64_t waited = waits_since_queued(r->status, r->wl->created, now);

    if (!record_status(r) ||
        status_reserve(r->status, world_cq(c->w, d->cq).name, checks_listed(r), c->observability,
                       c->explicit_status, now, r->view->generation) ||
        tell_admitted(r, d, waited))
        return no_memory(r);
    publish_decision(r, SINK_ADMIT, "QuotaReserved", r->status->cond[COND_QUOTA_RESERVED].message);
    return 0;
}

/* Nothing is written, and nobody told, when it waits for the same as before. */
static int apply_refusal(struct record *r, const struct decision *d)
{
    struct controller *c = r->c;
    const char *reason = reason_wait(c->w, d->wait);
    const struct cond *q = record_status(r) ? &r->status->cond[COND_QUOTA_RESERVED] : NULL;
    bool changed = false;

    str_clear(&c->text);
    reason_message(&c->text, c->w, d);
    if (!q || str_failed(&c->text))
        return no_memory(r);
    bool same = q->status == STATUS_FALSE && !strcmp(q->reason, reason) &&
                !strcmp(q->message, str_text(&c->text)) && q->generation == r->view->generation;
    if (status_unreserve(r->status, reason, str_text(&c->text), c->observability, c->explicit_status,
                         run_now(c), r->view->generation))
        return no_memory(r);
    if (d->outcome == OUTCOME_GATED &&
        status_set(r->status, COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated", str_text(&c->text),
                   run_now(c), r->view->generation, &changed))
        return no_memory(r);
    r->was_refused = true;
    if (same && !changed)
        return 0;
    notices_cut(&r->notices, 0); /* an older reason that was not told yet */
    if (notify(r, true, reason, &c->text))
        return no_memory(r);
    publish(r, WRITE_STATUS, publish_waiting_ns(c));
    return 0;
}

static int tell_preempted(struct record *victim, struct record *preemptor, const struct cycle *cy, uint32_t i)
{
    struct controller *c = victim->c;
    const struct decision *by = cy->evicted_by[i];

    str_clear(&c->text);
    reason_preempted_event(&c->text, c->w, by->w, by->cq, cy->evicted_target[i]);
    if (notify(victim, false, "Preempted", &c->text))
        return ERR_NOMEM;
    str_clear(&c->text);
    reason_preemptor_event(&c->text, c->w, by->w, cy->evicted_target[i]);
    if (str_failed(&c->text))
        return ERR_NOMEM;
    publish_event(preemptor, false, "PreemptedWorkload", str_text(&c->text));
    return 0;
}

static int apply_eviction(struct controller *c, const struct cycle *cy, uint32_t i)
{
    struct record *r = cy->evicted[i]->user, *by = cy->evicted_by[i]->w->user;
    const struct target *t = cy->evicted_target[i];
    const char *variant = preempt_reason_text(t->reason);

    str_clear(&c->text);
    reason_preemption(&c->text, c->w, cy->evicted_by[i]->w, cy->evicted_by[i]->cq, t);
    if (str_failed(&c->text) || !record_status(r) ||
        status_preempt(r->status, variant, str_text(&c->text), run_now(c), r->view->generation) ||
        notify(r, false, "EvictedDueToPreempted", &c->text) || tell_preempted(r, by, cy, i))
        return no_memory(r);
    publish_decision(r, SINK_EVICT, variant, r->status->cond[COND_PREEMPTED].message);
    c->stats.evicted++;
    meter_preempted(c->meter, world_cq_place(c->w, cy->evicted_by[i]->cq).name, variant);
    return 0;
}

/* Memory was short for what was decided of it: it is read again, and decided anew after a while, or cycles would follow each other without
 * end. */
static void not_now(struct record *r)
{
    when_ns until = run_now(r->c) + NS_PER_S;

    r->rereading = true;
    if (r->refused_until == WHEN_NONE || r->refused_until < until)
        r->refused_until = until;
}

static void apply_evictions(struct controller *c, const struct cycle *cy)
{
    for (uint32_t i = 0; i < cy->nevicted; i++) {
        if (!apply_eviction(c, cy, i))
            continue;
        not_now(cy->evicted[i]->user);
        not_now(cy->evicted_by[i]->w->user);
        world_forget_preemption(cy->evicted[i]);
    }
}

/* All conditions are written first, from decisions that still stand; then the world sees them. */
static void apply(struct controller *c, const struct cycle *cy)
{
    apply_evictions(c, cy);
    for (uint32_t i = 0; i < cy->ndecisions; i++) {
        const struct decision *d = &cy->decisions[i];
        struct record *r = d->w->user;
        if (d->outcome == OUTCOME_ADMITTED ? apply_admission(r, d) : apply_refusal(r, d))
            not_now(r);
    }
    for (uint32_t i = 0; i < cy->nevicted; i++)
        record_touch(cy->evicted[i]->user);
    for (uint32_t i = 0; i < cy->ndecisions; i++)
        record_touch(cy->decisions[i].w->user);
}

/* The marks of all that the cycle touched; the cycle itself is gone with the first of them. */
static void mark(const struct cycle *cy)
{
    uint32_t n = cy->nevicted + cy->ndecisions;
    struct record **touched = mem_alloc(n * sizeof(struct record *) + 1);

    for (uint32_t i = 0; i < n; i++) {
        struct record *r = i < cy->nevicted ? cy->evicted[i]->user : cy->decisions[i - cy->nevicted].w->user;
        if (touched)
            touched[i] = r;
        else
            r->unmarked = true; /* record_look_at does it, a moment later */
    }
    for (uint32_t i = 0; touched && i < n; i++)
        record_marks(touched[i]);
    mem_free(touched);
}

/* ---- when ------------------------------------------------------------------------------------------------------------------ */

/* Has this state of the queues been seen since something changed? Then a cycle would decide the same as before: it is not run. */
static bool is_new_state(struct controller *c)
{
    bool is_new = true;

    if (c->fresh)
        seen_clear(&c->seen);
    c->fresh = false;
    return seen_add(&c->seen, seen_state_of(c->w), &is_new) || is_new;
}

bool decide(struct controller *c)
{
    const struct cycle *cy = NULL;
    struct err err;

    if (!c->leads || !c->complete || c->stopping || !c->cycle_due)
        return false;
    (void)world_flush(c->w, run_now(c));
    c->cycle_due = is_new_state(c);
    if (!c->cycle_due)
        return false;
    c->stats.cycles++;
    int64_t began = kube_mono(&c->seams.clock);
    if (world_cycle(c->w, run_now(c), &cy, &err)) {
        run_log(c, LOG_ERROR, "", "%s", err.text);
        c->fresh = true; /* nothing was decided: this state was not seen */
        timer_start(&c->timers, &c->rearm_timer, NS_PER_S);
        return false;
    }
    c->cycle_due = cy != NULL;
    if (!cy)
        return false;
    meter_cycle(c->meter, cy, kube_mono(&c->seams.clock) - began);
    c->stats.cycles_with_heads++;
    c->stats.cycles_progressed += cy->progressed;
    bool progressed = cy->progressed;
    apply(c, cy);
    bool fresh = c->fresh;
    mark(cy);
    /* The marks of what was refused are no news; those of what was admitted or evicted are. */
    c->fresh = fresh || progressed;
    return true;
}
