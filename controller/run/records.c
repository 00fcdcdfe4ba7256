/* Workloads: what the API server has, what should be there, and what the world knows of it. */
#include "run/run_priv.h"

#include "lifecycle/waits.h"

#include <string.h>

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static struct record *find(const struct controller *c, const char *ns, const char *name)
{
    char key[WRITE_KEY_MAX];
    struct record *r = NULL;
    int n = snprintf(key, sizeof(key), "%s/%s", ns, name);

    if (n > 0 && (size_t)n < sizeof(key))
        HASH_FIND(hh, c->records, key, (size_t)n, r);
    return r;
}

struct record *records_find(const struct controller *c, const char *ns, const char *name)
{
    return find(c, ns, name);
}

static void on_timer(void *arg);

/* ---- statuses -------------------------------------------------------------------------------------------------------------- */

/* That of every Workload that nothing was said about: of 100,000 that wait, most. Never written to. */
static struct status *plain(void)
{
    static struct status s;
    static bool made;

    if (!made)
        status_init(&s);
    made = true;
    return &s;
}

static bool is_plain(const struct status *s)
{
    const struct status *p = plain();

    for (uint32_t i = 0; i < COND_TYPES; i++)
        if (s->cond[i].status != STATUS_ABSENT)
            return false;
    return !s->nchecks && !s->nevictions && s->requeue_count == p->requeue_count &&
           s->requeue_at == p->requeue_at && s->accumulated_s == p->accumulated_s &&
           s->topology_pending == p->topology_pending && s->has_gates == p->has_gates &&
           s->gates_open == p->gates_open;
}

static void drop_status(struct record *r)
{
    if (r->status != plain()) {
        status_free(r->status);
        mem_free(r->status);
    }
    r->status = plain();
    if (r->view)
        r->view->status = r->status;
}

/* `s` (initialised, not shared) becomes its status; ERR_NOMEM frees it and leaves the old one. */
static int give_status(struct record *r, struct status *s)
{
    struct status *own = plain();

    if (!is_plain(s)) {
        own = mem_alloc(sizeof(*own));
        if (!own) {
            status_free(s);
            return ERR_NOMEM;
        }
        *own = *s;
    } else
        status_free(s);
    drop_status(r);
    r->status = own;
    if (r->view)
        r->view->status = own;
    return 0;
}

struct status *record_status(struct record *r)
{
    struct status *own;

    if (r->status != plain())
        return r->status;
    own = mem_alloc(sizeof(*own));
    if (!own)
        return NULL;
    status_init(own);
    r->status = own;
    if (r->view)
        r->view->status = own;
    return own;
}

static struct record *add(struct controller *c, const char *ns, const char *name)
{
    struct record *r = mem_zalloc(1, sizeof(*r));
    struct str key;

    if (!r)
        return NULL;
    str_init(&key, WRITE_KEY_MAX);
    str_addf(&key, "%s/%s", ns, name);
    size_t len = key.len;
    r->key = str_take(&key);
    r->c = c;
    r->again = r->refused_until = WHEN_NONE;
    r->status = plain();
    if (r->key)
        HASH_ADD_KEYPTR(hh, c->records, r->key, len, r);
    if (!r->key || !r->hh.tbl) {
        mem_free(r->key);
        mem_free(r);
        return NULL;
    }
    c->nrecords++;
    return r;
}

static void unlist_dirty(struct record *r)
{
    struct controller *c = r->c;

    for (struct record **p = &c->dirty; *p; p = &(*p)->next_dirty) {
        if (*p != r)
            continue;
        *p = r->next_dirty;
        if (!*p)
            c->dirty_end = p;
        return;
    }
}

static void set_reclaimable(struct record *r, struct fact_reclaimable *v, uint32_t n)
{
    mem_free(r->reclaimable);
    r->reclaimable = v;
    r->nreclaimable = n;
}

