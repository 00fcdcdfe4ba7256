#include "random/facts.h"

#include <stdio.h>
#include <string.h>

static struct fact_weight weight(int i)
{
    struct fact_weight w = {.set = i != 0};
    if (w.set && quantity_parse(plan_weights[i], strlen(plan_weights[i]), &w.value, NULL))
        w.set = false;
    return w;
}

int facts_configure(struct world *w, const struct plan *p)
{
    struct fact_config c = {.fair_sharing = p->fair,
                            .afs = p->afs,
                            .afs_half_life_ns = 600 * NS_PER_S,
                            .afs_sampling_ns = 300 * NS_PER_S,
                            .block_admission = p->block_admission,
                            .requeue_by_creation = p->by_creation,
                            .ignore_undeclared = p->ignore_undeclared,
                            .gates = p->gates,
                            .ngates = (uint32_t)p->ngates};
    if (p->strategies)
        c.strategies[c.nstrategies++] = p->strategies == 2 ? FAIR_INITIAL_SHARE : FAIR_FINAL_SHARE;
    if (p->strategies == 3)
        c.strategies[c.nstrategies++] = FAIR_INITIAL_SHARE;
    return world_configure(w, &c, NULL);
}

int facts_put_flavor(struct world *w, const struct plan *p, int i)
{
    const struct plan_flavor *f = &p->flavors[i];
    struct fact_label label = {"pool", plan_flavor_names[i]};
    struct fact_taint taint = {"dedicated", "yes", EFFECT_NO_SCHEDULE};
    struct fact_flavor fact = {.name = plan_flavor_names[i],
                               .labels = &label,
                               .nlabels = f->labelled,
                               .taints = &taint,
                               .ntaints = f->tainted,
                               .topology = ""};
    if (f->exists)
        return world_put_flavor(w, &fact, NULL);
    world_del_flavor(w, fact.name);
    return 0;
}

int facts_put_namespace(struct world *w, const struct plan *p, int i)
{
    struct fact_label label = {"team", "a"};
    struct fact_namespace ns = {plan_namespace_names[i], &label, p->ns_labelled[i]};
    return world_put_namespace(w, &ns, NULL);
}

/* ---- quotas ------------------------------------------------------------------------------------------------------------------ */

struct group_room {
    const char *res[PLAN_RESOURCES];
    struct fact_flavor_quotas flavors[PLAN_FLAVORS];
    struct fact_quota quotas[PLAN_FLAVORS][PLAN_RESOURCES];
};

static struct fact_quota quota(const struct plan_quota *q, int res)
{
    int64_t unit = plan_unit(res);
    struct fact_quota f = {.nominal = quantity_from_i64(q->nominal * unit),
                           .has_borrowing = q->borrowing != PLAN_NO,
                           .has_lending = q->lending != PLAN_NO};
    if (f.has_borrowing)
        f.borrowing = quantity_from_i64(q->borrowing * unit);
    if (f.has_lending)
        f.lending = quantity_from_i64(q->lending * unit);
    return f;
}

static struct fact_resource_group group(const struct plan_group *g, struct group_room *room)
{
    for (int r = 0; r < g->nres; r++)
        room->res[r] = plan_resource_names[g->res[r]];
    for (int f = 0; f < g->nflavors; f++) {
        for (int r = 0; r < g->nres; r++)
            room->quotas[f][r] = quota(&g->quotas[f][r], g->res[r]);
        room->flavors[f] = (struct fact_flavor_quotas){plan_flavor_names[g->flavors[f]], room->quotas[f]};
    }
    return (struct fact_resource_group){room->res, (uint32_t)g->nres, room->flavors, (uint32_t)g->nflavors};
}

