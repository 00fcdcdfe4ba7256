/* Inside of the replay. */
#ifndef SLUICE_SIM_REPLAY_PRIV_H
#define SLUICE_SIM_REPLAY_PRIV_H

#include "base/str.h"
#include "core/world.h"
#include "lifecycle/podsready.h"
#include "sim/fair_share.h"
#include "sim/replay.h"
#include "sim/seen.h"

/* LIVE_STARTS: holds quota, its pods are not ready; LIVE_BACKS_OFF: waits, and is not considered yet. */
enum live_state { LIVE_WAITS, LIVE_RUNS, LIVE_STOPS, LIVE_STARTS, LIVE_BACKS_OFF };

/* A job that waits or runs. */
struct live {
    struct wl *wl;
    uint64_t number;            /* of its arrival: the order among equal times */
    when_ns submit, since, due; /* since: began to wait, to run */
    when_ns need;               /* since when its own queue's quota is due to it, WHEN_NONE = it is not */
    int64_t run_ns, left_ns;
    int64_t units;
    uint32_t place; /* in the heap */
    uint32_t home;  /* ClusterQueue of its LocalQueue */
    uint32_t held;  /* cell that it holds */
    uint16_t size;
    uint8_t state;
    int32_t tries; /* starts that were given up */
    bool measured, started;
    uint32_t tenant;
};

/* One ClusterQueue and flavor. */
struct held {
    uint32_t fr, cq;
    amount nominal, used;
    when_ns since; /* its sums go up to there */
    wide borrowed;
};

/* Who waits and what is used in a group, as of `since`. */
struct level {
    when_ns since;
    amount used;
    amount asked; /* by those that wait */
    uint64_t waiting;
    struct replay_group *g;
};

/* The fair shares of one tree, as of `since`. */
struct share_tree {
    struct fair_node *nodes; /* owned; of the world's tree */
    uint32_t *cq;            /* owned; NONE = a cohort */
    amount *error;           /* owned */
    uint32_t n;
    when_ns since;
    bool dirty;
};

struct replay {
    struct world *w;
    struct replay_options opt;
    struct replay_result res;
    replay_note_fn *note;
    void *note_arg;
    replay_loans_fn *loans_seen;
    void *loans_seen_arg;

    uint32_t gpu; /* name id of the resource */
    bool
        plain; /* no rule in force by which a cycle could differ from the one before it without a change: see replay_skip.c */
    struct level total, *queues, *tenants; /* owned; index = ClusterQueue of the world, tenant id */
    uint32_t nqueues, ntenants, cap_tenants, cap_tenant_groups;
    struct names *tenant_names;
    struct tenant_place {
        char *ns, *queue; /* owned */
        uint32_t cq;
    } * places; /* owned; by tenant */
    uint32_t cap_places;
    struct held *held;        /* owned; by pair, then ClusterQueue */
    uint32_t nheld, *held_at; /* index of the first one of a ClusterQueue; nqueues + 1 of them */

    struct live **heap; /* owned; those to whom something happens by itself, the next one first */
    uint32_t nheap, cap_heap;
    struct live **late; /* owned; evicted by the clock just now */
    uint32_t nlate, cap_late;
    bool writes_ready; /* PodsReady comes after the admission */
    struct podsready_config ready;
    uint64_t nlive, nmeasured; /* of the window: not ended yet */
    when_ns now;
    uint32_t futile;                /* evictions since something arrived or ended */
    struct wl *victim, *winner;     /* of the last eviction: they name an endless loop */
    struct share_tree *shares;      /* owned */
    uint32_t nshares, *share_of;    /* owned; by ClusterQueue */
    uint32_t *dirty_shares, ndirty; /* owned */
    struct seen seen;
    bool changed; /* since the last cycle something happened that may matter to the next one */
    struct job next;
    bool has_next;
    struct str text, digest;
    struct loan_sum {
        uint32_t borrower;
        struct loan_lender lender;
        wide amount;
    } * loans; /* owned */
    uint32_t nloans, cap_loans;
    uint32_t *loan_at, nloan_at; /* owned; places + 1 in `loans` by hash, a power of two of them */
};

/* replay_load.c */
MUST_USE int replay_load(struct replay *r, const struct api_set *objects, struct err *err);
MUST_USE int replay_arrive(struct replay *r, const struct job *j, struct err *err);
bool replay_in_window(const struct replay *r, when_ns t);

/* replay.c */
void replay_tell(struct replay *r, enum replay_event e, const struct live *l, const struct decision *d);
MUST_USE int replay_heap_add(struct replay *r, struct live *l, struct err *err);
void replay_heap_remove(struct replay *r, struct live *l);
int64_t replay_stop_run(struct replay *r, struct live *l); /* ends a run; what of its time is lost */
void replay_drop(struct replay *r, struct live *l);        /* forgets a job that is done with */

/* replay_ready.c: PodsReady. */
MUST_USE int ready_configure(struct replay *r, const struct object *config, struct err *err);
void ready_begin(struct replay *r, struct live *l, struct marks *m); /* it is admitted: state and due */
/* Those whose pods become ready, are late, or whose wait is over. */
MUST_USE int ready_due(struct replay *r, struct err *err);
/* It lost its quota: does it stay away for a while? Then state and due are set. */
bool ready_backs_off(struct replay *r, struct live *l, struct marks *m);

/* replay_share.c: distances from the fair shares. */
MUST_USE int share_load(struct replay *r, struct err *err);
void share_free(struct replay *r);
void share_touch(struct replay *r, uint32_t cq); /* what it holds or asks for has changed */
void share_follow(struct replay *r);             /* after all that happens at a time */
void share_close(struct replay *r);

/* replay_account.c: the sums follow. Each is told of a change before or as it happens. */
MUST_USE int account_open(struct replay *r, struct err *err); /* once it is known when it begins */
void account_arrived(struct replay *r, struct live *l);
void account_admitted(struct replay *r, struct live *l, uint32_t cq, uint32_t fr);
void account_let_go(struct replay *r, struct live *l); /* no more holds quota */
void account_evicted(struct replay *r, struct live *l, int64_t lost_ns, bool timed_out);
void account_left(struct replay *r);                  /* deactivated */
void account_waits(struct replay *r, struct live *l); /* is back in the queue */
void account_finished(struct replay *r, struct live *l);
void account_need(struct replay *r, struct live *l, const struct decision *d);
MUST_USE int account_loans(struct replay *r, bool all, struct err *err);
MUST_USE int account_close(struct replay *r, struct err *err); /* all sums up to now */

#endif
