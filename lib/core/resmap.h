/* A small map from resources to exact quantities, in an arena: what a container asks for, a limit, a default (engine.md 2.3-2.6).
 * Pods name a handful of resources, so it is a list that is searched. A failure is remembered (`failed`), so that sums need no
 * check at each step; what failed must be asked before the result is used. */
#ifndef SLUICE_CORE_RESMAP_H
#define SLUICE_CORE_RESMAP_H

#include "base/arena.h"
#include "base/names.h"
#include "core/facts.h"

#include <stdbool.h>
#include <stdint.h>

struct resmap_item {
    uint32_t res; /* id in the table of names */
    struct quantity q;
};

struct resmap {
    struct resmap_item *v; /* in the arena */
    uint32_t n, cap;
    struct arena *arena; /* borrowed */
    bool failed;
};

/* How two values of one resource become one. A resource on one side only is taken as it is. */
enum resmap_rule { RESMAP_KEEP, RESMAP_REPLACE, RESMAP_ADD, RESMAP_MAX, RESMAP_MIN };

struct resmap resmap_new(struct arena *a);
const struct quantity *resmap_find(const struct resmap *m,
                                   uint32_t res); /* NULL = not there; borrowed until the next change */
void resmap_put(struct resmap *m, uint32_t res, struct quantity q, enum resmap_rule rule);
void resmap_merge(struct resmap *m, const struct resmap *from, enum resmap_rule rule);
/* The same for amounts of a fact; their resources are interned in `names`. */
void resmap_merge_facts(struct names *names, struct resmap *m, const struct fact_amount *from, uint32_t n,
                        enum resmap_rule rule);

#endif
