#include "lifecycle/podsready.h"

#include "base/str.h"
#include "lifecycle/requeue.h"

#include <string.h>

enum { MESSAGE_MAX = 1024, JITTER_PARTS = 10000 };

static const char wait_for_start[] = "WaitForStart", wait_for_recovery[] = "WaitForRecovery";

when_ns podsready_deadline(const struct podsready_config *c, const struct status *s, const char **ret_cause)
{
    const struct cond *admitted = &s->cond[COND_ADMITTED], *ready = &s->cond[COND_PODS_READY];

    *ret_cause = "";
    if (admitted->status != STATUS_TRUE || s->cond[COND_EVICTED].status == STATUS_TRUE ||
        ready->status == STATUS_TRUE)
        return WHEN_NONE;
    if (ready->status == STATUS_ABSENT || strcmp(ready->reason, wait_for_recovery) != 0) {
        *ret_cause = wait_for_start;
        return i64_add(admitted->since, c->timeout_ns);
    }
    if (c->recovery_ns == 0)
        return WHEN_NONE;
    *ret_cause = wait_for_recovery;
    return i64_add(ready->since, c->recovery_ns);
}

static int64_t wait_of(const struct podsready_config *c, int32_t tries, double jitter)
{
    int64_t wait = backoff_wait(&c->backoff, (uint64_t)tries);

    return i64_add(wait, (int64_t)((double)wait * jitter / JITTER_PARTS));
}

int podsready_expire(const struct podsready_config *c, struct status *s, const char *key, const char *cause,
                     double jitter, when_ns now, int64_t generation)
{
    int32_t tries = s->requeue_count < INT32_MAX ? s->requeue_count + 1 : INT32_MAX;
    bool changed;

    if (c->has_limit && tries > c->limit)
        return status_set(s, COND_DEACTIVATION_TARGET, STATUS_TRUE, "RequeuingLimitExceeded",
                          "exceeding the maximum number of re-queuing retries", now, generation, &changed);
    struct str message;
    str_init(&message, MESSAGE_MAX);
    str_addf(&message, "Exceeded the PodsReady timeout %s", key);
    int rc = str_failed(&message)
                 ? ERR_NOMEM
                 : status_evict(s, "PodsReadyTimeout", cause, str_text(&message), now, generation);
    str_free(&message);
    if (rc == 0)
        requeue_later(s, i64_add(now, wait_of(c, tries, jitter)), true);
    return rc;
}
