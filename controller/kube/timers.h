/* Timers over the clock's seam: whoever waits for something embeds one. The driver asks for the next deadline, sleeps, and lets those that
 * are due run; nothing here sleeps. Order: by deadline, then in the order in which they were set. */
#ifndef SLUICE_KUBE_TIMERS_H
#define SLUICE_KUBE_TIMERS_H

#include "kube/seam.h"

#include <bsd/sys/tree.h>

struct timer {
    RB_ENTRY(timer) entry;
    int64_t at; /* mono; meaningful while set */
    uint64_t seq;
    bool set;
    void (*fn)(void *arg);
    void *arg;
};

RB_HEAD(timer_tree, timer);

struct timers {
    struct timer_tree tree;
    const struct kube_clock *clock;
    uint64_t seq;
};

void timers_init(struct timers *t, const struct kube_clock *clock);
void timer_init(struct timer *t, void (*fn)(void *arg), void *arg);
/* In `wait_ns` from now (0 = at the next run). One that is set already is moved. */
void timer_start(struct timers *ts, struct timer *t, int64_t wait_ns);
void timer_stop(struct timers *ts, struct timer *t);
/* Mono time of the next; INT64_MAX without any. */
int64_t timers_next(const struct timers *ts);
/* Lets those that are due now run, each once: one that sets itself again for this moment runs the next time. How many ran. */
uint32_t timers_run(struct timers *ts);

#endif
