/* The order of a turn. It is written here and nowhere else:
 *
 *   1. drain the watches     what came was read into facts as it came (kinds.c); timers that are due run, among them those of the watches
 *   2. apply facts           Workloads that something happened to: lifecycle looks at them (records.c); jobs: reconcile does (jobs.c)
 *   3. decide                at most one cycle of the engine (decide.c)
 *   4. tell the sink         decisions were handed to it as they were made (publish_decision)
 *   5. release the writes    whose decision is committed (publish_release), and send what may be sent
 *
 * A turn is bounded: LOOKS_A_TURN Workloads and jobs, one cycle. What is left makes the next turn come at once. */
#include "run/run_priv.h"

#include <stdarg.h>
#include <stdio.h>

when_ns run_now(const struct controller *c)
{
    return kube_wall(&c->seams.clock);
}

void run_log(struct controller *c, int level, const char *object, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!c->cfg.log)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->cfg.log(c->cfg.log_arg, level, object, text);
}

bool run_busy(const struct controller *c)
{
    return writes_pending(c->writes) >= 16; /* as many as go out at once */
}

void run_changed(struct controller *c)
{
    c->fresh = c->cycle_due = true;
}

/* Deadlines are times of day; timers count what passes. When the clock was set, they are counted anew. */
static void follow_clock(struct controller *c)
{
    int64_t offset = run_now(c) - kube_mono(&c->seams.clock), by = offset - c->wall_offset;

    if (by > -NS_PER_S && by < NS_PER_S)
        return;
    c->wall_offset = offset;
    records_rearm(c);
    run_changed(c);
}

bool controller_turn(struct controller *c)
{
    bool more;

    c->stats.turns++;
    follow_clock(c);
    (void)timers_run(&c->timers);
    if (c->lost || c->drained)
        return false;
    if (!c->complete)
        kinds_check(c);
    records_look(c);
    jobs_look(c);
    more = decide(c);
    publish_release(c);
    writes_run(c->writes);
    bool jobs_wait = c->dirty_jobs && jobs_may_look(c);
    return more || c->dirty || jobs_wait || timers_next(&c->timers) <= kube_mono(&c->seams.clock);
}

int64_t controller_next(const struct controller *c)
{
    return timers_next(&c->timers);
}
