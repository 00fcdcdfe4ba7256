/* Facts: what the engine is told, as plain types. `lib/api` makes them from Kubernetes objects, simulators and tests make them by
 * hand; `world_put_*` reads them and keeps nothing of them: every pointer here is borrowed for the length of the call. Strings are
 * never NULL ("" = unset). Times are nanoseconds since 1970, WHEN_NONE = unset. Sections are those of the engine specification. */
#ifndef SLUICE_CORE_FACTS_H
#define SLUICE_CORE_FACTS_H

#include "base/quantity.h"
#include "base/when.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- selectors, taints ------------------------------------------------------------------------------------------------- */

enum sel_op { SEL_IN, SEL_NOT_IN, SEL_EXISTS, SEL_NOT_EXISTS, SEL_GT, SEL_LT };

struct fact_expr {
    const char *key;
    enum sel_op op;
    const char *const *values;
    uint32_t nvalues;
};

/* A label selector: all expressions hold (matchLabels are In expressions). `is_null` matches nothing, no expressions match all. */
struct fact_selector {
    bool is_null;
    const struct fact_expr *exprs;
    uint32_t nexprs;
};

/* One term of requiredDuringSchedulingIgnoredDuringExecution: its expressions are AND-ed, terms are OR-ed (6.4). */
struct fact_term {
    const struct fact_expr *exprs;
    uint32_t nexprs;
};

struct fact_label {
    const char *key, *value;
};

enum taint_effect { EFFECT_ANY, EFFECT_NO_SCHEDULE, EFFECT_PREFER_NO_SCHEDULE, EFFECT_NO_EXECUTE };
enum toleration_op { TOLERATE_EQUAL, TOLERATE_EXISTS, TOLERATE_LT, TOLERATE_GT };

struct fact_taint {
    const char *key, *value;
    enum taint_effect effect;
};

struct fact_toleration {
    const char *key, *value;
    enum toleration_op op;
    enum taint_effect effect; /* EFFECT_ANY = all effects */
};

/* ---- configuration objects (1.1-1.4, 1.6-1.8) --------------------------------------------------------------------------- */

struct fact_flavor {
    const char *name;
    const struct fact_label *labels;
    uint32_t nlabels;
    const struct fact_taint *taints;
    uint32_t ntaints;
    const struct fact_toleration *tolerations;
    uint32_t ntolerations;
    const char *topology; /* topologyName */
};

struct fact_quota {
    struct quantity nominal, borrowing, lending;
    bool has_borrowing, has_lending;
};

struct fact_flavor_quotas {
    const char *flavor;
    const struct fact_quota *quotas; /* one per resource of the group, in its order */
};

struct fact_resource_group {
    const char *const *resources;
    uint32_t nresources;
    const struct fact_flavor_quotas *flavors;
    uint32_t nflavors;
};

enum queueing_strategy { STRATEGY_UNSET, STRATEGY_STRICT_FIFO, STRATEGY_BEST_EFFORT_FIFO };
enum stop_policy { STOP_NONE, STOP_HOLD, STOP_HOLD_AND_DRAIN };
enum fungibility { FUNGIBILITY_UNSET, FUNGIBILITY_MAY_STOP, FUNGIBILITY_TRY_NEXT };
enum fungibility_preference { PREFER_UNSET, PREFER_BORROWING, PREFER_PREEMPTION };
/* Unset (an object without its defaults) finds no victims, as Never, but counts as set where a rule asks for "not Never" (6.5). */
enum preempt_policy {
    POLICY_NEVER,
    POLICY_LOWER_PRIORITY,
    POLICY_LOWER_OR_NEWER_EQUAL,
    POLICY_ANY,
    POLICY_UNSET
};

struct fact_preemption {
    enum preempt_policy within_cluster_queue, reclaim_within_cohort;
    bool borrow_within_cohort; /* the object is present */
    enum preempt_policy borrow_policy;
    bool has_threshold;
    int32_t max_priority_threshold;
};

struct fact_cq_check {
    const char *name;
    const char *const *on_flavors; /* none = all flavors */
    uint32_t non_flavors;
};

