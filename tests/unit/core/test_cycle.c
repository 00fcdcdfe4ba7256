/* One scheduling cycle: 5.1, 5.2, each step of 5.5, 5.6, 5.7. */
#include "build.h"
#include "core/world_priv.h"

#include <check.h>
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

#define RECLAIM_ANY                                                                                          \
    {                                                                                                        \
        .reclaim_within_cohort = POLICY_ANY                                                                  \
    }
#define OWN_LOWER                                                                                            \
    {                                                                                                        \
        .within_cluster_queue = POLICY_LOWER_PRIORITY                                                        \
    }

/* ---- nomination (5.1) ---------------------------------------------------------------------------------------------------------------- */

START_TEST(failed_checks_5_1_rule_2)
{
    build_cq(w, "q", "", "cpu: f 4", .namespaces = {.is_null = true}); /* before all that follows */
    build_job(w, "x", "q", "cpu=1", .failed_check = true);
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert_str_eq(build_message(w, "x"), "The workload has failed admission checks");
    ck_assert_str_eq(build_waits(), "x PendingEvaluation ");
    ck_assert_str_eq(build_queue(w, "q"), "| x");
}
END_TEST

START_TEST(namespaces_5_1_rule_5)
{
    build_cq(w, "q", "", "cpu: f 4", .namespaces = {.is_null = true});
    build_job(w, "x", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert_str_eq(build_message(w, "x"), "workload namespace doesn't match ClusterQueue selector");
    world_del_namespace(w, "ns");
    build_job(w, "y", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "y rejected");
    ck_assert_str_eq(build_message(w, "y"),
                     "workload namespace \"ns\" does not exist: namespaces \"ns\" not found");
    ck_assert_str_eq(build_waits(), "y Misconfigured ");
}
END_TEST

START_TEST(invalid_requests_5_1_rule_5)
{
    struct fact_amount max = {"cpu", build_qty("1")};
    struct fact_limit_item item = {.type = LIMIT_CONTAINER, .max = &max, .nmax = 1};
    struct fact_limit_range range = {"ns", "limits", &item, 1};
    build_cq(w, "q", "", "cpu: f 4");
    ck_assert_int_eq(world_put_limit_range(w, &range, NULL), 0);
    struct wl *x = build_job(w, "x", "q", "cpu=2");
    ck_assert_ptr_nonnull(x->invalid);
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert_str_eq(build_message(w, "x"), x->invalid);
    world_del_limit_range(w, "ns", "limits");
    build_job(w, "x", "q", "cpu=2", .generation = 2);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
    build_job(w, "d", "q", "cpu=1", .devices = true);
    ck_assert_str_eq(build_cycle(w), "d rejected");
    ck_assert_str_eq(build_message(w, "d"),
                     "resource claims of dynamic resource allocation are not supported");
}
END_TEST

START_TEST(decisions_of_the_rejected_come_last)
{
    build_cq(w, "a", "", "cpu: f 4", .namespaces = {.is_null = true});
    build_cq(w, "b", "", "cpu: f 4");
    build_job(w, "x", "a", "cpu=1");
    build_job(w, "y", "b", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "y admitted cpu=f; x rejected");
    ck_assert_uint_eq(build_last()->nheads, 2);
    ck_assert_ptr_eq(build_last()->heads[0], build_last()->decisions[1].w);
    ck_assert(build_last()->progressed); /* 4.11: something was admitted */
    ck_assert_uint_eq(build_last()->number, 1);
}
END_TEST

/* ---- assignments (5.2) ------------------------------------------------------------------------------------------------------------------ */

START_TEST(partial_admission_5_2)
{
    build_cq(w, "q", "", "cpu: f 5");
    build_job(w, "x", "q", "8>2 cpu=1");
    ck_assert_str_eq(build_cycle(w), "x admitted *5 cpu=f");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 5000);
    ck_assert_int_eq(world_find_workload(w, "ns", "x")->pod_sets[0].assigned, 5);
    build_job(w, "y", "q", "8>2 cpu=1");
    ck_assert_str_eq(build_cycle(w), "y noFit");
}
END_TEST

