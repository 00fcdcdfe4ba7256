/* Inside of the comparison of policies. */
#ifndef SLUICE_SIM_POLICY_PRIV_H
#define SLUICE_SIM_POLICY_PRIV_H

#include "sim/policy_diff.h"

#include "base/str.h"
#include "sim/sim.h"

/* ---- policy_fields.c: an object as a list of fields, so that two of them can be compared ----------------------------------- */

struct policy_field {
    const char *path, *value, *flavor, *resource; /* never NULL; `value` "" = unset */
    enum policy_area area;
};

struct policy_fields {
    struct arena *a; /* where everything lies; its bail is set */
    struct policy_field *list;
    uint32_t n, cap;
    struct str path, value, at; /* scratch; freed by policy_fields_free */
};

void policy_fields_init(struct policy_fields *f, struct arena *a);
void policy_fields_free(struct policy_fields *f);
/* The fields of `o` in place of those before. Defaults count as written: what is unset and its default are equal. */
void policy_fields_read(struct policy_fields *f, const struct object *o);
bool policy_is_kind(enum api_kind k); /* a kind of which policies are made: no Workload, no job */

/* ---- policy_run.c: the worlds before and after ------------------------------------------------------------------------------ */

struct policy_world {
    struct api_set *objects; /* owned */
    struct sim *sim;         /* owned */
    uint32_t *released;      /* owned; by record: how often it lost its quota by an eviction */
};

MUST_USE int policy_world_load(struct policy_world *w, struct err *err); /* `objects` are there */
MUST_USE int policy_world_run(struct policy_world *w, struct err *err);
void policy_world_free(struct policy_world *w);
/* Fill in d->pairs, and d->moves: in the arena of `d`, whose bail is set. */
void policy_pairs(struct policy_diff *d, const struct policy_world *before, const struct policy_world *after);
void policy_moves(struct policy_diff *d, const struct policy_world *before, const struct policy_world *after);

/* ---- policy_diff.c -------------------------------------------------------------------------------------------------------- */

/* Room for one more in a list that lies in the arena. */
void policy_grow(struct arena *a, void *list, uint32_t n, uint32_t *cap, size_t size);
const char *policy_copy(struct arena *a, const char *text);
const char *policy_take(struct arena *a,
                        struct str *s); /* a copy; `s` is empty afterwards. Bails when `s` has failed */
int policy_compare_objects(const struct object *a, const struct object *b); /* kind, namespace, name */

#endif
