/* The world and its objects: made, replaced, deleted; Workloads and their transitions (10.11); what happens without memory. */
#include "base/mem.h"
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
    w = NULL;
    ck_assert_int_eq(mem_live(), 0);
}

/* ---- configuration -------------------------------------------------------------------------------------------------------------------- */

START_TEST(configuration)
{
    struct fact_gate unknown = {"Nonsense", true};
    struct fact_config c = {.gates = &unknown, .ngates = 1, .fair_sharing = true};
    struct err err = {0};
    ck_assert_int_eq(world_configure(w, &c, &err), ERR_NOTFOUND);
    ck_assert(!w->fair_sharing); /* nothing of it is taken */
    build_config(w, "QuotaCheckStrategy=false", .ignore_undeclared = true, .fair_sharing = true,
                 .strategies = {FAIR_INITIAL_SHARE}, .nstrategies = 1, .requeue_by_creation = true);
    ck_assert(!w->ignore_undeclared && w->fair_sharing && w->requeue_by_creation);
    ck_assert_int_eq(w->strategies[0], FAIR_INITIAL_SHARE);
    ck_assert(!gate_on(world_gates(w), GATE_QUOTA_CHECK_STRATEGY));
    build_config(w, "", .ignore_undeclared = true); /* the whole is replaced */
    ck_assert(w->ignore_undeclared && !w->fair_sharing);
    ck_assert(gate_on(world_gates(w), GATE_QUOTA_CHECK_STRATEGY));
}
END_TEST

START_TEST(requests_follow_the_configuration_2_4)
{
    static const char *const prefixes[] = {"example.com/"};
    struct fact_runtime_class heavy = {.name = "heavy"};
    build_config(w, "", .exclude_prefixes = prefixes, .nexclude_prefixes = 1);
    ck_assert_int_eq(world_put_runtime_class(w, &heavy, NULL), 0);
    world_del_runtime_class(w, "heavy");
    build_cq(w, "q", "", "cpu: f 4");
    build_job(w, "x", "q", "cpu=1 example.com/x=9");
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
}
END_TEST

/* ---- ClusterQueues -------------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_queue_is_replaced_by_name)
{
    struct fact_expr team = {"team", SEL_IN, (const char *const[]){"x"}, 1};
    build_cq(w, "q", "c", "cpu: f 4", .namespaces = {.exprs = &team, .nexprs = 1},
             .weight = {true, build_qty("3")}, .preference = PREFER_PREEMPTION);
    const struct cluster_queue *cq = w->cqs[0];
    ck_assert(cq->weight == 3 && cq->namespaces.sel.nexprs == 1 && cq->preference == PREFER_PREEMPTION);
    build_cq(w, "q", "d", "memory: g 4");
    ck_assert_ptr_eq(w->cqs[0], cq);
    ck_assert(cq->weight == 1 && cq->namespaces.sel.nexprs == 0 && cq->quotas.n == 1);
    ck_assert_str_eq(names_text(w->names, cq->cohort), "d");
    ck_assert_uint_eq(w->ncqs, 1);
}
END_TEST

START_TEST(the_same_spec_wakes_nobody_4_7_event_1)
{
    build_cq(w, "q", "", "cpu: f 4", .generation = 7);
    build_job(w, "x", "q", "cpu=5");
    ck_assert_str_eq(build_cycle(w), "x noFit");
    build_cq(w, "q", "", "cpu: f 9",
             .generation = 7); /* not looked at: the generation says that nothing changed */
    ck_assert_str_eq(build_cycle(w), "");
    build_cq(w, "q", "", "cpu: f 9", .generation = 8);
    ck_assert_str_eq(build_cycle(w), "x admitted cpu=f");
    build_cq(w, "q", "", "cpu: f 9", .generation = 8, .deleting = true); /* but a deletion is */
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_int_eq(world_cq(w, 0).state, CQ_TERMINATING);
}
END_TEST

