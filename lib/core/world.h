/* The world: everything the engine knows, and the only way to change it. Facts go in by world_put_* and world_del_*; decisions
 * come out of world_cycle (cycle.h). Nothing here reads a clock: `now` is given.
 *
 * All put functions copy what they need; a call that fails (ERR_NOMEM, ERR_INVALID) leaves the world as it was, except that
 * names may have been interned. Not thread safe. */
#ifndef SLUICE_CORE_WORLD_H
#define SLUICE_CORE_WORLD_H

#include "core/gates.h"
#include "core/status.h"
#include "core/workload.h"

struct world;

struct world *world_new(void); /* owned; NULL when memory is exhausted */
void world_free(struct world *w);
struct names *world_names(const struct world *w); /* borrowed */
const struct gates *world_gates(const struct world *w);

/* Before Workloads are put: what was read of them under another configuration is not read anew. ERR_NOTFOUND for an unknown gate, ERR_STATE
 * for a locked one. */
MUST_USE int world_configure(struct world *w, const struct fact_config *config, struct err *err);

/* Configuration objects: made or replaced by name. Deleting an unknown one does nothing. Requests are read when a Workload is put: after a
 * change of a LimitRange or RuntimeClass the caller puts the pending Workloads that it concerns again (2.5). A ClusterQueue of another uid is
 * another one: delete the old one first, for a generation that is the same means a spec that is the same. */
MUST_USE int world_put_flavor(struct world *w, const struct fact_flavor *f, struct err *err);
MUST_USE int world_put_topology(struct world *w, const struct fact_topology *f, struct err *err);
MUST_USE int world_put_check(struct world *w, const struct fact_admission_check *f, struct err *err);
MUST_USE int world_put_namespace(struct world *w, const struct fact_namespace *f, struct err *err);
MUST_USE int world_put_limit_range(struct world *w, const struct fact_limit_range *f, struct err *err);
MUST_USE int world_put_runtime_class(struct world *w, const struct fact_runtime_class *f, struct err *err);
MUST_USE int world_put_cohort(struct world *w, const struct fact_cohort *f, struct err *err);
MUST_USE int world_put_cluster_queue(struct world *w, const struct fact_cluster_queue *f, when_ns now,
                                     struct err *err);
MUST_USE int world_put_local_queue(struct world *w, const struct fact_local_queue *f, when_ns now,
                                   struct err *err);
void world_del_flavor(struct world *w, const char *name);
void world_del_topology(struct world *w, const char *name);
void world_del_check(struct world *w, const char *name);
void world_del_namespace(struct world *w, const char *name);
void world_del_limit_range(struct world *w, const char *ns, const char *name);
void world_del_runtime_class(struct world *w, const char *name);
void world_del_cohort(struct world *w, const char *name);
void world_del_cluster_queue(struct world *w, const char *name);
void world_del_local_queue(struct world *w, const char *ns, const char *name);

/* A Workload object was created or changed (10.11, 4.4). *ret_w (may be NULL) is borrowed and stays valid until world_del_workload;
 * a failure leaves it NULL. A fact with another uid takes the place of a Workload of the same name, whose
 * pointer is no longer valid then. The world believes what it is told: while the write of an admission is under way, a fact from before
 * it would take the quota back, so the driver holds such facts back. */
MUST_USE int world_put_workload(struct world *w, const struct fact_workload *f, when_ns now,
                                struct wl **ret_w, struct err *err);
/* Only its status changed: the transitions of 10.11 for the new marks. Cannot fail: nothing is allocated. The admission itself stays
 * what it was (reserved) or is forgotten (no longer reserved). */
void world_put_marks(struct world *w, struct wl *wl, const struct marks *marks, when_ns now);
void world_del_workload(struct world *w, struct wl *wl, when_ns now);
struct wl *world_find_workload(const struct world *w, const char *ns, const char *name);
/* In order of creation in this world; NULL ends. */
struct wl *world_first_workload(const struct world *w);
static inline struct wl *world_next_workload(const struct wl *wl)
{
    return wl->hh.next;
}

/* The write of an admission that a cycle decided failed for good (5.7): quota and penalty are given back, it is queued again. Nobody else
 * is waked by that (4.7). */
void world_forget_admission(struct world *w, struct wl *wl, when_ns now);

/* It counts as having been queued where it says, if nothing is known of that: so that the end of one that held quota before this process
 * began wakes those behind it. By the letter of 4.7 event 5 it wakes nobody, and they may wait forever; a driver that lives long does not
 * want that. */
void world_remember_queue(const struct world *w, struct wl *wl);
/* The write of an eviction failed: it may be tried again (7.7). */
void world_forget_preemption(struct wl *wl);

/* Events collect trees whose inadmissible Workloads may come back (4.7 "notify"); this brings them back. True if any was collected. */
bool world_flush(struct world *w, when_ns now);

