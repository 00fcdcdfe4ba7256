#include "jobs/reclaim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- indexes ------------------------------------------------------------------------------------------------------------ */

/* An interval of indexes; an empty one has last < first. */
struct interval {
    int64_t first, last;
};

static bool read_index(const char **p, int64_t *ret)
{
    char *end;
    *ret = 0;
    if (**p < '0' || **p > '9')
        return false;
    errno = 0;
    *ret = strtoll(*p, &end, 10);
    *p = end;
    return errno == 0;
}

/* The next interval of a text that can be read; false at its end. */
static bool next_interval(const char **text, struct interval *ret)
{
    while (**text) {
        const char *p = *text;
        bool ok = read_index(&p, &ret->first);
        ret->last = ret->first;
        if (ok && *p == '-') {
            p++;
            ok = read_index(&p, &ret->last);
        }
        ok = ok && (*p == ',' || !*p);
        *text += strcspn(*text, ",");
        *text += **text == ',';
        if (ok)
            return true;
    }
    return false;
}

int64_t reclaim_indexes(const char *a, const char *b, int64_t limit)
{
    struct interval x, y;
    bool more_x = next_interval(&a, &x), more_y = next_interval(&b, &y);
    int64_t n = 0, at = 0; /* what is below `at` has been looked at */
    while (more_x || more_y) {
        bool take_x = more_x && (!more_y || x.first <= y.first);
        const struct interval *i = take_x ? &x : &y;
        int64_t first = i->first > at ? i->first : at, last = i->last < limit ? i->last : limit - 1;
        if (first <= last) {
            n += last - first + 1;
            at = last + 1;
        }
        if (take_x)
            more_x = next_interval(&a, &x);
        else
            more_y = next_interval(&b, &y);
    }
    return n;
}

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

static int64_t field_or(const struct doc_node *n, const char *path, int64_t dflt)
{
    int64_t v;
    return doc_i64(doc_path(n, path), &v, NULL) == 0 ? v : dflt;
}

static int64_t terminal(const struct doc_node *job, int64_t completions)
{
    const struct doc_node *status = doc_field(job, "status");
    if (!doc_is_text(doc_path(job, "spec.completionMode"), "Indexed"))
        return doc_i64_or(status, "succeeded", 0);
    return reclaim_indexes(doc_str_or(status, "completedIndexes", ""),
                           doc_str_or(status, "failedIndexes", ""), completions);
}

/* With fewer completions left than pods at a time, not all pods will come back. */
int32_t reclaimable_batch(const struct doc_node *job, const struct doc_node *item, int32_t count)
{
    (void)item;
    int64_t parallelism = field_or(job, "spec.parallelism", 1);
    int64_t completions = field_or(job, "spec.completions", parallelism), done = terminal(job, completions);
    int64_t left = completions - done > 0 ? completions - done : 0;
    if (parallelism <= 1 || done <= 0 || left >= parallelism)
        return 0;
    int64_t free = parallelism - left;
    return free < count ? (int32_t)free : count;
}

/* A replica that succeeded gives back all of its pods. */
int32_t reclaimable_job_set(const struct doc_node *job, const struct doc_node *item, int32_t count)
{
    int64_t replicas = doc_i64_or(item, "replicas", 1);
    doc_foreach (s, doc_path(job, "status.replicatedJobsStatus")) {
        int64_t succeeded = doc_i64_or(s, "succeeded", 0);
        if (strcmp(doc_str_or(s, "name", ""), doc_str_or(item, "name", "")) != 0)
            continue;
        return succeeded > 0 && succeeded <= replicas ? (int32_t)(count / replicas * succeeded) : 0;
    }
    return 0;
}
