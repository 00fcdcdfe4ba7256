/* A small scanner over JSON text. It knows brackets, strings and commas and nothing else, so it is fast; what it cuts out is JSON only
 * once json_read has said so, and a text that is no JSON is cut somewhere, never beyond its end. */
#ifndef SLUICE_API_SCAN_H
#define SLUICE_API_SCAN_H

#include "api/source.h"

/* ---- values ------------------------------------------------------------------------------------------------------------- */

/* Where a cut stands; zero to begin. The text may come in pieces. */
struct scan_cut {
    uint32_t depth; /* open brackets */
    bool begun, in_string, escaped;
};

/* Goes on with one value, which begins at the first byte given: the first byte behind it, or NULL when the value goes on beyond `end`. */
const char *scan_cut(struct scan_cut *c, const char *p, const char *end);

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

struct scan_piece {
    const char *text;
    size_t len;
    uint32_t line; /* at which it begins */
};

/* The raw text of a value in a text of one JSON value, by a path as errors print it: "spec.podSets[0].template", "a.b[x.y]" (a key that
 * holds dots). The path "" is the whole. Keys are compared as they stand, without escapes. False when there is none. */
bool scan_find(const char *text, size_t len, uint32_t first_line, const char *path, struct scan_piece *ret);

/* ---- one object whose list is read item by item ------------------------------------------------------------------------ */

enum { SCAN_KEY_MAX = 64 };

enum scan_kind {
    SCAN_END,   /* of the object */
    SCAN_FIELD, /* a field: key and value */
    SCAN_ITEM,  /* an item of the list in the field "items" */
};

struct scan_next {
    enum scan_kind kind;
    char key[SCAN_KEY_MAX];  /* of a field; cut when it is longer */
    uint64_t key_off;        /* where the field begins */
    struct scan_piece piece; /* the value; in the window until the next call */
};

struct scan {
    struct source *src;
    uint64_t off;          /* of the next byte */
    uint32_t line;         /* at off */
    uint32_t lists;        /* begun so far: more than one is a fault */
    uint64_t list_key_off; /* where the field of the last one begins */
    bool in_list, first;
};

/* The object begins at `off` with its brace. Nothing before src->keep is needed. */
void scan_begin(struct scan *s, struct source *src, uint64_t off, uint32_t line);
/* The next part. After SCAN_END s->off is behind the object. ERR_INVALID when this is no JSON ("line N: ..."), ERR_LIMIT, ERR_NOMEM,
 * or the error of the source. */
MUST_USE int scan_next(struct scan *s, struct scan_next *ret, struct err *err);

#endif
