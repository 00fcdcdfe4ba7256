/* Carrying out a job's plan: changes of its Workload's status at once, through the record; requests one at a time, with the documents that they
 * need fetched before. After each request the job is looked at anew, so that a step that failed or a world that changed is nothing special. */
#include "run/run_priv.h"

#include "api/emit.h"
#include "jobs/patch.h"

#include <inttypes.h>
#include <string.h>

static const struct backoff backoff = {NS_PER_S, 120 * NS_PER_S, 2};

/* ---- words ----------------------------------------------------------------------------------------------------------------- */

static const char *version_of(const struct job_kind *k)
{
    return k->api == API_JOB ? "batch/v1" : "jobset.x-k8s.io/v1alpha2";
}

static void emit_event(struct job *j, bool warning, const char *reason, const char *note)
{
    struct controller *c = j->c;
    const struct event_ref ref = {
        .api_version = version_of(j->kind),
        .kind = j->kind->kind,
        .ns = j->ns,
        .name = j->name,
        .uid = j->view ? j->view->uid : NULL,
    };

    events_emit(c->events, &ref, warning ? EVENTS_WARNING : EVENTS_NORMAL, reason, reason, note);
    c->stats.events++;
}

static void tell(struct job *j)
{
    for (uint32_t i = 0; i < j->notices.n; i++)
        emit_event(j, j->notices.v[i].warning, j->notices.v[i].reason, j->notices.v[i].note);
    notices_cut(&j->notices, 0);
}

/* ---- status of the Workload ------------------------------------------------------------------------------------------------ */

static struct record *record_of(struct job *j, const struct job_action *a)
{
    return a->wl ? records_find(j->c, a->wl->ns, a->wl->name) : NULL;
}

static int set_reclaimable(struct record *r, const struct job_action *a)
{
    struct fact_reclaimable *v = mem_zalloc(r->view->npods + 1, sizeof(*v));
    uint32_t n = 0;

    if (!v)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->view->npods; i++)
        if (a->counts[i] > 0)
            v[n++] = (struct fact_reclaimable){r->view->pods[i].name, a->counts[i]};
    mem_free(r->reclaimable);
    r->reclaimable = v;
    r->nreclaimable = n;
    return 0;
}

/* True: it was one of these, and was done. */
static bool change_status(struct job *j, const struct job_action *a)
{
    struct controller *c = j->c;
    struct record *r = record_of(j, a);
    struct err err;
    int rc;

    if (a->act != JOB_FINISH && a->act != JOB_SET_PODS_READY && a->act != JOB_SET_RECLAIMABLE &&
        a->act != JOB_RELEASE)
        return false;
    if (!r)
        return true;
    if (a->act == JOB_SET_RECLAIMABLE)
        rc = set_reclaimable(r, a);
    else if (!record_status(r))
        rc = ERR_NOMEM;
    else
        rc = job_action_status(a, &c->rules, r->status, run_now(c), r->view->generation, &err);
    if (rc) {
        run_log(c, LOG_ERROR, r->key, "out of memory: %s is done later", job_act_name(a->act));
        r->rereading = true; /* half of it may be done */
        publish(r, WRITE_STATUS, NS_PER_S);
        timer_start(&c->timers, &j->timer, NS_PER_S);
        return true;
    }
    if (a->act == JOB_FINISH || a->act == JOB_RELEASE)
        publish_decision(r, a->act == JOB_FINISH ? SINK_FINISH : SINK_RELEASE, a->reason, a->message);
    record_marks(r);
    record_touch(r);
    if (!a->lazy)
        publish(r, WRITE_STATUS, 0);
    return true;
}

/* ---- requests -------------------------------------------------------------------------------------------------------------- */

static const struct fact_flavor *flavor_of(void *arg, const char *name)
{
    struct controller *c = arg;

    return things_flavor(c, &c->arena, name);
}

static void workload_path(const struct job *j, const char *name, struct str *out)
{
    str_addf(out, "%s/namespaces/%s/workloads", KUEUE_PATH, j->ns);
    if (name)
        str_addf(out, "/%s", name);
}

static void job_path(const struct job *j, const char *sub, struct str *out)
{
    const char *path = kind_path(j->kind->api), *slash = strrchr(path, '/');

    str_addf(out, "%.*s/namespaces/%s%s/%s%s", (int)(slash - path), path, j->ns, slash, j->name, sub);
}

