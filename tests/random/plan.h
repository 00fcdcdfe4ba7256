/* A plan: a small dense world as plain data. It is rolled from dice, put into the engine as facts (facts.c) and written as
 * manifests (manifest.c). Objects are numbered; a number stands for the same name everywhere. */
#ifndef SLUICE_TESTS_RANDOM_PLAN_H
#define SLUICE_TESTS_RANDOM_PLAN_H

#include "core/facts.h"
#include "random/dice.h"

#define PLAN_START (INT64_C(1767268800) * NS_PER_S) /* 2026-01-01T12:00:00Z */
#define PLAN_NO (-1)                                /* no limit, no object, no label */

enum {
    PLAN_FLAVORS = 3,
    PLAN_RESOURCES = 4, /* cpu, memory, pods, example.com/gpu */
    PLAN_COHORTS = 6,
    PLAN_CQS = 6,
    PLAN_LQS = 10,
    PLAN_NAMESPACES = 2,
    PLAN_WORKLOADS = 48,
    PLAN_POD_SETS = 3,
    PLAN_GATES = 3,
};

struct plan_quota {
    int32_t nominal, borrowing, lending; /* in units of the resource; PLAN_NO = no limit */
};

struct plan_group {
    int nres, nflavors;
    int res[PLAN_RESOURCES], flavors[PLAN_FLAVORS];
    struct plan_quota quotas[PLAN_FLAVORS][PLAN_RESOURCES]; /* by place in the two lists */
};

struct plan_flavor {
    bool exists, labelled, tainted;
};

struct plan_cohort {
    bool object;
    int parent;
    int weight; /* index in plan_weights; 0 = unset */
    bool quotas;
    struct plan_group group;
};

struct plan_cq {
    int64_t generation; /* of the object: grows with every change */
    bool exists;
    int cohort, weight, ngroups;
    enum queueing_strategy strategy;
    enum stop_policy stop;
    enum fungibility borrow, preempt;
    enum fungibility_preference preference;
    struct fact_preemption preemption;
    bool afs, labelled_only; /* takes only namespaces with the label */
    struct plan_group groups[2];
};

struct plan_lq {
    bool exists;
    int ns, cq, weight;
    enum stop_policy stop;
};

struct plan_pod_set {
    int32_t count, min_count;
    int32_t req[PLAN_RESOURCES]; /* units a pod; 0 = not asked */
    int selector;                /* flavor whose label it asks for, or PLAN_NO */
    int affinity;                /* 0 none, 1 In two flavors, 2 NotIn one, 3 Exists, 4 two terms */
    bool tolerates;
    int flavor[PLAN_RESOURCES]; /* of a holder */
};

struct plan_workload {
    bool exists, held, closed_gate;
    int lq, cq; /* cq: of a holder */
    int npod_sets;
    struct plan_pod_set pod_sets[PLAN_POD_SETS];
    int32_t priority;
    when_ns created;
    uint32_t uid;
};

struct plan {
    bool dense; /* little quota, much wanted, everybody preempts */
    bool fair, afs, block_admission, by_creation, ignore_undeclared;
    int strategies; /* 0 default, 1 final, 2 initial, 3 both */
    struct fact_gate gates[PLAN_GATES];
    int ngates;
    int nres, res[PLAN_RESOURCES], nflavors;
    struct plan_flavor flavors[PLAN_FLAVORS];
    bool ns_labelled[PLAN_NAMESPACES];
    int ncohorts, ncqs, nlqs, nworkloads;
    struct plan_cohort cohorts[PLAN_COHORTS];
    struct plan_cq cqs[PLAN_CQS];
    struct plan_lq lqs[PLAN_LQS];
    struct plan_workload workloads[PLAN_WORKLOADS];
};

extern const char *const plan_weights[6];
extern const char *const plan_flavor_names[PLAN_FLAVORS];
extern const char *const plan_resource_names[PLAN_RESOURCES];
extern const char *const plan_cohort_names[PLAN_COHORTS];
extern const char *const plan_cq_names[PLAN_CQS];
extern const char *const plan_lq_names[PLAN_LQS];
extern const char *const plan_namespace_names[PLAN_NAMESPACES];
/* "w00" to "w47"; the text is valid until the next call but three. */
const char *plan_workload_name(int i);
/* Of one unit of the resource: 1, or 1Gi of memory. */
int64_t plan_unit(int res);

void plan_roll(struct plan *p, struct dice *d);
/* Parts of the above, for changes in the course of a life. A Workload is appended if there is room: its number, or PLAN_NO. */
void plan_roll_quotas(struct plan *p, struct dice *d, struct plan_group *g, bool cohort);
void plan_roll_policies(struct plan_cq *cq, struct dice *d);
int plan_roll_workload(struct plan *p, struct dice *d, when_ns created);
/* Takes out what the API would refuse: limits without a parent, a preference without TryNextFlavor (1.2, 1.3). */
void plan_tidy(struct plan *p);
/* How large it is: objects and pod sets. */
int plan_size(const struct plan *p);

struct str;
/* Appends the plan as manifests of v1beta2, ready to be simulated for `max_cycles`. */
void plan_write(const struct plan *p, int max_cycles, struct str *out);

#endif
