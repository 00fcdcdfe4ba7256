/* sluice replay: a trace of jobs against one set of queues or several. */
#include "cli/replay.h"

#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/keep.h"
#include "cli/terminal.h"
#include "cli/window.h"

#include "api/set.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUOTAS_MAX = 4096 };

struct arguments {
    const char *trace, *config, *mapping, *events, *ledger, *report, *from, *to;
    const char *queues[REPLAY_POLICIES_MAX];
    uint32_t nqueues, nquotas;
    enum replay_output output;
    bool init, no_color;
    struct replay_options opt;
    struct replay_init made;
    struct replay_quota *quotas; /* owned */
    uint32_t cap_quotas;
};

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int take_length(const char *option, const char *value, int64_t *ret)
{
    return window_length(value, ret)
               ? CLI_OK
               : cli_bad_usage("replay", "--%s: not a length of time such as 49d, 12h30m, 90s: %s", option,
                               value);
}

static int take_word(const char *value, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(value, words[i]))
            return i;
    return 0;
}

static int take_quota(struct arguments *a, const char *value)
{
    const char *equals = strrchr(value, '=');
    char *end = NULL;
    long long n = equals ? strtoll(equals + 1, &end, 10) : -1;

    if (n < 0 || n > JOBS_GPUS_MAX || !end || *end || equals == value)
        return cli_bad_usage("replay", "--quota: not of the form TENANT=GPUS: %s", value);
    if (mem_grow((void **)&a->quotas, &a->cap_quotas, a->nquotas + 1, sizeof(*a->quotas)))
        return cli_bad_usage("replay", "out of memory");
    a->quotas[a->nquotas++] = (struct replay_quota){value, (uint32_t)(equals - value), n};
    return CLI_OK;
}

static int take_queues(struct arguments *a, const char *value)
{
    if (a->nqueues == REPLAY_POLICIES_MAX)
        return cli_bad_usage("replay", "--queues: more than %d of them", REPLAY_POLICIES_MAX);
    a->queues[a->nqueues++] = value;
    return CLI_OK;
}

static int take_init(struct arguments *a, const char *option, const char *value)
{
    static const char *const policies[] = {"fixed", "borrowing", "backfill", "reclaim"};
    char *end;

    if (!strcmp(option, "init"))
        a->init = true;
    else if (!strcmp(option, "policy"))
        a->made.policy = (enum replay_policy)take_word(value, policies, 4);
    else if (!strcmp(option, "quota"))
        return take_quota(a, value);
    else if (!strcmp(option, "capacity")) {
        a->made.capacity = strtoll(value, &end, 10);
        if (*end || a->made.capacity < 1 || a->made.capacity > JOBS_GPUS_MAX)
            return cli_bad_usage("replay", "--capacity: not a number of GPUs: %s", value);
    }
    return CLI_OK;
}

