/* Who else lives in the cluster: the controller of Jobs, whoever runs Workloads that no job owns, the controller of an admission check, and
 * the garbage collector. Each sees a change at once and acts a while later on what is then. */
#include "simulated/life_priv.h"

#include <stdlib.h>
#include <string.h>

/* One Job, or one Workload without a job. */
struct work {
    struct life *l;
    struct entry *e;
    const char *uid;
    bool due;     /* a look is under way */
    bool running; /* a Workload without a job: its run has begun */
    uint32_t run; /* grows with each start and stop: what was planned before does not count */
    uint32_t starts;
    int64_t run_ns, ready_ns;
    uint32_t dull; /* so many starts at which it never becomes ready */
    bool fails, over;
};

/* Something planned for a run. */
struct plan {
    struct work *w;
    uint32_t run;
};

static const struct resource *jobs(void)
{
    return resource_of_kind("Job");
}

static const struct resource *workloads(void)
{
    return resource_of_kind("Workload");
}

const struct val *model_condition(struct life *l, const struct val *conditions, const char *type, bool status,
                                  const char *reason)
{
    struct arena *a = &l->store->a;
    const struct val *c = val_format(a,
                                     "{\"type\":\"%s\",\"status\":\"%s\",\"reason\":\"%s\",\"message\":\"\","
                                     "\"lastTransitionTime\":\"%s\"}",
                                     type, status ? "True" : "False", reason, store_time(l->store));
    const struct val *out = val_list();
    bool found = false;
    for (uint32_t i = 0; conditions && i < conditions->n; i++) {
        const struct val *old = conditions->m[i].v;
        bool same = strcmp(val_text(old, "type", ""), type) == 0;
        found = found || same;
        out = val_push(a, out, same ? c : old);
    }
    return found ? out : val_push(a, out, c);
}

/* The object as it is now; NULL when it is gone or another. */
static const struct val *now_of(const struct work *w)
{
    const struct version *v = w->e->newest;
    return v->deleted || strcmp(val_text(v->object, "metadata.uid", ""), w->uid) != 0 ? NULL : v->object;
}

static void write_status(struct work *w, const char *actor, const struct val *status)
{
    struct arena *a = &w->l->store->a;
    rest_patch(w->l->store, actor, w->e->resource, w->e->ns, w->e->name, "status",
               val_with(a, val_map(), "status", status));
}

static void plan(struct work *w, int64_t wait_ns, void (*fn)(void *plan))
{
    struct plan *p = val_alloc(&w->l->store->a, sizeof(*p));
    *p = (struct plan){w, w->run};
    vclock_after(&w->l->clock, wait_ns, fn, p);
}

static struct work *work_of(struct life *l, const struct version *v)
{
    struct work *w = v->entry->data;
    const char *uid = val_text(v->object, "metadata.uid", "");
    if (w && strcmp(w->uid, uid) == 0)
        return w;
    const struct val *notes = val_path(v->object, "metadata.annotations");
    const char *run = val_get(notes, "sim/run-ms") ? val_get(notes, "sim/run-ms")->text : "1000";
    const char *ready = val_get(notes, "sim/ready-ms") ? val_get(notes, "sim/ready-ms")->text : "100";
    w = val_alloc(&l->store->a, sizeof(*w));
    *w = (struct work){.l = l, .e = v->entry, .uid = uid};
    w->run_ns = strtoll(run, NULL, 10) * NS_PER_MS;
    w->ready_ns = strtoll(ready, NULL, 10) * NS_PER_MS;
    w->dull = val_get(notes, "sim/dull") != NULL;
    w->fails = val_get(notes, "sim/fails") != NULL;
    v->entry->data = w;
    return w;
}

/* ---- Jobs --------------------------------------------------------------------------------------------------------------- */

static bool job_finished(const struct val *job)
{
    return life_condition(job, "Complete") || life_condition(job, "Failed");
}

