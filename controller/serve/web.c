#include "serve/web.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLAIN_TEXT "text/plain; charset=utf-8"

struct web {
    struct MHD_Daemon *daemon; /* NULL once stopped */
    uv_poll_t poll;            /* its epoll descriptor */
    uv_prepare_t prepare;      /* asks, before each wait of the loop, how long that may be */
    uv_timer_t timer;          /* wakes the loop for it */
    uv_timer_t grace;
    uint32_t nhandles; /* not closed yet */
    struct web_page pages[WEB_PAGES_MAX];
    uint32_t npages;
    uint32_t under_way; /* requests whose head was read and that are not answered */
    uint16_t port;
    bool stopping;
    void (*closed)(void *arg);
    void *closed_arg;
    struct web_stats stats;
};

/* ---- requests ---------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct web *w, struct MHD_Connection *c, unsigned status, struct str *body,
                              const char *type)
{
    enum MHD_Result ok;
    size_t len = body->len;
    char *p = len ? str_take(body) : NULL;
    struct MHD_Response *r = p ? MHD_create_response_from_buffer_with_free_callback(len, p, mem_free)
                               : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (!r) {
        mem_free(p);
        return MHD_NO;
    }
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (w->stopping || status == MHD_HTTP_BAD_REQUEST || status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    ok = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result refuse(struct web *w, struct MHD_Connection *c, unsigned status, const char *text)
{
    struct str body;

    w->stats.refused++;
    str_init(&body, 0);
    str_add(&body, text);
    enum MHD_Result ok = answer(w, c, status, &body, PLAIN_TEXT);
    str_free(&body);
    return ok;
}

static enum MHD_Result show(struct web *w, struct MHD_Connection *c, const struct web_page *p)
{
    const char *type = PLAIN_TEXT;
    struct str body;
    int status;

    str_init(&body, WEB_ANSWER_MAX);
    status = p->fn(p->arg, &body, &type);
    if (str_failed(&body)) {
        str_clear(&body);
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        type = PLAIN_TEXT;
        str_add(&body, "the answer is too long\n");
    }
    enum MHD_Result ok = answer(w, c, (unsigned)status, &body, type);
    str_free(&body);
    return ok;
}

/* Every one of them is looked at, for a second Content-Length is how one request is smuggled behind another (libraries.md 4). */
static enum MHD_Result look_for_body(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
    bool *has_body = arg;

    (void)kind;
    if (!strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
        (!strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) && (!value || strcmp(value, "0") != 0)))
        *has_body = true;
    return MHD_YES;
}

/* Called once when the head of a request was read, and once more when its (empty) body was: then it is answered. What is refused is answered
 * at once, so that no body is read. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
                                  const char *version, const char *data, size_t *len, void **state)
{
    static int known;
    struct web *w = arg;
    bool has_body = false;

    (void)version;
    (void)data;
    if (!*state) {
        *state = &known;
        w->under_way++;
        w->stats.requests++;
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
            return refuse(w, c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        (void)MHD_get_connection_values(c, MHD_HEADER_KIND, look_for_body, &has_body);
        return has_body ? refuse(w, c, MHD_HTTP_BAD_REQUEST, "no bodies\n") : MHD_YES;
    }
    if (*len)
        return MHD_NO;
    for (uint32_t i = 0; i < w->npages; i++)
        if (!strcmp(w->pages[i].path, url))
            return show(w, c, &w->pages[i]);
    return refuse(w, c, MHD_HTTP_NOT_FOUND, "not found\n");
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct web *w = arg;

    (void)c;
    (void)how;
    if (*state)
        w->under_way--;
    *state = NULL;
}

/* ---- in the loop ------------------------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *h)
{
    struct web *w = h->data;

    if (--w->nhandles)
        return;
    if (w->closed)
        w->closed(w->closed_arg);
    mem_free(w);
}

/* The loop must let go of the descriptor before it is closed. */
static void finish(struct web *w)
{
    if (!w->daemon)
        return;
    uv_close((uv_handle_t *)&w->poll, on_handle_closed);
    uv_close((uv_handle_t *)&w->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&w->timer, on_handle_closed);
    uv_close((uv_handle_t *)&w->grace, on_handle_closed);
    MHD_stop_daemon(w->daemon);
    w->daemon = NULL;
}

static void on_ready(uv_poll_t *h, int status, int events)
{
    struct web *w = h->data;

    (void)status;
    (void)events;
    (void)MHD_run(w->daemon);
}

static void on_timer(uv_timer_t *h)
{
    struct web *w = h->data;

    (void)MHD_run(w->daemon);
}

static void on_grace(uv_timer_t *h)
{
    finish(h->data);
}

static void on_prepare(uv_prepare_t *h)
{
    struct web *w = h->data;
    MHD_UNSIGNED_LONG_LONG ms;

    if (w->stopping && !w->under_way)
        finish(w);
    else if (MHD_get_timeout(w->daemon, &ms) == MHD_YES)
        (void)uv_timer_start(&w->timer, on_timer, ms, 0);
    else
        (void)uv_timer_stop(&w->timer);
}

/* ---- addresses --------------------------------------------------------------------------------------------------------------- */

struct address {
    char host[256], port[8];
};

