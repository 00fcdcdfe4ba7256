/* Records of Workloads: their conditions, what they hold, when they finish and when they let go. */
#include "sim/sim_priv.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/reason.h"
#include "lifecycle/lifecycle.h"

#include <stdlib.h>
#include <string.h>

int sim_compare_finish(const struct sim_wl *a, const struct sim_wl *b)
{
    if (a->finish_at != b->finish_at)
        return a->finish_at < b->finish_at ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int sim_compare_release(const struct sim_wl *a, const struct sim_wl *b)
{
    if (a->release_at != b->release_at)
        return a->release_at < b->release_at ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int sim_compare_look(const struct sim_wl *a, const struct sim_wl *b)
{
    if (a->look_at != b->look_at)
        return a->look_at < b->look_at ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE(sim_finishes, sim_wl, by_finish, sim_compare_finish)
RB_GENERATE(sim_releases, sim_wl, by_release, sim_compare_release)
RB_GENERATE(sim_looks, sim_wl, by_look, sim_compare_look)

struct sim_wl *sim_first_finish(struct sim *s)
{
    return RB_MIN(sim_finishes, &s->finishes);
}

struct sim_wl *sim_first_release(struct sim *s)
{
    return RB_MIN(sim_releases, &s->releases);
}

struct sim_wl *sim_first_look(struct sim *s)
{
    return RB_MIN(sim_looks, &s->looks);
}

/* ---- timers ------------------------------------------------------------------------------------------------------------- */

static void set_finish(struct sim *s, struct sim_wl *sw, when_ns at)
{
    if (sw->finish_at != WHEN_NONE)
        RB_REMOVE(sim_finishes, &s->finishes, sw);
    sw->finish_at = at;
    if (at != WHEN_NONE)
        RB_INSERT(sim_finishes, &s->finishes, sw);
}

static void set_release(struct sim *s, struct sim_wl *sw, when_ns at)
{
    if (sw->release_at != WHEN_NONE)
        RB_REMOVE(sim_releases, &s->releases, sw);
    sw->release_at = at;
    if (at != WHEN_NONE)
        RB_INSERT(sim_releases, &s->releases, sw);
}

/* A Workload runs while it is admitted and not evicted; evicted, it takes its time to stop. */
static void follow_timers(struct sim *s, struct sim_wl *sw)
{
    const struct marks *m = &sw->wl->marks;
    bool runs = m->admitted && !m->evicted && !m->finished && sw->run_s >= 0;
    bool stops = m->reserved && m->evicted && !m->finished;

    if (!runs)
        set_finish(s, sw, WHEN_NONE);
    else if (sw->finish_at == WHEN_NONE)
        set_finish(s, sw, i64_add(s->now, sw->run_s * NS_PER_S));
    if (!stops)
        set_release(s, sw, WHEN_NONE);
    else if (sw->release_at == WHEN_NONE)
        set_release(s, sw, i64_add(s->now, sw->stop_s * NS_PER_S));
}

/* ---- what it holds ------------------------------------------------------------------------------------------------------ */

static int compare_shares(const void *a, const void *b)
{
    return strcmp(((const struct sim_share *)a)->resource, ((const struct sim_share *)b)->resource);
}

static void copy_shares(const struct sim *s, const struct wl *wl, const struct pod_set *ps,
                        struct sim_share *to)
{
    for (uint32_t k = 0; k < ps->nslots; k++) {
        const struct slot *slot = &wl->slots[ps->first + k];
        to[k] = (struct sim_share){
            .resource = names_text(world_names(s->w), slot->res),
            .flavor = slot->fr == NONE ? "" : world_pair(s->w, slot->fr).flavor,
            .amount = slot->amount,
        };
    }
    qsort(to, ps->nslots, sizeof(*to), compare_shares);
}

/* Copies the admission out of the world, which forgets it when the Workload finishes. */
static int copy_admission(struct sim *s, struct sim_wl *sw)
{
    const struct wl *wl = sw->wl;
    uint32_t nshares = 0;

    for (uint32_t i = 0; i < wl->npod_sets; i++)
        nshares += wl->pod_sets[i].nslots;
    struct sim_admission *a = mem_zalloc(1, sizeof(*a) + wl->npod_sets * sizeof(struct sim_pod_set) +
                                                nshares * sizeof(struct sim_share));
    if (!a)
        return ERR_NOMEM;
    struct sim_pod_set *pod_sets = (struct sim_pod_set *)(a + 1);
    struct sim_share *shares = (struct sim_share *)(pod_sets + wl->npod_sets);
    *a = (struct sim_admission){names_text(world_names(s->w), wl->admission), wl->npod_sets, pod_sets};
    for (uint32_t i = 0; i < wl->npod_sets; i++) {
        const struct pod_set *ps = &wl->pod_sets[i];
        pod_sets[i] =
            (struct sim_pod_set){names_text(world_names(s->w), ps->name), ps->assigned, shares, ps->nslots};
        copy_shares(s, wl, ps, shares);
        shares += ps->nslots;
    }
    mem_free(sw->admission);
    sw->admission = a;
    return 0;
}

/* ---- the world follows -------------------------------------------------------------------------------------------------- */

static void put_marks(struct sim *s, struct sim_wl *sw)
{
    const struct marks before = sw->wl->marks;
    struct marks m = before;

    marks_update(&m, &sw->status);
    m.active = m.active && !sw->deactivated;
    if (m.admitted && !sw->wl->marks.admitted)
        sw->admitted_at = s->now;
    world_put_marks(s->w, sw->wl, &m, s->now);
    follow_timers(s, sw);
    if (s->history.changed)
        s->history.changed(s->history.arg, sw, &before);
}

static int no_memory(const struct sim_wl *sw, struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory for the status of %s", sw->key);
}

/* The world sees a change, then the controller looks at the Workload and perhaps changes it again, and then the cluster answers. */
int record_changed(struct sim *s, struct sim_wl *sw, struct err *err)
{
    struct lifecycle_result r;
    bool answered = false;
    int rc;

    do {
        put_marks(s, sw);
        const struct lifecycle l = lifecycle_of(s->w, sw->wl, sw->fact->gated_by, s->now);
        rc = lifecycle_run(&l, &sw->status, &r, err);
        if (!rc && r.changed)
            put_marks(s, sw);
        if (!rc && s->opt.models)
            rc = cluster_answer(s, sw, &r, &answered, err);
    } while (!rc && answered);
    if (!sw->wl->marks.reserved && !sw->wl->marks.finished) {
        mem_free(sw->admission);
        sw->admission = NULL;
    }
    return rc;
}

int record_finish(struct sim *s, struct sim_wl *sw, struct err *err)
{
    bool changed;

    if (status_set(&sw->status, COND_FINISHED, STATUS_TRUE, "Succeeded", "Job finished successfully", s->now,
                   sw->wl->generation, &changed))
        return no_memory(sw, err);
    put_marks(s, sw);
    return 0;
}

int record_release(struct sim *s, struct sim_wl *sw, struct err *err)
{
    if (status_release(&sw->status, false, s->observability, s->explicit_status, s->now, sw->wl->generation))
        return no_memory(sw, err);
    return record_changed(s, sw, err);
}

int record_arrive(struct sim *s, struct sim_wl *sw, struct err *err)
{
    if (status_from_fact(&sw->status, sw->fact))
        return no_memory(sw, err);
    int rc = world_put_workload(s->w, sw->fact, s->now, &sw->wl, err);
    if (rc)
        return rc;
    if (!sw->wl)
        return 0;
    sw->wl->user = sw;
    if (sw->wl->marks.reserved && copy_admission(s, sw))
        return no_memory(sw, err);
    return record_changed(s, sw, err);
}

void record_free(struct sim_wl *sw)
{
    status_free(&sw->status);
    mem_free(sw->admission);
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

/* Are all checks that this admission needs listed (engine.md 5.7)? */
static bool checks_listed(const struct sim *s, const struct sim_wl *sw)
{
    uint32_t want[64], n = world_required_checks(s->w, sw->wl, want, 64);

    for (uint32_t i = 0; i < n && i < 64; i++) {
        bool found = false;
        for (uint32_t k = 0; k < sw->status.nchecks; k++)
            found = found || !strcmp(sw->status.checks[k].name, names_text(world_names(s->w), want[i]));
        if (!found)
            return false;
    }
    return true;
}

static int apply_admission(struct sim *s, struct sim_wl *sw, const struct decision *d, struct err *err)
{
    if (status_reserve(&sw->status, world_cq(s->w, d->cq).name, checks_listed(s, sw), s->observability,
                       s->explicit_status, s->now, sw->wl->generation) ||
        copy_admission(s, sw))
        return no_memory(sw, err);
    return 0;
}

static int apply_refusal(struct sim *s, struct sim_wl *sw, const struct decision *d, struct err *err)
{
    const char *reason = reason_wait(s->w, d->wait);
    bool changed;

    str_clear(&s->text);
    reason_message(&s->text, s->w, d);
    if (str_failed(&s->text) || status_unreserve(&sw->status, reason, str_text(&s->text), s->observability,
                                                 s->explicit_status, s->now, sw->wl->generation))
        return no_memory(sw, err);
    if (d->outcome == OUTCOME_GATED &&
        status_set(&sw->status, COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated", str_text(&s->text),
                   s->now, sw->wl->generation, &changed))
        return no_memory(sw, err);
    return 0;
}

static int apply_eviction(struct sim *s, const struct cycle *c, uint32_t i, struct err *err)
{
    struct sim_wl *sw = c->evicted[i]->user;

    str_clear(&s->text);
    reason_preemption(&s->text, s->w, c->evicted_by[i]->w, c->evicted_by[i]->cq, c->evicted_target[i]);
    if (str_failed(&s->text) || status_preempt(&sw->status, preempt_reason_text(c->evicted_target[i]->reason),
                                               str_text(&s->text), s->now, sw->wl->generation))
        return no_memory(sw, err);
    return 0;
}

/* All conditions are written first, from decisions that still stand; then the world and the controller see them. */
int records_apply(struct sim *s, const struct cycle *c, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < c->nevicted && !rc; i++)
        rc = apply_eviction(s, c, i, err);
    for (uint32_t i = 0; i < c->ndecisions && !rc; i++) {
        const struct decision *d = &c->decisions[i];
        struct sim_wl *sw = d->w->user;
        rc = d->outcome == OUTCOME_ADMITTED ? apply_admission(s, sw, d, err) : apply_refusal(s, sw, d, err);
    }
    for (uint32_t i = 0; i < c->nevicted && !rc; i++)
        rc = record_changed(s, c->evicted[i]->user, err);
    for (uint32_t i = 0; i < c->ndecisions && !rc; i++)
        rc = record_changed(s, c->decisions[i].w->user, err);
    return rc;
}
