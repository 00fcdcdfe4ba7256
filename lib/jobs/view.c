#include "jobs/view.h"

#include "jobs/podsets.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KUEUE "kueue.x-k8s.io/"
#define PREBUILT KUEUE "prebuilt-workload-name"
#define MULTIKUEUE KUEUE "multikueue"

enum { PREBUILT_LABEL_MAX = 63, GROUP_MAX = 253 };

/* Labels that Kubernetes puts on templates by itself: they are no part of what was injected, on either side. */
static const char own_labels[] =
    " job-name controller-uid batch.kubernetes.io/job-name batch.kubernetes.io/controller-uid ";

/* A view being made: its texts are the document's or the arena's until it is packed. */
struct building {
    const struct job_kind *kind;
    const struct doc_node *doc;
    const struct gates *gates;
    struct str *text; /* scratch */
    struct err *err;
    struct job_view job;
    struct wl_view wl;
    struct job_pod_view *pods;
    int32_t *counts;
};

/* ---- one block ---------------------------------------------------------------------------------------------------------- */

struct packing {
    char *to; /* NULL while the room is counted */
    size_t bytes;
};

static void keep(struct packing *p, const char **text)
{
    size_t n = strlen(*text);
    if (n == 0) {
        *text = "";
        return;
    }
    if (p->to) {
        memcpy(p->to + p->bytes, *text, n + 1);
        *text = p->to + p->bytes;
    }
    p->bytes += n + 1;
}

static void keep_owner(struct packing *p, struct job_owner *o)
{
    keep(p, &o->group);
    keep(p, &o->kind);
    keep(p, &o->name);
    keep(p, &o->uid);
}

static void keep_pods(struct packing *p, struct job_pod_view *pods, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        keep(p, &pods[i].name);
        keep(p, &pods[i].tolerations);
    }
}

static void keep_job(struct packing *p, struct job_view *v)
{
    keep(p, &v->ns);
    keep(p, &v->name);
    keep(p, &v->uid);
    keep(p, &v->resource_version);
    keep(p, &v->queue);
    keep(p, &v->priority_class);
    keep(p, &v->prebuilt);
    keep(p, &v->gated_by);
    keep(p, &v->refused);
    keep(p, &v->finish_message);
    keep_owner(p, &v->owner);
}

static void keep_wl(struct packing *p, struct wl_view *v)
{
    keep(p, &v->ns);
    keep(p, &v->name);
    keep(p, &v->uid);
    keep(p, &v->resource_version);
    keep(p, &v->queue);
    keep(p, &v->gated_by);
    keep(p, &v->class_group);
    keep(p, &v->class_name);
    keep(p, &v->cluster_queue);
    keep_owner(p, &v->owner);
}

static int pack_job(struct building *b, struct job_view **ret)
{
    struct packing p = {0};
    struct job_view draft = b->job;
    size_t pods = draft.npods * sizeof(*draft.pods), head = sizeof(draft) + pods;
    keep_job(&p, &draft);
    keep_pods(&p, b->pods, draft.npods);
    char *block = mem_alloc(head + p.bytes);
    if (!block)
        return err_set(b->err, ERR_NOMEM, "out of memory");
    struct job_pod_view *to = (void *)(block + sizeof(draft));
    p = (struct packing){.to = block + head};
    if (pods)
        memcpy(to, b->pods, pods);
    keep_job(&p, &draft);
    keep_pods(&p, to, draft.npods);
    draft.pods = to;
    memcpy(block, &draft, sizeof(draft));
    *ret = (void *)block;
    return 0;
}

static int pack_wl(struct building *b, struct wl_view **ret)
{
    struct packing p = {0};
    struct wl_view draft = b->wl;
    size_t pods = draft.npods * sizeof(*draft.pods), counts = draft.npods * sizeof(int32_t);
    size_t head = sizeof(draft) + pods + counts;
    keep_wl(&p, &draft);
    keep_pods(&p, b->pods, draft.npods);
    char *block = mem_alloc(head + p.bytes);
    if (!block)
        return err_set(b->err, ERR_NOMEM, "out of memory");
    struct job_pod_view *to = (void *)(block + sizeof(draft));
    int32_t *to_counts = (void *)(block + sizeof(draft) + pods);
    p = (struct packing){.to = block + head};
    if (draft.npods) {
        memcpy(to, b->pods, pods);
        memcpy(to_counts, b->counts, counts);
    }
    keep_wl(&p, &draft);
    keep_pods(&p, to, draft.npods);
    draft.pods = to;
    draft.admitted_counts = to_counts;
    memcpy(block, &draft, sizeof(draft));
    *ret = (void *)block;
    return 0;
}

void job_view_free(struct job_view *v)
{
    mem_free(v);
}

