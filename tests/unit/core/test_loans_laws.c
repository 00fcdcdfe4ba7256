/* The laws of core/loans.h on random trees, after each of many steps, against plain enumeration: least cuts for what can be lent,
 * all assignments for what can be kept. */
#include "core/loans.h"

#include "loans_trees.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BIG INT64_C(1000000)
#define MAX 8

struct sample {
    struct row rows[MAX];
    uint32_t n;
    bool unlimited;
    struct tree *t;
    amount need[MAX], idle[MAX], up[MAX], down[MAX];
    amount x[MAX][MAX], was[MAX][MAX]; /* loans by node: borrower, lender (a cohort: its own quota) */
    amount owed[MAX];
};

static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static amount rnd_limit(void)
{
    return rnd(3) ? NO : (amount)rnd(4);
}

static void make_subtree(struct sample *s, uint32_t parent, uint32_t level)
{
    static const char *const cohort_names[MAX] = {"A", "B", "C", "D", "E", "F", "G", "H"};
    static const char *const queue_names[MAX] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    uint32_t me = s->n++;
    s->rows[me] =
        (struct row){cohort_names[me], parent, rnd(3) ? 0 : (amount)rnd(4), rnd_limit(), rnd_limit(), 0};
    for (uint32_t i = rnd(3); i > 0 && level < 3 && s->n < MAX - 2; i--)
        make_subtree(s, me, level + 1);
    for (uint32_t i = rnd(4); i > 0 && s->n < MAX; i--) {
        s->rows[s->n] =
            (struct row){queue_names[s->n], me, (amount)rnd(5), rnd_limit(), rnd_limit(), (amount)rnd(5)};
        s->n++;
    }
}

static void change_some(struct sample *s, bool *ret_quota)
{
    *ret_quota = rnd(3) == 0;
    for (uint32_t k = 1 + rnd(3); k > 0; k--) {
        struct row *r = &s->rows[rnd(s->n)];
        if (!is_cohort(r))
            r->usage = (amount)rnd(7);
        if (!*ret_quota)
            continue;
        r->nominal = s->unlimited && !rnd(4) ? UNL : (amount)rnd(5);
        r->borrowing = rnd_limit();
        r->lending = rnd_limit();
    }
}

static void describe(struct sample *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct row *r = &s->rows[i];
        const struct cell *c = tree_cell(s->t, i, 0);
        amount visible = amount_sub(c->quota, c->private_quota);
        s->up[i] = amount_min(BIG, amount_max(0, visible));
        s->down[i] = r->borrowing == NO ? BIG : r->borrowing;
        s->need[i] = is_cohort(r) || r->usage <= r->nominal ? 0 : r->usage - r->nominal;
        s->idle[i] =
            amount_min(BIG, is_cohort(r) ? r->nominal : amount_max(0, amount_sub(r->nominal, r->usage)));
        if (!is_cohort(r) && r->parent != TOP && r->lending != NO)
            s->idle[i] = amount_min(s->idle[i], r->nominal == UNL ? 0 : r->lending);
    }
}

/* The most that can be lent within a subtree: the least cut of its network. */
static amount most_inside(const struct sample *s, uint32_t root)
{
    uint32_t n = s->t->nodes[root].end - root;
    amount best = INT64_MAX;
    for (uint32_t w = 0; w < 1u << n; w++) {
        amount cut = 0;
        for (uint32_t k = 0; k < n; k++) {
            uint32_t v = root + k;
            bool in = w >> k & 1;
            cut += in ? s->need[v] : s->idle[v];
            if (v == root)
                continue;
            bool parent_in = w >> (s->rows[v].parent - root) & 1;
            if (in != parent_in)
                cut += in ? s->up[v] : s->down[v];
        }
        best = amount_min(best, cut);
    }
    return best;
}

static bool inside(const struct sample *s, uint32_t root, uint32_t v)
{
    return v >= root && v < s->t->nodes[root].end;
}

