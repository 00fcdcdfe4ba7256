/* One look at the world: one pass over the ClusterQueues, those who hold quota and those who wait. */
#include "run/meter_priv.h"

#include "base/mem.h"
#include "core/assign.h"
#include "core/pairs.h"
#include "core/queue_view.h"
#include "core/tree.h"

#include <string.h>

struct look {
    struct meter *m;
    struct meter_view *v;
    struct pairs lqs; /* (namespace, name) -> place in the view */
};

/* A zeroed item at the end of an array; NULL, and noted, when memory is short. */
static void *append(struct look *l, void **array, uint32_t *n, uint32_t *cap, size_t size)
{
    if (mem_grow(array, cap, *n + 1, size)) {
        l->v->failed = true;
        return NULL;
    }
    char *item = (char *)*array + (*n)++ * size;
    memset(item, 0, size);
    return item;
}

/* ---- ClusterQueues ----------------------------------------------------------------------------------------------------------- */

static void list_uses(struct look *l, struct view_cq *q)
{
    struct meter_view *v = l->v;
    const struct tree *t = q->v.tree;

    q->first_use = v->nuses;
    for (uint32_t col = 0; t && col < t->ncols; col++) {
        const struct cell *c = tree_cell(t, q->v.node, col);
        if (!c->own)
            continue;
        struct view_use *u = append(l, (void **)&v->uses, &v->nuses, &v->cap_uses, sizeof(struct view_use));
        if (!u)
            return;
        struct pair_names p = world_pair(v->w, t->fr[col]);
        u->fr = t->fr[col];
        u->flavor = p.flavor;
        u->resource = p.resource;
        u->nominal = c->nominal;
        u->borrowing = c->has_borrowing ? c->borrowing : AMOUNT_UNLIMITED;
        u->lending = c->has_lending ? c->lending : AMOUNT_UNLIMITED;
        q->nuses++;
    }
}

static void list_cqs(struct look *l)
{
    struct meter_view *v = l->v;
    uint32_t n, total = world_cq_count(v->w);
    const uint32_t *order = world_cq_order(v->w, &n);

    v->cqs = mem_zalloc(n + 1, sizeof(*v->cqs));
    v->place_of_cq = mem_alloc((total + 1) * sizeof(uint32_t));
    if (!v->cqs || !v->place_of_cq) {
        v->failed = true;
        return;
    }
    memset(v->place_of_cq, 0xff, (total + 1) * sizeof(uint32_t)); /* NONE */
    for (uint32_t i = 0; i < n; i++) {
        struct view_cq *q = &v->cqs[v->ncqs];
        q->v = world_cq(v->w, order[i]);
        if (!q->v.exists)
            continue;
        q->index = order[i];
        v->place_of_cq[order[i]] = v->ncqs++;
        list_uses(l, q);
    }
}

/* ---- equivalence classes ----------------------------------------------------------------------------------------------------- */

static bool room_for_classes(struct meter *m, uint32_t total)
{
    uint32_t before = m->cap_classes;

    if (total <= before)
        return true;
    if (mem_grow((void **)&m->classes, &m->cap_classes, total, sizeof(*m->classes)))
        return false;
    memset(m->classes + before, 0, (m->cap_classes - before) * sizeof(*m->classes));
    return true;
}

/* Counts those anew whose queue changed, as many as METER_SORTED_MAX allows: the others are as they were, and their turn comes first the
 * next time. */
static void count_classes(struct look *l)
{
    struct meter *m = l->m;
    struct meter_view *v = l->v;
    uint32_t sorted = 0, n = v->ncqs, from = n ? m->next_class % n : 0;

    if (!room_for_classes(m, world_cq_count(v->w))) {
        v->failed = true;
        return;
    }
    for (uint32_t k = 0; k < n; k++) {
        struct view_cq *q = &v->cqs[(from + k) % n];
        struct meter_classes *c = &m->classes[q->index];
        uint64_t state = world_cq_queue_state(v->w, q->index);
        uint32_t pending = q->v.npending_active + q->v.npending_inadmissible;
        bool fresh = c->known && c->state == state;
        if (!fresh && (sorted == 0 || sorted + pending <= METER_SORTED_MAX)) {
            sorted += pending;
            if (!queue_view_classes(v->w, q->index, &c->counts))
                *c = (struct meter_classes){state, true, c->counts};
            m->next_class = (from + k + 1) % n;
        }
        q->classes = c->known ? &c->counts : NULL;
    }
}

/* ---- LocalQueues ------------------------------------------------------------------------------------------------------------- */

/* What its ClusterQueue has, with nothing in use yet. */
static void list_lq_uses(struct look *l, struct view_lq *q)
{
    struct meter_view *v = l->v;
    const struct view_cq *cq = q->cq == NONE ? NULL : &v->cqs[q->cq];

    q->first_use = v->nlq_uses;
    for (uint32_t i = 0; cq && i < cq->nuses; i++) {
        struct view_use *u =
            append(l, (void **)&v->lq_uses, &v->nlq_uses, &v->cap_lq_uses, sizeof(struct view_use));
        if (!u)
            return;
        *u = v->uses[cq->first_use + i];
        u->reserved = u->admitted = 0;
        q->nuses++;
    }
}

