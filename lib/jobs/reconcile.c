#include "jobs/reconcile.h"

#include "jobs/equal.h"
#include "jobs/name.h"

#include "api/make.h"
#include "api/priority.h"

#include <setjmp.h>
#include <string.h>

#define KUEUE_GROUP "kueue.x-k8s.io"

/* A plan being made. A function that gives a bool says whether the plan ends here. */
struct planning {
    const struct job_rules *rules;
    const struct job_sight *in;
    const struct job_view *job;
    struct arena *arena;
    when_ns now;
    struct job_action *actions;
    uint32_t cap;
    struct job_plan plan;
};

static struct job_action *add(struct planning *p, enum job_act act, const struct wl_view *wl)
{
    if (p->plan.n == p->cap) {
        struct job_action *more = ARENA_NEW(p->arena, struct job_action, p->cap * 2 + 8);
        if (p->plan.n)
            memcpy(more, p->actions, p->plan.n * sizeof(*more));
        p->actions = more;
        p->cap = p->cap * 2 + 8;
    }
    struct job_action *a = &p->actions[p->plan.n++];
    *a = (struct job_action){.act = act, .wl = wl, .name = "", .reason = "", .message = "", .text = ""};
    return a;
}

static struct job_action *event(struct planning *p, const char *reason, const char *message)
{
    struct job_action *a = add(p, JOB_EVENT, NULL);
    a->reason = reason;
    a->message = message;
    return a;
}

/* An event about a Workload: "text: ns/name". */
static void event_of(struct planning *p, const char *reason, const char *text, const char *name)
{
    event(p, reason, make_format(p->arena, "%s: %s/%s", text, p->in->ns, name));
}

static bool wait_for(struct planning *p, const char *what)
{
    p->plan.waiting = what;
    return true;
}

static bool ignore(struct planning *p, const char *why)
{
    p->plan.ignored = true;
    return wait_for(p, why);
}

static bool retry(struct planning *p, const char *why)
{
    p->plan.retry = true;
    return wait_for(p, why);
}

static bool gate(const struct planning *p, const char *name)
{
    return gate_named(p->rules->making.gates, name);
}

static const struct cond *cond_of(const struct wl_view *wl, enum cond_type type)
{
    return &wl->status->cond[type];
}

static bool is_true(const struct wl_view *wl, enum cond_type type)
{
    return cond_of(wl, type)->status == STATUS_TRUE;
}

static void finish(struct planning *p, const struct wl_view *wl, const char *reason, const char *message)
{
    struct job_action *a = add(p, JOB_FINISH, wl);
    a->reason = reason;
    a->message = message;
}

static void event_finished(struct planning *p, const struct wl_view *wl)
{
    event(p, "FinishedWorkload",
          make_format(p->arena, "Workload '%s/%s' is declared finished", wl->ns, wl->name));
}

/* ---- stopping (2.1, end; 1.2.2) ----------------------------------------------------------------------------------------- */

static void stop_step(struct planning *p, enum job_act act, const struct wl_view *wl, const char *reason,
                      const char *message)
{
    struct job_action *a = add(p, act, wl);
    a->reason = reason;
    a->message = message;
}

/* What is left of a stop: nothing at all when the job stands still and looks as it did. `wl` may be NULL: then no template is
 * restored. */
static void stop(struct planning *p, const struct wl_view *wl, const char *reason, const char *message)
{
    const struct job_view *job = p->job;
    bool steps = job->kind->stopping != NULL;
    if (!job->suspended)
        stop_step(p, JOB_STOP_SUSPEND, wl, reason, message);
    if (steps && job->has_start_time)
        stop_step(p, JOB_STOP_CLEAR, wl, reason, message);
    if (steps && (!job->suspended || job->stopping || (wl && job_differs(job, wl))))
        stop_step(p, JOB_STOP_RESTORE, wl, reason, message);
    if (!job->suspended)
        event(p, "Stopped", message);
}

/* ---- a job that is gone (2.6) ------------------------------------------------------------------------------------------- */

