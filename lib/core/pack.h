/* Packing: a deep copy of borrowed facts into one block of memory. The same copying code runs twice: with `base` NULL it only
 * counts the bytes, then once more with a block of that size. One allocation an object, one mem_free to be rid of it. */
#ifndef SLUICE_CORE_PACK_H
#define SLUICE_CORE_PACK_H

#include "core/facts.h"

#include <stddef.h>

struct pack {
    char *base; /* NULL while counting */
    size_t used;
};

/* Room for `size` bytes aligned for any type; NULL while counting. */
void *pack_take(struct pack *p, size_t size);
/* Copies; all return NULL while counting. A NULL text is copied as "". */
void *pack_copy(struct pack *p, const void *src, size_t size);
const char *pack_text(struct pack *p, const char *text);
const struct fact_label *pack_labels(struct pack *p, const struct fact_label *src, uint32_t n);
const struct fact_taint *pack_taints(struct pack *p, const struct fact_taint *src, uint32_t n);
const struct fact_toleration *pack_tolerations(struct pack *p, const struct fact_toleration *src, uint32_t n);
const struct fact_expr *pack_exprs(struct pack *p, const struct fact_expr *src, uint32_t n);
const struct fact_term *pack_terms(struct pack *p, const struct fact_term *src, uint32_t n);

#endif
