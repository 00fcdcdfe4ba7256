#include "random/life_priv.h"

#include "base/mem.h"
#include "core/reason.h"
#include "core/world_priv.h"
#include "random/facts.h"
#include "random/invariants.h"

#include <stdio.h>
#include <string.h>

bool life_fail(struct life *l, const char *fmt, ...)
{
    char text[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (l->r->ok) {
        str_addf(&l->r->why, "step %u, cycle %u: %s", l->r->steps, l->r->cycles, text);
        l->r->ok = false;
    }
    return false;
}

bool life_took(struct life *l, int rc, const char *what)
{
    return rc ? life_fail(l, "%s: %s", what, err_name(rc)) : true;
}

bool life_check(struct life *l, const char *when)
{
    struct str why;
    str_init(&why, 0);
    bool ok = invariants_of_world(l->w, l->now, &why) && invariants_of_loans(l->w, &why);
    if (!ok)
        life_fail(l, "%s: %s", when, str_text(&why));
    str_free(&why);
    return ok;
}

/* ---- Workloads ------------------------------------------------------------------------------------------------------------------ */

int life_set(struct life *l, int i, enum cond_type type, enum cond_status status, const char *reason)
{
    bool changed;
    return status_set(&l->recs[i].st, type, status, reason, "", l->now, l->recs[i].generation, &changed);
}

void life_sync(struct life *l, int i)
{
    struct record *r = &l->recs[i];
    struct marks m = r->wl->marks;
    marks_update(&m, &r->st);
    world_put_marks(l->w, r->wl, &m, l->now);
}

static void add_conditions(const struct status *st, struct facts_workload *f)
{
    f->f.nconditions = 0;
    for (int t = 0; t < COND_TYPES; t++) {
        const struct cond *c = &st->cond[t];
        if (c->status != STATUS_ABSENT)
            f->conds[f->f.nconditions++] = (struct fact_condition){
                (enum cond_type)t, c->status, c->reason, c->message, c->since, c->generation};
    }
    f->f.requeue_at = st->requeue_at;
    f->f.requeue_count = st->requeue_count;
}

static int64_t units(const char *resource, amount v)
{
    return resource_is_cpu(resource) ? v / 1000 : v;
}

/* What the live world says it holds. */
static void add_admission(const struct world *w, const struct wl *wl, struct facts_workload *f)
{
    uint32_t n = wl->npod_sets < f->f.npod_sets ? wl->npod_sets : f->f.npod_sets;
    for (uint32_t i = 0; i < n; i++) {
        struct fact_assignment *a = &f->assignments[i];
        const struct pod_set *ps = &wl->pod_sets[i];
        *a = (struct fact_assignment){
            .pod_set = f->ps[i].name, .flavors = f->flavors[i], .usage = f->usage[i], .count = ps->assigned};
        for (uint32_t k = 0; k < ps->nslots; k++) {
            const struct slot *s = &wl->slots[ps->first + k];
            if (s->fr == NONE)
                continue;
            const char *res = names_text(w->names, s->res);
            f->flavors[i][a->nflavors++] = (struct fact_flavor_ref){res, world_pair(w, s->fr).flavor};
            f->usage[i][a->nusage++] = (struct fact_amount){res, quantity_from_i64(units(res, s->amount))};
        }
    }
    f->admission = (struct fact_admission){names_text(w->names, wl->admission), f->assignments, n};
    f->f.admission = &f->admission;
}

bool life_put(struct life *l, struct world *w, int i, struct wl **ret)
{
    struct record *r = &l->recs[i];
    struct facts_workload f;
    facts_workload(&l->p, i, &f);
    f.f.generation = r->generation;
    f.f.active = !r->inactive;
    add_conditions(&r->st, &f);
    if (r->wl && r->wl->marks.reserved && r->wl->admission)
        add_admission(l->w, r->wl, &f);
    else if (!r->wl && l->p.workloads[i].held)
        facts_hold(&l->p, i, &f);
    for (int k = 0; k < l->p.workloads[i].npod_sets; k++)
        if (r->reclaimable[k])
            f.reclaimable[f.f.nreclaimable++] = (struct fact_reclaimable){f.ps[k].name, r->reclaimable[k]};
    f.f.reclaimable = f.reclaimable;
    if (!r->wl && w == l->w && status_from_fact(&r->st, &f.f))
        return life_fail(l, "no memory");
    return life_took(l, world_put_workload(w, &f.f, l->now, ret, NULL), "Workload");
}

/* ---- all objects ------------------------------------------------------------------------------------------------------------------ */

enum { KIND_FLAVOR, KIND_NAMESPACE, KIND_COHORT, KIND_CQ, KIND_LQ, KIND_WORKLOAD, KINDS };

struct item {
    int kind, i;
};

static bool put_item(struct life *l, struct world *w, struct item it, struct wl **ret)
{
    switch (it.kind) {
    case KIND_FLAVOR:
        return life_took(l, facts_put_flavor(w, &l->p, it.i), "ResourceFlavor");
    case KIND_NAMESPACE:
        return life_took(l, facts_put_namespace(w, &l->p, it.i), "Namespace");
    case KIND_COHORT:
        return life_took(l, facts_put_cohort(w, &l->p, it.i), "Cohort");
    case KIND_CQ:
        return life_took(l, facts_put_cq(w, &l->p, it.i, l->now), "ClusterQueue");
    case KIND_LQ:
        return life_took(l, facts_put_lq(w, &l->p, it.i, l->now), "LocalQueue");
    default:
        return !l->recs[it.i].alive || life_put(l, w, it.i, &ret[it.i]);
    }
}

static int list_items(const struct life *l, struct item *items)
{
    const int counts[KINDS] = {l->p.nflavors, PLAN_NAMESPACES, l->p.ncohorts,
                               l->p.ncqs,     l->p.nlqs,       l->p.nworkloads};
    int n = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < counts[kind]; i++)
            items[n++] = (struct item){kind, i};
    return n;
}

