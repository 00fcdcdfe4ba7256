/* The queue of one ClusterQueue: 4.3 to 4.7, without a world. */
#include "core/pending.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>

static struct pending p;
static struct wl a, b, c;

static struct wl job(const char *uid, int32_t priority, uint64_t class)
{
    struct wl w = {
        .uid = uid, .key = (char *)uid, .priority = priority, .class = {class, class}, .generation = 3};
    w.marks.requeue_at = WHEN_NONE;
    return w;
}

static void setup(void)
{
    pending_init(&p, STRATEGY_BEST_EFFORT_FIFO);
    a = job("a", 3, 1);
    b = job("b", 2, 1);
    c = job("c", 2, 2);
}

static void teardown(void)
{
    pending_free(&p);
    ck_assert_int_eq(mem_live(), 0);
}

static void place(struct wl *w)
{
    pending_place(&p, w, BUCKET_NONE, true, 0);
}

static bool requeue(struct wl *w, enum requeue_reason reason)
{
    return pending_requeue(&p, w, (struct requeue){reason, WAIT_FOR_QUOTA, true}, 0);
}

static void assert_buckets(enum bucket of_a, enum bucket of_b, enum bucket of_c)
{
    ck_assert_int_eq(a.bucket, of_a);
    ck_assert_int_eq(b.bucket, of_b);
    ck_assert_int_eq(c.bucket, of_c);
}

#define NO BUCKET_NONE
#define ACTIVE BUCKET_ACTIVE
#define INADM BUCKET_INADMISSIBLE
#define FLIGHT BUCKET_INFLIGHT

/* ---- 4.3, 4.4 -------------------------------------------------------------------------------------------------------------------- */

/* backoffExpired of 4.3 at time 10. */
static const struct {
    const char *rule;
    bool requeued_false;
    when_ns requeue_at;
    bool want;
} backoff_rows[] = {
    {"4.3: no requeueAt", false, WHEN_NONE, true},
    {"4.3: requeueAt reached", false, 10, true},
    {"4.3: requeueAt to come", false, 11, false},
    {"4.3: Requeued=False always waits", true, WHEN_NONE, false},
};

START_TEST(backoff)
{
    a.marks.requeued_false = backoff_rows[_i].requeued_false;
    a.marks.requeue_at = backoff_rows[_i].requeue_at;
    ck_assert_msg(pending_backoff_expired(&a, 10) == backoff_rows[_i].want, "%s", backoff_rows[_i].rule);
}
END_TEST

/* pushOrUpdate of 4.4: where it was, what is known of it, where it is then. */
static const struct {
    const char *rule;
    enum bucket was;
    bool changed, backoff, parked;
    enum queueing_strategy strategy;
    enum bucket want;
} place_rows[] = {
    {"4.4: new", NO, true, false, false, STRATEGY_BEST_EFFORT_FIFO, ACTIVE},
    {"4.4: in flight stays so", FLIGHT, true, false, false, STRATEGY_BEST_EFFORT_FIFO, FLIGHT},
    {"4.4: inadmissible, nothing changed", INADM, false, false, false, STRATEGY_BEST_EFFORT_FIFO, INADM},
    {"4.4: inadmissible, changed", INADM, true, false, false, STRATEGY_BEST_EFFORT_FIFO, ACTIVE},
    {"4.4: inadmissible, changed, in backoff", INADM, true, true, false, STRATEGY_BEST_EFFORT_FIFO, INADM},
    {"4.4: new, in backoff", NO, true, true, false, STRATEGY_BEST_EFFORT_FIFO, INADM},
    {"4.4: in the heap, in backoff: stays there", ACTIVE, true, true, false, STRATEGY_BEST_EFFORT_FIFO,
     ACTIVE},
    {"4.4: new, an equivalent is parked", NO, true, false, true, STRATEGY_BEST_EFFORT_FIFO, INADM},
    {"4.4: parking is for BestEffortFIFO", NO, true, false, true, STRATEGY_STRICT_FIFO, ACTIVE},
    {"4.4: in the heap, an equivalent is parked: stays", ACTIVE, true, false, true, STRATEGY_BEST_EFFORT_FIFO,
     ACTIVE},
};

START_TEST(push_or_update)
{
    if (place_rows[_i].parked) {
        place(&a);
        (void)pending_pop(&p);
        requeue(&a, REQUEUE_NO_FIT);
    }
    p.strategy = place_rows[_i].strategy;
    b.marks.requeue_at = place_rows[_i].backoff ? 100 : WHEN_NONE;
    pending_place(&p, &b, place_rows[_i].was, place_rows[_i].changed, 0);
    ck_assert_msg(b.bucket == place_rows[_i].want, "%s", place_rows[_i].rule);
    pending_delete(&p, &b);
    ck_assert_int_eq(b.bucket, NO);
}
END_TEST

