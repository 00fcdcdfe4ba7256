/* A document: what YAML and JSON have in common, as a tree of nodes in an arena. Scalars keep their own text, so that quantities
 * and 64-bit integers stay exact; what a scalar means is asked for with a typed getter. Nodes never change once read and live as
 * long as their arena. All getters accept a NULL node and say that the value is absent. */
#ifndef SLUICE_API_DOC_H
#define SLUICE_API_DOC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/quantity.h"
#include "base/when.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DOC_MAX_DEPTH = 100,     /* nesting of lists and maps; a recorded case of nested objects needs some 30 */
    DOC_MAX_NODES = 1000000, /* nodes of one document, aliases counted as often as they are used */
};
#define DOC_MAX_BYTES ((size_t)256 << 20) /* one input */

enum doc_type { DOC_NULL, DOC_BOOL, DOC_NUMBER, DOC_STRING, DOC_LIST, DOC_MAP };

struct doc_node {
    enum doc_type type;
    bool boolish;    /* unquoted yes, no, on or off of YAML: text here, a boolean to YAML 1.1 readers */
    uint32_t line;   /* of the input, from 1 */
    uint32_t n;      /* children of a list or map */
    uint32_t index;  /* place among the parent's children */
    const char *key; /* of a map's child; else NULL */
    const char *
        text; /* a scalar's own text ("true", "1e3", the string without quotes); "" for the others; never NULL */
    const struct doc_node *parent, *next, *first;
};

/* Walks the children of a list or map; `list` may be NULL. */
#define doc_foreach(child, list)                                                                             \
    for (const struct doc_node *child = doc_first(list); child; child = child->next)

static inline const struct doc_node *doc_first(const struct doc_node *n)
{
    return n ? n->first : NULL;
}

const char *doc_type_name(enum doc_type t); /* "null", "boolean", "number", "string", "list", "map" */

/* The child of a map with this key, an explicit null included; NULL if there is none or `map` is not a map. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);
/* As doc_get, but null counts as absent: the Kubernetes reading. */
const struct doc_node *doc_field(const struct doc_node *map, const char *key);
/* Steps through maps: doc_path(n, "spec.template.spec"). Keys that hold a dot cannot be named; null counts as absent. */
const struct doc_node *doc_path(const struct doc_node *n, const char *dotted);
/* The i-th child of a list or map; NULL if there are not so many. */
const struct doc_node *doc_at(const struct doc_node *list, uint32_t i);
bool doc_is(const struct doc_node *n, enum doc_type t);       /* false for NULL */
bool doc_is_text(const struct doc_node *n, const char *text); /* a string with this text? */

/* Typed readings. ERR_NOTFOUND when `n` is NULL or null, ERR_INVALID when it is of another type, ERR_RANGE when it does not fit.
 * An integer is a number without fraction or exponent; a quantity is a number or a string. The error text does not name the node. */
MUST_USE int doc_i64(const struct doc_node *n, int64_t *ret, struct err *err);
MUST_USE int doc_i32(const struct doc_node *n, int32_t *ret, struct err *err);
MUST_USE int doc_bool(const struct doc_node *n, bool *ret, struct err *err);
MUST_USE int doc_str(const struct doc_node *n, const char **ret,
                     struct err *err); /* borrowed from the document */
MUST_USE int doc_double(const struct doc_node *n, double *ret, struct err *err);
MUST_USE int doc_quantity(const struct doc_node *n, struct quantity *ret, struct err *err);
MUST_USE int doc_when(const struct doc_node *n, when_ns *ret, struct err *err);

/* The value of a field of a map, or `dflt` when it is absent or of another type. For callers that trust their input. */
int64_t doc_i64_or(const struct doc_node *map, const char *key, int64_t dflt);
bool doc_bool_or(const struct doc_node *map, const char *key, bool dflt);
const char *doc_str_or(const struct doc_node *map, const char *key, const char *dflt);
when_ns doc_when_or(const struct doc_node *map, const char *key, when_ns dflt);

/* Are two trees equal? Maps without regard to order; scalars by type and text. */
bool doc_equal(const struct doc_node *a, const struct doc_node *b);

/* ---- for the readers ---------------------------------------------------------------------------------------------------- */

/* A new node, in the arena; NULL when memory is exhausted. */
struct doc_node *doc_node_new(struct arena *a, enum doc_type type, uint32_t line);
/* Appends a child; `*last` is the previous one (NULL at first) and moves. */
void doc_append(struct doc_node *parent, struct doc_node **last, struct doc_node *child);
/* Refuses a map with two equal keys: ERR_INVALID with both lines. Uses `a` for scratch. */
MUST_USE int doc_check_keys(const struct doc_node *map, struct arena *a, struct err *err);

#endif
