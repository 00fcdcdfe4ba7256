/* Statuses of ClusterQueues, LocalQueues and Cohorts as JSON (engine.md 4.9, 9.1, 9.5, 11.1-11.3), rendered from a world that is settled.
 * Each is a merge patch of `/status`. A digest, cheap to make from the world and from a document, tells whether there is anything to
 * write: equal digests mean equal statuses. */
#ifndef SLUICE_API_QUEUE_JSON_H
#define SLUICE_API_QUEUE_JSON_H

#include "api/doc.h"
#include "api/objects.h"
#include "base/str.h"
#include "core/world.h"

struct queue_json {
    const struct world *w;
    const char *uid, *resource_version; /* "" = left out */
    const char *ns, *name;              /* ns "" for ClusterQueues and Cohorts */
    const struct cond *active;          /* lifecycle/queue_cond.h; not of a Cohort */
    bool fair_sharing; /* ClusterQueue, Cohort: weightedShare is written; else it is taken away */
    bool afs; /* LocalQueue: admission fair sharing is on for its ClusterQueue; else its part is taken away */
};

/* {"metadata":{..},"status":{..}} appended. ERR_NOTFOUND when the world does not know the object, ERR_NOMEM, also when `out` is full; both
 * append nothing that counts. A LocalQueue whose ClusterQueue is missing has an empty usage. */
MUST_USE int queue_json_cluster_queue(const struct queue_json *q, struct str *out);
MUST_USE int queue_json_local_queue(const struct queue_json *q, struct str *out);
MUST_USE int queue_json_cohort(const struct queue_json *q, struct str *out);

/* The digest of what would be written; 0 when the world does not know the object. */
uint64_t queue_json_cluster_queue_digest(const struct queue_json *q);
uint64_t queue_json_local_queue_digest(const struct queue_json *q);
uint64_t queue_json_cohort_digest(const struct queue_json *q);
/* The digest of what an object says: API_CLUSTER_QUEUE, API_LOCAL_QUEUE or API_COHORT. */
uint64_t queue_json_digest_of(enum api_kind kind, const struct doc_node *object);

/* The condition Active of an object's status into `c` (lifecycle/queue_cond.h; initialised), so that its time is kept; absent if there is
 * none. ERR_NOMEM leaves it as it was. */
MUST_USE int queue_json_active(const struct doc_node *object, struct cond *c);

#endif
