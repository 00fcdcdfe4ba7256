/* Each text of 5.5, 6.7, 7.7. */
#include "core/reason.h"

#include "build.h"
#include "core/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct world *w;
static struct str s;

static void setup(void)
{
    w = build_world();
    str_init(&s, 0);
}

static void teardown(void)
{
    str_free(&s);
    world_free(w);
}

static uint32_t id(const char *name)
{
    uint32_t r;
    ck_assert_int_eq(names_id(w->names, name, &r), 0);
    return r;
}

/* ---- one reason ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    struct reason r;
    const char *res, *want;
} rows[] = {
    {{.kind = REASON_RESOURCE_UNAVAILABLE}, "gpu", "resource gpu unavailable in ClusterQueue"},
    {{.kind = REASON_FLAVOR_UNKNOWN}, "cpu", "flavor t not found"},
    {{.kind = REASON_PINNED},
     "cpu",
     "skipping flavor t as it is not found in the nomination mapping for resource cpu"},
    {{.kind = REASON_NO_TAS}, "cpu", "Flavor \"t\" does not support TopologyAwareScheduling"},
    {{.kind = REASON_TAS_ONLY}, "cpu", "Flavor \"t\" supports only TopologyAwareScheduling"},
    {{.kind = REASON_TAS_UNKNOWN}, "cpu", "Flavor \"t\" information missing in TAS cache"},
    {{.kind = REASON_TAINT, .match = {MATCH_TAINT, 1}},
     "cpu",
     "untolerated taint {b  NoExecute <nil>} in flavor t"},
    {{.kind = REASON_AFFINITY, .match = {MATCH_AFFINITY, 0}}, "cpu", "flavor t doesn't match node affinity"},
    {{.kind = REASON_SELECTOR}, "cpu", "invalid node selector or affinity"},
    {{.kind = REASON_MAX_CAPACITY, .a = 500, .b = 1000, .c = 1400},
     "cpu",
     "insufficient quota for cpu in flavor t, previously considered podsets requests (500m) + current podset "
     "request (1) > "
     "maximum capacity (1400m)"},
    {{.kind = REASON_MAX_CAPACITY, .a = 0, .b = 2147483648, .c = 1073741824},
     "memory",
     "insufficient quota for memory in flavor t, previously considered podsets requests (0) + current podset "
     "request (2Gi) > "
     "maximum capacity (1Gi)"},
    {{.kind = REASON_INSUFFICIENT, .a = 3},
     "gpu",
     "insufficient unused quota for gpu in flavor t, 3 more needed"},
    {{.kind = REASON_INSUFFICIENT, .a = AMOUNT_UNLIMITED},
     "gpu",
     "insufficient unused quota for gpu in flavor t, <unlimited> more needed"},
};

START_TEST(reasons_6)
{
    struct reason r = rows[_i].r;
    build_flavor(w, "t", "k=v", "a=x:NoSchedule b=:NoExecute");
    r.res = id(rows[_i].res);
    r.flavor = id("t");
    reason_print(&s, w, &r);
    ck_assert_str_eq(str_text(&s), rows[_i].want);
}
END_TEST

/* ---- assignments (6.7) ------------------------------------------------------------------------------------------------------------------- */

START_TEST(pod_sets_that_fit_are_not_spoken_of_6_7)
{
    build_cq(w, "q", "", "cpu: f 4");
    build_job(w, "x", "q", "a: cpu=1; b: cpu=4");
    (void)build_cycle(w);
    ck_assert_str_eq(build_message(w, "x"),
                     "couldn't assign flavors to pod set b: insufficient quota for cpu in flavor f, "
                     "previously considered podsets "
                     "requests (1) + current podset request (4) > maximum capacity (4)");
}
END_TEST

START_TEST(several_pod_sets_are_joined_6_7)
{
    build_cq(w, "q", "", "cpu: f 4");
    build_hold(w, "h:q:4:9");
    build_job(w, "x", "q", "a: cpu=1; b: cpu=2");
    (void)build_cycle(w);
    ck_assert_str_eq(
        build_message(w, "x"),
        "couldn't assign flavors to pod set a: insufficient unused quota for cpu in flavor f, 1 more needed; "
        "couldn't assign flavors to pod set b: insufficient unused quota for cpu in flavor f, 3 more needed");
}
END_TEST

START_TEST(an_error_is_the_whole_message_6_7)
{
    build_flavor(w, "zoned", "zone=a", NULL);
    build_cq(w, "q", "", "memory: f 0 | cpu: zoned 4");
    build_job(w, "x", "q", "cpu=1", .selector = "zone=a", .selector_error = "values: Invalid value");
    (void)build_cycle(w);
    ck_assert_str_eq(build_message(w, "x"),
                     "failed to assign flavors to pod set main: values: Invalid value");
    ck_assert_str_eq(build_waits(), "x NoMatchingFlavor NoFit");
}
END_TEST

