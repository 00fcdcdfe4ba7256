/* Slurm's accounts: `sacct --allusers --allocations --parsable2 --format=JobID,Account,User,Submit,ElapsedRaw,ReqTRES,AllocTRES,NNodes,Priority`.
 * Columns in any order, others are passed over. Times are taken as UTC. Job steps are left out, as are jobs that never ran and those that still
 * run. */
#include "sim/jobs_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum column {
    JOB_ID,
    SUBMIT,
    ACCOUNT,
    ELAPSED_RAW,
    ELAPSED,
    ALLOC_TRES,
    REQ_TRES,
    NNODES,
    NTASKS,
    USER,
    PRIORITY,
    STATE,
    COLUMNS
};

enum { NEEDED = ACCOUNT + 1, FIELDS_MAX = 256, NONE_HERE = -1 };

static const char *const names[COLUMNS] = {"JobID",   "Submit",    "Account",  "ElapsedRaw",
                                           "Elapsed", "AllocTRES", "ReqTRES",  "NNodes",
                                           "NTasks",  "User",      "Priority", "State"};

struct sacct {
    int at[COLUMNS];
    uint32_t nfields;
    struct jobs_sorted *jobs;
};

struct row {
    const struct sacct *s;
    char **fields;
    uint64_t line;
};

static bool has(const char *line, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++)
        if (!memcmp(line + i, word, len))
            return true;
    return false;
}

/* "JobID|", or another column and JobID later in the first line. */
static bool sacct_matches(const char *head, size_t n)
{
    const char *lf = n ? memchr(head, '\n', n) : NULL;
    size_t len = lf ? (size_t)(lf - head) : n;

    return has(head, len, "|") && (has(head, len, "JobID") || has(head, len, "Submit"));
}

static int read_header(struct jobs_reader *r, struct sacct *s, struct err *err)
{
    char *line, *fields[FIELDS_MAX];
    int rc = lines_next(&r->lines, &line, err);

    if (rc)
        return rc;
    s->nfields = jobs_split(line, '|', fields, FIELDS_MAX);
    if (s->nfields > FIELDS_MAX)
        return err_set(err, ERR_LIMIT, "line 1: more than %d columns", FIELDS_MAX);
    for (int k = 0; k < COLUMNS; k++) {
        s->at[k] = NONE_HERE;
        for (uint32_t i = 0; i < s->nfields; i++)
            if (!strcmp(fields[i], names[k]))
                s->at[k] = (int)i;
        if (s->at[k] == NONE_HERE && k < NEEDED)
            return err_set(err, ERR_INVALID, "line 1: column \"%s\" is missing", names[k]);
    }
    if (s->at[ELAPSED] == NONE_HERE && s->at[ELAPSED_RAW] == NONE_HERE)
        return err_set(err, ERR_INVALID, "line 1: column \"ElapsedRaw\" (or \"Elapsed\") is missing");
    if (s->at[ALLOC_TRES] == NONE_HERE && s->at[REQ_TRES] == NONE_HERE)
        return err_set(err, ERR_INVALID, "line 1: column \"AllocTRES\" (or \"ReqTRES\") is missing");
    return 0;
}

static struct jobs_value value(const struct row *row, enum column k)
{
    return (struct jobs_value){row->line, names[k],
                               row->s->at[k] == NONE_HERE ? "" : row->fields[row->s->at[k]]};
}

/* "[D-]HH:MM:SS", "MM:SS"; fractions are left out. */
static int read_elapsed(const struct jobs_value *v, int64_t *ret_s, struct err *err)
{
    int64_t total = 0, part = 0;
    bool any = false;

    for (const char *p = v->text; *p && *p != '.'; p++) {
        if (*p >= '0' && *p <= '9' && part < JOBS_RUN_MAX_S) {
            part = part * 10 + (*p - '0');
            any = true;
        } else if ((*p == '-' || *p == ':') && any && total <= JOBS_RUN_MAX_S) {
            total = (total + part) * (*p == '-' ? 24 : 60);
            part = 0;
            any = false;
        } else {
            return err_set(err, ERR_INVALID, "line %llu: %s \"%.60s\" is no run time",
                           (unsigned long long)v->line, v->column, v->text);
        }
    }
    total += part;
    if (!any || total > JOBS_RUN_MAX_S)
        return err_set(err, ERR_INVALID, "line %llu: %s \"%.60s\" is no run time",
                       (unsigned long long)v->line, v->column, v->text);
    *ret_s = total;
    return 0;
}

static int read_run(const struct row *row, struct job *j, struct err *err)
{
    const struct jobs_value raw = value(row, ELAPSED_RAW), text = value(row, ELAPSED);
    int64_t s = 0;
    int rc = *raw.text ? jobs_number(&raw, 0, JOBS_RUN_MAX_S, &s, err) : read_elapsed(&text, &s, err);

    j->run_ns = s * NS_PER_S;
    return rc;
}

