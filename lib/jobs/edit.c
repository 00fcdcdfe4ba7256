#include "jobs/edit.h"

#include <string.h>

/* ---- parts exchanged ---------------------------------------------------------------------------------------------------- */

struct doc_node *edit_put_key(struct arena *a, const struct doc_node *map, const char *path, const char *key,
                              struct doc_node *value)
{
    const struct doc_node *at = *path ? doc_path(map, path) : map;
    struct make out = make_map(a, map ? map->line : 0);
    bool placed = false;
    if (!value && !doc_get(at, key))
        return map ? make_copy(a, map) : out.node;
    doc_foreach (c, doc_is(at, DOC_MAP) ? at : NULL) {
        if (strcmp(c->key, key) != 0) {
            make_put_copy(&out, NULL, c);
            continue;
        }
        placed = true;
        if (value)
            make_put(&out, key, value);
    }
    if (!placed && value)
        make_put(&out, key, value);
    return *path ? edit_put(a, map, path, out.node) : out.node;
}

struct doc_node *edit_put(struct arena *a, const struct doc_node *map, const char *path,
                          struct doc_node *value)
{
    const char *dot = strrchr(path, '.');
    if (!dot)
        return edit_put_key(a, map, "", path, value);
    return edit_put_key(a, map, make_format(a, "%.*s", (int)(dot - path), path), dot + 1, value);
}

struct doc_node *edit_item(struct arena *a, const struct doc_node *list, uint32_t i, struct doc_node *item)
{
    struct make out = make_list(a, list->line);
    doc_foreach (c, list)
        make_put(&out, NULL, c->index == i ? item : make_copy(a, c));
    return out.node;
}

/* ---- as text ------------------------------------------------------------------------------------------------------------ */

/* Numbers are as JSON wrote them: documents of an API server are JSON. */
void edit_json(struct str *out, const struct doc_node *n)
{
    switch (n->type) {
    case DOC_NULL:
        str_add(out, "null");
        break;
    case DOC_BOOL:
    case DOC_NUMBER:
        str_add(out, n->text);
        break;
    case DOC_STRING:
        str_add_json(out, n->text);
        break;
    case DOC_LIST:
    case DOC_MAP:
        str_addc(out, n->type == DOC_LIST ? '[' : '{');
        doc_foreach (c, n) {
            str_add(out, c->index ? "," : "");
            if (n->type == DOC_MAP) {
                str_add_json(out, c->key);
                str_addc(out, ':');
            }
            edit_json(out, c);
        }
        str_addc(out, n->type == DOC_LIST ? ']' : '}');
        break;
    }
}

/* ---- the difference ----------------------------------------------------------------------------------------------------- */

static void open_key(struct str *out, bool *any, const char *key)
{
    str_addc(out, *any ? ',' : '{');
    str_add_json(out, key);
    str_addc(out, ':');
    *any = true;
}

static void put_difference(struct str *out, const struct doc_node *before, const struct doc_node *after,
                           const char *version);

/* One key of two maps that are not equal there. */
static void put_key(struct str *out, bool *any, const char *key, const struct doc_node *was,
                    const struct doc_node *is)
{
    open_key(out, any, key);
    if (!is)
        str_add(out, "null");
    else if (doc_is(was, DOC_MAP) && is->type == DOC_MAP)
        put_difference(out, was, is, NULL);
    else
        edit_json(out, is);
}

/* Two maps that differ. `version` (may be NULL) is written first, into the map's metadata. */
static void put_difference(struct str *out, const struct doc_node *before, const struct doc_node *after,
                           const char *version)
{
    bool any = false;
    if (version) {
        const struct doc_node *was = doc_get(before, "metadata"), *is = doc_get(after, "metadata");
        bool inner = true;
        str_add(out, "{\"metadata\":{\"resourceVersion\":");
        str_add_json(out, version);
        doc_foreach (c, is) {
            if (!doc_equal(c, doc_get(was, c->key)))
                put_key(out, &inner, c->key, doc_get(was, c->key), c);
        }
        doc_foreach (c, was) {
            if (!doc_get(is, c->key))
                put_key(out, &inner, c->key, c, NULL);
        }
        str_addc(out, '}');
        any = true;
    }
    doc_foreach (c, after) {
        const struct doc_node *was = doc_get(before, c->key);
        if (!(version && strcmp(c->key, "metadata") == 0) && !doc_equal(c, was))
            put_key(out, &any, c->key, was, c);
    }
    doc_foreach (c, before) {
        if (!doc_get(after, c->key))
            put_key(out, &any, c->key, c, NULL);
    }
    str_add(out, any ? "}" : "{}");
}

void edit_patch(struct str *out, const struct doc_node *before, const struct doc_node *after)
{
    if (!doc_equal(before, after))
        put_difference(out, before, after, doc_str_or(doc_field(before, "metadata"), "resourceVersion", ""));
}
