/* Bytes as a job (or a list: a job and a Workload) -> views -> a plan -> patches, for each kind of job. The laws: nothing is lost of the
 * memory; a plan is the same each time; the Workload that is made of a job describes it and would have nothing restored; a job that
 * was started and stopped is as it was before. */
#include "api/json.h"
#include "base/mem.h"
#include "jobs/equal.h"
#include "jobs/patch.h"
#include "jobs/reconcile.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

struct input {
    struct arena arena, scratch;
    struct gates gates;
    struct job_rules rules;
    const struct job_kind *kind;
    const struct doc_node *job_doc, *wl_doc;
    struct job_view *job;
    struct wl_view *wl;
    struct status status;
};

static const struct fact_flavor *flavor(void *arg, const char *name)
{
    static const struct fact_label labels[] = {{"zone", "a"}};
    static const struct fact_flavor f = {.name = "f", .labels = labels, .nlabels = 1, .topology = ""};
    (void)arg;
    return strcmp(name, "f") == 0 ? &f : NULL;
}

/* ---- plans -------------------------------------------------------------------------------------------------------------- */

static void render(struct input *in, const struct job_action *a)
{
    struct str out;
    struct err err;
    struct job_docs docs = {.kind = in->kind,
                            .job = in->job_doc,
                            .workload = a->wl ? in->wl_doc : NULL,
                            .gates = &in->gates,
                            .arena = &in->scratch};
    int rc = 0;
    str_init(&out, 0);
    if (a->act == JOB_START)
        rc = job_start_patch(&docs, flavor, NULL, &out, &err);
    else if (a->act == JOB_STOP_SUSPEND)
        rc = job_stop_patch(&docs, JOB_STEP_SUSPEND, &out, &err);
    else if (a->act == JOB_STOP_RESTORE)
        rc = job_stop_patch(&docs, JOB_STEP_RESTORE, &out, &err);
    else if (a->act == JOB_REMOVE_FINALIZER)
        rc = job_finalizer_patch(in->wl_doc, &in->scratch, &out, &err);
    else if (a->act == JOB_ADOPT_WORKLOAD)
        rc = job_adopt_patch(&docs, &out, &err);
    require(rc != ERR_NOMEM);
    if (rc == 0 && out.len) {
        const struct doc_node *patch;
        require(json_read(&in->arena, &in->scratch, str_text(&out), out.len, 1, &patch, &err) == 0);
        require(patch->type == DOC_MAP);
    }
    str_free(&out);
}

static void plan(struct input *in)
{
    const struct wl_view *wls[] = {in->wl};
    struct job_sight sight = {.ns = in->job->ns, .name = in->job->name, .kind = in->kind, .job = in->job};
    struct job_plan p, again;
    struct err err;
    sight.wls = wls;
    sight.nwls = in->wl ? 1 : 0;
    sight.prebuilt = in->wl && strcmp(in->wl->name, in->job->prebuilt) == 0 ? in->wl : NULL;
    sight.namespace_matches = true;
    sight.ancestry = (struct job_ancestry){.place = JOB_TOP, .ancestor_queue = ""};
    require(job_reconcile(&in->rules, &sight, 0, &in->arena, &p, &err) == 0);
    require(job_reconcile(&in->rules, &sight, 0, &in->arena, &again, &err) == 0);
    require(p.n == again.n && p.again == again.again && strcmp(p.waiting, again.waiting) == 0);
    for (uint32_t i = 0; i < p.n; i++) {
        require(p.actions[i].act == again.actions[i].act && p.actions[i].wl == again.actions[i].wl);
        require(strcmp(p.actions[i].message, again.actions[i].message) == 0);
        render(in, &p.actions[i]);
    }
}

/* ---- laws --------------------------------------------------------------------------------------------------------------- */

