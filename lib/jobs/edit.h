/* Documents with a part exchanged, and the difference of two documents as a JSON merge patch (RFC 7386). */
#ifndef SLUICE_JOBS_EDIT_H
#define SLUICE_JOBS_EDIT_H

#include "api/make.h"
#include "base/str.h"

/* A copy of `map` (NULL = an empty one) in which the dotted path has this value; NULL takes it away. Maps on the way are made as they
 * are needed. Keys that hold a dot cannot be named. The arena's bail must be set (api/make.h). */
struct doc_node *edit_put(struct arena *a, const struct doc_node *map, const char *path,
                          struct doc_node *value);
/* The same with a last key that may hold anything. */
struct doc_node *edit_put_key(struct arena *a, const struct doc_node *map, const char *path, const char *key,
                              struct doc_node *value);
/* A copy of the list in which the i-th item is `item`. */
struct doc_node *edit_item(struct arena *a, const struct doc_node *list, uint32_t i, struct doc_node *item);

/* Appends the patch that makes `after` of `before`, both objects, with metadata.resourceVersion as `before` has it; nothing when they
 * are equal. */
void edit_patch(struct str *out, const struct doc_node *before, const struct doc_node *after);
/* Appends a node as compact JSON. */
void edit_json(struct str *out, const struct doc_node *n);

#endif
