#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* Workload (engine.md 1.5). */

enum { POD_SETS_MAX = 18 };

#define KUEUE "kueue.x-k8s.io/"

static const char *text_of(const struct doc_node *map, const char *key)
{
    return doc_str_or(map, key, "");
}

static void check_priority_ref(struct reader *rd, const struct doc_node *spec, const struct doc_node *ref)
{
    const char *group = text_of(ref, "group"), *kind = text_of(ref, "kind");
    bool ours = strcmp(group, "kueue.x-k8s.io") == 0 && strcmp(kind, "WorkloadPriorityClass") == 0;
    bool pods = strcmp(group, "scheduling.k8s.io") == 0 && strcmp(kind, "PriorityClass") == 0;
    if (!ours && !pods)
        rd_error(rd, ref,
                 "Invalid value: must be group kueue.x-k8s.io and kind WorkloadPriorityClass, or group "
                 "scheduling.k8s.io and kind PriorityClass");
    rd_name(rd, ref, "name", dns_subdomain_problem, false);
    if (!doc_field(spec, "priority"))
        rd_error_at(rd, spec, "priority",
                    "Required value: priority should not be nil when priorityClassRef is set");
}

static void check_pod_sets(struct reader *rd, const struct doc_node *object, const struct doc_node *spec)
{
    const struct doc_node *list = doc_field(spec, "podSets");
    if (!spec) {
        rd_required(rd, object, "spec.podSets");
        return;
    }
    rd_check_list(rd, spec, "podSets", 1, POD_SETS_MAX);
    uint32_t partial = 0;
    doc_foreach (c, list)
        partial += doc_field(c, "minCount") != NULL;
    if (partial > 1)
        rd_error_at(rd, spec, "podSets", "Invalid value: %u: at most one podSet can use minCount", partial);
    if (partial && is_elastic(rd, object))
        rd_error_at(rd, spec, "podSets",
                    "Invalid value: %u: partial admission and elastic job cannot be used together", partial);
}

/* Names must differ also when one of them is the default. */
static void check_pod_set_names(struct reader *rd, const struct doc_node *spec, const struct fact_workload *w)
{
    if (w->npod_sets > POD_SETS_MAX)
        return;
    for (uint32_t i = 1; i < w->npod_sets; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(w->pod_sets[i].name, w->pod_sets[j].name) == 0) {
                rd_error(rd, doc_at(doc_field(spec, "podSets"), i), "Duplicate value: \"%.256s\"",
                         w->pod_sets[i].name);
                break;
            }
        }
    }
}

static void check_spec(struct reader *rd, const struct doc_node *object, const struct doc_node *spec,
                       const struct fact_workload *w)
{
    check_workload_annotations(rd, object);
    check_pod_sets(rd, object, spec);
    check_pod_set_names(rd, spec, w);
    const struct doc_node *ref = doc_field(spec, "priorityClassRef");
    if (ref && ref->type == DOC_MAP)
        check_priority_ref(rd, spec, ref);
    int32_t seconds;
    if (rd_i32(rd, spec, "maximumExecutionTimeSeconds", &seconds) && seconds < 1)
        rd_invalid(rd, doc_field(spec, "maximumExecutionTimeSeconds"),
                   "should be greater than or equal to 1");
    const struct doc_node *gates = doc_field(spec, "preemptionGates");
    doc_foreach (g, gates)
        rd_name(rd, g, "name", NULL, false);
}

static void read_meta(struct reader *rd, const struct doc_node *object, struct fact_workload *w)
{
    const struct doc_node *meta = rd_map(rd, object, "metadata");
    w->uid = rd_str(rd, meta, "uid");
    w->created = rd_time(rd, meta, "creationTimestamp");
    rd_i64(rd, meta, "generation", &w->generation);
    const struct doc_node *labels = rd_map(rd, meta, "labels"),
                          *annotations = rd_map(rd, meta, "annotations");
    w->job_uid = rd_text(rd, text_of(labels, KUEUE "job-uid"));
    w->gated_by = rd_text(rd, text_of(annotations, KUEUE "admission-gated-by"));
    w->priority_boost = rd_text(rd, text_of(annotations, KUEUE "priority-boost"));
}

void read_workload(struct reader *rd, struct object *o)
{
    struct fact_workload *w = &o->workload;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(
        rd, spec,
        "podSets queueName priorityClassRef priority active maximumExecutionTimeSeconds preemptionGates ");
    w->ns = o->ns;
    w->name = o->name;
    read_meta(rd, o->doc, w);
    w->queue = rd_name(rd, spec, "queueName", dns_subdomain_problem, true);
    const struct doc_node *ref = rd_map(rd, spec, "priorityClassRef");
    rd_known(rd, ref, "group kind name ");
    w->priority_class = rd_str(rd, ref, "name");
    rd_i32(rd, spec, "priority", &w->priority);
    w->active = rd_bool(rd, spec, "active", true);
    w->pod_sets =
        rd_items(rd, rd_list(rd, spec, "podSets"), sizeof(*w->pod_sets), read_pod_set_item, &w->npod_sets);
    if (rd_validates(rd))
        check_spec(rd, o->doc, spec, w);
    read_workload_status(rd, o->doc, w);
}
