/* The world itself, and the configuration objects in it: made, replaced and deleted by name. */
#include "core/world_priv.h"

#include "base/mem.h"
#include "core/loans.h"
#include "core/pack.h"

#include <string.h>

static int no_memory(struct err *err, const char *kind, const char *name)
{
    return err_set(err, ERR_NOMEM, "out of memory for %s %s", kind, name);
}

struct world *world_new(void)
{
    struct world *w = mem_zalloc(1, sizeof *w);
    if (!w)
        return NULL;
    arena_init(&w->input, 1 << 12);
    arena_init(&w->scratch, 1 << 16);
    pairs_init(&w->pairs);
    pairs_init(&w->lqs);
    w->gates = gates_default();
    w->afs_changes = AFS_NOTHING_SEEN + 1;
    w->names = names_new();
    if (w->names) {
        w->requests = requests_new(w->names);
        w->shapes = shapes_new(w->names);
        w->loans = loans_new(w->names);
    }
    if (w->names && w->requests && w->shapes && w->loans && !names_id(w->names, "pods", &w->pods))
        return w;
    world_free(w);
    return NULL;
}

static void cq_free(struct cluster_queue *cq)
{
    quotas_free(&cq->quotas);
    mem_free(cq->namespaces.block);
    mem_free(cq->checks);
    mem_free(cq->holders);
    pending_free(&cq->pending);
    mem_free(cq);
}

static void free_objects(struct world *w)
{
    for (uint32_t i = 0; i < w->nflavors; i++)
        flavor_free(w->flavors[i]);
    for (uint32_t i = 0; i < w->ncqs; i++)
        cq_free(w->cqs[i]);
    for (uint32_t i = 0; i < w->ncohorts; i++)
        quotas_free(&w->cohorts[i].quotas);
    for (uint32_t i = 0; i < w->lqs.n; i++)
        afs_ledger_free(&w->local_queues[i].afs);
    for (uint32_t i = 0; i < w->nnamespaces; i++)
        mem_free(w->namespaces[i].labels);
    mem_free(w->flavors);
    mem_free(w->cqs);
    mem_free(w->cohorts);
    mem_free(w->local_queues);
    mem_free(w->namespaces);
    mem_free(w->checks);
    mem_free(w->reclaims);
}

void world_free(struct world *w)
{
    if (!w)
        return;
    while (w->workloads)
        workload_discard(w, w->workloads);
    forest_free(w);
    free_objects(w);
    struct idmap *maps[] = {&w->flavor_of, &w->cq_of, &w->cohort_of, &w->ns_of, &w->check_of, &w->topologies};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        idmap_free(maps[i]);
    pairs_free(&w->pairs);
    pairs_free(&w->lqs);
    afs_config_free(&w->afs);
    loans_free(w->loans);
    shapes_free(w->shapes);
    requests_free(w->requests);
    names_free(w->names);
    arena_free(&w->input);
    arena_free(&w->scratch);
    mem_free(w);
}

void world_search_all(struct world *w)
{
    w->searches_all = true;
}

struct names *world_names(const struct world *w)
{
    return w->names;
}

const struct gates *world_gates(const struct world *w)
{
    return &w->gates;
}

int world_configure(struct world *w, const struct fact_config *c, struct err *err)
{
    struct gates gates = gates_default();
    for (uint32_t i = 0; i < c->ngates; i++) {
        int rc = gates_set(&gates, c->gates[i].name, c->gates[i].on, err);
        if (rc)
            return rc;
    }
    int rc = requests_configure(w->requests, c, err);
    if (rc)
        return rc;
    struct fact_config afs = *c;
    afs.afs = c->afs && gate_on(&gates, GATE_ADMISSION_FAIR_SHARING);
    if (afs_configure(&w->afs, w->names, &afs))
        return err_set(err, ERR_NOMEM, "out of memory for the configuration");
    w->gates = gates;
    w->fair_sharing = c->fair_sharing;
    w->nstrategies = c->nstrategies;
    memcpy(w->strategies, c->strategies, sizeof w->strategies);
    w->block_admission = c->block_admission && !gate_on(&gates, GATE_DISABLE_WAIT_FOR_PODS_READY);
    w->requeue_by_creation = c->requeue_by_creation;
    w->ignore_undeclared = c->ignore_undeclared && gate_on(&gates, GATE_QUOTA_CHECK_STRATEGY);
    return 0;
}

