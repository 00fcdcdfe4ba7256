/* Inside the meter: meter_table.c what there is, meter.c what happens, meter_view.c and meter_world.c what is, meter_own.c our own. */
#ifndef SLUICE_RUN_METER_PRIV_H
#define SLUICE_RUN_METER_PRIV_H

#include "core/queue_view.h"
#include "core/tree.h"
#include "run/meter.h"

/* Places in the table, in the order of the text. */
enum meter_family {
    /* kept: the engine */
    M_ATTEMPTS,
    M_ATTEMPT_SECONDS,
    M_SKIPS,
    M_RECOMPUTATIONS,
    /* kept: Workloads, by ClusterQueue */
    M_RESERVED,
    M_RESERVED_WAIT,
    M_ADMITTED,
    M_ADMISSION_WAIT,
    M_CHECKS_WAIT,
    M_READY_WAIT,
    M_UNTIL_READY,
    M_FINISHED,
    M_EXECUTION,
    M_EVICTED,
    M_EVICTED_ONCE,
    M_READY_TO_EVICTED,
    M_EVICTION_LATENCY,
    M_PREEMPTED,
    M_CREATION_LATENCY,
    M_COHORT_ADMITTED,
    /* kept: the same by LocalQueue */
    M_LQ_RESERVED,
    M_LQ_RESERVED_WAIT,
    M_LQ_ADMITTED,
    M_LQ_ADMISSION_WAIT,
    M_LQ_CHECKS_WAIT,
    M_LQ_READY_WAIT,
    M_LQ_UNTIL_READY,
    M_LQ_FINISHED,
    M_LQ_EXECUTION,
    M_LQ_EVICTED,
    /* held */
    M_UNADMITTED,
    M_LQ_UNADMITTED,
    M_FINISHED_NOW,
    M_LQ_FINISHED_NOW,
    /* read from the world: ClusterQueues */
    M_PENDING,
    M_HASHES,
    M_RESERVING_NOW,
    M_ADMITTED_NOW,
    M_CQ_STATUS,
    M_CQ_SHARE,
    M_CQ_INFO,
    M_CQ_RESERVATION,
    M_CQ_USAGE,
    M_CQ_PENDING,
    M_CQ_NOMINAL,
    M_CQ_BORROWING,
    M_CQ_LENDING,
    /* LocalQueues */
    M_LQ_PENDING,
    M_LQ_RESERVING_NOW,
    M_LQ_ADMITTED_NOW,
    M_LQ_STATUS,
    M_LQ_RESERVATION,
    M_LQ_USAGE,
    M_LQ_AFS,
    /* cohorts */
    M_COHORT_SHARE,
    M_COHORT_QUOTA,
    M_COHORT_RESERVATIONS,
    M_COHORT_ADMITTED_NOW,
    M_COHORT_INFO,
    /* our own: kept */
    M_TURN,
    M_TURN_WALL,
    M_LAG,
    /* read */
    M_LONGEST_TURN,
    M_TURNS,
    M_CYCLES,
    M_WATCH_AGE,
    M_WATCH_SYNCED,
    M_WATCH_OBJECTS,
    M_WATCH_BYTES,
    M_WATCH_LISTS,
    M_WATCH_STREAMS,
    M_WATCH_GONE,
    M_WATCH_ERRORS,
    M_WRITE_QUEUE,
    M_WRITE_WINDOW,
    M_WRITE_REQUESTS,
    M_WRITE_RETRIES,
    M_WRITE_ENDS,
    M_WRITE_THROTTLED,
    M_WRITTEN,
    M_HTTP_REQUESTS,
    M_HTTP_REPLIES,
    M_HTTP_RUNNING,
    M_HTTP_THROTTLED,
    M_HTTP_TIMEOUTS,
    M_HTTP_BYTES,
    M_HTTP_CONNECTIONS,
    M_HTTP_OPENED,
    M_HTTP_SHUT,
    M_LEDGER_BATCH,
    M_LEDGER_ROWS,
    M_LEDGER_BATCHES,
    M_OBJECTS,
    M_FACTS,
    M_EVENTS,
    M_LOG_DROPPED,
    M_SERIES,
    M_SERIES_DROPPED,
    M_READY,
    M_LEADS,
    M_BUILD,
    M_KUEUE_BUILD,
    M_CPU,
    M_RESIDENT,
    M_VIRTUAL,
    M_FDS,
    M_FDS_MAX,
    M_START,
    METER_FAMILIES
};

