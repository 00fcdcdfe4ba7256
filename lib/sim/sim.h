/* A world in virtual time: Workloads arrive, run, finish and are evicted; in between, scheduling cycles run until nothing moves. The
 * clock stands still while work is done and goes from one event time to the next. No printing here: a watcher is told what happens.
 *
 * At one event time, in this order: runs that end finish; evicted Workloads whose time to stop is over are released; arrivals appear;
 * what a finish or a release freed wakes the Workloads of its tree (engine.md 4.7), once; cycles run until the state of the queues
 * repeats itself with nothing admitted, evicted or released in between. After each cycle, Workloads with no time to stop are released.
 * Within one kind, the order is that of "namespace/name".
 *
 * Annotations of a Workload: `sim/arrive-at` (RFC 3339; default: its creation), `sim/run-seconds` (how long it runs after each
 * admission; default: for ever), `sim/stop-seconds` (how long it keeps its quota once evicted; default: 0). A Workload that holds quota
 * in the files is there from the start and runs from the first event time on.
 *
 * Recorded worlds are told by these rules alone. What people have (a cluster as it stands, hand-written files) is `gathered` and asks
 * the model cluster for answers: see sim_options. */
#ifndef SLUICE_SIM_SIM_H
#define SLUICE_SIM_SIM_H

#include "api/set.h"
#include "core/cycle.h"
#include "core/world.h"

#include <bsd/sys/tree.h>

/* The admission that a Workload has, or had when it finished. */
struct sim_share {
    const char *resource, *flavor; /* borrowed from the world's names; flavor "" = none */
    int64_t amount;
};
struct sim_pod_set {
    const char *name;
    int32_t count;
    const struct sim_share *shares; /* sorted by resource */
    uint32_t nshares;
};
struct sim_admission {
    const char *cluster_queue;
    uint32_t npod_sets;
    const struct sim_pod_set *pod_sets;
};

struct sim_wl {
    RB_ENTRY(sim_wl) by_finish, by_release, by_look; /* while the time is set */
    uint32_t index;                                  /* in order of "namespace/name" */
    const char *key;                                 /* "namespace/name"; owned by the simulation */
    const struct fact_workload *fact; /* borrowed from the objects, but for defaults of uid and creation */
    struct wl *wl; /* NULL until it has appeared, and for one that was finished from the start */
    struct status status;
    when_ns arrival, finish_at, release_at; /* WHEN_NONE = not due */
    when_ns
        look_at; /* the model cluster: its pods are ready, or its time for that is over, or a backoff ends */
    when_ns admitted_at; /* in virtual time, the newest; WHEN_NONE = not yet, or before it began */
    int64_t run_s;       /* -1 = for ever */
    int64_t stop_s;
    bool holder;                     /* held quota from the start */
    bool deactivated;                /* in this simulation: spec.active became false */
    struct sim_admission *admission; /* owned; NULL while it holds none */
};

enum sim_event { SIM_FINISHED, SIM_RELEASED, SIM_LOOKED, SIM_ARRIVED };
enum sim_end {
    SIM_RUNNING,
    SIM_QUIESCENT, /* nothing moves any more */
    SIM_STOPPED,   /* the maximum of cycles was reached */
    SIM_RESTLESS,  /* at one event time the cycles would not come to rest (max_cycles_at_once) */
    SIM_TIME_OVER, /* the next event lies beyond until_ns */
};

struct sim;
typedef void sim_tick_fn(void *arg, const struct sim *s);

struct sim_options {
    uint64_t max_cycles;         /* of the whole simulation; 0 = none */
    uint64_t max_cycles_at_once; /* at one event time; 0 = none */
    when_ns start; /* creation of Workloads that have no creationTimestamp, and T0 when nothing arrives */
    /* Everything is there at once when it begins; but what says when it arrives, by an annotation, and, when any Workload has an
     * annotation of the simulation, what was created later. It begins at `begin`, or, when that is WHEN_NONE, at the newest time in the
     * objects (with such annotations: at the first arrival). */
    bool gathers;
    when_ns begin;
    int64_t until_ns; /* nothing happens that much after the beginning; 0 = no end */
    /* The model cluster answers (engine.md 10.4, 10.5): pods are ready startup_ns after the admission, admission checks are Ready at once
     * and need no condition Active. PodsReady is written only where somebody asks for it: blockAdmission, or startup_ns > 0. */
    bool models;
    int64_t startup_ns;
    sim_tick_fn *tick; /* after each cycle; NULL = none */
    void *tick_arg;
};

/* Any function may be NULL. What they are given is borrowed for the length of the call. */
struct sim_watcher {
    void *arg;
    void (*step)(void *arg, when_ns t); /* a new event time */
    void (*event)(void *arg, enum sim_event e, const struct sim_wl *sw);
    /* A cycle has decided; the conditions are still those before it. */
    void (*cycle)(void *arg, const struct cycle *c);
    /* After the cycle: released because they have no time to stop. */
    void (*released)(void *arg, const struct sim_wl *const *list, uint32_t n);
    void (*step_end)(void *arg);
};

/* Who keeps a history, beside the watcher. All functions must be there; what they are given is borrowed for the length of the call. */
struct sim_history {
    void *arg;
    void (*cycle)(void *arg,
                  const struct cycle *c); /* as the watcher's; those that were admitted hold quota already */
    /* The world has taken in new marks of the Workload, or learnt of it for the first time. */
    void (*changed)(void *arg, const struct sim_wl *sw, const struct marks *before);
    void (*step_end)(void *arg); /* the event time is over, loans are settled */
};

/* The objects are borrowed for the life of the simulation. ERR_NOMEM; ERR_INVALID for an annotation that cannot be read. */
MUST_USE int sim_new(const struct api_set *objects, const struct sim_options *options, struct sim **ret,
                     struct err *err);
void sim_free(struct sim *s);
void sim_watch(struct sim *s, const struct sim_watcher *w); /* copied; replaces the one before */

void sim_keep_history(struct sim *s, const struct sim_history *h); /* copied; before the first step */

/* Does all of the next event time. *ret_more is false when there was none, or the end has come. ERR_NOMEM: the simulation is of no more
 * use. */
MUST_USE int sim_step(struct sim *s, bool *ret_more, struct err *err);
MUST_USE int sim_run(struct sim *s, struct err *err); /* steps to the end */

enum sim_end sim_end(const struct sim *s);
when_ns sim_time(const struct sim *s);  /* of the last event; WHEN_NONE before the first */
when_ns sim_began(const struct sim *s); /* T0 */
uint64_t sim_cycles(const struct sim *s);
uint64_t sim_max_cycles(const struct sim *s); /* of the options */
struct world *sim_world(const struct sim *s);
bool sim_fair_sharing(const struct sim *s);
uint32_t sim_count(const struct sim *s);
/* In order of "namespace/name". */
const struct sim_wl *sim_at(const struct sim *s, uint32_t i);
const struct sim_wl *sim_of(const struct wl *wl); /* the record of a Workload of this simulation's world */

/* Names of the admission checks that the model cluster answered, in the order of their first answers. */
uint32_t sim_assumed_checks(const struct sim *s);
const char *sim_assumed_check(const struct sim *s, uint32_t i);

/* N of a leading line "# sim: maxCycles=N", 0 if there is none. */
uint64_t sim_max_cycles_of(const char *text, size_t len);

#endif
