#include "sim/policy_diff.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT(kind, name, spec)                                                                             \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: " kind "\nmetadata: {" name "}\nspec: {" spec "}\n"
#define FLAVOR OBJECT("ResourceFlavor", "name: f", "")
#define GROUP(quota)                                                                                         \
    "resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, " quota "}]}]}]"
#define CQ(name, more, quota)                                                                                \
    OBJECT("ClusterQueue", "name: " name, more "namespaceSelector: {}, " GROUP(quota))
#define COHORT(name, spec) OBJECT("Cohort", "name: " name, spec)
#define LQ(name, cq) OBJECT("LocalQueue", "namespace: ns, name: " name, "clusterQueue: " cq)
#define IN "cohortName: all, "

/* Findings: the fault, "!" if it is an error, its objects. */
static const struct {
    const char *about, *objects, *found;
} cases[] = {
    {"nothing wrong", FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 4") LQ("a", "a"), ""},
    {"a cohort that is its own parent", COHORT("a", "parentName: b") COHORT("b", "parentName: a"),
     "cohort-cycle! Cohort a, Cohort b\n"},
    {"one that only leads into a cycle is not part of it",
     COHORT("a", "parentName: b") COHORT("b", "parentName: c") COHORT("c", "parentName: b"),
     "cohort-cycle! Cohort b, Cohort c\n"},
    {"no flavor", CQ("a", "", "nominalQuota: 4"), "no-flavor! ClusterQueue a, ResourceFlavor f\n"},
    {"no flavor, of a cohort", COHORT("all", GROUP("nominalQuota: 4")) CQ("a", IN, "nominalQuota: 4"),
     "no-flavor! ClusterQueue a, ResourceFlavor f\nno-flavor! Cohort all, ResourceFlavor f\n"},
    {"no ClusterQueue", LQ("a", "x"), "no-cluster-queue! LocalQueue ns/a, ClusterQueue x\n"},
    {"no check",
     FLAVOR CQ("a", "admissionChecksStrategy: {admissionChecks: [{name: x}]}, ", "nominalQuota: 4"),
     "no-admission-check! ClusterQueue a, AdmissionCheck x\n"},
    {"a cohort's quota, and no queue below it", FLAVOR COHORT("all", GROUP("nominalQuota: 4")),
     "unreachable Cohort all\n"},
    {"a cohort's quota that may be borrowed",
     FLAVOR COHORT("all", GROUP("nominalQuota: 4")) CQ("a", IN, "nominalQuota: 1"), ""},
    {"a cohort's quota that may not",
     FLAVOR COHORT("all", GROUP("nominalQuota: 4")) CQ("a", IN, "nominalQuota: 1, borrowingLimit: 0"),
     "unreachable Cohort all\n"},
    {"a cohort's quota that does not leave it",
     FLAVOR COHORT("part", "parentName: all, " GROUP("nominalQuota: 4, lendingLimit: 0"))
         CQ("a", IN, "nominalQuota: 1"),
     "unreachable Cohort part\n"},
    {"a ClusterQueue without LocalQueue lends all that it has",
     FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 4") LQ("b", "b"), ""},
    {"a ClusterQueue without LocalQueue that lends nothing",
     FLAVOR CQ("a", IN, "nominalQuota: 4, lendingLimit: 0") CQ("b", IN, "nominalQuota: 4") LQ("b", "b"),
     "unreachable ClusterQueue a\n"},
    {"neither quota nor cohort", FLAVOR CQ("a", "", "nominalQuota: 0"), "starves ClusterQueue a\n"},
    {"no quota, and may not borrow",
     FLAVOR CQ("a", IN, "nominalQuota: 0, borrowingLimit: 0") CQ("b", IN, "nominalQuota: 4"),
     "starves ClusterQueue a\n"},
    {"no quota of its own", FLAVOR CQ("a", IN, "nominalQuota: 0") CQ("b", IN, "nominalQuota: 4"),
     "may-starve ClusterQueue a\n"},
    {"no quota of its own, but it preempts while it borrows",
     FLAVOR CQ("a",
               IN "preemption: {reclaimWithinCohort: Any, borrowWithinCohort: {policy: LowerPriority}}, ",
               "nominalQuota: 0") CQ("b", IN, "nominalQuota: 4"),
     ""},
    {"a limit on what nobody lends",
     FLAVOR CQ("a", IN, "nominalQuota: 4, borrowingLimit: 2") CQ("b", IN, "nominalQuota: 4, lendingLimit: 0"),
     "nothing-to-borrow ClusterQueue a\n"},
};

static struct api_set *read_set(const char *text)
{
    struct api_set *set = api_set_new(0);
    struct err err = {0};

    ck_assert_ptr_nonnull(set);
    ck_assert_int_eq(api_read_buffer(set, "t.yaml", text, strlen(text), &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_errors(set) ? api_set_error(set, 0) : "");
    return set;
}

static void put(const struct policy_lint *l, struct str *out)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const struct policy_finding *f = &l->list[i];
        str_addf(out, "%s%s", policy_fault_name(f->fault), f->error ? "!" : "");
        for (uint32_t k = 0; k < f->nobjects; k++)
            str_addf(out, "%s %s", k ? "," : "", f->objects[k]);
        str_add(out, "\n");
    }
}

START_TEST(findings)
{
    struct api_set *none = read_set(FLAVOR);
    struct policy_diff *d;
    struct err err = {0};
    struct str all;

    str_init(&all, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_set *set = read_set(cases[i].objects);
        ck_assert_msg(!policy_diff_new(none, set, NULL, &d, &err), "%s: %s", cases[i].about, err.text);
        str_clear(&all);
        put(&d->lint, &all);
        ck_assert_msg(!strcmp(str_text(&all), cases[i].found), "%s:\n%s", cases[i].about, str_text(&all));
        ck_assert_int_eq(policy_lint_has_new_errors(&d->lint), strchr(cases[i].found, '!') != NULL);
        policy_diff_free(d);
        /* What was wrong before is no new error. */
        ck_assert_int_eq(policy_diff_new(set, set, NULL, &d, &err), 0);
        ck_assert_msg(!policy_lint_has_new_errors(&d->lint), "%s", cases[i].about);
        policy_diff_free(d);
        api_set_free(set);
    }
    str_free(&all);
    api_set_free(none);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_lint");
    TCase *tc = tcase_create("all");

    tcase_add_test(tc, findings);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
