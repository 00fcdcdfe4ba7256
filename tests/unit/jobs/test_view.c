#include "jobs/view.h"

#include "jobs_test.h"

#define KUEUE "kueue.x-k8s.io/"

static struct arena arena;
static struct gates gates;

static void setup(void)
{
    arena_init(&arena, 4096);
    gates = gates_default();
}

static void teardown(void)
{
    arena_free(&arena);
}

static struct job_view *job_of(enum api_kind kind, const char *text)
{
    struct job_view *v = NULL;
    struct err e = {0};
    ck_assert_msg(job_view_of(job_kind_of(kind), doc_of(&arena, text), &gates, &arena, &v, &e) == 0, "%s",
                  e.text);
    return v;
}

static struct wl_view *wl_of(const char *text)
{
    struct wl_view *v = NULL;
    struct err e = {0};
    ck_assert_msg(wl_view_of(doc_of(&arena, text), &arena, &v, &e) == 0, "%s", e.text);
    return v;
}

START_TEST(whole_job)
{
    struct job_view *v = job_of(
        API_JOB,
        "metadata: {name: j, namespace: ns, uid: u, resourceVersion: '9', generation: 4, deletionTimestamp: "
        "t, "
        "labels: {" KUEUE "queue-name: q, " KUEUE "priority-class: p, " KUEUE "max-exec-time-seconds: '60'}, "
        "annotations: {" KUEUE "admission-gated-by: g, " KUEUE "stopping: 'true'}, "
        "ownerReferences: [{kind: No, name: no}, {apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, name: "
        "s, "
        "uid: su, controller: true}]}\n"
        "spec: {suspend: true, parallelism: 3, completions: 4, template: {spec: {containers: [{name: c}], "
        "tolerations: [{key: a, value: ''}, {key: b}]}}}\n"
        "status: {active: 2, ready: 2, succeeded: 2, startTime: t, conditions: [{type: Failed, status: "
        "'True', "
        "message: m}]}\n");
    ck_assert_str_eq(v->ns, "ns");
    ck_assert_str_eq(v->name, "j");
    ck_assert_str_eq(v->uid, "u");
    ck_assert_str_eq(v->resource_version, "9");
    ck_assert_int_eq(v->generation, 4);
    ck_assert_str_eq(v->queue, "q");
    ck_assert_str_eq(v->priority_class, "p");
    ck_assert_str_eq(v->gated_by, "g");
    ck_assert_str_eq(v->prebuilt, "");
    ck_assert_str_eq(v->refused, "");
    ck_assert_int_eq(v->max_exec_s, 60);
    ck_assert_str_eq(v->owner.group, "jobset.x-k8s.io");
    ck_assert_str_eq(v->owner.kind, "JobSet");
    ck_assert_str_eq(v->owner.name, "s");
    ck_assert_str_eq(v->owner.uid, "su");
    ck_assert(v->suspended && v->stopping && v->has_start_time && v->deleting && !job_view_held(v));
    ck_assert(v->finished && !v->success && v->active && v->pods_ready);
    ck_assert_str_eq(v->finish_message, "m");
    ck_assert_int_eq(v->npods, 1);
    ck_assert_str_eq(v->pods[0].name, "main");
    ck_assert_int_eq(v->pods[0].count, 3);
    ck_assert_int_eq(v->pods[0].min_count, -1);
    ck_assert_int_eq(v->pods[0].reclaimable, 1);
    ck_assert_str_eq(v->pods[0].tolerations, "{\"key\":\"a\"},{\"key\":\"b\"}");
    job_view_free(v);
    job_view_free(NULL);
}
END_TEST

