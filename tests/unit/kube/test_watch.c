#include "kube/watch.h"

#include "api/scan.h"
#include "base/mem.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S NS_PER_S

/* A consumer that writes down what it is told: "begin", "+name", "~name", "-name", "synced", "!trouble". */
struct seen {
    struct fake f;
    struct watch *w;
    char log[4096];
    size_t n;
    int refuse; /* this many objects are not taken */
    bool resync_at_next;
};

static void note(struct seen *s, const char *mark, const char *text, int len)
{
    s->n +=
        (size_t)snprintf(s->log + s->n, sizeof(s->log) - s->n, "%s%s%.*s", s->n ? " " : "", mark, len, text);
    ck_assert_uint_lt(s->n, sizeof(s->log));
}

static void on_begin(void *arg)
{
    note(arg, "begin", "", 0);
}

static void on_synced(void *arg)
{
    note(arg, "synced", "", 0);
}

static void on_trouble(void *arg, const char *text)
{
    note(arg, "!", text, (int)strlen(text));
}

static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    static const char *const marks[] = {"+", "~", "-"};
    struct seen *s = arg;
    struct scan_piece name;
    ck_assert(scan_find(json, len, 1, "metadata.name", &name));
    ck_assert(json[0] == '{' && json[len - 1] == '}');
    if (s->refuse) {
        s->refuse--;
        return ERR_NOMEM;
    }
    note(s, marks[what], name.text + 1, (int)name.len - 2);
    if (s->resync_at_next) {
        s->resync_at_next = false;
        watch_resync(s->w);
    }
    return 0;
}

static void begin_with(struct seen *s, bool no_watch_list, const char *query)
{
    memset(s, 0, sizeof(*s));
    fake_init(&s->f);
    struct watch_config c = {.path = "/api/v1/pods",
                             .query = query,
                             .server = &s->f.server,
                             .timers = &s->f.timers,
                             .clock = &s->f.clock,
                             .no_watch_list = no_watch_list};
    struct watch_handler h = {on_begin, on_object, on_synced, on_trouble, s};
    s->w = watch_new(&c, &h, NULL);
    ck_assert_ptr_nonnull(s->w);
    ck_assert_uint_eq(s->f.n, 0); /* not from within watch_new */
    fake_settle(&s->f);
}

static void finish(struct seen *s)
{
    watch_free(s->w);
    fake_finish(&s->f);
}

#define OBJECT(name, rv) "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" OBJECT(name, rv) "}\n"
#define BOOKMARK(rv)                                                                                         \
    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"" rv "\"}}}\n"
#define MARKER(rv)                                                                                           \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv                             \
    "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define ERROR(code, reason)                                                                                  \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason             \
    "\",\"message\":\"so\"}}\n"
#define STATUS(code, reason)                                                                                 \
    "{\"kind\":\"Status\",\"code\":" code ",\"reason\":\"" reason "\",\"message\":\"so\"}"

static bool asks(const struct fake_call *c, const char *what)
{
    return strstr(c->path, what) != NULL;
}

/* A watch that is in sync at version 10, with pod a, on an open stream. */
static struct fake_call *sync_up(struct seen *s)
{
    begin_with(s, false, NULL);
    struct fake_call *c = fake_only(&s->f);
    fake_data(&s->f, c, 200, EVENT("ADDED", "a", "7") MARKER("10"));
    TOLD(s, "begin +a synced");
    ck_assert(watch_synced(s->w));
    return c;
}

