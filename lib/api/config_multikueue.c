#include "api/config.h"
#include "api/labels.h"

#include <string.h>

/* multiKueue of a Configuration (around.md 7.5, 4.4). */

#define ALL_AT_ONCE "kueue.x-k8s.io/multikueue-dispatcher-all-at-once"
#define INCREMENTAL "kueue.x-k8s.io/multikueue-dispatcher-incremental"

/* ---- providers of access to clusters ------------------------------------------------------------------------------------ */

/* Kubernetes names these fields without the place of the provider in its list. */
struct provider_path {
    const struct doc_node *profile;
    const char *list;
};

static void provider_error(struct reader *rd, const struct provider_path *p, const struct doc_node *at,
                           const char *field, const char *text)
{
    char path[128];
    size_t n = strlen(p->list), m = strlen(".execConfig."), k = strlen(field);
    if (n + m + k >= sizeof(path))
        return;
    memcpy(path, p->list, n);
    memcpy(path + n, ".execConfig.", m);
    memcpy(path + n + m, field, k + 1);
    rd_error_named(rd, at, p->profile, path, "%s", text);
}

static void check_exec(struct reader *rd, const struct provider_path *p, const struct doc_node *exec)
{
    static const char modes[] = "Never IfAvailable Always ";
    const char *mode = rd_str(rd, exec, "interactiveMode");
    const struct doc_node *env = rd_list(rd, exec, "env");
    if (!*rd_str(rd, exec, "apiVersion"))
        provider_error(rd, p, exec, "apiVersion", "Required value: must be specified");
    if (!*rd_str(rd, exec, "command"))
        provider_error(rd, p, exec, "command", "Required value: must be specified");
    if (!*mode)
        provider_error(rd, p, exec, "interactiveMode", "Required value: must be specified");
    else if (!rd_is_known(modes, mode))
        provider_error(rd, p, exec, "interactiveMode",
                       "Unsupported value: supported values: \"Never\", \"IfAvailable\", \"Always\"");
    doc_foreach (e, env) {
        config_known(rd, e, "name value ");
        if (!*doc_str_or(e, "name", ""))
            provider_error(rd, p, e, "env.name", "Required value: must be specified");
    }
}

static void check_providers(struct reader *rd, const struct doc_node *profile, const char *field)
{
    const struct provider_path p = {profile, field};
    const struct doc_node *list = rd_list(rd, profile, field);
    doc_foreach (n, list) {
        const struct doc_node *exec = rd_map(rd, n, "execConfig");
        config_known(rd, n, "name execConfig ");
        config_known(rd, exec,
                     "apiVersion command args env installHint provideClusterInfo interactiveMode config "
                     "stdinUnavailable stdinUnavailableMessage ");
        if (n->type != DOC_MAP)
            rd_error(rd, n, "must be a map, not a %s", doc_type_name(n->type));
        else if (exec)
            check_exec(rd, &p, exec);
        else
            rd_error_named(rd, n, profile, field, "Required value: execConfig must be specified");
    }
}

static void check_profile(struct reader *rd, const struct doc_node *profile)
{
    const struct doc_node *access = doc_field(profile, "accessProviders"),
                          *credentials = doc_field(profile, "credentialsProviders");
    config_known(rd, profile, "accessProviders credentialsProviders ");
    if (access && access->n && credentials && credentials->n)
        rd_error(rd, profile,
                 "Invalid value: accessProviders and credentialsProviders are mutually exclusive");
    check_providers(rd, profile, "accessProviders");
    check_providers(rd, profile, "credentialsProviders");
}

/* ---- the rest ----------------------------------------------------------------------------------------------------------- */

static void read_external(struct reader *rd, const struct doc_node *n, struct settings_multikueue *m)
{
    const struct doc_node *list = rd_list(rd, n, "externalFrameworks");
    const char **out = list && list->n ? ARENA_NEW(rd->arena, const char *, list->n) : NULL;
    doc_foreach (c, list) {
        if (c->type != DOC_MAP) {
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
            continue;
        }
        config_known(rd, c, "name ");
        out[m->nexternal++] = rd_name(rd, c, "name", NULL, false);
        const char *dot = strchr(out[m->nexternal - 1], '.');
        if (rd_validates(rd) && *out[m->nexternal - 1] && !(dot && strchr(dot + 1, '.')))
            rd_invalid(rd, doc_field(c, "name"), "must be format, 'Kind.version.group.com'");
    }
    m->external = out;
    rd_check_unique(rd, list, "name");
}

static void read_dispatcher(struct reader *rd, const struct doc_node *n, const struct gates *g,
                            struct settings_multikueue *m)
{
    const struct doc_node *incremental = rd_map(rd, n, "incrementalDispatcherConfig");
    config_known(rd, incremental, "stepSize ");
    m->dispatcher = config_str(rd, n, "dispatcherName", ALL_AT_ONCE);
    m->step_size = config_i32(rd, incremental, "stepSize", 3);
    if (!rd_validates(rd) || !incremental || !gate_named(g, "MultiKueueIncrementalDispatcherConfig"))
        return;
    if (strcmp(m->dispatcher, INCREMENTAL) != 0)
        rd_error(rd, incremental,
                 "Invalid value: incrementalDispatcherConfig is only valid when dispatcherName is set to the "
                 "incremental dispatcher");
    else if (doc_field(incremental, "stepSize") && m->step_size < 1)
        rd_error_at(rd, incremental, "stepSize", "Invalid value: %d: must be greater than or equal to 1",
                    m->step_size);
}

void config_multikueue(struct reader *rd, const struct doc_node *root, const struct gates *g,
                       struct settings *s)
{
    struct settings_multikueue *m = &s->multikueue;
    const struct doc_node *n = rd_map(rd, root, "multiKueue");
    config_known(rd, n,
                 "gcInterval origin workerLostTimeout dispatcherName incrementalDispatcherConfig "
                 "externalFrameworks clusterProfile ");
    m->gc_ns = config_duration(rd, n, "gcInterval", 60 * NS_PER_S);
    m->worker_lost_ns = config_duration(rd, n, "workerLostTimeout", 900 * NS_PER_S);
    m->origin = config_str(rd, n, "origin", "multikueue");
    const char *why = label_value_problem(m->origin);
    if (why && rd_validates(rd))
        rd_invalid(rd, doc_field(n, "origin"), why);
    read_dispatcher(rd, n, g, m);
    read_external(rd, n, m);
    const struct doc_node *profile = rd_map(rd, n, "clusterProfile");
    if (profile && rd_validates(rd))
        check_profile(rd, profile);
}
