/* The list of admission checks in a Workload's status (engine.md 10.4 steps 7 and 9). */
#ifndef SLUICE_LIFECYCLE_CHECKS_H
#define SLUICE_LIFECYCLE_CHECKS_H

#include "base/str.h"
#include "core/world.h"

/* Brings the list in line with what the ClusterQueue requires: missing checks are added as Pending, surplus ones go, sorted by name.
 * ERR_NOMEM leaves the status as it was. */
MUST_USE int checks_sync(const struct world *w, const struct wl *wl, struct status *s, when_ns now,
                         bool *ret_changed);

/* "AdmissionCheck[s] in STATE state: "a" (message); "b"", sorted by name, appended to `out`; false and nothing when no check is in
 * that state. */
bool checks_in_state(const struct status *s, enum check_state state, struct str *out);

#endif
