#include "core/status.h"

#include "base/mem.h"

#include <string.h>

enum { STATUS_MESSAGE_MAX = 32768 };

/* A change in the making: `next` is a shallow copy of the record in which what is new is owned by the draft. It takes effect as a
 * whole or, when memory is exhausted, not at all. */
struct draft {
    struct status *s;
    struct status next;
    bool cond_new[COND_TYPES];
    char **check_messages; /* NULL, or one for each check; NULL in it = the check stays */
    bool eviction_new;     /* the last of next.evictions is new */
    bool failed;
};

static const char *const cond_names[COND_TYPES] = {
    [COND_QUOTA_RESERVED] = "QuotaReserved",
    [COND_ADMITTED] = "Admitted",
    [COND_PODS_READY] = "PodsReady",
    [COND_EVICTED] = "Evicted",
    [COND_PREEMPTED] = "Preempted",
    [COND_REQUEUED] = "Requeued",
    [COND_FINISHED] = "Finished",
    [COND_DEACTIVATION_TARGET] = "DeactivationTarget",
    [COND_BLOCKED_ON_GATES] = "BlockedOnPreemptionGates",
    [COND_WAITING_FOR_REPLACEMENT] = "WaitingForReplacementPods",
};

static const char *const check_names[] = {
    [CHECK_PENDING] = "Pending",
    [CHECK_READY] = "Ready",
    [CHECK_RETRY] = "Retry",
    [CHECK_REJECTED] = "Rejected",
};

const char *cond_type_name(enum cond_type t)
{
    return t < COND_TYPES ? cond_names[t] : "";
}

const char *check_state_name(enum check_state s)
{
    return s <= CHECK_REJECTED ? check_names[s] : "";
}

/* ---- the record --------------------------------------------------------------------------------------------------------- */

void status_init(struct status *s)
{
    *s = (struct status){.requeue_at = WHEN_NONE, .gates_open = true};
    for (int t = 0; t < COND_TYPES; t++)
        s->cond[t].since = WHEN_NONE;
}

static void conds_free(struct status *s)
{
    for (int t = 0; t < COND_TYPES; t++) {
        mem_free(s->cond[t].reason);
        mem_free(s->cond[t].message);
    }
}

static void checks_free(struct status *s)
{
    for (uint32_t i = 0; i < s->nchecks; i++) {
        mem_free(s->checks[i].name);
        mem_free(s->checks[i].message);
    }
    mem_free(s->checks);
}

void status_free(struct status *s)
{
    conds_free(s);
    checks_free(s);
    for (uint32_t i = 0; i < s->nevictions; i++) {
        mem_free(s->evictions[i].reason);
        mem_free(s->evictions[i].cause);
    }
    mem_free(s->evictions);
    status_init(s);
}

static int checks_from_fact(struct status *s, const struct fact_workload *f)
{
    if (!f->nchecks)
        return 0;
    s->checks = mem_zalloc(f->nchecks, sizeof(*s->checks));
    if (!s->checks)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < f->nchecks; i++) {
        const struct fact_check_state *c = &f->checks[i];
        s->checks[s->nchecks++] = (struct status_check){
            .name = mem_strdup(c->name),
            .message = mem_strdup(c->message),
            .state = c->state,
            .since = c->since,
            .has_requeue_after = c->has_requeue_after,
            .has_retry_count = c->has_retry_count,
            .requeue_after_s = c->requeue_after_s,
            .retry_count = c->retry_count,
        };
        if (!s->checks[i].name || !s->checks[i].message)
            return ERR_NOMEM;
    }
    return 0;
}

