/* One look at a job: which writes bring it and its Workload together (around.md 2). Pure: the answer is a list of actions as data,
 * in the order in which they are to be done. Nobody is asked, nothing is written.
 *
 * The life of one batch Job "train" in the namespace "ml" with the label queue-name, whoever drives it:
 *
 *   The Job appears, suspended.   job_view_of(doc) is kept, the document is dropped. job_reconcile, without Workloads:
 *                                   CREATE_WORKLOAD job-train-1a2b3, EVENT CreatedWorkload.
 *                                 The driver reads the Job, job_workload() makes the document, POST. AlreadyExists: look again.
 *   The Workload appears.         wl_view_of(doc) is kept. Nothing to do (`waiting` says for what); the engine gives it quota, the
 *                                 lifecycle admits it, in its struct status.
 *   Admitted=True.                START, EVENT Started. The driver reads Job and Workload, job_start_patch() renders the merge
 *                                 patch with the resourceVersion it read. 409: look again. ERR_STATE: it can never start:
 *                                 job_failed_to_start() makes the FINISH action.
 *   Pods run.                     SET_PODS_READY (only with waitForPodsReady), SET_RECLAIMABLE: changes of the Workload's status.
 *   Evicted=True.                 STOP_SUSPEND, STOP_CLEAR, STOP_RESTORE (a JobSet: STOP_SUSPEND alone, which restores too), EVENT
 *                                 Stopped; nothing more while pods are active.
 *   ... its pods are gone.        RELEASE: the quota is given back: job_action_status() does it on the struct status.
 *   It ran to its end.            FINISH (Succeeded, the Job's message), EVENT FinishedWorkload; later REMOVE_FINALIZER.
 *   The Job is deleted.           FINISH (OwnerNotFound), REMOVE_FINALIZER for each Workload that it owned; Kubernetes collects them.
 *
 * After a plan was carried out, or a step of it failed, the job is looked at again when an event tells of the change; every
 * action is left out when it is done already, so to look once too often costs nothing. */
#ifndef SLUICE_JOBS_RECONCILE_H
#define SLUICE_JOBS_RECONCILE_H

#include "jobs/place.h"
#include "jobs/workload.h"

/* ---- what is known ------------------------------------------------------------------------------------------------------ */

/* From the Configuration, the same for all jobs. Borrowed. */
struct job_rules {
    struct job_context making; /* gates, priority classes, labels to copy */
    bool manage_without_queue; /* manageJobsWithoutQueueName */
    bool pods_ready;           /* waitForPodsReady is on */
    bool has_retention;        /* objectRetentionPolicies.workloads.afterDeactivatedByKueue */
    int64_t retention_ns;
};

/* All that one look sees. Borrowed. */
struct job_sight {
    const char *ns, *name; /* of the job, also when it is gone */
    const struct job_kind *kind;
    const struct job_view *job; /* NULL = gone */
    const struct wl_view *const
        *wls; /* all that it owns (a controller reference of its kind and name), by name */
    uint32_t nwls;
    const struct wl_view
        *prebuilt;          /* the Workload that job->prebuilt names; NULL = no such Workload, or no name */
    bool namespace_matches; /* the namespace is there and managedJobsNamespaceSelector takes it */
    struct job_ancestry ancestry;
    const struct wl_view *ancestor_workload; /* the newest unfinished of the ancestor; NULL = none */
};

/* ---- what to do --------------------------------------------------------------------------------------------------------- */

enum job_act {
    /* requests about the Workload */
    JOB_CREATE_WORKLOAD, /* name; the document: job_workload() */
    JOB_UPDATE_WORKLOAD, /* wl: its spec (but `active`) becomes that of job_workload(): job_update_workload_patch() */
    JOB_DELETE_WORKLOAD,  /* wl: finalizer away, then deleted (precondition: its uid) */
    JOB_ADOPT_WORKLOAD,   /* wl: controller reference and label job-uid: job_adopt_patch() */
    JOB_SET_PRIORITY,     /* wl: class and priority become those of job_workload(): job_priority_patch() */
    JOB_SET_QUEUE,        /* wl: spec.queueName = text: job_queue_patch() */
    JOB_SET_GATED_BY,     /* wl: annotation admission-gated-by = text ("" = away): job_gated_patch() */
    JOB_REMOVE_FINALIZER, /* wl */
    /* changes of the Workload's status: job_action_status() makes all but SET_RECLAIMABLE on a struct status, the caller writes it */
    JOB_FINISH,          /* wl: Finished=True reason, message */
    JOB_SET_PODS_READY,  /* wl: PodsReady = on, reason, message */
    JOB_SET_RECLAIMABLE, /* wl: status.reclaimablePods = counts (npods of them, 0 = not listed) */
    JOB_RELEASE,         /* wl: admission away, QuotaReserved=False, Requeued */
    /* requests about the job; all but DELETE_JOB and SUSPEND_CHILD need its whole document */
    JOB_START,         /* wl: job_start_patch() */
    JOB_STOP_SUSPEND,  /* wl or NULL: job_stop_patch(); reason, message */
    JOB_STOP_CLEAR,    /* the status subresource */
    JOB_STOP_RESTORE,  /* wl or NULL */
    JOB_SUSPEND_CHILD, /* suspend = true and no more */
    JOB_DELETE_JOB,    /* background propagation, precondition: its uid */
    /* of the job */
    JOB_EVENT, /* on = Warning, else Normal; reason, message */
};

struct job_action {
    enum job_act act;
    const struct wl_view *wl;
    const char *name; /* of the Workload to be made */
    const char *reason, *message, *text;
    bool on;
    bool
        lazy; /* SET_PODS_READY: nobody waits for it, it may go with the next write of the Workload's status */
    bool
        repeats; /* EVENT: in every plan while it lasts; to be sent when the last of its reason said something else */
    const int32_t *counts;
};

/* In the arena that was given; texts are static, there, or borrowed from the sight. */
struct job_plan {
    const struct job_action *actions;
    uint32_t n;
    when_ns again; /* look again then; WHEN_NONE = when something changes */
    const char
        *waiting; /* what it waits for, in words; "" = for nothing: something is being done, or it is over */
    bool ignored; /* the job is none of ours: `waiting` says why */
    bool
        retry; /* what is wrong may pass by itself: look again after a while (backoff); `waiting` says what it is */
};

/* The ordered decision list of 2.1. It ends at the first change that later steps would have to see. ERR_NOMEM. */
MUST_USE int job_reconcile(const struct job_rules *rules, const struct job_sight *sight, when_ns now,
                           struct arena *a, struct job_plan *ret, struct err *err);

/* ---- carrying it out ---------------------------------------------------------------------------------------------------- */

/* Which documents the action needs. */
enum job_needs { JOB_NEEDS_NOTHING = 0, JOB_NEEDS_JOB = 1, JOB_NEEDS_WORKLOAD = 2 };
unsigned job_action_needs(const struct job_action *action);

/* Does FINISH, SET_PODS_READY or RELEASE on the record; ERR_STATE for other actions, ERR_NOMEM. */
MUST_USE int job_action_status(const struct job_action *action, const struct job_rules *rules,
                               struct status *s, when_ns now, int64_t generation, struct err *err);

/* The action in place of a START that can never succeed: Finished, reason FailedToStart. `message` is borrowed. */
struct job_action job_failed_to_start(const struct job_action *start, const char *message);

const char *job_act_name(enum job_act act); /* "START" */

#endif
