/* What the world tells to reports and to those who write conditions: 5.7 "required", 9.3, 11.1; and waiting (2.8, 10.4 step 8). */
#include "build.h"
#include "core/waiting.h"
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

/* ---- required checks (5.7, 10.4 step 7) --------------------------------------------------------------------------------------------- */

static const char *checks_of(const struct wl *wl, uint32_t cap)
{
    static char buf[64];
    uint32_t ids[4];
    uint32_t n = world_required_checks(w, wl, ids, cap);
    snprintf(buf, sizeof buf, "%u:", n);
    for (uint32_t i = 0; i < n && i < cap; i++)
        snprintf(buf + strlen(buf), sizeof buf - strlen(buf), " %s", names_text(w->names, ids[i]));
    return buf;
}

START_TEST(required_checks)
{
    static const char *const on_f[] = {"f"}, *const on_g[] = {"x", "g"};
    struct fact_cq_check checks[] = {
        {"zeta", NULL, 0}, {"mid", on_f, 1}, {"beta", on_g, 2}, {"alpha", NULL, 0}};
    build_cq(w, "q", "", "cpu: f 9; g 9 | memory: f 9", .checks = checks, .nchecks = 4);
    struct wl *x = build_job(w, "x", "q", "cpu=1");
    ck_assert_str_eq(checks_of(x, 4), "2: alpha zeta"); /* without admission: those on all flavors */
    build_job(w, "x", "q", "cpu=1", .held = "f");
    ck_assert_str_eq(checks_of(x, 4), "3: alpha mid zeta");
    ck_assert_str_eq(checks_of(x, 2), "3: alpha mid"); /* no more room: the first by name */
    ck_assert_str_eq(checks_of(x, 0), "3:");
    build_job(w, "x", "q", "cpu=1", .held = "g");
    ck_assert_str_eq(checks_of(x, 4), "3: alpha beta zeta");
    ck_assert_str_eq(checks_of(build_job(w, "y", "nowhere", "cpu=1"), 4), "0:");
    ck_assert_str_eq(checks_of(build_job(w, "z", "q", "cpu=1", .held = "f", .cq = "gone"), 4), "0:");
}
END_TEST

/* ---- ClusterQueues ---------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_queue_in_numbers)
{
    build_cq(w, "q", "c", "cpu: f 9", .strategy = STRATEGY_STRICT_FIFO, .stop = STOP_HOLD);
    build_job(w, "a", "q", "cpu=1", .held = "f");
    build_job(w, "b", "q", "cpu=1", .held = "f", .reserved_only = true);
    build_job(w, "p1", "q", "cpu=1");
    build_job(w, "p2", "q", "cpu=2", .requeue_at = 2000);
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_uint_eq(world_cq_count(w), 1);
    struct cq_view v = world_cq(w, 0);
    ck_assert_str_eq(v.name, "q");
    ck_assert_str_eq(v.cohort, "c");
    ck_assert(v.exists && !v.in_snapshot && v.state == CQ_PENDING && v.strategy == STRATEGY_STRICT_FIFO);
    ck_assert_uint_eq(v.nreserving, 2);
    ck_assert_uint_eq(v.nadmitted, 1);
    ck_assert_uint_eq(v.npending_active, 1);
    ck_assert_uint_eq(v.npending_inadmissible, 1);
    ck_assert_str_eq(names_text(w->names, v.tree->nodes[v.node].name), "q");
    ck_assert_int_eq(world_cq_stop(w, 0), STOP_HOLD);
    ck_assert_ptr_null(world_cq_sticky(w, 0));
    ck_assert_uint_eq(world_cq_find(w, "other"), NONE);
    world_del_cluster_queue(w, "q");
    ck_assert_uint_eq(world_cq_find(w, "q"), NONE);
    ck_assert(!world_cq(w, 0).exists);
}
END_TEST

static void print_use(const struct cq_use *u, void *arg)
{
    char *buf = arg;
    snprintf(buf + strlen(buf), 200 - strlen(buf), "%s/%s %lld %lld %lld; ", u->flavor, u->resource,
             (long long)u->nominal, (long long)u->reserved, (long long)u->admitted);
}

START_TEST(use_by_flavor_11_1)
{
    char buf[200] = "";
    build_cq(w, "q", "", "cpu,memory: g 9 8; f 7 6");
    build_job(w, "a", "q", "a: cpu=1 memory=2; b: cpu=1", .held = "g");
    build_job(w, "b", "q", "cpu=3", .held = "g", .reserved_only = true);
    world_cq_uses(w, 0, print_use, buf);
    ck_assert_str_eq(buf, "g/cpu 9000 5000 2000; g/memory 8 2 2; f/cpu 7000 0 0; f/memory 6 0 0; ");
    ck_assert_uint_ne(world_find_pair(w, "g", "memory"), NONE);
    ck_assert_uint_eq(world_find_pair(w, "g", "gpu"), NONE);
}
END_TEST

START_TEST(workloads_by_name_and_in_order)
{
    build_cq(w, "q", "", "cpu: f 9");
    struct wl *b = build_job(w, "b", "q", "cpu=1"), *a = build_job(w, "a", "q", "cpu=1");
    ck_assert_ptr_eq(world_find_workload(w, "ns", "a"), a);
    ck_assert_ptr_null(world_find_workload(w, "n", "sa"));
    char long_name[700];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    ck_assert_ptr_null(world_find_workload(w, "ns", long_name));
    ck_assert_ptr_eq(world_first_workload(w), b);
    ck_assert_ptr_eq(world_next_workload(b), a);
    ck_assert_ptr_null(world_next_workload(a));
    ck_assert_ptr_nonnull(world_gates(w));
    ck_assert_ptr_nonnull(world_loans(w));
}
END_TEST

START_TEST(local_queues_9_3)
{
    const char *cq;
    enum stop_policy stop;
    build_lq(w, "l", "q");
    ck_assert_int_eq(world_lq(w, "ns", "l", &cq, &stop), LQ_OK);
    ck_assert_str_eq(cq, "q");
    build_lq(w, "l", "q", .stop = STOP_HOLD);
    ck_assert_int_eq(world_lq(w, "ns", "l", &cq, &stop), LQ_STOPPED);
    ck_assert_str_eq(cq, ""); /* a stopped one yields no name */
    ck_assert_int_eq(stop, STOP_HOLD);
    world_del_local_queue(w, "ns", "l");
    ck_assert_int_eq(world_lq(w, "ns", "l", &cq, &stop), LQ_MISSING);
    ck_assert_int_eq(world_lq(w, "ns", "unheard-of", &cq, &stop), LQ_MISSING);
    ck_assert(world_lq_usage(w, "ns", "l") == 0);
}
END_TEST

