/* What controllers decide about objects beside the life cycle of Workloads: the end of objects, the status of queues. */
#ifndef SLUICE_TESTS_VECTORS_VEC_CONTROLLERS_H
#define SLUICE_TESTS_VECTORS_VEC_CONTROLLERS_H

#include "vec_world.h"

/* A reconciliation that is about the end of the Workload (10.4 steps 1 and 2): does the case show one? */
bool vec_is_ending(struct vec *v, const struct object *o);
void vec_check_ending(struct vec *v, const struct object *o);

/* Counts (11.2) and Active (9.5) of the LocalQueue of the case. */
void vec_check_local_queue(struct vec *v);

#endif
