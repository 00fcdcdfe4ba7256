/* Which ClusterQueues name an object: while any does, its finalizer stays (engine.md 9.6). */
#ifndef SLUICE_CORE_REFERENCES_H
#define SLUICE_CORE_REFERENCES_H

#include "core/world.h"

/* Write up to `cap` indexes of ClusterQueues, in order of creation; return how many there are. Unknown names have none. */
uint32_t references_of_flavor(const struct world *w, const char *name, uint32_t *ret_cqs, uint32_t cap);
uint32_t references_of_check(const struct world *w, const char *name, uint32_t *ret_cqs, uint32_t cap);

/* Does an object that is there, `deleting` or not, need our finalizer? A ClusterQueue that goes is held by those who hold its quota. */
bool references_hold_flavor(const struct world *w, const char *name, bool deleting);
bool references_hold_check(const struct world *w, const char *name, bool deleting);
bool references_hold_cluster_queue(const struct world *w, const char *name, bool deleting);

#endif