struct docs {
    struct job_docs d;
    struct object job; /* as lib/jobs wants it for a Workload */
};

/* The texts were read before: only memory can be short. */
static int open_docs(struct job *j, struct docs *ret, struct err *err)
{
    struct controller *c = j->c;

    *ret = (struct docs){.d = {.kind = j->kind, .gates = c->rules.making.gates, .arena = &c->scratch}};
    if (j->job_text && !(ret->d.job = run_read(c, j->key, j->job_text, j->job_len)))
        return ERR_NOMEM;
    if (j->wl_text && !(ret->d.workload = run_read(c, j->key, j->wl_text, j->wl_len)))
        return ERR_NOMEM;
    if (!ret->d.job)
        return 0;
    return api_read_as(j->kind->api, ret->d.job, &c->arena, API_LENIENT, NULL, &ret->job, err);
}

/* What job_workload makes, as JSON or for a comparison. */
static int make_workload(struct job *j, const struct docs *docs, struct object *ret, struct err *err)
{
    struct controller *c = j->c;

    return job_workload(&docs->job, j->name, j->view->queue, &c->rules.making, &c->arena, API_LENIENT, NULL,
                        ret, err);
}

static int render_create(struct job *j, const struct docs *docs, struct write_request *q, struct err *err)
{
    struct object made;
    int rc = make_workload(j, docs, &made, err);

    if (rc)
        return rc;
    q->verb = KUBE_POST;
    q->content_type = KUBE_JSON;
    workload_path(j, NULL, &q->path);
    emit_json(made.doc, 0, &q->body);
    return 0;
}

static int render_update(struct job *j, const struct docs *docs, struct write_request *q, struct err *err)
{
    struct object made;
    int rc = make_workload(j, docs, &made, err);

    return rc ? rc : job_update_workload_patch(docs->d.workload, made.doc, &j->c->scratch, &q->body, err);
}

static int render_priority(struct job *j, const struct docs *docs, const char *rv, struct write_request *q,
                           struct err *err)
{
    struct object made;
    int rc = make_workload(j, docs, &made, err);

    return rc ? rc : job_priority_patch(rv, made.doc, &q->body, err);
}

static void render_delete(const char *uid, const char *propagation, struct write_request *q)
{
    q->verb = KUBE_DELETE;
    q->content_type = KUBE_JSON;
    str_add(&q->body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",");
    if (propagation)
        str_addf(&q->body, "\"propagationPolicy\":\"%s\",", propagation);
    str_add(&q->body, "\"preconditions\":{\"uid\":");
    str_add_json(&q->body, uid);
    str_add(&q->body, "}}");
}

static int render_workload(struct job *j, const struct docs *docs, struct write_request *q, struct err *err)
{
    struct controller *c = j->c;
    const struct record *r = records_find(c, j->ns, j->wl_name);
    char rv[24];

    if (!r)
        return 1;
    snprintf(rv, sizeof(rv), "%" PRIu64, r->rv);
    workload_path(j, j->wl_name, &q->path);
    switch (j->act) {
    case JOB_UPDATE_WORKLOAD:
        return render_update(j, docs, q, err);
    case JOB_DELETE_WORKLOAD:
        if (r->view->has_finalizer)
            return job_finalizer_patch(docs->d.workload, &c->scratch, &q->body, err);
        render_delete(r->view->uid, NULL, q);
        return 0;
    case JOB_ADOPT_WORKLOAD:
        return job_adopt_patch(&docs->d, &q->body, err);
    case JOB_SET_PRIORITY:
        return render_priority(j, docs, rv, q, err);
    case JOB_SET_QUEUE:
        return job_queue_patch(rv, j->arg_text, &q->body, err);
    case JOB_SET_GATED_BY:
        return job_gated_patch(rv, j->arg_text, &q->body, err);
    default:
        return ERR_STATE;
    }
}

