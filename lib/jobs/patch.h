/* Actions of a plan (jobs/reconcile.h) as requests: JSON merge patches (RFC 7386) that hold only what changes, with
 * metadata.resourceVersion of the document they were made from, so that a change in between is a conflict. Appended to `out`. A patch
 * that would change nothing is empty text: there is nothing to send. */
#ifndef SLUICE_JOBS_PATCH_H
#define SLUICE_JOBS_PATCH_H

#include "base/str.h"
#include "jobs/kind.h"
#include "lifecycle/podinfo.h"

struct gates;

/* The documents an action is rendered from. Borrowed. */
struct job_docs {
    const struct job_kind *kind;
    const struct doc_node *job;
    const struct doc_node *workload; /* may be NULL for a stop */
    const struct gates *gates;
    struct arena *arena; /* scratch, rewound */
};

/* ---- of the job --------------------------------------------------------------------------------------------------------- */

/* START: the job runs where its Workload was admitted: node selectors, tolerations, labels, annotations, counts, suspend = false
 * (around.md 1.0.5). ERR_STATE: it can never start like this, the text is the message of FailedToStart. ERR_NOTFOUND: a flavor is
 * missing now. ERR_INVALID: a document is not what it should be. ERR_NOMEM. */
MUST_USE int job_start_patch(const struct job_docs *docs, podinfo_flavor_fn *flavor, void *arg,
                             struct str *out, struct err *err);

/* STOP_*: three writes for a batch Job (1.2.2), one for others. Each is made from the reply to the one before. */
enum job_stop_step {
    JOB_STEP_SUSPEND, /* of the job */
    JOB_STEP_CLEAR,   /* of its status subresource */
    JOB_STEP_RESTORE, /* of the job */
};
MUST_USE int job_stop_patch(const struct job_docs *docs, enum job_stop_step step, struct str *out,
                            struct err *err);

/* SUSPEND_CHILD: needs only the view's resourceVersion. */
MUST_USE int job_suspend_patch(const struct job_kind *kind, const char *resource_version, struct str *out,
                               struct err *err);

/* The two changes themselves, as documents in the arena: the job as it runs with these infos, one a pod set (ERR_STATE as above) ... */
MUST_USE int job_started(const struct job_docs *docs, const struct podinfo *infos, uint32_t n,
                         const struct doc_node **ret, struct err *err);
/* ... and as it stands still; templates are left alone unless there is one info for each. `infos` NULL = as docs->workload says. */
MUST_USE int job_restored(const struct job_docs *docs, const struct podinfo *infos, uint32_t n,
                          const struct doc_node **ret, struct err *err);

/* ---- of the Workload ---------------------------------------------------------------------------------------------------- */

/* `resource_version` is that of its view. */
MUST_USE int job_queue_patch(const char *resource_version, const char *queue, struct str *out,
                             struct err *err);
MUST_USE int job_gated_patch(const char *resource_version, const char *gated_by, struct str *out,
                             struct err *err);
/* `made`: what job_workload() makes now. */
MUST_USE int job_priority_patch(const char *resource_version, const struct doc_node *made, struct str *out,
                                struct err *err);
/* The Workload's spec becomes that of `made`; `active` stays. */
MUST_USE int job_update_workload_patch(const struct doc_node *workload, const struct doc_node *made,
                                       struct arena *scratch, struct str *out, struct err *err);
/* Controller reference and label of docs->job. */
MUST_USE int job_adopt_patch(const struct job_docs *docs, struct str *out, struct err *err);
MUST_USE int job_finalizer_patch(const struct doc_node *workload, struct arena *scratch, struct str *out,
                                 struct err *err);

#endif
