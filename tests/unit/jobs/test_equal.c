#include "jobs/equal.h"

#include "plan_test.h"

#define POD(more) "{spec: {containers: [{name: c}]" more "}}"
#define JOB(meta, spec, template)                                                                            \
    "metadata: {name: j, namespace: ns, uid: u" meta "}\nspec: {" spec ", template: " template "}\n"
#define OWNER                                                                                                \
    "metadata: {name: w, namespace: ns, ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: "
#define WL(uid, spec, set, status)                                                                           \
    OWNER uid ", controller: true}]}\nspec: {podSets: [{name: main, " set "}]" spec "}\nstatus: {" status    \
              "}\n"
#define TRUE(type) "{type: " type ", status: 'True', reason: r}"
#define ADMISSION(count)                                                                                     \
    "admission: {clusterQueue: cq, podSetAssignments: [{name: main, count: " count "}]}, "
#define RESERVED "conditions: [" TRUE("QuotaReserved") "]"
#define ADMITTED "conditions: [" TRUE("QuotaReserved") ", " TRUE("Admitted") "]"
#define HELD "suspend: true, parallelism: 3"
#define RUNS "suspend: false, parallelism: 3"
#define T1 ", tolerations: [{key: a}]"
#define T2 ", tolerations: [{key: a}, {key: b}]"

static const struct {
    const char *job, *wl;
    bool equal;
} rows[] = {
    {JOB("", HELD, POD("")), WL("u", "", "count: 3, template: " POD(""), ""), true},
    {JOB("", HELD, POD("")), WL("x", "", "count: 3, template: " POD(""), ""), false},
    {JOB("", HELD, POD("")), WL("u", "", "count: 2, template: " POD(""), ""), false},
    {JOB("", HELD, POD("")), WL("u", "", "count: 3, minCount: 1, template: " POD(""), ""), false},
    {JOB("", HELD, POD("")), WL("u", ", maximumExecutionTimeSeconds: 3", "count: 3, template: " POD(""), ""),
     false},
    {JOB(", labels: {kueue.x-k8s.io/max-exec-time-seconds: '3'}", HELD, POD("")),
     WL("u", ", maximumExecutionTimeSeconds: 3", "count: 3, template: " POD(""), ""), true},
    {JOB("", HELD, "{spec: {containers: [{name: d}]}}"), WL("u", "", "count: 3, template: " POD(""), ""),
     false},
    /* other things of a template do not count; tolerations do until it is admitted */
    {JOB("", HELD, POD(", nodeSelector: {a: b}")), WL("u", "", "count: 3, template: " POD(""), ""), true},
    {JOB("", HELD, POD(T1)), WL("u", "", "count: 3, template: " POD(""), ""), false},
    {JOB("", HELD, POD(T1)), WL("u", "", "count: 3, template: " POD(""), ADMISSION("3") RESERVED), false},
    {JOB("", HELD, POD(T1)), WL("u", "", "count: 3, template: " POD(""), ADMISSION("3") ADMITTED), true},
    {JOB("", RUNS, POD(T1)), WL("u", "", "count: 3, template: " POD(""), ADMISSION("3") ADMITTED), true},
    /* an admission appends tolerations to those of a job that runs */
    {JOB("", RUNS, POD(T2)), WL("u", "", "count: 3, template: " POD(T1), ADMISSION("3") RESERVED), true},
    {JOB("", RUNS, POD(T1)), WL("u", "", "count: 3, template: " POD(T2), ADMISSION("3") RESERVED), false},
    {JOB("", RUNS, POD(", tolerations: [{key: ab}]")),
     WL("u", "", "count: 3, template: " POD(T1), ADMISSION("3") RESERVED), false},
    /* partial admission: it runs with what it got, and is asked for with all */
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '2'}", RUNS, POD("")),
     WL("u", "", "count: 5, minCount: 2, template: " POD(""), ADMISSION("3") ADMITTED), true},
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '2'}", RUNS, POD("")),
     WL("u", "", "count: 5, minCount: 2, template: " POD(""), ADMISSION("4") ADMITTED), false},
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '2'}", HELD, POD("")),
     WL("u", "", "count: 3, minCount: 2, template: " POD(""), ADMISSION("2") ADMITTED), true},
    {JOB(", annotations: {kueue.x-k8s.io/job-min-parallelism: '2'}", RUNS, POD("")),
     WL("u", "", "count: 3, minCount: 2, template: " POD(""), ADMISSION("2") ADMITTED), false},
    {JOB("", RUNS, POD("")),
     WL("u", "", "count: 3, template: " POD(""), "admission: {clusterQueue: cq}, " ADMITTED), true},
};

START_TEST(equivalence)
{
    const char *const wls[] = {rows[_i].wl, NULL};
    struct scene s;
    scene_open(&s, API_JOB, rows[_i].job, wls);
    ck_assert_str_eq(s.job->refused, "");
    ck_assert(job_equivalent(s.job, s.wls[0], &s.gates) == rows[_i].equal);
    scene_close(&s);
}
END_TEST

START_TEST(uid_matters_by_gate)
{
    const char *const wls[] = {rows[1].wl, NULL};
    struct scene s;
    scene_open(&s, API_JOB, rows[1].job, wls);
    ck_assert_int_eq(gates_set(&s.gates, "FinishOrphanedWorkloads", false, NULL), 0);
    ck_assert(job_equivalent(s.job, s.wls[0], &s.gates));
    scene_close(&s);
}
END_TEST

static const struct {
    const char *job, *set;
    bool differs;
} stops[] = {
    {JOB("", HELD, POD("")), "count: 3, template: " POD(""), false},
    {JOB("", HELD, POD("")), "count: 4, template: " POD(""), false},
    {JOB("", HELD, POD("")), "count: 4, minCount: 1, template: " POD(""), true},
    {JOB("", HELD, POD(", nodeSelector: {a: b}")), "count: 3, template: " POD(""), true},
    {JOB("", HELD, "{metadata: {labels: {job-name: j}}, spec: {}}"), "count: 3, template: {spec: {}}", false},
};

START_TEST(restoring)
{
    char wl[1024];
    const char *const wls[] = {wl, NULL};
    struct scene s;
    snprintf(wl, sizeof(wl), WL("u", "", "%s", ""), stops[_i].set);
    scene_open(&s, API_JOB, stops[_i].job, wls);
    ck_assert(job_differs(s.job, s.wls[0]) == stops[_i].differs);
    scene_close(&s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, equivalence, 0, COUNT(rows));
    tcase_add_test(tc, uid_matters_by_gate);
    tcase_add_loop_test(tc, restoring, 0, COUNT(stops));
}

int main(void)
{
    return run_tests("equal", add);
}