START_TEST(test_watch_list)
{
    struct seen s;
    begin_with(&s, false, "labelSelector=x%3Dy");
    struct fake_call *c = fake_only(&s.f);
    ck_assert_str_eq(c->path,
                     "/api/v1/pods?labelSelector=x%3Dy&watch=1&allowWatchBookmarks=true&timeoutSeconds=480"
                     "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    ck_assert(c->stream && c->timeout_ns == 0);
    ck_assert_int_eq(watch_state(s.w), WATCH_STARTING);
    fake_data(&s.f, c, 200, EVENT("ADDED", "a", "9") EVENT("ADDED", "b", "3"));
    TOLD(&s, "begin +a +b");
    ck_assert_int_eq(watch_state(s.w), WATCH_LISTING);
    fake_data(&s.f, c, 200, EVENT("MODIFIED", "a", "11") BOOKMARK("11") EVENT("DELETED", "b", "12"));
    TOLD(&s, "~a -b");
    ck_assert(!watch_was_synced(s.w));
    fake_data(&s.f, c, 200, MARKER("12"));
    TOLD(&s, "synced");
    fake_data(&s.f, c, 200, EVENT("ADDED", "c", "13"));
    TOLD(&s, "+c");
    /* the server's time-out: goes on at the last version, at once */
    fake_end(&s.f, c, 200);
    c = fake_only(&s.f);
    ck_assert(asks(c, "&resourceVersion=13") && !asks(c, "sendInitialEvents"));
    ck_assert(watch_synced(s.w));
    fake_data(&s.f, c, 200, BOOKMARK("20"));
    fake_end(&s.f, c, 200);
    ck_assert(asks(fake_only(&s.f), "&resourceVersion=20"));
    TOLD(&s, "");
    ck_assert_uint_eq(watch_stats(s.w)->objects, 5);
    ck_assert_uint_eq(watch_stats(s.w)->lists, 1);
    ck_assert_uint_eq(watch_stats(s.w)->streams, 3);
    finish(&s);
}
END_TEST

START_TEST(test_empty_and_in_pieces)
{
    static const char text[] = MARKER("5") EVENT("ADDED", "a", "6") EVENT("DELETED", "a", "7");
    for (size_t step = 1; step < 60; step += 7) {
        struct seen s;
        begin_with(&s, false, NULL);
        struct fake_call *c = fake_only(&s.f);
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            char piece[64];
            snprintf(piece, step + 1, "%s", text + at);
            fake_data(&s.f, c, 200, piece);
        }
        TOLD(&s, "begin synced +a -a");
        finish(&s);
    }
}
END_TEST

#define PAGE(items, more, rv)                                                                                \
    "{\"kind\":\"PodList\",\"items\":[" items "],\"metadata\":{\"resourceVersion\":\"" rv                    \
    "\",\"continue\":\"" more "\"}}"

START_TEST(test_pages)
{
    struct seen s;
    begin_with(&s, true, NULL);
    struct fake_call *c = fake_only(&s.f);
    ck_assert_str_eq(c->path, "/api/v1/pods?limit=500");
    ck_assert_int_eq(c->timeout_ns, 60 * S);
    fake_data(&s.f, c, 200, PAGE(OBJECT("a", "1") "," OBJECT("b", "2"), "t/1=", "40"));
    fake_end(&s.f, c, 200);
    TOLD(&s, "begin +a +b");
    c = fake_only(&s.f);
    ck_assert_str_eq(c->path, "/api/v1/pods?limit=500&continue=t%2F1%3D");
    /* an empty page is a page */
    fake_data(&s.f, c, 200, PAGE("", "t2", "40"));
    fake_end(&s.f, c, 200);
    TOLD(&s, "");
    /* lost on its way: the same page once more, not before a wait */
    c = fake_only(&s.f);
    fake_data(
        &s.f, c, 200,
        "{\"metadata\":{\"resourceVersion\":\"40\",\"continue\":\"wrong\"},\"items\":[" OBJECT("c", "3"));
    fake_lose(&s.f, c);
    TOLD(&s, "+c !list: connection reset");
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    fake_pass(&s.f, S);
    c = fake_only(&s.f);
    ck_assert(asks(c, "&continue=t2"));
    fake_data(&s.f, c, 200, PAGE(OBJECT("c", "3"), "", "40"));
    ck_assert(!watch_synced(s.w));
    fake_end(&s.f, c, 200);
    TOLD(&s, "+c synced");
    ck_assert_str_eq(fake_only(&s.f)->path, "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=480"
                                            "&resourceVersion=40");
    finish(&s);
}
END_TEST

START_TEST(test_token_expired)
{
    struct seen s;
    begin_with(&s, true, NULL);
    fake_data(&s.f, fake_only(&s.f), 200, PAGE(OBJECT("a", "1"), "t1", "40"));
    fake_end(&s.f, fake_only(&s.f), 200);
    fake_data(&s.f, fake_only(&s.f), 410, STATUS("410", "Expired"));
    fake_end(&s.f, fake_only(&s.f), 410);
    ck_assert_str_eq(fake_only(&s.f)->path, "/api/v1/pods?limit=500"); /* at once, from the beginning */
    fake_data(&s.f, fake_only(&s.f), 200, PAGE(OBJECT("b", "1"), "", "50"));
    fake_end(&s.f, fake_only(&s.f), 200);
    TOLD(&s, "begin +a begin +b synced");
    finish(&s);
}
END_TEST

