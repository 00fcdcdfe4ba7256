#include "simulated/rest.h"

#include "simulated/admit.h"
#include "simulated/rest_priv.h"

#include <ctype.h>
#include <string.h>

enum { BODY_MAX = 3 << 20 }; /* 3.7 */

const char *rest_api_version(struct store *st, const struct resource *r)
{
    return *r->group ? val_printf(&st->a, "%s/%s", r->group, r->version) : r->version;
}

/* ---- create ------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 253 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
        return false;
    for (; *s; s++)
        if (!(islower((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '-' || *s == '.'))
            return false;
    return true;
}

/* The object with what the server sets. */
static const struct val *fresh(const struct change *c, const struct val *object, const char *name)
{
    static const char *const dropped[] = {"managedFields", "deletionTimestamp", "deletionGracePeriodSeconds",
                                          "resourceVersion", "generation"};
    struct arena *a = &c->st->a;
    const struct val *m = val_get(object, "metadata");
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++)
        m = val_with(a, m, dropped[i], NULL);
    m = val_with(a, m, "name", val_str(a, name));
    if (c->r->namespaced)
        m = val_with(a, m, "namespace", val_str(a, c->ns));
    m = val_with(a, m, "uid", val_str(a, store_uid(c->st)));
    m = val_with(a, m, "creationTimestamp", val_str(a, store_time(c->st)));
    if (c->r->generation)
        m = val_with(a, m, "generation", val_int(a, 1));
    object = val_with(a, object, "metadata", m);
    return c->r->status ? val_with(a, object, "status", NULL) : object;
}

/* Refusals that come before the name is known; code 0 when there are none. */
static struct answer check_body(const struct change *c, const struct val *object)
{
    struct store *st = c->st;
    const char *kind = val_text(object, "kind", ""), *version = val_text(object, "apiVersion", "");
    if (*kind && strcmp(kind, c->r->kind) != 0)
        return refuse(st, 400, "BadRequest", "%s in version \"%s\" cannot be handled as a %s", kind, version,
                      c->r->kind);
    if (*version && strcmp(version, rest_api_version(st, c->r)) != 0)
        return refuse(st, 400, "BadRequest",
                      "the API version in the data (%s) does not match the expected API version (%s)",
                      version, rest_api_version(st, c->r));
    if (c->r->custom && (!*kind || !*version))
        return refuse(st, 400, "BadRequest", "Object 'Kind' is missing");
    const char *ns = val_text(object, "metadata.namespace", "");
    if (c->r->namespaced && *ns && strcmp(ns, c->ns) != 0)
        return refuse(
            st, 400, "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request");
    return (struct answer){0};
}

struct answer rest_create_object(const struct change *c, const struct val *object, int code)
{
    struct store *st = c->st;
    struct answer bad = check_body(c, object);
    if (bad.code)
        return bad;
    const struct resource *spaces = resource_of_kind("Namespace");
    if (c->r->namespaced && !store_find(st, spaces, NULL, c->ns))
        return refuse_not_found(st, spaces, c->ns);
    const char *name = val_text(object, "metadata.name", ""),
               *base = val_text(object, "metadata.generateName", "");
    if (!*name && !*base)
        return refuse_invalid(st, c->r, "", "metadata.name", "FieldValueRequired",
                              "Required value: name or generateName is required");
    if (!*name)
        name = val_printf(&st->a, "%s%s", base, store_suffix(st));
    if (!is_name(name))
        return refuse_invalid(
            st, c->r, name, "metadata.name", "FieldValueInvalid",
            "Invalid value: \"%s\": a lowercase RFC 1123 subdomain must consist of lower case "
            "alphanumeric characters, '-' or '.'",
            name);
    if (store_find(st, c->r, c->ns, name))
        return refuse_exists(st, c->r, name);
    object = fresh(c, object, name);
    bad = admit_check_create(st, c->r, object);
    if (bad.code)
        return bad;
    object = admit_create(st, c->r, object);
    if (c->dry) {
        struct str s;
        str_init(&s, 0);
        val_print(object, &s);
        struct answer a = answer_text(st, code, "%s", str_text(&s));
        str_free(&s);
        return a;
    }
    return answer_version(code, store_commit(st, NULL, c->r, c->ns, name, object, false));
}

/* ---- update ------------------------------------------------------------------------------------------------------------- */

/* Is this a change that observers of what is wanted must see? */
static bool is_wanted_change(const struct resource *r, const struct val *before, const struct val *after)
{
    if (!r->custom)
        return !val_equal(val_get(before, "spec"), val_get(after, "spec"));
    for (int k = 0; k < 2; k++) {
        const struct val *x = k ? before : after, *y = k ? after : before;
        for (uint32_t i = 0; i < x->n; i++) {
            const char *key = x->m[i].key;
            bool aside = strcmp(key, "metadata") == 0 || (r->status && strcmp(key, "status") == 0);
            if (!aside && !val_equal(x->m[i].v, val_get(y, key)))
                return true;
        }
    }
    return false;
}

