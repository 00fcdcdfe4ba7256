#include "core/fit.h"

#include <check.h>
#include <stdlib.h>

enum { CPU = 1, GPU, MEMORY };

static const struct {
    struct req requests[2], free[2];
    uint32_t n, nfree;
    int32_t want;
    uint32_t want_res;
} rows[] = {
    {{{CPU, 2}}, {{CPU, 5}}, 1, 1, 2, CPU},
    {{{CPU, 2}, {MEMORY, 5}}, {{CPU, 8}, {MEMORY, 12}}, 2, 2, 2, MEMORY},
    {{{MEMORY, 1}, {CPU, 1}}, {{CPU, 3}, {MEMORY, 3}}, 2, 2, 3, CPU},
    {{{CPU, 0}, {GPU, 2}}, {{GPU, 4}}, 2, 1, 2, GPU},
    {{{CPU, 1}, {GPU, 1}}, {{CPU, 9}}, 2, 1, 0, GPU},
    {{{CPU, 1}}, {{CPU, -9}}, 1, 1, 0, CPU},
    {{{CPU, 1}}, {{CPU, INT64_MAX}}, 1, 1, INT32_MAX, CPU},
    {{{CPU, 0}}, {{CPU, 1}}, 1, 1, INT32_MAX, 0},
    {{{CPU, 1}}, {{CPU, 1}}, 1, 0, 0, CPU},
};

START_TEST(count)
{
    struct names *names = names_new();
    uint32_t id, res;

    ck_assert_int_eq(names_id(names, "cpu", &id), 0);
    ck_assert_int_eq(names_id(names, "gpu", &id), 0);
    ck_assert_int_eq(names_id(names, "memory", &id), 0);
    ck_assert_int_eq(fit_count(names, rows[_i].requests, rows[_i].n, rows[_i].free, rows[_i].nfree, &res),
                     rows[_i].want);
    ck_assert_uint_eq(res, rows[_i].want_res);
    ck_assert_int_eq(fit_count(names, rows[_i].requests, rows[_i].n, rows[_i].free, rows[_i].nfree, NULL),
                     rows[_i].want);
    names_free(names);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fit");
    TCase *t = tcase_create("fit");

    tcase_add_loop_test(t, count, 0, sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
