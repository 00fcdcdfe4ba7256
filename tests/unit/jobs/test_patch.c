#include "plan_test.h"

#include "jobs/patch.h"

#define KUEUE "kueue.x-k8s.io/"

static const struct fact_label zone[] = {{"zone", "a"}};
static const struct fact_toleration spot[] = {{"spot", "", TOLERATE_EXISTS, EFFECT_NO_SCHEDULE}};
static const struct fact_flavor flavors[] = {
    {.name = "plain", .topology = ""},
    {.name = "a", .labels = zone, .nlabels = 1, .tolerations = spot, .ntolerations = 1, .topology = ""},
};

static const struct fact_flavor *find(void *arg, const char *name)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(flavors); i++) {
        if (strcmp(flavors[i].name, name) == 0)
            return &flavors[i];
    }
    return NULL;
}

#define JOB(meta, spec, template)                                                                            \
    "metadata: {name: j, resourceVersion: '7'" meta "}\n"                                                    \
    "spec: {suspend: true" spec ", template: " template "}\n"
#define WL(sets, admission, more)                                                                            \
    "metadata: {name: w}\nspec: {queueName: q, podSets: [" sets "]}\n"                                       \
    "status: {admission: {clusterQueue: cq, podSetAssignments: [" admission "]}" more "}\n"
#define MAIN "{name: main, count: 5, template: {spec: {containers: [{name: c}]}}}"
#define ON(flavor) "{name: main, count: 5, flavors: {cpu: " flavor "}}"
#define OWN                                                                                                  \
    "\"" KUEUE "podset\":\"main\",\"" KUEUE "local-queue-name\":\"q\",\"" KUEUE "cluster-queue-name\":"      \
    "\"cq\""
#define NOTE "\"annotations\":{\"" KUEUE "workload\":\"w\"}"
#define HEAD "{\"metadata\":{\"resourceVersion\":\"7\"},\"spec\":{"

static const struct {
    const char *job, *wl;
    int rc;
    const char *want; /* the patch, or the error */
} starts[] = {
    {JOB("", "", "{spec: {containers: [{name: c}]}}"), WL(MAIN, ON("plain"), ""), 0,
     HEAD "\"suspend\":false,\"template\":{\"metadata\":{\"labels\":{" OWN "}," NOTE "}}}}"},
    {JOB("", "", "{metadata: {labels: {x: y}, annotations: {k: v}}, spec: {nodeSelector: {disk: ssd}}}"),
     WL(MAIN, ON("a"), ""), 0,
     HEAD "\"suspend\":false,\"template\":{\"metadata\":{\"labels\":{" OWN "}," NOTE "},\"spec\":{"
          "\"nodeSelector\":{\"zone\":\"a\"},\"tolerations\":[{\"key\":\"spot\",\"operator\":\"Exists\","
          "\"effect\":\"NoSchedule\"}]}}}}"},
    /* a list is written whole; what is in it keeps its words */
    {JOB("", "", "{spec: {nodeSelector: {zone: a}, tolerations: [{key: k, tolerationSeconds: 3}]}}"),
     WL(MAIN, ON("a"), ""), 0,
     HEAD
     "\"suspend\":false,\"template\":{\"spec\":{\"tolerations\":[{\"key\":\"k\",\"tolerationSeconds\":3},"
     "{\"key\":\"spot\",\"operator\":\"Exists\",\"effect\":\"NoSchedule\"}]},\"metadata\":{\"labels\":{" OWN
     "}," NOTE "}}}}"},
    /* fewer pods, for who accepts them */
    {JOB(", annotations: {" KUEUE "job-min-parallelism: '2'}", ", parallelism: 5, completions: 5",
         "{spec: {}}"),
     WL(MAIN, "{name: main, count: 3}", ""), 0,
     HEAD "\"suspend\":false,\"parallelism\":3,\"template\":{\"metadata\":{\"labels\":{" OWN "}," NOTE
          "}}}}"},
    {JOB(", annotations: {" KUEUE "job-min-parallelism: '2', " KUEUE
         "job-completions-equal-parallelism: 'true'}",
         ", parallelism: 5, completions: 5", "{spec: {}}"),
     WL(MAIN, "{name: main, count: 3}", ""), 0,
     HEAD "\"suspend\":false,\"parallelism\":3,\"completions\":3,\"template\":{\"metadata\":{\"labels\":{" OWN
          "}," NOTE "}}}}"},
    {JOB("", ", parallelism: 5", "{spec: {}}"), WL(MAIN, "{name: main, count: 3}", ""), 0,
     HEAD "\"suspend\":false,\"template\":{\"metadata\":{\"labels\":{" OWN "}," NOTE "}}}}"},
    /* what checks add */
    {JOB("", "", "{spec: {}}"),
     WL(MAIN, ON("plain"),
        ", admissionChecks: [{name: c, podSetUpdates: [{name: other, labels: {no: no}}, "
        "{name: main, nodeSelector: {x: y}}]}]"),
     0,
     HEAD "\"suspend\":false,\"template\":{\"spec\":{\"nodeSelector\":{\"x\":\"y\"}},\"metadata\":{"
          "\"labels\":{" OWN "}," NOTE "}}}}"},
    /* what can never start */
    {JOB("", "", "{spec: {nodeSelector: {zone: b}}}"), WL(MAIN, ON("a"), ""), ERR_STATE,
     "invalid admission check PodSetUpdate: conflict for nodeSelector: conflict for key=zone, value1=b, "
     "value2=a"},
    {JOB("", "", "{spec: {}}"), WL(MAIN "," MAIN, ON("a") "," ON("a"), ""), ERR_STATE,
     "invalid podset infos: expecting 1 podset, got 2"},
    {JOB("", "", "{spec: {}}"), WL(MAIN, "", ""), ERR_STATE,
     "invalid podset infos: expecting 1 podset, got 0"},
    {JOB("", "", "{spec: {}}"),
     WL(MAIN, ON("a"),
        ", admissionChecks: [{name: c, podSetUpdates: [{name: main, nodeSelector: {zone: b}}]}]"),
     ERR_STATE,
     "in admission check \"c\": invalid admission check PodSetUpdate: conflict for nodeSelector: conflict "
     "for "
     "key=zone, value1=a, value2=b"},
    {JOB("", "", "{spec: {}}"), WL(MAIN, ON("gone"), ""), ERR_NOTFOUND,
     "resourceflavors.kueue.x-k8s.io \"gone\" not found"},
};

