/* Retention: the oldest goes, in pieces small enough to stand between two batches. */
#include "ledger/ledger_priv.h"

#include <stdio.h>

#define MOST "LIMIT 1000" /* LEDGER_TRIM_ROWS */

/* What hangs on a row goes before it. ?1 is the time before which things go; of quotas and nodes the last state stays. */
static const char *const deletes[] = {
    "DELETE FROM usage WHERE id IN (SELECT id FROM usage WHERE ended_ns < ?1 ORDER BY ended_ns " MOST ")",
    "DELETE FROM loan WHERE id IN (SELECT id FROM loan WHERE ended_ns < ?1 ORDER BY ended_ns " MOST ")",
    "DELETE FROM loss WHERE decision IN (SELECT decision FROM preemption WHERE at_ns < ?1 ORDER BY "
    "at_ns " MOST ")",
    "DELETE FROM preemption WHERE decision IN (SELECT decision FROM preemption WHERE at_ns < ?1 ORDER BY "
    "at_ns " MOST ")",
    "DELETE FROM outcome WHERE decision IN (SELECT id FROM decision WHERE at_ns < ?1 ORDER BY at_ns " MOST
    ")",
    "DELETE FROM decision WHERE id IN (SELECT id FROM decision WHERE at_ns < ?1 ORDER BY at_ns " MOST ")",
    "DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE ended_ns < ?1 " MOST ")",
    "DELETE FROM quota WHERE id IN (SELECT id FROM quota WHERE at_ns < ?1 AND id NOT IN (SELECT max(id) FROM "
    "quota GROUP BY kind, node, flavor, resource) " MOST ")",
    "DELETE FROM node WHERE id IN (SELECT id FROM node WHERE at_ns < ?1 AND id NOT IN (SELECT max(id) FROM "
    "node "
    "GROUP BY kind, name) " MOST ")",
};

static const char orphans[] =
    "DELETE FROM workload WHERE id > ?1 AND id <= ?2 AND NOT EXISTS (SELECT 1 FROM usage u WHERE u.workload "
    "= "
    "workload.id) AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.workload = workload.id) AND NOT EXISTS "
    "(SELECT 1 FROM open_usage o WHERE o.workload = workload.id) AND NOT EXISTS (SELECT 1 FROM preemption p "
    "WHERE p.victim = workload.id) AND NOT EXISTS (SELECT 1 FROM preemption p WHERE p.preemptor = "
    "workload.id)";

static int run_with(struct ledger *l, const char *sql, int64_t a, int64_t b, int *ret_changes,
                    struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(l->db, sql, -1, &st, NULL) || sqlite3_bind_int64(st, 1, a) ||
        (sqlite3_bind_parameter_count(st) > 1 && sqlite3_bind_int64(st, 2, b)) ||
        sqlite3_step(st) != SQLITE_DONE)
        rc = ledger_fail(l, "cannot be trimmed", err);
    else
        *ret_changes = sqlite3_changes(l->db);
    (void)sqlite3_finalize(st);
    return rc;
}

/* The time up to which a piece of at most LEDGER_TRIM_ROWS of each table goes; INT64_MIN when the file holds no history. */
static int oldest_piece(struct ledger *l, when_ns *ret, struct err *err)
{
    static const char *const tables[][2] = {
        {"usage", "ended_ns"}, {"loan", "ended_ns"}, {"decision", "at_ns"}, {"preemption", "at_ns"}};
    char sql[192];
    when_ns best = INT64_MAX;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        int64_t t = INT64_MAX;
        (void)snprintf(sql, sizeof(sql), "SELECT %s FROM %s ORDER BY 1 LIMIT 1 OFFSET %d", tables[i][1],
                       tables[i][0], LEDGER_TRIM_ROWS - 1);
        int rc = ledger_ask(l, sql, &t, err);
        (void)snprintf(sql, sizeof(sql), "SELECT min(%s) FROM %s", tables[i][1], tables[i][0]);
        if (!rc && t == INT64_MAX)
            rc = ledger_ask(l, sql, &t, err);
        if (rc)
            return rc;
        best = t < best ? t : best;
    }
    *ret = best == INT64_MAX ? INT64_MIN : best + 1;
    return 0;
}

/* Workloads that nothing speaks of any more, among the next few. */
static int trim_workloads(struct ledger *l, bool *ret_more, struct err *err)
{
    int64_t last = 0, upto = l->trimmed_to + 5 * LEDGER_TRIM_ROWS;
    int n = 0, rc = ledger_ask(l, "SELECT max(id) FROM workload", &last, err);

    if (!rc)
        rc = run_with(l, orphans, l->trimmed_to, upto, &n, err);
    if (rc)
        return rc;
    if (n)
        l->stale = true;
    l->trimmed_to = upto >= last ? 0 : upto;
    if (l->trimmed_to)
        *ret_more = true;
    return 0;
}

static int trim_before(struct ledger *l, when_ns before, bool *ret_more, struct err *err)
{
    int rc = 0, n = 0, all = 0;
    char sql[160];

    (void)snprintf(
        sql, sizeof(sql),
        "INSERT INTO meta VALUES ('kept_since_ns', %lld) ON CONFLICT DO UPDATE SET value = max(value, "
        "excluded.value)",
        (long long)before);
    for (size_t i = 0; i < sizeof(deletes) / sizeof(deletes[0]) && !rc; i++) {
        rc = run_with(l, deletes[i], before, 0, &n, err);
        all += n;
        if (n >= LEDGER_TRIM_ROWS)
            *ret_more = true;
    }
    if (!rc && all)
        rc = ledger_exec(l, sql, "cannot be trimmed", err);
    if (!rc && (all || l->trimmed_to))
        rc = trim_workloads(l, ret_more, err);
    return rc;
}

static int trim_in_transaction(struct ledger *l, when_ns before, bool *ret_more, struct err *err)
{
    int rc = ledger_exec(l, "BEGIN IMMEDIATE; INSERT OR IGNORE INTO meta VALUES ('trimming', 1)",
                         "cannot be trimmed", err);

    if (!rc)
        rc = trim_before(l, before, ret_more, err);
    if (!rc)
        rc = ledger_exec(l, "DELETE FROM meta WHERE key = 'trimming'; COMMIT", "cannot be trimmed", err);
    if (rc && !sqlite3_get_autocommit(l->db))
        (void)sqlite3_exec(l->db, "ROLLBACK", NULL, NULL, NULL);
    ledger_forget_stale(l);
    return rc;
}

int ledger_trim(struct ledger *l, const struct ledger_keep *k, bool *ret_more, struct err *err)
{
    when_ns before = k->before == WHEN_NONE ? INT64_MIN : k->before, piece = INT64_MIN;
    int rc = 0;
    char vacuum[64];

    *ret_more = false;
    l->fault = LEDGER_FINE;
    if (!l->db)
        return err_set(err, ERR_STATE, "%s: is not open", l->path);
    bool large = k->max_bytes > 0 && ledger_bytes(l) > k->max_bytes;
    if (large)
        rc = oldest_piece(l, &piece, err);
    if (rc)
        return rc;
    *ret_more = large && piece != INT64_MIN;
    before = piece > before ? piece : before;
    if (before != INT64_MIN)
        rc = trim_in_transaction(l, before, ret_more, err);
    (void)snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)", LEDGER_TRIM_PAGES);
    return rc ? rc : ledger_exec(l, vacuum, "cannot be made smaller", err);
}