static const char *considered(void)
{
    str_clear(&s);
    const struct decision *d = &build_last()->decisions[0];
    reason_flavors_considered(&s, w, d->w, d->a);
    return str_text(&s);
}

START_TEST(flavors_considered_6_7)
{
    build_flavor(w, "t", NULL, "k=v:NoSchedule");
    build_cq(w, "q", "c", "cpu: t 4; g 1; f 4 | memory: h 4", .when_can_borrow = FUNGIBILITY_TRY_NEXT);
    build_cq(w, "lender", "c", "cpu: g 4");
    build_flavor(w, "h", NULL, NULL);
    build_job(w, "x", "q", "a: cpu=1; b: cpu=1 memory=1");
    ck_assert_str_eq(build_cycle(w), "x admitted a cpu=g b memory=h cpu=f");
    ck_assert_str_eq(considered(), "Flavors considered: a: t(NoFit;untolerated taint {k v NoSchedule <nil>} "
                                   "in flavor t) | b: g(Fit;borrow=1), "
                                   "t(NoFit;untolerated taint {k v NoSchedule <nil>} in flavor t)");
}
END_TEST

START_TEST(nothing_considered_6_7)
{
    build_cq(w, "q", "", "cpu: f 4");
    build_job(w, "x", "q", "cpu=1");
    (void)build_cycle(w);
    ck_assert_str_eq(considered(), "");
}
END_TEST

START_TEST(simulated_preemption_is_told_6_7)
{
    build_cq(
        w, "q", "c", "cpu: f 4; g 4; h 4", .when_can_preempt = FUNGIBILITY_TRY_NEXT,
        .preemption = {.within_cluster_queue = POLICY_LOWER_PRIORITY, .reclaim_within_cohort = POLICY_ANY});
    build_cq(w, "z", "c", "cpu: f 0; g 0; h 0");
    build_flavor(w, "h", NULL, NULL);
    build_job(w, "a", "q", "cpu=4", .held = "f", .priority = 9);
    build_job(w, "b", "q", "cpu=4", .held = "g");
    build_job(w, "v", "z", "cpu=4", .held = "h");
    build_job(w, "x", "q", "cpu=2", .priority = 5);
    ck_assert_str_eq(build_cycle(w), "x preempting cpu=h -v(InCohortReclamation)");
    ck_assert_str_eq(
        considered(),
        "Flavors considered: main: "
        "f(preemptionMode=NoCandidates;borrow=1;insufficient unused quota for cpu in flavor f, 2 more "
        "needed), "
        "g(preemptionMode=Preempt;insufficient unused quota for cpu in flavor g, 2 more needed), "
        "h(preemptionMode=Reclaim;insufficient unused quota for cpu in flavor h, 2 more needed)");
}
END_TEST

/* ---- preemption (7.7) ------------------------------------------------------------------------------------------------------------------------- */

/* A victim n in R/N, a preemptor p in R/M/q. */
static void two_queues(struct target *t, struct wl **ret_p)
{
    build_config(w, "PriorityBoost", .fair_sharing = false);
    build_cohort(w, "M", "R", "");
    build_cohort(w, "N", "R", "");
    build_cq(w, "q", "M", "cpu: f 4");
    build_cq(w, "n", "N", "cpu: f 4");
    t->w = build_job(w, "v", "n", "cpu=1", .held = "f", .priority = 3, .boost = "-1", .uid = "uid-v");
    t->cq = world_cq_find(w, "n");
    *ret_p = build_job(w, "p", "q", "cpu=1", .priority = 7, .uid = "uid-p", .job_uid = "job-p");
    ck_assert_int_eq(world_settle(w, NULL), 0);
}

static const struct {
    enum preempt_reason reason;
    const char *due;
} due_rows[] = {
    {PREEMPT_IN_CQ, "prioritization in the ClusterQueue"},
    {PREEMPT_RECLAIM, "reclamation within the cohort"},
    {PREEMPT_FAIR, "Fair Sharing within the cohort"},
    {PREEMPT_RECLAIM_WHILE_BORROWING, "reclamation within the cohort while borrowing"},
};

