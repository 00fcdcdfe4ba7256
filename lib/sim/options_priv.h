/* Inside of the search for options. */
#ifndef SLUICE_SIM_OPTIONS_PRIV_H
#define SLUICE_SIM_OPTIONS_PRIV_H

#include "sim/options.h"

enum { OPTIONS_MI = 1 << 20 };

struct search {
    struct what_if *w;
    struct arena *a;
    struct options *out;
    struct err *err;
    int rc; /* once it is set, nothing more is run */
    const struct object *object;
    const struct sim_wl *target;
    const struct object *lq, *cq; /* NULL if it has none */
    struct change prefix[4];      /* go with every option: without them nothing helps */
    uint32_t nprefix;
};

/* A field that can be turned: c.from is what it is, `easy` what helps most; between them in steps of `unit`. */
struct dial {
    struct change c;
    int64_t easy, unit;
};

/* Turns all of them as little as is needed. True, and an option, if that lets the Workload start. */
bool search_dials(struct search *s, struct dial *dials, uint32_t n);
/* Each one for itself; if none of them does, all of them together. */
void search_each(struct search *s, struct dial *dials, uint32_t n);
bool search_run(struct search *s, const struct change *changes, uint32_t n, struct what_if_result *ret);
/* Runs it once more and keeps it. */
void search_keep(struct search *s, const struct change *changes, uint32_t n);

struct change search_change(enum change_kind kind, const struct object *o);
/* The last object of that name, as with two `kubectl apply`; NULL if there is none. */
const struct object *search_object(const struct search *s, enum api_kind kind, const char *ns,
                                   const char *name);

/* options_workload.c: the Workload itself, and time. options_queues.c: quotas, limits, weights, policies. */
void options_workload(struct search *s);
/* The part of it that may do without resuming the queue; `in_vain`: resuming it alone does not help. */
void options_other_queue(struct search *s, bool in_vain);
void options_queues(struct search *s);

#endif