/* ---- Workloads (10.11) ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(admissions_are_read_2_4)
{
    build_cq(w, "q", "", "cpu,memory: f 40 40; g 40 40");
    build_job(w, "x", "q", "a: 4 cpu=1 memory=2; b: cpu=3", .held = "cpu=g memory=f");
    ck_assert_int_eq(build_usage(w, "q", "g", "cpu"), 7000);
    ck_assert_int_eq(build_usage(w, "q", "f", "memory"), 8);
    build_job(w, "x", "q", "a: 4 cpu=1 memory=2; b: cpu=3", .held = "cpu=g memory=f", .reclaimed = 3);
    ck_assert_int_eq(build_usage(w, "q", "g", "cpu"), 4000);
    ck_assert_int_eq(build_usage(w, "q", "f", "memory"), 2);
    build_job(w, "y", "q", "cpu=1", .held = "cpu=f memory=g"); /* a flavor without usage counts as amount 0 */
    ck_assert_uint_eq(world_find_workload(w, "ns", "y")->pod_sets[0].nslots, 2);
}
END_TEST

START_TEST(an_admission_without_count_has_that_of_the_spec)
{
    struct job j = {.name = "x", .queue = "q", .pods = "4 cpu=1", .held = "f"};
    build_cq(w, "q", "", "cpu: f 40");
    const struct fact_workload *f = build_fact(&j);
    ((struct fact_assignment *)(uintptr_t)f->admission->pod_sets)->count = -1;
    ck_assert_int_eq(world_put_workload(w, f, NOW, NULL, NULL), 0);
    ck_assert_int_eq(world_find_workload(w, "ns", "x")->pod_sets[0].assigned, 4);
}
END_TEST

START_TEST(one_made_anew_under_the_same_name)
{
    build_cq(w, "q", "", "cpu: f 4");
    build_job(w, "x", "q", "cpu=1", .held = "f");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 1000);
    struct wl *x = build_job(w, "x", "q", "cpu=2", .uid = "other");
    ck_assert_str_eq(x->uid, "other");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    ck_assert_str_eq(build_queue(w, "q"), "x |");
}
END_TEST

START_TEST(the_accounts_follow_the_object_3_6)
{
    build_cq(w, "q", "", "cpu: f 9");
    build_cq(w, "r", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=1", .held = "f", .reserved_only = true);
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 1000); /* whether Admitted or not */
    build_job(w, "x", "q", "cpu=1", .held = "f", .evicted = "Preempted");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 1000); /* while evicted */
    build_job(w, "x", "q", "cpu=1", .held = "f", .cq = "r");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    ck_assert_int_eq(build_usage(w, "r", "f", "cpu"), 1000);
    build_job(w, "x", "q", "cpu=1", .held = "f", .inactive = true);
    ck_assert_int_eq(build_usage(w, "r", "f", "cpu"), 0); /* at once */
    build_job(w, "x", "q", "cpu=1", .held = "f");
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 1000);
    build_job(w, "x", "q", "cpu=1", .finished = true);
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    ck_assert_uint_eq(x->cq, NONE);
}
END_TEST

START_TEST(an_eviction_that_completes_queues_it_again)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=1", .held = "f");
    build_release(w, x);
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    build_job(w, "y", "q", "cpu=1", .held = "f");
    build_job(w, "y", "q", "cpu=1", .requeue_at = 2000); /* in backoff its timer brings it back */
    ck_assert_str_eq(build_queue(w, "q"), "x |");
    build_job(w, "y", "q", "cpu=1", .requeue_at = 2000);
    ck_assert_str_eq(build_queue(w, "q"), "x | y");
    build_job(w, "z", "q", "cpu=1", .held = "f");
    build_job(w, "z", "q", "cpu=1", .on_hold = "OnHold");
    ck_assert_str_eq(build_queue(w, "q"), "x | y");
}
END_TEST

