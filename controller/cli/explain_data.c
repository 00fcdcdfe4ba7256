/* An explanation for programs. */
#include "cli/emit.h"
#include "cli/explain.h"

#include <string.h>

struct data {
    struct emit e;
    struct str text; /* scratch */
};

static void put_amount(struct data *d, const char *key, const char *resource, amount v)
{
    str_clear(&d->text);
    explain_amount(&d->text, resource, v);
    emit_text(&d->e, key, str_text(&d->text));
}

static void put_share(struct data *d, const char *key, double share)
{
    if (share < 0)
        return;
    str_clear(&d->text);
    str_addf(&d->text, "%.9g", share);
    emit_text(&d->e, key, str_text(&d->text));
}

static void put_keys(struct data *d, const char *key, const char *const *list, uint32_t n)
{
    emit_list(&d->e, key);
    for (uint32_t i = 0; i < n; i++)
        emit_text(&d->e, NULL, list[i]);
    emit_close(&d->e);
}

static void put_attempts(struct data *d, const struct explain *e)
{
    emit_list(&d->e, "flavors");
    for (uint32_t i = 0; i < e->nattempts; i++) {
        const struct explain_attempt *a = &e->attempts[i];
        emit_map(&d->e, NULL);
        emit_text(&d->e, "podSet", a->pod_set);
        emit_text(&d->e, "flavor", a->flavor);
        emit_text(&d->e, "mode", a->mode);
        emit_bool(&d->e, "borrows", a->borrows);
        put_keys(d, "reasons", a->reasons, a->nreasons);
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_levels(struct data *d, const struct explain_pair *p)
{
    emit_list(&d->e, "levels");
    for (uint32_t i = 0; i < p->nlevels; i++) {
        const struct explain_level *l = &p->levels[i];
        emit_map(&d->e, NULL);
        emit_text(&d->e, "kind", l->is_cohort ? "Cohort" : "ClusterQueue");
        emit_text(&d->e, "name", l->name);
        put_amount(d, "nominalQuota", p->resource, l->nominal);
        if (l->has_borrowing)
            put_amount(d, "borrowingLimit", p->resource, l->borrowing);
        if (l->has_lending)
            put_amount(d, "lendingLimit", p->resource, l->lending);
        put_amount(d, "quota", p->resource, l->quota);
        put_amount(d, "used", p->resource, l->used);
        put_amount(d, "borrowed", p->resource, l->borrowed);
        put_amount(d, "available", p->resource, l->available);
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_holders(struct data *d, const struct explain_pair *p)
{
    emit_list(&d->e, "holders");
    for (uint32_t i = 0; i < p->nholders; i++) {
        emit_map(&d->e, NULL);
        emit_text(&d->e, "workload", p->holders[i].key);
        emit_text(&d->e, "clusterQueue", p->holders[i].cluster_queue);
        emit_int(&d->e, "priority", p->holders[i].priority);
        put_amount(d, "amount", p->resource, p->holders[i].amount);
        emit_close(&d->e);
    }
    emit_close(&d->e);
    emit_int(&d->e, "holdersCount", p->nholders_all);
    emit_list(&d->e, "loans");
    for (uint32_t i = 0; i < p->nloans; i++) {
        emit_map(&d->e, NULL);
        emit_text(&d->e, "borrower", p->loans[i].borrower);
        emit_text(&d->e, "lenderKind", loan_kind_name(p->loans[i].kind));
        if (*p->loans[i].lender)
            emit_text(&d->e, "lender", p->loans[i].lender);
        put_amount(d, "amount", p->resource, p->loans[i].amount);
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_pairs(struct data *d, const struct explain *e)
{
    emit_list(&d->e, "quota");
    for (uint32_t i = 0; i < e->npairs; i++) {
        emit_map(&d->e, NULL);
        emit_text(&d->e, "flavor", e->pairs[i].flavor);
        emit_text(&d->e, "resource", e->pairs[i].resource);
        put_amount(d, e->state == EXPLAIN_ADMITTED ? "held" : "asked", e->pairs[i].resource,
                   e->pairs[i].asked);
        put_levels(d, &e->pairs[i]);
        put_holders(d, &e->pairs[i]);
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_evictions(struct data *d, const char *key, const struct explain_evictions *l)
{
    char at[40];

    emit_list(&d->e, key);
    for (uint32_t i = 0; i < l->n; i++) {
        const struct explain_eviction *v = &l->list[i];
        emit_map(&d->e, NULL);
        (void)when_print(v->at, at, sizeof(at));
        emit_text(&d->e, "time", at);
        emit_text(&d->e, "workload", v->victim);
        emit_text(&d->e, "clusterQueue", v->victim_queue);
        emit_text(&d->e, "preemptor", v->by);
        emit_text(&d->e, "preemptorClusterQueue", v->by_queue);
        emit_text(&d->e, "reason", v->reason);
        put_share(d, "share", v->victim_share);
        put_share(d, "preemptorShare", v->by_share);
        emit_text(&d->e, "message", v->message);
        emit_close(&d->e);
    }
    emit_close(&d->e);
}

static void put_value(struct data *d, const char *key, const struct change *c, bool after)
{
    str_clear(&d->text);
    change_print_value(c, after, &d->text);
    emit_text(&d->e, key, str_text(&d->text));
}

static void put_change(struct data *d, const struct change *c)
{
    emit_map(&d->e, NULL);
    emit_text(&d->e, "change", change_kind_name(c->kind));
    emit_text(&d->e, "kind", api_kind_name(c->object));
    if (*c->ns)
        emit_text(&d->e, "namespace", c->ns);
    emit_text(&d->e, "name", c->name);
    str_clear(&d->text);
    change_print_field(c, &d->text);
    emit_text(&d->e, "field", str_text(&d->text));
    put_value(d, "from", c, false);
    put_value(d, "to", c, true);
    emit_close(&d->e);
}

static void put_options(struct data *d, const struct explain *e)
{
    emit_list(&d->e, "options");
    for (uint32_t i = 0; i < e->options.n; i++) {
        const struct option *o = &e->options.list[i];
        emit_map(&d->e, NULL);
        emit_list(&d->e, "changes");
        for (uint32_t k = 0; k < o->nchanges; k++)
            put_change(d, &o->changes[k]);
        emit_close(&d->e);
        put_keys(d, "noLongerRunning", o->lost, o->nlost);
        put_keys(d, "alsoStarted", o->gained, o->ngained);
        emit_close(&d->e);
    }
    emit_close(&d->e);
    emit_bool(&d->e, "optionsComplete", !e->options.exhausted);
    emit_int(&d->e, "runs", what_if_runs(e->run));
}

static void put_state(struct data *d, const struct explain *e)
{
    emit_text(&d->e, "workload", e->target->key);
    emit_text(&d->e, "state", explain_state_name(e->state));
    emit_text(&d->e, "localQueue", e->queue);
    emit_text(&d->e, "clusterQueue", e->cluster_queue);
    if (*e->cq_reason) {
        emit_text(&d->e, "clusterQueueReason", e->cq_reason);
        emit_text(&d->e, "clusterQueueMessage", e->cq_message);
    }
    if (*e->outcome) {
        emit_text(&d->e, "outcome", e->outcome);
        emit_text(&d->e, "reason", e->wait);
        emit_text(&d->e, "message", e->message);
        emit_bool(&d->e, "borrows", e->borrow_level > 0);
    }
    if (*e->twin) {
        emit_text(&d->e, "refusedTwin", e->twin);
        emit_text(&d->e, "refusedTwinMessage", e->twin_message);
    }
    if (e->queued) {
        emit_int(&d->e, "positionInClusterQueue", e->in_cq);
        emit_int(&d->e, "positionInLocalQueue", e->in_lq);
        put_keys(d, "ahead", e->ahead, e->nahead);
    }
}

void explain_data(const struct explain *e, struct str *out)
{
    struct data d = {.e = emit_to(out, false)};

    str_init(&d.text, 0);
    emit_map(&d.e, NULL);
    emit_text(&d.e, "schemaVersion", "sluice.explain/v1");
    put_state(&d, e);
    put_attempts(&d, e);
    put_pairs(&d, e);
    put_evictions(&d, "evictedForIt", &e->evicted);
    emit_int(&d.e, "evictedForItCount", e->evicted.all);
    put_evictions(&d, "evictions", &e->evictions);
    emit_int(&d.e, "evictionsCount", e->evictions.all);
    if (e->state == EXPLAIN_WAITS)
        put_options(&d, e);
    emit_close(&d.e);
    out->failed |= str_failed(&d.text);
    str_free(&d.text);
}
