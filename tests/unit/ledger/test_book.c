/* The book: which rows follow from what happens, and what a restart makes of it. */
#include "../core/build.h"

#include "base/mem.h"
#include "core/loans.h"
#include "ledger/book.h"
#include "ledger/receipt.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world *w;
static struct book *b;
static struct rows rows;

static void setup(void)
{
    w = build_world();
    build_cohort(w, "all", "", "");
    build_cq(w, "a", "all", "cpu: f 4");
    build_cq(w, "b", "all", "cpu: f 4+8-2");
    ck_assert_int_eq(world_settle(w, NULL), 0);
    b = book_new(w);
    rows_init(&rows);
}

static void teardown(void)
{
    book_free(b);
    world_free(w);
    rows_free(&rows);
}

/* ---- rows as text -------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"decision", "outcome", "preemption", "loss",   "quota",
                                    "node",     "gap",     "usage",      "loan",   "+usage",
                                    "-usage",   "+loan",   "-loan",      "0usage", "0loan"};

static void add_cell(char *text, size_t cap, const struct row_cell *c)
{
    size_t at = strlen(text);

    if (c->kind == CELL_NULL)
        (void)snprintf(text + at, cap - at, " -");
    else if (c->kind == CELL_REAL)
        (void)snprintf(text + at, cap - at, " %g", c->real);
    else if (c->kind != CELL_INT)
        (void)snprintf(text + at, cap - at, " %s", rows_text(&rows, c->text));
    else if (c->i >= AT(0))
        (void)snprintf(text + at, cap - at, " @%lld", (long long)((c->i - AT(0)) / NS_PER_S));
    else
        (void)snprintf(text + at, cap - at, " %lld", (long long)c->i);
}

/* All rows since the last call, parted by "; "; times as seconds after AT(0). */
static const char *told(void)
{
    static char text[8000];

    text[0] = '\0';
    ck_assert(!rows_failed(&rows));
    for (uint32_t i = 0; i < rows.n; i++) {
        size_t at = strlen(text);
        (void)snprintf(text + at, sizeof(text) - at, "%s%s", i ? "; " : "", kinds[rows.at[i].kind]);
        for (uint32_t k = 0; k < rows.at[i].ncells; k++)
            add_cell(text, sizeof(text), &rows.cells[rows.at[i].first + k]);
    }
    rows_clear(&rows);
    return text;
}

static void hold(const struct wl *wl, int at, int now)
{
    ck_assert_int_eq(book_hold(b, wl, AT(at), AT(now), &rows, NULL), 0);
}

/* ---- usage -------------------------------------------------------------------------------------------------------------- */

START_TEST(usage_opens_and_closes)
{
    struct wl *wl = build_job(w, "x", "a", "one: 2>0 cpu=1; two: cpu=500m", .held = "f", .since = 10);

    hold(wl, 10, 12);
    ck_assert_str_eq(told(), "+usage x a f cpu 2500 @10 0");
    ck_assert(book_holds(b, "x"));
    ck_assert_int_eq(book_open_usages(b), 1);
    hold(wl, 10, 20); /* as before */
    ck_assert_str_eq(told(), "");
    book_let_go(b, "x", AT(30), "finished", &rows);
    ck_assert_str_eq(told(), "-usage x f cpu; usage x a f cpu 2500 @10 0 @30 finished");
    ck_assert(!book_holds(b, "x"));
    book_let_go(b, "x", AT(31), "finished", &rows); /* nothing is known of it */
    ck_assert_str_eq(told(), "");
    ck_assert_int_eq(book_open_usages(b), 0);
}
END_TEST

START_TEST(no_length_no_row)
{
    struct wl *wl = build_job(w, "x", "a", "cpu=1", .held = "f", .since = 10);

    hold(wl, 10, 10);
    (void)told();
    book_let_go(b, "x", AT(9), "evicted", &rows); /* clocks of others may be slow */
    ck_assert_str_eq(told(), "-usage x f cpu");
}
END_TEST

