/* What an admission injects into a pod template when its job starts, and what takes it out again (around.md 1.0.5, 1.0.6): labels,
 * annotations, nodeSelector, tolerations, schedulingGates. All arrays lie in the caller's arena, all texts are borrowed. */
#ifndef SLUICE_LIFECYCLE_PODINFO_H
#define SLUICE_LIFECYCLE_PODINFO_H

#include "base/arena.h"
#include "base/err.h"
#include "core/facts.h"

struct podinfo_toleration {
    struct fact_toleration t;
    bool has_seconds; /* tolerationSeconds */
    int64_t seconds;
};

struct podinfo_labels {
    const struct fact_label *v;
    uint32_t n;
};

struct podinfo {
    const char *name; /* of the pod set */
    int32_t count;
    struct podinfo_labels labels, annotations, selector;
    const struct podinfo_toleration *tolerations;
    uint32_t ntolerations;
    const char *const *gates;
    uint32_t ngates;
};

/* The flavor of that name, NULL if there is none. */
typedef const struct fact_flavor *podinfo_flavor_fn(void *arg, const char *name);

/* What the assignment brings: the labels and tolerations of its distinct flavors in order of resource names, the count (`spec_count`
 * when it names none) and, with a topology assignment, the gate of the topology controller; `asks_topology` is false when the pod set
 * itself asked for no topology. ERR_NOTFOUND when a flavor is missing, ERR_STATE when flavors contradict each other, ERR_NOMEM. */
MUST_USE int podinfo_of_assignment(const struct fact_assignment *as, int32_t spec_count, bool asks_topology,
                                   podinfo_flavor_fn *flavor, void *arg, struct arena *a, struct podinfo *ret,
                                   struct err *err);

/* Sets one entry; an existing one gets the new value. ERR_NOMEM. */
MUST_USE int podinfo_put(struct podinfo_labels *l, struct arena *a, const char *key, const char *value);

/* Adds `add` to `into`. A key that has another value there is a conflict: ERR_STATE, `into` stays as it was. Tolerations and gates are
 * appended unless they are there. `slices` (gate ElasticJobsViaWorkloadSlices): the annotations of an elastic admission replace those
 * of the slice before. */
MUST_USE int podinfo_merge(struct podinfo *into, const struct podinfo *add, bool slices, struct arena *a,
                           struct err *err);

/* Sets the five parts back to those of `original`; false if they were like that already. */
bool podinfo_restore(struct podinfo *p, const struct podinfo *original);

/* Equal in every field; an unset operator is Equal. */
bool podinfo_toleration_equal(const struct podinfo_toleration *a, const struct podinfo_toleration *b);

#endif
