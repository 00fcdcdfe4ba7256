#include "api/make.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct doc_node *make_node(struct arena *a, enum doc_type type, uint32_t line)
{
    struct doc_node *n = ARENA_NEW(a, struct doc_node, 1);
    n->type = type;
    n->line = line;
    n->text = "";
    return n;
}

struct make make_map(struct arena *a, uint32_t line)
{
    return (struct make){.arena = a, .node = make_node(a, DOC_MAP, line)};
}

struct make make_list(struct arena *a, uint32_t line)
{
    return (struct make){.arena = a, .node = make_node(a, DOC_LIST, line)};
}

struct doc_node *make_copy(struct arena *a, const struct doc_node *n)
{
    struct doc_node *c = make_node(a, n->type, n->line), *last = NULL;
    c->text = n->text;
    c->boolish = n->boolish;
    doc_foreach (child, n) {
        struct doc_node *mine = make_copy(a, child);
        mine->key = child->key;
        doc_append(c, &last, mine);
    }
    return c;
}

struct doc_node *make_scalar(struct arena *a, uint32_t line, enum doc_type type, const char *text)
{
    struct doc_node *n = make_node(a, type, line);
    n->text = text;
    return n;
}

const char *make_format(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    size_t size = n < 0 ? 1 : (size_t)n + 1;
    char *text = arena_need(a, size);
    if (n >= 0)
        vsnprintf(text, size, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

void make_put(struct make *m, const char *key, struct doc_node *n)
{
    n->key = key;
    doc_append(m->node, &m->last, n);
}

void make_put_text(struct make *m, const char *key, const char *text)
{
    make_put(m, key, make_scalar(m->arena, m->node->line, DOC_STRING, text));
}

void make_put_bool(struct make *m, const char *key, bool value)
{
    make_put(m, key, make_scalar(m->arena, m->node->line, DOC_BOOL, value ? "true" : "false"));
}

void make_put_int(struct make *m, const char *key, int64_t value)
{
    const char *text = make_format(m->arena, "%" PRId64, value);
    make_put(m, key, make_scalar(m->arena, m->node->line, DOC_NUMBER, text));
}

void make_put_copy(struct make *m, const char *key, const struct doc_node *field)
{
    if (!key && m->node->type == DOC_MAP)
        key = field->key;
    make_put(m, key, make_copy(m->arena, field));
}
