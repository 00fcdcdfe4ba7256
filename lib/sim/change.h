/* A change to one field of one object, as somebody would edit it in a manifest: what "what if" is asked about. */
#ifndef SLUICE_SIM_CHANGE_H
#define SLUICE_SIM_CHANGE_H

#include "api/objects.h"
#include "base/arena.h"
#include "base/str.h"

enum change_kind {
    CHANGE_ACTIVE,        /* Workload: spec.active becomes true */
    CHANGE_RESUME,        /* ClusterQueue, LocalQueue: stopPolicy becomes None */
    CHANGE_COUNT,         /* Workload: pods of pod set `part` */
    CHANGE_REQUEST,       /* Workload: what container `item` of pod set `part` asks for of `resource` */
    CHANGE_TOLERATE,      /* Workload: pod set `part` tolerates the taints of flavor `item` */
    CHANGE_SELECTOR,      /* Workload: pod set `part` loses its node selector and required node affinity */
    CHANGE_QUEUE,         /* Workload: another LocalQueue, `to_text` */
    CHANGE_END,           /* Workload: it ends a second after it is seen to run */
    CHANGE_PRIORITY,      /* Workload: priority class `to_text`, whose value is `to` */
    CHANGE_NOMINAL,       /* ClusterQueue, Cohort: quota of flavor `part`, `resource` */
    CHANGE_BORROWING,     /* its borrowingLimit */
    CHANGE_LENDING,       /* its lendingLimit */
    CHANGE_WEIGHT,        /* ClusterQueue, Cohort: fairSharing.weight, in thousandths */
    CHANGE_STRATEGY,      /* ClusterQueue: queueingStrategy becomes BestEffortFIFO */
    CHANGE_WITHIN,        /* ClusterQueue: preemption.withinClusterQueue, enum preempt_policy */
    CHANGE_RECLAIM,       /* preemption.reclaimWithinCohort */
    CHANGE_BORROW_WITHIN, /* preemption.borrowWithinCohort.policy */
    CHANGE_KINDS          /* how many */
};

/* Amounts are those of the engine: cpu in thousandths, all else in units. All texts are borrowed and never NULL. */
struct change {
    enum change_kind kind;
    enum api_kind object; /* whose field; ns is "" for kinds without namespace */
    const char *ns, *name;
    const char *part, *item, *resource; /* by kind; else "" */
    int64_t from, to;
    const char *from_text, *to_text;
};

bool change_is_of(const struct change *c, const struct object *o);
/* Makes the change in `o`, a copy that the caller owns; what it points to is not touched but replaced, in `a`, whose bail must be set
 * (arena_need). `flavor` is the object named by `item` of CHANGE_TOLERATE; else it may be NULL. */
void change_apply(const struct change *c, struct arena *a, struct object *o, const struct object *flavor);

const char *change_kind_name(enum change_kind k); /* "count", "nominalQuota", ... */
/* "spec.podSets[main].count"; what the field holds before and after. */
void change_print_field(const struct change *c, struct str *out);
void change_print_value(const struct change *c, bool after, struct str *out);

/* An amount of the engine as a quantity that says the same. */
struct quantity change_quantity(const char *resource, int64_t v);

#endif