START_TEST(given_back_pods_make_another_interval)
{
    struct wl *wl = build_job(w, "x", "a", "4>0 cpu=1", .held = "f", .since = 10);

    hold(wl, 10, 10);
    (void)told();
    wl = build_job(w, "x", "a", "4>0 cpu=1", .held = "f", .since = 10, .reclaimed = 3);
    hold(wl, 10, 50);
    ck_assert_str_eq(told(),
                     "-usage x f cpu; usage x a f cpu 4000 @10 0 @50 resized; +usage x a f cpu 1000 @50 0");
    hold(wl, 10, 60);
    ck_assert_str_eq(told(), "");
    wl =
        build_job(w, "x", "a", "4>0 cpu=1", .held = "f", .since = 70); /* the release in between was missed */
    hold(wl, 70, 71);
    ck_assert_str_eq(told(),
                     "-usage x f cpu; usage x a f cpu 1000 @50 0 @70 released; +usage x a f cpu 4000 @70 0");
}
END_TEST

/* ---- restarts ------------------------------------------------------------------------------------------------------------ */

static void recall(const char *name, const char *queue, amount v, int began)
{
    const struct row_usage u = {{name, "ns", name, queue}, queue, "f", "cpu", v, AT(began), false};

    ck_assert_int_eq(book_recall_usage(b, &u), 0);
}

START_TEST(a_restart_goes_on_with_what_is_the_same)
{
    struct wl *x = build_job(w, "x", "a", "cpu=2", .held = "f", .since = 10);
    struct wl *y = build_job(w, "y", "a", "cpu=1", .held = "f", .since = 40);
    struct wl *z = build_job(w, "z", "b", "cpu=1", .held = "f", .since = 20);

    recall("x", "a", 2000, 10);
    recall("y", "a", 1000, 10); /* has been reserved anew */
    recall("z", "b", 3000, 20); /* holds less now */
    recall("gone", "b", 1000, 5);
    recall("over", "b", 1000, 6);
    hold(x, 10, 100);
    ck_assert_str_eq(told(), "");
    hold(y, 40, 100);
    ck_assert_str_eq(told(),
                     "-usage y f cpu; usage y a f cpu 1000 @10 1 @40 released; +usage y a f cpu 1000 @40 0");
    hold(z, 20, 100);
    ck_assert_str_eq(told(),
                     "-usage z f cpu; usage z b f cpu 3000 @20 1 @100 resized; +usage z b f cpu 1000 @100 0");
    book_let_go(b, "over", AT(50), "finished", &rows); /* its object says when */
    ck_assert_str_eq(told(), "-usage over f cpu; usage over b f cpu 1000 @6 0 @50 finished");
    book_started(b, AT(101), &rows);
    ck_assert_str_eq(told(), "-usage gone f cpu; usage gone b f cpu 1000 @5 1 @101 unknown");
    book_started(b, AT(102), &rows);
    ck_assert_str_eq(told(), "");
}
END_TEST

START_TEST(lost_rows_are_made_up_for)
{
    hold(build_job(w, "x", "a", "cpu=2", .held = "f", .since = 10), 10, 10);
    (void)told();
    book_restate(b, &rows);
    ck_assert_str_eq(told(), "0usage; 0loan; +usage x a f cpu 2000 @10 0");
}
END_TEST

/* ---- loans --------------------------------------------------------------------------------------------------------------- */

static struct loan_event event(amount v, int began, int ended, enum loan_end end)
{
    struct names *names = world_names(w);

    return (struct loan_event){.loan = {.fr = world_find_pair(w, "f", "cpu"),
                                        .borrower = names_find(names, "b"),
                                        .lender = {LOAN_CLUSTER_QUEUE, names_find(names, "a")},
                                        .amount = v,
                                        .began = AT(began),
                                        .begin = LOAN_BEGIN_BORROWED},
                               .ended = end == LOAN_OPEN ? WHEN_NONE : AT(ended),
                               .end = end};
}

static const char *loans(const struct loan_event *e, uint32_t n)
{
    ck_assert_int_eq(book_loans(b, e, n, &rows, NULL), 0);
    return told();
}