static void shuffle(struct item *items, int n, bool within_kinds)
{
    struct dice d = dice_of_seed(1);
    for (int i = n - 1; i > 0; i--) {
        int k = (int)dice_below(&d, (uint32_t)i + 1);
        struct item x = items[i];
        if (within_kinds && items[k].kind != x.kind)
            continue;
        items[i] = items[k];
        items[k] = x;
    }
}

bool life_put_all(struct life *l, struct world *w, enum life_order order, struct wl **ret)
{
    struct item items[PLAN_FLAVORS + PLAN_NAMESPACES + PLAN_COHORTS + PLAN_CQS + PLAN_LQS + PLAN_WORKLOADS];
    int n = list_items(l, items);
    if (order != LIFE_IN_ORDER)
        shuffle(items, n, order == LIFE_SHUFFLED_KINDS);
    if (!life_took(l, facts_configure(w, &l->p), "Configuration"))
        return false;
    for (int i = 0; i < n; i++)
        if (!put_item(l, w, items[i], ret))
            return false;
    return true;
}

/* ---- a cycle ---------------------------------------------------------------------------------------------------------------------- */

/* Lets each allocation of the cycle fail in turn; nothing may have changed. Ends with the cycle that succeeds. */
static bool cycle_short_of_memory(struct life *l, const struct cycle **ret)
{
    struct str before, after;
    str_init(&before, 0);
    str_init(&after, 0);
    invariants_print(l->w, &before);
    bool ok = true;
    int rc = ERR_NOMEM;
    arena_free(&l->w->scratch); /* in small blocks, so that it runs out in the middle of searches, too */
    arena_init(&l->w->scratch, 128);
    for (uint64_t n = 1; rc && ok; n += 1 + n / 16) {
        mem_fail_after(n);
        rc = world_cycle(l->w, l->now, ret, NULL);
        mem_fail_after(0);
        if (!rc)
            break;
        l->r->failures++;
        str_clear(&after);
        invariants_print(l->w, &after);
        if (rc != ERR_NOMEM || n > 100000)
            ok = life_fail(l, "a cycle without memory: %s", err_name(rc));
        else if (!l->p.afs &&
                 strcmp(str_text(&before), str_text(&after)) != 0) /* AFS: a pop puts queues in order (4.5) */
            ok =
                life_fail(l, "a cycle without memory changed\n%sto\n%s", str_text(&before), str_text(&after));
        else
            ok = life_check(l, "after a cycle without memory");
    }
    str_free(&before);
    str_free(&after);
    return ok;
}

static int number_of(const struct life *l, const struct wl *wl)
{
    int i = 0;
    while (l->recs[i].wl != wl)
        i++;
    return i;
}

/* The writes of an admission. One in 20 fails for good once the world has settled. */
static bool write_admission(struct life *l, struct wl *wl)
{
    int i = number_of(l, wl);
    struct record *r = &l->recs[i];
    bool late = l->perturbed && dice_one_in(&l->d, 3);
    if (l->perturbed && dice_one_in(&l->d, 20)) {
        world_forget_admission(l->w, wl, l->now);
        return true;
    }
    int rc = status_reserve(&r->st, names_text(l->w->names, wl->admission), true,
                            gate_on(&l->w->gates, GATE_OBSERVABILITY),
                            gate_on(&l->w->gates, GATE_EXPLICIT_STATUS), l->now, r->generation);
    if (!rc && !late)
        rc = life_set(l, i, COND_PODS_READY, STATUS_TRUE, "Started");
    else if (!rc)
        rc = life_set(l, i, COND_PODS_READY, STATUS_FALSE, "WaitForStart");
    life_sync(l, i);
    return life_took(l, rc, "status");
}