static int conds_from_fact(struct status *s, const struct fact_workload *f)
{
    for (uint32_t i = 0; i < f->nconditions; i++) {
        const struct fact_condition *c = &f->conditions[i];
        struct cond *to = &s->cond[c->type];
        if (c->status == STATUS_ABSENT)
            continue;
        mem_free(to->reason); /* a type is there once; were it there twice, the last one counts */
        mem_free(to->message);
        *to = (struct cond){.status = c->status,
                            .reason = mem_strdup(c->reason),
                            .message = mem_strdup(c->message),
                            .since = c->since,
                            .generation = cond_generation(c->generation)};
        if (!to->reason || !to->message)
            return ERR_NOMEM;
    }
    return 0;
}

static bool fact_topology_pending(const struct fact_workload *f)
{
    for (uint32_t i = 0; f->admission && i < f->admission->npod_sets; i++)
        if (f->admission->pod_sets[i].topology_pending && !f->admission->pod_sets[i].has_topology)
            return true;
    return false;
}

int status_from_fact(struct status *s, const struct fact_workload *f)
{
    struct status next;

    status_init(&next);
    if (conds_from_fact(&next, f) || checks_from_fact(&next, f)) {
        status_free(&next);
        return ERR_NOMEM;
    }
    next.evictions = s->evictions;
    next.nevictions = s->nevictions;
    next.accumulated_s = s->accumulated_s;
    next.requeue_count = f->requeue_count;
    next.requeue_at = f->requeue_at;
    next.topology_pending = fact_topology_pending(f);
    next.has_gates = s->has_gates || f->has_closed_gate;
    next.gates_open = !f->has_closed_gate;
    conds_free(s);
    checks_free(s);
    *s = next;
    return 0;
}

/* ---- marks -------------------------------------------------------------------------------------------------------------- */

static uint64_t digest_add(uint64_t h, const void *p, size_t n)
{
    for (const unsigned char *b = p; n; b++, n--)
        h = (h ^ *b) * 0x100000001b3u; /* FNV-1a, 64 bit */
    return h;
}

static uint64_t cond_digest(const struct fact_condition *c)
{
    uint64_t h = 0xcbf29ce484222325u;

    h = digest_add(h, &c->status, sizeof(c->status));
    h = digest_add(h, c->reason, strlen(c->reason) + 1);
    h = digest_add(h, c->message, strlen(c->message) + 1);
    h = digest_add(h, &c->since, sizeof(c->since));
    h = digest_add(h, &c->generation, sizeof(c->generation));
    return h ? h : 1;
}

static enum evict_reason evict_reason_of(const char *reason)
{
    static const struct {
        const char *name;
        enum evict_reason reason;
    } table[] = {
        {"PodsReadyTimeout", EVICT_PODS_READY_TIMEOUT},
        {"AdmissionCheck", EVICT_ADMISSION_CHECK},
        {"Preempted", EVICT_PREEMPTED},
        {"NodeFailures", EVICT_NODE_FAILURES},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (!strcmp(reason, table[i].name))
            return table[i].reason;
    return EVICT_OTHER;
}

static void marks_clear(struct marks *m)
{
    *m = (struct marks){.active = m->active,
                        .gated = m->gated,
                        .closed_gate = m->closed_gate,
                        .reserved_at = WHEN_NONE,
                        .admitted_at = WHEN_NONE,
                        .evicted_at = WHEN_NONE,
                        .preempted_at = WHEN_NONE,
                        .requeue_at = WHEN_NONE};
}

static void marks_add(struct marks *m, const struct fact_condition *c)
{
    bool is_true = c->status == STATUS_TRUE, is_false = c->status == STATUS_FALSE;
    when_ns since = is_true ? c->since : WHEN_NONE;

    if (c->status == STATUS_ABSENT)
        return;
    switch (c->type) {
    case COND_QUOTA_RESERVED:
        m->reserved = is_true;
        m->reserved_at = since;
        m->on_hold = is_false && !strcmp(c->reason, "OnHold");
        break;
    case COND_ADMITTED:
        m->admitted = is_true;
        m->admitted_at = since;
        break;
    case COND_PODS_READY:
        m->pods_ready = is_true;
        break;
    case COND_EVICTED:
        m->evicted = is_true;
        m->evicted_at = since;
        m->evict_reason = is_true ? evict_reason_of(c->reason) : EVICT_OTHER;
        m->evicted_digest = cond_digest(c);
        break;
    case COND_PREEMPTED:
        m->preempted = is_true;
        m->preempted_at = since;
        m->preempted_by_reclaim = is_true && !strcmp(c->reason, "InCohortReclaimWhileBorrowing");
        break;
    case COND_REQUEUED:
        m->requeued_false = is_false;
        m->requeued_digest = cond_digest(c);
        break;
    case COND_FINISHED:
        m->finished = is_true;
        break;
    case COND_WAITING_FOR_REPLACEMENT:
        m->waiting_replacement = is_true;
        break;
    case COND_DEACTIVATION_TARGET:
    case COND_BLOCKED_ON_GATES:
    case COND_TYPES:
        break;
    }
}

static bool check_failed(enum check_state s)
{
    return s == CHECK_RETRY || s == CHECK_REJECTED;
}

struct marks marks_of_fact(const struct fact_workload *f)
{
    struct marks m = {.active = f->active, .gated = *f->gated_by, .closed_gate = f->has_closed_gate};

