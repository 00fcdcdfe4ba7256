#include "api_test.h"
#include "base/str.h"

/* ---- ClusterQueue (engine.md 1.2) --------------------------------------------------------------------------------------- */

#define RG(covered, resources)                                                                               \
    "resourceGroups: [{coveredResources: [" covered "], flavors: [{name: f, resources: [" resources "]}]}]"
#define CPU "{name: cpu, nominalQuota: 10}"

static const struct row rules[] = {
    {"{}", NULL},
    {"{" RG("cpu", CPU) "}", NULL},
    {"{" RG("cpu, memory", CPU ", {name: memory, nominalQuota: 1Gi}") "}", NULL},
    {"{" RG("cpu, memory", "{name: memory, nominalQuota: 1}, {name: memory, nominalQuota: 1}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].name: Invalid value: \"memory\": must match the name in "
     "coveredResources"},
    {"{" RG("cpu, memory", CPU) "}",
     "spec.resourceGroups[0]: Invalid value: flavors must have the same number of "
     "resources as the coveredResources"},
    {"{" RG("cpu", "{name: cpu}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: Required value"},
    {"{" RG("cpu", "{name: cpu, nominalQuota: -1}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: Invalid value: -1: must be greater than "
     "or equal to 0"},
    {"{" RG("cpu", "{name: cpu, nominalQuota: 1x}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].nominalQuota: Invalid value: \"1x\": quantities must "
     "match the regular "
     "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
    {"{" RG("cpu", "{name: cpu, nominalQuota: 1, borrowingLimit: 1}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].borrowingLimit: Invalid value: 1: must be nil when "
     "cohort is empty"},
    {"{" RG("cpu", "{name: cpu, nominalQuota: 1, lendingLimit: \"1\"}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].lendingLimit: Invalid value: \"1\": must be nil when "
     "cohort is empty"},
    {"{cohortName: c, " RG("cpu", "{name: cpu, nominalQuota: 1, borrowingLimit: 5, lendingLimit: 1}") "}",
     NULL},
    {"{cohortName: c, " RG("cpu", "{name: cpu, nominalQuota: 1, lendingLimit: 1001m}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].lendingLimit: Invalid value: \"1001m\": must be less "
     "than or equal "
     "to the nominalQuota"},
    {"{cohortName: C}", "spec.cohortName: Invalid value: \"C\": a lowercase RFC 1123 subdomain must consist "
                        "of lower case alphanumeric "
                        "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
                        "'example.com', regex used for "
                        "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"{resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [" CPU
     "]}, {name: f, resources: [" CPU "]}]}]}",
     "spec.resourceGroups[0].flavors[1].name: Duplicate value: \"f\""},
    {"{resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [" CPU
     "]}]}, {coveredResources: [cpu], flavors: [{name: g, resources: [" CPU "]}]}]}",
     "spec.resourceGroups[1].coveredResources[0]: Duplicate value: \"cpu\""},
    {"{queueingStrategy: Fifo}", "spec.queueingStrategy: Unsupported value: \"Fifo\": supported values: "
                                 "\"StrictFIFO\", \"BestEffortFIFO\""},
    {"{queueingStrategy: 5}", "spec.queueingStrategy: must be a string, not a number"},
    {"{stopPolicy: Halt}",
     "spec.stopPolicy: Unsupported value: \"Halt\": supported values: \"None\", \"Hold\", \"HoldAndDrain\""},
    {"{preemption: {withinClusterQueue: Any}}", "spec.preemption.withinClusterQueue: Unsupported value: "
                                                "\"Any\": supported values: \"Never\", \"LowerPriority\", "
                                                "\"LowerOrNewerEqualPriority\""},
    {"{preemption: {reclaimWithinCohort: LowerOrNewerEqualPriority}}",
     "spec.preemption.reclaimWithinCohort: Unsupported value: \"LowerOrNewerEqualPriority\": supported "
     "values: \"Never\", "
     "\"LowerPriority\", \"Any\""},
    {"{preemption: {borrowWithinCohort: {policy: LowerPriority}}}",
     "spec.preemption: Invalid value: reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never"},
    {"{preemption: {reclaimWithinCohort: Any, borrowWithinCohort: {policy: LowerPriority, "
     "maxPriorityThreshold: 1.5}}}",
     "spec.preemption.borrowWithinCohort.maxPriorityThreshold: must be an integer, not 1.5"},
    {"{flavorFungibility: {preference: BorrowingOverPreemption}}",
     "spec.flavorFungibility.preference: Invalid value: \"BorrowingOverPreemption\": preference "
     "\"BorrowingOverPreemption\" requires both whenCanBorrow and whenCanPreempt to be TryNextFlavor"},
    {"{flavorFungibility: {preference: BorrowingOverPreemption, whenCanBorrow: TryNextFlavor}}",
     NULL}, /* the default */
    {"{fairSharing: {weight: -1}}",
     "spec.fairSharing.weight: Invalid value: -1: must be greater than or equal to 0"},
    {"{fairSharing: {weight: 1n}}",
     "spec.fairSharing.weight: Invalid value: \"1n\": When not 0, weight must be > 10e-9"},
    {"{fairSharing: {weight: 2n}}", NULL},
    {"{fairSharing: {weight: 0}}", NULL},
    {"{admissionChecksStrategy: {admissionChecks: []}}",
     "spec.admissionChecksStrategy.admissionChecks: Invalid value: 0: should have at least 1 items"},
    {"{admissionChecksStrategy: {admissionChecks: [{name: a, onFlavors: [f]}]}, " RG("cpu", CPU) "}", NULL},
    {"{admissionChecksStrategy: {admissionChecks: [{name: a, onFlavors: [g]}]}, " RG("cpu", CPU) "}",
     "spec.admissionChecksStrategy.admissionChecks[0].onFlavors[0]: Unsupported value: \"g\": must be a "
     "flavor of the "
     "ClusterQueue"},
    {"{admissionChecksStrategy: {admissionChecks: [{name: a}, {name: a}]}}",
     "spec.admissionChecksStrategy.admissionChecks[1].name: Duplicate value: \"a\""},
    {"{admissionScope: {admissionMode: Off}}",
     "spec.admissionScope.admissionMode: Unsupported value: \"Off\": supported values: "
     "\"UsageBasedAdmissionFairSharing\", \"NoAdmissionFairSharing\""},
    {"{namespaceSelector: {matchLabels: {a: \"b c\"}}}",
     "spec.namespaceSelector.matchLabels: Invalid value: \"b c\": a valid label must be an empty string or "
     "consist of "
     "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
     "'MyValue',  or "
     "'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
    {"{namespaceSelector: {matchLabels: {a: true}}}",
     "spec.namespaceSelector.matchLabels[a]: must be a string, not a boolean; quote it"},
    {"{resourceGroups: {}}", "spec.resourceGroups: must be a list, not a map"},
    {"{resourceGroups: [5]}", "spec.resourceGroups[0]: must be a map, not a number"},
};

START_TEST(cluster_queue_rules)
{
    check_spec_row("ClusterQueue", &rules[_i]);
}
END_TEST

/* All errors of an object are told, each with its line. */
START_TEST(all_errors)
{
    struct api_set *s = set_of("apiVersion: kueue.x-k8s.io/v1beta2\n"
                               "kind: ClusterQueue\n"
                               "metadata:\n"
                               "  name: q\n"
                               "spec:\n"
                               "  stopPolicy: Halt\n"
                               "  queueingStrategy: Fifo\n"
                               "  resourceGroups:\n"
                               "  - coveredResources: []\n"
                               "    flavors: []\n");
    static const char *const want[] = {
        "t.yaml:7: ClusterQueue q: spec.queueingStrategy: Unsupported value: \"Fifo\": supported values: "
        "\"StrictFIFO\", "
        "\"BestEffortFIFO\"",
        "t.yaml:6: ClusterQueue q: spec.stopPolicy: Unsupported value: \"Halt\": supported values: \"None\", "
        "\"Hold\", "
        "\"HoldAndDrain\"",
        "t.yaml:9: ClusterQueue q: spec.resourceGroups[0].coveredResources: Invalid value: 0: should have at "
        "least 1 items",
        "t.yaml:10: ClusterQueue q: spec.resourceGroups[0].flavors: Invalid value: 0: should have at least 1 "
        "items",
    };
    ck_assert_uint_eq(api_set_errors(s), COUNT(want));
    for (uint32_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(api_set_error(s, i), want[i]);
    ck_assert_uint_eq(api_set_count(s), 0);
    api_set_free(s);
}
END_TEST

START_TEST(cluster_queue_defaults)
{
    struct api_set *s = set_of_spec(0, "ClusterQueue", "{}");
    const struct fact_cluster_queue *q = &only(s)->cluster_queue;
    ck_assert_str_eq(q->name, "x");
    ck_assert_str_eq(q->cohort, "");
    ck_assert_int_eq(q->strategy, STRATEGY_BEST_EFFORT_FIFO);
    ck_assert_int_eq(q->when_can_borrow, FUNGIBILITY_MAY_STOP);
    ck_assert_int_eq(q->when_can_preempt, FUNGIBILITY_TRY_NEXT);
    ck_assert_int_eq(q->preference, PREFER_UNSET);
    ck_assert_int_eq(q->stop, STOP_NONE);
    ck_assert_int_eq(q->preemption.within_cluster_queue, POLICY_NEVER);
    ck_assert_int_eq(q->preemption.reclaim_within_cohort, POLICY_NEVER);
    ck_assert_int_eq(q->preemption.borrow_policy, POLICY_NEVER);
    ck_assert(q->namespaces.is_null);
    ck_assert(!q->weight.set);
    ck_assert(!q->usage_based_afs);
    ck_assert(!q->deleting);
    api_set_free(s);
    s = set_of_spec(API_NO_DEFAULTS, "ClusterQueue", "{}");
    q = &only(s)->cluster_queue;
    ck_assert_int_eq(q->strategy, STRATEGY_UNSET);
    ck_assert_int_eq(q->when_can_borrow, FUNGIBILITY_UNSET);
    ck_assert_int_eq(q->when_can_preempt, FUNGIBILITY_UNSET);
    api_set_free(s);
}
END_TEST

START_TEST(cluster_queue_fields)
{
    struct api_set *s = set_of_spec(
        0, "ClusterQueue",
        "{cohortName: c, queueingStrategy: StrictFIFO, stopPolicy: HoldAndDrain, namespaceSelector: "
        "{matchLabels: {t: a}, "
        "matchExpressions: [{key: k, operator: NotIn, values: [x, y]}, {key: z, operator: Exists}]}, "
        "fairSharing: {weight: "
        "500m}, flavorFungibility: {whenCanBorrow: TryNextFlavor, whenCanPreempt: TryNextFlavor, preference: "
        "PreemptionOverBorrowing}, preemption: {reclaimWithinCohort: Any, withinClusterQueue: "
        "LowerOrNewerEqualPriority, "
        "borrowWithinCohort: {policy: LowerPriority, maxPriorityThreshold: -5}}, admissionScope: "
        "{admissionMode: "
        "UsageBasedAdmissionFairSharing}, admissionChecksStrategy: {admissionChecks: [{name: a, onFlavors: "
        "[f]}, {name: "
        "b}]}, resourceGroups: [{coveredResources: [cpu, nvidia.com/gpu], flavors: [{name: f, resources: "
        "[{name: cpu, "
        "nominalQuota: 0.5, borrowingLimit: 1, lendingLimit: 100m}, {name: nvidia.com/gpu, nominalQuota: "
        "9223372036854775807}]}]}, {coveredResources: [memory], flavors: [{name: g, resources: [{name: "
        "memory, "
        "nominalQuota: 1Gi}]}]}]}");
    const struct fact_cluster_queue *q = &only(s)->cluster_queue;
    ck_assert_str_eq(q->cohort, "c");
    ck_assert_int_eq(q->strategy, STRATEGY_STRICT_FIFO);
    ck_assert_int_eq(q->stop, STOP_HOLD_AND_DRAIN);
    ck_assert(!q->namespaces.is_null);
    ck_assert_uint_eq(q->namespaces.nexprs, 3);
    ck_assert_str_eq(q->namespaces.exprs[0].values[0], "a");
    ck_assert_int_eq(q->namespaces.exprs[1].op, SEL_NOT_IN);
    ck_assert_uint_eq(q->namespaces.exprs[1].nvalues, 2);
    ck_assert_int_eq(q->namespaces.exprs[2].op, SEL_EXISTS);
    ck_assert(q->weight.set && quantity_milli(q->weight.value) == 500);
    ck_assert_int_eq(q->preference, PREFER_PREEMPTION);
    ck_assert(q->preemption.borrow_within_cohort && q->preemption.has_threshold);
    ck_assert_int_eq(q->preemption.max_priority_threshold, -5);
    ck_assert_int_eq(q->preemption.reclaim_within_cohort, POLICY_ANY);
    ck_assert_int_eq(q->preemption.within_cluster_queue, POLICY_LOWER_OR_NEWER_EQUAL);
    ck_assert(q->usage_based_afs);
    ck_assert_uint_eq(q->nchecks, 2);
    ck_assert_str_eq(q->checks[0].on_flavors[0], "f");
    ck_assert_uint_eq(q->checks[1].non_flavors, 0);
    ck_assert_uint_eq(q->ngroups, 2);
    const struct fact_resource_group *g = &q->groups[0];
    ck_assert_str_eq(g->resources[1], "nvidia.com/gpu");
    ck_assert_int_eq(quantity_milli(g->flavors[0].quotas[0].nominal), 500);
    ck_assert(g->flavors[0].quotas[0].has_borrowing && g->flavors[0].quotas[0].has_lending);
    ck_assert_int_eq(quantity_value(g->flavors[0].quotas[1].nominal), INT64_MAX);
    ck_assert(!g->flavors[0].quotas[1].has_borrowing);
    ck_assert_str_eq(q->groups[1].flavors[0].flavor, "g");
    api_set_free(s);
}
END_TEST

START_TEST(lenient_quotas)
{
    struct api_set *s =
        set_of_spec(API_LENIENT, "ClusterQueue",
                    "{preemption: {reclaimWithinCohort: LowerOrNewerEqualPriority}, resourceGroups: "
                    "[{coveredResources: [cpu, memory], flavors: [{name: f, resources: [{name: memory, "
                    "nominalQuota: 2}, {name: other, nominalQuota: 3}]}]}]}");
    const struct fact_cluster_queue *q = &only(s)->cluster_queue;
    ck_assert_int_eq(quantity_value(q->groups[0].flavors[0].quotas[0].nominal), 0);
    ck_assert_int_eq(quantity_value(q->groups[0].flavors[0].quotas[1].nominal), 2);
    ck_assert_int_eq(q->preemption.reclaim_within_cohort, POLICY_LOWER_OR_NEWER_EQUAL);
    api_set_free(s);
}
END_TEST

/* ---- maxima ------------------------------------------------------------------------------------------------------------- */

struct maximum {
    int groups, flavors, resources;
    const char *error;
};

static const struct maximum maxima[] = {
    {16, 1, 1, NULL},
    {17, 1, 1, "spec.resourceGroups: Too many: 17: must have at most 16 items"},
    {4, 64, 1, NULL},
    {5, 52, 1,
     "spec.resourceGroups: Invalid value: total number of flavors across all resourceGroups must be ≤ 256, "
     "got 260"},
    {5, 1, 52,
     "spec.resourceGroups: Invalid value: total number of covered resources across all resourceGroups must "
     "be ≤ 256, got 260"},
    {1, 64, 8, NULL},
    {1, 27, 19,
     "spec.resourceGroups[0]: Invalid value: number of flavor-resource combinations in a resourceGroup must "
     "be ≤ 512, got "
     "513"},
    {1, 65, 1, "spec.resourceGroups[0].flavors: Too many: 65: must have at most 64 items"},
};

static void add_group(struct str *out, int g, const struct maximum *m)
{
    str_addf(out, "%s{coveredResources: [", g ? ", " : "");
    for (int r = 0; r < m->resources; r++)
        str_addf(out, "%sr%d-%d", r ? ", " : "", g, r);
    str_add(out, "], flavors: [");
    for (int f = 0; f < m->flavors; f++) {
        str_addf(out, "%s{name: f%d-%d, resources: [", f ? ", " : "", g, f);
        for (int r = 0; r < m->resources; r++)
            str_addf(out, "%s{name: r%d-%d, nominalQuota: 1}", r ? ", " : "", g, r);
        str_add(out, "]}");
    }
    str_add(out, "]}");
}

START_TEST(group_maxima)
{
    struct str text;
    str_init(&text, 0);
    str_add(&text, "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: x}\nspec: "
                   "{resourceGroups: [");
    for (int g = 0; g < maxima[_i].groups; g++)
        add_group(&text, g, &maxima[_i]);
    str_add(&text, "]}\n");
    struct api_set *s = set_of(str_text(&text));
    char want[512];
    snprintf(want, sizeof(want), "ClusterQueue x: %s", maxima[_i].error ? maxima[_i].error : "");
    check_error(s, "maximum", maxima[_i].error ? want : NULL);
    api_set_free(s);
    str_free(&text);
}
END_TEST

/* ---- Cohort, LocalQueue ------------------------------------------------------------------------------------------------- */

static const struct row cohort_rules[] = {
    {"{}", NULL},
    {"{" RG("cpu", "{name: cpu, nominalQuota: 1, borrowingLimit: 1}") "}",
     "spec.resourceGroups[0].flavors[0].resources[0].borrowingLimit: Invalid value: 1: must be nil when "
     "parent is empty"},
    {"{parentName: p, " RG("cpu", "{name: cpu, nominalQuota: 1, lendingLimit: 9}") "}", NULL},
    {"{parentName: p_}", "spec.parentName: Invalid value: \"p_\": a lowercase RFC 1123 subdomain must "
                         "consist of lower case alphanumeric "
                         "characters, '-' or '.', and must start and end with an alphanumeric character "
                         "(e.g. 'example.com', regex used for "
                         "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    {"{fairSharing: {weight: -1m}}",
     "spec.fairSharing.weight: Invalid value: \"-1m\": must be greater than or equal to 0"},
};

START_TEST(cohort)
{
    check_spec_row("Cohort", &cohort_rules[_i]);
}
END_TEST

START_TEST(local_queue)
{
    struct api_set *s =
        set_of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata:\n  name: l\n"
               "spec: {clusterQueue: q, stopPolicy: Hold, fairSharing: {weight: 2}}\n"
               "status: {fairSharing: {weightedShare: 1, admissionFairSharingStatus: {lastUpdate: "
               "\"2026-01-01T00:00:00Z\", consumedResources: {cpu: 1500m}}}}\n");
    const struct fact_local_queue *q = &only(s)->local_queue;
    ck_assert_str_eq(q->ns, "default");
    ck_assert_str_eq(q->cluster_queue, "q");
    ck_assert_int_eq(q->stop, STOP_HOLD);
    ck_assert_uint_eq(q->nconsumed, 1);
    ck_assert_int_eq(quantity_milli(q->consumed[0].q), 1500);
    ck_assert_int_eq(q->consumed_at, INT64_C(1767225600) * NS_PER_S);
    api_set_free(s);
    s = set_of_flags(
        API_NO_DEFAULTS, "t.yaml",
        "{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: l, deletionTimestamp: "
        "\"2026-01-01T00:00:00Z\"}}");
    q = &only(s)->local_queue;
    ck_assert_str_eq(q->ns, "");
    ck_assert_str_eq(q->cluster_queue, "");
    ck_assert(q->deleting);
    ck_assert_int_eq(q->consumed_at, WHEN_NONE);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, cluster_queue_rules, 0, (int)COUNT(rules));
    tcase_add_test(tc, all_errors);
    tcase_add_test(tc, cluster_queue_defaults);
    tcase_add_test(tc, cluster_queue_fields);
    tcase_add_test(tc, lenient_quotas);
    tcase_add_loop_test(tc, group_maxima, 0, (int)COUNT(maxima));
    tcase_add_loop_test(tc, cohort, 0, (int)COUNT(cohort_rules));
    tcase_add_test(tc, local_queue);
}

int main(void)
{
    return run_tests("api/queues", add);
}
