#include "jobs/patch.h"

#include "jobs/edit.h"
#include "jobs/template.h"

#include "api/labels.h"
#include "api/objects.h"
#include "core/gates.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define KUEUE "kueue.x-k8s.io/"
#define CONFLICT "invalid admission check PodSetUpdate: "

/* A change being made: `fn` jumps to the arena's bail when memory is exhausted, and else gives a code. */
struct change {
    const struct job_docs *docs;
    struct arena *arena;
    podinfo_flavor_fn *flavor;
    void *arg;
    const struct podinfo *infos;
    uint32_t n;
    const struct doc_node *sets; /* the pod sets that `infos` were made from; may be NULL */
    enum job_stop_step step;
    const struct doc_node *result;
    struct err *err;
};

static int guarded(struct change *c, int (*fn)(struct change *c))
{
    jmp_buf bail;
    jmp_buf *const saved = c->arena->bail;
    c->arena->bail = &bail;
    if (setjmp(bail) != 0) {
        c->arena->bail = saved;
        return err_set(c->err, ERR_NOMEM, "out of memory");
    }
    int rc = fn(c);
    c->arena->bail = saved;
    return rc;
}

/* Runs the change and appends what it changed. */
static int render(struct change *c, int (*fn)(struct change *c), struct str *out)
{
    struct arena_mark mark = arena_mark(c->arena);
    int rc = guarded(c, fn);
    if (rc == 0)
        edit_patch(out, c->docs->job, c->result);
    arena_rewind(c->arena, mark);
    return rc == 0 && str_failed(out) ? err_set(c->err, ERR_NOMEM, "the patch is too large") : rc;
}

static struct doc_node *with_suspend(struct arena *a, const struct job_kind *k, const struct doc_node *job,
                                     bool on)
{
    return edit_put(a, job, k->suspend, make_scalar(a, 0, DOC_BOOL, on ? "true" : "false"));
}

/* ---- counts (around.md 2.8) --------------------------------------------------------------------------------------------- */

/* Only who accepts fewer pods has its count written. */
static const struct doc_node *with_count(struct arena *a, const struct doc_node *job,
                                         const struct job_pods *row, int32_t count)
{
    const char *min = row->min_annotation ? job_annotation(job, row->min_annotation) : "";
    char *end;
    (void)strtoll(min, &end, 10);
    if (end == min || *end)
        return job;
    const char *text = make_format(a, "%d", count);
    struct doc_node *next = edit_put(a, job, row->parallelism, make_scalar(a, 0, DOC_NUMBER, text));
    if (row->sync_annotation && strcmp(job_annotation(job, row->sync_annotation), "true") == 0)
        next = edit_put(a, next, row->completions, make_scalar(a, 0, DOC_NUMBER, text));
    return next;
}

/* ---- starting ----------------------------------------------------------------------------------------------------------- */

static int merge(struct change *c, struct podinfo *into, const struct podinfo *more, const char *check)
{
    struct err why;
    int rc =
        podinfo_merge(into, more, gate_named(c->docs->gates, "ElasticJobsViaWorkloadSlices"), c->arena, &why);
    if (rc == ERR_STATE && check)
        return err_set(c->err, rc, "in admission check \"%s\": " CONFLICT "%s", check, why.text);
    if (rc == ERR_STATE)
        return err_set(c->err, rc, CONFLICT "%s", why.text);
    return rc < 0 ? err_set(c->err, rc, "%s", why.text) : 0;
}

static int start_job(struct change *c)
{
    uint32_t n;
    const struct job_docs *d = c->docs;
    const struct doc_node *job = with_suspend(c->arena, d->kind, d->job, false);
    struct template_place *places = template_places(c->arena, d->kind, job, &n);
    if (n != c->n)
        return err_set(c->err, ERR_STATE, "invalid podset infos: expecting %u podset, got %u", n, c->n);
    for (uint32_t i = 0; i < n; i++) {
        struct podinfo p;
        int rc = template_info(places[i].template, c->arena, &p, c->err);
        if (rc == 0)
            rc = merge(c, &p, &c->infos[i], NULL);
        if (rc < 0)
            return rc;
        job = template_put(c->arena, job, &places[i], template_with(c->arena, places[i].template, &p));
        job = with_count(c->arena, job, places[i].row, c->infos[i].count);
    }
    c->result = job;
    return 0;
}

