/* Shared by the tests of the life cycle: a world with one queue, one Workload in it, and its status. */
#ifndef SLUICE_TESTS_LIFECYCLE_TEST_H
#define SLUICE_TESTS_LIFECYCLE_TEST_H

#include "lifecycle/lifecycle.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW (INT64_C(1000) * NS_PER_S)
#define LATER (INT64_C(2000) * NS_PER_S)

static struct world *world;
static struct status status;
static struct wl *wl;
static struct notices notices;

/* One queue "q" with its LocalQueue "lq" in "ns"; the check "c" when asked for. */
struct setting {
    enum stop_policy lq_stop, cq_stop;
    bool no_lq, no_cq, no_flavor, deleting, lq_deleting, no_namespace, mismatch, with_check;
    const char *gates; /* one gate to switch off */
};

static const struct fact_pod pod = {.runtime_class = "", .digest = "", .selector_error = ""};

static inline void put_queues(const struct setting *x)
{
    static const char *const res[] = {"cpu"}, *const value[] = {"yes"};
    static const struct fact_cq_check check = {.name = "c"};
    static const struct fact_expr expr = {"pick", SEL_IN, value, 1};
    struct fact_quota quota = {.nominal = quantity_from_i64(10)};
    struct fact_flavor_quotas fq = {"f", &quota};
    struct fact_resource_group g = {res, 1, &fq, 1};
    struct fact_cluster_queue cq = {.name = "q",
                                    .cohort = "",
                                    .strategy = STRATEGY_BEST_EFFORT_FIFO,
                                    .stop = x->cq_stop,
                                    .groups = &g,
                                    .ngroups = 1,
                                    .namespaces = {false, &expr, x->mismatch},
                                    .checks = &check,
                                    .nchecks = x->with_check,
                                    .deleting = x->deleting,
                                    .generation = 1};
    struct fact_local_queue lq = {
        .ns = "ns", .name = "lq", .cluster_queue = "q", .stop = x->lq_stop, .deleting = x->lq_deleting};

    if (!x->no_cq)
        ck_assert_int_eq(world_put_cluster_queue(world, &cq, NOW, NULL), 0);
    if (!x->no_lq)
        ck_assert_int_eq(world_put_local_queue(world, &lq, NOW, NULL), 0);
    if (x->with_check)
        ck_assert_int_eq(world_put_check(world, &(struct fact_admission_check){"c", "x", true}, NULL), 0);
}

static inline void make(const struct setting *x)
{
    struct fact_gate gate = {x->gates, false};

    world = world_new();
    ck_assert_ptr_nonnull(world);
    ck_assert_int_eq(
        world_configure(world, &(struct fact_config){.gates = &gate, .ngates = x->gates != NULL}, NULL), 0);
    if (!x->no_namespace)
        ck_assert_int_eq(world_put_namespace(world, &(struct fact_namespace){.name = "ns"}, NULL), 0);
    if (!x->no_flavor)
        ck_assert_int_eq(world_put_flavor(world, &(struct fact_flavor){.name = "f", .topology = ""}, NULL),
                         0);
    put_queues(x);
    ck_assert_int_eq(world_settle(world, NULL), 0);
    status_init(&status);
}

static inline void put_workload(bool active)
{
    struct fact_pod_set ps = {.name = "main", .count = 1, .pod = pod, .topology = "", .topology_group = ""};
    struct fact_workload f = {.ns = "ns",
                              .name = "w",
                              .uid = "u",
                              .generation = 1,
                              .queue = "lq",
                              .priority_class = "",
                              .active = active,
                              .gated_by = "",
                              .priority_boost = "",
                              .job_uid = "",
                              .pod_sets = &ps,
                              .npod_sets = 1,
                              .requeue_at = WHEN_NONE};

    ck_assert_int_eq(world_put_workload(world, &f, NOW, &wl, NULL), 0);
    ck_assert_ptr_nonnull(wl);
}

static inline void teardown(void)
{
    status_free(&status);
    notices_free(&notices);
    world_free(world);
    world = NULL;
}

static inline void tell(void)
{
    struct marks m = wl->marks;

    marks_update(&m, &status);
    world_put_marks(world, wl, &m, NOW);
}

static inline void say(enum cond_type t, enum cond_status s, const char *reason, const char *message)
{
    bool changed;

    ck_assert_int_eq(status_set(&status, t, s, reason, message, NOW, 1, &changed), 0);
}

static inline void set(enum cond_type t, enum cond_status s, const char *reason)
{
    say(t, s, reason, "before");
}

static inline void is(enum cond_type t, enum cond_status s, const char *reason, const char *message)
{
    ck_assert_int_eq(status.cond[t].status, s);
    if (s == STATUS_ABSENT)
        return;
    ck_assert_str_eq(status.cond[t].reason, reason);
    ck_assert_str_eq(status.cond[t].message, message);
}

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

static inline int run_suite(const char *name, void (*add)(TCase *t))
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, NULL, teardown);
    add(t);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
