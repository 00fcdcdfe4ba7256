/* Inside of the report. */
#ifndef SLUICE_CLI_REPORT_PRIV_H
#define SLUICE_CLI_REPORT_PRIV_H

#include "cli/report.h"
#include "cli/table.h"
#include "core/preempt.h"

/* Somebody was evicted for somebody else. */
struct report_eviction {
    uint32_t victim, preemptor; /* indexes of records */
    enum preempt_reason reason;
    uint32_t next_of_preemptor; /* NONE ends */
};

/* What happened to one Workload. */
struct report_wl {
    uint32_t first, last; /* whom it evicted, in order; NONE = nobody */
    uint32_t evicted_by;  /* the newest eviction of itself, NONE = never */
    uint32_t nevicted;
    uint32_t in_cq, in_lq; /* its place in the queue, from 1; 0 = none. report_places */
};

struct report {
    struct sim *sim;
    struct report_wl *wls;             /* owned; by record */
    struct report_eviction *evictions; /* owned */
    uint32_t nevictions, cap_evictions;
    const struct sim_wl **refused; /* owned; report_refusals */
    uint32_t nrefused;
    bool failed;
};

enum report_state {
    REPORT_ADMITTED,
    REPORT_RESERVED,
    REPORT_STOPPING,
    REPORT_WAITING,
    REPORT_FINISHED,
    REPORT_TO_COME,
    REPORT_STATES /* how many */
};

/* report.c */
/* Both lists end with NULL; the wide ones follow "CLUSTERQUEUE". */
void report_heads(struct table *t, const char *const *heads, const char *const *wide_heads, bool wide);

/* report_words.c: texts are constant or appended. */
/* "8" or "8Gi", "unlimited". */
void report_amount(struct str *out, const char *resource, amount v);
enum report_state report_state_of(const struct sim_wl *sw);
const char *report_state_name(enum report_state state);
/* The ClusterQueue that it is in, or would be in; "" if unknown. */
const char *report_queue_of(const struct world *w, const struct sim_wl *sw);
const char *report_why(enum preempt_reason r);    /* "takes back its quota" */
const char *report_words(const char *reason);     /* of a reason of QuotaReserved=False */
bool report_unevaluated(const struct sim_wl *sw); /* nobody has looked at it since it was queued */
const char *report_wait_reason(const struct sim_wl *sw);
void report_waiting(struct str *out, const struct report *r, const struct sim_wl *sw); /* why it waits */
void report_details(struct str *out, const struct report *r,
                    const struct sim_wl *sw); /* all that there is to say */
/* Collects who was refused in person, so that it can be said of those that are just like them. Before any report_waiting; ERR_NOMEM. */
MUST_USE int report_refusals(struct report *r);
/* Fills in in_cq and in_lq. ERR_NOMEM. */
MUST_USE int report_places(struct report *r);

/* report_queues.c: the second table. */
void report_queues(struct report *r, struct report_style style, struct str *out);

#endif
