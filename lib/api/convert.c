#include "api/convert.h"

#include "api/emit.h"
#include "api/v1beta1.h"

#include <string.h>

enum { NOTES_MAX_BYTES = 16 << 20, ARENA_BLOCK = 64 << 10, LIST_LEVEL = 2 };

void convert_init(struct convert *c, enum convert_format format)
{
    *c = (struct convert){.format = format};
    str_init(&c->out, CONVERT_MAX_BYTES);
    str_init(&c->items, CONVERT_MAX_BYTES);
    str_init(&c->errors, NOTES_MAX_BYTES);
    str_init(&c->warnings, NOTES_MAX_BYTES);
}

void convert_free(struct convert *c)
{
    str_free(&c->out);
    str_free(&c->items);
    str_free(&c->errors);
    str_free(&c->warnings);
}

static void note(void *ctx, bool is_error, uint32_t line, const char *path, const char *text)
{
    struct convert *c = ctx;
    struct str *out = is_error ? &c->errors : &c->warnings;
    const struct doc_node *meta = doc_field(c->root, "metadata");
    const char *ns = doc_str_or(meta, "namespace", ""), *name = doc_str_or(meta, "name", "");
    str_addf(out, "%s:%u: %.100s%s%.256s%s%.256s: %s: %s\n", c->file, line, doc_str_or(c->root, "kind", ""),
             *ns || *name ? " " : "", ns, *ns ? "/" : "", name, path, text);
}

/* A list of the client: nothing but its items means anything. */
static bool is_plain_list(const struct doc_node *n)
{
    return doc_is_text(doc_get(n, "apiVersion"), "v1") && doc_is_text(doc_get(n, "kind"), "List") &&
           doc_is(doc_get(n, "items"), DOC_LIST) && n->n <= 3 + (doc_get(n, "metadata") != NULL);
}

static void add_item(struct convert *c, const struct doc_node *n)
{
    str_add(&c->items, c->items.len ? ",\n        " : "        ");
    emit_json(n, LIST_LEVEL, &c->items);
}

static int put_json(struct convert *c, const struct doc_node *n, struct err *err)
{
    if (c->ndocuments == 0) {
        emit_json(n, 0, &c->out);
        str_addc(&c->out, '\n');
    }
    if (is_plain_list(n)) {
        doc_foreach (item, doc_get(n, "items"))
            add_item(c, item);
    } else {
        add_item(c, n);
    }
    return str_failed(&c->out) || str_failed(&c->items) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static int put_yaml(struct convert *c, const struct doc_node *n, struct err *err)
{
    if (c->ndocuments)
        str_add(&c->out, "---\n");
    return emit_yaml(n, &c->out, err);
}

int convert_document(void *ctx, const char *file, const struct doc_node *root, struct err *err)
{
    struct convert *c = ctx;
    struct arena a;
    struct err why;
    struct api_sink sink = {.note = note, .ctx = c};
    const struct doc_node *converted;
    if (root->type == DOC_NULL)
        return 0;
    c->file = file;
    c->root = root;
    arena_init(&a, ARENA_BLOCK);
    int rc = v1beta1_document(root, &a, &sink, &converted, &why);
    if (rc == 0)
        rc = c->format == CONVERT_JSON ? put_json(c, converted, &why) : put_yaml(c, converted, &why);
    if (rc == 0)
        c->ndocuments++;
    arena_free(&a);
    if (rc == ERR_INVALID) /* noted */
        rc = 0;
    if (rc == 0 && (str_failed(&c->errors) || str_failed(&c->warnings)))
        return err_set(err, ERR_NOMEM, "out of memory");
    return rc < 0 ? err_set(err, rc, "%s", why.text) : 0;
}

int convert_text(struct convert *c, const struct str **ret, struct err *err)
{
    if (c->format == CONVERT_JSON && c->ndocuments != 1) {
        str_clear(&c->out);
        str_add(&c->out, "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"items\": [");
        if (c->items.len)
            str_addc(&c->out, '\n');
        str_addn(&c->out, str_text(&c->items), c->items.len);
        str_add(&c->out, c->items.len ? "\n    ]\n}\n" : "]\n}\n");
    }
    *ret = &c->out;
    return str_failed(&c->out) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}
