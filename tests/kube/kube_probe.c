/* Speaks to a real API server through controller/kube, for kube_test.py: lists, watches (watch-list), creates, patches and deletes a
 * ConfigMap; or only watches, and writes every 100 ms, and says what becomes of it.
 *
 * kube-probe --kubeconfig FILE [--namespace NS] [--exec] [--http1] [--idle-ms N] [--user-timeout-ms N] [--write-ms N] all
 * kube-probe ... follow SECONDS      one watch and writes without end; a line for each event: "TIME WHAT DETAIL", TIME in ms from the start
 * kube-probe ... get PATH            one request: its status and its body
 * kube-probe ... discover | selfcheck */
#include "base/mem.h"
#include "base/str.h"
#include "kube/discovery.h"
#include "kube/http.h"
#include "kube/kubeconfig.h"
#include "kube/selfcheck.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe {
    uv_loop_t loop;
    struct credentials *c;
    struct http *http;
    char ns[256];
    int64_t begin_ns;
    int failed;

    /* all: the steps */
    int step;
    struct str stream;
    struct kube_call *watch;
    bool synced, added, modified, deleted;

    /* follow */
    uv_timer_t ticker, ender, again;
    uint64_t tick, pending;
    int64_t write_ns; /* how long a write may take */
};

static int64_t probe_ms(const struct probe *p)
{
    return ((int64_t)uv_hrtime() - p->begin_ns) / NS_PER_MS;
}

static void probe_say(struct probe *p, const char *what, const char *detail)
{
    printf("%" PRId64 " %s %s\n", probe_ms(p), what, detail);
    (void)fflush(stdout);
}

static void probe_fail(struct probe *p, const char *what, const struct kube_reply *r)
{
    printf("failed: %s: status %d %s %.300s\n", what, r->status, r->error, r->body);
    p->failed = 1;
}

static struct kube_call *probe_start(struct probe *p, const struct kube_server *s, struct kube_request r,
                                     void (*done)(void *, const struct kube_reply *),
                                     bool (*data)(void *, int, const char *, size_t))
{
    struct kube_handler h = {.on_data = data, .on_done = done, .arg = p};
    struct err err;
    struct kube_call *c = s->start(s->self, &r, &h, &err);

    if (!c) {
        printf("failed: %s\n", err.text);
        p->failed = 1;
    }
    return c;
}

static void probe_path(struct probe *p, char *buf, size_t cap, const char *rest)
{
    (void)snprintf(buf, cap, "/api/v1/namespaces/%s/configmaps%s", p->ns, rest);
}

/* ---- all ----------------------------------------------------------------------------------------------------------------- */

static void probe_next(struct probe *p);

static const struct {
    const char *name, *rest;
    enum kube_verb verb;
    const char *type, *body;
    int status;
    const char *has; /* the answer holds it */
} probe_steps[] = {
    {"list", "?limit=500", KUBE_GET, NULL, NULL, 200, "\"ConfigMapList\""},
    {"delete what a run before has left", "/kube-probe", KUBE_DELETE, NULL, NULL, 0, ""},
    {"create", "", KUBE_POST, KUBE_JSON, "{\"metadata\":{\"name\":\"kube-probe\"},\"data\":{\"a\":\"1\"}}",
     201, "\"a\":\"1\""},
    {"create again", "", KUBE_POST, KUBE_JSON, "{\"metadata\":{\"name\":\"kube-probe\"}}", 409,
     "AlreadyExists"},
    {"merge patch", "/kube-probe", KUBE_PATCH, KUBE_MERGE_PATCH, "{\"data\":{\"b\":\"2\"}}", 200,
     "\"b\":\"2\""},
    {"json patch", "/kube-probe", KUBE_PATCH, KUBE_JSON_PATCH, "[{\"op\":\"remove\",\"path\":\"/data/b\"}]",
     200, "\"a\":\"1\""},
    {"apply", "/kube-probe?fieldManager=probe", KUBE_PATCH, KUBE_APPLY,
     "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"kube-probe\"},\"data\":{\"c\":"
     "\"3\"}}",
     200, "\"c\":\"3\""},
    {"conflict", "/kube-probe", KUBE_PATCH, KUBE_MERGE_PATCH,
     "{\"metadata\":{\"resourceVersion\":\"1\"},\"data\":{\"b\":\"4\"}}", 409, "Conflict"},
    {"put", "/kube-probe", KUBE_PUT, KUBE_JSON,
     "{\"metadata\":{\"name\":\"kube-probe\"},\"data\":{\"d\":\"5\"}}", 200, "\"d\":\"5\""},
    {"get", "/kube-probe", KUBE_GET, NULL, NULL, 200, "\"d\":\"5\""},
    {"delete", "/kube-probe", KUBE_DELETE, KUBE_JSON, "{\"propagationPolicy\":\"Background\"}", 200,
     "Success"},
    {"get what is gone", "/kube-probe", KUBE_GET, NULL, NULL, 404, "NotFound"},
};
enum { PROBE_STEPS = sizeof(probe_steps) / sizeof(*probe_steps) };

