#include "lifecycle/lifecycle.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW (INT64_C(1000) * NS_PER_S)
#define LATER (INT64_C(2000) * NS_PER_S)

static struct world *world;
static struct status status;
static struct wl *wl;
static struct notices notices;

/* One queue "q" with its LocalQueue "lq" in "ns"; the check "c" when asked for. */
struct setting {
    enum stop_policy lq_stop, cq_stop;
    bool no_lq, no_cq, no_flavor, deleting, lq_deleting, no_namespace, mismatch, with_check;
    const char *gates; /* one gate to switch off */
};

static const struct fact_pod pod = {.runtime_class = "", .digest = "", .selector_error = ""};

static void put_queues(const struct setting *x)
{
    static const char *const res[] = {"cpu"}, *const value[] = {"yes"};
    static const struct fact_cq_check check = {.name = "c"};
    static const struct fact_expr expr = {"pick", SEL_IN, value, 1};
    struct fact_quota quota = {.nominal = quantity_from_i64(10)};
    struct fact_flavor_quotas fq = {"f", &quota};
    struct fact_resource_group g = {res, 1, &fq, 1};
    struct fact_cluster_queue cq = {.name = "q",
                                    .cohort = "",
                                    .strategy = STRATEGY_BEST_EFFORT_FIFO,
                                    .stop = x->cq_stop,
                                    .groups = &g,
                                    .ngroups = 1,
                                    .namespaces = {false, &expr, x->mismatch},
                                    .checks = &check,
                                    .nchecks = x->with_check,
                                    .deleting = x->deleting,
                                    .generation = 1};
    struct fact_local_queue lq = {
        .ns = "ns", .name = "lq", .cluster_queue = "q", .stop = x->lq_stop, .deleting = x->lq_deleting};

    if (!x->no_cq)
        ck_assert_int_eq(world_put_cluster_queue(world, &cq, NOW, NULL), 0);
    if (!x->no_lq)
        ck_assert_int_eq(world_put_local_queue(world, &lq, NOW, NULL), 0);
    if (x->with_check)
        ck_assert_int_eq(world_put_check(world, &(struct fact_admission_check){"c", "x", true}, NULL), 0);
}

static void make(const struct setting *x)
{
    struct fact_gate gate = {x->gates, false};

    world = world_new();
    ck_assert_ptr_nonnull(world);
    ck_assert_int_eq(
        world_configure(world, &(struct fact_config){.gates = &gate, .ngates = x->gates != NULL}, NULL), 0);
    if (!x->no_namespace)
        ck_assert_int_eq(world_put_namespace(world, &(struct fact_namespace){.name = "ns"}, NULL), 0);
    if (!x->no_flavor)
        ck_assert_int_eq(world_put_flavor(world, &(struct fact_flavor){.name = "f", .topology = ""}, NULL),
                         0);
    put_queues(x);
    ck_assert_int_eq(world_settle(world, NULL), 0);
    status_init(&status);
}

static void put_workload(bool active)
{
    struct fact_pod_set ps = {.name = "main", .count = 1, .pod = pod, .topology = "", .topology_group = ""};
    struct fact_workload f = {.ns = "ns",
                              .name = "w",
                              .uid = "u",
                              .generation = 1,
                              .queue = "lq",
                              .priority_class = "",
                              .active = active,
                              .gated_by = "",
                              .priority_boost = "",
                              .job_uid = "",
                              .pod_sets = &ps,
                              .npod_sets = 1,
                              .requeue_at = WHEN_NONE};

    ck_assert_int_eq(world_put_workload(world, &f, NOW, &wl, NULL), 0);
    ck_assert_ptr_nonnull(wl);
}

static void teardown(void)
{
    status_free(&status);
    notices_free(&notices);
    world_free(world);
    world = NULL;
}

static void tell(void)
{
    struct marks m = wl->marks;

    marks_update(&m, &status);
    world_put_marks(world, wl, &m, NOW);
}

static void say(enum cond_type t, enum cond_status s, const char *reason, const char *message)
{
    bool changed;

    ck_assert_int_eq(status_set(&status, t, s, reason, message, NOW, 1, &changed), 0);
}

static void set(enum cond_type t, enum cond_status s, const char *reason)
{
    say(t, s, reason, "before");
}

static struct lifecycle_result run(const char *gated_by)
{
    struct lifecycle l = lifecycle_of(world, wl, gated_by, NOW);
    struct lifecycle_result r;

    ck_assert_int_eq(lifecycle_run(&l, &status, &r, NULL), 0);
    return r;
}

static struct lifecycle_result step(const char *gated_by)
{
    struct lifecycle l = lifecycle_of(world, wl, gated_by, NOW);
    struct lifecycle_result r;

