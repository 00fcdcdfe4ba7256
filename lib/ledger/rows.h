/* A batch of rows for the ledger, as data: what is to be written is put together where the world lives, and written elsewhere. Rows go
 * into the file in the order in which they were added. Texts are copied. The tables are described in lib/ledger/README.md.
 *
 * A failure (memory, ROWS_TEXT_MAX) is sticky: what is added afterwards is left out, rows_failed() tells, and the batch is to be given
 * up as a gap. */
#ifndef SLUICE_LEDGER_ROWS_H
#define SLUICE_LEDGER_ROWS_H

#include "base/amount.h"
#include "base/str.h"
#include "base/when.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROWS_TEXT_MAX = 64 << 20, ROW_MESSAGE_MAX = 1024 /* bytes; longer messages are cut */ };

enum row_kind {
    ROW_DECISION,
    ROW_OUTCOME,
    ROW_PREEMPTION,
    ROW_LOSS,
    ROW_QUOTA,
    ROW_NODE,
    ROW_GAP,
    ROW_USAGE,
    ROW_LOAN,
    ROW_USAGE_OPENS,
    ROW_USAGE_CLOSES,
    ROW_LOAN_OPENS,
    ROW_LOAN_CLOSES,
    ROW_NOTHING_OPEN_USAGE, /* forgets all open usage, before it is told anew; the same for loans */
    ROW_NOTHING_OPEN_LOAN,
    ROW_KINDS
};

enum cell_kind {
    CELL_NULL,
    CELL_INT,
    CELL_REAL,
    CELL_TEXT, /* at `text` */
    CELL_NAME, /* the same, stored once in the table `name` */
    CELL_WORKLOAD, /* four texts behind each other at `text`: uid, namespace, name, LocalQueue; stored once in `workload` */
};

struct row_cell {
    enum cell_kind kind;
    union {
        int64_t i;
        double real;
        size_t text; /* place in the texts of the batch */
    };
};

struct row {
    uint8_t kind, ncells;
    uint32_t first; /* cell */
};

/* Public for the one who writes it; others only add. */
struct rows {
    struct row *at; /* owned */
    struct row_cell *cells;
    uint32_t n, ncells, cap, cap_cells;
    struct str texts;
    bool failed;
};

void rows_init(struct rows *r);
void rows_free(struct rows *r);
void rows_clear(struct rows *r); /* keeps the memory, clears the failure */
bool rows_failed(const struct rows *r);

/* Texts of a Workload; borrowed for the call. */
struct row_workload {
    const char *uid, *ns, *name, *queue; /* LocalQueue */
};

struct row_decision {
    uint64_t id; /* chosen by the caller, ascending: ledger_last_decision() and up */
    when_ns at;
    struct row_workload workload;
    const char *what; /* "admit", "evict", "deactivate", "release", "finish" */
    const char *cluster_queue, *reason, *message;
    when_ns since; /* of an admission: since when it waited; else WHEN_NONE */
};
void rows_decision(struct rows *r, const struct row_decision *d);
/* "published", "superseded", "refused", "lost". */
void rows_outcome(struct rows *r, uint64_t decision, when_ns at, const char *outcome);

/* The receipt of a preemption. Shares are weighted dominant shares (engine.md 8.1), may be +Inf, and are NAN where unknown. */
struct row_preemption {
    uint64_t decision;
    when_ns at;
    struct row_workload victim, preemptor;
    const char *victim_queue, *preemptor_queue; /* ClusterQueues */
    const char *rule;
    double victim_before, victim_after, preemptor_before, preemptor_after;
};
void rows_preemption(struct rows *r, const struct row_preemption *p);
/* Work that an eviction throws away: amount of the resource times seconds that it ran. */
void rows_loss(struct rows *r, uint64_t decision, const char *flavor, const char *resource, int64_t amount_s);

/* A quota as it is from `at` on. Limits are NULL where there is none; nominal NULL: the node names the pair no longer. */
struct row_quota {
    when_ns at;
    const char *kind, *node; /* "ClusterQueue" or "Cohort" */
    const char *flavor, *resource;
    const amount *nominal, *borrowing, *lending;
};
void rows_quota(struct rows *r, const struct row_quota *q);
/* A ClusterQueue or Cohort is there, with that parent ("" = none), or no longer. */
void rows_node(struct rows *r, when_ns at, const char *kind, const char *node, const char *parent,
               bool there);

/* History is not complete in between; began WHEN_NONE = nobody knows since when. `lost` rows are known to be missing. */
void rows_gap(struct rows *r, when_ns began, when_ns ended, const char *reason, uint64_t lost);

struct row_usage {
    struct row_workload workload;
    const char *cluster_queue, *flavor, *resource;
    amount amount;
    when_ns began;
    bool inferred; /* an end was not seen, but concluded after an outage */
};
/* An interval begins: a row of open_usage. It ends: that row goes, and a row of usage is written, unless the interval has no length. */
void rows_usage_opens(struct rows *r, const struct row_usage *u);
void rows_usage_closes(struct rows *r, const struct row_usage *u, when_ns ended, const char *end);

struct row_loan {
    const char *flavor, *resource, *borrower, *lender_kind, *lender; /* lender "" for the two accounts */
    amount amount;
    when_ns began;
    const char *begin;
    bool inferred;
};
void rows_loan_opens(struct rows *r, const struct row_loan *l);
void rows_loan_closes(struct rows *r, const struct row_loan *l, when_ns ended, const char *end);

void rows_nothing_open(struct rows *r, bool usage, bool loans);

/* Texts of a cell. */
const char *rows_text(const struct rows *r, size_t at);

#endif
