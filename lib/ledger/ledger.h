/* The ledger: history in an SQLite file (DESIGN.md "The ledger"). Tables: lib/ledger/README.md; read by history.h and by anybody's SQL.
 *
 * How a driver uses it. On the thread that owns the world it makes rows: rows_decision() and its kin, and book.h for intervals, into one
 * `struct rows`. When no batch is under way it hands that to a worker, which calls ledger_write(), and fills another one meanwhile. A
 * batch is written whole and durably, or not at all. When a batch fails, or takes too long, the driver lets the effects go on: it keeps the
 * rows to try again, or gives them up, and then the next batch begins with rows_gap() and book_restate().
 *
 * ledger_new, ledger_free and the functions that call back (ledger_recall_*) belong to the thread that owns base/mem.h. All others may
 * run on any one thread at a time: they take no memory but SQLite's own. Only ledger_interrupt may be called beside them. There is no
 * thread in here, and no clock. */
#ifndef SLUICE_LEDGER_LEDGER_H
#define SLUICE_LEDGER_LEDGER_H

#include "ledger/rows.h"

enum { LEDGER_PATH_MAX = 3800 };

struct ledger;

struct ledger_options {
    const char *path;   /* copied; beside it stand PATH.lock, PATH-wal, PATH-shm */
    const char *writer; /* "controller", "simulate", ...: stands in `session`; copied, 63 bytes at most */
    bool
        scratch; /* made anew by a command: need not survive a power failure, so nothing waits for the disk */
    bool any_filesystem; /* also where locks or shared memory are known not to hold (NFS, SMB, FUSE, 9p) */
    int64_t check_max_bytes; /* a larger file is not read whole when it is opened; 0 = any is */
};

/* Why the last call failed. */
enum ledger_fault {
    LEDGER_FINE,
    LEDGER_FULL,    /* no space, or over a limit of the file's size */
    LEDGER_IO,      /* read, write or sync failed, or the file cannot be reached */
    LEDGER_CORRUPT, /* close and open again: the file is then set aside */
    LEDGER_BUSY,    /* somebody holds the database, or ledger_interrupt was called */
    LEDGER_NOMEM,
    LEDGER_OTHER,
};

/* Owned; NULL when memory is exhausted or a text is too long. */
struct ledger *ledger_new(const struct ledger_options *o);
void ledger_free(struct ledger *l); /* closes it; NULL does nothing */

/* Opens or makes the file: the lock first, then the check, then migrations. A corrupt file is renamed to PATH.corrupt-TIME, never deleted,
 * and a new one begun that records the gap. `now` is the time of day. ERR_EXISTS: another writer holds the lock. ERR_STATE: the file
 * comes from a newer program. ERR_INVALID: not a ledger, or a file system that cannot carry one. ERR_IO. After a failure it is closed. */
MUST_USE int ledger_open(struct ledger *l, when_ns now, struct err *err);
/* The lock goes last. `now` ends the session; WHEN_NONE: as if the program had died. */
void ledger_close(struct ledger *l, when_ns now);
/* Where the corrupt file went at the last ledger_open, or NULL. Borrowed. */
const char *ledger_set_aside(const struct ledger *l);

/* The batch as one transaction; `now` becomes the time that the ledger is known to be kept to. ERR_IO, ERR_STATE (not open), ERR_NOMEM:
 * nothing of it is stored. */
MUST_USE int ledger_write(struct ledger *l, const struct rows *r, when_ns now, struct err *err);
/* May be called while another thread is in ledger_write, which then fails. */
void ledger_interrupt(struct ledger *l);
enum ledger_fault ledger_fault(const struct ledger *l);
const char *
ledger_fault_name(enum ledger_fault f); /* "full", "io", "corrupt", "busy", "memory", "other", "" */

/* Retention. What ended before `before` goes, and, while the file holds more than `max_bytes`, the oldest; 0 or WHEN_NONE = no such limit.
 * A call removes LEDGER_TRIM_ROWS rows of each table at most and gives LEDGER_TRIM_PAGES pages back to the file system; *ret_more: there
 * is more to do. Open intervals and the last state of quotas stay. */
enum { LEDGER_TRIM_ROWS = 1000, LEDGER_TRIM_PAGES = 200 };
struct ledger_keep {
    when_ns before;
    int64_t max_bytes;
};
MUST_USE int ledger_trim(struct ledger *l, const struct ledger_keep *keep, bool *ret_more, struct err *err);
/* Bytes in use in the file, without free pages; -1 when that cannot be read. */
int64_t ledger_bytes(struct ledger *l);

/* What a driver that starts must know. The id of the last decision, 0 = none; until when it was kept before this session, WHEN_NONE = new. */
MUST_USE int ledger_last_decision(struct ledger *l, uint64_t *ret, struct err *err);
MUST_USE int ledger_kept_until(struct ledger *l, when_ns *ret, struct err *err);
/* Intervals that were open, and quotas and nodes as they were last; texts are borrowed for the call. A result other than 0 of the function
 * ends it and is returned. */
MUST_USE int ledger_recall_usage(struct ledger *l, int (*each)(void *arg, const struct row_usage *u),
                                 void *arg, struct err *err);
MUST_USE int ledger_recall_loans(struct ledger *l, int (*each)(void *arg, const struct row_loan *u),
                                 void *arg, struct err *err);
MUST_USE int ledger_recall_quotas(struct ledger *l, int (*each)(void *arg, const struct row_quota *q),
                                  void *arg, struct err *err);
MUST_USE int ledger_recall_nodes(struct ledger *l,
                                 int (*each)(void *arg, const char *kind, const char *node,
                                             const char *parent),
                                 void *arg, struct err *err);

#endif
