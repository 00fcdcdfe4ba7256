/* JSON values that never change: an object of the simulated API server is one, and a write makes another that shares what it does not
 * touch. All memory comes from an arena that lives as long as the server, so nothing is ever freed singly. Memory that runs out ends
 * the program: this is a test. */
#ifndef SLUICE_TESTS_SIMULATED_VAL_H
#define SLUICE_TESTS_SIMULATED_VAL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum val_type { VAL_NULL, VAL_BOOL, VAL_NUMBER, VAL_STRING, VAL_LIST, VAL_MAP };

struct val_member;

struct val {
    enum val_type type;
    uint32_t n;                 /* children of a list or map */
    const char *text;           /* a scalar's own text; "" for the others */
    const struct val_member *m; /* the children */
    const char *json;           /* of a list or map: its text, if it was kept */
    size_t json_len;
};

struct val_member {
    const char *key; /* of a map; NULL in a list */
    const struct val *v;
};

enum { VAL_MAX_DEPTH = 64 };

/* Memory of the arena; does not return without it. */
void *val_alloc(struct arena *a, size_t size);
char *val_strndup(struct arena *a, const char *s, size_t n);
char *val_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One JSON value and nothing behind it; NULL when it is not. */
const struct val *val_parse(struct arena *a, const char *text, size_t len);
/* The value that a formatted text is; the text must be JSON. */
const struct val *val_format(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
void val_print(const struct val *v, struct str *out);
/* `head` ("{...", not closed), the members of a map but those of the keys `without` ("kind apiVersion "), and "}". */
const char *val_json(struct arena *a, const char *head, const struct val *map, const char *without,
                     size_t *ret_len);

const struct val *val_str(struct arena *a, const char *text);
const struct val *val_int(struct arena *a, int64_t n);
const struct val *val_map(void);  /* {} */
const struct val *val_list(void); /* [] */

/* All accept NULL and say that nothing is there. A path is keys with dots between; null counts as absent. */
const struct val *val_get(const struct val *map, const char *key);
const struct val *val_path(const struct val *v, const char *dotted);
const char *val_text(const struct val *v, const char *dotted, const char *dflt); /* a string */
int64_t val_number(const struct val *v, const char *dotted, int64_t dflt);       /* an integer */
bool val_true(const struct val *v, const char *dotted);                          /* true? */
/* The map in a list whose `key` is this text: a condition by its type. */
const struct val *val_find(const struct val *list, const char *key, const char *text);
bool val_equal(const struct val *a,
               const struct val *b); /* maps without regard to order; NULL is equal to NULL only */

/* `map` (NULL = {}) with one member set; `v` NULL takes it away. */
const struct val *val_with(struct arena *a, const struct val *map, const char *key, const struct val *v);
/* The same behind a path; maps on the way are made when `v` is not NULL. */
const struct val *val_with_path(struct arena *a, const struct val *map, const char *dotted,
                                const struct val *v);
/* A list with one more. */
const struct val *val_push(struct arena *a, const struct val *list, const struct val *v);
/* RFC 7386. */
const struct val *val_merge(struct arena *a, const struct val *target, const struct val *patch);

#endif
