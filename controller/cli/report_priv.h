/* Inside of the report. */
#ifndef SLUICE_CLI_REPORT_PRIV_H
#define SLUICE_CLI_REPORT_PRIV_H

#include "cli/report.h"
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
};

struct report {
    struct sim *sim;
    struct report_wl *wls;             /* owned; by record */
    struct report_eviction *evictions; /* owned */
    uint32_t nevictions, cap_evictions;
    bool failed;
};

/* report_queues.c: the second table. */
void report_queues(struct report *r, struct str *out);
/* "8" or "8Gi", "unlimited". */
void report_amount(struct str *out, const char *resource, amount v);

#endif
