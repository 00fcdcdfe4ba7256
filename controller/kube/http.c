#include "kube/http_priv.h"

#include "base/mem.h"
#include "kube/clock.h"

#include <string.h>

enum {
    HTTP_WATCH_IDLE_S = 150, /* bookmarks come about once a minute (libraries.md 1.3) */
    HTTP_CONNECT_S = 10,
    HTTP_USER_TIMEOUT_MS = 30000,
    HTTP_EXEC_S = 60,
};

const struct kube_server *http_watches(struct http *h)
{
    return &h->watches.server;
}

const struct kube_server *http_requests(struct http *h)
{
    return &h->requests.server;
}

const struct http_stats *http_stats(const struct http *h)
{
    return &h->stats;
}

void http_drop(struct http *h)
{
    http_channel_drop(&h->watches);
    http_channel_drop(&h->requests);
}

/* ---- exec plugins -------------------------------------------------------------------------------------------------------- */

static void http_on_exec(void *arg, int status, const struct err *err)
{
    struct http *h = arg;
    const char *why = NULL;

    h->exec = NULL;
    if (status < 0)
        why = err->text;
    else if (credentials_exec_due(h->c, kube_wall(&h->clock)))
        why = "the credentials of the exec plugin have expired already";
    if (why) {
        http_channel_fail_waiting(&h->requests, why);
        http_channel_fail_waiting(&h->watches, why);
    } else {
        http_channel_tidy(&h->requests);
        http_channel_tidy(&h->watches);
    }
    http_handle_gone(h);
}

int http_ready(struct http *h, bool *ret_ready, struct err *err)
{
    *ret_ready = false;
    if (h->exec)
        return 0;
    if (!credentials_exec_due(h->c, kube_wall(&h->clock))) {
        *ret_ready = true;
        return 0;
    }
    int rc = exec_start(h->loop, h->c, HTTP_EXEC_S * NS_PER_S, http_on_exec, h, &h->exec, err);
    if (rc == 0)
        h->handles++;
    return rc;
}

/* ---- the watchdog -------------------------------------------------------------------------------------------------------- */

static void http_on_watchdog(uv_timer_t *timer)
{
    struct http *h = timer->data;
    int64_t since_ns = kube_mono(&h->clock) - h->watch_idle_ns;

    http_channel_watch(&h->watches, since_ns);
    http_channel_watch(&h->requests, since_ns);
}

static void http_start_watchdog(struct http *h)
{
    uint64_t every_ms = (uint64_t)(h->watch_idle_ns / 8 / NS_PER_MS);

    uv_timer_start(&h->watchdog, http_on_watchdog, every_ms + 1, every_ms + 1);
}

/* ---- end ----------------------------------------------------------------------------------------------------------------- */

static void http_free(struct http *h)
{
    curl_slist_free_all(h->connect_to);
    mem_free(h->user_agent);
    mem_free(h->base);
    mem_free(h->host);
    mem_free(h);
    curl_global_cleanup();
}

void http_handle_gone(struct http *h)
{
    if (--h->handles > 0 || !h->closing)
        return;
    void (*closed)(void *arg) = h->closed;
    void *arg = h->closed_arg;
    http_free(h);
    if (closed)
        closed(arg);
}

static void http_on_gone(void *arg)
{
    http_handle_gone(arg);
}

static void http_on_closed(uv_handle_t *handle)
{
    http_handle_gone(handle->data);
}

/* From the loop, when nothing of curl or of ours is on the stack. */
static void http_on_closer(uv_timer_t *timer)
{
    struct http *h = timer->data;

    if (h->exec)
        exec_cancel(h->exec, http_on_gone, h);
    http_channel_free(&h->watches);
    http_channel_free(&h->requests);
    uv_timer_stop(&h->watchdog);
    uv_close((uv_handle_t *)&h->watchdog, http_on_closed);
    uv_close((uv_handle_t *)&h->closer, http_on_closed);
}

