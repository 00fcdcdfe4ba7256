/* What a writer that starts must know of what was written before. */
#include "ledger/ledger_priv.h"

#include "base/mem.h"

/* clang-format off */
#define TEXT_OF(column) "(SELECT text FROM name WHERE id = " column ")"
static const char usage_sql[] =
    "SELECT w.uid, " TEXT_OF("w.namespace") ", w.name, " TEXT_OF("w.local_queue") ", " TEXT_OF("cluster_queue") ", "
    TEXT_OF("flavor") ", " TEXT_OF("resource") ", amount, began_ns, inferred FROM open_usage"
    " JOIN workload w ON w.id = workload";
static const char loans_sql[] =
    "SELECT " TEXT_OF("flavor") ", " TEXT_OF("resource") ", " TEXT_OF("borrower") ", " TEXT_OF("lender_kind") ", "
    TEXT_OF("lender") ", amount, began_ns, " TEXT_OF("begin_reason") ", inferred FROM open_loan";
static const char quotas_sql[] =
    "SELECT at_ns, " TEXT_OF("kind") ", " TEXT_OF("node") ", " TEXT_OF("flavor") ", " TEXT_OF("resource") ", nominal,"
    " borrowing_limit, lending_limit FROM quota WHERE nominal IS NOT NULL"
    " AND id IN (SELECT max(id) FROM quota GROUP BY kind, node, flavor, resource)";
static const char nodes_sql[] =
    "SELECT " TEXT_OF("kind") ", " TEXT_OF("name") ", " TEXT_OF("parent") " FROM node WHERE there"
    " AND id IN (SELECT max(id) FROM node GROUP BY kind, name)";
/* clang-format on */

int ledger_last_decision(struct ledger *l, uint64_t *ret, struct err *err)
{
    int64_t id = 0;
    int rc = l->db ? ledger_ask(l, "SELECT max(id) FROM decision", &id, err)
                   : err_set(err, ERR_STATE, "%s: is not open", l->path);

    /* An outcome or receipt of a decision that went with a lost batch counts, too: ids are never given twice. */
    int64_t outcome = 0, preemption = 0;
    if (!rc)
        rc = ledger_ask(l, "SELECT max(decision) FROM outcome", &outcome, err);
    if (!rc)
        rc = ledger_ask(l, "SELECT max(decision) FROM preemption", &preemption, err);
    id = id < outcome ? outcome : id;
    *ret = (uint64_t)(id < preemption ? preemption : id);
    return rc;
}

int ledger_kept_until(struct ledger *l, when_ns *ret, struct err *err)
{
    *ret = l->kept_until;
    return l->db ? 0 : err_set(err, ERR_STATE, "%s: is not open", l->path);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static const char *text(sqlite3_stmt *st, int column)
{
    const unsigned char *t = sqlite3_column_text(st, column);

    return t ? (const char *)t : "";
}

struct recall {
    union {
        int (*usage)(void *arg, const struct row_usage *u);
        int (*loan)(void *arg, const struct row_loan *u);
        int (*quota)(void *arg, const struct row_quota *q);
        int (*node)(void *arg, const char *kind, const char *node, const char *parent);
    };
    void *arg;
};

static int recall(struct ledger *l, const char *sql, int (*row)(sqlite3_stmt *st, const struct recall *c),
                  const struct recall *c, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0, code = SQLITE_DONE;

    if (!l->db)
        return err_set(err, ERR_STATE, "%s: is not open", l->path);
    if (sqlite3_prepare_v2(l->db, sql, -1, &st, NULL))
        return ledger_fail(l, "cannot be read", err);
    while (!rc && (code = sqlite3_step(st)) == SQLITE_ROW)
        rc = row(st, c);
    if (rc)
        (void)err_set(err, rc, "what %s remembers cannot be taken in: %s", l->path, err_name(rc));
    else if (code != SQLITE_DONE)
        rc = ledger_fail(l, "cannot be read", err);
    (void)sqlite3_finalize(st);
    return rc;
}

static int row_usage(sqlite3_stmt *st, const struct recall *c)
{
    const struct row_usage u = {
        .workload = {text(st, 0), text(st, 1), text(st, 2), text(st, 3)},
        .cluster_queue = text(st, 4),
        .flavor = text(st, 5),
        .resource = text(st, 6),
        .amount = sqlite3_column_int64(st, 7),
        .began = sqlite3_column_int64(st, 8),
        .inferred = sqlite3_column_int(st, 9) != 0,
    };
    return c->usage(c->arg, &u);
}

int ledger_recall_usage(struct ledger *l, int (*each)(void *arg, const struct row_usage *u), void *arg,
                        struct err *err)
{
    const struct recall c = {.usage = each, .arg = arg};

    return recall(l, usage_sql, row_usage, &c, err);
}

static int row_loan(sqlite3_stmt *st, const struct recall *c)
{
    const struct row_loan u = {
        .flavor = text(st, 0),
        .resource = text(st, 1),
        .borrower = text(st, 2),
        .lender_kind = text(st, 3),
        .lender = text(st, 4),
        .amount = sqlite3_column_int64(st, 5),
        .began = sqlite3_column_int64(st, 6),
        .begin = text(st, 7),
        .inferred = sqlite3_column_int(st, 8) != 0,
    };
    return c->loan(c->arg, &u);
}

int ledger_recall_loans(struct ledger *l, int (*each)(void *arg, const struct row_loan *u), void *arg,
                        struct err *err)
{
    const struct recall c = {.loan = each, .arg = arg};

    return recall(l, loans_sql, row_loan, &c, err);
}

static int row_quota(sqlite3_stmt *st, const struct recall *c)
{
    const amount nominal = sqlite3_column_int64(st, 5), borrowing = sqlite3_column_int64(st, 6),
                 lending = sqlite3_column_int64(st, 7);
    const struct row_quota q = {
        .at = sqlite3_column_int64(st, 0),
        .kind = text(st, 1),
        .node = text(st, 2),
        .flavor = text(st, 3),
        .resource = text(st, 4),
        .nominal = &nominal,
        .borrowing = sqlite3_column_type(st, 6) == SQLITE_NULL ? NULL : &borrowing,
        .lending = sqlite3_column_type(st, 7) == SQLITE_NULL ? NULL : &lending,
    };
    return c->quota(c->arg, &q);
}

int ledger_recall_quotas(struct ledger *l, int (*each)(void *arg, const struct row_quota *q), void *arg,
                         struct err *err)
{
    const struct recall c = {.quota = each, .arg = arg};

    return recall(l, quotas_sql, row_quota, &c, err);
}

static int row_node(sqlite3_stmt *st, const struct recall *c)
{
    return c->node(c->arg, text(st, 0), text(st, 1), text(st, 2));
}

int ledger_recall_nodes(struct ledger *l,
                        int (*each)(void *arg, const char *kind, const char *node, const char *parent),
                        void *arg, struct err *err)
{
    const struct recall c = {.node = each, .arg = arg};

    return recall(l, nodes_sql, row_node, &c, err);
}
