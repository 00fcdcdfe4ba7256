/* A trace of jobs against queues, in virtual time: jobs arrive when they were submitted, world_cycle decides, admitted ones run for as long as
 * they ran. The rules of time are those of sim/sim.h; of a job only what decisions need is kept, and only while it waits or runs, so that
 * months pass in a second. Same input, same result.
 *
 * A job that is evicted starts over, or from its last checkpoint. Pods are ready startup_ns after the admission. By waitForPodsReady of the
 * Configuration (engine.md 10.5) nobody else is admitted until then, or a start that takes longer is given up, tried again after growing
 * waits, and at last left. */
#ifndef SLUICE_SIM_REPLAY_H
#define SLUICE_SIM_REPLAY_H

#include "api/set.h"
#include "core/cycle.h"
#include "core/loans.h"
#include "sim/jobs_reader.h"
#include "sim/mapping.h"
#include "sim/series.h"
#include "sim/tally.h"

struct replay_options {
    struct window window; /* what is measured: jobs submitted in it, use and loans while it lasts */
    int64_t
        warmup_ns; /* jobs submitted earlier than that before the window are passed over; < 0 = none are */
    int64_t checkpoint_ns; /* 0 = there are no checkpoints */
    int64_t startup_ns;    /* what each start costs before the job runs: until its pods are ready */
    int64_t stop_ns;       /* how long an evicted job keeps its quota */
    /* More at one time are called an endless loop, and so are that many evictions in a row during which nothing arrives or ends; 0 = 100,000. */
    uint32_t cycles_at_once;
    uint32_t bins; /* how many a series of a queue has at most (sim/series.h); 0 = there are no series */
    bool skip_impossible;      /* leave out jobs larger than their queue may ever have */
    bool every_search;         /* also searches for victims that can find none: for tests */
    bool every_cycle;          /* also those cycles that can only repeat the one before: for tests */
    const struct mapping *map; /* borrowed */
};

/* Results of a ClusterQueue, a tenant, a class of sizes, or the whole. Amounts are units of the resource (mapping_units a GPU) times
 * nanoseconds within the window. */
struct replay_group {
    char *name;    /* owned */
    uint64_t jobs; /* submitted in the window; so are all that follow here */
    uint64_t started, finished, over_minute;
    struct tally wait; /* from submission to the first start */
    struct tally late; /* from submission to the end, less the run time: waits, restarts, work done twice */
    when_ns first_submit, last_finish; /* WHEN_NONE = none */
    amount nominal;                    /* quota; 0 for tenants and sizes */
    wide used;                         /* held, as the accounts of the engine have it */
    wide job_used;                     /* the same as the sum over jobs */
    wide idle_waiting;                 /* quota not used while a job of the group waited */
    int64_t waiting_ns;                /* how long one waited */
    wide lost;                         /* run, and then thrown away by an eviction */
    uint64_t evictions;                /* by preemption, suffered */
    uint64_t timeouts;                 /* starts given up because pods did not become ready in time */
    wide borrowed, lent, overdraft;
    wide
        share_error; /* how far what a queue held was from its fair share (sim/fair_share.h); 0 for tenants and sizes */
    struct series series; /* of queues and of the whole, with `bins`; all of a result have the same bins */
    struct tally
        reclaim; /* from a job's need of its own queue's quota to its admission, where it had to wait for it */
};

struct replay_loan {
    enum loan_kind kind;
    const char *lender, *borrower; /* lender "" for the two accounts; owned by the result */
    wide amount;
};

enum { REPLAY_SIZES = 8 }; /* GPUs: 1, 2, 4, 8, 16, 32, 64, more: up to so many */

struct replay_result {
    struct replay_group total, *queues, *tenants, sizes[REPLAY_SIZES];
    uint32_t nqueues, ntenants; /* by name */
    struct replay_loan *loans;
    uint32_t nloans; /* by borrower, kind, lender */
    uint64_t arrived, ended, waiting, running,
        left; /* of all jobs, not only those measured: arrived = the sum of the others; left: deactivated, too many starts were given up */
    uint64_t no_gpu, rounded,
        impossible; /* left out: asks for no GPU, larger than ever possible; requests rounded up to a unit */
    uint64_t cycles, skipped_cycles, decisions, evictions, admissions;
    when_ns began, ended_at;
    wide borrowed_by_use; /* use above quota, to be the sum of the loans */
};

/* What happens, for a journal. Texts are borrowed for the call. */
enum replay_event {
    REPLAY_ARRIVED,
    REPLAY_ADMITTED,
    REPLAY_WAITS,
    REPLAY_EVICTED,
    REPLAY_RELEASED,
    REPLAY_READY,
    REPLAY_TIMED_OUT, /* evicted, for its pods were not ready in time */
    REPLAY_LEFT,      /* the same once too often: it is deactivated */
    REPLAY_BACK,      /* its wait after that is over */
    REPLAY_FINISHED
};

struct replay_note {
    enum replay_event event;
    const struct wl *wl; /* as the world has it: of RELEASED and FINISHED, still with what it holds */
    when_ns at;
    const char *job, *queue;         /* ClusterQueue, "" = none */
    const struct decision *decision; /* of ADMITTED, WAITS and EVICTED */
    enum preempt_reason reason;      /* of EVICTED */
    const char *by;                  /* of EVICTED: the job that takes its place */
    const struct cycle *cycle;       /* of EVICTED, and its place among the evicted */
    uint32_t evicted;
    when_ns since; /* of ADMITTED: since when it waited */
    int64_t units;
};

typedef void replay_note_fn(void *arg, const struct replay_note *n);

/* What became of loans at one time (core/loans.h). */
typedef void replay_loans_fn(void *arg, const struct loan_event *events, uint32_t n);

struct replay;

/* `objects` are borrowed for this call only. ERR_NOMEM; ERR_NOTFOUND when no queue has the resource; ERR_INVALID when every start would be
 * given up for ever. */
MUST_USE int replay_new(const struct api_set *objects, const struct replay_options *options,
                        struct replay **ret, struct err *err);
void replay_free(struct replay *r);
void replay_watch(struct replay *r, replay_note_fn *fn, void *arg);
void replay_watch_loans(struct replay *r, replay_loans_fn *fn, void *arg);
/* Runs the trace until all jobs of the window have ended or nothing moves any more. ERR_NOTFOUND when a tenant has no queue, ERR_NOMEM,
 * errors of the reader, ERR_STATE when cycles do not come to rest. Once only. */
MUST_USE int replay_run(struct replay *r, struct jobs_reader *jobs, struct err *err);
when_ns replay_now(const struct replay *r); /* of the last event; 0 before the first */
const struct replay_result *replay_result(const struct replay *r);
struct world *replay_world(const struct replay *r);
/* The laws of conservation; ERR_STATE and which one is broken. */
MUST_USE int replay_check(const struct replay *r, struct err *err);

#endif
