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

/* The first document of a text. */
static int read_text(const char *text, const struct doc_node **ret, struct err *e)
{
    struct yaml *y = yaml_open(&arena, text, strlen(text), 1);
    ck_assert_ptr_nonnull(y);
    int rc = yaml_next(y, ret, e);
    yaml_close(y);
    return rc;
}

static const struct doc_node *doc(const char *text)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    ck_assert_msg(read_text(text, &n, &e) == 1, "%s: %s", text, e.text);
    return n;
}

static const struct {
    const char *text;
    enum doc_type type;
    const char *own;
    bool boolish;
} scalars[] = {
    {"~", DOC_NULL, "", false},
    {"null", DOC_NULL, "", false},
    {"Null", DOC_NULL, "", false},
    {"\"\"", DOC_STRING, "", false},
    {"true", DOC_BOOL, "true", false},
    {"FALSE", DOC_BOOL, "false", false},
    {"'true'", DOC_STRING, "true", false},
    {"yes", DOC_STRING, "yes", true},
    {"off", DOC_STRING, "off", true},
    {"\"yes\"", DOC_STRING, "yes", false},
    {"1", DOC_NUMBER, "1", false},
    {"-1.50", DOC_NUMBER, "-1.50", false},
    {"+.5e-3", DOC_NUMBER, "+.5e-3", false},
    {"1.", DOC_NUMBER, "1.", false},
    {"0x1F", DOC_NUMBER, "0x1F", false},
    {"0o17", DOC_NUMBER, "0o17", false},
    {".inf", DOC_NUMBER, ".inf", false},
    {"1e", DOC_STRING, "1e", false},
    {"1_000", DOC_STRING, "1_000", false},
    {"10Gi", DOC_STRING, "10Gi", false},
    {".", DOC_STRING, ".", false},
    {"2026-01-01T00:00:00Z", DOC_STRING, "2026-01-01T00:00:00Z", false},
    {"!!str 5", DOC_STRING, "5", false},
    {"! 5", DOC_STRING, "5", false},
    {"|\n  a\n  b\n", DOC_STRING, "a\nb\n", false},
};

START_TEST(core_schema)
{
    const struct doc_node *n = doc(scalars[_i].text);
    ck_assert_msg(n->type == scalars[_i].type, "%s is a %s", scalars[_i].text, doc_type_name(n->type));
    ck_assert_str_eq(n->text, scalars[_i].own);
    ck_assert_int_eq(n->boolish, scalars[_i].boolish);
}
END_TEST

START_TEST(integers_of_yaml)
{
    const struct doc_node *n = doc("{h: 0x10, o: 0o17, z: 010, p: +5}");
    ck_assert_int_eq(doc_i64_or(n, "h", 0), 16);
    ck_assert_int_eq(doc_i64_or(n, "o", 0), 15);
    ck_assert_int_eq(doc_i64_or(n, "z", 0), 10);
    ck_assert_int_eq(doc_i64_or(n, "p", 0), 5);
}
END_TEST

static const struct {
    const char *text, *json; /* equal documents */
} same[] = {
    {"a: 1\nb: [x, y]\n", "{\"a\": 1, \"b\": [\"x\", \"y\"]}"},
    {"a: &x {k: v}\nb: *x\n", "{\"a\": {\"k\": \"v\"}, \"b\": {\"k\": \"v\"}}"},
    {"a: &x {k: v, l: 1}\nb:\n  <<: *x\n  k: w\n",
     "{\"a\": {\"k\": \"v\", \"l\": 1}, \"b\": {\"k\": \"w\", \"l\": 1}}"},
    {"a: &x {k: 1}\nb: &y {k: 2, m: 3}\nc: {<<: [*x, *y]}\n",
     "{\"a\": {\"k\": 1}, \"b\": {\"k\": 2, \"m\": 3}, \"c\": {\"k\": 1, \"m\": 3}}"},
    {"\"<<\": 1\n", "{\"<<\": 1}"},
    {"1: a\ntrue: b\n", "{\"1\": \"a\", \"true\": \"b\"}"},
    {"- 1\n-\n- [ ]\n", "[1, null, []]"},
};

START_TEST(documents)
{
    struct arena scratch;
    arena_init(&scratch, 1024);
    const struct doc_node *want = NULL;
    struct err e;
    ck_assert_int_eq(json_read(&arena, &scratch, same[_i].json, strlen(same[_i].json), 1, &want, &e), 0);
    ck_assert_msg(doc_equal(doc(same[_i].text), want), "%s", same[_i].text);
    arena_free(&scratch);
}
END_TEST

