/* How a Workload's record gets to the API server: one write at a time and object, rendered right before it leaves, from what is wanted then and
 * the version that it was decided on. The one place where decisions pass (run/sink.h). */
#include "run/run_priv.h"

#include "core/admission.h"
#include "jobs/patch.h"

#include <inttypes.h>
#include <string.h>

static void path_of(const struct record *r, const char *sub, struct str *out)
{
    str_addf(out, "%s/namespaces/%s/workloads/%s%s", KUEUE_PATH, r->view->ns, r->view->name, sub);
}

/* Kueue's own names, so that fields change hands without a new manager when a cluster does. */
static void add_manager(struct write_request *q, const char *name)
{
    str_addf(&q->path, "?fieldManager=%s", name);
}

/* No memory is needed for a key: what cannot be cancelled would come back to a record that is gone. */
struct key {
    char text[WRITE_KEY_MAX + 16];
};

static struct key key_of(const struct record *r)
{
    struct key k;

    (void)snprintf(k.text, sizeof(k.text), "workloads/%s", r->key);
    return k;
}

static int finish_render(struct write_request *q)
{
    return str_failed(&q->path) || str_failed(&q->body) ? ERR_NOMEM : 0;
}

/* ---- verdicts -------------------------------------------------------------------------------------------------------------- */

struct flight *flight_of(struct record *r)
{
    if (!r->f) {
        r->f = mem_zalloc(1, sizeof(*r->f));
        if (r->f)
            r->f->fate = SINK_SUPERSEDED;
    }
    return r->f;
}

void flight_trim(struct record *r)
{
    const struct flight *f = r->f;

    if (!f || f->nwanted || f->nsent || f->held || f->text || f->timer.set)
        return;
    mem_free(r->f);
    r->f = NULL;
}

static void set_fate(struct record *r, enum sink_outcome o)
{
    if (r->f)
        r->f->fate = o;
}

static void end_verdict(struct record *r, struct verdict *v, enum sink_outcome o)
{
    if (v->id)
        r->c->sink->outcome(r->c->sink, v->id, o);
    *v = (struct verdict){0};
}

static void end_sent(struct record *r, enum sink_outcome o)
{
    for (uint32_t i = 0; r->f && i < r->f->nsent; i++)
        end_verdict(r, &r->f->sent[i], o);
    if (r->f)
        r->f->nsent = 0;
}

/* The oldest makes room: four decisions on one object that never got through. */
static void add(struct record *r, struct verdict *list, uint32_t *n, struct verdict v)
{
    if (*n == VERDICTS_MAX) {
        end_verdict(r, &list[0], SINK_LOST);
        memmove(&list[0], &list[1], (VERDICTS_MAX - 1) * sizeof(list[0]));
        --*n;
    }
    list[(*n)++] = v;
}

/* What is wanted becomes a part of the request. */
static void send_wanted(struct record *r)
{
    for (uint32_t i = 0; i < flight_wanted(r); i++)
        add(r, r->f->sent, &r->f->nsent, r->f->wanted[i]);
    if (r->f)
        r->f->nwanted = 0;
}

static const struct cond *cond_of(const struct status *s, enum sink_what kind)
{
    static const enum cond_type types[SINK_WHATS] = {
        [SINK_ADMIT] = COND_QUOTA_RESERVED,
        [SINK_EVICT] = COND_EVICTED,
        [SINK_DEACTIVATE] = COND_DEACTIVATION_TARGET,
        [SINK_RELEASE] = COND_QUOTA_RESERVED,
        [SINK_FINISH] = COND_FINISHED,
    };

    return &s->cond[types[kind]];
}

/* Times of the API are whole seconds. */
static bool happened(const struct record *r, const struct verdict *v)
{
    const struct cond *c = cond_of(r->status, v->what);
    enum cond_status says = v->what == SINK_RELEASE ? STATUS_FALSE : STATUS_TRUE;

    return c->status == says && c->since == v->since / NS_PER_S * NS_PER_S;
}

