/* sluice simulate: the objects in the files are the world; it runs until nothing moves. */
#include "cli/arguments.h"
#include "cli/keep.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/terminal.h"

#include "api/references.h"
#include "api/set.h"
#include "base/mem.h"
#include "jobs/expand.h"
#include "sim/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beyond that many cycles at one time the world is called restless; a lap of such a world takes some dozen cycles. */
enum { CYCLES_AT_ONCE_MAX = 100000 };

enum output { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_TRACE };

struct arguments {
    const char **paths; /* owned; the strings are those of argv */
    uint32_t npaths, cap_paths;
    const char *config, *ledger; /* paths, or NULL */
    enum output output;
    uint64_t cycles;
    int64_t until_ns, startup_ns;
    when_ns now; /* WHEN_NONE = not given */
    bool quiet, strict, no_color;
};

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int take_path(struct arguments *a, const char *value)
{
    if (mem_grow((void **)&a->paths, &a->cap_paths, a->npaths + 1, sizeof(*a->paths))) {
        (void)fprintf(stderr, "sluice simulate: out of memory\n");
        return CLI_BAD_INPUT;
    }
    a->paths[a->npaths++] = value;
    return CLI_OK;
}

static int take_config(struct arguments *a, const char *value)
{
    a->config = value;
    return CLI_OK;
}

static int take_ledger(struct arguments *a, const char *value)
{
    a->ledger = value;
    return CLI_OK;
}

static int take_output(struct arguments *a, const char *value)
{
    static const char *const names[] = {"table", "wide", "json", "yaml", "trace"};

    for (int i = OUTPUT_TABLE; i <= OUTPUT_TRACE; i++)
        if (!strcmp(value, names[i]))
            a->output = (enum output)i;
    return CLI_OK;
}

static int take_cycles(struct arguments *a, const char *value)
{
    char *end;

    a->cycles = strtoull(value, &end, 10);
    return *value < '0' || *value > '9' || *end || !a->cycles
               ? cli_bad_usage("simulate", "--cycles: not a number above 0: %s", value)
               : CLI_OK;
}

static int take_duration(const char *option, const char *value, int64_t least, int64_t *ret)
{
    return duration_parse(value, strlen(value), ret, NULL) || *ret < least
               ? cli_bad_usage("simulate", "--%s: not a duration such as 90s, 1h30m: %s", option, value)
               : CLI_OK;
}

static int take_until(struct arguments *a, const char *value)
{
    return take_duration("until", value, 1, &a->until_ns);
}

static int take_startup(struct arguments *a, const char *value)
{
    return take_duration("startup", value, 0, &a->startup_ns);
}

static int take_now(struct arguments *a, const char *value)
{
    return when_parse(value, strlen(value), &a->now, NULL)
               ? cli_bad_usage("simulate", "--now: not a time such as 2026-03-02T09:00:00Z: %s", value)
               : CLI_OK;
}

static int take_quiet(struct arguments *a, const char *value)
{
    (void)value;
    a->quiet = true;
    return CLI_OK;
}

static int take_strict(struct arguments *a, const char *value)
{
    (void)value;
    a->strict = true;
    return CLI_OK;
}

static int take_no_color(struct arguments *a, const char *value)
{
    (void)value;
    a->no_color = true;
    return CLI_OK;
}

