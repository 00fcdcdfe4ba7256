/* Inside of the controller. One thread owns all of it. */
#ifndef SLUICE_RUN_RUN_PRIV_H
#define SLUICE_RUN_RUN_PRIV_H

#include "api/wl_json.h"
#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/cycle.h"
#include "core/world.h"
#include "jobs/patch.h"
#include "jobs/place.h"
#include "jobs/reconcile.h"
#include "kube/events.h"
#include "kube/lease.h"
#include "kube/watch.h"
#include "kube/writes.h"
#include "lifecycle/lifecycle.h"
#include "run/controller.h"
#include "run/meter_feed.h"
#include "sim/seen.h"

#include <stdio.h>

#define KUEUE_GROUP "kueue.x-k8s.io"
#define KUEUE_VERSION "kueue.x-k8s.io/v1beta2"
#define KUEUE_PATH "/apis/kueue.x-k8s.io/v1beta2"
#define FINALIZER "kueue.x-k8s.io/resource-in-use"

enum {
    LOOKS_A_TURN = 64, /* Workloads, and as many jobs: bounds a turn (DESIGN.md "The controller") */
    TEXT_MAX = 4 << 20,
};

struct record;
struct job;
struct thing;

/* ---- kinds.c: what is watched -------------------------------------------------------------------------------------------- */

struct kind_row {
    enum api_kind kind;
    const char *path; /* of the collection */
    bool optional;    /* its kind may be missing */
};

struct kind_watch {
    struct controller *c;
    const struct kind_row *row;
    struct watch *watch;
    uint32_t epoch; /* grows with each full state: what was not named in it is gone */
    bool synced;    /* a full state was seen and is valid */
};

/* What every object has (metadata). Borrowed from its document. */
struct meta {
    const char *ns, *name, *uid;
    uint64_t rv; /* versions of one resource are comparable (kubernetes.md 3.1) */
    int64_t generation;
    bool deleting;
    bool has_finalizer;    /* ours */
    bool other_finalizers; /* of somebody else */
    bool owned;            /* has ownerReferences */
    bool has_job_uid;      /* label job-uid: a job made it */
};
bool meta_read(const struct doc_node *doc, struct meta *ret); /* false: this is no object */

struct controller {
    struct controller_config cfg;
    struct controller_seams seams;
    struct sink_counter counter; /* when no sink was given */
    struct sink *sink;
    struct timers timers;
    struct world *w;
    struct arena arena, scratch; /* of one object; reset after it */
    struct str text;

    struct kind_watch kinds[API_KINDS];
    uint32_t nkinds, nunsynced;
    bool complete; /* every kind has been synced once */

    struct writes *writes;
    struct events *events;
    struct lease *lease;
    struct kube_call *making_namespace;
    bool lease_trouble;
    struct preflight *preflight;
    bool leads, was_standby, lost, stopping, drained;

    struct thing *things;   /* uthash */
    struct record *records; /* uthash by key */
    struct record *dirty, **dirty_end;
    struct job *jobs; /* uthash by key */
    struct job *dirty_jobs, **dirty_jobs_end;
    struct record *waiting, **waiting_end; /* decisions whose write waits for the sink */
    uint32_t nrecords, njobs;
    uint32_t
        nleaving; /* ClusterQueues, flavors and checks that are being deleted and wait for their finalizer */

    struct seen seen;    /* states of the queues since something changed */
    bool cycle_due;      /* something changed, or the last cycle may be followed by another */
    bool fresh;          /* something changed since the last cycle: what was seen does not count */
    int64_t wall_offset; /* wall - mono when it was looked at last: a jump moves all deadlines */

    struct timer afs_timer;
    struct timer first_timer; /* who leads without a Lease begins with it */
    struct timer queue_timer; /* the next queue status that is due */
    struct timer rearm_timer; /* memory was short for a timer of a Workload, or for a cycle */
    uint32_t nqueues_dirty;
    bool shares_changed;

    bool observability, explicit_status;
    struct lifecycle_config lifecycle;
    struct job_rules rules;
    struct fact_priority_class *classes, *pod_classes; /* owned; rebuilt when they changed */
    uint32_t nclasses, npod_classes;
    bool classes_changed;

