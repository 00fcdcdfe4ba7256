#include "api/gates_flag.h"

#include "api_test.h"

static const struct {
    const char *flag;
    bool in_file;
    uint32_t n;
    const char *error; /* begins with */
} rows[] = {
    {"", false, 0, NULL},
    {"", true, 1, NULL},
    {"PartialAdmission=false,PriorityBoost=true", false, 2, NULL},
    {"PartialAdmission=false,", false, 1, NULL},
    {"PartialAdmission=false", true, 0,
     "featureGates: Invalid value: feature gates for CLI and configuration cannot"},
    {"PartialAdmission", false, 0,
     "--feature-gates: Invalid value: \"PartialAdmission\": must be NAME=true or"},
    {"PartialAdmission=1", false, 0,
     "--feature-gates: Invalid value: \"PartialAdmission=1\": must be NAME=true or"},
    {"None=true", false, 0, "--feature-gates: Invalid value: \"None=true\": there is no such feature gate"},
    {"KueueDRAIntegration=false", false, 0,
     "[KueueDRAIntegrationExtendedResource is enabled, but depends on"},
};

START_TEST(flags)
{
    struct fact_gate gate = {"PriorityBoost", true};
    struct fact_config file = {.gates = &gate, .ngates = rows[_i].in_file};
    const struct fact_gate *list = NULL;
    struct arena a;
    struct err e = {0};
    uint32_t n = 0;
    arena_init(&a, 1024);
    int rc = gates_flag(rows[_i].flag, &file, &a, &list, &n, &e);
    if (rows[_i].error)
        ck_assert_msg(rc == ERR_INVALID && strncmp(e.text, rows[_i].error, strlen(rows[_i].error)) == 0, "%s",
                      e.text);
    else
        ck_assert_int_eq(rc, 0);
    ck_assert_uint_eq(n, rows[_i].n);
    arena_free(&a);
}
END_TEST

START_TEST(values)
{
    struct fact_config file = {0};
    const struct fact_gate *list;
    struct arena a;
    uint32_t n;
    arena_init(&a, 1024);
    ck_assert_int_eq(gates_flag("PartialAdmission=false,PriorityBoost=true", &file, &a, &list, &n, NULL), 0);
    ck_assert_str_eq(list[0].name, "PartialAdmission");
    ck_assert(!list[0].on && list[1].on);
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, flags, 0, (int)COUNT(rows));
    tcase_add_test(tc, values);
}

int main(void)
{
    return run_tests("api/gates_flag", add);
}
