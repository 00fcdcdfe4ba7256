#include "core/loans.h"

#include "base/mem.h"
#include "base/str.h"
#include "loans_trees.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static amount parse_amount(char **p)
{
    *p += **p == ' ';
    if (strncmp(*p, "inf", 3))
        return strtoll(*p, p, 10);
    *p += 3;
    return UNL;
}

/* "R 0/0; .S 0/2 b1 l3; ..a 1/5": a dot for each level, usage/nominal (or inf), borrowingLimit, lendingLimit. */
static struct tree *parse(const char *text)
{
    char copy[256], *save = NULL, row_names[8][4];
    struct row rows[8];
    uint32_t n = 0, at[8] = {0}; /* the last row of each level */
    ck_assert_uint_lt(strlen(text), sizeof copy);
    memcpy(copy, text, strlen(text) + 1);
    for (char *p = strtok_r(copy, ";", &save); p; p = strtok_r(NULL, ";", &save), n++) {
        uint32_t level = 0;
        for (p += *p == ' '; *p == '.'; p++)
            level++;
        at[level] = n;
        ck_assert_int_eq(sscanf(p, "%3[A-Za-z]", row_names[n]), 1);
        p += strlen(row_names[n]);
        rows[n] = (struct row){row_names[n], level ? at[level - 1] : TOP, 0, NO, NO, parse_amount(&p)};
        ck_assert_int_eq(*p++, '/');
        rows[n].nominal = parse_amount(&p);
        while (*p == ' ') {
            amount *limit = p[1] == 'b' ? &rows[n].borrowing : &rows[n].lending;
            p += 2;
            *limit = strtoll(p, &p, 10);
        }
    }
    return build(rows, n);
}

static void settle(struct loans *ls, const struct tree *t, when_ns now, bool quota)
{
    struct loan_change c = {.now = now, .quota = quota};
    struct err err;
    ck_assert_msg(loans_settle(ls, t, FR, &c, &err) == 0, "%s", err.text);
}

static void settle_rows(struct loans *ls, const struct row *rows, uint32_t n, when_ns now, bool quota)
{
    struct tree *t = build(rows, n);
    settle(ls, t, now, quota);
    tree_free(t);
}

/* ---- as text -------------------------------------------------------------------------------------------------------------- */

static void print_loan(struct str *out, const struct loan *l)
{
    if (out->len)
        str_add(out, ", ");
    const char *lender =
        l->lender.kind <= LOAN_COHORT ? names_text(names, l->lender.name) : loan_kind_name(l->lender.kind);
    str_addf(out, "%s<-%s %lld", names_text(names, l->borrower), lender, (long long)l->amount);
}

/* "b<-a 4, c<-overdraft 1" */
static void assert_loans(struct loans *ls, const char *want)
{
    const struct loan *const *list;
    uint32_t n;
    struct loan_filter f = {.fr = FR, .borrower = LOANS_ANY};
    ck_assert_int_eq(loans_list(ls, &f, &list, &n, NULL), 0);
    struct str out;
    str_init(&out, 0);
    for (uint32_t i = 0; i < n; i++)
        print_loan(&out, list[i]);
    ck_assert_str_eq(str_text(&out), want);
    str_free(&out);
}

/* "b<-a 4 returned, b<-a 3 @borrowed"; drains them. */
static void assert_events(struct loans *ls, const char *want)
{
    uint32_t n;
    const struct loan_event *e = loans_events(ls, &n);
    struct str out;
    str_init(&out, 0);
    for (uint32_t i = 0; i < n; i++) {
        print_loan(&out, &e[i].loan);
        ck_assert_int_eq(e[i].end == LOAN_OPEN, e[i].ended == WHEN_NONE);
        if (e[i].end == LOAN_OPEN)
            str_addf(&out, " @%s", loan_begin_name(e[i].loan.begin));
        else
            str_addf(&out, " %s", loan_end_name(e[i].end));
    }
    ck_assert_str_eq(str_text(&out), want);
    str_free(&out);
    loans_clear_events(ls);
}

