/* sluice history: what a ledger knows. */
#include "cli/history.h"

#include "cli/arguments.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const history_report_names[] = {"loans", "usage", "admissions", "preemptions", "waits", NULL};

struct arguments {
    const char *report, *sql, *ledger, *queue, *cohort, *flavor, *resource;
    when_ns from, to;
    enum period by;
    enum history_output output;
    bool no_color;
};

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

/* "2026-03", "2026-03-02" or a whole time; or a length such as 49d, 12h from the beginning of 1970: day 0 of a trace without dates. */
static bool read_time(const char *text, when_ns *ret)
{
    static const char rest[] = "-01T00:00:00Z";
    char whole[32], *end;
    size_t n = strlen(text);

    if (!when_parse(text, n, ret, NULL))
        return true;
    if ((n == 7 || n == 10) && text[4] == '-') {
        (void)snprintf(whole, sizeof(whole), "%s%s", text, n == 7 ? rest : rest + 3);
        return !when_parse(whole, strlen(whole), ret, NULL);
    }
    long long days = strtoll(text, &end, 10);
    if (end != text && !strcmp(end, "d") && days >= 0 && days < 100000) {
        *ret = days * 86400 * NS_PER_S;
        return true;
    }
    return !duration_parse(text, n, ret, NULL) && *ret >= 0;
}

static int take_time(const char *option, const char *value, when_ns *ret)
{
    return read_time(value, ret)
               ? CLI_OK
               : cli_bad_usage("history",
                               "--%s: not a time such as 2026-03, 2026-03-02 or 2026-03-02T09:00:00Z: %s",
                               option, value);
}

static int word_of(const char *value, const char *const *words)
{
    int i = 0;

    while (words[i] && strcmp(value, words[i]) != 0)
        i++;
    return words[i] ? i : 0;
}

static int take_argument(struct arguments *a, const char *value)
{
    if (!a->report)
        a->report = value;
    else if (!strcmp(a->report, "sql") && !a->sql)
        a->sql = value;
    else
        return cli_bad_usage("history", "not expected here: %s", value);
    return CLI_OK;
}

static int take(void *ctx, const char *option, const char *value)
{
    static const char *const outputs[] = {"table", "json", "csv", NULL};
    static const char *const periods[] = {"all", "day", "week", "month", NULL};
    struct arguments *a = ctx;
    const struct {
        const char *option;
        const char **ret;
    } texts[] = {{"ledger", &a->ledger},
                 {"queue", &a->queue},
                 {"cohort", &a->cohort},
                 {"flavor", &a->flavor},
                 {"resource", &a->resource}};

    if (!*option)
        return take_argument(a, value);
    if (!strcmp(option, "from"))
        return take_time(option, value, &a->from);
    if (!strcmp(option, "to"))
        return take_time(option, value, &a->to);
    if (!strcmp(option, "by"))
        a->by = (enum period)word_of(value, periods);
    else if (!strcmp(option, "output"))
        a->output = (enum history_output)word_of(value, outputs);
    else if (!strcmp(option, "no-color"))
        a->no_color = true;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!strcmp(option, texts[i].option))
            *texts[i].ret = value;
    return CLI_OK;
}

static int check(const struct arguments *a)
{
    if (!a->report)
        return cli_bad_usage("history", "of what? Say loans, usage, admissions, preemptions, waits or sql");
    if (!a->ledger)
        return cli_bad_usage("history", "no ledger: say --ledger FILE");
    if (!strcmp(a->report, "sql") && !a->sql)
        return cli_bad_usage("history", "sql needs a SELECT");
    if (a->from != WHEN_NONE && a->to != WHEN_NONE && a->from >= a->to)
        return cli_bad_usage("history", "--from is not before --to");
    return CLI_OK;
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

static int bad_input(const struct err *err)
{
    (void)fprintf(stderr, "sluice history: %s\n", err->text);
    return CLI_BAD_INPUT;
}

/* What a reader of the figures must know. */
static void tell_extent(const struct history_extent *e, when_ns from)
{
    char text[32];

    if (e->gaps)
        (void)fprintf(stderr, "warning: %llu gaps: history is not complete there (SELECT * FROM gaps)\n",
                      (unsigned long long)e->gaps);
    if (e->inferred)
        (void)fprintf(stderr, "note: the end of %llu intervals was not seen and is inferred\n",
                      (unsigned long long)e->inferred);
    if (e->kept_since != WHEN_NONE && (from == WHEN_NONE || from < e->kept_since)) {
        (void)when_print(e->kept_since, text, sizeof(text));
        (void)fprintf(stderr, "note: what ended before %s is no longer kept\n", text);
    }
}

static int answer(const struct arguments *a, struct history *h)
{
    const struct history_filter f = {.from = a->from,
                                     .to = a->to,
                                     .queue = a->queue,
                                     .cohort = a->cohort,
                                     .flavor = a->flavor,
                                     .resource = a->resource,
                                     .by = a->by};
    struct history_print p = {.report = (enum history_report)word_of(a->report, history_report_names),
                              .output = a->output,
                              .filter = &f,
                              .width = terminal_width(STDOUT_FILENO),
                              .colors = !a->no_color && terminal_colors(STDOUT_FILENO)};
    struct err err = {0};
    struct str out;

    if (history_ask(h, p.report, &f, &p.rows, &p.n, &err) || history_extent(h, &f, &p.extent, &err))
        return bad_input(&err);
    str_init(&out, (size_t)1 << 31);
    history_print(&p, &out);
    tell_extent(&p.extent, f.from);
    int status = terminal_put("history", &out);
    str_free(&out);
    return status;
}

int cli_history(int argc, char **argv)
{
    struct arguments a = {.from = WHEN_NONE, .to = WHEN_NONE};
    struct history *h = NULL;
    struct err err = {0};
    bool done = false;
    int status = cli_arguments(cli_find("history"), argc, argv, take, &a, &done);

    if (!status && !done)
        status = check(&a);
    if (status || done)
        return status;
    if (history_open(a.ledger, &h, &err))
        return bad_input(&err);
    if (a.sql)
        status = history_run_sql(h, a.sql, a.output, terminal_width(STDOUT_FILENO),
                                 !a.no_color && terminal_colors(STDOUT_FILENO));
    else
        status = answer(&a, h);
    history_close(h);
    return status;
}
