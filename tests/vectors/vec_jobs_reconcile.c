/* One look at a job (jobs/reconcile.h): the plan is carried out on the documents of the case, and what came of it is compared. */
#include "vec_status.h"
#include "vec_world.h"

#include "api/reader.h"
#include "jobs/edit.h"
#include "jobs/equal.h"
#include "jobs/patch.h"
#include "jobs/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKLOADS = 8, CLASSES = 8, EVENTS = 16 };

struct workload {
    const struct doc_node *doc; /* NULL = deleted */
    struct wl_view *view;
    struct status status;
};

/* The cluster of a case. */
struct cluster {
    struct vec *v;
    struct gates gates;
    struct job_rules rules;
    struct fact_priority_class classes[CLASSES], pod_classes[CLASSES];
    const struct job_kind *kind;
    const struct doc_node *job; /* NULL = gone */
    struct workload wls[WORKLOADS];
    uint32_t n;
    struct str events;
    when_ns now;
};

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

/* RFC 7386. */
static struct doc_node *merged(struct arena *a, const struct doc_node *target, const struct doc_node *patch)
{
    struct make out = make_map(a, 0);
    if (patch->type != DOC_MAP)
        return make_copy(a, patch);
    doc_foreach (c, doc_is(target, DOC_MAP) ? target : NULL) {
        const struct doc_node *p = doc_get(patch, c->key);
        if (!p)
            make_put_copy(&out, NULL, c);
        else if (p->type != DOC_NULL)
            make_put(&out, c->key, merged(a, c, p));
    }
    doc_foreach (p, patch) {
        if (p->type != DOC_NULL && !doc_get(target, p->key))
            make_put(&out, p->key, merged(a, NULL, p));
    }
    return out.node;
}

struct merging {
    const struct doc_node *target, *result;
};

static void run_merge(struct reader *rd, const struct doc_node *patch, void *ret)
{
    struct merging *m = ret;
    m->result = merged(rd->arena, m->target, patch);
}

/* The target as it is after the patch ("" = no change). */
static const struct doc_node *merge(struct vec *v, const struct doc_node *target, const char *patch)
{
    struct err err;
    struct reader rd = {.arena = v->arena, .err = &err};
    struct merging m = {.target = target, .result = target};
    const struct doc_node *p = *patch ? vec_read(v, patch) : NULL;
    if (p && rd_run(&rd, run_merge, p, &m) < 0)
        vec_broken(v, "merging", &err);
    return m.result;
}

static const char *owner_json(struct vec *v, const struct doc_node *job)
{
    const struct doc_node *meta = doc_field(job, "metadata");
    return vec_printf(v,
                      "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":"
                      "\"%s\",\"uid\":\"%s\",\"controller\":true}]}}",
                      doc_str_or(job, "apiVersion", ""), doc_str_or(job, "kind", ""),
                      doc_str_or(meta, "name", ""), doc_str_or(meta, "uid", ""));
}

/* ---- the cluster as the case gives it ----------------------------------------------------------------------------------- */

static void read_gates(struct cluster *c)
{
    struct err err;
    c->gates = gates_default();
    for (uint32_t i = 0; i < c->v->ngates; i++) {
        if (gates_set(&c->gates, c->v->gates[i].name, c->v->gates[i].on, &err) < 0)
            vec_broken(c->v, c->v->gates[i].name, &err);
    }
    c->rules.making.gates = &c->gates;
}

static void read_classes(struct cluster *c, const struct doc_node *list)
{
    struct job_context *m = &c->rules.making;
    doc_foreach (n, list) {
        struct object o;
        if (!vec_object(c->v, n, &o))
            return;
        if (o.kind == API_WORKLOAD_PRIORITY_CLASS && m->nworkload_classes < CLASSES)
            c->classes[m->nworkload_classes++] = o.priority_class;
        if (o.kind == API_PRIORITY_CLASS && m->npod_classes < CLASSES)
            c->pod_classes[m->npod_classes++] = o.priority_class;
    }
    m->workload_classes = c->classes;
    m->pod_classes = c->pod_classes;
}

