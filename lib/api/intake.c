#include "api/set_priv.h"

#include "api/json.h"
#include "api/scan.h"
#include "api/yaml.h"
#include "base/str.h"

#include <string.h>

/* Texts into documents. A text is read through a window (api/source.h), one piece after the other: pieces lie between the lines that
 * are nothing but "---". YAML allows such a line nowhere inside a document, JSON neither. Of a long list, one item at a time is in
 * memory. */

enum {
    MARKER_MAX = 256,     /* bytes of a marker line with the white space in it */
    LINE_LOOK = 64 << 10, /* how far is looked for the next line */
};

struct intake {
    struct api_set *s;
    struct source *src;
    bool json_only;
    int fatal;    /* what taking a document or an item failed with: not the text's fault */
    uint64_t off; /* where the piece at hand begins, and its line */
    uint32_t line;
};

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static int take_item(struct intake *in, const struct doc_node *list, const struct doc_node *item,
                     struct err *err)
{
    in->fatal = set_take_item(in->s, list, item, err);
    return in->fatal;
}

static int take_document(struct intake *in, const struct doc_node *root, struct err *err)
{
    in->fatal = set_take_document(in->s, root, err);
    return in->fatal;
}

/* Is it a fault of the text, which is told, after which other pieces are read? */
static bool is_fault(const struct intake *in, int rc)
{
    return !in->fatal && (rc == ERR_INVALID || rc == ERR_LIMIT);
}

/* The reading cannot go on: a limit is told with its line, like any other fault of the text. */
static int give_up(struct intake *in, int rc, uint32_t line, const struct err *why, struct err *err)
{
    if (rc != ERR_LIMIT)
        return err_set(err, rc, "%s", why->text);
    set_note(in->s, true, line, "", why->text);
    in->src->ended = true; /* what follows is left alone */
    in->off = in->src->keep = source_end(in->src);
    return 0;
}

