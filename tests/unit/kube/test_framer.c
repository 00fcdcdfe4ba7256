#include "kube/framer.h"

#include "base/mem.h"
#include "kube/watch_page.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines joined by '|', "!" and the code for a failure. */
static void lines_of(const char *text, size_t step, char *out, size_t cap)
{
    struct framer f;
    size_t n = 0, len = strlen(text);
    framer_init(&f);
    for (size_t at = 0; at < len; at += step) {
        size_t piece = len - at < step ? len - at : step;
        char *exact = malloc(piece); /* so that a byte too far is seen */
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, text + at, piece);
        framer_push(&f, exact, piece);
        const char *line;
        size_t line_len;
        int rc;
        while ((rc = framer_next(&f, &line, &line_len)) == 1)
            n += (size_t)snprintf(out + n, cap - n, "%.*s|", (int)line_len, line);
        ck_assert_int_eq(rc, 0);
        free(exact);
    }
    out[n] = '\0';
    framer_free(&f);
}

static const struct {
    const char *text, *lines;
} line_rows[] = {
    {"", ""},
    {"\n", ""},
    {"a", ""},
    {"a\n", "a|"},
    {"a\nbc\n", "a|bc|"},
    {"{\"a\":1}\n{\"b\":\"x y\"}\nrest", "{\"a\":1}|{\"b\":\"x y\"}|"},
    {"a\r\n\r\n\n\nb\n", "a|b|"},
    {"long line of some length\nshort\n", "long line of some length|short|"},
};

START_TEST(test_lines)
{
    char out[256];
    for (size_t step = 1; step <= strlen(line_rows[_i].text) + 1; step++) {
        lines_of(line_rows[_i].text, step, out, sizeof(out));
        ck_assert_str_eq(out, line_rows[_i].lines);
    }
}
END_TEST

START_TEST(test_line_too_long)
{
    enum { PIECE = 1 << 16 };
    static char piece[PIECE];
    memset(piece, 'x', PIECE);
    struct framer f;
    const char *line;
    size_t len;
    int rc = 0;
    framer_init(&f);
    for (int i = 0; i < FRAMER_MAX / PIECE; i++) {
        framer_push(&f, piece, PIECE);
        ck_assert_int_eq(framer_next(&f, &line, &len), 0);
    }
    framer_push(&f, "\n", 1); /* the largest that may be */
    ck_assert_int_eq(framer_next(&f, &line, &len), 1);
    ck_assert_uint_eq(len, FRAMER_MAX);
    ck_assert_int_eq(framer_next(&f, &line, &len), 0);
    ck_assert_ptr_null(f.buf); /* such a block is not kept */
    for (int i = 0; i <= FRAMER_MAX / PIECE && rc == 0; i++) {
        framer_push(&f, piece, PIECE);
        rc = framer_next(&f, &line, &len);
    }
    ck_assert_int_eq(rc, ERR_LIMIT);
    framer_clear(&f);
    framer_push(&f, "a\n", 2);
    ck_assert_int_eq(framer_next(&f, &line, &len), 1);
    framer_free(&f);
}
END_TEST

START_TEST(test_lines_out_of_memory)
{
    struct framer f;
    const char *line;
    size_t len;
    framer_init(&f);
    framer_push(&f, "abc", 3);
    mem_fail_after(1);
    ck_assert_int_eq(framer_next(&f, &line, &len), ERR_NOMEM);
    mem_fail_after(0);
    framer_free(&f);
}
END_TEST

/* ---- pages -------------------------------------------------------------------------------------------------------------- */

