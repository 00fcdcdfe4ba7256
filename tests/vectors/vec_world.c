#include "vec_world.h"

#include "core/assign.h"
#include "sim/put.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct world *vec_world(struct vec *v, const struct fact_config *config)
{
    struct fact_config c = config ? *config : (struct fact_config){0};
    struct world *w = world_new();
    struct err err;
    if (!w) {
        vec_broken(v, "a world", NULL);
        return NULL;
    }
    c.gates = v->gates;
    c.ngates = v->ngates;
    if (world_configure(w, &c, &err)) {
        vec_broken(v, "configuration", &err);
        world_free(w);
        return NULL;
    }
    return w;
}

bool vec_object(struct vec *v, const struct doc_node *n, struct object *ret)
{
    struct err err;
    if (api_read(n, v->arena, API_LENIENT, NULL, ret, &err) == 0)
        return true;
    vec_broken(v, vec_text(v, n), &err);
    return false;
}

static int put(struct world *w, const struct object *o, when_ns now, struct err *err)
{
    return o->kind == API_WORKLOAD ? world_put_workload(w, &o->workload, now, NULL, err)
                                   : put_object(w, o, now, err);
}

bool vec_put_object(struct vec *v, struct world *w, const struct object *o, when_ns now)
{
    struct err err;
    if (put(w, o, now, &err) == 0)
        return true;
    vec_broken(v, vec_printf(v, "%s %s/%s", api_kind_name(o->kind), o->ns, o->name), &err);
    return false;
}

bool vec_put(struct vec *v, struct world *w, const struct doc_node *n, when_ns now)
{
    enum api_kind kind;
    struct object o;
    if (!n || n->type == DOC_NULL || api_kind_of(n, &kind, NULL) == ERR_NOTFOUND)
        return true;
    return vec_object(v, n, &o) && vec_put_object(v, w, &o, now);
}

bool vec_put_list(struct vec *v, struct world *w, const struct doc_node *list, when_ns now)
{
    doc_foreach (n, list)
        if (!vec_put(v, w, n, now))
            return false;
    return true;
}

struct wl *vec_put_workload(struct vec *v, struct world *w, const struct fact_workload *f, when_ns now)
{
    struct wl *wl = NULL;
    struct err err;
    if (world_put_workload(w, f, now, &wl, &err))
        vec_broken(v, "putting a Workload", &err);
    else if (!wl)
        vec_broken(v, "a Workload is not kept", NULL);
    return wl;
}

const struct fact_amount *vec_requests(struct vec *v, const struct doc_node *map, uint32_t *ret_n)
{
    *ret_n = map ? map->n : 0;
    struct fact_amount *a = vec_alloc(v, *ret_n * sizeof(*a));
    doc_foreach (c, map) {
        char text[32];
        int len =
            snprintf(text, sizeof(text), "%" PRId64 "%s", vec_i64(v, c), resource_is_cpu(c->key) ? "m" : "");
        a[c->index].resource = c->key;
        if (quantity_parse(text, (size_t)len, &a[c->index].q, NULL))
            vec_fail(v, c->key, "a quantity", text);
    }
    return a;
}

struct fact_pod_set vec_pod_set(const char *name, int32_t count, const struct fact_container *containers,
                                uint32_t n)
{
    struct fact_pod_set ps = {.name = name, .count = count, .topology = "", .topology_group = ""};
    ps.pod = (struct fact_pod){.containers = containers,
                               .ncontainers = n,
                               .resources = {.name = ""},
                               .runtime_class = "",
                               .digest = "",
                               .selector_error = ""};
    return ps;
}

struct fact_workload vec_workload(const struct fact_pod_set *pod_sets, uint32_t n)
{
    return (struct fact_workload){.ns = "ns",
                                  .name = "wl",
                                  .uid = "wl",
                                  .created = VEC_NOW,
                                  .queue = "lq",
                                  .priority_class = "",
                                  .active = true,
                                  .gated_by = "",
                                  .priority_boost = "",
                                  .job_uid = "",
                                  .pod_sets = pod_sets,
                                  .npod_sets = n,
                                  .requeue_at = WHEN_NONE};
}

static void add_total(struct str *out, const char *resource, int64_t total)
{
    if (out->len && str_text(out)[out->len - 1] != '{')
        str_addc(out, ',');
    str_add_json(out, resource);
    str_addf(out, ":%" PRId64, total);
}

void vec_pod_set_totals(struct vec *v, struct world *w, const struct wl *wl, uint32_t pod_set,
                        struct str *out)
{
    const struct pod_set *ps = &wl->pod_sets[pod_set];
    struct names *names = world_names(w);
    (void)v;
    str_addc(out, '{');
    if (wl->marks.reserved) {
        for (uint32_t i = 0; i < ps->nslots; i++)
            add_total(out, names_text(names, wl->slots[ps->first + i].res), wl->slots[ps->first + i].amount);
    } else {
        for (uint32_t i = 0; i < ps->shape->nreq; i++)
            add_total(out, names_text(names, ps->shape->req[i].res),
                      i64_mul(ps->shape->req[i].amount, pod_set_count(w, ps)));
    }
    str_addc(out, '}');
}
