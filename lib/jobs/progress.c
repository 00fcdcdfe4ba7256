#include "jobs/progress.h"

bool progress_batch_active(const struct doc_node *job)
{
    return doc_i64_or(doc_field(job, "status"), "active", 0) != 0;
}

/* Pods that ended well and are not counted yet are ready too. */
bool progress_batch_ready(const struct job_kind *k, const struct doc_node *job)
{
    const struct doc_node *status = doc_field(job, "status"), *bad,
                          *uncounted = doc_path(status, "uncountedTerminatedPods.succeeded");
    int32_t replicas, count;
    if (job_pods_count(&k->pods[0], job, &replicas, &count, &bad, NULL) < 0)
        return false;
    int64_t succeeded = doc_i64_or(status, "succeeded", 0), ready = doc_i64_or(status, "ready", 0), sum;
    return !__builtin_add_overflow(succeeded, ready, &sum) &&
           !__builtin_add_overflow(sum, (int64_t)(doc_is(uncounted, DOC_LIST) ? uncounted->n : 0), &sum) &&
           sum >= count;
}

bool progress_job_set_active(const struct doc_node *job)
{
    doc_foreach (s, doc_path(job, "status.replicatedJobsStatus")) {
        if (doc_i64_or(s, "active", 0) > 0)
            return true;
    }
    return false;
}

/* Counts Jobs, not pods. */
bool progress_job_set_ready(const struct job_kind *k, const struct doc_node *job)
{
    int64_t wanted = 0, there = 0;
    bool fits = true;
    doc_foreach (item, doc_path(job, k->pods[0].list))
        fits = fits && !__builtin_add_overflow(wanted, doc_i64_or(item, "replicas", 1), &wanted);
    doc_foreach (s, doc_path(job, "status.replicatedJobsStatus"))
        fits = fits && !__builtin_add_overflow(there, doc_i64_or(s, "ready", 0), &there) &&
               !__builtin_add_overflow(there, doc_i64_or(s, "succeeded", 0), &there);
    return fits && wanted == there;
}
