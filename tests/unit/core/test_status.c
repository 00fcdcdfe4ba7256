#include "core/status.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))
#define NOW (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define BEFORE (NOW - 300 * NS_PER_S)

static struct fact_workload workload_of(const struct fact_condition *conds, uint32_t n)
{
    return (struct fact_workload){.ns = "ns",
                                  .name = "wl",
                                  .uid = "u",
                                  .generation = 1,
                                  .queue = "",
                                  .priority_class = "",
                                  .active = true,
                                  .gated_by = "",
                                  .priority_boost = "",
                                  .job_uid = "",
                                  .conditions = conds,
                                  .nconditions = n,
                                  .requeue_at = WHEN_NONE};
}

static struct status status_of(const struct fact_condition *conds, uint32_t n)
{
    struct fact_workload f = workload_of(conds, n);
    struct status s;

    status_init(&s);
    ck_assert_int_eq(status_from_fact(&s, &f), 0);
    return s;
}

static void check_cond(const struct status *s, enum cond_type t, enum cond_status status, const char *reason,
                       const char *message, when_ns since, int64_t generation)
{
    const struct cond *c = &s->cond[t];

    ck_assert_msg(c->status == status, "%s is %d", cond_type_name(t), c->status);
    ck_assert_str_eq(c->reason, reason);
    ck_assert_str_eq(c->message, message);
    ck_assert_int_eq(c->since, since);
    ck_assert_int_eq(c->generation, generation);
}

/* ---- the condition helper ----------------------------------------------------------------------------------------------- */

START_TEST(set)
{
    struct status s;
    bool changed = false;

    status_init(&s);
    ck_assert_int_eq(s.cond[COND_EVICTED].status, STATUS_ABSENT);
    ck_assert_int_eq(s.requeue_at, WHEN_NONE);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_TRUE, "R", "m", NOW, 1, &changed), 0);
    ck_assert(changed);
    check_cond(&s, COND_EVICTED, STATUS_TRUE, "R", "m", NOW, 1);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_TRUE, "R", "m", NOW + 1, 1, &changed), 0);
    ck_assert(!changed);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_TRUE, "S", "m", NOW + 2, 1, &changed), 0);
    ck_assert(changed);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_TRUE, "S", "n", NOW + 2, 1, &changed), 0);
    ck_assert(changed);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_TRUE, "S", "n", NOW + 2, 2, &changed), 0);
    ck_assert(changed);
    check_cond(&s, COND_EVICTED, STATUS_TRUE, "S", "n", NOW, 2); /* only a change of status moves the time */
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_UNKNOWN, "S", "n", NOW + 3, 2, &changed), 0);
    ck_assert(changed);
    check_cond(&s, COND_EVICTED, STATUS_UNKNOWN, "S", "n", NOW + 3, 2);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_ABSENT, "", "", NOW + 3, 2, &changed), 0);
    ck_assert(changed);
    ck_assert_int_eq(s.cond[COND_EVICTED].status, STATUS_ABSENT);
    ck_assert_ptr_null(s.cond[COND_EVICTED].reason);
    ck_assert_int_eq(status_set(&s, COND_EVICTED, STATUS_ABSENT, "", "", NOW + 3, 2, &changed), 0);
    ck_assert(!changed);
    status_free(&s);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(set_long_message)
{
    static char text[32770];
    struct status s;
    bool changed;

    status_init(&s);
    memset(text, 'x', 32769);
    ck_assert_int_eq(status_set(&s, COND_FINISHED, STATUS_TRUE, "R", text, NOW, 1, &changed), 0);
    ck_assert_uint_eq(strlen(s.cond[COND_FINISHED].message), 32768);
    ck_assert_str_eq(s.cond[COND_FINISHED].message + 32763, "x ...");
    text[32768] = '\0';
    ck_assert_int_eq(status_set(&s, COND_FINISHED, STATUS_TRUE, "R", text, NOW, 1, &changed), 0);
    ck_assert_str_eq(s.cond[COND_FINISHED].message, text);
    status_free(&s);
}
END_TEST

