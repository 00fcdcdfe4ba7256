/* The report for programs. simulate-json.md is its schema: what changes here changes there, and what is taken away or means something
 * else changes the version. */
#include "cli/report_priv.h"

#include "base/mem.h"
#include "cli/emit.h"
#include "core/loans.h"
#include "core/tree.h"

#include <math.h>
#include <string.h>

static const char schema_version[] = "sluice.simulate/v1";

struct data {
    struct emit e;
    struct report *r;
    const struct world *w;
    struct str text; /* scratch */
    bool failed;
};

static const char *amount_text(struct data *d, const char *resource, amount v)
{
    str_clear(&d->text);
    report_amount(&d->text, resource, v);
    return str_text(&d->text);
}

/* 1970: no time was given anywhere. */
static void put_time(struct emit *e, const char *key, when_ns t)
{
    char buf[40];

    if (t == WHEN_NONE || t == 0)
        return;
    when_print(t, buf, sizeof(buf));
    emit_text(e, key, buf);
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

static void put_pod_set(struct data *d, const struct sim_pod_set *ps)
{
    emit_map(&d->e, NULL);
    emit_text(&d->e, "name", ps->name);
    emit_int(&d->e, "count", ps->count);
    emit_list(&d->e, "resources");
    for (uint32_t i = 0; i < ps->nshares; i++) {
        const struct sim_share *share = &ps->shares[i];
        if (!*share->flavor)
            continue;
        emit_map(&d->e, NULL);
        emit_text(&d->e, "resource", share->resource);
        emit_text(&d->e, "flavor", share->flavor);
        emit_text(&d->e, "amount", amount_text(d, share->resource, share->amount));
        emit_close(&d->e);
    }
    emit_close(&d->e);
    emit_close(&d->e);
}

static void put_eviction(struct data *d, const char *workload, enum preempt_reason reason)
{
    emit_text(&d->e, "workload", workload);
    emit_text(&d->e, "reason", preempt_reason_text(reason));
    emit_text(&d->e, "why", report_why(reason));
}

static void put_evictions(struct data *d, const struct report_wl *rw)
{
    const struct report *r = d->r;

    emit_list(&d->e, "evicts");
    for (uint32_t k = rw->first; k != NONE; k = r->evictions[k].next_of_preemptor) {
        emit_map(&d->e, NULL);
        put_eviction(d, sim_at(r->sim, r->evictions[k].victim)->key, r->evictions[k].reason);
        emit_close(&d->e);
    }
    emit_close(&d->e);
    emit_int(&d->e, "evictions", rw->nevicted);
    if (rw->evicted_by == NONE)
        return;
    emit_map(&d->e, "evictedFor");
    put_eviction(d, sim_at(r->sim, r->evictions[rw->evicted_by].preemptor)->key,
                 r->evictions[rw->evicted_by].reason);
    emit_close(&d->e);
}

static void put_waiting(struct data *d, const struct sim_wl *sw)
{
    const struct report_wl *rw = &d->r->wls[sw->index];

    emit_map(&d->e, "waiting");
    emit_text(&d->e, "reason", report_wait_reason(sw));
    str_clear(&d->text);
    report_waiting(&d->text, d->r, sw);
    emit_text(&d->e, "why", str_text(&d->text));
    if (rw->in_cq) {
        emit_int(&d->e, "placeInClusterQueue", rw->in_cq);
        emit_int(&d->e, "placeInLocalQueue", rw->in_lq);
    }
    emit_close(&d->e);
}

static void put_checks(struct data *d, const struct status *s)
{
    emit_list(&d->e, "waitsForChecks");
    for (uint32_t i = 0; i < s->nchecks; i++)
        if (s->checks[i].state != CHECK_READY)
            emit_text(&d->e, NULL, s->checks[i].name);
    emit_close(&d->e);
}

static void put_workload(struct data *d, const struct sim_wl *sw)
{
    enum report_state state = report_state_of(sw);

    emit_map(&d->e, NULL);
    emit_text(&d->e, "namespace", sw->fact->ns);
    emit_text(&d->e, "name", sw->fact->name);
    emit_text(&d->e, "localQueue", sw->fact->queue);
    emit_text(&d->e, "clusterQueue", report_queue_of(d->w, sw));
    emit_int(&d->e, "priority", sw->fact->priority);
    emit_text(&d->e, "state", report_state_name(state));
    put_time(&d->e, "admittedAt", sw->admitted_at);
    if (state == REPORT_FINISHED)
        put_time(&d->e, "finishedAt", sw->status.cond[COND_FINISHED].since);
    emit_list(&d->e, "podSets");
    for (uint32_t i = 0; sw->admission && i < sw->admission->npod_sets; i++)
        put_pod_set(d, &sw->admission->pod_sets[i]);
    emit_close(&d->e);
    if (state == REPORT_WAITING)
        put_waiting(d, sw);
    if (state == REPORT_RESERVED)
        put_checks(d, &sw->status);
    put_evictions(d, &d->r->wls[sw->index]);
    emit_close(&d->e);
}

/* ---- queues ------------------------------------------------------------------------------------------------------------- */

static void put_borrows(struct data *d, uint32_t fr, const char *resource, uint32_t self)
{
    emit_list(&d->e, "borrows");
    for (const struct loan *l = loans_next(world_loans(d->w), fr, self, NULL); l;
         l = loans_next(world_loans(d->w), fr, self, l)) {
        emit_map(&d->e, NULL);
        emit_text(&d->e, "fromKind", loan_kind_name(l->lender.kind));
        if (l->lender.kind == LOAN_CLUSTER_QUEUE || l->lender.kind == LOAN_COHORT)
            emit_text(&d->e, "from", names_text(world_names(d->w), l->lender.name));
        emit_text(&d->e, "amount", amount_text(d, resource, l->amount));
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_lends(struct data *d, uint32_t fr, const char *resource, struct loan_lender self)
{
    const struct loan_filter f = {fr, LOANS_ANY, true, self, false};
    const struct loan *const *list;
    struct err err;
    uint32_t n;

    emit_list(&d->e, "lends");
    /* The book only keeps an array for its answers: the world does not change. */
    if (loans_list((struct loans *)(uintptr_t)world_loans(d->w), &f, &list, &n, &err)) {
        d->failed = true;
        n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        emit_map(&d->e, NULL);
        emit_text(&d->e, "to", names_text(world_names(d->w), list[i]->borrower));
        emit_text(&d->e, "amount", amount_text(d, resource, list[i]->amount));
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_share(struct data *d, const struct tree *t, uint32_t node)
{
    struct share share = tree_share(t, node);

    if (isinf(share_weighted(share)))
        emit_text(&d->e, "weightedShare", "infinite");
    else
        emit_int(&d->e, "weightedShare", share_status(share));
}

struct quotas {
    struct data *d;
    struct loan_lender self;
};

static void put_use(const struct cq_use *u, void *arg)
{
    struct quotas *q = arg;
    struct data *d = q->d;

    emit_map(&d->e, NULL);
    emit_text(&d->e, "flavor", u->flavor);
    emit_text(&d->e, "resource", u->resource);
    emit_text(&d->e, "nominal", amount_text(d, u->resource, u->nominal));
    emit_text(&d->e, "used", amount_text(d, u->resource, u->reserved));
    put_borrows(d, u->fr, u->resource, q->self.name);
    put_lends(d, u->fr, u->resource, q->self);
    emit_close(&d->e);
}

static void put_cluster_queue(struct data *d, uint32_t cq)
{
    const struct cq_view v = world_cq(d->w, cq);
    struct quotas q = {d, {LOAN_CLUSTER_QUEUE, names_find(world_names(d->w), v.name)}};
    const char *reason = "";
    bool active;

    emit_map(&d->e, NULL);
    emit_text(&d->e, "name", v.name);
    emit_text(&d->e, "cohort", v.cohort);
    str_clear(&d->text);
    active = world_cq_active(d->w, cq, &reason, &d->text);
    emit_bool(&d->e, "active", active);
    if (!active)
        emit_text(&d->e, "why", str_text(&d->text));
    if (v.in_snapshot)
        put_share(d, v.tree, v.node);
    emit_int(&d->e, "reserving", v.nreserving);
    emit_int(&d->e, "admitted", v.nadmitted);
    emit_int(&d->e, "pending", (int64_t)v.npending_active + v.npending_inadmissible);
    emit_list(&d->e, "quotas");
    world_cq_uses(d->w, cq, put_use, &q);
    emit_close(&d->e);
    emit_close(&d->e);
}

/* A cohort's own quota. */
static void put_cohort_quota(struct data *d, const struct cell *c, uint32_t fr, struct loan_lender self)
{
    struct pair_names p = world_pair(d->w, fr);

    if (!c->own)
        return;
    emit_map(&d->e, NULL);
    emit_text(&d->e, "flavor", p.flavor);
    emit_text(&d->e, "resource", p.resource);
    emit_text(&d->e, "nominal", amount_text(d, p.resource, c->nominal));
    put_lends(d, fr, p.resource, self);
    emit_close(&d->e);
}

static void put_cohort(struct data *d, const struct tree *t, uint32_t node)
{
    const struct names *names = world_names(d->w);
    uint32_t parent = t->nodes[node].parent;
    struct loan_lender self = {LOAN_COHORT, t->nodes[node].name};

    emit_map(&d->e, NULL);
    emit_text(&d->e, "name", names_text(names, t->nodes[node].name));
    emit_text(&d->e, "parent", parent == TREE_NONE ? "" : names_text(names, t->nodes[parent].name));
    if (!t->cyclic)
        put_share(d, t, node);
    emit_list(&d->e, "quotas");
    for (uint32_t col = 0; col < t->ncols; col++)
        put_cohort_quota(d, tree_cell(t, node, col), t->fr[col], self);
    emit_close(&d->e);
    emit_close(&d->e);
}

static void put_cohorts(struct data *d)
{
    const struct tree *t;

    emit_list(&d->e, "cohorts");
    for (uint32_t i = 0; (t = world_tree(d->w, i)); i++)
        for (uint32_t k = 0; k < t->nnodes; k++)
            if (t->nodes[k].cq == TREE_NONE)
                put_cohort(d, t, k);
    emit_close(&d->e);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

static void put_run(struct data *d)
{
    static const char *const ends[] = {
        [SIM_RUNNING] = "running",   [SIM_QUIESCENT] = "atRest",   [SIM_STOPPED] = "cyclesOver",
        [SIM_RESTLESS] = "restless", [SIM_TIME_OVER] = "timeOver",
    };
    const struct sim *s = d->r->sim;

    emit_map(&d->e, "run");
    put_time(&d->e, "from", sim_began(s));
    put_time(&d->e, "to", sim_time(s));
    emit_int(&d->e, "cycles", (int64_t)sim_cycles(s));
    emit_text(&d->e, "end", ends[sim_end(s)]);
    emit_list(&d->e, "checksTakenAsReady");
    for (uint32_t i = 0; i < sim_assumed_checks(s); i++)
        emit_text(&d->e, NULL, sim_assumed_check(s, i));
    emit_close(&d->e);
    emit_close(&d->e);
}

static void put_summary(struct data *d)
{
    static const char *const keys[REPORT_STATES] = {"admitted", "reserved", "stopping",
                                                    "waiting",  "finished", "toCome"};
    const struct sim *s = d->r->sim;
    uint32_t counts[REPORT_STATES] = {0};

    for (uint32_t i = 0; i < sim_count(s); i++)
        counts[report_state_of(sim_at(s, i))]++;
    emit_map(&d->e, "summary");
    emit_bool(&d->e, "allAdmitted", !report_somebody_waits(s));
    for (int i = 0; i < REPORT_STATES; i++)
        emit_int(&d->e, keys[i], counts[i]);
    emit_close(&d->e);
}

void report_data(struct report *r, bool yaml, struct str *out)
{
    struct data d = {.e = emit_to(out, yaml), .r = r, .w = sim_world(r->sim)};
    uint32_t n;
    const uint32_t *order = world_cq_order(sim_world(r->sim), &n);

    d.failed = r->failed || report_places(r) || report_refusals(r);
    str_init(&d.text, 0);
    emit_map(&d.e, NULL);
    emit_text(&d.e, "schemaVersion", schema_version);
    put_run(&d);
    put_summary(&d);
    emit_list(&d.e, "workloads");
    for (uint32_t i = 0; i < sim_count(r->sim); i++)
        put_workload(&d, sim_at(r->sim, i));
    emit_close(&d.e);
    emit_list(&d.e, "clusterQueues");
    for (uint32_t i = 0; i < n; i++)
        put_cluster_queue(&d, order[i]);
    emit_close(&d.e);
    put_cohorts(&d);
    emit_close(&d.e);
    if (d.failed || str_failed(&d.text))
        out->failed = true;
    str_free(&d.text);
}