/* Fields as "key=value;", items as "[value];". */
static int parts_of(const char *text, size_t step, char *out, size_t cap, bool *ret_done)
{
    struct watch_page p;
    size_t n = 0, len = strlen(text);
    int rc = 0;
    watch_page_init(&p);
    for (size_t at = 0; at < len && rc == 0; at += step) {
        size_t piece = len - at < step ? len - at : step;
        char *exact = malloc(piece);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, text + at, piece);
        watch_page_push(&p, exact, piece);
        struct watch_page_part part;
        while ((rc = watch_page_next(&p, &part)) == 1) {
            bool item = part.kind == WATCH_PAGE_ITEM;
            n += (size_t)snprintf(out + n, cap - n, "%s%s%.*s%s;", item ? "[" : part.key, item ? "" : "=",
                                  (int)part.len, part.text, item ? "]" : "");
        }
        free(exact);
    }
    out[n] = '\0';
    *ret_done = watch_page_done(&p);
    watch_page_free(&p);
    return rc;
}

static const struct {
    const char *text, *parts;
    int rc;
    bool done;
} page_rows[] = {
    {"", "", 0, false},
    {"{}", "", 0, true},
    {"{\"items\":[]}", "", 0, true},
    {" { \"kind\" : \"PodList\" , \"items\" : [ { \"a\" : 1 } , {\"b\":[2,3]} ] , \"n\" : 12 }\n",
     "kind=\"PodList\";[{ \"a\" : 1 }];[{\"b\":[2,3]}];n=12;", 0, true},
    {"{\"items\":[{\"a\":\"]},\\\"{\"}],\"metadata\":{\"resourceVersion\":\"7\"}}",
     "[{\"a\":\"]},\\\"{\"}];metadata={\"resourceVersion\":\"7\"};", 0, true},
    {"{\"items\":null,\"x\":true}", "items=null;x=true;", 0, true},
    {"{\"items\":[1,2", "[1];", 0, false},
    {"{\"items\":[{}]", "[{}];", 0, false},
    {"[1]", "", ERR_INVALID, false},
    {"{\"a\" 1}", "", ERR_INVALID, false},
    {"{\"a\":}", "", ERR_INVALID, false},
    {"{\"a\":1,,}", "a=1;", ERR_INVALID, false},
    {"{\"items\":[,1]}", "", ERR_INVALID, false},
    {"{\"items\":[1 2]}", "[1];", ERR_INVALID, false},
    {"{} x", "", ERR_INVALID, true},
    {"<html>", "", ERR_INVALID, false},
};

START_TEST(test_page)
{
    char out[256];
    bool done;
    for (size_t step = 1; step <= strlen(page_rows[_i].text) + 1; step++) {
        ck_assert_int_eq(parts_of(page_rows[_i].text, step, out, sizeof(out), &done), page_rows[_i].rc);
        ck_assert_str_eq(out, page_rows[_i].parts);
        ck_assert(done == page_rows[_i].done);
    }
}
END_TEST

START_TEST(test_page_again_and_key_cut)
{
    struct watch_page p;
    struct watch_page_part part;
    char text[200];
    snprintf(text, sizeof(text), "{\"%0100d\":1}", 7);
    watch_page_init(&p);
    for (int i = 0; i < 2; i++) {
        watch_page_push(&p, text, strlen(text));
        ck_assert_int_eq(watch_page_next(&p, &part), 1);
        ck_assert_uint_eq(strlen(part.key), SCAN_KEY_MAX - 1);
        ck_assert_int_eq(watch_page_next(&p, &part), 0);
        ck_assert(watch_page_done(&p));
        watch_page_clear(&p);
    }
    watch_page_push(&p, "{\"items\":[{\"a", 13);
    mem_fail_after(1);
    ck_assert_int_eq(watch_page_next(&p, &part), ERR_NOMEM);
    mem_fail_after(0);
    watch_page_free(&p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("framer");
    TCase *t = tcase_create("framer");
    tcase_add_loop_test(t, test_lines, 0, (int)(sizeof(line_rows) / sizeof(line_rows[0])));
    tcase_add_test(t, test_line_too_long);
    tcase_add_test(t, test_lines_out_of_memory);
    tcase_add_loop_test(t, test_page, 0, (int)(sizeof(page_rows) / sizeof(page_rows[0])));
    tcase_add_test(t, test_page_again_and_key_cut);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