/* The writes of an eviction; the text comes from the cycle, which is gone. */
static bool write_eviction(struct life *l, struct wl *wl, const char *reason)
{
    int i = number_of(l, wl);
    if (l->perturbed && dice_one_in(&l->d, 20)) {
        world_forget_preemption(wl);
        return true;
    }
    int rc = status_preempt(&l->recs[i].st, reason, "Preempted", l->now, l->recs[i].generation);
    life_sync(l, i);
    return life_took(l, rc, "status");
}

struct effects {
    struct wl *admitted[PLAN_CQS];
    struct wl *evicted[PLAN_WORKLOADS];
    const char *reasons[PLAN_WORKLOADS];
    uint32_t nadmitted, nevicted;
};

static bool collect(struct life *l, const struct cycle *c, struct effects *e)
{
    *e = (struct effects){.nadmitted = 0};
    for (uint32_t i = 0; i < c->ndecisions; i++)
        if (c->decisions[i].outcome == OUTCOME_ADMITTED && e->nadmitted < PLAN_CQS)
            e->admitted[e->nadmitted++] = c->decisions[i].w;
    if (c->nevicted > PLAN_WORKLOADS)
        return life_fail(l, "more evictions than Workloads");
    for (uint32_t i = 0; i < c->nevicted; i++) {
        e->evicted[i] = c->evicted[i];
        e->reasons[i] = preempt_reason_text(c->evicted_target[i]->reason);
    }
    e->nevicted = c->nevicted;
    l->r->admitted += e->nadmitted;
    l->r->evicted += e->nevicted;
    return true;
}

static bool apply(struct life *l, const struct effects *e)
{
    for (uint32_t i = 0; i < e->nadmitted; i++)
        if (!write_admission(l, e->admitted[i]))
            return false;
    for (uint32_t i = 0; i < e->nevicted; i++)
        if (!write_eviction(l, e->evicted[i], e->reasons[i]))
            return false;
    return true;
}

static bool run_cycle(struct life *l, const struct cycle **ret)
{
    struct invariants_before b;
    struct str why;
    if (l->o->short_of_memory && !cycle_short_of_memory(l, ret))
        return false;
    if (!l->o->short_of_memory) {
        if (!life_took(l, world_settle(l->w, NULL), "settle") || !invariants_before(&b, l->w))
            return life_fail(l, "no memory");
        str_init(&why, 0);
        int rc = world_cycle(l->w, l->now, ret, NULL);
        if (!life_took(l, rc, "cycle") || !invariants_of_cycle(&b, l->w, *ret, &why))
            life_fail(l, "%s", str_text(&why));
        invariants_before_free(&b);
        str_free(&why);
    }
    return l->r->ok;
}

bool life_cycle(struct life *l, bool *ret_any, bool *ret_progress)
{
    const struct cycle *c = NULL;
    struct effects e;
    bool ok = run_cycle(l, &c);
    l->r->cycles++;
    *ret_any = c != NULL;
    *ret_progress = c && c->progressed;
    if (c && l->o->trace && l->r->trace.len < (1 << 22))
        life_print(l->w, c, &l->r->trace);
    if (!ok || !life_check(l, "after a cycle"))
        return false;
    return !c || (collect(l, c, &e) && apply(l, &e) && life_check(l, "after its writes"));
}

bool life_is_released(const struct life *l, int i)
{
    const struct record *r = &l->recs[i];
    return !r->alive || !r->wl || r->finished || r->st.cond[COND_EVICTED].status != STATUS_TRUE ||
           r->st.cond[COND_QUOTA_RESERVED].status != STATUS_TRUE;
}

bool life_release(struct life *l, bool all)
{
    bool any = false;
    for (int i = 0; i < l->p.nworkloads; i++) {
        if (life_is_released(l, i) || (!all && i % 2))
            continue;
        int rc = status_release(&l->recs[i].st, false, gate_on(&l->w->gates, GATE_OBSERVABILITY),
                                gate_on(&l->w->gates, GATE_EXPLICIT_STATUS), l->now, l->recs[i].generation);
        life_sync(l, i);
        if (!life_took(l, rc, "status"))
            return false;
        any = true;
    }
    if (any)
        (void)world_flush(l->w, l->now);
    return any;
}