/* ---- small cases by hand -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *what, *tree, *want;
} fresh_cases[] = {
    {"within quota", "R 0/0; .a 5/5; .b 1/5", ""},
    {"one lender", "R 0/0; .a 1/5; .b 8/5", "b<-a 3"},
    {"most idle first", "R 0/0; .a 0/3; .b 0/4; .c 6/0", "c<-a 2, c<-b 4"},
    {"then by name", "R 0/0; .a 0/4; .b 0/4; .c 6/0", "c<-a 4, c<-b 2"},
    {"idle left, not idle", "R 0/0; .a 0/5; .b 0/4; .c 3/0; .d 3/0", "c<-a 3, d<-b 3"},
    {"lendingLimit caps the lender", "R 0/0; .a 0/5 l2; .b 0/4; .c 6/0", "c<-a 2, c<-b 4"},
    {"lendingLimit above idle", "R 0/0; .a 4/5 l3; .c 1/0", "c<-a 1"},
    {"beyond the lendingLimit is owed", "R 0/0; .a 0/5 l2; .c 3/0", "c<-a 2, c<-overdraft 1"},
    {"beyond the borrowingLimit is owed", "R 0/0; .a 0/5; .c 3/0 b1", "c<-a 1, c<-overdraft 2"},
    {"a cohort's own quota", "R 0/5; .a 0/2; .c 6/0", "c<-a 1, c<-R 5"},
    {"no cohort", "a 5/2", "a<-overdraft 3"},
    {"nearest first", "R 0/0; .S 0/0; ..a 0/2; ..b 3/0; .c 0/9", "b<-a 2, b<-c 1"},
    {"limit of a subtree upwards", "R 0/0; .S 0/0 l3; ..a 0/3; ..b 0/2; .c 5/0", "c<-a 3, c<-overdraft 2"},
    {"limit of a subtree upwards, two", "R 0/0; .S 0/0 l4; ..a 0/3; ..b 0/2; .c 5/0",
     "c<-a 3, c<-b 1, c<-overdraft 1"},
    {"limit of a subtree downwards", "R 0/0; .S 0/0 b2; ..a 3/0; ..b 2/0; .c 0/9",
     "a<-c 2, a<-overdraft 1, b<-overdraft 2"},
    {"the net passes, not the sum", "R 0/0; .S 0/0 b1; ..a 4/0; ..b 0/3; .c 0/9", "a<-b 3, a<-c 1"},
    {"unlimited", "R 0/0; .a 3/inf; .b 0/1; .c 5/0", "c<-unlimited 5"},
    {"nearer than unlimited", "R 0/inf; .S 0/0; ..a 0/1; ..c 5/0", "c<-a 1, c<-unlimited 4"},
    {"unlimited with a lendingLimit lends nothing", "R 0/0; .a 0/inf l4; .c 5/0", "c<-overdraft 5"},
    {"unlimited usage", "R 0/0; .a 0/4; .c inf/0", "c<-a 4, c<-overdraft 9223372036854775802"},
};

START_TEST(test_fresh)
{
    struct loans *ls = loans_new(names);
    struct tree *t = parse(fresh_cases[_i].tree);
    settle(ls, t, 1, false);
    tree_free(t);
    assert_loans(ls, fresh_cases[_i].want);
    loans_free(ls);
}
END_TEST

/* Two states one after the other: what stays and why the rest ended. */
static const struct {
    const char *what;
    const char *before, *after;
    bool quota;
    const char *reclaim; /* "borrower<preemptor" */
    const char *want, *events;
} step_cases[] = {
    {"returned in part", "R 0/0; .a 0/5; .b 4/0", "R 0/0; .a 0/5; .b 1/0", false, "", "b<-a 1",
     "b<-a 4 returned, b<-a 1 @borrowed"},
    {"returned", "R 0/0; .a 0/5; .b 4/0", "R 0/0; .a 0/5; .b 0/0", false, "", "", "b<-a 4 returned"},
    {"reclaimed", "R 0/0; .a 0/5; .b 4/0", "R 0/0; .a 4/5; .b 1/0", false, "b<a", "b<-a 1",
     "b<-a 4 reclaimed, b<-a 1 @borrowed"},
    {"the preemptor's loan goes first", "R 0/0; .a 0/3; .b 0/2; .c 5/0", "R 0/0; .a 0/3; .b 0/2; .c 3/0",
     false, "c<a", "c<-a 1, c<-b 2", "c<-a 3 reclaimed, c<-a 1 @borrowed"},
    {"more from the same lender", "R 0/0; .a 0/5; .b 2/0", "R 0/0; .a 0/5; .b 3/0", false, "", "b<-a 3",
     "b<-a 2 refinanced, b<-a 3 @borrowed"},
    {"the lender uses its own", "R 0/2; .a 0/5; .b 4/0", "R 0/2; .a 3/5; .b 4/0", false, "", "b<-a 2, b<-R 2",
     "b<-a 4 refinanced, b<-a 2 @borrowed, b<-R 2 @refinanced"},
    {"sticky although another has more", "R 0/0; .a 0/5; .b 8/9; .c 2/0", "R 0/0; .a 0/5; .b 0/9; .c 2/0",
     false, "", "c<-a 2", ""},
    {"quota lowered", "R 0/0; .a 0/5; .b 4/0", "R 0/0; .a 0/1; .b 4/0", true, "", "b<-a 1, b<-overdraft 3",
     "b<-a 4 quotaChanged, b<-a 1 @borrowed, b<-overdraft 3 @refinanced"},
    {"the borrower's quota lowered", "R 0/0; .a 0/5; .b 4/4", "R 0/0; .a 0/5; .b 4/2", true, "", "b<-a 2",
     "b<-a 2 @borrowed"},
    {"it became unlimited", "R 0/0; .a 0/5; .b 4/0", "R 0/0; .a 0/inf; .b 4/0", true, "", "b<-unlimited 4",
     "b<-a 4 quotaChanged, b<-unlimited 4 @refinanced"},
    {"unlimited stays", "R 0/0; .a 0/inf; .b 4/0", "R 0/0; .a 9/inf; .b 4/0", false, "", "b<-unlimited 4",
     ""},
    {"the debt is covered when quota comes back", "R 0/0; .a 0/1; .b 4/0", "R 0/0; .a 0/3; .b 4/0", true, "",
     "b<-a 3, b<-overdraft 1",
     "b<-a 1 refinanced, b<-a 3 @borrowed, b<-overdraft 3 quotaChanged, b<-overdraft 1 @borrowed"},
    {"both ends of a fall", "R 0/0; .a 0/3; .b 0/2; .c 5/0", "R 0/0; .a 3/3; .b 0/2; .c 1/0", false, "",
     "c<-b 1", "c<-a 3 returned, c<-b 2 returned, c<-b 1 @borrowed"},
    {"mostly taken back", "R 0/0; .a 0/3; .b 0/2; .c 3/0", "R 0/0; .a 3/3; .b 0/2; .c 2/0", false, "",
     "c<-b 2", "c<-a 3 refinanced, c<-b 2 @refinanced"},
    {"a nearer lender has become free", "R 0/0; .S 0/0; ..a 3/3; ..b 2/0; .c 0/9",
     "R 0/0; .S 0/0; ..a 2/3; ..b 2/0; .c 0/9", false, "", "b<-a 1, b<-c 1",
     "b<-a 1 @refinanced, b<-c 2 refinanced, b<-c 1 @borrowed"},
};

