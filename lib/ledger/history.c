#include "ledger/history_priv.h"

#include "base/quantity.h"
#include "base/str.h"
#include "ledger/schema.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

int history_fail(struct history *h, struct err *err)
{
    int code = sqlite3_errcode(h->db);

    return err_set(err, code == SQLITE_NOMEM ? ERR_NOMEM : ERR_IO, "%s: %s", h->path, sqlite3_errmsg(h->db));
}

/* A path as a URI, for what only a URI can say. */
static int uri_of(const char *path, struct str *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~";

    str_add(out, "file:");
    for (; *path; path++)
        if (strchr(plain, *path))
            str_addc(out, *path);
        else
            str_addf(out, "%%%02X", (unsigned char)*path);
    str_add(out, "?immutable=1");
    return str_failed(out) ? ERR_NOMEM : 0;
}

static int connect(struct history *h, const char *name, int flags)
{
    int rc = sqlite3_open_v2(name, &h->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL);

    if (!rc)
        rc = sqlite3_exec(
            h->db, "PRAGMA trusted_schema = OFF; PRAGMA query_only = ON; SELECT count(*) FROM sqlite_schema",
            NULL, NULL, NULL);
    return rc & 0xff;
}

/* A log that its writer has left in a directory where we may not write cannot be read as a log; without one the file is whole by itself. */
static int connect_any(struct history *h, struct err *err)
{
    struct str text;
    int rc = connect(h, h->path, 0);

    if (rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY) {
        str_init(&text, 0);
        str_addf(&text, "%s-wal", h->path);
        bool log = !access(str_text(&text), F_OK);
        str_clear(&text);
        if (!log && !uri_of(h->path, &text)) {
            (void)sqlite3_close_v2(h->db);
            rc = connect(h, str_text(&text), SQLITE_OPEN_URI);
        }
        str_free(&text);
    }
    if (rc == SQLITE_NOTADB)
        return err_set(err, ERR_INVALID, "%s: not a ledger", h->path);
    return rc ? history_fail(h, err) : 0;
}

