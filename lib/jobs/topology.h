/* The topology request of a pod set, as annotations of the pod template ask for it (around.md 1.0.1, 5.1). */
#ifndef SLUICE_JOBS_TOPOLOGY_H
#define SLUICE_JOBS_TOPOLOGY_H

#include "api/make.h"
#include "api/reader.h"
#include "jobs/kind.h"

/* What a pod set gives to its request. */
struct job_topology {
    const struct doc_node *annotations;    /* of the template; may be NULL */
    const char *index_label, *group_label; /* NULL = none */
    int32_t groups;                        /* with group_label */
    int32_t count;                         /* pods of the set */
    bool multi_layer;                      /* gate TASMultiLayerTopology */
};

/* NULL when nothing is asked for. Errors are noted at the annotations. */
struct doc_node *job_topology_request(struct reader *rd, const struct job_topology *t);

#endif
