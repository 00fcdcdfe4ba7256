/* LimitRanges, summarised per namespace (engine.md 2.5 step 2, 2.8 rule 4). */
#ifndef SLUICE_CORE_LIMITS_H
#define SLUICE_CORE_LIMITS_H

#include "base/names.h"
#include "core/facts.h"
#include "core/resmap.h"

/* All LimitRanges of one namespace, for one type of item: the tightest bounds, the first defaults (in order of their names). */
struct limits_summary {
    struct resmap max, min, defaults, default_requests;
};

struct limits;

struct limits *limits_new(struct names *names); /* `names` borrowed; NULL when memory is exhausted */
void limits_free(struct limits *l);
MUST_USE int limits_put(struct limits *l, const struct fact_limit_range *f, struct err *err);
void limits_del(struct limits *l, const char *ns, const char *name);
/* The summaries of a namespace, indexed by enum limit_type; NULL when it has no LimitRange. Borrowed until the next put or del.
 * ERR_NOMEM. */
MUST_USE int limits_of(struct limits *l, const char *ns, const struct limits_summary **ret);

#endif