START_TEST(names)
{
    static const char *const conds[COND_TYPES] = {"QuotaReserved",
                                                  "Admitted",
                                                  "PodsReady",
                                                  "Evicted",
                                                  "Preempted",
                                                  "Requeued",
                                                  "Finished",
                                                  "DeactivationTarget",
                                                  "BlockedOnPreemptionGates",
                                                  "WaitingForReplacementPods"};
    static const char *const checks[] = {"Pending", "Ready", "Retry", "Rejected"};

    for (uint32_t t = 0; t < COND_TYPES; t++)
        ck_assert_str_eq(cond_type_name((enum cond_type)t), conds[t]);
    ck_assert_str_eq(cond_type_name(COND_TYPES), "");
    for (uint32_t i = 0; i < COUNT(checks); i++)
        ck_assert_str_eq(check_state_name((enum check_state)i), checks[i]);
    ck_assert_str_eq(check_state_name((enum check_state)4), "");
}
END_TEST

/* ---- facts and marks ---------------------------------------------------------------------------------------------------- */

static const struct fact_condition all_true[] = {
    {COND_QUOTA_RESERVED, STATUS_TRUE, "a", "", BEFORE, 1},
    {COND_ADMITTED, STATUS_TRUE, "a", "", BEFORE + 1, 1},
    {COND_PODS_READY, STATUS_TRUE, "a", "", BEFORE + 2, 1},
    {COND_EVICTED, STATUS_TRUE, "AdmissionCheck", "gone", BEFORE + 3, 1},
    {COND_PREEMPTED, STATUS_TRUE, "InCohortReclaimWhileBorrowing", "", BEFORE + 4, 1},
    {COND_REQUEUED, STATUS_FALSE, "a", "", BEFORE + 5, 1},
    {COND_FINISHED, STATUS_TRUE, "a", "", BEFORE + 6, 1},
    {COND_DEACTIVATION_TARGET, STATUS_TRUE, "a", "", BEFORE + 7, 1},
    {COND_BLOCKED_ON_GATES, STATUS_TRUE, "a", "", BEFORE + 8, 1},
    {COND_WAITING_FOR_REPLACEMENT, STATUS_TRUE, "a", "", BEFORE + 9, 1},
};

static void check_full_marks(const struct marks *m)
{
    ck_assert(m->reserved && m->admitted && m->evicted && m->preempted && m->finished && m->pods_ready);
    ck_assert(m->requeued_false && m->waiting_replacement && m->preempted_by_reclaim && !m->on_hold);
    ck_assert(m->checks_failed && m->closed_gate && m->topology_pending && m->gated && !m->active);
    ck_assert_int_eq(m->evict_reason, EVICT_ADMISSION_CHECK);
    ck_assert_int_eq(m->reserved_at, BEFORE);
    ck_assert_int_eq(m->admitted_at, BEFORE + 1);
    ck_assert_int_eq(m->evicted_at, BEFORE + 3);
    ck_assert_int_eq(m->preempted_at, BEFORE + 4);
    ck_assert_int_eq(m->requeue_at, NOW + 5);
    ck_assert_uint_ne(m->evicted_digest, 0);
    ck_assert_uint_ne(m->requeued_digest, 0);
}

