/* What the owner of the Workload can do: fewer pods, smaller requests, other nodes, another queue, wait for somebody, a priority. */
#include "sim/options_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- pods and requests -------------------------------------------------------------------------------------------------- */

static void fewer_pods(struct search *s)
{
    const struct fact_workload *f = &s->object->workload;
    struct dial dials[OPTIONS_DIALS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->npod_sets && n < OPTIONS_DIALS_MAX; i++) {
        if (f->pod_sets[i].count <= 1)
            continue;
        struct change c = search_change(CHANGE_COUNT, s->object);
        c.part = f->pod_sets[i].name;
        c.from = f->pod_sets[i].count;
        dials[n++] = (struct dial){c, 1, 1};
    }
    search_each(s, dials, n);
}

static void add_request(struct search *s, const struct fact_pod_set *ps, const struct fact_container *k,
                        const struct fact_amount *q, struct dial *dials, uint32_t *n)
{
    struct change c = search_change(CHANGE_REQUEST, s->object);

    c.part = ps->name;
    c.item = k->name;
    c.resource = q->resource;
    c.from = quantity_request(q->q, resource_is_cpu(q->resource));
    int64_t unit = resource_is_binary(q->resource) && c.from % OPTIONS_MI == 0 ? OPTIONS_MI : 1;
    int64_t least = c.from - (c.from - 1) / unit * unit;
    if (c.from > 1 && least < c.from && *n < OPTIONS_DIALS_MAX)
        dials[(*n)++] = (struct dial){c, least, unit};
}

static bool has_amount(const struct fact_amount *list, uint32_t n, const char *resource)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(list[i].resource, resource))
            return true;
    return false;
}

static void smaller_requests(struct search *s)
{
    const struct fact_workload *f = &s->object->workload;
    struct dial dials[OPTIONS_DIALS_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->npod_sets; i++) {
        const struct fact_pod_set *ps = &f->pod_sets[i];
        for (uint32_t k = 0; k < ps->pod.ncontainers; k++) {
            const struct fact_container *c = &ps->pod.containers[k];
            for (uint32_t r = 0; r < c->nrequests; r++)
                add_request(s, ps, c, &c->requests[r], dials, &n);
            for (uint32_t r = 0; r < c->nlimits;
                 r++) /* without a request, the limit is one (engine.md 2.5) */
                if (!has_amount(c->requests, c->nrequests, c->limits[r].resource))
                    add_request(s, ps, c, &c->limits[r], dials, &n);
        }
    }
    search_each(s, dials, n);
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static uint32_t add_selectors(const struct search *s, struct dial *dials, uint32_t n)
{
    const struct fact_workload *f = &s->object->workload;

    for (uint32_t i = 0; i < f->npod_sets && n < OPTIONS_DIALS_MAX; i++) {
        const struct fact_pod *pod = &f->pod_sets[i].pod;
        if (!pod->nselector && !pod->has_affinity)
            continue;
        struct change c = search_change(CHANGE_SELECTOR, s->object);
        c.part = f->pod_sets[i].name;
        c.from_text = "set";
        c.to_text = "none";
        dials[n++] = (struct dial){c, 1, 1};
    }
    return n;
}

static bool keeps_off(const struct fact_flavor *f)
{
    for (uint32_t i = 0; i < f->ntaints; i++)
        if (f->taints[i].effect != EFFECT_PREFER_NO_SCHEDULE)
            return true;
    return false;
}

static uint32_t add_tolerations(const struct search *s, const struct object *flavor, struct dial *dials,
                                uint32_t n)
{
    const struct fact_workload *f = &s->object->workload;

    for (uint32_t i = 0; i < f->npod_sets && n < OPTIONS_DIALS_MAX; i++) {
        struct change c = search_change(CHANGE_TOLERATE, s->object);
        c.part = f->pod_sets[i].name;
        c.item = flavor->name;
        c.to_text = flavor->name;
        dials[n++] = (struct dial){c, 1, 1};
    }
    return n;
}

static void other_flavor(struct search *s, const char *name, bool *any)
{
    const struct object *flavor = search_object(s, API_FLAVOR, "", name);
    struct dial dials[OPTIONS_DIALS_MAX];

    if (!flavor || !keeps_off(&flavor->flavor))
        return;
    if (search_dials(s, dials, add_tolerations(s, flavor, dials, 0)))
        *any = true;
    else if (add_selectors(s, dials, 0))
        *any |= search_dials(s, dials, add_tolerations(s, flavor, dials, add_selectors(s, dials, 0)));
}

static void other_nodes(struct search *s)
{
    const struct fact_cluster_queue *q = s->cq ? &s->cq->cluster_queue : NULL;
    struct dial dials[OPTIONS_DIALS_MAX];
    bool any = search_dials(s, dials, add_selectors(s, dials, 0));

    for (uint32_t g = 0; q && !any && g < q->ngroups; g++)
        for (uint32_t i = 0; i < q->groups[g].nflavors; i++)
            other_flavor(s, q->groups[g].flavors[i].flavor, &any);
}

/* Another queue may do without what its own one needs to be resumed. */
static void try_queue(struct search *s, const struct change *c, bool in_vain)
{
    uint32_t nprefix = s->nprefix;
    struct what_if_result r;

    s->nprefix = nprefix && s->prefix[0].kind == CHANGE_ACTIVE;
    bool ok = search_run(s, c, 1, &r);
    if (!ok && in_vain && s->nprefix != nprefix) {
        s->nprefix = nprefix;
        ok = search_run(s, c, 1, &r);
    }
    if (ok)
        search_keep(s, c, 1);
    s->nprefix = nprefix;
}

void options_other_queue(struct search *s, bool in_vain)
{
    const struct api_set *set = what_if_objects(s->w);
    uint32_t tried = 0;

    for (uint32_t i = 0; i < api_set_count(set) && tried < OPTIONS_QUEUES_MAX; i++) {
        const struct object *o = api_set_at(set, i);
        if (o->kind != API_LOCAL_QUEUE || strcmp(o->ns, s->object->ns) != 0 ||
            !strcmp(o->name, s->object->workload.queue))
            continue;
        struct change c = search_change(CHANGE_QUEUE, s->object);
        c.from_text = s->object->workload.queue;
        c.to_text = o->name;
        tried++;
        try_queue(s, &c, in_vain);
    }
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

struct runner {
    const struct sim_wl *sw;
    int64_t
        useful; /* how much of what is asked it holds: the sum over resources of thousandths of the request */
};

static int compare_runners(const void *a, const void *b)
{
    const struct runner *x = a, *y = b;

    if (x->useful != y->useful)
        return x->useful > y->useful ? -1 : 1;
    return x->sw->index < y->sw->index ? -1 : x->sw->index > y->sw->index;
}

static int64_t usefulness(const struct world *w, const struct wl *holder, const struct wl *target)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < target->npod_sets; i++)
        for (uint32_t k = 0; k < target->pod_sets[i].shape->nreq; k++) {
            uint32_t res = target->pod_sets[i].shape->req[k].res;
            int64_t need = what_if_asked(w, target, res);
            int64_t part = amount_min(what_if_asked(w, holder, res), need);
            sum = i64_add(sum, need > 0 ? i64_mul(part, 1000) / need : 0);
        }
    return sum;
}

