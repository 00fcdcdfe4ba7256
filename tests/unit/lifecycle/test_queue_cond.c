/* Condition Active of queues. */
#include "lifecycle/queue_cond.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

#define NOW (INT64_C(1000) * NS_PER_S)
#define LATER (INT64_C(2000) * NS_PER_S)

static struct cond cond;

static void teardown(void)
{
    queue_cond_free(&cond);
    ck_assert_int_eq(mem_live(), 0);
}

static void is(bool on, const char *reason, const char *message, when_ns since)
{
    ck_assert_int_eq(cond.status, on ? STATUS_TRUE : STATUS_FALSE);
    ck_assert_str_eq(cond.reason, reason);
    ck_assert_str_eq(cond.message, message);
    ck_assert_int_eq(cond.since, since);
}

static bool set(bool on, const char *reason, const char *message, when_ns now, int64_t generation)
{
    bool changed;

    ck_assert_int_eq(queue_cond_set(&cond, on, reason, message, now, generation, &changed), 0);
    return changed;
}

START_TEST(changes)
{
    cond = (struct cond){0};
    ck_assert(set(false, "A", "a", NOW, 1));
    is(false, "A", "a", NOW);
    ck_assert(!set(false, "A", "a", LATER, 1));
    ck_assert(set(false, "B", "a", LATER, 1));
    ck_assert(set(false, "B", "b", LATER, 1));
    ck_assert(set(false, "B", "b", LATER, 2));
    ck_assert_int_eq(cond.generation, 2);
    is(false, "B", "b", NOW);
    ck_assert(set(true, "B", "b", LATER, 2));
    is(true, "B", "b", LATER);
}
END_TEST

START_TEST(out_of_memory)
{
    bool changed = true;

    cond = (struct cond){0};
    (void)set(false, "A", "a", NOW, 1);
    for (uint64_t n = 1; n <= 2; n++) {
        mem_fail_after(n);
        int rc = queue_cond_set(&cond, true, "B", "b", LATER, 2, &changed);
        mem_fail_after(0);
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert(!changed);
        is(false, "A", "a", NOW);
    }
}
END_TEST

static const struct {
    enum stop_policy stop;
    enum queue_cond_target target;
    bool on;
    const char *reason, *message;
} local_queues[] = {
    {STOP_NONE, TARGET_ACTIVE, true, "Ready", "Can submit new workloads to localQueue"},
    {STOP_NONE, TARGET_INACTIVE, false, "ClusterQueueIsInactive",
     "Can't submit new workloads to clusterQueue"},
    {STOP_NONE, TARGET_MISSING, false, "ClusterQueueDoesNotExist",
     "Can't submit new workloads to clusterQueue"},
    {STOP_HOLD, TARGET_ACTIVE, false, "Stopped", "LocalQueue is stopped"},
    {STOP_HOLD_AND_DRAIN, TARGET_MISSING, false, "Stopped", "LocalQueue is stopped"},
};

START_TEST(local_queue)
{
    bool changed;

    cond = (struct cond){0};
    ck_assert_int_eq(
        queue_cond_local_queue(&cond, local_queues[_i].stop, local_queues[_i].target, NOW, 1, &changed), 0);
    ck_assert(changed);
    is(local_queues[_i].on, local_queues[_i].reason, local_queues[_i].message, NOW);
}
END_TEST

static bool cluster_queue(const struct world *w)
{
    bool changed;

    ck_assert_int_eq(queue_cond_cluster_queue(&cond, w, "q", NOW, 1, &changed), 0);
    return changed;
}

START_TEST(of_the_world)
{
    struct world *w = world_new();
    struct fact_cluster_queue cq = {.name = "q", .cohort = ""};

    cond = (struct cond){0};
    ck_assert(cluster_queue(w));
    is(false, "NotFound", "ClusterQueue not found", NOW);
    ck_assert_int_eq(world_put_cluster_queue(w, &cq, NOW, NULL), 0);
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert(cluster_queue(w));
    is(true, "Ready", "Can admit new workloads", NOW);
    cq.stop = STOP_HOLD;
    ck_assert_int_eq(world_put_cluster_queue(w, &cq, NOW, NULL), 0);
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert(cluster_queue(w));
    is(false, "Stopped", "Can't admit new workloads: is stopped.", NOW);
    ck_assert(!cluster_queue(w));
    world_free(w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue_cond");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, changes);
    tcase_add_test(t, out_of_memory);
    tcase_add_loop_test(t, local_queue, 0, sizeof(local_queues) / sizeof(local_queues[0]));
    tcase_add_test(t, of_the_world);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
