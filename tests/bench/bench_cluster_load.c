/* load: the benchmark. Creates Workloads at their pace, ends those that are admitted when their run length has passed, gives back the quota of
 * the evicted, until all are finished. */
#include "base/mem.h"
#include "bench_cluster.h"
#include "bench_cluster_wl.h"

#include <inttypes.h>
#include <string.h>

#define RELEASE_NS (10 * NS_PER_MS) /* how long an evicted one takes to stop */
#define AGAIN_NS (100 * NS_PER_MS)
#define LOOK_NS (60 * NS_PER_S)
enum { WRITES_MAX = 64 }; /* finishes and releases in flight */

struct load;

struct workload {
    struct load *l;
    struct workload *next_ready;
    struct timer timer; /* when its run, or its stop, is over */
    uint32_t index;
    uint8_t class, queue;
    bool due, in_flight, ready, finished, created;
    unsigned is;
    uint64_t version, sent_version;
    struct str conditions;           /* empty while nothing is to be written */
    int64_t created_at, admitted_at; /* 0 = not yet */
    unsigned due_for;                /* the state that the timer is for */
};

struct stream { /* of one class in one queue */
    struct load *l;
    struct timer timer;
    uint32_t class, queue, next, count; /* next: index of its next Workload */
    int64_t due;
};

struct load {
    struct drive d;
    struct client c;
    struct watch *watch;
    struct workload *w;
    struct stream *streams;
    uint32_t n, nstreams, nfinished, ncreated, in_flight;
    struct workload *ready, **ready_end;
    struct str path, body;
    int64_t begin, created_end, end;
    uint64_t events, evictions, admissions;
    uint32_t pending, pending_max;
    struct timer look; /* whether it goes on */
    uint32_t finished_before;
};

/* ---- creating -------------------------------------------------------------------------------------------------------------- */

static void create_next(void *arg);

static void on_created(void *arg, int status, const char *body)
{
    struct stream *s = arg;
    struct load *l = s->l;
    int64_t now = drive_now(&l->d);

    (void)body;
    if ((status < 200 || status >= 300) && status != 409) {
        timer_start(&l->d.timers, &s->timer, AGAIN_NS);
        return;
    }
    l->created_end = now;
    l->ncreated++;
    s->next++;
    s->due += wl_classes[s->class].every_ns;
    if (s->due < now)
        s->due = now;
    if (--s->count)
        timer_start(&l->d.timers, &s->timer, s->due - now);
}

static void create_next(void *arg)
{
    struct stream *s = arg;
    struct load *l = s->l;
    struct workload *w = &l->w[s->next];

    if (!w->created) {
        w->created = true;
        w->created_at = drive_now(&l->d);
        if (++l->pending > l->pending_max)
            l->pending_max = l->pending;
    }
    str_clear(&l->body);
    wl_body(&l->body, s->next, &wl_classes[s->class], s->queue);
    const struct client_request q = {
        .op = OP_CREATE,
        .verb = KUBE_POST,
        .path = BENCH_WORKLOADS "?fieldManager=bench",
        .content_type = KUBE_JSON,
        .body = str_text(&l->body),
        .len = l->body.len,
    };
    client_send(&l->c, &q, on_created, s);
}

/* ---- writing --------------------------------------------------------------------------------------------------------------- */

static void act(struct workload *w);

static bool is_evicted(const struct workload *w)
{
    return (w->is & WL_EVICTED) && (w->is & WL_RESERVED);
}

static bool is_running(const struct workload *w)
{
    return (w->is & WL_ADMITTED) && !(w->is & WL_EVICTED);
}

static void set_finished(struct workload *w)
{
    struct load *l = w->l;

    if (w->finished)
        return;
    w->finished = true;
    timer_stop(&l->d.timers, &w->timer);
    str_free(&w->conditions);
    l->end = drive_now(&l->d);
    if (++l->nfinished == l->n)
        l->d.over = true;
}

static void send_ready(struct load *l)
{
    while (l->ready && l->in_flight < WRITES_MAX) {
        struct workload *w = l->ready;
        l->ready = w->next_ready;
        if (!l->ready)
            l->ready_end = &l->ready;
        w->ready = false;
        act(w);
    }
}

