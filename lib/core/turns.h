/* Whose turn it is to give up a Workload under fair sharing (engine.md 8.3): the descent of the tree to the ClusterQueue with the
 * highest share that still has candidates. Shares are read anew each time, so that simulated removals count. */
#ifndef SLUICE_CORE_TURNS_H
#define SLUICE_CORE_TURNS_H

#include "core/preempt_priv.h"

/* Candidates of one ClusterQueue, first in, first out. */
struct offers {
    struct cand_seq seq;
    uint32_t next;
};

struct turns {
    struct tree *t;
    uint32_t own;          /* node of the preemptor's ClusterQueue */
    struct offers *offers; /* by node; the caller fills them and moves `next` */
    bool *pruned;          /* by node; the caller may set it: no more turns */
};

/* No offers, nothing pruned; memory from the arena. */
void turns_init(struct turns *u, struct tree *t, uint32_t own, struct arena *a);
/* The next candidate of a ClusterQueue, NULL if none is left. */
struct cand *turns_first(struct turns *u, uint32_t node);
/* The node of the ClusterQueue whose turn it is; NONE when there is nobody left. */
uint32_t turns_next(struct turns *u);

#endif
