/* Admission fair sharing in the world: 4.9, 4.2 rule 1, 4.5. */
#include "build.h"
#include "core/world_priv.h"

#include <check.h>
#include <math.h>

static struct world *w;

/* Half life and sampling 100 s: a penalty is half of what is asked. */
static void setup(void)
{
    w = build_world();
    build_config(w, "", .afs = true, .afs_half_life_ns = 100 * NS_PER_S, .afs_sampling_ns = 100 * NS_PER_S);
    build_cq(w, "q", "", "cpu,pods: f 40 40", .usage_based_afs = true);
    build_lq(w, "a", "q");
    build_lq(w, "b", "q");
}

static void teardown(void)
{
    world_free(w);
}

static double usage(const char *lq)
{
    return world_lq_usage(w, "ns", lq);
}

static bool is_penalty_pending(const struct wl *wl)
{
    return afs_has_penalties(&w->local_queues[wl->lq].afs);
}

START_TEST(penalty_at_admission_settled_when_admitted)
{
    struct wl *x = build_job(w, "x", "a", "2 cpu=4");
    (void)build_cycle(w);
    ck_assert(usage("a") == 4); /* the implicit pods do not count */
    ck_assert(is_penalty_pending(x));
    struct marks m = x->marks;
    m.admitted = true;
    m.admitted_at = NOW;
    world_put_marks(w, x, &m, NOW); /* never updated: nothing decays yet */
    ck_assert(usage("a") == 4);
    ck_assert(!is_penalty_pending(x));
    struct wl *y = build_job(w, "y", "a", "cpu=2");
    (void)build_cycle(w);
    ck_assert(usage("a") == 5);
    m = y->marks;
    m.admitted = true;
    world_put_marks(w, y, &m, NOW + 100 * NS_PER_S); /* half of 4, half of the 10 in use, and the penalty */
    ck_assert(fabs(usage("a") - (2 + 5 + 1)) < 1e-6);
}
END_TEST

START_TEST(settled_when_told_so_by_the_object)
{
    struct wl *x = build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    build_job(w, "x", "a", "cpu=4", .held = "f", .cq = "q");
    ck_assert(usage("a") == 2);
    ck_assert(!is_penalty_pending(x));
}
END_TEST

START_TEST(less_use_first_4_2_rule_1)
{
    build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    build_job(w, "a1", "a", "cpu=1", .priority = 9);
    build_job(w, "b1", "b", "cpu=1");
    ck_assert_str_eq(build_queue(w, "q"), "b1 a1 |");
}
END_TEST

START_TEST(pending_penalties_put_the_queue_in_order_4_5)
{
    build_job(w, "a1", "a", "cpu=4", .created = 1);
    build_job(w, "a2", "a", "cpu=4", .created = 2);
    build_job(w, "b1", "b", "cpu=1", .created = 3);
    build_job(w, "b2", "b", "cpu=1", .created = 4);
    ck_assert_str_eq(build_cycle(w), "a1 admitted pods=f cpu=f");
    ck_assert_str_eq(build_cycle(w), "b1 admitted pods=f cpu=f"); /* a has used 2, b nothing */
    ck_assert_str_eq(build_cycle(w), "b2 admitted pods=f cpu=f");
    ck_assert_str_eq(build_cycle(w), "a2 admitted pods=f cpu=f");
}
END_TEST

/* Those that a flush brings back stand where their LocalQueue's use puts them now, not where it did when they were parked. */
START_TEST(flushed_ones_take_their_new_place_4_5)
{
    build_job(w, "a1", "a", "cpu=50", .created = 1);
    ck_assert_str_eq(build_cycle(w), "a1 noFit");
    build_job(w, "a2", "a", "cpu=4", .created = 2);
    ck_assert_str_eq(build_cycle(w), "a2 admitted pods=f cpu=f");
    build_job(w, "b1", "b", "cpu=60", .created = 3);
    ck_assert_str_eq(build_cycle(w), "b1 noFit");
    build_job(w, "b2", "b", "cpu=1", .created = 4);
    w->cqs[0]->flush_wanted = true;
    ck_assert(world_flush(w, NOW));
    ck_assert_str_eq(build_queue(w, "q"), "b1 b2 a1 |");
}
END_TEST

START_TEST(order_follows_mode_and_weights_4_2_rule_1)
{
    build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    build_job(w, "y", "b", "cpu=2");
    (void)build_cycle(w);
    for (int i = 0; i < 3; i++) {
        char a[] = "a0", b[] = "b0";
        a[1] = b[1] = (char)('0' + i);
        build_job(w, a, "a", "cpu=50", .created = 1);
        build_job(w, b, "b", "cpu=60", .created = 2);
    }
    ck_assert_str_eq(build_cycle(w), "b0 noFit"); /* parks its equals */
    build_cq(w, "q", "", "cpu,pods: f 40 40");
    ck_assert_str_eq(build_cycle(w), "a0 noFit"); /* no mode: by age */
    build_cq(w, "q", "", "cpu,pods: f 40 40", .usage_based_afs = true);
    ck_assert_str_eq(build_cycle(w), "b0 noFit");
    build_lq(w, "a", "q", .weight = {true, build_qty("4")});
    w->cqs[0]->flush_wanted = true;
    ck_assert_str_eq(build_cycle(w), "a0 noFit"); /* 2 / 4 < 1 */
}
END_TEST

