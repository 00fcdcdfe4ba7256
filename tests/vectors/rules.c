/* What is skipped whatever the handler: parts of the system that come later. All such rules are here. */
#include "vec.h"

#include <string.h>

#define TOPOLOGY "topology-aware placement comes later"
#define DEVICES "device requests (DRA) come later"
#define SLICES "elastic workload slices come later"
#define VARIANTS "concurrent admission comes later"
#define MULTIKUEUE "MultiKueue comes later"

static const struct {
    const char *prefix, *reason;
} tables[] = {
    {"controller_", "controllers come later"},
    {"visibility_", "the listing of pending Workloads comes later"},
    {"dra__", DEVICES},
    {"util_dra__", DEVICES},
    {"util_tas__", TOPOLOGY},
    {"workloadslicing__", SLICES},
};

/* Keys and strings anywhere in a case that say what it is about. */
static const struct {
    const char *key, *reason;
} keys[] = {
    {"topologyName", TOPOLOGY},
    {"topologyRequest", TOPOLOGY},
    {"topologyAssignment", TOPOLOGY},
    {"delayedTopologyRequest", TOPOLOGY},
    {"tasRequests", TOPOLOGY},
    {"nodeUsage", TOPOLOGY},
    {"unhealthyNodes", TOPOLOGY},
    {"resourceClaims", DEVICES},
    {"draResources", DEVICES},
    {"preprocessedDRAResources", DEVICES},
    {"deviceClassMappings", DEVICES},
    {"kueue.x-k8s.io/elastic-job", SLICES},
    {"kueue.x-k8s.io/workload-slice-name", SLICES},
    {"kueue.x-k8s.io/workload-slice-replacement-for", SLICES},
    {"preemptWorkloadSlice", SLICES},
    {"replaceWorkloadSlice", SLICES},
    {"isElastic", SLICES},
    {"concurrentAdmissionPolicy", VARIANTS},
    {"kueue.x-k8s.io/allowed-resource-flavors", VARIANTS},
    {"allowedFlavors", VARIANTS},
    {"clusterName", MULTIKUEUE},
    {"multiKueueConfig", MULTIKUEUE},
};

static const struct {
    const char *text, *reason;
} texts[] = {
    {"Topology", TOPOLOGY},
    {"Node", TOPOLOGY},
    {"kueue.x-k8s.io/multikueue", MULTIKUEUE},
};

/* Gates whose other state is run: those that the specification lists for the core, and those that the engine asks for. */
static const char *const core_gates[] = {
    "PartialAdmission",
    "FlavorFungibility",
    "DisableWaitForPodsReady",
    "PrioritySortingWithinCohort",
    "FairSharingPreemptWithinNominal",
    "FairSharingPrioritizeNonBorrowing",
    "AdmissionFairSharing",
    "ReclaimablePods",
    "SchedulingEquivalenceHashing",
    "AdmissionGatedBy",
    "QuotaCheckStrategy",
    "UnadmittedWorkloadsObservability",
    "FlavorFungibilityPreserveScanProgress",
    "RecomputeAssignmentUponPreemptionTargetsOverlap",
    "PriorityBoost",
    "PrioritizePreemptorWorkloads",
    "UnadmittedWorkloadsExplicitStatus",
    "MultiKueueOrchestratedPreemption",
};

const char *vec_rule_table(const char *table)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strncmp(table, tables[i].prefix, strlen(tables[i].prefix)) == 0)
            return tables[i].reason;
    return NULL;
}

static bool is_empty(const struct doc_node *n)
{
    return n->type == DOC_NULL || ((n->type == DOC_MAP || n->type == DOC_LIST) && !n->n);
}

static const char *about(const struct doc_node *n)
{
    if (!n || is_empty(n))
        return NULL;
    for (size_t i = 0; n->key && i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(n->key, keys[i].key) == 0)
            return keys[i].reason;
    for (size_t i = 0; n->type == DOC_STRING && i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(n->text, texts[i].text) == 0)
            return texts[i].reason;
    const char *reason = NULL;
    for (const struct doc_node *c = n->first; c && !reason; c = c->next)
        reason = about(c);
    return reason;
}

static bool is_core(const char *gate)
{
    for (size_t i = 0; i < sizeof(core_gates) / sizeof(core_gates[0]); i++)
        if (strcmp(core_gates[i], gate) == 0)
            return true;
    return false;
}

static const char *gate_rule(const struct vec *v)
{
    struct gates dflt = gates_default();
    for (uint32_t i = 0; i < v->ngates; i++) {
        struct gates g = dflt;
        if (!is_core(v->gates[i].name) &&
            (gates_set(&g, v->gates[i].name, v->gates[i].on, NULL) || memcmp(&g, &dflt, sizeof(g)) != 0))
            return "a gate that the core does not read is off its default";
    }
    return NULL;
}

const char *vec_rule(const struct vec *v, const struct vec_entry *e)
{
    unsigned flags = e ? e->flags : 0;
    const char *reason = NULL;
    if (!(flags & VEC_NONPORTABLE) && !doc_bool_or(v->test, "portable", false))
        return "the case is not complete as data";
    const struct doc_node *parts[] = {v->input, v->fixtures, v->objects, v->ops, v->want};
    for (size_t i = 0; !reason && !(flags & VEC_ANY_CONTENT) && i < sizeof(parts) / sizeof(parts[0]); i++)
        reason = about(parts[i]);
    if (!reason && !(flags & VEC_ANY_GATES))
        reason = gate_rule(v);
    return reason;
}