static void finalize(struct planning *p)
{
    bool finishes = gate(p, "FinishOrphanedWorkloads");
    for (uint32_t i = 0; i < p->in->nwls; i++) {
        const struct wl_view *wl = p->in->wls[i];
        if (finishes && !wl->deleting && *wl->owner.kind && !is_true(wl, COND_FINISHED))
            finish(p, wl, "OwnerNotFound", "The workload's owner no longer exists");
        if (wl->has_finalizer)
            add(p, JOB_REMOVE_FINALIZER, wl);
    }
}

/* ---- is it ours (2.1.1-2.1.4) ------------------------------------------------------------------------------------------- */

static bool unclear(struct planning *p, enum job_place place)
{
    if (place == JOB_ORPHANED)
        return retry(p, "one of its owners is not found");
    if (place == JOB_CYCLE)
        return retry(p, "its owners own each other");
    struct job_action *a = event(
        p, "JobNestingTooDeep",
        make_format(p->arena, "Terminated search for ancestor Job because the nesting exceeds %d levels",
                    JOB_PLACE_MAX_HOPS));
    a->on = true;
    a->repeats = true;
    return retry(p, "too many owners stand above it");
}

/* A child never has a Workload: it runs while its ancestor's is admitted. */
static bool child(struct planning *p)
{
    const struct wl_view *above = p->in->ancestor_workload;
    if (p->job->finished || job_view_held(p->job) || (above && is_true(above, COND_ADMITTED)))
        return wait_for(p, "its owner answers for it");
    if (!p->job->suspended) {
        add(p, JOB_SUSPEND_CHILD, NULL);
        event(p, "Suspended", "Kueue managed child job suspended");
    }
    return true;
}

static bool not_ours(struct planning *p)
{
    const struct job_ancestry *up = &p->in->ancestry;
    if (!p->in->namespace_matches)
        return ignore(p, "its namespace is not managed");
    if (up->place != JOB_TOP && up->place != JOB_CHILD)
        return unclear(p, up->place);
    if (!p->rules->manage_without_queue && !*p->job->queue && (up->place == JOB_TOP || !*up->ancestor_queue))
        return ignore(p, "it asks for no queue");
    if (up->place == JOB_CHILD)
        return child(p);
    return false;
}

/* ---- its one Workload (2.2) --------------------------------------------------------------------------------------------- */

static const char prebuilt_missing[] = "its prebuilt Workload is not there, or is not its own";

/* The job's own, NULL when there is none that it may use. */
static bool prebuilt(struct planning *p, const struct wl_view **ret)
{
    const struct wl_view *wl = p->in->prebuilt;
    *ret = NULL;
    if (!wl || (*wl->owner.kind && strcmp(wl->owner.uid, p->job->uid) != 0))
        return false;
    if (!*wl->owner.kind) {
        add(p, JOB_ADOPT_WORKLOAD, wl);
        return true;
    }
    if (job_equivalent(p->job, wl, p->rules->making.gates)) {
        *ret = wl;
        return false;
    }
    if (is_true(wl, COND_FINISHED))
        return false;
    finish(p, wl, "OutOfSync", "The prebuilt workload is out of sync with its user job");
    return true;
}

static void stop_unmatched(struct planning *p, const struct wl_view *stale, uint32_t nstale)
{
    if (nstale == 1)
        stop(p, stale, "NoMatchingWorkload",
             "No matching Workload; restoring pod templates according to existent Workload");
    else
        stop(p, NULL, "NoMatchingWorkload", "Missing Workload; unable to restore pod templates");
}

/* The first that describes the job; how many do not, and the first of these. */
static const struct wl_view *find_match(const struct planning *p, const struct wl_view **ret_stale,
                                        uint32_t *ret_nstale)
{
    const struct wl_view *match = NULL;
    *ret_stale = NULL;
    *ret_nstale = 0;
    for (uint32_t i = 0; i < p->in->nwls; i++) {
        const struct wl_view *wl = p->in->wls[i];
        if (!match && job_equivalent(p->job, wl, p->rules->making.gates)) {
            match = wl;
            continue;
        }
        if ((*ret_nstale)++ == 0)
            *ret_stale = wl;
    }
    return match;
}

