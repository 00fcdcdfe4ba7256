/* A change of policy for programs. */
#include "cli/diff.h"
#include "cli/emit.h"
#include "cli/report_priv.h"

static void put_amount(struct emit *e, const char *key, const char *resource, amount v)
{
    struct str text;

    str_init(&text, 0);
    report_amount(&text, resource, v);
    emit_text(e, key, str_text(&text));
    if (str_failed(&text))
        e->out->failed = true;
    str_free(&text);
}

static void put_object(struct emit *e, enum api_kind kind, const char *ns, const char *name)
{
    emit_text(e, "kind", api_kind_name(kind));
    emit_text(e, "namespace", ns);
    emit_text(e, "name", name);
}

static void put_changes(struct emit *e, const struct policy_diff *d)
{
    emit_list(e, "changes");
    for (uint32_t i = 0; i < d->nchanges; i++) {
        const struct policy_change *c = &d->changes[i];
        emit_map(e, NULL);
        emit_text(e, "area", policy_area_name(c->area));
        put_object(e, c->kind, c->ns, c->name);
        emit_text(e, "field", c->field);
        emit_text(e, "flavor", c->flavor);
        emit_text(e, "resource", c->resource);
        emit_text(e, "before", c->from);
        emit_text(e, "after", c->to);
        emit_close(e);
    }
    emit_close(e);
}

/* A side that is not there is an empty map. */
static void put_side(struct emit *e, const char *key, const char *resource, const struct policy_pair_side *s,
                     bool ran)
{
    emit_map(e, key);
    if (s->there) {
        put_amount(e, "nominal", resource, s->nominal);
        put_amount(e, "mayBorrow", resource, s->may_borrow);
        put_amount(e, "mayLend", resource, s->may_lend);
    }
    if (s->there && ran) {
        put_amount(e, "used", resource, s->used);
        put_amount(e, "borrowed", resource, s->borrowed);
        put_amount(e, "lent", resource, s->lent);
    }
    emit_close(e);
}

static void put_pairs(struct emit *e, const struct policy_diff *d, bool ran)
{
    emit_list(e, "queues");
    for (uint32_t i = 0; i < d->npairs; i++) {
        const struct policy_pair *p = &d->pairs[i];
        emit_map(e, NULL);
        emit_text(e, "clusterQueue", p->queue);
        emit_text(e, "flavor", p->flavor);
        emit_text(e, "resource", p->resource);
        emit_bool(e, "losesBorrowing", policy_pair_loses_borrowing(p));
        put_side(e, "before", p->resource, &p->before, ran);
        put_side(e, "after", p->resource, &p->after, ran);
        emit_close(e);
    }
    emit_close(e);
}

static void put_moves(struct emit *e, const struct policy_diff *d)
{
    emit_int(e, "workloadsSeen", d->nworkloads);
    emit_list(e, "workloads");
    for (uint32_t i = 0; i < d->nmoves; i++) {
        const struct policy_move *m = &d->moves[i];
        emit_map(e, NULL);
        emit_text(e, "workload", m->key);
        emit_text(e, "effect", policy_move_name(m->kind));
        emit_text(e, "clusterQueueBefore", m->queue_before);
        emit_text(e, "clusterQueueAfter", m->queue_after);
        emit_text(e, "why", m->why);
        emit_close(e);
    }
    emit_close(e);
}

static void put_values(struct emit *e, const char *key, const double *v)
{
    emit_map(e, key);
    for (int k = 0; k < DIFF_MEASURES; k++)
        emit_number(e, diff_measures[k].key, v[k]);
    emit_close(e);
}

static void put_trace(struct emit *e, const struct diff_trace *t)
{
    struct diff_row row;
    uint32_t n = t->loop_before || t->loop_after ? 0 : diff_rows(t, 0, NULL);

    emit_list(e, "trace");
    for (uint32_t i = 0; i < n; i++) {
        (void)diff_rows(t, i, &row);
        emit_map(e, NULL);
        emit_text(e, "clusterQueue", i ? row.name : "");
        emit_bool(e, "differs", row.differs);
        put_values(e, "before", row.before);
        put_values(e, "after", row.after);
        emit_close(e);
    }
    emit_close(e);
}

static void put_finding(struct emit *e, const struct policy_finding *f)
{
    emit_map(e, NULL);
    emit_text(e, "fault", policy_fault_name(f->fault));
    emit_text(e, "severity", f->error ? "error" : "warning");
    emit_bool(e, "old", f->old);
    emit_text(e, "text", f->text);
    emit_list(e, "objects");
    for (uint32_t i = 0; i < f->nobjects; i++)
        emit_text(e, NULL, f->objects[i]);
    emit_close(e);
    emit_close(e);
}

static void put_findings(struct emit *e, const struct diff_print *p)
{
    const struct policy_lint *l = &p->diff->lint;

    emit_list(e, "findings");
    for (uint32_t i = 0; i < l->n; i++)
        put_finding(e, &l->list[i]);
    if (p->trace && p->trace->loop_after) {
        const struct policy_finding f = {.fault = FAULT_EVICTION_LOOP,
                                         .error = true,
                                         .old = !diff_trace_new_loop(p->trace),
                                         .text = p->trace->loop_after};
        put_finding(e, &f);
    }
    emit_close(e);
}

void diff_data(const struct diff_print *p, struct str *out)
{
    struct emit e = emit_to(out, false);

    emit_map(&e, NULL);
    emit_text(&e, "schemaVersion", "sluice.diff/v1");
    emit_bool(&e, "effect", policy_diff_any(p->diff) || diff_trace_differs(p->trace));
    put_changes(&e, p->diff);
    put_pairs(&e, p->diff, p->ran);
    if (p->ran)
        put_moves(&e, p->diff);
    if (p->trace)
        put_trace(&e, p->trace);
    put_findings(&e, p);
    emit_close(&e);
}
