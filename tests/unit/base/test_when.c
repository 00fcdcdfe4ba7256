#include "base/when.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))
#define S NS_PER_S

static const struct {
    const char *in;
    int64_t ns;
    const char *text;
} times[] = {
    {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00Z", 1767225600 * S, "2026-01-01T00:00:00Z"},
    {"2026-01-01t00:00:00z", 1767225600 * S, "2026-01-01T00:00:00Z"},
    {"2026-01-01T05:30:00+05:30", 1767225600 * S, "2026-01-01T00:00:00Z"},
    {"2025-12-31T16:30:00-07:30", 1767225600 * S, "2026-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00-00:00", 1767225600 * S, "2026-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00.5Z", 1767225600 * S + 500000000, "2026-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00.123456Z", 1767225600 * S + 123456000, "2026-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00.999999999Z", 1767225600 * S + 999999999, "2026-01-01T00:00:00Z"},
    {"2024-02-29T12:00:00Z", 1709208000 * S, "2024-02-29T12:00:00Z"},
    {"2000-02-29T00:00:00Z", 951782400 * S, "2000-02-29T00:00:00Z"},
    {"1969-12-31T23:59:59.5Z", -500000000, "1969-12-31T23:59:59Z"},
    {"2016-12-31T23:59:60Z", 1483228800 * S - 1, "2016-12-31T23:59:59Z"},
    {"2262-04-11T23:47:16.854775807Z", INT64_MAX, "2262-04-11T23:47:16Z"},
    {"1677-09-21T00:12:43.145224193Z", INT64_MIN + 1, "1677-09-21T00:12:43Z"},
};

START_TEST(test_times)
{
    when_ns t = 7;
    char buf[32];
    ck_assert_int_eq(when_parse(times[_i].in, strlen(times[_i].in), &t, NULL), 0);
    ck_assert_msg(t == times[_i].ns, "%s: %jd", times[_i].in, (intmax_t)t);
    ck_assert_uint_eq(when_print(t, buf, sizeof(buf)), 20);
    ck_assert_str_eq(buf, times[_i].text);
}
END_TEST

static const struct {
    const char *in;
    int code;
} bad_times[] = {
    {"", ERR_INVALID},
    {"2026", ERR_INVALID},
    {"2026-01-01", ERR_INVALID},
    {"2026-01-01T00:00:00", ERR_INVALID},
    {"2026-01-01 00:00:00Z", ERR_INVALID},
    {"2026-01-01T00:00Z", ERR_INVALID},
    {"2026-1-01T00:00:00Z", ERR_INVALID},
    {"2026-00-01T00:00:00Z", ERR_INVALID},
    {"2026-13-01T00:00:00Z", ERR_INVALID},
    {"2026-01-00T00:00:00Z", ERR_INVALID},
    {"2026-01-32T00:00:00Z", ERR_INVALID},
    {"2026-04-31T00:00:00Z", ERR_INVALID},
    {"2026-02-29T00:00:00Z", ERR_INVALID},
    {"1900-02-29T00:00:00Z", ERR_INVALID},
    {"2026-01-01T24:00:00Z", ERR_INVALID},
    {"2026-01-01T00:60:00Z", ERR_INVALID},
    {"2026-01-01T00:00:61Z", ERR_INVALID},
    {"2026-01-01T00:00:00.Z", ERR_INVALID},
    {"2026-01-01T00:00:00.1234567890Z", ERR_INVALID},
    {"2026-01-01T00:00:00,5Z", ERR_INVALID},
    {"2026-01-01T00:00:00+0530", ERR_INVALID},
    {"2026-01-01T00:00:00+05:60", ERR_INVALID},
    {"2026-01-01T00:00:00+24:00", ERR_INVALID},
    {"2026-01-01T00:00:00+05", ERR_INVALID},
    {"2026-01-01T00:00:00ZZ", ERR_INVALID},
    {"2026-01-01T00:00:00Z ", ERR_INVALID},
    {"+026-01-01T00:00:00Z", ERR_INVALID},
    {"2026-01-01T00:00:0\xff", ERR_INVALID},
    {"0001-01-01T00:00:00Z", ERR_RANGE},
    {"9999-12-31T23:59:59Z", ERR_RANGE},
    {"2262-04-11T23:47:16.854775808Z", ERR_RANGE},
    {"1677-09-21T00:12:43.145224192Z", ERR_RANGE}, /* the value that means "not set" */
};

START_TEST(test_bad_times)
{
    when_ns t = 7;
    struct err e = {0};
    ck_assert_int_eq(when_parse(bad_times[_i].in, strlen(bad_times[_i].in), &t, &e), bad_times[_i].code);
    ck_assert_int_eq(e.code, bad_times[_i].code);
    ck_assert_ptr_nonnull(strstr(e.text, bad_times[_i].in));
    ck_assert_int_eq(t, 7);
}
END_TEST

/* Every day of the range, by counting. */
START_TEST(test_calendar)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    char buf[32], want[48];
    int64_t day = -106650; /* 1678-01-01 */
    for (int y = 1678; y < 2262; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= lengths[m - 1] + (m == 2 && (y % 400 == 0 || (y % 4 == 0 && y % 100)));
                 d++, day++) {
                when_ns t = day * 86400 * S, back;
                snprintf(want, sizeof(want), "%04d-%02d-%02dT00:00:00Z", y, m, d);
                when_print(t, buf, sizeof(buf));
                if (strcmp(buf, want) || when_parse(buf, 20, &back, NULL) || back != t)
                    ck_abort_msg("%s: %s", want, buf);
            }
    ck_assert_int_eq(day, 106651);
}
END_TEST

