/* New documents out of old ones: maps and lists that grow, copies, scalars. Nothing here fails: when memory is exhausted it jumps as
 * arena_need does, so the arena's bail must be set (rd_run sets it). Texts and keys are borrowed, not copied: they must live as long
 * as the arena. */
#ifndef SLUICE_API_MAKE_H
#define SLUICE_API_MAKE_H

#include "api/doc.h"

/* A map or list being made. */
struct make {
    struct arena *arena;
    struct doc_node *node, *last;
};

struct make make_map(struct arena *a, uint32_t line);
struct make make_list(struct arena *a, uint32_t line);

/* A node without parent, key and siblings, but with all that is below. */
struct doc_node *make_copy(struct arena *a, const struct doc_node *n);
struct doc_node *make_scalar(struct arena *a, uint32_t line, enum doc_type type, const char *text);
const char *make_format(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends a node that has no parent; `key` is NULL in a list. The node takes its line from where it came from. */
void make_put(struct make *m, const char *key, struct doc_node *n);
/* Shorts for the line of the map itself. */
void make_put_text(struct make *m, const char *key, const char *text);
void make_put_bool(struct make *m, const char *key, bool value);
void make_put_int(struct make *m, const char *key, int64_t value);
/* Copies; `key` NULL keeps the field's own in a map. */
void make_put_copy(struct make *m, const char *key, const struct doc_node *field);

#endif