START_TEST(victims_before_fewer_pods_5_2)
{
    build_cq(w, "q", "", "cpu: f 5", .preemption = OWN_LOWER);
    build_job(w, "v", "q", "cpu=3", .held = "f");
    build_job(w, "x", "q", "4>1 cpu=1", .priority = 1);
    ck_assert_str_eq(build_cycle(w), "x preempting cpu=f -v(InClusterQueue)");
}
END_TEST

START_TEST(fewer_pods_with_victims_5_2)
{
    build_cq(w, "q", "", "cpu: f 5", .preemption = OWN_LOWER);
    build_hold(w, "o:q:2:9 v:q:3:0");
    build_job(w, "x", "q", "4>3 cpu=1", .priority = 1);
    ck_assert_str_eq(build_cycle(w), "x preempting *3 cpu=f -v(InClusterQueue)");
}
END_TEST

START_TEST(partial_admission_has_a_gate)
{
    build_config(w, "PartialAdmission=false", .fair_sharing = false);
    build_cq(w, "q", "", "cpu: f 5");
    build_job(w, "x", "q", "8>2 cpu=1");
    ck_assert_str_eq(build_cycle(w), "x noFit");
}
END_TEST

/* ---- scan state across cycles (6.6) ------------------------------------------------------------------------------------------------------- */

/* x needs victims in f, has none, and MayStopSearch does not stop there; so positions come from Preempt with victims that are gated. */
START_TEST(the_scan_survives_a_generation_for_one_cycle)
{
    build_cq(w, "q", "", "cpu: f 4; g 4");
    build_job(w, "h", "q", "cpu=4", .held = "f");
    struct wl *x = build_job(w, "x", "q", "cpu=8");
    (void)build_cycle(w);
    x->scan.present = true; /* as if it had stopped at f */
    x->tried[x->pod_sets[0].first] = 0;
    build_cq(w, "q", "", "cpu: f 8; g 8"); /* the generation moves */
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=g");
}
END_TEST

START_TEST(the_scan_is_forgotten_after_that_6_6)
{
    build_cq(w, "q", "", "cpu: f 4; g 4");
    build_cq(w, "r", "", "cpu: f 4");
    struct wl *x = build_job(w, "x", "q", "cpu=8");
    (void)build_cycle(w);
    build_job(w, "other", "r", "cpu=1");
    (void)build_cycle(w); /* another cycle between */
    x->scan.present = true;
    x->tried[x->pod_sets[0].first] = 0;
    build_cq(w, "q", "", "cpu: f 8; g 8");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
}
END_TEST

START_TEST(another_shape_starts_over_6_6)
{
    build_cq(w, "q", "", "cpu: f 4; g 4");
    struct wl *x = build_job(w, "x", "q", "cpu=4", .priority = 1);
    x->scan = (struct scan){.present = true, .generation = 99, .cycle = 0, .class = {1, 2}};
    x->tried[0] = 0;
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
}
END_TEST

static void stop_and_start(struct wl *x)
{
    (void)x;
    build_lq(w, "q", "q", .stop = STOP_HOLD);
    build_lq(w, "q", "q");
}

static void deactivate(struct wl *x)
{
    (void)x;
    build_job(w, "x", "q", "cpu=4", .inactive = true);
    build_job(w, "x", "q", "cpu=4");
}

static void hold(struct wl *x)
{
    (void)x;
    build_job(w, "x", "q", "cpu=4", .on_hold = "OnHold");
    build_job(w, "x", "q", "cpu=4");
}

static void change_nothing(struct wl *x)
{
    (void)x;
    build_job(w, "x", "q", "cpu=4");
}

static void lead_elsewhere(struct wl *x)
{
    (void)x;
    build_cq(w, "r", "", "cpu: f 4; g 4");
    build_lq(w, "q", "r");
}

static const struct {
    void (*happens)(struct wl *x);
    const char *want;
} leave_rows[] = {
    {stop_and_start, "x admitted cpu=f"}, {deactivate, "x admitted cpu=f"},     {hold, "x admitted cpu=f"},
    {change_nothing, "x admitted cpu=g"}, {lead_elsewhere, "x admitted cpu=g"},
};