START_TEST(whole_workload)
{
    struct wl_view *v = wl_of(
        "metadata: {name: w, namespace: ns, uid: u, resourceVersion: '9', generation: 4, finalizers: [" KUEUE
        "resource-in-use], annotations: {" KUEUE "admission-gated-by: g}, ownerReferences: [{apiVersion: v1, "
        "kind: Pod, name: p, uid: pu, controller: true}]}\n"
        "spec: {queueName: q, active: false, priority: -5, maximumExecutionTimeSeconds: 7, priorityClassRef: "
        "{group: g, name: n}, podSets: [{name: a, count: 4, minCount: 2, template: {spec: {}}}, {name: b}]}\n"
        "status: {admission: {clusterQueue: cq, podSetAssignments: [{name: a, count: 3}]}, reclaimablePods: "
        "[{name: a, count: 1}]}\n");
    ck_assert_str_eq(v->owner.kind, "Pod");
    ck_assert(v->one_pod_owner && v->has_finalizer && !v->active && !v->deleting && !v->elastic);
    ck_assert_str_eq(v->gated_by, "g");
    ck_assert_str_eq(v->queue, "q");
    ck_assert_str_eq(v->class_group, "g");
    ck_assert_str_eq(v->class_name, "n");
    ck_assert_int_eq(v->priority, -5);
    ck_assert_int_eq(v->max_exec_s, 7);
    ck_assert_int_eq(v->npods, 2);
    ck_assert_int_eq(v->pods[0].min_count, 2);
    ck_assert_int_eq(v->pods[0].reclaimable, 1);
    ck_assert_int_eq(v->pods[1].count, 1);
    ck_assert_str_eq(v->cluster_queue, "cq");
    ck_assert_int_eq(v->admitted_counts[0], 3);
    ck_assert_int_eq(v->admitted_counts[1], -1);
    ck_assert_ptr_null(v->status);
    wl_view_free(v);
    wl_view_free(NULL);
}
END_TEST

/* ---- what counts as the same -------------------------------------------------------------------------------------------- */

static const struct {
    const char *a, *b; /* pod templates */
    bool containers, injected;
} pairs[] = {
    {"{spec: {containers: [{name: c}]}}", "{spec: {containers: [{name: c}]}}", true, true},
    {"{spec: {containers: [{image: i, name: c, env: []}]}}", "{spec: {containers: [{name: c, image: i}]}}",
     true, true},
    {"{spec: {containers: [{name: c, resources: {requests: {cpu: 1000m, memory: 1Gi}}}]}}",
     "{spec: {containers: [{name: c, resources: {requests: {cpu: 1, memory: 1024Mi}, limits: {}}}]}}", true,
     true},
    {"{spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}",
     "{spec: {containers: [{name: c, resources: {requests: {cpu: 2}}}]}}", false, true},
    {"{spec: {containers: [{name: a}, {name: b}]}}", "{spec: {containers: [{name: b}, {name: a}]}}", false,
     true},
    {"{spec: {containers: [{name: c}]}}", "{spec: {initContainers: [{name: c}]}}", false, true},
    {"{spec: {containers: [{name: c, env: [{name: e, value: '1000m'}]}]}}",
     "{spec: {containers: [{name: c, env: [{name: e, value: '1'}]}]}}", false, true},
    {"{spec: {affinity: {x: y}}}", "{spec: {priority: 3}}", true, true},
    {"{metadata: {labels: {a: b}}}", "{metadata: {labels: {a: c}}}", true, false},
    {"{metadata: {labels: {job-name: b}}}", "{metadata: {labels: {batch.kubernetes.io/controller-uid: x}}}",
     true, true},
    {"{metadata: {labels: {job-nam: b}}}", "{}", true, false},
    {"{metadata: {annotations: {a: b}}}", "{metadata: {labels: {a: b}}}", true, false},
    {"{spec: {nodeSelector: {a: b}}}", "{spec: {nodeSelector: {}}}", true, false},
    {"{spec: {tolerations: []}}", "{spec: {nodeSelector: null}}", true, true},
    {"{spec: {tolerations: [{key: a}]}}", "{spec: {tolerations: [{key: b}]}}", true, false},
    {"{spec: {schedulingGates: [{name: a}]}}", "{}", true, false},
};

START_TEST(digests)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "metadata: {name: w}\nspec: {podSets: [{name: a, template: %s}, {name: b, template: %s}]}",
             pairs[_i].a, pairs[_i].b);
    struct wl_view *v = wl_of(text);
    ck_assert(canon_digest_equal(v->pods[0].containers, v->pods[1].containers) == pairs[_i].containers);
    ck_assert(canon_digest_equal(v->pods[0].injected, v->pods[1].injected) == pairs[_i].injected);
    wl_view_free(v);
}
END_TEST

/* ---- what is refused, what is passed over ------------------------------------------------------------------------------- */

