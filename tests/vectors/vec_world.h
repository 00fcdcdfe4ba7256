/* Worlds made of the objects of a case. */
#ifndef SLUICE_TESTS_VECTORS_VEC_WORLD_H
#define SLUICE_TESTS_VECTORS_VEC_WORLD_H

#include "api/objects.h"
#include "core/world.h"
#include "vec.h"

/* "Now" of the recorded cases where a table names no other: 2026-01-01T00:00:00Z. */
#define VEC_NOW (INT64_C(1767225600) * NS_PER_S)

/* A world with this configuration (may be NULL) and the gates of the case; owned. NULL after failing the case. */
struct world *vec_world(struct vec *v, const struct fact_config *config);
/* Reads an object leniently; false after failing the case. Lives until the end of the case. */
bool vec_object(struct vec *v, const struct doc_node *n, struct object *ret);
/* Puts it into the world (priority classes are passed over); false after failing the case. */
bool vec_put_object(struct vec *v, struct world *w, const struct object *o, when_ns now);
/* Both, for one node and for a list of nodes; a NULL node is nothing. Kinds that we do not use are passed over. */
bool vec_put(struct vec *v, struct world *w, const struct doc_node *n, when_ns now);
bool vec_put_list(struct vec *v, struct world *w, const struct doc_node *list, when_ns now);
/* Puts a Workload and gives it back; NULL after failing the case. */
struct wl *vec_put_workload(struct vec *v, struct world *w, const struct fact_workload *f, when_ns now);

/* {"cpu": 2000, "memory": 1024} in the integers of the engine as quantities. */
const struct fact_amount *vec_requests(struct vec *v, const struct doc_node *map, uint32_t *ret_n);
/* A bare pod set with one container, and a Workload of pod sets: for cases that give only requests. */
struct fact_pod_set vec_pod_set(const char *name, int32_t count, const struct fact_container *containers,
                                uint32_t n);
struct fact_workload vec_workload(const struct fact_pod_set *pod_sets, uint32_t n);

/* {"resource": amount, ...} of a pod set: what it asks for, or holds while quota is reserved. Appended as JSON. */
void vec_pod_set_totals(struct vec *v, struct world *w, const struct wl *wl, uint32_t pod_set,
                        struct str *out);

#endif
