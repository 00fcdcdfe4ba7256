#include "jobs/canon.h"

#include "base/sha1.h"

#include <stdlib.h>
#include <string.h>

static bool put(struct str *out, const struct doc_node *n, struct arena *scratch);

/* Takes back what was written behind `len`. */
static void cut(struct str *out, size_t len)
{
    if (out->p && !out->failed) {
        out->len = len;
        out->p[len] = '\0';
    }
}

static int by_key(const void *a, const void *b)
{
    const struct doc_node *x = *(const struct doc_node *const *)a, *y = *(const struct doc_node *const *)b;
    return strcmp(x->key, y->key);
}

static bool put_map(struct str *out, const struct doc_node *map, struct arena *scratch)
{
    struct arena_mark mark = arena_mark(scratch);
    const struct doc_node **sorted = ARENA_NEW(scratch, const struct doc_node *, map->n + 1);
    size_t begin = out->len;
    uint32_t n = 0;
    bool any = false;
    doc_foreach (c, map)
        sorted[n++] = c;
    qsort(sorted, n, sizeof(const struct doc_node *), by_key);
    for (uint32_t i = 0; i < n; i++) {
        size_t here = out->len;
        str_addc(out, any ? ',' : '{');
        str_add_json(out, sorted[i]->key);
        str_addc(out, ':');
        if (put(out, sorted[i], scratch))
            any = true;
        else
            cut(out, here);
    }
    arena_rewind(scratch, mark);
    if (any)
        str_addc(out, '}');
    else
        cut(out, begin);
    return any;
}

/* What is empty keeps its place. */
static bool put_list(struct str *out, const struct doc_node *list, struct arena *scratch)
{
    doc_foreach (c, list) {
        str_addc(out, c->index ? ',' : '[');
        if (!put(out, c, scratch))
            str_add(out, "null");
    }
    if (list->n)
        str_addc(out, ']');
    return list->n != 0;
}

static bool is_key(const struct doc_node *n, const char *key)
{
    return n && n->key && strcmp(n->key, key) == 0;
}

/* An amount below resources.requests or resources.limits. */
static bool put_quantity(struct str *out, const struct doc_node *n)
{
    struct quantity q;
    char text[64];
    bool amounts = n->parent && (is_key(n->parent, "requests") || is_key(n->parent, "limits")) &&
                   is_key(n->parent->parent, "resources");
    if (!amounts || quantity_parse(n->text, strlen(n->text), &q, NULL) < 0)
        return false;
    quantity_print(q, text, sizeof(text));
    str_add_json(out, text);
    return true;
}

static bool put(struct str *out, const struct doc_node *n, struct arena *scratch)
{
    switch (n->type) {
    case DOC_NULL:
        return false;
    case DOC_MAP:
        return put_map(out, n, scratch);
    case DOC_LIST:
        return put_list(out, n, scratch);
    case DOC_STRING:
        if (!*n->text)
            return false;
        if (!put_quantity(out, n))
            str_add_json(out, n->text);
        return true;
    case DOC_NUMBER:
        if (!put_quantity(out, n))
            str_add(out, n->text);
        return true;
    case DOC_BOOL:
        str_add(out, n->text);
        return true;
    }
    return false;
}

void canon_put(struct str *out, const struct doc_node *n, struct arena *scratch)
{
    if (n)
        (void)put(out, n, scratch);
}

static uint64_t hex64(const char *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 16; i++)
        v = v << 4 | (uint64_t)(p[i] <= '9' ? p[i] - '0' : p[i] - 'a' + 10);
    return v;
}

struct canon_digest canon_digest_of(const char *text, size_t len)
{
    char hex[SHA1_HEX + 1];
    sha1_hex(text, len, hex);
    return (struct canon_digest){.hi = hex64(hex), .lo = hex64(hex + 16)};
}

bool canon_digest_equal(struct canon_digest a, struct canon_digest b)
{
    return a.hi == b.hi && a.lo == b.lo;
}
