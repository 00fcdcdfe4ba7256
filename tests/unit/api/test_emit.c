#include "api/emit.h"
#include "api_test.h"

/* ---- YAML --------------------------------------------------------------------------------------------------------------- */

static const struct doc_node *parse(struct arena *a, const char *text)
{
    const struct doc_node *root = NULL;
    struct err e = {0};
    struct yaml *y = yaml_open(a, text, strlen(text), 1);
    ck_assert_msg(yaml_next(y, &root, &e) == 1, "%s: %s", text, e.text);
    yaml_close(y);
    return root;
}

/* YAML in, YAML out; `json` is the same as JSON without its white space between tokens. */
static const struct {
    const char *in, *yaml, *json;
} rows[] = {
    {"{}", "{}\n", "{}"},
    {"a: 1", "a: 1\n", "{\"a\":1}"},
    {"a: {b: [x, {c: d}, []], e: {}}", "a:\n  b:\n  - x\n  - c: d\n  - []\n  e: {}\n",
     "{\"a\":{\"b\":[\"x\",{\"c\":\"d\"},[]],\"e\":{}}}"},
    {"a: ~\nb: true\nc: False", "a: null\nb: true\nc: false\n", "{\"a\":null,\"b\":true,\"c\":false}"},
    /* text that would be read as something else is quoted, other text is not */
    {"a: 'true'\nb: 'Null'\nc: ''\nd: '~'\ne: 'y'", "a: 'true'\nb: 'Null'\nc: ''\nd: '~'\ne: 'y'\n",
     "{\"a\":\"true\",\"b\":\"Null\",\"c\":\"\",\"d\":\"~\",\"e\":\"y\"}"},
    {"a: '1'\nb: '1.5e3'\nc: '0x1f'\nd: '1_000'\ne: '.5'\nf: '-1'\ng: '.inf'\nh: '12:30'",
     "a: '1'\nb: '1.5e3'\nc: '0x1f'\nd: '1_000'\ne: '.5'\nf: '-1'\ng: '.inf'\nh: '12:30'\n",
     "{\"a\":\"1\",\"b\":\"1.5e3\",\"c\":\"0x1f\",\"d\":\"1_000\",\"e\":\".5\",\"f\":\"-1\",\"g\":\".inf\","
     "\"h\":"
     "\"12:30\"}"},
    {"a: '2026-01-01T00:00:00Z'\nb: '<<'\nc: '='", "a: '2026-01-01T00:00:00Z'\nb: '<<'\nc: '='\n",
     "{\"a\":\"2026-01-01T00:00:00Z\",\"b\":\"<<\",\"c\":\"=\"}"},
    {"a: 200Mi\nb: 100m\nc: -c\nd: a b\ne: /bin/sh\nf: ./x",
     "a: 200Mi\nb: 100m\nc: -c\nd: a b\ne: /bin/sh\nf: ./x\n",
     "{\"a\":\"200Mi\",\"b\":\"100m\",\"c\":\"-c\",\"d\":\"a b\",\"e\":\"/bin/sh\",\"f\":\"./x\"}"},
    {"a: 'x: y'\nb: 'x #y'\nc: '- x'\nd: '{x}'\ne: ' x'\nf: \"it's\"",
     "a: 'x: y'\nb: 'x #y'\nc: '- x'\nd: '{x}'\ne: ' x'\nf: it's\n",
     "{\"a\":\"x: y\",\"b\":\"x #y\",\"c\":\"- x\",\"d\":\"{x}\",\"e\":\" x\",\"f\":\"it's\"}"},
    /* what an older reader takes for a boolean stays as it was written */
    {"a: yes\nb: 'yes'", "a: yes\nb: 'yes'\n", "{\"a\":\"yes\",\"b\":\"yes\"}"},
    {"'1': a\n'<<': b\n'': c\n'true': d\n'a: b': e", "'1': a\n'<<': b\n'': c\n'true': d\n'a: b': e\n",
     "{\"1\":\"a\",\"<<\":\"b\",\"\":\"c\",\"true\":\"d\",\"a: b\":\"e\"}"},
    /* lines */
    {"a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\nd: z",
     "a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\nd: z\n",
     "{\"a\":\"x\\ny\\n\",\"b\":\"x\\n\\ny\",\"c\":\"x\\n\\n\",\"d\":\"z\"}"},
    {"a: \" x\\ny\"\nb: \"x \\ny\"\nc: \"x\\ty\\n\"\nd: \"x\\ry\"\ne: \"\\n\"",
     "a: \" x\\ny\"\nb: \"x \\ny\"\nc: \"x\\ty\\n\"\nd: \"x\\ry\"\ne: \"\\n\"\n",
     "{\"a\":\" x\\ny\",\"b\":\"x \\ny\",\"c\":\"x\\ty\\n\",\"d\":\"x\\ry\",\"e\":\"\\n\"}"},
    {"a: \"\\N\\L\\u0001\\U0001F600\"\nb: \xc3\xa4", "a: \"\\N\\L\\x01\\U0001F600\"\nb: \xc3\xa4\n",
     "{\"a\":\"\xc2\x85\xe2\x80\xa8\\u0001\xf0\x9f\x98\x80\",\"b\":\"\xc3\xa4\"}"},
    {"\"a\\nb\": c", "? \"a\\nb\"\n: c\n", "{\"a\\nb\":\"c\"}"},
    /* numbers keep their text, and JSON's grammar */
    {"[0x1f, 0o17, +1, 007, .5, 5., -0.50, 1e3, 12345678901234567890, .inf]",
     "- 0x1f\n- 0o17\n- +1\n- 007\n- .5\n- 5.\n- -0.50\n- 1e3\n- 12345678901234567890\n- .inf\n",
     "[31,15,1,7,0.5,5,-0.50,1e3,12345678901234567890,\".inf\"]"},
    {"[-00, 0, 0.0, 00.10e-5, 0xfffffffffffffffffff]",
     "- -00\n- 0\n- 0.0\n- 00.10e-5\n- 0xfffffffffffffffffff\n",
     "[-0,0,0.0,0.10e-5,\"0xfffffffffffffffffff\"]"},
    {"text", "text\n", "\"text\""},
    {"\"a\\nb\"", "\"a\\nb\"\n", "\"a\\nb\""},
};

