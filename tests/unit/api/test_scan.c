#include "api/scan.h"

#include "api_test.h"

/* ---- values ------------------------------------------------------------------------------------------------------------- */

/* The value at the beginning of the text, and how long it is; -1: it does not end. */
static const struct {
    const char *text;
    int len;
} cuts[] = {
    {"{}x", 2},
    {"[1, 2]]", 6},
    {"\"a\\\"b\",", 6},
    {"\"a\\\\\",", 5},
    {"12,", 2},
    {"true}", 4},
    {"{\"}\": 1}", 8},
    {"[\"\\\\\"],1", 6},
    {"{\"a\": [1}", -1},
    {"\"a", -1},
    {"12", -1},
    {"[[[]]", -1},
    {",", 0},
    {"", -1},
    {"\"\\", -1},
};

START_TEST(cutting)
{
    const char *text = cuts[_i].text;
    size_t len = strlen(text);
    struct scan_cut whole = {0};
    const char *behind = scan_cut(&whole, text, text + len);
    ck_assert_int_eq(behind ? (int)(behind - text) : -1, cuts[_i].len);
    /* the same byte by byte */
    struct scan_cut piecewise = {0};
    behind = NULL;
    for (size_t i = 0; i < len && !behind; i++)
        behind = scan_cut(&piecewise, text + i, text + i + 1);
    ck_assert_int_eq(behind ? (int)(behind - text) : -1, cuts[_i].len);
}
END_TEST

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

static const char doc[] =
    "{\n \"a\": {\"b\": [10, {\"c\": 1.50}, []]},\n \"x.y\": \"t\", \"e\": {},\n \"n\": -1e3}";

static const struct {
    const char *path, *value; /* NULL: none */
    uint32_t line;
} paths[] = {
    {"a.b[0]", "10", 2},
    {"a.b[1].c", "1.50", 2},
    {"a.b[2]", "[]", 2},
    {"[x.y]", "\"t\"", 3},
    {"n", "-1e3", 4},
    {"e", "{}", 3},
    {"a.b", "[10, {\"c\": 1.50}, []]", 2},
    {"a.b[3]", NULL, 0},
    {"a.b[x]", NULL, 0},
    {"a.c", NULL, 0},
    {"e.f", NULL, 0},
    {"n.x", NULL, 0},
    {"b", NULL, 0},
};

START_TEST(finding)
{
    struct scan_piece p;
    bool found = scan_find(doc, strlen(doc), 1, paths[_i].path, &p);
    ck_assert_int_eq(found, paths[_i].value != NULL);
    if (!found)
        return;
    ck_assert_uint_eq(p.len, strlen(paths[_i].value));
    ck_assert_int_eq(memcmp(p.text, paths[_i].value, p.len), 0);
    ck_assert_uint_eq(p.line, paths[_i].line);
}
END_TEST

START_TEST(finding_the_whole)
{
    struct scan_piece p;
    ck_assert(scan_find(" 12", 3, 7, "", &p));
    ck_assert_uint_eq(p.len, 2);
    ck_assert_uint_eq(p.line, 7);
    ck_assert(!scan_find(" ", 1, 1, "", &p));
    ck_assert(!scan_find("{\"a\": [1", 8, 1, "a", &p));
}
END_TEST

/* ---- objects ------------------------------------------------------------------------------------------------------------ */

/* A text that comes in steps of so many bytes. */
struct drip {
    const char *text;
    size_t step;
};

static int drip_read(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err)
{
    struct drip *d = ctx;
    size_t n = strlen(d->text);
    (void)err;
    n = n < d->step ? n : d->step;
    n = n < cap ? n : cap;
    memcpy(buf, d->text, n);
    d->text += n;
    *ret = n;
    return 0;
}

/* Parts as "key=value" and "#item", each with "@line". */
static const struct {
    const char *text, *parts, *error;
} objects[] = {
    {"{}", "", NULL},
    {"{ \"a\" : 1 ,\n\"b\":[2]} x", "a=1@1 b=[2]@2 ", NULL},
    {"{\"k\":1,\"items\":[],\"z\":2}", "k=1@1 z=2@1 ", NULL},
    {"{\"items\":[ {\"x\":\"]\"} ,\n\n 5 ], \"kind\":\"List\"}", "#{\"x\":\"]\"}@1 #5@3 kind=\"List\"@3 ",
     NULL},
    {"{\"items\":{\"a\":[1]}}", "items={\"a\":[1]}@1 ", NULL},
    {"{\"a\":1,}", "a=1@1 ", "line 1: JSON: a value was expected"},
    {"{\"items\":[1,]}", "#1@1 ", "line 1: JSON: a value was expected"},
    {"{\"items\":[1 2]}", "#1@1 ", "line 1: JSON: a comma was expected"},
    {"{\"a\" 1}", "", "line 1: JSON: a colon was expected"},
    {"{a: 1}", "", "line 1: JSON: a key was expected"},
    {"{\n\"a\":", "", "line 2: JSON: the text ends too early"},
    {"{\"a\":[", "", "line 1: JSON: a value without end"},
    {"{\"a\":1", "", "line 1: JSON: a value without end"},
};

static void add_part(char *out, size_t cap, const struct scan_next *n)
{
    size_t len = strlen(out);
    if (n->kind == SCAN_FIELD)
        len += (size_t)snprintf(out + len, cap - len, "%s=", n->key);
    snprintf(out + len, cap - len, "%s%.*s@%u ", n->kind == SCAN_ITEM ? "#" : "", (int)n->piece.len,
             n->piece.text, n->piece.line);
}

START_TEST(parts)
{
    for (size_t step = 1; step <= 64; step *= 4) {
        struct drip d = {objects[_i].text, step};
        struct source src;
        struct scan s;
        struct scan_next n;
        struct err e = {0};
        char got[512] = "";
        source_init(&src, drip_read, &d);
        ck_assert_int_eq(source_need(&src, 0, 1, &e), 1);
        scan_begin(&s, &src, 0, 1);
        int rc;
        while ((rc = scan_next(&s, &n, &e)) == 0 && n.kind != SCAN_END)
            add_part(got, sizeof(got), &n);
        ck_assert_str_eq(got, objects[_i].parts);
        ck_assert_int_eq(rc, objects[_i].error ? ERR_INVALID : 0);
        ck_assert_str_eq(e.text, objects[_i].error ? objects[_i].error : "");
        source_free(&src);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, cutting, 0, (int)COUNT(cuts));
    tcase_add_loop_test(tc, finding, 0, (int)COUNT(paths));
    tcase_add_test(tc, finding_the_whole);
    tcase_add_loop_test(tc, parts, 0, (int)COUNT(objects));
}

int main(void)
{
    return run_tests("api/scan", add);
}
