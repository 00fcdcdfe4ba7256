#include "lifecycle/queue_cond.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

enum { MESSAGE_MAX = 32768 }; /* of a condition */

void queue_cond_free(struct cond *c)
{
    mem_free(c->reason);
    mem_free(c->message);
    *c = (struct cond){0};
}

int queue_cond_set(struct cond *c, bool on, const char *reason, const char *message, when_ns now,
                   int64_t generation, bool *ret_changed)
{
    enum cond_status status = on ? STATUS_TRUE : STATUS_FALSE;

    *ret_changed = c->status != status || c->generation != generation || strcmp(c->reason, reason) != 0 ||
                   strcmp(c->message, message) != 0;
    if (!*ret_changed)
        return 0;
    struct cond next = {.status = status,
                        .reason = mem_strdup(reason),
                        .message = mem_strdup(message),
                        .since = c->status == status ? c->since : now,
                        .generation = cond_generation(generation)};
    if (!next.reason || !next.message) {
        queue_cond_free(&next);
        *ret_changed = false;
        return ERR_NOMEM;
    }
    queue_cond_free(c);
    *c = next;
    return 0;
}

int queue_cond_cluster_queue(struct cond *c, const struct world *w, const char *name, when_ns now,
                             int64_t generation, bool *ret_changed)
{
    struct str message;
    const char *reason;

    str_init(&message, MESSAGE_MAX);
    bool on = world_cq_active(w, world_cq_find(w, name), &reason, &message);
    int rc = queue_cond_set(c, on, reason, str_text(&message), now, generation, ret_changed);
    str_free(&message);
    return rc;
}

int queue_cond_local_queue(struct cond *c, enum stop_policy stop, enum queue_cond_target target, when_ns now,
                           int64_t generation, bool *ret_changed)
{
    const char *reason = "Ready", *message = "Can submit new workloads to localQueue";

    if (stop != STOP_NONE) {
        reason = "Stopped";
        message = "LocalQueue is stopped";
    } else if (target != TARGET_ACTIVE) {
        reason = target == TARGET_MISSING ? "ClusterQueueDoesNotExist" : "ClusterQueueIsInactive";
        message = "Can't submit new workloads to clusterQueue";
    }
    return queue_cond_set(c, stop == STOP_NONE && target == TARGET_ACTIVE, reason, message, now, generation,
                          ret_changed);
}
