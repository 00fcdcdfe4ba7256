/* Workloads and their queues in the world: 4.3 to 4.7, each rule and event. */
#include "build.h"
#include "core/world_priv.h"

#include <check.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
    build_cq(w, "q", "c", "cpu: f 4");
    build_cq(w, "r", "c", "cpu: f 4");
}

static void teardown(void)
{
    world_free(w);
}

static void flush(void)
{
    (void)world_flush(w, NOW);
}

/* One Workload that is too big for q, found so by a cycle: it waits in the inadmissible list. */
static struct wl *stuck(void)
{
    struct wl *big = build_job(w, "big", "q", "cpu=9");
    ck_assert_str_eq(build_cycle(w), "big noFit");
    ck_assert_str_eq(build_queue(w, "q"), "| big");
    return big;
}

/* ---- 4.3 isAdmissible ----------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *rule;
    struct job job;
    const char *queue;
} admissible_rows[] = {
    {"4.3: nothing against it", {.created = 0}, "x |"},
    {"4.3: admission gate", {.gated_by = "me"}, "|"},
    {"4.3: Finished", {.finished = true}, "|"},
    {"4.3: spec.active false", {.inactive = true}, "|"},
    {"4.3: QuotaReserved", {.held = "f"}, "|"},
    {"4.3: on hold", {.on_hold = "OnHold"}, "|"},
    {"4.3: QuotaReserved=False for another reason", {.on_hold = "Pending"}, "x |"},
    {"4.3: WaitingForReplacementPods", {.replacement = true}, "|"},
    {"4.3: in backoff", {.requeue_at = 2000}, "| x"},
    {"4.3: backoff over", {.requeue_at = 1000}, "x |"},
    {"4.3: Requeued=False", {.requeued_false = true}, "| x"},
};

START_TEST(admissible)
{
    struct job j = admissible_rows[_i].job;
    j.name = "x";
    j.queue = "q";
    j.pods = "cpu=1";
    build_put_job(w, &j);
    ck_assert_msg(strcmp(build_queue(w, "q"), admissible_rows[_i].queue) == 0, "%s: %s",
                  admissible_rows[_i].rule, build_queue(w, "q"));
}
END_TEST

START_TEST(the_gate_of_the_gate_annotation)
{
    build_config(w, "AdmissionGatedBy=false", .fair_sharing = false);
    build_job(w, "x", "q", "cpu=1", .gated_by = "me");
    ck_assert_str_eq(build_queue(w, "q"), "x |");
}
END_TEST

/* ---- 4.4 add or update -------------------------------------------------------------------------------------------------------------- */

START_TEST(not_admissible_changes_nothing_4_4_step_1)
{
    build_job(w, "x", "q", "cpu=1");
    build_job(w, "x", "q", "cpu=1", .gated_by = "me");
    ck_assert_str_eq(build_queue(w, "q"), "x |"); /* still there, and dropped after its cycle */
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
    build_job(w, "y", "q", "cpu=9");
    build_job(w, "y", "q", "cpu=9", .gated_by = "me");
    ck_assert_str_eq(build_cycle(w), "y noFit");
    ck_assert_str_eq(build_queue(w, "q"), "|");
}
END_TEST

START_TEST(moving_to_another_queue_4_4_step_2)
{
    struct wl *x = build_job(w, "x", "q", "cpu=1");
    uint32_t lq = x->lq;
    build_job(w, "x", "r", "cpu=1");
    ck_assert_str_eq(build_queue(w, "q"), "|");
    ck_assert_str_eq(build_queue(w, "r"), "x |");
    ck_assert_uint_ne(x->lq, lq);
    build_job(w, "x", "nowhere", "cpu=1"); /* forgotten there as well */
    ck_assert_str_eq(build_queue(w, "r"), "|");
    ck_assert_uint_eq(x->lq, NONE);
}
END_TEST

START_TEST(unknown_or_stopped_local_queue_4_4_step_3)
{
    struct wl *x = build_job(w, "x", "later", "cpu=1");
    ck_assert(!x->in_items);
    build_lq(w, "later", "q", .stop = STOP_HOLD);
    ck_assert_str_eq(build_queue(w, "q"), "|");
    build_lq(w, "later", "q");
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    ck_assert(x->in_items);
}
END_TEST

