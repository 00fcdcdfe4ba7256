#include "kube/writes.h"

#include "base/mem.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S NS_PER_S
#define MS NS_PER_MS

struct owner {
    struct fake f;
    struct writes *w;
    char log[8192];
    size_t n;
    bool fenced;
    int troubles;
};

/* An intent, as its owner keeps it. */
struct thing {
    struct owner *o;
    const char *name;
    int rc;           /* of render */
    bool once;        /* not safe twice */
    bool fail_once;   /* render has no memory the first time */
    int again;        /* puts itself again so often when it is told */
    int64_t again_in; /* ns */
};

static const char *const ends[] = {"ok",     "nothing",  "refused", "lost",   "given-up",
                                   "fenced", "replaced", "failed",  "dropped"};

static void note(struct owner *o, const char *name, const char *what, const char *more)
{
    o->n += (size_t)snprintf(o->log + o->n, sizeof(o->log) - o->n, "%s%s:%s%s%s", o->n ? " " : "", name, what,
                             *more ? "/" : "", more);
    ck_assert_uint_lt(o->n, sizeof(o->log));
}

static int render(void *arg, struct write_request *q, struct err *err)
{
    struct thing *t = arg;
    if (t->fail_once) {
        t->fail_once = false;
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (t->rc)
        return t->rc < 0 ? err_set(err, t->rc, "cannot") : t->rc;
    q->verb = KUBE_PATCH;
    q->content_type = KUBE_MERGE_PATCH;
    q->safe_twice = !t->once;
    str_addf(&q->path, "/x/%s", t->name);
    str_add(&q->body, "{}");
    return 0;
}

static void put(struct owner *o, const char *key, struct thing *t, enum write_level level, int64_t wait_ns);

static void on_done(void *arg, enum write_end end, const struct reply *r, const char *body, size_t len)
{
    struct thing *t = arg;
    ck_assert_uint_eq(strlen(body), len);
    bool says = end == WRITE_REFUSED || end == WRITE_LOST || end == WRITE_GIVEN_UP;
    ck_assert(!says || r->message[0]);
    note(t->o, t->name, ends[end], says ? reply_class_name(r->class) : "");
    if (t->again > 0) {
        t->again--;
        put(t->o, t->name, t, WRITE_STATUS, t->again_in);
    }
}

static bool may_write(void *arg)
{
    return !((struct owner *)arg)->fenced;
}

static void on_trouble(void *arg, const char *key, const struct reply *r)
{
    ck_assert(key[0] && r->message[0]);
    ((struct owner *)arg)->troubles++;
}

static void begin(struct owner *o, uint32_t max_in_flight)
{
    memset(o, 0, sizeof(*o));
    fake_init(&o->f);
    struct writes_config c = {.server = &o->f.server,
                              .timers = &o->f.timers,
                              .clock = &o->f.clock,
                              .max_in_flight = max_in_flight,
                              .max_waiting = 100,
                              .may_write = may_write,
                              .on_trouble = on_trouble,
                              .arg = o};
    o->w = writes_new(&c, NULL);
    ck_assert_ptr_nonnull(o->w);
}

static void finish(struct owner *o)
{
    writes_free(o->w);
    fake_finish(&o->f);
}

static void put(struct owner *o, const char *key, struct thing *t, enum write_level level, int64_t wait_ns)
{
    struct write n = {
        .key = key, .level = level, .wait_ns = wait_ns, .render = render, .on_done = on_done, .arg = t};
    t->o = o;
    ck_assert_int_eq(writes_put(o->w, &n, NULL), 0);
}

/* The names of the open calls, in the order in which they were begun. */
static const char *flying(struct owner *o)
{
    static char text[512];
    size_t n = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < fake_count_open(&o->f); i++)
        n +=
            (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "", fake_open(&o->f, i)->path + 3);
    return text;
}

#define STATUS(code, reason)                                                                                 \
    "{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason "\",\"message\":\"so\"}"

