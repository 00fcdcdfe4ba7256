/* Inside of the simulation. */
#ifndef SLUICE_SIM_SIM_PRIV_H
#define SLUICE_SIM_SIM_PRIV_H

#include "lifecycle/lifecycle.h"
#include "lifecycle/podsready.h"
#include "sim/seen.h"
#include "sim/sim.h"

RB_HEAD(sim_finishes, sim_wl);
RB_HEAD(sim_releases, sim_wl);
RB_HEAD(sim_looks, sim_wl);
int sim_compare_finish(const struct sim_wl *a, const struct sim_wl *b);
int sim_compare_release(const struct sim_wl *a, const struct sim_wl *b);
RB_PROTOTYPE(sim_finishes, sim_wl, by_finish, sim_compare_finish)
RB_PROTOTYPE(sim_releases, sim_wl, by_release, sim_compare_release)
int sim_compare_look(const struct sim_wl *a, const struct sim_wl *b);
RB_PROTOTYPE(sim_looks, sim_wl, by_look, sim_compare_look)

struct sim {
    struct world *w;
    struct sim_options opt;
    struct sim_watcher watch;
    struct sim_history history; /* without functions = nobody keeps one */
    struct arena arena;         /* keys, facts with defaults */
    bool fair_sharing, observability, explicit_status;

    struct sim_wl *wls; /* owned; by key */
    uint32_t nwls;
    struct sim_wl **arrivals; /* owned; by arrival, then key */
    uint32_t narrivals, next_arrival;
    struct sim_finishes finishes;
    struct sim_releases releases;
    struct sim_looks looks;
    struct sim_wl **list; /* owned; scratch for nwls of them */

    when_ns now, began;
    uint64_t cycles;
    bool started; /* the first event time has come */
    enum sim_end end;
    struct seen seen;
    struct str text; /* scratch for messages */

    /* cluster.c */
    bool writes_pods_ready, has_timeout;
    struct podsready_config podsready;
    const char **assumed; /* owned; the names are those of the world */
    uint32_t nassumed, cap_assumed;
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

/* cluster.c: the model cluster. */
void cluster_configure(struct sim *s, const struct api_set *objects);
/* Its answer to the Workload's status, after the controller's look (`r`, from which the next look follows). *ret_answered: the status
 * changed, so the controller looks again. ERR_NOMEM. */
MUST_USE int cluster_answer(struct sim *s, struct sim_wl *sw, const struct lifecycle_result *r,
                            bool *ret_answered, struct err *err);
/* Its time to look has come. ERR_NOMEM. */
MUST_USE int record_look(struct sim *s, struct sim_wl *sw, struct err *err);

struct sim_wl *sim_first_look(struct sim *s);
struct sim_wl *sim_first_finish(struct sim *s);
struct sim_wl *sim_first_release(struct sim *s);

#endif
