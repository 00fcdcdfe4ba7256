/* The simulated API server's verbs, all but watch: what a request does to the store and what is answered (kubernetes.md 3.2, 3.7, 3.9 to
 * 3.11). Pure of time: a request is done when the call returns. */
#ifndef SLUICE_TESTS_SIMULATED_REST_H
#define SLUICE_TESTS_SIMULATED_REST_H

#include "kube/seam.h"
#include "simulated/refusal.h"
#include "simulated/route.h"

struct rest_request {
    enum kube_verb verb;
    const struct route *route;
    const char *content_type;
    const char *body;
    size_t len;
    const struct val *document; /* the body; NULL when there is none or it is no JSON */
};

struct answer rest_do(struct store *st, const struct rest_request *r);
/* The checks that a list and a watch have in common; code 0 when it may go on. */
struct answer rest_check_list(struct store *st, const struct route *q);

/* For whoever else lives in the cluster: one write by `actor` that must succeed; NULL (and nothing done) when the object is not there. */
const struct version *rest_patch(struct store *st, const char *actor, const struct resource *r,
                                 const char *ns, const char *name, const char *sub, const struct val *patch);
const struct version *rest_create(struct store *st, const char *actor, const struct resource *r,
                                  const char *ns, const struct val *object);
bool rest_delete(struct store *st, const char *actor, const struct resource *r, const char *ns,
                 const char *name);

#endif
