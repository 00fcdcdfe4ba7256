/* Shared by the tests of lib/jobs: sets of objects from texts, and documents. */
#ifndef SLUICE_TESTS_JOBS_TEST_H
#define SLUICE_TESTS_JOBS_TEST_H

#include "api/set.h"
#include "api/yaml.h"
#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline struct api_set *set_of(unsigned flags, const char *text)
{
    struct err e = {0};
    struct api_set *s = api_set_new(flags);
    ck_assert_ptr_nonnull(s);
    ck_assert_msg(api_read_buffer(s, "t.yaml", text, strlen(text), &e) == 0, "%s", e.text);
    ck_assert_msg(api_set_errors(s) == 0, "%s", api_set_error(s, 0));
    return s;
}

static inline const struct doc_node *doc_of(struct arena *a, const char *text)
{
    const struct doc_node *root = NULL;
    struct err e = {0};
    struct yaml *y = yaml_open(a, text, strlen(text), 1);
    ck_assert_msg(yaml_next(y, &root, &e) == 1, "%s: %s", text, e.text);
    yaml_close(y);
    return root;
}

static inline int run_tests(const char *name, void (*add)(TCase *))
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    add(tc);
    suite_add_tcase(suite, tc);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}

#endif
