/* What one look at a job needs to know of it and of its Workloads: small, so that one can be kept for each of 100,000 jobs while the
 * documents are dropped. Sections are those of around.md (2.1). A view is one block of memory with all its texts: owned by the
 * caller, freed with job_view_free or wl_view_free. Texts are never NULL ("" = none). */
#ifndef SLUICE_JOBS_VIEW_H
#define SLUICE_JOBS_VIEW_H

#include "core/gates.h"
#include "core/status.h"
#include "jobs/canon.h"
#include "jobs/kind.h"

/* An owner reference, of kinds whose version does not matter. */
struct job_owner {
    const char *group, *kind, *name, *uid; /* kind "" = there is none */
};

/* What must stay the same in a pod set while its Workload describes the job (1.0.7). */
struct job_pod_view {
    const char *name;
    int32_t count, min_count;       /* min_count -1 = unset */
    struct canon_digest containers; /* initContainers and containers */
    struct canon_digest injected;   /* all that a start changes and a stop restores (1.0.5, 1.0.6) */
    const char *tolerations;        /* canonical texts, separated by commas */
    int32_t reclaimable; /* of a job: pods not needed any more; of a Workload: in status.reclaimablePods */
};

struct job_view {
    const struct job_kind *kind;
    const char *ns, *name, *uid, *resource_version;
    int64_t generation;
    const char *queue;          /* label queue-name */
    const char *priority_class; /* label priority-class */
    const char *prebuilt;       /* prebuilt-workload-name, "" = a Workload is built */
    const char *gated_by;       /* annotation admission-gated-by */
    int32_t max_exec_s;         /* label max-exec-time-seconds, 0 = unset */
    struct job_owner owner;     /* the controller among its owners, known kind or not */
    const struct job_pod_view *pods;
    uint32_t npods;
    const char *refused; /* why this job is not dealt with (elastic, malformed pod sets, ...), "" = it is */
    const char *finish_message; /* with finished */
    bool suspended;             /* the field itself; job_view_held() is what counts as suspended */
    bool stopping;              /* a stop was begun and is not through (annotation stopping) */
    bool has_start_time;
    bool finished, success;
    bool active; /* has running pods */
    bool pods_ready;
    bool deleting;
};

struct wl_view {
    const char *ns, *name, *uid, *resource_version;
    int64_t generation;
    struct job_owner owner; /* its controller */
    bool one_pod_owner;     /* a Pod owns it: never requeued (2.1.14) */
    const char *queue, *gated_by;
    const char *class_group, *class_name; /* spec.priorityClassRef */
    int32_t priority;
    int32_t max_exec_s; /* spec.maximumExecutionTimeSeconds, 0 = unset */
    bool active;        /* spec.active is not false */
    bool deleting;
    bool has_finalizer; /* kueue.x-k8s.io/resource-in-use */
    bool elastic;       /* annotation elastic-job or a slice */
    const struct job_pod_view *pods;
    uint32_t npods;
    /* Borrowed and to be set by the caller; never NULL in a reconcile. What the record says is believed, not the document. */
    const struct status *status;
    /* status.admission, as of the document */
    const char *cluster_queue; /* "" = no admission */
    const int32_t
        *admitted_counts; /* npods of them: the spec's where the assignment has none, -1 = no assignment */
    bool has_topology;    /* some assignment is a topology assignment */
};

/* Makes the view of a job's document. A job that we cannot deal with gets a view too: `refused` says why. `gates` are those of the
 * Configuration; `scratch` is used and rewound. ERR_NOMEM; ERR_INVALID when it is no object (no name). */
MUST_USE int job_view_of(const struct job_kind *kind, const struct doc_node *doc, const struct gates *gates,
                         struct arena *scratch, struct job_view **ret, struct err *err);
void job_view_free(struct job_view *v); /* NULL is fine */

/* Makes the view of a Workload's document; `status` is NULL in it. Errors as above. */
MUST_USE int wl_view_of(const struct doc_node *doc, struct arena *scratch, struct wl_view **ret,
                        struct err *err);
void wl_view_free(struct wl_view *v);

/* Suspended, and nothing left of a stop. */
bool job_view_held(const struct job_view *v);

#endif