static int render_job(struct job *j, const struct docs *docs, struct write_request *q, struct err *err)
{
    struct controller *c = j->c;

    job_path(j, j->act == JOB_STOP_CLEAR ? "/status" : "", &q->path);
    switch (j->act) {
    case JOB_START:
        return job_start_patch(&docs->d, flavor_of, c, &q->body, err);
    case JOB_STOP_SUSPEND:
        return job_stop_patch(&docs->d, JOB_STEP_SUSPEND, &q->body, err);
    case JOB_STOP_CLEAR:
        return job_stop_patch(&docs->d, JOB_STEP_CLEAR, &q->body, err);
    case JOB_STOP_RESTORE:
        return job_stop_patch(&docs->d, JOB_STEP_RESTORE, &q->body, err);
    case JOB_SUSPEND_CHILD:
        return job_suspend_patch(j->kind, j->view->resource_version, &q->body, err);
    case JOB_DELETE_JOB:
        render_delete(j->view->uid, "Background", q);
        return 0;
    default:
        return ERR_STATE;
    }
}

static int render_action(struct job *j, struct write_request *q, struct err *err)
{
    struct docs docs;

    q->verb = KUBE_PATCH;
    q->content_type = KUBE_MERGE_PATCH;
    int rc = things_classes(j->c); /* one may be gone since the action was decided */
    if (!rc)
        rc = open_docs(j, &docs, err);
    if (rc)
        return rc;
    if (j->act == JOB_CREATE_WORKLOAD)
        return render_create(j, &docs, q, err);
    if (j->act == JOB_UPDATE_WORKLOAD || j->act == JOB_DELETE_WORKLOAD || j->act == JOB_ADOPT_WORKLOAD ||
        j->act == JOB_SET_PRIORITY || j->act == JOB_SET_QUEUE || j->act == JOB_SET_GATED_BY)
        return render_workload(j, &docs, q, err);
    return render_job(j, &docs, q, err);
}

static void render_fetch(struct job *j, struct write_request *q)
{
    q->verb = KUBE_GET;
    if (j->fetching == JOB_NEEDS_JOB)
        job_path(j, "", &q->path);
    else
        workload_path(j, j->wl_name, &q->path);
}

/* Time went by since the action was decided: is what it was decided on, and the documents, still what is? */
static bool is_stale(const struct job *j)
{
    const struct record *r = *j->wl_name ? records_find(j->c, j->ns, j->wl_name) : NULL;

    if (!j->view)
        return j->act != JOB_DELETE_WORKLOAD;
    if (*j->wl_name && j->act != JOB_CREATE_WORKLOAD && (!r || !record_settled(r)))
        return true;
    return ((j->needs & JOB_NEEDS_JOB) && !(j->job_text && j->job_text_rv == j->rv)) ||
           ((j->needs & JOB_NEEDS_WORKLOAD) && !(r && j->wl_text && j->wl_text_rv == r->rv));
}

static int render(void *arg, struct write_request *q, struct err *err)
{
    struct job *j = arg;
    struct err mine;
    struct err *e = err ? err : &mine;
    int rc = 0;

    q->safe_twice = true;
    e->text[0] = '\0';
    if (j->fetching)
        render_fetch(j, q);
    else
        rc = is_stale(j) ? 1 : render_action(j, q, e);
    j->was_stale = rc == 1;
    arena_reset(&j->c->arena);
    arena_reset(&j->c->scratch);
    if (rc == 0 && (str_failed(&q->path) || str_failed(&q->body)))
        return ERR_NOMEM;
    if (rc == 0 && q->verb == KUBE_PATCH && q->body.len == 0)
        return 1;
    if (rc < 0 && rc != ERR_NOMEM) {
        j->render_code = rc;
        snprintf(j->render_text, sizeof(j->render_text), "%s", e->text);
    }
    return rc;
}

/* ---- how it ended ---------------------------------------------------------------------------------------------------------- */

static void again_later(struct job *j)
{
    timer_start(&j->c->timers, &j->timer, backoff_wait(&backoff, ++j->failures));
}

/* The document that was asked for; and news of the object at the same time. */
static void fetched(struct job *j, const char *body, size_t len)
{
    struct controller *c = j->c;
    const struct doc_node *doc = run_read(c, j->key, body, len);
    char *text = mem_strndup(body, len);
    struct meta m;

    if (!doc || !text || !meta_read(doc, &m)) {
        mem_free(text);
        again_later(j);
        return;
    }
    if (j->fetching == JOB_NEEDS_JOB) {
        if (job_take(c, j->kind, body, len, doc, j->epoch))
            again_later(j);
        mem_free(j->job_text);
        j->job_text = text;
        j->job_len = len;
        j->job_text_rv = m.rv;
    } else {
        mem_free(j->wl_text);
        j->wl_text = text;
        j->wl_len = len;
        j->wl_text_rv = m.rv;
        const struct record *r = records_find(c, m.ns, m.name);
        if (r && records_news(c, doc, body, len, r->epoch))
            again_later(j);
    }
    arena_reset(&c->arena);
    arena_reset(&c->scratch);
}

