#include "core/pending.h"

#include "base/mem.h"

#include <string.h>

RB_GENERATE(wl_tree, wl, order, wl_compare)

void pending_init(struct pending *p, enum queueing_strategy s)
{
    memset(p, 0, sizeof *p);
    RB_INIT(&p->active);
    RB_INIT(&p->inadmissible);
    p->flush_mark = -1;
    p->strategy = s;
}

void pending_free(struct pending *p)
{
    mem_free(p->parked);
    p->parked = NULL;
    p->nparked = p->cap_parked = 0;
}

bool pending_backoff_expired(const struct wl *w, when_ns now)
{
    if (w->marks.requeued_false)
        return false;
    return w->marks.requeue_at == WHEN_NONE || now >= w->marks.requeue_at;
}

bool wl_scan_unfinished(const struct wl *w)
{
    if (!w->scan.present)
        return false;
    for (uint32_t i = 0; i < w->npod_sets; i++)
        for (uint32_t k = 0; k < w->pod_sets[i].nslots; k++)
            if (w->tried[w->pod_sets[i].first + k] != -1)
                return true;
    return false;
}

/* ---- buckets ---------------------------------------------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ (h >> 31);
}

/* A Workload is its record as long as the world lives, and addresses of records do not change: cheaper than its name. An unfinished
 * scan counts among the active only. */
static uint64_t state_of(const struct wl *w, enum bucket bucket)
{
    uint64_t h = mixed((uint64_t)(uintptr_t)w, (uint64_t)bucket);
    if (bucket == BUCKET_ACTIVE && wl_scan_unfinished(w))
        for (uint32_t i = 0; i < w->npod_sets; i++)
            for (uint32_t k = 0; k < w->pod_sets[i].nslots; k++)
                h = mixed(h, (uint64_t)(int64_t)w->tried[w->pod_sets[i].first + k]);
    return mixed(h, 1);
}

static void put_active(struct pending *p, struct wl *w)
{
    w->state = state_of(w, BUCKET_ACTIVE);
    p->state += w->state;
    RB_INSERT(wl_tree, &p->active, w);
    p->nactive++;
    w->bucket = BUCKET_ACTIVE;
}

static void put_inadmissible(struct pending *p, struct wl *w)
{
    w->state = state_of(w, BUCKET_INADMISSIBLE);
    p->state += w->state;
    RB_INSERT(wl_tree, &p->inadmissible, w);
    p->ninadmissible++;
    w->bucket = BUCKET_INADMISSIBLE;
}

void pending_lift(struct pending *p, struct wl *w)
{
    switch (w->bucket) {
    case BUCKET_ACTIVE:
        RB_REMOVE(wl_tree, &p->active, w);
        p->nactive--;
        p->state -= w->state;
        break;
    case BUCKET_INADMISSIBLE:
        RB_REMOVE(wl_tree, &p->inadmissible, w);
        p->ninadmissible--;
        p->state -= w->state;
        break;
    case BUCKET_INFLIGHT:
        p->inflight = NULL;
        break;
    case BUCKET_NONE:
        break;
    }
    w->bucket = BUCKET_NONE;
}

static const struct parked *find_parked(const struct pending *p, const struct wl *w)
{
    for (uint32_t i = 0; i < p->nparked; i++)
        if (p->parked[i].class[0] == w->class[0] && p->parked[i].class[1] == w->class[1])
            return &p->parked[i];
    return NULL;
}

void pending_place(struct pending *p, struct wl *w, enum bucket was, bool changed, when_ns now)
{
    bool parked = p->strategy == STRATEGY_BEST_EFFORT_FIFO && find_parked(p, w);
    if (was == BUCKET_INFLIGHT) {
        p->inflight = w;
        w->bucket = BUCKET_INFLIGHT;
    } else if (was == BUCKET_INADMISSIBLE && !changed) {
        put_inadmissible(p, w);
    } else if (was != BUCKET_ACTIVE && (!pending_backoff_expired(w, now) || parked)) {
        put_inadmissible(p, w);
    } else {
        put_active(p, w);
    }
}

