/* Who must give quota back (engine.md 7 and 8.2-8.3). */
#ifndef SLUICE_CORE_PREEMPT_H
#define SLUICE_CORE_PREEMPT_H

#include "core/assign.h"

/* Reason of a victim (7.3). */
enum preempt_reason { PREEMPT_IN_CQ, PREEMPT_RECLAIM, PREEMPT_FAIR, PREEMPT_RECLAIM_WHILE_BORROWING };

struct target {
    struct wl *w;
    uint32_t cq;
    enum preempt_reason reason;
};

/* One search: what is needed, by whom, in which state. */
struct preempt_ctx {
    struct world *w;
    struct cluster_queue *cq;
    const struct wl *wl; /* preemptor */
    struct arena *a;
    when_ns now;
    const struct use *req; /* total request by pair, amounts > 0 */
    uint32_t nreq;
    const uint32_t *need_cols; /* pairs that need preemption, as columns of the tree and as pair ids */
    const uint32_t *need_frs;
    uint32_t nneeds;
};

/* Targets of an assignment in mode Preempt (7.1), in `a`; *ret_n = 0 if there are none. The tree is as it was. */
const struct target *preempt_for(struct world *w, struct cluster_queue *cq, const struct wl *wl,
                                 struct arena *a, when_ns now, const struct assignment *as, uint32_t *ret_n);
/* The oracle of 6.5. */
struct oracle_answer preempt_oracle(const struct assign_ctx *ctx, uint32_t fr, uint32_t col, amount val);

/* 7.2 */
struct preempt_side {
    int64_t priority;
    when_ns queue_time;
};
bool preempt_satisfies(struct preempt_side preemptor, struct preempt_side candidate,
                       enum preempt_policy policy);

const char *preempt_reason_text(enum preempt_reason r);

#endif
