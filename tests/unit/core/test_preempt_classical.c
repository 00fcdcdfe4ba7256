/* Classical preemption in a world, rule by rule: 7.1-7.6; the predicate of 7.2 and the order of 7.4 by themselves. */
#include "build.h"
#include "core/preempt_priv.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
}

static void teardown(void)
{
    world_free(w);
}

/* ---- 7.2, 7.4 ------------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *rule;
    struct preempt_side preemptor, candidate;
    enum preempt_policy policy;
    bool want;
} policy_rows[] = {
    {"7.2 Never", {9, 0}, {0, 0}, POLICY_NEVER, false},
    {"7.2 Any", {0, 9}, {9, 0}, POLICY_ANY, true},
    {"7.2 LowerPriority", {2, 0}, {1, 0}, POLICY_LOWER_PRIORITY, true},
    {"7.2 LowerPriority, equal", {2, 0}, {2, 9}, POLICY_LOWER_PRIORITY, false},
    {"7.2 LowerOrNewerEqualPriority, lower", {2, 9}, {1, 0}, POLICY_LOWER_OR_NEWER_EQUAL, true},
    {"7.2 LowerOrNewerEqualPriority, newer equal", {2, 1}, {2, 2}, POLICY_LOWER_OR_NEWER_EQUAL, true},
    {"7.2 LowerOrNewerEqualPriority, equal and as old", {2, 1}, {2, 1}, POLICY_LOWER_OR_NEWER_EQUAL, false},
    {"7.2 LowerOrNewerEqualPriority, higher", {1, 1}, {2, 9}, POLICY_LOWER_OR_NEWER_EQUAL, false},
};

START_TEST(satisfies)
{
    ck_assert_msg(preempt_satisfies(policy_rows[_i].preemptor, policy_rows[_i].candidate,
                                    policy_rows[_i].policy) == policy_rows[_i].want,
                  "%s", policy_rows[_i].rule);
}
END_TEST

static struct wl x = {.uid = "x", .key = "x", .queue = 1}, y = {.uid = "y", .key = "y", .queue = 2},
                 x2 = {.uid = "x", .key = "x2", .queue = 1};

/* The first is tried before the second. */
static const struct {
    const char *rule;
    struct cand a, b;
    bool afs;
} order_rows[] = {
    {"7.4 rule 1: evicted", {.w = &y, .evicted = true, .own = true}, {.w = &x}, false},
    {"7.4 rule 2: of other ClusterQueues", {.w = &y, .priority = 9}, {.w = &x, .own = true}, false},
    {"7.4 rule 3: higher usage of the LocalQueue",
     {.w = &y, .lq_usage = 2, .priority = 9},
     {.w = &x, .lq_usage = 1},
     true},
    {"7.4 rule 3: only with fair sharing of admission",
     {.w = &y, .lq_usage = 1},
     {.w = &x, .lq_usage = 2, .priority = 1},
     false},
    {"7.4 rule 3: only in one ClusterQueue",
     {.w = &y, .cq = 1, .lq_usage = 1},
     {.w = &x, .lq_usage = 2, .priority = 1},
     true},
    {"7.4 rule 3: only of different LocalQueues",
     {.w = &x, .lq_usage = 1},
     {.w = &x2, .lq_usage = 2, .priority = 1},
     true},
    {"7.4 rule 3: equal usage: next rule",
     {.w = &y, .lq_usage = 2},
     {.w = &x, .lq_usage = 2, .priority = 1},
     true},
    {"7.4 rule 3: unknown usage: next rule",
     {.w = &y, .lq_usage = NAN},
     {.w = &x, .lq_usage = 2, .priority = 1},
     true},
    {"7.4 rule 3: the other unknown",
     {.w = &y, .lq_usage = 1},
     {.w = &x, .lq_usage = NAN, .priority = 1},
     true},
    {"7.4 rule 4: lower priority",
     {.w = &y, .priority = 1, .reserved_at = 1},
     {.w = &x, .priority = 2, .reserved_at = 2},
     false},
    {"7.4 rule 5: later reservation", {.w = &y, .reserved_at = 2}, {.w = &x, .reserved_at = 1}, false},
    {"7.4 rule 6: smaller uid", {.w = &x}, {.w = &y}, false},
    {"one total order: key", {.w = &x}, {.w = &x2}, false},
};

START_TEST(candidate_order)
{
    ck_assert_msg(cand_compare(&order_rows[_i].a, &order_rows[_i].b, order_rows[_i].afs) < 0, "%s",
                  order_rows[_i].rule);
    ck_assert_msg(cand_compare(&order_rows[_i].b, &order_rows[_i].a, order_rows[_i].afs) > 0, "%s",
                  order_rows[_i].rule);
}
END_TEST

