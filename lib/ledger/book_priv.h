/* Inside of the book. */
#ifndef SLUICE_LEDGER_BOOK_PRIV_H
#define SLUICE_LEDGER_BOOK_PRIV_H

#include "ledger/book.h"

#include "base/mem.h"

/* An open interval. Names are ids of the world. */
struct book_use {
    uint32_t flavor, resource, cluster_queue;
    amount amount;
    when_ns began;
    bool inferred;
    bool recalled; /* from the ledger, and not confirmed yet */
    uint64_t seen; /* `round` in which it was held last */
};

struct book_held {
    UT_hash_handle hh; /* by uid */
    char *uid;         /* owned, in one block with the name */
    const char *name;
    uint32_t ns, queue;
    struct book_use *uses; /* owned */
    uint32_t n, cap;
    bool fresh; /* its first interval begins now */
};

struct book_sum {
    uint32_t fr, flavor, resource;
    amount amount;
};

struct book_loan_key {
    uint32_t flavor, resource, borrower, lender, kind;
};

struct book_loan {
    UT_hash_handle hh; /* by key */
    struct book_loan_key key;
    amount amount;
    when_ns began;
    enum loan_begin begin;
    bool inferred, recalled;
};

struct book_quota_key {
    uint32_t cohort; /* 1 = of a cohort */
    uint32_t node, flavor, resource;
};

/* A quota, or, with flavor and resource NONE, a node and its parent. */
struct book_quota {
    UT_hash_handle hh;
    struct book_quota_key key;
    amount nominal, borrowing, lending;
    bool has_borrowing, has_lending;
    uint32_t parent;
    uint64_t seen;
};

struct book {
    struct world *w;
    struct book_held *held;
    struct book_loan *loans;
    struct book_quota *quotas;
    struct book_sum *scratch;
    uint32_t cap_scratch, nusages;
    uint64_t round;
};

const char *book_text(const struct book *b, uint32_t name);
MUST_USE int book_name(const struct book *b, const char *text, uint32_t *ret);

/* book_loans.c */
void book_free_loans(struct book *b);
void book_started_loans(struct book *b, when_ns now, struct rows *r);
void book_restate_loans(struct book *b, struct rows *r);
/* book_quotas.c */
void book_free_quotas(struct book *b);

#endif
