#include "api/set.h"

#include "api/json.h"
#include "api/v1beta1.h"
#include "api/yaml.h"
#include "base/mem.h"
#include "base/str.h"

#include <string.h>

enum { NOTES_MAX = 10000 }; /* errors, and warnings, that are kept */

struct texts {
    char **p;
    uint32_t n, cap;
};

struct passed {
    char *kind;
    uint32_t count;
};

struct api_set {
    unsigned flags;
    struct arena arena;   /* documents and facts */
    struct arena scratch; /* cJSON's trees */
    const struct object **objects;
    uint32_t nobjects, objects_cap;
    struct texts errors, warnings;
    struct passed *passed;
    uint32_t npassed, passed_cap;
    api_object_fn *stream;
    void *stream_ctx;
    api_document_fn *document;
    void *document_ctx;
    bool no_memory; /* a note could not be kept */
    /* what is being read */
    const char *file;
    const char *kind, *ns, *name;
};

struct api_set *api_set_new(unsigned flags)
{
    struct api_set *s = mem_zalloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->flags = flags;
    arena_init(&s->arena, 256 << 10);
    arena_init(&s->scratch, 64 << 10);
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
static void note_parse_error(struct api_set *s, const char *text)
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

static int keep(struct api_set *s, const struct object *o, struct err *err)
{
    if (s->stream)
        return s->stream(s->stream_ctx, o, err);
    struct object *copy = arena_alloc(&s->arena, sizeof(*copy));
    void *p = s->objects;
    if (!copy || mem_grow(&p, &s->objects_cap, s->nobjects + 1, sizeof(*s->objects)) < 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    *copy = *o;
    s->objects = p;
    s->objects[s->nobjects++] = copy;
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

struct api_sink api_set_sink(struct api_set *s, const struct object *about)
{
    s->kind = about ? api_kind_name(about->kind) : NULL;
    if (about) {
        s->file = about->file;
        s->ns = about->ns;
        s->name = about->name;
    }
    return (struct api_sink){.note = note, .ctx = s};
}

bool api_set_lost_note(const struct api_set *s)
{
    return s->no_memory;
}

static int read_known(struct api_set *s, enum api_kind kind, const struct doc_node *node, struct err *err)
{
    const struct doc_node *meta = doc_get(node, "metadata");
    struct api_sink sink = {.note = note, .ctx = s};
    struct object o;
    s->kind = api_kind_name(kind);
    s->ns = doc_str_or(meta, "namespace", "");
    s->name = doc_str_or(meta, "name", "");
    struct err why;
    int rc = api_read_as(kind, node, &s->arena, s->flags, &sink, &o, &why);
    s->kind = NULL;
    if (rc == ERR_INVALID)
        return 0; /* noted */
    if (rc < 0)
        return err_set(err, rc, "%s", why.text);
    o.file = s->file;
    return keep(s, &o, err);
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

static void warn_boolish(struct api_set *s, const struct doc_node *n)
{
    if (n->boolish) {
        char text[256];
        struct str out;
        str_init(&out, sizeof(text));
        str_addf(&out, "%.32s is read as text; quote it, other YAML readers take it for a boolean", n->text);
        note(s, false, n->line, "", str_text(&out));
        str_free(&out);
    }
    doc_foreach (c, n)
        warn_boolish(s, c);
}

static int read_document(struct api_set *s, const struct doc_node *root, struct err *err)
{
    if (s->document)
        return s->document(s->document_ctx, s->file, root, err);
    if (root->type == DOC_NULL)
        return 0;
    const struct doc_node *items = doc_field(root, "items");
    if (!ends_with(doc_str_or(root, "kind", ""), "List") || (items && items->type != DOC_LIST))
        return read_object(s, NULL, root, err);
    doc_foreach (c, items) {
        int rc = read_object(s, root, c, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Reads a document and gives its memory back if nothing of it was kept. */
static int take_document(struct api_set *s, const struct doc_node *root, struct arena_mark before,
                         struct err *err)
{
    uint32_t had = s->nobjects;
    int rc = read_document(s, root, err);
    if (s->nobjects == had)
        arena_rewind(&s->arena, before);
    if (rc == 0 && s->no_memory)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    return rc;
}

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

static int read_yaml(struct api_set *s, const char *text, size_t len, uint32_t line, struct err *err)
{
    struct yaml *y = yaml_open(&s->arena, text, len, line);
    if (!y)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc;
    uint32_t boolish = 0;
    do {
        struct arena_mark before = arena_mark(&s->arena);
        const struct doc_node *root;
        struct err why;
        rc = yaml_next(y, &root, &why);
        if (rc == ERR_NOMEM) {
            err_set(err, rc, "%s", why.text);
        } else if (rc < 0) {
            note_parse_error(s, why.text);
            arena_rewind(&s->arena, before);
            rc = 0; /* the rest of this text is lost, other texts are not */
        } else if (rc > 0) {
            if (yaml_boolish(y) > boolish)
                warn_boolish(s, root);
            boolish = yaml_boolish(y);
            int taken = take_document(s, root, before, err);
            rc = taken < 0 ? taken : rc;
        }
    } while (rc > 0);
    yaml_close(y);
    return rc;
}

/* Reads a text as one JSON value. When it is none: if it may be YAML, 1; else the error is noted. */
static int read_json(struct api_set *s, const char *text, size_t len, uint32_t line, bool maybe_yaml,
                     struct err *err)
{
    struct arena_mark before = arena_mark(&s->arena);
    const struct doc_node *root;
    struct err why;
    int rc = json_read(&s->arena, &s->scratch, text, len, line, &root, &why);
    if (rc == 0)
        return take_document(s, root, before, err);
    arena_rewind(&s->arena, before);
    if (rc == ERR_NOMEM)
        return err_set(err, rc, "%s", why.text);
    if (maybe_yaml)
        return 1;
    note_parse_error(s, why.text);
    return 0;
}

/* The first character that is neither white space nor in a comment line, NULL if there is none; counts lines. */
static const char *first_content(const char *p, const char *end, uint32_t *line)
{
    for (; p < end; p++) {
        if (*p == '#') {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                return NULL;
        }
        if (*p == '\n')
            ++*line;
        else if (*p != ' ' && *p != '\t' && *p != '\r')
            return p;
    }
    return NULL;
}

/* One piece of a stream. A piece that begins with a brace may be JSON, which is read much faster; if it is not, it is YAML. */
static int read_piece(struct api_set *s, const char *text, size_t len, uint32_t line, struct err *err)
{
    const char *end = text + len;
    uint32_t content_line = line;
    const char *p = first_content(text, end, &content_line);
    if (!p)
        return 0;
    int rc = *p == '{' ? read_json(s, p, (size_t)(end - p), content_line, true, err) : 1;
    return rc > 0 ? read_yaml(s, text, len, line, err) : rc;
}

/* Is the line [p, end) a document marker and nothing else? */
static bool is_marker(const char *p, const char *end)
{
    if (end - p < 3 || memcmp(p, "---", 3) != 0)
        return false;
    for (p += 3; p < end; p++) {
        if (*p != ' ' && *p != '\t' && *p != '\r')
            return false;
    }
    return true;
}

static bool has_directive(const char *text, size_t len)
{
    const char *end = text + len;
    while (text && text < end) {
        if (*text == '%')
            return true;
        const char *eol = memchr(text, '\n', (size_t)(end - text));
        text = eol ? eol + 1 : NULL;
    }
    return false;
}

/* Cuts a stream at the lines that are nothing but "---". YAML allows such a line nowhere inside a document, JSON neither, so the
 * pieces mean the same as the whole; only directives reach over a marker, and a stream that may have some is read uncut. */
static int read_stream(struct api_set *s, const char *text, size_t len, struct err *err)
{
    if (has_directive(text, len))
        return read_yaml(s, text, len, 1, err);
    const char *end = text + len, *piece = text, *p = text;
    uint32_t line = 1, piece_line = 1;
    int rc = 0;
    while (p < end && rc == 0) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        const char *next = eol ? eol + 1 : end;
        line++;
        if (is_marker(p, eol ? eol : end)) {
            rc = read_piece(s, piece, (size_t)(p - piece), piece_line, err);
            piece = next;
            piece_line = line;
        }
        p = next;
    }
    return rc == 0 ? read_piece(s, piece, (size_t)(end - piece), piece_line, err) : rc;
}

int api_read_buffer(struct api_set *s, const char *name, const char *text, size_t len, struct err *err)
{
    if (len > DOC_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "%s: larger than %zu MiB", name, DOC_MAX_BYTES >> 20);
    s->file = arena_strndup(&s->arena, name, strlen(name));
    if (!s->file)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (ends_with(name, ".json"))
        return read_json(s, text, len, 1, false, err);
    return read_stream(s, text, len, err);
}
