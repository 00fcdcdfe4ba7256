/* Kinds of jobs as data: what differs between a Job and a JobSet is a row of paths (around.md 1.2). A new kind is a row of kind.c and an
 * entry of enum api_kind. Paths are those of doc_path. */
#ifndef SLUICE_JOBS_KIND_H
#define SLUICE_JOBS_KIND_H

#include "api/objects.h"

#define JOB_QUEUE_LABEL "kueue.x-k8s.io/queue-name"

/* The pod sets that a kind has: one for each item of a list, or one of the job itself. */
struct job_pods {
    const char *list;            /* from the job; NULL = once, of the job itself */
    const char *name;            /* of the pod set; NULL = the item's field `name` */
    const char *template;        /* the pod template, from the item; so are the next three */
    const char *replicas;        /* how many times; NULL = once. Unset counts as 1 */
    const char *parallelism;     /* pods of one time: the smaller of both, */
    const char *completions;     /* of those that are set; 1 when none is */
    const char *min_annotation;  /* of the job: the least count, for partial admission; NULL = none */
    const char *sync_annotation; /* of the job: "true" = completions follow the parallelism; NULL = none */
    const char *index_label;     /* topology request: podIndexLabel; NULL = none */
    const char *
        group_label; /* topology request: subGroupIndexLabel, with the replicas as subGroupCount; NULL = none */
    const char *dropped_labels; /* of the template: names, each followed by one space */
    const char *kept_labels;    /* of the template, in the same form: a stop leaves them as they are */
};

struct job_kind {
    const char *framework; /* integrations.frameworks */
    enum api_kind api;
    const char *group, *kind;
    const char *suspend; /* true holds the job */
    const char *managed_by, *default_manager;
    const struct job_pods *pods;
    uint32_t npods;
    const char *succeeded, *failed; /* condition types that say that it is over */
    /* How many of `count` pods of a pod set are not needed any more. `item` as in struct job_pods. */
    int32_t (*reclaimable)(const struct doc_node *job, const struct doc_node *item, int32_t count);
    /* Has it running pods; are all of its pods ready? Of the job's own status. */
    bool (*active)(const struct doc_node *job);
    bool (*ready)(const struct job_kind *k, const struct doc_node *job);
    /* A stop in three steps (around.md 1.2.2): the annotation that says that it is not through, and the field of the status that has
     * to be cleared before templates may change. NULL = one step. */
    const char *stopping, *start_time;
    bool elastic; /* may have workload slices */
};

/* NULL when objects of that kind are no jobs. */
const struct job_kind *job_kind_of(enum api_kind k);
/* The kind of a job whose framework has that name; NULL if unknown. */
const struct job_kind *job_kind_named(const char *framework);

/* Is this a kind that owns jobs of its own and answers for them (around.md 2.1.2)? All kinds that have an integration are. */
bool job_kind_owns(const char *group, const char *kind);
/* The name of that integration, whether we have it or not; "" for ReplicaSet, NULL for a kind without one. */
const char *job_kind_framework(const char *group, const char *kind);

/* ---- questions about a job ---------------------------------------------------------------------------------------------- */

const char *job_label(const struct doc_node *job, const char *key);      /* "" = none */
const char *job_annotation(const struct doc_node *job, const char *key); /* "" = none */
const char *job_queue(const struct doc_node *job);                       /* the label, "" = none */
bool job_is_suspended(const struct job_kind *k, const struct doc_node *job);
bool job_is_finished(const struct job_kind *k, const struct doc_node *job);
/* The condition that says so, NULL while it is not over; *ret_success only then. */
const struct doc_node *job_finish(const struct job_kind *k, const struct doc_node *job, bool *ret_success);
/* The controller among its owners has an integration: the owner has the Workload, the job has none. */
bool job_is_child(const struct doc_node *job);

/* Pods of one replica of an item, and how many replicas it has. ERR_INVALID, ERR_RANGE: a field is no such number; *ret_bad is the field,
 * NULL when only the product is too large. */
MUST_USE int job_pods_count(const struct job_pods *p, const struct doc_node *item, int32_t *ret_replicas,
                            int32_t *ret_count, const struct doc_node **ret_bad, struct err *err);

#endif
