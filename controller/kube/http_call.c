#include "kube/http_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const http_call_verbs[KUBE_VERBS] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

/* ---- what curl tells ----------------------------------------------------------------------------------------------------- */

static long http_call_status(const struct kube_call *c)
{
    long status = 0;

    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Seconds only (kubernetes.md 3.6). */
static int64_t http_call_seconds(const char *p, size_t len)
{
    int64_t s = 0;

    while (len > 0 && (*p == ' ' || *p == '\t'))
        p++, len--;
    while (len > 0 && strchr(" \t\r\n", p[len - 1]) && p[len - 1])
        len--;
    if (len == 0 || len > 9)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9')
            return -1;
        s = s * 10 + (p[i] - '0');
    }
    return s;
}

static size_t http_call_on_header(char *p, size_t size, size_t n, void *arg)
{
    static const char name[] = "retry-after:";
    struct kube_call *c = arg;
    size_t len = size * n;

    c->last_byte_ns = kube_mono(&c->ch->h->clock);
    if (len > 5 && strncasecmp(p, "HTTP/", 5) == 0)
        c->retry_after_s = -1; /* the next answer, after a 1xx or of a proxy before it */
    else if (len > sizeof(name) - 1 && strncasecmp(p, name, sizeof(name) - 1) == 0)
        c->retry_after_s = http_call_seconds(p + sizeof(name) - 1, len - (sizeof(name) - 1));
    return len;
}

/* Can another try follow an answer that says who are you? Then its body is not for the handler. */
static bool http_call_may_retry(const struct kube_call *c, long status)
{
    const struct credentials *who = c->ch->h->c;

    return status == 401 && !c->retried && (who->exec || who->token_file);
}

static size_t http_call_on_body(char *p, size_t size, size_t n, void *arg)
{
    struct kube_call *c = arg;
    size_t len = size * n;

    if (c->cancelled)
        return 0;
    c->ch->h->stats.bytes_received += len;
    c->last_byte_ns = kube_mono(&c->ch->h->clock);
    long status = http_call_status(c);
    if (c->stream && !http_call_may_retry(c, status)) {
        if (c->handler.on_data && !c->handler.on_data(c->handler.arg, (int)status, p, len))
            c->enough = true;
        return c->enough || c->cancelled ? 0 : len;
    }
    str_addn(&c->answer, p, len);
    if (!str_failed(&c->answer))
        return len;
    c->too_long = c->answer.len + len > c->answer.max;
    return 0;
}

/* ---- what curl is told --------------------------------------------------------------------------------------------------- */

static bool http_call_add_header(struct kube_call *c, const char *name, const char *value)
{
    struct str s;

    str_init(&s, CREDENTIALS_TOKEN_MAX + 4096);
    str_addf(&s, *value ? "%s: %s" : "%s:", name, value);
    struct curl_slist *list = str_failed(&s) ? NULL : curl_slist_append(c->headers, str_text(&s));
    if (s.p)
        explicit_bzero(s.p, s.len);
    str_free(&s);
    if (list)
        c->headers = list;
    return list != NULL;
}

static bool http_call_add_identity(struct kube_call *c)
{
    struct credentials *who = c->ch->h->c;
    const char *token = credentials_token(who, kube_mono(&c->ch->h->clock));
    struct str s;
    bool ok = true;

    c->generation = who->generation;
    if (token) {
        str_init(&s, CREDENTIALS_TOKEN_MAX + 16);
        str_addf(&s, "Bearer %s", token);
        ok = !str_failed(&s) && http_call_add_header(c, "Authorization", str_text(&s));
        if (s.p)
            explicit_bzero(s.p, s.len);
        str_free(&s);
    }
    ok = ok && (!who->as || http_call_add_header(c, "Impersonate-User", who->as));
    ok = ok && (!who->as_uid || http_call_add_header(c, "Impersonate-Uid", who->as_uid));
    for (uint32_t i = 0; ok && i < who->n_as_groups; i++)
        ok = http_call_add_header(c, "Impersonate-Group", who->as_groups[i]);
    for (uint32_t i = 0; ok && i < who->n_as_extra; i++) {
        str_init(&s, 4096);
        str_addf(&s, "Impersonate-Extra-%s", who->as_extra[i].key);
        ok = !str_failed(&s) && http_call_add_header(c, str_text(&s), who->as_extra[i].value);
        str_free(&s);
    }
    return ok;
}

