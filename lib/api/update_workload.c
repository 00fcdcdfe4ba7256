#include "api/kinds.h"

#include <stdio.h>
#include <string.h>

/* What may not change in a Workload (engine.md 1.5; around.md K3 to K12). */

#define IMMUTABLE "field is immutable"

/* The object before and after, and the parts that are looked at often. */
struct change {
    const struct doc_node *before, *after;
    const struct doc_node *old_spec, *spec, *old_status, *status;
};

static bool reserved(const struct doc_node *status)
{
    return condition_is_true(doc_field(status, "conditions"), "QuotaReserved");
}

static bool same(const struct doc_node *a, const struct doc_node *b)
{
    return a && b ? doc_equal(a, b) : a == b;
}

static bool is_one_of(const char *key, const char *const *list)
{
    for (; *list; list++) {
        if (strcmp(key, *list) == 0)
            return true;
    }
    return false;
}

/* Are two maps equal but for some keys? */
static bool same_except(const struct doc_node *a, const struct doc_node *b, const char *const *except)
{
    const struct doc_node *maps[] = {a, b, a};
    for (int i = 0; i < 2; i++) {
        doc_foreach (c, maps[i]) {
            if (c->type != DOC_NULL && c->key && !is_one_of(c->key, except) &&
                !same(c, doc_field(maps[i + 1], c->key)))
                return false;
        }
    }
    return true;
}

/* ---- the spec ----------------------------------------------------------------------------------------------------------- */

/* Pod sets stay what they are while quota is reserved; those of elastic jobs may shrink. */
static void check_pod_sets(struct reader *rd, const struct change *c)
{
    static const char *const count[] = {"count", NULL};
    const struct doc_node *old = doc_field(c->old_spec, "podSets"), *list = doc_field(c->spec, "podSets");
    if (!old || !list || old->n != list->n) {
        rd_error_at(rd, c->spec ? c->spec : rd->root, "podSets", "Invalid value: " IMMUTABLE);
        return;
    }
    doc_foreach (n, list) {
        const struct doc_node *was = doc_at(old, n->index);
        int64_t a = doc_i64_or(was, "count", 1), b = doc_i64_or(n, "count", 1);
        bool may = a == b || (b < a && rd_gate(rd, "ElasticJobsViaWorkloadSlices"));
        char field[32];
        snprintf(field, sizeof(field), "podSets.%u", n->index);
        if (!may || !same_except(was, n, count))
            rd_error_named(rd, n, c->spec, field, "Invalid value: " IMMUTABLE);
    }
}

static void check_priority_class(struct reader *rd, const struct change *c)
{
    const struct doc_node *a = doc_field(c->old_spec, "priorityClassRef"),
                          *b = doc_field(c->spec, "priorityClassRef");
    bool pods = strcmp(doc_str_or(a, "group", ""), "scheduling.k8s.io") == 0;
    bool stays = !a == !b && strcmp(doc_str_or(a, "group", ""), doc_str_or(b, "group", "")) == 0 &&
                 strcmp(doc_str_or(a, "kind", ""), doc_str_or(b, "kind", "")) == 0 &&
                 (!pods || strcmp(doc_str_or(a, "name", ""), doc_str_or(b, "name", "")) == 0);
    if (!stays)
        rd_error_at(rd, c->spec ? c->spec : rd->root, "priorityClassRef", "Invalid value: " IMMUTABLE);
}

static void check_field(struct reader *rd, const struct change *c, const char *field)
{
    if (!same(doc_field(c->old_spec, field), doc_field(c->spec, field)))
        rd_error_at(rd, c->spec ? c->spec : rd->root, field, "Invalid value: " IMMUTABLE);
}

static void check_spec(struct reader *rd, const struct change *c)
{
    if (!reserved(c->old_status))
        return;
    check_pod_sets(rd, c);
    check_priority_class(rd, c);
    if (reserved(c->status))
        check_field(rd, c, "queueName");
    if (condition_is_true(doc_field(c->old_status, "conditions"), "Admitted") &&
        condition_is_true(doc_field(c->status, "conditions"), "Admitted"))
        check_field(rd, c, "maximumExecutionTimeSeconds");
}

/* ---- admission and checks ----------------------------------------------------------------------------------------------- */

static bool same_admission(const struct doc_node *a, const struct doc_node *b)
{
    static const char *const late[] = {"topologyAssignment", "delayedTopologyRequest", NULL};
    static const char *const list[] = {"podSetAssignments", NULL};
    const struct doc_node *x = doc_field(a, list[0]), *y = doc_field(b, list[0]);
    if (!same_except(a, b, list) || (x ? x->n : 0) != (y ? y->n : 0))
        return false;
    doc_foreach (c, x) {
        if (!same_except(c, doc_at(y, c->index), late))
            return false;
    }
    return true;
}