/* The index of a name in a table of objects; makes room for a new one at *count (not yet counted). */
static int slot_for(struct world *w, const struct idmap *map, const char *name, void **table, uint32_t *cap,
                    uint32_t count, size_t size, uint32_t *ret_id, uint32_t *ret_index)
{
    if (names_id(w->names, name, ret_id))
        return ERR_NOMEM;
    *ret_index = idmap_get(map, *ret_id);
    if (*ret_index != NONE)
        return 0;
    *ret_index = count;
    return mem_grow(table, cap, count + 1, size);
}

/* ---- flavors, topologies, checks, namespaces --------------------------------------------------------------------------------- */

static void notify_users_of_flavor(struct world *w, uint32_t name)
{
    for (uint32_t i = 0; i < w->ncqs; i++)
        for (uint32_t g = 0; g < w->cqs[i]->quotas.ngroups; g++)
            for (uint32_t f = 0; f < w->cqs[i]->quotas.groups[g].nflavors; f++)
                if (w->cqs[i]->quotas.groups[g].flavors[f] == name)
                    w->cqs[i]->flush_wanted = true;
}

int world_put_flavor(struct world *w, const struct fact_flavor *f, struct err *err)
{
    uint32_t id, i;
    struct flavor *flavor = flavor_new(w->names, f);
    if (!flavor ||
        slot_for(w, &w->flavor_of, f->name, (void **)&w->flavors, &w->cap_flavors, w->nflavors,
                 sizeof(struct flavor *), &id, &i) ||
        idmap_put(&w->flavor_of, id, i)) {
        flavor_free(flavor);
        return no_memory(err, "ResourceFlavor", f->name);
    }
    if (i == w->nflavors)
        w->flavors[w->nflavors++] = NULL;
    struct flavor *old = w->flavors[i];
    if (old && flavor_differs(old, flavor))
        notify_users_of_flavor(w, id);
    flavor_free(old);
    w->flavors[i] = flavor;
    w->activity_dirty = true;
    return 0;
}

void world_del_flavor(struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->flavor_of, names_find(w->names, name));
    if (i == NONE)
        return;
    flavor_free(w->flavors[i]);
    w->flavors[i] = NULL;
    w->activity_dirty = true;
}

int world_put_topology(struct world *w, const struct fact_topology *f, struct err *err)
{
    uint32_t id;
    if (names_id(w->names, f->name, &id) || idmap_put(&w->topologies, id, 1))
        return no_memory(err, "Topology", f->name);
    w->activity_dirty = true;
    return 0;
}

void world_del_topology(struct world *w, const char *name)
{
    uint32_t id = names_find(w->names, name);
    if (id < w->topologies.n)
        w->topologies.v[id] = NONE;
    w->activity_dirty = true;
}

int world_put_check(struct world *w, const struct fact_admission_check *f, struct err *err)
{
    uint32_t id, i, controller;
    if (names_id(w->names, f->controller, &controller) ||
        slot_for(w, &w->check_of, f->name, (void **)&w->checks, &w->cap_checks, w->nchecks, sizeof *w->checks,
                 &id, &i) ||
        idmap_put(&w->check_of, id, i))
        return no_memory(err, "AdmissionCheck", f->name);
    if (i == w->nchecks)
        w->nchecks++;
    w->checks[i] = (struct check){true, f->active, controller};
    w->activity_dirty = true;
    return 0;
}

