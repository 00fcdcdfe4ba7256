/* Small rules: arithmetic, merging of resource lists, priority, limits, taints, waits, consumption of LocalQueues. */
#include "vec_status.h"

#include "api/priority.h"
#include "base/backoff.h"
#include "core/afs.h"
#include "core/resmap.h"
#include "lifecycle/podinfo.h"

#include <string.h>

/* ---- arithmetic --------------------------------------------------------------------------------------------------------- */

static void safe_value(struct vec *v)
{
    vec_check_i64(v, "want", vec_want(v, "want"), quantity_value(vec_quantity(v, vec_find(v, "q"))));
}

static void saturating_mul(struct vec *v)
{
    int64_t a = vec_i64(v, vec_find(v, "a")), b = vec_i64(v, vec_find(v, "b"));
    vec_check_i64(v, "want", vec_want(v, "want"), i64_mul(a, b));
}

static void saturating_sub(struct vec *v)
{
    int64_t a = vec_i64(v, vec_find(v, "a")), b = vec_i64(v, vec_find(v, "b"));
    vec_check_i64(v, "want", vec_want(v, "want"), i64_sub(a, b));
}

static void quantity_to_float(struct vec *v)
{
    vec_check_double(v, "wantResult", vec_want(v, "wantResult"),
                     quantity_double(vec_quantity(v, vec_find(v, "q"))));
}

/* ---- lists of resources ------------------------------------------------------------------------------------------------- */

static struct resmap map_of(struct vec *v, struct names *names, const struct doc_node *list)
{
    struct resmap m = resmap_new(v->arena);
    doc_foreach (c, list) {
        uint32_t id;
        if (names_id(names, c->key, &id))
            vec_broken(v, "a name", NULL);
        else
            resmap_put(&m, id, vec_quantity(v, c), RESMAP_REPLACE);
    }
    return m;
}

static void check_map(struct vec *v, const char *field, struct names *names, const struct resmap *m)
{
    struct str s;
    char text[64];
    str_init(&s, 0);
    str_addc(&s, '{');
    for (uint32_t i = 0; i < m->n; i++) {
        quantity_print(m->v[i].q, text, sizeof(text));
        str_addf(&s, "%s\"%s\":\"%s\"", i ? "," : "", names_text(names, m->v[i].res), text);
    }
    str_addc(&s, '}');
    vec_check_json(v, field, vec_want(v, field), &s, NULL);
    str_free(&s);
}

static void merge(struct vec *v)
{
    static const struct {
        const char *name;
        enum resmap_rule rule;
    } rules[] = {{"merge", RESMAP_KEEP}, {"max", RESMAP_MAX}, {"min", RESMAP_MIN}, {"sum", RESMAP_ADD}};
    const char *op = vec_str(v, vec_find(v, "operation"));
    struct names *names = names_new();
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(op, rules[i].name) != 0)
            continue;
        struct resmap a = map_of(v, names, vec_find(v, "a")), b = map_of(v, names, vec_find(v, "b"));
        resmap_merge(&a, &b, rules[i].rule);
        check_map(v, "result", names, &a);
    }
    names_free(names);
}

static void keep_max(struct vec *v)
{
    struct resmap a = resmap_new(v->arena), b = resmap_new(v->arena);
    resmap_put(&b, 1, vec_quantity(v, vec_find(v, "value")), RESMAP_REPLACE);
    resmap_merge(&a, &b, RESMAP_MAX);
    /* what came in later must not change the result */
    resmap_put(&b, 1, quantity_from_i64(7), RESMAP_REPLACE);
    vec_check_quantity(v, "want", vec_want(v, "want"), a.v[0].q);
}

static void mul_by_float(struct vec *v)
{
    double f = vec_double(v, vec_find(v, "f"));
    struct names *names = names_new();
    struct resmap m = map_of(v, names, vec_find(v, "rl"));
    for (uint32_t i = 0; i < m.n; i++)
        m.v[i].q = afs_scale(m.v[i].q, f);
    check_map(v, "want", names, &m);
    names_free(names);
}

/* ---- admission fair sharing --------------------------------------------------------------------------------------------- */

