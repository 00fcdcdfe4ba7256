/* Why a Workload waits, or why it was admitted where it is: the last decision about it and the state of the world at rest, as data.
 * Numbers are amounts of the engine (cpu in thousandths). Everything lies in the explanation or is borrowed from its run. */
#ifndef SLUICE_SIM_EXPLAIN_H
#define SLUICE_SIM_EXPLAIN_H

#include "core/loans.h"
#include "sim/options.h"

/* How many of them are named; they are counted all the same. */
enum { EXPLAIN_AHEAD_MAX = 20, EXPLAIN_HOLDERS_MAX = 100, EXPLAIN_EVICTIONS_MAX = 50 };

enum explain_state {
    EXPLAIN_WAITS,
    EXPLAIN_ADMITTED, /* it holds quota */
    EXPLAIN_FINISHED,
    EXPLAIN_UNSETTLED, /* the world would not come to rest: what is seen is a moment of it */
};

/* A flavor that was tried for a resource group of a pod set. */
struct explain_attempt {
    const char *pod_set, *flavor, *mode; /* mode: "NoFit", "Preempt", "DeferredFit", "Fit" */
    bool borrows;
    const char *const *reasons; /* why it does not serve */
    uint32_t nreasons;
};

/* One level of the tree for one pair, from the ClusterQueue up. */
struct explain_level {
    const char *name;
    bool is_cohort, has_borrowing, has_lending;
    amount nominal, borrowing, lending;
    amount quota, used, borrowed,
        available; /* quota: nominal of the subtree, as lending limits let it be seen; borrowed: used above it */
};

struct explain_loan {
    const char *borrower, *lender; /* ClusterQueues; the lender may be a cohort */
    enum loan_kind kind;
    amount amount;
};

struct explain_holder {
    const char *key, *cluster_queue;
    int64_t priority;
    amount amount;
    bool own; /* of the same ClusterQueue */
};

struct explain_pair {
    const char *flavor, *resource;
    amount asked; /* by the Workload, whichever flavor it gets */
    struct explain_level *levels;
    struct explain_loan *loans;     /* of this pair in this tree */
    struct explain_holder *holders; /* own ones first, then by amount */
    uint32_t nlevels, nloans, nholders, nholders_all;
};

/* Somebody evicted. Shares are those of the two ClusterQueues just before, with fair sharing only; else negative. */
struct explain_eviction {
    const char *victim, *victim_queue, *by, *by_queue, *reason, *message;
    double victim_share, by_share;
    when_ns at;
};

struct explain_evictions {
    struct explain_eviction *list; /* the first ones, in order */
    uint32_t n, all;
};

struct explain {
    struct arena mem;
    struct what_if *run; /* owned */
    const struct sim_wl *target;
    enum explain_state state;
    const char *queue, *cluster_queue; /* LocalQueue; "" if it does not exist */
    when_ns at;                        /* of the end */
    /* the last decision */
    uint32_t decisions;                   /* how many there were */
    const char *outcome, *wait, *message; /* "" when there was none */
    const char *cq_reason,
        *cq_message; /* condition Active of its ClusterQueue, when that is not True; else "" */
    const char *twin,
        *twin_message; /* without a decision: one just like it in its queue that was turned down, and why; else "" */
    uint32_t borrow_level;
    when_ns decided;
    struct explain_attempt *attempts;
    uint32_t nattempts;
    /* the world at rest */
    struct explain_pair *pairs;
    uint32_t npairs;
    bool queued;
    uint32_t in_cq, in_lq;    /* places, from 0 */
    const char *const *ahead; /* in its ClusterQueue, in order; not more than EXPLAIN_AHEAD_MAX */
    uint32_t nahead;
    struct explain_evictions evicted, evictions; /* for it, and of it */
    struct options options;                      /* of one that waits */
};

/* The objects are borrowed for the life of `*ret`. ERR_NOTFOUND, ERR_NOMEM, or what sim_new returns. */
MUST_USE int explain_new(const struct api_set *objects, const char *ns, const char *name,
                         struct explain **ret, struct err *err);
void explain_free(struct explain *e);

const char *explain_state_name(enum explain_state s); /* "waiting", "admitted", "finished", "unsettled" */

#endif