static void probe_finish_all(struct probe *p)
{
    bool whole = p->synced && p->added && p->modified && p->deleted;

    if (!whole) {
        printf("failed: watch: synced %d added %d modified %d deleted %d\n", p->synced, p->added, p->modified,
               p->deleted);
        p->failed = 1;
    }
    http_close(p->http, NULL, NULL);
}

static void probe_on_step(void *arg, const struct kube_reply *r)
{
    struct probe *p = arg;
    int want = probe_steps[p->step].status;

    if ((want && r->status != want) || r->status == 0 || !strstr(r->body, probe_steps[p->step].has))
        probe_fail(p, probe_steps[p->step].name, r);
    else
        printf("ok: %s: %d\n", probe_steps[p->step].name, r->status);
    p->step++;
    probe_next(p);
}

static void probe_next(struct probe *p)
{
    char path[512];

    if (p->step >= PROBE_STEPS)
        return; /* the watch's last event ends it */
    const char *body = probe_steps[p->step].body;
    probe_path(p, path, sizeof(path), probe_steps[p->step].rest);
    probe_start(p, http_requests(p->http),
                (struct kube_request){.verb = probe_steps[p->step].verb,
                                      .path = path,
                                      .content_type = probe_steps[p->step].type,
                                      .body = body,
                                      .body_len = body ? strlen(body) : 0,
                                      .timeout_ns = 15 * NS_PER_S},
                probe_on_step, NULL);
}

static bool probe_event(struct probe *p, const char *line)
{
    bool ours = strstr(line, "\"name\":\"kube-probe\"") != NULL;

    if (strstr(line, "\"k8s.io/initial-events-end\":\"true\"") && !p->synced) {
        p->synced = true;
        probe_next(p);
    }
    if (ours && p->step >= 2) {
        p->added = p->added || strncmp(line, "{\"type\":\"ADDED\"", 15) == 0;
        p->modified = p->modified || strncmp(line, "{\"type\":\"MODIFIED\"", 18) == 0;
        p->deleted = p->deleted || (p->added && strncmp(line, "{\"type\":\"DELETED\"", 17) == 0);
    }
    return !p->deleted || p->step < PROBE_STEPS;
}

static bool probe_on_data(void *arg, int status, const char *data, size_t len)
{
    struct probe *p = arg;
    char *end;

    if (status != 200)
        return false;
    str_addn(&p->stream, data, len);
    while (p->stream.len > 0 && (end = memchr(p->stream.p, '\n', p->stream.len))) {
        struct str rest;
        *end = '\0';
        bool more = probe_event(p, p->stream.p);
        str_init(&rest, 0);
        str_addn(&rest, end + 1, p->stream.len - (size_t)(end + 1 - p->stream.p));
        str_free(&p->stream);
        p->stream = rest;
        if (!more)
            return false;
    }
    return true;
}

/* timeoutSeconds ends it when the last step was answered after the last event. */
static void probe_on_watch(void *arg, const struct kube_reply *r)
{
    struct probe *p = arg;

    if (!p->deleted && r->status != 200)
        probe_fail(p, "watch", r);
    probe_finish_all(p);
}

static void probe_all(struct probe *p)
{
    char path[512];

    str_init(&p->stream, 0);
    probe_path(p, path, sizeof(path),
               "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&"
               "timeoutSeconds=5");
    p->watch = probe_start(p, http_watches(p->http), (struct kube_request){.path = path, .stream = true},
                           probe_on_watch, probe_on_data);
}

/* ---- follow -------------------------------------------------------------------------------------------------------------- */

static void probe_follow_watch(struct probe *p);

static void probe_on_again(uv_timer_t *t)
{
    probe_follow_watch(t->data);
}

static void probe_on_watch_end(void *arg, const struct kube_reply *r)
{
    struct probe *p = arg;
    char text[512];

    (void)snprintf(text, sizeof(text), "%d %s", r->status, r->error);
    probe_say(p, "watch-end", text);
    p->synced = false;
    uv_timer_start(&p->again, probe_on_again, 200, 0);
}

static bool probe_on_watch_data(void *arg, int status, const char *data, size_t len)
{
    struct probe *p = arg;
    char text[32];

    (void)data;
    (void)len;
    if (!p->synced) {
        (void)snprintf(text, sizeof(text), "%d", status);
        probe_say(p, "watch-begin", text);
        p->synced = true;
    }
    return true;
}

