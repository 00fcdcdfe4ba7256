#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* Pod templates and pod sets (engine.md 1.5, 2.3, 4.10). */

enum { SLICE_CONSTRAINTS_MAX = 3 };

/* ---- containers --------------------------------------------------------------------------------------------------------- */

static void check_amounts(struct reader *rd, const struct doc_node *resources, const char *field)
{
    const struct doc_node *map = doc_field(resources, field);
    doc_foreach (c, map) {
        struct quantity q;
        if (strcmp(c->key, "pods") == 0)
            rd_error_key(rd, c, "Invalid value: \"pods\": the key is reserved for internal kueue use");
        else if (doc_quantity(c, &q, NULL) == 0 && quantity_sign(q) < 0 &&
                 rd_gate(rd, "WorkloadValidateResourcesAreNonNegative"))
            rd_error_key(rd, c, "Invalid value: \"%.100s\": must be greater than or equal to 0", c->text);
    }
}

static void read_resources(struct reader *rd, const struct doc_node *parent, struct fact_container *ret)
{
    const struct doc_node *resources = rd_map(rd, parent, "resources");
    rd_known(rd, resources, "requests limits claims ");
    ret->requests = rd_amounts(rd, resources, "requests", &ret->nrequests);
    ret->limits = rd_amounts(rd, resources, "limits", &ret->nlimits);
    if (!rd_validates(rd))
        return;
    check_amounts(rd, resources, "requests");
    check_amounts(rd, resources, "limits");
}

static void read_container_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_container *c = ret;
    rd_known(
        rd, n,
        "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy "
        "restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle "
        "terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce "
        "tty ");
    c->name = rd_name(rd, n, "name", NULL, false);
    c->restart_always = strcmp(rd_str(rd, n, "restartPolicy"), "Always") == 0;
    read_resources(rd, n, c);
}

void read_container(struct reader *rd, const struct doc_node *node, struct fact_container *ret)
{
    *ret = (struct fact_container){0};
    read_container_item(rd, node, ret);
}

/* ---- pods --------------------------------------------------------------------------------------------------------------- */

#define POD_FIELDS                                                                                           \
    "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds "     \
    "activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount "                        \
    "automountServiceAccountToken "                                                                          \
    "nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname "  \
    "subdomain "                                                                                             \
    "affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates "    \
    "runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints "               \
    "setHostnameAsFQDN os "                                                                                  \
    "hostUsers schedulingGates resourceClaims resources hostnameOverride workloadRef "

void read_pod_spec(struct reader *rd, const struct doc_node *spec, struct fact_pod *ret)
{
    *ret = (struct fact_pod){.runtime_class = "", .digest = "", .selector_error = ""};
    const size_t size = sizeof(struct fact_container);
    rd_known(rd, spec, POD_FIELDS);
    ret->init = rd_items(rd, rd_list(rd, spec, "initContainers"), size, read_container_item, &ret->ninit);
    ret->containers =
        rd_items(rd, rd_list(rd, spec, "containers"), size, read_container_item, &ret->ncontainers);
    ret->has_resources = rd_map(rd, spec, "resources") != NULL;
    ret->resources.name = "";
    read_resources(rd, spec, &ret->resources);
    ret->overhead = rd_amounts(rd, spec, "overhead", &ret->noverhead);
    ret->has_overhead = ret->noverhead > 0;
    ret->runtime_class = rd_str(rd, spec, "runtimeClassName");
    ret->selector = rd_labels(rd, spec, "nodeSelector", &ret->nselector);
    read_node_affinity(rd, spec, ret);
    ret->tolerations = read_tolerations(rd, spec, "tolerations", &ret->ntolerations);
    canon_pod(rd, spec, ret, &ret->digest, &ret->digest_len);
}

/* ---- pod sets ----------------------------------------------------------------------------------------------------------- */

#define TOPOLOGY_FIELDS                                                                                      \
    "required preferred unconstrained podIndexLabel subGroupIndexLabel subGroupCount podSetGroupName "       \
    "podSetSliceRequiredTopology podSetSliceSize podsetSliceRequiredTopologyConstraints "

