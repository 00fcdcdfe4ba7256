/* Trees made from ClusterQueues and cohorts: 1.3, 3.1, 9.7. */
#include "base/mem.h"
#include "build.h"
#include "core/world_priv.h"

#include <check.h>
#include <stdio.h>

static struct world *w;

static void setup(void)
{
    w = build_world();
}

static void teardown(void)
{
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

/* All trees as "root(child(queue) queue) queue", in their order. */
static void print_node(char *buf, size_t cap, const struct tree *t, uint32_t n)
{
    size_t len = strlen(buf);
    snprintf(buf + len, cap - len, "%s%s", len && buf[len - 1] != '(' ? " " : "",
             names_text(w->names, t->nodes[n].name));
    if (t->nodes[n].cq != TREE_NONE)
        return;
    len = strlen(buf);
    snprintf(buf + len, cap - len, "(");
    for (uint32_t c = n + 1; c < t->nodes[n].end; c = t->nodes[c].end)
        print_node(buf, cap, t, c);
    len = strlen(buf);
    snprintf(buf + len, cap - len, ")");
}

static void assert_trees(const char *want)
{
    char buf[512] = "";
    const struct tree *t;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    for (uint32_t i = 0; (t = world_tree(w, i)); i++)
        print_node(buf, sizeof buf, t, 0);
    ck_assert_str_eq(buf, want);
}

static struct cq_view view(const char *cq)
{
    ck_assert_int_eq(world_settle(w, NULL), 0);
    return world_cq(w, world_cq_find(w, cq));
}

static amount nominal_of(const char *node)
{
    const struct tree *t;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    for (uint32_t i = 0; (t = world_tree(w, i)); i++)
        for (uint32_t n = 0; n < t->nnodes; n++)
            if (t->nodes[n].name == names_find(w->names, node))
                return tree_cell(t, n, 0)->quota;
    return -1;
}

START_TEST(cohorts_before_queues_each_by_name)
{
    build_cq(w, "z", "top", "cpu: f 1");
    build_cq(w, "a", "top", "cpu: f 1");
    build_cq(w, "alone", "", "cpu: f 1");
    build_cohort(w, "mid", "top", "");
    build_cohort(w, "early", "top", "cpu: f 2");
    build_cq(w, "m", "mid", "cpu: f 1");
    build_cq(w, "x", "other", "cpu: f 1");
    build_cohort(w, "hermit", "", "cpu: f 9"); /* an object without children */
    assert_trees("hermit() other(x) top(early() mid(m) a z) alone");
    ck_assert_int_eq(nominal_of("top"), 5000);
    uint32_t n;
    const uint32_t *order = world_cq_order(w, &n);
    ck_assert_uint_eq(n, 5);
    ck_assert_str_eq(world_cq(w, order[0]).name, "a");
    ck_assert_str_eq(world_cq(w, order[4]).name, "z");
}
END_TEST

START_TEST(implicit_cohorts_1_3)
{
    build_cohort(w, "child", "parent", ""); /* its parent has no object */
    assert_trees("parent(child())");
    build_cq(w, "q", "child", "cpu: f 1");
    assert_trees("parent(child(q))");
    world_del_cohort(w, "child"); /* it has a child: it stays, but without parent */
    assert_trees("child(q)");
    build_cq(w, "q", "", "cpu: f 1");
    assert_trees("q");
    world_del_cohort(w, "child"); /* no object any more: nothing to delete */
    world_del_cohort(w, "unheard-of");
    assert_trees("q");
}
END_TEST

START_TEST(a_deleted_cohort_loses_quota_and_weight_1_3)
{
    struct fact_weight two = {true, build_qty("2")};
    build_cohort(w, "root", "", "");
    build_cohort(w, "c", "root", "cpu: f 4", .weight = two);
    build_cq(w, "q", "c", "cpu: f 1");
    ck_assert_int_eq(nominal_of("c"), 5000);
    ck_assert(view("q").tree->nodes[1].weight == 2);
    world_del_cohort(w, "c");
    ck_assert_int_eq(nominal_of("c"), 1000);
    ck_assert(view("q").tree->nodes[0].weight == 1);
}
END_TEST

START_TEST(cycles_9_7)
{
    build_cohort(w, "a", "b", "");
    build_cohort(w, "b", "c", "");
    build_cohort(w, "c", "a", "");
    build_cohort(w, "in", "a", ""); /* only points into the cycle */
    build_cohort(w, "self", "self", "");
    build_cq(w, "q", "in", "cpu: f 1");
    build_cq(w, "s", "self", "cpu: f 1");
    build_cq(w, "ok", "fine", "cpu: f 1");
    assert_trees("fine(ok) q s");
    ck_assert(!view("q").in_snapshot);
    ck_assert(!view("s").in_snapshot);
    ck_assert(view("ok").in_snapshot);
    ck_assert_int_eq(view("q").state, CQ_ACTIVE);
    build_cohort(w, "c", "", ""); /* broken */
    assert_trees("c(b(a(in(q)))) fine(ok) s");
    ck_assert(view("q").in_snapshot);
}
END_TEST

START_TEST(heads_below_a_cycle_are_inactive_and_not_flushed_9_7)
{
    build_cohort(w, "a", "a", "");
    build_cq(w, "q", "a", "cpu: f 1");
    build_job(w, "w", "q", "cpu=1");
    ck_assert_str_eq(build_cycle(w), "w rejected");
    ck_assert_str_eq(build_message(w, "w"), "ClusterQueue q is inactive");
    ck_assert_str_eq(build_waits(), "w Suspended ");
    build_cq(w, "q", "a", "cpu: f 2"); /* an event, but the tree has a cycle */
    ck_assert_str_eq(build_cycle(w), "");
    ck_assert_str_eq(build_queue(w, "q"), "| w");
    build_cohort(w, "a", "", "");
    ck_assert_str_eq(build_cycle(w), "w admitted cpu=f");
}
END_TEST

START_TEST(reparenting_takes_usage_along)
{
    build_cq(w, "q", "one", "cpu: f 4");
    build_cq(w, "r", "two", "cpu: f 4");
    build_job(w, "h", "q", "cpu=3", .held = "f");
    ck_assert_int_eq(build_usage(w, "one", "f", "cpu"), 3000);
    build_cq(w, "q", "two", "cpu: f 4");
    assert_trees("two(q r)");
    ck_assert_int_eq(build_usage(w, "two", "f", "cpu"), 3000);
    build_cohort(w, "two", "top", "");
    build_cq(w, "s", "top", "cpu: f 1");
    ck_assert_int_eq(build_usage(w, "top", "f", "cpu"), 3000);
}
END_TEST

START_TEST(use_of_a_pair_without_quota_is_counted)
{
    build_cq(w, "q", "c", "cpu: f 4");
    build_job(w, "h", "q", "cpu=3 memory=5", .held = "cpu=g memory=f");
    ck_assert_int_eq(build_usage(w, "q", "g", "cpu"), 3000);
    ck_assert_int_eq(build_usage(w, "c", "f", "memory"), 5);
    build_cq(w, "q", "c", "memory: f 4"); /* its quota may go */
    ck_assert_int_eq(build_usage(w, "c", "g", "cpu"), 3000);
}
END_TEST

/* 3.1: generation(CQ). */
START_TEST(generations_3_1)
{
    build_cq(w, "q", "c", "cpu: f 4");
    build_cq(w, "r", "c", "cpu: f 4");
    build_cq(w, "x", "d", "cpu: f 4");
    ck_assert_int_eq(view("q").generation, 1);
    build_cq(w, "r", "c", "cpu: f 5"); /* anywhere in the tree */
    ck_assert_int_eq(view("q").generation, 2);
    ck_assert_int_eq(view("x").generation, 1);
    build_cohort(w, "c", "", "cpu: f 1");
    ck_assert_int_eq(view("q").generation, 3);
    struct wl *h = build_job(w, "h", "q", "cpu=1", .held = "f"); /* adding does not count */
    ck_assert_int_eq(view("q").generation, 3);
    build_job(w, "h", "q", "cpu=1", .held = "f", .ready = true); /* an update does */
    ck_assert_int_eq(view("q").generation, 4);
    struct marks m = h->marks;
    m.evicted = true;
    world_put_marks(w, h, &m, NOW); /* so does being marked Evicted */
    ck_assert_int_eq(view("q").generation, 5);
    build_finish(w, h); /* and removal */
    ck_assert_int_eq(view("q").generation, 6);
    build_cohort(w, "c", "d", "cpu: f 1"); /* both trees are new */
    ck_assert_int_eq(view("q").generation, 7);
    ck_assert_int_eq(view("x").generation, 2);
    world_del_cluster_queue(w, "x");
    build_cq(w, "x", "d", "cpu: f 4"); /* begins again */
    ck_assert_int_eq(view("x").generation, 1);
}
END_TEST

START_TEST(deleting_a_queue)
{
    build_cq(w, "q", "c", "cpu: f 4");
    build_cq(w, "r", "c", "cpu: f 4");
    build_job(w, "h", "q", "cpu=3", .held = "f");
    ck_assert_int_eq(build_usage(w, "c", "f", "cpu"), 3000);
    world_del_cluster_queue(w, "q");
    assert_trees("c(r)");
    ck_assert_int_eq(build_usage(w, "c", "f", "cpu"), 0);
    world_del_cluster_queue(w, "q");
    world_del_cluster_queue(w, "unheard-of");
    world_del_cluster_queue(w, "r");
    assert_trees("");
    ck_assert_ptr_null(world_tree(w, 0));
}
END_TEST

/* Some trees, in a world whose scratch memory comes in small blocks, so that it grows at many places. */
static void some_trees(void)
{
    char name[16], cohort[16];
    arena_free(&w->scratch);
    arena_init(&w->scratch, 32);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "q%d", i);
        snprintf(cohort, sizeof cohort, "c%d", i % 3);
        build_cq(w, name, cohort, i % 2 ? "cpu: f 4" : "cpu,memory: f 4 1; g 1 1");
    }
    build_cohort(w, "x", "", "cpu: f 1");
    build_cohort(w, "y", "c1", "cpu: f 1");
}

