#include "jobs/equal.h"

#include <string.h>

static bool is_true(const struct wl_view *wl, enum cond_type type)
{
    return wl->status->cond[type].status == STATUS_TRUE;
}

static bool same_pods(const struct job_pod_view *a, const struct job_pod_view *b)
{
    return a->count == b->count && a->min_count == b->min_count &&
           canon_digest_equal(a->containers, b->containers);
}

bool job_pods_equal(const struct job_pod_view *a, uint32_t na, const struct job_pod_view *b, uint32_t nb,
                    bool tolerations)
{
    for (uint32_t i = 0; na == nb && i < na; i++) {
        if (!same_pods(&a[i], &b[i]) || (tolerations && strcmp(a[i].tolerations, b[i].tolerations) != 0))
            return false;
    }
    return na == nb;
}

/* An admission only appends tolerations. What it appends is not known here; a list that begins with the Workload's own is taken for
 * the outcome. It matters only while quota is reserved and checks are pending, when nothing may run anyway. */
static bool may_be_injected(const char *job, const char *wl)
{
    size_t n = strlen(wl);
    return strncmp(job, wl, n) == 0 && (!n || !job[n] || job[n] == ',');
}

/* The pod sets as they are when the job runs with this admission. */
static bool runs_like(const struct job_view *job, const struct wl_view *wl, bool tolerations)
{
    for (uint32_t i = 0; i < wl->npods; i++) {
        struct job_pod_view expected = wl->pods[i];
        if (expected.min_count >= 0)
            expected.count = wl->admitted_counts[i];
        if (!same_pods(&job->pods[i], &expected) ||
            (tolerations && !may_be_injected(job->pods[i].tolerations, expected.tolerations)))
            return false;
    }
    return true;
}

static bool has_assignments(const struct wl_view *wl)
{
    for (uint32_t i = 0; i < wl->npods; i++) {
        if (wl->admitted_counts[i] < 0)
            return false;
    }
    return true;
}

static bool describes(const struct job_view *job, const struct wl_view *wl)
{
    bool admitted = is_true(wl, COND_ADMITTED), held = job_view_held(job);
    if (is_true(wl, COND_QUOTA_RESERVED) && has_assignments(wl)) {
        if (job->npods == wl->npods && (!held || admitted) && runs_like(job, wl, !admitted))
            return true;
        if (!held)
            return false;
    }
    return job_pods_equal(job->pods, job->npods, wl->pods, wl->npods, !admitted);
}

bool job_equivalent(const struct job_view *job, const struct wl_view *wl, const struct gates *gates)
{
    const struct job_owner *o = &wl->owner;
    if (strcmp(o->name, job->name) != 0 || strcmp(o->kind, job->kind->kind) != 0 ||
        strcmp(o->group, job->kind->group) != 0)
        return false;
    if (gate_named(gates, "FinishOrphanedWorkloads") && strcmp(o->uid, job->uid) != 0)
        return false;
    return wl->max_exec_s == job->max_exec_s && describes(job, wl);
}

bool job_differs(const struct job_view *job, const struct wl_view *wl)
{
    if (job->npods != wl->npods)
        return false; /* nothing can be restored */
    for (uint32_t i = 0; i < job->npods; i++) {
        const struct job_pod_view *a = &job->pods[i], *b = &wl->pods[i];
        if (!canon_digest_equal(a->injected, b->injected) || (b->min_count >= 0 && a->count != b->count))
            return true;
    }
    return false;
}
