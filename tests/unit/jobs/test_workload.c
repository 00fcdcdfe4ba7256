#include "jobs/workload.h"

#include "api/emit.h"
#include "jobs_test.h"

/* ---- whole documents ---------------------------------------------------------------------------------------------------- */

static const struct fact_priority_class workload_classes[] = {{.name = "urgent", .value = 1000}};
static const struct fact_priority_class pod_classes[] = {
    {.name = "fast", .value = 7},
    {.name = "usual", .value = 3, .global_default = true},
};
static struct gates gates;

static struct job_context context(void)
{
    static const char *const keys[] = {"team", "gone"};
    gates = gates_default();
    return (struct job_context){.gates = &gates,
                                .workload_classes = workload_classes,
                                .nworkload_classes = COUNT(workload_classes),
                                .label_keys = keys,
                                .nlabel_keys = COUNT(keys)};
}

static struct api_set *set; /* of the last call: Workloads borrow from it */

static void teardown(void)
{
    api_set_free(set);
    set = NULL;
}

/* What the first error says, "" if there is none; the Workload as YAML in `out`. */
static const char *workload_of(const char *text, const struct job_context *ctx, struct arena *a,
                               struct object *ret, struct str *out, struct err *err)
{
    teardown();
    set = set_of(0, text);
    const struct object *job = api_set_at(set, 0);
    int rc = job_workload(job, job->name, job_queue(job->doc), ctx, a, 0, NULL, ret, err);
    if (rc == 0) {
        str_clear(out);
        ck_assert_int_eq(emit_yaml(ret->doc, out, NULL), 0);
        ck_assert_int_eq(ret->kind, API_WORKLOAD);
        ck_assert_str_eq(ret->file, "t.yaml");
    } else {
        ck_assert_int_eq(rc, ERR_INVALID);
    }
    return rc == 0 ? "" : err->text;
}

#define JOB(meta, rest)                                                                                      \
    "apiVersion: batch/v1\nkind: Job\nmetadata: {name: name, namespace: ns, uid: uid" meta "}\n" rest
#define QUEUE(more) ", labels: {kueue.x-k8s.io/queue-name: q" more "}"
#define POD "{spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}"
#define HEAD(annotations)                                                                                    \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata:\n  name: job-name-ef3a1\n  namespace: "   \
    "ns\n"                                                                                                   \
    "  labels:\n    kueue.x-k8s.io/job-uid: uid\n" annotations                                               \
    "  ownerReferences:\n  - apiVersion: batch/v1\n    kind: Job\n    name: name\n    uid: uid\n    "        \
    "controller: true\n"                                                                                     \
    "    blockOwnerDeletion: true\n  finalizers:\n  - kueue.x-k8s.io/resource-in-use\nspec:\n  podSets:\n"
#define MAIN "  - name: main\n    template:\n"
#define CONTAINER                                                                                            \
    "      spec:\n        containers:\n        - name: c\n          resources:\n            requests:\n    " \
    "          cpu: 1\n"
#define INDEXED "    topologyRequest:\n      podIndexLabel: batch.kubernetes.io/job-completion-index\n"