START_TEST(marks_of_a_pending_one)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=10");
    (void)build_cycle(w);
    struct marks m = x->marks;
    m.closed_gate = true;
    w->cqs[0]->pending.nparked = 0;
    world_put_marks(w, x, &m, NOW);
    ck_assert_str_eq(build_queue(w, "q"), "x |"); /* 4.4: a changed gate wakes it */
    m.reserved = true;                            /* told by marks alone there is no admission to account */
    world_put_marks(w, x, &m, NOW);
    ck_assert_str_eq(build_queue(w, "q"), "|");
    ck_assert_uint_eq(x->cq, NONE);
}
END_TEST

/* 3.6: inactive it holds nothing, active again before its reservation is gone it holds what it held. */
START_TEST(marks_keep_the_admission_of_an_inactive_one)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *x = build_job(w, "x", "q", "cpu=3", .held = "f");
    struct marks m = x->marks;
    m.active = false;
    world_put_marks(w, x, &m, NOW);
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    m.active = true;
    world_put_marks(w, x, &m, NOW);
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 3000);
    m.active = false;
    world_put_marks(w, x, &m, NOW);
    m.reserved = m.admitted = false;
    world_put_marks(w, x, &m, NOW);
    ck_assert_uint_eq(x->admission, 0);
}
END_TEST