void publish_settle(struct record *r)
{
    struct flight *f = r->f;

    if (!f)
        return;
    for (uint32_t i = 0; i < f->nsent; i++) {
        bool is_true = happened(r, &f->sent[i]);
        r->c->stats.admitted += is_true && f->sent[i].what == SINK_ADMIT;
        end_verdict(r, &f->sent[i], is_true ? SINK_PUBLISHED : f->fate);
    }
    f->nsent = 0;
    f->fate = SINK_SUPERSEDED;
}

static bool any(const struct record *r, enum sink_what what)
{
    bool found = false;

    for (uint32_t i = 0; r->f && i < r->f->nsent; i++)
        found = found || r->f->sent[i].what == what;
    for (uint32_t i = 0; i < flight_wanted(r); i++)
        found = found || r->f->wanted[i].what == what;
    return found;
}

static void drop_intents(struct record *r);

void publish_forget(struct record *r)
{
    struct controller *c = r->c;
    bool assumed = r->wl && r->wl->marks.reserved && !r->base.has_admission;
    bool evicts = any(r, SINK_EVICT);

    if (assumed)
        world_forget_admission(c->w, r->wl, run_now(c));
    if (r->wl && evicts)
        world_forget_preemption(r->wl);
    if (assumed || evicts)
        run_changed(c);
    drop_intents(r);
}

static void unlist_waiting(struct record *r)
{
    struct controller *c = r->c;

    for (struct record **p = &c->waiting; *p; p = &(*p)->next_waiting) {
        if (*p != r)
            continue;
        *p = r->next_waiting;
        if (!*p)
            c->waiting_end = p;
        break;
    }
    r->waits_for_sink = false;
}

static void drop_intents(struct record *r)
{
    struct controller *c = r->c;

    for (uint32_t i = 0; i < flight_wanted(r); i++)
        end_verdict(r, &r->f->wanted[i], SINK_SUPERSEDED);
    if (r->f) {
        r->f->nwanted = 0;
        mem_free(r->f->text);
        r->f->text = NULL;
    }
    notices_cut(&r->notices, 0);
    if (r->waits_for_sink)
        unlist_waiting(r);
    if (r->queued)
        writes_cancel(c->writes, key_of(r).text);
    r->queued = r->in_flight = r->more = false;
}

/* What was sent of an object that is gone: nobody will know. */
void publish_cancel(struct record *r)
{
    drop_intents(r);
    end_sent(r, SINK_LOST);
}

/* ---- the four writes ------------------------------------------------------------------------------------------------------- */

static int render_status(struct record *r, struct write_request *q, bool *ret_changed)
{
    struct controller *c = r->c;
    const struct fact_admission *admission = NULL;
    const struct fact_assignment *asked = NULL;
    uint32_t nasked = 0;
    char rv[24];

    snprintf(rv, sizeof(rv), "%" PRIu64, r->rv);
    bool reserved = r->status->cond[COND_QUOTA_RESERVED].status == STATUS_TRUE;
    if (r->wl && reserved && admission_of(c->w, r->wl, &c->arena, &admission))
        return ERR_NOMEM;
    if (r->wl && r->was_refused && !reserved && admission_asked(c->w, r->wl, &c->arena, &asked, &nasked))
        return ERR_NOMEM;
    const struct wl_json_patch p = {
        .uid = r->view->uid,
        .resource_version = rv,
        .from = &r->base,
        .rest = r->rest,
        .to = r->status,
        .admission = admission,
        .requests = asked,
        .nrequests = nasked,
        .reclaimable = r->reclaimable,
        .nreclaimable = r->nreclaimable,
    };
    int rc = wl_json_patch(&p, &q->body, ret_changed);
    arena_reset(&c->arena);
    if (rc || !*ret_changed)
        return rc;
    q->verb = KUBE_PATCH;
    q->content_type = KUBE_MERGE_PATCH;
    path_of(r, "/status", &q->path);
    add_manager(q, "kueue-admission");
    r->sent_what = SENT_STATUS;
    return finish_render(q);
}