START_TEST(unknown_cluster_queue_4_4_step_6)
{
    build_lq(w, "lost", "nowhere");
    struct wl *x = build_job(w, "x", "lost", "cpu=1");
    ck_assert(x->in_items && x->bucket == BUCKET_NONE);
    build_cq(w, "nowhere", "", "cpu: f 1");
    ck_assert_str_eq(build_queue(w, "nowhere"), "x |");
}
END_TEST

/* pushOrUpdate: what wakes one that is inadmissible. */
static const struct {
    const char *rule;
    struct job job;
    bool wakes;
} change_rows[] = {
    {"4.4: nothing new", {.generation = 1}, false},
    {"4.4: generation", {.generation = 2}, true},
    {"4.4: priority", {.priority = 1}, true},
    {"4.4: priority class", {.priority_class = "high"}, true},
    {"4.4: requests", {.pods = "cpu=8"}, true},
    {"4.4: count", {.pods = "2 cpu=9"}, true},
    {"4.4: minCount", {.pods = "1>1 cpu=9"}, true},
    {"4.4: name of a pod set", {.pods = "other: cpu=9"}, true},
    {"4.4: number of pod sets", {.pods = "cpu=9; b: cpu=1"}, true},
    {"4.4: reclaimable pods", {.reclaimed = 1}, true},
    {"4.4: condition Evicted", {.evicted = "Preempted"}, true},
    {"4.4: condition Requeued, but then it waits", {.requeued_false = true}, false},
    {"4.4: preemption gate", {.closed_gate = true}, true},
    {"4.4: boost without its gate", {.boost = "5"}, false},
    {"4.4: failed checks are status", {.failed_check = true}, false},
    {"4.4: condition PodsReady is status", {.ready = true}, false},
};

START_TEST(what_wakes_an_inadmissible_one)
{
    struct job j = change_rows[_i].job;
    stuck();
    j.name = "big";
    j.queue = "q";
    j.pods = j.pods ? j.pods : "cpu=9";
    if (change_rows[_i].wakes) /* its shape may be parked; here only the change counts */
        w->cqs[world_cq_find(w, "q")]->pending.nparked = 0;
    build_put_job(w, &j);
    ck_assert_msg(strcmp(build_queue(w, "q"), change_rows[_i].wakes ? "big |" : "| big") == 0, "%s",
                  change_rows[_i].rule);
}
END_TEST

START_TEST(a_boost_wakes_with_its_gate)
{
    build_config(w, "PriorityBoost", .fair_sharing = false);
    stuck();
    build_job(w, "big", "q", "cpu=9", .boost = "5");
    ck_assert_str_eq(build_queue(w, "q"), "big |");
}
END_TEST

START_TEST(new_ones_of_a_parked_shape_wait_with_it)
{
    stuck();
    build_job(w, "same", "q", "cpu=9");
    build_job(w, "other", "q", "cpu=8");
    build_job(w, "sooner", "q", "cpu=9", .priority = 1); /* priority is part of the class (4.10) */
    ck_assert_str_eq(build_queue(w, "q"), "sooner other | big same");
    build_job(w, "elsewhere", "r", "cpu=9");
    ck_assert_str_eq(build_queue(w, "r"), "elsewhere |");
}
END_TEST

START_TEST(without_hashing_nobody_is_parked)
{
    build_config(w, "SchedulingEquivalenceHashing=false", .fair_sharing = false);
    stuck();
    build_job(w, "same", "q", "cpu=9");
    ck_assert_str_eq(build_queue(w, "q"), "same | big");
}
END_TEST

/* 4.10: what tells two Workloads apart. */
static const struct {
    const char *rule;
    struct job job;
    bool same;
} class_rows[] = {
    {"4.10: names, time and queue do not", {.name = "y", .queue = "r", .created = 5}, true},
    {"4.10: priority", {.priority = 1}, false},
    {"4.10: name of the pod set", {.pods = "a: 2 cpu=1"}, false},
    {"4.10: count", {.pods = "3 cpu=1"}, false},
    {"4.10: requests", {.pods = "2 cpu=2"}, false},
    {"4.10: effective count", {.reclaimed = 1}, false},
    {"4.10: minCount", {.pods = "2>1 cpu=1"}, false},
    {"4.10: selector", {.selector = "a=b"}, false},
    {"4.10: tolerations", {.tolerations = "a=b"}, false},
};

