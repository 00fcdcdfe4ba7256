#include "core/loans_settle.h"

#include "base/mem.h"

#include <string.h>

#define NONE TREE_NONE

void settle_init(struct settle *s, const struct names *names)
{
    memset(s, 0, sizeof *s);
    s->names = names;
}

void settle_free(struct settle *s)
{
    mem_free(s->old);
    mem_free(s->fresh);
    mem_free(s->v);
    mem_free(s->n);
    mem_free(s->where);
    mem_free(s->order);
    memset(s, 0, sizeof *s);
}

static void sift(uint32_t *a, uint32_t i, uint32_t n, int (*compare)(const void *, uint32_t, uint32_t),
                 const void *ctx)
{
    for (;;) {
        uint64_t c = (uint64_t)i * 2 + 1;
        if (c >= n)
            return;
        if (c + 1 < n && compare(ctx, a[c], a[c + 1]) < 0)
            c++;
        if (compare(ctx, a[i], a[c]) >= 0)
            return;
        uint32_t x = a[i];
        a[i] = a[c];
        a[c] = x;
        i = (uint32_t)c;
    }
}

/* A heap sort: qsort may call malloc. */
void settle_sort(uint32_t *a, uint32_t n, int (*compare)(const void *ctx, uint32_t x, uint32_t y),
                 const void *ctx)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(a, i, n, compare, ctx);
    for (uint32_t m = n; m-- > 1;) {
        uint32_t x = a[0];
        a[0] = a[m];
        a[m] = x;
        sift(a, 0, m, compare, ctx);
    }
}

/* ---- the network ---------------------------------------------------------------------------------------------------------- */

static uint32_t above(const struct settle *s, uint32_t x)
{
    return x >= s->t->nnodes ? x - s->t->nnodes : s->t->nodes[x].parent;
}

static uint32_t depth(const struct settle *s, uint32_t x)
{
    return x >= s->t->nnodes ? s->t->nodes[x - s->t->nnodes].depth + 1 : s->t->nodes[x].depth;
}

static amount room(const struct settle_vertex *v)
{
    return amount_sub(v->cap, v->flow);
}

/* 3.1: what the parent sees of the quota. */
static amount visible_quota(const struct cell *c)
{
    return amount_max(0, amount_sub(c->quota, c->private_quota));
}

/* The edge of a node with that much unmet need, or else idle quota; the parent hears of what the limits let through. */
static void net_edge(struct settle *s, uint32_t i, const struct cell *c, amount need, amount idle)
{
    uint32_t parent = s->t->nodes[i].parent;
    if (parent == NONE)
        return;
    struct settle_vertex *v = &s->v[i];
    struct settle_node *p = &s->n[parent];
    if (need > 0) {
        v->cap = c->has_borrowing ? amount_min(need, amount_max(0, c->borrowing)) : need;
        p->demand = amount_add(p->demand, v->cap);
    } else {
        v->up = true;
        v->cap = amount_min(idle, visible_quota(c));
        p->supply = amount_add(p->supply, v->cap);
    }
}

static void net(struct settle *s)
{
    for (uint32_t i = s->col == NONE ? 0 : s->t->nnodes; i-- > 0;) {
        const struct cell *c = tree_cell(s->t, i, s->col);
        struct settle_node *n = &s->n[i];
        if (s->t->nodes[i].cq != NONE) {
            net_edge(s, i, c, n->need, amount_max(0, amount_sub(c->nominal, c->usage)));
            continue;
        }
        struct settle_vertex *own = &s->v[s->t->nnodes + i];
        own->up = true;
        own->cap = amount_max(0, c->nominal);
        n->supply = amount_add(n->supply, own->cap);
        amount met = amount_min(n->demand, n->supply);
        net_edge(s, i, c, amount_sub(n->demand, met), amount_sub(n->supply, met));
    }
}

/* A saturated need would read as Unlimited; loans stay numbers. */
static amount need_of(const struct cell *c)
{
    return amount_min(amount_max(0, amount_sub(c->usage, amount_max(0, c->nominal))), AMOUNT_UNLIMITED - 1);
}

