/* Shared by the tests of lib/api: objects from texts, and tables of errors. */
#ifndef SLUICE_TESTS_API_TEST_H
#define SLUICE_TESTS_API_TEST_H

#include "api/json.h"
#include "api/set.h"
#include "api/yaml.h"
#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
    const char *text;  /* YAML of one object from the line below apiVersion on, or of its spec */
    const char *error; /* what the one error says after "t.yaml:N: Kind name: "; NULL: no error */
};

static inline struct api_set *set_of_flags(unsigned flags, const char *name, const char *text)
{
    struct err e = {0};
    struct api_set *s = api_set_new(flags);
    ck_assert_ptr_nonnull(s);
    ck_assert_msg(api_read_buffer(s, name, text, strlen(text), &e) == 0, "%s", e.text);
    return s;
}

static inline struct api_set *set_of(const char *text)
{
    return set_of_flags(0, "t.yaml", text);
}

/* An object of a kind of Kueue named "x" in namespace "n", with this spec on one line. */
static inline struct api_set *set_of_spec(unsigned flags, const char *kind, const char *spec)
{
    char text[16384];
    int n = snprintf(
        text, sizeof(text),
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: %s\nmetadata: {name: x, namespace: n}\nspec: %s\n", kind,
        spec);
    ck_assert_int_lt(n, (int)sizeof(text));
    return set_of_flags(flags, "t.yaml", text);
}

/* The only object of a set without errors. */
static inline const struct object *only(const struct api_set *s)
{
    ck_assert_msg(api_set_errors(s) == 0, "%s", api_set_error(s, 0));
    ck_assert_uint_eq(api_set_count(s), 1);
    return api_set_at(s, 0);
}

/* The set has exactly this error (without file and line), or one that begins with what stands before a last "*", or none. */
static inline void check_error(const struct api_set *s, const char *text, const char *want)
{
    if (!want) {
        ck_assert_msg(api_set_errors(s) == 0, "%s: %s", text, api_set_error(s, 0));
        ck_assert_uint_eq(api_set_count(s), 1);
        return;
    }
    ck_assert_msg(api_set_errors(s) == 1, "%s: %u errors: %s | %s", text, api_set_errors(s),
                  api_set_error(s, 0), api_set_error(s, 1));
    const char *got = api_set_error(s, 0);
    for (int i = 0; i < 2 && strchr(got, ':'); i++)
        got = strchr(got, ':') + 1;
    size_t n = strlen(want);
    if (want[n - 1] == '*')
        ck_assert_msg(strncmp(got + 1, want, n - 1) == 0, "%s", got + 1);
    else
        ck_assert_str_eq(got + 1, want);
    ck_assert_uint_eq(api_set_count(s), 0);
}

static inline void check_spec_row(const char *kind, const struct row *r)
{
    struct api_set *s = set_of_spec(0, kind, r->text);
    char want[2048];
    snprintf(want, sizeof(want), "%s n/x: %s", kind, r->error ? r->error : "");
    check_error(s, r->text, r->error ? want : NULL);
    api_set_free(s);
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
