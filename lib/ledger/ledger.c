#include "ledger/ledger_priv.h"

#include "base/mem.h"
#include "ledger/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct ledger *ledger_new(const struct ledger_options *o)
{
    size_t path = strnlen(o->path, LEDGER_PATH_MAX);
    struct ledger *l = path && path < LEDGER_PATH_MAX ? mem_zalloc(1, sizeof(*l)) : NULL;

    if (!l)
        return NULL;
    l->names = mem_zalloc(CACHE_PLACES, sizeof(*l->names));
    l->workloads = mem_zalloc(CACHE_PLACES, sizeof(*l->workloads));
    if (!l->names || !l->workloads) {
        ledger_free(l);
        return NULL;
    }
    l->lock = -1;
    l->opt = *o;
    (void)snprintf(l->path, sizeof(l->path), "%s", o->path);
    (void)snprintf(l->writer, sizeof(l->writer), "%s", o->writer);
    l->opt.path = l->path;
    l->opt.writer = l->writer;
    l->kept_until = WHEN_NONE;
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    ledger_close(l, WHEN_NONE);
    mem_free(l->names);
    mem_free(l->workloads);
    mem_free(l);
}

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

enum ledger_fault ledger_fault_of(int code)
{
    if (code == SQLITE_IOERR_NOMEM)
        return LEDGER_NOMEM;
    switch (code & 0xff) {
    case SQLITE_OK:
        return LEDGER_FINE;
    case SQLITE_FULL:
        return LEDGER_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return LEDGER_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return LEDGER_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
        return LEDGER_BUSY;
    case SQLITE_NOMEM:
        return LEDGER_NOMEM;
    default:
        return LEDGER_OTHER;
    }
}

int ledger_fail(struct ledger *l, const char *what, struct err *err)
{
    l->fault = l->db ? ledger_fault_of(sqlite3_extended_errcode(l->db)) : LEDGER_NOMEM;
    if (l->fault == LEDGER_FINE)
        l->fault = LEDGER_OTHER;
    return err_set(err, l->fault == LEDGER_NOMEM ? ERR_NOMEM : ERR_IO, "%s: %s: %s", l->path, what,
                   l->db ? sqlite3_errmsg(l->db) : "out of memory");
}

enum ledger_fault ledger_fault(const struct ledger *l)
{
    return l->fault;
}

const char *ledger_fault_name(enum ledger_fault f)
{
    static const char *const names[] = {"", "full", "io", "corrupt", "busy", "memory", "other"};

    return names[f];
}

int ledger_exec(struct ledger *l, const char *sql, const char *what, struct err *err)
{
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) ? ledger_fail(l, what, err) : 0;
}

