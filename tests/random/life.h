/* The life of a planned world: everything that happens to it, rolled from dice, with the invariants checked after each step. */
#ifndef SLUICE_TESTS_RANDOM_LIFE_H
#define SLUICE_TESTS_RANDOM_LIFE_H

#include "base/str.h"
#include "random/plan.h"

enum life_order { LIFE_IN_ORDER, LIFE_SHUFFLED_KINDS, LIFE_SHUFFLED };

struct life_options {
    int steps; /* after the world has settled; with dice of bytes they end when the bytes do */
    enum life_order
        order; /* in which the objects of the plan are put: as they are, mixed within a kind, mixed */
    bool short_of_memory; /* every cycle is tried with every allocation failing before it may succeed */
    bool only_settle;     /* stop when settled or found unsettled */
    bool trace;           /* keep the text of the decisions */
};

#define LIFE_MOST_CYCLES 200 /* without new facts; a world that needs more does not settle */

struct life_result {
    bool ok;
    struct str why;   /* if not */
    struct str trace; /* decisions */
    bool settled;     /* within LIFE_MOST_CYCLES, evicted Workloads being released at once */
    bool repeats;     /* came back to an earlier state though something had happened in between */
    uint32_t cycles, admitted, evicted, steps,
        failures; /* how many of what; failures: cycles that ran out of memory */
};

/* Runs a plan; the dice are those left after it was rolled. `ret` is to be freed by life_free. */
void life_run(const struct plan *plan, struct dice dice, const struct life_options *o,
              struct life_result *ret);
void life_free(struct life_result *r);

#endif