START_TEST(test_step)
{
    struct loans *ls = loans_new(names);
    struct tree *t = parse(step_cases[_i].before);
    settle(ls, t, 1, false);
    tree_free(t);
    loans_clear_events(ls);
    struct loan_reclaim hint;
    struct loan_change c = {.now = 2, .quota = step_cases[_i].quota, .reclaims = &hint};
    char borrower[4], preemptor[4];
    if (sscanf(step_cases[_i].reclaim, "%3[a-z]<%3[a-z]", borrower, preemptor) == 2) {
        hint = (struct loan_reclaim){id(borrower), id(preemptor)};
        c.nreclaims = 1;
    }
    t = parse(step_cases[_i].after);
    ck_assert_int_eq(loans_settle(ls, t, FR, &c, NULL), 0);
    assert_loans(ls, step_cases[_i].want);
    assert_events(ls, step_cases[_i].events);
    ck_assert_int_eq(loans_settle(ls, t, FR, &c, NULL), 0);
    assert_events(ls, ""); /* nothing changed */
    tree_free(t);
    loans_free(ls);
}
END_TEST

/* Lender and borrower shrink at once; taking loans in order would keep 1. */
START_TEST(test_keeps_the_most)
{
    struct row rows[] = {{"R", TOP, 0, NO, NO, 0},
                         {"a", 0, 1, NO, NO, 0},
                         {"b", 0, 0, NO, NO, 0},
                         {"c", 0, 0, NO, NO, 1},
                         {"d", 0, 0, NO, NO, 0}};
    struct loans *ls = loans_new(names);
    settle_rows(ls, rows, 5, 1, false); /* c<-a 1 */
    rows[2].nominal = 1;
    rows[3].usage = 2;
    settle_rows(ls, rows, 5, 2, true); /* c<-b 1 */
    rows[1].nominal = 2;
    rows[4].usage = 1;
    settle_rows(ls, rows, 5, 3, true); /* d<-a 1 */
    assert_loans(ls, "c<-a 1, c<-b 1, d<-a 1");
    rows[1].nominal = 1;
    rows[3].usage = 1;
    settle_rows(ls, rows, 5, 4, true);
    assert_loans(ls, "c<-b 1, d<-a 1");
    loans_free(ls);
}
END_TEST