START_TEST(loans_open_and_close)
{
    const struct loan_event one = event(1000, 10, 0, LOAN_OPEN), end = event(1000, 10, 30, LOAN_END_RETURNED);
    const struct loan_event grows[] = {event(1000, 10, 20, LOAN_END_REFINANCED),
                                       event(3000, 20, 0, LOAN_OPEN)};

    ck_assert_str_eq(loans(&one, 1), "+loan f cpu b ClusterQueue a 1000 @10 borrowed 0");
    ck_assert_int_eq(book_open_loans(b), 1);
    ck_assert_str_eq(loans(grows, 2),
                     "-loan f cpu b ClusterQueue a; loan f cpu b ClusterQueue a 1000 @10 borrowed 0 @20 "
                     "refinanced; +loan f cpu b ClusterQueue a 3000 @20 borrowed 0");
    ck_assert_str_eq(loans(&end, 1),
                     "-loan f cpu b ClusterQueue a; loan f cpu b ClusterQueue a 3000 @20 borrowed 0 @30 "
                     "returned");
    ck_assert_str_eq(loans(&end, 1), ""); /* nothing is known of it */
    ck_assert_int_eq(book_open_loans(b), 0);
}
END_TEST

START_TEST(loans_go_on_after_a_restart)
{
    const struct row_loan same = {"f", "cpu", "b", "ClusterQueue", "a", 1000, AT(5), "refinanced", false};
    const struct row_loan gone = {"f", "cpu", "b", "overdraft", "", 500, AT(6), "borrowed", false};
    const struct loan_event again = event(1000, 100, 0, LOAN_OPEN),
                            end = event(1000, 100, 130, LOAN_END_RECLAIMED);

    ck_assert_int_eq(book_recall_loan(b, &same), 0);
    ck_assert_int_eq(book_recall_loan(b, &gone), 0);
    ck_assert_str_eq(loans(&again, 1), "");
    book_started(b, AT(101), &rows);
    ck_assert_str_eq(told(),
                     "-loan f cpu b overdraft ; loan f cpu b overdraft  500 @6 borrowed 1 @101 unknown");
    book_restate(b, &rows);
    ck_assert_str_eq(told(), "0usage; 0loan; +loan f cpu b ClusterQueue a 1000 @5 refinanced 0");
    ck_assert_str_eq(loans(&end, 1),
                     "-loan f cpu b ClusterQueue a; loan f cpu b ClusterQueue a 1000 @5 refinanced 0 @130 "
                     "reclaimed");
}
END_TEST

START_TEST(loans_that_differ_after_a_restart_end)
{
    const struct row_loan other = {"f", "cpu", "b", "ClusterQueue", "a", 700, AT(5), "borrowed", false};
    const struct loan_event now = event(1000, 100, 0, LOAN_OPEN);

    ck_assert_int_eq(book_recall_loan(b, &other), 0);
    ck_assert_str_eq(loans(&now, 1),
                     "-loan f cpu b ClusterQueue a; loan f cpu b ClusterQueue a 700 @5 borrowed 1 @100 "
                     "refinanced; +loan f cpu b ClusterQueue a 1000 @100 borrowed 0");
}
END_TEST

/* ---- quotas -------------------------------------------------------------------------------------------------------------- */

static const char *quotas(int now)
{
    ck_assert_int_eq(world_settle(w, NULL), 0);
    ck_assert_int_eq(book_quotas(b, AT(now), &rows, NULL), 0);
    return told();
}

static const char first_quotas[] =
    "node @1 Cohort all  1; node @1 ClusterQueue a all 1; quota @1 ClusterQueue a f cpu 4000 - -; "
    "node @1 ClusterQueue b all 1; quota @1 ClusterQueue b f cpu 4000 8000 2000";

START_TEST(quotas_are_told_when_they_change)
{
    ck_assert_str_eq(quotas(1), first_quotas);
    ck_assert_str_eq(quotas(2), "");
    build_cq(w, "b", "all", "cpu: f 5-2");
    ck_assert_str_eq(quotas(3), "quota @3 ClusterQueue b f cpu 5000 - 2000");
    build_cq(w, "b", "", "cpu: f 5");
    ck_assert_str_eq(quotas(4), "node @4 ClusterQueue b  1; quota @4 ClusterQueue b f cpu 5000 - -");
    world_del_cluster_queue(w, "b");
    ck_assert_str_eq(quotas(5), "node @5 ClusterQueue b  0; quota @5 ClusterQueue b f cpu - - -");
    book_restate(b, &rows);
    (void)told();
    ck_assert_str_eq(
        quotas(6),
        "node @6 Cohort all  1; node @6 ClusterQueue a all 1; quota @6 ClusterQueue a f cpu 4000 - -");
}
END_TEST