void wl_view_free(struct wl_view *v)
{
    mem_free(v);
}

bool job_view_held(const struct job_view *v)
{
    return v->suspended && !v->stopping;
}

/* ---- parts that both have ----------------------------------------------------------------------------------------------- */

/* Of a number below 0 or past the range nothing is left. */
static int32_t int_field(const struct doc_node *map, const char *key, int32_t dflt)
{
    int64_t v = doc_i64_or(map, key, dflt);
    return v < 0 || v > INT32_MAX ? dflt : (int32_t)v;
}

static const char *group_of(struct arena *a, const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    size_t n = slash ? (size_t)(slash - api_version) : 0;
    return n && n <= GROUP_MAX ? make_format(a, "%.*s", (int)n, api_version) : "";
}

static struct job_owner owner_of(struct arena *a, const struct doc_node *meta)
{
    doc_foreach (o, doc_field(meta, "ownerReferences")) {
        if (doc_bool_or(o, "controller", false))
            return (struct job_owner){.group = group_of(a, doc_str_or(o, "apiVersion", "")),
                                      .kind = doc_str_or(o, "kind", ""),
                                      .name = doc_str_or(o, "name", ""),
                                      .uid = doc_str_or(o, "uid", "")};
    }
    return (struct job_owner){.group = "", .kind = "", .name = "", .uid = ""};
}

static bool is_own(const char *key)
{
    size_t len = strlen(key);
    for (const char *p = own_labels; (p = strchr(p, ' ')) && *++p;) {
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return true;
    }
    return false;
}

static void put_labels(struct str *out, const struct doc_node *labels, struct arena *a)
{
    struct make kept = make_map(a, 0);
    doc_foreach (c, doc_is(labels, DOC_MAP) ? labels : NULL) {
        if (!is_own(c->key))
            make_put_copy(&kept, NULL, c);
    }
    canon_put(out, kept.node, a);
}

/* Labels, annotations, nodeSelector, tolerations and scheduling gates, one line each. */
static struct canon_digest injected_of(struct building *b, const struct doc_node *template, struct arena *a)
{
    const struct doc_node *meta = doc_field(template, "metadata"), *spec = doc_field(template, "spec");
    struct str *s = b->text;
    str_clear(s);
    put_labels(s, doc_field(meta, "labels"), a);
    str_addc(s, '\n');
    canon_put(s, doc_field(meta, "annotations"), a);
    str_addc(s, '\n');
    canon_put(s, doc_field(spec, "nodeSelector"), a);
    str_addc(s, '\n');
    canon_put(s, doc_field(spec, "tolerations"), a);
    str_addc(s, '\n');
    canon_put(s, doc_field(spec, "schedulingGates"), a);
    if (str_failed(s))
        longjmp(*a->bail, 1);
    return canon_digest_of(str_text(s), s->len);
}

static struct canon_digest containers_of(struct building *b, const struct doc_node *spec, struct arena *a)
{
    struct str *s = b->text;
    str_clear(s);
    canon_put(s, doc_field(spec, "initContainers"), a);
    str_addc(s, '\n');
    canon_put(s, doc_field(spec, "containers"), a);
    if (str_failed(s))
        longjmp(*a->bail, 1);
    return canon_digest_of(str_text(s), s->len);
}

static const char *tolerations_of(struct building *b, const struct doc_node *spec, struct arena *a)
{
    struct str *s = b->text;
    str_clear(s);
    doc_foreach (t, doc_field(spec, "tolerations")) {
        str_add(s, t->index ? "," : "");
        canon_put(s, t, a);
    }
    const char *text = str_failed(s) ? NULL : arena_strndup(a, str_text(s), s->len);
    if (!text)
        longjmp(*a->bail, 1);
    return text;
}

static void view_pods(struct building *b, const struct doc_node *list, struct arena *a)
{
    uint32_t n = doc_is(list, DOC_LIST) ? list->n : 0;
    b->pods = ARENA_NEW(a, struct job_pod_view, n + 1);
    doc_foreach (ps, n ? list : NULL) {
        const struct doc_node *template = doc_field(ps, "template"), *spec = doc_field(template, "spec");
        b->pods[ps->index] = (struct job_pod_view){
            .name = doc_str_or(ps, "name", ""),
            .count = int_field(ps, "count", doc_field(ps, "count") ? 0 : 1),
            .min_count = int_field(ps, "minCount", -1),
            .containers = containers_of(b, spec, a),
            .injected = injected_of(b, template, a),
            .tolerations = tolerations_of(b, spec, a),
        };
    }
}

