#define _GNU_SOURCE
#include "base/mem.h"
#include "serve/web.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGES = 4 };

static int hello(void *arg, struct str *out, const char **type)
{
    ++*(int *)arg;
    *type = "text/x-hello";
    str_add(out, "hello\n");
    return 200;
}

static int sick(void *arg, struct str *out, const char **type)
{
    (void)arg;
    (void)type;
    str_add(out, "sick\n");
    return 503;
}

static int big(void *arg, struct str *out, const char **type)
{
    (void)arg;
    (void)type;
    for (int i = 0; i < 100000; i++)
        str_add(out, "0123456789");
    return 200;
}

static int broken(void *arg, struct str *out, const char **type)
{
    (void)arg;
    (void)type;
    str_add(out, "half");
    out->failed = true;
    return 200;
}

static int calls;
static const struct web_page pages[PAGES] = {
    {"/hello", hello, &calls}, {"/sick", sick, NULL}, {"/big", big, NULL}, {"/broken", broken, NULL}};

struct rig {
    uv_loop_t loop;
    struct web *web;
    uint16_t port;
    int closed;
};

static void on_closed(void *arg)
{
    ++((struct rig *)arg)->closed;
}

static void rig_open(struct rig *r, const char *address)
{
    struct err err;

    *r = (struct rig){0};
    calls = 0;
    ck_assert_int_eq(uv_loop_init(&r->loop), 0);
    ck_assert_int_eq(web_start(&r->loop, address, pages, PAGES, &r->web, &err), 0);
    ck_assert_ptr_nonnull(r->web);
    r->port = web_port(r->web);
    ck_assert_uint_ne(r->port, 0);
}

static void rig_close(struct rig *r)
{
    if (!r->closed)
        web_stop(r->web, 0, on_closed, r);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(r->closed, 1);
    ck_assert_int_eq(uv_loop_close(&r->loop), 0);
    ck_assert_int_eq(mem_live(), 0);
}