int facts_put_cohort(struct world *w, const struct plan *p, int i)
{
    const struct plan_cohort *c = &p->cohorts[i];
    struct group_room room;
    struct fact_resource_group g = group(&c->group, &room);
    struct fact_cohort f = {.name = plan_cohort_names[i],
                            .parent = c->parent == PLAN_NO ? "" : plan_cohort_names[c->parent],
                            .groups = &g,
                            .ngroups = c->quotas,
                            .weight = weight(c->weight)};
    if (c->object)
        return world_put_cohort(w, &f, NULL);
    world_del_cohort(w, f.name);
    return 0;
}

int facts_put_cq(struct world *w, const struct plan *p, int i, when_ns now)
{
    const struct plan_cq *c = &p->cqs[i];
    struct group_room rooms[2];
    struct fact_resource_group groups[2];
    const char *team = "a";
    struct fact_expr expr = {"team", SEL_IN, &team, 1};
    for (int g = 0; g < c->ngroups; g++)
        groups[g] = group(&c->groups[g], &rooms[g]);
    struct fact_cluster_queue f = {.name = plan_cq_names[i],
                                   .cohort = c->cohort == PLAN_NO ? "" : plan_cohort_names[c->cohort],
                                   .strategy = c->strategy,
                                   .stop = c->stop,
                                   .groups = groups,
                                   .ngroups = (uint32_t)c->ngroups,
                                   .namespaces = {false, &expr, c->labelled_only},
                                   .when_can_borrow = c->borrow,
                                   .when_can_preempt = c->preempt,
                                   .preference = c->preference,
                                   .preemption = c->preemption,
                                   .weight = weight(c->weight),
                                   .usage_based_afs = c->afs,
                                   .generation = c->generation};
    if (c->exists)
        return world_put_cluster_queue(w, &f, now, NULL);
    world_del_cluster_queue(w, f.name);
    return 0;
}