static int reserve_where(struct settle *s)
{
    uint32_t before = s->cap_where;
    uint64_t need = (uint64_t)names_count(s->names) * 2;
    if (need > UINT32_MAX || mem_grow((void **)&s->where, &s->cap_where, (uint32_t)need, sizeof *s->where))
        return ERR_NOMEM;
    for (uint32_t i = before; i < s->cap_where; i++)
        s->where[i] = NONE;
    return 0;
}

int settle_begin(struct settle *s, const struct tree *t, uint32_t col)
{
    if (t->nnodes > UINT32_MAX / 8 || mem_grow((void **)&s->v, &s->cap_v, t->nnodes * 2, sizeof *s->v) ||
        mem_grow((void **)&s->n, &s->cap_n, t->nnodes, sizeof *s->n) || reserve_where(s))
        return ERR_NOMEM;
    s->t = t;
    s->col = col;
    s->nold = s->nfresh = 0;
    memset(s->n, 0, t->nnodes * sizeof *s->n);
    for (uint32_t i = 0; i < t->nnodes; i++) {
        bool cohort = t->nodes[i].cq == NONE;
        s->n[i].heap = s->n[i].first = s->n[i].last = s->n[i].next = NONE;
        if (!cohort && col != NONE)
            s->n[i].need = s->n[i].left = need_of(tree_cell(t, i, col));
        uint64_t slot = (uint64_t)t->nodes[i].name * 2 + cohort;
        if (slot < s->cap_where)
            s->where[slot] = i;
    }
    return 0;
}

uint32_t settle_find(const struct settle *s, bool cohort, uint32_t name)
{
    uint64_t slot = (uint64_t)name * 2 + cohort;
    if (slot >= s->cap_where)
        return NONE;
    /* The entry may be one of another tree. */
    uint32_t i = s->where[slot];
    bool here = i < s->t->nnodes && s->t->nodes[i].name == name && (s->t->nodes[i].cq == NONE) == cohort;
    return here ? i : NONE;
}

void settle_mark_reclaims(struct settle *s, const struct loan_reclaim *r, uint32_t n)
{
    for (; n > 0; n--, r++) {
        uint32_t node = settle_find(s, false, r->borrower);
        if (node == NONE)
            continue;
        s->n[node].reclaimed = true;
        uint32_t lo = 0, hi = s->nold;
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            if (s->old[mid].node < node)
                lo = mid + 1;
            else
                hi = mid;
        }
        for (; lo < s->nold && s->old[lo].node == node; lo++)
            if (s->old[lo].lender.kind == LOAN_CLUSTER_QUEUE && s->old[lo].lender.name == r->preemptor)
                s->old[lo].give_up = true;
    }
}

/* ---- paths ---------------------------------------------------------------------------------------------------------------- */

static uint32_t common(const struct settle *s, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (depth(s, a) >= depth(s, b))
            a = above(s, a);
        else
            b = above(s, b);
    }
    return a;
}

static amount room_to(const struct settle *s, uint32_t x, uint32_t meet)
{
    amount least = AMOUNT_UNLIMITED;
    for (; x != meet; x = above(s, x))
        least = amount_min(least, room(&s->v[x]));
    return least;
}

static void flow_to(struct settle *s, uint32_t x, uint32_t meet, amount v)
{
    for (; x != meet; x = above(s, x))
        s->v[x].flow = i64_add(s->v[x].flow, v);
}

static void load_to(struct settle *s, uint32_t x, uint32_t meet, amount v)
{
    for (; x != meet; x = above(s, x))
        s->v[x].load = i64_add(s->v[x].load, v);
}

/* Have the edges from x to `meet` that direction, and any room at all? */
static bool leads(const struct settle *s, uint32_t x, uint32_t meet, bool up)
{
    for (; x != meet; x = above(s, x))
        if (s->v[x].up != up || s->v[x].cap <= 0)
            return false;
    return true;
}

