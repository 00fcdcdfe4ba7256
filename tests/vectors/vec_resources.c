/* Amounts and requests (engine.md 2.1-2.4). Totals of requests are those that the world computes for a Workload of one pod set. */
#include "vec_world.h"

#include "core/fit.h"
#include "core/resmap.h"
#include "core/tree.h"

#include <stdlib.h>
#include <string.h>

/* ---- amounts ------------------------------------------------------------------------------------------------------------ */

static void amount_arithmetic(struct vec *v)
{
    amount a = vec_i64(v, vec_find(v, "a")), b = vec_i64(v, vec_find(v, "b"));
    const char *op = vec_str(v, vec_find(v, "op"));
    if (strcmp(op, "cmp") == 0) {
        int sign = amount_max(a, b) != b ? 1 : amount_max(a, b) != a ? -1 : 0;
        vec_check_i64(v, "sign", vec_want(v, "sign"), sign);
    } else {
        amount r = strcmp(op, "add") == 0 ? amount_add(a, b) : amount_sub(a, b);
        vec_check_i64(v, "result", vec_want(v, "result"), r);
    }
}

static void amount_from_quantity(struct vec *v)
{
    struct quantity q = vec_quantity(v, vec_find(v, "quantity"));
    amount got = quantity_quota(q, resource_is_cpu(vec_str(v, vec_find(v, "resource"))));
    bool unlimited = got == AMOUNT_UNLIMITED;
    vec_check_bool(v, "wantUnlimited", vec_want(v, "wantUnlimited"), unlimited);
    if (!unlimited)
        vec_check_i64(v, "wantValue", vec_want(v, "wantValue"), got);
}

static void value_clamps(struct vec *v)
{
    struct quantity q = vec_quantity(v, vec_find(v, "quantity"));
    int64_t got = quantity_request(q, resource_is_cpu(vec_str(v, vec_find(v, "resource"))));
    vec_check_i64(v, "want", vec_want(v, "want"), got);
}

static const char *amount_text(struct vec *v, const char *resource, int64_t value)
{
    char *text = vec_alloc(v, 64);
    /* "gpu.memory" is a resource that its table declares to be counted in binary units. */
    bool binary = resource_is_binary(resource) || strcmp(resource, "gpu.memory") == 0;
    amount_quantity_print(value, resource_is_cpu(resource), binary, text, 64);
    return text;
}

static void round_trips(struct vec *v)
{
    const char *resource = vec_str(v, vec_find(v, "resource"));
    vec_check_str(v, "expected", vec_want(v, "expected"),
                  amount_text(v, resource, vec_i64(v, vec_find(v, "value"))));
}

static void resource_list(struct vec *v)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    doc_foreach (c, vec_find(v, "req"))
        str_addf(&s, "%s\"%s\":\"%s\"", c->index ? "," : "", c->key, amount_text(v, c->key, vec_i64(v, c)));
    str_addc(&s, '}');
    vec_check_json(v, "want", vec_want(v, "want"), &s, NULL);
    str_free(&s);
}

/* ---- requests of a pod -------------------------------------------------------------------------------------------------- */

static struct fact_container container_of(struct vec *v, const struct doc_node *requests)
{
    struct fact_container c = {.name = "c"};
    c.requests = vec_requests(v, requests, &c.nrequests);
    return c;
}

/* Checks what a Workload of one pod set asks for (or, with an admission, holds). */
static void check_totals(struct vec *v, const char *field, const struct fact_workload *f)
{
    struct world *w = vec_world(v, NULL);
    struct wl *wl = w ? vec_put_workload(v, w, f, VEC_NOW) : NULL;
    if (wl) {
        struct str s;
        str_init(&s, 0);
        vec_pod_set_totals(v, w, wl, 0, &s);
        vec_check_json(v, field, vec_want(v, field), &s, NULL);
        str_free(&s);
    }
    world_free(w);
}

static void check_pending(struct vec *v, const struct fact_container *containers, uint32_t n, int32_t count)
{
    struct fact_pod_set ps = vec_pod_set("main", count, containers, n);
    struct fact_workload f = vec_workload(&ps, 1);
    check_totals(v, "want", &f);
}

static void floor_to_zero(struct vec *v)
{
    struct fact_container c = container_of(v, vec_find(v, "requests"));
    check_pending(v, &c, 1, 1);
}

static void multiply(struct vec *v)
{
    struct fact_container c = container_of(v, vec_find(v, "req"));
    check_pending(v, &c, 1, (int32_t)vec_i64(v, vec_find(v, "factor")));
}

