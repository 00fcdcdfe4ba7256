/* How many pods fit into what is free (engine.md 2.1: integers of requests). */
#ifndef SLUICE_CORE_FIT_H
#define SLUICE_CORE_FIT_H

#include "base/names.h"
#include "core/requests.h"

/* The number of pods with these requests that fit, at most INT32_MAX, and in *ret_res (may be NULL) the resource that sets this limit:
 * of several the first by name. A request of 0 asks for nothing; a resource that `free` does not name has none left, and neither has
 * one that is overdrawn. Without requests everything fits: INT32_MAX, and *ret_res is 0. */
int32_t fit_count(const struct names *names, const struct req *requests, uint32_t n, const struct req *free,
                  uint32_t nfree, uint32_t *ret_res);

#endif
