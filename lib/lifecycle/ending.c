#include "lifecycle/ending.h"

#include "base/amount.h"

/* Step 1. A label left by a job makes an orphan only with the gate: without it, the Workload may be somebody's own. */
static int orphan(const struct ending_config *c, const struct ending_object *o, struct status *s, when_ns now,
                  struct ending *ret)
{
    bool lost = c->finish_orphans && o->has_job_uid;

    if (o->owned || !(o->deleting || lost))
        return 0;
    if (lost && !o->deleting && s->cond[COND_FINISHED].status != STATUS_TRUE) {
        int rc = status_set(s, COND_FINISHED, STATUS_TRUE, "OwnerNotFound",
                            "The workload's owner no longer exists", now, o->generation, &ret->finished);
        if (rc)
            return rc;
    }
    ret->release = true;
    return 0;
}

int ending_of(const struct ending_config *c, const struct ending_object *o, struct status *s, when_ns now,
              struct ending *ret)
{
    const struct cond *finished = &s->cond[COND_FINISHED];

    *ret = (struct ending){.again = WHEN_NONE};
    int rc = orphan(c, o, s, now, ret);
    if (rc || finished->status != STATUS_TRUE || !c->has_retention || (ret->release && o->deleting))
        return rc;
    when_ns due = i64_add(finished->since, c->retention_ns);
    if (due > now) {
        ret->again = due;
        return 0;
    }
    ret->release = true;
    ret->remove = !o->deleting;
    return 0;
}
