/* What may happen to a world that has settled. Objects are chosen by number, so that the same dice tell the same story. */
#include "core/world_priv.h"
#include "random/facts.h"
#include "random/life_priv.h"

#include <string.h>

/* ---- Workloads ------------------------------------------------------------------------------------------------------------------ */

/* One of the Workloads that the engine knows, PLAN_NO if there is none near the number rolled. */
static int some_workload(struct life *l, bool held)
{
    int n = l->p.nworkloads, first = n ? (int)dice_below(&l->d, (uint32_t)n) : 0;
    for (int k = 0; k < n; k++) {
        const struct record *r = &l->recs[(first + k) % n];
        if (r->alive && r->wl && !r->finished && (!held || r->wl->cq != NONE))
            return (first + k) % n;
    }
    return PLAN_NO;
}

static bool put(struct life *l, int i)
{
    return life_put(l, l->w, i, &l->recs[i].wl);
}

static bool arrive(struct life *l)
{
    int n = 1 + (int)dice_below(&l->d, 3);
    while (n-- > 0) {
        int i = plan_roll_workload(&l->p, &l->d, l->now + n * NS_PER_MS);
        if (i == PLAN_NO)
            return true;
        l->recs[i].alive = true;
        if (!put(l, i))
            return false;
    }
    return true;
}

static bool finish(struct life *l)
{
    int i = some_workload(l, true);
    if (i == PLAN_NO)
        return true;
    struct record *r = &l->recs[i];
    int rc = life_set(l, i, COND_FINISHED, STATUS_TRUE, "Succeeded");
    r->finished = true;
    life_sync(l, i);
    if (dice_one_in(&l->d, 2)) {
        world_del_workload(l->w, r->wl, l->now);
        r->wl = NULL;
        r->alive = false;
    }
    return life_took(l, rc, "status");
}

static bool delete_workload(struct life *l)
{
    int i = some_workload(l, false);
    if (i == PLAN_NO)
        return true;
    world_del_workload(l->w, l->recs[i].wl, l->now);
    l->recs[i].wl = NULL;
    l->recs[i].alive = false;
    return true;
}

/* Priority, queue, reclaimable pods, or nothing at all. */
static bool update(struct life *l)
{
    int i = some_workload(l, dice_one_in(&l->d, 2));
    if (i == PLAN_NO)
        return true;
    struct record *r = &l->recs[i];
    struct plan_workload *w = &l->p.workloads[i];
    uint32_t k;
    int lq;
    switch (dice_below(&l->d, 4)) {
    case 0:
        w->priority = (int32_t)dice_below(&l->d, 5) * 10;
        r->generation++;
        break;
    case 1: /* to another queue of the same namespace */
        lq = (int)dice_below(&l->d, (uint32_t)l->p.nlqs);
        if (l->p.lqs[lq].ns == l->p.lqs[w->lq].ns && r->wl->cq == NONE) {
            w->lq = lq;
            r->generation++;
        }
        break;
    case 2:
        k = dice_below(&l->d, (uint32_t)w->npod_sets);
        if (r->wl->cq != NONE && r->reclaimable[k] < w->pod_sets[k].count)
            r->reclaimable[k]++;
        break;
    default:
        break;
    }
    return put(l, i);
}

static bool deactivate(struct life *l)
{
    int i = some_workload(l, false), rc = 0;
    if (i == PLAN_NO)
        return true;
    struct record *r = &l->recs[i];
    r->inactive = !r->inactive;
    r->generation++;
    bool held = r->wl->marks.reserved;
    if (!put(l, i))
        return false;
    if (r->inactive && held) {
        rc = status_evict(&r->st, "Deactivated", "", "The workload is deactivated", l->now, r->generation);
        if (!rc)
            rc = status_release(&r->st, false, true, false, l->now, r->generation);
    } else if (!r->inactive && r->st.cond[COND_REQUEUED].status == STATUS_FALSE) {
        rc = life_set(l, i, COND_REQUEUED, STATUS_TRUE, "Reactivated");
    }
    life_sync(l, i);
    return life_took(l, rc, "status");
}

