#include "lifecycle/lifecycle.h"

#include "base/amount.h"
#include "core/waiting.h"
#include "lifecycle/checks.h"
#include "lifecycle/execution.h"
#include "lifecycle/requeue.h"
#include "lifecycle/waits.h"

#include <stdio.h>
#include <string.h>

enum {
    ROUNDS_MAX = 16, /* a status that is not at rest by then never will be: the steps contradict each other */
    MESSAGE_MAX = 65536 /* conditions cut at 32768 */
};

/* One pass over the steps of 10.4. */
struct pass {
    const struct lifecycle *l;
    struct status *s;
    struct lifecycle_result *r;
    bool changed; /* in this pass */
    int code;     /* first failure */
};

struct lifecycle lifecycle_of(const struct world *w, const struct wl *wl, const char *gated_by, when_ns now)
{
    const struct gates *g = world_gates(w);

    return (struct lifecycle){.w = w,
                              .wl = wl,
                              .gated_by = gated_by,
                              .observability = gate_on(g, GATE_OBSERVABILITY),
                              .explicit_status = gate_on(g, GATE_EXPLICIT_STATUS),
                              .now = now};
}

static bool cond_true(const struct status *s, enum cond_type t)
{
    return s->cond[t].status == STATUS_TRUE;
}

static bool cond_is(const struct status *s, enum cond_type t, enum cond_status status, const char *reason)
{
    return s->cond[t].status == status && !strcmp(s->cond[t].reason, reason);
}

/* The same text in front of what it is about. */
static void tell(struct pass *p, bool warning, const char *reason, const char *before, const char *note)
{
    struct str text;

    if (p->code || !p->l->notices)
        return;
    str_init(&text, MESSAGE_MAX);
    str_addf(&text, "%s%s", before, note);
    p->code = notices_add(p->l->notices, warning, reason, str_text(&text));
    str_free(&text);
}

/* True when it changed something. */
static bool set(struct pass *p, enum cond_type t, enum cond_status status, const char *reason,
                const char *message)
{
    bool changed = false;

    if (p->code)
        return false;
    p->code = status_set(p->s, t, status, reason, message, p->l->now, p->l->wl->generation, &changed);
    p->changed = p->changed || changed;
    return changed && !p->code;
}

/* QuotaReserved=False and what follows from it, written only when it differs. True when it did. */
static bool unreserve(struct pass *p, const char *reason, const char *message)
{
    const struct cond *c = &p->s->cond[COND_QUOTA_RESERVED];

    if (p->code)
        return false;
    if (cond_is(p->s, COND_QUOTA_RESERVED, STATUS_FALSE, reason) && !strcmp(c->message, message) &&
        c->generation == p->l->wl->generation)
        return false;
    p->code = status_unreserve(p->s, reason, message, p->l->observability, p->l->explicit_status, p->l->now,
                               p->l->wl->generation);
    p->changed = true;
    return p->code == 0;
}

/* Step 8: it became Admitted because its checks are ready. */
static void admitted(struct pass *p)
{
    struct str text;

    p->r->admitted = true;
    p->r->wait_ns = waits_since_reserved(p->s, p->l->now);
    str_init(&text, MESSAGE_MAX);
    str_addf(&text, "%s, wait time since reservation was %.0fs",
             names_text(world_names(p->l->w), p->l->wl->admission), (double)p->r->wait_ns / (double)NS_PER_S);
    tell(p, false, "Admitted", "Admitted by ClusterQueue ", str_text(&text));
    str_free(&text);
}

/* 10.2 */
static void sync_admitted(struct pass *p)
{
    bool changed = false;

    if (p->code)
        return;
    p->code = status_sync_admitted(p->s, p->l->observability, p->l->explicit_status, p->l->now,
                                   p->l->wl->generation, &changed);
    p->changed = p->changed || changed;
    if (!p->code && changed && cond_true(p->s, COND_ADMITTED))
        admitted(p);
}

