/* Condition Active of ClusterQueues and LocalQueues (engine.md 9.1, 9.5). A record of it is kept by whoever writes their status: a write
 * is due only when it changed (11.1). */
#ifndef SLUICE_LIFECYCLE_QUEUE_COND_H
#define SLUICE_LIFECYCLE_QUEUE_COND_H

#include "core/world.h"

void queue_cond_free(struct cond *c); /* leaves it absent */

/* True or False with these texts (copied). `since` moves only with the status. Sets *ret_changed when status, reason, message or
 * generation changed. ERR_NOMEM leaves it as it was, here and in all that follows. */
MUST_USE int queue_cond_set(struct cond *c, bool on, const char *reason, const char *message, when_ns now,
                            int64_t generation, bool *ret_changed);

/* 9.1, of a world that is settled; also for a name that it does not know. */
MUST_USE int queue_cond_cluster_queue(struct cond *c, const struct world *w, const char *name, when_ns now,
                                      int64_t generation, bool *ret_changed);

/* What a LocalQueue sees of its ClusterQueue. */
enum queue_cond_target { TARGET_MISSING, TARGET_INACTIVE, TARGET_ACTIVE };

/* 9.5 */
MUST_USE int queue_cond_local_queue(struct cond *c, enum stop_policy stop, enum queue_cond_target target,
                                    when_ns now, int64_t generation, bool *ret_changed);

#endif
