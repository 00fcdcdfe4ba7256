#include "cli/emit.h"

struct emit emit_to(struct str *out, bool yaml)
{
    return (struct emit){.out = out, .yaml = yaml};
}

static void new_line(struct emit *e, uint32_t depth)
{
    str_addc(e->out, '\n');
    for (uint32_t i = 0; i < 2 * depth; i++)
        str_addc(e->out, ' ');
}

/* What stands before a value: comma, line, dash, key. */
static void begin_entry(struct emit *e, const char *key)
{
    if (e->depth == 0)
        return;
    bool first = e->at[e->depth - 1].empty, in_list = e->at[e->depth - 1].list;
    e->at[e->depth - 1].empty = false;
    if (!e->yaml) {
        str_add(e->out, first ? "" : ",");
        new_line(e, e->depth);
        if (key)
            str_addf(e->out, "\"%s\": ", key);
        return;
    }
    if (e->same_line)
        e->same_line = false;
    else if (e->depth > 1 || !first)
        new_line(e, e->depth - 1);
    if (in_list)
        str_add(e->out, "- ");
    else
        str_addf(e->out, "%s:", key);
}

static void open_frame(struct emit *e, const char *key, bool list)
{
    bool in_list = e->depth && e->at[e->depth - 1].list;

    begin_entry(e, key);
    if (!e->yaml)
        str_addc(e->out, list ? '[' : '{');
    e->same_line = e->yaml && in_list;
    if (e->depth == EMIT_DEPTH_MAX) {
        e->out->failed = true;
        return;
    }
    e->at[e->depth].list = list;
    e->at[e->depth++].empty = true;
}

void emit_map(struct emit *e, const char *key)
{
    open_frame(e, key, false);
}

void emit_list(struct emit *e, const char *key)
{
    open_frame(e, key, true);
}

void emit_close(struct emit *e)
{
    if (e->depth == 0)
        return;
    bool empty = e->at[--e->depth].empty, list = e->at[e->depth].list;
    if (e->yaml && empty) {
        str_add(e->out, e->same_line || e->depth == 0 ? "" : " ");
        str_add(e->out, list ? "[]" : "{}");
        e->same_line = false;
    } else if (!e->yaml) {
        if (!empty)
            new_line(e, e->depth);
        str_addc(e->out, list ? ']' : '}');
    }
    if (e->depth == 0)
        str_addc(e->out, '\n');
}

/* YAML puts a space between the key and a value; after a dash there is one already. */
static void begin_value(struct emit *e, const char *key)
{
    begin_entry(e, key);
    if (e->yaml && key)
        str_addc(e->out, ' ');
}

/* A JSON string is a YAML string, too. */
void emit_text(struct emit *e, const char *key, const char *value)
{
    begin_value(e, key);
    str_add_json(e->out, value);
}

void emit_int(struct emit *e, const char *key, int64_t value)
{
    begin_value(e, key);
    str_addf(e->out, "%lld", (long long)value);
}

void emit_bool(struct emit *e, const char *key, bool value)
{
    begin_value(e, key);
    str_add(e->out, value ? "true" : "false");
}

void emit_number(struct emit *e, const char *key, double value)
{
    bool whole = value > -1e15 && value < 1e15 && value == (double)(int64_t)value;

    begin_value(e, key);
    str_addf(e->out, whole ? "%.0f" : "%.6g", value);
}
