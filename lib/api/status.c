#include "api/kinds.h"

#include <string.h>

/* The status of a Workload (engine.md 1.5). Conditions of types that the engine does not know are passed over. */

enum { CONDITIONS_MAX = 16, CHECKS_MAX = 8, MESSAGE_MAX = 32768 };

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

static const struct rd_word cond_types[] = {
    {"QuotaReserved", COND_QUOTA_RESERVED},
    {"Admitted", COND_ADMITTED},
    {"PodsReady", COND_PODS_READY},
    {"Evicted", COND_EVICTED},
    {"Preempted", COND_PREEMPTED},
    {"Requeued", COND_REQUEUED},
    {"Finished", COND_FINISHED},
    {"DeactivationTarget", COND_DEACTIVATION_TARGET},
    {"BlockedOnPreemptionGates", COND_BLOCKED_ON_GATES},
    {"WaitingForReplacementPods", COND_WAITING_FOR_REPLACEMENT},
};
_Static_assert(sizeof(cond_types) / sizeof(cond_types[0]) == COND_TYPES, "a condition type has no name");

static enum cond_type cond_type_of(const char *text)
{
    for (size_t i = 0; i < COND_TYPES; i++) {
        if (strcmp(cond_types[i].text, text) == 0)
            return (enum cond_type)cond_types[i].value;
    }
    return COND_TYPES;
}

/* [A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])? */
static bool is_reason(const char *s)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_,:";
    size_t n = strlen(s);
    return n > 0 && strchr(letters, s[0]) && strspn(s, rest) == n && s[n - 1] != ',' && s[n - 1] != ':';
}

/* The generic rules of conditions. */
static void check_condition(struct reader *rd, const struct doc_node *n, const struct fact_condition *c)
{
    rd_name(rd, n, "type", NULL, false);
    if (!doc_field(n, "status"))
        rd_required(rd, n, "status");
    if (c->generation < 0)
        rd_invalid(rd, doc_field(n, "observedGeneration"), "must be greater than or equal to zero");
    if (!doc_field(n, "lastTransitionTime"))
        rd_error_at(rd, n, "lastTransitionTime", "Required value: must be set");
    if (!*c->reason)
        rd_error_at(rd, n, "reason", "Required value: must be set");
    else if (!is_reason(c->reason))
        rd_invalid(
            rd, doc_field(n, "reason"),
            "a condition reason must start with alphabetic character, optionally followed by a string of "
            "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'");
    if (strlen(c->message) > MESSAGE_MAX)
        rd_error_at(rd, n, "message", "Too long: may not be more than %d bytes", MESSAGE_MAX);
}

void read_condition_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word words[] = {
        {"True", STATUS_TRUE},
        {"False", STATUS_FALSE},
        {"Unknown", STATUS_UNKNOWN},
    };
    struct fact_condition *c = ret;
    rd_known(rd, n, "type status reason message lastTransitionTime observedGeneration ");
    c->type = cond_type_of(rd_str(rd, n, "type"));
    c->status = (enum cond_status)RD_WORD(rd, n, "status", words, STATUS_ABSENT);
    c->reason = rd_str(rd, n, "reason");
    c->message = rd_str(rd, n, "message");
    c->since = rd_time(rd, n, "lastTransitionTime");
    rd_i64(rd, n, "observedGeneration", &c->generation);
    if (rd_validates(rd))
        check_condition(rd, n, c);
}

const struct fact_condition *read_conditions(struct reader *rd, const struct doc_node *list, uint32_t *ret_n)
{
    uint32_t n, known = 0;
    struct fact_condition *out = rd_items(rd, list, sizeof(*out), read_condition_item, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (out[i].type != COND_TYPES)
            out[known++] = out[i];
    }
    *ret_n = known;
    return out;
}

const struct doc_node *item_named(const struct doc_node *list, const char *name)
{
    doc_foreach (c, list) {
        if (strcmp(doc_str_or(c, "name", ""), name) == 0)
            return c;
    }
    return NULL;
}

