/* What an API server's answer means: its Status object as data (kubernetes.md 3.6, 3.7), and how long to wait before trying again. */
#ifndef SLUICE_KUBE_REPLY_H
#define SLUICE_KUBE_REPLY_H

#include "base/backoff.h"
#include "kube/seam.h"

enum reply_class {
    REPLY_OK,           /* 2xx */
    REPLY_CONFLICT,     /* 409: resourceVersion or uid differ, or a field is owned by another manager */
    REPLY_EXISTS,       /* 409 AlreadyExists: the name is taken */
    REPLY_NOT_FOUND,    /* 404: no such object, or no such resource */
    REPLY_GONE,         /* 410 Expired, Gone: the version or the continue token is too old */
    REPLY_FUTURE,       /* 504 ResourceVersionTooLarge: the version is newer than the server knows (3.2) */
    REPLY_INVALID,      /* 400, 405, 406, 413, 415, 422: the same again would fail again */
    REPLY_FORBIDDEN,    /* 403: RBAC, policy or quota; not to be repeated soon */
    REPLY_UNAUTHORIZED, /* 401: credentials */
    REPLY_THROTTLED,    /* 429: nothing happened */
    REPLY_UNAVAILABLE,  /* 503: nothing happened */
    REPLY_TIMEOUT,      /* 408, 504: a write may have happened (3.5) */
    REPLY_SERVER,       /* other 5xx, and what is no answer of an API server: a write may have happened */
    REPLY_LOST,         /* no answer: a write may have happened */
};

struct reply {
    enum reply_class class;
    int code;              /* of HTTP, or of the Status in an ERROR event; 0 = no answer */
    int64_t retry_after_s; /* header, else details.retryAfterSeconds; -1 = none */
    char reason[64];       /* "AlreadyExists"; "" when unknown */
    char message[512];     /* for people; never empty unless REPLY_OK; control characters are blanks */
};

/* Decides by reason, then by code. A body that is no Status is no error. Without memory the code alone decides. */
void reply_read(const struct kube_reply *r, struct reply *ret);
/* The Status in an ERROR event of a watch, text of JSON. */
void reply_read_status(const char *json, size_t len, struct reply *ret);

const char *
reply_class_name(enum reply_class c); /* "conflict", "throttled", ...: the values of a metric's label */
/* May a write with this answer have happened all the same? */
bool reply_maybe_done(enum reply_class c);

/* A random number of 0 to `most` - 1. */
int64_t reply_chance(const struct kube_clock *clock, int64_t most);
/* The wait before the next try after `failures` (>= 1) in a row, in ns: full jitter over the backoff, at least 10 ms; never less than
 * Retry-After (with up to a quarter on top, 60 s at most). */
int64_t reply_wait(const struct kube_clock *clock, const struct backoff *b, uint64_t failures,
                   int64_t retry_after_s);

#endif