static void drop(struct record *r)
{
    struct controller *c = r->c;

    publish_cancel(r);
    meter_feed_gone(r);
    jobs_unlink(r);
    if (r->dirty)
        unlist_dirty(r);
    record_wake(r, INT64_MAX);
    HASH_DEL(c->records, r);
    c->nrecords--;
    if (r->wl) {
        queues_touch_wl(c, r->wl);
        world_remember_queue(c->w, r->wl);
        world_del_workload(c->w, r->wl, run_now(c));
    }
    notices_free(&r->notices);
    set_reclaimable(r, NULL, 0);
    drop_status(r); /* before its view, which points to it */
    wl_view_free(r->view);
    wl_json_rest_free(r->rest);
    if (r->f) {
        mem_free(r->f->held);
        mem_free(r->f->text);
    }
    mem_free(r->f);
    mem_free(r->key);
    mem_free(r);
}

void records_free(struct controller *c)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        drop(r);
    }
}

bool record_settled(const struct record *r)
{
    return r->rv && !r->queued && !r->in_flight && !r->dirty && !r->rereading && flight_wanted(r) == 0;
}

/* ---- timers ---------------------------------------------------------------------------------------------------------------- */

static void arm(struct record *r)
{
    struct controller *c = r->c;
    int64_t wait = INT64_MAX;

    if (r->again != WHEN_NONE)
        wait = r->again > run_now(c) ? r->again - run_now(c) : 0;
    if (r->refused_until != WHEN_NONE) {
        int64_t w = r->refused_until > run_now(c) ? r->refused_until - run_now(c) : 0;
        wait = w < wait ? w : wait;
    }
    record_wake(r, wait);
}

static void on_timer(void *arg)
{
    record_touch(arg);
}

void record_wake(struct record *r, int64_t wait_ns)
{
    struct controller *c = r->c;
    struct flight *f = wait_ns == INT64_MAX ? r->f : flight_of(r);

    if (!f) {
        if (wait_ns != INT64_MAX) /* no memory for a timer: all are armed again in a while */
            timer_start(&c->timers, &c->rearm_timer, NS_PER_S);
        return;
    }
    if (!f->timer.fn)
        timer_init(&f->timer, on_timer, r);
    if (wait_ns == INT64_MAX)
        timer_stop(&c->timers, &f->timer);
    else
        timer_start(&c->timers, &f->timer, wait_ns);
}

void records_rearm(struct controller *c)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        if (r->f && r->f->timer.set)
            arm(r);
    }
}

/* ---- looking --------------------------------------------------------------------------------------------------------------- */

void record_touch(struct record *r)
{
    struct controller *c = r->c;

    if (r->dirty)
        return;
    r->dirty = true;
    r->next_dirty = NULL;
    *c->dirty_end = r;
    c->dirty_end = &r->next_dirty;
}

/* What the world sees of a Workload that the API server refuses to have changed: it stays out of its queue for a while. */
static void hold_off(const struct record *r, struct marks *m)
{
    if (r->refused_until != WHEN_NONE && (m->requeue_at == WHEN_NONE || m->requeue_at < r->refused_until))
        m->requeue_at = r->refused_until;
}

/* Quota is free once the API server says so, not when it was decided: whoever begins from the objects must count the same. */
static bool frees_unwritten(const struct record *r, const struct marks *m)
{
    return r->base.has_admission && !r->base_finished && (m->finished || !m->reserved);
}

void record_marks(struct record *r)
{
    struct controller *c = r->c;
    struct marks m;

    meter_feed_mark(r);
    if (!r->wl)
        return;
    m = r->wl->marks;
    marks_update(&m, r->status);
    hold_off(r, &m);
    if (frees_unwritten(r, &m))
        return;
    if (m.finished && !r->wl->marks.finished)
        c->stats.finished++;
    world_remember_queue(c->w, r->wl);
    world_put_marks(c->w, r->wl, &m, run_now(c));
    things_let_go(c);
    queues_touch_wl(c, r->wl);
    run_changed(c);
}

static struct lifecycle_object object_of(const struct record *r)
{
    const struct wl_view *v = r->view;

    return (struct lifecycle_object){
        .ending =
            {
                .owned = r->owned,
                .deleting = v->deleting,
                .has_job_uid = r->has_job_uid,
                .generation = v->generation,
            },
        .has_finalizer = v->has_finalizer,
        .max_execution_s = v->max_exec_s,
    };
}