void world_del_check(struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->check_of, names_find(w->names, name));
    if (i != NONE)
        w->checks[i].exists = false;
    w->activity_dirty = true;
}

/* A ClusterQueue that matches only since the labels changed gets another look (4.7 event 3). */
static void notify_matching(struct world *w, const struct namespace *old, const struct namespace *new)
{
    for (uint32_t i = 0; i < w->ncqs; i++) {
        struct cluster_queue *cq = w->cqs[i];
        bool before = old->exists && selector_matches(&cq->namespaces.sel, old->labels, old->nlabels);
        if (cq->exists && !before && selector_matches(&cq->namespaces.sel, new->labels, new->nlabels))
            cq->flush_wanted = true;
    }
}

int world_put_namespace(struct world *w, const struct fact_namespace *f, struct err *err)
{
    uint32_t id, i;
    struct pack p = {NULL, 0};
    pack_labels(&p, f->labels, f->nlabels);
    p.base = mem_alloc(p.used + 1);
    if (!p.base ||
        slot_for(w, &w->ns_of, f->name, (void **)&w->namespaces, &w->cap_namespaces, w->nnamespaces,
                 sizeof *w->namespaces, &id, &i) ||
        idmap_put(&w->ns_of, id, i)) {
        mem_free(p.base);
        return no_memory(err, "Namespace", f->name);
    }
    p.used = 0;
    struct namespace ns = {true, (struct fact_label *)pack_labels(&p, f->labels, f->nlabels), f->nlabels};
    if (!f->nlabels) {
        mem_free(p.base);
        ns.labels = NULL;
    }
    if (i == w->nnamespaces)
        w->namespaces[w->nnamespaces++] = (struct namespace){0};
    notify_matching(w, &w->namespaces[i], &ns);
    mem_free(w->namespaces[i].labels);
    w->namespaces[i] = ns;
    return 0;
}

void world_del_namespace(struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->ns_of, names_find(w->names, name));
    if (i != NONE)
        w->namespaces[i].exists = false;
}

bool namespace_matches(const struct world *w, const struct cluster_queue *cq, uint32_t ns, bool *ret_exists)
{
    uint32_t i = idmap_get(&w->ns_of, ns);
    *ret_exists = i != NONE && w->namespaces[i].exists;
    return *ret_exists &&
           selector_matches(&cq->namespaces.sel, w->namespaces[i].labels, w->namespaces[i].nlabels);
}

int world_put_limit_range(struct world *w, const struct fact_limit_range *f, struct err *err)
{
    return requests_put_limit_range(w->requests, f, err);
}

void world_del_limit_range(struct world *w, const char *ns, const char *name)
{
    requests_del_limit_range(w->requests, ns, name);
}

int world_put_runtime_class(struct world *w, const struct fact_runtime_class *f, struct err *err)
{
    return requests_put_runtime_class(w->requests, f, err);
}

void world_del_runtime_class(struct world *w, const char *name)
{
    requests_del_runtime_class(w->requests, name);
}

/* ---- cohorts -------------------------------------------------------------------------------------------------------------------- */

static double weight_of(const struct fact_weight *f)
{
    return f->set ? quantity_double(f->value) : 1.0;
}

/* The cohort of that name, made implicit if there is none (1.3). */
static int cohort_for(struct world *w, const char *name, uint32_t *ret_id, uint32_t *ret_index)
{
    *ret_id = 0;
    *ret_index = NONE;
    if (!*name)
        return 0;
    if (slot_for(w, &w->cohort_of, name, (void **)&w->cohorts, &w->cap_cohorts, w->ncohorts,
                 sizeof *w->cohorts, ret_id, ret_index))
        return ERR_NOMEM;
    if (*ret_index == w->ncohorts) {
        if (idmap_put(&w->cohort_of, *ret_id, *ret_index))
            return ERR_NOMEM;
        w->cohorts[w->ncohorts++] = (struct cohort){.name = *ret_id, .weight = 1.0};
    }
    return 0;
}

