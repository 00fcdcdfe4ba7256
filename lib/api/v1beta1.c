#include "api/v1beta1.h"

#include "api/v1beta1_topology.h"

#include <string.h>

#define KUEUE_OLD "kueue.x-k8s.io/v1beta1"
#define KUEUE_NEW "kueue.x-k8s.io/v1beta2"
#define CONFIG_OLD "config.kueue.x-k8s.io/v1beta1"
#define CONFIG_NEW "config.kueue.x-k8s.io/v1beta2"

/* A map is copied field by field; a field that has a rule is handed to `put`, which puts what v1beta2 has instead (nothing, one field or
 * another), or has rules inside. */
typedef void put_fn(struct reader *rd, struct make *out, const struct doc_node *field);
struct rule {
    const char *key;
    put_fn *put;
    const struct rule *inside; /* of a map, or of the maps of a list */
};

static const struct rule *rule_for(const struct rule *rules, const char *key)
{
    for (; rules && rules->key; rules++) {
        if (strcmp(rules->key, key) == 0)
            return rules;
    }
    return NULL;
}

static struct doc_node *convert(struct reader *rd, const struct doc_node *n, const struct rule *rules);

static struct doc_node *convert_map(struct reader *rd, const struct doc_node *map, const struct rule *rules)
{
    struct make out = make_map(rd->arena, map->line);
    doc_foreach (c, map) {
        const struct rule *r = rule_for(rules, c->key);
        if (!r)
            make_put_copy(&out, NULL, c);
        else if (r->put)
            r->put(rd, &out, c);
        else
            make_put(&out, c->key, convert(rd, c, r->inside));
    }
    return out.node;
}

static struct doc_node *convert(struct reader *rd, const struct doc_node *n, const struct rule *rules)
{
    if (n->type == DOC_MAP)
        return convert_map(rd, n, rules);
    if (n->type != DOC_LIST)
        return make_copy(rd->arena, n);
    struct make out = make_list(rd->arena, n->line);
    doc_foreach (c, n)
        make_put(&out, NULL, convert(rd, c, rules));
    return out.node;
}

/* ---- what happens to a field -------------------------------------------------------------------------------------------- */

static bool says_nothing(const struct doc_node *n)
{
    return n->type == DOC_NULL || (n->type == DOC_STRING && !*n->text) ||
           ((n->type == DOC_LIST || n->type == DOC_MAP) && n->n == 0);
}

static void drop(struct reader *rd, struct make *out, const struct doc_node *field)
{
    (void)out;
    if (!says_nothing(field))
        rd_warn(rd, field, "left out: v1beta2 does not have it");
}

/* Puts a field of v1beta2, unless the map has one of that name already. */
static void put_new(struct reader *rd, struct make *out, const struct doc_node *field, const char *key,
                    struct doc_node *value)
{
    if (doc_get(field->parent, key) && strcmp(field->key, key) != 0)
        rd_error(rd, field, "Forbidden: becomes %s in v1beta2, which is there too", key);
    else
        make_put(out, key, value);
}

static void rename_field(struct reader *rd, struct make *out, const struct doc_node *field, const char *key)
{
    put_new(rd, out, field, key, make_copy(rd->arena, field));
}

static const struct doc_node *typed(struct reader *rd, const struct doc_node *field, enum doc_type type)
{
    if (field->type == type)
        return field;
    rd_error(rd, field, "must be a %s, not a %s", doc_type_name(type), doc_type_name(field->type));
    return NULL;
}

/* ---- ClusterQueue ------------------------------------------------------------------------------------------------------- */

static void put_cohort(struct reader *rd, struct make *out, const struct doc_node *field)
{
    rename_field(rd, out, field, "cohortName");
}

/* A list that is not empty wins over the strategy. */
static bool has_checks(const struct doc_node *spec)
{
    const struct doc_node *checks = doc_field(spec, "admissionChecks");
    return checks && checks->n;
}

static void put_checks(struct reader *rd, struct make *out, const struct doc_node *field)
{
    if (field->type == DOC_NULL || !typed(rd, field, DOC_LIST) || !field->n)
        return;
    struct make list = make_list(rd->arena, field->line);
    doc_foreach (c, field) {
        struct make check = make_map(rd->arena, c->line);
        make_put_copy(&check, "name", c);
        make_put(&list, NULL, check.node);
    }
    struct make strategy = make_map(rd->arena, field->line);
    make_put(&strategy, "admissionChecks", list.node);
    make_put(out, "admissionChecksStrategy", strategy.node);
}

static void put_strategy(struct reader *rd, struct make *out, const struct doc_node *field)
{
    if (!has_checks(field->parent))
        make_put_copy(out, NULL, field);
    else if (!says_nothing(field))
        rd_warn(rd, field, "left out: admissionChecks wins over it");
}

