/* Preemption under fair sharing: 8.2, 8.3. */
#include "build.h"
#include "core/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define ANY POLICY_ANY
#define LOWER POLICY_LOWER_PRIORITY
#define NEVER POLICY_NEVER
#define FINAL FAIR_FINAL_SHARE
#define INITIAL FAIR_INITIAL_SHARE
#define BOTH {FINAL, INITIAL}, 2

static struct world *w;

static void setup(void)
{
    w = build_world();
    build_config(w, "", .fair_sharing = true);
}

static void teardown(void)
{
    world_free(w);
}

static const struct fact_preemption usual = {.within_cluster_queue = LOWER, .reclaim_within_cohort = ANY};

/* The cohort c: a, b, d with 3 each, z with 0; p in a, of priority 5. Shares are thousandths of the 9. */
static const struct {
    const char *rule, *held, *cpu;
    enum fair_strategy strategies[2];
    uint32_t nstrategies;
    const char *want;
} rows[] = {
    {"8.3 own queue: InClusterQueue", "x:a:3:1 y:b:3:1 v:d:3:1", "1", BOTH,
     "p preempting cpu=f -x(InClusterQueue)"},
    {"8.2 own queue: withinClusterQueue must allow it", "x:a:3:5 y:b:3:1 v:d:3:1", "1", BOTH,
     "p noCandidates cpu=f"},
    {"8.2 others must borrow", "x:a:3:9 y:b:3:1 v:d:3:1", "2", BOTH, "p noCandidates cpu=f"},
    {"8.3 within nominal: no strategy, InCohortReclamation", "x:b:3:9 y:b:3:1 v:b:3:5", "3", BOTH,
     "p preempting cpu=f -y(InCohortReclamation)"},
    {"8.3 within nominal: as many as it takes", "x:b:2:9 y:b:2:1 v:b:5:5", "3", BOTH,
     "p preempting cpu=f -v(InCohortReclamation)"},
    {"8.3 first pass: pNew 111 <= tNew 111", "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1", "1", BOTH,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 LessThanOrEqualToFinalShare alone: equal is enough",
     "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1",
     "1",
     {FINAL},
     1,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 first pass: a candidate that is too big is passed over",
     "o:a:3:9 x:b:5:1 v:b:1:9",
     "1",
     {FINAL},
     1,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 second pass: pNew 222 > tNew 111, but < tOld 333", "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1", "2", BOTH,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 the second pass is for two strategies",
     "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1",
     "2",
     {FINAL},
     1,
     "p noCandidates cpu=f"},
    {"8.3 LessThanInitialShare alone",
     "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1",
     "2",
     {INITIAL},
     1,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 neither: pNew 333 = tOld 333", "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1", "3", BOTH,
     "p noCandidates cpu=f"},
    {"8: an empty list of strategies is both",
     "o:a:3:9 x:b:2:1 y:b:2:1 v:b:2:1",
     "2",
     {FINAL},
     0,
     "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.3 shares follow the removals: not enough", "o:a:3:9 q:b:1:1 r:b:1:1 s:b:1:1 t:b:1:1 u:b:1:1 v:b:1:1",
     "2", BOTH, "p noCandidates cpu=f"},
    {"8.3 the greatest share gives first", "x:b:1:1 y:b:4:1 v:z:4:1", "3", BOTH,
     "p preempting cpu=f -v(InCohortReclamation)"},
    {"8.3 equal shares: the first by 7.4", "x:b:5:1 v:d:4:9", "1", BOTH,
     "p preempting cpu=f -x(InCohortReclamation)"},
    {"8.3 equal shares: lower priority", "x:b:4:9 v:d:4:1 o:z:1:9", "1", BOTH,
     "p preempting cpu=f -v(InCohortReclamation)"},
    {"8.3 one of each in turn", "x:b:2:1 y:b:2:1 u:d:2:1 v:d:2:1 o:z:1:1", "3", BOTH,
     "p preempting cpu=f -o(InCohortReclamation) -v(InCohortReclamation)"},
    {"8.3 own and others", "o:a:2:1 x:b:3:1 y:b:4:1", "3", BOTH,
     "p preempting cpu=f -y(InCohortFairSharing)"},
};