/* A pod set that was admitted with `divisor` pods of which all but one are no longer needed. */
static void divide(struct vec *v)
{
    const struct doc_node *by = vec_find(v, "divisor");
    int32_t count = (int32_t)vec_i64(v, by ? by : vec_find(v, "factor"));
    struct fact_container c = container_of(v, vec_find(v, "req"));
    struct fact_pod_set ps = vec_pod_set("main", count, &c, 1);
    struct fact_workload f = vec_workload(&ps, 1);
    struct fact_assignment as = {
        .pod_set = "main", .usage = c.requests, .nusage = c.nrequests, .count = count};
    struct fact_admission admission = {.cluster_queue = "cq", .pod_sets = &as, .npod_sets = 1};
    struct fact_condition reserved = {.type = COND_QUOTA_RESERVED,
                                      .status = STATUS_TRUE,
                                      .reason = "QuotaReserved",
                                      .message = "",
                                      .since = VEC_NOW};
    struct fact_reclaimable done = {"main", count - 1};
    f.admission = &admission;
    f.conditions = &reserved;
    f.nconditions = 1;
    f.reclaimable = &done;
    f.nreclaimable = 1;
    check_totals(v, "want", &f);
}

/* Sums are those of two containers of a pod, differences those of usage in a quota tree. */
static void check_tree_difference(struct vec *v, const struct doc_node *base, const struct doc_node *operand)
{
    struct tree *t = tree_new(1, base->n, 1);
    struct str s;
    t->nodes[0].parent = TREE_NONE;
    t->nodes[0].end = 1;
    for (uint32_t i = 0; i < base->n; i++)
        t->fr[i] = i;
    tree_compute(t);
    str_init(&s, 0);
    str_addc(&s, '{');
    doc_foreach (c, base) {
        tree_charge(t, 0, c->index, vec_i64(v, c));
        tree_discharge(t, 0, c->index, vec_i64(v, doc_field(operand, c->key)));
        str_addf(&s, "%s\"%s\":%lld", c->index ? "," : "", c->key,
                 (long long)tree_cell(t, 0, c->index)->usage);
    }
    str_addc(&s, '}');
    vec_check_json(v, "want", vec_want(v, "want"), &s, NULL);
    str_free(&s);
    tree_free(t);
}

static void add_and_sub(struct vec *v)
{
    const struct doc_node *base = vec_find(v, "base"), *operand = vec_find(v, "operand");
    if (strcmp(vec_str(v, vec_find(v, "op")), "add") == 0) {
        struct fact_container both[2] = {container_of(v, base), container_of(v, operand)};
        check_pending(v, both, 2, 1);
    } else {
        check_tree_difference(v, base, operand);
    }
}

static void saturation(struct vec *v)
{
    const struct doc_node *start = vec_find(v, "start");
    bool sub = vec_bool(v, vec_find(v, "sub"));
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    doc_foreach (c, vec_find(v, "other")) {
        int64_t a = vec_i64(v, doc_field(start, c->key)), b = vec_i64(v, c);
        int64_t r = sub ? i64_sub(a, b) : i64_add(a, b);
        str_addf(&s, "%s\"%s\":%lld", c->index ? "," : "", c->key, (long long)r);
    }
    str_addc(&s, '}');
    vec_check_json(v, "want", vec_want(v, "want"), &s, NULL);
    str_free(&s);
}

/* ---- how many pods fit -------------------------------------------------------------------------------------------------- */

static struct req *reqs_of(struct vec *v, struct names *names, const struct doc_node *map, uint32_t *ret_n)
{
    *ret_n = map ? map->n : 0;
    struct req *r = vec_alloc(v, *ret_n * sizeof(*r));
    doc_foreach (c, map) {
        r[c->index].amount = vec_i64(v, c);
        if (names_id(names, c->key, &r[c->index].res))
            vec_broken(v, "a name", NULL);
    }
    return r;
}

static void count_in(struct vec *v)
{
    static const char *const counts[] = {"wantResult", "wantCount", "wantCnt"}, *const limits[] = {
                                                                                    "wantLimitingResource",
                                                                                    "wantRes"};
    const struct doc_node *asked = vec_find(v, "requests");
    struct names *names = names_new();
    uint32_t n, nfree, res;
    const struct req *requests = reqs_of(v, names, asked ? asked : vec_find(v, "request"), &n);
    const struct req *free = reqs_of(v, names, vec_find(v, "capacity"), &nfree);
    int32_t count = fit_count(names, requests, n, free, nfree, &res);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (doc_get(v->want, counts[i]))
            vec_check_i64(v, counts[i], vec_want(v, counts[i]), count);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (doc_get(v->want, limits[i]))
            vec_check_str(v, limits[i], vec_want(v, limits[i]), names_text(names, res));
    names_free(names);
}

