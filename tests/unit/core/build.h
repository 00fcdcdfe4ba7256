/* Small words for the facts that the tests of the engine tell a world: queues by one line of quotas, Workloads by one line of pods.
 * And for its answers: decisions, queues and usage as one line of text. Every call asserts that it succeeded. */
#ifndef SLUICE_TEST_CORE_BUILD_H
#define SLUICE_TEST_CORE_BUILD_H

#include "base/str.h"
#include "core/cycle.h"
#include "core/world.h"

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))
#define AT(s) ((INT64_C(1767268800) + (s)) * NS_PER_S) /* so many seconds after 2026-01-01T12:00:00Z */
#define NOW AT(1000)

struct quantity build_qty(const char *text);

/* A world with the namespace "ns" and the plain flavors "f" and "g". */
struct world *build_world(void);
/* Gates as "Name Name=false", the rest of the configuration as given. */
#define build_config(w, gates, ...) build_put_config((w), (gates), (struct fact_config){__VA_ARGS__})
void build_put_config(struct world *w, const char *gates, struct fact_config c);
/* Labels "k=v k=v", taints "k=v:NoSchedule". */
void build_flavor(struct world *w, const char *name, const char *labels, const char *taints);

/* Quotas: groups parted by '|', each "RESOURCE,RESOURCE: FLAVOR NOMINAL NOMINAL; FLAVOR ..."; a NOMINAL is "4", and with limits
 * "4+2-1": nominal 4, borrowingLimit 2, lendingLimit 1. */
#define build_cohort(w, n, p, quotas, ...)                                                                   \
    build_put_cohort((w), (quotas), (struct fact_cohort){.name = (n), .parent = (p), __VA_ARGS__})
void build_put_cohort(struct world *w, const char *quotas, struct fact_cohort f);
/* A ClusterQueue for all namespaces, BestEffortFIFO unless said, and its LocalQueue of the same name in "ns". */
#define build_cq(w, n, c, quotas, ...)                                                                       \
    build_put_cq((w), (quotas), (struct fact_cluster_queue){.name = (n), .cohort = (c), __VA_ARGS__})
void build_put_cq(struct world *w, const char *quotas, struct fact_cluster_queue f);
#define build_lq(w, n, cq, ...)                                                                              \
    build_put_lq((w), (struct fact_local_queue){.ns = "ns", .name = (n), .cluster_queue = (cq), __VA_ARGS__})
void build_put_lq(struct world *w, struct fact_local_queue f);
/* The facts that the two above put; borrowed until the next call. For tests in which the put is to fail. */
struct fact_resource_group *build_groups(const char *quotas, uint32_t *ret_n);

/* A Workload. `pods`: pod sets parted by ';', each "NAME: COUNT>MIN RESOURCE=QUANTITY ..."; name (main), count (1) and minCount (none)
 * may be left out. What is not said is absent. Times are seconds for AT(). */
struct job {
    const char *name, *queue, *pods;
    const char *ns, *uid, *job_uid; /* NULL: "ns", the name, "" */
    const char *held;               /* flavor of what it holds, or "cpu=f memory=g" */
    const char *cq;                 /* where it holds that; NULL: the queue's name */
    bool reserved_only;             /* holds quota, but is not Admitted */
    bool ready;                     /* PodsReady */
    int32_t priority;
    int created, since; /* since when it holds quota */
    const char *evicted, *preempted, *on_hold;
    int evicted_at;
    bool requeued_false, replacement, finished, inactive, closed_gate, failed_check;
    int requeue_at; /* 0: none */
    int32_t reclaimed;
    const char *gated_by, *boost, *selector, *tolerations, *selector_error, *priority_class;
    bool topology, devices;
    int64_t generation; /* 0: 1 */
};
#define build_job(w, n, q, p, ...)                                                                           \
    build_put_job((w), &(struct job){.name = (n), .queue = (q), .pods = (p), __VA_ARGS__})
struct wl *build_put_job(struct world *w, const struct job *j);
/* Many that hold cpu of flavor f: "NAME:QUEUE:CPU:PRIORITY" with '!' in front of one that is evicted, parted by blanks; each got its
 * quota one second after the one before. */
void build_hold(struct world *w, const char *text);
/* The fact of it; borrowed until the next call. */
const struct fact_workload *build_fact(const struct job *j);

/* Its pods end; its quota comes back and it waits again. */
void build_finish(struct world *w, struct wl *wl);
void build_release(struct world *w, struct wl *wl);

/* Flushes, runs a cycle at NOW and tells what it decided, in order: "NAME OUTCOME RES=FLAVOR -VICTIM(Reason)" parted by "; ", "" when
 * there was no head. The text, as those below, is valid until 8 calls later. */
const char *build_cycle(struct world *w);
const struct cycle *build_last(void); /* its result; NULL without head */
/* "NAME WAIT REQUEUE" of the last cycle's decisions that are no admissions. */
const char *build_waits(void);
/* The message of one decision of the last cycle. */
const char *build_message(struct world *w, const char *name);
/* "active | inadmissible", each in queue order. */
const char *build_queue(struct world *w, const char *cq);
/* Usage of a ClusterQueue or cohort. */
amount build_usage(struct world *w, const char *node, const char *flavor, const char *resource);
/* "a lends b 2 cpu" of all open loans, parted by "; ". */
const char *build_loans(struct world *w);

/* Runs all tests of a suite; the exit status of main. */
struct Suite;
int build_run(struct Suite *s);

#endif
