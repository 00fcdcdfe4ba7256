/* The order in which nominated entries are processed: classical (engine.md 5.3) and the fair-sharing tournament (8.4). */
#include "core/cycle_priv.h"

#include <string.h>

/* ---- classical ---------------------------------------------------------------------------------------------------------------- */

static int name_compare(const struct world *w, uint32_t a, uint32_t b)
{
    return strcmp(names_text(w->names, a), names_text(w->names, b));
}

static int classical_compare(const struct world *w, const struct entry *a, const struct entry *b)
{
    if (a->preemptor != b->preemptor)
        return a->preemptor ? -1 : 1;
    if (a->a->borrowing != b->a->borrowing)
        return a->a->borrowing < b->a->borrowing ? -1 : 1;
    if (gate_on(&w->gates, GATE_PRIORITY_SORTING) && a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    if (a->queue_time != b->queue_time)
        return a->queue_time < b->queue_time ? -1 : 1;
    return name_compare(w, a->cq->name, b->cq->name);
}

/* Merge sort: stable, and it allocates from the arena, which qsort does not. */
static void sort_entries(const struct world *w, struct entry **v, struct entry **tmp, uint32_t n)
{
    if (n < 2)
        return;
    uint32_t half = n / 2, i = 0, j = half;
    sort_entries(w, v, tmp, half);
    sort_entries(w, v + half, tmp + half, n - half);
    for (uint32_t k = 0; k < n; k++)
        tmp[k] = j == n || (i < half && classical_compare(w, v[i], v[j]) <= 0) ? v[i++] : v[j++];
    memcpy(v, tmp, n * sizeof(struct entry *));
}

void order_classical(struct run *r)
{
    for (uint32_t i = 0; i < r->nentries; i++)
        r->order[i] = &r->entries[i];
    sort_entries(r->w, r->order, ARENA_NEW(r->a, struct entry *, r->nentries), r->nentries);
}

/* ---- fair sharing ----------------------------------------------------------------------------------------------------------------- */

/* The tournament of one tree. */
struct contest {
    struct run *r;
    struct tree *t;
    struct entry **by_node; /* entry of a ClusterQueue's node */
};

/* D(a, e) for each ancestor a of the entry's ClusterQueue: the share of a's child on the way to it, with the entry's usage added. */
static void measure(struct contest *c, struct entry *e)
{
    struct tree *t = c->t;
    uint32_t mark = tree_begin(t), *cols = ARENA_NEW(c->r->a, uint32_t, e->a->nuses), ncols = 0;
    for (uint32_t i = 0; i < e->a->nuses; i++) {
        tree_charge(t, e->cq->node, e->a->uses[i].col, e->a->uses[i].amount);
        if (e->a->uses[i].amount > 0)
            cols[ncols++] = e->a->uses[i].col;
    }
    for (uint32_t n = e->cq->node; t->nodes[n].parent != TREE_NONE; n = t->nodes[n].parent) {
        uint32_t depth = t->nodes[n].depth - 1;
        e->shares[depth] = tree_share(t, n);
        e->borrows[depth] = tree_borrowing_on(t, n, cols, ncols);
    }
    tree_undo(t, mark);
}

/* 8.4: is a to be tried before b at the cohort of that depth? */
bool order_fair_less(const struct world *w, const struct entry *a, const struct entry *b, uint32_t depth)
{
    if (a->preemptor != b->preemptor)
        return a->preemptor;
    if (gate_on(&w->gates, GATE_FAIR_PRIORITIZE_NON_BORROWING) && a->borrows[depth] != b->borrows[depth])
        return !a->borrows[depth];
    int c = share_compare(a->shares[depth], b->shares[depth]);
    if (c)
        return c < 0;
    if (gate_on(&w->gates, GATE_PRIORITY_SORTING) && a->priority != b->priority)
        return a->priority > b->priority;
    return a->queue_time < b->queue_time;
}

static struct entry *tournament(const struct contest *c, uint32_t cohort)
{
    struct entry *best = NULL;
    uint32_t depth = c->t->nodes[cohort].depth;
    for (uint32_t n = cohort + 1; n < c->t->nodes[cohort].end; n = c->t->nodes[n].end) {
        struct entry *e = c->t->nodes[n].cq == TREE_NONE ? tournament(c, n) : c->by_node[n];
        if (e && (!best || order_fair_less(c->r->w, e, best, depth)))
            best = e;
    }
    return best;
}

/* The child of the root above a node. */
static uint32_t top_of(const struct tree *t, uint32_t node)
{
    while (t->nodes[node].depth > 1)
        node = t->nodes[node].parent;
    return node;
}

/* What an entry took changes the shares on its way up only, so just those below the same child of the root are measured anew: with 1,000
 * ClusterQueues in one flat cohort that is nobody. */
static void measure_again(struct contest *c, uint32_t top)
{
    for (uint32_t n = top; n < c->t->nodes[top].end; n++)
        if (c->by_node[n])
            measure(c, c->by_node[n]);
}

/* The entries of the tree take their places; returns how many. */
static uint32_t enter(struct contest *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->r->nentries; i++) {
        struct entry *e = &c->r->entries[i];
        if (e->cq->tree != c->t)
            continue;
        uint32_t depth = c->t->nodes[e->cq->node].depth;
        c->by_node[e->cq->node] = e;
        e->shares = ARENA_NEW(c->r->a, struct share, depth + 1);
        e->borrows = ARENA_NEW(c->r->a, bool, depth + 1);
        measure(c, e);
        n++;
    }
    return n;
}

/* Processes the entries of one tree; returns how many. */
static uint32_t run_contest(struct run *r, struct tree *t, struct entry **out)
{
    struct contest c = {r, t, ARENA_NEW(r->a, struct entry *, t->nnodes)};
    uint32_t n = enter(&c);
    for (uint32_t done = 0; done < n; done++) {
        struct entry *e = t->nodes[0].cq == TREE_NONE ? tournament(&c, 0) : c.by_node[0];
        c.by_node[e->cq->node] = NULL;
        out[done] = e;
        cycle_process(r, e);
        measure_again(&c, top_of(t, e->cq->node));
    }
    return n;
}

/* 5.4, 8.4 */
void order_fair(struct run *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->w->ntrees && n < r->nentries; i++)
        n += run_contest(r, r->w->trees[i], r->order + n);
}
