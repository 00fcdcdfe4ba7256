/* How far a job is, as its own status tells (around.md 1.2): does it have running pods, are all of them ready? */
#ifndef SLUICE_JOBS_PROGRESS_H
#define SLUICE_JOBS_PROGRESS_H

#include "jobs/kind.h"

/* As struct job_kind.active and .ready say. */
bool progress_batch_active(const struct doc_node *job);
bool progress_batch_ready(const struct job_kind *k, const struct doc_node *job);
bool progress_job_set_active(const struct doc_node *job);
bool progress_job_set_ready(const struct job_kind *k, const struct doc_node *job);

#endif