/* All but `match` and `kept`. */
static bool delete_others(struct planning *p, const struct wl_view *match, const struct wl_view *kept)
{
    bool any = false;
    for (uint32_t i = 0; i < p->in->nwls; i++) {
        const struct wl_view *wl = p->in->wls[i];
        if (wl == match || wl == kept || (wl->deleting && !wl->has_finalizer))
            continue;
        add(p, JOB_DELETE_WORKLOAD, wl);
        event_of(p, "DeletedWorkload", "Deleted not matching Workload", wl->name);
        any = true;
    }
    return any;
}

static bool own(struct planning *p, const struct wl_view **ret)
{
    const struct wl_view *stale, *updated = NULL;
    uint32_t nstale;
    const struct wl_view *match = find_match(p, &stale, &nstale);
    *ret = match;
    if (!match && nstale && job_view_held(p->job) && !is_true(stale, COND_QUOTA_RESERVED) && !stale->deleting)
        updated = stale;
    if (!match && !job_view_held(p->job) && !p->job->finished)
        stop_unmatched(p, stale, nstale);
    if (delete_others(p, match, updated)) /* one look more, when they are gone */
        return true;
    if (!updated)
        return false;
    add(p, JOB_UPDATE_WORKLOAD, updated);
    event_of(p, "UpdatedWorkload", "Updated not matching Workload for suspended job", updated->name);
    return true;
}

/* The class that the label names is there; "" needs none. */
static bool class_exists(const struct planning *p)
{
    const char *name = p->job->priority_class;
    const struct job_context *making = &p->rules->making;
    return !*name || priority_find(making->workload_classes, making->nworkload_classes, name);
}

static bool class_missing(struct planning *p)
{
    struct job_action *a =
        event(p, "WorkloadPriorityClassNotFound",
              make_format(p->arena, "WorkloadPriorityClass \"%.253s\" not found", p->job->priority_class));
    a->on = true;
    a->repeats = true;
    return retry(p, "its WorkloadPriorityClass is not there");
}

/* Who reserved quota without a class gets none, and who has one keeps one; a class of pods is not ours to change. */
static bool sync_priority(struct planning *p, const struct wl_view *wl)
{
    bool none = !*wl->class_name, ours = strcmp(wl->class_group, KUEUE_GROUP) == 0;
    if (strcmp(wl->class_name, p->job->priority_class) == 0 || (!none && !ours) ||
        ((none || !*p->job->priority_class) && is_true(wl, COND_QUOTA_RESERVED)))
        return false;
    if (!class_exists(p))
        return class_missing(p);
    add(p, JOB_SET_PRIORITY, wl);
    event_of(p, "UpdatedWorkload", "Updated workload priority class", wl->name);
    return true;
}

static bool sync_spec(struct planning *p, const struct wl_view *wl)
{
    if (is_true(wl, COND_FINISHED) || wl->deleting)
        return false;
    if (gate(p, "AdmissionGatedBy") && strcmp(wl->gated_by, p->job->gated_by) != 0) {
        add(p, JOB_SET_GATED_BY, wl)->text = p->job->gated_by;
        return true;
    }
    return sync_priority(p, wl);
}

static bool ensure_one(struct planning *p, const struct wl_view **ret)
{
    bool ends = *p->job->prebuilt ? prebuilt(p, ret) : own(p, ret);
    return ends || (*ret && !*p->job->prebuilt && sync_spec(p, *ret));
}

/* ---- creation (2.3) ----------------------------------------------------------------------------------------------------- */

static bool create(struct planning *p)
{
    const struct job_view *job = p->job;
    if (*job->prebuilt) {
        stop(p, NULL, "NoMatchingWorkload", "missing workload");
        return retry(p, prebuilt_missing);
    }
    if (job->active)
        return wait_for(p, "its pods are to end before it gets a Workload");
    if (!class_exists(p))
        return class_missing(p);
    struct job_action *a = add(p, JOB_CREATE_WORKLOAD, NULL);
    a->name = job_name(p->arena, job->kind->group, job->kind->kind, job->name, job->uid, "",
                       gate(p, "ShortWorkloadNames") ? JOB_NAME_SHORT_MAX : JOB_NAME_MAX);
    event_of(p, "CreatedWorkload", "Created Workload", a->name);
    return true;
}

