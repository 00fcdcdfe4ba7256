#include "random/plan.h"

#include <stdio.h>
#include <string.h>

const char *const plan_weights[6] = {"", "0", "0.5", "1", "2", "3"};
const char *const plan_flavor_names[PLAN_FLAVORS] = {"fa", "fb", "fc"};
const char *const plan_resource_names[PLAN_RESOURCES] = {"cpu", "memory", "pods", "example.com/gpu"};
const char *const plan_cohort_names[PLAN_COHORTS] = {"root", "mid-a", "mid-b", "low-a", "low-b", "other"};
const char *const plan_cq_names[PLAN_CQS] = {"cq0", "cq1", "cq2", "cq3", "cq4", "cq5"};
const char *const plan_lq_names[PLAN_LQS] = {"lq0", "lq1", "lq2", "lq3", "lq4",
                                             "lq5", "lq6", "lq7", "lq8", "lq9"};
const char *const plan_namespace_names[PLAN_NAMESPACES] = {"ns0", "ns1"};

static const char *const some_gates[] = {
    "FlavorFungibility",
    "PrioritySortingWithinCohort",
    "FairSharingPreemptWithinNominal",
    "FairSharingPrioritizeNonBorrowing",
    "SchedulingEquivalenceHashing",
    "PrioritizePreemptorWorkloads",
    "FlavorFungibilityPreserveScanProgress",
    "RecomputeAssignmentUponPreemptionTargetsOverlap",
    "MultiKueueOrchestratedPreemption",
    "PartialAdmission",
};
static const bool gate_settings[] = {false, false, false, false, false, true, false, false, true, false};

const char *plan_workload_name(int i)
{
    static char names[4][8];
    static unsigned next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "w%02d", i);
    return name;
}

int64_t plan_unit(int res)
{
    return res == 1 ? INT64_C(1) << 30 : 1;
}

/* ---- quotas ---------------------------------------------------------------------------------------------------------------- */

void plan_roll_quotas(struct plan *p, struct dice *d, struct plan_group *g, bool cohort)
{
    for (int f = 0; f < g->nflavors; f++)
        for (int r = 0; r < g->nres; r++) {
            struct plan_quota *q = &g->quotas[f][r];
            q->nominal = dice_one_in(d, 6) ? 0 : 1 + (int32_t)dice_below(d, p->dense ? 5 : 10);
            q->borrowing = q->lending = PLAN_NO;
            if (dice_one_in(d, 4))
                q->borrowing = (int32_t)dice_below(d, 6);
            if (dice_one_in(d, 4))
                q->lending = (int32_t)dice_below(d, cohort ? 12 : (uint32_t)q->nominal + 1);
        }
}

/* Some of the flavors, in any order. */
static void roll_flavors(const struct plan *p, struct dice *d, struct plan_group *g, bool *used)
{
    g->nflavors = 0;
    int first = (int)dice_below(d, (uint32_t)p->nflavors);
    for (int i = 0; i < p->nflavors; i++) {
        int f = (first + i) % p->nflavors;
        if (used[f] || (g->nflavors > 0 && dice_one_in(d, 3)))
            continue;
        used[f] = true;
        g->flavors[g->nflavors++] = f;
    }
}

static void roll_groups(struct plan *p, struct dice *d, struct plan_cq *cq)
{
    bool used[PLAN_FLAVORS] = {false};
    bool split = p->nflavors > 1 && p->nres > 1 && dice_one_in(d, 4);
    cq->ngroups = 0;
    for (int from = 0; from < p->nres;) {
        struct plan_group *g = &cq->groups[cq->ngroups++];
        int to = split && from == 0 ? 1 : p->nres;
        g->nres = 0;
        for (; from < to; from++)
            g->res[g->nres++] = p->res[from];
        if (split && cq->ngroups == 1) { /* leaves a flavor for the second group */
            g->nflavors = 1;
            g->flavors[0] = (int)dice_below(d, (uint32_t)p->nflavors);
            used[g->flavors[0]] = true;
        } else {
            roll_flavors(p, d, g, used);
        }
        plan_roll_quotas(p, d, g, false);
    }
}

/* ---- queues and cohorts ---------------------------------------------------------------------------------------------------- */

