#include "api/emit.h"
#include "api/v1beta1.h"
#include "api_test.h"

/* Notes, as "line: path: text", warnings with "w " in front. */
static struct str notes;

static void take_note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    (void)ctx;
    str_addf(&notes, "%s%s%u: %s: %s", notes.len ? "\n" : "", is_error ? "" : "w ", line, path, text);
}

static const struct api_sink sink = {.note = take_note};

static const struct doc_node *parse(struct arena *a, const char *text)
{
    const struct doc_node *root = NULL;
    struct err e = {0};
    struct yaml *y = yaml_open(a, text, strlen(text), 1);
    ck_assert_msg(yaml_next(y, &root, &e) == 1, "%s: %s", text, e.text);
    yaml_close(y);
    return root;
}

static const char *print(const struct doc_node *n, struct str *out)
{
    str_clear(out);
    ck_assert_int_eq(emit_yaml(n, out, NULL), 0);
    return str_text(out);
}

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

#define OLD(kind, rest) "apiVersion: kueue.x-k8s.io/v1beta1\nkind: " kind "\n" rest
#define NEW(kind, rest) "apiVersion: kueue.x-k8s.io/v1beta2\nkind: " kind "\n" rest
#define OLD_CONFIG(rest) "apiVersion: config.kueue.x-k8s.io/v1beta1\nkind: Configuration\n" rest
#define NEW_CONFIG(rest) "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n" rest

