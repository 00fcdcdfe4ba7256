/* Inside of a life. */
#ifndef SLUICE_TESTS_RANDOM_LIFE_PRIV_H
#define SLUICE_TESTS_RANDOM_LIFE_PRIV_H

#include "core/world.h"
#include "random/life.h"

/* What is known of a Workload beside its plan. */
struct record {
    bool alive; /* the object exists */
    bool finished, inactive;
    struct wl *wl; /* borrowed from the world */
    struct status st;
    int64_t generation;
    int32_t reclaimable[PLAN_POD_SETS];
};

struct life {
    struct plan p;
    struct dice d;
    const struct life_options *o;
    struct life_result *r;
    struct world *w;
    when_ns now;
    struct record recs[PLAN_WORKLOADS];
    bool perturbed; /* settling is over: writes may fail, stops may take long */
};

/* Notes the first thing that went wrong; returns false. */
bool life_fail(struct life *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The world took it? Out of memory is an end, too. */
bool life_took(struct life *l, int rc, const char *what);

/* Puts the Workload with all that is known of it, into `w`. */
bool life_put(struct life *l, struct world *w, int i, struct wl **ret);
/* Sets a condition of the record; returns what status_set returned. */
MUST_USE int life_set(struct life *l, int i, enum cond_type type, enum cond_status status,
                      const char *reason);
/* The status in the record becomes that of the engine. */
void life_sync(struct life *l, int i);
/* All objects of the plan, in the order asked for, into `w`. */
bool life_put_all(struct life *l, struct world *w, enum life_order order, struct wl **ret);

/* One cycle with its checks, and the writes that follow from it. *ret_progress: something was admitted or evicted; false in *ret_any:
 * there was no head. */
bool life_cycle(struct life *l, bool *ret_any, bool *ret_progress);
/* Evicted Workloads give back what they hold: all of them, or those of an even number. True if there were any. */
bool life_release(struct life *l, bool all);
bool life_is_released(const struct life *l, int i);
/* Checks of the world as it is. */
bool life_check(struct life *l, const char *when);

/* events.c: something happens. */
bool life_event(struct life *l);
/* Drains a queue that was stopped so. */
void life_drain(struct life *l, int cq);

/* print.c: appends what the last cycle decided. */
struct cycle;
void life_print(const struct world *w, const struct cycle *c, struct str *out);

#endif