static const struct val *job_status(struct work *w, int64_t active, int64_t ready, int64_t succeeded)
{
    return val_format(&w->l->store->a,
                      "{\"active\":%lld,\"ready\":%lld,\"succeeded\":%lld,\"terminating\":0}",
                      (long long)active, (long long)ready, (long long)succeeded);
}

static const struct val *planned_job(const struct plan *p)
{
    const struct val *job = now_of(p->w);
    return job && p->run == p->w->run && !job_finished(job) && !val_true(job, "spec.suspend") ? job : NULL;
}

static void job_end(void *arg)
{
    struct plan *p = arg;
    struct work *w = p->w;
    struct arena *a = &w->l->store->a;
    const struct val *job = planned_job(p);
    if (!job)
        return;
    int64_t pods = val_number(job, "spec.parallelism", 1);
    const struct val *list = val_path(job, "status.conditions");
    list = model_condition(w->l, list, w->fails ? "FailureTarget" : "SuccessCriteriaMet", true,
                           "CompletionsReached");
    list = model_condition(w->l, list, w->fails ? "Failed" : "Complete", true,
                           w->fails ? "BackoffLimitExceeded" : "CompletionsReached");
    const struct val *status = job_status(w, 0, 0, w->fails ? 0 : val_number(job, "spec.completions", pods));
    status = val_with(a, status, "conditions", list);
    if (!w->fails)
        status = val_with(a, status, "completionTime", val_str(a, store_time(w->l->store)));
    write_status(w, "job-controller", status);
}

/* One of several pods is done: its quota can be had. */
static void job_part(void *arg)
{
    struct plan *p = arg;
    const struct val *job = planned_job(p);
    int64_t pods = job ? val_number(job, "spec.parallelism", 1) : 0;
    if (pods > 1)
        write_status(p->w, "job-controller", job_status(p->w, pods - 1, pods - 1, 1));
}

static void job_ready(void *arg)
{
    struct plan *p = arg;
    struct work *w = p->w;
    const struct val *job = planned_job(p);
    if (!job)
        return;
    int64_t pods = val_number(job, "spec.parallelism", 1);
    write_status(w, "job-controller", job_status(w, pods, pods, 0));
    if (pods > 1 && life_below(w->l, 3) == 0)
        plan(w, w->run_ns / 2, job_part);
    plan(w, w->run_ns, job_end);
}

static void job_start(struct work *w, const struct val *job)
{
    struct arena *a = &w->l->store->a;
    const struct val *list = val_path(job, "status.conditions");
    int64_t pods = val_number(job, "spec.parallelism", 1);
    w->run++;
    w->starts++;
    w->l->r->starts++;
    const struct val *status = job_status(w, pods, 0, 0);
    status = val_with(a, status, "startTime", val_str(a, store_time(w->l->store)));
    if (val_find(list, "type", "Suspended"))
        status =
            val_with(a, status, "conditions", model_condition(w->l, list, "Suspended", false, "JobResumed"));
    write_status(w, "job-controller", status);
    if (w->starts > w->dull || !w->l->scene.wait)
        plan(w, w->ready_ns, job_ready);
}

static void job_stop(struct work *w, const struct val *job)
{
    struct arena *a = &w->l->store->a;
    const struct val *list = val_path(job, "status.conditions");
    w->run++;
    if (life_condition(job, "Suspended") && !val_path(job, "status.startTime"))
        return;
    const struct val *status = job_status(w, 0, 0, 0);
    status = val_with(a, status, "startTime", val_format(a, "null"));
    status =
        val_with(a, status, "conditions", model_condition(w->l, list, "Suspended", true, "JobSuspended"));
    write_status(w, "job-controller", status);
}

static void job_look(void *arg)
{
    struct work *w = arg;
    const struct val *job = now_of(w);
    w->due = false;
    if (!job || job_finished(job) || val_path(job, "metadata.deletionTimestamp"))
        return;
    if (val_true(job, "spec.suspend"))
        job_stop(w, job);
    else if (!val_path(job, "status.startTime"))
        job_start(w, job);
}

