#include "jobs/template.h"

#include "jobs/edit.h"

#include "api/objects.h"

#include <string.h>

/* ---- to parts ----------------------------------------------------------------------------------------------------------- */

static int read_labels(const struct doc_node *map, struct arena *a, struct podinfo_labels *ret,
                       struct err *err)
{
    return api_read_labels(map, a, API_LENIENT, &ret->v, &ret->n, err);
}

static int read_tolerations(const struct doc_node *list, struct arena *a, struct podinfo *p, struct err *err)
{
    const struct fact_toleration *t;
    int rc = api_read_tolerations(list, a, API_LENIENT, &t, &p->ntolerations, err);
    if (rc < 0)
        return rc;
    struct podinfo_toleration *own = ARENA_NEW(a, struct podinfo_toleration, p->ntolerations + 1);
    for (uint32_t i = 0; i < p->ntolerations; i++) {
        const struct doc_node *seconds = doc_field(doc_at(list, i), "tolerationSeconds");
        own[i].t = t[i];
        own[i].has_seconds = doc_i64(seconds, &own[i].seconds, NULL) == 0;
    }
    p->tolerations = own;
    return 0;
}

static void read_gates(const struct doc_node *list, struct arena *a, struct podinfo *p)
{
    const char **gates = ARENA_NEW(a, const char *, (list ? list->n : 0) + 1);
    doc_foreach (c, list)
        gates[p->ngates++] = doc_str_or(c, "name", "");
    p->gates = gates;
}

static int read_parts(const struct doc_node *meta, const struct doc_node *spec, struct arena *a,
                      struct podinfo *ret, struct err *err)
{
    struct podinfo p = {.name = "", .gates = NULL};
    int rc = read_labels(doc_field(meta, "labels"), a, &p.labels, err);
    if (rc == 0)
        rc = read_labels(doc_field(meta, "annotations"), a, &p.annotations, err);
    if (rc == 0)
        rc = read_labels(doc_field(spec, "nodeSelector"), a, &p.selector, err);
    if (rc == 0)
        rc = read_tolerations(doc_field(spec, "tolerations"), a, &p, err);
    if (rc < 0)
        return rc;
    read_gates(doc_field(spec, "schedulingGates"), a, &p);
    *ret = p;
    return 0;
}

int template_info(const struct doc_node *template, struct arena *a, struct podinfo *ret, struct err *err)
{
    return read_parts(doc_field(template, "metadata"), doc_field(template, "spec"), a, ret, err);
}

int template_update(const struct doc_node *update, struct arena *a, struct podinfo *ret, struct err *err)
{
    int rc = read_parts(update, update, a, ret, err);
    if (rc == 0)
        ret->ngates = 0; /* an update has none */
    return rc;
}

/* ---- and back ----------------------------------------------------------------------------------------------------------- */

static struct doc_node *labels_doc(struct arena *a, const struct podinfo_labels *l)
{
    struct make out = make_map(a, 0);
    for (uint32_t i = 0; i < l->n; i++)
        make_put_text(&out, l->v[i].key, l->v[i].value);
    return l->n ? out.node : NULL;
}

static void put_unless_empty(struct make *out, const char *key, const char *text)
{
    if (*text)
        make_put_text(out, key, text);
}

static struct doc_node *toleration_doc(struct arena *a, const struct podinfo_toleration *t)
{
    static const char *const ops[] = {
        [TOLERATE_EQUAL] = "Equal", [TOLERATE_EXISTS] = "Exists", [TOLERATE_LT] = "Lt", [TOLERATE_GT] = "Gt"};
    static const char *const effects[] = {[EFFECT_ANY] = "",
                                          [EFFECT_NO_SCHEDULE] = "NoSchedule",
                                          [EFFECT_PREFER_NO_SCHEDULE] = "PreferNoSchedule",
                                          [EFFECT_NO_EXECUTE] = "NoExecute"};
    struct make out = make_map(a, 0);
    put_unless_empty(&out, "key", t->t.key);
    make_put_text(&out, "operator", ops[t->t.op]);
    put_unless_empty(&out, "value", t->t.value);
    put_unless_empty(&out, "effect", effects[t->t.effect]);
    if (t->has_seconds)
        make_put_int(&out, "tolerationSeconds", t->seconds);
    return out.node;
}