/* Something injected, and then all taken out again. */
static void start_and_stop(struct input *in, const struct doc_node *wl)
{
    struct err err;
    struct job_docs docs = {.kind = in->kind, .job = in->job_doc, .workload = wl, .gates = &in->gates};
    uint32_t n = in->job->npods;
    struct podinfo *infos = arena_alloc(&in->arena, (n + 1) * sizeof(*infos));
    const struct doc_node *ran, *stopped;
    struct job_view *after = NULL;
    docs.arena = &in->arena;
    for (uint32_t i = 0; i < n; i++) {
        infos[i] = (struct podinfo){.name = "", .count = in->job->pods[i].count};
        require(podinfo_put(&infos[i].selector, &in->arena, "fuzz.example.com/injected", "yes") == 0);
    }
    int rc = job_started(&docs, infos, n, &ran, &err);
    require(rc != ERR_NOMEM);
    if (rc < 0)
        return; /* it has that label with another value, or parts that are no templates */
    docs.job = ran;
    require(job_restored(&docs, NULL, 0, &stopped, &err) == 0);
    require(job_view_of(in->kind, stopped, &in->gates, &in->scratch, &after, &err) == 0);
    require(after->npods == n);
    for (uint32_t i = 0; i < n; i++)
        require(canon_digest_equal(after->pods[i].injected, in->job->pods[i].injected) &&
                canon_digest_equal(after->pods[i].containers, in->job->pods[i].containers));
    job_view_free(after);
}

static void made(struct input *in)
{
    struct object job = {.kind = in->kind->api, .file = "", .ns = in->job->ns, .name = in->job->name}, wl;
    struct wl_view *view = NULL;
    struct status status;
    struct err err;
    size_t group = strlen(in->kind->group);
    const char *version = doc_str_or(in->job_doc, "apiVersion", "");
    if (strncmp(version, in->kind->group, group) != 0 || version[group] != '/')
        return; /* the owner reference says so, and names another kind */
    job.doc = in->job_doc;
    if (job_workload(&job, job.name, in->job->queue, &in->rules.making, &in->arena, API_LENIENT, NULL, &wl,
                     &err) < 0)
        return;
    require(wl_view_of(wl.doc, &in->scratch, &view, &err) == 0);
    status_init(&status);
    view->status = &status;
    require(job_equivalent(in->job, view, &in->gates));
    require(!job_differs(in->job, view));
    start_and_stop(in, wl.doc);
    status_free(&status);
    wl_view_free(view);
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

static bool read_workload(struct input *in)
{
    struct object o;
    struct err err;
    return in->wl_doc && wl_view_of(in->wl_doc, &in->scratch, &in->wl, &err) == 0 &&
           api_read_as(API_WORKLOAD, in->wl_doc, &in->arena, API_LENIENT, NULL, &o, &err) == 0 &&
           status_from_fact(&in->status, &o.workload) == 0;
}

static void run(struct input *in, enum api_kind kind)
{
    struct err err;
    in->kind = job_kind_of(kind);
    in->job = NULL;
    in->wl = NULL;
    status_init(&in->status);
    if (job_view_of(in->kind, in->job_doc, &in->gates, &in->scratch, &in->job, &err) == 0) {
        if (!read_workload(in)) {
            wl_view_free(in->wl);
            in->wl = NULL;
        } else {
            in->wl->status = &in->status;
        }
        plan(in);
        if (!*in->job->refused)
            made(in);
    }
    wl_view_free(in->wl);
    job_view_free(in->job);
    status_free(&in->status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    struct input in = {.gates = gates_default()};
    const struct doc_node *root;
    struct err err;
    arena_init(&in.arena, 4096);
    arena_init(&in.scratch, 4096);
    in.rules.making.gates = &in.gates;
    in.rules.manage_without_queue = true;
    in.rules.pods_ready = size % 2;
    if (json_read(&in.arena, &in.scratch, (const char *)data, size, 1, &root, &err) == 0) {
        in.job_doc = root->type == DOC_LIST ? doc_at(root, 0) : root;
        in.wl_doc = root->type == DOC_LIST ? doc_at(root, 1) : NULL;
        if (in.job_doc) {
            run(&in, API_JOB);
            run(&in, API_JOB_SET);
        }
    }
    arena_free(&in.arena);
    arena_free(&in.scratch);
    require(mem_live() == live);
    return 0;
}
