#include "lifecycle/requeue.h"

bool requeue_later(struct status *s, when_ns until, bool count)
{
    bool later = s->requeue_at == WHEN_NONE || until > s->requeue_at;

    if (later)
        s->requeue_at = until;
    if (count && s->requeue_count < INT32_MAX)
        s->requeue_count++;
    return later || count;
}
