/* Errors: one table of negative codes, and a struct that carries the text to the edge.
 *
 * A fallible function returns 0 or one of these codes and, when it takes a `struct err *` (always last, may be NULL),
 * fills it on failure only. A failed call has no side effects. */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include <stdarg.h>

enum {
    ERR_NOMEM = -1,    /* memory exhausted */
    ERR_INVALID = -2,  /* malformed input */
    ERR_RANGE = -3,    /* a value outside what the type can hold */
    ERR_NOTFOUND = -4, /* no such object */
    ERR_EXISTS = -5,   /* there already */
    ERR_STATE = -6,    /* not possible now */
    ERR_IO = -7,       /* the operating system refused */
    ERR_LIMIT = -8,    /* over a documented maximum */
};

struct err {
    int code;
    char text[1024]; /* always terminated; longer texts are cut */
};

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Fills `e` (if not NULL) with `code` and the formatted text; returns `code`, so that `return err_set(...)` reads well. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts a prefix in front of the text already there ("file:line: " + text). Returns e->code, or 0 when `e` is NULL. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A short English name of a code ("out of memory"); never NULL. */
const char *err_name(int code);

#endif
