/* Groups and their sums. */
#include "ledger/history_priv.h"

#include <stdlib.h>
#include <string.h>

void sums_period(struct question *q, when_ns t)
{
    if (q->begin != q->next && t >= q->begin && t < q->next)
        return;
    q->begin = period_begin(q->f->by, t);
    q->next = period_next(q->f->by, q->begin);
}

int sums_add(struct question *q, const struct sum_key *key, struct sum **ret)
{
    struct sum *s;

    HASH_FIND(hh, q->sums, key, sizeof(*key), s);
    if (!s) {
        s = mem_zalloc(1, sizeof(*s));
        if (!s)
            return ERR_NOMEM;
        s->key = *key;
        HASH_ADD(hh, q->sums, key, sizeof(s->key), s);
        if (!s->hh.tbl) {
            mem_free(s);
            return ERR_NOMEM;
        }
    }
    *ret = s;
    return 0;
}

int sums_sample(struct sum *s, int64_t ns)
{
    if (mem_grow((void **)&s->samples, &s->cap, s->nsamples + 1, sizeof(*s->samples)))
        return ERR_NOMEM;
    s->samples[s->nsamples++] = ns;
    return 0;
}

int sums_spread(struct question *q, struct sum_key *key, amount v, when_ns began, when_ns ended,
                struct sum **ret_last)
{
    when_ns t = began < q->from ? q->from : began, end = ended > q->to ? q->to : ended;

    *ret_last = NULL;
    while (t < end) {
        sums_period(q, t);
        when_ns until = end < q->next ? end : q->next;
        key->period = q->begin;
        if (sums_add(q, key, ret_last))
            return ERR_NOMEM;
        (*ret_last)->sum += (wide)v * (until - t);
        (*ret_last)->count++;
        t = until;
    }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

bool sums_has_member(const struct question *q, int64_t name)
{
    return q->nmembers && bsearch(&name, q->members, q->nmembers, sizeof(name), compare_ids);
}

void sums_free(struct question *q)
{
    struct sum *s, *next;

    HASH_ITER (hh, q->sums, s, next) {
        HASH_DEL(q->sums, s);
        mem_free(s->samples);
        mem_free(s);
    }
    struct taken *t, *after;
    HASH_ITER (hh, q->taken, t, after) {
        HASH_DEL(q->taken, t);
        mem_free(t);
    }
    mem_free(q->members);
    q->members = NULL;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* Texts of names, by id, kept with the rows. */
static int text_of(struct history *h, int64_t id, const char **ret, struct err *err)
{
    sqlite3_stmt *st = NULL;

    *ret = "";
    if (!id)
        return 0;
    if (id < h->ntexts && h->texts[id]) {
        *ret = h->texts[id];
        return 0;
    }
    int rc = history_prepare(h, "SELECT text FROM name WHERE id = ?1", id, 0, &st, err);
    if (!rc && id >= INT32_MAX)
        rc = err_set(err, ERR_LIMIT, "%s: too many names", h->path);
    if (!rc && mem_grow((void **)&h->texts, &h->cap_texts, (uint32_t)id + 1, sizeof(*h->texts)))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    for (; !rc && h->ntexts <= id; h->ntexts++)
        h->texts[h->ntexts] = NULL;
    if (!rc && sqlite3_step(st) == SQLITE_ROW) {
        h->texts[id] = mem_strdup((const char *)sqlite3_column_text(st, 0));
        if (!h->texts[id])
            rc = err_set(err, ERR_NOMEM, "out of memory");
        *ret = h->texts[id];
    }
    (void)sqlite3_finalize(st);
    return rc;
}

static void describe(struct sum *s, struct history_row *row)
{
    wide total = 0;
    uint32_t n = s->nsamples;

    if (!n)
        return;
    qsort(s->samples, n, sizeof(*s->samples), compare_ids);
    for (uint32_t i = 0; i < n; i++)
        total += s->samples[i];
    row->mean_ns = (int64_t)(total / n);
    row->median_ns = s->samples[(n - 1) / 2];
    row->p90_ns = s->samples[(uint32_t)((uint64_t)(n - 1) * 9 / 10)];
    row->max_ns = s->samples[n - 1];
}

static int make_row(struct question *q, struct sum *s, struct history_row *row, struct err *err)
{
    const struct {
        int64_t id;
        const char **text;
    } texts[] = {{s->key.queue, &row->queue},       {s->key.other_kind, &row->other_kind},
                 {s->key.other, &row->other},       {s->key.flavor, &row->flavor},
                 {s->key.resource, &row->resource}, {s->key.rule, &row->rule}};
    when_ns next = period_next(q->f->by, s->key.period);

    *row = (struct history_row){.from = s->key.period < q->from ? q->from : s->key.period,
                                .to = next > q->to ? q->to : next,
                                .sum = s->sum,
                                .count = s->count,
                                .evicted = s->evicted,
                                .finished = s->finished,
                                .taken_back = s->taken_back};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int rc = text_of(q->h, texts[i].id, texts[i].text, err);
        if (rc)
            return rc;
    }
    describe(s, row);
    return 0;
}

static int compare_rows(const void *a, const void *b)
{
    const struct history_row *x = a, *y = b;
    const char *const pairs[][2] = {
        {x->resource, y->resource}, {x->queue, y->queue}, {x->other_kind, y->other_kind},
        {x->other, y->other},       {x->rule, y->rule},   {x->flavor, y->flavor}};

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int c = strcmp(pairs[i][0], pairs[i][1]);
        if (c)
            return c;
    }
    return 0;
}

int sums_rows(struct question *q, struct err *err)
{
    struct history *h = q->h;
    struct sum *s, *next;
    int rc = 0;

    mem_free(h->rows);
    h->nrows = 0;
    h->rows = mem_zalloc(HASH_COUNT(q->sums) + 1, sizeof(*h->rows));
    if (!h->rows)
        return err_set(err, ERR_NOMEM, "out of memory");
    HASH_ITER (hh, q->sums, s, next) {
        if (!rc)
            rc = make_row(q, s, &h->rows[h->nrows], err);
        h->nrows++;
    }
    if (!rc)
        qsort(h->rows, h->nrows, sizeof(*h->rows), compare_rows);
    return rc;
}
