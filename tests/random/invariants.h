/* What must hold in any world, whatever happened to it. Each check says in `why` what is broken and returns false. */
#ifndef SLUICE_TESTS_RANDOM_INVARIANTS_H
#define SLUICE_TESTS_RANDOM_INVARIANTS_H

#include "base/str.h"
#include "core/cycle.h"
#include "core/world.h"

/* Between calls: buckets, holders, markers and counts agree with the Workloads' own marks; usage of every node is the sum of what is
 * held below it, less what is private; what follows from quotas is what 3.1 and 3.3 say; no search has left anything behind. */
bool invariants_of_world(const struct world *w, when_ns now, struct str *why);
/* Laws 1 and 2 of core/loans.h, when the loans of all trees are settled. */
bool invariants_of_loans(const struct world *w, struct str *why);

/* The usage of all trees before a cycle. */
struct invariants_before {
    amount **usage; /* by tree */
    uint32_t ntrees;
};
/* The world is settled. False when memory is exhausted. */
bool invariants_before(struct invariants_before *b, const struct world *w);
void invariants_before_free(struct invariants_before *b);
/* Directly after the cycle, before anything else changes; `c` may be NULL. Looks at the decisions: a cycle that admitted nothing left
 * usage alone; no admission takes a node further over its limits than it was, once the victims chosen with it are gone; victims are
 * distinct, hold quota in the same tree and may be taken; who is admitted has flavors for all it asks; who is not has a reason. */
bool invariants_of_cycle(const struct invariants_before *b, const struct world *w, const struct cycle *c,
                         struct str *why);

/* The same quotas and usage by name in both worlds, both settled. */
bool invariants_same_trees(const struct world *a, const struct world *b, struct str *why);

/* Everything that decides what happens next, as text by name: queues in order with scan positions, holders with their flavors. */
void invariants_print(const struct world *w, struct str *out);

#endif
