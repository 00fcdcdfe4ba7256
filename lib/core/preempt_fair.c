/* Preemption under fair sharing (engine.md 8.2, 8.3). */
#include "core/turns.h"

#include <math.h>
#include <string.h>

struct fair {
    const struct preempt_ctx *ctx;
    struct tree *t;
    struct turns turns;
    struct target *targets;
    uint32_t ntargets;
    struct cand_vec retry; /* rejected by the first strategy */
};
/* ---- candidates (8.2) ------------------------------------------------------------------------------------------------------- */

static bool borrows_needed(const struct preempt_ctx *ctx, const struct cluster_queue *cq)
{
    for (uint32_t i = 0; i < ctx->nneeds; i++)
        if (tree_over(cq->tree, cq->node, ctx->need_cols[i], 0))
            return true;
    return false;
}

/* Collects the candidates of one ClusterQueue into its offers; returns how many. */
static uint32_t collect(struct fair *f, struct cluster_queue *cq, enum preempt_policy policy)
{
    const struct preempt_ctx *ctx = f->ctx;
    struct preempt_side preemptor = side_of(ctx->w, ctx->wl);
    struct cand_vec v = {0};
    for (uint32_t i = 0; i < cq->nholders; i++) {
        struct wl *w = cq->holders[i];
        if (w->away || !uses_needs(ctx, w) || !preempt_satisfies(preemptor, side_of(ctx->w, w), policy))
            continue;
        cand_fill(ctx, cand_add(ctx->a, &v), w, w->cq);
    }
    cand_seq_init(&f->turns.offers[cq->node].seq, v.v, v.n, ctx->w->afs.on);
    return v.n;
}

static uint32_t collect_all(struct fair *f)
{
    const struct preempt_ctx *ctx = f->ctx;
    const struct fact_preemption *p = &ctx->cq->preemption;
    uint32_t n = 0;
    if (p->within_cluster_queue != POLICY_NEVER)
        n += collect(f, ctx->cq, p->within_cluster_queue);
    if (f->t->nodes[ctx->cq->node].parent == TREE_NONE || p->reclaim_within_cohort == POLICY_NEVER)
        return n;
    for (uint32_t i = 0; i < f->t->nnodes; i++) {
        const struct tree_node *node = &f->t->nodes[i];
        if (node->cq == TREE_NONE || !node->active || i == ctx->cq->node)
            continue;
        struct cluster_queue *cq = ctx->w->cqs[node->cq];
        if (borrows_needed(ctx, cq))
            n += collect(f, cq, p->reclaim_within_cohort);
    }
    return n;
}

/* ---- the two passes -------------------------------------------------------------------------------------------------------------- */

static void charge_request(const struct fair *f, bool add)
{
    for (uint32_t i = 0; i < f->ctx->nreq; i++) {
        const struct use *u = &f->ctx->req[i];
        if (add)
            tree_charge(f->t, f->ctx->cq->node, u->col, u->amount);
        else
            tree_discharge(f->t, f->ctx->cq->node, u->col, u->amount);
    }
}

/* Removes the candidate for good; true if the preemptor fits now. */
static bool take_victim(struct fair *f, const struct cand *c, enum preempt_reason reason)
{
    take_away(f->ctx, c->w);
    f->targets[f->ntargets++] = (struct target){c->w, c->cq, reason};
    charge_request(f, false);
    bool fits = request_fits(f->ctx, true);
    charge_request(f, true);
    return fits;
}

static struct share share_without(struct fair *f, uint32_t node, const struct cand *c)
{
    uint32_t mark = tree_begin(f->t);
    take_away(f->ctx, c->w);
    struct share s = tree_share(f->t, node);
    tree_undo(f->t, mark);
    return s;
}

static bool within_nominal(const struct fair *f)
{
    if (!gate_on(&f->ctx->w->gates, GATE_FAIR_WITHIN_NOMINAL))
        return false;
    for (uint32_t i = 0; i < f->ctx->nneeds; i++)
        if (tree_over(f->t, f->ctx->cq->node, f->ctx->need_cols[i], 0))
            return false;
    return true;
}

static void retry_all(struct fair *f, uint32_t node)
{
    struct cand *c;
    while ((c = turns_first(&f->turns, node))) {
        *cand_add(f->ctx->a, &f->retry) = *c;
        f->turns.offers[node].next++;
    }
}