static int parse(const char *text, struct address *ret, struct err *err)
{
    const char *colon = strrchr(text, ':'), *host = text;
    size_t n = colon ? (size_t)(colon - text) : 0;

    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        host++;
        n -= 2;
    } else if (colon && memchr(text, ':', n))
        colon = NULL; /* an IPv6 address needs its brackets */
    if (!colon || n >= sizeof(ret->host) || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return err_set(err, ERR_INVALID, "%s: no address to listen at (HOST:PORT, :PORT)", text);
    memcpy(ret->host, host, n);
    ret->host[n] = '\0';
    memcpy(ret->port, colon + 1, strlen(colon + 1) + 1);
    return 0;
}

/* A socket that listens, or -1 with errno. All addresses: one socket for both protocols. */
static int listen_at(const struct addrinfo *a, bool both)
{
    int on = 1, off = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both ? &off : &on, sizeof(on));
    if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, WEB_CONNECTIONS_MAX)) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int open_socket(const char *text, int *ret, struct err *err)
{
    static const int families[2] = {AF_INET6, AF_INET}; /* in this order for all addresses */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list, *a;
    struct address at = {0};
    int fd = -1, rc = parse(text, &at, err);

    if (rc)
        return rc;
    rc = getaddrinfo(at.host[0] ? at.host : NULL, at.port, &hints, &list);
    if (rc)
        return err_set(err, ERR_INVALID, "%s: %s", text, gai_strerror(rc));
    for (int i = 0; i < 2 && fd < 0; i++)
        for (a = list; a && fd < 0; a = a->ai_next)
            if (at.host[0] ? i == 0 : a->ai_family == families[i])
                fd = listen_at(a, !at.host[0]);
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(err, ERR_IO, "cannot listen at %s: %s", text, strerror(errno));
    *ret = fd;
    return 0;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t len = sizeof(a);

    if (getsockname(fd, &a.any, &len))
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct web *w, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_request, w, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEB_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)WEB_CONNECTIONS_OF_ONE_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WEB_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)WEB_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, w, MHD_OPTION_END);
}

/* Of these only uv_poll_init can fail, and it comes first: nothing is left in the loop then. */
static int into_loop(struct web *w, uv_loop_t *loop, struct err *err)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = info ? uv_poll_init(loop, &w->poll, info->epoll_fd) : UV_EINVAL;

    if (rc)
        return err_set(err, ERR_IO, "web: %s", uv_strerror(rc));
    (void)uv_prepare_init(loop, &w->prepare);
    (void)uv_timer_init(loop, &w->timer);
    (void)uv_timer_init(loop, &w->grace);
    w->poll.data = w->prepare.data = w->timer.data = w->grace.data = w;
    w->nhandles = 4;
    (void)uv_prepare_start(&w->prepare, on_prepare);
    (void)uv_poll_start(&w->poll, UV_READABLE, on_ready);
    return 0;
}

static int begin(struct web *w, uv_loop_t *loop, const char *address, struct err *err)
{
    int fd = -1, rc = open_socket(address, &fd, err);

    if (rc)
        return rc;
    w->port = port_of(fd);
    w->daemon = start_daemon(w, fd); /* the socket is its own from here on */
    if (!w->daemon) {
        if (fcntl(fd, F_GETFD) >= 0) /* not every failure of it closes the socket */
            (void)close(fd);
        return err_set(err, ERR_IO, "cannot serve at %s: %s", address, strerror(errno));
    }
    rc = into_loop(w, loop, err);
    if (rc)
        MHD_stop_daemon(w->daemon);
    return rc;
}

int web_start(uv_loop_t *loop, const char *address, const struct web_page *pages, uint32_t n,
              struct web **ret, struct err *err)
{
    struct web *w;
    int rc;

    *ret = NULL;
    if (!address[0] || !strcmp(address, "0"))
        return 0;
    if (n > WEB_PAGES_MAX)
        return err_set(err, ERR_LIMIT, "web: %u pages, %d at most", n, WEB_PAGES_MAX);
    w = mem_zalloc(1, sizeof(*w));
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (n)
        memcpy(w->pages, pages, n * sizeof(*pages));
    w->npages = n;
    rc = begin(w, loop, address, err);
    if (rc)
        mem_free(w);
    else
        *ret = w;
    return rc;
}

uint16_t web_port(const struct web *w)
{
    return w->port;
}

void web_stop(struct web *w, int64_t grace_ns, void (*closed)(void *arg), void *arg)
{
    if (!w) {
        if (closed)
            closed(arg);
        return;
    }
    w->closed = closed;
    w->closed_arg = arg;
    if (!w->stopping) {
        MHD_socket fd = MHD_quiesce_daemon(w->daemon);
        if (fd != MHD_INVALID_SOCKET)
            (void)close(fd);
    }
    w->stopping = true;
    (void)uv_timer_start(&w->grace, on_grace, (uint64_t)(grace_ns / 1000000), 0);
}

struct web_stats web_stats(const struct web *w)
{
    struct web_stats s = w->stats;
    const union MHD_DaemonInfo *info =
        w->daemon ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS) : NULL;

    s.open = info ? info->num_connections : 0;
    return s;
}