/* ---- requests above limits ---------------------------------------------------------------------------------------------- */

/* The resources that a validation message names: ["cpu","memory"]. */
static const struct doc_node *named_resources(struct vec *v, const char *message)
{
    const char *from = strstr(message, "Invalid value: ["), *to = from ? strchr(from, ']') : NULL;
    return to ? vec_read(v, vec_printf(v, "%.*s", (int)(to - from - 14), from + 15)) : NULL;
}

static void check_above(struct vec *v, struct fact_container c)
{
    struct fact_pod_set ps = vec_pod_set("main", 1, &c, 1);
    struct names *names = names_new();
    struct requests *r = names ? requests_new(names) : NULL;
    struct str text;
    struct err err;
    str_init(&text, 0);
    if (!r)
        vec_broken(v, "requests", NULL);
    else if (requests_validate(r, "ns", &ps, 1, &text, &err))
        vec_broken(v, "validation", &err);
    else
        vec_check_doc(v, "want", vec_want(v, "want"), named_resources(v, str_text(&text)), NULL);
    str_free(&text);
    requests_free(r);
    names_free(names);
}

static void greater_keys(struct vec *v)
{
    const struct doc_node *a = vec_find(v, "a"), *b = vec_find(v, "b");
    struct fact_container c = container_of(v, a ? a : vec_find(v, "req"));
    c.limits = vec_requests(v, b ? b : vec_find(v, "other"), &c.nlimits);
    check_above(v, c);
}

static void greater_keys_quantities(struct vec *v)
{
    struct fact_container c = container_of(v, vec_find(v, "req"));
    c.limits = vec_amounts(v, vec_find(v, "rl"), &c.nlimits);
    check_above(v, c);
}

/* ---- small maps of resources (core/resmap.h) ---------------------------------------------------------------------------- */

static uint32_t id_of(struct vec *v, struct names *names, const char *resource)
{
    uint32_t id = 0;
    if (names_id(names, resource, &id))
        vec_broken(v, "a name", NULL);
    return id;
}

static struct resmap map_of(struct vec *v, struct names *names, const struct doc_node *list)
{
    struct resmap m = resmap_new(v->arena);
    doc_foreach (c, list)
        resmap_put(&m, id_of(v, names, c->key), quantity_from_i64(vec_i64(v, c)), RESMAP_REPLACE);
    return m;
}

static void check_map(struct vec *v, const char *field, const struct names *names, const struct resmap *m)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    for (uint32_t i = 0; i < m->n; i++)
        str_addf(&s, "%s\"%s\":%lld", i ? "," : "", names_text(names, m->v[i].res),
                 (long long)quantity_value(m->v[i].q));
    str_addc(&s, '}');
    vec_check_json(v, field, vec_want(v, field), &s, NULL);
    str_free(&s);
}

static void map_set(struct vec *v)
{
    const struct doc_node *key = vec_find(v, "setKey"), *initial = vec_find(v, "initial");
    if (!initial && !doc_field(v->input, "req")) {
        vec_skip(v, "a map that is not there");
        return;
    }
    struct names *names = names_new();
    struct resmap m = map_of(v, names, initial ? initial : vec_find(v, "req"));
    if (key)
        resmap_put(&m, id_of(v, names, vec_str(v, key)),
                   quantity_from_i64(vec_i64(v, vec_find(v, "setValue"))), RESMAP_REPLACE);
    doc_foreach (c, vec_find(v, "sets"))
        resmap_put(&m, id_of(v, names, doc_str_or(c, "name", "")), quantity_from_i64(doc_i64_or(c, "val", 0)),
                   RESMAP_REPLACE);
    check_map(v, "want", names, &m);
    names_free(names);
}

static void map_get(struct vec *v)
{
    const struct doc_node *res = vec_find(v, "resource");
    struct names *names = names_new();
    struct resmap m = map_of(v, names, vec_find(v, "req"));
    const struct quantity *q = resmap_find(&m, id_of(v, names, vec_str(v, res ? res : vec_find(v, "res"))));
    vec_check_i64(v, "want", vec_want(v, "want"), q ? quantity_value(*q) : 0);
    names_free(names);
}

static void map_size(struct vec *v)
{
    struct names *names = names_new();
    struct resmap m = map_of(v, names, vec_find(v, "req"));
    const struct doc_node *want = doc_get(v->want, "want");
    if (want && want->type == DOC_BOOL)
        vec_check_bool(v, "want", want, m.n == 0);
    else
        vec_check_i64(v, "want", want ? want : vec_want(v, "wantLen"), m.n);
    names_free(names);
}