START_TEST(equivalence)
{
    struct job j = class_rows[_i].job;
    struct wl *x = build_job(w, "x", "q", "2 cpu=1");
    j.name = "y";
    j.queue = j.queue ? j.queue : "q";
    j.pods = j.pods ? j.pods : "2 cpu=1";
    struct wl *y = build_put_job(w, &j);
    ck_assert_msg((memcmp(x->class, y->class, sizeof x->class) == 0) == class_rows[_i].same, "%s",
                  class_rows[_i].rule);
}
END_TEST

START_TEST(order_in_the_queue_4_2)
{
    build_job(w, "late", "q", "cpu=1", .created = 9);
    build_job(w, "low", "q", "cpu=1", .created = 1);
    build_job(w, "high", "q", "cpu=1", .created = 8, .priority = 2);
    build_job(w, "uid2", "q", "cpu=1", .created = 5, .uid = "2");
    build_job(w, "uid1", "q", "cpu=1", .created = 5, .uid = "1");
    build_job(w, "back", "q", "cpu=1", .created = 0, .evicted = "PodsReadyTimeout", .evicted_at = 7);
    ck_assert_str_eq(build_queue(w, "q"), "high low uid1 uid2 back late |");
    build_job(w, "low", "q", "cpu=1", .created = 1, .priority = 3); /* an update moves it */
    ck_assert_str_eq(build_queue(w, "q"), "low high uid1 uid2 back late |");
}
END_TEST

/* ---- 4.5, 4.6 ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(one_head_of_each_active_queue)
{
    build_cq(w, "s", "", "cpu: f 4", .stop = STOP_HOLD);
    build_job(w, "q1", "q", "cpu=1");
    build_job(w, "q2", "q", "cpu=1");
    build_job(w, "r1", "r", "cpu=1");
    struct wl *s1 = build_job(w, "s1", "s", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "q1 admitted cpu=f; r1 admitted cpu=f");
    ck_assert_str_eq(build_queue(w, "s"), "s1 |"); /* an inactive queue keeps queueing */
    ck_assert(s1->in_items);
    ck_assert_str_eq(build_cycle(w), "q2 admitted cpu=f");
    ck_assert_str_eq(build_cycle(w), "");
    ck_assert_ptr_null(build_last());
}
END_TEST

START_TEST(a_strict_queue_is_blocked_by_its_head)
{
    build_cq(w, "q", "c", "cpu: f 4", .strategy = STRATEGY_STRICT_FIFO);
    build_job(w, "big", "q", "cpu=9", .priority = 1);
    build_job(w, "small", "q", "cpu=1");
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(build_cycle(w), "big noFit");
    build_job(w, "big", "q", "cpu=9", .priority = 1, .requeue_at = 2000);
    ck_assert_str_eq(build_queue(w, "q"), "big small |"); /* in the heap it stays */
    ck_assert_str_eq(build_cycle(w), "big noFit");
    ck_assert_str_eq(build_queue(w, "q"), "small | big"); /* but backoff does not block */
    ck_assert_str_eq(build_cycle(w), "small admitted cpu=f");
}
END_TEST

START_TEST(a_best_effort_queue_passes_its_head)
{
    build_job(w, "big", "q", "cpu=9", .priority = 1);
    build_job(w, "small", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "big noFit");
    ck_assert_str_eq(build_cycle(w), "small admitted cpu=f");
}
END_TEST

/* ---- 4.7 events ------------------------------------------------------------------------------------------------------------------------- */

static void new_queue(struct wl *h)
{
    (void)h;
    build_cq(w, "t", "c", "cpu: f 4");
}

static void quota(struct wl *h)
{
    (void)h;
    build_cq(w, "r", "c", "cpu: f 5");
}

static void elsewhere(struct wl *h)
{
    (void)h;
    build_cq(w, "t", "d", "cpu: f 4");
}

static void cohort(struct wl *h)
{
    (void)h;
    build_cohort(w, "c", "", "cpu: f 1");
}

static void labels(struct wl *h)
{
    (void)h;
    struct fact_label l = {"team", "x"};
    struct fact_namespace ns = {"ns", &l, 1};
    ck_assert_int_eq(world_put_namespace(w, &ns, NULL), 0);
}

static void flavor_labels(struct wl *h)
{
    (void)h;
    build_flavor(w, "f", "a=b", NULL);
}