static int32_t eviction_of(const struct status *s, const char *reason, const char *cause)
{
    for (uint32_t i = 0; i < s->nevictions; i++)
        if (!strcmp(s->evictions[i].reason, reason) && !strcmp(s->evictions[i].cause, cause))
            return (int32_t)i;
    return -1;
}

/* An eviction has been written: it is told, and counted, when there was an admission to be evicted from (10.3). */
static void evicted(struct pass *p, const char *reason, const char *cause)
{
    struct str full;

    p->changed = true;
    if (p->code || !(cond_true(p->s, COND_QUOTA_RESERVED) || (p->l->object && p->l->object->has_admission)))
        return;
    p->r->evicted = eviction_of(p->s, reason, cause);
    str_init(&full, MESSAGE_MAX);
    str_addf(&full, "EvictedDueTo%s", reason);
    if (*cause && !strcmp(reason, "Deactivated"))
        str_addf(&full, "DueTo%s", cause);
    tell(p, false, str_text(&full), "", p->s->cond[COND_EVICTED].message);
    str_free(&full);
}

static void evict(struct pass *p, const char *reason, const char *cause, const char *message)
{
    if (p->code)
        return;
    p->code = status_evict(p->s, reason, cause, message, p->l->now, p->l->wl->generation);
    evicted(p, reason, cause);
}

/* The earlier of the two. */
static void look_at(struct pass *p, when_ns at)
{
    if (at != WHEN_NONE && (p->r->again == WHEN_NONE || at < p->r->again))
        p->r->again = at;
}

/* ---- the queue ---------------------------------------------------------------------------------------------------------- */

struct queue {
    enum lq_state lq;
    bool lq_terminating;
    const char *name, *cq_name;
    enum stop_policy lq_stop;
    uint32_t cq; /* NONE: the LocalQueue is not in the manager, or its ClusterQueue is unknown */
    bool cq_known, cq_active, cq_terminating;
    enum stop_policy cq_stop;
};

static struct queue queue_of(const struct lifecycle *l)
{
    const struct names *names = world_names(l->w);
    struct queue q = {.name = names_text(names, l->wl->queue), .cq_name = "", .cq = NONE};

    q.lq = world_lq(l->w, names_text(names, l->wl->ns), q.name, &q.cq_name, &q.lq_stop);
    q.lq_terminating = world_lq_deleting(l->w, names_text(names, l->wl->ns), q.name);
    if (q.lq != LQ_OK)
        return q; /* 9.2: a stopped LocalQueue is unknown to the manager, and with it its ClusterQueue */
    q.cq = world_cq_find(l->w, q.cq_name);
    if (q.cq == NONE)
        return q;
    struct cq_view v = world_cq(l->w, q.cq);
    q.cq_known = v.exists;
    q.cq_active = v.exists && v.state == CQ_ACTIVE;
    q.cq_terminating = v.state == CQ_TERMINATING;
    q.cq_stop = world_cq_stop(l->w, q.cq);
    return q;
}

/* 9.3 */
static const char *queue_blocker(const struct queue *q, struct str *out)
{
    if (q->lq == LQ_MISSING)
        return str_addf(out, "LocalQueue %s doesn't exist", q->name), "Misconfigured";
    if (q->lq == LQ_STOPPED)
        return str_addf(out, "LocalQueue %s is inactive", q->name), "Suspended";
    if (!q->cq_known)
        return str_addf(out, "ClusterQueue %s doesn't exist", q->cq_name), "Misconfigured";
    if (!q->cq_active)
        return str_addf(out, "ClusterQueue %s is inactive", q->cq_name), "Suspended";
    return NULL;
}

static bool is_gated(const struct lifecycle *l)
{
    return *l->gated_by && gate_on(world_gates(l->w), GATE_ADMISSION_GATED_BY);
}

const char *lifecycle_blocker(const struct lifecycle *l, struct str *ret_message)
{
    const struct queue q = queue_of(l);
    const char *reason = queue_blocker(&q, ret_message);

    if (reason)
        return reason;
    if (waiting_misconfigured(l->w, l->wl, ret_message))
        return "Misconfigured";
    if (is_gated(l))
        return str_addf(ret_message, "Admission is gated by: %s", l->gated_by), "AdmissionGated";
    return NULL;
}

