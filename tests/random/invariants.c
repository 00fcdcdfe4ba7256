#include "random/invariants.h"

#include "base/mem.h"
#include "core/loans.h"
#include "core/world_priv.h"

#include <stdio.h>
#include <string.h>

static bool broken(struct str *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool broken(struct str *why, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    str_add(why, text);
    return false;
}

static const char *text_of(const struct world *w, uint32_t name)
{
    return names_text(w->names, name);
}

/* ---- queues ------------------------------------------------------------------------------------------------------------------ */

static bool is_known(const struct world *w, const struct wl *x)
{
    for (const struct wl *wl = w->workloads; wl; wl = wl->hh.next)
        if (wl == x)
            return true;
    return false;
}

static bool check_bucket(const struct world *w, uint32_t index, bool inadmissible, struct str *why)
{
    struct pending *p = &w->cqs[index]->pending;
    const char *cq = text_of(w, w->cqs[index]->name);
    uint32_t n = 0, want = inadmissible ? p->ninadmissible : p->nactive;
    const struct wl *prev = NULL;
    for (struct wl *wl = world_pending_first(w, index, inadmissible); wl; wl = world_pending_next(wl), n++) {
        if (!is_known(w, wl))
            return broken(why, "%s: an unknown Workload is queued", cq);
        if (wl->bucket != (inadmissible ? BUCKET_INADMISSIBLE : BUCKET_ACTIVE) || wl->pending_cq != index)
            return broken(why, "%s: %s does not know its bucket", cq, wl->key);
        if (prev && wl_compare(prev, wl) >= 0)
            return broken(why, "%s: %s and %s are out of order", cq, prev->key, wl->key);
        if (wl->cq != NONE || !queueing_admissible(w, wl))
            return broken(why, "%s: %s is queued but may not be", cq, wl->key);
        if (!w->cqs[index]->exists || world_queue_of(w, wl) != w->cqs[index])
            return broken(why, "%s: %s is in the wrong queue", cq, wl->key);
        prev = wl;
    }
    return n == want ? true : broken(why, "%s: %u Workloads in a bucket that counts %u", cq, n, want);
}

static bool check_queue(const struct world *w, uint32_t index, struct str *why)
{
    const struct cluster_queue *cq = w->cqs[index];
    const struct pending *p = &cq->pending;
    const char *name = text_of(w, cq->name);
    if (!check_bucket(w, index, false, why) || !check_bucket(w, index, true, why))
        return false;
    if (p->inflight)
        return broken(why, "%s: a Workload stayed in flight", name);
    if (p->marked && (!is_known(w, p->marked) || p->marked->pending_cq != index))
        return broken(why, "%s: the marked preemptor is not in the queue", name);
    for (uint32_t i = 0; i < p->nparked; i++)
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(p->parked[i].class, p->parked[k].class, sizeof p->parked[i].class) == 0)
                return broken(why, "%s: a shape is parked twice", name);
    for (uint32_t i = 0; i < cq->nholders; i++)
        if (!is_known(w, cq->holders[i]) || cq->holders[i]->pos != i || cq->holders[i]->cq != index)
            return broken(why, "%s: holder %u does not know its place", name, i);
    if (!cq->exists && (p->nactive || p->ninadmissible || cq->nholders || p->marked))
        return broken(why, "%s is deleted but has Workloads", name);
    return true;
}

