#include "jobs/workload.h"

#include "api/labels.h"
#include "api/priority.h"
#include "jobs/name.h"
#include "jobs/podsets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KUEUE "kueue.x-k8s.io/"
#define PRIORITY_LABEL KUEUE "priority-class"
#define MAX_TIME_LABEL KUEUE "max-exec-time-seconds"
#define ELASTIC KUEUE "elastic-job"
#define GATED_BY KUEUE "admission-gated-by"
#define PROVISIONING "provreq.kueue.x-k8s.io/"

/* A Workload being made. */
struct making {
    const struct job_kind *kind;
    const struct doc_node *job;
    const char *name, *queue; /* of the job */
    const struct job_context *ctx;
    struct reader *rd;
};

static bool gate(const struct making *m, const char *name)
{
    return gate_named(m->ctx->gates, name);
}

static bool is_elastic(const struct making *m)
{
    return m->kind->elastic && gate(m, "ElasticJobsViaWorkloadSlices") &&
           strcmp(job_annotation(m->job, ELASTIC), "true") == 0;
}

/* Slices of an elastic job have names of their own: its generation is hashed too. */
static const char *workload_name(const struct making *m, struct arena *a)
{
    const struct doc_node *meta = doc_field(m->job, "metadata");
    const char *extra =
        is_elastic(m) ? make_format(a, "%lld", (long long)doc_i64_or(meta, "generation", 0)) : "";
    return job_name(a, m->kind->group, m->kind->kind, m->name, doc_str_or(meta, "uid", ""), extra,
                    gate(m, "ShortWorkloadNames") ? JOB_NAME_SHORT_MAX : JOB_NAME_MAX);
}

/* ---- metadata ----------------------------------------------------------------------------------------------------------- */

static struct doc_node *labels_of(const struct making *m)
{
    struct make out = make_map(m->rd->arena, m->job->line);
    const struct doc_node *labels = doc_path(m->job, "metadata.labels");
    const char *uid = doc_str_or(doc_field(m->job, "metadata"), "uid", "");
    for (uint32_t i = 0; i < m->ctx->nlabel_keys; i++) {
        const struct doc_node *n = doc_field(labels, m->ctx->label_keys[i]);
        if (n && !doc_get(out.node, n->key))
            make_put_copy(&out, NULL, n);
    }
    if (*uid && !label_value_problem(uid))
        make_put_text(&out, KUEUE "job-uid", uid);
    return out.node;
}

static struct doc_node *annotations_of(const struct making *m, const char *workload)
{
    struct make out = make_map(m->rd->arena, m->job->line);
    doc_foreach (c, doc_path(m->job, "metadata.annotations")) {
        bool gated = strcmp(c->key, GATED_BY) == 0 && gate_on(m->ctx->gates, GATE_ADMISSION_GATED_BY);
        if (gated || strncmp(c->key, PROVISIONING, strlen(PROVISIONING)) == 0)
            make_put_copy(&out, NULL, c);
    }
    if (is_elastic(m)) {
        make_put_text(&out, ELASTIC, "true");
        make_put_text(&out, KUEUE "workload-slice-name", workload);
    }
    return out.node;
}

static struct doc_node *owners_of(const struct making *m)
{
    struct make list = make_list(m->rd->arena, m->job->line), owner = make_map(m->rd->arena, m->job->line);
    make_put_text(&owner, "apiVersion", doc_str_or(m->job, "apiVersion", ""));
    make_put_text(&owner, "kind", m->kind->kind);
    make_put_text(&owner, "name", m->name);
    make_put_text(&owner, "uid", doc_str_or(doc_field(m->job, "metadata"), "uid", ""));
    make_put_bool(&owner, "controller", true);
    make_put_bool(&owner, "blockOwnerDeletion", true);
    make_put(&list, NULL, owner.node);
    return list.node;
}

static struct doc_node *metadata(const struct making *m, const char *ns)
{
    struct make out = make_map(m->rd->arena, m->job->line),
                finalizers = make_list(m->rd->arena, m->job->line);
    const struct doc_node *created = doc_path(m->job, "metadata.creationTimestamp");
    const char *name = workload_name(m, m->rd->arena);
    struct doc_node *labels = labels_of(m), *annotations = annotations_of(m, name);
    make_put_text(&out, "name", name);
    make_put_text(&out, "namespace", ns);
    if (created)
        make_put_copy(&out, NULL, created);
    if (labels->n)
        make_put(&out, "labels", labels);
    if (annotations->n)
        make_put(&out, "annotations", annotations);
    make_put(&out, "ownerReferences", owners_of(m));
    make_put_text(&finalizers, NULL, KUEUE "resource-in-use");
    make_put(&out, "finalizers", finalizers.node);
    return out.node;
}