/* Law 3 and the limits on the way, for the loans in s->x. */
static bool laws_of_subtrees(const struct sample *s, const amount *most)
{
    for (uint32_t r = 0; r < s->n; r++) {
        amount in = 0, up = 0, down = 0;
        for (uint32_t b = 0; b < s->n; b++)
            for (uint32_t l = 0; l < s->n; l++) {
                bool bi = inside(s, r, b), li = inside(s, r, l);
                in += bi && li ? s->x[b][l] : 0;
                up += !bi && li ? s->x[b][l] : 0;
                down += bi && !li ? s->x[b][l] : 0;
            }
        if (in != most[r] || up - down > s->up[r] || down - up > s->down[r])
            return false;
    }
    return true;
}

static void read_loans(struct sample *s, struct loans *ls, amount *ret_unlimited)
{
    memset(s->x, 0, sizeof s->x);
    memset(s->owed, 0, sizeof s->owed);
    for (uint32_t b = 0; b < s->n; b++) {
        amount sum = 0, real = 0;
        for (const struct loan *l = loans_next(ls, FR, s->t->nodes[b].name, NULL);
             l && s->t->nodes[b].cq != TREE_NONE; l = loans_next(ls, FR, s->t->nodes[b].name, l)) {
            ck_assert_int_gt(l->amount, 0);
            sum += l->amount;
            if (l->lender.kind == LOAN_OVERDRAFT) {
                s->owed[b] += l->amount;
                continue;
            }
            real += l->amount;
            if (l->lender.kind == LOAN_UNLIMITED) {
                *ret_unlimited += l->amount;
                continue;
            }
            uint32_t v = 0;
            while (v < s->n && (s->t->nodes[v].name != l->lender.name ||
                                is_cohort(&s->rows[v]) != (l->lender.kind == LOAN_COHORT)))
                v++;
            ck_assert_uint_lt(v, s->n);
            s->x[b][v] += l->amount;
        }
        ck_assert_int_eq(sum, s->need[b]);                         /* law 1 */
        ck_assert(s->rows[b].parent == TOP || real <= s->down[b]); /* no queue borrows beyond its limit */
    }
}

/* All assignments that obey the laws; which keeps most of s->was? */
static amount best_kept(struct sample *s, const amount *most, uint32_t b, uint32_t l)
{
    if (b == s->n) {
        if (!laws_of_subtrees(s, most))
            return -1;
        amount kept = 0;
        for (uint32_t i = 0; i < s->n; i++)
            for (uint32_t k = 0; k < s->n; k++)
                kept += amount_min(s->x[i][k], s->was[i][k]);
        return kept;
    }
    if (l == s->n)
        return best_kept(s, most, b + 1, 0);
    amount need = s->need[b], idle = s->idle[l], best = -1;
    for (uint32_t i = 0; i < s->n; i++) {
        need -= i < l ? s->x[b][i] : 0;
        idle -= i < b ? s->x[i][l] : 0;
    }
    for (amount v = amount_min(need, idle); v >= 0; v--) {
        s->x[b][l] = v;
        best = amount_max(best, best_kept(s, most, b, l + 1));
    }
    s->x[b][l] = 0;
    return best;
}

static bool few_assignments(const struct sample *s)
{
    uint64_t n = 1;
    for (uint32_t b = 0; b < s->n; b++)
        for (uint32_t l = 0; l < s->n && n < 3000; l++)
            n *= (uint64_t)amount_min(s->need[b], s->idle[l]) + 1;
    return n < 3000;
}

static bool within_quotas(const struct sample *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (tree_available(s->t, i, 0) < 0)
            return false;
    return true;
}

static uint32_t sticky_checks, competing_checks;

static void check_laws(struct sample *s, struct loans *ls)
{
    amount unlimited = 0, covered = 0, owed = 0, need = 0, most[MAX];
    describe(s);
    read_loans(s, ls, &unlimited);
    for (uint32_t i = 0; i < s->n; i++) {
        amount lent = 0;
        for (uint32_t b = 0; b < s->n; b++)
            lent += s->x[b][i];
        ck_assert_int_le(lent, s->idle[i]); /* law 1 */
        covered += lent;
        owed += s->owed[i];
        need += s->need[i];
        most[i] = most_inside(s, i);
    }
    ck_assert_int_eq(covered + unlimited, most[0]); /* law 2 */
    ck_assert_int_eq(owed, need - most[0]);
    ck_assert(owed == 0 || !within_quotas(s));
    if (s->unlimited)
        return;
    ck_assert(laws_of_subtrees(s, most));
    if (!few_assignments(s))
        return;
    amount kept = 0, now[MAX][MAX], was = 0;
    memcpy(now, s->x, sizeof now);
    for (uint32_t b = 0; b < s->n; b++)
        for (uint32_t l = 0; l < s->n; l++) {
            kept += amount_min(s->x[b][l], s->was[b][l]);
            was += s->was[b][l];
        }
    memset(s->x, 0, sizeof s->x);
    ck_assert_int_eq(kept, best_kept(s, most, 0, 0));
    sticky_checks++;
    competing_checks += kept > 0 && kept < was;
    memcpy(s->x, now, sizeof now);
}