int ledger_ask(struct ledger *l, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(l->db, sql, -1, &st, NULL), code = rc ? rc : sqlite3_step(st);

    if (code == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        *ret = sqlite3_column_int64(st, 0);
    rc = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : ledger_fail(l, "cannot be read", err);
    (void)sqlite3_finalize(st);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static int open_file(struct ledger *l, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(l->path, &l->db, flags, NULL))
        return ledger_fail(l, "cannot be opened", err);
    (void)sqlite3_extended_result_codes(l->db, 1);
    (void)sqlite3_busy_timeout(l->db, 1000);
    (void)sqlite3_db_config(l->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return 0;
}

/* The pages are laid out for incremental vacuum before there is any. */
static int set_up(struct ledger *l, struct err *err)
{
    static const char safe[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = NORMAL;"
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864;";
    static const char quick[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = MEMORY; PRAGMA "
                                "synchronous = OFF; PRAGMA cache_size = -65536;";
    static const char both[] =
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

    int rc = ledger_exec(l, l->opt.scratch ? quick : safe, "cannot be set up", err);
    return rc ? rc : ledger_exec(l, both, "cannot be set up", err);
}

static int check_whole(struct ledger *l, struct err *err)
{
    struct stat s;
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (l->opt.check_max_bytes && (stat(l->path, &s) || s.st_size > l->opt.check_max_bytes))
        return 0;
    if (sqlite3_prepare_v2(l->db, "PRAGMA quick_check(1)", -1, &st, NULL) || sqlite3_step(st) != SQLITE_ROW)
        rc = ledger_fail(l, "cannot be checked", err);
    else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0) {
        rc = err_set(err, ERR_IO, "%s: is corrupt: %s", l->path, (const char *)sqlite3_column_text(st, 0));
        l->fault = LEDGER_CORRUPT;
    }
    (void)sqlite3_finalize(st);
    return rc;
}

static int bring_up_to_date(struct ledger *l, struct err *err)
{
    int rc = schema_migrate(l->db, schema_steps, err);

    if (rc == ERR_IO)
        return ledger_fail(l, "cannot be brought up to date", err);
    if (rc) {
        l->fault = LEDGER_OTHER;
        (void)err_prefix(err, "%s: ", l->path);
    }
    return rc;
}

static void close_file(struct ledger *l)
{
    ledger_unprepare(l);
    (void)sqlite3_close_v2(l->db);
    l->db = NULL;
}

static int open_checked(struct ledger *l, struct err *err)
{
    int rc = open_file(l, err);

    if (!rc)
        rc = set_up(l, err);
    if (!rc)
        rc = check_whole(l, err);
    if (!rc)
        rc = bring_up_to_date(l, err);
    if (!rc)
        rc = ledger_prepare(l, err);
    if (rc)
        close_file(l);
    return rc;
}

static int add_gap(struct ledger *l, const char *reason, const char *began, when_ns now, struct err *err)
{
    char sql[256];

    (void)snprintf(
        sql, sizeof(sql),
        "INSERT OR IGNORE INTO name (text) VALUES ('%s');"
        "INSERT INTO gap (began_ns, ended_ns, reason, lost) SELECT %s, %lld, id, 0 FROM name WHERE "
        "text = '%s'",
        reason, began, (long long)now, reason);
    return ledger_exec(l, sql, "cannot be written", err);
}

/* Whoever wrote last and did not say that it ended, died: what happened since then is not in the file. */
static int begin_session(struct ledger *l, when_ns now, struct err *err)
{
    int64_t last = WHEN_NONE, died = 0;
    sqlite3_stmt *st = NULL;
    int rc = ledger_ask(l, "SELECT max(last_ns) FROM session", &last, err);

    if (!rc)
        rc = ledger_ask(l, "SELECT ended_ns IS NULL FROM session ORDER BY id DESC LIMIT 1", &died, err);
    if (!rc)
        rc = ledger_exec(l, "BEGIN IMMEDIATE", "cannot be written", err);
    if (!rc && died)
        rc = add_gap(l, "crashed", "(SELECT max(last_ns) FROM session)", now, err);
    if (!rc && l->set_aside)
        rc = add_gap(l, "corrupt", "NULL", now, err);
    if (!rc && (sqlite3_prepare_v2(l->db, "INSERT INTO session (writer, began_ns, last_ns) VALUES (?, ?, ?)",
                                   -1, &st, NULL) ||
                sqlite3_bind_text(st, 1, l->writer, -1, SQLITE_STATIC) || sqlite3_bind_int64(st, 2, now) ||
                sqlite3_bind_int64(st, 3, now) || sqlite3_step(st) != SQLITE_DONE))
        rc = ledger_fail(l, "cannot be written", err);
    (void)sqlite3_finalize(st);
    l->session = sqlite3_last_insert_rowid(l->db);
    l->kept_until = last;
    return rc ? rc : ledger_exec(l, "COMMIT", "cannot be written", err);
}

static int open_locked(struct ledger *l, when_ns now, struct err *err)
{
    int rc = open_checked(l, err);

    if (rc && l->fault == LEDGER_CORRUPT) {
        rc = ledger_move_aside(l, now, err);
        l->fault = LEDGER_FINE;
        if (!rc)
            rc = open_checked(l, err);
    }
    return rc ? rc : begin_session(l, now, err);
}

int ledger_open(struct ledger *l, when_ns now, struct err *err)
{
    if (l->db)
        return err_set(err, ERR_STATE, "%s: is open already", l->path);
    l->fault = LEDGER_FINE;
    l->set_aside = false;
    l->kept_until = WHEN_NONE;
    int rc = l->opt.any_filesystem ? 0 : ledger_fits_filesystem(l->path, err);
    if (rc) {
        l->fault = LEDGER_IO;
        return rc;
    }
    rc = ledger_lock(l, err);
    if (rc)
        return rc;
    rc = open_locked(l, now, err);
    if (rc) {
        close_file(l);
        ledger_unlock(l);
    }
    return rc;
}

void ledger_close(struct ledger *l, when_ns now)
{
    char sql[128];

    if (l->db && now != WHEN_NONE) {
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE session SET ended_ns = %lld, last_ns = max(last_ns, %lld) WHERE id = %lld",
                       (long long)now, (long long)now, (long long)l->session);
        (void)sqlite3_exec(l->db, sql, NULL, NULL, NULL);
    }
    close_file(l);
    ledger_unlock(l);
}

const char *ledger_set_aside(const struct ledger *l)
{
    return l->set_aside ? l->aside : NULL;
}

void ledger_interrupt(struct ledger *l)
{
    if (l->db)
        sqlite3_interrupt(l->db);
}

int64_t ledger_bytes(struct ledger *l)
{
    int64_t pages = -1, spare = 0, size = 0;

    if (!l->db || ledger_ask(l, "PRAGMA page_count", &pages, NULL) ||
        ledger_ask(l, "PRAGMA freelist_count", &spare, NULL) ||
        ledger_ask(l, "PRAGMA page_size", &size, NULL))
        return -1;
    return (pages - spare) * size;
}