/* ---- 4.5 ----------------------------------------------------------------------------------------------------------------------------- */

START_TEST(pop_takes_the_least_and_counts)
{
    place(&b);
    place(&a);
    ck_assert_ptr_eq(pending_pop(&p), &a);
    ck_assert_int_eq(a.evaluated, 3);
    ck_assert_ptr_eq(p.inflight, &a);
    pending_lift(&p, &a);
    ck_assert_ptr_null(p.inflight);
    ck_assert_ptr_eq(pending_pop(&p), &b);
    pending_lift(&p, &b);
    ck_assert_ptr_null(pending_pop(&p));
    ck_assert_int_eq(p.pop_count, 3); /* also when nothing was there */
}
END_TEST

START_TEST(a_preemptor_is_sticky_until_the_next_one)
{
    place(&c);
    ck_assert_ptr_eq(pending_pop(&p), &c);
    ck_assert(requeue(&c, REQUEUE_PENDING_PREEMPTION));
    ck_assert(c.sticky);
    place(&a); /* of higher priority, but behind */
    ck_assert_ptr_eq(pending_pop(&p), &c);
    ck_assert(pending_is_preemptor(&p, &c));
    c.generation++;
    ck_assert(!pending_is_preemptor(&p, &c)); /* it changed since it was evaluated */
    requeue(&c, REQUEUE_PENDING_PREEMPTION);
    (void)pending_pop(&p);
    requeue(&c, REQUEUE_PENDING_PREEMPTION);
    ck_assert(pending_is_preemptor(&p, &c));
    pending_lift(&p, &a);
    ck_assert(requeue(&a, REQUEUE_PENDING_MIGRATION));
    ck_assert(a.sticky && !c.sticky);
    ck_assert(!pending_is_preemptor(&p, &c));
    pending_delete(&p, &a); /* deletion clears the marker */
    ck_assert(!a.sticky);
    ck_assert_ptr_null(p.marked);
}
END_TEST

START_TEST(the_marker_moves_from_one_that_is_inadmissible)
{
    place(&a);
    (void)pending_pop(&p);
    a.marks.requeue_at = 100;
    ck_assert(requeue(&a, REQUEUE_PENDING_PREEMPTION)); /* in backoff: not even this brings it back */
    assert_buckets(INADM, NO, NO);
    place(&b);
    (void)pending_pop(&p);
    requeue(&b, REQUEUE_PENDING_PREEMPTION);
    ck_assert(!a.sticky && b.sticky);
    assert_buckets(INADM, ACTIVE, NO);
}
END_TEST

START_TEST(a_strict_queue_marks_but_does_not_stick)
{
    p.strategy = STRATEGY_STRICT_FIFO;
    place(&a);
    (void)pending_pop(&p);
    requeue(&a, REQUEUE_PENDING_PREEMPTION);
    ck_assert(!a.sticky);
    ck_assert(pending_is_preemptor(&p, &a));
}
END_TEST

/* ---- 4.6 ----------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    enum requeue_reason reason;
    const char *text;
    bool best_effort, strict; /* goes back at once? */
} requeue_rows[] = {
    {REQUEUE_GENERIC, "", false, true},
    {REQUEUE_FAILED_AFTER_NOMINATION, "FailedAfterNomination", true, true},
    {REQUEUE_NAMESPACE_MISMATCH, "NamespaceMismatch", false, false},
    {REQUEUE_PREEMPTION_GATED, "PreemptionGated", false, true},
    {REQUEUE_PENDING_PREEMPTION, "PendingPreemption", true, true},
    {REQUEUE_PENDING_MIGRATION, "PendingMigration", true, true},
    {REQUEUE_PREEMPTION_FAILED, "PreemptionFailed", true, true},
    {REQUEUE_NO_FIT, "NoFit", false, true},
    {REQUEUE_PREEMPTION_NO_CANDIDATES, "PreemptionNoCandidates", false, true},
};

START_TEST(immediate)
{
    ck_assert_str_eq(requeue_reason_text(requeue_rows[_i].reason), requeue_rows[_i].text);
    for (int strict = 0; strict < 2; strict++) {
        p.strategy = strict ? STRATEGY_STRICT_FIFO : STRATEGY_BEST_EFFORT_FIFO;
        place(&a);
        (void)pending_pop(&p);
        ck_assert(requeue(&a, requeue_rows[_i].reason));
        bool back = strict ? requeue_rows[_i].strict : requeue_rows[_i].best_effort;
        ck_assert_int_eq(a.bucket, back ? ACTIVE : INADM);
        pending_delete(&p, &a);
        p.nparked = 0;
    }
}
END_TEST

