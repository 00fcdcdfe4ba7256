#include "api/scan.h"

#include <string.h>

/* ---- values ------------------------------------------------------------------------------------------------------------- */

/* Behind the string that goes on at p; NULL when it does not end here. */
static const char *cut_string(struct scan_cut *c, const char *p, const char *end)
{
    while (p < end) {
        if (c->escaped) {
            c->escaped = false;
            p++;
            continue;
        }
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *stop = quote ? quote : end;
        const char *slash = memchr(p, '\\', (size_t)(stop - p));
        if (slash) {
            c->escaped = true;
            p = slash + 1;
            continue;
        }
        if (!quote)
            return NULL;
        c->in_string = false;
        return quote + 1;
    }
    return NULL;
}

static bool ends_scalar(char ch)
{
    return ch == ',' || ch == ']' || ch == '}' || ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

/* A number or a word. */
static const char *cut_scalar(const char *p, const char *end)
{
    while (p < end && !ends_scalar(*p))
        p++;
    return p < end ? p : NULL;
}

const char *scan_cut(struct scan_cut *c, const char *p, const char *end)
{
    if (!c->begun && p < end) {
        c->begun = true;
        c->in_string = *p == '"';
        c->depth = *p == '{' || *p == '[';
        if (!c->in_string && !c->depth)
            return cut_scalar(p, end);
        p++;
    }
    while (p < end) {
        if (c->in_string) {
            p = cut_string(c, p, end);
            if (!p || !c->depth)
                return p;
            continue;
        }
        if (!c->depth)
            return cut_scalar(p, end);
        char ch = *p++;
        if (ch == '"')
            c->in_string = true;
        else if (ch == '{' || ch == '[')
            c->depth++;
        else if ((ch == '}' || ch == ']') && --c->depth == 0)
            return p;
    }
    return NULL;
}

static uint32_t count_lines(const char *p, const char *end)
{
    uint32_t n = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static const char *skip(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

/* One step of a path: a key or, in brackets, a key or a place in a list. */
struct step {
    const char *text;
    size_t len;
    bool bracket;
};

static const char *next_step(const char *path, struct step *ret)
{
    if (*path == '.')
        path++;
    ret->bracket = *path == '[';
    path += ret->bracket;
    ret->text = path;
    ret->len = strcspn(path, ret->bracket ? "]" : ".[");
    path += ret->len;
    return ret->bracket && *path ? path + 1 : path;
}

static bool place_of(const struct step *s, uint32_t *ret)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (s->text[i] < '0' || s->text[i] > '9' || n > UINT32_MAX / 10 - 1)
            return false;
        n = n * 10 + (uint32_t)(s->text[i] - '0');
    }
    *ret = n;
    return s->len > 0;
}

/* Behind the value at p; NULL when it does not end before `end`, but for a scalar, which may end with the text. */
static const char *value_end(const char *p, const char *end)
{
    struct scan_cut c = {0};
    const char *behind = scan_cut(&c, p, end);
    return behind || !c.begun || c.in_string || c.depth ? behind : end;
}

/* The value of the child that the step names, in the list or map [p, end). */
static const char *child(const char *p, const char *end, const struct step *s)
{
    bool is_map = *p == '{';
    uint32_t place = 0;
    if (!is_map && (*p != '[' || !place_of(s, &place)))
        return NULL;
    p = skip(p + 1, end);
    for (uint32_t i = 0; p < end && *p != '}' && *p != ']'; i++) {
        bool found = !is_map && i == place;
        if (is_map) {
            const char *key = p;
            if (*p != '"' || !(p = value_end(p, end)))
                return NULL;
            found = (size_t)(p - key) == s->len + 2 && memcmp(key + 1, s->text, s->len) == 0;
            p = skip(p, end);
            if (p == end || *p != ':')
                return NULL;
            p = skip(p + 1, end);
        }
        if (found)
            return p < end ? p : NULL;
        p = p < end ? value_end(p, end) : NULL;
        if (!p)
            return NULL;
        p = skip(p, end);
        if (p < end && *p == ',')
            p = skip(p + 1, end);
    }
    return NULL;
}

bool scan_find(const char *text, size_t len, uint32_t first_line, const char *path, struct scan_piece *ret)
{
    const char *end = text + len, *p = skip(text, end);
    while (p && p < end && *path) {
        struct step s;
        path = next_step(path, &s);
        p = child(p, end, &s);
    }
    const char *behind = p && p < end ? value_end(p, end) : NULL;
    if (!behind)
        return false;
    *ret = (struct scan_piece){p, (size_t)(behind - p), first_line + count_lines(text, p)};
    return true;
}

/* ---- one object --------------------------------------------------------------------------------------------------------- */

static int bad(const struct scan *s, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "line %u: JSON: %s", s->line, what);
}

