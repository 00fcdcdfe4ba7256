/* Pods of a running job that are not needed any more (around.md 1.2): what they held can be given away before the job is over. */
#ifndef SLUICE_JOBS_RECLAIM_H
#define SLUICE_JOBS_RECLAIM_H

#include "api/doc.h"

/* As struct job_kind.reclaimable says. */
int32_t reclaimable_batch(const struct doc_node *job, const struct doc_node *item, int32_t count);
int32_t reclaimable_job_set(const struct doc_node *job, const struct doc_node *item, int32_t count);

/* How many of the indexes 0 <= i < `limit` are in either text ("0-4,7,9-11"). Parts that cannot be read are passed over.
 * Kubernetes writes the parts in order; what comes before a part that stands before it is not counted. */
int64_t reclaim_indexes(const char *a, const char *b, int64_t limit);

#endif