    ck_assert_int_eq(lifecycle_step(&l, &status, &r, NULL), 0);
    return r;
}

static void is(enum cond_type t, enum cond_status s, const char *reason, const char *message)
{
    ck_assert_int_eq(status.cond[t].status, s);
    if (s == STATUS_ABSENT)
        return;
    ck_assert_str_eq(status.cond[t].reason, reason);
    ck_assert_str_eq(status.cond[t].message, message);
}

/* ---- pending (9.3, 10.4 step 8) ------------------------------------------------------------------------------------------ */

static const struct {
    const char *about;
    struct setting x;
    bool inactive;
    const char *gated_by;
    const char *before;           /* reason of QuotaReserved=False, NULL = no condition */
    const char *reason, *message; /* NULL = no condition */
} pendings[] = {
    {"nothing in the way", {0}, false, "", NULL, NULL, NULL},
    {"no LocalQueue", {.no_lq = true}, false, "", NULL, "Misconfigured", "LocalQueue lq doesn't exist"},
    {"LocalQueue stopped", {.lq_stop = STOP_HOLD}, false, "", NULL, "Suspended", "LocalQueue lq is inactive"},
    {"no ClusterQueue", {.no_cq = true}, false, "", NULL, "Misconfigured", "ClusterQueue q doesn't exist"},
    {"ClusterQueue stopped",
     {.cq_stop = STOP_HOLD},
     false,
     "",
     NULL,
     "Suspended",
     "ClusterQueue q is inactive"},
    {"flavor missing", {.no_flavor = true}, false, "", NULL, "Suspended", "ClusterQueue q is inactive"},
    {"legacy reason",
     {.no_lq = true, .gates = "UnadmittedWorkloadsObservability"},
     false,
     "",
     NULL,
     "Inadmissible",
     "LocalQueue lq doesn't exist"},
    {"namespace not selected",
     {.mismatch = true},
     false,
     "",
     NULL,
     "Misconfigured",
     "workload namespace doesn't match ClusterQueue selector"},
    {"no namespace",
     {.no_namespace = true},
     false,
     "",
     NULL,
     "Misconfigured",
     "workload namespace \"ns\" does not exist: namespaces \"ns\" not found"},
    {"inactive", {0}, true, "", NULL, "Deactivated", "The workload is deactivated"},
    {"inactive goes before a missing queue",
     {.no_lq = true},
     true,
     "",
     NULL,
     "Deactivated",
     "The workload is deactivated"},
    {"gated", {0}, false, "a,b", NULL, "AdmissionGated", "Admission is gated by: a,b"},
    {"a queue that is missing goes before a gate",
     {.no_lq = true},
     false,
     "a",
     NULL,
     "Misconfigured",
     "LocalQueue lq doesn't exist"},
    {"gate cleared",
     {0},
     false,
     "",
     "AdmissionGated",
     "PendingEvaluation",
     "AdmissionGatedBy cleared, waiting for quota reservation"},
    {"on hold stays", {.no_lq = true}, false, "", "OnHold", "OnHold", "before"},
    {"the scheduler's reason stays", {0}, false, "", "WaitingForQuota", "WaitingForQuota", "before"},
    {"so does the one of a release", {0}, false, "", "PendingEvaluation", "PendingEvaluation", "before"},
    {"the queue works again",
     {0},
     false,
     "",
     "Suspended",
     "PendingEvaluation",
     "Workload is pending evaluation in the scheduling queue"},
    {"an empty reason is none",
     {0},
     false,
     "",
     "",
     "PendingEvaluation",
     "Workload is pending evaluation in the scheduling queue"},
};

