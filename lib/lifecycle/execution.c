#include "lifecycle/execution.h"

#include "base/amount.h"

when_ns execution_deadline(const struct status *s, int32_t max_s)
{
    const struct cond *admitted = &s->cond[COND_ADMITTED];

    if (admitted->status != STATUS_TRUE)
        return WHEN_NONE;
    return i64_add(admitted->since, ((int64_t)max_s - s->accumulated_s) * NS_PER_S);
}

bool execution_total(const struct status *s, int64_t *ret_ns)
{
    const struct cond *admitted = &s->cond[COND_ADMITTED], *finished = &s->cond[COND_FINISHED];

    *ret_ns = 0;
    if (admitted->status != STATUS_TRUE || finished->status != STATUS_TRUE)
        return false;
    *ret_ns = i64_add(i64_sub(finished->since, admitted->since), s->accumulated_s * NS_PER_S);
    return true;
}