static int take(void *ctx, const char *option, const char *value)
{
    static const char *const outputs[] = {"table", "json", "csv"};
    struct arguments *a = ctx;

    if (!*option) {
        if (a->trace)
            return cli_bad_usage("replay", "more than one trace: %s", value);
        a->trace = value;
        return CLI_OK;
    }
    if (!strcmp(option, "queues"))
        return take_queues(a, value);
    if (!strcmp(option, "config"))
        a->config = value;
    else if (!strcmp(option, "mapping"))
        a->mapping = value;
    else if (!strcmp(option, "events"))
        a->events = value;
    else if (!strcmp(option, "ledger"))
        a->ledger = value;
    else if (!strcmp(option, "report"))
        a->report = value;
    else if (!strcmp(option, "from"))
        a->from = value;
    else if (!strcmp(option, "to"))
        a->to = value;
    else if (!strcmp(option, "output"))
        a->output = (enum replay_output)take_word(value, outputs, 3);
    else if (!strcmp(option, "warmup"))
        return take_length(option, value, &a->opt.warmup_ns);
    else if (!strcmp(option, "checkpoint-every"))
        return take_length(option, value, &a->opt.checkpoint_ns);
    else if (!strcmp(option, "startup"))
        return take_length(option, value, &a->opt.startup_ns);
    else if (!strcmp(option, "stop"))
        return take_length(option, value, &a->opt.stop_ns);
    else if (!strcmp(option, "skip-impossible"))
        a->opt.skip_impossible = true;
    else if (!strcmp(option, "no-color"))
        a->no_color = true;
    else
        return take_init(a, option, value);
    return CLI_OK;
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

static int bad_input(const struct err *err)
{
    (void)fprintf(stderr, "sluice replay: %s\n", err->text);
    return CLI_BAD_INPUT;
}

static int tell_notes(const struct api_set *set)
{
    for (uint32_t i = 0; i < api_set_warnings(set); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(set, i));
    for (uint32_t i = 0; i < api_set_errors(set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(set, i));
    return api_set_errors(set) ? CLI_BAD_INPUT : CLI_OK;
}

/* A whole file, as text. */
static int read_file(const char *path, struct str *out, struct err *err)
{
    FILE *f = fopen(path, "rb");
    char buf[4096];
    size_t n;

    if (!f)
        return err_set(err, ERR_IO, "%s: cannot be opened: %m", path);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        str_addn(out, buf, n);
    bool bad = ferror(f) || str_failed(out);
    (void)fclose(f);
    return bad ? err_set(err, ERR_IO, "%s: cannot be read", path) : 0;
}

static int read_mapping(const char *path, struct mapping *m, struct err *err)
{
    struct str text;

    if (!path)
        return 0;
    str_init(&text, 0);
    int rc = read_file(path, &text, err);
    if (!rc && (rc = mapping_read(m, str_text(&text), text.len, err)))
        (void)err_prefix(err, "%s: ", path);
    str_free(&text);
    return rc;
}

/* ---- runs --------------------------------------------------------------------------------------------------------------- */

struct policy {
    struct api_set *objects;
    struct replay *replay;
};

static int read_objects(const struct arguments *a, const char *path, struct policy *p, struct err *err)
{
    p->objects = api_set_new(0);
    if (!p->objects)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = a->config ? api_read_path(p->objects, a->config, err) : 0;
    if (!rc)
        rc = api_read_path(p->objects, path, err);
    if (!rc && tell_notes(p->objects))
        rc = err_set(err, ERR_INVALID, "%s: cannot be used as it is", path);
    return rc;
}

/* Who is told what happens. */
struct audience {
    struct replay_journal journal;
    struct keep keep;
};

static void tell_audience(void *arg, const struct replay_note *n)
{
    struct audience *to = arg;

    if (to->journal.file)
        replay_journal_note(&to->journal, n);
    if (to->keep.ledger)
        keep_note(&to->keep, n);
}

/* The first submission, or 0. */
static when_ns first_submit(const struct arguments *a)
{
    struct jobs_reader *jobs = NULL;
    struct job j = {0};
    bool more = false;

    if (!strcmp(a->trace, "-") || jobs_open(a->trace, &jobs, NULL))
        return 0;
    if (jobs_next(jobs, &j, &more, NULL))
        more = false;
    when_ns t = more ? j.submit : 0;
    jobs_close(jobs);
    return t;
}

static int start_telling(const struct arguments *a, const char *path, struct replay *r, struct audience *to)
{
    int status = CLI_OK;

    to->journal.policy = path;
    if (a->ledger)
        status = keep_open(&to->keep, "replay", a->ledger, replay_world(r), first_submit(a));
    if (to->keep.ledger)
        keep_replay(&to->keep, r);
    if (to->journal.file || to->keep.ledger)
        replay_watch(r, tell_audience, to);
    return status;
}

static int run_policy(struct arguments *a, const char *path, struct policy *p, struct audience *to,
                      bool *ret_dates)
{
    struct jobs_reader *jobs = NULL;
    struct err err = {0};
    int rc = read_objects(a, path, p, &err);

    if (!rc)
        rc = jobs_open(a->trace, &jobs, &err);
    if (rc)
        return bad_input(&err);
    *ret_dates = jobs_has_dates(jobs);
    int status = window_read("replay", a->trace, a->from, a->to, &a->opt.window);
    if (status) {
        jobs_close(jobs);
        return status;
    }
    rc = replay_new(p->objects, &a->opt, &p->replay, &err);
    if (!rc)
        status = start_telling(a, path, p->replay, to);
    if (!rc && !status)
        rc = replay_run(p->replay, jobs, &err);
    status = cli_worse(status, p->replay ? keep_close(&to->keep, "replay", replay_now(p->replay)) : CLI_OK);
    if (!rc && !status)
        rc = replay_check(p->replay, &err);
    const struct jobs_skipped skipped = jobs_skipped(jobs);
    if (!rc && skipped.never_ran + skipped.unfinished)
        (void)fprintf(stderr, "note: left out %llu jobs that never ran and %llu that run still\n",
                      (unsigned long long)skipped.never_ran, (unsigned long long)skipped.unfinished);
    jobs_close(jobs);
    return rc ? bad_input(&err) : status;
}

static int write_report(const struct replay_print *p, const char *path)
{
    struct str page;
    struct err err = {0};

    str_init(&page, 0);
    FILE *f = fopen(path, "wb");
    int rc = f ? replay_print_html(p, &page) : err_set(&err, ERR_IO, "%s: cannot be opened: %m", path);
    if (rc == ERR_NOMEM)
        (void)err_set(&err, rc, "out of memory for the report");
    else if (!rc && fwrite(str_text(&page), 1, page.len, f) != page.len)
        rc = err_set(&err, ERR_IO, "%s: cannot be written", path);
    if (f && fclose(f) && !rc)
        rc = err_set(&err, ERR_IO, "%s: cannot be written", path);
    str_free(&page);
    return rc ? bad_input(&err) : CLI_OK;
}

static int print_runs(const struct arguments *a, const struct policy *policies, bool dates)
{
    struct replay_run runs[REPLAY_POLICIES_MAX];
    struct replay_print p = {.runs = runs,
                             .nruns = a->nqueues,
                             .options = &a->opt,
                             .units = mapping_units(a->opt.map),
                             .has_dates = dates,
                             .trace = a->trace,
                             .width = terminal_width(STDOUT_FILENO),
                             .colors = !a->no_color && terminal_colors(STDOUT_FILENO)};
    struct str out;

    for (uint32_t i = 0; i < a->nqueues; i++)
        runs[i] = (struct replay_run){a->queues[i], replay_result(policies[i].replay)};
    if (a->report) {
        int status = write_report(&p, a->report);
        if (status)
            return status;
    }
    str_init(&out, (size_t)1 << 30);
    if (a->output == REPLAY_JSON)
        replay_print_json(&p, &out);
    else if (a->output == REPLAY_CSV)
        replay_print_csv(&p, &out);
    else
        replay_print_table(&p, &out);
    int status = terminal_put("replay", &out);
    str_free(&out);
    return status;
}

static int close_journal(struct replay_journal *j, const char *path)
{
    bool bad = j->failed;

    str_free(&j->line);
    if (j->file && fclose(j->file))
        bad = true;
    if (bad)
        (void)fprintf(stderr, "sluice replay: %s: cannot be written\n", path);
    return bad ? CLI_BAD_INPUT : CLI_OK;
}

static int run_all(struct arguments *a)
{
    struct policy policies[REPLAY_POLICIES_MAX] = {{0}};
    struct audience to = {0};
    int status = CLI_OK;
    bool dates = false;

    str_init(&to.journal.line, 0);
    if (a->events && !(to.journal.file = fopen(a->events, "wb"))) {
        (void)fprintf(stderr, "sluice replay: %s: cannot be opened: %m\n", a->events);
        return CLI_BAD_INPUT;
    }
    for (uint32_t i = 0; i < a->nqueues && !status; i++)
        status = run_policy(a, a->queues[i], &policies[i], &to, &dates);
    if (!status)
        status = print_runs(a, policies, dates);
    for (uint32_t i = 0; i < a->nqueues; i++) {
        replay_free(policies[i].replay);
        api_set_free(policies[i].objects);
    }
    return cli_worse(status, close_journal(&to.journal, a->events));
}

static int make_queues(struct arguments *a)
{
    struct str out;

    str_init(&out, (size_t)1 << 30);
    a->made.trace = a->trace;
    a->made.mapping = a->mapping;
    a->made.quotas = a->quotas;
    a->made.nquotas = a->nquotas;
    int status = replay_init(&a->made, &out);
    if (!status)
        status = terminal_put("replay", &out);
    str_free(&out);
    return status;
}

static int replay(struct arguments *a)
{
    struct mapping *m = mapping_new();
    struct err err = {0};
    int rc = m ? read_mapping(a->mapping, m, &err) : err_set(&err, ERR_NOMEM, "out of memory");

    a->opt.map = m;
    a->opt.bins = a->report ? REPLAY_BINS : 0;
    int status = rc ? bad_input(&err) : run_all(a);
    mapping_free(m);
    return status;
}

int cli_replay(int argc, char **argv)
{
    struct arguments a = {.opt = {.warmup_ns = -1}};
    bool done = false;
    int status = cli_arguments(cli_find("replay"), argc, argv, take, &a, &done);

    if (!status && !done) {
        if (!a.trace)
            status = cli_bad_usage("replay", "no trace");
        else if (a.init)
            status = make_queues(&a);
        else if (!a.nqueues)
            status = cli_bad_usage("replay", "no queues: say --queues PATH (and --init makes some)");
        else if (a.ledger && a.nqueues > 1)
            status =
                cli_bad_usage("replay", "--ledger: one policy at a time, so that histories are not mixed");
        else if (!strcmp(a.trace, "-") && (a.nqueues > 1 || a.from || a.to))
            status = cli_bad_usage("replay", "standard input can be read once only: use a file");
        else
            status = replay(&a);
    }
    mem_free(a.quotas);
    return status;
}
