#include "api/yaml.h"

#include "base/mem.h"

#include <string.h>
#include <yaml.h>

struct anchor {
    const char *name; /* in the arena */
    const struct doc_node *node;
    struct anchor *next;
};

struct yaml {
    struct arena *a;
    yaml_parser_t parser;
    uint32_t first_line;
    struct anchor *anchors; /* of the document at hand, newest first, in the arena */
    uint32_t nodes, alias_nodes, boolish;
    bool failed, ended;
    struct err *err; /* of the call at hand */
    yaml_item_fn *item;
    void *item_ctx;
    /* the text */
    source_read_fn *read;
    void *ctx;
    int read_rc; /* why `read` failed */
    struct err read_err;
    size_t silent;     /* bytes read since the last event */
    const char *chunk; /* the last piece that was read */
    size_t chunk_len;
    uint64_t chunk_off;     /* its place in the text */
    uint32_t chunk_lines;   /* lines before it */
    const char *text, *end; /* what is left of a text in memory */
};

static uint32_t count_lines(const char *p, const char *end)
{
    uint32_t n = 0;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

static int from_text(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err)
{
    struct yaml *y = ctx;
    size_t n = (size_t)(y->end - y->text);
    (void)err;
    *ret = n < cap ? n : cap;
    memcpy(buf, y->text, *ret);
    y->text += *ret;
    return 0;
}

/* libyaml's way of asking for more: 1, or 0 when there was an error. */
static int read_more(void *data, unsigned char *buf, size_t cap, size_t *ret)
{
    struct yaml *y = data;
    y->chunk_lines += count_lines(y->chunk, y->chunk + y->chunk_len);
    y->chunk_off += y->chunk_len;
    y->chunk = (const char *)buf;
    y->chunk_len = 0;
    *ret = 0;
    if (y->silent > YAML_MAX_TOKEN) {
        y->read_rc = err_set(&y->read_err, ERR_LIMIT, "more than %zu MiB without a place to cut",
                             YAML_MAX_TOKEN >> 20);
        return 0;
    }
    y->read_rc = y->read(y->ctx, (char *)buf, cap, ret, &y->read_err);
    y->chunk_len = y->read_rc < 0 ? 0 : *ret;
    y->silent += y->chunk_len;
    return y->read_rc >= 0;
}

static struct yaml *open_parser(struct arena *a, source_read_fn *read, void *ctx, uint32_t first_line)
{
    struct yaml *y = mem_zalloc(1, sizeof(*y));
    if (!y)
        return NULL;
    if (!yaml_parser_initialize(&y->parser)) {
        mem_free(y);
        return NULL;
    }
    y->a = a;
    y->first_line = first_line;
    y->chunk = "";
    y->read = read;
    y->ctx = ctx;
    yaml_parser_set_encoding(&y->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&y->parser, read_more, y);
    return y;
}

struct yaml *yaml_open(struct arena *a, const char *text, size_t len, uint32_t first_line)
{
    struct yaml *y = open_parser(a, from_text, NULL, first_line);
    if (y) {
        y->ctx = y;
        y->text = text;
        y->end = text + len;
    }
    return y;
}

struct yaml *yaml_open_reader(struct arena *a, source_read_fn *read, void *ctx, uint32_t first_line)
{
    return open_parser(a, read, ctx, first_line);
}

void yaml_items(struct yaml *y, yaml_item_fn *fn, void *ctx)
{
    y->item = fn;
    y->item_ctx = ctx;
}

void yaml_close(struct yaml *y)
{
    if (!y)
        return;
    yaml_parser_delete(&y->parser);
    mem_free(y);
}

uint32_t yaml_boolish(const struct yaml *y)
{
    return y->boolish;
}

static uint32_t line_of(const struct yaml *y, yaml_mark_t mark)
{
    return y->first_line + (uint32_t)mark.line;
}

static int no_memory(struct yaml *y)
{
    return err_set(y->err, ERR_NOMEM, "out of memory");
}

/* libyaml decodes ahead of what it has parsed: where a byte that it cannot decode stands is known from the last piece read. */
static uint32_t line_of_bad_byte(const struct yaml *y)
{
    uint64_t off = y->parser.problem_offset;
    size_t n = off > y->chunk_off ? (size_t)(off - y->chunk_off) : 0;
    n = n < y->chunk_len ? n : y->chunk_len;
    return y->first_line + y->chunk_lines + count_lines(y->chunk, y->chunk + n);
}

static int failed_event(struct yaml *y)
{
    const char *problem = y->parser.problem ? y->parser.problem : "cannot be read";
    if (y->parser.error == YAML_MEMORY_ERROR || y->read_rc == ERR_NOMEM)
        return no_memory(y);
    if (y->read_rc == ERR_LIMIT)
        return err_set(y->err, ERR_LIMIT, "line %u: YAML: %s", line_of(y, y->parser.mark), y->read_err.text);
    if (y->read_rc < 0)
        return err_set(y->err, y->read_rc, "%s", y->read_err.text);
    if (y->parser.error == YAML_READER_ERROR)
        return err_set(y->err, ERR_INVALID, "line %u: YAML: %s", line_of_bad_byte(y), problem);
    return err_set(y->err, ERR_INVALID, "line %u: YAML: %s", line_of(y, y->parser.problem_mark), problem);
}

static int next_event(struct yaml *y, yaml_event_t *ret)
{
    if (!yaml_parser_parse(&y->parser, ret))
        return failed_event(y);
    y->silent = 0;
    return 0;
}

/* ---- scalars ------------------------------------------------------------------------------------------------------------ */

static bool one_of(const char *s, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(s, *words) == 0)
            return true;
    }
    return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const true_words[] = {"true", "True", "TRUE", NULL};