static int render_spec(struct record *r, struct write_request *q)
{
    q->verb = KUBE_PATCH;
    q->content_type = KUBE_MERGE_PATCH;
    path_of(r, "", &q->path);
    str_addf(&q->body, "{\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\"},\"spec\":{", r->rv);
    if (r->want_active_false)
        str_add(&q->body, "\"active\":false");
    if (r->want_priority)
        str_addf(&q->body, "%s\"priority\":%" PRId32, r->want_active_false ? "," : "", r->priority);
    str_add(&q->body, "}}");
    r->sent_what = SENT_SPEC;
    return finish_render(q);
}

static int render_release(struct record *r, struct write_request *q)
{
    path_of(r, "", &q->path);
    if (r->other_finalizers && !(r->f && r->f->text)) { /* the others' stay: the list is read first */
        q->verb = KUBE_GET;
        r->sent_what = SENT_GET;
        return finish_render(q);
    }
    q->verb = KUBE_PATCH;
    q->content_type = KUBE_MERGE_PATCH;
    r->sent_what = SENT_RELEASE;
    if (!r->other_finalizers) {
        str_addf(&q->body, "{\"metadata\":{\"resourceVersion\":\"%" PRIu64 "\",\"finalizers\":null}}", r->rv);
        return finish_render(q);
    }
    const struct doc_node *doc = run_read(r->c, r->key, r->f->text, r->f->text_len);
    int rc = doc ? job_finalizer_patch(doc, &r->c->scratch, &q->body, NULL) : ERR_NOMEM;
    arena_reset(&r->c->arena);
    return rc ? rc : finish_render(q);
}

static int render_remove(struct record *r, struct write_request *q)
{
    q->verb = KUBE_DELETE;
    q->content_type = KUBE_JSON;
    path_of(r, "", &q->path);
    str_add(&q->body, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"preconditions\":{\"uid\":");
    str_add_json(&q->body, r->view->uid);
    str_add(&q->body, "}}");
    r->sent_what = SENT_REMOVE;
    return finish_render(q);
}

static int render_reread(struct record *r, struct write_request *q)
{
    q->verb = KUBE_GET;
    path_of(r, "", &q->path);
    r->sent_what = SENT_REREAD;
    return finish_render(q);
}

static int choose(struct record *r, struct write_request *q)
{
    bool changed = false;

    if (r->rereading || !r->rv) /* without a version: records_reread asked for the object as it is */
        return render_reread(r, q);
    if (!r->waits_for_sink) {
        int rc = render_status(r, q, &changed);
        if (rc || changed)
            return rc;
    }
    if (r->want_active_false || r->want_priority)
        return render_spec(r, q);
    if (r->want_release && r->view->has_finalizer)
        return render_release(r, q);
    return r->want_remove ? render_remove(r, q) : 1;
}

/* From here to the answer, what comes from the watch is held back. */
static int render(void *arg, struct write_request *q, struct err *err)
{
    struct record *r = arg;

    (void)err;
    q->safe_twice = true;
    int rc = choose(r, q);
    if (rc)
        return rc;
    r->in_flight = true;
    r->more = false;
    if (r->sent_what == SENT_STATUS)
        send_wanted(r);
    return 0;
}

void publish_decision(struct record *r, enum sink_what what, const char *reason, const char *message)
{
    struct controller *c = r->c;
    const struct sink_decision d = {
        .what = what,
        .ns = r->view->ns,
        .name = r->view->name,
        .uid = r->view->uid,
        .cluster_queue = r->wl ? names_text(world_names(c->w), r->wl->admission) : "",
        .reason = reason,
        .message = message,
        .at = run_now(c),
    };

    struct flight *f = flight_of(r);
    if (!f) { /* nothing is written that the sink does not know: the object is read again, and decided anew */
        r->rereading = true;
        publish(r, WRITE_STATUS, 0);
        return;
    }
    add(r, f->wanted, &f->nwanted,
        (struct verdict){c->sink->decide(c->sink, &d), what, cond_of(r->status, what)->since});
    if (r->waits_for_sink)
        return;
    r->waits_for_sink = true;
    r->next_waiting = NULL;
    *c->waiting_end = r;
    c->waiting_end = &r->next_waiting;
}

