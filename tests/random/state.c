/* A world as text, and two worlds compared: the half of invariants.h that does not judge. */
#include "random/invariants.h"

#include "core/world_priv.h"

#include <string.h>

/* ---- the same trees ------------------------------------------------------------------------------------------------------------- */

static const char *text_of(const struct world *w, uint32_t name)
{
    return names_text(w->names, name);
}

/* The cell of the other tree for the same node and pair; NULL if that tree does not know the pair. */
static const struct cell *cell_by_name(const struct world *w, const struct tree *t, uint32_t node,
                                       struct pair_names p)
{
    uint32_t fr = world_find_pair(w, p.flavor, p.resource);
    uint32_t col = fr == NONE ? TREE_NONE : tree_col(t, fr);
    return col == TREE_NONE ? NULL : tree_cell(t, node, col);
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
    static const struct cell zero;
    if (!b) /* a pair that only holders once had: the other tree was built without it */
        return !a->own && !a->declared && memcmp(&a->quota, &zero.quota, sizeof a->quota) == 0 &&
               a->usage == 0;
    return a->nominal == b->nominal && a->has_borrowing == b->has_borrowing &&
           a->has_lending == b->has_lending && (!a->has_borrowing || a->borrowing == b->borrowing) &&
           (!a->has_lending || a->lending == b->lending) && a->quota == b->quota &&
           a->private_quota == b->private_quota && a->potential == b->potential && a->usage == b->usage &&
           a->declared == b->declared && a->own == b->own;
}

static bool same_tree(const struct world *a, const struct world *b, const struct tree *x,
                      const struct tree *y, struct str *why)
{
    if (x->nnodes != y->nnodes) {
        str_addf(why, "tree %s has %u nodes, built anew %u", text_of(a, x->nodes[0].name), x->nnodes,
                 y->nnodes);
        return false;
    }
    for (uint32_t n = 0; n < x->nnodes; n++) {
        const struct tree_node *p = &x->nodes[n], *q = &y->nodes[n];
        const char *name = text_of(a, p->name);
        if (strcmp(name, text_of(b, q->name)) != 0 || p->parent != q->parent || p->end != q->end ||
            p->depth != q->depth || p->height != q->height || p->active != q->active ||
            p->weight != q->weight || (p->cq == TREE_NONE) != (q->cq == TREE_NONE)) {
            str_addf(why, "node %s is another one when built anew", name);
            return false;
        }
        for (uint32_t col = 0; col < x->ncols; col++) {
            struct pair_names pair = world_pair(a, x->fr[col]);
            if (!same_cell(tree_cell(x, n, col), cell_by_name(b, y, n, pair))) {
                str_addf(why, "%s %s/%s differs when built anew", name, pair.flavor, pair.resource);
                return false;
            }
        }
    }
    return true;
}

bool invariants_same_trees(const struct world *a, const struct world *b, struct str *why)
{
    uint32_t i = 0;
    for (; world_tree(a, i) && world_tree(b, i); i++)
        if (!same_tree(a, b, world_tree(a, i), world_tree(b, i), why) ||
            !same_tree(b, a, world_tree(b, i), world_tree(a, i), why))
            return false;
    if (!world_tree(a, i) && !world_tree(b, i))
        return true;
    str_add(why, "another number of trees when built anew");
    return false;
}

/* ---- text ----------------------------------------------------------------------------------------------------------------------- */

static void print_scan(struct str *out, const struct wl *wl)
{
    if (!wl_scan_unfinished(wl))
        return;
    str_addc(out, '@');
    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++)
            str_addf(out, "%d,", wl->tried[wl->pod_sets[i].first + k]);
}

static void print_bucket(struct str *out, const struct world *w, uint32_t cq, bool inadmissible)
{
    str_add(out, inadmissible ? " inadmissible" : " active");
    for (struct wl *wl = world_pending_first(w, cq, inadmissible); wl; wl = world_pending_next(wl)) {
        str_addf(out, " %s%s", wl->key, wl->marks.requeued_false ? "-" : "");
        print_scan(out, wl);
    }
}

/* Holders by key: the list itself has no order. */
static const struct wl *next_holder(const struct cluster_queue *cq, const struct wl *prev)
{
    const struct wl *best = NULL;
    for (uint32_t i = 0; i < cq->nholders; i++)
        if ((!prev || strcmp(cq->holders[i]->key, prev->key) > 0) &&
            (!best || strcmp(cq->holders[i]->key, best->key) < 0))
            best = cq->holders[i];
    return best;
}

static void print_holders(struct str *out, const struct world *w, const struct cluster_queue *cq)
{
    str_add(out, " holders");
    for (const struct wl *wl = next_holder(cq, NULL); wl; wl = next_holder(cq, wl)) {
        str_addf(out, " %s%s%s", wl->key, wl->marks.evicted ? "!" : "", wl->expected ? "?" : "");
        for (uint32_t i = 0; i < wl->npod_sets; i++)
            for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
                const struct slot *s = &wl->slots[wl->pod_sets[i].first + k];
                if (s->fr != NONE)
                    str_addf(out, ",%s=%s*%lld", text_of(w, s->res), world_pair(w, s->fr).flavor,
                             (long long)s->amount);
            }
    }
}

static const struct cluster_queue *next_cq(const struct world *w, const struct cluster_queue *prev,
                                           uint32_t *ret_index)
{
    const struct cluster_queue *best = NULL;
    for (uint32_t i = 0; i < w->ncqs; i++) {
        const struct cluster_queue *cq = w->cqs[i];
        if (!cq->exists || (prev && strcmp(text_of(w, cq->name), text_of(w, prev->name)) <= 0) ||
            (best && strcmp(text_of(w, cq->name), text_of(w, best->name)) >= 0))
            continue;
        best = cq;
        *ret_index = i;
    }
    return best;
}

void invariants_print(const struct world *w, struct str *out)
{
    uint32_t i = 0;
    for (const struct cluster_queue *cq = next_cq(w, NULL, &i); cq; cq = next_cq(w, cq, &i)) {
        const struct wl *sticky = world_cq_sticky(w, i);
        str_addf(out, "%s sticky %s parked %u", text_of(w, cq->name), sticky ? sticky->key : "-",
                 cq->pending.nparked);
        print_bucket(out, w, i, false);
        print_bucket(out, w, i, true);
        print_holders(out, w, cq);
        str_addc(out, '\n');
    }
}