/* 4.4 step 4: progress is copied from what is queued, so one that left the queue has none when it comes back. */
START_TEST(leaving_the_queue_forgets_the_scan_6_6)
{
    build_cq(w, "q", "", "cpu: f 4; g 4");
    struct wl *x = build_job(w, "x", "q", "cpu=4");
    x->scan = (struct scan){.present = true, .generation = 99, .class = {x->class[0], x -> class[1]}};
    x->pod_sets[0].nslots = 1;
    x->slots[0].res = names_find(world_names(w), "cpu");
    x->tried[0] = 0;
    leave_rows[_i].happens(x);
    ck_assert_str_eq(build_cycle(w), leave_rows[_i].want);
}
END_TEST

START_TEST(without_the_gate_the_generation_decides_6_6)
{
    for (int64_t newer = 0; newer < 2; newer++) {
        struct world *v = build_world();
        build_config(v, "FlavorFungibilityPreserveScanProgress=false", .fair_sharing = false);
        build_cq(v, "q", "", "cpu: f 4; g 4");
        struct wl *x = build_job(v, "x", "q", "cpu=4");
        ck_assert_int_eq(world_settle(v, NULL), 0);
        x->scan = (struct scan){.present = true, .generation = world_cq(v, 0).generation - newer};
        x->pod_sets[0].nslots = 1;
        x->slots[0].res = names_find(world_names(v), "cpu");
        x->tried[0] = 0;
        ck_assert_str_eq(build_cycle(v), newer ? "x admitted cpu=f" : "x admitted cpu=g");
        world_free(v);
    }
}
END_TEST

/* ---- processing (5.5) -------------------------------------------------------------------------------------------------------------------------- */

START_TEST(no_fit_5_5_step_3)
{
    build_cq(w, "q", "", "cpu: f 4");
    build_job(w, "x", "q", "cpu=5");
    ck_assert_str_eq(build_cycle(w), "x noFit");
    ck_assert_str_eq(build_waits(), "x ExceedsMaxQuota NoFit");
    ck_assert(!build_last()->progressed);
    ck_assert_uint_eq(world_cq_parked(w, 0), 1);
}
END_TEST

/* 5.5 step 4: p in a has no victims; y in b comes after it. Of the 4 cpu of a, p claims what it can, unless it may always reclaim. */
static const struct {
    const char *rule, *a;
    const char *held, *p, *y;
    struct fact_preemption policy;
    const char *want;
} reserve_rows[] = {
    {"5.5 step 4: kept, so that another borrows no more",
     "4",
     "h:a:2:9 i:b:4:9",
     "3",
     "2",
     {.within_cluster_queue = POLICY_LOWER_PRIORITY},
     "p noCandidates cpu=f; y skipped cpu=f"},
    {"5.5 step 4: not with reclaimWithinCohort Any",
     "4",
     "h:a:2:9 i:b:4:9",
     "3",
     "2",
     {.reclaim_within_cohort = POLICY_ANY},
     "p noCandidates cpu=f; y admitted cpu=f"},
    {"5.5 step 4: no more than nominal less its use",
     "4",
     "h:a:1:9 i:b:4:9 j:d:2:9",
     "4",
     "1",
     {.within_cluster_queue = POLICY_LOWER_PRIORITY},
     "p noCandidates cpu=f; y skipped cpu=f"},
    {"5.5 step 4: borrowing without limit: all of it",
     "4",
     "h:a:5:9 i:b:1:9",
     "3",
     "2",
     {.within_cluster_queue = POLICY_LOWER_PRIORITY},
     "p noCandidates cpu=f; y skipped cpu=f"},
    {"5.5 step 4: borrowing up to its limit",
     "4+2",
     "h:a:5:9 i:b:1:9",
     "2",
     "2",
     {.within_cluster_queue = POLICY_LOWER_PRIORITY},
     "p noCandidates cpu=f; y skipped cpu=f"},
    {"5.5 step 4: and no more than that",
     "4+2",
     "h:a:5:9 i:b:1:9",
     "2",
     "1",
     {.within_cluster_queue = POLICY_LOWER_PRIORITY},
     "p noCandidates cpu=f; y admitted cpu=f"},
};