    struct controller_stats stats;
    struct meter *meter;     /* NULL = nothing is counted */
    struct meter_feed *feed; /* with it */
};

when_ns run_now(const struct controller *c); /* wall */
void run_log(struct controller *c, int level, const char *object, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The API server is busy with what we wrote: what can wait is written later, and then less often. */
bool run_busy(const struct controller *c);
/* Something that decisions depend on changed. */
void run_changed(struct controller *c);

/* Reads one object's text; NULL (and a line in the log) when it is no JSON or memory is short. Lives in c->arena. */
const struct doc_node *run_read(struct controller *c, const char *what, const char *json, size_t len);

/* kinds.c */
MUST_USE int kinds_start(struct controller *c, struct err *err);
void kinds_stop(struct controller *c);
struct kind_watch *kinds_find(struct controller *c, enum api_kind kind);
/* Have all kinds been seen whole, or are known to be absent? */
void kinds_check(struct controller *c);
void kinds_resync(struct controller *c); /* a new leader starts from the objects as they are now */
const char *kind_path(enum api_kind kind);

/* ---- things.c: configuration objects --------------------------------------------------------------------------------------- */

struct queue_status; /* queues.c */

struct thing {
    UT_hash_handle hh;
    char *id; /* "kind/ns/name"; owned */
    enum api_kind kind;
    char *ns;         /* owned */
    const char *name; /* within id */
    char uid[64];
    uint64_t rv;
    int64_t generation;
    uint32_t epoch;
    bool deleting, has_finalizer, other_finalizers;
    bool finalizer_asked; /* a write of its finalizer is under way */
    char *text;           /* a flavor's object: needed when a job starts; owned */
    size_t text_len;
    int32_t value; /* of priority classes */
    bool global_default;
    enum stop_policy stop; /* of queues */
    bool usage_based;      /* a ClusterQueue under admission fair sharing */
    bool
        matches; /* a Namespace: managedJobsNamespaceSelector takes it; a LocalQueue: the metrics' selector */
    struct controller *c;
    struct queue_status *queue; /* of ClusterQueue, LocalQueue, Cohort; owned */
};

/* What the watch says. ERR_NOMEM: it must come again. */
int things_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                   const struct doc_node *doc);
void things_sweep(struct controller *c, struct kind_watch *k);
void things_free(struct controller *c);
struct thing *things_find(const struct controller *c, enum api_kind kind, const char *ns, const char *name);
/* Finalizers of ClusterQueues, flavors and checks as they should be (9.6). */
void things_guard(struct controller *c, struct thing *t);
void things_guard_all(struct controller *c);
/* Quota was given back, or a Workload is gone: those that are being deleted may go now. */
void things_let_go(struct controller *c);
/* The flavor's fact, in `a`; NULL when there is none. */
const struct fact_flavor *things_flavor(struct controller *c, struct arena *a, const char *name);
/* Brings c->rules.making up to date: its lists borrow the names of classes that may be gone. Before every use of them. */
MUST_USE int things_classes(struct controller *c);

/* ---- records.c: Workloads -------------------------------------------------------------------------------------------------- */

/* A decision on its way to the API server. */
struct verdict {
    uint64_t id; /* of the sink; 0 = none */
    enum sink_what what;
    when_ns since; /* of the condition that says it */
};

enum { VERDICTS_MAX = 4 };

/* What the request under way asks for. */
enum sent { SENT_STATUS, SENT_SPEC, SENT_GET, SENT_RELEASE, SENT_REMOVE, SENT_REREAD };

/* What a Workload needs only while something about it is under way. */
struct flight {
    struct verdict wanted[VERDICTS_MAX]; /* not yet asked for */
    uint32_t nwanted;
    struct verdict
        sent[VERDICTS_MAX]; /* part of the request under way, or of one that ended without an answer */
    uint32_t nsent;
    enum sink_outcome fate; /* of those sent, unless the object turns out to have them */
    char *held;             /* the newest object that came while a write was in flight; owned */
    size_t held_len;
    uint64_t held_rv;
    char *text; /* the object itself, fetched for a write that needs it; owned */
    size_t text_len;
    struct timer timer; /* the next look */
};

