/* Questions to a ledger, for reports. The file is only read; whoever writes it goes on. Sums are exact: amount of a resource times
 * nanoseconds. What is open counts until the file was written last.
 *
 * A cohort stands for all that is below it, as the last state of the nodes in the ledger has it. */
#ifndef SLUICE_LEDGER_HISTORY_H
#define SLUICE_LEDGER_HISTORY_H

#include "base/amount.h"
#include "base/err.h"
#include "base/when.h"
#include "ledger/period.h"

#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 wide;

struct history;

/* ERR_NOTFOUND, ERR_IO, ERR_INVALID (not a ledger), ERR_STATE (of another version), ERR_NOMEM. *ret is owned by the caller. */
MUST_USE int history_open(const char *path, struct history **ret, struct err *err);
void history_close(struct history *h);

/* What it knows of. */
struct history_extent {
    when_ns began, last; /* the first and the last time that it was kept; WHEN_NONE = never */
    when_ns kept_since;  /* what ended before was removed; WHEN_NONE = nothing was */
    uint64_t gaps;       /* between `from` and `to` of the filter */
    uint64_t inferred;   /* intervals there of which an end was not seen */
};

struct history_filter {
    when_ns from, to; /* WHEN_NONE = as far as it goes */
    const char *queue, *cohort, *flavor,
        *resource; /* NULL = all. A loan's queue is its borrower or its lender */
    enum period by;
};

enum history_report { HISTORY_LOANS, HISTORY_USAGE, HISTORY_ADMISSIONS, HISTORY_PREEMPTIONS, HISTORY_WAITS };

/* One group. Fields that its report does not have are "" or 0. */
struct history_row {
    when_ns from, to;               /* the period, within the filter's and the ledger's extent */
    const char *queue;              /* of the use, the admission; the borrower; the victim's */
    const char *other_kind, *other; /* the lender; the preemptor's queue */
    const char *flavor, *resource, *rule;
    wide sum;       /* amount x ns: used, lent, lost */
    uint64_t count; /* intervals that reach into the period; admissions; evictions; waits that ended */
    uint64_t evicted, finished; /* HISTORY_ADMISSIONS */
    amount taken_back;          /* HISTORY_LOANS: amounts whose loans ended by a reclaim */
    int64_t mean_ns, median_ns, p90_ns,
        max_ns; /* waits; of preemptions: from the eviction until the quota was free */
};

/* The rows are sorted by period, then by names; owned by `h` until the next question. ERR_IO, ERR_NOMEM. */
MUST_USE int history_ask(struct history *h, enum history_report report, const struct history_filter *f,
                         const struct history_row **ret, uint32_t *ret_n, struct err *err);
MUST_USE int history_extent(struct history *h, const struct history_filter *f, struct history_extent *ret,
                            struct err *err);

/* How many of an amount's counts make one unit that people speak of (a core, a GiB, a GPU), and what that is called ("core", "GiB", "");
 * never NULL. */
int64_t history_unit(const char *resource, const char **ret_name);

/* Somebody's own SQL: one SELECT that reads, and nothing else. ERR_INVALID: it is none, or wrong; the text says how. `each` is called with the
 * names of the columns first, then with each row; values are texts (NULL = SQL NULL), borrowed for the call; a result other than 0
 * ends it and is returned. */
enum { HISTORY_COLUMNS_MAX = 64 };
typedef int history_each(void *arg, uint32_t n, const char *const *values, const bool *numbers);
MUST_USE int history_sql(struct history *h, const char *sql, history_each *each, void *arg, struct err *err);

#endif
