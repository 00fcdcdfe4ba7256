#include "jobs/expand.h"

#include "jobs_test.h"

#define POD "{spec: {containers: [{name: c, resources: {requests: {cpu: 1}}}]}}"
#define JOB(meta, rest)                                                                                      \
    "---\napiVersion: batch/v1\nkind: Job\nmetadata: {namespace: ns" meta "}\nspec: {template: " POD         \
    "}\n" rest "\n"
#define NAMED(name, meta) JOB(", name: " name, meta)
#define Q ", labels: {kueue.x-k8s.io/queue-name: q}"
#define WORKLOAD(name, meta)                                                                                 \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {namespace: ns, name: " name meta    \
    "}\nspec: {podSets: [{name: main, template: " POD "}]}\n"
#define DEFAULT_QUEUE                                                                                        \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {namespace: ns, name: "            \
    "default}\nspec: {clusterQueue: c}\n"
#define CONFIG(rest) "---\napiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n" rest "\n"
#define CLASS(kind, version, name, value)                                                                    \
    "---\napiVersion: " version "\nkind: " kind "\nmetadata: {name: " name "}\nvalue: " value "\n"
#define NO_NAME                                                                                              \
    "---\napiVersion: batch/v1\nkind: Job\nmetadata: {namespace: ns, generateName: g-" Q                     \
    "}\nspec: {template: " POD "}\n"
#define JOB_SET                                                                                              \
    "---\napiVersion: jobset.x-k8s.io/v1alpha2\nkind: JobSet\nmetadata: {namespace: ns, name: s" Q           \
    "}\nspec: {replicatedJobs: [{name: a, template: {spec: {template: " POD "}}}]}\n"

/* `want`: "owner queue priority; ..." of the Workloads that were added. */
static const struct {
    const char *text, *want, *warning, *error;
} rows[] = {
    {JOB(", name: a" Q, ""), "a q 0; ", NULL, NULL},
    {JOB(", name: a", ""), "",
     "t.yaml:2: Job ns/a: does not compete, since it has no label kueue.x-k8s.io/queue-name", NULL},
    {JOB(", name: a", "") JOB(", name: b", "") JOB(", name: c" Q, ""), "c q 0; ",
     "t.yaml:2: Job ns/a: does not compete, since it has no label kueue.x-k8s.io/queue-name; the same goes "
     "for 1 more",
     NULL},
    {JOB(", name: a" Q, "") JOB(", name: b" Q, "") JOB_SET, "a q 0; b q 0; s q 0; ", NULL, NULL},
    {NO_NAME NO_NAME, "g-00001 q 0; g-00002 q 0; ", NULL, NULL},
    /* over, or somebody else's */
    {JOB(", name: a" Q, "status: {conditions: [{type: Complete, status: 'True'}]}"), "", NULL, NULL},
    {JOB(", name: a, ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, name: s, "
         "controller: true}]" Q,
         ""),
     "", NULL, NULL},
    {JOB(", name: a, ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: s, controller: true}]" Q,
         ""),
     "a q 0; ", NULL, NULL},
    /* it has a Workload: by name, by uid, built before */
    {JOB(", name: name, uid: uid" Q, "") WORKLOAD("job-name-ef3a1", ""), "", NULL, NULL},
    {JOB(", name: name, uid: uid" Q, "") WORKLOAD("x", ", labels: {kueue.x-k8s.io/job-uid: uid}"), "", NULL,
     NULL},
    {JOB(", name: name, uid: uid" Q, "") WORKLOAD("x", ", labels: {kueue.x-k8s.io/job-uid: other}"),
     "name q 0; ", NULL, NULL},
    {JOB(", name: a, annotations: {kueue.x-k8s.io/prebuilt-workload-name: w}" Q, "") WORKLOAD("w", ""), "",
     NULL, NULL},
    {JOB(", name: a, labels: {kueue.x-k8s.io/queue-name: q, kueue.x-k8s.io/prebuilt-workload-name: w}", ""),
     "", "t.yaml:2: Job ns/a: waits for its prebuilt Workload, which is not there", NULL},
    /* what it is given at its creation */
    {DEFAULT_QUEUE JOB(", name: a", "") JOB(", name: b, uid: u", ""), "a default 0; ",
     "t.yaml:13: Job ns/b: does not compete, since it has no label kueue.x-k8s.io/queue-name", NULL},
    {JOB(", name: a" Q, "") JOB(", name: b, uid: u" Q, "")
         CLASS("WorkloadPriorityClass", "kueue.x-k8s.io/v1beta2", "default", "5")
             CLASS("PriorityClass", "scheduling.k8s.io/v1", "p", "9\nglobalDefault: true"),
     "a q 5; b q 9; ", NULL, NULL},
    {CONFIG("featureGates: {WorkloadPriorityClassDefaulting: false}") JOB(", name: a" Q, "")
         CLASS("WorkloadPriorityClass", "kueue.x-k8s.io/v1beta2", "default", "5"),
     "a q 0; ", NULL, NULL},
    /* the Configuration */
    {CONFIG("manageJobsWithoutQueueName: true") JOB(", name: a", ""), "a  0; ", NULL, NULL},
    {CONFIG("integrations: {frameworks: [batch/job]}") JOB(", name: a" Q, "") JOB_SET, "a q 0; ",
     "t.yaml:12: JobSet ns/s: is passed over: integrations.frameworks of the Configuration does not list its "
     "kind",
     NULL},
    /* a bad one spoils nothing else */
    {JOB(", name: a, labels: {kueue.x-k8s.io/queue-name: q, kueue.x-k8s.io/priority-class: x}", "")
         JOB(", name: b" Q, ""),
     "b q 0; ", NULL,
     "t.yaml:4: Job ns/a: metadata.labels[kueue.x-k8s.io/priority-class]: "
     "workloadpriorityclasses.kueue.x-k8s.io \"x\" not found"},
    {"apiVersion: batch/v1\nkind: Job\nmetadata: {name: a" Q
     "}\nspec:\n  template:\n    spec:\n      foo: 1\n      containers:\n      "
     "- name: c\n        resources: {requests: {cpu: lots}}",
     "", "t.yaml:7: Job default/a: spec.template.spec.foo: unknown field",
     "t.yaml:10: Job default/a: spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: "
     "\"lots\": quantities "
     "must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
};

static void read_into(struct api_set *s, const char *text)
{
    struct err e = {0};
    ck_assert_int_eq(api_read_buffer(s, "u.yaml", text, strlen(text), &e), 0);
}

static const char *owner_of(const struct object *w)
{
    return doc_str_or(doc_at(doc_path(w->doc, "metadata.ownerReferences"), 0), "name", "?");
}

START_TEST(expansions)
{
    char got[256] = "";
    size_t len = 0;
    struct err e = {0};
    struct api_set *s = set_of(0, rows[_i].text);
    read_into(s, "{apiVersion: v1, kind: NamespaceList, items: [{metadata: {name: ns}}, {metadata: {name: "
                 "default}}]}");
    uint32_t had = api_set_count(s), warned = api_set_warnings(s);
    ck_assert_int_eq(job_expand(s, &e), 0);
    for (uint32_t i = had; i < api_set_count(s); i++) {
        const struct object *w = api_set_at(s, i);
        ck_assert_int_eq(w->kind, API_WORKLOAD);
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s %s %d; ", owner_of(w), w->workload.queue,
                                w->workload.priority);
    }
    ck_assert_str_eq(got, rows[_i].want);
    ck_assert_uint_eq(api_set_errors(s), rows[_i].error != NULL);
    ck_assert_str_eq(api_set_error(s, 0), rows[_i].error ? rows[_i].error : "");
    if (rows[_i].warning)
        ck_assert_str_eq(api_set_warning(s, api_set_warnings(s) - 1), rows[_i].warning);
    else
        ck_assert_uint_eq(api_set_warnings(s), warned);
    api_set_free(s);
}
END_TEST