static bool http_call_make_headers(struct kube_call *c)
{
    curl_slist_free_all(c->headers);
    c->headers = NULL;
    return http_call_add_header(c, "Accept", KUBE_JSON) &&
           (!c->ch->h->host || http_call_add_header(c, "Host", c->ch->h->host)) &&
           (!c->body || http_call_add_header(c, "Content-Type", c->content_type)) &&
           http_call_add_header(c, "Expect", "") && /* no round trip before a long body */
           http_call_add_identity(c);
}

#define SET(option, value) (rc |= (unsigned)curl_easy_setopt(c->easy, option, value))

static struct curl_blob http_call_blob(const char *data, size_t len, unsigned flags)
{
    return (struct curl_blob){.data = (void *)(uintptr_t)data, .len = len, .flags = flags};
}

/* libraries.md 1.4. The default CApath must go with any CA of ours, or every public authority is trusted beside it. */
static unsigned http_call_set_tls(struct kube_call *c)
{
    const struct credentials *who = c->ch->h->c;
    struct curl_blob blob;
    unsigned rc = 0;

    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_SSL_VERIFYPEER, who->insecure ? 0L : 1L);
    SET(CURLOPT_SSL_VERIFYHOST, who->insecure ? 0L : 2L);
    if (who->ca.data || who->ca.file) {
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO, who->ca.data ? NULL : who->ca.file);
    }
    if (who->ca.data) {
        blob = http_call_blob(who->ca.data, who->ca.len, CURL_BLOB_NOCOPY);
        SET(CURLOPT_CAINFO_BLOB, &blob);
    }
    const char *cert = who->exec_cert ? who->exec_cert : who->cert.data;
    const char *key = who->exec_key ? who->exec_key : who->key.data;
    if (cert) {
        blob = http_call_blob(cert, strlen(cert), CURL_BLOB_COPY); /* a plugin's may be replaced meanwhile */
        SET(CURLOPT_SSLCERT_BLOB, &blob);
    } else if (who->cert.file) {
        SET(CURLOPT_SSLCERT, who->cert.file);
    }
    if (key) {
        blob = http_call_blob(key, strlen(key), CURL_BLOB_COPY);
        SET(CURLOPT_SSLKEY_BLOB, &blob);
    } else if (who->key.file) {
        SET(CURLOPT_SSLKEY, who->key.file);
    }
    return rc;
}

/* The environment has no say in a pod, nor for a server on this machine; and a proxy of the kubeconfig knows no exceptions. */
static unsigned http_call_set_proxy(struct kube_call *c)
{
    const struct credentials *who = c->ch->h->c;
    unsigned rc = 0;

    if (who->proxy) {
        SET(CURLOPT_PROXY, who->proxy);
        SET(CURLOPT_NOPROXY, "");
    } else if (who->in_cluster || who->loopback) {
        SET(CURLOPT_PROXY, "");
        SET(CURLOPT_NOPROXY, "*");
    }
    return rc;
}

static unsigned http_call_set_connection(struct kube_call *c)
{
    const struct http *h = c->ch->h;
    bool http1 = h->http1 || h->c->plain;
    unsigned rc = 0;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, h->c->plain ? "http" : "https");
    SET(CURLOPT_HTTP_VERSION, (long)(http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    SET(CURLOPT_PIPEWAIT, http1 ? 0L : 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)((h->connect_ns + NS_PER_MS - 1) / NS_PER_MS));
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, 15L);
    SET(CURLOPT_TCP_KEEPINTVL, 5L);
    SET(CURLOPT_OPENSOCKETFUNCTION, http_channel_open);
    SET(CURLOPT_OPENSOCKETDATA, c->ch);
    SET(CURLOPT_CLOSESOCKETFUNCTION, http_channel_close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, c->ch);
    SET(CURLOPT_SOCKOPTFUNCTION, http_channel_sockopt);
    SET(CURLOPT_SOCKOPTDATA, c->ch);
    if (h->connect_to)
        SET(CURLOPT_CONNECT_TO, h->connect_to);
    if (h->c->user) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, h->c->user);
        SET(CURLOPT_PASSWORD, h->c->password ? h->c->password : "");
    }
    return rc;
}

/* What may have a long answer gets a larger buffer, and so a handle of its own: a used one keeps its buffer, and refuses (43) another size. */
static bool http_call_is_long(const struct kube_call *c)
{
    return c->verb == KUBE_GET;
}