START_TEST(test_one)
{
    struct owner o;
    struct thing a = {.name = "a"};
    begin(&o, 2);
    put(&o, "a", &a, WRITE_STATUS, 0);
    ck_assert_uint_eq(o.f.n, 0); /* not from within */
    ck_assert(writes_busy(o.w, "a") && !writes_busy(o.w, "b"));
    ck_assert_uint_eq(writes_stats(o.w)->waiting[WRITE_STATUS], 1);
    fake_settle(&o.f);
    struct fake_call *c = fake_only(&o.f);
    ck_assert_str_eq(c->path, "/x/a");
    ck_assert_str_eq(c->type, KUBE_MERGE_PATCH);
    ck_assert_str_eq(c->body, "{}");
    ck_assert_int_eq(c->timeout_ns, 15 * S);
    ck_assert(c->verb == KUBE_PATCH && !c->stream);
    ck_assert_uint_eq(writes_stats(o.w)->in_flight[WRITE_STATUS], 1);
    fake_reply(&o.f, c, 200, "{\"x\":1}");
    TOLD(&o, "a:ok");
    ck_assert_uint_eq(writes_pending(o.w), 0);
    ck_assert(!writes_busy(o.w, "a"));
    finish(&o);
}
END_TEST

START_TEST(test_levels_and_turns)
{
    static const char *const names[] = {"e1", "s1", "j1", "s2", "u1", "j2", "e2", "u2"};
    static const enum write_level levels[] = {WRITE_EVENTS, WRITE_STATUS, WRITE_JOBS,   WRITE_STATUS,
                                              WRITE_URGENT, WRITE_JOBS,   WRITE_EVENTS, WRITE_URGENT};
    struct owner o;
    struct thing t[8];
    begin(&o, 1);
    for (int i = 0; i < 8; i++) {
        t[i] = (struct thing){.name = names[i]};
        put(&o, names[i], &t[i], levels[i], 0);
    }
    fake_settle(&o.f);
    for (int i = 0; i < 8; i++)
        fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "u1:ok u2:ok j1:ok j2:ok s1:ok s2:ok e1:ok e2:ok");
    finish(&o);
}
END_TEST

START_TEST(test_events_take_a_quarter)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    struct owner o;
    struct thing t[10];
    begin(&o, 8);
    for (int i = 0; i < 10; i++) {
        t[i] = (struct thing){.name = names[i]};
        put(&o, names[i], &t[i], i < 4 ? WRITE_EVENTS : WRITE_STATUS, 0);
    }
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "4 5 6 7 8 9 0 1");
    fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
    ck_assert_str_eq(flying(&o), "5 6 7 8 9 0 1");
    fake_reply(&o.f, fake_open(&o.f, 5), 200, "");
    ck_assert_str_eq(flying(&o), "5 6 7 8 9 1 2");
    finish(&o);
}
END_TEST

START_TEST(test_events_have_the_last_place)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    struct owner o;
    struct thing t[8];
    begin(&o, 4);
    for (int i = 0; i < 8; i++) {
        t[i] = (struct thing){.name = names[i]};
        put(&o, names[i], &t[i], i < 2 ? WRITE_EVENTS : WRITE_URGENT, 0);
    }
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "2 3 4 0");
    fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
    ck_assert_str_eq(flying(&o), "3 4 0 5"); /* one is under way: that is all while others wait */
    fake_reply(&o.f, fake_open(&o.f, 2), 200, "");
    ck_assert_str_eq(flying(&o), "3 4 5 1");
    finish(&o);
}
END_TEST

START_TEST(test_newest_wins)
{
    struct owner o;
    struct thing a1 = {.name = "a1"}, a2 = {.name = "a2"}, a3 = {.name = "a3"}, a4 = {.name = "a4"};
    begin(&o, 4);
    put(&o, "a", &a1, WRITE_STATUS, 0);
    put(&o, "a", &a2, WRITE_STATUS, 0); /* in its place */
    TOLD(&o, "a1:replaced");
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "a2");
    put(&o, "a", &a3, WRITE_STATUS, 0); /* behind it */
    put(&o, "a", &a4, WRITE_STATUS, 0);
    fake_settle(&o.f);
    TOLD(&o, "a3:replaced");
    ck_assert_str_eq(flying(&o), "a2"); /* never two of a key */
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "a2:ok");
    ck_assert_str_eq(flying(&o), "a4");
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "a4:ok");
    /* one that fails and will be tried again is replaced by what follows, which waits as long */
    put(&o, "a", &a1, WRITE_STATUS, 0);
    fake_settle(&o.f);
    put(&o, "a", &a2, WRITE_STATUS, 0);
    fake_reply(&o.f, fake_only(&o.f), 500, "");
    TOLD(&o, "a1:replaced");
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    put(&o, "a", &a3, WRITE_STATUS, 0); /* this one too */
    fake_settle(&o.f);
    TOLD(&o, "a2:replaced");
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    fake_pass(&o.f, 100 * MS);
    ck_assert_str_eq(flying(&o), "a3");
    finish(&o);
}
END_TEST