static void read_topology_request(struct reader *rd, const struct doc_node *n, struct fact_pod_set *ret)
{
    rd_known(rd, n, TOPOLOGY_FIELDS);
    const struct doc_node *constraints = rd_list(rd, n, "podsetSliceRequiredTopologyConstraints");
    ret->wants_topology = doc_field(n, "required") || doc_field(n, "preferred") ||
                          doc_field(n, "unconstrained") || doc_field(n, "podSetSliceRequiredTopology") ||
                          (constraints && constraints->n);
    ret->topology = canon_text(rd, n);
    ret->topology_group = rd_str(rd, n, "podSetGroupName");
}

static void check_slice_size(struct reader *rd, const struct doc_node *n, const char *field)
{
    int64_t size = doc_i64_or(n, field, 0);
    if (size <= 0)
        rd_error_at(rd, n, field, "Invalid value: %lld: must be greater than 0", (long long)size);
}

static void check_topology_request(struct reader *rd, const struct doc_node *n)
{
    if (doc_field(n, "podSetSliceSize") && !doc_field(n, "podSetSliceRequiredTopology"))
        rd_error_at(rd, n, "podSetSliceSize",
                    "Forbidden: may not be set when podSetSliceRequiredTopology is not specified");
    else if (doc_field(n, "podSetSliceSize"))
        check_slice_size(rd, n, "podSetSliceSize");
    const struct doc_node *constraints = doc_field(n, "podsetSliceRequiredTopologyConstraints");
    if (constraints && constraints->n > SLICE_CONSTRAINTS_MAX)
        rd_too_many(rd, constraints, SLICE_CONSTRAINTS_MAX);
    doc_foreach (c, constraints)
        check_slice_size(rd, c, "size");
}

static void check_pod_set(struct reader *rd, const struct doc_node *n, const struct fact_pod_set *ps,
                          bool has_min)
{
    if (ps->count < 0)
        rd_error_at(rd, n, "count", "Invalid value: %d: should be greater than or equal to 0", ps->count);
    if (has_min && ps->min_count < 1)
        rd_error_at(rd, n, "minCount", "Invalid value: %d: should be greater than or equal to 1",
                    ps->min_count);
    else if (has_min && ps->min_count > ps->count)
        rd_error_at(rd, n, "minCount",
                    "Invalid value: %d: minCount should be positive and less or equal to count",
                    ps->min_count);
    const struct doc_node *request = doc_field(n, "topologyRequest"),
                          *meta = doc_path(n, "template.metadata");
    if (request && rd_gate(rd, "TASValidateWorkloadSliceSize"))
        check_topology_request(rd, request);
    if (meta && rd_gate(rd, "WorkloadValidationForPodSetMetadata")) {
        rd_check_labels(rd, doc_field(meta, "labels"), false);
        rd_check_labels(rd, doc_field(meta, "annotations"), true);
    }
    const struct doc_node *spec = doc_path(n, "template.spec");
    if (!doc_field(n, "template"))
        rd_required(rd, n, "template");
    else if (spec && spec->type == DOC_MAP && !doc_field(spec, "containers"))
        rd_required(rd, spec, "containers");
}

void read_pod_set_item(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_pod_set *ps = ret;
    rd_known(rd, n, "name count minCount template topologyRequest ");
    ps->name = rd_name(rd, n, "name", dns_label_problem, true);
    if (!*ps->name && rd_defaults(rd))
        ps->name = "main";
    if (!rd_i32(rd, n, "count", &ps->count))
        ps->count = rd_defaults(rd) ? 1 : 0;
    bool has_min = rd_i32(rd, n, "minCount", &ps->min_count);
    const struct doc_node *template = rd_map(rd, n, "template"), *spec = rd_map(rd, template, "spec");
    rd_known(rd, template, "metadata spec ");
    read_pod_spec(rd, spec, &ps->pod);
    const struct doc_node *claims = rd_list(rd, spec, "resourceClaims");
    ps->wants_devices = claims && claims->n;
    ps->topology = ps->topology_group = "";
    read_topology_request(rd, rd_map(rd, n, "topologyRequest"), ps);
    if (rd_validates(rd))
        check_pod_set(rd, n, ps, has_min);
}
