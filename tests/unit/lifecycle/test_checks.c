#include "lifecycle/checks.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>

static void put(struct status *s, const char *name, enum check_state state, const char *message)
{
    ck_assert_uint_lt(s->nchecks, 4);
    s->checks[s->nchecks++] =
        (struct status_check){.name = mem_strdup(name), .message = mem_strdup(message), .state = state};
}

static void make(struct status *s)
{
    status_init(s);
    s->checks = mem_zalloc(4, sizeof(*s->checks));
    ck_assert_ptr_nonnull(s->checks);
}

START_TEST(text)
{
    struct status s;
    struct str out;

    make(&s);
    str_init(&out, 0);
    put(&s, "b", CHECK_RETRY, "");
    ck_assert(!checks_in_state(&s, CHECK_REJECTED, &out));
    ck_assert_uint_eq(out.len, 0);
    ck_assert(checks_in_state(&s, CHECK_RETRY, &out));
    ck_assert_str_eq(str_text(&out), "AdmissionCheck in Retry state: \"b\"");
    put(&s, "a", CHECK_RETRY, "no nodes");
    put(&s, "c", CHECK_READY, "");
    str_clear(&out);
    ck_assert(checks_in_state(&s, CHECK_RETRY, &out));
    ck_assert_str_eq(str_text(&out), "AdmissionChecks in Retry state: \"a\" (no nodes); \"b\"");
    str_free(&out);
    status_free(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checks");
    TCase *t = tcase_create("all");

    tcase_add_test(t, text);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