/* Where the account `unlimited` serves a borrower: needs meet it at the first cohort that it reaches, and go no further. */
static uint32_t find_unlimited(const struct settle *s, uint32_t x)
{
    for (x = above(s, x); x != NONE; x = above(s, x))
        if (s->n[x].supply == AMOUNT_UNLIMITED)
            return x;
    return NONE;
}

static uint32_t find_lender(const struct settle *s, const struct settle_old *o)
{
    bool cohort = o->lender.kind == LOAN_COHORT;
    if (o->lender.kind == LOAN_OVERDRAFT)
        return NONE;
    if (o->lender.kind == LOAN_UNLIMITED)
        return find_unlimited(s, o->node);
    uint32_t x = settle_find(s, cohort, o->lender.name);
    if (x != NONE && cohort)
        x += s->t->nnodes;
    /* A lender whose quota has become Unlimited lends under the name of that account. */
    return x == NONE || s->v[x].cap == AMOUNT_UNLIMITED ? NONE : x;
}

static void locate(struct settle *s, struct settle_old *o)
{
    o->kept = 0;
    o->crossed = 0;
    o->source = find_lender(s, o);
    o->tight = o->source == NONE;
    if (o->source == NONE)
        return;
    o->meet = common(s, o->source, o->node);
    if (leads(s, o->source, o->meet, true) && leads(s, o->node, o->meet, false))
        return;
    o->tight = !s->v[o->source].up || s->v[o->source].cap < o->amount;
    o->source = NONE;
}

/* ---- what can stay -------------------------------------------------------------------------------------------------------- */

enum { CROSSED_UP = 1, CROSSED_DOWN = 2 };

static void cross(const struct settle *s, struct settle_old *o, uint32_t x, uint8_t side)
{
    for (; x != o->meet; x = above(s, x))
        if (s->v[x].load > s->v[x].cap)
            o->crossed |= side;
}

static void keep(struct settle *s, struct settle_old *o, amount v)
{
    o->kept += v;
    flow_to(s, o->source, o->meet, v);
    flow_to(s, o->node, o->meet, v);
}

/* Near loans before far ones: with full edges in one direction only, that alone keeps the most. Then what is not reclaimed, then
 * the oldest. */
static int compare_contenders(const void *ctx, uint32_t x, uint32_t y)
{
    const struct settle *s = ctx;
    const struct settle_old *a = &s->old[x], *b = &s->old[y];
    uint32_t da = depth(s, a->meet), db = depth(s, b->meet);
    if (da != db)
        return da > db ? -1 : 1;
    if (a->give_up != b->give_up)
        return a->give_up ? 1 : -1;
    if (a->began != b->began)
        return a->began < b->began ? -1 : 1;
    return (x > y) - (x < y);
}

struct arc {
    uint32_t from, to;
    amount room;
    int gain;
};

/* Arcs of the residual network in which a cycle with a positive gain is a way to keep more: two for each vertex (its edge forwards and
 * backwards), two for each contender (more of it, from the borrower to the lender, and less of it). */
static struct arc get_arc(const struct settle *s, uint32_t a)
{
    uint32_t x = a / 2, nv = s->t->nnodes * 2;
    bool back = a & 1;
    struct arc r;
    if (x >= nv) {
        const struct settle_old *o = &s->old[s->order[x - nv]];
        r = (struct arc){o->node, o->source, back ? o->kept : o->amount - o->kept, back ? -1 : 1};
    } else {
        const struct settle_vertex *v = &s->v[x];
        uint32_t p = above(s, x);
        r = (struct arc){v->up ? x : p, v->up ? p : x, back ? v->flow : room(v), 0};
        if (p == NONE)
            r.room = 0;
    }
    if (back) {
        uint32_t from = r.from;
        r.from = r.to;
        r.to = from;
    }
    return r;
}

