#include "cli/serving.h"

#include "base/mem.h"
#include "kube/http.h"
#include "run/meter_feed.h"
#include "serve/web.h"

#include <stdio.h>
#include <time.h>

#define GRACE_NS NS_PER_S
enum { BEAT_MS = 1000 };

struct serving {
    struct serving_config c;
    struct meter *meter; /* the controller's */
    struct web *health, *metrics;
    char live[64], ready[64]; /* paths */
    uv_prepare_t prepare;     /* the end of a turn */
    uv_timer_t beat;          /* how late the loop comes to it */
    uint64_t beat_at;
    int64_t cpu, wall; /* at the end of the last turn */
    int open;          /* parts that are not closed yet */
    bool stopping;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- pages ----------------------------------------------------------------------------------------------------------------- */

static int say(struct str *out, int status, const char *text)
{
    str_add(out, text);
    return status;
}

/* Whoever can answer lives. */
static int live(void *arg, struct str *out, const char **content_type)
{
    (void)arg;
    (void)content_type;
    return say(out, 200, "ok\n");
}

static int ready(void *arg, struct str *out, const char **content_type)
{
    const struct serving *s = arg;

    (void)content_type;
    if (s->stopping)
        return say(out, 503, "stopping\n");
    return controller_ready(s->c.controller) ? say(out, 200, "ok\n") : say(out, 503, "not ready\n");
}

static int metrics(void *arg, struct str *out, const char **content_type)
{
    const struct serving *s = arg;

    return s->stopping ? say(out, 503, "stopping\n") : meter_page(s->meter, out, content_type);
}

static struct web *listen_at(struct serving *s, const char *address, const struct web_page *pages, uint32_t n)
{
    struct web *w = NULL;
    struct err err;

    if (web_start(s->c.loop, address, pages, n, &w, &err))
        log_write(s->c.log, LOG_AT_WARNING, "", err.text, NULL, 0);
    return w;
}

static void listen_all(struct serving *s)
{
    const struct settings *set = s->c.settings;
    const struct web_page probes[] = {{s->live, live, s}, {s->ready, ready, s}};
    const struct web_page page = {"/metrics", metrics, s};

    (void)snprintf(s->live, sizeof(s->live), "/%s", set->liveness_name);
    (void)snprintf(s->ready, sizeof(s->ready), "/%s", set->readiness_name);
    s->health = listen_at(s, set->health_bind, probes, 2);
    s->metrics = listen_at(s, set->metrics.bind, &page, 1);
}

/* ---- turns ----------------------------------------------------------------------------------------------------------------- */

static int64_t thread_cpu(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Time that was not spent waiting. */
static int64_t awake(const struct serving *s)
{
    return (int64_t)(uv_hrtime() - uv_metrics_idle_time(s->c.loop));
}

static void on_prepare(uv_prepare_t *h)
{
    struct serving *s = h->data;
    int64_t cpu = thread_cpu(), wall = awake(s);

    if (!s->stopping)
        meter_turn(s->meter, cpu - s->cpu, wall - s->wall);
    s->cpu = cpu;
    s->wall = wall;
}

static void on_beat(uv_timer_t *t)
{
    struct serving *s = t->data;
    uint64_t now = uv_hrtime();

    if (!s->stopping)
        meter_lag(s->meter, (int64_t)(now - s->beat_at));
    s->beat_at = now + BEAT_MS * UINT64_C(1000000);
    (void)uv_timer_start(t, on_beat, BEAT_MS, 0);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static const struct http_stats *http_of(void *arg)
{
    const struct serving *s = arg;
    return http_stats(s->c.http);
}

static uint64_t dropped_of(void *arg)
{
    const struct serving *s = arg;
    return log_stats(s->c.log).dropped;
}

static int start_turns(struct serving *s, struct err *err)
{
    int rc = uv_loop_configure(s->c.loop, UV_METRICS_IDLE_TIME);

    if (rc)
        return err_set(err, ERR_IO, "the loop does not measure itself: %s", uv_strerror(rc));
    (void)uv_prepare_init(s->c.loop, &s->prepare);
    (void)uv_timer_init(s->c.loop, &s->beat);
    s->prepare.data = s->beat.data = s;
    s->cpu = thread_cpu();
    s->wall = awake(s);
    s->beat_at = uv_hrtime() + BEAT_MS * UINT64_C(1000000);
    (void)uv_prepare_start(&s->prepare, on_prepare);
    (void)uv_timer_start(&s->beat, on_beat, BEAT_MS, 0);
    return 0;
}

int serving_start(const struct serving_config *c, struct serving **ret, struct err *err)
{
    struct serving *s = mem_zalloc(1, sizeof(*s));
    const struct meter_feed_options feed = {SLUICE_VERSION, http_of, dropped_of, s};

    *ret = NULL;
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->c = *c;
    int rc = meter_feed_start(c->controller, &feed, &s->meter, err);
    if (!rc)
        rc = start_turns(s, err);
    if (rc) {
        mem_free(s);
        return rc;
    }
    listen_all(s);
    *ret = s;
    return 0;
}

static void part_closed(void *arg)
{
    struct serving *s = arg;

    if (--s->open)
        return;
    if (s->closed)
        s->closed(s->closed_arg);
    mem_free(s);
}

static void handle_closed(uv_handle_t *h)
{
    part_closed(h->data);
}

void serving_stop(struct serving *s, void (*closed)(void *arg), void *arg)
{
    if (!s) {
        if (closed)
            closed(arg);
        return;
    }
    s->stopping = true;
    s->closed = closed;
    s->closed_arg = arg;
    s->open = 4;
    uv_close((uv_handle_t *)&s->prepare, handle_closed);
    uv_close((uv_handle_t *)&s->beat, handle_closed);
    web_stop(s->health, GRACE_NS, part_closed, s);
    web_stop(s->metrics, GRACE_NS, part_closed, s);
}
