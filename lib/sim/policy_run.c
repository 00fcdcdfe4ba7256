/* The worlds before and after, at rest, side by side. */
#include "sim/policy_priv.h"

#include "base/mem.h"
#include "core/loans.h"
#include "sim/what_if.h"

#include <stdlib.h>
#include <string.h>

/* ---- a world ------------------------------------------------------------------------------------------------------------ */

static void on_event(void *arg, enum sim_event e, const struct sim_wl *sw)
{
    struct policy_world *w = arg;

    w->released[sw->index] += e == SIM_RELEASED;
}

static void on_released(void *arg, const struct sim_wl *const *list, uint32_t n)
{
    struct policy_world *w = arg;

    for (uint32_t i = 0; i < n; i++)
        w->released[list[i]->index]++;
}

int policy_world_load(struct policy_world *w, struct err *err)
{
    const struct sim_options opt = {.max_cycles = WHAT_IF_CYCLES_MAX,
                                    .max_cycles_at_once = WHAT_IF_CYCLES_AT_ONCE,
                                    .start = WHEN_NONE,
                                    .gathers = true,
                                    .begin = WHEN_NONE,
                                    .models = true};
    int rc = sim_new(w->objects, &opt, &w->sim, err);

    if (rc)
        return rc;
    w->released = mem_zalloc(sim_count(w->sim) + 1, sizeof(*w->released));
    if (!w->released)
        return err_set(err, ERR_NOMEM, "out of memory");
    sim_watch(w->sim, &(struct sim_watcher){.arg = w, .event = on_event, .released = on_released});
    return 0;
}

int policy_world_run(struct policy_world *w, struct err *err)
{
    int rc = sim_run(w->sim, err);

    return rc ? rc : world_settle(sim_world(w->sim), err);
}

void policy_world_free(struct policy_world *w)
{
    sim_free(w->sim);
    api_set_free(w->objects);
    mem_free(w->released);
    *w = (struct policy_world){0};
}

/* ---- ClusterQueues ------------------------------------------------------------------------------------------------------ */

struct side {
    struct policy_diff *d;
    struct world *w;
    uint32_t cq;
    bool after;
    uint32_t first; /* pairs of this queue begin here */
};

static struct policy_pair *pair_of(struct side *s, const char *queue, const char *flavor,
                                   const char *resource)
{
    struct policy_diff *d = s->d;

    for (uint32_t i = s->first; i < d->npairs; i++)
        if (!strcmp(d->pairs[i].flavor, flavor) && !strcmp(d->pairs[i].resource, resource))
            return &d->pairs[i];
    policy_grow(&d->mem, &d->pairs, d->npairs, &d->cap_pairs, sizeof(*d->pairs));
    struct policy_pair *p = &d->pairs[d->npairs++];
    *p = (struct policy_pair){.queue = policy_copy(&d->mem, queue),
                              .flavor = policy_copy(&d->mem, flavor),
                              .resource = policy_copy(&d->mem, resource)};
    return p;
}

static amount borrowed_by(const struct world *w, uint32_t fr, uint32_t name)
{
    amount sum = 0;

    for (const struct loan *l = loans_next(world_loans(w), fr, name, NULL); l;
         l = loans_next(world_loans(w), fr, name, l))
        sum = amount_add(sum, l->amount);
    return sum;
}

static void take_pair(const struct cq_use *u, void *arg)
{
    struct side *s = arg;
    struct cq_view v = world_cq(s->w, s->cq);
    struct policy_pair *p = pair_of(s, v.name, u->flavor, u->resource);
    struct policy_pair_side *to = s->after ? &p->after : &p->before;
    uint32_t col = v.tree ? tree_col(v.tree, u->fr) : TREE_NONE;

    *to = (struct policy_pair_side){.there = true, .nominal = u->nominal, .used = u->reserved};
    if (col == TREE_NONE)
        return;
    const struct tree_node *node = &v.tree->nodes[v.node];
    const struct cell *c = tree_cell(v.tree, v.node, col);
    to->may_borrow = amount_max(0, amount_sub(c->potential, c->quota));
    if (node->parent != TREE_NONE)
        to->may_lend = amount_max(0, amount_sub(c->quota, c->private_quota));
    to->borrowed = borrowed_by(s->w, u->fr, node->name);
    to->lent = loans_lent(world_loans(s->w), u->fr, (struct loan_lender){LOAN_CLUSTER_QUEUE, node->name});
}

static void take_queue(struct policy_diff *d, struct world *w, const char *name, bool after, uint32_t first)
{
    struct side s = {d, w, world_cq_find(w, name), after, first};

    if (s.cq != NONE && world_cq(w, s.cq).exists)
        world_cq_uses(w, s.cq, take_pair, &s);
}

static bool same_side(const struct policy_pair_side *a, const struct policy_pair_side *b)
{
    return a->there == b->there && a->nominal == b->nominal && a->may_borrow == b->may_borrow &&
           a->may_lend == b->may_lend && a->used == b->used && a->borrowed == b->borrowed &&
           a->lent == b->lent;
}

static void drop_equal(struct policy_diff *d, uint32_t first)
{
    uint32_t n = first;

    for (uint32_t i = first; i < d->npairs; i++)
        if (!same_side(&d->pairs[i].before, &d->pairs[i].after))
            d->pairs[n++] = d->pairs[i];
    d->npairs = n;
}

