#include "api/config.h"

#include <string.h>

/* What the core uses of a Configuration, waitForPodsReady, and the whole. */

#define SECONDS(n) ((n)*NS_PER_S)

#define AFS_SAMPLING_DEFAULT_NS (300 * NS_PER_S)

void config_known(struct reader *rd, const struct doc_node *map, const char *known)
{
    if (!rd_validates(rd))
        return;
    doc_foreach (c, map) {
        if (c->key && !rd_is_known(known, c->key))
            rd_error(rd, c, "unknown field");
    }
}

void config_check_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t ns,
                           bool zero_allowed)
{
    if (rd_validates(rd) && (ns < 0 || (ns == 0 && !zero_allowed)))
        rd_error_at(rd, parent, field, "Invalid value: \"%.100s\": %s", doc_str_or(parent, field, ""),
                    zero_allowed ? CONFIG_NOT_NEGATIVE : "must be greater than 0");
}

int64_t config_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t dflt)
{
    int64_t ns = rd_defaults(rd) ? dflt : 0;
    if (rd_duration(rd, parent, field, &ns))
        config_check_duration(rd, parent, field, ns, true);
    return ns;
}

const char *config_str(struct reader *rd, const struct doc_node *parent, const char *field, const char *dflt)
{
    const char *text = rd_str(rd, parent, field);
    return *text || !rd_defaults(rd) ? text : dflt;
}

int32_t config_i32(struct reader *rd, const struct doc_node *parent, const char *field, int32_t dflt)
{
    int32_t v = rd_defaults(rd) ? dflt : 0;
    rd_i32(rd, parent, field, &v);
    return v;
}

/* ---- fair sharing ------------------------------------------------------------------------------------------------------- */

static void read_strategies(struct reader *rd, const struct doc_node *fair, struct fact_config *c)
{
    static const char *const names[] = {"LessThanOrEqualToFinalShare", "LessThanInitialShare"};
    const struct doc_node *list = rd_list(rd, fair, "preemptionStrategies");
    if (rd_validates(rd) && (!list || list->n == 0))
        rd_error_at(rd, fair, "preemptionStrategies", "Required value: must be specified");
    doc_foreach (n, list) {
        bool final = doc_is_text(n, names[0]), initial = doc_is_text(n, names[1]);
        if (!final && !initial) {
            rd_error(rd, n, "Unsupported value: \"%.100s\": supported values: \"%s\", \"%s\"", n->text,
                     names[0], names[1]);
            continue;
        }
        enum fair_strategy s = final ? FAIR_FINAL_SHARE : FAIR_INITIAL_SHARE;
        if (c->nstrategies == 2 || (c->nstrategies == 1 && c->strategies[0] == s))
            rd_duplicate(rd, n);
        else
            c->strategies[c->nstrategies++] = s;
    }
}

static void read_afs(struct reader *rd, const struct doc_node *n, struct fact_config *c)
{
    c->afs = n != NULL;
    if (!n)
        return;
    config_known(rd, n, "usageHalfLifeTime usageSamplingInterval resourceWeights ");
    c->afs_sampling_ns = rd_defaults(rd) ? AFS_SAMPLING_DEFAULT_NS : 0;
    rd_duration(rd, n, "usageHalfLifeTime", &c->afs_half_life_ns);
    config_check_duration(rd, n, "usageHalfLifeTime", c->afs_half_life_ns, true);
    bool given = rd_duration(rd, n, "usageSamplingInterval", &c->afs_sampling_ns);
    /* Kueue gives a zero interval its default before it validates. */
    if (given && c->afs_sampling_ns == 0 && rd_defaults(rd))
        c->afs_sampling_ns = AFS_SAMPLING_DEFAULT_NS;
    if (given)
        config_check_duration(rd, n, "usageSamplingInterval", c->afs_sampling_ns, false);
    c->afs_weights = rd_amounts(rd, n, "resourceWeights", &c->nafs_weights);
    for (uint32_t i = 0; rd_validates(rd) && i < c->nafs_weights; i++) {
        if (quantity_sign(c->afs_weights[i].q) < 0)
            rd_error_key(rd, doc_get(doc_field(n, "resourceWeights"), c->afs_weights[i].resource),
                         "Invalid value: " CONFIG_NOT_NEGATIVE);
    }
}

/* ---- resources ---------------------------------------------------------------------------------------------------------- */

static void read_transformation(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word words[] = {{"Retain", 0}, {"Replace", 1}};
    struct fact_transformation *t = ret;
    config_known(rd, n, "input strategy multiplyBy outputs ");
    t->input = rd_name(rd, n, "input", NULL, false);
    t->replace = RD_WORD(rd, n, "strategy", words, 0) != 0;
    t->multiply_by = rd_str(rd, n, "multiplyBy");
    t->outputs = rd_amounts(rd, n, "outputs", &t->noutputs);
}

const struct fact_transformation *read_transformations(struct reader *rd, const struct doc_node *list,
                                                       uint32_t *ret_n)
{
    const struct fact_transformation *out =
        rd_items(rd, list, sizeof(struct fact_transformation), read_transformation, ret_n);
    rd_check_unique(rd, list, "input");
    return out;
}

