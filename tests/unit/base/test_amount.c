#include "base/amount.h"

#include <check.h>
#include <stdlib.h>

#define U AMOUNT_UNLIMITED
#define MIN AMOUNT_MIN

static const struct {
    int64_t a, b;
    int64_t add, sub;            /* of amounts */
    int64_t i_add, i_sub, i_mul; /* of plain integers */
} rows[] = {
    {1, 2, 3, -1, 3, -1, 2},
    {0, 0, 0, 0, 0, 0, 0},
    {U, 1, U, U, U, U - 1, U},
    {U, U, U, 0, U, 0, U},
    {U, -5, U, U, U - 5, U, MIN},
    {1, U, U, MIN, U, 1 - U, U},
    {MIN, U, U, MIN, -1, MIN, MIN},
    {MIN, -1, MIN, MIN + 1, MIN, MIN + 1, U},
    {MIN, 1, MIN + 1, MIN, MIN + 1, MIN, MIN},
    {-1, MIN, MIN, U, MIN, U, U},
    {0, MIN, MIN, U, MIN, U, 0},
    {U - 1, 1, U, U - 2, U, U - 2, U - 1},
    {INT64_C(1) << 40, INT64_C(1) << 40, INT64_C(1) << 41, 0, INT64_C(1) << 41, 0, U},
    {-(INT64_C(1) << 40), INT64_C(1) << 40, 0, -(INT64_C(1) << 41), 0, -(INT64_C(1) << 41), MIN},
};

START_TEST(test_rows)
{
    int64_t a = rows[_i].a, b = rows[_i].b;
    ck_assert_int_eq(amount_add(a, b), rows[_i].add);
    ck_assert_int_eq(amount_sub(a, b), rows[_i].sub);
    ck_assert_int_eq(i64_add(a, b), rows[_i].i_add);
    ck_assert_int_eq(i64_sub(a, b), rows[_i].i_sub);
    ck_assert_int_eq(i64_mul(a, b), rows[_i].i_mul);
    ck_assert_int_eq(i64_mul(b, a), rows[_i].i_mul);
    ck_assert_int_eq(amount_max(a, b), a > b ? a : b);
    ck_assert_int_eq(amount_min(a, b), a > b ? b : a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("amount");
    TCase *t = tcase_create("amount");
    tcase_add_loop_test(t, test_rows, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