START_TEST(pending)
{
    make(&pendings[_i].x);
    put_workload(!pendings[_i].inactive);
    if (pendings[_i].before) {
        set(COND_QUOTA_RESERVED, STATUS_FALSE, pendings[_i].before);
        say(COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation");
    }
    struct lifecycle_result r = run(pendings[_i].gated_by);
    const char *reason = pendings[_i].reason, *before = pendings[_i].before;
    ck_assert_msg(r.changed == (reason && (!before || strcmp(before, reason) != 0)), "%s",
                  pendings[_i].about);
    is(COND_QUOTA_RESERVED, reason ? STATUS_FALSE : STATUS_ABSENT, reason, pendings[_i].message);
    bool legacy = reason && strcmp(reason, "Inadmissible") == 0; /* 10.2, gate off: nothing to say */
    is(COND_ADMITTED, reason && !legacy ? STATUS_FALSE : STATUS_ABSENT, "NoReservation",
       "The workload has no reservation");
    ck_assert_int_eq(status.cond[COND_EVICTED].status, pendings[_i].inactive ? STATUS_TRUE : STATUS_ABSENT);
    ck_assert(!run(pendings[_i].gated_by).changed);
}
END_TEST

/* ---- admitted (9.2) ----------------------------------------------------------------------------------------------------- */

static const struct {
    struct setting x;
    bool evicted;
    const char *reason, *message; /* of Evicted; NULL = none */
} drains[] = {
    {{0}, false, NULL, NULL},
    {{.lq_stop = STOP_HOLD}, false, NULL, NULL},
    {{.cq_stop = STOP_HOLD}, false, NULL, NULL},
    {{.lq_stop = STOP_HOLD_AND_DRAIN}, false, "LocalQueueStopped", "The LocalQueue is stopped"},
    {{.cq_stop = STOP_HOLD_AND_DRAIN}, false, "ClusterQueueStopped", "The ClusterQueue is stopped"},
    {{.lq_stop = STOP_HOLD_AND_DRAIN, .cq_stop = STOP_HOLD_AND_DRAIN},
     false,
     "LocalQueueStopped",
     "The LocalQueue is stopped"},
    {{.lq_stop = STOP_HOLD, .cq_stop = STOP_HOLD_AND_DRAIN}, false, NULL, NULL}, /* not in the manager */
    {{.no_lq = true, .cq_stop = STOP_HOLD_AND_DRAIN}, false, NULL, NULL},
    {{.cq_stop = STOP_HOLD_AND_DRAIN}, true, "Preempted", "before"},
};

START_TEST(drain)
{
    make(&drains[_i].x);
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    set(COND_ADMITTED, STATUS_TRUE, "Admitted");
    if (drains[_i].evicted)
        set(COND_EVICTED, STATUS_TRUE, "Preempted");
    tell();
    struct lifecycle_result r = run("");
    ck_assert_int_eq(r.changed, drains[_i].reason && !drains[_i].evicted);
    is(COND_EVICTED, drains[_i].reason ? STATUS_TRUE : STATUS_ABSENT, drains[_i].reason, drains[_i].message);
    ck_assert_int_eq(status.cond[COND_QUOTA_RESERVED].status, STATUS_TRUE);
    ck_assert(!run("").changed);
}
END_TEST

/* ---- reserved, not admitted --------------------------------------------------------------------------------------------- */

static const struct {
    struct setting x;
    const char *reason, *message; /* of QuotaReserved=False; NULL = it keeps its reservation */
} losses[] = {
    {{.with_check = true}, NULL, NULL},
    {{.with_check = true, .lq_stop = STOP_HOLD}, "Suspended", "LocalQueue lq is inactive"},
    {{.with_check = true, .no_lq = true}, "Misconfigured", "LocalQueue lq doesn't exist"},
    {{.with_check = true, .cq_stop = STOP_HOLD}, "Suspended", "ClusterQueue q is inactive"},
    {{.with_check = true, .deleting = true}, "Suspended", "ClusterQueue q is inactive"},
};

START_TEST(loss)
{
    make(&losses[_i].x);
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    set(COND_ADMITTED, STATUS_FALSE, "UnsatisfiedAdmissionChecks");
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){.name = mem_strdup("c"), .message = mem_strdup("")};
    status.nchecks = 1;
    (void)run("");
    is(COND_QUOTA_RESERVED, losses[_i].reason ? STATUS_FALSE : STATUS_TRUE,
       losses[_i].reason ? losses[_i].reason : "QuotaReserved",
       losses[_i].reason ? losses[_i].message : "before");
    ck_assert_int_eq(status.cond[COND_ADMITTED].status, STATUS_FALSE);
}
END_TEST

