/* The sink that only counts. */
#include "run/sink.h"

#include <check.h>
#include <string.h>

START_TEST(decisions_and_outcomes_are_counted)
{
    struct sink_counter c;
    uint64_t last = 0;

    sink_counter_init(&c);
    for (int i = 0; i < 2 * SINK_WHATS; i++) {
        const struct sink_decision d = {.what = (enum sink_what)(i % SINK_WHATS)};
        uint64_t id = c.sink.decide(&c.sink, &d);
        ck_assert_uint_gt(id, last); /* never 0, never twice */
        ck_assert(c.sink.committed(&c.sink, id));
        ck_assert(!c.sink.committed(&c.sink, id + 1));
        last = id;
    }
    for (int o = 0; o < SINK_OUTCOMES; o++)
        for (int n = 0; n <= o; n++)
            c.sink.outcome(&c.sink, (uint64_t)n + 1, (enum sink_outcome)o);
    for (int i = 0; i < SINK_WHATS; i++)
        ck_assert_uint_eq(c.decided[i], 2);
    for (int o = 0; o < SINK_OUTCOMES; o++)
        ck_assert_uint_eq(c.ended[o], (uint64_t)o + 1);
}
END_TEST

START_TEST(everything_has_a_name_of_its_own)
{
    for (int a = 0; a < SINK_WHATS; a++)
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(sink_what_name((enum sink_what)a), sink_what_name((enum sink_what)b));
    for (int a = 0; a < SINK_OUTCOMES; a++)
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(sink_outcome_name((enum sink_outcome)a),
                             sink_outcome_name((enum sink_outcome)b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sink");
    TCase *t = tcase_create("all");

    tcase_add_test(t, decisions_and_outcomes_are_counted);
    tcase_add_test(t, everything_has_a_name_of_its_own);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
