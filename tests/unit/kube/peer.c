#include "peer.h"

#include "base/str.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEERS = 64 };

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

static uv_loop_t *peer_loop;
static uv_tcp_t listener;
static struct peer peers[PEERS];
char peer_token[64];
uint32_t peer_seen;

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

    peer_seen++;
    (void)snprintf(want, sizeof(want), "Authorization: Bearer %s\r\n", peer_token);
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
    uv_tcp_init(peer_loop, &p->tcp);
    p->tcp.data = p;
    ck_assert_int_eq(uv_accept(stream, (uv_stream_t *)&p->tcp), 0);
    uv_read_start((uv_stream_t *)&p->tcp, peer_room, on_peer_read);
}

void peer_begin(uv_loop_t *loop)
{
    struct sockaddr_in a;

    peer_loop = loop;
    peer_seen = 0;
    memset(peers, 0, sizeof(peers));
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &a);
    ck_assert_int_eq(uv_tcp_bind(&listener, (const struct sockaddr *)&a, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&listener, 64, on_peer), 0);
}

int peer_port(void)
{
    struct sockaddr_storage got;
    int len = sizeof(got);

    ck_assert_int_eq(uv_tcp_getsockname(&listener, (struct sockaddr *)&got, &len), 0);
    return ntohs(((struct sockaddr_in *)&got)->sin_port);
}

void peer_stop_listening(void)
{
    if (!uv_is_closing((uv_handle_t *)&listener))
        uv_close((uv_handle_t *)&listener, NULL);
}

void peer_end(void)
{
    for (int i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
    peer_stop_listening();
}
