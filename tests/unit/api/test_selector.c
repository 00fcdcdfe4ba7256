#include "api_test.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_free(&arena);
}

static const struct doc_node *doc(const char *text)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    struct yaml *y = yaml_open(&arena, text, strlen(text), 1);
    ck_assert_msg(yaml_next(y, &n, &e) == 1, "%s", e.text);
    yaml_close(y);
    return n;
}

/* ---- node affinity: a wrong expression is no error of the object, its text is kept -------------------------------------- */

#define EXPR "nodeSelectorTerms[0].matchExpressions[0]"

static const struct {
    const char *expr, *error;
} exprs[] = {
    {"{key: a, operator: In, values: [b, c]}", ""},
    {"{key: a, operator: Gt, values: [\"5\"]}", ""},
    {"{key: a, operator: Lt, values: [\"005\"]}", ""},
    {"{key: a, operator: Exists}", ""},
    {"{key: a, operator: In}",
     EXPR ".values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"},
    {"{key: a, operator: Exists, values: [x]}",
     EXPR ".values: Invalid value: [\"x\"]: values set must be empty for exists and does not exist"},
    {"{key: a, operator: Gt, values: [\"5\", \"6\"]}",
     EXPR ".values: Invalid value: [\"5\",\"6\"]: for 'Gt', 'Lt' operators, exactly one value is required"},
    {"{key: a, operator: Lt, values: [five]}",
     EXPR ".values[0]: Invalid value: \"five\": for 'Gt', 'Lt' operators, the value must be an integer"},
    {"{key: a, operator: Gt, values: [\"99999999999999999999\"]}",
     EXPR ".values[0]: Invalid value: \"99999999999999999999\": for 'Gt', 'Lt' operators, the value must be "
          "an integer"},
    {"{key: a, operator: Near, values: [x]}",
     EXPR ".operator: Unsupported value: \"Near\": supported values: \"DoesNotExist\", \"Exists\", \"Gt\", "
          "\"In\", \"Lt\", "
          "\"NotIn\""},
    {"{key: \"\", operator: Exists}", EXPR ".key: Invalid value: \"\": name part must be non-empty"},
    {"{key: a, operator: In, values: [\"b c\"]}",
     EXPR ".values[0]: Invalid value: \"b c\": a valid label must be an empty string or consist of "
          "alphanumeric characters, "
          "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
          "'my_value',  or "
          "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"},
};

START_TEST(node_affinity)
{
    char text[512];
    snprintf(
        text, sizeof(text),
        "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [%s], matchFields: [{key: metadata.name, operator: In, values: [n]}]}, {}]}}}}",
        exprs[_i].expr);
    struct fact_pod pod;
    struct err e = {0};
    ck_assert_msg(api_read_pod_spec(doc(text), &arena, 0, &pod, &e) == 0, "%s", e.text);
    ck_assert(pod.has_affinity);
    ck_assert_uint_eq(pod.nterms, 2);
    ck_assert_uint_eq(pod.terms[0].nexprs, 1);
    ck_assert_uint_eq(pod.terms[1].nexprs, 0);
    ck_assert_str_eq(pod.selector_error, exprs[_i].error);
}
END_TEST

START_TEST(preferred_is_no_affinity)
{
    struct fact_pod pod;
    struct err e;
    ck_assert_int_eq(
        api_read_pod_spec(doc("{affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
                              "[{weight: 1}]}, podAffinity: {}}}"),
                          &arena, 0, &pod, &e),
        0);
    ck_assert(!pod.has_affinity);
}
END_TEST

