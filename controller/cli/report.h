/* What came of a simulation, for people: a line for each Workload (where it was admitted, whom it evicted, or why it waits), and for
 * each queue what it uses, borrows and lends, with the lender's name. */
#ifndef SLUICE_CLI_REPORT_H
#define SLUICE_CLI_REPORT_H

#include "base/str.h"
#include "sim/sim.h"

struct report;

struct report_style {
    bool wide;      /* with priorities, places in the queue, cohorts and shares */
    uint32_t width; /* of the terminal; 0 = no limit */
    bool colors;
};

/* Watches `s` from now on, to be called before its first step; `s` is borrowed. NULL when memory is exhausted. */
struct report *report_new(struct sim *s);
void report_free(struct report *r);
/* After the end of the simulation. A failure is sticky in `out`. */
void report_print(struct report *r, struct report_style style, struct str *out);
/* The same for programs, as JSON or YAML: controller/cli/simulate-json.md is the schema. */
void report_data(struct report *r, bool yaml, struct str *out);
/* Neither admitted nor finished. */
bool report_somebody_waits(const struct sim *s);

#endif
