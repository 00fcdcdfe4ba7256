/* Jobs among the objects of a set get the Workloads that Kueue would create for them, so that they compete for quota. */
#ifndef SLUICE_JOBS_EXPAND_H
#define SLUICE_JOBS_EXPAND_H

#include "api/set.h"

/* Appends a Workload to the set for each job (around.md 2.1-2.3, 2.7) that asks for a queue, is of an enabled kind, is not over, is not
 * owned by an object that answers for it, and has no Workload in the set yet. Jobs that are only to be created (no uid) get what they
 * would get at creation: the queue `default` of their namespace, if it is there and they name none, and the class `default`. A job
 * whose name is to be generated gets a number behind it. What is wrong with a job is noted in the set, and the job is left out.
 * The namespace of such a job is added too when it is not there, with a warning. Jobs that ask for no queue are named in one warning.
 * To be called once, after everything was read. ERR_NOMEM. */
MUST_USE int job_expand(struct api_set *set, struct err *err);

#endif