void plan_roll_policies(struct plan_cq *cq, struct dice *d)
{
    static const enum preempt_policy reclaim[] = {POLICY_NEVER, POLICY_LOWER_PRIORITY, POLICY_ANY,
                                                  POLICY_ANY};
    static const enum preempt_policy within[] = {POLICY_NEVER, POLICY_LOWER_PRIORITY,
                                                 POLICY_LOWER_OR_NEWER_EQUAL, POLICY_LOWER_OR_NEWER_EQUAL};
    cq->strategy = dice_one_in(d, 3) ? STRATEGY_STRICT_FIFO : STRATEGY_BEST_EFFORT_FIFO;
    cq->borrow = FUNGIBILITY_MAY_STOP + dice_below(d, 2);
    cq->preempt = FUNGIBILITY_MAY_STOP + dice_below(d, 2);
    cq->preference = (enum fungibility_preference)dice_below(d, 3);
    cq->preemption = (struct fact_preemption){.within_cluster_queue = within[dice_below(d, 4)],
                                              .reclaim_within_cohort = reclaim[dice_below(d, 4)]};
    if (cq->preemption.reclaim_within_cohort != POLICY_NEVER && dice_one_in(d, 2)) {
        cq->preemption.borrow_within_cohort = true;
        cq->preemption.borrow_policy = (enum preempt_policy)dice_below(d, 2);
        if (cq->preemption.borrow_policy != POLICY_NEVER && dice_one_in(d, 2)) {
            cq->preemption.has_threshold = true;
            cq->preemption.max_priority_threshold = (int32_t)dice_below(d, 4) * 10;
        }
    }
    cq->weight = (int)dice_below(d, 6);
    cq->stop = STOP_NONE;
    if (dice_one_in(d, 24))
        cq->stop = dice_one_in(d, 2) ? STOP_HOLD_AND_DRAIN : STOP_HOLD;
}

static void roll_cohorts(struct plan *p, struct dice *d)
{
    static const int parents[PLAN_COHORTS] = {PLAN_NO, 0, 0, 1, 2, PLAN_NO};
    int depth = p->dense ? 1 + (int)dice_below(d, 2) : (int)dice_below(d, 4); /* 0: none */
    p->ncohorts = depth == 0 ? (int)dice_below(d, 2) : depth == 1 ? 1 : depth == 2 ? 3 : PLAN_COHORTS;
    for (int i = 0; i < p->ncohorts; i++) {
        struct plan_cohort *c = &p->cohorts[i];
        *c =
            (struct plan_cohort){.object = parents[i] != PLAN_NO || !dice_one_in(d, 3), .parent = parents[i]};
        c->weight = (int)dice_below(d, 6);
        c->quotas = c->object && dice_one_in(d, 3);
        c->group.nres = p->nres;
        memcpy(c->group.res, p->res, sizeof p->res);
        c->group.nflavors = p->nflavors;
        for (int f = 0; f < p->nflavors; f++)
            c->group.flavors[f] = f;
        plan_roll_quotas(p, d, &c->group, true);
    }
}

static void roll_queues(struct plan *p, struct dice *d)
{
    p->ncqs = p->dense ? 2 + (int)dice_below(d, 4) : 1 + (int)dice_below(d, PLAN_CQS);
    p->nlqs = 0;
    for (int i = 0; i < p->ncqs; i++) {
        struct plan_cq *cq = &p->cqs[i];
        *cq = (struct plan_cq){.generation = 1, .exists = true, .cohort = PLAN_NO};
        if (p->ncohorts && (p->dense || !dice_one_in(d, 10)))
            cq->cohort = (int)dice_below(d, (uint32_t)p->ncohorts);
        cq->afs = p->afs && dice_one_in(d, 2);
        cq->labelled_only = dice_one_in(d, 12);
        roll_groups(p, d, cq);
        plan_roll_policies(cq, d);
        if (p->dense && !dice_one_in(d, 6))
            cq->preemption.reclaim_within_cohort = POLICY_ANY;
        int n = dice_one_in(d, 3) && p->nlqs + 2 <= PLAN_LQS ? 2 : 1;
        while (n-- > 0 && p->nlqs < PLAN_LQS)
            p->lqs[p->nlqs++] = (struct plan_lq){.exists = true,
                                                 .ns = (int)dice_below(d, PLAN_NAMESPACES),
                                                 .cq = i,
                                                 .weight = p->afs ? (int)dice_below(d, 6) : 0};
    }
}

/* ---- Workloads -------------------------------------------------------------------------------------------------------------- */