static void afs_weighted_usage(struct vec *v)
{
    struct names *names = names_new();
    struct afs_config config = {0};
    struct afs_ledger ledger;
    struct fact_config f = {.afs = true};
    uint32_t n;
    f.afs_weights = vec_amounts(v, vec_find(v, "resWeights"), &f.nafs_weights);
    const struct fact_amount *consumed = vec_amounts(v, vec_find(v, "consumed"), &n);
    afs_ledger_init(&ledger);
    ledger.weight = vec_double(v, vec_find(v, "lqWeight"));
    if (afs_configure(&config, names, &f) || afs_seed(&ledger, names, consumed, n, 0))
        vec_broken(v, "consumption", NULL);
    else
        vec_check_double(v, "wantUsage", vec_want(v, "wantUsage"), afs_usage(&config, names, &ledger));
    afs_ledger_free(&ledger);
    afs_config_free(&config);
    names_free(names);
}

static void afs_push(struct vec *v, const struct afs_config *config, struct names *names,
                     struct afs_ledger *l, const void *w, const struct doc_node *amounts)
{
    struct afs_amount *a = vec_alloc(v, amounts->n * sizeof(*a));
    doc_foreach (c, amounts) {
        struct quantity q = vec_quantity(v, c);
        /* half of it is the penalty: the sampling interval is the half life */
        a[c->index].q = quantity_add(q, q);
        if (names_id(names, c->key, &a[c->index].res))
            vec_broken(v, "a name", NULL);
    }
    if (afs_penalize(config, names, l, w, a, amounts->n))
        vec_broken(v, "a penalty", NULL);
}

static void afs_penalties(struct vec *v)
{
    struct names *names = names_new();
    struct afs_config config = {.on = true, .half_life_ns = NS_PER_S, .sampling_ns = NS_PER_S};
    struct afs_ledger ledger;
    afs_ledger_init(&ledger);
    doc_foreach (op, vec_find(v, "ops")) {
        uint32_t id;
        if (names_id(names, doc_str_or(op, "wl", ""), &id))
            vec_broken(v, "a name", NULL);
        const void *w = names_text(names, id); /* stands for the Workload */
        const struct doc_node *push = doc_field(op, "push");
        if (push)
            afs_push(v, &config, names, &ledger, w, push);
        else
            afs_unpenalize(&ledger, w);
    }
    vec_check_bool(v, "wantHas", vec_want(v, "wantHas"), afs_has_penalties(&ledger));
    doc_foreach (c, vec_want(v, "wantMilli"))
        vec_check_i64(v, c->key, c, quantity_milli(afs_pending(&ledger, names_find(names, c->key))));
    afs_ledger_free(&ledger);
    names_free(names);
}

/* ---- priority ----------------------------------------------------------------------------------------------------------- */

static void workload_priority(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object o;
    struct wl *wl = NULL;
    if (w && vec_object(v, vec_find(v, "workload"), &o))
        wl = vec_put_workload(v, w, &o.workload, VEC_NOW);
    const struct doc_node *want = doc_get(v->want, "wantPriority"), *boost = doc_get(v->want, "wantBoost");
    if (wl && boost)
        vec_check_i64(v, "wantBoost", boost, wl->boost);
    else if (wl)
        vec_check_i64(v, "want", want ? want : vec_want(v, "want"), wl_priority(wl));
    world_free(w);
}

static const struct fact_priority_class *classes_of(struct vec *v, const struct doc_node *items,
                                                    uint32_t *ret_n)
{
    *ret_n = items ? items->n : 0;
    struct fact_priority_class *c = vec_alloc(v, *ret_n * sizeof(*c));
    doc_foreach (n, items) {
        c[n->index].name = doc_str_or(doc_field(n, "metadata"), "name", "");
        c[n->index].value = (int32_t)doc_i64_or(n, "value", 0);
        c[n->index].global_default = doc_bool_or(n, "globalDefault", false);
    }
    return c;
}

