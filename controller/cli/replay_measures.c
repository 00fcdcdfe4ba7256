/* What is measured of a replay, and its values in words. */
#include "cli/replay.h"

double replay_hours(wide sum, const struct replay_print *p)
{
    return (double)sum / (double)p->units / 3600e9;
}

int64_t replay_span(const struct replay_print *p, const struct replay_result *r)
{
    return window_part(p->options->window, r->began, r->ended_at);
}

#define MEASURE(name, expression)                                                                            \
    static double name(const struct replay_group *g, const struct replay_print *p,                           \
                       const struct replay_result *r)                                                        \
    {                                                                                                        \
        (void)p;                                                                                             \
        (void)r;                                                                                             \
        return (double)(expression);                                                                         \
    }

MEASURE(of_quota, (double)g->nominal / (double)p->units)
MEASURE(of_jobs, g->jobs)
MEASURE(of_use, g->nominal &&replay_span(p, r)
                    ? 100.0 * (double)g->used / ((double)g->nominal * (double)replay_span(p, r))
                    : 0)
MEASURE(of_hours, replay_hours(g->used, p))
MEASURE(of_idle, replay_hours(g->idle_waiting, p))
MEASURE(of_mean, tally_mean(&g->wait))
MEASURE(of_p50, tally_percentile(&g->wait, 50))
MEASURE(of_p95, tally_percentile(&g->wait, 95))
MEASURE(of_p99, tally_percentile(&g->wait, 99))
MEASURE(of_minute, g->started ? 100.0 * (double)g->over_minute / (double)g->started : 0)
MEASURE(of_late, tally_mean(&g->late))
MEASURE(of_never, g->jobs - g->started)
MEASURE(of_makespan, g->last_finish == WHEN_NONE ? 0 : g->last_finish - g->first_submit)
MEASURE(of_borrowed, replay_hours(g->borrowed, p))
MEASURE(of_lent, replay_hours(g->lent, p))
MEASURE(of_overdraft, replay_hours(g->overdraft, p))
MEASURE(of_reclaims, g->reclaim.n)
MEASURE(of_reclaim, tally_mean(&g->reclaim))
MEASURE(of_reclaim_95, tally_percentile(&g->reclaim, 95))
MEASURE(of_evictions, g->evictions)
MEASURE(of_share_error, replay_hours(g->share_error, p))
MEASURE(of_timeouts, g->timeouts)
MEASURE(of_lost, replay_hours(g->lost, p))

const struct replay_measure replay_measures[REPLAY_MEASURES] = {
    {"quotaGpus", "quota", FORM_COUNT, 0, of_quota},
    {"jobs", "jobs", FORM_COUNT, 0, of_jobs},
    {"utilisationPercent", "utilisation", FORM_PERCENT, 1, of_use},
    {"usedGpuHours", "GPU-hours used", FORM_HOURS, 1, of_hours},
    {"idleWhileWaitingGpuHours", "GPU-hours idle while jobs wait", FORM_HOURS, -1, of_idle},
    {"waitMean", "wait, mean", FORM_TIME, -1, of_mean},
    {"waitP50", "wait, p50", FORM_TIME, -1, of_p50},
    {"waitP95", "wait, p95", FORM_TIME, -1, of_p95},
    {"waitP99", "wait, p99", FORM_TIME, -1, of_p99},
    {"waitOverMinutePercent", "waited over a minute", FORM_PERCENT, -1, of_minute},
    {"lateMean", "done later than without waits, mean", FORM_TIME, -1, of_late},
    {"neverStarted", "never started", FORM_COUNT, -1, of_never},
    {"makespan", "makespan", FORM_TIME, -1, of_makespan},
    {"borrowedGpuHours", "GPU-hours borrowed", FORM_HOURS, 0, of_borrowed},
    {"lentGpuHours", "GPU-hours lent", FORM_HOURS, 0, of_lent},
    {"overdraftGpuHours", "GPU-hours owed to nobody", FORM_HOURS, 0, of_overdraft},
    {"shareErrorGpuHours", "GPU-hours away from the fair shares", FORM_HOURS, -1, of_share_error},
    {"reclaims", "jobs that waited for their own quota", FORM_COUNT, -1, of_reclaims},
    {"reclaimMean", "reclaim delay, mean", FORM_TIME, -1, of_reclaim},
    {"reclaimP95", "reclaim delay, p95", FORM_TIME, -1, of_reclaim_95},
    {"evictions", "preemptions", FORM_COUNT, -1, of_evictions},
    {"podsReadyTimeouts", "starts given up", FORM_COUNT, -1, of_timeouts},
    {"lostGpuHours", "GPU-hours lost to evictions", FORM_HOURS, -1, of_lost},
};

/* ---- values in words ---------------------------------------------------------------------------------------------------- */

static void put_time(struct str *out, double ns)
{
    double s = ns / 1e9;

    if (s < 120)
        str_addf(out, s < 10 && s > 0 ? "%.1fs" : "%.0fs", s);
    else if (s < 7200)
        str_addf(out, "%.1fm", s / 60);
    else if (s < 172800)
        str_addf(out, "%.1fh", s / 3600);
    else
        str_addf(out, "%.1fd", s / 86400);
}

void replay_put_value(struct str *out, enum replay_form form, double v)
{
    switch (form) {
    case FORM_PERCENT:
        str_addf(out, "%.1f%%", v);
        break;
    case FORM_COUNT:
        str_addf(out, "%.*f", v == (double)(int64_t)v ? 0 : 2, v);
        break;
    case FORM_TIME:
        put_time(out, v);
        break;
    case FORM_HOURS:
        str_addf(out, v < 100 && v > 0 ? "%.1f" : "%.0f", v);
        break;
    }
}

bool replay_is_best(const struct replay_measure *m, const double *v, uint32_t n, uint32_t i)
{
    bool differ = false;

    for (uint32_t k = 0; k < n; k++) {
        if (m->better > 0 ? v[k] > v[i] : v[k] < v[i])
            return false;
        differ = differ || v[k] != v[i];
    }
    return differ && m->better;
}
