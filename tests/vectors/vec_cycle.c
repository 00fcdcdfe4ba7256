#include "vec_cycle.h"

#include "core/reason.h"

#include <string.h>

bool vec_cycle_start(struct vec_cycle *c, struct vec *v, const struct fact_config *config, when_ns now)
{
    *c = (struct vec_cycle){.v = v, .w = vec_world(v, config), .now = now};
    str_init(&c->events, 0);
    str_addc(&c->events, '[');
    return c->w != NULL;
}

bool vec_cycle_fill(struct vec_cycle *c, const struct doc_node *workloads)
{
    struct vec *v = c->v;
    return vec_put_list(v, c->w, doc_field(v->shared, "objects"), c->now) &&
           vec_put_list(v, c->w, doc_field(v->input, "objects"), c->now) &&
           vec_put_list(v, c->w, v->objects, c->now) && vec_run_ops(v, c->w, c->now) &&
           vec_records_open(&c->records, v, c->w, workloads, c->now);
}

bool vec_cycle_open(struct vec_cycle *c, struct vec *v, const struct fact_config *config,
                    const struct doc_node *workloads, when_ns now)
{
    return vec_cycle_start(c, v, config, now) && vec_cycle_fill(c, workloads);
}

void vec_cycle_close(struct vec_cycle *c)
{
    vec_records_free(&c->records);
    str_free(&c->events);
    world_free(c->w);
}

/* ---- decisions applied (5.6, 5.7, 7.7) --------------------------------------------------------------------------------------- */

static void comma(struct str *s)
{
    char last = str_text(s)[s->len - 1];
    if (last != '{' && last != '[')
        str_addc(s, ',');
}

static void add_event(struct vec_cycle *c, const struct wl *wl, const char *type, const char *reason)
{
    comma(&c->events);
    str_addf(&c->events, "{\"key\":\"%s\",\"eventType\":\"%s\",\"reason\":\"%s\"}", wl->key, type, reason);
}

/* All required checks are listed in the status (5.7)? */
static bool has_required_checks(const struct vec_cycle *c, const struct vec_record *rec)
{
    uint32_t names[64], n = world_required_checks(c->w, rec->wl, names, 64);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = 0;
        while (k < rec->status.nchecks &&
               strcmp(rec->status.checks[k].name, names_text(world_names(c->w), names[i])) != 0)
            k++;
        if (k == rec->status.nchecks)
            return false;
    }
    return true;
}

static int apply_admission(struct vec_cycle *c, struct vec_record *rec, const char *cq)
{
    const struct gates *g = world_gates(c->w);
    if (c->writes_fail) {
        world_forget_admission(c->w, rec->wl, c->now);
        return 0;
    }
    int rc = status_reserve(&rec->status, cq, has_required_checks(c, rec), gate_on(g, GATE_OBSERVABILITY),
                            gate_on(g, GATE_EXPLICIT_STATUS), c->now, rec->o.workload.generation);
    add_event(c, rec->wl, "Normal", "QuotaReserved");
    if (rec->status.cond[COND_ADMITTED].status == STATUS_TRUE)
        add_event(c, rec->wl, "Normal", "Admitted");
    rec->waits = false;
    return rc;
}

static int apply_wait(struct vec_cycle *c, struct vec_record *rec, const struct decision *d)
{
    const struct gates *g = world_gates(c->w);
    bool observe = gate_on(g, GATE_OBSERVABILITY);
    const char *reason = reason_wait(c->w, d->wait);
    struct str message;
    bool changed;
    str_init(&message, 0);
    reason_message(&message, c->w, d);
    int rc = status_unreserve(&rec->status, reason, str_text(&message), observe,
                              gate_on(g, GATE_EXPLICIT_STATUS), c->now, rec->o.workload.generation);
    if (!rc && d->outcome == OUTCOME_GATED)
        rc = status_set(&rec->status, COND_BLOCKED_ON_GATES, STATUS_TRUE, "PreemptionGated",
                        str_text(&message), c->now, rec->o.workload.generation, &changed);
    str_free(&message);
    add_event(c, rec->wl, "Warning", reason);
    rec->waits = true;
    return rc;
}

static bool apply_evictions(struct vec_cycle *c)
{
    for (uint32_t i = 0; i < c->last->nevicted; i++) {
        const struct decision *by = c->last->evicted_by[i];
        const struct target *t = c->last->evicted_target[i];
        if (!vec_record_preempt(&c->records, by->w, by->cq, t))
            return false;
        add_event(c, t->w, "Normal", "Preempted");
        add_event(c, t->w, "Normal", "EvictedDueToPreempted");
        add_event(c, by->w, "Normal", "PreemptedWorkload");
    }
    return true;
}

bool vec_cycle_run(struct vec_cycle *c)
{
    struct err err;
    if (world_cycle(c->w, c->now, &c->last, &err)) {
        vec_broken(c->v, "a cycle", &err);
        return false;
    }
    if (!c->last)
        return true;
    if (!apply_evictions(c))
        return false;
    for (uint32_t i = 0; i < c->last->ndecisions; i++) {
        const struct decision *d = &c->last->decisions[i];
        struct vec_record *rec = vec_record_of(&c->records, d->w);
        int rc = !rec                             ? ERR_STATE
                 : d->outcome == OUTCOME_ADMITTED ? apply_admission(c, rec, world_cq(c->w, d->cq).name)
                                                  : apply_wait(c, rec, d);
        if (rc) {
            vec_broken(c->v, d->w->key, NULL);
            return false;
        }
    }
    return true;
}

/* ---- comparisons ------------------------------------------------------------------------------------------------------------ */

static void add_key(struct str *s, const char *key)
{
    comma(s);
    str_add_json(s, key);
    str_addc(s, ':');
}