static const struct {
    const char *job, *want;
} documents[] = {
    {JOB(QUEUE(""), "spec: {parallelism: 3, template: " POD "}"),
     HEAD("") MAIN CONTAINER "    count: 3\n" INDEXED "  queueName: q\n  priority: 0\n"},
    /* labels and annotations of the template, and of the job */
    {JOB(QUEUE(", team: a, kueue.x-k8s.io/max-exec-time-seconds: '60'") ", annotations: {x: y, "
                                                                        "provreq.kueue.x-k8s.io/class: z, "
                                                                        "kueue.x-k8s.io/job-min-parallelism: "
                                                                        "'2'}",
         "spec: {parallelism: 3, template: {metadata: {name: gone, labels: {job-name: gone, "
         "batch.kubernetes.io/job-name: stays, a: b}, annotations: {k: v}}, spec: {containers: [{name: c, "
         "resources: "
         "{requests: {cpu: 1}}}]}}}"),
     "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata:\n  name: job-name-ef3a1\n  namespace: "
     "ns\n"
     "  labels:\n    team: a\n    kueue.x-k8s.io/job-uid: uid\n  annotations:\n    "
     "provreq.kueue.x-k8s.io/class: z\n"
     "  ownerReferences:\n  - apiVersion: batch/v1\n    kind: Job\n    name: name\n    uid: uid\n    "
     "controller: true\n"
     "    blockOwnerDeletion: true\n  finalizers:\n  - kueue.x-k8s.io/resource-in-use\nspec:\n  "
     "podSets:\n" MAIN
     "      metadata:\n        labels:\n          batch.kubernetes.io/job-name: stays\n          a: b\n"
     "        annotations:\n          k: v\n" CONTAINER "    count: 3\n    minCount: 2\n" INDEXED
     "  queueName: q\n  priority: 0\n  maximumExecutionTimeSeconds: 60\n"},
    /* the class of the label, over that of the template */
    {JOB(QUEUE(", kueue.x-k8s.io/priority-class: urgent"),
         "spec: {template: {spec: {priorityClassName: fast, containers: [{name: c, env: [{name: A, value: "
         "old}, {name: B, "
         "value: b}, {name: A, value: new}], resources: {requests: {cpu: 1}}}]}}}"),
     HEAD("") MAIN
     "      spec:\n        priorityClassName: fast\n        containers:\n        - name: c\n          env:\n"
     "          - name: A\n            value: new\n          - name: B\n            value: b\n"
     "          resources:\n            requests:\n              cpu: 1\n    count: 1\n" INDEXED
     "  queueName: q\n  priority: 1000\n  priorityClassRef:\n    group: kueue.x-k8s.io\n    kind: "
     "WorkloadPriorityClass\n    name: urgent\n"},
    /* what a running job does not need any more */
    {JOB(QUEUE(""), "spec: {parallelism: 3, completions: 5, template: " POD "}\nstatus: {succeeded: 4}"),
     HEAD("") MAIN CONTAINER "    count: 3\n" INDEXED "  queueName: q\n  priority: 0\n"
                             "status:\n  reclaimablePods:\n  - name: main\n    count: 2\n"},
};

START_TEST(whole)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    ck_assert_str_eq(workload_of(documents[_i].job, &ctx, &a, &w, &out, &e), "");
    ck_assert_str_eq(str_text(&out), documents[_i].want);
    ck_assert_ptr_null(a.bail);
    str_free(&out);
    arena_free(&a);
}
END_TEST

START_TEST(job_set)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    const char *text =
        "apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: s, namespace: ns}\nspec: "
        "{replicatedJobs: [{name: a, replicas: 2, template: {spec: {parallelism: 3, completions: 5, "
        "template: " POD "}}}, {name: b, template: {spec: {template: " POD "}}}]}";
    ck_assert_str_eq(workload_of(text, &ctx, &a, &w, &out, &e), "");
    ck_assert_str_eq(w.ns, "ns");
    ck_assert_int_eq(strncmp(w.name, "jobset-s-", 9), 0);
    ck_assert_uint_eq(w.workload.npod_sets, 2);
    ck_assert_str_eq(w.workload.pod_sets[0].name, "a");
    ck_assert_int_eq(w.workload.pod_sets[0].count, 6);
    ck_assert(!w.workload.pod_sets[0].wants_topology);
    ck_assert_ptr_nonnull(
        strstr(str_text(&out), "subGroupIndexLabel: jobset.sigs.k8s.io/job-index\n      subGroupCount: 2\n"));
    ck_assert_str_eq(w.workload.pod_sets[1].name, "b");
    ck_assert_int_eq(w.workload.pod_sets[1].count, 1);
    ck_assert_str_eq(w.workload.queue, "");
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* ---- priority ----------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *meta, *class; /* of the job, of the template */
    bool defaults;            /* there are a default WorkloadPriorityClass and PriorityClasses */
    int32_t priority;
    const char *name, *error;
} priorities[] = {
    {"", "", false, 0, "", NULL},
    {"", "fast", true, 1000, "urgent", NULL}, /* at creation the default class is given to it */
    {", uid: u", "fast", true, 7, "fast", NULL},
    {", uid: u", "", true, 3, "usual", NULL},
    {", uid: u", "system-node-critical", false, 2000001000, "system-node-critical", NULL},
    {", uid: u", "fast", false, 0, "", "priorityclasses.scheduling.k8s.io \"fast\" not found"},
    {", labels: {kueue.x-k8s.io/priority-class: urgent}", "fast", true, 1000, "urgent", NULL},
    {", labels: {kueue.x-k8s.io/priority-class: none}", "fast", true, 0, "",
     "metadata.labels[kueue.x-k8s.io/priority-class]: workloadpriorityclasses.kueue.x-k8s.io \"none\" not "
     "found"},
};

