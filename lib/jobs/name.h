/* The name of the Workload of a job (around.md 1.0.3): readable, unique, and the same each time it is asked for. */
#ifndef SLUICE_JOBS_NAME_H
#define SLUICE_JOBS_NAME_H

#include <stddef.h>

enum { JOB_NAME_MAX = 253, JOB_NAME_SHORT_MAX = 63 };

struct arena;

/* `uid` and `extra` may be "". `max` is one of the above. In the arena, whose bail must be set (arena_need). */
const char *job_name(struct arena *a, const char *group, const char *kind, const char *owner, const char *uid,
                     const char *extra, size_t max);

#endif
