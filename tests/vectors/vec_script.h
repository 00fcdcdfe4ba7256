/* Cases that list calls on queues and accounts ("ops"): each is done to a world, so that a handler only compares what came of it. */
#ifndef SLUICE_TESTS_VECTORS_VEC_SCRIPT_H
#define SLUICE_TESTS_VECTORS_VEC_SCRIPT_H

#include "core/pending.h"
#include "vec_world.h"

struct script {
    struct vec *v;
    struct world *w; /* owned: script_close */
    when_ns now;
    const char *cq; /* the ClusterQueue of calls that name none */
    bool requeued;  /* result of the last requeue */
    struct wl *popped[16];
    uint32_t npopped;
};

/* A world with the namespaces of the case; false after failing the case. `config` may be NULL. */
bool script_open(struct script *s, struct vec *v, const struct fact_config *config);
void script_close(struct script *s);

/* Does the calls of a list. Trees are brought up to date after each, as each is a change of its own. */
bool script_run(struct script *s, const struct doc_node *ops);
/* shared.setupOps, shared.ops and the ops of the case, but for the last `without` ones. */
bool script_run_all(struct script *s, uint32_t without);
bool script_settle(struct script *s);

/* A call's argument: the object itself, or the one that {"ref": "Kind ns/name"} names. */
const struct doc_node *script_arg(struct script *s, const struct doc_node *op, uint32_t i);
/* By "ns/name"; NULL if the world does not know it. */
struct wl *script_find(const struct script *s, const char *key);

/* A bare ClusterQueue for Workloads of all namespaces; it becomes the script's. */
bool script_add_cq(struct script *s, const char *name, enum queueing_strategy strategy);
struct cluster_queue *script_cq(struct script *s);
/* Reads a Workload ({"obj": ...} or the object); one without queue goes to "lq" of its namespace. */
bool script_read_workload(struct script *s, const struct doc_node *n, struct fact_workload *ret);
/* Puts it, with a LocalQueue to the script's ClusterQueue where it has none. NULL when it is not kept or after failing the case. */
struct wl *script_push(struct script *s, const struct fact_workload *f);
/* What happens to a Workload that a cycle turned down (4.6): it is in flight, or unknown until now. */
bool script_requeue(struct script *s, const struct fact_workload *f, struct requeue r);
struct wl *script_pop(struct script *s);
/* The heads of all active ClusterQueues. */
void script_heads(struct script *s);
enum requeue_reason script_requeue_reason(struct script *s, const char *text);
enum wait_reason script_wait_reason(struct script *s, const char *text);

/* Names of the Workloads in a bucket of the ClusterQueue as keys "ns/name", in order. */
const char *const *script_keys(struct script *s, uint32_t cq, bool inadmissible, uint32_t *ret_n);

#endif
