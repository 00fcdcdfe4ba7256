#include "lifecycle_test.h"

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

static void add(TCase *t)
{
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
}

int main(void)
{
    return run_suite("lifecycle", add);
}
