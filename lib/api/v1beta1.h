/* The older version of the API as the newer one (engine.md 1.9): documents of kueue.x-k8s.io/v1beta1 and
 * config.kueue.x-k8s.io/v1beta1 become documents of v1beta2, the order of their fields kept. Fields that neither version knows stay as
 * they are; fields that v1beta2 does not have are left out, and the sink (may be NULL) is told (as a warning, when they said
 * something). Everything else comes back as it is: the same node. The new document lives in the arena and borrows from the old one. */
#ifndef SLUICE_API_V1BETA1_H
#define SLUICE_API_V1BETA1_H

#include "api/objects.h"

/* One object. `list` is the list in which it stands, or NULL: items of a typed list (ClusterQueueList) need not have a version of their
 * own. ERR_INVALID (all errors go to the sink, the first into `err`) when it cannot be read, or says the same thing in both versions'
 * ways; ERR_NOMEM. */
MUST_USE int v1beta1_object(const struct doc_node *list, const struct doc_node *node, struct arena *a,
                            const struct api_sink *sink, const struct doc_node **ret, struct err *err);

/* A whole document: an object, or a list of objects. */
MUST_USE int v1beta1_document(const struct doc_node *root, struct arena *a, const struct api_sink *sink,
                              const struct doc_node **ret, struct err *err);

#endif
