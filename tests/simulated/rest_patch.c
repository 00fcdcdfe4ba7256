#include "simulated/rest_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- JSON patch (RFC 6902) ---------------------------------------------------------------------------------------------- */

struct pointer {
    char token[256];
    const char *rest; /* behind the token; "" at the end */
};

/* The first step of "/a~1b/0". False when it is none. */
static bool step(const char *path, struct pointer *p)
{
    if (*path++ != '/')
        return false;
    size_t n = 0;
    for (; *path && *path != '/'; path++) {
        char c = *path;
        if (c == '~' && (path[1] == '0' || path[1] == '1'))
            c = *++path == '0' ? '~' : '/';
        if (n + 1 >= sizeof(p->token))
            return false;
        p->token[n++] = c;
    }
    p->token[n] = '\0';
    p->rest = path;
    return true;
}

static const struct val *child_at(const struct val *v, const char *token)
{
    if (v && v->type == VAL_LIST) {
        size_t i = strtoul(token, NULL, 10);
        return i < v->n && strspn(token, "0123456789") == strlen(token) && *token ? v->m[i].v : NULL;
    }
    for (uint32_t i = 0; v && v->type == VAL_MAP && i < v->n; i++)
        if (strcmp(v->m[i].key, token) == 0)
            return v->m[i].v;
    return NULL;
}

/* A list with one put in, put in place of, or taken away. NULL when there is no such place. */
static const struct val *list_set(struct arena *a, const struct val *list, const char *token, char op,
                                  const struct val *v)
{
    size_t at = strcmp(token, "-") == 0 ? list->n : strtoul(token, NULL, 10);
    if (at > list->n || (op != 'a' && at == list->n))
        return NULL;
    const struct val *out = val_list();
    for (uint32_t i = 0; i <= list->n; i++) {
        if (i == at && op != 'd')
            out = val_push(a, out, v);
        if (i < list->n && (i != at || op == 'a'))
            out = val_push(a, out, list->m[i].v);
    }
    return out;
}

/* `op`: a(dd), r(eplace), d(elete). NULL when the path leads nowhere. */
static const struct val *set_at(struct arena *a, const struct val *doc, const char *path, char op,
                                const struct val *v)
{
    struct pointer p;
    if (!*path)
        return op == 'd' ? NULL : v;
    if (!doc || !step(path, &p))
        return NULL;
    const struct val *child = child_at(doc, p.token);
    if (*p.rest) {
        v = set_at(a, child, p.rest, op, v);
        op = 'r';
    } else if (op != 'a' && !child) {
        return NULL;
    }
    if (!v && op != 'd')
        return NULL;
    if (doc->type == VAL_LIST)
        return list_set(a, doc, p.token, op, v);
    return doc->type == VAL_MAP ? val_with(a, doc, p.token, op == 'd' ? NULL : v) : NULL;
}

static const struct val *get_at(const struct val *doc, const char *path)
{
    struct pointer p;
    while (doc && *path) {
        if (!step(path, &p))
            return NULL;
        doc = child_at(doc, p.token);
        path = p.rest;
    }
    return doc;
}

/* The patched document; NULL and why. */
static const struct val *json_patch(struct arena *a, const struct val *doc, const struct val *ops,
                                    const char **ret_why)
{
    for (uint32_t i = 0; i < ops->n; i++) {
        const struct val *o = ops->m[i].v, *v = child_at(o, "value");
        const char *op = val_text(o, "op", ""), *path = val_text(o, "path", "");
        *ret_why =
            val_printf(a, "the server rejected our request due to an error in our request: %s %s", op, path);
        if (strcmp(op, "test") == 0) {
            if (!val_equal(get_at(doc, path), v))
                return NULL;
            continue;
        }
        char kind = strcmp(op, "add") == 0       ? 'a'
                    : strcmp(op, "replace") == 0 ? 'r'
                    : strcmp(op, "remove") == 0  ? 'd'
                                                 : 0;
        doc = kind ? set_at(a, doc, path, kind, v) : NULL;
        if (!doc)
            return NULL;
    }
    return doc;
}

/* ---- apply (3.11), as far as controllers need it: maps field by field, lists of things with a type or name by that key ---- */

static const char *list_key(const struct val *list)
{
    static const char *const keys[] = {"type", "name"};
    for (size_t k = 0; list && list->n && k < 2; k++) {
        bool all = true;
        for (uint32_t i = 0; i < list->n; i++)
            all = all && val_text(list->m[i].v, keys[k], NULL);
        if (all)
            return keys[k];
    }
    return NULL;
}

static const struct val *apply_merge(struct arena *a, const struct val *have, const struct val *want);

static const struct val *apply_list(struct arena *a, const struct val *have, const struct val *want)
{
    const char *key = list_key(want);
    if (!key || !have || have->type != VAL_LIST)
        return want;
    const struct val *out = val_list();
    for (uint32_t i = 0; i < have->n; i++) {
        const struct val *other = val_find(want, key, val_text(have->m[i].v, key, ""));
        out = val_push(a, out, other ? apply_merge(a, have->m[i].v, other) : have->m[i].v);
    }
    for (uint32_t i = 0; i < want->n; i++)
        if (!val_find(have, key, val_text(want->m[i].v, key, "")))
            out = val_push(a, out, want->m[i].v);
    return out;
}

