#include "cli/cluster.h"

#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/http.h"
#include "kube/kubeconfig.h"
#include "kube/reply.h"

#include <string.h>
#include <uv.h>

enum { PAGE = 500, CALL_TIMEOUT_S = 60 };

struct cluster {
    uv_loop_t loop;
    struct credentials *credentials;
    struct http *http;
    struct arena arena, scratch; /* of the last answer */
    /* the call under way */
    bool waiting;
    int status, rc;
    const struct doc_node *doc;
    struct err err;
};

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

void cluster_close(struct cluster *c)
{
    if (!c)
        return;
    if (c->http)
        http_close(c->http, NULL, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    uv_walk(&c->loop, close_handle, NULL);
    (void)uv_run(&c->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&c->loop);
    credentials_free(c->credentials);
    arena_free(&c->arena);
    arena_free(&c->scratch);
    mem_free(c);
}

int cluster_open(const struct cluster_options *o, struct cluster **ret, struct err *err)
{
    const struct kubeconfig_options k = {.file = o->kubeconfig, .context = o->context, .exec = true};
    struct cluster *c = mem_zalloc(1, sizeof(*c));

    *ret = NULL;
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (uv_loop_init(&c->loop)) {
        mem_free(c);
        return err_set(err, ERR_IO, "the event loop cannot be made");
    }
    arena_init(&c->arena, 65536);
    arena_init(&c->scratch, 16384);
    int rc = kubeconfig_find(&k, &c->credentials, err);
    if (!rc)
        rc = http_new(&c->loop, c->credentials, NULL, &c->http, err);
    if (rc)
        cluster_close(c);
    else
        *ret = c;
    return rc;
}

const char *cluster_source(const struct cluster *c)
{
    return c->credentials->source;
}

static void on_done(void *arg, const struct kube_reply *r)
{
    struct cluster *c = arg;

    c->waiting = false;
    c->status = r->status;
    c->rc = r->status ? 0 : err_set(&c->err, ERR_IO, "%s", r->error);
    if (r->status && r->body_len && json_read(&c->arena, &c->scratch, r->body, r->body_len, 1, &c->doc, NULL))
        c->doc = NULL;
}

/* The answer is read into the arena; cluster_list takes back what a page and those of its objects took. */
static int call(struct cluster *c, const struct kube_request *q, struct err *err)
{
    const struct kube_handler handler = {.on_done = on_done, .arg = c};
    const struct kube_server *s = http_requests(c->http);

    c->doc = NULL;
    c->waiting = true;
    if (!s->start(s->self, q, &handler, err)) {
        c->waiting = false;
        return err ? err->code : ERR_NOMEM;
    }
    while (c->waiting)
        (void)uv_run(&c->loop, UV_RUN_ONCE);
    if (c->rc)
        return err_set(err, c->rc, "%s: %s", cluster_source(c), c->err.text);
    return 0;
}

int cluster_call(struct cluster *c, enum kube_verb verb, const char *path, const char *content_type,
                 const char *body, int *ret_status, const struct doc_node **ret, struct err *err)
{
    const struct kube_request q = {
        .verb = verb,
        .path = path,
        .content_type = content_type,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .timeout_ns = CALL_TIMEOUT_S * NS_PER_S,
    };

    int rc = call(c, &q, err);
    if (rc)
        return rc;
    *ret_status = c->status;
    if (ret)
        *ret = c->doc;
    return 0;
}

/* What `each` asks for is gone before the next: of 100,000 objects, the answers would be gigabytes. */
static int each_item(struct cluster *c, const struct doc_node *list, cluster_each_fn *each, void *arg,
                     struct err *err)
{
    doc_foreach (item, doc_field(list, "items")) {
        struct arena_mark mark = arena_mark(&c->arena);
        int rc = each(arg, item, err);
        arena_rewind(&c->arena, mark);
        if (rc)
            return rc;
    }
    return 0;
}

static int refusal(const char *path, int status, const struct doc_node *doc, struct err *err)
{
    return err_set(err, status == 404 ? ERR_NOTFOUND : ERR_IO, "%s: %d %s", path, status,
                   doc_str_or(doc, "message", ""));
}

static void page_path(struct str *out, const char *path, const char *go_on)
{
    str_clear(out);
    str_addf(out, "%s?limit=%d", path, PAGE);
    if (*go_on)
        str_add(out, "&continue=");
    for (const char *p = go_on; *p; p++)
        str_addf(out, strchr("+/=&%", *p) ? "%%%02X" : "%c", (unsigned)(unsigned char)*p);
}

int cluster_list(struct cluster *c, const char *path, cluster_each_fn *each, void *arg, struct err *err)
{
    struct str page;
    int rc = 0;

    str_init(&page, 0);
    page_path(&page, path, "");
    do {
        struct arena_mark mark = arena_mark(&c->arena);
        const struct doc_node *doc = NULL;
        int status = 0;
        rc = str_failed(&page) ? ERR_NOMEM
                               : cluster_call(c, KUBE_GET, str_text(&page), NULL, NULL, &status, &doc, err);
        if (!rc && (status != 200 || !doc))
            rc = refusal(path, status, doc, err);
        if (!rc)
            rc = each_item(c, doc, each, arg, err);
        page_path(&page, path, rc ? "" : doc_str_or(doc_field(doc, "metadata"), "continue", ""));
        arena_rewind(&c->arena, mark);
    } while (!rc && (str_failed(&page) || strstr(str_text(&page), "&continue=")));
    str_free(&page);
    return rc;
}
