#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* Flavors and the small kinds (engine.md 1.1, 1.6 to 1.8; core kinds of Kubernetes). */

#define TOPOLOGY_LEVELS_MAX 16
#define FLAVOR_ITEMS_MAX 8
#define HOSTNAME_LABEL "kubernetes.io/hostname"

/* ---- ResourceFlavor ----------------------------------------------------------------------------------------------------- */

static void check_taints(struct reader *rd, const struct doc_node *list)
{
    doc_foreach (c, list) {
        rd_name(rd, c, "key", label_key_problem, false);
        rd_name(rd, c, "value", label_value_problem, true);
        if (!doc_field(c, "effect"))
            rd_required(rd, c, "effect");
        for (const struct doc_node *d = list->first; d != c && list->n <= 2 * FLAVOR_ITEMS_MAX; d = d->next) {
            if (strcmp(doc_str_or(c, "key", ""), doc_str_or(d, "key", "")) == 0 &&
                strcmp(doc_str_or(c, "effect", ""), doc_str_or(d, "effect", "")) == 0)
                rd_error(rd, c, "Duplicate value: taints must be unique by key and effect pair");
        }
    }
}

static void check_tolerations(struct reader *rd, const struct doc_node *list)
{
    doc_foreach (c, list) {
        const char *key = doc_str_or(c, "key", ""), *op = doc_str_or(c, "operator", "");
        bool exists = strcmp(op, "Exists") == 0;
        if (*key)
            rd_name(rd, c, "key", label_key_problem, true);
        else if (!exists)
            rd_error_at(
                rd, c, "operator",
                "Invalid value: \"%.64s\": operator must be Exists when `key` is empty, which means \"match "
                "all values and all keys\"",
                op);
        if (exists && *doc_str_or(c, "value", ""))
            rd_error_at(rd, c, "value", "Invalid value: a value must be empty when 'operator' is 'Exists'");
        if (doc_field(c, "tolerationSeconds") && strcmp(doc_str_or(c, "effect", ""), "NoExecute") != 0)
            rd_error_at(rd, c, "effect",
                        "Invalid value: effect must be 'NoExecute' when `tolerationSeconds` is set");
        if (strcmp(op, "Lt") == 0 || strcmp(op, "Gt") == 0)
            rd_error_at(rd, c, "operator",
                        "Unsupported value: \"%s\": supported values: \"Equal\", \"Exists\"", op);
    }
}

void read_flavor(struct reader *rd, struct object *o)
{
    struct fact_flavor *f = &o->flavor;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(rd, spec, "nodeLabels nodeTaints tolerations topologyName ");
    f->name = o->name;
    f->labels = rd_labels(rd, spec, "nodeLabels", &f->nlabels);
    f->taints = read_taints(rd, spec, "nodeTaints", &f->ntaints);
    f->tolerations = read_tolerations(rd, spec, "tolerations", &f->ntolerations);
    f->topology = rd_name(rd, spec, "topologyName", dns_subdomain_problem, true);
    if (!rd_validates(rd) || !spec)
        return;
    rd_check_list(rd, spec, "nodeLabels", 0, FLAVOR_ITEMS_MAX);
    rd_check_list(rd, spec, "nodeTaints", 0, FLAVOR_ITEMS_MAX);
    rd_check_list(rd, spec, "tolerations", 0, FLAVOR_ITEMS_MAX);
    rd_check_labels(rd, doc_field(spec, "nodeLabels"), false);
    check_taints(rd, doc_field(spec, "nodeTaints"));
    check_tolerations(rd, doc_field(spec, "tolerations"));
    if (*f->topology && f->nlabels == 0)
        rd_error(rd, spec, "Invalid value: at least one nodeLabel is required when topology is set");
}

/* ---- priority classes --------------------------------------------------------------------------------------------------- */

static void read_priority(struct reader *rd, struct object *o)
{
    o->priority_class.name = o->name;
    if (!rd_i32(rd, o->doc, "value", &o->priority_class.value) && rd_validates(rd) &&
        !doc_field(o->doc, "value"))
        rd_required(rd, o->doc, "value");
}

