/* Parts of what is done to a job: pod templates at its start and its stop, and whether a Workload still describes it. */
#include "vec_world.h"

#include "api/reader.h"
#include "jobs/edit.h"
#include "jobs/equal.h"
#include "jobs/patch.h"
#include "jobs/podsets.h"
#include "jobs/template.h"

#include <string.h>

#define WEBHOOK "policies of the cluster suspend jobs when they are created"

static struct gates gates_of(struct vec *v)
{
    struct gates g = gates_default();
    struct err err;
    for (uint32_t i = 0; i < v->ngates; i++) {
        if (gates_set(&g, v->gates[i].name, v->gates[i].on, &err) < 0)
            vec_broken(v, v->gates[i].name, &err);
    }
    return g;
}

/* ---- starting and stopping ---------------------------------------------------------------------------------------------- */

struct infos {
    struct podinfo *v;
    uint32_t n;
};

static void read_infos(struct reader *rd, const struct doc_node *list, void *ret)
{
    struct infos *infos = ret;
    uint32_t n = doc_is(list, DOC_LIST) ? list->n : 0;
    infos->v = ARENA_NEW(rd->arena, struct podinfo, n + 1);
    infos->n = n;
    doc_foreach (c, n ? list : NULL) {
        struct podinfo *p = &infos->v[c->index];
        if (template_update(c, rd->arena, p, rd->err) < 0)
            rd->errors++;
        p->count = (int32_t)doc_i64_or(c, "count", 0);
    }
}

static struct infos infos_of(struct vec *v, const char *key)
{
    const struct doc_node *list = vec_find(v, key);
    struct err err;
    struct reader rd = {.arena = v->arena, .flags = API_LENIENT, .root = list, .err = &err};
    struct infos infos = {0};
    if (rd_run(&rd, read_infos, list, &infos) < 0)
        vec_broken(v, key, &err);
    return infos;
}

/* Where the start fails we leave the job as it was; Kueue has changed its copy by then. */
static void run_start_and_stop(struct vec *v)
{
    struct gates g = gates_of(v);
    struct infos run = infos_of(v, "runInfo"), restore = infos_of(v, "restoreInfo");
    struct job_docs docs = {
        .kind = job_kind_of(API_JOB), .job = vec_find(v, "job"), .gates = &g, .arena = v->arena};
    const struct doc_node *started = NULL, *restored = NULL, *error = doc_path(v->want, "wantRunError.error");
    struct err err = {0};
    int rc = job_started(&docs, run.v, run.n, &started, &err);
    vec_check(v, "wantRunError", error ? rc == ERR_STATE && strstr(err.text, error->text) : rc == 0,
              error ? error->text : "", err.text);
    if (rc < 0)
        return;
    vec_check_doc(v, "wantUnsuspended", vec_want(v, "wantUnsuspended"), started, NULL);
    docs.job = started;
    if (job_restored(&docs, restore.v, restore.n, &restored, &err) < 0)
        vec_broken(v, "restoring", &err);
    else
        vec_check_doc(v, "restored", doc_field(vec_find(v, "job"), "spec"), doc_field(restored, "spec"),
                      &(struct vec_compare){.ignore = (const char *const[]){"suspend", NULL}});
}

static void run_restore(struct vec *v)
{
    struct gates g = gates_of(v);
    struct infos infos = infos_of(v, "podsSetsInfo");
    const struct doc_node *job = vec_find(v, "jobSet"), *after = NULL;
    struct job_docs docs = {.kind = job_kind_of(API_JOB_SET), .job = job, .gates = &g, .arena = v->arena};
    struct err err;
    if (!infos.n)
        infos = infos_of(v, "podSetsInfo");
    if (job_restored(&docs, infos.v, infos.n, &after, &err) < 0)
        vec_broken(v, "restoring", &err);
    else
        vec_check_bool(v, "wantChanged", vec_want(v, "wantChanged"), !doc_equal(job, after));
}

/* ---- what a pod set takes from a template ------------------------------------------------------------------------------- */

struct sets {
    const struct gates *gates;
    const struct doc_node *result;
};