START_TEST(test_urgent_stays_urgent)
{
    struct owner o;
    struct thing b = {.name = "b"}, a1 = {.name = "a1"}, a2 = {.name = "a2"}, c1 = {.name = "c1"},
                 c2 = {.name = "c2"};
    begin(&o, 1);
    put(&o, "b", &b, WRITE_JOBS, 0);
    put(&o, "a", &a1, WRITE_URGENT, 0);
    put(&o, "a", &a2, WRITE_EVENTS, 0);
    put(&o, "c", &c1, WRITE_EVENTS, 0);
    put(&o, "c", &c2, WRITE_URGENT, 0);
    TOLD(&o, "a1:replaced c1:replaced");
    ck_assert_uint_eq(writes_stats(o.w)->waiting[WRITE_URGENT], 2);
    ck_assert_uint_eq(writes_stats(o.w)->waiting[WRITE_EVENTS], 0);
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "a2");
    /* and those that are in line already */
    struct thing b2 = {.name = "b2"};
    put(&o, "b", &b2, WRITE_URGENT, 0);
    put(&o, "c", &c1, WRITE_EVENTS, 0);
    TOLD(&o, "b:replaced c2:replaced");
    for (int i = 0; i < 3; i++)
        fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "a2:ok c1:ok b2:ok");
    finish(&o);
}
END_TEST

/* What an answer leads to: an end, or (NULL) another try. */
static const struct {
    int status;
    const char *body;
    bool once;
    const char *told;
} class_rows[] = {
    {200, "{}", true, "a:ok"},
    {201, "", false, "a:ok"},
    {409, STATUS("409", "Conflict"), false, "a:refused/conflict"},
    {409, STATUS("409", "AlreadyExists"), false, "a:refused/exists"},
    {404, STATUS("404", "NotFound"), false, "a:refused/not_found"},
    {410, STATUS("410", "Gone"), false, "a:refused/gone"},
    {422, STATUS("422", "Invalid"), false, "a:refused/invalid"},
    {403, STATUS("403", "Forbidden"), false, "a:refused/forbidden"},
    {401, "", false, NULL},
    {401, "", true, NULL},
    {429, "", true, NULL},
    {503, "", true, NULL},
    {500, "", false, NULL},
    {504, "", false, NULL},
    {0, "", false, NULL},
    {500, "", true, "a:lost/server"},
    {504, STATUS("504", "Timeout"), true, "a:lost/timeout"},
    {0, "", true, "a:lost/lost"},
};

START_TEST(test_answers)
{
    struct owner o;
    struct thing a = {.name = "a", .once = class_rows[_i].once};
    begin(&o, 1);
    put(&o, "a", &a, WRITE_STATUS, 0);
    fake_settle(&o.f);
    fake_reply(&o.f, fake_only(&o.f), class_rows[_i].status, class_rows[_i].body);
    TOLD(&o, class_rows[_i].told ? class_rows[_i].told : "");
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    if (!class_rows[_i].told) {
        ck_assert_uint_eq(writes_pending(o.w), 1);
        fake_pass(&o.f, 2 * S);
        fake_reply(&o.f, fake_only(&o.f), 200, "");
        TOLD(&o, "a:ok");
        ck_assert_uint_eq(writes_stats(o.w)->retries, 1);
        ck_assert_int_eq(o.troubles, 1);
    }
    ck_assert_uint_eq(writes_pending(o.w), 0);
    finish(&o);
}
END_TEST

START_TEST(test_backoff_of_a_key)
{
    static const int64_t want[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};
    struct owner o;
    struct thing a = {.name = "a"}, b = {.name = "b"};
    begin(&o, 16);
    put(&o, "a", &a, WRITE_STATUS, 0);
    fake_settle(&o.f);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        fake_reply(&o.f, fake_only(&o.f), 500, "");
        int64_t before = o.f.now;
        put(&o, "b", &b, WRITE_STATUS, 0); /* others go on */
        fake_settle(&o.f);
        fake_reply(&o.f, fake_only(&o.f), 200, "");
        while (fake_count_open(&o.f) == 0)
            fake_pass(&o.f, 10 * MS);
        ck_assert_int_eq((o.f.now - before) / (100 * MS), want[i]);
    }
    ck_assert_int_eq(o.troubles, 1);
    finish(&o);
}
END_TEST

