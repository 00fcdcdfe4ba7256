#include "api/json.h"

#include <cjson/cJSON.h>
#include <string.h>

/* Walks cJSON's tree and the text side by side: cJSON knows what is what, the text knows lines and digits. */
struct scan {
    struct arena *a;
    const char *p, *end;
    uint32_t line;
    uint32_t nodes;
    struct err *err;
};

/* cJSON's hooks know no context: where its memory comes from during a call of json_read, and whether that ran out. */
static _Thread_local struct arena *hook_arena;
static _Thread_local bool hook_failed;

static void *hook_malloc(size_t size)
{
    void *p = hook_arena ? arena_alloc(hook_arena, size) : NULL;
    hook_failed |= !p;
    return p;
}

static void hook_free(void *p)
{
    (void)p; /* the arena is rewound as a whole */
}

/* ---- the text ----------------------------------------------------------------------------------------------------------- */

static int bad(struct scan *s, const char *what)
{
    return err_set(s->err, ERR_INVALID, "line %u: JSON: %s", s->line, what);
}

static void skip_space(struct scan *s)
{
    for (; s->p < s->end; s->p++) {
        if (*s->p == '\n')
            s->line++;
        else if (*s->p != ' ' && *s->p != '\t' && *s->p != '\r')
            return;
    }
}

/* Takes one character, white space before it allowed. */
static bool take(struct scan *s, char c)
{
    skip_space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Length of the UTF-8 sequence at p, 0 if there is no valid one. */
static size_t utf8_len(const unsigned char *p, const unsigned char *end)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || (size_t)(end - p) < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    /* overlong forms, surrogates, beyond U+10FFFF */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* Steps over a string; `value` is cJSON's decoded form of it, copied to *ret. */
static int scan_string(struct scan *s, const char *value, const char **ret)
{
    if (!take(s, '"') || !value)
        return bad(s, "a string was expected");
    while (s->p < s->end && *s->p != '"') {
        unsigned char c = (unsigned char)*s->p;
        if (c < 0x20)
            return bad(s, "a control character in a string");
        if (c == '\\') {
            if (s->end - s->p >= 6 && memcmp(s->p, "\\u0000", 6) == 0)
                return bad(s, "a NUL in a string");
            s->p += 2;
            continue;
        }
        size_t n = utf8_len((const unsigned char *)s->p, (const unsigned char *)s->end);
        if (n == 0)
            return bad(s, "a string that is not UTF-8");
        s->p += n;
    }
    if (s->p >= s->end)
        return bad(s, "a string without end");
    s->p++;
    *ret = arena_strndup(s->a, value, strlen(value));
    return *ret ? 0 : err_set(s->err, ERR_NOMEM, "out of memory");
}

static size_t digits(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return (size_t)(p - start);
}

/* Length of the number at p by JSON's grammar, 0 if there is none. */
static size_t number_len(const char *p, const char *end)
{
    const char *start = p;
    if (p < end && *p == '-')
        p++;
    size_t n = digits(p, end);
    if (n == 0 || (n > 1 && *p == '0'))
        return 0;
    p += n;
    if (p < end && *p == '.') {
        n = digits(p + 1, end);
        if (n == 0)
            return 0;
        p += 1 + n;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        n = digits(p, end);
        if (n == 0)
            return 0;
        p += n;
    }
    return (size_t)(p - start);
}

static int scan_number(struct scan *s, const char **ret)
{
    size_t n = number_len(s->p, s->end);
    if (n == 0)
        return bad(s, "not a number");
    *ret = arena_strndup(s->a, s->p, n);
    s->p += n;
    return *ret ? 0 : err_set(s->err, ERR_NOMEM, "out of memory");
}

static int scan_word(struct scan *s, const char *word, const char **ret)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return bad(s, "an unknown word");
    s->p += n;
    *ret = word;
    return 0;
}

/* ---- the tree ----------------------------------------------------------------------------------------------------------- */

static int scan_value(struct scan *s, const cJSON *item, uint32_t depth, struct doc_node **ret);