static void put_word(struct make *out, const struct doc_node *field, const char *old)
{
    struct doc_node *n = make_copy(out->arena, field);
    if (doc_is_text(field, old))
        n->text = "MayStopSearch";
    make_put(out, field->key, n);
}

static void put_can_borrow(struct reader *rd, struct make *out, const struct doc_node *field)
{
    (void)rd;
    put_word(out, field, "Borrow");
}

static void put_can_preempt(struct reader *rd, struct make *out, const struct doc_node *field)
{
    (void)rd;
    put_word(out, field, "Preempt");
}

static const struct rule fungibility_rules[] = {
    {"whenCanBorrow", put_can_borrow, NULL},
    {"whenCanPreempt", put_can_preempt, NULL},
    {0},
};
static const struct rule cluster_queue_spec_rules[] = {
    {"cohort", put_cohort, NULL},
    {"admissionChecks", put_checks, NULL},
    {"admissionChecksStrategy", put_strategy, NULL},
    {"flavorFungibility", NULL, fungibility_rules},
    {0},
};
static const struct rule cluster_queue_status_rules[] = {
    {"pendingWorkloadsStatus", drop, NULL},
    {0},
};

/* ---- LocalQueue, AdmissionCheck, MultiKueueCluster ---------------------------------------------------------------------- */

static void put_flavor_usage(struct reader *rd, struct make *out, const struct doc_node *field)
{
    rename_field(rd, out, field, "flavorsUsage");
}

/* A cluster's access became one of several sources. */
static void put_kube_config(struct reader *rd, struct make *out, const struct doc_node *field)
{
    if (says_nothing(field))
        return;
    struct make source = make_map(rd->arena, field->line);
    make_put_copy(&source, "kubeConfig", field);
    put_new(rd, out, field, "clusterSource", source.node);
}

static const struct rule local_queue_status_rules[] = {
    {"flavorUsage", put_flavor_usage, NULL},
    {"flavors", drop, NULL},
    {0},
};
static const struct rule check_spec_rules[] = {
    {"retryDelayMinutes", drop, NULL},
    {0},
};
static const struct rule cluster_spec_rules[] = {
    {"kubeConfig", put_kube_config, NULL},
    {0},
};

/* ---- Workload ----------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *source, *group, *kind;
} priority_sources[] = {
    {"kueue.x-k8s.io/workloadpriorityclass", "kueue.x-k8s.io", "WorkloadPriorityClass"},
    {"scheduling.k8s.io/priorityclass", "scheduling.k8s.io", "PriorityClass"},
};
enum { PRIORITY_SOURCES = sizeof(priority_sources) / sizeof(priority_sources[0]) };

static void put_class_ref(struct reader *rd, struct make *out, const struct doc_node *name, int source)
{
    struct make ref = make_map(rd->arena, name->line);
    make_put_text(&ref, "group", priority_sources[source].group);
    make_put_text(&ref, "kind", priority_sources[source].kind);
    make_put_copy(&ref, "name", name);
    put_new(rd, out, name, "priorityClassRef", ref.node);
}

/* The class and where it comes from are one reference; without a source there is none. */
static void put_class_name(struct reader *rd, struct make *out, const struct doc_node *field)
{
    const char *source = doc_str_or(field->parent, "priorityClassSource", "");
    if (says_nothing(field) || !typed(rd, field, DOC_STRING))
        return;
    for (int i = 0; i < PRIORITY_SOURCES; i++) {
        if (strcmp(source, priority_sources[i].source) == 0) {
            put_class_ref(rd, out, field, i);
            return;
        }
    }
    if (!*source)
        rd_warn(rd, field, "left out: there is no priorityClassSource");
}

static void put_class_source(struct reader *rd, struct make *out, const struct doc_node *field)
{
    (void)out;
    if (says_nothing(field) || !typed(rd, field, DOC_STRING))
        return;
    for (int i = 0; i < PRIORITY_SOURCES; i++) {
        if (doc_is_text(field, priority_sources[i].source)) {
            if (!*doc_str_or(field->parent, "priorityClassName", ""))
                rd_warn(rd, field, "left out: there is no priorityClassName");
            return;
        }
    }
    rd_error(rd, field, "Unsupported value: \"%.256s\": supported values: \"%s\", \"%s\", \"\"", field->text,
             priority_sources[0].source, priority_sources[1].source);
}

/* The older version cannot spell. */
static void put_past_time(struct reader *rd, struct make *out, const struct doc_node *field)
{
    rename_field(rd, out, field, "accumulatedPastExecutionTimeSeconds");
}