/* What is converted prints as `want` does and, converted again, stays as it is. */
static const struct {
    const char *old, *want;
    const char *notes;
} rows[] = {
    {OLD("ResourceFlavor", "metadata:\n  name: f\nspec:\n  nodeLabels:\n    a: b\n"),
     NEW("ResourceFlavor", "metadata:\n  name: f\nspec:\n  nodeLabels:\n    a: b\n"), ""},
    {OLD("Cohort", "spec:\n  parentName: p\n  foo: 1\nbar: [x]\n"),
     NEW("Cohort", "spec:\n  parentName: p\n  foo: 1\nbar:\n- x\n"), ""},
    {OLD("WorkloadPriorityClass", "value: 5\n"), NEW("WorkloadPriorityClass", "value: 5\n"), ""},
    {OLD("Topology", "spec: {levels: [{nodeLabel: a}]}"),
     NEW("Topology", "spec:\n  levels:\n  - nodeLabel: a\n"), ""},
    {OLD("ProvisioningRequestConfig", "spec: {provisioningClassName: a}"),
     NEW("ProvisioningRequestConfig", "spec:\n  provisioningClassName: a\n"), ""},
    {OLD("AdmissionCheck", "spec: {controllerName: a, retryDelayMinutes: 15, parameters: {name: p}}"),
     NEW("AdmissionCheck", "spec:\n  controllerName: a\n  parameters:\n    name: p\n"),
     "w 3: spec.retryDelayMinutes: left out: v1beta2 does not have it"},
    {OLD("MultiKueueCluster", "spec: {kubeConfig: {location: l, locationType: Secret}}"),
     NEW("MultiKueueCluster",
         "spec:\n  clusterSource:\n    kubeConfig:\n      location: l\n      locationType: Secret\n"),
     ""},
    /* ClusterQueue */
    {OLD("ClusterQueue", "spec: {queueingStrategy: StrictFIFO, cohort: c, x: z}"),
     NEW("ClusterQueue", "spec:\n  queueingStrategy: StrictFIFO\n  cohortName: c\n  x: z\n"), ""},
    {OLD("ClusterQueue", "spec: {cohort: null}"), NEW("ClusterQueue", "spec:\n  cohortName: null\n"), ""},
    {OLD("ClusterQueue", "spec: {admissionChecks: [a, b], stopPolicy: Hold}"),
     NEW("ClusterQueue",
         "spec:\n  admissionChecksStrategy:\n    admissionChecks:\n    - name: a\n    - name: b\n  "
         "stopPolicy: Hold\n"),
     ""},
    {OLD("ClusterQueue",
         "spec:\n  admissionChecksStrategy: {admissionChecks: [{name: x}]}\n  admissionChecks: [a]"),
     NEW("ClusterQueue", "spec:\n  admissionChecksStrategy:\n    admissionChecks:\n    - name: a\n"),
     "w 4: spec.admissionChecksStrategy: left out: admissionChecks wins over it"},
    {OLD("ClusterQueue",
         "spec: {admissionChecksStrategy: {admissionChecks: [{name: x}]}, admissionChecks: []}"),
     NEW("ClusterQueue", "spec:\n  admissionChecksStrategy:\n    admissionChecks:\n    - name: x\n"), ""},
    {OLD("ClusterQueue", "spec: {flavorFungibility: {whenCanBorrow: Borrow, whenCanPreempt: Preempt}}"),
     NEW("ClusterQueue", "spec:\n  flavorFungibility:\n    whenCanBorrow: MayStopSearch\n    whenCanPreempt: "
                         "MayStopSearch\n"),
     ""},
    {OLD("ClusterQueue", "spec: {flavorFungibility: {whenCanBorrow: TryNextFlavor, whenCanPreempt: Borrow}}"),
     NEW("ClusterQueue",
         "spec:\n  flavorFungibility:\n    whenCanBorrow: TryNextFlavor\n    whenCanPreempt: Borrow\n"),
     ""},
    {OLD("ClusterQueue", "status: {pendingWorkloads: 3, pendingWorkloadsStatus: {lastChangeTime: null}}"),
     NEW("ClusterQueue", "status:\n  pendingWorkloads: 3\n"),
     "w 3: status.pendingWorkloadsStatus: left out: v1beta2 does not have it"},
    {OLD("ClusterQueue", "status: {pendingWorkloadsStatus: {}}"), NEW("ClusterQueue", "status: {}\n"), ""},
    /* LocalQueue */
    {OLD("LocalQueue", "status: {flavorUsage: [{name: f}], flavors: [], flavorsReservation: [{name: f}]}"),
     NEW("LocalQueue", "status:\n  flavorsUsage:\n  - name: f\n  flavorsReservation:\n  - name: f\n"), ""},
    {OLD("LocalQueue", "status: {flavors: [{name: f}]}"), NEW("LocalQueue", "status: {}\n"),
     "w 3: status.flavors: left out: v1beta2 does not have it"},
    /* Workload */
    {OLD("Workload", "spec: {priorityClassName: hi, priority: 3, priorityClassSource: "
                     "kueue.x-k8s.io/workloadpriorityclass}"),
     NEW("Workload",
         "spec:\n  priorityClassRef:\n    group: kueue.x-k8s.io\n    kind: WorkloadPriorityClass\n    "
         "name: hi\n  priority: 3\n"),
     ""},
    {OLD("Workload", "spec: {priorityClassSource: scheduling.k8s.io/priorityclass, priorityClassName: hi}"),
     NEW("Workload",
         "spec:\n  priorityClassRef:\n    group: scheduling.k8s.io\n    kind: PriorityClass\n    name: "
         "hi\n"),
     ""},
    {OLD("Workload", "spec: {priorityClassSource: '', priorityClassName: ''}"), NEW("Workload", "spec: {}\n"),
     ""},
    {OLD("Workload", "spec: {priorityClassName: hi}"), NEW("Workload", "spec: {}\n"),
     "w 3: spec.priorityClassName: left out: there is no priorityClassSource"},
    {OLD("Workload", "spec: {priorityClassSource: scheduling.k8s.io/priorityclass}"),
     NEW("Workload", "spec: {}\n"), "w 3: spec.priorityClassSource: left out: there is no priorityClassName"},
    {OLD("Workload", "status: {accumulatedPastExexcutionTimeSeconds: 7}"),
     NEW("Workload", "status:\n  accumulatedPastExecutionTimeSeconds: 7\n"), ""},
    /* Configuration */
    {OLD_CONFIG("fairSharing: {enable: true}"),
     NEW_CONFIG("fairSharing:\n  preemptionStrategies:\n  - LessThanOrEqualToFinalShare\n  - "
                "LessThanInitialShare\n"),
     ""},
    {OLD_CONFIG("fairSharing: {enable: true, preemptionStrategies: [LessThanInitialShare]}"),
     NEW_CONFIG("fairSharing:\n  preemptionStrategies:\n  - LessThanInitialShare\n"), ""},
    {OLD_CONFIG("fairSharing: {enable: false, preemptionStrategies: [LessThanInitialShare]}\nnamespace: a"),
     NEW_CONFIG("namespace: a\n"), ""},
    {OLD_CONFIG("waitForPodsReady: {enable: true}"),
     NEW_CONFIG("waitForPodsReady:\n  timeout: 5m\n  blockAdmission: true\n"), ""},
    {OLD_CONFIG("waitForPodsReady: {enable: true, blockAdmission: false, timeout: 10m, recoveryTimeout: 3m}"),
     NEW_CONFIG("waitForPodsReady:\n  blockAdmission: false\n  timeout: 10m\n  recoveryTimeout: 3m\n"), ""},
    {OLD_CONFIG("waitForPodsReady: {timeout: 10m}\nnamespace: a"), NEW_CONFIG("namespace: a\n"),
     "w 3: waitForPodsReady: left out, as it is not enabled; v1beta2 waits by default, the feature gate "
     "DisableWaitForPodsReady turns that off"},
    {OLD_CONFIG("integrations: {frameworks: [pod], podOptions: {podSelector: {}}}\nqueueVisibility: "
                "{updateIntervalSeconds: 5}"),
     NEW_CONFIG("integrations:\n  frameworks:\n  - pod\n"),
     "w 3: integrations.podOptions: left out: v1beta2 does not have it\n"
     "w 4: queueVisibility: left out: v1beta2 does not have it"},
    /* lists */
    {OLD("ClusterQueueList", "items:\n- spec:\n    cohort: c\n- apiVersion: kueue.x-k8s.io/v1beta2\n  kind: "
                             "ClusterQueue\n  spec:\n    cohort: c\n"),
     NEW("ClusterQueueList",
         "items:\n- spec:\n    cohortName: c\n- apiVersion: kueue.x-k8s.io/v1beta2\n  kind: "
         "ClusterQueue\n  spec:\n    cohort: c\n"),
     ""},
    {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: kueue.x-k8s.io/v1beta1\n  kind: AdmissionCheck\n  "
     "spec: "
     "{retryDelayMinutes: 1}\n- apiVersion: v1\n  kind: Pod\n- 5\n",
     "apiVersion: v1\nkind: List\nitems:\n- apiVersion: kueue.x-k8s.io/v1beta2\n  kind: AdmissionCheck\n  "
     "spec: {}\n"
     "- apiVersion: v1\n  kind: Pod\n- 5\n",
     "w 6: items[0].spec.retryDelayMinutes: left out: v1beta2 does not have it"},
};

