/* What came of a simulation, for people: a line for each Workload (where it was admitted, whom it evicted, or why it waits), and for
 * each queue what it uses, borrows and lends, with the lender's name. */
#ifndef SLUICE_CLI_REPORT_H
#define SLUICE_CLI_REPORT_H

#include "base/str.h"
#include "sim/sim.h"

struct report;

/* Watches `s` from now on, to be called before its first step; `s` is borrowed. NULL when memory is exhausted. */
struct report *report_new(struct sim *s);
void report_free(struct report *r);
/* After the end of the simulation. A failure is sticky in `out`. */
void report_print(struct report *r, struct str *out);

#endif
