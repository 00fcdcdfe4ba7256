#include "api_test.h"

static struct arena arena, scratch;

static const struct doc_node *json(const char *text)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    ck_assert_msg(json_read(&arena, &scratch, text, strlen(text), 1, &n, &e) == 0, "%s", e.text);
    return n;
}

static void setup(void)
{
    arena_init(&arena, 4096);
    arena_init(&scratch, 4096);
}

static void teardown(void)
{
    arena_free(&arena);
    arena_free(&scratch);
}

START_TEST(finding)
{
    const struct doc_node *n = json("{\"a\": {\"b\": [1, 2, {\"c\": \"x\"}]}, \"z\": null}");
    ck_assert_ptr_nonnull(doc_get(n, "z"));
    ck_assert_ptr_null(doc_field(n, "z"));
    ck_assert_ptr_null(doc_get(n, "A"));
    ck_assert_ptr_null(doc_get(NULL, "a"));
    ck_assert_ptr_null(doc_get(doc_path(n, "a.b"), "a"));
    const struct doc_node *b = doc_path(n, "a.b");
    ck_assert(doc_is(b, DOC_LIST));
    ck_assert_uint_eq(b->n, 3);
    ck_assert_str_eq(doc_at(b, 1)->text, "2");
    ck_assert_uint_eq(doc_at(b, 2)->index, 2);
    ck_assert_ptr_null(doc_at(b, 3));
    ck_assert_ptr_null(doc_path(n, "a.b.c"));
    ck_assert_ptr_null(doc_path(n, "z.c"));
    ck_assert(doc_is_text(doc_get(doc_at(b, 2), "c"), "x"));
    ck_assert_ptr_eq(doc_at(b, 2)->parent, b);
}
END_TEST

static const struct {
    const char *text;
    int rc;
    int64_t v;
} ints[] = {
    {"9223372036854775807", 0, INT64_MAX},
    {"-9223372036854775808", 0, INT64_MIN},
    {"9007199254740993", 0, 9007199254740993},
    {"9223372036854775808", ERR_RANGE, 0},
    {"1.0", ERR_INVALID, 0},
    {"1e3", ERR_INVALID, 0},
    {"\"1\"", ERR_INVALID, 0},
    {"null", ERR_NOTFOUND, 0},
};

START_TEST(integers)
{
    int64_t v = 0;
    struct err e = {0};
    ck_assert_int_eq(doc_i64(json(ints[_i].text), &v, &e), ints[_i].rc);
    ck_assert_int_eq(v, ints[_i].v);
    ck_assert_int_eq(e.code, ints[_i].rc);
}
END_TEST

START_TEST(readings)
{
    const struct doc_node *n =
        json("{\"i\": 2147483648, \"b\": true, \"s\": \"text\", \"q\": 0.5, \"qs\": \"1Gi\", "
             "\"t\": \"2026-01-01T00:00:01Z\", \"d\": 1.5}");
    int32_t i;
    bool b = false;
    double d = 0;
    const char *s = NULL;
    struct quantity q;
    when_ns t;
    ck_assert_int_eq(doc_i32(doc_get(n, "i"), &i, NULL), ERR_RANGE);
    ck_assert_int_eq(doc_bool(doc_get(n, "b"), &b, NULL), 0);
    ck_assert(b);
    ck_assert_int_eq(doc_bool(doc_get(n, "s"), &b, NULL), ERR_INVALID);
    ck_assert_int_eq(doc_str(doc_get(n, "s"), &s, NULL), 0);
    ck_assert_str_eq(s, "text");
    ck_assert_int_eq(doc_double(doc_get(n, "d"), &d, NULL), 0);
    ck_assert(d == 1.5);
    ck_assert_int_eq(doc_quantity(doc_get(n, "q"), &q, NULL), 0);
    ck_assert_int_eq(quantity_milli(q), 500);
    ck_assert_int_eq(doc_quantity(doc_get(n, "qs"), &q, NULL), 0);
    ck_assert_int_eq(quantity_value(q), 1 << 30);
    ck_assert_int_eq(doc_quantity(doc_get(n, "b"), &q, NULL), ERR_INVALID);
    ck_assert_int_eq(doc_when(doc_get(n, "t"), &t, NULL), 0);
    ck_assert_int_eq(t, INT64_C(1767225601) * NS_PER_S);
    ck_assert_int_eq(doc_i64_or(n, "s", 7), 7);
    ck_assert_str_eq(doc_str_or(n, "b", "no"), "no");
    ck_assert(doc_bool_or(n, "nothing", true));
    ck_assert_int_eq(doc_when_or(n, "s", WHEN_NONE), WHEN_NONE);
}
END_TEST

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
    {"[1,2]", "[2,1]", false},
    {"{\"a\":1}", "{\"b\":1}", false},
    {"1", "\"1\"", false},
    {"null", "null", true},
    {"[]", "{}", false},
};

START_TEST(equality)
{
    ck_assert_int_eq(doc_equal(json(pairs[_i].a), json(pairs[_i].b)), pairs[_i].equal);
}
END_TEST

START_TEST(many_keys)
{
    char text[4096];
    size_t len = 0;
    for (int i = 0; i < 100; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"k%d\": %d", i ? ",\n" : "{", i, i);
    snprintf(text + len, sizeof(text) - len, "}");
    ck_assert_int_eq(doc_i64_or(json(text), "k77", 0), 77);
    snprintf(text + len, sizeof(text) - len, ",\n\"k50\": 1}");
    const struct doc_node *n;
    struct err e = {0};
    ck_assert_int_eq(json_read(&arena, &scratch, text, strlen(text), 1, &n, &e), ERR_INVALID);
    ck_assert_str_eq(e.text, "line 101: the key \"k50\" is there already, in line 51");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, finding);
    tcase_add_loop_test(tc, integers, 0, (int)COUNT(ints));
    tcase_add_test(tc, readings);
    tcase_add_loop_test(tc, equality, 0, (int)COUNT(pairs));
    tcase_add_test(tc, many_keys);
}

int main(void)
{
    return run_tests("api/doc", add);
}
