/* The pod sets of a job's Workload, from the templates of the job (around.md 1.0.4). */
#ifndef SLUICE_JOBS_PODSETS_H
#define SLUICE_JOBS_PODSETS_H

#include "api/make.h"
#include "api/reader.h"
#include "jobs/kind.h"

struct job_pods_options {
    bool topology;    /* gate TopologyAwareScheduling */
    bool multi_layer; /* gate TASMultiLayerTopology */
    bool partial;     /* gate PartialAdmission */
};

/* The list podSets. Errors are noted at the job's fields (rd->root is the job). */
struct doc_node *job_pod_sets(struct reader *rd, const struct job_kind *k, const struct doc_node *job,
                              const struct job_pods_options *opt);

/* The item of the job and the row of its kind that the i-th pod set was made from; false when there are not so many. `*ret_item` is
 * where it stands below the job ("spec.replicatedJobs[1]"), in the arena; "" for the job itself. */
bool job_pod_set_origin(struct arena *a, const struct job_kind *k, const struct doc_node *job, uint32_t i,
                        const struct job_pods **ret_row, const char **ret_item);

/* The list reclaimablePods; NULL when nothing can be reclaimed. For a job whose pod sets were made without errors. */
struct doc_node *job_reclaimable_pods(struct arena *a, const struct job_kind *k, const struct doc_node *job);

#endif
