#include "base/quantity.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SI QUANTITY_DECIMAL_SI
#define BIN QUANTITY_BINARY_SI
#define EXP QUANTITY_DECIMAL_EXPONENT
#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

static struct quantity q_of(const char *text)
{
    struct quantity q;
    struct err e = {0};
    ck_assert_msg(quantity_parse(text, strlen(text), &q, &e) == 0, "%s: %s", text, e.text);
    return q;
}

static const char *text_of(struct quantity q)
{
    static char buf[64];
    size_t len = quantity_print(q, buf, sizeof(buf));
    ck_assert_uint_eq(len, strlen(buf));
    return buf;
}

/* Made with Kubernetes' own library, v0.33 (values clamped and negative ones rounded away from zero). */
static const struct {
    const char *in, *text;
    enum quantity_format format;
    int64_t value, milli;
    double approx;
} good[] = {
    {"0", "0", SI, 0, 0, 0.0},
    {"1", "1", SI, 1, 1000, 1.0},
    {"-1", "-1", SI, -1, -1000, -1.0},
    {"+5", "5", SI, 5, 5000, 5.0},
    {"007", "7", SI, 7, 7000, 7.0},
    {"-", "0", SI, 0, 0, 0.0},
    {".", "0", SI, 0, 0, 0.0},
    {"Ki", "0", BIN, 0, 0, 0.0},
    {"e20", "0", EXP, 0, 0, 0.0},
    {".5", "500m", SI, 1, 500, 0.5},
    {"-.5", "-500m", SI, -1, -500, -0.5},
    {"1.", "1", SI, 1, 1000, 1.0},
    {"1.5", "1500m", SI, 2, 1500, 1.5},
    {"1.500", "1500m", SI, 2, 1500, 1.5},
    {"0.3", "300m", SI, 1, 300, 0.30000000000000004},
    {"300m", "300m", SI, 1, 300, 0.3},
    {"5500u", "5500u", SI, 1, 6, 0.0055},
    {"1n", "1n", SI, 1, 1, 1e-09},
    {"0.5n", "1n", SI, 1, 1, 1e-09},
    {"1.5n", "2n", SI, 1, 1, 2e-09},
    {"-1.5n", "-2n", SI, -1, -1, -2e-09},
    {"0.0000000001", "1n", SI, 1, 1, 1e-09},
    {"100n", "100n", SI, 1, 1, 1.0000000000000001e-07},
    {"1u", "1u", SI, 1, 1, 1e-06},
    {"1m", "1m", SI, 1, 1, 0.001},
    {"999m", "999m", SI, 1, 999, 0.999},
    {"1000m", "1", SI, 1, 1000, 1.0},
    {"1500m", "1500m", SI, 2, 1500, 1.5},
    {"1k", "1k", SI, 1000, 1000000, 1000.0},
    {"1000", "1k", SI, 1000, 1000000, 1000.0},
    {"1500", "1500", SI, 1500, 1500000, 1500.0},
    {"100000", "100k", SI, 100000, 100000000, 100000.0},
    {"1M", "1M", SI, 1000000, 1000000000, 1000000.0},
    {"1G", "1G", SI, 1000000000, 1000000000000, 1000000000.0},
    {"1T", "1T", SI, 1000000000000, 1000000000000000, 1000000000000.0},
    {"1P", "1P", SI, 1000000000000000, 1000000000000000000, 1000000000000000.0},
    {"1E", "1E", SI, 1000000000000000000, INT64_MAX, 1e+18},
    {"12E", "12E", SI, INT64_MAX, INT64_MAX, 1.2e+19},
    {"1e3", "1e3", EXP, 1000, 1000000, 1000.0},
    {"1E3", "1e3", EXP, 1000, 1000000, 1000.0},
    {"1e+3", "1e3", EXP, 1000, 1000000, 1000.0},
    {"1e-3", "1e-3", EXP, 1, 1, 0.001},
    {"1e-9", "1e-9", EXP, 1, 1, 1e-09},
    {"1e-10", "1e-9", EXP, 1, 1, 1e-09},
    {"1e4", "10e3", EXP, 10000, 10000000, 10000.0},
    {"1e5", "100e3", EXP, 100000, 100000000, 100000.0},
    {"12e6", "12e6", EXP, 12000000, 12000000000, 12000000.0},
    {"1500e-3", "1500e-3", EXP, 2, 1500, 1.5},
    {"0e5", "0", EXP, 0, 0, 0.0},
    {"1Ki", "1Ki", BIN, 1024, 1024000, 1024.0},
    {"1023", "1023", SI, 1023, 1023000, 1023.0},
    {"1023Ki", "1023Ki", BIN, 1047552, 1047552000, 1047552.0},
    {"1024Ki", "1Mi", BIN, 1048576, 1048576000, 1048576.0},
    {"1000Ki", "1000Ki", BIN, 1024000, 1024000000, 1024000.0},
    {"1536Mi", "1536Mi", BIN, 1610612736, 1610612736000, 1610612736.0},
    {"1.5Gi", "1536Mi", BIN, 1610612736, 1610612736000, 1610612736.0},
    {"1.1Ki", "1126400m", BIN, 1127, 1126400, 1126.4},
    {"0.5Ki", "512", BIN, 512, 512000, 512.0},
    {"0.0001Ki", "102400u", SI, 1, 103, 0.1024},
    {"1.25Ki", "1280", BIN, 1280, 1280000, 1280.0},
    {"-0.5Ki", "-512", BIN, -512, -512000, -512.0},
    {"-1.5Gi", "-1536Mi", BIN, -1610612736, -1610612736000, -1610612736.0},
    {"0Ki", "0", BIN, 0, 0, 0.0},
    {"64Ti", "64Ti", BIN, 70368744177664, 70368744177664000, 70368744177664.0},
    {"1Pi", "1Pi", BIN, 1125899906842624, 1125899906842624000, 1125899906842624.0},
    {"1.000000001Ei", "1152921505759768480606846976n", BIN, 1152921505759768481, INT64_MAX,
     1.1529215057597686e+18},
    {"7Ei", "7Ei", BIN, 8070450532247928832, INT64_MAX, 8.070450532247929e+18},
    {"8Ei", "9223372036854775807", BIN, INT64_MAX, INT64_MAX, 9.223372036854776e+18},
    {"-9Ei", "-9223372036854775807", BIN, -9223372036854775807, INT64_MIN, -9.223372036854776e+18},
    {"0.00000000000000000001Ei", "11529216n", SI, 1, 12, 0.011529216},
    {"9223372036854775807Ki", "9223372036854775807", BIN, INT64_MAX, INT64_MAX, 9.223372036854776e+18},
    {"9223372036854775807", "9223372036854775807", SI, INT64_MAX, INT64_MAX, 9.223372036854776e+18},
    {"9223372036854775808", "9223372036854775808", SI, INT64_MAX, INT64_MAX, 9.223372036854776e+18},
    {"-9223372036854775808", "-9223372036854775808", SI, INT64_MIN, INT64_MIN, -9.223372036854776e+18},
    {"9223372036854775807m", "9223372036854775807m", SI, 9223372036854776, INT64_MAX, 9223372036854776.0},
    {"9223372036854775.807", "9223372036854775807m", SI, 9223372036854776, INT64_MAX, 9223372036854776.0},
    {"100000000000000000000", "100E", SI, INT64_MAX, INT64_MAX, 1e+20},
    {"12345678901234567890.123456789", "12345678901234567890123456789n", SI, INT64_MAX, INT64_MAX,
     1.234567890123457e+19},
    {"1234567890123456789", "1234567890123456789", SI, 1234567890123456789, INT64_MAX, 1.234567890123457e+18},
    {"0.1234567890", "123456789n", SI, 1, 124, 0.12345678900000001},
    {"0.1234567891", "123456790n", SI, 1, 124, 0.12345679000000001},
    {"999999999999999999k", "999999999999999999k", SI, INT64_MAX, INT64_MAX, 1e+21},
    {"1e4294967296", "1", EXP, 1, 1000, 1.0},
    {"1e20", "100e18", EXP, INT64_MAX, INT64_MAX, 1e+20},
    {"10e18", "10e18", EXP, INT64_MAX, INT64_MAX, 1e+19},
};

