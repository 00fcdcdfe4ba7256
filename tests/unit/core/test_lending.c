/* Loans in step with the accounts of the world: who lends to whom after a cycle, and why a loan ended. */
#include "base/mem.h"
#include "build.h"
#include "core/loans.h"
#include "core/world_priv.h"

#include <check.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
    build_cq(w, "a", "c", "cpu: f 4", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    build_cq(w, "b", "c", "cpu: f 4");
}

static void teardown(void)
{
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

static void settle(void)
{
    ck_assert_int_eq(world_settle(w, NULL), 0);
    lending_settle(w, NOW);
}

static enum loan_end last_end(void)
{
    uint32_t n;
    const struct loan_event *e = loans_events(w->loans, &n);
    for (uint32_t i = n; i-- > 0;)
        if (e[i].end != LOAN_OPEN)
            return e[i].end;
    return LOAN_OPEN;
}

START_TEST(an_admission_borrows_and_an_end_returns)
{
    struct wl *x = build_job(w, "x", "a", "cpu=6");
    (void)build_cycle(w);
    ck_assert_str_eq(build_loans(w), "b lends a 2");
    build_finish(w, x);
    settle();
    ck_assert_str_eq(build_loans(w), "");
    ck_assert_int_eq(last_end(), LOAN_END_RETURNED);
}
END_TEST

START_TEST(an_eviction_for_the_lender_reclaims)
{
    struct wl *v = build_job(w, "v", "b", "cpu=7");
    (void)build_cycle(w);
    ck_assert_str_eq(build_loans(w), "a lends b 3");
    build_job(w, "p", "a", "cpu=4");
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InCohortReclamation)");
    ck_assert_str_eq(build_loans(w), "a lends b 3"); /* until it is gone */
    build_release(w, v);
    settle();
    ck_assert_str_eq(build_loans(w), "");
    ck_assert_int_eq(last_end(), LOAN_END_RECLAIMED);
    ck_assert_uint_eq(w->nreclaims, 0);
}
END_TEST

START_TEST(a_preemption_in_the_own_queue_does_not)
{
    build_cq(w, "b", "c", "cpu: f 4", .preemption = {.within_cluster_queue = POLICY_LOWER_PRIORITY});
    build_hold(w, "v:b:8:0");
    settle();
    ck_assert_str_eq(build_loans(w), "a lends b 4");
    build_job(w, "p", "b", "cpu=4", .priority = 1);
    ck_assert_str_eq(build_cycle(w), "p preempting cpu=f -v(InClusterQueue)");
    build_release(w, world_find_workload(w, "ns", "v"));
    settle();
    ck_assert_int_eq(last_end(), LOAN_END_RETURNED);
}
END_TEST

START_TEST(a_changed_quota_ends_loans)
{
    build_hold(w, "v:b:8:0");
    settle();
    build_cq(w, "b", "c", "cpu: f 6");
    settle();
    ck_assert_str_eq(build_loans(w), "a lends b 2");
    ck_assert_int_eq(last_end(), LOAN_END_RETURNED); /* its usage above nominal fell */
    build_cq(w, "a", "c", "cpu: f 1");
    settle();
    ck_assert_str_eq(build_loans(w), "a lends b 1; overdraft lends b 1");
    ck_assert_int_eq(last_end(), LOAN_END_QUOTA);
}
END_TEST

START_TEST(a_deleted_queue_returns_all)
{
    build_hold(w, "v:b:8:0");
    settle();
    world_del_cluster_queue(w, "b");
    settle();
    ck_assert_str_eq(build_loans(w), "");
    ck_assert(!w->cq_dropped);
}
END_TEST

START_TEST(a_deleted_lender_leaves_an_overdraft)
{
    build_hold(w, "v:b:8:0");
    settle();
    world_del_cluster_queue(w, "a");
    settle();
    ck_assert_str_eq(build_loans(w), "overdraft lends b 4");
}
END_TEST

/* Out of memory loans lag behind; the next settle makes up for it. */
START_TEST(out_of_memory)
{
    for (uint64_t n = 1; n < 40; n++) {
        build_job(w, "x", "a", "cpu=6", .held = "f");
        build_cq(w, "gone", "c", "cpu: f 0");
        build_job(w, "y", "gone", "cpu=1", .held = "f");
        settle();
        ck_assert_str_eq(build_loans(w), "b lends a 2; b lends gone 1");
        world_del_cluster_queue(w, "gone");
        mem_fail_after(n);
        (void)!world_settle(w, NULL);
        lending_settle(w, NOW);
        mem_fail_after(0);
        settle();
        ck_assert_str_eq(build_loans(w), "b lends a 2");
        teardown();
        setup();
    }
}
END_TEST

START_TEST(a_reclaim_that_cannot_be_recorded_is_a_return)
{
    build_hold(w, "v:b:7:0");
    settle();
    build_job(w, "p", "a", "cpu=4");
    (void)build_cycle(w);
    mem_fail_after(1);
    build_release(w, world_find_workload(w, "ns", "v"));
    mem_fail_after(0);
    settle();
    ck_assert_str_eq(build_loans(w), "");
    ck_assert_int_eq(last_end(), LOAN_END_RETURNED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lending");
    TCase *t = tcase_create("lending");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_admission_borrows_and_an_end_returns);
    tcase_add_test(t, an_eviction_for_the_lender_reclaims);
    tcase_add_test(t, a_preemption_in_the_own_queue_does_not);
    tcase_add_test(t, a_changed_quota_ends_loans);
    tcase_add_test(t, a_deleted_queue_returns_all);
    tcase_add_test(t, a_deleted_lender_leaves_an_overdraft);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, a_reclaim_that_cannot_be_recorded_is_a_return);
    suite_add_tcase(s, t);
    return build_run(s);
}