/* ---- other trees, other pairs --------------------------------------------------------------------------------------------- */

START_TEST(test_rebuild)
{
    struct row rows[] = {{"R", TOP, 2, NO, NO, 0}, {"a", 0, 3, NO, NO, 0}, {"b", 0, 0, NO, NO, 4}};
    struct row more[] = {{"R", TOP, 2, NO, NO, 0}, {"S", 0, 9, NO, NO, 0},  {"Zz", 1, 9, NO, NO, 0},
                         {"a", 0, 3, NO, NO, 0},   {"aa", 0, 9, NO, NO, 0}, {"b", 0, 0, NO, NO, 4}};
    struct row gone[] = {{"R", TOP, 2, NO, NO, 0}, {"b", 0, 0, NO, NO, 4}};
    struct loans *ls = loans_new(names);
    settle_rows(ls, rows, 3, 1, false);
    assert_events(ls, "b<-a 3 @borrowed, b<-R 1 @borrowed");
    settle_rows(ls, more, 6, 2, true);
    assert_events(ls, "");
    settle_rows(ls, gone, 2, 3, true);
    assert_events(ls, "b<-a 3 quotaChanged, b<-R 1 refinanced, b<-R 2 @borrowed, b<-overdraft 2 @refinanced");
    ck_assert_int_eq(loans_drop(ls, id("b"), 4, NULL), 0);
    assert_events(ls, "b<-R 2 returned, b<-overdraft 2 returned");
    ck_assert_uint_eq(loans_count(ls), 0);
    settle_rows(ls, gone, 2, 5, false);
    assert_loans(ls, "b<-R 2, b<-overdraft 2");
    loans_free(ls);
}
END_TEST

START_TEST(test_tree_forgets_pair)
{
    struct row rows[] = {{"R", TOP, 2, NO, NO, 0}, {"b", 0, 0, NO, NO, 4}};
    struct row other[] = {{"Q", TOP, 2, NO, NO, 0}, {"c", 0, 0, NO, NO, 1}};
    struct loans *ls = loans_new(names);
    struct loan_change c = {.now = 1};
    settle_rows(ls, rows, 2, 1, false);
    settle_rows(ls, other, 2, 1, false);
    loans_clear_events(ls);
    struct tree *t = build_fr(rows, 2, FR + 1);
    ck_assert_int_eq(loans_settle_tree(ls, t, &c, NULL), 0);
    tree_free(t);
    assert_events(ls, "b<-R 2 @borrowed, b<-overdraft 2 @borrowed, b<-R 2 returned, b<-overdraft 2 returned");
    assert_loans(ls, "c<-Q 1");
    loans_free(ls);
}
END_TEST

