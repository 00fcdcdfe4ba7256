/* One resource kept in sync: its whole state first, then every change, in order (kubernetes.md 3.2-3.5). Nothing is kept here but a
 * resourceVersion: the objects are the consumer's.
 *
 *     on_begin  on_object*  on_synced  on_object*  ...  on_begin  on_object*  on_synced  ...
 *
 * Between on_begin and on_synced every object that exists is named once or more; at on_synced, what was there before on_begin and was not
 * named since does not exist any more. on_begin may come again before on_synced: what was named until then counts no more. Objects named
 * in between are news at once, not only at on_synced. An object may be named again without a change, and ADDED may name one that is known:
 * both mean "this is what it is now". Nothing is lost and nothing is out of order within one resource. Across resources there is no order.
 *
 * The first state comes as a watch-list; from an API server that cannot, as a paged LIST and a WATCH, which is remembered. */
#ifndef SLUICE_KUBE_WATCH_H
#define SLUICE_KUBE_WATCH_H

#include "kube/seam.h"
#include "kube/timers.h"

enum watch_event { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED };

struct watch_handler {
    void (*on_begin)(void *arg);
    /* The object's text, borrowed, NOT terminated; without apiVersion and kind in lists of some kinds; managedFields are in it. 0, or a
     * negative ERR_* when it could not be taken (memory): it comes again, with all after it, after a wait. An object that is malformed is
     * the consumer's business: 0. */
    int (*on_object)(void *arg, enum watch_event what, const char *json, size_t len);
    void (*on_synced)(void *arg);
    /* What goes wrong, for logs: once when it begins, not at each try. What ends by itself (time-outs of the server, one 410) is not
     * told. May be NULL. */
    void (*on_trouble)(void *arg, const char *text);
    void *arg;
};

struct watch_config {
    const char *path;                 /* "/apis/batch/v1/jobs"; copied */
    const char *query;                /* encoded selectors, "labelSelector=a%3Db", or NULL; copied */
    const struct kube_server *server; /* of the streams; borrowed, outlives the watch */
    const struct kube_server *lists;  /* of paged lists; NULL = server */
    struct timers *timers;            /* borrowed */
    const struct kube_clock *clock;   /* borrowed */
    bool no_watch_list;               /* paged LIST from the beginning */
};

enum watch_state {
    WATCH_STARTING, /* nothing known yet */
    WATCH_LISTING,  /* the state is coming in, or waits for the next try */
    WATCH_SYNCED, /* on_synced was called and the stream goes on, or is about to be taken up again without loss */
    WATCH_ABSENT, /* 404: the API server does not serve this resource; tried again every minute or so. Nothing is told to the consumer */
};

struct watch_stats {
    uint64_t objects, bytes;
    uint64_t lists;   /* full states begun */
    uint64_t streams; /* streams begun */
    uint64_t gone;    /* 410 */
    uint64_t errors;  /* tries that failed */
    uint64_t silent;  /* streams cut because not a byte came for 150 s */
};

struct watch;

/* Begins at the next timers_run. Owned; ERR_NOMEM, ERR_LIMIT (path or query over 1 KiB). */
struct watch *watch_new(const struct watch_config *c, const struct watch_handler *h, struct err *err);
/* Not from within one of its callbacks. No callback after it. NULL is fine. */
void watch_free(struct watch *w);

enum watch_state watch_state(const struct watch *w);
bool watch_synced(const struct watch *w); /* WATCH_SYNCED, now: false again while the state is read anew */
/* Was on_synced ever called? */
bool watch_was_synced(const struct watch *w);
/* ns since the last byte, or since watch_new before the first: for a metric. */
int64_t watch_age(const struct watch *w);
const struct watch_stats *watch_stats(const struct watch *w);
/* Does not wait any longer before the next try: a CRD appeared. */
void watch_retry_now(struct watch *w);
/* Reads the whole state anew (at the next timers_run): a doubt about what is known. */
void watch_resync(struct watch *w);

#endif