static bool check_workload(const struct world *w, const struct wl *wl, when_ns now, struct str *why)
{
    const struct marks *m = &wl->marks;
    bool gone = m->finished || !m->active, later = m->requeue_at != WHEN_NONE && m->requeue_at > now;
    if (wl->away)
        return broken(why, "%s is still away", wl->key);
    if (wl->bucket == BUCKET_INFLIGHT)
        return broken(why, "%s is still in flight", wl->key);
    if (wl->sticky && (wl->bucket == BUCKET_NONE || w->cqs[wl->pending_cq]->pending.marked != wl))
        return broken(why, "%s is sticky but not marked", wl->key);
    bool queued = queueing_admissible(w, wl) && world_queue_of(w, wl);
    if (queued && wl->bucket == BUCKET_NONE && !later)
        return broken(why, "%s is in no queue", wl->key);
    if (wl->bucket != BUCKET_NONE && (!queued || wl->cq != NONE))
        return broken(why, "%s is queued but should not be", wl->key);
    uint32_t cq = idmap_get(&w->cq_of, wl->admission);
    bool held = m->reserved && !gone && cq != NONE && w->cqs[cq]->exists;
    if (held ? wl->cq != cq : wl->cq != NONE)
        return broken(why, "%s is%s accounted", wl->key, held ? " not" : "");
    if (held && (wl->pos >= w->cqs[cq]->nholders || w->cqs[cq]->holders[wl->pos] != wl))
        return broken(why, "%s is not in the list of holders", wl->key);
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        if (wl->pod_sets[i].nslots > wl->pod_sets[i].cap ||
            wl->pod_sets[i].first + wl->pod_sets[i].cap > wl->nslots)
            return broken(why, "%s has more slots than room", wl->key);
    return true;
}

static bool check_queues(const struct world *w, when_ns now, struct str *why)
{
    uint32_t not_ready = 0;
    for (uint32_t i = 0; i < w->ncqs; i++)
        if (!check_queue(w, i, why))
            return false;
    for (const struct wl *wl = w->workloads; wl; wl = wl->hh.next) {
        not_ready += wl->cq != NONE && !wl->marks.pods_ready;
        if (!check_workload(w, wl, now, why))
            return false;
    }
    return not_ready == w->nnot_ready
               ? true
               : broken(why, "%u holders are not ready, %u are counted", not_ready, w->nnot_ready);
}

/* ---- trees ------------------------------------------------------------------------------------------------------------------- */

/* Of one Workload on one pair. */
static amount held_by(const struct wl *wl, uint32_t fr)
{
    amount sum = 0;
    for (uint32_t p = 0; p < wl->npod_sets; p++)
        for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++)
            if (wl->slots[wl->pod_sets[p].first + k].fr == fr)
                sum = amount_add(sum, wl->slots[wl->pod_sets[p].first + k].amount);
    return sum;
}

struct want {
    amount quota, private_quota, usage, potential;
    bool declared;
};

/* 3.1 from below, for one pair. */
static struct want want_of(const struct world *w, const struct tree *t, uint32_t node, uint32_t col)
{
    const struct cell *c = tree_cell(t, node, col);
    struct want v = {.quota = c->nominal, .declared = c->own};
    if (t->nodes[node].cq != TREE_NONE) {
        const struct cluster_queue *cq = w->cqs[t->nodes[node].cq];
        for (uint32_t i = 0; i < cq->nholders; i++)
            v.usage = amount_add(v.usage, held_by(cq->holders[i], t->fr[col]));
    }
    for (uint32_t i = node + 1; i < t->nodes[node].end; i = t->nodes[i].end) {
        struct want x = want_of(w, t, i, col);
        v.quota = amount_add(v.quota, amount_sub(x.quota, x.private_quota));
        v.usage = amount_add(v.usage, amount_max(0, amount_sub(x.usage, x.private_quota)));
        v.declared |= x.declared;
    }
    v.private_quota = c->has_lending ? amount_max(0, amount_sub(v.quota, c->lending)) : 0;
    return v;
}

static amount want_potential(const struct world *w, const struct tree *t, uint32_t node, uint32_t col)
{
    struct want v = want_of(w, t, node, col);
    const struct cell *c = tree_cell(t, node, col);
    if (t->nodes[node].parent == TREE_NONE)
        return v.quota;
    amount a = amount_add(v.private_quota, want_potential(w, t, t->nodes[node].parent, col));
    return c->has_borrowing ? amount_min(a, amount_add(v.quota, c->borrowing)) : a;
}

