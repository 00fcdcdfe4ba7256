/* What people see of the queue of one ClusterQueue: places of pending Workloads (around.md 7.1), how much they ask for and how many
 * kinds of them there are (engine.md 11.5). Reports: they may allocate and walk the whole queue. */
#ifndef SLUICE_CORE_QUEUE_VIEW_H
#define SLUICE_CORE_QUEUE_VIEW_H

#include "core/world.h"

#define QUEUE_VIEW_MAX INT64_C(100000) /* places in one answer */

struct place {
    struct wl *w;          /* borrowed */
    uint32_t in_cq, in_lq; /* from 0 */
};

/* Whose places: all of the ClusterQueue, or those of one LocalQueue of it. */
struct place_query {
    uint32_t cq;
    const char *ns, *lq;   /* lq NULL = all */
    int64_t offset, limit; /* clamped: offset to >= 0, limit to 0..QUEUE_VIEW_MAX */
};

/* Active, inadmissible and in-flight Workloads together, in the order of 4.2. *ret is owned by the caller (mem_free), NULL when
 * there is nothing. ERR_NOMEM leaves it NULL. */
MUST_USE int queue_view_places(const struct world *w, const struct place_query *q, struct place **ret,
                               uint32_t *ret_n);

/* Total that the pending Workloads ask for of one resource (reclaimable pods left out). */
amount queue_view_asked(const struct world *w, uint32_t cq, const char *resource);

/* Numbers of different equivalence classes (4.10) among active (the one in flight counts), inadmissible, all. 0 without the gate. */
struct class_counts {
    uint32_t active, inadmissible, all;
};
MUST_USE int queue_view_classes(const struct world *w, uint32_t cq, struct class_counts *ret);

#endif