START_TEST(a_flush_in_between_makes_it_immediate)
{
    place(&a);
    (void)pending_pop(&p);
    pending_flush(&p, NULL, NULL, 0); /* flushMark = popCount */
    ck_assert(requeue(&a, REQUEUE_NO_FIT));
    assert_buckets(ACTIVE, NO, NO);
    (void)pending_pop(&p); /* popCount is ahead again */
    requeue(&a, REQUEUE_NO_FIT);
    assert_buckets(INADM, NO, NO);
}
END_TEST

START_TEST(pending_flavors_make_it_immediate)
{
    struct pod_set ps = {.nslots = 2};
    int16_t tried[] = {-1, -1};
    a.pod_sets = &ps;
    a.npod_sets = 1;
    a.tried = tried;
    ck_assert(!wl_scan_unfinished(&a)); /* no scan */
    a.scan.present = true;
    ck_assert(!wl_scan_unfinished(&a)); /* all -1 */
    tried[1] = 0;
    ck_assert(wl_scan_unfinished(&a));
    place(&a);
    (void)pending_pop(&p);
    ck_assert(requeue(&a, REQUEUE_NO_FIT));
    assert_buckets(ACTIVE, NO, NO);
    ck_assert_uint_eq(p.nparked, 0);
}
END_TEST

START_TEST(one_that_is_queued_already_stays_where_it_is)
{
    place(&a);
    ck_assert(!requeue(&a, REQUEUE_NO_FIT));
    assert_buckets(ACTIVE, NO, NO);
    ck_assert(!requeue(&a, REQUEUE_PENDING_PREEMPTION));
    a.marks.requeue_at = 100;
    pending_lift(&p, &a);
    place(&a);
    ck_assert(!requeue(&a, REQUEUE_PENDING_PREEMPTION));
    assert_buckets(INADM, NO, NO);
    a.marks.requeue_at = WHEN_NONE;
    ck_assert(requeue(&a, REQUEUE_PENDING_PREEMPTION)); /* moved to the heap */
    assert_buckets(ACTIVE, NO, NO);
}
END_TEST

/* ---- parking ---------------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_failure_parks_all_equivalents)
{
    enum wait_reason reason = WAIT_NONE;
    place(&a);
    place(&b);
    place(&c);
    (void)pending_pop(&p);
    b.priority = a.priority; /* equivalents have equal priorities */
    pending_lift(&p, &b);
    place(&b);
    requeue(&a, REQUEUE_NO_FIT);
    assert_buckets(INADM, INADM, ACTIVE);
    ck_assert(pending_parked_reason(&p, &b, &reason));
    ck_assert_int_eq(reason, WAIT_FOR_QUOTA);
    ck_assert(!pending_parked_reason(&p, &c, &reason)); /* not inadmissible */
    pending_lift(&p, &a);
    a.bucket = NO;
    pending_requeue(&p, &a, (struct requeue){REQUEUE_PREEMPTION_NO_CANDIDATES, WAIT_NONE, true}, 0);
    ck_assert_uint_eq(p.nparked, 1);
    ck_assert(pending_parked_reason(&p, &b, &reason));
    ck_assert_int_eq(reason, WAIT_PENDING_EVALUATION); /* the empty reason is recorded so */
}
END_TEST

static const struct {
    const char *rule;
    enum requeue_reason reason;
    bool equivalence;
    enum queueing_strategy strategy;
} no_parking_rows[] = {
    {"4.6: gate off", REQUEUE_NO_FIT, false, STRATEGY_BEST_EFFORT_FIFO},
    {"4.6: generic reason", REQUEUE_GENERIC, true, STRATEGY_BEST_EFFORT_FIFO},
    {"4.6: namespace mismatch", REQUEUE_NAMESPACE_MISMATCH, true, STRATEGY_BEST_EFFORT_FIFO},
    {"4.6: gated", REQUEUE_PREEMPTION_GATED, true, STRATEGY_BEST_EFFORT_FIFO},
    {"4.6: strategy unset", REQUEUE_NO_FIT, true, STRATEGY_UNSET},
};

START_TEST(no_parking)
{
    p.strategy = no_parking_rows[_i].strategy;
    b.priority = a.priority;
    place(&a);
    place(&b);
    (void)pending_pop(&p);
    pending_requeue(
        &p, &a, (struct requeue){no_parking_rows[_i].reason, WAIT_FOR_QUOTA, no_parking_rows[_i].equivalence},
        0);
    ck_assert_msg(a.bucket == INADM && b.bucket == ACTIVE && !p.nparked, "%s", no_parking_rows[_i].rule);
}
END_TEST