/* Those that run in the tree of the Workload's queue. */
static uint32_t find_runners(const struct search *s, struct runner **ret)
{
    const struct world *w = sim_world(what_if_base(s->w));
    uint32_t cq = s->cq ? world_cq_find(w, s->cq->name) : NONE, n = 0;

    *ret = NULL;
    if (cq == NONE || !s->target->wl)
        return 0;
    const struct tree *tree = world_cq(w, cq).tree;
    struct runner *list = ARENA_NEW(s->a, struct runner, sim_count(what_if_base(s->w)) + 1);
    for (uint32_t i = 0; i < sim_count(what_if_base(s->w)); i++) {
        const struct sim_wl *sw = sim_at(what_if_base(s->w), i);
        if (sw == s->target || !sw->wl || !what_if_holds(sw) || sw->wl->cq == NONE ||
            world_cq(w, sw->wl->cq).tree != tree)
            continue;
        list[n++] = (struct runner){sw, usefulness(w, sw->wl, s->target->wl)};
    }
    qsort(list, n, sizeof(*list), compare_runners);
    *ret = list;
    return n > OPTIONS_ENDS_MAX ? OPTIONS_ENDS_MAX : n;
}

static struct change end_of(const struct search *s, const struct sim_wl *sw)
{
    const struct object *o = search_object(s, API_WORKLOAD, sw->fact->ns, sw->fact->name);
    struct change c = search_change(CHANGE_END, o);

    c.to = 1;
    c.from_text = "running";
    c.to_text = "Finished";
    return c;
}

/* The smallest one alone that is enough; else so many of the largest as are enough, less those that turn out not to be needed. */
static void ends(struct search *s)
{
    struct runner *list;
    struct dial dials[OPTIONS_DIALS_MAX];
    struct what_if_result r;
    uint32_t n = find_runners(s, &list), k = 0;

    for (uint32_t i = n; i-- > 0;) {
        struct change c = end_of(s, list[i].sw);
        if (list[i].useful > 0 && search_run(s, &c, 1, &r)) {
            search_keep(s, &c, 1);
            return;
        }
    }
    for (uint32_t i = 0; i < n && k < OPTIONS_DIALS_MAX; i++)
        if (list[i].useful > 0)
            dials[k++] = (struct dial){end_of(s, list[i].sw), 1, 1};
    for (uint32_t m = k < 2 ? 0 : 2; m; m = m == k ? 0 : 2 * m < k ? 2 * m : k)
        if (search_dials(s, dials, m))
            return;
}

/* ---- priority ----------------------------------------------------------------------------------------------------------- */

static int compare_values(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a, *y = *(const struct object *const *)b;

    if (x->priority_class.value != y->priority_class.value)
        return x->priority_class.value < y->priority_class.value ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void higher_priority(struct search *s)
{
    const struct api_set *set = what_if_objects(s->w);
    const struct object **list = ARENA_NEW(s->a, const struct object *, api_set_count(set) + 1);
    struct what_if_result r;
    uint32_t n = 0;

    for (uint32_t i = 0; i < api_set_count(set); i++) {
        const struct object *o = api_set_at(set, i);
        if (o->kind == API_WORKLOAD_PRIORITY_CLASS && o->priority_class.value > s->object->workload.priority)
            list[n++] = o;
    }
    qsort(list, n, sizeof(const struct object *), compare_values);
    for (uint32_t i = 0; i < n; i++) {
        struct change c = search_change(CHANGE_PRIORITY, s->object);
        c.from = s->object->workload.priority;
        c.from_text = s->object->workload.priority_class;
        c.to = list[i]->priority_class.value;
        c.to_text = list[i]->name;
        if (!search_run(s, &c, 1, &r))
            continue;
        search_keep(s, &c, 1);
        return;
    }
}

void options_workload(struct search *s)
{
    fewer_pods(s);
    smaller_requests(s);
    other_nodes(s);
    options_other_queue(s, true);
    ends(s);
    higher_priority(s);
}
