/* Statuses of ClusterQueues, LocalQueues and Cohorts (engine.md 11.1-11.3): gathered, so that a busy queue is written once in a while and an
 * idle one at once, and never when nothing changed. */
#include "run/run_priv.h"

#include "api/queue_json.h"
#include "lifecycle/queue_cond.h"

#include <inttypes.h>
#include <string.h>

/* The API server pays 4 ms for each of these writes (HACKING.md "What a write costs"). */
#define FIRST_WAIT_NS (200 * NS_PER_MS)
#define BETWEEN_NS NS_PER_S
#define BUSY_BETWEEN_NS (5 * NS_PER_S)

struct queue_status {
    struct thing *t;
    struct cond active;
    uint64_t digest, sent; /* of what the API server has; of what is under way */
    bool dirty, in_flight;
    int64_t due;        /* mono, with dirty */
    int64_t written_at; /* mono of the last write; 0 = never */
    int64_t not_before; /* mono: no write before that */
    uint32_t refusals;  /* in a row */
};

static struct controller *the(const struct queue_status *q);

/* No memory is needed for a key: what cannot be cancelled would come back to a queue that is gone. */
struct key {
    char text[WRITE_KEY_MAX + 16];
};

static struct key key_of(const struct queue_status *q)
{
    struct key k;

    (void)snprintf(k.text, sizeof(k.text), "status/%s", q->t->id);
    return k;
}

void queue_status_free(struct controller *c, struct queue_status *q)
{
    if (q->in_flight)
        writes_cancel(c->writes, key_of(q).text);
    if (q->dirty)
        c->nqueues_dirty--;
    c->stats.queues--;
    queue_cond_free(&q->active);
    mem_free(q);
}

int queues_observe(struct controller *c, struct thing *t, const struct doc_node *doc)
{
    struct queue_status *q = t->queue;

    if (!q) {
        q = mem_zalloc(1, sizeof(*q));
        if (!q)
            return ERR_NOMEM;
        q->t = t;
        t->queue = q;
        t->c = c;
        c->stats.queues++;
    }
    if (queue_json_active(doc, &q->active))
        return ERR_NOMEM;
    q->digest = queue_json_digest_of(t->kind, doc);
    queues_touch(c, t);
    return 0;
}

static struct controller *the(const struct queue_status *q)
{
    return q->t->c;
}

/* ---- what is to be written ------------------------------------------------------------------------------------------------- */

const char *queues_target(const struct controller *c, const char *ns, const char *name)
{
    const char *cq = "";
    enum stop_policy stop;

    return world_lq(c->w, ns, name, &cq, &stop) == LQ_MISSING ? "" : cq;
}

static bool usage_based(const struct controller *c, const struct thing *t)
{
    if (!c->cfg.core->afs)
        return false;
    const struct thing *queue = things_find(c, API_CLUSTER_QUEUE, "", queues_target(c, t->ns, t->name));
    return queue && queue->usage_based;
}

static struct queue_json json_of(struct controller *c, const struct thing *t)
{
    return (struct queue_json){
        .w = c->w,
        .uid = t->uid,
        .resource_version = "",
        .ns = t->ns,
        .name = t->name,
        .active = &t->queue->active,
        .fair_sharing = c->cfg.core->fair_sharing,
        .afs = t->kind == API_LOCAL_QUEUE && usage_based(c, t),
    };
}

static int settle_cond(struct controller *c, struct thing *t)
{
    struct queue_status *q = t->queue;
    bool changed;

    if (t->kind == API_CLUSTER_QUEUE)
        return queue_cond_cluster_queue(&q->active, c->w, t->name, run_now(c), t->generation, &changed);
    if (t->kind != API_LOCAL_QUEUE)
        return 0;
    enum queue_cond_target target = TARGET_MISSING;
    uint32_t i = world_cq_find(c->w, queues_target(c, t->ns, t->name));
    if (i != NONE && world_cq(c->w, i).exists)
        target = world_cq(c->w, i).state == CQ_ACTIVE ? TARGET_ACTIVE : TARGET_INACTIVE;
    return queue_cond_local_queue(&q->active, t->stop, target, run_now(c), t->generation, &changed);
}

static uint64_t digest_of(struct controller *c, const struct thing *t)
{
    const struct queue_json q = json_of(c, t);

    return t->kind == API_CLUSTER_QUEUE ? queue_json_cluster_queue_digest(&q)
           : t->kind == API_LOCAL_QUEUE ? queue_json_local_queue_digest(&q)
                                        : queue_json_cohort_digest(&q);
}

