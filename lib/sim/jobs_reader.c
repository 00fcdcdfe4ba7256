#include "sim/jobs_priv.h"

#include "base/mem.h"

#include <string.h>

static const struct jobs_format *const formats[] = {&jobs_csv, &jobs_sacct, &jobs_workloads};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]), HEAD_BYTES = 4096, SHOWN = 60 };

static int unknown_format(const char *head, size_t n, struct err *err)
{
    const char *lf = n ? memchr(head, '\n', n) : NULL;
    int len = (int)(lf ? lf - head : (ptrdiff_t)n);

    if (!n)
        return err_set(err, ERR_INVALID, "the file is empty");
    return err_set(
        err, ERR_INVALID,
        "line 1: no format of traces begins with \"%.*s\": known are CSV with the columns job_id, submit_s, "
        "duration_s, gpus and tenant, the output of `sacct --parsable2`, and that of `kubectl get workloads "
        "-A -o json`",
        len < SHOWN ? len : SHOWN, head);
}

static int choose(struct jobs_reader *r, struct err *err)
{
    const char *head;
    size_t n;
    int rc = lines_peek(&r->lines, HEAD_BYTES, &head, &n, err);

    if (rc)
        return rc;
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i]->matches(head, n)) {
            r->format = formats[i];
            return r->format->open(r, err);
        }
    }
    return unknown_format(head, n, err);
}

int jobs_open_file(FILE *file, const char *name, struct jobs_reader **ret, struct err *err)
{
    struct jobs_reader *r = mem_zalloc(1, sizeof(*r));

    *ret = NULL;
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    lines_init(&r->lines, file);
    r->file = file;
    r->last = WHEN_NONE;
    r->name = mem_strdup(name);
    int rc = r->name ? choose(r, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        (void)err_prefix(err, "%s: ", name);
        jobs_close(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int jobs_open(const char *path, struct jobs_reader **ret, struct err *err)
{
    bool is_stdin = !strcmp(path, "-");
    FILE *f = is_stdin ? stdin : fopen(path, "rb");

    *ret = NULL;
    if (!f)
        return err_set(err, ERR_IO, "%s: cannot be opened: %m", path);
    int rc = jobs_open_file(f, is_stdin ? "standard input" : path, ret, err);
    if (rc && !is_stdin)
        (void)fclose(f);
    else if (!rc)
        (*ret)->owns_file = !is_stdin;
    return rc;
}

int jobs_next(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err)
{
    int rc = r->format->next(r, ret, ret_more, err);

    if (!rc && *ret_more && ret->submit < r->last)
        rc = err_set(err, ERR_INVALID,
                     "line %llu: job \"%s\" was submitted before the one above it: the trace has to be in "
                     "order of submission",
                     (unsigned long long)ret->line, ret->id);
    if (rc)
        (void)err_prefix(err, "%s: ", r->name);
    else if (*ret_more)
        r->last = ret->submit;
    return rc;
}

void jobs_close(struct jobs_reader *r)
{
    if (!r)
        return;
    if (r->format)
        r->format->close(r->state);
    lines_free(&r->lines);
    if (r->owns_file)
        (void)fclose(r->file);
    mem_free(r->name);
    mem_free(r);
}

const char *jobs_format(const struct jobs_reader *r)
{
    return r->format->name;
}

bool jobs_has_dates(const struct jobs_reader *r)
{
    return r->format->dates;
}

struct jobs_skipped jobs_skipped(const struct jobs_reader *r)
{
    return r->skipped;
}