/* An admission may come and go, but not change; where the pods are placed may. */
static void check_admission(struct reader *rd, const struct change *c)
{
    const struct doc_node *a = doc_field(c->old_status, "admission"), *b = doc_field(c->status, "admission");
    if (a && b && !same_admission(a, b))
        rd_error(rd, b, "Invalid value: " IMMUTABLE);
}

static bool is_ready(const struct doc_node *check)
{
    return strcmp(doc_str_or(check, "state", ""), "Ready") == 0;
}

static void check_updates(struct reader *rd, const struct change *c)
{
    const struct doc_node *old = doc_field(c->old_status, "admissionChecks"),
                          *list = doc_field(c->status, "admissionChecks");
    doc_foreach (n, list) {
        const struct doc_node *was = item_named(old, doc_str_or(n, "name", ""));
        if (was && is_ready(was) && is_ready(n) &&
            !same(doc_field(was, "podSetUpdates"), doc_field(n, "podSetUpdates")))
            rd_error_at(rd, n, "podSetUpdates", "Invalid value: " IMMUTABLE);
    }
}

/* ---- reclaimable pods --------------------------------------------------------------------------------------------------- */

/* Did an elastic job make this pod set smaller than what was admitted? */
static bool is_scaled_down(struct reader *rd, const struct change *c, const char *name)
{
    const struct doc_node *set = item_named(doc_field(c->spec, "podSets"), name);
    const struct doc_node *admitted = item_named(doc_path(c->status, "admission.podSetAssignments"), name);
    int64_t count = doc_i64_or(admitted, "count", -1);
    return set && doc_i64_or(set, "count", 1) < count && is_elastic(rd, c->after);
}

/* Pods that are over do not come back. */
static void check_reclaimable(struct reader *rd, const struct change *c)
{
    const struct doc_node *old = doc_field(c->old_status, "reclaimablePods"),
                          *list = doc_field(c->status, "reclaimablePods");
    if (!reserved(c->old_status) || !reserved(c->status))
        return;
    doc_foreach (was, old) {
        const char *name = doc_str_or(was, "name", "");
        const struct doc_node *n = item_named(list, name);
        int64_t count = doc_i64_or(was, "count", 0);
        if ((n && doc_i64_or(n, "count", 0) >= count) || is_scaled_down(rd, c, name))
            continue;
        char field[96];
        snprintf(field, sizeof(field), "reclaimablePods[%.70s]", name);
        if (n)
            rd_error_item(rd, n, name, "count", "Invalid value: %lld: cannot be less than %lld",
                          (long long)doc_i64_or(n, "count", 0), (long long)count);
        else
            rd_error_named(rd, c->status, c->status, field, "Required value: cannot be removed");
    }
}

/* ---- clusters ----------------------------------------------------------------------------------------------------------- */

static bool is_replacement(struct reader *rd, const struct change *c)
{
    const struct doc_node *annotations = doc_path(c->after, "metadata.annotations");
    return doc_field(annotations, "kueue.x-k8s.io/workload-slice-replacement-for") &&
           rd_gate(rd, "ElasticJobsViaWorkloadSlices");
}

/* One of the nominated clusters, and then no other. */
static void check_cluster(struct reader *rd, const struct change *c)
{
    const struct doc_node *was = doc_field(c->old_status, "clusterName"),
                          *n = doc_field(c->status, "clusterName");
    const struct doc_node *nominated = doc_field(c->old_status, "nominatedClusterNames");
    bool found = false;
    if (!n || (was && same(was, n)))
        return;
    if (was) {
        rd_invalid(rd, n, "clusterName is immutable once set");
        return;
    }
    doc_foreach (name, nominated)
        found = found || doc_is_text(name, n->text);
    if (!found && !is_replacement(rd, c))
        rd_invalid(rd, n, "must be one of the nominatedClusterNames");
}

void check_workload_update(struct reader *rd, const struct doc_node *before, const struct doc_node *after)
{
    const struct change c = {
        .before = before,
        .after = after,
        .old_spec = doc_field(before, "spec"),
        .spec = doc_field(after, "spec"),
        .old_status = doc_field(before, "status"),
        .status = doc_field(after, "status"),
    };
    check_gated_by_update(rd, before, after);
    check_spec(rd, &c);
    check_admission(rd, &c);
    check_updates(rd, &c);
    check_reclaimable(rd, &c);
    check_cluster(rd, &c);
}
