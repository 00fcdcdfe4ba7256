#include "plan_test.h"

#include "base/str.h"

#define KUEUE "kueue.x-k8s.io/"
#define NOW (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

#define POD "template: {spec: {containers: [{name: c}]}}"
#define META(more) "metadata: {name: j, namespace: ns, uid: u, labels: {" KUEUE "queue-name: q" more "}"
#define HELD META("") "}\nspec: {suspend: true, parallelism: 3, " POD "}\n"
#define RUNS META("") "}\nspec: {suspend: false, parallelism: 3, " POD "}\n"
#define STOPPING                                                                                             \
    META("") ", annotations: {" KUEUE "stopping: 'true'}}\nspec: {suspend: true, parallelism: 3, " POD "}\n"
#define OVER "status: {conditions: [{type: Complete, status: 'True', message: done}]}\n"
#define ACTIVE "status: {active: 3, startTime: '2026-01-01T00:00:00Z'}\n"

#define OWNER "ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: u, controller: true}]"
#define OTHER "ownerReferences: [{apiVersion: batch/v1, kind: Job, name: x, uid: x, controller: true}]"
#define FINAL "finalizers: [" KUEUE "resource-in-use]"
#define WL(meta, spec, status)                                                                               \
    "metadata: {name: w, namespace: ns, uid: wu, " FINAL ", " OWNER meta "}\n"                               \
    "spec: {queueName: q, podSets: [{name: main, count: 3, " POD "}]" spec "}\n"                             \
    "status: {" status "}\n"
#define COND(type, status, reason)                                                                           \
    "{type: " type ", status: '" status "', reason: " reason ", message: m, "                                \
    "lastTransitionTime: '2026-01-01T00:00:00Z'}"
#define ADMISSION "admission: {clusterQueue: cq, podSetAssignments: [{name: main, count: 3}]}, "
#define RESERVED COND("QuotaReserved", "True", "QuotaReserved")
#define ADMITTED RESERVED ", " COND("Admitted", "True", "Admitted")
#define EVICTED COND("Evicted", "True", "Preempted")

/* "ACT(reason)!" = Warning; " ?" = again at a time; " ~" = retry; " -" = ignored. */
static void print(const struct job_plan *p, struct str *out)
{
    for (uint32_t i = 0; i < p->n; i++) {
        const struct job_action *a = &p->actions[i];
        str_addf(out, "%s%s", out->len ? " " : "", job_act_name(a->act));
        if (*a->reason)
            str_addf(out, "(%s)", a->reason);
        if (a->act == JOB_EVENT && a->on)
            str_addc(out, '!');
    }
    str_add(out, p->again != WHEN_NONE ? " ?" : "");
    str_add(out, p->retry ? " ~" : "");
    str_add(out, p->ignored ? " -" : "");
}

