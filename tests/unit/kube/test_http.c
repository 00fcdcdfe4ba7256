/* The HTTP client against a small server in the same loop (HTTP/1.1 without TLS; the rest is proven by tests/kube). */
#include "kube/http.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEERS = 64, CALLS = 16 };

/* ---- the server: answers by the path ---------------------------------------------------------------------------------------- */

struct peer {
    uv_tcp_t tcp;
    struct str in;
    bool used, silent;
    char buf[4096];
};

struct answer {
    uv_write_t req;
    char *text;
    bool close;
};

static uv_loop_t loop;
static uv_tcp_t listener;
static struct peer peers[PEERS];
static char good_token[64];
static uint32_t seen; /* requests */

static void on_peer_gone(uv_handle_t *handle)
{
    struct peer *p = handle->data;

    str_free(&p->in);
    p->used = false;
}

static void peer_close(struct peer *p)
{
    if (p->used && !uv_is_closing((uv_handle_t *)&p->tcp))
        uv_close((uv_handle_t *)&p->tcp, on_peer_gone);
}

static void on_written(uv_write_t *req, int status)
{
    struct answer *a = (struct answer *)req;

    (void)status;
    if (a->close)
        peer_close(req->handle->data);
    free(a->text);
    free(a);
}

static void peer_say(struct peer *p, const char *text, size_t len, bool close_after)
{
    struct answer *a = calloc(1, sizeof(*a));

    ck_assert_ptr_nonnull(a);
    a->text = malloc(len ? len : 1);
    memcpy(a->text, text, len);
    a->close = close_after;
    uv_buf_t buf = uv_buf_init(a->text, (unsigned)len);
    ck_assert_int_eq(uv_write(&a->req, (uv_stream_t *)&p->tcp, &buf, 1, on_written), 0);
}

static void peer_text(struct peer *p, const char *text, bool close_after)
{
    peer_say(p, text, strlen(text), close_after);
}

static void peer_answer(struct peer *p, int status, const char *headers, const char *body)
{
    struct str s;

    str_init(&s, 0);
    str_addf(&s, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
    peer_say(p, s.p, s.len, false);
    str_free(&s);
}

static void peer_big(struct peer *p, size_t len)
{
    char head[128];
    char *body = malloc(len);

    int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
    memset(body, 'x', len);
    peer_say(p, head, (size_t)n, false);
    peer_say(p, body, len, false);
    free(body);
}

static void peer_request(struct peer *p, const char *text, const char *body)
{
    char want[128];
    const char *path = strchr(text, ' ') + 1;

    seen++;
    (void)snprintf(want, sizeof(want), "Authorization: Bearer %s\r\n", good_token);
    if (strncmp(path, "/base/echo", 10) == 0)
        peer_answer(p, 200, "", text);
    else if (strncmp(path, "/base/status/", 13) == 0)
        peer_answer(p, (int)strtol(path + 13, NULL, 10), "", "{\"kind\":\"Status\"}");
    else if (strncmp(path, "/base/retry", 11) == 0)
        peer_answer(p, 429, "Retry-After: 7\r\n", body);
    else if (strncmp(path, "/base/date", 10) == 0)
        peer_answer(p, 503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "");
    else if (strncmp(path, "/base/who", 9) == 0)
        peer_answer(p, strstr(text, want) ? 200 : 401, "", "who");
    else if (strncmp(path, "/base/pieces", 12) == 0)
        peer_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
                  false);
    else if (strncmp(path, "/base/open", 10) == 0)
        peer_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false);
    else if (strncmp(path, "/base/cut", 9) == 0)
        peer_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true);
    else if (strncmp(path, "/base/big", 9) == 0)
        peer_big(p, (size_t)strtoul(path + 9, NULL, 10));
    /* "/base/never": no answer */
}

static void peer_feed(struct peer *p)
{
    for (;;) {
        char *end = p->in.len ? strstr(p->in.p, "\r\n\r\n") : NULL;
        const char *length = p->in.len ? strstr(p->in.p, "Content-Length: ") : NULL;
        if (!end)
            return;
        size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
        size_t all = (size_t)(end - p->in.p) + 4 + body;
        if (p->in.len < all)
            return;
        peer_request(p, p->in.p, end + 4);
        struct str rest;
        str_init(&rest, 0);
        str_addn(&rest, p->in.p + all, p->in.len - all);
        str_free(&p->in);
        p->in = rest;
    }
}

static void peer_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct peer *p = handle->data;

    (void)suggested;
    *buf = uv_buf_init(p->buf, sizeof(p->buf));
}

static void on_peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct peer *p = stream->data;

    if (n < 0) {
        peer_close(p);
        return;
    }
    str_addn(&p->in, buf->base, (size_t)n);
    peer_feed(p);
}

static void on_peer(uv_stream_t *stream, int status)
{
    struct peer *p = NULL;

    ck_assert_int_eq(status, 0);
    for (int i = 0; i < PEERS && !p; i++) {
        if (!peers[i].used)
            p = &peers[i];
    }
    ck_assert_ptr_nonnull(p);
    *p = (struct peer){.used = true};
    str_init(&p->in, 0);
    uv_tcp_init(&loop, &p->tcp);
    p->tcp.data = p;
    ck_assert_int_eq(uv_accept(stream, (uv_stream_t *)&p->tcp), 0);
    uv_read_start((uv_stream_t *)&p->tcp, peer_room, on_peer_read);
}

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
    struct sockaddr_in a;
    struct sockaddr_storage got;
    int len = sizeof(got);
    char url[64];

    live = mem_live();
    closed = false;
    seen = 0;
    memset(calls, 0, sizeof(calls));
    memset(peers, 0, sizeof(peers));
    uv_loop_init(&loop);
    uv_tcp_init(&loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &a);
    ck_assert_int_eq(uv_tcp_bind(&listener, (const struct sockaddr *)&a, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&listener, 64, on_peer), 0);
    uv_tcp_getsockname(&listener, (struct sockaddr *)&got, &len);
    uv_timer_init(&loop, &alarm_timer);
    uv_timer_start(&alarm_timer, on_alarm, 60000, 0);
    uv_unref((uv_handle_t *)&alarm_timer);
    who = credentials_new();
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/base",
                   ntohs(((struct sockaddr_in *)&got)->sin_port));
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
    for (int i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
    uv_close((uv_handle_t *)&listener, NULL);
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
    uv_close((uv_handle_t *)&listener, NULL);
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
    uv_tcp_init(&loop, &listener); /* for end() */
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
    while (!calls[0].pieces || seen < 2)
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
    (void)snprintf(good_token, sizeof(good_token), "old");
    who->token_file = path;
    get(&calls[0], "/who");
    until(1);
    ck_assert_int_eq(calls[0].status, 200);
    write_file(path, "new\n");
    (void)snprintf(good_token, sizeof(good_token), "new");
    get(&calls[1], "/who");
    get(&calls[2], "/who");
    watch(&calls[3], "/who");
    until(4);
    for (int i = 1; i < 4; i++)
        ck_assert_int_eq(calls[i].status, 200);
    ck_assert_str_eq(str_text(&calls[3].data), "who");
    ck_assert_uint_ge(http_stats(http)->retried, 1);
    uint64_t retried = http_stats(http)->retried;
    (void)snprintf(good_token, sizeof(good_token), "other");
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
    (void)snprintf(good_token, sizeof(good_token), "t%d", _i + 1);
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
    tcase_add_test(tc, test_memory);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
