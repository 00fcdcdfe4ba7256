/* convert-check PATH...: every manifest below the paths is converted to YAML and to JSON, and nothing of it is lost: the documents that
 * are read back are those of the original with v1beta1 turned into v1beta2, and converting them again changes nothing. */
#define _GNU_SOURCE /* nftw */

#include "api/convert.h"
#include "api/set.h"
#include "api/v1beta1.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MAX = 10000, OPEN_MAX = 16, ARENA_BLOCK = 256 << 10 };

struct documents {
    struct arena arena;
    const struct doc_node *list[DOCUMENTS_MAX];
    uint32_t n;
};

static int files, documents, failures;

static void fail(const char *path, const char *what)
{
    printf("%s: %s\n", path, what);
    failures++;
}

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

static const char *copy_text(struct arena *a, const char *text)
{
    const char *copy = text ? arena_strndup(a, text, strlen(text)) : NULL;
    if (text && !copy)
        abort();
    return copy;
}

/* A copy that owes nothing to the document, which lives only as long as the call. */
static struct doc_node *copy_node(struct arena *a, const struct doc_node *n)
{
    struct doc_node *c = doc_node_new(a, n->type, n->line), *last = NULL;
    if (!c)
        abort();
    c->text = copy_text(a, n->text);
    c->key = copy_text(a, n->key);
    doc_foreach (child, n)
        doc_append(c, &last, copy_node(a, child));
    return c;
}

static int keep(void *ctx, const char *file, const struct doc_node *root, struct err *err)
{
    struct documents *d = ctx;
    const struct doc_node *converted;
    (void)file;
    if (root->type == DOC_NULL)
        return 0;
    if (d->n == DOCUMENTS_MAX)
        return err_set(err, ERR_LIMIT, "too many documents");
    int rc = v1beta1_document(root, &d->arena, NULL, &converted, err);
    if (rc == 0)
        d->list[d->n++] = copy_node(&d->arena, converted);
    return rc;
}

/* What a file (text NULL) or a text says; false when it cannot be read. */
static bool read_documents(struct documents *d, const char *path, const char *text, size_t len)
{
    struct err err;
    struct api_set *s = api_set_new(0);
    if (!s)
        abort();
    d->n = 0;
    arena_init(&d->arena, ARENA_BLOCK);
    api_set_documents(s, keep, d);
    int rc = text ? api_read_buffer(s, path, text, len, &err) : api_read_path(s, path, &err);
    bool ok = rc == 0 && api_set_errors(s) == 0;
    if (!ok)
        fail(path, rc < 0 ? err.text : api_set_error(s, 0));
    api_set_free(s);
    return ok;
}

/* Is the document what the text says? *at is the place in the text: a document, or an item of the one list that JSON makes of several, a
 * list of which is not one item but as many as it has. */
static bool says(const struct doc_node *document, const struct documents *text, bool one_list, uint32_t *at)
{
    const struct doc_node *items = one_list ? doc_get(text->list[0], "items") : NULL;
    bool inside = one_list && strcmp(doc_str_or(document, "kind", ""), "List") == 0;
    bool same = true;
    if (!one_list)
        return doc_equal(document, text->list[(*at)++]);
    if (!inside)
        return doc_equal(document, doc_at(items, (*at)++));
    doc_foreach (c, doc_get(document, "items"))
        same = doc_equal(c, doc_at(items, (*at)++)) && same;
    return same;
}

static bool same_documents(const struct documents *a, const struct documents *b, enum convert_format format)
{
    bool one_list = format == CONVERT_JSON && a->n != 1;
    uint32_t at = 0;
    if (b->n != (one_list ? 1 : a->n))
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        if (!says(a->list[i], b, one_list, &at))
            return false;
    }
    const struct doc_node *items = one_list ? doc_get(b->list[0], "items") : NULL;
    return !items || items->n == at;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static const struct str *convert(struct convert *c, enum convert_format format, const char *path,
                                 const struct str *text)
{
    struct err err;
    const struct str *out = NULL;
    struct api_set *s = api_set_new(0);
    if (!s)
        abort();
    convert_init(c, format);
    api_set_documents(s, convert_document, c);
    int rc = text ? api_read_buffer(s, path, str_text(text), text->len, &err) : api_read_path(s, path, &err);
    if (rc == 0)
        rc = convert_text(c, &out, &err);
    if (rc < 0)
        fail(path, err.text);
    else if (api_set_errors(s) || c->errors.len)
        fail(path, api_set_errors(s) ? api_set_error(s, 0) : str_text(&c->errors));
    api_set_free(s);
    return rc == 0 ? out : NULL;
}

static void check(const char *path, const struct documents *was, enum convert_format format)
{
    struct convert once, twice;
    struct documents *is = calloc(1, sizeof(*is));
    const char *name = format == CONVERT_JSON ? "out.json" : "out.yaml";
    const struct str *out = convert(&once, format, path, NULL);
    if (!is)
        abort();
    if (out && read_documents(is, name, str_text(out), out->len)) {
        const struct str *again = convert(&twice, format, name, out);
        if (!same_documents(was, is, format))
            fail(path, "not the same documents");
        if (!again || strcmp(str_text(again), str_text(out)) != 0)
            fail(path, "converted twice it is something else");
        convert_free(&twice);
    }
    arena_free(&is->arena);
    free(is);
    convert_free(&once);
}

static int check_file(const char *path, const struct stat *st, int type, struct FTW *where)
{
    const char *dot = strrchr(path, '.');
    (void)st;
    (void)where;
    if (type != FTW_F || !dot || (strcmp(dot, ".yaml") && strcmp(dot, ".yml") && strcmp(dot, ".json")))
        return 0;
    struct documents *was = calloc(1, sizeof(*was));
    if (!was)
        abort();
    files++;
    if (read_documents(was, path, NULL, 0)) {
        documents += (int)was->n;
        check(path, was, CONVERT_YAML);
        check(path, was, CONVERT_JSON);
    }
    arena_free(&was->arena);
    free(was);
    return 0;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], check_file, OPEN_MAX, FTW_PHYS) < 0)
            fail(argv[i], "cannot be walked");
    }
    printf("%d files, %d documents, %d failures\n", files, documents, failures);
    return failures || !files;
}
