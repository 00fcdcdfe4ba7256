/* Amounts and requests (engine.md 2.1-2.4). Totals of requests are those that the world computes for a Workload of one pod set. */
#include "vec_world.h"

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

#define CONTAINER "the containers of another program"
#define FITS "how many pods fit a node: topology-aware placement comes later"

static const struct vec_entry entries[] = {
    {"resources__TestAmountArithmetic", amount_arithmetic, NULL, 0},
    {"resources__TestAmountFromQuantity", amount_from_quantity, NULL, 0},
    {"resources__TestCountIn", NULL, FITS, 0},
    {"resources__TestCountInWithLimitingResource", NULL, FITS, 0},
    {"resources__TestFloorToZero", floor_to_zero, NULL, 0},
    {"resources__TestGreaterKeys", greater_keys, NULL, 0},
    {"resources__TestLazyRequests", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsClone", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsGetValue", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsIsEmpty", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsLen", NULL, CONTAINER, 0},
    {"resources__TestMapRequestsSet", NULL, CONTAINER, 0},
    {"resources__TestRequestsEqual", NULL, CONTAINER, 0},
    {"resources__TestResourceQuantityRoundTrips", round_trips, NULL, 0},
    {"resources__TestResourceValueClampsOutsideInt64", value_clamps, NULL, 0},
    {"resources__TestSliceRequests_AddAndSub", add_and_sub, NULL, 0},
    {"resources__TestSliceRequests_Clone", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_Conversion", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_CountIn", NULL, FITS, 0},
    {"resources__TestSliceRequests_Divide", divide, NULL, 0},
    {"resources__TestSliceRequests_GetValue", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_GreaterKeys", greater_keys, NULL, 0},
    {"resources__TestSliceRequests_GreaterKeysRL", greater_keys_quantities, NULL, 0},
    {"resources__TestSliceRequests_LenAndIsEmpty", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_MergeWithInPlace", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_Mul", multiply, NULL, 0},
    {"resources__TestSliceRequests_SaturationMatchesMapRequests", saturation, NULL, 0},
    {"resources__TestSliceRequests_ScaledDown", divide, NULL, 0},
    {"resources__TestSliceRequests_ScaledUp", multiply, NULL, 0},
    {"resources__TestSliceRequests_Set", NULL, CONTAINER, 0},
    {"resources__TestSliceRequests_ToResourceList", resource_list, NULL, 0},
    {"resources__TestToMap", NULL, CONTAINER, 0},
};

VEC_AREA(vec_area_resources, entries);