static const struct row {
    const char *job, *wls[3], *plan;
} rows[] = {
    /* a job that is gone */
    {NULL, {WL("", "", "")}, "FINISH(OwnerNotFound) REMOVE_FINALIZER"},
    {NULL, {WL("", "", "conditions: [" COND("Finished", "True", "Succeeded") "]")}, "REMOVE_FINALIZER"},
    {NULL, {WL(", deletionTimestamp: '2026-01-01T00:00:00Z'", "", "")}, "REMOVE_FINALIZER"},
    {NULL, {NULL}, ""},
    /* whose it is */
    {"metadata: {name: j, namespace: ns}\nspec: {" POD "}", {NULL}, " -"},
    /* its Workload is made, once it stands still */
    {HELD, {NULL}, "CREATE_WORKLOAD EVENT(CreatedWorkload)"},
    {HELD "status: {active: 1}", {NULL}, ""},
    {RUNS,
     {NULL},
     "STOP_SUSPEND(NoMatchingWorkload) STOP_RESTORE(NoMatchingWorkload) EVENT(Stopped) "
     "CREATE_WORKLOAD EVENT(CreatedWorkload)"},
    {RUNS OVER, {NULL}, ""},
    {META(", " KUEUE "priority-class: low") "}\nspec: {suspend: true, " POD "}",
     {NULL},
     "EVENT(WorkloadPriorityClassNotFound)! ~"},
    /* it waits */
    {HELD, {WL("", "", "")}, ""},
    {HELD,
     {WL("", "",
         ADMISSION "conditions: [" RESERVED
                   "], admissionChecks: [{name: c, state: Pending, message: wait}]")},
     "EVENT(UpdatedAdmissionCheck)"},
    /* it starts, and runs */
    {HELD, {WL("", "", ADMISSION "conditions: [" ADMITTED "]")}, "START EVENT(Started)"},
    {HELD, {WL("", "", "conditions: [" ADMITTED "]")}, ""},
    {RUNS, {WL("", "", ADMISSION "conditions: [" ADMITTED "]")}, ""},
    {RUNS,
     {WL("", "", ADMISSION "conditions: [" RESERVED "]")},
     "STOP_SUSPEND(NotAdmitted) STOP_RESTORE(NotAdmitted) EVENT(Stopped)"},
    /* a stop in three steps, wherever it stands */
    {RUNS ACTIVE,
     {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")},
     "STOP_SUSPEND(WorkloadEvicted) STOP_CLEAR(WorkloadEvicted) STOP_RESTORE(WorkloadEvicted) "
     "EVENT(Stopped)"},
    {STOPPING ACTIVE,
     {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")},
     "STOP_CLEAR(WorkloadEvicted) STOP_RESTORE(WorkloadEvicted)"},
    {STOPPING,
     {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")},
     "STOP_RESTORE(WorkloadEvicted) RELEASE"},
    {HELD, {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")}, "RELEASE"},
    {HELD "status: {active: 1}", {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")}, ""},
    {HELD, {WL("", "", "conditions: [" EVICTED "]")}, ""},
    {STOPPING, {WL("", "", ADMISSION "conditions: [" ADMITTED "]")}, "STOP_RESTORE(WorkloadEvicted)"},
    /* it ends */
    {RUNS OVER,
     {WL("", "", ADMISSION "conditions: [" ADMITTED "]")},
     "FINISH(Succeeded) EVENT(FinishedWorkload)"},
    {RUNS "status: {conditions: [{type: Failed, status: 'True'}]}",
     {WL("", "", "")},
     "FINISH(Failed) EVENT(FinishedWorkload)"},
    {RUNS OVER,
     {WL("", "", "conditions: [" COND("Finished", "True", "Succeeded") "]")},
     "EVENT(FinishedWorkload) REMOVE_FINALIZER"},
    {RUNS,
     {WL(", deletionTimestamp: '2026-01-01T00:00:00Z'", "", ADMISSION "conditions: [" ADMITTED "]")},
     "STOP_SUSPEND(WorkloadDeleted) STOP_RESTORE(WorkloadDeleted) EVENT(Stopped) REMOVE_FINALIZER"},
    /* what changes at the job */
    {META("") "}\nspec: {suspend: true, parallelism: 4, " POD "}",
     {WL("", "", "")},
     "UPDATE_WORKLOAD EVENT(UpdatedWorkload)"},
    {META("") "}\nspec: {suspend: true, parallelism: 4, " POD "}",
     {WL("", "", ADMISSION "conditions: [" RESERVED "]")},
     "DELETE_WORKLOAD EVENT(DeletedWorkload)"},
    {META("") "}\nspec: {suspend: false, parallelism: 4, " POD "}",
     {WL("", "", "")},
     "STOP_SUSPEND(NoMatchingWorkload) STOP_RESTORE(NoMatchingWorkload) EVENT(Stopped) DELETE_WORKLOAD "
     "EVENT(DeletedWorkload)"},
    {HELD, {WL("", "", ""), WL("", "", "")}, "DELETE_WORKLOAD EVENT(DeletedWorkload)"},
    {"metadata: {name: j, namespace: ns, uid: u, labels: {" KUEUE
     "queue-name: other}}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", "", "")},
     "SET_QUEUE"},
    {"metadata: {name: j, namespace: ns, uid: u, labels: {" KUEUE
     "queue-name: other}}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", "", "conditions: [" RESERVED "]")},
     ""},
    {META(", " KUEUE "priority-class: high") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", "", "")},
     "SET_PRIORITY EVENT(UpdatedWorkload)"},
    {META(", " KUEUE "priority-class: high") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", "", ADMISSION "conditions: [" RESERVED "]")},
     ""},
    {META(", " KUEUE "priority-class: high") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", ", priorityClassRef: {group: scheduling.k8s.io, kind: PriorityClass, name: p}", "")},
     ""},
    {META("") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", ", priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: high}", "")},
     "SET_PRIORITY EVENT(UpdatedWorkload)"},
    {META("") ", annotations: {" KUEUE "admission-gated-by: a}}\nspec: {suspend: true, parallelism: 3, " POD
              "}",
     {WL("", "", "")},
     "SET_GATED_BY"},
    /* pods that are not needed any more */
    {META("") "}\nspec: {parallelism: 3, completions: 3, " POD "}\nstatus: {succeeded: 1}",
     {WL("", "", ADMISSION "conditions: [" ADMITTED "]")},
     "SET_RECLAIMABLE"},
    {META("") "}\nspec: {parallelism: 3, completions: 3, " POD "}\nstatus: {succeeded: 1}",
     {WL("", "", ADMISSION "conditions: [" ADMITTED "], reclaimablePods: [{name: main, count: 1}]")},
     ""},
    /* a Workload that was there before */
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {NULL},
     " ~"},
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {parallelism: 3, " POD "}",
     {NULL},
     "STOP_SUSPEND(NoMatchingWorkload) STOP_RESTORE(NoMatchingWorkload) EVENT(Stopped) ~"},
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {"metadata: {name: w, namespace: ns}\nspec: {podSets: [{name: main, count: 3, " POD "}]}"},
     "ADOPT_WORKLOAD"},
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {"metadata: {name: w, namespace: ns, " OTHER "}\nspec: {podSets: [{name: main, count: 3, " POD "}]}"},
     " ~"},
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {suspend: true, parallelism: 4, " POD "}",
     {WL("", "", "")},
     "FINISH(OutOfSync)"},
    {META(", " KUEUE "prebuilt-workload-name: w") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", "", ADMISSION "conditions: [" ADMITTED "]")},
     "START EVENT(Started)"},
    /* what we have no part in */
    {META("") ", annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {suspend: true, " POD "}",
     {NULL},
     "EVENT(Unsupported)! -"},
    {META("") "}\nspec: {suspend: true, managedBy: " KUEUE "multikueue, " POD "}",
     {NULL},
     "EVENT(Unsupported)! -"},
    /* ... but quota that it holds */
    {META("") ", annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {" POD "}\n" OVER,
     {WL("", "", ADMISSION "conditions: [" ADMITTED "]")},
     "FINISH(Succeeded) -"},
    {META("") ", annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {" POD "}\n" OVER,
     {WL("", "", "conditions: [" COND("Finished", "True", "Succeeded") "]")},
     "REMOVE_FINALIZER -"},
    {META("") ", annotations: {" KUEUE "elastic-job: 'true'}}\nspec: {" POD "}\n",
     {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]")},
     "STOP_SUSPEND(WorkloadEvicted) STOP_RESTORE(WorkloadEvicted) EVENT(Stopped) RELEASE EVENT(Unsupported)! "
     "-"},
    {META("") "}\nspec: {suspend: true, parallelism: 3, " POD "}",
     {WL("", ", priorityClassRef: {group: kueue.x-k8s.io, kind: WorkloadPriorityClass, name: high}",
         ADMISSION "conditions: [" RESERVED "]")},
     ""},
    {META("") "}\nspec: {suspend: true}", {NULL}, "EVENT(Unsupported)! -"},
    {HELD,
     {WL("", "",
         "admission: {clusterQueue: cq, podSetAssignments: [{name: main, topologyAssignment: {levels: "
         "[x]}}]}, "
         "conditions: [" ADMITTED "]")},
     ""},
};