struct record {
    UT_hash_handle hh; /* by key */
    char *key;         /* "ns/name"; owned */
    struct controller *c;
    struct wl *wl;
    struct wl_view *view;
    struct job *job; /* that owns it, if it is of a kind that we deal with */
    uint64_t rv;
    uint32_t epoch;
    struct status
        *status; /* as it should be; one for all while it says nothing: change it through record_status */
    struct wl_json_base base; /* as the API server has it */
    struct wl_json_rest *rest;
    struct notices notices;               /* events to be told once the write is done */
    struct fact_reclaimable *reclaimable; /* to be written; owned, names of the view */
    uint32_t nreclaimable;

    struct flight *f; /* NULL while nothing is under way, as with most of 100,000 */
    when_ns again;    /* lifecycle wants to look again */
    struct record *next_dirty, *next_waiting;
    bool dirty, waits_for_sink;

    /* the write queue: nothing, an intent (queued), a request (in_flight) */
    bool queued, in_flight, more;
    bool unasked;   /* the queue did not take its write: the next look asks again */
    bool unmarked;  /* the world has not seen what the last cycle made of it: the next look tells */
    bool rereading; /* the object is another than we think: it is read before anything is written */
    enum sent sent_what;
    enum write_level level;
    int64_t publish_at;    /* mono, while queued */
    uint32_t refusals;     /* in a row */
    when_ns refused_until; /* out of the queue until then; WHEN_NONE */

    bool want_active_false, want_release, want_remove, want_priority;
    bool was_refused; /* by a cycle: status.resourceRequests tells what it asks for (engine.md 5.6) */
    bool base_finished;
    int32_t priority; /* with want_priority */
    bool other_finalizers, owned, has_job_uid;

    struct meter_seen counted;
    struct meter_mark mark;
};

/* What the watch says; `json` is the text of `doc`. ERR_NOMEM: it must come again. */
int records_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                    const struct doc_node *doc, const char *json, size_t len);
void records_sweep(struct controller *c, struct kind_watch *k);
void records_free(struct controller *c);
struct record *records_find(const struct controller *c, const char *ns, const char *name);
/* To be looked at in this turn or a later one. */
void record_touch(struct record *r);
/* Its status, to be changed; NULL when memory is exhausted. */
struct status *record_status(struct record *r);
/* Everything that lifecycle says, now; then a write, if there is anything to write. */
void record_look_at(struct record *r);
void records_look(struct controller *c);
/* The status was changed by hand (a decision, a job): marks to the world. */
void record_marks(struct record *r);
/* Those of a ClusterQueue (index), of a LocalQueue, or all (NONE, NULL). */
void records_touch_cq(struct controller *c, const char *cluster_queue);
void records_touch_lq(struct controller *c, const char *ns, const char *name);
void records_touch_all(struct controller *c);
/* Read again all that waits: a LimitRange or RuntimeClass changed (2.5). */
void records_reread(struct controller *c);
/* The deadlines follow a clock that jumped. */
void records_rearm(struct controller *c);
/* Is the API server's state the one that we have? Jobs act on nothing else. */
bool record_settled(const struct record *r);

/* An object that came as an answer, or from the watch. ERR_NOMEM: as before. The record may be another one afterwards, or gone. */
int record_take(struct controller *c, const struct doc_node *doc, uint32_t epoch);
/* The same, of which nobody knows how old it is: what is older than what we have is passed over, and while a write of ours is under way it
 * is held back until the answer. `json` is the text of `doc` (NULL: nothing happens). */
int records_news(struct controller *c, const struct doc_node *doc, const char *json, size_t len,
                 uint32_t epoch);
void record_deleted(struct controller *c, struct record *r); /* the object is gone */

/* ---- publish.c: writes of Workloads ---------------------------------------------------------------------------------------- */