static void on_written(void *arg, int status, const char *body)
{
    struct workload *w = arg;
    struct load *l = w->l;

    (void)body;
    w->in_flight = false;
    l->in_flight--;
    bool ok = status >= 200 && status < 300;
    if (ok && (w->due_for & WL_ADMITTED))
        set_finished(w);
    else if (!ok && status != 409)
        timer_start(&l->d.timers, &w->timer, AGAIN_NS);
    else if (w->version > w->sent_version)
        act(w); /* what came of it is known already; else it is on its way */
    send_ready(l);
}

static void wait_turn(struct workload *w)
{
    struct load *l = w->l;

    w->ready = true;
    w->next_ready = NULL;
    *l->ready_end = w;
    l->ready_end = &w->next_ready;
}

static void act(struct workload *w)
{
    struct load *l = w->l;
    const struct span conditions = {str_text(&w->conditions), w->conditions.len};
    bool running = is_running(w);

    if (w->in_flight || w->ready || w->finished || !w->due || (!running && !is_evicted(w)))
        return;
    if (l->in_flight == WRITES_MAX) {
        wait_turn(w);
        return;
    }
    str_clear(&l->path);
    str_clear(&l->body);
    wl_status_path(&l->path, w->index);
    (running ? wl_finish : wl_release)(&l->body, w->version, conditions, kube_wall(&l->d.clock));
    const struct client_request q = {
        .op = running ? OP_FINISH : OP_RELEASE,
        .verb = KUBE_PATCH,
        .path = str_text(&l->path),
        .content_type = KUBE_MERGE_PATCH,
        .body = str_text(&l->body),
        .len = l->body.len,
    };
    w->in_flight = true;
    w->due_for = running ? WL_ADMITTED : WL_EVICTED;
    w->sent_version = w->version;
    l->in_flight++;
    client_send(&l->c, &q, on_written, w);
}

static void on_due(void *arg)
{
    struct workload *w = arg;

    w->due = true;
    act(w);
}

/* ---- seeing ---------------------------------------------------------------------------------------------------------------- */

static void note_change(struct workload *w, unsigned before)
{
    struct load *l = w->l;
    unsigned reserved = w->is & WL_RESERVED;

    if (reserved && !(before & WL_RESERVED))
        l->pending--;
    if (!reserved && (before & WL_RESERVED) && ++l->pending > l->pending_max)
        l->pending_max = l->pending;
    if (is_running(w) && !((before & WL_ADMITTED) && !(before & WL_EVICTED))) {
        l->admissions++;
        if (!w->admitted_at)
            w->admitted_at = drive_now(&l->d);
        w->due = false;
        timer_start(&l->d.timers, &w->timer, wl_classes[w->class].runs_ns);
    }
    if (is_evicted(w) && !((before & WL_EVICTED) && (before & WL_RESERVED))) {
        l->evictions++;
        w->due = false;
        timer_start(&l->d.timers, &w->timer, RELEASE_NS);
    }
}

static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct load *l = arg;
    struct wl_seen seen;

    l->events++;
    if (what == WATCH_DELETED || !wl_read(json, len, &seen) || seen.index >= l->n)
        return 0;
    struct workload *w = &l->w[seen.index];
    if (w->finished || seen.version <= w->version)
        return 0;
    unsigned before = w->is;
    w->version = seen.version;
    w->is = seen.is;
    if (w->is & WL_FINISHED) {
        set_finished(w);
        return 0;
    }
    str_clear(&w->conditions);
    if (is_running(w) || is_evicted(w))
        str_addn(&w->conditions, seen.conditions.p, seen.conditions.n);
    note_change(w, before);
    act(w);
    return 0;
}

static void on_begin(void *arg)
{
    (void)arg;
}

static void on_synced(void *arg)
{
    struct load *l = arg;

    if (l->begin)
        return;
    l->begin = drive_now(&l->d);
    timer_start(&l->d.timers, &l->look, LOOK_NS);
    for (uint32_t i = 0; i < l->nstreams; i++) {
        l->streams[i].due = l->begin;
        timer_start(&l->d.timers, &l->streams[i].timer, 0);
    }
}