START_TEST(test_good)
{
    struct quantity q = q_of(good[_i].in);
    ck_assert_str_eq(text_of(q), good[_i].text);
    ck_assert_int_eq(q.format, good[_i].format);
    ck_assert_msg(quantity_value(q) == good[_i].value, "%s: %jd", good[_i].in, (intmax_t)quantity_value(q));
    ck_assert_msg(quantity_milli(q) == good[_i].milli, "%s: %jd", good[_i].in, (intmax_t)quantity_milli(q));
    ck_assert_msg(quantity_double(q) == good[_i].approx, "%s: %.17g", good[_i].in, quantity_double(q));
    ck_assert(q.coef == 0 ? q.exp10 == 0 : q.coef % 10 != 0);
    ck_assert_int_eq(quantity_cmp(q, q_of(good[_i].text)), 0);
    ck_assert_int_eq(quantity_sign(q), quantity_cmp(q, q_of("0")));
}
END_TEST

/* Where Kubernetes prints something else than the value, the value is printed. */
static const struct {
    const char *in, *text;
} extended[] = {
    {"1000E", "1000E"},
    {"1000000000000000000000", "1000E"},
    {"-123456789E", "-123456789E"},
    {"170141183460469231731687303715884105727", "170141183460469231731687303715884105727"},
    {"170141183460469231731687303715884105728", "170141183460469231731687303715884105730"},
    {"123456789012345678901234567890123456789012345", "123456789012345678901234567890123456790M"},
    {"10e2147483647", "100e2147483646"},
};

