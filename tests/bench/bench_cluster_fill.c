/* fill: creates Workloads as fast as the API server takes them. list: how long it needs to send them all. await: says when the first admission is
 * seen. */
#include "base/mem.h"
#include "bench_cluster.h"
#include "bench_cluster_wl.h"

#include <inttypes.h>
#include <string.h>

/* ---- fill ------------------------------------------------------------------------------------------------------------------ */

struct fill {
    struct drive d;
    struct client c;
    uint32_t n, next, done, queues;
    struct str body;
};

static void fill_next(struct fill *f);

static void on_created(void *arg, int status, const char *body)
{
    struct fill *f = arg;

    if (status != 201)
        drive_die("create", body);
    if (++f->done == f->n)
        f->d.over = true;
    fill_next(f);
}

static void fill_next(struct fill *f)
{
    if (f->next == f->n)
        return;
    str_clear(&f->body);
    wl_body(&f->body, f->next, &wl_classes[f->next / f->queues % WL_CLASSES], f->next % f->queues);
    f->next++;
    const struct client_request q = {
        .op = OP_CREATE,
        .verb = KUBE_POST,
        .path = BENCH_WORKLOADS "?fieldManager=bench",
        .content_type = KUBE_JSON,
        .body = str_text(&f->body),
        .len = f->body.len,
    };
    client_send(&f->c, &q, on_created, f);
}

void bench_fill(const struct bench_options *o)
{
    struct fill f = {.n = o->count, .queues = o->queues};

    drive_open(&f.d);
    client_open(&f.c, &f.d, o->kubeconfig, "bench-cluster");
    str_init(&f.body, 0);
    int64_t begin = drive_now(&f.d);
    for (uint32_t i = 0; i < o->streams; i++)
        fill_next(&f);
    drive_run(&f.d);
    printf("{\"created\": %u, \"took_s\": %.2f}\n", f.done, (double)(drive_now(&f.d) - begin) / 1e9);
    client_close(&f.c);
    drive_close(&f.d);
    str_free(&f.body);
}

/* ---- await ----------------------------------------------------------------------------------------------------------------- */

struct await {
    struct drive d;
    struct client c;
    bool ready;
};

static int await_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct await *a = arg;
    struct wl_seen seen;

    if (!a->ready || a->d.over || what == WATCH_DELETED || !wl_read(json, len, &seen) ||
        !(seen.is & WL_ADMITTED))
        return 0;
    printf("{\"admitted_at_ns\": %" PRId64 "}\n", drive_now(&a->d));
    a->d.over = true;
    return 0;
}

static void on_begin(void *arg)
{
    (void)arg;
}

static void await_synced(void *arg)
{
    struct await *a = arg;

    if (a->ready)
        return;
    a->ready = true;
    printf("{\"ready\": true}\n");
    (void)fflush(stdout);
}

void bench_await(const struct bench_options *o)
{
    struct await a = {.ready = false};
    const struct watch_handler h = {on_begin, await_object, await_synced, NULL, &a};

    drive_open(&a.d);
    client_open(&a.c, &a.d, o->kubeconfig, "bench-cluster");
    struct watch *w = client_watch(&a.c, &h);
    drive_run(&a.d);
    watch_free(w);
    client_close(&a.c);
    drive_close(&a.d);
}

/* ---- list ------------------------------------------------------------------------------------------------------------------ */

struct list {
    struct drive d;
    struct client c;
    uint64_t bytes, objects;
    int64_t end;
};

static bool on_data(void *arg, int status, const char *data, size_t len)
{
    struct list *l = arg;

    if (status != 200)
        drive_die("list", data);
    l->bytes += len;
    return true;
}

static void on_listed(void *arg, const struct kube_reply *r)
{
    struct list *l = arg;

    if (r->status != 200)
        drive_die("list", r->error);
    l->end = drive_now(&l->d);
    l->d.over = true;
}

static double list_whole(struct list *l)
{
    const struct kube_server *s = http_requests(l->c.http);
    const struct kube_request q = {
        .verb = KUBE_GET, .path = BENCH_WORKLOADS, .timeout_ns = 300 * NS_PER_S, .stream = true};
    const struct kube_handler h = {on_data, on_listed, l};
    struct err err;
    int64_t begin = drive_now(&l->d);

    if (!s->start(s->self, &q, &h, &err))
        drive_die("list", err.text);
    drive_run(&l->d);
    return (double)(l->end - begin) / 1e9;
}

static int count_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct list *l = arg;

    (void)what;
    (void)json;
    (void)len;
    l->objects++;
    return 0;
}

static void on_streamed(void *arg)
{
    struct list *l = arg;

    l->end = drive_now(&l->d);
    l->d.over = true;
}

static double list_streamed(struct list *l)
{
    const struct watch_handler h = {on_begin, count_object, on_streamed, NULL, l};
    int64_t begin = drive_now(&l->d);
    struct watch *w = client_watch(&l->c, &h);

    drive_run(&l->d);
    l->bytes = watch_stats(w)->bytes;
    watch_free(w);
    return (double)(l->end - begin) / 1e9;
}

void bench_list(const struct bench_options *o)
{
    struct list l = {.bytes = 0};

    drive_open(&l.d);
    client_open(&l.c, &l.d, o->kubeconfig, "bench-cluster");
    double whole = list_whole(&l);
    uint64_t bytes = l.bytes;
    double streamed = list_streamed(&l);
    printf("{\"list_s\": %.3f, \"list_bytes\": %" PRIu64
           ", \"watch_list_s\": %.3f, \"watch_list_bytes\": %" PRIu64 ", \"objects\": %" PRIu64 "}\n",
           whole, bytes, streamed, l.bytes, l.objects);
    client_close(&l.c);
    drive_close(&l.d);
}