struct desk {
    struct arena arena, scratch;
    struct gates gates;
    struct job_docs docs;
    struct str out;
};

static void desk_open(struct desk *d, enum api_kind kind, const char *job, const char *wl)
{
    arena_init(&d->arena, 4096);
    arena_init(&d->scratch, 4096);
    d->gates = gates_default();
    d->docs = (struct job_docs){.kind = job_kind_of(kind), .gates = &d->gates, .arena = &d->scratch};
    d->docs.job = doc_of(&d->arena, job);
    d->docs.workload = wl ? doc_of(&d->arena, wl) : NULL;
    str_init(&d->out, 0);
}

static void desk_close(struct desk *d)
{
    str_free(&d->out);
    arena_free(&d->arena);
    arena_free(&d->scratch);
}

START_TEST(start)
{
    struct desk d;
    struct err e = {0};
    desk_open(&d, API_JOB, starts[_i].job, starts[_i].wl);
    int rc = job_start_patch(&d.docs, find, NULL, &d.out, &e);
    ck_assert_int_eq(rc, starts[_i].rc);
    ck_assert_str_eq(rc < 0 ? e.text : str_text(&d.out), starts[_i].want);
    ck_assert(rc == 0 || !d.out.len);
    desk_close(&d);
}
END_TEST

/* ---- stopping ----------------------------------------------------------------------------------------------------------- */

#define RAN                                                                                                  \
    "metadata: {name: j, resourceVersion: '7', annotations: {a: b"                                           \
    "%s}}\n"                                                                                                 \
    "spec: {suspend: %s, template: {metadata: {labels: {job-name: j, x: injected}}, "                        \
    "spec: {nodeSelector: {zone: a}, tolerations: [{key: spot}]}}}\nstatus: {startTime: t, active: 1}\n"
#define CAME                                                                                                 \
    WL("{name: main, count: 5, template: {metadata: {labels: {x: own}}, spec: {nodeSelector: {disk: "        \
       "ssd}}}}",                                                                                            \
       "", "")

static const struct {
    const char *mark, *suspend;
    enum job_stop_step step;
    bool workload;
    const char *want;
} stops[] = {
    {"", "false", JOB_STEP_SUSPEND, true,
     "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"" KUEUE "stopping\":\"true\"}},\"spec\":{"
     "\"suspend\":true}}"},
    {", " KUEUE "stopping: 'true'", "true", JOB_STEP_SUSPEND, true, ""},
    {", " KUEUE "stopping: 'true'", "true", JOB_STEP_CLEAR, true,
     "{\"metadata\":{\"resourceVersion\":\"7\"},\"status\":{\"startTime\":null}}"},
    {", " KUEUE "stopping: 'true'", "true", JOB_STEP_RESTORE, true,
     "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"" KUEUE
     "stopping\":null}},\"spec\":{\"template\":"
     "{\"metadata\":{\"labels\":{\"x\":\"own\"}},\"spec\":{\"nodeSelector\":{\"disk\":\"ssd\",\"zone\":null},"
     "\"tolerations\":null}}}}"},
    {", " KUEUE "stopping: 'true'", "true", JOB_STEP_RESTORE, false,
     "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"" KUEUE "stopping\":null}}}"},
};

START_TEST(stop)
{
    char job[1024];
    struct desk d;
    struct err e = {0};
    snprintf(job, sizeof(job), RAN, stops[_i].mark, stops[_i].suspend);
    desk_open(&d, API_JOB, job, stops[_i].workload ? CAME : NULL);
    ck_assert_msg(job_stop_patch(&d.docs, stops[_i].step, &d.out, &e) == 0, "%s", e.text);
    ck_assert_str_eq(str_text(&d.out), stops[_i].want);
    desk_close(&d);
}
END_TEST

