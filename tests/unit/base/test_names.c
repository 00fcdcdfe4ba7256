#include "base/names.h"

#include "base/err.h"
#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t id_of(struct names *n, const char *s)
{
    uint32_t id = UINT32_MAX;
    ck_assert_int_eq(names_id(n, s, &id), 0);
    return id;
}

START_TEST(test_ids_are_dense_and_stable)
{
    struct names *n = names_new();
    ck_assert_uint_eq(names_count(n), 1);
    ck_assert_uint_eq(id_of(n, ""), 0);
    ck_assert_uint_eq(id_of(n, NULL), 0);
    ck_assert_uint_eq(id_of(n, "cpu"), 1);
    ck_assert_uint_eq(id_of(n, "memory"), 2);
    ck_assert_uint_eq(id_of(n, "cpu"), 1);
    ck_assert_str_eq(names_text(n, 0), "");
    ck_assert_str_eq(names_text(n, 2), "memory");
    ck_assert_str_eq(names_text(n, 3), "");
    ck_assert_str_eq(names_text(n, UINT32_MAX), "");
    ck_assert_uint_eq(names_find(n, "memory"), 2);
    ck_assert_uint_eq(names_find(n, "memor"), UINT32_MAX);
    ck_assert_uint_eq(names_find(n, ""), 0);
    ck_assert_uint_eq(names_find(n, NULL), 0);
    ck_assert_uint_eq(names_count(n), 3);
    names_free(n);
}
END_TEST

START_TEST(test_length_given)
{
    struct names *n = names_new();
    uint32_t a, b, c;
    ck_assert_int_eq(names_idn(n, "default-flavor", 7, &a), 0);
    ck_assert_int_eq(names_idn(n, "a\0b", 3, &b), 0);
    ck_assert_int_eq(names_idn(n, "a\0c", 3, &c), 0);
    ck_assert_uint_eq(names_find(n, "default"), a);
    ck_assert_uint_ne(b, c);
    ck_assert_uint_ne(id_of(n, "a"), b);
    names_free(n);
}
END_TEST

START_TEST(test_many)
{
    struct names *n = names_new();
    char text[32];
    const char *early = names_text(n, id_of(n, "early"));
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "team-%u/job-%u", i % 7, i);
        ck_assert_uint_eq(id_of(n, text), i + 2);
    }
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "team-%u/job-%u", i % 7, i);
        ck_assert_uint_eq(names_find(n, text), i + 2);
        ck_assert_str_eq(names_text(n, i + 2), text);
    }
    ck_assert_ptr_eq(names_text(n, 1), early);
    ck_assert_uint_eq(names_count(n), 20002);
    names_free(n);
}
END_TEST

/* Interns so many that the list, the slots and the text all grow; returns how many succeeded. */
static uint32_t fill(struct names *n, uint32_t most)
{
    char text[64];
    for (uint32_t i = 1; i <= most; i++) {
        uint32_t id = 77, count = names_count(n);
        snprintf(text, sizeof(text), "a-name-that-takes-some-room-in-the-text-block-%u", i);
        int r = names_id(n, text, &id);
        if (r) {
            ck_assert_int_eq(r, ERR_NOMEM);
            ck_assert_uint_eq(id, 77);
            ck_assert_uint_eq(names_count(n), count);
            ck_assert_uint_eq(names_find(n, text), UINT32_MAX);
            return i - 1;
        }
        ck_assert_uint_eq(id, i);
    }
    return most;
}

START_TEST(test_out_of_memory)
{
    const uint32_t most = 1000;
    int64_t live = mem_live();
    uint32_t done = 0;
    for (uint64_t i = 1; done < most; i++) {
        mem_fail_after(i);
        struct names *n = names_new();
        done = n ? fill(n, most) : 0;
        mem_fail_after(0);
        if (n)
            ck_assert_uint_eq(fill(n, most), most);
        names_free(n);
        ck_assert_int_eq(mem_live(), live);
        ck_assert_uint_lt(i, 100);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("names");
    TCase *t = tcase_create("names");
    tcase_add_test(t, test_ids_are_dense_and_stable);
    tcase_add_test(t, test_length_given);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
