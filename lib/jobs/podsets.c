#include "jobs/podsets.h"

#include "jobs/topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- templates ---------------------------------------------------------------------------------------------------------- */

static bool is_dropped(const char *dropped, const char *key)
{
    size_t len = strlen(key);
    for (const char *p = dropped; *p; p += strcspn(p, " ") + 1) {
        if (strncmp(p, key, len) == 0 && p[len] == ' ')
            return true;
    }
    return false;
}

static void put_labels(struct make *meta, const struct doc_node *labels, const char *dropped)
{
    struct make out = make_map(meta->arena, labels->line);
    doc_foreach (c, labels) {
        if (!is_dropped(dropped, c->key))
            make_put_copy(&out, NULL, c);
    }
    if (out.node->n)
        make_put(meta, "labels", out.node);
}

/* Of the metadata only labels and annotations are kept. */
static void put_template_meta(struct make *out, const struct doc_node *meta, const char *dropped)
{
    struct make kept = make_map(out->arena, meta->line);
    const struct doc_node *labels = doc_field(meta, "labels"), *annotations = doc_field(meta, "annotations");
    if (labels && labels->type == DOC_MAP)
        put_labels(&kept, labels, dropped);
    else if (labels)
        make_put_copy(&kept, NULL, labels);
    if (annotations)
        make_put_copy(&kept, NULL, annotations);
    if (kept.node->n)
        make_put(out, "metadata", kept.node);
}

