/* What an admission injects into pod templates and takes out again (lifecycle/podinfo.h). */
#include "vec_world.h"

#include "lifecycle/podinfo.h"

#include <string.h>

static struct podinfo_labels labels_of(struct vec *v, const struct doc_node *map)
{
    struct podinfo_labels l = {0};
    struct err err;
    if (api_read_labels(map, v->arena, API_LENIENT, &l.v, &l.n, &err))
        vec_broken(v, "labels", &err);
    return l;
}

static void read_tolerations(struct vec *v, const struct doc_node *list, struct podinfo *p)
{
    const struct fact_toleration *t;
    struct err err;
    if (api_read_tolerations(list, v->arena, API_LENIENT, &t, &p->ntolerations, &err)) {
        vec_broken(v, "tolerations", &err);
        return;
    }
    struct podinfo_toleration *copy = vec_alloc(v, p->ntolerations * sizeof(*copy));
    for (uint32_t i = 0; i < p->ntolerations; i++)
        copy[i].t = t[i];
    p->tolerations = copy;
}

static void read_gates(struct vec *v, const struct doc_node *list, struct podinfo *p)
{
    const char **gates = vec_alloc(v, (list ? list->n : 0) * sizeof(*gates));
    doc_foreach (c, list)
        gates[p->ngates++] = doc_str_or(c, "name", "");
    p->gates = gates;
}

static struct podinfo info_of(struct vec *v, const struct doc_node *n)
{
    struct podinfo p = {.name = doc_str_or(n, "name", ""), .count = (int32_t)doc_i64_or(n, "count", 0)};
    p.labels = labels_of(v, doc_field(n, "labels"));
    p.annotations = labels_of(v, doc_field(n, "annotations"));
    p.selector = labels_of(v, doc_field(n, "nodeSelector"));
    read_tolerations(v, doc_field(n, "tolerations"), &p);
    read_gates(v, doc_field(n, "schedulingGates"), &p);
    return p;
}

static struct podinfo template_of(struct vec *v, const struct doc_node *template)
{
    const struct doc_node *meta = doc_field(template, "metadata"), *spec = doc_field(template, "spec");
    struct podinfo p = {.name = ""};
    p.labels = labels_of(v, doc_field(meta, "labels"));
    p.annotations = labels_of(v, doc_field(meta, "annotations"));
    p.selector = labels_of(v, doc_field(spec, "nodeSelector"));
    read_tolerations(v, doc_field(spec, "tolerations"), &p);
    read_gates(v, doc_field(spec, "schedulingGates"), &p);
    return p;
}

static void labels_print(struct str *s, const char *field, const struct podinfo_labels *l)
{
    str_addf(s, "\"%s\":{", field);
    for (uint32_t i = 0; i < l->n; i++) {
        str_add(s, i ? "," : "");
        str_add_json(s, l->v[i].key);
        str_addc(s, ':');
        str_add_json(s, l->v[i].value);
    }
    str_add(s, "},");
}

static const struct doc_node *info_print(struct vec *v, const struct podinfo *p)
{
    struct str s;
    str_init(&s, 0);
    str_addf(&s, "{\"name\":\"%s\",\"count\":%d,", p->name, p->count);
    labels_print(&s, "labels", &p->labels);
    labels_print(&s, "annotations", &p->annotations);
    labels_print(&s, "nodeSelector", &p->selector);
    str_add(&s, "\"tolerations\":[");
    for (uint32_t i = 0; i < p->ntolerations; i++) {
        const struct fact_toleration *t = &p->tolerations[i].t;
        str_addf(&s, "%s{\"key\":\"%s\",\"value\":\"%s\",\"operator\":%d,\"effect\":%d}", i ? "," : "",
                 t->key, t->value, t->op, t->effect);
    }
    str_add(&s, "],\"schedulingGates\":[");
    for (uint32_t i = 0; i < p->ngates; i++)
        str_addf(&s, "%s\"%s\"", i ? "," : "", p->gates[i]);
    str_add(&s, "]}");
    const struct doc_node *n = vec_read(v, str_text(&s));
    str_free(&s);
    return n;
}