START_TEST(victims)
{
    char pods[32];
    snprintf(pods, sizeof pods, "cpu=%s", rows[_i].cpu);
    struct fact_config c = {.fair_sharing = true, .nstrategies = rows[_i].nstrategies};
    memcpy(c.strategies, rows[_i].strategies, sizeof c.strategies);
    build_put_config(w, "", c);
    build_cq(w, "a", "c", "cpu: f 3", .preemption = usual);
    build_cq(w, "b", "c", "cpu: f 3", .preemption = usual);
    build_cq(w, "d", "c", "cpu: f 3", .preemption = usual);
    build_cq(w, "z", "c", "cpu: f 0", .preemption = usual);
    build_hold(w, rows[_i].held);
    build_job(w, "p", "a", pods, .priority = 5, .created = -9);
    const char *got = build_cycle(w);
    ck_assert_msg(strcmp(got, rows[_i].want) == 0, "%s: %s", rows[_i].rule, got);
}
END_TEST

START_TEST(without_the_gate_nominal_use_needs_a_strategy_8_3)
{
    build_config(w, "FairSharingPreemptWithinNominal=false", .fair_sharing = true);
    build_cq(w, "a", "c", "cpu: f 3", .preemption = usual);
    build_cq(w, "z", "c", "cpu: f 0", .preemption = usual);
    build_hold(w, "v:z:3:9");
    build_job(w, "p", "a", "cpu=3");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortFairSharing)");
}
END_TEST

