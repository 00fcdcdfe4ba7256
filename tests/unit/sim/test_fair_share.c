/* Fair shares by hand, and the laws over random trees: nobody gets more than it asks for, nothing is made of nothing, everybody's own quota
 * is its own, and no quota stays idle that somebody lacks and may have. */
#include "sim/fair_share.h"

#include <check.h>

#define ALL AMOUNT_UNLIMITED

struct want {
    const char *what;
    uint32_t n;
    struct fair_node nodes[6]; /* `fair` of a queue is what is wanted */
};

#define ROOT(end_, own)                                                                                      \
    {                                                                                                        \
        .parent = FAIR_ROOT, .end = end_, .weight = 1, .quota = own, .borrowing = ALL, .lending = ALL        \
    }
#define QUEUE(at, up, w, q, borrow, lend, ask, get)                                                          \
    {                                                                                                        \
        .parent = up, .end = (at) + 1, .is_queue = true, .weight = w, .quota = q, .borrowing = borrow,       \
        .lending = lend, .asks = ask, .fair = get                                                            \
    }

static const struct want table[] = {
    {"alone: its quota at most", 1, {QUEUE(0, FAIR_ROOT, 1, 8, ALL, ALL, 12, 8)}},
    {"alone: what it asks for at most", 1, {QUEUE(0, FAIR_ROOT, 1, 8, ALL, ALL, 5, 5)}},
    {"idle quota goes to who asks",
     3,
     {ROOT(3, 0), QUEUE(1, 0, 1, 8, ALL, ALL, 2, 2), QUEUE(2, 0, 1, 8, ALL, ALL, 20, 14)}},
    {"to two of them alike",
     4,
     {ROOT(4, 0), QUEUE(1, 0, 1, 8, ALL, ALL, 0, 0), QUEUE(2, 0, 1, 8, ALL, ALL, 20, 12),
      QUEUE(3, 0, 1, 2, ALL, ALL, 20, 6)}},
    {"by weight",
     4,
     {ROOT(4, 0), QUEUE(1, 0, 1, 8, ALL, ALL, 0, 0), QUEUE(2, 0, 3, 8, ALL, ALL, 20, 14),
      QUEUE(3, 0, 1, 2, ALL, ALL, 20, 4)}},
    {"who needs less leaves the rest",
     4,
     {ROOT(4, 0), QUEUE(1, 0, 1, 8, ALL, ALL, 0, 0), QUEUE(2, 0, 3, 8, ALL, ALL, 9, 9),
      QUEUE(3, 0, 1, 2, ALL, ALL, 20, 9)}},
    {"weight 0 comes last",
     4,
     {ROOT(4, 0), QUEUE(1, 0, 1, 8, ALL, ALL, 0, 0), QUEUE(2, 0, 0, 0, ALL, ALL, 20, 3),
      QUEUE(3, 0, 1, 2, ALL, ALL, 7, 7)}},
    {"limits of borrowing and lending",
     4,
     {ROOT(4, 0), QUEUE(1, 0, 1, 8, ALL, 5, 0, 0), QUEUE(2, 0, 1, 8, 1, ALL, 20, 9),
      QUEUE(3, 0, 1, 2, ALL, ALL, 20, 6)}},
    {"a cohort's own quota", 2, {ROOT(2, 6), QUEUE(1, 0, 1, 8, ALL, ALL, 20, 14)}},
    {"within a cohort first",
     6,
     {ROOT(6, 0),
      {.parent = 0, .end = 4, .weight = 1, .borrowing = ALL, .lending = ALL},
      QUEUE(2, 1, 1, 4, ALL, ALL, 0, 0),
      QUEUE(3, 1, 1, 4, ALL, ALL, 20, 10),
      QUEUE(4, 0, 1, 4, ALL, ALL, 0, 0),
      QUEUE(5, 0, 1, 4, ALL, ALL, 20, 6)}},
};

START_TEST(test_table)
{
    const struct want *t = &table[_i];
    struct fair_node nodes[6];

    for (uint32_t i = 0; i < t->n; i++) {
        nodes[i] = t->nodes[i];
        nodes[i].fair = -1;
    }
    fair_shares(nodes, t->n);
    fair_shares(nodes, t->n); /* nothing is left from the time before */
    for (uint32_t i = 0; i < t->n; i++)
        if (nodes[i].is_queue)
            ck_assert_msg(nodes[i].fair == t->nodes[i].fair, "%s: node %u gets %lld", t->what, i,
                          (long long)nodes[i].fair);
}
END_TEST

static uint64_t dice;

static uint32_t roll(uint32_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (uint32_t)((dice >> 32) % n);
}

enum { NODES = 24 };

/* A root cohort, then cohorts of queues, each a range. */
static uint32_t make_tree(struct fair_node *x, bool limits)
{
    uint32_t n = 1;

    x[0] = (struct fair_node){
        .parent = FAIR_ROOT, .quota = roll(4), .weight = 1, .borrowing = ALL, .lending = ALL};
    while (n + 6 < NODES) {
        uint32_t cohort = n++;
        x[cohort] = (struct fair_node){.parent = 0, .weight = 1 + roll(3), .borrowing = ALL, .lending = ALL};
        for (uint32_t k = 1 + roll(4); k-- > 0; n++)
            x[n] = (struct fair_node){.parent = cohort,
                                      .end = n + 1,
                                      .is_queue = true,
                                      .weight = roll(4),
                                      .quota = roll(20),
                                      .borrowing = limits && roll(2) ? (amount)roll(10) : ALL,
                                      .lending = limits && roll(2) ? (amount)roll(10) : ALL,
                                      .asks = roll(40)};
        x[cohort].end = n;
    }
    x[0].end = n;
    return n;
}

START_TEST(test_laws)
{
    struct fair_node x[NODES] = {0};
    amount quota = 0, asked = 0, got = 0;
    bool limits = _i % 2;

    dice = (uint64_t)_i * 2654435761u + 12345;
    uint32_t n = make_tree(x, limits);
    fair_shares(x, n);
    for (uint32_t i = 0; i < n; i++) {
        quota += x[i].quota;
        if (!x[i].is_queue)
            continue;
        asked += x[i].asks;
        got += x[i].fair;
        ck_assert_int_le(x[i].fair, x[i].asks);
        ck_assert_int_ge(x[i].fair, amount_min(x[i].asks, x[i].quota));
        if (x[i].borrowing != ALL)
            ck_assert_int_le(x[i].fair, x[i].quota + x[i].borrowing);
    }
    ck_assert_int_le(got, quota);
    if (!limits) /* what is rounded down is less than one each */
        ck_assert_int_ge(got + n, amount_min(quota, asked));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fair_share");
    TCase *t = tcase_create("fair_share");

    tcase_add_loop_test(t, test_table, 0, sizeof(table) / sizeof(table[0]));
    tcase_add_loop_test(t, test_laws, 0, 200);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