/* One write, and the list of replicated jobs whole. */
START_TEST(stop_job_set)
{
    struct desk d;
    struct err e = {0};
    desk_open(&d, API_JOB_SET,
              "metadata: {name: j, resourceVersion: '7'}\nspec: {replicatedJobs: [{name: x, template: {spec: "
              "{template: {spec: {nodeSelector: {zone: a}}}}}}, {name: y, template: {spec: {template: {spec: "
              "{restartPolicy: Never}}}}}]}",
              WL("{name: x, template: {spec: {}}}, {name: y, template: {spec: {}}}", "", ""));
    ck_assert_msg(job_stop_patch(&d.docs, JOB_STEP_SUSPEND, &d.out, &e) == 0, "%s", e.text);
    ck_assert_str_eq(
        str_text(&d.out),
        HEAD "\"replicatedJobs\":[{\"name\":\"x\",\"template\":{\"spec\":{\"template\":{\"spec\":{}}}}},"
             "{\"name\":\"y\",\"template\":{\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":"
             "\"Never\"}}}}}],\"suspend\":true}}");
    desk_close(&d);
}
END_TEST

/* ---- of the Workload ---------------------------------------------------------------------------------------------------- */

START_TEST(workloads)
{
    struct desk d;
    struct str *o = &d.out;
    desk_open(&d, API_JOB, "apiVersion: batch/v1\nmetadata: {name: j, uid: u}",
              "metadata: {name: w, resourceVersion: '7', finalizers: [x, " KUEUE "resource-in-use]}\n"
              "spec: {active: false, podSets: [1], priority: 3}");
    ck_assert_int_eq(job_queue_patch("7", "q", o, NULL), 0);
    ck_assert_str_eq(str_text(o), HEAD "\"queueName\":\"q\"}}");
    str_clear(o);
    ck_assert_int_eq(job_queue_patch("7", "", o, NULL), 0);
    ck_assert_str_eq(str_text(o), HEAD "\"queueName\":null}}");
    str_clear(o);
    ck_assert_int_eq(job_gated_patch("7", "a,b", o, NULL), 0);
    ck_assert_str_eq(str_text(o), "{\"metadata\":{\"resourceVersion\":\"7\",\"annotations\":{\"" KUEUE
                                  "admission-gated-by\":\"a,b\"}}}");
    str_clear(o);
    ck_assert_int_eq(job_priority_patch(
                         "7", doc_of(&d.arena, "spec: {priority: 9, priorityClassRef: {name: x}}"), o, NULL),
                     0);
    ck_assert_str_eq(str_text(o), HEAD "\"priority\":9,\"priorityClassRef\":{\"name\":\"x\"}}}");
    str_clear(o);
    ck_assert_int_eq(job_suspend_patch(d.docs.kind, "7", o, NULL), 0);
    ck_assert_str_eq(str_text(o), HEAD "\"suspend\":true}}");
    str_clear(o);
    ck_assert_int_eq(job_finalizer_patch(d.docs.workload, &d.scratch, o, NULL), 0);
    ck_assert_str_eq(str_text(o), "{\"metadata\":{\"resourceVersion\":\"7\",\"finalizers\":[\"x\"]}}");
    str_clear(o);
    ck_assert_int_eq(job_adopt_patch(&d.docs, o, NULL), 0);
    ck_assert_str_eq(
        str_text(o),
        "{\"metadata\":{\"resourceVersion\":\"7\",\"ownerReferences\":[{\"apiVersion\":\"batch/v1\","
        "\"kind\":\"Job\",\"name\":\"j\",\"uid\":\"u\",\"controller\":true,\"blockOwnerDeletion\":"
        "true}],\"labels\":{\"" KUEUE "job-uid\":\"u\"}}}");
    str_clear(o);
    ck_assert_int_eq(job_update_workload_patch(d.docs.workload, doc_of(&d.arena, "spec: {podSets: [2]}"),
                                               &d.scratch, o, NULL),
                     0);
    ck_assert_str_eq(str_text(o), HEAD "\"podSets\":[2],\"priority\":null}}");
    desk_close(&d);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

START_TEST(out_of_memory)
{
    char job[1024];
    bool done = false;
    snprintf(job, sizeof(job), RAN, "", "false");
    for (uint64_t n = 1; !done; n++) {
        struct desk d;
        desk_open(&d, API_JOB, job, WL(MAIN, ON("plain"), ""));
        arena_free(&d.scratch);
        arena_init(&d.scratch, 16);
        mem_fail_after(n);
        int rc = job_start_patch(&d.docs, find, NULL, &d.out, NULL);
        if (rc == 0)
            rc = job_stop_patch(&d.docs, JOB_STEP_RESTORE, &d.out, NULL);
        mem_fail_after(0);
        ck_assert_msg(rc == 0 || rc == ERR_NOMEM, "%d", rc);
        done = rc == 0;
        desk_close(&d);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, start, 0, COUNT(starts));
    tcase_add_loop_test(tc, stop, 0, COUNT(stops));
    tcase_add_test(tc, stop_job_set);
    tcase_add_test(tc, workloads);
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("patch", add);
}