/* The metadata as it will stand: what belongs to the server stays as it was. */
static const struct val *kept_metadata(struct arena *a, const struct val *before, const struct val *after)
{
    static const char *const kept[] = {"name",
                                       "namespace",
                                       "uid",
                                       "creationTimestamp",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds",
                                       "generation",
                                       "generateName",
                                       "resourceVersion"};
    const struct val *m = val_with(a, after, "managedFields", NULL);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (!val_equal(val_get(m, kept[i]), val_get(before, kept[i])))
            m = val_with(a, m, kept[i], val_get(before, kept[i]));
    for (int i = 0; i < 2; i++) { /* an empty map or list is none */
        const char *key = i ? "finalizers" : "annotations";
        const struct val *v = val_get(m, key);
        if (!v || v->n == 0)
            m = val_with(a, m, key, NULL);
    }
    return val_equal(m, before) ? before : m;
}

/* What a write through this door changes. */
static const struct val *through_door(const struct change *c, const struct val *before,
                                      const struct val *next)
{
    struct arena *a = &c->st->a;
    const struct val *m = kept_metadata(a, val_get(before, "metadata"), val_get(next, "metadata"));
    if (c->sub && c->r->custom)
        return val_with(a, before, "status", val_get(next, "status"));
    if (c->sub)
        return val_with(a, val_with(a, before, "status", val_get(next, "status")), "metadata", m);
    next = val_with(a, next, "metadata", m);
    return c->r->status ? val_with(a, next, "status", val_get(before, "status")) : next;
}

static struct answer check_identity(const struct change *c, const struct entry *e, const struct val *next)
{
    struct store *st = c->st;
    const struct val *before = e->newest->object;
    const char *uid = val_text(next, "metadata.uid", ""), *own = val_text(before, "metadata.uid", "");
    const char *rv = val_text(next, "metadata.resourceVersion", "");
    const char *name = val_text(next, "metadata.name", "");
    if (strcmp(name, e->name) != 0)
        return refuse(st, 400, "BadRequest",
                      "the name of the object (%s) does not match the name on the URL (%s)", name, e->name);
    bool none = !*rv || strcmp(rv, "0") == 0;
    if (none && c->whole && !c->r->unconditional)
        return refuse_invalid(st, c->r, e->name, "metadata.resourceVersion", "FieldValueInvalid",
                              "Invalid value: 0: must be specified for an update");
    if (!none && strcmp(rv, val_text(before, "metadata.resourceVersion", "")) != 0)
        return refuse_changed(st, c->r, e->name);
    /* The status of a custom kind takes its metadata from what is there before anybody compares. */
    if (*uid && strcmp(uid, own) != 0 && !(c->sub && c->r->custom))
        return refuse_invalid(st, c->r, e->name, "metadata.uid", "FieldValueInvalid",
                              "Invalid value: \"%s\": field is immutable", uid);
    return (struct answer){0};
}

static struct answer check_finalizers(const struct change *c, const struct entry *e, const struct val *after)
{
    const struct val *before = e->newest->object, *now = val_path(after, "metadata.finalizers");
    if (!val_path(before, "metadata.deletionTimestamp"))
        return (struct answer){0};
    const struct val *had = val_path(before, "metadata.finalizers");
    for (uint32_t i = 0; now && i < now->n; i++) {
        bool known = false;
        for (uint32_t k = 0; had && k < had->n; k++)
            known = known || strcmp(had->m[k].v->text, now->m[i].v->text) == 0;
        if (!known)
            return refuse_invalid(
                c->st, c->r, e->name, "metadata.finalizers", "FieldValueForbidden",
                "Forbidden: no new finalizers can be added if the object is being deleted, found "
                "new finalizers []string{\"%s\"}",
                now->m[i].v->text);
    }
    return (struct answer){0};
}

struct answer rest_update(const struct change *c, struct entry *e, const struct val *next)
{
    struct store *st = c->st;
    const struct val *before = e->newest->object;
    struct answer bad = check_identity(c, e, next);
    if (bad.code)
        return bad;
    const struct val *after = through_door(c, before, next);
    bad = check_finalizers(c, e, after);
    if (!bad.code)
        bad = admit_check_update(st, c->r, c->sub, before, after);
    if (bad.code)
        return bad;
    if (val_equal(before, after) || c->dry)
        return answer_version(200, e->newest); /* 3.9: a write that changes nothing makes no version */
    if (c->r->generation && !c->sub && is_wanted_change(c->r, before, after))
        after = val_with_path(&st->a, after, "metadata.generation",
                              val_int(&st->a, val_number(before, "metadata.generation", 0) + 1));
    const struct val *finalizers = val_path(after, "metadata.finalizers");
    bool gone = val_path(after, "metadata.deletionTimestamp") && (!finalizers || finalizers->n == 0);
    return answer_version(200, store_commit(st, e, c->r, c->ns, c->name, after, gone));
}