/* How a watch-list may be answered, and what is asked next, after which wait at most. */
static const struct {
    int status;
    const char *body;
    bool list; /* the next request is a list */
    bool sticks;
    int64_t wait; /* at least this in s: jitter is at its most in these tests */
} refusal_rows[] = {
    {422, STATUS("422", "Invalid"), true, true, 0},
    {400, STATUS("400", "BadRequest"), true, true, 0},
    {500, STATUS("500", "InternalError"), true, false, 0},
    {504, STATUS("504", "Timeout"), true, false, 0},
    {429, STATUS("429", "TooManyRequests"), false, false, 0},
    {503, "", false, false, 0},
    {401, "Unauthorized", false, false, 0},
    {403, STATUS("403", "Forbidden"), false, false, 15},
    {404, "404 page not found", false, false, 45},
    {410, STATUS("410", "Expired"), false, false, 0},
    {200, ERROR("410", "Expired"), false, false, 0},
    {200, ERROR("500", "InternalError"), true, false, 0},
    {200, EVENT("ADDED", "a", "1") ERROR("429", "TooManyRequests"), false, false, 0},
    {200, "{\"type\":\"ADDED\"}\n", true, false, 0},
    {200, "no event\n", true, false, 0},
    {200, "", true, false, 0},
};

START_TEST(test_refused)
{
    struct seen s;
    begin_with(&s, false, NULL);
    struct fake_call *c = fake_only(&s.f);
    if (fake_data(&s.f, c, refusal_rows[_i].status, refusal_rows[_i].body))
        fake_end(&s.f, c, refusal_rows[_i].status);
    if (refusal_rows[_i].wait)
        fake_pass(&s.f, refusal_rows[_i].wait * S);
    ck_assert(refusal_rows[_i].wait == 0 || fake_count_open(&s.f) == 0);
    fake_pass(&s.f, 31 * S);
    c = fake_only(&s.f);
    ck_assert(asks(c, "limit=500") == refusal_rows[_i].list);
    ck_assert(asks(c, "sendInitialEvents") == !refusal_rows[_i].list);
    if (!refusal_rows[_i].list) {
        finish(&s);
        return;
    }
    /* the next state is asked for as a watch-list again, unless it is remembered */
    fake_data(&s.f, c, 200, PAGE("", "", "4"));
    fake_end(&s.f, c, 200);
    ck_assert(watch_synced(s.w));
    fake_data(&s.f, fake_only(&s.f), 200, ERROR("410", "Gone"));
    fake_pass(&s.f, 31 * S);
    ck_assert(asks(fake_only(&s.f), "limit=500") == refusal_rows[_i].sticks);
    finish(&s);
}
END_TEST

START_TEST(test_gone)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_data(&s.f, c, 200, EVENT("MODIFIED", "a", "11") ERROR("410", "Expired"));
    /* the first time at once and without a word; nobody forgets anything before the new state comes */
    TOLD(&s, "~a");
    ck_assert_int_eq(watch_state(s.w), WATCH_LISTING);
    ck_assert(watch_was_synced(s.w));
    c = fake_only(&s.f);
    ck_assert(asks(c, "sendInitialEvents") && !asks(c, "resourceVersion=1"));
    fake_data(&s.f, c, 410, "");
    fake_end(&s.f, c, 410);
    TOLD(&s, "!list: HTTP status 410");
    ck_assert_uint_eq(fake_count_open(&s.f), 0); /* it repeats: after a wait */
    fake_pass(&s.f, S);
    fake_data(&s.f, fake_only(&s.f), 200, MARKER("30"));
    TOLD(&s, "begin synced");
    ck_assert_uint_eq(watch_stats(s.w)->gone, 2);
    finish(&s);
}
END_TEST

START_TEST(test_version_of_the_future)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_end(&s.f, c, 200);
    c = fake_only(&s.f);
    fake_data(&s.f, c, 504,
              "{\"kind\":\"Status\",\"code\":504,\"reason\":\"Timeout\",\"message\":\"Too large resource "
              "version: 10, current: "
              "3\",\"details\":{\"retryAfterSeconds\":1}}");
    fake_end(&s.f, c, 504);
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    fake_pass(&s.f, 2 * S);
    ck_assert(asks(fake_only(&s.f), "sendInitialEvents"));
    finish(&s);
}
END_TEST

/* What is not taken comes again: the version does not move over it. */
START_TEST(test_not_taken)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_data(&s.f, c, 200, EVENT("MODIFIED", "a", "11"));
    s.refuse = 1;
    fake_data(&s.f, c, 200, EVENT("ADDED", "b", "12") EVENT("ADDED", "c", "13"));
    TOLD(&s, "~a !watch: out of memory");
    fake_pass(&s.f, S);
    c = fake_only(&s.f);
    ck_assert(asks(c, "&resourceVersion=11"));
    fake_data(&s.f, c, 200, EVENT("ADDED", "b", "12") EVENT("ADDED", "c", "13"));
    TOLD(&s, "+b +c");
    finish(&s);
}
END_TEST

