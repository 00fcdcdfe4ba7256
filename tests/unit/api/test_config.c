#include "api_test.h"

/* Configuration (around.md 7.5): the fields below apiVersion and kind, on one line. */
static struct api_set *set_of_config(unsigned flags, const char *fields)
{
    char text[4096];
    snprintf(text, sizeof(text), "{apiVersion: config.kueue.x-k8s.io/v1beta2, kind: Configuration%s%s}",
             *fields ? ", " : "", fields);
    return set_of_flags(flags, "t.yaml", text);
}

static const struct row rules[] = {
    {"", NULL},
    {"namespace: kueue-system, webhook: {port: 9443}, leaderElection: {leaderElect: true}, integrations: "
     "{frameworks: "
     "[batch/job]}, metrics: {}, health: {}, clientConnection: {qps: 50}",
     NULL},
    {"fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}", NULL},
    {"fairSharing: {preemptionStrategies: [LessThanInitialShare]}", NULL},
    {"fairSharing: {}", "fairSharing.preemptionStrategies: Required value: must be specified"},
    {"fairSharing: {preemptionStrategies: [Fair]}",
     "fairSharing.preemptionStrategies[0]: Unsupported value: \"Fair\": supported values: "
     "\"LessThanOrEqualToFinalShare\", "
     "\"LessThanInitialShare\""},
    {"fairSharing: {preemptionStrategies: [LessThanInitialShare, LessThanInitialShare]}",
     "fairSharing.preemptionStrategies[1]: Duplicate value: \"LessThanInitialShare\""},
    {"fairSharing: {enable: true, preemptionStrategies: [LessThanInitialShare]}",
     "fairSharing.enable: unknown field"},
    {"admissionFairSharing: {usageHalfLifeTime: 10m, usageSamplingInterval: 1s, resourceWeights: {cpu: 0.5}}",
     NULL},
    {"admissionFairSharing: {usageHalfLifeTime: -1s}",
     "admissionFairSharing.usageHalfLifeTime: Invalid value: must be greater than or equal to 0"},
    {"admissionFairSharing: {usageSamplingInterval: -1s}",
     "admissionFairSharing.usageSamplingInterval: Invalid value: must be greater than 0"},
    {"admissionFairSharing: {resourceWeights: {cpu: -1}}",
     "admissionFairSharing.resourceWeights[cpu]: Invalid value: must be greater than or equal to 0"},
    {"resources: {quotaCheckStrategy: Any}", "resources.quotaCheckStrategy: Unsupported value: \"Any\": "
                                             "supported values: \"IgnoreUndeclared\", \"BlockUndeclared\""},
    {"featureGates: {QuotaCheckStrategy: false}, resources: {quotaCheckStrategy: Any}", NULL},
    {"resources: {quotaCheckStrategy: IgnoreUndeclared, excludeResourcePrefixes: [a]}",
     "resources.quotaCheckStrategy: Invalid value: \"IgnoreUndeclared\": excludeResourcePrefixes is not "
     "allowed when "
     "quotaCheckStrategy is IgnoreUndeclared"},
    {"resources: {transformations: [{input: cpu}, {input: cpu}]}",
     "resources.transformations[1].input: Duplicate value: \"cpu\""},
    {"resources: {transformations: [{strategy: Retain}]}",
     "resources.transformations[0].input: Required value"},
    {"resources: {transformations: [{input: a, strategy: Drop}]}",
     "resources.transformations[0].strategy: Unsupported value: \"Drop\": supported values: \"Retain\", "
     "\"Replace\""},
    {"waitForPodsReady: {timeout: 0s}", "waitForPodsReady.timeout: Required value: must be specified"},
    {"waitForPodsReady: {timeout: -1ns}",
     "waitForPodsReady.timeout: Invalid value: must be greater than or equal to 0"},
    {"waitForPodsReady: {recoveryTimeout: -1ns}",
     "waitForPodsReady.recoveryTimeout: Invalid value: must be greater than or equal to 0"},
    {"waitForPodsReady: {requeuingStrategy: {timestamp: Now}}",
     "waitForPodsReady.requeuingStrategy.timestamp: Unsupported value: \"Now\": supported values: "
     "\"Creation\", \"Eviction\""},
    {"waitForPodsReady: {requeuingStrategy: {backoffBaseSeconds: -1}}",
     "waitForPodsReady.requeuingStrategy.backoffBaseSeconds: Invalid value: -1: must be greater than or "
     "equal to 0"},
    {"featureGates: {PartialAdmission: off}",
     "featureGates.PartialAdmission: must be true or false, not a string"},
    {"fairsharing: {}", "fairsharing: unknown field"},
};

