/* The quota tree (engine.md 3): one tree a root cohort (or ClusterQueue without cohort), as arrays of nodes x flavor-resource pairs.
 * Nodes lie in depth-first order, a cohort before its children, child cohorts before ClusterQueues, each by name: a subtree is a
 * range. Usage moves up incrementally; searches mutate the tree and undo through a journal. Nothing copies it. */
#ifndef SLUICE_CORE_TREE_H
#define SLUICE_CORE_TREE_H

#include "base/amount.h"
#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define TREE_NONE UINT32_MAX

/* One node x flavor-resource pair (3.1). */
struct cell {
    amount nominal, borrowing, lending; /* limits are meaningful only with has_* */
    amount quota;                       /* treeQuota */
    amount private_quota;               /* the part the parent never sees */
    amount potential;                   /* 3.3, as if nothing was used */
    amount usage;
    bool has_borrowing, has_lending;
    bool declared; /* this node or a descendant names the pair: an entry of the treeQuota map */
    bool own;      /* this node itself names the pair */
};

struct tree_node {
    uint32_t name;   /* id; 0 for none */
    uint32_t parent; /* TREE_NONE at the root */
    uint32_t end;    /* one past the last node of the subtree */
    uint32_t depth;  /* 0 at the root */
    uint32_t height; /* 3.5 */
    uint32_t cq;     /* index of the ClusterQueue in the world, TREE_NONE for a cohort */
    bool active;     /* is in the scheduling snapshot (3.6); cohorts always are */
    double weight;   /* fairSharing.weight */
};

struct tree_undo {
    uint32_t cell;
    amount usage;
};

struct tree {
    struct tree_node *nodes;
    uint32_t nnodes;
    uint32_t *fr; /* pair of each column, ascending ids */
    uint32_t ncols;
    uint32_t *res_of_col; /* column -> index of its resource within the tree */
    uint32_t *res_name;   /* that index -> name id; in byte order of the names */
    uint32_t nres;
    struct cell *cells; /* nnodes x ncols */
    amount *lendable;   /* nnodes x nres: 8.1, what the parent could lend; 0 at the root */
    struct tree_undo *journal;
    uint32_t njournal, cap_journal;
    uint32_t journaling;   /* > 0: charges are recorded */
    struct arena *scratch; /* its bail is taken when the journal cannot grow; borrowed */
    bool
        dirty; /* an object of it changed or went: its ClusterQueues get a new generation when it is rebuilt */
    bool changed, requota; /* usage, quotas changed since loans were settled */
    bool cyclic;           /* stands for a ClusterQueue whose parents form a cycle (9.7) */
};

/* A tree of that size with all cells zero; owned. NULL when memory is exhausted. The caller fills nodes (name, parent, end, cq, active,
 * weight), fr, res_of_col, res_name and the cells' nominal, limits, own and, for ClusterQueues, usage; then tree_compute. */
struct tree *tree_new(uint32_t nnodes, uint32_t ncols, uint32_t nres);
void tree_free(struct tree *t);
/* Everything that follows from quotas and ClusterQueue usage: treeQuota, private quota, potential, cohort usage, lendable, depth. */
void tree_compute(struct tree *t);
/* Heights, after `active` of a node changed (3.5). */
void tree_compute_heights(struct tree *t);

/* The column of a pair, TREE_NONE if the tree does not know it. */
uint32_t tree_col(const struct tree *t, uint32_t fr);
static inline struct cell *tree_cell(const struct tree *t, uint32_t node, uint32_t col)
{
    return &t->cells[(uint64_t)node * t->ncols + col];
}

/* 3.2. A charge `v` < 0, as a reservation over its limit makes it (5.5 step 4), stays in the node; a discharge is >= 0. */
void tree_charge(struct tree *t, uint32_t node, uint32_t col, amount v);
void tree_discharge(struct tree *t, uint32_t node, uint32_t col, amount v);

/* Starts (or nests) recording; returns the mark to undo to. Every tree_begin is matched by one tree_undo. */
uint32_t tree_begin(struct tree *t);
void tree_undo(struct tree *t, uint32_t mark);

/* 3.3: may be negative. tree_fit is max(0, available): the value of fit checks. */
amount tree_available(const struct tree *t, uint32_t node, uint32_t col);
static inline amount tree_fit(const struct tree *t, uint32_t node, uint32_t col)
{
    return amount_max(0, tree_available(t, node, col));
}
static inline amount tree_private_free(const struct cell *c)
{
    return amount_max(0, amount_sub(c->private_quota, c->usage));
}

/* 3.4: usage + v above nominal (ClusterQueue) or treeQuota (cohort). */
bool tree_over(const struct tree *t, uint32_t node, uint32_t col, amount v);
/* 3.4: usage <= treeQuota for all the columns. */
bool tree_within(const struct tree *t, uint32_t node, const uint32_t *cols, uint32_t n);

/* 3.5. */
struct tree_level {
    uint32_t level;
    bool may_reclaim;
};
struct tree_level tree_borrow_level(const struct tree *t, uint32_t node, uint32_t col, amount v);

/* Dominant resource share of a node (8.1). */
struct share {
    double weight, ratio;
    bool borrowing;
    uint32_t dominant; /* name id of the resource, 0 = none */
};
struct share tree_share(const struct tree *t, uint32_t node);
/* Is the node borrowing on any of the columns (8.4 rule 2)? */
bool tree_borrowing_on(const struct tree *t, uint32_t node, const uint32_t *cols, uint32_t n);
double share_weighted(struct share s); /* may be +Inf */
int share_compare(struct share a, struct share b);
int64_t share_status(struct share s); /* as in status.fairSharing.weightedShare */

/* The lowest common ancestor's two children on the paths to a and b (8.3 "branch nodes"); a != b, both below it. */
void tree_branches(const struct tree *t, uint32_t a, uint32_t b, uint32_t *ret_a, uint32_t *ret_b);

#endif
