#include "core/queue_view.h"

#include "base/mem.h"
#include "core/assign.h"
#include "core/shape.h"
#include "core/world_priv.h"

#include <stdlib.h>
#include <string.h>

/* The two trees and the Workload in flight as one sequence in order. */
struct merge {
    struct wl *next[3];
};

static struct merge merge_begin(const struct world *w, uint32_t cq)
{
    return (struct merge){
        {world_pending_first(w, cq, false), world_pending_first(w, cq, true), w->cqs[cq]->pending.inflight}};
}

static struct wl *merge_next(struct merge *m)
{
    int best = -1;
    for (int i = 0; i < 3; i++)
        if (m->next[i] && (best < 0 || wl_compare(m->next[i], m->next[best]) < 0))
            best = i;
    if (best < 0)
        return NULL;
    struct wl *wl = m->next[best];
    m->next[best] = best == 2 ? NULL : world_pending_next(wl);
    return wl;
}

/* ---- places --------------------------------------------------------------------------------------------- */

static int64_t clamp(int64_t v, int64_t max)
{
    return v < 0 ? 0 : v > max ? max : v;
}

static uint32_t count_pending(const struct world *w, uint32_t cq)
{
    const struct pending *p = &w->cqs[cq]->pending;
    return p->nactive + p->ninadmissible + (p->inflight != NULL);
}

int queue_view_places(const struct world *w, const struct place_query *q, struct place **ret, uint32_t *ret_n)
{
    uint32_t total = count_pending(w, q->cq), place = 0, n = 0;
    int64_t offset = clamp(q->offset, total), limit = clamp(q->limit, QUEUE_VIEW_MAX), seen = 0;
    uint32_t only =
        q->lq ? pairs_find(&w->lqs, names_find(w->names, q->ns), names_find(w->names, q->lq)) : NONE;
    *ret = NULL;
    *ret_n = 0;
    uint32_t room = (uint32_t)clamp(limit, total - offset);
    if (room == 0 || (q->lq && only == NONE))
        return 0;
    uint32_t *in_lq = mem_zalloc(w->lqs.n + 1, sizeof(*in_lq));
    struct place *places = mem_alloc(room * sizeof(*places));
    if (!in_lq || !places) {
        mem_free(in_lq);
        mem_free(places);
        return ERR_NOMEM;
    }
    struct merge m = merge_begin(w, q->cq);
    for (struct wl *wl; n < room && (wl = merge_next(&m)); place++) {
        uint32_t own = in_lq[wl->lq]++;
        if ((!q->lq || wl->lq == only) && seen++ >= offset)
            places[n++] = (struct place){wl, place, own};
    }
    mem_free(in_lq);
    *ret = places;
    *ret_n = n;
    return 0;
}

/* ---- sums ------------------------------------------------------------------------------------------------- */

amount queue_view_asked(const struct world *w, uint32_t cq, const char *resource)
{
    uint32_t res = names_find(w->names, resource);
    amount sum = 0;
    struct merge m = merge_begin(w, cq);
    for (const struct wl *wl; (wl = merge_next(&m));)
        for (uint32_t i = 0; i < wl->npod_sets; i++)
            for (uint32_t k = 0; k < wl->pod_sets[i].shape->nreq; k++) {
                const struct req *r = &wl->pod_sets[i].shape->req[k];
                if (r->res == res)
                    sum = amount_add(sum, i64_mul(r->amount, pod_set_count(w, &wl->pod_sets[i])));
            }
    return sum;
}

/* ---- equivalence classes ------------------------------------------------------------------------------------ */

struct class
{
    uint64_t v[2];
};

static int compare_classes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct class));
}

/* How many different ones; sorts them. */
static uint32_t count_different(struct class *c, uint32_t n)
{
    uint32_t different = 0;
    qsort(c, n, sizeof(*c), compare_classes);
    for (uint32_t i = 0; i < n; i++)
        different += i == 0 || compare_classes(&c[i - 1], &c[i]) != 0;
    return different;
}

static uint32_t collect(struct class *c, uint32_t n, struct wl *first)
{
    for (const struct wl *wl = first; wl; wl = world_pending_next((struct wl *)wl))
        memcpy(&c[n++], wl->class, sizeof(*c));
    return n;
}

int queue_view_classes(const struct world *w, uint32_t cq, struct class_counts *ret)
{
    const struct wl *inflight = w->cqs[cq]->pending.inflight;
    *ret = (struct class_counts){0};
    if (!gate_on(&w->gates, GATE_EQUIVALENCE_HASHING))
        return 0;
    struct class *c = mem_alloc((count_pending(w, cq) + 1) * sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    uint32_t nactive = collect(c, 0, world_pending_first(w, cq, false));
    if (inflight)
        memcpy(&c[nactive++], inflight->class, sizeof(*c));
    uint32_t n = collect(c, nactive, world_pending_first(w, cq, true));
    ret->active = count_different(c, nactive);
    ret->inadmissible = count_different(c + nactive, n - nactive);
    ret->all = count_different(c, n);
    mem_free(c);
    return 0;
}