START_TEST(marks_full)
{
    static const struct fact_check_state checks[] = {{"a", "", CHECK_READY, NOW, false, 0, false, 0},
                                                     {"b", "no", CHECK_REJECTED, NOW, true, 7, true, 2}};
    static const struct fact_assignment pod_sets[] = {{.topology_pending = true, .has_topology = true},
                                                      {.topology_pending = true}};
    static const struct fact_admission admission = {"cq", pod_sets, 2};
    struct fact_workload f = workload_of(all_true, COUNT(all_true));
    struct status s;

    f.checks = checks, f.nchecks = 2, f.admission = &admission, f.requeue_at = NOW + 5, f.requeue_count = 3;
    f.has_closed_gate = true, f.gated_by = "me", f.active = false;
    struct marks m = marks_of_fact(&f), n = {.gated = true};
    check_full_marks(&m);
    status_init(&s);
    s.accumulated_s = 9;
    ck_assert_int_eq(status_from_fact(&s, &f), 0);
    marks_update(&n, &s);
    check_full_marks(&n);
    ck_assert_uint_eq(m.evicted_digest, n.evicted_digest);
    ck_assert_uint_eq(m.requeued_digest, n.requeued_digest);
    ck_assert_int_eq(s.accumulated_s, 9); /* no fact tells it */
    ck_assert_int_eq(s.requeue_count, 3);
    ck_assert_str_eq(s.checks[1].name, "b");
    ck_assert_str_eq(s.checks[1].message, "no");
    ck_assert(s.checks[1].has_requeue_after && s.checks[1].has_retry_count);
    ck_assert_int_eq(s.checks[1].requeue_after_s, 7);
    ck_assert_int_eq(s.checks[1].retry_count, 2);
    struct fact_workload empty = workload_of(NULL, 0);
    ck_assert_int_eq(status_from_fact(&s, &empty), 0); /* takes the place of all that */
    marks_update(&n, &s);
    ck_assert(!n.reserved && !n.checks_failed && !n.topology_pending && n.gated);
    ck_assert(s.has_gates && s.gates_open && !n.closed_gate);
    status_free(&s);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(marks_empty)
{
    struct fact_workload f = workload_of(NULL, 0);
    struct marks m = marks_of_fact(&f), n = {.active = true};
    struct status s = status_of(NULL, 0);

    marks_update(&n, &s);
    ck_assert(m.active && !m.reserved && !m.evicted && !m.gated && !m.closed_gate && !m.checks_failed);
    ck_assert_int_eq(m.reserved_at, WHEN_NONE);
    ck_assert_int_eq(m.requeue_at, WHEN_NONE);
    ck_assert_uint_eq(m.evicted_digest, 0);
    ck_assert(n.active && !n.reserved);
    ck_assert_int_eq(n.evicted_at, WHEN_NONE);
    status_free(&s);
}
END_TEST

START_TEST(marks_of_false_conditions)
{
    static const struct fact_condition conds[] = {
        {COND_QUOTA_RESERVED, STATUS_FALSE, "OnHold", "", BEFORE, 1},
        {COND_EVICTED, STATUS_FALSE, "Preempted", "", BEFORE, 1},
        {COND_PREEMPTED, STATUS_FALSE, "InCohortReclaimWhileBorrowing", "", BEFORE, 1},
        {COND_REQUEUED, STATUS_TRUE, "", "", BEFORE, 1},
        {COND_ADMITTED, STATUS_ABSENT, "", "", BEFORE, 1},
    };
    struct fact_workload f = workload_of(conds, COUNT(conds));
    struct marks m = marks_of_fact(&f);

    ck_assert(m.on_hold && !m.reserved && !m.evicted && !m.preempted && !m.preempted_by_reclaim &&
              !m.requeued_false);
    ck_assert_int_eq(m.evict_reason, EVICT_OTHER);
    ck_assert_int_eq(m.reserved_at, WHEN_NONE);
    ck_assert_int_eq(m.evicted_at, WHEN_NONE);
    ck_assert_int_eq(m.preempted_at, WHEN_NONE);
    struct status s = status_of(conds, COUNT(conds));
    ck_assert_int_eq(s.cond[COND_ADMITTED].status, STATUS_ABSENT);
    status_free(&s);
}
END_TEST

START_TEST(evict_reasons)
{
    static const struct {
        const char *reason;
        enum evict_reason want;
    } rows[] = {{"PodsReadyTimeout", EVICT_PODS_READY_TIMEOUT},
                {"AdmissionCheck", EVICT_ADMISSION_CHECK},
                {"Preempted", EVICT_PREEMPTED},
                {"NodeFailures", EVICT_NODE_FAILURES},
                {"Deactivated", EVICT_OTHER},
                {"", EVICT_OTHER}};

    for (uint32_t i = 0; i < COUNT(rows); i++) {
        struct fact_condition c = {COND_EVICTED, STATUS_TRUE, rows[i].reason, "", NOW, 0};
        struct fact_workload f = workload_of(&c, 1);
        ck_assert_int_eq(marks_of_fact(&f).evict_reason, rows[i].want);
    }
}
END_TEST

/* Each part of a condition moves its digest (4.4 compares whole conditions). */
START_TEST(digests)
{
    static const struct fact_condition conds[] = {
        {COND_EVICTED, STATUS_TRUE, "R", "m", NOW, 1},     {COND_EVICTED, STATUS_FALSE, "R", "m", NOW, 1},
        {COND_EVICTED, STATUS_TRUE, "Rm", "", NOW, 1},     {COND_EVICTED, STATUS_TRUE, "R", "n", NOW, 1},
        {COND_EVICTED, STATUS_TRUE, "R", "m", NOW + 1, 1}, {COND_EVICTED, STATUS_TRUE, "R", "m", NOW, 2},
    };
    uint64_t seen[COUNT(conds)];

    for (uint32_t i = 0; i < COUNT(conds); i++) {
        struct fact_workload f = workload_of(&conds[i], 1);
        seen[i] = marks_of_fact(&f).evicted_digest;
        for (uint32_t j = 0; j < i; j++)
            ck_assert_uint_ne(seen[i], seen[j]);
    }
}
END_TEST

/* ---- 10.2 --------------------------------------------------------------------------------------------------------------- */

enum { R = 1, A = 2, BAD = 4, T = 8, OBS = 16, EXPL = 32, RFALSE = 64 };

static const struct {
    const char *name;
    unsigned in;
    bool change;
    enum cond_status want; /* of Admitted */
    const char *reason, *message;
    int32_t accumulated;
} sync_rows[] = {
    {"empty", 0, false, STATUS_ABSENT, "", "", 0},
    {"empty, observed", OBS, false, STATUS_ABSENT, "", "", 0},
    {"empty, explicit", OBS | EXPL, true, STATUS_FALSE, "NoReservation", "The workload has no reservation",
     0},
    {"pending, observed", OBS | RFALSE, true, STATUS_FALSE, "NoReservation",
     "The workload has no reservation", 0},
    {"pending", RFALSE, false, STATUS_ABSENT, "", "", 0},
    {"reserved", R, true, STATUS_TRUE, "Admitted", "The workload is admitted", 0},
    {"reserved, observed", R | OBS, true, STATUS_TRUE, "Admitted", "The workload is admitted", 0},
    {"checks not ready", R | BAD, false, STATUS_ABSENT, "", "", 0},
    {"checks not ready, observed", R | BAD | OBS, true, STATUS_FALSE, "UnsatisfiedAdmissionChecks",
     "The workload has not all checks ready", 0},
    {"check lost", R | A | BAD, true, STATUS_FALSE, "UnsatisfiedChecks",
     "The workload has not all checks ready", 101},
    {"check lost, observed", R | A | BAD | OBS, true, STATUS_FALSE, "UnsatisfiedAdmissionChecks",
     "The workload has not all checks ready", 101},
    {"all lost", A | BAD, true, STATUS_FALSE, "NoReservationUnsatisfiedChecks",
     "The workload has no reservation and not all checks ready", 101},
    {"all lost, observed", A | BAD | OBS, true, STATUS_FALSE, "NoReservation",
     "The workload has no reservation", 101},
    {"reservation lost", A, true, STATUS_FALSE, "NoReservation", "The workload has no reservation", 101},
    {"topology pending", R | A | T, true, STATUS_FALSE, "PendingDelayedTopologyRequests",
     "There are pending delayed topology requests", 101},
    {"topology pending, was not", R | T, false, STATUS_ABSENT, "", "", 0},
    {"admitted already", R | A, false, STATUS_TRUE, "ByTest", "", 0},
    {"admitted already, observed", R | A | OBS, true, STATUS_TRUE, "Admitted", "The workload is admitted", 0},
};

START_TEST(sync_admitted)
{
    static const struct fact_check_state bad = {"c", "", CHECK_PENDING, NOW, false, 0, false, 0};
    const unsigned in = sync_rows[_i].in;
    const struct fact_condition conds[] = {
        {COND_QUOTA_RESERVED, in & R ? STATUS_TRUE : STATUS_FALSE, "", "", BEFORE, 1},
        {COND_ADMITTED, in & A ? STATUS_TRUE : STATUS_ABSENT, "ByTest", "", NOW - 101 * NS_PER_S - 5, 1}};
    struct fact_workload f = workload_of(in & (R | RFALSE) ? conds : conds + 1, in & (R | RFALSE) ? 2 : 1);
    struct status s;
    bool changed = false;

    f.checks = &bad, f.nchecks = (in & BAD) != 0;
    status_init(&s);
    ck_assert_int_eq(status_from_fact(&s, &f), 0);
    s.topology_pending = in & T;
    ck_assert_int_eq(status_sync_admitted(&s, in & OBS, in & EXPL, NOW, 1, &changed), 0);
    ck_assert_msg(changed == sync_rows[_i].change, "%s", sync_rows[_i].name);
    ck_assert_msg(s.cond[COND_ADMITTED].status == sync_rows[_i].want, "%s", sync_rows[_i].name);
    if (sync_rows[_i].want != STATUS_ABSENT) {
        ck_assert_str_eq(s.cond[COND_ADMITTED].reason, sync_rows[_i].reason);
        ck_assert_str_eq(s.cond[COND_ADMITTED].message, sync_rows[_i].message);
    }
    ck_assert_int_eq(s.accumulated_s, sync_rows[_i].accumulated);
    status_free(&s);
}
END_TEST

START_TEST(accumulated)
{
    static const struct {
        int32_t before;
        when_ns since;
        int32_t want;
    } rows[] = {{1, NOW - NS_PER_S, 2},
                {5, NOW - NS_PER_S + 1, 5},
                {5, WHEN_NONE, 5},
                {INT32_MAX, NOW - NS_PER_S, INT32_MAX},
                {0, INT64_MIN + 1, INT32_MAX},
                {5, NOW + 2 * NS_PER_S, 3},
                {0, INT64_MAX, INT32_MIN}};

    for (uint32_t i = 0; i < COUNT(rows); i++) {
        struct fact_condition c = {COND_ADMITTED, STATUS_TRUE, "", "", rows[i].since, 1};
        struct status s = status_of(&c, 1);
        bool changed;
        s.accumulated_s = rows[i].before;
        ck_assert_int_eq(status_sync_admitted(&s, true, false, NOW, 1, &changed), 0);
        ck_assert_int_eq(s.accumulated_s, rows[i].want);
        status_free(&s);
    }
}
END_TEST

/* ---- 5.7 ---------------------------------------------------------------------------------------------------------------- */

START_TEST(reserve)
{
    static const struct fact_condition conds[] = {
        {COND_EVICTED, STATUS_TRUE, "TestEvictedReason", "test evicted message", BEFORE, 1},
        {COND_PREEMPTED, STATUS_TRUE, "TestPreemptedReason", "test preempted message", BEFORE, 1},
        {COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated", "gated", BEFORE, 1},
        {COND_QUOTA_RESERVED, STATUS_FALSE, "TestReason", "test message", BEFORE, 1}};
    struct status s = status_of(conds, COUNT(conds));

    ck_assert_int_eq(status_reserve(&s, "test-queue", false, true, false, NOW, 2), 0);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved",
               "Quota reserved in ClusterQueue test-queue", NOW, 2);
    check_cond(&s, COND_EVICTED, STATUS_FALSE, "QuotaReserved", "Previously: test evicted message", NOW, 2);
    check_cond(&s, COND_PREEMPTED, STATUS_FALSE, "QuotaReserved", "Previously: test preempted message", NOW,
               2);
    check_cond(&s, COND_BLOCKED_ON_GATES, STATUS_FALSE, "QuotaReserved", "Previously: gated", NOW, 2);
    ck_assert_int_eq(s.cond[COND_ADMITTED].status, STATUS_ABSENT);
    status_free(&s);
}
END_TEST

START_TEST(reserve_what_is_over_stays)
{
    static const struct fact_condition conds[] = {
        {COND_EVICTED, STATUS_FALSE, "QuotaReserved", "Previously: x", BEFORE, 1},
        {COND_QUOTA_RESERVED, STATUS_FALSE, "QuotaReserved", "", BEFORE, 1}};
    struct status s = status_of(conds, COUNT(conds));

    ck_assert_int_eq(status_reserve(&s, "q", true, true, false, NOW, 1), 0);
    check_cond(&s, COND_EVICTED, STATUS_FALSE, "QuotaReserved", "Previously: x", BEFORE, 1);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "Quota reserved in ClusterQueue q", NOW,
               1);
    check_cond(&s, COND_ADMITTED, STATUS_TRUE, "Admitted", "The workload is admitted", NOW, 1);
    ck_assert_int_eq(status_unreserve(&s, "Pending", "why", false, false, NOW + 7 * NS_PER_S, 1), 0);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_FALSE, "Pending", "why", NOW + 7 * NS_PER_S, 1);
    check_cond(&s, COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation",
               NOW + 7 * NS_PER_S, 1);
    ck_assert_int_eq(s.accumulated_s, 7);
    status_free(&s);
}
END_TEST

