#include "lifecycle/podsready.h"

#include "base/mem.h"
#include "lifecycle/execution.h"

#include <check.h>
#include <stdlib.h>

#define MINUTE (60 * NS_PER_S)

static const struct podsready_config config = {.timeout_ns = 5 * MINUTE,
                                               .recovery_ns = 3 * MINUTE,
                                               .has_limit = true,
                                               .limit = 2,
                                               .backoff = {10 * NS_PER_S, 15 * NS_PER_S, 2}};
static struct status s;

static void setup(void)
{
    status_init(&s);
}

static void teardown(void)
{
    status_free(&s);
}

static void set(enum cond_type type, enum cond_status status, const char *reason, when_ns at)
{
    bool changed;
    ck_assert_int_eq(status_set(&s, type, status, reason, "", at, 1, &changed), 0);
}

START_TEST(deadline)
{
    struct podsready_config patient = config;
    const char *cause;

    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), WHEN_NONE);
    ck_assert_str_eq(cause, "");
    set(COND_ADMITTED, STATUS_TRUE, "Admitted", 0);
    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), 5 * MINUTE);
    ck_assert_str_eq(cause, "WaitForStart");
    set(COND_PODS_READY, STATUS_FALSE, "PodsReady", MINUTE);
    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), 5 * MINUTE);
    set(COND_PODS_READY, STATUS_TRUE, "Started", 2 * MINUTE);
    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), WHEN_NONE);
    set(COND_PODS_READY, STATUS_FALSE, "WaitForRecovery", 4 * MINUTE);
    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), 7 * MINUTE);
    ck_assert_str_eq(cause, "WaitForRecovery");
    patient.recovery_ns = 0;
    ck_assert_int_eq(podsready_deadline(&patient, &s, &cause), WHEN_NONE);
    set(COND_EVICTED, STATUS_TRUE, "Preempted", 5 * MINUTE);
    ck_assert_int_eq(podsready_deadline(&config, &s, &cause), WHEN_NONE);
}
END_TEST

/* 10.5: up to a ten-thousandth more, and the cap is jittered, too. */
START_TEST(jitter)
{
    set(COND_ADMITTED, STATUS_TRUE, "Admitted", 0);
    ck_assert_int_eq(podsready_expire(&config, &s, "ns/w", "WaitForStart", 1, MINUTE, 1), 0);
    ck_assert_int_eq(s.requeue_at, MINUTE + 10 * NS_PER_S + NS_PER_MS);
    ck_assert_int_eq(podsready_expire(&config, &s, "ns/w", "WaitForStart", 0.5, MINUTE, 1), 0);
    ck_assert_int_eq(s.requeue_at, MINUTE + 15 * NS_PER_S + 750000);
}
END_TEST

START_TEST(expiry)
{
    set(COND_ADMITTED, STATUS_TRUE, "Admitted", 0);
    for (int i = 1; i <= 2; i++) {
        ck_assert_int_eq(podsready_expire(&config, &s, "ns/w", "WaitForStart", 0, i * MINUTE, 1), 0);
        ck_assert_int_eq(s.requeue_count, i);
        ck_assert_int_eq(s.requeue_at, i * MINUTE + (i == 1 ? 10 : 15) * NS_PER_S);
        ck_assert_str_eq(s.cond[COND_EVICTED].message, "Exceeded the PodsReady timeout ns/w");
        ck_assert_int_eq(s.evictions[0].count, i);
    }
    ck_assert_int_eq(podsready_expire(&config, &s, "ns/w", "WaitForStart", 0, 3 * MINUTE, 1), 0);
    ck_assert_int_eq(s.requeue_count, 2);
    ck_assert_str_eq(s.cond[COND_DEACTIVATION_TARGET].reason, "RequeuingLimitExceeded");
}
END_TEST

START_TEST(out_of_memory)
{
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = podsready_expire(&config, &s, "ns/w", "WaitForStart", 0, MINUTE, 1);
        mem_fail_after(0);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_int_eq(s.requeue_count, 0);
        ck_assert_int_eq(s.cond[COND_EVICTED].status, STATUS_ABSENT);
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_int_eq(s.requeue_count, 1);
}
END_TEST

START_TEST(execution)
{
    int64_t ns;

    ck_assert_int_eq(execution_deadline(&s, 60), WHEN_NONE);
    set(COND_ADMITTED, STATUS_TRUE, "Admitted", MINUTE);
    s.accumulated_s = 20;
    ck_assert_int_eq(execution_deadline(&s, 60), MINUTE + 40 * NS_PER_S);
    ck_assert(!execution_total(&s, &ns));
    ck_assert_int_eq(ns, 0);
    set(COND_FINISHED, STATUS_TRUE, "Succeeded", 3 * MINUTE);
    ck_assert(execution_total(&s, &ns));
    ck_assert_int_eq(ns, 2 * MINUTE + 20 * NS_PER_S);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("podsready");
    TCase *t = tcase_create("podsready");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, deadline);
    tcase_add_test(t, jitter);
    tcase_add_test(t, expiry);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, execution);
    suite_add_tcase(suite, t);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
