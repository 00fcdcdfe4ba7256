/* How long a Workload has run, over all its admissions, and how long it may (engine.md 10.2, 10.6). */
#ifndef SLUICE_LIFECYCLE_EXECUTION_H
#define SLUICE_LIFECYCLE_EXECUTION_H

#include "core/status.h"

/* When the maximum of `max_s` seconds is used up; WHEN_NONE while it is not admitted. */
when_ns execution_deadline(const struct status *s, int32_t max_s);

/* Time from admission to finish plus what went before. False (and 0) unless it was admitted and has finished. */
bool execution_total(const struct status *s, int64_t *ret_ns);

#endif
