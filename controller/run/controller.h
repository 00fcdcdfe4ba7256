/* The controller: watches the API server, keeps the world, lets the engine decide, and writes what was decided. It reaches the outside
 * through kube/seam.h alone, so that it runs against sockets, or against a simulated API server in virtual time.
 *
 * Single-threaded and driven: the driver calls controller_turn after anything happened (an answer, a piece of a watch, a timer's time), and
 * again when controller_next says so. */
#ifndef SLUICE_RUN_CONTROLLER_H
#define SLUICE_RUN_CONTROLLER_H

#include "api/objects.h"
#include "kube/seam.h"
#include "run/sink.h"

struct controller;
struct world;

/* Borrowed for the life of the controller. */
struct controller_config {
    const struct fact_config *core;
    const struct settings *settings;
    const char *identity; /* of this process in the Lease: unique among all */
    const char *ns;       /* where the Lease lies */
    bool elect;           /* false: no Lease, it leads from the start */
    bool preflight;       /* look at permissions and policies when it begins to lead */
    struct sink *sink;    /* NULL = a sink that only counts */
    /* Called for each line of the log; NULL = none. */
    void (*log)(void *arg, int level, const char *object, const char *text);
    void *log_arg;
};

enum controller_log { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct controller_seams {
    struct kube_server watches, rest;
    struct kube_clock clock;
};

/* ERR_NOMEM, ERR_INVALID (the configuration cannot be used). Nothing is sent before the first turn. */
MUST_USE int controller_new(const struct controller_config *c, const struct controller_seams *s,
                            struct controller **ret, struct err *err);
/* At any time; what is under way is abandoned. */
void controller_free(struct controller *c);

/* One turn of the loop (loop.c). True: there is more to do at once. */
bool controller_turn(struct controller *c);
/* Mono time of the next timer; INT64_MAX = none. */
int64_t controller_next(const struct controller *c);

/* Decides nothing more, lets writes under way end, gives the Lease back. controller_stopped says when that is done. */
void controller_stop(struct controller *c);
bool controller_stopped(const struct controller *c);
/* The Lease was lost: this process must end (kubernetes.md 3.13). */
bool controller_lost(const struct controller *c);

/* /readyz: the caches are complete and a leader is known. */
bool controller_ready(const struct controller *c);
bool controller_leads(const struct controller *c);

/* For metrics, tests and reports; borrowed. */
struct world *controller_world(struct controller *c);

struct controller_stats {
    uint64_t turns, cycles, cycles_with_heads, cycles_progressed;
    uint64_t admitted, evicted, finished;
    uint64_t status_writes, queue_writes, job_writes, workload_writes; /* that the API server took */
    uint64_t conflicts, refused, lost;
    uint64_t events, malformed, stale_facts, held_facts;
    uint32_t workloads, jobs, queues;
    uint32_t write_queue; /* waiting or under way */
};
struct controller_stats controller_stats(const struct controller *c);

#endif
