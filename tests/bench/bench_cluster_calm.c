/* calm: Workloads one by one while quota is free: the time from creation to the sight of the admission. */
#include "base/mem.h"
#include "bench_cluster.h"
#include "bench_cluster_wl.h"

#include <stdlib.h>

enum { FIRST_INDEX = 900000 }; /* names that the load does not use */

struct calm {
    struct drive d;
    struct client c;
    struct watch *watch;
    struct timer timer;
    uint32_t n, done;
    bool admitted, answered;
    int64_t sent_at, *took, *answer; /* ns */
    uint64_t version;
    struct str path, body, conditions;
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void on_created(void *arg, int status, const char *body)
{
    struct calm *m = arg;

    if (status != 201)
        drive_die("create", body);
    m->answer[m->done] = drive_now(&m->d) - m->sent_at;
    m->answered = true;
}

static void create(void *arg)
{
    struct calm *m = arg;

    str_clear(&m->body);
    wl_body(&m->body, FIRST_INDEX + m->done, &wl_classes[0], 0);
    const struct client_request q = {
        .op = OP_CREATE,
        .verb = KUBE_POST,
        .path = BENCH_WORKLOADS "?fieldManager=bench",
        .content_type = KUBE_JSON,
        .body = str_text(&m->body),
        .len = m->body.len,
    };
    m->admitted = m->answered = false;
    m->sent_at = drive_now(&m->d);
    client_send(&m->c, &q, on_created, m);
}

static void finish(struct calm *m);

static void on_finished(void *arg, int status, const char *body)
{
    struct calm *m = arg;

    if (status == 409) { /* somebody wrote meanwhile */
        finish(m);
        return;
    }
    if (status != 200)
        drive_die("finish", body);
    if (++m->done == m->n)
        m->d.over = true;
    else
        timer_start(&m->d.timers, &m->timer, 100 * NS_PER_MS); /* what follows from it is over by then */
}

static void finish(struct calm *m)
{
    const struct span conditions = {str_text(&m->conditions), m->conditions.len};

    str_clear(&m->path);
    str_clear(&m->body);
    wl_status_path(&m->path, FIRST_INDEX + m->done);
    wl_finish(&m->body, m->version, conditions, kube_wall(&m->d.clock));
    const struct client_request q = {
        .op = OP_FINISH,
        .verb = KUBE_PATCH,
        .path = str_text(&m->path),
        .content_type = KUBE_MERGE_PATCH,
        .body = str_text(&m->body),
        .len = m->body.len,
    };
    client_send(&m->c, &q, on_finished, m);
}

static int on_object(void *arg, enum watch_event what, const char *json, size_t len)
{
    struct calm *m = arg;
    struct wl_seen seen;

    if (what == WATCH_DELETED || !wl_read(json, len, &seen) || seen.index != FIRST_INDEX + m->done)
        return 0;
    m->version = seen.version;
    str_clear(&m->conditions);
    str_addn(&m->conditions, seen.conditions.p, seen.conditions.n);
    if (!(seen.is & WL_ADMITTED) || m->admitted)
        return 0;
    m->admitted = true;
    m->took[m->done] = drive_now(&m->d) - m->sent_at;
    finish(m);
    return 0;
}

static void on_begin(void *arg)
{
    (void)arg;
}

static void on_synced(void *arg)
{
    struct calm *m = arg;

    if (!m->sent_at)
        timer_start(&m->d.timers, &m->timer, NS_PER_S);
}

static void print_times(const char *name, int64_t *v, uint32_t n)
{
    qsort(v, n, sizeof(*v), compare);
    printf("\"%s\": {\"p50\": %.1f, \"p99\": %.1f, \"max\": %.1f}", name, (double)v[n / 2] / 1e6,
           (double)v[(uint64_t)n * 99 / 100] / 1e6, (double)v[n - 1] / 1e6);
}

void bench_calm(const struct bench_options *o)
{
    struct calm *m = drive_memory(sizeof(*m));
    const struct watch_handler h = {on_begin, on_object, on_synced, NULL, m};

    m->n = o->count;
    m->took = drive_memory(m->n * sizeof(*m->took));
    m->answer = drive_memory(m->n * sizeof(*m->answer));
    str_init(&m->path, 0);
    str_init(&m->body, 0);
    str_init(&m->conditions, 0);
    drive_open(&m->d);
    client_open(&m->c, &m->d, o->kubeconfig, "bench-cluster");
    timer_init(&m->timer, create, m);
    m->watch = client_watch(&m->c, &h);
    drive_run(&m->d);
    printf("{\"workloads\": %u, ", m->n);
    print_times("creation_to_admission_ms", m->took, m->n);
    printf(", ");
    print_times("creation_answered_ms", m->answer, m->n);
    printf("}\n");
    watch_free(m->watch);
    client_close(&m->c);
    drive_close(&m->d);
    str_free(&m->path);
    str_free(&m->body);
    str_free(&m->conditions);
    mem_free(m->took);
    mem_free(m->answer);
    mem_free(m);
}
