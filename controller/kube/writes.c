#include "kube/writes.h"

#include "base/mem.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdio.h>
#include <string.h>

enum { MAX_IN_FLIGHT = 16, MAX_WAITING = 200000, SICK_ROUNDS = 2 };
#define TIMEOUT (15 * NS_PER_S)

static const struct backoff key_backoff = {100 * NS_PER_MS, 30 * NS_PER_S, 2};
static const struct backoff throttle_backoff = {NS_PER_S, NS_PER_S, 1};
static const struct backoff sick_backoff = {100 * NS_PER_MS, 5 * NS_PER_S, 2};

enum place {
    TIMED, /* waits for a time */
    READY, /* waits for its turn */
    FLIGHT,
};

struct intent {
    bool set;
    enum write_level level;
    uint32_t max_tries, tries;
    int (*render)(void *arg, struct write_request *ret, struct err *err);
    void (*on_done)(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len);
    void *arg;
};

struct entry {
    RB_ENTRY(entry) by_key, by_due;
    TAILQ_ENTRY(entry) turn;
    struct writes *w;
    struct intent now, next; /* next: what follows the one in flight */
    enum place place;
    int64_t due, next_due;
    uint64_t seq;      /* order among the timed and the ready */
    uint64_t sent;     /* number of the request in flight */
    uint64_t failures; /* in a row */
    struct kube_call *call;
    bool cancelled; /* the answer to what is in flight is nobody's */
    bool safe_twice;
    char key[];
};

RB_HEAD(writes_keys, entry);
RB_HEAD(writes_due, entry);
TAILQ_HEAD(turn_list, entry);

struct writes {
    struct writes_config c;
    struct writes_keys keys;
    struct writes_due timed;
    struct turn_list ready[WRITE_LEVELS];
    struct timer timer;
    struct writes_stats stats;
    uint64_t seq;
    uint32_t waiting, flying; /* sums of the stats */
    uint32_t good;            /* good answers since the window last grew */
    uint64_t shrunk;          /* requests with a lower number say nothing new about the API server */
    uint64_t sick;            /* rounds in a row that failed */
    bool running, draining, drop;
    void (*on_empty)(void *arg);
    void *on_empty_arg;
};

static int key_compare(const struct entry *a, const struct entry *b)
{
    return strcmp(a->key, b->key);
}

