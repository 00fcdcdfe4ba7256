#include "jobs/edit.h"

#include "api/reader.h"
#include "jobs/canon.h"
#include "jobs_test.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* ---- patches ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *before, *after, *patch;
} rows[] = {
    {"{a: 1}", "{a: 1}", ""},
    {"{a: 1}", "{a: 2}", "{\"metadata\":{\"resourceVersion\":\"\"},\"a\":2}"},
    {"{metadata: {resourceVersion: '5'}, a: {b: 1, c: 2}}",
     "{metadata: {resourceVersion: '5'}, a: {b: 1, c: 3}}",
     "{\"metadata\":{\"resourceVersion\":\"5\"},\"a\":{\"c\":3}}"},
    {"{metadata: {resourceVersion: '5', x: 1, y: 2}}",
     "{metadata: {resourceVersion: '5', x: 2, z: [a, {b: true}]}}",
     "{\"metadata\":{\"resourceVersion\":\"5\",\"x\":2,\"z\":[\"a\",{\"b\":true}],\"y\":null}}"},
    {"{a: [1, 2]}", "{a: [2]}", "{\"metadata\":{\"resourceVersion\":\"\"},\"a\":[2]}"},
    {"{a: {b: 1}}", "{}", "{\"metadata\":{\"resourceVersion\":\"\"},\"a\":null}"},
    {"{a: {b: 1}}", "{a: x}", "{\"metadata\":{\"resourceVersion\":\"\"},\"a\":\"x\"}"},
    {"{a: x}", "{a: {}}", "{\"metadata\":{\"resourceVersion\":\"\"},\"a\":{}}"},
    {"{}", "{\"q\\\"\": \"\\n\"}", "{\"metadata\":{\"resourceVersion\":\"\"},\"q\\\"\":\"\\n\"}"},
};

START_TEST(patches)
{
    struct str out;
    str_init(&out, 0);
    edit_patch(&out, doc_of(&arena, rows[_i].before), doc_of(&arena, rows[_i].after));
    ck_assert_str_eq(str_text(&out), rows[_i].patch);
    str_free(&out);
}
END_TEST

/* ---- parts exchanged ---------------------------------------------------------------------------------------------------- */

static const struct change {
    const char *doc, *path, *key, *value, *want; /* value "" = taken away */
} changes[] = {
    {"{}", "a", NULL, "1", "{\"a\":1}"},
    {"{a: 0, b: 2}", "a", NULL, "1", "{\"a\":1,\"b\":2}"},
    {"{}", "a.b.c", NULL, "{}", "{\"a\":{\"b\":{\"c\":{}}}}"},
    {"{a: {b: {d: 1}, e: 2}}", "a.b.c", NULL, "[1]", "{\"a\":{\"b\":{\"d\":1,\"c\":[1]},\"e\":2}}"},
    {"{a: {b: 1}}", "a.b", NULL, "", "{\"a\":{}}"},
    {"{a: 1}", "x.y", NULL, "", "{\"a\":1}"},
    {"{a: 1}", "a.b", NULL, "2", "{\"a\":{\"b\":2}}"},
    {"{m: {k/x.y: 1}}", "m", "k/x.y", "2", "{\"m\":{\"k/x.y\":2}}"},
    {"{m: {k/x.y: 1}}", "m", "k/x.y", "", "{\"m\":{}}"},
};

struct changing {
    const struct change *c;
    const struct doc_node *value, *result;
};

static void run_change(struct reader *rd, const struct doc_node *doc, void *ret)
{
    struct changing *g = ret;
    struct doc_node *value = g->value ? make_copy(rd->arena, g->value) : NULL;
    g->result = g->c->key ? edit_put_key(rd->arena, doc, g->c->path, g->c->key, value)
                          : edit_put(rd->arena, doc, g->c->path, value);
}

START_TEST(parts)
{
    struct err e;
    struct str out;
    const struct change *c = &changes[_i];
    struct reader rd = {.arena = &arena, .err = &e};
    struct changing g = {.c = c, .value = *c->value ? doc_of(&arena, c->value) : NULL};
    str_init(&out, 0);
    ck_assert_int_eq(rd_run(&rd, run_change, doc_of(&arena, c->doc), &g), 0);
    edit_json(&out, g.result);
    ck_assert_str_eq(str_text(&out), c->want);
    str_free(&out);
}
END_TEST

static void run_item(struct reader *rd, const struct doc_node *list, void *ret)
{
    *(const struct doc_node **)ret =
        edit_item(rd->arena, list, 1, make_scalar(rd->arena, 1, DOC_STRING, "x"));
}

START_TEST(items)
{
    struct err e;
    struct str out;
    const struct doc_node *result = NULL;
    struct reader rd = {.arena = &arena, .err = &e};
    str_init(&out, 0);
    ck_assert_int_eq(rd_run(&rd, run_item, doc_of(&arena, "[1, 2, 3]"), &result), 0);
    edit_json(&out, result);
    ck_assert_str_eq(str_text(&out), "[1,\"x\",3]");
    str_free(&out);
}
END_TEST

/* ---- canonical texts ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *doc, *want;
} texts[] = {
    {"{}", ""},
    {"{a: null, b: '', c: [], d: {e: {}}}", ""},
    {"{b: 1, a: [x, null, {}]}", "{\"a\":[\"x\",null,null],\"b\":1}"},
    {"{a: false, b: 0}", "{\"a\":false,\"b\":0}"},
    {"{resources: {requests: {cpu: 1000m}, limits: {cpu: 1}, claims: {cpu: 1000m}}}",
     "{\"resources\":{\"claims\":{\"cpu\":\"1000m\"},\"limits\":{\"cpu\":\"1\"},\"requests\":{\"cpu\":\"1\"}}"
     "}"},
    {"{resources: {requests: {cpu: what}}}", "{\"resources\":{\"requests\":{\"cpu\":\"what\"}}}"},
};

struct writing {
    struct str out;
};

static void run_canon(struct reader *rd, const struct doc_node *doc, void *ret)
{
    struct writing *w = ret;
    canon_put(&w->out, doc, rd->arena);
}

START_TEST(canonical)
{
    struct err e;
    struct writing w;
    struct reader rd = {.arena = &arena, .err = &e};
    str_init(&w.out, 0);
    ck_assert_int_eq(rd_run(&rd, run_canon, doc_of(&arena, texts[_i].doc), &w), 0);
    ck_assert_str_eq(str_text(&w.out), texts[_i].want);
    str_free(&w.out);
}
END_TEST

START_TEST(digest)
{
    struct canon_digest a = canon_digest_of("abc", 3), b = canon_digest_of("abd", 3);
    ck_assert_uint_eq(a.hi, 0xa9993e364706816au); /* FIPS 180-4 */
    ck_assert_uint_eq(a.lo, 0xba3e25717850c26cu);
    ck_assert(canon_digest_equal(a, a) && !canon_digest_equal(a, b));
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, patches, 0, COUNT(rows));
    tcase_add_loop_test(tc, parts, 0, COUNT(changes));
    tcase_add_test(tc, items);
    tcase_add_loop_test(tc, canonical, 0, COUNT(texts));
    tcase_add_test(tc, digest);
}

int main(void)
{
    return run_tests("edit", add);
}
