/* The runner of recorded cases: tables of cases in JSON (file "<area>__<table>.json"), each run through our code by a handler and
 * compared. A handler reads what the case gives, calls the code under test in lib/ and reports with the vec_check_* functions. A
 * case in which nothing was checked has failed, so that no case passes vacuously. */
#ifndef SLUICE_TESTS_VECTORS_VEC_H
#define SLUICE_TESTS_VECTORS_VEC_H

#include "api/doc.h"
#include "base/str.h"
#include "core/gates.h"

/* One case. Everything here is borrowed and lives until the case has ended; absent parts are NULL. */
struct vec {
    const char *file; /* without directory and ".json": "<area>__<table>" */
    const char *name;
    const struct doc_node *shared; /* of the file */
    const struct doc_node *test;   /* the whole case */
    const struct doc_node *input, *fixtures, *objects, *ops, *want, *got;
    struct arena *arena, *scratch; /* `arena` is reset after each case */
    /* Gates off their defaults or set explicitly, for world_configure. */
    const struct fact_gate *gates;
    uint32_t ngates;

    /* the result */
    uint32_t checks;
    bool failed;
    const char *skip; /* reason */
};

typedef void vec_handler(struct vec *v);

enum {
    VEC_ANY_GATES = 1,   /* also cases with gates off their defaults that rules.c would skip */
    VEC_ANY_CONTENT = 2, /* also cases that mention topology, devices, slices, variants, MultiKueue */
    VEC_NONPORTABLE = 4, /* also cases with "portable": false */
};

/* What to do with a table: run it, or skip it for a reason (each such table is in README.md). */
struct vec_entry {
    const char *table; /* "<area>__<table>" */
    vec_handler *run;
    const char *skip;
    unsigned flags;
};

struct vec_area {
    const struct vec_entry *entries;
    size_t n;
};

#define VEC_AREA(name, array) const struct vec_area name = {array, sizeof(array) / sizeof((array)[0])}

/* registry.c: the entry of a table, NULL if there is none. */
const struct vec_entry *vec_registry_find(const char *table);
/* rules.c: why a case is skipped whatever its handler, or NULL. `e` may be NULL. */
const char *vec_rule(const struct vec *v, const struct vec_entry *e);
const char *vec_rule_table(const char *table); /* for whole tables without an entry */

/* ---- what the case gives ------------------------------------------------------------------------------------------------ */

/* By name: among the inputs, then fixtures, shared, shared.fixtures. null counts as absent. */
const struct doc_node *vec_find(const struct vec *v, const char *key);
/* The expectation; an explicit null gives a null node. Fails the case when there is none. */
const struct doc_node *vec_want(struct vec *v, const char *key);

/* Scalars; absent and null are zero, "unlimited" is INT64_MAX. Anything else of the wrong type fails the case. */
int64_t vec_i64(struct vec *v, const struct doc_node *n);
double vec_double(struct vec *v, const struct doc_node *n);
bool vec_bool(struct vec *v, const struct doc_node *n);
const char *vec_str(struct vec *v, const struct doc_node *n);
struct quantity vec_quantity(struct vec *v, const struct doc_node *n);
when_ns vec_when(struct vec *v, const struct doc_node *n); /* absent: WHEN_NONE */
int64_t vec_duration(struct vec *v, const struct doc_node *n);

/* {resource: quantity} and {resource: integer} as arrays of facts in the order of the document. */
const struct fact_amount *vec_amounts(struct vec *v, const struct doc_node *map, uint32_t *ret_n);

/* Zeroed memory until the end of the case. Ends the program when memory is exhausted. */
void *vec_alloc(struct vec *v, size_t size);
/* A node as compact JSON, cut when it is very long. */
const char *vec_text(struct vec *v, const struct doc_node *n);
const char *vec_printf(struct vec *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ---- results ------------------------------------------------------------------------------------------------------------ */

/* One line: "file: case: field: expected X, got Y". */
void vec_fail(struct vec *v, const char *field, const char *expected, const char *got);
/* The case cannot be run: a call that has to succeed failed. */
void vec_broken(struct vec *v, const char *what, const struct err *err);
void vec_skip(struct vec *v, const char *reason);

/* Each counts one check. A `want` of null or NULL means zero, empty, none. */
void vec_check_i64(struct vec *v, const char *field, const struct doc_node *want, int64_t got);
void vec_check_bool(struct vec *v, const char *field, const struct doc_node *want, bool got);
void vec_check_str(struct vec *v, const char *field, const struct doc_node *want, const char *got);
void vec_check_double(struct vec *v, const char *field, const struct doc_node *want, double got);
void vec_check_quantity(struct vec *v, const char *field, const struct doc_node *want, struct quantity got);
void vec_check_when(struct vec *v, const char *field, const struct doc_node *want,
                    when_ns got); /* to the second */
/* A list of texts, in this order or as a set. */
void vec_check_list(struct vec *v, const char *field, const struct doc_node *want, const char *const *got,
                    uint32_t n);
void vec_check_set(struct vec *v, const char *field, const struct doc_node *want, const char *const *got,
                   uint32_t n);
/* For expectations that are constants of the handler: fails unless `ok`. */
void vec_check(struct vec *v, const char *field, bool ok, const char *expected, const char *got);

/* Deep comparison, one check; the first difference is reported with its path. Absent, null, 0, false, "", {} and [] are equal. */
struct vec_compare {
    const char *const *ignore; /* keys, ended by NULL; may be NULL */
    bool sets;                 /* lists are compared without regard to order */
    bool subset;               /* keys that the expectation lacks do not count */
};
void vec_check_doc(struct vec *v, const char *field, const struct doc_node *want, const struct doc_node *got,
                   const struct vec_compare *rules);
/* The same with the result as JSON text. */
void vec_check_json(struct vec *v, const char *field, const struct doc_node *want, const struct str *got,
                    const struct vec_compare *rules);
/* JSON text as a node that lives until the end of the case; NULL after failing the case. */
const struct doc_node *vec_read(struct vec *v, const char *json);

#endif
