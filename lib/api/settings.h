/* What a Configuration (around.md 7.5) says to the programs around the engine: everything that struct fact_config does not hold. With
 * defaults filled in, unless they were switched off. Strings are never NULL ("" = unset) and are borrowed from the document. */
#ifndef SLUICE_API_SETTINGS_H
#define SLUICE_API_SETTINGS_H

#include "core/facts.h"

/* waitForPodsReady (engine.md 10.5). */
struct settings_wait {
    bool enabled; /* given or by default, and the gate DisableWaitForPodsReady is off */
    int64_t timeout_ns, recovery_ns;
    bool has_limit; /* backoffLimitCount */
    int32_t limit;
    int32_t base_s, max_s;
};

enum settings_source { SOURCE_CLUSTER_QUEUE, SOURCE_COHORT, SOURCE_LOCAL_QUEUE, SOURCE_WORKLOAD, SOURCES };

/* An entry of metrics.customLabels. */
struct settings_custom_label {
    const char *name, *label_key, *annotation_key;
    enum settings_source source;
    const char *const *tracked;
    uint32_t ntracked;
};

struct settings_metrics {
    const char *bind;
    bool cluster_queue_resources;
    bool local_queues;                         /* localQueueMetrics.enable */
    struct fact_selector local_queue_selector; /* null = all */
    const struct settings_custom_label *labels;
    uint32_t nlabels;
};

struct settings_election {
    bool on;
    const char *name, *ns, *lock; /* resourceName, resourceNamespace, resourceLock */
    int64_t lease_ns, renew_ns, retry_ns;
};

struct settings_tls {
    const char *min_version;
    const char *const *cipher_suites;
    uint32_t ncipher_suites;
    const int32_t *curves;
    uint32_t ncurves;
};

struct settings_certs {
    bool internal; /* internalCertManagement.enable */
    const char *service, *secret;
};

/* A map entry of controller.groupKindConcurrency. */
struct settings_concurrency {
    const char *kind; /* "Job.batch" */
    int32_t n;
};

/* One source of a deviceClassMapping. */
struct settings_device_source {
    bool is_capacity; /* else counter */
    const char *name, *driver, *expression;
};

struct settings_device_mapping {
    const char *resource;
    const char *const *classes;
    uint32_t nclasses;
    const struct settings_device_source *sources;
    uint32_t nsources;
};

struct settings_multikueue {
    int64_t gc_ns, worker_lost_ns;
    const char *origin, *dispatcher;
    int32_t step_size;
    const char *const *external;
    uint32_t nexternal;
};

struct settings {
    const char *ns; /* where the controller lives */
    bool manage_jobs_without_queue;
    struct fact_selector job_namespaces; /* managedJobsNamespaceSelector */
    const char *const *frameworks, *const *external, *const *label_keys_to_copy;
    uint32_t nframeworks, nexternal, nlabel_keys_to_copy;
    struct settings_wait wait;
    bool deletes_finished, deletes_deactivated; /* objectRetentionPolicies.workloads */
    int64_t finished_ns, deactivated_ns;
    int32_t webhook_port;
    const char *webhook_host, *webhook_cert_dir;
    struct settings_metrics metrics;
    const char *health_bind, *readiness_name, *liveness_name, *pprof_bind;
    struct settings_election election;
    const struct settings_concurrency *concurrency;
    uint32_t nconcurrency;
    int64_t cache_sync_ns;
    double client_qps;
    int32_t client_burst;
    struct settings_tls tls;
    struct settings_certs certs;
    const char *visibility_address;
    int32_t visibility_port;
    const struct settings_device_mapping *devices;
    uint32_t ndevices;
    struct settings_multikueue multikueue;
};

/* The frameworks that integrations.frameworks may name (around.md 1.0.2): the i-th name, with its "Kind.version.group" ("Kind.version" in the
 * core group); NULL behind the last one. */
const char *settings_framework(uint32_t i, const char **ret_gvk);

#endif
