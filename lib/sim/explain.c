/* What the cycles decide about the Workload, taken down as they decide it; and the whole. */
#include "sim/explain_priv.h"

#include "base/mem.h"
#include "core/reason.h"

#include <string.h>

const char *explain_state_name(enum explain_state s)
{
    static const char *const names[] = {"waiting", "admitted", "finished", "unsettled"};

    return names[s];
}

const char *explain_text(struct explain *e, const struct str *s)
{
    char *to = ARENA_NEW(&e->mem, char, s->len + 1);

    memcpy(to, str_text(s), s->len);
    return to;
}

/* What is taken down while the run without changes goes on: `e->run` is not there yet. */
struct watcher {
    struct explain *e;
    const char *ns, *name;
    const struct world *w;
    when_ns now;
    struct str text;
};

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

static const struct sim_wl *record_of(const struct wl *wl)
{
    return sim_of(wl);
}

static bool is_target(const struct watcher *t, const struct wl *wl)
{
    const struct fact_workload *f = record_of(wl)->fact;

    return !strcmp(f->name, t->name) && !strcmp(f->ns, t->ns);
}

static void take_reasons(struct watcher *t, const struct pod_set_choice *ps, const struct attempt *from,
                         struct explain_attempt *to)
{
    const char **list = ARENA_NEW(&t->e->mem, const char *, from->nreasons + 1);

    for (uint32_t i = 0; i < from->nreasons; i++) {
        str_clear(&t->text);
        reason_print(&t->text, t->w, &ps->reasons[from->first_reason + i]);
        list[i] = explain_text(t->e, &t->text);
    }
    to->reasons = list;
    to->nreasons = from->nreasons;
}

static void take_attempts(struct watcher *t, const struct wl *wl, const struct assignment *a)
{
    struct explain *e = t->e;
    const struct names *names = world_names(t->w);
    uint32_t n = 0;

    for (uint32_t i = 0; a && i < a->npod_sets; i++)
        n += a->pod_sets[i].nattempts;
    e->attempts = ARENA_NEW(&e->mem, struct explain_attempt, n + 1);
    e->nattempts = 0;
    for (uint32_t i = 0; a && i < a->npod_sets; i++) {
        const struct pod_set_choice *ps = &a->pod_sets[i];
        for (uint32_t k = 0; k < ps->nattempts; k++) {
            const struct attempt *from = &ps->attempts[k];
            struct explain_attempt *to = &e->attempts[e->nattempts++];
            to->pod_set = names_text(names, wl->pod_sets[ps->pod_set].name);
            to->flavor = names_text(names, from->flavor);
            to->mode = mode_text(from->mode);
            to->borrows = from->mode != MODE_NO_FIT && from->level > 0;
            take_reasons(t, ps, from, to);
        }
    }
}

static void take_decision(struct watcher *t, const struct decision *d)
{
    struct explain *e = t->e;

    e->decisions++;
    e->decided = t->now;
    e->outcome = outcome_text(d->outcome);
    e->wait = d->outcome == OUTCOME_ADMITTED ? "" : wait_reason_text(d->wait);
    str_clear(&t->text);
    if (d->outcome != OUTCOME_ADMITTED)
        reason_message(&t->text, t->w, d);
    e->message = explain_text(e, &t->text);
    e->borrow_level = d->a ? d->a->borrowing : 0;
    take_attempts(t, d->w, d->a);
}

/* ---- evictions ---------------------------------------------------------------------------------------------------------- */

static double share_of(const struct watcher *t, uint32_t cq)
{
    struct cq_view v = world_cq(t->w, cq);

    return v.tree && v.tree->nodes[v.node].parent != TREE_NONE ? share_weighted(tree_share(v.tree, v.node))
                                                               : -1;
}

static void add_eviction(struct watcher *t, const struct cycle *c, uint32_t i, struct explain_evictions *to)
{
    const struct target *g = c->evicted_target[i];
    const struct decision *by = c->evicted_by[i];
    struct explain *e = t->e;

    to->all++;
    if (to->n == EXPLAIN_EVICTIONS_MAX)
        return;
    if (!to->list)
        to->list = ARENA_NEW(&e->mem, struct explain_eviction, EXPLAIN_EVICTIONS_MAX);
    str_clear(&t->text);
    reason_preemption(&t->text, t->w, by->w, by->cq, g);
    to->list[to->n++] = (struct explain_eviction){
        .victim = record_of(g->w)->key,
        .victim_queue = world_cq(t->w, g->cq).name,
        .by = record_of(by->w)->key,
        .by_queue = world_cq(t->w, by->cq).name,
        .reason = preempt_reason_text(g->reason),
        .message = explain_text(e, &t->text),
        .victim_share = g->reason == PREEMPT_FAIR ? share_of(t, g->cq) : -1,
        .by_share = g->reason == PREEMPT_FAIR ? share_of(t, by->cq) : -1,
        .at = t->now,
    };
}

