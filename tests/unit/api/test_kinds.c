#include "api_test.h"

/* ---- ResourceFlavor (engine.md 1.1) ------------------------------------------------------------------------------------- */

static const struct row flavor_rules[] = {
    {"{}", NULL},
    {"{nodeLabels: {a: b}, topologyName: t}", NULL},
    {"{topologyName: t}", "spec: Invalid value: at least one nodeLabel is required when topology is set"},
    {"{nodeLabels: {a: b, c: d, e: f, g: h, i: j, k: l, m: n, o: p, q: r}}",
     "spec.nodeLabels: Too many: 9: must have at most 8 items"},
    {"{nodeLabels: {\"a/b/c\": b}}", "spec.nodeLabels: Invalid value: \"a/b/c\": a qualified name must "
                                     "consist of alphanumeric characters, '-', '_' or '.', "
                                     "and must start and end with an alphanumeric character (e.g. 'MyName',  "
                                     "or 'my.name',  or '123-abc', regex used for "
                                     "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an "
                                     "optional DNS subdomain prefix and '/' (e.g. "
                                     "'example.com/MyName')"},
    {"{nodeTaints: [{key: a, value: b, effect: NoSchedule}, {key: a, effect: NoExecute}]}", NULL},
    {"{nodeTaints: [{key: a, value: b, effect: NoSchedule}, {key: a, value: c, effect: NoSchedule}]}",
     "spec.nodeTaints[1]: Duplicate value: taints must be unique by key and effect pair"},
    {"{nodeTaints: [{key: a}]}", "spec.nodeTaints[0].effect: Required value"},
    {"{nodeTaints: [{effect: NoSchedule}]}", "spec.nodeTaints[0].key: Required value"},
    {"{nodeTaints: [{key: a, effect: Never}]}", "spec.nodeTaints[0].effect: Unsupported value: \"Never\": "
                                                "supported values: \"NoSchedule\", \"PreferNoSchedule\", "
                                                "\"NoExecute\""},
    {"{tolerations: [{operator: Exists}, {key: a, value: b}, {key: c, operator: Equal, effect: NoExecute, "
     "tolerationSeconds: 5}]}",
     NULL},
    {"{tolerations: [{value: a}]}", "spec.tolerations[0].operator: Invalid value: \"\": operator must be "
                                    "Exists when `key` is empty, which means \"match all "
                                    "values and all keys\""},
    {"{tolerations: [{key: a, operator: Exists, value: b}]}",
     "spec.tolerations[0].value: Invalid value: a value must be empty when 'operator' is 'Exists'"},
    {"{tolerations: [{key: a, tolerationSeconds: 5}]}",
     "spec.tolerations[0].effect: Invalid value: effect must be 'NoExecute' when `tolerationSeconds` is set"},
    {"{tolerations: [{key: a, operator: Gt, value: \"5\"}]}",
     "spec.tolerations[0].operator: Unsupported value: \"Gt\": supported values: \"Equal\", \"Exists\""},
};

START_TEST(flavor)
{
    check_spec_row("ResourceFlavor", &flavor_rules[_i]);
}
END_TEST

START_TEST(flavor_fields)
{
    struct api_set *s =
        set_of_spec(0, "ResourceFlavor",
                    "{nodeLabels: {a: b}, topologyName: t, nodeTaints: [{key: k, value: v, effect: "
                    "PreferNoSchedule}], tolerations: [{key: k, operator: Exists}]}");
    const struct fact_flavor *f = &only(s)->flavor;
    ck_assert_str_eq(f->labels[0].value, "b");
    ck_assert_int_eq(f->taints[0].effect, EFFECT_PREFER_NO_SCHEDULE);
    ck_assert_int_eq(f->tolerations[0].op, TOLERATE_EXISTS);
    ck_assert_int_eq(f->tolerations[0].effect, EFFECT_ANY);
    ck_assert_str_eq(f->topology, "t");
    api_set_free(s);
}
END_TEST

/* ---- the small kinds ---------------------------------------------------------------------------------------------------- */

static const struct row topology_rules[] = {
    {"{levels: [{nodeLabel: rack}, {nodeLabel: kubernetes.io/hostname}]}", NULL},
    {"{levels: [{nodeLabel: kubernetes.io/hostname}, {nodeLabel: rack}]}",
     "spec.levels[0].nodeLabel: Invalid value: \"kubernetes.io/hostname\": can only be used at the lowest "
     "level of topology"},
    {"{levels: [{nodeLabel: rack}, {nodeLabel: rack}]}",
     "spec.levels[1].nodeLabel: Duplicate value: \"rack\""},
    {"{levels: []}", "spec.levels: Invalid value: 0: should have at least 1 items"},
    {"{}", "spec.levels: Required value"},
    {"{levels: [{}]}", "spec.levels[0].nodeLabel: Required value"},
};

START_TEST(topology)
{
    check_spec_row("Topology", &topology_rules[_i]);
}
END_TEST

START_TEST(admission_check)
{
    struct api_set *s =
        set_of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata: {name: a}\nspec: "
               "{controllerName: c}\nstatus: {conditions: [{type: Other, status: 'True'}, {type: Active, "
               "status: 'True'}]}\n");
    const struct fact_admission_check *c = &only(s)->admission_check;
    ck_assert_str_eq(c->controller, "c");
    ck_assert(c->active);
    api_set_free(s);
    s = set_of("apiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata: {name: a}\nspec: {}\n");
    check_error(s, "no controller", "AdmissionCheck a: spec.controllerName: Required value");
    api_set_free(s);
}
END_TEST

