/* What controllers decide about objects beside the life cycle of Workloads: the end of objects, the status of queues. */
#ifndef SLUICE_TESTS_VECTORS_VEC_CONTROLLERS_H
#define SLUICE_TESTS_VECTORS_VEC_CONTROLLERS_H

#include "vec_world.h"

/* One reconciliation of a Workload (10.4), through to the document that the API server has then. */
void vec_reconcile(struct vec *v);
/* Flavors and checks that a ClusterQueue names exist and are active in these tables without being listed. */
bool vec_put_references(struct vec *v, struct world *w, const struct fact_cluster_queue *cq);

/* Single writes (5.6, 10.7) and the latency of evictions (11.5). */
void vec_resource_requests(struct vec *v);
void vec_reclaimable_pods(struct vec *v);
void vec_eviction_latency(struct vec *v);

/* Counts (11.2) and Active (9.5) of the LocalQueue of the case. */
void vec_check_local_queue(struct vec *v);

#endif
