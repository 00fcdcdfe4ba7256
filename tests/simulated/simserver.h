/* The simulated API server over the seam (kube/seam.h): requests arrive, are done and answered, each after a while of its own; watches run
 * behind the store, each at its own pace, in order (kubernetes.md 3.3 to 3.6). What goes wrong is asked of a hook or done to it from
 * outside; without either it is a server in good health. */
#ifndef SLUICE_TESTS_SIMULATED_SIMSERVER_H
#define SLUICE_TESTS_SIMULATED_SIMSERVER_H

#include "simulated/rest.h"
#include "simulated/vclock.h"

/* What befalls a request on its way. */
enum simserver_fault {
    SIM_NONE,
    SIM_LOST_BEFORE, /* never arrives */
    SIM_LOST_AFTER,  /* is done, the answer is lost */
    SIM_THROTTLED,   /* 429 with Retry-After */
    SIM_BROKEN,      /* 500, nothing done */
    SIM_OVERRUN,     /* 504, done all the same */
    SIM_REFUSED,     /* 403: somebody's policy will not have it, this time */
    SIM_CONFLICT,    /* somebody writes to the object just before */
    SIM_SLOW,        /* takes seconds */
    SIM_FAULTS,
};

struct simserver_request {
    enum kube_verb verb;
    const struct route *route;
    const struct val *body; /* NULL without one */
    int64_t started;        /* mono: when the client sent it */
    bool changed;           /* it made a version; known once it is done */
};

struct simserver {
    struct store *store;
    struct vclock *clock;
    struct dice dice;
    bool hasty;        /* no delays: everything after 1 ms (protocol cases) */
    const char *actor; /* under which name clients write */
    int64_t
        frozen_until; /* mono: the client does not run before; requests on their way arrive all the same */
    /* Asked when a request arrives; NULL = never anything. */
    enum simserver_fault (*fault)(void *arg, const struct simserver_request *r);
    /* Told of each request that is done and what is answered. */
    void (*seen)(void *arg, const struct simserver_request *r, const struct answer *a);
    void *arg;
    uint64_t requests[KUBE_VERBS], watches, events;
    struct kube_call *calls; /* under way */
    struct kube_server seam;
};

void simserver_init(struct simserver *s, struct store *store, struct vclock *clock, uint64_t seed);

uint32_t simserver_calls(const struct simserver *s); /* under way */
/* All connections are cut: every call ends without an answer; what was on its way may be done or not. */
void simserver_cut(struct simserver *s);
/* The client is no more: as cut, but nobody is told. */
void simserver_crash(struct simserver *s);
/* The watches that run now say nothing any more and do not end. How many. */
uint32_t simserver_half_dead(struct simserver *s);
/* One running watch is behind by this much from now on. False: there is none. */
bool simserver_delay_watch(struct simserver *s, int64_t ns);
/* Running watches are told that their version is too old (410) and end, whether it is or not. How many. */
uint32_t simserver_expire(struct simserver *s);
/* The least version that a running watch of this kind has been given; the newest when there is none. */
int64_t simserver_given(const struct simserver *s, const struct resource *r);

#endif
