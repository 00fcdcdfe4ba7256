/* The Workload of a job (around.md 1.0.4): what Kueue would create for it, as a document and as facts. */
#ifndef SLUICE_JOBS_WORKLOAD_H
#define SLUICE_JOBS_WORKLOAD_H

#include "core/gates.h"
#include "jobs/kind.h"

/* What else decides how a Workload looks. All borrowed. */
struct job_context {
    const struct gates *gates;
    const struct fact_priority_class *workload_classes,
        *pod_classes; /* WorkloadPriorityClass, PriorityClass */
    uint32_t nworkload_classes, npod_classes;
    /* Given to jobs that were not created yet (no uid) and name none, as at their creation; NULL = none (around.md 2.7). */
    const struct fact_priority_class *default_class;
    const char *const *label_keys; /* integrations.labelKeysToCopy */
    uint32_t nlabel_keys;
};

/* Makes the Workload of `job` (an object of a kind that job_kind_of knows), under the name that the job has or would be given (`name`),
 * for the queue `queue` ("" = none). `flags` and `sink` as for api_read; notes name the job's own fields wherever they can. *ret is an
 * object of kind API_WORKLOAD with the file, the line and the annotations of the job; its document is the whole Workload. Everything
 * is in the arena or borrowed from the job. ERR_INVALID with the first error, ERR_NOMEM. */
MUST_USE int job_workload(const struct object *job, const char *name, const char *queue,
                          const struct job_context *ctx, struct arena *a, unsigned flags,
                          const struct api_sink *sink, struct object *ret, struct err *err);

/* The name that job_workload gives to the Workload, in the arena; NULL when memory is exhausted. */
const char *job_workload_name(const struct object *job, const char *name, const struct job_context *ctx,
                              struct arena *a);

#endif
