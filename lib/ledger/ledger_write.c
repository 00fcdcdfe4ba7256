/* Batches: rows into their tables, in one transaction. */
#include "ledger/ledger_priv.h"

#include <stdint.h>
#include <string.h>

/* The cells of a row are the parameters, in their order. A batch that is written again leaves what is there; what is told to be open takes the
 * place of what was. */
static const char *const sql[STATEMENTS] = {
    [ROW_DECISION] = "INSERT OR IGNORE INTO decision VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    [ROW_OUTCOME] = "INSERT OR IGNORE INTO outcome VALUES (?, ?, ?)",
    [ROW_PREEMPTION] = "INSERT OR IGNORE INTO preemption VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ROW_LOSS] = "INSERT OR IGNORE INTO loss VALUES (?, ?, ?, ?)",
    [ROW_QUOTA] = "INSERT INTO quota VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ROW_NODE] = "INSERT INTO node VALUES (NULL, ?, ?, ?, ?, ?)",
    [ROW_GAP] = "INSERT INTO gap VALUES (NULL, ?, ?, ?, ?)",
    [ROW_USAGE] =
        ("INSERT INTO usage (workload, cluster_queue, flavor, resource, amount, began_ns, inferred, "
         "ended_ns, end_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [ROW_LOAN] = ("INSERT INTO loan (flavor, resource, borrower, lender_kind, lender, amount, began_ns, "
                  "begin_reason, inferred, ended_ns, end_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    [ROW_USAGE_OPENS] = "INSERT OR REPLACE INTO open_usage VALUES (?, ?, ?, ?, ?, ?, ?)",
    [ROW_USAGE_CLOSES] = "DELETE FROM open_usage WHERE workload = ? AND flavor = ? AND resource = ?",
    [ROW_LOAN_OPENS] = "INSERT OR REPLACE INTO open_loan VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [ROW_LOAN_CLOSES] = ("DELETE FROM open_loan WHERE flavor = ? AND resource = ? AND borrower = ? AND "
                         "lender_kind = ? AND lender = ?"),
    [ROW_NOTHING_OPEN_USAGE] = "DELETE FROM open_usage",
    [ROW_NOTHING_OPEN_LOAN] = "DELETE FROM open_loan",
    [ST_NAME_FIND] = "SELECT id FROM name WHERE text = ?",
    [ST_NAME_ADD] = "INSERT INTO name (text) VALUES (?)",
    [ST_WORKLOAD_FIND] = "SELECT id, local_queue FROM workload WHERE uid = ?",
    [ST_WORKLOAD_ADD] = "INSERT INTO workload (uid, namespace, name, local_queue) VALUES (?, ?, ?, ?)",
    [ST_WORKLOAD_MOVE] = "UPDATE workload SET local_queue = ? WHERE id = ?",
    [ST_SESSION] = "UPDATE session SET last_ns = max(last_ns, ?) WHERE id = ?",
};

static void forget(struct ledger *l)
{
    memset(l->names, 0, CACHE_PLACES * sizeof(*l->names));
    memset(l->workloads, 0, CACHE_PLACES * sizeof(*l->workloads));
}

void ledger_forget_stale(struct ledger *l)
{
    if (l->stale)
        forget(l);
    l->stale = false;
}

int ledger_prepare(struct ledger *l, struct err *err)
{
    forget(l);
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(l->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &l->st[i], NULL))
            return ledger_fail(l, "cannot be used", err);
    return 0;
}

void ledger_unprepare(struct ledger *l)
{
    for (int i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(l->st[i]);
        l->st[i] = NULL;
    }
}

/* ---- texts as ids ------------------------------------------------------------------------------------------------------- */

static uint32_t place_of(const char *text, size_t len)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return (uint32_t)((h >> 32 ^ h) % CACHE_PLACES);
}

static struct cached *look_up(struct cached *cache, const char *text, size_t len, bool *ret_known)
{
    struct cached *c = &cache[place_of(text, len)];

    *ret_known = len && c->len == len && !memcmp(c->text, text, len);
    return len && len < CACHE_TEXT_MAX ? c : NULL;
}

static void keep(struct cached *c, const char *text, size_t len, int64_t id)
{
    if (!c)
        return;
    memcpy(c->text, text, len);
    c->len = (uint32_t)len;
    c->id = id;
}

/* SQLITE_ROW or SQLITE_DONE and the statement is to be reset, or an error of SQLite. */
static int find(sqlite3_stmt *st, const char *text)
{
    int rc = sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);

    return rc ? rc : sqlite3_step(st);
}

