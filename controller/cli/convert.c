/* sluice convert: manifests of v1beta1 as v1beta2. */
#include "cli/arguments.h"

#include "api/convert.h"
#include "api/set.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

struct conversion {
    struct convert convert;
    struct api_set *set;
    const char **paths; /* owned; the strings are those of argv */
    uint32_t npaths, cap_paths;
    bool failed; /* something could not be read at all */
};

static int take_path(struct conversion *c, const char *path)
{
    void *p = c->paths;

    if (mem_grow(&p, &c->cap_paths, c->npaths + 1, sizeof(*c->paths))) {
        (void)fprintf(stderr, "sluice convert: out of memory\n");
        return CLI_BAD_INPUT;
    }
    c->paths = p;
    c->paths[c->npaths++] = path;
    return CLI_OK;
}

static void read_path(struct conversion *c, const char *path)
{
    struct err err = {0};

    if (api_read_path(c->set, path, &err)) {
        (void)fprintf(stderr, "sluice convert: %s\n", err.text);
        c->failed = true;
    }
}

static int take(void *ctx, const char *option, const char *value)
{
    struct conversion *c = ctx;

    if (strcmp(option, "output") != 0)
        return take_path(c, value);
    c->convert.format = strcmp(value, "json") ? CONVERT_YAML : CONVERT_JSON;
    return CLI_OK;
}

/* What is wrong; true when there was something, and then nothing may be printed: what is written would lack it. */
static bool tell(const struct conversion *c)
{
    for (const char *p = str_text(&c->convert.warnings); *p; p = strchr(p, '\n') + 1)
        (void)fprintf(stderr, "warning: %.*s\n", (int)strcspn(p, "\n"), p);
    for (uint32_t i = 0; i < api_set_warnings(c->set); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(c->set, i));
    for (uint32_t i = 0; i < api_set_errors(c->set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(c->set, i));
    (void)fputs(str_text(&c->convert.errors), stderr);
    return c->failed || api_set_errors(c->set) || c->convert.errors.len;
}

static int print(struct conversion *c)
{
    const struct str *text;
    struct err err = {0};

    if (convert_text(&c->convert, &text, &err)) {
        (void)fprintf(stderr, "sluice convert: %s\n", err.text);
        return CLI_BAD_INPUT;
    }
    if (fwrite(str_text(text), 1, text->len, stdout) != text->len || fflush(stdout)) {
        (void)fprintf(stderr, "sluice convert: cannot write the output\n");
        return CLI_BAD_INPUT;
    }
    return CLI_OK;
}

static int run(struct conversion *c, int argc, char **argv)
{
    bool done = false;
    int rc = cli_arguments(cli_find("convert"), argc, argv, take, c, &done);

    if (rc != CLI_OK || done)
        return rc;
    if (!c->npaths)
        return cli_bad_usage("convert", "no files: say -f PATH");
    for (uint32_t i = 0; i < c->npaths; i++)
        read_path(c, c->paths[i]);
    return tell(c) ? CLI_BAD_INPUT : print(c);
}

int cli_convert(int argc, char **argv)
{
    struct conversion c = {.set = api_set_new(0)};

    if (!c.set) {
        (void)fprintf(stderr, "sluice convert: out of memory\n");
        return CLI_BAD_INPUT;
    }
    convert_init(&c.convert, CONVERT_YAML);
    api_set_documents(c.set, convert_document, &c.convert);
    int rc = run(&c, argc, argv);
    convert_free(&c.convert);
    mem_free(c.paths);
    api_set_free(c.set);
    return rc;
}
