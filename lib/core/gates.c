#include "core/gates.h"

#include <string.h>

struct gate_row {
    const char *name;
    bool on, locked;
    const char *needs[2]; /* gates that must be on for this one */
};

#define TAS_NEEDS                                                                                            \
    {                                                                                                        \
        "TopologyAwareScheduling"                                                                            \
    }

/* The rows of `enum gate` come first, in its order. */
static const struct gate_row rows[] = {
    [GATE_PARTIAL_ADMISSION] = {"PartialAdmission", true},
    [GATE_FLAVOR_FUNGIBILITY] = {"FlavorFungibility", true},
    [GATE_DISABLE_WAIT_FOR_PODS_READY] = {"DisableWaitForPodsReady", false},
    [GATE_PRIORITY_SORTING] = {"PrioritySortingWithinCohort", true},
    [GATE_FAIR_WITHIN_NOMINAL] = {"FairSharingPreemptWithinNominal", true},
    [GATE_FAIR_PRIORITIZE_NON_BORROWING] = {"FairSharingPrioritizeNonBorrowing", true},
    [GATE_TAS] = {"TopologyAwareScheduling", true},
    [GATE_ADMISSION_FAIR_SHARING] = {"AdmissionFairSharing", true},
    [GATE_RECLAIMABLE_PODS] = {"ReclaimablePods", true},
    [GATE_EQUIVALENCE_HASHING] = {"SchedulingEquivalenceHashing", true},
    [GATE_ORCHESTRATED_PREEMPTION] = {"MultiKueueOrchestratedPreemption", false},
    [GATE_PRIORITY_BOOST] = {"PriorityBoost", false},
    [GATE_ADMISSION_GATED_BY] = {"AdmissionGatedBy", true},
    [GATE_CONCURRENT_ADMISSION] = {"ConcurrentAdmission", false},
    [GATE_QUOTA_CHECK_STRATEGY] = {"QuotaCheckStrategy", true},
    [GATE_OBSERVABILITY] = {"UnadmittedWorkloadsObservability", true},
    [GATE_EXPLICIT_STATUS] = {"UnadmittedWorkloadsExplicitStatus",
                              false,
                              false,
                              {"UnadmittedWorkloadsObservability"}},
    [GATE_PREEMPTORS_FIRST] = {"PrioritizePreemptorWorkloads", false},
    [GATE_PRESERVE_SCAN] = {"FlavorFungibilityPreserveScanProgress", true, false, {"FlavorFungibility"}},
    [GATE_RECOMPUTE_ON_OVERLAP] = {"RecomputeAssignmentUponPreemptionTargetsOverlap", true},
    {"VisibilityOnDemand", true},
    {"MultiKueue", true},
    {"LocalQueueMetrics", true},
    {"TASProfileMixed", true, false, TAS_NEEDS},
    {"TASFailedNodeReplacement", true, false, TAS_NEEDS},
    {"ElasticJobsViaWorkloadSlices", true},
    {"ElasticJobsViaWorkloadSlicesWithTAS",
     false,
     false,
     {"ElasticJobsViaWorkloadSlices", "TopologyAwareScheduling"}},
    {"TASFailedNodeReplacementFailFast",
     true,
     false,
     {"TopologyAwareScheduling", "TASFailedNodeReplacement"}},
    {"TASReplaceNodeOnPodTermination", true, false, {"TopologyAwareScheduling", "TASFailedNodeReplacement"}},
    {"SkipReassignmentForPodOwnedWorkloads", true},
    {"TASReplaceNodeDueToNotReadyOverFixedTime",
     false,
     false,
     {"TopologyAwareScheduling", "TASFailedNodeReplacement"}},
    {"ManagedJobsNamespaceSelectorAlwaysRespected", true, true},
    {"TASBalancedPlacement", false, false, TAS_NEEDS},
    {"TASAssignmentsEncodingByHostnamePrefix", true},
    {"KueueDRAIntegration", true},
    {"KueueDRAIntegrationExtendedResource", true, false, {"KueueDRAIntegration"}},
    {"KueueDRARejectWorkloadsWhenDRADisabled", true},
    {"KueueDRAIntegrationPartitionableDevices", true, false, {"KueueDRAIntegration"}},
    {"KueueDRAIntegrationConsumableCapacity", false, false, {"KueueDRAIntegration"}},
    {"MultiKueueAdaptersForCustomJobs", true},
    {"WorkloadRequestUseMergePatch", false},
    {"MultiKueueKubeConfigPathValidation", true},
    {"MultiKueueClusterProfile", false},
    {"FailureRecoveryPolicy", false},
    {"TLSOptions", true, true},
    {"RemoveFinalizersWithStrictPatch", true},
    {"TASReplaceNodeOnNodeTaints", true, false, TAS_NEEDS},
    {"AssignQueueLabelsForPods", true},
    {"TASMultiLayerTopology", true, false, TAS_NEEDS},
    {"CustomMetricLabels", false},
    {"SparkApplicationIntegration", false},
    {"ShortWorkloadNames", false},
    {"FastQuotaReleaseInPodIntegration", false},
    {"RejectUpdatesToCQWithInvalidOnFlavors", false},
    {"FinishOrphanedWorkloads", true},
    {"MultiKueueIncrementalDispatcherConfig", true},
    {"MultiKueueIncrementalDispatcherRespectConfigOrder", true},
    {"MetricForWorkloadCreationLatency", true},
    {"TASRespectNodeAffinityPreferred", false, false, TAS_NEEDS},
    {"MultiKueueManagerQuotaAutomation", false},
    {"WorkloadIdentifierAnnotations", true},
    {"WorkloadPriorityClassDefaulting", true},
    {"MetricsForCohorts", true},
    {"CleanupProvisioningRequestsOnEviction", true},
    {"TASHandleOverlappingFlavors", true, false, TAS_NEEDS},
    {"TASRecomputeAssignmentWithinSchedulingCycle", true, false, TAS_NEEDS},
    {"DeferRayServiceFinalizationForRedisCleanup", true},
    {"TASCacheNodeMatchResults", true},
    {"TASCachingRemainingResources", true},
    {"TASCacheTopologyTree", true},
    {"SchedulerLibraryIntegration", false},
    {"VectorizedResourceRequests", true},
    {"WorkloadValidateResourcesAreNonNegative", true},
    {"TASValidateWorkloadSliceSize", true},
    {"WorkloadValidationForPodSetMetadata", true},
    {"LWSImmutableGroupSize", true},
    {"SkipAncestorCheckForDeletedWorkloads", true},
    {"MultiKueueRemoteSpecSync", true},
    {"PodIntegrationValidateGroupOwner", true},
    {"ValidateRayAndSparkJobUpdates", true},
};

