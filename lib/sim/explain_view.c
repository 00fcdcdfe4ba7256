/* The world at rest as one Workload sees it: its place, the numbers at each level of the tree, who holds the quota. */
#include "sim/explain_priv.h"

#include "base/mem.h"
#include "core/queue_view.h"

#include <stdlib.h>
#include <string.h>

struct view {
    struct explain *e;
    const struct sim *s;
    struct world *w;
    const struct wl *wl; /* NULL if it has not appeared */
    uint32_t cq;
    const struct tree *tree;
    uint32_t node;
};

static int64_t amount_of(const struct wl *wl, uint32_t res, uint32_t fr)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            const struct slot *slot = &wl->slots[wl->pod_sets[i].first + k];
            if (slot->res == res && slot->fr == fr)
                sum = i64_add(sum, slot->amount);
        }
    return sum;
}

/* ---- levels ------------------------------------------------------------------------------------------------------------- */

static void take_levels(const struct view *v, struct explain_pair *p, uint32_t col)
{
    const struct tree *t = v->tree;

    p->levels = ARENA_NEW(&v->e->mem, struct explain_level, t->nodes[v->node].depth + 2);
    for (uint32_t i = v->node; i != TREE_NONE; i = t->nodes[i].parent) {
        const struct cell *c = tree_cell(t, i, col);
        struct explain_level *l = &p->levels[p->nlevels++];
        *l = (struct explain_level){
            .name = names_text(world_names(v->w), t->nodes[i].name),
            .is_cohort = t->nodes[i].cq == TREE_NONE,
            .has_borrowing = c->has_borrowing,
            .has_lending = c->has_lending,
            .nominal = c->nominal,
            .borrowing = c->borrowing,
            .lending = c->lending,
            .quota = c->quota,
            .used = c->usage,
            .available = tree_available(t, i, col),
        };
        l->borrowed = amount_max(0, amount_sub(c->usage, l->is_cohort ? c->quota : c->nominal));
    }
}

/* ---- holders and loans -------------------------------------------------------------------------------------------------- */

static int compare_holders(const void *a, const void *b)
{
    const struct explain_holder *x = a, *y = b;

    if (x->own != y->own)
        return x->own ? -1 : 1;
    if (x->amount != y->amount)
        return x->amount > y->amount ? -1 : 1;
    return strcmp(x->key, y->key);
}

static uint32_t count_holders(const struct view *v)
{
    uint32_t sum = 0, n;

    for (uint32_t i = 0; i < v->tree->nnodes; i++)
        if (v->tree->nodes[i].cq != TREE_NONE) {
            (void)world_cq_holders(v->w, v->tree->nodes[i].cq, &n);
            sum += n;
        }
    return sum;
}

static void take_holders(const struct view *v, struct explain_pair *p, uint32_t fr)
{
    uint32_t res = names_find(world_names(v->w), p->resource), n;

    p->holders = ARENA_NEW(&v->e->mem, struct explain_holder, count_holders(v) + 1);
    for (uint32_t i = 0; i < v->tree->nnodes; i++) {
        uint32_t cq = v->tree->nodes[i].cq;
        struct wl *const *list = cq == TREE_NONE ? (n = 0, NULL) : world_cq_holders(v->w, cq, &n);
        for (uint32_t k = 0; k < n; k++) {
            amount a = amount_of(list[k], res, fr);
            if (a > 0 && list[k] != v->wl)
                p->holders[p->nholders++] = (struct explain_holder){
                    sim_of(list[k])->key, world_cq(v->w, cq).name, wl_priority(list[k]), a, cq == v->cq};
        }
    }
    qsort(p->holders, p->nholders, sizeof(*p->holders), compare_holders);
    p->nholders_all = p->nholders;
    if (p->nholders > EXPLAIN_HOLDERS_MAX)
        p->nholders = EXPLAIN_HOLDERS_MAX;
}

static uint32_t walk_loans(const struct view *v, uint32_t fr, struct explain_loan *to)
{
    const struct names *names = world_names(v->w);
    const struct loans *ls = world_loans(v->w);
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->tree->nnodes; i++) {
        const struct tree_node *node = &v->tree->nodes[i];
        if (node->cq == TREE_NONE)
            continue;
        for (const struct loan *l = loans_next(ls, fr, node->name, NULL); l;
             l = loans_next(ls, fr, node->name, l), n++)
            if (to)
                to[n] = (struct explain_loan){names_text(names, l->borrower),
                                              names_text(names, l->lender.name), l->lender.kind, l->amount};
    }
    return n;
}

