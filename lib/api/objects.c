#include "api/objects.h"

#include "api/kinds.h"
#include "api/labels.h"
#include "api/v1beta1.h"

#include <string.h>

struct kind {
    const char *version; /* apiVersion */
    const char *name;
    bool namespaced;
    const char *(*name_problem)(const char *); /* NULL: needs no name */
    void (*read)(struct reader *rd, struct object *o);
    const char *known; /* fields besides apiVersion, kind and metadata; NULL: the reader looks itself */
};

#define KUEUE "kueue.x-k8s.io/v1beta2"

static void read_job(struct reader *rd, struct object *o)
{
    if (rd_validates(rd) && !rd_map(rd, o->doc, "spec"))
        rd_required(rd, o->doc, "spec");
}

static const struct kind kinds[API_KINDS] = {
    [API_FLAVOR] = {KUEUE, "ResourceFlavor", false, dns_subdomain_problem, read_flavor, "spec status "},
    [API_CLUSTER_QUEUE] = {KUEUE, "ClusterQueue", false, dns_subdomain_problem, read_cluster_queue,
                           "spec status "},
    [API_COHORT] = {KUEUE, "Cohort", false, dns_subdomain_problem, read_cohort, "spec status "},
    [API_LOCAL_QUEUE] = {KUEUE, "LocalQueue", true, dns_subdomain_problem, read_local_queue, "spec status "},
    [API_WORKLOAD] = {KUEUE, "Workload", true, dns_subdomain_problem, read_workload, "spec status "},
    [API_WORKLOAD_PRIORITY_CLASS] = {KUEUE, "WorkloadPriorityClass", false, dns_subdomain_problem,
                                     read_workload_priority_class, "value description "},
    [API_ADMISSION_CHECK] = {KUEUE, "AdmissionCheck", false, dns_subdomain_problem, read_admission_check,
                             "spec status "},
    [API_TOPOLOGY] = {KUEUE, "Topology", false, dns_subdomain_problem, read_topology, "spec status "},
    [API_NAMESPACE] = {"v1", "Namespace", false, dns_label_problem, read_namespace, "spec status "},
    [API_LIMIT_RANGE] = {"v1", "LimitRange", true, dns_subdomain_problem, read_limit_range, "spec "},
    [API_RUNTIME_CLASS] = {"node.k8s.io/v1", "RuntimeClass", false, dns_subdomain_problem, read_runtime_class,
                           "handler overhead scheduling "},
    [API_PRIORITY_CLASS] = {"scheduling.k8s.io/v1", "PriorityClass", false, dns_subdomain_problem,
                            read_priority_class, "value globalDefault description preemptionPolicy "},
    [API_CONFIG] = {"config.kueue.x-k8s.io/v1beta2", "Configuration", false, NULL, read_config, NULL},
    [API_JOB] = {"batch/v1", "Job", true, dns_subdomain_problem, read_job, "spec status "},
    [API_JOB_SET] = {"jobset.x-k8s.io/v1alpha2", "JobSet", true, dns_subdomain_problem, read_job,
                     "spec status "},
};

const char *api_kind_name(enum api_kind k)
{
    return k < API_KINDS ? kinds[k].name : "";
}

const char *object_annotation(const struct object *o, const char *key)
{
    for (uint32_t i = 0; i < o->nannotations; i++) {
        if (strcmp(o->annotations[i].key, key) == 0)
            return o->annotations[i].value;
    }
    return NULL;
}

/* Length of the group with its slash: "kueue.x-k8s.io/", 0 for "v1". */
static size_t group_len(const char *version)
{
    const char *slash = strchr(version, '/');
    return slash ? (size_t)(slash - version) + 1 : 0;
}

int api_kind_of(const struct doc_node *node, enum api_kind *ret, struct err *err)
{
    if (!doc_is(node, DOC_MAP))
        return err_set(err, ERR_INVALID, "not a Kubernetes object");
    const char *version = doc_str_or(node, "apiVersion", ""), *kind = doc_str_or(node, "kind", "");
    if (!*version || !*kind)
        return err_set(err, ERR_INVALID, "%s: Required value", *version ? "kind" : "apiVersion");
    size_t group = group_len(version);
    for (int k = 0; k < API_KINDS; k++) {
        if (strcmp(kinds[k].name, kind) != 0 || group_len(kinds[k].version) != group ||
            strncmp(kinds[k].version, version, group) != 0)
            continue;
        if (strcmp(kinds[k].version, version) != 0)
            return err_set(err, ERR_INVALID, "apiVersion: %.100s is not read, only %s; convert the object",
                           version, kinds[k].version);
        *ret = (enum api_kind)k;
        return 0;
    }
    return err_set(err, ERR_NOTFOUND, "%.100s %.100s is not used here", version, kind);
}

