/* A text line by line, in the memory of the longest line. */
#ifndef SLUICE_SIM_LINES_H
#define SLUICE_SIM_LINES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { LINES_LONGEST = 1 << 20 }; /* bytes of one line */

struct lines {
    FILE *file; /* borrowed */
    char *buf;  /* owned */
    size_t cap, start, end;
    bool eof;
    uint64_t number; /* of the line handed out last, from 1 */
};

void lines_init(struct lines *l, FILE *file);
void lines_free(struct lines *l);
/* What comes next, at least `want` bytes (at most LINES_LONGEST) unless the text ends before; nothing is consumed. ERR_IO, ERR_NOMEM. */
MUST_USE int lines_peek(struct lines *l, size_t want, const char **ret, size_t *ret_n, struct err *err);
/* The next line without its end (LF or CRLF), NUL-terminated; *ret NULL at the end of the text. The line may be written to; it is valid
 * until the next call. ERR_LIMIT for a line that is too long, ERR_INVALID for one with a NUL byte, ERR_IO, ERR_NOMEM. */
MUST_USE int lines_next(struct lines *l, char **ret, struct err *err);

#endif