void policy_pairs(struct policy_diff *d, const struct policy_world *before, const struct policy_world *after)
{
    struct world *was = sim_world(before->sim), *is = sim_world(after->sim);
    uint32_t n, m, i = 0, k = 0;
    const uint32_t *x = world_cq_order(was, &n), *y = world_cq_order(is, &m);

    while (i < n || k < m) {
        const char *a = i < n ? world_cq(was, x[i]).name : NULL, *b = k < m ? world_cq(is, y[k]).name : NULL;
        int c = !a ? 1 : !b ? -1 : strcmp(a, b);
        uint32_t first = d->npairs;
        take_queue(d, was, c <= 0 ? a : b, false, first);
        take_queue(d, is, c <= 0 ? a : b, true, first);
        drop_equal(d, first);
        i += c <= 0;
        k += c >= 0;
    }
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

static bool same_pod_set(const struct sim_pod_set *a, const struct sim_pod_set *b)
{
    if (a->count != b->count || a->nshares != b->nshares)
        return false;
    for (uint32_t i = 0; i < a->nshares; i++)
        if (strcmp(a->shares[i].resource, b->shares[i].resource) != 0 ||
            strcmp(a->shares[i].flavor, b->shares[i].flavor) != 0)
            return false;
    return true;
}

static bool same_place(const struct sim_wl *was, const struct sim_wl *is)
{
    const struct sim_admission *a = was->admission, *b = is->admission;

    if (!a || !b)
        return a == b;
    if (strcmp(a->cluster_queue, b->cluster_queue) != 0 || a->npod_sets != b->npod_sets)
        return false;
    for (uint32_t i = 0; i < a->npod_sets; i++)
        if (!same_pod_set(&a->pod_sets[i], &b->pod_sets[i]))
            return false;
    return true;
}

struct fate {
    const struct sim_wl *sw;
    uint32_t released;
    bool runs; /* holds quota at rest, or has finished */
};

static struct fate fate_of(const struct policy_world *w, uint32_t i)
{
    const struct sim_wl *sw = sim_at(w->sim, i);

    return (struct fate){sw, w->released[i], what_if_holds(sw) || what_if_finished(sw)};
}

static bool differs(const struct fate *was, const struct fate *is, enum policy_move_kind *ret)
{
    if (was->runs && !is->runs)
        *ret = is->sw->holder || is->released ? POLICY_EVICTED : POLICY_WAITS;
    else if (!was->runs && is->runs)
        *ret = POLICY_STARTS;
    else if (!was->released != !is->released)
        *ret = is->released ? (is->runs ? POLICY_RESTARTED : POLICY_EVICTED) : POLICY_SPARED;
    else if (is->runs && !same_place(was->sw, is->sw))
        *ret = POLICY_ELSEWHERE;
    else
        return false;
    return true;
}

/* Why it is not where it was: the eviction's message if it was evicted, else why it waits. */
static const char *why(const struct fate *is, enum policy_move_kind kind)
{
    const struct cond *evicted = &is->sw->status.cond[COND_EVICTED],
                      *reserved = &is->sw->status.cond[COND_QUOTA_RESERVED];

    if (kind != POLICY_EVICTED && kind != POLICY_RESTARTED && kind != POLICY_WAITS)
        return "";
    if (is->released && evicted->status != STATUS_ABSENT)
        return evicted->message;
    return reserved->status == STATUS_FALSE ? reserved->message : "";
}

/* Where it runs, or the ClusterQueue in which it waits. */
static const char *queue_of(const struct policy_world *w, const struct sim_wl *sw)
{
    const char *cq = "";
    enum stop_policy stop;

    if (sw->admission)
        return sw->admission->cluster_queue;
    (void)world_lq(sim_world(w->sim), sw->fact->ns, sw->fact->queue, &cq, &stop);
    return cq ? cq : "";
}

static void add_move(struct policy_diff *d, enum policy_move_kind kind, const struct policy_world *before,
                     const struct fate *was, const struct policy_world *after, const struct fate *is)
{
    struct arena *a = &d->mem;

    policy_grow(a, &d->moves, d->nmoves, &d->cap_moves, sizeof(*d->moves));
    d->moves[d->nmoves++] =
        (struct policy_move){kind, policy_copy(a, is->sw->key), policy_copy(a, queue_of(before, was->sw)),
                             policy_copy(a, queue_of(after, is->sw)), policy_copy(a, why(is, kind))};
}

static int compare_moves(const void *a, const void *b)
{
    const struct policy_move *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->key, y->key);
}

void policy_moves(struct policy_diff *d, const struct policy_world *before, const struct policy_world *after)
{
    uint32_t i = 0, k = 0;

    while (i < sim_count(before->sim) && k < sim_count(after->sim)) {
        struct fate was = fate_of(before, i), is = fate_of(after, k);
        int c = strcmp(was.sw->key, is.sw->key);
        enum policy_move_kind kind;
        if (!c && differs(&was, &is, &kind))
            add_move(d, kind, before, &was, after, &is);
        i += c <= 0;
        k += c >= 0;
    }
    if (d->nmoves > 1)
        qsort(d->moves, d->nmoves, sizeof(*d->moves), compare_moves);
}