/* ---- Workloads without a job -------------------------------------------------------------------------------------------- */

static bool is_bare(const struct val *wl)
{
    return !val_path(wl, "metadata.ownerReferences");
}

static const struct val *planned_bare(const struct plan *p)
{
    const struct val *wl = now_of(p->w);
    return wl && p->run == p->w->run && life_condition(wl, "Admitted") && !life_condition(wl, "Evicted") &&
                   !life_condition(wl, "Finished")
               ? wl
               : NULL;
}

static void bare_set(struct work *w, const struct val *wl, const char *type, const char *reason)
{
    const struct val *list = model_condition(w->l, val_path(wl, "status.conditions"), type, true, reason);
    write_status(w, "user", val_with(&w->l->store->a, val_map(), "conditions", list));
}

static void bare_end(void *arg)
{
    struct plan *p = arg;
    const struct val *wl = planned_bare(p);
    if (wl)
        bare_set(p->w, wl, "Finished", "Succeeded");
}

static void bare_ready(void *arg)
{
    struct plan *p = arg;
    const struct val *wl = planned_bare(p);
    if (wl && p->w->l->scene.wait)
        bare_set(p->w, wl, "PodsReady", "Started");
}

/* As a job's side does (engine.md 10.3): the quota goes back when nothing runs any more. */
static void bare_release(struct work *w, const struct val *wl)
{
    struct life *l = w->l;
    struct arena *a = &l->store->a;
    const struct val *list = val_path(wl, "status.conditions"), *evicted = val_find(list, "type", "Evicted");
    const char *reason = val_text(evicted, "reason", "Preempted");
    w->run++;
    w->running = false;
    list = model_condition(l, list, "Requeued", strcmp(reason, "Preempted") == 0, reason);
    list = model_condition(l, list, "QuotaReserved", false, "PendingEvaluation");
    list = model_condition(l, list, "Admitted", false, "NoReservation");
    if (val_find(list, "type", "PodsReady"))
        list = model_condition(l, list, "PodsReady", false, "WaitForStart");
    const struct val *status = val_with(a, val_map(), "conditions", list);
    write_status(w, "user", val_with(a, status, "admission", val_format(a, "null")));
}

static void bare_look(void *arg)
{
    struct work *w = arg;
    const struct val *wl = now_of(w);
    w->due = false;
    if (!wl || life_condition(wl, "Finished") || val_path(wl, "metadata.deletionTimestamp"))
        return;
    bool evicted = life_condition(wl, "Evicted");
    if (evicted && life_condition(wl, "QuotaReserved")) {
        bare_release(w, wl);
    } else if (!evicted && life_condition(wl, "Admitted") && !w->running) {
        w->running = true;
        w->run++;
        w->starts++;
        plan(w, w->ready_ns, bare_ready);
        plan(w, w->ready_ns + w->run_ns, bare_end);
    }
}

/* ---- the admission check ------------------------------------------------------------------------------------------------ */

static const char *check_answer(struct life *l)
{
    uint32_t n = life_calm(l) ? 99 : life_below(l, 40);
    return n == 0 ? "Rejected" : n < 4 ? "Retry" : "Ready";
}

static void check_look(void *arg)
{
    struct work *w = arg;
    struct life *l = w->l;
    struct arena *a = &l->store->a;
    const struct val *wl = now_of(w), *list = wl ? val_path(wl, "status.admissionChecks") : NULL,
                     *out = val_list();
    if (!list || !life_condition(wl, "QuotaReserved") || life_condition(wl, "Evicted") ||
        life_condition(wl, "Finished"))
        return;
    bool changed = false;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct val *c = list->m[i].v;
        if (strcmp(val_text(c, "state", ""), "Pending") == 0) {
            c = val_with(a, c, "state", val_str(a, check_answer(l)));
            c = val_with(a, c, "lastTransitionTime", val_str(a, store_time(l->store)));
            changed = true;
        }
        out = val_push(a, out, c);
    }
    if (changed)
        write_status(w, "checks", val_with(a, val_map(), "admissionChecks", out));
}

