/* The quota tree: 3.1-3.5 and 8.1, in trees of one or two columns built by hand. */
#include "core/tree.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>
#include <math.h>

#define NO (-1) /* no limit */
#define TOP TREE_NONE
#define UNL AMOUNT_UNLIMITED

/* A node, depth first; cohorts have names in capitals. */
struct row {
    char name;
    uint32_t parent;
    amount nominal, borrowing, lending, usage;
};

static void fill_cell(struct cell *c, const struct row *r)
{
    c->nominal = r->nominal;
    c->has_borrowing = r->borrowing != NO;
    c->borrowing = c->has_borrowing ? r->borrowing : 0;
    c->has_lending = r->lending != NO;
    c->lending = c->has_lending ? r->lending : 0;
    c->usage = r->usage;
    c->own = r->nominal != NO;
    if (!c->own)
        c->nominal = 0;
}

static struct tree *tree_of(const struct row *rows, uint32_t n, uint32_t ncols, uint32_t nres)
{
    struct tree *t = tree_new(n, ncols, nres);
    ck_assert_ptr_nonnull(t);
    for (uint32_t i = 0; i < n; i++) {
        struct tree_node *node = &t->nodes[i];
        *node = (struct tree_node){
            .name = i + 1, .parent = rows[i].parent, .end = i + 1, .active = true, .weight = 1};
        node->cq = rows[i].name < 'a' ? TREE_NONE : i;
        for (uint32_t p = rows[i].parent; p != TOP; p = rows[p].parent)
            t->nodes[p].end = i + 1;
        fill_cell(tree_cell(t, i, 0), &rows[i]);
    }
    for (uint32_t c = 0; c < ncols; c++) {
        t->fr[c] = 10 * (c + 1);
        t->res_of_col[c] = nres > 1 ? c : 0;
    }
    for (uint32_t r = 0; r < nres; r++)
        t->res_name[r] = 100 + r;
    tree_compute(t);
    return t;
}

#define ONE(rows) tree_of(rows, COUNT(rows), 1, 1)

/* R(nominal 2)
 * +- A        +- b: 10 nominal, lends 4, so 6 private
 * |           +- c: 5 nominal, borrows at most 3
 * +- d: lends nothing */
static const struct row family[] = {
    {'R', TOP, 2, NO, NO, 0}, {'A', 0, NO, NO, NO, 0}, {'b', 1, 10, NO, 4, 0},
    {'c', 1, 5, 3, NO, 0},    {'d', 0, 7, NO, 0, 0},
};
enum { ROOT, A, B, C, D };

START_TEST(quota_of_3_1)
{
    struct tree *t = ONE(family);
    ck_assert_int_eq(tree_cell(t, B, 0)->quota, 10);
    ck_assert_int_eq(tree_cell(t, B, 0)->private_quota, 6);
    ck_assert_int_eq(tree_cell(t, C, 0)->private_quota, 0); /* no lendingLimit: all is visible */
    ck_assert_int_eq(tree_cell(t, A, 0)->quota, 9);
    ck_assert_int_eq(tree_cell(t, D, 0)->private_quota, 7);
    ck_assert_int_eq(tree_cell(t, ROOT, 0)->quota, 11);
    ck_assert(tree_cell(t, A, 0)->declared); /* an entry for what descendants declare */
    ck_assert(!tree_cell(t, A, 0)->own);
    tree_free(t);
}
END_TEST

START_TEST(usage_moves_up_beyond_the_private_part_3_2)
{
    struct tree *t = ONE(family);
    tree_charge(t, B, 0, 5); /* within the private 6 */
    ck_assert_int_eq(tree_cell(t, A, 0)->usage, 0);
    tree_charge(t, B, 0, 3); /* 8 - 6 = 2 are seen */
    ck_assert_int_eq(tree_cell(t, A, 0)->usage, 2);
    ck_assert_int_eq(tree_cell(t, ROOT, 0)->usage, 2);
    tree_discharge(t, B, 0, 1);
    ck_assert_int_eq(tree_cell(t, A, 0)->usage, 1);
    tree_discharge(t, B, 0, 4); /* min(4, stored 1) */
    ck_assert_int_eq(tree_cell(t, A, 0)->usage, 0);
    ck_assert_int_eq(tree_cell(t, B, 0)->usage, 3);
    tree_discharge(t, B, 0, 3); /* nothing stored above */
    ck_assert_int_eq(tree_cell(t, B, 0)->usage, 0);
    ck_assert_int_eq(tree_cell(t, A, 0)->usage, 0);
    ck_assert_int_eq(tree_cell(t, ROOT, 0)->usage, 0);
    tree_free(t);
}
END_TEST

