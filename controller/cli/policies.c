/* sluice policies: the admission policies on jobs for a Configuration. */
#include "cli/arguments.h"

#include "api/set.h"
#include "kube/policies.h"

#include <stdio.h>
#include <string.h>

static const char default_config[] = "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n";

struct policies_arguments {
    const char *config; /* NULL = Kueue's defaults */
    bool without_mutating;
};

static int take(void *ctx, const char *option, const char *value)
{
    struct policies_arguments *a = ctx;

    if (!strcmp(option, "config"))
        a->config = value;
    else if (!strcmp(option, "without-mutating"))
        a->without_mutating = true;
    return CLI_OK;
}

static int complain(const char *text)
{
    (void)fprintf(stderr, "sluice policies: %s\n", text);
    return CLI_BAD_INPUT;
}

/* The one Configuration of the set, or NULL after saying what is wrong. */
static const struct object *find_config(const struct api_set *set)
{
    const struct object *found = NULL;

    for (uint32_t i = 0; i < api_set_errors(set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(set, i));
    if (api_set_errors(set))
        return NULL;
    for (uint32_t i = 0; i < api_set_count(set); i++) {
        const struct object *o = api_set_at(set, i);
        if (o->kind != API_CONFIG)
            continue;
        if (found) {
            (void)complain("more than one Configuration");
            return NULL;
        }
        found = o;
    }
    if (!found)
        (void)complain("there is no Configuration in the file");
    return found;
}

static int gates_of(const struct fact_config *c, struct gates *ret, struct err *err)
{
    *ret = gates_default();
    for (uint32_t i = 0; i < c->ngates; i++) {
        int rc = gates_set(ret, c->gates[i].name, c->gates[i].on, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int print(const struct object *config, bool without_mutating)
{
    struct err err = {0};
    struct gates gates;
    struct policies_input in = {
        .settings = config->settings, .gates = &gates, .without_mutating = without_mutating};
    struct str out;

    if (gates_of(&config->config, &gates, &err))
        return complain(err.text);
    str_init(&out, 0);
    int rc = policies_yaml(&in, &out, &err);
    if (!rc && (fwrite(str_text(&out), 1, out.len, stdout) != out.len || fflush(stdout)))
        rc = err_set(&err, ERR_IO, "cannot write the output");
    str_free(&out);
    return rc ? complain(err.text) : CLI_OK;
}

static int read_config(struct api_set *set, const char *path, struct err *err)
{
    if (path)
        return api_read_path(set, path, err);
    return api_read_buffer(set, "default", default_config, sizeof(default_config) - 1, err);
}

int cli_policies(int argc, char **argv)
{
    struct policies_arguments a = {0};
    struct err err = {0};
    bool done = false;
    int rc = cli_arguments(cli_find("policies"), argc, argv, take, &a, &done);

    if (rc != CLI_OK || done)
        return rc;
    struct api_set *set = api_set_new(0);
    if (!set)
        return complain("out of memory");
    if (read_config(set, a.config, &err)) {
        rc = complain(err.text);
    } else {
        const struct object *config = find_config(set);
        rc = config ? print(config, a.without_mutating) : CLI_BAD_INPUT;
    }
    api_set_free(set);
    return rc;
}
