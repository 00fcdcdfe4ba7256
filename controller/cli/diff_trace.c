/* What two runs of a trace say about each queue. */
#include "cli/diff.h"

#include <string.h>

const struct diff_measure diff_measures[DIFF_MEASURES] = {
    {"jobs", "JOBS", false},
    {"waitMeanSeconds", "WAIT MEAN", true},
    {"waitP50Seconds", "P50", true},
    {"waitP95Seconds", "P95", true},
    {"neverStarted", "NEVER STARTED", false},
    {"usedGpuHours", "USED GPUh", false},
    {"borrowedGpuHours", "BORROWED", false},
    {"lentGpuHours", "LENT", false},
    {"lostGpuHours", "LOST", false},
};

static double hours(wide sum, int64_t units)
{
    return (double)sum / (double)units / 3600e9;
}

static void take(const struct replay_group *g, int64_t units, double *to)
{
    const double v[DIFF_MEASURES] = {(double)g->jobs,
                                     (double)tally_mean(&g->wait) / 1e9,
                                     (double)tally_percentile(&g->wait, 50) / 1e9,
                                     (double)tally_percentile(&g->wait, 95) / 1e9,
                                     (double)(g->jobs - g->started),
                                     hours(g->used, units),
                                     hours(g->borrowed, units),
                                     hours(g->lent, units),
                                     hours(g->lost, units)};

    memcpy(to, v, sizeof(v));
}

static void fill(struct diff_row *row, const char *name, const struct replay_group *was,
                 const struct replay_group *is, int64_t units)
{
    *row = (struct diff_row){.name = name};
    if (was)
        take(was, units, row->before);
    if (is)
        take(is, units, row->after);
    row->differs = !was || !is || was->wait.sum_ns != is->wait.sum_ns ||
                   was->late.sum_ns != is->late.sum_ns || was->evictions != is->evictions;
    for (int k = 0; k < DIFF_MEASURES; k++)
        row->differs = row->differs || row->before[k] != row->after[k];
}

uint32_t diff_rows(const struct diff_trace *t, uint32_t i, struct diff_row *row)
{
    const struct replay_result *was = t->before, *is = t->after;
    uint32_t a = 0, b = 0, n = 1;

    if (row && i == 0)
        fill(row, "all queues", &was->total, &is->total, t->units);
    for (; a < was->nqueues || b < is->nqueues; n++) {
        const struct replay_group *x = a < was->nqueues ? &was->queues[a] : NULL,
                                  *y = b < is->nqueues ? &is->queues[b] : NULL;
        int c = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);
        if (row && n == i)
            fill(row, c <= 0 ? x->name : y->name, c <= 0 ? x : NULL, c >= 0 ? y : NULL, t->units);
        a += c <= 0;
        b += c >= 0;
    }
    return n;
}

bool diff_trace_differs(const struct diff_trace *t)
{
    struct diff_row row;
    uint32_t n;

    if (!t)
        return false;
    if (t->loop_before || t->loop_after)
        return !t->loop_before || !t->loop_after;
    n = diff_rows(t, 0, NULL);
    for (uint32_t i = 0; i < n; i++) {
        (void)diff_rows(t, i, &row);
        if (row.differs)
            return true;
    }
    return false;
}

bool diff_trace_new_loop(const struct diff_trace *t)
{
    return t && t->loop_after && !t->loop_before;
}
