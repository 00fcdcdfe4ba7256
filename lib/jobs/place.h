/* Where a job stands among its owners: a JobSet answers for the Jobs that it makes (around.md 2.1.2). */
#ifndef SLUICE_JOBS_PLACE_H
#define SLUICE_JOBS_PLACE_H

#include "jobs/view.h"

enum { JOB_PLACE_MAX_HOPS = 10 };

enum job_place {
    JOB_TOP,      /* nobody answers for it */
    JOB_CHILD,    /* an ancestor does */
    JOB_ORPHANED, /* cannot be told: one of its owners was not found */
    JOB_TOO_DEEP, /* more than JOB_PLACE_MAX_HOPS owners above it */
    JOB_CYCLE,    /* it is its own ancestor */
};

struct job_ancestry {
    enum job_place place;
    struct job_owner ancestor; /* JOB_CHILD: the highest that answers; borrowed from the views */
    const char *ancestor_queue;
};

/* What is known of an owner. */
struct job_owner_view {
    const char *uid, *queue;
    struct job_owner owner; /* its own controller */
    bool answers;           /* its kind is in integrations.frameworks or externalFrameworks */
};

enum job_owner_known {
    JOB_OWNER_FOREIGN, /* its kind has no integration (job_kind_owns) and is not in externalFrameworks */
    JOB_OWNER_MISSING, /* there is no object of that name */
    JOB_OWNER_FOUND,
};
typedef enum job_owner_known job_owner_fn(void *arg, const char *ns, const struct job_owner *ref,
                                          struct job_owner_view *ret);

/* Climbs from the job to the highest ancestor that has a queue name, or that answers at all when jobs without one are managed. */
struct job_ancestry job_place_of(const struct job_view *job, bool manage_without_queue, job_owner_fn *owner,
                                 void *arg);

#endif