START_TEST(conversions)
{
    struct arena a;
    struct str out;
    struct err e = {0};
    const struct doc_node *got, *again;
    arena_init(&a, 4096);
    str_init(&out, 0);
    str_init(&notes, 0);
    ck_assert_msg(v1beta1_document(parse(&a, rows[_i].old), &a, &sink, &got, &e) == 0, "%s", e.text);
    ck_assert_str_eq(print(got, &out), rows[_i].want);
    ck_assert_str_eq(str_text(&notes), rows[_i].notes);
    ck_assert_int_eq(v1beta1_document(got, &a, &sink, &again, &e), 0);
    ck_assert_ptr_eq(again, got);
    ck_assert_ptr_null(a.bail);
    str_free(&notes);
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* Nothing to convert: the same node comes back. */
static const char *const others[] = {
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nspec: {cohort: c}",
    "apiVersion: kueue.x-k8s.io/v1beta1\nkind: Unheard",
    "apiVersion: kueue.x-k8s.io/v1alpha1\nkind: Topology",
    "apiVersion: v1\nkind: ConfigMap\ndata: {cohort: c}",
    "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod}]",
    "apiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\n",
    "kind: ClusterQueue",
    "[1]",
    "text",
};

START_TEST(unchanged)
{
    struct arena a;
    struct err e = {0};
    const struct doc_node *got;
    arena_init(&a, 4096);
    const struct doc_node *root = parse(&a, others[_i]);
    ck_assert_int_eq(v1beta1_document(root, &a, NULL, &got, &e), 0);
    if (_i == 5)
        ck_assert_ptr_ne(got, root);
    else
        ck_assert_ptr_eq(got, root);
    arena_free(&a);
}
END_TEST

/* ---- topology assignments ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *domains, *want;
} topologies[] = {
    {"[{count: 3, values: [a, b]}]",
     "[{domainCount: 1, valuesPerLevel: [{universal: a}, {universal: b}], podCounts: {universal: 3}}]"},
    {"[{count: 1, values: [p.a1.s, x]}, {count: 2, values: [p.a2.s, x]}]",
     "[{domainCount: 2, valuesPerLevel: [{individual: {prefix: p.a, suffix: .s, roots: ['1', '2']}}, "
     "{universal: x}], "
     "podCounts: {individual: [1, 2]}}]"},
    {"[{count: 1, values: [aba, q]}, {count: 1, values: [ababa, r]}]",
     "[{domainCount: 2, valuesPerLevel: [{individual: {suffix: aba, roots: ['', ab]}}, {individual: {roots: "
     "[q, r]}}], "
     "podCounts: {universal: 1}}]"},
    {"[{count: 1, values: [abacacada, q]}, {count: 1, values: [abacada, q]}]",
     "[{domainCount: 2, valuesPerLevel: [{individual: {prefix: ab, suffix: acada, roots: [ac, '']}}, "
     "{universal: q}], "
     "podCounts: {universal: 1}}]"},
    {"[]", NULL},
    {"null", NULL},
};

START_TEST(topology)
{
    struct arena a;
    struct str text;
    struct err e = {0};
    const struct doc_node *got;
    arena_init(&a, 4096);
    str_init(&text, 0);
    str_addf(&text,
             OLD("Workload", "status: {admission: {clusterQueue: q, podSetAssignments: [{name: m, "
                             "topologyAssignment: {levels: [l, k], domains: %s}}]}}"),
             topologies[_i].domains);
    ck_assert_msg(v1beta1_document(parse(&a, str_text(&text)), &a, &sink, &got, &e) == 0, "%s", e.text);
    const struct doc_node *assignment = doc_at(doc_path(got, "status.admission.podSetAssignments"), 0);
    const struct doc_node *t = doc_field(assignment, "topologyAssignment");
    ck_assert_uint_eq(doc_field(t, "levels")->n, 2);
    ck_assert_ptr_null(doc_get(t, "domains"));
    if (topologies[_i].want)
        ck_assert(doc_equal(doc_get(t, "slices"), parse(&a, topologies[_i].want)));
    else
        ck_assert_ptr_null(doc_get(t, "slices"));
    str_free(&text);
    arena_free(&a);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------------------------------------- */

#define DOMAINS(list)                                                                                        \
    OLD("Workload", "status: {admission: {podSetAssignments: [{topologyAssignment: {levels: [l], domains: "  \
                    "[" list "]}}]}}")
#define AT "3: status.admission.podSetAssignments[0].topologyAssignment.domains"

static const struct row errors[] = {
    {OLD("ClusterQueue", "spec: {cohort: a, cohortName: b}"),
     "3: spec.cohort: Forbidden: becomes cohortName in v1beta2, which is there too"},
    {OLD("ClusterQueue", "spec: {admissionChecks: a}"),
     "3: spec.admissionChecks: must be a list, not a string"},
    {OLD("LocalQueue", "status: {flavorUsage: [],\nflavorsUsage: []}"),
     "3: status.flavorUsage: Forbidden: becomes flavorsUsage in v1beta2, which is there too"},
    {OLD("Workload", "spec: {priorityClassSource: x, priorityClassName: hi}"),
     "3: spec.priorityClassSource: Unsupported value: \"x\": supported values: "
     "\"kueue.x-k8s.io/workloadpriorityclass\", \"scheduling.k8s.io/priorityclass\", \"\""},
    {OLD("Workload", "spec: {priorityClassSource: scheduling.k8s.io/priorityclass, priorityClassName: hi, "
                     "priorityClassRef: {}}"),
     "3: spec.priorityClassName: Forbidden: becomes priorityClassRef in v1beta2, which is there too"},
    {OLD("Workload", "spec: {priorityClassName: 5}"),
     "3: spec.priorityClassName: must be a string, not a number"},
    {OLD_CONFIG("fairSharing: {enable: 1}"), "3: fairSharing.enable: must be true or false, not a number"},
    {OLD_CONFIG("fairSharing: true\nwaitForPodsReady: 5"),
     "3: fairSharing: must be a map, not a boolean\n4: waitForPodsReady: must be a map, not a number"},
    {DOMAINS("{count: 1, values: [a, b]}"),
     AT "[0]: Invalid value: must have one value for each of the 1 levels"},
    {DOMAINS("{values: [a]}"), AT "[0].count: Required value"},
    {DOMAINS("{count: 1, values: [5]}"), AT "[0].values[0]: must be a string, not a number"},
    {DOMAINS("{count: x, values: [a]}"),
     AT "[0].count: must be an integer, not a string\n" AT "[0].count: Required value"},
    {DOMAINS("5"), AT "[0]: must be a map, not a number\n" AT
                      "[0]: Invalid value: must have one value for each of the 1 levels"},
};

START_TEST(refusals)
{
    struct arena a;
    struct err e = {0};
    const struct doc_node *got = NULL;
    arena_init(&a, 4096);
    str_init(&notes, 0);
    ck_assert_int_eq(v1beta1_document(parse(&a, errors[_i].text), &a, &sink, &got, &e), ERR_INVALID);
    ck_assert_ptr_null(got);
    ck_assert_str_eq(str_text(&notes), errors[_i].error);
    str_free(&notes);
    arena_free(&a);
}
END_TEST

/* ---- memory, facts ------------------------------------------------------------------------------------------------------ */

START_TEST(out_of_memory)
{
    struct arena in;
    int rc = ERR_NOMEM, failures = 0;
    arena_init(&in, 4096);
    const struct doc_node *root = parse(&in, rows[9].old), *got;
    for (uint64_t n = 1; rc == ERR_NOMEM; n++) {
        struct arena a;
        struct err e = {0};
        arena_init(&a, 64);
        mem_fail_after(n);
        rc = v1beta1_document(root, &a, NULL, &got, &e);
        mem_fail_after(0);
        failures += rc == ERR_NOMEM;
        arena_free(&a);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(failures, 3);
    arena_free(&in);
}
END_TEST

/* The same facts from the older version and from what it is converted to. */
START_TEST(same_facts)
{
    struct api_set *s = set_of(
        OLD("ClusterQueue", "metadata: {name: q}\nspec: {cohort: c, admissionChecks: [a], namespaceSelector: "
                            "{}, flavorFungibility: "
                            "{whenCanBorrow: Borrow, whenCanPreempt: Preempt}}\n---\n")
            OLD("Workload", "metadata: {name: w}\nspec: {queueName: l, priority: 7, priorityClassName: hi, "
                            "priorityClassSource: kueue.x-k8s.io/workloadpriorityclass, podSets: [{template: "
                            "{spec: {containers: [{name: c}]}}}]}\n---\n")
                OLD_CONFIG("fairSharing: {enable: true}\nwaitForPodsReady: {enable: true}\n"));
    ck_assert_msg(api_set_errors(s) == 0, "%s", api_set_error(s, 0));
    ck_assert_uint_eq(api_set_count(s), 3);
    const struct fact_cluster_queue *q = &api_set_at(s, 0)->cluster_queue;
    ck_assert_str_eq(q->cohort, "c");
    ck_assert_uint_eq(q->nchecks, 1);
    ck_assert_str_eq(q->checks[0].name, "a");
    ck_assert_int_eq(q->when_can_borrow, FUNGIBILITY_MAY_STOP);
    ck_assert_int_eq(q->when_can_preempt, FUNGIBILITY_MAY_STOP);
    const struct fact_workload *w = &api_set_at(s, 1)->workload;
    ck_assert_str_eq(w->priority_class, "hi");
    ck_assert_int_eq(w->priority, 7);
    const struct fact_config *c = &api_set_at(s, 2)->config;
    ck_assert(c->fair_sharing && c->block_admission);
    ck_assert_uint_eq(c->nstrategies, 2);
    api_set_free(s);
}
END_TEST

struct seen {
    char text[256];
};

static int see(void *ctx, const char *file, const struct doc_node *root, struct err *err)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof(seen->text) - len, "%s:%u:%s%s ", file, root->line,
             doc_type_name(root->type), doc_get(root, "items") ? "+items" : "");
    return strstr(seen->text, "t.yaml:9") ? err_set(err, ERR_IO, "enough") : 0;
}

