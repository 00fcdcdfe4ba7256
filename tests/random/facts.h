/* Puts the objects of a plan into a world, and what is known of their status beside it. */
#ifndef SLUICE_TESTS_RANDOM_FACTS_H
#define SLUICE_TESTS_RANDOM_FACTS_H

#include "core/world.h"
#include "random/plan.h"

/* All return what the world returned. */
MUST_USE int facts_configure(struct world *w, const struct plan *p);
MUST_USE int facts_put_flavor(struct world *w, const struct plan *p,
                              int i); /* deletes it if it does not exist */
MUST_USE int facts_put_namespace(struct world *w, const struct plan *p, int i);
MUST_USE int facts_put_cohort(struct world *w, const struct plan *p, int i);
MUST_USE int facts_put_cq(struct world *w, const struct plan *p, int i, when_ns now);
MUST_USE int facts_put_lq(struct world *w, const struct plan *p, int i, when_ns now);

/* A Workload as a fact, with all that its pointers reach. */
struct facts_workload {
    struct fact_workload f;
    struct fact_pod_set ps[PLAN_POD_SETS];
    struct fact_container containers[PLAN_POD_SETS];
    struct fact_amount req[PLAN_POD_SETS][PLAN_RESOURCES];
    char digest[PLAN_POD_SETS][96];
    char uid[16];
    struct fact_condition conds[COND_TYPES];
    struct fact_admission admission;
    struct fact_assignment assignments[PLAN_POD_SETS];
    struct fact_flavor_ref flavors[PLAN_POD_SETS][8];
    struct fact_amount usage[PLAN_POD_SETS][8];
    struct fact_reclaimable reclaimable[PLAN_POD_SETS];
};

/* Spec only. `ret` must not move afterwards. */
void facts_workload(const struct plan *p, int i, struct facts_workload *ret);
/* Adds the admission that the plan gives a holder, and its conditions. */
void facts_hold(const struct plan *p, int i, struct facts_workload *ret);

#endif