static void read_option(struct cluster *c, const struct doc_node *sets)
{
    struct vec *v = c->v;
    const struct doc_node *keys = doc_field(sets, "labelKeysToCopy"),
                          *keep = doc_path(sets, "workloadRetentionPolicy.afterDeactivatedByKueue");
    if (doc_field(sets, "manageJobsWithoutQueueName"))
        c->rules.manage_without_queue = true;
    if (doc_field(sets, "waitForPodsReady"))
        c->rules.pods_ready = true;
    if (keep) {
        c->rules.has_retention = true;
        c->rules.retention_ns = vec_duration(v, keep);
    }
    if (keys) {
        const char **list = vec_alloc(v, keys->n * sizeof(*list));
        doc_foreach (k, keys)
            list[k->index] = k->text;
        c->rules.making.label_keys = list;
        c->rules.making.nlabel_keys = keys->n;
    }
}

/* "key=value", or all. */
static bool namespace_matches(struct cluster *c, const char *ns)
{
    const char *selector = "";
    doc_foreach (o, vec_find(c->v, "reconcilerOptions")) {
        const struct doc_node *s = doc_path(o, "sets.managedJobsNamespaceSelector");
        selector = s ? s->text : selector;
    }
    const char *eq = strchr(selector, '=');
    if (!eq)
        return true;
    doc_foreach (o, doc_field(c->v->shared, "objects")) {
        const struct doc_node *meta = doc_field(o, "metadata");
        if (strcmp(doc_str_or(o, "kind", ""), "Namespace") != 0 ||
            strcmp(doc_str_or(meta, "name", ""), ns) != 0)
            continue;
        const char *key = vec_printf(c->v, "%.*s", (int)(eq - selector), selector);
        return strcmp(doc_str_or(doc_field(meta, "labels"), key, ""), eq + 1) == 0;
    }
    return false;
}

static bool add_workload(struct cluster *c, const struct doc_node *doc)
{
    struct workload *w = &c->wls[c->n];
    struct object o;
    struct err err;
    if (c->n == WORKLOADS || !vec_object(c->v, doc, &o) || !vec_status(c->v, &o.workload, &w->status))
        return false;
    w->doc = doc;
    if (wl_view_of(doc, c->v->arena, &w->view, &err) < 0) {
        vec_broken(c->v, "a Workload", &err);
        return false;
    }
    w->view->status = &w->status;
    c->n++;
    return true;
}

/* Workloads of these tables belong to the job, unless they say whose they are. */
static void add_workloads(struct cluster *c, const struct doc_node *list)
{
    doc_foreach (n, list) {
        if (strcmp(doc_str_or(n, "kind", "Workload"), "Workload") != 0)
            continue;
        bool owned = !c->job || doc_path(n, "metadata.ownerReferences");
        if (!add_workload(c, owned ? n : merge(c->v, n, owner_json(c->v, c->job))))
            return;
    }
}

static void open_cluster(struct cluster *c, struct vec *v, enum api_kind kind)
{
    const struct doc_node *now = vec_find(v, "now");
    *c = (struct cluster){.v = v, .kind = job_kind_of(kind), .job = vec_find(v, "job")};
    c->now = now ? vec_when(v, now) : VEC_NOW;
    read_gates(c);
    doc_foreach (o, vec_find(v, "reconcilerOptions"))
        read_option(c, doc_field(o, "sets"));
    read_classes(c, vec_find(v, "priorityClasses"));
    str_init(&c->events, 0);
}

static void close_cluster(struct cluster *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        wl_view_free(c->wls[i].view);
        status_free(&c->wls[i].status);
    }
    str_free(&c->events);
}

/* ---- owners ------------------------------------------------------------------------------------------------------------- */

struct owners {
    const struct doc_node *objects, *frameworks, *external;
};

static bool lists(const struct doc_node *list, const char *text)
{
    doc_foreach (n, list) {
        if (doc_is_text(n, text))
            return true;
    }
    return false;
}

/* "Kind.version.group" */
static bool is_external(const struct doc_node *list, const struct job_owner *ref)
{
    size_t n = strlen(ref->kind), g = strlen(ref->group);
    doc_foreach (e, list) {
        size_t len = strlen(e->text);
        if (strncmp(e->text, ref->kind, n) == 0 && e->text[n] == '.' && len > g &&
            strcmp(e->text + len - g, ref->group) == 0)
            return true;
    }
    return false;
}