static bool check_cell(const struct world *w, const struct tree *t, uint32_t node, uint32_t col,
                       struct str *why)
{
    const struct cell *c = tree_cell(t, node, col);
    struct want v = want_of(w, t, node, col);
    struct pair_names p = world_pair(w, t->fr[col]);
    const char *name = text_of(w, t->nodes[node].name);
    if (c->usage != v.usage)
        return broken(why, "%s %s/%s: usage is %lld, holders make %lld", name, p.flavor, p.resource,
                      (long long)c->usage, (long long)v.usage);
    if (c->quota != v.quota || c->private_quota != v.private_quota || c->declared != v.declared)
        return broken(why, "%s %s/%s: tree quota %lld private %lld, should be %lld and %lld", name, p.flavor,
                      p.resource, (long long)c->quota, (long long)c->private_quota, (long long)v.quota,
                      (long long)v.private_quota);
    amount potential = want_potential(w, t, node, col);
    if (c->potential != potential)
        return broken(why, "%s %s/%s: potential %lld, should be %lld", name, p.flavor, p.resource,
                      (long long)c->potential, (long long)potential);
    return true;
}

static bool check_trees(const struct world *w, struct str *why)
{
    for (uint32_t i = 0; i < w->ntrees; i++) {
        const struct tree *t = w->trees[i];
        if (t->journaling || t->njournal)
            return broken(why, "tree %s is still journaling", text_of(w, t->nodes[0].name));
        for (uint32_t n = 0; n < t->nnodes && !w->trees_dirty; n++)
            for (uint32_t col = 0; col < t->ncols; col++)
                if (!check_cell(w, t, n, col, why))
                    return false;
    }
    return true;
}

bool invariants_of_world(const struct world *w, when_ns now, struct str *why)
{
    return check_queues(w, now, why) && check_trees(w, why);
}

/* ---- loans ------------------------------------------------------------------------------------------------------------------- */

/* Is the subtree's use of the pair covered by quota inside and by what its limit lets in, at every level? */
static bool within_limits(const struct tree *t, uint32_t col)
{
    for (uint32_t n = 0; n < t->nnodes; n++) {
        const struct cell *c = tree_cell(t, n, col);
        amount most = c->quota;
        if (t->nodes[n].parent != TREE_NONE)
            most = c->has_borrowing ? amount_add(c->quota, c->borrowing) : AMOUNT_UNLIMITED;
        if (c->usage > most)
            return false;
    }
    return true;
}

static bool check_borrower(const struct world *w, const struct tree *t, uint32_t node, uint32_t col,
                           struct str *why)
{
    const struct cell *c = tree_cell(t, node, col);
    uint32_t name = t->nodes[node].name;
    amount need = c->nominal == AMOUNT_UNLIMITED ? 0 : amount_max(0, c->usage - c->nominal), sum = 0,
           owed = 0;
    for (const struct loan *l = loans_next(w->loans, t->fr[col], name, NULL); l;
         l = loans_next(w->loans, t->fr[col], name, l)) {
        if (l->amount <= 0)
            return broken(why, "%s: a loan of nothing", text_of(w, name));
        sum = amount_add(sum, l->amount);
        if (l->lender.kind == LOAN_OVERDRAFT)
            owed = l->amount;
    }
    if (sum != need)
        return broken(why, "%s: borrows %lld in loans of %lld", text_of(w, name), (long long)need,
                      (long long)sum);
    if (owed && within_limits(t, col))
        return broken(why, "%s: overdraft of %lld in a tree within its quotas", text_of(w, name),
                      (long long)owed);
    return true;
}

