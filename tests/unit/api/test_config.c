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
     "admissionFairSharing.usageHalfLifeTime: Invalid value: \"-1s\": must be greater than or equal to 0"},
    {"admissionFairSharing: {usageSamplingInterval: -1s}",
     "admissionFairSharing.usageSamplingInterval: Invalid value: \"-1s\": must be greater than 0"},
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
     "waitForPodsReady.timeout: Invalid value: \"-1ns\": must be greater than or equal to 0"},
    {"waitForPodsReady: {recoveryTimeout: -1ns}",
     "waitForPodsReady.recoveryTimeout: Invalid value: \"-1ns\": must be greater than or equal to 0"},
    {"waitForPodsReady: {requeuingStrategy: {timestamp: Now}}",
     "waitForPodsReady.requeuingStrategy.timestamp: Unsupported value: \"Now\": supported values: "
     "\"Creation\", \"Eviction\""},
    {"waitForPodsReady: {requeuingStrategy: {backoffBaseSeconds: -1}}",
     "waitForPodsReady.requeuingStrategy.backoffBaseSeconds: Invalid value: -1: must be greater than or "
     "equal to 0"},
    {"featureGates: {PartialAdmission: off}",
     "featureGates.PartialAdmission: must be true or false, not a string"},
    {"fairsharing: {}", "fairsharing: unknown field"},
    {"integrations: {frameworks: []}", "integrations.frameworks: Required value: cannot be empty"},
    {"integrations: {frameworks: [batch/cronjob]}",
     "integrations.frameworks[0]: Unsupported value: \"batch/cronjob\": there is no such integration"},
    {"integrations: {frameworks: [pod, pod]}", "integrations.frameworks[1]: Duplicate value: \"pod\""},
    {"integrations: {externalFrameworks: [Foo]}",
     "integrations.externalFrameworks[0]: Invalid value: \"Foo\": must be format, 'Kind.version.group.com'"},
    {"integrations: {frameworks: [batch/job], externalFrameworks: [Job.v1.batch]}",
     "integrations.externalFrameworks[0]: Duplicate value: \"Job.v1.batch\""},
    {"managedJobsNamespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, "
     "values: [kueue-system]}]}",
     "managedJobsNamespaceSelector: Invalid value: should not match the \"kube-system\" namespace"},
    {"namespace: ours, managedJobsNamespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, "
     "operator: NotIn, values: [kube-system]}]}",
     "managedJobsNamespaceSelector: Invalid value: should not match the \"ours\" namespace"},
    {"managedJobsNamespaceSelector: {matchLabels: {managed: \"true\"}}", NULL},
    {"managedJobsNamespaceSelector: {matchlabels: {}}",
     "managedJobsNamespaceSelector.matchlabels: unknown field"},
    {"objectRetentionPolicies: {workloads: {afterFinished: -1s}}",
     "objectRetentionPolicies.workloads.afterFinished: Invalid value: \"-1s\": must be greater than or equal "
     "to "
     "0"},
    {"visibilityServer: {bindPort: 0}",
     "visibilityServer.bindPort: Invalid value: 0: must be between 1 and 65535"},
    {"visibilityServer: {bindAddress: \"::1\"}", NULL},
    {"internalCertManagement: {webhookSecretName: A_B}",
     "internalCertManagement.webhookSecretName: Invalid value: \"A_B\": *"},
    {"tls: {cipherSuites: [NONE]}",
     "tls: Invalid value: invalid cipher suites: unknown cipher suite \"NONE\""},
    {"tls: {curvePreferences: [x]}", "tls.curvePreferences[0]: must be an integer, not a string"},
    {"controller: {groupKindConcurrency: {Job.batch: 5, Workload.kueue.x-k8s.io: ten}}",
     "controller.groupKindConcurrency.Workload.kueue.x-k8s.io: must be an integer, not a string"},
    {"leaderElection: {leaseDuration: -1s}",
     "leaderElection.leaseDuration: Invalid value: \"-1s\": must be greater than or equal to 0"},
    {"multiKueue: {origin: a b}", "multiKueue.origin: Invalid value: \"a b\": *"},
    {"multiKueue: {externalFrameworks: [{name: x}]}",
     "multiKueue.externalFrameworks[0].name: Invalid value: \"x\": must be format, 'Kind.version.group.com'"},
    {"multiKueue: {clusterProfile: {accessProviders: [{name: x}]}}",
     "multiKueue.clusterProfile.accessProviders: Required value: execConfig must be specified"},
    {"metrics: {customLabels: [{name: _x}]}",
     "metrics.customLabels[0].name: Invalid value: \"_x\": must match ^[a-zA-Z][a-zA-Z0-9_]*$"},
    {"resources: {deviceClassMappings: [{name: a, deviceClassNames: [b], sources: [{}]}]}",
     "resources.deviceClassMappings[0].sources[0]: Invalid value: exactly one of counter and capacity must "
     "be set"},
    {"resources: {deviceClassMappings: [{name: a, deviceClassNames: [b, b]}]}",
     "resources.deviceClassMappings[0].deviceClassNames[1]: Duplicate value: \"b\""},
    {"featureGates: {TopologyAwareScheduling: false}", "featureGates: Invalid value: [*"},
    {"featureGates: {FlavorFungibility: false}",
     "featureGates: Invalid value: FlavorFungibilityPreserveScanProgress is enabled, but depends on features "
     "that "
     "are disabled: [FlavorFungibility]"},
    {"webhook: {prot: 1}", "webhook.prot: unknown field"},
    {"cacheSyncTimeout: 1m", "cacheSyncTimeout: unknown field"},
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

