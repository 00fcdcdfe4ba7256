#include "base/str.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_adding)
{
    struct str s;
    str_init(&s, 0);
    ck_assert_str_eq(str_text(&s), "");
    str_add(&s, "queue ");
    str_addn(&s, "abcdef", 3);
    str_addc(&s, '!');
    str_addf(&s, " %d of %s", 3, "five");
    str_addf(&s, "%s", "");
    str_add(&s, "");
    ck_assert_str_eq(str_text(&s), "queue abc! 3 of five");
    ck_assert_uint_eq(s.len, strlen(str_text(&s)));
    ck_assert(!str_failed(&s));
    str_clear(&s);
    ck_assert_str_eq(str_text(&s), "");
    str_free(&s);
    ck_assert_str_eq(str_text(&s), "");
}
END_TEST

static const struct {
    const char *in, *go, *json;
} quote_rows[] = {
    {"", "\"\"", "\"\""},
    {"plain", "\"plain\"", "\"plain\""},
    {"a\"b\\c/", "\"a\\\"b\\\\c/\"", "\"a\\\"b\\\\c/\""},
    {"\n\t\r", "\"\\n\\t\\r\"", "\"\\n\\t\\r\""},
    {"\a\b\f\v", "\"\\a\\b\\f\\v\"", "\"\\u0007\\b\\f\\u000b\""},
    {"\x01\x1f\x7f", "\"\\x01\\x1f\\x7f\"", "\"\\u0001\\u001f\x7f\""},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
     "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"",
     "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {"\xc2\x85\xc2\xa0\xe2\x80\x8b", "\"\\u0085\\u00a0\\u200b\"", "\"\xc2\x85\xc2\xa0\xe2\x80\x8b\""},
    {"\xff", "\"\\xff\"", "\"\xef\xbf\xbd\""},
    {"\xc3", "\"\\xc3\"", "\"\xef\xbf\xbd\""},
    {"\xe2\x82", "\"\\xe2\\x82\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"\xc0\x80", "\"\\xc0\\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                      /* overlong */
    {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* surrogate */
    {"\xf4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\"", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

START_TEST(test_quoting)
{
    struct str s;
    str_init(&s, 0);
    str_add_quoted(&s, quote_rows[_i].in);
    ck_assert_str_eq(str_text(&s), quote_rows[_i].go);
    str_clear(&s);
    str_add_json(&s, quote_rows[_i].in);
    ck_assert_str_eq(str_text(&s), quote_rows[_i].json);
    str_free(&s);
}
END_TEST

START_TEST(test_maximum)
{
    struct str s;
    str_init(&s, 10);
    str_add(&s, "0123456789");
    ck_assert(!str_failed(&s));
    str_addc(&s, 'x');
    ck_assert(str_failed(&s));
    str_clear(&s);
    str_add(&s, "01234567");
    str_add(&s, "too long");
    str_add(&s, "8");
    ck_assert(str_failed(&s));
    ck_assert_str_eq(str_text(&s), "01234567");
    ck_assert_ptr_null(str_take(&s));
    str_clear(&s);
    ck_assert(!str_failed(&s));
    str_addf(&s, "%s", "0123456789a");
    ck_assert(str_failed(&s));
    str_free(&s);
}
END_TEST

START_TEST(test_take)
{
    struct str s;
    int64_t live = mem_live();
    str_init(&s, 0);
    char *empty = str_take(&s);
    ck_assert_str_eq(empty, "");
    str_add(&s, "mine");
    char *p = str_take(&s);
    ck_assert_str_eq(p, "mine");
    ck_assert_str_eq(str_text(&s), "");
    mem_free(p);
    mem_free(empty);
    str_free(&s);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

static void compose(struct str *s)
{
    for (int i = 0; i < 100; i++) {
        str_addf(s, "%d,", i);
        str_add_quoted(s, "quoted\n");
        str_add_json(s, "json\n");
    }
}

START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        struct str s;
        str_init(&s, 0);
        mem_fail_after(n);
        compose(&s);
        failed = str_failed(&s);
        mem_fail_after(0);
        ck_assert_uint_eq(strlen(str_text(&s)), s.len);
        if (failed)
            ck_assert_ptr_null(str_take(&s));
        str_clear(&s);
        compose(&s);
        ck_assert(!str_failed(&s));
        str_free(&s);
        ck_assert_int_eq(mem_live(), live);
        ck_assert_uint_lt(n, 50);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("str");
    TCase *t = tcase_create("str");
    tcase_add_test(t, test_adding);
    tcase_add_loop_test(t, test_quoting, 0, (int)(sizeof(quote_rows) / sizeof(quote_rows[0])));
    tcase_add_test(t, test_maximum);
    tcase_add_test(t, test_take);
    tcase_add_test(t, test_out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