static bool all_committed(const struct record *r)
{
    for (uint32_t i = 0; i < flight_wanted(r); i++)
        if (!r->c->sink->committed(r->c->sink, r->f->wanted[i].id))
            return false;
    return true;
}

void publish_release(struct controller *c)
{
    struct record *next, *list = c->waiting;

    c->waiting = NULL;
    c->waiting_end = &c->waiting;
    for (struct record *r = list; r; r = next) {
        next = r->next_waiting;
        r->next_waiting = NULL;
        if (all_committed(r)) {
            r->waits_for_sink = false;
            publish(r, WRITE_URGENT, 0);
            continue;
        }
        *c->waiting_end = r;
        c->waiting_end = &r->next_waiting;
    }
}

/* ---- how it ended ---------------------------------------------------------------------------------------------------------- */

void publish_event(struct record *r, bool warning, const char *reason, const char *note)
{
    struct controller *c = r->c;
    const struct event_ref ref = {
        .api_version = KUEUE_VERSION,
        .kind = "Workload",
        .ns = r->view->ns,
        .name = r->view->name,
        .uid = r->view->uid,
    };

    events_emit(c->events, &ref, warning ? EVENTS_WARNING : EVENTS_NORMAL, reason, reason, note);
    c->stats.events++;
}

static void publish_events(struct record *r)
{
    for (uint32_t i = 0; i < r->notices.n; i++)
        publish_event(r, r->notices.v[i].warning, r->notices.v[i].reason, r->notices.v[i].note);
    notices_cut(&r->notices, 0);
}

/* The whole object: it is taken as it is. */
static void take_text(struct record *r, const char *body, size_t len)
{
    struct controller *c = r->c;
    const struct doc_node *doc = run_read(c, r->key, body, len);

    if (!doc || record_take(c, doc, r->epoch))
        r->rereading = true;
    arena_reset(&c->arena);
    arena_reset(&c->scratch);
}

/* The API server has what we sent, and answers with all that it has. */
static void done_status(struct record *r, const char *body, size_t len)
{
    struct controller *c = r->c;

    r->refusals = 0;
    c->stats.status_writes++;
    set_fate(r, SINK_SUPERSEDED);
    publish_events(r);
    take_text(r, body, len);
}

static void keep_text(struct record *r, const char *body, size_t len)
{
    struct flight *f = flight_of(r);

    if (!f)
        return; /* asked for again */
    mem_free(f->text);
    f->text = mem_strndup(body, len);
    f->text_len = len;
}

static void done_ok(struct record *r, const char *body, size_t len)
{
    switch (r->sent_what) {
    case SENT_STATUS:
        done_status(r, body, len);
        break;
    case SENT_GET:
        keep_text(r, body, len);
        break;
    case SENT_REREAD:
        take_text(r, body, len);
        break;
    case SENT_SPEC:
    case SENT_RELEASE:
        r->c->stats.workload_writes++;
        publish_events(r);
        take_text(r, body,
                  len); /* of one that is gone with its last finalizer, too: the watch says that it is gone */
        break;
    case SENT_REMOVE:
        r->c->stats.workload_writes++;
        publish_events(r);
        r->want_remove = false;
        break;
    }
}

/* What the API server will not have: not again at once, and out of the queue for a while. */
static void refused(struct record *r, const struct reply *reply)
{
    static const struct backoff backoff = {NS_PER_S, 300 * NS_PER_S, 2};
    struct controller *c = r->c;

    c->stats.refused++;
    run_log(c, LOG_WARNING, r->key, "the API server refused a write (%d %s): %.300s", reply->code,
            reply->reason, reply->message);
    r->refused_until = run_now(c) + backoff_wait(&backoff, ++r->refusals);
    set_fate(r, SINK_REFUSED);
    r->rereading = true;
}