START_TEST(reserving)
{
    char pods[32], other[32], quota[32];
    snprintf(quota, sizeof quota, "cpu: f %s", reserve_rows[_i].a);
    snprintf(pods, sizeof pods, "cpu=%s", reserve_rows[_i].p);
    snprintf(other, sizeof other, "cpu=%s", reserve_rows[_i].y);
    build_cq(w, "a", "c", quota, .preemption = reserve_rows[_i].policy);
    build_cq(w, "b", "c", "cpu: f 4");
    build_cq(w, "d", "c", "cpu: f 0");
    build_hold(w, reserve_rows[_i].held);
    build_job(w, "p", "a", pods, .priority = 5, .created = -9);
    build_job(w, "y", "d", other);
    const char *got = build_cycle(w);
    ck_assert_msg(strcmp(got, reserve_rows[_i].want) == 0, "%s: %s", reserve_rows[_i].rule, got);
    ck_assert_int_eq(build_usage(w, "a", "f", "cpu") % 1000, 0); /* the reservation ends with the cycle */
}
END_TEST

START_TEST(a_marked_preemptor_reserves_always_5_5_step_4)
{
    build_config(w, "PrioritizePreemptorWorkloads", .fair_sharing = false);
    build_cq(w, "a", "c", "cpu: f 4", .preemption = RECLAIM_ANY);
    build_cq(w, "b", "c", "cpu: f 4");
    build_hold(w, "h:a:2:9 v:b:6:0");
    build_job(w, "p", "a", "cpu=2");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
    world_del_workload(w, world_find_workload(w, "ns", "v"), NOW);
    build_hold(w, "i:b:4:9 j:a:1:9");
    build_job(w, "y", "b", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "p noCandidates cpu=f; y skipped cpu=f");
}
END_TEST

START_TEST(gated_5_5_step_5)
{
    build_cq(w, "q", "", "cpu: f 4", .preemption = OWN_LOWER);
    build_hold(w, "v:q:4:0");
    build_job(w, "p", "q", "cpu=4", .priority = 1, .closed_gate = true);
    build_config(w, "MultiKueueOrchestratedPreemption", .fair_sharing = false);
    ck_assert_str_eq(build_cycle(w), "p gated cpu=f -v(InClusterQueue)");
    ck_assert_str_eq(build_message(w, "p"), "Workload requires preemption, but it's gated");
    ck_assert_str_eq(build_waits(), "p AdmissionGated PreemptionGated");
    ck_assert_uint_eq(build_last()->nevicted, 0);
    build_config(w, "ConcurrentAdmission", .fair_sharing = false);
    build_cq(w, "q", "", "cpu: f 4", .preemption = OWN_LOWER);
    ck_assert_str_eq(build_cycle(w), "p gated cpu=f -v(InClusterQueue)");
    build_job(w, "p", "q", "cpu=4", .priority = 1); /* opened */
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InClusterQueue)");
}
END_TEST

START_TEST(gates_do_not_matter_without_their_features_5_5_step_5)
{
    build_cq(w, "q", "", "cpu: f 4", .preemption = OWN_LOWER);
    build_hold(w, "v:q:4:0");
    build_job(w, "p", "q", "cpu=4", .priority = 1, .closed_gate = true);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InClusterQueue)");
}
END_TEST

/* Two reclaim from z, which holds one Workload of 8: q1 and q2 have 4 each. */
static void overlap(const char *gates, const char *held)
{
    build_config(w, gates, .fair_sharing = false);
    build_cq(w, "q1", "c", "cpu: f 4", .preemption = RECLAIM_ANY);
    build_cq(w, "q2", "c", "cpu: f 4", .preemption = RECLAIM_ANY);
    build_cq(w, "z", "c", "cpu: f 0");
    build_hold(w, held);
    build_job(w, "p1", "q1", "cpu=3", .created = 1);
    build_job(w, "p2", "q2", "cpu=3", .created = 2);
}

START_TEST(deferred_fit_5_5_steps_1_and_6)
{
    overlap("", "v:z:8:0");
    ck_assert_str_eq(build_cycle(w), "p1 preempting cpu=f -v(InCohortReclamation); p2 deferred cpu=f");
    ck_assert_str_eq(build_message(w, "p2"),
                     "Workload has overlapping preemption targets with another workload, but will fit "
                     "after these preemptions complete");
    ck_assert_str_eq(build_waits(),
                     "p1 WaitingForPreemptedWorkloads PendingPreemption; p2 WaitingForPreemptedWorkloads "
                     "PendingPreemption");
    ck_assert_uint_eq(build_last()->nrecomputes, 1);
    ck_assert_int_eq(build_last()->recomputes[0].result, RECOMPUTE_DEFERRED_FIT);
    ck_assert_ptr_nonnull(world_cq_sticky(w, world_cq_find(w, "q2")));
    ck_assert(!world_find_workload(w, "ns", "v")->away);
}
END_TEST

