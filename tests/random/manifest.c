/* Writes a plan as ordinary manifests, with what a simulation of it needs. */
#include "base/str.h"
#include "base/when.h"
#include "random/plan.h"

#include <string.h>

static void begin(struct str *out, const char *version, const char *kind, const char *ns, const char *name)
{
    str_addf(out, "---\napiVersion: %s\nkind: %s\nmetadata:\n", version, kind);
    if (*ns)
        str_addf(out, "  namespace: %s\n", ns);
    str_addf(out, "  name: %s\n", name);
}

static void write_config(const struct plan *p, struct str *out)
{
    static const char *const strategies[] = {"[LessThanOrEqualToFinalShare, LessThanInitialShare]",
                                             "[LessThanOrEqualToFinalShare]", "[LessThanInitialShare]",
                                             "[LessThanOrEqualToFinalShare, LessThanInitialShare]"};
    str_add(out, "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n");
    if (p->fair)
        str_addf(out, "fairSharing:\n  preemptionStrategies: %s\n", strategies[p->strategies]);
    if (p->afs)
        str_add(out, "admissionFairSharing:\n  usageHalfLifeTime: 10m\n  usageSamplingInterval: 5m\n");
    if (p->block_admission)
        str_add(out, "waitForPodsReady:\n  blockAdmission: true\n");
    if (p->ignore_undeclared)
        str_add(out, "resources:\n  quotaCheckStrategy: IgnoreUndeclared\n");
    if (p->ngates)
        str_add(out, "featureGates:\n");
    for (int i = 0; i < p->ngates; i++)
        str_addf(out, "  %s: %s\n", p->gates[i].name, p->gates[i].on ? "true" : "false");
}

static void write_flavor(const struct plan *p, int i, struct str *out)
{
    const struct plan_flavor *f = &p->flavors[i];
    begin(out, "kueue.x-k8s.io/v1beta2", "ResourceFlavor", "", plan_flavor_names[i]);
    if (!f->labelled && !f->tainted)
        return;
    str_add(out, "spec:\n");
    if (f->labelled)
        str_addf(out, "  nodeLabels:\n    pool: %s\n", plan_flavor_names[i]);
    if (f->tainted)
        str_add(out, "  nodeTaints:\n    - key: dedicated\n      value: \"yes\"\n      effect: NoSchedule\n");
}

/* ---- quotas -------------------------------------------------------------------------------------------------------------------- */

static void write_quantity(struct str *out, const char *name, int32_t v, int res)
{
    str_addf(out, "%s: \"%d%s\"", name, v, v && plan_unit(res) > 1 ? "Gi" : "");
}

static void write_group(const struct plan_group *g, struct str *out)
{
    str_add(out, "    - coveredResources: [");
    for (int r = 0; r < g->nres; r++)
        str_addf(out, "%s%s", r ? ", " : "", plan_resource_names[g->res[r]]);
    str_add(out, "]\n      flavors:\n");
    for (int f = 0; f < g->nflavors; f++) {
        str_addf(out, "        - name: %s\n          resources:\n", plan_flavor_names[g->flavors[f]]);
        for (int r = 0; r < g->nres; r++) {
            const struct plan_quota *q = &g->quotas[f][r];
            str_addf(out, "            - {name: %s, ", plan_resource_names[g->res[r]]);
            write_quantity(out, "nominalQuota", q->nominal, g->res[r]);
            if (q->borrowing != PLAN_NO) {
                str_add(out, ", ");
                write_quantity(out, "borrowingLimit", q->borrowing, g->res[r]);
            }
            if (q->lending != PLAN_NO) {
                str_add(out, ", ");
                write_quantity(out, "lendingLimit", q->lending, g->res[r]);
            }
            str_add(out, "}\n");
        }
    }
}

static void write_weight(struct str *out, int weight)
{
    if (weight)
        str_addf(out, "  fairSharing:\n    weight: \"%s\"\n", plan_weights[weight]);
}

static void write_cohort(const struct plan *p, int i, struct str *out)
{
    const struct plan_cohort *c = &p->cohorts[i];
    begin(out, "kueue.x-k8s.io/v1beta2", "Cohort", "", plan_cohort_names[i]);
    if (c->parent == PLAN_NO && !c->quotas && !c->weight) {
        str_add(out, "spec: {}\n");
        return;
    }
    str_add(out, "spec:\n");
    if (c->parent != PLAN_NO)
        str_addf(out, "  parentName: %s\n", plan_cohort_names[c->parent]);
    write_weight(out, c->weight);
    if (c->quotas) {
        str_add(out, "  resourceGroups:\n");
        write_group(&c->group, out);
    }
}