/* A vertex of a cycle of `via` arcs, NONE if there is none. */
static uint32_t find_cycle(struct settle *s)
{
    uint32_t nv = s->t->nnodes * 2;
    for (uint32_t i = 0; i < nv; i++)
        s->v[i].seen = NONE;
    for (uint32_t i = 0; i < nv; i++) {
        uint32_t x = i;
        while (s->v[x].seen == NONE && s->v[x].via != NONE) {
            s->v[x].seen = i;
            x = get_arc(s, s->v[x].via).from;
        }
        if (s->v[x].seen == i && s->v[x].via != NONE)
            return x;
        s->v[x].seen = i;
    }
    return NONE;
}

static void push_arc(struct settle *s, uint32_t a, amount v)
{
    uint32_t nv = s->t->nnodes * 2;
    amount *p = a / 2 < nv ? &s->v[a / 2].flow : &s->old[s->order[a / 2 - nv]].kept;
    *p = a & 1 ? *p - v : *p + v;
}

static void push_cycle(struct settle *s, uint32_t start)
{
    amount least = AMOUNT_UNLIMITED - 1;
    uint32_t x = start;
    do {
        struct arc a = get_arc(s, s->v[x].via);
        least = amount_min(least, a.room);
        x = a.from;
    } while (x != start);
    do {
        uint32_t from = get_arc(s, s->v[x].via).from;
        push_arc(s, s->v[x].via, least);
        x = from;
    } while (x != start);
}

static bool relax(struct settle *s, uint32_t narcs)
{
    bool changed = false;
    for (uint32_t i = 0; i < narcs; i++) {
        struct arc a = get_arc(s, i);
        if (a.room <= 0 || s->v[a.from].gain + a.gain <= s->v[a.to].gain)
            continue;
        s->v[a.to].gain = s->v[a.from].gain + a.gain;
        s->v[a.to].via = i;
        changed = true;
    }
    return changed;
}

static void forget_search(struct settle *s)
{
    for (uint32_t i = 0; i < s->t->nnodes * 2; i++) {
        s->v[i].gain = 0;
        s->v[i].via = NONE;
    }
}

/* Bellman and Ford's way to positive cycles, until there are none. Every loan crosses each edge in its one direction, so that the
 * matrix of loans and edges is a network matrix and whole numbers reach the true maximum. */
static void search(struct settle *s, uint32_t ncontenders)
{
    uint32_t narcs = (s->t->nnodes * 2 + ncontenders) * 2;
    forget_search(s);
    for (uint64_t steps = 0; steps < SETTLE_STEPS; steps += narcs) {
        if (!relax(s, narcs))
            return;
        uint32_t x = find_cycle(s);
        if (x == NONE)
            continue;
        push_cycle(s, x);
        forget_search(s);
    }
}

/* Keeping the nearest first may miss the most only where loans compete on both sides. */
static bool search_needed(const struct settle *s, uint32_t ncontenders)
{
    bool cut = false, both = false;
    for (uint32_t i = 0; i < ncontenders; i++) {
        const struct settle_old *o = &s->old[s->order[i]];
        cut |= o->kept < o->amount;
        both |= o->crossed == (CROSSED_UP | CROSSED_DOWN);
    }
    return cut && both;
}

static int keep_old(struct settle *s)
{
    if (mem_grow((void **)&s->order, &s->cap_order, s->nold, sizeof *s->order))
        return ERR_NOMEM;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->nold; i++) {
        struct settle_old *o = &s->old[i];
        locate(s, o);
        if (o->source == NONE)
            continue;
        load_to(s, o->source, o->meet, o->amount);
        load_to(s, o->node, o->meet, o->amount);
    }
    for (uint32_t i = 0; i < s->nold; i++) {
        struct settle_old *o = &s->old[i];
        if (o->source == NONE)
            continue;
        cross(s, o, o->source, CROSSED_UP);
        cross(s, o, o->node, CROSSED_DOWN);
        o->tight = s->v[o->source].load > s->v[o->source].cap && o->lender.kind != LOAN_UNLIMITED;
        if (o->crossed)
            s->order[n++] = i;
        else
            keep(s, o, o->amount);
    }
    settle_sort(s->order, n, compare_contenders, s);
    for (uint32_t i = 0; i < n; i++) {
        struct settle_old *o = &s->old[s->order[i]];
        keep(s, o,
             amount_min(o->amount, amount_min(room_to(s, o->source, o->meet), room_to(s, o->node, o->meet))));
    }
    if (search_needed(s, n))
        search(s, n);
    for (uint32_t i = 0; i < s->nold; i++)
        s->n[s->old[i].node].left -= s->old[i].kept;
    return 0;
}

