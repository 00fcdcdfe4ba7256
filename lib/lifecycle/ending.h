/* The end of a Workload object: who finishes it when its owner is gone, when our finalizer goes, when it is deleted (engine.md 10.4
 * steps 1 and 2, 10.9). */
#ifndef SLUICE_LIFECYCLE_ENDING_H
#define SLUICE_LIFECYCLE_ENDING_H

#include "core/status.h"

struct ending_object {
    bool owned;       /* it has ownerReferences */
    bool deleting;    /* deletionTimestamp seen */
    bool has_job_uid; /* label job-uid: a job made it */
    int64_t generation;
};

struct ending_config {
    bool finish_orphans; /* gate FinishOrphanedWorkloads */
    bool has_retention;  /* objectRetentionPolicies.workloads.afterFinished */
    int64_t retention_ns;
};

struct ending {
    bool finished; /* the status changed: Finished=True, OwnerNotFound */
    bool release;  /* our finalizer is to go, if it is there */
    bool remove;   /* the object is to be deleted, after that */
    when_ns again; /* when the time of a finished one is over; WHEN_NONE = never */
};

/* ERR_NOMEM leaves the status as it was. */
MUST_USE int ending_of(const struct ending_config *c, const struct ending_object *o, struct status *s,
                       when_ns now, struct ending *ret);

#endif
