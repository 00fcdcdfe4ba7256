/* Data as JSON or as YAML, in the order in which it is written. Keys are plain words; a key is NULL for an item of a list and for the
 * whole. Failures are sticky in the string. */
#ifndef SLUICE_CLI_EMIT_H
#define SLUICE_CLI_EMIT_H

#include "base/str.h"

enum { EMIT_DEPTH_MAX = 16 };

struct emit {
    struct str *out;
    bool yaml;
    bool same_line; /* YAML: the next entry goes behind a "- " */
    uint32_t depth;
    struct {
        bool list, empty;
    } at[EMIT_DEPTH_MAX];
};

struct emit emit_to(struct str *out, bool yaml);
void emit_map(struct emit *e, const char *key);
void emit_list(struct emit *e, const char *key);
void emit_close(
    struct emit *e); /* the innermost map or list; after the outermost the text ends with a newline */
void emit_text(struct emit *e, const char *key, const char *value);
void emit_int(struct emit *e, const char *key, int64_t value);
void emit_bool(struct emit *e, const char *key, bool value);
void emit_number(struct emit *e, const char *key, double value); /* finite; to six digits, or whole */

#endif