static void class_priority(struct vec *v)
{
    uint32_t n;
    const struct fact_priority_class *all =
        classes_of(v, doc_field(vec_find(v, "priorityClassList"), "items"), &n);
    const struct fact_priority_class *c = NULL;
    struct err err;
    int rc = priority_resolve(all, n, vec_str(v, vec_find(v, "priorityClassName")), &c, &err);
    bool fails = doc_field(v->want, "wantErr") != NULL;
    vec_check(v, "wantErr", (rc != 0) == fails, fails ? "an error" : "none", rc ? err.text : "none");
    vec_check_str(v, "wantPriorityClassRef", doc_field(vec_want(v, "wantPriorityClassRef"), "name"),
                  c ? c->name : "");
    vec_check_i64(v, "wantPriorityClassValue", vec_want(v, "wantPriorityClassValue"), c ? c->value : 0);
}

static void default_class(struct vec *v)
{
    uint32_t n;
    const struct fact_priority_class *all =
        classes_of(v, doc_field(vec_find(v, "workloadPriorityClassList"), "items"), &n);
    vec_check_bool(v, "wantExist", vec_want(v, "wantExist"), priority_find(all, n, "default") != NULL);
}

/* ---- pods --------------------------------------------------------------------------------------------------------------- */

static bool pod_of(struct vec *v, const struct doc_node *spec, struct fact_pod *ret)
{
    struct err err;
    if (api_read_pod_spec(spec, v->arena, API_LENIENT, ret, &err) == 0)
        return true;
    vec_broken(v, "a pod", &err);
    return false;
}

static bool same_digest(const struct fact_pod *a, const struct fact_pod *b)
{
    return a->digest_len == b->digest_len && memcmp(a->digest, b->digest, a->digest_len) == 0;
}

/* The digest of a pod tells of pod-level requests, of nothing else of the pod-level resources, and only when they are set. */
static void spec_shape(struct vec *v)
{
    const struct doc_node *spec = vec_find(v, "podSpec"), *resources = vec_want(v, "wantResources");
    struct fact_pod pod, bare, wanted;
    const char *list = vec_text(v, doc_field(spec, "containers"));
    const struct doc_node *without = vec_read(v, vec_printf(v, "{\"containers\":%s}", list));
    const struct doc_node *with =
        vec_read(v, vec_printf(v, "{\"containers\":%s,\"resources\":{\"requests\":%s}}", list,
                               vec_text(v, resources)));
    if (!pod_of(v, spec, &pod) || !pod_of(v, without, &bare) || !pod_of(v, with, &wanted))
        return;
    vec_check_bool(v, "wantPresent", vec_want(v, "wantPresent"), !same_digest(&pod, &bare));
    vec_check(v, "wantResources", resources->type == DOC_NULL || same_digest(&pod, &wanted),
              vec_text(v, resources), "another shape");
}

/* The hash of a role is made of the same parts: equal digests, equal hashes. */
static void role_hash(struct vec *v)
{
    struct fact_pod pod, base;
    const struct doc_node *plain = vec_read(v, "{\"containers\":[{\"name\":\"c\"}]}");
    if (pod_of(v, vec_find(v, "podSpec"), &pod) && pod_of(v, plain, &base))
        vec_check_bool(v, "wantBaseHash", vec_want(v, "wantBaseHash"), same_digest(&pod, &base));
}

static void fill_limits(struct vec *v, struct fact_limit_item *item, enum limit_type type,
                        const struct doc_node *n)
{
    item->type = type;
    item->max = vec_amounts(v, doc_field(n, "max"), &item->nmax);
    item->min = vec_amounts(v, doc_field(n, "min"), &item->nmin);
}