START_TEST(priority)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    char text[1024];
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    if (priorities[_i].defaults) {
        ctx.default_class = &workload_classes[0];
        ctx.pod_classes = pod_classes;
        ctx.npod_classes = COUNT(pod_classes);
    }
    snprintf(text, sizeof(text),
             "apiVersion: batch/v1\nkind: Job\nmetadata: {name: n%s}\nspec: {template: {spec: "
             "{priorityClassName: '%s', "
             "containers: [{name: c}]}}}",
             priorities[_i].meta, priorities[_i].class);
    const char *error = workload_of(text, &ctx, &a, &w, &out, &e);
    ck_assert_str_eq(error, priorities[_i].error ? priorities[_i].error : "");
    if (!priorities[_i].error) {
        ck_assert_int_eq(w.workload.priority, priorities[_i].priority);
        ck_assert_str_eq(w.workload.priority_class, priorities[_i].name);
    }
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* ---- topology ----------------------------------------------------------------------------------------------------------- */

#define K "kueue.x-k8s.io/podset-"

static const struct {
    const char *annotations,
        *want; /* of the template; what the request has besides podIndexLabel, or an error */
    bool wants;
} topologies[] = {
    {K "required-topology: cloud.com/block", "required: cloud.com/block", true},
    {K "preferred-topology: cloud.com/block, " K "group-name: g",
     "preferred: cloud.com/block\n      podSetGroupName: g", true},
    {K "unconstrained-topology: 'true'", "unconstrained: true", true},
    {K "unconstrained-topology: 'F'", "unconstrained: false", true},
    {K "slice-required-topology: cloud.com/block, " K "slice-size: '2', " K "group-name: g",
     "podSetSliceRequiredTopology: cloud.com/block\n      podSetSliceSize: 2", true},
    {K "required-topology: b, " K "slice-required-topology-constraints: '[{\"topology\":\"r\",\"size\":2}]'",
     "required: b\n      podsetSliceRequiredTopologyConstraints:\n      - topology: r\n        size: 2",
     true},
    {"other: x", "", false},
    {K "unconstrained-topology: maybe",
     "!spec.template.metadata.annotations[" K
     "unconstrained-topology]: Invalid value: \"maybe\": must be true or false",
     false},
    {K "required-topology: a b",
     "!spec.template.metadata.annotations[" K "required-topology]: Invalid value: \"a b\": name part", false},
    {K "required-topology: a, " K "preferred-topology: a",
     "!spec.template.metadata.annotations: Forbidden: at most one of", false},
    {K "slice-size: '1'",
     "!spec.template.metadata.annotations[" K "slice-size]: Forbidden: may not be set when", false},
    {K "slice-required-topology: a",
     "!spec.template.metadata.annotations[" K
     "slice-required-topology]: Required value: slice size is required",
     false},
    {K "slice-required-topology: a, " K "slice-size: '20'",
     "!spec.template.metadata.annotations[" K
     "slice-size]: Invalid value: \"20\": must not be greater than pod set count 4",
     false},
    {K "slice-required-topology: a, " K "slice-size: '-1'",
     "!spec.template.metadata.annotations[" K
     "slice-size]: Invalid value: \"-1\": must be greater than or equal to 1",
     false},
    {K "slice-required-topology: a, " K "slice-size: x",
     "!spec.template.metadata.annotations[" K "slice-size]: Invalid value: \"x\": must be a numeric value",
     false},
    {K "slice-required-topology-constraints: '[]'",
     "!spec.template.metadata.annotations[" K
     "slice-required-topology-constraints]: Invalid value: topology constraints "
     "must contain between 1 and 3 entries: got 0",
     false},
    {K "slice-required-topology-constraints: '{'",
     "!spec.template.metadata.annotations[" K
     "slice-required-topology-constraints]: Invalid value: must be a list",
     false},
};