/* The answer is the object as it is now. */
static void answered(struct job *j, const char *body, size_t len)
{
    struct controller *c = j->c;
    struct kind_watch *wk = kinds_find(c, API_WORKLOAD);
    bool about_job = j->act == JOB_START || j->act == JOB_STOP_SUSPEND || j->act == JOB_STOP_CLEAR ||
                     j->act == JOB_STOP_RESTORE || j->act == JOB_SUSPEND_CHILD;
    const struct doc_node *doc;

    if (about_job)
        c->stats.job_writes++;
    else
        c->stats.workload_writes++;
    if (j->act == JOB_CREATE_WORKLOAD && j->created != WHEN_NONE)
        meter_created(c->meter, j->kind->kind, run_now(c) - j->created);
    bool deleted = j->act == JOB_DELETE_JOB || (j->act == JOB_DELETE_WORKLOAD && !j->wl_text);
    /* The watch may have said already that it is gone: the answer does not bring it back. */
    bool known = about_job || j->act == JOB_CREATE_WORKLOAD || records_find(c, j->ns, j->wl_name);
    tell(j);
    job_drop_texts(j);
    if (deleted || !known)
        return;
    doc = run_read(c, j->key, body, len);
    if (!doc || (about_job ? job_take(c, j->kind, body, len, doc, j->epoch)
                           : records_news(c, doc, body, len, wk->epoch)))
        again_later(j);
    arena_reset(&c->arena);
    arena_reset(&c->scratch);
}

static void refused(struct job *j, const struct reply *reply)
{
    struct controller *c = j->c;

    job_drop_texts(j);
    switch (reply->class) {
    case REPLY_CONFLICT:
        c->stats.conflicts++;
        break;
    case REPLY_EXISTS: /* the watch is late, or another object has that name */
        again_later(j);
        break;
    case REPLY_NOT_FOUND:
    case REPLY_GONE: /* the watch will say so */
        again_later(j);
        break;
    default:
        c->stats.refused++;
        run_log(c, LOG_WARNING, j->key, "the API server refused %s (%d %s): %.300s", job_act_name(j->act),
                reply->code, reply->reason, reply->message);
        emit_event(j, true, "Refused", reply->message);
        again_later(j);
    }
}

/* It can never start like this (around.md 1.0.5). */
static void failed_to_start(struct job *j)
{
    struct record *r = records_find(j->c, j->ns, j->wl_name);
    struct job_action start = {.act = JOB_START, .wl = r ? r->view : NULL};

    if (!r)
        return;
    const struct job_action finish = job_failed_to_start(&start, j->render_text);
    (void)change_status(j, &finish);
}

static void failed(struct job *j)
{
    if (j->act == JOB_START && j->render_code == ERR_STATE) {
        failed_to_start(j);
        return;
    }
    run_log(j->c, LOG_WARNING, j->key, "%s: %s", job_act_name(j->act), j->render_text);
    again_later(j);
}

static void on_done(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len)
{
    struct job *j = arg;
    bool fetching = j->fetching != 0;

    if (end == WRITE_REPLACED)
        return;
    j->in_flight = false;
    j->fetching = 0;
    if (end == WRITE_OK && fetching) {
        j->fetching = j->fetched_what;
        fetched(j, body, len);
        j->fetching = 0;
    } else if (end == WRITE_OK)
        answered(j, body, len);
    else if (end == WRITE_REFUSED)
        refused(j, reply);
    else if (end == WRITE_FAILED)
        failed(j);
    else if (end != WRITE_NOTHING || !j->was_stale)
        again_later(j);
    notices_cut(&j->notices, 0);
    if (!j->timer.set) /* else it waits before the next try */
        job_touch(j);
}

/* ---- asking for it --------------------------------------------------------------------------------------------------------- */

/* No memory is needed for a key: what cannot be cancelled would come back to a job that is gone. */
struct key {
    char text[WRITE_KEY_MAX + 16];
};