/* ---- priority (engine.md 1.6) ------------------------------------------------------------------------------------------- */

static void put_priority(struct make *spec, const char *group, const char *kind,
                         const struct fact_priority_class *class)
{
    make_put_int(spec, "priority", class->value);
    struct make ref = make_map(spec->arena, spec->node->line);
    make_put_text(&ref, "group", group);
    make_put_text(&ref, "kind", kind);
    make_put_text(&ref, "name", class->name);
    make_put(spec, "priorityClassRef", ref.node);
}

/* The first template that names a class. */
static const struct doc_node *template_class(const struct doc_node *pod_sets)
{
    doc_foreach (ps, pod_sets) {
        const struct doc_node *n = doc_path(ps, "template.spec.priorityClassName");
        if (doc_is(n, DOC_STRING) && *n->text)
            return n;
    }
    return NULL;
}

/* Every cluster has these two. */
static const struct fact_priority_class *built_in(const char *name)
{
    static const struct fact_priority_class classes[] = {
        {.name = "system-cluster-critical", .value = 2000000000},
        {.name = "system-node-critical", .value = 2000001000},
    };
    return priority_find(classes, sizeof(classes) / sizeof(classes[0]), name);
}

static void put_pod_priority(const struct making *m, struct make *spec, const struct doc_node *named)
{
    struct err why;
    const struct fact_priority_class *class = named ? built_in(named->text) : NULL;
    if (!class && priority_resolve(m->ctx->pod_classes, m->ctx->npod_classes, named ? named->text : "",
                                   &class, &why) < 0) {
        rd_error(m->rd, m->job, "%s", why.text);
        return;
    }
    if (class)
        put_priority(spec, "scheduling.k8s.io", "PriorityClass", class);
    else
        make_put_int(spec, "priority", 0);
}

static void put_class(const struct making *m, struct make *spec, const struct doc_node *pod_sets)
{
    const struct doc_node *label = doc_field(doc_path(m->job, "metadata.labels"), PRIORITY_LABEL);
    if (!doc_is(label, DOC_STRING) || !*label->text) {
        bool created = *doc_str_or(doc_field(m->job, "metadata"), "uid", "") != '\0';
        if (m->ctx->default_class && !created)
            put_priority(spec, "kueue.x-k8s.io", "WorkloadPriorityClass", m->ctx->default_class);
        else
            put_pod_priority(m, spec, template_class(pod_sets));
        return;
    }
    const struct fact_priority_class *class =
        priority_find(m->ctx->workload_classes, m->ctx->nworkload_classes, label->text);
    if (class)
        put_priority(spec, "kueue.x-k8s.io", "WorkloadPriorityClass", class);
    else
        rd_error_key(m->rd, label, "workloadpriorityclasses.kueue.x-k8s.io \"%.256s\" not found",
                     label->text);
}

/* ---- spec --------------------------------------------------------------------------------------------------------------- */

static void put_max_time(const struct making *m, struct make *spec)
{
    const struct doc_node *n = doc_field(doc_path(m->job, "metadata.labels"), MAX_TIME_LABEL);
    char *end;
    if (!doc_is(n, DOC_STRING))
        return;
    errno = 0;
    long long v = strtoll(n->text, &end, 10);
    if (end == n->text || *end || errno || v != (int32_t)v)
        rd_error_key(m->rd, n, "Invalid value: \"%.64s\": must be a number of 32 bits", n->text);
    else if (v <= 0)
        rd_error_key(m->rd, n, "Invalid value: %lld: should be greater than 0", v);
    else
        make_put_int(spec, "maximumExecutionTimeSeconds", v);
}

static void check_job(const struct making *m, const struct doc_node *pod_sets)
{
    const struct doc_node *label = doc_field(doc_path(m->job, "metadata.labels"), JOB_QUEUE_LABEL);
    const char *why = *m->queue ? dns_subdomain_problem(m->queue) : NULL;
    if (!rd_validates(m->rd))
        return;
    if (why && label)
        rd_error_key(m->rd, label, "Invalid value: \"%.256s\": %s", m->queue, why);
    doc_foreach (ps, pod_sets) {
        const char *key = m->kind->pods[0].min_annotation;
        if (is_elastic(m) && doc_field(ps, "minCount"))
            rd_error_key(m->rd, doc_field(doc_path(m->job, "metadata.annotations"), key),
                         "Invalid value: partial admission and elastic job cannot be used together");
    }
}

static struct doc_node *spec_of(const struct making *m)
{
    struct make out = make_map(m->rd->arena, m->job->line);
    struct job_pods_options opt = {.topology = gate(m, "TopologyAwareScheduling"),
                                   .multi_layer = gate(m, "TASMultiLayerTopology"),
                                   .partial = gate(m, "PartialAdmission")};
    struct doc_node *pod_sets = job_pod_sets(m->rd, m->kind, m->job, &opt);
    check_job(m, pod_sets);
    make_put(&out, "podSets", pod_sets);
    if (*m->queue)
        make_put_text(&out, "queueName", m->queue);
    put_class(m, &out, pod_sets);
    put_max_time(m, &out);
    return out.node;
}

