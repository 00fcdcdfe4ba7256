/* May we do what we are about to do (kubernetes.md 3.16)? A SelfSubjectAccessReview for each row of a table; what is missing comes out as
 * rules of a Role that can be read and applied. */
#ifndef SLUICE_KUBE_SELFCHECK_H
#define SLUICE_KUBE_SELFCHECK_H

#include "kube/seam.h"

enum { SELFCHECK_ITEMS_MAX = 512, SELFCHECK_PARALLEL = 8 };

/* One question. Texts are borrowed until the end. */
struct selfcheck_item {
    const char *verb;
    const char *group; /* "" = the core */
    const char *resource;
    const char *subresource; /* NULL or "" = the object itself */
    const char *ns;          /* NULL or "" = in all namespaces, or the kind has none */
    bool allowed;            /* the answer */
};

struct selfcheck;

/* Asks. `done` comes once, unless cancelled: with 0 and the answers in `items` (the caller's array), or ERR_IO and a text when a review could
 * not be had. The selfcheck is gone when it returns. */
MUST_USE int selfcheck_start(const struct kube_server *s, struct selfcheck_item *items, uint32_t n,
                             void (*done)(void *arg, int status, const struct err *err), void *arg,
                             struct selfcheck **ret, struct err *err);
void selfcheck_cancel(struct selfcheck *c);

/* How many are not allowed. */
uint32_t selfcheck_missing(const struct selfcheck_item *items, uint32_t n);
/* Those as YAML of the rules that would allow them: verbs of one resource together, resources with the same group and verbs together, rules
 * for one namespace under a comment that names it. Owned by the caller; NULL when memory is exhausted; "" when nothing is missing. */
char *selfcheck_rules(const struct selfcheck_item *items, uint32_t n);

#endif