static void read_resources(struct reader *rd, const struct doc_node *n, const struct gates *gates,
                           struct fact_config *c)
{
    static const struct rd_word words[] = {{"IgnoreUndeclared", 1}, {"BlockUndeclared", 0}};
    config_known(rd, n, "quotaCheckStrategy excludeResourcePrefixes transformations deviceClassMappings ");
    if (gate_on(gates, GATE_QUOTA_CHECK_STRATEGY))
        c->ignore_undeclared = RD_WORD(rd, n, "quotaCheckStrategy", words, 0) != 0;
    c->exclude_prefixes = rd_strings(rd, n, "excludeResourcePrefixes", &c->nexclude_prefixes);
    c->transformations = read_transformations(rd, rd_list(rd, n, "transformations"), &c->ntransformations);
    if (rd_validates(rd) && c->ignore_undeclared && c->nexclude_prefixes)
        rd_error_at(rd, n, "quotaCheckStrategy",
                    "Invalid value: \"IgnoreUndeclared\": excludeResourcePrefixes is not allowed when "
                    "quotaCheckStrategy is IgnoreUndeclared");
}

/* ---- waitForPodsReady --------------------------------------------------------------------------------------------------- */

static int32_t not_negative(struct reader *rd, const struct doc_node *parent, const char *field, int32_t dflt)
{
    int32_t v = config_i32(rd, parent, field, dflt);
    if (rd_validates(rd) && v < 0)
        rd_invalid(rd, doc_field(parent, field), CONFIG_NOT_NEGATIVE);
    return v;
}

static void read_wait_timeouts(struct reader *rd, const struct doc_node *n, struct settings_wait *w)
{
    w->timeout_ns = rd_defaults(rd) ? SECONDS(1800) : 0;
    bool given = rd_duration(rd, n, "timeout", &w->timeout_ns);
    if (given && w->timeout_ns == 0 && rd_validates(rd))
        rd_error_at(rd, n, "timeout", "Required value: must be specified");
    else if (given)
        config_check_duration(rd, n, "timeout", w->timeout_ns, true);
    w->recovery_ns = config_duration(rd, n, "recoveryTimeout", w->timeout_ns);
}

static void read_wait(struct reader *rd, const struct doc_node *n, const struct gates *gates,
                      struct fact_config *c, struct settings_wait *w)
{
    static const struct rd_word words[] = {{"Creation", 1}, {"Eviction", 0}};
    config_known(rd, n, "timeout recoveryTimeout blockAdmission requeuingStrategy ");
    /* Since v1beta2 it is on unless a gate says otherwise. */
    w->enabled = (n || rd_defaults(rd)) && !gate_on(gates, GATE_DISABLE_WAIT_FOR_PODS_READY);
    c->block_admission = rd_bool(rd, n, "blockAdmission", false);
    read_wait_timeouts(rd, n, w);
    const struct doc_node *requeuing = rd_map(rd, n, "requeuingStrategy");
    config_known(rd, requeuing, "timestamp backoffLimitCount backoffBaseSeconds backoffMaxSeconds ");
    c->requeue_by_creation = RD_WORD(rd, requeuing, "timestamp", words, 0) != 0;
    w->has_limit = doc_field(requeuing, "backoffLimitCount") != NULL;
    w->limit = not_negative(rd, requeuing, "backoffLimitCount", 0);
    w->base_s = not_negative(rd, requeuing, "backoffBaseSeconds", 60);
    w->max_s = not_negative(rd, requeuing, "backoffMaxSeconds", 3600);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

/* Fields that are read and change nothing here. */
static const char *const idle_fields[] = {
    "webhook",
    "pprofBindAddress",
    "controller",
    "tls",
    "clientConnection",
    "internalCertManagement",
    "integrations.externalFrameworks",
    "multiKueue",
    "resources.deviceClassMappings",
    "visibilityServer",
};

/* One warning that names them all. */
static void warn_idle(struct reader *rd, const struct doc_node *root)
{
    char list[640];
    size_t len = 0;
    list[0] = '\0';
    for (size_t i = 0; i < sizeof(idle_fields) / sizeof(idle_fields[0]); i++) {
        const char *name = idle_fields[i];
        const struct doc_node *n = doc_path(root, name);
        size_t size = strlen(name) + 2;
        if (!n || (n->type == DOC_MAP && !n->n) || len + size >= sizeof(list))
            continue;
        memcpy(list + len, ", ", 2);
        memcpy(list + len + 2, name, size - 1);
        len += size;
    }
    if (len && rd->sink)
        rd_warn(rd, root, "no effect in Sluice so far: %s", list + 2);
}

#define CONFIG_FIELDS                                                                                        \
    "apiVersion kind metadata namespace webhook metrics health pprofBindAddress leaderElection controller "  \
    "tls clientConnection manageJobsWithoutQueueName managedJobsNamespaceSelector internalCertManagement "   \
    "waitForPodsReady integrations multiKueue fairSharing admissionFairSharing resources featureGates "      \
    "objectRetentionPolicies visibilityServer "

void read_config(struct reader *rd, struct object *o)
{
    struct fact_config *c = &o->config;
    struct settings *s = ARENA_NEW(rd->arena, struct settings, 1);
    const struct doc_node *n = o->doc, *resources = rd_map(rd, n, "resources");
    if (rd_validates(rd))
        rd->flags |= API_STRICT; /* also for the parts that others read */
    config_known(rd, n, CONFIG_FIELDS);
    s->ns = config_str(rd, n, "namespace", "kueue-system");
    struct gates gates = config_gates(rd, n, c);
    const struct doc_node *fair = rd_map(rd, n, "fairSharing");
    c->fair_sharing = fair != NULL;
    config_known(rd, fair, "preemptionStrategies ");
    if (fair)
        read_strategies(rd, fair, c);
    read_afs(rd, rd_map(rd, n, "admissionFairSharing"), c);
    read_resources(rd, resources, &gates, c);
    config_devices(rd, resources, &gates, s);
    read_wait(rd, rd_map(rd, n, "waitForPodsReady"), &gates, c, &s->wait);
    config_manager(rd, n, s);
    config_jobs(rd, n, &gates, s);
    warn_idle(rd, n);
    o->settings = s;
}
