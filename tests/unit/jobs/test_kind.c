#include "jobs/kind.h"

#include "jobs_test.h"

START_TEST(table)
{
    const struct job_kind *job = job_kind_of(API_JOB), *set = job_kind_of(API_JOB_SET);
    ck_assert_ptr_nonnull(job);
    ck_assert_ptr_nonnull(set);
    ck_assert_ptr_eq(job_kind_named("batch/job"), job);
    ck_assert_ptr_eq(job_kind_named("jobset.x-k8s.io/jobset"), set);
    ck_assert_ptr_null(job_kind_named("pod"));
    ck_assert_ptr_null(job_kind_of(API_WORKLOAD));
    for (int k = 0; k < API_KINDS; k++) {
        const struct job_kind *kind = job_kind_of((enum api_kind)k);
        if (kind) {
            ck_assert_str_eq(kind->kind, api_kind_name(kind->api));
            ck_assert(job_kind_owns(kind->group, kind->kind));
        }
    }
    ck_assert(job_kind_owns("apps", "ReplicaSet"));
    ck_assert(!job_kind_owns("batch", "CronJob"));
}
END_TEST

static const struct {
    const char *job;
    bool suspended, finished, child;
} rows[] = {
    {"{}", false, false, false},
    {"spec: {suspend: true}", true, false, false},
    {"spec: {suspend: 1}", false, false, false},
    {"status: {conditions: [{type: Complete, status: 'False'}, {type: Suspended, status: 'True'}]}", false,
     false, false},
    {"status: {conditions: [{type: Complete, status: 'True'}]}", false, true, false},
    {"status: {conditions: [5, {type: Failed, status: 'True'}]}", false, true, false},
    {"metadata: {ownerReferences: [{apiVersion: batch/v1, kind: CronJob, controller: true}]}", false, false,
     false},
    {"metadata: {ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet, controller: true}]}",
     false, false, true},
    {"metadata: {ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, kind: JobSet}]}", false, false,
     false},
    {"metadata: {ownerReferences: [{apiVersion: v1, kind: Pod, controller: true}]}", false, false, true},
};

START_TEST(questions)
{
    struct arena a;
    arena_init(&a, 4096);
    const struct doc_node *job = doc_of(&a, rows[_i].job);
    const struct job_kind *k = job_kind_of(API_JOB);
    ck_assert(job_is_suspended(k, job) == rows[_i].suspended);
    ck_assert(job_is_finished(k, job) == rows[_i].finished);
    ck_assert(job_is_child(job) == rows[_i].child);
    arena_free(&a);
}
END_TEST

static const struct {
    enum api_kind kind;
    const char *item;
    int32_t replicas, count;
    const char *error; /* "field: text" */
} counts[] = {
    {API_JOB, "{}", 1, 1, NULL},
    {API_JOB, "spec: {parallelism: 3}", 1, 3, NULL},
    {API_JOB, "spec: {parallelism: 3, completions: 2}", 1, 2, NULL},
    {API_JOB, "spec: {parallelism: 3, completions: 9}", 1, 3, NULL},
    {API_JOB, "spec: {completions: 9}", 1, 1, NULL},
    {API_JOB, "spec: {parallelism: 0}", 1, 0, NULL},
    {API_JOB, "spec: {parallelism: -1}", 0, 0, "parallelism: must be greater than or equal to 0"},
    {API_JOB, "spec: {completions: x}", 0, 0, "completions: must be an integer, not a string"},
    {API_JOB_SET, "{}", 1, 1, NULL},
    {API_JOB_SET, "replicas: 3\ntemplate: {spec: {parallelism: 2, completions: 5}}", 3, 6, NULL},
    {API_JOB_SET, "replicas: 0", 0, 0, NULL},
    {API_JOB_SET, "replicas: 70000\ntemplate: {spec: {parallelism: 70000}}", 0, 0, "too many pods"},
};

START_TEST(pods)
{
    struct arena a;
    struct err e = {0};
    int32_t replicas, count;
    const struct doc_node *bad;
    arena_init(&a, 4096);
    int rc = job_pods_count(job_kind_of(counts[_i].kind)->pods, doc_of(&a, counts[_i].item), &replicas,
                            &count, &bad, &e);
    if (counts[_i].error) {
        char got[256];
        ck_assert_int_lt(rc, 0);
        snprintf(got, sizeof(got), "%s%s%.128s", bad ? bad->key : "", bad ? ": " : "", e.text);
        ck_assert_str_eq(got, counts[_i].error);
    } else {
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(replicas, counts[_i].replicas);
        ck_assert_int_eq(count, counts[_i].count);
    }
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, table);
    tcase_add_loop_test(tc, questions, 0, COUNT(rows));
    tcase_add_loop_test(tc, pods, 0, COUNT(counts));
}

int main(void)
{
    return run_tests("jobs/kind", add);
}
