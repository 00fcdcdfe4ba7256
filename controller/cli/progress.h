/* A line on a terminal's stderr while a run takes longer than a second. */
#ifndef SLUICE_CLI_PROGRESS_H
#define SLUICE_CLI_PROGRESS_H

#include "sim/sim.h"

struct progress {
    const char *who;
    int64_t began_ns, told_ns; /* of the monotonic clock */
    bool on, shown;
};

struct progress progress_start(const char *who, bool quiet);
void progress_tick(void *progress, const struct sim *s); /* a sim_tick_fn */
void progress_end(struct progress *p);                   /* takes the line away */

#endif
