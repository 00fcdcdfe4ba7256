/* Jobs: what is known of them, who their Workloads are, and when they are looked at. What is to be done is decided in jobs/reconcile.h and
 * carried out in jobs_act.c. */
#include "run/run_priv.h"

#include <stdlib.h>
#include <string.h>

#define PREBUILT_AGAIN_NS (100 * NS_PER_MS)

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static struct job *find(const struct controller *c, const struct job_kind *kind, const char *ns,
                        const char *name)
{
    char key[WRITE_KEY_MAX];
    struct job *j = NULL;
    int n = snprintf(key, sizeof(key), "%s/%s/%s", kind->kind, ns, name);

    if (n > 0 && (size_t)n < sizeof(key))
        HASH_FIND(hh, c->jobs, key, (size_t)n, j);
    return j;
}

static void on_timer(void *arg)
{
    job_touch(arg);
}

static struct job *add(struct controller *c, const struct job_kind *kind, const char *ns, const char *name)
{
    struct job *j = mem_zalloc(1, sizeof(*j));
    struct str key;

    if (!j)
        return NULL;
    str_init(&key, WRITE_KEY_MAX);
    str_addf(&key, "%s/%s/%s", kind->kind, ns, name);
    size_t len = key.len;
    j->key = str_take(&key);
    j->ns = mem_strdup(ns);
    j->c = c;
    j->kind = kind;
    timer_init(&j->timer, on_timer, j);
    if (j->key && j->ns)
        HASH_ADD_KEYPTR(hh, c->jobs, j->key, len, j);
    if (!j->key || !j->ns || !j->hh.tbl) {
        mem_free(j->key);
        mem_free(j->ns);
        mem_free(j);
        return NULL;
    }
    j->name = j->key + len - strlen(name);
    c->njobs++;
    return j;
}

static void unlist(struct job *j)
{
    struct controller *c = j->c;

    for (struct job **p = &c->dirty_jobs; *p; p = &(*p)->next_dirty) {
        if (*p != j)
            continue;
        *p = j->next_dirty;
        if (!*p)
            c->dirty_jobs_end = p;
        break;
    }
    j->dirty = false;
}

void job_drop_texts(struct job *j)
{
    mem_free(j->job_text);
    mem_free(j->wl_text);
    j->job_text = j->wl_text = NULL;
}

static void drop(struct job *j)
{
    struct controller *c = j->c;

    for (uint32_t i = 0; i < j->nwls; i++)
        j->wls[i]->job = NULL;
    job_cancel(j);
    if (j->dirty)
        unlist(j);
    timer_stop(&c->timers, &j->timer);
    HASH_DEL(c->jobs, j);
    c->njobs--;
    job_drop_texts(j);
    notices_free(&j->notices);
    job_view_free(j->view);
    mem_free(j->wl_name);
    mem_free(j->arg_text);
    mem_free(j->wls);
    mem_free(j->ns);
    mem_free(j->key);
    mem_free(j);
}

void jobs_free(struct controller *c)
{
    struct job *j, *next;

    HASH_ITER (hh, c->jobs, j, next) {
        drop(j);
    }
}

/* ---- Workloads of jobs ----------------------------------------------------------------------------------------------------- */

static const struct job_kind *kind_of_owner(struct controller *c, const struct job_owner *o)
{
    for (enum api_kind k = 0; k < API_KINDS; k++) {
        const struct job_kind *kind = job_kind_of(k);
        if (kind && !strcmp(kind->kind, o->kind) && !strcmp(kind->group, o->group))
            return kinds_find(c, k) ? kind : NULL;
    }
    return NULL;
}

void jobs_link(struct controller *c, struct record *r)
{
    const struct job_owner *o = &r->view->owner;
    const struct job_kind *kind = *o->kind ? kind_of_owner(c, o) : NULL;
    struct job *j;

    if (!kind)
        return;
    j = find(c, kind, r->view->ns, o->name);
    if (!j)
        j = add(c, kind, r->view->ns, o->name);
    if (!j || mem_grow((void **)&j->wls, &j->cap_wls, j->nwls + 1, sizeof(struct record *))) {
        run_log(c, LOG_ERROR, r->key, "out of memory: its job does not know it until it is read again");
        r->rereading = true;
        if (j)
            job_touch(j); /* one that was made for it goes again */
        return;
    }
    j->wls[j->nwls++] = r;
    r->job = j;
    job_touch(j);
}

void jobs_unlink(struct record *r)
{
    struct job *j = r->job;

    if (!j)
        return;
    for (uint32_t i = 0; i < j->nwls; i++) {
        if (j->wls[i] != r)
            continue;
        j->wls[i] = j->wls[--j->nwls];
        break;
    }
    r->job = NULL;
    job_touch(j);
}