bool is_elastic(const struct reader *rd, const struct doc_node *object)
{
    const struct doc_node *annotations = doc_path(object, "metadata.annotations");
    return strcmp(doc_str_or(annotations, "kueue.x-k8s.io/elastic-job", ""), "true") == 0 &&
           rd_gate(rd, "ElasticJobsViaWorkloadSlices");
}

bool condition_is_true(const struct doc_node *conditions, const char *type)
{
    doc_foreach (c, conditions) {
        if (strcmp(doc_str_or(c, "type", ""), type) == 0)
            return strcmp(doc_str_or(c, "status", ""), "True") == 0;
    }
    return false;
}

/* ---- admission ---------------------------------------------------------------------------------------------------------- */

static const struct fact_flavor_ref *read_flavor_refs(struct reader *rd, const struct doc_node *map,
                                                      uint32_t *ret_n)
{
    struct fact_flavor_ref *out = map && map->n ? ARENA_NEW(rd->arena, struct fact_flavor_ref, map->n) : NULL;
    uint32_t n = 0;
    doc_foreach (c, map) {
        if (c->type == DOC_STRING)
            out[n++] =
                (struct fact_flavor_ref){.resource = rd_text(rd, c->key), .flavor = rd_text(rd, c->text)};
        else
            rd_error_key(rd, c, "must be a string, not a %s", doc_type_name(c->type));
    }
    *ret_n = n;
    return out;
}

static void check_assignment(struct reader *rd, const struct doc_node *n, const struct fact_assignment *a)
{
    for (uint32_t i = 0; a->count > 0 && i < a->nusage; i++) {
        const char *resource = a->usage[i].resource;
        if (quantity_request(a->usage[i].q, resource_is_cpu(resource)) % a->count != 0)
            rd_error_key(rd, doc_get(doc_field(n, "resourceUsage"), resource),
                         "Invalid value: is not a multiple of %d", a->count);
    }
}

void read_assignment_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word delayed[] = {{"Pending", 1}, {"Ready", 0}};
    struct fact_assignment *a = ret;
    rd_known(rd, n, "name flavors resourceUsage count topologyAssignment delayedTopologyRequest ");
    a->pod_set = rd_str(rd, n, "name");
    if (!*a->pod_set && rd_defaults(rd))
        a->pod_set = "main";
    a->flavors = read_flavor_refs(rd, rd_map(rd, n, "flavors"), &a->nflavors);
    a->usage = rd_amounts(rd, n, "resourceUsage", &a->nusage);
    if (!rd_i32(rd, n, "count", &a->count))
        a->count = -1;
    a->has_topology = rd_map(rd, n, "topologyAssignment") != NULL;
    a->topology_pending = RD_WORD(rd, n, "delayedTopologyRequest", delayed, 0) != 0;
    if (rd_validates(rd))
        check_assignment(rd, n, a);
}

void read_admission(struct reader *rd, const struct doc_node *node, struct fact_admission *ret)
{
    *ret = (struct fact_admission){0};
    rd_known(rd, node, "clusterQueue podSetAssignments ");
    ret->cluster_queue = rd_str(rd, node, "clusterQueue");
    ret->pod_sets = rd_items(rd, rd_list(rd, node, "podSetAssignments"), sizeof(*ret->pod_sets),
                             read_assignment_item, &ret->npod_sets);
}

