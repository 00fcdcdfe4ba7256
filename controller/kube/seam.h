/* The two seams between the controller and the outside (DESIGN.md "Two seams"): an API server that answers requests, and a clock. Below
 * them lie sockets and the time of day (kube/http.h, kube/clock.h); in tests a simulated API server and virtual time. Everything above
 * them runs on one thread, is driven by callbacks, and never waits. */
#ifndef SLUICE_KUBE_SEAM_H
#define SLUICE_KUBE_SEAM_H

#include "base/err.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the API server ------------------------------------------------------------------------------------------------------ */

enum kube_verb { KUBE_GET, KUBE_POST, KUBE_PUT, KUBE_PATCH, KUBE_DELETE, KUBE_VERBS };

#define KUBE_JSON "application/json"
#define KUBE_MERGE_PATCH "application/merge-patch+json"
#define KUBE_JSON_PATCH "application/json-patch+json"
#define KUBE_APPLY "application/apply-patch+yaml"

/* Everything is borrowed for the length of the call. */
struct kube_request {
    enum kube_verb verb;
    const char *path;         /* with the query, encoded: "/api/v1/namespaces?limit=500" */
    const char *content_type; /* of the body; NULL without one */
    const char *body;
    size_t body_len;
    int64_t timeout_ns; /* for the whole answer; 0 = none (a watch) */
    bool
        stream; /* the body is given piece by piece to on_data, whatever the status; else it comes whole with on_done */
};

/* What came back. `status` 0: no answer at all (connection lost, timed out, TLS): a write may have happened all the same. */
struct kube_reply {
    int status;       /* of HTTP */
    const char *body; /* borrowed for the length of the callback; NUL behind it; "" for a stream */
    size_t body_len;
    int64_t retry_after_s; /* the header Retry-After; -1 = none */
    const char *error;     /* with status 0: why; else "" */
};

struct kube_call; /* a request under way */

struct kube_handler {
    /* A piece of the body of a stream; only while `status` is known, which it is given. False: enough; on_done follows with status 0. */
    bool (*on_data)(void *arg, int status, const char *data, size_t len);
    /* Once and last, never from within start or cancel. The call is gone when it returns. */
    void (*on_done)(void *arg, const struct kube_reply *reply);
    void *arg;
};

/* A server that can be reached. */
struct kube_server {
    /* NULL (and err) when the request cannot even be begun: ERR_NOMEM, ERR_LIMIT. */
    struct kube_call *(*start)(void *self, const struct kube_request *r, const struct kube_handler *h,
                               struct err *err);
    void (*cancel)(void *self, struct kube_call *c); /* no callback after this */
    void *self;
};

enum { KUBE_BODY_MAX = 64 << 20 }; /* bytes of one answer that comes whole; more is an error */

/* ---- time and chance ----------------------------------------------------------------------------------------------------- */

struct kube_clock {
    when_ns (*wall)(void *self);    /* the time of day: may jump */
    int64_t (*mono)(void *self);    /* nanoseconds that only grow: for waiting */
    uint64_t (*random)(void *self); /* for jitter and names */
    void *self;
};

static inline when_ns kube_wall(const struct kube_clock *c)
{
    return c->wall(c->self);
}

static inline int64_t kube_mono(const struct kube_clock *c)
{
    return c->mono(c->self);
}

#endif