int facts_put_lq(struct world *w, const struct plan *p, int i, when_ns now)
{
    const struct plan_lq *q = &p->lqs[i];
    struct fact_local_queue f = {.ns = plan_namespace_names[q->ns],
                                 .name = plan_lq_names[i],
                                 .cluster_queue = plan_cq_names[q->cq],
                                 .stop = q->stop,
                                 .weight = weight(q->weight),
                                 .consumed_at = WHEN_NONE};
    if (q->exists)
        return world_put_local_queue(w, &f, now, NULL);
    world_del_local_queue(w, f.ns, f.name);
    return 0;
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------------- */

static const char *const pod_set_names[PLAN_POD_SETS] = {"main", "driver", "worker"};
static const char *const two_pools[] = {"fa", "fb"};
static const char *const one_pool[] = {"fc"};
static const struct fact_expr affinity_exprs[] = {{"pool", SEL_IN, two_pools, 2},
                                                  {"pool", SEL_NOT_IN, two_pools, 1},
                                                  {"pool", SEL_EXISTS, NULL, 0},
                                                  {"pool", SEL_IN, one_pool, 1}};
static const struct fact_term affinity_terms[] = {{&affinity_exprs[0], 1},
                                                  {&affinity_exprs[1], 1},
                                                  {&affinity_exprs[2], 1},
                                                  {&affinity_exprs[3], 1},
                                                  {&affinity_exprs[1], 1}};
static const struct fact_label pool_labels[PLAN_FLAVORS] = {{"pool", "fa"}, {"pool", "fb"}, {"pool", "fc"}};
static const struct fact_toleration tolerate_dedicated = {"dedicated", "yes", TOLERATE_EQUAL,
                                                          EFFECT_NO_SCHEDULE};

static void fill_pod_set(const struct plan_pod_set *ps, int k, struct facts_workload *ret)
{
    struct fact_container *c = &ret->containers[k];
    *c = (struct fact_container){.name = "c", .requests = ret->req[k]};
    for (int r = 0; r < PLAN_RESOURCES; r++)
        if (ps->req[r])
            ret->req[k][c->nrequests++] =
                (struct fact_amount){plan_resource_names[r], quantity_from_i64(ps->req[r] * plan_unit(r))};
    int n = snprintf(ret->digest[k], sizeof ret->digest[k], "%d %d %d %d|%d %d %d", ps->req[0], ps->req[1],
                     ps->req[2], ps->req[3], ps->selector, ps->affinity, ps->tolerates);
    ret->ps[k] = (struct fact_pod_set){.name = pod_set_names[k],
                                       .count = ps->count,
                                       .min_count = ps->min_count,
                                       .topology = "",
                                       .topology_group = ""};
    struct fact_pod *pod = &ret->ps[k].pod;
    *pod = (struct fact_pod){.containers = c,
                             .ncontainers = 1,
                             .runtime_class = "",
                             .tolerations = &tolerate_dedicated,
                             .ntolerations = ps->tolerates,
                             .digest = ret->digest[k],
                             .digest_len = (uint32_t)n,
                             .selector_error = ""};
    if (ps->selector != PLAN_NO) {
        pod->selector = &pool_labels[ps->selector];
        pod->nselector = 1;
    }
    if (ps->affinity) {
        pod->has_affinity = true;
        pod->terms = &affinity_terms[ps->affinity - 1];
        pod->nterms = ps->affinity == 4 ? 2 : 1;
    }
}

void facts_workload(const struct plan *p, int i, struct facts_workload *ret)
{
    const struct plan_workload *w = &p->workloads[i];
    *ret = (struct facts_workload){0};
    snprintf(ret->uid, sizeof ret->uid, "u%05x", w->uid);
    for (int k = 0; k < w->npod_sets; k++)
        fill_pod_set(&w->pod_sets[k], k, ret);
    ret->f = (struct fact_workload){.ns = plan_namespace_names[p->lqs[w->lq].ns],
                                    .name = plan_workload_name(i),
                                    .uid = ret->uid,
                                    .generation = 1,
                                    .created = w->created,
                                    .queue = plan_lq_names[w->lq],
                                    .priority_class = "",
                                    .priority = w->priority,
                                    .active = true,
                                    .gated_by = "",
                                    .priority_boost = "",
                                    .job_uid = "",
                                    .has_closed_gate = w->closed_gate,
                                    .pod_sets = ret->ps,
                                    .npod_sets = (uint32_t)w->npod_sets,
                                    .conditions = ret->conds,
                                    .requeue_at = WHEN_NONE};
}

void facts_hold(const struct plan *p, int i, struct facts_workload *ret)
{
    const struct plan_workload *w = &p->workloads[i];
    for (int k = 0; k < w->npod_sets; k++) {
        struct fact_assignment *a = &ret->assignments[k];
        const struct plan_pod_set *ps = &w->pod_sets[k];
        *a = (struct fact_assignment){.pod_set = pod_set_names[k],
                                      .flavors = ret->flavors[k],
                                      .usage = ret->usage[k],
                                      .count = ps->count};
        for (int r = 0; r < PLAN_RESOURCES; r++) {
            int32_t each = r == 2 ? 1 : ps->req[r];
            if (ps->flavor[r] == PLAN_NO || !each)
                continue;
            ret->flavors[k][a->nflavors++] =
                (struct fact_flavor_ref){plan_resource_names[r], plan_flavor_names[ps->flavor[r]]};
            ret->usage[k][a->nusage++] = (struct fact_amount){
                plan_resource_names[r], quantity_from_i64(each * ps->count * plan_unit(r))};
        }
    }
    ret->admission = (struct fact_admission){plan_cq_names[w->cq], ret->assignments, (uint32_t)w->npod_sets};
    ret->f.admission = &ret->admission;
    when_ns since = w->created + 5 * NS_PER_S;
    ret->conds[0] = (struct fact_condition){COND_QUOTA_RESERVED, STATUS_TRUE, "QuotaReserved", "", since, 1};
    ret->conds[1] = (struct fact_condition){COND_ADMITTED, STATUS_TRUE, "Admitted", "", since, 1};
    ret->f.nconditions = 2;
}
