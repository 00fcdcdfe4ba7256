/* Traces of jobs: what was submitted when, how much it asked for, and how long it ran. One format a file (jobs_*.c), chosen by the content;
 * a new one is a file and a row in jobs_reader.c. All hand out the same record, in order of submission. */
#ifndef SLUICE_SIM_JOBS_READER_H
#define SLUICE_SIM_JOBS_READER_H

#include "base/err.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Texts are borrowed until the next call on the reader, and never NULL. */
struct job {
    const char *id, *tenant, *user;
    const char *gpu_type;           /* "" = any or not recorded; "A|B" = either */
    when_ns submit;                 /* of a trace with a clock of its own: since that clock's zero */
    int64_t run_ns;                 /* once admitted; > 0 */
    int64_t gpus_milli, cpus_milli; /* of the whole job, thousandths; cpus 0 = not recorded */
    int32_t pods;                   /* >= 1; gpus / pods GPUs each */
    int32_t priority;               /* higher goes first */
    uint64_t line;                  /* where it stands; 0 = the format has no lines */
};

enum {
    JOBS_TEXT_MAX = 256,         /* bytes of an id, a tenant, ... */
    JOBS_PODS_MAX = 1000000,     /* of one job */
    JOBS_RUN_MAX_S = 3153600000, /* a hundred years, also for times of submission on a trace's own clock */
    JOBS_GPUS_MAX = 1000000000,  /* of one job */
};

/* What was left out, and why. */
struct jobs_skipped {
    uint64_t steps;      /* parts of a job (Slurm's job steps) */
    uint64_t never_ran;  /* cancelled before a start, or pending still */
    uint64_t unfinished; /* running still: nobody knows how long */
};

struct jobs_reader;

/* `path` "-" is standard input. Errors begin with the name and, where there is one, the line: ERR_IO, ERR_NOMEM, ERR_INVALID (no known format,
 * a column is missing), and for formats that have to be read whole before the first job is known all of those of jobs_next. */
MUST_USE int jobs_open(const char *path, struct jobs_reader **ret, struct err *err);
/* The same with an open file that the caller keeps. */
MUST_USE int jobs_open_file(FILE *file, const char *name, struct jobs_reader **ret, struct err *err);
/* The next job; *ret_more is false at the end. ERR_INVALID (a bad value, not in order of submission, a line cut short), ERR_LIMIT, ERR_IO,
 * ERR_NOMEM; after a failure the reader is of no more use. */
MUST_USE int jobs_next(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err);
void jobs_close(struct jobs_reader *r);

const char *jobs_format(const struct jobs_reader *r); /* "csv", "sacct", "workloads" */
/* Are times of the trace's own clock (day 0), or dates? */
bool jobs_has_dates(const struct jobs_reader *r);
struct jobs_skipped jobs_skipped(const struct jobs_reader *r);

#endif