START_TEST(topology)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    char text[2048];
    struct job_context ctx = context();
    const char *want = topologies[_i].want;
    arena_init(&a, 4096);
    str_init(&out, 0);
    snprintf(text, sizeof(text),
             JOB("", "spec: {parallelism: 4, template: {metadata: {annotations: {%s}}, spec: {containers: "
                     "[{name: c}]}}}"),
             topologies[_i].annotations);
    const char *error = workload_of(text, &ctx, &a, &w, &out, &e);
    if (*want == '!') {
        ck_assert_msg(strncmp(error, want + 1, strlen(want + 1)) == 0, "%s", error);
    } else {
        char request[512];
        ck_assert_str_eq(error, "");
        snprintf(request, sizeof(request), "    topologyRequest:\n      %s%spodIndexLabel: batch.", want,
                 *want ? "\n      " : "");
        ck_assert_msg(strstr(str_text(&out), request) != NULL, "%s", str_text(&out));
        ck_assert(w.workload.pod_sets[0].wants_topology == topologies[_i].wants);
    }
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* Without topology-aware scheduling nothing is asked for; without partial admission nothing is the least. */
START_TEST(gates_off)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    ck_assert_int_eq(gates_set(&gates, "TopologyAwareScheduling", false, NULL), 0);
    ck_assert_int_eq(gates_set(&gates, "PartialAdmission", false, NULL), 0);
    const char *text =
        JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '2'}",
            "spec: {parallelism: 4, template: {metadata: {annotations: {" K "required-topology: a}}, spec: "
            "{containers: [{name: c}]}}}");
    ck_assert_str_eq(workload_of(text, &ctx, &a, &w, &out, &e), "");
    ck_assert_ptr_null(strstr(str_text(&out), "topologyRequest"));
    ck_assert_int_eq(w.workload.pod_sets[0].min_count, 0);
    str_free(&out);
    arena_free(&a);
}
END_TEST

START_TEST(elastic)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    const char *text = JOB(", generation: 1, annotations: {kueue.x-k8s.io/elastic-job: 'true'}",
                           "spec: {template: " POD "}");
    ck_assert_str_eq(workload_of(text, &ctx, &a, &w, &out, &e), "");
    ck_assert_str_eq(w.name, "job-name-2514c");
    ck_assert_ptr_nonnull(strstr(str_text(&out), "kueue.x-k8s.io/workload-slice-name: job-name-2514c\n"));
    text = JOB(", annotations: {kueue.x-k8s.io/elastic-job: 'true', kueue.x-k8s.io/job-min-parallelism: '2'}",
               "spec: {parallelism: 3, template: " POD "}");
    ck_assert_str_eq(workload_of(text, &ctx, &a, &w, &out, &e),
                     "metadata.annotations[kueue.x-k8s.io/job-min-parallelism]: Invalid value: partial "
                     "admission and elastic "
                     "job cannot be used together");
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* ---- errors name the job's own fields ----------------------------------------------------------------------------------- */