/* Notes of later readings have a place of their own again. */
START_TEST(annotations_stay)
{
    struct err e = {0};
    struct api_set *s = set_of(0, JOB(", name: a, annotations: {sim/run-seconds: '5'}" Q, ""));
    ck_assert_int_eq(job_expand(s, &e), 0);
    ck_assert_str_eq(object_annotation(api_set_at(s, 2), "sim/run-seconds"), "5");
    ck_assert_uint_eq(api_set_at(s, 2)->line, 2);
    ck_assert_int_eq(api_read_buffer(s, "u.yaml", "x: 1", 4, &e), 0);
    ck_assert_str_eq(api_set_error(s, 0), "u.yaml:1: apiVersion: Required value");
    api_set_free(s);
}
END_TEST

START_TEST(namespaces)
{
    struct err e = {0};
    struct api_set *s = set_of(0, JOB(", name: a", "") JOB(", name: b" Q, "") JOB(", name: c" Q, ""));
    ck_assert_int_eq(job_expand(s, &e), 0);
    ck_assert_uint_eq(api_set_count(s), 6);
    const struct object *n = api_set_at(s, 3);
    ck_assert_int_eq(n->kind, API_NAMESPACE);
    ck_assert_str_eq(n->name_space.name, "ns");
    ck_assert_uint_eq(n->name_space.nlabels, 1);
    ck_assert_str_eq(n->name_space.labels[0].key, "kubernetes.io/metadata.name");
    ck_assert_str_eq(n->name_space.labels[0].value, "ns");
    ck_assert_uint_eq(api_set_warnings(s), 2); /* and the one without a queue */
    ck_assert_str_eq(api_set_warning(s, 0),
                     "t.yaml:8: Job ns/b: metadata.namespace: the Namespace is not in the files; it is "
                     "taken as existing, without labels of its own");
    api_set_free(s);
}
END_TEST

START_TEST(strict)
{
    struct err e = {0};
    struct api_set *s = set_of(
        API_STRICT, JOB(", name: a" Q, "") "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: b" Q
                                           "}\nspec: {template: {spec: {foo: 1, containers: [{name: c}]}}}");
    ck_assert_int_eq(job_expand(s, &e), 0);
    ck_assert_uint_eq(api_set_count(s), 5); /* two namespaces, and one Workload */
    ck_assert_str_eq(api_set_error(s, 0), "t.yaml:11: Job default/b: spec.template.spec.foo: unknown field");
    api_set_free(s);
}
END_TEST

START_TEST(out_of_memory)
{
    int rc = ERR_NOMEM, failures = 0;
    int64_t live = mem_live();
    for (uint64_t n = 1; rc == ERR_NOMEM; n++) {
        struct err e = {0};
        struct api_set *s = set_of(0, DEFAULT_QUEUE NO_NAME JOB(", name: a" Q, "")
                                          JOB(", name: b, labels: {kueue.x-k8s.io/priority-class: x}", "")
                                              CLASS("PriorityClass", "scheduling.k8s.io/v1", "p", "9"));
        mem_fail_after(n);
        rc = job_expand(s, &e);
        mem_fail_after(0);
        failures += rc == ERR_NOMEM;
        if (rc == 0)
            ck_assert_uint_eq(api_set_errors(s), 1);
        api_set_free(s);
        ck_assert_int_eq(mem_live(), live);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(failures, 5);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, expansions, 0, COUNT(rows));
    tcase_add_test(tc, annotations_stay);
    tcase_add_test(tc, namespaces);
    tcase_add_test(tc, strict);
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("jobs/expand", add);
}
