/* What the administrator can do: quotas, limits, weights, policies. */
#include "sim/options_priv.h"

#include "core/tree.h"

#include <string.h>

struct where {
    const struct world *w;
    const struct tree *tree;
    uint32_t node; /* of the ClusterQueue */
};

static const struct object *object_of(const struct search *s, const struct where *at, uint32_t node)
{
    const struct tree_node *n = &at->tree->nodes[node];

    return search_object(s, n->cq == TREE_NONE ? API_COHORT : API_CLUSTER_QUEUE, "",
                         names_text(world_names(at->w), n->name));
}

/* ---- quotas ------------------------------------------------------------------------------------------------------------- */

/* What the Workload asks of a resource; 0 if it does not. */
static int64_t asked(const struct search *s, const struct where *at, const char *resource)
{
    const struct wl *wl = s->target->wl;

    return wl ? what_if_asked(at->w, wl, names_find(world_names(at->w), resource)) : 0;
}

static int64_t usage_at(const struct where *at, uint32_t node, const char *flavor, const char *resource)
{
    uint32_t fr = world_find_pair(at->w, flavor, resource),
             col = fr == NONE ? TREE_NONE : tree_col(at->tree, fr);

    return col == TREE_NONE ? 0 : tree_cell(at->tree, node, col)->usage;
}

/* What all Workloads together ask for: more than that brings nothing. */
static int64_t most(const struct search *s, const char *resource)
{
    const struct sim *base = what_if_base(s->w);
    const struct world *w = sim_world(base);
    uint32_t res = names_find(world_names(w), resource);
    int64_t sum = 0;

    for (uint32_t i = 0; i < sim_count(base); i++) {
        const struct sim_wl *sw = sim_at(base, i);
        if (sw->wl && !what_if_finished(sw))
            sum = i64_add(sum, what_if_asked(w, sw->wl, res));
    }
    return sum;
}

struct quota_query {
    enum change_kind kind;
    const char *flavor; /* NULL = all */
    bool generous;      /* as much as anybody could want, instead of what this Workload lacks */
};

static void add_quota(const struct search *s, const struct where *at, uint32_t node,
                      const struct quota_query *q, const struct change *c, struct dial *dials, uint32_t *n,
                      const struct fact_quota *f)
{
    bool cpu = resource_is_cpu(c->resource);
    int64_t need = asked(s, at, c->resource), used = usage_at(at, node, c->part, c->resource);
    struct dial d = {*c, 0, 1};

    if (need <= 0 || *n >= OPTIONS_DIALS_MAX || (q->kind == CHANGE_BORROWING && !f->has_borrowing) ||
        (q->kind == CHANGE_LENDING && !f->has_lending))
        return;
    d.c.from = quantity_quota(q->kind == CHANGE_NOMINAL     ? f->nominal
                              : q->kind == CHANGE_BORROWING ? f->borrowing
                                                            : f->lending,
                              cpu);
    d.easy = i64_add(amount_max(d.c.from, used), q->generous ? most(s, c->resource) : need);
    if (q->kind == CHANGE_LENDING)
        d.easy = quantity_quota(f->nominal, cpu);
    if (resource_is_binary(c->resource) && d.c.from % OPTIONS_MI == 0 && need % OPTIONS_MI == 0)
        d.unit = OPTIONS_MI;
    d.easy = d.easy == AMOUNT_UNLIMITED ? d.easy : d.easy - (d.easy - d.c.from) % d.unit;
    if (d.c.from != AMOUNT_UNLIMITED && d.easy != AMOUNT_UNLIMITED && d.easy > d.c.from)
        dials[(*n)++] = d;
}

/* The dials of one object for the resources that are asked for. */
static uint32_t add_quotas(const struct search *s, const struct where *at, uint32_t node,
                           const struct quota_query *q, struct dial *dials, uint32_t n)
{
    const struct object *o = object_of(s, at, node);
    bool is_cq = o && o->kind == API_CLUSTER_QUEUE;
    uint32_t ngroups = !o ? 0 : is_cq ? o->cluster_queue.ngroups : o->cohort.ngroups;

    for (uint32_t g = 0; g < ngroups; g++) {
        const struct fact_resource_group *group = is_cq ? &o->cluster_queue.groups[g] : &o->cohort.groups[g];
        for (uint32_t i = 0; i < group->nflavors; i++)
            for (uint32_t r = 0; r < group->nresources; r++) {
                struct change c = search_change(q->kind, o);
                c.part = group->flavors[i].flavor;
                c.resource = group->resources[r];
                if (!q->flavor || !strcmp(q->flavor, c.part))
                    add_quota(s, at, node, q, &c, dials, &n, &group->flavors[i].quotas[r]);
            }
    }
    return n;
}

/* First what the Workload lacks, then what lets everybody in: the search comes down from there. */
static bool turn_quota(struct search *s, const struct where *at, uint32_t node, struct quota_query q)
{
    struct dial dials[OPTIONS_DIALS_MAX];

    q.generous = false;
    if (search_dials(s, dials, add_quotas(s, at, node, &q, dials, 0)))
        return true;
    q.generous = true;
    return q.kind != CHANGE_LENDING && search_dials(s, dials, add_quotas(s, at, node, &q, dials, 0));
}

