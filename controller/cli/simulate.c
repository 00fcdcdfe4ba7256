/* sluice simulate: the objects in the files are the world; it runs until nothing moves. */
#include "cli/cli.h"
#include "cli/report.h"

#include "api/set.h"
#include "base/mem.h"
#include "sim/trace.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond that many cycles at one time the world is called restless; a lap of such a world takes some dozen cycles. */
enum { CYCLES_AT_ONCE_MAX = 100000 };

enum output { OUTPUT_TABLE, OUTPUT_TRACE };

struct arguments {
    enum output output;
    uint64_t max_cycles;
    struct api_set *set;
    const char *first; /* path */
};

static void usage(FILE *to)
{
    (void)fputs(
        "usage: sluice simulate -f PATH... [-o table|trace] [--max-cycles N]\n"
        "\n"
        "The objects in the files are the world: ResourceFlavors, Cohorts, ClusterQueues, LocalQueues, "
        "Workloads and what\n"
        "they refer to (YAML or JSON). Workloads arrive when they were created, one after the other, and "
        "Sluice decides who\n"
        "gets quota until nothing moves any more. Nothing is sent anywhere.\n"
        "\n"
        "  -f, --filename PATH   a file, a directory, or - for standard input; may be repeated\n"
        "  -o, --output FORMAT   table (default): where each Workload was admitted or why it waits, and what "
        "each queue\n"
        "                        uses, borrows and lends; trace: every decision, as JSON\n"
        "      --max-cycles N    stop after N scheduling cycles\n"
        "\n"
        "Annotations of a Workload: sim/arrive-at (a time), sim/run-seconds (it finishes so long after each "
        "admission; default:\n"
        "it runs for ever), sim/stop-seconds (how long it keeps its quota once evicted; default: 0).\n"
        "\n"
        "Exit status: 0, or 1 when an object or a file cannot be read (the others still count), or 2 for "
        "wrong usage.\n",
        to);
}

static int bad_usage(const char *what, const char *word)
{
    (void)fprintf(stderr, "sluice simulate: %s%s\nTry `sluice simulate --help`.\n", what, word);
    return CLI_BAD_USAGE;
}

/* ---- input -------------------------------------------------------------------------------------------------------------- */

static int add_path(struct arguments *a, const char *path)
{
    struct err err = {0};

    if (!a->first)
        a->first = path;
    if (!api_read_path(a->set, path, &err))
        return CLI_OK;
    (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    return CLI_BAD_INPUT;
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

static int tell_notes(const struct api_set *set)
{
    uint32_t count;

    for (uint32_t i = 0; i < api_set_warnings(set); i++)
        (void)fprintf(stderr, "warning: %s\n", api_set_warning(set, i));
    for (uint32_t i = 0; i < api_set_passed_over(set); i++) {
        const char *kind = api_set_passed_over_kind(set, i, &count);
        (void)fprintf(stderr, "note: passed over %u %s\n", count, kind);
    }
    for (uint32_t i = 0; i < api_set_errors(set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(set, i));
    return api_set_errors(set) ? CLI_BAD_INPUT : CLI_OK;
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
    char *name = world_name(a->first);
    struct trace *t = name ? trace_new(s, name) : NULL;
    int rc = t ? sim_run(s, err) : err_set(err, ERR_NOMEM, "out of memory");

    if (!rc)
        trace_print(t, out);
    trace_free(t);
    mem_free(name);
    return rc;
}

static int run_table(struct sim *s, struct str *out, struct err *err)
{
    struct report *r = report_new(s);
    int rc = r ? sim_run(s, err) : err_set(err, ERR_NOMEM, "out of memory");

    if (!rc)
        report_print(r, out);
    report_free(r);
    return rc;
}

static int simulate(const struct arguments *a)
{
    struct sim_options opt = {a->max_cycles, CYCLES_AT_ONCE_MAX, WHEN_NONE};
    struct err err = {0};
    struct sim *s;
    struct str out;
    int rc = sim_new(a->set, &opt, &s, &err);

    str_init(&out, (size_t)1 << 31);
    if (!rc)
        rc = a->output == OUTPUT_TRACE ? run_trace(s, a, &out, &err) : run_table(s, &out, &err);
    if (!rc && str_failed(&out))
        rc = err_set(&err, ERR_NOMEM, "out of memory for the output");
    if (!rc && (fwrite(str_text(&out), 1, out.len, stdout) != out.len || fflush(stdout)))
        rc = err_set(&err, ERR_IO, "cannot write the output");
    if (rc)
        (void)fprintf(stderr, "sluice simulate: %s\n", err.text);
    str_free(&out);
    sim_free(s);
    return rc ? CLI_BAD_INPUT : CLI_OK;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static int take_number(const char *text, uint64_t *ret)
{
    char *end;

    *ret = strtoull(text, &end, 10);
    return *text < '0' || *text > '9' || *end ? bad_usage("not a number: ", text) : CLI_OK;
}

static int take_output(const char *text, enum output *ret)
{
    if (!strcmp(text, "table"))
        *ret = OUTPUT_TABLE;
    else if (!strcmp(text, "trace"))
        *ret = OUTPUT_TRACE;
    else
        return bad_usage("unknown output format: ", text);
    return CLI_OK;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
}

/* Reads options and, while at it, files. *ret_done: there is nothing more to do. */
static int take_arguments(struct arguments *a, int argc, char **argv, bool *ret_done)
{
    static const struct option options[] = {{"filename", required_argument, NULL, 'f'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"max-cycles", required_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int opt, rc = CLI_OK;

    while ((opt = getopt_long(argc, argv, "f:o:h", options, NULL)) != -1) {
        int r = CLI_OK;
        if (opt == 'h') {
            usage(stdout);
            *ret_done = true;
            return CLI_OK;
        }
        if (opt == 'f')
            r = add_path(a, optarg);
        else if (opt == 'o')
            r = take_output(optarg, &a->output);
        else if (opt == 'm')
            r = take_number(optarg, &a->max_cycles);
        else
            r = bad_usage("", "");
        rc = worse(rc, r);
        if (r == CLI_BAD_USAGE)
            return r;
    }
    for (int i = optind; i < argc; i++) /* `-f *.yaml`, as the shell hands it over */
        rc = worse(rc, add_path(a, argv[i]));
    return a->first ? rc : bad_usage("no files: say -f PATH", "");
}

int cli_simulate(int argc, char **argv)
{
    struct arguments a = {.set = api_set_new(0)};
    bool done = false;

    if (!a.set) {
        (void)fprintf(stderr, "sluice simulate: out of memory\n");
        return CLI_BAD_INPUT;
    }
    int rc = take_arguments(&a, argc, argv, &done);
    if (rc != CLI_BAD_USAGE && !done) {
        rc = worse(rc, tell_notes(a.set));
        if (!a.max_cycles)
            a.max_cycles = max_cycles_of(a.first);
        if (rc == CLI_OK || api_set_count(a.set))
            rc = worse(rc, simulate(&a));
    }
    api_set_free(a.set);
    return rc;
}
