/* A simulation as JSON: every event, every cycle with its decisions, and the final state; the format of recorded worlds. */
#ifndef SLUICE_SIM_TRACE_H
#define SLUICE_SIM_TRACE_H

#include "base/str.h"
#include "sim/sim.h"

struct trace;

/* Watches `s` from now on, to be called before its first step; `s` is borrowed. NULL when memory is exhausted. */
struct trace *trace_new(struct sim *s, const char *world_name);
void trace_free(struct trace *t);
/* The whole trace, after the end of the simulation. A failure is sticky in `out` (str_failed). */
void trace_print(struct trace *t, struct str *out);

#endif
