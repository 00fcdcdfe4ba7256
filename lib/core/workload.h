/* A Workload as the engine keeps it: small, with room for its admission and its flavor scan, so that admitting allocates nothing.
 * Order in the queue, effective priority and usage are here (engine.md 2.4, 4.1, 4.2). */
#ifndef SLUICE_CORE_WORKLOAD_H
#define SLUICE_CORE_WORKLOAD_H

#include "base/mem.h"
#include "core/shape.h"
#include "core/status.h"

#include <bsd/sys/tree.h>

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(p, size) mem_free(p)
#include <uthash.h>

#define NONE UINT32_MAX

/* One resource of one pod set: what is asked (pending) or held (accounted). */
struct slot {
    uint32_t res;
    uint32_t fr;    /* pair, NONE while no flavor is assigned */
    int64_t amount; /* total of the pod set */
};

struct pod_set {
    uint32_t name;
    int32_t count;     /* of the spec */
    int32_t min_count; /* 0 = unset */
    int32_t reclaimable;
    int32_t assigned;        /* count of the admission; after reclaim while accounted */
    uint32_t first, nslots;  /* its slots in use */
    uint32_t cap;            /* slots of this pod set from `first` on */
    struct shape *shape;     /* one reference held */
    uint32_t topology_group; /* id, 0 = none */
};

/* Flavor scan progress (6.6). */
struct scan {
    bool present;
    int64_t generation; /* of the ClusterQueue */
    uint64_t cycle;
    uint64_t class[2];
};

enum bucket { BUCKET_NONE, BUCKET_ACTIVE, BUCKET_INADMISSIBLE, BUCKET_INFLIGHT };

struct wl {
    /* What the queue's order and parking look at, in one or two cache lines: a pass over 320,000 of them is twice as fast so. */
    RB_ENTRY(wl) order; /* in one of its ClusterQueue's two trees */
    uint64_t class[2];  /* scheduling equivalence (4.10) */
    when_ns queue_time;
    int32_t priority, boost;
    double afs_usage; /* of its LocalQueue when it was pushed or the queue was put in order anew (4.5) */
    bool sticky;
    enum bucket bucket;
    const char *uid;
    uint64_t state; /* its part of the queue's `state`, as of when it was put there */

    UT_hash_handle hh; /* by key */
    char *key;         /* "ns/name"; owned, in the same block as uid and job_uid */
    const char *name;  /* within key */
    const char *job_uid;
    uint32_t ns;    /* id */
    uint32_t queue; /* name id of spec.queueName */
    uint32_t priority_class;
    int64_t generation;
    when_ns created;
    struct marks marks;

    struct pod_set *pod_sets; /* owned: one block with slots and tried */
    uint32_t npod_sets, nslots;
    struct slot *slots;
    int16_t *tried; /* one a slot: last flavor tried, -1 = start over (6.6) */
    struct scan scan;
    char *invalid; /* 2.8 rules 3 and 4: the message, or NULL; owned */
    bool wants_topology, wants_devices;

    /* queue */
    bool in_items;       /* among its LocalQueue's items (4.3) */
    uint32_t pending_cq; /* index of the ClusterQueue whose bucket it is in */
    uint32_t lq;         /* LocalQueue it was last assigned to (4.7 event 5), NONE = never */
    int64_t evaluated;   /* generation when popped; 0 = never */

    /* accounts */
    uint32_t cq;           /* index of the ClusterQueue that it is accounted in, NONE */
    uint32_t pos;          /* its place in that ClusterQueue's list */
    uint32_t admission;    /* name id of status.admission.clusterQueue while it holds quota, else 0 */
    bool expected;         /* a preemption was issued and not yet observed (7.7) */
    uint32_t picked;       /* `attempt` of the cycle that chose it as victim */
    uint32_t reclaimed_by; /* name id of the ClusterQueue whose reclaim evicts it, 0 = none */
    bool away;             /* simulated removal: no candidate while set */

    void *user; /* of the driver; never read here */
};

/* Effective priority (4.1). */
static inline int64_t wl_priority(const struct wl *w)
{
    return (int64_t)w->priority + w->boost;
}

/* 4.1 queueTime. */
when_ns wl_queue_time(const struct marks *m, when_ns created, bool by_creation, bool priority_sorting);

/* Order inside one ClusterQueue (4.2): negative = `a` is earlier. */
int wl_compare(const struct wl *a, const struct wl *b);

/* Value of the annotation priority-boost, 0 if it is no signed 32-bit integer. */
int32_t wl_boost(const char *text);

#endif
