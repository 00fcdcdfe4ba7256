#include "api/set_priv.h"

#include "api/kinds.h"
#include "api/v1beta1.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { NOTES_MAX = 10000 }; /* errors, and warnings, that are kept */

struct api_set *api_set_new(unsigned flags)
{
    struct api_set *s = mem_zalloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->flags = flags;
    arena_init(&s->arena, 256 << 10);
    arena_init(&s->scratch, 64 << 10);
    arena_init(&s->facts, 256 << 10);
    s->names = flags & API_COMPACT ? names_new() : NULL;
    s->keys = flags & API_NO_VALIDATE ? NULL : names_new();
    if ((flags & API_COMPACT && !s->names) || (!(flags & API_NO_VALIDATE) && !s->keys)) {
        api_set_free(s);
        return NULL;
    }
    return s;
}

static void texts_free(struct texts *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        mem_free(t->p[i]);
    mem_free(t->p);
}

void api_set_free(struct api_set *s)
{
    if (!s)
        return;
    arena_free(&s->arena);
    arena_free(&s->scratch);
    arena_free(&s->facts);
    names_free(s->names);
    names_free(s->keys);
    mem_free(s->by_key);
    texts_free(&s->errors);
    texts_free(&s->warnings);
    for (uint32_t i = 0; i < s->npassed; i++)
        mem_free(s->passed[i].kind);
    mem_free(s->passed);
    mem_free(s->objects);
    mem_free(s);
}

void api_set_stream(struct api_set *s, api_object_fn *fn, void *ctx)
{
    s->stream = fn;
    s->stream_ctx = ctx;
}

void api_set_documents(struct api_set *s, api_document_fn *fn, void *ctx)
{
    s->document = fn;
    s->document_ctx = ctx;
}

uint32_t api_set_count(const struct api_set *s)
{
    return s->nobjects;
}

const struct object *api_set_at(const struct api_set *s, uint32_t i)
{
    return i < s->nobjects ? s->objects[i] : NULL;
}

uint32_t api_set_errors(const struct api_set *s)
{
    return s->errors.n;
}

const char *api_set_error(const struct api_set *s, uint32_t i)
{
    return i < s->errors.n ? s->errors.p[i] : "";
}

uint32_t api_set_warnings(const struct api_set *s)
{
    return s->warnings.n;
}

const char *api_set_warning(const struct api_set *s, uint32_t i)
{
    return i < s->warnings.n ? s->warnings.p[i] : "";
}

uint32_t api_set_passed_over(const struct api_set *s)
{
    return s->npassed;
}

const char *api_set_passed_over_kind(const struct api_set *s, uint32_t i, uint32_t *ret_count)
{
    *ret_count = i < s->npassed ? s->passed[i].count : 0;
    return i < s->npassed ? s->passed[i].kind : "";
}

/* ---- notes -------------------------------------------------------------------------------------------------------------- */

static void keep_note(struct api_set *s, bool is_error, struct str *text)
{
    struct texts *t = is_error ? &s->errors : &s->warnings;
    void *p = t->p;
    if (t->n >= NOTES_MAX || mem_grow(&p, &t->cap, t->n + 1, sizeof(*t->p)) < 0) {
        s->no_memory |= t->n < NOTES_MAX;
        str_free(text);
        return;
    }
    t->p = p;
    char *taken = str_take(text);
    if (taken)
        t->p[t->n++] = taken;
    else
        s->no_memory = true;
}

/* "file:line: kind ns/name: path: text"; what is not known or empty is left out. */
static void note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct api_set *s = ctx;
    struct str out;
    str_init(&out, 8192);
    str_addf(&out, "%s:%u: ", s->file, line);
    if (s->kind) {
        str_addf(&out, "%s%s%.256s%s%.256s: ", s->kind, *s->ns || *s->name ? " " : "", s->ns,
                 *s->ns ? "/" : "", s->name);
    }
    if (*path)
        str_addf(&out, "%s: ", path);
    str_add(&out, text);
    keep_note(s, is_error, &out);
}

/* An error text that begins with "line N: " becomes "file:N: ...". */
void set_note_parse_error(struct api_set *s, const char *text)
{
    struct str out;
    str_init(&out, 8192);
    if (strncmp(text, "line ", 5) == 0)
        str_addf(&out, "%s:%s", s->file, text + 5);
    else
        str_addf(&out, "%s: %s", s->file, text);
    keep_note(s, true, &out);
}

