/* Shared by the files of rest.h. */
#ifndef SLUICE_TESTS_SIMULATED_REST_PRIV_H
#define SLUICE_TESTS_SIMULATED_REST_PRIV_H

#include "simulated/rest.h"

/* Who writes what, and how. */
struct change {
    struct store *st;
    const struct resource *r;
    const char *ns, *name, *sub; /* sub: NULL or "status" */
    const char *manager;
    bool dry;   /* answer as if, change nothing */
    bool whole; /* a PUT */
};

struct answer rest_create_object(const struct change *c, const struct val *object, int code);
/* `next` is the whole object as wanted. */
struct answer rest_update(const struct change *c, struct entry *e, const struct val *next);
struct answer rest_patch_object(const struct change *c, struct entry *e, const struct rest_request *r);
struct answer rest_list(struct store *st, const struct route *q);
struct answer rest_get(struct store *st, const struct route *q);
struct answer rest_delete_object(const struct change *c, const struct route *q, const struct val *options);
struct answer rest_discovery(struct store *st, const struct route *q);
const char *rest_api_version(struct store *st, const struct resource *r); /* "batch/v1" */

#endif