/* False if it is in no tree: it is new, or its parents form a cycle. */
static bool mark_tree_of_cohort(struct world *w, uint32_t name)
{
    for (uint32_t i = 0; i < w->ntrees; i++)
        for (uint32_t n = 0; n < w->trees[i]->nnodes; n++)
            if (w->trees[i]->nodes[n].cq == TREE_NONE && w->trees[i]->nodes[n].name == name) {
                w->trees[i]->dirty = true;
                return true;
            }
    return false;
}

static void touch_cohort(struct world *w, struct cohort *c)
{
    c->touched = true;
    c->flush_wanted |=
        !mark_tree_of_cohort(w, c->name); /* 9.7: where a cycle breaks, all of the tree comes back */
    w->trees_dirty = true;
}

int world_put_cohort(struct world *w, const struct fact_cohort *f, struct err *err)
{
    uint32_t id, i, parent, p;
    struct quotas q;
    if (cohort_for(w, f->name, &id, &i) || cohort_for(w, f->parent, &parent, &p))
        return no_memory(err, "Cohort", f->name);
    if (quotas_read(w, f->groups, f->ngroups, &q))
        return no_memory(err, "Cohort", f->name);
    struct cohort *c = &w->cohorts[i];
    double weight = weight_of(&f->weight);
    if (c->object && c->parent == parent && c->weight == weight && quotas_equal(&c->quotas, &q)) {
        quotas_free(&q); /* only its status was written: nobody is waked by that (4.7 event 2) */
        return 0;
    }
    quotas_free(&c->quotas);
    c->quotas = q;
    c->object = true;
    c->parent = parent;
    c->weight = weight;
    touch_cohort(w, c);
    c->flush_wanted = true;
    return 0;
}

void world_del_cohort(struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->cohort_of, names_find(w->names, name));
    if (i == NONE || !w->cohorts[i].object)
        return;
    struct cohort *c = &w->cohorts[i];
    quotas_free(&c->quotas);
    c->quotas = (struct quotas){0};
    c->object = false;
    c->parent = 0;
    c->weight = 1.0;
    touch_cohort(w, c);
}

/* ---- ClusterQueues ----------------------------------------------------------------------------------------------------------------- */

static int copy_selector(const struct fact_selector *f, struct selector *ret)
{
    struct pack p = {NULL, 0};
    pack_exprs(&p, f->exprs, f->nexprs);
    p.base = mem_alloc(p.used + 1);
    if (!p.base)
        return ERR_NOMEM;
    p.used = 0;
    *ret = (struct selector){{f->is_null, pack_exprs(&p, f->exprs, f->nexprs), f->nexprs}, p.base};
    return 0;
}

/* The checks and, behind them in one block, the flavors of each. */
static int copy_checks(struct world *w, const struct fact_cluster_queue *f, struct cq_check **ret)
{
    uint32_t nflavors = 0;
    for (uint32_t i = 0; i < f->nchecks; i++)
        nflavors += f->checks[i].non_flavors;
    *ret = mem_alloc(f->nchecks * sizeof **ret + nflavors * sizeof(uint32_t));
    if (!*ret)
        return ERR_NOMEM;
    uint32_t *ids = (uint32_t *)(*ret + f->nchecks);
    for (uint32_t i = 0; i < f->nchecks; i++) {
        struct cq_check *c = &(*ret)[i];
        *c = (struct cq_check){.flavors = ids, .nflavors = f->checks[i].non_flavors};
        int rc = names_id(w->names, f->checks[i].name, &c->name);
        for (uint32_t k = 0; k < c->nflavors && !rc; k++)
            rc = names_id(w->names, f->checks[i].on_flavors[k], ids++);
        if (rc) {
            mem_free(*ret);
            *ret = NULL;
            return rc;
        }
    }
    return 0;
}

