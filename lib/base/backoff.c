#include "base/backoff.h"

int64_t backoff_wait(const struct backoff *b, uint64_t n)
{
    int64_t wait = b->base_ns;

    if (n == 0)
        return 0;
    /* A factor of 1 never gets to the cap; any other does so within 63 steps. */
    for (uint64_t i = 1; i < n && wait < b->cap_ns && b->factor > 1; i++)
        if (__builtin_mul_overflow(wait, (int64_t)b->factor, &wait))
            return b->cap_ns;
    return wait < b->cap_ns ? wait : b->cap_ns;
}

int64_t backoff_next(const struct backoff *b, uint64_t *slow, bool brought)
{
    *slow = brought ? 0 : *slow + 1;
    return backoff_wait(b, *slow);
}
