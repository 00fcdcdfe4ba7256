/* Builds the quota trees from ClusterQueues and cohorts (engine.md 3.1, 9.7). A change of any quota or parent rebuilds them before
 * the next cycle; usage is taken from the accounted Workloads, so nothing can drift. */
#include "core/world_priv.h"

#include "base/mem.h"

#include <string.h>

/* Scratch of one rebuild, in w->scratch. */
struct builder {
    struct world *w;
    uint32_t *cohorts; /* indexes in name order */
    uint32_t *parent;  /* cohort -> cohort, NONE = root */
    bool *cyclic;
    uint32_t *first_child, *next_child; /* cohorts, by name */
    uint32_t *first_cq, *next_cq;       /* ClusterQueues of a cohort, by name */
    uint32_t *seen;                     /* pair -> number of the tree that lists it */
    uint32_t *frs, *res;                /* of the tree being built */
    uint32_t *tmp; /* for sorting them: once there are trees, nothing here may bail and lose them */
    uint32_t nfrs, nres;
    struct tree **trees;
    uint32_t ntrees;
};

static int by_name(const struct world *w, uint32_t a, uint32_t b)
{
    return strcmp(names_text(w->names, a), names_text(w->names, b));
}

/* Insertion into nearly sorted input is what a rebuild mostly sees; merge sort keeps the worst case in bounds. */
static void sort_ids(const struct world *w, uint32_t *v, uint32_t *tmp, uint32_t n,
                     uint32_t (*name)(const struct world *, uint32_t))
{
    if (n < 2)
        return;
    uint32_t half = n / 2, i = 0, j = half;
    sort_ids(w, v, tmp, half, name);
    sort_ids(w, v + half, tmp, n - half, name);
    for (uint32_t k = 0; k < n; k++)
        tmp[k] = j == n || (i < half && by_name(w, name(w, v[i]), name(w, v[j])) <= 0) ? v[i++] : v[j++];
    memcpy(v, tmp, n * sizeof *v);
}

static uint32_t cq_name(const struct world *w, uint32_t i)
{
    return w->cqs[i]->name;
}

static uint32_t cohort_name(const struct world *w, uint32_t i)
{
    return w->cohorts[i].name;
}

static uint32_t own_name(const struct world *w, uint32_t i)
{
    (void)w;
    return i;
}

static uint32_t *new_ids(struct builder *b, uint32_t n, int fill)
{
    uint32_t *p = arena_need(&b->w->scratch, (n + 1) * sizeof *p);
    memset(p, fill, (n + 1) * sizeof *p);
    return p;
}

static int order_cqs(struct builder *b)
{
    struct world *w = b->w;
    if (mem_grow((void **)&w->cq_order, &w->cap_cq_order, w->ncqs + 1, sizeof *w->cq_order))
        return ERR_NOMEM;
    w->ncq_order = 0;
    for (uint32_t i = 0; i < w->ncqs; i++)
        if (w->cqs[i]->exists)
            w->cq_order[w->ncq_order++] = i;
    sort_ids(w, w->cq_order, new_ids(b, w->ncqs, 0), w->ncq_order, cq_name);
    return 0;
}

/* A cohort whose parents repeat is cyclic, and so is one that only points into a cycle (9.7). */
static void find_parents(struct builder *b)
{
    struct world *w = b->w;
    for (uint32_t i = 0; i < w->ncohorts; i++) {
        uint32_t p = w->cohorts[i].parent;
        b->parent[i] = p ? idmap_get(&w->cohort_of, p) : NONE;
    }
    for (uint32_t i = 0; i < w->ncohorts; i++) {
        uint32_t p = i, steps = 0;
        while (p != NONE && steps <= w->ncohorts) {
            p = b->parent[p];
            steps++;
        }
        b->cyclic[i] = p != NONE;
    }
}

