/* Inside of the ledger. */
#ifndef SLUICE_LEDGER_LEDGER_PRIV_H
#define SLUICE_LEDGER_LEDGER_PRIV_H

#include "ledger/ledger.h"

#include <sqlite3.h>

/* Ids of texts that were used lately: a place for each hash, so it takes no memory later. Longer texts are looked up each time. */
enum { CACHE_PLACES = 4096, CACHE_TEXT_MAX = 160 };
struct cached {
    int64_t id;
    uint32_t len; /* 0 = free */
    char text[CACHE_TEXT_MAX];
};

enum statement {
    ST_NAME_FIND = ROW_KINDS,
    ST_NAME_ADD,
    ST_WORKLOAD_FIND,
    ST_WORKLOAD_ADD,
    ST_WORKLOAD_MOVE,
    ST_SESSION,
    STATEMENTS
};

struct ledger {
    struct ledger_options opt; /* path and writer point to the arrays below */
    char path[LEDGER_PATH_MAX], writer[64];
    char aside[LEDGER_PATH_MAX + 64];
    bool set_aside;
    int lock; /* file descriptor, -1 = none */
    sqlite3 *db;
    sqlite3_stmt *st[STATEMENTS];
    int64_t session;
    enum ledger_fault fault;
    when_ns kept_until;               /* by sessions before this one */
    struct cached *names, *workloads; /* owned */
    int64_t trimmed_to;               /* retention has looked at Workloads up to this id; 0 = begins anew */
    bool stale;                       /* Workloads went: their ids may be in the cache */
};

/* Notes why SQLite failed and says so: "WHAT: its message". ERR_NOMEM or ERR_IO. */
int ledger_fail(struct ledger *l, const char *what, struct err *err);
enum ledger_fault ledger_fault_of(int sqlite_code);
MUST_USE int ledger_exec(struct ledger *l, const char *sql, const char *what, struct err *err);
/* The first column of the first row; *ret stays when there is none or it is NULL. */
MUST_USE int ledger_ask(struct ledger *l, const char *sql, int64_t *ret, struct err *err);

/* ledger_write.c */
MUST_USE int ledger_prepare(struct ledger *l, struct err *err);
void ledger_unprepare(struct ledger *l);
void ledger_forget_stale(struct ledger *l);

/* ledger_file.c: locks and names of files */
MUST_USE int ledger_lock(struct ledger *l, struct err *err);
void ledger_unlock(struct ledger *l);
MUST_USE int ledger_fits_filesystem(const char *path, struct err *err);
/* Renames the file and what belongs to it. */
MUST_USE int ledger_move_aside(struct ledger *l, when_ns now, struct err *err);

#endif
