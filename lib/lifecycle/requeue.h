/* status.requeueState: how often a Workload was put back, and until when it stays away (engine.md 10.4 step 3, 10.5). */
#ifndef SLUICE_LIFECYCLE_REQUEUE_H
#define SLUICE_LIFECYCLE_REQUEUE_H

#include "core/status.h"

/* Away until then, unless it is away longer already; `count` counts one more. True if the status changed. */
bool requeue_later(struct status *s, when_ns until, bool count);

#endif
