#include "api/doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_SORTED_FROM = 16 }; /* below, comparing all pairs of keys is cheaper than sorting them */

const char *doc_type_name(enum doc_type t)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "list", "map"};
    return t <= DOC_MAP ? names[t] : "unknown";
}

const struct doc_node *doc_get(const struct doc_node *map, const char *key)
{
    if (!map || map->type != DOC_MAP)
        return NULL;
    for (const struct doc_node *c = map->first; c; c = c->next) {
        if (strcmp(c->key, key) == 0)
            return c;
    }
    return NULL;
}

const struct doc_node *doc_field(const struct doc_node *map, const char *key)
{
    const struct doc_node *c = doc_get(map, key);
    return c && c->type != DOC_NULL ? c : NULL;
}

static const struct doc_node *field_n(const struct doc_node *map, const char *key, size_t len)
{
    if (!map || map->type != DOC_MAP)
        return NULL;
    for (const struct doc_node *c = map->first; c; c = c->next) {
        if (strncmp(c->key, key, len) == 0 && !c->key[len])
            return c->type == DOC_NULL ? NULL : c;
    }
    return NULL;
}

const struct doc_node *doc_path(const struct doc_node *n, const char *dotted)
{
    while (n && *dotted) {
        size_t len = strcspn(dotted, ".");
        n = field_n(n, dotted, len);
        dotted += len + (dotted[len] == '.');
    }
    return n;
}

const struct doc_node *doc_at(const struct doc_node *list, uint32_t i)
{
    const struct doc_node *c = doc_first(list);
    while (c && i--)
        c = c->next;
    return c;
}

bool doc_is(const struct doc_node *n, enum doc_type t)
{
    return n && n->type == t;
}

bool doc_is_text(const struct doc_node *n, const char *text)
{
    return doc_is(n, DOC_STRING) && strcmp(n->text, text) == 0;
}

/* ---- typed readings ----------------------------------------------------------------------------------------------------- */

static int want(const struct doc_node *n, enum doc_type type, const char *what, struct err *err)
{
    if (!n || n->type == DOC_NULL)
        return err_set(err, ERR_NOTFOUND, "must be %s", what);
    if (n->type != type)
        return err_set(err, ERR_INVALID, "must be %s, not a %s", what, doc_type_name(n->type));
    return 0;
}

int doc_i64(const struct doc_node *n, int64_t *ret, struct err *err)
{
    int rc = want(n, DOC_NUMBER, "an integer", err);
    if (rc < 0)
        return rc;
    /* YAML's 0x and 0o; JSON has neither. */
    const char *digits = n->text;
    int base = 10;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o')) {
        base = digits[1] == 'x' ? 16 : 8;
        digits += 2;
    }
    char *end;
    errno = 0;
    long long v = strtoll(digits, &end, base);
    if (*end || end == digits)
        return err_set(err, ERR_INVALID, "must be an integer, not %.64s", n->text);
    if (errno == ERANGE)
        return err_set(err, ERR_RANGE, "must be an integer of 64 bits, not %.64s", n->text);
    *ret = v;
    return 0;
}

int doc_i32(const struct doc_node *n, int32_t *ret, struct err *err)
{
    int64_t v;
    int rc = doc_i64(n, &v, err);
    if (rc < 0)
        return rc;
    if (v < INT32_MIN || v > INT32_MAX)
        return err_set(err, ERR_RANGE, "must be an integer of 32 bits, not %.64s", n->text);
    *ret = (int32_t)v;
    return 0;
}

int doc_bool(const struct doc_node *n, bool *ret, struct err *err)
{
    int rc = want(n, DOC_BOOL, "true or false", err);
    if (rc < 0)
        return rc;
    *ret = n->text[0] == 't' || n->text[0] == 'T';
    return 0;
}

int doc_str(const struct doc_node *n, const char **ret, struct err *err)
{
    int rc = want(n, DOC_STRING, "a string", err);
    if (rc == 0)
        *ret = n->text;
    return rc;
}

