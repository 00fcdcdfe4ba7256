/* How long a Workload waited, as events and metrics tell it (engine.md 11.4, 11.5). All are nanoseconds and never negative: clocks of
 * several machines wrote the times. */
#ifndef SLUICE_LIFECYCLE_WAITS_H
#define SLUICE_LIFECYCLE_WAITS_H

#include "core/status.h"

/* Since it was queued: since condition Requeued last changed, whatever it says, else since it was created. */
int64_t waits_since_queued(const struct status *s, when_ns created, when_ns now);
/* Since it holds quota; 0 while it does not. */
int64_t waits_since_reserved(const struct status *s, when_ns now);
/* From Admitted to ready pods; false (and 0) unless it is both, and for pods that recovered. */
bool waits_until_ready(const struct status *s, int64_t *ret_ns);
/* From an eviction to the moment it lost its quota; false (and 0) unless it was evicted and has lost it. */
bool waits_until_released(const struct status *s, int64_t *ret_ns);

#endif