static void add_lq(const struct meter_local_queue *q, void *x)
{
    struct look *l = x;
    struct meter_view *v = l->v;
    struct names *names = world_names(v->w);
    uint32_t ns, name, id, cq = world_cq_find(v->w, q->cluster_queue);

    if (!q->counted || v->failed)
        return;
    if (names_id(names, q->ns, &ns) || names_id(names, q->name, &name) || pairs_id(&l->lqs, ns, name, &id)) {
        v->failed = true;
        return;
    }
    if (id < v->nlqs)
        return; /* named twice */
    struct view_lq *row = append(l, (void **)&v->lqs, &v->nlqs, &v->cap_lqs, sizeof(*row));
    if (!row)
        return;
    row->q = *q;
    row->cq = cq == NONE ? NONE : v->place_of_cq[cq];
    list_lq_uses(l, row);
}

static struct view_lq *lq_of(const struct look *l, const struct wl *wl)
{
    uint32_t id = pairs_find(&l->lqs, wl->ns, wl->queue);
    return id < l->v->nlqs ? &l->v->lqs[id] : NULL;
}

/* ---- Workloads --------------------------------------------------------------------------------------------------------------- */

static void add_use(struct view_use *list, uint32_t n, const struct slot *s, bool admitted)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].fr != s->fr)
            continue;
        list[i].reserved = amount_add(list[i].reserved, s->amount);
        if (admitted)
            list[i].admitted = amount_add(list[i].admitted, s->amount);
        return;
    }
}

static void add_holder(struct look *l, uint32_t place, const struct wl *wl)
{
    struct meter_view *v = l->v;
    struct view_cq *cq = &v->cqs[place];
    struct view_lq *lq = lq_of(l, wl);

    if (lq && lq->cq != place)
        lq = NULL;
    if (lq) {
        lq->reserving++;
        lq->admitted += wl->marks.admitted;
    }
    for (uint32_t p = 0; p < wl->npod_sets; p++)
        for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[p].first + k];
            add_use(v->uses + cq->first_use, cq->nuses, s, wl->marks.admitted);
            if (lq)
                add_use(v->lq_uses + lq->first_use, lq->nuses, s, wl->marks.admitted);
        }
}

static struct view_asked *asked_of(struct look *l, uint32_t first, uint32_t place, uint32_t res)
{
    struct meter_view *v = l->v;

    for (uint32_t i = first; i < v->nasked; i++)
        if (v->asked[i].res == res)
            return &v->asked[i];
    struct view_asked *a = append(l, (void **)&v->asked, &v->nasked, &v->cap_asked, sizeof(*a));
    if (a)
        *a = (struct view_asked){place, res, 0};
    return a;
}

static void add_asked(struct look *l, uint32_t first, uint32_t place, const struct wl *wl)
{
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].shape->nreq; k++) {
            const struct req *r = &wl->pod_sets[i].shape->req[k];
            struct view_asked *a = asked_of(l, first, place, r->res);
            if (a)
                a->sum = amount_add(a->sum, i64_mul(r->amount, pod_set_count(l->v->w, &wl->pod_sets[i])));
        }
}

static void walk_pending(struct look *l, uint32_t place, uint32_t first, bool inadmissible)
{
    const struct view_cq *cq = &l->v->cqs[place];

    for (struct wl *wl = world_pending_first(l->v->w, cq->index, inadmissible); wl;
         wl = world_pending_next(wl)) {
        struct view_lq *lq = l->v->nlqs ? lq_of(l, wl) : NULL;
        if (lq && (inadmissible || cq->v.state != CQ_ACTIVE))
            lq->inadmissible++;
        else if (lq)
            lq->active++;
        if (l->m->cfg.cluster_queue_resources)
            add_asked(l, first, place, wl);
    }
}

static void walk(struct look *l)
{
    struct meter_view *v = l->v;

    for (uint32_t i = 0; i < v->ncqs; i++) {
        uint32_t n, first = v->nasked;
        struct wl *const *holders = world_cq_holders(v->w, v->cqs[i].index, &n);
        for (uint32_t k = 0; k < n; k++)
            add_holder(l, i, holders[k]);
        for (uint32_t k = 0; l->m->cfg.cluster_queue_resources && k < v->cqs[i].nuses; k++)
            (void)asked_of(l, first, i,
                           names_find(world_names(v->w), v->uses[v->cqs[i].first_use + k].resource));
        walk_pending(l, i, first, false);
        walk_pending(l, i, first, true);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

void meter_look(struct meter *m)
{
    struct look l = {.m = m, .v = &m->view};
    const struct meter_source *s = &m->source;
    struct err err;

    m->view = (struct meter_view){.w = s->world(s->arg)};
    if (s->state)
        s->state(s->arg, &m->view.state);
    m->view.failed = world_settle(m->view.w, &err) != 0;
    pairs_init(&l.lqs);
    if (!m->view.failed)
        list_cqs(&l);
    if (!m->view.failed)
        count_classes(&l);
    if (!m->view.failed && m->cfg.local_queues && s->local_queues)
        s->local_queues(s->arg, add_lq, &l);
    if (!m->view.failed && (m->cfg.local_queues || m->cfg.cluster_queue_resources))
        walk(&l);
    pairs_free(&l.lqs);
}

void meter_look_end(struct meter *m)
{
    struct meter_view *v = &m->view;

    mem_free(v->cqs);
    mem_free(v->lqs);
    mem_free(v->uses);
    mem_free(v->lq_uses);
    mem_free(v->asked);
    mem_free(v->place_of_cq);
    *v = (struct meter_view){0};
}