START_TEST(new_targets_5_5_step_1)
{
    overlap("", "u:z:3:1 v:z:5:0");
    build_job(w, "p2", "q2", "cpu=4", .created = 2);
    build_job(w, "p1", "q1", "cpu=4", .created = 1);
    /* After v is gone for p1, p2 finds 1 cpu free and takes u as well. */
    ck_assert_str_eq(
        build_cycle(w),
        "p1 preempting cpu=f -v(InCohortReclamation); p2 preempting cpu=f -u(InCohortReclamation)");
    ck_assert_int_eq(build_last()->recomputes[0].result, RECOMPUTE_NEW_TARGETS);
    ck_assert_uint_eq(build_last()->nevicted, 2);
}
END_TEST

START_TEST(recomputed_in_vain_5_5_step_1)
{
    overlap("", "v:z:5:0 k:q2:3:9");
    build_cq(w, "q2", "c", "cpu: f 4",
             .preemption = {.reclaim_within_cohort = POLICY_ANY,
                            .borrow_within_cohort = true,
                            .borrow_policy = POLICY_LOWER_PRIORITY});
    build_job(w, "p1", "q1", "cpu=4");
    build_job(w, "p2", "q2", "cpu=3",
              .priority = 1); /* borrows, so it comes second; v alone does not help it then */
    ck_assert_str_eq(build_cycle(w), "p1 preempting cpu=f -v(InCohortReclamation); p2 noCandidates cpu=f");
    ck_assert_int_eq(build_last()->recomputes[0].result, RECOMPUTE_SKIPPED);
}
END_TEST

START_TEST(overlap_without_the_gate_5_5_step_7)
{
    overlap("RecomputeAssignmentUponPreemptionTargetsOverlap=false", "v:z:8:0");
    ck_assert_str_eq(build_cycle(w),
                     "p1 preempting cpu=f -v(InCohortReclamation); p2 skipped cpu=f -v(InCohortReclamation)");
    ck_assert_str_eq(build_message(w, "p2"),
                     "Workload has overlapping preemption targets with another workload");
    ck_assert_str_eq(
        build_waits(),
        "p1 WaitingForPreemptedWorkloads PendingPreemption; p2 WaitingForQuota FailedAfterNomination");
    ck_assert_uint_eq(build_last()->nskips, 1);
    ck_assert_uint_eq(build_last()->skips[0].n, 1);
}
END_TEST

START_TEST(no_longer_fits_5_5_step_8)
{
    build_cq(w, "a", "c", "cpu: f 2");
    build_cq(w, "b", "c", "cpu: f 2");
    build_job(w, "x", "a", "cpu=3", .created = 1);
    build_job(w, "y", "b", "cpu=3", .created = 2);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y skipped cpu=f");
    ck_assert_str_eq(build_message(w, "y"), "Workload no longer fits after processing another workload");
    ck_assert_str_eq(build_waits(), "y WaitingForQuota FailedAfterNomination");
    ck_assert_uint_eq(build_last()->nskips, 0);   /* no preemption was skipped */
    ck_assert_str_eq(build_queue(w, "b"), "y |"); /* 5.6 step 1: at once again */
}
END_TEST

/* The usage of a preempting entry is added; its victims count as gone in the fit check of later ones (5.5 step 9). */
START_TEST(preemptors_take_from_those_who_follow_5_5_step_9)
{
    for (int more = 0; more < 2; more++) {
        struct world *v = build_world();
        build_cq(v, "a", "c", "cpu: f 4", .preemption = OWN_LOWER);
        build_cq(v, "b", "c", "cpu: f 4");
        build_hold(v, "v:a:3:0 h:b:3:0");
        build_job(v, "p", "a", "cpu=4", .priority = 1);
        build_job(v, "y", "b", more ? "cpu=2" : "cpu=1");
        ck_assert_str_eq(build_cycle(v), more ? "p preempting cpu=f -v(InClusterQueue); y skipped cpu=f"
                                              : "p preempting cpu=f -v(InClusterQueue); y admitted cpu=f");
        world_free(v);
    }
}
END_TEST

