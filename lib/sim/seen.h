/* The states of the queues that were seen at one event time, by 128-bit hash. The state is, for every ClusterQueue in order of names:
 * the sticky preemptor, the number of parked shapes, the active list in queue order with the scan position of each Workload whose
 * scan is unfinished, and the inadmissible list. */
#ifndef SLUICE_SIM_SEEN_H
#define SLUICE_SIM_SEEN_H

#include "core/world.h"

struct seen_state {
    uint64_t h[2];
};

struct seen {
    struct seen_state *at; /* owned */
    uint32_t n, cap;
};

void seen_free(struct seen *s);
void seen_clear(struct seen *s);
/* Adds a state; *ret_new is false when it was there. ERR_NOMEM. */
MUST_USE int seen_add(struct seen *s, struct seen_state state, bool *ret_new);
/* Workloads are told apart by their `key`. */
struct seen_state seen_state_of(struct world *w);

#endif
