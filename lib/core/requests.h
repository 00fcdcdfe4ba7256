/* What one pod asks for (engine.md 2.3, 2.5, 2.6) and whether it may ask for it (2.8 rules 3 and 4). Holds the summaries of
 * LimitRanges and RuntimeClasses and the resource settings of the Configuration. */
#ifndef SLUICE_CORE_REQUESTS_H
#define SLUICE_CORE_REQUESTS_H

#include "base/arena.h"
#include "base/names.h"
#include "base/str.h"
#include "core/facts.h"

/* One resource of one pod, in the integers of 2.1. */
struct req {
    uint32_t res; /* id in `names` */
    int64_t amount;
};

struct requests;

struct requests *requests_new(struct names *names); /* `names` borrowed; NULL when memory is exhausted */
void requests_free(struct requests *r);

/* Takes excludePrefixes and transformations; a second call replaces the first. */
MUST_USE int requests_configure(struct requests *r, const struct fact_config *config, struct err *err);
MUST_USE int requests_put_limit_range(struct requests *r, const struct fact_limit_range *f, struct err *err);
void requests_del_limit_range(struct requests *r, const char *ns, const char *name);
MUST_USE int requests_put_runtime_class(struct requests *r, const struct fact_runtime_class *f,
                                        struct err *err);
void requests_del_runtime_class(struct requests *r, const char *name);

/* The requests of one pod of the template: adjusted (2.5), summed (2.3), excluded and transformed (2.4, 2.6), converted and clamped
 * to >= 0. Sorted by the FNV-1a-64 hash of the resource name, ties by name (6.2). In `a`, valid until it is reset. */
MUST_USE int requests_of_pod(const struct requests *r, const char *ns, const struct fact_pod *pod,
                             struct arena *a, const struct req **ret_req, uint32_t *ret_n, struct err *err);

/* The order of the above: negative if `a` comes first. Both are resource names. */
int requests_order(const char *a, const char *b);

/* 2.8 rules 3 and 4 over all pod sets (after the adjustments of 2.5): appends the whole message ("resources validation failed:
 * ..." or "resources didn't satisfy LimitRange constraints: ...") to `ret_text`; nothing when all is well. */
MUST_USE int requests_validate(const struct requests *r, const char *ns, const struct fact_pod_set *pod_sets,
                               uint32_t n, struct str *ret_text, struct err *err);

#endif
