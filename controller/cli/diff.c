/* sluice diff: what a change of policy does, before it is applied. */
#include "cli/diff.h"

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "cli/window.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATHS_MAX = 64 };

struct paths {
    const char *at[PATHS_MAX]; /* of argv */
    uint32_t n;
};

struct arguments {
    struct paths before, after, state;
    const char *trace, *mapping, *config, *from, *to; /* NULL = none */
    bool json, no_color, skip_impossible;
};

/* All that is read and made; owned. */
struct work {
    struct api_set *before, *after, *state; /* state NULL = none */
    struct policy_diff *diff;
    struct mapping *mapping;
    struct replay *was, *is;
    struct window window; /* of the trace: what is measured */
    struct diff_trace trace;
    struct err loop_before, loop_after;
};

static int refuse(const struct err *err)
{
    (void)fprintf(stderr, "sluice diff: %s\n", err->text);
    return CLI_BAD_INPUT;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int take_path(struct paths *p, const char *option, const char *value)
{
    if (p->n == PATHS_MAX)
        return cli_bad_usage("diff", "--%s: more than %d of them", option, PATHS_MAX);
    p->at[p->n++] = value;
    return CLI_OK;
}

static int take(void *ctx, const char *option, const char *value)
{
    struct arguments *a = ctx;

    if (!strcmp(option, "before"))
        return take_path(&a->before, option, value);
    if (!strcmp(option, "after"))
        return take_path(&a->after, option, value);
    if (!strcmp(option, "state"))
        return take_path(&a->state, option, value);
    if (!strcmp(option, "trace"))
        a->trace = value;
    else if (!strcmp(option, "mapping"))
        a->mapping = value;
    else if (!strcmp(option, "from"))
        a->from = value;
    else if (!strcmp(option, "to"))
        a->to = value;
    else if (!strcmp(option, "config"))
        a->config = value;
    else if (!strcmp(option, "output"))
        a->json = !strcmp(value, "json");
    else if (!strcmp(option, "no-color"))
        a->no_color = true;
    else if (!strcmp(option, "skip-impossible"))
        a->skip_impossible = true;
    return CLI_OK;
}

static uint32_t count_stdin(const struct paths *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->n; i++)
        n += !strcmp(p->at[i], "-");
    return n;
}

