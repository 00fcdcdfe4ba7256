/* Virtual time: nothing sleeps, the clock jumps from one thing to the next. Things due at the same time run in the order in which they
 * were put there. The controller's time of day may be stepped apart from the world's. */
#ifndef SLUICE_TESTS_SIMULATED_VCLOCK_H
#define SLUICE_TESTS_SIMULATED_VCLOCK_H

#include "kube/seam.h"
#include "random/dice.h"

struct vclock_item;

struct vclock {
    int64_t mono;     /* nanoseconds since the start */
    when_ns begin;    /* the world's time of day at mono 0 */
    int64_t step_ns;  /* how far the controller's time of day is off */
    struct dice dice; /* what the controller draws its chances from */
    struct vclock_item *heap;
    uint32_t n, cap;
    uint64_t seq;
    struct kube_clock clock; /* the seam */
};

void vclock_init(struct vclock *c, uint64_t seed);
void vclock_free(struct vclock *c);
when_ns vclock_wall(void *clock); /* the world's: arg is the struct vclock */
/* Runs `fn` in `wait_ns` from now. It cannot be called back: whoever changes their mind looks when it runs. */
void vclock_after(struct vclock *c, int64_t wait_ns, void (*fn)(void *arg), void *arg);
int64_t vclock_next(const struct vclock *c); /* mono of the next; INT64_MAX without any */
/* Moves the clock to `mono` (never back). */
void vclock_move(struct vclock *c, int64_t mono);
/* Runs the next thing if it is due. */
bool vclock_run_one(struct vclock *c);

#endif
