/* The end of a Workload object. */
#include "lifecycle/ending.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define NOW (INT64_C(1000) * NS_PER_S)
#define AGO(s) (NOW - (s)*NS_PER_S)

static const struct {
    bool owned, deleting, job_uid;
    bool finish_orphans, has_retention; /* of 45 s */
    when_ns since;                      /* Finished; 0 = it is not */
    bool finished, release, remove;
    when_ns again;
} rows[] = {
    /* an owner that lives: time decides */
    {true, false, true, true, false, 0, false, false, false, WHEN_NONE},
    {true, false, true, true, false, AGO(90), false, false, false, WHEN_NONE},
    {true, false, true, true, true, 0, false, false, false, WHEN_NONE},
    {true, false, true, true, true, AGO(44), false, false, false, NOW + NS_PER_S},
    {true, false, true, true, true, AGO(45), false, true, true, WHEN_NONE},
    {true, true, true, true, true, AGO(90), false, true, false, WHEN_NONE},
    {true, true, true, true, true, AGO(1), false, false, false, AGO(-44)},
    {true, true, true, true, false, AGO(90), false, false, false, WHEN_NONE},
    /* none, and being deleted: nobody else lets go */
    {false, true, false, false, false, 0, false, true, false, WHEN_NONE},
    {false, true, true, true, true, 0, false, true, false, WHEN_NONE},
    {false, true, false, true, true, NOW, false, true, false, WHEN_NONE},
    /* none: made by hand, or left by a job */
    {false, false, false, true, false, 0, false, false, false, WHEN_NONE},
    {false, false, true, false, false, AGO(90), false, false, false, WHEN_NONE},
    {false, false, true, true, false, 0, true, true, false, WHEN_NONE},
    {false, false, true, true, true, 0, true, true, false, AGO(-45)},
    {false, false, true, true, true, AGO(90), false, true, true, WHEN_NONE},
    {false, false, false, true, true, AGO(90), false, true, true, WHEN_NONE},
};

START_TEST(ending)
{
    struct ending_config c = {rows[_i].finish_orphans, rows[_i].has_retention, 45 * NS_PER_S};
    struct ending_object o = {rows[_i].owned, rows[_i].deleting, rows[_i].job_uid, 7};
    struct status s;
    struct ending e;
    bool changed;

    status_init(&s);
    if (rows[_i].since)
        ck_assert_int_eq(
            status_set(&s, COND_FINISHED, STATUS_TRUE, "Succeeded", "", rows[_i].since, 1, &changed), 0);
    ck_assert_int_eq(ending_of(&c, &o, &s, NOW, &e), 0);
    ck_assert_int_eq(e.finished, rows[_i].finished);
    ck_assert_int_eq(e.release, rows[_i].release);
    ck_assert_int_eq(e.remove, rows[_i].remove);
    ck_assert_int_eq(e.again, rows[_i].again);
    if (e.finished) {
        ck_assert_str_eq(s.cond[COND_FINISHED].reason, "OwnerNotFound");
        ck_assert_str_eq(s.cond[COND_FINISHED].message, "The workload's owner no longer exists");
        ck_assert_int_eq(s.cond[COND_FINISHED].generation, 7);
    }
    status_free(&s);
}
END_TEST

START_TEST(out_of_memory)
{
    struct ending_config c = {.finish_orphans = true};
    struct ending_object o = {.has_job_uid = true};
    struct status s;
    struct ending e;

    status_init(&s);
    mem_fail_after(1);
    int rc = ending_of(&c, &o, &s, NOW, &e);
    mem_fail_after(0);
    ck_assert_int_eq(rc, ERR_NOMEM);
    ck_assert(!e.finished && !e.release);
    ck_assert_int_eq(s.cond[COND_FINISHED].status, STATUS_ABSENT);
    status_free(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ending");
    TCase *t = tcase_create("all");

    tcase_add_loop_test(t, ending, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