static int pass_over(struct api_set *s, const struct doc_node *node)
{
    struct str kind;
    str_init(&kind, 1024);
    str_addf(&kind, "%.200s %.200s", doc_str_or(node, "apiVersion", ""), doc_str_or(node, "kind", ""));
    for (uint32_t i = 0; i < s->npassed; i++) {
        if (strcmp(s->passed[i].kind, str_text(&kind)) == 0) {
            s->passed[i].count++;
            str_free(&kind);
            return 0;
        }
    }
    void *p = s->passed;
    if (s->npassed >= NOTES_MAX) {
        str_free(&kind);
        return 0;
    }
    if (mem_grow(&p, &s->passed_cap, s->npassed + 1, sizeof(*s->passed)) < 0) {
        str_free(&kind);
        return ERR_NOMEM;
    }
    s->passed = p;
    char *taken = str_take(&kind);
    if (!taken)
        return ERR_NOMEM;
    s->passed[s->npassed++] = (struct passed){.kind = taken, .count = 1};
    return 0;
}

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

/* Which object of this kind and name is there already? It is noted as an error. */
static int check_twice(struct api_set *s, const struct object *o, bool *ret_twice, uint32_t *ret_id)
{
    struct str key;
    uint32_t count = names_count(s->keys);
    str_init(&key, 2048);
    str_addf(&key, "%d/%s/%s", (int)o->kind, o->ns, o->name);
    int rc = str_failed(&key) ? ERR_NOMEM : names_idn(s->keys, str_text(&key), key.len, ret_id);
    *ret_twice = rc == 0 && *ret_id < count && s->by_key[*ret_id];
    if (*ret_twice) {
        const struct object *first = s->by_key[*ret_id];
        str_clear(&key);
        str_addf(&key, "Duplicate value: %s %.256s%s%.256s is there already, in %.512s:%u",
                 api_kind_name(o->kind), o->ns, *o->ns ? "/" : "", o->name, first->file, first->line);
        note(s, true, o->line, "", str_text(&key));
    }
    str_free(&key);
    void *p = s->by_key;
    uint32_t cap = s->by_key_cap;
    if (rc == 0 && *ret_id >= cap) {
        rc = mem_grow(&p, &s->by_key_cap, *ret_id + 1, sizeof(*s->by_key));
        s->by_key = p;
        if (rc == 0)
            memset((void *)(s->by_key + cap), 0, (s->by_key_cap - cap) * sizeof(*s->by_key));
    }
    return rc;
}