struct fact_weight {
    bool set;
    struct quantity value;
};

struct fact_cluster_queue {
    const char *name, *cohort;
    enum queueing_strategy strategy;
    enum stop_policy stop;
    const struct fact_resource_group *groups;
    uint32_t ngroups;
    struct fact_selector namespaces;
    enum fungibility when_can_borrow, when_can_preempt;
    enum fungibility_preference preference;
    struct fact_preemption preemption;
    const struct fact_cq_check *checks;
    uint32_t nchecks;
    struct fact_weight weight;
    bool usage_based_afs; /* admissionScope.admissionMode = UsageBasedAdmissionFairSharing */
    bool deleting;        /* deletionTimestamp seen */
    int64_t
        generation; /* metadata.generation, 0 = unknown; the same as before means the same spec: it is not read again */
};

struct fact_cohort {
    const char *name, *parent;
    const struct fact_resource_group *groups;
    uint32_t ngroups;
    struct fact_weight weight;
};

struct fact_local_queue {
    const char *ns, *name, *cluster_queue;
    enum stop_policy stop;
    struct fact_weight weight;
    bool deleting;
    /* status.fairSharing.admissionFairSharingStatus, merged once at start (4.9) */
    const struct fact_amount *consumed;
    uint32_t nconsumed;
    when_ns consumed_at;
};

/* A resource with a quantity: requests, limits, outputs of a transformation. */
struct fact_amount {
    const char *resource;
    struct quantity q;
};

struct fact_admission_check {
    const char *name, *controller;
    bool active; /* condition Active=True */
};

struct fact_topology {
    const char *name;
};

struct fact_namespace {
    const char *name;
    const struct fact_label *labels;
    uint32_t nlabels;
};

struct fact_runtime_class {
    const char *name;
    const struct fact_amount *overhead; /* overhead.podFixed */
    uint32_t noverhead;
    bool has_overhead;
};

enum limit_type { LIMIT_CONTAINER, LIMIT_POD };

struct fact_limit_item {
    enum limit_type type;
    const struct fact_amount *max, *min, *defaults, *default_requests;
    uint32_t nmax, nmin, ndefaults, ndefault_requests;
};

struct fact_limit_range {
    const char *ns, *name;
    const struct fact_limit_item *items;
    uint32_t nitems;
};

/* ---- Workload (1.5) ------------------------------------------------------------------------------------------------------ */

struct fact_container {
    const char *name;
    const struct fact_amount *requests, *limits;
    uint32_t nrequests, nlimits;
    bool restart_always; /* an init container that keeps running ("sidecar") */
};

/* The part of a pod template that the engine reads. */
struct fact_pod {
    const struct fact_container *init, *containers;
    uint32_t ninit, ncontainers;
    bool has_resources; /* pod-level resources present */
    struct fact_container resources;
    bool has_overhead; /* spec.overhead non-empty */
    const struct fact_amount *overhead;
    uint32_t noverhead;
    const char *runtime_class;
    const struct fact_label *selector; /* nodeSelector */
    uint32_t nselector;
    bool has_affinity; /* required node affinity present */
    const struct fact_term *terms;
    uint32_t nterms;
    const struct fact_toleration *tolerations;
    uint32_t ntolerations;
    /* Canonical bytes of everything that makes two pods the same shape (4.10): init containers and containers (requests, ports),
     * nodeSelector, affinity, tolerations, runtimeClassName, priority, topologySpreadConstraints, overhead, resourceClaims,
     * pod-level requests. Made by lib/api; only equality matters. */
    const char *digest;
    uint32_t digest_len;
    /* A selector or affinity expression that does not parse: the text of the error, else "" (6.3). */
    const char *selector_error;
};

struct fact_pod_set {
    const char *name;
    int32_t count;
    int32_t min_count; /* 0 = unset */
    struct fact_pod pod;
    bool wants_topology;        /* any field that asks for topology-aware placement */
    bool wants_devices;         /* DRA resource claims: not supported yet */
    const char *topology;       /* canonical text of topologyRequest, for equality; "" = none */
    const char *topology_group; /* topologyRequest.podSetGroupName */
};