static const char full[] =
    "namespace: ns, webhook: {port: 1, host: h, certDir: d}, metrics: {bindAddress: a, "
    "enableClusterQueueResources: "
    "true, localQueueMetrics: {enable: false}, customLabels: [{name: team, sourceKind: Cohort, "
    "trackedValues: [x]}]}, "
    "health: {healthProbeBindAddress: b}, leaderElection: {leaderElect: false, leaseDuration: 1m}, "
    "controller: "
    "{groupKindConcurrency: {Job.batch: 5}, cacheSyncTimeout: 60000000000}, clientConnection: {qps: 1.5, "
    "burst: 2}, "
    "manageJobsWithoutQueueName: true, integrations: {frameworks: [pod, batch/job], labelKeysToCopy: [k]}, "
    "waitForPodsReady: {timeout: 1m, requeuingStrategy: {backoffLimitCount: 3, backoffMaxSeconds: 7}}, "
    "objectRetentionPolicies: {workloads: {afterFinished: 0s}}, visibilityServer: {bindPort: 1}, multiKueue: "
    "{gcInterval: 0s}, resources: {deviceClassMappings: [{name: gpu, deviceClassNames: [c], sources: "
    "[{counter: {name: "
    "m, driver: d, deviceSelector: {cel: {expression: e}}}}]}]}";

START_TEST(settings_read)
{
    struct api_set *s = set_of_config(0, full);
    const struct settings *t = only(s)->settings;
    ck_assert_str_eq(t->ns, "ns");
    ck_assert_int_eq(t->webhook_port, 1);
    ck_assert_str_eq(t->webhook_cert_dir, "d");
    ck_assert(t->metrics.cluster_queue_resources && !t->metrics.local_queues);
    ck_assert_uint_eq(t->metrics.nlabels, 1);
    ck_assert_int_eq(t->metrics.labels[0].source, SOURCE_COHORT);
    ck_assert(!t->election.on);
    ck_assert_int_eq(t->election.lease_ns, 60 * NS_PER_S);
    ck_assert_int_eq(t->election.renew_ns, 10 * NS_PER_S);
    ck_assert_str_eq(t->concurrency[0].kind, "Job.batch");
    ck_assert_int_eq(t->cache_sync_ns, 60 * NS_PER_S);
    ck_assert_double_eq(t->client_qps, 1.5);
    ck_assert(t->manage_jobs_without_queue);
    ck_assert_str_eq(t->frameworks[0], "pod");
    ck_assert(t->wait.enabled && t->wait.has_limit);
    ck_assert_int_eq(t->wait.recovery_ns, 60 * NS_PER_S);
    ck_assert_int_eq(t->wait.base_s, 60);
    ck_assert_int_eq(t->wait.max_s, 7);
    ck_assert(t->deletes_finished && !t->deletes_deactivated);
    ck_assert_str_eq(t->devices[0].sources[0].driver, "d");
    ck_assert_int_eq(t->multikueue.gc_ns, 0);
    ck_assert_str_eq(t->job_namespaces.exprs[0].values[1], "ns");
    api_set_free(s);
}
END_TEST

START_TEST(idle_fields_in_one_warning)
{
    struct api_set *s = set_of_config(0, full);
    ck_assert_uint_eq(api_set_warnings(s), 1);
    ck_assert_str_eq(api_set_warning(s, 0), "t.yaml:1: Configuration: no effect in Sluice so far: webhook, "
                                            "controller, clientConnection, multiKueue, "
                                            "resources.deviceClassMappings, visibilityServer");
    api_set_free(s);
    s = set_of_config(0, "metrics: {}, waitForPodsReady: {timeout: 1m}");
    ck_assert_uint_eq(api_set_warnings(s), 0);
    api_set_free(s);
}
END_TEST

START_TEST(settings_defaults)
{
    struct api_set *s = set_of_config(0, "");
    const struct settings *t = only(s)->settings;
    ck_assert_str_eq(t->ns, "kueue-system");
    ck_assert(t->wait.enabled);
    ck_assert_int_eq(t->wait.timeout_ns, 1800 * NS_PER_S);
    ck_assert_str_eq(t->frameworks[0], "batch/job");
    ck_assert_str_eq(t->election.name, "c1f6bfd2.kueue.x-k8s.io");
    ck_assert_str_eq(t->multikueue.origin, "multikueue");
    api_set_free(s);
    s = set_of_config(API_LENIENT, "");
    ck_assert(!only(s)->settings->wait.enabled);
    api_set_free(s);
    s = set_of_config(0, "featureGates: {DisableWaitForPodsReady: true}");
    ck_assert(!only(s)->settings->wait.enabled);
    api_set_free(s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, config_rules, 0, (int)COUNT(rules));
    tcase_add_test(tc, unknown_gate);
    tcase_add_test(tc, fields);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, settings_read);
    tcase_add_test(tc, idle_fields_in_one_warning);
    tcase_add_test(tc, settings_defaults);
}

int main(void)
{
    return run_tests("api/config", add);
}
