#include "kube/discovery.h"

#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/reply.h"

#include <stdlib.h>
#include <string.h>

enum { DISCOVERY_TIMEOUT_S = 30 };

/* One request: of a group and version, or (`items` empty) of the server's own version. */
struct discovery_ask {
    struct discovery *d;
    struct kube_call *call;
    uint64_t items; /* bits: which are answered by it */
};

struct discovery {
    const struct kube_server *server;
    struct discovery_item *items;
    struct discovery_item answers[DISCOVERY_ITEMS_MAX];
    uint32_t n;
    struct discovery_ask asks[DISCOVERY_ITEMS_MAX + 1];
    uint32_t n_asks, open;
    struct discovery_version version;
    int status;
    struct err err;
    void (*done)(void *arg, int status, const struct discovery_version *v, const struct err *err);
    void *arg;
};

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

/* "36" or, as some providers write it, "36+". */
static int discovery_number(const struct doc_node *root, const char *field)
{
    const char *text = doc_str_or(root, field, "");
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && digits < 6 ? (int)strtol(text, NULL, 10) : 0;
}

static void discovery_read_version(struct discovery *d, const struct doc_node *root)
{
    const char *text = doc_str_or(root, "gitVersion", "");
    size_t len = strnlen(text, sizeof(d->version.text) - 1);

    d->version.major = discovery_number(root, "major");
    d->version.minor = discovery_number(root, "minor");
    memcpy(d->version.text, text, len);
    d->version.text[len] = '\0';
}

static void discovery_read_resource(struct discovery_item *item, const struct doc_node *resource)
{
    const char *name = doc_str_or(resource, "name", "");
    size_t len = strlen(item->resource);

    if (strcmp(name, item->resource) == 0) {
        item->served = true;
        item->namespaced = doc_bool_or(resource, "namespaced", false);
    } else if (strncmp(name, item->resource, len) == 0 && strcmp(name + len, "/status") == 0) {
        item->status = true;
    }
}

static void discovery_read_list(struct discovery *d, uint64_t items, const struct doc_node *root)
{
    doc_foreach (resource, doc_field(root, "resources")) {
        for (uint32_t i = 0; i < d->n; i++) {
            if (items >> i & 1)
                discovery_read_resource(&d->answers[i], resource);
        }
    }
}

static int discovery_read(struct discovery *d, uint64_t items, const struct kube_reply *r, struct err *err)
{
    const struct doc_node *root;
    struct arena a, scratch;

    arena_init(&a, 65536);
    arena_init(&scratch, 16384);
    int rc = json_read(&a, &scratch, r->body, r->body_len, 1, &root, err);
    if (rc == 0 && items == 0)
        discovery_read_version(d, root);
    else if (rc == 0)
        discovery_read_list(d, items, root);
    arena_free(&a);
    arena_free(&scratch);
    return rc;
}

/* ---- asking -------------------------------------------------------------------------------------------------------------- */

/* The first failure ends it: the others are not waited for. */
static void discovery_finish(struct discovery *d)
{
    for (uint32_t i = 0; i < d->n_asks; i++) {
        if (d->asks[i].call)
            d->server->cancel(d->server->self, d->asks[i].call);
    }
    if (d->status == 0 && d->n > 0)
        memcpy(d->items, d->answers, d->n * sizeof(*d->items));
    d->done(d->arg, d->status, &d->version, &d->err);
    mem_free(d);
}

static void discovery_on_done(void *arg, const struct kube_reply *r)
{
    struct discovery_ask *ask = arg;
    struct discovery *d = ask->d;
    struct reply reply;
    struct err err;

    ask->call = NULL;
    d->open--;
    if (r->status == 200) {
        if (discovery_read(d, ask->items, r, &err) < 0)
            d->status = err_set(&d->err, ERR_IO, "what the server serves cannot be read: %s", err.text);
    } else if (r->status != 404 || ask->items == 0) {
        reply_read(r, &reply);
        d->status = err_set(&d->err, ERR_IO, "the server does not say what it serves: %s", reply.message);
    }
    if (d->status < 0 || d->open == 0)
        discovery_finish(d);
}

static int discovery_send(struct discovery *d, uint32_t i, struct err *err)
{
    struct discovery_ask *ask = &d->asks[i];
    struct kube_handler h = {.on_done = discovery_on_done, .arg = ask};
    struct kube_request r = {.timeout_ns = DISCOVERY_TIMEOUT_S * NS_PER_S};
    struct str path;

    str_init(&path, 1024);
    if (ask->items == 0) {
        str_add(&path, "/version");
    } else {
        const struct discovery_item *item = &d->items[__builtin_ctzll(ask->items)];
        str_addf(&path, *item->group ? "/apis/%s/%s" : "/api%s/%s", item->group, item->version);
    }
    r.path = str_text(&path);
    int rc = str_failed(&path) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    ask->call = rc == 0 ? d->server->start(d->server->self, &r, &h, err) : NULL;
    str_free(&path);
    if (!ask->call)
        return rc < 0 ? rc : ERR_NOMEM;
    d->open++;
    return 0;
}

/* One question for each group and version, however many kinds are asked about. */
static void discovery_plan(struct discovery *d)
{
    d->asks[d->n_asks++] = (struct discovery_ask){.d = d};
    for (uint32_t i = 0; i < d->n; i++) {
        struct discovery_item *a = &d->answers[i];
        *a = (struct discovery_item){
            .group = d->items[i].group, .version = d->items[i].version, .resource = d->items[i].resource};
        struct discovery_ask *ask = NULL;
        for (uint32_t j = 1; j < d->n_asks && !ask; j++) {
            const struct discovery_item *b = &d->items[__builtin_ctzll(d->asks[j].items)];
            if (strcmp(a->group, b->group) == 0 && strcmp(a->version, b->version) == 0)
                ask = &d->asks[j];
        }
        if (!ask) {
            ask = &d->asks[d->n_asks++];
            *ask = (struct discovery_ask){.d = d};
        }
        ask->items |= UINT64_C(1) << i;
    }
}

int discovery_start(const struct kube_server *s, struct discovery_item *items, uint32_t n,
                    void (*done)(void *arg, int status, const struct discovery_version *v,
                                 const struct err *err),
                    void *arg, struct discovery **ret, struct err *err)
{
    if (n > DISCOVERY_ITEMS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d kinds", DISCOVERY_ITEMS_MAX);
    struct discovery *d = mem_zalloc(1, sizeof(*d));
    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    d->server = s;
    d->items = items;
    d->n = n;
    d->done = done;
    d->arg = arg;
    discovery_plan(d);
    for (uint32_t i = 0; i < d->n_asks; i++) {
        int rc = discovery_send(d, i, err);
        if (rc < 0) {
            discovery_cancel(d);
            return rc;
        }
    }
    *ret = d;
    return 0;
}

void discovery_cancel(struct discovery *d)
{
    for (uint32_t i = 0; i < d->n_asks; i++) {
        if (d->asks[i].call)
            d->server->cancel(d->server->self, d->asks[i].call);
    }
    mem_free(d);
}
