/* What the world knows about why a Workload waits, for those who write its conditions (engine.md 2.8, 10.4 step 8). */
#ifndef SLUICE_CORE_WAITING_H
#define SLUICE_CORE_WAITING_H

#include "base/str.h"
#include "core/pending.h"
#include "core/world.h"

/* What the validation of 2.8 says of the Workload in its queue, appended to `ret_message`; false and nothing when all is well or the
 * queue is unknown. */
bool waiting_misconfigured(const struct world *w, const struct wl *wl, struct str *ret_message);
/* The reason recorded for the equivalent of an inadmissible Workload; false if there is none. */
bool waiting_parked_reason(const struct world *w, const struct wl *wl, enum wait_reason *ret);

#endif