static struct job_owner controller_of(const struct doc_node *doc)
{
    doc_foreach (o, doc_path(doc, "metadata.ownerReferences")) {
        const char *version = doc_str_or(o, "apiVersion", "");
        if (doc_bool_or(o, "controller", false))
            return (struct job_owner){.group = version,
                                      .kind = doc_str_or(o, "kind", ""),
                                      .name = doc_str_or(o, "name", ""),
                                      .uid = doc_str_or(o, "uid", "")};
    }
    return (struct job_owner){"", "", "", ""};
}

static enum job_owner_known find_owner(void *arg, const char *ns, const struct job_owner *ref,
                                       struct job_owner_view *ret)
{
    const struct owners *owners = arg;
    char group[128] = "";
    const char *slash = strchr(ref->group, '/'); /* references of documents give the whole apiVersion */
    snprintf(group, sizeof(group), "%.*s", (int)(slash ? slash - ref->group : (long)strlen(ref->group)),
             ref->group);
    struct job_owner plain = {group, ref->kind, ref->name, ref->uid};
    const char *framework = job_kind_framework(group, ref->kind);
    bool external = is_external(owners->external, &plain);
    if (!framework && !external)
        return JOB_OWNER_FOREIGN;
    doc_foreach (o, owners->objects) {
        const struct doc_node *meta = doc_field(o, "metadata");
        if (strcmp(doc_str_or(o, "kind", ""), ref->kind) != 0 ||
            strcmp(doc_str_or(meta, "name", ""), ref->name) != 0 ||
            strcmp(doc_str_or(meta, "namespace", ""), ns) != 0)
            continue;
        *ret = (struct job_owner_view){.uid = doc_str_or(meta, "uid", ""),
                                       .queue = job_queue(o),
                                       .owner = controller_of(o),
                                       .answers = external || lists(owners->frameworks, framework)};
        return JOB_OWNER_FOUND;
    }
    return JOB_OWNER_MISSING;
}

/* ---- carrying out a plan ------------------------------------------------------------------------------------------------ */

static struct workload *workload_of(struct cluster *c, const struct wl_view *view)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (c->wls[i].view == view)
            return &c->wls[i];
    }
    return NULL;
}

static struct job_docs docs_of(struct cluster *c, const struct workload *w)
{
    return (struct job_docs){.kind = c->kind,
                             .job = c->job,
                             .workload = w ? w->doc : NULL,
                             .gates = &c->gates,
                             .arena = c->v->arena};
}

static const struct doc_node *made(struct cluster *c)
{
    struct object job, wl;
    struct err err;
    if (!vec_object(c->v, c->job, &job))
        return NULL;
    if (job_workload(&job, job.name, job_queue(c->job), &c->rules.making, c->v->arena, API_LENIENT, NULL, &wl,
                     &err) < 0) {
        vec_broken(c->v, "job_workload", &err);
        return NULL;
    }
    return wl.doc;
}

/* The record becomes part of the document. */
static void write_status(struct cluster *c, struct workload *w)
{
    struct str s;
    str_init(&s, 0);
    str_add(&s, "{\"status\":{\"conditions\":");
    vec_print_conditions(&w->status, &s);
    str_add(&s, "}}");
    w->doc = merge(c->v, w->doc, str_text(&s));
    str_free(&s);
}

static void change_status(struct cluster *c, const struct job_action *a)
{
    struct workload *w = workload_of(c, a->wl);
    struct err err;
    if (job_action_status(a, &c->rules, &w->status, c->now, 0, &err) < 0)
        vec_broken(c->v, job_act_name(a->act), &err);
    write_status(c, w);
    if (a->act == JOB_RELEASE)
        w->doc = merge(c->v, w->doc, "{\"status\":{\"admission\":null}}");
}

static void set_reclaimable(struct cluster *c, const struct job_action *a)
{
    struct workload *w = workload_of(c, a->wl);
    struct str s;
    bool any = false;
    str_init(&s, 0);
    str_add(&s, "{\"status\":{\"reclaimablePods\":[");
    for (uint32_t i = 0; i < a->wl->npods; i++) {
        if (a->counts[i])
            str_addf(&s, "%s{\"name\":\"%s\",\"count\":%d}", any ? "," : "", a->wl->pods[i].name,
                     a->counts[i]);
        any = any || a->counts[i];
    }
    str_add(&s, "]}}");
    w->doc = merge(c->v, w->doc, str_text(&s));
    str_free(&s);
}

