/* What both searches share: candidates and their order, simulated removals, fill back; and the oracle (engine.md 6.5, 7.1-7.6). */
#include "core/preempt_priv.h"

#include <math.h>
#include <string.h>

bool preempt_satisfies(struct preempt_side preemptor, struct preempt_side candidate,
                       enum preempt_policy policy)
{
    switch (policy) {
    case POLICY_ANY:
        return true;
    case POLICY_LOWER_PRIORITY:
        return preemptor.priority > candidate.priority;
    case POLICY_LOWER_OR_NEWER_EQUAL:
        return preemptor.priority > candidate.priority ||
               (preemptor.priority == candidate.priority && preemptor.queue_time < candidate.queue_time);
    case POLICY_NEVER:
    case POLICY_UNSET:
        break;
    }
    return false;
}

const char *preempt_reason_text(enum preempt_reason r)
{
    static const char *const text[] = {"InClusterQueue", "InCohortReclamation", "InCohortFairSharing",
                                       "InCohortReclaimWhileBorrowing"};
    return text[r];
}

struct preempt_side side_of(const struct world *w, const struct wl *wl)
{
    bool sorting = gate_on(&w->gates, GATE_PRIORITY_SORTING);
    return (struct preempt_side){wl_priority(wl),
                                 wl_queue_time(&wl->marks, wl->created, w->requeue_by_creation, sorting)};
}

/* ---- candidates ------------------------------------------------------------------------------------------------------------- */

struct cand *cand_add(struct arena *a, struct cand_vec *v)
{
    if (v->n == v->cap) {
        uint32_t cap = v->cap ? 2 * v->cap : 64;
        struct cand *p = ARENA_NEW(a, struct cand, cap);
        if (v->n)
            memcpy(p, v->v, v->n * sizeof *p);
        v->v = p;
        v->cap = cap;
    }
    return &v->v[v->n++];
}

void cand_fill(const struct preempt_ctx *ctx, struct cand *c, struct wl *w, uint32_t cq)
{
    c->w = w;
    c->cq = cq;
    c->own = ctx->w->cqs[cq] == ctx->cq;
    c->evicted = w->marks.evicted;
    c->priority = wl_priority(w);
    c->reserved_at = w->marks.reserved ? w->marks.reserved_at : ctx->now;
    c->lq_usage = NAN;
    if (ctx->w->afs.on) {
        uint32_t lq = pairs_find(&ctx->w->lqs, w->ns, w->queue);
        if (lq != NONE && ctx->w->local_queues[lq].exists)
            c->lq_usage = afs_usage(&ctx->w->afs, ctx->w->names, &ctx->w->local_queues[lq].afs);
    }
}

int cand_compare(const struct cand *a, const struct cand *b, bool afs)
{
    if (a->evicted != b->evicted)
        return a->evicted ? -1 : 1;
    if (a->own != b->own)
        return a->own ? 1 : -1;
    if (afs && a->cq == b->cq && a->w->queue != b->w->queue && a->lq_usage != b->lq_usage &&
        !isnan(a->lq_usage) && !isnan(b->lq_usage))
        return a->lq_usage > b->lq_usage ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (a->reserved_at != b->reserved_at)
        return a->reserved_at > b->reserved_at ? -1 : 1;
    int c = strcmp(a->w->uid, b->w->uid);
    return c ? c : strcmp(a->w->key, b->w->key);
}

/* Evicted ones of all lists come first, then list by list (7.4). */
static int seq_compare(const struct cand_seq *s, const struct cand *a, const struct cand *b)
{
    if (a->evicted != b->evicted)
        return a->evicted ? -1 : 1;
    if (a->list != b->list)
        return a->list < b->list ? -1 : 1;
    return cand_compare(a, b, s->afs);
}

/* The unread part is a binary heap stored backwards: its least element is v[n-1]. */
static struct cand *heap_at(struct cand_seq *s, uint32_t i)
{
    return &s->v[s->n - 1 - i];
}

static void sift_down(struct cand_seq *s, uint32_t i, uint32_t size)
{
    struct cand moving = *heap_at(s, i);
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= size)
            break;
        if (child + 1 < size && seq_compare(s, heap_at(s, child + 1), heap_at(s, child)) < 0)
            child++;
        if (seq_compare(s, &moving, heap_at(s, child)) <= 0)
            break;
        *heap_at(s, i) = *heap_at(s, child);
        i = child;
    }
    *heap_at(s, i) = moving;
}

void cand_seq_init(struct cand_seq *s, struct cand *v, uint32_t n, bool afs)
{
    *s = (struct cand_seq){v, n, 0, afs};
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(s, i, n);
}

struct cand *cand_seq_at(struct cand_seq *s, uint32_t i)
{
    if (i >= s->n)
        return NULL;
    while (s->sorted <= i) {
        /* The heap's last leaf lies at v[sorted]: exchange it with the least and let it sink. */
        uint32_t size = s->n - s->sorted;
        struct cand least = *heap_at(s, 0);
        *heap_at(s, 0) = s->v[s->sorted];
        s->v[s->sorted++] = least;
        if (size > 1)
            sift_down(s, 0, size - 1);
    }
    return &s->v[i];
}