START_TEST(test_extended)
{
    ck_assert_str_eq(text_of(q_of(extended[_i].in)), extended[_i].text);
}
END_TEST

#define FORM "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
#define NUMBER "unable to parse numeric part of quantity"
#define SUFFIX "unable to parse quantity's suffix"

static const struct {
    const char *in;
    const char *text;
} bad[] = {
    {"", FORM},        {"1 ", FORM},     {" 1", FORM},     {"1Mi ", FORM},
    {"1K", SUFFIX},    {"1ki", SUFFIX},  {"1KI", FORM},    {"1i", SUFFIX},
    {"1mi", SUFFIX},   {"1e", SUFFIX},   {"12e", SUFFIX},  {"1ee3", SUFFIX},
    {"1e3e", FORM},    {"1e3k", FORM},   {"1Mi3", SUFFIX}, {"1+3", SUFFIX},
    {"1-3", SUFFIX},   {"--1", SUFFIX},  {"+-1", SUFFIX},  {"1.2.3", FORM},
    {"1..2", FORM},    {"0x10", FORM},   {"1,5", FORM},    {"e-10", NUMBER},
    {".e-10", NUMBER}, {"-.Ei", NUMBER}, {"Pi", NUMBER},   {"1e9223372036854775808", SUFFIX},
    {"1e--3", FORM},   {"abc", FORM},    {"1_000", FORM},  {"1EE", SUFFIX},
    {"n1", SUFFIX},
};

START_TEST(test_bad)
{
    struct quantity q = {.coef = 77}, before = q;
    struct err e = {0};
    size_t len = strlen(bad[_i].in);
    ck_assert_int_eq(quantity_parse(bad[_i].in, len, &q, &e), ERR_INVALID);
    ck_assert_str_eq(e.text, bad[_i].text);
    ck_assert_int_eq(e.code, ERR_INVALID);
    ck_assert(q.coef == before.coef);
    ck_assert_int_eq(quantity_parse(bad[_i].in, len, &q, NULL), ERR_INVALID);
}
END_TEST

static const struct {
    const char *a, *b, *sum, *product;
    int cmp;
} pairs[] = {
    {"1", "2", "3", "2", -1},
    {"0", "1Ki", "1Ki", "0", -1},
    {"1Ki", "0", "1Ki", "0", 1},
    {"1Ki", "1000", "2024", "1000Ki", 1},
    {"1", "1000m", "2", "1", 0},
    {"1Gi", "1Gi", "2Gi", "1Ei", 0},
    {"1Ei", "-1Ei", "0", "-1152921504606846976Ei", 1},
    {"-1", "1n", "-999999999n", "-1n", -1},
    {"-2", "-1", "-3", "2", -1},
    {"1e3", "1", "1001", "1e3", 1},
    {"1n", "1n", "2n", "1n", 0}, /* the product is finer than 1n: printed rounded up */
    {"9223372036854775807", "1", "9223372036854775808", "9223372036854775807", 1},
    {"7Ei", "7Ei", "14Ei", "56493153725735501824Ei", 0},
    {"170141183460469231731687303715884105727", "1", "170141183460469231731687303715884105730",
     "170141183460469231731687303715884105727", 1},
    {"1000000000000000000000000000000", "1n", "1000000000000000000000000000000000000010n", "1000E", 1},
    {"1e30", "-1e30", "0", "-1e60", 1},
    {"1e2000000000", "1e2000000000", "200e1999999998", "1701411834604692317316873037158841057270e2147483646",
     0},
};

