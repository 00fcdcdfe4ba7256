#include "sim/tally.h"

#include <check.h>
#include <stdlib.h>

static struct tally t_;

START_TEST(test_percentiles)
{
    t_ = (struct tally){0};
    ck_assert_int_eq(tally_percentile(&t_, 50), 0);
    ck_assert_int_eq(tally_mean(&t_), 0);
    for (int64_t i = 1; i <= 100; i++)
        tally_add(&t_, i * NS_PER_MS);
    ck_assert_int_eq(tally_percentile(&t_, 50), 50 * NS_PER_MS);
    ck_assert_int_eq(tally_percentile(&t_, 95), 95 * NS_PER_MS);
    ck_assert_int_eq(tally_percentile(&t_, 100), 100 * NS_PER_MS);
    ck_assert_int_eq(tally_mean(&t_), 101 * NS_PER_MS / 2);
}
END_TEST

static const int64_t lengths[] = {
    0, 127 * NS_PER_MS, 128 * NS_PER_MS, 60 * NS_PER_S, 86400 * NS_PER_S, 3153600000 * NS_PER_S, INT64_MAX,
};

/* Never less than the length, and at most 0.8 % more. */
START_TEST(test_error)
{
    int64_t ns = lengths[_i];

    t_ = (struct tally){0};
    tally_add(&t_, ns);
    ck_assert_int_eq(tally_percentile(&t_, 99),
                     ns / NS_PER_MS * NS_PER_MS < ns ? tally_percentile(&t_, 99) : ns);
    tally_add(&t_, INT64_MAX);
    int64_t half = tally_percentile(&t_, 50);
    ck_assert_int_ge(half, ns / NS_PER_MS * NS_PER_MS);
    ck_assert_int_le(half - ns, ns / 125);
}
END_TEST

START_TEST(test_negative)
{
    t_ = (struct tally){0};
    tally_add(&t_, -5);
    ck_assert_int_eq(t_.max_ns, 0);
    ck_assert(t_.sum_ns == 0);
}
END_TEST

START_TEST(test_over)
{
    static const int64_t at[] = {0, 5 * NS_PER_MS, 9 * NS_PER_MS, 10 * NS_PER_MS, NS_PER_S, 3600 * NS_PER_S};
    struct tally t = {0};
    uint64_t over[6];

    for (int i = 1; i <= 10; i++)
        tally_add(&t, i * NS_PER_MS);
    tally_add(&t, 0);
    tally_add(&t, 7200 * NS_PER_S);
    tally_over(&t, at, 6, over);
    ck_assert_uint_eq(over[0], 11);
    ck_assert_uint_eq(over[1], 6);
    ck_assert_uint_eq(over[2], 2);
    ck_assert_uint_eq(over[3], 1);
    ck_assert_uint_eq(over[4], 1);
    ck_assert_uint_eq(over[5], 1);
    tally_over(&t, (const int64_t[]){7200 * NS_PER_S}, 1, over);
    ck_assert_uint_eq(over[0], 0);
}
END_TEST

START_TEST(test_window)
{
    const struct window w = {10, 20};

    ck_assert_int_eq(window_part(w, 0, 5), 0);
    ck_assert_int_eq(window_part(w, 0, 15), 5);
    ck_assert_int_eq(window_part(w, 12, 15), 3);
    ck_assert_int_eq(window_part(w, 0, 100), 10);
    ck_assert_int_eq(window_part(w, 20, 100), 0);
    ck_assert_int_eq(window_part((struct window){INT64_MIN + 1, INT64_MAX}, INT64_MIN + 1, 5), INT64_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tally");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_percentiles);
    tcase_add_loop_test(t, test_error, 0, (int)(sizeof(lengths) / sizeof(lengths[0])));
    tcase_add_test(t, test_negative);
    tcase_add_test(t, test_over);
    tcase_add_test(t, test_window);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
