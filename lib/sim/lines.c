#include "sim/lines.h"

#include "base/mem.h"

#include <string.h>

enum { LINES_FIRST = 1 << 16 };

void lines_init(struct lines *l, FILE *file)
{
    *l = (struct lines){.file = file};
}

void lines_free(struct lines *l)
{
    mem_free(l->buf);
    *l = (struct lines){0};
}

/* Makes room after what is not consumed; one byte more than `cap` is kept for a NUL. */
static int make_room(struct lines *l, struct err *err)
{
    if (l->start) {
        memmove(l->buf, l->buf + l->start, l->end - l->start);
        l->end -= l->start;
        l->start = 0;
    }
    if (l->end < l->cap)
        return 0;
    if (l->cap >= LINES_LONGEST)
        return err_set(err, ERR_LIMIT, "line %llu: longer than %d bytes", (unsigned long long)l->number + 1,
                       LINES_LONGEST);
    size_t cap = l->cap ? l->cap * 2 : LINES_FIRST;
    char *p = mem_realloc(l->buf, cap + 1);
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory for a line");
    l->buf = p;
    l->cap = cap;
    return 0;
}

static int fill(struct lines *l, struct err *err)
{
    int rc = make_room(l, err);

    if (rc)
        return rc;
    size_t n = fread(l->buf + l->end, 1, l->cap - l->end, l->file);
    l->end += n;
    if (n == 0) {
        l->eof = true;
        if (ferror(l->file))
            return err_set(err, ERR_IO, "line %llu: cannot be read", (unsigned long long)l->number + 1);
    }
    return 0;
}

int lines_peek(struct lines *l, size_t want, const char **ret, size_t *ret_n, struct err *err)
{
    while (l->end - l->start < want && !l->eof) {
        int rc = fill(l, err);
        if (rc)
            return rc;
    }
    *ret = l->buf ? l->buf + l->start : "";
    *ret_n = l->end - l->start;
    return 0;
}

int lines_next(struct lines *l, char **ret, struct err *err)
{
    size_t seen = 0, len;
    char *lf = NULL;

    *ret = NULL;
    for (;;) {
        size_t have = l->end - l->start;
        lf = have > seen ? memchr(l->buf + l->start + seen, '\n', have - seen) : NULL;
        if (lf || l->eof)
            break;
        seen = have;
        int rc = fill(l, err);
        if (rc)
            return rc;
    }
    if (!lf && l->end == l->start)
        return 0;
    char *line = l->buf + l->start;
    len = lf ? (size_t)(lf - line) : l->end - l->start;
    l->start += len + (lf ? 1 : 0);
    l->number++;
    if (len && line[len - 1] == '\r')
        len--;
    if (memchr(line, 0, len))
        return err_set(err, ERR_INVALID, "line %llu: holds a NUL byte: no text",
                       (unsigned long long)l->number);
    line[len] = 0;
    *ret = line;
    return 0;
}
