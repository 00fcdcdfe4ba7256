#include "ledger/rows.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

void rows_init(struct rows *r)
{
    *r = (struct rows){0};
    str_init(&r->texts, ROWS_TEXT_MAX);
}

void rows_free(struct rows *r)
{
    mem_free(r->at);
    mem_free(r->cells);
    str_free(&r->texts);
    *r = (struct rows){.texts = r->texts};
}

void rows_clear(struct rows *r)
{
    r->n = r->ncells = 0;
    r->failed = false;
    str_clear(&r->texts);
}

bool rows_failed(const struct rows *r)
{
    return r->failed || str_failed(&r->texts);
}

const char *rows_text(const struct rows *r, size_t at)
{
    return str_text(&r->texts) + at;
}

/* ---- cells -------------------------------------------------------------------------------------------------------------- */

static void begin(struct rows *r, enum row_kind kind)
{
    if (rows_failed(r) || mem_grow((void **)&r->at, &r->cap, r->n + 1, sizeof(*r->at))) {
        r->failed = true;
        return;
    }
    r->at[r->n++] = (struct row){.kind = (uint8_t)kind, .first = r->ncells};
}

static void put(struct rows *r, struct row_cell c)
{
    if (rows_failed(r) || mem_grow((void **)&r->cells, &r->cap_cells, r->ncells + 1, sizeof(*r->cells))) {
        r->failed = true;
        return;
    }
    r->cells[r->ncells++] = c;
    r->at[r->n - 1].ncells++;
}

static void put_int(struct rows *r, int64_t v)
{
    put(r, (struct row_cell){.kind = CELL_INT, .i = v});
}

static void put_time(struct rows *r, when_ns t)
{
    put(r, (struct row_cell){.kind = t == WHEN_NONE ? CELL_NULL : CELL_INT, .i = t});
}

static void put_amount(struct rows *r, const amount *v)
{
    put(r, v ? (struct row_cell){.kind = CELL_INT, .i = *v} : (struct row_cell){.kind = CELL_NULL});
}

static void put_real(struct rows *r, double v)
{
    put(r, (struct row_cell){.kind = isnan(v) ? CELL_NULL : CELL_REAL, .real = v});
}

static size_t add_text(struct rows *r, const char *text, size_t max)
{
    size_t at = r->texts.len;

    str_addn(&r->texts, text, strnlen(text, max));
    str_addn(&r->texts, "", 1);
    return at;
}

static void put_text(struct rows *r, enum cell_kind kind, const char *text, size_t max)
{
    size_t at = add_text(r, text, max);

    put(r, (struct row_cell){.kind = kind, .text = at});
}

static void put_name(struct rows *r, const char *text)
{
    put_text(r, CELL_NAME, text, ROW_MESSAGE_MAX);
}

