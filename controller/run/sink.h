/* The one place that decisions and their effects pass: who keeps their history is told before the API server is (DESIGN.md "The ledger").
 * A decision gets an id; its write leaves once the sink says that the id is safe; the end of the write is told, too. */
#ifndef SLUICE_RUN_SINK_H
#define SLUICE_RUN_SINK_H

#include "base/when.h"

#include <stdbool.h>
#include <stdint.h>

enum sink_what {
    SINK_ADMIT,      /* quota reserved */
    SINK_EVICT,      /* for whatever reason */
    SINK_DEACTIVATE, /* spec.active is to become false */
    SINK_RELEASE,    /* quota given back */
    SINK_FINISH,     /* it is over */
    SINK_WHATS
};

/* Borrowed for the length of the call. */
struct sink_decision {
    enum sink_what what;
    const char *ns, *name, *uid; /* of the Workload */
    const char *cluster_queue;
    const char *reason, *message;
    when_ns at;
};

enum sink_outcome {
    SINK_PUBLISHED,  /* the API server took it */
    SINK_SUPERSEDED, /* something newer took its place before it was written */
    SINK_REFUSED,    /* the API server said no */
    SINK_LOST,       /* nobody knows: no answer came, or the controller stopped */
    SINK_OUTCOMES
};

struct sink {
    uint64_t (*decide)(struct sink *s, const struct sink_decision *d); /* the id, never 0 */
    bool (*committed)(struct sink *s, uint64_t id);                    /* may its write leave? */
    void (*outcome)(struct sink *s, uint64_t id, enum sink_outcome o);
};

/* One that only counts; every decision is committed at once. */
struct sink_counter {
    struct sink sink;
    uint64_t next;
    uint64_t decided[SINK_WHATS], ended[SINK_OUTCOMES];
};
void sink_counter_init(struct sink_counter *c);

const char *sink_what_name(enum sink_what w);
const char *sink_outcome_name(enum sink_outcome o);

#endif