static struct cluster_queue *cq_for(struct world *w, const char *name)
{
    uint32_t id, i;
    if (slot_for(w, &w->cq_of, name, (void **)&w->cqs, &w->cap_cqs, w->ncqs, sizeof(struct cluster_queue *),
                 &id, &i))
        return NULL;
    if (i < w->ncqs)
        return w->cqs[i];
    struct cluster_queue *cq = mem_zalloc(1, sizeof *cq);
    if (!cq || idmap_put(&w->cq_of, id, i)) {
        mem_free(cq);
        return NULL;
    }
    cq->name = id;
    pending_init(&cq->pending, STRATEGY_UNSET);
    w->cqs[w->ncqs++] = cq;
    return cq;
}

static void touch_cq(struct world *w, struct cluster_queue *cq)
{
    cq->touched = true;
    if (cq->tree)
        cq->tree->dirty = true;
    w->trees_dirty = w->activity_dirty = true;
}

static void fill_cq(struct cluster_queue *cq, const struct fact_cluster_queue *f)
{
    cq->deleting |= f->deleting; /* sticky (9.1) */
    cq->meta_generation = f->generation;
    cq->strategy = cq->pending.strategy = f->strategy;
    cq->stop = f->stop;
    cq->when_can_borrow = f->when_can_borrow == FUNGIBILITY_UNSET ? FUNGIBILITY_MAY_STOP : f->when_can_borrow;
    cq->when_can_preempt =
        f->when_can_preempt == FUNGIBILITY_UNSET ? FUNGIBILITY_TRY_NEXT : f->when_can_preempt;
    cq->preference = f->preference;
    cq->preemption = f->preemption;
    cq->weight = weight_of(&f->weight);
    cq->usage_based_afs = f->usage_based_afs;
}

/* Room for those that hold quota in it already, so that taking them in cannot fail. */
static int room_for_strays(const struct world *w, struct cluster_queue *cq)
{
    uint32_t n = 0;
    for (const struct wl *wl = w->workloads; wl && w->strays; wl = wl->hh.next)
        n += wl->cq == NONE && wl->admission == cq->name;
    return accounts_reserve(cq, n);
}

int world_put_cluster_queue(struct world *w, const struct fact_cluster_queue *f, when_ns now, struct err *err)
{
    uint32_t cohort, i;
    struct quotas q;
    struct selector sel = {0};
    struct cq_check *checks = NULL;
    struct cluster_queue *cq = cq_for(w, f->name);
    if (cq && cq->exists && f->generation && f->generation == cq->meta_generation) {
        /* The same spec: a status was written, or deletion began. Nobody is waked by that (4.7 event 1). */
        w->activity_dirty |= f->deleting && !cq->deleting;
        cq->deleting |= f->deleting;
        return 0;
    }
    if (!cq || cohort_for(w, f->cohort, &cohort, &i) || room_for_strays(w, cq) ||
        quotas_read(w, f->groups, f->ngroups, &q))
        return no_memory(err, "ClusterQueue", f->name);
    if (copy_selector(&f->namespaces, &sel) || copy_checks(w, f, &checks)) {
        quotas_free(&q);
        mem_free(sel.block);
        return no_memory(err, "ClusterQueue", f->name);
    }
    bool created = !cq->exists;
    if (created || cq->cohort != cohort || !quotas_equal(&cq->quotas, &q))
        touch_cq(w, cq); /* what changes no quota is no new generation (3.1) */
    w->trees_dirty = w->activity_dirty = true;
    quotas_free(&cq->quotas);
    mem_free(cq->namespaces.block);
    mem_free(cq->checks);
    cq->quotas = q;
    cq->namespaces = sel;
    cq->checks = checks;
    cq->nchecks = f->nchecks;
    cq->cohort = cohort;
    cq->exists = true;
    cq->flush_wanted = true; /* 4.7 event 1 */
    if (created) {
        cq->deleting = false;
        cq->generation = 0;
    }
    fill_cq(cq, f);
    return created ? queueing_adopt(w, now) : 0;
}