void read_workload_priority_class(struct reader *rd, struct object *o)
{
    read_priority(rd, o);
    if (rd_validates(rd) && strlen(rd_str(rd, o->doc, "description")) > 2048)
        rd_error_at(rd, o->doc, "description", "Too long: may not be more than 2048 bytes");
}

void read_priority_class(struct reader *rd, struct object *o)
{
    read_priority(rd, o);
    o->priority_class.global_default = rd_bool(rd, o->doc, "globalDefault", false);
}

/* ---- AdmissionCheck, Topology ------------------------------------------------------------------------------------------- */

void read_admission_check(struct reader *rd, struct object *o)
{
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(rd, spec, "controllerName parameters ");
    o->admission_check.name = o->name;
    o->admission_check.controller = "";
    if (spec)
        o->admission_check.controller = rd_name(rd, spec, "controllerName", NULL, false);
    else if (rd_validates(rd))
        rd_required(rd, o->doc, "spec.controllerName");
    if (rd_validates(rd) && strlen(o->admission_check.controller) > 253)
        rd_error_at(rd, spec, "controllerName", "Too long: may not be more than 253 bytes");
    const struct doc_node *status = rd_map(rd, o->doc, "status");
    o->admission_check.active = condition_is_true(rd_list(rd, status, "conditions"), "Active");
}

void read_topology(struct reader *rd, struct object *o)
{
    o->topology.name = o->name;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(rd, spec, "levels ");
    const struct doc_node *levels = rd_list(rd, spec, "levels");
    if (!rd_validates(rd))
        return;
    if (!spec) {
        rd_required(rd, o->doc, "spec.levels");
        return;
    }
    rd_check_list(rd, spec, "levels", 1, TOPOLOGY_LEVELS_MAX);
    doc_foreach (c, levels) {
        const char *label = rd_name(rd, c, "nodeLabel", label_key_problem, false);
        if (strcmp(label, HOSTNAME_LABEL) == 0 && c->next)
            rd_error_at(rd, c, "nodeLabel",
                        "Invalid value: \"" HOSTNAME_LABEL
                        "\": can only be used at the lowest level of topology");
    }
    rd_check_unique(rd, levels, "nodeLabel");
}

/* ---- kinds of Kubernetes itself ----------------------------------------------------------------------------------------- */

/* A cluster gives every namespace the label with its name. */
void read_namespace(struct reader *rd, struct object *o)
{
    static const char name_label[] = "kubernetes.io/metadata.name";
    struct fact_namespace *ns = &o->name_space;
    const struct doc_node *meta = rd_map(rd, o->doc, "metadata");
    ns->name = o->name;
    ns->labels = rd_labels(rd, meta, "labels", &ns->nlabels);
    if (!rd_defaults(rd) || doc_field(doc_field(meta, "labels"), name_label))
        return;
    struct fact_label *labels = ARENA_NEW(rd->arena, struct fact_label, ns->nlabels + 1);
    for (uint32_t i = 0; i < ns->nlabels; i++)
        labels[i] = ns->labels[i];
    labels[ns->nlabels++] = (struct fact_label){.key = name_label, .value = o->name};
    ns->labels = labels;
}

void read_runtime_class(struct reader *rd, struct object *o)
{
    struct fact_runtime_class *r = &o->runtime_class;
    const struct doc_node *overhead = rd_map(rd, o->doc, "overhead");
    r->name = o->name;
    r->has_overhead = overhead != NULL;
    r->overhead = rd_amounts(rd, overhead, "podFixed", &r->noverhead);
}

void read_limit_range(struct reader *rd, struct object *o)
{
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(rd, spec, "limits ");
    o->limit_range.ns = o->ns;
    o->limit_range.name = o->name;
    o->limit_range.items = read_limit_items(rd, rd_list(rd, spec, "limits"), &o->limit_range.nitems);
}
