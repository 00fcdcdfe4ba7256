/* Configuration objects: what the world must know of queues, flavors, checks, classes and namespaces. */
#include "run/run_priv.h"

#include "api/emit.h"
#include "api/json.h"
#include "core/references.h"

#include <inttypes.h>
#include <string.h>

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

#define ID_FORMAT "%u/%s/%s"

struct thing *things_find(const struct controller *c, enum api_kind kind, const char *ns, const char *name)
{
    char id[WRITE_KEY_MAX]; /* no memory is needed to find one: "none" would be an answer */
    struct thing *t = NULL;
    int n = snprintf(id, sizeof(id), ID_FORMAT, (unsigned)kind, ns, name);

    if (n > 0 && (size_t)n < sizeof(id))
        HASH_FIND(hh, c->things, id, (size_t)n, t);
    return t;
}

static void free_thing(struct thing *t)
{
    mem_free(t->text);
    mem_free(t->ns);
    mem_free(t->id);
    mem_free(t);
}

static struct thing *add(struct controller *c, enum api_kind kind, const char *ns, const char *name)
{
    struct thing *t = mem_zalloc(1, sizeof(*t));
    struct str id;

    if (!t)
        return NULL;
    str_init(&id, WRITE_KEY_MAX);
    str_addf(&id, ID_FORMAT, (unsigned)kind, ns, name);
    size_t len = id.len;
    t->id = str_take(&id);
    if (!t->id) {
        mem_free(t);
        return NULL;
    }
    t->kind = kind;
    t->name = t->id + len - strlen(name);
    t->ns = mem_strdup(ns);
    if (t->ns)
        HASH_ADD_KEYPTR(hh, c->things, t->id, len, t);
    if (!t->ns || !t->hh.tbl) {
        free_thing(t);
        return NULL;
    }
    return t;
}

/* No memory is needed for a key: what cannot be cancelled would come back to a thing that is gone. */
struct key {
    char text[WRITE_KEY_MAX + 16];
};

static struct key guard_key(const struct thing *t)
{
    struct key k;

    (void)snprintf(k.text, sizeof(k.text), "finalizer/%s", t->id);
    return k;
}

static bool is_guarded(enum api_kind kind)
{
    return kind == API_CLUSTER_QUEUE || kind == API_FLAVOR || kind == API_ADMISSION_CHECK;
}

static bool is_leaving(const struct thing *t)
{
    return is_guarded(t->kind) && t->deleting && t->has_finalizer;
}

/* It is found no more; its id and names are still there. */
static void unlist(struct controller *c, struct thing *t)
{
    if (t->c && c->writes) /* the answer to its finalizer would come to nobody */
        writes_cancel(c->writes, guard_key(t).text);
    c->nleaving -= is_leaving(t);
    HASH_DEL(c->things, t);
    if (t->queue)
        queue_status_free(c, t->queue);
    t->queue = NULL;
}

void things_free(struct controller *c)
{
    struct thing *t, *next;

    HASH_ITER (hh, c->things, t, next) {
        unlist(c, t);
        free_thing(t);
    }
    mem_free(c->classes);
    mem_free(c->pod_classes);
}

/* ---- into the world -------------------------------------------------------------------------------------------------------- */

static int put(struct controller *c, const struct object *o, struct err *err)
{
    switch (o->kind) {
    case API_FLAVOR:
        return world_put_flavor(c->w, &o->flavor, err);
    case API_CLUSTER_QUEUE:
        return world_put_cluster_queue(c->w, &o->cluster_queue, run_now(c), err);
    case API_COHORT:
        return world_put_cohort(c->w, &o->cohort, err);
    case API_LOCAL_QUEUE:
        return world_put_local_queue(c->w, &o->local_queue, run_now(c), err);
    case API_ADMISSION_CHECK:
        return world_put_check(c->w, &o->admission_check, err);
    case API_TOPOLOGY:
        return world_put_topology(c->w, &o->topology, err);
    case API_NAMESPACE:
        return world_put_namespace(c->w, &o->name_space, err);
    case API_LIMIT_RANGE:
        return world_put_limit_range(c->w, &o->limit_range, err);
    case API_RUNTIME_CLASS:
        return world_put_runtime_class(c->w, &o->runtime_class, err);
    case API_WORKLOAD_PRIORITY_CLASS:
    case API_PRIORITY_CLASS:
    case API_WORKLOAD:
    case API_CONFIG:
    case API_JOB:
    case API_JOB_SET:
    case API_KINDS:
        break;
    }
    return 0;
}