    marks_clear(&m);
    for (uint32_t i = 0; i < f->nconditions; i++)
        marks_add(&m, &f->conditions[i]);
    for (uint32_t i = 0; i < f->nchecks; i++)
        m.checks_failed = m.checks_failed || check_failed(f->checks[i].state);
    m.topology_pending = fact_topology_pending(f);
    m.requeue_at = f->requeue_at;
    return m;
}

void marks_update(struct marks *m, const struct status *s)
{
    marks_clear(m);
    for (int t = 0; t < COND_TYPES; t++) {
        const struct cond *c = &s->cond[t];
        marks_add(m, &(struct fact_condition){(enum cond_type)t, c->status, c->reason, c->message, c->since,
                                              c->generation});
    }
    for (uint32_t i = 0; i < s->nchecks; i++)
        m->checks_failed = m->checks_failed || check_failed(s->checks[i].state);
    m->topology_pending = s->topology_pending;
    m->closed_gate = s->has_gates && !s->gates_open;
    m->requeue_at = s->requeue_at;
}

/* ---- drafts ------------------------------------------------------------------------------------------------------------- */

static struct draft draft_new(struct status *s)
{
    return (struct draft){.s = s, .next = *s};
}

static char *message_copy(const char *message)
{
    static const char tail[] = " ...";
    size_t n = strlen(message), tail_len = sizeof(tail) - 1;

    if (n <= STATUS_MESSAGE_MAX)
        return mem_strndup(message, n);
    char *copy = mem_strndup(message, STATUS_MESSAGE_MAX);
    if (copy)
        memcpy(copy + STATUS_MESSAGE_MAX - tail_len, tail, tail_len);
    return copy;
}

static void draft_put(struct draft *d, enum cond_type type, struct cond set)
{
    struct cond *c = &d->next.cond[type];

    if (d->cond_new[type]) {
        mem_free(c->reason);
        mem_free(c->message);
    }
    d->cond_new[type] = true;
    *c = set;
}

/* The condition helper. True when something changed. STATUS_ABSENT takes the condition away. */
static bool draft_set(struct draft *d, enum cond_type type, enum cond_status status, const char *reason,
                      const char *message, when_ns now, int64_t generation)
{
    const struct cond old = d->next.cond[type];

    if (status == STATUS_ABSENT) {
        draft_put(d, type, (struct cond){.since = WHEN_NONE});
        return old.status != STATUS_ABSENT;
    }
    struct cond set = {.status = status,
                       .reason = mem_strdup(reason),
                       .message = message_copy(message),
                       .since = old.since,
                       .generation = cond_generation(generation)};

    if (!set.reason || !set.message) {
        mem_free(set.reason);
        mem_free(set.message);
        d->failed = true;
        return false;
    }
    if (old.status != status)
        set.since = now;
    bool changed = old.status != status || old.generation != generation || strcmp(old.reason, set.reason) ||
                   strcmp(old.message, set.message);
    if (!changed) {
        mem_free(set.reason);
        mem_free(set.message);
        return false;
    }
    draft_put(d, type, set);
    return true;
}

static bool draft_true(const struct draft *d, enum cond_type type)
{
    return d->next.cond[type].status == STATUS_TRUE;
}

static void draft_abandon(struct draft *d)
{
    for (int t = 0; t < COND_TYPES; t++) {
        if (d->cond_new[t]) {
            mem_free(d->next.cond[t].reason);
            mem_free(d->next.cond[t].message);
        }
    }
    for (uint32_t i = 0; d->check_messages && i < d->next.nchecks; i++)
        mem_free(d->check_messages[i]);
    if (d->eviction_new) {
        mem_free(d->next.evictions[d->next.nevictions - 1].reason);
        mem_free(d->next.evictions[d->next.nevictions - 1].cause);
    }
}

/* 10.3: what is not Pending becomes Pending. */
static void check_reset(struct status_check *c, char *message, when_ns now)
{
    c->has_retry_count = c->state == CHECK_RETRY;
    c->retry_count = c->has_retry_count ? c->retry_count + (c->retry_count < INT32_MAX) : 0;
    c->state = CHECK_PENDING;
    c->since = now;
    mem_free(c->message);
    c->message = message;
}

static int draft_commit(struct draft *d, when_ns now)
{
    int r = d->failed ? ERR_NOMEM : 0;

    if (r) {
        draft_abandon(d);
    } else {
        for (int t = 0; t < COND_TYPES; t++) {
            if (d->cond_new[t]) {
                mem_free(d->s->cond[t].reason);
                mem_free(d->s->cond[t].message);
            }
        }
        *d->s = d->next;
        for (uint32_t i = 0; d->check_messages && i < d->s->nchecks; i++)
            if (d->check_messages[i])
                check_reset(&d->s->checks[i], d->check_messages[i], now);
    }
    mem_free(d->check_messages);
    return r;
}

int status_set(struct status *s, enum cond_type type, enum cond_status status, const char *reason,
               const char *message, when_ns now, int64_t generation, bool *ret_changed)
{
    struct draft d = draft_new(s);
    bool changed = draft_set(&d, type, status, reason, message, now, generation);
    int r = draft_commit(&d, now);

    if (!r)
        *ret_changed = changed;
    return r;
}

/* ---- transitions -------------------------------------------------------------------------------------------------------- */

struct gates_10_2 {
    bool observability, explicit_status;
};

static bool checks_ready(const struct status *s)
{
    for (uint32_t i = 0; i < s->nchecks; i++)
        if (s->checks[i].state != CHECK_READY)
            return false;
    return true;
}

/* Whole seconds of the admission that ends now, as Kubernetes would add them to an int32. */
static int32_t admitted_seconds(int32_t before, when_ns since, when_ns now)
{
    if (since == WHEN_NONE)
        return before;
    int64_t sum = before + i64_sub(now, since) / NS_PER_S;
    return sum > INT32_MAX ? INT32_MAX : (int32_t)amount_max(sum, INT32_MIN);
}

/* 10.2 */
static bool draft_sync(struct draft *d, struct gates_10_2 g, when_ns now, int64_t generation)
{
    struct status *s = &d->next;
    bool reserved = draft_true(d, COND_QUOTA_RESERVED), admitted = draft_true(d, COND_ADMITTED);
    bool ready = checks_ready(s), placed = !s->topology_pending;
    when_ns since = s->cond[COND_ADMITTED].since;

    if (g.observability) {
        if (s->cond[COND_QUOTA_RESERVED].status == STATUS_ABSENT &&
            s->cond[COND_ADMITTED].status == STATUS_ABSENT && !g.explicit_status)
            return false;
    } else if (admitted == (reserved && ready && placed)) {
        return false;
    }
    const char *reason = "Admitted", *message = "The workload is admitted";
    enum cond_status status = STATUS_FALSE;
    if (!reserved && !ready && !g.observability) {
        reason = "NoReservationUnsatisfiedChecks";
        message = "The workload has no reservation and not all checks ready";
    } else if (!reserved) {
        reason = "NoReservation";
        message = "The workload has no reservation";
    } else if (!ready) {
        reason = g.observability ? "UnsatisfiedAdmissionChecks" : "UnsatisfiedChecks";
        message = "The workload has not all checks ready";
    } else if (!placed) {
        reason = "PendingDelayedTopologyRequests";
        message = "There are pending delayed topology requests";
    } else {
        status = STATUS_TRUE;
    }
    if (admitted && status == STATUS_FALSE)
        s->accumulated_s = admitted_seconds(s->accumulated_s, since, now);
    return draft_set(d, COND_ADMITTED, status, reason, message, now, generation);
}

int status_sync_admitted(struct status *s, bool observability, bool explicit_status, when_ns now,
                         int64_t generation, bool *ret_changed)
{
    struct draft d = draft_new(s);
    bool changed = draft_sync(&d, (struct gates_10_2){observability, explicit_status}, now, generation);
    int r = draft_commit(&d, now);

    if (!r)
        *ret_changed = changed;
    return r;
}

/* A text of two parts; NULL, and the draft failed, when memory is exhausted. */
static char *draft_text(struct draft *d, const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    char *text = mem_alloc(na + nb + 1);

    if (!text) {
        d->failed = true;
        return NULL;
    }
    memcpy(text, a, na);
    memcpy(text + na, b, nb + 1);
    return text;
}

int status_reserve(struct status *s, const char *cluster_queue, bool sync, bool observability,
                   bool explicit_status, when_ns now, int64_t generation)
{
    static const enum cond_type over[] = {COND_EVICTED, COND_PREEMPTED, COND_BLOCKED_ON_GATES};
    struct draft d = draft_new(s);
    char *message = draft_text(&d, "Quota reserved in ClusterQueue ", cluster_queue);

    if (message)
        draft_set(&d, COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", message, now, generation);
    mem_free(message);
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        if (!draft_true(&d, over[i]))
            continue;
        char *previously = draft_text(&d, "Previously: ", d.next.cond[over[i]].message);
        if (previously)
            draft_set(&d, over[i], STATUS_FALSE, "QuotaReserved", previously, now, generation);
        mem_free(previously);
    }
    if (sync)
        draft_sync(&d, (struct gates_10_2){observability, explicit_status}, now, generation);
    return draft_commit(&d, now);
}

/* "Unset quota reservation" of 10.2; the admission, gone with it, was what waited for a topology. */
static void draft_unreserve(struct draft *d, const char *reason, const char *message, struct gates_10_2 g,
                            when_ns now, int64_t generation)
{
    draft_set(d, COND_QUOTA_RESERVED, STATUS_FALSE, reason, message, now, generation);
    d->next.topology_pending = false;
    draft_sync(d, g, now, generation);
}

int status_unreserve(struct status *s, const char *reason, const char *message, bool observability,
                     bool explicit_status, when_ns now, int64_t generation)
{
    struct draft d = draft_new(s);

    draft_unreserve(&d, reason, message, (struct gates_10_2){observability, explicit_status}, now,
                    generation);
    return draft_commit(&d, now);
}

static void draft_reset_checks(struct draft *d)
{
    struct status *s = &d->next;

    if (!s->nchecks)
        return;
    d->check_messages = mem_zalloc(s->nchecks, sizeof(char *));
    if (!d->check_messages) {
        d->failed = true;
        return;
    }
    for (uint32_t i = 0; i < s->nchecks; i++)
        if (s->checks[i].state != CHECK_PENDING)
            d->check_messages[i] = draft_text(
                d, "Reset to Pending after eviction. Previously: ", check_state_name(s->checks[i].state));
}

/* Counts in schedulingStats. Only when nothing can fail any more may an old entry be counted up: hence last of all. */
static void draft_count_eviction(struct draft *d, const char *reason, const char *cause)
{
    struct status *s = &d->next;

    if (d->failed)
        return;
    for (uint32_t i = 0; i < s->nevictions; i++) {
        if (!strcmp(s->evictions[i].reason, reason) && !strcmp(s->evictions[i].cause, cause)) {
            s->evictions[i].count += s->evictions[i].count < INT32_MAX;
            return;
        }
    }
    void *grown = mem_realloc(s->evictions, (s->nevictions + 1) * sizeof(*s->evictions));
    if (!grown) {
        d->failed = true;
        return;
    }
    s->evictions = d->s->evictions = grown; /* moved; what it holds is as before */
    struct status_eviction e = {mem_strdup(reason), mem_strdup(cause), 1};
    s->evictions[s->nevictions++] = e;
    d->eviction_new = true;
    d->failed = !e.reason || !e.cause;
}

static void draft_evict(struct draft *d, const char *reason, const char *cause, const char *message,
                        when_ns now, int64_t generation)
{
    bool with_cause = !strcmp(reason, "Deactivated") && *cause;
    char *full = with_cause ? draft_text(d, "DeactivatedDueTo", cause) : NULL;
    const char *shown = full ? full : reason;

    draft_set(d, COND_EVICTED, STATUS_TRUE, shown, message, now, generation);
    if (draft_true(d, COND_BLOCKED_ON_GATES))
        draft_set(d, COND_BLOCKED_ON_GATES, STATUS_FALSE, shown, message, now, generation);
    mem_free(full);
    draft_reset_checks(d);
    d->next.gates_open = d->next.gates_open && !d->next.has_gates;
    draft_count_eviction(d, reason, cause);
}

int status_evict(struct status *s, const char *reason, const char *cause, const char *message, when_ns now,
                 int64_t generation)
{
    struct draft d = draft_new(s);

    draft_evict(&d, reason, cause, message, now, generation);
    return draft_commit(&d, now);
}

int status_preempt(struct status *s, const char *variant_reason, const char *message, when_ns now,
                   int64_t generation)
{
    struct draft d = draft_new(s);

    draft_set(&d, COND_PREEMPTED, STATUS_TRUE, variant_reason, message, now, 0);
    draft_evict(&d, "Preempted", "", message, now, generation);
    return draft_commit(&d, now);
}

int status_release(struct status *s, bool skip_reassign, bool observability, bool explicit_status,
                   when_ns now, int64_t generation)
{
    struct draft d = draft_new(s);
    const struct cond *evicted = &s->cond[COND_EVICTED];
    const char *reason = evicted->reason ? evicted->reason : "",
               *message = evicted->message ? evicted->message : "";
    enum evict_reason why = evict_reason_of(reason);
    bool again = (why == EVICT_PREEMPTED || why == EVICT_NODE_FAILURES) && !skip_reassign;

    draft_set(&d, COND_REQUEUED, again ? STATUS_TRUE : STATUS_FALSE, reason, message, now, generation);
    draft_unreserve(&d, observability ? "PendingEvaluation" : "Pending", message,
                    (struct gates_10_2){observability, explicit_status}, now, generation);
    return draft_commit(&d, now);
}

bool status_unadmitted(const struct status *s, const char **ret_reason, const char **ret_cause)
{
    const struct cond *admitted = &s->cond[COND_ADMITTED], *reserved = &s->cond[COND_QUOTA_RESERVED];
    *ret_reason = admitted->status == STATUS_ABSENT ? "NoReservation" : admitted->reason;
    *ret_cause = reserved->status == STATUS_TRUE     ? ""
                 : reserved->status == STATUS_ABSENT ? "PendingEvaluation"
                                                     : reserved->reason;
    return admitted->status != STATUS_TRUE;
}
