#include "api/references.h"

#include "api/set_priv.h"

#include "base/str.h"

#include <string.h>

/* "kind/namespace/name" of something that is there. */
static int add(struct names *n, struct str *key, enum api_kind kind, const char *ns, const char *name)
{
    uint32_t id;
    str_clear(key);
    str_addf(key, "%d/%s/%s", (int)kind, ns, name);
    return str_failed(key) ? ERR_NOMEM : names_idn(n, str_text(key), key->len, &id);
}

static bool has(const struct names *n, struct str *key, enum api_kind kind, const char *ns, const char *name)
{
    str_clear(key);
    str_addf(key, "%d/%s/%s", (int)kind, ns, name);
    return names_find(n, str_text(key)) != UINT32_MAX;
}

static bool is_finished(const struct fact_workload *w)
{
    for (uint32_t i = 0; i < w->nconditions; i++) {
        if (w->conditions[i].type == COND_FINISHED && w->conditions[i].status == STATUS_TRUE)
            return true;
    }
    return false;
}

static uint32_t line_of(const struct object *o, const char *field)
{
    const struct doc_node *n = doc_path(o->doc, field);
    return n ? n->line : o->line;
}

static void note_missing(struct api_set *s, const struct object *o, const char *field, const char *kind,
                         const char *ns, const char *name)
{
    char text[640];
    struct str out;
    str_init(&out, sizeof(text));
    str_addf(&out, "Not found: there is no %s %.256s%s%.256s", kind, ns, *ns ? "/" : "", name);
    s->file = o->file;
    s->kind = api_kind_name(o->kind);
    s->ns = o->ns;
    s->name = o->name;
    set_note(s, true, line_of(o, field), field, str_text(&out));
    s->kind = NULL;
    str_free(&out);
}

static void check(struct api_set *s, const struct names *there, struct str *key, const struct object *o)
{
    if (o->kind == API_WORKLOAD) {
        const char *queue = o->workload.queue;
        if (*queue && !is_finished(&o->workload) && !has(there, key, API_LOCAL_QUEUE, o->ns, queue))
            note_missing(s, o, "spec.queueName", "LocalQueue", o->ns, queue);
    } else if (o->kind == API_LOCAL_QUEUE) {
        const char *queue = o->local_queue.cluster_queue;
        if (*queue && !has(there, key, API_CLUSTER_QUEUE, "", queue))
            note_missing(s, o, "spec.clusterQueue", "ClusterQueue", "", queue);
    }
}

static int collect(const struct api_set *s, struct names *there, struct str *key)
{
    int rc = 0;
    for (uint32_t i = 0; i < s->nobjects && rc == 0; i++) {
        const struct object *o = s->objects[i];
        if (o->kind == API_LOCAL_QUEUE || o->kind == API_CLUSTER_QUEUE)
            rc = add(there, key, o->kind, o->ns, o->name);
    }
    return rc;
}

int references_check(struct api_set *s, struct err *err)
{
    struct names *there = names_new();
    struct str key;
    str_init(&key, 2048);
    int rc = there ? collect(s, there, &key) : ERR_NOMEM;
    for (uint32_t i = 0; i < s->nobjects && rc == 0; i++)
        check(s, there, &key, s->objects[i]);
    names_free(there);
    rc = rc == 0 && str_failed(&key) ? ERR_NOMEM : rc;
    str_free(&key);
    return rc < 0 ? err_set(err, rc, "out of memory") : set_check(s, err);
}