static void warn_boolish(struct api_set *s, const struct doc_node *n)
{
    if (n->boolish) {
        char text[160];
        struct str out;
        str_init(&out, sizeof(text));
        str_addf(&out, "%.32s is read as text; quote it, other YAML readers take it for a boolean", n->text);
        set_note(s, false, n->line, "", str_text(&out));
        str_free(&out);
    }
    doc_foreach (c, n)
        warn_boolish(s, c);
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------- */

/* Is the line at `off` a document marker and nothing else? *ret_len is its length with the newline. */
static int at_marker(struct source *src, uint64_t off, size_t *ret_len, bool *ret, struct err *err)
{
    *ret = false;
    int rc = source_need(src, off, MARKER_MAX, err);
    if (rc < 0)
        return rc;
    const char *p = source_at(src, off), *end = source_at(src, source_end(src)), *start = p;
    if (end - p < 3 || memcmp(p, "---", 3) != 0)
        return 0;
    for (p += 3; p < end && (*p == ' ' || *p == '\t' || *p == '\r');)
        p++;
    *ret = p == end ? src->ended : *p == '\n';
    *ret_len = (size_t)(p - start) + (p < end);
    return 0;
}

/* Behind the line at `off`: *ret; a line without end goes to the end of the text. */
static int line_end(struct source *src, uint64_t off, uint64_t *ret, struct err *err)
{
    uint64_t from = off;
    for (;;) {
        const char *p = source_at(src, from), *end = source_at(src, source_end(src));
        const char *eol = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        *ret = eol ? from + (uint64_t)(eol - p) + 1 : source_end(src);
        if (eol)
            return 0;
        from = source_end(src);
        int rc = source_more(src, err);
        if (rc <= 0)
            return rc;
    }
}

/* What a piece of YAML is read from: it ends before the next marker. Directives have a marker of their own behind them. */
struct piece {
    struct source *src;
    uint64_t off, line_off; /* next byte; end of what is known to belong to the piece */
    uint32_t line;          /* at line_off */
    bool at_line_start, has_directive, has_content, ended;
    bool has_version, has_kind; /* a line at the margin begins with the key */
    bool glued, doubtful;       /* see look_for_glue */
    size_t marker;              /* length of the marker that ends it, 0 at the end of the text */
};

static bool begins(const char *text, size_t len, const char *with)
{
    size_t n = strlen(with);
    return len >= n && memcmp(text, with, n) == 0;
}

static void look_at_line(struct piece *p, const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r'))
        i++;
    bool blank = i == len || text[i] == '\n' || text[i] == '#';
    p->has_directive |= *text == '%' && !p->has_content;
    p->has_content |= !blank && *text != '%';
    p->has_version |= begins(text, len, "apiVersion:");
    p->has_kind |= begins(text, len, "kind:");
}

/* Reads on until the line at `off` is whole, or long. */
static int need_line(struct source *src, uint64_t off, struct err *err)
{
    int rc = 1;
    while (rc > 0) {
        size_t n = (size_t)(source_end(src) - off);
        if ((n && memchr(source_at(src, off), '\n', n)) || n >= LINE_LOOK)
            return 0;
        rc = source_more(src, err);
    }
    return rc;
}

/* What the next line that is neither empty nor a comment begins with, within reason; *ret_len is 0 at the end of the text. */
static int peek_content(struct piece *p, uint64_t off, const char **ret, size_t *ret_len, struct err *err)
{
    for (uint64_t stop = off + LINE_LOOK; off < stop;) {
        int rc = need_line(p->src, off, err);
        if (rc < 0)
            return rc;
        const char *text = source_at(p->src, off), *end = source_at(p->src, source_end(p->src));
        const char *eol = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;
        *ret = text;
        *ret_len = (size_t)((eol ? eol + 1 : end) - text);
        size_t i = 0;
        while (i < *ret_len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n'))
            i++;
        if (*ret_len == 0 || (i < *ret_len && text[i] != '#'))
            return 0;
        off += *ret_len;
    }
    *ret_len = 0;
    return 0;
}

/* Files joined by `echo ---; cat FILE` leave "value---" where one ends without a newline. It is certain when the next line begins an
 * object anew: as one document the text had the key twice. Before another marker it may be either, and is only told. `len` is that of
 * the line at p->line_off with its newline; *ret_cut what comes before the marker, when there is one. */
static int look_for_glue(struct piece *p, size_t len, size_t *ret_cut, struct err *err)
{
    const char *text = source_at(p->src, p->line_off), *next = NULL;
    size_t n = len, next_len = 0;
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' ' || text[n - 1] == '\t'))
        n--;
    *ret_cut = 0;
    if (n < 4 || memcmp(text + n - 3, "---", 3) != 0 || text[n - 4] == '-')
        return 0;
    int rc = peek_content(p, p->line_off + len, &next, &next_len, err);
    if (rc < 0)
        return rc;
    p->glued = (p->has_version && begins(next, next_len, "apiVersion:")) ||
               (p->has_kind && begins(next, next_len, "kind:"));
    p->doubtful = !p->glued && *text != '#' && begins(next, next_len, "---");
    *ret_cut = p->glued ? n - 3 : 0;
    return 0;
}

static void warn_glue(const struct intake *in, const struct piece *p)
{
    if (p->glued)
        set_note(in->s, false, p->line, "",
                 "\"---\" at the end of the line is taken as a line of its own: a file before it ends "
                 "without a newline");
    else if (p->doubtful)
        set_note(in->s, false, p->line - 1, "",
                 "the document ends with \"---\" in its last line: if files were joined, one ends without a "
                 "newline");
}

/* Makes known where the next line, or a part of a long one, ends. */
static int extend(struct piece *p, struct err *err)
{
    bool marker = false;
    size_t len = 0;
    int rc = p->at_line_start ? at_marker(p->src, p->line_off, &len, &marker, err) : 0;
    if (rc < 0)
        return rc;
    if (marker && (p->has_content || !p->has_directive)) {
        p->marker = len;
        p->ended = true;
        return 0;
    }
    rc = source_need(p->src, p->line_off, 1, err);
    if (rc <= 0) {
        p->ended = rc == 0;
        return rc;
    }
    rc = p->at_line_start ? need_line(p->src, p->line_off, err) : 0;
    if (rc < 0)
        return rc;
    const char *text = source_at(p->src, p->line_off), *end = source_at(p->src, source_end(p->src));
    const char *eol = memchr(text, '\n', (size_t)(end - text));
    len = (size_t)((eol ? eol + 1 : end) - text);
    if (p->at_line_start)
        look_at_line(p, text, len);
    p->has_content |= marker; /* the one behind directives */
    size_t cut = 0;
    rc = eol && !marker ? look_for_glue(p, len, &cut, err) : 0;
    if (rc < 0)
        return rc;
    if (p->glued) {
        p->line_off += cut;
        p->marker = len - cut;
        p->ended = true;
        return 0;
    }
    p->line_off += len;
    p->line += eol != NULL;
    p->at_line_start = eol != NULL;
    return 0;
}

