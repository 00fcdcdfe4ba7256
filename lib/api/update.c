#include "api/kinds.h"

#include <string.h>

/* What may not change (engine.md 1.1 to 1.8): rules of the CRDs and of the webhooks about an object before and after a write. */

#define IMMUTABLE "Invalid value: field is immutable"

static bool same(const struct doc_node *a, const struct doc_node *b)
{
    return a && b ? doc_equal(a, b) : a == b;
}

/* An error at a field that may be gone. */
static void error_at(struct reader *rd, const struct doc_node *parent, const char *field, const char *text)
{
    rd_error_at(rd, parent ? parent : rd->root, field, "%s", text);
}

/* A required field of the spec that stays what it is. */
static void check_same(struct reader *rd, const struct doc_node *before, const struct doc_node *after,
                       const char *field)
{
    const struct doc_node *a = doc_field(doc_field(before, "spec"), field), *spec = doc_field(after, "spec");
    if (!same(a, doc_field(spec, field)))
        error_at(rd, spec, field, IMMUTABLE);
}

/* May be set once. */
static void check_topology_name(struct reader *rd, const struct doc_node *before,
                                const struct doc_node *after)
{
    if (doc_path(before, "spec.topologyName"))
        check_same(rd, before, after, "topologyName");
}

static bool ends_at_host(const struct doc_node *levels)
{
    const struct doc_node *last = levels && levels->n ? doc_at(levels, levels->n - 1) : NULL;
    return strcmp(doc_str_or(last, "nodeLabel", ""), "kubernetes.io/hostname") == 0;
}

/* The levels may change only where the lowest is a single node before and after. */
static void check_levels(struct reader *rd, const struct doc_node *before, const struct doc_node *after)
{
    if (!ends_at_host(doc_path(before, "spec.levels")) || !ends_at_host(doc_path(after, "spec.levels")))
        check_same(rd, before, after, "levels");
}

void check_update(struct reader *rd, enum api_kind kind, const struct doc_node *before,
                  const struct doc_node *after)
{
    switch (kind) {
    case API_FLAVOR:
        check_topology_name(rd, before, after);
        break;
    case API_CLUSTER_QUEUE:
        if (rd_gate(rd, "ConcurrentAdmission"))
            check_same(rd, before, after, "concurrentAdmissionPolicy");
        break;
    case API_LOCAL_QUEUE:
        check_same(rd, before, after, "clusterQueue");
        break;
    case API_ADMISSION_CHECK:
        check_same(rd, before, after, "controllerName");
        break;
    case API_TOPOLOGY:
        check_levels(rd, before, after);
        break;
    case API_WORKLOAD:
        check_workload_update(rd, before, after);
        break;
    default:
        break;
    }
}
