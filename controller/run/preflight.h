/* What a controller looks at once, when it begins: may it do what it is about to do, and does the cluster have the policies that its
 * Configuration asks for? Nothing is refused for it; what is missing is told in the log, by name. */
#ifndef SLUICE_RUN_PREFLIGHT_H
#define SLUICE_RUN_PREFLIGHT_H

#include "run/run_priv.h"

struct preflight;

/* Begins. NULL when memory is short: then nothing is looked at. Owned. */
struct preflight *preflight_new(struct controller *c);
void preflight_free(struct preflight *p); /* at any time; NULL is fine */

#endif