START_TEST(test_tries_are_used_up)
{
    struct owner o;
    struct thing a = {.name = "a", .o = &o};
    begin(&o, 16);
    struct write n = {
        .key = "a", .level = WRITE_EVENTS, .max_tries = 3, .render = render, .on_done = on_done, .arg = &a};
    ck_assert_int_eq(writes_put(o.w, &n, NULL), 0);
    fake_settle(&o.f);
    for (int i = 0; i < 3; i++) {
        TOLD(&o, "");
        fake_lose(&o.f, fake_only(&o.f));
        fake_pass(&o.f, 2 * S);
    }
    TOLD(&o, "a:given-up/lost");
    ck_assert_uint_eq(writes_pending(o.w), 0);
    finish(&o);
}
END_TEST

START_TEST(test_throttled)
{
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    struct owner o;
    struct thing t[10];
    begin(&o, 4);
    for (int i = 0; i < 10; i++) {
        t[i] = (struct thing){.name = names[i]};
        put(&o, names[i], &t[i], WRITE_URGENT, 0);
    }
    fake_settle(&o.f);
    fake_reply_later(&o.f, fake_open(&o.f, 0), 429, "", 4);
    fake_reply_later(&o.f, fake_open(&o.f, 0), 429, "", 4); /* of the same moment: counts once */
    ck_assert_uint_eq(writes_stats(o.w)->window, 2);
    fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
    fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
    TOLD(&o, "2:ok 3:ok");
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    fake_pass(&o.f, 4 * S - 1);
    ck_assert_uint_eq(fake_count_open(&o.f), 0); /* the whole queue waits */
    fake_pass(&o.f, S);
    ck_assert_uint_eq(fake_count_open(&o.f), 3); /* two good answers: one more */
    for (int i = 0; i < 8; i++)
        fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
    ck_assert_uint_eq(writes_stats(o.w)->ends[WRITE_OK], 10);
    ck_assert_uint_eq(writes_stats(o.w)->window, 4);
    ck_assert_uint_eq(writes_stats(o.w)->throttled, 2);
    ck_assert_uint_eq(writes_pending(o.w), 0);
    finish(&o);
}
END_TEST

/* Nobody answers: one at a time and ever more seldom, however many wait. */
START_TEST(test_api_server_down)
{
    static char names[90][8];
    static struct thing t[90];
    struct owner o;
    begin(&o, 16);
    for (int i = 0; i < 90; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        t[i] = (struct thing){.name = names[i]};
        put(&o, names[i], &t[i], WRITE_STATUS, 0);
    }
    fake_settle(&o.f);
    int64_t end = o.f.now + 60 * S;
    while (o.f.now < end) {
        while (fake_count_open(&o.f))
            fake_lose(&o.f, fake_open(&o.f, 0));
        fake_pass(&o.f, 100 * MS);
    }
    ck_assert_uint_eq(writes_stats(o.w)->window, 1);
    ck_assert_uint_lt(writes_stats(o.w)->sent, 70);
    ck_assert_int_lt(o.troubles, 20);
    end = o.f.now + 60 * S; /* and it comes back */
    while (o.f.now < end) {
        while (fake_count_open(&o.f))
            fake_reply(&o.f, fake_open(&o.f, 0), 200, "");
        fake_pass(&o.f, 100 * MS);
    }
    ck_assert_uint_eq(writes_stats(o.w)->ends[WRITE_OK], 90);
    ck_assert_uint_gt(writes_stats(o.w)->window, 8);
    finish(&o);
}
END_TEST

START_TEST(test_render_says)
{
    struct owner o;
    struct thing none = {.name = "none", .rc = 1}, bad = {.name = "bad", .rc = ERR_INVALID},
                 later = {.name = "later", .fail_once = true};
    begin(&o, 16);
    put(&o, "none", &none, WRITE_STATUS, 0);
    put(&o, "bad", &bad, WRITE_STATUS, 0);
    put(&o, "later", &later, WRITE_STATUS, 0);
    fake_settle(&o.f);
    TOLD(&o, "none:nothing bad:failed");
    ck_assert_uint_eq(o.f.n, 0);
    fake_pass(&o.f, S);
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "later:ok");
    finish(&o);
}
END_TEST

