#include "api/reader.h"

#include "api/labels.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

enum {
    PATH_MAX_TEXT = 1024,
    NOTE_MAX = 1024,
    DEPTH_MAX = DOC_MAX_DEPTH + 2,
    NOTES_MAX = 100,   /* errors of one object that are told; more help nobody */
    UNIQUE_MAX = 1024, /* lists longer than this are over some maximum anyway */
};

int rd_run(struct reader *rd, rd_part_fn *fn, const struct doc_node *node, void *ret)
{
    jmp_buf bail;
    jmp_buf *const saved = rd->arena->bail;
    rd->arena->bail = &bail;
    if (setjmp(bail) != 0) {
        rd->arena->bail = saved;
        return err_set(rd->err, ERR_NOMEM, "out of memory");
    }
    fn(rd, node, ret);
    rd->arena->bail = saved;
    return rd->errors ? ERR_INVALID : 0;
}

const char *rd_text(struct reader *rd, const char *text)
{
    uint32_t id;
    if (!rd->names)
        return text;
    if (names_id(rd->names, text, &id) < 0)
        longjmp(*rd->arena->bail, 1);
    return names_text(rd->names, id);
}

bool rd_gate(const struct reader *rd, const char *name)
{
    const struct gates dflt = gates_default();
    return gate_named(rd->gates ? rd->gates : &dflt, name);
}

/* ---- notes -------------------------------------------------------------------------------------------------------------- */

static void path_add(char *buf, size_t *len, const char *text)
{
    int n = snprintf(buf + *len, PATH_MAX_TEXT - *len, "%s", text);
    if (n > 0)
        *len = *len + (size_t)n < PATH_MAX_TEXT ? *len + (size_t)n : PATH_MAX_TEXT - 1;
}

static void path_add_step(char *buf, size_t *len, const struct doc_node *n)
{
    if (n->key) {
        path_add(buf, len, *len ? "." : "");
        path_add(buf, len, n->key);
        return;
    }
    char index[16];
    snprintf(index, sizeof(index), "[%u]", n->index);
    path_add(buf, len, index);
}

/* "spec.podSets[0].template": the way from the root to `n`. */
static size_t path_of(const struct reader *rd, const struct doc_node *n, char *buf)
{
    const struct doc_node *steps[DEPTH_MAX];
    size_t depth = 0, len = 0;
    buf[0] = '\0';
    for (; n && n != rd->root && n->parent && depth < DEPTH_MAX; n = n->parent)
        steps[depth++] = n;
    while (depth)
        path_add_step(buf, &len, steps[--depth]);
    return len;
}

static void note(struct reader *rd, bool is_error, uint32_t line, const char *path, const char *fmt,
                 va_list args)
{
    char text[NOTE_MAX];
    if (is_error && rd->errors >= NOTES_MAX)
        return;
    vsnprintf(text, sizeof(text), fmt, args);
    if (is_error && rd->errors++ == 0)
        err_set(rd->err, ERR_INVALID, "%s%s%s", path, *path ? ": " : "", text);
    if (rd->sink)
        rd->sink->note(rd->sink->ctx, is_error, line, path, text);
}

void rd_error(struct reader *rd, const struct doc_node *n, const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    path_of(rd, n, path);
    va_list args;
    va_start(args, fmt);
    note(rd, true, n->line, path, fmt, args);
    va_end(args);
}

void rd_error_at(struct reader *rd, const struct doc_node *parent, const char *field, const char *fmt, ...)
{
    const struct doc_node *n = doc_get(parent, field);
    char path[PATH_MAX_TEXT];
    size_t len = path_of(rd, parent, path);
    path_add(path, &len, len ? "." : "");
    path_add(path, &len, field);
    va_list args;
    va_start(args, fmt);
    note(rd, true, n ? n->line : parent->line, path, fmt, args);
    va_end(args);
}

void rd_error_named(struct reader *rd, const struct doc_node *at, const struct doc_node *parent,
                    const char *field, const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    size_t len = path_of(rd, parent, path);
    path_add(path, &len, len ? "." : "");
    path_add(path, &len, field);
    va_list args;
    va_start(args, fmt);
    note(rd, true, at->line, path, fmt, args);
    va_end(args);
}