START_TEST(test_not_taken_in_state)
{
    struct seen s;
    begin_with(&s, false, NULL);
    s.refuse = 1;
    fake_data(&s.f, fake_only(&s.f), 200, EVENT("ADDED", "a", "7") MARKER("10"));
    ck_assert(!watch_synced(s.w));
    fake_pass(&s.f, S);
    s.refuse = 1;
    fake_data(&s.f, fake_only(&s.f), 200, PAGE(OBJECT("a", "7"), "", "10"));
    ck_assert(!watch_synced(s.w));
    fake_pass(&s.f, 2 * S);
    fake_data(&s.f, fake_only(&s.f), 200, PAGE(OBJECT("a", "7"), "", "10"));
    fake_end(&s.f, fake_only(&s.f), 200);
    TOLD(&s, "begin !list: out of memory begin +a synced");
    finish(&s);
}
END_TEST

START_TEST(test_lost_grows_and_heals)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    int64_t waits[8];
    for (int i = 0; i < 8; i++) {
        int64_t before = s.f.now;
        fake_lose(&s.f, c);
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
        while (fake_count_open(&s.f) == 0)
            fake_pass(&s.f, 10 * NS_PER_MS);
        waits[i] = (s.f.now - before) / (100 * NS_PER_MS);
        c = fake_only(&s.f);
        ck_assert(asks(c, "&resourceVersion=10"));
    }
    static const int64_t want[8] = {8, 16, 32, 64, 128, 256, 300, 300};
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(waits[i], want[i]);
    TOLD(&s, "!watch: connection reset"); /* once */
    ck_assert(watch_synced(s.w));         /* nothing is lost */
    /* two minutes of health, and it counts anew */
    for (int i = 0; i < 13; i++) {
        fake_pass(&s.f, 12 * S);
        fake_data(&s.f, c, 200, BOOKMARK("20"));
    }
    fake_lose(&s.f, c);
    fake_pass(&s.f, 800 * NS_PER_MS);
    ck_assert(asks(fake_only(&s.f), "&resourceVersion=20"));
    TOLD(&s, "!watch: connection reset");
    finish(&s);
}
END_TEST

START_TEST(test_very_short)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_end(&s.f, c, 200);
    c = fake_only(&s.f);
    fake_end(&s.f, c, 200); /* lived no second and brought nothing */
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    TOLD(&s, "!watch: the stream ended at once");
    fake_pass(&s.f, S);
    c = fake_only(&s.f);
    fake_pass(&s.f, 2 * S);
    fake_end(&s.f, c, 200); /* this one lived */
    fake_only(&s.f);
    finish(&s);
}
END_TEST

START_TEST(test_silence)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_pass(&s.f, 100 * S);
    fake_data(&s.f, c, 200, BOOKMARK("20"));
    ck_assert_int_eq(watch_age(s.w), 0);
    fake_pass(&s.f, 149 * S);
    ck_assert_int_eq(watch_age(s.w), 149 * S);
    ck_assert(c->open);
    fake_pass(&s.f, 2 * S);
    ck_assert(c->cancelled);
    ck_assert_uint_eq(watch_stats(s.w)->silent, 1);
    TOLD(&s, "!watch: not a byte came for 150 s");
    ck_assert(asks(fake_only(&s.f), "&resourceVersion=20"));
    finish(&s);
}
END_TEST

START_TEST(test_absent)
{
    struct seen s;
    begin_with(&s, false, NULL);
    for (int i = 0; i < 3; i++) {
        fake_data(&s.f, fake_only(&s.f), 404, "404 page not found\n");
        fake_end(&s.f, fake_only(&s.f), 404);
        ck_assert_int_eq(watch_state(s.w), WATCH_ABSENT);
        fake_pass(&s.f, 44 * S);
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
        if (i < 2)
            fake_pass(&s.f, 31 * S);
    }
    TOLD(&s, "!list: HTTP status 404: 404 page not found ");
    watch_retry_now(s.w);
    fake_settle(&s.f);
    fake_data(&s.f, fake_only(&s.f), 200, MARKER("2"));
    TOLD(&s, "begin synced");
    finish(&s);
}
END_TEST

START_TEST(test_throttled)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    fake_end(&s.f, c, 200);
    c = fake_only(&s.f);
    fake_data(&s.f, c, 429, "slow");
    fake_reply_later(&s.f, c, 429, "", 20);
    fake_pass(&s.f, 20 * S - 1);
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    fake_pass(&s.f, 5 * S);
    ck_assert(asks(fake_only(&s.f), "&resourceVersion=10"));
    finish(&s);
}
END_TEST