static void make_sets(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct sets *s = ret;
    s->result = job_pod_sets(rd, job_kind_of(API_JOB), job, &(struct job_pods_options){.partial = true});
}

/* The pod sets of a Job with this template. */
static const struct doc_node *sets_of(struct vec *v, const struct doc_node *labels,
                                      const struct doc_node *template)
{
    struct str s;
    struct err err;
    struct sets sets = {0};
    str_init(&s, 0);
    str_add(&s, "{\"spec\":{\"template\":");
    if (template) {
        edit_json(&s, template);
    } else {
        str_add(&s, "{\"spec\":{},\"metadata\":{\"labels\":");
        edit_json(&s, labels);
        str_add(&s, "}}");
    }
    str_add(&s, "}}");
    const struct doc_node *job = vec_read(v, str_text(&s));
    struct reader rd = {.arena = v->arena, .flags = API_LENIENT, .root = job, .err = &err};
    str_free(&s);
    if (job && rd_run(&rd, make_sets, job, &sets) < 0)
        vec_broken(v, "pod sets", &err);
    return sets.result;
}

static void run_labels(struct vec *v)
{
    const struct doc_node *sets = sets_of(v, vec_find(v, "labels"), NULL);
    vec_check_doc(v, "wantLabels", vec_want(v, "wantLabels"),
                  doc_path(doc_at(sets, 0), "template.metadata.labels"), NULL);
}

static void run_variables(struct vec *v)
{
    const struct doc_node *want = doc_at(vec_want(v, "expectedPodSets"), 0),
                          *template = doc_field(doc_at(vec_find(v, "podSets"), 0), "template");
    if (!template) {
        vec_skip(v, "a job without pod sets");
        return;
    }
    vec_check_doc(v, "expectedPodSets", doc_field(want, "template"),
                  doc_field(doc_at(sets_of(v, NULL, template), 0), "template"), NULL);
}

/* ---- does it describe the job ------------------------------------------------------------------------------------------- */

static struct wl_view *view_of(struct vec *v, const char *key)
{
    const struct doc_node *list = vec_find(v, key);
    struct wl_view *view = NULL;
    struct str s;
    struct err err;
    str_init(&s, 0);
    str_add(&s, "{\"metadata\":{\"name\":\"w\"},\"spec\":{\"podSets\":");
    if (list)
        edit_json(&s, list);
    else
        str_add(&s, "[]");
    str_add(&s, "}}");
    const struct doc_node *doc = vec_read(v, str_text(&s));
    str_free(&s);
    if (doc && wl_view_of(doc, v->scratch, &view, &err) < 0)
        vec_broken(v, key, &err);
    return view;
}

static void run_equal(struct vec *v)
{
    struct wl_view *a = view_of(v, "a"), *b = view_of(v, "b");
    bool tolerations = !vec_bool(v, vec_find(v, "ignoreTolerations"));
    if (a && b)
        vec_check_bool(v, "wantEquivalent", vec_want(v, "wantEquivalent"),
                       job_pods_equal(a->pods, a->npods, b->pods, b->npods, tolerations));
    wl_view_free(a);
    wl_view_free(b);
}

static const struct vec_entry entries[] = {
    {"controller_jobs_job__TestPodSetsInfo", run_start_and_stop, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobs_jobset__TestRestorePodSetsInfo", run_restore, NULL, 0},
    {"controller_jobs_job__TestCleanLabels", run_labels, NULL, 0},
    {"controller_jobframework__TestSanitizePodSets", run_variables, NULL, 0},
    {"util_equality__TestComparePodSetSlices", run_equal, NULL, VEC_ANY_CONTENT},
    {"controller_jobframework__TestWorkloadShouldBeSuspended", NULL, WEBHOOK, 0},
    {"controller_jobframework__TestReconcileGenericJobWithCustomWorkloadActivation", NULL,
     "no kind of ours sets the field active of its Workload", 0},
    {"controller_jobs_job__Test_applyWorkloadSliceSchedulingGate", NULL, "elastic workload slices come later",
     0},
    {"controller_jobs_job__Test_multiKueueAdapter_SyncJob", NULL, "MultiKueue comes later", 0},
};

VEC_AREA(vec_area_jobs_parts, entries);
