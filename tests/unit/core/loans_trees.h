/* Trees of one column built from rows: what the tests of loans share. */
#ifndef SLUICE_TEST_LOANS_TREES_H
#define SLUICE_TEST_LOANS_TREES_H

#include "base/names.h"
#include "core/tree.h"

#include <check.h>

#define FR 7
#define UNL AMOUNT_UNLIMITED
#define NO (-1) /* no such limit */
#define TOP TREE_NONE

/* A node, depth first. Cohorts have names in capitals here. */
struct row {
    const char *name;
    uint32_t parent; /* row */
    amount nominal, borrowing, lending, usage;
};

static struct names *names;

static uint32_t id(const char *s)
{
    uint32_t r;
    ck_assert_int_eq(names_id(names, s, &r), 0);
    return r;
}

static bool is_cohort(const struct row *r)
{
    return r->name[0] >= 'A' && r->name[0] <= 'Z';
}

static void fill_row(struct tree *t, uint32_t i, const struct row *r)
{
    struct tree_node *n = &t->nodes[i];
    struct cell *c = tree_cell(t, i, 0);
    n->name = id(r->name);
    n->parent = r->parent;
    n->cq = is_cohort(r) ? TREE_NONE : i;
    n->active = true;
    n->weight = 1;
    n->end = i + 1;
    for (uint32_t p = r->parent; p != TREE_NONE; p = t->nodes[p].parent)
        t->nodes[p].end = i + 1;
    c->nominal = r->nominal;
    c->has_borrowing = r->borrowing != NO;
    c->borrowing = c->has_borrowing ? r->borrowing : 0;
    c->has_lending = r->lending != NO;
    c->lending = c->has_lending ? r->lending : 0;
    c->own = true;
    c->usage = r->usage;
}

static struct tree *build_fr(const struct row *rows, uint32_t n, uint32_t fr)
{
    struct tree *t = tree_new(n, 1, 1);
    ck_assert_ptr_nonnull(t);
    t->fr[0] = fr;
    for (uint32_t i = 0; i < n; i++)
        fill_row(t, i, &rows[i]);
    tree_compute(t);
    return t;
}

static struct tree *build(const struct row *rows, uint32_t n)
{
    return build_fr(rows, n, FR);
}

#endif
