/* sluice help [COMMAND], and --help of every command. */
#include "cli/help.h"

#include "cli/arguments.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 80, WIDTH_MAX = 100, OPTION_COLUMN = 26, COMMAND_COLUMN = 14 };

static void spaces(struct str *out, uint32_t n)
{
    while (n-- > 0)
        str_addc(out, ' ');
}

static void fill_to(struct str *out, uint32_t from, uint32_t to)
{
    spaces(out, from < to ? to - from : 1);
}

/* Words of one paragraph. */
static void wrap_paragraph(struct str *out, const char *text, size_t len, uint32_t at, uint32_t indent,
                           uint32_t width)
{
    bool first = true;

    for (size_t i = 0; i < len;) {
        size_t n = strcspn(text + i, " \n");
        n = n < len - i ? n : len - i;
        if (!first && at + 1 + n > width) {
            str_addc(out, '\n');
            spaces(out, indent);
            at = indent;
            first = true;
        }
        if (!first) {
            str_addc(out, ' ');
            at++;
        }
        str_addn(out, text + i, n);
        at += (uint32_t)n;
        first = false;
        i += n;
        while (i < len && (text[i] == ' ' || text[i] == '\n'))
            i++;
    }
    str_addc(out, '\n');
}

/* A paragraph goes up to an empty line, which is one of length 0, or to a line that begins with a space: such a line is kept as it is. */
static size_t paragraph_len(const char *text)
{
    size_t i = 0;

    if (*text == ' ')
        return strcspn(text, "\n");
    while (text[i] && *text != '\n' && !(text[i] == '\n' && (text[i + 1] == '\n' || text[i + 1] == ' ')))
        i++;
    return i;
}

void help_wrap(struct str *out, const char *text, uint32_t at, uint32_t indent, uint32_t width)
{
    bool begun = true;

    while (*text) {
        size_t n = paragraph_len(text);
        if (!begun && n)
            spaces(out, indent);
        if (*text == ' ') {
            str_addn(out, text, n);
            str_addc(out, '\n');
        } else if (n) {
            wrap_paragraph(out, text, n, begun ? at : indent, indent, width);
        } else {
            str_addc(out, '\n');
        }
        begun = false;
        text += n;
        text += *text == '\n';
    }
}

void help_overview(struct str *out, uint32_t width)
{
    str_add(out, "usage: sluice COMMAND [OPTION...]\n       sluice --help | --version\n\ncommands:\n");
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        str_addf(out, "  %s", c->name);
        fill_to(out, 2 + (uint32_t)strlen(c->name), COMMAND_COLUMN);
        help_wrap(out, c->summary, COMMAND_COLUMN, COMMAND_COLUMN, width);
    }
    str_add(out, "\n`sluice help COMMAND` says more, with examples.\n");
}

static void put_option(struct str *out, const struct cli_option *o, uint32_t width)
{
    size_t begin = out->len;

    if (o->letter)
        str_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        str_addf(out, "      --%s", o->name);
    if (o->value)
        str_addf(out, " %s", o->value);
    uint32_t at = (uint32_t)(out->len - begin);
    if (at + 2 > OPTION_COLUMN) {
        str_addc(out, '\n');
        at = 0;
    }
    fill_to(out, at, OPTION_COLUMN);
    help_wrap(out, o->help, OPTION_COLUMN, OPTION_COLUMN, width);
}

static const struct cli_option help_option = {"help", 'h', NULL, NULL, "print this help"};

void help_command(struct str *out, const struct cli_command *c, uint32_t width)
{
    uint32_t at = (uint32_t)strlen("usage: sluice  ") + (uint32_t)strlen(c->name);

    str_addf(out, "sluice %s: %s\n\nusage: sluice %s ", c->name, c->summary, c->name);
    help_wrap(out, c->synopsis, at, at, width);
    str_addc(out, '\n');
    help_wrap(out, c->about, 0, 0, width);
    str_add(out, "\noptions:\n");
    for (const struct cli_option *o = c->options; o && o->name; o++)
        put_option(out, o, width);
    put_option(out, &help_option, width);
    str_add(out, "\nexit status:\n");
    for (int i = 0; i < CLI_EXITS_MAX && c->exits[i].head; i++) {
        str_addf(out, "  %s  ", c->exits[i].head);
        help_wrap(out, c->exits[i].text, 5, 5, width);
    }
    str_add(out, "\nexamples:\n");
    for (int i = 0; i < CLI_EXAMPLES && c->examples[i].head; i++) {
        str_addf(out, "  %s\n      ", c->examples[i].head);
        help_wrap(out, c->examples[i].text, 6, 6, width);
    }
}

/* ---- printing ----------------------------------------------------------------------------------------------------------- */

static uint32_t page_width(void)
{
    uint32_t w = terminal_width(STDOUT_FILENO);

    return !w ? WIDTH : w < WIDTH_MAX ? w : WIDTH_MAX;
}

static int print(struct str *out)
{
    int rc = terminal_put("help", out);

    str_free(out);
    return rc;
}

int help_print_command(const struct cli_command *c)
{
    struct str out;

    str_init(&out, 0);
    help_command(&out, c, page_width());
    return print(&out);
}

int help_print_overview(void)
{
    struct str out;

    str_init(&out, 0);
    help_overview(&out, page_width());
    return print(&out);
}

static int take(void *ctx, const char *option, const char *value)
{
    const struct cli_command **c = ctx;

    (void)option;
    if (*c)
        return cli_bad_usage("help", "one command at a time: %s", value);
    *c = cli_find(value);
    return *c ? CLI_OK : cli_bad_usage("help", "unknown command: %s", value);
}

int cli_help(int argc, char **argv)
{
    const struct cli_command *c = NULL;
    bool done;
    int rc = cli_arguments(cli_find("help"), argc, argv, take, &c, &done);

    if (rc || done)
        return rc;
    return c ? help_print_command(c) : help_print_overview();
}