START_TEST(test_queries)
{
    struct row rows[] = {
        {"R", TOP, 2, NO, NO, 0}, {"a", 0, 3, NO, NO, 0}, {"b", 0, 0, NO, NO, 4}, {"c", 0, 0, NO, NO, 2}};
    struct loans *ls = loans_new(names);
    settle_rows(ls, rows, 4, 5, false);
    assert_loans(ls, "b<-a 3, b<-R 1, c<-R 1, c<-overdraft 1");
    const struct loan *l = loans_next(ls, FR, id("b"), NULL);
    ck_assert_int_eq(l->lender.kind, LOAN_CLUSTER_QUEUE);
    ck_assert_int_eq(l->amount, 3);
    ck_assert_int_eq(l->began, 5);
    l = loans_next(ls, FR, id("b"), l);
    ck_assert_int_eq(l->lender.kind, LOAN_COHORT);
    ck_assert_ptr_null(loans_next(ls, FR, id("b"), l));
    ck_assert_ptr_null(loans_next(ls, FR, id("a"), NULL));
    ck_assert_ptr_null(loans_next(ls, FR + 1, id("b"), NULL));
    struct loan_lender r = {LOAN_COHORT, id("R")};
    ck_assert_int_eq(loans_lent(ls, FR, r), 2);
    ck_assert_int_eq(loans_lent(ls, FR + 1, r), 0);
    const struct loan *const *list;
    uint32_t n;
    struct loan_filter f = {.fr = LOANS_ANY, .borrower = LOANS_ANY, .by_lender = true, .lender = r};
    ck_assert_int_eq(loans_list(ls, &f, &list, &n, NULL), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(list[1]->borrower, id("c"));
    f = (struct loan_filter){.fr = FR, .borrower = id("c"), .lenders_first = true};
    ck_assert_int_eq(loans_list(ls, &f, &list, &n, NULL), 0);
    ck_assert_uint_eq(n, 2);
    f.borrower = LOANS_ANY;
    ck_assert_int_eq(loans_list(ls, &f, &list, &n, NULL), 0);
    ck_assert_uint_eq(n, 4);
    ck_assert_int_eq(list[0]->lender.kind, LOAN_CLUSTER_QUEUE);
    ck_assert_uint_eq(list[1]->borrower, id("b"));
    ck_assert_int_eq(list[3]->lender.kind, LOAN_OVERDRAFT);
    loans_free(ls);
}
END_TEST

/* ---- memory and size ------------------------------------------------------------------------------------------------------ */

static const struct row oom_before[] = {{"R", TOP, 1, NO, NO, 0},
                                        {"a", 0, 3, NO, NO, 0},
                                        {"b", 0, 3, NO, NO, 0},
                                        {"c", 0, 0, NO, NO, 5},
                                        {"d", 0, 0, NO, NO, 1}};
static const struct row oom_after[] = {{"R", TOP, 1, NO, NO, 0},
                                       {"a", 0, 3, NO, NO, 3},
                                       {"b", 0, 3, NO, NO, 0},
                                       {"c", 0, 0, NO, NO, 4},
                                       {"d", 0, 0, NO, NO, 6}};

/* Each allocation of a settle fails once, from an empty set and from one with loans. */
static void fail_settles(bool from_empty)
{
    struct tree *before = build(oom_before, 5), *after = build(oom_after, 5);
    struct loan_change c = {.now = 2};
    uint64_t failures = 0;
    int64_t live = mem_live();
    for (uint64_t n = 1;; n++) {
        struct loans *ls = loans_new(names);
        if (!from_empty)
            settle(ls, before, 1, false);
        loans_clear_events(ls);
        struct err err = {0};
        mem_fail_after(n);
        int r = loans_settle(ls, after, FR, &c, &err);
        mem_fail_after(0);
        if (r) {
            failures++;
            ck_assert_int_eq(r, ERR_NOMEM);
            ck_assert_int_eq(err.code, ERR_NOMEM);
            assert_events(ls, "");
            assert_loans(ls, from_empty ? "" : "c<-a 3, c<-b 2, d<-R 1");
            settle(ls, after, 2, false);
        }
        assert_loans(ls, from_empty ? "c<-b 3, c<-R 1, d<-overdraft 6"
                                    : "c<-b 3, c<-overdraft 1, d<-R 1, d<-overdraft 5");
        loans_free(ls);
        ck_assert_int_eq(mem_live(), live);
        if (!r)
            break;
    }
    ck_assert_uint_gt(failures, from_empty ? 5 : 0);
    tree_free(before);
    tree_free(after);
}

START_TEST(test_out_of_memory)
{
    fail_settles(true);
    fail_settles(false);
    mem_fail_after(1);
    ck_assert_ptr_null(loans_new(names));
    mem_fail_after(0);
}
END_TEST

START_TEST(test_out_of_memory_elsewhere)
{
    struct loans *ls = loans_new(names);
    const struct loan *const *list;
    uint32_t n;
    settle_rows(ls, oom_before, 5, 1, false);
    struct loan_filter f = {.fr = FR, .borrower = LOANS_ANY};
    mem_fail_after(1);
    ck_assert_int_eq(loans_list(ls, &f, &list, &n, NULL), ERR_NOMEM);
    int r = 0;
    while (!r) /* until the events need to grow */
        r = loans_drop(ls, id("c"), 2, NULL) ? ERR_NOMEM : loans_count(ls) == 1;
    mem_fail_after(0);
    ck_assert_int_eq(loans_drop(ls, id("c"), 2, NULL), 0);
    assert_loans(ls, "d<-R 1");
    loans_free(ls);
}
END_TEST

#define MANY 1001

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* A thousand queues in one cohort, hundreds of which change at once. */
START_TEST(test_many_queues)
{
    static struct row rows[MANY];
    static char text[MANY][8];
    struct loans *ls = loans_new(names);
    rows[0] = (struct row){"R", TOP, 50, NO, NO, 0};
    seed = 42;
    for (uint32_t i = 1; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], "q%04u", i);
        rows[i] = (struct row){text[i], 0, 10, NO, rnd(4) ? NO : 5, (amount)rnd(20)};
    }
    struct tree *t = build(rows, MANY);
    uint64_t count = 0;
    for (when_ns now = 0; now < 300; now++) {
        for (uint32_t k = 0; k < (now % 10 ? 3 : 300); k++)
            tree_cell(t, 1 + rnd(MANY - 1), 0)->usage = (amount)rnd(20);
        tree_compute(t);
        settle(ls, t, now, false);
        loans_clear_events(ls);
    }
    amount need = 0, owed = loans_lent(ls, FR, (struct loan_lender){LOAN_OVERDRAFT, 0});
    for (uint32_t i = 1; i < MANY; i++) {
        amount sum = 0, over = amount_max(0, tree_cell(t, i, 0)->usage - 10);
        for (const struct loan *l = loans_next(ls, FR, t->nodes[i].name, NULL); l;
             l = loans_next(ls, FR, t->nodes[i].name, l))
            sum += l->amount;
        ck_assert_int_eq(sum, over);
        need += over;
    }
    ck_assert_int_eq(owed, amount_max(0, tree_cell(t, 0, 0)->usage - tree_cell(t, 0, 0)->quota));
    ck_assert_int_gt(need, 0);
    /* What has been seen once needs no memory the next time. */
    for (int round = 0; round < 2; round++) {
        count = mem_count();
        for (uint32_t k = 1; k < 4; k++) {
            tree_cell(t, k, 0)->usage = round ? 3 : 12;
            tree_compute(t);
            settle(ls, t, 1000 + round, false);
        }
        loans_clear_events(ls);
    }
    ck_assert_uint_eq(mem_count(), count);
    tree_free(t);
    loans_free(ls);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loans");
    TCase *tc = tcase_create("loans");
    tcase_set_timeout(tc, 100);
    names = names_new();
    tcase_add_loop_test(tc, test_fresh, 0, (int)(sizeof fresh_cases / sizeof *fresh_cases));
    tcase_add_loop_test(tc, test_step, 0, (int)(sizeof step_cases / sizeof *step_cases));
    tcase_add_test(tc, test_keeps_the_most);
    tcase_add_test(tc, test_rebuild);
    tcase_add_test(tc, test_tree_forgets_pair);
    tcase_add_test(tc, test_queries);
    tcase_add_test(tc, test_out_of_memory);
    tcase_add_test(tc, test_out_of_memory_elsewhere);
    tcase_add_test(tc, test_many_queues);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    names_free(names);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