START_TEST(a_sequence_sorts_as_far_as_it_is_read)
{
    struct cand v[33], *c;
    struct cand_seq s;
    for (uint32_t n = 0; n < COUNT(v); n++) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = (struct cand){.w = &x, .list = i % 3, .evicted = i % 5 == 0, .priority = i * 7 % 11};
        cand_seq_init(&s, v, n, false);
        uint32_t i = 0;
        for (struct cand *prev = NULL; (c = cand_seq_at(&s, i)); prev = c, i++)
            if (prev && prev->evicted == c->evicted) {
                ck_assert_int_le(prev->list, c->list);
                ck_assert(prev->list != c->list || prev->priority <= c->priority);
            } else if (prev) {
                ck_assert(prev->evicted);
            }
        ck_assert_uint_eq(i, n);
        ck_assert(!n || cand_seq_at(&s, 0) == v);
    }
}
END_TEST

/* ---- one ClusterQueue ------------------------------------------------------------------------------------------------------------------ */

#define NEVER POLICY_NEVER
#define LOWER POLICY_LOWER_PRIORITY
#define NEWER POLICY_LOWER_OR_NEWER_EQUAL
#define ANY POLICY_ANY

/* The queue q: 6 cpu, alone; the preemptor p has priority 5. */
static const struct {
    const char *rule, *held, *cpu;
    enum preempt_policy within;
    const char *want;
} own_rows[] = {
    {"7.3 same queue: LowerPriority", "a:q:3:1 b:q:3:9", "3", LOWER, "p preempting cpu=f -a(InClusterQueue)"},
    {"7.3 same queue: Never", "a:q:3:1 b:q:3:1", "3", NEVER, "p noCandidates cpu=f"},
    {"7.3 same queue: nobody lower", "a:q:3:5 b:q:3:9", "3", LOWER, "p noCandidates cpu=f"},
    {"7.3 same queue: LowerOrNewerEqualPriority", "a:q:3:5 b:q:3:9", "3", NEWER,
     "p preempting cpu=f -a(InClusterQueue)"},
    {"7.4 lower priority first", "a:q:2:2 b:q:2:1 c:q:2:3", "2", LOWER,
     "p preempting cpu=f -b(InClusterQueue)"},
    {"7.4 later reservation first", "a:q:2:1 b:q:2:1 c:q:2:1", "2", LOWER,
     "p preempting cpu=f -c(InClusterQueue)"},
    {"7.4 evicted first", "!a:q:2:3 b:q:2:1 c:q:2:1", "2", LOWER, "p preempting cpu=f -a(InClusterQueue)"},
    {"7.5 as many as it takes", "a:q:2:1 b:q:2:2 c:q:2:3", "4", LOWER,
     "p preempting cpu=f -a(InClusterQueue) -b(InClusterQueue)"},
    {"7.5 not enough", "a:q:2:1 b:q:2:9 c:q:2:9", "4", LOWER, "p noCandidates cpu=f"},
    {"7.6 the small one is given back", "a:q:1:1 b:q:5:2", "3", LOWER,
     "p preempting cpu=f -b(InClusterQueue)"},
    {"7.6 nobody can be given back", "a:q:1:1 b:q:2:2 c:q:3:3", "3", LOWER,
     "p preempting cpu=f -a(InClusterQueue) -b(InClusterQueue)"},
    {"7.6 backwards: the later one is kept back first", "a:q:1:1 b:q:1:2 c:q:4:3", "5", LOWER,
     "p preempting cpu=f -a(InClusterQueue) -c(InClusterQueue)"},
    {"7.6 the last takes the place of the one given back", "a:q:1:1 b:q:2:2 c:q:3:3", "5", LOWER,
     "p preempting cpu=f -c(InClusterQueue) -b(InClusterQueue)"},
};

START_TEST(in_its_own_queue)
{
    char pods[32];
    snprintf(pods, sizeof pods, "cpu=%s", own_rows[_i].cpu);
    build_cq(w, "q", "", "cpu: f 6", .preemption = {.within_cluster_queue = own_rows[_i].within});
    build_hold(w, own_rows[_i].held);
    build_job(w, "p", "q", pods, .priority = 5, .created = -9);
    const char *got = build_cycle(w);
    ck_assert_msg(strcmp(got, own_rows[_i].want) == 0, "%s: %s", own_rows[_i].rule, got);
}
END_TEST