/* ---- new parts ------------------------------------------------------------------------------------------------------------ */

static struct loan_lender lender_of(const struct settle *s, uint32_t x)
{
    uint32_t nn = s->t->nnodes;
    if (s->v[x].cap == AMOUNT_UNLIMITED)
        return (struct loan_lender){LOAN_UNLIMITED, 0};
    return (struct loan_lender){x < nn ? LOAN_CLUSTER_QUEUE : LOAN_COHORT,
                                s->t->nodes[x < nn ? x : x - nn].name};
}

/* Does lender a come before b: more left, then by name? */
static bool before(const struct settle *s, uint32_t a, uint32_t b)
{
    amount ra = room(&s->v[a]), rb = room(&s->v[b]);
    if (ra != rb)
        return ra > rb;
    uint32_t nn = s->t->nnodes;
    uint32_t na = s->t->nodes[a < nn ? a : a - nn].name, nb = s->t->nodes[b < nn ? b : b - nn].name;
    int order = na == nb ? 0 : strcmp(names_text(s->names, na), names_text(s->names, nb));
    return order ? order < 0 : a < b;
}

static uint32_t rank(const struct settle *s, uint32_t x)
{
    return x == NONE ? 0 : s->v[x].rank;
}

/* Leftist heaps: the right spine, which is what this walks, has logarithmic length. */
static uint32_t heap_merge(struct settle *s, uint32_t a, uint32_t b)
{
    if (a == NONE || b == NONE)
        return a == NONE ? b : a;
    if (before(s, b, a)) {
        uint32_t x = a;
        a = b;
        b = x;
    }
    struct settle_vertex *v = &s->v[a];
    v->right = heap_merge(s, v->right, b);
    if (rank(s, v->left) < rank(s, v->right)) {
        uint32_t x = v->left;
        v->left = v->right;
        v->right = x;
    }
    v->rank = rank(s, v->right) + 1;
    return a;
}

static void heap_add(struct settle *s, uint32_t node, uint32_t x)
{
    s->v[x].left = s->v[x].right = NONE;
    s->v[x].rank = 1;
    s->n[node].heap = heap_merge(s, s->n[node].heap, x);
}

static void heap_pop(struct settle *s, uint32_t node)
{
    const struct settle_vertex *v = &s->v[s->n[node].heap];
    s->n[node].heap = heap_merge(s, v->left, v->right);
}

static void pop_borrower(struct settle_node *n, const struct settle *s)
{
    n->first = s->n[n->first].next;
    if (n->first == NONE)
        n->last = NONE;
}

static int add_fresh(struct settle *s, uint32_t node, struct loan_lender lender, amount v)
{
    if (mem_grow((void **)&s->fresh, &s->cap_fresh, s->nfresh + 1, sizeof *s->fresh))
        return ERR_NOMEM;
    s->fresh[s->nfresh++] = (struct settle_new){node, lender, v};
    return 0;
}

/* What is left below a cohort meets. Who finds no way up to here will find none further up. */
static int fill(struct settle *s, uint32_t cohort)
{
    struct settle_node *n = &s->n[cohort];
    while (n->first != NONE && n->heap != NONE) {
        uint32_t b = n->first, l = n->heap;
        amount want = amount_min(s->n[b].left, room_to(s, b, cohort));
        if (want <= 0) {
            pop_borrower(n, s);
            continue;
        }
        amount have = room_to(s, l, cohort);
        if (have <= 0) {
            heap_pop(s, cohort);
            continue;
        }
        amount v = amount_min(want, have);
        if (add_fresh(s, b, lender_of(s, l), v))
            return ERR_NOMEM;
        s->n[b].left -= v;
        flow_to(s, b, cohort, v);
        heap_pop(s, cohort);
        flow_to(s, l, cohort, v);
        heap_add(s, cohort, l);
    }
    return 0;
}