static void flavor_again(struct wl *h)
{
    (void)h;
    build_flavor(w, "f", NULL, NULL);
}

static void deleted(struct wl *h)
{
    world_del_workload(w, h, NOW);
}

static void finished(struct wl *h)
{
    build_finish(w, h);
}

static void deactivated(struct wl *h)
{
    (void)h;
    build_job(w, "h", "r", "2 cpu=1", .held = "f", .inactive = true);
}

static void released(struct wl *h)
{
    build_release(w, h);
}

static void evicted(struct wl *h)
{
    struct marks m = h->marks;
    m.evicted = true;
    world_put_marks(w, h, &m, NOW);
}

static void reclaimed(struct wl *h)
{
    (void)h;
    build_job(w, "h", "r", "2 cpu=1", .held = "f", .reclaimed = 1);
}

static void reclaimed_unadmitted(struct wl *h)
{
    (void)h;
    build_job(w, "h", "r", "2 cpu=1", .held = "f", .reclaimed = 1, .reserved_only = true);
}

static void priority(struct wl *h)
{
    (void)h;
    build_job(w, "h", "r", "2 cpu=1", .held = "f", .priority = 1);
}

static void admitted(struct wl *h)
{
    (void)h;
    build_job(w, "n", "r", "cpu=1");
    ck_assert_int_eq(world_cycle(w, NOW, &(const struct cycle *){NULL}, NULL), 0);
}

static void local_queue(struct wl *h)
{
    (void)h;
    build_lq(w, "another", "r");
}

static void queue_gone(struct wl *h)
{
    world_del_local_queue(w, "ns", "r");
    build_finish(w, h);
}

static void queue_stopped(struct wl *h)
{
    build_lq(w, "r", "r", .stop = STOP_HOLD);
    build_finish(w, h);
}

/* Something happens in the tree of c; does the Workload that waits in q come back? */
static const struct {
    const char *rule;
    void (*event)(struct wl *holder);
    bool notifies;
} event_rows[] = {
    {"4.7 event 1: ClusterQueue created in the tree", new_queue, true},
    {"4.7 event 1: spec of a ClusterQueue of the tree", quota, true},
    {"4.7 event 1: not in another tree", elsewhere, false},
    {"4.7 event 2: cohort", cohort, true},
    {"4.7 event 3: labels that match as before", labels, false},
    {"4.7 event 4: labels of a flavor", flavor_labels, true},
    {"4.7 event 4: a flavor told again", flavor_again, false},
    {"4.7 event 5: Workload deleted", deleted, true},
    {"4.7 event 5: Workload finished", finished, true},
    {"4.7 event 5: Workload deactivated", deactivated, true},
    {"4.7 event 5: eviction completed", released, true},
    {"4.7 event 5: reclaimable pods while Admitted", reclaimed, true},
    {"4.7 event 5: not while only reserved", reclaimed_unadmitted, false},
    {"4.7 event 5: priority of a Workload", priority, true},
    {"4.7 event 5: LocalQueue unknown", queue_gone, false},
    {"4.7 event 5: LocalQueue stopped", queue_stopped, false},
    {"4.7: an eviction that only began", evicted, false},
    {"4.7: admission of another", admitted, false},
    {"4.7: a LocalQueue", local_queue, false},
};

START_TEST(events)
{
    struct wl *h = build_job(w, "h", "r", "2 cpu=1"); /* queued first, so that it has an assignment */
    ck_assert_str_eq(build_cycle(w), "h admitted cpu=f");
    build_job(w, "h", "r", "2 cpu=1", .held = "f");
    stuck();
    event_rows[_i].event(h);
    ck_assert_msg(world_flush(w, NOW) == (event_rows[_i].notifies || event_rows[_i].event == elsewhere), "%s",
                  event_rows[_i].rule);
    ck_assert_msg(strcmp(build_queue(w, "q"), event_rows[_i].notifies ? "big |" : "| big") == 0, "%s: %s",
                  event_rows[_i].rule, build_queue(w, "q"));
}
END_TEST

