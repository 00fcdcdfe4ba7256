/* Pairs of small integers as small integers: (flavor, resource) -> pair id, (namespace, name) -> LocalQueue. Also maps from an id
 * to an index. Both only grow. Results are 0 or ERR_NOMEM; a failed call changes nothing. */
#ifndef SLUICE_CORE_PAIRS_H
#define SLUICE_CORE_PAIRS_H

#include "base/err.h"

#include <stdint.h>

struct pair {
    uint32_t a, b;
};

struct pairs {
    struct pair *at; /* by id */
    uint32_t n, cap;
    uint32_t *slots; /* open addressing: id + 1, 0 = free */
    uint32_t nslots; /* power of two */
};

void pairs_init(struct pairs *p);
void pairs_free(struct pairs *p);
/* The id of (a, b), made if new; dense, in order of first use. */
MUST_USE int pairs_id(struct pairs *p, uint32_t a, uint32_t b, uint32_t *ret_id);
/* The id if known, else UINT32_MAX. */
uint32_t pairs_find(const struct pairs *p, uint32_t a, uint32_t b);

/* A map from dense ids to indexes; UINT32_MAX where nothing was put. */
struct idmap {
    uint32_t *v;
    uint32_t n;
};

void idmap_free(struct idmap *m);
MUST_USE int idmap_put(struct idmap *m, uint32_t id, uint32_t index);
static inline uint32_t idmap_get(const struct idmap *m, uint32_t id)
{
    return id < m->n ? m->v[id] : UINT32_MAX;
}

#endif
