/* The book: which intervals of use and which loans are open, and what becomes of them. It is told what happens in a world, and adds rows; it
 * does no input or output. Usage is per Workload and flavor-resource; intervals begin and end at the times that the caller gives: those of
 * conditions as the API has them. Loans are those of core/loans.h, with their times.
 *
 * After a restart the book first recalls what the ledger had open (book_recall_*, from ledger_recall_*), then is told what is so now; what
 * nobody has confirmed when book_started() is called ends then, and is marked as inferred. What goes on keeps its beginning.
 *
 * All fallible functions: ERR_NOMEM, and rows may be missing (the rows' own failure says so, too): book_restate() makes up for it. */
#ifndef SLUICE_LEDGER_BOOK_H
#define SLUICE_LEDGER_BOOK_H

#include "core/loans.h"
#include "core/world.h"
#include "ledger/rows.h"

struct book;

struct book *
book_new(struct world *w); /* owned; `w` borrowed for its names and pairs; NULL when memory is exhausted */
void book_free(struct book *b);

/* The Workload holds quota (it is accounted in the world) since `at`, the time of its condition QuotaReserved. To be called whenever that
 * may have changed: what is held as before goes on. Another amount (pods were given back, engine.md 10.7) ends an interval as
 * "resized" and begins another one, at `now`. */
MUST_USE int book_hold(struct book *b, const struct wl *wl, when_ns at, when_ns now, struct rows *r,
                       struct err *err);
/* It holds none since `at`; nothing happens when the book knows of none. `end` says why: "evicted", "finished", "deleted", ... */
void book_let_go(struct book *b, const char *uid, when_ns at, const char *end, struct rows *r);
/* Does the book have an open interval of that Workload? */
bool book_holds(const struct book *b, const char *uid);

/* Events of core/loans.h in their order, to be taken before they are cleared. */
MUST_USE int book_loans(struct book *b, const struct loan_event *events, uint32_t n, struct rows *r,
                        struct err *err);

/* Compares all quotas and nodes of the world, settled, with those known, and writes what differs. After each change of configuration. */
MUST_USE int book_quotas(struct book *b, when_ns now, struct rows *r, struct err *err);

MUST_USE int book_recall_usage(struct book *b, const struct row_usage *u);
MUST_USE int book_recall_loan(struct book *b, const struct row_loan *l);
MUST_USE int book_recall_quota(struct book *b, const struct row_quota *q);
MUST_USE int book_recall_node(struct book *b, const char *kind, const char *node, const char *parent);
void book_started(struct book *b, when_ns now, struct rows *r);

/* The rows that make open_usage and open_loan what they are here: after rows were lost. Quotas are written anew by the next book_quotas. */
void book_restate(struct book *b, struct rows *r);

uint32_t book_open_usages(const struct book *b), book_open_loans(const struct book *b);

#endif
