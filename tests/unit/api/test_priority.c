#include "api/priority.h"

#include <check.h>
#include <stdlib.h>

static const struct fact_priority_class classes[] = {
    {"high", 1000, false}, {"b", 20, true}, {"c", 50, true}, {"a", 20, true}, {"default", 7, false},
};

static const struct {
    const char *name;
    uint32_t n;
    int want_rc;
    const char *want;
} rows[] = {
    {"high", 5, 0, "high"},
    {"", 5, 0, "a"},
    {"", 3, 0, "b"},
    {"", 1, 0, NULL},
    {"missing", 5, ERR_NOTFOUND, NULL},
};

START_TEST(resolve)
{
    const struct fact_priority_class *c = NULL;
    struct err err = {0};

    ck_assert_int_eq(priority_resolve(classes, rows[_i].n, rows[_i].name, &c, &err), rows[_i].want_rc);
    if (rows[_i].want)
        ck_assert_str_eq(c->name, rows[_i].want);
    else
        ck_assert_ptr_null(c);
    ck_assert_int_eq(err.code, rows[_i].want_rc);
}
END_TEST

START_TEST(find)
{
    ck_assert_int_eq(priority_find(classes, 5, "default")->value, 7);
    ck_assert_ptr_null(priority_find(classes, 4, "default"));
    ck_assert_ptr_null(priority_find(NULL, 0, "default"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("priority");
    TCase *t = tcase_create("priority");

    tcase_add_loop_test(t, resolve, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_test(t, find);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
