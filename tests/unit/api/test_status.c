#include "api_test.h"

/* A Workload with pod sets a (count 4) and b (count 2) and this status. */
static struct api_set *set_of_status(unsigned flags, const char *status)
{
    char text[8192];
    snprintf(text, sizeof(text),
             "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: x, namespace: n}\nspec: "
             "{preemptionGates: "
             "[{name: g}, {name: h}], podSets: [{name: a, count: 4, template: &t {spec: {containers: [{name: "
             "c}]}}}, {name: "
             "b, count: 2, template: *t}]}\nstatus: %s\n",
             status);
    return set_of_flags(flags, "t.yaml", text);
}

#define AT "lastTransitionTime: \"2026-01-01T00:00:00Z\""
#define RESERVED "conditions: [{type: QuotaReserved, status: \"True\", reason: R, message: m, " AT "}]"
#define ADMISSION "admission: {clusterQueue: q, podSetAssignments: [{name: a, count: 4}, {name: b}]}"

static const struct row rules[] = {
    {"{}", NULL},
    {"{" RESERVED ", " ADMISSION "}", NULL},
    {"{" RESERVED "}",
     "status.admission: Required value: must be set while the QuotaReserved condition is true"},
    {"{" RESERVED ", admission: {clusterQueue: q, podSetAssignments: [{name: a}]}}",
     "status.admission.podSetAssignments: Invalid value: must have the same number of podSets as the spec"},
    {"{" RESERVED ", admission: {clusterQueue: q, podSetAssignments: [{name: a}, {name: c}]}}",
     "status.admission.podSetAssignments[1].name: Not found: \"c\""},
    {"{admission: {clusterQueue: q, podSetAssignments: [{name: a, count: 3, resourceUsage: {cpu: 1}}]}}",
     "status.admission.podSetAssignments[0].resourceUsage[cpu]: Invalid value: is not a multiple of 3"},
    {"{admission: {clusterQueue: q, podSetAssignments: [{name: a, count: 3, resourceUsage: {cpu: 1500m, "
     "memory: 3, gpu: 0}}]}}",
     NULL},
    {"{admission: {clusterQueue: q, podSetAssignments: [{name: a, count: 0, resourceUsage: {cpu: 1}}]}}",
     NULL},
    {"{admission: {clusterQueue: q, podSetAssignments: [{name: a, flavors: {cpu: 5}}]}}",
     "status.admission.podSetAssignments[0].flavors[cpu]: must be a string, not a number"},
    {"{conditions: [{status: \"True\", reason: R, " AT "}]}", "status.conditions[0].type: Required value"},
    {"{conditions: [{type: Admitted, reason: R, " AT "}]}", "status.conditions[0].status: Required value"},
    {"{conditions: [{type: Admitted, status: \"Yes\", reason: R, " AT "}]}",
     "status.conditions[0].status: Unsupported value: \"Yes\": supported values: \"True\", \"False\", "
     "\"Unknown\""},
    {"{conditions: [{type: Admitted, status: true, reason: R, " AT "}]}",
     "status.conditions[0].status: must be a string, not a boolean; quote it if it is text"},
    {"{conditions: [{type: Admitted, status: \"True\", reason: R}]}",
     "status.conditions[0].lastTransitionTime: Required value: must be set"},
    {"{conditions: [{type: Admitted, status: \"True\", " AT "}]}",
     "status.conditions[0].reason: Required value: must be set"},
    {"{conditions: [{type: Admitted, status: \"True\", reason: \"a b\", " AT "}]}",
     "status.conditions[0].reason: Invalid value: \"a b\": a condition reason must start with alphabetic "
     "character, optionally "
     "followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character "
     "or '_'"},
    {"{conditions: [{type: Admitted, status: \"True\", reason: R, observedGeneration: -1, " AT "}]}",
     "status.conditions[0].observedGeneration: Invalid value: -1: must be greater than or equal to zero"},
    {"{conditions: [{type: A, status: \"True\", reason: R, " AT
     "}, {type: A, status: \"True\", reason: R, " AT "}]}",
     "status.conditions[1].type: Duplicate value: \"A\""},
    {"{conditions: [{type: A, status: \"True\", reason: R, lastTransitionTime: yesterday}]}", NULL},
    {"{reclaimablePods: [{name: a, count: 4}]}", NULL},
    {"{reclaimablePods: [{name: a, count: 5}]}",
     "status.reclaimablePods[a].count: Invalid value: 5: should be less or equal to 4"},
    {"{reclaimablePods: [{name: c, count: 1}]}",
     "status.reclaimablePods[c].name: Unsupported value: \"c\": must be the name of a podSet"},
    {"{reclaimablePods: [{name: a, count: -1}]}",
     "status.reclaimablePods[0].count: Invalid value: -1: should be greater than or equal to 0"},
    {"{admissionChecks: [{name: k, state: Maybe}]}",
     "status.admissionChecks[0].state: Unsupported value: \"Maybe\": supported values: \"Pending\", "
     "\"Ready\", \"Retry\", "
     "\"Rejected\""},
    {"{admissionChecks: [{name: k}]}", "status.admissionChecks[0].state: Required value"},
    {"{admissionChecks: [{name: k, state: Ready, podSetUpdates: [{name: c}]}]}",
     "status.admissionChecks[0].podSetUpdates[0].name: Unsupported value: \"c\": must be the name of a "
     "podSet"},
    {"{clusterName: c, nominatedClusterNames: [d]}",
     "status: Invalid value: clusterName and nominatedClusterNames are mutually exclusive"},
    {"{requeueState: {count: 1, requeueAt: \"2026-13-01T00:00:00Z\"}}", NULL},
};

