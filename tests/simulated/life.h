/* One life of a controller on the simulated API server, made from a seed: a cluster with queues and jobs, everything that goes wrong, and
 * the laws that hold all the while. The same seed is the same life, event by event. */
#ifndef SLUICE_TESTS_SIMULATED_LIFE_H
#define SLUICE_TESTS_SIMULATED_LIFE_H

#include "base/str.h"
#include "simulated/simserver.h"

/* What can go wrong. */
enum fault {
    FAULT_LOST_BEFORE, /* a request that never arrives */
    FAULT_LOST_AFTER,  /* one that is done, its answer lost */
    FAULT_THROTTLED,   /* 429 */
    FAULT_BROKEN,      /* 500 */
    FAULT_OVERRUN,     /* 504, done all the same */
    FAULT_REFUSED,     /* 403, nothing done */
    FAULT_CONFLICT,    /* 409: somebody wrote just before */
    FAULT_SLOW,        /* an answer that takes long, or too long */
    FAULT_CUT,         /* all connections end */
    FAULT_HALF_DEAD,   /* watches that say nothing any more */
    FAULT_EXPIRED,     /* 410 on every watch */
    FAULT_LATE_WATCH,  /* one watch is far behind the others */
    FAULT_STOLEN,      /* somebody else takes the Lease */
    FAULT_DELETED,     /* the Lease is deleted */
    FAULT_CLOCK,       /* the time of day jumps */
    FAULT_CRASH,       /* the controller ends without a word, at a write */
    FAULT_PAUSE,       /* it does not run for a while, and the world goes on */
    FAULT_STORM,       /* everything is throttled for seconds */
    FAULT_STOP,        /* it is told to stop, and another begins */
    FAULT_MEMORY,      /* its memory runs out; only when asked for */
    FAULTS
};

const char *fault_name(enum fault f);

struct life_options {
    bool verbose;         /* tell what happens */
    bool silent_world;    /* no faults */
    bool memory;          /* memory runs out now and then */
    const char *watch_of; /* with verbose: only objects whose key holds this; NULL = all */
};

struct life_result {
    bool ok;
    struct str why; /* the first law that was broken */
    uint64_t faults[FAULTS];
    uint32_t kinds; /* of faults that happened */
    uint64_t fault_total;
    uint32_t workloads, finished, given_up, jobs;
    uint64_t admissions, evictions, starts, writes, idle_writes, requests, events, steps;
    int64_t lived_ns, settled_ns; /* virtual */
};

/* Frees nothing of `ret`: life_result_free. */
void life_run(uint64_t seed, const struct life_options *o, struct life_result *ret);
void life_result_free(struct life_result *r);

#endif