static void del(struct controller *c, enum api_kind kind, const char *ns, const char *name)
{
    switch (kind) {
    case API_FLAVOR:
        world_del_flavor(c->w, name);
        break;
    case API_CLUSTER_QUEUE:
        world_del_cluster_queue(c->w, name);
        break;
    case API_COHORT:
        world_del_cohort(c->w, name);
        break;
    case API_LOCAL_QUEUE:
        world_del_local_queue(c->w, ns, name);
        break;
    case API_ADMISSION_CHECK:
        world_del_check(c->w, name);
        break;
    case API_TOPOLOGY:
        world_del_topology(c->w, name);
        break;
    case API_NAMESPACE:
        world_del_namespace(c->w, name);
        break;
    case API_LIMIT_RANGE:
        world_del_limit_range(c->w, ns, name);
        break;
    case API_RUNTIME_CLASS:
        world_del_runtime_class(c->w, name);
        break;
    case API_WORKLOAD_PRIORITY_CLASS:
    case API_PRIORITY_CLASS:
    case API_WORKLOAD:
    case API_CONFIG:
    case API_JOB:
    case API_JOB_SET:
    case API_KINDS:
        break;
    }
}

/* ---- what follows ---------------------------------------------------------------------------------------------------------- */

/* A class has another value: those that name it get it (1.6). */
static void class_changed(struct controller *c)
{
    c->classes_changed = true;
    if (c->complete)
        records_touch_all(c);
}

/* Who may be concerned looks again. Configuration changes are rare: to look once too often is cheap. */
static void follow(struct controller *c, enum api_kind kind, const char *ns, const char *name)
{
    run_changed(c);
    if (kind == API_WORKLOAD_PRIORITY_CLASS || kind == API_PRIORITY_CLASS)
        class_changed(c);
    if (!c->complete)
        return;
    switch (kind) {
    case API_CLUSTER_QUEUE:
        records_touch_cq(c, name);
        things_guard_all(c);
        break;
    case API_LOCAL_QUEUE:
        records_touch_lq(c, ns, name);
        break;
    case API_FLAVOR:
    case API_ADMISSION_CHECK:
    case API_TOPOLOGY:
        records_touch_all(c);
        break;
    case API_NAMESPACE:
        jobs_touch_ns(c, name);
        break;
    case API_LIMIT_RANGE:
    case API_RUNTIME_CLASS:
        records_reread(c);
        break;
    default:
        break;
    }
    queues_touch_all(c);
}

/* ---- objects --------------------------------------------------------------------------------------------------------------- */

static void forget(struct controller *c, struct thing *t)
{
    del(c, t->kind, t->ns, t->name);
    meter_feed_thing_gone(c, t);
    unlist(c, t);
    follow(c, t->kind, t->ns, t->name);
    free_thing(t);
}

static int keep_text(struct thing *t, const struct doc_node *doc)
{
    struct str s;

    str_init(&s, TEXT_MAX);
    emit_json(doc, 0, &s);
    size_t len = s.len;
    char *text = str_take(&s);
    if (!text)
        return ERR_NOMEM;
    mem_free(t->text);
    t->text = text;
    t->text_len = len;
    return 0;
}

static void take_meta(struct controller *c, struct thing *t, const struct meta *m, uint32_t epoch)
{
    c->nleaving -= is_leaving(t);
    snprintf(t->uid, sizeof(t->uid), "%s", m->uid);
    t->rv = m->rv;
    t->generation = m->generation;
    t->epoch = epoch;
    t->deleting = m->deleting;
    t->has_finalizer = m->has_finalizer;
    t->other_finalizers = m->other_finalizers;
    c->nleaving += is_leaving(t);
}