START_TEST(test_fence)
{
    struct owner o;
    struct thing a = {.name = "a"}, b = {.name = "b"};
    begin(&o, 16);
    put(&o, "a", &a, WRITE_STATUS, 0);
    fake_settle(&o.f);
    fake_reply(&o.f, fake_only(&o.f), 503, "");
    o.fenced = true;
    put(&o, "b", &b, WRITE_URGENT, 0);
    fake_pass(&o.f, S);
    ck_assert_uint_eq(fake_count_open(&o.f), 0); /* nor a second try */
    TOLD(&o, "b:fenced a:fenced");
    finish(&o);
}
END_TEST

START_TEST(test_gathers)
{
    struct owner o;
    struct thing a1 = {.name = "a1"}, a2 = {.name = "a2"}, a3 = {.name = "a3"};
    begin(&o, 16);
    put(&o, "a", &a1, WRITE_STATUS, 500 * MS);
    fake_pass(&o.f, 400 * MS);
    put(&o, "a", &a2, WRITE_STATUS, 500 * MS); /* does not move it back */
    fake_pass(&o.f, 99 * MS);
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    fake_pass(&o.f, MS);
    ck_assert_str_eq(flying(&o), "a2");
    put(&o, "a", &a3, WRITE_STATUS, 500 * MS); /* follows, not before its time */
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    fake_pass(&o.f, 499 * MS);
    ck_assert_uint_eq(fake_count_open(&o.f), 0);
    put(&o, "a", &a1, WRITE_STATUS, 0); /* and this one at once */
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "a1");
    finish(&o);
}
END_TEST

START_TEST(test_cancel)
{
    struct owner o;
    struct thing a = {.name = "a"}, a2 = {.name = "a2"}, b = {.name = "b"};
    begin(&o, 16);
    writes_cancel(o.w, "nobody");
    put(&o, "a", &a, WRITE_STATUS, 0);
    put(&o, "b", &b, WRITE_STATUS, 0);
    writes_cancel(o.w, "b");
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "a");
    put(&o, "a", &a2, WRITE_STATUS, 0);
    writes_cancel(o.w, "a"); /* in flight, and what follows */
    ck_assert(!writes_busy(o.w, "a"));
    put(&o, "a", &a2, WRITE_STATUS, 0);
    fake_settle(&o.f);
    ck_assert_str_eq(flying(&o), "a"); /* still never two of a key */
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "");
    ck_assert_str_eq(flying(&o), "a2");
    writes_cancel(o.w, "a");
    fake_lose(&o.f, fake_only(&o.f));
    fake_pass(&o.f, S);
    TOLD(&o, "");
    ck_assert_uint_eq(writes_pending(o.w), 0);
    finish(&o);
}
END_TEST

/* An owner that puts again from within, for ever: others have their turn, and the loop comes to an end. */
START_TEST(test_again_from_within)
{
    struct owner o;
    struct thing a = {.name = "a", .rc = 1, .again = 5}, b = {.name = "b", .again = 1};
    begin(&o, 1);
    put(&o, "a", &a, WRITE_URGENT, 0);
    put(&o, "b", &b, WRITE_STATUS, 0);
    writes_run(o.w);
    TOLD(&o, "a:nothing");
    ck_assert_str_eq(flying(&o), "b");
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    fake_settle(&o.f);
    TOLD(&o, "b:ok a:nothing");
    ck_assert_str_eq(flying(&o), "b");
    fake_reply(&o.f, fake_only(&o.f), 200, "");
    TOLD(&o, "b:ok a:nothing a:nothing a:nothing a:nothing");
    finish(&o);
}
END_TEST

START_TEST(test_limits)
{
    static char names[101][8], key[WRITE_KEY_MAX + 2];
    struct owner o;
    struct thing t = {.name = "t", .o = &o};
    struct err err;
    begin(&o, 16);
    memset(key, 'k', sizeof(key) - 1);
    struct write n = {.key = key, .render = render, .on_done = on_done, .arg = &t};
    ck_assert_int_eq(writes_put(o.w, &n, &err), ERR_LIMIT);
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        put(&o, names[i], &t, WRITE_STATUS, 0);
    }
    n.key = "one more";
    ck_assert_int_eq(writes_put(o.w, &n, &err), ERR_LIMIT);
    ck_assert_uint_eq(writes_stats(o.w)->refused, 1);
    TOLD(&o, "");
    put(&o, "7", &t, WRITE_STATUS, 0); /* a newer one of a key has a place */
    TOLD(&o, "t:replaced");
    fake_settle(&o.f);
    ck_assert_uint_eq(fake_count_open(&o.f), 16);
    ck_assert_int_eq(writes_put(o.w, &n, &err), 0);
    finish(&o);
}
END_TEST