/* ---- 10.4 steps 3 to 6: requeue state, deactivation, restarts ------------------------------------------------------------- */

/* Does a check ask for the end of the reservation? Then it is not to keep its quota while it waits for another try. */
static bool is_failing(const struct pass *p)
{
    if (!cond_true(p->s, COND_QUOTA_RESERVED) || cond_true(p->s, COND_EVICTED))
        return false;
    for (uint32_t i = 0; i < p->s->nchecks; i++)
        if (p->s->checks[i].state == CHECK_RETRY || p->s->checks[i].state == CHECK_REJECTED)
            return true;
    return false;
}

/* Step 3. True when the pass ends here. */
static bool retry_later(struct pass *p)
{
    when_ns at = WHEN_NONE;

    for (uint32_t i = 0; i < p->s->nchecks; i++) {
        const struct status_check *c = &p->s->checks[i];
        if (c->state != CHECK_RETRY || !c->has_requeue_after)
            continue;
        when_ns due = i64_add(c->since, c->requeue_after_s * NS_PER_S);
        if (due > p->l->now && due > at)
            at = due;
    }
    if (at == WHEN_NONE)
        return false;
    p->changed = requeue_later(p->s, at, false) || p->changed;
    p->r->again = at;
    return p->changed || !is_failing(p);
}

/* Steps 5 b and c. True when the pass ends here. */
static bool backoff(struct pass *p)
{
    struct status *s = p->s;

    if (s->requeue_at != WHEN_NONE && s->requeue_at > p->l->now) {
        p->r->again = s->requeue_at;
        return !is_failing(p);
    }
    if (s->requeue_at != WHEN_NONE && !cond_true(s, COND_QUOTA_RESERVED)) {
        s->requeue_at = WHEN_NONE;
        p->changed = true;
    }
    if (cond_is(s, COND_REQUEUED, STATUS_FALSE, "Deactivated"))
        set(p, COND_REQUEUED, STATUS_TRUE, "Reactivated", "The workload was reactivated");
    else if (cond_is(s, COND_REQUEUED, STATUS_FALSE, "PodsReadyTimeout") ||
             cond_is(s, COND_REQUEUED, STATUS_FALSE, "AdmissionCheck"))
        set(p, COND_REQUEUED, STATUS_TRUE, "BackoffFinished", "The workload backoff was finished");
    return false;
}

static void forget_requeue_state(struct pass *p)
{
    struct status *s = p->s;

    if (s->requeue_count || s->requeue_at != WHEN_NONE) {
        s->requeue_count = 0;
        s->requeue_at = WHEN_NONE;
        p->changed = true;
    }
    if (s->cond[COND_DEACTIVATION_TARGET].status != STATUS_ABSENT)
        set(p, COND_DEACTIVATION_TARGET, STATUS_ABSENT, "", "");
}

/* Steps 5 d and e. */
static void deactivate(struct pass *p)
{
    const struct cond *target = &p->s->cond[COND_DEACTIVATION_TARGET];
    bool due = target->status == STATUS_TRUE;
    struct str message;

    if (!cond_true(p->s, COND_EVICTED)) {
        str_init(&message, MESSAGE_MAX);
        str_add(&message, "The workload is deactivated");
        if (due)
            str_addf(&message, " due to %s", target->message);
        evict(p, "Deactivated", due ? target->reason : "", str_text(&message));
        str_free(&message);
    }
    forget_requeue_state(p);
}

/* QuotaReserved=False because of the gate; told when that is new. */
static void gated(struct pass *p, const char *message)
{
    const struct cond *c = &p->s->cond[COND_QUOTA_RESERVED];
    bool known = c->status == STATUS_FALSE && !strcmp(c->message, message);

    if (unreserve(p, p->l->observability ? "AdmissionGated" : "Inadmissible", message) && !known)
        tell(p, false, "AdmissionGated", "Workload admission is gated by: ", p->l->gated_by);
}

