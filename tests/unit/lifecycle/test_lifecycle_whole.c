/* The whole look, as the controller calls it: with the object, the configuration and notices. */
#include "lifecycle_test.h"

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

static void add(TCase *t)
{
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
}

int main(void)
{
    return run_suite("lifecycle_whole", add);
}
