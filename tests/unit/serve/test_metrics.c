#include "base/mem.h"
#include "serve/metrics.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void collect(void *arg, struct metrics_out *out)
{
    const int *n = arg;

    for (int i = 0; i < *n; i++)
        metrics_sample(out, (const char *const[]){i ? "b" : "a"}, i + 0.5);
}

enum { PLAIN, COUNTED, WAITS, DEPTH, NOW, SORTS, FAMILIES };

static const double two_bounds[] = {1, 2.5};
static const struct metric table[FAMILIES] = {
    [PLAIN] = {.name = "plain_total", .help = "One \"line\"\nand a back\\slash.", .type = METRIC_COUNTER},
    [COUNTED] = {.name = "counted_total",
                 .help = "Counted.",
                 .type = METRIC_COUNTER,
                 .owner = METRIC_CLUSTER_QUEUE,
                 .labels = {"cluster_queue", "reason"}},
    [WAITS] = {.name = "wait_seconds",
               .help = "Waits.",
               .type = METRIC_HISTOGRAM,
               .owner = METRIC_LOCAL_QUEUE,
               .labels = {"name", "namespace"},
               .bounds = two_bounds,
               .nbounds = 2},
    [DEPTH] = {.name = "depth", .help = "Depth.", .type = METRIC_GAUGE},
    [NOW] = {.name = "now", .help = "Now.", .type = METRIC_GAUGE, .labels = {"who"}, .collect = collect},
    [SORTS] = {.name = "sorts",
               .help = "Sorts.",
               .type = METRIC_GAUGE,
               .owner = METRIC_CLUSTER_QUEUE,
               .labels = {"cluster_queue", "sort"}},
};

static int samples;
#define V(...) ((const char *const[]){__VA_ARGS__})

static struct metrics *made(void)
{
    struct err err;
    struct metrics *m = metrics_new(table, FAMILIES, &samples, &err);

    ck_assert_ptr_nonnull(m);
    samples = 0;
    return m;
}

static void is_text(struct metrics *m, const char *want)
{
    struct str out;
    struct err err;

    str_init(&out, 0);
    ck_assert_int_eq(metrics_text(m, &out, &err), 0);
    ck_assert_str_eq(str_text(&out), want);
    ck_assert_uint_eq(metrics_stats(m).bytes, strlen(want));
    str_free(&out);
}

