#include "simulated/vclock.h"

#include "base/mem.h"

#include <stdlib.h>

struct vclock_item {
    int64_t at;
    uint64_t seq;
    void (*fn)(void *arg);
    void *arg;
};

static when_ns seen_wall(void *self)
{
    struct vclock *c = self;
    return c->begin + c->mono + c->step_ns;
}

static int64_t seen_mono(void *self)
{
    struct vclock *c = self;
    return c->mono;
}

static uint64_t seen_random(void *self)
{
    struct vclock *c = self;
    return dice_next(&c->dice);
}

void vclock_init(struct vclock *c, uint64_t seed)
{
    *c = (struct vclock){.dice = dice_of_seed(seed ^ UINT64_C(0x636c6f636b))};
    c->begin = INT64_C(1790000000) * NS_PER_S;
    c->clock = (struct kube_clock){.wall = seen_wall, .mono = seen_mono, .random = seen_random, .self = c};
}

void vclock_free(struct vclock *c)
{
    mem_free(c->heap);
    c->heap = NULL;
    c->n = c->cap = 0;
}

when_ns vclock_wall(void *clock)
{
    struct vclock *c = clock;
    return c->begin + c->mono;
}

static bool before(const struct vclock_item *a, const struct vclock_item *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void swap(struct vclock_item *a, struct vclock_item *b)
{
    struct vclock_item t = *a;
    *a = *b;
    *b = t;
}

void vclock_after(struct vclock *c, int64_t wait_ns, void (*fn)(void *arg), void *arg)
{
    if (mem_grow((void **)&c->heap, &c->cap, c->n + 1, sizeof(*c->heap)) != 0)
        abort();
    uint32_t i = c->n++;
    c->heap[i] = (struct vclock_item){c->mono + (wait_ns > 0 ? wait_ns : 0), c->seq++, fn, arg};
    for (; i > 0 && before(&c->heap[i], &c->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&c->heap[i], &c->heap[(i - 1) / 2]);
}

int64_t vclock_next(const struct vclock *c)
{
    return c->n ? c->heap[0].at : INT64_MAX;
}

void vclock_move(struct vclock *c, int64_t mono)
{
    if (mono > c->mono)
        c->mono = mono;
}

bool vclock_run_one(struct vclock *c)
{
    if (!c->n || c->heap[0].at > c->mono)
        return false;
    struct vclock_item item = c->heap[0];
    c->heap[0] = c->heap[--c->n];
    for (uint32_t i = 0;;) {
        uint32_t least = i;
        for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < c->n; k++)
            if (before(&c->heap[k], &c->heap[least]))
                least = k;
        if (least == i)
            break;
        swap(&c->heap[i], &c->heap[least]);
        i = least;
    }
    item.fn(item.arg);
    return true;
}
