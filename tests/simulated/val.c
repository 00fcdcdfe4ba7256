#include "simulated/val.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *val_alloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    if (!p) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    return p;
}

char *val_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = val_alloc(a, n + 1);
    if (n)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

static char *print_va(struct arena *a, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *p = val_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

char *val_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *p = print_va(a, fmt, args);
    va_end(args);
    return p;
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

static const struct val *scalar(struct arena *a, enum val_type type, const char *text)
{
    struct val *v = val_alloc(a, sizeof(*v));
    *v = (struct val){.type = type, .text = text};
    return v;
}

static const struct val *composite(struct arena *a, enum val_type type, const struct val_member *m,
                                   uint32_t n)
{
    struct val *v = val_alloc(a, sizeof(*v));
    *v = (struct val){.type = type, .n = n, .text = "", .m = m};
    return v;
}

const struct val *val_str(struct arena *a, const char *text)
{
    return scalar(a, VAL_STRING, val_strndup(a, text, strlen(text)));
}

const struct val *val_int(struct arena *a, int64_t n)
{
    return scalar(a, VAL_NUMBER, val_printf(a, "%lld", (long long)n));
}

const struct val *val_map(void)
{
    static const struct val empty = {.type = VAL_MAP, .text = ""};
    return &empty;
}

const struct val *val_list(void)
{
    static const struct val empty = {.type = VAL_LIST, .text = ""};
    return &empty;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* The text is a copy of its own: strings are unescaped in place and end where their quote stood. */
struct reader {
    struct arena *a;
    char *p, *end;
    struct val_member *stack; /* children of the values that are open */
    uint32_t n, cap;
    unsigned depth;
};

static const struct val *read_value(struct reader *r);

static void skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
        r->p++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool hex4(struct reader *r, uint32_t *ret)
{
    *ret = 0;
    if (r->end - r->p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)*r->p++;
        if (!isxdigit(c))
            return false;
        *ret = *ret << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return true;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

/* Behind a backslash. NULL when it is no escape. */
static char *unescape(struct reader *r, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end)
        return NULL;
    char c = *r->p++;
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        *out++ = to[at - from];
        return out;
    }
    uint32_t high, low;
    if (c != 'u' || !hex4(r, &high) || high == 0)
        return NULL;
    if (high >= 0xd800 && high < 0xdc00) {
        if (r->end - r->p < 6 || *r->p++ != '\\' || *r->p++ != 'u' || !hex4(r, &low) || low < 0xdc00 ||
            low > 0xdfff)
            return NULL;
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(out, high);
}

static const char *read_string(struct reader *r)
{
    if (!take(r, '"'))
        return NULL;
    char *begin = r->p, *out = r->p;
    while (r->p < r->end && *r->p != '"') {
        unsigned char c = (unsigned char)*r->p++;
        if (c < 0x20)
            return NULL;
        if (c != '\\')
            *out++ = (char)c;
        else if (!(out = unescape(r, out)))
            return NULL;
    }
    if (r->p == r->end)
        return NULL;
    r->p++;
    *out = '\0';
    return begin;
}

static size_t digits(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && isdigit((unsigned char)p[n]))
        n++;
    return n;
}

static const struct val *read_number(struct reader *r)
{
    char *begin = r->p;
    if (r->p < r->end && *r->p == '-')
        r->p++;
    size_t n = digits(r->p, r->end);
    if (n == 0 || (n > 1 && *r->p == '0'))
        return NULL;
    r->p += n;
    if (r->p < r->end && *r->p == '.') {
        n = digits(++r->p, r->end);
        if (n == 0)
            return NULL;
        r->p += n;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        n = digits(r->p, r->end);
        if (n == 0)
            return NULL;
        r->p += n;
    }
    return scalar(r->a, VAL_NUMBER, val_strndup(r->a, begin, (size_t)(r->p - begin)));
}

static const struct val *read_word(struct reader *r, const char *word, enum val_type type)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return NULL;
    r->p += n;
    return scalar(r->a, type, word);
}

static void stack_push(struct reader *r, const char *key, const struct val *v)
{
    if (mem_grow((void **)&r->stack, &r->cap, r->n + 1, sizeof(*r->stack)) != 0)
        abort();
    r->stack[r->n++] = (struct val_member){.key = key, .v = v};
}

/* What was pushed since `base` becomes the children of a value. */
static const struct val *stack_take(struct reader *r, uint32_t base, enum val_type type)
{
    uint32_t n = r->n - base;
    struct val_member *m = val_alloc(r->a, n * sizeof(*m));
    if (n)
        memcpy(m, r->stack + base, n * sizeof(*m));
    r->n = base;
    return composite(r->a, type, m, n);
}

