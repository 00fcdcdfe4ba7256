#include "simulated/resource.h"

#include <string.h>

#define NS .namespaced = true
#define STATUS .status = true
#define GENERATION .generation = true
#define CUSTOM .custom = true, .generation = true
#define ANY .unconditional = true
#define PLAIN .unconditional = false

static const struct resource table[] = {
    {"", "v1", "namespaces", "Namespace", STATUS, ANY},
    {"", "v1", "nodes", "Node", STATUS, ANY},
    {"", "v1", "pods", "Pod", NS, STATUS, ANY},
    {"", "v1", "configmaps", "ConfigMap", NS, ANY},
    {"", "v1", "secrets", "Secret", NS, ANY},
    {"", "v1", "limitranges", "LimitRange", NS, ANY},
    {"", "v1", "events", "Event", NS, ANY},
    {"", "v1", "podtemplates", "PodTemplate", NS, ANY},
    {"batch", "v1", "jobs", "Job", NS, STATUS, GENERATION, ANY},
    {"coordination.k8s.io", "v1", "leases", "Lease", NS},
    {"events.k8s.io", "v1", "events", "Event", NS, ANY},
    {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", ANY},
    {"node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", PLAIN},
    {"resource.k8s.io", "v1", "deviceclasses", "DeviceClass", ANY},
    {"resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate", NS, ANY},
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "MutatingAdmissionPolicy", PLAIN},
    {"admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings",
     "MutatingAdmissionPolicyBinding", PLAIN},
    {"admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy",
     STATUS},
    {"admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings",
     "ValidatingAdmissionPolicyBinding", PLAIN},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", STATUS},
    {"kueue.x-k8s.io", "v1beta2", "resourceflavors", "ResourceFlavor", CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "clusterqueues", "ClusterQueue", STATUS, CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "cohorts", "Cohort", STATUS, CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "localqueues", "LocalQueue", NS, STATUS, CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "workloads", "Workload", NS, STATUS, CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "workloadpriorityclasses", "WorkloadPriorityClass", CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "admissionchecks", "AdmissionCheck", STATUS, CUSTOM},
    {"kueue.x-k8s.io", "v1beta2", "topologies", "Topology", CUSTOM},
    {"jobset.x-k8s.io", "v1alpha2", "jobsets", "JobSet", NS, STATUS, CUSTOM, .optional = true},
};

#define COUNT (sizeof(table) / sizeof(table[0]))
_Static_assert(COUNT <= RESOURCE_MAX, "more kinds than RESOURCE_MAX");

size_t resource_count(void)
{
    return COUNT;
}

const struct resource *resource_at(size_t i)
{
    return i < COUNT ? &table[i] : NULL;
}

size_t resource_index(const struct resource *r)
{
    return (size_t)(r - table);
}

static bool same(const char *have, const char *text, size_t len)
{
    return strlen(have) == len && memcmp(have, text, len) == 0;
}

const struct resource *resource_find(const char *group, size_t group_len, const char *version,
                                     size_t version_len, const char *plural, size_t plural_len)
{
    for (size_t i = 0; i < COUNT; i++)
        if (same(table[i].plural, plural, plural_len) && same(table[i].group, group, group_len) &&
            same(table[i].version, version, version_len))
            return &table[i];
    return NULL;
}

const struct resource *resource_of_kind(const char *kind)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(table[i].kind, kind) == 0)
            return &table[i];
    return NULL;
}