static void squeeze(const char *json, char *ret)
{
    bool in_text = false;
    for (; *json; json++) {
        if (!in_text && (*json == ' ' || *json == '\n'))
            continue;
        if (*json == '"')
            in_text = !in_text;
        *ret++ = *json;
        if (*json == '\\')
            *ret++ = *++json;
    }
    *ret = '\0';
}

START_TEST(texts)
{
    struct arena a;
    struct str out;
    struct err e = {0};
    char json[4096];
    arena_init(&a, 4096);
    str_init(&out, 0);
    const struct doc_node *root = parse(&a, rows[_i].in);
    ck_assert_int_eq(emit_yaml(root, &out, &e), 0);
    /* libyaml closes documents that end with kept lines, or a plain scalar, by a marker of its own */
    char *end = strstr(out.p, "...\n");
    if (end && !end[4])
        *end = '\0';
    ck_assert_str_eq(str_text(&out), rows[_i].yaml);
    ck_assert(doc_equal(parse(&a, str_text(&out)), root));
    str_clear(&out);
    emit_json(root, 0, &out);
    squeeze(str_text(&out), json);
    ck_assert_str_eq(json, rows[_i].json);
    str_free(&out);
    arena_free(&a);
}
END_TEST

START_TEST(indented_json)
{
    struct arena a;
    struct str out;
    arena_init(&a, 4096);
    str_init(&out, 0);
    emit_json(parse(&a, "a: [1, {b: c}]\nd: {}"), 1, &out);
    ck_assert_str_eq(str_text(&out),
                     "{\n        \"a\": [\n            1,\n            {\n                \"b\": "
                     "\"c\"\n            }\n        ],\n        \"d\": {}\n    }");
    str_free(&out);
    arena_free(&a);
}
END_TEST

/* A long line is not folded; a very long key has a form of its own. */
START_TEST(long_lines)
{
    struct arena a;
    struct str in, out;
    struct err e = {0};
    arena_init(&a, 4096);
    str_init(&in, 0);
    str_init(&out, 0);
    for (int i = 0; i < 100; i++)
        str_add(&in, "word ");
    str_add(&in, "k: ");
    for (int i = 0; i < 100; i++)
        str_add(&in, "word ");
    str_add(&in, "end");
    const struct doc_node *root = parse(&a, str_text(&in));
    ck_assert_int_eq(emit_yaml(root, &out, &e), 0);
    ck_assert_ptr_nonnull(strstr(str_text(&out), "word word end\n"));
    ck_assert(doc_equal(parse(&a, str_text(&out)), root));
    str_free(&in);
    str_free(&out);
    arena_free(&a);
}
END_TEST

START_TEST(no_room)
{
    struct arena a;
    struct str out;
    struct err e = {0};
    arena_init(&a, 4096);
    str_init(&out, 4);
    ck_assert_int_eq(emit_yaml(parse(&a, "abc: defghi"), &out, &e), ERR_NOMEM);
    ck_assert_str_eq(e.text, "out of memory");
    str_clear(&out);
    emit_json(parse(&a, "abc: defghi"), 0, &out);
    ck_assert(str_failed(&out));
    str_free(&out);
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, texts, 0, COUNT(rows));
    tcase_add_test(tc, indented_json);
    tcase_add_test(tc, long_lines);
    tcase_add_test(tc, no_room);
}

int main(void)
{
    return run_tests("api/emit", add);
}
