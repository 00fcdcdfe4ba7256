#include "simulated/simserver.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOOKMARK_S = 60, LEAST_WATCH_S = 1800 };

enum state {
    ARRIVING, /* on its way to the server */
    ANSWERED, /* the answer is on its way back */
    WATCHING,
    OVER, /* nobody is told anything any more */
};

/* Lives in the store's arena, as things in the clock may point to it after it is over. */
struct kube_call {
    struct simserver *s;
    struct kube_call *next, **link; /* of those under way */
    struct kube_handler h;
    enum kube_verb verb;
    const char *content_type, *body;
    size_t len;
    bool stream;
    enum state state;
    int64_t timeout_ns, started;
    struct route route;
    const struct val *document;
    struct answer answer;
    const char *error;
    /* a watch */
    int64_t cursor;          /* the next version to look at */
    bool initial;            /* the state comes first */
    bool awake;              /* a delivery is due */
    bool expired, too_large; /* its version is too old, of the future */
    bool dead;
    int64_t late_ns;
};

static void arrive(void *arg);
static void deliver(void *arg);
static void wake(void *arg);

/* ---- delays ------------------------------------------------------------------------------------------------------------- */

static int64_t delay(struct simserver *s)
{
    if (s->hasty)
        return NS_PER_MS;
    uint64_t r = dice_next(&s->dice);
    int64_t most = r % 16 == 0 ? 200 * NS_PER_MS : 4 * NS_PER_MS;
    return NS_PER_MS / 4 + (int64_t)(r >> 8) % most;
}

