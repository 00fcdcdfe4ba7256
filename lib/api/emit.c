#include "api/emit.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { INDENT = 4 };

/* ---- YAML: which style -------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Plain words that mean something in some version of YAML. */
static bool is_word(const char *s)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on",
                                        "off",  "y",    "n",     "~",   "<<", "="};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(s, words[i]) == 0)
            return true;
    }
    return false;
}

/* Numbers and times of any version of YAML, and much else that begins as they do: quotes do no harm. */
static bool looks_like_number(const char *s)
{
    const char *p = s + (*s == '-' || *s == '+');
    if (!is_digit(*p) && *p != '.')
        return false;
    static const char other[] = "0123456789abcdefABCDEFxXoOtTzZ_.:+- ";
    if (strspn(p, other) == strlen(p))
        return true;
    return *p == '.' && (strcasecmp(p, ".inf") == 0 || strcasecmp(p, ".nan") == 0);
}

/* Line breaks of YAML 1.1 besides the newline; inside of quotes only an escape keeps them. */
static bool has_other_break(const char *s)
{
    return strchr(s, '\r') || strstr(s, "\xc2\x85") || strstr(s, "\xe2\x80\xa8") || strstr(s, "\xe2\x80\xa9");
}

/* A block of lines as it stands: the first line says how far it is indented, so it must begin with something. */
static bool is_block(const char *s)
{
    return *s != ' ' && *s != '\n' && *s != '\t' && !strstr(s, " \n") && !strstr(s, "\t");
}

static yaml_scalar_style_t style_of(const struct doc_node *n, const char *text, bool is_key)
{
    if (!is_key && (n->type != DOC_STRING || n->boolish))
        return YAML_PLAIN_SCALAR_STYLE;
    if (has_other_break(text))
        return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (strchr(text, '\n'))
        return !is_key && n->parent && is_block(text) ? YAML_LITERAL_SCALAR_STYLE
                                                      : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (!*text || is_word(text) || looks_like_number(text))
        return YAML_SINGLE_QUOTED_SCALAR_STYLE;
    return YAML_PLAIN_SCALAR_STYLE;
}

/* ---- YAML: events ------------------------------------------------------------------------------------------------------- */

static int write_to(void *data, unsigned char *buffer, size_t size)
{
    struct str *out = data;
    str_addn(out, (const char *)buffer, size);
    return !str_failed(out);
}

/* `made`: was the event made? It is the emitter's from then on. */
static bool send(yaml_emitter_t *e, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(e, event);
}

static bool put_scalar(yaml_emitter_t *e, const struct doc_node *n, const char *text, bool is_key)
{
    yaml_event_t event;
    const char *shown = !is_key && n->type == DOC_NULL ? "null" : text;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)shown,
                                            (int)strlen(shown), 1, 1, style_of(n, text, is_key));
    return send(e, &event, made);
}

static bool put_node(yaml_emitter_t *e, const struct doc_node *n);

static bool put_children(yaml_emitter_t *e, const struct doc_node *n)
{
    doc_foreach (c, n) {
        if (c->key && !put_scalar(e, c, c->key, true))
            return false;
        if (!put_node(e, c))
            return false;
    }
    return true;
}

static bool put_node(yaml_emitter_t *e, const struct doc_node *n)
{
    yaml_event_t event;
    int made;
    if (n->type == DOC_MAP) {
        made = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
        return send(e, &event, made) && put_children(e, n) &&
               send(e, &event, yaml_mapping_end_event_initialize(&event));
    }
    if (n->type == DOC_LIST) {
        made = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
        return send(e, &event, made) && put_children(e, n) &&
               send(e, &event, yaml_sequence_end_event_initialize(&event));
    }
    return put_scalar(e, n, n->text, false);
}

static bool put_document(yaml_emitter_t *e, const struct doc_node *n)
{
    yaml_event_t event;
    return send(e, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           send(e, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) &&
           put_node(e, n) && send(e, &event, yaml_document_end_event_initialize(&event, 1)) &&
           send(e, &event, yaml_stream_end_event_initialize(&event)) && yaml_emitter_flush(e);
}

int emit_yaml(const struct doc_node *n, struct str *out, struct err *err)
{
    yaml_emitter_t e;
    if (!yaml_emitter_initialize(&e))
        return err_set(err, ERR_NOMEM, "out of memory");
    yaml_emitter_set_output(&e, write_to, out);
    yaml_emitter_set_unicode(&e, 1);
    yaml_emitter_set_width(&e, -1); /* lines are never folded */
    bool ok = put_document(&e, n);
    yaml_emitter_delete(&e);
    return ok ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

/* A YAML number in JSON's grammar: no plus, no leading zeros, digits on both sides of the point, no other bases. */
static void add_number(struct str *out, const char *text)
{
    int64_t v;
    const struct doc_node n = {.type = DOC_NUMBER, .text = text};
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o') && doc_i64(&n, &v, NULL) == 0) {
        str_addf(out, "%" PRId64, v);
        return;
    }
    const char *p = text + (*text == '-' || *text == '+');
    size_t whole = strspn(p, "0123456789"),
           fraction = p[whole] == '.' ? strspn(p + whole + 1, "0123456789") : 0;
    const char *exponent = p + whole + (p[whole] == '.') + fraction;
    if (whole + fraction == 0 || (*exponent && *exponent != 'e' && *exponent != 'E')) {
        str_add_json(out, text); /* infinities, NaN, what is too large in another base */
        return;
    }
    size_t zeros = strspn(p, "0");
    zeros = zeros < whole ? zeros : whole;
    if (*text == '-')
        str_addc(out, '-');
    str_addn(out, p + zeros, whole - zeros);
    if (whole == zeros)
        str_addc(out, '0');
    if (fraction)
        str_addn(out, p + whole, fraction + 1);
    str_add(out, exponent);
}

static void new_line(struct str *out, uint32_t level)
{
    str_addc(out, '\n');
    for (uint32_t i = 0; i < level * INDENT; i++)
        str_addc(out, ' ');
}

static void add_children(const struct doc_node *n, uint32_t level, struct str *out)
{
    doc_foreach (c, n) {
        if (c != n->first)
            str_addc(out, ',');
        new_line(out, level + 1);
        if (c->key) {
            str_add_json(out, c->key);
            str_add(out, ": ");
        }
        emit_json(c, level + 1, out);
    }
    if (n->n)
        new_line(out, level);
}

void emit_json(const struct doc_node *n, uint32_t level, struct str *out)
{
    switch (n->type) {
    case DOC_NULL:
        str_add(out, "null");
        break;
    case DOC_BOOL:
        str_add(out, n->text);
        break;
    case DOC_NUMBER:
        add_number(out, n->text);
        break;
    case DOC_STRING:
        str_add_json(out, n->text);
        break;
    case DOC_LIST:
    case DOC_MAP:
        str_addc(out, n->type == DOC_MAP ? '{' : '[');
        add_children(n, level, out);
        str_addc(out, n->type == DOC_MAP ? '}' : ']');
        break;
    }
}
