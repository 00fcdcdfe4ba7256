#include "simulated/rest_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- what may be asked -------------------------------------------------------------------------------------------------- */

static bool is(const char *text, const char *what)
{
    return text && strcmp(text, what) == 0;
}

/* 3.2, 3.3: which combinations are refused. */
static struct answer check_match(struct store *st, const struct route *q)
{
    if (q->initial && !q->watch)
        return refuse_options(st, "sendInitialEvents", "sendInitialEvents is forbidden for list");
    if (q->watch && q->initial && !q->rv_match)
        return refuse_options(st, "resourceVersionMatch",
                              "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (q->watch && q->rv_match && !q->initial)
        return refuse_options(
            st, "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (q->watch && q->rv_match && !is(q->rv_match, "NotOlderThan"))
        return refuse_options(st, "resourceVersionMatch", "sendInitialEvents requires NotOlderThan");
    if (q->watch || !q->rv_match)
        return (struct answer){0};
    if (q->cont)
        return refuse_options(st, "resourceVersionMatch",
                              "resourceVersionMatch is forbidden when continue is provided");
    if (!q->rv)
        return refuse_options(st, "resourceVersionMatch",
                              "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (is(q->rv_match, "Exact") && is(q->rv, "0"))
        return refuse_options(st, "resourceVersionMatch",
                              "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    if (!is(q->rv_match, "Exact") && !is(q->rv_match, "NotOlderThan"))
        return refuse_options(st, "resourceVersionMatch", "supported values: Exact, NotOlderThan");
    return (struct answer){0};
}

struct answer rest_check_list(struct store *st, const struct route *q)
{
    struct answer bad = check_match(st, q);
    const char *why;
    if (bad.code)
        return bad;
    if (!route_selectable(q, &st->a, &why))
        return refuse(st, 400, "BadRequest", "%s", why);
    if (q->rv && strspn(q->rv, "0123456789") != strlen(q->rv))
        return refuse(st, q->watch ? 500 : 400, q->watch ? "" : "BadRequest",
                      "resourceVersion: Invalid value: \"%s\": strconv.ParseUint", q->rv);
    return (struct answer){0};
}

/* ---- pages -------------------------------------------------------------------------------------------------------------- */

/* A token is "VERSION+KEY": the state, and behind which key to go on. The plus sign shows whoever does not encode it. Version -1: the
 * newest. */
static bool read_token(const char *token, int64_t *ret_rv, const char **ret_key)
{
    char *end;
    *ret_rv = strtoll(token, &end, 10);
    *ret_key = end + 1;
    return end != token && *end == '+';
}

static const char *too_old =
    "The provided continue parameter is too old to display a consistent list result. You can start a new "
    "list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list.";

struct page {
    int64_t rv;
    const char *after; /* key; NULL = from the start */
    int64_t limit;     /* 0 = none */
};

/* Code 0 and the page, or a refusal. */
static struct answer page_of(struct store *st, const struct route *q, struct page *p)
{
    *p = (struct page){.rv = store_rv(st), .limit = q->limit};
    if (q->cont) {
        if (q->rv)
            return refuse(st, 400, "BadRequest",
                          "specifying resource version is not allowed when using continue");
        int64_t rv;
        if (!read_token(q->cont, &rv, &p->after))
            return refuse(st, 400, "BadRequest", "continue key is not valid: %s", q->cont);
        if (rv >= 0 && rv < st->compacted)
            return refuse_expired(st, too_old, val_printf(&st->a, "-1+%s", p->after));
        p->rv = rv < 0 ? p->rv : rv;
        return (struct answer){0};
    }
    int64_t rv = q->rv ? strtoll(q->rv, NULL, 10) : 0;
    if (rv > store_rv(st))
        return refuse_too_large(st, rv);
    if (rv == 0) {
        p->limit = q->rv ? 0 : p->limit; /* 3.2: a limit does not count for version "0" */
        return (struct answer){0};
    }
    if (is(q->rv_match, "Exact") || (!q->rv_match && q->limit > 0)) {
        if (rv < st->compacted)
            return refuse_expired(
                st, val_printf(&st->a, "The resourceVersion for the provided list is too old."), NULL);
        p->rv = rv;
    }
    return (struct answer){0};
}

struct items {
    struct str out;
    uint32_t n, more; /* given; left */
    const char *last;
};

static void add_item(struct store *st, const struct version *v, struct items *it)
{
    size_t len;
    const char *text = version_text(st, v, &len);
    if (it->n++)
        str_addc(&it->out, ',');
    if (v->entry->resource->custom) {
        str_addn(&it->out, text, len);
    } else { /* items of built-in kinds do not say what they are */
        str_addc(&it->out, '{');
        str_addn(&it->out, text + v->head + 1, len - v->head - 1);
    }
    it->last = v->entry->key;
}

static void collect(struct store *st, const struct route *q, const struct page *p, struct items *it)
{
    for (struct entry *e = store_first(st, q->resource); e; e = store_next(e)) {
        const struct version *v = store_at(e, p->rv);
        if (!v || (p->after && strcmp(e->key, p->after) <= 0) || (q->ns && strcmp(q->ns, e->ns) != 0) ||
            !route_selects(q, v->object))
            continue;
        if (p->limit && it->n >= p->limit)
            it->more++;
        else
            add_item(st, v, it);
    }
}

struct answer rest_list(struct store *st, const struct route *q)
{
    struct page p;
    struct answer bad = rest_check_list(st, q);
    if (!bad.code)
        bad = page_of(st, q, &p);
    if (bad.code)
        return bad;
    struct items it = {0};
    struct str meta;
    str_init(&it.out, 0);
    str_init(&meta, 0);
    collect(st, q, &p, &it);
    str_addf(&meta, "{\"resourceVersion\":\"%lld\"", (long long)p.rv);
    if (!it.more && q->resource->custom)
        str_add(&meta, ",\"continue\":\"\"");
    if (it.more) {
        str_addf(&meta, ",\"continue\":\"%lld+%s\"", (long long)p.rv, it.last);
        if (!q->labels && !q->fields)
            str_addf(&meta, ",\"remainingItemCount\":%u", it.more);
    }
    str_addc(&meta, '}');
    const char *version = rest_api_version(st, q->resource), *kind = q->resource->kind;
    struct answer a =
        q->resource->custom
            ? answer_text(st, 200,
                          "{\"apiVersion\":\"%s\",\"items\":[%s],\"kind\":\"%sList\",\"metadata\":%s}",
                          version, str_text(&it.out), kind, str_text(&meta))
            : answer_text(st, 200,
                          "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":%s,\"items\":[%s]}", kind,
                          version, str_text(&meta), str_text(&it.out));
    str_free(&it.out);
    str_free(&meta);
    return a;
}

struct answer rest_get(struct store *st, const struct route *q)
{
    struct entry *e = store_find(st, q->resource, q->ns, q->name);
    if (q->resource->namespaced && !q->ns)
        return refuse_no_route(st);
    return e ? answer_version(200, e->newest) : refuse_not_found(st, q->resource, q->name);
}

/* ---- discovery (3.14) --------------------------------------------------------------------------------------------------- */

static struct answer list_group(struct store *st, const char *group, const char *version)
{
    struct str s;
    bool any = false;
    str_init(&s, 0);
    str_addf(
        &s, "{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"%s%s%s\",\"resources\":[",
        group, *group ? "/" : "", version);
    for (size_t i = 0; i < resource_count(); i++) {
        const struct resource *r = resource_at(i);
        if (!st->served[i] || strcmp(r->group, group) != 0 || strcmp(r->version, version) != 0)
            continue;
        str_addf(&s,
                 "%s{\"name\":\"%s\",\"singularName\":\"\",\"namespaced\":%s,\"kind\":\"%s\",\"verbs\":["
                 "\"create\","
                 "\"delete\",\"get\",\"list\",\"patch\",\"update\",\"watch\"]}",
                 any ? "," : "", r->plural, r->namespaced ? "true" : "false", r->kind);
        if (r->status)
            str_addf(
                &s,
                ",{\"name\":\"%s/status\",\"singularName\":\"\",\"namespaced\":%s,\"kind\":\"%s\",\"verbs\":["
                "\"get\",\"patch\",\"update\"]}",
                r->plural, r->namespaced ? "true" : "false", r->kind);
        any = true;
    }
    str_add(&s, "]}");
    struct answer a = any ? answer_text(st, 200, "%s", str_text(&s)) : refuse_no_route(st);
    str_free(&s);
    return a;
}

struct answer rest_discovery(struct store *st, const struct route *q)
{
    if (is(q->path, "/version"))
        return answer_text(
            st, 200,
            "{\"major\":\"1\",\"minor\":\"36\",\"gitVersion\":\"v1.36.3\",\"platform\":\"linux/amd64\"}");
    if (is(q->path, "/livez") || is(q->path, "/readyz") || is(q->path, "/healthz"))
        return answer_text(st, 200, "ok");
    if (is(q->path, "/api/v1"))
        return list_group(st, "", "v1");
    size_t n = strlen("/apis/");
    if (strncmp(q->path, "/apis/", n) != 0)
        return refuse_no_route(st);
    const char *group = q->path + n, *slash = strchr(group, '/');
    if (!slash || strchr(slash + 1, '/'))
        return refuse_no_route(st);
    return list_group(st, val_strndup(&st->a, group, (size_t)(slash - group)), slash + 1);
}
