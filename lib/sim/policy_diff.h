/* What a change of policy does before it is applied: the objects before and after as fields that differ, what each ClusterQueue may
 * borrow and lend, and what becomes of the Workloads that are there, by running both worlds to rest (sim/sim.h). Everything lies in
 * the result or is borrowed from the objects given. */
#ifndef SLUICE_SIM_POLICY_DIFF_H
#define SLUICE_SIM_POLICY_DIFF_H

#include "api/set.h"
#include "base/amount.h"
#include "sim/policy_lint.h"

enum policy_area {
    POLICY_ADDED,   /* the object is new; its quotas follow as changes of their own */
    POLICY_REMOVED, /* it is gone; so do they */
    POLICY_QUOTA,   /* nominalQuota */
    POLICY_LIMIT,   /* borrowingLimit, lendingLimit */
    POLICY_WEIGHT,  /* fairSharing.weight */
    POLICY_TREE,    /* cohortName, parentName, a LocalQueue's clusterQueue */
    POLICY_SETTING, /* everything else: preemption, strategies, flavors, configuration, ... */
    POLICY_AREAS    /* how many */
};

/* One field of one object. `from` and `to` are "" where it is unset; of ADDED and REMOVED, `field` is "" too. */
struct policy_change {
    enum policy_area area;
    enum api_kind kind;
    const char *ns, *name, *field, *flavor, *resource; /* flavor, resource: of QUOTA and LIMIT, else "" */
    const char *from, *to;
};

/* A flavor-resource pair of a ClusterQueue. Amounts of the engine; all 0 where it is not `there`. */
struct policy_pair_side {
    bool there;
    amount nominal, may_borrow, may_lend; /* when nobody uses anything */
    amount used, borrowed, lent;          /* at rest */
};
struct policy_pair {
    const char *queue, *flavor, *resource;
    struct policy_pair_side before, after;
};

enum policy_move_kind {
    POLICY_EVICTED,   /* would run on; is evicted and waits */
    POLICY_RESTARTED, /* is evicted on the way, which it would not be, and starts again */
    POLICY_WAITS,     /* would start; waits */
    POLICY_STARTS,    /* would wait, or be evicted; runs */
    POLICY_SPARED,    /* would be evicted on the way; runs on */
    POLICY_ELSEWHERE, /* runs in both, with another ClusterQueue, flavor or count */
    POLICY_MOVES      /* how many */
};
struct policy_move {
    enum policy_move_kind kind;
    const char *key, *queue_before, *queue_after; /* "namespace/name"; ClusterQueues, "" = none */
    const char *why; /* of EVICTED, RESTARTED and WAITS: the message of the condition; else "" */
};

struct policy_diff {
    struct arena mem;
    struct policy_change *changes; /* by kind, namespace, name */
    struct policy_pair *pairs;     /* those that differ in anything, by queue */
    struct policy_move *moves;     /* by kind, then key */
    uint32_t nchanges, cap_changes, npairs, cap_pairs, nmoves, cap_moves;
    uint32_t nworkloads; /* how many were looked at */
    bool rest_before, rest_after;
    struct policy_lint lint; /* of the policy after; `old` ones are in that before, too */
};

/* `state` (may be NULL) adds its objects to both sides, but for those that either side has: a queue that the change takes away does
 * not come back from there. Namespaces of LocalQueues that are nowhere are taken as there, without labels. All are borrowed for the life of `*ret`. ERR_NOMEM, or what policy_join and sim_new return. */
MUST_USE int policy_diff_new(const struct api_set *before, const struct api_set *after,
                             const struct api_set *state, struct policy_diff **ret, struct err *err);
void policy_diff_free(struct policy_diff *d);
/* One side with the state, as policy_diff_new puts them together: owned, and borrows from all three. Jobs get their Workloads; one that
 * cannot is ERR_INVALID. */
MUST_USE int policy_join(const struct api_set *own, const struct api_set *other, const struct api_set *state,
                         struct api_set **ret, struct err *err);
/* Is anything different at all? Findings do not count. */
bool policy_diff_any(const struct policy_diff *d);

/* May the queue borrow before, and no longer after? */
bool policy_pair_loses_borrowing(const struct policy_pair *p);

const char *policy_area_name(enum policy_area a);      /* "quota", "limit", ... */
const char *policy_move_name(enum policy_move_kind k); /* "evicted", "restarted", ... */

#endif
