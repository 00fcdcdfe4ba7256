/* In which order nominated entries are processed: 5.3, 8.4. The order is that of the decisions. */
#include "build.h"

#include <check.h>
#include <stdio.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
}

static void teardown(void)
{
    world_free(w);
}

/* ---- classical (5.3) ---------------------------------------------------------------------------------------------------------------- */

START_TEST(less_borrowing_first_5_3_rule_3)
{
    build_cohort(w, "R", "", "cpu: f 20");
    build_cohort(w, "M", "R", "cpu: f 4");
    build_cq(w, "deep", "M", "cpu: f 0");
    build_cq(w, "near", "M", "cpu: f 0");
    build_cq(w, "own", "M", "cpu: f 4");
    build_job(w, "d", "deep", "cpu=9", .priority = 9); /* level 2 */
    build_job(w, "n", "near", "cpu=1", .priority = 5); /* level 1 */
    build_job(w, "o", "own", "cpu=1");                 /* level 0 */
    ck_assert_str_eq(build_cycle(w), "o admitted cpu=f; n admitted cpu=f; d admitted cpu=f");
}
END_TEST

static void three_queues(void)
{
    build_cq(w, "a", "c", "cpu: f 9");
    build_cq(w, "b", "c", "cpu: f 9");
    build_cq(w, "d", "", "cpu: f 9");
}

START_TEST(priority_then_time_then_name_5_3_rules_4_5)
{
    three_queues();
    build_job(w, "x", "a", "cpu=1", .created = 5);
    build_job(w, "y", "b", "cpu=1", .created = 4);
    build_job(w, "z", "d", "cpu=1", .created = 9, .priority = 1);
    ck_assert_str_eq(build_cycle(w), "z admitted cpu=f; y admitted cpu=f; x admitted cpu=f");
    build_job(w, "x", "a", "cpu=2");
    build_job(w, "x2", "a", "cpu=1");
    build_job(w, "y2", "b", "cpu=1");
    build_job(w, "z2", "d", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y2 admitted cpu=f; z2 admitted cpu=f");
}
END_TEST

START_TEST(without_priority_sorting_only_time_counts)
{
    build_config(w, "PrioritySortingWithinCohort=false", .fair_sharing = false);
    three_queues();
    build_job(w, "x", "a", "cpu=1", .created = 5, .priority = 9);
    build_job(w, "y", "b", "cpu=1", .created = 4);
    build_job(w, "z", "d", "cpu=1", .created = 0, .preempted = "InCohortReclaimWhileBorrowing",
              .evicted_at = 6);
    ck_assert_str_eq(build_cycle(w), "y admitted cpu=f; x admitted cpu=f; z admitted cpu=f");
}
END_TEST

/* A preemptor that waits in b; then its victim is gone. */
static void waiting_preemptor(bool fair)
{
    build_config(w, "PrioritizePreemptorWorkloads", .fair_sharing = fair);
    build_cq(w, "a", "c", "cpu: f 0");
    build_cq(w, "b", "c", "cpu: f 4", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    struct wl *v = build_job(w, "v", "a", "cpu=4", .held = "f");
    build_job(w, "p", "b", "cpu=4");
    (void)build_cycle(w);
    ck_assert_uint_eq(build_last()->nevicted, 1);
    world_del_workload(w, v, NOW);
    build_job(w, "x", "a", "cpu=1", .priority = 9);
}

START_TEST(preemptors_first_5_3_rule_2)
{
    waiting_preemptor(false);
    ck_assert_str_eq(build_cycle(w), "p admitted cpu=f; x skipped cpu=f");
}
END_TEST

START_TEST(a_changed_preemptor_is_none_4_5)
{
    waiting_preemptor(false);
    build_job(w, "p", "b", "cpu=4", .generation = 2);
    build_job(w, "x", "b", "cpu=1", .priority = 9);
    ck_assert_str_eq(build_cycle(w), "p admitted cpu=f");
}
END_TEST

START_TEST(many_entries)
{
    static char names[40][16];
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "q%02d", i);
        build_cq(w, names[i], i % 3 ? "c" : "", "cpu: f 1");
        build_job(w, names[i], names[i], "cpu=1", .created = i * 17 % 40);
    }
    (void)build_cycle(w);
    ck_assert_uint_eq(build_last()->ndecisions, 40);
    for (uint32_t i = 1; i < 40; i++)
        ck_assert_int_lt(build_last()->decisions[i - 1].w->created, build_last()->decisions[i].w->created);
}
END_TEST

/* ---- fair (5.4, 8.4) ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(lower_share_first_8_4_rule_3)
{
    build_config(w, "", .fair_sharing = true);
    build_cohort(w, "c", "", "cpu: f 20");
    build_cq(w, "a", "c", "cpu: f 0");
    build_cq(w, "b", "c", "cpu: f 0");
    build_cq(w, "d", "c", "cpu: f 0", .weight = {true, build_qty("4")});
    build_hold(w, "h:a:2:0");
    build_job(w, "x", "a", "cpu=1", .priority = 9);
    build_job(w, "y", "b", "cpu=2");
    build_job(w, "z", "d", "cpu=4");
    ck_assert_str_eq(build_cycle(w), "z admitted cpu=f; y admitted cpu=f; x admitted cpu=f");
}
END_TEST

START_TEST(no_borrowing_first_8_4_rule_2)
{
    build_cohort(w, "c", "", "cpu: f 20");
    build_cq(w, "a", "c", "cpu: f 4; g 0");
    build_cq(w, "b", "c", "cpu: f 0; g 0");
    for (int gate = 0; gate < 2; gate++) {
        build_config(w, gate ? "" : "FairSharingPrioritizeNonBorrowing=false", .fair_sharing = true);
        build_job(w, "h", "a", "cpu=3", .held = "g"); /* a borrows g, but x asks for f */
        struct wl *x = build_job(w, "x", "a", "cpu=1");
        struct wl *y = build_job(w, "y", "b", "cpu=1");
        ck_assert_str_eq(build_cycle(w),
                         gate ? "x admitted cpu=f; y admitted cpu=f" : "y admitted cpu=f; x admitted cpu=f");
        world_del_workload(w, x, NOW);
        world_del_workload(w, y, NOW);
    }
}
END_TEST