static void validate_pod(struct vec *v)
{
    const struct doc_node *summary = vec_find(v, "summary");
    struct fact_limit_item items[2] = {0};
    struct fact_limit_range range = {"ns", "limits", items, 0};
    struct fact_pod_set ps = vec_pod_set("main", 1, NULL, 0);
    if (doc_field(summary, "Container"))
        fill_limits(v, &items[range.nitems++], LIMIT_CONTAINER, doc_field(summary, "Container"));
    if (doc_field(summary, "Pod"))
        fill_limits(v, &items[range.nitems++], LIMIT_POD, doc_field(summary, "Pod"));
    if (!pod_of(v, vec_find(v, "podSpec"), &ps.pod))
        return;
    struct names *names = names_new();
    struct requests *r = requests_new(names);
    struct str text;
    struct err err;
    str_init(&text, 0);
    if (requests_put_limit_range(r, &range, &err) || requests_validate(r, "ns", &ps, 1, &text, &err))
        vec_broken(v, "validation", &err);
    const char *want =
        vec_invalid_text(v, "resources didn't satisfy LimitRange constraints: ", vec_want(v, "want"));
    vec_check(v, "want", strcmp(want, str_text(&text)) == 0, want, vec_printf(v, "%s", str_text(&text)));
    str_free(&text);
    requests_free(r);
    names_free(names);
}

/* ---- taints and tolerations --------------------------------------------------------------------------------------------- */