static void add_amount(struct str *s, const struct vec_cycle *c, uint32_t res, int64_t v)
{
    const char *name = names_text(world_names(c->w), res);
    char text[64];
    amount_quantity_print(v, resource_is_cpu(name), resource_is_binary(name), text, sizeof(text));
    add_key(s, name);
    str_add_json(s, text);
}

/* status.resourceRequests of a Workload that was turned down (5.6). */
static void check_requests(struct vec_cycle *c, const char *field, const struct doc_node *want,
                           const struct vec_record *rec)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; rec->waits && i < rec->wl->npod_sets; i++) {
        const struct pod_set *ps = &rec->wl->pod_sets[i];
        comma(&s);
        str_addf(&s, "{\"name\":\"%s\",\"resources\":{", names_text(world_names(c->w), ps->name));
        for (uint32_t k = 0; k < ps->shape->nreq; k++)
            add_amount(&s, c, ps->shape->req[k].res,
                       i64_mul(ps->shape->req[k].amount, pod_set_count(c->w, ps)));
        str_add(&s, "}}");
    }
    str_addc(&s, ']');
    vec_check_json(c->v, field, want, &s, NULL);
    str_free(&s);
}

void vec_cycle_check_workloads(struct vec_cycle *c, const char *field, const struct doc_node *want)
{
    vec_records_check(&c->records, field, want);
    doc_foreach (n, want) {
        const struct vec_record *rec = vec_record_named(&c->records, n);
        if (rec)
            check_requests(c, vec_printf(c->v, "%s: %s/%s: resourceRequests", field, rec->o.ns, rec->o.name),
                           doc_path(n, "status.resourceRequests"), rec);
    }
}

static void add_pod_set(struct str *s, const struct vec_cycle *c, const struct wl *wl,
                        const struct pod_set *ps)
{
    comma(s);
    str_addf(s, "{\"name\":\"%s\",\"count\":%d,\"flavors\":{", names_text(world_names(c->w), ps->name),
             ps->assigned);
    for (uint32_t k = 0; k < ps->nslots; k++) {
        const struct slot *slot = &wl->slots[ps->first + k];
        if (slot->fr == NONE)
            continue;
        add_key(s, names_text(world_names(c->w), slot->res));
        str_add_json(s, world_pair(c->w, slot->fr).flavor);
    }
    str_add(s, "},\"resourceUsage\":{");
    for (uint32_t k = 0; k < ps->nslots; k++)
        add_amount(s, c, wl->slots[ps->first + k].res, wl->slots[ps->first + k].amount);
    str_add(s, "}}");
}

void vec_cycle_check_admissions(struct vec_cycle *c, const char *field, const struct doc_node *want)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    for (const struct wl *wl = world_first_workload(c->w); wl; wl = world_next_workload(wl)) {
        if (wl->cq == NONE)
            continue;
        add_key(&s, wl->key);
        str_addf(&s, "{\"clusterQueue\":\"%s\",\"podSetAssignments\":[", world_cq(c->w, wl->cq).name);
        for (uint32_t i = 0; i < wl->npod_sets; i++)
            add_pod_set(&s, c, wl, &wl->pod_sets[i]);
        str_add(&s, "]}");
    }
    str_addc(&s, '}');
    vec_check_json(c->v, field, want, &s, NULL);
    str_free(&s);
}

void vec_cycle_check_left(struct vec_cycle *c, const char *field, const struct doc_node *want,
                          bool inadmissible)
{
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    for (uint32_t i = 0; i < world_cq_count(c->w); i++) {
        struct wl *wl = world_pending_first(c->w, i, inadmissible);
        if (!wl)
            continue;
        add_key(&s, world_cq(c->w, i).name);
        str_addc(&s, '[');
        for (; wl; wl = world_pending_next(wl)) {
            comma(&s);
            str_add_json(&s, wl->key);
        }
        str_addc(&s, ']');
    }
    str_addc(&s, '}');
    vec_check_json(c->v, field, want, &s, &(struct vec_compare){.sets = true});
    str_free(&s);
}

void vec_cycle_check_events(struct vec_cycle *c, const char *field, const struct doc_node *want)
{
    static const char *const texts[] = {"message", NULL};
    if (!want || want->type == DOC_NULL)
        return;
    str_addc(&c->events, ']');
    vec_check_json(c->v, field, want, &c->events, &(struct vec_compare){.ignore = texts, .sets = true});
}

void vec_cycle_check_counts(struct vec_cycle *c, const struct doc_node *skips,
                            const struct doc_node *recomputes)
{
    static const char *const results[] = {[RECOMPUTE_DEFERRED_FIT] = "deferred_fit",
                                          [RECOMPUTE_NEW_TARGETS] = "new_targets",
                                          [RECOMPUTE_SKIPPED] = "skipped"};
    const struct cycle *cycle = c->last;
    doc_foreach (n, skips) {
        uint32_t got = 0;
        for (uint32_t i = 0; cycle && i < cycle->nskips; i++)
            if (strcmp(world_cq(c->w, cycle->skips[i].cq).name, n->key) == 0)
                got = cycle->skips[i].n;
        vec_check_i64(c->v, vec_printf(c->v, "wantSkippedPreemptions.%s", n->key), n, got);
    }
    doc_foreach (n, recomputes)
        doc_foreach (r, n) {
            int64_t got = 0;
            for (uint32_t i = 0; cycle && i < cycle->nrecomputes; i++)
                got += strcmp(world_cq(c->w, cycle->recomputes[i].cq).name, n->key) == 0 &&
                       strcmp(results[cycle->recomputes[i].result], r->key) == 0;
            vec_check_i64(c->v, vec_printf(c->v, "wantPreemptionTargetRecomputations.%s.%s", n->key, r->key),
                          r, got);
        }
}