START_TEST(unreserve_forgets_topology)
{
    struct status s = status_of(NULL, 0);

    s.topology_pending = true;
    ck_assert_int_eq(status_unreserve(&s, "WaitingForQuota", "why", true, false, NOW, 1), 0);
    ck_assert(!s.topology_pending);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_FALSE, "WaitingForQuota", "why", NOW, 1);
    check_cond(&s, COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation", NOW, 1);
    status_free(&s);
}
END_TEST

/* ---- 10.3 --------------------------------------------------------------------------------------------------------------- */

static const struct fact_check_state evict_checks[] = {
    {"a", "ok", CHECK_READY, BEFORE, true, 30, true, 4},
    {"b", "again", CHECK_RETRY, BEFORE, true, 60, true, 4},
    {"c", "again", CHECK_RETRY, BEFORE, false, 0, false, 0},
    {"d", "no", CHECK_REJECTED, BEFORE, false, 0, false, 0},
    {"e", "wait", CHECK_PENDING, BEFORE, false, 0, true, 3},
    {"f", "", CHECK_RETRY, BEFORE, false, 0, true, INT32_MAX}};
static const struct fact_condition evict_conds[] = {
    {COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "", BEFORE, 1},
    {COND_ADMITTED, STATUS_TRUE, "Admitted", "The workload is admitted", BEFORE, 1},
    {COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated", "gated", BEFORE, 1}};

static struct status evictable(void)
{
    struct fact_workload f = workload_of(evict_conds, COUNT(evict_conds));
    struct status s;

    f.checks = evict_checks, f.nchecks = COUNT(evict_checks);
    status_init(&s);
    ck_assert_int_eq(status_from_fact(&s, &f), 0);
    return s;
}

static void check_check(const struct status_check *c, const char *message, when_ns since, bool has_retry,
                        int32_t retry)
{
    ck_assert_int_eq(c->state, CHECK_PENDING);
    ck_assert_str_eq(c->message, message);
    ck_assert_int_eq(c->since, since);
    ck_assert_int_eq(c->has_retry_count, has_retry);
    ck_assert_int_eq(c->retry_count, retry);
}

START_TEST(evict)
{
    struct status s = evictable();

    s.has_gates = true;
    ck_assert_int_eq(status_evict(&s, "PodsReadyTimeout", "WaitForStart", "late", NOW, 3), 0);
    check_cond(&s, COND_EVICTED, STATUS_TRUE, "PodsReadyTimeout", "late", NOW, 3);
    check_cond(&s, COND_BLOCKED_ON_GATES, STATUS_FALSE, "PodsReadyTimeout", "late", NOW, 3);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "", BEFORE, 1);
    check_cond(&s, COND_ADMITTED, STATUS_TRUE, "Admitted", "The workload is admitted", BEFORE, 1);
    check_check(&s.checks[0], "Reset to Pending after eviction. Previously: Ready", NOW, false, 0);
    ck_assert(s.checks[0].has_requeue_after && s.checks[0].requeue_after_s == 30);
    check_check(&s.checks[1], "Reset to Pending after eviction. Previously: Retry", NOW, true, 5);
    check_check(&s.checks[2], "Reset to Pending after eviction. Previously: Retry", NOW, true, 1);
    check_check(&s.checks[3], "Reset to Pending after eviction. Previously: Rejected", NOW, false, 0);
    check_check(&s.checks[4], "wait", BEFORE, true, 3);
    check_check(&s.checks[5], "Reset to Pending after eviction. Previously: Retry", NOW, true, INT32_MAX);
    ck_assert(!s.gates_open);
    struct marks m = {.active = true};
    marks_update(&m, &s);
    ck_assert(m.closed_gate && m.evicted && m.reserved && !m.checks_failed);
    status_free(&s);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(evict_counts)
{
    static const struct {
        const char *reason, *cause, *cond;
    } steps[] = {{"Deactivated", "RequeuingLimitExceeded", "DeactivatedDueToRequeuingLimitExceeded"},
                 {"Deactivated", "", "Deactivated"},
                 {"PodsReadyTimeout", "WaitForStart", "PodsReadyTimeout"},
                 {"Deactivated", "", "Deactivated"},
                 {"PodsReadyTimeout", "WaitForRecovery", "PodsReadyTimeout"},
                 {"Deactivated", "", "Deactivated"}};
    static const int32_t counts[] = {1, 3, 1, 1};
    struct status s = status_of(NULL, 0);

    for (uint32_t i = 0; i < COUNT(steps); i++) {
        ck_assert_int_eq(status_evict(&s, steps[i].reason, steps[i].cause, "m", NOW, 1), 0);
        ck_assert_str_eq(s.cond[COND_EVICTED].reason, steps[i].cond);
    }
    ck_assert_uint_eq(s.nevictions, COUNT(counts));
    for (uint32_t i = 0; i < COUNT(counts); i++)
        ck_assert_int_eq(s.evictions[i].count, counts[i]);
    ck_assert_str_eq(s.evictions[0].reason, "Deactivated");
    ck_assert_str_eq(s.evictions[0].cause, "RequeuingLimitExceeded");
    ck_assert(s.gates_open); /* it has none */
    struct fact_workload f = workload_of(NULL, 0);
    ck_assert_int_eq(status_from_fact(&s, &f), 0);
    ck_assert_uint_eq(s.nevictions, COUNT(counts));
    s.evictions[1].count = INT32_MAX;
    ck_assert_int_eq(status_evict(&s, "Deactivated", "", "m", NOW, 1), 0);
    ck_assert_int_eq(s.evictions[1].count, INT32_MAX);
    status_free(&s);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(preempt)
{
    struct status s = status_of(evict_conds, COUNT(evict_conds));

    ck_assert_int_eq(status_preempt(&s, "InCohortReclamation", "to make room", NOW, 5), 0);
    check_cond(&s, COND_PREEMPTED, STATUS_TRUE, "InCohortReclamation", "to make room", NOW, 0);
    check_cond(&s, COND_EVICTED, STATUS_TRUE, "Preempted", "to make room", NOW, 5);
    ck_assert_str_eq(s.evictions[0].reason, "Preempted");
    ck_assert_str_eq(s.evictions[0].cause, "");
    status_free(&s);
}
END_TEST

static const struct {
    const char *reason; /* of the eviction; NULL = never evicted */
    bool skip, observability;
    enum cond_status requeued;
    const char *quota_reason;
} release_rows[] = {
    {"Preempted", false, true, STATUS_TRUE, "PendingEvaluation"},
    {"NodeFailures", false, true, STATUS_TRUE, "PendingEvaluation"},
    {"Preempted", true, true, STATUS_FALSE, "PendingEvaluation"},
    {"PodsReadyTimeout", false, true, STATUS_FALSE, "PendingEvaluation"},
    {"Deactivated", false, false, STATUS_FALSE, "Pending"},
    {NULL, false, true, STATUS_FALSE, "PendingEvaluation"},
};

START_TEST(release)
{
    const char *reason = release_rows[_i].reason;
    struct status s = status_of(evict_conds, COUNT(evict_conds));

    if (reason)
        ck_assert_int_eq(status_evict(&s, reason, "", "why", NOW, 1), 0);
    ck_assert_int_eq(status_release(&s, release_rows[_i].skip, release_rows[_i].observability, false,
                                    NOW + 9 * NS_PER_S, 1),
                     0);
    const char *message = reason ? "why" : "";
    check_cond(&s, COND_REQUEUED, release_rows[_i].requeued, reason ? reason : "", message,
               NOW + 9 * NS_PER_S, 1);
    check_cond(&s, COND_QUOTA_RESERVED, STATUS_FALSE, release_rows[_i].quota_reason, message,
               NOW + 9 * NS_PER_S, 1);
    check_cond(&s, COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation",
               NOW + 9 * NS_PER_S, 1);
    ck_assert_int_eq(s.accumulated_s, 309);
    status_free(&s);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* ---- exhaustion: a transition that fails changes nothing ----------------------------------------------------------------- */

static int step_from_fact(struct status *s)
{
    static const struct fact_check_state check = {"z", "z", CHECK_RETRY, NOW, false, 0, false, 0};
    struct fact_workload f = workload_of(all_true, COUNT(all_true));

    f.checks = &check, f.nchecks = 1;
    return status_from_fact(s, &f);
}

static int step_set(struct status *s)
{
    bool changed;
    return status_set(s, COND_QUOTA_RESERVED, STATUS_FALSE, "x", "y", NOW, 2, &changed);
}

static int step_sync(struct status *s)
{
    bool changed;
    return status_sync_admitted(s, true, true, NOW, 2, &changed);
}

static int step_reserve(struct status *s)
{
    return status_reserve(s, "cq", true, true, true, NOW, 2);
}

static int step_unreserve(struct status *s)
{
    return status_unreserve(s, "r", "m", true, true, NOW, 2);
}

static int step_evict(struct status *s)
{
    return status_evict(s, "Deactivated", "Cause", "m", NOW, 2);
}

static int step_preempt(struct status *s)
{
    return status_preempt(s, "InClusterQueue", "m", NOW, 2);
}

static int step_release(struct status *s)
{
    return status_release(s, false, true, true, NOW, 2);
}

static int (*const steps[])(struct status *) = {step_from_fact, step_set,   step_sync,    step_reserve,
                                                step_unreserve, step_evict, step_preempt, step_release};

static void check_untouched(const struct status *s)
{
    for (uint32_t i = 0; i < COUNT(evict_conds); i++) {
        const struct fact_condition *c = &evict_conds[i];
        check_cond(s, c->type, c->status, c->reason, c->message, c->since, c->generation);
    }
    ck_assert_int_eq(s->cond[COND_EVICTED].status, STATUS_ABSENT);
    ck_assert_int_eq(s->cond[COND_PREEMPTED].status, STATUS_ABSENT);
    ck_assert_int_eq(s->cond[COND_REQUEUED].status, STATUS_ABSENT);
    ck_assert_uint_eq(s->nevictions, 0);
    ck_assert_uint_eq(s->nchecks, COUNT(evict_checks));
    for (uint32_t i = 0; i < s->nchecks; i++) {
        ck_assert_int_eq(s->checks[i].state, evict_checks[i].state);
        ck_assert_str_eq(s->checks[i].message, evict_checks[i].message);
    }
    ck_assert_int_eq(s->accumulated_s, 0);
    ck_assert(s->gates_open && s->topology_pending);
}

START_TEST(out_of_memory)
{
    int r = ERR_NOMEM;

    for (uint64_t n = 1; r; n++) {
        struct status s = evictable();
        s.has_gates = s.topology_pending = true;
        mem_fail_after(n);
        r = steps[_i](&s);
        mem_fail_after(0);
        if (r) {
            ck_assert_int_eq(r, ERR_NOMEM);
            check_untouched(&s);
        }
        status_free(&s);
        ck_assert_int_eq(mem_live(), 0);
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

/* 11.5: reason of Admitted, reason of QuotaReserved; what is absent and what is True have texts of their own. */
static const struct {
    enum cond_status admitted, reserved;
    const char *reason, *cause;
    bool counted;
} unadmitted_cases[] = {
    {STATUS_ABSENT, STATUS_ABSENT, "NoReservation", "PendingEvaluation", true},
    {STATUS_ABSENT, STATUS_FALSE, "NoReservation", "Waiting", true},
    {STATUS_FALSE, STATUS_FALSE, "Unready", "Waiting", true},
    {STATUS_FALSE, STATUS_TRUE, "Unready", "", true},
    {STATUS_TRUE, STATUS_TRUE, "Unready", "", false},
};

START_TEST(unadmitted)
{
    const struct fact_condition conds[] = {
        {COND_ADMITTED, unadmitted_cases[_i].admitted, "Unready", "", NOW, 1},
        {COND_QUOTA_RESERVED, unadmitted_cases[_i].reserved, "Waiting", "", NOW, 1},
    };
    struct status s = status_of(conds, 2);
    const char *reason, *cause;
    ck_assert_int_eq(status_unadmitted(&s, &reason, &cause), unadmitted_cases[_i].counted);
    ck_assert_str_eq(reason, unadmitted_cases[_i].reason);
    ck_assert_str_eq(cause, unadmitted_cases[_i].cause);
    status_free(&s);
}
END_TEST

static Suite *status_suite(void)
{
    Suite *s = suite_create("status");
    TCase *t = tcase_create("status");

    tcase_add_test(t, set);
    tcase_add_test(t, set_long_message);
    tcase_add_test(t, names);
    tcase_add_test(t, marks_full);
    tcase_add_test(t, marks_empty);
    tcase_add_test(t, marks_of_false_conditions);
    tcase_add_test(t, evict_reasons);
    tcase_add_test(t, digests);
    tcase_add_loop_test(t, sync_admitted, 0, COUNT(sync_rows));
    tcase_add_test(t, accumulated);
    tcase_add_test(t, reserve);
    tcase_add_test(t, reserve_what_is_over_stays);
    tcase_add_test(t, unreserve_forgets_topology);
    tcase_add_test(t, evict);
    tcase_add_test(t, evict_counts);
    tcase_add_test(t, preempt);
    tcase_add_loop_test(t, unadmitted, 0, COUNT(unadmitted_cases));
    tcase_add_loop_test(t, release, 0, COUNT(release_rows));
    tcase_add_loop_test(t, out_of_memory, 0, COUNT(steps));
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(status_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
