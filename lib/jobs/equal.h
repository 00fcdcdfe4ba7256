/* Does a Workload still describe its job (around.md 1.0.7)? */
#ifndef SLUICE_JOBS_EQUAL_H
#define SLUICE_JOBS_EQUAL_H

#include "jobs/view.h"

/* Equal counts, least counts and containers, one by one; and equal tolerations, unless they do not matter. */
bool job_pods_equal(const struct job_pod_view *a, uint32_t na, const struct job_pod_view *b, uint32_t nb,
                    bool tolerations);

/* wl->status must be set. */
bool job_equivalent(const struct job_view *job, const struct wl_view *wl, const struct gates *gates);

/* Would a stop have to change templates or counts of the job, to be as the Workload has them (1.0.6)? */
bool job_differs(const struct job_view *job, const struct wl_view *wl);

#endif