static void http_mute(struct http_channel *ch)
{
    struct kube_call *c;

    TAILQ_FOREACH(c, &ch->running, entry)
    {
        c->cancelled = true;
    }
    TAILQ_FOREACH(c, &ch->waiting, entry)
    {
        c->cancelled = true;
    }
}

void http_close(struct http *h, void (*closed)(void *arg), void *arg)
{
    h->closing = true;
    h->closed = closed;
    h->closed_arg = arg;
    http_mute(&h->watches);
    http_mute(&h->requests);
    uv_timer_start(&h->closer, http_on_closer, 0, 0);
}

/* ---- beginning ----------------------------------------------------------------------------------------------------------- */

/* The name to be checked is that of the URL: so the URL gets it, and curl is told where that is to be found, and the server its own name. */
static int http_name(struct http *h, struct err *err)
{
    const char *host = h->c->server + strlen("https://"), *path = strchr(host, '/');
    size_t host_len = path ? (size_t)(path - host) : strlen(host);
    bool v6 = strchr(h->c->tls_name, ':') != NULL;
    struct str s;

    const char *port = host + host_len;
    while (port > host && port[-1] >= '0' && port[-1] <= '9')
        port--;
    bool has_port = port > host && port[-1] == ':' && port < host + host_len;
    size_t name_len = has_port ? (size_t)(port - 1 - host) : host_len;
    int port_len = has_port ? (int)(host + host_len - port) : 3;
    port = has_port ? port : "443";
    str_init(&s, 8192);
    str_addf(&s, v6 ? "https://[%s]:%.*s%s" : "https://%s:%.*s%s", h->c->tls_name, port_len, port,
             path ? path : "");
    h->base = str_take(&s);
    str_clear(&s);
    str_addf(&s, "::%.*s:%.*s", (int)name_len, host, port_len, port);
    h->connect_to = str_failed(&s) ? NULL : curl_slist_append(NULL, str_text(&s));
    str_free(&s);
    h->host = mem_strndup(host, host_len);
    return h->base && h->connect_to && h->host ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int http_fill(struct http *h, const struct http_options *o, struct err *err)
{
    static const struct http_options none;

    if (!o)
        o = &none;
    h->watch_idle_ns = o->watch_idle_ns > 0 ? o->watch_idle_ns : HTTP_WATCH_IDLE_S * NS_PER_S;
    h->connect_ns = o->connect_ns > 0 ? o->connect_ns : HTTP_CONNECT_S * NS_PER_S;
    h->user_timeout_ms = o->user_timeout_ms > 0 ? o->user_timeout_ms : HTTP_USER_TIMEOUT_MS;
    h->http1 = o->http1;
    h->user_agent = mem_strdup(o->user_agent ? o->user_agent : "sluice/" SLUICE_VERSION);
    if (!h->user_agent)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (h->c->tls_name && !h->c->plain)
        return http_name(h, err);
    h->base = mem_strdup(h->c->server);
    return h->base ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* Neither opens a file nor a connection. */
static int http_init(struct http *h, const struct http_options *o, struct err *err)
{
    int rc = http_fill(h, o, err);

    if (rc == 0)
        rc = http_channel_init(&h->watches, h, err);
    if (rc == 0)
        rc = http_channel_init(&h->requests, h, err);
    return rc;
}

int http_new(uv_loop_t *loop, struct credentials *c, const struct http_options *o, struct http **ret,
             struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_STATE, "libcurl does not start");
    struct http *h = mem_zalloc(1, sizeof(*h));
    if (!h) {
        curl_global_cleanup();
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    h->loop = loop;
    h->c = c;
    clock_system(&h->clock);
    uv_timer_init(loop, &h->watchdog);
    uv_timer_init(loop, &h->closer);
    h->watchdog.data = h->closer.data = h;
    h->handles = 2;
    int rc = http_init(h, o, err);
    if (rc < 0) {
        http_close(h, NULL, NULL); /* the timers are in the loop already: it frees them when it runs */
        return rc;
    }
    http_start_watchdog(h);
    *ret = h;
    return 0;
}