START_TEST(priority_classes)
{
    struct api_set *s =
        set_of("{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: p}, "
               "value: -2147483648, description: low}\n---\n{apiVersion: scheduling.k8s.io/v1, kind: "
               "PriorityClass, metadata: {name: q}, value: 1000000000, globalDefault: true}\n---\n"
               "{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: r}}\n"
               "---\n{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: "
               "s}, value: 2147483648}\n");
    ck_assert_uint_eq(api_set_count(s), 2);
    ck_assert_int_eq(api_set_at(s, 0)->priority_class.value, INT32_MIN);
    ck_assert_int_eq(api_set_at(s, 1)->kind, API_PRIORITY_CLASS);
    ck_assert(api_set_at(s, 1)->priority_class.global_default);
    ck_assert_uint_eq(api_set_errors(s), 2);
    ck_assert_str_eq(api_set_error(s, 0), "t.yaml:5: WorkloadPriorityClass r: value: Required value");
    ck_assert_str_eq(
        api_set_error(s, 1),
        "t.yaml:7: WorkloadPriorityClass s: value: must be an integer of 32 bits, not 2147483648");
    api_set_free(s);
}
END_TEST

START_TEST(name_space)
{
    struct api_set *s = set_of("{apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {a: b}}}");
    const struct fact_namespace *n = &only(s)->name_space;
    ck_assert_uint_eq(n->nlabels, 2);
    ck_assert_str_eq(n->labels[1].key, "kubernetes.io/metadata.name");
    ck_assert_str_eq(n->labels[1].value, "n");
    api_set_free(s);
    s = set_of_flags(API_NO_DEFAULTS, "t.yaml",
                     "{apiVersion: v1, kind: Namespace, metadata: {name: n, labels: {a: b}}}");
    ck_assert_uint_eq(only(s)->name_space.nlabels, 1);
    api_set_free(s);
}
END_TEST

START_TEST(runtime_class)
{
    struct api_set *s =
        set_of("{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: h, overhead: "
               "{podFixed: {cpu: 250m}}}\n---\n{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: "
               "{name: s}, handler: h}\n");
    ck_assert_uint_eq(api_set_count(s), 2);
    const struct fact_runtime_class *r = &api_set_at(s, 0)->runtime_class;
    ck_assert(r->has_overhead);
    ck_assert_int_eq(quantity_milli(r->overhead[0].q), 250);
    ck_assert(!api_set_at(s, 1)->runtime_class.has_overhead);
    api_set_free(s);
}
END_TEST

/* ---- LimitRange --------------------------------------------------------------------------------------------------------- */

static int64_t amount_of(const struct fact_amount *list, uint32_t n, const char *resource)
{
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(list[i].resource, resource) == 0)
            return quantity_value(list[i].q);
    }
    return -1;
}

#define LIMITS                                                                                               \
    "{apiVersion: v1, kind: LimitRange, metadata: {name: l, namespace: n}, spec: {limits: [{type: "          \
    "PersistentVolumeClaim, "                                                                                \
    "max: {storage: 5}}, {type: Container, max: {cpu: 4, memory: 8}, min: {cpu: 1, gpu: 1}, default: {cpu: " \
    "2}}, {type: "                                                                                           \
    "Pod, max: {cpu: 9}}]}}"

START_TEST(limit_range)
{
    struct api_set *s = set_of(LIMITS);
    const struct fact_limit_range *l = &only(s)->limit_range;
    ck_assert_uint_eq(l->nitems, 2);
    const struct fact_limit_item *c = &l->items[0];
    ck_assert_int_eq(c->type, LIMIT_CONTAINER);
    ck_assert_int_eq(amount_of(c->defaults, c->ndefaults, "cpu"), 2);
    ck_assert_int_eq(amount_of(c->defaults, c->ndefaults, "memory"), 8);
    ck_assert_int_eq(amount_of(c->default_requests, c->ndefault_requests, "cpu"), 2);
    ck_assert_int_eq(amount_of(c->default_requests, c->ndefault_requests, "memory"), 8);
    ck_assert_int_eq(amount_of(c->default_requests, c->ndefault_requests, "gpu"), 1);
    ck_assert_int_eq(l->items[1].type, LIMIT_POD);
    ck_assert_uint_eq(l->items[1].ndefaults, 0);
    api_set_free(s);
    s = set_of_flags(API_NO_DEFAULTS, "t.yaml", LIMITS);
    c = &only(s)->limit_range.items[0];
    ck_assert_uint_eq(c->ndefaults, 1);
    ck_assert_uint_eq(c->ndefault_requests, 0);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, flavor, 0, (int)COUNT(flavor_rules));
    tcase_add_test(tc, flavor_fields);
    tcase_add_loop_test(tc, topology, 0, (int)COUNT(topology_rules));
    tcase_add_test(tc, admission_check);
    tcase_add_test(tc, priority_classes);
    tcase_add_test(tc, name_space);
    tcase_add_test(tc, runtime_class);
    tcase_add_test(tc, limit_range);
}

int main(void)
{
    return run_tests("api/kinds", add);
}