void world_del_cluster_queue(struct world *w, const char *name)
{
    uint32_t i = idmap_get(&w->cq_of, names_find(w->names, name));
    if (i == NONE || !w->cqs[i]->exists)
        return;
    struct cluster_queue *cq = w->cqs[i];
    while (cq->nholders)
        accounts_remove(w, cq->holders[0]);
    struct wl *wl;
    while ((wl = RB_MIN(wl_tree, &cq->pending.active)) || (wl = RB_MIN(wl_tree, &cq->pending.inadmissible)) ||
           (wl = cq->pending.inflight))
        pending_delete(&cq->pending, wl);
    pending_free(&cq->pending);
    pending_init(&cq->pending, cq->strategy);
    touch_cq(w, cq);
    quotas_free(&cq->quotas);
    cq->quotas = (struct quotas){0};
    cq->exists = false;
    w->strays = w->cq_dropped = true;
}

/* ---- LocalQueues ------------------------------------------------------------------------------------------------------------------- */

static int lq_for(struct world *w, const char *ns, const char *name, uint32_t *ret_index)
{
    uint32_t ns_id, id;
    uint32_t known = w->lqs.n;
    if (names_id(w->names, ns, &ns_id) || names_id(w->names, name, &id) ||
        mem_grow((void **)&w->local_queues, &w->cap_local_queues, known + 1, sizeof *w->local_queues) ||
        pairs_id(&w->lqs, ns_id, id, ret_index))
        return ERR_NOMEM;
    if (*ret_index == known)
        w->local_queues[known] =
            (struct local_queue){.ns = ns_id, .name = id, .afs = {.updated = WHEN_NONE, .weight = 1}};
    return 0;
}

/* Its Workloads leave the ClusterQueue (4.7 end, 9.2). They stay assigned to it; and when only its ClusterQueue is another one, they
 * go there as they are, scan progress and all. */
static void empty_queue(struct world *w, uint32_t lq, bool moved)
{
    for (struct wl *wl = w->workloads; wl; wl = wl->hh.next) {
        bool scan = moved && wl->scan.present;
        if (wl->lq != lq || (wl->bucket == BUCKET_NONE && !wl->in_items))
            continue;
        queueing_delete(w, wl);
        wl->scan.present = scan;
    }
    w->strays = true;
}

int world_put_local_queue(struct world *w, const struct fact_local_queue *f, when_ns now, struct err *err)
{
    uint32_t i, cq;
    if (names_id(w->names, f->cluster_queue, &cq) || lq_for(w, f->ns, f->name, &i))
        return no_memory(err, "LocalQueue", f->name);
    struct local_queue *lq = &w->local_queues[i];
    if (f->nconsumed && !lq->afs.seeded &&
        afs_seed(&lq->afs, w->names, f->consumed, f->nconsumed, now)) /* 4.9: it is settled from now on */
        return no_memory(err, "LocalQueue", f->name);
    bool was_open = lq->exists && lq->stop == STOP_NONE, moved = lq->exists && lq->cluster_queue != cq;
    bool is_open = f->stop == STOP_NONE;
    if (was_open && (moved || !is_open))
        empty_queue(w, i, is_open);
    lq->exists = true;
    lq->stop = f->stop;
    lq->deleting = f->deleting;
    lq->cluster_queue = cq;
    lq->afs.weight = weight_of(&f->weight);
    w->afs_changes++;
    return is_open && (!was_open || moved) ? queueing_adopt(w, now) : 0;
}

void world_del_local_queue(struct world *w, const char *ns, const char *name)
{
    uint32_t i = pairs_find(&w->lqs, names_find(w->names, ns), names_find(w->names, name));
    if (i == NONE || !w->local_queues[i].exists)
        return;
    empty_queue(w, i, false);
    w->local_queues[i].exists = false;
}