static void probe_follow_watch(struct probe *p)
{
    char path[512];

    probe_path(p, path, sizeof(path), "?watch=1&allowWatchBookmarks=true&timeoutSeconds=300");
    probe_start(p, http_watches(p->http), (struct kube_request){.path = path, .stream = true},
                probe_on_watch_end, probe_on_watch_data);
}

static void probe_on_write(void *arg, const struct kube_reply *r)
{
    struct probe *p = arg;
    char text[512];

    p->pending--;
    (void)snprintf(text, sizeof(text), "%d %s", r->status, r->error);
    probe_say(p, r->status == 0 ? "write-lost" : "write", text);
}

/* Four at most under way, so that a dead connection does not pile them up. */
static void probe_on_tick(uv_timer_t *t)
{
    struct probe *p = t->data;
    char path[512], body[128];

    if (p->pending >= 4)
        return;
    p->pending++;
    probe_path(p, path, sizeof(path), "/kube-follow?fieldManager=probe&force=true");
    (void)snprintf(body, sizeof(body),
                   "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"kube-follow\"},"
                   "\"data\":{\"n\":\"%" PRIu64 "\"}}",
                   p->tick++);
    probe_start(p, http_requests(p->http),
                (struct kube_request){.verb = KUBE_PATCH,
                                      .path = path,
                                      .content_type = KUBE_APPLY,
                                      .body = body,
                                      .body_len = strlen(body),
                                      .timeout_ns = p->write_ns},
                probe_on_write, NULL);
}

static void probe_on_end(uv_timer_t *t)
{
    struct probe *p = t->data;
    const struct http_stats *s = http_stats(p->http);
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "connections %" PRIu64 " open %u shut %" PRIu64 " timeouts %" PRIu64 " retried %" PRIu64,
                   s->connections, s->open, s->shut, s->timeouts, s->retried);
    probe_say(p, "stats", text);
    http_close(p->http, NULL, NULL);
    uv_close((uv_handle_t *)&p->ticker, NULL);
    uv_close((uv_handle_t *)&p->ender, NULL);
    uv_close((uv_handle_t *)&p->again, NULL);
}

static void probe_follow(struct probe *p, const char *seconds)
{
    uv_timer_init(&p->loop, &p->ticker);
    uv_timer_init(&p->loop, &p->ender);
    uv_timer_init(&p->loop, &p->again);
    p->ticker.data = p->ender.data = p->again.data = p;
    uv_timer_start(&p->ticker, probe_on_tick, 100, 100);
    uv_timer_start(&p->ender, probe_on_end, strtoul(seconds, NULL, 10) * 1000, 0);
    probe_follow_watch(p);
}

/* ---- get, discover, selfcheck -------------------------------------------------------------------------------------------- */

static void probe_on_get(void *arg, const struct kube_reply *r)
{
    struct probe *p = arg;

    printf("%d %s\n%s\n", r->status, r->error, r->body);
    p->failed = r->status != 200;
    http_close(p->http, NULL, NULL);
}

static void probe_get(struct probe *p, const char *path)
{
    probe_start(p, http_requests(p->http), (struct kube_request){.path = path, .timeout_ns = 15 * NS_PER_S},
                probe_on_get, NULL);
}

static struct discovery_item probe_kinds[] = {
    {.group = "", .version = "v1", .resource = "pods"},
    {.group = "batch", .version = "v1", .resource = "jobs"},
    {.group = "", .version = "v1", .resource = "gremlins"},
    {.group = "example.invalid", .version = "v1", .resource = "jobs"},
    {.group = "admissionregistration.k8s.io", .version = "v1", .resource = "validatingadmissionpolicies"},
    {.group = "", .version = "v1", .resource = "nodes"},
};
enum { PROBE_KINDS = sizeof(probe_kinds) / sizeof(*probe_kinds) };

static void probe_on_discovery(void *arg, int status, const struct discovery_version *v,
                               const struct err *err)
{
    struct probe *p = arg;

    p->failed = status < 0;
    if (status < 0)
        printf("failed: %s\n", err->text);
    else
        printf("version %d.%d %s\n", v->major, v->minor, v->text);
    for (uint32_t i = 0; i < PROBE_KINDS && status == 0; i++)
        printf("%s/%s/%s served %d namespaced %d status %d\n", probe_kinds[i].group, probe_kinds[i].version,
               probe_kinds[i].resource, probe_kinds[i].served, probe_kinds[i].namespaced,
               probe_kinds[i].status);
    http_close(p->http, NULL, NULL);
}

