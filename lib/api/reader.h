/* Inside lib/api: reads fields of a document node by node and notes what is wrong with them. An error does not stop the reading
 * (all errors of an object are reported); the object counts as bad when there was one. Memory comes from the arena and never fails
 * here: running out of it jumps to the entry of the reading (arena_need). */
#ifndef SLUICE_API_READER_H
#define SLUICE_API_READER_H

#include "api/objects.h"
#include "base/names.h"
#include "core/gates.h"

struct reader {
    struct arena *arena;
    unsigned flags;
    const struct doc_node *root; /* paths begin below it */
    const struct api_sink *sink; /* may be NULL */
    struct err *err;             /* gets the first error */
    uint32_t errors;
    const struct gates *gates;     /* NULL = their defaults */
    const struct doc_node *before; /* the object as it was, when this is an update; else NULL */
    struct names *names; /* texts are kept here, so that facts outlive the document; NULL: they are its */
};

struct rd_word {
    const char *text;
    int value;
};

static inline bool rd_validates(const struct reader *rd)
{
    return !(rd->flags & API_NO_VALIDATE);
}

static inline bool rd_defaults(const struct reader *rd)
{
    return !(rd->flags & API_NO_DEFAULTS);
}

/* As api_read_as, with facts that borrow nothing from the document: their texts are in `names`. o->doc is NULL. */
MUST_USE int rd_read_facts(enum api_kind kind, const struct doc_node *node, struct arena *a,
                           struct names *names, unsigned flags, const struct api_sink *sink,
                           struct object *ret, struct err *err);

/* A text of the document as facts may keep it. */
const char *rd_text(struct reader *rd, const char *text);

/* Is the feature gate on? Costs a microsecond. */
bool rd_gate(const struct reader *rd, const char *name);

/* Runs a reading: 0, ERR_INVALID when it noted errors, or ERR_NOMEM. */
typedef void rd_part_fn(struct reader *rd, const struct doc_node *node, void *ret);
MUST_USE int rd_run(struct reader *rd, rd_part_fn *fn, const struct doc_node *node, void *ret);

/* Notes an error at a node, at a field of a node that may be absent, at an entry of a map ("requests[cpu]"), at a map because of an
 * entry ("nodeLabels"). */
void rd_error(struct reader *rd, const struct doc_node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
void rd_error_at(struct reader *rd, const struct doc_node *parent, const char *field, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void rd_error_key(struct reader *rd, const struct doc_node *entry, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As rd_error_at for a field that Kubernetes names without its place ("execConfig.command"); the line is that of `at`. */
void rd_error_named(struct reader *rd, const struct doc_node *at, const struct doc_node *parent,
                    const char *field, const char *fmt, ...) PRINTF_LIKE(5, 6);
void rd_error_entry(struct reader *rd, const struct doc_node *entry, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* At a field ("" = the whole) of an item of a list that Kubernetes names by its key: "reclaimablePods[main].count". */
void rd_error_item(struct reader *rd, const struct doc_node *item, const char *key, const char *field,
                   const char *fmt, ...) PRINTF_LIKE(5, 6);
void rd_warn(struct reader *rd, const struct doc_node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The usual sentences of Kubernetes. */
void rd_required(struct reader *rd, const struct doc_node *parent, const char *field);
void rd_invalid(struct reader *rd, const struct doc_node *n, const char *why); /* Invalid value: "x": why */
void rd_duplicate(struct reader *rd, const struct doc_node *n);
void rd_too_many(struct reader *rd, const struct doc_node *n, uint32_t max);

/* Is `key` in `known` (names, each followed by one space)? */
bool rd_is_known(const char *known, const char *key);
/* Warns of fields that are not in `known`; with API_STRICT they are errors. */
void rd_known(struct reader *rd, const struct doc_node *map, const char *known);

/* Fields; absent and null are the same. A wrong type is an error and reads as absent. */
const struct doc_node *rd_map(struct reader *rd, const struct doc_node *parent, const char *field);
const struct doc_node *rd_list(struct reader *rd, const struct doc_node *parent, const char *field);
const char *rd_str(struct reader *rd, const struct doc_node *parent, const char *field); /* "" when absent */
bool rd_bool(struct reader *rd, const struct doc_node *parent, const char *field, bool dflt);
bool rd_i32(struct reader *rd, const struct doc_node *parent, const char *field,
            int32_t *ret); /* false when absent */
bool rd_i64(struct reader *rd, const struct doc_node *parent, const char *field, int64_t *ret);
when_ns rd_time(struct reader *rd, const struct doc_node *parent, const char *field);
bool rd_quantity(struct reader *rd, const struct doc_node *parent, const char *field, struct quantity *ret);
/* A duration text ("5m"); false when absent. */
bool rd_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t *ret_ns);
/* One of a few words; `dflt` when absent or empty. */
int rd_word(struct reader *rd, const struct doc_node *parent, const char *field, const struct rd_word *words,
            size_t n, int dflt);
#define RD_WORD(rd, parent, field, words, dflt)                                                              \
    rd_word((rd), (parent), (field), (words), sizeof(words) / sizeof((words)[0]), (dflt))

/* Maps and lists of scalars. */
const struct fact_amount *rd_amounts(struct reader *rd, const struct doc_node *parent, const char *field,
                                     uint32_t *ret_n);
const struct fact_amount *rd_amounts_of(struct reader *rd, const struct doc_node *map, uint32_t *ret_n);
const struct fact_label *rd_labels(struct reader *rd, const struct doc_node *parent, const char *field,
                                   uint32_t *ret_n);
const struct fact_label *rd_labels_of(struct reader *rd, const struct doc_node *map, uint32_t *ret_n);
const char *const *rd_strings(struct reader *rd, const struct doc_node *parent, const char *field,
                              uint32_t *ret_n);

/* A list of maps: an array of items of `size` bytes, each filled by `read`. Items that are no maps are errors and stay zero. */
typedef void rd_item_fn(struct reader *rd, const struct doc_node *item, void *ret);
void *rd_items(struct reader *rd, const struct doc_node *list, size_t size, rd_item_fn *read,
               uint32_t *ret_n);

/* A name field with its syntax: `problem` is a function of api/labels.h. Required unless `optional`. */
const char *rd_name(struct reader *rd, const struct doc_node *parent, const char *field,
                    const char *(*problem)(const char *), bool optional);
void rd_check_list(struct reader *rd, const struct doc_node *parent, const char *field, uint32_t min,
                   uint32_t max);
/* Keys and values of a map of labels; only the keys when `keys_only` (annotations). */
void rd_check_labels(struct reader *rd, const struct doc_node *map, bool keys_only);
/* Errors for items whose `field` was in the list before. */
void rd_check_unique(struct reader *rd, const struct doc_node *list, const char *field);

#endif
