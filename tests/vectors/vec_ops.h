/* The calls that a case lists (ops), made to a world; and the objects that they refer to. */
#ifndef SLUICE_TESTS_VECTORS_VEC_OPS_H
#define SLUICE_TESTS_VECTORS_VEC_OPS_H

#include "core/world_priv.h"
#include "vec_world.h"

/* {"ref": "Kind ns/name"} or an object in place; NULL after failing the case. */
const struct doc_node *vec_ref(struct vec *v, const struct doc_node *arg);
/* Makes the calls of shared.ops and ops that make, change or delete objects; those about another program's bookkeeping say nothing
 * to us. False after failing the case: an unknown call. */
bool vec_run_ops(struct vec *v, struct world *w, when_ns now);
/* Brings trees and activity up to date; false after failing the case. */
bool vec_settle(struct vec *v, struct world *w);

/* A list with this one node, for cases that give one thing where others give many. */
const struct doc_node *vec_list_of(struct vec *v, const struct doc_node *item);

/* The ClusterQueue of this name as the engine keeps it; NULL after failing the case. */
struct cluster_queue *vec_cq(struct vec *v, struct world *w, const char *name);
/* Charges usage [{flavor, resource, value}] to a ClusterQueue as if somebody held it. The world is settled. */
bool vec_charge(struct vec *v, struct world *w, const char *cq, const struct doc_node *list);

#endif