void scan_begin(struct scan *s, struct source *src, uint64_t off, uint32_t line)
{
    *s = (struct scan){.src = src, .off = off + 1, .line = line, .first = true};
}

/* The next byte that is no white space; ERR_INVALID at the end of the text. */
static int next_byte(struct scan *s, char *ret, struct err *err)
{
    for (;;) {
        const char *p = source_at(s->src, s->off), *end = source_at(s->src, source_end(s->src));
        const char *start = p;
        for (; p < end && is_space(*p); p++)
            s->line += *p == '\n';
        s->off += (uint64_t)(p - start);
        if (p < end) {
            *ret = *p;
            return 0;
        }
        int rc = source_more(s->src, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return bad(s, "the text ends too early", err);
    }
}

static int expect(struct scan *s, char want, const char *what, struct err *err)
{
    char ch;
    int rc = next_byte(s, &ch, err);
    if (rc < 0)
        return rc;
    if (ch != want)
        return bad(s, what, err);
    s->off++;
    return 0;
}

/* The value at s->off, which goes behind it. */
static int take_value(struct scan *s, struct scan_piece *ret, struct err *err)
{
    struct scan_cut c = {0};
    uint64_t start = s->off, from = start;
    for (;;) {
        const char *end = source_at(s->src, source_end(s->src));
        const char *behind = scan_cut(&c, source_at(s->src, from), end);
        if (behind) {
            const char *text = source_at(s->src, start);
            *ret = (struct scan_piece){text, (size_t)(behind - text), s->line};
            s->line += count_lines(text, behind);
            s->off = start + ret->len;
            return 0;
        }
        from = source_end(s->src);
        int rc = source_more(s->src, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return bad(s, "a value without end", err);
    }
}

/* The comma or the bracket behind a child; *ret_end for the bracket. */
static int separator(struct scan *s, char close, bool *ret_end, struct err *err)
{
    char ch;
    int rc = next_byte(s, &ch, err);
    if (rc < 0)
        return rc;
    *ret_end = ch == close;
    if (ch == close || (ch == ',' && !s->first))
        s->off++;
    else if (!s->first)
        return bad(s, "a comma was expected", err);
    /* A comma must be followed by something. */
    if (ch == ',') {
        rc = next_byte(s, &ch, err);
        if (rc == 0 && ch == close)
            rc = bad(s, "a value was expected", err);
    }
    s->first = false;
    return rc;
}

static int next_item(struct scan *s, struct scan_next *ret, bool *ret_end, struct err *err)
{
    int rc = separator(s, ']', ret_end, err);
    if (rc < 0)
        return rc;
    if (*ret_end) {
        s->in_list = false;
        return 0;
    }
    ret->kind = SCAN_ITEM;
    return take_value(s, &ret->piece, err);
}

static int next_field(struct scan *s, struct scan_next *ret, struct err *err)
{
    bool end = false;
    char ch;
    int rc = separator(s, '}', &end, err);
    ret->kind = end ? SCAN_END : SCAN_FIELD;
    if (rc < 0 || end)
        return rc;
    rc = next_byte(s, &ch, err);
    if (rc == 0 && ch != '"')
        rc = bad(s, "a key was expected", err);
    if (rc < 0)
        return rc;
    struct scan_piece key;
    ret->key_off = s->off;
    rc = take_value(s, &key, err);
    if (rc < 0)
        return rc;
    size_t n = key.len - 2 < SCAN_KEY_MAX - 1 ? key.len - 2 : SCAN_KEY_MAX - 1;
    memcpy(ret->key, key.text + 1, n);
    ret->key[n] = '\0';
    rc = expect(s, ':', "a colon was expected", err);
    if (rc == 0)
        rc = next_byte(s, &ch, err);
    if (rc < 0)
        return rc;
    s->in_list = ch == '[' && strcmp(ret->key, "items") == 0;
    if (!s->in_list)
        return take_value(s, &ret->piece, err);
    s->off++;
    s->lists++;
    s->list_key_off = ret->key_off;
    s->first = true;
    return 0;
}

int scan_next(struct scan *s, struct scan_next *ret, struct err *err)
{
    for (;;) {
        bool end = false;
        if (!s->in_list) {
            int rc = next_field(s, ret, err);
            if (rc < 0 || !s->in_list)
                return rc;
        }
        int rc = next_item(s, ret, &end, err);
        if (rc < 0 || !end)
            return rc;
    }
}
