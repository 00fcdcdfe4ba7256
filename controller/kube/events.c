#include "kube/events.h"

#include "base/mem.h"
#include "base/sha1.h"
#include "kube/microtime.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_BYTES = 1024, WORD_BYTES = 128, NAME_BYTES = 253, STAMP_BYTES = 17, TRIES = 12 };
#define IDLE (360 * NS_PER_S)       /* after which a series is over */
#define HEARTBEAT (1800 * NS_PER_S) /* between patches of one that goes on */

/* One event: alone, or a series of the same. */
struct event {
    RB_ENTRY(event) by_id;
    TAILQ_ENTRY(event) age;
    struct events *all;
    char id[SHA1_HEX + 1]; /* of all that makes it the same event */
    char *key;             /* in the queue of writes: "events/NS/NAME"; owned, with the two below */
    const char *ns, *name; /* ns: not terminated */
    int ns_len;
    struct str body;        /* to create it, without its end; empty once it is not needed */
    uint32_t count;         /* how often it came */
    uint32_t sent, written; /* the count in the request under way, and the last that the API server took */
    when_ns wall;           /* when it came last */
    int64_t came, patched;  /* mono: when it came last, when it was written last */
    bool created, queued, patching;
};

RB_HEAD(events_tree, event);
TAILQ_HEAD(event_list, event);

struct events {
    struct events_config c;
    char *controller, *instance;
    struct events_tree known;
    struct event_list ages; /* the one that came longest ago first */
    uint32_t n;
    struct timer sweep;
    int64_t stamp; /* of the last name */
    struct events_stats stats;
};

static int event_compare(const struct event *a, const struct event *b)
{
    return strcmp(a->id, b->id);
}

RB_PROTOTYPE(events_tree, event, by_id, event_compare)
RB_GENERATE(events_tree, event, by_id, event_compare)

static int64_t now_of(const struct events *e)
{
    return kube_mono(e->c.clock);
}

static void forget(struct event *v)
{
    struct events *e = v->all;

    if (v->queued) {
        writes_cancel(e->c.writes, v->key);
        e->stats.waiting--;
    }
    RB_REMOVE(events_tree, &e->known, v);
    TAILQ_REMOVE(&e->ages, v, age);
    e->n--;
    str_free(&v->body);
    mem_free(v->key);
    mem_free(v);
}

/* ---- bodies ---------------------------------------------------------------------------------------------------------------- */

static void add(struct str *s, const char *field, const char *text)
{
    str_addf(s, ",\"%s\":", field);
    str_add_json(s, text);
}

/* At most `max` bytes, whole UTF-8 sequences, and " ..." at the end of what is cut (engine.md 1). */
static void add_cut(struct str *s, const char *field, const char *text, size_t max, const char *end)
{
    char cut[NOTE_BYTES + 1];
    size_t len = strlen(text), n = max - strlen(end);

    if (len <= max) {
        add(s, field, text);
        return;
    }
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    snprintf(cut, sizeof(cut), "%.*s%s", (int)n, text, end);
    add(s, field, cut);
}

static void add_regarding(struct str *s, const struct event_ref *r)
{
    str_add(s, ",\"regarding\":{\"kind\":");
    str_add_json(s, r->kind);
    add(s, "apiVersion", r->api_version);
    if (r->ns && r->ns[0])
        add(s, "namespace", r->ns);
    add(s, "name", r->name);
    if (r->uid && r->uid[0])
        add(s, "uid", r->uid);
    if (r->resource_version && r->resource_version[0])
        add(s, "resourceVersion", r->resource_version);
    str_addc(s, '}');
}

