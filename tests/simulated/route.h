/* What a request's path says (kubernetes.md 3.1): which resource, which object, and the query. */
#ifndef SLUICE_TESTS_SIMULATED_ROUTE_H
#define SLUICE_TESTS_SIMULATED_ROUTE_H

#include "simulated/resource.h"
#include "simulated/val.h"

struct route {
    const struct resource *resource; /* NULL: none, or not of a resource */
    const char *path;                /* without the query */
    const char *ns, *name, *sub;     /* NULL = not in the path */
    /* of the query; NULL, 0 or false when absent */
    const char *cont, *rv, *rv_match, *labels, *fields, *manager, *dry_run, *propagation, *initial;
    int64_t limit, timeout_s;
    bool watch, bookmarks, force;
};

/* Texts live in `a`. */
struct route route_of(struct arena *a, const char *path);

/* Does an object pass the selectors of the query? Labels: k=v, k==v, k!=v, k, !k, k in (..), k notin (..); fields: metadata.name and
 * metadata.namespace. */
bool route_selects(const struct route *q, const struct val *object);
/* May the selectors be asked for? False and a text when not. */
bool route_selectable(const struct route *q, struct arena *a, const char **ret_why);

#endif
