/* A growing string with a hard maximum. After a failure (memory or maximum) the buffer stays valid, further writes are ignored
 * and str_failed() tells. Used for messages and printed output, never inside a search. */
#ifndef SLUICE_BASE_STR_H
#define SLUICE_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    char *p; /* NUL-terminated, or NULL while empty: use str_text() */
    size_t len, cap, max;
    bool failed;
};

void str_init(struct str *s, size_t max); /* max 0 = 64 MiB */
void str_free(struct str *s);
void str_clear(struct str *s); /* keeps the memory, clears the failure */
void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *text, size_t n);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Go's %q: double quotes, \" \\ \n \t \r and \xNN for other control bytes. */
void str_add_quoted(struct str *s, const char *text);
/* A JSON string literal with quotes; invalid UTF-8 becomes U+FFFD. */
void str_add_json(struct str *s, const char *text);
const char *str_text(const struct str *s); /* borrowed, never NULL */
bool str_failed(const struct str *s);
/* Gives the buffer away (owned by the caller, free with mem_free); NULL after a failure, which frees it. */
char *str_take(struct str *s);

#endif