/* Admission fair sharing, "Sampling" of 4.9: what LocalQueues consumed decays and takes in what they held until now. To be called every
 * usageSamplingInterval; in virtual time before anything happens at a new time, which gives the same however often it is done, since
 * what they hold does not change in between. Does nothing without admission fair sharing. ERR_NOMEM: some may be sampled, and it can be
 * called again. */
MUST_USE int world_sample_usage(struct world *w, when_ns now, struct err *err);

/* For tests: no search for victims is left out because it is clear beforehand that it finds none. Decisions are the same. */
void world_search_all(struct world *w);

/* Brings trees and activity up to date after configuration changes; done by world_cycle and world_flush by themselves. */
MUST_USE int world_settle(struct world *w, struct err *err);

/* Checks of the ClusterQueue that apply to the Workload's assigned flavors (5.7 "required"), or, without admission, those on all
 * flavors (10.4 step 7): writes up to `cap` name ids sorted by name, returns how many there are. */
uint32_t world_required_checks(const struct world *w, const struct wl *wl, uint32_t *ret_names, uint32_t cap);

/* ---- reading, for reports ------------------------------------------------------------------------------------------------ */

struct tree;

enum cq_state { CQ_ACTIVE, CQ_PENDING, CQ_TERMINATING };

/* A ClusterQueue for reports. Indexes 0..world_cq_count-1 stay valid; a deleted one has `exists` false. */
struct cq_view {
    const char *name, *cohort;
    bool exists;
    bool in_snapshot; /* active and its cohorts form no cycle */
    enum cq_state state;
    enum queueing_strategy strategy;
    const struct tree *tree;
    uint32_t node;
    uint32_t nreserving, nadmitted;
    uint32_t npending_active, npending_inadmissible;
    int64_t generation; /* of allocatable resources (3.1) */
};

/* Where a ClusterQueue is, without counting anything: O(1). */
struct cq_place {
    const char *name, *cohort;
    const struct tree *tree; /* NULL until it was settled */
    uint32_t node;
};
struct cq_place world_cq_place(const struct world *w, uint32_t cq);

uint32_t world_cq_count(const struct world *w);
uint32_t world_cq_find(const struct world *w, const char *name); /* NONE if unknown */
struct cq_view world_cq(const struct world *w, uint32_t cq);
/* In order of names. */
const uint32_t *world_cq_order(struct world *w, uint32_t *ret_n);
/* 9.1: reason and message of the condition Active; true if active. */
struct str;
bool world_cq_active(const struct world *w, uint32_t cq, const char **ret_reason, struct str *ret_message);

/* Calls back for each (flavor, resource) of the ClusterQueue in the order of its groups; amounts of 11.1. */
struct cq_use {
    const char *flavor, *resource;
    uint32_t fr;
    amount nominal, reserved, admitted;
};
void world_cq_uses(const struct world *w, uint32_t cq, void (*each)(const struct cq_use *u, void *arg),
                   void *arg);
/* Pending Workloads in queue order. */
struct wl *world_pending_first(const struct world *w, uint32_t cq, bool inadmissible);
struct wl *world_pending_next(struct wl *wl);
/* The sticky preemptor (4.5), NULL if none; number of parked shapes. */
struct wl *world_cq_sticky(const struct world *w, uint32_t cq);
uint32_t world_cq_parked(const struct world *w, uint32_t cq);
/* A hash of which Workloads wait in which list with which scan positions: equal queues have equal hashes. The order within a list
 * follows from the Workloads. O(1). */
uint64_t world_cq_queue_state(const struct world *w, uint32_t cq);
/* Workloads holding quota there. */
struct wl *const *world_cq_holders(const struct world *w, uint32_t cq, uint32_t *ret_n);

struct pair_names {
    const char *flavor, *resource;
};
struct pair_names world_pair(const struct world *w, uint32_t fr);
uint32_t world_find_pair(const struct world *w, const char *flavor,
                         const char *resource); /* NONE if unknown */

/* Trees in order of the root's name, those of ClusterQueues without cohort last; NULL ends. Valid until the next change. */
const struct tree *world_tree(const struct world *w, uint32_t i);

/* LocalQueue state that decides about waiting (9.3). */
enum lq_state { LQ_MISSING, LQ_STOPPED, LQ_OK };
enum lq_state world_lq(const struct world *w, const char *ns, const char *name,
                       const char **ret_cluster_queue, enum stop_policy *ret_stop);
/* Its deletionTimestamp was seen. It queues on, but a reservation made through it does not last (9.3). */
bool world_lq_deleting(const struct world *w, const char *ns, const char *name);
enum stop_policy world_cq_stop(const struct world *w, uint32_t cq);
/* Usage of a LocalQueue under admission fair sharing (4.9); 0 without. */
double world_lq_usage(const struct world *w, const char *ns, const char *name);

struct loans;
/* The loans as of the last cycle or settle (core/loans.h); borrowed. */
const struct loans *world_loans(const struct world *w);

#endif