/* ---- objects --------------------------------------------------------------------------------------------------------------- */

void job_touch(struct job *j)
{
    struct controller *c = j->c;

    if (j->dirty)
        return;
    j->dirty = true;
    j->next_dirty = NULL;
    *c->dirty_jobs_end = j;
    c->dirty_jobs_end = &j->next_dirty;
}

/* Its children follow it: they run while it does. `parent` has a view or lost it. */
static void touch_children(struct controller *c, const struct job *parent)
{
    struct job *j, *next;

    HASH_ITER (hh, c->jobs, j, next) {
        if (j->view && *j->view->owner.kind && !strcmp(j->ns, parent->ns) &&
            !strcmp(j->view->owner.name, parent->name))
            job_touch(j);
    }
}

/* `rv` of its deletion: an answer that comes late and is older does not bring it back. */
static void gone(struct controller *c, struct job *j, uint64_t rv)
{
    job_view_free(j->view);
    j->view = NULL;
    j->rv = rv;
    job_drop_texts(j);
    job_touch(j);
    if (j->kind->api != API_JOB) /* Jobs own no jobs */
        touch_children(c, j);
}

static int take(struct controller *c, struct job *j, const struct doc_node *doc, const struct meta *m)
{
    struct job_view *view = NULL;
    struct err err;

    int rc = job_view_of(j->kind, doc, c->rules.making.gates, &c->scratch, &view, &err);
    if (rc == ERR_NOMEM)
        return rc;
    if (rc) {
        c->stats.malformed++;
        run_log(c, LOG_ERROR, j->key, "%s", err.text);
        return 0;
    }
    job_view_free(j->view);
    j->view = view;
    j->rv = m->rv;
    if (doc_when(doc_path(doc, "metadata.creationTimestamp"), &j->created, NULL))
        j->created = WHEN_NONE;
    j->failures = 0;
    if (j->job_text_rv != j->rv)
        job_drop_texts(j);
    job_touch(j);
    if (j->kind->api != API_JOB)
        touch_children(c, j);
    return 0;
}

/* The text is kept for the look that follows: most jobs that are new get a Workload at once, and that needs all of it. */
static void keep_text(struct controller *c, struct job *j, const char *json, size_t len)
{
    if (!c->complete || !c->leads || !j->view || j->nwls || j->job_text)
        return;
    j->job_text = mem_strndup(json, len);
    j->job_len = len;
    j->job_text_rv = j->rv;
}

int job_take(struct controller *c, const struct job_kind *kind, const char *json, size_t len,
             const struct doc_node *doc, uint32_t epoch)
{
    struct meta m;

    if (!doc || !meta_read(doc, &m))
        return 0;
    struct job *j = find(c, kind, m.ns, m.name);
    if (j && m.rv <= j->rv && (!j->view || !strcmp(j->view->uid, m.uid))) {
        j->epoch = epoch;
        return 0;
    }
    if (!j && !(j = add(c, kind, m.ns, m.name)))
        return ERR_NOMEM;
    j->epoch = epoch;
    int rc = take(c, j, doc, &m);
    if (!rc)
        keep_text(c, j, json, len);
    return rc;
}

int jobs_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                 const struct doc_node *doc, const char *json, size_t len)
{
    const struct job_kind *kind = job_kind_of(k->row->kind);
    struct meta m;

    if (what != WATCH_DELETED)
        return job_take(c, kind, json, len, doc, k->epoch);
    struct job *j = meta_read(doc, &m) ? find(c, kind, m.ns, m.name) : NULL;
    if (j && j->view && !strcmp(j->view->uid, m.uid))
        gone(c, j, m.rv);
    return 0;
}

void jobs_sweep(struct controller *c, struct kind_watch *k)
{
    const struct job_kind *kind = job_kind_of(k->row->kind);
    struct job *j, *next;

    HASH_ITER (hh, c->jobs, j, next) {
        if (j->kind == kind && j->view && j->epoch != k->epoch)
            gone(c, j, j->rv);
    }
}

void jobs_touch_all(struct controller *c)
{
    struct job *j, *next;

    HASH_ITER (hh, c->jobs, j, next) {
        job_touch(j);
    }
}

void jobs_touch_ns(struct controller *c, const char *ns)
{
    struct job *j, *next;

    HASH_ITER (hh, c->jobs, j, next) {
        if (!strcmp(j->ns, ns))
            job_touch(j);
    }
}

/* ---- what one look sees ---------------------------------------------------------------------------------------------------- */

/* Of kinds that we do not watch no object is found: their jobs are left alone. */
static enum job_owner_known owner_of(void *arg, const char *ns, const struct job_owner *ref,
                                     struct job_owner_view *ret)
{
    struct controller *c = arg;
    const struct job_kind *kind = kind_of_owner(c, ref);
    const struct job *j = kind ? find(c, kind, ns, ref->name) : NULL;

