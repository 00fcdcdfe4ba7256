/* The loans that are open. */
#include "ledger/book_priv.h"

#include <string.h>

void book_free_loans(struct book *b)
{
    struct book_loan *l, *next;

    HASH_ITER (hh, b->loans, l, next) {
        HASH_DEL(b->loans, l);
        mem_free(l);
    }
}

static struct row_loan row_of(const struct book *b, const struct book_loan *l)
{
    return (struct row_loan){
        .flavor = book_text(b, l->key.flavor),
        .resource = book_text(b, l->key.resource),
        .borrower = book_text(b, l->key.borrower),
        .lender_kind = loan_kind_name((enum loan_kind)l->key.kind),
        .lender = book_text(b, l->key.lender),
        .amount = l->amount,
        .began = l->began,
        .begin = loan_begin_name(l->begin),
        .inferred = l->inferred,
    };
}

static int key_of(const struct book *b, const struct loan *l, struct book_loan_key *ret)
{
    struct pair_names p = world_pair(b->w, l->fr);

    *ret = (struct book_loan_key){
        .borrower = l->borrower, .lender = l->lender.name, .kind = (uint32_t)l->lender.kind};
    return book_name(b, p.flavor, &ret->flavor) || book_name(b, p.resource, &ret->resource) ? ERR_NOMEM : 0;
}

static struct book_loan *find_loan(const struct book *b, const struct book_loan_key *key)
{
    struct book_loan *l;

    HASH_FIND(hh, b->loans, key, sizeof(*key), l);
    return l;
}

static int add_loan(struct book *b, const struct book_loan *loan, struct book_loan **ret)
{
    struct book_loan *l = mem_zalloc(1, sizeof(*l));

    if (!l)
        return ERR_NOMEM;
    *l = *loan;
    HASH_ADD(hh, b->loans, key, sizeof(l->key), l);
    if (!l->hh.tbl) {
        mem_free(l);
        return ERR_NOMEM;
    }
    *ret = l;
    return 0;
}

static void close_loan(struct book *b, struct book_loan *l, when_ns at, const char *end, bool inferred,
                       struct rows *r)
{
    struct row_loan row = row_of(b, l);

    row.inferred = row.inferred || inferred;
    rows_loan_closes(r, &row, at, end);
    HASH_DEL(b->loans, l);
    mem_free(l);
}

/* One that was open before an outage and is found open again has gone on; with another amount, another one begins where it ends. */
static int begin_loan(struct book *b, const struct book_loan_key *key, const struct loan *loan,
                      struct rows *r)
{
    struct book_loan *old = find_loan(b, key), *l;
    struct book_loan fresh = {
        .key = *key, .amount = loan->amount, .began = loan->began, .begin = loan->begin};

    if (old && old->recalled && old->amount == loan->amount) {
        old->recalled = false;
        return 0;
    }
    if (old)
        close_loan(b, old, loan->began, loan_end_name(LOAN_END_REFINANCED), old->recalled, r);
    int rc = add_loan(b, &fresh, &l);
    if (rc)
        return rc;
    const struct row_loan row = row_of(b, l);
    rows_loan_opens(r, &row);
    return 0;
}

int book_loans(struct book *b, const struct loan_event *events, uint32_t n, struct rows *r, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && !rc; i++) {
        struct book_loan_key key;
        rc = key_of(b, &events[i].loan, &key);
        if (rc)
            break;
        struct book_loan *l = find_loan(b, &key);
        if (events[i].end == LOAN_OPEN)
            rc = begin_loan(b, &key, &events[i].loan, r);
        else if (l)
            close_loan(b, l, events[i].ended, loan_end_name(events[i].end), false, r);
    }
    return rc ? err_set(err, rc, "out of memory for the book") : 0;
}

/* ---- start -------------------------------------------------------------------------------------------------------------- */

int book_recall_loan(struct book *b, const struct row_loan *u)
{
    struct book_loan l = {.amount = u->amount, .began = u->began, .inferred = u->inferred, .recalled = true},
                     *ret;

    while (l.key.kind < LOAN_OVERDRAFT &&
           strcmp(u->lender_kind, loan_kind_name((enum loan_kind)l.key.kind)) != 0)
        l.key.kind++;
    if (!strcmp(u->begin, loan_begin_name(LOAN_BEGIN_REFINANCED)))
        l.begin = LOAN_BEGIN_REFINANCED;
    if (book_name(b, u->flavor, &l.key.flavor) || book_name(b, u->resource, &l.key.resource) ||
        book_name(b, u->borrower, &l.key.borrower) || book_name(b, u->lender, &l.key.lender))
        return ERR_NOMEM;
    return add_loan(b, &l, &ret);
}

void book_started_loans(struct book *b, when_ns now, struct rows *r)
{
    struct book_loan *l, *next;

    HASH_ITER (hh, b->loans, l, next) {
        if (l->recalled)
            close_loan(b, l, now, "unknown", true, r);
    }
}

void book_restate_loans(struct book *b, struct rows *r)
{
    struct book_loan *l, *next;

    HASH_ITER (hh, b->loans, l, next) {
        const struct row_loan row = row_of(b, l);
        rows_loan_opens(r, &row);
    }
}

uint32_t book_open_loans(const struct book *b)
{
    return HASH_COUNT(b->loans);
}