static void probe_discover(struct probe *p)
{
    struct discovery *d;
    struct err err;

    if (discovery_start(http_requests(p->http), probe_kinds, PROBE_KINDS, probe_on_discovery, p, &d, &err) <
        0) {
        printf("failed: %s\n", err.text);
        p->failed = 1;
    }
}

static struct selfcheck_item probe_rights[] = {
    {.verb = "list", .group = "batch", .resource = "jobs"},
    {.verb = "watch", .group = "batch", .resource = "jobs"},
    {.verb = "patch", .group = "batch", .resource = "jobs", .subresource = "status"},
    {.verb = "update", .group = "coordination.k8s.io", .resource = "leases", .ns = "default"},
    {.verb = "get", .group = "", .resource = "configmaps", .ns = "default"},
};
enum { PROBE_RIGHTS = sizeof(probe_rights) / sizeof(*probe_rights) };

static void probe_on_selfcheck(void *arg, int status, const struct err *err)
{
    struct probe *p = arg;
    char *rules = selfcheck_rules(probe_rights, PROBE_RIGHTS);

    p->failed = status < 0;
    if (status < 0)
        printf("failed: %s\n", err->text);
    else
        printf("missing %u\n%s", selfcheck_missing(probe_rights, PROBE_RIGHTS), rules);
    mem_free(rules);
    http_close(p->http, NULL, NULL);
}

static void probe_selfcheck(struct probe *p)
{
    struct selfcheck *c;
    struct err err;

    if (selfcheck_start(http_requests(p->http), probe_rights, PROBE_RIGHTS, probe_on_selfcheck, p, &c, &err) <
        0) {
        printf("failed: %s\n", err.text);
        p->failed = 1;
    }
}

/* ---- main ---------------------------------------------------------------------------------------------------------------- */

static int probe_run(struct probe *p, const char *what, const char *arg)
{
    if (strcmp(what, "all") == 0)
        probe_all(p);
    else if (strcmp(what, "follow") == 0)
        probe_follow(p, arg ? arg : "10");
    else if (strcmp(what, "get") == 0)
        probe_get(p, arg ? arg : "/version");
    else if (strcmp(what, "discover") == 0)
        probe_discover(p);
    else if (strcmp(what, "selfcheck") == 0)
        probe_selfcheck(p);
    else
        p->failed = 2;
    if (p->failed)
        http_close(p->http, NULL, NULL);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    str_free(&p->stream);
    if (uv_loop_close(&p->loop) != 0) {
        printf("failed: something is left in the loop\n");
        p->failed = 1;
    }
    credentials_free(p->c);
    if (mem_live() != 0) {
        printf("failed: %" PRId64 " blocks of memory are left\n", mem_live());
        p->failed = 1;
    }
    return p->failed;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"kubeconfig", required_argument, NULL, 'k'},
        {"namespace", required_argument, NULL, 'n'},
        {"exec", no_argument, NULL, 'e'},
        {"http1", no_argument, NULL, '1'},
        {"idle-ms", required_argument, NULL, 'i'},
        {"user-timeout-ms", required_argument, NULL, 'u'},
        {"write-ms", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0},
    };
    struct kubeconfig_options k = {0};
    struct http_options h = {0};
    struct probe p = {.begin_ns = (int64_t)uv_hrtime(), .write_ns = 15 * NS_PER_S};
    struct err err;
    const char *ns = NULL;
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        k.file = o == 'k' ? optarg : k.file;
        ns = o == 'n' ? optarg : ns;
        k.exec = k.exec || o == 'e';
        h.http1 = h.http1 || o == '1';
        h.watch_idle_ns = o == 'i' ? strtol(optarg, NULL, 10) * NS_PER_MS : h.watch_idle_ns;
        h.user_timeout_ms = o == 'u' ? (uint32_t)strtoul(optarg, NULL, 10) : h.user_timeout_ms;
        p.write_ns = o == 'w' ? strtol(optarg, NULL, 10) * NS_PER_MS : p.write_ns;
        if (o == '?')
            return 2;
    }
    if (optind >= argc)
        return 2;
    if (kubeconfig_find(&k, &p.c, &err) < 0) {
        printf("failed: %s\n", err.text);
        return 1;
    }
    (void)snprintf(p.ns, sizeof(p.ns), "%s", ns ? ns : p.c->ns);
    uv_loop_init(&p.loop);
    if (http_new(&p.loop, p.c, &h, &p.http, &err) < 0) {
        printf("failed: %s\n", err.text);
        return 1;
    }
    return probe_run(&p, argv[optind], optind + 1 < argc ? argv[optind + 1] : NULL);
}