/* 7.7: what was asked of a holder is not asked again because something else of it changed. */
START_TEST(an_update_leaves_the_expectation)
{
    build_cq(w, "q", "c", "cpu: f 4");
    build_cq(w, "r", "c", "cpu: f 4", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    struct wl *x = build_job(w, "x", "q", "cpu=8", .held = "f");
    build_job(w, "y", "r", "cpu=4");
    ck_assert_str_eq(build_cycle(w), "y preempting cpu=f -x(InCohortReclamation)");
    ck_assert_uint_eq(build_last()->nevicted, 1);
    build_job(w, "x", "q", "cpu=8", .held = "f", .ready = true);
    ck_assert(x->expected && x->reclaimed_by);
    ck_assert_uint_eq(w->nreclaims, 0); /* it gave nothing back */
    ck_assert_str_eq(build_cycle(w), "y preempting cpu=f -x(InCohortReclamation)");
    ck_assert_uint_eq(build_last()->nevicted, 0);
    build_job(w, "x", "q", "cpu=8", .held = "f", .evicted = "Preempted");
    ck_assert(!x->expected && x->reclaimed_by);
    build_job(w, "x", "q", "cpu=8");
    ck_assert_uint_eq(w->nreclaims, 1);
    ck_assert(!x->reclaimed_by);
}
END_TEST

/* 4.7 event 2, 3.1: the same cohort again, as after a write of its status. */
START_TEST(the_same_cohort_wakes_nobody)
{
    build_cohort(w, "c", "", "cpu: f 2");
    build_cq(w, "q", "c", "cpu: f 4");
    build_job(w, "x", "q", "cpu=9");
    ck_assert_str_eq(build_cycle(w), "x noFit");
    int64_t before = world_cq(w, 0).generation;
    build_cohort(w, "c", "", "cpu: f 2");
    ck_assert(!world_flush(w, NOW));
    ck_assert_int_eq(world_cq(w, 0).generation, before);
    build_cohort(w, "c", "", "cpu: f 2", .weight = {true, build_qty("2")});
    ck_assert(world_flush(w, NOW));
}
END_TEST

START_TEST(pods_ready_is_counted_5_5_step_11)
{
    build_cq(w, "q", "", "cpu: f 9");
    build_job(w, "x", "q", "cpu=1", .held = "f");
    struct wl *y = build_job(w, "y", "q", "cpu=1", .held = "f", .ready = true);
    ck_assert_uint_eq(w->nnot_ready, 1);
    build_job(w, "x", "q", "cpu=1", .held = "f", .ready = true);
    ck_assert_uint_eq(w->nnot_ready, 0);
    struct marks m = y->marks;
    m.pods_ready = false;
    world_put_marks(w, y, &m, NOW);
    ck_assert_uint_eq(w->nnot_ready, 1);
    build_finish(w, y);
    ck_assert_uint_eq(w->nnot_ready, 0);
}
END_TEST

START_TEST(a_deleted_one_leaves_everything)
{
    build_cq(w, "q", "", "cpu: f 4", .preemption = {.within_cluster_queue = POLICY_LOWER_PRIORITY});
    build_hold(w, "v:q:4:0");
    struct wl *p = build_job(w, "p", "q", "cpu=4", .priority = 1);
    (void)build_cycle(w);
    ck_assert_ptr_eq(world_cq_sticky(w, 0), p);
    world_del_workload(w, p, NOW);
    ck_assert_ptr_null(world_cq_sticky(w, 0));
    world_del_workload(w, world_find_workload(w, "ns", "v"), NOW);
    ck_assert_ptr_null(world_first_workload(w));
    ck_assert_int_eq(build_usage(w, "q", "f", "cpu"), 0);
    ck_assert_uint_eq(shapes_count(w->shapes), 0);
}
END_TEST

START_TEST(a_name_too_long_is_refused)
{
    char name[700];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct job j = {.name = name, .queue = "q", .pods = "cpu=1"};
    struct err err = {0};
    ck_assert_int_lt(world_put_workload(w, build_fact(&j), NOW, NULL, &err), 0);
    ck_assert_ptr_null(world_first_workload(w));
}
END_TEST

/* ---- without memory ---------------------------------------------------------------------------------------------------------------------------- */

/* All that can be seen of the world, as text. */
static const char *all(void)
{
    static char buf[4096];
    const struct tree *t;
    size_t n = 0;
    buf[0] = '\0';
    ck_assert_int_eq(world_settle(w, NULL), 0);
    for (uint32_t i = 0; (t = world_tree(w, i)); i++)
        for (uint32_t k = 0; k < t->nnodes; k++) {
            n += (size_t)snprintf(buf + n, sizeof buf - n, "%s%s", k ? " " : "; ",
                                  names_text(w->names, t->nodes[k].name));
            for (uint32_t c = 0; c < t->ncols; c++)
                n += (size_t)snprintf(buf + n, sizeof buf - n, ":%lld/%lld",
                                      (long long)tree_cell(t, k, c)->usage,
                                      (long long)tree_cell(t, k, c)->quota);
        }
    for (uint32_t i = 0; i < world_cq_count(w); i++) {
        const char *reason, *name = world_cq(w, i).name;
        struct str s;
        str_init(&s, 0);
        bool active = world_cq_active(w, i, &reason, &s);
        str_free(&s);
        if (world_cq(w, i).exists)
            n += (size_t)snprintf(buf + n, sizeof buf - n, "\n%s %d %s %s", name, active, reason,
                                  build_queue(w, name));
    }
    for (const struct wl *x = world_first_workload(w); x; x = world_next_workload(x))
        n += (size_t)snprintf(buf + n, sizeof buf - n, "\n%s %s %d %d p%d", x->key, x->uid, x->bucket,
                              x->marks.reserved, x->priority);
    return buf;
}

/* A world in which each kind of change has something to change. */
static void populate(void)
{
    setup();
    build_cohort(w, "c", "top", "cpu: f 1");
    build_cq(w, "q", "c", "cpu: f 4", .checks = &(struct fact_cq_check){"check", NULL, 0}, .nchecks = 1);
    build_cq(w, "r", "c", "cpu: f 4", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    build_lq(w, "stopped", "r", .stop = STOP_HOLD);
    build_job(w, "waits", "stopped", "cpu=1");
    build_job(w, "held", "r", "cpu=2", .held = "f");
    build_job(w, "stray", "r", "cpu=2", .held = "g", .cq = "new");
    build_job(w, "pending", "r", "cpu=3");
}

static int put_config(struct err *e)
{
    struct fact_amount weight = {"cpu", build_qty("2")};
    static const char *const prefixes[] = {"a/", "b/"};
    struct fact_transformation t = {.input = "x", .multiply_by = "", .outputs = &weight, .noutputs = 1};
    struct fact_config c = {.afs = true,
                            .afs_weights = &weight,
                            .nafs_weights = 1,
                            .exclude_prefixes = prefixes,
                            .nexclude_prefixes = 2,
                            .transformations = &t,
                            .ntransformations = 1};
    return world_configure(w, &c, e);
}

static int put_flavor(struct err *e)
{
    struct fact_label l = {"k", "v"};
    return world_put_flavor(w, &(struct fact_flavor){.name = "f", .labels = &l, .nlabels = 1, .topology = ""},
                            e);
}

static int put_many_flavors(struct err *e)
{
    char name[24];
    int rc = 0;
    for (int i = 0; i < 20 && !rc; i++) {
        snprintf(name, sizeof name, "flavor%d", i);
        rc = world_put_flavor(w, &(struct fact_flavor){.name = name, .topology = ""}, e);
    }
    return rc;
}

static int put_topology(struct err *e)
{
    return world_put_topology(w, &(struct fact_topology){"rack"}, e);
}

static int put_check(struct err *e)
{
    return world_put_check(w, &(struct fact_admission_check){"check", "controller", true}, e);
}

static int put_namespace(struct err *e)
{
    struct fact_label l = {"k", "v"};
    return world_put_namespace(w, &(struct fact_namespace){"other", &l, 1}, e);
}

static int put_limit_range(struct err *e)
{
    struct fact_amount max = {"cpu", build_qty("1")};
    struct fact_limit_item item = {.type = LIMIT_CONTAINER, .max = &max, .nmax = 1};
    return world_put_limit_range(w, &(struct fact_limit_range){"ns", "limits", &item, 1}, e);
}

static int put_runtime_class(struct err *e)
{
    struct fact_amount cpu = {"cpu", build_qty("1")};
    return world_put_runtime_class(w, &(struct fact_runtime_class){"heavy", &cpu, 1, true}, e);
}

static int put_cohort(struct err *e)
{
    uint32_t n;
    struct fact_resource_group *g = build_groups("cpu,disk: f 3 4; h 1 1", &n);
    return world_put_cohort(
        w, &(struct fact_cohort){.name = "c", .parent = "above", .groups = g, .ngroups = n}, e);
}

static int put_cq(const char *name, struct err *e)
{
    uint32_t n;
    struct fact_resource_group *g = build_groups("cpu,disk: f 3 4; g 1 1", &n);
    struct fact_expr team = {"kubernetes.io/metadata.name", SEL_NOT_IN, (const char *const[]){"x"}, 1};
    struct fact_cq_check check = {"unheard", (const char *const[]){"f", "of"}, 2};
    struct fact_cluster_queue f = {
        .name = name, .cohort = "fresh", .groups = g, .ngroups = n, .checks = &check, .nchecks = 1};
    f.namespaces = (struct fact_selector){.exprs = &team, .nexprs = 1};
    return world_put_cluster_queue(w, &f, NOW, e);
}

static int replace_cq(struct err *e)
{
    return put_cq("q", e);
}

static int new_cq(struct err *e)
{
    return put_cq("new", e); /* it takes in the stray */
}

static int new_lq(struct err *e)
{
    struct fact_amount used = {"cpu", build_qty("2")};
    return world_put_local_queue(w,
                                 &(struct fact_local_queue){.ns = "ns2",
                                                            .name = "fresh",
                                                            .cluster_queue = "r",
                                                            .consumed = &used,
                                                            .nconsumed = 1,
                                                            .consumed_at = NOW},
                                 NOW, e);
}

static int open_lq(struct err *e)
{
    return world_put_local_queue(
        w, &(struct fact_local_queue){.ns = "ns", .name = "stopped", .cluster_queue = "r"}, NOW, e);
}

static int put_job(struct job j, struct err *e)
{
    struct wl *wl;
    int rc = world_put_workload(w, build_fact(&j), NOW, &wl, e);
    ck_assert(!rc || !wl);
    return rc;
}

static int new_job(struct err *e)
{
    return put_job(
        (struct job){
            .name = "fresh", .queue = "r", .pods = "a: 2>1 cpu=1 disk=1; b: disk=1", .selector = "k=v"},
        e);
}

static int new_holder(struct err *e)
{
    return put_job(
        (struct job){.name = "fresh", .queue = "r", .pods = "a: cpu=1 disk=1; b: disk=1", .held = "x"}, e);
}

static int update_job(struct err *e)
{
    return put_job((struct job){.name = "pending", .queue = "r", .pods = "cpu=1 disk=2", .priority = 3}, e);
}

static int admit_job(struct err *e)
{
    return put_job((struct job){.name = "pending", .queue = "r", .pods = "cpu=3", .held = "g"}, e);
}

static int renew_job(struct err *e)
{
    return put_job((struct job){.name = "held", .queue = "r", .pods = "cpu=1", .uid = "another"}, e);
}

static int invalid_job(struct err *e)
{
    return put_job((struct job){.name = "bad", .queue = "r", .pods = "cpu=-1"}, e);
}

static int settle(struct err *e)
{
    w->trees_dirty = true;
    return world_settle(w, e);
}

static int (*const changes[])(struct err *) = {
    put_config, put_flavor, put_topology, put_check,   put_namespace, put_limit_range,  put_runtime_class,
    put_cohort, replace_cq, new_cq,       new_lq,      open_lq,       new_job,          new_holder,
    update_job, admit_job,  renew_job,    invalid_job, settle,        put_many_flavors,
};

/* ERR_NOMEM leaves all as it was, the call can be made again, and nothing leaks. */
START_TEST(a_put_without_memory)
{
    int rc = ERR_NOMEM;
    char before[4096], wanted[4096];
    ck_assert_int_eq(mem_live(), 0);
    populate();
    ck_assert_int_eq(changes[_i](NULL), 0);
    snprintf(wanted, sizeof wanted, "%s", all());
    teardown();
    for (uint64_t n = 1; rc; n++) {
        struct err err = {0};
        populate();
        snprintf(before, sizeof before, "%s", all());
        mem_fail_after(n);
        rc = changes[_i](&err);
        mem_fail_after(0);
        ck_assert_int_eq(err.code, rc);
        ck_assert_uint_lt(n, 300);
        if (rc) {
            ck_assert_int_eq(rc, ERR_NOMEM);
            if (changes[_i] != put_many_flavors)
                ck_assert_str_eq(all(), before);
            ck_assert_int_eq(changes[_i](NULL), 0);
        }
        ck_assert_str_eq(all(), wanted);
        teardown();
    }
}
END_TEST

START_TEST(no_world_without_memory)
{
    struct world *v = NULL;
    for (uint64_t n = 1; !v; n++) {
        mem_fail_after(n);
        v = world_new();
        mem_fail_after(0);
        ck_assert(v || mem_live() == 0);
        ck_assert_uint_lt(n, 100);
    }
    world_free(v);
    world_free(NULL);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* Admissions, preemptions, overlapping victims, parking, partial admission in one cycle; as one text. */
static void busy(bool fair)
{
    setup();
    build_config(w, "", .fair_sharing = fair);
    build_cq(w, "q1", "c", "cpu: f 4; g 0", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    build_cq(w, "q2", "c", "cpu: f 4; g 0", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    build_cq(w, "z", "c", "cpu: f 0; g 2");
    build_cq(w, "big", "", "cpu: f 1; g 2");
    build_hold(w, "v1:z:2:0 v2:z:2:0 v3:z:2:0 v4:z:2:0");
    build_job(w, "p1", "q1", "cpu=3", .created = 1);
    build_job(w, "p2", "q2", "2 cpu=1", .created = 2);
    build_job(w, "x", "z", "4>1 cpu=1");
    build_job(w, "y", "big", "cpu=9");
    build_job(w, "y2", "big", "cpu=9");
}

/* As if its scan had ended at the first flavor. */
static void resume(struct wl *x)
{
    x->scan = (struct scan){.present = true, .generation = 99, .class = {x->class[0], x -> class[1]}};
    x->pod_sets[0].nslots = 1;
    x->slots[0] = (struct slot){names_find(w->names, "cpu"), NONE, 4000};
    x->tried[0] = 0;
}

static bool is_resumed(const struct wl *x)
{
    return x->scan.present && x->scan.generation == 99 && x->pod_sets[0].nslots == 1 && x->tried[0] == 0;
}

static const char *outcome(void)
{
    static char buf[4096];
    snprintf(buf, sizeof buf, "%s\n%s", build_cycle(w), all());
    return buf;
}

START_TEST(a_cycle_without_memory)
{
    int rc = ERR_NOMEM;
    char before[4096], wanted[4096];
    busy(_i);
    (void)world_flush(w, NOW);
    resume(world_find_workload(w, "ns", "x"));
    snprintf(wanted, sizeof wanted, "%s", outcome());
    teardown();
    for (uint64_t n = 1; rc; n++) {
        const struct cycle *c;
        busy(_i);
        /* Small blocks: the arena asks for memory at many places. */
        arena_free(&w->scratch);
        arena_init(&w->scratch, 16);
        snprintf(before, sizeof before, "%s", all());
        (void)world_flush(w, NOW);
        resume(world_find_workload(w, "ns", "x"));
        mem_fail_after(n);
        rc = world_cycle(w, NOW, &c, NULL);
        mem_fail_after(0);
        ck_assert_uint_lt(n, 400);
        if (rc) {
            ck_assert_ptr_null(c);
            ck_assert_int_eq(rc, ERR_NOMEM);
            ck_assert_str_eq(all(), before);
            ck_assert(is_resumed(world_find_workload(w, "ns", "x")));
            ck_assert_str_eq(outcome(), wanted);
        }
        teardown();
    }
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, configuration);
    tcase_add_test(t, requests_follow_the_configuration_2_4);
    tcase_add_test(t, a_queue_is_replaced_by_name);
    tcase_add_test(t, the_same_spec_wakes_nobody_4_7_event_1);
    tcase_add_test(t, admissions_are_read_2_4);
    tcase_add_test(t, an_admission_without_count_has_that_of_the_spec);
    tcase_add_test(t, one_made_anew_under_the_same_name);
    tcase_add_test(t, the_accounts_follow_the_object_3_6);
    tcase_add_test(t, an_eviction_that_completes_queues_it_again);
    tcase_add_test(t, marks_of_a_pending_one);
    tcase_add_test(t, marks_keep_the_admission_of_an_inactive_one);
    tcase_add_test(t, an_update_leaves_the_expectation);
    tcase_add_test(t, the_same_cohort_wakes_nobody);
    tcase_add_test(t, pods_ready_is_counted_5_5_step_11);
    tcase_add_test(t, a_deleted_one_leaves_everything);
    tcase_add_test(t, a_name_too_long_is_refused);
}

int main(void)
{
    Suite *s = suite_create("world");
    TCase *t = tcase_create("world"), *memory = tcase_create("memory");
    tcase_add_checked_fixture(t, setup, teardown);
    add_tests(t);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(memory, NULL, teardown); /* of a test that failed */
    tcase_add_loop_test(memory, a_put_without_memory, 0, COUNT(changes));
    tcase_add_test(memory, no_world_without_memory);
    tcase_add_loop_test(memory, a_cycle_without_memory, 0, 2);
    tcase_set_timeout(memory, 60);
    suite_add_tcase(s, memory);
    return build_run(s);
}