/* ---- delete ------------------------------------------------------------------------------------------------------------- */

static struct answer check_preconditions(const struct change *c, const struct entry *e,
                                         const struct val *options)
{
    static const char *const what[][4] = {
        {"preconditions.uid", "metadata.uid", "UID", "The object might have been deleted and then recreated"},
        {"preconditions.resourceVersion", "metadata.resourceVersion", "ResourceVersion",
         "The object might have been modified"}};
    for (int i = 0; i < 2; i++) {
        const char *want = val_text(options, what[i][0], NULL),
                   *have = val_text(e->newest->object, what[i][1], "");
        if (want && strcmp(want, have) != 0)
            return refuse_conflict(
                c->st, c->r, c->name,
                val_printf(&c->st->a,
                           "the %s in the precondition (%s) does not match the %s in record (%s). %s",
                           what[i][2], want, what[i][2], have, what[i][3]));
    }
    return (struct answer){0};
}

/* The finalizers that the asked propagation adds. Jobs orphan by default, everything else collects in the background. */
static const struct val *with_propagation(const struct change *c, const struct val *object,
                                          const char *policy)
{
    struct arena *a = &c->st->a;
    if (!policy)
        policy = strcmp(c->r->kind, "Job") == 0 ? "Orphan" : "Background";
    const char *finalizer = strcmp(policy, "Orphan") == 0       ? "orphan"
                            : strcmp(policy, "Foreground") == 0 ? "foregroundDeletion"
                                                                : NULL;
    const struct val *list = val_path(object, "metadata.finalizers");
    for (uint32_t i = 0; finalizer && list && i < list->n; i++)
        if (strcmp(list->m[i].v->text, finalizer) == 0)
            finalizer = NULL;
    if (!finalizer)
        return object;
    return val_with_path(a, object, "metadata.finalizers", val_push(a, list, val_str(a, finalizer)));
}

struct answer rest_delete_object(const struct change *c, const struct route *q, const struct val *options)
{
    struct store *st = c->st;
    struct entry *e = store_find(st, c->r, c->ns, c->name);
    if (!e)
        return refuse_not_found(st, c->r, c->name);
    struct answer bad = check_preconditions(c, e, options);
    if (bad.code)
        return bad;
    const struct val *object = e->newest->object;
    if (val_path(object, "metadata.deletionTimestamp"))
        return answer_version(200, e->newest);
    object = with_propagation(c, object, val_text(options, "propagationPolicy", q->propagation));
    const struct val *finalizers = val_path(object, "metadata.finalizers");
    if (finalizers && finalizers->n && !c->dry) {
        object = val_with_path(&st->a, object, "metadata.deletionTimestamp", val_str(&st->a, store_time(st)));
        object = val_with_path(&st->a, object, "metadata.deletionGracePeriodSeconds", val_int(&st->a, 0));
        if (c->r->generation)
            object = val_with_path(&st->a, object, "metadata.generation",
                                   val_int(&st->a, val_number(object, "metadata.generation", 0) + 1));
        return answer_version(200, store_commit(st, e, c->r, c->ns, c->name, object, false));
    }
    if (!c->dry)
        store_commit(st, e, c->r, c->ns, c->name, object, true);
    return answer_text(
        st, 200,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"details\":{"
        "\"name\":\"%s\",%s%s%s\"kind\":\"%s\",\"uid\":\"%s\"}}",
        c->name, *c->r->group ? "\"group\":\"" : "", c->r->group, *c->r->group ? "\"," : "", c->r->plural,
        val_text(object, "metadata.uid", ""));
}

static struct answer delete_collection(struct change *c, const struct route *q, const struct val *options)
{
    struct entry *next;
    for (struct entry *e = store_first(c->st, c->r); e; e = next) {
        next = store_next(e);
        if (e->newest->deleted || (q->ns && strcmp(q->ns, e->ns) != 0) ||
            !route_selects(q, e->newest->object))
            continue;
        c->ns = e->ns;
        c->name = e->name;
        rest_delete_object(c, q, options);
    }
    return rest_list(c->st, q);
}

/* ---- one request -------------------------------------------------------------------------------------------------------- */

static struct answer not_allowed(struct store *st)
{
    return refuse(st, 405, "MethodNotAllowed",
                  "the server does not allow this method on the requested resource");
}

