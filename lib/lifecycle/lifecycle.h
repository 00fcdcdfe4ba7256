/* Which conditions should this Workload have, and when to look again (engine.md 9.2, 9.3, 10.4). A pure function over the status
 * record, the object and the world: nothing here writes to an API or reads a clock.
 *
 * A controller calls lifecycle_run for a Workload after each change of it, of its queues, flavors and checks, and at `again`; then it
 * gives the world the marks (marks_update, world_put_marks), and when the status changed it calls once more, for the world may now want
 * other checks; when it rests, it writes once: the status, spec.active=false, the finalizer, the deletion, the notices. */
#ifndef SLUICE_LIFECYCLE_LIFECYCLE_H
#define SLUICE_LIFECYCLE_LIFECYCLE_H

#include "base/str.h"
#include "core/world.h"
#include "lifecycle/ending.h"
#include "lifecycle/notice.h"
#include "lifecycle/podsready.h"

/* What a controller knows of the object beside its status. */
struct lifecycle_object {
    struct ending_object ending; /* owners, deletion, label job-uid, generation */
    bool has_finalizer;          /* ours */
    bool has_admission;          /* status.admission is there; what holds quota counts as having one */
    int32_t max_execution_s;     /* spec.maximumExecutionTimeSeconds, 0 = unset */
};

struct lifecycle_config {
    struct ending_config ending;
    bool wait_for_pods_ready; /* waitForPodsReady is enabled (10.5) */
    struct podsready_config pods_ready;
};

struct lifecycle {
    const struct world *w;
    /* As the world knows it; its marks tell `active` and `gated`, its block key and queue, all else is read from the status. NULL only
     * for one that is finished or orphaned: the world does not need those. */
    const struct wl *wl;
    const char *gated_by; /* annotation admission-gated-by, "" = none */
    bool observability;   /* gates of 10.2; see lifecycle_of */
    bool explicit_status;
    when_ns now;
    /* NULL leaves out what they are for: end of the object (10.4 steps 1 and 2), PodsReady timeout, execution time. */
    const struct lifecycle_object *object;
    const struct lifecycle_config *config;
    double jitter;           /* 0..1, drawn by the caller: how much of the backoff's jitter (10.5) is added */
    struct notices *notices; /* events are appended; NULL = not wanted */
};

struct lifecycle_result {
    bool changed;    /* the status is not what it was: the world wants its marks */
    bool deactivate; /* spec.active is to become false (10.4 step 5 a) */
    bool release;    /* our finalizer is there and is to go */
    bool remove;     /* the object is to be deleted, once the finalizer is gone (10.9) */
    bool admitted;   /* Admitted became True: `wait_ns` since the reservation */
    int64_t wait_ns;
    /* It was evicted while it held quota: an index into status.evictions (a count of 1 there: for the first time for that reason), -1 =
     * no. What it was evicted from is still in the world until it gets the marks. */
    int32_t evicted;
    when_ns again; /* when to look again even if nothing changes; WHEN_NONE = never */
};

/* Fills in the gates of the world; object, config and notices are NULL. `gated_by` is borrowed. */
struct lifecycle lifecycle_of(const struct world *w, const struct wl *wl, const char *gated_by, when_ns now);

/* Brings the status to rest: the steps of 10.4 until they change nothing. ERR_NOMEM leaves a status that is valid but may be half
 * way; calling again goes on from there (a notice may be lost then). */
MUST_USE int lifecycle_run(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret,
                           struct err *err);

/* One pass of it, as one reconciliation goes: it ends with the first step after which the status has to be read anew. */
MUST_USE int lifecycle_step(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret,
                            struct err *err);

/* Part of the above: why it cannot be queued for good (9.3, 2.8, gate): the reason of QuotaReserved=False, its message appended to
 * `ret_message`; NULL when nothing is in the way. */
const char *lifecycle_blocker(const struct lifecycle *l, struct str *ret_message);

#endif
