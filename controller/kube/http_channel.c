#include "kube/http_priv.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket in the loop. */
struct http_sock {
    uv_poll_t poll;
    curl_socket_t fd;
    struct http_channel *ch;
};

/* ---- sockets of ours ----------------------------------------------------------------------------------------------------- */

static struct http_fd *http_channel_by_port(struct http_channel *ch, long port)
{
    for (uint32_t i = 0; i < ch->n_fds && port > 0; i++) {
        struct sockaddr_storage a;
        socklen_t len = sizeof(a);
        if (getsockname(ch->fds[i].fd, (struct sockaddr *)&a, &len) != 0)
            continue;
        in_port_t p = a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                              : ((struct sockaddr_in *)&a)->sin_port;
        if (ntohs(p) == port)
            return &ch->fds[i];
    }
    return NULL;
}

curl_socket_t http_channel_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    struct http_channel *ch = arg;

    (void)purpose;
    if (mem_grow((void **)&ch->fds, &ch->cap_fds, ch->n_fds + 1, sizeof(*ch->fds)) < 0)
        return CURL_SOCKET_BAD;
    int fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    ch->fds[ch->n_fds++] = (struct http_fd){.fd = fd};
    ch->h->stats.connections++;
    ch->h->stats.open++;
    return fd;
}

int http_channel_close_socket(void *arg, curl_socket_t fd)
{
    struct http_channel *ch = arg;

    for (uint32_t i = 0; i < ch->n_fds; i++) {
        if (ch->fds[i].fd == fd) {
            ch->fds[i] = ch->fds[--ch->n_fds];
            ch->h->stats.open--;
            break;
        }
    }
    return close(fd);
}

/* The kernel gives up 30 s after something was sent that nobody acknowledges, keepalive probes included (1.3 recipe 1). */
int http_channel_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    struct http_channel *ch = arg;
    int count = 3;
    unsigned user_timeout = ch->h->user_timeout_ms;

    (void)purpose;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
    return CURL_SOCKOPT_OK;
}

/* curl sees the end of the connection and ends all its streams; a retry alone would be put on the same dead connection (1.3). */
static void http_channel_shut(struct http_channel *ch, struct http_fd *fd)
{
    fd->timeouts = 0;
    ch->h->stats.shut++;
    (void)shutdown(fd->fd, SHUT_RDWR);
}

void http_channel_drop(struct http_channel *ch)
{
    for (uint32_t i = 0; i < ch->n_fds; i++)
        (void)shutdown(ch->fds[i].fd, SHUT_RDWR);
}

void http_channel_timely(struct http_channel *ch, long port, bool timely)
{
    struct http_fd *fd = http_channel_by_port(ch, port);

    if (!fd)
        return;
    fd->timeouts = timely ? 0 : fd->timeouts + 1;
    if (fd->timeouts >= HTTP_TIMEOUTS_IN_ROW)
        http_channel_shut(ch, fd);
}

/* The local port of a running call's connection; 0 when it has none yet. */
static long http_channel_port(const struct kube_call *c)
{
    long port = 0;

    return curl_easy_getinfo(c->easy, CURLINFO_LOCAL_PORT, &port) == CURLE_OK ? port : 0;
}

void http_channel_watch(struct http_channel *ch, int64_t since_ns)
{
    struct kube_call *c, *other;

    TAILQ_FOREACH(c, &ch->running, entry)
    {
        long port = http_is_watch(c) && c->last_byte_ns < since_ns ? http_channel_port(c) : 0;
        if (port == 0)
            continue;
        bool silent = true;
        TAILQ_FOREACH(other, &ch->running, entry)
        {
            if (other->stream && other->last_byte_ns >= since_ns && http_channel_port(other) == port)
                silent = false;
        }
        struct http_fd *fd = silent ? http_channel_by_port(ch, port) : NULL;
        if (fd)
            http_channel_shut(ch, fd);
        if (silent) { /* the others of this connection are not looked at again before they have ended */
            TAILQ_FOREACH(other, &ch->running, entry)
            {
                if (http_is_watch(other) && http_channel_port(other) == port)
                    other->last_byte_ns = kube_mono(&ch->h->clock);
            }
        }
    }
}

/* ---- curl in the loop ---------------------------------------------------------------------------------------------------- */

static void http_channel_act(struct http_channel *ch, curl_socket_t fd, int flags)
{
    int running;

    ch->inside++;
    curl_multi_socket_action(ch->multi, fd, flags, &running);
    ch->inside--;
    if (ch->inside == 0)
        http_channel_tidy(ch);
}

static void http_channel_on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_sock *s = poll->data;
    int flags = 0;

    if (status < 0)
        flags = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    http_channel_act(s->ch, s->fd, flags);
}

static void http_channel_on_timer(uv_timer_t *timer)
{
    struct http_channel *ch = timer->data;

    http_channel_act(ch, CURL_SOCKET_TIMEOUT, 0);
}

static int http_channel_set_timer(CURLM *multi, long ms, void *arg)
{
    struct http_channel *ch = arg;

    (void)multi;
    if (ms < 0)
        uv_timer_stop(&ch->timer);
    else
        uv_timer_start(&ch->timer, http_channel_on_timer, (uint64_t)ms, 0);
    return 0;
}

static void http_channel_sock_gone(uv_handle_t *handle)
{
    struct http_sock *s = handle->data;
    struct http *h = s->ch->h;

    mem_free(s);
    http_handle_gone(h);
}