static void put_workload(struct rows *r, const struct row_workload *w)
{
    size_t at = add_text(r, w->uid, ROW_MESSAGE_MAX);

    (void)add_text(r, w->ns, ROW_MESSAGE_MAX);
    (void)add_text(r, w->name, ROW_MESSAGE_MAX);
    (void)add_text(r, w->queue, ROW_MESSAGE_MAX);
    put(r, (struct row_cell){.kind = CELL_WORKLOAD, .text = at});
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* A message is cut between characters of UTF-8. */
static void put_message(struct rows *r, const char *text)
{
    size_t n = strnlen(text, ROW_MESSAGE_MAX);

    if (n == ROW_MESSAGE_MAX)
        while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    if (n)
        put_text(r, CELL_TEXT, text, n);
    else
        put(r, (struct row_cell){.kind = CELL_NULL});
}

void rows_decision(struct rows *r, const struct row_decision *d)
{
    begin(r, ROW_DECISION);
    put_int(r, (int64_t)d->id);
    put_int(r, d->at);
    put_workload(r, &d->workload);
    put_name(r, d->what);
    put_name(r, d->cluster_queue);
    put_name(r, d->reason);
    put_message(r, d->message);
    put_time(r, d->since);
}

void rows_outcome(struct rows *r, uint64_t decision, when_ns at, const char *outcome)
{
    begin(r, ROW_OUTCOME);
    put_int(r, (int64_t)decision);
    put_int(r, at);
    put_name(r, outcome);
}

void rows_preemption(struct rows *r, const struct row_preemption *p)
{
    begin(r, ROW_PREEMPTION);
    put_int(r, (int64_t)p->decision);
    put_int(r, p->at);
    put_workload(r, &p->victim);
    put_name(r, p->victim_queue);
    put_workload(r, &p->preemptor);
    put_name(r, p->preemptor_queue);
    put_name(r, p->rule);
    put_real(r, p->victim_before);
    put_real(r, p->victim_after);
    put_real(r, p->preemptor_before);
    put_real(r, p->preemptor_after);
}

void rows_loss(struct rows *r, uint64_t decision, const char *flavor, const char *resource, int64_t amount_s)
{
    begin(r, ROW_LOSS);
    put_int(r, (int64_t)decision);
    put_name(r, flavor);
    put_name(r, resource);
    put_int(r, amount_s);
}

void rows_quota(struct rows *r, const struct row_quota *q)
{
    begin(r, ROW_QUOTA);
    put_int(r, q->at);
    put_name(r, q->kind);
    put_name(r, q->node);
    put_name(r, q->flavor);
    put_name(r, q->resource);
    put_amount(r, q->nominal);
    put_amount(r, q->borrowing);
    put_amount(r, q->lending);
}

void rows_node(struct rows *r, when_ns at, const char *kind, const char *node, const char *parent, bool there)
{
    begin(r, ROW_NODE);
    put_int(r, at);
    put_name(r, kind);
    put_name(r, node);
    put_name(r, parent);
    put_int(r, there);
}

void rows_gap(struct rows *r, when_ns began, when_ns ended, const char *reason, uint64_t lost)
{
    begin(r, ROW_GAP);
    put_time(r, began);
    put_int(r, ended);
    put_name(r, reason);
    put_int(r, (int64_t)lost);
}

static void put_usage(struct rows *r, const struct row_usage *u)
{
    put_workload(r, &u->workload);
    put_name(r, u->cluster_queue);
    put_name(r, u->flavor);
    put_name(r, u->resource);
    put_int(r, u->amount);
    put_int(r, u->began);
    put_int(r, u->inferred);
}

void rows_usage_opens(struct rows *r, const struct row_usage *u)
{
    begin(r, ROW_USAGE_OPENS);
    put_usage(r, u);
}

void rows_usage_closes(struct rows *r, const struct row_usage *u, when_ns ended, const char *end)
{
    begin(r, ROW_USAGE_CLOSES);
    put_workload(r, &u->workload);
    put_name(r, u->flavor);
    put_name(r, u->resource);
    if (ended <= u->began)
        return;
    begin(r, ROW_USAGE);
    put_usage(r, u);
    put_int(r, ended);
    put_name(r, end);
}

static void put_loan(struct rows *r, const struct row_loan *l)
{
    put_name(r, l->flavor);
    put_name(r, l->resource);
    put_name(r, l->borrower);
    put_name(r, l->lender_kind);
    put_name(r, l->lender);
}

static void put_terms(struct rows *r, const struct row_loan *l)
{
    put_int(r, l->amount);
    put_int(r, l->began);
    put_name(r, l->begin);
    put_int(r, l->inferred);
}

void rows_loan_opens(struct rows *r, const struct row_loan *l)
{
    begin(r, ROW_LOAN_OPENS);
    put_loan(r, l);
    put_terms(r, l);
}

void rows_loan_closes(struct rows *r, const struct row_loan *l, when_ns ended, const char *end)
{
    begin(r, ROW_LOAN_CLOSES);
    put_loan(r, l);
    if (ended <= l->began)
        return;
    begin(r, ROW_LOAN);
    put_loan(r, l);
    put_terms(r, l);
    put_int(r, ended);
    put_name(r, end);
}

void rows_nothing_open(struct rows *r, bool usage, bool loans)
{
    if (usage)
        begin(r, ROW_NOTHING_OPEN_USAGE);
    if (loans)
        begin(r, ROW_NOTHING_OPEN_LOAN);
}