static void put_topology(struct reader *rd, struct make *out, const struct doc_node *field)
{
    make_put(out, field->key, v1beta1_topology(rd, field));
}

static const struct rule assignment_rules[] = {
    {"topologyAssignment", put_topology, NULL},
    {0},
};
static const struct rule admission_rules[] = {
    {"podSetAssignments", NULL, assignment_rules},
    {0},
};
static const struct rule workload_spec_rules[] = {
    {"priorityClassName", put_class_name, NULL},
    {"priorityClassSource", put_class_source, NULL},
    {0},
};
static const struct rule workload_status_rules[] = {
    {"admission", NULL, admission_rules},
    {"accumulatedPastExexcutionTimeSeconds", put_past_time, NULL},
    {0},
};

/* ---- Configuration ------------------------------------------------------------------------------------------------------ */

static bool enabled(struct reader *rd, const struct doc_node *map)
{
    return rd_bool(rd, map, "enable", false);
}

static void copy_but_enable(struct make *out, const struct doc_node *map)
{
    doc_foreach (c, map) {
        if (strcmp(c->key, "enable") != 0)
            make_put_copy(out, NULL, c);
    }
}

/* The section being there turns fair sharing on, and it must say its strategies. */
static void put_fair_sharing(struct reader *rd, struct make *out, const struct doc_node *field)
{
    if (field->type == DOC_NULL || !typed(rd, field, DOC_MAP) || !enabled(rd, field))
        return;
    struct make fair = make_map(rd->arena, field->line);
    doc_foreach (c, field) {
        if (strcmp(c->key, "enable") != 0 &&
            (strcmp(c->key, "preemptionStrategies") != 0 || !says_nothing(c)))
            make_put_copy(&fair, NULL, c);
    }
    if (!doc_get(fair.node, "preemptionStrategies")) {
        struct make both = make_list(rd->arena, field->line);
        make_put_text(&both, NULL, "LessThanOrEqualToFinalShare");
        make_put_text(&both, NULL, "LessThanInitialShare");
        make_put(&fair, "preemptionStrategies", both.node);
    }
    make_put(out, field->key, fair.node);
}

/* v1beta1 waits for 5 minutes and admits nothing else meanwhile unless told otherwise; v1beta2 has other defaults. */
static void put_wait(struct reader *rd, struct make *out, const struct doc_node *field)
{
    if (field->type == DOC_NULL || !typed(rd, field, DOC_MAP))
        return;
    if (!enabled(rd, field)) {
        rd_warn(rd, field,
                "left out, as it is not enabled; v1beta2 waits by default, the feature gate "
                "DisableWaitForPodsReady turns that off");
        return;
    }
    struct make wait = make_map(rd->arena, field->line);
    copy_but_enable(&wait, field);
    if (!doc_get(field, "timeout"))
        make_put_text(&wait, "timeout", "5m");
    if (!doc_get(field, "blockAdmission"))
        make_put_bool(&wait, "blockAdmission", true);
    make_put(out, field->key, wait.node);
}

static const struct rule integration_rules[] = {
    {"podOptions", drop, NULL},
    {0},
};

/* ---- kinds -------------------------------------------------------------------------------------------------------------- */

static void put_version(struct reader *rd, struct make *out, const struct doc_node *field)
{
    (void)rd;
    const char *text = doc_is_text(field, CONFIG_OLD) ? CONFIG_NEW : KUEUE_NEW;
    make_put(out, field->key, make_scalar(out->arena, field->line, DOC_STRING, text));
}

#define VERSION                                                                                              \
    {                                                                                                        \
        "apiVersion", put_version, NULL                                                                      \
    }

static const struct rule version_only[] = {VERSION, {0}};
static const struct rule cluster_queue_rules[] = {
    VERSION,
    {"spec", NULL, cluster_queue_spec_rules},
    {"status", NULL, cluster_queue_status_rules},
    {0},
};
static const struct rule local_queue_rules[] = {
    VERSION,
    {"status", NULL, local_queue_status_rules},
    {0},
};
static const struct rule workload_rules[] = {
    VERSION,
    {"spec", NULL, workload_spec_rules},
    {"status", NULL, workload_status_rules},
    {0},
};
static const struct rule check_rules[] = {VERSION, {"spec", NULL, check_spec_rules}, {0}};
static const struct rule cluster_rules[] = {VERSION, {"spec", NULL, cluster_spec_rules}, {0}};
static const struct rule config_rules[] = {
    VERSION,
    {"fairSharing", put_fair_sharing, NULL},
    {"waitForPodsReady", put_wait, NULL},
    {"integrations", NULL, integration_rules},
    {"queueVisibility", drop, NULL},
    {0},
};