void rd_error_key(struct reader *rd, const struct doc_node *entry, const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    size_t len = path_of(rd, entry->parent, path);
    path_add(path, &len, "[");
    path_add(path, &len, entry->key);
    path_add(path, &len, "]");
    va_list args;
    va_start(args, fmt);
    note(rd, true, entry->line, path, fmt, args);
    va_end(args);
}

void rd_error_entry(struct reader *rd, const struct doc_node *entry, const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    path_of(rd, entry->parent, path);
    va_list args;
    va_start(args, fmt);
    note(rd, true, entry->line, path, fmt, args);
    va_end(args);
}

void rd_error_item(struct reader *rd, const struct doc_node *item, const char *key, const char *field,
                   const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    size_t len = path_of(rd, item->parent, path);
    path_add(path, &len, "[");
    path_add(path, &len, key);
    path_add(path, &len, *field ? "]." : "]");
    path_add(path, &len, field);
    va_list args;
    va_start(args, fmt);
    note(rd, true, item->line, path, fmt, args);
    va_end(args);
}

void rd_warn(struct reader *rd, const struct doc_node *n, const char *fmt, ...)
{
    char path[PATH_MAX_TEXT];
    path_of(rd, n, path);
    va_list args;
    va_start(args, fmt);
    note(rd, false, n->line, path, fmt, args);
    va_end(args);
}

void rd_required(struct reader *rd, const struct doc_node *parent, const char *field)
{
    rd_error_at(rd, parent, field, "Required value");
}

void rd_invalid(struct reader *rd, const struct doc_node *n, const char *why)
{
    if (n->type == DOC_STRING)
        rd_error(rd, n, "Invalid value: \"%.256s\": %s", n->text, why);
    else if (n->type == DOC_NUMBER || n->type == DOC_BOOL)
        rd_error(rd, n, "Invalid value: %.256s: %s", n->text, why);
    else
        rd_error(rd, n, "Invalid value: %s", why);
}

void rd_duplicate(struct reader *rd, const struct doc_node *n)
{
    rd_error(rd, n, "Duplicate value: \"%.256s\"", n->text);
}

void rd_too_many(struct reader *rd, const struct doc_node *n, uint32_t max)
{
    rd_error(rd, n, "Too many: %u: must have at most %u items", n->n, max);
}

bool rd_is_known(const char *known, const char *key)
{
    size_t len = strlen(key);
    for (const char *p = known; *p; p += strcspn(p, " ") + 1) {
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return true;
    }
    return false;
}

void rd_known(struct reader *rd, const struct doc_node *map, const char *known)
{
    bool strict = rd->flags & API_STRICT;
    if (!rd->sink && !strict)
        return;
    doc_foreach (c, map) {
        if (!c->key || rd_is_known(known, c->key))
            continue;
        if (strict)
            rd_error(rd, c, "unknown field");
        else
            rd_warn(rd, c, "unknown field");
    }
}

/* ---- fields ------------------------------------------------------------------------------------------------------------- */

static const struct doc_node *typed(struct reader *rd, const struct doc_node *parent, const char *field,
                                    enum doc_type type)
{
    const struct doc_node *n = doc_field(parent, field);
    if (!n || n->type == type)
        return n;
    const char *was = n->type == DOC_BOOL || n->boolish ? "; quote it if it is text" : "";
    rd_error(rd, n, "must be a %s, not a %s%s", doc_type_name(type), doc_type_name(n->type),
             type == DOC_STRING ? was : "");
    return NULL;
}

const struct doc_node *rd_map(struct reader *rd, const struct doc_node *parent, const char *field)
{
    return typed(rd, parent, field, DOC_MAP);
}

const struct doc_node *rd_list(struct reader *rd, const struct doc_node *parent, const char *field)
{
    return typed(rd, parent, field, DOC_LIST);
}

const char *rd_str(struct reader *rd, const struct doc_node *parent, const char *field)
{
    const struct doc_node *n = typed(rd, parent, field, DOC_STRING);
    return n ? rd_text(rd, n->text) : "";
}

