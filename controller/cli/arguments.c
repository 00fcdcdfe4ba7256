#include "cli/arguments.h"

#include "cli/help.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Values that getopt_long gives back: the place in the list of options, past all letters. */
enum { FIRST_LONG = 256, HELP = FIRST_LONG + CLI_OPTIONS_MAX };

struct parser {
    struct option longs[CLI_OPTIONS_MAX + 2];
    char shorts[3 * CLI_OPTIONS_MAX + 4];
    int n;
};

int cli_bad_usage(const char *command, const char *fmt, ...)
{
    va_list ap;

    (void)fprintf(stderr, "sluice %s: ", command);
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "\nTry `sluice %s --help`.\n", command);
    return CLI_BAD_USAGE;
}

/* The leading ':' makes getopt_long tell a missing value from an unknown option. */
static void make_parser(const struct cli_command *c, struct parser *p)
{
    char *s = p->shorts;

    *s++ = ':';
    *s++ = 'h';
    p->n = 0;
    for (const struct cli_option *o = c->options; o && o->name && p->n < CLI_OPTIONS_MAX; o++, p->n++) {
        p->longs[p->n] =
            (struct option){o->name, o->value ? required_argument : no_argument, NULL, FIRST_LONG + p->n};
        if (!o->letter)
            continue;
        *s++ = o->letter;
        if (o->value)
            *s++ = ':';
    }
    *s = '\0';
    p->longs[p->n] = (struct option){"help", no_argument, NULL, HELP};
    p->longs[p->n + 1] = (struct option){0};
}

static const struct cli_option *option_of(const struct cli_command *c, int got)
{
    if (got >= FIRST_LONG)
        return &c->options[got - FIRST_LONG];
    for (const struct cli_option *o = c->options; o && o->name; o++)
        if (o->letter == got)
            return o;
    return NULL;
}

static int refuse_word(const struct cli_command *c, const char *what, const char *words, const char *value)
{
    return cli_bad_usage(c->name, "%s: must be one of %s: \"%s\"", what, words, value);
}

static int take_option(const struct cli_command *c, int got, char **argv, cli_take_fn *take, void *ctx)
{
    const struct cli_option *o;
    char what[64];

    if (got == ':')
        return cli_bad_usage(c->name, "%s needs a value", argv[optind - 1]);
    if (got == '?' && optopt && optopt < FIRST_LONG)
        return cli_bad_usage(c->name, "unknown option: -%c", optopt);
    o = got == '?' ? NULL : option_of(c, got);
    if (!o)
        return cli_bad_usage(c->name, "unknown option: %s", argv[optind - 1]);
    if (o->words && !cli_word_known(o->words, optarg)) {
        (void)snprintf(what, sizeof(what), "--%s", o->name);
        return refuse_word(c, what, o->words, optarg);
    }
    return take(ctx, o->name, o->value ? optarg : NULL);
}

static int take_rest(const struct cli_command *c, int argc, char **argv, cli_take_fn *take, void *ctx)
{
    for (int i = optind; i < argc; i++) {
        if (!c->arguments)
            return cli_bad_usage(c->name, "not expected here: %s", argv[i]);
        if (strchr(c->arguments, '|') && !(c->more && i > optind) && !cli_word_known(c->arguments, argv[i]))
            return refuse_word(c, "argument", c->arguments, argv[i]);
        int rc = take(ctx, "", argv[i]);
        if (rc)
            return rc;
    }
    return CLI_OK;
}

int cli_arguments(const struct cli_command *c, int argc, char **argv, cli_take_fn *take, void *ctx,
                  bool *ret_done)
{
    struct parser p;
    int got;

    *ret_done = false;
    make_parser(c, &p);
    opterr = 0;
    while ((got = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
        if (got == HELP || got == 'h') {
            *ret_done = true;
            return help_print_command(c);
        }
        int rc = take_option(c, got, argv, take, ctx);
        if (rc)
            return rc;
    }
    return take_rest(c, argc, argv, take, ctx);
}