static struct http_sock *http_channel_sock_new(struct http_channel *ch, curl_socket_t fd)
{
    struct http_sock *s = mem_zalloc(1, sizeof(*s));

    if (!s)
        return NULL;
    if (uv_poll_init_socket(ch->h->loop, &s->poll, fd) != 0) {
        mem_free(s);
        return NULL;
    }
    s->fd = fd;
    s->ch = ch;
    s->poll.data = s;
    ch->h->handles++;
    curl_multi_assign(ch->multi, fd, s);
    return s;
}

static int http_channel_set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
    struct http_channel *ch = arg;
    struct http_sock *s = sock;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            curl_multi_assign(ch->multi, fd, NULL);
            uv_poll_stop(&s->poll);
            uv_close((uv_handle_t *)&s->poll, http_channel_sock_gone);
        }
        return 0;
    }
    if (what & CURL_POLL_IN)
        events |= UV_READABLE;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    if (!s)
        s = http_channel_sock_new(ch, fd);
    /* An error here would end every transfer of the CURLM for good: only this socket is given up. */
    if (!s || uv_poll_start(&s->poll, events, http_channel_on_poll) != 0) {
        (void)shutdown(fd, SHUT_RDWR);
        ch->failed = fd;
    }
    return 0;
}

/* ---- looking after it ---------------------------------------------------------------------------------------------------- */

static void http_channel_remove_dead(struct http_channel *ch)
{
    struct kube_call *c, *next;

    ch->dead = false;
    for (c = TAILQ_FIRST(&ch->running); c; c = next) {
        next = TAILQ_NEXT(c, entry);
        if (c->cancelled)
            http_call_free(c);
    }
}

static void http_channel_drain(struct http_channel *ch)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(ch->multi, &left))) {
        struct kube_call *c = NULL;
        CURLcode rc = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        http_call_ended(c, rc);
    }
}

void http_channel_fail_waiting(struct http_channel *ch, const char *why)
{
    uint64_t last = ch->h->seq; /* those that come while these are told are not meant */
    struct kube_call *c;

    while (!ch->h->closing && (c = TAILQ_FIRST(&ch->waiting)) && c->seq <= last)
        http_call_fail(c, why);
}

static void http_channel_send_waiting(struct http_channel *ch)
{
    struct kube_call *c;
    struct err err;
    bool ready = false;

    while (!ch->h->closing && (c = TAILQ_FIRST(&ch->waiting))) {
        if (http_ready(ch->h, &ready, &err) < 0) {
            http_channel_fail_waiting(ch, err.text);
            return;
        }
        if (!ready)
            return;
        if (http_call_send(c, &err) < 0)
            http_call_fail(c, err.text);
    }
}

void http_channel_tidy(struct http_channel *ch)
{
    while (ch->failed != CURL_SOCKET_BAD) {
        int running;
        curl_socket_t fd = ch->failed;
        ch->failed = CURL_SOCKET_BAD;
        ch->inside++;
        curl_multi_socket_action(ch->multi, fd, CURL_CSELECT_ERR, &running);
        ch->inside--;
    }
    http_channel_drain(ch);
    if (ch->dead)
        http_channel_remove_dead(ch);
    http_channel_send_waiting(ch);
}

/* ---- beginning and end --------------------------------------------------------------------------------------------------- */

int http_channel_init(struct http_channel *ch, struct http *h, struct err *err)
{
    TAILQ_INIT(&ch->running);
    TAILQ_INIT(&ch->waiting);
    ch->h = h;
    ch->failed = CURL_SOCKET_BAD;
    ch->server = (struct kube_server){.start = http_call_start, .cancel = http_call_cancel, .self = ch};
    ch->multi = curl_multi_init();
    if (!ch->multi)
        return err_set(err, ERR_NOMEM, "out of memory");
    curl_multi_setopt(ch->multi, CURLMOPT_SOCKETFUNCTION, http_channel_set_socket);
    curl_multi_setopt(ch->multi, CURLMOPT_SOCKETDATA, ch);
    curl_multi_setopt(ch->multi, CURLMOPT_TIMERFUNCTION, http_channel_set_timer);
    curl_multi_setopt(ch->multi, CURLMOPT_TIMERDATA, ch);
    curl_multi_setopt(ch->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    uv_timer_init(h->loop, &ch->timer);
    ch->timer.data = ch;
    h->handles++;
    return 0;
}

static void http_channel_timer_gone(uv_handle_t *handle)
{
    struct http_channel *ch = handle->data;

    http_handle_gone(ch->h);
}

void http_channel_free(struct http_channel *ch)
{
    struct kube_call *c;

    if (!ch->multi)
        return;
    while ((c = TAILQ_FIRST(&ch->waiting)))
        http_call_free(c);
    while ((c = TAILQ_FIRST(&ch->running)))
        http_call_free(c);
    while (ch->n_spare > 0)
        curl_easy_cleanup(ch->spare[--ch->n_spare]);
    curl_multi_cleanup(ch->multi); /* closes the connections, through our callbacks */
    ch->multi = NULL;
    mem_free(ch->fds);
    ch->fds = NULL;
    ch->cap_fds = 0;
    uv_timer_stop(&ch->timer);
    uv_close((uv_handle_t *)&ch->timer, http_channel_timer_gone);
}
