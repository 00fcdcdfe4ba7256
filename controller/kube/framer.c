#include "kube/framer.h"

#include "base/mem.h"

#include <string.h>

/* What is kept between lines; a larger block is given back, for large objects are rare. */
#define KEEP_BYTES ((size_t)64 << 10)

void framer_init(struct framer *f)
{
    *f = (struct framer){0};
}

void framer_free(struct framer *f)
{
    mem_free(f->buf);
    *f = (struct framer){0};
}

void framer_clear(struct framer *f)
{
    if (f->cap > KEEP_BYTES)
        framer_free(f);
    f->len = 0;
    f->given = false;
    f->p = f->end = NULL;
}

void framer_push(struct framer *f, const char *data, size_t len)
{
    f->p = data;
    f->end = data + len;
}

int framer_keep(struct framer *f, const char *data, size_t len)
{
    if (len > FRAMER_MAX - f->len)
        return ERR_LIMIT;
    size_t need = f->len + len;
    if (need > f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 4096;
        while (cap < need)
            cap *= 2;
        char *buf = mem_realloc(f->buf, cap);
        if (!buf)
            return ERR_NOMEM;
        f->buf = buf;
        f->cap = cap;
    }
    if (len)
        memcpy(f->buf + f->len, data, len);
    f->len = need;
    return 0;
}

/* The line that ends at `stop`; what began in earlier pieces is in buf. */
static int line_to(struct framer *f, const char *stop, const char **ret_line, size_t *ret_len)
{
    const char *line = f->p;
    size_t len = (size_t)(stop - f->p);

    if (len > FRAMER_MAX)
        return ERR_LIMIT;
    if (f->len) {
        int rc = framer_keep(f, line, len);
        if (rc)
            return rc;
        line = f->buf;
        len = f->len;
        f->given = true;
    }
    f->p = stop + 1;
    if (len && line[len - 1] == '\r')
        len--;
    *ret_line = line;
    *ret_len = len;
    return 0;
}

int framer_next(struct framer *f, const char **ret_line, size_t *ret_len)
{
    if (f->given) {
        const char *p = f->p, *end = f->end;
        framer_clear(f);
        framer_push(f, p, (size_t)(end - p));
    }
    while (f->p < f->end) {
        const char *stop = memchr(f->p, '\n', (size_t)(f->end - f->p));
        if (!stop) {
            int rc = framer_keep(f, f->p, (size_t)(f->end - f->p));
            f->p = f->end;
            return rc;
        }
        int rc = line_to(f, stop, ret_line, ret_len);
        if (rc)
            return rc;
        if (*ret_len)
            return 1;
        f->given = false;
        f->len = 0;
    }
    return 0;
}
