/* The status record of a Workload in the words of the API. */
#ifndef SLUICE_TESTS_VECTORS_VEC_STATUS_H
#define SLUICE_TESTS_VECTORS_VEC_STATUS_H

#include "vec_world.h"

/* The record of a fact; false after failing the case. To be freed with status_free in any case. */
bool vec_status(struct vec *v, const struct fact_workload *f, struct status *ret);
/* The conditions as a JSON list: type, status, reason, message, lastTransitionTime, observedGeneration. */
void vec_print_conditions(const struct status *s, struct str *out);
/* Compares the conditions, as a set; only the fields that the expectation has count. */
void vec_check_conditions(struct vec *v, const char *field, const struct doc_node *want,
                          const struct status *s);
/* The message of 2.8 for a list of field errors ({field, badValue, detail}), "" for none. */
const char *vec_invalid_text(struct vec *v, const char *prefix, const struct doc_node *errors);
/* A merge patch (RFC 7396) applied to a document; both stay as they are. Lives until the end of the case. */
const struct doc_node *vec_merge(struct vec *v, const struct doc_node *into, const struct doc_node *patch);

#endif