START_TEST(test_resync)
{
    struct seen s;
    struct fake_call *c = sync_up(&s);
    s.resync_at_next = true; /* asked for from within */
    fake_data(&s.f, c, 200, EVENT("ADDED", "b", "11") EVENT("ADDED", "c", "12"));
    TOLD(&s, "+b +c");
    ck_assert(c->cancelled);
    ck_assert(asks(fake_only(&s.f), "sendInitialEvents"));
    ck_assert(!watch_synced(s.w));
    watch_resync(s.w); /* and once more, when the answer comes first */
    fake_lose(&s.f, fake_only(&s.f));
    fake_data(&s.f, fake_only(&s.f), 200, MARKER("13"));
    TOLD(&s, "begin synced");
    finish(&s);
}
END_TEST

START_TEST(test_cannot_start)
{
    struct seen s;
    begin_with(&s, false, NULL);
    fake_lose(&s.f, fake_only(&s.f));
    s.f.refuse = true;
    fake_pass(&s.f, 60 * S);
    s.f.refuse = false;
    fake_pass(&s.f, 31 * S);
    fake_data(&s.f, fake_only(&s.f), 200, MARKER("13"));
    TOLD(&s, "!list: connection reset begin synced");
    finish(&s);
}
END_TEST

START_TEST(test_limits)
{
    static char path[2000];
    struct fake f;
    struct err err;
    fake_init(&f);
    memset(path, 'x', sizeof(path) - 1);
    struct watch_config c = {.path = path, .server = &f.server, .timers = &f.timers, .clock = &f.clock};
    struct watch_handler h = {0};
    ck_assert_ptr_null(watch_new(&c, &h, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    watch_free(NULL);
    fake_free(&f);
}
END_TEST

/* Memory that fails anywhere: all comes in the end, and nothing is lost. */
START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    for (uint64_t n = 1; n < 40; n++) {
        struct seen s;
        memset(&s, 0, sizeof(s));
        fake_init(&s.f);
        struct watch_config c = {
            .path = "/api/v1/pods", .server = &s.f.server, .timers = &s.f.timers, .clock = &s.f.clock};
        c.no_watch_list = n % 2;
        struct watch_handler h = {on_begin, on_object, on_synced, NULL, &s};
        mem_fail_after(n);
        while (!(s.w = watch_new(&c, &h, NULL)))
            mem_fail_after(0);
        fake_settle(&s.f);
        for (int i = 0; i < 10 && !watch_synced(s.w); i++) {
            if (fake_count_open(&s.f)) {
                bool page = asks(fake_only(&s.f), "limit");
                bool open = fake_data(
                    &s.f, fake_only(&s.f), 200,
                    page ? "{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[{\"metadata\":{\"na"
                         : "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"na");
                if (open)
                    open = fake_data(&s.f, fake_only(&s.f), 200,
                                     page ? "me\":\"a\"}}]}" : "me\":\"a\"}}}\n" MARKER("10"));
                if (open && page)
                    fake_end(&s.f, fake_only(&s.f), 200);
            }
            if (i == 3)
                mem_fail_after(0);
            fake_pass(&s.f, 31 * S);
        }
        mem_fail_after(0);
        ck_assert(watch_synced(s.w));
        ck_assert_msg(strlen(s.log) >= 15 && strcmp(s.log + strlen(s.log) - 15, "begin +a synced") == 0, "%s",
                      s.log);
        finish(&s);
        ck_assert_int_eq(mem_live(), live);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("watch");
    TCase *t = tcase_create("watch");
    tcase_add_test(t, test_watch_list);
    tcase_add_test(t, test_empty_and_in_pieces);
    tcase_add_test(t, test_pages);
    tcase_add_test(t, test_token_expired);
    tcase_add_loop_test(t, test_refused, 0, (int)(sizeof(refusal_rows) / sizeof(refusal_rows[0])));
    tcase_add_test(t, test_gone);
    tcase_add_test(t, test_version_of_the_future);
    tcase_add_test(t, test_not_taken);
    tcase_add_test(t, test_not_taken_in_state);
    tcase_add_test(t, test_lost_grows_and_heals);
    tcase_add_test(t, test_very_short);
    tcase_add_test(t, test_silence);
    tcase_add_test(t, test_absent);
    tcase_add_test(t, test_throttled);
    tcase_add_test(t, test_resync);
    tcase_add_test(t, test_cannot_start);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