static void put_event(struct cluster *c, const struct job_action *a)
{
    str_add(&c->events, c->events.len ? ",{\"reason\":" : "{\"reason\":");
    str_add_json(&c->events, a->reason);
    str_addf(&c->events, ",\"eventType\":\"%s\",\"message\":", a->on ? "Warning" : "Normal");
    str_add_json(&c->events, a->message);
    str_add(&c->events, "}");
}

static const struct fact_flavor *find_flavor(void *arg, const char *name)
{
    struct cluster *c = arg;
    doc_foreach (n, doc_field(c->v->shared, "objects")) {
        struct object *o = vec_alloc(c->v, sizeof(*o));
        if (strcmp(doc_str_or(n, "kind", ""), "ResourceFlavor") == 0 && vec_object(c->v, n, o) &&
            strcmp(o->name, name) == 0)
            return &o->flavor;
    }
    return NULL;
}

/* True when the plan may go on. */
static bool patch_job(struct cluster *c, const struct job_action *a)
{
    struct job_docs docs = docs_of(c, workload_of(c, a->wl));
    struct str s;
    struct err err;
    int rc = 0;
    str_init(&s, 0);
    if (a->act == JOB_START)
        rc = job_start_patch(&docs, find_flavor, c, &s, &err);
    else if (a->act == JOB_SUSPEND_CHILD)
        rc = job_suspend_patch(c->kind, "", &s, &err);
    else
        rc = job_stop_patch(&docs,
                            a->act == JOB_STOP_SUSPEND ? JOB_STEP_SUSPEND
                            : a->act == JOB_STOP_CLEAR ? JOB_STEP_CLEAR
                                                       : JOB_STEP_RESTORE,
                            &s, &err);
    if (rc == ERR_STATE && a->act == JOB_START) {
        struct job_action failed = job_failed_to_start(a, err.text);
        change_status(c, &failed);
    } else if (rc < 0) {
        vec_broken(c->v, job_act_name(a->act), &err);
    } else {
        c->job = merge(c->v, c->job, str_text(&s));
    }
    str_free(&s);
    return rc == 0;
}

static void patch_workload(struct cluster *c, const struct job_action *a)
{
    struct workload *w = workload_of(c, a->wl);
    struct job_docs docs = docs_of(c, w);
    const char *rv = a->wl->resource_version;
    struct str s;
    struct err err;
    int rc = ERR_STATE;
    str_init(&s, 0);
    if (a->act == JOB_UPDATE_WORKLOAD)
        rc = job_update_workload_patch(w->doc, made(c), c->v->arena, &s, &err);
    else if (a->act == JOB_ADOPT_WORKLOAD)
        rc = job_adopt_patch(&docs, &s, &err);
    else if (a->act == JOB_SET_PRIORITY)
        rc = job_priority_patch(rv, made(c), &s, &err);
    else if (a->act == JOB_SET_QUEUE)
        rc = job_queue_patch(rv, a->text, &s, &err);
    else if (a->act == JOB_SET_GATED_BY)
        rc = job_gated_patch(rv, a->text, &s, &err);
    else if (a->act == JOB_REMOVE_FINALIZER)
        rc = job_finalizer_patch(w->doc, c->v->arena, &s, &err);
    if (rc < 0)
        vec_broken(c->v, job_act_name(a->act), &err);
    else
        w->doc = merge(c->v, w->doc, str_text(&s));
    str_free(&s);
}

static bool act(struct cluster *c, const struct job_action *a)
{
    const struct doc_node *doc;
    switch (a->act) {
    case JOB_CREATE_WORKLOAD:
        doc = made(c);
        return doc && add_workload(c, doc);
    case JOB_DELETE_WORKLOAD:
        workload_of(c, a->wl)->doc = NULL;
        return true;
    case JOB_DELETE_JOB:
        c->job = NULL;
        return true;
    case JOB_FINISH:
    case JOB_SET_PODS_READY:
    case JOB_RELEASE:
        change_status(c, a);
        return true;
    case JOB_SET_RECLAIMABLE:
        set_reclaimable(c, a);
        return true;
    case JOB_START:
    case JOB_STOP_SUSPEND:
    case JOB_STOP_CLEAR:
    case JOB_STOP_RESTORE:
    case JOB_SUSPEND_CHILD:
        return patch_job(c, a);
    case JOB_EVENT:
        put_event(c, a);
        return true;
    default:
        patch_workload(c, a);
        return true;
    }
}