START_TEST(test_pairs)
{
    struct quantity a = q_of(pairs[_i].a), b = q_of(pairs[_i].b);
    ck_assert_str_eq(text_of(quantity_add(a, b)), pairs[_i].sum);
    ck_assert_int_eq(quantity_cmp(a, b), pairs[_i].cmp);
    ck_assert_int_eq(quantity_cmp(b, a), -pairs[_i].cmp);
    ck_assert_int_eq(quantity_cmp(quantity_add(a, b), quantity_add(b, a)), 0);
    ck_assert_int_eq(quantity_cmp(quantity_mul(a, b), quantity_mul(b, a)), 0);
    ck_assert_str_eq(text_of(quantity_mul(a, b)), pairs[_i].product);
}
END_TEST

/* Tens that only the product has: 2^100 * 5^54 is 2^46 * 10^54. */
START_TEST(test_product_gains_tens)
{
    __int128 five = 1;
    for (int i = 0; i < 54; i++)
        five *= 5;
    struct quantity a = {.coef = (__int128)1 << 100}, b = {.coef = five};
    struct quantity p = quantity_mul(a, b);
    ck_assert(p.coef == (__int128)1 << 46);
    ck_assert_int_eq(p.exp10, 54);
}
END_TEST

static const struct {
    const char *in;
    bool is_cpu;
    int64_t request, quota;
} conversions[] = {
    {"1n", true, 1, 1},
    {"0.5", false, 1, 1},
    {"10P", true, INT64_MAX, AMOUNT_UNLIMITED},
    {"1P", true, INT64_C(1000000000000000000), INT64_C(1000000000000000000)},
    {"500m", true, 500, 500},
    {"2", true, 2000, 2000},
    {"1E", false, INT64_C(1000000000000000000), INT64_C(1000000000000000000)},
    {"10E", false, INT64_MAX, AMOUNT_UNLIMITED},
    {"512Mi", false, 536870912, 536870912},
    {"9223372036854774", true, INT64_C(9223372036854774000), INT64_C(9223372036854774000)},
    {"9223372036854774999999m", true, INT64_MAX, AMOUNT_UNLIMITED},
    {"9223372036854774999m", true, INT64_C(9223372036854774999), INT64_C(9223372036854774999)},
    {"9223372036854775", true, INT64_C(9223372036854775000), AMOUNT_UNLIMITED},
    {"9223372036854775807", false, INT64_MAX, AMOUNT_UNLIMITED},
    {"9223372036854775808", false, INT64_MAX, AMOUNT_UNLIMITED},
    {"-3", false, -3, -3},
    {"-100000000000000000000", false, INT64_MIN, INT64_MIN},
    {"-100000000000000000000", true, INT64_MIN, INT64_MIN},
};

START_TEST(test_conversions)
{
    struct quantity q = q_of(conversions[_i].in);
    ck_assert_int_eq(quantity_request(q, conversions[_i].is_cpu), conversions[_i].request);
    ck_assert_int_eq(quantity_quota(q, conversions[_i].is_cpu), conversions[_i].quota);
}
END_TEST

static const struct {
    int64_t v;
    const char *resource, *text;
} amounts[] = {
    {0, "cpu", "0"},
    {1500, "cpu", "1500m"},
    {2000, "cpu", "2"},
    {-1, "cpu", "-1m"},
    {2000000, "cpu", "2k"},
    {INT64_C(1) << 30, "memory", "1Gi"},
    {1024, "ephemeral-storage", "1Ki"},
    {1024, "hugepages-2Mi", "1Ki"},
    {1000, "memory", "1k"},
    {1000, "nvidia.com/gpu", "1k"},
    {1024, "nvidia.com/gpu", "1024"},
    {100000, "memory", "100k"},
    {128000, "memory", "125Ki"},
    {1500000, "memory", "1500k"},
    {1572864, "memory", "1536Ki"},
    {100, "memory", "100"},
    {-2048, "memory", "-2Ki"},
    {INT64_MIN + 2048, "memory", "-9007199254740990Ki"},
    {INT64_MIN, "cpu", "-9223372036854775808m"},
    {AMOUNT_UNLIMITED, "cpu", "9223372036854775807m"},
    {AMOUNT_UNLIMITED, "memory", "9223372036854775807"},
};

