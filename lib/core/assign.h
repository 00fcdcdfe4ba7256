/* Flavor assignment (engine.md 6): which flavor each resource of each pod set would get, in which mode. */
#ifndef SLUICE_CORE_ASSIGN_H
#define SLUICE_CORE_ASSIGN_H

#include "base/arena.h"
#include "core/pending.h"
#include "core/tree.h"

struct world;
struct cluster_queue;

/* 6.1, worst to best. */
enum mode { MODE_NO_FIT, MODE_PREEMPT, MODE_DEFERRED_FIT, MODE_FIT };
enum preempt_mode { PM_NO_FIT, PM_NO_VICTIMS, PM_PREEMPT, PM_RECLAIM, PM_FIT };
/* Answer of the preemption oracle (6.5). */
enum possibility { POSSIBILITY_NONE, POSSIBILITY_NO_CANDIDATES, POSSIBILITY_PREEMPT, POSSIBILITY_RECLAIM };

/* Why a flavor does not serve, as data; reason.h renders it. */
enum reason_kind {
    REASON_RESOURCE_UNAVAILABLE,
    REASON_FLAVOR_UNKNOWN,
    REASON_PINNED,
    REASON_NO_TAS,      /* the flavor does not support topology */
    REASON_TAS_ONLY,    /* the flavor supports only topology */
    REASON_TAS_UNKNOWN, /* topology placement is not available for this flavor */
    REASON_TAINT,
    REASON_AFFINITY,
    REASON_SELECTOR,     /* the selector does not parse: an error, not a reason */
    REASON_MAX_CAPACITY, /* a: earlier pod sets, b: this one, c: capacity */
    REASON_INSUFFICIENT, /* a: how much is short */
};

struct reason {
    enum reason_kind kind;
    uint32_t res, flavor; /* name ids */
    struct match match;   /* REASON_TAINT */
    amount a, b, c;
    bool dropped; /* of an attempt only: the pod set found a better flavor, or failed elsewhere */
};

/* One flavor tried for one resource group of one pod set (6.7, 6.9). */
struct attempt {
    uint32_t group, flavor;
    enum mode mode;
    enum possibility possibility;
    uint32_t level;
    enum wait_reason wait;           /* granular reason when NoFit */
    uint32_t first_reason, nreasons; /* in the pod set's list */
};

/* One resource of one pod set. */
struct choice {
    uint32_t res;
    int64_t amount;  /* total of the pod set at this count */
    uint32_t flavor; /* name id, NONE = not assigned */
    uint32_t fr, col;
    enum mode mode;
    enum preempt_mode pmode;
    uint32_t level;
    int32_t tried; /* new scan position */
};

struct pod_set_choice {
    uint32_t pod_set; /* index in the Workload */
    int32_t count;
    struct choice *choices;
    uint32_t nchoices;
    struct reason *reasons;
    uint32_t nreasons, cap_reasons;
    struct attempt *attempts;
    uint32_t nattempts, cap_attempts;
    bool error; /* the last reason is an error */
};

struct use {
    uint32_t fr, col;
    int64_t amount;
};

struct assignment {
    struct pod_set_choice *
        pod_sets; /* group by group (6.2), in order of each first one; those after a failing group are missing */
    uint32_t npod_sets;
    struct use *uses; /* quota usage by pair */
    uint32_t nuses;
    uint32_t borrowing; /* highest level */
    enum mode mode;
};

/* What would preemption bring for this pair (6.5 "simulate")? Replaceable for tests. */
struct oracle_answer {
    enum possibility possibility;
    uint32_t level;
};
struct assign_ctx {
    struct world *w;
    struct cluster_queue *cq;
    struct wl *wl;
    struct arena *a;
    const struct assignment *pinned; /* nomination mapping (6.5), or NULL */
    when_ns now;
    struct oracle_answer (*oracle)(const struct assign_ctx *ctx, uint32_t fr, uint32_t col, amount val);
    void *oracle_arg;
};

/* Assigns flavors with these counts (NULL = the full effective counts). Resumes from the Workload's scan. Never fails but by bail of
 * the arena. */
struct assignment *assign(const struct assign_ctx *ctx, const int32_t *counts);
/* Effective count of a pod set: spec minus reclaimable (2.4). */
int32_t pod_set_count(const struct world *w, const struct pod_set *ps);
/* Granular reason of a NoFit assignment (6.9). */
enum wait_reason assign_no_fit_reason(const struct assignment *a);
/* Keeps the new scan position in the Workload (5.2 end), or forgets it. */
void assign_keep_scan(const struct assign_ctx *ctx, const struct assignment *a);
/* 6.3: is granular mode a better than b? */
struct granular {
    enum preempt_mode pm;
    uint32_t level;
};
bool assign_preferred(struct granular a, struct granular b, enum fungibility_preference p);

/* 6.8: lower bound search over reduced counts. `ok(counts)` tells whether they would do; false if none do. `counts` ends as those of
 * the last success. Pod sets without min_count keep their count. */
bool partial_search(const int32_t *full, const int32_t *min, uint32_t n, int32_t *counts,
                    bool (*ok)(const int32_t *counts, void *arg), void *arg);

#endif