static void put_status(const struct making *m, struct make *out)
{
    struct doc_node *list =
        gate(m, "ReclaimablePods") ? job_reclaimable_pods(out->arena, m->kind, m->job) : NULL;
    if (!list)
        return;
    struct make status = make_map(out->arena, m->job->line);
    make_put(&status, "reclaimablePods", list);
    make_put(out, "status", status.node);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

struct document {
    struct making m;
    const char *ns;
    struct doc_node *result;
};

static void make_document(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct document *d = ret;
    d->m.rd = rd;
    struct make out = make_map(rd->arena, job->line);
    make_put_text(&out, "apiVersion", "kueue.x-k8s.io/v1beta2");
    make_put_text(&out, "kind", "Workload");
    make_put(&out, "metadata", metadata(&d->m, d->ns));
    make_put(&out, "spec", spec_of(&d->m));
    put_status(&d->m, &out);
    d->result = out.node;
}

/* Notes about the Workload become notes about the job: its pod sets have their templates from there. */
struct translated {
    const struct api_sink *sink; /* may be NULL */
    const struct job_kind *kind;
    const struct doc_node *job;
    struct arena *arena;
    struct err *err;
    uint32_t errors;
};

enum { PATH_MAX_TEXT = 1100 };

/* "spec.podSets[1].template.x" is "spec.replicatedJobs[1].template.spec.template.x" of a JobSet. */
static const char *translate(const struct translated *t, const char *path)
{
    static const char head[] = "spec.podSets[", mid[] = "].template";
    const struct job_pods *row;
    const char *item;
    char *end;
    if (strncmp(path, head, strlen(head)) != 0)
        return path;
    unsigned long i = strtoul(path + strlen(head), &end, 10);
    if (strncmp(end, mid, strlen(mid)) != 0 ||
        !job_pod_set_origin(t->arena, t->kind, t->job, (uint32_t)i, &row, &item))
        return path;
    return make_format(t->arena, "%s%s%s%.1024s", item, *item ? "." : "", row->template, end + strlen(mid));
}

static void note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct translated *t = ctx;
    const char *own = translate(t, path);
    if (is_error && t->errors++ == 0)
        err_set(t->err, ERR_INVALID, "%s%s%s", own, *own ? ": " : "", text);
    if (t->sink)
        t->sink->note(t->sink->ctx, is_error, line, own, text);
}

static struct document begin(const struct object *job, const char *name, const char *queue,
                             const struct job_context *ctx)
{
    const struct job_kind *kind = job_kind_of(job->kind);
    return (struct document){.m = {.kind = kind, .job = job->doc, .name = name, .queue = queue, .ctx = ctx},
                             .ns = job->ns};
}

int job_workload(const struct object *job, const char *name, const char *queue, const struct job_context *ctx,
                 struct arena *a, unsigned flags, const struct api_sink *sink, struct object *ret,
                 struct err *err)
{
    struct document d = begin(job, name, queue, ctx);
    struct reader rd = {.arena = a, .flags = flags, .root = job->doc, .sink = sink, .err = err};
    struct translated t = {.sink = sink, .kind = d.m.kind, .job = job->doc, .arena = a, .err = err};
    struct api_sink own = {.note = note, .ctx = &t};
    struct object o;
    struct err why;
    int rc = rd_run(&rd, make_document, job->doc, &d);
    if (rc < 0)
        return rc;
    rc = api_read_as(API_WORKLOAD, d.result, a, flags, &own, &o, &why);
    if (rc == ERR_INVALID && t.errors)
        return rc;
    if (rc < 0)
        return err_set(err, rc, "%s", why.text);
    o.file = job->file;
    o.line = job->line;
    o.annotations = job->annotations;
    o.nannotations = job->nannotations;
    *ret = o;
    return 0;
}

struct naming {
    const struct document *d;
    const char *name;
};

static void make_name(struct reader *rd, const struct doc_node *job, void *ret)
{
    struct naming *n = ret;
    (void)job;
    n->name = workload_name(&n->d->m, rd->arena);
}

const char *job_workload_name(const struct object *job, const char *name, const struct job_context *ctx,
                              struct arena *a)
{
    struct err err;
    struct document d = begin(job, name, "", ctx);
    struct naming n = {.d = &d};
    struct reader rd = {.arena = a, .root = job->doc, .err = &err};
    return rd_run(&rd, make_name, job->doc, &n) < 0 ? NULL : n.name;
}
