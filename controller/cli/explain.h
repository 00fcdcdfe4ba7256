/* How an explanation is shown. */
#ifndef SLUICE_CLI_EXPLAIN_H
#define SLUICE_CLI_EXPLAIN_H

#include "base/str.h"
#include "sim/explain.h"

/* explain_text.c: for people. explain_data.c: JSON, "schemaVersion": "sluice.explain/v1". A failure is sticky in `out`. */
void explain_print(const struct explain *e, struct str *out);
void explain_data(const struct explain *e, struct str *out);

/* An amount of a resource as a quantity, or "unlimited". */
void explain_amount(struct str *out, const char *resource, amount v);
/* "pod set main: 3 pods instead of 8". */
void explain_change(struct str *out, const struct change *c);

#endif
