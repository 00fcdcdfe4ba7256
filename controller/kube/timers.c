#include "kube/timers.h"

static int timer_compare(const struct timer *a, const struct timer *b)
{
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

RB_PROTOTYPE(timer_tree, timer, entry, timer_compare)
RB_GENERATE(timer_tree, timer, entry, timer_compare)

void timers_init(struct timers *t, const struct kube_clock *clock)
{
    RB_INIT(&t->tree);
    t->clock = clock;
    t->seq = 0;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.fn = fn, .arg = arg};
}

void timer_start(struct timers *ts, struct timer *t, int64_t wait_ns)
{
    int64_t now = kube_mono(ts->clock);

    timer_stop(ts, t);
    t->at = wait_ns > INT64_MAX - now ? INT64_MAX - 1 : now + (wait_ns > 0 ? wait_ns : 0);
    t->seq = ++ts->seq;
    t->set = true;
    RB_INSERT(timer_tree, &ts->tree, t);
}

void timer_stop(struct timers *ts, struct timer *t)
{
    if (t->set)
        RB_REMOVE(timer_tree, &ts->tree, t);
    t->set = false;
}

int64_t timers_next(const struct timers *ts)
{
    const struct timer *t = RB_MIN(timer_tree, (struct timer_tree *)(uintptr_t)&ts->tree);

    return t ? t->at : INT64_MAX;
}

uint32_t timers_run(struct timers *ts)
{
    int64_t now = kube_mono(ts->clock);
    uint64_t last = ts->seq; /* those set from here on wait for the next run */
    uint32_t n = 0;

    for (struct timer *t; (t = RB_MIN(timer_tree, &ts->tree)) && t->at <= now && t->seq <= last; n++) {
        timer_stop(ts, t);
        t->fn(t->arg);
    }
    return n;
}