/* One flavor after the other; all of them together if the pod sets need several. */
static bool node_quota(struct search *s, const struct where *at, uint32_t node, enum change_kind kind)
{
    const struct fact_cluster_queue *cq = &s->cq->cluster_queue;
    bool any = false;

    for (uint32_t g = 0; g < cq->ngroups; g++)
        for (uint32_t i = 0; i < cq->groups[g].nflavors; i++)
            any |=
                turn_quota(s, at, node, (struct quota_query){kind, cq->groups[g].flavors[i].flavor, false});
    return any || (cq->ngroups > 1 && turn_quota(s, at, node, (struct quota_query){kind, NULL, false}));
}

static void lending_limits(struct search *s, const struct where *at)
{
    struct dial dials[OPTIONS_DIALS_MAX];
    uint32_t n = 0, tried = 0;
    bool any = false;

    for (uint32_t i = 1; i < at->tree->nnodes && tried < OPTIONS_LENDERS_MAX; i++) {
        uint32_t had = n;
        if (i == at->node)
            continue;
        n = add_quotas(s, at, i, &(struct quota_query){CHANGE_LENDING, NULL, false}, dials, n);
        tried += n > had;
        if (n > had)
            any |= search_dials(s, dials + had, n - had);
    }
    if (!any && tried > 1)
        (void)search_dials(s, dials, n);
}

enum { WEIGHT_UNIT = 500, WEIGHT_TIMES = 64 };

static void weights(struct search *s, const struct where *at)
{
    for (uint32_t i = at->node; i != TREE_NONE && at->tree->nodes[i].parent != TREE_NONE;
         i = at->tree->nodes[i].parent) {
        const struct object *o = object_of(s, at, i);
        if (!o)
            continue;
        struct dial d = {search_change(CHANGE_WEIGHT, o), 0, WEIGHT_UNIT};
        const struct fact_weight *w = o->kind == API_COHORT ? &o->cohort.weight : &o->cluster_queue.weight;
        d.c.from = w->set ? quantity_milli(w->value) : 1000;
        if (d.c.from > INT32_MAX)
            continue;
        d.easy = d.c.from + (d.c.from + WEIGHT_UNIT) / WEIGHT_UNIT * WEIGHT_UNIT * WEIGHT_TIMES;
        (void)search_dials(s, &d, 1);
    }
}

/* ---- policies ----------------------------------------------------------------------------------------------------------- */

static void policy(struct search *s, enum change_kind kind, int64_t from, const enum preempt_policy *to,
                   uint32_t n)
{
    struct what_if_result r;

    for (uint32_t i = 0; i < n; i++) {
        struct change c = search_change(kind, s->cq);
        c.from = from == POLICY_UNSET ? POLICY_NEVER : from;
        c.to = to[i];
        if (c.to == c.from || !search_run(s, &c, 1, &r))
            continue;
        search_keep(s, &c, 1);
        return;
    }
}

static void policies(struct search *s, bool fair_sharing)
{
    static const enum preempt_policy within[] = {POLICY_LOWER_PRIORITY, POLICY_LOWER_OR_NEWER_EQUAL},
                                     reclaim[] = {POLICY_LOWER_PRIORITY, POLICY_ANY},
                                     borrow[] = {POLICY_LOWER_PRIORITY};
    const struct fact_preemption *p = &s->cq->cluster_queue.preemption;
    bool never = p->reclaim_within_cohort == POLICY_NEVER || p->reclaim_within_cohort == POLICY_UNSET;

    if (s->cq->cluster_queue.strategy == STRATEGY_STRICT_FIFO) {
        struct change c = search_change(CHANGE_STRATEGY, s->cq);
        struct what_if_result r;
        c.to = 1;
        c.from_text = "StrictFIFO";
        c.to_text = "BestEffortFIFO";
        if (search_run(s, &c, 1, &r))
            search_keep(s, &c, 1);
    }
    policy(s, CHANGE_WITHIN, p->within_cluster_queue, within, 2);
    policy(s, CHANGE_RECLAIM, p->reclaim_within_cohort, reclaim, 2);
    if (!never && !fair_sharing) /* borrowWithinCohort without reclaimWithinCohort is not valid */
        policy(s, CHANGE_BORROW_WITHIN, p->borrow_within_cohort ? p->borrow_policy : POLICY_NEVER, borrow, 1);
}

void options_queues(struct search *s)
{
    const struct sim *base = what_if_base(s->w);
    struct where at = {.w = sim_world(base)};
    uint32_t cq = s->cq ? world_cq_find(at.w, s->cq->name) : NONE;

    if (cq == NONE)
        return;
    at.tree = world_cq(at.w, cq).tree;
    at.node = world_cq(at.w, cq).node;
    if (at.tree) {
        for (uint32_t i = at.node; i != TREE_NONE; i = at.tree->nodes[i].parent)
            (void)node_quota(s, &at, i, CHANGE_NOMINAL);
        for (uint32_t i = at.node; i != TREE_NONE; i = at.tree->nodes[i].parent)
            (void)node_quota(s, &at, i, CHANGE_BORROWING);
        lending_limits(s, &at);
        if (sim_fair_sharing(base))
            weights(s, &at);
    }
    policies(s, sim_fair_sharing(base));
}