enum cond_type {
    COND_QUOTA_RESERVED,
    COND_ADMITTED,
    COND_PODS_READY,
    COND_EVICTED,
    COND_PREEMPTED,
    COND_REQUEUED,
    COND_FINISHED,
    COND_DEACTIVATION_TARGET,
    COND_BLOCKED_ON_GATES,
    COND_WAITING_FOR_REPLACEMENT,
    COND_TYPES /* how many */
};

enum cond_status { STATUS_ABSENT, STATUS_FALSE, STATUS_TRUE, STATUS_UNKNOWN };

struct fact_condition {
    enum cond_type type;
    enum cond_status status;
    const char *reason, *message;
    when_ns since; /* lastTransitionTime */
    int64_t generation;
};

enum check_state { CHECK_PENDING, CHECK_READY, CHECK_RETRY, CHECK_REJECTED };

struct fact_check_state {
    const char *name, *message;
    enum check_state state;
    when_ns since;
    bool has_requeue_after;
    int32_t requeue_after_s;
    bool has_retry_count;
    int32_t retry_count;
};

struct fact_flavor_ref {
    const char *resource, *flavor;
};

struct fact_assignment {
    const char *pod_set;
    const struct fact_flavor_ref *flavors;
    uint32_t nflavors;
    const struct fact_amount *usage; /* total of the pod set */
    uint32_t nusage;
    int32_t count;         /* -1 = unset: the count of the spec */
    bool has_topology;     /* topologyAssignment present */
    bool topology_pending; /* delayedTopologyRequest = Pending */
};

struct fact_admission {
    const char *cluster_queue;
    const struct fact_assignment *pod_sets;
    uint32_t npod_sets;
};

struct fact_reclaimable {
    const char *pod_set;
    int32_t count;
};

struct fact_workload {
    const char *ns, *name, *uid;
    int64_t generation;
    when_ns created;
    const char *queue; /* spec.queueName */
    const char *priority_class;
    int32_t priority;
    bool active;                /* spec.active is not false */
    const char *gated_by;       /* annotation admission-gated-by */
    const char *priority_boost; /* annotation priority-boost, raw text */
    const char *job_uid;        /* label job-uid */
    bool has_closed_gate;       /* a preemption gate of the spec is not Open in the status */
    const struct fact_pod_set *pod_sets;
    uint32_t npod_sets;
    /* status */
    const struct fact_condition *conditions;
    uint32_t nconditions;
    const struct fact_admission *admission; /* NULL = none */
    const struct fact_check_state *checks;
    uint32_t nchecks;
    const struct fact_reclaimable *reclaimable;
    uint32_t nreclaimable;
    int32_t requeue_count;
    when_ns requeue_at;
};

/* ---- Configuration (config.kueue.x-k8s.io/v1beta2), what the core uses --------------------------------------------------- */

enum fair_strategy {
    FAIR_FINAL_SHARE,
    FAIR_INITIAL_SHARE
}; /* LessThanOrEqualToFinalShare, LessThanInitialShare */

struct fact_transformation {
    const char *input;
    bool replace; /* strategy Replace; else Retain */
    const char *multiply_by;
    const struct fact_amount *outputs;
    uint32_t noutputs;
};

struct fact_gate {
    const char *name;
    bool on;
};

struct fact_config {
    bool fair_sharing;
    enum fair_strategy strategies[2];
    uint32_t nstrategies; /* 0 = both */
    bool afs;             /* admissionFairSharing present */
    int64_t afs_half_life_ns, afs_sampling_ns;
    const struct fact_amount *afs_weights;
    uint32_t nafs_weights;
    bool ignore_undeclared; /* resources.quotaCheckStrategy = IgnoreUndeclared */
    const char *const *exclude_prefixes;
    uint32_t nexclude_prefixes;
    const struct fact_transformation *transformations;
    uint32_t ntransformations;
    bool block_admission;          /* waitForPodsReady.blockAdmission */
    bool requeue_by_creation;      /* requeuingStrategy.timestamp = Creation; default Eviction */
    const struct fact_gate *gates; /* settings that differ from the defaults */
    uint32_t ngates;
};

#endif
