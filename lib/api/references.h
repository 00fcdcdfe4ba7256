/* What objects of a set name and the set does not hold. A cluster takes such objects and lets their Workloads wait; who gives files has
 * most often mistyped a name. */
#ifndef SLUICE_API_REFERENCES_H
#define SLUICE_API_REFERENCES_H

#include "api/set.h"

/* Notes an error for each Workload that names a LocalQueue, and each LocalQueue that names a ClusterQueue, that is not there. The
 * objects stay in the set. To be called when all is read. ERR_NOMEM. */
MUST_USE int references_check(struct api_set *s, struct err *err);

#endif