static int read_piece(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err)
{
    struct piece *p = ctx;
    while (p->off == p->line_off && !p->ended) {
        p->src->keep = p->off;
        int rc = extend(p, err);
        if (rc < 0)
            return rc;
    }
    size_t n = (size_t)(p->line_off - p->off);
    *ret = n < cap ? n : cap;
    memcpy(buf, source_at(p->src, p->off), *ret);
    p->off += *ret;
    return 0;
}

static void begin_piece(struct piece *p, const struct intake *in)
{
    *p = (struct piece){
        .src = in->src, .off = in->off, .line_off = in->off, .line = in->line, .at_line_start = true};
}

/* Goes on behind the marker that ends the piece. What is left of a piece with a fault is passed over, as long as it is not endless. */
static int end_piece(struct intake *in, struct piece *p, struct err *err)
{
    const uint64_t start = p->line_off;
    while (!p->ended) {
        p->src->keep = p->line_off;
        int rc = extend(p, err);
        if (rc == 0 && p->line_off - start > SOURCE_WINDOW_MAX)
            rc = err_set(err, ERR_LIMIT, "the rest is not read");
        if (rc < 0)
            return rc;
    }
    warn_glue(in, p);
    in->off = p->line_off + p->marker;
    in->line = p->line + (p->marker > 0);
    in->src->keep = in->off;
    return 0;
}

/* ---- YAML --------------------------------------------------------------------------------------------------------------- */

struct items {
    struct intake *in;
    struct yaml *y;
    uint32_t boolish, taken;
};

static void warn_new_boolish(struct items *it, const struct doc_node *n)
{
    if (yaml_boolish(it->y) > it->boolish)
        warn_boolish(it->in->s, n);
    it->boolish = yaml_boolish(it->y);
}

static int on_item(void *ctx, const struct doc_node *root, const struct doc_node *item, struct err *err)
{
    struct items *it = ctx;
    uint32_t had = it->in->s->in_arena;
    if (!set_knows_item(root, item))
        return YAML_ITEM_IN_TREE;
    warn_new_boolish(it, item);
    it->taken++;
    int rc = take_item(it->in, root, item, err);
    if (rc < 0)
        return rc;
    return it->in->s->in_arena == had ? YAML_ITEM_DONE : YAML_ITEM_REMEMBERED;
}

/* A document whose items were handed on must turn out to be a list. */
static int take_root(struct items *it, const struct doc_node *root, struct err *err)
{
    struct api_set *s = it->in->s;
    if (it->taken && !set_is_list(root)) {
        set_note(s, true, root->line, "", "a document with items must be of a kind that ends in \"List\"");
        return 0;
    }
    warn_new_boolish(it, root);
    return take_document(it->in, root, err);
}

static int read_documents(struct items *it, struct err *why)
{
    struct api_set *s = it->in->s;
    for (;;) {
        const struct arena_mark before = arena_mark(&s->arena);
        uint32_t had = s->in_arena;
        const struct doc_node *root;
        it->taken = 0;
        int rc = yaml_next(it->y, &root, why);
        if (rc <= 0)
            return rc;
        rc = take_root(it, root, why);
        if (s->in_arena == had)
            arena_rewind(&s->arena, before);
        if (rc < 0)
            return rc;
    }
}