static const struct {
    const char *job, *error;
} errors[] = {
    {JOB("", "spec: {}"), "spec.template: Required value"},
    {JOB("", "spec: {template: {}}"), "spec.template.spec: Required value"},
    {JOB("", "spec: {template: {spec: {}}}"), "spec.template.spec.containers: Required value"},
    {JOB("", "spec: {parallelism: -1, template: " POD "}"),
     "spec.parallelism: Invalid value: \"-1\": must be greater than or equal to 0"},
    {JOB("", "spec: {template: {spec: {containers: [{name: c, resources: {requests: {cpu: lots}}}]}}}"),
     "spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: \"lots\": quantities must "
     "match"},
    {"apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: s}\nspec: {replicatedJobs: "
     "[{name: a, template: "
     "{spec: {template: " POD
     "}}}, {name: b, template: {spec: {template: {spec: {containers: [{name: c, resources: "
     "{requests: {pods: 1}}}]}}}}}]}",
     "spec.replicatedJobs[1].template.spec.template.spec.containers[0].resources.requests[pods]: Invalid "
     "value: \"pods\": "
     "the key is reserved for internal kueue use"},
    {"apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: s}\nspec: {}",
     "spec.replicatedJobs: Required value"},
    {"apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: s}\nspec: {replicatedJobs: [5]}",
     "spec.replicatedJobs[0]: must be a map, not a number"},
    {"apiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {name: s}\nspec: {replicatedJobs: "
     "[{name: a}]}",
     "spec.replicatedJobs[0].template.spec.template: Required value"},
    {JOB(", labels: {kueue.x-k8s.io/queue-name: 'a b'}", "spec: {template: " POD "}"),
     "metadata.labels[kueue.x-k8s.io/queue-name]: Invalid value: \"a b\": a lowercase RFC 1123 subdomain"},
    {JOB(", labels: {kueue.x-k8s.io/max-exec-time-seconds: NaN}", "spec: {template: " POD "}"),
     "metadata.labels[kueue.x-k8s.io/max-exec-time-seconds]: Invalid value: \"NaN\": must be a number"},
    {JOB(", labels: {kueue.x-k8s.io/max-exec-time-seconds: '-10'}", "spec: {template: " POD "}"),
     "metadata.labels[kueue.x-k8s.io/max-exec-time-seconds]: Invalid value: -10: should be greater than 0"},
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '5'}",
         "spec: {parallelism: 4, template: " POD "}"),
     "metadata.annotations[kueue.x-k8s.io/job-min-parallelism]: Invalid value: 5: should be between 0 and 3"},
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: NaN}",
         "spec: {parallelism: 4, template: " POD "}"),
     "metadata.annotations[kueue.x-k8s.io/job-min-parallelism]: Invalid value: \"NaN\": must be a number"},
};

START_TEST(refusals)
{
    struct arena a;
    struct str out;
    struct object w;
    struct err e = {0};
    struct job_context ctx = context();
    arena_init(&a, 4096);
    str_init(&out, 0);
    const char *error = workload_of(errors[_i].job, &ctx, &a, &w, &out, &e);
    ck_assert_msg(strncmp(error, errors[_i].error, strlen(errors[_i].error)) == 0, "%s", error);
    str_free(&out);
    arena_free(&a);
}
END_TEST

START_TEST(out_of_memory)
{
    struct api_set *s = set_of(0, documents[1].job);
    struct job_context ctx = context();
    int rc = ERR_NOMEM, failures = 0;
    for (uint64_t n = 1; rc == ERR_NOMEM; n++) {
        struct arena a;
        struct object w;
        struct err e = {0};
        arena_init(&a, 64);
        mem_fail_after(n);
        rc = job_workload(api_set_at(s, 0), "name", "q", &ctx, &a, 0, NULL, &w, &e);
        mem_fail_after(0);
        failures += rc == ERR_NOMEM;
        arena_free(&a);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(failures, 10);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, NULL, teardown);
    tcase_add_loop_test(tc, whole, 0, COUNT(documents));
    tcase_add_test(tc, job_set);
    tcase_add_loop_test(tc, priority, 0, COUNT(priorities));
    tcase_add_loop_test(tc, topology, 0, COUNT(topologies));
    tcase_add_test(tc, gates_off);
    tcase_add_test(tc, elastic);
    tcase_add_loop_test(tc, refusals, 0, COUNT(errors));
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("jobs/workload", add);
}
