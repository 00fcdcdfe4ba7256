/* The API server over sockets: the seam of kube/seam.h on libcurl and a libuv loop (libraries.md 1). HTTP/2 where the server speaks it. Two
 * groups of connections: one for watches, one for everything else, so that a long list does not hold up a Lease, and the connection of the
 * watches can be dropped without touching a write. Never waits; all callbacks come from the loop.
 *
 * A request that finds its connection closed before a byte of the answer is sent once more by libcurl on a new one, a write too: it may
 * reach the server twice. What it must not do twice carries a resourceVersion or a name.
 *
 * Half-dead connections (1.3): the kernel gives up after 30 s without an acknowledgement; a connection on which no watch received a byte for
 * `watch_idle_ns`, and one on which two requests in a row ran out of time, is shut. Every request on it then ends with status 0. */
#ifndef SLUICE_KUBE_HTTP_H
#define SLUICE_KUBE_HTTP_H

#include "kube/credentials.h"
#include "kube/seam.h"

#include <uv.h>

struct http;

struct http_options {
    int64_t watch_idle_ns;    /* 0 = 150 s */
    int64_t connect_ns;       /* for a connection to come up; 0 = 10 s */
    uint32_t user_timeout_ms; /* TCP_USER_TIMEOUT; 0 = 30,000 */
    bool http1;               /* no HTTP/2, for proxies that are used to look on */
    const char *user_agent;   /* NULL = "sluice/VERSION"; copied */
};

enum { HTTP_CLASSES = 6 }; /* of answers: none at all, 1xx, ... 5xx */

/* Counters since the beginning, for metrics; the last two go up and down. */
struct http_stats {
    uint64_t requests[KUBE_VERBS]; /* begun; watches are in `watches` */
    uint64_t watches;
    uint64_t replies[KUBE_VERBS][HTTP_CLASSES]; /* ended, watches included */
    uint64_t throttled;                         /* answers 429 */
    uint64_t retried;                           /* tried again after a 401 with new credentials */
    uint64_t timeouts;                          /* ended because their time was up */
    uint64_t bytes_sent, bytes_received;        /* of bodies */
    uint64_t connections;                       /* opened */
    uint64_t shut;                              /* dropped because half-dead */
    uint32_t open;                              /* connections there are now */
    uint32_t running;                           /* requests under way */
};

/* `c` is borrowed and must outlive the closing; nobody else changes it meanwhile. `o` may be NULL. Opens no connection yet. ERR_INVALID (a
 * certificate and its key cannot be used by this libcurl, a bad proxy), ERR_NOMEM, ERR_STATE. */
MUST_USE int http_new(uv_loop_t *loop, struct credentials *c, const struct http_options *o, struct http **ret,
                      struct err *err);

/* The seam, twice. A request with `stream` and no timeout is a watch for http_stats and the watchdog, on whichever of the two it is. */
const struct kube_server *http_watches(struct http *h);
const struct kube_server *http_requests(struct http *h);
const struct http_stats *http_stats(const struct http *h);

/* Drops all connections at once, so that every request under way ends with status 0 and the next opens a new one. */
void http_drop(struct http *h);

/* Ends it: no callback of a request comes after this call, all that are under way are gone. `closed` is called from the loop when nothing of
 * it is left there, `h` is freed by then; may be NULL. May be called from within a callback. */
void http_close(struct http *h, void (*closed)(void *arg), void *arg);

#endif
