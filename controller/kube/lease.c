#include "kube/lease.h"

#include "base/mem.h"
#include "kube/lease_record.h"
#include "kube/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { IDENTITY_BYTES = 255, NAME_BYTES = 253 };
#define RELEASE_NS (3 * NS_PER_S)

enum state { STANDBY, LEADING, LOST, RELEASING, RELEASED };
enum request { GET, CREATE, UPDATE };

struct lease {
    struct lease_config c;
    struct lease_handler h;
    char *ns, *name, *identity;
    enum state state;
    struct lease_record seen; /* as last read or written */
    bool looked;              /* seen says something */
    bool fresh; /* its version is, as far as we know, the present one: an update needs no look before it */
    int64_t seen_at;          /* mono: when `seen` last changed */
    int64_t good_at;          /* mono: when the last request began that made or kept us the holder */
    struct lease_record next; /* what is being written */
    struct kube_call *call;
    enum request request;
    int64_t began;
    struct timer step, deadline; /* deadline: of the leader, or of a release */
    struct str url, body;
    bool told;
    enum reply_class told_class;
    void (*on_released)(void *arg);
    void *on_released_arg;
    bool gave; /* the release was written, or tried often enough */
};

static int64_t now_of(const struct lease *l)
{
    return kube_mono(l->c.clock);
}

static bool is_ours(const struct lease *l)
{
    return l->looked && strcmp(l->seen.holder, l->identity) == 0;
}

static void trouble(struct lease *l, enum reply_class class, const char *text)
{
    char line[640];

    if (l->told && l->told_class == class)
        return;
    l->told = true;
    l->told_class = class;
    snprintf(line, sizeof(line), "lease %s/%s: %s", l->ns, l->name, text);
    if (l->h.on_trouble)
        l->h.on_trouble(l->h.arg, line);
}

/* ---- where it leads -------------------------------------------------------------------------------------------------------- */

static void again_in(struct lease *l, int64_t wait)
{
    timer_start(l->c.timers, &l->step, wait);
}

/* The next try: the leader's comes `retry` after the last one began, the others' with some jitter (3.13). */
static void again(struct lease *l)
{
    int64_t left = l->began + l->c.retry_ns - now_of(l);

    if (l->state == STANDBY)
        left = l->c.retry_ns + reply_chance(l->c.clock, l->c.retry_ns * 6 / 5);
    again_in(l, left > 0 ? left : 0);
}

static void drop_call(struct lease *l)
{
    if (l->call)
        l->c.server->cancel(l->c.server->self, l->call);
    l->call = NULL;
}

static void lost(struct lease *l, const char *why)
{
    l->state = LOST;
    drop_call(l);
    timer_stop(l->c.timers, &l->step);
    timer_stop(l->c.timers, &l->deadline);
    l->h.on_lost(l->h.arg, why);
}

static void won(struct lease *l)
{
    l->good_at = l->began;
    l->told = false;
    timer_start(l->c.timers, &l->deadline, l->good_at + l->c.renew_deadline_ns - now_of(l));
    again(l);
    if (l->state == LEADING)
        return;
    l->state = LEADING;
    l->h.on_lead(l->h.arg);
}

