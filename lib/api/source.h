/* A text that comes in pieces, seen through a window that slides over it: memory stays bounded however long the text is. Places in it
 * are offsets from its beginning, which stay valid while the window moves; pointers do not outlive the next call of source_more. */
#ifndef SLUICE_API_SOURCE_H
#define SLUICE_API_SOURCE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts up to `cap` bytes into `buf`; *ret is 0 at the end. Negative ERR_* on failure. */
typedef int source_read_fn(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err);

struct source {
    source_read_fn *read; /* NULL: all is in the window */
    void *ctx;
    char *buf; /* owned unless `read` is NULL */
    size_t len, cap;
    uint64_t base; /* offset of buf[0] */
    uint64_t keep; /* what lies before it may be dropped */
    bool ended;    /* there is nothing beyond the window */
};

#define SOURCE_WINDOW_MAX ((size_t)64 << 20) /* from `keep` on */

void source_init(struct source *s, source_read_fn *read, void *ctx);
void source_init_text(struct source *s, const char *text, size_t len); /* borrowed */
void source_free(struct source *s);

/* Reads on: 1 when there is more in the window, 0 at the end; ERR_LIMIT when the window would be larger than its maximum, ERR_NOMEM, or
 * the reader's error. */
MUST_USE int source_more(struct source *s, struct err *err);
/* Makes sure that `n` bytes from `off` on are in the window, or all that there are: 1 or 0 for fewer, or an error. */
MUST_USE int source_need(struct source *s, uint64_t off, size_t n, struct err *err);

static inline uint64_t source_end(const struct source *s)
{
    return s->base + s->len;
}

static inline const char *source_at(const struct source *s, uint64_t off)
{
    return s->buf + (off - s->base);
}

#endif
