/* Kubernetes objects -> facts (engine.md 1, around.md 7.5): defaults, the rules of the CRDs and of the webhooks, and the plain
 * types of core/facts.h. Everything lands in the caller's arena and borrows strings from the document: both must outlive the
 * facts. What is v1beta1 has to be converted before (api/v1beta1.h); api_read and api_set do that. */
#ifndef SLUICE_API_OBJECTS_H
#define SLUICE_API_OBJECTS_H

#include "api/doc.h"
#include "api/settings.h"
#include "core/facts.h"
#include "core/gates.h"

enum api_kind {
    API_FLAVOR,
    API_CLUSTER_QUEUE,
    API_COHORT,
    API_LOCAL_QUEUE,
    API_WORKLOAD,
    API_WORKLOAD_PRIORITY_CLASS,
    API_ADMISSION_CHECK,
    API_TOPOLOGY,
    API_NAMESPACE,
    API_LIMIT_RANGE,
    API_RUNTIME_CLASS,
    API_PRIORITY_CLASS,
    API_CONFIG,
    API_JOB, /* jobs are kept as documents: lib/jobs makes Workloads of them */
    API_JOB_SET,
    API_KINDS /* how many */
};

enum api_flags {
    API_NO_DEFAULTS =
        1, /* what is unset stays unset (STRATEGY_UNSET, ...): an object of an API server or of a test has its defaults */
    API_NO_VALIDATE = 2, /* no rules but those of types: numbers, lists, quantities, enum words */
    API_STRICT = 4,      /* fields that are not known are errors, not warnings */
    API_COMPACT =
        8, /* an api_set keeps no documents of Workloads (their doc is NULL), and equal texts once */
    API_LENIENT = API_NO_DEFAULTS | API_NO_VALIDATE,
};

/* WorkloadPriorityClass and PriorityClass. */
struct fact_priority_class {
    const char *name;
    int32_t value;
    bool global_default; /* PriorityClass only */
};

struct object {
    enum api_kind kind;
    const char *file; /* "" when it comes from no file */
    uint32_t line;    /* where the object begins */
    /* ns "" for kinds without namespace; both "" for a Configuration, name "" for a job whose name is to be generated */
    const char *ns, *name;
    const struct fact_label *annotations;
    uint32_t nannotations;
    const struct doc_node *doc;      /* borrowed */
    const struct settings *settings; /* of a Configuration, else NULL */
    union {
        struct fact_flavor flavor;
        struct fact_cluster_queue cluster_queue;
        struct fact_cohort cohort;
        struct fact_local_queue local_queue;
        struct fact_workload workload;
        struct fact_priority_class priority_class; /* both kinds of priority class */
        struct fact_admission_check admission_check;
        struct fact_topology topology;
        struct fact_namespace name_space;
        struct fact_limit_range limit_range;
        struct fact_runtime_class runtime_class;
        struct fact_config config;
    };
};

const char *api_kind_name(enum api_kind k); /* "ClusterQueue" */
/* Value of an annotation, NULL if there is none. */
const char *object_annotation(const struct object *o, const char *key);

/* Where notes about an object go: all of its errors, and warnings (unknown fields). `path` is "" for the object as a whole. */
struct api_sink {
    void (*note)(void *ctx, bool is_error, uint32_t line, const char *path, const char *text);
    void *ctx;
};

/* Which kind is this document? ERR_INVALID when it is no Kubernetes object (or of a version that is not read), ERR_NOTFOUND when it
 * is of a kind that we do not use. */
MUST_USE int api_kind_of(const struct doc_node *node, enum api_kind *ret, struct err *err);

/* Reads one object. ERR_INVALID with the first error ("spec.priority: must be ..."); `sink` (may be NULL) gets all. `flags` is a set
 * of enum api_flags. */
MUST_USE int api_read(const struct doc_node *node, struct arena *a, unsigned flags,
                      const struct api_sink *sink, struct object *ret, struct err *err);
/* The same for an object whose kind is known from elsewhere: its own apiVersion and kind are not looked at. */
MUST_USE int api_read_as(enum api_kind kind, const struct doc_node *node, struct arena *a, unsigned flags,
                         const struct api_sink *sink, struct object *ret, struct err *err);

/* May an API server take `after` in the place of `before` (NULL: as a new object)? All rules of the kind, with `gates` (NULL = their
 * defaults), and those about what may not change. Both objects have their defaults. Errors as in api_read. */
MUST_USE int api_validate_update(enum api_kind kind, const struct doc_node *before,
                                 const struct doc_node *after, const struct gates *gates, struct arena *a,
                                 const struct api_sink *sink, struct err *err);

/* ---- parts of objects, for callers that hold a part: same flags, same errors; a NULL or null node gives nothing (n = 0) --------- */

/* A pod template ({metadata, spec}) or its spec alone. */
MUST_USE int api_read_pod_template(const struct doc_node *node, struct arena *a, unsigned flags,
                                   struct fact_pod *ret, struct err *err);
MUST_USE int api_read_pod_spec(const struct doc_node *node, struct arena *a, unsigned flags,
                               struct fact_pod *ret, struct err *err);
MUST_USE int api_read_container(const struct doc_node *node, struct arena *a, unsigned flags,
                                struct fact_container *ret, struct err *err);
MUST_USE int api_read_pod_sets(const struct doc_node *list, struct arena *a, unsigned flags,
                               const struct fact_pod_set **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_conditions(const struct doc_node *list, struct arena *a, unsigned flags,
                                 const struct fact_condition **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_check_states(const struct doc_node *list, struct arena *a, unsigned flags,
                                   const struct fact_check_state **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_admission(const struct doc_node *node, struct arena *a, unsigned flags,
                                struct fact_admission *ret, struct err *err);
MUST_USE int api_read_assignments(const struct doc_node *list, struct arena *a, unsigned flags,
                                  const struct fact_assignment **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_limit_items(const struct doc_node *list, struct arena *a, unsigned flags,
                                  const struct fact_limit_item **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_resource_groups(const struct doc_node *list, struct arena *a, unsigned flags,
                                      const struct fact_resource_group **ret, uint32_t *ret_n,
                                      struct err *err);
MUST_USE int api_read_preemption(const struct doc_node *node, struct arena *a, unsigned flags,
                                 struct fact_preemption *ret, struct err *err);
MUST_USE int api_read_transformations(const struct doc_node *list, struct arena *a, unsigned flags,
                                      const struct fact_transformation **ret, uint32_t *ret_n,
                                      struct err *err);
MUST_USE int api_read_taints(const struct doc_node *list, struct arena *a, unsigned flags,
                             const struct fact_taint **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_tolerations(const struct doc_node *list, struct arena *a, unsigned flags,
                                  const struct fact_toleration **ret, uint32_t *ret_n, struct err *err);
/* Maps: resource -> quantity, key -> text. */
MUST_USE int api_read_amounts(const struct doc_node *map, struct arena *a, unsigned flags,
                              const struct fact_amount **ret, uint32_t *ret_n, struct err *err);
MUST_USE int api_read_labels(const struct doc_node *map, struct arena *a, unsigned flags,
                             const struct fact_label **ret, uint32_t *ret_n, struct err *err);
/* A label selector; a NULL node gives the null selector. */
MUST_USE int api_read_selector(const struct doc_node *node, struct arena *a, unsigned flags,
                               struct fact_selector *ret, struct err *err);

#endif
