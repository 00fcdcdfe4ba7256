/* Inside kube/http: http.c is the whole (options, servers, closing, the watchdog), http_channel.c one CURLM in the loop, http_call.c one
 * request.
 *
 * Rules of libcurl that shape this (libraries.md 1.1): nothing may be added to or removed from a CURLM from within its own callbacks, so what
 * is asked for there waits until curl has returned (`inside`); a socket is polled by a handle that lives from the first sight of it until
 * CURL_POLL_REMOVE, which does not mean that it is closed. */
#ifndef SLUICE_KUBE_HTTP_PRIV_H
#define SLUICE_KUBE_HTTP_PRIV_H

#include "kube/exec.h"
#include "kube/http.h"

#include "base/str.h"

#include <curl/curl.h>
#include <sys/queue.h>

enum {
    HTTP_SPARE_MAX = 32,      /* easy handles kept for later */
    HTTP_TIMEOUTS_IN_ROW = 2, /* on one connection, then it is shut */
};

/* A socket of ours, from its opening to its closing: libcurl cannot be asked for those that it keeps. */
struct http_fd {
    curl_socket_t fd;
    uint32_t timeouts; /* in a row */
};

TAILQ_HEAD(http_calls, kube_call);

struct http_channel {
    struct http *h;
    CURLM *multi;
    uv_timer_t timer; /* libcurl's */
    struct kube_server server;
    struct http_fd *fds;
    uint32_t n_fds, cap_fds;
    struct http_calls running; /* in the CURLM */
    struct http_calls waiting; /* to be added: for curl to return, for credentials */
    CURL *spare[HTTP_SPARE_MAX];
    uint32_t n_spare;
    uint32_t inside;      /* depth of calls of socket_action */
    bool dead;            /* some of `running` were cancelled while inside */
    curl_socket_t failed; /* a socket that could not be polled; -1 = none */
};

struct kube_call {
    TAILQ_ENTRY(kube_call) entry;
    struct http_channel *ch;
    CURL *easy; /* while running */
    struct curl_slist *headers;
    struct kube_handler handler;
    enum kube_verb verb;
    bool stream;
    bool running, cancelled, enough, too_long, retried;
    bool ending; /* in no list any more, its handler is being told */
    int64_t timeout_ns;
    char *url, *content_type, *body; /* owned */
    size_t body_len;
    struct str answer;
    int64_t last_byte_ns; /* mono; of the beginning when there was none */
    int64_t retry_after_s;
    uint64_t generation; /* of the credentials it was sent with */
    uint64_t seq;
    char error[CURL_ERROR_SIZE];
};

struct http {
    uv_loop_t *loop;
    struct credentials *c;
    struct kube_clock clock;
    int64_t watch_idle_ns, connect_ns;
    uint32_t user_timeout_ms;
    bool http1;
    char *user_agent;
    char *base;                    /* of all URLs */
    char *host;                    /* the header Host when `base` names another; NULL = not needed */
    struct curl_slist *connect_to; /* likewise */
    struct http_channel watches, requests;
    uv_timer_t watchdog, closer;
    uint32_t handles; /* of the loop, and plugins, that are not yet closed */
    struct exec *exec;
    uint64_t seq;
    struct http_stats stats;
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* http.c */
void http_handle_gone(struct http *h); /* one of `handles` is closed */
/* Can requests be sent now? Otherwise the plugin runs, and the waiting are looked at when it has ended. */
MUST_USE int http_ready(struct http *h, bool *ret_ready, struct err *err);

/* http_channel.c */
MUST_USE int http_channel_init(struct http_channel *ch, struct http *h, struct err *err);
void http_channel_free(
    struct http_channel *ch); /* ends its calls without a word; closes its handles of the loop */
/* Looks after what had to wait: cancelled calls, ended ones, waiting ones. Not from within curl. */
void http_channel_tidy(struct http_channel *ch);
/* Ends all that wait now with status 0. */
void http_channel_fail_waiting(struct http_channel *ch, const char *why);
void http_channel_drop(struct http_channel *ch);
/* The connection with this local port was not (false) or was (true) in time. */
void http_channel_timely(struct http_channel *ch, long port, bool timely);
/* Shuts connections on which all streams were silent since `since_ns`. */
void http_channel_watch(struct http_channel *ch, int64_t since_ns);
curl_socket_t http_channel_open(void *arg, curlsocktype purpose, struct curl_sockaddr *addr);
int http_channel_close_socket(void *arg, curl_socket_t fd);
int http_channel_sockopt(void *arg, curl_socket_t fd, curlsocktype purpose);

static inline bool http_is_watch(const struct kube_call *c)
{
    return c->stream && c->timeout_ns == 0;
}

/* http_call.c */
struct kube_call *http_call_start(void *self, const struct kube_request *r, const struct kube_handler *h,
                                  struct err *err);
void http_call_cancel(void *self, struct kube_call *c);
/* Sends it: it moves to `running`. On failure it stays where it is. */
MUST_USE int http_call_send(struct kube_call *c, struct err *err);
/* libcurl is done with it. */
void http_call_ended(struct kube_call *c, CURLcode rc);
/* Takes it out of wherever it is, tells its handler (status 0 and why), and frees it. */
void http_call_fail(struct kube_call *c, const char *why);
void http_call_free(struct kube_call *c); /* takes it out of wherever it is */

#endif