static bool check_lender(const struct world *w, const struct tree *t, uint32_t node, uint32_t col,
                         struct str *why)
{
    const struct cell *c = tree_cell(t, node, col);
    bool is_cq = t->nodes[node].cq != TREE_NONE;
    struct loan_lender l = {is_cq ? LOAN_CLUSTER_QUEUE : LOAN_COHORT, t->nodes[node].name};
    amount idle = c->nominal;
    if (is_cq) {
        idle = amount_max(0, amount_sub(c->nominal, c->usage));
        if (c->has_lending)
            idle = amount_min(idle, c->lending);
    }
    amount lent = loans_lent(w->loans, t->fr[col], l);
    return lent <= idle
               ? true
               : broken(why, "%s lends %lld, has %lld", text_of(w, l.name), (long long)lent, (long long)idle);
}

bool invariants_of_loans(const struct world *w, struct str *why)
{
    if (w->trees_dirty || w->cq_dropped)
        return true;
    for (uint32_t i = 0; i < w->ntrees; i++)
        if (w->trees[i]->changed) /* a loan may still cross from a tree into what was split off it */
            return true;
    for (uint32_t i = 0; i < w->ntrees; i++) {
        const struct tree *t = w->trees[i];
        for (uint32_t n = 0; n < t->nnodes; n++)
            for (uint32_t col = 0; col < t->ncols; col++) {
                if (t->nodes[n].cq != TREE_NONE && !check_borrower(w, t, n, col, why))
                    return false;
                if (!check_lender(w, t, n, col, why))
                    return false;
            }
    }
    return true;
}

/* ---- before and after a cycle -------------------------------------------------------------------------------------------------- */

void invariants_before_free(struct invariants_before *b)
{
    for (uint32_t i = 0; b->usage && i < b->ntrees; i++)
        mem_free(b->usage[i]);
    mem_free(b->usage);
    *b = (struct invariants_before){0};
}

bool invariants_before(struct invariants_before *b, const struct world *w)
{
    *b = (struct invariants_before){mem_zalloc(w->ntrees + 1, sizeof *b->usage), w->ntrees};
    for (uint32_t i = 0; b->usage && i < w->ntrees; i++) {
        const struct tree *t = w->trees[i];
        uint32_t n = t->nnodes * t->ncols;
        b->usage[i] = mem_zalloc(n + 1, sizeof(amount));
        if (!b->usage[i]) {
            invariants_before_free(b);
            return false;
        }
        for (uint32_t k = 0; k < n; k++)
            b->usage[i][k] = t->cells[k].usage;
    }
    return b->usage != NULL;
}

/* How far a node is above what its limits allow; <= 0 = not. */
static amount excess(const struct tree *t, uint32_t node, const struct cell *c, amount usage)
{
    if (t->nodes[node].parent == TREE_NONE)
        return amount_sub(usage, c->quota);
    if (!c->has_borrowing)
        return 0;
    amount visible = amount_max(0, amount_sub(usage, c->private_quota));
    return amount_sub(visible, amount_add(amount_sub(c->quota, c->private_quota), c->borrowing));
}

static bool check_limits(const struct world *w, const struct tree *t, const amount *before, struct str *why)
{
    for (uint32_t n = 0; n < t->nnodes; n++)
        for (uint32_t col = 0; col < t->ncols; col++) {
            const struct cell *c = tree_cell(t, n, col);
            amount was = before[n * t->ncols + col];
            struct pair_names p = world_pair(w, t->fr[col]);
            if (excess(t, n, c, c->usage) > amount_max(0, excess(t, n, c, was)))
                return broken(why, "%s %s/%s: admissions took usage from %lld to %lld, over the limits",
                              text_of(w, t->nodes[n].name), p.flavor, p.resource, (long long)was,
                              (long long)c->usage);
        }
    return true;
}

static void discharge(const struct world *w, const struct target *v)
{
    const struct cluster_queue *cq = w->cqs[v->cq];
    for (uint32_t col = 0; col < cq->tree->ncols; col++)
        tree_discharge(cq->tree, cq->node, col, held_by(v->w, cq->tree->fr[col]));
}

