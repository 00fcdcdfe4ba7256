#include "core/tree.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

struct tree *tree_new(uint32_t nnodes, uint32_t ncols, uint32_t nres)
{
    struct tree *t = mem_zalloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->nnodes = nnodes;
    t->ncols = ncols;
    t->nres = nres;
    t->nodes = mem_zalloc(nnodes, sizeof *t->nodes);
    t->fr = mem_zalloc(ncols, sizeof *t->fr);
    t->res_of_col = mem_zalloc(ncols, sizeof *t->res_of_col);
    t->res_name = mem_zalloc(nres, sizeof *t->res_name);
    t->cells = mem_zalloc((size_t)nnodes * ncols, sizeof *t->cells);
    t->lendable = mem_zalloc((size_t)nnodes * nres, sizeof *t->lendable);
    if (t->nodes && t->fr && t->res_of_col && t->res_name && t->cells && t->lendable)
        return t;
    tree_free(t);
    return NULL;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    mem_free(t->nodes);
    mem_free(t->fr);
    mem_free(t->res_of_col);
    mem_free(t->res_name);
    mem_free(t->cells);
    mem_free(t->lendable);
    mem_free(t->journal);
    mem_free(t);
}

/* ---- what follows from the quotas --------------------------------------------------------------------------------------- */

static void compute_cell_up(struct tree *t, uint32_t node, uint32_t col)
{
    struct cell *c = tree_cell(t, node, col);
    c->private_quota = c->has_lending ? amount_max(0, amount_sub(c->quota, c->lending)) : 0;
    uint32_t parent = t->nodes[node].parent;
    if (parent == TREE_NONE)
        return;
    struct cell *p = tree_cell(t, parent, col);
    p->quota = amount_add(p->quota, amount_sub(c->quota, c->private_quota));
    p->usage = amount_add(p->usage, amount_max(0, amount_sub(c->usage, c->private_quota)));
    p->declared |= c->declared;
}

static void compute_potential(struct tree *t, uint32_t node, uint32_t col)
{
    struct cell *c = tree_cell(t, node, col);
    uint32_t parent = t->nodes[node].parent;
    c->potential = c->quota;
    if (parent == TREE_NONE)
        return;
    c->potential = amount_add(c->private_quota, tree_cell(t, parent, col)->potential);
    if (c->has_borrowing)
        c->potential = amount_min(c->potential, amount_add(c->quota, c->borrowing));
}

static void compute_lendable(struct tree *t, uint32_t node)
{
    amount *lendable = &t->lendable[(uint64_t)node * t->nres];
    uint32_t parent = t->nodes[node].parent;
    if (parent == TREE_NONE)
        return;
    for (uint32_t col = 0; col < t->ncols; col++) {
        if (!tree_cell(t, 0, col)->declared)
            continue;
        amount *sum = &lendable[t->res_of_col[col]];
        *sum = amount_add(*sum, tree_cell(t, parent, col)->potential);
    }
}

void tree_compute(struct tree *t)
{
    memset(t->lendable, 0, (size_t)t->nnodes * t->nres * sizeof *t->lendable);
    for (uint32_t i = 0; i < t->nnodes; i++) {
        uint32_t parent = t->nodes[i].parent;
        t->nodes[i].depth = parent == TREE_NONE ? 0 : t->nodes[parent].depth + 1;
        for (uint32_t col = 0; col < t->ncols; col++) {
            struct cell *c = tree_cell(t, i, col);
            c->quota = c->nominal;
            c->declared = c->own;
            if (t->nodes[i].cq == TREE_NONE)
                c->usage = 0;
        }
    }
    for (uint32_t i = t->nnodes; i-- > 0;)
        for (uint32_t col = 0; col < t->ncols; col++)
            compute_cell_up(t, i, col);
    for (uint32_t i = 0; i < t->nnodes; i++) {
        for (uint32_t col = 0; col < t->ncols; col++)
            compute_potential(t, i, col);
        compute_lendable(t, i);
    }
    tree_compute_heights(t);
}

void tree_compute_heights(struct tree *t)
{
    for (uint32_t i = t->nnodes; i-- > 0;) {
        struct tree_node *n = &t->nodes[i];
        n->height = 0;
        if (n->cq != TREE_NONE)
            continue;
        for (uint32_t c = i + 1; c < n->end; c = t->nodes[c].end) {
            const struct tree_node *child = &t->nodes[c];
            uint32_t h = child->cq == TREE_NONE ? child->height + 1 : (child->active ? 1 : 0);
            if (h > n->height)
                n->height = h;
        }
    }
}

