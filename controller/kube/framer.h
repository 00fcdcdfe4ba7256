/* Lines out of a stream that comes in pieces: a watch sends one JSON object a line (kubernetes.md 3.3). A line that lies whole in one
 * piece is not copied; each byte is looked at once. */
#ifndef SLUICE_KUBE_FRAMER_H
#define SLUICE_KUBE_FRAMER_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of one line or one item of a list: an object of etcd has 1.5 MiB, managedFields come on top (libraries.md 1.5). */
enum { FRAMER_MAX = 4 << 20 };

struct framer {
    char *buf; /* owned: the line that has begun */
    size_t len, cap;
    bool given;          /* what is in buf was given as a line */
    const char *p, *end; /* borrowed: what is left of the piece */
};

void framer_init(struct framer *f);
void framer_free(struct framer *f);
void framer_clear(struct framer *f); /* forgets what has begun and what is left */

/* The next piece, borrowed until framer_next has said 0. What is left of the one before is dropped. */
void framer_push(struct framer *f, const char *data, size_t len);
/* 1 and a line (without its end, never empty; borrowed until the next call), 0 when the piece is used up; ERR_LIMIT for a line over
 * FRAMER_MAX, ERR_NOMEM: then the stream is of no use any more. */
MUST_USE int framer_next(struct framer *f, const char **ret_line, size_t *ret_len);

/* For those who find the ends themselves: adds to what has begun. ERR_LIMIT, ERR_NOMEM. */
MUST_USE int framer_keep(struct framer *f, const char *data, size_t len);

#endif
