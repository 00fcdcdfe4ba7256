/* Inside of flavor assignment, for assign.c, pick.c and suits.c only. */
#ifndef SLUICE_CORE_ASSIGN_PRIV_H
#define SLUICE_CORE_ASSIGN_PRIV_H

#include "core/world_priv.h"

/* A pod set on its way through the flavors, or a group of pod sets that get the same ones (6.2). */
struct walk {
    const struct assign_ctx *ctx;
    struct assignment *out;
    struct pod_set_choice *ps;  /* of a group: its requests added up */
    const struct pod_set *spec; /* the first of the group */
    uint32_t *members;          /* indexes of its pod sets in the Workload */
    uint32_t nmembers;
};

/* assign.c */
void walk_reason(struct walk *k, struct reason r);
/* An attempt of a flavor whose reasons begin with the next one added; NoFit until said otherwise. */
struct attempt *walk_attempt(struct walk *k, uint32_t group, uint32_t flavor);
/* The more severe of two granular reasons (6.9). */
enum wait_reason reason_more_severe(enum wait_reason a, enum wait_reason b);

/* suits.c (6.4, 6.5 "nomination mapping") */
/* Does the flavor match all pod sets of the group? If not, the reason is added; an error sets the pod set's. */
bool suits(struct walk *k, uint32_t flavor);
/* Was the flavor nominated for this resource by no pod set of the group? */
bool suits_not_pinned(const struct walk *k, uint32_t flavor, uint32_t res);

/* pick.c (6.3, 6.5) */
/* The resource group of the ClusterQueue that covers a resource, NULL if none does; its index. */
const struct group *pick_group(const struct cluster_queue *cq, uint32_t res, uint32_t *ret_index);
/* Decides the flavor of a resource group, starting from resource `res`. False if the pod set fails here. */
bool pick_flavor(struct walk *k, const struct group *g, uint32_t gi, uint32_t res);

#endif
