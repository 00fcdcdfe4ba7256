#include "kube/selfcheck.h"

#include "api/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/reply.h"

#include <string.h>

#define SELFCHECK_PATH "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

enum { SELFCHECK_TIMEOUT_S = 30 };

/* One review under way. */
struct selfcheck_ask {
    struct selfcheck *c;
    struct kube_call *call;
    uint32_t item;
};

struct selfcheck {
    const struct kube_server *server;
    struct selfcheck_item *items;
    uint32_t n, next, open;
    struct selfcheck_ask asks[SELFCHECK_PARALLEL];
    int status;
    struct err err;
    void (*done)(void *arg, int status, const struct err *err);
    void *arg;
};

/* ---- asking -------------------------------------------------------------------------------------------------------------- */

static const char *selfcheck_text(const char *text)
{
    return text ? text : "";
}

static void selfcheck_body(struct str *s, const struct selfcheck_item *item)
{
    const char *fields[][2] = {{"verb", item->verb},
                               {"group", item->group},
                               {"resource", item->resource},
                               {"subresource", item->subresource},
                               {"namespace", item->ns}};

    str_add(s, "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
               "\"resourceAttributes\":{");
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        str_addf(s, i ? ",\"%s\":" : "\"%s\":", fields[i][0]);
        str_add_json(s, selfcheck_text(fields[i][1]));
    }
    str_add(s, "}}}");
}

static void selfcheck_on_done(void *arg, const struct kube_reply *r);

static int selfcheck_send(struct selfcheck *c, struct selfcheck_ask *ask, struct err *err)
{
    struct kube_handler h = {.on_done = selfcheck_on_done, .arg = ask};
    struct str body;

    str_init(&body, 65536);
    selfcheck_body(&body, &c->items[c->next]);
    struct kube_request r = {.verb = KUBE_POST,
                             .path = SELFCHECK_PATH,
                             .content_type = KUBE_JSON,
                             .body = str_text(&body),
                             .body_len = body.len,
                             .timeout_ns = SELFCHECK_TIMEOUT_S * NS_PER_S};
    int rc = str_failed(&body) ? err_set(err, ERR_NOMEM, "out of memory") : 0;
    ask->call = rc == 0 ? c->server->start(c->server->self, &r, &h, err) : NULL;
    str_free(&body);
    if (!ask->call)
        return rc < 0 ? rc : ERR_NOMEM;
    ask->item = c->next++;
    c->open++;
    return 0;
}

void selfcheck_cancel(struct selfcheck *c)
{
    for (uint32_t i = 0; i < SELFCHECK_PARALLEL; i++) {
        if (c->asks[i].call)
            c->server->cancel(c->server->self, c->asks[i].call);
    }
    mem_free(c);
}

/* Is there an answer, and which? */
static int selfcheck_read(const struct kube_reply *r, bool *ret_allowed, struct err *err)
{
    const struct doc_node *root;
    struct arena a, scratch;

    arena_init(&a, 4096);
    arena_init(&scratch, 4096);
    int rc = json_read(&a, &scratch, r->body, r->body_len, 1, &root, err);
    if (rc == 0)
        *ret_allowed = doc_bool_or(doc_field(root, "status"), "allowed", false);
    arena_free(&a);
    arena_free(&scratch);
    return rc;
}

static void selfcheck_finish(struct selfcheck *c)
{
    void (*done)(void *arg, int status, const struct err *err) = c->done;
    void *arg = c->arg;
    int status = c->status;
    struct err err = c->err;

    selfcheck_cancel(c);
    done(arg, status, &err);
}

static void selfcheck_on_done(void *arg, const struct kube_reply *r)
{
    struct selfcheck_ask *ask = arg;
    struct selfcheck *c = ask->c;
    struct reply reply;
    struct err err;

    ask->call = NULL;
    c->open--;
    if (r->status != 201 && r->status != 200) {
        reply_read(r, &reply);
        c->status = err_set(&c->err, ERR_IO, "no SelfSubjectAccessReview: %s", reply.message);
    } else if (selfcheck_read(r, &c->items[ask->item].allowed, &err) < 0) {
        c->status = err_set(&c->err, ERR_IO, "a SelfSubjectAccessReview that cannot be read: %s", err.text);
    } else if (c->next < c->n) {
        c->status = selfcheck_send(c, ask, &c->err);
    }
    if (c->status < 0 || c->open == 0)
        selfcheck_finish(c);
}

int selfcheck_start(const struct kube_server *s, struct selfcheck_item *items, uint32_t n,
                    void (*done)(void *arg, int status, const struct err *err), void *arg,
                    struct selfcheck **ret, struct err *err)
{
    if (n == 0 || n > SELFCHECK_ITEMS_MAX)
        return err_set(err, ERR_LIMIT, "1 to %d questions", SELFCHECK_ITEMS_MAX);
    struct selfcheck *c = mem_zalloc(1, sizeof(*c));
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->server = s;
    c->items = items;
    c->n = n;
    c->done = done;
    c->arg = arg;
    for (uint32_t i = 0; i < SELFCHECK_PARALLEL; i++)
        c->asks[i].c = c;
    for (uint32_t i = 0; i < SELFCHECK_PARALLEL && c->next < n; i++) {
        int rc = selfcheck_send(c, &c->asks[i], err);
        if (rc < 0) {
            selfcheck_cancel(c);
            return rc;
        }
    }
    *ret = c;
    return 0;
}