static void view_reclaimable(struct building *b, uint32_t npods, const struct doc_node *list)
{
    doc_foreach (r, doc_is(list, DOC_LIST) ? list : NULL) {
        for (uint32_t i = 0; i < npods; i++) {
            if (strcmp(b->pods[i].name, doc_str_or(r, "name", "")) == 0)
                b->pods[i].reclaimable = int_field(r, "count", 0);
        }
    }
}

/* ---- of a job ----------------------------------------------------------------------------------------------------------- */

/* The annotation came after the label, and holds names that are too long for a label. */
static const char *prebuilt_of(const struct doc_node *job, const struct gates *gates)
{
    const char *annotation = job_annotation(job, PREBUILT), *label = job_label(job, PREBUILT);
    if (gate_named(gates, "WorkloadIdentifierAnnotations"))
        return *annotation ? annotation : label;
    return *label ? label : strlen(annotation) > PREBUILT_LABEL_MAX ? annotation : "";
}

static int32_t max_exec_of(const struct doc_node *job)
{
    const char *text = job_label(job, KUEUE "max-exec-time-seconds");
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    return end == text || *end || errno || v <= 0 || v > INT32_MAX ? 0 : (int32_t)v;
}

static bool is_elastic(const struct building *b)
{
    return b->kind->elastic && gate_named(b->gates, "ElasticJobsViaWorkloadSlices") &&
           strcmp(job_annotation(b->doc, KUEUE "elastic-job"), "true") == 0;
}

static const char *refusal_of(const struct building *b)
{
    const struct doc_node *manager = doc_path(b->doc, b->kind->managed_by);
    if (is_elastic(b))
        return "elastic jobs (annotation " KUEUE "elastic-job) are not supported";
    if (doc_is_text(manager, MULTIKUEUE))
        return "jobs that MultiKueue manages are not supported";
    return "";
}

static void make_pods(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct building *b = ret;
    struct job_pods_options opt = {.topology = false, .partial = gate_on(b->gates, GATE_PARTIAL_ADMISSION)};
    const struct doc_node *list = job_pod_sets(rd, b->kind, job, &opt);
    view_pods(b, list, rd->arena);
    b->job.npods = list->n;
    if (!rd->errors)
        view_reclaimable(b, b->job.npods, job_reclaimable_pods(rd->arena, b->kind, job));
}

static void view_status(struct job_view *v, const struct job_kind *k, const struct doc_node *job)
{
    const struct doc_node *over = job_finish(k, job, &v->success);
    v->suspended = job_is_suspended(k, job);
    v->stopping = k->stopping && strcmp(job_annotation(job, k->stopping), "true") == 0;
    v->has_start_time = k->start_time && doc_field(doc_field(job, "status"), k->start_time);
    v->finished = over != NULL;
    v->finish_message = doc_str_or(over, "message", "");
    v->active = k->active(job);
    v->pods_ready = k->ready(k, job);
}

static void make_job(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct building *b = ret;
    const struct doc_node *meta = doc_field(job, "metadata");
    b->job = (struct job_view){
        .kind = b->kind,
        .ns = doc_str_or(meta, "namespace", ""),
        .name = doc_str_or(meta, "name", ""),
        .uid = doc_str_or(meta, "uid", ""),
        .resource_version = doc_str_or(meta, "resourceVersion", ""),
        .generation = doc_i64_or(meta, "generation", 0),
        .queue = job_queue(job),
        .priority_class = job_label(job, KUEUE "priority-class"),
        .prebuilt = prebuilt_of(job, b->gates),
        .gated_by =
            gate_on(b->gates, GATE_ADMISSION_GATED_BY) ? job_annotation(job, KUEUE "admission-gated-by") : "",
        .max_exec_s = max_exec_of(job),
        .owner = owner_of(rd->arena, meta),
        .refused = refusal_of(b),
        .deleting = doc_field(meta, "deletionTimestamp") != NULL,
    };
    view_status(&b->job, b->kind, job);
    if (!*b->job.name)
        rd_required(rd, job, "metadata.name");
}

static int build_job(struct building *b, struct arena *scratch, struct job_view **ret)
{
    struct err why;
    struct reader rd = {.arena = scratch, .flags = API_LENIENT, .root = b->doc, .err = b->err};
    struct reader pods = {.arena = scratch, .flags = API_LENIENT, .root = b->doc, .err = &why};
    int rc = rd_run(&rd, make_job, b->doc, b);
    if (rc < 0)
        return rc;
    rc = rd_run(&pods, make_pods, b->doc, b);
    if (rc == ERR_NOMEM)
        return err_set(b->err, rc, "%s", why.text);
    if (rc < 0) { /* who made a job that has no pods has to hear of it, and no other job suffers for it */
        b->job.npods = 0;
        if (!*b->job.refused)
            b->job.refused = why.text;
    }
    return pack_job(b, ret);
}

