/* An object of the configuration into a world: what a driver knows of flavors, queues, namespaces and all that is around Workloads. */
#ifndef SLUICE_SIM_PUT_H
#define SLUICE_SIM_PUT_H

#include "api/set.h"
#include "core/world.h"

/* Objects of other kinds (Workloads, jobs, priority classes, the Configuration) are passed over. Errors are those of world_put_*. */
MUST_USE int put_object(struct world *w, const struct object *o, when_ns now, struct err *err);

#endif