extern const struct metric meter_table[METER_FAMILIES];

/* ---- a look at the world: made for one text, freed after it ------------------------------------------------------------------------ */

struct view_use {
    uint32_t fr;
    const char *flavor, *resource;
    amount nominal, borrowing, lending; /* borrowing and lending AMOUNT_UNLIMITED when unset */
    amount reserved, admitted;
};

struct view_cq {
    struct cq_view v;
    uint32_t index, first_use, nuses;
    struct class_counts *classes; /* borrowed from the meter, NULL = not known */
};

struct view_lq {
    struct meter_local_queue q;
    uint32_t cq; /* place in the view, NONE = there is none */
    uint32_t active, inadmissible, reserving, admitted;
    uint32_t first_use, nuses;
};

/* What pending Workloads of a ClusterQueue ask for. */
struct view_asked {
    uint32_t cq; /* place in the view */
    uint32_t res;
    amount sum;
};

struct meter_view {
    struct world *w;
    struct view_cq *cqs; /* in order of names; owned, as the others */
    uint32_t ncqs;
    struct view_lq *lqs;
    uint32_t nlqs, cap_lqs;
    struct view_use *uses, *lq_uses; /* the latter in parts as the former */
    uint32_t nuses, cap_uses, nlq_uses, cap_lq_uses;
    struct view_asked *asked;
    uint32_t nasked, cap_asked;
    uint32_t *place_of_cq; /* index in the world -> place in the view */
    struct meter_state state;
    bool failed; /* memory ran out: what is missing is not told */
};

/* Equivalence classes are counted by sorting: they are remembered by the state of the queue, and few are counted anew a text. */
struct meter_classes {
    uint64_t state;
    bool known;
    struct class_counts counts;
};

enum {
    METER_SORTED_MAX = 16384
}; /* Workloads whose classes are counted anew for one text (or one ClusterQueue, if it has more) */

struct meter {
    struct meter_config cfg;
    struct meter_source source;
    struct metrics *metrics;
    enum meter_role role;
    struct meter_view view;        /* while a text is made */
    struct meter_classes *classes; /* by index of the ClusterQueue; owned */
    uint32_t cap_classes;
    uint32_t next_class; /* whose turn it is */
    uint64_t turns, cycles;
    int64_t longest_cpu, longest_wall;
    double start; /* of the process, seconds since 1970 */
};

const char *meter_role_name(const struct meter *m);

/* meter_own.c */
double meter_start_time(void);

/* meter_view.c */
void meter_look(struct meter *m);
void meter_look_end(struct meter *m);

/* meter_world.c, meter_own.c: `arg` is the meter */
void meter_collect_cq(void *arg, struct metrics_out *out);
void meter_collect_cq_uses(void *arg, struct metrics_out *out);
void meter_collect_cq_asked(void *arg, struct metrics_out *out);
void meter_collect_lq(void *arg, struct metrics_out *out);
void meter_collect_lq_uses(void *arg, struct metrics_out *out);
void meter_collect_cohorts(void *arg, struct metrics_out *out);
void meter_collect_cohort_uses(void *arg, struct metrics_out *out);
void meter_collect_loop(void *arg, struct metrics_out *out);
void meter_collect_watches(void *arg, struct metrics_out *out);
void meter_collect_writes(void *arg, struct metrics_out *out);
void meter_collect_http(void *arg, struct metrics_out *out);
void meter_collect_state(void *arg, struct metrics_out *out);
void meter_collect_process(void *arg, struct metrics_out *out);

#endif