START_TEST(skipped_preemption_is_counted_5_5_step_8)
{
    build_cq(w, "a", "c", "cpu: f 4", .preemption = OWN_LOWER);
    build_cq(w, "b", "c", "cpu: f 4", .preemption = OWN_LOWER);
    build_hold(w, "v:a:2:0 o:a:2:9 u:b:3:0");
    build_job(w, "p", "b", "cpu=4", .priority = 1);
    build_job(w, "y", "a", "cpu=3", .priority = 9); /* borrows, so it comes second */
    ck_assert_str_eq(build_cycle(w),
                     "p preempting cpu=f -u(InClusterQueue); y skipped cpu=f -v(InClusterQueue)");
    ck_assert_uint_eq(build_last()->nskips, 1);
    ck_assert_uint_eq(build_last()->skips[0].cq, world_cq_find(w, "a"));
    ck_assert_uint_eq(build_last()->nevicted, 1);
}
END_TEST

START_TEST(many_preempt_and_many_are_skipped)
{
    build_cq(w, "a", "c", "cpu: f 2", .preemption = RECLAIM_ANY);
    build_cq(w, "b", "c", "cpu: f 2", .preemption = RECLAIM_ANY);
    build_cq(w, "d", "c", "cpu: f 2", .preemption = RECLAIM_ANY);
    build_cq(w, "x", "c", "cpu: f 0", .preemption = OWN_LOWER);
    build_cq(w, "y", "c", "cpu: f 0", .preemption = OWN_LOWER);
    build_cq(w, "z", "c", "cpu: f 0");
    build_hold(w, "u:x:1:0 v:y:1:0 k:z:1:0 l:z:1:0 m:z:1:0 n:z:1:0");
    build_job(w, "pa", "a", "cpu=2", .created = 1);
    build_job(w, "pb", "b", "cpu=2", .created = 2);
    build_job(w, "pd", "d", "cpu=2", .created = 3);
    build_config(w, "RecomputeAssignmentUponPreemptionTargetsOverlap=false", .fair_sharing = false);
    ck_assert_str_eq(build_cycle(w), "pa preempting cpu=f -n(InCohortReclamation) -m(InCohortReclamation); "
                                     "pb skipped cpu=f -n(InCohortReclamation) -m(InCohortReclamation); "
                                     "pd skipped cpu=f -n(InCohortReclamation) -m(InCohortReclamation)");
    ck_assert_uint_eq(build_last()->nskips, 2); /* one for each ClusterQueue */
    build_config(w, "", .fair_sharing = false);
    (void)build_cycle(w);
    ck_assert_uint_eq(build_last()->nrecomputes, 2);
    ck_assert_uint_eq(build_last()->nevicted, 4);
}
END_TEST

START_TEST(skipping_without_the_gate_forgets_the_scan_5_5)
{
    build_config(w, "FlavorFungibilityPreserveScanProgress=false", .fair_sharing = false);
    build_cq(w, "a", "c", "cpu: f 2; g 0");
    build_cq(w, "b", "c", "cpu: f 2; g 0");
    build_job(w, "x", "a", "cpu=3", .created = 1);
    struct wl *y = build_job(w, "y", "b", "cpu=3", .created = 2);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y skipped cpu=f");
    ck_assert(!y->scan.present);
}
END_TEST

START_TEST(skipping_keeps_the_scan_5_5)
{
    build_cq(w, "a", "c", "cpu: f 2; g 0");
    build_cq(w, "b", "c", "cpu: f 2; g 0");
    build_job(w, "x", "a", "cpu=3", .created = 1);
    struct wl *y = build_job(w, "y", "b", "cpu=3", .created = 2);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y skipped cpu=f");
    ck_assert(wl_scan_unfinished(y));
    ck_assert_str_eq(build_cycle(w), "y noFit"); /* it goes on at g */
}
END_TEST

