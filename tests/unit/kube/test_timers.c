#include "fake.h"

#include <check.h>
#include <stdlib.h>

struct ring {
    struct fake *f;
    struct timer t;
    int id, *log, *n;
    int64_t again; /* sets itself again; -1 = not */
};

static void ring(void *arg)
{
    struct ring *r = arg;
    r->log[(*r->n)++] = r->id;
    if (r->again >= 0)
        timer_start(&r->f->timers, &r->t, r->again);
}

/* Waits in ms, in the order in which they are set; the order in which they ring. */
static const struct {
    int64_t wait[4];
    int order[4];
} rows[] = {
    {{0, 1, 2, 3}, {0, 1, 2, 3}}, {{3, 2, 1, 0}, {3, 2, 1, 0}},  {{5, 5, 5, 5}, {0, 1, 2, 3}},
    {{5, 0, 5, 0}, {1, 3, 0, 2}}, {{9, -1, 4, 0}, {1, 3, 2, 0}},
};

START_TEST(test_order)
{
    struct fake f;
    struct ring rings[4];
    int log[8], n = 0;
    fake_init(&f);
    ck_assert_int_eq(timers_next(&f.timers), INT64_MAX);
    for (int i = 0; i < 4; i++) {
        rings[i] = (struct ring){.f = &f, .id = i, .log = log, .n = &n, .again = -1};
        timer_init(&rings[i].t, ring, &rings[i]);
        timer_start(&f.timers, &rings[i].t, rows[_i].wait[i] * NS_PER_MS);
    }
    fake_pass(&f, 20 * NS_PER_MS);
    ck_assert_int_eq(n, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(log[i], rows[_i].order[i]);
    ck_assert_int_eq(timers_next(&f.timers), INT64_MAX);
    fake_free(&f);
}
END_TEST

START_TEST(test_moving_and_stopping)
{
    struct fake f;
    int log[8], n = 0;
    fake_init(&f);
    struct ring r = {.f = &f, .id = 7, .log = log, .n = &n, .again = -1};
    timer_init(&r.t, ring, &r);
    timer_start(&f.timers, &r.t, 10);
    timer_start(&f.timers, &r.t, 30);
    ck_assert_int_eq(timers_next(&f.timers), f.now + 30);
    fake_pass(&f, 20);
    ck_assert_int_eq(n, 0);
    timer_stop(&f.timers, &r.t);
    timer_stop(&f.timers, &r.t);
    fake_pass(&f, 20);
    ck_assert_int_eq(n, 0);
    timer_start(&f.timers, &r.t, INT64_MAX);
    ck_assert_int_eq(timers_next(&f.timers), INT64_MAX - 1);
    timer_stop(&f.timers, &r.t);
    fake_free(&f);
}
END_TEST

/* One that sets itself for this moment does not keep timers_run from coming back. */
START_TEST(test_again)
{
    struct fake f;
    int log[8], n = 0;
    fake_init(&f);
    struct ring r = {.f = &f, .id = 1, .log = log, .n = &n, .again = 0};
    timer_init(&r.t, ring, &r);
    timer_start(&f.timers, &r.t, 0);
    ck_assert_uint_eq(timers_run(&f.timers), 1);
    ck_assert_uint_eq(timers_run(&f.timers), 1);
    ck_assert_int_eq(n, 2);
    timer_stop(&f.timers, &r.t);
    ck_assert_uint_eq(timers_run(&f.timers), 0);
    fake_free(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("timers");
    TCase *t = tcase_create("timers");
    tcase_add_loop_test(t, test_order, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(t, test_moving_and_stopping);
    tcase_add_test(t, test_again);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
