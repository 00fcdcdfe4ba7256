/* sluice controller: the loop of libuv around run/controller.h, with sockets, signals and the clock of this machine. */
#include "cli/arguments.h"
#include "cli/serving.h"

#include "api/set.h"
#include "base/mem.h"
#include "kube/clock.h"
#include "kube/http.h"
#include "kube/kubeconfig.h"
#include "run/controller.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static const char default_config[] = "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n";

struct controller_arguments {
    const char *config, *kubeconfig, *context, *ns;
};

struct process {
    struct controller_arguments a;
    struct api_set *set;
    const struct object *config;
    struct credentials *credentials;
    struct http *http;
    struct controller *c;
    struct log *log;
    struct serving *serving;
    char identity[256];
    uv_loop_t loop;
    uv_prepare_t prepare;
    uv_idle_t idle;
    uv_timer_t timer;
    uv_signal_t sigint, sigterm;
    int signals;
    bool closing;
    int status;
};

static int complain(const char *text)
{
    (void)fprintf(stderr, "sluice controller: %s\n", text);
    return CLI_BAD_INPUT;
}

/* ---- before the loop ------------------------------------------------------------------------------------------------------- */

static int take(void *ctx, const char *option, const char *value)
{
    struct controller_arguments *a = ctx;

    if (!strcmp(option, "config"))
        a->config = value;
    else if (!strcmp(option, "kubeconfig"))
        a->kubeconfig = value;
    else if (!strcmp(option, "context"))
        a->context = value;
    else if (!strcmp(option, "namespace"))
        a->ns = value;
    return CLI_OK;
}

static int read_config(struct process *p)
{
    struct err err;

    p->set = api_set_new(0);
    if (!p->set)
        return complain("out of memory");
    int rc = p->a.config
                 ? api_read_path(p->set, p->a.config, &err)
                 : api_read_buffer(p->set, "defaults", default_config, sizeof(default_config) - 1, &err);
    if (rc)
        return complain(err.text);
    for (uint32_t i = 0; i < api_set_errors(p->set); i++)
        (void)fprintf(stderr, "%s\n", api_set_error(p->set, i));
    for (uint32_t i = 0; i < api_set_warnings(p->set); i++)
        (void)fprintf(stderr, "%s\n", api_set_warning(p->set, i));
    if (api_set_errors(p->set))
        return CLI_BAD_INPUT;
    for (uint32_t i = 0; i < api_set_count(p->set); i++)
        if (api_set_at(p->set, i)->kind == API_CONFIG)
            p->config = api_set_at(p->set, i);
    return p->config ? 0 : complain("there is no Configuration in the file");
}

static int make_identity(struct process *p)
{
    struct kube_clock clock;
    char host[128] = "";

    clock_system(&clock);
    if (gethostname(host, sizeof(host) - 1))
        return complain("this machine has no name");
    (void)snprintf(p->identity, sizeof(p->identity), "%s_%016llx%016llx", host,
                   (unsigned long long)clock.random(clock.self),
                   (unsigned long long)clock.random(clock.self));
    return 0;
}

static int connect_to(struct process *p)
{
    const struct kubeconfig_options o = {.file = p->a.kubeconfig, .context = p->a.context, .exec = true};
    struct err err;

    if (kubeconfig_find(&o, &p->credentials, &err) ||
        http_new(&p->loop, p->credentials, NULL, &p->http, &err))
        return complain(err.text);
    return 0;
}

static int make_controller(struct process *p)
{
    const struct settings *s = p->config->settings;
    const struct controller_config config = {
        .core = &p->config->config,
        .settings = s,
        .identity = p->identity,
        .ns = p->a.ns                      ? p->a.ns
              : p->credentials->in_cluster ? p->credentials->ns
                                           : s->ns,
        .elect = s->election.on,
        .preflight = true,
        .log = log_line,
        .log_arg = p->log,
    };
    struct controller_seams seams = {.watches = *http_watches(p->http), .rest = *http_requests(p->http)};
    struct err err;

    clock_system(&seams.clock);
    return controller_new(&config, &seams, &p->c, &err) ? complain(err.text) : 0;
}

static int open_log(struct process *p)
{
    const struct log_options o = {.fd = STDERR_FILENO, .level = LOG_AT_INFO};
    struct err err;

    p->log = log_new(&o, &err);
    return p->log ? 0 : complain(err.text);
}