static void check_row(const struct row *r, struct scene *s, const char *want)
{
    struct job_plan p;
    struct err e = {0};
    struct str out;
    str_init(&out, 0);
    ck_assert_msg(job_reconcile(&s->rules, &s->sight, NOW, &s->arena, &p, &e) == 0, "%s", e.text);
    print(&p, &out);
    ck_assert_msg(strcmp(str_text(&out), want) == 0, "%s\nexpected: %s\ngot:      %s",
                  r->job ? r->job : "gone", want, str_text(&out));
    if (!p.n && r->job && !strstr(r->job, "Complete") && !strstr(r->wls[0] ? r->wls[0] : "", "Evicted") &&
        !(strstr(r->job, "suspend: false") || !strstr(r->job, "suspend")))
        ck_assert_msg(*p.waiting, "nothing is said of: %s", r->job);
    str_free(&out);
}

START_TEST(plans)
{
    const struct row *r = &rows[_i];
    struct scene s;
    scene_open(&s, API_JOB, r->job, r->wls);
    check_row(r, &s, r->plan);
    scene_close(&s);
}
END_TEST

/* ---- children, places, namespaces --------------------------------------------------------------------------------------- */

START_TEST(children)
{
    static const char *const wls[] = {WL("", "", ADMISSION "conditions: [" ADMITTED "]"), NULL};
    const struct row r = {.job = RUNS};
    struct scene s;
    scene_open(&s, API_JOB, RUNS, wls);
    s.sight.nwls = 0;
    s.sight.ancestry = (struct job_ancestry){.place = JOB_CHILD, .ancestor_queue = "q"};
    check_row(&r, &s, "SUSPEND_CHILD EVENT(Suspended)");
    s.sight.ancestor_workload = s.views[0];
    check_row(&r, &s, "");
    s.sight.ancestry.place = JOB_ORPHANED;
    check_row(&r, &s, " ~");
    s.sight.ancestry.place = JOB_CYCLE;
    check_row(&r, &s, " ~");
    s.sight.ancestry.place = JOB_TOO_DEEP;
    check_row(&r, &s, "EVENT(JobNestingTooDeep)! ~");
    s.sight.namespace_matches = false;
    check_row(&r, &s, " -");
    s.sight.nwls = 1;
    scene_close(&s);
}
END_TEST

