/* The Workloads of a case, each with its status record, as a driver keeps them. */
#ifndef SLUICE_TESTS_VECTORS_VEC_RECORDS_H
#define SLUICE_TESTS_VECTORS_VEC_RECORDS_H

#include "vec_ops.h"
#include "vec_status.h"

struct vec_record {
    struct object o;
    struct wl *wl; /* NULL when the world does not keep it */
    struct status status;
    bool waits; /* a cycle turned it down */
};

struct vec_records {
    struct vec *v;
    struct world *w;
    when_ns now;
    struct vec_record *list;
    uint32_t n;
};

/* Reads the Workloads and puts them into the world in order of the list. False after failing the case; to be freed in any case. */
bool vec_records_open(struct vec_records *r, struct vec *v, struct world *w, const struct doc_node *list,
                      when_ns now);
void vec_records_free(struct vec_records *r);
struct vec_record *vec_record_of(struct vec_records *r, const struct wl *wl); /* NULL if there is none */
struct vec_record *vec_record_named(struct vec_records *r, const struct doc_node *object);

/* The victim is told to go, unless it was already: the conditions of 7.7. */
bool vec_record_preempt(struct vec_records *r, const struct wl *preemptor, uint32_t preemptor_cq,
                        const struct target *t);
/* Compares conditions and evictions with the Workloads of the expectation, each found by name. */
void vec_records_check(struct vec_records *r, const char *field, const struct doc_node *want);

#endif