static void released(struct lease *l)
{
    void (*on_released)(void *) = l->on_released;

    l->state = RELEASED;
    drop_call(l);
    timer_stop(l->c.timers, &l->step);
    timer_stop(l->c.timers, &l->deadline);
    l->on_released = NULL;
    if (on_released)
        on_released(l->on_released_arg);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------ */

static void on_done(void *arg, const struct kube_reply *raw);

static void ask(struct lease *l, enum request request)
{
    const struct kube_handler h = {.on_done = on_done, .arg = l};
    struct kube_request r = {.timeout_ns = l->c.renew_deadline_ns / 2};
    struct err err = {0};

    l->request = request;
    l->began = now_of(l);
    str_clear(&l->url);
    str_clear(&l->body);
    str_addf(&l->url, "/apis/coordination.k8s.io/v1/namespaces/%s/leases", l->ns);
    if (request != CREATE)
        str_addf(&l->url, "/%s", l->name);
    if (request != GET) {
        lease_record_print(&l->next, l->ns, l->name, &l->body);
        r.content_type = KUBE_JSON;
        r.body = str_text(&l->body);
        r.body_len = l->body.len;
    }
    r.verb = request == GET ? KUBE_GET : request == CREATE ? KUBE_POST : KUBE_PUT;
    r.path = str_text(&l->url);
    if (str_failed(&l->url) || str_failed(&l->body))
        err_set(&err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
    else
        l->call = l->c.server->start(l->c.server->self, &r, &h, &err);
    if (!l->call) {
        trouble(l, REPLY_LOST, err.text);
        again(l);
    }
}

/* What we write, from what was seen; false without memory. */
static bool make_next(struct lease *l)
{
    struct lease_record *n = &l->next;
    bool ours = is_ours(l), giving = l->state == RELEASING;

    lease_record_free(n);
    lease_record_init(n);
    microtime_print(kube_wall(l->c.clock), n->renewed);
    snprintf(n->holder, sizeof(n->holder), "%s", giving ? "" : l->identity);
    n->duration_s = giving ? 1 : l->c.duration_ns / NS_PER_S;
    if (!l->looked) {
        memcpy(n->acquired, n->renewed, MICROTIME_BYTES);
        return true;
    }
    memcpy(n->version, l->seen.version, sizeof(n->version));
    memcpy(n->acquired, ours && !giving ? l->seen.acquired : n->renewed, MICROTIME_BYTES);
    n->transitions = l->seen.transitions + !ours;
    n->strategy = l->seen.strategy;
    str_add(&n->meta, str_text(&l->seen.meta));
    str_add(&n->spec, str_text(&l->seen.spec));
    return !str_failed(&n->meta) && !str_failed(&n->spec);
}

static void update(struct lease *l)
{
    if (!make_next(l)) {
        trouble(l, REPLY_LOST, err_name(ERR_NOMEM));
        l->began = now_of(l);
        again(l);
        return;
    }
    l->fresh = false;
    ask(l, UPDATE);
}

static void create(struct lease *l)
{
    l->looked = l->fresh = false;
    (void)make_next(l); /* nothing to copy */
    ask(l, CREATE);
}

/* ---- what was seen ----------------------------------------------------------------------------------------------------------------- */

static bool is_held_by_another(const struct lease *l)
{
    int64_t duration;

    if (is_ours(l))
        return false;
    if (l->seen.strategy)
        return true; /* never to be grabbed */
    if (!l->seen.holder[0])
        return false;
    if (l->seen.duration_s > INT64_MAX / NS_PER_S)
        return true;
    duration = l->seen.duration_s * NS_PER_S;
    return now_of(l) - l->seen_at < duration;
}

/* Takes over what an answer says; false when it cannot be read. */
static bool see(struct lease *l, const char *json, size_t len)
{
    struct lease_record r;
    struct err err;
    bool changed, other;

    lease_record_init(&r);
    if (lease_record_read(&r, json, len, &err)) {
        trouble(l, REPLY_SERVER, err.text);
        lease_record_free(&r);
        return false;
    }
    changed = !l->looked || !lease_record_same(&r, &l->seen);
    other = r.holder[0] && strcmp(r.holder, l->identity) != 0 &&
            (!l->looked || strcmp(r.holder, l->seen.holder) != 0);
    lease_record_free(&l->seen);
    l->seen = r;
    l->looked = l->fresh = true;
    if (changed)
        l->seen_at = now_of(l);
    if (other && l->h.on_holder)
        l->h.on_holder(l->h.arg, l->seen.holder);
    return true;
}

static void after_look(struct lease *l)
{
    if (l->state == LEADING && !is_ours(l)) {
        lost(l, l->seen.holder[0] ? "another one holds the Lease" : "the Lease was given away");
        return;
    }
    if (l->state == RELEASING && !is_ours(l)) {
        released(l);
        return;
    }
    if (is_held_by_another(l)) {
        l->told = false;
        again(l);
        return;
    }
    update(l);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------------------- */

/* A try that failed. An update is followed by a look at once, as the version may not be the present one. */
static void failed(struct lease *l, const struct reply *r)
{
    bool known = r->class == REPLY_CONFLICT || r->class == REPLY_EXISTS || r->class == REPLY_NOT_FOUND;

    if (!known || l->request == CREATE)
        trouble(l, r->class, r->message);
    if (l->state == RELEASING && l->gave) {
        released(l);
        return;
    }
    if (l->state == RELEASING || (l->state == LEADING && l->request == UPDATE && known)) {
        l->gave = l->state == RELEASING; /* once more */
        again_in(l, 0);
        return;
    }
    again(l); /* who stands by has lost the race */
}

static void wrote(struct lease *l, const struct kube_reply *raw)
{
    if (l->state == RELEASING && l->request == UPDATE && !l->next.holder[0]) {
        released(l);
        return;
    }
    if (!see(l, raw->body, raw->body_len)) { /* written all the same; the next try looks */
        struct lease_record before = l->seen;
        l->seen = l->next;
        l->next = before;
        l->seen_at = now_of(l);
        l->looked = true;
        l->fresh = false;
    }
    if (l->state == RELEASING)
        again_in(l, 0); /* the renewal that was under way; now it is given away */
    else
        won(l);
}

static void on_done(void *arg, const struct kube_reply *raw)
{
    struct lease *l = arg;
    struct reply r;

    l->call = NULL;
    reply_read(raw, &r);
    if (r.class == REPLY_NOT_FOUND && l->request == GET) {
        if (l->state == RELEASING)
            released(l);
        else
            create(l);
        return;
    }
    if (r.class != REPLY_OK) {
        failed(l, &r);
    } else if (l->request != GET) {
        wrote(l, raw);
    } else if (see(l, raw->body, raw->body_len)) {
        after_look(l);
    } else {
        again(l);
    }
}

static void on_step(void *arg)
{
    struct lease *l = arg;

    if (l->call || l->state == LOST)
        return;
    if (l->state == RELEASED || (l->state == RELEASING && !is_ours(l))) {
        released(l);
        return;
    }
    if (l->fresh && is_ours(l) && l->state != STANDBY)
        update(l); /* the fast path: no look before it */
    else
        ask(l, GET);
}

static void on_deadline(void *arg)
{
    struct lease *l = arg;

    if (l->state == RELEASING)
        released(l);
    else if (l->state == LEADING)
        lost(l, "the Lease could not be renewed in time");
}

/* ---- the outside -------------------------------------------------------------------------------------------------------------------------- */

static int check(const struct lease_config *c, struct err *err)
{
    if (strlen(c->identity) > IDENTITY_BYTES || !c->identity[0] || strlen(c->ns) > NAME_BYTES ||
        strlen(c->name) > NAME_BYTES)
        return err_set(err, ERR_LIMIT, "the names of a Lease have 1 to %d bytes", IDENTITY_BYTES);
    if (c->duration_ns <= c->renew_deadline_ns || c->retry_ns <= 0 ||
        c->renew_deadline_ns <= c->retry_ns + c->retry_ns / 5 || c->duration_ns < NS_PER_S)
        return err_set(
            err, ERR_RANGE,
            "a Lease's duration must be longer than its renew deadline, that longer than 1.2 times "
            "its retry period");
    return 0;
}

static int64_t or_else(int64_t ns, int64_t seconds)
{
    return ns ? ns : seconds * NS_PER_S;
}

struct lease *lease_new(const struct lease_config *c, const struct lease_handler *h, struct err *err)
{
    struct lease_config full = *c;

    full.duration_ns = or_else(c->duration_ns, 15);
    full.renew_deadline_ns = or_else(c->renew_deadline_ns, 10);
    full.retry_ns = or_else(c->retry_ns, 2);
    if (check(&full, err))
        return NULL;
    struct lease *l = mem_zalloc(1, sizeof(*l));
    if (!l) {
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        return NULL;
    }
    l->c = full;
    l->h = *h;
    lease_record_init(&l->seen);
    lease_record_init(&l->next);
    str_init(&l->url, 0);
    str_init(&l->body, 0);
    timer_init(&l->step, on_step, l);
    timer_init(&l->deadline, on_deadline, l);
    l->c.ns = l->ns = mem_strdup(c->ns);
    l->c.name = l->name = mem_strdup(c->name);
    l->c.identity = l->identity = mem_strdup(c->identity);
    if (!l->ns || !l->name || !l->identity) {
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        lease_free(l);
        return NULL;
    }
    again_in(l, 0);
    return l;
}

void lease_free(struct lease *l)
{
    if (!l)
        return;
    drop_call(l);
    timer_stop(l->c.timers, &l->step);
    timer_stop(l->c.timers, &l->deadline);
    lease_record_free(&l->seen);
    lease_record_free(&l->next);
    str_free(&l->url);
    str_free(&l->body);
    mem_free(l->ns);
    mem_free(l->name);
    mem_free(l->identity);
    mem_free(l);
}

bool lease_leading(const struct lease *l)
{
    return l->state == LEADING;
}

bool lease_may_write(const struct lease *l)
{
    return l->state == LEADING && now_of(l) - l->good_at < l->c.renew_deadline_ns;
}

const char *lease_holder(const struct lease *l)
{
    return l->looked ? l->seen.holder : "";
}

int64_t lease_age(const struct lease *l)
{
    if (l->state == LEADING)
        return now_of(l) - l->good_at;
    return l->looked ? now_of(l) - l->seen_at : -1;
}

void lease_release(struct lease *l, void (*on_released)(void *arg), void *arg)
{
    /* What is being written may make us the holder. */
    bool ours = l->state == LEADING || (l->state == STANDBY && l->call && l->request != GET);

    l->on_released = on_released;
    l->on_released_arg = arg;
    if (!ours) {
        drop_call(l);
        l->state = RELEASED;
        again_in(l, 0);
        return;
    }
    l->state = RELEASING;
    timer_start(l->c.timers, &l->deadline, RELEASE_NS);
    if (!l->call) /* else after what is under way: it moves the version */
        again_in(l, 0);
}