START_TEST(computing_anew_gives_the_same_usage_3_1)
{
    struct row rows[COUNT(family)];
    memcpy(rows, family, sizeof rows);
    rows[B].usage = 9;
    rows[C].usage = 4;
    struct tree *t = ONE(rows), *charged = ONE(family);
    tree_charge(charged, B, 0, 9);
    tree_charge(charged, C, 0, 4);
    for (uint32_t i = 0; i < t->nnodes; i++)
        ck_assert_int_eq(tree_cell(t, i, 0)->usage, tree_cell(charged, i, 0)->usage);
    tree_free(t);
    tree_free(charged);
}
END_TEST

/* 3.3, on the family with these uses. */
static const struct {
    const char *rule;
    amount use_b, use_c, use_d;
    uint32_t node;
    amount available, potential;
} available_rows[] = {
    {"3.3: root", 0, 0, 0, ROOT, 11, 11},
    {"3.3: cohort without limits sees the root", 0, 0, 0, A, 11, 11},
    {"3.3: private quota on top of what the parent has", 0, 0, 0, B, 17, 17},
    {"3.3: the borrowing limit binds", 0, 0, 0, C, 8, 8},
    {"3.3: use of a sibling", 8, 0, 0, C, 8, 8},
    {"3.3: use of a sibling, deeper", 15, 0, 0, C, 2, 8},
    {"3.3: its own use", 0, 6, 0, C, 2, 8},
    {"3.3: a private queue has what it keeps and the rest", 0, 0, 3, D, 15, 18},
    {"3.3: may be negative", 20, 0, 0, C, -3, 8},
};

START_TEST(available)
{
    struct tree *t = ONE(family);
    tree_charge(t, B, 0, available_rows[_i].use_b);
    tree_charge(t, C, 0, available_rows[_i].use_c);
    tree_charge(t, D, 0, available_rows[_i].use_d);
    ck_assert_msg(tree_available(t, available_rows[_i].node, 0) == available_rows[_i].available, "%s: %lld",
                  available_rows[_i].rule, (long long)tree_available(t, available_rows[_i].node, 0));
    ck_assert_int_eq(tree_cell(t, available_rows[_i].node, 0)->potential, available_rows[_i].potential);
    ck_assert_int_eq(tree_fit(t, available_rows[_i].node, 0), amount_max(0, available_rows[_i].available));
    tree_free(t);
}
END_TEST

START_TEST(unlimited_quota_stays_unlimited)
{
    static const struct row rows[] = {
        {'R', TOP, NO, NO, NO, 0}, {'a', 0, UNL, NO, NO, 5}, {'b', 0, 1, NO, NO, 0}};
    struct tree *t = ONE(rows);
    ck_assert_int_eq(tree_available(t, 1, 0), UNL);
    ck_assert_int_eq(tree_available(t, 2, 0), UNL);
    ck_assert_int_eq(tree_cell(t, 2, 0)->potential, UNL);
    tree_free(t);
}
END_TEST

START_TEST(predicates_3_4)
{
    struct tree *t = ONE(family);
    uint32_t col = 0;
    tree_charge(t, C, 0, 5);
    ck_assert(!tree_over(t, C, 0, 0));
    ck_assert(tree_over(t, C, 0, 1)); /* ClusterQueue: above nominal */
    ck_assert(!tree_over(t, A, 0, 4));
    ck_assert(tree_over(t, A, 0, 5)); /* cohort: above its treeQuota of 9 */
    ck_assert(tree_within(t, C, &col, 1));
    tree_charge(t, C, 0, 1);
    ck_assert(!tree_within(t, C, &col, 1));
    ck_assert(tree_within(t, A, &col, 1));
    tree_free(t);
}
END_TEST

/* 3.5 height and borrowLevel. S is below R, T below S; all quota lies at the places named. */
static const struct row deep[] = {
    {'R', TOP, 4, NO, NO, 0}, {'S', 0, 0, NO, NO, 0},  {'T', 1, 2, NO, NO, 0},
    {'a', 2, 1, NO, NO, 0},   {'E', 0, NO, NO, NO, 0}, {'z', 0, 1, NO, NO, 0},
};

