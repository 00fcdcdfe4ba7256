/* What would unblock a Workload that waits: changes, each of them run by the engine (sim/what_if.h) and seen to let it start. */
#ifndef SLUICE_SIM_OPTIONS_H
#define SLUICE_SIM_OPTIONS_H

#include "sim/what_if.h"

enum {
    OPTIONS_ENDS_MAX = 24, /* running Workloads that are looked at, those with most of what is asked first */
    OPTIONS_LENDERS_MAX = 32, /* nodes of the tree whose lendingLimit is looked at */
    OPTIONS_QUEUES_MAX = 8,   /* other LocalQueues of the namespace */
    OPTIONS_DIALS_MAX = 64,   /* fields that are turned together */
};

/* All changes together let it start; without any one of them, or with a number nearer to what it was, it was not seen to start. */
struct option {
    const struct change *changes;
    uint32_t nchanges;
    const char *const *lost, *const *gained; /* keys of others, as in what_if_result */
    uint32_t nlost, ngained;
};

struct options {
    struct option *list; /* cheapest first: the user's own changes, time, priority, quotas, policies */
    uint32_t n, cap;
    bool
        exhausted; /* no runs were left (WHAT_IF_RUNS_MAX): there may be more, and the last numbers may not be the nearest */
};

/* Everything returned lies in `a`, whose bail must be set, or is borrowed from `w`. ERR_NOMEM, or what the simulation returned. Numbers
 * are found by bisection: the one given is seen to do, and the next one (a pod, a unit of a resource, a thousandth of a cpu, a Mi of
 * memory where all is in whole Mi, half a weight) seen not to. */
MUST_USE int options_find(struct what_if *w, struct arena *a, struct options *ret, struct err *err);

#endif
