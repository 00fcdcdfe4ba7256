/* Shared by the two searches for victims. */
#ifndef SLUICE_CORE_PREEMPT_PRIV_H
#define SLUICE_CORE_PREEMPT_PRIV_H

#include "core/world_priv.h"

/* The three lists of 7.4, in the order in which they are tried. */
enum cand_list { LIST_HIERARCHY, LIST_PRIORITY, LIST_SAME_QUEUE };

/* Variants of 7.3. */
enum cand_variant {
    VARIANT_WITHIN_CQ,
    VARIANT_HIERARCHICAL,
    VARIANT_RECLAIM_WITHOUT_BORROWING,
    VARIANT_RECLAIM_WHILE_BORROWING,
};

struct cand {
    struct wl *w;
    uint32_t cq;
    uint32_t lca; /* node: the ancestor through which it was reached */
    enum cand_list list;
    enum cand_variant variant;
    bool evicted, own;
    int64_t priority;
    when_ns reserved_at;
    double lq_usage; /* admission fair sharing; NAN = not known */
};

struct cand_vec {
    struct cand *v;
    uint32_t n, cap;
};

struct cand *cand_add(struct arena *a, struct cand_vec *v);
/* Fills what the order of 7.4 looks at. */
void cand_fill(const struct preempt_ctx *ctx, struct cand *c, struct wl *w, uint32_t cq);
/* 7.4 within one list: negative = `a` is tried first. */
int cand_compare(const struct cand *a, const struct cand *b, bool afs);

/* A sequence that is sorted only as far as it is read: the victims are mostly few, the candidates many. */
struct cand_seq {
    struct cand *v;
    uint32_t n;
    uint32_t sorted; /* v[0..sorted) is final */
    bool afs;
};
void cand_seq_init(struct cand_seq *s, struct cand *v, uint32_t n, bool afs);
/* The i-th candidate, i <= number read so far; NULL past the end. */
struct cand *cand_seq_at(struct cand_seq *s, uint32_t i);

/* Does the Workload use one of the pairs (7.1)? */
bool uses_needs(const struct preempt_ctx *ctx, const struct wl *w);
/* Simulated removal and its inverse: usage only. */
void take_away(const struct preempt_ctx *ctx, struct wl *w);
void put_back(const struct preempt_ctx *ctx, struct wl *w);
/* fits(borrow) of 7.5. */
bool request_fits(const struct preempt_ctx *ctx, bool borrow);
/* 7.6; returns the new number of targets. */
uint32_t fill_back(const struct preempt_ctx *ctx, struct target *targets, uint32_t n, bool borrow);
struct preempt_side side_of(const struct world *w, const struct wl *wl);

const struct target *preempt_classical(const struct preempt_ctx *ctx, uint32_t *ret_n);
const struct target *preempt_fair(const struct preempt_ctx *ctx, uint32_t *ret_n);

#endif