/* ---- label selectors ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *error;
    uint32_t n;
} selectors[] = {
    {"{}", NULL, 0},
    {"{matchLabels: {a: b, c: \"\"}}", NULL, 2},
    {"{matchExpressions: [{key: a, operator: In, values: [b]}, {key: c, operator: DoesNotExist}]}", NULL, 2},
    {"{matchExpressions: [{key: a, operator: Gt, values: [\"1\"]}]}",
     "matchExpressions[0].operator: Unsupported value: \"Gt\": supported values: \"In\", \"NotIn\", "
     "\"Exists\", "
     "\"DoesNotExist\"",
     0},
    {"{matchExpressions: [{key: a, operator: NotIn}]}",
     "matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'", 0},
    {"{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
     "matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or "
     "'DoesNotExist'",
     0},
    {"{matchExpressions: [{operator: Exists}]}", "matchExpressions[0].key: Required value", 0},
    {"{matchExpressions: [{key: a}]}", "matchExpressions[0].operator: Required value", 0},
    {"[]", "must be a map, not a list", 0},
};

START_TEST(label_selector)
{
    struct fact_selector sel = {.nexprs = 99};
    struct err e = {0};
    int rc = api_read_selector(doc(selectors[_i].text), &arena, 0, &sel, &e);
    if (!selectors[_i].error) {
        ck_assert_int_eq(rc, 0);
        ck_assert(!sel.is_null);
        ck_assert_uint_eq(sel.nexprs, selectors[_i].n);
        return;
    }
    ck_assert_int_eq(rc, ERR_INVALID);
    ck_assert_str_eq(e.text, selectors[_i].error);
    ck_assert_uint_eq(sel.nexprs, 99); /* a failed call changes nothing */
}
END_TEST

START_TEST(null_selector)
{
    struct fact_selector sel = {0};
    ck_assert_int_eq(api_read_selector(NULL, &arena, 0, &sel, NULL), 0);
    ck_assert(sel.is_null);
    sel.is_null = false;
    ck_assert_int_eq(api_read_selector(doc("null"), &arena, 0, &sel, NULL), 0);
    ck_assert(sel.is_null);
}
END_TEST

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

START_TEST(tolerations)
{
    const struct fact_toleration *t;
    uint32_t n;
    struct err e = {0};
    const struct doc_node *list =
        doc("[{}, {key: a, operator: \"\", value: v, effect: \"\"}, {key: b, operator: Lt, value: "
            "\"5\", effect: NoExecute}]");
    ck_assert_msg(api_read_tolerations(list, &arena, API_LENIENT, &t, &n, &e) == 0, "%s", e.text);
    ck_assert_uint_eq(n, 3);
    ck_assert_int_eq(t[1].op, TOLERATE_EQUAL);
    ck_assert_int_eq(t[1].effect, EFFECT_ANY);
    ck_assert_int_eq(t[2].op, TOLERATE_LT);
    ck_assert_int_eq(t[2].effect, EFFECT_NO_EXECUTE);
    ck_assert_int_eq(api_read_tolerations(doc("{}"), &arena, 0, &t, &n, &e), ERR_INVALID);
    ck_assert_int_eq(api_read_tolerations(NULL, &arena, 0, &t, &n, &e), 0);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(maps)
{
    const struct fact_amount *a;
    const struct fact_label *l;
    uint32_t n;
    struct err e = {0};
    ck_assert_int_eq(api_read_amounts(doc("{cpu: 1, memory: 2Gi}"), &arena, 0, &a, &n, &e), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(quantity_value(a[1].q), INT64_C(2) << 30);
    ck_assert_int_eq(api_read_amounts(doc("{cpu: []}"), &arena, 0, &a, &n, &e), ERR_INVALID);
    ck_assert_str_eq(e.text, "[cpu]: must be a quantity");
    ck_assert_int_eq(api_read_labels(doc("{a: b, c: null}"), &arena, 0, &l, &n, &e), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(l[1].value, "");
    ck_assert_int_eq(api_read_labels(doc("[a]"), &arena, 0, &l, &n, &e), ERR_INVALID);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, node_affinity, 0, (int)COUNT(exprs));
    tcase_add_test(tc, preferred_is_no_affinity);
    tcase_add_loop_test(tc, label_selector, 0, (int)COUNT(selectors));
    tcase_add_test(tc, null_selector);
    tcase_add_test(tc, tolerations);
    tcase_add_test(tc, maps);
}

int main(void)
{
    return run_tests("api/selector", add);
}
