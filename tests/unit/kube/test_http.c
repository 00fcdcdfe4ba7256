/* The HTTP client against a small server in the same loop (HTTP/1.1 without TLS; the rest is proven by tests/kube). */
#include "kube/http.h"

#include "peer.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS = 16 };

/* ---- the client ------------------------------------------------------------------------------------------------------------ */

struct seen_call {
    struct kube_call *call;
    struct str data;
    int data_status, pieces, done, status;
    int64_t retry_after_s;
    char *body, *error;
    size_t body_len;
    int stop_after;                       /* pieces; 0 = never */
    void (*on_piece)(struct seen_call *); /* what it does in the callback */
    void (*on_end)(struct seen_call *);
};

static uv_loop_t loop;
static struct credentials *who;
static struct http *http;
static struct seen_call calls[CALLS];
static bool closed;
static uv_timer_t alarm_timer;
static int64_t live;

static bool on_data(void *arg, int status, const char *data, size_t len)
{
    struct seen_call *c = arg;

    ck_assert_int_eq(c->done, 0);
    str_addn(&c->data, data, len);
    c->data_status = status;
    c->pieces++;
    if (c->on_piece)
        c->on_piece(c);
    return c->stop_after == 0 || c->pieces < c->stop_after;
}

static void on_done(void *arg, const struct kube_reply *reply)
{
    struct seen_call *c = arg;

    c->done++;
    c->call = NULL;
    c->status = reply->status;
    c->retry_after_s = reply->retry_after_s;
    c->body = strdup(reply->body);
    c->body_len = reply->body_len;
    c->error = strdup(reply->error);
    ck_assert(reply->body[reply->body_len] == '\0');
    if (c->on_end)
        c->on_end(c);
}

static void ask(struct seen_call *c, const struct kube_server *s, struct kube_request r)
{
    struct kube_handler h = {.on_data = on_data, .on_done = on_done, .arg = c};
    struct err err;

    str_init(&c->data, 0);
    c->call = s->start(s->self, &r, &h, &err);
    ck_assert_msg(c->call, "%s", err.text);
    ck_assert_int_eq(c->done, 0);
}

static void get(struct seen_call *c, const char *path)
{
    ask(c, http_requests(http), (struct kube_request){.path = path, .timeout_ns = 20 * NS_PER_S});
}

static void watch(struct seen_call *c, const char *path)
{
    ask(c, http_watches(http), (struct kube_request){.path = path, .stream = true});
}

static void on_alarm(uv_timer_t *timer)
{
    (void)timer;
    ck_abort_msg("nothing happens any more");
}

static void on_closed(void *arg)
{
    (void)arg;
    closed = true;
}

/* Runs the loop until the first `n` calls are done. */
static void until(int n)
{
    for (int i = 0; i < n; i++) {
        while (!calls[i].done)
            uv_run(&loop, UV_RUN_ONCE);
    }
}

static void begin(const struct http_options *o)
{
    char url[64];

    live = mem_live();
    closed = false;
    memset(calls, 0, sizeof(calls));
    uv_loop_init(&loop);
    peer_begin(&loop);
    uv_timer_init(&loop, &alarm_timer);
    uv_timer_start(&alarm_timer, on_alarm, 60000, 0);
    uv_unref((uv_handle_t *)&alarm_timer);
    who = credentials_new();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/base", peer_port());
    ck_assert_int_eq(credentials_set_server(who, url, NULL), 0);
    ck_assert_int_eq(http_new(&loop, who, o, &http, NULL), 0);
}

