/* What is wrong with an object by the rules of lib/api, as the tables write it. */
#ifndef SLUICE_TESTS_VECTORS_VEC_FAULTS_H
#define SLUICE_TESTS_VECTORS_VEC_FAULTS_H

#include "vec.h"

#include "api/objects.h"

enum { VEC_FAULTS_MAX = 64 };

struct vec_faults {
    struct vec *v;
    const char *got[VEC_FAULTS_MAX]; /* "path: Invalid value" */
    uint32_t n;
    bool any; /* errors of any kind */
};

/* Empties `f`; the sink collects into it. */
struct api_sink vec_faults_sink(struct vec *v, struct vec_faults *f);
/* Collects the faults of an object with its defaults; with `before`, of this change of it. The gates are those of the case. False: the
 * case has failed. */
bool vec_faults_collect(struct vec *v, const struct doc_node *before, const struct doc_node *n,
                        struct vec_faults *f);
/* The same, held against "wantErr": a list of {type, field}. */
void vec_faults_check(struct vec *v, const struct doc_node *before, const struct doc_node *object);
/* The same where "wantErr" is one text: each fault must be in it, and there must be as many. */
void vec_faults_check_text(struct vec *v, const struct doc_node *before, const struct doc_node *object);
/* The faults held against "wantErr", only those whose field begins with `prefix`. */
void vec_faults_compare(struct vec *v, const struct vec_faults *f, const char *prefix);

#endif
