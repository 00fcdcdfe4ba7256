#include "api/convert.h"
#include "api_test.h"

static void convert_all(struct convert *c, const char *name, const char *text)
{
    struct api_set *s = api_set_new(0);
    struct err e = {0};
    ck_assert_ptr_nonnull(s);
    api_set_documents(s, convert_document, c);
    ck_assert_msg(api_read_buffer(s, name, text, strlen(text), &e) == 0, "%s", e.text);
    ck_assert_msg(api_set_errors(s) == 0, "%s", api_set_error(s, 0));
    api_set_free(s);
}

static const char *text_of(struct convert *c)
{
    const struct str *out;
    ck_assert_int_eq(convert_text(c, &out, NULL), 0);
    return str_text(out);
}

#define OLD_Q "apiVersion: kueue.x-k8s.io/v1beta1\nkind: ClusterQueue\nspec:\n  cohort: c\n"
#define NEW_Q "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nspec:\n  cohortName: c\n"
#define JSON_Q(in)                                                                                           \
    "{\n" in "    \"apiVersion\": \"kueue.x-k8s.io/v1beta2\",\n" in "    \"kind\": \"ClusterQueue\",\n" in   \
    "    \"spec\": {\n" in "        \"cohortName\": \"c\"\n" in "    }\n" in "}"
#define LIST(items) "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"items\": [" items "]\n}\n"

static const struct {
    const char *in, *yaml, *json;
} rows[] = {
    {"", "", LIST("")},
    {"# a comment\n---\n", "", LIST("")},
    {OLD_Q, NEW_Q, JSON_Q("") "\n"},
    {"# a comment\n" OLD_Q "---\n---\nb: x # y\na: 1\n", NEW_Q "---\nb: x\na: 1\n",
     LIST("\n        " JSON_Q(
         "        ") ",\n        {\n            \"b\": \"x\",\n            \"a\": 1\n        }\n    ")},
    {"[1]\n---\ntext\n", "- 1\n---\ntext\n",
     LIST("\n        [\n            1\n        ],\n        \"text\"\n    ")},
    /* one list stays one, several become one */
    {"{apiVersion: v1, kind: List, items: [{a: 1}]}", "apiVersion: v1\nkind: List\nitems:\n- a: 1\n",
     LIST("\n        {\n            \"a\": 1\n        }\n    ")},
    {"{apiVersion: v1, kind: List, items: [1, 2]}\n---\n{apiVersion: v1, kind: List, items: []}\n---\n3",
     "apiVersion: v1\nkind: List\nitems:\n- 1\n- 2\n---\napiVersion: v1\nkind: List\nitems: "
     "[]\n---\n3\n",
     LIST("\n        1,\n        2,\n        3\n    ")},
    {"{apiVersion: v1, kind: List, metadata: {resourceVersion: ''}, items: [1]}\n---\n2",
     "apiVersion: v1\nkind: List\nmetadata:\n  resourceVersion: ''\nitems:\n- 1\n---\n2\n",
     LIST("\n        1,\n        2\n    ")},
};

START_TEST(texts)
{
    struct convert c;
    convert_init(&c, CONVERT_YAML);
    convert_all(&c, "t.yaml", rows[_i].in);
    ck_assert_str_eq(text_of(&c), rows[_i].yaml);
    convert_free(&c);
    /* what was converted is not converted again */
    convert_init(&c, CONVERT_YAML);
    convert_all(&c, "t.yaml", rows[_i].yaml);
    ck_assert_str_eq(text_of(&c), rows[_i].yaml);
    convert_free(&c);
    convert_init(&c, CONVERT_JSON);
    convert_all(&c, "t.yaml", rows[_i].in);
    ck_assert_str_eq(text_of(&c), rows[_i].json);
    convert_free(&c);
    convert_init(&c, CONVERT_JSON);
    convert_all(&c, "t.json", rows[_i].json);
    ck_assert_str_eq(text_of(&c), rows[_i].json);
    convert_free(&c);
}
END_TEST

START_TEST(told)
{
    struct convert c;
    convert_init(&c, CONVERT_YAML);
    convert_all(
        &c, "dir/t.yaml",
        "a: 1\n---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: AdmissionCheck\nmetadata: {name: x}\nspec:\n  "
        "retryDelayMinutes: 5\n---\napiVersion: kueue.x-k8s.io/v1beta1\nkind: Workload\nmetadata: {name: "
        "w, namespace: n}\nspec: {priorityClassName: 5}\n---\nb: 2\n");
    ck_assert_str_eq(
        str_text(&c.warnings),
        "dir/t.yaml:7: AdmissionCheck x: spec.retryDelayMinutes: left out: v1beta2 does not have it\n");
    ck_assert_str_eq(str_text(&c.errors),
                     "dir/t.yaml:12: Workload n/w: spec.priorityClassName: must be a string, not a number\n");
    ck_assert_str_eq(text_of(&c),
                     "a: 1\n---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata:\n  "
                     "name: x\nspec: {}\n---\nb: 2\n");
    convert_free(&c);
}
END_TEST

START_TEST(out_of_memory)
{
    const char *text = OLD_Q "---\n" OLD_Q;
    int failures = 0, rc = ERR_NOMEM;
    for (uint64_t n = 1; rc == ERR_NOMEM; n++) {
        struct convert c;
        struct err e = {0};
        const struct str *out;
        int64_t live = mem_live();
        struct api_set *s = api_set_new(0);
        convert_init(&c, _i ? CONVERT_JSON : CONVERT_YAML);
        api_set_documents(s, convert_document, &c);
        mem_fail_after(n);
        rc = api_read_buffer(s, "t.yaml", text, strlen(text), &e);
        if (rc == 0)
            rc = convert_text(&c, &out, &e);
        mem_fail_after(0);
        failures += rc == ERR_NOMEM;
        convert_free(&c);
        api_set_free(s);
        ck_assert_int_eq(mem_live(), live);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_gt(failures, 5);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, texts, 0, COUNT(rows));
    tcase_add_test(tc, told);
    tcase_add_loop_test(tc, out_of_memory, 0, 2);
}

int main(void)
{
    return run_tests("api/convert", add);
}
