/* waitForPodsReady (engine.md 10.5): until when an admitted Workload has time to get its pods ready, and what happens then. */
#ifndef SLUICE_LIFECYCLE_PODSREADY_H
#define SLUICE_LIFECYCLE_PODSREADY_H

#include "base/backoff.h"
#include "core/status.h"

struct podsready_config {
    int64_t timeout_ns;
    int64_t recovery_ns; /* 0 = pods that fail later have all the time */
    bool has_limit;      /* backoffLimitCount */
    int32_t limit;
    struct backoff backoff; /* waits between tries, without jitter */
};

/* WHEN_NONE while no time runs: not admitted, evicted, or ready. *ret_cause ("WaitForStart" or "WaitForRecovery") is a constant, "" with
 * WHEN_NONE. */
when_ns podsready_deadline(const struct podsready_config *c, const struct status *s, const char **ret_cause);

/* The time is over: evicts, to be tried again after a wait, or, when it was tried too often, marks for deactivation. `key` is
 * "namespace/name"; `jitter` (0..1) is how much of its ten-thousandth part the wait is longer. ERR_NOMEM leaves the status as it was. */
MUST_USE int podsready_expire(const struct podsready_config *c, struct status *s, const char *key,
                              const char *cause, double jitter, when_ns now, int64_t generation);

#endif
