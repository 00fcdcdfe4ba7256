/* Inside of the world, for lib/core only. */
#ifndef SLUICE_CORE_WORLD_PRIV_H
#define SLUICE_CORE_WORLD_PRIV_H

#include "base/arena.h"
#include "core/afs.h"
#include "core/cycle.h"
#include "core/pairs.h"
#include "core/pending.h"
#include "core/tree.h"
#include "core/world.h"

struct quota {
    uint32_t fr;
    amount nominal, borrowing, lending;
    bool has_borrowing, has_lending;
};

/* Quotas of a ClusterQueue or cohort by resource group; owned arrays. */
struct group {
    uint32_t nres, nflavors;
    uint32_t *res;     /* name ids */
    uint32_t *flavors; /* name ids */
    uint32_t *fr;      /* nflavors x nres */
    uint32_t *col;     /* the same in the tree's columns */
};

struct quotas {
    struct group *groups;
    uint32_t ngroups;
    struct quota *list; /* all pairs in order of groups, flavors, resources */
    uint32_t n;
};

struct cq_check {
    uint32_t name;
    uint32_t *flavors; /* name ids; none = all */
    uint32_t nflavors;
};

struct selector {
    struct fact_selector sel; /* owned copy */
    void *block;
};

#define AFS_NOTHING_SEEN 0

struct cluster_queue {
    uint32_t name, cohort; /* name ids; cohort 0 = none */
    bool exists, deleting;
    int64_t meta_generation; /* of the object last read, 0 = unknown */
    enum queueing_strategy strategy;
    enum stop_policy stop;
    struct quotas quotas;
    struct selector namespaces;
    enum fungibility when_can_borrow, when_can_preempt;
    enum fungibility_preference preference;
    struct fact_preemption preemption;
    struct cq_check *checks;
    uint32_t nchecks;
    double weight;
    bool usage_based_afs;

    enum cq_state state;
    bool was_active;   /* as of the last settle */
    bool touched;      /* its tree is to be rebuilt */
    bool flush_wanted; /* 4.7 notify */
    struct tree *tree; /* borrowed from the forest */
    uint32_t node;
    int64_t generation; /* 3.1 */

    uint64_t
        afs_seen; /* changes of consumption that its queue's order takes into account; AFS_NOTHING_SEEN = none */
    struct wl **holders; /* accounted Workloads */
    uint32_t nholders, cap_holders;
    struct pending pending;
};

struct cohort {
    uint32_t name, parent; /* name ids; parent 0 = none */
    bool object;           /* has an API object */
    bool touched;
    bool flush_wanted; /* 4.7 event 2 */
    struct quotas quotas;
    double weight;
};

struct local_queue {
    uint32_t ns, name; /* ids */
    uint32_t cluster_queue;
    bool exists, deleting;
    enum stop_policy stop;
    struct afs_ledger afs;
};

struct namespace
{
    bool exists;
    struct fact_label *labels; /* owned, one block with its texts */
    uint32_t nlabels;
};

struct check {
    bool exists, active;
    uint32_t controller;
};

struct world {
    struct names *names;
    uint32_t pods; /* name id of the resource "pods" */
    struct gates gates;
    struct requests *requests;
    struct shapes *shapes;
    struct pairs pairs; /* (flavor, resource) */
    struct pairs lqs;   /* (namespace, name) -> index in local_queues */

    /* configuration */
    bool searches_all; /* see world_search_all */
    bool fair_sharing, block_admission, requeue_by_creation, ignore_undeclared;
    enum fair_strategy strategies[2];
    uint32_t nstrategies;
    struct afs_config afs;
    uint64_t
        afs_changes; /* one more whenever consumption, penalties or weights change; never AFS_NOTHING_SEEN */

    struct idmap flavor_of, cq_of, cohort_of, ns_of, check_of; /* name id -> index */
    struct flavor **flavors;                                   /* NULL = deleted */
    uint32_t nflavors, cap_flavors;
    struct idmap topologies; /* name id -> 1 */
    struct cluster_queue **cqs;
    uint32_t ncqs, cap_cqs;
    struct cohort *cohorts;
    uint32_t ncohorts, cap_cohorts;
    struct local_queue *local_queues;
    uint32_t cap_local_queues;
    struct namespace *namespaces;
    uint32_t nnamespaces, cap_namespaces;
    struct check *checks;
    uint32_t nchecks, cap_checks;

    struct wl *workloads; /* uthash head, by key */
    uint32_t nnot_ready;  /* accounted Workloads without PodsReady (5.5 step 11) */

