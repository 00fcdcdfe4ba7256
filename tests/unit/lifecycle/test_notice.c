#include "lifecycle/notice.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct notices list;

static void teardown(void)
{
    notices_free(&list);
}

START_TEST(order)
{
    ck_assert_int_eq(notices_add(&list, false, "A", "first"), 0);
    ck_assert_int_eq(notices_add(&list, true, "B", "second"), 0);
    ck_assert_uint_eq(list.n, 2);
    ck_assert_str_eq(list.v[0].reason, "A");
    ck_assert(!list.v[0].warning && list.v[1].warning);
    ck_assert_str_eq(list.v[1].note, "second");
    notices_cut(&list, 1);
    ck_assert_uint_eq(list.n, 1);
    ck_assert_str_eq(list.v[0].note, "first");
}
END_TEST

/* Up to 1024 bytes whole; what is longer ends in dots, and no character is halved. */
static const struct {
    const char *unit;
    size_t n, want;
} lengths[] = {{"x", 1024, 1024},          {"x", 1025, 1024},           {"\xc3\xa4", 512, 1024},
               {"\xc3\xa4", 513, 1024},    {"\xe2\x82\xac", 400, 1024}, {"\xf0\x9f\x98\x80", 300, 1024},
               {"\xe2\x82\xac", 342, 1024}};

START_TEST(length)
{
    char text[2048] = "";
    size_t unit = strlen(lengths[_i].unit);

    for (size_t i = 0; i < lengths[_i].n; i++)
        memcpy(text + i * unit, lengths[_i].unit, unit + 1);
    ck_assert_int_eq(notices_add(&list, false, "A", text), 0);
    const char *note = list.v[0].note;
    ck_assert_uint_le(strlen(note), lengths[_i].want);
    ck_assert_uint_gt(strlen(note), lengths[_i].want - 4);
    if (strlen(text) <= 1024) {
        ck_assert_str_eq(note, text);
        return;
    }
    ck_assert_str_eq(note + strlen(note) - 4, " ...");
    ck_assert_uint_eq((strlen(note) - 4) % unit, 0);
}
END_TEST

START_TEST(out_of_memory)
{
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = notices_add(&list, false, "A", "x");
        mem_fail_after(0);
        ck_assert_uint_eq(list.n, rc ? 0 : 1);
        if (!rc)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("notice");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, NULL, teardown);
    tcase_add_test(t, order);
    tcase_add_loop_test(t, length, 0, (int)(sizeof(lengths) / sizeof(lengths[0])));
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
