/* The controller's metrics: those of engine.md 11.5 that our features have, under their names, and our own (sluice_*, process_*).
 *
 * What happens is counted by small functions that the controller calls where it happens; they never fail and allocate only for a set of
 * label values that is new. What is, is read from the world when somebody asks for the text: O(queues x flavors x resources), and one pass over
 * what waits for the LocalQueues (meter_source).
 *
 * Left out of 11.5, for their features are not there: multikueue_* (MultiKueue), kueue_pod_scheduling_gate_removal_seconds (plain pods),
 * kueue_replaced_workload_slices_total (slices), and custom labels (gate CustomMetricLabels, off by default).
 *
 * A NULL meter counts nothing. */
#ifndef SLUICE_RUN_METER_H
#define SLUICE_RUN_METER_H

#include "core/cycle.h"
#include "core/world.h"
#include "kube/watch.h"
#include "kube/writes.h"
#include "serve/metrics.h"

struct http_stats; /* kube/http.h */
struct meter;

enum meter_role { METER_STANDALONE, METER_FOLLOWER, METER_LEADER };

struct meter_local_queue {
    const char *ns, *name;
    const char *cluster_queue; /* as its spec says */
    bool counted;              /* the selector of metrics.localQueueMetrics takes it */
};

struct meter_watch {
    const char *resource; /* "workloads" */
    bool synced;
    int64_t age_ns; /* since the last byte */
    const struct watch_stats *stats;
};

/* What the controller knows beside the world and the meter cannot. */
struct meter_state {
    const struct writes_stats *writes; /* NULL = none */
    const struct http_stats *http;     /* NULL = none */
    uint64_t ledger_rows, ledger_batches;
    uint32_t ledger_batch; /* rows that wait */
    uint32_t workloads, jobs;
    uint64_t events_emitted, events_dropped;
    uint64_t facts_stale, facts_held, facts_malformed;
    uint64_t status_writes, queue_writes, job_writes, workload_writes; /* that the API server took */
    uint64_t log_dropped;
    bool leads;
    bool ready;
};

/* Asked when somebody wants the text. All but `world` may be NULL. */
struct meter_source {
    struct world *(*world)(void *arg);
    void (*state)(void *arg, struct meter_state *ret); /* zeroed before */
    /* Call `each` for every LocalQueue, every watch. */
    void (*local_queues)(void *arg, void (*each)(const struct meter_local_queue *q, void *x), void *x);
    void (*watches)(void *arg, void (*each)(const struct meter_watch *w, void *x), void *x);
    void *arg;
};

struct meter_config {
    bool cluster_queue_resources; /* metrics.enableClusterQueueResources */
    bool local_queues;            /* metrics.localQueueMetrics.enable, and the gate LocalQueueMetrics */
    bool cohorts;                 /* gate MetricsForCohorts */
    bool fair_sharing;            /* weighted shares */
    bool afs;                     /* usage of LocalQueues under admission fair sharing */
    bool creation_latency;        /* gate MetricForWorkloadCreationLatency */
    enum meter_role role;
    const char *version; /* of this program; static */
    bool no_process;     /* leaves out process_* and build info: texts that are the same each time */
};

/* Owned; NULL: ERR_NOMEM. */
struct meter *meter_new(const struct meter_config *c, const struct meter_source *s, struct err *err);
void meter_free(struct meter *m); /* NULL is fine; before the world */
/* What has been counted stays under the role it was counted in. */
void meter_set_role(struct meter *m, enum meter_role role);

/* Text for /metrics; ERR_NOMEM. */
MUST_USE int meter_text(struct meter *m, struct str *out, struct err *err);
/* The same as a page (serve/web.h); `arg` is the meter. */
int meter_page(void *arg, struct str *out, const char **content_type);

/* ---- of one Workload --------------------------------------------------------------------------------------------------------------- */

/* Whom it is counted for. Borrowed for the call. */
struct meter_wl {
    const char *cluster_queue; /* that holds, or held, its quota; "" = none: nothing is counted of it there */
    const char *ns, *local_queue;
    bool lq_counted; /* the selector takes its LocalQueue */
    const char *priority_class;
};

/* Quota was reserved; `waited_ns` since it was queued (waits_since_queued). */
void meter_reserved(struct meter *m, const struct meter_wl *w, int64_t waited_ns);
/* Admitted became True: `waited_ns` since it was queued, `checks_ns` since the reservation, told when it has checks. Once for each. */
void meter_admitted(struct meter *m, const struct meter_wl *w, int64_t waited_ns, bool has_checks,
                    int64_t checks_ns);
/* Its pods became ready for the first time since it was admitted. */
void meter_ready(struct meter *m, const struct meter_wl *w, int64_t since_queued_ns,
                 int64_t since_admitted_ns);

struct meter_eviction {
    const char *reason, *cause; /* "Preempted", "Deactivated"; the cause "" if there is none */
    bool first;                 /* for this reason and cause, of this Workload (status.schedulingStats) */
    int64_t ready_ns;           /* since its pods became ready; negative = they are not */
};
/* An eviction was decided. */
void meter_evicted(struct meter *m, const struct meter_wl *w, const struct meter_eviction *e);
/* A preemption was decided; the eviction of the victim is told by meter_evicted, too. `reason`: preempt_reason_text. */
void meter_preempted(struct meter *m, const char *preempting_cluster_queue, const char *reason);
/* The quota is free: `latency_ns` since the eviction (waits_until_released). */
void meter_released(struct meter *m, const struct meter_wl *w, const char *reason, int64_t latency_ns);
/* It finished; `ran_ns` since it was admitted, negative if it never was. */
void meter_finished(struct meter *m, const struct meter_wl *w, int64_t ran_ns);
/* A Workload was created for a job of this kind ("Job"), `latency_ns` after the job. */
void meter_created(struct meter *m, const char *job_kind, int64_t latency_ns);

/* ---- what Workloads are: kept up by their owner ------------------------------------------------------------------------------------ */

/* How one Workload is counted now; in its record, zeroed. Two pointers. */
struct meter_mark {
    struct metric_series *cq, *lq;
};
/* It waits, or holds quota and is not admitted: why (status_unadmitted). It replaces what the mark said before; the same again costs two
 * look-ups. */
void meter_mark_unadmitted(struct meter *m, struct meter_mark *mark, const struct meter_wl *w,
                           const char *reason, const char *cause);
void meter_mark_finished(struct meter *m, struct meter_mark *mark, const struct meter_wl *w);
/* It is admitted, or gone. */
void meter_unmark(struct meter *m, struct meter_mark *mark);

/* ---- the engine and the loop ------------------------------------------------------------------------------------------------------- */

/* A cycle that had heads, while it is valid; `took_ns` of it. */
void meter_cycle(struct meter *m, const struct cycle *cy, int64_t took_ns);
/* One turn of the loop: CPU time of the thread, and time without that of waiting for something to happen. */
void meter_turn(struct meter *m, int64_t cpu_ns, int64_t wall_ns);
/* The loop was ready later than the timer that it was to run: by `late_ns`. */
void meter_lag(struct meter *m, int64_t late_ns);

/* Queues that are gone take their series along. */
void meter_cluster_queue_gone(struct meter *m, const char *name);
void meter_local_queue_gone(struct meter *m, const char *ns, const char *name);
void meter_cohort_gone(struct meter *m, const char *name);

#endif