static const struct {
    const char *version, *kind;
    const struct rule *rules;
} kinds[] = {
    {KUEUE_OLD, "ResourceFlavor", version_only},
    {KUEUE_OLD, "ClusterQueue", cluster_queue_rules},
    {KUEUE_OLD, "Cohort", version_only},
    {KUEUE_OLD, "LocalQueue", local_queue_rules},
    {KUEUE_OLD, "Workload", workload_rules},
    {KUEUE_OLD, "WorkloadPriorityClass", version_only},
    {KUEUE_OLD, "AdmissionCheck", check_rules},
    {KUEUE_OLD, "Topology", version_only},
    {KUEUE_OLD, "MultiKueueConfig", version_only},
    {KUEUE_OLD, "MultiKueueCluster", cluster_rules},
    {KUEUE_OLD, "ProvisioningRequestConfig", version_only},
    {CONFIG_OLD, "Configuration", config_rules},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The rules of a kind, or of the items of a list "KindList"; NULL when there is nothing to convert. */
static const struct rule *rules_of(const char *version, const char *kind, const char *suffix)
{
    for (int i = 0; i < KINDS; i++) {
        size_t n = strlen(kinds[i].kind);
        if (strcmp(kinds[i].version, version) == 0 && strncmp(kinds[i].kind, kind, n) == 0 &&
            strcmp(kind + n, suffix) == 0)
            return kinds[i].rules;
    }
    return NULL;
}

static const struct rule *rules_for(const struct doc_node *list, const struct doc_node *node)
{
    const char *kind = doc_str_or(node, "kind", ""), *suffix = "";
    if (!doc_field(node, "kind") && list) {
        kind = doc_str_or(list, "kind", "");
        suffix = "List";
    }
    const struct doc_node *versioned = !doc_field(node, "apiVersion") && list ? list : node;
    return rules_of(doc_str_or(versioned, "apiVersion", ""), kind, suffix);
}

struct job {
    const struct rule *rules;
    struct doc_node *result;
};

static void run(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct job *j = ret;
    j->result = convert(rd, node, j->rules);
}

static int run_rules(const struct rule *rules, const struct doc_node *node, struct arena *a,
                     const struct api_sink *sink, const struct doc_node **ret, struct err *err)
{
    struct job j = {.rules = rules};
    struct reader rd = {.arena = a, .root = node, .sink = sink, .err = err};
    int rc = rd_run(&rd, run, node, &j);
    if (rc == 0)
        *ret = j.result;
    return rc;
}

int v1beta1_object(const struct doc_node *list, const struct doc_node *node, struct arena *a,
                   const struct api_sink *sink, const struct doc_node **ret, struct err *err)
{
    const struct rule *rules = doc_is(node, DOC_MAP) ? rules_for(list, node) : NULL;
    if (rules)
        return run_rules(rules, node, a, sink, ret, err);
    *ret = node;
    return 0;
}

/* ---- lists -------------------------------------------------------------------------------------------------------------- */

static bool is_list(const struct doc_node *root)
{
    const char *kind = doc_str_or(root, "kind", "");
    size_t n = strlen(kind);
    return n >= 4 && strcmp(kind + n - 4, "List") == 0 && doc_is(doc_field(root, "items"), DOC_LIST);
}

static bool list_itself_changes(const struct doc_node *root)
{
    return rules_of(doc_str_or(root, "apiVersion", ""), doc_str_or(root, "kind", ""), "List") != NULL;
}

static bool list_changes(const struct doc_node *root)
{
    if (list_itself_changes(root))
        return true;
    doc_foreach (c, doc_field(root, "items")) {
        if (rules_for(root, c))
            return true;
    }
    return false;
}

static void put_items(struct reader *rd, struct make *out, const struct doc_node *field)
{
    struct make items = make_list(rd->arena, field->line);
    doc_foreach (c, field) {
        const struct rule *rules = rules_for(field->parent, c);
        make_put(&items, NULL, rules ? convert(rd, c, rules) : make_copy(rd->arena, c));
    }
    make_put(out, field->key, items.node);
}

static const struct rule list_rules[] = {{"items", put_items, NULL}, {0}};
static const struct rule typed_list_rules[] = {VERSION, {"items", put_items, NULL}, {0}};

int v1beta1_document(const struct doc_node *root, struct arena *a, const struct api_sink *sink,
                     const struct doc_node **ret, struct err *err)
{
    if (!is_list(root))
        return v1beta1_object(NULL, root, a, sink, ret, err);
    if (!list_changes(root)) {
        *ret = root;
        return 0;
    }
    return run_rules(list_itself_changes(root) ? typed_list_rules : list_rules, root, a, sink, ret, err);
}