START_TEST(preempting_5_5_step_10)
{
    build_cq(w, "q", "", "cpu: f 4", .preemption = OWN_LOWER);
    build_hold(w, "!u:q:2:0 v:q:2:0");
    struct wl *p = build_job(w, "p", "q", "cpu=4", .priority = 1);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -u(InClusterQueue) -v(InClusterQueue)");
    ck_assert_str_eq(build_message(w, "p"),
                     "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor "
                     "f, 4 more needed. Pending the preemption of 2 workload(s)");
    ck_assert_uint_eq(build_last()->nevicted, 1); /* u is evicted already (7.7) */
    ck_assert_str_eq(build_last()->evicted[0]->name, "v");
    ck_assert_ptr_eq(build_last()->evicted_target[0]->w, build_last()->evicted[0]);
    ck_assert_ptr_eq(build_last()->evicted_by[0]->w, p);
    ck_assert(build_last()->progressed);
    ck_assert(!p->scan.present);
    ck_assert_str_eq(build_queue(w, "q"), "p |");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -u(InClusterQueue) -v(InClusterQueue)");
    ck_assert_uint_eq(build_last()->nevicted, 0); /* v is expected to go (7.7) */
    ck_assert(!build_last()->progressed);
    world_forget_preemption(world_find_workload(w, "ns", "v"));
    (void)build_cycle(w);
    ck_assert_uint_eq(build_last()->nevicted, 1);
    struct marks m = world_find_workload(w, "ns", "v")->marks;
    m.evicted = true;
    world_put_marks(w, world_find_workload(w, "ns", "v"), &m, NOW); /* observed */
    ck_assert(!world_find_workload(w, "ns", "v")->expected);
}
END_TEST

START_TEST(block_admission_5_5_step_11)
{
    build_config(w, "", .block_admission = true);
    build_cq(w, "q", "", "cpu: f 9");
    build_cq(w, "r", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=1", .created = 1);
    build_job(w, "y", "r", "cpu=1", .created = 2);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f; y notReady cpu=f");
    ck_assert_str_eq(build_message(w, "y"),
                     "waiting for all admitted workloads to be in PodsReady condition");
    ck_assert_str_eq(build_waits(), "y WaitingForPodsReady FailedAfterNomination");
    ck_assert_str_eq(build_cycle(w), "y notReady cpu=f");
    struct marks m = x->marks;
    m.pods_ready = true;
    world_put_marks(w, x, &m, NOW);
    ck_assert_str_eq(build_cycle(w), "y admitted cpu=f");
    build_job(w, "z", "q", "cpu=1");
    build_job(w, "y", "r", "cpu=1", .held = "f", .ready = true);
    ck_assert_str_eq(build_cycle(w), "z admitted cpu=f");
    build_config(w, "DisableWaitForPodsReady", .block_admission = true);
    build_job(w, "a", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "a admitted cpu=f");
}
END_TEST

/* ---- 5.7 ------------------------------------------------------------------------------------------------------------------------------------ */

START_TEST(admitting_5_7)
{
    build_cq(w, "q", "", "cpu,pods: f 9 9");
    struct wl *x = build_job(w, "x", "q", "a: 2 cpu=1; b: 3 cpu=2", .evicted = "Preempted",
                             .preempted = "InClusterQueue", .ready = true);
    ck_assert_str_eq(build_cycle(w), "x admitted a pods=f cpu=f b pods=f cpu=f");
    ck_assert(x->marks.reserved && !x->marks.evicted && !x->marks.preempted && !x->marks.pods_ready);
    ck_assert_int_eq(x->marks.reserved_at, NOW);
    ck_assert_str_eq(names_text(w->names, x->admission), "q");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 8000);
    ck_assert_int_eq(build_usage(w, "q", "f", "pods"), 5);
    ck_assert_str_eq(build_queue(w, "q"), "|");
    ck_assert_int_eq(world_cq(w, 0).generation, 1); /* assuming does not count; the event of it does */
    build_job(w, "x", "q", "a: 2 cpu=1; b: 3 cpu=2", .held = "f");
    ck_assert_int_eq(world_cq(w, 0).generation, 2);
}
END_TEST

START_TEST(forgetting_an_admission_5_7)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=1");
    (void)build_cycle(w);
    world_forget_admission(w, x, NOW);
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    ck_assert_uint_eq(x->admission, 0);
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
}
END_TEST

