/* Policies that are bad or contradict themselves, with the objects named. */
#ifndef SLUICE_SIM_POLICY_LINT_H
#define SLUICE_SIM_POLICY_LINT_H

#include "api/set.h"
#include "base/arena.h"

#include <stdbool.h>

struct sim;

enum policy_fault {
    FAULT_COHORT_CYCLE,      /* Cohorts are their own ancestors */
    FAULT_NO_FLAVOR,         /* a quota of a ResourceFlavor that is not there */
    FAULT_NO_CLUSTER_QUEUE,  /* a LocalQueue of a ClusterQueue that is not there */
    FAULT_NO_CHECK,          /* a ClusterQueue asks for an AdmissionCheck that is not there */
    FAULT_UNREACHABLE,       /* quota that no ClusterQueue can use */
    FAULT_STARVES,           /* a ClusterQueue that can never have any of a resource */
    FAULT_MAY_STARVE,        /* it owns nothing of a resource, and cannot take back what it does not own */
    FAULT_NOTHING_TO_BORROW, /* a borrowingLimit where nobody lends */
    FAULT_EVICTION_LOOP,     /* a run that never comes to rest */
    FAULT_KINDS              /* how many */
};

struct policy_finding {
    enum policy_fault fault;
    bool error;                 /* else a warning: it works, but hardly as somebody wants */
    bool old;                   /* it was there before, too */
    const char *text;           /* a sentence without full stop that names the objects */
    const char *const *objects; /* "ClusterQueue team-a", "LocalQueue ns/name" */
    uint32_t nobjects;
};

/* In the order of enum policy_fault, then of the objects. Lies in the arena. */
struct policy_lint {
    struct policy_finding *list;
    uint32_t n, cap;
};

/* Adds what is wrong with the objects. `s` is a simulation of them, at rest or not yet begun; `released` (may be NULL) says how often
 * each of its records was evicted. All lies in `a`, whose bail must be set. ERR_NOMEM. */
MUST_USE int policy_lint_find(struct policy_lint *l, struct arena *a, const struct api_set *objects,
                              const struct sim *s, const uint32_t *released, struct err *err);
/* Marks those of `l` that are in `before`: the same text, of an eviction loop any. */
void policy_lint_mark_old(struct policy_lint *l, const struct policy_lint *before);
/* Errors that are not old. */
bool policy_lint_has_new_errors(const struct policy_lint *l);

const char *policy_fault_name(enum policy_fault f); /* "cohort-cycle", ... */

#endif
