/* One queue of all writes to the API server. An intent is a promise to write, keyed by object; what is written is asked for right before
 * each try (`render`), so that it says what is true then. DESIGN.md "Writing".
 *
 * - One request a key at a time. An intent that waits is replaced by a newer one of its key, which keeps its turn and the more urgent of the
 *   two levels; one in flight is followed by it.
 * - Levels: a higher level goes first. Within a level: first come, first served.
 * - At most `max_in_flight` requests at once; fewer when the API server throttles or fails: half as many after such an answer, one more
 *   after as many good ones as may fly. Events never take more than a quarter,
 *   and have the last place of a window of four and more, so that a busy queue does not starve them.
 * - 429 holds up the whole queue (Retry-After, else a second). No answer and 5xx hold up the key (0.1 s doubling to 30 s, full jitter) and,
 *   when nothing else comes, the queue (up to 5 s).
 * - Retried here: 401, 429, 5xx, no answer. Everything else goes to the owner: what is final or needs a new decision. */
#ifndef SLUICE_KUBE_WRITES_H
#define SLUICE_KUBE_WRITES_H

#include "base/str.h"
#include "kube/reply.h"
#include "kube/timers.h"

/* Admissions are urgent. */
enum write_level { WRITE_URGENT, WRITE_JOBS, WRITE_STATUS, WRITE_EVENTS, WRITE_LEVELS };

/* What `render` fills; zeroed and initialised before. */
struct write_request {
    enum kube_verb verb;
    struct str path;          /* with query, encoded */
    const char *content_type; /* static; NULL without a body */
    struct str body;          /* KUBE_JSON etc.; empty = none */
    int64_t timeout_ns;       /* 15 s unless set */
    /* Doing it twice does no harm: it carries a resourceVersion, or creates under a fixed name, or deletes by uid. Then an answer
     * that got lost is a reason to try again; without it the owner is told WRITE_LOST. */
    bool safe_twice;
};

enum write_end {
    WRITE_OK,
    WRITE_NOTHING,  /* render said that nothing is left to write; no request was made */
    WRITE_REFUSED,  /* by the API server, see reply->class: CONFLICT, EXISTS, NOT_FOUND, GONE, ... */
    WRITE_LOST,     /* it may have happened or not, and is not safe_twice */
    WRITE_GIVEN_UP, /* max_tries are used up; reply is the last answer */
    WRITE_FENCED,   /* may_write said no; if it was tried before, it may have happened */
    WRITE_REPLACED, /* a newer intent of the same key took its place; if it was tried, it may have happened */
    WRITE_FAILED,   /* render failed with another code than ERR_NOMEM */
    WRITE_DROPPED,  /* the queue was drained; if it was tried before, it may have happened */
    WRITE_ENDS
};

struct write {
    const char *key; /* copied; at most WRITE_KEY_MAX bytes: "workloads/ns/name" */
    enum write_level level;
    /* Not before this time from now, to gather changes; a newer intent does not move an earlier time back. 0 = at once. */
    int64_t wait_ns;
    uint32_t max_tries; /* 0 = without end */
    /* 0 = send it, 1 = nothing to write any more, ERR_NOMEM = again later, other negative = WRITE_FAILED. Called from writes_run only;
     * does not call the queue. */
    int (*render)(void *arg, struct write_request *ret, struct err *err);
    /* Exactly once for each intent that writes_put accepted, unless it was cancelled or the queue freed. `body` is the answer's,
     * borrowed, NUL behind it, "" when there is none. From writes_run, from the server's callbacks, or (WRITE_REPLACED,
     * WRITE_DROPPED) from within writes_put and writes_drain. writes_put, of this key too, is allowed in it. */
    void (*on_done)(void *arg, enum write_end end, const struct reply *reply, const char *body, size_t len);
    void *arg; /* lives until on_done or writes_cancel */
};

enum { WRITE_KEY_MAX = 640 }; /* two names of 253 and a kind */

struct writes_config {
    const struct kube_server *server; /* borrowed */
    struct timers *timers;
    const struct kube_clock *clock;
    uint32_t max_in_flight; /* 0 = 16 */
    uint32_t max_waiting;   /* intents in the queue; 0 = 200,000 */
    /* Asked right before each try: the fence (kubernetes.md 3.13 a). NULL = always. */
    bool (*may_write)(void *arg);
    /* For logs: a key fails for the first time in a row, or the queue is throttled. May be NULL. */
    void (*on_trouble)(void *arg, const char *key, const struct reply *reply);
    void *arg;
};

struct writes_stats {
    uint32_t waiting[WRITE_LEVELS], in_flight[WRITE_LEVELS];
    uint32_t window;           /* how many may be in flight now */
    uint64_t sent;             /* requests */
    uint64_t retries;          /* requests that were not the first of their intent */
    uint64_t ends[WRITE_ENDS]; /* intents */
    uint64_t refused;          /* by writes_put: the queue is full */
    uint64_t throttled;        /* 429 */
    int64_t paused_until;      /* mono; the past when it is not paused */
};

struct writes;

struct writes *writes_new(const struct writes_config *c, struct err *err); /* owned; NULL: ERR_NOMEM */
/* Cuts what is in flight; no callback. NULL is fine. */
void writes_free(struct writes *w);

/* Accepts an intent. It is sent from writes_run, which a timer calls at the next timers_run. ERR_NOMEM, ERR_LIMIT (queue full, key
 * too long) or ERR_STATE (drained): then nothing changed, an older intent of the key is still there, and on_done is not called. */
MUST_USE int writes_put(struct writes *w, const struct write *intent, struct err *err);
/* Forgets the intents of this key: no on_done any more. A request in flight runs on, its answer is not told, and the next intent of
 * the key waits for it. */
void writes_cancel(struct writes *w, const char *key);
/* Is an intent of this key waiting or in flight? */
bool writes_busy(const struct writes *w, const char *key);
/* Sends what may be sent now. A timer does the same: only for who wants it at a certain point of the turn. */
void writes_run(struct writes *w);
const struct writes_stats *writes_stats(const struct writes *w);
/* Requests in flight and intents waiting, all levels. */
uint32_t writes_pending(const struct writes *w);

/* For the way out: accepts nothing from now on; intents that wait are dropped when `drop`, else sent (retries too). `on_empty` comes
 * once, from a timer, when nothing waits and nothing is in flight. Calling it again with `drop` hastens it. */
void writes_drain(struct writes *w, bool drop, void (*on_empty)(void *arg), void *arg);

#endif