static void roll_pod_set(const struct plan *p, struct dice *d, struct plan_pod_set *ps)
{
    *ps = (struct plan_pod_set){.count = dice_one_in(d, 3) ? 2 + (int32_t)dice_below(d, 2) : 1,
                                .selector = PLAN_NO};
    if (dice_one_in(d, 5))
        ps->min_count = 1 + (int32_t)dice_below(d, (uint32_t)ps->count);
    for (int i = 0; i < p->nres; i++)
        if (p->res[i] != 2 && !dice_one_in(d, 8))
            ps->req[p->res[i]] =
                1 + (int32_t)(!p->dense && dice_one_in(d, 4) ? dice_below(d, 8) : dice_below(d, 3));
    if (dice_one_in(d, 60))
        ps->req[3] = 1;
    if (dice_one_in(d, 12))
        ps->selector = (int)dice_below(d, (uint32_t)p->nflavors);
    if (dice_one_in(d, 12))
        ps->affinity = 1 + (int)dice_below(d, 4);
    ps->tolerates = dice_one_in(d, 2);
}

int plan_roll_workload(struct plan *p, struct dice *d, when_ns created)
{
    if (p->nworkloads == PLAN_WORKLOADS)
        return PLAN_NO;
    int i = p->nworkloads++;
    struct plan_workload *w = &p->workloads[i];
    *w = (struct plan_workload){
        .exists = true, .lq = (int)dice_below(d, (uint32_t)p->nlqs), .created = created};
    w->npod_sets = dice_one_in(d, 6) ? 2 + (int)dice_below(d, 2) : 1;
    for (int k = 0; k < w->npod_sets; k++)
        roll_pod_set(p, d, &w->pod_sets[k]);
    w->priority = (int32_t)dice_below(d, 4) * 10;
    w->closed_gate = dice_one_in(d, 30);
    w->uid = (uint32_t)(dice_below(d, 256) << 8 | (uint32_t)i);
    return i;
}

/* The flavors that the holder has, all of them from its ClusterQueue; false if a resource has none there. */
static bool roll_admission(const struct plan *p, struct dice *d, struct plan_workload *w)
{
    const struct plan_cq *cq = &p->cqs[w->cq];
    for (int k = 0; k < w->npod_sets; k++) {
        struct plan_pod_set *ps = &w->pod_sets[k];
        for (int r = 0; r < PLAN_RESOURCES; r++)
            ps->flavor[r] = PLAN_NO;
        for (int g = 0; g < cq->ngroups; g++) {
            if (!cq->groups[g].nflavors)
                return false;
            int f = cq->groups[g].flavors[dice_below(d, (uint32_t)cq->groups[g].nflavors)];
            for (int r = 0; r < cq->groups[g].nres; r++)
                ps->flavor[cq->groups[g].res[r]] = f;
        }
        if (ps->req[3] && ps->flavor[3] == PLAN_NO)
            return false;
    }
    return true;
}

/* Keeps a queue from being far over its quota: a tree that is over everywhere decides nothing. */
static bool has_room(const struct plan *p, const struct plan_workload *w,
                     int32_t used[PLAN_CQS][PLAN_FLAVORS][PLAN_RESOURCES])
{
    const struct plan_cq *cq = &p->cqs[w->cq];
    for (int k = 0; k < w->npod_sets; k++)
        for (int g = 0; g < cq->ngroups; g++)
            for (int r = 0; r < cq->groups[g].nres; r++)
                for (int f = 0; f < cq->groups[g].nflavors; f++) {
                    int res = cq->groups[g].res[r], fl = cq->groups[g].flavors[f];
                    int32_t v = (res == 2 ? 1 : w->pod_sets[k].req[res]) * w->pod_sets[k].count;
                    int32_t most = cq->groups[g].quotas[f][r].nominal + (cq->cohort == PLAN_NO ? 0 : 5);
                    if (w->pod_sets[k].flavor[res] == fl && used[w->cq][fl][res] + v > most)
                        return false;
                }
    for (int k = 0; k < w->npod_sets; k++)
        for (int r = 0; r < PLAN_RESOURCES; r++)
            if (w->pod_sets[k].flavor[r] != PLAN_NO)
                used[w->cq][w->pod_sets[k].flavor[r]][r] +=
                    (r == 2 ? 1 : w->pod_sets[k].req[r]) * w->pod_sets[k].count;
    return true;
}

