#include "api/labels.h"

#include "api_test.h"

#define X10 "qqqqqqqqqq"
#define X60 X10 X10 X10 X10 X10 X10

static const struct {
    const char *text;
    const char *(*problem)(const char *);
    bool good;
} rows[] = {
    {"cpu", label_key_problem, true},
    {"nvidia.com/gpu", label_key_problem, true},
    {"a.b-c_d", label_key_problem, true},
    {"UPPER", label_key_problem, true},
    {"", label_key_problem, false},
    {"/x", label_key_problem, false},
    {"a/", label_key_problem, false},
    {"a/b/c", label_key_problem, false},
    {"A.com/x", label_key_problem, false},
    {"a..b/x", label_key_problem, false},
    {"-x", label_key_problem, false},
    {"x y", label_key_problem, false},
    {X60 "qqq", label_key_problem, true},
    {X60 "qqqq", label_key_problem, false},
    {X60 X60 X60 X60 X10 "qqqq/a", label_key_problem, false},
    {"", label_value_problem, true},
    {"a_B.9", label_value_problem, true},
    {"a/b", label_value_problem, false},
    {"a-", label_value_problem, false},
    {X60 "qqqq", label_value_problem, false},
    {"a.b-c", dns_subdomain_problem, true},
    {"0", dns_subdomain_problem, true},
    {"", dns_subdomain_problem, false},
    {"a.", dns_subdomain_problem, false},
    {"A", dns_subdomain_problem, false},
    {X60 "." X60 "." X60 "." X60 ".qqqqqqqqq", dns_subdomain_problem, true},
    {X60 "." X60 "." X60 "." X60 ".qqqqqqqqqq", dns_subdomain_problem, false},
    {"a-1", dns_label_problem, true},
    {"a.b", dns_label_problem, false},
    {X60 "qqqq", dns_label_problem, false},
};

START_TEST(syntax)
{
    const char *why = rows[_i].problem(rows[_i].text);
    ck_assert_msg(!why == rows[_i].good, "%s: %s", rows[_i].text, why ? why : "accepted");
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, syntax, 0, (int)COUNT(rows));
}

int main(void)
{
    return run_tests("api/labels", add);
}