static void on_step(void *arg, when_ns now)
{
    struct watcher *t = arg;

    t->now = now;
}

static void on_cycle(void *arg, const struct cycle *c)
{
    struct watcher *t = arg;
    struct explain *e = t->e;

    for (uint32_t i = 0; i < c->nevicted; i++) {
        if (is_target(t, c->evicted_by[i]->w))
            add_eviction(t, c, i, &e->evicted);
        if (is_target(t, c->evicted[i]))
            add_eviction(t, c, i, &e->evictions);
    }
    for (uint32_t i = 0; i < c->ndecisions; i++)
        if (is_target(t, c->decisions[i].w))
            take_decision(t, &c->decisions[i]);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

static void take_state(struct explain *e)
{
    const struct sim *s = what_if_base(e->run);

    e->target = what_if_target(e->run);
    e->at = sim_time(s);
    e->state = sim_end(s) != SIM_QUIESCENT   ? EXPLAIN_UNSETTLED
               : what_if_finished(e->target) ? EXPLAIN_FINISHED
               : what_if_holds(e->target)    ? EXPLAIN_ADMITTED
                                             : EXPLAIN_WAITS;
}

static bool was_refused(const struct sim_wl *sw)
{
    static const char bypassed[] = "Bypassed scheduling evaluation";
    const struct cond *c = &sw->status.cond[COND_QUOTA_RESERVED];

    return sw->wl && sw->wl->bucket != BUCKET_NONE && c->status == STATUS_FALSE &&
           strcmp(c->reason, "PendingEvaluation") != 0 &&
           strncmp(c->message, bypassed, sizeof(bypassed) - 1) != 0;
}

/* One of the same class is parked without a look at it (engine.md 4.10): the other's refusal is its own. */
static void take_twin(struct explain *e)
{
    const struct sim *s = what_if_base(e->run);
    const struct wl *wl = e->target->wl;

    for (uint32_t i = 0; wl && wl->bucket == BUCKET_INADMISSIBLE && i < sim_count(s); i++) {
        const struct sim_wl *sw = sim_at(s, i);
        if (sw == e->target || !was_refused(sw) || sw->wl->pending_cq != wl->pending_cq ||
            memcmp(sw->wl->class, wl->class, sizeof(wl->class)) != 0)
            continue;
        e->twin = sw->key;
        e->twin_message = sw->status.cond[COND_QUOTA_RESERVED].message;
        return;
    }
}

static int run(struct explain *e, struct watcher *t, const struct api_set *objects, struct err *err)
{
    const struct sim_watcher watch = {.arg = t, .step = on_step, .cycle = on_cycle};
    int rc = what_if_new(objects, t->ns, t->name, &e->run, err);

    if (rc)
        return rc;
    t->w = sim_world(what_if_base(e->run));
    rc = what_if_start(e->run, &watch, err);
    if (rc)
        return rc;
    take_state(e);
    rc = explain_view(e, err);
    if (e->state == EXPLAIN_WAITS && !e->decisions)
        take_twin(e);
    if (!rc && e->state == EXPLAIN_WAITS)
        rc = options_find(e->run, &e->mem, &e->options, err);
    return rc;
}

/* Memory that runs out anywhere below comes back here. */
static int collect(struct explain *e, struct watcher *t, const struct api_set *objects, struct err *err)
{
    jmp_buf bail;

    if (setjmp(bail))
        return err_set(err, ERR_NOMEM, "out of memory for the explanation");
    e->mem.bail = &bail;
    int rc = run(e, t, objects, err);
    e->mem.bail = NULL;
    return rc;
}

int explain_new(const struct api_set *objects, const char *ns, const char *name, struct explain **ret,
                struct err *err)
{
    struct explain *e = mem_zalloc(1, sizeof(*e));
    struct watcher t = {.e = e, .ns = ns, .name = name};

    *ret = NULL;
    if (!e)
        return err_set(err, ERR_NOMEM, "out of memory");
    arena_init(&e->mem, 65536);
    str_init(&t.text, 1 << 20);
    e->queue = e->cluster_queue = e->outcome = e->wait = e->message = e->cq_reason = e->cq_message = "";
    e->twin = e->twin_message = "";
    e->decided = e->at = WHEN_NONE;
    int rc = collect(e, &t, objects, err);
    str_free(&t.text);
    if (rc)
        explain_free(e);
    else
        *ret = e;
    return rc;
}

void explain_free(struct explain *e)
{
    if (!e)
        return;
    what_if_free(e->run);
    arena_free(&e->mem);
    mem_free(e);
}
