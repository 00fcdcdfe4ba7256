/* Turns: 8.3, who gives up a Workload next. */
#include "core/turns.h"

#include "build.h"

#include <check.h>
#include <string.h>

static struct world *w;
static struct arena arena;
static jmp_buf bail;

static void setup(void)
{
    w = build_world();
    arena_init(&arena, 1 << 12);
    arena.bail = &bail;
}

static void teardown(void)
{
    world_free(w);
    arena_free(&arena);
}

static struct cluster_queue *queue(const char *name)
{
    return w->cqs[world_cq_find(w, name)];
}

/* Offers all that a queue holds. */
static void offer(struct turns *u, const struct preempt_ctx *ctx, const char *name)
{
    const struct cluster_queue *q = queue(name);
    struct cand *c = ARENA_NEW(&arena, struct cand, q->nholders);
    for (uint32_t i = 0; i < q->nholders; i++)
        cand_fill(ctx, &c[i], q->holders[i], q->holders[i]->cq);
    cand_seq_init(&u->offers[q->node].seq, c, q->nholders, false);
}

/* The turns of all offers of `names` (one letter each); with `drop`, a queue has one turn only. */
static const char *turns(const char *own, const char *names, bool drop)
{
    static char got[64];
    struct turns u;
    uint32_t node, n = 0;
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_int_eq(setjmp(bail), 0);
    struct preempt_ctx ctx = {.w = w, .cq = queue(own), .now = NOW};
    turns_init(&u, ctx.cq->tree, ctx.cq->node, &arena);
    for (const char *c = names; *c; c++)
        offer(&u, &ctx, (char[]){*c, '\0'});
    while ((node = turns_next(&u)) != NONE && n < sizeof got - 1) {
        got[n++] = names_text(w->names, ctx.cq->tree->nodes[node].name)[0];
        u.pruned[node] = drop;
        u.offers[node].next++;
    }
    got[n] = '\0';
    return got;
}

static void one_cohort(void)
{
    build_cq(w, "a", "all", "cpu: f 4");
    build_cq(w, "b", "all", "cpu: f 2");
    build_cq(w, "c", "all", "cpu: f 2");
    build_job(w, "b1", "b", "cpu=3", .held = "f");
    build_job(w, "b2", "b", "cpu=2", .held = "f");
    build_job(w, "c1", "c", "cpu=3", .held = "f");
}

START_TEST(the_highest_share_first_while_it_has_candidates)
{
    one_cohort();
    ck_assert_str_eq(turns("a", "bc", false), "bbc");
}
END_TEST

START_TEST(a_dropped_queue_has_no_more_turns)
{
    one_cohort();
    ck_assert_str_eq(turns("a", "bc", true), "bc");
}
END_TEST

START_TEST(who_does_not_borrow_has_no_turn_but_the_preemptor)
{
    one_cohort();
    build_job(w, "a1", "a", "cpu=1", .held = "f");
    ck_assert_str_eq(turns("a", "abc", false), "bbca");
    ck_assert_str_eq(turns("b", "abc", false), "bbc");
}
END_TEST

START_TEST(equal_shares_are_told_apart_by_their_first_candidates)
{
    build_cq(w, "a", "all", "cpu: f 4");
    build_cq(w, "b", "all", "cpu: f 1");
    build_cq(w, "c", "all", "cpu: f 1");
    build_job(w, "b1", "b", "cpu=2", .held = "f", .priority = 2);
    build_job(w, "c1", "c", "cpu=2", .held = "f", .priority = 1);
    ck_assert_str_eq(turns("a", "bc", false), "cb");
}
END_TEST

START_TEST(the_cohort_with_the_higher_share_comes_before_its_sister)
{
    build_cohort(w, "left", "root", "");
    build_cohort(w, "right", "root", "");
    build_cq(w, "p", "root", "cpu: f 4");
    build_cq(w, "l", "left", "cpu: f 2");
    build_cq(w, "r", "right", "cpu: f 2");
    build_job(w, "l1", "l", "cpu=3", .held = "f");
    build_job(w, "r1", "r", "cpu=5", .held = "f");
    ck_assert_str_eq(turns("p", "lr", false), "rl");
}
END_TEST

START_TEST(without_cohort_only_its_own)
{
    build_cq(w, "a", "", "cpu: f 2");
    build_job(w, "a1", "a", "cpu=1", .held = "f");
    build_job(w, "a2", "a", "cpu=1", .held = "f");
    ck_assert_str_eq(turns("a", "a", false), "aa");
    ck_assert_str_eq(turns("a", "", false), "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("turns");
    TCase *t = tcase_create("turns");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_highest_share_first_while_it_has_candidates);
    tcase_add_test(t, a_dropped_queue_has_no_more_turns);
    tcase_add_test(t, who_does_not_borrow_has_no_turn_but_the_preemptor);
    tcase_add_test(t, equal_shares_are_told_apart_by_their_first_candidates);
    tcase_add_test(t, the_cohort_with_the_higher_share_comes_before_its_sister);
    tcase_add_test(t, without_cohort_only_its_own);
    suite_add_tcase(s, t);
    return build_run(s);
}