static const struct val *apply_merge(struct arena *a, const struct val *have, const struct val *want)
{
    if (want->type == VAL_LIST)
        return apply_list(a, have, want);
    if (want->type != VAL_MAP)
        return want;
    const struct val *out = have && have->type == VAL_MAP ? have : val_map();
    for (uint32_t i = 0; i < want->n; i++)
        out = val_with(a, out, want->m[i].key, apply_merge(a, child_at(out, want->m[i].key), want->m[i].v));
    return out;
}

/* `have` without what was applied before and is not any more. */
static const struct val *apply_drop(struct arena *a, const struct val *have, const struct val *old,
                                    const struct val *want)
{
    if (!have || !old || have->type != old->type)
        return have;
    if (have->type == VAL_MAP) {
        for (uint32_t i = 0; i < old->n; i++) {
            const char *key = old->m[i].key;
            const struct val *w = child_at(want, key), *h = child_at(have, key);
            if (h)
                have = val_with(a, have, key, w ? apply_drop(a, h, old->m[i].v, w) : NULL);
        }
        return have;
    }
    const char *key = have->type == VAL_LIST ? list_key(old) : NULL;
    if (!key)
        return have;
    const struct val *out = val_list();
    for (uint32_t i = 0; i < have->n; i++) {
        const char *name = val_text(have->m[i].v, key, "");
        const struct val *o = val_find(old, key, name), *w = val_find(want, key, name);
        if (!o || w)
            out = val_push(a, out, o ? apply_drop(a, have->m[i].v, o, w) : have->m[i].v);
    }
    return out;
}

static struct applied *applied_of(struct store *st, struct entry *e, const char *manager, const char *sub)
{
    sub = sub ? sub : "";
    struct applied *p = e->applied;
    while (p && (strcmp(p->manager, manager) != 0 || strcmp(p->sub, sub) != 0))
        p = p->next;
    if (!p) {
        p = val_alloc(&st->a, sizeof(*p));
        *p = (struct applied){.manager = val_strndup(&st->a, manager, strlen(manager)),
                              .sub = val_strndup(&st->a, sub, strlen(sub)),
                              .next = e->applied};
        e->applied = p;
    }
    return p;
}

static struct answer check_apply(const struct change *c, const struct route *q, const struct val *body)
{
    struct store *st = c->st;
    if (!q->manager)
        return refuse(st, 422, "Invalid",
                      "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required "
                      "for apply patch");
    if (strcmp(val_text(body, "apiVersion", ""), rest_api_version(st, c->r)) != 0 ||
        !*val_text(body, "kind", ""))
        return refuse(st, 400, "BadRequest", "Incorrect version specified in apply patch");
    if (val_path(body, "metadata.managedFields"))
        return refuse(st, 400, "BadRequest", "metadata.managedFields must be nil");
    if (strcmp(val_text(body, "metadata.name", c->name), c->name) != 0)
        return refuse(st, 400, "BadRequest", "the name of the object does not match the name on the URL");
    return (struct answer){0};
}

static struct answer apply(const struct change *c, struct entry *e, const struct route *q,
                           const struct val *body)
{
    struct store *st = c->st;
    struct answer bad = check_apply(c, q, body);
    if (bad.code)
        return bad;
    if (!e) {
        if (c->sub)
            return refuse_not_found(st, c->r, c->name);
        if (val_path(body, "metadata.uid"))
            return refuse_conflict(
                st, c->r, c->name,
                "uid mismatch: the provided object specified uid, and no existing object was found");
        body = val_with_path(&st->a, body, "metadata.name", val_str(&st->a, c->name));
        struct answer a = rest_create_object(c, body, 201);
        if (a.code == 201 && a.v)
            applied_of(st, a.v->entry, q->manager, NULL)->object = body;
        return a;
    }
    struct applied *mine = applied_of(st, e, q->manager, c->sub);
    const struct val *next = e->newest->object;
    if (mine->object)
        next = apply_drop(&st->a, next, mine->object, body);
    struct answer a = rest_update(c, e, apply_merge(&st->a, next, body));
    if (a.code == 200 && !c->dry)
        mine->object = body;
    return a;
}

/* ---- which -------------------------------------------------------------------------------------------------------------- */

static bool is_type(const char *type, const char *want)
{
    size_t n = strlen(want);
    return type && strncmp(type, want, n) == 0 && (!type[n] || type[n] == ';');
}

struct answer rest_patch_object(const struct change *c, struct entry *e, const struct rest_request *r)
{
    struct store *st = c->st;
    const char *type = r->content_type;
    bool merge = is_type(type, KUBE_MERGE_PATCH), json = is_type(type, KUBE_JSON_PATCH);
    if (!merge && !json && !is_type(type, KUBE_APPLY))
        return refuse(
            st, 415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
    if (merge && r->route->force)
        return refuse(st, 422, "Invalid",
                      "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for "
                      "non-apply patch");
    const struct val *body = r->document;
    if (!body || body->type != (json ? VAL_LIST : VAL_MAP))
        return refuse(st, 400, "BadRequest", "error decoding patch");
    if (!merge && !json)
        return apply(c, e, r->route, body);
    if (!e)
        return refuse_not_found(st, c->r, c->name);
    if (merge)
        return rest_update(c, e, val_merge(&st->a, e->newest->object, body));
    const char *why = "";
    const struct val *next = json_patch(&st->a, e->newest->object, body, &why);
    if (!next || next->type != VAL_MAP)
        return refuse(st, 422, "Invalid", "%s", why);
    return rest_update(c, e, next);
}