/* Entries fit as if the victims chosen so far were gone (5.5), so the limits hold without them. */
static bool check_over_commitment(const struct invariants_before *b, const struct world *w,
                                  const struct cycle *c, struct str *why)
{
    bool ok = true;
    for (uint32_t i = 0; i < w->ntrees; i++)
        (void)tree_begin(w->trees[i]);
    for (uint32_t i = 0; i < c->ndecisions; i++)
        for (uint32_t k = 0; k < c->decisions[i].ntargets && c->decisions[i].outcome == OUTCOME_PREEMPTING;
             k++)
            discharge(w, &c->decisions[i].targets[k]);
    for (uint32_t i = 0; i < w->ntrees && ok; i++)
        ok = check_limits(w, w->trees[i], b->usage[i], why);
    for (uint32_t i = 0; i < w->ntrees; i++)
        tree_undo(w->trees[i], 0);
    return ok;
}

static bool same_usage(const struct invariants_before *b, const struct world *w, struct str *why)
{
    for (uint32_t i = 0; i < w->ntrees; i++)
        for (uint32_t k = 0; k < w->trees[i]->nnodes * w->trees[i]->ncols; k++)
            if (w->trees[i]->cells[k].usage != b->usage[i][k])
                return broken(why, "a cycle without admission changed the usage of %s",
                              text_of(w, w->trees[i]->nodes[k / w->trees[i]->ncols].name));
    return true;
}

/* ---- decisions ----------------------------------------------------------------------------------------------------------------- */

static amount usage_before(const struct invariants_before *b, const struct world *w, uint32_t cq,
                           uint32_t col)
{
    const struct cluster_queue *q = w->cqs[cq];
    for (uint32_t i = 0; i < w->ntrees; i++)
        if (w->trees[i] == q->tree)
            return b->usage[i][q->node * q->tree->ncols + col];
    return 0;
}

/* Did the victim's queue use more than its nominal quota of some pair that the preemptor needs (7.3, 8.2)? */
static bool was_borrowing(const struct invariants_before *b, const struct world *w, const struct decision *d,
                          uint32_t cq)
{
    for (uint32_t i = 0; i < d->a->nuses; i++) {
        uint32_t col = d->a->uses[i].col;
        if (usage_before(b, w, cq, col) > tree_cell(w->cqs[cq]->tree, w->cqs[cq]->node, col)->nominal)
            return true;
    }
    return false;
}

static bool was_recomputed(const struct cycle *c, uint32_t cq)
{
    for (uint32_t i = 0; i < c->nrecomputes; i++)
        if (c->recomputes[i].cq == cq)
            return true;
    return false;
}

static bool check_victim(const struct invariants_before *b, const struct world *w, const struct cycle *c,
                         const struct decision *d, const struct target *v, struct str *why)
{
    if (v->w->cq != v->cq)
        return broken(why, "victim %s of %s holds nothing in its queue", v->w->key, d->w->key);
    if (w->cqs[v->cq]->tree != w->cqs[d->cq]->tree)
        return broken(why, "victim %s of %s is in another tree", v->w->key, d->w->key);
    if ((v->reason == PREEMPT_IN_CQ) != (v->cq == d->cq))
        return broken(why, "victim %s of %s: %s", v->w->key, d->w->key, preempt_reason_text(v->reason));
    if (w->cqs[v->cq]->state != CQ_ACTIVE)
        return broken(why, "victim %s of %s is in an inactive queue", v->w->key, d->w->key);
    if (v->cq != d->cq && !was_recomputed(c, d->cq) && !was_borrowing(b, w, d, v->cq))
        return broken(why, "victim %s of %s: its queue borrows nothing", v->w->key, d->w->key);
    const struct fact_preemption *p = &w->cqs[d->cq]->preemption;
    if ((v->cq == d->cq ? p->within_cluster_queue : p->reclaim_within_cohort) == POLICY_NEVER)
        return broken(why, "victim %s of %s against the policy Never", v->w->key, d->w->key);
    for (const struct target *x = d->targets; x < v; x++)
        if (x->w == v->w)
            return broken(why, "victim %s of %s twice", v->w->key, d->w->key);
    return true;
}