/* A check asks for a retry, pods do not come up: evictions that no cycle decided. */
static bool evict(struct life *l)
{
    static const char *const reasons[] = {"PodsReadyTimeout", "AdmissionCheck", "NodeFailures"};
    int i = some_workload(l, true);
    if (i == PLAN_NO || !life_is_released(l, i))
        return true;
    const char *reason = reasons[dice_below(&l->d, 3)];
    int rc = status_evict(&l->recs[i].st, reason, "", "", l->now, l->recs[i].generation);
    if (!rc && dice_one_in(&l->d, 4)) { /* with a backoff */
        l->recs[i].st.requeue_at = l->now + 5 * NS_PER_S;
        l->recs[i].st.requeue_count++;
    }
    life_sync(l, i);
    return life_took(l, rc, "status");
}

static bool pods_ready(struct life *l)
{
    int i = some_workload(l, true);
    if (i == PLAN_NO)
        return true;
    struct record *r = &l->recs[i];
    enum cond_status s = r->wl->marks.pods_ready ? STATUS_FALSE : STATUS_TRUE;
    int rc = life_set(l, i, COND_PODS_READY, s, "Changed");
    life_sync(l, i);
    return life_took(l, rc, "status");
}

/* Backoffs that are over bring their Workloads back. */
static bool pass_time(struct life *l)
{
    l->now += (1 + (int64_t)dice_below(&l->d, 10)) * NS_PER_S;
    for (int i = 0; i < l->p.nworkloads; i++) {
        struct record *r = &l->recs[i];
        if (!r->wl || r->finished || r->st.requeue_at == WHEN_NONE || r->st.requeue_at > l->now)
            continue;
        int rc = 0;
        r->st.requeue_at = WHEN_NONE;
        if (r->st.cond[COND_REQUEUED].status == STATUS_FALSE)
            rc = life_set(l, i, COND_REQUEUED, STATUS_TRUE, "BackoffFinished");
        life_sync(l, i);
        if (!life_took(l, rc, "status"))
            return false;
    }
    return true;
}

/* ---- queues ---------------------------------------------------------------------------------------------------------------------- */

void life_drain(struct life *l, int cq)
{
    for (int i = 0; i < l->p.nworkloads; i++) {
        struct record *r = &l->recs[i];
        if (!r->wl || r->wl->cq == NONE || r->wl->cq != world_cq_find(l->w, plan_cq_names[cq]) ||
            !life_is_released(l, i))
            continue;
        if (!life_took(l, status_evict(&r->st, "ClusterQueueStopped", "", "", l->now, r->generation),
                       "status"))
            return;
        life_sync(l, i);
    }
}

/* A queue that runs again takes back what its stop had sent away. */
static void restart(struct life *l)
{
    for (int i = 0; i < l->p.nworkloads; i++) {
        struct record *r = &l->recs[i];
        if (!r->wl || r->finished || r->st.cond[COND_REQUEUED].status != STATUS_FALSE ||
            r->st.requeue_at != WHEN_NONE)
            continue;
        if (!life_took(l, life_set(l, i, COND_REQUEUED, STATUS_TRUE, "ClusterQueueRestarted"), "status"))
            return;
        life_sync(l, i);
    }
}