/* Step 6: a gate takes a reservation that has not become an admission. Without one, it is a blocker among others (step 8). */
static void gate_reserved(struct pass *p)
{
    struct str message;

    if (!is_gated(p->l) || !cond_true(p->s, COND_QUOTA_RESERVED) || cond_true(p->s, COND_ADMITTED))
        return;
    str_init(&message, MESSAGE_MAX);
    str_addf(&message, "Admission is gated by: %s", p->l->gated_by);
    gated(p, str_text(&message));
    str_free(&message);
}

/* Steps 6 and 7, first halves: a queue that works again. */
static void restarted(struct pass *p, const struct queue *q)
{
    if (q->lq == LQ_OK && cond_is(p->s, COND_REQUEUED, STATUS_FALSE, "LocalQueueStopped"))
        set(p, COND_REQUEUED, STATUS_TRUE, "LocalQueueRestarted",
            "The LocalQueue was restarted after being stopped");
    if (q->cq_known && q->cq_stop == STOP_NONE &&
        cond_is(p->s, COND_REQUEUED, STATUS_FALSE, "ClusterQueueStopped"))
        set(p, COND_REQUEUED, STATUS_TRUE, "ClusterQueueRestarted",
            "The ClusterQueue was restarted after being stopped");
}

/* ---- step 8: what a pending Workload says ----------------------------------------------------------------------------- */

static bool among(const char *text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(text, list[i]))
            return true;
    return false;
}
#define AMONG(text, list) among((text), (list), sizeof(list) / sizeof((list)[0]))

/* Reasons that say nothing about an evaluation, so that the fate of an equivalent Workload tells more. */
static const char *const untold[] = {"Deactivated", "PendingEvaluation", "Suspended", "Pending", ""};
/* Reasons that the scheduler gave, kept until it gives another. */
static const char *const scheduler_reasons[] = {
    "WaitingForQuota",
    "NoMatchingFlavor",
    "ExceedsMaxQuota",
    "TopologyPlacementFailed",
    "WaitingForPreemptedWorkloads",
    "WaitingForPodsReady",
    "PendingEvaluation",
};

/* What follows when nothing is in the way: an equivalent's fate, the scheduler's last word, or the default. */
static void pending_reason(struct pass *p)
{
    const struct cond *c = &p->s->cond[COND_QUOTA_RESERVED];
    bool known = c->status != STATUS_ABSENT;
    enum wait_reason parked;

    if ((known ? AMONG(c->reason, untold) : p->l->explicit_status) &&
        waiting_parked_reason(p->l->w, p->l->wl, &parked)) {
        unreserve(p, wait_reason_text(parked),
                  "Bypassed scheduling evaluation because an equivalent workload recently failed");
        return;
    }
    if (known && !strcmp(c->reason, "AdmissionGated")) {
        unreserve(p, "PendingEvaluation", "AdmissionGatedBy cleared, waiting for quota reservation");
        tell(p, false, "AdmissionGateCleared", "", "Admission gate cleared, workload is now admissible");
        return;
    }
    if (known ? AMONG(c->reason, scheduler_reasons) : !p->l->explicit_status)
        return;
    unreserve(p, "PendingEvaluation", "Workload is pending evaluation in the scheduling queue");
}

static void pending(struct pass *p)
{
    struct str message;

    str_init(&message, MESSAGE_MAX);
    if (!p->l->wl->marks.active) {
        if (p->l->observability)
            unreserve(p, "Deactivated", "The workload is deactivated");
    } else if (!cond_is(p->s, COND_QUOTA_RESERVED, STATUS_FALSE, "OnHold")) {
        const char *reason = lifecycle_blocker(p->l, &message);
        if (reason && !strcmp(reason, "AdmissionGated"))
            gated(p, str_text(&message));
        else if (reason)
            unreserve(p, p->l->observability ? reason : "Inadmissible", str_text(&message));
        else if (p->l->observability)
            pending_reason(p);
    }
    str_free(&message);
}

