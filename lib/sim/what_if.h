/* What if: the same objects with some changes, run to rest in a world of their own by the engine itself. The runs are compared with
 * the run without changes. Nothing is estimated: what a run says is what the engine decided. */
#ifndef SLUICE_SIM_WHAT_IF_H
#define SLUICE_SIM_WHAT_IF_H

#include "sim/change.h"
#include "sim/sim.h"

/* Bounds. A run reads all objects anew, so a large world gets fewer of them. */
enum {
    WHAT_IF_RUNS_MAX = 2000,        /* at most */
    WHAT_IF_RUNS_MIN = 60,          /* however large the world is */
    WHAT_IF_WORK_MAX = 500000,      /* Workloads of all runs together, between the two */
    WHAT_IF_CYCLES_MAX = 200000,    /* of a run */
    WHAT_IF_CYCLES_AT_ONCE = 10000, /* beyond that a run is restless */
};

struct what_if;

struct what_if_result {
    bool rest;   /* it came to rest within the bounds; else nothing is proved */
    bool starts; /* at rest, the Workload holds quota or has finished */
    /* Others, as indexes of sim_at, that held quota at rest without the changes and no longer do, or the other way round. Those that
     * have finished in either run are left out. Borrowed until the next run. */
    const uint32_t *lost, *gained;
    uint32_t nlost, ngained;
};

/* The objects are borrowed for the life of `*ret`; the Workload is asked about. The base is loaded, not yet run. ERR_NOTFOUND when the
 * Workload is not among the objects; else as sim_new. */
MUST_USE int what_if_new(const struct api_set *objects, const char *ns, const char *name,
                         struct what_if **ret, struct err *err);
/* Runs the world without changes to its end, once; `watch` (may be NULL) is told. */
MUST_USE int what_if_start(struct what_if *w, const struct sim_watcher *watch, struct err *err);
void what_if_free(struct what_if *w);

/* Runs with the changes, all at once. ERR_LIMIT when there are no runs left, ERR_NOMEM; an object that the simulation refuses is
 * ERR_INVALID. */
MUST_USE int what_if_run(struct what_if *w, const struct change *changes, uint32_t n,
                         struct what_if_result *ret, struct err *err);

const struct sim *what_if_base(const struct what_if *w); /* the run without changes, at rest */
const struct sim_wl *what_if_target(const struct what_if *w);
const struct api_set *what_if_objects(const struct what_if *w);
uint32_t what_if_runs(const struct what_if *w); /* so far, with the first */
uint32_t what_if_left(const struct what_if *w);

/* Does it hold quota, and is not about to lose it? Has it finished? */
bool what_if_holds(const struct sim_wl *sw);
bool what_if_finished(const struct sim_wl *sw);
/* How much of a resource (name id) it holds in all, or would get with all its pods. */
int64_t what_if_asked(const struct world *w, const struct wl *wl, uint32_t res);

#endif