/* ---- what the admission injects (around.md 1.0.5) ----------------------------------------------------------------------- */

static void put(struct change *c, struct podinfo_labels *l, const char *key, const char *value)
{
    if (podinfo_put(l, c->arena, key, value) < 0)
        longjmp(*c->arena->bail, 1);
}

static void put_own_labels(struct change *c, struct podinfo *p, const char *pod_set)
{
    const struct doc_node *wl = c->docs->workload;
    const char *queue = doc_str_or(doc_path(wl, "status.admission"), "clusterQueue", ""),
               *local = doc_str_or(doc_field(wl, "spec"), "queueName", "");
    put(c, &p->labels, KUEUE "podset", pod_set);
    if (gate_named(c->docs->gates, "AssignQueueLabelsForPods")) {
        if (*local)
            put(c, &p->labels, KUEUE "local-queue-name", local);
        if (*queue && !dns_label_problem(queue))
            put(c, &p->labels, KUEUE "cluster-queue-name", queue);
    }
    if (*job_label(wl, KUEUE "multikueue-origin"))
        put(c, &p->labels, KUEUE "multikueue-worker-workload-pod", "true");
    if (gate_on(c->docs->gates, GATE_TAS))
        put(c, &p->annotations, KUEUE "workload", doc_str_or(doc_field(wl, "metadata"), "name", ""));
}