enum { TEXT_MAX_BYTES = 16 << 20 };

int job_view_of(const struct job_kind *kind, const struct doc_node *doc, const struct gates *gates,
                struct arena *scratch, struct job_view **ret, struct err *err)
{
    struct str text;
    struct err own;
    struct building b = {.kind = kind, .doc = doc, .gates = gates, .text = &text, .err = err ? err : &own};
    struct arena_mark mark = arena_mark(scratch);
    str_init(&text, TEXT_MAX_BYTES);
    int rc = build_job(&b, scratch, ret);
    str_free(&text);
    arena_rewind(scratch, mark);
    return rc;
}

/* ---- of a Workload ------------------------------------------------------------------------------------------------------ */

static void view_admission(struct building *b, const struct doc_node *admission, struct arena *a)
{
    b->counts = ARENA_NEW(a, int32_t, b->wl.npods + 1);
    for (uint32_t i = 0; i < b->wl.npods; i++)
        b->counts[i] = -1;
    b->wl.cluster_queue = doc_str_or(admission, "clusterQueue", "");
    doc_foreach (as, doc_field(admission, "podSetAssignments")) {
        b->wl.has_topology = b->wl.has_topology || doc_field(as, "topologyAssignment");
        for (uint32_t i = 0; i < b->wl.npods; i++) {
            if (strcmp(b->pods[i].name, doc_str_or(as, "name", "")) == 0)
                b->counts[i] = int_field(as, "count", b->pods[i].count);
        }
    }
}

static bool has_text(const struct doc_node *list, const char *text)
{
    doc_foreach (c, list) {
        if (doc_is_text(c, text))
            return true;
    }
    return false;
}

static bool is_slice(const struct doc_node *wl)
{
    return strcmp(job_annotation(wl, KUEUE "elastic-job"), "true") == 0 ||
           *job_annotation(wl, KUEUE "workload-slice-name") ||
           *job_annotation(wl, KUEUE "workload-slice-replacement-for");
}

static void make_wl(struct reader *rd, const struct doc_node *wl, void *ret)
{
    struct building *b = ret;
    const struct doc_node *meta = doc_field(wl, "metadata"), *spec = doc_field(wl, "spec"),
                          *status = doc_field(wl, "status"), *ref = doc_field(spec, "priorityClassRef"),
                          *list = doc_field(spec, "podSets");
    b->wl = (struct wl_view){
        .ns = doc_str_or(meta, "namespace", ""),
        .name = doc_str_or(meta, "name", ""),
        .uid = doc_str_or(meta, "uid", ""),
        .resource_version = doc_str_or(meta, "resourceVersion", ""),
        .generation = doc_i64_or(meta, "generation", 0),
        .owner = owner_of(rd->arena, meta),
        .queue = doc_str_or(spec, "queueName", ""),
        .gated_by = job_annotation(wl, KUEUE "admission-gated-by"),
        .class_group = doc_str_or(ref, "group", ""),
        .class_name = doc_str_or(ref, "name", ""),
        .max_exec_s = int_field(spec, "maximumExecutionTimeSeconds", 0),
        .active = doc_bool_or(spec, "active", true),
        .deleting = doc_field(meta, "deletionTimestamp") != NULL,
        .has_finalizer = has_text(doc_field(meta, "finalizers"), KUEUE "resource-in-use"),
        .elastic = is_slice(wl),
    };
    int64_t priority = doc_i64_or(spec, "priority", 0);
    b->wl.priority = priority < INT32_MIN || priority > INT32_MAX ? 0 : (int32_t)priority;
    b->wl.one_pod_owner = !*b->wl.owner.group && strcmp(b->wl.owner.kind, "Pod") == 0;
    view_pods(b, list, rd->arena);
    b->wl.npods = doc_is(list, DOC_LIST) ? list->n : 0;
    view_reclaimable(b, b->wl.npods, doc_field(status, "reclaimablePods"));
    view_admission(b, doc_field(status, "admission"), rd->arena);
    if (!*b->wl.name)
        rd_required(rd, wl, "metadata.name");
}

int wl_view_of(const struct doc_node *doc, struct arena *scratch, struct wl_view **ret, struct err *err)
{
    struct str text;
    struct err own;
    struct building b = {.doc = doc, .text = &text, .err = err ? err : &own};
    struct reader rd = {.arena = scratch, .flags = API_LENIENT, .root = doc, .err = b.err};
    struct arena_mark mark = arena_mark(scratch);
    str_init(&text, TEXT_MAX_BYTES);
    int rc = rd_run(&rd, make_wl, doc, &b);
    if (rc == 0)
        rc = pack_wl(&b, ret);
    str_free(&text);
    arena_rewind(scratch, mark);
    return rc;
}