static void note_result(struct record *r, const struct lifecycle_result *res)
{
    struct controller *c = r->c;

    r->again = res->again;
    r->want_active_false = r->want_active_false || res->deactivate;
    r->want_release = r->want_release || res->release;
    r->want_remove = r->want_remove || res->remove;
    if (res->evicted >= 0)
        c->stats.evicted++;
}

/* The class that it names has another value now (1.6). */
static void follow_class(struct record *r)
{
    struct controller *c = r->c;
    const struct thing *t;

    if (!r->view || strcmp(r->view->class_group, KUEUE_GROUP) != 0 ||
        r->status->cond[COND_FINISHED].status == STATUS_TRUE)
        return;
    t = things_find(c, API_WORKLOAD_PRIORITY_CLASS, "", r->view->class_name);
    r->want_priority = t && t->value != r->view->priority;
    r->priority = t ? t->value : 0;
}

/* A plain status is looked at as a copy, which is kept only if something came of it. */
static int look(struct record *r, const struct lifecycle *l, struct lifecycle_result *res, struct err *err)
{
    struct status s;

    if (r->status != plain())
        return lifecycle_run(l, r->status, res, err);
    status_init(&s);
    int rc = lifecycle_run(l, &s, res, err);
    if (rc || !res->changed) {
        status_free(&s);
        return rc;
    }
    return give_status(r, &s) ? err_set(err, ERR_NOMEM, "out of memory for a status") : 0;
}

/* Twice: after a change the world may want other checks. */
static int run_lifecycle(struct record *r, bool *ret_changed, struct err *err)
{
    struct controller *c = r->c;
    const struct lifecycle_object object = object_of(r);

    *ret_changed = false;
    for (int i = 0; i < 4; i++) {
        struct lifecycle_result res;
        struct lifecycle l = lifecycle_of(c->w, r->wl, r->view->gated_by, run_now(c));

        l.object = &object;
        l.config = &c->lifecycle;
        l.notices = &r->notices;
        l.jitter = (double)(c->seams.clock.random(c->seams.clock.self) >> 11) * 0x1p-53;
        int rc = look(r, &l, &res, err);
        if (rc)
            return rc;
        note_result(r, &res);
        if (res.evicted >= 0)
            publish_decision(r, SINK_EVICT, r->status->cond[COND_EVICTED].reason,
                             r->status->cond[COND_EVICTED].message);
        if (!res.changed)
            break;
        *ret_changed = true;
        record_marks(r);
    }
    return 0;
}

static bool waits(const struct record *r)
{
    return r->status->cond[COND_QUOTA_RESERVED].status != STATUS_TRUE &&
           r->status->cond[COND_EVICTED].status != STATUS_TRUE &&
           r->status->cond[COND_FINISHED].status != STATUS_TRUE;
}

/* Is there something to write, or to read, that nobody is about to ask for? */
static bool has_intent(const struct record *r)
{
    return r->want_active_false || r->want_release || r->want_remove || r->want_priority || r->unasked ||
           (r->rereading && !r->queued);
}

void record_look_at(struct record *r)
{
    struct controller *c = r->c;
    bool changed = false;
    struct err err;

    if (!r->wl || !c->leads || !c->complete)
        return;
    bool waited = r->refused_until != WHEN_NONE && r->refused_until <= run_now(c);
    if (waited)
        r->refused_until = WHEN_NONE;
    if (waited || r->unmarked)
        record_marks(r);
    r->unmarked = false;
    follow_class(r);
    if (run_lifecycle(r, &changed, &err)) {
        run_log(c, LOG_ERROR, r->key, "%s", err.text);
        r->again = run_now(c) + NS_PER_S;
        /* Half of it may be done: nothing is written, and no job started, before it is as it was. */
        r->rereading = true;
        publish(r, WRITE_STATUS, NS_PER_S);
    }
    arm(r);
    if (changed || has_intent(r))
        publish(r, WRITE_STATUS, changed && waits(r) ? publish_waiting_ns(c) : 0);
    if (r->job)
        job_touch(r->job);
    flight_trim(r);
}

void records_look(struct controller *c)
{
    for (uint32_t i = 0; i < LOOKS_A_TURN && c->dirty; i++) {
        struct record *r = c->dirty;
        c->dirty = r->next_dirty;
        if (!c->dirty)
            c->dirty_end = &c->dirty;
        r->dirty = false;
        record_look_at(r);
    }
}