#define NROWS (sizeof rows / sizeof rows[0])
_Static_assert(NROWS <= 128, "struct gates has 128 bits");

static void put(struct gates *g, size_t row, bool on)
{
    uint64_t bit = UINT64_C(1) << (row % 64);
    g->on[row / 64] = on ? g->on[row / 64] | bit : g->on[row / 64] & ~bit;
}

static bool get(const struct gates *g, size_t row)
{
    return g->on[row / 64] >> (row % 64) & 1;
}

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < NROWS && strcmp(rows[i].name, name) != 0)
        i++;
    return i;
}

struct gates gates_default(void)
{
    struct gates g = {{0, 0}};
    for (size_t i = 0; i < NROWS; i++)
        put(&g, i, rows[i].on);
    return g;
}

static bool row_needs(size_t row, size_t other)
{
    for (int k = 0; k < 2; k++)
        if (rows[row].needs[k] && strcmp(rows[row].needs[k], rows[other].name) == 0)
            return true;
    return false;
}

/* Dependencies are two levels deep at most, so the recursion is bounded. */
static void switch_gate(struct gates *g, size_t row, bool on)
{
    put(g, row, on);
    for (size_t i = 0; i < NROWS; i++) {
        bool follows = on ? row_needs(row, i) : row_needs(i, row);
        if (follows && get(g, i) != on)
            switch_gate(g, i, on);
    }
}

int gates_set(struct gates *g, const char *name, bool on, struct err *err)
{
    size_t row = find(name);
    if (row == NROWS)
        return err_set(err, ERR_NOTFOUND, "unknown feature gate %s", name);
    if (rows[row].locked && rows[row].on != on)
        return err_set(err, ERR_STATE, "cannot set feature gate %s to %s, feature is locked to %s", name,
                       on ? "true" : "false", on ? "false" : "true");
    switch_gate(g, row, on);
    return 0;
}

bool gate_on(const struct gates *g, enum gate gate)
{
    return get(g, (size_t)gate);
}

bool gate_known(const char *name)
{
    return find(name) < NROWS;
}

bool gate_named(const struct gates *g, const char *name)
{
    size_t row = find(name);
    return row < NROWS && get(g, row);
}

static void add_text(char *buf, size_t cap, size_t *len, const char *text)
{
    size_t n = strlen(text), room = cap - 1 - *len;
    n = n < room ? n : room;
    memcpy(buf + *len, text, n);
    *len += n;
    buf[*len] = '\0';
}

/* "X is enabled, but depends on features that are disabled: [Y Z]"; false when it is content. */
static bool add_unmet(const struct gates *g, size_t row, char *buf, size_t cap, size_t *len)
{
    bool any = false;
    for (int k = 0; get(g, row) && k < 2; k++) {
        const char *need = rows[row].needs[k];
        if (!need || get(g, find(need)))
            continue;
        if (!any) {
            add_text(buf, cap, len, *len ? ", " : "");
            add_text(buf, cap, len, rows[row].name);
            add_text(buf, cap, len, " is enabled, but depends on features that are disabled: [");
        }
        add_text(buf, cap, len, any ? " " : "");
        add_text(buf, cap, len, need);
        any = true;
    }
    add_text(buf, cap, len, any ? "]" : "");
    return any;
}

int gates_consistent(const struct fact_gate *list, uint32_t n, struct err *err)
{
    struct gates g = gates_default();
    char text[900] = "";
    size_t len = 0, count = 0;
    for (uint32_t i = 0; i < n; i++) {
        size_t row = find(list[i].name);
        if (row < NROWS)
            put(&g, row, list[i].on);
    }
    for (size_t i = 0; i < NROWS; i++)
        count += add_unmet(&g, i, text, sizeof(text), &len);
    if (!count)
        return 0;
    return err_set(err, ERR_INVALID, count > 1 ? "[%s]" : "%s", text);
}
