/* sluice man: the manual page, as troff, from the table of commands. */
#include "cli/arguments.h"
#include "cli/terminal.h"

#include <string.h>

/* Text of a page: a backslash and a minus have meanings of their own, and so have ' and . at the beginning of a line. Lists without spaces
 * and paths may be broken. */
static void put_text(struct str *out, const char *text)
{
    bool line_begins = true;

    for (const char *p = text; *p; p++) {
        if (line_begins && (*p == '.' || *p == '\''))
            str_add(out, "\\&");
        if (*p == '\\')
            str_add(out, "\\e");
        else if (*p == '-')
            str_add(out, "\\-");
        else
            str_addc(out, *p);
        if ((*p == ',' || *p == '/' || *p == '|') && p[1] && p[1] != ' ' && p[1] != '\n')
            str_add(out, "\\:");
        line_begins = *p == '\n';
    }
}

static void put_line(struct str *out, const char *text)
{
    put_text(out, text);
    str_addc(out, '\n');
}

/* Paragraphs; lines that begin with a space stand as they are. */
static void put_paragraphs(struct str *out, const char *text)
{
    bool verbatim = false;

    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[1024];
        if ((*text == ' ') != verbatim) {
            str_add(out, verbatim ? ".fi\n" : ".nf\n");
            verbatim = !verbatim;
        }
        if (n == 0) {
            str_add(out, ".PP\n");
        } else {
            size_t len = n < sizeof(line) - 1 ? n : sizeof(line) - 1;
            memcpy(line, text, len);
            line[len] = '\0';
            put_line(out, line);
        }
        text += n;
        text += *text == '\n';
    }
    if (verbatim)
        str_add(out, ".fi\n");
}

static void put_option(struct str *out, const struct cli_option *o)
{
    str_add(out, ".TP\n");
    if (o->letter)
        str_addf(out, "\\fB\\-%c\\fR, ", o->letter);
    str_add(out, "\\fB\\-\\-");
    put_text(out, o->name);
    str_add(out, "\\fR");
    if (o->value)
        str_addf(out, " \\fI%s\\fR", o->value);
    str_addc(out, '\n');
    put_line(out, o->help);
}

static void put_command(struct str *out, const struct cli_command *c)
{
    str_addf(out, ".SS sluice %s\n", c->name);
    put_line(out, c->summary);
    str_addf(out, ".PP\n\\fBsluice %s\\fR ", c->name);
    put_line(out, c->synopsis);
    str_add(out, ".PP\n");
    put_paragraphs(out, c->about);
    for (const struct cli_option *o = c->options; o && o->name; o++)
        put_option(out, o);
    str_add(out, ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint help\n.PP\nExit status:\n");
    for (int i = 0; i < CLI_EXITS_MAX && c->exits[i].head; i++) {
        str_addf(out, ".TP\n\\fB%s\\fR\n", c->exits[i].head);
        put_line(out, c->exits[i].text);
    }
    str_add(out, ".PP\nExamples:\n");
    for (int i = 0; i < CLI_EXAMPLES && c->examples[i].head; i++) {
        str_add(out, ".TP\n\\fB");
        put_text(out, c->examples[i].head);
        str_add(out, "\\fR\n");
        put_line(out, c->examples[i].text);
    }
}

static void put_page(struct str *out)
{
    str_add(out, ".TH SLUICE 1 \"\" \"sluice " SLUICE_VERSION "\" \"User Commands\"\n.nh\n.ad l\n"
                 ".SH NAME\nsluice \\- a quota controller for batch and GPU work on Kubernetes\n"
                 ".SH SYNOPSIS\n\\fBsluice\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.br\n"
                 "\\fBsluice\\fR \\fB\\-\\-help\\fR | \\fB\\-\\-version\\fR\n.SH COMMANDS\n");
    for (const struct cli_command *c = cli_commands; c->name; c++)
        put_command(out, c);
    str_add(out, ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\n"
                 "when it is set and not empty, nothing is printed in colour\n");
}

static int take(void *ctx, const char *option, const char *value)
{
    (void)ctx;
    (void)option;
    (void)value;
    return CLI_OK;
}

int cli_man(int argc, char **argv)
{
    struct str out;
    bool done;
    int rc = cli_arguments(cli_find("man"), argc, argv, take, NULL, &done);

    if (rc || done)
        return rc;
    str_init(&out, 0);
    put_page(&out);
    rc = terminal_put("man", &out);
    str_free(&out);
    return rc;
}