START_TEST(only_who_uses_the_needed_pairs_7_1)
{
    build_cq(w, "q", "", "cpu: f 4 | memory: g 4", .preemption = {.within_cluster_queue = LOWER});
    build_job(w, "other", "q", "memory=4", .held = "g");
    build_job(w, "zero", "q", "cpu=0", .held = "f", .since = 9);
    build_job(w, "user", "q", "cpu=4", .held = "f");
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -user(InClusterQueue)");
}
END_TEST

/* ---- a cohort --------------------------------------------------------------------------------------------------------------------------- */

/* The cohort c: q with 4, a and b with 3 each, z with 0; p of priority 5 in q. */
static const struct {
    const char *rule, *held, *cpu;
    struct fact_preemption policy;
    const char *want;
} cohort_rows[] = {
    {"7.3 reclaim Never",
     "v:z:6:1 u:a:3:1",
     "3",
     {.reclaim_within_cohort = NEVER, .within_cluster_queue = LOWER},
     "p noCandidates cpu=f"},
    {"7.3 reclaim LowerPriority",
     "v:z:4:1 u:a:6:9",
     "3",
     {.reclaim_within_cohort = LOWER},
     "p preempting cpu=f -v(InCohortReclamation)"},
    {"7.3 reclaim LowerPriority, nobody lower",
     "v:z:5:5 u:a:5:9",
     "3",
     {.reclaim_within_cohort = LOWER},
     "p noCandidates cpu=f"},
    {"7.3 reclaim Any",
     "u:a:9:9 v:z:1:1",
     "3",
     {.reclaim_within_cohort = ANY},
     "p preempting cpu=f -u(InCohortReclamation)"},
    {"7.3 nothing from a queue within its quota",
     "u:a:3:1 v:b:3:1 t:z:4:9",
     "3",
     {.reclaim_within_cohort = LOWER},
     "p noCandidates cpu=f"},
    {"7.5 a queue that has come within its quota is left alone",
     "u:a:2:1 v:a:2:2 t:z:6:9",
     "4",
     {.reclaim_within_cohort = LOWER},
     "p noCandidates cpu=f"},
    {"7.4 others before its own",
     "o:q:2:1 v:z:8:3",
     "2",
     {.reclaim_within_cohort = ANY, .within_cluster_queue = LOWER},
     "p preempting cpu=f -v(InCohortReclamation)"},
    {"7.4 evicted of its own before others",
     "!o:q:2:1 v:z:8:3",
     "2",
     {.reclaim_within_cohort = ANY, .within_cluster_queue = LOWER},
     "p preempting cpu=f -o(InClusterQueue)"},
    {"7.5 without borrowing first: v does not help and is given back",
     "o:q:3:1 v:z:7:1",
     "3",
     {.reclaim_within_cohort = ANY, .within_cluster_queue = LOWER},
     "p preempting cpu=f -o(InClusterQueue)"},
    {"7.5 at nominal: borrowing attempt only, own queue",
     "o:q:4:1 v:z:6:1",
     "3",
     {.reclaim_within_cohort = ANY, .within_cluster_queue = LOWER},
     "p preempting cpu=f -o(InClusterQueue)"},
    {"7.5 at nominal, and the cohort is over its quota: nobody else may be taken",
     "o:q:2:1 k:q:2:9 v:z:8:1",
     "2",
     {.reclaim_within_cohort = ANY, .within_cluster_queue = LOWER},
     "p noCandidates cpu=f"},
    {"7.3 borrowWithinCohort: below the threshold",
     "v:z:10:1",
     "6",
     {.reclaim_within_cohort = ANY,
      .borrow_within_cohort = true,
      .borrow_policy = LOWER,
      .has_threshold = true,
      .max_priority_threshold = 2},
     "p preempting cpu=f -v(InCohortReclaimWhileBorrowing)"},
    {"7.3 borrowWithinCohort: above the threshold",
     "v:z:10:3",
     "6",
     {.reclaim_within_cohort = ANY,
      .borrow_within_cohort = true,
      .borrow_policy = LOWER,
      .has_threshold = true,
      .max_priority_threshold = 2},
     "p noCandidates cpu=f"},
    {"7.3 borrowWithinCohort: of equal priority",
     "v:z:10:5",
     "6",
     {.reclaim_within_cohort = ANY, .borrow_within_cohort = true, .borrow_policy = LOWER},
     "p noCandidates cpu=f"},
    {"7.5 with borrowing first, then without",
     "u:z:9:3 v:a:1:1",
     "4",
     {.reclaim_within_cohort = ANY,
      .borrow_within_cohort = true,
      .borrow_policy = LOWER,
      .has_threshold = true,
      .max_priority_threshold = 2},
     "p preempting cpu=f -u(InCohortReclamation)"},
    {"7.3 borrowWithinCohort with policy Never is as none",
     "v:z:10:1",
     "6",
     {.reclaim_within_cohort = ANY, .borrow_within_cohort = true, .borrow_policy = NEVER},
     "p noFit"},
};