static bool change_queue(struct life *l)
{
    int i = (int)dice_below(&l->d, (uint32_t)l->p.ncqs);
    struct plan_cq *cq = &l->p.cqs[i];
    switch (dice_below(&l->d, 6)) {
    case 0:
    case 1:
        for (int g = 0; g < cq->ngroups; g++)
            plan_roll_quotas(&l->p, &l->d, &cq->groups[g], false);
        break;
    case 2:
        plan_roll_policies(cq, &l->d);
        break;
    case 3:
        cq->cohort = (int)dice_below(&l->d, (uint32_t)l->p.ncohorts + 1) - 1;
        break;
    case 4:
        cq->exists = !cq->exists;
        break;
    default:
        cq->stop = cq->stop == STOP_NONE ? (enum stop_policy)dice_below(&l->d, 3) : STOP_NONE;
        break;
    }
    cq->generation++;
    plan_tidy(&l->p);
    if (!life_took(l, facts_put_cq(l->w, &l->p, i, l->now), "ClusterQueue"))
        return false;
    if (cq->exists && cq->stop == STOP_HOLD_AND_DRAIN)
        life_drain(l, i);
    if (cq->exists && cq->stop == STOP_NONE)
        restart(l);
    return l->r->ok;
}

static bool change_cohort(struct life *l)
{
    if (!l->p.ncohorts)
        return true;
    int i = (int)dice_below(&l->d, (uint32_t)l->p.ncohorts);
    struct plan_cohort *c = &l->p.cohorts[i];
    switch (dice_below(&l->d, 4)) {
    case 0:
        c->object = !c->object;
        if (!c->object) {
            c->parent = PLAN_NO;
            c->quotas = false;
            c->weight = 0;
        }
        break;
    case 1: /* may close a cycle */
        c->object = true;
        c->parent = (int)dice_below(&l->d, (uint32_t)l->p.ncohorts + 1) - 1;
        break;
    default:
        c->object = true;
        c->quotas = dice_one_in(&l->d, 2);
        plan_roll_quotas(&l->p, &l->d, &c->group, true);
        break;
    }
    plan_tidy(&l->p);
    return life_took(l, facts_put_cohort(l->w, &l->p, i), "Cohort");
}

static bool change_local_queue(struct life *l)
{
    int i = (int)dice_below(&l->d, (uint32_t)l->p.nlqs);
    struct plan_lq *q = &l->p.lqs[i];
    switch (dice_below(&l->d, 3)) {
    case 0:
        q->exists = !q->exists;
        break;
    case 1:
        q->stop = q->stop == STOP_NONE ? STOP_HOLD : STOP_NONE;
        break;
    default:
        q->cq = (int)dice_below(&l->d, (uint32_t)l->p.ncqs);
        break;
    }
    return life_took(l, facts_put_lq(l->w, &l->p, i, l->now), "LocalQueue");
}

static bool change_flavor(struct life *l)
{
    int i = (int)dice_below(&l->d, (uint32_t)l->p.nflavors);
    struct plan_flavor *f = &l->p.flavors[i];
    bool *what[] = {&f->exists, &f->labelled, &f->tainted};
    bool *b = what[dice_below(&l->d, 3)];
    *b = !*b;
    return life_took(l, facts_put_flavor(l->w, &l->p, i), "ResourceFlavor");
}

static bool change_namespace(struct life *l)
{
    int i = (int)dice_below(&l->d, PLAN_NAMESPACES);
    l->p.ns_labelled[i] = !l->p.ns_labelled[i];
    return life_took(l, facts_put_namespace(l->w, &l->p, i), "Namespace");
}

static bool release_some(struct life *l)
{
    (void)life_release(l, dice_one_in(&l->d, 2));
    return l->r->ok;
}

static bool flush(struct life *l)
{
    (void)world_flush(l->w, l->now);
    return true;
}

bool life_event(struct life *l)
{
    static bool (*const events[])(struct life *) = {
        arrive,        arrive,           arrive,          finish,        finish,        finish,
        release_some,  release_some,     release_some,    flush,         flush,         pass_time,
        change_queue,  change_queue,     change_queue,    change_cohort, change_cohort, update,
        update,        deactivate,       delete_workload, evict,         pods_ready,    change_local_queue,
        change_flavor, change_namespace,
    };
    return events[dice_below(&l->d, sizeof events / sizeof events[0])](l);
}