/* Reserved, not admitted: 9.2 `Hold`, 9.3 end. */
static void lost_queue(struct pass *p, const struct queue *q)
{
    const char *kind = NULL, *name = q->name, *what = " is terminating or missing", *reason = "Misconfigured";
    struct str message;

    if (q->lq == LQ_MISSING || q->lq_terminating) {
        kind = "LocalQueue";
    } else if (q->lq == LQ_STOPPED) {
        kind = "LocalQueue", what = " is stopped", reason = "Suspended";
    } else if (!q->cq_known || q->cq_terminating) {
        kind = "ClusterQueue", name = q->cq_name;
    } else if (q->cq_stop != STOP_NONE) {
        kind = "ClusterQueue", name = q->cq_name, what = " is stopped", reason = "Suspended";
    }
    if (!kind)
        return;
    str_init(&message, MESSAGE_MAX);
    str_addf(&message, "%s %s%s", kind, name, what);
    unreserve(p, p->l->observability ? reason : "Inadmissible", str_text(&message));
    str_free(&message);
}

/* ---- step 9: what ends a reservation ------------------------------------------------------------------------------------ */

static void drain(struct pass *p, const struct queue *q)
{
    if (cond_true(p->s, COND_EVICTED) || !cond_true(p->s, COND_ADMITTED))
        return;
    if (q->lq == LQ_STOPPED && q->lq_stop == STOP_HOLD_AND_DRAIN)
        evict(p, "LocalQueueStopped", "", "The LocalQueue is stopped");
    else if (q->cq_stop == STOP_HOLD_AND_DRAIN)
        evict(p, "ClusterQueueStopped", "", "The ClusterQueue is stopped");
}

/* Rejected deactivates, Retry evicts. True when a check asked for either. */
static bool failed_checks(struct pass *p)
{
    struct str message;
    bool found;

    if (cond_true(p->s, COND_EVICTED))
        return false;
    str_init(&message, MESSAGE_MAX);
    found = checks_in_state(p->s, CHECK_REJECTED, &message);
    if (found) {
        if (set(p, COND_DEACTIVATION_TARGET, STATUS_TRUE, "AdmissionCheck", str_text(&message)))
            tell(p, true, "AdmissionCheckRejected", "Deactivated due to ", str_text(&message));
    } else {
        str_add(&message, "Evicted due to ");
        found = checks_in_state(p->s, CHECK_RETRY, &message);
        if (found)
            evict(p, "AdmissionCheck", "", str_text(&message));
    }
    str_free(&message);
    return found;
}

/* 10.5; the look is due for what holds quota, is admitted and not evicted. */
static void pods_ready(struct pass *p)
{
    const struct lifecycle_config *c = p->l->config;
    const char *cause;

    if (p->code || !c || !c->wait_for_pods_ready || !p->l->wl->marks.active)
        return;
    when_ns due = podsready_deadline(&c->pods_ready, p->s, &cause);
    if (due == WHEN_NONE || due > p->l->now) {
        look_at(p, due);
        return;
    }
    p->code = podsready_expire(&c->pods_ready, p->s, p->l->wl->key, cause, p->l->jitter, p->l->now,
                               p->l->wl->generation);
    p->changed = true;
    if (!p->code && cond_true(p->s, COND_EVICTED))
        evicted(p, "PodsReadyTimeout", cause);
}