/* There is something to write: at once (0) or in a while, together with what comes until then. */
void publish(struct record *r, enum write_level level, int64_t wait_ns);
/* How long the write of why a Workload waits may wait: several changes become one write, or an admission takes it along. */
int64_t publish_waiting_ns(const struct controller *c);
/* A decision was made: its write waits for the sink. */
void publish_decision(struct record *r, enum sink_what what, const char *reason, const char *message);
/* Releases the writes whose decision is committed. */
void publish_release(struct controller *c);
/* What was wanted of the object as it was comes to nothing: the world takes decisions back, events are not told, nothing is written. */
void publish_forget(struct record *r);
/* An event about it, now: it does not wait for a write. */
void publish_event(struct record *r, bool warning, const char *reason, const char *note);
/* The status was read from the object: which verdicts does it have? */
void publish_settle(struct record *r);
/* Makes it; NULL when memory is exhausted. */
struct flight *flight_of(struct record *r);
/* Lets it go when nothing is in it. */
void flight_trim(struct record *r);
/* How many verdicts are not yet part of a request. */
static inline uint32_t flight_wanted(const struct record *r)
{
    return r->f ? r->f->nwanted : 0;
}
/* Looks at it again in `wait_ns`; INT64_MAX: not by itself. */
void record_wake(struct record *r, int64_t wait_ns);
/* Before the record goes. */
void publish_cancel(struct record *r);

/* ---- decide.c -------------------------------------------------------------------------------------------------------------- */

/* One cycle, if one is due; true when another should follow. */
bool decide(struct controller *c);

/* ---- jobs.c: jobs and what they need --------------------------------------------------------------------------------------- */

struct job {
    UT_hash_handle hh;
    char *key, *ns; /* "Job/ns/name"; owned */
    struct controller *c;
    const struct job_kind *kind;
    const char *name;      /* within key */
    struct job_view *view; /* NULL = gone; kept while Workloads remain */
    when_ns created;       /* WHEN_NONE = unknown */
    uint64_t rv;           /* of the view; of its deletion when it is gone */
    uint32_t epoch;
    struct record **wls; /* that it owns; owned array */
    uint32_t nwls, cap_wls;
    bool dirty, in_flight;
    struct job *next_dirty;
    struct timer timer;
    uint32_t failures; /* in a row */
    /* documents fetched for the action to come, of these versions; owned */
    char *job_text, *wl_text;
    size_t job_len, wl_len;
    uint64_t job_text_rv, wl_text_rv;
    /* the request under way */
    enum job_act act;
    unsigned needs, fetching, fetched_what; /* enum job_needs: it only reads that */
    char *wl_name, *arg_text;               /* owned */
    uint64_t repeated;                      /* what the last repeating event said, as a digest */
    bool was_stale;                         /* the action was not for what is */
    int render_code;                        /* why it could not be rendered */
    char render_text[256];
    struct notices notices; /* events to be told when it succeeded */
};

/* What the watch says; `json` is the text of `doc`. ERR_NOMEM: it must come again. */
int jobs_observe(struct controller *c, struct kind_watch *k, enum watch_event what,
                 const struct doc_node *doc, const char *json, size_t len);
/* An object that came as an answer. */
int job_take(struct controller *c, const struct job_kind *kind, const char *json, size_t len,
             const struct doc_node *doc, uint32_t epoch);
void job_drop_texts(struct job *j);
/* jobs_act.c */
void job_carry_out(struct job *j, const struct job_plan *plan);
void job_cancel(struct job *j);
void jobs_sweep(struct controller *c, struct kind_watch *k);
void jobs_free(struct controller *c);
void job_touch(struct job *j);
bool jobs_may_look(const struct controller *c); /* a standby only remembers which are to be looked at */
void jobs_look(struct controller *c);
/* A Workload appeared, changed owner, or goes. */
void jobs_link(struct controller *c, struct record *r);
void jobs_unlink(struct record *r);
void jobs_touch_all(struct controller *c);
void jobs_touch_ns(struct controller *c, const char *ns);

/* ---- queues.c: statuses of queues ------------------------------------------------------------------------------------------ */

int queues_observe(struct controller *c, struct thing *t, const struct doc_node *doc);
void queue_status_free(struct controller *c, struct queue_status *q);
/* Something that its status shows may have changed. */
void queues_touch_wl(struct controller *c, const struct wl *wl);
void queues_touch_all(struct controller *c);
void queues_touch(struct controller *c, struct thing *t);
/* The ClusterQueue that a LocalQueue names; "" = there is no such LocalQueue. */
const char *queues_target(const struct controller *c, const char *ns, const char *name);
void queues_due(void *arg); /* of the controller: writes what is due */

/* controller.c: the Lease cannot be had; perhaps its namespace is missing. */
void controller_check_lease(struct controller *c);

#endif
