/* The queue of one ClusterQueue (engine.md 4): active, inadmissible and in flight; stickiness, parking by equivalence, flush. */
#ifndef SLUICE_CORE_PENDING_H
#define SLUICE_CORE_PENDING_H

#include "core/workload.h"

RB_HEAD(wl_tree, wl);
RB_PROTOTYPE(wl_tree, wl, order, wl_compare)

/* How an entry goes back to its queue (4.6). */
enum requeue_reason {
    REQUEUE_GENERIC,
    REQUEUE_FAILED_AFTER_NOMINATION,
    REQUEUE_NAMESPACE_MISMATCH,
    REQUEUE_PREEMPTION_GATED,
    REQUEUE_PENDING_PREEMPTION,
    REQUEUE_PENDING_MIGRATION,
    REQUEUE_PREEMPTION_FAILED,
    REQUEUE_NO_FIT,
    REQUEUE_PREEMPTION_NO_CANDIDATES,
};

/* Reasons of QuotaReserved=False (5.9). */
enum wait_reason {
    WAIT_NONE, /* the empty text of 6.9 */
    WAIT_NO_MATCHING_FLAVOR,
    WAIT_EXCEEDS_MAX_QUOTA,
    WAIT_FOR_QUOTA,
    WAIT_TOPOLOGY_PLACEMENT,
    WAIT_FOR_PREEMPTED,
    WAIT_FOR_PODS_READY,
    WAIT_ADMISSION_GATED,
    WAIT_PENDING_EVALUATION,
    WAIT_SUSPENDED,
    WAIT_MISCONFIGURED,
};

struct parked {
    uint64_t class[2];
    enum wait_reason reason;
};

struct pending {
    struct wl_tree active, inadmissible;
    uint32_t nactive, ninadmissible;
    struct wl *inflight;
    int64_t pop_count, flush_mark; /* 4.6 */
    struct parked *parked;         /* owned */
    uint32_t nparked, cap_parked;
    enum queueing_strategy strategy;
    uint64_t
        state; /* sum over both lists of a hash of Workload, list and scan position: equal queues have equal sums */
    /* preemptor marker (4.5) */
    struct wl *marked;
    int64_t marked_generation;
};

void pending_init(struct pending *p, enum queueing_strategy s);
void pending_free(struct pending *p);

/* backoffExpired of 4.3. */
bool pending_backoff_expired(const struct wl *w, when_ns now);

/* Takes the Workload out of its bucket, whichever; it may be put back at once after its keys changed. */
void pending_lift(struct pending *p, struct wl *w);
/* 4.4 pushOrUpdate: `w` was lifted, its bucket was `was`; `changed` says that something of the list there differs. */
void pending_place(struct pending *p, struct wl *w, enum bucket was, bool changed, when_ns now);
/* Deletes it from the queue: out of its bucket, and the marker forgets it. */
void pending_delete(struct pending *p, struct wl *w);

/* 4.5: the head becomes in flight; NULL when nothing is active (the pop is counted all the same). */
struct wl *pending_pop(struct pending *p);
/* Is this head the marked preemptor, unchanged (4.5)? */
bool pending_is_preemptor(const struct pending *p, const struct wl *w);

struct requeue {
    enum requeue_reason reason;
    enum wait_reason wait;
    bool equivalence; /* gate SchedulingEquivalenceHashing */
};
/* 4.6 from "immediate" on; `w` is in flight or in no bucket. Returns what the specification calls the result. Parking may need memory:
 * when there is none the equivalent Workloads are just evaluated on their own. */
bool pending_requeue(struct pending *p, struct wl *w, struct requeue r, when_ns now);
/* Makes room so that a requeue in a steady state allocates nothing. */
MUST_USE int pending_reserve(struct pending *p);

/* 4.7 flush. `may_return` says whether its namespace exists and matches. Returns how many moved. */
uint32_t pending_flush(struct pending *p, bool (*may_return)(const struct wl *w, void *arg), void *arg,
                       when_ns now);

/* The reason recorded for an inadmissible Workload whose equivalent failed (10.4 step 8); false if there is none. */
bool pending_parked_reason(const struct pending *p, const struct wl *w, enum wait_reason *ret);
/* Has the scan an unfinished position ("has pending flavors", 4.6)? */
bool wl_scan_unfinished(const struct wl *w);

const char *requeue_reason_text(enum requeue_reason r);
const char *wait_reason_text(enum wait_reason r);

#endif