/* All but the series and the last brace. */
static void make_body(struct event *v, const struct event_ref *r, const char *type, const char *reason,
                      const char *action, const char *note)
{
    struct str *s = &v->body;
    char when[MICROTIME_BYTES];

    str_clear(s);
    microtime_print(v->wall, when);
    str_add(s, "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":");
    str_add_json(s, v->name);
    str_addf(s, ",\"namespace\":\"%.*s\"}", v->ns_len, v->ns);
    add(s, "eventTime", when);
    add(s, "reportingController", v->all->controller);
    add(s, "reportingInstance", v->all->instance);
    add(s, "type", type);
    add_cut(s, "reason", reason, WORD_BYTES, "");
    add_cut(s, "action", action, WORD_BYTES, "");
    add_regarding(s, r);
    add_cut(s, "note", note, NOTE_BYTES, " ...");
}

static void add_series(const struct event *v, struct str *s)
{
    char when[MICROTIME_BYTES];

    microtime_print(v->wall, when);
    str_addf(s, "\"series\":{\"count\":%" PRIu32 ",\"lastObservedTime\":\"%s\"}", v->count, when);
}

/* ---- writes ----------------------------------------------------------------------------------------------------------------- */

static int render(void *arg, struct write_request *q, struct err *err)
{
    struct event *v = arg;

    (void)err;
    if (v->created && (v->count < 2 || v->count == v->written))
        return 1;
    v->sent = v->count;
    v->patching = v->created;
    q->verb = v->created ? KUBE_PATCH : KUBE_POST;
    q->content_type = v->created ? KUBE_MERGE_PATCH : KUBE_JSON;
    q->safe_twice = true; /* a fixed name, or the same count again */
    str_addf(&q->path, "/apis/events.k8s.io/v1/namespaces/%.*s/events", v->ns_len, v->ns);
    if (v->created) {
        str_addf(&q->path, "/%s", v->name);
        str_addc(&q->body, '{');
        add_series(v, &q->body);
    } else {
        str_add(&q->body, str_text(&v->body));
        if (v->count > 1) {
            str_addc(&q->body, ',');
            add_series(v, &q->body);
        }
    }
    str_addc(&q->body, '}');
    return 0;
}

static void on_done(void *arg, enum write_end end, const struct reply *r, const char *body, size_t len);

/* Into the queue of writes; false when it cannot be taken. */
static bool queue(struct event *v)
{
    struct events *e = v->all;
    const struct write w = {.key = v->key,
                            .level = WRITE_EVENTS,
                            .max_tries = TRIES,
                            .render = render,
                            .on_done = on_done,
                            .arg = v};

    if (v->queued)
        return true;
    if (e->stats.waiting >= EVENTS_MAX || writes_put(e->c.writes, &w, NULL))
        return false;
    v->queued = true;
    e->stats.waiting++;
    return true;
}

static void lost(struct event *v)
{
    v->all->stats.dropped++;
    forget(v);
}

/* A first repetition is told at once, later ones now and then, the last when the series is over. */
static bool is_patch_due(const struct event *v)
{
    int64_t now = now_of(v->all);

    if (!v->created || v->count < 2 || v->count == v->written)
        return false;
    return v->written < 2 || now - v->patched >= HEARTBEAT || now - v->came > IDLE;
}

static void taken(struct event *v)
{
    v->created = true;
    v->written = v->sent;
    v->patched = now_of(v->all);
    v->all->stats.written++;
    if (v->count < 2)
        str_free(&v->body);
    if (is_patch_due(v))
        (void)queue(v);
}

static void on_done(void *arg, enum write_end end, const struct reply *r, const char *body, size_t len)
{
    struct event *v = arg;

    (void)body, (void)len;
    v->queued = false;
    v->all->stats.waiting--;
    if (end == WRITE_OK || (end == WRITE_REFUSED && r->class == REPLY_EXISTS && !v->patching)) {
        taken(v);
    } else if (end == WRITE_REFUSED && r->class == REPLY_NOT_FOUND && v->patching && v->body.len) {
        v->created = false; /* it has expired: created anew, with its series */
        v->written = 0;
        if (!queue(v))
            lost(v);
    } else if (end != WRITE_NOTHING) {
        lost(v);
    }
}

/* ---- what is known -------------------------------------------------------------------------------------------------------------- */

static void on_sweep(void *arg)
{
    struct events *e = arg;
    int64_t now = now_of(e);
    struct event *v, *after;

    for (v = TAILQ_FIRST(&e->ages); v && now - v->came > IDLE; v = after) {
        after = TAILQ_NEXT(v, age);
        if (!v->queued && !(is_patch_due(v) && queue(v)))
            forget(v);
    }
    v = TAILQ_FIRST(&e->ages);
    if (v) {
        int64_t left = v->came + IDLE + 1 - now;
        timer_start(e->c.timers, &e->sweep, left > NS_PER_S ? left : NS_PER_S);
    }
}

/* Makes room for one more: the oldest that has nothing to write is forgotten. */
static bool make_room(struct events *e)
{
    struct event *v = TAILQ_FIRST(&e->ages);

    while (v && v->queued)
        v = TAILQ_NEXT(v, age);
    if (v)
        forget(v);
    return v != NULL;
}

/* The object's version is no part of it: what repeats would never be the same. */
static void make_id(const struct event_ref *r, const char *type, const char *reason, const char *action,
                    char ret[SHA1_HEX + 1])
{
    char text[1024];

    snprintf(text, sizeof(text), "%s\n%.*s\n%.*s\n%s\n%s\n%s\n%s\n%s", type, WORD_BYTES, reason, WORD_BYTES,
             action, r->api_version, r->kind, r->ns ? r->ns : "", r->name, r->uid ? r->uid : "");
    sha1_hex(text, strlen(text), ret);
}

/* "OBJECT.HEXTIME", as client-go names them; no two of ours have the same time. */
static void make_name(struct events *e, const char *object, char ret[NAME_BYTES + 1])
{
    int64_t stamp = kube_wall(e->c.clock);
    size_t n = strlen(object), most = NAME_BYTES - STAMP_BYTES;

    e->stamp = stamp > e->stamp ? stamp : e->stamp + 1;
    if (n > most)
        for (n = most; n > 0 && strchr("-._", object[n - 1]); n--) /* a label does not end so */
            ;
    snprintf(ret, NAME_BYTES + 1, "%.*s.%" PRIx64, (int)n, object, (uint64_t)e->stamp);
}

static struct event *new_event(struct events *e, const struct event_ref *r, const char *id)
{
    char name[NAME_BYTES + 1], key[WRITE_KEY_MAX + 1];
    const char *ns = r->ns && r->ns[0] ? r->ns : "default";
    struct event *v;

    make_name(e, r->name, name);
    int n = snprintf(key, sizeof(key), "events/%s/%s", ns, name);
    if (n < 0 || (size_t)n >= sizeof(key) || (e->n >= EVENTS_SEEN && !make_room(e)))
        return NULL;
    v = mem_zalloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->key = mem_strdup(key);
    if (!v->key) {
        mem_free(v);
        return NULL;
    }
    v->all = e;
    memcpy(v->id, id, sizeof(v->id));
    v->ns = v->key + strlen("events/");
    v->ns_len = (int)strlen(ns);
    v->name = v->ns + v->ns_len + 1;
    str_init(&v->body, 0);
    RB_INSERT(events_tree, &e->known, v);
    TAILQ_INSERT_TAIL(&e->ages, v, age);
    e->n++;
    return v;
}

static struct event *find(struct events *e, const char *id)
{
    struct event want;

    memcpy(want.id, id, sizeof(want.id));
    struct event *v = RB_FIND(events_tree, &e->known, &want);
    if (v && now_of(e) - v->came > IDLE && !v->queued) { /* over, though not swept yet */
        if (is_patch_due(v) && queue(v))
            return v;
        forget(v);
        return NULL;
    }
    return v;
}

void events_emit(struct events *e, const struct event_ref *regarding, const char *type, const char *reason,
                 const char *action, const char *note)
{
    char id[SHA1_HEX + 1];
    bool fresh;

    e->stats.emitted++;
    make_id(regarding, type, reason, action, id);
    struct event *v = find(e, id);
    fresh = !v;
    if (fresh && (e->stats.waiting >= EVENTS_MAX || !(v = new_event(e, regarding, id)))) {
        e->stats.dropped++;
        return;
    }
    e->stats.repeated += !fresh;
    v->count++;
    v->came = now_of(e);
    v->wall = kube_wall(e->c.clock);
    TAILQ_REMOVE(&e->ages, v, age);
    TAILQ_INSERT_TAIL(&e->ages, v, age);
    if (fresh || (v->created && !v->body.len)) /* a series keeps it: it may have to be created anew */
        make_body(v, regarding, type, reason, action, note);
    if (str_failed(&v->body))
        str_clear(&v->body);
    if (fresh && (!v->body.len || !queue(v)))
        lost(v);
    else if (is_patch_due(v))
        (void)queue(v); /* else with the next repetition, or at the end */
    if (!e->sweep.set)
        timer_start(e->c.timers, &e->sweep, IDLE + 1);
}

/* ---- the outside ------------------------------------------------------------------------------------------------------------------ */

struct events *events_new(const struct events_config *c, struct err *err)
{
    struct events *e;

    if (strlen(c->controller) > NAME_BYTES || strlen(c->instance) > WORD_BYTES) {
        err_set(err, ERR_LIMIT, "the names of who reports events have at most %d and %d bytes", NAME_BYTES,
                WORD_BYTES);
        return NULL;
    }
    e = mem_zalloc(1, sizeof(*e));
    if (!e) {
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        return NULL;
    }
    e->c = *c;
    RB_INIT(&e->known);
    TAILQ_INIT(&e->ages);
    timer_init(&e->sweep, on_sweep, e);
    e->c.controller = e->controller = mem_strdup(c->controller);
    e->c.instance = e->instance = mem_strdup(c->instance);
    if (!e->controller || !e->instance) {
        events_free(e);
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        return NULL;
    }
    return e;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    timer_stop(e->c.timers, &e->sweep);
    for (struct event *v; (v = TAILQ_FIRST(&e->ages));)
        forget(v);
    mem_free(e->controller);
    mem_free(e->instance);
    mem_free(e);
}

const struct events_stats *events_stats(const struct events *e)
{
    return &e->stats;
}