START_TEST(one_that_was_never_queued_wakes_nobody_4_7_event_5)
{
    struct wl *h = build_job(w, "h", "r", "2 cpu=1", .held = "f");
    stuck();
    ck_assert_int_eq(build_usage(w, "c", "f", "cpu"), 2000);
    build_finish(w, h);
    ck_assert(!world_flush(w, NOW));
    ck_assert_int_eq(build_usage(w, "c", "f", "cpu"), 0);
    build_job(w, "i", "r", "cpu=1", .held = "f", .reclaimed = 0);
    build_job(w, "i", "r", "cpu=1"); /* here the eviction ends, and it is queued first */
    ck_assert(world_flush(w, NOW));
}
END_TEST

START_TEST(one_that_is_remembered_as_queued_wakes)
{
    struct wl *h = build_job(w, "h", "r", "2 cpu=1", .held = "f");
    stuck();
    world_remember_queue(w, h);
    build_finish(w, h);
    ck_assert(world_flush(w, NOW));
    ck_assert_str_eq(build_queue(w, "q"), "big |");
    struct wl *n = build_job(w, "n", "nowhere", "cpu=1");
    world_remember_queue(w, n); /* there is nothing to remember */
    build_finish(w, n);
    ck_assert(!world_flush(w, NOW));
}
END_TEST