/* ---- pairs -------------------------------------------------------------------------------------------------------------- */

struct pair_list {
    const struct view *v;
    struct explain_pair *list;
    uint32_t n, cap;
};

/* A Workload that runs is explained by what it holds, one that waits by all that it could get. */
static void take_pair(const struct cq_use *u, void *arg)
{
    struct pair_list *l = arg;
    const struct view *v = l->v;
    uint32_t res = names_find(world_names(v->w), u->resource), col = tree_col(v->tree, u->fr);
    bool holds = v->e->state == EXPLAIN_ADMITTED;
    amount asked = holds ? amount_of(v->wl, res, u->fr) : what_if_asked(v->w, v->wl, res);

    if (asked <= 0 || col == TREE_NONE)
        return;
    if (l->n < l->cap) {
        struct explain_pair *p = &l->list[l->n];
        *p = (struct explain_pair){.flavor = u->flavor, .resource = u->resource, .asked = asked};
        take_levels(v, p, col);
        take_holders(v, p, u->fr);
        p->loans = ARENA_NEW(&v->e->mem, struct explain_loan, walk_loans(v, u->fr, NULL) + 1);
        p->nloans = walk_loans(v, u->fr, p->loans);
    }
    l->n++;
}

static void take_pairs(const struct view *v)
{
    struct pair_list l = {.v = v};

    world_cq_uses(v->w, v->cq, take_pair, &l);
    l.list = ARENA_NEW(&v->e->mem, struct explain_pair, l.n + 1);
    l.cap = l.n;
    l.n = 0;
    world_cq_uses(v->w, v->cq, take_pair, &l);
    v->e->pairs = l.list;
    v->e->npairs = l.n;
}

/* ---- its place ---------------------------------------------------------------------------------------------------------- */

static int take_place(const struct view *v, struct err *err)
{
    const struct place_query q = {v->cq, "", NULL, 0, QUEUE_VIEW_MAX};
    struct explain *e = v->e;
    const char **ahead = ARENA_NEW(&e->mem, const char *, EXPLAIN_AHEAD_MAX);
    struct place *list;
    uint32_t n;

    if (queue_view_places(v->w, &q, &list, &n))
        return err_set(err, ERR_NOMEM, "out of memory for places in the queue");
    for (uint32_t i = 0; i < n && !e->queued; i++) {
        if (list[i].w == v->wl) {
            e->queued = true;
            e->in_cq = list[i].in_cq;
            e->in_lq = list[i].in_lq;
        } else if (e->nahead < EXPLAIN_AHEAD_MAX) {
            ahead[e->nahead++] = sim_of(list[i].w)->key;
        }
    }
    e->ahead = ahead;
    if (!e->queued)
        e->nahead = 0;
    mem_free(list);
    return 0;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void take_activity(const struct view *v)
{
    const char *reason;
    struct str text;

    str_init(&text, 1 << 16);
    if (!world_cq_active(v->w, v->cq, &reason, &text)) {
        v->e->cq_reason = reason;
        v->e->cq_message = arena_strndup(&v->e->mem, str_text(&text), text.len);
    }
    str_free(&text);
    if (!v->e->cq_message)
        v->e->cq_message = "";
}

int explain_view(struct explain *e, struct err *err)
{
    struct view v = {.e = e, .s = what_if_base(e->run), .wl = e->target->wl};
    const char *cq = "";

    v.w = sim_world(v.s);
    e->queue = e->target->fact->queue;
    (void)world_lq(v.w, e->target->fact->ns, e->queue, &cq, &(enum stop_policy){STOP_NONE});
    if (e->target->admission && e->state != EXPLAIN_WAITS)
        cq = e->target->admission->cluster_queue;
    e->cluster_queue = cq;
    v.cq = world_cq_find(v.w, cq);
    if (v.cq == NONE || !v.wl || !world_cq(v.w, v.cq).exists)
        return 0;
    v.tree = world_cq(v.w, v.cq).tree;
    v.node = world_cq(v.w, v.cq).node;
    take_activity(&v);
    if (v.tree && e->state != EXPLAIN_FINISHED)
        take_pairs(&v);
    return take_place(&v, err);
}
