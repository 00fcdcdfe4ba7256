#include "sim/mapping.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mapping *m_;
static char where_[256];

static const char *where(const char *tenant)
{
    const char *ns, *name;
    uint32_t len;

    mapping_queue(m_, tenant, &ns, &len, &name);
    (void)snprintf(where_, sizeof(where_), "%.*s %s", (int)len, ns, name);
    return where_;
}

static int read(const char *text, struct err *err)
{
    m_ = mapping_new();
    return mapping_read(m_, text, strlen(text), err);
}

START_TEST(test_defaults)
{
    ck_assert_int_eq(read("", NULL), 0);
    ck_assert_str_eq(mapping_resource(m_), "nvidia.com/gpu");
    ck_assert_int_eq(mapping_units(m_), 1);
    ck_assert_str_eq(mapping_type_label(m_), "");
    ck_assert_str_eq(where("red"), "default red");
    ck_assert_str_eq(where("ns/red"), "ns red");
    ck_assert_ptr_null(mapping_type(m_, "A100", 4));
    mapping_free(m_);
}
END_TEST

START_TEST(test_all)
{
    ck_assert_int_eq(
        read("resource: amd.com/gpu\nunitsPerGpu: 1000\nnamespace: n\ntenants: {red: a/b, blue: c, '7': d}\n"
             "gpuTypeLabel: x/y\ngpuTypes: {A100: a100-80gb}\n",
             NULL),
        0);
    ck_assert_str_eq(mapping_resource(m_), "amd.com/gpu");
    ck_assert_int_eq(mapping_units(m_), 1000);
    ck_assert_str_eq(mapping_type_label(m_), "x/y");
    ck_assert_str_eq(where("red"), "a b");
    ck_assert_str_eq(where("blue"), "n c");
    ck_assert_str_eq(where("7"), "n d");
    ck_assert_str_eq(where("green"), "n green");
    ck_assert_str_eq(mapping_type(m_, "A100|T4", 4), "a100-80gb");
    ck_assert_ptr_null(mapping_type(m_, "T4", 2));
    mapping_free(m_);
}
END_TEST

static const struct {
    const char *text, *want;
} bad[] = {
    {"[1]", "line 1"},
    {"resource: {}\n", "line 1: resource: must be a text"},
    {"a: b\n", "line 1: a: is not known"},
    {"\nunitsPerGpu: 0\n", "line 2: unitsPerGpu: must be a number from 1 to 1000000"},
    {"tenants: [red]\n", "line 1: tenants: must be a map"},
    {"tenants:\n  red: {}\n", "line 2: red: must be a text"},
    {"a: [", "line "},
};

START_TEST(test_bad)
{
    struct err err = {0};
    int64_t live = mem_live();

    ck_assert_int_lt(read(bad[_i].text, &err), 0);
    ck_assert_msg(strstr(err.text, bad[_i].want), "\"%s\" has no \"%s\"", err.text, bad[_i].want);
    mapping_free(m_);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mapping");
    TCase *t = tcase_create("all");
    tcase_add_test(t, test_defaults);
    tcase_add_test(t, test_all);
    tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
