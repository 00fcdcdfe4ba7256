#include "cli/window.h"

#include "base/amount.h"
#include "cli/arguments.h"
#include "cli/cli.h"
#include "sim/jobs_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool window_length(const char *text, int64_t *ret)
{
    char *end;
    size_t n = strlen(text);
    int64_t v = n && *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;

    if (v >= 0 && (!*end || !strcmp(end, "d"))) {
        int64_t unit = *end ? 86400 : 1;
        if (v > JOBS_RUN_MAX_S / unit)
            return false;
        *ret = v * unit * NS_PER_S;
        return true;
    }
    return !duration_parse(text, n, ret, NULL) && *ret >= 0;
}

static int read_bound(const char *command, const char *option, const char *value, when_ns zero, when_ns *ret)
{
    int64_t length;

    if (!value || !when_parse(value, strlen(value), ret, NULL))
        return CLI_OK;
    if (!window_length(value, &length))
        return cli_bad_usage(command, "--%s: neither a length of time such as 49d nor a date: %s", option,
                             value);
    *ret = i64_add(zero, length);
    return CLI_OK;
}

/* When the trace begins. */
static int find_zero(const char *command, const char *trace, when_ns *ret)
{
    struct jobs_reader *jobs = NULL;
    struct err err = {0};
    struct job j;
    bool more = false;
    int rc = jobs_open(trace, &jobs, &err);

    *ret = 0;
    if (!rc && jobs_has_dates(jobs))
        rc = jobs_next(jobs, &j, &more, &err);
    if (!rc && more)
        *ret = j.submit;
    jobs_close(jobs);
    if (rc)
        (void)fprintf(stderr, "sluice %s: %s\n", command, err.text);
    return rc ? CLI_BAD_INPUT : CLI_OK;
}

int window_read(const char *command, const char *trace, const char *from, const char *to, struct window *ret)
{
    when_ns zero = 0;

    *ret = (struct window){INT64_MIN + 1, INT64_MAX};
    if (!from && !to)
        return CLI_OK;
    int status = find_zero(command, trace, &zero);
    if (!status)
        status = read_bound(command, "from", from, zero, &ret->from);
    if (!status)
        status = read_bound(command, "to", to, zero, &ret->to);
    if (!status && ret->from >= ret->to)
        status = cli_bad_usage(command, "--from is not before --to");
    return status;
}