static const char *const false_words[] = {"false", "False", "FALSE", NULL};
static const char *const old_words[] = {"yes", "Yes", "YES", "no",  "No",  "NO", "on",
                                        "On",  "ON",  "off", "Off", "OFF", NULL};

static bool is_number(const char *s)
{
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
        const char *set = s[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
        return s[2] && strspn(s + 2, set) == strlen(s + 2);
    }
    s += *s == '-' || *s == '+';
    if (one_of(s, (const char *const[]){".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL}))
        return true;
    size_t whole = strspn(s, "0123456789"), fraction = 0;
    s += whole;
    if (*s == '.') {
        fraction = strspn(++s, "0123456789");
        s += fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t n = strspn(s, "0123456789");
        if (n == 0)
            return false;
        s += n;
    }
    return !*s;
}

static void resolve_plain(struct yaml *y, struct doc_node *n)
{
    if (one_of(n->text, null_words)) {
        n->type = DOC_NULL;
        n->text = "";
    } else if (one_of(n->text, true_words)) {
        n->type = DOC_BOOL;
        n->text = "true";
    } else if (one_of(n->text, false_words)) {
        n->type = DOC_BOOL;
        n->text = "false";
    } else if (is_number(n->text)) {
        n->type = DOC_NUMBER;
    } else if (one_of(n->text, old_words)) {
        n->boolish = true;
        y->boolish++;
    }
}

/* A tag may say what the core schema says anyway, or make text of a scalar. */
static int check_tag(struct yaml *y, const yaml_event_t *e, const unsigned char *tag, bool *ret_text)
{
    const char *t = (const char *)tag;
    *ret_text = t && (strcmp(t, "!") == 0 || strcmp(t, YAML_STR_TAG) == 0);
    static const char *const known[] = {"!",           YAML_STR_TAG, YAML_NULL_TAG,
                                        YAML_BOOL_TAG, YAML_INT_TAG, YAML_FLOAT_TAG,
                                        YAML_SEQ_TAG,  YAML_MAP_TAG, NULL};
    if (t && !one_of(t, known))
        return err_set(y->err, ERR_INVALID, "line %u: YAML: the tag %.100s is not supported",
                       line_of(y, e->start_mark), t);
    return 0;
}

static int new_node(struct yaml *y, const yaml_event_t *e, enum doc_type type, struct doc_node **ret)
{
    if (++y->nodes > DOC_MAX_NODES)
        return err_set(y->err, ERR_LIMIT, "line %u: YAML: more than %d values", line_of(y, e->start_mark),
                       DOC_MAX_NODES);
    *ret = doc_node_new(y->a, type, line_of(y, e->start_mark));
    return *ret ? 0 : no_memory(y);
}

static int scalar_text(struct yaml *y, const yaml_event_t *e, const char **ret)
{
    const char *value = (const char *)e->data.scalar.value;
    if (memchr(value, 0, e->data.scalar.length))
        return err_set(y->err, ERR_INVALID, "line %u: YAML: a NUL in a string", line_of(y, e->start_mark));
    *ret = arena_strndup(y->a, value, e->data.scalar.length);
    return *ret ? 0 : no_memory(y);
}

static int read_scalar(struct yaml *y, const yaml_event_t *e, struct doc_node **ret)
{
    bool as_text;
    int rc = check_tag(y, e, e->data.scalar.tag, &as_text);
    if (rc == 0)
        rc = new_node(y, e, DOC_STRING, ret);
    if (rc == 0)
        rc = scalar_text(y, e, &(*ret)->text);
    if (rc == 0 && !as_text && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        resolve_plain(y, *ret);
    return rc;
}

/* ---- anchors and aliases ------------------------------------------------------------------------------------------------ */

static int remember(struct yaml *y, const unsigned char *name, const struct doc_node *node)
{
    struct anchor *an = arena_alloc(y->a, sizeof(*an));
    if (!an)
        return no_memory(y);
    const char *text = arena_strndup(y->a, (const char *)name, strlen((const char *)name));
    if (!text)
        return no_memory(y);
    *an = (struct anchor){.name = text, .node = node, .next = y->anchors};
    y->anchors = an;
    return 0;
}

static int copy(struct yaml *y, const struct doc_node *n, struct doc_node **ret)
{
    if (++y->alias_nodes > YAML_MAX_ALIAS_NODES)
        return err_set(y->err, ERR_LIMIT, "line %u: YAML: aliases add more than %d values", n->line,
                       YAML_MAX_ALIAS_NODES);
    struct doc_node *c = doc_node_new(y->a, n->type, n->line), *last = NULL;
    if (!c)
        return no_memory(y);
    c->text = n->text;
    c->key = n->key;
    c->boolish = n->boolish;
    doc_foreach (child, n) {
        struct doc_node *grandchild;
        int rc = copy(y, child, &grandchild);
        if (rc < 0)
            return rc;
        doc_append(c, &last, grandchild);
    }
    *ret = c;
    return 0;
}

static int read_alias(struct yaml *y, const yaml_event_t *e, struct doc_node **ret)
{
    const char *name = (const char *)e->data.alias.anchor;
    for (const struct anchor *an = y->anchors; an; an = an->next) {
        if (strcmp(an->name, name) != 0)
            continue;
        int rc = copy(y, an->node, ret);
        if (rc == 0)
            (*ret)->key = NULL; /* where the anchor stands it may have one */
        return rc;
    }
    return err_set(y->err, ERR_INVALID, "line %u: YAML: unknown anchor %.100s", line_of(y, e->start_mark),
                   name);
}

/* ---- lists and maps ----------------------------------------------------------------------------------------------------- */

static int read_node(struct yaml *y, yaml_event_t *e, uint32_t depth, struct doc_node **ret);
static int read_value(struct yaml *y, yaml_event_t *e, uint32_t depth, const struct doc_node *map,
                      const char *key, struct doc_node **ret);

static int merge_map(struct yaml *y, struct doc_node *map, struct doc_node **last,
                     const struct doc_node *from)
{
    if (from->type != DOC_MAP)
        return err_set(y->err, ERR_INVALID, "line %u: YAML: a merge key needs a map", from->line);
    if (from->n > YAML_MAX_MERGE_KEYS || map->n > YAML_MAX_MERGE_KEYS)
        return err_set(y->err, ERR_LIMIT, "line %u: YAML: a merge of more than %d keys", from->line,
                       YAML_MAX_MERGE_KEYS);
    doc_foreach (c, from) {
        if (doc_get(map, c->key))
            continue;
        struct doc_node *mine;
        int rc = copy(y, c, &mine);
        if (rc < 0)
            return rc;
        doc_append(map, last, mine);
    }
    return 0;
}

/* What the map has itself wins over what it merges; among the merged the first wins. */
static int merge(struct yaml *y, struct doc_node *map, struct doc_node *last, const struct doc_node *from)
{
    if (!from)
        return 0;
    if (from->type != DOC_LIST)
        return merge_map(y, map, &last, from);
    doc_foreach (c, from) {
        int rc = merge_map(y, map, &last, c);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_key(struct yaml *y, const yaml_event_t *e, const char **ret, bool *ret_merge)
{
    if (e->type != YAML_SCALAR_EVENT)
        return err_set(y->err, ERR_INVALID, "line %u: YAML: a key must be plain text",
                       line_of(y, e->start_mark));
    int rc = scalar_text(y, e, ret);
    *ret_merge = rc == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(*ret, "<<") == 0;
    return rc;
}

/* One pair of a map, whose key is the event `e`. */
static int read_pair(struct yaml *y, const yaml_event_t *e, uint32_t depth, struct doc_node *map,
                     struct doc_node **last, const struct doc_node **merged)
{
    const char *key;
    bool is_merge = false;
    uint32_t line = line_of(y, e->start_mark);
    int rc = read_key(y, e, &key, &is_merge);
    if (rc < 0)
        return rc;
    yaml_event_t value;
    rc = next_event(y, &value);
    if (rc < 0)
        return rc;
    struct doc_node *child;
    rc = read_value(y, &value, depth, map, key, &child);
    yaml_event_delete(&value);
    if (rc < 0)
        return rc;
    if (is_merge && *merged)
        return err_set(y->err, ERR_INVALID, "line %u: YAML: a second merge key", line);
    if (is_merge) {
        *merged = child;
        return 0;
    }
    child->key = key;
    child->line = line;
    doc_append(map, last, child);
    return 0;
}

/* ---- a list of which each item is handed on ----------------------------------------------------------------------------- */

/* One item, whose first event is `e`; it joins `list` if nobody wants it. */
static int hand_on(struct yaml *y, yaml_event_t *e, const struct doc_node *root, struct doc_node *list,
                   struct doc_node **last)
{
    const struct arena_mark before = arena_mark(y->a);
    const struct anchor *anchors = y->anchors;
    uint32_t nodes = y->nodes;
    struct doc_node *item;
    int rc = read_node(y, e, 3, &item);
    if (rc < 0)
        return rc;
    rc = y->item(y->item_ctx, root, item, y->err);
    if (rc < 0)
        return rc;
    if (rc == YAML_ITEM_IN_TREE) {
        doc_append(list, last, item);
        return 0;
    }
    y->nodes = nodes;
    /* What an anchor names must stay. */
    if (rc == YAML_ITEM_DONE && y->anchors == anchors)
        arena_rewind(y->a, before);
    return 0;
}

/* The list that begins with the event `e`, the value of "items" in `root`. */
static int read_items(struct yaml *y, const yaml_event_t *e, const struct doc_node *root,
                      struct doc_node **ret)
{
    bool as_text;
    struct doc_node *last = NULL;
    int rc = check_tag(y, e, e->data.sequence_start.tag, &as_text);
    if (rc == 0)
        rc = new_node(y, e, DOC_LIST, ret);
    while (rc == 0) {
        yaml_event_t item;
        rc = next_event(y, &item);
        if (rc < 0)
            return rc;
        bool end = item.type == YAML_SEQUENCE_END_EVENT;
        rc = end ? 0 : hand_on(y, &item, root, *ret, &last);
        yaml_event_delete(&item);
        if (end)
            return 0;
    }
    return rc;
}

/* The value of `key` in `map`, whose first event is `e`. */
static int read_value(struct yaml *y, yaml_event_t *e, uint32_t depth, const struct doc_node *map,
                      const char *key, struct doc_node **ret)
{
    bool is_items = y->item && depth == 1 && e->type == YAML_SEQUENCE_START_EVENT &&
                    !e->data.sequence_start.anchor && strcmp(key, "items") == 0 && !doc_get(map, key);
    return is_items ? read_items(y, e, map, ret) : read_node(y, e, depth + 1, ret);
}

static int read_children(struct yaml *y, uint32_t depth, struct doc_node *node)
{
    bool is_map = node->type == DOC_MAP;
    struct doc_node *last = NULL;
    const struct doc_node *merged = NULL;
    for (;;) {
        yaml_event_t e;
        int rc = next_event(y, &e);
        if (rc < 0)
            return rc;
        bool end = e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT;
        if (!end && is_map) {
            rc = read_pair(y, &e, depth, node, &last, &merged);
        } else if (!end) {
            struct doc_node *child;
            rc = read_node(y, &e, depth + 1, &child);
            if (rc == 0)
                doc_append(node, &last, child);
        }
        yaml_event_delete(&e);
        if (rc < 0)
            return rc;
        if (!end)
            continue;
        rc = is_map ? doc_check_keys(node, y->a, y->err) : 0;
        return rc < 0 ? rc : merge(y, node, last, merged);
    }
}

static int read_collection(struct yaml *y, const yaml_event_t *e, enum doc_type type, uint32_t depth,
                           struct doc_node **ret)
{
    bool as_text;
    int rc =
        check_tag(y, e, type == DOC_MAP ? e->data.mapping_start.tag : e->data.sequence_start.tag, &as_text);
    if (rc < 0)
        return rc;
    if (depth > DOC_MAX_DEPTH)
        return err_set(y->err, ERR_LIMIT, "line %u: YAML: nested deeper than %d", line_of(y, e->start_mark),
                       DOC_MAX_DEPTH);
    rc = new_node(y, e, type, ret);
    return rc < 0 ? rc : read_children(y, depth, *ret);
}

/* The value that begins with the event `e`, which stays the caller's. */
static int read_node(struct yaml *y, yaml_event_t *e, uint32_t depth, struct doc_node **ret)
{
    const unsigned char *anchor = NULL;
    int rc;
    switch (e->type) {
    case YAML_ALIAS_EVENT:
        return read_alias(y, e, ret);
    case YAML_SCALAR_EVENT:
        anchor = e->data.scalar.anchor;
        rc = read_scalar(y, e, ret);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = e->data.sequence_start.anchor;
        rc = read_collection(y, e, DOC_LIST, depth, ret);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = e->data.mapping_start.anchor;
        rc = read_collection(y, e, DOC_MAP, depth, ret);
        break;
    default:
        return err_set(y->err, ERR_INVALID, "line %u: YAML: a value was expected", line_of(y, e->start_mark));
    }
    return rc == 0 && anchor ? remember(y, anchor, *ret) : rc;
}

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

static int read_document(struct yaml *y, struct doc_node **ret)
{
    y->anchors = NULL;
    y->nodes = y->alias_nodes = 0;
    yaml_event_t e;
    int rc = next_event(y, &e);
    if (rc < 0)
        return rc;
    rc = read_node(y, &e, 1, ret);
    yaml_event_delete(&e);
    if (rc < 0)
        return rc;
    rc = next_event(y, &e); /* the end of the document */
    if (rc == 0)
        yaml_event_delete(&e);
    return rc;
}

static int next_document(struct yaml *y, const struct doc_node **ret)
{
    for (;;) {
        yaml_event_t e;
        int rc = next_event(y, &e);
        if (rc < 0)
            return rc;
        yaml_event_type_t type = e.type;
        yaml_event_delete(&e);
        if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT) {
            y->ended = true;
            return 0;
        }
        if (type != YAML_DOCUMENT_START_EVENT)
            continue;
        struct doc_node *root = NULL;
        rc = read_document(y, &root);
        if (rc < 0)
            return rc;
        *ret = root;
        return 1;
    }
}

int yaml_next(struct yaml *y, const struct doc_node **ret, struct err *err)
{
    if (y->failed)
        return err_set(err, ERR_STATE, "reading failed before");
    if (y->ended)
        return 0;
    y->err = err;
    int rc = next_document(y, ret);
    y->err = NULL;
    y->failed = rc < 0;
    return rc;
}