/* 10.6 */
static void execution(struct pass *p)
{
    int32_t max_s = p->l->object ? p->l->object->max_execution_s : 0;
    char text[64];

    if (p->code || max_s <= 0)
        return;
    when_ns due = execution_deadline(p->s, max_s);
    if (due == WHEN_NONE || due > p->l->now) {
        look_at(p, due);
        return;
    }
    if (cond_true(p->s, COND_DEACTIVATION_TARGET) ||
        !set(p, COND_DEACTIVATION_TARGET, STATUS_TRUE, "MaximumExecutionTimeExceeded",
             "exceeding the maximum execution time"))
        return;
    p->s->accumulated_s = 0;
    snprintf(text, sizeof(text), "The maximum execution time (%ds) exceeded", max_s);
    tell(p, true, "MaximumExecutionTimeExceeded", "", text);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

/* Steps 1 and 2. True when the pass ends here. */
static bool end(struct pass *p)
{
    const struct lifecycle_object *o = p->l->object;
    struct ending e;

    if (!o || !p->l->config)
        return cond_true(p->s, COND_FINISHED);
    p->code = ending_of(&p->l->config->ending, &o->ending, p->s, p->l->now, &e);
    if (p->code)
        return true;
    p->changed = e.finished;
    p->r->release = e.release && o->has_finalizer;
    p->r->remove = e.remove;
    p->r->again = e.again;
    if (e.remove && !p->changed)
        tell(p, false, "Deleted", "", "Deleted finished workload due to elapsed retention");
    return e.finished || e.release || cond_true(p->s, COND_FINISHED);
}

/* Steps 1 to 5. True when the pass ends here. */
static bool begin(struct pass *p)
{
    if (end(p) || retry_later(p))
        return true;
    if (!p->l->wl->marks.active) {
        deactivate(p);
    } else if (cond_true(p->s, COND_DEACTIVATION_TARGET)) {
        p->r->deactivate = true;
        return true;
    } else if (backoff(p)) {
        return true;
    }
    return p->changed || p->code;
}

/* Steps 6 and 7. True when the pass ends here. */
static bool queue_steps(struct pass *p, const struct queue *q)
{
    gate_reserved(p);
    restarted(p, q);
    if (q->cq_known && !p->code) {
        bool changed = false;
        p->code = checks_sync(p->l->w, p->l->wl, p->s, p->l->now, &changed);
        p->changed = p->changed || changed;
    }
    return p->changed || p->code;
}

static void steps(struct pass *p)
{
    if (begin(p))
        return;
    const struct queue q = queue_of(p->l);
    if (queue_steps(p, &q))
        return;
    if (!cond_true(p->s, COND_ADMITTED)) {
        if (!cond_true(p->s, COND_QUOTA_RESERVED))
            pending(p);
        sync_admitted(p);
    }
    if (p->code || !cond_true(p->s, COND_QUOTA_RESERVED) || failed_checks(p))
        return;
    if (!cond_true(p->s, COND_ADMITTED)) {
        lost_queue(p, &q);
        return;
    }
    drain(p, &q);
    if (!p->changed)
        pods_ready(p);
    if (!p->changed)
        execution(p);
}

int lifecycle_step(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret, struct err *err)
{
    struct pass p = {.l = l, .s = s, .r = ret};

    *ret = (struct lifecycle_result){.again = WHEN_NONE, .evicted = -1};
    steps(&p);
    ret->changed = p.changed;
    return p.code
               ? err_set(err, p.code, "status of %s: %s", l->wl ? l->wl->key : "a Workload", err_name(p.code))
               : 0;
}

/* What a pass did stays done when the next one does something else. */
static void keep(struct lifecycle_result *sum, const struct lifecycle_result *r)
{
    sum->changed = sum->changed || r->changed;
    if (r->admitted) {
        sum->admitted = true;
        sum->wait_ns = r->wait_ns;
    }
    if (r->evicted >= 0)
        sum->evicted = r->evicted;
    sum->deactivate = r->deactivate;
    sum->release = r->release;
    sum->remove = r->remove;
    sum->again = r->again;
}

int lifecycle_run(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret, struct err *err)
{
    struct lifecycle_result r;
    int code = 0;

    *ret = (struct lifecycle_result){.again = WHEN_NONE, .evicted = -1};
    for (int i = 0; i < ROUNDS_MAX; i++) {
        code = lifecycle_step(l, s, &r, err);
        keep(ret, &r);
        if (code || !r.changed)
            break;
    }
    return code;
}
