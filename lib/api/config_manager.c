#include "api/config.h"
#include "api/labels.h"

#include <arpa/inet.h>
#include <string.h>

/* The manager's part of a Configuration: addresses, metrics, leader election, TLS, certificates, visibility. */

enum { PORT_MAX = 65535, LABELS_MAX = 20, TRACKED_MAX = 16, TRACKED_WORKLOAD_MAX = 12 };

#define SECONDS(n) ((n)*NS_PER_S)

static int32_t read_port(struct reader *rd, const struct doc_node *n, const char *field, int32_t dflt)
{
    int32_t port = config_i32(rd, n, field, dflt);
    if (rd_validates(rd) && doc_field(n, field) && (port < 1 || port > PORT_MAX))
        rd_error_at(rd, n, field, "Invalid value: %d: must be between 1 and 65535", port);
    return port;
}

static void read_webhook(struct reader *rd, const struct doc_node *n, struct settings *s)
{
    config_known(rd, n, "port host certDir ");
    s->webhook_port = read_port(rd, n, "port", 9443);
    s->webhook_host = rd_str(rd, n, "host");
    s->webhook_cert_dir = config_str(rd, n, "certDir", "/tmp/k8s-webhook-server/serving-certs");
}

/* ---- metrics ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *kind;
    uint32_t max;
} sources[SOURCES] = {
    [SOURCE_CLUSTER_QUEUE] = {"ClusterQueue", 6},
    [SOURCE_COHORT] = {"Cohort", 6},
    [SOURCE_LOCAL_QUEUE] = {"LocalQueue", 6},
    [SOURCE_WORKLOAD] = {"Workload", 2},
};

/* ^[a-zA-Z][a-zA-Z0-9_]*$ */
static bool is_metric_label(const char *s)
{
    return *s != '_' && !c_identifier_problem(s);
}

static void check_tracked(struct reader *rd, const struct doc_node *n, const struct settings_custom_label *l)
{
    const struct doc_node *list = doc_field(n, "trackedValues");
    bool workload = l->source == SOURCE_WORKLOAD;
    if (workload && !l->ntracked)
        rd_error_at(rd, n, "trackedValues", "Invalid value: must not be empty when sourceKind is 'Workload'");
    else if (workload && l->ntracked > TRACKED_WORKLOAD_MAX)
        rd_error(rd, list, "Invalid value: %u: must not be greater than %d when sourceKind is 'Workload'",
                 l->ntracked, TRACKED_WORKLOAD_MAX);
    else if (l->ntracked > TRACKED_MAX)
        rd_too_many(rd, list, TRACKED_MAX);
    for (uint32_t i = 0; i < l->ntracked && i <= TRACKED_MAX; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(l->tracked[i], l->tracked[j]) == 0) {
                rd_error(rd, list, "Invalid value: \"%.100s\": must not contain duplicates", l->tracked[i]);
                return;
            }
        }
    }
}

static void check_custom_label(struct reader *rd, const struct doc_node *n,
                               const struct settings_custom_label *l)
{
    if (!is_metric_label(l->name))
        rd_error_at(rd, n, "name", "Invalid value: \"%.100s\": must match ^[a-zA-Z][a-zA-Z0-9_]*$", l->name);
    const char *why = *l->label_key ? label_key_problem(l->label_key) : NULL;
    if (why)
        rd_invalid(rd, doc_field(n, "sourceLabelKey"), why);
    why = *l->annotation_key ? label_key_problem(l->annotation_key) : NULL;
    if (why)
        rd_invalid(rd, doc_field(n, "sourceAnnotationKey"), why);
    if (*l->label_key && *l->annotation_key)
        rd_error(rd, n, "Invalid value: sourceLabelKey and sourceAnnotationKey are mutually exclusive");
    check_tracked(rd, n, l);
}

static void read_custom_label(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct settings_custom_label *l = ret;
    config_known(rd, n, "name sourceLabelKey sourceAnnotationKey sourceKind trackedValues ");
    l->name = rd_str(rd, n, "name");
    l->label_key = rd_str(rd, n, "sourceLabelKey");
    l->annotation_key = rd_str(rd, n, "sourceAnnotationKey");
    l->tracked = rd_strings(rd, n, "trackedValues", &l->ntracked);
    const char *kind = rd_str(rd, n, "sourceKind");
    while (*kind && l->source < SOURCES && strcmp(sources[l->source].kind, kind) != 0)
        l->source++;
    if (rd_validates(rd))
        check_custom_label(rd, n, l);
}

