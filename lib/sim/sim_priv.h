/* Inside of the simulation. */
#ifndef SLUICE_SIM_SIM_PRIV_H
#define SLUICE_SIM_SIM_PRIV_H

#include "sim/seen.h"
#include "sim/sim.h"

RB_HEAD(sim_finishes, sim_wl);
RB_HEAD(sim_releases, sim_wl);
int sim_compare_finish(const struct sim_wl *a, const struct sim_wl *b);
int sim_compare_release(const struct sim_wl *a, const struct sim_wl *b);
RB_PROTOTYPE(sim_finishes, sim_wl, by_finish, sim_compare_finish)
RB_PROTOTYPE(sim_releases, sim_wl, by_release, sim_compare_release)

struct sim {
    struct world *w;
    struct sim_options opt;
    struct sim_watcher watch;
    struct arena arena; /* keys, facts with defaults */
    bool fair_sharing, observability, explicit_status;

    struct sim_wl *wls; /* owned; by key */
    uint32_t nwls;
    struct sim_wl **arrivals; /* owned; by arrival, then key */
    uint32_t narrivals, next_arrival;
    struct sim_finishes finishes;
    struct sim_releases releases;
    struct sim_wl **list; /* owned; scratch for nwls of them */

    when_ns now;
    uint64_t cycles;
    bool started; /* the first event time has come */
    enum sim_end end;
    struct seen seen;
    struct str text; /* scratch for messages */
};

/* load.c */
MUST_USE int sim_load(struct sim *s, const struct api_set *objects, struct err *err);

/* records.c: the records follow what happens. Each brings status, timers and the world in line. */
/* The status of a record changed: the controller looks at it (engine.md 10.4), the world gets the marks, timers follow. */
MUST_USE int record_changed(struct sim *s, struct sim_wl *sw, struct err *err);
MUST_USE int record_finish(struct sim *s, struct sim_wl *sw, struct err *err);
MUST_USE int record_release(struct sim *s, struct sim_wl *sw, struct err *err);
MUST_USE int record_arrive(struct sim *s, struct sim_wl *sw, struct err *err);
void record_free(struct sim_wl *sw);
/* The end of a cycle: conditions of what was admitted, evicted, refused. */
MUST_USE int records_apply(struct sim *s, const struct cycle *c, struct err *err);

struct sim_wl *sim_first_finish(struct sim *s);
struct sim_wl *sim_first_release(struct sim *s);

#endif