/* Children in name order: going backwards through the names and pushing in front. */
static void link_children(struct builder *b)
{
    struct world *w = b->w;
    for (uint32_t i = w->ncohorts; i-- > 0;) {
        uint32_t c = b->cohorts[i], p = b->parent[c];
        if (p == NONE || b->cyclic[c])
            continue;
        b->next_child[c] = b->first_child[p];
        b->first_child[p] = c;
    }
    for (uint32_t i = w->ncq_order; i-- > 0;) {
        uint32_t c = w->cq_order[i],
                 co = w->cqs[c]->cohort ? idmap_get(&w->cohort_of, w->cqs[c]->cohort) : NONE;
        if (co == NONE || b->cyclic[co])
            continue;
        b->next_cq[c] = b->first_cq[co];
        b->first_cq[co] = c;
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------------------------- */

static void note_fr(struct builder *b, uint32_t fr)
{
    if (b->seen[fr] == b->ntrees)
        return;
    b->seen[fr] = b->ntrees;
    b->frs[b->nfrs++] = fr;
}

static void note_cq(struct builder *b, const struct cluster_queue *cq)
{
    for (uint32_t i = 0; i < cq->quotas.n; i++)
        note_fr(b, cq->quotas.list[i].fr);
    for (uint32_t i = 0; i < cq->nholders; i++) {
        const struct wl *wl = cq->holders[i];
        for (uint32_t p = 0; p < wl->npod_sets; p++)
            for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++)
                if (wl->slots[wl->pod_sets[p].first + k].fr != NONE)
                    note_fr(b, wl->slots[wl->pod_sets[p].first + k].fr);
    }
}

static uint32_t note_subtree(struct builder *b, uint32_t cohort)
{
    struct world *w = b->w;
    uint32_t n = 1;
    for (uint32_t i = 0; i < w->cohorts[cohort].quotas.n; i++)
        note_fr(b, w->cohorts[cohort].quotas.list[i].fr);
    for (uint32_t c = b->first_child[cohort]; c != NONE; c = b->next_child[c])
        n += note_subtree(b, c);
    for (uint32_t c = b->first_cq[cohort]; c != NONE; c = b->next_cq[c], n++)
        note_cq(b, w->cqs[c]);
    return n;
}

static void sort_numbers(uint32_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t x = v[i], j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

static void list_resources(struct builder *b)
{
    b->nres = 0;
    for (uint32_t i = 0; i < b->nfrs; i++) {
        uint32_t res = b->w->pairs.at[b->frs[i]].b, j = 0;
        while (j < b->nres && b->res[j] != res)
            j++;
        if (j == b->nres)
            b->res[b->nres++] = res;
    }
    sort_ids(b->w, b->res, b->tmp, b->nres, own_name);
}

static struct tree *start_tree(struct builder *b, uint32_t nnodes)
{
    sort_numbers(b->frs, b->nfrs);
    list_resources(b);
    struct tree *t = tree_new(nnodes, b->nfrs, b->nres);
    if (!t)
        return NULL;
    memcpy(t->fr, b->frs, b->nfrs * sizeof *t->fr);
    memcpy(t->res_name, b->res, b->nres * sizeof *t->res_name);
    for (uint32_t i = 0; i < b->nfrs; i++)
        while (b->res[t->res_of_col[i]] != b->w->pairs.at[b->frs[i]].b)
            t->res_of_col[i]++;
    return t;
}

/* ---- nodes ----------------------------------------------------------------------------------------------------------------------- */

static void put_quotas(struct tree *t, uint32_t node, const struct quotas *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        const struct quota *s = &q->list[i];
        struct cell *c = tree_cell(t, node, tree_col(t, s->fr));
        c->nominal = s->nominal;
        c->borrowing = s->borrowing;
        c->lending = s->lending;
        c->has_borrowing = s->has_borrowing;
        c->has_lending = s->has_lending;
        c->own = true;
    }
}

static void put_cq(struct builder *b, struct tree *t, uint32_t node, uint32_t parent, uint32_t index)
{
    struct cluster_queue *cq = b->w->cqs[index];
    struct tree_node *n = &t->nodes[node];
    *n = (struct tree_node){
        .name = cq->name, .parent = parent, .end = node + 1, .cq = index, .weight = cq->weight};
    n->active = cq->state == CQ_ACTIVE && !t->cyclic;
    put_quotas(t, node, &cq->quotas);
    for (uint32_t i = 0; i < cq->nholders; i++) {
        const struct wl *wl = cq->holders[i];
        for (uint32_t p = 0; p < wl->npod_sets; p++)
            for (uint32_t k = 0; k < wl->pod_sets[p].nslots; k++) {
                const struct slot *s = &wl->slots[wl->pod_sets[p].first + k];
                if (s->fr != NONE) {
                    struct cell *c = tree_cell(t, node, tree_col(t, s->fr));
                    c->usage = amount_add(c->usage, s->amount);
                }
            }
    }
}

static uint32_t put_cohort(struct builder *b, struct tree *t, uint32_t node, uint32_t parent, uint32_t cohort)
{
    struct world *w = b->w;
    t->nodes[node] = (struct tree_node){.name = w->cohorts[cohort].name,
                                        .parent = parent,
                                        .cq = TREE_NONE,
                                        .active = true,
                                        .weight = w->cohorts[cohort].weight};
    put_quotas(t, node, &w->cohorts[cohort].quotas);
    uint32_t next = node + 1;
    for (uint32_t c = b->first_child[cohort]; c != NONE; c = b->next_child[c])
        next = put_cohort(b, t, next, node, c);
    for (uint32_t c = b->first_cq[cohort]; c != NONE; c = b->next_cq[c])
        put_cq(b, t, next++, node, c);
    t->nodes[node].end = next;
    return next;
}

static int add_tree(struct builder *b, uint32_t cohort, uint32_t cq, bool cyclic)
{
    b->nfrs = 0;
    b->ntrees++; /* also the mark of `seen` */
    uint32_t nnodes = 1;
    if (cq != NONE)
        note_cq(b, b->w->cqs[cq]);
    else
        nnodes = note_subtree(b, cohort);
    struct tree *t = start_tree(b, nnodes);
    b->trees[b->ntrees - 1] = t;
    if (!t)
        return ERR_NOMEM;
    t->cyclic = cyclic;
    if (cq != NONE)
        put_cq(b, t, 0, TREE_NONE, cq);
    else
        put_cohort(b, t, 0, TREE_NONE, cohort);
    tree_compute(t);
    return 0;
}

static int add_trees(struct builder *b)
{
    struct world *w = b->w;
    for (uint32_t i = 0; i < w->ncohorts; i++) {
        uint32_t c = b->cohorts[i];
        bool empty = b->first_child[c] == NONE && b->first_cq[c] == NONE && !w->cohorts[c].object;
        if (b->parent[c] == NONE && !b->cyclic[c] && !empty && add_tree(b, c, NONE, false))
            return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < w->ncq_order; i++) {
        uint32_t c = w->cq_order[i],
                 co = w->cqs[c]->cohort ? idmap_get(&w->cohort_of, w->cqs[c]->cohort) : NONE;
        if ((co == NONE || b->cyclic[co]) && add_tree(b, NONE, c, co != NONE))
            return ERR_NOMEM;
    }
    return 0;
}

/* ---- putting them in place ---------------------------------------------------------------------------------------------------------- */

static bool is_touched(const struct builder *b, const struct tree *t)
{
    const struct world *w = b->w;
    for (uint32_t i = 0; i < t->nnodes; i++) {
        const struct tree_node *n = &t->nodes[i];
        if (n->cq != TREE_NONE) {
            const struct cluster_queue *cq = w->cqs[n->cq];
            if (cq->touched || !cq->tree || cq->tree->dirty)
                return true;
        } else if (w->cohorts[idmap_get(&w->cohort_of, n->name)].touched) {
            return true;
        }
    }
    return false;
}

static void bind_groups(struct cluster_queue *cq)
{
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++) {
        struct group *group = &cq->quotas.groups[g];
        for (uint32_t i = 0; i < group->nflavors * group->nres; i++)
            group->col[i] = tree_col(cq->tree, group->fr[i]);
    }
}