/* From Go: ParseDuration and String. */
static const struct {
    const char *in;
    int64_t ns;
    const char *text;
} durations[] = {
    {"0", 0, "0s"},
    {"-0", 0, "0s"},
    {"+0", 0, "0s"},
    {"0s", 0, "0s"},
    {"1h30m", 5400 * S, "1h30m0s"},
    {"5m0s", 300 * S, "5m0s"},
    {"5m", 300 * S, "5m0s"},
    {"-1.5s", -1500 * NS_PER_MS, "-1.5s"},
    {"+5s", 5 * S, "5s"},
    {"168h", 604800 * S, "168h0m0s"},
    {"100ns", 100, "100ns"},
    {"1us", 1000, "1\xc2\xb5s"},
    {"1.5\xc2\xb5s", 1500, "1.5\xc2\xb5s"},
    {"1.5\xce\xbcs", 1500, "1.5\xc2\xb5s"},
    {"2ms", 2 * NS_PER_MS, "2ms"},
    {"1100us", 1100000, "1.1ms"},
    {"999999999ns", 999999999, "999.999999ms"},
    {"1s1ns", S + 1, "1.000000001s"},
    {"1m0.5s", 60 * S + S / 2, "1m0.5s"},
    {".5s", S / 2, "500ms"},
    {"5.s", 5 * S, "5s"},
    {"1s1s1ms1m1h", 3662001 * NS_PER_MS, "1h1m2.001s"},
    {"0.3333333333333333333h", 1200 * S, "20m0s"},
    {"0.100000000000000000000h", 360 * S, "6m0s"},
    {"0.830103483285477580700h", INT64_C(2988372539827), "49m48.372539827s"},
    {"9223372036854775807ns", INT64_MAX, "2562047h47m16.854775807s"},
    {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
    {"-2562047h47m16.854775808s", INT64_MIN, "-2562047h47m16.854775808s"},
};

START_TEST(test_durations)
{
    int64_t ns = 7, back = 8;
    char buf[32];
    ck_assert_int_eq(duration_parse(durations[_i].in, strlen(durations[_i].in), &ns, NULL), 0);
    ck_assert_msg(ns == durations[_i].ns, "%s: %jd", durations[_i].in, (intmax_t)ns);
    ck_assert_uint_eq(duration_print(ns, buf, sizeof(buf)), strlen(durations[_i].text));
    ck_assert_str_eq(buf, durations[_i].text);
    ck_assert_int_eq(duration_parse(buf, strlen(buf), &back, NULL), 0);
    ck_assert_int_eq(back, ns);
}
END_TEST

static const struct {
    const char *in;
    int code;
} bad_durations[] = {
    {"", ERR_INVALID},
    {"-", ERR_INVALID},
    {"+", ERR_INVALID},
    {"s", ERR_INVALID},
    {".", ERR_INVALID},
    {".s", ERR_INVALID},
    {"1", ERR_INVALID},
    {"00", ERR_INVALID},
    {"1d", ERR_INVALID},
    {"1 s", ERR_INVALID},
    {"1h-2m", ERR_INVALID},
    {"--1s", ERR_INVALID},
    {"1s ", ERR_INVALID},
    {"1.2.3s", ERR_INVALID},
    {"1.5", ERR_INVALID},
    {"9223372036854775808ns", ERR_RANGE},
    {"-9223372036854775809ns", ERR_RANGE},
    {"99999999999999999999999s", ERR_RANGE},
    {"2562048h", ERR_RANGE},
    {"2562047h60m", ERR_RANGE},
    {"-9223372036854775808ns9223372036854775808ns", ERR_RANGE},
};

START_TEST(test_bad_durations)
{
    int64_t ns = 7;
    struct err e = {0};
    const char *in = bad_durations[_i].in;
    ck_assert_int_eq(duration_parse(in, strlen(in), &ns, &e), bad_durations[_i].code);
    ck_assert_int_eq(e.code, bad_durations[_i].code);
    ck_assert_ptr_nonnull(strstr(e.text, in));
    ck_assert_int_eq(ns, 7);
}
END_TEST

START_TEST(test_small_buffers)
{
    char buf[8] = "unused!";
    ck_assert_uint_eq(when_print(0, buf, 0), 0);
    ck_assert_str_eq(buf, "unused!");
    ck_assert_uint_eq(when_print(0, buf, 5), 4);
    ck_assert_str_eq(buf, "1970");
    ck_assert_uint_eq(duration_print(INT64_MIN, buf, sizeof(buf)), 7);
    ck_assert_str_eq(buf, "-256204");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("when");
    TCase *t = tcase_create("when");
    tcase_add_loop_test(t, test_times, 0, COUNT(times));
    tcase_add_loop_test(t, test_bad_times, 0, COUNT(bad_times));
    tcase_add_test(t, test_calendar);
    tcase_add_loop_test(t, test_durations, 0, COUNT(durations));
    tcase_add_loop_test(t, test_bad_durations, 0, COUNT(bad_durations));
    tcase_add_test(t, test_small_buffers);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