START_TEST(out_of_memory)
{
    int rc = ERR_NOMEM;
    for (uint64_t n = 1; rc; n++) {
        some_trees();
        mem_fail_after(n);
        rc = world_settle(w, NULL);
        mem_fail_after(0);
        ck_assert_uint_lt(n, 200);
        ck_assert_uint_eq(w->ntrees, rc ? 0 : 4);
        assert_trees("c0(q0 q3) c1(y() q1 q4) c2(q2 q5) x()");
        teardown(); /* nothing leaked */
        setup();
    }
}
END_TEST

START_TEST(out_of_memory_says_so)
{
    struct err err = {0};
    build_cq(w, "q", "", "cpu: f 1");
    mem_fail_after(1);
    ck_assert_int_eq(world_settle(w, &err), ERR_NOMEM);
    ck_assert(!world_flush(w, NOW)); /* the mark stays */
    mem_fail_after(0);
    ck_assert_str_eq(err.text, "out of memory while building the quota trees");
    ck_assert(world_flush(w, NOW));
    ck_assert(!world_flush(w, NOW));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("forest");
    TCase *t = tcase_create("forest");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, cohorts_before_queues_each_by_name);
    tcase_add_test(t, implicit_cohorts_1_3);
    tcase_add_test(t, a_deleted_cohort_loses_quota_and_weight_1_3);
    tcase_add_test(t, cycles_9_7);
    tcase_add_test(t, heads_below_a_cycle_are_inactive_and_not_flushed_9_7);
    tcase_add_test(t, reparenting_takes_usage_along);
    tcase_add_test(t, use_of_a_pair_without_quota_is_counted);
    tcase_add_test(t, generations_3_1);
    tcase_add_test(t, deleting_a_queue);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, out_of_memory_says_so);
    suite_add_tcase(s, t);
    return build_run(s);
}