static void install(struct builder *b)
{
    struct world *w = b->w;
    for (uint32_t i = 0; i < b->ntrees; i++) {
        struct tree *t = b->trees[i];
        t->changed = true;
        t->requota = is_touched(b, t);
        uint32_t bump = t->requota && !t->cyclic;
        for (uint32_t n = 0; n < t->nnodes; n++)
            if (t->nodes[n].cq != TREE_NONE)
                w->cqs[t->nodes[n].cq]->generation += bump;
    }
    for (uint32_t i = 0; i < w->ntrees; i++)
        tree_free(w->trees[i]);
    for (uint32_t i = 0; i < w->ncqs; i++) {
        w->cqs[i]->tree = NULL;
        w->cqs[i]->touched = false;
    }
    for (uint32_t i = 0; i < w->ncohorts; i++)
        w->cohorts[i].touched = false;
    w->ntrees = b->ntrees;
    for (uint32_t i = 0; i < b->ntrees; i++) {
        w->trees[i] = b->trees[i];
        for (uint32_t n = 0; n < w->trees[i]->nnodes; n++)
            if (w->trees[i]->nodes[n].cq != TREE_NONE) {
                struct cluster_queue *cq = w->cqs[w->trees[i]->nodes[n].cq];
                cq->tree = w->trees[i];
                cq->node = n;
                bind_groups(cq);
            }
    }
    w->trees_dirty = false;
}