/* ---- objects --------------------------------------------------------------------------------------------------------------- */

/* While one of our writes is under way, what comes may be older than it: it is looked at when the answer is there. */
static int hold(struct record *r, const char *json, size_t len, uint64_t rv)
{
    struct flight *f = flight_of(r);

    if (!f)
        return ERR_NOMEM;
    if (f->held && f->held_rv >= rv)
        return 0;
    char *copy = mem_strndup(json, len);
    if (!copy)
        return ERR_NOMEM;
    mem_free(f->held);
    f->held = copy;
    f->held_len = len;
    f->held_rv = rv;
    r->c->stats.held_facts++;
    return 0;
}

/* Why it waits, as the last cycle said: the object does not know it yet, and no cycle will say it again before something changes. */
struct wait_text {
    bool set;
    char *reason, *message;
};

static struct wait_text save_wait(const struct record *r)
{
    const struct cond *q = &r->status->cond[COND_QUOTA_RESERVED];
    /* Being read again: a write that failed, or was not begun, was to tell it. */
    bool untold = r->queued || r->more || r->rereading || !r->rv;
    struct wait_text w = {.set = untold && flight_wanted(r) == 0 && waits(r) && q->status == STATUS_FALSE};

    if (w.set) {
        w.reason = mem_strdup(q->reason);
        w.message = mem_strdup(q->message);
    }
    return w;
}

static void restore_wait(struct record *r, struct wait_text *w)
{
    struct controller *c = r->c;

    if (w->set && w->reason && w->message && waits(r) && r->wl) {
        if (!record_status(r) || status_unreserve(r->status, w->reason, w->message, c->observability,
                                                  c->explicit_status, run_now(c), r->view->generation))
            run_log(c, LOG_WARNING, r->key, "out of memory: why it waits is not told");
        publish(r, WRITE_STATUS, publish_waiting_ns(c));
    }
    mem_free(w->reason);
    mem_free(w->message);
}

static int take_status(struct record *r, const struct fact_workload *f, const struct doc_node *doc)
{
    struct wl_json_rest *rest = NULL;
    struct status s;

    status_init(&s);
    if (wl_json_read(doc, f, &s, &r->base, &rest))
        return ERR_NOMEM;
    if (give_status(r, &s)) {
        wl_json_rest_free(rest);
        return ERR_NOMEM;
    }
    wl_json_rest_free(r->rest);
    r->rest = rest;
    publish_settle(r);
    r->base_finished = r->status->cond[COND_FINISHED].status == STATUS_TRUE;
    return 0;
}

/* The object is what it is: what we wanted of an older one is forgotten and decided anew. */
static int take(struct record *r, const struct doc_node *doc, const struct meta *m, const struct object *o)
{
    struct controller *c = r->c;
    struct wl_view *view = NULL;
    struct wl *wl = NULL;
    struct err err;

    int rc = wl_view_of(doc, &c->scratch, &view, &err);
    if (rc)
        return rc;
    struct wait_text wait = save_wait(r);
    publish_forget(r);
    rc = take_status(r, &o->workload, doc);
    if (r->wl)
        world_remember_queue(c->w, r->wl);
    if (!rc)
        rc = world_put_workload(c->w, &o->workload, run_now(c), &wl, &err);
    if (wl) { /* without one the world has what it had */
        r->wl = wl;
        wl->user = r;
    }
    if (rc) { /* what was wanted is gone, and what is there not known: nothing is written before it is read again */
        wl_view_free(view);
        restore_wait(r, &wait);
        r->rereading = r->rereading || rc == ERR_NOMEM;
        record_touch(r);
        return rc;
    }
    jobs_unlink(r);
    wl_view_free(r->view);
    r->view = view;
    r->view->status = r->status;
    r->rv = m->rv;
    r->other_finalizers = m->other_finalizers;
    r->owned = m->owned;
    r->has_job_uid = m->has_job_uid;
    r->rereading = false;
    r->want_active_false = r->want_release = r->want_remove = r->want_priority = false;
    set_reclaimable(r, NULL, 0);
    meter_feed_taken(r);
    restore_wait(r, &wait);
    record_marks(r);
    jobs_link(c, r);
    record_touch(r);
    return 0;
}