START_TEST(heights_3_5)
{
    static const uint32_t want[] = {3, 2, 1, 0, 0, 0};
    struct tree *t = ONE(deep);
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_uint_eq(t->nodes[i].height, want[i]);
    t->nodes[3].active = false; /* an inactive ClusterQueue is no child */
    tree_compute_heights(t);
    ck_assert_uint_eq(t->nodes[2].height, 0);
    ck_assert_uint_eq(t->nodes[0].height, 2);
    tree_free(t);
}
END_TEST

static const struct {
    const char *rule;
    uint32_t node;
    amount v;
    struct tree_level want;
} level_rows[] = {
    {"3.5: within nominal", 3, 1, {0, true}},
    {"3.5: the cohort has it", 3, 3, {1, true}},
    {"3.5: the root has it", 3, 8, {3, false}},
    {"3.5: nobody has it: height of the root, and no reclaim", 3, 9, {3, false}},
    {"3.5: a queue below the root", 5, 2, {3, false}},
};

START_TEST(borrow_level)
{
    struct tree *t = ONE(deep);
    struct tree_level got = tree_borrow_level(t, level_rows[_i].node, 0, level_rows[_i].v);
    ck_assert_msg(got.level == level_rows[_i].want.level &&
                      got.may_reclaim == level_rows[_i].want.may_reclaim,
                  "%s: %u %d", level_rows[_i].rule, got.level, got.may_reclaim);
    tree_free(t);
}
END_TEST

START_TEST(without_cohort_the_level_is_always_0)
{
    static const struct row rows[] = {{'a', TOP, 1, NO, NO, 0}};
    struct tree *t = ONE(rows);
    struct tree_level got = tree_borrow_level(t, 0, 0, 100);
    ck_assert_uint_eq(got.level, 0);
    ck_assert(!got.may_reclaim);
    ck_assert_int_eq(tree_available(t, 0, 0), 1);
    tree_free(t);
}
END_TEST

/* ---- journal ------------------------------------------------------------------------------------------------------------------ */

START_TEST(undo_brings_back_what_was)
{
    struct tree *t = ONE(family);
    tree_charge(t, B, 0, 7);
    uint32_t outer = tree_begin(t);
    tree_charge(t, B, 0, 2);
    uint32_t inner = tree_begin(t);
    tree_discharge(t, B, 0, 9);
    tree_undo(t, inner);
    ck_assert_int_eq(tree_cell(t, B, 0)->usage, 9);
    tree_charge(t, C, 0, 1);
    tree_undo(t, outer);
    ck_assert_int_eq(tree_cell(t, B, 0)->usage, 7);
    ck_assert_int_eq(tree_cell(t, C, 0)->usage, 0);
    ck_assert_int_eq(tree_cell(t, ROOT, 0)->usage, 1);
    ck_assert_uint_eq(t->journaling, 0);
    ck_assert_uint_eq(t->njournal, 0);
    tree_free(t);
}
END_TEST