START_TEST(test_amounts)
{
    const char *name = amounts[_i].resource;
    bool is_cpu = resource_is_cpu(name), binary = resource_is_binary(name);
    char buf[64];
    size_t len = amount_quantity_print(amounts[_i].v, is_cpu, binary, buf, sizeof(buf));
    ck_assert_str_eq(buf, amounts[_i].text);
    ck_assert_uint_eq(len, strlen(buf));
    ck_assert_int_eq(quantity_request(q_of(buf), is_cpu), amounts[_i].v);
    amount_print(amounts[_i].v, is_cpu, binary, buf, sizeof(buf));
    ck_assert_str_eq(buf, amounts[_i].v == AMOUNT_UNLIMITED ? "<unlimited>" : amounts[_i].text);
}
END_TEST

START_TEST(test_length_rules)
{
    struct quantity q;
    ck_assert_int_eq(quantity_parse("12345", 2, &q, NULL), 0);
    ck_assert_int_eq(quantity_value(q), 12);
    ck_assert_int_eq(quantity_parse("1m\0", 3, &q, NULL), ERR_INVALID);
    ck_assert_int_eq(quantity_parse("\0", 1, &q, NULL), ERR_INVALID);
    ck_assert_int_eq(quantity_parse(NULL, 0, &q, NULL), ERR_INVALID);
}
END_TEST

START_TEST(test_small_buffers)
{
    char buf[8] = "unused!";
    struct quantity q = q_of("123456Ki");
    ck_assert_uint_eq(quantity_print(q, buf, 0), 0);
    ck_assert_str_eq(buf, "unused!");
    ck_assert_uint_eq(quantity_print(q, buf, 1), 0);
    ck_assert_str_eq(buf, "");
    ck_assert_uint_eq(quantity_print(q, buf, 4), 3);
    ck_assert_str_eq(buf, "123");
    ck_assert_uint_eq(amount_print(AMOUNT_UNLIMITED, false, false, buf, sizeof(buf)), 7);
    ck_assert_str_eq(buf, "<unlimi");
}
END_TEST

START_TEST(test_integers)
{
    static const int64_t values[] = {0, 1, -1, 10, 1000, -1000, INT64_MAX, INT64_MIN, INT64_C(1) << 40};
    for (int i = 0; i < COUNT(values); i++) {
        struct quantity q = quantity_from_i64(values[i]);
        ck_assert_int_eq(quantity_value(q), values[i]);
        ck_assert(quantity_double(q) == (double)values[i]);
        ck_assert_int_eq(q.format, SI);
    }
}
END_TEST

START_TEST(test_names)
{
    ck_assert(resource_is_cpu("cpu") && !resource_is_cpu("cpus") && !resource_is_cpu("requests.cpu"));
    ck_assert(resource_is_binary("memory") && resource_is_binary("hugepages-1Gi"));
    ck_assert(resource_is_binary("ephemeral-storage"));
    ck_assert(!resource_is_binary("hugepages") && !resource_is_binary("storage") &&
              !resource_is_binary("cpu"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quantity");
    TCase *t = tcase_create("quantity");
    tcase_add_loop_test(t, test_good, 0, COUNT(good));
    tcase_add_loop_test(t, test_extended, 0, COUNT(extended));
    tcase_add_loop_test(t, test_bad, 0, COUNT(bad));
    tcase_add_loop_test(t, test_pairs, 0, COUNT(pairs));
    tcase_add_test(t, test_product_gains_tens);
    tcase_add_loop_test(t, test_conversions, 0, COUNT(conversions));
    tcase_add_loop_test(t, test_amounts, 0, COUNT(amounts));
    tcase_add_test(t, test_length_rules);
    tcase_add_test(t, test_small_buffers);
    tcase_add_test(t, test_integers);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