/* A copy by merging into an empty map; it does not change with the original. */
static void map_copy(struct vec *v)
{
    const struct doc_node *req = vec_find(v, "req");
    struct names *names = names_new();
    struct resmap m = map_of(v, names, req ? req : vec_find(v, "input")), copy = resmap_new(v->arena);
    resmap_merge(&copy, &m, RESMAP_REPLACE);
    for (uint32_t i = 0; i < m.n; i++)
        resmap_put(&m, m.v[i].res, quantity_from_i64(77), RESMAP_ADD);
    check_map(v, "want", names, &copy);
    names_free(names);
}

static struct shape *shape_of(struct vec *v, struct requests *r, struct shapes *shapes,
                              const struct doc_node *list)
{
    struct fact_container c = container_of(v, list);
    struct fact_pod_set ps = vec_pod_set("main", 1, &c, 1);
    const struct req *req;
    struct shape *shape = NULL;
    struct err err;
    uint32_t n;
    if (requests_of_pod(r, "ns", &ps.pod, v->arena, &req, &n, &err) ||
        shapes_take(shapes, &ps, req, n, &shape, &err))
        vec_broken(v, "a shape", &err);
    return shape;
}

/* Pods that differ in their requests have different shapes. */
static void requests_equal(struct vec *v)
{
    const struct doc_node *a = vec_find(v, "a"), *b = vec_find(v, "b");
    if (!a != !b) {
        vec_skip(v, "a map that is not there");
        return;
    }
    struct names *names = names_new();
    struct requests *r = requests_new(names);
    struct shapes *shapes = shapes_new(names);
    struct shape *x = shape_of(v, r, shapes, a), *y = shape_of(v, r, shapes, b);
    vec_check_bool(v, "want", vec_want(v, "want"), x == y);
    shapes_drop(shapes, x);
    shapes_drop(shapes, y);
    shapes_free(shapes);
    requests_free(r);
    names_free(names);
}

#define CONTAINER "the containers of another program"
#define MISSING "the operands are not in the file"

static const struct vec_entry entries[] = {
    {"resources__TestAmountArithmetic", amount_arithmetic, NULL, 0},
    {"resources__TestAmountFromQuantity", amount_from_quantity, NULL, 0},
    {"resources__TestCountIn", count_in, NULL, 0},
    {"resources__TestCountInWithLimitingResource", count_in, NULL, 0},
    {"resources__TestFloorToZero", floor_to_zero, NULL, 0},
    {"resources__TestGreaterKeys", greater_keys, NULL, 0},
    {"resources__TestLazyRequests", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsClone", NULL, MISSING, 0},
    {"resources__TestMapRequestsGetValue", map_get, NULL, 0},
    {"resources__TestMapRequestsIsEmpty", map_size, NULL, 0},
    {"resources__TestMapRequestsLen", map_size, NULL, 0},
    {"resources__TestMapRequestsSet", map_set, NULL, 0},
    {"resources__TestRequestsEqual", requests_equal, NULL, 0},
    {"resources__TestResourceQuantityRoundTrips", round_trips, NULL, 0},
    {"resources__TestResourceValueClampsOutsideInt64", value_clamps, NULL, 0},
    {"resources__TestSliceRequests_AddAndSub", add_and_sub, NULL, 0},
    {"resources__TestSliceRequests_Clone", map_copy, NULL, 0},
    {"resources__TestSliceRequests_Conversion", map_copy, NULL, 0},
    {"resources__TestSliceRequests_CountIn", count_in, NULL, 0},
    {"resources__TestSliceRequests_Divide", divide, NULL, 0},
    {"resources__TestSliceRequests_GetValue", map_get, NULL, 0},
    {"resources__TestSliceRequests_GreaterKeys", greater_keys, NULL, 0},
    {"resources__TestSliceRequests_GreaterKeysRL", greater_keys_quantities, NULL, 0},
    {"resources__TestSliceRequests_LenAndIsEmpty", map_size, NULL, 0},
    {"resources__TestSliceRequests_MergeWithInPlace", NULL, MISSING, 0},
    {"resources__TestSliceRequests_Mul", multiply, NULL, 0},
    {"resources__TestSliceRequests_SaturationMatchesMapRequests", saturation, NULL, 0},
    {"resources__TestSliceRequests_ScaledDown", divide, NULL, 0},
    {"resources__TestSliceRequests_ScaledUp", multiply, NULL, 0},
    {"resources__TestSliceRequests_Set", map_set, NULL, 0},
    {"resources__TestSliceRequests_ToResourceList", resource_list, NULL, 0},
    {"resources__TestToMap", map_copy, NULL, 0},
};

VEC_AREA(vec_area_resources, entries);
