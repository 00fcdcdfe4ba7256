/* Somebody's own SQL, which may read and no more. */
#include "ledger/history_priv.h"

#include <string.h>

static int only_reads(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
    (void)arg;
    (void)a;
    (void)c;
    (void)d;
    if (action == SQLITE_FUNCTION)
        return b && !strcmp(b, "load_extension") ? SQLITE_DENY : SQLITE_OK;
    return action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ? SQLITE_OK
                                                                                          : SQLITE_DENY;
}

static bool blank(const char *tail)
{
    return !tail[strspn(tail, " \t\r\n;")];
}

static int prepare(struct history *h, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    const char *tail = "";

    (void)sqlite3_set_authorizer(h->db, only_reads, NULL);
    int code = sqlite3_prepare_v2(h->db, sql, -1, ret, &tail);
    (void)sqlite3_set_authorizer(h->db, NULL, NULL);
    if (code == SQLITE_AUTH)
        return err_set(err, ERR_INVALID, "only SELECT is allowed");
    if (code)
        return err_set(err, ERR_INVALID, "%s", sqlite3_errmsg(h->db));
    if (!*ret)
        return err_set(err, ERR_INVALID, "there is no statement");
    if (!blank(tail))
        return err_set(err, ERR_INVALID, "more than one statement");
    if (!sqlite3_stmt_readonly(*ret))
        return err_set(err, ERR_INVALID, "only SELECT is allowed");
    if (sqlite3_column_count(*ret) > HISTORY_COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d columns", HISTORY_COLUMNS_MAX);
    return 0;
}

static int tell_row(sqlite3_stmt *st, history_each *each, void *arg)
{
    const char *values[HISTORY_COLUMNS_MAX];
    bool numbers[HISTORY_COLUMNS_MAX];
    int n = sqlite3_column_count(st);

    for (int i = 0; i < n; i++) {
        int type = sqlite3_column_type(st, i);
        numbers[i] = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
        values[i] = (const char *)sqlite3_column_text(st, i);
    }
    return each(arg, (uint32_t)n, values, numbers);
}

static int tell_head(sqlite3_stmt *st, history_each *each, void *arg)
{
    const char *values[HISTORY_COLUMNS_MAX];
    bool numbers[HISTORY_COLUMNS_MAX] = {false};
    int n = sqlite3_column_count(st);

    for (int i = 0; i < n; i++)
        values[i] = sqlite3_column_name(st, i);
    return each(arg, (uint32_t)n, values, numbers);
}

int history_sql(struct history *h, const char *sql, history_each *each, void *arg, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int code = SQLITE_DONE, rc = prepare(h, sql, &st, err);

    if (!rc)
        rc = tell_head(st, each, arg);
    while (!rc && (code = sqlite3_step(st)) == SQLITE_ROW)
        rc = tell_row(st, each, arg);
    if (!rc && code != SQLITE_DONE)
        rc = err_set(err, ERR_INVALID, "%s", sqlite3_errmsg(h->db));
    (void)sqlite3_finalize(st);
    return rc;
}
