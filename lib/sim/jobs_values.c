/* Fields of a line, and the jobs of a format that is not in order. */
#include "sim/jobs_priv.h"

#include "base/mem.h"
#include "base/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t jobs_split(char *line, char separator, char **ret, uint32_t cap)
{
    uint32_t n = 0;

    for (char *p = line;; n++) {
        char *end = strchr(p, separator);
        if (n < cap)
            ret[n] = p;
        if (!end)
            return n + 1;
        *end = 0;
        p = end + 1;
    }
}

static int bad(const struct jobs_value *v, int code, const char *why, struct err *err)
{
    return err_set(err, code, "line %llu: %s \"%.60s\" %s", (unsigned long long)v->line, v->column, v->text,
                   why);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int jobs_number(const struct jobs_value *v, int digits, int64_t max, int64_t *ret, struct err *err)
{
    const char *p = v->text;
    uint64_t n = 0;
    bool any = false, more = false;
    int left = digits;

    if (*p == '-')
        return bad(v, ERR_INVALID, "is negative", err);
    for (bool point = false; is_digit(*p) || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (point && left == 0) {
            more = more || *p != '0';
            continue;
        }
        if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
            return bad(v, ERR_RANGE, "is too large", err);
        left -= point;
    }
    if (!any || *p)
        return bad(v, ERR_INVALID, *v->text ? "is no number" : "is empty", err);
    for (; left > 0; left--)
        if (__builtin_mul_overflow(n, 10u, &n))
            return bad(v, ERR_RANGE, "is too large", err);
    n += more;
    if (n > (uint64_t)max)
        return bad(v, ERR_RANGE, "is too large", err);
    *ret = (int64_t)n;
    return 0;
}

int jobs_priority(const struct jobs_value *v, int32_t *ret, struct err *err)
{
    char *end;

    errno = 0;
    long n = strtol(v->text, &end, 10);
    if (end == v->text || *end)
        return bad(v, ERR_INVALID, *v->text ? "is no integer" : "is empty", err);
    if (errno || n < INT32_MIN || n > INT32_MAX)
        return bad(v, ERR_RANGE, "does not fit into 32 bits", err);
    *ret = (int32_t)n;
    return 0;
}

int jobs_text(const struct jobs_value *v, struct err *err)
{
    return strlen(v->text) <= JOBS_TEXT_MAX ? 0 : bad(v, ERR_LIMIT, "is too long", err);
}

/* ---- sorting ------------------------------------------------------------------------------------------------------------ */

struct kept {
    when_ns submit;
    int64_t run_ns, gpus_milli, cpus_milli;
    uint64_t line;
    uint32_t id, tenant, user, gpu_type;
    int32_t pods, priority;
    uint32_t order;
};

struct jobs_sorted {
    struct names *names;
    struct kept *at; /* owned */
    uint32_t n, cap, next;
};

struct jobs_sorted *jobs_sorted_new(void)
{
    struct jobs_sorted *s = mem_zalloc(1, sizeof(*s));

    if (s && !(s->names = names_new())) {
        mem_free(s);
        return NULL;
    }
    return s;
}

void jobs_sorted_free(struct jobs_sorted *s)
{
    if (!s)
        return;
    names_free(s->names);
    mem_free(s->at);
    mem_free(s);
}

int jobs_sorted_add(struct jobs_sorted *s, const struct job *j, struct err *err)
{
    struct kept k = {.submit = j->submit,
                     .run_ns = j->run_ns,
                     .gpus_milli = j->gpus_milli,
                     .cpus_milli = j->cpus_milli,
                     .line = j->line,
                     .pods = j->pods,
                     .priority = j->priority,
                     .order = s->n};

    if (names_id(s->names, j->id, &k.id) || names_id(s->names, j->tenant, &k.tenant) ||
        names_id(s->names, j->user, &k.user) || names_id(s->names, j->gpu_type, &k.gpu_type) ||
        mem_grow((void **)&s->at, &s->cap, s->n + 1, sizeof(*s->at)))
        return err_set(err, ERR_NOMEM, "out of memory for job %u", s->n + 1);
    s->at[s->n++] = k;
    return 0;
}

static int compare_kept(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    if (x->submit != y->submit)
        return x->submit < y->submit ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void jobs_sorted_sort(struct jobs_sorted *s)
{
    if (s->n)
        qsort(s->at, s->n, sizeof(*s->at), compare_kept);
}

bool jobs_sorted_next(struct jobs_sorted *s, struct job *ret)
{
    if (s->next == s->n)
        return false;
    const struct kept *k = &s->at[s->next++];
    *ret = (struct job){.id = names_text(s->names, k->id),
                        .tenant = names_text(s->names, k->tenant),
                        .user = names_text(s->names, k->user),
                        .gpu_type = names_text(s->names, k->gpu_type),
                        .submit = k->submit,
                        .run_ns = k->run_ns,
                        .gpus_milli = k->gpus_milli,
                        .cpus_milli = k->cpus_milli,
                        .pods = k->pods,
                        .priority = k->priority,
                        .line = k->line};
    return true;
}
