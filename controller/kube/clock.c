#include "kube/clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        abort(); /* Linux knows both clocks */
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static when_ns clock_wall(void *self)
{
    (void)self;
    return clock_read(CLOCK_REALTIME);
}

static int64_t clock_mono(void *self)
{
    (void)self;
    return clock_read(CLOCK_MONOTONIC);
}

static uint64_t clock_random(void *self)
{
    uint64_t r;

    (void)self;
    /* The pool is not ready (early boot only) or the call is forbidden: jitter may then be guessed. */
    if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
        r = (uint64_t)clock_read(CLOCK_MONOTONIC) * UINT64_C(0x9e3779b97f4a7c15);
    return r;
}

void clock_system(struct kube_clock *ret)
{
    *ret = (struct kube_clock){.wall = clock_wall, .mono = clock_mono, .random = clock_random};
}
