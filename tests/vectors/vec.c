/* What handlers read and report with. */
#include "vec.h"

#include "api/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_LONGEST = 400 };

/* ---- memory, text ------------------------------------------------------------------------------------------------------- */

void *vec_alloc(struct vec *v, size_t size)
{
    void *p = arena_alloc(v->arena, size ? size : 1);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    memset(p, 0, size);
    return p;
}

const char *vec_printf(struct vec *v, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *s = vec_alloc(v, (size_t)len + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return s;
}

static void print_node(struct str *s, const struct doc_node *n)
{
    bool map = n->type == DOC_MAP;
    if (n->type == DOC_STRING) {
        str_add_json(s, n->text);
    } else if (map || n->type == DOC_LIST) {
        str_addc(s, map ? '{' : '[');
        for (const struct doc_node *c = n->first; c && s->len < TEXT_LONGEST; c = c->next) {
            if (c != n->first)
                str_addc(s, ',');
            if (map)
                str_addf(s, "\"%s\":", c->key);
            print_node(s, c);
        }
        str_addc(s, map ? '}' : ']');
    } else {
        str_add(s, n->type == DOC_NULL ? "null" : n->text);
    }
}

const char *vec_text(struct vec *v, const struct doc_node *n)
{
    struct str s;
    if (!n)
        return "nothing";
    str_init(&s, 0);
    print_node(&s, n);
    const char *text = vec_printf(v, "%.*s%s", TEXT_LONGEST, str_text(&s), s.len > TEXT_LONGEST ? "..." : "");
    str_free(&s);
    return text;
}

const struct doc_node *vec_read(struct vec *v, const char *json)
{
    struct err err;
    const struct doc_node *n = NULL;
    if (json_read(v->arena, v->scratch, json, strlen(json), 1, &n, &err)) {
        vec_broken(v, "reading a result", &err);
        return NULL;
    }
    return n;
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

void vec_fail(struct vec *v, const char *field, const char *expected, const char *got)
{
    v->failed = true;
    printf("%s: %s: %s: expected %s, got %s\n", v->file, v->name, field, expected, got);
}

void vec_broken(struct vec *v, const char *what, const struct err *err)
{
    v->failed = true;
    printf("%s: %s: %s: %s\n", v->file, v->name, what, err ? err->text : "failed");
}

void vec_skip(struct vec *v, const char *reason)
{
    v->skip = reason;
}

void vec_check(struct vec *v, const char *field, bool ok, const char *expected, const char *got)
{
    v->checks++;
    if (!ok)
        vec_fail(v, field, expected, got);
}

void vec_check_i64(struct vec *v, const char *field, const struct doc_node *want, int64_t got)
{
    int64_t w = vec_i64(v, want);
    vec_check(v, field, w == got, vec_printf(v, "%" PRId64, w), vec_printf(v, "%" PRId64, got));
}

void vec_check_bool(struct vec *v, const char *field, const struct doc_node *want, bool got)
{
    bool w = vec_bool(v, want);
    vec_check(v, field, w == got, w ? "true" : "false", got ? "true" : "false");
}

void vec_check_str(struct vec *v, const char *field, const struct doc_node *want, const char *got)
{
    const char *w = vec_str(v, want);
    vec_check(v, field, strcmp(w, got) == 0, vec_printf(v, "\"%s\"", w), vec_printf(v, "\"%s\"", got));
}

void vec_check_double(struct vec *v, const char *field, const struct doc_node *want, double got)
{
    double w = vec_double(v, want);
    bool ok = w == got || (isnan(w) && isnan(got));
    vec_check(v, field, ok, vec_printf(v, "%.17g", w), vec_printf(v, "%.17g", got));
}

void vec_check_quantity(struct vec *v, const char *field, const struct doc_node *want, struct quantity got)
{
    char a[64], b[64];
    quantity_print(vec_quantity(v, want), a, sizeof(a));
    quantity_print(got, b, sizeof(b));
    vec_check(v, field, strcmp(a, b) == 0, vec_printf(v, "%s", a), vec_printf(v, "%s", b));
}

void vec_check_when(struct vec *v, const char *field, const struct doc_node *want, when_ns got)
{
    char a[40] = "none", b[40] = "none";
    when_ns w = vec_when(v, want);
    if (w != WHEN_NONE)
        when_print(w, a, sizeof(a));
    if (got != WHEN_NONE)
        when_print(got, b, sizeof(b));
    vec_check(v, field, strcmp(a, b) == 0, vec_printf(v, "%s", a), vec_printf(v, "%s", b));
}

static const struct doc_node *texts_node(struct vec *v, const char *const *got, uint32_t n)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            str_addc(&s, ',');
        str_add_json(&s, got[i]);
    }
    str_addc(&s, ']');
    const struct doc_node *node = vec_read(v, str_text(&s));
    str_free(&s);
    return node;
}