bool uses_needs(const struct preempt_ctx *ctx, const struct wl *w)
{
    for (uint32_t i = 0; i < w->npod_sets; i++) {
        const struct pod_set *ps = &w->pod_sets[i];
        for (uint32_t k = 0; k < ps->nslots; k++)
            for (uint32_t n = 0; n < ctx->nneeds; n++)
                if (w->slots[ps->first + k].fr == ctx->need_frs[n])
                    return true;
    }
    return false;
}

/* ---- simulated removal ---------------------------------------------------------------------------------------------------------- */

static void change_usage(const struct preempt_ctx *ctx, const struct wl *w, bool add)
{
    const struct cluster_queue *cq = ctx->w->cqs[w->cq];
    for (uint32_t i = 0; i < w->npod_sets; i++) {
        const struct pod_set *ps = &w->pod_sets[i];
        for (uint32_t k = 0; k < ps->nslots; k++) {
            const struct slot *s = &w->slots[ps->first + k];
            uint32_t col = s->fr == NONE ? NONE : tree_col(cq->tree, s->fr);
            if (col == NONE)
                continue;
            if (add)
                tree_charge(cq->tree, cq->node, col, s->amount);
            else
                tree_discharge(cq->tree, cq->node, col, s->amount);
        }
    }
}

void take_away(const struct preempt_ctx *ctx, struct wl *w)
{
    change_usage(ctx, w, false);
}

void put_back(const struct preempt_ctx *ctx, struct wl *w)
{
    change_usage(ctx, w, true);
}

bool request_fits(const struct preempt_ctx *ctx, bool borrow)
{
    const struct tree *t = ctx->cq->tree;
    for (uint32_t i = 0; i < ctx->nreq; i++) {
        const struct use *u = &ctx->req[i];
        if (!borrow && tree_over(t, ctx->cq->node, u->col, u->amount))
            return false;
        if (u->amount > tree_fit(t, ctx->cq->node, u->col))
            return false;
    }
    return true;
}

uint32_t fill_back(const struct preempt_ctx *ctx, struct target *targets, uint32_t n, bool borrow)
{
    for (uint32_t i = n - 1; i-- > 0;) {
        put_back(ctx, targets[i].w);
        if (request_fits(ctx, borrow))
            targets[i] = targets[--n];
        else
            take_away(ctx, targets[i].w);
    }
    return n;
}

/* ---- entry points ---------------------------------------------------------------------------------------------------------------- */

/* Targets in the arena; *ret_n = 0 if there are none. The tree is as it was. */
static const struct target *find_targets(const struct preempt_ctx *ctx, uint32_t *ret_n)
{
    *ret_n = 0;
    if (!ctx->nneeds)
        return NULL;
    return ctx->w->fair_sharing ? preempt_fair(ctx, ret_n) : preempt_classical(ctx, ret_n);
}

const struct target *preempt_for(struct world *w, struct cluster_queue *cq, const struct wl *wl,
                                 struct arena *a, when_ns now, const struct assignment *as, uint32_t *ret_n)
{
    struct use *req = ARENA_NEW(a, struct use, as->nuses);
    uint32_t *cols = ARENA_NEW(a, uint32_t, as->nuses), *frs = ARENA_NEW(a, uint32_t, as->nuses);
    uint32_t nreq = 0, nneeds = 0;
    for (uint32_t i = 0; i < as->npod_sets; i++)
        for (uint32_t k = 0; k < as->pod_sets[i].nchoices; k++) {
            const struct choice *c = &as->pod_sets[i].choices[k];
            uint32_t j = 0;
            while (j < nneeds && frs[j] != c->fr)
                j++;
            if (c->flavor != NONE && c->mode == MODE_PREEMPT && j == nneeds) {
                cols[nneeds] = c->col;
                frs[nneeds++] = c->fr;
            }
            if (c->flavor == NONE || c->amount == 0 || c->res == w->pods)
                continue;
            for (j = 0; j < nreq && req[j].fr != c->fr; j++)
                ;
            if (j == nreq)
                req[nreq++] = (struct use){c->fr, c->col, 0};
            req[j].amount = amount_add(req[j].amount, c->amount);
        }
    struct preempt_ctx ctx = {w, cq, wl, a, now, req, nreq, cols, frs, nneeds};
    return find_targets(&ctx, ret_n);
}

struct oracle_answer preempt_oracle(const struct assign_ctx *actx, uint32_t fr, uint32_t col, amount val)
{
    struct cluster_queue *cq = actx->cq;
    struct use req = {fr, col, val};
    struct preempt_ctx ctx = {actx->w, cq, actx->wl, actx->a, actx->now, &req, 1, &col, &fr, 1};
    uint32_t n;
    const struct target *t = find_targets(&ctx, &n);
    if (!n)
        return (struct oracle_answer){POSSIBILITY_NO_CANDIDATES,
                                      tree_borrow_level(cq->tree, cq->node, col, val).level};
    struct oracle_answer answer = {POSSIBILITY_RECLAIM, 0};
    uint32_t mark = tree_begin(cq->tree);
    for (uint32_t i = 0; i < n; i++) {
        if (actx->w->cqs[t[i].cq] == cq)
            answer.possibility = POSSIBILITY_PREEMPT;
        take_away(&ctx, t[i].w);
    }
    answer.level = tree_borrow_level(cq->tree, cq->node, col, val).level;
    tree_undo(cq->tree, mark);
    return answer;
}