static int scan_children(struct scan *s, const cJSON *item, uint32_t depth, struct doc_node *node)
{
    bool is_map = node->type == DOC_MAP;
    struct doc_node *last = NULL;
    s->p++; /* the bracket */
    for (const cJSON *c = item->child; c; c = c->next) {
        if (last && !take(s, ','))
            return bad(s, "a comma was expected");
        const char *key = NULL;
        skip_space(s);
        uint32_t line = s->line;
        int rc = is_map ? scan_string(s, c->string, &key) : 0;
        if (rc < 0)
            return rc;
        if (is_map && !take(s, ':'))
            return bad(s, "a colon was expected");
        struct doc_node *child;
        rc = scan_value(s, c, depth + 1, &child);
        if (rc < 0)
            return rc;
        child->key = key;
        if (is_map)
            child->line = line;
        doc_append(node, &last, child);
    }
    if (!take(s, is_map ? '}' : ']'))
        return bad(s, "a closing bracket was expected");
    return is_map ? doc_check_keys(node, s->a, s->err) : 0;
}

static enum doc_type type_of(const cJSON *item)
{
    switch (item->type & 0xff) {
    case cJSON_False:
    case cJSON_True:
        return DOC_BOOL;
    case cJSON_Number:
        return DOC_NUMBER;
    case cJSON_String:
        return DOC_STRING;
    case cJSON_Array:
        return DOC_LIST;
    case cJSON_Object:
        return DOC_MAP;
    default:
        return DOC_NULL;
    }
}

static int scan_value(struct scan *s, const cJSON *item, uint32_t depth, struct doc_node **ret)
{
    skip_space(s);
    if (depth > DOC_MAX_DEPTH)
        return err_set(s->err, ERR_LIMIT, "line %u: JSON: nested deeper than %d", s->line, DOC_MAX_DEPTH);
    if (++s->nodes > DOC_MAX_NODES)
        return err_set(s->err, ERR_LIMIT, "line %u: JSON: more than %d values", s->line, DOC_MAX_NODES);
    struct doc_node *node = doc_node_new(s->a, type_of(item), s->line);
    if (!node)
        return err_set(s->err, ERR_NOMEM, "out of memory");
    *ret = node;
    const char *word;
    switch (node->type) {
    case DOC_LIST:
    case DOC_MAP:
        return scan_children(s, item, depth, node);
    case DOC_STRING:
        return scan_string(s, item->valuestring, &node->text);
    case DOC_NUMBER:
        return scan_number(s, &node->text);
    case DOC_BOOL:
        return scan_word(s, cJSON_IsTrue(item) ? "true" : "false", &node->text);
    default:
        return scan_word(s, "null", &word);
    }
}

/* cJSON's own error: it points to where it gave up. */
static int refused(const char *text, size_t len, uint32_t first_line, const char *at, struct err *err)
{
    if (hook_failed)
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t line = first_line;
    for (const char *p = text; p < text + len && p < at; p++)
        line += *p == '\n';
    return err_set(err, ERR_INVALID, "line %u: not valid JSON", line);
}

/* cJSON's tree of the text, in hook_arena. The text need not end with NUL. */
static int parse(const char *text, size_t len, uint32_t first_line, cJSON **ret, const char **ret_end,
                 struct err *err)
{
    static cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = hook_free};
    cJSON_InitHooks(&hooks);
    const char *at = text;
    cJSON *item = cJSON_ParseWithLengthOpts(text, len, &at, false);
    if (!item)
        return refused(text, len, first_line, at, err);
    *ret = item;
    *ret_end = at;
    return 0;
}

int json_read(struct arena *a, struct arena *scratch, const char *text, size_t len, uint32_t first_line,
              const struct doc_node **ret, struct err *err)
{
    if (len > DOC_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "line %u: JSON: larger than %zu MiB", first_line, DOC_MAX_BYTES >> 20);
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    struct arena_mark m = arena_mark(scratch);
    hook_arena = scratch;
    hook_failed = false;
    cJSON *item = NULL;
    const char *at = NULL;
    struct doc_node *root = NULL;
    int rc = parse(text, len, first_line, &item, &at, err);
    if (rc == 0) {
        struct scan s = {.a = a, .p = text, .end = text + len, .line = first_line, .err = err};
        rc = scan_value(&s, item, 1, &root);
        skip_space(&s);
        if (rc == 0 && s.p != s.end)
            rc = bad(&s, "something follows the value");
    }
    hook_arena = NULL;
    arena_rewind(scratch, m);
    if (rc == 0)
        *ret = root;
    return rc;
}