/* The object cannot be read. What it holds it goes on to hold: the last readable state counts. */
static int malformed(struct controller *c, struct record *r, const struct meta *m, const struct err *err)
{
    c->stats.malformed++;
    if (!r || r->rv != m->rv)
        run_log(c, LOG_ERROR, r ? r->key : m->name, "Workload %s/%s: %s", m->ns, m->name, err->text);
    if (r)
        r->rv = m->rv;
    return 0;
}

int record_take(struct controller *c, const struct doc_node *doc, uint32_t epoch)
{
    struct meta m;
    struct object o;
    struct err err;

    if (!meta_read(doc, &m)) {
        c->stats.malformed++;
        return 0;
    }
    struct record *r = find(c, m.ns, m.name);
    int rc = api_read_as(API_WORKLOAD, doc, &c->arena, API_LENIENT, NULL, &o, &err);
    if (rc == ERR_NOMEM)
        return rc;
    if (r)
        r->epoch = epoch;
    if (rc)
        return malformed(c, r, &m, &err);
    if (r && r->view && strcmp(r->view->uid, m.uid) != 0) {
        drop(r);
        r = NULL;
    }
    bool made = !r;
    if (!r && !(r = add(c, m.ns, m.name)))
        return ERR_NOMEM;
    r->epoch = epoch;
    rc = take(r, doc, &m, &o);
    if (rc && made)
        drop(r);
    if (rc && rc != ERR_NOMEM) {
        c->stats.malformed++;
        run_log(c, LOG_ERROR, m.name, "Workload %s/%s cannot be taken", m.ns, m.name);
        return 0;
    }
    run_changed(c);
    return rc;
}

void record_deleted(struct controller *c, struct record *r)
{
    struct job *j = r->job;

    run_changed(c);
    drop(r);
    if (j)
        job_touch(j);
    things_let_go(c);
}

int records_news(struct controller *c, const struct doc_node *doc, const char *json, size_t len,
                 uint32_t epoch)
{
    struct meta m;

    if (!doc || !meta_read(doc, &m))
        return 0;
    struct record *r = find(c, m.ns, m.name);
    bool same = r && r->view && !strcmp(r->view->uid, m.uid);
    if (same && m.rv <= r->rv) {
        r->epoch = epoch;
        c->stats.stale_facts++;
        return 0;
    }
    if (same && r->in_flight) {
        r->epoch = epoch;
        return hold(r, json, len, m.rv);
    }
    return record_take(c, doc, epoch);
}

int records_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                    const struct doc_node *doc, const char *json, size_t len)
{
    struct meta m;

    if (what != WATCH_DELETED)
        return records_news(c, doc, json, len, k->epoch);
    struct record *r = meta_read(doc, &m) ? find(c, m.ns, m.name) : NULL;
    if (r && r->view && !strcmp(r->view->uid, m.uid))
        record_deleted(c, r);
    return 0;
}

void records_sweep(struct controller *c, struct kind_watch *k)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        if (r->epoch != k->epoch)
            record_deleted(c, r);
    }
}

/* ---- who is concerned ------------------------------------------------------------------------------------------------------ */

void records_touch_all(struct controller *c)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        record_touch(r);
    }
}

void records_touch_lq(struct controller *c, const char *ns, const char *name)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        if (r->view && !strcmp(r->view->ns, ns) && !strcmp(r->view->queue, name))
            record_touch(r);
    }
}

void records_touch_cq(struct controller *c, const char *cluster_queue)
{
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        if (!r->wl)
            continue;
        if (!strcmp(queues_target(c, r->view->ns, r->view->queue), cluster_queue) ||
            !strcmp(names_text(world_names(c->w), r->wl->admission), cluster_queue))
            record_touch(r);
    }
}

/* Its requests are computed from the object, which is not kept: the whole state comes again. */
void records_reread(struct controller *c)
{
    struct kind_watch *k = kinds_find(c, API_WORKLOAD);
    struct record *r, *next;

    HASH_ITER (hh, c->records, r, next) {
        if (waits(r))
            r->rv = 0;
    }
    if (k)
        watch_resync(k->watch);
}