static int check_arguments(const struct arguments *a)
{
    uint32_t n = count_stdin(&a->before) + count_stdin(&a->after) + count_stdin(&a->state);

    if (!a->before.n)
        return cli_bad_usage("diff", "no policy as it is: say --before PATH");
    if (!a->after.n)
        return cli_bad_usage("diff", "no policy as it would be: say --after PATH");
    const char *alone = a->mapping           ? "mapping"
                        : a->skip_impossible ? "skip-impossible"
                        : a->from            ? "from"
                        : a->to              ? "to"
                                             : NULL;
    if (alone && !a->trace)
        return cli_bad_usage("diff", "--%s is of no use without --trace", alone);
    if (a->trace && !strcmp(a->trace, "-"))
        return cli_bad_usage("diff", "a trace is read twice: use a file, not standard input");
    return n > 1 ? cli_bad_usage("diff", "standard input can be read once only") : CLI_OK;
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

/* The configuration comes first: the first one counts. */
static int read_set(const struct paths *p, const char *config, struct api_set **ret)
{
    struct err err = {0};
    int rc = 0;

    *ret = api_set_new(0);
    if (!*ret)
        return refuse(&(struct err){ERR_NOMEM, "out of memory"});
    if (config)
        rc = api_read_path(*ret, config, &err);
    for (uint32_t i = 0; i < p->n && !rc; i++)
        rc = api_read_path(*ret, p->at[i], &err);
    for (uint32_t i = 0; i < api_set_warnings(*ret); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(*ret, i));
    for (uint32_t i = 0; i < api_set_errors(*ret); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(*ret, i));
    if (rc)
        return refuse(&err);
    return api_set_errors(*ret) ? CLI_BAD_INPUT : CLI_OK;
}

static int read_all(const struct arguments *a, struct work *w)
{
    int status = read_set(&a->before, a->config, &w->before);

    status = cli_worse(status, read_set(&a->after, a->config, &w->after));
    if (a->state.n)
        status = cli_worse(status, read_set(&a->state, NULL, &w->state));
    return status;
}

static int read_mapping(const char *path, struct mapping *m, struct err *err)
{
    FILE *f = path ? fopen(path, "rb") : NULL;
    struct str text;
    char buf[4096];
    size_t n;

    if (!path)
        return 0;
    if (!f)
        return err_set(err, ERR_IO, "%s: cannot be opened: %m", path);
    str_init(&text, 0);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(&text, buf, n);
    int rc = ferror(f) || str_failed(&text) ? err_set(err, ERR_IO, "%s: cannot be read", path) : 0;
    (void)fclose(f);
    if (!rc && (rc = mapping_read(m, str_text(&text), text.len, err)))
        (void)err_prefix(err, "%s: ", path);
    str_free(&text);
    return rc;
}

/* ---- the trace ---------------------------------------------------------------------------------------------------------- */

/* *ret_loop is set when it did not come to rest, to the text of `err`, and the result is 0. */
static int run_trace(const struct arguments *a, struct work *w, bool after, const char **ret_loop,
                     struct err *err)
{
    const struct replay_options opt = {
        .window = w->window, .warmup_ns = -1, .skip_impossible = a->skip_impossible, .map = w->mapping};
    struct replay **r = after ? &w->is : &w->was;
    struct jobs_reader *jobs = NULL;
    struct api_set *objects;
    int rc = policy_join(after ? w->after : w->before, after ? w->before : w->after, w->state, &objects, err);

    if (rc)
        return rc;
    rc = replay_new(objects, &opt, r, err);
    api_set_free(objects);
    if (!rc)
        rc = jobs_open(a->trace, &jobs, err);
    if (!rc)
        rc = replay_run(*r, jobs, err);
    jobs_close(jobs);
    if (rc == ERR_STATE) {
        *ret_loop = err->text;
        return 0;
    }
    return rc ? rc : replay_check(*r, err);
}

static int run_traces(const struct arguments *a, struct work *w)
{
    struct diff_trace *t = &w->trace;
    struct err err = {0};

    if (!a->trace)
        return CLI_OK;
    int status = window_read("diff", a->trace, a->from, a->to, &w->window);
    if (status)
        return status;
    w->mapping = mapping_new();
    int rc =
        w->mapping ? read_mapping(a->mapping, w->mapping, &err) : err_set(&err, ERR_NOMEM, "out of memory");
    if (rc)
        return refuse(&err);
    if (run_trace(a, w, false, &t->loop_before, &w->loop_before)) {
        (void)err_prefix(&w->loop_before, "before: ");
        return refuse(&w->loop_before);
    }
    if (run_trace(a, w, true, &t->loop_after, &w->loop_after)) {
        (void)err_prefix(&w->loop_after, "after: ");
        return refuse(&w->loop_after);
    }
    t->before = replay_result(w->was);
    t->after = replay_result(w->is);
    t->units = mapping_units(w->mapping);
    return CLI_OK;
}

/* ---- the answer --------------------------------------------------------------------------------------------------------- */

static int show(const struct arguments *a, const struct work *w)
{
    const struct diff_print p = {.diff = w->diff,
                                 .trace = a->trace ? &w->trace : NULL,
                                 .ran = w->diff->nworkloads > 0,
                                 .width = terminal_width(STDOUT_FILENO),
                                 .colors = !a->no_color && terminal_colors(STDOUT_FILENO)};
    struct str out;

    str_init(&out, 0);
    if (a->json)
        diff_data(&p, &out);
    else
        diff_print(&p, &out);
    int status = terminal_put("diff", &out);
    str_free(&out);
    if (policy_lint_has_new_errors(&w->diff->lint) || diff_trace_new_loop(p.trace))
        status = CLI_BAD_INPUT;
    if (!status && (policy_diff_any(w->diff) || diff_trace_differs(p.trace)))
        status = CLI_EFFECTS;
    return status;
}

static int compare(const struct arguments *a)
{
    struct work w = {0};
    struct err err = {0};
    int status = read_all(a, &w);

    if (!status && policy_diff_new(w.before, w.after, w.state, &w.diff, &err))
        status = refuse(&err);
    if (!status)
        status = run_traces(a, &w);
    if (!status)
        status = show(a, &w);
    policy_diff_free(w.diff);
    replay_free(w.was);
    replay_free(w.is);
    mapping_free(w.mapping);
    api_set_free(w.before);
    api_set_free(w.after);
    api_set_free(w.state);
    return status;
}

int cli_diff(int argc, char **argv)
{
    struct arguments a = {0};
    bool done = false;
    int status = cli_arguments(cli_find("diff"), argc, argv, take, &a, &done);

    if (!status && !done)
        status = check_arguments(&a);
    return status || done ? status : compare(&a);
}