#define POD "template: {spec: {containers: [{name: c}]}}"
static const struct {
    enum api_kind kind;
    const char *text, *gate_off, *refused; /* part of it; "" = nothing */
} refusals[] = {
    {API_JOB, "metadata: {name: j}\nspec: {" POD "}", NULL, ""},
    {API_JOB, "metadata: {name: j, annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {" POD "}", NULL,
     "elastic"},
    {API_JOB, "metadata: {name: j, annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {" POD "}",
     "ElasticJobsViaWorkloadSlices", ""},
    {API_JOB_SET,
     "metadata: {name: j, annotations: {" KUEUE
     "elastic-job: 'true'}}\nspec: {replicatedJobs: [{name: r, template: {spec: {" POD "}}}]}",
     NULL, ""},
    {API_JOB, "metadata: {name: j}\nspec: {managedBy: " KUEUE "multikueue, " POD "}", NULL, "MultiKueue"},
    {API_JOB, "metadata: {name: j}\nspec: {managedBy: example.com/x, " POD "}", NULL, ""},
    {API_JOB, "metadata: {name: j}", NULL, "spec.template: Required value"},
    {API_JOB, "metadata: {name: j}\nspec: {parallelism: x, " POD "}", NULL, "spec.parallelism"},
    {API_JOB_SET, "metadata: {name: j}\nspec: {replicatedJobs: 3}", NULL, "spec.replicatedJobs"},
};

START_TEST(refused)
{
    struct err e;
    if (refusals[_i].gate_off)
        ck_assert_int_eq(gates_set(&gates, refusals[_i].gate_off, false, &e), 0);
    struct job_view *v = job_of(refusals[_i].kind, refusals[_i].text);
    if (*refusals[_i].refused)
        ck_assert_msg(strstr(v->refused, refusals[_i].refused), "%s", v->refused);
    else
        ck_assert_str_eq(v->refused, "");
    job_view_free(v);
}
END_TEST

START_TEST(no_object)
{
    static const char *const texts[] = {"{}", "metadata: 3", "metadata: {name: ''}", "3", "[a]"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct job_view *v = NULL;
        struct wl_view *w = NULL;
        const struct doc_node *doc = doc_of(&arena, texts[i]);
        ck_assert_int_eq(job_view_of(job_kind_of(API_JOB), doc, &gates, &arena, &v, NULL), ERR_INVALID);
        ck_assert_int_eq(wl_view_of(doc, &arena, &w, NULL), ERR_INVALID);
    }
}
END_TEST

static const struct {
    const char *label, *annotation, *by_annotation, *by_label;
} prebuilts[] = {
    {"", "", "", ""},
    {"a", "", "a", "a"},
    {"", "b", "b", ""},
    {"a", "b", "b", "a"},
    {"", "0123456789012345678901234567890123456789012345678901234567890123",
     "0123456789012345678901234567890123456789012345678901234567890123",
     "0123456789012345678901234567890123456789012345678901234567890123"},
};

START_TEST(prebuilt)
{
    char text[512];
    struct err e;
    snprintf(text, sizeof(text),
             "metadata: {name: j, labels: {" KUEUE "prebuilt-workload-name: '%s'}, annotations: {" KUEUE
             "prebuilt-workload-name: '%s'}}\nspec: {" POD "}",
             prebuilts[_i].label, prebuilts[_i].annotation);
    struct job_view *v = job_of(API_JOB, text);
    ck_assert_str_eq(v->prebuilt, prebuilts[_i].by_annotation);
    job_view_free(v);
    ck_assert_int_eq(gates_set(&gates, "WorkloadIdentifierAnnotations", false, &e), 0);
    v = job_of(API_JOB, text);
    ck_assert_str_eq(v->prebuilt, prebuilts[_i].by_label);
    job_view_free(v);
}
END_TEST

START_TEST(out_of_memory)
{
    const struct doc_node *doc =
        doc_of(&arena, "metadata: {name: j, namespace: n}\nspec: {" POD ", podSets: [{name: a, " POD "}]}");
    bool done = false;
    int64_t live = mem_live();
    for (uint64_t n = 1; !done; n++) {
        struct job_view *v = NULL;
        struct wl_view *w = NULL;
        struct arena a;
        arena_init(&a, 16);
        mem_fail_after(n);
        int rc = job_view_of(job_kind_of(API_JOB), doc, &gates, &a, &v, NULL);
        int rc2 = rc == 0 ? wl_view_of(doc, &a, &w, NULL) : rc;
        mem_fail_after(0);
        ck_assert((rc == 0 || rc == ERR_NOMEM) && (rc2 == 0 || rc2 == ERR_NOMEM));
        done = rc2 == 0;
        job_view_free(v);
        wl_view_free(w);
        arena_free(&a);
        ck_assert_int_eq(mem_live(), live);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, whole_job);
    tcase_add_test(tc, whole_workload);
    tcase_add_loop_test(tc, digests, 0, COUNT(pairs));
    tcase_add_loop_test(tc, refused, 0, COUNT(refusals));
    tcase_add_test(tc, no_object);
    tcase_add_loop_test(tc, prebuilt, 0, COUNT(prebuilts));
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("view", add);
}
