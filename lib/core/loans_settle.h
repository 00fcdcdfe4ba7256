/* The computation behind loans_settle: which of the old loans of a pair in a tree stay, and which new ones begin. It knows nothing of
 * times and reasons and changes nothing but its own buffers.
 *
 * The tree is seen as a network. A vertex is a node, or the own quota of a cohort (vertex nnodes + node, hung below its cohort). The edge
 * of a vertex to the one above carries what lenders below lend to borrowers elsewhere (upwards) or what borrowers below get from
 * elsewhere (downwards). Since needs and idle quota meet as deep as they can, what is left at a vertex has one sign, and so has its
 * edge one direction. A loan is a path: up from the lender to the common ancestor, down to the borrower. */
#ifndef SLUICE_CORE_LOANS_SETTLE_H
#define SLUICE_CORE_LOANS_SETTLE_H

#include "core/loans.h"

/* Bound of the search for the most that can be kept, in arcs looked at; about 5 ms. */
#define SETTLE_STEPS (UINT64_C(1) << 21)

struct settle_old {
    /* in: in ascending order of nodes, then of lenders */
    uint32_t node; /* the borrower's */
    uint32_t loan; /* the caller's number */
    struct loan_lender lender;
    amount amount;
    when_ns began;
    bool give_up; /* to be kept last */
    /* out */
    amount
        kept; /* what the loan has from now on; more than `amount` where a new part came from the same lender */
    bool tight;  /* the lender cannot go on lending all that it did */
    uint8_t end; /* the caller's */
    /* private */
    uint32_t source; /* vertex where the path begins; TREE_NONE: cannot be kept */
    uint32_t meet;   /* common ancestor */
    uint8_t crossed; /* whether it crosses full edges, upwards and downwards */
};

struct settle_new {
    uint32_t node; /* the borrower's */
    struct loan_lender lender;
    amount amount;
};

struct settle_vertex {
    amount cap, flow;           /* of the edge upwards; the flow of real loans */
    amount load;                /* the flow if all the old loans stayed */
    bool up;                    /* direction */
    uint32_t left, right, rank; /* heap of lenders */
    int32_t gain;               /* search */
    uint32_t via, seen;
};

struct settle_node {
    amount need;           /* of a ClusterQueue: usage above nominal */
    amount left;           /* of that, not yet covered */
    amount demand, supply; /* arriving at a cohort from below */
    uint32_t heap;         /* lenders below that may have something left; TREE_NONE = none */
    uint32_t first, last;  /* borrowers below that may have something left */
    uint32_t next;         /* in that list */
    bool reclaimed;        /* set by settle_mark_reclaims */
};

struct settle {
    const struct names *names;
    struct settle_old *old; /* the caller's to fill, before settle_run */
    uint32_t nold, cap_old;
    struct settle_new *fresh; /* result: loans between parties that had none; see `order` */
    uint32_t nfresh, cap_fresh;
    /* private */
    const struct tree *t;
    uint32_t col;
    struct settle_vertex *v;
    uint32_t cap_v;
    struct settle_node *n;
    uint32_t cap_n;
    uint32_t *where; /* name id -> node, two for each name: as ClusterQueue, as cohort; checked when read */
    uint32_t cap_where;
    uint32_t *order; /* result: nfresh indices into `fresh`, in order of nodes and lenders */
    uint32_t cap_order;
};

void settle_init(struct settle *s, const struct names *names);
void settle_free(struct settle *s);

/* Begins with a tree: buffers, names, the needs of the ClusterQueues (s->n[].need). `col` may be TREE_NONE: nothing is used. Returns 0
 * or ERR_NOMEM. */
MUST_USE int settle_begin(struct settle *s, const struct tree *t, uint32_t col);
/* The node of a ClusterQueue or cohort in the tree of settle_begin; TREE_NONE = not there. */
uint32_t settle_find(const struct settle *s, bool cohort, uint32_t name);
/* Sets `reclaimed` of the borrowers and `give_up` of the loans; after `old` was filled. */
void settle_mark_reclaims(struct settle *s, const struct loan_reclaim *r, uint32_t n);
/* Fills `kept` and `tight` of the old loans, and `fresh`; what nobody covers comes from LOAN_OVERDRAFT. Returns 0 or ERR_NOMEM. */
MUST_USE int settle_run(struct settle *s);

/* Sorts numbers in place by a total order; O(n log n), no memory. */
void settle_sort(uint32_t *a, uint32_t n, int (*compare)(const void *ctx, uint32_t x, uint32_t y),
                 const void *ctx);

#endif
