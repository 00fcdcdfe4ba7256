#include "lifecycle/waits.h"

#include "base/amount.h"

#include <string.h>

static int64_t between(when_ns from, when_ns to)
{
    return from == WHEN_NONE || to == WHEN_NONE ? 0 : amount_max(0, i64_sub(to, from));
}

int64_t waits_since_queued(const struct status *s, when_ns created, when_ns now)
{
    const struct cond *requeued = &s->cond[COND_REQUEUED];

    return between(requeued->status == STATUS_ABSENT ? created : requeued->since, now);
}

int64_t waits_since_reserved(const struct status *s, when_ns now)
{
    const struct cond *reserved = &s->cond[COND_QUOTA_RESERVED];

    return reserved->status == STATUS_TRUE ? between(reserved->since, now) : 0;
}

bool waits_until_ready(const struct status *s, int64_t *ret_ns)
{
    const struct cond *admitted = &s->cond[COND_ADMITTED], *ready = &s->cond[COND_PODS_READY];

    *ret_ns = 0;
    if (admitted->status != STATUS_TRUE || ready->status != STATUS_TRUE ||
        strcmp(ready->reason, "Recovered") == 0)
        return false;
    *ret_ns = between(admitted->since, ready->since);
    return true;
}

bool waits_until_released(const struct status *s, int64_t *ret_ns)
{
    const struct cond *evicted = &s->cond[COND_EVICTED], *reserved = &s->cond[COND_QUOTA_RESERVED];

    *ret_ns = 0;
    if (evicted->status != STATUS_TRUE || reserved->status != STATUS_FALSE)
        return false;
    *ret_ns = between(evicted->since, reserved->since);
    return true;
}