static void check_custom_labels(struct reader *rd, const struct doc_node *list,
                                const struct settings_metrics *m)
{
    uint32_t count[SOURCES + 1] = {0};
    if (m->nlabels > LABELS_MAX)
        rd_too_many(rd, list, LABELS_MAX);
    for (uint32_t i = 0; i < m->nlabels; i++) {
        if (m->labels[i].source == SOURCES)
            rd_error(rd, list, "Invalid value: unknown source kind: %.100s",
                     doc_str_or(doc_at(list, i), "sourceKind", ""));
        count[m->labels[i].source]++;
    }
    for (int k = 0; k < SOURCES; k++) {
        if (count[k] > sources[k].max)
            rd_error(rd, list,
                     "Invalid value: too many custom labels for source kind %s: found %u, expected <= %u",
                     sources[k].kind, count[k], sources[k].max);
    }
    rd_check_unique(rd, list, "name");
}

static void read_metrics(struct reader *rd, const struct doc_node *n, struct settings_metrics *m)
{
    config_known(rd, n, "bindAddress enableClusterQueueResources customLabels localQueueMetrics ");
    m->bind = config_str(rd, n, "bindAddress", ":8443");
    m->cluster_queue_resources = rd_bool(rd, n, "enableClusterQueueResources", false);
    const struct doc_node *local = rd_map(rd, n, "localQueueMetrics");
    config_known(rd, local, "enable localQueueSelector ");
    m->local_queues = rd_bool(rd, local, "enable", rd_defaults(rd));
    read_selector(rd, rd_map(rd, local, "localQueueSelector"), &m->local_queue_selector);
    const struct doc_node *labels = rd_list(rd, n, "customLabels");
    m->labels = rd_items(rd, labels, sizeof(*m->labels), read_custom_label, &m->nlabels);
    if (rd_validates(rd) && labels)
        check_custom_labels(rd, labels, m);
}

/* ---- health, leader election, controllers, client ---------------------------------------------------------------------- */

static void read_health(struct reader *rd, const struct doc_node *root, struct settings *s)
{
    const struct doc_node *n = rd_map(rd, root, "health");
    config_known(rd, n, "healthProbeBindAddress readinessEndpointName livenessEndpointName ");
    s->health_bind = config_str(rd, n, "healthProbeBindAddress", ":8081");
    s->readiness_name = config_str(rd, n, "readinessEndpointName", "readyz");
    s->liveness_name = config_str(rd, n, "livenessEndpointName", "healthz");
    s->pprof_bind = rd_str(rd, root, "pprofBindAddress");
}

static void read_election(struct reader *rd, const struct doc_node *n, struct settings_election *e)
{
    config_known(rd, n,
                 "leaderElect leaseDuration renewDeadline retryPeriod resourceLock resourceName "
                 "resourceNamespace ");
    e->on = rd_bool(rd, n, "leaderElect", rd_defaults(rd));
    e->name = config_str(rd, n, "resourceName", "c1f6bfd2.kueue.x-k8s.io");
    e->ns = rd_str(rd, n, "resourceNamespace");
    e->lock = config_str(rd, n, "resourceLock", "leases");
    e->lease_ns = config_duration(rd, n, "leaseDuration", SECONDS(15));
    e->renew_ns = config_duration(rd, n, "renewDeadline", SECONDS(10));
    e->retry_ns = config_duration(rd, n, "retryPeriod", SECONDS(2));
}

static void read_controller(struct reader *rd, const struct doc_node *n, struct settings *s)
{
    config_known(rd, n, "groupKindConcurrency cacheSyncTimeout ");
    const struct doc_node *map = rd_map(rd, n, "groupKindConcurrency");
    struct settings_concurrency *out =
        map && map->n ? ARENA_NEW(rd->arena, struct settings_concurrency, map->n) : NULL;
    doc_foreach (c, map) {
        struct err e;
        out[s->nconcurrency].kind = c->key;
        if (doc_i32(c, &out[s->nconcurrency].n, &e) == 0)
            s->nconcurrency++;
        else
            rd_error(rd, c, "%s", e.text);
    }
    s->concurrency = out;
    const struct doc_node *timeout = doc_field(n, "cacheSyncTimeout");
    /* Go's time.Duration: in a file it is a number of nanoseconds. */
    s->cache_sync_ns = rd_defaults(rd) ? SECONDS(120) : 0;
    if (timeout && timeout->type == DOC_NUMBER)
        rd_i64(rd, n, "cacheSyncTimeout", &s->cache_sync_ns);
    else
        s->cache_sync_ns = config_duration(rd, n, "cacheSyncTimeout", SECONDS(120));
}

static void read_client(struct reader *rd, const struct doc_node *n, struct settings *s)
{
    config_known(rd, n, "qps burst ");
    const struct doc_node *qps = doc_field(n, "qps");
    struct err e;
    s->client_qps = rd_defaults(rd) ? 300 : 0;
    if (qps && doc_double(qps, &s->client_qps, &e) < 0)
        rd_error(rd, qps, "%s", e.text);
    s->client_burst = config_i32(rd, n, "burst", 500);
}

/* ---- TLS, certificates, visibility -------------------------------------------------------------------------------------- */