/* A load that stands still would never end. */
static void look(void *arg)
{
    struct load *l = arg;
    uint32_t shown = 0;

    fprintf(stderr, "bench-cluster: %u created, %u wait, %u of %u finished\n", l->ncreated, l->pending,
            l->nfinished, l->n);
    if (l->nfinished == l->finished_before && l->ncreated == l->n) {
        for (uint32_t i = 0; i < l->n && shown < 10; i++) {
            const struct workload *w = &l->w[i];
            if (w->finished)
                continue;
            fprintf(stderr, "  w%06u state %x due %d in flight %d version %" PRIu64 "\n", i, w->is, w->due,
                    w->in_flight, w->version);
            shown++;
        }
        drive_die("load", "nothing was finished for a minute");
    }
    l->finished_before = l->nfinished;
    timer_start(&l->d.timers, &l->look, LOOK_NS);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

static uint32_t count_of(const struct bench_options *o, uint32_t class)
{
    uint32_t n = (uint32_t)((double)wl_classes[class].count * o->scale + 0.5);

    return n ? n : 1;
}

static void make_streams(struct load *l, const struct bench_options *o)
{
    uint32_t each = 0;

    for (uint32_t k = 0; k < WL_CLASSES; k++)
        each += count_of(o, k);
    l->n = each * o->queues;
    l->w = drive_memory(l->n * sizeof(*l->w));
    l->streams = drive_memory((size_t)WL_CLASSES * o->queues * sizeof(*l->streams));
    uint32_t at = 0;
    for (uint32_t q = 0; q < o->queues; q++)
        for (uint32_t k = 0; k < WL_CLASSES; k++) {
            struct stream *s = &l->streams[l->nstreams++];
            *s = (struct stream){.l = l, .class = k, .queue = q, .next = at, .count = count_of(o, k)};
            timer_init(&s->timer, create_next, s);
            for (uint32_t i = 0; i < s->count; i++, at++) {
                struct workload *w = &l->w[at];
                *w = (struct workload){.l = l, .index = at, .class = (uint8_t)k, .queue = (uint8_t)q};
                str_init(&w->conditions, 1 << 16);
                timer_init(&w->timer, on_due, w);
            }
        }
}

static void print(const struct load *l)
{
    double wait[WL_CLASSES] = {0};
    uint32_t n[WL_CLASSES] = {0};

    for (uint32_t i = 0; i < l->n; i++) {
        n[l->w[i].class]++;
        wait[l->w[i].class] += (double)(l->w[i].admitted_at - l->w[i].created_at) / 1e9;
    }
    printf("{\"workloads\": %u, \"makespan_s\": %.1f, \"created_after_s\": %.1f, \"mean_wait_s\": {", l->n,
           (double)(l->end - l->begin) / 1e9, (double)(l->created_end - l->begin) / 1e9);
    for (uint32_t k = 0; k < WL_CLASSES; k++)
        printf("%s\"%s\": %.1f", k ? ", " : "", wl_classes[k].name, wait[k] / n[k]);
    printf("}, \"admissions\": %" PRIu64 ", \"evictions\": %" PRIu64 ", \"pending_max\": %u, ", l->admissions,
           l->evictions, l->pending_max);
    printf("\"watch_events\": %" PRIu64 ", ", l->events);
    client_print_counts(&l->c);
    printf("}\n");
}

void bench_load(const struct bench_options *o)
{
    struct load *l = drive_memory(sizeof(*l));
    const struct watch_handler h = {on_begin, on_object, on_synced, NULL, l};

    drive_open(&l->d);
    client_open(&l->c, &l->d, o->kubeconfig, "bench-cluster");
    if (o->record && !(l->c.record = fopen(o->record, "we")))
        drive_die(o->record, "cannot be written");
    l->ready_end = &l->ready;
    str_init(&l->path, 0);
    str_init(&l->body, 0);
    timer_init(&l->look, look, l);
    make_streams(l, o);
    l->watch = client_watch(&l->c, &h);
    drive_run(&l->d);
    print(l);
    if (l->c.record && fclose(l->c.record))
        drive_die(o->record, "cannot be written");
    watch_free(l->watch);
    client_close(&l->c);
    drive_close(&l->d);
    for (uint32_t i = 0; i < l->n; i++)
        str_free(&l->w[i].conditions);
    str_free(&l->path);
    str_free(&l->body);
    mem_free(l->w);
    mem_free(l->streams);
    mem_free(l);
}