int doc_double(const struct doc_node *n, double *ret, struct err *err)
{
    int rc = want(n, DOC_NUMBER, "a number", err);
    if (rc < 0)
        return rc;
    char *end;
    double v = strtod(n->text, &end);
    if (*end || end == n->text)
        return err_set(err, ERR_INVALID, "must be a number, not %.64s", n->text);
    *ret = v;
    return 0;
}

int doc_quantity(const struct doc_node *n, struct quantity *ret, struct err *err)
{
    if (n && n->type == DOC_NUMBER)
        return quantity_parse(n->text, strlen(n->text), ret, err);
    int rc = want(n, DOC_STRING, "a quantity", err);
    return rc < 0 ? rc : quantity_parse(n->text, strlen(n->text), ret, err);
}

int doc_when(const struct doc_node *n, when_ns *ret, struct err *err)
{
    int rc = want(n, DOC_STRING, "a time", err);
    return rc < 0 ? rc : when_parse(n->text, strlen(n->text), ret, err);
}

int64_t doc_i64_or(const struct doc_node *map, const char *key, int64_t dflt)
{
    int64_t v;
    return doc_i64(doc_get(map, key), &v, NULL) == 0 ? v : dflt;
}

bool doc_bool_or(const struct doc_node *map, const char *key, bool dflt)
{
    bool v;
    return doc_bool(doc_get(map, key), &v, NULL) == 0 ? v : dflt;
}

const char *doc_str_or(const struct doc_node *map, const char *key, const char *dflt)
{
    const char *v;
    return doc_str(doc_get(map, key), &v, NULL) == 0 ? v : dflt;
}

when_ns doc_when_or(const struct doc_node *map, const char *key, when_ns dflt)
{
    when_ns v;
    return doc_when(doc_get(map, key), &v, NULL) == 0 ? v : dflt;
}

bool doc_equal(const struct doc_node *a, const struct doc_node *b)
{
    if (!a || !b || a->type != b->type || a->n != b->n)
        return a == b;
    if (a->type != DOC_LIST && a->type != DOC_MAP)
        return strcmp(a->text, b->text) == 0;
    const struct doc_node *other = b->first;
    for (const struct doc_node *c = a->first; c; c = c->next) {
        if (!doc_equal(c, a->type == DOC_MAP ? doc_get(b, c->key) : other))
            return false;
        other = other->next;
    }
    return true;
}

/* ---- for the readers ---------------------------------------------------------------------------------------------------- */

struct doc_node *doc_node_new(struct arena *a, enum doc_type type, uint32_t line)
{
    struct doc_node *n = arena_alloc(a, sizeof(*n));
    if (n)
        *n = (struct doc_node){.type = type, .line = line, .text = ""};
    return n;
}

void doc_append(struct doc_node *parent, struct doc_node **last, struct doc_node *child)
{
    child->parent = parent;
    child->index = parent->n++;
    if (*last)
        (*last)->next = child;
    else
        parent->first = child;
    *last = child;
}

static int by_key(const void *a, const void *b)
{
    const struct doc_node *x = *(const struct doc_node *const *)a, *y = *(const struct doc_node *const *)b;
    int c = strcmp(x->key, y->key);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static int duplicate(const struct doc_node *first, const struct doc_node *second, struct err *err)
{
    return err_set(err, ERR_INVALID, "line %u: the key \"%.200s\" is there already, in line %u", second->line,
                   second->key, first->line);
}

int doc_check_keys(const struct doc_node *map, struct arena *a, struct err *err)
{
    if (map->n < KEYS_SORTED_FROM) {
        doc_foreach (c, map) {
            for (const struct doc_node *d = map->first; d != c; d = d->next) {
                if (strcmp(c->key, d->key) == 0)
                    return duplicate(d, c, err);
            }
        }
        return 0;
    }
    struct arena_mark m = arena_mark(a);
    const struct doc_node **sorted = arena_alloc(a, map->n * sizeof(const struct doc_node *));
    if (!sorted)
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t n = 0;
    doc_foreach (c, map)
        sorted[n++] = c;
    qsort(sorted, n, sizeof(const struct doc_node *), by_key);
    int rc = 0;
    for (uint32_t i = 1; i < n && rc == 0; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0)
            rc = duplicate(sorted[i - 1], sorted[i], err);
    }
    arena_rewind(a, m);
    return rc;
}