static bool has_pod_set(const struct fact_workload *w, const char *name)
{
    for (uint32_t i = 0; i < w->npod_sets; i++) {
        if (strcmp(w->pod_sets[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_admission(struct reader *rd, const struct doc_node *status, const struct fact_workload *w)
{
    if (!condition_is_true(doc_field(status, "conditions"), "QuotaReserved"))
        return;
    /* One that got into this state must still be able to lose its finalizer. */
    if (!w->admission && rd->before && !doc_path(rd->before, "status.admission") &&
        condition_is_true(doc_path(rd->before, "status.conditions"), "QuotaReserved"))
        return;
    if (!w->admission) {
        rd_error_at(rd, status, "admission",
                    "Required value: must be set while the QuotaReserved condition is true");
        return;
    }
    const struct doc_node *list = doc_path(status, "admission.podSetAssignments");
    if (w->admission->npod_sets != w->npod_sets) {
        rd_error_at(rd, doc_field(status, "admission"), "podSetAssignments",
                    "Invalid value: must have the same number of podSets as the spec");
        return;
    }
    doc_foreach (c, list) {
        const char *name = doc_str_or(c, "name", "main");
        if (c->type == DOC_MAP && !has_pod_set(w, name))
            rd_error_at(rd, c, "name", "Not found: \"%.256s\"", name);
    }
}

/* ---- checks, reclaimable pods, requeue state, gates --------------------------------------------------------------------- */

void read_check_state_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    static const struct rd_word words[] = {
        {"Pending", CHECK_PENDING},
        {"Ready", CHECK_READY},
        {"Retry", CHECK_RETRY},
        {"Rejected", CHECK_REJECTED},
    };
    struct fact_check_state *c = ret;
    rd_known(rd, n, "name state lastTransitionTime message requeueAfterSeconds retryCount podSetUpdates ");
    c->name = rd_name(rd, n, "name", NULL, false);
    c->message = rd_str(rd, n, "message");
    c->state = (enum check_state)RD_WORD(rd, n, "state", words, CHECK_PENDING);
    c->since = rd_time(rd, n, "lastTransitionTime");
    c->has_requeue_after = rd_i32(rd, n, "requeueAfterSeconds", &c->requeue_after_s);
    c->has_retry_count = rd_i32(rd, n, "retryCount", &c->retry_count);
    if (rd_validates(rd) && !doc_field(n, "state"))
        rd_required(rd, n, "state");
}

static void check_updates(struct reader *rd, const struct doc_node *check, const struct fact_workload *w)
{
    const struct doc_node *list = doc_field(check, "podSetUpdates");
    doc_foreach (c, list) {
        const char *name = doc_str_or(c, "name", "");
        if (!has_pod_set(w, name))
            rd_error_at(rd, c, "name", "Unsupported value: \"%.256s\": must be the name of a podSet", name);
        rd_check_labels(rd, doc_field(c, "labels"), false);
        rd_check_labels(rd, doc_field(c, "nodeSelector"), false);
        rd_check_labels(rd, doc_field(c, "annotations"), true);
    }
}

static void read_reclaimable(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_reclaimable *r = ret;
    rd_known(rd, n, "name count ");
    r->pod_set = rd_name(rd, n, "name", NULL, false);
    rd_i32(rd, n, "count", &r->count);
    if (rd_validates(rd) && r->count < 0)
        rd_error_at(rd, n, "count", "Invalid value: %d: should be greater than or equal to 0", r->count);
}

/* The count of an elastic Workload may be stale: left over from before its pod set got smaller. */
static bool is_stale_count(struct reader *rd, const char *name, int64_t count)
{
    const struct doc_node *was = item_named(doc_path(rd->before, "status.reclaimablePods"), name);
    return was && doc_i64_or(was, "count", 0) == count && is_elastic(rd, rd->root);
}

static void check_reclaimable_count(struct reader *rd, const struct doc_node *n, const char *name,
                                    const struct fact_workload *w)
{
    int64_t count = doc_i64_or(n, "count", 0);
    for (uint32_t i = 0; i < w->npod_sets; i++) {
        if (strcmp(w->pod_sets[i].name, name) != 0 || count <= w->pod_sets[i].count)
            continue;
        if (!is_stale_count(rd, name, count))
            rd_error_item(rd, n, name, "count", "Invalid value: %lld: should be less or equal to %d",
                          (long long)count, w->pod_sets[i].count);
    }
}

static void check_reclaimable(struct reader *rd, const struct doc_node *list, const struct fact_workload *w)
{
    doc_foreach (c, list) {
        const char *name = doc_str_or(c, "name", "");
        if (*name && !has_pod_set(w, name))
            rd_error_item(rd, c, name, "name", "Unsupported value: \"%.256s\": must be the name of a podSet",
                          name);
        check_reclaimable_count(rd, c, name, w);
    }
}

static bool gate_is_open(const struct doc_node *states, const char *name)
{
    doc_foreach (c, states) {
        if (strcmp(doc_str_or(c, "name", ""), name) == 0)
            return strcmp(doc_str_or(c, "position", ""), "Open") == 0;
    }
    return false;
}

static bool has_closed_gate(struct reader *rd, const struct doc_node *spec, const struct doc_node *status)
{
    const struct doc_node *gates = rd_list(rd, spec, "preemptionGates");
    const struct doc_node *states = rd_list(rd, status, "preemptionGates");
    if (gates && rd_validates(rd) && gates->n > 8) {
        rd_too_many(rd, gates, 8);
        return true;
    }
    doc_foreach (c, gates) {
        if (!gate_is_open(states, doc_str_or(c, "name", "")))
            return true;
    }
    return false;
}

static void check_status(struct reader *rd, const struct doc_node *status, const struct fact_workload *w)
{
    rd_check_list(rd, status, "conditions", 0, CONDITIONS_MAX);
    rd_check_list(rd, status, "admissionChecks", 0, CHECKS_MAX);
    rd_check_unique(rd, doc_field(status, "conditions"), "type");
    rd_check_unique(rd, doc_field(status, "admissionChecks"), "name");
    const struct doc_node *checks = doc_field(status, "admissionChecks");
    doc_foreach (c, checks)
        check_updates(rd, c, w);
    check_admission(rd, status, w);
    check_reclaimable(rd, doc_field(status, "reclaimablePods"), w);
    const struct doc_node *nominated = doc_field(status, "nominatedClusterNames");
    if (doc_field(status, "clusterName") && nominated && nominated->n)
        rd_error(rd, status, "Invalid value: clusterName and nominatedClusterNames are mutually exclusive");
}

void read_workload_status(struct reader *rd, const struct doc_node *object, struct fact_workload *w)
{
    const struct doc_node *status = rd_map(rd, object, "status");
    rd_known(rd, status,
             "conditions admission requeueState reclaimablePods admissionChecks resourceRequests "
             "accumulatedPastExecutionTimeSeconds schedulingStats nominatedClusterNames clusterName "
             "unhealthyNodes "
             "preemptionGates ");
    w->conditions = read_conditions(rd, rd_list(rd, status, "conditions"), &w->nconditions);
    const struct doc_node *admission = rd_map(rd, status, "admission");
    if (admission) {
        struct fact_admission *a = ARENA_NEW(rd->arena, struct fact_admission, 1);
        read_admission(rd, admission, a);
        w->admission = a;
    }
    w->checks = rd_items(rd, rd_list(rd, status, "admissionChecks"), sizeof(*w->checks),
                         read_check_state_item, &w->nchecks);
    w->reclaimable = rd_items(rd, rd_list(rd, status, "reclaimablePods"), sizeof(*w->reclaimable),
                              read_reclaimable, &w->nreclaimable);
    const struct doc_node *requeue = rd_map(rd, status, "requeueState");
    rd_known(rd, requeue, "count requeueAt ");
    rd_i32(rd, requeue, "count", &w->requeue_count);
    w->requeue_at = rd_time(rd, requeue, "requeueAt");
    w->has_closed_gate = has_closed_gate(rd, rd_map(rd, object, "spec"), status);
    if (rd_validates(rd) && status)
        check_status(rd, status, w);
}
