/* What each ClusterQueue would hold if quota were shared fairly, given what it asks for: first its own quota; what others leave idle of theirs
 * goes to those that ask for more, in proportion to their weights (fairSharing.weight), nobody more than it asks for. Needs and idle
 * quota meet within a cohort first; the rest passes to its parent, as far as limits of borrowing and lending allow. Weight 0 comes after
 * all others.
 *
 * An ideal: jobs are not whole in it, nobody has to be evicted for it, and flavors of a queue count as one. */
#ifndef SLUICE_SIM_FAIR_SHARE_H
#define SLUICE_SIM_FAIR_SHARE_H

#include "base/amount.h"

#define FAIR_ROOT UINT32_MAX

/* A cohort or ClusterQueue; amounts of units. */
struct fair_node {
    uint32_t parent; /* FAIR_ROOT = none; a subtree is a range, its root first */
    uint32_t end;    /* one past the last node of the subtree */
    bool is_queue;
    double weight;
    amount quota;       /* of its own */
    amount borrowing;   /* how much more may come from the parent; AMOUNT_UNLIMITED = all */
    amount lending;     /* how much of what is idle the parent may have; AMOUNT_UNLIMITED = all */
    amount asks;        /* of a queue: what it holds and what waits there */
    amount fair;        /* the answer for a queue */
    amount need, spare; /* inside */
};

void fair_shares(struct fair_node *nodes, uint32_t n);

#endif