/* Takes one victim of this ClusterQueue if a strategy allows; true if the preemptor fits then. */
static bool try_strategy(struct fair *f, uint32_t node, enum fair_strategy strategy)
{
    uint32_t own, theirs;
    tree_branches(f->t, f->ctx->cq->node, node, &own, &theirs);
    struct share p_new = tree_share(f->t, own), t_old = tree_share(f->t, theirs);
    if (isinf(share_weighted(p_new)) && !isinf(share_weighted(t_old))) {
        retry_all(f, node);
        return false;
    }
    struct cand *c;
    while ((c = turns_first(&f->turns, node))) {
        f->turns.offers[node].next++;
        bool allowed = strategy == FAIR_FINAL_SHARE ? share_compare(p_new, share_without(f, theirs, c)) <= 0
                                                    : share_compare(p_new, t_old) < 0;
        if (allowed)
            return take_victim(f, c, PREEMPT_FAIR);
        *cand_add(f->ctx->a, &f->retry) = *c;
    }
    return false;
}

static bool first_pass(struct fair *f, enum fair_strategy strategy)
{
    bool nominal = within_nominal(f);
    uint32_t q;
    while ((q = turns_next(&f->turns)) != NONE) {
        if (q != f->ctx->cq->node && !nominal) {
            if (try_strategy(f, q, strategy))
                return true;
            continue;
        }
        struct cand *c = turns_first(&f->turns, q);
        f->turns.offers[q].next++;
        if (take_victim(f, c, q == f->ctx->cq->node ? PREEMPT_IN_CQ : PREEMPT_RECLAIM))
            return true;
    }
    return false;
}

/* Candidates of `retry` become the offers, in the order in which they were rejected. */
static void offer_retries(struct fair *f)
{
    memset(f->turns.pruned, 0, f->t->nnodes * sizeof *f->turns.pruned);
    for (uint32_t i = 0; i < f->t->nnodes; i++)
        f->turns.offers[i] = (struct offers){0};
    for (uint32_t i = 0; i < f->retry.n; i++)
        f->turns.offers[f->ctx->w->cqs[f->retry.v[i].cq]->node].seq.n++;
    struct cand *room = ARENA_NEW(f->ctx->a, struct cand, f->retry.n);
    for (uint32_t i = 0; i < f->t->nnodes; i++) {
        f->turns.offers[i].seq.v = room;
        room += f->turns.offers[i].seq.n;
    }
    for (uint32_t i = 0; i < f->retry.n; i++) {
        struct cand_seq *s = &f->turns.offers[f->ctx->w->cqs[f->retry.v[i].cq]->node].seq;
        s->v[s->sorted++] = f->retry.v[i];
    }
}

static bool second_pass(struct fair *f)
{
    offer_retries(f);
    uint32_t q;
    while ((q = turns_next(&f->turns)) != NONE) {
        uint32_t own, theirs;
        tree_branches(f->t, f->ctx->cq->node, q, &own, &theirs);
        struct share p_new = tree_share(f->t, own), t_old = tree_share(f->t, theirs);
        struct cand *c = turns_first(&f->turns, q);
        if (share_compare(p_new, t_old) < 0 && take_victim(f, c, PREEMPT_FAIR))
            return true;
        f->turns.pruned[q] = true;
    }
    return false;
}

const struct target *preempt_fair(const struct preempt_ctx *ctx, uint32_t *ret_n)
{
    struct tree *t = ctx->cq->tree;
    struct fair f = {.ctx = ctx, .t = t};
    turns_init(&f.turns, t, ctx->cq->node, ctx->a);
    *ret_n = 0;
    uint32_t n = collect_all(&f);
    if (!n)
        return NULL;
    f.targets = ARENA_NEW(ctx->a, struct target, n);
    const struct world *w = ctx->w;
    enum fair_strategy first = w->nstrategies ? w->strategies[0] : FAIR_FINAL_SHARE;
    uint32_t mark = tree_begin(t);
    charge_request(&f, true);
    bool fits = first_pass(&f, first);
    if (!fits && w->nstrategies != 1)
        fits = second_pass(&f);
    if (fits) {
        charge_request(&f, false);
        *ret_n = fill_back(ctx, f.targets, f.ntargets, true);
    }
    tree_undo(t, mark);
    return f.targets;
}
