#include "sim/put.h"

int put_object(struct world *w, const struct object *o, when_ns now, struct err *err)
{
    switch (o->kind) {
    case API_FLAVOR:
        return world_put_flavor(w, &o->flavor, err);
    case API_CLUSTER_QUEUE:
        return world_put_cluster_queue(w, &o->cluster_queue, now, err);
    case API_COHORT:
        return world_put_cohort(w, &o->cohort, err);
    case API_LOCAL_QUEUE:
        return world_put_local_queue(w, &o->local_queue, now, err);
    case API_ADMISSION_CHECK:
        return world_put_check(w, &o->admission_check, err);
    case API_TOPOLOGY:
        return world_put_topology(w, &o->topology, err);
    case API_NAMESPACE:
        return world_put_namespace(w, &o->name_space, err);
    case API_LIMIT_RANGE:
        return world_put_limit_range(w, &o->limit_range, err);
    case API_RUNTIME_CLASS:
        return world_put_runtime_class(w, &o->runtime_class, err);
    case API_WORKLOAD:
    case API_WORKLOAD_PRIORITY_CLASS:
    case API_PRIORITY_CLASS:
    case API_CONFIG:
    case API_JOB:
    case API_JOB_SET:
    case API_KINDS:
        break;
    }
    return 0;
}
