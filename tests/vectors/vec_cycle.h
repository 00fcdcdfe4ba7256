/* Scheduling cycles of a case, and what a driver makes of the decisions: conditions, evictions, events. */
#ifndef SLUICE_TESTS_VECTORS_VEC_CYCLE_H
#define SLUICE_TESTS_VECTORS_VEC_CYCLE_H

#include "vec_records.h"

struct vec_cycle {
    struct vec *v;
    struct world *w; /* owned */
    struct vec_records records;
    when_ns now;
    bool writes_fail;         /* each write of an admission fails for good */
    struct str events;        /* [{key, eventType, reason}, ...], not yet closed */
    const struct cycle *last; /* valid until the next change of the world */
};

/* A world with the objects, calls and Workloads of the case. False after failing the case; to be closed in any case. */
bool vec_cycle_open(struct vec_cycle *c, struct vec *v, const struct fact_config *config,
                    const struct doc_node *workloads, when_ns now);
/* The two halves of it: an empty world; its contents. */
bool vec_cycle_start(struct vec_cycle *c, struct vec *v, const struct fact_config *config, when_ns now);
bool vec_cycle_fill(struct vec_cycle *c, const struct doc_node *workloads);
void vec_cycle_close(struct vec_cycle *c);
/* One cycle, and its decisions applied to the records. False after failing the case. */
bool vec_cycle_run(struct vec_cycle *c);

/* Comparisons; each fails the case by itself. */
void vec_cycle_check_workloads(struct vec_cycle *c, const char *field, const struct doc_node *want);
/* {"ns/name": admission} of all that hold quota. */
void vec_cycle_check_admissions(struct vec_cycle *c, const char *field, const struct doc_node *want);
/* {"queue": ["ns/name", ...]} */
void vec_cycle_check_left(struct vec_cycle *c, const char *field, const struct doc_node *want,
                          bool inadmissible);
void vec_cycle_check_events(struct vec_cycle *c, const char *field, const struct doc_node *want);
void vec_cycle_check_counts(struct vec_cycle *c, const struct doc_node *skips,
                            const struct doc_node *recomputes);

#endif