static struct answer write_named(struct change *c, const struct rest_request *r)
{
    struct entry *e = store_find(c->st, c->r, c->ns, c->name);
    if (r->verb == KUBE_PATCH)
        return rest_patch_object(c, e, r);
    const struct val *body = r->document;
    if (!body || body->type != VAL_MAP)
        return refuse(c->st, 400, "BadRequest", "the body is not an object");
    struct answer bad = check_body(c, body);
    if (bad.code)
        return bad;
    if (!e && strcmp(c->r->kind, "Lease") == 0) /* the one kind here that an update creates */
        return rest_create_object(c, body, 201);
    if (!e)
        return refuse_not_found(c->st, c->r, c->name);
    c->whole = true;
    return rest_update(c, e, body);
}

static struct answer write_object(struct store *st, const struct rest_request *r)
{
    const struct route *q = r->route;
    struct change c = {.st = st,
                       .r = q->resource,
                       .ns = q->ns,
                       .name = q->name,
                       .sub = q->sub,
                       .manager = q->manager ? q->manager : "client",
                       .dry = q->dry_run != NULL};
    if (r->len > BODY_MAX)
        return refuse(st, 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
    if (c.r->namespaced && !c.ns)
        return not_allowed(st);
    if (r->verb == KUBE_DELETE) {
        const struct val *options = r->document;
        if (r->len && !options)
            return refuse(st, 400, "BadRequest", "the options cannot be read");
        return c.name ? rest_delete_object(&c, q, options) : delete_collection(&c, q, options);
    }
    if (r->verb != KUBE_POST)
        return c.name ? write_named(&c, r) : not_allowed(st);
    if (c.name)
        return not_allowed(st);
    const struct val *body = r->document;
    if (!body || body->type != VAL_MAP)
        return refuse(st, 400, "BadRequest", "the object provided is unrecognized: not JSON");
    return rest_create_object(&c, body, 201);
}

/* May we? Always. */
static struct answer review(struct store *st, const struct rest_request *r)
{
    const struct val *body = r->document;
    if (r->verb != KUBE_POST || !body)
        return not_allowed(st);
    struct str s;
    str_init(&s, 0);
    val_print(val_with(&st->a, body, "status", val_format(&st->a, "{\"allowed\":true}")), &s);
    struct answer a = answer_text(st, 201, "%s", str_text(&s));
    str_free(&s);
    return a;
}

struct answer rest_do(struct store *st, const struct rest_request *r)
{
    const struct route *q = r->route;
    if (strcmp(q->path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") == 0)
        return review(st, r);
    if (!q->resource)
        return r->verb == KUBE_GET ? rest_discovery(st, q) : refuse_no_route(st);
    bool status = q->sub && q->resource->status && strcmp(q->sub, "status") == 0;
    if (!st->served[resource_index(q->resource)])
        return refuse_no_route(st);
    if (q->sub && !status)
        return refuse(st, 404, "NotFound", "the server could not find the requested resource");
    if (r->verb != KUBE_GET)
        return write_object(st, r);
    return q->name ? rest_get(st, q) : rest_list(st, q);
}

/* ---- for the others in the cluster -------------------------------------------------------------------------------------- */

const struct version *rest_patch(struct store *st, const char *actor, const struct resource *r,
                                 const char *ns, const char *name, const char *sub, const struct val *patch)
{
    const char *before = st->actor;
    struct change c = {.st = st, .r = r, .ns = ns, .name = name, .sub = sub, .manager = actor};
    struct entry *e = store_find(st, r, ns, name);
    if (!e)
        return NULL;
    st->actor = actor;
    struct answer a = rest_update(&c, e, val_merge(&st->a, e->newest->object, patch));
    st->actor = before;
    return a.code == 200 ? a.v : NULL;
}

const struct version *rest_create(struct store *st, const char *actor, const struct resource *r,
                                  const char *ns, const struct val *object)
{
    const char *before = st->actor;
    struct change c = {.st = st, .r = r, .ns = ns, .manager = actor};
    st->actor = actor;
    object = val_with(&st->a, object, "kind", val_str(&st->a, r->kind));
    object = val_with(&st->a, object, "apiVersion", val_str(&st->a, rest_api_version(st, r)));
    struct answer a = rest_create_object(&c, object, 201);
    st->actor = before;
    return a.code == 201 ? a.v : NULL;
}

bool rest_delete(struct store *st, const char *actor, const struct resource *r, const char *ns,
                 const char *name)
{
    const char *before = st->actor;
    struct change c = {.st = st, .r = r, .ns = ns, .name = name};
    struct route q = {.propagation = "Background"};
    st->actor = actor;
    struct answer a = rest_delete_object(&c, &q, NULL);
    st->actor = before;
    return a.code == 200;
}
