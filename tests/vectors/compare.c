/* Comparison of an expectation with a result. */
#include "vec.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MAX_LEN = 500 };

struct difference {
    char path[PATH_MAX_LEN];
    const struct doc_node *want, *got;
};

static bool same(const struct doc_node *want, const struct doc_node *got, const struct vec_compare *rules,
                 struct difference *d);

/* Absent, null, zero or empty all the way down. */
static bool is_zero(const struct doc_node *n)
{
    double f;
    if (!n || n->type == DOC_NULL)
        return true;
    if (n->type == DOC_NUMBER)
        return doc_double(n, &f, NULL) == 0 && f == 0;
    if (n->type == DOC_BOOL || n->type == DOC_STRING)
        return n->type == DOC_BOOL ? strcmp(n->text, "false") == 0 : !*n->text;
    return n->n == 0;
}

static bool same_scalar(const struct doc_node *want, const struct doc_node *got)
{
    double a, b;
    if (want->type == DOC_NUMBER && got->type == DOC_NUMBER && strcmp(want->text, got->text) != 0) {
        bool whole = !strpbrk(want->text, ".eE") && !strpbrk(got->text, ".eE");
        return !whole && doc_double(want, &a, NULL) == 0 && doc_double(got, &b, NULL) == 0 && a == b;
    }
    return want->type == got->type && strcmp(want->text, got->text) == 0;
}

static bool listed(const char *const *keys, const char *key)
{
    for (; keys && *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static bool same_keys(const struct doc_node *of, const struct doc_node *want, const struct doc_node *got,
                      const struct vec_compare *rules, struct difference *d)
{
    size_t len = strlen(d->path);
    for (const struct doc_node *c = doc_first(of); c; c = c->next) {
        if (rules && listed(rules->ignore, c->key))
            continue;
        snprintf(d->path + len, sizeof(d->path) - len, ".%s", c->key);
        if (!same(doc_get(want, c->key), doc_get(got, c->key), rules, d))
            return false;
        d->path[len] = '\0';
    }
    return true;
}

static bool same_list(const struct doc_node *want, const struct doc_node *got,
                      const struct vec_compare *rules, struct difference *d)
{
    size_t len = strlen(d->path);
    const struct doc_node *w = want->first, *g = got->first;
    for (uint32_t i = 0; w || g; i++, w = w ? w->next : NULL, g = g ? g->next : NULL) {
        snprintf(d->path + len, sizeof(d->path) - len, "[%u]", i);
        if (!w || !g) {
            d->want = w;
            d->got = g;
            return false;
        }
        if (!same(w, g, rules, d))
            return false;
        d->path[len] = '\0';
    }
    return true;
}

/* Is `n` equal to an item of the list? `wanted` says which of the two is the expectation. */
static bool has_equal(const struct doc_node *list, const struct doc_node *n, bool wanted,
                      const struct vec_compare *rules)
{
    for (const struct doc_node *c = list->first; c; c = c->next) {
        struct difference ignored = {0};
        if (wanted ? same(n, c, rules, &ignored) : same(c, n, rules, &ignored))
            return true;
    }
    return false;
}

/* Equal sizes and each in the other: enough for lists without repetitions. */
static bool same_set(const struct doc_node *want, const struct doc_node *got, const struct vec_compare *rules,
                     struct difference *d)
{
    for (const struct doc_node *c = want->first; c; c = c->next)
        if (!has_equal(got, c, true, rules)) {
            d->want = c;
            d->got = got;
            return false;
        }
    for (const struct doc_node *c = got->first; c; c = c->next)
        if (!has_equal(want, c, false, rules)) {
            d->want = want;
            d->got = c;
            return false;
        }
    d->want = want;
    d->got = got;
    return want->n == got->n;
}

static bool same(const struct doc_node *want, const struct doc_node *got, const struct vec_compare *rules,
                 struct difference *d)
{
    bool ok;
    d->want = want;
    d->got = got;
    if (is_zero(want) && is_zero(got))
        return true;
    bool maps = doc_is(want, DOC_MAP) || doc_is(got, DOC_MAP);
    if (maps && (is_zero(want) || doc_is(want, DOC_MAP)) && (is_zero(got) || doc_is(got, DOC_MAP)))
        return same_keys(want, want, got, rules, d) &&
               ((rules && rules->subset) || same_keys(got, want, got, rules, d));
    if (!want || !got || want->type != got->type)
        return false;
    if (want->type != DOC_LIST)
        ok = same_scalar(want, got);
    else
        ok = rules && rules->sets ? same_set(want, got, rules, d) : same_list(want, got, rules, d);
    return ok;
}

void vec_check_doc(struct vec *v, const char *field, const struct doc_node *want, const struct doc_node *got,
                   const struct vec_compare *rules)
{
    struct difference d = {0};
    v->checks++;
    snprintf(d.path, sizeof(d.path), "%s", field);
    if (!same(want, got, rules, &d))
        vec_fail(v, d.path, vec_text(v, d.want), vec_text(v, d.got));
}

void vec_check_json(struct vec *v, const char *field, const struct doc_node *want, const struct str *got,
                    const struct vec_compare *rules)
{
    const struct doc_node *n = vec_read(v, str_text(got));
    if (n)
        vec_check_doc(v, field, want, n, rules);
}