static bool has_pending_check(const struct val *wl)
{
    const struct val *list = val_path(wl, "status.admissionChecks");
    return val_find(list, "state", "Pending") && life_condition(wl, "QuotaReserved");
}

/* ---- garbage ------------------------------------------------------------------------------------------------------------ */

static bool owner_exists(struct life *l, const struct val *wl)
{
    const struct val *owners = val_path(wl, "metadata.ownerReferences");
    const char *ns = val_text(wl, "metadata.namespace", "");
    for (uint32_t i = 0; owners && i < owners->n; i++) {
        const struct val *o = owners->m[i].v;
        struct entry *e = store_find(l->store, jobs(), ns, val_text(o, "name", ""));
        if (e && strcmp(val_text(e->newest->object, "metadata.uid", ""), val_text(o, "uid", "")) == 0)
            return true;
    }
    return !owners || owners->n == 0;
}

static void collect_one(void *arg)
{
    struct work *w = arg;
    const struct val *wl = now_of(w);
    if (wl && !owner_exists(w->l, wl))
        rest_delete(w->l->store, "garbage-collector", workloads(), w->e->ns, w->e->name);
}

static void collect_all(void *arg)
{
    struct life *l = arg;
    struct entry *next;
    for (struct entry *e = store_first(l->store, workloads()); e; e = next) {
        next = store_next(e);
        if (!e->newest->deleted && !owner_exists(l, e->newest->object))
            rest_delete(l->store, "garbage-collector", workloads(), e->ns, e->name);
    }
}

/* ---- what is over goes -------------------------------------------------------------------------------------------------- */

/* After a while, as with ttlSecondsAfterFinished; most of it. */
static void clear_away(void *arg)
{
    struct work *w = arg;
    if (now_of(w))
        rest_delete(w->l->store, "ttl", w->e->resource, w->e->ns, w->e->name);
}

static void clear_later(struct work *w)
{
    if (w->over)
        return;
    w->over = true;
    if (life_below(w->l, 4))
        vclock_after(&w->l->clock, life_between(w->l, 10 * NS_PER_S, 60 * NS_PER_S), clear_away, w);
}

/* ---- what they see ------------------------------------------------------------------------------------------------------ */

static void look_later(struct work *w, void (*look)(void *w))
{
    if (w->due)
        return;
    w->due = true;
    vclock_after(&w->l->clock, life_between(w->l, 5 * NS_PER_MS, 300 * NS_PER_MS), look, w);
}

static void on_job(struct work *w, const struct version *v)
{
    if (job_finished(v->object))
        clear_later(w);
    else
        look_later(w, job_look);
}

static void on_workload(struct life *l, const struct version *v)
{
    struct work *w = work_of(l, v);
    if (is_bare(v->object)) {
        look_later(w, bare_look);
        if (life_condition(v->object, "Finished"))
            clear_later(w);
    } else if (!v->older || v->older->deleted)
        vclock_after(&l->clock, life_between(l, NS_PER_S / 10, NS_PER_S), collect_one, w);
    if (has_pending_check(v->object))
        vclock_after(&l->clock, life_between(l, NS_PER_S / 10, 3 * NS_PER_S), check_look, w);
}

static void on_change(void *arg, const struct version *v)
{
    struct life *l = arg;
    const struct resource *r = v->entry->resource;
    if (r == jobs() && v->deleted)
        vclock_after(&l->clock, life_between(l, NS_PER_S / 20, NS_PER_S), collect_all, l);
    else if (r == jobs())
        on_job(work_of(l, v), v);
    else if (r == workloads() && !v->deleted)
        on_workload(l, v);
}

void model_start(struct life *l)
{
    store_hook(l->store, on_change, l);
}
