#include "kube/policies.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const both[] = {"batch/job", "jobset.x-k8s.io/jobset"};
static const char *const foreign[] = {"ray.io/rayjob"};
static const char *const external[] = {"Foo.v1.example.com"};
static const char *const excluded[] = {"kube-system", "own \"ns\""};
static const struct fact_expr exclusion = {
    .key = "kubernetes.io/metadata.name", .op = SEL_NOT_IN, .values = excluded, .nvalues = 2};

static struct settings settings;
static struct gates gates;
static struct policies_input in = {.settings = &settings, .gates = &gates};
static struct str text;

static void set_up(void)
{
    settings = (struct settings){.ns = "ours",
                                 .frameworks = both,
                                 .nframeworks = 2,
                                 .job_namespaces = {.exprs = &exclusion, .nexprs = 1}};
    gates = gates_default();
    in.without_mutating = false;
    str_init(&text, 0);
}

static void tear_down(void)
{
    str_free(&text);
}

static const char *render(void)
{
    str_clear(&text);
    ck_assert_int_eq(policies_yaml(&in, &text, NULL), 0);
    return str_text(&text);
}

static uint32_t count(const char *needle)
{
    uint32_t n = 0;
    for (const char *p = render(); (p = strstr(p, needle)); p++)
        n++;
    return n;
}

#define NAME(name) "  name: " name "\n"

START_TEST(what_is_there_follows_the_settings)
{
    ck_assert_int_eq(count(NAME("sluice-suspend")), 2); /* the policy and its binding */
    ck_assert_int_eq(count(NAME("sluice-suspend-all")), 0);
    ck_assert_int_eq(count(NAME("sluice-default-priority-class")), 2);
    ck_assert_int_eq(count(NAME("sluice-jobsets-topology")), 2);
    settings.manage_jobs_without_queue = true;
    ck_assert_int_eq(count(NAME("sluice-suspend-all")), 2);
    settings.nframeworks = 1;
    ck_assert_int_eq(count(NAME("sluice-jobsets-topology")), 0);
    ck_assert_int_eq(count("jobsets"), 0);
    settings.frameworks = foreign;
    ck_assert_str_eq(render(), "");
}
END_TEST

static const struct {
    const char *gate, *looked_for;
    uint32_t on, off;
} gate_rows[] = {
    {"WorkloadPriorityClassDefaulting", NAME("sluice-default-priority-class"), 2, 0},
    {"AdmissionGatedBy", "- name: oldGatedBy\n", 1, 0},
    {"ElasticJobsViaWorkloadSlices", "partial admission and elastic job cannot be used together", 2, 0},
    {"TopologyAwareScheduling", NAME("sluice-jobs-topology"), 2, 0},
    {"TASMultiLayerTopology", "the TASMultiLayerTopology feature gate must be enabled", 0, 4},
    {"WorkloadIdentifierAnnotations", "- name: byAnnotation\n", 1, 1},
    {"WorkloadIdentifierAnnotations", ".size() > 63", 0, 2},
};

START_TEST(gate)
{
    ck_assert_int_eq(count(gate_rows[_i].looked_for), gate_rows[_i].on);
    ck_assert_int_eq(gates_set(&gates, gate_rows[_i].gate, false, NULL), 0);
    ck_assert_int_eq(count(gate_rows[_i].looked_for), gate_rows[_i].off);
}
END_TEST

START_TEST(without_mutating_there_is_none)
{
    in.without_mutating = true;
    ck_assert_int_eq(count("Mutating"), 0);
    ck_assert_int_eq(count("validationActions: [Warn]"), 1);
    ck_assert_int_eq(count("has-a-queue"), 1);
    settings.manage_jobs_without_queue = true;
    ck_assert_int_eq(count("has-a-queue"), 0);
}
END_TEST

