#include "ledger/schema.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

/* ---- version 1: tables --------------------------------------------------------------------------------------------------- */

#define NAME "INTEGER NOT NULL REFERENCES name"
#define WORKLOAD "INTEGER NOT NULL REFERENCES workload"

/* History is only added to. Retention says so in `meta`, within its transaction, and may delete. */
#define APPEND_ONLY(table)                                                                                   \
    "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table                                             \
    " BEGIN SELECT raise(ABORT, 'history is only added to'); END;"                                           \
    "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table                                             \
    " WHEN NOT EXISTS (SELECT 1 FROM meta WHERE key = 'trimming')"                                           \
    " BEGIN SELECT raise(ABORT, 'history is only added to'); END;"

static const char tables[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"
    "INSERT INTO name VALUES (0, '');"
    "CREATE TABLE workload (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, namespace " NAME
    ", name TEXT NOT NULL, local_queue " NAME ") STRICT;"
    "CREATE TABLE session (id INTEGER PRIMARY KEY, writer TEXT NOT NULL, began_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL, ended_ns INTEGER) STRICT;"
    "CREATE TABLE gap (id INTEGER PRIMARY KEY, began_ns INTEGER, ended_ns INTEGER NOT NULL, reason " NAME
    ", lost INTEGER NOT NULL) STRICT;"

    "CREATE TABLE decision (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, workload " WORKLOAD ", what " NAME
    ", cluster_queue " NAME ", reason " NAME ", message TEXT, since_ns INTEGER) STRICT;"
    "CREATE INDEX decision_at ON decision (at_ns);"
    "CREATE INDEX decision_workload ON decision (workload);"
    "CREATE TABLE outcome (decision INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, outcome " NAME ") STRICT;"
    "CREATE TABLE preemption (decision INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, victim " WORKLOAD
    ", victim_queue " NAME ", preemptor " WORKLOAD ", preemptor_queue " NAME ", rule " NAME
    ", victim_share_before REAL, victim_share_after REAL, preemptor_share_before REAL,"
    " preemptor_share_after REAL) STRICT;"
    "CREATE INDEX preemption_at ON preemption (at_ns);"
    "CREATE INDEX preemption_victim ON preemption (victim);"
    "CREATE INDEX preemption_preemptor ON preemption (preemptor);"
    "CREATE TABLE loss (decision INTEGER NOT NULL, flavor " NAME ", resource " NAME
    ", amount_s INTEGER NOT NULL, PRIMARY KEY (decision, flavor, resource)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE node (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind " NAME ", name " NAME
    ", parent " NAME ", there INTEGER NOT NULL) STRICT;"
    "CREATE TABLE quota (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind " NAME ", node " NAME
    ", flavor " NAME ", resource " NAME ", nominal INTEGER, borrowing_limit INTEGER,"
    " lending_limit INTEGER) STRICT;"

    "CREATE TABLE usage (id INTEGER PRIMARY KEY, workload " WORKLOAD ", cluster_queue " NAME ", flavor " NAME
    ", resource " NAME ", amount INTEGER NOT NULL, began_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL,"
    " end_reason " NAME ", inferred INTEGER NOT NULL, CHECK (ended_ns > began_ns)) STRICT;"
    "CREATE INDEX usage_ended ON usage (ended_ns);"
    "CREATE INDEX usage_workload ON usage (workload);"
    "CREATE TABLE loan (id INTEGER PRIMARY KEY, flavor " NAME ", resource " NAME ", borrower " NAME
    ", lender_kind " NAME ", lender " NAME ", amount INTEGER NOT NULL, began_ns INTEGER NOT NULL,"
    " ended_ns INTEGER NOT NULL, begin_reason " NAME ", end_reason " NAME
    ", inferred INTEGER NOT NULL, CHECK (ended_ns > began_ns)) STRICT;"
    "CREATE INDEX loan_ended ON loan (ended_ns);"

    "CREATE TABLE open_usage (workload " WORKLOAD ", cluster_queue " NAME ", flavor " NAME ", resource " NAME
    ", amount INTEGER NOT NULL, began_ns INTEGER NOT NULL, inferred INTEGER NOT NULL,"
    " PRIMARY KEY (workload, flavor, resource)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE open_loan (flavor " NAME ", resource " NAME ", borrower " NAME ", lender_kind " NAME
    ", lender " NAME ", amount INTEGER NOT NULL, began_ns INTEGER NOT NULL, begin_reason " NAME
    ", inferred INTEGER NOT NULL, PRIMARY KEY (borrower, lender_kind, lender, flavor, resource))"
    " STRICT, WITHOUT ROWID;"

    /* clang-format off */
    APPEND_ONLY("decision") APPEND_ONLY("outcome") APPEND_ONLY("preemption") APPEND_ONLY("loss")
    APPEND_ONLY("node") APPEND_ONLY("quota") APPEND_ONLY("usage") APPEND_ONLY("loan") APPEND_ONLY("gap");
/* clang-format on */

/* ---- version 2: views, for people who write SQL --------------------------------------------------------------------------- */

/* clang-format off */
#define TEXT_OF(column) "(SELECT text FROM name WHERE id = " column ")"
#define TIME_OF(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column " / 1000000000, 'unixepoch')"
#define UNIT_OF(column) "(SELECT per_unit FROM resources WHERE id = " column ")"
/* What is open counts until the file was written last. */
#define HOURS "amount * 1.0 / " UNIT_OF("i.resource") " * (coalesce(i.ended_ns, (SELECT max(last_ns) FROM session)) - i.began_ns) / 3600e9"

static const char views[] =
    "CREATE VIEW resources AS SELECT id, text AS resource_name, CASE WHEN text = 'cpu' THEN 1000"
    " WHEN text IN ('memory', 'ephemeral-storage') OR text LIKE 'hugepages-%' THEN 1073741824 ELSE 1 END AS per_unit FROM name;"

    "CREATE VIEW usages AS SELECT w.uid AS uid, " TEXT_OF("w.namespace") " AS namespace, w.name AS workload, "
    TEXT_OF("w.local_queue") " AS local_queue, " TEXT_OF("i.cluster_queue") " AS cluster_queue, "
    TEXT_OF("i.flavor") " AS flavor, " TEXT_OF("i.resource") " AS resource, i.amount AS amount, i.began_ns AS began_ns,"
    " i.ended_ns AS ended_ns, " TIME_OF("i.began_ns") " AS began, " TIME_OF("i.ended_ns") " AS ended, "
    HOURS " AS hours, " TEXT_OF("i.end_reason") " AS end_reason, i.inferred AS inferred FROM"
    " (SELECT workload, cluster_queue, flavor, resource, amount, began_ns, ended_ns, end_reason, inferred FROM usage"
    " UNION ALL"
    " SELECT workload, cluster_queue, flavor, resource, amount, began_ns, NULL, NULL, inferred FROM open_usage) i"
    " JOIN workload w ON w.id = i.workload;"

    "CREATE VIEW loans AS SELECT " TEXT_OF("i.flavor") " AS flavor, " TEXT_OF("i.resource") " AS resource, "
    TEXT_OF("i.borrower") " AS borrower, " TEXT_OF("i.lender_kind") " AS lender_kind, " TEXT_OF("i.lender") " AS lender,"
    " i.amount AS amount, i.began_ns AS began_ns, i.ended_ns AS ended_ns, " TIME_OF("i.began_ns") " AS began, "
    TIME_OF("i.ended_ns") " AS ended, " HOURS " AS hours, " TEXT_OF("i.begin_reason") " AS begin_reason, "
    TEXT_OF("i.end_reason") " AS end_reason, i.inferred AS inferred FROM"
    " (SELECT flavor, resource, borrower, lender_kind, lender, amount, began_ns, ended_ns, begin_reason, end_reason, inferred"
    " FROM loan UNION ALL"
    " SELECT flavor, resource, borrower, lender_kind, lender, amount, began_ns, NULL, begin_reason, NULL, inferred"
    " FROM open_loan) i;"

    "CREATE VIEW decisions AS SELECT d.id AS id, d.at_ns AS at_ns, " TIME_OF("d.at_ns") " AS at, w.uid AS uid, "
    TEXT_OF("w.namespace") " AS namespace, w.name AS workload, " TEXT_OF("w.local_queue") " AS local_queue, "
    TEXT_OF("d.what") " AS what, " TEXT_OF("d.cluster_queue") " AS cluster_queue, " TEXT_OF("d.reason") " AS reason,"
    " d.message AS message, (d.at_ns - d.since_ns) / 1e9 AS waited_s, " TEXT_OF("o.outcome") " AS outcome"
    " FROM decision d JOIN workload w ON w.id = d.workload LEFT JOIN outcome o ON o.decision = d.id;"

    "CREATE VIEW preemptions AS SELECT p.decision AS decision, p.at_ns AS at_ns, " TIME_OF("p.at_ns") " AS at, "
    TEXT_OF("v.namespace") " AS victim_namespace, v.name AS victim, " TEXT_OF("p.victim_queue") " AS victim_queue, "
    TEXT_OF("g.namespace") " AS preemptor_namespace, g.name AS preemptor, "
    TEXT_OF("p.preemptor_queue") " AS preemptor_queue, " TEXT_OF("p.rule") " AS rule, p.victim_share_before AS"
    " victim_share_before, p.victim_share_after AS victim_share_after, p.preemptor_share_before AS"
    " preemptor_share_before, p.preemptor_share_after AS preemptor_share_after, " TEXT_OF("l.flavor") " AS flavor, "
    TEXT_OF("l.resource") " AS resource, l.amount_s * 1.0 / " UNIT_OF("l.resource") " / 3600 AS lost_hours"
    " FROM preemption p JOIN workload v ON v.id = p.victim JOIN workload g ON g.id = p.preemptor"
    " LEFT JOIN loss l ON l.decision = p.decision;"

    "CREATE VIEW quotas AS SELECT at_ns, " TIME_OF("at_ns") " AS at, " TEXT_OF("kind") " AS kind, "
    TEXT_OF("node") " AS node, " TEXT_OF("flavor") " AS flavor, " TEXT_OF("resource") " AS resource, nominal,"
    " borrowing_limit, lending_limit FROM quota;"

    "CREATE VIEW gaps AS SELECT began_ns, ended_ns, " TIME_OF("began_ns") " AS began, " TIME_OF("ended_ns") " AS ended, "
    TEXT_OF("reason") " AS reason, lost FROM gap;";
/* clang-format on */

const char *const schema_steps[] = {tables, views, NULL};

/* ---- migration ------------------------------------------------------------------------------------------------------------ */

static int complain(sqlite3 *db, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s: %s", what, sqlite3_errmsg(db));
}

static int read_int(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    if (!rc && sqlite3_step(st) == SQLITE_ROW)
        *ret = sqlite3_column_int64(st, 0);
    else
        rc = SQLITE_ERROR;
    if (rc)
        (void)complain(db, "cannot be read", err);
    (void)sqlite3_finalize(st);
    return rc ? ERR_IO : 0;
}

static int count_of(const char *const *steps)
{
    int n = 0;

    while (steps[n])
        n++;
    return n;
}

/* An empty database becomes a ledger; any other must say that it is one. */
static int read_version(sqlite3 *db, const char *const *steps, int *ret, struct err *err)
{
    int64_t id = 0, version = 0, objects = 0;
    int n = count_of(steps), rc = read_int(db, "PRAGMA application_id", &id, err);

    if (!rc)
        rc = read_int(db, "PRAGMA user_version", &version, err);
    if (!rc)
        rc = read_int(db, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (rc)
        return rc;
    if (id != SCHEMA_ID && (objects || id || version))
        return err_set(err, ERR_INVALID, "a database, but not a ledger");
    if (version > n)
        return err_set(err, ERR_STATE,
                       "the ledger has version %" PRId64
                       " of a newer program; this one knows versions up to %d",
                       version, n);
    *ret = version < 0 ? 0 : (int)version;
    return 0;
}

static int run_step(sqlite3 *db, const char *sql, int version, struct err *err)
{
    char bump[96];

    (void)snprintf(bump, sizeof(bump), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   SCHEMA_ID, version);
    if (!sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) && !sqlite3_exec(db, sql, NULL, NULL, NULL) &&
        !sqlite3_exec(db, bump, NULL, NULL, NULL))
        return 0;
    return complain(db, "cannot be brought up to date", err);
}

int schema_migrate(struct sqlite3 *db, const char *const *steps, struct err *err)
{
    int version = 0, rc = read_version(db, steps, &version, err);

    while (!rc && steps[version]) {
        rc = run_step(db, steps[version], version + 1, err);
        version++;
    }
    return rc;
}

int schema_check(struct sqlite3 *db, const char *const *steps, struct err *err)
{
    int version = 0, rc = read_version(db, steps, &version, err);

    if (!rc && !version)
        return err_set(err, ERR_STATE, "not a ledger: the file is empty");
    if (!rc && version < count_of(steps))
        return err_set(err, ERR_STATE,
                       "the ledger has version %d of an older program: its writer brings it up to date",
                       version);
    return rc;
}