static int run(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    (void)sqlite3_reset(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int name_id(struct ledger *l, const char *text, int64_t *ret)
{
    size_t len = strlen(text);
    bool known;
    struct cached *c = look_up(l->names, text, len, &known);

    *ret = known ? c->id : 0;
    if (known || !len)
        return SQLITE_OK;
    int rc = find(l->st[ST_NAME_FIND], text);
    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(l->st[ST_NAME_FIND], 0);
    (void)sqlite3_reset(l->st[ST_NAME_FIND]);
    if (rc == SQLITE_DONE) {
        rc = sqlite3_bind_text(l->st[ST_NAME_ADD], 1, text, -1, SQLITE_STATIC);
        rc = rc ? rc : run(l->st[ST_NAME_ADD]);
        *ret = sqlite3_last_insert_rowid(l->db);
    } else if (rc == SQLITE_ROW)
        rc = SQLITE_OK;
    if (!rc)
        keep(c, text, len, *ret);
    return rc;
}

static int add_workload(struct ledger *l, const char *uid, int64_t ns, const char *name, int64_t queue,
                        int64_t *ret)
{
    sqlite3_stmt *st = l->st[ST_WORKLOAD_ADD];

    if (sqlite3_bind_text(st, 1, uid, -1, SQLITE_STATIC) || sqlite3_bind_int64(st, 2, ns) ||
        sqlite3_bind_text(st, 3, name, -1, SQLITE_STATIC) || sqlite3_bind_int64(st, 4, queue))
        return SQLITE_NOMEM;
    int rc = run(st);
    *ret = sqlite3_last_insert_rowid(l->db);
    return rc;
}

/* A Workload that waits may be moved to another LocalQueue; the last one is kept. */
static int find_workload(struct ledger *l, const char *uid, int64_t queue, int64_t *ret)
{
    sqlite3_stmt *st = l->st[ST_WORKLOAD_FIND], *move = l->st[ST_WORKLOAD_MOVE];
    int64_t had = queue;
    int rc = find(st, uid);

    if (rc == SQLITE_ROW) {
        *ret = sqlite3_column_int64(st, 0);
        had = sqlite3_column_int64(st, 1);
    }
    (void)sqlite3_reset(st);
    if (rc != SQLITE_ROW || had == queue)
        return rc;
    if (sqlite3_bind_int64(move, 1, queue) || sqlite3_bind_int64(move, 2, *ret))
        return SQLITE_NOMEM;
    rc = run(move);
    return rc ? rc : SQLITE_ROW;
}

/* `uid` stands before three more texts (CELL_WORKLOAD). The cache knows it by uid and LocalQueue, NUL bytes between them. */
static int workload_id(struct ledger *l, const char *uid, int64_t *ret)
{
    const char *ns = uid + strlen(uid) + 1, *name = ns + strlen(ns) + 1, *queue = name + strlen(name) + 1;
    size_t len = (size_t)(queue + strlen(queue) - uid);
    int64_t ns_id = 0, queue_id = 0;
    bool known;
    struct cached *c = look_up(l->workloads, uid, len, &known);

    if (known) {
        *ret = c->id;
        return SQLITE_OK;
    }
    int rc = name_id(l, ns, &ns_id);
    rc = rc ? rc : name_id(l, queue, &queue_id);
    rc = rc ? rc : find_workload(l, uid, queue_id, ret);
    if (rc == SQLITE_DONE)
        rc = add_workload(l, uid, ns_id, name, queue_id, ret);
    else if (rc == SQLITE_ROW)
        rc = SQLITE_OK;
    if (!rc)
        keep(c, uid, len, *ret);
    return rc;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static int bind_cell(struct ledger *l, sqlite3_stmt *st, int at, const struct rows *r,
                     const struct row_cell *c)
{
    int64_t id = 0;
    int rc;

    switch (c->kind) {
    case CELL_NULL:
        return sqlite3_bind_null(st, at);
    case CELL_INT:
        return sqlite3_bind_int64(st, at, c->i);
    case CELL_REAL:
        return sqlite3_bind_double(st, at, c->real);
    case CELL_TEXT:
        return sqlite3_bind_text(st, at, rows_text(r, c->text), -1, SQLITE_STATIC);
    case CELL_NAME:
        rc = name_id(l, rows_text(r, c->text), &id);
        break;
    case CELL_WORKLOAD:
    default:
        rc = workload_id(l, rows_text(r, c->text), &id);
        break;
    }
    return rc ? rc : sqlite3_bind_int64(st, at, id);
}

static int write_row(struct ledger *l, const struct rows *r, const struct row *row)
{
    sqlite3_stmt *st = l->st[row->kind];

    for (int i = 0; i < row->ncells; i++) {
        int rc = bind_cell(l, st, i + 1, r, &r->cells[row->first + (uint32_t)i]);
        if (rc)
            return rc;
    }
    return run(st);
}

static int write_session(struct ledger *l, when_ns now)
{
    sqlite3_stmt *st = l->st[ST_SESSION];

    if (sqlite3_bind_int64(st, 1, now) || sqlite3_bind_int64(st, 2, l->session))
        return SQLITE_NOMEM;
    return run(st);
}

/* Ids that were given out in a batch that is gone mean nothing. */
static void roll_back(struct ledger *l)
{
    if (!sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    forget(l);
}

int ledger_write(struct ledger *l, const struct rows *r, when_ns now, struct err *err)
{
    if (!l->db)
        return err_set(err, ERR_STATE, "%s: is not open", l->path);
    if (rows_failed(r)) {
        l->fault = LEDGER_NOMEM;
        return err_set(err, ERR_NOMEM, "out of memory for rows of the ledger");
    }
    l->fault = LEDGER_FINE;
    int rc = ledger_exec(l, "BEGIN IMMEDIATE", "cannot be written", err), code = 0;
    if (rc)
        return rc;
    for (uint32_t i = 0; i < r->n && !code; i++)
        code = write_row(l, r, &r->at[i]);
    if (!code)
        code = write_session(l, now);
    if (!code)
        code = sqlite3_exec(l->db, "COMMIT", NULL, NULL, NULL);
    if (!code)
        return 0;
    rc = ledger_fail(l, "cannot be written", err);
    roll_back(l);
    return rc;
}
