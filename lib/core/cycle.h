/* One scheduling cycle (engine.md 5): who gets quota now, who must give it back, why not the others. */
#ifndef SLUICE_CORE_CYCLE_H
#define SLUICE_CORE_CYCLE_H

#include "core/assign.h"
#include "core/pending.h"
#include "core/preempt.h"

struct world;

enum outcome {
    OUTCOME_ADMITTED,      /* quota reserved */
    OUTCOME_PREEMPTING,    /* evictions issued or still under way; it waits */
    OUTCOME_DEFERRED,      /* fits once evictions issued by others in this cycle are done */
    OUTCOME_NO_CANDIDATES, /* would need preemption, there are no victims */
    OUTCOME_NO_FIT,
    OUTCOME_SKIPPED,   /* overtaken by another entry of this cycle */
    OUTCOME_GATED,     /* needs preemption, but its gate is closed */
    OUTCOME_NOT_READY, /* waits for pods of others to be ready (5.5 step 11) */
    OUTCOME_REJECTED,  /* not considered: inactive queue, namespace, invalid */
};

/* What the message of QuotaReserved=False begins with (reason.h renders it). */
enum message_kind {
    MESSAGE_NONE,
    MESSAGE_ASSIGNMENT, /* 6.7 */
    MESSAGE_CHECKS_FAILED,
    MESSAGE_CQ_INACTIVE,
    MESSAGE_NAMESPACE_MISSING,
    MESSAGE_NAMESPACE_MISMATCH,
    MESSAGE_INVALID, /* the Workload's own text */
    MESSAGE_DEVICES, /* DRA claims are not supported */
    MESSAGE_DEFERRED,
    MESSAGE_OVERLAP,
    MESSAGE_NO_LONGER_FITS,
    MESSAGE_GATED,
    MESSAGE_NOT_READY,
};

struct decision {
    struct wl *w;
    uint32_t cq; /* index of the ClusterQueue that it was the head of */
    enum outcome outcome;
    const struct assignment *a; /* NULL when rejected */
    const struct target *targets;
    uint32_t ntargets;
    uint32_t npreempted; /* message suffix "Pending the preemption of N workload(s)" */
    enum message_kind message;
    enum wait_reason wait;
    enum requeue_reason requeue;
};

struct cq_count {
    uint32_t cq;
    uint32_t n;
};

enum recompute_result { RECOMPUTE_DEFERRED_FIT, RECOMPUTE_NEW_TARGETS, RECOMPUTE_SKIPPED, RECOMPUTE_RESULTS };

struct recompute {
    uint32_t cq;
    enum recompute_result result;
};

/* Everything is borrowed from the world and valid until its next change. */
struct cycle {
    uint64_t number;
    struct wl **heads; /* popped, in ClusterQueue name order */
    uint32_t nheads;
    struct decision *decisions; /* in the order processed; rejected heads last, in ClusterQueue name order */
    uint32_t ndecisions;
    struct wl **evicted; /* newly evicted, in the order decided; each has its `evicting` target below */
    const struct target **evicted_target;
    const struct decision **evicted_by;
    uint32_t nevicted;
    struct cq_count *skips; /* preemptions skipped (admission_cycle_preemption_skips) */
    uint32_t nskips;
    struct recompute *recomputes;
    uint32_t nrecomputes;
    bool progressed; /* something was admitted or evicted: run the next cycle at once (4.11) */
};

/* Runs one cycle. *ret is NULL when there was no head. On ERR_NOMEM nothing has changed but pop counts. */
MUST_USE int world_cycle(struct world *w, when_ns now, const struct cycle **ret, struct err *err);

#endif
