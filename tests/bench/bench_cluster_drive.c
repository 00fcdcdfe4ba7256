#include "bench_cluster_drive.h"

#include "base/mem.h"
#include "base/str.h"
#include "kube/clock.h"
#include "kube/kubeconfig.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_NS (60 * NS_PER_S)

_Noreturn void drive_die(const char *what, const char *why)
{
    fprintf(stderr, "bench-cluster: %s: %s\n", what, why);
    exit(1);
}

void *drive_memory(size_t n)
{
    void *p = mem_zalloc(1, n);

    if (!p)
        drive_die("memory", "exhausted");
    return p;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *t)
{
    (void)t; /* what comes before the next sleep lets timers run */
}

/* Right before the loop sleeps: curl hands over data from its own timers too, and what that set must count for the sleep. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct drive *d = prepare->data;

    (void)timers_run(&d->timers);
    if (d->over) {
        uv_stop(&d->loop);
        return;
    }
    int64_t next = timers_next(&d->timers);
    if (next == INT64_MAX) {
        uv_timer_stop(&d->timer);
        return;
    }
    int64_t wait = next - drive_now(d);
    uv_update_time(&d->loop);
    uv_timer_start(&d->timer, on_timer, wait > 0 ? (uint64_t)((wait + NS_PER_MS - 1) / NS_PER_MS) : 0, 0);
}

void drive_open(struct drive *d)
{
    memset(d, 0, sizeof(*d));
    clock_system(&d->clock);
    timers_init(&d->timers, &d->clock);
    if (uv_loop_init(&d->loop) || uv_prepare_init(&d->loop, &d->prepare) ||
        uv_timer_init(&d->loop, &d->timer) || uv_prepare_start(&d->prepare, on_prepare))
        drive_die("loop", "cannot be made");
    d->prepare.data = d;
}

void drive_run(struct drive *d)
{
    d->over = false;
    uv_timer_start(&d->timer, on_timer, 0, 0);
    while (!d->over)
        (void)uv_run(&d->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void drive_close(struct drive *d)
{
    uv_prepare_stop(&d->prepare);
    uv_timer_stop(&d->timer);
    (void)uv_run(&d->loop, UV_RUN_DEFAULT); /* what is closing ends */
    uv_walk(&d->loop, close_handle, NULL);
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&d->loop);
}

int64_t drive_now(const struct drive *d)
{
    return kube_mono(&d->clock);
}

/* ---- clients --------------------------------------------------------------------------------------------------------------- */

struct call {
    struct client *c;
    enum drive_op op;
    void (*done)(void *arg, int status, const char *body);
    void *arg;
    char *line; /* of the record; NULL = none */
};

void client_open(struct client *c, struct drive *d, const char *kubeconfig, const char *agent)
{
    const struct kubeconfig_options k = {.file = kubeconfig};
    const struct http_options o = {.user_agent = agent};
    struct err err;

    memset(c, 0, sizeof(*c));
    c->d = d;
    if (kubeconfig_load(&k, &c->credentials, &err) || http_new(&d->loop, c->credentials, &o, &c->http, &err))
        drive_die(kubeconfig, err.text);
}

static void on_closed(void *arg)
{
    struct client *c = arg;

    c->http = NULL;
}

void client_close(struct client *c)
{
    http_close(c->http, on_closed, c);
    while (c->http)
        (void)uv_run(&c->d->loop, UV_RUN_ONCE);
    credentials_free(c->credentials);
}

static void on_done(void *arg, const struct kube_reply *r)
{
    struct call *call = arg, copy = *call;
    bool ok = r->status >= 200 && r->status < 300;

    mem_free(call);
    copy.c->running--;
    copy.c->counts[copy.op][ok ? END_OK : r->status == 409 ? END_CONFLICT : END_OTHER]++;
    if (ok && copy.line && fputs(copy.line, copy.c->record) < 0)
        drive_die("record", "cannot be written");
    mem_free(copy.line);
    if (!ok && r->status != 409)
        fprintf(stderr, "bench-cluster: answer %d %s %.200s\n", r->status, r->error, r->body);
    copy.done(copy.arg, r->status, r->body);
}

/* Time of day in us, who, verb, path, type, body. */
static char *make_line(const struct client *c, const struct client_request *q)
{
    static const char *const verbs[KUBE_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    struct str s;

    str_init(&s, 0);
    str_addf(&s, "%" PRId64 "\t0\t%s\t%s\t%s\t", kube_wall(&c->d->clock) / 1000, verbs[q->verb], q->path,
             q->content_type);
    str_addn(&s, q->body, q->len);
    str_addc(&s, '\n');
    return str_take(&s);
}

void client_send(struct client *c, const struct client_request *q,
                 void (*done)(void *arg, int status, const char *body), void *arg)
{
    struct call *call = drive_memory(sizeof(*call));
    const struct kube_server *s = http_requests(c->http);
    const struct kube_handler h = {.on_done = on_done, .arg = call};
    const struct kube_request r = {
        .verb = q->verb,
        .path = q->path,
        .content_type = q->content_type,
        .body = q->body,
        .body_len = q->len,
        .timeout_ns = REQUEST_NS,
    };
    struct err err;

    *call = (struct call){c, q->op, done, arg, c->record ? make_line(c, q) : NULL};
    c->running++;
    if (!s->start(s->self, &r, &h, &err))
        drive_die(q->path, err.text);
}

void client_print_counts(const struct client *c)
{
    static const char *const ops[OPS] = {"create", "finish", "release", "other"};

    printf("\"requests\": {");
    for (int i = 0; i < OPS; i++)
        printf("%s\"%s\": {\"ok\": %" PRIu64 ", \"conflict\": %" PRIu64 ", \"other\": %" PRIu64 "}",
               i ? ", " : "", ops[i], c->counts[i][END_OK], c->counts[i][END_CONFLICT],
               c->counts[i][END_OTHER]);
    printf("}");
}

static void on_trouble(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "bench-cluster: watch: %s\n", text);
}

struct watch *client_watch(struct client *c, const struct watch_handler *h)
{
    struct watch_handler with = *h;
    const struct watch_config config = {
        .path = BENCH_WORKLOADS,
        .server = http_watches(c->http),
        .timers = &c->d->timers,
        .clock = &c->d->clock,
    };
    struct err err;

    with.on_trouble = on_trouble;
    struct watch *w = watch_new(&config, &with, &err);
    if (!w)
        drive_die("watch", err.text);
    return w;
}