bool rd_bool(struct reader *rd, const struct doc_node *parent, const char *field, bool dflt)
{
    const struct doc_node *n = doc_field(parent, field);
    struct err e;
    bool v;
    if (!n)
        return dflt;
    if (doc_bool(n, &v, &e) == 0)
        return v;
    rd_error(rd, n, "%s", e.text);
    return dflt;
}

bool rd_i32(struct reader *rd, const struct doc_node *parent, const char *field, int32_t *ret)
{
    const struct doc_node *n = doc_field(parent, field);
    struct err e;
    if (!n)
        return false;
    if (doc_i32(n, ret, &e) == 0)
        return true;
    rd_error(rd, n, "%s", e.text);
    return false;
}

bool rd_i64(struct reader *rd, const struct doc_node *parent, const char *field, int64_t *ret)
{
    const struct doc_node *n = doc_field(parent, field);
    struct err e;
    if (!n)
        return false;
    if (doc_i64(n, ret, &e) == 0)
        return true;
    rd_error(rd, n, "%s", e.text);
    return false;
}

when_ns rd_time(struct reader *rd, const struct doc_node *parent, const char *field)
{
    const struct doc_node *n = doc_field(parent, field);
    struct err e;
    when_ns t;
    if (!n)
        return WHEN_NONE;
    if (doc_when(n, &t, &e) == 0)
        return t;
    rd_invalid(rd, n, e.text);
    return WHEN_NONE;
}

bool rd_quantity(struct reader *rd, const struct doc_node *parent, const char *field, struct quantity *ret)
{
    const struct doc_node *n = doc_field(parent, field);
    struct err e;
    if (!n)
        return false;
    if (doc_quantity(n, ret, &e) == 0)
        return true;
    rd_invalid(rd, n, e.text);
    return false;
}

bool rd_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t *ret_ns)
{
    const struct doc_node *n = typed(rd, parent, field, DOC_STRING);
    struct err e;
    if (!n)
        return false;
    if (duration_parse(n->text, strlen(n->text), ret_ns, &e) == 0)
        return true;
    rd_invalid(rd, n, e.text);
    return false;
}

int rd_word(struct reader *rd, const struct doc_node *parent, const char *field, const struct rd_word *words,
            size_t n, int dflt)
{
    const struct doc_node *node = typed(rd, parent, field, DOC_STRING);
    if (!node || (!*node->text && !rd_validates(rd)))
        return dflt;
    char list[512];
    size_t len = 0;
    list[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i].text, node->text) == 0)
            return words[i].value;
        int k = snprintf(list + len, sizeof(list) - len, "%s\"%s\"", i ? ", " : "", words[i].text);
        len = k > 0 && len + (size_t)k < sizeof(list) ? len + (size_t)k : len;
    }
    rd_error(rd, node, "Unsupported value: \"%.256s\": supported values: %s", node->text, list);
    return dflt;
}

/* ---- maps and lists ----------------------------------------------------------------------------------------------------- */

const struct fact_amount *rd_amounts_of(struct reader *rd, const struct doc_node *map, uint32_t *ret_n)
{
    uint32_t n = 0;
    struct fact_amount *out = map && map->n ? ARENA_NEW(rd->arena, struct fact_amount, map->n) : NULL;
    doc_foreach (c, map) {
        struct err e;
        out[n].resource = rd_text(rd, c->key);
        if (doc_quantity(c, &out[n].q, &e) == 0)
            n++;
        else if (c->type == DOC_STRING || c->type == DOC_NUMBER)
            rd_error_key(rd, c, "Invalid value: \"%.256s\": %s", c->text, e.text);
        else
            rd_error_key(rd, c, "must be a quantity");
    }
    *ret_n = n;
    return out;
}

const struct fact_amount *rd_amounts(struct reader *rd, const struct doc_node *parent, const char *field,
                                     uint32_t *ret_n)
{
    return rd_amounts_of(rd, rd_map(rd, parent, field), ret_n);
}

