/* Which conditions should this Workload have, and when to look again (engine.md 9.2, 9.3, 10.4). A pure function over the status
 * record and the world: nothing here writes to an API or reads a clock. */
#ifndef SLUICE_LIFECYCLE_LIFECYCLE_H
#define SLUICE_LIFECYCLE_LIFECYCLE_H

#include "base/str.h"
#include "core/world.h"

struct lifecycle {
    const struct world *w;
    const struct wl *
        wl; /* as the world knows it; its marks tell `active` and `gated`, all else is read from the status */
    const char *gated_by; /* annotation admission-gated-by, "" = none */
    bool observability;   /* gates of 10.2; see lifecycle_of */
    bool explicit_status;
    when_ns now;
};

struct lifecycle_result {
    bool changed;    /* the status is not what it was: the world wants its marks */
    bool deactivate; /* spec.active is to become false (10.4 step 5 a) */
    when_ns again;   /* when to look again even if nothing changes; WHEN_NONE = never */
};

/* Fills in the gates of the world. `gated_by` is borrowed. */
struct lifecycle lifecycle_of(const struct world *w, const struct wl *wl, const char *gated_by, when_ns now);

/* Brings the status to rest: the steps of 10.4 until they change nothing. ERR_NOMEM leaves a status that is valid but may be half
 * way; calling again goes on from there. */
MUST_USE int lifecycle_run(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret,
                           struct err *err);

/* One pass of it, as one reconciliation goes: it ends with the first step after which the status has to be read anew. */
MUST_USE int lifecycle_step(const struct lifecycle *l, struct status *s, struct lifecycle_result *ret,
                            struct err *err);

/* Part of the above: why it cannot be queued for good (9.3, 2.8, gate): the reason of QuotaReserved=False, its message appended to
 * `ret_message`; NULL when nothing is in the way. */
const char *lifecycle_blocker(const struct lifecycle *l, struct str *ret_message);

#endif
