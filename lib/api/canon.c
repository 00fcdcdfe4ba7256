#include "api/kinds.h"

#include <stdlib.h>
#include <string.h>

/* Canonical bytes: maps sorted by key, quantities in canonical text, nothing for what is absent, null or empty. Written twice, first
 * to count and then to fill, so that the arena holds exactly the result. */
struct canon {
    struct arena *arena; /* scratch for sorting, rewound after each pass */
    char *out;           /* NULL in the counting pass */
    size_t len;
};

static void put_n(struct canon *c, const char *s, size_t n)
{
    if (c->out && n)
        memcpy(c->out + c->len, s, n);
    c->len += n;
}

static void put(struct canon *c, const char *s)
{
    put_n(c, s, strlen(s));
}

/* Strings with their length in front: no escapes are needed. */
static void put_string(struct canon *c, const char *s)
{
    size_t n = strlen(s);
    char head[24];
    size_t len = sizeof(head);
    head[--len] = ':';
    size_t rest = n;
    do {
        head[--len] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    put_n(c, head + len, sizeof(head) - len);
    put_n(c, s, n);
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static bool is_empty(const struct doc_node *n)
{
    return !n || n->type == DOC_NULL || (n->type == DOC_STRING && !*n->text) ||
           ((n->type == DOC_LIST || n->type == DOC_MAP) && !n->n);
}

static int by_key(const void *a, const void *b)
{
    const struct doc_node *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static void put_node(struct canon *c, const struct doc_node *n);

static void put_map(struct canon *c, const struct doc_node *map)
{
    const struct doc_node **sorted = ARENA_NEW(c->arena, const struct doc_node *, map->n + 1);
    uint32_t n = 0;
    doc_foreach (child, map)
        sorted[n++] = child;
    qsort(sorted, n, sizeof(const struct doc_node *), by_key);
    put(c, "{");
    for (uint32_t i = 0; i < n; i++) {
        if (is_empty(sorted[i]))
            continue;
        put_string(c, sorted[i]->key);
        put_node(c, sorted[i]);
    }
    put(c, "}");
}

static void put_node(struct canon *c, const struct doc_node *n)
{
    switch (n->type) {
    case DOC_MAP:
        put_map(c, n);
        break;
    case DOC_LIST:
        put(c, "[");
        doc_foreach (child, n)
            put_node(c, child);
        put(c, "]");
        break;
    case DOC_STRING:
        put_string(c, n->text);
        break;
    case DOC_NULL:
        put(c, "~");
        break;
    default:
        put(c, n->text);
        put(c, ",");
        break;
    }
}

/* ---- parts of a pod ----------------------------------------------------------------------------------------------------- */

static int by_resource(const void *a, const void *b)
{
    const struct fact_amount *x = a, *y = b;
    return strcmp(x->resource, y->resource);
}

static void put_amounts(struct canon *c, const char *head, const struct fact_amount *list, uint32_t n)
{
    if (!n)
        return;
    struct fact_amount *sorted = ARENA_NEW(c->arena, struct fact_amount, n);
    memcpy(sorted, list, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_resource);
    put(c, head);
    for (uint32_t i = 0; i < n; i++) {
        char text[64];
        quantity_print(sorted[i].q, text, sizeof(text));
        put_string(c, sorted[i].resource);
        put_string(c, text);
    }
    put(c, ";");
}

static void put_field(struct canon *c, const char *head, const struct doc_node *parent, const char *field)
{
    const struct doc_node *n = doc_field(parent, field);
    if (is_empty(n))
        return;
    put(c, head);
    put_node(c, n);
}

static void put_containers(struct canon *c, const char *head, const struct doc_node *list,
                           const struct fact_container *containers, uint32_t n)
{
    put(c, head);
    const struct doc_node *node = doc_first(list);
    for (uint32_t i = 0; i < n; i++) {
        while (node && node->type != DOC_MAP)
            node = node->next;
        put_amounts(c, "r", containers[i].requests, containers[i].nrequests);
        put_field(c, "p", node, "ports");
        put(c, "|");
        node = node ? node->next : NULL;
    }
}

static void put_pod(struct canon *c, const struct doc_node *spec, const struct fact_pod *pod)
{
    put_containers(c, "I", doc_field(spec, "initContainers"), pod->init, pod->ninit);
    put_containers(c, "C", doc_field(spec, "containers"), pod->containers, pod->ncontainers);
    if (pod->has_resources) {
        put(c, "R");
        put_amounts(c, "r", pod->resources.requests, pod->resources.nrequests);
    }
    put_amounts(c, "O", pod->overhead, pod->noverhead);
    put_field(c, "N", spec, "nodeSelector");
    put_field(c, "A", spec, "affinity");
    put_field(c, "T", spec, "tolerations");
    put_field(c, "K", spec, "runtimeClassName");
    put_field(c, "P", spec, "priority");
    put_field(c, "S", spec, "topologySpreadConstraints");
    put_field(c, "D", spec, "resourceClaims");
}

/* ---- the two passes ----------------------------------------------------------------------------------------------------- */

static void pass(struct canon *c, const struct doc_node *node, const struct fact_pod *pod)
{
    struct arena_mark m = arena_mark(c->arena);
    c->len = 0;
    if (pod)
        put_pod(c, node, pod);
    else
        put_node(c, node);
    arena_rewind(c->arena, m);
}

static const char *canon(struct reader *rd, const struct doc_node *node, const struct fact_pod *pod,
                         size_t *ret_len)
{
    struct canon c = {.arena = rd->arena};
    struct arena_mark m = arena_mark(rd->arena);
    pass(&c, node, pod);
    *ret_len = c.len;
    char *out = arena_need(rd->arena, c.len + 1);
    c.out = out;
    pass(&c, node, pod);
    if (!rd->names)
        return out;
    const char *kept = rd_text(rd, out);
    arena_rewind(rd->arena, m);
    return kept;
}

void canon_pod(struct reader *rd, const struct doc_node *spec, const struct fact_pod *pod, const char **ret,
               uint32_t *ret_len)
{
    size_t len;
    *ret = canon(rd, spec, pod, &len);
    *ret_len = (uint32_t)len;
}

const char *canon_text(struct reader *rd, const struct doc_node *node)
{
    size_t len;
    return is_empty(node) ? "" : canon(rd, node, NULL, &len);
}
