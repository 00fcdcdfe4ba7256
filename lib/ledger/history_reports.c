/* What each report reads, and how it groups it. */
#include "ledger/history_priv.h"

#include <string.h>

struct report {
    const char *all;  /* without a beginning: the table as it lies */
    const char *late; /* from ?1 on, by index */
    int (*row)(struct question *q, sqlite3_stmt *st);
};

/* Ids of names are small. */
static uint32_t id_at(sqlite3_stmt *st, int column)
{
    return (uint32_t)sqlite3_column_int64(st, column);
}

static bool wanted(int64_t filter, int64_t id)
{
    return !filter || filter == id;
}

static bool wanted_queue(const struct question *q, int64_t id)
{
    return wanted(q->queue, id) && (!q->f->cohort || sums_has_member(q, id));
}

/* Either party. */
static bool wanted_loan(const struct question *q, int64_t borrower, int64_t lender)
{
    return (!q->queue || q->queue == borrower || q->queue == lender) &&
           (!q->f->cohort || sums_has_member(q, borrower) || sums_has_member(q, lender));
}

/* ---- intervals ---------------------------------------------------------------------------------------------------------- */

#define LOAN_COLUMNS "flavor, resource, borrower, lender_kind, lender, amount, began_ns, "
#define OPEN_LOANS " UNION ALL SELECT " LOAN_COLUMNS "?2, 0 FROM open_loan WHERE began_ns <= ?2"
#define RECLAIMED "end_reason = (SELECT id FROM name WHERE text = 'reclaimed')"

/* What a reclaim took: the amount of the interval that it ended, less what the same lender lends on from that moment. That interval comes
 * later, for it ends later. */
static int take_back(struct question *q, const struct sum_key *key, struct sum *in, amount v, when_ns ended)
{
    struct sum_key any = *key;
    struct taken *t;

    any.period = 0;
    in->taken_back = amount_add(in->taken_back, v);
    HASH_FIND(hh, q->taken, &any, sizeof(any), t);
    if (!t) {
        t = mem_zalloc(1, sizeof(*t));
        if (!t)
            return ERR_NOMEM;
        t->key = any;
        HASH_ADD(hh, q->taken, key, sizeof(t->key), t);
        if (!t->hh.tbl) {
            mem_free(t);
            return ERR_NOMEM;
        }
    }
    t->in = in;
    t->ended = ended;
    return 0;
}

static void goes_on(struct question *q, const struct sum_key *key, amount v, when_ns began)
{
    struct sum_key any = *key;
    struct taken *t;

    any.period = 0;
    HASH_FIND(hh, q->taken, &any, sizeof(any), t);
    if (!t || t->ended != began)
        return;
    t->in->taken_back -= v < t->in->taken_back ? v : t->in->taken_back;
    t->ended = WHEN_NONE;
}

static int loan_row(struct question *q, sqlite3_stmt *st)
{
    struct sum_key key = {.flavor = id_at(st, 0),
                          .resource = id_at(st, 1),
                          .queue = id_at(st, 2),
                          .other_kind = id_at(st, 3),
                          .other = id_at(st, 4)};
    amount v = sqlite3_column_int64(st, 5);
    when_ns began = sqlite3_column_int64(st, 6), ended = sqlite3_column_int64(st, 7);
    struct sum *last;

    if (!wanted_loan(q, key.queue, key.other) || !wanted(q->flavor, key.flavor) ||
        !wanted(q->resource, key.resource))
        return 0;
    if (q->taken)
        goes_on(q, &key, v, began);
    int rc = sums_spread(q, &key, v, began, ended, &last);
    if (!rc && last && (ended < q->to || q->to != q->f->to) && sqlite3_column_int64(st, 8))
        rc = take_back(q, &key, last, v, ended);
    return rc;
}

#define USAGE_COLUMNS "cluster_queue, flavor, resource, amount, began_ns, "
#define OPEN_USAGE " UNION ALL SELECT " USAGE_COLUMNS "?2 FROM open_usage WHERE began_ns < ?2"

static int usage_row(struct question *q, sqlite3_stmt *st)
{
    struct sum_key key = {.queue = id_at(st, 0), .flavor = id_at(st, 1), .resource = id_at(st, 2)};
    struct sum *last;

    if (!wanted_queue(q, key.queue) || !wanted(q->flavor, key.flavor) || !wanted(q->resource, key.resource))
        return 0;
    return sums_spread(q, &key, sqlite3_column_int64(st, 3), sqlite3_column_int64(st, 4),
                       sqlite3_column_int64(st, 5), &last);
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

/* What was refused, or gave way to something newer before it was written, did not happen. */
#define HAPPENED                                                                                             \
    " NOT EXISTS (SELECT 1 FROM outcome o JOIN name n ON n.id = o.outcome WHERE o.decision = d.id AND "      \
    "n.text"                                                                                                 \
    " IN ('refused', 'superseded'))"
#define DECISIONS                                                                                            \
    "SELECT d.cluster_queue, w.text, d.at_ns, d.since_ns FROM decision d JOIN name w ON w.id = d.what "      \
    "WHERE " HAPPENED

static int find_decision(struct question *q, sqlite3_stmt *st, struct sum **ret)
{
    struct sum_key key = {.queue = id_at(st, 0)};
    when_ns at = sqlite3_column_int64(st, 2);

    *ret = NULL;
    if (!wanted_queue(q, key.queue))
        return 0;
    sums_period(q, at);
    key.period = q->begin;
    return sums_add(q, &key, ret);
}

static int admission_row(struct question *q, sqlite3_stmt *st)
{
    const char *what = (const char *)sqlite3_column_text(st, 1);
    bool admit = !strcmp(what, "admit"), evict = !strcmp(what, "evict"), finish = !strcmp(what, "finish");
    struct sum *s = NULL;
    int rc = admit || evict || finish ? find_decision(q, st, &s) : 0;

    if (rc || !s)
        return rc;
    s->count += admit;
    s->evicted += evict;
    s->finished += finish;
    return 0;
}

static int wait_row(struct question *q, sqlite3_stmt *st)
{
    struct sum *s = NULL;

    if (strcmp((const char *)sqlite3_column_text(st, 1), "admit") != 0 ||
        sqlite3_column_type(st, 3) == SQLITE_NULL)
        return 0;
    int rc = find_decision(q, st, &s);
    if (rc || !s)
        return rc;
    s->count++;
    int64_t ns = i64_sub(sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3));
    return sums_sample(s, ns > 0 ? ns : 0);
}