uint32_t tree_col(const struct tree *t, uint32_t fr)
{
    uint32_t lo = 0, hi = t->ncols;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (t->fr[mid] < fr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->ncols && t->fr[lo] == fr ? lo : TREE_NONE;
}

/* ---- usage and its journal ------------------------------------------------------------------------------------------------ */

static void set_usage(struct tree *t, struct cell *c, amount usage)
{
    if (t->journaling) {
        if (t->njournal == t->cap_journal &&
            mem_grow((void **)&t->journal, &t->cap_journal, t->njournal + 1, sizeof *t->journal))
            longjmp(*t->scratch->bail, 1);
        t->journal[t->njournal++] = (struct tree_undo){(uint32_t)(c - t->cells), c->usage};
    }
    c->usage = usage;
}

void tree_charge(struct tree *t, uint32_t node, uint32_t col, amount v)
{
    for (;;) {
        struct cell *c = tree_cell(t, node, col);
        amount local = tree_private_free(c);
        set_usage(t, c, amount_add(c->usage, v));
        node = t->nodes[node].parent;
        if (node == TREE_NONE || v <= local)
            return;
        v = amount_sub(v, local);
    }
}

void tree_discharge(struct tree *t, uint32_t node, uint32_t col, amount v)
{
    for (;;) {
        struct cell *c = tree_cell(t, node, col);
        amount stored = amount_sub(c->usage, c->private_quota);
        set_usage(t, c, amount_sub(c->usage, v));
        node = t->nodes[node].parent;
        if (node == TREE_NONE || stored <= 0)
            return;
        v = amount_min(v, stored);
    }
}

uint32_t tree_begin(struct tree *t)
{
    t->journaling++;
    return t->njournal;
}

void tree_undo(struct tree *t, uint32_t mark)
{
    while (t->njournal > mark) {
        const struct tree_undo *u = &t->journal[--t->njournal];
        t->cells[u->cell].usage = u->usage;
    }
    t->journaling--;
}

/* ---- questions -------------------------------------------------------------------------------------------------------------- */

amount tree_available(const struct tree *t, uint32_t node, uint32_t col)
{
    const struct cell *c = tree_cell(t, node, col);
    uint32_t parent = t->nodes[node].parent;
    if (parent == TREE_NONE)
        return amount_sub(c->quota, c->usage);
    amount p = tree_available(t, parent, col);
    if (c->has_borrowing) {
        amount visible_quota = amount_sub(c->quota, c->private_quota);
        amount visible_usage = amount_max(0, amount_sub(c->usage, c->private_quota));
        p = amount_min(p, amount_add(amount_sub(visible_quota, visible_usage), c->borrowing));
    }
    return amount_add(tree_private_free(c), p);
}

bool tree_over(const struct tree *t, uint32_t node, uint32_t col, amount v)
{
    const struct cell *c = tree_cell(t, node, col);
    return amount_add(c->usage, v) > (t->nodes[node].cq != TREE_NONE ? c->nominal : c->quota);
}

bool tree_within(const struct tree *t, uint32_t node, const uint32_t *cols, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct cell *c = tree_cell(t, node, cols[i]);
        if (c->usage > c->quota)
            return false;
    }
    return true;
}

struct tree_level tree_borrow_level(const struct tree *t, uint32_t node, uint32_t col, amount v)
{
    uint32_t a = t->nodes[node].parent;
    if (a == TREE_NONE || !tree_over(t, node, col, v))
        return (struct tree_level){0, a != TREE_NONE};
    amount rem = amount_sub(v, tree_private_free(tree_cell(t, node, col)));
    for (;;) {
        const struct tree_node *n = &t->nodes[a];
        if (!tree_over(t, a, col, rem))
            return (struct tree_level){n->height, n->parent != TREE_NONE};
        if (n->parent == TREE_NONE)
            return (struct tree_level){n->height, false};
        rem = amount_sub(rem, tree_private_free(tree_cell(t, a, col)));
        a = n->parent;
    }
}

void tree_branches(const struct tree *t, uint32_t a, uint32_t b, uint32_t *ret_a, uint32_t *ret_b)
{
    const struct tree_node *n = t->nodes;
    while (n[a].parent != n[b].parent) {
        if (n[a].depth > n[b].depth)
            a = n[a].parent;
        else if (n[b].depth > n[a].depth)
            b = n[b].parent;
        else {
            a = n[a].parent;
            b = n[b].parent;
        }
    }
    *ret_a = a;
    *ret_b = b;
}

/* ---- shares (8.1) ------------------------------------------------------------------------------------------------------------ */

static amount cell_borrowed(const struct cell *c)
{
    return c->declared ? amount_max(0, amount_sub(c->usage, c->quota)) : 0;
}

/* Columns are ordered by pair, not by resource; a tree has few of them, so each resource looks at all. */
static amount borrowed_of(const struct tree *t, uint32_t node, uint32_t res)
{
    amount sum = 0;
    for (uint32_t col = 0; col < t->ncols; col++)
        if (t->res_of_col[col] == res)
            sum = amount_add(sum, cell_borrowed(tree_cell(t, node, col)));
    return sum;
}

struct share tree_share(const struct tree *t, uint32_t node)
{
    struct share s = {.weight = t->nodes[node].weight};
    if (t->nodes[node].parent == TREE_NONE)
        return s;
    for (uint32_t res = 0; res < t->nres; res++) {
        amount borrowed = borrowed_of(t, node, res);
        if (borrowed <= 0)
            continue;
        s.borrowing = true;
        amount lendable = t->lendable[(uint64_t)node * t->nres + res];
        if (lendable <= 0)
            continue;
        double ratio = (double)borrowed * 1000.0 / (double)lendable;
        if (ratio > s.ratio) {
            s.ratio = ratio;
            s.dominant = t->res_name[res];
        }
    }
    return s;
}

bool tree_borrowing_on(const struct tree *t, uint32_t node, const uint32_t *cols, uint32_t n)
{
    if (t->nodes[node].parent == TREE_NONE)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (cell_borrowed(tree_cell(t, node, cols[i])) > 0)
            return true;
    return false;
}

double share_weighted(struct share s)
{
    if (s.ratio == 0)
        return 0;
    return s.weight == 0 ? INFINITY : s.ratio / s.weight;
}

static int compare_doubles(double a, double b)
{
    return (a > b) - (a < b);
}

int share_compare(struct share a, struct share b)
{
    bool za = a.weight == 0 && a.ratio != 0, zb = b.weight == 0 && b.ratio != 0;
    if (za && zb)
        return compare_doubles(a.ratio, b.ratio);
    if (za != zb)
        return za ? 1 : -1;
    return compare_doubles(share_weighted(a), share_weighted(b));
}

int64_t share_status(struct share s)
{
    double w = ceil(share_weighted(s));
    return w >= 9223372036854775807.0 ? INT64_MAX : (int64_t)w;
}
