#include "base/arena.h"

#include "base/mem.h"

#include <check.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_alignment_and_contents)
{
    struct arena a;
    arena_init(&a, 256);
    unsigned char *p[50];
    for (size_t i = 0; i < 50; i++) {
        p[i] = arena_alloc(&a, i);
        ck_assert_ptr_nonnull(p[i]);
        ck_assert_uint_eq((uintptr_t)p[i] % alignof(max_align_t), 0);
        memset(p[i], (int)i, i);
    }
    for (size_t i = 0; i < 50; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_eq(p[i][k], i);
    arena_free(&a);
}
END_TEST

START_TEST(test_need_is_zeroed)
{
    struct arena a;
    arena_init(&a, 128);
    memset(arena_alloc(&a, 100), 0xff, 100);
    arena_reset(&a);
    int *n = ARENA_NEW(&a, int, 20);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(n[i], 0);
    ck_assert_str_eq(arena_strndup(&a, "abcdef", 3), "abc");
    ck_assert_str_eq(arena_strndup(&a, NULL, 0), "");
    arena_free(&a);
}
END_TEST

/* One round of allocations of mixed sizes; `order` changes which comes first. */
static void churn(struct arena *a, size_t order)
{
    static const size_t sizes[] = {10, 5000, 64, 300, 20000, 1, 700};
    for (size_t i = 0; i < 7; i++)
        ck_assert_ptr_nonnull(arena_alloc(a, sizes[(i + order) % 7]));
}

START_TEST(test_steady_state_allocates_nothing)
{
    struct arena a;
    arena_init(&a, 1024);
    for (size_t order = 0; order < 7; order++) {
        arena_reset(&a);
        churn(&a, order);
    }
    uint64_t before = mem_count();
    for (size_t round = 0; round < 70; round++) {
        arena_reset(&a);
        churn(&a, round);
    }
    ck_assert_uint_eq(mem_count(), before);
    arena_free(&a);
}
END_TEST

START_TEST(test_marks)
{
    struct arena a;
    arena_init(&a, 128);
    struct arena_mark start = arena_mark(&a);
    char *keep = arena_strndup(&a, "keep", 4);
    struct arena_mark mark = arena_mark(&a);
    char *first = arena_alloc(&a, 16);
    ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1000));
    arena_rewind(&a, mark);
    ck_assert_ptr_eq(arena_alloc(&a, 16), first);
    ck_assert_str_eq(keep, "keep");
    arena_rewind(&a, start);
    ck_assert_ptr_eq(arena_alloc(&a, 16), keep);
    arena_free(&a);
}
END_TEST

START_TEST(test_overflow_is_refused)
{
    struct arena a;
    arena_init(&a, 0);
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX));
    ck_assert_ptr_null(arena_alloc(&a, SIZE_MAX - 40));
    ck_assert_ptr_null(arena_strndup(&a, "x", SIZE_MAX));
    ck_assert_ptr_nonnull(arena_alloc(&a, 1));
    arena_free(&a);
}
END_TEST

START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    for (uint64_t n = 1;; n++) {
        struct arena a;
        arena_init(&a, 64);
        int done = 0;
        mem_fail_after(n);
        while (done < 20 && arena_alloc(&a, 100))
            done++;
        mem_fail_after(0);
        ck_assert_uint_eq((uint64_t)done, n - 1 < 20 ? n - 1 : 20);
        ck_assert_ptr_nonnull(arena_alloc(&a, 100));
        arena_free(&a);
        ck_assert_int_eq(mem_live(), live);
        if (done == 20)
            break;
    }
}
END_TEST

START_TEST(test_need_bails_out)
{
    struct arena a;
    jmp_buf bail;
    volatile int reached = 0;
    arena_init(&a, 64);
    a.bail = &bail;
    if (setjmp(bail) == 0) {
        mem_fail_after(2);
        for (;;) {
            arena_need(&a, 64);
            reached++;
        }
    }
    mem_fail_after(0);
    ck_assert_int_eq(reached, 1);
    arena_reset(&a);
    ck_assert_ptr_nonnull(arena_need(&a, 64));
    arena_free(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("arena");
    TCase *t = tcase_create("arena");
    tcase_add_test(t, test_alignment_and_contents);
    tcase_add_test(t, test_need_is_zeroed);
    tcase_add_test(t, test_steady_state_allocates_nothing);
    tcase_add_test(t, test_marks);
    tcase_add_test(t, test_overflow_is_refused);
    tcase_add_test(t, test_out_of_memory);
    tcase_add_test(t, test_need_bails_out);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