static void forgotten(struct wl *x)
{
    world_forget_admission(w, x, NOW);
}

static void deleted(struct wl *x)
{
    world_del_workload(w, x, NOW);
}

static void finished(struct wl *x)
{
    build_finish(w, x);
}

static void moved(struct wl *x)
{
    (void)x;
    build_job(w, "x", "b", "cpu=4");
}

/* 4.9: the record is dropped without folding. */
static void (*const drops[])(struct wl *) = {forgotten, deleted, finished, moved};

START_TEST(records_are_dropped)
{
    struct wl *x = build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    ck_assert(usage("a") == 2);
    drops[_i](x);
    ck_assert(usage("a") == 0);
    ck_assert(usage("b") == 0);
}
END_TEST

/* 4.9: "inactive with its reservation gone". */
START_TEST(deactivated_keeps_its_record_with_its_reservation)
{
    struct wl *x = build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    struct marks m = x->marks;
    m.active = false;
    m.admitted = true; /* too late: nothing is settled */
    world_put_marks(w, x, &m, NOW);
    ck_assert(usage("a") == 2);
    ck_assert(is_penalty_pending(x));
    m.reserved = m.admitted = false;
    world_put_marks(w, x, &m, NOW);
    ck_assert(!is_penalty_pending(x));
    ck_assert(usage("a") == 0);
}
END_TEST

START_TEST(weights)
{
    build_lq(w, "a", "q", .weight = {true, build_qty("4")});
    build_lq(w, "b", "q", .weight = {true, build_qty("0")});
    build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    ck_assert(usage("a") == 0.5);
    ck_assert(isinf(usage("b")));
}
END_TEST

START_TEST(seeded_once)
{
    struct fact_amount used = {"cpu", build_qty("7")};
    build_lq(w, "a", "q", .consumed = &used, .nconsumed = 1, .consumed_at = NOW);
    ck_assert(usage("a") == 7);
    used.q = build_qty("9");
    build_lq(w, "a", "q", .consumed = &used, .nconsumed = 1, .consumed_at = NOW);
    ck_assert(usage("a") == 7);
    world_del_workload(w, build_job(w, "y", "a", "cpu=1"), NOW);
}
END_TEST

/* 4.9: what was consumed before the start decays from the start on. */
START_TEST(seeded_as_of_now)
{
    struct fact_amount used = {"cpu", build_qty("7")};
    build_lq(w, "a", "q", .consumed = &used, .nconsumed = 1, .consumed_at = AT(900));
    struct wl *x = build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    struct marks m = x->marks;
    m.admitted = true;
    world_put_marks(w, x, &m, NOW);
    ck_assert(usage("a") == 7 + 2);
    build_job(w, "y", "b", "cpu=4", .held = "f", .cq = "q"); /* found admitted: that is no transition */
    ck_assert(w->local_queues[2].afs.updated == WHEN_NONE);
}
END_TEST

START_TEST(off_without_gate_mode_or_configuration)
{
    build_cq(w, "q", "", "cpu: f 40");
    build_job(w, "x", "a", "cpu=4");
    (void)build_cycle(w);
    build_job(w, "x", "a", "cpu=4", .held = "f", .cq = "q");
    ck_assert(usage("a") == 0); /* NoAdmissionFairSharing */
    build_cq(w, "q", "", "cpu: f 40", .usage_based_afs = true);
    build_config(w, "AdmissionFairSharing=false", .afs = true, .afs_half_life_ns = 100 * NS_PER_S);
    build_job(w, "y", "a", "cpu=4");
    (void)build_cycle(w);
    build_job(w, "y", "a", "cpu=4", .held = "f", .cq = "q");
    ck_assert(usage("a") == 0);
}
END_TEST

START_TEST(admitted_use_adds_up_over_pod_sets)
{
    build_cq(w, "q", "", "cpu,memory: f 40 40", .usage_based_afs = true);
    build_job(w, "x", "a", "a: cpu=2 memory=8; b: cpu=2");
    (void)build_cycle(w);
    ck_assert(usage("a") == 2 + 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fairness");
    TCase *t = tcase_create("fairness");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, penalty_at_admission_settled_when_admitted);
    tcase_add_test(t, settled_when_told_so_by_the_object);
    tcase_add_test(t, less_use_first_4_2_rule_1);
    tcase_add_test(t, pending_penalties_put_the_queue_in_order_4_5);
    tcase_add_test(t, flushed_ones_take_their_new_place_4_5);
    tcase_add_test(t, order_follows_mode_and_weights_4_2_rule_1);
    tcase_add_loop_test(t, records_are_dropped, 0, COUNT(drops));
    tcase_add_test(t, deactivated_keeps_its_record_with_its_reservation);
    tcase_add_test(t, weights);
    tcase_add_test(t, seeded_once);
    tcase_add_test(t, seeded_as_of_now);
    tcase_add_test(t, off_without_gate_mode_or_configuration);
    tcase_add_test(t, admitted_use_adds_up_over_pod_sets);
    suite_add_tcase(s, t);
    return build_run(s);
}