/* The names that Go knows, good and bad ones. */
static const char cipher_suites[] =
    "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA "
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA "
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 "
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 "
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 "
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 "
    "TLS_RSA_WITH_RC4_128_SHA TLS_RSA_WITH_3DES_EDE_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA "
    "TLS_RSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_GCM_SHA256 "
    "TLS_RSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_RC4_128_SHA TLS_ECDHE_RSA_WITH_RC4_128_SHA "
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 "
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 ";

static void check_tls(struct reader *rd, const struct doc_node *n, const struct settings_tls *t)
{
    bool tls13 = strcmp(t->min_version, "VersionTLS13") == 0;
    if (*t->min_version && !tls13 && strcmp(t->min_version, "VersionTLS12") != 0)
        rd_error(
            rd, n,
            "Invalid value: invalid minVersion: unknown tls version \"%.100s\". Please use VersionTLS12 or "
            "VersionTLS13",
            t->min_version);
    if (tls13 && t->ncipher_suites)
        rd_error_at(rd, n, "cipherSuites",
                    "Invalid value: may not be specified when `minVersion` is 'VersionTLS13'");
    for (uint32_t i = 0; i < t->ncipher_suites; i++) {
        if (!rd_is_known(cipher_suites, t->cipher_suites[i]))
            rd_error(rd, n, "Invalid value: invalid cipher suites: unknown cipher suite \"%.100s\"",
                     t->cipher_suites[i]);
    }
    for (uint32_t i = 0; i < t->ncurves; i++) {
        if (t->curves[i] < 1 || t->curves[i] > 65535)
            rd_error(rd, n,
                     "Invalid value: invalid curve preferences: curve preference %d is out of range (must be "
                     "1-65535)",
                     t->curves[i]);
    }
}

static void read_tls(struct reader *rd, const struct doc_node *n, struct settings_tls *t)
{
    config_known(rd, n, "minVersion cipherSuites curvePreferences ");
    t->min_version = rd_str(rd, n, "minVersion");
    t->cipher_suites = rd_strings(rd, n, "cipherSuites", &t->ncipher_suites);
    const struct doc_node *list = rd_list(rd, n, "curvePreferences");
    int32_t *curves = list && list->n ? ARENA_NEW(rd->arena, int32_t, list->n) : NULL;
    doc_foreach (c, list) {
        struct err e;
        if (doc_i32(c, &curves[t->ncurves], &e) == 0)
            t->ncurves++;
        else
            rd_error(rd, c, "%s", e.text);
    }
    t->curves = curves;
    if (rd_validates(rd) && n)
        check_tls(rd, n, t);
}

static void read_certs(struct reader *rd, const struct doc_node *n, struct settings_certs *c)
{
    config_known(rd, n, "enable webhookServiceName webhookSecretName ");
    c->internal = rd_bool(rd, n, "enable", rd_defaults(rd));
    c->service = config_str(rd, n, "webhookServiceName", "kueue-webhook-service");
    c->secret = config_str(rd, n, "webhookSecretName", "kueue-webhook-server-cert");
    if (!rd_validates(rd) || !n || !c->internal)
        return;
    const char *why = *c->service ? dns_1035_label_problem(c->service) : NULL;
    if (why)
        rd_invalid(rd, doc_field(n, "webhookServiceName"), why);
    why = *c->secret ? dns_subdomain_problem(c->secret) : NULL;
    if (why)
        rd_invalid(rd, doc_field(n, "webhookSecretName"), why);
}

static void read_visibility(struct reader *rd, const struct doc_node *n, struct settings *s)
{
    unsigned char address[sizeof(struct in6_addr)];
    config_known(rd, n, "bindAddress bindPort ");
    s->visibility_address = config_str(rd, n, "bindAddress", "0.0.0.0");
    s->visibility_port = read_port(rd, n, "bindPort", 8082);
    const char *text = s->visibility_address;
    if (rd_validates(rd) && *text && inet_pton(AF_INET, text, address) != 1 &&
        inet_pton(AF_INET6, text, address) != 1)
        rd_invalid(rd, doc_field(n, "bindAddress"), "must be a valid IP address");
}

void config_manager(struct reader *rd, const struct doc_node *root, struct settings *s)
{
    read_webhook(rd, rd_map(rd, root, "webhook"), s);
    read_metrics(rd, rd_map(rd, root, "metrics"), &s->metrics);
    read_health(rd, root, s);
    read_election(rd, rd_map(rd, root, "leaderElection"), &s->election);
    read_controller(rd, rd_map(rd, root, "controller"), s);
    read_client(rd, rd_map(rd, root, "clientConnection"), s);
    read_tls(rd, rd_map(rd, root, "tls"), &s->tls);
    read_certs(rd, rd_map(rd, root, "internalCertManagement"), &s->certs);
    read_visibility(rd, rd_map(rd, root, "visibilityServer"), s);
}