/* Nodes come from the last to the first, so the lists are put in front of what is there already. */
static void hand_up(struct settle *s, uint32_t i)
{
    uint32_t parent = s->t->nodes[i].parent;
    struct settle_node *n = &s->n[i];
    if (parent == NONE)
        return;
    struct settle_node *p = &s->n[parent];
    p->heap = heap_merge(s, p->heap, n->heap);
    if (n->first == NONE)
        return;
    s->n[n->last].next = p->first;
    if (p->last == NONE)
        p->last = n->last;
    p->first = n->first;
}

static int fill_all(struct settle *s)
{
    for (uint32_t i = s->t->nnodes; i-- > 0;) {
        if (s->t->nodes[i].cq == NONE) {
            if (room(&s->v[s->t->nnodes + i]) > 0)
                heap_add(s, i, s->t->nnodes + i);
            if (fill(s, i))
                return ERR_NOMEM;
        } else if (s->n[i].left > 0) {
            s->n[i].first = s->n[i].last = i;
        } else if (s->v[i].up && room(&s->v[i]) > 0) {
            heap_add(s, i, i);
        }
        hand_up(s, i);
    }
    return 0;
}

/* Law 2. */
static int owe(struct settle *s)
{
    for (uint32_t i = 0; i < s->nold; i++) {
        struct settle_old *o = &s->old[i];
        if (o->lender.kind != LOAN_OVERDRAFT)
            continue;
        o->kept = amount_min(o->amount, s->n[o->node].left);
        s->n[o->node].left -= o->kept;
    }
    for (uint32_t i = 0; i < s->t->nnodes; i++)
        if (s->n[i].left > 0 && add_fresh(s, i, (struct loan_lender){LOAN_OVERDRAFT, 0}, s->n[i].left))
            return ERR_NOMEM;
    return 0;
}

static int compare_fresh(const void *ctx, uint32_t x, uint32_t y)
{
    const struct settle *s = ctx;
    const struct settle_new *a = &s->fresh[x], *b = &s->fresh[y];
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    int order = loan_lender_compare(s->names, a->lender, b->lender);
    return order ? order : (x > y) - (x < y);
}

/* New parts from a lender that the borrower has already join that loan. */
static void join(struct settle *s)
{
    uint32_t n = 0, j = 0;
    for (uint32_t i = 0; i < s->nfresh; i++) {
        const struct settle_new *f = &s->fresh[s->order[i]];
        while (j < s->nold &&
               (s->old[j].node < f->node || (s->old[j].node == f->node &&
                                             loan_lender_compare(s->names, s->old[j].lender, f->lender) < 0)))
            j++;
        struct settle_new *last = n ? &s->fresh[s->order[n - 1]] : NULL;
        if (j < s->nold && s->old[j].node == f->node &&
            !loan_lender_compare(s->names, s->old[j].lender, f->lender))
            s->old[j].kept += f->amount;
        else if (last && last->node == f->node && !loan_lender_compare(s->names, last->lender, f->lender))
            last->amount += f->amount;
        else
            s->order[n++] = s->order[i];
    }
    s->nfresh = n;
}

int settle_run(struct settle *s)
{
    memset(s->v, 0, (size_t)s->t->nnodes * 2 * sizeof *s->v);
    net(s);
    if (keep_old(s) || fill_all(s) || owe(s) ||
        mem_grow((void **)&s->order, &s->cap_order, s->nfresh, sizeof *s->order))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->nfresh; i++)
        s->order[i] = i;
    settle_sort(s->order, s->nfresh, compare_fresh, s);
    join(s);
    return 0;
}