/* ---- what the Workload's status says of the job (2.1.12, 2.4) ----------------------------------------------------------- */

static bool reclaim(struct planning *p, const struct wl_view *wl)
{
    bool differs = false;
    int32_t *counts = ARENA_NEW(p->arena, int32_t, wl->npods + 1);
    if (!gate_on(p->rules->making.gates, GATE_RECLAIMABLE_PODS) || wl->npods != p->job->npods)
        return false;
    for (uint32_t i = 0; i < wl->npods; i++) {
        int32_t n = p->job->pods[i].reclaimable;
        counts[i] = n > wl->pods[i].count ? wl->pods[i].count : n;
        differs = differs || counts[i] != wl->pods[i].reclaimable;
    }
    if (differs)
        add(p, JOB_SET_RECLAIMABLE, wl)->counts = counts;
    return differs;
}

static bool ready(struct planning *p, const struct wl_view *wl)
{
    const struct cond *before = cond_of(wl, COND_PODS_READY);
    const char *was = before->status == STATUS_ABSENT ? "" : before->reason;
    bool recovering = strcmp(was, "WaitForRecovery") == 0, admitted = is_true(wl, COND_ADMITTED);
    struct job_action a = {
        .act = JOB_SET_PODS_READY, .wl = wl, .name = "", .text = "", .reason = "WaitForStart"};
    a.message = "Not all pods are ready or succeeded";
    if (!p->rules->pods_ready)
        return false;
    if (admitted && p->job->pods_ready) {
        a.on = true;
        a.reason = recovering || strcmp(was, "Recovered") == 0 ? "Recovered" : "Started";
        a.message = "All pods reached readiness and the workload is running";
    } else if (admitted && (before->status == STATUS_TRUE || recovering)) {
        a.reason = "WaitForRecovery";
        a.message = "At least one pod has failed, waiting for recovery";
    }
    if (before->status == (a.on ? STATUS_TRUE : STATUS_FALSE) && strcmp(was, a.reason) == 0)
        return false;
    a.lazy = !admitted && before->status != STATUS_TRUE;
    *add(p, a.act, wl) = a;
    return true;
}

/* ---- evicted (2.1.14) --------------------------------------------------------------------------------------------------- */

static void retain(struct planning *p, const struct wl_view *wl)
{
    static const char by_us[] = "DeactivatedDueTo";
    const struct cond *evicted = cond_of(wl, COND_EVICTED);
    if (!p->rules->has_retention || wl->active || strncmp(evicted->reason, by_us, strlen(by_us)) != 0)
        return;
    when_ns until = i64_add(evicted->since, p->rules->retention_ns);
    if (until > p->now) {
        p->plan.again = until;
        return;
    }
    add(p, JOB_DELETE_JOB, wl);
    event(p, "Deleted", "Deleted job: deactivation retention period expired");
}

static bool evicted(struct planning *p, const struct wl_view *wl)
{
    const char *message = cond_of(wl, COND_EVICTED)->message;
    if (!is_true(wl, COND_EVICTED))
        return false;
    stop(p, wl, "WorkloadEvicted", message);
    if (is_true(wl, COND_QUOTA_RESERVED)) {
        if (!p->job->active)
            add(p, JOB_RELEASE, wl);
        else
            p->plan.waiting = "its pods are to end before its quota is free";
    }
    retain(p, wl);
    return true;
}

/* ---- waiting and running (2.1.15, 2.1.16) ------------------------------------------------------------------------------- */

static bool start(struct planning *p, const struct wl_view *wl)
{
    if (wl->has_topology)
        return wait_for(p, "its admission assigns a topology, which is not supported");
    if (wl->elastic)
        return wait_for(p, "its Workload is a slice of an elastic job, which is not supported");
    if (!*wl->cluster_queue)
        return wait_for(p, "its admission is to be seen in its Workload");
    add(p, JOB_START, wl);
    event(p, "Started", make_format(p->arena, "Admitted by clusterQueue %s", wl->cluster_queue));
    return true;
}

