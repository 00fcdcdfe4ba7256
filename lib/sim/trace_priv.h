/* Inside of the trace. */
#ifndef SLUICE_SIM_TRACE_PRIV_H
#define SLUICE_SIM_TRACE_PRIV_H

#include "sim/trace.h"

/* Pieces of JSON. */
void trace_field(struct str *out, const char *key, const char *value); /* "key":"value" */
void trace_optional(struct str *out, const char *key,
                    const char *value); /* ,"key":"value" unless it is empty */
void trace_time(struct str *out, const char *key, when_ns t);
void trace_amount(struct str *out, const char *resource, amount v);
/* Leaves out what has no flavor: it is no part of an admission. */
void trace_pod_set(struct str *out, const char *name, int32_t count, const struct sim_share *shares,
                   uint32_t n);

/* trace_final.c: the value of "final". */
void trace_final(const struct sim *s, struct str *out);

#endif
