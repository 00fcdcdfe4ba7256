#include "api/kinds.h"

#include "core/gates.h"

#include <string.h>

/* Configuration (around.md 7.5) as far as the core uses it. Fields that nobody knows are errors here: Kueue decodes strictly. */

#define AFS_SAMPLING_DEFAULT_NS (300 * NS_PER_S)
#define NOT_NEGATIVE "must be greater than or equal to 0"

/* `known` as in rd_known. */
static void known_only(struct reader *rd, const struct doc_node *map, const char *known)
{
    if (!rd_validates(rd))
        return;
    doc_foreach (c, map) {
        size_t len = strlen(c->key);
        bool found = false;
        for (const char *p = known; *p && !found; p += strcspn(p, " ") + 1)
            found = strncmp(p, c->key, len) == 0 && p[len] == ' ';
        if (!found)
            rd_error(rd, c, "unknown field");
    }
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

static void check_duration(struct reader *rd, const struct doc_node *parent, const char *field, int64_t ns,
                           bool zero_allowed)
{
    if (rd_validates(rd) && (ns < 0 || (ns == 0 && !zero_allowed)))
        rd_error_at(rd, parent, field, "Invalid value: %s",
                    zero_allowed ? NOT_NEGATIVE : "must be greater than 0");
}

static void read_afs(struct reader *rd, const struct doc_node *n, struct fact_config *c)
{
    c->afs = n != NULL;
    if (!n)
        return;
    known_only(rd, n, "usageHalfLifeTime usageSamplingInterval resourceWeights ");
    c->afs_sampling_ns = rd_defaults(rd) ? AFS_SAMPLING_DEFAULT_NS : 0;
    rd_duration(rd, n, "usageHalfLifeTime", &c->afs_half_life_ns);
    check_duration(rd, n, "usageHalfLifeTime", c->afs_half_life_ns, true);
    bool given = rd_duration(rd, n, "usageSamplingInterval", &c->afs_sampling_ns);
    /* Kueue gives a zero interval its default before it validates. */
    if (given && c->afs_sampling_ns == 0 && rd_defaults(rd))
        c->afs_sampling_ns = AFS_SAMPLING_DEFAULT_NS;
    if (given)
        check_duration(rd, n, "usageSamplingInterval", c->afs_sampling_ns, false);
    c->afs_weights = rd_amounts(rd, n, "resourceWeights", &c->nafs_weights);
    for (uint32_t i = 0; rd_validates(rd) && i < c->nafs_weights; i++) {
        if (quantity_sign(c->afs_weights[i].q) < 0)
            rd_error_key(rd, doc_get(doc_field(n, "resourceWeights"), c->afs_weights[i].resource),
                         "Invalid value: " NOT_NEGATIVE);
    }
}

/* ---- resources ---------------------------------------------------------------------------------------------------------- */

static void read_transformation(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word words[] = {{"Retain", 0}, {"Replace", 1}};
    struct fact_transformation *t = ret;
    known_only(rd, n, "input strategy multiplyBy outputs ");
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
    known_only(rd, n, "quotaCheckStrategy excludeResourcePrefixes transformations deviceClassMappings ");
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

static void check_not_negative(struct reader *rd, const struct doc_node *parent, const char *field)
{
    int32_t v;
    if (rd_i32(rd, parent, field, &v) && rd_validates(rd) && v < 0)
        rd_invalid(rd, doc_field(parent, field), NOT_NEGATIVE);
}

static void read_wait(struct reader *rd, const struct doc_node *n, struct fact_config *c)
{
    static const struct rd_word words[] = {{"Creation", 1}, {"Eviction", 0}};
    known_only(rd, n, "timeout recoveryTimeout blockAdmission requeuingStrategy ");
    c->block_admission = rd_bool(rd, n, "blockAdmission", false);
    int64_t ns;
    bool given = rd_duration(rd, n, "timeout", &ns);
    if (given && ns == 0 && rd_validates(rd))
        rd_error_at(rd, n, "timeout", "Required value: must be specified");
    else if (given)
        check_duration(rd, n, "timeout", ns, true);
    if (rd_duration(rd, n, "recoveryTimeout", &ns))
        check_duration(rd, n, "recoveryTimeout", ns, true);
    const struct doc_node *requeuing = rd_map(rd, n, "requeuingStrategy");
    known_only(rd, requeuing, "timestamp backoffLimitCount backoffBaseSeconds backoffMaxSeconds ");
    c->requeue_by_creation = RD_WORD(rd, requeuing, "timestamp", words, 0) != 0;
    check_not_negative(rd, requeuing, "backoffLimitCount");
    check_not_negative(rd, requeuing, "backoffBaseSeconds");
    check_not_negative(rd, requeuing, "backoffMaxSeconds");
}

/* ---- gates and the whole ------------------------------------------------------------------------------------------------ */

/* Also tells how all gates then stand. */
static struct gates read_gates(struct reader *rd, const struct doc_node *map, struct fact_config *c)
{
    struct fact_gate *out = map && map->n ? ARENA_NEW(rd->arena, struct fact_gate, map->n) : NULL;
    struct gates all = gates_default();
    doc_foreach (n, map) {
        struct err e;
        bool on;
        if (doc_bool(n, &on, &e) < 0) {
            rd_error(rd, n, "%s", e.text);
            continue;
        }
        if (gates_set(&all, n->key, on, &e) < 0 && rd_validates(rd))
            rd_error(rd, n, "Invalid value: %s: %s", n->text, e.text);
        out[c->ngates++] = (struct fact_gate){.name = n->key, .on = on};
    }
    c->gates = out;
    return all;
}

void read_config(struct reader *rd, struct object *o)
{
    struct fact_config *c = &o->config;
    const struct doc_node *n = o->doc;
    known_only(
        rd, n,
        "apiVersion kind metadata namespace webhook metrics health pprofBindAddress leaderElection "
        "controller "
        "tls clientConnection manageJobsWithoutQueueName managedJobsNamespaceSelector internalCertManagement "
        "waitForPodsReady integrations multiKueue fairSharing admissionFairSharing resources featureGates "
        "objectRetentionPolicies visibilityServer cacheSyncTimeout ");
    const struct doc_node *fair = rd_map(rd, n, "fairSharing");
    c->fair_sharing = fair != NULL;
    known_only(rd, fair, "preemptionStrategies ");
    if (fair)
        read_strategies(rd, fair, c);
    read_afs(rd, rd_map(rd, n, "admissionFairSharing"), c);
    struct gates gates = read_gates(rd, rd_map(rd, n, "featureGates"), c);
    read_resources(rd, rd_map(rd, n, "resources"), &gates, c);
    read_wait(rd, rd_map(rd, n, "waitForPodsReady"), c);
}