/* Both sides in the same words, so that an unset operator is what it means. */
static void check_info(struct vec *v, const char *field, const struct podinfo *want,
                       const struct podinfo *got)
{
    vec_check_doc(v, field, info_print(v, want), info_print(v, got), NULL);
}

static void merge_restore(struct vec *v)
{
    const struct doc_node *template = doc_field(vec_find(v, "podSet"), "template");
    struct podinfo original = template_of(v, template), p = original, info = info_of(v, vec_find(v, "info"));
    struct gates gates = gates_default();
    bool slices = true;
    struct err err;
    for (uint32_t i = 0; i < v->ngates; i++)
        if (gates_set(&gates, v->gates[i].name, v->gates[i].on, &err))
            vec_broken(v, "gates", &err);
        else if (strcmp(v->gates[i].name, "ElasticJobsViaWorkloadSlices") == 0)
            slices = v->gates[i].on;
    int rc = podinfo_merge(&p, &info, slices, v->arena, &err);
    vec_check_bool(v, "wantError", vec_want(v, "wantError"), rc != 0);
    if (rc || v->failed)
        return;
    struct podinfo want = template_of(v, doc_field(vec_want(v, "wantPodSet"), "template"));
    check_info(v, "wantPodSet", &want, &p);
    vec_check_bool(v, "wantRestoreChanges", vec_want(v, "wantRestoreChanges"),
                   podinfo_restore(&p, &original));
    want = template_of(v, vec_want(v, "podSet.Template"));
    check_info(v, "podSet.Template", &want, &p);
}

struct flavors {
    struct object *v;
    uint32_t n;
};

static const struct fact_flavor *find_flavor(void *arg, const char *name)
{
    const struct flavors *f = arg;
    for (uint32_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].name, name) == 0)
            return &f->v[i].flavor;
    return NULL;
}

static void from_assignment(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "flavors"), *node = vec_find(v, "assignment");
    struct flavors f = {.v = vec_alloc(v, (list ? list->n : 0) * sizeof(struct object))};
    doc_foreach (c, list)
        if (!vec_object(v, c, &f.v[f.n++]))
            return;
    const struct fact_assignment *as;
    uint32_t n;
    struct err err;
    struct doc_node only = *node; /* as a list of one */
    only.next = NULL;
    const struct doc_node wrap = {.type = DOC_LIST, .n = 1, .first = &only, .text = ""};
    if (api_read_assignments(&wrap, v->arena, API_LENIENT, &as, &n, &err)) {
        vec_broken(v, "assignment", &err);
        return;
    }
    struct podinfo got = {.name = ""};
    int rc = podinfo_of_assignment(&as[0], (int32_t)vec_i64(v, vec_find(v, "defaultCount")), false,
                                   find_flavor, &f, v->arena, &got, &err);
    const struct doc_node *want_err = doc_field(vec_want(v, "wantError"), "error");
    vec_check_str(v, "wantError", want_err, rc ? err.text : "");
    struct podinfo want = info_of(v, vec_want(v, "wantInfo"));
    check_info(v, "wantInfo", &want, &got);
}

static void add_or_update_label(struct vec *v)
{
    struct podinfo p = info_of(v, vec_find(v, "info"));
    if (podinfo_put(&p.labels, v->arena, vec_str(v, vec_find(v, "k")), vec_str(v, vec_find(v, "v"))))
        vec_broken(v, "putting a label", NULL);
    struct podinfo want = info_of(v, vec_want(v, "wantInfo"));
    check_info(v, "wantInfo", &want, &p);
}

static const struct vec_entry entries[] = {
    {"podset__TestAddOrUpdateLabel", add_or_update_label, NULL, 0},
    {"podset__TestFromAssignment", from_assignment, NULL, VEC_ANY_CONTENT | VEC_ANY_GATES},
    {"podset__TestMergeRestore", merge_restore, NULL, VEC_ANY_CONTENT | VEC_ANY_GATES},
};

VEC_AREA(vec_area_podset, entries);
