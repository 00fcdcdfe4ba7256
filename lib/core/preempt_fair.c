/* Preemption under fair sharing (engine.md 8.2, 8.3). */
#include "core/preempt_priv.h"

#include <math.h>
#include <string.h>

/* Candidates of one ClusterQueue, first in, first out. */
struct offers {
    struct cand_seq seq;
    uint32_t next;
};

struct fair {
    const struct preempt_ctx *ctx;
    struct tree *t;
    struct offers *offers; /* by node */
    bool *pruned;          /* by node */
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
    cand_seq_init(&f->offers[cq->node].seq, v.v, v.n, ctx->w->afs.on);
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

static struct cand *first_offer(struct fair *f, uint32_t node)
{
    return cand_seq_at(&f->offers[node].seq, f->offers[node].next);
}

/* ---- whose turn is it (8.3) ---------------------------------------------------------------------------------------------------- */

static bool holds_preemptor(const struct fair *f, uint32_t node)
{
    return f->ctx->cq->node >= node && f->ctx->cq->node < f->t->nodes[node].end;
}

static bool is_better_queue(struct fair *f, uint32_t node, struct share s, uint32_t best,
                            struct share best_share)
{
    int c = share_compare(s, best_share);
    if (c == 0 && best != NONE)
        return cand_compare(first_offer(f, node), first_offer(f, best), false) < 0;
    return c > 0;
}

/* The next ClusterQueue below the cohort to take a victim from, NONE if there is none now (something was pruned). */
static uint32_t next_below(struct fair *f, uint32_t cohort)
{
    uint32_t best_cq = NONE, best_cohort = NONE;
    struct share cq_share = {.weight = 1, .ratio = -1}, cohort_share = cq_share;
    for (uint32_t c = cohort + 1; c < f->t->nodes[cohort].end; c = f->t->nodes[c].end) {
        if (f->pruned[c])
            continue;
        struct share s = tree_share(f->t, c);
        if (!s.borrowing && !holds_preemptor(f, c)) {
            f->pruned[c] = true;
        } else if (f->t->nodes[c].cq == TREE_NONE) {
            if (share_compare(s, cohort_share) >= 0) {
                best_cohort = c;
                cohort_share = s;
            }
        } else if (!first_offer(f, c)) {
            f->pruned[c] = true;
        } else if (is_better_queue(f, c, s, best_cq, cq_share)) {
            best_cq = c;
            cq_share = s;
        }
    }
    if (best_cq == NONE && best_cohort == NONE)
        f->pruned[cohort] = true;
    else if (best_cohort != NONE && share_compare(cohort_share, cq_share) >= 0)
        return next_below(f, best_cohort);
    return best_cq;
}

/* NONE when there is nobody left. */
static uint32_t next_queue(struct fair *f)
{
    uint32_t root = 0; /* the nodes of a tree begin with its root */
    if (f->t->nodes[root].cq != TREE_NONE)
        return !f->pruned[root] && first_offer(f, root) ? root : NONE;
    while (!f->pruned[root]) {
        uint32_t q = next_below(f, root);
        if (q != NONE)
            return q;
    }
    return NONE;
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
    while ((c = first_offer(f, node))) {
        *cand_add(f->ctx->a, &f->retry) = *c;
        f->offers[node].next++;
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
    while ((c = first_offer(f, node))) {
        f->offers[node].next++;
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
    while ((q = next_queue(f)) != NONE) {
        if (q != f->ctx->cq->node && !nominal) {
            if (try_strategy(f, q, strategy))
                return true;
            continue;
        }
        struct cand *c = first_offer(f, q);
        f->offers[q].next++;
        if (take_victim(f, c, q == f->ctx->cq->node ? PREEMPT_IN_CQ : PREEMPT_RECLAIM))
            return true;
    }
    return false;
}

/* Candidates of `retry` become the offers, in the order in which they were rejected. */
static void offer_retries(struct fair *f)
{
    memset(f->pruned, 0, f->t->nnodes * sizeof *f->pruned);
    for (uint32_t i = 0; i < f->t->nnodes; i++)
        f->offers[i] = (struct offers){0};
    for (uint32_t i = 0; i < f->retry.n; i++)
        f->offers[f->ctx->w->cqs[f->retry.v[i].cq]->node].seq.n++;
    struct cand *room = ARENA_NEW(f->ctx->a, struct cand, f->retry.n);
    for (uint32_t i = 0; i < f->t->nnodes; i++) {
        f->offers[i].seq.v = room;
        room += f->offers[i].seq.n;
    }
    for (uint32_t i = 0; i < f->retry.n; i++) {
        struct cand_seq *s = &f->offers[f->ctx->w->cqs[f->retry.v[i].cq]->node].seq;
        s->v[s->sorted++] = f->retry.v[i];
    }
}

static bool second_pass(struct fair *f)
{
    offer_retries(f);
    uint32_t q;
    while ((q = next_queue(f)) != NONE) {
        uint32_t own, theirs;
        tree_branches(f->t, f->ctx->cq->node, q, &own, &theirs);
        struct share p_new = tree_share(f->t, own), t_old = tree_share(f->t, theirs);
        struct cand *c = first_offer(f, q);
        if (share_compare(p_new, t_old) < 0 && take_victim(f, c, PREEMPT_FAIR))
            return true;
        f->pruned[q] = true;
    }
    return false;
}

const struct target *preempt_fair(const struct preempt_ctx *ctx, uint32_t *ret_n)
{
    struct tree *t = ctx->cq->tree;
    struct fair f = {.ctx = ctx,
                     .t = t,
                     .offers = ARENA_NEW(ctx->a, struct offers, t->nnodes),
                     .pruned = ARENA_NEW(ctx->a, bool, t->nnodes)};
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
