#include "lifecycle/requeue.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    int32_t count;
    when_ns at;
    bool counted;
    int32_t want_count;
    when_ns want_at;
    bool want_changed;
} rows[] = {
    {0, WHEN_NONE, true, 1, 100, true}, {1, 100, true, 2, 100, true},
    {3, 200, false, 3, 200, false},     {2, 50, false, 2, 100, true},
    {2, 100, false, 2, 100, false},     {INT32_MAX, 50, true, INT32_MAX, 100, true},
};

START_TEST(later)
{
    struct status s;

    status_init(&s);
    s.requeue_count = rows[_i].count;
    s.requeue_at = rows[_i].at;
    ck_assert_int_eq(requeue_later(&s, 100, rows[_i].counted), rows[_i].want_changed);
    ck_assert_int_eq(s.requeue_count, rows[_i].want_count);
    ck_assert_int_eq(s.requeue_at, rows[_i].want_at);
    status_free(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("requeue");
    TCase *t = tcase_create("requeue");

    tcase_add_loop_test(t, later, 0, sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