START_TEST(namespaces)
{
    ck_assert_int_eq(count("values: [\"kube-system\", \"own \\\"ns\\\"\"]"), 2);
    ck_assert_int_eq(count("values: [\"kube-system\", \"ours\"]"),
                     6);                /* of rules and classes: all but these */
    settings.job_namespaces.nexprs = 0; /* everywhere */
    ck_assert_int_eq(count("namespaceSelector"), 6);
    settings.job_namespaces.is_null = true; /* nowhere */
    ck_assert_int_eq(count("sluice-suspend"), 0);
    settings.ns = "";
    ck_assert_int_eq(count("values: [\"kube-system\", \"kueue-system\"]"), 6);
}
END_TEST

START_TEST(what_looks_something_up_never_refuses)
{
    /* three look up: default queue, default class, keep-queue */
    ck_assert_int_eq(count("paramKind"), 3);
    ck_assert_int_eq(count("failurePolicy: Ignore\n  paramKind"), 3);
    ck_assert_int_eq(count("parameterNotFoundAction: Allow"), 3);
}
END_TEST

START_TEST(owners)
{
    settings.external = external;
    settings.nexternal = 1;
    ck_assert_ptr_nonnull(
        strstr(render(), "[\"batch/Job\", \"jobset.x-k8s.io/JobSet\", \"example.com/Foo\"]"));
    ck_assert_ptr_nonnull(strstr(render(), "\"/Pod\", \"apps/Deployment\""));
}
END_TEST

struct seen {
    char digests[32][SHA1_HEX + 1];
    uint32_t n, stop_at;
};

static int see(void *ctx, const struct policies_object *o)
{
    struct seen *s = ctx;
    if (s->n == s->stop_at)
        return 7;
    ck_assert_ptr_nonnull(strstr(str_text(o->yaml), o->digest));
    ck_assert_int_lt(s->n, 32);
    memcpy(s->digests[s->n++], o->digest, SHA1_HEX + 1);
    return 0;
}

START_TEST(a_digest_stands_for_what_is_rendered)
{
    struct seen a = {.stop_at = UINT32_MAX}, b = {.stop_at = UINT32_MAX};
    uint32_t same = 0;
    ck_assert_int_eq(policies_each(&in, see, &a, NULL), 0);
    ck_assert_int_eq(policies_each(&in, see, &b, NULL), 0);
    ck_assert_mem_eq(&a, &b, sizeof(a));
    settings.job_namespaces.nexprs = 0;
    b = (struct seen){.stop_at = UINT32_MAX};
    ck_assert_int_eq(policies_each(&in, see, &b, NULL), 0);
    ck_assert_int_eq(a.n, b.n);
    for (uint32_t i = 0; i < a.n; i++)
        same += strcmp(a.digests[i], b.digests[i]) == 0;
    ck_assert_int_eq(same,
                     a.n - 2); /* suspend and default-queue look at these namespaces, their bindings do not */
    b = (struct seen){.stop_at = 3};
    ck_assert_int_eq(policies_each(&in, see, &b, NULL), 7);
    ck_assert_int_eq(b.n, 3);
}
END_TEST

START_TEST(out_of_memory)
{
    int64_t before = mem_live();
    str_free(&text);
    for (uint64_t n = 1;; n++) {
        struct err err = {0};
        str_init(&text, 0);
        mem_fail_after(n);
        int rc = policies_yaml(&in, &text, &err);
        mem_fail_after(0);
        str_free(&text);
        ck_assert_int_eq(mem_live(), before);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_int_lt(n, 100000);
    }
    str_init(&text, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("policies");
    TCase *t = tcase_create("policies");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, what_is_there_follows_the_settings);
    tcase_add_loop_test(t, gate, 0, sizeof(gate_rows) / sizeof(gate_rows[0]));
    tcase_add_test(t, without_mutating_there_is_none);
    tcase_add_test(t, namespaces);
    tcase_add_test(t, what_looks_something_up_never_refuses);
    tcase_add_test(t, owners);
    tcase_add_test(t, a_digest_stands_for_what_is_rendered);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