/* Those that are there stay as they are written: an unset operator stays unset. */
static struct doc_node *tolerations_doc(struct arena *a, const struct doc_node *old,
                                        const struct podinfo *was, const struct podinfo *p)
{
    struct make out = make_list(a, 0);
    for (uint32_t i = 0; i < p->ntolerations; i++) {
        bool there =
            i < was->ntolerations && podinfo_toleration_equal(&was->tolerations[i], &p->tolerations[i]);
        make_put(&out, NULL, there ? make_copy(a, doc_at(old, i)) : toleration_doc(a, &p->tolerations[i]));
    }
    return p->ntolerations ? out.node : NULL;
}

static struct doc_node *gates_doc(struct arena *a, const struct doc_node *old, const struct podinfo *p)
{
    struct make out = make_list(a, 0);
    for (uint32_t i = 0; i < p->ngates; i++) {
        const struct doc_node *there = doc_at(old, i);
        struct make gate = make_map(a, 0);
        make_put_text(&gate, "name", p->gates[i]);
        bool same = there && strcmp(doc_str_or(there, "name", ""), p->gates[i]) == 0;
        make_put(&out, NULL, same ? make_copy(a, there) : gate.node);
    }
    return p->ngates ? out.node : NULL;
}

struct doc_node *template_with(struct arena *a, const struct doc_node *template, const struct podinfo *p)
{
    const struct doc_node *old = doc_path(template, "spec.tolerations");
    struct podinfo was = {.name = ""};
    struct err ignored;
    if (template_info(template, a, &was, &ignored) < 0)
        was = (struct podinfo){.name = ""};
    struct doc_node *t = edit_put(a, template, "metadata.labels", labels_doc(a, &p->labels));
    t = edit_put(a, t, "metadata.annotations", labels_doc(a, &p->annotations));
    t = edit_put(a, t, "spec.nodeSelector", labels_doc(a, &p->selector));
    t = edit_put(a, t, "spec.tolerations", tolerations_doc(a, old, &was, p));
    return edit_put(a, t, "spec.schedulingGates",
                    gates_doc(a, doc_path(template, "spec.schedulingGates"), p));
}

struct doc_node *template_like(struct arena *a, const struct doc_node *template,
                               const struct doc_node *source, const struct podinfo_labels *labels)
{
    static const char *const parts[] = {"metadata.annotations", "spec.nodeSelector", "spec.tolerations",
                                        "spec.schedulingGates"};
    struct doc_node *t = edit_put(a, template, "metadata.labels", labels_doc(a, labels));
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const struct doc_node *part = doc_path(source, parts[i]);
        t = edit_put(a, t, parts[i], part && part->n ? make_copy(a, part) : NULL);
    }
    return t;
}

/* ---- where templates are ------------------------------------------------------------------------------------------------ */

static uint32_t items_of(const struct job_pods *row, const struct doc_node *job)
{
    const struct doc_node *list = row->list ? doc_path(job, row->list) : NULL;
    return !row->list ? 1 : doc_is(list, DOC_LIST) ? list->n : 0;
}

struct template_place *template_places(struct arena *a, const struct job_kind *k, const struct doc_node *job,
                                       uint32_t *ret_n)
{
    uint32_t n = 0, at = 0;
    for (uint32_t r = 0; r < k->npods; r++)
        n += items_of(&k->pods[r], job);
    struct template_place *v = ARENA_NEW(a, struct template_place, n + 1);
    for (uint32_t r = 0; r < k->npods; r++) {
        const struct job_pods *row = &k->pods[r];
        for (uint32_t i = 0; i < items_of(row, job); i++, at++) {
            v[at] = (struct template_place){.row = row, .item = job, .i = i};
            if (row->list) {
                v[at].list = doc_path(job, row->list);
                v[at].item = doc_at(v[at].list, i);
            }
            v[at].template = doc_path(v[at].item, row->template);
        }
    }
    *ret_n = n;
    return v;
}

struct doc_node *template_put(struct arena *a, const struct doc_node *job, const struct template_place *place,
                              struct doc_node *template)
{
    const struct job_pods *row = place->row;
    if (!row->list)
        return edit_put(a, job, row->template, template);
    const struct doc_node *list = doc_path(job, row->list);
    struct doc_node *item = edit_put(a, doc_at(list, place->i), row->template, template);
    return edit_put(a, job, row->list, edit_item(a, list, place->i, item));
}
