/* Each kind of the configuration arrives in the world; the other kinds are passed over. */
#include "sim/put.h"

#include <check.h>
#include <string.h>

static const char text[] =
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Cohort\nmetadata: {name: team}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q}\n"
    "spec: {cohortName: team, namespaceSelector: {}, admissionChecksStrategy: {admissionChecks: [{name: "
    "c}]}, "
    "resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, nominalQuota: "
    "2}]}]}]}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: l, namespace: ns}\nspec: "
    "{clusterQueue: q}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata: {name: c}\nspec: {controllerName: "
    "x.example/y}\n"
    "status: {conditions: [{type: Active, status: 'True', reason: Active, message: m, lastTransitionTime: "
    "'2026-01-01T00:00:00Z'}]}\n---\n"
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n---\n"
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: w, namespace: ns}\n"
    "spec: {queueName: l, podSets: [{name: main, count: 1, template: {spec: {containers: [{name: c, "
    "resources: "
    "{requests: {cpu: 1}}}]}}}]}\n";

START_TEST(test_put)
{
    struct api_set *set = api_set_new(0);
    struct world *w = world_new();
    const char *queue;
    enum stop_policy stop;

    ck_assert_int_eq(api_read_buffer(set, "x.yaml", text, strlen(text), NULL), 0);
    ck_assert_uint_eq(api_set_errors(set), 0);
    for (uint32_t i = 0; i < api_set_count(set); i++)
        ck_assert_int_eq(put_object(w, api_set_at(set, i), 0, NULL), 0);
    ck_assert_int_eq(world_settle(w, NULL), 0);
    uint32_t cq = world_cq_find(w, "q");
    ck_assert_uint_ne(cq, NONE);
    ck_assert_str_eq(world_cq(w, cq).cohort, "team");
    ck_assert(world_cq(w, cq).state == CQ_ACTIVE); /* its flavor and its check are there */
    ck_assert_int_eq(world_lq(w, "ns", "l", &queue, &stop), LQ_OK);
    ck_assert_str_eq(queue, "q");
    ck_assert_ptr_null(world_find_workload(w, "ns", "w"));
    world_free(w);
    api_set_free(set);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("put");
    TCase *t = tcase_create("put");

    tcase_add_test(t, test_put);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