static int keep(struct controller *c, struct thing *t, const struct object *o, const struct doc_node *doc)
{
    if (o->kind == API_WORKLOAD_PRIORITY_CLASS || o->kind == API_PRIORITY_CLASS) {
        t->value = o->priority_class.value;
        t->global_default = o->priority_class.global_default;
    }
    if (o->kind == API_CLUSTER_QUEUE) {
        t->stop = o->cluster_queue.stop;
        t->usage_based = o->cluster_queue.usage_based_afs;
    }
    if (o->kind == API_NAMESPACE)
        t->matches =
            selector_matches(&c->cfg.settings->job_namespaces, o->name_space.labels, o->name_space.nlabels);
    if (o->kind == API_LOCAL_QUEUE) {
        t->stop = o->local_queue.stop;
        t->matches = meter_feed_takes(c, doc);
    }
    if (o->kind == API_FLAVOR)
        return keep_text(t, doc);
    if (o->kind == API_CLUSTER_QUEUE || o->kind == API_LOCAL_QUEUE || o->kind == API_COHORT)
        return queues_observe(c, t, doc);
    return 0;
}

/* A status that we wrote ourselves comes back: nothing that decisions depend on changed. Checks are another matter: theirs is Active. */
static bool only_status(const struct thing *t, const struct meta *m)
{
    bool has_generation = t->kind == API_CLUSTER_QUEUE || t->kind == API_LOCAL_QUEUE || t->kind == API_COHORT;

    return has_generation && m->generation != 0 && t->generation == m->generation &&
           t->deleting == m->deleting;
}

static int observe(struct controller *c, struct kind_watch *k, const struct doc_node *doc,
                   const struct meta *m)
{
    struct thing *t = things_find(c, k->row->kind, m->ns, m->name);
    struct object o;
    struct err err;

    if (t && t->rv && m->rv <= t->rv && !strcmp(t->uid, m->uid)) {
        t->epoch = k->epoch;
        return 0;
    }
    int rc = api_read_as(k->row->kind, doc, &c->arena, API_LENIENT, NULL, &o, &err);
    if (rc == ERR_NOMEM)
        return rc;
    if (rc) { /* what was known before goes on to be true */
        c->stats.malformed++;
        run_log(c, LOG_ERROR, m->name, "%s: %s", api_kind_name(k->row->kind), err.text);
        if (t)
            t->epoch = k->epoch;
        return 0;
    }
    if (t && strcmp(t->uid, m->uid) != 0) { /* another one of the same name */
        forget(c, t);
        t = NULL;
    }
    bool quiet = t && only_status(t, m);
    if (!quiet && (rc = put(c, &o, &err)) != 0) {
        if (rc != ERR_NOMEM)
            run_log(c, LOG_ERROR, m->name, "%s: %s", api_kind_name(k->row->kind), err.text);
        return rc == ERR_NOMEM ? rc : 0;
    }
    if (!t && !(t = add(c, k->row->kind, m->ns, m->name)))
        return ERR_NOMEM;
    take_meta(c, t, m, k->epoch);
    t->finalizer_asked = false;
    if (keep(c, t, &o, doc)) {
        t->rv = 0; /* it comes again, and is news then */
        t->generation = 0;
        return ERR_NOMEM;
    }
    if (!quiet)
        follow(c, t->kind, m->ns, m->name);
    if (c->complete)
        things_guard(c, t);
    return 0;
}

int things_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                   const struct doc_node *doc)
{
    struct meta m;

    if (!meta_read(doc, &m)) {
        c->stats.malformed++;
        run_log(c, LOG_ERROR, k->row->path, "an object without a name");
        return 0;
    }
    if (what != WATCH_DELETED)
        return observe(c, k, doc, &m);
    struct thing *t = things_find(c, k->row->kind, m.ns, m.name);
    if (t && (!*m.uid || !strcmp(t->uid, m.uid)))
        forget(c, t);
    return 0;
}

void things_sweep(struct controller *c, struct kind_watch *k)
{
    struct thing *t, *next;

    HASH_ITER (hh, c->things, t, next) {
        if (t->kind == k->row->kind && t->epoch != k->epoch)
            forget(c, t);
    }
}

/* ---- what jobs ask for ----------------------------------------------------------------------------------------------------- */

