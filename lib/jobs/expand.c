#include "jobs/expand.h"

#include "jobs/workload.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define PREBUILT "kueue.x-k8s.io/prebuilt-workload-name"

enum { NAME_MAX_BYTES = 512 };

/* Something in a namespace. */
struct key {
    const char *ns, *name;
};

struct keys {
    struct key *p;
    uint32_t n, cap;
};

struct expansion {
    struct api_set *set;
    struct arena *arena; /* the set's */
    struct job_context ctx;
    struct gates gates;
    const struct settings *settings;                            /* NULL without a Configuration */
    struct fact_priority_class *workload_classes, *pod_classes; /* owned */
    struct keys workloads;  /* by name, and by the uid of their job; sorted */
    struct keys defaults;   /* namespaces with a LocalQueue "default"; sorted */
    struct keys namespaces; /* that are there; sorted */
    uint32_t generated;
    const struct object *queueless; /* the first job without a queue, which runs without Kueue; NULL */
    uint32_t nqueueless;
};

/* ---- what is in the set ------------------------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = strcmp(x->ns, y->ns);
    return c ? c : strcmp(x->name, y->name);
}

static int add_key(struct keys *keys, const char *ns, const char *name)
{
    void *p = keys->p;
    if (mem_grow(&p, &keys->cap, keys->n + 1, sizeof(*keys->p)) < 0)
        return ERR_NOMEM;
    keys->p = p;
    keys->p[keys->n++] = (struct key){.ns = ns, .name = name};
    return 0;
}

static void sort_keys(struct keys *keys)
{
    if (keys->n)
        qsort(keys->p, keys->n, sizeof(*keys->p), by_key);
}

static bool has_key(const struct keys *keys, const char *ns, const char *name)
{
    const struct key k = {.ns = ns, .name = name};
    return keys->n && bsearch(&k, keys->p, keys->n, sizeof(*keys->p), by_key);
}

static int put_class(struct fact_priority_class **list, uint32_t *n, uint32_t *cap, const struct object *o)
{
    void *p = *list;
    if (mem_grow(&p, cap, *n + 1, sizeof(**list)) < 0)
        return ERR_NOMEM;
    *list = p;
    (*list)[(*n)++] = o->priority_class;
    return 0;
}

static void take_config(struct expansion *e, const struct object *o)
{
    if (e->settings)
        return;
    for (uint32_t i = 0; i < o->config.ngates; i++) {
        if (gates_set(&e->gates, o->config.gates[i].name, o->config.gates[i].on, NULL) < 0)
            continue; /* no gate that anybody asks for */
    }
    e->settings = o->settings;
    e->ctx.label_keys = o->settings ? o->settings->label_keys_to_copy : NULL;
    e->ctx.nlabel_keys = o->settings ? o->settings->nlabel_keys_to_copy : 0;
}

static int take_workload(struct expansion *e, const struct fact_workload *w)
{
    int rc = add_key(&e->workloads, w->ns, w->name);
    return rc == 0 && *w->job_uid ? add_key(&e->workloads, w->ns, w->job_uid) : rc;
}

static int look_around(struct expansion *e)
{
    uint32_t workload_cap = 0, pod_cap = 0;
    int rc = 0;
    for (uint32_t i = 0; i < api_set_count(e->set) && rc == 0; i++) {
        const struct object *o = api_set_at(e->set, i);
        if (o->kind == API_CONFIG)
            take_config(e, o);
        else if (o->kind == API_WORKLOAD)
            rc = take_workload(e, &o->workload);
        else if (o->kind == API_LOCAL_QUEUE && strcmp(o->name, "default") == 0)
            rc = add_key(&e->defaults, o->ns, "");
        else if (o->kind == API_NAMESPACE)
            rc = add_key(&e->namespaces, o->name, "");
        else if (o->kind == API_WORKLOAD_PRIORITY_CLASS)
            rc = put_class(&e->workload_classes, &e->ctx.nworkload_classes, &workload_cap, o);
        else if (o->kind == API_PRIORITY_CLASS)
            rc = put_class(&e->pod_classes, &e->ctx.npod_classes, &pod_cap, o);
    }
    sort_keys(&e->workloads);
    sort_keys(&e->defaults);
    sort_keys(&e->namespaces);
    e->ctx.gates = &e->gates;
    e->ctx.workload_classes = e->workload_classes;
    e->ctx.pod_classes = e->pod_classes;
    return rc;
}

static void find_default_class(struct expansion *e)
{
    if (!gate_named(&e->gates, "WorkloadPriorityClassDefaulting"))
        return;
    for (uint32_t i = 0; i < e->ctx.nworkload_classes; i++) {
        if (strcmp(e->workload_classes[i].name, "default") == 0)
            e->ctx.default_class = &e->workload_classes[i];
    }
}

/* ---- which jobs --------------------------------------------------------------------------------------------------------- */

static bool is_enabled(const struct expansion *e, const struct job_kind *k)
{
    if (!e->settings || !e->settings->nframeworks)
        return true;
    for (uint32_t i = 0; i < e->settings->nframeworks; i++) {
        if (strcmp(e->settings->frameworks[i], k->framework) == 0)
            return true;
    }
    return false;
}

static const char *uid_of(const struct object *o)
{
    return doc_str_or(doc_field(o->doc, "metadata"), "uid", "");
}

/* The queue that the job asks for, or is given at its creation. */
static const char *queue_of(const struct expansion *e, const struct object *o)
{
    const char *queue = job_queue(o->doc);
    if (!*queue && !*uid_of(o) && has_key(&e->defaults, o->ns, ""))
        return "default";
    return queue;
}

