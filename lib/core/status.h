/* The status of a Workload beside its admission: conditions, checks, requeue state; and the transitions that reserve, admit, evict and
 * release (engine.md 5.7, 10.1-10.3). A record is kept by whoever writes status (simulator, controller); the engine itself reads
 * only the marks. Texts are API: they are exact. */
#ifndef SLUICE_CORE_STATUS_H
#define SLUICE_CORE_STATUS_H

#include "core/facts.h"

struct cond {
    char *reason, *message; /* owned; never NULL once present */
    when_ns since;
    int32_t generation;          /* small, for there are ten conditions for each of 100,000 Workloads */
    enum cond_status status : 8; /* STATUS_ABSENT = no such condition */
};

/* A generation grows by one with each change of a spec: beyond the type it stands still. */
static inline int32_t cond_generation(int64_t generation)
{
    return generation > INT32_MAX ? INT32_MAX : generation < 0 ? 0 : (int32_t)generation;
}

struct status_check {
    char *name, *message; /* owned */
    enum check_state state;
    when_ns since;
    bool has_requeue_after, has_retry_count;
    int32_t requeue_after_s, retry_count;
};

struct status_eviction {
    char *reason, *cause; /* owned */
    int32_t count;
};

struct status {
    struct cond cond[COND_TYPES];
    struct status_check *checks; /* owned */
    uint32_t nchecks;
    struct status_eviction *evictions; /* schedulingStats.evictions; owned */
    uint32_t nevictions;
    int32_t requeue_count;
    when_ns requeue_at;
    int32_t accumulated_s; /* accumulatedPastExecutionTimeSeconds */
    bool
        topology_pending; /* some pod set has delayedTopologyRequest Pending and no assignment (T of 10.2 is false) */
    bool has_gates;  /* the spec has preemption gates */
    bool gates_open; /* all of them are open; an eviction closes them */
};

/* What the engine reads of a status. Made by marks_of_fact and marks_update; compared to see transitions (10.11). */
enum evict_reason {
    EVICT_OTHER,
    EVICT_PODS_READY_TIMEOUT,
    EVICT_ADMISSION_CHECK,
    EVICT_PREEMPTED,
    EVICT_NODE_FAILURES
};

struct marks {
    bool reserved, admitted, evicted, preempted, finished, active;
    bool requeued_false;       /* Requeued is False */
    bool pods_ready;           /* PodsReady is True */
    bool on_hold;              /* QuotaReserved is False with reason OnHold */
    bool waiting_replacement;  /* WaitingForReplacementPods is True */
    bool checks_failed;        /* a check is in Retry or Rejected */
    bool gated;                /* annotation admission-gated-by is not empty */
    bool closed_gate;          /* a preemption gate is closed */
    bool preempted_by_reclaim; /* Preempted=True, reason InCohortReclaimWhileBorrowing */
    bool topology_pending;     /* a pod set waits for a delayed topology assignment */
    enum evict_reason evict_reason;
    when_ns reserved_at, admitted_at, evicted_at, preempted_at;
    when_ns requeue_at;
    uint64_t evicted_digest, requeued_digest; /* whole conditions, for the comparison of 4.4 */
};

void status_init(struct status *s);
void status_free(struct status *s);
/* Takes the status of the fact (owned copies) in place of what `s`, initialised, held. What no fact tells stays: the evictions and the
 * accumulated time. ERR_NOMEM leaves `s` as it was. A closed gate is the only sign of gates that a fact gives. */
MUST_USE int status_from_fact(struct status *s, const struct fact_workload *f);
/* Marks of a fact: conditions, checks, annotations, active. Times are those of conditions that are True, else WHEN_NONE; the digests
 * are 0 while there is no such condition. */
struct marks marks_of_fact(const struct fact_workload *f);
/* `m` keeps what is no part of the record (active, gated); the rest is read anew. */
void marks_update(struct marks *m, const struct status *s);

/* The condition helper (conventions at the top of the specification): messages cut to 32768 bytes. Sets *ret_changed when status,
 * reason, message or generation changed. STATUS_ABSENT takes the condition away. ERR_NOMEM leaves all as it was, here and in all
 * that follows. */
MUST_USE int status_set(struct status *s, enum cond_type type, enum cond_status status, const char *reason,
                        const char *message, when_ns now, int64_t generation, bool *ret_changed);

/* 10.2. `observability` is gate UnadmittedWorkloadsObservability, `explicit_status` its dependent gate. */
MUST_USE int status_sync_admitted(struct status *s, bool observability, bool explicit_status, when_ns now,
                                  int64_t generation, bool *ret_changed);
/* 5.7: QuotaReserved=True; Evicted, Preempted, BlockedOnPreemptionGates True -> False "Previously: ..."; with `sync`, 10.2. */
MUST_USE int status_reserve(struct status *s, const char *cluster_queue, bool sync, bool observability,
                            bool explicit_status, when_ns now, int64_t generation);
/* "Unset quota reservation": QuotaReserved=False, 10.2. */
MUST_USE int status_unreserve(struct status *s, const char *reason, const char *message, bool observability,
                              bool explicit_status, when_ns now, int64_t generation);
/* 10.3: Evicted=True and what goes with it. `cause` may be "". */
MUST_USE int status_evict(struct status *s, const char *reason, const char *cause, const char *message,
                          when_ns now, int64_t generation);
/* 7.7: Preempted=True (no observedGeneration) and then status_evict with reason Preempted. */
MUST_USE int status_preempt(struct status *s, const char *variant_reason, const char *message, when_ns now,
                            int64_t generation);
/* 10.3 "Completion": Requeued from the eviction's reason, quota released. `skip_reassign`: a single-pod owner that is not requeued. */
MUST_USE int status_release(struct status *s, bool skip_reassign, bool observability, bool explicit_status,
                            when_ns now, int64_t generation);

/* Why it is not admitted, as the metrics count it (11.5); false when it is. Borrowed from `s`. */
bool status_unadmitted(const struct status *s, const char **ret_reason, const char **ret_cause);

const char *cond_type_name(enum cond_type t); /* "QuotaReserved", ... */
const char *check_state_name(enum check_state s);

#endif