static void roll_workloads(struct plan *p, struct dice *d)
{
    int32_t used[PLAN_CQS][PLAN_FLAVORS][PLAN_RESOURCES] = {0};
    int holders = (int)dice_below(d, 16), pending = (p->dense ? 6 : 0) + (int)dice_below(d, 16);
    p->nworkloads = 0;
    for (int i = 0; i < holders; i++) {
        int n = plan_roll_workload(p, d, PLAN_START - (20000 + i) * NS_PER_S);
        if (n == PLAN_NO)
            return;
        struct plan_workload *w = &p->workloads[n];
        w->cq = p->lqs[w->lq].cq;
        w->held = roll_admission(p, d, w) && has_room(p, w, used);
    }
    for (int i = 0; i < pending; i++)
        (void)plan_roll_workload(
            p, d, PLAN_START - (500 + (int64_t)dice_below(d, 200) * PLAN_WORKLOADS + i) * NS_PER_S);
}

static void roll_config(struct plan *p, struct dice *d)
{
    p->fair = dice_one_in(d, 2);
    p->strategies = (int)dice_below(d, 4);
    p->afs = dice_one_in(d, 8);
    p->block_admission = dice_one_in(d, 24);
    p->by_creation = dice_one_in(d, 8);
    p->ignore_undeclared = dice_one_in(d, 12);
    p->ngates = dice_one_in(d, 4) ? 1 + (int)dice_below(d, PLAN_GATES) : 0;
    for (int i = 0; i < p->ngates; i++) {
        uint32_t g = dice_below(d, sizeof some_gates / sizeof some_gates[0]);
        p->gates[i] = (struct fact_gate){some_gates[g], gate_settings[g]};
    }
}

void plan_roll(struct plan *p, struct dice *d)
{
    *p = (struct plan){0};
    p->dense = dice_one_in(d, 2);
    roll_config(p, d);
    p->nflavors = 1 + (int)dice_below(d, p->dense ? 2 : PLAN_FLAVORS);
    for (int i = 0; i < p->nflavors; i++)
        p->flavors[i] = (struct plan_flavor){!dice_one_in(d, 40), dice_one_in(d, 2), dice_one_in(d, 6)};
    static const int sets[][PLAN_RESOURCES] = {{0}, {0, 1}, {0, 2}, {0, 1, 2}, {0, 3}, {3, 0, 2}};
    static const int lengths[] = {1, 2, 2, 3, 2, 3};
    uint32_t set = dice_below(d, p->dense ? 2 : 6);
    p->nres = lengths[set];
    memcpy(p->res, sets[set], sizeof p->res);
    for (int i = 0; i < PLAN_NAMESPACES; i++)
        p->ns_labelled[i] = dice_one_in(d, 2);
    roll_cohorts(p, d);
    roll_queues(p, d);
    roll_workloads(p, d);
    plan_tidy(p);
}

static void drop_limits(struct plan_group *g)
{
    for (int f = 0; f < g->nflavors; f++)
        for (int r = 0; r < g->nres; r++)
            g->quotas[f][r].borrowing = g->quotas[f][r].lending = PLAN_NO;
}

void plan_tidy(struct plan *p)
{
    for (int i = 0; i < p->ncqs; i++) {
        struct plan_cq *cq = &p->cqs[i];
        for (int g = 0; g < cq->ngroups && cq->cohort == PLAN_NO; g++)
            drop_limits(&cq->groups[g]);
        if (cq->borrow != FUNGIBILITY_TRY_NEXT || cq->preempt != FUNGIBILITY_TRY_NEXT)
            cq->preference = PREFER_UNSET;
    }
    for (int i = 0; i < p->ncohorts; i++)
        if (p->cohorts[i].parent == PLAN_NO)
            drop_limits(&p->cohorts[i].group);
}

int plan_size(const struct plan *p)
{
    int n = p->ngates + p->afs + p->block_admission;
    for (int i = 0; i < p->nflavors; i++)
        n += p->flavors[i].exists + p->flavors[i].labelled + p->flavors[i].tainted;
    for (int i = 0; i < p->ncohorts; i++)
        n += p->cohorts[i].object ? 1 + p->cohorts[i].quotas : 0;
    for (int i = 0; i < p->ncqs; i++)
        n += p->cqs[i].exists ? 2 * p->cqs[i].ngroups : 0;
    for (int i = 0; i < p->nlqs; i++)
        n += p->lqs[i].exists;
    for (int i = 0; i < p->nworkloads; i++)
        n += p->workloads[i].exists ? 1 + p->workloads[i].npod_sets : 0;
    return n;
}