static const struct val *read_children(struct reader *r, enum val_type type, char close)
{
    uint32_t base = r->n;
    if (take(r, close))
        return type == VAL_MAP ? val_map() : val_list();
    do {
        const char *key = NULL;
        if (type == VAL_MAP && (!(key = read_string(r)) || !take(r, ':')))
            return NULL;
        const struct val *v = read_value(r);
        if (!v)
            return NULL;
        stack_push(r, key, v);
    } while (take(r, ','));
    return take(r, close) ? stack_take(r, base, type) : NULL;
}

static const struct val *read_value(struct reader *r)
{
    skip_space(r);
    if (r->p == r->end || r->depth >= VAL_MAX_DEPTH)
        return NULL;
    r->depth++;
    const struct val *v = NULL;
    const char *text;
    switch (*r->p) {
    case '{':
        r->p++;
        v = read_children(r, VAL_MAP, '}');
        break;
    case '[':
        r->p++;
        v = read_children(r, VAL_LIST, ']');
        break;
    case '"':
        text = read_string(r);
        v = text ? scalar(r->a, VAL_STRING, text) : NULL;
        break;
    case 't':
        v = read_word(r, "true", VAL_BOOL);
        break;
    case 'f':
        v = read_word(r, "false", VAL_BOOL);
        break;
    case 'n':
        v = read_word(r, "null", VAL_NULL);
        break;
    default:
        v = read_number(r);
    }
    r->depth--;
    return v;
}

const struct val *val_parse(struct arena *a, const char *text, size_t len)
{
    char *copy = val_strndup(a, text, len);
    struct reader r = {.a = a, .p = copy, .end = copy + len};
    const struct val *v = read_value(&r);
    skip_space(&r);
    if (r.p != r.end)
        v = NULL;
    mem_free(r.stack);
    return v;
}