START_TEST(status_rules)
{
    const struct row *r = &rules[_i];
    struct api_set *s = set_of_status(0, r->text);
    if (strstr(r->text, "yesterday") || strstr(r->text, "2026-13")) {
        /* the text of a time that does not parse is that of base/when.h */
        ck_assert_uint_ge(api_set_errors(s), 1);
        ck_assert_ptr_nonnull(strstr(api_set_error(s, 0), ": Invalid value: \""));
    } else {
        char want[2048];
        snprintf(want, sizeof(want), "Workload n/x: %s", r->error ? r->error : "");
        check_error(s, r->text, r->error ? want : NULL);
    }
    api_set_free(s);
}
END_TEST

START_TEST(fields)
{
    struct api_set *s = set_of_status(
        0,
        "{conditions: [{type: QuotaReserved, status: \"True\", reason: R, message: m, observedGeneration: "
        "2, " AT "}, {type: SomethingElse, status: \"True\", reason: R, " AT
        "}, {type: WaitingForReplacementPods, status: "
        "Unknown, reason: S, " AT
        "}], admission: {clusterQueue: q, podSetAssignments: [{name: a, flavors: {cpu: f, "
        "memory: g}, resourceUsage: {cpu: 4, memory: 8Gi}, count: 4, delayedTopologyRequest: Pending}, "
        "{name: b, "
        "topologyAssignment: {levels: [h]}}]}, requeueState: {count: 3, requeueAt: "
        "\"2026-01-01T00:00:01Z\"}, "
        "reclaimablePods: [{name: a, count: 1}], admissionChecks: [{name: k, state: Retry, message: wait, " AT
        ", requeueAfterSeconds: 5, retryCount: 0}], preemptionGates: [{name: g, position: Open}, {name: h, "
        "position: "
        "Open}]}");
    const struct fact_workload *w = &only(s)->workload;
    ck_assert_uint_eq(w->nconditions, 2);
    ck_assert_int_eq(w->conditions[0].type, COND_QUOTA_RESERVED);
    ck_assert_int_eq(w->conditions[0].status, STATUS_TRUE);
    ck_assert_int_eq(w->conditions[0].generation, 2);
    ck_assert_int_eq(w->conditions[0].since, INT64_C(1767225600) * NS_PER_S);
    ck_assert_str_eq(w->conditions[0].message, "m");
    ck_assert_int_eq(w->conditions[1].type, COND_WAITING_FOR_REPLACEMENT);
    ck_assert_int_eq(w->conditions[1].status, STATUS_UNKNOWN);
    const struct fact_assignment *a = w->admission->pod_sets;
    ck_assert_str_eq(w->admission->cluster_queue, "q");
    ck_assert_uint_eq(a[0].nflavors, 2);
    ck_assert_str_eq(a[0].flavors[1].flavor, "g");
    ck_assert_int_eq(quantity_value(a[0].usage[1].q), INT64_C(8) << 30);
    ck_assert_int_eq(a[0].count, 4);
    ck_assert(a[0].topology_pending && !a[0].has_topology);
    ck_assert_int_eq(a[1].count, -1);
    ck_assert(a[1].has_topology);
    ck_assert_int_eq(w->requeue_count, 3);
    ck_assert_int_eq(w->requeue_at, INT64_C(1767225601) * NS_PER_S);
    ck_assert_int_eq(w->reclaimable[0].count, 1);
    ck_assert_int_eq(w->checks[0].state, CHECK_RETRY);
    ck_assert(w->checks[0].has_requeue_after && w->checks[0].has_retry_count);
    ck_assert_int_eq(w->checks[0].requeue_after_s, 5);
    ck_assert(!w->has_closed_gate);
    api_set_free(s);
}
END_TEST

START_TEST(gates)
{
    struct api_set *s =
        set_of_status(0, "{preemptionGates: [{name: g, position: Open}, {name: h, position: Closed}]}");
    ck_assert(only(s)->workload.has_closed_gate);
    api_set_free(s);
    s = set_of_status(0, "{preemptionGates: [{name: g, position: Open}]}");
    ck_assert(only(s)->workload.has_closed_gate);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, status_rules, 0, (int)COUNT(rules));
    tcase_add_test(tc, fields);
    tcase_add_test(tc, gates);
}

int main(void)
{
    return run_tests("api/status", add);
}