START_TEST(a_journal_that_cannot_grow_takes_the_bail)
{
    struct tree *t = ONE(family);
    struct arena a;
    jmp_buf bail;
    arena_init(&a, 64);
    a.bail = &bail;
    t->scratch = &a;
    uint32_t mark = tree_begin(t);
    if (!setjmp(bail)) {
        mem_fail_after(1);
        tree_charge(t, C, 0, 1);
        ck_abort_msg("did not bail");
    }
    mem_fail_after(0);
    tree_undo(t, mark);
    ck_assert_int_eq(tree_cell(t, C, 0)->usage, 0);
    arena_free(&a);
    tree_free(t);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* ---- shares (8.1) --------------------------------------------------------------------------------------------------------------- */

/* Two flavors of one resource, or two resources. a: 4 and 2 nominal; b: 6 and 4. */
static struct tree *share_tree(uint32_t nres)
{
    static const struct row rows[] = {
        {'R', TOP, NO, NO, NO, 0}, {'a', 0, 4, NO, NO, 0}, {'b', 0, 6, NO, NO, 0}};
    struct tree *t = tree_of(rows, COUNT(rows), 2, nres);
    fill_cell(tree_cell(t, 1, 1), &(struct row){'a', 0, 2, NO, NO, 0});
    fill_cell(tree_cell(t, 2, 1), &(struct row){'b', 0, 4, NO, NO, 0});
    tree_compute(t);
    return t;
}

START_TEST(share_of_one_who_does_not_borrow_is_zero)
{
    struct tree *t = share_tree(1);
    tree_charge(t, 1, 0, 4);
    struct share s = tree_share(t, 1);
    ck_assert(!s.borrowing && s.ratio == 0 && s.weight == 1 && s.dominant == 0);
    tree_charge(t, 1, 0, 100);
    s = tree_share(t, 0); /* nor does a root */
    ck_assert(!s.borrowing && s.ratio == 0);
    tree_free(t);
}
END_TEST

START_TEST(flavors_of_a_resource_are_summed_before_the_ratio)
{
    struct tree *t = share_tree(1);
    tree_charge(t, 1, 0, 6);
    tree_charge(t, 1, 1, 1); /* slack there does not offset */
    struct share s = tree_share(t, 1);
    ck_assert(s.borrowing && s.dominant == 100);
    ck_assert(s.ratio == 2 * 1000.0 / 16);
    tree_charge(t, 1, 1, 3);
    ck_assert(tree_share(t, 1).ratio == 4 * 1000.0 / 16);
    ck_assert_int_eq(share_status(tree_share(t, 1)), 250);
    tree_free(t);
}
END_TEST

START_TEST(the_dominant_resource_has_the_greatest_ratio)
{
    struct tree *t = share_tree(2);
    tree_charge(t, 1, 0, 5);
    tree_charge(t, 1, 1, 4);
    struct share s = tree_share(t, 1);
    ck_assert_uint_eq(s.dominant, 101);
    ck_assert(s.ratio == 2 * 1000.0 / 6);
    ck_assert_int_eq(share_status(s), 334); /* rounded up */
    tree_charge(t, 1, 0, 4);                /* 5 of 10; still less than a tie */
    ck_assert_uint_eq(tree_share(t, 1).dominant, 100);
    tree_free(t);
}
END_TEST

START_TEST(a_resource_that_nobody_lends_does_not_count)
{
    static const struct row rows[] = {
        {'R', TOP, NO, NO, NO, 0}, {'a', 0, 0, NO, NO, 3}, {'b', 0, 5, NO, 0, 0}};
    struct tree *t = ONE(rows);
    struct share s = tree_share(t, 1);
    ck_assert(s.borrowing); /* a node can borrow with ratio 0 */
    ck_assert(s.ratio == 0);
    tree_free(t);
}
END_TEST

START_TEST(lendable_is_what_the_parent_may_get)
{
    static const struct row rows[] = {
        {'R', TOP, 100, NO, NO, 0}, {'A', 0, 0, 10, NO, 0}, {'a', 1, 0, NO, NO, 5}, {'b', 0, 0, NO, NO, 0}};
    struct tree *t = ONE(rows);
    ck_assert(tree_share(t, 2).ratio == 500); /* 5 of the 10 that A may borrow */
    ck_assert(tree_share(t, 1).ratio == 50);  /* 5 of 100 */
    tree_free(t);
}
END_TEST

START_TEST(what_a_node_does_not_declare_is_ignored)
{
    static const struct row rows[] = {{'R', TOP, 5, NO, NO, 0}, {'a', 0, NO, NO, NO, 3}};
    struct tree *t = ONE(rows);
    uint32_t col = 0;
    ck_assert(!tree_share(t, 1).borrowing);
    ck_assert(!tree_borrowing_on(t, 1, &col, 1));
    ck_assert(!tree_borrowing_on(t, 0, &col, 1));
    tree_free(t);
}
END_TEST

START_TEST(borrowing_on_looks_at_the_given_pairs_only)
{
    struct tree *t = share_tree(2);
    uint32_t cols[] = {0, 1};
    tree_charge(t, 1, 1, 3);
    ck_assert(!tree_borrowing_on(t, 1, cols, 1));
    ck_assert(tree_borrowing_on(t, 1, cols, 2));
    tree_free(t);
}
END_TEST

/* 8.1 compare: the sign of (a, b). */
static const struct {
    const char *rule;
    struct share a, b;
    int want;
} compare_rows[] = {
    {"8.1: equal", {1, 5, true, 0}, {1, 5, true, 0}, 0},
    {"8.1: ratio over weight", {2, 8, true, 0}, {1, 5, true, 0}, -1},
    {"8.1: weight 0 and borrowing is greatest", {0, 1, true, 0}, {1, 1000, true, 0}, 1},
    {"8.1: the other way round", {1, 1000, true, 0}, {0, 1, true, 0}, -1},
    {"8.1: both weight 0: raw ratios", {0, 2, true, 0}, {0, 1, true, 0}, 1},
    {"8.1: weight 0 that does not borrow has share 0", {0, 0, false, 0}, {1, 1, true, 0}, -1},
};

START_TEST(compare)
{
    ck_assert_msg(share_compare(compare_rows[_i].a, compare_rows[_i].b) == compare_rows[_i].want, "%s",
                  compare_rows[_i].rule);
}
END_TEST

START_TEST(status_of_shares)
{
    ck_assert_int_eq(share_status((struct share){.weight = 0, .ratio = 1}), INT64_MAX);
    ck_assert_int_eq(share_status((struct share){.weight = 0, .ratio = 0}), 0);
    ck_assert_int_eq(share_status((struct share){.weight = 1, .ratio = 166.67}), 167);
    ck_assert(isinf(share_weighted((struct share){.weight = 0, .ratio = 1})));
}
END_TEST

/* ---- structure -------------------------------------------------------------------------------------------------------------------- */

START_TEST(branches_are_the_children_of_the_common_ancestor)
{
    static const struct row rows[] = {
        {'R', TOP, 0, NO, NO, 0}, {'S', 0, 0, NO, NO, 0}, {'T', 1, 0, NO, NO, 0}, {'a', 2, 0, NO, NO, 0},
        {'U', 0, 0, NO, NO, 0},   {'b', 4, 0, NO, NO, 0}, {'c', 4, 0, NO, NO, 0}};
    static const uint32_t want[][4] = {{3, 5, 1, 4}, {5, 3, 4, 1}, {5, 6, 5, 6}, {3, 4, 1, 4}};
    struct tree *t = ONE(rows);
    for (uint32_t i = 0; i < COUNT(want); i++) {
        uint32_t a, b;
        tree_branches(t, want[i][0], want[i][1], &a, &b);
        ck_assert_uint_eq(a, want[i][2]);
        ck_assert_uint_eq(b, want[i][3]);
    }
    tree_free(t);
}
END_TEST

START_TEST(columns_are_found_by_pair)
{
    struct tree *t = share_tree(2);
    ck_assert_uint_eq(tree_col(t, 10), 0);
    ck_assert_uint_eq(tree_col(t, 20), 1);
    ck_assert_uint_eq(tree_col(t, 15), TREE_NONE);
    ck_assert_uint_eq(tree_col(t, 30), TREE_NONE);
    tree_free(t);
    tree_free(NULL);
}
END_TEST

START_TEST(out_of_memory)
{
    struct tree *t = NULL;
    for (uint64_t n = 1; !t; n++) {
        mem_fail_after(n);
        t = tree_new(3, 2, 1);
        mem_fail_after(0);
        ck_assert(t || mem_live() == 0);
        ck_assert_uint_lt(n, 10);
    }
    tree_free(t);
}
END_TEST

static void add_quota_tests(TCase *t)
{
    tcase_add_test(t, quota_of_3_1);
    tcase_add_test(t, usage_moves_up_beyond_the_private_part_3_2);
    tcase_add_test(t, computing_anew_gives_the_same_usage_3_1);
    tcase_add_loop_test(t, available, 0, COUNT(available_rows));
    tcase_add_test(t, unlimited_quota_stays_unlimited);
    tcase_add_test(t, predicates_3_4);
    tcase_add_test(t, heights_3_5);
    tcase_add_loop_test(t, borrow_level, 0, COUNT(level_rows));
    tcase_add_test(t, without_cohort_the_level_is_always_0);
    tcase_add_test(t, undo_brings_back_what_was);
    tcase_add_test(t, a_journal_that_cannot_grow_takes_the_bail);
}

static void add_share_tests(TCase *t)
{
    tcase_add_test(t, share_of_one_who_does_not_borrow_is_zero);
    tcase_add_test(t, flavors_of_a_resource_are_summed_before_the_ratio);
    tcase_add_test(t, the_dominant_resource_has_the_greatest_ratio);
    tcase_add_test(t, a_resource_that_nobody_lends_does_not_count);
    tcase_add_test(t, lendable_is_what_the_parent_may_get);
    tcase_add_test(t, what_a_node_does_not_declare_is_ignored);
    tcase_add_test(t, borrowing_on_looks_at_the_given_pairs_only);
    tcase_add_loop_test(t, compare, 0, COUNT(compare_rows));
    tcase_add_test(t, status_of_shares);
    tcase_add_test(t, branches_are_the_children_of_the_common_ancestor);
    tcase_add_test(t, columns_are_found_by_pair);
    tcase_add_test(t, out_of_memory);
}

int main(void)
{
    Suite *s = suite_create("tree");
    TCase *t = tcase_create("tree");
    add_quota_tests(t);
    add_share_tests(t);
    suite_add_tcase(s, t);
    return build_run(s);
}