static bool covers(const struct cluster_queue *cq, uint32_t res)
{
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t r = 0; r < cq->quotas.groups[g].nres; r++)
            if (cq->quotas.groups[g].res[r] == res)
                return true;
    return false;
}

static bool check_slot(const struct world *w, const struct wl *wl, const struct pod_set *ps, uint32_t res,
                       amount each, struct str *why)
{
    bool covered = covers(w->cqs[wl->cq], res);
    if (each == 0 || (!covered && w->ignore_undeclared))
        return true;
    for (uint32_t k = 0; k < ps->nslots; k++) {
        const struct slot *s = &wl->slots[ps->first + k];
        if (s->res == res && s->fr != NONE && s->amount == each * ps->assigned)
            return true;
    }
    return broken(why, "%s is admitted without %s for %s", wl->key, text_of(w, res), text_of(w, ps->name));
}

static bool check_admission(const struct world *w, const struct decision *d, struct str *why)
{
    const struct wl *wl = d->w;
    if (wl->cq != d->cq || !wl->marks.reserved)
        return broken(why, "%s is admitted but holds nothing", wl->key);
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        const struct pod_set *ps = &wl->pod_sets[i];
        if (i >= d->a->npod_sets &&
            w->ignore_undeclared) /* 6.2: behind a pod set that asks only for what no group covers */
            break;
        int32_t full = pod_set_count(w, ps), least = ps->min_count ? ps->min_count : full;
        if (ps->assigned > full || ps->assigned < (least < full ? least : full))
            return broken(why, "%s is admitted with %d pods of %d", wl->key, ps->assigned, full);
        for (uint32_t k = 0; k < ps->shape->nreq; k++)
            if (!check_slot(w, wl, ps, ps->shape->req[k].res, ps->shape->req[k].amount, why))
                return false;
        if (covers(w->cqs[wl->cq], w->pods) && !check_slot(w, wl, ps, w->pods, 1, why))
            return false;
    }
    return true;
}

static bool check_decision(const struct invariants_before *b, const struct world *w, const struct cycle *c,
                           const struct decision *d, struct str *why)
{
    if (d->outcome == OUTCOME_ADMITTED)
        return check_admission(w, d, why);
    if (d->wait == WAIT_NONE && d->outcome != OUTCOME_NO_FIT) /* 6.9: none is possible there */
        return broken(why, "%s waits without a reason", d->w->key);
    if (d->outcome == OUTCOME_PREEMPTING && !d->ntargets)
        return broken(why, "%s preempts nobody", d->w->key);
    for (uint32_t i = 0; i < d->ntargets && d->outcome == OUTCOME_PREEMPTING; i++)
        if (!check_victim(b, w, c, d, &d->targets[i], why))
            return false;
    return true;
}

bool invariants_of_cycle(const struct invariants_before *b, const struct world *w, const struct cycle *c,
                         struct str *why)
{
    bool admitted = false;
    for (uint32_t i = 0; c && i < c->ndecisions; i++) {
        admitted |= c->decisions[i].outcome == OUTCOME_ADMITTED;
        if (!check_decision(b, w, c, &c->decisions[i], why))
            return false;
    }
    for (uint32_t i = 0; c && i < c->nevicted; i++)
        for (uint32_t k = 0; k < i; k++)
            if (c->evicted[i] == c->evicted[k])
                return broken(why, "%s is evicted twice in a cycle", c->evicted[i]->key);
    if (c && c->progressed != (admitted || c->nevicted > 0))
        return broken(why, "a cycle does not know whether it progressed");
    return admitted ? check_over_commitment(b, w, c, why) : same_usage(b, w, why);
}