void pending_delete(struct pending *p, struct wl *w)
{
    pending_lift(p, w);
    if (p->marked == w)
        p->marked = NULL;
    w->sticky = false;
}

struct wl *pending_pop(struct pending *p)
{
    p->pop_count++;
    struct wl *w = RB_MIN(wl_tree, &p->active);
    if (!w)
        return NULL;
    pending_lift(p, w);
    w->evaluated = w->generation;
    w->bucket = BUCKET_INFLIGHT;
    p->inflight = w;
    return w;
}

bool pending_is_preemptor(const struct pending *p, const struct wl *w)
{
    return p->marked == w && p->marked_generation == w->generation;
}

/* ---- requeue (4.6) ------------------------------------------------------------------------------------------------------------ */

/* Stickiness is part of the order, so a Workload that loses it is taken out and put back. */
static void mark_preemptor(struct pending *p, struct wl *w)
{
    struct wl *old = p->marked;
    p->marked = w;
    p->marked_generation = w->evaluated;
    bool sticky = p->strategy == STRATEGY_BEST_EFFORT_FIFO;
    if (old && old != w && old->sticky) {
        enum bucket was = old->bucket;
        pending_lift(p, old);
        old->sticky = false;
        if (was == BUCKET_ACTIVE)
            put_active(p, old);
        else if (was == BUCKET_INADMISSIBLE)
            put_inadmissible(p, old);
    }
    w->sticky = sticky;
}

static bool is_immediate(const struct pending *p, enum requeue_reason r)
{
    if (p->strategy == STRATEGY_STRICT_FIFO)
        return r != REQUEUE_NAMESPACE_MISMATCH;
    return r == REQUEUE_FAILED_AFTER_NOMINATION || r == REQUEUE_PENDING_PREEMPTION ||
           r == REQUEUE_PENDING_MIGRATION || r == REQUEUE_PREEMPTION_FAILED;
}

int pending_reserve(struct pending *p)
{
    return mem_grow((void **)&p->parked, &p->cap_parked, p->nparked + 1, sizeof *p->parked);
}

/* Equivalents have equal priorities, so without admission fair sharing and but for the sticky Workload they stand together: 320,000
 * pending on 1,000 queues are passed over in 10 ms instead of 24 (2026-11-24). */
static bool is_by_priority(struct pending *p)
{
    const struct wl *first = RB_MIN(wl_tree, &p->active), *last = RB_MAX(wl_tree, &p->active);
    return first && !first->sticky && first->afs_usage == 0 && last->afs_usage == 0;
}

/* The first Workload of that priority or a lower one. */
static struct wl *first_of_priority(struct pending *p, const struct wl *w)
{
    struct wl least = {
        .priority = w->priority, .boost = w->boost, .queue_time = INT64_MIN, .uid = "", .key = (char *)""};
    return RB_NFIND(wl_tree, &p->active, &least);
}

static void park_equivalents(struct pending *p, const struct wl *w, enum wait_reason reason)
{
    struct parked *known = (struct parked *)find_parked(p, w);
    if (!known) {
        if (pending_reserve(p))
            return;
        known = &p->parked[p->nparked++];
        memcpy(known->class, w->class, sizeof known->class);
    }
    known->reason = reason == WAIT_NONE ? WAIT_PENDING_EVALUATION : reason;
    struct wl *next;
    bool together = is_by_priority(p);
    for (struct wl *x = together ? first_of_priority(p, w) : RB_MIN(wl_tree, &p->active); x; x = next) {
        next = RB_NEXT(wl_tree, &p->active, x);
        if (x->class[0] == w->class[0] && x->class[1] == w->class[1]) {
            pending_lift(p, x);
            put_inadmissible(p, x);
        } else if (together && wl_priority(x) != wl_priority(w)) {
            break;
        }
    }
}