/* Replays the events on the open loans of before; what comes out must be those of now. */
struct mirror {
    struct loan open[MAX * MAX];
    uint32_t n;
};

static bool same_loan(const struct loan *a, const struct loan *b)
{
    return a->fr == b->fr && a->borrower == b->borrower && a->lender.kind == b->lender.kind &&
           a->lender.name == b->lender.name && a->amount == b->amount && a->began == b->began &&
           a->begin == b->begin;
}

static void check_events(struct mirror *m, struct loans *ls, const struct loan_change *c)
{
    uint32_t n;
    const struct loan_event *e = loans_events(ls, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (e[i].end == LOAN_OPEN) {
            ck_assert_int_eq(e[i].loan.began, c->now);
            ck_assert_uint_lt(m->n, MAX * MAX);
            m->open[m->n++] = e[i].loan;
            continue;
        }
        uint32_t k = 0;
        while (k < m->n && !same_loan(&m->open[k], &e[i].loan))
            k++;
        ck_assert_uint_lt(k, m->n);
        ck_assert_int_eq(e[i].ended, c->now);
        ck_assert(c->quota || e[i].end != LOAN_END_QUOTA);
        ck_assert(c->nreclaims || e[i].end != LOAN_END_RECLAIMED);
        m->open[k] = m->open[--m->n];
    }
    loans_clear_events(ls);
    ck_assert_uint_eq(m->n, loans_count(ls));
    for (uint32_t i = 0; i < m->n; i++) {
        const struct loan *l = loans_next(ls, FR, m->open[i].borrower, NULL);
        while (l && !same_loan(l, &m->open[i]))
            l = loans_next(ls, FR, m->open[i].borrower, l);
        ck_assert_ptr_nonnull(l);
    }
}

static void run_sample(uint32_t number)
{
    struct sample s = {.unlimited = number % 5 == 0};
    struct mirror m = {.n = 0};
    struct loans *ls = loans_new(names);
    struct loan_reclaim hints[2];
    struct loan_change c = {.now = 1, .reclaims = hints};
    seed = number * 2654435761u;
    make_subtree(&s, TOP, 0);
    for (; c.now <= 8; c.now++) {
        s.t = build(s.rows, s.n);
        for (c.nreclaims = 0; c.nreclaims < rnd(3); c.nreclaims++)
            hints[c.nreclaims] = (struct loan_reclaim){s.t->nodes[rnd(s.n)].name, s.t->nodes[rnd(s.n)].name};
        ck_assert_int_eq(loans_settle(ls, s.t, FR, &c, NULL), 0);
        check_laws(&s, ls);
        check_events(&m, ls, &c);
        memcpy(s.was, s.x, sizeof s.was);
        ck_assert_int_eq(loans_settle(ls, s.t, FR, &c, NULL), 0);
        uint32_t n;
        loans_events(ls, &n);
        ck_assert_uint_eq(n, 0);
        tree_free(s.t);
        change_some(&s, &c.quota);
    }
    loans_free(ls);
}

START_TEST(test_random)
{
    sticky_checks = competing_checks = 0;
    for (uint32_t i = 1; i <= 3000; i++)
        run_sample(i);
    /* The samples must reach what they are for. */
    ck_assert_uint_gt(sticky_checks, 5000);
    ck_assert_uint_gt(competing_checks, 500);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loans laws");
    TCase *tc = tcase_create("random");
    tcase_set_timeout(tc, 100);
    names = names_new();
    tcase_add_test(tc, test_random);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    names_free(names);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
