/* Memory that runs out in the controller, and in it alone: the world around it, the laws and the server have theirs. From some allocation on
 * none succeeds, until the controller's code returns or for some seconds. Both seams and the sink are wrapped, because each of their calls
 * crosses that line. */
#ifndef SLUICE_TESTS_SIMULATED_MEMORY_H
#define SLUICE_TESTS_SIMULATED_MEMORY_H

#include "random/dice.h"
#include "run/controller.h"
#include "simulated/simserver.h"

struct life;

struct memory {
    struct life *l; /* NULL: memory never runs out, and nothing is wrapped */
    struct dice dice;
    bool inside;      /* its code runs */
    bool out, lasts;  /* an outage is on; it ends at `until`, not when the code returns */
    int64_t until;    /* mono */
    uint64_t left;    /* allocations until the first that fails */
    uint64_t counted; /* mem_count when the code was entered */
    struct sink sink; /* before `inner` */
    struct sink *inner;
};

void memory_init(struct memory *m, struct life *l);
/* The controller's code begins and returns. */
void memory_enter(struct memory *m);
void memory_leave(struct memory *m);
/* What the controller is given in place of these. */
struct kube_server memory_server(struct memory *m);
struct sink *memory_sink(struct memory *m, struct sink *inner);

#endif