static void end(void)
{
    if (http)
        http_close(http, on_closed, NULL);
    http = NULL;
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    peer_end();
    uv_close((uv_handle_t *)&alarm_timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    for (int i = 0; i < CALLS; i++) {
        str_free(&calls[i].data);
        free(calls[i].body);
        free(calls[i].error);
    }
    credentials_free(who);
    ck_assert_int_eq(mem_live(), live);
}

/* ---- the cases ------------------------------------------------------------------------------------------------------------- */

static const struct {
    enum kube_verb verb;
    const char *body, *type;
    const char *line, *lacks;
    const char *has[3];
} request_rows[] = {
    {KUBE_GET,
     NULL,
     NULL,
     "GET /base/echo?a=%2Fb&c=1 HTTP/1.1\r\n",
     "Content-Type",
     {"Accept: application/json\r\n"}},
    {KUBE_POST,
     "{\"a\":1}",
     KUBE_JSON,
     "POST /base/echo",
     "Expect",
     {"Content-Type: application/json\r\n", "\r\n\r\n{\"a\":1}"}},
    {KUBE_PUT,
     "{}",
     NULL,
     "PUT /base/echo",
     "Expect",
     {"Content-Type: application/json\r\n", "Content-Length: 2\r\n"}},
    {KUBE_PATCH,
     "{}",
     KUBE_MERGE_PATCH,
     "PATCH /base/echo",
     "Expect",
     {"Content-Type: application/merge-patch+json\r\n", "\r\n\r\n{}"}},
    {KUBE_DELETE, NULL, NULL, "DELETE /base/echo", "Content-Type", {"User-Agent: sluice/"}},
    {KUBE_DELETE,
     "{\"preconditions\":{}}",
     KUBE_JSON,
     "DELETE /base/echo",
     "Accept-Encoding",
     {"{\"preconditions\":{}}"}},
};

START_TEST(test_requests)
{
    begin(NULL);
    const char *body = request_rows[_i].body;
    ask(&calls[0], http_requests(http),
        (struct kube_request){.verb = request_rows[_i].verb,
                              .path = "/echo?a=%2Fb&c=1",
                              .body = body,
                              .body_len = body ? strlen(body) : 0,
                              .content_type = request_rows[_i].type,
                              .timeout_ns = 20 * NS_PER_S});
    until(1);
    ck_assert_int_eq(calls[0].status, 200);
    ck_assert_uint_eq(calls[0].body_len, strlen(calls[0].body));
    ck_assert_msg(strncmp(calls[0].body, request_rows[_i].line, strlen(request_rows[_i].line)) == 0, "%s",
                  calls[0].body);
    ck_assert_msg(!strstr(calls[0].body, request_rows[_i].lacks), "%s", calls[0].body);
    for (int i = 0; i < 3 && request_rows[_i].has[i]; i++)
        ck_assert_msg(strstr(calls[0].body, request_rows[_i].has[i]), "%s", calls[0].body);
    ck_assert_uint_eq(http_stats(http)->requests[request_rows[_i].verb], 1);
    ck_assert_uint_eq(http_stats(http)->replies[request_rows[_i].verb][2], 1);
    end();
}
END_TEST

START_TEST(test_identity)
{
    static const char *const groups[] = {"a", "system:b"};
    static const struct credentials_pair extra[] = {{"acme.com%2Fx", "1"}, {"y", "2 3"}};
    begin(&(struct http_options){.user_agent = "probe/1"});
    ck_assert_int_eq(credentials_set_token(who, " abc\n", 5, NULL), 0);
    who->as = "jane";
    who->as_uid = "u-1";
    who->as_groups = groups;
    who->n_as_groups = 2;
    who->as_extra = extra;
    who->n_as_extra = 2;
    get(&calls[0], "/echo");
    until(1);
    static const char *const want[] = {"Authorization: Bearer abc\r\n",
                                       "User-Agent: probe/1\r\n",
                                       "Impersonate-User: jane\r\n",
                                       "Impersonate-Uid: u-1\r\n",
                                       "Impersonate-Group: a\r\n",
                                       "Impersonate-Group: system:b\r\n",
                                       "Impersonate-Extra-acme.com%2Fx: 1\r\n",
                                       "Impersonate-Extra-y: 2 3\r\n"};
    for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
        ck_assert_msg(strstr(calls[0].body, want[i]), "%s", calls[0].body);
    end();
}
END_TEST

START_TEST(test_basic)
{
    begin(NULL);
    who->user = "u";
    who->password = "p:w";
    get(&calls[0], "/echo");
    until(1);
    ck_assert_msg(strstr(calls[0].body, "Authorization: Basic dTpwOnc=\r\n"), "%s", calls[0].body);
    end();
}
END_TEST

static const struct {
    const char *path;
    int status;
    int64_t retry_after_s;
    const char *error; /* a part; NULL = "" */
} reply_rows[] = {
    {"/status/200", 200, -1, NULL},    {"/status/301", 301, -1, NULL}, {"/status/404", 404, -1, NULL},
    {"/status/500", 500, -1, NULL},    {"/retry", 429, 7, NULL},       {"/date", 503, -1, NULL},
    {"/status/401", 401, -1, NULL},    {"/cut", 0, -1, "transfer"},    {"/big67108864", 200, -1, NULL},
    {"/big67108865", 0, -1, "64 MiB"},
};

START_TEST(test_replies)
{
    begin(NULL);
    get(&calls[0], reply_rows[_i].path);
    until(1);
    ck_assert_int_eq(calls[0].status, reply_rows[_i].status);
    ck_assert_int_eq(calls[0].retry_after_s, reply_rows[_i].retry_after_s);
    if (reply_rows[_i].error)
        ck_assert_msg(strstr(calls[0].error, reply_rows[_i].error), "%s", calls[0].error);
    else
        ck_assert_str_eq(calls[0].error, "");
    end();
}
END_TEST

START_TEST(test_unreachable)
{
    begin(NULL);
    peer_stop_listening();
    uv_run(&loop, UV_RUN_NOWAIT);
    get(&calls[0], "/echo");
    watch(&calls[1], "/open");
    until(2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(calls[i].status, 0);
        ck_assert_str_ne(calls[i].error, "");
    }
    ck_assert_uint_eq(http_stats(http)->replies[KUBE_GET][0], 2);
    ck_assert_uint_eq(http_stats(http)->open, 0);
    end();
}
END_TEST

START_TEST(test_streams)
{
    begin(NULL);
    watch(&calls[0], "/pieces");
    watch(&calls[1], "/pieces");
    calls[1].stop_after = 1;
    watch(&calls[2], "/status/410");
    until(3);
    ck_assert_int_eq(calls[0].status, 200);
    ck_assert_str_eq(str_text(&calls[0].data), "abcdef");
    ck_assert_str_eq(calls[0].body, "");
    ck_assert_int_eq(calls[1].status, 0);
    ck_assert_int_eq(calls[1].pieces, 1);
    ck_assert_int_eq(calls[2].status, 410);
    ck_assert_int_eq(calls[2].data_status, 410);
    ck_assert_str_eq(str_text(&calls[2].data), "{\"kind\":\"Status\"}");
    ck_assert_uint_eq(http_stats(http)->watches, 3);
    ck_assert_uint_eq(http_stats(http)->requests[KUBE_GET], 0);
    end();
}
END_TEST

static void cancel_first(struct seen_call *c)
{
    struct kube_call *victim = calls[0].call;

    (void)c;
    calls[0].call = NULL;
    if (victim)
        http_watches(http)->cancel(http_watches(http)->self, victim);
}

static void start_another(struct seen_call *c)
{
    c->on_piece = NULL;
    watch(&calls[2], "/pieces");
    get(&calls[3], "/echo");
}

static void start_on_end(struct seen_call *c)
{
    (void)c;
    get(&calls[1], "/echo");
}

START_TEST(test_cancel_from_callbacks)
{
    begin(NULL);
    /* The first is open; the second cancels it from within its own callback; the third cancels itself. */
    watch(&calls[0], "/open");
    while (!calls[0].pieces)
        uv_run(&loop, UV_RUN_ONCE);
    calls[1].on_piece = cancel_first;
    watch(&calls[1], "/pieces");
    while (!calls[1].done)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(calls[1].status, 200);
    ck_assert_int_eq(calls[0].done, 0);
    ck_assert_uint_eq(http_stats(http)->running, 0);
    str_free(&calls[0].data);
    calls[0] = (struct seen_call){.on_piece = cancel_first};
    watch(&calls[0], "/pieces");
    while (http_stats(http)->running)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(calls[0].pieces, 1);
    ck_assert_int_eq(calls[0].done, 0);
    end();
}
END_TEST

START_TEST(test_start_from_callbacks)
{
    begin(NULL);
    calls[0].on_piece = start_another;
    calls[0].on_end = start_on_end;
    watch(&calls[0], "/pieces");
    until(4);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(calls[i].status, 200);
    end();
}
END_TEST

START_TEST(test_cancel_at_once)
{
    begin(NULL);
    watch(&calls[0], "/open");
    cancel_first(NULL);
    get(&calls[1], "/echo");
    while (!calls[1].done)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(calls[0].done, 0);
    ck_assert_int_eq(calls[0].pieces, 0);
    end();
}
END_TEST

static void close_it(struct seen_call *c)
{
    (void)c;
    http_close(http, on_closed, NULL);
    http = NULL;
}

/* Closing from within a callback, with others under way: none of them is heard of again. */
START_TEST(test_close_from_callbacks)
{
    begin(NULL);
    watch(&calls[0], "/open");
    get(&calls[1], "/never");
    while (!calls[0].pieces || peer_seen < 2)
        uv_run(&loop, UV_RUN_ONCE);
    if (_i == 0) {
        calls[2].on_piece = close_it;
        watch(&calls[2], "/pieces");
    } else {
        calls[2].on_end = close_it;
        get(&calls[2], "/echo");
    }
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    ck_assert_int_eq(calls[0].done + calls[1].done, 0);
    ck_assert_int_eq(calls[2].done, _i);
    end();
}
END_TEST

START_TEST(test_timeouts)
{
    begin(NULL);
    ask(&calls[0], http_requests(http),
        (struct kube_request){.path = "/never", .timeout_ns = 20 * NS_PER_MS});
    until(1);
    ck_assert_int_eq(calls[0].status, 0);
    ck_assert_msg(strstr(calls[0].error, "timed out"), "%s", calls[0].error);
    ck_assert_uint_eq(http_stats(http)->timeouts, 1);
    end();
}
END_TEST

/* A watch without a byte is ended; one that began later on another connection is not. */
START_TEST(test_watchdog)
{
    begin(&(struct http_options){.watch_idle_ns = 200 * NS_PER_MS});
    watch(&calls[0], "/open");
    watch(&calls[1], "/never");
    until(2);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(calls[i].status, 0);
    ck_assert_uint_ge(http_stats(http)->shut, 2);
    get(&calls[2], "/echo");
    until(3);
    ck_assert_int_eq(calls[2].status, 200);
    end();
}
END_TEST

START_TEST(test_drop)
{
    begin(NULL);
    watch(&calls[0], "/open");
    while (!calls[0].pieces)
        uv_run(&loop, UV_RUN_ONCE);
    http_drop(http);
    until(1);
    ck_assert_int_eq(calls[0].status, 0);
    end();
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

/* A token that was replaced is read after a 401, and the request is sent once more; one that was not is not. */
START_TEST(test_rotation)
{
    char path[] = "/tmp/sluice-token-XXXXXX";

    ck_assert_int_ge(mkstemp(path), 0);
    begin(NULL);
    write_file(path, "old\n");
    (void)snprintf(peer_token, sizeof(peer_token), "old");
    who->token_file = path;
    get(&calls[0], "/who");
    until(1);
    ck_assert_int_eq(calls[0].status, 200);
    write_file(path, "new\n");
    (void)snprintf(peer_token, sizeof(peer_token), "new");
    get(&calls[1], "/who");
    get(&calls[2], "/who");
    watch(&calls[3], "/who");
    until(4);
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(calls[i].status, 200);
    ck_assert_str_eq(str_text(&calls[3].data), "who");
    ck_assert_uint_ge(http_stats(http)->retried, 1);
    uint64_t retried = http_stats(http)->retried;
    (void)snprintf(peer_token, sizeof(peer_token), "other");
    get(&calls[4], "/who");
    watch(&calls[5], "/who");
    until(6);
    ck_assert_int_eq(calls[4].status, 401);
    ck_assert_int_eq(calls[5].status, 401);
    ck_assert_str_eq(str_text(&calls[5].data), "who");
    ck_assert_uint_eq(http_stats(http)->retried, retried);
    end();
    unlink(path);
}
END_TEST

/* The plugin is run before the first request and after a 401; all requests wait for it. */
START_TEST(test_plugin)
{
    static const char *const args[] = {
        "-c", "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",'"
              "'\"status\":{\"token\":\"t'$(cat $COUNTER)'\"}}'; echo 2 > $COUNTER"};
    char path[] = "/tmp/sluice-counter-XXXXXX";
    struct credentials_pair env = {"COUNTER", path};
    struct credentials_exec x = {.api_version = "client.authentication.k8s.io/v1",
                                 .command = "sh",
                                 .args = args,
                                 .n_args = 2,
                                 .env = &env,
                                 .n_env = 1};

    ck_assert_int_ge(mkstemp(path), 0);
    begin(NULL);
    write_file(path, "1\n");
    (void)snprintf(peer_token, sizeof(peer_token), "t%d", _i + 1);
    who->exec = &x;
    get(&calls[0], "/who");
    watch(&calls[1], "/who");
    until(2);
    ck_assert_int_eq(calls[0].status, 200);
    ck_assert_int_eq(calls[1].status, 200);
    ck_assert_str_eq(who->token, _i ? "t2" : "t1");
    ck_assert_int_eq(http_stats(http)->retried > 0, _i);
    end();
    unlink(path);
}
END_TEST

START_TEST(test_plugin_fails)
{
    struct credentials_exec x = {.api_version = "client.authentication.k8s.io/v1", .command = "false"};

    begin(NULL);
    who->exec = &x;
    get(&calls[0], "/who");
    watch(&calls[1], "/who");
    until(2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(calls[i].status, 0);
        ck_assert_msg(strstr(calls[i].error, "exit status 1"), "%s", calls[i].error);
    }
    x.command = "/nowhere/plugin";
    struct kube_handler h = {.on_done = on_done, .arg = &calls[2]};
    struct err err;
    ck_assert_ptr_null(http_requests(http)->start(http_requests(http)->self,
                                                  &(struct kube_request){.path = "/who"}, &h, &err));
    ck_assert_msg(strstr(err.text, "/nowhere/plugin"), "%s", err.text);
    x.command = "sleep"; /* closed while it runs */
    static const char *const args[] = {"60"};
    x.args = args;
    x.n_args = 1;
    get(&calls[3], "/who");
    end();
    ck_assert_int_eq(calls[3].done, 0);
}
END_TEST

/* Requests of all kinds after each other: a handle that was used serves any later one. */
START_TEST(test_mixed)
{
    begin(NULL);
    for (int i = 0; i < 12; i++) {
        struct kube_request r = {
            .verb = i % 3 == 1 ? KUBE_POST : KUBE_GET, .path = "/echo", .timeout_ns = 20 * NS_PER_S};
        r.body = i % 3 == 1 ? "{}" : NULL;
        r.body_len = i % 3 == 1 ? 2 : 0;
        r.stream = i % 3 == 2;
        ask(&calls[i], http_requests(http), r);
        if (i % 4 == 3)
            until(i + 1);
    }
    until(12);
    for (int i = 0; i < 12; i++)
        ck_assert_int_eq(calls[i].status, 200);
    end();
}
END_TEST

/* With any allocation failing, a request is refused or ends; nothing leaks. */
START_TEST(test_memory)
{
    begin(NULL);
    ck_assert_int_eq(credentials_set_token(who, "abc", 3, NULL), 0);
    for (uint64_t n = 1; n < 40; n++) {
        struct kube_handler h = {.on_data = on_data, .on_done = on_done, .arg = &calls[0]};
        calls[0] = (struct seen_call){0};
        mem_fail_after(n);
        struct kube_call *c = http_requests(http)->start(
            http_requests(http)->self,
            &(struct kube_request){.verb = KUBE_POST, .path = "/echo", .body = "{}", .body_len = 2}, &h,
            NULL);
        mem_fail_after(0);
        while (c && !calls[0].done)
            uv_run(&loop, UV_RUN_ONCE);
        if (c)
            ck_assert_int_eq(calls[0].status, 200);
        free(calls[0].body);
        free(calls[0].error);
        calls[0] = (struct seen_call){0};
    }
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http");
    TCase *tc = tcase_create("http");

    tcase_set_timeout(tc, 100);
    tcase_add_loop_test(tc, test_requests, 0, sizeof(request_rows) / sizeof(*request_rows));
    tcase_add_test(tc, test_identity);
    tcase_add_test(tc, test_basic);
    tcase_add_loop_test(tc, test_replies, 0, sizeof(reply_rows) / sizeof(*reply_rows));
    tcase_add_test(tc, test_unreachable);
    tcase_add_test(tc, test_streams);
    tcase_add_test(tc, test_cancel_from_callbacks);
    tcase_add_test(tc, test_start_from_callbacks);
    tcase_add_test(tc, test_cancel_at_once);
    tcase_add_loop_test(tc, test_close_from_callbacks, 0, 2);
    tcase_add_test(tc, test_timeouts);
    tcase_add_test(tc, test_watchdog);
    tcase_add_test(tc, test_drop);
    tcase_add_test(tc, test_rotation);
    tcase_add_loop_test(tc, test_plugin, 0, 2);
    tcase_add_test(tc, test_plugin_fails);
    tcase_add_test(tc, test_mixed);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
