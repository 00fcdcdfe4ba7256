/* The admission that a Workload holds in the world, as the API has it (engine.md 5.7). */
#ifndef SLUICE_CORE_ADMISSION_H
#define SLUICE_CORE_ADMISSION_H

#include "base/arena.h"
#include "core/world.h"

/* Pod sets in the order of the spec; flavors and usage (2.2) by resource name, only resources that have a flavor. All arrays lie in the
 * arena, names are borrowed from the world. *ret is NULL when the Workload holds no quota. Reclaimed pods are left out of count and usage
 * (10.7): right at the moment of the decision; later the object says more. ERR_NOMEM. */
MUST_USE int admission_of(const struct world *w, const struct wl *wl, struct arena *a,
                          const struct fact_admission **ret);

/* What a Workload that waits asks for, as status.resourceRequests tells it (5.6): name and usage of each pod set, resources by name; no
 * flavors. ERR_NOMEM. */
MUST_USE int admission_asked(const struct world *w, const struct wl *wl, struct arena *a,
                             const struct fact_assignment **ret, uint32_t *ret_n);

#endif