/* The other end: in the same thread, so it never waits without letting the loop run. */
static int client(const struct rig *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(r->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char got[2 << 20];

static size_t body_wanted(bool head)
{
    const char *length = strcasestr(got, "content-length:");
    return head || !length ? 0 : strtoul(length + 15, NULL, 10);
}

/* One answer, or what came until the other side hung up. Returns whether it hung up. */
static bool hear(struct rig *r, int fd, bool head)
{
    size_t len = 0;

    for (int turns = 0; turns < 20000; turns++) {
        uv_run(&r->loop, UV_RUN_NOWAIT);
        ssize_t n = recv(fd, got + len, sizeof(got) - 1 - len, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            got[len] = '\0';
            return true;
        }
        len += n > 0 ? (size_t)n : 0;
        got[len] = '\0';
        const char *end = strstr(got, "\r\n\r\n");
        if (end && len >= (size_t)(end - got) + 4 + body_wanted(head))
            return false;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        (void)poll(&p, 1, 1);
    }
    ck_abort_msg("no answer: %s", got);
}

static const struct {
    const char *request, *status, *body; /* body NULL = not looked at */
    bool head, closes;
    int calls;
} rows[] = {
    {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "200 ", "hello\n", false, false, 1},
    {"GET /hello?a=b HTTP/1.1\r\nHost: x\r\n\r\n", "200 ", "hello\n", false, false, 1},
    {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "200 ", "hello\n", false, false, 1},
    {"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n", "200 ", "", true, false, 1},
    {"GET /hello HTTP/1.0\r\n\r\n", "200 ", "hello\n", false, true, 1},
    {"GET /sick HTTP/1.1\r\nHost: x\r\n\r\n", "503 ", "sick\n", false, false, 0},
    {"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n", "500 ", NULL, false, false, 0},
    {"GET /hell HTTP/1.1\r\nHost: x\r\n\r\n", "404 ", "not found\n", false, false, 0},
    {"GET /hello/ HTTP/1.1\r\nHost: x\r\n\r\n", "404 ", "not found\n", false, false, 0},
    {"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "405 ", NULL, false, true, 0},
    {"DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n", "405 ", NULL, false, true, 0},
    {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "400 ", NULL, false, true, 0},
    {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 3\r\n\r\nabc", "400 ", NULL,
     false, true, 0},
    {"GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 ", NULL, false,
     true, 0},
};

START_TEST(test_requests)
{
    struct rig r;
    rig_open(&r, "127.0.0.1:0");
    int fd = client(&r);

    say(fd, rows[_i].request);
    bool hung_up = hear(&r, fd, rows[_i].head);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 ", 9) && strncmp(got, "HTTP/1.0 ", 9), 0);
    ck_assert_msg(!strncmp(got + 9, rows[_i].status, 4), "%s", got);
    if (rows[_i].body)
        ck_assert_str_eq(strstr(got, "\r\n\r\n") + 4, rows[_i].body);
    if (rows[_i].calls)
        ck_assert_ptr_nonnull(strstr(got, "Content-Type: text/x-hello\r\n"));
    if (rows[_i].head)
        ck_assert_ptr_nonnull(strstr(got, "Content-Length: 6\r\n"));
    ck_assert_int_eq(calls, rows[_i].calls);
    ck_assert_uint_eq(web_stats(r.web).requests, 1);
    if (!hung_up && !rows[_i].closes) { /* and once more on the same connection */
        say(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert(!hear(&r, fd, false));
        ck_assert_ptr_nonnull(strstr(got, "hello\n"));
    } else
        ck_assert(hung_up || hear(&r, fd, false));
    close(fd);
    rig_close(&r);
}
END_TEST

START_TEST(test_pieces_and_size)
{
    static const char request[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    struct rig r;
    rig_open(&r, ":0");
    int fd = client(&r);

    for (size_t i = 0; i + 1 < sizeof(request); i++) {
        say(fd, (char[]){request[i], 0});
        uv_run(&r.loop, UV_RUN_NOWAIT);
    }
    ck_assert(!hear(&r, fd, false));
    const char *body = strstr(got, "\r\n\r\n") + 4;
    ck_assert_uint_eq(strlen(body), 1000000);
    ck_assert_str_eq(body + 999990, "0123456789");
    close(fd);
    rig_close(&r);
}
END_TEST

/* Too long a line, too many headers: an error or a closed connection, never an answer from a page. */
START_TEST(test_too_much)
{
    static char text[WEB_MEMORY * 2 + 100];
    struct rig r;
    rig_open(&r, "127.0.0.1:0");
    int fd = client(&r);
    size_t n = _i ? (size_t)snprintf(text, 100, "GET /hello HTTP/1.1\r\nHost: x\r\nA: ")
                  : (size_t)snprintf(text, 100, "GET /hello");

    memset(text + n, 'a', WEB_MEMORY * 2);
    snprintf(text + n + WEB_MEMORY * 2, 32, _i ? "\r\n\r\n" : " HTTP/1.1\r\n\r\n");
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)hear(&r, fd, false);
    ck_assert_msg(!got[0] || !strncmp(got + 9, "4", 1), "%s", got);
    ck_assert_int_eq(calls, 0);
    close(fd);
    rig_close(&r);
}
END_TEST

/* More connections than one address may have: those above are shut, those below go on. */
START_TEST(test_many)
{
    enum { N = WEB_CONNECTIONS_OF_ONE_MAX + 5 };
    struct rig r;
    int fds[N], shut = 0;
    rig_open(&r, "127.0.0.1:0");

    for (int i = 0; i < N; i++)
        fds[i] = client(&r);
    for (int i = 0; i < 200; i++)
        uv_run(&r.loop, UV_RUN_NOWAIT);
    ck_assert_uint_le(web_stats(r.web).open, WEB_CONNECTIONS_OF_ONE_MAX);
    for (int i = 0; i < N; i++) {
        char c;
        ssize_t n = recv(fds[i], &c, 1, 0);
        shut += n == 0 || (n < 0 && errno == ECONNRESET);
    }
    ck_assert_int_eq(shut, 5);
    say(fds[0], "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(!hear(&r, fds[0], false));
    for (int i = 0; i < N; i++)
        close(fds[i]);
    rig_close(&r);
}
END_TEST

/* Stopping answers what was asked, takes nothing new, and does not wait for who says nothing. */
START_TEST(test_stop)
{
    struct rig r;
    rig_open(&r, "127.0.0.1:0");
    int idle = client(&r), busy = client(&r);

    say(busy, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    for (int i = 0; i < 50 && web_stats(r.web).requests == 0; i++)
        uv_run(&r.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(web_stats(r.web).requests, 1);
    web_stop(r.web, 60 * INT64_C(1000000000), on_closed, &r);
    ck_assert_int_eq(r.closed, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(r.port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int late = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ne(connect(late, (struct sockaddr *)&a, sizeof(a)), 0);
    (void)hear(&r, busy, false);
    ck_assert_uint_eq(strlen(strstr(got, "\r\n\r\n") + 4), 1000000);
    uv_run(&r.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(r.closed, 1);
    char c;
    ck_assert_int_le(recv(idle, &c, 1, 0), 0);
    close(idle);
    close(busy);
    close(late);
    rig_close(&r);
}
END_TEST

static const struct {
    const char *address;
    int code; /* 0 = off */
} addresses[] = {
    {"", 0},
    {"0", 0},
    {"8080", ERR_INVALID},
    {"127.0.0.1:", ERR_INVALID},
    {"127.0.0.1:http", ERR_INVALID},
    {"127.0.0.1:123456", ERR_INVALID},
    {"::1:80", ERR_INVALID},
    {"[::1:80", ERR_INVALID},
    {"192.0.2.1:0", ERR_IO},
};

START_TEST(test_addresses)
{
    uv_loop_t loop;
    struct web *w = (struct web *)&loop;
    struct err err;

    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(web_start(&loop, addresses[_i].address, pages, PAGES, &w, &err), addresses[_i].code);
    ck_assert_ptr_null(w);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(test_in_use)
{
    struct rig r;
    char address[32];
    struct web *w;
    struct err err;
    rig_open(&r, "127.0.0.1:0");

    snprintf(address, sizeof(address), "127.0.0.1:%u", r.port);
    ck_assert_int_eq(web_start(&r.loop, address, pages, PAGES, &w, &err), ERR_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    ck_assert_int_eq(web_start(&r.loop, "127.0.0.1:0", pages, WEB_PAGES_MAX + 1, &w, &err), ERR_LIMIT);
    mem_fail_after(1);
    ck_assert_int_eq(web_start(&r.loop, "127.0.0.1:0", pages, 1, &w, &err), ERR_NOMEM);
    mem_fail_after(0);
    rig_close(&r);
    web_stop(NULL, 0, NULL, NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("web");
    TCase *t = tcase_create("web");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_requests, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, test_pieces_and_size);
    tcase_add_loop_test(t, test_too_much, 0, 2);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_stop);
    tcase_add_loop_test(t, test_addresses, 0, sizeof(addresses) / sizeof(addresses[0]));
    tcase_add_test(t, test_in_use);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