START_TEST(reclaim_must_be_allowed_8_2)
{
    build_cq(w, "a", "c", "cpu: f 3", .preemption = {.within_cluster_queue = LOWER});
    build_cq(w, "z", "c", "cpu: f 0");
    build_hold(w, "v:z:3:1");
    build_job(w, "p", "a", "cpu=3", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
    build_cq(w, "a", "c", "cpu: f 3", .preemption = {.reclaim_within_cohort = LOWER});
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
}
END_TEST

START_TEST(borrowWithinCohort_is_ignored_8_2)
{
    build_cq(w, "a", "c", "cpu: f 0", .preemption = {.borrow_within_cohort = true, .borrow_policy = LOWER});
    build_cq(w, "b", "c", "cpu: f 3");
    build_cq(w, "z", "c", "cpu: f 0");
    build_hold(w, "v:z:3:1");
    build_job(w, "p", "a", "cpu=1", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
}
END_TEST

START_TEST(a_queue_without_cohort_takes_its_own_8_3)
{
    build_cq(w, "a", "", "cpu: f 3", .preemption = usual);
    build_hold(w, "x:a:1:2 y:a:1:1 o:a:1:9");
    build_job(w, "p", "a", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -y(InClusterQueue) -x(InClusterQueue)");
    build_job(w, "p", "a", "cpu=3", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
}
END_TEST

START_TEST(inactive_queues_keep_theirs_3_6)
{
    build_cq(w, "a", "c", "cpu: f 3", .preemption = usual);
    build_cq(w, "z", "c", "cpu: f 0", .stop = STOP_HOLD);
    build_hold(w, "v:z:3:1");
    build_job(w, "p", "a", "cpu=3");
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
}
END_TEST

START_TEST(only_who_uses_the_needed_pairs_7_1)
{
    build_cq(w, "a", "c", "cpu: f 3; g 0", .preemption = usual);
    build_cq(w, "z", "c", "cpu: f 0; g 1");
    build_job(w, "other", "z", "cpu=1", .held = "g", .since = 9);
    build_hold(w, "v:z:3:1");
    build_job(w, "p", "a", "cpu=3");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
}
END_TEST

/* 8.3 weight 0: of the preemptor, of the target. */
static const struct {
    const char *rule, *own, *theirs, *cpu, *want;
} weight_rows[] = {
    {"8.3: +Inf may not take from what is finite", "0", "1", "1", "p noCandidates cpu=f"},
    {"8.1: both 0: raw ratios", "0", "0", "1", "p preempting cpu=f -v(InCohortFairSharing)"},
    {"8.1: weight divides", "1", "4", "1", "p noCandidates cpu=f"},
    {"8.1: from weight 0", "1", "0", "3",
     "p preempting cpu=f -v(InCohortFairSharing) -x(InCohortFairSharing)"},
};

START_TEST(weights)
{
    char pods[32];
    snprintf(pods, sizeof pods, "cpu=%s", weight_rows[_i].cpu);
    build_cq(w, "a", "c", "cpu: f 3", .preemption = usual, .weight = {true, build_qty(weight_rows[_i].own)});
    build_cq(w, "b", "c", "cpu: f 3", .preemption = usual,
             .weight = {true, build_qty(weight_rows[_i].theirs)});
    build_cq(w, "d", "c", "cpu: f 3");
    build_hold(w, "o:a:3:9 x:b:2:1 y:b:2:9 v:b:2:1");
    build_job(w, "p", "a", pods, .priority = 5);
    const char *got = build_cycle(w);
    ck_assert_msg(strcmp(got, weight_rows[_i].want) == 0, "%s: %s", weight_rows[_i].rule, got);
}
END_TEST

/* 8.3 in a tree: R over M (a, s) and N (n), and t directly below R. */
static void tree(const char *m, const char *n, const char *r)
{
    build_cohort(w, "R", "", r);
    build_cohort(w, "M", "R", m);
    build_cohort(w, "N", "R", n);
    build_cq(w, "a", "M", "cpu: f 0", .preemption = usual);
    build_cq(w, "s", "M", "cpu: f 0");
    build_cq(w, "n", "N", "cpu: f 0");
    build_cq(w, "t", "R", "cpu: f 0");
}

START_TEST(shares_are_compared_below_the_common_ancestor)
{
    tree("cpu: f 4", "cpu: f 4", "");
    build_hold(w, "x:s:2:1 v:n:2:1 u:n:2:1 y:n:2:1");
    build_job(w, "p", "a", "cpu=2");
    /* M has 4 with p: it does not borrow; N borrows 2. The share of a itself, 2 of 8, does not matter. */
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -y(InCohortFairSharing)");
}
END_TEST

START_TEST(a_cohort_that_does_not_borrow_is_pruned)
{
    tree("cpu: f 4", "cpu: f 4", "");
    build_hold(w, "x:s:2:1 o:s:2:1 v:n:4:1");
    build_job(w, "p", "a", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -o(InCohortFairSharing)");
}
END_TEST

START_TEST(a_cohort_wins_a_tie_with_a_queue)
{
    tree("cpu: f 4", "", "cpu: f 8");
    build_hold(w, "x:s:4:1 v:n:4:9 u:t:4:1");
    build_job(w, "p", "a", "cpu=2");
    /* Below R: M borrows 2 of 12 with p, N and t borrow 4 each. */
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortFairSharing)");
}
END_TEST

START_TEST(the_last_of_equal_cohorts)
{
    tree("cpu: f 4", "", "cpu: f 8");
    build_cohort(w, "O", "R", "");
    build_cq(w, "o", "O", "cpu: f 0");
    build_hold(w, "k:s:4:9 v:n:2:1 l:n:2:1 u:o:2:9 m:o:2:9");
    build_job(w, "p", "a", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -m(InCohortFairSharing)");
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, victims, 0, COUNT(rows));
    tcase_add_test(t, without_the_gate_nominal_use_needs_a_strategy_8_3);
    tcase_add_test(t, reclaim_must_be_allowed_8_2);
    tcase_add_test(t, borrowWithinCohort_is_ignored_8_2);
    tcase_add_test(t, a_queue_without_cohort_takes_its_own_8_3);
    tcase_add_test(t, inactive_queues_keep_theirs_3_6);
    tcase_add_test(t, only_who_uses_the_needed_pairs_7_1);
    tcase_add_loop_test(t, weights, 0, COUNT(weight_rows));
    tcase_add_test(t, shares_are_compared_below_the_common_ancestor);
    tcase_add_test(t, a_cohort_that_does_not_borrow_is_pruned);
    tcase_add_test(t, a_cohort_wins_a_tie_with_a_queue);
    tcase_add_test(t, the_last_of_equal_cohorts);
}

int main(void)
{
    Suite *s = suite_create("preempt_fair");
    TCase *t = tcase_create("preempt_fair");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