static int merge_checks(struct change *c, struct podinfo *p, const char *pod_set)
{
    doc_foreach (check, doc_path(c->docs->workload, "status.admissionChecks")) {
        doc_foreach (update, doc_field(check, "podSetUpdates")) {
            struct podinfo more;
            if (strcmp(doc_str_or(update, "name", ""), pod_set) != 0)
                continue;
            int rc = template_update(update, c->arena, &more, c->err);
            if (rc == 0)
                rc = merge(c, p, &more, doc_str_or(check, "name", ""));
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

/* Assignments stand in the order of the pod sets. */
static int start_admitted(struct change *c)
{
    const struct doc_node *wl = c->docs->workload, *sets = doc_path(wl, "spec.podSets");
    const struct fact_assignment *as;
    uint32_t n;
    int rc = api_read_assignments(doc_path(wl, "status.admission.podSetAssignments"), c->arena, API_LENIENT,
                                  &as, &n, c->err);
    if (rc < 0)
        return rc;
    struct podinfo *infos = ARENA_NEW(c->arena, struct podinfo, n + 1);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const struct doc_node *ps = doc_at(sets, i);
        rc = podinfo_of_assignment(&as[i], (int32_t)doc_i64_or(ps, "count", 1),
                                   doc_field(ps, "topologyRequest") != NULL, c->flavor, c->arg, c->arena,
                                   &infos[i], c->err);
        if (rc < 0)
            return rc;
        put_own_labels(c, &infos[i], as[i].pod_set);
        rc = merge_checks(c, &infos[i], as[i].pod_set);
    }
    c->infos = infos;
    c->n = n;
    return rc < 0 ? rc : start_job(c);
}

int job_start_patch(const struct job_docs *docs, podinfo_flavor_fn *flavor, void *arg, struct str *out,
                    struct err *err)
{
    struct change c = {.docs = docs, .arena = docs->arena, .flavor = flavor, .arg = arg, .err = err};
    return render(&c, start_admitted, out);
}

int job_started(const struct job_docs *docs, const struct podinfo *infos, uint32_t n,
                const struct doc_node **ret, struct err *err)
{
    struct change c = {.docs = docs, .arena = docs->arena, .infos = infos, .n = n, .err = err};
    int rc = guarded(&c, start_job);
    if (rc == 0)
        *ret = c.result;
    return rc;
}

/* ---- standing still (around.md 1.0.6) ----------------------------------------------------------------------------------- */

static bool is_kept(const char *kept, const char *key)
{
    size_t len = strlen(key);
    for (const char *p = kept; *p; p += strcspn(p, " ") + 1) {
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return true;
    }
    return false;
}

/* What Kubernetes added to the template stays. */
static void keep_labels(struct change *c, struct podinfo *p, const struct template_place *place)
{
    doc_foreach (l, doc_path(place->template, "metadata.labels")) {
        if (l->type == DOC_STRING && is_kept(place->row->kept_labels, l->key))
            put(c, &p->labels, l->key, l->text);
    }
}

static int restore_job(struct change *c)
{
    uint32_t n;
    const struct doc_node *job = c->docs->job;
    struct template_place *places = template_places(c->arena, c->docs->kind, job, &n);
    for (uint32_t i = 0; i < n && n == c->n; i++) {
        struct podinfo p = {.name = ""}, want = c->infos[i];
        int rc = template_info(places[i].template, c->arena, &p, c->err);
        if (rc < 0)
            return rc;
        keep_labels(c, &want, &places[i]);
        if (c->sets)
            job = template_put(c->arena, job, &places[i],
                               template_like(c->arena, places[i].template,
                                             doc_field(doc_at(c->sets, i), "template"), &want.labels));
        else if (podinfo_restore(&p, &want))
            job = template_put(c->arena, job, &places[i], template_with(c->arena, places[i].template, &p));
        job = with_count(c->arena, job, places[i].row, want.count);
    }
    c->result = job;
    return 0;
}

static int restore_from_workload(struct change *c)
{
    const struct doc_node *sets = doc_path(c->docs->workload, "spec.podSets");
    uint32_t n = doc_is(sets, DOC_LIST) ? sets->n : 0;
    struct podinfo *infos = ARENA_NEW(c->arena, struct podinfo, n + 1);
    doc_foreach (ps, n ? sets : NULL) {
        int rc = template_info(doc_field(ps, "template"), c->arena, &infos[ps->index], c->err);
        if (rc < 0)
            return rc;
        infos[ps->index].count = (int32_t)doc_i64_or(ps, "count", 1);
    }
    c->infos = infos;
    c->n = n;
    c->sets = sets;
    return restore_job(c);
}

int job_restored(const struct job_docs *docs, const struct podinfo *infos, uint32_t n,
                 const struct doc_node **ret, struct err *err)
{
    struct change c = {.docs = docs, .arena = docs->arena, .infos = infos, .n = n, .err = err};
    int rc = guarded(&c, infos ? restore_job : restore_from_workload);
    if (rc == 0)
        *ret = c.result;
    return rc;
}

/* In three steps: the templates of a Job may change only while it is suspended and has no start time. */
static int stop_job(struct change *c)
{
    const struct job_kind *k = c->docs->kind;
    struct arena *a = c->arena;
    int rc = 0;
    c->result = c->docs->job;
    if (c->step == JOB_STEP_CLEAR) {
        const char *path = make_format(a, "status.%s", k->start_time ? k->start_time : "startTime");
        c->result = edit_put(a, c->docs->job, path, NULL);
        return 0;
    }
    if (c->step == JOB_STEP_RESTORE || !k->stopping)
        rc = restore_from_workload(c);
    if (rc < 0)
        return rc;
    if (c->step == JOB_STEP_SUSPEND)
        c->result = with_suspend(a, k, c->result, true);
    if (k->stopping)
        c->result = edit_put_key(a, c->result, "metadata.annotations", k->stopping,
                                 c->step == JOB_STEP_SUSPEND ? make_scalar(a, 0, DOC_STRING, "true") : NULL);
    return 0;
}

int job_stop_patch(const struct job_docs *docs, enum job_stop_step step, struct str *out, struct err *err)
{
    struct change c = {.docs = docs, .arena = docs->arena, .step = step, .err = err};
    return render(&c, stop_job, out);
}

/* Paths of the table are plain names. */
int job_suspend_patch(const struct job_kind *kind, const char *resource_version, struct str *out,
                      struct err *err)
{
    uint32_t depth = 0;
    str_add(out, "{\"metadata\":{\"resourceVersion\":");
    str_add_json(out, resource_version);
    str_add(out, "},\"");
    for (const char *p = kind->suspend; *p; p++) {
        if (*p == '.') {
            str_add(out, "\":{\"");
            depth++;
        } else {
            str_addc(out, *p);
        }
    }
    str_add(out, "\":true");
    for (uint32_t i = 0; i <= depth; i++)
        str_addc(out, '}');
    return str_failed(out) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}