/* ---- PodsReady (2.4) ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *status, *ready; /* of the Workload, of the job */
    const char *reason;         /* "" = no action */
    bool on, lazy;
} readiness[] = {
    {"", "", "WaitForStart", false, true},
    {"conditions: [" COND("PodsReady", "False", "WaitForStart") "]", "", "", false, false},
    {"conditions: [" COND("PodsReady", "False", "PodsReady") "]", "", "WaitForStart", false, true},
    {ADMISSION "conditions: [" ADMITTED "]", "status: {ready: 3}", "Started", true, false},
    {ADMISSION "conditions: [" ADMITTED "]", "status: {ready: 2}", "WaitForStart", false, false},
    {ADMISSION "conditions: [" ADMITTED ", " COND("PodsReady", "True", "Started") "]", "status: {ready: 2}",
     "WaitForRecovery", false, false},
    {ADMISSION "conditions: [" ADMITTED ", " COND("PodsReady", "False", "WaitForRecovery") "]",
     "status: {ready: 2}", "", false, false},
    {ADMISSION "conditions: [" ADMITTED ", " COND("PodsReady", "False", "WaitForRecovery") "]",
     "status: {ready: 3}", "Recovered", true, false},
    {ADMISSION "conditions: [" ADMITTED ", " COND("PodsReady", "True", "Recovered") "]", "status: {ready: 3}",
     "", false, false},
    {"conditions: [" COND("PodsReady", "True", "Started") "]", "", "WaitForStart", false, false},
};

START_TEST(ready)
{
    char job[512], wl[2048];
    const char *const wls[] = {wl, NULL};
    bool admitted = strstr(readiness[_i].status, "Admitted") != NULL;
    struct scene s;
    struct job_plan p;
    snprintf(job, sizeof(job), "%s%s", admitted ? RUNS : HELD, readiness[_i].ready);
    snprintf(wl, sizeof(wl), WL("", "", "%s"), readiness[_i].status);
    scene_open(&s, API_JOB, job, wls);
    s.rules.pods_ready = true;
    ck_assert_int_eq(job_reconcile(&s.rules, &s.sight, NOW, &s.arena, &p, NULL), 0);
    ck_assert_int_eq(p.n, *readiness[_i].reason ? 1 : 0);
    if (p.n) {
        bool changed = false;
        ck_assert_int_eq(p.actions[0].act, JOB_SET_PODS_READY);
        ck_assert_str_eq(p.actions[0].reason, readiness[_i].reason);
        ck_assert(p.actions[0].on == readiness[_i].on && p.actions[0].lazy == readiness[_i].lazy);
        ck_assert_int_eq(job_action_status(&p.actions[0], &s.rules, &s.status[0], NOW, 1, NULL), 0);
        ck_assert_int_eq(job_reconcile(&s.rules, &s.sight, NOW, &s.arena, &p, NULL), 0);
        for (uint32_t i = 0; i < p.n; i++)
            changed = changed || p.actions[i].act == JOB_SET_PODS_READY;
        ck_assert(!changed);
    }
    scene_close(&s);
}
END_TEST

/* ---- retention, status changes ------------------------------------------------------------------------------------------ */

START_TEST(retention)
{
    static const char *const wls[] = {
        WL("", ", active: false", "conditions: [" COND("Evicted", "True", "DeactivatedDueToX") "]"), NULL};
    static const char *const by_hand[] = {
        WL("", ", active: false", "conditions: [" COND("Evicted", "True", "Deactivated") "]"), NULL};
    const struct row r = {.job = HELD, .wls = {"Evicted"}};
    struct scene s;
    struct job_plan p;
    scene_open(&s, API_JOB, HELD, wls);
    check_row(&r, &s, "");
    s.rules.has_retention = true;
    s.rules.retention_ns = 60 * NS_PER_S;
    check_row(&r, &s, " ?");
    ck_assert_int_eq(job_reconcile(&s.rules, &s.sight, NOW, &s.arena, &p, NULL), 0);
    ck_assert_int_eq(p.again, NOW + 60 * NS_PER_S);
    s.rules.retention_ns = 0;
    check_row(&r, &s, "DELETE_JOB EVENT(Deleted)");
    scene_close(&s);
    scene_open(&s, API_JOB, HELD, by_hand);
    s.rules.has_retention = true;
    check_row(&r, &s, "");
    scene_close(&s);
}
END_TEST