const struct val *val_format(struct arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = print_va(a, fmt, args);
    va_end(args);
    const struct val *v = val_parse(a, text, strlen(text));
    if (!v) {
        fprintf(stderr, "not JSON: %s\n", text);
        abort();
    }
    return v;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* Where texts are made: one place that grows and is used again. */
static struct {
    char *p;
    size_t n, cap;
} page;

static char *room(size_t n)
{
    if (page.n + n > page.cap) {
        page.cap = 2 * (page.n + n) + 4096;
        page.p = realloc(page.p, page.cap);
        if (!page.p)
            abort();
    }
    return page.p + page.n;
}

static void put(const char *s, size_t n)
{
    memcpy(room(n), s, n);
    page.n += n;
}

static void put_char(char c)
{
    *room(1) = c;
    page.n++;
}

static void put_string(const char *s)
{
    size_t n = 0;
    while ((unsigned char)s[n] >= 0x20 && s[n] != '"' && s[n] != '\\')
        n++;
    if (!s[n]) {
        put_char('"');
        put(s, n);
        put_char('"');
        return;
    }
    struct str quoted;
    str_init(&quoted, 0);
    str_add_json(&quoted, s);
    put(str_text(&quoted), quoted.len);
    str_free(&quoted);
}

static void put_value(const struct val *v)
{
    if (v->type == VAL_STRING) {
        put_string(v->text);
    } else if (v->type != VAL_MAP && v->type != VAL_LIST) {
        put(v->text, strlen(v->text));
    } else if (v->json) {
        put(v->json, v->json_len);
    } else {
        put_char(v->type == VAL_MAP ? '{' : '[');
        for (uint32_t i = 0; i < v->n; i++) {
            if (i)
                put_char(',');
            if (v->type == VAL_MAP) {
                put_string(v->m[i].key);
                put_char(':');
            }
            put_value(v->m[i].v);
        }
        put_char(v->type == VAL_MAP ? '}' : ']');
    }
}

void val_print(const struct val *v, struct str *out)
{
    page.n = 0;
    put_value(v);
    str_addn(out, page.p, page.n);
}

/* A part's text is kept: the next version of the object most likely has the same part. */
static void keep(struct arena *a, const struct val *v)
{
    if (v->n == 0 || v->json)
        return;
    page.n = 0;
    put_value(v);
    struct val *w = (struct val *)(uintptr_t)v;
    w->json = val_strndup(a, page.p, page.n);
    w->json_len = page.n;
}

const char *val_json(struct arena *a, const char *head, const struct val *map, const char *without,
                     size_t *ret_len)
{
    for (uint32_t i = 0; i < map->n; i++)
        if (strcmp(map->m[i].key, "spec") == 0)
            keep(a, map->m[i].v);
    page.n = 0;
    put(head, strlen(head));
    for (uint32_t i = 0; i < map->n; i++) {
        const char *key = map->m[i].key, *at = strstr(without, key);
        size_t n = strlen(key);
        if (at && at[n] == ' ') /* the words there are no ends of others */
            continue;
        put_char(',');
        put_string(key);
        put_char(':');
        put_value(map->m[i].v);
    }
    put_char('}');
    *ret_len = page.n;
    return val_strndup(a, page.p, page.n);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------- */

static bool is_key(const char *have, const char *key, size_t len)
{
    return have[0] == key[0] && strncmp(have, key, len) == 0 && have[len] == '\0';
}

static const struct val *get_any(const struct val *map, const char *key, size_t len)
{
    if (!map || map->type != VAL_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (is_key(map->m[i].key, key, len))
            return map->m[i].v;
    return NULL;
}

const struct val *val_get(const struct val *map, const char *key)
{
    const struct val *v = get_any(map, key, strlen(key));
    return v && v->type != VAL_NULL ? v : NULL;
}

const struct val *val_path(const struct val *v, const char *dotted)
{
    while (*dotted) {
        size_t n = strcspn(dotted, ".");
        v = get_any(v, dotted, n);
        dotted += n + (dotted[n] == '.');
    }
    return v && v->type != VAL_NULL ? v : NULL;
}

const char *val_text(const struct val *v, const char *dotted, const char *dflt)
{
    v = val_path(v, dotted);
    return v && v->type == VAL_STRING ? v->text : dflt;
}

int64_t val_number(const struct val *v, const char *dotted, int64_t dflt)
{
    v = val_path(v, dotted);
    return v && v->type == VAL_NUMBER ? strtoll(v->text, NULL, 10) : dflt;
}

bool val_true(const struct val *v, const char *dotted)
{
    v = val_path(v, dotted);
    return v && v->type == VAL_BOOL && v->text[0] == 't';
}

const struct val *val_find(const struct val *list, const char *key, const char *text)
{
    if (!list || list->type != VAL_LIST)
        return NULL;
    for (uint32_t i = 0; i < list->n; i++)
        if (strcmp(val_text(list->m[i].v, key, ""), text) == 0)
            return list->m[i].v;
    return NULL;
}

static bool equal_children(const struct val *a, const struct val *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const struct val *other = b->m[i].v;
        if (a->type == VAL_MAP && strcmp(a->m[i].key, b->m[i].key) != 0)
            other = get_any(b, a->m[i].key, strlen(a->m[i].key));
        if (!val_equal(a->m[i].v, other))
            return false;
    }
    return true;
}

bool val_equal(const struct val *a, const struct val *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->type != b->type || a->n != b->n)
        return false;
    if (a->type == VAL_MAP || a->type == VAL_LIST)
        return equal_children(a, b);
    return strcmp(a->text, b->text) == 0;
}

/* ---- changing ----------------------------------------------------------------------------------------------------------- */

static const struct val *with(struct arena *a, const struct val *map, const char *key, size_t len,
                              const struct val *v)
{
    if (!map || map->type != VAL_MAP)
        map = val_map();
    uint32_t at = 0;
    while (at < map->n && !is_key(map->m[at].key, key, len))
        at++;
    if (at == map->n ? !v : map->m[at].v == v)
        return map;
    struct val_member *m = val_alloc(a, (map->n + 1) * sizeof(*m));
    uint32_t n = map->n;
    if (n)
        memcpy(m, map->m, n * sizeof(*m));
    if (at == n)
        m[n++] = (struct val_member){.key = val_strndup(a, key, len), .v = v};
    else if (v)
        m[at].v = v;
    else
        memmove(m + at, m + at + 1, (--n - at) * sizeof(*m));
    return composite(a, VAL_MAP, m, n);
}

const struct val *val_with(struct arena *a, const struct val *map, const char *key, const struct val *v)
{
    return with(a, map, key, strlen(key), v);
}

const struct val *val_with_path(struct arena *a, const struct val *map, const char *dotted,
                                const struct val *v)
{
    size_t n = strcspn(dotted, ".");
    if (!dotted[n])
        return with(a, map, dotted, n, v);
    const struct val *child = get_any(map, dotted, n);
    if (!v && (!child || child->type != VAL_MAP))
        return map;
    return with(a, map, dotted, n, val_with_path(a, child, dotted + n + 1, v));
}

const struct val *val_push(struct arena *a, const struct val *list, const struct val *v)
{
    uint32_t n = list && list->type == VAL_LIST ? list->n : 0;
    struct val_member *m = val_alloc(a, (n + 1) * sizeof(*m));
    if (n)
        memcpy(m, list->m, n * sizeof(*m));
    m[n] = (struct val_member){.v = v};
    return composite(a, VAL_LIST, m, n + 1);
}

const struct val *val_merge(struct arena *a, const struct val *target, const struct val *patch)
{
    if (patch->type != VAL_MAP)
        return target && val_equal(target, patch) ? target : patch;
    const struct val *v = target && target->type == VAL_MAP ? target : val_map();
    for (uint32_t i = 0; i < patch->n; i++) {
        const char *key = patch->m[i].key;
        const struct val *p = patch->m[i].v;
        size_t len = strlen(key);
        v = with(a, v, key, len, p->type == VAL_NULL ? NULL : val_merge(a, get_any(v, key, len), p));
    }
    return v;
}
