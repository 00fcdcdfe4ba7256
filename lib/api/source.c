#include "api/source.h"

#include "base/mem.h"

#include <string.h>

enum { FIRST_WINDOW = 256 << 10 };

void source_init(struct source *s, source_read_fn *read, void *ctx)
{
    *s = (struct source){.read = read, .ctx = ctx};
}

void source_init_text(struct source *s, const char *text, size_t len)
{
    /* Nothing writes into a window that is complete. */
    *s = (struct source){.buf = (char *)(uintptr_t)text, .len = len, .cap = len, .ended = true};
}

void source_free(struct source *s)
{
    if (s->read)
        mem_free(s->buf);
}

/* Room for more at the end of the window. */
static int make_room(struct source *s, struct err *err)
{
    size_t dead = s->keep > s->base ? (size_t)(s->keep - s->base) : 0;
    dead = dead < s->len ? dead : s->len;
    if (dead >= s->cap / 2) {
        s->len -= dead;
        s->base += dead;
        if (s->len)
            memmove(s->buf, s->buf + dead, s->len);
    }
    if (s->len < s->cap)
        return 0;
    if (s->cap >= SOURCE_WINDOW_MAX)
        return err_set(err, ERR_LIMIT, "more than %zu MiB without a place to cut", SOURCE_WINDOW_MAX >> 20);
    size_t cap = s->cap ? s->cap * 2 : FIRST_WINDOW;
    char *buf = mem_realloc(s->buf, cap);
    if (!buf)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->buf = buf;
    s->cap = cap;
    return 0;
}

int source_more(struct source *s, struct err *err)
{
    if (s->ended)
        return 0;
    int rc = make_room(s, err);
    if (rc < 0)
        return rc;
    size_t n = 0;
    rc = s->read(s->ctx, s->buf + s->len, s->cap - s->len, &n, err);
    if (rc < 0)
        return rc;
    s->len += n;
    s->ended = n == 0;
    return n > 0;
}

int source_need(struct source *s, uint64_t off, size_t n, struct err *err)
{
    while (source_end(s) < off + n) {
        int rc = source_more(s, err);
        if (rc <= 0)
            return rc;
    }
    return 1;
}