START_TEST(parking_finds_equivalents_behind_others)
{
    struct wl high = job("high", 9, 7), same = job("same", 3, 5), low = job("low", 1, 9);
    b.priority = 3;
    place(&high);
    place(&same);
    place(&low);
    place(&b);
    requeue(&a, REQUEUE_NO_FIT);
    assert_buckets(INADM, INADM, NO);
    ck_assert(high.bucket == ACTIVE && same.bucket == ACTIVE && low.bucket == ACTIVE);
}
END_TEST

/* The order is not by priority alone when one is sticky, or with admission fair sharing (4.2 rules 1 and 2). */
START_TEST(parking_finds_equivalents_wherever_they_stand)
{
    struct wl high = job("high", 9, 7), front = job("front", 0, 5);
    b.priority = 3;
    front.sticky = _i == 0;
    b.afs_usage = _i == 1 ? 2 : 0;
    place(&front);
    place(&high);
    place(&b);
    requeue(&a, REQUEUE_NO_FIT);
    assert_buckets(INADM, INADM, NO);
    ck_assert(high.bucket == ACTIVE && front.bucket == ACTIVE);
}
END_TEST

START_TEST(without_memory_equivalents_are_just_tried)
{
    b.priority = a.priority;
    place(&a);
    place(&b);
    (void)pending_pop(&p);
    mem_fail_after(1);
    ck_assert_int_eq(pending_reserve(&p), ERR_NOMEM);
    ck_assert(requeue(&a, REQUEUE_NO_FIT));
    mem_fail_after(0);
    assert_buckets(INADM, ACTIVE, NO);
    ck_assert_uint_eq(p.nparked, 0);
}
END_TEST

/* ---- 4.7 ----------------------------------------------------------------------------------------------------------------------------------- */

static bool not_c(const struct wl *w, void *arg)
{
    (void)arg;
    return w != &c;
}

START_TEST(flush_brings_back_who_may)
{
    place(&a);
    (void)pending_pop(&p);
    requeue(&a, REQUEUE_NO_FIT);
    b.marks.requeue_at = 100;
    place(&b);
    c.marks.requeue_at = 5;
    place(&c);
    ck_assert_uint_eq(pending_flush(&p, not_c, NULL, 50), 1);
    assert_buckets(ACTIVE, INADM, INADM); /* b: backoff, c: its namespace */
    ck_assert_uint_eq(p.nparked, 0);
    ck_assert_uint_eq(pending_flush(&p, not_c, NULL, 100), 1);
    assert_buckets(ACTIVE, ACTIVE, INADM);
    ck_assert_uint_eq(p.nactive, 2);
    ck_assert_uint_eq(p.ninadmissible, 1);
}
END_TEST

START_TEST(wait_texts)
{
    static const char *const want[] = {"",
                                       "NoMatchingFlavor",
                                       "ExceedsMaxQuota",
                                       "WaitingForQuota",
                                       "TopologyPlacementFailed",
                                       "WaitingForPreemptedWorkloads",
                                       "WaitingForPodsReady",
                                       "AdmissionGated",
                                       "PendingEvaluation",
                                       "Suspended",
                                       "Misconfigured"};
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(wait_reason_text((enum wait_reason)i), want[i]);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_loop_test(t, backoff, 0, COUNT(backoff_rows));
    tcase_add_loop_test(t, push_or_update, 0, COUNT(place_rows));
    tcase_add_test(t, pop_takes_the_least_and_counts);
    tcase_add_test(t, a_preemptor_is_sticky_until_the_next_one);
    tcase_add_test(t, the_marker_moves_from_one_that_is_inadmissible);
    tcase_add_test(t, a_strict_queue_marks_but_does_not_stick);
    tcase_add_loop_test(t, immediate, 0, COUNT(requeue_rows));
    tcase_add_test(t, a_flush_in_between_makes_it_immediate);
    tcase_add_test(t, pending_flavors_make_it_immediate);
    tcase_add_test(t, one_that_is_queued_already_stays_where_it_is);
    tcase_add_test(t, a_failure_parks_all_equivalents);
    tcase_add_loop_test(t, no_parking, 0, COUNT(no_parking_rows));
    tcase_add_test(t, parking_finds_equivalents_behind_others);
    tcase_add_loop_test(t, parking_finds_equivalents_wherever_they_stand, 0, 2);
    tcase_add_test(t, without_memory_equivalents_are_just_tried);
    tcase_add_test(t, flush_brings_back_who_may);
    tcase_add_test(t, wait_texts);
}

int main(void)
{
    Suite *s = suite_create("pending");
    TCase *t = tcase_create("pending");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
