/* The table of queues: a line for each flavor and resource of each ClusterQueue, and for each cohort that lends quota of its own. */
#include "cli/report_priv.h"

#include "base/mem.h"
#include "core/loans.h"
#include "core/tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every loan, once by borrower and once by lender. */
struct book {
    const struct world *w;
    const struct loan **by_borrower; /* owned array, in order of borrowers */
    uint32_t n, cap;
    bool failed;
    uint32_t cq; /* name id, while its loans are taken down */
};

static void take_loans(const struct cq_use *u, void *arg)
{
    struct book *b = arg;

    for (const struct loan *l = loans_next(world_loans(b->w), u->fr, b->cq, NULL); l;
         l = loans_next(world_loans(b->w), u->fr, b->cq, l)) {
        if (mem_grow((void **)&b->by_borrower, &b->cap, b->n + 1, sizeof(*b->by_borrower))) {
            b->failed = true;
            return;
        }
        b->by_borrower[b->n++] = l;
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

struct rows {
    struct table *t;
    const struct book *b;
    struct str cell;
    struct loan_lender self;
    const char *name, *cohort;
    char share[40]; /* this and the cohort only with wide */
    bool wide;
};

static const char *lender_name(const struct book *b, struct loan_lender l)
{
    return names_text(world_names(b->w), l.name);
}

static void put_borrowed(struct str *out, const struct rows *r, uint32_t fr, const char *resource)
{
    const char *comma = "";

    for (uint32_t i = 0; i < r->b->n; i++) {
        const struct loan *l = r->b->by_borrower[i];
        if (l->fr != fr || l->borrower != r->self.name || r->self.kind != LOAN_CLUSTER_QUEUE)
            continue;
        str_add(out, comma);
        comma = ", ";
        report_amount(out, resource, l->amount);
        switch (l->lender.kind) {
        case LOAN_CLUSTER_QUEUE:
            str_addf(out, " from %s", lender_name(r->b, l->lender));
            break;
        case LOAN_COHORT:
            str_addf(out, " from cohort %s", lender_name(r->b, l->lender));
            break;
        case LOAN_UNLIMITED:
            str_add(out, " from unlimited quota");
            break;
        case LOAN_OVERDRAFT:
            str_add(out, " over all quota, from nobody");
            break;
        }
    }
}

static void put_lent(struct str *out, const struct rows *r, uint32_t fr, const char *resource)
{
    const char *comma = "";

    for (uint32_t i = 0; i < r->b->n; i++) {
        const struct loan *l = r->b->by_borrower[i];
        if (l->fr != fr || l->lender.kind != r->self.kind || l->lender.name != r->self.name)
            continue;
        str_add(out, comma);
        comma = ", ";
        report_amount(out, resource, l->amount);
        str_addf(out, " to %s", names_text(world_names(r->b->w), l->borrower));
    }
}

static void amount_cell(struct rows *r, const char *resource, amount v)
{
    str_clear(&r->cell);
    report_amount(&r->cell, resource, v);
    table_cell(r->t, str_text(&r->cell));
}

static void loan_cells(struct rows *r, uint32_t fr, const char *resource)
{
    str_clear(&r->cell);
    put_borrowed(&r->cell, r, fr, resource);
    table_cell(r->t, r->cell.len ? str_text(&r->cell) : "-");
    str_clear(&r->cell);
    put_lent(&r->cell, r, fr, resource);
    table_cell(r->t, r->cell.len ? str_text(&r->cell) : "-");
}

static void name_cells(struct rows *r)
{
    table_cell(r->t, r->name);
    if (!r->wide)
        return;
    table_cell(r->t, r->cohort);
    table_cell(r->t, r->share);
}

static void queue_row(const struct cq_use *u, void *arg)
{
    struct rows *r = arg;

    name_cells(r);
    table_cell(r->t, u->flavor);
    table_cell(r->t, u->resource);
    amount_cell(r, u->resource, u->nominal);
    amount_cell(r, u->resource, u->reserved);
    loan_cells(r, u->fr, u->resource);
}

/* A pair of a cohort, when something of it is lent. */
static void cohort_row(struct rows *r, const struct cell *c, uint32_t fr)
{
    struct pair_names p = world_pair(r->b->w, fr);

    if (!c->own || loans_lent(world_loans(r->b->w), fr, r->self) <= 0)
        return;
    name_cells(r);
    table_cell(r->t, p.flavor);
    table_cell(r->t, p.resource);
    amount_cell(r, p.resource, c->nominal);
    table_cell(r->t, "-");
    loan_cells(r, fr, p.resource);
}

static void cohort_rows(struct rows *r, const struct tree *t, uint32_t node)
{
    struct str name;

    str_init(&name, 0);
    str_addf(&name, "cohort %s", names_text(world_names(r->b->w), t->nodes[node].name));
    r->name = str_text(&name);
    r->self = (struct loan_lender){LOAN_COHORT, t->nodes[node].name};
    for (uint32_t col = 0; col < t->ncols; col++)
        cohort_row(r, tree_cell(t, node, col), t->fr[col]);
    str_free(&name);
}

/* The weighted share of engine.md 8.1, as in the status of queues. */
static void put_share(char *buf, size_t size, const struct tree *t, uint32_t node, bool known)
{
    struct share share = known ? tree_share(t, node) : (struct share){0};

    if (!known)
        (void)snprintf(buf, size, "-");
    else if (isinf(share_weighted(share)))
        (void)snprintf(buf, size, "infinite");
    else
        (void)snprintf(buf, size, "%lld", (long long)share_status(share));
}

static void all_rows(struct rows *r, struct world *w, uint32_t n, const uint32_t *order)
{
    const struct tree *t;

    for (uint32_t i = 0; i < n; i++) {
        const struct cq_view v = world_cq(w, order[i]);
        r->name = v.name;
        r->cohort = *v.cohort ? v.cohort : "-";
        put_share(r->share, sizeof(r->share), v.tree, v.node, v.in_snapshot);
        r->self = (struct loan_lender){LOAN_CLUSTER_QUEUE, names_find(world_names(w), r->name)};
        world_cq_uses(w, order[i], queue_row, r);
    }
    for (uint32_t i = 0; (t = world_tree(w, i)); i++) {
        for (uint32_t k = 0; k < t->nnodes; k++) {
            if (t->nodes[k].cq != TREE_NONE)
                continue;
            bool has_parent = t->nodes[k].parent != TREE_NONE;
            r->cohort = has_parent ? names_text(world_names(w), t->nodes[t->nodes[k].parent].name) : "-";
            put_share(r->share, sizeof(r->share), t, k, !t->cyclic);
            cohort_rows(r, t, k);
        }
    }
}

static void put_inactive(const struct world *w, uint32_t n, const uint32_t *order, struct str *out)
{
    const char *reason;
    struct str why;

    str_init(&why, 0);
    for (uint32_t i = 0; i < n; i++) {
        str_clear(&why);
        if (!world_cq_active(w, order[i], &reason, &why))
            str_addf(out, "ClusterQueue %s: %s\n", world_cq(w, order[i]).name, str_text(&why));
    }
    str_free(&why);
}

void report_queues(struct report *rep, struct report_style style, struct str *out)
{
    static const char *const heads[] = {"CLUSTERQUEUE", "FLAVOR",  "RESOURCE", "QUOTA",
                                        "USED",         "BORROWS", "LENDS",    NULL};
    static const char *const more[] = {"COHORT", "SHARE", NULL};
    struct world *w = sim_world(rep->sim);
    struct book book = {.w = w};
    struct table t;
    struct rows rows = {.t = &t, .b = &book, .wide = style.wide};
    uint32_t n, first = style.wide ? 5 : 3;
    const uint32_t *order = world_cq_order(w, &n);

    for (uint32_t i = 0; i < n; i++) {
        book.cq = names_find(world_names(w), world_cq(w, order[i]).name);
        world_cq_uses(w, order[i], take_loans, &book);
    }
    table_init(&t, first + 4, style.width, style.colors);
    t.right[first] = t.right[first + 1] = true;
    t.right[2] = style.wide;
    report_heads(&t, heads, more, style.wide);
    str_init(&rows.cell, 0);
    all_rows(&rows, w, n, order);
    table_print(&t, out);
    put_inactive(w, n, order, out);
    if (book.failed || str_failed(&rows.cell))
        out->failed = true;
    str_free(&rows.cell);
    table_free(&t);
    mem_free(book.by_borrower);
}