START_TEST(config_rules)
{
    struct api_set *s = set_of_config(0, rules[_i].text);
    char want[512];
    snprintf(want, sizeof(want), "Configuration: %s", rules[_i].error ? rules[_i].error : "");
    check_error(s, rules[_i].text, rules[_i].error ? want : NULL);
    api_set_free(s);
}
END_TEST

START_TEST(unknown_gate)
{
    struct api_set *s = set_of_config(0, "featureGates: {NoSuchGate: true}");
    ck_assert_uint_eq(api_set_errors(s), 1);
    ck_assert_ptr_nonnull(strstr(api_set_error(s, 0), "featureGates.NoSuchGate: Invalid value: true: "));
    api_set_free(s);
    s = set_of_config(API_NO_VALIDATE, "featureGates: {NoSuchGate: true}");
    ck_assert_uint_eq(only(s)->config.ngates, 1);
    api_set_free(s);
}
END_TEST

START_TEST(fields)
{
    struct api_set *s = set_of_config(
        0,
        "fairSharing: {preemptionStrategies: [LessThanInitialShare, LessThanOrEqualToFinalShare]}, "
        "admissionFairSharing: "
        "{usageHalfLifeTime: 1h, resourceWeights: {cpu: 0.5}}, resources: {excludeResourcePrefixes: [a, b], "
        "transformations: [{input: x, strategy: Replace, multiplyBy: y, outputs: {z: 1500m}}]}, "
        "waitForPodsReady: "
        "{blockAdmission: true, requeuingStrategy: {timestamp: Creation}}, featureGates: {PartialAdmission: "
        "false, "
        "PriorityBoost: true}");
    const struct fact_config *c = &only(s)->config;
    ck_assert(c->fair_sharing && c->afs && c->block_admission && c->requeue_by_creation &&
              !c->ignore_undeclared);
    ck_assert_uint_eq(c->nstrategies, 2);
    ck_assert_int_eq(c->strategies[0], FAIR_INITIAL_SHARE);
    ck_assert_int_eq(c->afs_half_life_ns, 3600 * NS_PER_S);
    ck_assert_int_eq(c->afs_sampling_ns, 300 * NS_PER_S);
    ck_assert_int_eq(quantity_milli(c->afs_weights[0].q), 500);
    ck_assert_uint_eq(c->nexclude_prefixes, 2);
    ck_assert(c->transformations[0].replace);
    ck_assert_str_eq(c->transformations[0].multiply_by, "y");
    ck_assert_int_eq(quantity_milli(c->transformations[0].outputs[0].q), 1500);
    ck_assert_uint_eq(c->ngates, 2);
    ck_assert_str_eq(c->gates[1].name, "PriorityBoost");
    ck_assert(c->gates[1].on && !c->gates[0].on);
    api_set_free(s);
}
END_TEST

START_TEST(defaults)
{
    struct api_set *s = set_of_config(0, "");
    const struct fact_config *c = &only(s)->config;
    ck_assert(!c->fair_sharing && !c->afs && !c->block_admission && !c->requeue_by_creation);
    ck_assert_uint_eq(c->nstrategies, 0);
    ck_assert_int_eq(c->afs_sampling_ns, 0);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, config_rules, 0, (int)COUNT(rules));
    tcase_add_test(tc, unknown_gate);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, defaults);
}

int main(void)
{
    return run_tests("api/config", add);
}
