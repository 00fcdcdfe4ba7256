/* sluice history sql: somebody's own SELECT. */
#include "cli/history.h"

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>

struct answer {
    enum history_output output;
    struct table table;
    struct str *out;
    uint32_t n;       /* rows, the head too */
    struct str names; /* of the columns, behind each other with NUL bytes */
    uint32_t width;
    bool colors;
};

static void csv_row(struct answer *a, uint32_t n, const char *const *values, const bool *numbers)
{
    for (uint32_t i = 0; i < n; i++) {
        str_add(a->out, i ? "," : "");
        if (values[i] && numbers[i])
            str_add(a->out, values[i]);
        else if (values[i])
            history_put_csv(a->out, values[i]);
    }
    str_addc(a->out, '\n');
}

static void json_row(struct answer *a, uint32_t n, const char *const *values, const bool *numbers)
{
    const char *name = str_text(&a->names);

    if (!a->n) {
        for (uint32_t i = 0; i < n; i++)
            str_addn(&a->names, values[i], strlen(values[i]) + 1);
        str_addc(a->out, '[');
        return;
    }
    str_add(a->out, a->n > 1 ? ",\n{" : "\n{");
    for (uint32_t i = 0; i < n; i++, name += strlen(name) + 1) {
        str_add(a->out, i ? "," : "");
        str_add_json(a->out, name);
        str_addc(a->out, ':');
        if (!values[i])
            str_add(a->out, "null");
        else if (numbers[i] && !strstr(values[i], "Inf"))
            str_add(a->out, values[i]);
        else
            str_add_json(a->out, values[i]);
    }
    str_addc(a->out, '}');
}

/* A table has TABLE_COLUMNS_MAX columns; what is beyond shares the last one. */
static void table_row(struct answer *a, uint32_t n, const char *const *values, const bool *numbers)
{
    struct str text;
    uint32_t cols = n < TABLE_COLUMNS_MAX ? n : TABLE_COLUMNS_MAX;

    if (!a->n)
        table_init(&a->table, cols, a->width, a->colors);
    str_init(&text, 0);
    for (uint32_t i = 0; i < cols; i++) {
        str_clear(&text);
        history_put_clean(&text, values[i] ? values[i] : "-");
        for (uint32_t k = cols; i == cols - 1 && k < n; k++) {
            str_add(&text, " | ");
            history_put_clean(&text, values[k] ? values[k] : "-");
        }
        if (a->n == 1 && i + 1 < cols)
            a->table.right[i] = numbers[i];
        table_styled(&a->table, a->n ? TABLE_PLAIN : TABLE_HEAD, str_text(&text));
    }
    str_free(&text);
}

static int on_row(void *arg, uint32_t n, const char *const *values, const bool *numbers)
{
    struct answer *a = arg;

    if (a->output == HISTORY_CSV)
        csv_row(a, n, values, numbers);
    else if (a->output == HISTORY_JSON)
        json_row(a, n, values, numbers);
    else
        table_row(a, n, values, numbers);
    a->n++;
    return str_failed(a->out) ? ERR_LIMIT : 0;
}

int history_run_sql(struct history *h, const char *sql, enum history_output o, uint32_t width, bool colors)
{
    struct str out;
    struct answer a = {.output = o, .out = &out, .width = width, .colors = colors};
    struct err err = {0};

    str_init(&out, (size_t)1 << 31);
    str_init(&a.names, 0);
    table_init(&a.table, 1, width, colors);
    int rc = history_sql(h, sql, on_row, &a, &err), status = CLI_BAD_INPUT;
    if (rc)
        (void)fprintf(stderr, "sluice history: %s\n", *err.text ? err.text : "the answer is too long");
    else {
        if (o == HISTORY_JSON)
            str_add(&out, "]\n");
        else if (o == HISTORY_TABLE)
            table_print(&a.table, &out);
        status = terminal_put("history", &out);
    }
    table_free(&a.table);
    str_free(&a.names);
    str_free(&out);
    return status;
}
