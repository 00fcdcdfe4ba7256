/* Series: exact integrals in few bins, whatever the length. */
#include "sim/series.h"

#include "base/mem.h"

#include <check.h>

#define S NS_PER_S

START_TEST(test_bins)
{
    struct series s;

    ck_assert_int_eq(series_open(&s, 4, 100 * S), 0);
    series_add(&s, SERIES_USED, 99 * S, 102 * S, 3); /* one second of it lies before */
    series_add(&s, SERIES_USED, 101 * S + S / 2, 103 * S, 2);
    series_add(&s, SERIES_WAITING, 100 * S, 100 * S, 7); /* no time */
    ck_assert_int_eq(s.step_ns, S);
    ck_assert_uint_eq(s.n, 3);
    ck_assert(s.bin[0][SERIES_USED] == 3 * S);
    ck_assert(s.bin[1][SERIES_USED] == 4 * S);
    ck_assert(s.bin[2][SERIES_USED] == 2 * S);
    ck_assert(series_sum(&s, SERIES_WAITING) == 0);
    series_add(&s, SERIES_LENT, 104 * S, 105 * S, 1); /* the fifth second: two bins become one */
    ck_assert_int_eq(s.step_ns, 2 * S);
    ck_assert_uint_eq(s.n, 3);
    ck_assert(s.bin[0][SERIES_USED] == 7 * S);
    ck_assert(s.bin[1][SERIES_USED] == 2 * S);
    ck_assert(s.bin[2][SERIES_LENT] == S);
    series_widen(&s, 2 * S);
    ck_assert_int_eq(s.step_ns, 2 * S);
    series_widen(&s, 8 * S);
    ck_assert_uint_eq(s.n, 1);
    ck_assert(s.bin[0][SERIES_USED] == 9 * S);
    ck_assert(s.bin[1][SERIES_USED] == 0);
    series_free(&s);
}
END_TEST

/* Against the sum without bins, over lengths from a second to centuries. */
START_TEST(test_sum)
{
    struct series s;
    uint64_t dice = 88172645463325252u + (uint64_t)_i;
    wide want[SERIES_VALUES] = {0};
    when_ns from = -(INT64_C(1) << 50);

    ck_assert_int_eq(series_open(&s, 64, from), 0);
    for (int i = 0; i < 500; i++) {
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
        when_ns a = from + (int64_t)(dice >> (8 + dice % 50)), b = a + (int64_t)(dice >> (10 + dice % 45));
        amount v = (amount)(dice % 1000);
        enum series_value what = (enum series_value)(dice % SERIES_VALUES);
        series_add(&s, what, a, b, v);
        want[what] += (wide)v * (b - a);
    }
    ck_assert_uint_le(s.n, 64);
    for (int v = 0; v < SERIES_VALUES; v++)
        ck_assert(series_sum(&s, (enum series_value)v) == want[v]);
    series_widen(&s, s.step_ns * 4);
    for (int v = 0; v < SERIES_VALUES; v++)
        ck_assert(series_sum(&s, (enum series_value)v) == want[v]);
    series_free(&s);
}
END_TEST

START_TEST(test_no_memory)
{
    struct series s;

    mem_fail_after(1);
    ck_assert_int_eq(series_open(&s, 8, 0), ERR_NOMEM);
    mem_fail_after(0);
    series_free(&s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("series");
    TCase *t = tcase_create("series");

    tcase_add_test(t, test_bins);
    tcase_add_loop_test(t, test_sum, 0, 20);
    tcase_add_test(t, test_no_memory);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