/* ---- one look ----------------------------------------------------------------------------------------------------------- */

struct look {
    struct job_view *job;
    struct job_sight sight;
    const struct wl_view *wls[WORKLOADS];
    struct job_plan plan;
};

static bool belongs(const struct wl_view *w, const struct job_owner *o)
{
    return strcmp(w->owner.kind, o->kind) == 0 && strcmp(w->owner.name, o->name) == 0;
}

static void see_workloads(struct cluster *c, struct look *l)
{
    struct job_owner self = {"", c->kind->kind, l->sight.name, ""};
    for (uint32_t i = 0; i < c->n; i++) {
        const struct wl_view *w = c->wls[i].view;
        if (belongs(w, &self))
            l->wls[l->sight.nwls++] = w;
        if (l->sight.ancestry.place == JOB_CHILD && belongs(w, &l->sight.ancestry.ancestor))
            l->sight.ancestor_workload = w;
        if (l->job && *l->job->prebuilt && strcmp(w->name, l->job->prebuilt) == 0)
            l->sight.prebuilt = w;
    }
    l->sight.wls = l->wls;
}

static bool see(struct cluster *c, struct look *l)
{
    struct vec *v = c->v;
    struct owners owners = {
        .objects = vec_find(v, "otherJobs"),
        .frameworks = doc_path(v->shared, "integrationManager.enabledIntegrations"),
    };
    const char *key = vec_str(v, vec_find(v, "reconcileKey")), *slash = strchr(key, '/');
    struct err err;
    if (c->job && job_view_of(c->kind, c->job, &c->gates, v->arena, &l->job, &err) < 0) {
        vec_broken(v, "the job", &err);
        return false;
    }
    l->sight.job = l->job;
    l->sight.kind = c->kind;
    l->sight.ns = l->job ? l->job->ns : slash ? vec_printf(v, "%.*s", (int)(slash - key), key) : "";
    l->sight.name = l->job ? l->job->name : slash ? slash + 1 : "";
    l->sight.namespace_matches = namespace_matches(c, l->sight.ns);
    if (l->job)
        l->sight.ancestry = job_place_of(l->job, c->rules.manage_without_queue, find_owner, &owners);
    see_workloads(c, l);
    if (job_reconcile(&c->rules, &l->sight, c->now, v->arena, &l->plan, &err) < 0) {
        vec_broken(v, "job_reconcile", &err);
        return false;
    }
    return true;
}

/* Kueue reports an error when it deleted Workloads, so that it is called again; to us the deletion says so. */
static bool has_error(const struct job_plan *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->actions[i].act == JOB_DELETE_WORKLOAD)
            return true;
    }
    return p->retry;
}

