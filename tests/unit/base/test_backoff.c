#include "base/backoff.h"

#include <check.h>
#include <stdlib.h>

#define MS INT64_C(1000000)

static const struct {
    struct backoff b;
    uint64_t n;
    int64_t want;
} wait_rows[] = {
    {{MS, 10 * MS, 2}, 0, 0},
    {{MS, 10 * MS, 2}, 1, MS},
    {{MS, 10 * MS, 2}, 4, 8 * MS},
    {{MS, 10 * MS, 2}, 5, 10 * MS},
    {{MS, 10 * MS, 2}, UINT64_MAX, 10 * MS},
    {{MS, INT64_MAX, 3}, 1000, INT64_MAX},
    {{MS, 10 * MS, 1}, UINT64_MAX, MS},
    {{20 * MS, 10 * MS, 2}, 1, 10 * MS},
};

START_TEST(wait)
{
    ck_assert_int_eq(backoff_wait(&wait_rows[_i].b, wait_rows[_i].n), wait_rows[_i].want);
}
END_TEST

START_TEST(loop)
{
    const struct backoff b = {MS, 10 * MS, 2};
    uint64_t slow = 0;

    ck_assert_int_eq(backoff_next(&b, &slow, false), MS);
    ck_assert_int_eq(backoff_next(&b, &slow, false), 2 * MS);
    ck_assert_int_eq(backoff_next(&b, &slow, true), 0);
    ck_assert_int_eq(backoff_next(&b, &slow, true), 0);
    ck_assert_int_eq(backoff_next(&b, &slow, false), MS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("backoff");
    TCase *t = tcase_create("backoff");

    tcase_add_loop_test(t, wait, 0, sizeof(wait_rows) / sizeof(wait_rows[0]));
    tcase_add_test(t, loop);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
