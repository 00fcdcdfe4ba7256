/* YAML text to documents: libyaml's events, plain scalars by the core schema of YAML 1.2 (null, true, false, integers, floats; yes,
 * no, on, off stay text), anchors, aliases and merge keys with a maximum, duplicate keys refused. */
#ifndef SLUICE_API_YAML_H
#define SLUICE_API_YAML_H

#include "api/doc.h"
#include "api/source.h"

enum {
    YAML_MAX_ALIAS_NODES = 100000, /* nodes that aliases may add to one document */
    YAML_MAX_MERGE_KEYS = 1000,    /* keys of a map that has a merge key */
};
#define YAML_MAX_TOKEN                                                                                       \
    ((size_t)16 << 20) /* text without anything that can be told: a line, a scalar, a comment */

struct yaml;

/* Reads the documents of a text one by one. The text is borrowed until yaml_close. `first_line` is the line at which it begins in
 * its input. Trees live in `a`. NULL when memory is exhausted. */
struct yaml *yaml_open(struct arena *a, const char *text, size_t len, uint32_t first_line);
/* The same with a text that comes in pieces. */
struct yaml *yaml_open_reader(struct arena *a, source_read_fn *read, void *ctx, uint32_t first_line);
void yaml_close(struct yaml *y);

/* What became of an item. */
enum yaml_item {
    YAML_ITEM_IN_TREE,   /* it is to become part of the document, as if nobody had asked */
    YAML_ITEM_DONE,      /* it is not, and its memory can be used again */
    YAML_ITEM_REMEMBERED /* it is not, but its memory must stay */
};
/* Called with each item of the list in the field "items" of a document, as soon as it is complete; `root` is what there is of the
 * document so far, without the list. A result of enum yaml_item, or a negative ERR_* that ends the reading. So a long list takes the
 * memory of one item. To be set before anything is read. */
typedef int yaml_item_fn(void *ctx, const struct doc_node *root, const struct doc_node *item,
                         struct err *err);
void yaml_items(struct yaml *y, yaml_item_fn *fn, void *ctx);

/* The next document: 1 and the tree, 0 at the end, or ERR_INVALID, ERR_LIMIT, ERR_NOMEM with a text that begins with "line N: ";
 * after a failure nothing more can be read. An empty document is a null node. */
MUST_USE int yaml_next(struct yaml *y, const struct doc_node **ret, struct err *err);
/* Unquoted yes, no, on, off seen so far (doc_node.boolish). */
uint32_t yaml_boolish(const struct yaml *y);

#endif
