#include "build.h"

#include "base/mem.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64], path[128];

void build_dir_gone(void)
{
    DIR *d = *dir ? opendir(dir) : NULL;
    const struct dirent *e;

    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            ck_assert_int_eq(unlink(build_file(e->d_name)), 0);
    if (d)
        (void)closedir(d);
    if (*dir)
        ck_assert_int_eq(rmdir(dir), 0);
    dir[0] = '\0';
}

void build_dir(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/sluice-ledger-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/ledger.db", dir);
}

const char *build_path(void)
{
    return path;
}

const char *build_file(const char *name)
{
    static char file[320];

    (void)snprintf(file, sizeof(file), "%s/%s", dir, name);
    return file;
}

struct ledger *build_open(when_ns now)
{
    struct ledger *l =
        ledger_new(&(struct ledger_options){.path = path, .writer = "test", .any_filesystem = true});
    struct err err = {0};

    ck_assert_ptr_nonnull(l);
    ck_assert_msg(!ledger_open(l, now, &err), "%s", err.text);
    return l;
}

static sqlite3_stmt *first_row(sqlite3 **ret_db, const char *sql)
{
    sqlite3_stmt *st = NULL;

    ck_assert_int_eq(sqlite3_open_v2(path, ret_db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_msg(!sqlite3_prepare_v2(*ret_db, sql, -1, &st, NULL), "%s: %s", sql, sqlite3_errmsg(*ret_db));
    ck_assert_msg(sqlite3_step(st) == SQLITE_ROW, "%s: no row", sql);
    return st;
}

int64_t build_ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st = first_row(&db, sql);
    int64_t v = sqlite3_column_int64(st, 0);

    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return v;
}

const char *build_text(const char *sql)
{
    static char text[2048];
    sqlite3 *db;
    sqlite3_stmt *st = first_row(&db, sql);
    const unsigned char *t = sqlite3_column_text(st, 0);

    (void)snprintf(text, sizeof(text), "%s", t ? (const char *)t : "");
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return text;
}

void build_exec(const char *sql)
{
    sqlite3 *db;
    char *why = NULL;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_exec(db, sql, NULL, NULL, &why);
    ck_assert_msg(!why, "%s", why);
    (void)sqlite3_close(db);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static struct row_workload workload(const char *uid)
{
    return (struct row_workload){uid, "team", uid, "queue"};
}

void build_usage(struct rows *r, const char *uid, when_ns began, when_ns ended, amount v)
{
    const struct row_usage u = {workload(uid), "cq-a", "h100", "nvidia.com/gpu", v, began, false};

    rows_usage_opens(r, &u);
    if (ended != WHEN_NONE)
        rows_usage_closes(r, &u, ended, "finished");
}

void build_loan(struct rows *r, const char *borrower, const char *lender, when_ns began, when_ns ended,
                amount v)
{
    const struct row_loan l = {"h100", "nvidia.com/gpu", borrower, "ClusterQueue", lender, v,
                               began,  "borrowed",       false};

    rows_loan_opens(r, &l);
    if (ended != WHEN_NONE)
        rows_loan_closes(r, &l, ended, "returned");
}

void build_decision(struct rows *r, uint64_t id, const char *uid, const char *what, when_ns at)
{
    const struct row_decision d = {.id = id,
                                   .at = at,
                                   .workload = workload(uid),
                                   .what = what,
                                   .cluster_queue = "cq-a",
                                   .reason = "Because",
                                   .message = "as it is",
                                   .since = at - 10 * NS_PER_S};
    rows_decision(r, &d);
}