/* ---- waiting -------------------------------------------------------------------------------------------------------------------------------- */

static void assert_misconfigured(const struct wl *wl, const char *want)
{
    struct str s;
    str_init(&s, 0);
    ck_assert_int_eq(waiting_misconfigured(w, wl, &s), *want != '\0');
    ck_assert_str_eq(str_text(&s), want);
    str_free(&s);
}

START_TEST(misconfigured_2_8)
{
    struct fact_amount max = {"cpu", build_qty("1")};
    struct fact_limit_item item = {.type = LIMIT_POD, .max = &max, .nmax = 1};
    struct fact_limit_range range = {"ns", "limits", &item, 1};
    struct wl *x = build_job(w, "x", "q", "cpu=2");
    assert_misconfigured(x, ""); /* its queue is unknown */
    build_cq(w, "q", "", "cpu: f 4");
    assert_misconfigured(x, "");
    build_cq(w, "q", "", "cpu: f 4", .namespaces = {.is_null = true});
    assert_misconfigured(x, "workload namespace doesn't match ClusterQueue selector");
    world_del_namespace(w, "ns");
    assert_misconfigured(x, "workload namespace \"ns\" does not exist: namespaces \"ns\" not found");
    world_free(w);
    w = build_world();
    build_cq(w, "q", "", "cpu: f 4");
    ck_assert_int_eq(world_put_limit_range(w, &range, NULL), 0);
    x = build_job(w, "x", "q", "cpu=2");
    assert_misconfigured(x, x->invalid);
}
END_TEST

START_TEST(parked_reason_10_4_step_8)
{
    enum wait_reason r;
    build_cq(w, "q", "", "cpu: f 4");
    struct wl *x = build_job(w, "x", "q", "cpu=5"), *y = build_job(w, "y", "q", "cpu=5");
    ck_assert(!waiting_parked_reason(w, y, &r));
    (void)build_cycle(w);
    ck_assert(waiting_parked_reason(w, y, &r));
    ck_assert_int_eq(r, WAIT_EXCEEDS_MAX_QUOTA);
    ck_assert(waiting_parked_reason(w, x, &r));
    ck_assert(!waiting_parked_reason(w, build_job(w, "z", "nowhere", "cpu=5"), &r));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("views");
    TCase *t = tcase_create("views");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, required_checks);
    tcase_add_test(t, a_queue_in_numbers);
    tcase_add_test(t, use_by_flavor_11_1);
    tcase_add_test(t, workloads_by_name_and_in_order);
    tcase_add_test(t, local_queues_9_3);
    tcase_add_test(t, misconfigured_2_8);
    tcase_add_test(t, parked_reason_10_4_step_8);
    suite_add_tcase(s, t);
    return build_run(s);
}