    /* derived by world_settle */
    bool trees_dirty, activity_dirty;
    bool strays; /* some Workload may be in no queue or account for want of its ClusterQueue or LocalQueue */
    struct tree **trees;
    uint32_t ntrees, cap_trees;
    uint32_t *cq_order; /* indexes of existing ClusterQueues by name */
    uint32_t ncq_order, cap_cq_order;

    struct arena input;   /* of one fact being read */
    struct arena scratch; /* of one cycle, and of rebuilding */
    uint64_t cycle_number;
    uint32_t attempt;   /* cycles begun, those that ran out of memory included: marks the victims of one */
    struct cycle cycle; /* the last result, in `scratch` */
    struct loans *loans;
    bool cq_dropped;               /* a ClusterQueue was deleted since loans were settled */
    struct loan_reclaim *reclaims; /* since then; owned */
    uint32_t nreclaims, cap_reclaims;
};

/* The Workload's ClusterQueue by way of its LocalQueue, NULL if there is none that queues (4.4 steps 3 and 6). */
struct cluster_queue *world_queue_of(const struct world *w, const struct wl *wl);
struct cluster_queue *world_cq_by_name(const struct world *w, uint32_t name);
static inline struct flavor *world_flavor(const struct world *w, uint32_t name)
{
    uint32_t i = idmap_get(&w->flavor_of, name);
    return i == NONE ? NULL : w->flavors[i];
}

/* world_workload.c: frees it; it is in no bucket and no account, or the world goes too. */
void workload_discard(struct world *w, struct wl *wl);

/* forest.c */
MUST_USE int forest_build(struct world *w);
void forest_free(struct world *w);

/* activity.c: recompute states (9.1), notify what became active. */
void activity_update(struct world *w);

/* accounts.c */
/* Puts a Workload into the accounts of its ClusterQueue with the slots it has (3.6). */
MUST_USE int accounts_add(struct world *w, struct wl *wl, uint32_t cq);
void accounts_remove(struct world *w, struct wl *wl);
/* The same for an admission just decided (5.7): room for it was made when the Workload was queued, so that nothing is allocated. */
void accounts_assume(struct world *w, struct wl *wl, uint32_t cq);
MUST_USE int accounts_reserve(struct cluster_queue *cq, uint32_t more);

/* queueing.c */
void queueing_enqueue(struct world *w, struct wl *wl, enum bucket was, bool changed, when_ns now);
/* Out of its queue: if it comes back, its scan starts over (6.6). */
void queueing_delete(struct world *w, struct wl *wl);
/* Takes the keys of the order (4.2) from the Workload and its LocalQueue; it is in no bucket that is ordered. */
void queueing_refresh(const struct world *w, const struct cluster_queue *cq, struct wl *wl);
/* Before a pop: puts the queue in order anew when LocalQueues consumed something since (4.5, 4.9). */
void queueing_reorder(struct world *w, struct cluster_queue *cq);
/* 4.7 "notify" for the tree of the LocalQueue it was last assigned to. */
void queueing_notify(struct world *w, const struct wl *wl);
bool queueing_admissible(const struct world *w, const struct wl *wl); /* isAdmissible of 4.3 */
enum lq_state world_lq_state(const struct world *w, uint32_t lq);
/* Looks for Workloads that a new or restarted queue can take (4.7 end). */
MUST_USE int queueing_adopt(struct world *w, when_ns now);
bool namespace_matches(const struct world *w, const struct cluster_queue *cq, uint32_t ns, bool *ret_exists);

/* fairness.c: admission fair sharing in the world (4.9) */
/* An admission was assumed: records its entry penalty. When memory is exhausted there is none: order suffers, quota does not. */
void fairness_assumed(struct world *w, const struct wl *wl);
void fairness_admitted(struct world *w, const struct wl *wl, when_ns now); /* settlement */
void fairness_drop(struct world *w, const struct wl *wl);

/* lending.c */
/* The Workload gives its quota back; if a reclaim evicted it, its loans end as reclaimed. */
void lending_reclaimed(struct world *w, const struct wl *wl);
void lending_settle(struct world *w, when_ns now);

/* quotas.c */
MUST_USE int quotas_read(struct world *w, const struct fact_resource_group *groups, uint32_t n,
                         struct quotas *ret);
/* The same pairs with the same amounts, in the same groups and order? */
bool quotas_equal(const struct quotas *a, const struct quotas *b);
void quotas_free(struct quotas *q);

#endif