/* True: the object is gone, and so is the record. */
static bool done_refused(struct record *r, const struct reply *reply)
{
    struct controller *c = r->c;

    switch (reply->class) {
    case REPLY_CONFLICT: /* somebody else wrote: what was decided was decided on another object */
        c->stats.conflicts++;
        set_fate(r, SINK_SUPERSEDED);
        r->rereading = true;
        return false;
    case REPLY_NOT_FOUND:
    case REPLY_GONE:
        record_deleted(c, r);
        return true;
    default:
        refused(r, reply);
        return false;
    }
}

/* What came meanwhile counts if it is newer than what we know. */
static void take_held(struct record *r)
{
    struct flight *f = r->f;

    if (!f || !f->held)
        return;
    char *text = f->held;
    size_t len = f->held_len;
    uint64_t rv = f->held_rv;
    f->held = NULL;
    if (rv > r->rv)
        take_text(r, text, len);
    mem_free(text);
}

/* After an answer: what else is there to write? */
static void go_on(struct record *r, enum write_end end, bool more)
{
    if (r->queued) /* taking an object asked for a write already */
        return;
    if (r->rereading)
        publish(r, WRITE_STATUS, r->sent_what == SENT_REREAD ? NS_PER_S : 0);
    else if (more || (end == WRITE_OK && r->sent_what == SENT_GET))
        publish(r, flight_wanted(r) ? WRITE_URGENT : WRITE_STATUS, 0);
    if (r->job)
        job_touch(r->job);
}

static void on_done(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len)
{
    struct record *r = arg;
    struct controller *c = r->c;
    char key[WRITE_KEY_MAX];

    if (end == WRITE_REPLACED)
        return;
    snprintf(key, sizeof(key), "%s", r->key);
    bool more = r->more;
    r->queued = r->in_flight = r->more = false;
    if (end == WRITE_REFUSED && done_refused(r, reply))
        return;
    if (end == WRITE_OK)
        done_ok(r, body, len);
    else if (end != WRITE_NOTHING && end != WRITE_REFUSED) {
        c->stats.lost++;
        set_fate(r, SINK_LOST);
        r->rereading = true;
    }
    /* What was taken may have been another object of that name, or the record is gone. */
    HASH_FIND(hh, c->records, key, strlen(key), r);
    if (r)
        take_held(r);
    HASH_FIND(hh, c->records, key, strlen(key), r);
    if (r && !c->stopping)
        go_on(r, end, more);
    if (r)
        flight_trim(r);
}

/* ---- asking for it --------------------------------------------------------------------------------------------------------- */

static int64_t held_off(const struct record *r, int64_t wait_ns)
{
    int64_t left = r->refused_until == WHEN_NONE || r->rereading ? 0 : r->refused_until - run_now(r->c);

    return left > wait_ns ? left : wait_ns;
}

int64_t publish_waiting_ns(const struct controller *c)
{
    return run_busy(c) ? 5 * NS_PER_S : NS_PER_S;
}

void publish(struct record *r, enum write_level level, int64_t wait_ns)
{
    struct controller *c = r->c;
    int64_t wait = held_off(r, wait_ns), at = kube_mono(&c->seams.clock) + wait;

    if (!c->leads)
        return;
    if (r->in_flight) {
        r->more = true;
        return;
    }
    if (r->queued && at >= r->publish_at && level >= r->level)
        return; /* what is asked for then is what is wanted then */
    const struct key key = key_of(r);
    const struct write w = {
        .key = key.text,
        .level = level,
        .wait_ns = wait,
        .render = render,
        .on_done = on_done,
        .arg = r,
    };
    if (writes_put(c->writes, &w, NULL)) {
        r->unasked = !r->queued;
        if (r->unasked)
            record_wake(r, NS_PER_S); /* the queue is full, or memory short: later */
    } else {
        r->queued = true;
        r->unasked = false;
        r->publish_at = at;
        r->level = level;
    }
}