/* ---- rules --------------------------------------------------------------------------------------------------------------- */

uint32_t selfcheck_missing(const struct selfcheck_item *items, uint32_t n)
{
    uint32_t missing = 0;

    for (uint32_t i = 0; i < n; i++)
        missing += !items[i].allowed;
    return missing;
}

static bool selfcheck_same(const char *a, const char *b)
{
    return strcmp(selfcheck_text(a), selfcheck_text(b)) == 0;
}

static bool selfcheck_same_object(const struct selfcheck_item *a, const struct selfcheck_item *b)
{
    return selfcheck_same(a->ns, b->ns) && selfcheck_same(a->group, b->group) &&
           selfcheck_same(a->resource, b->resource) && selfcheck_same(a->subresource, b->subresource);
}

/* Does `items` miss `verb` on the object of `of`? */
static bool selfcheck_lacks(const struct selfcheck_item *items, uint32_t n, const struct selfcheck_item *of,
                            const char *verb)
{
    for (uint32_t i = 0; i < n; i++) {
        if (!items[i].allowed && selfcheck_same_object(&items[i], of) && strcmp(items[i].verb, verb) == 0)
            return true;
    }
    return false;
}

/* Are the same verbs missing on both? */
static bool selfcheck_same_verbs(const struct selfcheck_item *items, uint32_t n,
                                 const struct selfcheck_item *a, const struct selfcheck_item *b)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct selfcheck_item *x = &items[i];
        if (x->allowed)
            continue;
        if (selfcheck_same_object(x, a) && !selfcheck_lacks(items, n, b, x->verb))
            return false;
        if (selfcheck_same_object(x, b) && !selfcheck_lacks(items, n, a, x->verb))
            return false;
    }
    return true;
}

/* Does a rule for an item before this one hold it already? */
static bool selfcheck_is_told(const struct selfcheck_item *items, uint32_t n, uint32_t i)
{
    for (uint32_t j = 0; j < i; j++) {
        const struct selfcheck_item *x = &items[j];
        if (!x->allowed && selfcheck_same(x->ns, items[i].ns) && selfcheck_same(x->group, items[i].group) &&
            selfcheck_same_verbs(items, n, x, &items[i]))
            return true;
    }
    return false;
}

static void selfcheck_add_name(struct str *s, const struct selfcheck_item *x, bool first)
{
    const char *sub = selfcheck_text(x->subresource);

    str_addf(s, "%s\"%s%s%s\"", first ? "" : ", ", x->resource, *sub ? "/" : "", sub);
}

static void selfcheck_add_rule(struct str *s, const struct selfcheck_item *items, uint32_t n, uint32_t i)
{
    const struct selfcheck_item *of = &items[i];

    str_addf(s, "- apiGroups: [\"%s\"]\n  resources: [", selfcheck_text(of->group));
    for (uint32_t j = i; j < n; j++) {
        bool again = false;
        for (uint32_t k = i; k < j; k++)
            again = again || (!items[k].allowed && selfcheck_same_object(&items[k], &items[j]));
        if (!items[j].allowed && !again && selfcheck_same(of->ns, items[j].ns) &&
            selfcheck_same(of->group, items[j].group) && selfcheck_same_verbs(items, n, of, &items[j]))
            selfcheck_add_name(s, &items[j], j == i);
    }
    str_add(s, "]\n  verbs: [");
    for (uint32_t j = i, first = 1; j < n; j++) {
        bool again = false;
        for (uint32_t k = i; k < j; k++)
            again = again || (!items[k].allowed && selfcheck_same_object(&items[k], of) &&
                              strcmp(items[k].verb, items[j].verb) == 0);
        if (items[j].allowed || again || !selfcheck_same_object(&items[j], of))
            continue;
        str_addf(s, "%s\"%s\"", first ? "" : ", ", items[j].verb);
        first = 0;
    }
    str_add(s, "]\n");
}

char *selfcheck_rules(const struct selfcheck_item *items, uint32_t n)
{
    struct str s;

    str_init(&s, 1 << 20);
    for (uint32_t i = 0; i < n; i++) { /* the i-th begins a namespace */
        const char *ns = selfcheck_text(items[i].ns);
        bool begun = items[i].allowed;
        for (uint32_t j = 0; j < i && !begun; j++)
            begun = !items[j].allowed && selfcheck_same(items[j].ns, ns);
        if (begun)
            continue;
        if (*ns)
            str_addf(&s, "# Role in the namespace %s\n", ns);
        else
            str_add(&s, "# ClusterRole\n");
        for (uint32_t j = i; j < n; j++) {
            if (!items[j].allowed && selfcheck_same(items[j].ns, ns) && !selfcheck_is_told(items, n, j))
                selfcheck_add_rule(&s, items, n, j);
        }
    }
    char *text = str_take(&s);
    str_free(&s);
    return text;
}
