/* A small HTTP server in a libuv loop, for probes and metrics: GET and HEAD, no bodies, no TLS (libraries.md 4). Inside is libmicrohttpd,
 * driven by the loop: no threads, and a client that is slow or silent costs a socket for ten seconds and nothing else. */
#ifndef SLUICE_SERVE_WEB_H
#define SLUICE_SERVE_WEB_H

#include "base/str.h"

#include <uv.h>

enum {
    WEB_CONNECTIONS_MAX = 64,
    WEB_CONNECTIONS_OF_ONE_MAX = 32, /* of one address: probes and scrapers of a node may share one */
    WEB_TIMEOUT_S = 10,              /* of a connection on which nothing happens */
    WEB_MEMORY =
        16 << 10, /* bytes of a connection: longer request lines and headers are refused (414, 431) */
    WEB_ANSWER_MAX = 64 << 20,
    WEB_PAGES_MAX = 16,
};

/* What answers at a path. Called from the loop for each GET and HEAD of it; takes a few milliseconds at most. */
struct web_page {
    const char *path; /* "/metrics"; exact */
    /* Appends the body to `out` (borrowed), returns the status of HTTP. *content_type is "text/plain; charset=utf-8" unless set (static
     * text). A body that failed (str_failed) is answered with 500. */
    int (*fn)(void *arg, struct str *out, const char **content_type);
    void *arg;
};

struct web;

/* Listens at `address`: "HOST:PORT", ":PORT" (all addresses), "[::1]:PORT"; port 0 = any that is free. `pages` are copied, what they point to
 * is borrowed. Owned by the loop until web_stop. *ret is NULL, and 0 returned, for "0" and "" (off). ERR_INVALID (address), ERR_IO (in
 * use, not ours), ERR_NOMEM, ERR_LIMIT (pages). */
MUST_USE int web_start(uv_loop_t *loop, const char *address, const struct web_page *pages, uint32_t n,
                       struct web **ret, struct err *err);
/* The port that it listens at. */
uint16_t web_port(const struct web *w);

/* Takes no new connection, and ends when those there are have been answered, or after `grace_ns`. `closed` (may be NULL) is called from
 * the loop when nothing of it is left there; `w` is freed by then. NULL is fine: `closed` is called at once. */
void web_stop(struct web *w, int64_t grace_ns, void (*closed)(void *arg), void *arg);

struct web_stats {
    uint64_t requests; /* answered, whatever the answer */
    uint64_t refused;  /* of these: unknown path, another method, a body */
    uint32_t open;     /* connections now */
};
struct web_stats web_stats(const struct web *w);

#endif