static void warn(struct expansion *e, const struct object *o, const char *path, const char *text)
{
    struct api_sink sink = api_set_sink(e->set, o);
    sink.note(sink.ctx, false, o->line, path, text);
    (void)api_set_sink(e->set, NULL);
}

/* One warning however many there are: a cluster is full of jobs that nobody queues. */
static void warn_queueless(struct expansion *e)
{
    char text[160];
    struct str out;
    if (!e->nqueueless)
        return;
    str_init(&out, sizeof(text));
    str_add(&out, "does not compete, since it has no label " JOB_QUEUE_LABEL);
    if (e->nqueueless > 1)
        str_addf(&out, "; the same goes for %u more", e->nqueueless - 1);
    warn(e, e->queueless, "", str_text(&out));
    str_free(&out);
}

static bool competes(struct expansion *e, const struct object *o, const char *queue)
{
    const struct job_kind *k = job_kind_of(o->kind);
    bool managed = *queue || (e->settings && e->settings->manage_jobs_without_queue);
    if (job_is_child(o->doc) || job_is_finished(k, o->doc))
        return false;
    if (!managed) {
        e->queueless = e->queueless ? e->queueless : o;
        e->nqueueless++;
        return false;
    }
    if (!is_enabled(e, k)) {
        warn(e, o, "", "is passed over: integrations.frameworks of the Configuration does not list its kind");
        return false;
    }
    return true;
}

/* Has it a Workload already? One that was built before is named by the job. */
static bool has_workload(struct expansion *e, const struct object *o, const char *workload)
{
    const char *prebuilt = job_annotation(o->doc, PREBUILT), *uid = uid_of(o);
    if (!*prebuilt)
        prebuilt = job_label(o->doc, PREBUILT);
    if (*prebuilt) {
        if (!has_key(&e->workloads, o->ns, prebuilt))
            warn(e, o, "", "waits for its prebuilt Workload, which is not there");
        return true;
    }
    return has_key(&e->workloads, o->ns, workload) || (*uid && has_key(&e->workloads, o->ns, uid));
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

/* The job's own name, or its beginning and a number; NULL when memory is exhausted. */
static const char *name_of(struct expansion *e, const struct object *o)
{
    struct str name;
    if (*o->name)
        return o->name;
    str_init(&name, NAME_MAX_BYTES);
    str_addf(&name, "%.240s%05u", doc_str_or(doc_field(o->doc, "metadata"), "generateName", ""),
             ++e->generated);
    const char *ret = str_failed(&name) ? NULL : arena_strndup(e->arena, str_text(&name), name.len);
    str_free(&name);
    return ret;
}

static int add_workload(struct expansion *e, const struct object *o, const char *name, const char *queue,
                        struct err *err)
{
    struct object *w = arena_alloc(e->arena, sizeof(*w));
    struct err why;
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    struct api_sink sink = api_set_sink(e->set, o);
    int rc = job_workload(o, name, queue, &e->ctx, e->arena, api_set_flags(e->set), &sink, w, &why);
    (void)api_set_sink(e->set, NULL);
    if (rc == ERR_INVALID)
        return 0; /* noted */
    return rc < 0 ? err_set(err, rc, "%s", why.text) : api_set_add(e->set, w, err);
}

/* Who writes jobs into files seldom writes their namespace there: it is taken as being there, with the label that every one has. */
static int add_namespace(struct expansion *e, const struct object *o, struct err *err)
{
    struct object *n = arena_alloc(e->arena, sizeof(*n));
    struct fact_label *label = arena_alloc(e->arena, sizeof(*label));
    if (!n || !label || add_key(&e->namespaces, o->ns, "") < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    sort_keys(&e->namespaces);
    *label = (struct fact_label){.key = "kubernetes.io/metadata.name", .value = o->ns};
    *n = (struct object){.kind = API_NAMESPACE, .file = o->file, .line = o->line, .ns = "", .name = o->ns};
    n->name_space = (struct fact_namespace){.name = o->ns, .labels = label, .nlabels = 1};
    warn(e, o, "metadata.namespace",
         "the Namespace is not in the files; it is taken as existing, without labels of its own");
    return api_set_add(e->set, n, err);
}

static int expand_job(struct expansion *e, const struct object *o, struct err *err)
{
    const char *queue = queue_of(e, o);
    if (!competes(e, o, queue))
        return 0;
    const char *name = name_of(e, o);
    const char *workload = name ? job_workload_name(o, name, &e->ctx, e->arena) : NULL;
    if (!workload)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (has_workload(e, o, workload))
        return 0;
    int rc = has_key(&e->namespaces, o->ns, "") ? 0 : add_namespace(e, o, err);
    return rc < 0 ? rc : add_workload(e, o, name, queue, err);
}

int job_expand(struct api_set *set, struct err *err)
{
    struct expansion e = {.set = set, .arena = api_set_arena(set), .gates = gates_default()};
    uint32_t n = api_set_count(set);
    int rc = look_around(&e) < 0 ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    find_default_class(&e);
    for (uint32_t i = 0; i < n && rc == 0; i++) {
        const struct object *o = api_set_at(set, i);
        if (job_kind_of(o->kind))
            rc = expand_job(&e, o, err);
    }
    warn_queueless(&e);
    if (rc == 0 && api_set_lost_note(set))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    mem_free(e.workloads.p);
    mem_free(e.defaults.p);
    mem_free(e.namespaces.p);
    mem_free(e.workload_classes);
    mem_free(e.pod_classes);
    return rc;
}