static unsigned http_call_set_request(struct kube_call *c)
{
    unsigned rc = 0;

    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_URL, c->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTPHEADER, c->headers);
    SET(CURLOPT_USERAGENT, c->ch->h->user_agent);
    SET(CURLOPT_ERRORBUFFER, c->error);
    SET(CURLOPT_HEADERFUNCTION, http_call_on_header);
    SET(CURLOPT_HEADERDATA, c);
    SET(CURLOPT_WRITEFUNCTION, http_call_on_body);
    SET(CURLOPT_WRITEDATA, c);
    if (http_call_is_long(c))
        SET(CURLOPT_BUFFERSIZE, c->stream ? 65536L : 262144L);
    SET(CURLOPT_TIMEOUT_MS, (long)((c->timeout_ns + NS_PER_MS - 1) / NS_PER_MS));
    if (c->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len);
        SET(CURLOPT_POSTFIELDS, c->body);
    }
    if (c->verb != KUBE_GET || c->body)
        SET(CURLOPT_CUSTOMREQUEST, http_call_verbs[c->verb]);
    return rc;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

static CURL *http_call_easy(const struct kube_call *c)
{
    struct http_channel *ch = c->ch;

    return ch->n_spare > 0 && !http_call_is_long(c) ? ch->spare[--ch->n_spare] : curl_easy_init();
}

/* Outside of curl only. */
static void http_call_drop_easy(struct kube_call *c)
{
    struct http_channel *ch = c->ch;

    if (!c->easy)
        return;
    curl_multi_remove_handle(ch->multi, c->easy);
    if (ch->n_spare < HTTP_SPARE_MAX && !http_call_is_long(c)) {
        curl_easy_reset(c->easy);
        ch->spare[ch->n_spare++] = c->easy;
    } else {
        curl_easy_cleanup(c->easy);
    }
    c->easy = NULL;
}

static void http_call_unlink(struct kube_call *c)
{
    c->ending = true;
    if (c->running) {
        TAILQ_REMOVE(&c->ch->running, c, entry);
        c->ch->h->stats.running--;
    } else {
        TAILQ_REMOVE(&c->ch->waiting, c, entry);
    }
}

/* When it is in no list any more. */
static void http_call_discard(struct kube_call *c)
{
    http_call_drop_easy(c);
    for (struct curl_slist *h = c->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data)); /* a token may be in it */
    curl_slist_free_all(c->headers);
    mem_free(c->url);
    mem_free(c->content_type);
    mem_free(c->body);
    str_free(&c->answer);
    mem_free(c);
}

void http_call_free(struct kube_call *c)
{
    http_call_unlink(c);
    http_call_discard(c);
}

int http_call_send(struct kube_call *c, struct err *err)
{
    struct http_channel *ch = c->ch;

    c->easy = http_call_easy(c);
    if (!c->easy || !http_call_make_headers(c))
        goto no_memory;
    c->retry_after_s = -1;
    c->last_byte_ns = kube_mono(&ch->h->clock);
    c->error[0] = '\0';
    str_clear(&c->answer);
    unsigned rc = http_call_set_connection(c) | http_call_set_proxy(c) | http_call_set_request(c);
    if (!ch->h->c->plain)
        rc |= http_call_set_tls(c);
    CURLMcode added = rc == 0 ? curl_multi_add_handle(ch->multi, c->easy) : CURLM_OK;
    if (rc != 0 || added != CURLM_OK) {
        err_set(err, ERR_NOMEM, "libcurl refuses the request: %s",
                rc ? "out of memory" : curl_multi_strerror(added));
        curl_easy_cleanup(c->easy);
        c->easy = NULL;
        return ERR_NOMEM;
    }
    TAILQ_REMOVE(&ch->waiting, c, entry);
    TAILQ_INSERT_TAIL(&ch->running, c, entry);
    c->running = true;
    ch->h->stats.running++;
    ch->h->stats.bytes_sent += c->body_len;
    return 0;
no_memory:
    if (c->easy)
        curl_easy_cleanup(c->easy);
    c->easy = NULL;
    return err_set(err, ERR_NOMEM, "out of memory");
}

static struct kube_call *http_call_new(struct http_channel *ch, const struct kube_request *r,
                                       const struct kube_handler *h)
{
    struct kube_call *c = mem_zalloc(1, sizeof(*c));
    struct str url;

    if (!c)
        return NULL;
    str_init(&url, 0);
    str_add(&url, ch->h->base);
    str_add(&url, r->path);
    c->ch = ch;
    c->handler = *h;
    c->verb = r->verb;
    c->stream = r->stream;
    c->timeout_ns = r->timeout_ns;
    c->url = str_take(&url);
    str_free(&url);
    str_init(&c->answer, KUBE_BODY_MAX);
    bool ok = c->url != NULL;
    if (r->body) {
        c->body = mem_strndup(r->body, r->body_len);
        c->body_len = r->body_len;
        c->content_type = mem_strdup(r->content_type ? r->content_type : KUBE_JSON);
        ok = ok && c->body && c->content_type;
    }
    if (!ok) {
        http_call_discard(c);
        return NULL;
    }
    return c;
}

