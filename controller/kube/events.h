/* Events of events.k8s.io/v1 for people who watch an object (kubernetes.md 3.12). The same (type, action, reason, object) within 6
 * minutes becomes one series, whatever the note says. They are the last of all writes and are dropped when there are too many;
 * nobody waits for one. */
#ifndef SLUICE_KUBE_EVENTS_H
#define SLUICE_KUBE_EVENTS_H

#include "kube/writes.h"

#define EVENTS_NORMAL "Normal"
#define EVENTS_WARNING "Warning"

enum {
    EVENTS_MAX = 1000, /* that wait to be written */
    EVENTS_SEEN = 8192 /* that are remembered to find repetitions; beyond it the oldest is forgotten */
};

struct event_ref {
    const char *api_version, *kind; /* "kueue.x-k8s.io/v1beta2", "Workload" */
    const char *ns, *name;          /* ns "" or NULL: cluster-scoped; the event goes to "default" */
    const char *uid;                /* or NULL */
    const char *resource_version;   /* or NULL */
};

struct events_config {
    struct writes *writes; /* borrowed; outlives the events */
    struct timers *timers;
    const struct kube_clock *clock;
    const char *controller; /* reportingController, a qualified name: "kueue.x-k8s.io/admission"; copied */
    const char *instance;   /* reportingInstance, at most 128 bytes; copied */
};

struct events_stats {
    uint64_t emitted;  /* events_emit */
    uint64_t repeated; /* of these, counted into a series */
    uint64_t written;  /* creations and patches that the API server took */
    uint64_t dropped;  /* too many, no memory, refused, 12 tries, not the leader */
    uint32_t waiting;
};

struct events;

struct events *events_new(const struct events_config *c,
                          struct err *err); /* owned; NULL: ERR_NOMEM, ERR_LIMIT */
void events_free(struct events *e);         /* before `writes`; what waits is not written */

/* All borrowed for the call. `note` is cut at 1024 bytes, reason and action at 128. Never fails: what cannot be kept is counted as
 * dropped. */
void events_emit(struct events *e, const struct event_ref *regarding, const char *type, const char *reason,
                 const char *action, const char *note);
const struct events_stats *events_stats(const struct events *e);

#endif
