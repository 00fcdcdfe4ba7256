#include "lifecycle/waits.h"

#include <check.h>
#include <stdlib.h>

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

START_TEST(queued)
{
    ck_assert_int_eq(waits_since_queued(&s, 10, 25), 15);
    ck_assert_int_eq(waits_since_queued(&s, 30, 25), 0); /* another clock */
    set(COND_REQUEUED, STATUS_FALSE, "Preempted", 20);
    ck_assert_int_eq(waits_since_queued(&s, 10, 25), 5);
    set(COND_REQUEUED, STATUS_TRUE, "BackoffFinished", 24);
    ck_assert_int_eq(waits_since_queued(&s, 10, 25), 1);
}
END_TEST

START_TEST(reserved)
{
    ck_assert_int_eq(waits_since_reserved(&s, 25), 0);
    set(COND_QUOTA_RESERVED, STATUS_FALSE, "WaitingForQuota", 5);
    ck_assert_int_eq(waits_since_reserved(&s, 25), 0);
    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", 20);
    ck_assert_int_eq(waits_since_reserved(&s, 25), 5);
    ck_assert_int_eq(waits_since_reserved(&s, 15), 0);
}
END_TEST

START_TEST(ready)
{
    int64_t ns = 1;

    set(COND_PODS_READY, STATUS_TRUE, "Started", 30);
    ck_assert(!waits_until_ready(&s, &ns));
    ck_assert_int_eq(ns, 0);
    set(COND_ADMITTED, STATUS_TRUE, "Admitted", 20);
    ck_assert(waits_until_ready(&s, &ns));
    ck_assert_int_eq(ns, 10);
    set(COND_PODS_READY, STATUS_TRUE, "Recovered", 50);
    ck_assert(!waits_until_ready(&s, &ns));
}
END_TEST

START_TEST(released)
{
    int64_t ns = 1;

    set(COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", 10);
    set(COND_EVICTED, STATUS_TRUE, "Preempted", 20);
    ck_assert(!waits_until_released(&s, &ns));
    ck_assert_int_eq(ns, 0);
    set(COND_QUOTA_RESERVED, STATUS_FALSE, "PendingEvaluation", 26);
    ck_assert(waits_until_released(&s, &ns));
    ck_assert_int_eq(ns, 6);
    set(COND_EVICTED, STATUS_FALSE, "QuotaReserved", 30);
    ck_assert(!waits_until_released(&s, &ns));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("waits");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, queued);
    tcase_add_test(t, reserved);
    tcase_add_test(t, ready);
    tcase_add_test(t, released);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