/* ---- queues -------------------------------------------------------------------------------------------------------------------- */

static const char *const policies[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any"};
static const char *const stops[] = {"None", "Hold", "HoldAndDrain"};

static void write_preemption(const struct fact_preemption *f, struct str *out)
{
    str_addf(out, "  preemption:\n    withinClusterQueue: %s\n    reclaimWithinCohort: %s\n",
             policies[f->within_cluster_queue], policies[f->reclaim_within_cohort]);
    if (!f->borrow_within_cohort)
        return;
    str_addf(out, "    borrowWithinCohort:\n      policy: %s\n", policies[f->borrow_policy]);
    if (f->has_threshold)
        str_addf(out, "      maxPriorityThreshold: %d\n", f->max_priority_threshold);
}

static void write_cq(const struct plan *p, int i, struct str *out)
{
    static const char *const fungibility[] = {"", "MayStopSearch", "TryNextFlavor"};
    static const char *const preferences[] = {"", "BorrowingOverPreemption", "PreemptionOverBorrowing"};
    const struct plan_cq *c = &p->cqs[i];
    begin(out, "kueue.x-k8s.io/v1beta2", "ClusterQueue", "", plan_cq_names[i]);
    str_add(out, "spec:\n");
    if (c->cohort != PLAN_NO)
        str_addf(out, "  cohortName: %s\n", plan_cohort_names[c->cohort]);
    str_add(out, c->labelled_only ? "  namespaceSelector:\n    matchLabels:\n      team: a\n"
                                  : "  namespaceSelector: {}\n");
    str_addf(out, "  queueingStrategy: %s\n",
             c->strategy == STRATEGY_STRICT_FIFO ? "StrictFIFO" : "BestEffortFIFO");
    if (c->stop != STOP_NONE)
        str_addf(out, "  stopPolicy: %s\n", stops[c->stop]);
    if (c->afs)
        str_add(out, "  admissionScope:\n    admissionMode: UsageBasedAdmissionFairSharing\n");
    write_weight(out, c->weight);
    str_add(out, "  resourceGroups:\n");
    for (int g = 0; g < c->ngroups; g++)
        write_group(&c->groups[g], out);
    str_addf(out, "  flavorFungibility:\n    whenCanBorrow: %s\n    whenCanPreempt: %s\n",
             fungibility[c->borrow], fungibility[c->preempt]);
    if (c->preference != PREFER_UNSET)
        str_addf(out, "    preference: %s\n", preferences[c->preference]);
    write_preemption(&c->preemption, out);
}

static void write_lq(const struct plan *p, int i, struct str *out)
{
    const struct plan_lq *q = &p->lqs[i];
    begin(out, "kueue.x-k8s.io/v1beta2", "LocalQueue", plan_namespace_names[q->ns], plan_lq_names[i]);
    str_addf(out, "spec:\n  clusterQueue: %s\n", plan_cq_names[q->cq]);
    if (q->stop != STOP_NONE)
        str_addf(out, "  stopPolicy: %s\n", stops[q->stop]);
    write_weight(out, q->weight);
}

/* ---- Workloads ------------------------------------------------------------------------------------------------------------------ */

static const char *const pod_set_names[PLAN_POD_SETS] = {"main", "driver", "worker"};

static void write_affinity(int affinity, struct str *out)
{
    static const char *const exprs[] = {
        "", "{key: pool, operator: In, values: [fa, fb]}", "{key: pool, operator: NotIn, values: [fa]}",
        "{key: pool, operator: Exists}", "{key: pool, operator: In, values: [fc]}"};
    if (!affinity)
        return;
    str_addf(out,
             "          affinity:\n            nodeAffinity:\n              "
             "requiredDuringSchedulingIgnoredDuringExecution:\n"
             "                nodeSelectorTerms:\n                  - matchExpressions: [%s]\n",
             exprs[affinity]);
    if (affinity == 4)
        str_addf(out, "                  - matchExpressions: [%s]\n", exprs[2]);
}

static void write_pod_set(const struct plan_pod_set *ps, int k, struct str *out)
{
    str_addf(out, "    - name: %s\n      count: %d\n", pod_set_names[k], ps->count);
    if (ps->min_count)
        str_addf(out, "      minCount: %d\n", ps->min_count);
    str_add(out, "      template:\n        spec:\n          containers:\n            - name: c\n             "
                 " resources:\n"
                 "                requests: {");
    bool first = true;
    for (int r = 0; r < PLAN_RESOURCES; r++)
        if (ps->req[r]) {
            str_add(out, first ? "" : ", ");
            write_quantity(out, plan_resource_names[r], ps->req[r], r);
            first = false;
        }
    str_add(out, "}\n");
    if (ps->selector != PLAN_NO)
        str_addf(out, "          nodeSelector:\n            pool: %s\n", plan_flavor_names[ps->selector]);
    write_affinity(ps->affinity, out);
    if (ps->tolerates)
        str_add(out, "          tolerations:\n            - {key: dedicated, operator: Equal, value: "
                     "\"yes\", effect: NoSchedule}\n");
}

static void write_map(const struct plan_pod_set *ps, bool flavors, struct str *out)
{
    bool first = true;
    for (int r = 0; r < PLAN_RESOURCES; r++) {
        int32_t each = r == 2 ? 1 : ps->req[r];
        if (ps->flavor[r] == PLAN_NO || !each)
            continue;
        str_add(out, first ? "" : ", ");
        if (flavors)
            str_addf(out, "%s: %s", plan_resource_names[r], plan_flavor_names[ps->flavor[r]]);
        else
            write_quantity(out, plan_resource_names[r], each * ps->count, r);
        first = false;
    }
}

static void write_status(const struct plan_workload *w, struct str *out)
{
    char since[32];
    when_print(w->created + 5 * NS_PER_S, since, sizeof since);
    str_addf(out, "status:\n  admission:\n    clusterQueue: %s\n    podSetAssignments:\n",
             plan_cq_names[w->cq]);
    for (int k = 0; k < w->npod_sets; k++) {
        str_addf(out, "      - name: %s\n        count: %d\n        flavors: {", pod_set_names[k],
                 w->pod_sets[k].count);
        write_map(&w->pod_sets[k], true, out);
        str_add(out, "}\n        resourceUsage: {");
        write_map(&w->pod_sets[k], false, out);
        str_add(out, "}\n");
    }
    str_addf(out,
             "  conditions:\n    - {type: QuotaReserved, status: \"True\", reason: QuotaReserved, message: "
             "\"Quota reserved in "
             "ClusterQueue %s\", lastTransitionTime: \"%s\", observedGeneration: 1}\n"
             "    - {type: Admitted, status: \"True\", reason: Admitted, message: The workload is admitted, "
             "lastTransitionTime: "
             "\"%s\", observedGeneration: 1}\n",
             plan_cq_names[w->cq], since, since);
}

static void write_workload(const struct plan *p, int i, struct str *out)
{
    const struct plan_workload *w = &p->workloads[i];
    char created[32], start[32];
    when_print(w->created, created, sizeof created);
    when_print(PLAN_START, start, sizeof start);
    begin(out, "kueue.x-k8s.io/v1beta2", "Workload", plan_namespace_names[p->lqs[w->lq].ns],
          plan_workload_name(i));
    str_addf(out, "  uid: u%05x\n  creationTimestamp: \"%s\"\n", w->uid, created);
    if (!w->held)
        str_addf(out, "  annotations:\n    sim/arrive-at: \"%s\"\n", start);
    str_addf(out, "spec:\n  queueName: %s\n  priority: %d\n  podSets:\n", plan_lq_names[w->lq], w->priority);
    for (int k = 0; k < w->npod_sets; k++)
        write_pod_set(&w->pod_sets[k], k, out);
    if (w->held)
        write_status(w, out);
}

void plan_write(const struct plan *p, int max_cycles, struct str *out)
{
    str_addf(out, "# sim: maxCycles=%d\n", max_cycles);
    write_config(p, out);
    for (int i = 0; i < p->nflavors; i++)
        if (p->flavors[i].exists)
            write_flavor(p, i, out);
    for (int i = 0; i < PLAN_NAMESPACES; i++) {
        begin(out, "v1", "Namespace", "", plan_namespace_names[i]);
        if (p->ns_labelled[i])
            str_add(out, "  labels:\n    team: a\n");
    }
    for (int i = 0; i < p->ncohorts; i++)
        if (p->cohorts[i].object)
            write_cohort(p, i, out);
    for (int i = 0; i < p->ncqs; i++)
        if (p->cqs[i].exists)
            write_cq(p, i, out);
    for (int i = 0; i < p->nlqs; i++)
        if (p->lqs[i].exists)
            write_lq(p, i, out);
    for (int i = 0; i < p->nworkloads; i++)
        if (p->workloads[i].exists)
            write_workload(p, i, out);
}