bool pending_requeue(struct pending *p, struct wl *w, struct requeue r, when_ns now)
{
    enum bucket was = w->bucket;
    pending_lift(p, w);
    if (r.reason == REQUEUE_PENDING_PREEMPTION || r.reason == REQUEUE_PENDING_MIGRATION)
        mark_preemptor(p, w);
    bool back = is_immediate(p, r.reason) || p->flush_mark >= p->pop_count || wl_scan_unfinished(w);
    if (back && pending_backoff_expired(w, now)) {
        put_active(p, w);
        return was != BUCKET_ACTIVE;
    }
    if (was == BUCKET_ACTIVE || was == BUCKET_INADMISSIBLE) {
        if (was == BUCKET_ACTIVE)
            put_active(p, w);
        else
            put_inadmissible(p, w);
        return false;
    }
    put_inadmissible(p, w);
    bool failed = r.reason == REQUEUE_NO_FIT || r.reason == REQUEUE_PREEMPTION_NO_CANDIDATES;
    if (r.equivalence && failed && p->strategy == STRATEGY_BEST_EFFORT_FIFO)
        park_equivalents(p, w, r.wait);
    return true;
}

/* All of the inadmissible list, into an active list that is empty: the order is the same, so the tree is taken as it is. A trace with
 * thousands waiting spent half its time on moving them one by one (2026-11-24). */
static uint32_t flush_whole(struct pending *p)
{
    uint32_t moved = p->ninadmissible;
    struct wl *w;
    RB_FOREACH (w, wl_tree, &p->inadmissible) {
        p->state -= w->state;
        w->bucket = BUCKET_ACTIVE;
        w->state = state_of(w, BUCKET_ACTIVE);
        p->state += w->state;
    }
    p->active = p->inadmissible;
    p->nactive = moved;
    RB_INIT(&p->inadmissible);
    p->ninadmissible = 0;
    return moved;
}

uint32_t pending_flush(struct pending *p, bool (*may_return)(const struct wl *w, void *arg), void *arg,
                       when_ns now)
{
    p->flush_mark = p->pop_count;
    p->nparked = 0;
    uint32_t moved = 0;
    struct wl *next, *x;
    bool all = RB_EMPTY(&p->active);
    for (x = RB_MIN(wl_tree, &p->inadmissible); x && all; x = RB_NEXT(wl_tree, &p->inadmissible, x))
        all = pending_backoff_expired(x, now) && may_return(x, arg);
    if (all)
        return flush_whole(p);
    for (struct wl *w = RB_MIN(wl_tree, &p->inadmissible); w; w = next) {
        next = RB_NEXT(wl_tree, &p->inadmissible, w);
        if (!pending_backoff_expired(w, now) || !may_return(w, arg))
            continue;
        pending_lift(p, w);
        put_active(p, w);
        moved++;
    }
    return moved;
}

bool pending_parked_reason(const struct pending *p, const struct wl *w, enum wait_reason *ret)
{
    const struct parked *known = w->bucket == BUCKET_INADMISSIBLE ? find_parked(p, w) : NULL;
    if (known)
        *ret = known->reason;
    return known != NULL;
}

/* ---- texts -------------------------------------------------------------------------------------------------------------------- */

const char *requeue_reason_text(enum requeue_reason r)
{
    static const char *const text[] = {
        "",
        "FailedAfterNomination",
        "NamespaceMismatch",
        "PreemptionGated",
        "PendingPreemption",
        "PendingMigration",
        "PreemptionFailed",
        "NoFit",
        "PreemptionNoCandidates",
    };
    return text[r];
}

const char *wait_reason_text(enum wait_reason r)
{
    static const char *const text[] = {
        "",
        "NoMatchingFlavor",
        "ExceedsMaxQuota",
        "WaitingForQuota",
        "TopologyPlacementFailed",
        "WaitingForPreemptedWorkloads",
        "WaitingForPodsReady",
        "AdmissionGated",
        "PendingEvaluation",
        "Suspended",
        "Misconfigured",
    };
    return text[r];
}