static int due_compare(const struct entry *a, const struct entry *b)
{
    if (a->due != b->due)
        return a->due < b->due ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

RB_PROTOTYPE(writes_keys, entry, by_key, key_compare)
RB_GENERATE(writes_keys, entry, by_key, key_compare)
RB_PROTOTYPE(writes_due, entry, by_due, due_compare)
RB_GENERATE(writes_due, entry, by_due, due_compare)

static int64_t now_of(const struct writes *w)
{
    return kube_mono(w->c.clock);
}

/* ---- places --------------------------------------------------------------------------------------------------------------- */

static struct entry *find(const struct writes *w, const char *key)
{
    struct entry *e = ((struct writes_keys *)(uintptr_t)&w->keys)->rbh_root;

    while (e) {
        int order = strcmp(key, e->key);
        if (order == 0)
            break;
        e = order < 0 ? RB_LEFT(e, by_key) : RB_RIGHT(e, by_key);
    }
    return e;
}

static void count_waiting(struct writes *w, const struct intent *i, int by)
{
    w->stats.waiting[i->level] += (uint32_t)by;
    w->waiting += (uint32_t)by;
}

/* Takes the entry out of its place; it is nowhere then. */
static void leave(struct entry *e)
{
    struct writes *w = e->w;

    if (e->place == TIMED)
        RB_REMOVE(writes_due, &w->timed, e);
    else if (e->place == READY)
        TAILQ_REMOVE(&w->ready[e->now.level], e, turn);
    if (e->place == FLIGHT) {
        w->stats.in_flight[e->now.level]--;
        w->flying--;
    } else {
        count_waiting(w, &e->now, -1);
    }
}

static void wait_until(struct entry *e, int64_t due)
{
    struct writes *w = e->w;

    e->place = TIMED;
    e->due = due;
    e->seq = ++w->seq;
    RB_INSERT(writes_due, &w->timed, e);
    count_waiting(w, &e->now, 1);
}

static void line_up(struct entry *e)
{
    struct writes *w = e->w;

    e->place = READY;
    e->seq = ++w->seq;
    TAILQ_INSERT_TAIL(&w->ready[e->now.level], e, turn);
    count_waiting(w, &e->now, 1);
}

static void fly(struct entry *e)
{
    e->place = FLIGHT;
    e->w->stats.in_flight[e->now.level]++;
    e->w->flying++;
}

static void wake(struct writes *w, int64_t wait)
{
    timer_start(w->c.timers, &w->timer, wait);
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------ */

static void tell(struct writes *w, const struct intent *i, enum write_end end, const struct reply *reply,
                 const char *body, size_t len)
{
    static const struct reply none = {.retry_after_s = -1};

    w->stats.ends[end]++;
    i->on_done(i->arg, end, reply ? reply : &none, body ? body : "", len);
}

/* What was in flight, or waited, is over: what follows takes its place, not before `due`; without one the entry goes. */
static void succeed(struct entry *e, int64_t due)
{
    struct writes *w = e->w;

    if (e->next.set) {
        int64_t not_before = e->next_due > due ? e->next_due : due;
        count_waiting(w, &e->next, -1);
        e->now = e->next;
        e->next.set = e->cancelled = false;
        wait_until(e, not_before);
    } else {
        RB_REMOVE(writes_keys, &w->keys, e);
        mem_free(e);
    }
    wake(w, 0);
}

/* Ends the present intent, which is in no place any more. */
static void end(struct entry *e, enum write_end how, const struct reply *reply, const char *body, size_t len)
{
    struct writes *w = e->w;
    struct intent i = e->now;
    bool told = !e->cancelled;

    succeed(e, 0);
    if (told)
        tell(w, &i, how, reply, body, len);
}

/* ---- the API server's health ------------------------------------------------------------------------------------------------- */

static void pause_for(struct writes *w, int64_t wait)
{
    int64_t until = now_of(w) + wait;

    if (until > w->stats.paused_until)
        w->stats.paused_until = until;
}

static void shrink(struct writes *w, const struct entry *e)
{
    if (e->sent <= w->shrunk)
        return; /* one of those that were under way when it shrank: the same trouble */
    w->shrunk = w->stats.sent;
    w->good = 0;
    w->stats.window = w->stats.window > 1 ? w->stats.window / 2 : 1;
    w->sick++;
}

static void grow(struct writes *w)
{
    w->sick = 0;
    if (++w->good < w->stats.window)
        return;
    w->good = 0;
    if (w->stats.window < w->c.max_in_flight)
        w->stats.window++;
}

static void judge(struct writes *w, const struct entry *e, const struct reply *r)
{
    switch (r->class) {
    case REPLY_THROTTLED:
        w->stats.throttled++;
        shrink(w, e);
        w->sick = 0; /* it is there */
        pause_for(w,
                  reply_wait(w->c.clock, &throttle_backoff, 1, r->retry_after_s > 0 ? r->retry_after_s : 1));
        break;
    case REPLY_UNAVAILABLE:
    case REPLY_TIMEOUT:
    case REPLY_SERVER:
    case REPLY_LOST:
        shrink(w, e);
        if (w->sick > SICK_ROUNDS)
            pause_for(w, reply_wait(w->c.clock, &sick_backoff, w->sick - SICK_ROUNDS, -1));
        break;
    default:
        grow(w);
    }
}

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

/* Failed this time. The intent comes again, or the one that follows it takes over its wait. */
static void fail(struct entry *e, const struct reply *r)
{
    struct writes *w = e->w;
    struct intent i = e->now;
    bool told = !e->cancelled;

    e->failures++;
    int64_t due = now_of(w) + reply_wait(w->c.clock, &key_backoff, e->failures, r->retry_after_s);
    if (e->failures == 1 && w->sick <= 1 && w->c.on_trouble)
        w->c.on_trouble(w->c.arg, e->key, r);
    if (e->cancelled || e->next.set) {
        succeed(e, due);
        if (told)
            tell(w, &i, WRITE_REPLACED, r, NULL, 0);
    } else if (i.max_tries && i.tries >= i.max_tries) {
        end(e, WRITE_GIVEN_UP, r, NULL, 0);
    } else if (w->drop) {
        end(e, WRITE_DROPPED, r, NULL, 0);
    } else {
        wait_until(e, due);
        wake(w, 0);
    }
}

static bool is_for_us(enum reply_class c)
{
    return c == REPLY_UNAUTHORIZED || c == REPLY_THROTTLED || c == REPLY_UNAVAILABLE || reply_maybe_done(c);
}

static void on_done(void *arg, const struct kube_reply *raw)
{
    struct entry *e = arg;
    struct writes *w = e->w;
    struct reply r;

    e->call = NULL;
    leave(e);
    reply_read(raw, &r);
    judge(w, e, &r);
    if (is_for_us(r.class) && (e->safe_twice || !reply_maybe_done(r.class))) {
        fail(e, &r);
        return;
    }
    e->failures = 0;
    end(e,
        r.class == REPLY_OK  ? WRITE_OK
        : is_for_us(r.class) ? WRITE_LOST
                             : WRITE_REFUSED,
        &r, raw->body, raw->body_len);
}

/* ---- sending ------------------------------------------------------------------------------------------------------------------ */

/* 0: it flies. Negative: it could not be begun. */
static int launch(struct entry *e, const struct write_request *q, struct err *err)
{
    struct writes *w = e->w;
    const struct kube_handler h = {.on_done = on_done, .arg = e};
    const struct kube_request r = {.verb = q->verb,
                                   .path = str_text(&q->path),
                                   .content_type = q->content_type,
                                   .body = str_text(&q->body),
                                   .body_len = q->body.len,
                                   .timeout_ns = q->timeout_ns ? q->timeout_ns : TIMEOUT};

    if (str_failed(&q->path) || str_failed(&q->body))
        return err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
    e->call = w->c.server->start(w->c.server->self, &r, &h, err);
    if (!e->call)
        return err->code ? err->code : ERR_NOMEM;
    w->stats.retries += e->now.tries > 0;
    e->now.tries++;
    e->sent = ++w->stats.sent;
    e->safe_twice = q->safe_twice;
    fly(e);
    return 0;
}

static void local_trouble(struct reply *r, const struct err *err)
{
    *r = (struct reply){.class = REPLY_LOST, .retry_after_s = -1};
    snprintf(r->message, sizeof(r->message), "%s", err->text);
}

static void send_one(struct entry *e)
{
    struct writes *w = e->w;
    struct write_request q = {0};
    struct err err = {0};
    struct reply r;
    int rc;

    leave(e);
    if (w->c.may_write && !w->c.may_write(w->c.arg)) {
        end(e, WRITE_FENCED, NULL, NULL, 0);
        return;
    }
    str_init(&q.path, 0);
    str_init(&q.body, 0);
    rc = e->now.render(e->now.arg, &q, &err);
    if (rc > 0) {
        end(e, WRITE_NOTHING, NULL, NULL, 0);
    } else if (rc < 0 && rc != ERR_NOMEM) {
        local_trouble(&r, &err);
        end(e, WRITE_FAILED, &r, NULL, 0);
    } else if (rc == ERR_NOMEM || launch(e, &q, &err) != 0) {
        local_trouble(&r, &err);
        fail(e, &r);
    }
    str_free(&q.path);
    str_free(&q.body);
}

/* Events are the last of all, but a queue that is never empty must not starve them: the last place of a wide window is theirs. */
static struct entry *pick_event(struct writes *w, uint64_t until)
{
    struct entry *e = TAILQ_FIRST(&w->ready[WRITE_EVENTS]);
    bool last = w->stats.window >= 4 && w->flying + 1 == w->stats.window;

    return e && e->seq <= until && last && !w->stats.in_flight[WRITE_EVENTS] ? e : NULL;
}

static struct entry *pick(struct writes *w, uint64_t until)
{
    struct entry *event = pick_event(w, until);

    if (event)
        return event;
    for (int level = 0; level < WRITE_LEVELS; level++) {
        struct entry *e = TAILQ_FIRST(&w->ready[level]);
        uint32_t quarter = w->stats.window / 4 ? w->stats.window / 4 : 1;
        if (!e || e->seq > until)
            continue;
        if (level == WRITE_EVENTS && w->stats.in_flight[WRITE_EVENTS] >= quarter)
            continue;
        return e;
    }
    return NULL;
}

static void line_up_due(struct writes *w, int64_t now)
{
    for (struct entry *e; (e = RB_MIN(writes_due, &w->timed)) && e->due <= now;) {
        leave(e);
        line_up(e);
    }
}

/* When to look again: an answer wakes us by itself. */
static void wake_later(struct writes *w, int64_t now)
{
    const struct entry *timed = RB_MIN(writes_due, &w->timed);
    int64_t at = timed ? timed->due : INT64_MAX;

    if (w->flying < w->stats.window && pick(w, UINT64_MAX))
        at = now;
    if (at == INT64_MAX)
        return;
    if (at < w->stats.paused_until)
        at = w->stats.paused_until;
    wake(w, at > now ? at - now : 0);
}

void writes_run(struct writes *w)
{
    int64_t now = now_of(w);

    if (w->running)
        return;
    w->running = true;
    timer_stop(w->c.timers, &w->timer);
    line_up_due(w, now);
    uint64_t until = w->seq; /* what comes in from here on waits for the next run */
    for (struct entry *e;
         w->stats.paused_until <= now && w->flying < w->stats.window && (e = pick(w, until));)
        send_one(e);
    wake_later(w, now);
    w->running = false;
    if (w->draining && w->on_empty && writes_pending(w) == 0) {
        void (*on_empty)(void *) = w->on_empty;
        w->on_empty = NULL;
        on_empty(w->on_empty_arg);
    }
}

static void on_timer(void *arg)
{
    writes_run(arg);
}

/* ---- the outside ---------------------------------------------------------------------------------------------------------------- */

struct writes *writes_new(const struct writes_config *c, struct err *err)
{
    struct writes *w = mem_zalloc(1, sizeof(*w));

    if (!w) {
        err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
        return NULL;
    }
    w->c = *c;
    if (!w->c.max_in_flight)
        w->c.max_in_flight = MAX_IN_FLIGHT;
    if (!w->c.max_waiting)
        w->c.max_waiting = MAX_WAITING;
    w->stats.window = w->c.max_in_flight;
    w->stats.paused_until = INT64_MIN;
    RB_INIT(&w->keys);
    RB_INIT(&w->timed);
    for (int i = 0; i < WRITE_LEVELS; i++)
        TAILQ_INIT(&w->ready[i]);
    timer_init(&w->timer, on_timer, w);
    return w;
}

void writes_free(struct writes *w)
{
    if (!w)
        return;
    timer_stop(w->c.timers, &w->timer);
    for (struct entry *e; (e = RB_MIN(writes_keys, &w->keys));) {
        if (e->call)
            w->c.server->cancel(w->c.server->self, e->call);
        RB_REMOVE(writes_keys, &w->keys, e);
        mem_free(e);
    }
    mem_free(w);
}

static struct entry *new_entry(struct writes *w, const char *key)
{
    size_t len = strlen(key);
    struct entry *e = mem_zalloc(1, sizeof(*e) + len + 1);

    if (!e)
        return NULL;
    memcpy(e->key, key, len + 1);
    e->w = w;
    RB_INSERT(writes_keys, &w->keys, e);
    return e;
}

static struct intent intent_of(const struct write *n)
{
    return (struct intent){.set = true,
                           .level = n->level,
                           .max_tries = n->max_tries,
                           .render = n->render,
                           .on_done = n->on_done,
                           .arg = n->arg};
}

/* In the place of one that waits: its turn, an earlier time and the more urgent level stay. */
static void replace_waiting(struct entry *e, const struct write *n, int64_t due)
{
    struct writes *w = e->w;
    struct intent old = e->now;
    bool ready = e->place == READY && n->level >= old.level;

    if (!ready)
        leave(e);
    e->now = intent_of(n);
    if (e->now.level > old.level)
        e->now.level = old.level;
    if (!ready && e->place == READY)
        line_up(e);
    else if (!ready) /* who waits after a failure waits on */
        wait_until(e, e->failures || e->due < due ? e->due : due);
    wake(w, 0);
    tell(w, &old, WRITE_REPLACED, NULL, NULL, 0);
}

static void follow(struct entry *e, const struct write *n, int64_t due)
{
    struct writes *w = e->w;
    struct intent old = e->next;

    if (old.set)
        count_waiting(w, &old, -1);
    if (!old.set || due < e->next_due)
        e->next_due = due;
    e->next = intent_of(n);
    if (old.set && old.level < e->next.level)
        e->next.level = old.level;
    count_waiting(w, &e->next, 1);
    if (old.set)
        tell(w, &old, WRITE_REPLACED, NULL, NULL, 0);
}

int writes_put(struct writes *w, const struct write *n, struct err *err)
{
    struct entry *e = find(w, n->key);
    int64_t due = now_of(w) + n->wait_ns;

    if (w->draining)
        return err_set(err, ERR_STATE, "the writes are being drained");
    if (strlen(n->key) > WRITE_KEY_MAX)
        return err_set(err, ERR_LIMIT, "a key over %d bytes", WRITE_KEY_MAX);
    if (w->waiting >= w->c.max_waiting && (!e || (e->place == FLIGHT && !e->next.set))) {
        w->stats.refused++;
        return err_set(err, ERR_LIMIT, "%u writes wait already", w->waiting);
    }
    if (e && e->place == FLIGHT) {
        follow(e, n, due);
        return 0;
    }
    if (e) {
        replace_waiting(e, n, due);
        return 0;
    }
    e = new_entry(w, n->key);
    if (!e)
        return err_set(err, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
    e->now = intent_of(n);
    wait_until(e, due);
    wake(w, 0);
    return 0;
}

void writes_cancel(struct writes *w, const char *key)
{
    struct entry *e = find(w, key);

    if (!e)
        return;
    if (e->next.set)
        count_waiting(w, &e->next, -1);
    e->next.set = false;
    if (e->place == FLIGHT) {
        e->cancelled = true;
        return;
    }
    leave(e);
    succeed(e, 0);
}

bool writes_busy(const struct writes *w, const char *key)
{
    const struct entry *e = find(w, key);
    return e && (!e->cancelled || e->next.set);
}

const struct writes_stats *writes_stats(const struct writes *w)
{
    return &w->stats;
}

uint32_t writes_pending(const struct writes *w)
{
    return w->waiting + w->flying;
}

static void drop_waiting(struct writes *w)
{
    struct entry *e, *after;

    for (int level = 0; level < WRITE_LEVELS; level++)
        while ((e = TAILQ_FIRST(&w->ready[level]))) {
            leave(e);
            end(e, WRITE_DROPPED, NULL, NULL, 0);
        }
    while ((e = RB_MIN(writes_due, &w->timed))) {
        leave(e);
        end(e, WRITE_DROPPED, NULL, NULL, 0);
    }
    for (e = RB_MIN(writes_keys, &w->keys); e; e = after) { /* only those in flight are left */
        after = RB_NEXT(writes_keys, &w->keys, e);
        if (!e->next.set)
            continue;
        struct intent i = e->next;
        count_waiting(w, &i, -1);
        e->next.set = false;
        tell(w, &i, WRITE_DROPPED, NULL, NULL, 0);
        after = RB_MIN(writes_keys, &w->keys); /* the owner may have cancelled others */
    }
}

void writes_drain(struct writes *w, bool drop, void (*on_empty)(void *arg), void *arg)
{
    w->draining = true;
    w->drop |= drop;
    w->on_empty = on_empty;
    w->on_empty_arg = arg;
    if (w->drop)
        drop_waiting(w);
    wake(w, 0);
}