static void on_empty(void *arg)
{
    note(arg, "queue", "empty", "");
}

START_TEST(test_drain)
{
    struct owner o;
    struct thing a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c"}, a2 = {.name = "a2"};
    struct write n = {.key = "d", .render = render, .on_done = on_done, .arg = &a};
    bool drop = _i;
    begin(&o, 1);
    put(&o, "a", &a, WRITE_STATUS, 0);
    put(&o, "b", &b, WRITE_STATUS, 0);
    put(&o, "c", &c, WRITE_STATUS, 10 * S);
    fake_settle(&o.f);
    put(&o, "a", &a2, WRITE_STATUS, 0);
    writes_drain(o.w, drop, on_empty, &o);
    ck_assert_int_eq(writes_put(o.w, &n, NULL), ERR_STATE);
    TOLD(&o, drop ? "b:dropped c:dropped a2:dropped" : "");
    fake_lose(&o.f, fake_only(&o.f));
    if (drop) {
        TOLD(&o, "a:dropped queue:empty");
        finish(&o);
        return;
    }
    TOLD(&o, "a:replaced");
    fake_pass(&o.f, 30 * S);
    for (int i = 0; i < 3; i++) {
        fake_reply(&o.f, fake_only(&o.f), 200, "");
        fake_pass(&o.f, 10 * S);
    }
    ck_assert_uint_eq(writes_stats(o.w)->ends[WRITE_OK], 3);
    ck_assert_ptr_nonnull(strstr(o.log, "queue:empty"));
    finish(&o);
}
END_TEST

START_TEST(test_drain_of_nothing)
{
    struct owner o;
    begin(&o, 1);
    writes_drain(o.w, false, on_empty, &o);
    TOLD(&o, ""); /* not from within */
    fake_settle(&o.f);
    TOLD(&o, "queue:empty");
    fake_settle(&o.f);
    TOLD(&o, "");
    finish(&o);
}
END_TEST

START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    for (uint64_t n = 1; n < 12; n++) {
        struct owner o;
        struct thing a = {.name = "a", .o = &o};
        begin(&o, 2);
        struct write i = {.key = "a", .render = render, .on_done = on_done, .arg = &a};
        mem_fail_after(n);
        while (writes_put(o.w, &i, NULL) != 0)
            mem_fail_after(0);
        fake_settle(&o.f);
        mem_fail_after(0);
        fake_pass(&o.f, S);
        fake_reply(&o.f, fake_only(&o.f), 200, "");
        TOLD(&o, "a:ok");
        o.f.refuse = true; /* nor does it matter that a request cannot be begun */
        put(&o, "a", &a, WRITE_STATUS, 0);
        fake_settle(&o.f);
        o.f.refuse = false;
        fake_pass(&o.f, S);
        fake_reply(&o.f, fake_only(&o.f), 200, "");
        TOLD(&o, "a:ok");
        finish(&o);
        ck_assert_int_eq(mem_live(), live);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("writes");
    TCase *t = tcase_create("writes");
    tcase_add_test(t, test_one);
    tcase_add_test(t, test_levels_and_turns);
    tcase_add_test(t, test_events_take_a_quarter);
    tcase_add_test(t, test_events_have_the_last_place);
    tcase_add_test(t, test_newest_wins);
    tcase_add_test(t, test_urgent_stays_urgent);
    tcase_add_loop_test(t, test_answers, 0, (int)(sizeof(class_rows) / sizeof(class_rows[0])));
    tcase_add_test(t, test_backoff_of_a_key);
    tcase_add_test(t, test_tries_are_used_up);
    tcase_add_test(t, test_throttled);
    tcase_add_test(t, test_api_server_down);
    tcase_add_test(t, test_render_says);
    tcase_add_test(t, test_fence);
    tcase_add_test(t, test_gathers);
    tcase_add_test(t, test_cancel);
    tcase_add_test(t, test_again_from_within);
    tcase_add_test(t, test_limits);
    tcase_add_loop_test(t, test_drain, 0, 2);
    tcase_add_test(t, test_drain_of_nothing);
    tcase_add_test(t, test_out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