static const struct {
    const char *text, *error;
} bad[] = {
    {"a: 1\nb: 2\na: 3\n", "line 3: the key \"a\" is there already, in line 1"},
    {"a: [1\nb: 2\n", "line 2: YAML: did not find expected ',' or ']'"},
    {"a: *nobody\n", "line 1: YAML: unknown anchor nobody"},
    {"a: &x [*x]\n", "line 1: YAML: unknown anchor x"},
    {"? [a]\n: b\n", "line 1: YAML: a key must be plain text"},
    {"a: !foo b\n", "line 1: YAML: the tag !foo is not supported"},
    {"a: \"x\\0y\"\n", "line 1: YAML: a NUL in a string"},
    {"a: {<<: 5}\n", "line 1: YAML: a merge key needs a map"},
    {"a: &x {}\nb: {<<: *x, <<: *x}\n", "line 2: YAML: a second merge key"},
    {"a:\n\tb: 1\n", "line 2: YAML: found character that cannot start any token"},
    {"\xff\xfe\xff", NULL},
};

START_TEST(refuses)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    ck_assert_msg(read_text(bad[_i].text, &n, &e) == ERR_INVALID, "%s was read", bad[_i].text);
    if (bad[_i].error)
        ck_assert_str_eq(e.text, bad[_i].error);
}
END_TEST

START_TEST(bombs)
{
    const struct doc_node *n;
    struct err e = {0};
    char text[2 * DOC_MAX_DEPTH + 10];
    ck_assert_int_eq(
        read_text("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                  "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                  "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
                  &n, &e),
        ERR_LIMIT);
    memset(text, '[', DOC_MAX_DEPTH + 1);
    memset(text + DOC_MAX_DEPTH + 1, ']', DOC_MAX_DEPTH + 1);
    text[2 * DOC_MAX_DEPTH + 2] = '\0';
    ck_assert_int_eq(read_text(text, &n, &e), ERR_LIMIT);
}
END_TEST

START_TEST(streams)
{
    const char *text = "# head\n---\na: 1\n---\n\n---\nb: yes\n...\n";
    struct yaml *y = yaml_open(&arena, text, strlen(text), 5);
    const struct doc_node *n;
    struct err e;
    ck_assert_int_eq(yaml_next(y, &n, &e), 1);
    ck_assert_uint_eq(doc_get(n, "a")->line, 7);
    ck_assert_uint_eq(yaml_boolish(y), 0);
    ck_assert_int_eq(yaml_next(y, &n, &e), 1);
    ck_assert_int_eq(n->type, DOC_NULL);
    ck_assert_int_eq(yaml_next(y, &n, &e), 1);
    ck_assert_uint_eq(doc_get(n, "b")->line, 11);
    ck_assert_uint_eq(yaml_boolish(y), 1);
    ck_assert_int_eq(yaml_next(y, &n, &e), 0);
    ck_assert_int_eq(yaml_next(y, &n, &e), 0);
    yaml_close(y);
}
END_TEST

/* An alias has the key of its own place, not that of its anchor. */
START_TEST(key_of_an_alias)
{
    const struct doc_node *n = doc("a: &x [1]\nb: [*x]\nc: *x\n");
    ck_assert_ptr_null(doc_at(doc_get(n, "b"), 0)->key);
    ck_assert_str_eq(doc_at(n, 2)->key, "c");
}
END_TEST

START_TEST(nothing_after_a_failure)
{
    const char *text = "a: *x\n---\nb: 1\n";
    struct yaml *y = yaml_open(&arena, text, strlen(text), 1);
    const struct doc_node *n;
    struct err e;
    ck_assert_int_eq(yaml_next(y, &n, &e), ERR_INVALID);
    ck_assert_int_eq(yaml_next(y, &n, &e), ERR_STATE);
    yaml_close(y);
}
END_TEST

START_TEST(out_of_memory)
{
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct arena a;
        struct err e = {0};
        const struct doc_node *root;
        arena_init(&a, 64);
        mem_fail_after(n);
        const char *text = "a: &x {k: v, l: [1, 2]}\nb: {<<: *x, m: *x}\n";
        struct yaml *y = yaml_open(&a, text, strlen(text), 1);
        int rc = y ? yaml_next(y, &root, &e) : ERR_NOMEM;
        mem_fail_after(0);
        ck_assert_msg(rc == 1 || rc == ERR_NOMEM, "%d %s", rc, e.text);
        done = rc == 1;
        yaml_close(y);
        arena_free(&a);
        ck_assert_uint_lt(n, 1000);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, core_schema, 0, (int)COUNT(scalars));
    tcase_add_test(tc, integers_of_yaml);
    tcase_add_loop_test(tc, documents, 0, (int)COUNT(same));
    tcase_add_loop_test(tc, refuses, 0, (int)COUNT(bad));
    tcase_add_test(tc, bombs);
    tcase_add_test(tc, streams);
    tcase_add_test(tc, key_of_an_alias);
    tcase_add_test(tc, nothing_after_a_failure);
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("api/yaml", add);
}