const struct fact_label *rd_labels_of(struct reader *rd, const struct doc_node *map, uint32_t *ret_n)
{
    uint32_t n = 0;
    struct fact_label *out = map && map->n ? ARENA_NEW(rd->arena, struct fact_label, map->n) : NULL;
    doc_foreach (c, map) {
        if (c->type == DOC_STRING || c->type == DOC_NULL)
            out[n++] = (struct fact_label){.key = rd_text(rd, c->key), .value = rd_text(rd, c->text)};
        else
            rd_error_key(rd, c, "must be a string, not a %s; quote it", doc_type_name(c->type));
    }
    *ret_n = n;
    return out;
}

const struct fact_label *rd_labels(struct reader *rd, const struct doc_node *parent, const char *field,
                                   uint32_t *ret_n)
{
    return rd_labels_of(rd, rd_map(rd, parent, field), ret_n);
}

const char *const *rd_strings(struct reader *rd, const struct doc_node *parent, const char *field,
                              uint32_t *ret_n)
{
    const struct doc_node *list = rd_list(rd, parent, field);
    uint32_t n = 0;
    const char **out = list && list->n ? ARENA_NEW(rd->arena, const char *, list->n) : NULL;
    doc_foreach (c, list) {
        if (c->type == DOC_STRING)
            out[n++] = rd_text(rd, c->text);
        else
            rd_error(rd, c, "must be a string, not a %s; quote it", doc_type_name(c->type));
    }
    *ret_n = n;
    return out;
}

void *rd_items(struct reader *rd, const struct doc_node *list, size_t size, rd_item_fn *read, uint32_t *ret_n)
{
    *ret_n = 0;
    if (!list || !list->n)
        return NULL;
    if (list->type != DOC_LIST) {
        rd_error(rd, list, "must be a list, not a %s", doc_type_name(list->type));
        return NULL;
    }
    char *out = arena_need(rd->arena, size * list->n);
    doc_foreach (c, list) {
        if (c->type == DOC_MAP)
            read(rd, c, out + size * (*ret_n)++);
        else
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
    }
    return out;
}

/* ---- rules -------------------------------------------------------------------------------------------------------------- */

const char *rd_name(struct reader *rd, const struct doc_node *parent, const char *field,
                    const char *(*problem)(const char *), bool optional)
{
    const char *s = rd_str(rd, parent, field);
    if (!rd_validates(rd))
        return s;
    const struct doc_node *n = doc_field(parent, field);
    if (!*s) {
        if (!optional && (!n || n->type == DOC_STRING))
            rd_required(rd, parent, field);
        return s;
    }
    const char *why = problem ? problem(s) : NULL;
    if (why)
        rd_invalid(rd, n, why);
    return s;
}

void rd_check_list(struct reader *rd, const struct doc_node *parent, const char *field, uint32_t min,
                   uint32_t max)
{
    const struct doc_node *n = doc_field(parent, field);
    if (!rd_validates(rd) || (n && n->type != DOC_LIST && n->type != DOC_MAP))
        return;
    if (!n && min > 0)
        rd_required(rd, parent, field);
    else if (n && n->n < min)
        rd_error(rd, n, "Invalid value: %u: should have at least %u items", n->n, min);
    else if (n && n->n > max)
        rd_too_many(rd, n, max);
}

void rd_check_unique(struct reader *rd, const struct doc_node *list, const char *field)
{
    if (!rd_validates(rd) || (list && list->n > UNIQUE_MAX))
        return;
    doc_foreach (c, list) {
        const struct doc_node *mine = doc_field(c, field);
        for (const struct doc_node *d = list->first; mine && d != c; d = d->next) {
            const struct doc_node *other = doc_field(d, field);
            if (other && strcmp(other->text, mine->text) == 0) {
                rd_duplicate(rd, mine);
                break;
            }
        }
    }
}

void rd_check_labels(struct reader *rd, const struct doc_node *map, bool keys_only)
{
    if (!rd_validates(rd) || !doc_is(map, DOC_MAP))
        return;
    doc_foreach (c, map) {
        const char *why = label_key_problem(c->key);
        if (why)
            rd_error_entry(rd, c, "Invalid value: \"%.256s\": %s", c->key, why);
        why = keys_only || c->type != DOC_STRING ? NULL : label_value_problem(c->text);
        if (why)
            rd_error_entry(rd, c, "Invalid value: \"%.256s\": %s", c->text, why);
    }
}