int history_open(const char *path, struct history **ret, struct err *err)
{
    struct history *h = mem_zalloc(1, sizeof(*h));

    *ret = NULL;
    if (!h || !(h->path = mem_strdup(path))) {
        mem_free(h);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    int rc = access(path, F_OK) ? err_set(err, ERR_NOTFOUND, "%s: no such file", path) : connect_any(h, err);
    if (!rc) {
        (void)sqlite3_busy_timeout(h->db, 5000);
        (void)sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        rc = schema_check(h->db, schema_steps, err);
        if (rc)
            (void)err_prefix(err, "%s: ", path);
    }
    if (rc)
        history_close(h);
    else
        *ret = h;
    return rc;
}

void history_close(struct history *h)
{
    if (!h)
        return;
    (void)sqlite3_close_v2(h->db);
    for (uint32_t i = 0; i < h->ntexts; i++)
        mem_free(h->texts[i]);
    mem_free(h->texts);
    mem_free(h->rows);
    mem_free(h->path);
    mem_free(h);
}

int history_prepare(struct history *h, const char *sql, when_ns a, when_ns b, sqlite3_stmt **ret,
                    struct err *err)
{
    if (!sqlite3_prepare_v2(h->db, sql, -1, ret, NULL)) {
        int n = sqlite3_bind_parameter_count(*ret);
        if ((n < 1 || !sqlite3_bind_int64(*ret, 1, a)) && (n < 2 || !sqlite3_bind_int64(*ret, 2, b)))
            return 0;
    }
    int rc = history_fail(h, err);
    (void)sqlite3_finalize(*ret);
    *ret = NULL;
    return rc;
}

int history_number(struct history *h, const char *sql, when_ns a, when_ns b, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = history_prepare(h, sql, a, b, &st, err), code = rc ? SQLITE_DONE : sqlite3_step(st);

    if (code == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        *ret = sqlite3_column_int64(st, 0);
    else if (code != SQLITE_ROW && code != SQLITE_DONE)
        rc = history_fail(h, err);
    (void)sqlite3_finalize(st);
    return rc;
}

/* ---- filters ------------------------------------------------------------------------------------------------------------ */

static int find_name(struct question *q, const char *text, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (!text)
        return 0;
    if (sqlite3_prepare_v2(q->h->db, "SELECT id FROM name WHERE text = ?1", -1, &st, NULL) ||
        sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC))
        rc = history_fail(q->h, err);
    else if (sqlite3_step(st) == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    else
        q->nothing = true;
    (void)sqlite3_finalize(st);
    return rc;
}

/* The cohort and all below it. UNION, not UNION ALL: parents may form a cycle. */
static const char members_sql[] =
    "WITH RECURSIVE last AS (SELECT name, parent, kind FROM node WHERE there AND id IN (SELECT max(id) FROM "
    "node"
    " GROUP BY kind, name)), below (name, cohort) AS (SELECT ?1, 1 UNION SELECT l.name, k.text = 'Cohort' "
    "FROM last l"
    " JOIN name k ON k.id = l.kind JOIN below b ON b.cohort AND l.parent = b.name)"
    " SELECT DISTINCT name FROM below ORDER BY name";

static int find_members(struct question *q, struct err *err)
{
    int64_t cohort = 0;
    sqlite3_stmt *st = NULL;
    uint32_t cap = 0;
    int code = SQLITE_DONE, rc = find_name(q, q->f->cohort, &cohort, err);

    if (rc || !q->f->cohort || q->nothing)
        return rc;
    rc = history_prepare(q->h, members_sql, cohort, 0, &st, err);
    while (!rc && (code = sqlite3_step(st)) == SQLITE_ROW) {
        if (mem_grow((void **)&q->members, &cap, q->nmembers + 1, sizeof(*q->members)))
            rc = err_set(err, ERR_NOMEM, "out of memory");
        else
            q->members[q->nmembers++] = sqlite3_column_int64(st, 0);
    }
    if (!rc && code != SQLITE_DONE)
        rc = history_fail(q->h, err);
    (void)sqlite3_finalize(st);
    return rc;
}

static int find_bounds(struct question *q, struct err *err)
{
    int64_t last = 0;
    int rc = history_number(q->h, "SELECT max(last_ns) FROM session", 0, 0, &last, err);

    q->from = q->f->from == WHEN_NONE ? INT64_MIN + 1 : q->f->from;
    q->to = last;
    if (q->f->to != WHEN_NONE && q->f->to < q->to)
        q->to = q->f->to;
    return rc;
}

/* Where nobody set a beginning, the first row's period has one: that of the ledger. */
static int tidy_rows(struct history *h, struct err *err)
{
    when_ns began = INT64_MAX;
    static const char first[] = "SELECT min(t) FROM (SELECT min(began_ns) t FROM session UNION ALL SELECT "
                                "min(began_ns) FROM usage UNION ALL"
                                " SELECT min(began_ns) FROM open_usage)";
    int rc = h->nrows && h->rows[0].from == INT64_MIN + 1 ? history_number(h, first, 0, 0, &began, err) : 0;

    for (uint32_t i = 0; i < h->nrows; i++)
        if (h->rows[i].from == INT64_MIN + 1)
            h->rows[i].from = began;
    return rc;
}

int history_ask(struct history *h, enum history_report report, const struct history_filter *f,
                const struct history_row **ret, uint32_t *ret_n, struct err *err)
{
    struct question q = {.h = h, .f = f};
    int rc = find_bounds(&q, err);

    *ret = NULL;
    *ret_n = 0;
    if (!rc)
        rc = find_name(&q, f->queue, &q.queue, err);
    if (!rc)
        rc = find_name(&q, f->flavor, &q.flavor, err);
    if (!rc)
        rc = find_name(&q, f->resource, &q.resource, err);
    if (!rc)
        rc = find_members(&q, err);
    if (!rc && !q.nothing)
        rc = reports_read(&q, report, err);
    if (!rc)
        rc = sums_rows(&q, err);
    if (!rc)
        rc = tidy_rows(h, err);
    sums_free(&q);
    if (!rc) {
        *ret = h->rows;
        *ret_n = h->nrows;
    }
    return rc;
}

int history_extent(struct history *h, const struct history_filter *f, struct history_extent *ret,
                   struct err *err)
{
    int64_t gaps = 0, inferred = 0;
    when_ns from = f->from == WHEN_NONE ? INT64_MIN + 1 : f->from,
            to = f->to == WHEN_NONE ? INT64_MAX : f->to;
    int rc;

    *ret = (struct history_extent){WHEN_NONE, WHEN_NONE, WHEN_NONE, 0, 0};
    rc = history_number(h, "SELECT min(began_ns) FROM session", 0, 0, &ret->began, err);
    if (!rc)
        rc = history_number(h, "SELECT max(last_ns) FROM session", 0, 0, &ret->last, err);
    if (!rc)
        rc = history_number(h, "SELECT value FROM meta WHERE key = 'kept_since_ns'", 0, 0, &ret->kept_since,
                            err);
    if (!rc)
        rc = history_number(
            h, "SELECT count(*) FROM gap WHERE ended_ns > ?1 AND coalesce(began_ns, ended_ns) < ?2", from, to,
            &gaps, err);
    if (!rc)
        rc = history_number(
            h,
            "SELECT (SELECT count(*) FROM usage WHERE inferred AND ended_ns > ?1 AND began_ns < ?2) + "
            "(SELECT count(*) FROM loan WHERE inferred AND ended_ns > ?1 AND began_ns < ?2)",
            from, to, &inferred, err);
    ret->gaps = (uint64_t)gaps;
    ret->inferred = (uint64_t)inferred;
    return rc;
}

int64_t history_unit(const char *resource, const char **ret_name)
{
    *ret_name = resource_is_cpu(resource) ? "core" : resource_is_binary(resource) ? "GiB" : "";
    return resource_is_cpu(resource) ? 1000 : resource_is_binary(resource) ? INT64_C(1) << 30 : 1;
}
