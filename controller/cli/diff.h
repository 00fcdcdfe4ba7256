/* Inside of `sluice diff`. */
#ifndef SLUICE_CLI_DIFF_H
#define SLUICE_CLI_DIFF_H

#include "base/str.h"
#include "sim/policy_diff.h"
#include "sim/replay.h"

/* Both runs of a trace. */
struct diff_trace {
    const struct replay_result *before, *after;
    int64_t units; /* of one GPU */
    /* The run that does not come to rest, and why; NULL when it does. With either there is nothing to compare. */
    const char *loop_before, *loop_after;
};

struct diff_print {
    const struct policy_diff *diff;
    const struct diff_trace *trace; /* NULL = none */
    bool ran;                       /* there was a state */
    uint32_t width;
    bool colors;
};

/* diff_text.c: for people. diff_data.c: JSON, "schemaVersion": "sluice.diff/v1". A failure is sticky in `out`. */
void diff_print(const struct diff_print *p, struct str *out);
void diff_data(const struct diff_print *p, struct str *out);

/* diff_trace.c: one value of a queue (or of all: name "all queues") before and after. Times in seconds, amounts in GPU-hours. */
enum { DIFF_MEASURES = 9 };
struct diff_row {
    const char *name;
    double before[DIFF_MEASURES], after[DIFF_MEASURES];
    bool differs;
};
struct diff_measure {
    const char *key, *head;
    bool is_time;
};
extern const struct diff_measure diff_measures[DIFF_MEASURES];
/* The rows of all queues by name; row 0 is the whole. How many there are; `row` (may be NULL) is filled in for i < that number. */
uint32_t diff_rows(const struct diff_trace *t, uint32_t i, struct diff_row *row);
/* Of NULL false. */
bool diff_trace_differs(const struct diff_trace *t);
/* A loop is there after, and was not before. */
bool diff_trace_new_loop(const struct diff_trace *t);

#endif
