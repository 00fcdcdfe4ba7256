/* Handlers of the tables about one entry of a cycle. */
#ifndef SLUICE_TESTS_VECTORS_VEC_ENTRIES_H
#define SLUICE_TESTS_VECTORS_VEC_ENTRIES_H

#include "vec.h"

void vec_entries_classical(struct vec *v); /* order of 5.3 */
void vec_entries_fair(struct vec *v);      /* order of 8.4 */
void vec_entries_outdated(struct vec *v);
void vec_entries_reserve(struct vec *v);
void vec_entries_skip(struct vec *v);
void vec_entries_requeue(struct vec *v);
void vec_entries_turns(struct vec *v);

#endif