const struct fact_flavor *things_flavor(struct controller *c, struct arena *a, const char *name)
{
    const struct thing *t = things_find(c, API_FLAVOR, "", name);
    const struct doc_node *doc = NULL;
    struct object *o;

    if (!t || !t->text || json_read(a, &c->scratch, t->text, t->text_len, 1, &doc, NULL))
        return NULL;
    o = arena_alloc(a, sizeof(*o));
    if (!o || api_read_as(API_FLAVOR, doc, a, API_LENIENT, NULL, o, NULL))
        return NULL;
    return &o->flavor;
}

static int collect(struct controller *c, enum api_kind kind, struct fact_priority_class **ret,
                   uint32_t *ret_n)
{
    struct fact_priority_class *v = NULL;
    uint32_t n = 0, cap = 0;
    struct thing *t, *next;

    HASH_ITER (hh, c->things, t, next) {
        if (t->kind != kind)
            continue;
        if (mem_grow((void **)&v, &cap, n + 1, sizeof(*v))) {
            mem_free(v);
            return ERR_NOMEM;
        }
        v[n++] = (struct fact_priority_class){t->name, t->value, t->global_default};
    }
    mem_free(*ret);
    *ret = v;
    *ret_n = n;
    return 0;
}

int things_classes(struct controller *c)
{
    struct job_context *m = &c->rules.making;

    if (!c->classes_changed)
        return 0;
    if (collect(c, API_WORKLOAD_PRIORITY_CLASS, &c->classes, &c->nclasses) ||
        collect(c, API_PRIORITY_CLASS, &c->pod_classes, &c->npod_classes))
        return ERR_NOMEM; /* whoever asks next tries again */
    c->classes_changed = false;
    m->workload_classes = c->classes;
    m->nworkload_classes = c->nclasses;
    m->pod_classes = c->pod_classes;
    m->npod_classes = c->npod_classes;
    return 0;
}

/* ---- finalizers ------------------------------------------------------------------------------------------------------------ */

static bool holds(const struct controller *c, const struct thing *t)
{
    switch (t->kind) {
    case API_CLUSTER_QUEUE:
        return references_hold_cluster_queue(c->w, t->name, t->deleting);
    case API_FLAVOR:
        return references_hold_flavor(c->w, t->name, t->deleting);
    case API_ADMISSION_CHECK:
        return references_hold_check(c->w, t->name, t->deleting);
    default:
        return t->has_finalizer;
    }
}

/* Ours goes or comes; those of others stay: a JSON patch would need its index, so with others the whole list is not ours to write. */
static int render_guard(void *arg, struct write_request *ret, struct err *err)
{
    const struct thing *t = arg;

    (void)err;
    if (holds(t->c, t) == t->has_finalizer || t->other_finalizers)
        return 1;
    ret->verb = KUBE_PATCH;
    ret->content_type = KUBE_MERGE_PATCH;
    ret->safe_twice = true;
    str_addf(&ret->path, "%s/%s", kind_path(t->kind), t->name);
    str_addf(&ret->body, "{\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\",\"finalizers\":%s}}", t->rv,
             t->has_finalizer ? "null" : "[\"" FINALIZER "\"]");
    return str_failed(&ret->path) || str_failed(&ret->body) ? ERR_NOMEM : 0;
}

static void guard_done(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len)
{
    struct thing *t = arg;

    (void)body;
    (void)len;
    if (end == WRITE_REPLACED)
        return;
    t->finalizer_asked = false;
    if (end == WRITE_REFUSED && reply->class != REPLY_CONFLICT && reply->class != REPLY_NOT_FOUND)
        run_log(t->c, LOG_WARNING, t->id, "the finalizer cannot be written: %s", reply->message);
}

void things_guard(struct controller *c, struct thing *t)
{
    if (!c->leads || t->finalizer_asked || t->other_finalizers || holds(c, t) == t->has_finalizer)
        return;
    t->c = c;
    const struct key key = guard_key(t);
    const struct write w = {
        .key = key.text,
        .level = WRITE_STATUS,
        .render = render_guard,
        .on_done = guard_done,
        .arg = t,
    };
    t->finalizer_asked = !writes_put(c->writes, &w, NULL);
}

void things_guard_all(struct controller *c)
{
    struct thing *t, *next;

    HASH_ITER (hh, c->things, t, next) {
        if (is_guarded(t->kind))
            things_guard(c, t);
    }
}

void things_let_go(struct controller *c)
{
    if (c->nleaving && c->complete)
        things_guard_all(c);
}
