/* Keeps the smallest worlds that never settle: Kueue's own rules can go in circles (evict, admit, evict). */
#ifndef SLUICE_TESTS_RANDOM_LOOPS_H
#define SLUICE_TESTS_RANDOM_LOOPS_H

#include "random/plan.h"

#define LOOPS_KEPT 10

struct loops;

struct loops *loops_new(void); /* owned; NULL when memory is exhausted */
void loops_free(struct loops *l);
/* A world that does not settle: it is made as small as it gets while it still does not, and kept if it is among the smallest. */
void loops_offer(struct loops *l, uint64_t seed, const struct plan *p);
/* Writes loop-01.yaml and so on with a README.md. */
bool loops_write(const struct loops *l, const char *dir);

#endif
