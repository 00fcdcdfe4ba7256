/* How far from its fair share each ClusterQueue is while a replay runs. A tree is looked at only when something changed in it. */
#include "sim/replay_priv.h"

#include "base/mem.h"

#include <string.h>

/* All flavors of the resource together; a limit counts when each of them has one. */
static struct fair_node node_of(const struct replay *r, const struct tree *t, uint32_t i)
{
    const struct tree_node *n = &t->nodes[i];
    struct fair_node x = {.parent = n->parent == TREE_NONE ? FAIR_ROOT : n->parent,
                          .end = n->end,
                          .is_queue = n->cq != TREE_NONE,
                          .weight = n->weight};

    for (uint32_t c = 0; c < t->ncols; c++) {
        const struct cell *cell = tree_cell(t, i, c);
        bool counts = (x.is_queue ? cell->own : cell->declared) &&
                      !strcmp(world_pair(r->w, t->fr[c]).resource, mapping_resource(r->opt.map));
        if (!counts)
            continue;
        x.quota = amount_add(x.quota, cell->nominal);
        x.borrowing = amount_add(x.borrowing, cell->has_borrowing ? cell->borrowing : AMOUNT_UNLIMITED);
        x.lending = amount_add(x.lending, cell->has_lending ? cell->lending : AMOUNT_UNLIMITED);
    }
    return x;
}

static int load_tree(struct replay *r, const struct tree *t, struct share_tree *s)
{
    s->nodes = mem_zalloc(t->nnodes, sizeof(*s->nodes));
    s->cq = mem_zalloc(t->nnodes, sizeof(*s->cq));
    s->error = mem_zalloc(t->nnodes, sizeof(*s->error));
    if (!s->nodes || !s->cq || !s->error)
        return ERR_NOMEM;
    s->n = t->nnodes;
    s->since = INT64_MIN + 1;
    for (uint32_t i = 0; i < s->n; i++) {
        s->nodes[i] = node_of(r, t, i);
        s->cq[i] = t->nodes[i].cq == TREE_NONE ? NONE : t->nodes[i].cq;
        if (s->cq[i] != NONE)
            r->share_of[s->cq[i]] = (uint32_t)(s - r->shares);
    }
    return 0;
}

int share_load(struct replay *r, struct err *err)
{
    uint32_t n = 0;

    while (world_tree(r->w, n))
        n++;
    r->shares = mem_zalloc(n + 1, sizeof(*r->shares));
    r->dirty_shares = mem_zalloc(n + 1, sizeof(*r->dirty_shares));
    r->share_of = mem_zalloc(r->nqueues + 1, sizeof(*r->share_of));
    if (!r->shares || !r->dirty_shares || !r->share_of)
        return err_set(err, ERR_NOMEM, "out of memory for the fair shares");
    r->nshares = n;
    for (uint32_t i = 0; i < r->nqueues; i++)
        r->share_of[i] = NONE; /* in a cycle of cohorts: no tree */
    for (uint32_t i = 0; i < n; i++)
        if (load_tree(r, world_tree(r->w, i), &r->shares[i]))
            return err_set(err, ERR_NOMEM, "out of memory for the fair shares");
    return 0;
}

void share_free(struct replay *r)
{
    for (uint32_t i = 0; i < r->nshares; i++) {
        mem_free(r->shares[i].nodes);
        mem_free(r->shares[i].cq);
        mem_free(r->shares[i].error);
    }
    mem_free(r->shares);
    mem_free(r->dirty_shares);
    mem_free(r->share_of);
}

void share_touch(struct replay *r, uint32_t cq)
{
    uint32_t i = r->share_of[cq];

    if (i == NONE || r->shares[i].dirty)
        return;
    r->shares[i].dirty = true;
    r->dirty_shares[r->ndirty++] = i;
}

/* The errors up to now. */
static void add_up(struct replay *r, struct share_tree *s)
{
    int64_t ns = window_part(r->opt.window, s->since, r->now);

    s->since = r->now;
    for (uint32_t i = 0; i < s->n && ns; i++) {
        if (!s->error[i])
            continue;
        wide sum = (wide)s->error[i] * ns;
        r->queues[s->cq[i]].g->share_error += sum;
        r->res.total.share_error += sum;
    }
}

/* Where nobody waits everybody has what it asks for. */
static bool anybody_waits(const struct replay *r, const struct share_tree *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->cq[i] != NONE && r->queues[s->cq[i]].waiting)
            return true;
    return false;
}

static void compare(struct replay *r, struct share_tree *s)
{
    memset(s->error, 0, s->n * sizeof(*s->error));
    if (!anybody_waits(r, s))
        return;
    for (uint32_t i = 0; i < s->n; i++)
        if (s->cq[i] != NONE)
            s->nodes[i].asks = r->queues[s->cq[i]].used + r->queues[s->cq[i]].asked;
    fair_shares(s->nodes, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->cq[i] == NONE)
            continue;
        amount used = r->queues[s->cq[i]].used, fair = s->nodes[i].fair;
        s->error[i] = used > fair ? used - fair : fair - used;
    }
}

void share_follow(struct replay *r)
{
    for (uint32_t i = 0; i < r->ndirty; i++) {
        struct share_tree *s = &r->shares[r->dirty_shares[i]];
        add_up(r, s);
        compare(r, s);
        s->dirty = false;
    }
    r->ndirty = 0;
}

void share_close(struct replay *r)
{
    for (uint32_t i = 0; i < r->nshares; i++)
        add_up(r, &r->shares[i]);
}
