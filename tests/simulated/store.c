#include "simulated/store.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 100000 }; /* changes; a life makes fewer, so old versions expire when somebody says so */

static int compare(const struct entry *a, const struct entry *b)
{
    return strcmp(a->key, b->key);
}

RB_PROTOTYPE(entry_tree, entry, link, compare)
RB_GENERATE(entry_tree, entry, link, compare)

static void create_namespaces(struct store *st)
{
    static const char *const names[] = {"default", "kube-node-lease", "kube-system"};
    const struct resource *r = resource_of_kind("Namespace");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        store_commit(
            st, NULL, r, NULL, names[i],
            val_format(&st->a,
                       "{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\",\"uid\":"
                       "\"%s\",\"creationTimestamp\":\"%s\",\"labels\":{\"kubernetes.io/metadata.name\":"
                       "\"%s\"}},\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":"
                       "\"Active\"}}",
                       names[i], store_uid(st), store_time(st), names[i]),
            false);
}

struct store *store_new(uint64_t seed, when_ns (*wall)(void *arg), void *arg)
{
    struct store *st = mem_zalloc(1, sizeof(*st));
    if (!st)
        return NULL;
    arena_init(&st->a, 1 << 20);
    st->seed = seed;
    st->first_rv = 100;
    st->compacted = 99;
    st->wall = wall;
    st->wall_arg = arg;
    st->actor = "server";
    for (size_t i = 0; i < resource_count(); i++)
        st->served[i] = !resource_at(i)->optional;
    create_namespaces(st);
    return st;
}

void store_free(struct store *st)
{
    if (!st)
        return;
    mem_free(st->log);
    arena_free(&st->a);
    mem_free(st);
}

void store_hook(struct store *st, void (*fn)(void *arg, const struct version *now), void *arg)
{
    if (st->hook_n == sizeof(st->hooks) / sizeof(st->hooks[0]))
        abort();
    st->hooks[st->hook_n++] = (struct store_hook){fn, arg};
}

int64_t store_rv(const struct store *st)
{
    return st->first_rv + st->log_n - 1;
}

const struct version *store_change(const struct store *st, int64_t rv)
{
    return rv < st->first_rv || rv > store_rv(st) ? NULL : st->log[rv - st->first_rv];
}

void store_compact(struct store *st, int64_t rv)
{
    if (rv > st->compacted)
        st->compacted = rv;
    for (size_t i = 0; i < resource_count(); i++) {
        struct entry *next;
        for (struct entry *e = RB_MIN(entry_tree, &st->kinds[i]); e; e = next) {
            next = RB_NEXT(entry_tree, &st->kinds[i], e);
            if (e->newest->deleted && e->newest->rv <= rv)
                RB_REMOVE(entry_tree, &st->kinds[i], e);
        }
    }
}

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

/* The entry, there or gone; NULL when its history is gone too. */
static struct entry *find_any(struct store *st, const struct resource *r, const char *ns, const char *name)
{
    char key[512];
    struct str s;
    str_init(&s, 0);
    if (ns)
        str_addf(&s, "%s/", ns);
    str_add(&s, name);
    struct entry *e = NULL;
    if (s.len < sizeof(key)) {
        memcpy(key, str_text(&s), s.len + 1);
        struct entry probe = {.key = key};
        e = RB_FIND(entry_tree, &st->kinds[resource_index(r)], &probe);
    }
    str_free(&s);
    return e;
}

struct entry *store_find(struct store *st, const struct resource *r, const char *ns, const char *name)
{
    struct entry *e = find_any(st, r, r->namespaced ? ns : NULL, name);
    return e && !e->newest->deleted ? e : NULL;
}

const struct version *store_at(const struct entry *e, int64_t rv)
{
    const struct version *v = e->newest;
    while (v && v->rv > rv)
        v = v->older;
    return v && !v->deleted ? v : NULL;
}

struct entry *store_first(struct store *st, const struct resource *r)
{
    return RB_MIN(entry_tree, &st->kinds[resource_index(r)]);
}

struct entry *store_next(struct entry *e)
{
    return RB_NEXT(entry_tree, NULL, e);
}

static struct entry *entry_new(struct store *st, const struct resource *r, const char *ns, const char *name)
{
    struct entry *e = find_any(st, r, ns, name);
    if (e)
        return e;
    e = val_alloc(&st->a, sizeof(*e));
    *e = (struct entry){.resource = r, .ns = ns ? val_strndup(&st->a, ns, strlen(ns)) : NULL};
    e->key = ns ? val_printf(&st->a, "%s/%s", ns, name) : val_strndup(&st->a, name, strlen(name));
    e->name = ns ? e->key + strlen(ns) + 1 : e->key;
    RB_INSERT(entry_tree, &st->kinds[resource_index(r)], e);
    return e;
}

const struct version *store_commit(struct store *st, struct entry *e, const struct resource *r,
                                   const char *ns, const char *name, const struct val *object, bool deleted)
{
    if (!e)
        e = entry_new(st, r, r->namespaced ? ns : NULL, name);
    if (mem_grow((void **)&st->log, &st->log_cap, st->log_n + 1, sizeof(*st->log)) != 0)
        abort();
    struct version *v = val_alloc(&st->a, sizeof(*v));
    int64_t rv = store_rv(st) + 1;
    *v = (struct version){.rv = rv, .deleted = deleted, .entry = e, .older = e->newest};
    if (deleted)
        e->applied = NULL;
    v->object = val_with_path(&st->a, object, "metadata.resourceVersion",
                              val_str(&st->a, val_printf(&st->a, "%lld", (long long)rv)));
    e->newest = v;
    st->log[st->log_n++] = v;
    if (store_rv(st) - st->compacted > 2 * KEEP)
        store_compact(st, store_rv(st) - KEEP);
    for (uint32_t i = 0; i < st->hook_n; i++)
        st->hooks[i].fn(st->hooks[i].arg, v);
    return v;
}

/* ---- names and texts ---------------------------------------------------------------------------------------------------- */

static uint64_t mixed(struct store *st)
{
    uint64_t z = st->seed + ++st->serial * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

const char *store_uid(struct store *st)
{
    uint64_t a = mixed(st), b = mixed(st);
    return val_printf(&st->a, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32),
                      (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 52),
                      (unsigned long long)(b & 0xffffffffffff));
}

const char *store_suffix(struct store *st)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    char out[6] = "";
    uint64_t z = mixed(st);
    for (int i = 0; i < 5; i++, z /= sizeof(letters) - 1)
        out[i] = letters[z % (sizeof(letters) - 1)];
    return val_strndup(&st->a, out, 5);
}

const char *store_time(struct store *st)
{
    char out[40];
    size_t n = when_print(st->wall(st->wall_arg), out, sizeof(out));
    return val_strndup(&st->a, out, n);
}

const char *version_text(struct store *st, const struct version *v, size_t *ret_len)
{
    if (!v->text) {
        const struct resource *r = v->entry->resource;
        struct version *w = st->log[v->rv - st->first_rv]; /* the same, but ours */
        char head[256];
        snprintf(head, sizeof(head), "{\"kind\":\"%s\",\"apiVersion\":\"%s%s%s\"", r->kind, r->group,
                 *r->group ? "/" : "", r->version);
        w->head = strlen(head);
        w->text = val_json(&st->a, head, v->object, "kind apiVersion ", &w->len);
    }
    *ret_len = v->len;
    return v->text;
}
