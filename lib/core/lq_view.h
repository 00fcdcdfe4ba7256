/* What a LocalQueue's status shows (engine.md 11.2): its Workloads by state, and the quota they hold. */
#ifndef SLUICE_CORE_LQ_VIEW_H
#define SLUICE_CORE_LQ_VIEW_H

#include "core/afs.h"
#include "core/world.h"

struct lq_view {
    bool exists;
    uint32_t cq;       /* index of its ClusterQueue, NONE if that does not exist: then nothing is reserved */
    uint32_t npending; /* 4.3; 0 while it is stopped */
    uint32_t nreserving, nadmitted;
};

struct lq_view lq_view(const struct world *w, const char *ns, const char *name);
/* Calls back for each (flavor, resource) of its ClusterQueue in the order of the groups; `nominal` is 0: LocalQueues have no quota. */
void lq_view_uses(const struct world *w, const char *ns, const char *name,
                  void (*each)(const struct cq_use *u, void *arg), void *arg);
/* What it consumed lately under admission fair sharing (4.9); NULL if there is no such LocalQueue. Borrowed until the next change. */
const struct afs_ledger *lq_view_consumed(const struct world *w, const char *ns, const char *name);

#endif