/* ---- preemptions -------------------------------------------------------------------------------------------------------- */

/* A row for each pair that was lost, or one without; the notice is how long the victim still held its quota. */
#define PREEMPTIONS                                                                                          \
    "SELECT p.victim_queue, p.preemptor_queue, p.rule, l.flavor, l.resource, l.amount_s, p.at_ns, (SELECT "  \
    "min(u.ended_ns) FROM usage u WHERE u.workload = p.victim AND u.began_ns <= p.at_ns AND u.ended_ns >= "  \
    "p.at_ns) FROM preemption p LEFT JOIN loss l ON l.decision = p.decision"

static int preemption_row(struct question *q, sqlite3_stmt *st)
{
    struct sum_key key = {.queue = id_at(st, 0),
                          .other = id_at(st, 1),
                          .rule = id_at(st, 2),
                          .flavor = id_at(st, 3),
                          .resource = id_at(st, 4)};
    when_ns at = sqlite3_column_int64(st, 6);
    struct sum *s;

    if (!(wanted_queue(q, key.queue) || wanted_queue(q, key.other)) || !wanted(q->flavor, key.flavor) ||
        !wanted(q->resource, key.resource))
        return 0;
    sums_period(q, at);
    key.period = q->begin;
    if (sums_add(q, &key, &s))
        return ERR_NOMEM;
    s->count++;
    s->sum += (wide)sqlite3_column_int64(st, 5) * NS_PER_S;
    if (sqlite3_column_type(st, 7) == SQLITE_NULL)
        return 0;
    return sums_sample(s, sqlite3_column_int64(st, 7) - at);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static const struct report reports[] = {
    [HISTORY_LOANS] = {"SELECT " LOAN_COLUMNS "ended_ns, " RECLAIMED
                       " FROM loan WHERE +ended_ns > ?1 AND began_ns < "
                       "?2" OPEN_LOANS,
                       "SELECT " LOAN_COLUMNS "ended_ns, " RECLAIMED
                       " FROM loan WHERE ended_ns > ?1 AND began_ns < "
                       "?2" OPEN_LOANS,
                       loan_row},
    [HISTORY_USAGE] = {"SELECT " USAGE_COLUMNS
                       "ended_ns FROM usage WHERE +ended_ns > ?1 AND began_ns < ?2" OPEN_USAGE,
                       "SELECT " USAGE_COLUMNS
                       "ended_ns FROM usage WHERE ended_ns > ?1 AND began_ns < ?2" OPEN_USAGE,
                       usage_row},
    [HISTORY_ADMISSIONS] = {DECISIONS " AND +d.at_ns >= ?1 AND +d.at_ns < ?2",
                            DECISIONS " AND d.at_ns >= ?1 AND d.at_ns < ?2", admission_row},
    [HISTORY_PREEMPTIONS] = {PREEMPTIONS " WHERE +p.at_ns >= ?1 AND +p.at_ns < ?2",
                             PREEMPTIONS " WHERE p.at_ns >= ?1 AND p.at_ns < ?2", preemption_row},
    [HISTORY_WAITS] = {DECISIONS " AND +d.at_ns >= ?1 AND +d.at_ns < ?2",
                       DECISIONS " AND d.at_ns >= ?1 AND d.at_ns < ?2", wait_row},
};

int reports_read(struct question *q, enum history_report report, struct err *err)
{
    const struct report *r = &reports[report];
    sqlite3_stmt *st = NULL;
    /* What was decided at the last moment that is known counts; an interval has no length there. */
    bool up_to_end = r->row != loan_row && r->row != usage_row && q->to != q->f->to;
    int code = SQLITE_DONE, rc = history_prepare(q->h, q->f->from == WHEN_NONE ? r->all : r->late, q->from,
                                                 i64_add(q->to, up_to_end), &st, err);

    while (!rc && (code = sqlite3_step(st)) == SQLITE_ROW)
        if (r->row(q, st))
            rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc && code != SQLITE_DONE)
        rc = history_fail(q->h, err);
    (void)sqlite3_finalize(st);
    return rc;
}