/* ---- objects ---------------------------------------------------------------------------------------------------------- */

#define META_FIELDS                                                                                          \
    "name generateName namespace selfLink uid resourceVersion generation creationTimestamp "                 \
    "deletionTimestamp "                                                                                     \
    "deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields "

static void read_meta(struct reader *rd, const struct kind *k, struct object *o)
{
    const struct doc_node *meta = rd_map(rd, o->doc, "metadata");
    rd_known(rd, meta, META_FIELDS);
    o->annotations = rd_labels(rd, meta, "annotations", &o->nannotations);
    if (!meta && k->name_problem && rd_validates(rd))
        rd_required(rd, o->doc, "metadata.name");
    bool optional = !k->name_problem || (k->read == read_job && doc_field(meta, "generateName"));
    o->name = meta ? rd_name(rd, meta, "name", k->name_problem, optional) : "";
    o->ns = k->namespaced ? rd_name(rd, meta, "namespace", dns_label_problem, true) : "";
    if (k->namespaced && !*o->ns && rd_defaults(rd))
        o->ns = "default";
}

static void check_top_fields(struct reader *rd, const struct kind *k, const struct doc_node *node)
{
    if (!k->known)
        return;
    char known[128] = "apiVersion kind metadata ";
    size_t len = strlen(known);
    memcpy(known + len, k->known, strlen(k->known) + 1);
    rd_known(rd, node, known);
}

static void read_object(struct reader *rd, const struct doc_node *node, void *ret)
{
    struct object *o = ret;
    const struct kind *k = &kinds[o->kind];
    o->file = "";
    o->line = node->line;
    o->doc = node;
    read_meta(rd, k, o);
    check_top_fields(rd, k, node);
    k->read(rd, o);
    if (rd->before && rd_validates(rd))
        check_update(rd, o->kind, rd->before, node);
}

static int run_object(struct reader *rd, enum api_kind kind, struct object *ret)
{
    if (!doc_is(rd->root, DOC_MAP))
        return err_set(rd->err, ERR_INVALID, "not a Kubernetes object");
    struct object o = {.kind = kind};
    int rc = rd_run(rd, read_object, rd->root, &o);
    if (rc == 0)
        *ret = o;
    return rc;
}

int rd_read_facts(enum api_kind kind, const struct doc_node *node, struct arena *a, struct names *names,
                  unsigned flags, const struct api_sink *sink, struct object *ret, struct err *err)
{
    struct reader rd = {.arena = a, .flags = flags, .root = node, .sink = sink, .err = err, .names = names};
    int rc = run_object(&rd, kind, ret);
    if (rc == 0)
        ret->doc = NULL;
    return rc;
}

int api_validate_update(enum api_kind kind, const struct doc_node *before, const struct doc_node *after,
                        const struct gates *gates, struct arena *a, const struct api_sink *sink,
                        struct err *err)
{
    struct reader rd = {.arena = a,
                        .flags = API_NO_DEFAULTS,
                        .root = after,
                        .sink = sink,
                        .err = err,
                        .gates = gates,
                        .before = before};
    struct object o;
    return run_object(&rd, kind, &o);
}

int api_read_as(enum api_kind kind, const struct doc_node *node, struct arena *a, unsigned flags,
                const struct api_sink *sink, struct object *ret, struct err *err)
{
    struct reader rd = {.arena = a, .flags = flags, .root = node, .sink = sink, .err = err};
    return run_object(&rd, kind, ret);
}

int api_read(const struct doc_node *node, struct arena *a, unsigned flags, const struct api_sink *sink,
             struct object *ret, struct err *err)
{
    enum api_kind kind = API_KINDS;
    int rc = v1beta1_object(NULL, node, a, sink, &node, err);
    if (rc == 0)
        rc = api_kind_of(node, &kind, err);
    return rc < 0 ? rc : api_read_as(kind, node, a, flags, sink, ret, err);
}