START_TEST(priority_then_time_8_4_rules_4_5)
{
    build_config(w, "", .fair_sharing = true);
    build_cohort(w, "c", "", "cpu: f 20");
    build_cq(w, "a", "c", "cpu: f 0");
    build_cq(w, "b", "c", "cpu: f 0");
    build_cq(w, "d", "c", "cpu: f 0");
    build_job(w, "x", "a", "cpu=1", .created = 5);
    build_job(w, "y", "b", "cpu=1", .created = 4);
    build_job(w, "z", "d", "cpu=1", .created = 9, .priority = 1);
    ck_assert_str_eq(build_cycle(w), "z admitted cpu=f; y admitted cpu=f; x admitted cpu=f");
    build_config(w, "PrioritySortingWithinCohort=false", .fair_sharing = true);
    build_job(w, "x2", "a", "cpu=1", .created = 5, .priority = 1);
    build_job(w, "y2", "b", "cpu=1", .created = 4);
    ck_assert_str_eq(build_cycle(w), "y2 admitted cpu=f; x2 admitted cpu=f");
}
END_TEST

START_TEST(preemptors_first_8_4_rule_1)
{
    waiting_preemptor(true);
    ck_assert_str_eq(build_cycle(w), "p admitted cpu=f; x skipped cpu=f");
    build_job(w, "p2", "b", "cpu=1");
}
END_TEST

START_TEST(a_tournament_in_each_cohort_8_4)
{
    build_config(w, "", .fair_sharing = true);
    build_cohort(w, "R", "", "cpu: f 40");
    build_cohort(w, "M", "R", "");
    build_cohort(w, "N", "R", "");
    build_cq(w, "m1", "M", "cpu: f 0");
    build_cq(w, "m2", "M", "cpu: f 0");
    build_cq(w, "n1", "N", "cpu: f 0");
    build_cq(w, "r1", "R", "cpu: f 0");
    build_hold(w, "h:m2:8:0 i:n1:5:0");
    build_job(w, "a", "m1", "cpu=2"); /* M: m1 before m2. At R: M with 10 */
    build_job(w, "b", "m2", "cpu=1"); /* M with 9 when it is alone */
    build_job(w, "c", "n1", "cpu=1"); /* N with 6 */
    build_job(w, "d", "r1", "cpu=7"); /* r1 with 7 */
    ck_assert_str_eq(build_cycle(w),
                     "c admitted cpu=f; d admitted cpu=f; a admitted cpu=f; b admitted cpu=f");
}
END_TEST

START_TEST(trees_go_by_name_and_lonely_queues_last)
{
    build_config(w, "", .fair_sharing = true);
    build_cq(w, "a", "", "cpu: f 1");
    build_cq(w, "b", "z", "cpu: f 1");
    build_cq(w, "d", "y", "cpu: f 1");
    build_job(w, "x", "a", "cpu=1", .priority = 9);
    build_job(w, "y", "b", "cpu=1");
    build_job(w, "z", "d", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "z admitted cpu=f; y admitted cpu=f; x admitted cpu=f");
}
END_TEST

START_TEST(entries_without_request_8_4)
{
    build_config(w, "", .fair_sharing = true);
    build_cohort(w, "c", "", "cpu: f 20");
    build_cq(w, "a", "c", "cpu: f 0");
    build_cq(w, "b", "c", "cpu: f 0");
    build_hold(w, "h:a:2:0");
    build_job(w, "x", "a", "cpu=0"); /* a borrows, but not for x */
    build_job(w, "y", "b", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y admitted cpu=f");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("order");
    TCase *t = tcase_create("order");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, less_borrowing_first_5_3_rule_3);
    tcase_add_test(t, priority_then_time_then_name_5_3_rules_4_5);
    tcase_add_test(t, without_priority_sorting_only_time_counts);
    tcase_add_test(t, preemptors_first_5_3_rule_2);
    tcase_add_test(t, a_changed_preemptor_is_none_4_5);
    tcase_add_test(t, many_entries);
    tcase_add_test(t, lower_share_first_8_4_rule_3);
    tcase_add_test(t, no_borrowing_first_8_4_rule_2);
    tcase_add_test(t, priority_then_time_8_4_rules_4_5);
    tcase_add_test(t, preemptors_first_8_4_rule_1);
    tcase_add_test(t, a_tournament_in_each_cohort_8_4);
    tcase_add_test(t, trees_go_by_name_and_lonely_queues_last);
    tcase_add_test(t, entries_without_request_8_4);
    suite_add_tcase(s, t);
    return build_run(s);
}
