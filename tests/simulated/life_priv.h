/* Inside of a life: the parts know each other through this. */
#ifndef SLUICE_TESTS_SIMULATED_LIFE_PRIV_H
#define SLUICE_TESTS_SIMULATED_LIFE_PRIV_H

#include "run/controller.h"
#include "simulated/life.h"
#include "simulated/memory.h"

struct life;

/* ---- scene.c: the cluster that a seed makes ----------------------------------------------------------------------------- */

enum { MOST_CQS = 8, MOST_LQS = 16 };

struct scene_cq {
    char name[16];
    int64_t cpu, gpu;    /* of the first flavor; what a job may ask for at most */
    bool check;          /* has an admission check */
    const char *nominal; /* JSON of the resource groups as first made */
};

struct scene_lq {
    char ns[8], name[16];
    uint32_t cq;
};

struct scene {
    bool policy; /* labelled jobs are suspended at creation */
    bool wait;   /* waitForPodsReady with a short time-out */
    bool fair;
    struct scene_cq cqs[MOST_CQS];
    struct scene_lq lqs[MOST_LQS];
    uint32_t ncqs, nlqs;
    const char *config; /* the Configuration */
};

void scene_make(struct life *l);

/* ---- model.c: who else lives there -------------------------------------------------------------------------------------- */

void model_start(struct life *l);
/* A list of conditions with one set. */
const struct val *model_condition(struct life *l, const struct val *conditions, const char *type, bool status,
                                  const char *reason);

/* ---- users.c ------------------------------------------------------------------------------------------------------------ */

void users_start(struct life *l); /* arrivals and whims, until l->calm_at */
void users_calm(struct life *l);  /* everything is put right again */

/* ---- faults.c ----------------------------------------------------------------------------------------------------------- */

void faults_start(struct life *l);
enum simserver_fault faults_of_request(void *life, const struct simserver_request *r);

/* ---- laws.c, quota.c: what always holds --------------------------------------------------------------------------------- */

struct laws;

struct laws *laws_new(struct life *l);
void laws_free(struct laws *w);
/* Each request of the controller, and its answer. */
void laws_request(void *life, const struct simserver_request *r, const struct answer *a);
/* Looks at everything: jobs that run without quota. */
void laws_sweep(struct life *l);
/* Is all work over? `why` (if not NULL) is told the first that is not. */
bool laws_over(struct life *l, struct str *why);
/* At the end, when all work is over and the controller had time: statuses, decisions and their ends. */
void laws_end(struct life *l);
/* The sink that decisions pass. */
struct sink *laws_sink(struct laws *w);
/* The controller is no more: decisions without an end have none. */
void laws_crashed(struct laws *w);

struct quota;
struct quota *quota_new(struct life *l);
void quota_free(struct quota *q);
/* A version of a ClusterQueue or Cohort. */
void quota_configured(struct quota *q, const struct version *v);
/* A Workload takes (sign 1) or gives back (-1) what its admission says. */
void quota_charge(struct quota *q, const struct val *workload, int sign);
/* Does what was taken fit in what the tree allowed at any time of the last while? The room of the admission's flavors after it. */
bool quota_fits(struct quota *q, const struct val *workload, struct str *why);

/* ---- life.c ------------------------------------------------------------------------------------------------------------- */

struct life {
    uint64_t seed;
    const struct life_options *o;
    struct life_result *r;
    struct dice dice; /* of the world; the server and the clock have their own */
    struct vclock clock;
    struct store *store;
    struct simserver server;
    struct scene scene;
    struct laws *laws;
    struct quota *quota;
    struct api_set *set;
    const struct object *config;

    struct memory memory;
    struct controller *controller;
    char identity[32];
    uint32_t instance;
    bool crash_armed, crash_due, stop_due;
    int64_t storm_until;   /* mono: everything is throttled before */
    int64_t down_until;    /* mono: no controller before */
    int64_t renew_started; /* mono: when the last renewal that went well was begun; -1 = it does not lead */
    int64_t calm_at;       /* mono: no faults and no whims after that */
    bool bringing;         /* users bring work */
    uint32_t arrived;
    bool calmed, ended;
    bool ending;     /* the controller is taken down: what it says of its decisions is not heard */
    int64_t over_at; /* mono: when all work was over; 0 = not yet */
};

/* A law is broken; only the first counts. */
void life_broken(struct life *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void life_say(struct life *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void life_fault(struct life *l, enum fault f);
uint32_t life_below(struct life *l, uint32_t n);
int64_t life_between(struct life *l, int64_t least_ns, int64_t most_ns);
bool life_calm(const struct life *l);

/* Status True of a condition? */
bool life_condition(const struct val *object, const char *type);

#endif