START_TEST(quotas_are_recalled)
{
    const amount four = 4000, eight = 8000, two = 2000;

    ck_assert_int_eq(book_recall_node(b, "Cohort", "all", ""), 0);
    ck_assert_int_eq(book_recall_node(b, "ClusterQueue", "a", "all"), 0);
    ck_assert_int_eq(book_recall_node(b, "ClusterQueue", "b", "all"), 0);
    ck_assert_int_eq(
        book_recall_quota(b, &(struct row_quota){AT(0), "ClusterQueue", "a", "f", "cpu", &four, NULL, NULL}),
        0);
    ck_assert_int_eq(book_recall_quota(
                         b, &(struct row_quota){AT(0), "ClusterQueue", "b", "f", "cpu", &four, &eight, &two}),
                     0);
    ck_assert_str_eq(quotas(1), "");
}
END_TEST

/* ---- receipts ------------------------------------------------------------------------------------------------------------ */

START_TEST(receipts)
{
    build_cq(w, "a", "all", "cpu: f 4", .preemption = {.reclaim_within_cohort = POLICY_ANY});
    struct wl *wl = build_job(w, "victim", "b", "cpu=8", .held = "f", .since = 100);
    build_job(w, "taker", "a", "cpu=4");
    ck_assert_str_eq(build_cycle(w), "taker preempting cpu=f -victim(InCohortReclamation)");
    amount before = tree_cell(world_tree(w, 0), 0, 0)->usage;

    receipt_add(&rows, 9, w, build_last(), 0, NOW);
    ck_assert_str_eq(
        told(),
        "preemption 9 @1000 victim b taker a InCohortReclamation 666.667 0 0 0; loss 9 f cpu 7200000");
    ck_assert_int_eq(tree_cell(world_tree(w, 0), 0, 0)->usage, before);
    ck_assert(wl->marks.reserved);
    ck_assert_int_eq(receipt_work(8000, 900 * NS_PER_S), 7200000);
    ck_assert_int_eq(receipt_work(INT64_MAX, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(receipt_work(5, -7), 0);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

static int life(const struct wl *wl)
{
    const struct loan_event one = event(1000, 10, 0, LOAN_OPEN);
    struct book *mine = book_new(w);
    int rc = mine ? book_hold(mine, wl, AT(10), AT(10), &rows, NULL) : ERR_NOMEM;

    if (!rc)
        rc = book_loans(mine, &one, 1, &rows, NULL);
    if (!rc)
        rc = book_quotas(mine, AT(1), &rows, NULL);
    book_free(mine);
    return rc ? rc : rows_failed(&rows) ? ERR_NOMEM : 0;
}

START_TEST(memory_that_fails)
{
    struct wl *wl = build_job(w, "x", "a", "cpu=2", .held = "f", .since = 10);
    int64_t blocks = mem_live();
    int rc = ERR_NOMEM;

    for (uint64_t n = 1; rc && n < 300; n++) {
        rows_free(&rows);
        rows_init(&rows);
        mem_fail_after(n);
        rc = life(wl);
        mem_fail_after(0);
        ck_assert(rc == 0 || rc == ERR_NOMEM);
    }
    ck_assert_int_eq(rc, 0);
    rows_free(&rows);
    ck_assert_int_eq(mem_live(), blocks);
    rows_init(&rows);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("book");
    TCase *t = tcase_create("book");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, usage_opens_and_closes);
    tcase_add_test(t, no_length_no_row);
    tcase_add_test(t, given_back_pods_make_another_interval);
    tcase_add_test(t, a_restart_goes_on_with_what_is_the_same);
    tcase_add_test(t, lost_rows_are_made_up_for);
    tcase_add_test(t, loans_open_and_close);
    tcase_add_test(t, loans_go_on_after_a_restart);
    tcase_add_test(t, loans_that_differ_after_a_restart_end);
    tcase_add_test(t, quotas_are_told_when_they_change);
    tcase_add_test(t, quotas_are_recalled);
    tcase_add_test(t, receipts);
    tcase_add_test(t, memory_that_fails);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
