#include "jobs/reclaim.h"

#include "jobs/kind.h"
#include "jobs_test.h"

static const struct {
    const char *a, *b;
    int64_t limit, want;
} indexes[] = {
    {"", "", 10, 0},
    {"0", "", 10, 1},
    {"", "1", 10, 1},
    {"0-4", "", 10, 5},
    {"0-4,7,9-11", "", 10, 7},
    {"0-14", "", 10, 10},
    {"10-19", "", 10, 0},
    {"", "10-19", 10, 0},
    {"0-1", "2-19", 5, 5},
    {"0-9", "2-3", 10, 10},
    {"2-3", "0-9", 10, 10},
    {"0-3,6", "2-4,8", 10, 7},
    {"0,2,4", "1,3,5", 10, 6},
    {"abc,0-2", "", 10, 3},
    {"0-,1,-3,4-x,5 ,7", "", 10, 2},
    {"99999999999999999999,1", "", 10, 1},
    {"3-1,5", "", 10, 1},
    {"0-4", "", 0, 0},
};

START_TEST(unions)
{
    ck_assert_int_eq(reclaim_indexes(indexes[_i].a, indexes[_i].b, indexes[_i].limit), indexes[_i].want);
}
END_TEST

static const struct {
    enum api_kind kind;
    const char *job;
    int32_t count, want;
} rows[] = {
    {API_JOB, "spec: {parallelism: 3, completions: 10}\nstatus: {succeeded: 7}", 3, 0},
    {API_JOB, "spec: {parallelism: 3, completions: 10}\nstatus: {succeeded: 8}", 3, 1},
    {API_JOB, "spec: {parallelism: 3, completions: 10}\nstatus: {succeeded: 11}", 3, 3},
    {API_JOB, "spec: {parallelism: 3}\nstatus: {succeeded: 1}", 3, 1},
    {API_JOB, "spec: {parallelism: 1}\nstatus: {succeeded: 1}", 1, 0},
    {API_JOB, "spec: {completions: 5}\nstatus: {succeeded: 5}", 1, 0},
    {API_JOB, "spec: {parallelism: 3}", 3, 0},
    {API_JOB, "spec: {parallelism: 8, completions: 8, completionMode: Indexed}\nstatus: {succeeded: 4}", 8,
     0},
    {API_JOB,
     "spec: {parallelism: 8, completions: 8, completionMode: Indexed}\nstatus: {succeeded: 1, "
     "completedIndexes: '0', "
     "failedIndexes: '1'}",
     8, 2},
    {API_JOB, "spec: {parallelism: 8, completions: 4}\nstatus: {succeeded: 4}", 4, 4},
    {API_JOB_SET, "item: {name: a, replicas: 2}\nstatus: {replicatedJobsStatus: [{name: a, succeeded: 1}]}",
     6, 3},
    {API_JOB_SET, "item: {name: a, replicas: 2}\nstatus: {replicatedJobsStatus: [{name: a, succeeded: 2}]}",
     6, 6},
    {API_JOB_SET, "item: {name: a, replicas: 2}\nstatus: {replicatedJobsStatus: [{name: a, succeeded: 3}]}",
     6, 0},
    {API_JOB_SET,
     "item: {name: a}\nstatus: {replicatedJobsStatus: [{name: b, succeeded: 1}, {name: a, succeeded: 1}]}", 6,
     6},
    {API_JOB_SET, "item: {name: a, replicas: 0}\nstatus: {replicatedJobsStatus: [{name: a, succeeded: 0}]}",
     0, 0},
    {API_JOB_SET, "item: {name: a}", 6, 0},
};

START_TEST(kinds)
{
    struct arena a;
    arena_init(&a, 4096);
    const struct doc_node *job = doc_of(&a, rows[_i].job), *item = doc_field(job, "item");
    ck_assert_int_eq(job_kind_of(rows[_i].kind)->reclaimable(job, item ? item : job, rows[_i].count),
                     rows[_i].want);
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, unions, 0, COUNT(indexes));
    tcase_add_loop_test(tc, kinds, 0, COUNT(rows));
}

int main(void)
{
    return run_tests("jobs/reclaim", add);
}