static void taint_key(struct vec *v)
{
    const struct fact_taint *taints;
    uint32_t n;
    struct err err;
    struct fact_toleration any = {vec_str(v, vec_find(v, "taintKeyToMatch")), "", TOLERATE_EXISTS,
                                  EFFECT_ANY};
    bool found = false;
    if (api_read_taints(vec_find(v, "testingTaints"), v->arena, API_LENIENT, &taints, &n, &err)) {
        vec_broken(v, "taints", &err);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        found = found || toleration_tolerates(&any, &taints[i]);
    vec_check_bool(v, "expectedResult", vec_want(v, "expectedResult"), found);
}

static void tolerations_equal(struct vec *v)
{
    struct podinfo_toleration t[2] = {0};
    static const char *const fields[] = {"a", "b"};
    for (int i = 0; i < 2; i++) {
        const struct fact_toleration *read;
        uint32_t n;
        struct err err;
        const struct doc_node *list = vec_read(v, vec_printf(v, "[%s]", vec_text(v, vec_find(v, fields[i]))));
        if (api_read_tolerations(list, v->arena, API_LENIENT, &read, &n, &err)) {
            vec_broken(v, "a toleration", &err);
            return;
        }
        t[i].t = read[0];
    }
    vec_check_bool(v, "wantEq", vec_want(v, "wantEq"), podinfo_toleration_equal(&t[0], &t[1]));
}

/* ---- waits -------------------------------------------------------------------------------------------------------------- */

static struct backoff backoff_of(struct vec *v)
{
    const struct doc_node *n = doc_field(vec_find(v, "backoff"), "backoff");
    return (struct backoff){.base_ns = vec_i64(v, doc_field(n, "Duration")),
                            .cap_ns = vec_i64(v, doc_field(n, "Cap")),
                            .factor = (uint32_t)vec_i64(v, doc_field(n, "Factor"))};
}

static const char *duration_text(struct vec *v, int64_t ns)
{
    char *text = vec_alloc(v, 64);
    duration_print(ns, text, 64);
    return text;
}

static void wait_time(struct vec *v)
{
    struct backoff b = backoff_of(v);
    int64_t got = backoff_wait(&b, (uint64_t)vec_i64(v, vec_find(v, "iteration")));
    vec_check_str(v, "want", vec_want(v, "want"), duration_text(v, got));
}

static void wait_times(struct vec *v)
{
    struct backoff b = backoff_of(v);
    const struct doc_node *list = vec_find(v, "iterations");
    const char **got = vec_alloc(v, (list ? list->n : 0) * sizeof(*got));
    doc_foreach (c, list)
        got[c->index] = duration_text(v, backoff_wait(&b, (uint64_t)vec_i64(v, c)));
    vec_check_list(v, "want", vec_want(v, "want"), got, list ? list->n : 0);
}

/* The pace of the scheduler (4.11). */
static void until_with_backoff(struct vec *v)
{
    const struct backoff pace = {NS_PER_MS, 10 * NS_PER_MS, 2};
    const struct doc_node *signals = vec_find(v, "signals");
    uint32_t n = signals ? signals->n : 0;
    const char **got = vec_alloc(v, (n + 1) * sizeof(*got));
    uint64_t slow = 0;
    got[0] = duration_text(v, backoff_wait(&pace, slow));
    doc_foreach (c, signals)
        got[c->index + 1] = duration_text(v, backoff_next(&pace, &slow, vec_bool(v, c)));
    vec_check_list(v, "expected", vec_want(v, "expected"), got, n + 1);
}

#define CHECKS "parameters of admission checks belong to their controllers, which come later"
#define CONTAINER "the containers of another program"
#define PODS "pods as jobs come later"

static const struct vec_entry entries[] = {
    {"cache_queue_afs__TestPenaltyBookkeepingIsIdempotentAndExact", afs_penalties, NULL, 0},
    {"util_admissioncheck__TestConfigHelper", NULL, CHECKS, 0},
    {"util_admissioncheck__TestFilterCheckStates", NULL, CHECKS, 0},
    {"util_admissioncheck__TestGetMultiKueueAdmissionCheck", NULL, CHECKS, 0},
    {"util_admissioncheck__TestGetRemoteClusters", NULL, CHECKS, 0},
    {"util_admissioncheck__TestIndexerFunc", NULL, CHECKS, 0},
    {"util_admissionfairsharing__TestCalculateUsageWithDRA", afs_weighted_usage, NULL, 0},
    {"util_admissionfairsharing__TestResolveLQWeight", NULL, "an error of the API server", 0},
    {"util_limitrange__TestValidatePodSpec", validate_pod, NULL, 0},
    {"util_math__TestSafeValue", safe_value, NULL, 0},
    {"util_math__TestSaturatingMul", saturating_mul, NULL, 0},
    {"util_math__TestSaturatingSub", saturating_sub, NULL, 0},
    {"util_orderedgroups__TestInOrder", NULL, CONTAINER, 0},
    {"util_orderedgroups__TestInsert", NULL, CONTAINER, 0},
    {"util_pod__TestGenerateRoleHash", role_hash, NULL, 0},
    {"util_pod__TestGetPodGroupName", NULL, PODS, 0},
    {"util_pod__TestHasGate", NULL, PODS, 0},
    {"util_pod__TestIsTerminated", NULL, PODS, 0},
    {"util_pod__TestReadUIntFromLabel", NULL, PODS, 0},
    {"util_pod__TestRecordPodSchedulingGateRemovalSecondsReplicaRole", NULL, PODS, 0},
    {"util_pod__TestSpecShape", spec_shape, NULL, 0},
    {"util_pod__TestUngate", NULL, PODS, 0},
    {"util_podset__TestFindPodSetByName", NULL, CONTAINER, 0},
    {"util_priority__TestDefaultWorkloadPriorityClassExist", default_class, NULL, 0},
    {"util_priority__TestEffectivePriority", workload_priority, NULL, 0},
    {"util_priority__TestGetPriorityFromPriorityClass", class_priority, NULL, 0},
    {"util_priority__TestParseEffectivePriority", workload_priority, NULL, 0},
    {"util_priority__TestPriority", workload_priority, NULL, 0},
    {"util_priority__TestPriorityBoost", workload_priority, NULL, 0},
    {"util_resource__TestIsExtendedResourceName", NULL,
     "extended resources matter to device requests, which come later", 0},
    {"util_resource__TestMerge", merge, NULL, 0},
    {"util_resource__TestMergeKeepMaxOwnsItsResult", keep_max, NULL, 0},
    {"util_resource__TestMulByFloat", mul_by_float, NULL, 0},
    {"util_resource__TestQuantityToFloat", quantity_to_float, NULL, 0},
    {"util_statefulset__TestUngatePod", NULL, PODS, 0},
    {"util_taints__TestTaintKeyExists", taint_key, NULL, 0},
    {"util_tolerations__TestEqual", tolerations_equal, NULL, 0},
    {"util_wait__TestBackoff_WaitTime", wait_time, NULL, 0},
    {"util_wait__TestBackoff_WaitTime_Consecutive", wait_times, NULL, 0},
    {"util_wait__TestUntilWithBackoff", until_with_backoff, NULL, 0},
};

VEC_AREA(vec_area_util, entries);
