#include "ledger/period.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static when_ns at(const char *text)
{
    when_ns t;

    ck_assert_int_eq(when_parse(text, strlen(text), &t, NULL), 0);
    return t;
}

static const struct {
    enum period p;
    const char *t, *begin, *next;
} cases[] = {
    {PERIOD_DAY, "2026-03-02T09:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"},
    {PERIOD_DAY, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"},
    {PERIOD_DAY, "1969-12-31T23:59:59.999Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
    {PERIOD_WEEK, "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"}, /* a Monday */
    {PERIOD_WEEK, "2026-03-01T23:59:59Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
    {PERIOD_WEEK, "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"},
    {PERIOD_MONTH, "2026-03-31T23:59:59Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"},
    {PERIOD_MONTH, "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
    {PERIOD_MONTH, "2026-12-31T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {PERIOD_MONTH, "1969-12-31T00:00:00Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z"},
};

START_TEST(begins_and_ends)
{
    when_ns begin = period_begin(cases[_i].p, at(cases[_i].t));

    ck_assert_int_eq(begin, at(cases[_i].begin));
    ck_assert_int_eq(period_next(cases[_i].p, begin), at(cases[_i].next));
    ck_assert_int_eq(period_begin(cases[_i].p, begin), begin);
}
END_TEST

/* They follow each other without a hole. */
START_TEST(no_holes)
{
    for (int p = PERIOD_DAY; p <= PERIOD_MONTH; p++) {
        when_ns begin = period_begin((enum period)p, at("1999-12-30T00:00:00Z"));
        for (int i = 0; i < 500; i++) {
            when_ns next = period_next((enum period)p, begin);
            ck_assert(next > begin);
            ck_assert_int_eq(period_begin((enum period)p, next - 1), begin);
            ck_assert_int_eq(period_begin((enum period)p, next), next);
            begin = next;
        }
    }
}
END_TEST

START_TEST(extremes)
{
    ck_assert_int_eq(period_begin(PERIOD_ALL, 5), INT64_MIN + 1);
    ck_assert_int_eq(period_next(PERIOD_ALL, INT64_MIN + 1), INT64_MAX);
    for (int p = PERIOD_DAY; p <= PERIOD_MONTH; p++) {
        ck_assert(period_next((enum period)p, period_begin((enum period)p, INT64_MAX)) == INT64_MAX);
        ck_assert(period_begin((enum period)p, INT64_MIN + 1) <= INT64_MIN + 32 * 86400 * NS_PER_S);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("period");
    TCase *t = tcase_create("period");

    tcase_add_loop_test(t, begins_and_ends, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, no_holes);
    tcase_add_test(t, extremes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