void vec_check_list(struct vec *v, const char *field, const struct doc_node *want, const char *const *got,
                    uint32_t n)
{
    vec_check_doc(v, field, want, texts_node(v, got, n), NULL);
}

void vec_check_set(struct vec *v, const char *field, const struct doc_node *want, const char *const *got,
                   uint32_t n)
{
    vec_check_doc(v, field, want, texts_node(v, got, n), &(struct vec_compare){.sets = true});
}

/* ---- what the case gives ------------------------------------------------------------------------------------------------ */

const struct doc_node *vec_find(const struct vec *v, const char *key)
{
    const struct doc_node *from[] = {v->input, v->fixtures, v->shared, doc_field(v->shared, "fixtures")};
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        const struct doc_node *n = doc_field(from[i], key);
        if (n)
            return n;
    }
    return NULL;
}

const struct doc_node *vec_want(struct vec *v, const char *key)
{
    const struct doc_node *n = doc_get(v->want, key);
    if (!n)
        vec_fail(v, key, "an expectation", "none in the file");
    return n;
}

static bool absent(const struct doc_node *n)
{
    return !n || n->type == DOC_NULL;
}

static void wrong(struct vec *v, const struct doc_node *n, const char *type)
{
    vec_fail(v, n->key ? n->key : "item", type, vec_text(v, n));
}

int64_t vec_i64(struct vec *v, const struct doc_node *n)
{
    int64_t i = 0;
    if (doc_is_text(n, "unlimited"))
        return INT64_MAX;
    if (!absent(n) && doc_i64(n, &i, NULL))
        wrong(v, n, "an integer");
    return i;
}

double vec_double(struct vec *v, const struct doc_node *n)
{
    double d = 0;
    if (doc_is_text(n, "+Inf"))
        return INFINITY;
    if (doc_is_text(n, "-Inf"))
        return -INFINITY;
    if (doc_is_text(n, "NaN"))
        return NAN;
    if (!absent(n) && doc_double(n, &d, NULL))
        wrong(v, n, "a number");
    return d;
}

bool vec_bool(struct vec *v, const struct doc_node *n)
{
    bool b = false;
    if (!absent(n) && doc_bool(n, &b, NULL))
        wrong(v, n, "a boolean");
    return b;
}

const char *vec_str(struct vec *v, const struct doc_node *n)
{
    const char *s = "";
    if (!absent(n) && doc_str(n, &s, NULL))
        wrong(v, n, "a string");
    return s;
}

struct quantity vec_quantity(struct vec *v, const struct doc_node *n)
{
    struct quantity q = {0};
    if (!absent(n) && doc_quantity(n, &q, NULL))
        wrong(v, n, "a quantity");
    return q;
}

when_ns vec_when(struct vec *v, const struct doc_node *n)
{
    when_ns t = WHEN_NONE;
    if (!absent(n) && doc_when(n, &t, NULL))
        wrong(v, n, "a time");
    return t;
}

int64_t vec_duration(struct vec *v, const struct doc_node *n)
{
    int64_t ns = 0;
    const char *s = vec_str(v, n);
    if (*s && duration_parse(s, strlen(s), &ns, NULL))
        wrong(v, n, "a duration");
    return ns;
}

const struct fact_amount *vec_amounts(struct vec *v, const struct doc_node *map, uint32_t *ret_n)
{
    *ret_n = map ? map->n : 0;
    struct fact_amount *a = vec_alloc(v, *ret_n * sizeof(*a));
    doc_foreach (c, map)
        a[c->index] = (struct fact_amount){c->key, vec_quantity(v, c)};
    return a;
}