START_TEST(a_namespace_that_matches_now_4_7_event_3)
{
    struct fact_expr team = {"team", SEL_EXISTS, NULL, 0};
    struct fact_label l = {"team", "x"};
    struct fact_namespace with = {"ns", &l, 1}, without = {"ns", NULL, 0};
    build_cq(w, "q", "", "cpu: f 4", .namespaces = {.exprs = &team, .nexprs = 1});
    build_cq(w, "gone", "", "", .namespaces = {.exprs = &team, .nexprs = 1});
    world_del_cluster_queue(w, "gone");
    build_job(w, "x", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert_str_eq(build_waits(), "x Misconfigured NamespaceMismatch");
    build_cq(w, "q", "", "cpu: f 5", .namespaces = {.exprs = &team, .nexprs = 1});
    ck_assert_str_eq(build_cycle(w), ""); /* a flush leaves out who does not match */
    ck_assert_int_eq(world_put_namespace(w, &with, NULL), 0);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
    ck_assert_int_eq(world_put_namespace(w, &without, NULL), 0);
    ck_assert(!world_flush(w, NOW));
    world_del_namespace(w, "ns");
    world_del_namespace(w, "unheard-of");
    build_job(w, "y", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "y rejected");
    ck_assert_int_eq(world_put_namespace(w, &with, NULL), 0);
    ck_assert_str_eq(build_cycle(w), "y admitted cpu=f");
}
END_TEST

START_TEST(the_null_selector_matches_nothing_9_4)
{
    build_cq(w, "q", "", "cpu: f 4", .namespaces = {.is_null = true}, .strategy = STRATEGY_STRICT_FIFO);
    build_job(w, "x", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert_str_eq(build_queue(w, "q"), "| x"); /* also in StrictFIFO */
}
END_TEST

START_TEST(backoff_outlasts_a_flush_4_7)
{
    build_job(w, "x", "q", "cpu=1", .requeue_at = 2000);
    build_cq(w, "q", "c", "cpu: f 5");
    flush();
    ck_assert_str_eq(build_queue(w, "q"), "| x");
    build_job(w, "x", "q", "cpu=1", .requeue_at = 500); /* its timer: the time came */
    ck_assert_str_eq(build_queue(w, "q"), "| x");       /* nothing of 4.4 changed */
    build_cq(w, "q", "c", "cpu: f 4");
    flush();
    ck_assert_str_eq(build_queue(w, "q"), "x |");
}
END_TEST

/* ---- queues come, stop and go -------------------------------------------------------------------------------------------------------------- */

START_TEST(stopping_and_starting_a_local_queue_9_2)
{
    struct wl *x = build_job(w, "x", "q", "cpu=1");
    build_lq(w, "q", "q", .stop = STOP_HOLD_AND_DRAIN);
    ck_assert_str_eq(build_queue(w, "q"), "|");
    ck_assert(!x->in_items);
    build_job(w, "x", "q", "cpu=1", .priority = 1);
    ck_assert_str_eq(build_queue(w, "q"), "|");
    build_lq(w, "q", "q");
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    world_del_local_queue(w, "ns", "q");
    world_del_local_queue(w, "ns", "q");
    world_del_local_queue(w, "ns", "unheard-of");
    ck_assert_str_eq(build_queue(w, "q"), "|");
    build_lq(w, "q", "r"); /* it may lead elsewhere */
    ck_assert_str_eq(build_queue(w, "r"), "x |");
    build_lq(w, "q", "q");
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    ck_assert_str_eq(build_queue(w, "r"), "|");
}
END_TEST

START_TEST(a_cluster_queue_goes_and_comes)
{
    build_job(w, "x", "q", "cpu=1");
    build_job(w, "y", "q", "cpu=1", .requeue_at = 2000);
    struct wl *h = build_job(w, "h", "q", "cpu=2", .held = "f");
    world_del_cluster_queue(w, "q");
    ck_assert_uint_eq(h->cq, NONE);
    ck_assert_str_eq(build_cycle(w), "");
    build_cq(w, "q", "c", "cpu: f 4");
    ck_assert_str_eq(build_queue(w, "q"), "x | y");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 2000);
}
END_TEST

/* 9.7: a cycle that breaks because a cohort of it is deleted. */
START_TEST(a_broken_cycle_flushes_its_tree)
{
    build_cohort(w, "c", "d", "");
    build_cohort(w, "d", "c", "");
    build_job(w, "x", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "x rejected");
    ck_assert(!world_flush(w, NOW));
    ck_assert_str_eq(build_queue(w, "q"), "| x");
    world_del_cohort(w, "d");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
    world_del_cohort(w, "c"); /* of no cycle: nobody comes back for that */
    ck_assert(!world_flush(w, NOW));
}
END_TEST

START_TEST(holders_wait_for_their_cluster_queue)
{
    struct wl *h = build_job(w, "h", "q", "cpu=2", .held = "f", .cq = "later");
    build_job(w, "done", "q", "cpu=2", .held = "f", .cq = "later", .inactive = true);
    ck_assert_uint_eq(h->cq, NONE);
    build_cq(w, "later", "", "cpu: f 4");
    ck_assert_int_eq(build_usage(w, "later", "f", "cpu"), 2000);
    uint32_t n;
    ck_assert_ptr_eq(world_cq_holders(w, h->cq, &n)[0], h);
    ck_assert_uint_eq(n, 1);
}
END_TEST

static void add_rule_tests(TCase *t)
{
    tcase_add_loop_test(t, admissible, 0, COUNT(admissible_rows));
    tcase_add_test(t, the_gate_of_the_gate_annotation);
    tcase_add_test(t, not_admissible_changes_nothing_4_4_step_1);
    tcase_add_test(t, moving_to_another_queue_4_4_step_2);
    tcase_add_test(t, unknown_or_stopped_local_queue_4_4_step_3);
    tcase_add_test(t, unknown_cluster_queue_4_4_step_6);
    tcase_add_loop_test(t, what_wakes_an_inadmissible_one, 0, COUNT(change_rows));
    tcase_add_test(t, a_boost_wakes_with_its_gate);
    tcase_add_test(t, new_ones_of_a_parked_shape_wait_with_it);
    tcase_add_test(t, without_hashing_nobody_is_parked);
    tcase_add_loop_test(t, equivalence, 0, COUNT(class_rows));
    tcase_add_test(t, order_in_the_queue_4_2);
    tcase_add_test(t, one_head_of_each_active_queue);
    tcase_add_test(t, a_strict_queue_is_blocked_by_its_head);
    tcase_add_test(t, a_best_effort_queue_passes_its_head);
}

static void add_event_tests(TCase *t)
{
    tcase_add_loop_test(t, events, 0, COUNT(event_rows));
    tcase_add_test(t, one_that_was_never_queued_wakes_nobody_4_7_event_5);
    tcase_add_test(t, one_that_is_remembered_as_queued_wakes);
    tcase_add_test(t, a_namespace_that_matches_now_4_7_event_3);
    tcase_add_test(t, the_null_selector_matches_nothing_9_4);
    tcase_add_test(t, backoff_outlasts_a_flush_4_7);
    tcase_add_test(t, stopping_and_starting_a_local_queue_9_2);
    tcase_add_test(t, a_cluster_queue_goes_and_comes);
    tcase_add_test(t, a_broken_cycle_flushes_its_tree);
    tcase_add_test(t, holders_wait_for_their_cluster_queue);
}

int main(void)
{
    Suite *s = suite_create("queueing");
    TCase *t = tcase_create("queueing");
    tcase_add_checked_fixture(t, setup, teardown);
    add_rule_tests(t);
    add_event_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
