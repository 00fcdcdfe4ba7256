#include "base/mem.h"

#include "base/err.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_counts)
{
    int64_t live = mem_live();
    uint64_t count = mem_count();
    char *p = mem_alloc(10);
    int *z = mem_zalloc(4, sizeof(*z));
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(z[0] | z[1] | z[2] | z[3], 0);
    ck_assert_int_eq(mem_live() - live, 2);
    p = mem_realloc(p, 1000);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(mem_live() - live, 2);
    ck_assert_uint_eq(mem_count() - count, 3);
    char *fresh = mem_realloc(NULL, 5);
    ck_assert_int_eq(mem_live() - live, 3);
    mem_free(fresh);
    mem_free(p);
    mem_free(z);
    mem_free(NULL);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

START_TEST(test_size_zero_is_a_pointer)
{
    void *a = mem_alloc(0), *b = mem_zalloc(0, 8), *c = mem_realloc(NULL, 0);
    ck_assert(a && b && c && a != b && b != c && a != c);
    a = mem_realloc(a, 0);
    ck_assert_ptr_nonnull(a);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}
END_TEST

START_TEST(test_too_large_fails)
{
    int64_t live = mem_live();
    ck_assert_ptr_null(mem_zalloc(SIZE_MAX / 2, 4));
    ck_assert_ptr_null(mem_strndup("x", SIZE_MAX));
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

START_TEST(test_failures_on_demand)
{
    int64_t live = mem_live();
    mem_fail_after(2);
    void *a = mem_alloc(1);
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_null(mem_alloc(1));
    ck_assert_ptr_null(mem_zalloc(1, 1));
    ck_assert_ptr_null(mem_realloc(a, 100));
    ck_assert_ptr_null(mem_strdup("x"));
    mem_fail_after(0);
    void *b = mem_alloc(1);
    ck_assert_ptr_nonnull(b);
    mem_free(a);
    mem_free(b);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

START_TEST(test_copies)
{
    char *a = mem_strndup("abcdef", 3), *b = mem_strdup("xyz"), *c = mem_strndup(NULL, 0);
    ck_assert_str_eq(a, "abc");
    ck_assert_str_eq(b, "xyz");
    ck_assert_str_eq(c, "");
    mem_free(a);
    mem_free(b);
    mem_free(c);
}
END_TEST

START_TEST(test_grow)
{
    int *list = NULL;
    uint32_t cap = 0;
    ck_assert_int_eq(mem_grow((void **)&list, &cap, 1, sizeof(*list)), 0);
    ck_assert_uint_ge(cap, 1);
    list[0] = 42;
    uint32_t before = cap;
    ck_assert_int_eq(mem_grow((void **)&list, &cap, before, sizeof(*list)), 0);
    ck_assert_uint_eq(cap, before);
    ck_assert_int_eq(mem_grow((void **)&list, &cap, before + 1, sizeof(*list)), 0);
    ck_assert_uint_eq(cap, before * 2);
    ck_assert_int_eq(mem_grow((void **)&list, &cap, 1000, sizeof(*list)), 0);
    ck_assert_uint_ge(cap, 1000);
    ck_assert_int_eq(list[0], 42);

    int *same = list;
    uint32_t kept = cap;
    mem_fail_after(1);
    ck_assert_int_eq(mem_grow((void **)&list, &cap, cap + 1, sizeof(*list)), ERR_NOMEM);
    mem_fail_after(0);
    ck_assert_int_eq(mem_grow((void **)&list, &cap, UINT32_MAX, SIZE_MAX / 4), ERR_NOMEM);
    ck_assert_ptr_eq(list, same);
    ck_assert_uint_eq(cap, kept);
    mem_free(list);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mem");
    TCase *t = tcase_create("mem");
    tcase_add_test(t, test_counts);
    tcase_add_test(t, test_size_zero_is_a_pointer);
    tcase_add_test(t, test_too_large_fails);
    tcase_add_test(t, test_failures_on_demand);
    tcase_add_test(t, test_copies);
    tcase_add_test(t, test_grow);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
