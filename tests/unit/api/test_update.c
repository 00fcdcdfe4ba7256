#include "api_test.h"

/* What may not change (engine.md 1.1 to 1.8): kind, spec and status before and after, as YAML in one line each. */
static const struct {
    enum api_kind kind;
    const char *kind_name, *before, *after, *error;
} rows[] = {
#define FLAVOR API_FLAVOR, "ResourceFlavor"
    {FLAVOR, "spec: {nodeLabels: {a: b}}", "spec: {nodeLabels: {a: b}, topologyName: t}", NULL},
    {FLAVOR, "spec: {nodeLabels: {a: b}, topologyName: t}", "spec: {nodeLabels: {a: b}, topologyName: u}",
     "spec.topologyName: Invalid value: field is immutable"},
    {FLAVOR, "spec: {nodeLabels: {a: b}, topologyName: t}", "spec: {nodeLabels: {a: b}}",
     "spec.topologyName: Invalid value: field is immutable"},
    {API_LOCAL_QUEUE, "LocalQueue", "spec: {clusterQueue: a}", "spec: {clusterQueue: b}",
     "spec.clusterQueue: Invalid value: field is immutable"},
    {API_LOCAL_QUEUE, "LocalQueue", "spec: {clusterQueue: a}", "spec: {clusterQueue: a, stopPolicy: Hold}",
     NULL},
    {API_ADMISSION_CHECK, "AdmissionCheck", "spec: {controllerName: a}", "spec: {controllerName: b}",
     "spec.controllerName: Invalid value: field is immutable"},
    {API_TOPOLOGY, "Topology", "spec: {levels: [{nodeLabel: a}]}", "spec: {levels: [{nodeLabel: b}]}",
     "spec.levels: Invalid value: field is immutable"},
    {API_TOPOLOGY, "Topology", "spec: {levels: [{nodeLabel: a}, {nodeLabel: kubernetes.io/hostname}]}",
     "spec: {levels: [{nodeLabel: kubernetes.io/hostname}]}", NULL},
    {API_CLUSTER_QUEUE, "ClusterQueue", "spec: {cohortName: a}",
     "spec: {cohortName: b, queueingStrategy: StrictFIFO}", NULL},
#define PODS "podSets: [{name: main, count: 3, template: {spec: {containers: [{name: c}]}}}]"
#define CONDITION(type)                                                                                      \
    "{type: " type ", status: 'True', reason: R, lastTransitionTime: '2026-01-01T00:00:00Z'}"
#define RESERVED                                                                                             \
    "admission: {clusterQueue: q, podSetAssignments: [{name: main, flavors: {cpu: f}}]}, conditions: "       \
    "[" CONDITION("QuotaReserved")
#define WL API_WORKLOAD, "Workload"
    {WL, "spec: {queueName: a, " PODS "}", "spec: {queueName: b, " PODS "}", NULL},
    {WL, "spec: {queueName: a, " PODS "}\nstatus: {" RESERVED "]}",
     "spec: {queueName: b, " PODS "}\nstatus: {" RESERVED "]}",
     "spec.queueName: Invalid value: field is immutable"},
    {WL, "spec: {queueName: a, " PODS "}\nstatus: {" RESERVED "]}", "spec: {queueName: b, " PODS "}", NULL},
    {WL, "spec: {" PODS "}\nstatus: {" RESERVED "]}",
     "spec: {priority: 1, priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: "
     "p}, " PODS "}\nstatus: {" RESERVED "]}",
     "spec.priorityClassRef: Invalid value: field is immutable"},
    {WL,
     "spec: {priority: 1, priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: "
     "p}, " PODS "}\nstatus: {" RESERVED "]}",
     "spec: {priority: 2, priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: "
     "r}, " PODS "}\nstatus: {" RESERVED "]}",
     NULL},
    {WL,
     "spec: {maximumExecutionTimeSeconds: 1, " PODS "}\nstatus: {" RESERVED ", " CONDITION("Admitted") "]}",
     "spec: {" PODS "}\nstatus: {" RESERVED ", " CONDITION("Admitted") "]}",
     "spec.maximumExecutionTimeSeconds: Invalid value: field is immutable"},
    {WL, "spec: {" PODS "}\nstatus: {" RESERVED "]}",
     "spec: {podSets: [{name: main, count: 4, template: {spec: {containers: [{name: c}]}}}]}\nstatus: "
     "{" RESERVED "]}",
     "spec.podSets.0: Invalid value: field is immutable"},
    {WL, "spec: {" PODS "}\nstatus: {" RESERVED "]}",
     "spec: {podSets: [{name: main, count: 3, template: {spec: {containers: [{name: d}]}}}]}\nstatus: "
     "{" RESERVED "]}",
     "spec.podSets.0: Invalid value: field is immutable"},
    {WL, "spec: {" PODS "}\nstatus: {clusterName: a}", "spec: {" PODS "}\nstatus: {clusterName: b}",
     "status.clusterName: Invalid value: \"b\": clusterName is immutable once set"},
    {WL, "spec: {" PODS "}\nstatus: {nominatedClusterNames: [a]}",
     "spec: {" PODS "}\nstatus: {clusterName: a}", NULL},
    {WL, "spec: {" PODS "}\nstatus: {nominatedClusterNames: [a]}",
     "spec: {" PODS "}\nstatus: {clusterName: b}",
     "status.clusterName: Invalid value: \"b\": must be one of the nominatedClusterNames"},
    {WL, "spec: {" PODS "}\nstatus: {clusterName: a}", "spec: {" PODS "}", NULL},
};

static const struct doc_node *parse(struct arena *a, const char *kind, const char *fields)
{
    char text[4096];
    const struct doc_node *n = NULL;
    struct err e = {0};
    snprintf(text, sizeof(text), "apiVersion: kueue.x-k8s.io/v1beta2\nkind: %s\nmetadata: {name: x}\n%s\n",
             kind, fields);
    struct yaml *y = yaml_open(a, text, strlen(text), 1);
    ck_assert_msg(yaml_next(y, &n, &e) == 1, "%s", e.text);
    yaml_close(y);
    return n;
}

START_TEST(changes)
{
    struct arena a;
    struct err e = {0};
    arena_init(&a, 4096);
    const struct doc_node *before = parse(&a, rows[_i].kind_name, rows[_i].before),
                          *after = parse(&a, rows[_i].kind_name, rows[_i].after);
    int rc = api_validate_update(rows[_i].kind, NULL, after, NULL, &a, NULL, &e);
    ck_assert_msg(rc == 0, "as a new object: %s", e.text);
    rc = api_validate_update(rows[_i].kind, before, after, NULL, &a, NULL, &e);
    ck_assert_int_eq(rc, rows[_i].error ? ERR_INVALID : 0);
    ck_assert_str_eq(e.text, rows[_i].error ? rows[_i].error : "");
    rc = api_validate_update(rows[_i].kind, before, before, NULL, &a, NULL, &e);
    ck_assert_msg(rc == 0, "unchanged: %s", e.text);
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, changes, 0, (int)COUNT(rows));
}

int main(void)
{
    return run_tests("api/update", add);
}
