/* A cluster as commands see it that ask it a few things one after the other: a loop of their own, and calls that wait for their answer. */
#ifndef SLUICE_CLI_CLUSTER_H
#define SLUICE_CLI_CLUSTER_H

#include "api/doc.h"
#include "kube/seam.h"

struct cluster;

struct cluster_options {
    const char *kubeconfig, *context; /* NULL = as kubectl finds them */
};

/* Finds the credentials; nothing is sent yet. Owned. Errors as kubeconfig_find. */
MUST_USE int cluster_open(const struct cluster_options *o, struct cluster **ret, struct err *err);
void cluster_close(struct cluster *c);               /* NULL is fine */
const char *cluster_source(const struct cluster *c); /* for messages: where the credentials come from */

/* One request and its answer. *ret_status is that of HTTP; ERR_IO when there was no answer at all. *ret (may be NULL) is the body as a
 * document, valid until the next call; NULL when it is no JSON. */
MUST_USE int cluster_call(struct cluster *c, enum kube_verb verb, const char *path, const char *content_type,
                          const char *body, int *ret_status, const struct doc_node **ret, struct err *err);

/* Every object of a collection, a page of 500 at a time. `each` may call cluster_call: what it is given stays valid. A result of it other than
 * 0 ends the list and is returned. ERR_NOTFOUND when the API server does not serve it; ERR_IO for every other refusal. */
typedef int cluster_each_fn(void *arg, const struct doc_node *object, struct err *err);
MUST_USE int cluster_list(struct cluster *c, const char *path, cluster_each_fn *each, void *arg,
                          struct err *err);

#endif
