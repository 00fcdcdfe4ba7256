/* sluice explain: why one Workload waits, and what would let it start. */
#include "cli/explain.h"

#include "cli/arguments.h"
#include "cli/terminal.h"

#include "api/set.h"
#include "base/arena.h"
#include "base/mem.h"
#include "jobs/expand.h"
#include "jobs/kind.h"
#include "jobs/name.h"

#include <stdio.h>
#include <string.h>

struct arguments {
    const char *target;
    const char **paths; /* owned; the strings are those of argv */
    uint32_t npaths, cap_paths;
    const char *config; /* path, or NULL */
    bool json;
};

static int refuse(const char *text)
{
    (void)fprintf(stderr, "sluice explain: %s\n", text);
    return CLI_BAD_INPUT;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int take_path(struct arguments *a, const char *value)
{
    if (mem_grow((void **)&a->paths, &a->cap_paths, a->npaths + 1, sizeof(*a->paths)))
        return refuse("out of memory");
    a->paths[a->npaths++] = value;
    return CLI_OK;
}

/* The first argument is the Workload; more of them are files: `-f *.yaml`, as the shell hands it over. */
static int take(void *ctx, const char *option, const char *value)
{
    struct arguments *a = ctx;

    if (!strcmp(option, "filename") || (!*option && a->target))
        return take_path(a, value);
    if (!*option)
        a->target = value;
    else if (!strcmp(option, "config"))
        a->config = value;
    else if (!strcmp(option, "output"))
        a->json = !strcmp(value, "json");
    return CLI_OK;
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

static int read_one(struct api_set *set, const char *path)
{
    struct err err = {0};

    return api_read_path(set, path, &err) ? refuse(err.text) : CLI_OK;
}

/* The configuration comes first: the first one counts. */
static int read_all(const struct arguments *a, struct api_set *set)
{
    int rc = a->config ? read_one(set, a->config) : CLI_OK;
    struct err err = {0};

    for (uint32_t i = 0; i < a->npaths; i++)
        rc = cli_worse(rc, read_one(set, a->paths[i]));
    if (job_expand(set, &err))
        rc = cli_worse(rc, refuse(err.text));
    for (uint32_t i = 0; i < api_set_warnings(set); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(set, i));
    for (uint32_t i = 0; i < api_set_passed_over(set); i++) {
        uint32_t count;
        const char *kind = api_set_passed_over_kind(set, i, &count);
        (void)fprintf(stderr, "note: passed over %u %s\n", count, kind);
    }
    for (uint32_t i = 0; i < api_set_errors(set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(set, i));
    return api_set_errors(set) ? CLI_BAD_INPUT : rc;
}

/* ---- the answer --------------------------------------------------------------------------------------------------------- */

static int show(const struct explain *e, bool json)
{
    struct str out;

    str_init(&out, 0);
    if (json)
        explain_data(e, &out);
    else
        explain_print(e, &out);
    int rc = terminal_put("explain", &out);
    str_free(&out);
    if (rc)
        return rc;
    return e->state == EXPLAIN_WAITS || e->state == EXPLAIN_UNSETTLED ? CLI_WAITING : CLI_OK;
}

static bool is_workload_of(struct arena *a, const struct object *job, const struct object *o)
{
    static const size_t lengths[] = {JOB_NAME_MAX, JOB_NAME_SHORT_MAX};
    const struct job_kind *k = job_kind_of(job->kind);
    const char *uid = doc_str_or(doc_field(job->doc, "metadata"), "uid", "");

    if (!k || o->kind != API_WORKLOAD || strcmp(o->ns, job->ns) != 0)
        return false;
    if (!*job->name) /* the one that was made for it stands where it does */
        return o->line == job->line && !strcmp(o->file, job->file);
    if (*uid && !strcmp(o->workload.job_uid, uid))
        return true;
    for (size_t i = 0; i < 2; i++)
        if (!strcmp(o->name, job_name(a, k->group, k->kind, job->name, uid, "", lengths[i])))
            return true;
    return false;
}

/* Its name, or what its name is generated from, with or without the dash at the end. */
static bool is_called(const struct object *o, const char *name)
{
    if (*o->name || !job_kind_of(o->kind))
        return !strcmp(o->name, name);
    const char *head = doc_str_or(doc_field(o->doc, "metadata"), "generateName", "");
    size_t n = strlen(name);
    return n && !strncmp(head, name, n) && (!head[n] || !strcmp(head + n, "-"));
}

/* The Workload of that name, else that of the job of that name; NULL if there is neither. */
static const struct object *find(const struct api_set *set, const char *ns, const char *name, struct arena *a)
{
    const struct object *job = NULL;

    for (uint32_t i = 0; i < api_set_count(set); i++) {
        const struct object *o = api_set_at(set, i);
        if (!is_called(o, name) || strcmp(o->ns, ns) != 0)
            continue;
        if (o->kind == API_WORKLOAD)
            return o;
        if (job_kind_of(o->kind))
            job = o;
    }
    for (uint32_t i = 0; job && i < api_set_count(set); i++)
        if (is_workload_of(a, job, api_set_at(set, i)))
            return api_set_at(set, i);
    return NULL;
}

static int explain_object(const struct api_set *set, const struct object *o, bool json)
{
    struct explain *e;
    struct err err = {0};

    if (explain_new(set, o->ns, o->name, &e, &err))
        return refuse(err.text);
    int rc = show(e, json);
    explain_free(e);
    return rc;
}

static int find_and_explain(const struct arguments *a, const struct api_set *set, const char *ns,
                            const char *name, struct arena *arena)
{
    jmp_buf bail;

    if (setjmp(bail))
        return refuse("out of memory");
    arena->bail = &bail;
    const struct object *o = find(set, ns, name, arena);
    arena->bail = NULL;
    if (o)
        return explain_object(set, o, a->json);
    (void)fprintf(
        stderr, "sluice explain: the files have no Workload %s/%s, nor a job of that name with a Workload\n",
        ns, name);
    return CLI_BAD_INPUT;
}

static int explain(const struct arguments *a, const struct api_set *set)
{
    const char *slash = strchr(a->target, '/');
    char *ns = slash ? mem_strndup(a->target, (size_t)(slash - a->target)) : mem_strdup("default");
    struct arena arena;

    if (!ns)
        return refuse("out of memory");
    arena_init(&arena, 4096);
    int rc = find_and_explain(a, set, ns, slash ? slash + 1 : a->target, &arena);
    arena_free(&arena);
    mem_free(ns);
    return rc;
}

static int read_and_explain(const struct arguments *a)
{
    struct api_set *set = api_set_new(API_COMPACT);

    if (!set)
        return refuse("out of memory");
    int rc = read_all(a, set);
    if (rc == CLI_OK || api_set_count(set))
        rc = cli_worse(rc, explain(a, set));
    api_set_free(set);
    return rc;
}

int cli_explain(int argc, char **argv)
{
    struct arguments a = {0};
    bool done;
    int rc = cli_arguments(cli_find("explain"), argc, argv, take, &a, &done);

    if (rc || done)
        ;
    else if (!a.target)
        rc = cli_bad_usage("explain", "whom? say NAMESPACE/NAME");
    else if (!a.npaths)
        rc = cli_bad_usage("explain", "no files: say -f PATH");
    else
        rc = read_and_explain(&a);
    mem_free(a.paths);
    return rc;
}