START_TEST(in_a_cohort)
{
    char pods[32];
    snprintf(pods, sizeof pods, "cpu=%s", cohort_rows[_i].cpu);
    build_cq(w, "q", "c", "cpu: f 4", .preemption = cohort_rows[_i].policy);
    build_cq(w, "a", "c", "cpu: f 3");
    build_cq(w, "b", "c", "cpu: f 3");
    build_cq(w, "z", "c", "cpu: f 0");
    build_hold(w, cohort_rows[_i].held);
    build_job(w, "p", "q", pods, .priority = 5, .created = -9);
    const char *got = build_cycle(w);
    ck_assert_msg(strcmp(got, cohort_rows[_i].want) == 0, "%s: %s", cohort_rows[_i].rule, got);
}
END_TEST

START_TEST(inactive_queues_keep_their_workloads_3_6)
{
    build_cq(w, "q", "c", "cpu: f 4", .preemption = {.reclaim_within_cohort = ANY});
    build_cq(w, "z", "c", "cpu: f 0", .stop = STOP_HOLD);
    build_hold(w, "v:z:4:1");
    build_job(w, "p", "q", "cpu=2");
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
    build_cq(w, "z", "c", "cpu: f 0");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
}
END_TEST

/* 7.3: root R over the cohorts M (q and sibling s) and N (n). */
static void two_levels(const char *m_quota, struct fact_preemption p)
{
    build_cohort(w, "R", "", "");
    build_cohort(w, "M", "R", m_quota);
    build_cohort(w, "N", "R", "cpu: f 4");
    build_cq(w, "q", "M", "cpu: f 2", .preemption = p);
    build_cq(w, "s", "M", "cpu: f 0");
    build_cq(w, "n", "N", "cpu: f 0");
}

/* p is above the quota of q, but within that of M: whoever is reached at R gives way to it by right, and first. */
START_TEST(hierarchical_candidates_first_7_3)
{
    two_levels("cpu: f 4", (struct fact_preemption){.reclaim_within_cohort = ANY,
                                                    .borrow_within_cohort = true,
                                                    .borrow_policy = LOWER});
    build_hold(w, "o:q:2:9 v:n:6:9 u:s:2:1");
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
}
END_TEST

START_TEST(hierarchical_candidates_need_no_borrow_policy_7_3)
{
    two_levels("cpu: f 4", (struct fact_preemption){.reclaim_within_cohort = ANY});
    build_hold(w, "o:q:2:9 v:n:6:9 u:s:2:1");
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
}
END_TEST

/* Within the quota of q all of them are so, and 7.4 decides. */
START_TEST(within_nominal_all_are_hierarchical_7_3)
{
    two_levels("cpu: f 4", (struct fact_preemption){.reclaim_within_cohort = ANY});
    build_hold(w, "v:n:6:9 u:s:4:1");
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -u(InCohortReclamation)");
}
END_TEST

START_TEST(the_priority_rule_holds_for_hierarchical_candidates_too)
{
    two_levels("cpu: f 4", (struct fact_preemption){.reclaim_within_cohort = LOWER});
    build_hold(w, "v:n:6:9 u:s:4:1");
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -u(InCohortReclamation)");
}
END_TEST

START_TEST(a_cohort_within_its_quota_is_passed_over_7_3)
{
    two_levels("", (struct fact_preemption){.reclaim_within_cohort = ANY});
    build_hold(w, "v:n:4:1 u:s:2:1"); /* n borrows, but only within N */
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -u(InCohortReclamation)");
}
END_TEST

