/* CSV with one header line: job_id, submit_s, duration_s, gpus, tenant, and if there gpu_type, priority, pods, cpus, user; in any order, other
 * columns are passed over. No quotes. Sorted by submit_s, so it is read line by line. */
#include "sim/jobs_priv.h"

#include "base/mem.h"

#include <string.h>

enum column { JOB_ID, SUBMIT, DURATION, GPUS, TENANT, GPU_TYPE, PRIORITY, PODS, CPUS, USER, COLUMNS };

enum { NEEDED = TENANT + 1, FIELDS_MAX = 64, NONE_HERE = -1 };

static const char *const names[COLUMNS] = {"job_id",   "submit_s", "duration_s", "gpus", "tenant",
                                           "gpu_type", "priority", "pods",       "cpus", "user"};

struct csv {
    int at[COLUMNS]; /* field of each column */
    uint32_t nfields;
};

static bool has_word(const char *line, size_t n, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= n; i++) {
        bool begins = i == 0 || line[i - 1] == ',';
        bool ends = i + len == n || line[i + len] == ',' || line[i + len] == '\r';
        if (begins && ends && !memcmp(line + i, word, len))
            return true;
    }
    return false;
}

/* Two of the columns: a file that lacks another one is told so. */
static bool csv_matches(const char *head, size_t n)
{
    const char *lf = n ? memchr(head, '\n', n) : NULL;
    size_t len = lf ? (size_t)(lf - head) : n;
    int found = 0;

    for (int i = 0; i < NEEDED; i++)
        found += has_word(head, len, names[i]);
    return found >= 2;
}

static int csv_open(struct jobs_reader *r, struct err *err)
{
    struct csv *c = mem_zalloc(1, sizeof(*c));
    char *line, *fields[FIELDS_MAX];

    r->state = c;
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = lines_next(&r->lines, &line, err);
    if (rc)
        return rc;
    c->nfields = jobs_split(line, ',', fields, FIELDS_MAX);
    if (c->nfields > FIELDS_MAX)
        return err_set(err, ERR_LIMIT, "line 1: more than %d columns", FIELDS_MAX);
    for (int k = 0; k < COLUMNS; k++) {
        c->at[k] = NONE_HERE;
        for (uint32_t i = 0; i < c->nfields; i++) {
            if (strcmp(fields[i], names[k]))
                continue;
            if (c->at[k] != NONE_HERE)
                return err_set(err, ERR_INVALID, "line 1: column \"%s\" is there twice", names[k]);
            c->at[k] = (int)i;
        }
        if (c->at[k] == NONE_HERE && k < NEEDED)
            return err_set(err, ERR_INVALID, "line 1: column \"%s\" is missing", names[k]);
    }
    return 0;
}

struct row {
    const struct csv *c;
    char **fields;
    uint64_t line;
};

static struct jobs_value value(const struct row *row, enum column k, const char *dflt)
{
    const char *text = row->c->at[k] == NONE_HERE ? "" : row->fields[row->c->at[k]];

    return (struct jobs_value){row->line, names[k], *text || !dflt ? text : dflt};
}

static int read_numbers(const struct row *row, struct job *ret, struct err *err)
{
    const struct jobs_value submit = value(row, SUBMIT, NULL), run = value(row, DURATION, NULL),
                            gpus = value(row, GPUS, NULL), pods = value(row, PODS, "1"),
                            cpus = value(row, CPUS, "0"), priority = value(row, PRIORITY, "0");
    int64_t npods = 1;
    int rc = jobs_number(&submit, 9, JOBS_RUN_MAX_S * NS_PER_S, &ret->submit, err);

    if (!rc)
        rc = jobs_number(&run, 9, JOBS_RUN_MAX_S * NS_PER_S, &ret->run_ns, err);
    if (!rc)
        rc = jobs_number(&gpus, 3, (int64_t)JOBS_GPUS_MAX * 1000, &ret->gpus_milli, err);
    if (!rc)
        rc = jobs_number(&pods, 0, JOBS_PODS_MAX, &npods, err);
    if (!rc)
        rc = jobs_number(&cpus, 3, (int64_t)JOBS_GPUS_MAX * 1000, &ret->cpus_milli, err);
    if (!rc)
        rc = jobs_priority(&priority, &ret->priority, err);
    if (!rc && !npods)
        rc = err_set(err, ERR_INVALID, "line %llu: pods is 0", (unsigned long long)row->line);
    if (!rc && !ret->run_ns)
        rc = err_set(err, ERR_INVALID, "line %llu: duration_s is 0", (unsigned long long)row->line);
    ret->pods = (int32_t)npods;
    return rc;
}

static int read_texts(const struct row *row, struct job *ret, struct err *err)
{
    static const enum column texts[] = {JOB_ID, TENANT, GPU_TYPE, USER};
    const char **const to[] = {&ret->id, &ret->tenant, &ret->gpu_type, &ret->user};

    for (int i = 0; i < 4; i++) {
        const struct jobs_value v = value(row, texts[i], NULL);
        int rc = jobs_text(&v, err);
        if (rc)
            return rc;
        *to[i] = v.text;
    }
    if (!*ret->id || !*ret->tenant)
        return err_set(err, ERR_INVALID, "line %llu: %s is empty", (unsigned long long)row->line,
                       *ret->id ? "tenant" : "job_id");
    return 0;
}

static int csv_next(struct jobs_reader *r, struct job *ret, bool *ret_more, struct err *err)
{
    const struct csv *c = r->state;
    char *line, *fields[FIELDS_MAX];
    int rc = lines_next(&r->lines, &line, err);

    *ret_more = false;
    if (rc || !line)
        return rc;
    uint32_t n = jobs_split(line, ',', fields, FIELDS_MAX);
    const struct row row = {c, fields, r->lines.number};
    if (n != c->nfields)
        return err_set(err, ERR_INVALID, "line %llu: %u columns where the first line has %u%s",
                       (unsigned long long)row.line, n, c->nfields,
                       n < c->nfields ? ": is the file cut short?" : "");
    *ret = (struct job){.line = row.line};
    rc = read_texts(&row, ret, err);
    if (!rc)
        rc = read_numbers(&row, ret, err);
    *ret_more = !rc;
    return rc;
}

static void csv_close(void *state)
{
    mem_free(state);
}

const struct jobs_format jobs_csv = {"csv", false, csv_matches, csv_open, csv_next, csv_close};