/* It goes back as one that failed after nomination: at once, and nobody else is waked (4.6, 4.7). */
START_TEST(forgetting_wakes_nobody_4_7)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=6");
    (void)build_cycle(w);
    build_job(w, "y", "q", "cpu=6");
    ck_assert_str_eq(build_cycle(w), "y noCandidates cpu=f"); /* its shape, which is that of x, is parked */
    world_forget_admission(w, x, NOW);
    ck_assert_str_eq(build_queue(w, "q"), "x | y");
    ck_assert(!world_flush(w, NOW));
    build_lq(w, "q", "q", .stop = STOP_HOLD);
    build_lq(w, "q", "q");
    (void)build_cycle(w);
    build_lq(w, "q", "q", .stop = STOP_HOLD);
    world_forget_admission(w, x, NOW); /* nowhere to go, until the queue opens */
    ck_assert_str_eq(build_queue(w, "q"), "|");
    build_lq(w, "q", "q");
    ck_assert_uint_eq(x->pending_cq, 0);
}
END_TEST

START_TEST(a_head_that_holds_quota_is_dropped_5_1_rule_1)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=1");
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_int_eq(accounts_add(w, x, 0), 0);
    ck_assert_str_eq(build_cycle(w), "");
    ck_assert_int_eq(x->bucket, BUCKET_NONE);
}
END_TEST

static void add_nomination(TCase *t)
{
    tcase_add_test(t, failed_checks_5_1_rule_2);
    tcase_add_test(t, namespaces_5_1_rule_5);
    tcase_add_test(t, invalid_requests_5_1_rule_5);
    tcase_add_test(t, decisions_of_the_rejected_come_last);
    tcase_add_test(t, partial_admission_5_2);
    tcase_add_test(t, victims_before_fewer_pods_5_2);
    tcase_add_test(t, fewer_pods_with_victims_5_2);
    tcase_add_test(t, partial_admission_has_a_gate);
    tcase_add_test(t, the_scan_survives_a_generation_for_one_cycle);
    tcase_add_test(t, the_scan_is_forgotten_after_that_6_6);
    tcase_add_test(t, another_shape_starts_over_6_6);
    tcase_add_loop_test(t, leaving_the_queue_forgets_the_scan_6_6, 0, COUNT(leave_rows));
    tcase_add_test(t, without_the_gate_the_generation_decides_6_6);
}

static void add_processing(TCase *t)
{
    tcase_add_test(t, no_fit_5_5_step_3);
    tcase_add_loop_test(t, reserving, 0, COUNT(reserve_rows));
    tcase_add_test(t, a_marked_preemptor_reserves_always_5_5_step_4);
    tcase_add_test(t, gated_5_5_step_5);
    tcase_add_test(t, gates_do_not_matter_without_their_features_5_5_step_5);
    tcase_add_test(t, deferred_fit_5_5_steps_1_and_6);
    tcase_add_test(t, new_targets_5_5_step_1);
    tcase_add_test(t, recomputed_in_vain_5_5_step_1);
    tcase_add_test(t, overlap_without_the_gate_5_5_step_7);
    tcase_add_test(t, no_longer_fits_5_5_step_8);
    tcase_add_test(t, preemptors_take_from_those_who_follow_5_5_step_9);
    tcase_add_test(t, skipped_preemption_is_counted_5_5_step_8);
    tcase_add_test(t, many_preempt_and_many_are_skipped);
    tcase_add_test(t, skipping_without_the_gate_forgets_the_scan_5_5);
    tcase_add_test(t, skipping_keeps_the_scan_5_5);
    tcase_add_test(t, preempting_5_5_step_10);
    tcase_add_test(t, block_admission_5_5_step_11);
    tcase_add_test(t, admitting_5_7);
    tcase_add_test(t, forgetting_an_admission_5_7);
    tcase_add_test(t, forgetting_wakes_nobody_4_7);
    tcase_add_test(t, a_head_that_holds_quota_is_dropped_5_1_rule_1);
}

int main(void)
{
    Suite *s = suite_create("cycle");
    TCase *t = tcase_create("cycle");
    tcase_add_checked_fixture(t, setup, teardown);
    add_nomination(t);
    add_processing(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