static int keep(struct api_set *s, const struct object *o, struct err *err)
{
    bool twice = false;
    uint32_t id = 0;
    if (s->stream)
        return s->stream(s->stream_ctx, o, err);
    if (s->keys && *o->name && check_twice(s, o, &twice, &id) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (twice)
        return 0;
    s->in_arena += o->doc != NULL;
    struct object *copy = arena_alloc(o->doc ? &s->arena : &s->facts, sizeof(*copy));
    void *p = s->objects;
    if (!copy || mem_grow(&p, &s->objects_cap, s->nobjects + 1, sizeof(*s->objects)) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    *copy = *o;
    s->objects = p;
    s->objects[s->nobjects++] = copy;
    if (id)
        s->by_key[id] = copy;
    return 0;
}

int api_set_add(struct api_set *s, const struct object *o, struct err *err)
{
    void *p = s->objects;

    if (mem_grow(&p, &s->objects_cap, s->nobjects + 1, sizeof(*s->objects)) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->objects = p;
    s->objects[s->nobjects++] = o;
    return 0;
}

struct arena *api_set_arena(struct api_set *s)
{
    return &s->arena;
}

unsigned api_set_flags(const struct api_set *s)
{
    return s->flags;
}

/* What notes call an object whose name is to be generated. */
static const char *generated_name(const struct doc_node *meta)
{
    return doc_str_or(meta, "generateName", "");
}

struct api_sink api_set_sink(struct api_set *s, const struct object *about)
{
    s->kind = about ? api_kind_name(about->kind) : NULL;
    if (about) {
        s->file = about->file;
        s->ns = about->ns;
        s->name = *about->name ? about->name : generated_name(doc_field(about->doc, "metadata"));
    }
    return (struct api_sink){.note = note, .ctx = s};
}

bool api_set_lost_note(const struct api_set *s)
{
    return s->no_memory;
}

/* Reads the facts; those that need no document have memory of their own, which a bad object gives back. */
static int read_facts(struct api_set *s, enum api_kind kind, const struct doc_node *node, struct object *ret,
                      struct err *err)
{
    struct api_sink sink = {.note = note, .ctx = s};
    if (!s->names || kind != API_WORKLOAD || s->stream)
        return api_read_as(kind, node, &s->arena, s->flags, &sink, ret, err);
    struct arena_mark m = arena_mark(&s->facts);
    int rc = rd_read_facts(kind, node, &s->facts, s->names, s->flags, &sink, ret, err);
    if (rc < 0)
        arena_rewind(&s->facts, m);
    return rc;
}

static int read_known(struct api_set *s, enum api_kind kind, const struct doc_node *node, struct err *err)
{
    const struct doc_node *meta = doc_get(node, "metadata");
    struct object o;
    s->kind = api_kind_name(kind);
    s->ns = doc_str_or(meta, "namespace", "");
    s->name = doc_str_or(meta, "name", generated_name(meta));
    struct err why;
    int rc = read_facts(s, kind, node, &o, &why);
    o.file = s->file;
    if (rc == 0)
        rc = keep(s, &o, err);
    else if (rc == ERR_INVALID)
        rc = 0; /* noted */
    else
        err_set(err, rc, "%s", why.text);
    s->kind = NULL;
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The kind of an item of a list; items of typed lists ("WorkloadList") need not say it themselves. */
static int kind_of_item(const struct doc_node *list, const struct doc_node *item, enum api_kind *ret,
                        struct err *err)
{
    const char *kind = doc_str_or(list, "kind", "");
    if (doc_field(item, "kind") || strcmp(kind, "List") == 0 || item->type != DOC_MAP)
        return api_kind_of(item, ret, err);
    for (int k = 0; k < API_KINDS; k++) {
        size_t n = strlen(api_kind_name((enum api_kind)k));
        if (strncmp(api_kind_name((enum api_kind)k), kind, n) == 0 && strcmp(kind + n, "List") == 0) {
            *ret = (enum api_kind)k;
            return 0;
        }
    }
    return err_set(err, ERR_NOTFOUND, "an unknown list");
}

/* One object; `list` is the list that it stands in, or NULL. */
static int read_object(struct api_set *s, const struct doc_node *list, const struct doc_node *node,
                       struct err *err)
{
    enum api_kind kind;
    struct err why;
    int rc = v1beta1_object(list, node, &s->arena, NULL, &node, &why);
    if (rc == ERR_NOMEM)
        return err_set(err, rc, "%s", why.text);
    if (rc == 0)
        rc = list ? kind_of_item(list, node, &kind, &why) : api_kind_of(node, &kind, &why);
    if (rc == 0)
        return read_known(s, kind, node, err);
    if (rc == ERR_NOTFOUND)
        return pass_over(s, doc_field(node, "kind") ? node : list);
    note(s, true, node->line, "", why.text);
    return 0;
}

static int read_document(struct api_set *s, const struct doc_node *root, struct err *err)
{
    s->ndocuments += root->type != DOC_NULL;
    if (s->document)
        return s->document(s->document_ctx, s->file, root, err);
    if (root->type == DOC_NULL)
        return 0;
    const struct doc_node *items = doc_field(root, "items");
    if (items && items->type != DOC_LIST && strcmp(doc_str_or(root, "kind", ""), "List") == 0) {
        char text[64];
        snprintf(text, sizeof(text), "must be a list, not a %s", doc_type_name(items->type));
        note(s, true, items->line, "items", text);
        return 0;
    }
    if (!set_is_list(root) || (items && items->type != DOC_LIST))
        return read_object(s, NULL, root, err);
    doc_foreach (c, items) {
        int rc = read_object(s, root, c, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

bool set_is_list(const struct doc_node *root)
{
    return ends_with(doc_str_or(root, "kind", ""), "List");
}

bool set_knows_item(const struct doc_node *list, const struct doc_node *item)
{
    return set_is_list(list) ||
           (!doc_field(list, "kind") && doc_field(item, "kind") && doc_field(item, "apiVersion"));
}

int set_take_item(struct api_set *s, const struct doc_node *list, const struct doc_node *item,
                  struct err *err)
{
    s->ndocuments++;
    int rc = read_object(s, list, item, err);
    return rc < 0 ? rc : set_check(s, err);
}

int set_take_document(struct api_set *s, const struct doc_node *root, struct err *err)
{
    int rc = read_document(s, root, err);
    return rc < 0 ? rc : set_check(s, err);
}

void set_note(struct api_set *s, bool is_error, uint32_t line, const char *path, const char *text)
{
    note(s, is_error, line, path, text);
}

int set_check(const struct api_set *s, struct err *err)
{
    return s->no_memory ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}
