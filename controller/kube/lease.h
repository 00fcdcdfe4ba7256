/* Leadership by a Lease (kubernetes.md 3.13): one controller at a time writes. Who holds it is judged by local monotonic time alone;
 * the time in the object is for people. A lost leader stops writing before anybody else can begin: lease_may_write is asked before
 * each write. */
#ifndef SLUICE_KUBE_LEASE_H
#define SLUICE_KUBE_LEASE_H

#include "kube/seam.h"
#include "kube/timers.h"

struct lease_config {
    const struct kube_server *server; /* borrowed */
    struct timers *timers;
    const struct kube_clock *clock;
    const char *ns, *name;     /* copied */
    const char *identity;      /* "hostname_uuid"; copied, at most 255 bytes */
    int64_t duration_ns;       /* 0 = 15 s */
    int64_t renew_deadline_ns; /* 0 = 10 s */
    int64_t retry_ns;          /* 0 = 2 s; duration > renew_deadline > 1.2 x retry */
};

struct lease_handler {
    void (*on_lead)(void *arg); /* once: now we lead */
    /* Once, after on_lead: we do not lead any more, and lease_may_write is false already. Nothing is tried any more: the caller ends
     * the process. */
    void (*on_lost)(void *arg, const char *why);
    /* Another one holds it: each time the holder changes. May be NULL. */
    void (*on_holder)(void *arg, const char *identity);
    void (*on_trouble)(void *arg, const char *text); /* for logs, when it begins; may be NULL */
    void *arg;
};

struct lease;

/* Begins at the next timers_run. Owned; NULL: ERR_NOMEM, ERR_LIMIT (names), ERR_RANGE (times). */
struct lease *lease_new(const struct lease_config *c, const struct lease_handler *h, struct err *err);
/* Not from within its callbacks; gives nothing back to the API server. NULL is fine. */
void lease_free(struct lease *l);

bool lease_leading(const struct lease *l);
/* Leading, and less than renew_deadline ago the last successful request was begun. */
bool lease_may_write(const struct lease *l);
/* Who holds it, as last seen: "" when unknown or nobody. */
const char *lease_holder(const struct lease *l);
/* ns since the last successful renewal began, or since the holder's record last changed; -1 before the first look. For a metric. */
int64_t lease_age(const struct lease *l);

/* Clean exit, after the last write has finished: gives the Lease away if we lead, so that the next one begins within about a second.
 * Leading ends at once, without on_lost. `on_released` comes once, from a timer or an answer: it was given away, or that failed, or
 * there was nothing to give; after 3 s at most. */
void lease_release(struct lease *l, void (*on_released)(void *arg), void *arg);

#endif