    if (!kind && !job_kind_owns(ref->group, ref->kind))
        return JOB_OWNER_FOREIGN;
    if (!j || !j->view)
        return JOB_OWNER_MISSING;
    *ret = (struct job_owner_view){
        .uid = j->view->uid,
        .queue = j->view->queue,
        .owner = j->view->owner,
        .answers = true,
    };
    return JOB_OWNER_FOUND;
}

/* The newest that is not over. */
static const struct wl_view *workload_of(struct controller *c, const struct job_owner *owner, const char *ns)
{
    const struct job_kind *kind = kind_of_owner(c, owner);
    const struct job *j = kind ? find(c, kind, ns, owner->name) : NULL;
    const struct record *newest = NULL;

    for (uint32_t i = 0; j && i < j->nwls; i++) {
        const struct record *r = j->wls[i];
        if (r->status->cond[COND_FINISHED].status == STATUS_TRUE || !r->wl)
            continue;
        if (!newest || r->wl->created > newest->wl->created)
            newest = r;
    }
    return newest ? newest->view : NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct wl_view *x = *(const struct wl_view *const *)a, *y = *(const struct wl_view *const *)b;

    return strcmp(x->name, y->name);
}

static const struct wl_view *prebuilt_of(struct controller *c, const struct job *j)
{
    const struct record *r = j->view && *j->view->prebuilt ? records_find(c, j->ns, j->view->prebuilt) : NULL;

    return r ? r->view : NULL;
}

static int see(struct controller *c, struct job *j, struct job_sight *s)
{
    const struct wl_view **wls = arena_alloc(&c->arena, (j->nwls + 1) * sizeof(*wls));
    const struct thing *ns = things_find(c, API_NAMESPACE, "", j->ns);

    if (!wls)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < j->nwls; i++)
        wls[i] = j->wls[i]->view;
    if (j->nwls)
        qsort(wls, j->nwls, sizeof(*wls), by_name);
    *s = (struct job_sight){
        .ns = j->ns,
        .name = j->name,
        .kind = j->kind,
        .job = j->view,
        .wls = wls,
        .nwls = j->nwls,
        .prebuilt = prebuilt_of(c, j),
        .namespace_matches = ns && ns->matches,
        .ancestry = {.place = JOB_TOP, .ancestor_queue = ""},
    };
    if (j->view)
        s->ancestry = job_place_of(j->view, c->rules.manage_without_queue, owner_of, c);
    if (s->ancestry.place == JOB_CHILD)
        s->ancestor_workload = workload_of(c, &s->ancestry.ancestor, j->ns);
    return 0;
}

/* A write of one of its Workloads is under way: what it says is not yet so. */
static bool unsettled(struct controller *c, const struct job *j)
{
    const struct record *p = j->view && *j->view->prebuilt ? records_find(c, j->ns, j->view->prebuilt) : NULL;

    for (uint32_t i = 0; i < j->nwls; i++)
        if (!record_settled(j->wls[i]))
            return true;
    return p && !record_settled(p);
}

static void look(struct controller *c, struct job *j)
{
    struct job_sight sight;
    struct job_plan plan;
    struct err err;

    int rc = things_classes(c);
    if (!rc)
        rc = see(c, j, &sight);
    if (!rc)
        rc = job_reconcile(&c->rules, &sight, run_now(c), &c->arena, &plan, &err);
    if (rc) {
        run_log(c, LOG_ERROR, j->key, "out of memory: looked at again later");
        timer_start(&c->timers, &j->timer, NS_PER_S);
    } else
        job_carry_out(j, &plan);
    arena_reset(&c->arena);
}

static void look_at(struct controller *c, struct job *j)
{
    if (j->in_flight)
        return; /* the end of the write touches it */
    if (unsettled(
            c, j)) { /* so does the end of its Workload's; one that it names and does not own yet does not */
        if (j->view && *j->view->prebuilt)
            timer_start(&c->timers, &j->timer, PREBUILT_AGAIN_NS);
        return;
    }
    if (!j->view && !j->nwls) {
        drop(j);
        return;
    }
    look(c, j);
    if (!j->in_flight)
        job_drop_texts(j);
}

bool jobs_may_look(const struct controller *c)
{
    return c->leads && c->complete && !c->stopping;
}

void jobs_look(struct controller *c)
{
    if (!jobs_may_look(c))
        return;
    for (uint32_t i = 0; i < LOOKS_A_TURN && c->dirty_jobs; i++) {
        struct job *j = c->dirty_jobs;
        c->dirty_jobs = j->next_dirty;
        if (!c->dirty_jobs)
            c->dirty_jobs_end = &c->dirty_jobs;
        j->dirty = false;
        look_at(c, j);
    }
}
