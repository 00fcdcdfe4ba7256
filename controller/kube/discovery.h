/* Which kinds of objects a server knows (kubernetes.md 3.14): one request for each group and version that is asked about, and one for the
 * server's own version. When to ask again is the caller's business. */
#ifndef SLUICE_KUBE_DISCOVERY_H
#define SLUICE_KUBE_DISCOVERY_H

#include "kube/seam.h"

enum { DISCOVERY_ITEMS_MAX = 64 };

/* A question and its answer. The texts are borrowed until the end. */
struct discovery_item {
    const char *group; /* "" = the core */
    const char *version;
    const char *resource; /* the plural: "jobsets" */
    bool served;
    bool namespaced;
    bool status; /* it has the subresource */
};

struct discovery_version {
    int major, minor; /* 1, 36; 0 when the server says nothing that can be read */
    char text[64];    /* "v1.36.2" */
};

struct discovery;

/* Asks. `done` comes once, unless cancelled: with 0 and the answers in `items` (borrowed, the caller's array), or ERR_IO (no answer, or one
 * that is neither 200 nor 404) and a text; then no item has changed. The discovery is gone when it returns. */
MUST_USE int discovery_start(const struct kube_server *s, struct discovery_item *items, uint32_t n,
                             void (*done)(void *arg, int status, const struct discovery_version *v,
                                          const struct err *err),
                             void *arg, struct discovery **ret, struct err *err);
void discovery_cancel(struct discovery *d);

#endif