static int build(struct builder *b)
{
    struct world *w = b->w;
    if (order_cqs(b) ||
        mem_grow((void **)&w->trees, &w->cap_trees, w->ncqs + w->ncohorts + 1, sizeof *w->trees))
        return ERR_NOMEM;
    b->cohorts = new_ids(b, w->ncohorts, 0);
    for (uint32_t i = 0; i < w->ncohorts; i++)
        b->cohorts[i] = i;
    sort_ids(w, b->cohorts, new_ids(b, w->ncohorts, 0), w->ncohorts, cohort_name);
    b->parent = new_ids(b, w->ncohorts, 0xff);
    b->first_child = new_ids(b, w->ncohorts, 0xff);
    b->next_child = new_ids(b, w->ncohorts, 0xff);
    b->first_cq = new_ids(b, w->ncohorts, 0xff);
    b->next_cq = new_ids(b, w->ncqs, 0xff);
    b->seen = new_ids(b, w->pairs.n, 0);
    b->frs = new_ids(b, w->pairs.n, 0);
    b->res = new_ids(b, w->pairs.n, 0);
    b->tmp = new_ids(b, w->pairs.n, 0);
    b->cyclic = ARENA_NEW(&w->scratch, bool, w->ncohorts + 1);
    b->trees = ARENA_NEW(&w->scratch, struct tree *, w->ncqs + w->ncohorts + 1);
    find_parents(b);
    link_children(b);
    return add_trees(b);
}

int forest_build(struct world *w)
{
    struct builder b = {.w = w};
    arena_reset(&w->scratch);
    jmp_buf bail;
    w->scratch.bail = &bail;
    if (setjmp(bail))
        return ERR_NOMEM;
    int rc = build(&b);
    if (rc) {
        for (uint32_t i = 0; i < b.ntrees; i++)
            tree_free(b.trees[i]);
        return rc;
    }
    install(&b);
    return 0;
}

void forest_free(struct world *w)
{
    for (uint32_t i = 0; i < w->ntrees; i++)
        tree_free(w->trees[i]);
    mem_free(w->trees);
    mem_free(w->cq_order);
}