START_TEST(checks_admit)
{
    make(&(struct setting){.with_check = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    ck_assert(run("").changed);
    ck_assert_uint_eq(status.nchecks, 1);
    ck_assert_str_eq(status.checks[0].name, "c");
    is(COND_ADMITTED, STATUS_FALSE, "UnsatisfiedAdmissionChecks", "The workload has not all checks ready");
    status.checks[0].state = CHECK_READY;
    ck_assert(run("").changed);
    is(COND_ADMITTED, STATUS_TRUE, "Admitted", "The workload is admitted");
}
END_TEST

static const struct {
    enum check_state state;
    const char *message;
    enum cond_type type;
    const char *reason, *text;
} failures[] = {
    {CHECK_REJECTED, "no", COND_DEACTIVATION_TARGET, "AdmissionCheck",
     "AdmissionCheck in Rejected state: \"c\" (no)"},
    {CHECK_REJECTED, "", COND_DEACTIVATION_TARGET, "AdmissionCheck",
     "AdmissionCheck in Rejected state: \"c\""},
    {CHECK_RETRY, "full", COND_EVICTED, "AdmissionCheck",
     "Evicted due to AdmissionCheck in Retry state: \"c\" (full)"},
};

START_TEST(failed_check)
{
    make(&(struct setting){.with_check = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    set(COND_ADMITTED, STATUS_TRUE, "Admitted");
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){
        .name = mem_strdup("c"), .message = mem_strdup(failures[_i].message), .state = failures[_i].state};
    status.nchecks = 1;
    struct lifecycle_result r = run("");
    is(failures[_i].type, STATUS_TRUE, failures[_i].reason, failures[_i].text);
    ck_assert_int_eq(r.deactivate, failures[_i].type == COND_DEACTIVATION_TARGET);
    ck_assert_int_eq(status.checks[0].state, r.deactivate ? CHECK_REJECTED : CHECK_PENDING);
}
END_TEST

/* 10.4 step 8 goes before step 9: what is admitted is known when a check ends the reservation. */
START_TEST(failed_check_before_admission)
{
    make(&(struct setting){.with_check = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){
        .name = mem_strdup("c"), .message = mem_strdup(""), .state = failures[_i].state};
    status.nchecks = 1;
    struct lifecycle_result r = step("");
    ck_assert(r.changed);
    ck_assert(!r.deactivate);
    is(COND_ADMITTED, STATUS_FALSE, "UnsatisfiedAdmissionChecks", "The workload has not all checks ready");
    ck_assert_int_eq(status.cond[failures[_i].type].status, STATUS_TRUE);
    ck_assert_int_eq(step("").deactivate, failures[_i].type == COND_DEACTIVATION_TARGET);
}
END_TEST

/* Ready checks admit even where the queue has gone meanwhile: then it is too late to lose the reservation. */
START_TEST(admitted_without_queue)
{
    make(&(struct setting){.no_lq = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    ck_assert(step("").changed);
    is(COND_ADMITTED, STATUS_TRUE, "Admitted", "The workload is admitted");
    is(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "before");
    ck_assert(!run("").changed);
}
END_TEST

static const struct {
    const char *gated_by, *gates;
    bool admitted;
    const char *reason; /* of QuotaReserved=False; NULL = it keeps its reservation */
} gated_reservations[] = {
    {"a.b/c", NULL, false, "AdmissionGated"},
    {"a.b/c", "UnadmittedWorkloadsObservability", false, "Inadmissible"},
    {"a.b/c", "AdmissionGatedBy", false, NULL},
    {"a.b/c", NULL, true, NULL},
    {"", NULL, false, NULL},
};

/* A LocalQueue that goes takes the reservation with it, also where it is stopped; what has none yet waits on. */
START_TEST(terminating_queue)
{
    make(&(struct setting){.with_check = true, .lq_deleting = true, .lq_stop = _i ? STOP_HOLD : STOP_NONE});
    put_workload(true);
    ck_assert(world_lq_deleting(world, "ns", "lq"));
    ck_assert(!world_lq_deleting(world, "ns", "other"));
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){.name = mem_strdup("c"), .message = mem_strdup("")};
    status.nchecks = 1;
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    (void)step("");
    is(COND_QUOTA_RESERVED, STATUS_FALSE, "Misconfigured", "LocalQueue lq is terminating or missing");
    is(COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation");
    world_del_local_queue(world, "ns", "lq");
    ck_assert(!world_lq_deleting(world, "ns", "lq"));
}
END_TEST

/* Step 6 */
START_TEST(gate_takes_reservation)
{
    const char *reason = gated_reservations[_i].reason;

    make(&(struct setting){.gates = gated_reservations[_i].gates});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    if (gated_reservations[_i].admitted)
        set(COND_ADMITTED, STATUS_TRUE, "Admitted");
    (void)run(gated_reservations[_i].gated_by);
    is(COND_QUOTA_RESERVED, reason ? STATUS_FALSE : STATUS_TRUE, reason ? reason : "QuotaReserved",
       reason ? "Admission is gated by: a.b/c" : "before");
    ck_assert_int_eq(status.cond[COND_ADMITTED].status == STATUS_TRUE, !reason);
}
END_TEST

/* A reason that stays brings Admitted all the same (10.4 step 8). */
START_TEST(admitted_false_beside_a_kept_reason)
{
    make(&(struct setting){0});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_FALSE, "NoMatchingFlavor");
    ck_assert(step("").changed);
    is(COND_QUOTA_RESERVED, STATUS_FALSE, "NoMatchingFlavor", "before");
    is(COND_ADMITTED, STATUS_FALSE, "NoReservation", "The workload has no reservation");
    ck_assert(!step("").changed);
}
END_TEST

/* A step ends with the list of checks; the next one reads it. */
START_TEST(step_by_step)
{
    make(&(struct setting){.with_check = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    ck_assert(step("").changed);
    ck_assert_uint_eq(status.nchecks, 1);
    ck_assert_int_eq(status.cond[COND_ADMITTED].status, STATUS_ABSENT);
    ck_assert(step("").changed);
    ck_assert_int_eq(status.cond[COND_ADMITTED].status, STATUS_FALSE);
    ck_assert(!step("").changed);
}
END_TEST

/* ---- requeue state ------------------------------------------------------------------------------------------------------ */

static const struct {
    struct setting x;
    const char *before, *reason, *message; /* NULL: Requeued stays False */
} requeues[] = {
    {{0}, "Deactivated", "Reactivated", "The workload was reactivated"},
    {{0}, "DeactivatedDueToAdmissionCheck", NULL, NULL},
    {{0}, "PodsReadyTimeout", "BackoffFinished", "The workload backoff was finished"},
    {{0}, "AdmissionCheck", "BackoffFinished", "The workload backoff was finished"},
    {{0}, "LocalQueueStopped", "LocalQueueRestarted", "The LocalQueue was restarted after being stopped"},
    {{.lq_stop = STOP_HOLD}, "LocalQueueStopped", NULL, NULL},
    {{0},
     "ClusterQueueStopped",
     "ClusterQueueRestarted",
     "The ClusterQueue was restarted after being stopped"},
    {{.cq_stop = STOP_HOLD_AND_DRAIN}, "ClusterQueueStopped", NULL, NULL},
    {{.no_lq = true}, "ClusterQueueStopped", NULL, NULL},
};

START_TEST(requeued)
{
    make(&requeues[_i].x);
    put_workload(true);
    set(COND_REQUEUED, STATUS_FALSE, requeues[_i].before);
    (void)run("");
    is(COND_REQUEUED, requeues[_i].reason ? STATUS_TRUE : STATUS_FALSE,
       requeues[_i].reason ? requeues[_i].reason : requeues[_i].before,
       requeues[_i].reason ? requeues[_i].message : "before");
}
END_TEST

START_TEST(backoff)
{
    make(&(struct setting){0});
    put_workload(true);
    set(COND_REQUEUED, STATUS_FALSE, "PodsReadyTimeout");
    status.requeue_at = LATER;
    struct lifecycle_result r = run("");
    ck_assert(!r.changed);
    ck_assert_int_eq(r.again, LATER);
    status.requeue_at = NOW;
    r = run("");
    ck_assert(r.changed);
    ck_assert_int_eq(r.again, WHEN_NONE);
    ck_assert_int_eq(status.requeue_at, WHEN_NONE);
    is(COND_REQUEUED, STATUS_TRUE, "BackoffFinished", "The workload backoff was finished");
}
END_TEST

START_TEST(retry_after)
{
    make(&(struct setting){0});
    put_workload(true);
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){.name = mem_strdup("c"),
                                             .message = mem_strdup(""),
                                             .state = CHECK_RETRY,
                                             .since = NOW,
                                             .has_requeue_after = true,
                                             .requeue_after_s = 60};
    status.nchecks = 1;
    ck_assert(run("").changed);
    ck_assert_int_eq(status.requeue_at, NOW + 60 * NS_PER_S);
    struct lifecycle_result r = run("");
    ck_assert(!r.changed);
    ck_assert_int_eq(r.again, NOW + 60 * NS_PER_S);
}
END_TEST

START_TEST(deactivated_with_cause)
{
    make(&(struct setting){0});
    put_workload(false);
    set(COND_DEACTIVATION_TARGET, STATUS_TRUE, "RequeuingLimitExceeded");
    status.requeue_count = 3;
    status.requeue_at = LATER;
    ck_assert(run("").changed);
    is(COND_EVICTED, STATUS_TRUE, "DeactivatedDueToRequeuingLimitExceeded",
       "The workload is deactivated due to before");
    is(COND_DEACTIVATION_TARGET, STATUS_ABSENT, "", "");
    ck_assert_int_eq(status.requeue_count, 0);
    ck_assert_int_eq(status.requeue_at, WHEN_NONE);
}
END_TEST

START_TEST(finished)
{
    make(&(struct setting){.no_lq = true});
    put_workload(true);
    set(COND_FINISHED, STATUS_TRUE, "Succeeded");
    ck_assert(!run("").changed);
    is(COND_QUOTA_RESERVED, STATUS_ABSENT, "", "");
}
END_TEST

/* ---- as the controller calls it ----------------------------------------------------------------------------------------- */

static const struct lifecycle_config whole = {
    .ending = {.finish_orphans = true, .has_retention = true, .retention_ns = 60 * NS_PER_S},
    .wait_for_pods_ready = true,
    .pods_ready = {.timeout_ns = 300 * NS_PER_S,
                   .has_limit = true,
                   .limit = 1,
                   .backoff = {NS_PER_S, NS_PER_S, 1}},
};
static struct lifecycle_result look(const struct lifecycle_object *o, const char *gated_by, when_ns now)
{
    struct lifecycle l = lifecycle_of(world, wl, gated_by, now);
    struct lifecycle_result r;

    notices_cut(&notices, 0);
    l.object = o;
    l.config = &whole;
    l.notices = &notices;
    ck_assert_int_eq(lifecycle_run(&l, &status, &r, NULL), 0);
    return r;
}

/* The only notice; none for a NULL reason. */
static void told(bool warning, const char *reason, const char *note)
{
    ck_assert_uint_eq(notices.n, reason ? 1 : 0);
    if (!reason)
        return;
    ck_assert_int_eq(notices.v[0].warning, warning);
    ck_assert_str_eq(notices.v[0].reason, reason);
    ck_assert_str_eq(notices.v[0].note, note);
}

static const struct lifecycle_object plain = {.ending = {.owned = true, .generation = 1},
                                              .has_finalizer = true};
static const struct lifecycle_object timed = {.ending = {.owned = true, .generation = 1},
                                              .max_execution_s = 100};

static void admit(bool with_check)
{
    make(&(struct setting){.with_check = with_check});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    set(COND_ADMITTED, STATUS_TRUE, "Admitted");
    if (!with_check) /* the world would ask for no check, since it knows of no admission */
        tell();
}

/* The timeout, then another try, then it is deactivated. */
START_TEST(pods_not_ready)
{
    admit(false);
    struct lifecycle_result r = look(&plain, "", NOW);
    ck_assert(!r.changed);
    ck_assert_int_eq(r.again, NOW + 300 * NS_PER_S);
    told(false, NULL, NULL);
    r = look(&plain, "", NOW + 300 * NS_PER_S);
    ck_assert(r.changed);
    ck_assert_int_eq(r.evicted, 0);
    ck_assert_str_eq(status.evictions[0].cause, "WaitForStart");
    is(COND_EVICTED, STATUS_TRUE, "PodsReadyTimeout", "Exceeded the PodsReady timeout ns/w");
    told(false, "EvictedDueToPodsReadyTimeout", "Exceeded the PodsReady timeout ns/w");
    ck_assert_int_eq(status.requeue_count, 1);
    ck_assert_int_eq(r.again, NOW + 301 * NS_PER_S);
    ck_assert(!look(&plain, "", NOW + 300 * NS_PER_S).changed);
    told(false, NULL, NULL);
    set(COND_EVICTED, STATUS_FALSE, "QuotaReserved"); /* it comes back, and fails again */
    status.requeue_at = WHEN_NONE;
    r = look(&plain, "", NOW + 300 * NS_PER_S);
    ck_assert(r.deactivate);
    ck_assert_int_eq(r.evicted, -1);
    is(COND_DEACTIVATION_TARGET, STATUS_TRUE, "RequeuingLimitExceeded",
       "exceeding the maximum number of re-queuing retries");
    told(false, NULL, NULL);
}
END_TEST

START_TEST(execution_time)
{
    admit(false);
    set(COND_PODS_READY, STATUS_TRUE, "Started");
    status.accumulated_s = 40;
    struct lifecycle_result r = look(&timed, "", NOW + 59 * NS_PER_S);
    ck_assert(!r.changed);
    ck_assert_int_eq(r.again, NOW + 60 * NS_PER_S);
    r = look(&timed, "", NOW + 60 * NS_PER_S);
    ck_assert(r.changed && r.deactivate);
    ck_assert_int_eq(status.accumulated_s, 0);
    is(COND_DEACTIVATION_TARGET, STATUS_TRUE, "MaximumExecutionTimeExceeded",
       "exceeding the maximum execution time");
    told(true, "MaximumExecutionTimeExceeded", "The maximum execution time (100s) exceeded");
    wl->marks.active = false; /* spec.active was written */
    r = look(&timed, "", NOW + 61 * NS_PER_S);
    ck_assert_int_eq(r.evicted, 0);
    is(COND_EVICTED, STATUS_TRUE, "DeactivatedDueToMaximumExecutionTimeExceeded",
       "The workload is deactivated due to exceeding the maximum execution time");
    told(false, "EvictedDueToDeactivatedDueToMaximumExecutionTimeExceeded",
         "The workload is deactivated due to exceeding the maximum execution time");
    is(COND_DEACTIVATION_TARGET, STATUS_ABSENT, "", "");
}
END_TEST

/* The earlier of the two times counts. */
START_TEST(times_together)
{
    admit(false);
    ck_assert_int_eq(look(&timed, "", NOW).again, NOW + 100 * NS_PER_S);
    set(COND_EVICTED, STATUS_TRUE, "Preempted");
    ck_assert_int_eq(look(&plain, "", NOW).again, WHEN_NONE);
}
END_TEST

static const struct {
    const char *about;
    struct lifecycle_object o;
    bool finished; /* before */
    bool changed, release, remove;
    const char *notice;
    when_ns again;
} ends[] = {
    {"alive",
     {.ending = {.owned = true}, .has_finalizer = true},
     false,
     false,
     false,
     false,
     NULL,
     WHEN_NONE},
    {"deleted by hand",
     {.ending = {.deleting = true}, .has_finalizer = true},
     false,
     false,
     true,
     false,
     NULL,
     WHEN_NONE},
    {"its finalizer is gone", {.ending = {.deleting = true}}, false, false, false, false, NULL, WHEN_NONE},
    {"deleted with an owner",
     {.ending = {.owned = true, .deleting = true}, .has_finalizer = true},
     false,
     false,
     false,
     false,
     NULL,
     WHEN_NONE},
    {"its owner is gone",
     {.ending = {.has_job_uid = true}, .has_finalizer = true},
     false,
     true,
     true,
     false,
     NULL,
     LATER + 60 * NS_PER_S},
    {"kept for a while",
     {.ending = {.owned = true}, .has_finalizer = true},
     true,
     false,
     true,
     true,
     "Deleted",
     WHEN_NONE},
};

START_TEST(ending)
{
    make(&(struct setting){0});
    put_workload(true);
    if (ends[_i].finished)
        set(COND_FINISHED, STATUS_TRUE, "Succeeded");
    struct lifecycle_result r = look(&ends[_i].o, "", LATER);
    ck_assert_msg(r.changed == ends[_i].changed, "%s", ends[_i].about);
    ck_assert_msg(r.release == ends[_i].release, "%s", ends[_i].about);
    ck_assert_msg(r.remove == ends[_i].remove, "%s", ends[_i].about);
    ck_assert_int_eq(r.again, ends[_i].again);
    told(false, ends[_i].notice, "Deleted finished workload due to elapsed retention");
}
END_TEST

/* What is finished needs no place in the world. */
START_TEST(ending_without_world)
{
    make(&(struct setting){0});
    wl = NULL;
    set(COND_FINISHED, STATUS_TRUE, "Succeeded");
    struct lifecycle_result r = look(&plain, "", NOW);
    ck_assert(!r.changed && !r.remove);
    ck_assert_int_eq(r.again, NOW + 60 * NS_PER_S);
}
END_TEST

START_TEST(checks_admit_with_notice)
{
    make(&(struct setting){.with_check = true});
    put_workload(true);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved");
    struct lifecycle_result r = look(&plain, "", NOW);
    ck_assert(r.changed && !r.admitted);
    told(false, NULL, NULL);
    status.checks[0].state = CHECK_READY;
    r = look(&plain, "", NOW + 7 * NS_PER_S);
    ck_assert(r.admitted);
    ck_assert_int_eq(r.wait_ns, 7 * NS_PER_S);
    ck_assert_uint_eq(notices.n,
                      1); /* the name of the queue is that of the admission, which this test does not have */
    ck_assert_str_eq(notices.v[0].note, "Admitted by ClusterQueue , wait time since reservation was 7s");
}
END_TEST

/* A check that wants another try later ends the reservation now; the time it asked for is kept. */
START_TEST(retry_gives_quota_back_at_once)
{
    admit(true);
    set(COND_PODS_READY, STATUS_TRUE, "Started");
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] = (struct status_check){.name = mem_strdup("c"),
                                             .message = mem_strdup(""),
                                             .state = CHECK_RETRY,
                                             .since = NOW,
                                             .has_requeue_after = true,
                                             .requeue_after_s = 60};
    status.nchecks = 1;
    struct lifecycle_result r = look(&plain, "", NOW);
    ck_assert_int_eq(status.requeue_at, NOW + 60 * NS_PER_S);
    is(COND_EVICTED, STATUS_TRUE, "AdmissionCheck", "Evicted due to AdmissionCheck in Retry state: \"c\"");
    told(false, "EvictedDueToAdmissionCheck", "Evicted due to AdmissionCheck in Retry state: \"c\"");
    ck_assert_int_eq(r.again, NOW + 60 * NS_PER_S);
    ck_assert_int_eq(status.checks[0].state, CHECK_PENDING);
    ck_assert_int_eq(status.checks[0].retry_count, 1);
}
END_TEST

START_TEST(rejection_is_told_once)
{
    admit(true);
    status.checks = mem_zalloc(1, sizeof(*status.checks));
    status.checks[0] =
        (struct status_check){.name = mem_strdup("c"), .message = mem_strdup("no"), .state = CHECK_REJECTED};
    status.nchecks = 1;
    ck_assert(look(&plain, "", NOW).deactivate);
    told(true, "AdmissionCheckRejected", "Deactivated due to AdmissionCheck in Rejected state: \"c\" (no)");
    ck_assert(look(&plain, "", NOW).deactivate);
    told(true, NULL, NULL);
}
END_TEST

START_TEST(gate_comes_and_goes)
{
    make(&(struct setting){0});
    put_workload(true);
    (void)look(&plain, "a", NOW);
    told(false, "AdmissionGated", "Workload admission is gated by: a");
    (void)look(&plain, "a", NOW);
    told(false, NULL, NULL);
    (void)look(&plain, "", NOW);
    told(false, "AdmissionGateCleared", "Admission gate cleared, workload is now admissible");
    (void)look(&plain, "", NOW);
    told(false, NULL, NULL);
}
END_TEST

/* What never held quota is evicted without a word (10.4 step 5 d). */
START_TEST(deactivated_while_pending)
{
    make(&(struct setting){0});
    put_workload(false);
    struct lifecycle_result r = look(&plain, "", NOW);
    ck_assert(r.changed);
    ck_assert_int_eq(r.evicted, -1);
    is(COND_EVICTED, STATUS_TRUE, "Deactivated", "The workload is deactivated");
    told(false, NULL, NULL);
}
END_TEST

START_TEST(out_of_memory_with_notices)
{
    for (uint64_t n = 1;; n++) {
        struct lifecycle_result r;
        admit(false);
        struct lifecycle l = lifecycle_of(world, wl, "", LATER);
        l.object = &plain;
        l.config = &whole;
        l.notices = &notices;
        notices_free(&notices);
        mem_fail_after(n);
        int rc = lifecycle_run(&l, &status, &r, NULL);
        mem_fail_after(0);
        if (rc) {
            ck_assert_int_eq(rc, ERR_NOMEM);
            ck_assert_int_eq(lifecycle_run(&l, &status, &r, NULL), 0);
        }
        is(COND_EVICTED, STATUS_TRUE, "PodsReadyTimeout", "Exceeded the PodsReady timeout ns/w");
        ck_assert_int_eq(status.requeue_count, 1);
        teardown();
        if (!rc)
            break;
        ck_assert_uint_lt(n, 1000);
    }
    make(&(struct setting){0}); /* for the teardown */
}
END_TEST

START_TEST(out_of_memory)
{
    for (uint64_t n = 1;; n++) {
        struct lifecycle_result r;
        make(&(struct setting){.no_lq = true});
        put_workload(false);
        struct lifecycle l = lifecycle_of(world, wl, "", NOW);
        mem_fail_after(n);
        int rc = lifecycle_run(&l, &status, &r, NULL);
        mem_fail_after(0);
        if (rc) {
            ck_assert_int_eq(rc, ERR_NOMEM);
            ck_assert_int_eq(lifecycle_run(&l, &status, &r, NULL), 0); /* goes on from there */
        }
        is(COND_QUOTA_RESERVED, STATUS_FALSE, "Deactivated", "The workload is deactivated");
        is(COND_EVICTED, STATUS_TRUE, "Deactivated", "The workload is deactivated");
        teardown();
        if (!rc)
            break;
        ck_assert_uint_lt(n, 1000);
    }
    make(&(struct setting){0}); /* for the teardown */
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *s = suite_create("lifecycle");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_loop_test(t, pending, 0, ROWS(pendings));
    tcase_add_loop_test(t, drain, 0, ROWS(drains));
    tcase_add_loop_test(t, loss, 0, ROWS(losses));
    tcase_add_loop_test(t, failed_check, 0, ROWS(failures));
    tcase_add_loop_test(t, requeued, 0, ROWS(requeues));
    tcase_add_loop_test(t, failed_check_before_admission, 0, ROWS(failures));
    tcase_add_loop_test(t, gate_takes_reservation, 0, ROWS(gated_reservations));
    tcase_add_test(t, admitted_without_queue);
    tcase_add_loop_test(t, terminating_queue, 0, 2);
    tcase_add_test(t, admitted_false_beside_a_kept_reason);
    tcase_add_test(t, step_by_step);
    tcase_add_test(t, checks_admit);
    tcase_add_test(t, backoff);
    tcase_add_test(t, retry_after);
    tcase_add_test(t, deactivated_with_cause);
    tcase_add_test(t, finished);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, pods_not_ready);
    tcase_add_test(t, execution_time);
    tcase_add_test(t, times_together);
    tcase_add_loop_test(t, ending, 0, ROWS(ends));
    tcase_add_test(t, ending_without_world);
    tcase_add_test(t, checks_admit_with_notice);
    tcase_add_test(t, retry_gives_quota_back_at_once);
    tcase_add_test(t, rejection_is_told_once);
    tcase_add_test(t, gate_comes_and_goes);
    tcase_add_test(t, deactivated_while_pending);
    tcase_add_test(t, out_of_memory_with_notices);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