static void event_checks(struct planning *p, const struct wl_view *wl)
{
    const char *text = "";
    for (uint32_t i = 0; i < wl->status->nchecks; i++) {
        const struct status_check *c = &wl->status->checks[i];
        if (c->state == CHECK_PENDING && *c->message)
            text = make_format(p->arena, "%s%s%s: %s", text, *text ? "; " : "", c->name, c->message);
    }
    if (*text)
        event(p, "UpdatedAdmissionCheck", text)->repeats = true;
}

static bool held(struct planning *p, const struct wl_view *wl)
{
    if (!job_view_held(p->job))
        return false;
    if (is_true(wl, COND_ADMITTED))
        return start(p, wl);
    p->plan.waiting = "its Workload is to be admitted";
    if (is_true(wl, COND_QUOTA_RESERVED)) {
        event_checks(p, wl);
        return wait_for(p, "its Workload's admission checks are to be ready");
    }
    if (strcmp(wl->queue, p->job->queue) != 0)
        add(p, JOB_SET_QUEUE, wl)->text = p->job->queue;
    return true;
}

static void running(struct planning *p, const struct wl_view *wl)
{
    if (!is_true(wl, COND_ADMITTED))
        stop(p, wl, "NotAdmitted", "Not admitted by cluster queue");
    else if (p->job->suspended) /* a stop that is not through; it starts when it is */
        stop(p, wl, "WorkloadEvicted", "");
}

/* ---- what we do not deal with ------------------------------------------------------------------------------------------- */

/* It is not started, but another controller may have: quota that its Workloads hold is given back all the same. */
static bool refused(struct planning *p)
{
    if (!*p->job->refused)
        return false;
    for (uint32_t i = 0; i < p->in->nwls; i++) {
        const struct wl_view *wl = p->in->wls[i];
        if (is_true(wl, COND_FINISHED) && wl->has_finalizer)
            add(p, JOB_REMOVE_FINALIZER, wl);
        else if (p->job->finished && !is_true(wl, COND_FINISHED))
            finish(p, wl, p->job->success ? "Succeeded" : "Failed", p->job->finish_message);
        else if (!p->plan.n)
            evicted(p, wl);
    }
    if (!p->job->finished) {
        struct job_action *a = event(p, "Unsupported", make_format(p->arena, "%s", p->job->refused));
        a->on = true;
        a->repeats = true;
    }
    return ignore(p, p->job->refused);
}

/* ---- the list ----------------------------------------------------------------------------------------------------------- */

/* Steps 7 to 10. */
static bool over(struct planning *p, const struct wl_view *wl)
{
    if (wl && is_true(wl, COND_FINISHED)) {
        if (wl->has_finalizer) {
            event_finished(p, wl);
            add(p, JOB_REMOVE_FINALIZER, wl);
        }
        return true;
    }
    if (wl && wl->deleting) {
        stop(p, wl, "WorkloadDeleted", "Workload is deleted");
        if (wl->has_finalizer)
            add(p, JOB_REMOVE_FINALIZER, wl);
        return true;
    }
    if (wl && p->job->finished) {
        finish(p, wl, p->job->success ? "Succeeded" : "Failed", p->job->finish_message);
        event_finished(p, wl);
    }
    return p->job->finished;
}

static void list(struct planning *p)
{
    const struct wl_view *wl = NULL;
    if (!p->job || p->job->deleting) {
        finalize(p);
        return;
    }
    if (not_ours(p) || refused(p) || ensure_one(p, &wl) || over(p, wl))
        return;
    if (!wl)
        create(p);
    else if (!reclaim(p, wl) && !ready(p, wl) && !evicted(p, wl) && !held(p, wl))
        running(p, wl);
}

int job_reconcile(const struct job_rules *rules, const struct job_sight *sight, when_ns now, struct arena *a,
                  struct job_plan *ret, struct err *err)
{
    jmp_buf bail;
    jmp_buf *const saved = a->bail;
    struct planning p = {.rules = rules, .in = sight, .job = sight->job, .arena = a, .now = now};
    p.plan = (struct job_plan){.again = WHEN_NONE, .waiting = ""};
    a->bail = &bail;
    if (setjmp(bail) != 0) {
        a->bail = saved;
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    list(&p);
    a->bail = saved;
    p.plan.actions = p.actions;
    *ret = p.plan;
    return 0;
}
