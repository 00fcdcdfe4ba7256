#include "core/gates.h"

#include "build.h"

#include <check.h>

START_TEST(defaults_of_section_12)
{
    struct gates g = gates_default();
    ck_assert(gate_on(&g, GATE_PARTIAL_ADMISSION));
    ck_assert(gate_named(&g, "PartialAdmission") && !gate_named(&g, "None"));
    ck_assert(gate_on(&g, GATE_OBSERVABILITY));
    ck_assert(gate_on(&g, GATE_PRESERVE_SCAN));
    ck_assert(!gate_on(&g, GATE_PRIORITY_BOOST));
    ck_assert(!gate_on(&g, GATE_PREEMPTORS_FIRST));
    ck_assert(!gate_on(&g, GATE_EXPLICIT_STATUS));
}
END_TEST

/* Section 12: a gate brings what it needs; without it, what needs it goes. */
static const struct {
    const char *name;
    bool on;
    enum gate looked_at;
    bool want;
} switch_rows[] = {
    {"PriorityBoost", true, GATE_PRIORITY_BOOST, true},
    {"PartialAdmission", false, GATE_PARTIAL_ADMISSION, false},
    {"FlavorFungibility", false, GATE_PRESERVE_SCAN, false},
    {"FlavorFungibilityPreserveScanProgress", false, GATE_FLAVOR_FUNGIBILITY, true},
    {"UnadmittedWorkloadsExplicitStatus", true, GATE_OBSERVABILITY, true},
    {"TASFailedNodeReplacementFailFast", true, GATE_TAS, true},
    {"TLSOptions", true, GATE_TAS, true},
};

START_TEST(switching)
{
    struct gates g = gates_default();
    ck_assert_int_eq(gates_set(&g, switch_rows[_i].name, switch_rows[_i].on, NULL), 0);
    ck_assert_int_eq(gate_on(&g, switch_rows[_i].looked_at), switch_rows[_i].want);
}
END_TEST

START_TEST(dependencies_reach_two_levels)
{
    struct gates g = gates_default();
    ck_assert_int_eq(gates_set(&g, "TopologyAwareScheduling", false, NULL), 0);
    ck_assert(!gate_on(&g, GATE_TAS));
    ck_assert_int_eq(gates_set(&g, "TASReplaceNodeDueToNotReadyOverFixedTime", true, NULL), 0);
    ck_assert(gate_on(&g, GATE_TAS));
    ck_assert_int_eq(gates_set(&g, "UnadmittedWorkloadsExplicitStatus", true, NULL), 0);
    ck_assert_int_eq(gates_set(&g, "UnadmittedWorkloadsObservability", false, NULL), 0);
    ck_assert(!gate_on(&g, GATE_EXPLICIT_STATUS));
}
END_TEST

/* What Kueue would say to these settings alone. */
static const struct {
    struct fact_gate list[3];
    uint32_t n;
    const char *error;
} consistent_rows[] = {
    {{{"PartialAdmission", false}}, 1, NULL},
    {{{"Nonsense", false}}, 1, NULL},
    {{{"FlavorFungibility", false}, {"FlavorFungibilityPreserveScanProgress", false}}, 2, NULL},
    {{{"FlavorFungibility", false}},
     1,
     "FlavorFungibilityPreserveScanProgress is enabled, but depends on features that are disabled: "
     "[FlavorFungibility]"},
    {{{"KueueDRAIntegration", false}, {"KueueDRAIntegrationConsumableCapacity", true}},
     2,
     "[KueueDRAIntegrationExtendedResource is enabled, but depends on features that are disabled: "
     "[KueueDRAIntegration], KueueDRAIntegrationPartitionableDevices is enabled, but depends on features "
     "that are "
     "disabled: [KueueDRAIntegration], KueueDRAIntegrationConsumableCapacity is enabled, but depends on "
     "features that "
     "are disabled: [KueueDRAIntegration]]"},
};

START_TEST(consistent)
{
    struct err err = {0};
    int rc = gates_consistent(consistent_rows[_i].list, consistent_rows[_i].n, &err);
    ck_assert_int_eq(rc, consistent_rows[_i].error ? ERR_INVALID : 0);
    ck_assert_str_eq(err.text, consistent_rows[_i].error ? consistent_rows[_i].error : "");
}
END_TEST

START_TEST(refusals_change_nothing)
{
    struct gates g = gates_default(), before = g;
    struct err err = {0};
    ck_assert_int_eq(gates_set(&g, "Nonsense", true, &err), ERR_NOTFOUND);
    ck_assert_str_eq(err.text, "unknown feature gate Nonsense");
    ck_assert_int_eq(gates_set(&g, "TLSOptions", false, &err), ERR_STATE);
    ck_assert_str_eq(err.text, "cannot set feature gate TLSOptions to false, feature is locked to true");
    ck_assert_mem_eq(&g, &before, sizeof g);
    ck_assert(gate_known("TLSOptions"));
    ck_assert(!gate_known("Nonsense"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gates");
    TCase *t = tcase_create("gates");
    tcase_add_test(t, defaults_of_section_12);
    tcase_add_loop_test(t, switching, 0, COUNT(switch_rows));
    tcase_add_loop_test(t, consistent, 0, COUNT(consistent_rows));
    tcase_add_test(t, dependencies_reach_two_levels);
    tcase_add_test(t, refusals_change_nothing);
    suite_add_tcase(s, t);
    return build_run(s);
}