static int read_yaml(struct intake *in, struct err *err)
{
    struct piece p;
    struct err why = {0};
    begin_piece(&p, in);
    struct items it = {.in = in, .y = yaml_open_reader(&in->s->arena, read_piece, &p, in->line)};
    if (!it.y)
        return no_memory(err);
    if (!in->s->document)
        yaml_items(it.y, on_item, &it);
    int rc = read_documents(&it, &why);
    yaml_close(it.y);
    if (is_fault(in, rc))
        set_note_parse_error(in->s, why.text); /* the rest of this piece is lost, other pieces are not */
    else if (rc < 0)
        return err_set(err, rc, "%s", why.text);
    rc = end_piece(in, &p, &why);
    return rc < 0 ? give_up(in, rc, p.line, &why, err) : set_check(in->s, err);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

/* A JSON value as it is read: an object, whose list in "items" is handed on item by item once its kind is clear. */
struct json {
    struct intake *in;
    struct scan scan;
    uint64_t start; /* of the value */
    uint32_t start_line;
    struct doc_node *root, *last; /* what there is of the object, without items that were handed on */
    uint32_t taken;
    bool whole; /* no item is handed on: the value is read as a whole */
};

/* The text [off, off + len) as a node. */
static int parse(struct json *j, const char *text, size_t len, uint32_t line, const struct doc_node **ret,
                 struct err *why)
{
    return json_read(&j->in->s->arena, &j->in->s->scratch, text, len, line, ret, why);
}

/* Adds the fields in [p, end) to the root. They are read in braces, as a map of their own. */
static int add_fields(struct json *j, const char *p, const char *end, uint32_t line, struct err *why)
{
    struct str text;
    const struct doc_node *map = NULL;
    str_init(&text, 0);
    str_addc(&text, '{');
    str_addn(&text, p, (size_t)(end - p));
    str_addc(&text, '}');
    int rc = str_failed(&text) ? no_memory(why) : parse(j, str_text(&text), text.len, line, &map, why);
    str_free(&text);
    doc_foreach (c, map) {
        struct doc_node *own = rc < 0 ? NULL : doc_node_new(&j->in->s->arena, c->type, c->line);
        if (!own)
            return rc < 0 ? rc : no_memory(why);
        /* Of the list only its kind and version are looked at: what is deeper need not know its new parent. */
        *own = *c;
        own->next = NULL;
        doc_append(j->root, &j->last, own);
    }
    return rc;
}

/* What comes before the list. */
static int add_prefix(struct json *j, struct err *why)
{
    const char *p = source_at(j->in->src, j->start) + 1, *end = source_at(j->in->src, j->scan.list_key_off);
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r'))
        end--;
    return add_fields(j, p, end > p && end[-1] == ',' ? end - 1 : end, j->start_line, why);
}

/* Hands an item on; *ret_whole when that is not possible before the whole object is known. */
static int take_json_item(struct json *j, const struct scan_next *n, bool *ret_whole, struct err *why)
{
    struct api_set *s = j->in->s;
    const struct doc_node *item = NULL;
    uint32_t had = s->in_arena;
    int rc = j->taken ? 0 : add_prefix(j, why);
    struct arena_mark before = arena_mark(&s->arena);
    if (rc == 0)
        rc = parse(j, n->piece.text, n->piece.len, n->piece.line, &item, why);
    if (rc < 0)
        return rc;
    *ret_whole = !j->taken && !set_knows_item(j->root, item);
    if (*ret_whole)
        return 0;
    j->taken++;
    rc = take_item(j->in, j->root, item, why);
    if (s->in_arena == had)
        arena_rewind(&s->arena, before);
    j->in->src->keep = j->scan.off;
    return rc;
}

/* Scans to the end of the object, or until it turns out that it must be read as a whole. */
static int scan_object(struct json *j, struct err *why)
{
    for (;;) {
        struct scan_next n;
        int rc = scan_next(&j->scan, &n, why);
        if (rc < 0 || n.kind == SCAN_END)
            return rc;
        const char *key = source_at(j->in->src, n.kind == SCAN_FIELD ? n.key_off : j->scan.off);
        if (n.kind == SCAN_ITEM && !j->whole && !j->in->s->document)
            rc = take_json_item(j, &n, &j->whole, why);
        else if (n.kind == SCAN_FIELD && j->taken)
            rc = add_fields(j, key, n.piece.text + n.piece.len, n.piece.line, why);
        if (rc < 0)
            return rc;
    }
}

/* Is there nothing but white space and comments from j->scan.off to the end of the piece (JSON only: of the text)? Else j->scan.line is
 * where something else stands. */
static int is_alone(struct json *j, bool *ret, struct piece *p, struct err *err)
{
    struct intake rest = {.s = j->in->s, .src = j->in->src, .off = j->scan.off, .line = j->scan.line};
    begin_piece(p, &rest);
    p->at_line_start = false;
    uint64_t off = p->off;
    *ret = true;
    while (!p->ended && *ret) {
        int rc = extend(p, err);
        if (rc < 0)
            return rc;
        const char *text = source_at(p->src, off), *end = source_at(p->src, p->line_off);
        for (; text < end && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n'); text++)
            j->scan.line += *text == '\n';
        *ret = text == end || (*text == '#' && !j->in->json_only);
        off = p->line_off;
        if (j->taken)
            p->src->keep = off;
    }
    *ret = *ret && !(j->in->json_only && p->marker);
    return 0;
}

/* The end of an object whose items were handed on. */
static int finish_list(struct json *j, struct err *why)
{
    int rc = doc_check_keys(j->root, &j->in->s->arena, why);
    if (rc < 0)
        return rc;
    if (!set_is_list(j->root))
        return err_set(why, ERR_INVALID,
                       "line %u: a document with items must be of a kind that ends in \"List\"",
                       j->start_line);
    if (j->scan.lists > 1 || doc_get(j->root, "items"))
        return err_set(why, ERR_INVALID, "line %u: duplicate key \"items\"", j->start_line);
    return set_check(j->in->s, why);
}

/* The whole value, which is in the window from start to the end that the scan found. */
static int read_whole(struct json *j, struct err *why)
{
    struct api_set *s = j->in->s;
    const struct arena_mark before = arena_mark(&s->arena);
    const struct doc_node *root;
    uint32_t had = s->in_arena;
    const char *text = source_at(j->in->src, j->start);
    int rc = parse(j, text, (size_t)(j->scan.off - j->start), j->start_line, &root, why);
    if (rc < 0) {
        arena_rewind(&s->arena, before);
        return rc;
    }
    rc = take_document(j->in, root, why);
    if (s->in_arena == had)
        arena_rewind(&s->arena, before);
    return rc;
}

/* The piece begins, after white space, with a brace at `off`. Without a fault 0, and the intake is behind the piece; 1 when the piece
 * is no JSON and nothing was made of it. A fault after items were handed on is told, and the rest of the piece is lost. */
static int read_json(struct intake *in, uint64_t off, uint32_t line, struct err *err)
{
    struct json j = {.in = in, .start = off, .start_line = line};
    struct piece p = {0};
    struct err why = {0};
    bool alone = true;
    const struct arena_mark before = arena_mark(&in->s->arena);
    uint32_t had = in->s->in_arena;
    j.root = doc_node_new(&in->s->arena, DOC_MAP, line);
    if (!j.root)
        return no_memory(err);
    scan_begin(&j.scan, in->src, off, line);
    int rc = scan_object(&j, &why);
    if (rc == 0)
        rc = is_alone(&j, &alone, &p, &why);
    if (rc == 0 && !alone)
        rc = err_set(&why, ERR_INVALID, "line %u: JSON: something follows the value", j.scan.line);
    if (rc == 0)
        rc = j.taken ? finish_list(&j, &why) : read_whole(&j, &why);
    if (in->s->in_arena == had)
        arena_rewind(&in->s->arena, before);
    if (rc < 0 && !is_fault(in, rc))
        return err_set(err, rc, "%s", why.text);
    if (rc < 0 && !j.taken && !in->json_only)
        return 1;
    if (rc < 0)
        set_note_parse_error(in->s, why.text);
    if (rc < 0 && in->json_only) {
        in->off = source_end(in->src);
        in->src->ended = true;
        return 0;
    }
    if (rc < 0) {
        struct intake rest = {.s = in->s, .src = in->src, .off = j.scan.off, .line = j.scan.line};
        begin_piece(&p, &rest);
        p.at_line_start = false;
    }
    rc = end_piece(in, &p, &why);
    return rc < 0 ? give_up(in, rc, p.line, &why, err) : 0;
}

/* ---- all of a text ------------------------------------------------------------------------------------------------------ */

/* Skips empty lines, comments and markers before the next piece. *ret_brace is where a brace follows; false at the end of the text. */
static int find_piece(struct intake *in, bool *ret_more, bool *ret_brace, uint64_t *ret_off, struct err *err)
{
    const uint64_t first = in->off;
    *ret_more = true;
    for (;;) {
        bool marker;
        size_t len;
        uint64_t end = in->off;
        in->src->keep = in->off;
        int rc = at_marker(in->src, in->off, &len, &marker, err);
        if (rc == 0)
            rc = line_end(in->src, in->off, &end, err);
        if (rc == 0 && end - first > SOURCE_WINDOW_MAX)
            rc = err_set(err, ERR_LIMIT, "more than %zu MiB without an object", SOURCE_WINDOW_MAX >> 20);
        if (rc < 0)
            return rc;
        if (end == in->off) {
            *ret_more = false;
            return 0;
        }
        const char *p = source_at(in->src, in->off), *stop = source_at(in->src, end), *start = p;
        while (p < stop && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
            p++;
        if (!marker && p < stop && *p != '#') {
            *ret_brace = *p == '{';
            *ret_off = in->off + (uint64_t)(p - start);
            return 0;
        }
        in->off = end;
        in->line++;
    }
}

static int read_text(struct intake *in, struct err *err)
{
    for (;;) {
        bool more, brace;
        uint64_t off;
        struct err why = {0};
        int rc = find_piece(in, &more, &brace, &off, &why);
        if (rc < 0)
            return give_up(in, rc, in->line, &why, err);
        if (!more)
            return 0;
        rc = brace ? read_json(in, off, in->line, err) : 1;
        if (rc > 0)
            rc = read_yaml(in, err);
        if (rc < 0)
            return rc;
    }
}

static bool is_json_name(const char *name)
{
    size_t n = strlen(name);
    return n >= 5 && strcmp(name + n - 5, ".json") == 0;
}

/* A text that has to be JSON and does not begin with a brace: the reader of JSON says what is wrong. */
static int read_odd_json(struct intake *in, struct err *err)
{
    struct err why = {0};
    const struct doc_node *root;
    int rc = 1;
    while (rc > 0)
        rc = source_more(in->src, &why);
    if (rc == 0)
        rc = json_read(&in->s->arena, &in->s->scratch, source_at(in->src, in->off),
                       (size_t)(source_end(in->src) - in->off), in->line, &root, &why);
    if (rc == 0)
        return take_document(in, root, err);
    if (rc == ERR_INVALID)
        set_note_parse_error(in->s, why.text);
    return rc == ERR_INVALID ? 0 : give_up(in, rc, in->line, &why, err);
}

static int read_json_text(struct intake *in, struct err *err)
{
    struct err why = {0};
    int rc;
    while ((rc = source_need(in->src, in->off, 1, &why)) > 0) {
        const char *p = source_at(in->src, in->off);
        if (*p != ' ' && *p != '\t' && *p != '\r' && *p != '\n')
            break;
        in->line += *p == '\n';
        in->src->keep = ++in->off;
    }
    if (rc < 0)
        return give_up(in, rc, in->line, &why, err);
    bool brace = rc > 0 && *source_at(in->src, in->off) == '{';
    return brace ? read_json(in, in->off, in->line, err) : read_odd_json(in, err);
}

int set_read_source(struct api_set *s, const char *name, struct source *src, struct err *err)
{
    struct intake in = {.s = s, .src = src, .line = 1, .json_only = is_json_name(name)};
    s->file = arena_strndup(&s->arena, name, strlen(name));
    if (!s->file)
        return no_memory(err);
    int rc = source_need(src, 0, 3, err);
    if (rc < 0)
        return rc;
    if (source_end(src) >= 3 && memcmp(source_at(src, 0), "\xef\xbb\xbf", 3) == 0)
        in.off = src->keep = 3;
    return in.json_only ? read_json_text(&in, err) : read_text(&in, err);
}

int api_read_buffer(struct api_set *s, const char *name, const char *text, size_t len, struct err *err)
{
    struct source src;
    source_init_text(&src, text, len);
    return set_read_source(s, name, &src, err);
}