static int render_body(struct controller *c, const struct thing *t, struct str *out)
{
    const struct queue_json q = json_of(c, t);

    return t->kind == API_CLUSTER_QUEUE ? queue_json_cluster_queue(&q, out)
           : t->kind == API_LOCAL_QUEUE ? queue_json_local_queue(&q, out)
                                        : queue_json_cohort(&q, out);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static int render(void *arg, struct write_request *r, struct err *err)
{
    struct queue_status *q = arg;
    struct thing *t = q->t;
    struct controller *c = the(q);

    if (world_settle(c->w, err) || settle_cond(c, t))
        return ERR_NOMEM;
    q->sent = digest_of(c, t);
    if (!q->sent || q->sent == q->digest)
        return 1;
    r->verb = KUBE_PATCH;
    r->content_type = KUBE_MERGE_PATCH;
    r->safe_twice = true;
    if (*t->ns)
        str_addf(&r->path, "%s/namespaces/%s/localqueues/%s/status", KUEUE_PATH, t->ns, t->name);
    else
        str_addf(&r->path, "%s/%s/status", kind_path(t->kind), t->name);
    int rc = render_body(c, t, &r->body);
    return rc == ERR_NOTFOUND ? 1 : rc ? rc : str_failed(&r->path) ? ERR_NOMEM : 0;
}

/* Who is refused, because of permissions perhaps, asks less and less often. */
static void refused(struct controller *c, struct queue_status *q, const struct reply *reply)
{
    static const struct backoff backoff = {NS_PER_S, 300 * NS_PER_S, 2};

    q->not_before = kube_mono(&c->seams.clock) + backoff_wait(&backoff, ++q->refusals);
    if (reply->class == REPLY_NOT_FOUND || reply->class == REPLY_CONFLICT)
        return;
    c->stats.refused++;
    run_log(c, LOG_WARNING, q->t->name, "the API server refused a status (%d): %s", reply->code,
            reply->message);
}

static void on_done(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len)
{
    struct queue_status *q = arg;
    struct controller *c = the(q);

    (void)body;
    (void)len;
    if (end == WRITE_REPLACED)
        return;
    q->in_flight = false;
    if (end == WRITE_OK) {
        q->digest = q->sent;
        q->written_at = kube_mono(&c->seams.clock);
        q->not_before = q->written_at + BETWEEN_NS;
        q->refusals = 0;
        c->stats.queue_writes++;
    } else if (end == WRITE_REFUSED)
        refused(c, q, reply);
    if (end != WRITE_NOTHING && end != WRITE_OK)
        queues_touch(c, q->t);
}

static void send(struct controller *c, struct queue_status *q)
{
    const struct key key = key_of(q);
    const struct write w = {
        .key = key.text,
        .level = WRITE_STATUS,
        .render = render,
        .on_done = on_done,
        .arg = q,
    };
    if (writes_put(c->writes, &w, NULL))
        queues_touch(c, q->t);
    else
        q->in_flight = true;
}

/* ---- when ------------------------------------------------------------------------------------------------------------------ */

void queues_touch(struct controller *c, struct thing *t)
{
    struct queue_status *q = t->queue;
    int64_t now = kube_mono(&c->seams.clock);

    if (!q || q->dirty || !c->complete)
        return;
    q->dirty = true;
    q->due = now + FIRST_WAIT_NS;
    if (q->due < q->not_before)
        q->due = q->not_before;
    c->nqueues_dirty++;
    if (!c->queue_timer.set || c->queue_timer.at > q->due)
        timer_start(&c->timers, &c->queue_timer, q->due - now);
}

void queues_due(void *arg)
{
    struct controller *c = arg;
    int64_t now = kube_mono(&c->seams.clock), next = INT64_MAX;
    bool busy = run_busy(c);
    struct thing *t, *tmp;

    if (!c->leads || c->stopping)
        return;
    if (c->shares_changed)
        queues_touch_all(c);
    c->shares_changed = false;
    HASH_ITER (hh, c->things, t, tmp) {
        struct queue_status *q = t->queue;
        if (!q || !q->dirty)
            continue;
        if (q->due < q->not_before) /* touched while it was being written */
            q->due = q->not_before;
        bool later = busy && q->written_at && now < q->written_at + BUSY_BETWEEN_NS;
        if (q->due > now || q->in_flight || later) {
            int64_t at = q->due > now ? q->due : now + (later ? BETWEEN_NS : FIRST_WAIT_NS);
            next = at < next ? at : next;
            continue;
        }
        q->dirty = false;
        c->nqueues_dirty--;
        send(c, q);
    }
    if (next != INT64_MAX && (!c->queue_timer.set || c->queue_timer.at > next))
        timer_start(&c->timers, &c->queue_timer, next - now);
}

void queues_touch_wl(struct controller *c, const struct wl *wl)
{
    const struct names *names = world_names(c->w);
    const char *ns = names_text(names, wl->ns), *queue = names_text(names, wl->queue);
    struct thing *t;

    if (!c->complete)
        return;
    t = things_find(c, API_LOCAL_QUEUE, ns, queue);
    if (t)
        queues_touch(c, t);
    t = things_find(c, API_CLUSTER_QUEUE, "",
                    wl->admission ? names_text(names, wl->admission) : queues_target(c, ns, queue));
    if (t)
        queues_touch(c, t);
    if (c->cfg.core->fair_sharing && !c->shares_changed) { /* everybody's share may be another now */
        c->shares_changed = true;
        if (!c->queue_timer.set)
            timer_start(&c->timers, &c->queue_timer, FIRST_WAIT_NS);
    }
}

void queues_touch_all(struct controller *c)
{
    struct thing *t, *tmp;

    HASH_ITER (hh, c->things, t, tmp) {
        if (t->queue)
            queues_touch(c, t);
    }
}