/* ---- settling ----------------------------------------------------------------------------------------------------------------------- */

static uint64_t hash(const char *s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *s; s++)
        h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t state_of(const struct life *l)
{
    struct str s;
    str_init(&s, 0);
    invariants_print(l->w, &s);
    uint64_t h = hash(str_text(&s));
    str_free(&s);
    return h;
}

static bool is_seen(const uint64_t *seen, uint32_t from, uint32_t to, uint64_t h)
{
    while (from < to && seen[from] != h)
        from++;
    return from < to;
}

/* Cycles with releases at once, until a state comes back with nothing done in between. */
static bool settle(struct life *l, uint32_t most)
{
    uint64_t seen[LIFE_MOST_CYCLES + 1];
    uint32_t n = 0, since = 0;
    seen[n++] = state_of(l);
    while (n <= most) {
        bool any, progress;
        if (!life_cycle(l, &any, &progress))
            return false;
        progress |= life_release(l, true);
        if (!l->r->ok || !any)
            return l->r->ok;
        uint64_t h = state_of(l);
        if (progress)
            since = n;
        if (!progress && is_seen(seen, since, n, h))
            return true;
        l->r->repeats |= is_seen(seen, 0, since, h);
        seen[n++] = h;
    }
    l->r->settled = false;
    return true;
}

/* ---- a life ------------------------------------------------------------------------------------------------------------------------- */

/* A world that is told everything anew agrees about quotas and usage. */
static bool compare_with_fresh(struct life *l)
{
    struct wl *none[PLAN_WORKLOADS] = {NULL};
    struct str why;
    struct world *w = world_new();
    str_init(&why, 0);
    if (!w || !life_put_all(l, w, LIFE_IN_ORDER, none) || !life_took(l, world_settle(w, NULL), "settle") ||
        !life_took(l, world_settle(l->w, NULL), "settle"))
        life_fail(l, "no memory");
    else if (!invariants_same_trees(l->w, w, &why))
        life_fail(l, "%s", str_text(&why));
    str_free(&why);
    world_free(w);
    return l->r->ok;
}

static bool begin(struct life *l)
{
    struct wl *wls[PLAN_WORKLOADS] = {NULL};
    l->w = world_new();
    if (!l->w)
        return life_fail(l, "no memory");
    for (int i = 0; i < PLAN_WORKLOADS; i++) {
        status_init(&l->recs[i].st);
        l->recs[i].generation = 1;
        l->recs[i].alive = i < l->p.nworkloads && l->p.workloads[i].exists;
    }
    if (!life_put_all(l, l->w, l->o->order, wls))
        return false;
    for (int i = 0; i < PLAN_WORKLOADS; i++)
        l->recs[i].wl = wls[i];
    for (int i = 0; i < l->p.ncqs; i++)
        if (l->p.cqs[i].stop == STOP_HOLD_AND_DRAIN)
            life_drain(l, i);
    if (!life_check(l, "at the start"))
        return false;
    (void)world_flush(l->w, l->now);
    return true;
}

static bool step(struct life *l)
{
    l->r->steps++;
    if (!life_event(l) || !life_check(l, "after an event"))
        return false;
    uint32_t cycles = dice_below(&l->d, 4);
    for (uint32_t i = 0; i < cycles; i++) {
        bool any, progress;
        if (!life_cycle(l, &any, &progress))
            return false;
        if (!any)
            break;
    }
    return l->r->steps % 4 || compare_with_fresh(l);
}

static void live(struct life *l)
{
    if (!begin(l) || !settle(l, LIFE_MOST_CYCLES) || l->o->only_settle)
        return;
    if (!compare_with_fresh(l))
        return;
    l->perturbed = true;
    while ((l->d.bytes || (int)l->r->steps < l->o->steps) && !dice_out(&l->d) && l->r->steps < 1000)
        if (!step(l))
            return;
    (void)compare_with_fresh(l);
}

void life_run(const struct plan *plan, struct dice dice, const struct life_options *o,
              struct life_result *ret)
{
    struct life l = {.p = *plan, .d = dice, .o = o, .r = ret, .now = PLAN_START};
    *ret = (struct life_result){.ok = true, .settled = true};
    str_init(&ret->why, 0);
    str_init(&ret->trace, 0);
    live(&l);
    for (int i = 0; i < PLAN_WORKLOADS; i++)
        status_free(&l.recs[i].st);
    world_free(l.w);
}

void life_free(struct life_result *r)
{
    str_free(&r->why);
    str_free(&r->trace);
}