static int by_name(const void *a, const void *b)
{
    const struct doc_node *x = *(const struct doc_node *const *)a, *y = *(const struct doc_node *const *)b;
    int c = strcmp(doc_str_or(x, "name", ""), doc_str_or(y, "name", ""));
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

/* Of variables with one name the last counts, at the place of the first. */
static struct doc_node *last_variables(struct arena *a, const struct doc_node *env)
{
    uint32_t n = 0, from = 0;
    const struct doc_node **sorted = ARENA_NEW(a, const struct doc_node *, env->n + 1);
    const struct doc_node **kept = ARENA_NEW(a, const struct doc_node *, env->n + 1);
    struct make out = make_list(a, env->line);
    doc_foreach (c, env)
        sorted[n++] = c;
    qsort(sorted, n, sizeof(const struct doc_node *), by_name);
    for (uint32_t i = 0; i < n; i++) {
        const char *name = doc_str_or(sorted[i], "name", "");
        bool last = i + 1 == n || !*name || strcmp(doc_str_or(sorted[i + 1], "name", ""), name) != 0;
        if (last) {
            kept[sorted[from]->index] = sorted[i];
            from = i + 1;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        if (kept[i])
            make_put_copy(&out, NULL, kept[i]);
    }
    return out.node;
}

static struct doc_node *copy_containers(struct arena *a, const struct doc_node *list)
{
    struct make out = make_list(a, list->line);
    doc_foreach (c, list) {
        const struct doc_node *env = doc_field(c, "env");
        struct make container = make_map(a, c->line);
        if (!doc_is(env, DOC_LIST)) {
            make_put_copy(&out, NULL, c);
            continue;
        }
        doc_foreach (f, c)
            make_put(&container, f->key, f == env ? last_variables(a, env) : make_copy(a, f));
        make_put(&out, NULL, container.node);
    }
    return out.node;
}

static void put_pod_spec(struct make *out, const struct doc_node *spec)
{
    struct make pod = make_map(out->arena, spec->line);
    doc_foreach (c, spec) {
        bool containers = strcmp(c->key, "containers") == 0 || strcmp(c->key, "initContainers") == 0;
        make_put(&pod, c->key,
                 containers && c->type == DOC_LIST ? copy_containers(out->arena, c)
                                                   : make_copy(out->arena, c));
    }
    make_put(out, "spec", pod.node);
}

static struct doc_node *copy_template(struct arena *a, const struct doc_node *template, const char *dropped)
{
    struct make out = make_map(a, template->line);
    const struct doc_node *meta = doc_field(template, "metadata"), *spec = doc_field(template, "spec");
    if (doc_is(meta, DOC_MAP))
        put_template_meta(&out, meta, dropped);
    if (doc_is(spec, DOC_MAP))
        put_pod_spec(&out, spec);
    return out.node;
}

/* ---- pod sets ----------------------------------------------------------------------------------------------------------- */

/* What a pod set is made from. */
struct origin {
    const struct job_kind *kind;
    const struct job_pods *row;
    const struct doc_node *job, *item;
};

static void note_bad_count(struct reader *rd, const struct origin *o, const struct doc_node *bad,
                           const char *why)
{
    if (bad)
        rd_error(rd, bad, "Invalid value: \"%.64s\": %s", bad->text, why);
    else
        rd_error(rd, o->item, "Invalid value: %s", why);
}

/* The least number of pods, as the job asks for it: more than none, fewer than all. */
static void put_min(struct reader *rd, struct make *out, const struct origin *o, int32_t count)
{
    const struct doc_node *n = doc_field(doc_path(o->job, "metadata.annotations"), o->row->min_annotation);
    char *end;
    if (!doc_is(n, DOC_STRING))
        return;
    errno = 0;
    long long v = strtoll(n->text, &end, 10);
    if (end == n->text || *end || errno) {
        if (rd_validates(rd))
            rd_error_key(rd, n, "Invalid value: \"%.64s\": must be a number", n->text);
        return;
    }
    if (rd_validates(rd) && (v <= 0 || v >= count))
        rd_error_key(rd, n, "Invalid value: %lld: should be between 0 and %d", v, count - 1);
    make_put_int(out, "minCount", v);
}

static void put_name(struct reader *rd, struct make *out, const struct origin *o)
{
    if (o->row->name)
        make_put_text(out, "name", o->row->name);
    else
        make_put_text(out, "name", rd_str(rd, o->item, "name"));
}

static struct doc_node *pod_set(struct reader *rd, const struct origin *o, const struct job_pods_options *opt)
{
    struct make out = make_map(rd->arena, o->item->line);
    const struct doc_node *template = doc_path(o->item, o->row->template), *bad = NULL;
    int32_t replicas = 1, count = 0;
    struct err why;
    put_name(rd, &out, o);
    if (!doc_is(template, DOC_MAP))
        rd_required(rd, o->item, o->row->template);
    else if (!doc_is(doc_field(template, "spec"), DOC_MAP))
        rd_required(rd, template, "spec");
    else
        make_put(&out, "template", copy_template(rd->arena, template, o->row->dropped_labels));
    if (job_pods_count(o->row, o->item, &replicas, &count, &bad, &why) < 0)
        note_bad_count(rd, o, bad, why.text);
    make_put_int(&out, "count", count);
    if (opt->partial && o->row->min_annotation)
        put_min(rd, &out, o, count);
    struct job_topology t = {.annotations = doc_path(template, "metadata.annotations"),
                             .index_label = o->row->index_label,
                             .group_label = o->row->group_label,
                             .groups = replicas,
                             .count = count,
                             .multi_layer = opt->multi_layer};
    struct doc_node *request = opt->topology ? job_topology_request(rd, &t) : NULL;
    if (request)
        make_put(&out, "topologyRequest", request);
    return out.node;
}

struct doc_node *job_pod_sets(struct reader *rd, const struct job_kind *k, const struct doc_node *job,
                              const struct job_pods_options *opt)
{
    struct make out = make_list(rd->arena, job->line);
    for (uint32_t i = 0; i < k->npods; i++) {
        struct origin o = {.kind = k, .row = &k->pods[i], .job = job, .item = job};
        if (!o.row->list) {
            make_put(&out, NULL, pod_set(rd, &o, opt));
            continue;
        }
        const struct doc_node *list = doc_path(job, o.row->list);
        if (!doc_is(list, DOC_LIST) || !list->n)
            rd_required(rd, job, o.row->list);
        doc_foreach (item, doc_is(list, DOC_LIST) ? list : NULL) {
            o.item = item;
            if (item->type == DOC_MAP)
                make_put(&out, NULL, pod_set(rd, &o, opt));
            else
                rd_error(rd, item, "must be a map, not a %s", doc_type_name(item->type));
        }
    }
    return out.node;
}

bool job_pod_set_origin(struct arena *a, const struct job_kind *k, const struct doc_node *job, uint32_t i,
                        const struct job_pods **ret_row, const char **ret_item)
{
    for (uint32_t r = 0; r < k->npods; r++) {
        const struct job_pods *row = &k->pods[r];
        const struct doc_node *list = row->list ? doc_path(job, row->list) : NULL;
        uint32_t n = row->list ? (list ? list->n : 0) : 1;
        *ret_row = row;
        if (i < n) {
            *ret_item = row->list ? make_format(a, "%s[%u]", row->list, i) : "";
            return true;
        }
        i -= n;
    }
    return false;
}

/* ---- what is not needed any more ---------------------------------------------------------------------------------------- */

static void put_reclaimable(struct make *out, const struct origin *o)
{
    int32_t replicas, count;
    const struct doc_node *bad;
    if (job_pods_count(o->row, o->item, &replicas, &count, &bad, NULL) < 0)
        return;
    int32_t n = o->kind->reclaimable(o->job, o->item, count);
    if (n <= 0)
        return;
    struct make r = make_map(out->arena, o->item->line);
    make_put_text(&r, "name", o->row->name ? o->row->name : doc_str_or(o->item, "name", ""));
    make_put_int(&r, "count", n);
    make_put(out, NULL, r.node);
}

struct doc_node *job_reclaimable_pods(struct arena *a, const struct job_kind *k, const struct doc_node *job)
{
    struct make out = make_list(a, job->line);
    for (uint32_t i = 0; i < k->npods; i++) {
        struct origin o = {.kind = k, .row = &k->pods[i], .job = job, .item = job};
        if (!o.row->list) {
            put_reclaimable(&out, &o);
            continue;
        }
        doc_foreach (item, doc_path(job, o.row->list)) {
            o.item = item;
            put_reclaimable(&out, &o);
        }
    }
    return out.node->n ? out.node : NULL;
}