START_TEST(documents)
{
    struct api_set *s = api_set_new(0);
    struct seen seen = {""};
    struct err e = {0};
    const char *text =
        "a: 1\n---\n- 1\n---\n{\"kind\": \"List\", \"items\": [{}, {}]}\n---\n---\nx: [\n---\nb: 1\n---\n"
        "c: 1\n";
    api_set_documents(s, see, &seen);
    ck_assert_int_eq(api_read_buffer(s, "t.yaml", text, strlen(text), &e), 0);
    ck_assert_str_eq(seen.text, "t.yaml:1:map t.yaml:3:list t.yaml:5:map+items t.yaml:10:map t.yaml:12:map ");
    ck_assert_uint_eq(api_set_errors(s), 1);
    ck_assert_uint_eq(api_set_count(s), 0);
    text = "a: 1\n---\n\n\n\n\n\n\nb: 1\n---\nc: 1\n";
    seen.text[0] = '\0';
    ck_assert_int_eq(api_read_buffer(s, "t.yaml", text, strlen(text), &e), ERR_IO);
    ck_assert_str_eq(seen.text, "t.yaml:1:map t.yaml:9:map ");
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, conversions, 0, COUNT(rows));
    tcase_add_loop_test(tc, unchanged, 0, COUNT(others));
    tcase_add_loop_test(tc, topology, 0, COUNT(topologies));
    tcase_add_loop_test(tc, refusals, 0, COUNT(errors));
    tcase_add_test(tc, out_of_memory);
    tcase_add_test(tc, same_facts);
    tcase_add_test(tc, documents);
}

int main(void)
{
    return run_tests("api/v1beta1", add);
}