static int take(void *ctx, const char *option, const char *value)
{
    static const struct {
        const char *option;
        int (*take)(struct arguments *a, const char *value);
    } takers[] = {
        {"", take_path},         {"filename", take_path},     {"config", take_config},
        {"output", take_output}, {"cycles", take_cycles},     {"until", take_until},
        {"now", take_now},       {"startup", take_startup},   {"quiet", take_quiet},
        {"strict", take_strict}, {"no-color", take_no_color}, {"ledger", take_ledger},
    };

    for (size_t i = 0; i < sizeof(takers) / sizeof(takers[0]); i++)
        if (!strcmp(option, takers[i].option))
            return takers[i].take(ctx, value);
    return CLI_OK;
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

static int read_one(struct api_set *set, const char *path)
{
    struct err err = {0};

    if (!api_read_path(set, path, &err))
        return CLI_OK;
    (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    return CLI_BAD_INPUT;
}

static bool has_config(const struct api_set *set)
{
    for (uint32_t i = 0; i < api_set_count(set); i++)
        if (api_set_at(set, i)->kind == API_CONFIG)
            return true;
    return false;
}

/* Jobs compete with the Workloads that they would have. */
static int add_workloads(struct api_set *set)
{
    struct err err = {0};

    if (!job_expand(set, &err))
        return CLI_OK;
    (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    return CLI_BAD_INPUT;
}

/* What they name and nobody has written down is most often a slip; the world takes them nevertheless. */
static int check_references(struct api_set *set)
{
    struct err err = {0};

    if (!references_check(set, &err))
        return CLI_OK;
    (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    return CLI_BAD_INPUT;
}

/* The configuration comes first: the first one counts. */
static int read_all(const struct arguments *a, struct api_set *set)
{
    int rc = CLI_OK;

    if (a->config) {
        rc = read_one(set, a->config);
        if (!rc && !api_set_errors(set) && !has_config(set)) {
            (void)fprintf(stderr, "sluice simulate: %s: there is no Configuration in it\n", a->config);
            rc = CLI_BAD_INPUT;
        }
    }
    for (uint32_t i = 0; i < a->npaths; i++)
        rc = cli_worse(rc, read_one(set, a->paths[i]));
    rc = cli_worse(rc, add_workloads(set));
    return cli_worse(rc, check_references(set));
}

static int tell_notes(const struct arguments *a, const struct api_set *set)
{
    uint32_t count;

    for (uint32_t i = 0; !a->quiet && i < api_set_warnings(set); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(set, i));
    for (uint32_t i = 0; !a->quiet && i < api_set_passed_over(set); i++) {
        const char *kind = api_set_passed_over_kind(set, i, &count);
        (void)fprintf(stderr, "note: passed over %u %s\n", count, kind);
    }
    for (uint32_t i = 0; i < api_set_errors(set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(set, i));
    return api_set_errors(set) ? CLI_BAD_INPUT : CLI_OK;
}

/* A leading line "# sim: maxCycles=N" of the first file. */
static uint64_t max_cycles_of(const char *path)
{
    char head[64];
    FILE *f = strcmp(path, "-") ? fopen(path, "rb") : NULL;

    if (!f)
        return 0;
    size_t n = fread(head, 1, sizeof(head), f);
    (void)fclose(f);
    return sim_max_cycles_of(head, n);
}

/* ---- output ------------------------------------------------------------------------------------------------------------- */

/* The name of the file without directory and suffix. */
static char *world_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');

    return mem_strndup(base, dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

static int run_trace(struct sim *s, const struct arguments *a, struct str *out, struct err *err)
{
    char *name = world_name(a->paths[0]);
    struct trace *t = name ? trace_new(s, name) : NULL;
    int rc = t ? sim_run(s, err) : err_set(err, ERR_NOMEM, "out of memory");

    if (!rc)
        trace_print(t, out);
    trace_free(t);
    mem_free(name);
    return rc;
}

static struct report_style style_of(const struct arguments *a)
{
    return (struct report_style){
        .wide = a->output == OUTPUT_WIDE,
        .width = terminal_width(STDOUT_FILENO),
        .colors = !a->no_color && terminal_colors(STDOUT_FILENO),
    };
}

static int run_report(struct sim *s, const struct arguments *a, struct str *out, struct err *err)
{
    struct report *r = report_new(s);
    int rc = r ? sim_run(s, err) : err_set(err, ERR_NOMEM, "out of memory");

    if (!rc && !a->quiet) {
        if (a->output == OUTPUT_JSON || a->output == OUTPUT_YAML)
            report_data(r, a->output == OUTPUT_YAML, out);
        else
            report_print(r, style_of(a), out);
    }
    report_free(r);
    return rc;
}

static void tell_assumed(const struct arguments *a, const struct sim *s)
{
    for (uint32_t i = 0; !a->quiet && i < sim_assumed_checks(s); i++)
        (void)fprintf(stderr, "warning: AdmissionCheck %s: nothing in the files answers it; taken as Ready\n",
                      sim_assumed_check(s, i));
}

static int start_keeping(struct keep *k, const char *path, struct sim *s)
{
    when_ns began = sim_began(s);
    int status = keep_open(k, "simulate", path, sim_world(s), began == WHEN_NONE ? 0 : began);

    if (!status)
        keep_sim(k, s);
    return status;
}

static when_ns end_of(const struct sim *s)
{
    return sim_time(s) != WHEN_NONE ? sim_time(s) : sim_began(s) != WHEN_NONE ? sim_began(s) : 0;
}

static int simulate(const struct arguments *a, const struct api_set *set)
{
    struct progress progress = progress_start("sluice simulate", a->quiet);
    uint64_t told = max_cycles_of(a->paths[0]); /* a world that is written as a story */
    struct sim_options opt = {
        .max_cycles = a->cycles ? a->cycles : told,
        .max_cycles_at_once = CYCLES_AT_ONCE_MAX,
        .start = WHEN_NONE,
        .gathers = !told || a->now != WHEN_NONE,
        .begin = a->now,
        .until_ns = a->until_ns,
        .models = true,
        .startup_ns = a->startup_ns,
        .tick = progress_tick,
        .tick_arg = &progress,
    };
    struct keep keep = {0};
    struct err err = {0};
    struct sim *s;
    struct str out;
    int rc = sim_new(set, &opt, &s, &err), kept = CLI_OK;

    str_init(&out, (size_t)1 << 31);
    if (!rc && a->ledger)
        kept = start_keeping(&keep, a->ledger, s);
    if (!rc && !kept)
        rc = a->output == OUTPUT_TRACE && !a->quiet ? run_trace(s, a, &out, &err)
                                                    : run_report(s, a, &out, &err);
    progress_end(&progress);
    if (s)
        kept = cli_worse(kept, keep_close(&keep, "simulate", end_of(s)));
    int status = rc || kept ? CLI_BAD_INPUT : terminal_put("simulate", &out);
    if (rc)
        (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    else if (!kept)
        tell_assumed(a, s);
    if (!status && report_somebody_waits(s))
        status = CLI_WAITING;
    str_free(&out);
    sim_free(s);
    return status;
}

static int read_and_simulate(const struct arguments *a)
{
    struct api_set *set = api_set_new(API_COMPACT | (a->strict ? API_STRICT : 0));

    if (!set) {
        (void)fprintf(stderr, "sluice simulate: out of memory\n");
        return CLI_BAD_INPUT;
    }
    int rc = read_all(a, set);
    rc = cli_worse(rc, tell_notes(a, set));
    if (rc == CLI_OK || api_set_count(set))
        rc = cli_worse(rc, simulate(a, set));
    api_set_free(set);
    return rc;
}

int cli_simulate(int argc, char **argv)
{
    struct arguments a = {.now = WHEN_NONE};
    bool done;
    int rc = cli_arguments(cli_find("simulate"), argc, argv, take, &a, &done);

    if (!rc && !done && !a.npaths)
        rc = cli_bad_usage("simulate", "no files: say -f PATH");
    if (!rc && !done && a.cycles && a.until_ns)
        rc = cli_bad_usage("simulate", "--cycles and --until exclude each other");
    if (!rc && !done)
        rc = read_and_simulate(&a);
    mem_free(a.paths);
    return rc;
}
