/* Inside of one cycle, for cycle*.c and order.c only. */
#ifndef SLUICE_CORE_CYCLE_PRIV_H
#define SLUICE_CORE_CYCLE_PRIV_H

#include "core/world_priv.h"

/* A nominated head. */
struct entry {
    struct decision d;
    struct cluster_queue *cq;
    struct assignment *a;
    const struct target *targets;
    uint32_t ntargets;
    int64_t priority;
    when_ns queue_time;
    bool preemptor;       /* gate PrioritizePreemptorWorkloads */
    struct share *shares; /* 8.4 D(a, entry) by depth of the cohort a, while in a tournament */
    bool *borrows;        /* beside it: the node of D borrows on a requested pair */
    bool done;
};

/* State of the running cycle. */
struct run {
    struct world *w;
    struct arena *a;
    when_ns now;
    struct entry *entries;
    uint32_t nentries;
    struct entry **order;           /* the order of processing */
    const struct target *preempted; /* victims of this cycle so far, each once */
    uint32_t npreempted, cap_preempted;
    uint32_t nadmitted;
};

/* cycle_nominate.c: 5.1 and 5.2 */
void cycle_nominate(struct run *r, struct wl *w, struct cluster_queue *cq, struct entry *e);
/* 5.2 initial(): an assignment and its targets. */
void cycle_assign(struct run *r, struct entry *e, const struct assignment *pinned);
/* 6.6: has the remembered scan position expired? */
bool cycle_scan_outdated(const struct run *r, const struct entry *e);

/* cycle.c: 5.6 steps 1 and 3: an entry that got nothing goes back to its queue. */
void cycle_requeue(struct world *w, struct decision *d, struct cluster_queue *cq, when_ns now);

/* cycle_process.c: 5.5 */
void cycle_process(struct run *r, struct entry *e);

/* order.c: 5.3 and 8.4 */
void order_classical(struct run *r);
/* 8.4: of two entries whose shares are measured, is `a` before `b` in the tournament of the cohort at this depth? */
bool order_fair_less(const struct world *w, const struct entry *a, const struct entry *b, uint32_t depth);
/* Calls cycle_process for each entry in the order of the tournament; fills r->order. */
void order_fair(struct run *r);

#endif