struct kube_call *http_call_start(void *self, const struct kube_request *r, const struct kube_handler *h,
                                  struct err *err)
{
    struct http_channel *ch = self;
    bool ready = false;

    if (ch->h->closing) {
        err_set(err, ERR_STATE, "the connections are closed");
        return NULL;
    }
    struct kube_call *c = r->path[0] == '/' ? http_call_new(ch, r, h) : NULL;
    if (!c) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    c->seq = ++ch->h->seq;
    /* Those that wait already go first, and curl may be running: then it waits too. */
    bool now = ch->inside == 0 && TAILQ_EMPTY(&ch->waiting);
    TAILQ_INSERT_TAIL(&ch->waiting, c, entry);
    if (now && (http_ready(ch->h, &ready, err) < 0 || (ready && http_call_send(c, err) < 0))) {
        http_call_free(c);
        return NULL;
    }
    if (http_is_watch(c))
        ch->h->stats.watches++;
    else
        ch->h->stats.requests[c->verb]++;
    return c;
}

void http_call_cancel(void *self, struct kube_call *c)
{
    struct http_channel *ch = self;

    c->cancelled = true;
    if (c->ending)
        return;
    if (c->running && ch->inside > 0)
        ch->dead = true;
    else if (!ch->h->closing)
        http_call_free(c);
}

void http_call_fail(struct kube_call *c, const char *why)
{
    struct kube_reply reply = {.body = "", .retry_after_s = -1, .error = why};

    http_call_unlink(c);
    c->ch->h->stats.replies[c->verb][0]++;
    if (!c->cancelled)
        c->handler.on_done(c->handler.arg, &reply);
    http_call_discard(c);
}

static const char *http_call_why(const struct kube_call *c, CURLcode rc)
{
    if (rc == CURLE_OK)
        return "";
    if (c->enough)
        return "the reader had enough";
    if (c->too_long)
        return "the answer is longer than 64 MiB";
    return c->error[0] ? c->error : curl_easy_strerror(rc);
}

/* Once more with newer credentials, if there are any (1.4, kubernetes.md 3.15). */
static bool http_call_retry(struct kube_call *c, long status)
{
    struct http *h = c->ch->h;

    if (!http_call_may_retry(c, status) || !credentials_renew(h->c, c->generation, kube_mono(&h->clock)))
        return false;
    c->retried = true;
    h->stats.retried++;
    http_call_unlink(c);
    http_call_drop_easy(c);
    c->running = c->ending = false;
    TAILQ_INSERT_TAIL(&c->ch->waiting, c, entry);
    return true;
}

static void http_call_tell(struct kube_call *c, CURLcode rc, long status)
{
    bool whole = rc == CURLE_OK && !c->stream;
    struct kube_reply reply = {.status = (int)status,
                               .body = whole ? str_text(&c->answer) : "",
                               .body_len = whole ? c->answer.len : 0,
                               .retry_after_s = rc == CURLE_OK ? c->retry_after_s : -1,
                               .error = http_call_why(c, rc)};

    /* What was kept of a 401 in case of another try. */
    if (rc == CURLE_OK && c->stream && c->answer.len > 0 && c->handler.on_data &&
        !c->handler.on_data(c->handler.arg, (int)status, c->answer.p, c->answer.len)) {
        reply.status = 0;
        reply.error = "the reader had enough";
    }
    if (!c->cancelled)
        c->handler.on_done(c->handler.arg, &reply);
}

void http_call_ended(struct kube_call *c, CURLcode rc)
{
    struct http *h = c->ch->h;
    long status = rc == CURLE_OK ? http_call_status(c) : 0, port = 0;

    curl_easy_getinfo(c->easy, CURLINFO_LOCAL_PORT, &port);
    if (rc == CURLE_OPERATION_TIMEDOUT)
        h->stats.timeouts++;
    if (rc == CURLE_OPERATION_TIMEDOUT || rc == CURLE_OK)
        http_channel_timely(c->ch, port, rc == CURLE_OK);
    if (c->cancelled) {
        http_call_free(c);
        return;
    }
    if (status == 429)
        h->stats.throttled++;
    if (http_call_retry(c, status))
        return;
    h->stats.replies[c->verb][status >= 100 && status < 600 ? status / 100 : 0]++;
    http_call_unlink(c);
    curl_multi_remove_handle(c->ch->multi,
                             c->easy); /* the reply may make it start others: the handle is out of the way */
    http_call_tell(c, rc, status);
    http_call_discard(c);
}