/* Seconds; now and then longer than anybody waits. */
static int64_t slowness(struct simserver *s)
{
    uint64_t r = dice_next(&s->dice);
    return NS_PER_S / 2 + (int64_t)((r >> 8) % (r % 4 == 0 ? 80000 : 8000)) * NS_PER_MS;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static void unlink_call(struct kube_call *c)
{
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->link = NULL;
}

static void over(struct kube_call *c)
{
    c->state = OVER;
    unlink_call(c);
}

static struct kube_call *start(void *self, const struct kube_request *r, const struct kube_handler *h,
                               struct err *err)
{
    struct simserver *s = self;
    struct arena *a = &s->store->a;
    if (!r->path || r->path[0] != '/') {
        err_set(err, ERR_INVALID, "a path begins with a slash");
        return NULL;
    }
    struct kube_call *c = val_alloc(a, sizeof(*c));
    *c = (struct kube_call){.s = s,
                            .h = *h,
                            .verb = r->verb,
                            .len = r->body_len,
                            .stream = r->stream,
                            .timeout_ns = r->timeout_ns,
                            .started = s->clock->mono};
    c->content_type = r->content_type ? val_strndup(a, r->content_type, strlen(r->content_type)) : NULL;
    c->body = r->body ? val_strndup(a, r->body, r->body_len) : "";
    c->route = route_of(a, r->path);
    c->document = r->body_len ? val_parse(a, c->body, c->len) : NULL;
    c->next = s->calls;
    if (c->next)
        c->next->link = &c->next;
    c->link = &s->calls;
    s->calls = c;
    vclock_after(s->clock, delay(s), arrive, c);
    return c;
}

static void cancel(void *self, struct kube_call *c)
{
    (void)self;
    bool sent = c->state == ARRIVING && c->verb != KUBE_GET && dice_one_in(&c->s->dice, 2);
    if (!sent) /* else it is done all the same */
        over(c);
    c->h = (struct kube_handler){0};
}

static void done(struct kube_call *c, const struct kube_reply *reply)
{
    if (c->state == OVER)
        return;
    over(c);
    if (c->h.on_done)
        c->h.on_done(c->h.arg, reply);
}

/* Gives a part of a stream, sometimes in two pieces. False when the call is over. */
static bool give(struct kube_call *c, int status, const char *data, size_t len)
{
    struct simserver *s = c->s;
    size_t first =
        len > 1 && !s->hasty && dice_one_in(&s->dice, 4) ? 1 + dice_next(&s->dice) % (len - 1) : len;
    for (size_t at = 0; at < len && c->state != OVER; at += first, first = len - at)
        if (c->h.on_data && !c->h.on_data(c->h.arg, status, data + at, first)) {
            done(c, &(struct kube_reply){.body = "", .retry_after_s = -1, .error = "enough"});
            return false;
        }
    return c->state != OVER;
}

/* The client does not run: what is for it waits, in order. */
static bool is_frozen(struct kube_call *c, void (*again)(void *arg))
{
    struct simserver *s = c->s;
    if (s->clock->mono >= s->frozen_until)
        return false;
    vclock_after(s->clock, s->frozen_until - s->clock->mono, again, c);
    return true;
}

static void lose(struct kube_call *c, const char *why, int64_t wait_ns)
{
    c->state = ANSWERED;
    c->answer = (struct answer){.code = 0, .body = "", .retry_after_s = -1};
    c->error = why;
    vclock_after(c->s->clock, wait_ns, deliver, c);
}

static void reply_after(struct kube_call *c, struct answer a, int64_t wait_ns)
{
    if (c->timeout_ns && wait_ns > c->timeout_ns) {
        lose(c, "timed out", c->timeout_ns);
        return;
    }
    if (a.v)
        a.body = version_text(c->s->store, a.v, &a.len);
    c->state = ANSWERED;
    c->answer = a;
    vclock_after(c->s->clock, wait_ns, deliver, c);
}

static void reply(struct kube_call *c, struct answer a)
{
    reply_after(c, a, delay(c->s));
}

static void deliver(void *arg)
{
    struct kube_call *c = arg;
    if (c->state != ANSWERED || is_frozen(c, deliver))
        return;
    const struct answer *a = &c->answer;
    if (c->stream && a->code && !give(c, a->code, a->body, a->len))
        return;
    struct kube_reply r = {.status = a->code,
                           .body = c->stream ? "" : a->body,
                           .body_len = c->stream ? 0 : a->len,
                           .retry_after_s = a->retry_after_s,
                           .error = a->code ? "" : c->error};
    done(c, &r);
}

/* ---- requests ----------------------------------------------------------------------------------------------------------- */

static void watch_begin(struct kube_call *c);

static struct simserver_request as_seen(const struct kube_call *c)
{
    return (struct simserver_request){
        .verb = c->verb, .route = &c->route, .body = c->document, .started = c->started};
}

static void execute(struct kube_call *c, struct answer *ret)
{
    struct store *st = c->s->store;
    struct rest_request r = {.verb = c->verb,
                             .route = &c->route,
                             .content_type = c->content_type,
                             .body = c->body,
                             .len = c->len,
                             .document = c->document};
    const char *before = st->actor;
    int64_t rv = store_rv(st);
    st->actor = c->s->actor;
    *ret = rest_do(st, &r);
    st->actor = before;
    struct simserver_request seen = as_seen(c);
    seen.changed = store_rv(st) != rv;
    if (c->s->seen)
        c->s->seen(c->s->arg, &seen, ret);
}

/* Somebody else's write, which changes nothing that matters but the version. */
static void meddle(struct kube_call *c)
{
    struct store *st = c->s->store;
    const struct route *q = &c->route;
    if (!q->resource || !q->name)
        return;
    rest_patch(st, "meddler", q->resource, q->ns, q->name, NULL,
               val_format(&st->a, "{\"metadata\":{\"annotations\":{\"example.com/touched\":\"%lld\"}}}",
                          (long long)store_rv(st)));
}

/* True when the fault took the call's place. */
static bool befall(struct kube_call *c, enum simserver_fault f)
{
    struct simserver *s = c->s;
    struct answer a;
    int64_t retry = 1 + (int64_t)(dice_next(&s->dice) % 5);
    switch (f) {
    case SIM_LOST_BEFORE:
        lose(c, "connection reset", delay(s));
        return true;
    case SIM_LOST_AFTER:
        execute(c, &a);
        lose(c, "connection reset", delay(s));
        return true;
    case SIM_THROTTLED:
        reply(c, refuse_busy(s->store, 429, retry));
        return true;
    case SIM_BROKEN:
        reply(c, refuse_busy(s->store, 500, -1));
        return true;
    case SIM_OVERRUN:
        execute(c, &a);
        reply(c, refuse(s->store, 504, "Timeout", "request did not complete within the requested timeout"));
        return true;
    case SIM_REFUSED:
        reply(c, refuse(s->store, 403, "Forbidden", "a policy of this cluster denied the request"));
        return true;
    case SIM_CONFLICT:
        meddle(c);
        return false;
    default:
        return false;
    }
}

static void arrive(void *arg)
{
    struct kube_call *c = arg;
    struct simserver *s = c->s;
    if (c->state != ARRIVING)
        return;
    bool watch = c->verb == KUBE_GET && c->route.watch && c->route.resource;
    s->requests[c->verb]++;
    enum simserver_fault f = SIM_NONE;
    struct simserver_request seen = as_seen(c);
    if (s->fault)
        f = s->fault(s->arg, &seen);
    if (befall(c, f))
        return;
    if (watch) {
        watch_begin(c);
        return;
    }
    struct answer a;
    execute(c, &a);
    reply_after(c, a, f == SIM_SLOW ? slowness(s) : delay(s));
}

/* ---- watches ------------------------------------------------------------------------------------------------------------ */

static void schedule(struct kube_call *c)
{
    if (c->awake || c->dead)
        return;
    c->awake = true;
    vclock_after(c->s->clock, delay(c->s) + c->late_ns, wake, c);
}

static void add_line(struct kube_call *c, struct str *out, const char *type, const struct version *v)
{
    size_t len;
    const char *text = version_text(c->s->store, v, &len);
    str_addf(out, "{\"type\":\"%s\",\"object\":", type);
    str_addn(out, text, len);
    str_add(out, "}\n");
    c->s->events++;
}

static bool concerns(const struct kube_call *c, const struct version *v)
{
    return v->entry->resource == c->route.resource &&
           (!c->route.ns || (v->entry->ns && strcmp(c->route.ns, v->entry->ns) == 0));
}

/* A change as the watch sees it through its selectors. */
static void add_change(struct kube_call *c, struct str *out, const struct version *v)
{
    const struct version *old = v->older && !v->older->deleted ? v->older : NULL;
    bool was = old && route_selects(&c->route, old->object);
    bool is = !v->deleted && route_selects(&c->route, v->object);
    if (is)
        add_line(c, out, was ? "MODIFIED" : "ADDED", v);
    else if (was)
        add_line(c, out, "DELETED", v);
}

static void add_bookmark(struct kube_call *c, struct str *out, bool end)
{
    const struct resource *r = c->route.resource;
    str_addf(out,
             "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\",\"metadata\":{"
             "\"resourceVersion\":\"%lld\",\"creationTimestamp\":null%s}%s}}\n",
             r->kind, r->group, *r->group ? "/" : "", r->version, (long long)(c->cursor - 1),
             end ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "",
             r->custom ? "" : ",\"spec\":{},\"status\":{}");
}

static void add_initial(struct kube_call *c, struct str *out)
{
    struct store *st = c->s->store;
    for (struct entry *e = store_first(st, c->route.resource); e; e = store_next(e))
        if (!e->newest->deleted && concerns(c, e->newest) && route_selects(&c->route, e->newest->object))
            add_line(c, out, "ADDED", e->newest);
    c->cursor = store_rv(st) + 1;
    if (c->route.initial && c->route.bookmarks)
        add_bookmark(c, out, true);
    c->initial = false;
}

static void send_error(struct kube_call *c, const struct answer *a)
{
    struct str out;
    str_init(&out, 0);
    str_addf(&out, "{\"type\":\"ERROR\",\"object\":%s}\n", a->body);
    if (give(c, 200, str_text(&out), out.len))
        done(c, &(struct kube_reply){.status = 200, .body = "", .retry_after_s = -1, .error = ""});
    str_free(&out);
}

static void send_expired(struct kube_call *c)
{
    struct store *st = c->s->store;
    struct answer a = refuse_expired(st,
                                     val_printf(&st->a, "too old resource version: %lld (%lld)",
                                                (long long)(c->cursor - 1), (long long)st->compacted),
                                     NULL);
    send_error(c, &a);
}

/* Gives the watch what it has not seen; `bookmark`: says where it stands, too. */
static void send_changes(struct kube_call *c, bool bookmark)
{
    struct store *st = c->s->store;
    if (c->expired) {
        send_expired(c);
        return;
    }
    if (c->too_large) {
        struct answer a = refuse_too_large(st, strtoll(c->route.rv, NULL, 10));
        send_error(c, &a);
        return;
    }
    struct str out;
    str_init(&out, 0);
    if (c->initial)
        add_initial(c, &out);
    for (; c->cursor <= store_rv(st); c->cursor++) {
        const struct version *v = store_change(st, c->cursor);
        if (concerns(c, v))
            add_change(c, &out, v);
    }
    if (bookmark && c->route.bookmarks)
        add_bookmark(c, &out, false);
    if (out.len)
        give(c, 200, str_text(&out), out.len);
    str_free(&out);
}

static void wake(void *arg)
{
    struct kube_call *c = arg;
    if (is_frozen(c, wake))
        return;
    c->awake = false;
    if (c->state == WATCHING && !c->dead)
        send_changes(c, false);
}

static void bookmark(void *arg)
{
    struct kube_call *c = arg;
    if (c->state != WATCHING || c->dead || is_frozen(c, bookmark))
        return;
    vclock_after(c->s->clock, BOOKMARK_S * NS_PER_S, bookmark, c);
    if (!c->awake) /* else it would overtake what is under way */
        send_changes(c, true);
}

static void watch_end(void *arg)
{
    struct kube_call *c = arg;
    if (c->state == WATCHING && !c->dead && !is_frozen(c, watch_end))
        done(c, &(struct kube_reply){.status = 200, .body = "", .retry_after_s = -1, .error = ""});
}

static void watch_begin(struct kube_call *c)
{
    struct simserver *s = c->s;
    const struct route *q = &c->route;
    if (!s->store->served[resource_index(q->resource)]) {
        reply(c, refuse_no_route(s->store));
        return;
    }
    struct answer bad = rest_check_list(s->store, q);
    int64_t rv = q->rv ? strtoll(q->rv, NULL, 10) : 0;
    if (bad.code) {
        reply(c, bad);
        return;
    }
    s->watches++;
    c->state = WATCHING;
    c->initial = q->initial ? strcmp(q->initial, "true") == 0 : rv == 0;
    c->cursor = rv == 0 ? store_rv(s->store) + 1 : rv + 1;
    c->expired = !c->initial && rv && rv < s->store->compacted;
    c->too_large = c->initial && rv > store_rv(s->store);
    int64_t life =
        q->timeout_s > 0 ? q->timeout_s : LEAST_WATCH_S + (int64_t)(dice_next(&s->dice) % LEAST_WATCH_S);
    vclock_after(s->clock, life * NS_PER_S, watch_end, c);
    vclock_after(s->clock, BOOKMARK_S * NS_PER_S, bookmark, c);
    schedule(c);
}

static void changed(void *arg, const struct version *now)
{
    struct simserver *s = arg;
    for (struct kube_call *c = s->calls; c; c = c->next)
        if (c->state == WATCHING && concerns(c, now))
            schedule(c);
}

void simserver_init(struct simserver *s, struct store *store, struct vclock *clock, uint64_t seed)
{
    *s = (struct simserver){.store = store, .clock = clock, .actor = "controller"};
    s->dice = dice_of_seed(seed ^ UINT64_C(0x736572766572));
    s->seam = (struct kube_server){.start = start, .cancel = cancel, .self = s};
    store_hook(store, changed, s);
}

/* ---- what is done to it ------------------------------------------------------------------------------------------------- */

uint32_t simserver_calls(const struct simserver *s)
{
    uint32_t n = 0;
    for (const struct kube_call *c = s->calls; c; c = c->next)
        n++;
    return n;
}

/* What was on its way when the connection went: done or not. */
static void maybe_execute(struct kube_call *c)
{
    struct answer a;
    if (c->state == ARRIVING && c->verb != KUBE_GET && dice_one_in(&c->s->dice, 2))
        execute(c, &a);
}

void simserver_cut(struct simserver *s)
{
    struct kube_call *next;
    for (struct kube_call *c = s->calls; c; c = next) {
        next = c->next;
        maybe_execute(c);
        lose(c, "connection reset", NS_PER_MS / 2);
    }
}

void simserver_crash(struct simserver *s)
{
    struct kube_call *next;
    for (struct kube_call *c = s->calls; c; c = next) {
        next = c->next;
        maybe_execute(c);
        over(c);
    }
}

uint32_t simserver_half_dead(struct simserver *s)
{
    uint32_t n = 0;
    for (struct kube_call *c = s->calls; c; c = c->next)
        if (c->state == WATCHING && !c->dead) {
            c->dead = true;
            n++;
        }
    return n;
}

static struct kube_call *some_watch(struct simserver *s)
{
    uint32_t n = 0;
    for (struct kube_call *c = s->calls; c; c = c->next)
        n += c->state == WATCHING && !c->dead;
    uint32_t pick = n ? (uint32_t)(dice_next(&s->dice) % n) : 0;
    for (struct kube_call *c = s->calls; c && n; c = c->next)
        if (c->state == WATCHING && !c->dead && pick-- == 0)
            return c;
    return NULL;
}

bool simserver_delay_watch(struct simserver *s, int64_t ns)
{
    struct kube_call *c = some_watch(s);
    if (c)
        c->late_ns = ns;
    return c != NULL;
}

uint32_t simserver_expire(struct simserver *s)
{
    uint32_t n = 0;
    if (s->clock->mono < s->frozen_until)
        return 0;
    store_compact(s->store, store_rv(s->store));
    for (struct kube_call *c; (c = some_watch(s)) && n < RESOURCE_MAX; n++)
        send_expired(c);
    return n;
}

int64_t simserver_given(const struct simserver *s, const struct resource *r)
{
    int64_t least = store_rv(s->store);
    for (const struct kube_call *c = s->calls; c; c = c->next)
        if (c->state == WATCHING && c->route.resource == r && c->cursor - 1 < least)
            least = c->cursor - 1;
    return least;
}