START_TEST(status_changes)
{
    static const char *const wls[] = {WL("", "", ADMISSION "conditions: [" ADMITTED ", " EVICTED "]"), NULL};
    struct scene s;
    struct job_plan p;
    scene_open(&s, API_JOB, HELD, wls);
    ck_assert_int_eq(job_reconcile(&s.rules, &s.sight, NOW, &s.arena, &p, NULL), 0);
    ck_assert_int_eq(p.n, 1);
    ck_assert_int_eq(job_action_status(&p.actions[0], &s.rules, &s.status[0], NOW, 1, NULL), 0);
    ck_assert_int_eq(s.status[0].cond[COND_QUOTA_RESERVED].status, STATUS_FALSE);
    ck_assert_int_eq(s.status[0].cond[COND_REQUEUED].status, STATUS_TRUE);
    ck_assert_int_eq(job_reconcile(&s.rules, &s.sight, NOW, &s.arena, &p, NULL), 0);
    ck_assert_int_eq(p.n, 0);
    struct job_action failed =
        job_failed_to_start(&(struct job_action){.act = JOB_START, .wl = s.wls[0]}, "why");
    ck_assert_int_eq(job_action_status(&failed, &s.rules, &s.status[0], NOW, 1, NULL), 0);
    ck_assert_str_eq(s.status[0].cond[COND_FINISHED].reason, "FailedToStart");
    ck_assert_str_eq(s.status[0].cond[COND_FINISHED].message, "why");
    failed.act = JOB_START;
    ck_assert_int_eq(job_action_status(&failed, &s.rules, &s.status[0], NOW, 1, NULL), ERR_STATE);
    scene_close(&s);
}
END_TEST

START_TEST(job_sets)
{
    static const char set[] =
        "metadata: {name: j, namespace: ns, uid: u, labels: {" KUEUE "queue-name: q}}\n"
        "spec: {replicatedJobs: [{name: main, template: {spec: {parallelism: 3, " POD "}}}]}\n";
    static const char *const wls[] = {
        "metadata: {name: w, namespace: ns, ownerReferences: [{apiVersion: jobset.x-k8s.io/v1alpha2, "
        "kind: JobSet, name: j, uid: u, controller: true}]}\n"
        "spec: {queueName: q, podSets: [{name: main, count: 3, " POD "}]}\n"
        "status: {" ADMISSION "conditions: [" ADMITTED ", " EVICTED "]}\n",
        NULL};
    const struct row r = {.job = set};
    struct scene s;
    scene_open(&s, API_JOB_SET, set, wls);
    check_row(&r, &s, "STOP_SUSPEND(WorkloadEvicted) EVENT(Stopped) RELEASE");
    scene_close(&s);
}
END_TEST

START_TEST(out_of_memory)
{
    static const char *const wls[] = {WL("", "", ""), NULL};
    struct scene s;
    scene_open(&s, API_JOB, META("") "}\nspec: {suspend: true, parallelism: 4, " POD "}", wls);
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct arena a;
        struct job_plan p;
        arena_init(&a, 16);
        mem_fail_after(n);
        int rc = job_reconcile(&s.rules, &s.sight, NOW, &a, &p, NULL);
        mem_fail_after(0);
        ck_assert(rc == 0 || rc == ERR_NOMEM);
        done = rc == 0;
        arena_free(&a);
    }
    scene_close(&s);
}
END_TEST

START_TEST(names)
{
    for (int i = 0; i <= JOB_EVENT; i++) {
        struct job_action a = {.act = (enum job_act)i};
        ck_assert_str_ne(job_act_name(a.act), "");
        ck_assert(!(job_action_needs(&a) & JOB_NEEDS_WORKLOAD)); /* there is none */
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, plans, 0, COUNT(rows));
    tcase_add_test(tc, children);
    tcase_add_loop_test(tc, ready, 0, COUNT(readiness));
    tcase_add_test(tc, retention);
    tcase_add_test(tc, status_changes);
    tcase_add_test(tc, job_sets);
    tcase_add_test(tc, out_of_memory);
    tcase_add_test(tc, names);
}

int main(void)
{
    return run_tests("reconcile", add);
}
