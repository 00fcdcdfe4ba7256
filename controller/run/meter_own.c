/* Our own metrics: the loop, watches, writes, requests, the process. */
#include "run/meter_priv.h"

#include "kube/http.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE(v, ...) metrics_sample(out, (const char *const[]){__VA_ARGS__}, (double)(v))

static double seconds(int64_t ns)
{
    return (double)ns / NS_PER_S;
}

static void plain(struct metrics_out *out, double v)
{
    metrics_sample(out, NULL, v);
}

void meter_collect_loop(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;

    switch (metrics_family(out)) {
    case M_LONGEST_TURN:
        SAMPLE(seconds(m->longest_cpu), "cpu");
        SAMPLE(seconds(m->longest_wall), "wall");
        break;
    case M_TURNS:
        plain(out, (double)m->turns);
        break;
    case M_CYCLES:
        plain(out, (double)m->cycles);
        break;
    }
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

static void tell_watch(const struct meter_watch *w, void *x)
{
    struct metrics_out *out = x;
    const struct watch_stats *s = w->stats;

    switch (metrics_family(out)) {
    case M_WATCH_AGE:
        SAMPLE(seconds(w->age_ns), w->resource);
        break;
    case M_WATCH_SYNCED:
        SAMPLE(w->synced, w->resource);
        break;
    case M_WATCH_OBJECTS:
        SAMPLE(s->objects, w->resource);
        break;
    case M_WATCH_BYTES:
        SAMPLE(s->bytes, w->resource);
        break;
    case M_WATCH_LISTS:
        SAMPLE(s->lists, w->resource);
        break;
    case M_WATCH_STREAMS:
        SAMPLE(s->streams, w->resource);
        break;
    case M_WATCH_GONE:
        SAMPLE(s->gone, w->resource);
        break;
    case M_WATCH_ERRORS:
        SAMPLE(s->errors, w->resource);
        break;
    }
}

void meter_collect_watches(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;

    if (m->source.watches)
        m->source.watches(m->source.arg, tell_watch, out);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void tell_queue(struct metrics_out *out, const struct writes_stats *s)
{
    static const char *const levels[WRITE_LEVELS] = {"urgent", "jobs", "status", "events"};

    for (uint32_t i = 0; i < WRITE_LEVELS; i++) {
        SAMPLE(s->waiting[i], levels[i], "waiting");
        SAMPLE(s->in_flight[i], levels[i], "in_flight");
    }
}

static void tell_ends(struct metrics_out *out, const struct writes_stats *s)
{
    static const char *const ends[WRITE_ENDS] = {
        [WRITE_OK] = "ok",
        [WRITE_NOTHING] = "nothing",
        [WRITE_REFUSED] = "refused",
        [WRITE_LOST] = "lost",
        [WRITE_GIVEN_UP] = "given_up",
        [WRITE_FENCED] = "fenced",
        [WRITE_REPLACED] = "replaced",
        [WRITE_FAILED] = "failed",
        [WRITE_DROPPED] = "dropped",
    };

    for (uint32_t i = 0; i < WRITE_ENDS; i++)
        SAMPLE(s->ends[i], ends[i]);
}

void meter_collect_writes(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const struct writes_stats *s = m->view.state.writes;

    if (!s)
        return;
    switch (metrics_family(out)) {
    case M_WRITE_QUEUE:
        tell_queue(out, s);
        break;
    case M_WRITE_WINDOW:
        plain(out, s->window);
        break;
    case M_WRITE_REQUESTS:
        plain(out, (double)s->sent);
        break;
    case M_WRITE_RETRIES:
        plain(out, (double)s->retries);
        break;
    case M_WRITE_ENDS:
        tell_ends(out, s);
        break;
    case M_WRITE_THROTTLED:
        plain(out, (double)s->throttled);
        break;
    }
}

/* ---- requests -------------------------------------------------------------------------------------------------------------- */

static const char *const verbs[KUBE_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

static void tell_requests(struct metrics_out *out, const struct http_stats *s)
{
    for (uint32_t i = 0; i < KUBE_VERBS; i++)
        SAMPLE(s->requests[i], verbs[i]);
    SAMPLE(s->watches, "WATCH");
}

static void tell_replies(struct metrics_out *out, const struct http_stats *s)
{
    static const char *const classes[HTTP_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

    for (uint32_t i = 0; i < KUBE_VERBS; i++)
        for (uint32_t k = 0; k < HTTP_CLASSES; k++)
            if (s->replies[i][k])
                SAMPLE(s->replies[i][k], verbs[i], classes[k]);
}

void meter_collect_http(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const struct http_stats *s = m->view.state.http;

    if (!s)
        return;
    switch (metrics_family(out)) {
    case M_HTTP_REQUESTS:
        tell_requests(out, s);
        break;
    case M_HTTP_REPLIES:
        tell_replies(out, s);
        break;
    case M_HTTP_RUNNING:
        plain(out, s->running);
        break;
    case M_HTTP_THROTTLED:
        plain(out, (double)s->throttled);
        break;
    case M_HTTP_TIMEOUTS:
        plain(out, (double)s->timeouts);
        break;
    case M_HTTP_BYTES:
        SAMPLE(s->bytes_sent, "sent");
        SAMPLE(s->bytes_received, "received");
        break;
    case M_HTTP_CONNECTIONS:
        plain(out, s->open);
        break;
    case M_HTTP_OPENED:
        plain(out, (double)s->connections);
        break;
    case M_HTTP_SHUT:
        plain(out, (double)s->shut);
        break;
    }
}

/* ---- the controller -------------------------------------------------------------------------------------------------------- */

static void tell_written(struct metrics_out *out, const struct meter_state *s)
{
    SAMPLE(s->status_writes, "workload_status");
    SAMPLE(s->workload_writes, "workload");
    SAMPLE(s->queue_writes, "queue_status");
    SAMPLE(s->job_writes, "job");
}

static void tell_facts(struct metrics_out *out, const struct meter_state *s)
{
    SAMPLE(s->facts_stale, "stale");
    SAMPLE(s->facts_held, "held");
    SAMPLE(s->facts_malformed, "malformed");
}

static void tell_series(struct metrics_out *out, const struct metrics_stats *s)
{
    SAMPLE(s->dropped_limit, "limit");
    SAMPLE(s->dropped_memory, "memory");
}

static void tell_events(struct metrics_out *out, const struct meter_state *s)
{
    SAMPLE(s->events_emitted, "told");
    SAMPLE(s->events_dropped, "dropped");
}

static void tell_objects(struct metrics_out *out, const struct meter_state *s)
{
    SAMPLE(s->workloads, "Workload");
    SAMPLE(s->jobs, "job");
}

/* Families without labels. */
static double state_number(const struct meter *m, uint32_t family)
{
    const struct meter_state *s = &m->view.state;

    switch (family) {
    case M_LEDGER_BATCH:
        return s->ledger_batch;
    case M_LEDGER_ROWS:
        return (double)s->ledger_rows;
    case M_LEDGER_BATCHES:
        return (double)s->ledger_batches;
    case M_LOG_DROPPED:
        return (double)s->log_dropped;
    case M_SERIES:
        return metrics_stats(m->metrics).series;
    case M_READY:
        return s->ready;
    default:
        return s->leads;
    }
}

void meter_collect_state(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const struct meter_state *s = &m->view.state;
    struct metrics_stats own = metrics_stats(m->metrics);

    switch (metrics_family(out)) {
    case M_WRITTEN:
        tell_written(out, s);
        break;
    case M_OBJECTS:
        tell_objects(out, s);
        break;
    case M_FACTS:
        tell_facts(out, s);
        break;
    case M_EVENTS:
        tell_events(out, s);
        break;
    case M_SERIES_DROPPED:
        tell_series(out, &own);
        break;
    default:
        plain(out, state_number(m, metrics_family(out)));
    }
}

/* ---- the process ----------------------------------------------------------------------------------------------------------- */

/* The beginning of a small file of /proc; false if there is none. */
static bool read_file(const char *path, char *buf, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t n = read(fd, buf, cap - 1);
    (void)close(fd);
    buf[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Field `number` of /proc/self/stat (proc(5)); the second is in brackets and may hold anything. 0 when it is not there. */
static unsigned long long stat_field(const char *stat, int number)
{
    const char *p = strrchr(stat, ')');

    for (int i = 2; p && i < number; i++) {
        p = strchr(p + 1, ' ');
        if (p && i + 1 == number)
            return strtoull(p + 1, NULL, 10);
    }
    return 0;
}

/* Once, for the two clocks are not read at the same time. */
double meter_start_time(void)
{
    struct timespec real, boot;
    char stat[1024];

    if (!read_file("/proc/self/stat", stat, sizeof(stat)) || clock_gettime(CLOCK_REALTIME, &real) ||
        clock_gettime(CLOCK_BOOTTIME, &boot))
        return 0;
    return (double)(real.tv_sec - boot.tv_sec) + (double)(real.tv_nsec - boot.tv_nsec) / 1e9 +
           (double)stat_field(stat, 22) / (double)sysconf(_SC_CLK_TCK);
}

static double open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    if (!d)
        return 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the one that reads them */
}

static double max_fds(void)
{
    struct rlimit r = {0};

    (void)getrlimit(RLIMIT_NOFILE, &r);
    return (double)r.rlim_cur;
}

static void tell_kueue_build(const struct meter *m, struct metrics_out *out)
{
#if defined(__x86_64__)
    static const char platform[] = "linux/amd64";
#elif defined(__aarch64__)
    static const char platform[] = "linux/arm64";
#else
    static const char platform[] = "linux";
#endif
    SAMPLE(1, m->cfg.version, "", "", "", __VERSION__, platform);
}

void meter_collect_process(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    char stat[1024];

    if (m->cfg.no_process || !read_file("/proc/self/stat", stat, sizeof(stat)))
        return;
    switch (metrics_family(out)) {
    case M_BUILD:
        SAMPLE(1, m->cfg.version, __VERSION__);
        break;
    case M_KUEUE_BUILD:
        tell_kueue_build(m, out);
        break;
    case M_CPU:
        plain(out, (double)(stat_field(stat, 14) + stat_field(stat, 15)) / (double)sysconf(_SC_CLK_TCK));
        break;
    case M_RESIDENT:
        plain(out, (double)stat_field(stat, 24) * (double)sysconf(_SC_PAGESIZE));
        break;
    case M_VIRTUAL:
        plain(out, (double)stat_field(stat, 23));
        break;
    case M_FDS:
        plain(out, open_fds());
        break;
    case M_FDS_MAX:
        plain(out, max_fds());
        break;
    case M_START:
        plain(out, m->start);
        break;
    }
}