START_TEST(a_cohort_that_came_within_its_quota_is_left_alone_7_5)
{
    two_levels("cpu: f 2", (struct fact_preemption){.reclaim_within_cohort = ANY,
                                                    .borrow_within_cohort = true,
                                                    .borrow_policy = LOWER});
    build_cq(w, "m", "N", "cpu: f 0");
    build_hold(w, "o:q:2:9 v:n:3:1 u:m:3:2"); /* N has 4 of quota and 6 in use */
    build_job(w, "p", "q", "cpu=4", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f"); /* v would go, then u is safe */
    build_job(w, "p", "q", "cpu=3", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclaimWhileBorrowing)");
}
END_TEST

START_TEST(pods_are_needed_but_not_requested_7_1)
{
    build_cq(w, "q", "", "cpu,pods: f 10 2", .preemption = {.within_cluster_queue = LOWER});
    build_job(w, "a", "q", "cpu=1 pods=1", .held = "f");
    build_job(w, "b", "q", "cpu=1 pods=1", .held = "f", .since = 1);
    build_job(w, "p", "q", "2 cpu=1", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p skipped pods=f cpu=f -b(InClusterQueue)");
}
END_TEST

START_TEST(priorities_are_effective_4_1)
{
    build_config(w, "PriorityBoost", .fair_sharing = false);
    build_cq(w, "q", "", "cpu: f 4", .preemption = {.within_cluster_queue = LOWER});
    build_job(w, "a", "q", "cpu=4", .held = "f", .priority = 1, .boost = "5");
    build_job(w, "p", "q", "cpu=2", .priority = 6);
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f");
    build_job(w, "p", "q", "cpu=2", .priority = 6, .boost = "1");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -a(InClusterQueue)");
}
END_TEST

START_TEST(many_candidates)
{
    static char names[100][16];
    build_cq(w, "q", "", "cpu: f 100", .preemption = {.within_cluster_queue = LOWER});
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "v%02d", i);
        build_job(w, names[i], "q", "cpu=1", .held = "f", .since = i * 37 % 100);
    }
    build_job(w, "p", "q", "cpu=90", .priority = 5);
    (void)build_cycle(w);
    ck_assert_uint_eq(build_last()->nevicted, 90);
    int64_t last = INT64_MAX;
    for (uint32_t i = 0; i < 90; i++) {
        ck_assert_int_lt(build_last()->evicted[i]->marks.reserved_at, last);
        last = build_last()->evicted[i]->marks.reserved_at;
    }
}
END_TEST

/* 7.4 rule 3 in the world: of two LocalQueues of one ClusterQueue, the one that used more gives first. */
START_TEST(admission_fair_sharing_chooses_victims_7_4)
{
    struct fact_amount used = {"cpu", build_qty("50")};
    build_config(w, "", .afs = true, .afs_half_life_ns = 100 * NS_PER_S);
    build_cq(w, "q", "", "cpu: f 4", .preemption = {.within_cluster_queue = LOWER}, .usage_based_afs = true);
    build_lq(w, "greedy", "q", .consumed = &used, .nconsumed = 1, .consumed_at = NOW);
    build_job(w, "a", "q", "cpu=2", .held = "f", .since = 5);
    build_job(w, "b", "greedy", "cpu=2", .held = "f", .cq = "q", .priority = 1);
    build_job(w, "p", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -b(InClusterQueue)");
}
END_TEST

START_TEST(reason_texts)
{
    static const char *const want[] = {"InClusterQueue", "InCohortReclamation", "InCohortFairSharing",
                                       "InCohortReclaimWhileBorrowing"};
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(preempt_reason_text((enum preempt_reason)i), want[i]);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, satisfies, 0, COUNT(policy_rows));
    tcase_add_loop_test(t, candidate_order, 0, COUNT(order_rows));
    tcase_add_test(t, a_sequence_sorts_as_far_as_it_is_read);
    tcase_add_loop_test(t, in_its_own_queue, 0, COUNT(own_rows));
    tcase_add_test(t, only_who_uses_the_needed_pairs_7_1);
    tcase_add_loop_test(t, in_a_cohort, 0, COUNT(cohort_rows));
    tcase_add_test(t, inactive_queues_keep_their_workloads_3_6);
    tcase_add_test(t, hierarchical_candidates_first_7_3);
    tcase_add_test(t, hierarchical_candidates_need_no_borrow_policy_7_3);
    tcase_add_test(t, within_nominal_all_are_hierarchical_7_3);
    tcase_add_test(t, the_priority_rule_holds_for_hierarchical_candidates_too);
    tcase_add_test(t, a_cohort_within_its_quota_is_passed_over_7_3);
    tcase_add_test(t, a_cohort_that_came_within_its_quota_is_left_alone_7_5);
    tcase_add_test(t, pods_are_needed_but_not_requested_7_1);
    tcase_add_test(t, priorities_are_effective_4_1);
    tcase_add_test(t, many_candidates);
    tcase_add_test(t, admission_fair_sharing_chooses_victims_7_4);
    tcase_add_test(t, reason_texts);
}

int main(void)
{
    Suite *s = suite_create("preempt_classical");
    TCase *t = tcase_create("preempt_classical");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
