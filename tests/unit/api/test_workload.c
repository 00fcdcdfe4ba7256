#include "api_test.h"

#define POD "template: {spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}"
#define PS "podSets: [{name: main, count: 2, " POD "}]"

/* ---- spec (engine.md 1.5) ----------------------------------------------------------------------------------------------- */

static const struct row rules[] = {
    {"{" PS "}", NULL},
    {"{}", "spec.podSets: Required value"},
    {"{podSets: []}", "spec.podSets: Invalid value: 0: should have at least 1 items"},
    {"{podSets: [{" POD "}, {name: main, " POD "}]}", "spec.podSets[1]: Duplicate value: \"main\""},
    {"{podSets: [{name: a.b, " POD "}]}", "spec.podSets[0].name: Invalid value: \"a.b\": a lowercase RFC "
                                          "1123 label must consist of lower case alphanumeric "
                                          "characters or '-', and must start and end with an alphanumeric "
                                          "character (e.g. 'my-name',  or '123-abc', regex used "
                                          "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"},
    {"{podSets: [{count: -1, " POD "}]}",
     "spec.podSets[0].count: Invalid value: -1: should be greater than or equal to 0"},
    {"{podSets: [{count: 2, minCount: 3, " POD "}]}",
     "spec.podSets[0].minCount: Invalid value: 3: minCount should be positive and less or equal to count"},
    {"{podSets: [{count: 2, minCount: 0, " POD "}]}",
     "spec.podSets[0].minCount: Invalid value: 0: should be greater than or equal to 1"},
    {"{podSets: [{name: a, count: 2, minCount: 1, " POD "}, {name: b, count: 2, minCount: 1, " POD "}]}",
     "spec.podSets: Invalid value: 2: at most one podSet can use minCount"},
    {"{podSets: [{name: a}]}", "spec.podSets[0].template: Required value"},
    {"{podSets: [{template: {spec: {}}}]}", "spec.podSets[0].template.spec.containers: Required value"},
    {"{podSets: [{template: {spec: {containers: [{}]}}}]}",
     "spec.podSets[0].template.spec.containers[0].name: Required value"},
    {"{podSets: [{template: {spec: {containers: [{name: c, resources: {requests: {pods: 1}}}]}}}]}",
     "spec.podSets[0].template.spec.containers[0].resources.requests[pods]: Invalid value: \"pods\": the key "
     "is reserved for "
     "internal kueue use"},
    {"{podSets: [{template: {spec: {containers: [{name: c, resources: {limits: {cpu: -1}}}]}}}]}",
     "spec.podSets[0].template.spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be "
     "greater than or equal "
     "to 0"},
    {"{podSets: [{template: {spec: {containers: [{name: c, resources: {limits: {cpu: two}}}]}}}]}",
     "spec.podSets[0].template.spec.containers[0].resources.limits[cpu]: Invalid value: \"two\": quantities "
     "must match the "
     "regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
    {"{podSets: [{topologyRequest: {podSetSliceSize: 1}, " POD "}]}",
     "spec.podSets[0].topologyRequest.podSetSliceSize: Forbidden: may not be set when "
     "podSetSliceRequiredTopology is not "
     "specified"},
    {"{podSets: [{topologyRequest: {podSetSliceRequiredTopology: r, podSetSliceSize: 0}, " POD "}]}",
     "spec.podSets[0].topologyRequest.podSetSliceSize: Invalid value: 0: must be greater than 0"},
    {"{priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: p}, priority: 5, " PS "}",
     NULL},
    {"{priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: p}, " PS "}",
     "spec.priority: Required value: priority should not be nil when priorityClassRef is set"},
    {"{priorityClassRef: {group: kueue.x-k8s.io, kind: PriorityClass, name: p}, priority: 5, " PS "}",
     "spec.priorityClassRef: Invalid value: must be group kueue.x-k8s.io and kind WorkloadPriorityClass, or "
     "group "
     "scheduling.k8s.io and kind PriorityClass"},
    {"{maximumExecutionTimeSeconds: 0, " PS "}",
     "spec.maximumExecutionTimeSeconds: Invalid value: 0: should be greater than or equal to 1"},
    {"{priority: high, " PS "}", "spec.priority: must be an integer, not a string"},
    {"{active: \"true\", " PS "}", "spec.active: must be true or false, not a string"},
    {"{queueName: yes, " PS "}", NULL},
};

START_TEST(workload_rules)
{
    check_spec_row("Workload", &rules[_i]);
}
END_TEST

START_TEST(too_many_pod_sets)
{
    struct api_set *s =
        set_of_spec(0, "Workload",
                    "{podSets: [&p {name: a, " POD "}, *p, *p, *p, *p, *p, *p, *p, *p, *p, *p, *p, *p, *p, "
                    "*p, *p, *p, *p, *p]}");
    check_error(s, "19", "Workload n/x: spec.podSets: Too many: 19: must have at most 18 items");
    api_set_free(s);
}
END_TEST

START_TEST(fields)
{
    struct api_set *s =
        set_of("apiVersion: kueue.x-k8s.io/v1beta2\n"
               "kind: Workload\n"
               "metadata:\n"
               "  name: w\n"
               "  namespace: n\n"
               "  uid: u-1\n"
               "  generation: 3\n"
               "  creationTimestamp: \"2026-01-01T00:00:00Z\"\n"
               "  labels: {kueue.x-k8s.io/job-uid: j}\n"
               "  annotations: {kueue.x-k8s.io/admission-gated-by: a.io/b, kueue.x-k8s.io/priority-boost: "
               "\"-7\", sim/x: \"1\"}\n"
               "spec:\n"
               "  queueName: l\n"
               "  priority: -5\n"
               "  active: false\n"
               "  priorityClassRef: {group: scheduling.k8s.io, kind: PriorityClass, name: p}\n"
               "  preemptionGates: [{name: g}]\n"
               "  podSets:\n"
               "  - count: 4\n"
               "    minCount: 2\n"
               "    topologyRequest: {required: rack, podSetGroupName: grp}\n"
               "    template:\n"
               "      metadata: {labels: {a: b}}\n"
               "      spec:\n"
               "        runtimeClassName: kata\n"
               "        nodeSelector: {pool: a}\n"
               "        tolerations: [{key: k, operator: Equal, value: v, effect: NoSchedule}]\n"
               "        overhead: {cpu: 100m}\n"
               "        resources: {requests: {cpu: 3}}\n"
               "        resourceClaims: [{name: r}]\n"
               "        initContainers: [{name: i, restartPolicy: Always, resources: {requests: {cpu: 1}}}]\n"
               "        containers:\n"
               "        - {name: c, image: x, resources: {requests: {cpu: 0.5, memory: 1Gi}, limits: "
               "{nvidia.com/gpu: 1}}}\n"
               "        - {name: d}\n");
    const struct object *o = only(s);
    const struct fact_workload *w = &o->workload;
    ck_assert_msg(api_set_warnings(s) == 0, "%s", api_set_warning(s, 0));
    ck_assert_str_eq(object_annotation(o, "sim/x"), "1");
    ck_assert_ptr_null(object_annotation(o, "sim/y"));
    ck_assert_str_eq(w->uid, "u-1");
    ck_assert_int_eq(w->generation, 3);
    ck_assert_int_eq(w->created, INT64_C(1767225600) * NS_PER_S);
    ck_assert_str_eq(w->queue, "l");
    ck_assert_int_eq(w->priority, -5);
    ck_assert(!w->active);
    ck_assert_str_eq(w->priority_class, "p");
    ck_assert_str_eq(w->job_uid, "j");
    ck_assert_str_eq(w->gated_by, "a.io/b");
    ck_assert_str_eq(w->priority_boost, "-7");
    ck_assert(w->has_closed_gate);
    const struct fact_pod_set *p = &w->pod_sets[0];
    ck_assert_str_eq(p->name, "main");
    ck_assert_int_eq(p->count, 4);
    ck_assert_int_eq(p->min_count, 2);
    ck_assert(p->wants_topology && p->wants_devices);
    ck_assert_str_eq(p->topology_group, "grp");
    ck_assert_str_ne(p->topology, "");
    ck_assert_str_eq(p->pod.runtime_class, "kata");
    ck_assert_str_eq(p->pod.selector[0].value, "a");
    ck_assert_int_eq(p->pod.tolerations[0].effect, EFFECT_NO_SCHEDULE);
    ck_assert(p->pod.has_overhead && p->pod.has_resources && !p->pod.has_affinity);
    ck_assert(p->pod.init[0].restart_always && !p->pod.containers[0].restart_always);
    ck_assert_uint_eq(p->pod.ncontainers, 2);
    ck_assert_int_eq(quantity_milli(p->pod.containers[0].requests[0].q), 500);
    ck_assert_str_eq(p->pod.containers[0].limits[0].resource, "nvidia.com/gpu");
    api_set_free(s);
}
END_TEST

START_TEST(defaults)
{
    struct api_set *s = set_of_spec(0, "Workload", "{podSets: [{" POD "}]}");
    const struct fact_workload *w = &only(s)->workload;
    ck_assert(w->active && !w->has_closed_gate);
    ck_assert_str_eq(w->pod_sets[0].name, "main");
    ck_assert_int_eq(w->pod_sets[0].count, 1);
    ck_assert_int_eq(w->pod_sets[0].min_count, 0);
    ck_assert_str_eq(w->pod_sets[0].topology, "");
    ck_assert_str_eq(w->gated_by, "");
    ck_assert_int_eq(w->created, WHEN_NONE);
    ck_assert_int_eq(w->requeue_at, WHEN_NONE);
    ck_assert_ptr_null(w->admission);
    api_set_free(s);
    s = set_of_spec(API_LENIENT, "Workload", "{podSets: [{}]}");
    w = &only(s)->workload;
    ck_assert_str_eq(w->pod_sets[0].name, "");
    ck_assert_int_eq(w->pod_sets[0].count, 0);
    api_set_free(s);
}
END_TEST

/* ---- topology requests -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *request;
    bool wants;
} topologies[] = {
    {"{}", false},
    {"{podSetGroupName: g}", false},
    {"{required: r}", true},
    {"{preferred: r}", true},
    {"{unconstrained: true}", true},
    {"{podSetSliceRequiredTopology: r, podSetSliceSize: 1}", true},
    {"{podsetSliceRequiredTopologyConstraints: [{topology: r, size: 1}]}", true},
    {"{podsetSliceRequiredTopologyConstraints: []}", false},
};

START_TEST(topology)
{
    char spec[512];
    snprintf(spec, sizeof(spec), "{podSets: [{topologyRequest: %s, " POD "}]}", topologies[_i].request);
    struct api_set *s = set_of_spec(0, "Workload", spec);
    ck_assert_int_eq(only(s)->workload.pod_sets[0].wants_topology, topologies[_i].wants);
    api_set_free(s);
}
END_TEST

/* ---- the digest of a pod (engine.md 4.10) ------------------------------------------------------------------------------- */

static const struct {
    const char *a, *b; /* pod specs */
    bool equal;
} digests[] = {
    {"{containers: [{name: a, image: x}]}",
     "{containers: [{name: b, image: y, command: [z]}], restartPolicy: Never}", true},
    {"{containers: [{resources: {requests: {cpu: 1000m, memory: 1Gi}}}]}",
     "{containers: [{resources: {requests: {memory: 1Gi, cpu: 1}}}]}", true},
    {"{containers: [{resources: {requests: {cpu: 1}}}]}", "{containers: [{resources: {requests: {cpu: 2}}}]}",
     false},
    {"{containers: [{resources: {requests: {cpu: 1}}}, {}]}",
     "{containers: [{}, {resources: {requests: {cpu: 1}}}]}", false},
    {"{containers: [{}]}", "{initContainers: [{}]}", false},
    {"{containers: [{ports: [{containerPort: 80}]}]}", "{containers: [{}]}", false},
    {"{containers: [{ports: []}]}", "{containers: [{}]}", true},
    {"{nodeSelector: {a: b, c: d}}", "{nodeSelector: {c: d, a: b}}", true},
    {"{nodeSelector: {a: b}}", "{nodeSelector: {a: c}}", false},
    {"{nodeSelector: {}}", "{}", true},
    {"{tolerations: [{key: a, operator: Exists}]}", "{tolerations: [{operator: Exists, key: a}]}", true},
    {"{tolerations: [{key: a}, {key: b}]}", "{tolerations: [{key: b}, {key: a}]}", false},
    {"{affinity: {nodeAffinity: {}}}", "{affinity: {}}", false},
    {"{runtimeClassName: a}", "{}", false},
    {"{priority: 1}", "{priority: 2}", false},
    {"{overhead: {cpu: 1}}", "{overhead: {cpu: 1000m}}", true},
    {"{overhead: {cpu: 1}}", "{}", false},
    {"{resources: {requests: {cpu: 1}}}", "{containers: [{resources: {requests: {cpu: 1}}}]}", false},
    {"{resourceClaims: [{name: a}]}", "{}", false},
    {"{topologySpreadConstraints: [{maxSkew: 1}]}", "{topologySpreadConstraints: [{maxSkew: 2}]}", false},
    {"{nodeSelector: {a: \"1:b\"}}", "{nodeSelector: {\"a1:b\": \"\"}}", false},
    {"{priorityClassName: a, hostNetwork: true}", "{}", true},
};

START_TEST(digest)
{
    struct arena arena;
    arena_init(&arena, 1024);
    struct fact_pod pods[2];
    const char *texts[] = {digests[_i].a, digests[_i].b};
    for (int i = 0; i < 2; i++) {
        const struct doc_node *n;
        struct err e = {0};
        struct yaml *y = yaml_open(&arena, texts[i], strlen(texts[i]), 1);
        ck_assert_int_eq(yaml_next(y, &n, &e), 1);
        ck_assert_msg(api_read_pod_spec(n, &arena, API_LENIENT, &pods[i], &e) == 0, "%s", e.text);
        yaml_close(y);
    }
    bool equal = pods[0].digest_len == pods[1].digest_len &&
                 memcmp(pods[0].digest, pods[1].digest, pods[0].digest_len) == 0;
    ck_assert_msg(equal == digests[_i].equal, "%s | %s: %s | %s", texts[0], texts[1], pods[0].digest,
                  pods[1].digest);
    arena_free(&arena);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, workload_rules, 0, (int)COUNT(rules));
    tcase_add_test(tc, too_many_pod_sets);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, defaults);
    tcase_add_loop_test(tc, topology, 0, (int)COUNT(topologies));
    tcase_add_loop_test(tc, digest, 0, (int)COUNT(digests));
}

int main(void)
{
    return run_tests("api/workload", add);
}