static int serve(struct process *p)
{
    const struct serving_config config = {
        .loop = &p->loop,
        .settings = p->config->settings,
        .controller = p->c,
        .http = p->http,
        .log = p->log,
    };
    struct err err;

    return serving_start(&config, &p->serving, &err) ? complain(err.text) : 0;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void on_http_closed(void *arg)
{
    struct process *p = arg;

    p->http = NULL;
    uv_walk(&p->loop, close_handle, NULL);
}

static void on_serving_closed(void *arg)
{
    struct process *p = arg;

    p->serving = NULL;
    http_close(p->http, on_http_closed, p);
}

static void shut_down(struct process *p)
{
    if (p->closing)
        return;
    p->closing = true;
    if (controller_lost(p->c))
        p->status = CLI_BAD_INPUT;
    serving_stop(p->serving, on_serving_closed, p);
    controller_free(p->c);
    p->c = NULL;
    uv_idle_stop(&p->idle);
    uv_timer_stop(&p->timer);
}

static void on_timer(uv_timer_t *t)
{
    (void)t; /* on_prepare does the turn */
}

static void on_idle(uv_idle_t *i)
{
    (void)i; /* keeps the loop from sleeping */
}

/* Right before the loop sleeps: what sockets and what curl's timers delivered has come by then. After the sleep would be too late for the latter. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct process *p = prepare->data;

    if (p->closing)
        return;
    bool more = controller_turn(p->c);
    if (controller_lost(p->c) || controller_stopped(p->c)) {
        shut_down(p);
        return;
    }
    if (more) {
        uv_idle_start(&p->idle, on_idle);
        return;
    }
    uv_idle_stop(&p->idle);
    int64_t next = controller_next(p->c);
    if (next == INT64_MAX) {
        uv_timer_stop(&p->timer);
        return;
    }
    int64_t wait = next - (int64_t)uv_hrtime();
    uv_update_time(&p->loop);
    uv_timer_start(&p->timer, on_timer, wait > 0 ? (uint64_t)(wait + NS_PER_MS - 1) / NS_PER_MS : 0, 0);
}

/* The first asks to stop; a second one does not wait. */
static void on_signal(uv_signal_t *s, int number)
{
    struct process *p = s->data;

    (void)number;
    if (p->closing)
        return;
    if (++p->signals == 1)
        controller_stop(p->c);
    else
        shut_down(p);
}

static int start_loop(struct process *p)
{
    if (uv_prepare_init(&p->loop, &p->prepare) || uv_idle_init(&p->loop, &p->idle) ||
        uv_timer_init(&p->loop, &p->timer) || uv_signal_init(&p->loop, &p->sigint) ||
        uv_signal_init(&p->loop, &p->sigterm))
        return complain("the event loop cannot be made");
    p->prepare.data = p->sigint.data = p->sigterm.data = p;
    if (uv_prepare_start(&p->prepare, on_prepare) || uv_idle_start(&p->idle, on_idle) ||
        uv_signal_start(&p->sigint, on_signal, SIGINT) || uv_signal_start(&p->sigterm, on_signal, SIGTERM))
        return complain("the event loop cannot be started");
    return 0;
}

static int run(struct process *p)
{
    int rc = open_log(p);

    if (!rc)
        rc = read_config(p);
    if (!rc)
        rc = make_identity(p);
    if (!rc)
        rc = connect_to(p);
    if (!rc)
        rc = make_controller(p);
    if (!rc)
        rc = serve(p);
    if (!rc)
        rc = start_loop(p);
    if (rc)
        return rc;
    (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    return p->status;
}

static void clean_up(struct process *p)
{
    if (!p->closing) { /* it never ran; what serves asks the controller, so it stops first */
        if (p->serving)
            serving_stop(p->serving, on_serving_closed, p);
        controller_free(p->c);
        if (p->http && !p->serving)
            http_close(p->http, on_http_closed, p);
        else if (!p->serving)
            uv_walk(&p->loop, close_handle, NULL);
        (void)uv_run(&p->loop, UV_RUN_DEFAULT);
    }
    (void)uv_loop_close(&p->loop);
    credentials_free(p->credentials);
    api_set_free(p->set);
    log_free(p->log);
}

int cli_controller(int argc, char **argv)
{
    struct process p = {0};
    bool done = false;

    int rc = cli_arguments(cli_find("controller"), argc, argv, take, &p.a, &done);
    if (rc || done)
        return rc;
    if (uv_loop_init(&p.loop))
        return complain("the event loop cannot be made");
    rc = run(&p);
    clean_up(&p);
    return rc;
}
