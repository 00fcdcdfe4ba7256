#include "api_test.h"

static struct arena arena, scratch;

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

static int read_text(const char *text, const struct doc_node **ret, struct err *e)
{
    /* a block of exactly this size: a read behind its end is seen */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, len);
    int rc = json_read(&arena, &scratch, copy, len, 1, ret, e);
    free(copy);
    return rc;
}

static const struct {
    const char *text;
    enum doc_type type;
    const char *own;
} good[] = {
    {"null", DOC_NULL, ""},
    {" true ", DOC_BOOL, "true"},
    {"false\n", DOC_BOOL, "false"},
    {"0.10", DOC_NUMBER, "0.10"},
    {"9007199254740993", DOC_NUMBER, "9007199254740993"},
    {"1e400", DOC_NUMBER, "1e400"},
    {"-0", DOC_NUMBER, "-0"},
    {"\"a\\\"\\\\\\u00e9\\n\"", DOC_STRING, "a\"\\\xc3\xa9\n"},
    {"\"\\ud83d\\ude00\"", DOC_STRING, "\xf0\x9f\x98\x80"},
    {"\xef\xbb\xbf{}", DOC_MAP, ""},
    {"[ ]", DOC_LIST, ""},
    {"{ }", DOC_MAP, ""},
};

START_TEST(reads)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    ck_assert_msg(read_text(good[_i].text, &n, &e) == 0, "%s", e.text);
    ck_assert_int_eq(n->type, good[_i].type);
    ck_assert_str_eq(n->text, good[_i].own);
}
END_TEST

static const struct {
    const char *text, *error;
} bad[] = {
    {"", "line 1: not valid JSON"},
    {"{\"a\": 1}\n}", "line 2: JSON: something follows the value"},
    {"{\"a\": 1} {\"b\": 2}", "line 1: JSON: something follows the value"},
    {"[01]", "line 1: JSON: not a number"},
    {"[\n1.]", "line 2: JSON: not a number"},
    {"[-]", "line 1: not valid JSON"},
    {"[+1]", "line 1: not valid JSON"},
    {"\"a\nb\"", "line 1: JSON: a control character in a string"},
    {"\"a\\u0000b\"", "line 1: JSON: a NUL in a string"},
    {"\"\xff\"", "line 1: JSON: a string that is not UTF-8"},
    {"\"\xed\xa0\x80\"", "line 1: JSON: a string that is not UTF-8"},
    {"{\"a\": 1,\n\n\"a\": 2}", "line 3: the key \"a\" is there already, in line 1"},
    {"{\"a\": {\"b\": 1, \"b\": 1}}", "line 1: the key \"b\" is there already, in line 1"},
    {"{\"a\": 1,}", "line 1: not valid JSON"},
    {"[1, 2", "line 1: not valid JSON"},
    {"{a: 1}", "line 1: not valid JSON"},
    {"nul", "line 1: not valid JSON"},
};

START_TEST(refuses)
{
    const struct doc_node *n = NULL;
    struct err e = {0};
    ck_assert_msg(read_text(bad[_i].text, &n, &e) == ERR_INVALID, "%s was read", bad[_i].text);
    ck_assert_str_eq(e.text, bad[_i].error);
}
END_TEST

START_TEST(lines)
{
    const struct doc_node *n = NULL;
    const char *text = "\n{\n\"a\":\n [1,\n {\"b\"\n: 2}]\n}";
    struct err e;
    ck_assert_int_eq(json_read(&arena, &scratch, text, strlen(text), 10, &n, &e), 0);
    ck_assert_uint_eq(n->line, 11);
    ck_assert_uint_eq(doc_get(n, "a")->line, 12); /* a pair is where its key is */
    ck_assert_uint_eq(doc_at(doc_get(n, "a"), 0)->line, 13);
    ck_assert_uint_eq(doc_path(doc_at(doc_get(n, "a"), 1), "b")->line, 14);
}
END_TEST

START_TEST(depth)
{
    char text[4 * DOC_MAX_DEPTH];
    struct err e = {0};
    const struct doc_node *n;
    memset(text, '[', DOC_MAX_DEPTH);
    memset(text + DOC_MAX_DEPTH, ']', DOC_MAX_DEPTH);
    ck_assert_int_eq(json_read(&arena, &scratch, text, 2 * DOC_MAX_DEPTH, 1, &n, &e), 0);
    memset(text, '[', DOC_MAX_DEPTH + 1);
    memset(text + DOC_MAX_DEPTH + 1, ']', DOC_MAX_DEPTH + 1);
    ck_assert_int_eq(json_read(&arena, &scratch, text, 2 * DOC_MAX_DEPTH + 2, 1, &n, &e), ERR_LIMIT);
}
END_TEST

START_TEST(out_of_memory)
{
    char text[2000];
    size_t len = 0;
    for (int i = 0; i < 60; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"key%d\": [\"v\"]", i ? "," : "{", i);
    text[len++] = '}';
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct arena a, s;
        struct err e = {0};
        const struct doc_node *root;
        arena_init(&a, 512);
        arena_init(&s, 512);
        mem_fail_after(n);
        int rc = json_read(&a, &s, text, len, 1, &root, &e);
        mem_fail_after(0);
        ck_assert_msg(rc == 0 || rc == ERR_NOMEM, "%d %s", rc, e.text);
        done = rc == 0;
        arena_free(&a);
        arena_free(&s);
        ck_assert_uint_lt(n, 1000);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, reads, 0, (int)COUNT(good));
    tcase_add_loop_test(tc, refuses, 0, (int)COUNT(bad));
    tcase_add_test(tc, lines);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, out_of_memory);
}

int main(void)
{
    return run_tests("api/json", add);
}