START_TEST(message_of_the_victim_7_7)
{
    char want[300];
    struct target t = {.reason = due_rows[_i].reason};
    struct wl *p;
    two_queues(&t, &p);
    reason_preemption(&s, w, p, world_cq_find(w, "q"), &t);
    snprintf(want, sizeof want,
             "Preempted to accommodate a workload (UID: uid-p, JobUID: job-p) due to %s; preemptor path: "
             "/R/M/q; preemptee path: "
             "/R/N/n",
             due_rows[_i].due);
    ck_assert_str_eq(str_text(&s), want);
}
END_TEST

START_TEST(events_7_7)
{
    struct target t = {.reason = PREEMPT_RECLAIM};
    struct wl *p;
    two_queues(&t, &p);
    reason_preempted_event(&s, w, p, world_cq_find(w, "q"), &t);
    ck_assert_ptr_nonnull(
        strstr(str_text(&s), "preemptee path: /R/N/n; preemptor effective priority: 7 (base: 7, boost: 0); "
                             "preemptee effective priority: 2 (base: 3, boost: -1)"));
    str_clear(&s);
    reason_preemptor_event(&s, w, p, &t);
    ck_assert_str_eq(
        str_text(&s),
        "Preempted workload ns/v (UID: uid-v) in ClusterQueue n; preemptor effective priority: 7 (base: "
        "7, boost: 0); preemptee effective priority: 2 (base: 3, boost: -1)");
}
END_TEST

START_TEST(what_is_unknown_is_said_so_7_7)
{
    struct target t = {.reason = PREEMPT_IN_CQ};
    build_cq(w, "q", "", "cpu: f 4");
    t.w = build_job(w, "v", "q", "cpu=1", .held = "f", .uid = "");
    struct wl *p = build_job(w, "p", "q", "cpu=1", .uid = "");
    ck_assert_int_eq(world_settle(w, NULL), 0);
    reason_preemption(&s, w, p, 0, &t);
    ck_assert_str_eq(
        str_text(&s),
        "Preempted to accommodate a workload (UID: UNKNOWN, JobUID: UNKNOWN) due to prioritization in the "
        "ClusterQueue; preemptor path: /q; preemptee path: /q");
}
END_TEST

/* ---- decisions ------------------------------------------------------------------------------------------------------------------------------------ */

START_TEST(messages_without_a_cycle)
{
    struct decision d = {.message = MESSAGE_OVERLAP};
    reason_message(&s, w, &d);
    ck_assert_str_eq(str_text(&s), "Workload has overlapping preemption targets with another workload");
    str_clear(&s);
    d.message = MESSAGE_NONE;
    reason_message(&s, w, &d);
    ck_assert_str_eq(str_text(&s), "");
}
END_TEST

START_TEST(reasons_of_waiting_5_9)
{
    ck_assert_str_eq(reason_wait(w, WAIT_FOR_PODS_READY), "WaitingForPodsReady");
    ck_assert_str_eq(reason_wait(w, WAIT_FOR_QUOTA), "WaitingForQuota");
    build_config(w, "UnadmittedWorkloadsObservability=false", .fair_sharing = false);
    ck_assert_str_eq(reason_wait(w, WAIT_FOR_PODS_READY), "Waiting");
    ck_assert_str_eq(reason_wait(w, WAIT_FOR_QUOTA), "Pending");
}
END_TEST

START_TEST(words)
{
    static const char *const outcomes[] = {"admitted", "preempting", "deferred", "noCandidates", "noFit",
                                           "skipped",  "gated",      "notReady", "rejected"};
    static const char *const modes[] = {"NoFit", "Preempt", "DeferredFit", "Fit"};
    for (uint32_t i = 0; i < COUNT(outcomes); i++)
        ck_assert_str_eq(outcome_text((enum outcome)i), outcomes[i]);
    for (uint32_t i = 0; i < COUNT(modes); i++)
        ck_assert_str_eq(mode_text((enum mode)i), modes[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reason");
    TCase *t = tcase_create("reason");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, reasons_6, 0, COUNT(rows));
    tcase_add_test(t, pod_sets_that_fit_are_not_spoken_of_6_7);
    tcase_add_test(t, several_pod_sets_are_joined_6_7);
    tcase_add_test(t, an_error_is_the_whole_message_6_7);
    tcase_add_test(t, flavors_considered_6_7);
    tcase_add_test(t, nothing_considered_6_7);
    tcase_add_test(t, simulated_preemption_is_told_6_7);
    tcase_add_loop_test(t, message_of_the_victim_7_7, 0, COUNT(due_rows));
    tcase_add_test(t, events_7_7);
    tcase_add_test(t, what_is_unknown_is_said_so_7_7);
    tcase_add_test(t, messages_without_a_cycle);
    tcase_add_test(t, reasons_of_waiting_5_9);
    tcase_add_test(t, words);
    suite_add_tcase(suite, t);
    return build_run(suite);
}
