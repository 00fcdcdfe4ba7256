#include "kube/clock.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

START_TEST(test_times)
{
    struct kube_clock c;
    clock_system(&c);
    int64_t before = (int64_t)time(NULL), wall = kube_wall(&c), mono = kube_mono(&c);
    ck_assert_int_ge(wall, (before - 1) * NS_PER_S);
    ck_assert_int_le(wall, ((int64_t)time(NULL) + 1) * NS_PER_S);
    for (int i = 0; i < 1000; i++) {
        int64_t next = kube_mono(&c);
        ck_assert_int_ge(next, mono);
        mono = next;
    }
}
END_TEST

START_TEST(test_random)
{
    struct kube_clock c;
    uint64_t ones = 0, zeros = 0;
    clock_system(&c);
    for (int i = 0; i < 64; i++) {
        uint64_t r = c.random(c.self);
        ones |= r;
        zeros |= ~r;
    }
    ck_assert_uint_eq(ones, UINT64_MAX); /* fails once in 2^57 runs */
    ck_assert_uint_eq(zeros, UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clock");
    TCase *tc = tcase_create("clock");
    tcase_add_test(tc, test_times);
    tcase_add_test(tc, test_random);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