static struct key key_of(const struct job *j)
{
    struct key k;

    (void)snprintf(k.text, sizeof(k.text), "jobs/%s", j->key);
    return k;
}

void job_cancel(struct job *j)
{
    if (!j->in_flight)
        return;
    writes_cancel(j->c->writes, key_of(j).text);
    j->in_flight = false;
}

static void ask(struct job *j)
{
    struct controller *c = j->c;
    const struct key key = key_of(j);
    const struct write w = {
        .key = key.text,
        .level = WRITE_JOBS,
        .render = render,
        .on_done = on_done,
        .arg = j,
    };
    if (writes_put(c->writes, &w, NULL))
        timer_start(&c->timers, &j->timer, NS_PER_S);
    else
        j->in_flight = true;
}

static int keep_arguments(struct job *j, const struct job_action *a)
{
    const char *text = a->text;
    char *name = mem_strdup(a->wl ? a->wl->name : ""), *copy = mem_strdup(text ? text : "");

    if (!name || !copy) {
        mem_free(name);
        mem_free(copy);
        return ERR_NOMEM;
    }
    mem_free(j->wl_name);
    mem_free(j->arg_text);
    j->wl_name = name;
    j->arg_text = copy;
    j->act = a->act;
    return 0;
}

/* Documents that are needed and not there in the version that we know. */
static unsigned missing(const struct job *j, const struct job_action *a)
{
    unsigned needs = j->needs;
    const struct record *r = a->wl ? records_find(j->c, j->ns, a->wl->name) : NULL;

    if ((needs & JOB_NEEDS_JOB) && !(j->job_text && j->job_text_rv == j->rv))
        return JOB_NEEDS_JOB;
    if ((needs & JOB_NEEDS_WORKLOAD) && r && !(j->wl_text && j->wl_text_rv == r->rv))
        return JOB_NEEDS_WORKLOAD;
    return 0;
}

static void request(struct job *j, const struct job_action *a)
{
    if (a->act == JOB_REMOVE_FINALIZER) {
        struct record *r = record_of(j, a);
        if (r) {
            r->want_release = true;
            publish(r, WRITE_STATUS, 0);
        }
        return;
    }
    /* The API server takes another template only when no pod is left (kubernetes.md 4.2); the Job's status tells when. */
    if (a->act == JOB_STOP_RESTORE && j->view->active)
        return;
    if (keep_arguments(j, a)) {
        timer_start(&j->c->timers, &j->timer, NS_PER_S);
        return;
    }
    j->needs = job_action_needs(a);
    if (a->act == JOB_DELETE_WORKLOAD && a->wl->has_finalizer)
        j->needs |= JOB_NEEDS_WORKLOAD;
    j->fetching = j->fetched_what = missing(j, a);
    ask(j);
}

static uint64_t digest(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return h;
}

static void event(struct job *j, const struct job_action *a, bool asked)
{
    if (a->repeats) {
        uint64_t said = digest(a->message);
        if (said == j->repeated)
            return;
        j->repeated = said;
    }
    if (!asked)
        emit_event(j, a->on, a->reason, a->message);
    else if (notices_add(&j->notices, a->on, a->reason, a->message))
        emit_event(j, a->on, a->reason, a->message); /* a little early rather than not at all */
}

/* Until the first request; what comes behind it waits for the next look. The events behind a request are told when it succeeded. */
void job_carry_out(struct job *j, const struct job_plan *plan)
{
    struct controller *c = j->c;
    bool asked = false;

    notices_cut(&j->notices, 0);
    for (uint32_t i = 0; i < plan->n; i++) {
        const struct job_action *a = &plan->actions[i];
        if (a->act == JOB_EVENT)
            event(j, a, asked);
        else if (asked && (a->act == JOB_STOP_CLEAR || a->act == JOB_STOP_RESTORE))
            continue; /* a later step of the same stop: the event behind it tells of its first */
        else if (asked)
            break;
        else if (!change_status(j, a)) {
            request(j, a);
            asked = true;
        }
    }
    if (plan->again != WHEN_NONE) {
        int64_t wait = plan->again - run_now(c);
        timer_start(&c->timers, &j->timer, wait > 0 ? wait : 0);
    }
    if (plan->retry && !j->timer.set)
        again_later(j);
}
