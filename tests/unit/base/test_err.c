#include "base/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_set)
{
    struct err e = {0};
    ck_assert_int_eq(err_set(&e, ERR_INVALID, "line %d: %s", 7, "bad"), ERR_INVALID);
    ck_assert_int_eq(e.code, ERR_INVALID);
    ck_assert_str_eq(e.text, "line 7: bad");
    ck_assert_int_eq(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}
END_TEST

START_TEST(test_prefix)
{
    struct err e = {0};
    err_set(&e, ERR_RANGE, "too large");
    ck_assert_int_eq(err_prefix(&e, "%s:%d: ", "a.yaml", 3), ERR_RANGE);
    ck_assert_str_eq(e.text, "a.yaml:3: too large");
    ck_assert_int_eq(err_prefix(NULL, "x"), 0);
}
END_TEST

START_TEST(test_long_texts_are_cut)
{
    struct err e = {0};
    char big[3000];
    memset(big, 'z', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    err_set(&e, ERR_IO, "%s", big);
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    err_prefix(&e, "head ");
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    ck_assert_int_eq(strncmp(e.text, "head zzz", 8), 0);
    err_prefix(&e, "%s", big);
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    ck_assert_ptr_null(strstr(e.text, "head"));
}
END_TEST

START_TEST(test_names)
{
    for (int code = 0; code >= ERR_LIMIT; code--) {
        ck_assert_str_ne(err_name(code), "unknown error");
        for (int other = 0; other > code; other--)
            ck_assert_str_ne(err_name(code), err_name(other));
    }
    ck_assert_str_eq(err_name(ERR_NOMEM), "out of memory");
    ck_assert_str_eq(err_name(5), "unknown error");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("err");
    TCase *t = tcase_create("err");
    tcase_add_test(t, test_set);
    tcase_add_test(t, test_prefix);
    tcase_add_test(t, test_long_texts_are_cut);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
