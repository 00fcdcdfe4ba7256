/* Quotas and nodes as they were written last. */
#include "ledger/book_priv.h"

#include "core/tree.h"

#include <string.h>

static const char *kind_name(const struct book_quota_key *k)
{
    return k->cohort ? "Cohort" : "ClusterQueue";
}

void book_free_quotas(struct book *b)
{
    struct book_quota *q, *next;

    HASH_ITER (hh, b->quotas, q, next) {
        HASH_DEL(b->quotas, q);
        mem_free(q);
    }
}

static bool is_node(const struct book_quota *q)
{
    return q->key.flavor == NONE;
}

static bool same(const struct book_quota *a, const struct book_quota *b)
{
    return a->parent == b->parent && a->nominal == b->nominal && a->has_borrowing == b->has_borrowing &&
           a->has_lending == b->has_lending && (!a->has_borrowing || a->borrowing == b->borrowing) &&
           (!a->has_lending || a->lending == b->lending);
}

static void write_quota(const struct book *b, const struct book_quota *q, bool there, when_ns now,
                        struct rows *r)
{
    if (is_node(q)) {
        rows_node(r, now, kind_name(&q->key), book_text(b, q->key.node), book_text(b, q->parent), there);
        return;
    }
    const struct row_quota row = {
        .at = now,
        .kind = kind_name(&q->key),
        .node = book_text(b, q->key.node),
        .flavor = book_text(b, q->key.flavor),
        .resource = book_text(b, q->key.resource),
        .nominal = there ? &q->nominal : NULL,
        .borrowing = there && q->has_borrowing ? &q->borrowing : NULL,
        .lending = there && q->has_lending ? &q->lending : NULL,
    };
    rows_quota(r, &row);
}

static int put(struct book *b, const struct book_quota *now_is, struct book_quota **ret, bool *ret_changed)
{
    struct book_quota *q;

    HASH_FIND(hh, b->quotas, &now_is->key, sizeof(now_is->key), q);
    *ret_changed = !q || !same(q, now_is);
    if (!q) {
        q = mem_zalloc(1, sizeof(*q));
        if (!q)
            return ERR_NOMEM;
        q->key = now_is->key;
        HASH_ADD(hh, b->quotas, key, sizeof(q->key), q);
        if (!q->hh.tbl) {
            mem_free(q);
            return ERR_NOMEM;
        }
    }
    q->nominal = now_is->nominal;
    q->borrowing = now_is->borrowing;
    q->lending = now_is->lending;
    q->has_borrowing = now_is->has_borrowing;
    q->has_lending = now_is->has_lending;
    q->parent = now_is->parent;
    q->seen = b->round;
    *ret = q;
    return 0;
}

static int take_in(struct book *b, const struct book_quota *now_is, when_ns now, struct rows *r)
{
    struct book_quota *q;
    bool changed;
    int rc = put(b, now_is, &q, &changed);

    if (!rc && changed)
        write_quota(b, q, true, now, r);
    return rc;
}

static int take_node(struct book *b, const struct tree *t, uint32_t node, when_ns now, struct rows *r)
{
    const struct tree_node *n = &t->nodes[node];
    const uint32_t cohort = n->cq == TREE_NONE;
    struct book_quota q = {.key = {cohort, n->name, NONE, NONE}};

    q.parent = n->parent == TREE_NONE ? 0 : t->nodes[n->parent].name;
    int rc = take_in(b, &q, now, r);
    for (uint32_t col = 0; col < t->ncols && !rc; col++) {
        const struct cell *c = tree_cell(t, node, col);
        struct pair_names p = world_pair(b->w, t->fr[col]);
        if (!c->own)
            continue;
        q = (struct book_quota){.key = {cohort, n->name, 0, 0},
                                .nominal = c->nominal,
                                .borrowing = c->borrowing,
                                .lending = c->lending,
                                .has_borrowing = c->has_borrowing,
                                .has_lending = c->has_lending};
        rc = book_name(b, p.flavor, &q.key.flavor);
        if (!rc)
            rc = book_name(b, p.resource, &q.key.resource);
        if (!rc)
            rc = take_in(b, &q, now, r);
    }
    return rc;
}

static void end_unseen(struct book *b, when_ns now, struct rows *r)
{
    struct book_quota *q, *next;

    HASH_ITER (hh, b->quotas, q, next) {
        if (q->seen == b->round)
            continue;
        write_quota(b, q, false, now, r);
        HASH_DEL(b->quotas, q);
        mem_free(q);
    }
}

int book_quotas(struct book *b, when_ns now, struct rows *r, struct err *err)
{
    const struct tree *t;
    int rc = 0;

    b->round++;
    for (uint32_t i = 0; (t = world_tree(b->w, i)) && !rc; i++)
        for (uint32_t node = 0; node < t->nnodes && !rc; node++)
            if (t->nodes[node].name)
                rc = take_node(b, t, node, now, r);
    if (rc)
        return err_set(err, rc, "out of memory for the book");
    end_unseen(b, now, r);
    return 0;
}

/* ---- start -------------------------------------------------------------------------------------------------------------- */

int book_recall_quota(struct book *b, const struct row_quota *u)
{
    struct book_quota q = {.key = {.cohort = !strcmp(u->kind, "Cohort")}, .nominal = *u->nominal}, *ret;
    bool changed;

    q.has_borrowing = u->borrowing != NULL;
    q.has_lending = u->lending != NULL;
    q.borrowing = u->borrowing ? *u->borrowing : 0;
    q.lending = u->lending ? *u->lending : 0;
    if (book_name(b, u->node, &q.key.node) || book_name(b, u->flavor, &q.key.flavor) ||
        book_name(b, u->resource, &q.key.resource))
        return ERR_NOMEM;
    return put(b, &q, &ret, &changed);
}

int book_recall_node(struct book *b, const char *kind, const char *node, const char *parent)
{
    struct book_quota q = {.key = {!strcmp(kind, "Cohort"), 0, NONE, NONE}}, *ret;
    bool changed;

    if (book_name(b, node, &q.key.node) || book_name(b, parent, &q.parent))
        return ERR_NOMEM;
    return put(b, &q, &ret, &changed);
}