static int read_submit(const struct row *row, struct job *j, struct err *err)
{
    const struct jobs_value v = value(row, SUBMIT);
    char text[64];
    size_t n = strlen(v.text);
    bool fits = n > 10 && n + 2 < sizeof(text);

    if (fits) {
        bool zone = v.text[n - 1] == 'Z' || strchr(v.text + 10, '+');
        memcpy(text, v.text, n);
        text[n] = zone ? 0 : 'Z';
        text[n + 1] = 0;
    }
    if (!fits || when_parse(text, strlen(text), &j->submit, NULL))
        return err_set(err, ERR_INVALID, "line %llu: Submit \"%.60s\" is no time such as 2026-01-31T09:00:00",
                       (unsigned long long)v.line, v.text);
    return 0;
}

/* "billing=8,cpu=8,gres/gpu=4,gres/gpu:a100=4,mem=64G,node=2": in place, the type is kept as text. */
static int read_tres(const struct jobs_value *v, struct job *j, int64_t *ret_nodes, struct err *err)
{
    int64_t total = -1, typed = 0, n;
    char *p = (char *)(uintptr_t)v->text, *end;

    for (; *p; p = end) {
        char *equals = strchr(p, '='), *comma = strchr(p, ',');
        end = comma ? comma + 1 : p + strlen(p);
        if (comma)
            *comma = 0;
        if (!equals || equals > end)
            continue;
        *equals = 0;
        const struct jobs_value part = {v->line, p, equals + 1};
        bool gpu = !strcmp(p, "gres/gpu"), of_type = !strncmp(p, "gres/gpu:", 9);
        if (!gpu && !of_type && strcmp(p, "cpu") && strcmp(p, "node"))
            continue;
        int rc = jobs_number(&part, 0, JOBS_GPUS_MAX, &n, err);
        if (rc)
            return rc;
        if (gpu)
            total = n;
        else if (of_type)
            typed += n;
        else
            *(*p == 'c' ? &j->cpus_milli : ret_nodes) = *p == 'c' ? n * 1000 : n;
        if (of_type)
            j->gpu_type = p + 9;
    }
    j->gpus_milli = (total >= 0 ? total : typed) * 1000;
    return 0;
}

static int read_size(const struct row *row, struct job *j, struct err *err)
{
    const struct jobs_value alloc = value(row, ALLOC_TRES), req = value(row, REQ_TRES),
                            nnodes = value(row, NNODES), priority = value(row, PRIORITY);
    int64_t nodes = 1;
    int rc = read_tres(*alloc.text ? &alloc : &req, j, &nodes, err);

    if (!rc && *nnodes.text)
        rc = jobs_number(&nnodes, 0, JOBS_PODS_MAX, &nodes, err);
    if (!rc && *priority.text)
        rc = jobs_priority(&priority, &j->priority, err);
    if (nodes > JOBS_PODS_MAX)
        nodes = JOBS_PODS_MAX;
    j->pods = nodes > 0 ? (int32_t)nodes : 1;
    return rc;
}

static int read_row(struct jobs_reader *r, const struct row *row, struct err *err)
{
    const struct jobs_value id = value(row, JOB_ID), account = value(row, ACCOUNT), user = value(row, USER),
                            state = value(row, STATE);
    struct job j = {
        .id = id.text, .tenant = account.text, .user = user.text, .gpu_type = "", .line = row->line};

    if (strchr(id.text, '.') || !*account.text) {
        r->skipped.steps++;
        return 0;
    }
    int rc = jobs_text(&id, err);
    if (!rc)
        rc = jobs_text(&account, err);
    if (!rc)
        rc = jobs_text(&user, err);
    if (!rc)
        rc = read_submit(row, &j, err);
    if (!rc)
        rc = read_run(row, &j, err);
    if (rc)
        return rc;
    if (!strcmp(state.text, "RUNNING") || !strcmp(state.text, "SUSPENDED")) {
        r->skipped.unfinished++;
        return 0;
    }
    if (!j.run_ns) {
        r->skipped.never_ran++;
        return 0;
    }
    rc = read_size(row, &j, err);
    return rc ? rc : jobs_sorted_add(row->s->jobs, &j, err);
}

static int sacct_open(struct jobs_reader *r, struct err *err)
{
    struct sacct *s = mem_zalloc(1, sizeof(*s));
    char *line, *fields[FIELDS_MAX];

    r->state = s;
    if (!s || !(s->jobs = jobs_sorted_new()))
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = read_header(r, s, err);
    while (!rc && !(rc = lines_next(&r->lines, &line, err)) && line) {
        uint32_t n = jobs_split(line, '|', fields, FIELDS_MAX);
        const struct row row = {s, fields, r->lines.number};
        if (n != s->nfields)
            rc = err_set(err, ERR_INVALID, "line %llu: %u columns where the first line has %u%s",
                         (unsigned long long)row.line, n, s->nfields,
                         n < s->nfields ? ": is the file cut short?" : "");
        else
            rc = read_row(r, &row, err);
    }
    jobs_sorted_sort(s->jobs);
    return rc;
}

static int sacct_next(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err)
{
    (void)err;
    *ret_more = jobs_sorted_next(((struct sacct *)r->state)->jobs, ret);
    return 0;
}

static void sacct_close(void *state)
{
    struct sacct *s = state;

    if (s)
        jobs_sorted_free(s->jobs);
    mem_free(s);
}

const struct jobs_format jobs_sacct = {"sacct", true, sacct_matches, sacct_open, sacct_next, sacct_close};