START_TEST(test_text)
{
    struct metrics *m = made();

    is_text(m, "");
    metrics_add(m, PLAIN, NULL, 2);
    metrics_add(m, COUNTED, V("cq", "a\"b\\c\nd\xff\xc3\xa4"), 1);
    metrics_add(m, COUNTED, V("cq", NULL), 0.5);
    metrics_observe(m, WAITS, V("lq", "ns"), 0);
    metrics_observe(m, WAITS, V("lq", "ns"), 1);
    metrics_observe(m, WAITS, V("lq", "ns"), 1.25);
    metrics_observe(m, WAITS, V("lq", "ns"), 99);
    metrics_observe(m, WAITS, V("lq", "ns"), (double)NAN);
    metrics_set(m, DEPTH, NULL, -3);
    samples = 2;
    is_text(m, "# HELP plain_total One \"line\"\\nand a back\\\\slash.\n"
               "# TYPE plain_total counter\n"
               "plain_total 2\n"
               "# HELP counted_total Counted.\n"
               "# TYPE counted_total counter\n"
               "counted_total{cluster_queue=\"cq\",reason=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa4\"} 1\n"
               "counted_total{cluster_queue=\"cq\",reason=\"\"} 0.5\n"
               "# HELP wait_seconds Waits.\n"
               "# TYPE wait_seconds histogram\n"
               "wait_seconds_bucket{name=\"lq\",namespace=\"ns\",le=\"1\"} 2\n"
               "wait_seconds_bucket{name=\"lq\",namespace=\"ns\",le=\"2.5\"} 3\n"
               "wait_seconds_bucket{name=\"lq\",namespace=\"ns\",le=\"+Inf\"} 4\n"
               "wait_seconds_sum{name=\"lq\",namespace=\"ns\"} 101.25\n"
               "wait_seconds_count{name=\"lq\",namespace=\"ns\"} 4\n"
               "# HELP depth Depth.\n"
               "# TYPE depth gauge\n"
               "depth -3\n"
               "# HELP now Now.\n"
               "# TYPE now gauge\n"
               "now{who=\"a\"} 0.5\n"
               "now{who=\"b\"} 1.5\n");
    metrics_free(m);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

static const struct {
    double v;
    const char *text;
} numbers[] = {
    {0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-17, "-17"},
    {0.1, "0.1"},
    {1e15, "1000000000000000"},
    {9007199254740991, "9007199254740991"},
    {1e300, "1e+300"},
    {1.0 / 3, "0.3333333333333333"},
    {5e-324, "4.94065645841247e-324"},
    {123456.789, "123456.789"},
    {0.1 + 0.2, "0.30000000000000004"},
    {(double)INFINITY, "+Inf"},
    {-(double)INFINITY, "-Inf"},
    {(double)NAN, "NaN"},
};

START_TEST(test_numbers)
{
    struct str s;

    str_init(&s, 0);
    metrics_number(&s, numbers[_i].v);
    ck_assert_str_eq(str_text(&s), numbers[_i].text);
    str_free(&s);
}
END_TEST

/* With a queue its series go, those of others and of other kinds stay. */
START_TEST(test_forget)
{
    struct metrics *m = made();

    metrics_add(m, COUNTED, V("a", "x"), 1);
    metrics_add(m, COUNTED, V("a", "y"), 1);
    metrics_add(m, COUNTED, V("b", "x"), 1);
    metrics_set(m, SORTS, V("a", "z"), 4);
    metrics_observe(m, WAITS, V("a", "b"), 3);
    metrics_forget(m, METRIC_CLUSTER_QUEUE, "nobody", NULL);
    metrics_forget(m, METRIC_LOCAL_QUEUE, "b", "a");
    metrics_forget(m, METRIC_COHORT, "a", NULL);
    ck_assert_uint_eq(metrics_stats(m).series, 5);
    metrics_forget(m, METRIC_CLUSTER_QUEUE, "a", NULL);
    metrics_forget(m, METRIC_LOCAL_QUEUE, "a", "b");
    ck_assert_uint_eq(metrics_stats(m).series, 1);
    is_text(m, "# HELP counted_total Counted.\n# TYPE counted_total counter\n"
               "counted_total{cluster_queue=\"b\",reason=\"x\"} 1\n");
    metrics_add(m, COUNTED, V("a", "x"), 7); /* one of that name comes again: it begins at nothing */
    metrics_clear(m, PLAIN);
    metrics_forget(m, METRIC_CLUSTER_QUEUE, "b", NULL);
    is_text(m, "# HELP counted_total Counted.\n# TYPE counted_total counter\n"
               "counted_total{cluster_queue=\"a\",reason=\"x\"} 7\n");
    metrics_clear(m, COUNTED);
    is_text(m, "");
    metrics_free(m);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(test_hold)
{
    struct metrics *m = made();
    struct metric_series *a = metrics_hold(m, SORTS, V("q", "x"));
    struct metric_series *b = metrics_hold(m, SORTS, V("q", "x"));
    struct metric_series *c = metrics_hold(m, SORTS, V("q", "y"));

    ck_assert_ptr_eq(a, b);
    ck_assert_ptr_ne(a, c);
    metrics_give_back(m, c);
    is_text(m, "# HELP sorts Sorts.\n# TYPE sorts gauge\nsorts{cluster_queue=\"q\",sort=\"x\"} 2\n");
    metrics_forget(m, METRIC_CLUSTER_QUEUE, "q", NULL);
    is_text(m, "");
    c = metrics_hold(m, SORTS, V("q", "x"));
    ck_assert_ptr_ne(a, c);
    metrics_give_back(m, a);
    metrics_give_back(m, b);
    metrics_give_back(m, NULL);
    is_text(m, "# HELP sorts Sorts.\n# TYPE sorts gauge\nsorts{cluster_queue=\"q\",sort=\"x\"} 1\n");
    metrics_free(m); /* what is held goes, too */
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(test_limits)
{
    struct metrics *m = made();
    static char big[METRICS_VALUES_MAX + 1];
    char value[32];

    memset(big, 'x', METRICS_VALUES_MAX);
    metrics_add(m, COUNTED, V(big, "x"), 1);
    ck_assert_uint_eq(metrics_stats(m).dropped_limit, 1);
    for (int i = 0; i < METRICS_FAMILY_MAX + 5; i++) {
        snprintf(value, sizeof(value), "%d", i);
        metrics_add(m, COUNTED, V("q", value), 1);
    }
    ck_assert_uint_eq(metrics_stats(m).series, METRICS_FAMILY_MAX);
    ck_assert_uint_eq(metrics_stats(m).dropped_limit, 6);
    metrics_add(m, COUNTED, V("q", "0"), 1); /* those there are go on */
    ck_assert_uint_eq(metrics_stats(m).dropped_limit, 6);
    struct str out;
    struct err err;
    str_init(&out, 1000);
    ck_assert_int_eq(metrics_text(m, &out, &err), ERR_NOMEM);
    str_free(&out);
    metrics_free(m);
    metrics_add(NULL, COUNTED, V("q", "0"), 1);
    metrics_free(NULL);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* Wherever memory runs out, an update is lost and counted, and nothing else happens. */
START_TEST(test_memory)
{
    struct err err;

    for (uint64_t n = 1; n < 40; n++) {
        mem_fail_after(n);
        struct metrics *m = metrics_new(table, FAMILIES, &samples, &err);
        metrics_add(m, COUNTED, V("a", "x"), 1);
        metrics_observe(m, WAITS, V("a", "b"), 1);
        metrics_give_back(m, metrics_hold(m, SORTS, V("a", "x")));
        mem_fail_after(0);
        if (!m) {
            ck_assert_int_eq(err.code, ERR_NOMEM);
            continue;
        }
        struct metrics_stats s = metrics_stats(m);
        ck_assert_uint_le(s.series, 2);
        ck_assert_msg(s.series == 2 || s.dropped_memory > 0, "lost without a word");
        metrics_add(m, COUNTED, V("a", "x"), 1);
        metrics_observe(m, WAITS, V("a", "b"), 1);
        ck_assert_uint_eq(metrics_stats(m).series, 2);
        metrics_free(m);
        ck_assert_int_eq(mem_live(), 0);
    }
}
END_TEST

static const double falling[] = {2, 1};
static const struct metric bad[] = {
    {.name = "1a", .help = ""},
    {.name = "", .help = ""},
    {.name = "a-b", .help = ""},
    {.name = "a", .help = "", .labels = {"b:c"}},
    {.name = "a", .help = "", .labels = {"__b"}},
    {.name = "a", .help = "", .labels = {"b", "b"}},
    {.name = "a", .help = "", .type = METRIC_HISTOGRAM, .labels = {"le"}},
    {.name = "a", .help = "", .type = METRIC_HISTOGRAM, .bounds = falling, .nbounds = 2},
    {.name = "a", .help = "", .type = METRIC_HISTOGRAM, .collect = collect},
    {.name = "a", .help = "", .owner = METRIC_LOCAL_QUEUE, .labels = {"name"}},
};

START_TEST(test_bad_table)
{
    struct err err = {0};

    ck_assert_ptr_null(metrics_new(&bad[_i], 1, NULL, &err));
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(test_twice)
{
    struct metric two[2] = {table[PLAIN], table[PLAIN]};
    struct err err = {0};

    ck_assert_ptr_null(metrics_new(two, 2, NULL, &err));
    ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_text);
    tcase_add_loop_test(t, test_numbers, 0, sizeof(numbers) / sizeof(numbers[0]));
    tcase_add_test(t, test_forget);
    tcase_add_test(t, test_hold);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_memory);
    tcase_add_loop_test(t, test_bad_table, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, test_twice);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
