/* What the API server does to single kinds: defaults, and what may not be written (kubernetes.md 4.2; engine.md 1.5). Only what a quota
 * controller meets. */
#ifndef SLUICE_TESTS_SIMULATED_ADMIT_H
#define SLUICE_TESTS_SIMULATED_ADMIT_H

#include "simulated/refusal.h"

/* The object as it is stored; its metadata is complete. */
const struct val *admit_create(struct store *st, const struct resource *r, const struct val *object);
/* Code 0: it may. */
struct answer admit_check_create(struct store *st, const struct resource *r, const struct val *object);
struct answer admit_check_update(struct store *st, const struct resource *r, const char *sub,
                                 const struct val *before, const struct val *after);

#endif