static void look(struct cluster *c, bool *ret_error)
{
    struct look l = {.sight = {.nwls = 0}};
    if (see(c, &l)) {
        *ret_error = has_error(&l.plan);
        for (uint32_t i = 0; i < l.plan.n && !c->v->failed; i++) {
            if (!act(c, &l.plan.actions[i]))
                break;
        }
    }
    job_view_free(l.job);
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------- */

static void print_workloads(struct cluster *c, struct str *out)
{
    bool any = false;
    str_addc(out, '[');
    for (uint32_t i = 0; i < c->n; i++) {
        if (!c->wls[i].doc)
            continue;
        str_add(out, any ? "," : "");
        edit_json(out, c->wls[i].doc);
        any = true;
    }
    str_addc(out, ']');
}

/* The whole result where the table gives it. `admission` stays in these tables when quota is released, since what stands in for the
 * API server there does not take fields away; the condition QuotaReserved tells. */
static void check_workloads(struct cluster *c, bool topology)
{
    const char *const ignore[] = {"lastTransitionTime",
                                  "resourceVersion",
                                  "ownerReferences",
                                  "observedGeneration",
                                  "accumulatedPastExecutionTimeSeconds",
                                  "admission",
                                  topology ? NULL : "topologyRequest",
                                  NULL};
    const struct doc_node *want = vec_want(c->v, "wantWorkloads"),
                          *got = doc_field(c->v->got, "wantWorkloads");
    struct str s;
    str_init(&s, 0);
    print_workloads(c, &s);
    vec_check_json(c->v, "wantWorkloads", got ? got : want, &s,
                   &(struct vec_compare){.ignore = ignore, .sets = true});
    str_free(&s);
}

static void check_events(struct cluster *c)
{
    static const char *const ignore[] = {"key", NULL};
    struct str s;
    str_init(&s, 0);
    str_addf(&s, "[%s]", str_text(&c->events));
    vec_check_json(c->v, "wantEvents", vec_want(c->v, "wantEvents"), &s,
                   &(struct vec_compare){.ignore = ignore, .sets = true, .subset = true});
    str_free(&s);
}

static void check_job(struct cluster *c)
{
    static const char *const ignore[] = {"resourceVersion", "creationTimestamp", NULL};
    if (c->job)
        vec_check_doc(c->v, "wantJob", vec_want(c->v, "wantJob"), c->job,
                      &(struct vec_compare){.ignore = ignore});
}

static bool mentions(const struct doc_node *n, const char *key)
{
    bool found = n && n->key && strcmp(n->key, key) == 0;
    doc_foreach (c, n)
        found = found || mentions(c, key);
    return found;
}

static bool skip_elastic(struct vec *v)
{
    struct cluster c = {.v = v};
    read_gates(&c);
    if (!gate_named(&c.gates, "ElasticJobsViaWorkloadSlices") ||
        !mentions(v->input, "kueue.x-k8s.io/elastic-job"))
        return false;
    vec_skip(v, "elastic workload slices come later");
    return true;
}

static void run_table(struct vec *v, enum api_kind kind)
{
    struct cluster c;
    bool error = false;
    if (skip_elastic(v))
        return;
    open_cluster(&c, v, kind);
    add_workloads(&c, vec_find(v, "workloads"));
    if (!v->failed)
        look(&c, &error);
    if (!v->failed) {
        vec_check_bool(v, "wantErr", NULL, error != (doc_field(v->want, "wantErr") != NULL));
        check_job(&c);
        check_workloads(&c, true);
        if (doc_get(v->want, "wantEvents"))
            check_events(&c);
    }
    close_cluster(&c);
}

static void run_batch(struct vec *v)
{
    run_table(v, API_JOB);
}

static void run_job_set(struct vec *v)
{
    run_table(v, API_JOB_SET);
}

/* ---- a job that is a stand-in: its pod sets are given beside it --------------------------------------------------------- */

static const struct doc_node *job_with_pods(struct vec *v)
{
    const struct doc_node *ps = doc_at(vec_find(v, "podSets"), 0);
    struct str s;
    str_init(&s, 0);
    str_addf(&s, "{\"spec\":{\"parallelism\":%d,\"template\":null}}", (int)doc_i64_or(ps, "count", 1));
    const struct doc_node *job = merge(v, vec_find(v, "job"), str_text(&s));
    str_clear(&s);
    str_add(&s, "{\"spec\":{\"template\":");
    edit_json(&s, doc_field(ps, "template"));
    str_add(&s, "}}");
    job = merge(v, job, str_text(&s));
    str_free(&s);
    return job;
}

static void run_generic(struct vec *v)
{
    struct cluster c;
    bool error = false;
    if (mentions(vec_find(v, "reconcilerOptions"), "annotationsToCopy")) {
        vec_skip(v, "custom labels of metrics (CustomMetricLabels) come later");
        return;
    }
    if (skip_elastic(v))
        return;
    open_cluster(&c, v, API_JOB);
    c.job = job_with_pods(v);
    add_workloads(&c, vec_find(v, "objs"));
    if (!v->failed)
        look(&c, &error);
    if (!v->failed)
        check_workloads(&c, false); /* the stand-in asks for none */
    close_cluster(&c);
}

/* The request that fails in one of the cases is not ours: what is decided is the same in both. */
static void run_generic_ready(struct vec *v)
{
    struct cluster c;
    struct look l = {.sight = {.nwls = 0}};
    open_cluster(&c, v, API_JOB);
    c.rules.pods_ready = true;
    c.job = doc_at(v->objects, 0);
    if (add_workload(&c, vec_find(v, "workload")) && see(&c, &l)) {
        const struct job_action *a = l.plan.n == 1 ? l.plan.actions : NULL;
        vec_check_bool(v, "one action", NULL, !a);
        vec_check_str(v, "action", NULL, a && a->act != JOB_SET_PODS_READY ? job_act_name(a->act) : "");
        vec_check_bool(v, "ready", NULL, a && !a->on);
    }
    job_view_free(l.job);
    close_cluster(&c);
}

/* Which class the Workload of a job has, and what is said of one that is not there. */
static void run_priority(struct vec *v)
{
    struct cluster c;
    struct look l = {.sight = {.nwls = 0}};
    struct object job, wl;
    struct err err = {0};
    const struct doc_node *want = doc_path(v->want, "wantErr.error");
    if (want && strstr(want->text, "forbidden")) {
        vec_skip(v, "an API server that refuses to read");
        return;
    }
    open_cluster(&c, v, API_JOB);
    if (vec_find(v, "podSets"))
        c.job = job_with_pods(v);
    if (vec_object(v, c.job, &job)) {
        int rc = job_workload(&job, job.name, "", &c.rules.making, v->arena, API_LENIENT, NULL, &wl, &err);
        vec_check(v, "wantErr", want ? rc < 0 && strstr(err.text, want->text) : rc == 0,
                  want ? want->text : "", err.text);
    }
    c.rules.manage_without_queue = true;
    if (see(&c, &l))
        for (uint32_t i = 0; i < l.plan.n; i++)
            if (l.plan.actions[i].act == JOB_EVENT && l.plan.actions[i].on)
                put_event(&c, &l.plan.actions[i]);
    check_events(&c);
    job_view_free(l.job);
    close_cluster(&c);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

static void run_ancestor(struct vec *v)
{
    struct owners owners = {.objects = vec_find(v, "ancestors"),
                            .frameworks = vec_find(v, "integrations"),
                            .external = vec_find(v, "externalFrameworks")};
    struct gates g = gates_default();
    struct job_view *job = NULL;
    struct err err;
    const struct doc_node *want = doc_field(v->want, "wantManaged");
    if (job_view_of(job_kind_of(API_JOB), vec_find(v, "job"), &g, v->arena, &job, &err) < 0) {
        vec_broken(v, "job", &err);
        return;
    }
    struct job_ancestry a =
        job_place_of(job, vec_bool(v, vec_find(v, "manageJobsWithoutQueueName")), find_owner, &owners);
    bool failed = a.place != JOB_TOP && a.place != JOB_CHILD;
    vec_check_bool(v, "wantErr", NULL, failed != (doc_field(v->want, "wantErr") != NULL));
    vec_check_str(v, "wantManaged", doc_path(want, "metadata.name"),
                  a.place == JOB_CHILD ? a.ancestor.name : "");
    job_view_free(job);
}

static void run_ready(struct vec *v, enum api_kind kind, const char *input)
{
    const struct job_kind *k = job_kind_of(kind);
    vec_check_bool(v, "want", vec_want(v, "want"), k->ready(k, vec_find(v, input)));
}

static void run_batch_ready(struct vec *v)
{
    run_ready(v, API_JOB, "job");
}

static void run_job_set_ready(struct vec *v)
{
    run_ready(v, API_JOB_SET, "jobSet");
}

static const struct vec_entry entries[] = {
    {"controller_jobs_job__TestReconciler", run_batch, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobs_jobset__TestReconciler", run_job_set, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobframework__TestReconcileGenericJob", run_generic, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_jobframework__TestReconcileGenericJobWithWaitForPodsReady", run_generic_ready, NULL, 0},
    {"controller_jobframework__TestExtractPriorityReportsMissingWorkloadPriorityClass", run_priority, NULL,
     0},
    {"controller_jobframework__TestFindAncestorJobManagedByKueue", run_ancestor, NULL, 0},
    {"controller_jobs_job__TestPodsReady", run_batch_ready, NULL, 0},
    {"controller_jobs_jobset__TestPodsReady", run_job_set_ready, NULL, 0},
};

VEC_AREA(vec_area_jobs_reconcile, entries);
