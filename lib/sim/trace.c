#include "sim/trace_priv.h"

#include "base/mem.h"
#include "core/reason.h"

#include <stdlib.h>
#include <string.h>

struct trace {
    struct sim *sim;
    char *name; /* owned */
    struct str steps, text;
    char **last;                /* owned; by record: message of the last decision on it, NULL = none yet */
    const struct sim_wl **list; /* owned; scratch */
    uint32_t nsteps, nevents, ncycles; /* so far: all, of this step */
    bool cycle_open;
};

/* ---- pieces ------------------------------------------------------------------------------------------------------------- */

void trace_field(struct str *out, const char *key, const char *value)
{
    str_addf(out, "\"%s\":", key);
    str_add_json(out, value);
}

void trace_time(struct str *out, const char *key, when_ns t)
{
    char buf[40];

    when_print(t, buf, sizeof(buf));
    trace_field(out, key, buf);
}

void trace_amount(struct str *out, const char *resource, amount v)
{
    char buf[64];

    amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), buf, sizeof(buf));
    str_add_json(out, buf);
}

static void put_names(struct str *out, const char *key, const struct sim_wl *const *list, uint32_t n)
{
    str_addf(out, "\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, i ? "," : "");
        str_add_json(out, list[i]->key);
    }
    str_add(out, "]");
}

static int compare_shares(const void *a, const void *b)
{
    return strcmp(((const struct sim_share *)a)->resource, ((const struct sim_share *)b)->resource);
}

/* Without what has no flavor: it is no part of an admission. */
void trace_pod_set(struct str *out, const char *name, int32_t count, const struct sim_share *shares,
                   uint32_t n)
{
    const char *comma = "";

    str_add(out, "{");
    trace_field(out, "name", name);
    str_addf(out, ",\"count\":%d,\"flavors\":{", count);
    for (uint32_t i = 0; i < n; i++) {
        if (!*shares[i].flavor)
            continue;
        str_add(out, comma);
        trace_field(out, shares[i].resource, shares[i].flavor);
        comma = ",";
    }
    str_add(out, "},\"usage\":{");
    comma = "";
    for (uint32_t i = 0; i < n; i++) {
        if (!*shares[i].flavor)
            continue;
        str_add(out, comma);
        str_add_json(out, shares[i].resource);
        str_add(out, ":");
        trace_amount(out, shares[i].resource, shares[i].amount);
        comma = ",";
    }
    str_add(out, "}}");
}

/* ---- decisions ---------------------------------------------------------------------------------------------------------- */

enum { SHARES_MAX = 256 }; /* resources of one pod set */

static void put_choices(struct trace *t, const struct decision *d)
{
    struct sim_share shares[SHARES_MAX];
    const struct names *names = world_names(sim_world(t->sim));

    str_add(&t->steps, ",\"podSets\":[");
    for (uint32_t i = 0; i < d->a->npod_sets; i++) {
        const struct pod_set_choice *c = &d->a->pod_sets[i];
        uint32_t n = 0;
        for (uint32_t k = 0; k < c->nchoices && n < SHARES_MAX; k++)
            if (c->choices[k].flavor != NONE)
                shares[n++] =
                    (struct sim_share){names_text(names, c->choices[k].res),
                                       names_text(names, c->choices[k].flavor), c->choices[k].amount};
        qsort(shares, n, sizeof(shares[0]), compare_shares);
        str_add(&t->steps, i ? "," : "");
        trace_pod_set(&t->steps, names_text(names, d->w->pod_sets[c->pod_set].name), c->count, shares, n);
    }
    str_add(&t->steps, "]");
}

/* In the order in which the search chose them. */
static void put_targets(struct trace *t, const struct decision *d)
{
    str_add(&t->steps, ",\"targets\":[");
    for (uint32_t i = 0; i < d->ntargets; i++) {
        const struct target *g = &d->targets[i];
        str_add(&t->steps, i ? ",{" : "{");
        trace_field(&t->steps, "workload", g->w->key);
        str_add(&t->steps, ",");
        trace_field(&t->steps, "clusterQueue", world_cq(sim_world(t->sim), g->cq).name);
        str_add(&t->steps, ",");
        trace_field(&t->steps, "reason", preempt_reason_text(g->reason));
        str_add(&t->steps, g->w->marks.evicted ? ",\"alreadyEvicted\":true}" : "}");
    }
    str_add(&t->steps, "]");
}

static bool has_pod_sets(enum outcome o)
{
    return o == OUTCOME_ADMITTED || o == OUTCOME_PREEMPTING || o == OUTCOME_DEFERRED || o == OUTCOME_SKIPPED;
}

/* Left out while it is what the last decision on the Workload said; an admission says nothing. */
static void put_message(struct trace *t, const struct decision *d)
{
    char **last = &t->last[sim_of(d->w)->index];

    str_clear(&t->text);
    if (d->outcome != OUTCOME_ADMITTED)
        reason_message(&t->text, sim_world(t->sim), d);
    const char *text = str_text(&t->text);
    if (!(*last ? strcmp(*last, text) : *text))
        return;
    if (d->outcome != OUTCOME_ADMITTED) {
        str_add(&t->steps, ",");
        trace_field(&t->steps, "message", text);
    }
    mem_free(*last);
    *last = mem_strdup(text);
    if (!*last)
        t->steps.failed = true;
}

void trace_optional(struct str *out, const char *key, const char *value)
{
    if (!*value)
        return;
    str_add(out, ",");
    trace_field(out, key, value);
}

static void put_decision(struct trace *t, const struct decision *d)
{
    struct str *out = &t->steps;

    str_add(out, "{");
    trace_field(out, "workload", d->w->key);
    str_add(out, ",");
    trace_field(out, "clusterQueue", d->cq == NONE ? "" : world_cq(sim_world(t->sim), d->cq).name);
    trace_optional(out, "outcome", outcome_text(d->outcome));
    if (d->a) {
        trace_optional(out, "mode", mode_text(d->a->mode));
        if (d->a->borrowing)
            str_addf(out, ",\"borrowingLevel\":%u", d->a->borrowing);
        if (has_pod_sets(d->outcome))
            put_choices(t, d);
    }
    if (d->ntargets)
        put_targets(t, d);
    if (d->outcome != OUTCOME_ADMITTED) {
        trace_optional(out, "reason", wait_reason_text(d->wait));
        trace_optional(out, "requeueReason", requeue_reason_text(d->requeue));
    }
    put_message(t, d);
    str_add(out, "}");
}

/* ---- the watcher -------------------------------------------------------------------------------------------------------- */

static void close_cycle(struct trace *t)
{
    if (t->cycle_open)
        str_add(&t->steps, "}");
    t->cycle_open = false;
}

static void on_step(void *arg, when_ns now)
{
    struct trace *t = arg;

    str_add(&t->steps, t->nsteps++ ? ",\n{" : "\n{");
    trace_time(&t->steps, "time", now);
    str_add(&t->steps, ",\"events\":[");
    t->nevents = t->ncycles = 0;
}

static void on_event(void *arg, enum sim_event e, const struct sim_wl *sw)
{
    static const char *const types[] = {[SIM_FINISHED] = "finished",
                                        [SIM_RELEASED] = "released",
                                        [SIM_LOOKED] = "looked",
                                        [SIM_ARRIVED] = "arrived"};
    struct trace *t = arg;

    str_add(&t->steps, t->nevents++ ? ",{" : "{");
    trace_field(&t->steps, "type", types[e]);
    str_add(&t->steps, ",");
    trace_field(&t->steps, "workload", sw->key);
    str_add(&t->steps, "}");
}

static int compare_records(const void *a, const void *b)
{
    const struct sim_wl *x = *(const struct sim_wl *const *)a, *y = *(const struct sim_wl *const *)b;

    return x->index < y->index ? -1 : x->index > y->index;
}

static void on_cycle(void *arg, const struct cycle *c)
{
    struct trace *t = arg;

    close_cycle(t);
    str_add(&t->steps, t->ncycles++ ? ",\n" : "],\"cycles\":[\n");
    str_addf(&t->steps, " {\"cycle\":%llu,", (unsigned long long)sim_cycles(t->sim));
    for (uint32_t i = 0; i < c->nheads; i++)
        t->list[i] = sim_of(c->heads[i]);
    put_names(&t->steps, "heads", t->list, c->nheads);
    str_add(&t->steps, ",\"decisions\":[");
    for (uint32_t i = 0; i < c->ndecisions; i++) {
        str_add(&t->steps, i ? ",\n  " : "\n  ");
        put_decision(t, &c->decisions[i]);
    }
    str_add(&t->steps, "]");
    for (uint32_t i = 0; i < c->nevicted; i++)
        t->list[i] = sim_of(c->evicted[i]);
    qsort(t->list, c->nevicted, sizeof(*t->list), compare_records);
    if (c->nevicted) {
        str_add(&t->steps, ",\n  ");
        put_names(&t->steps, "evicted", t->list, c->nevicted);
    }
    t->cycle_open = true;
}

static void on_released(void *arg, const struct sim_wl *const *list, uint32_t n)
{
    struct trace *t = arg;

    str_add(&t->steps, ",\n  ");
    put_names(&t->steps, "released", list, n);
}

static void on_step_end(void *arg)
{
    struct trace *t = arg;

    close_cycle(t);
    str_add(&t->steps, t->ncycles ? "]}" : "],\"cycles\":[]}");
}

struct trace *trace_new(struct sim *s, const char *world_name)
{
    struct trace *t = mem_zalloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->sim = s;
    str_init(&t->steps, (size_t)1 << 31);
    str_init(&t->text, 0);
    t->name = mem_strdup(world_name);
    t->last = mem_zalloc(sim_count(s) + 1, sizeof(*t->last));
    t->list = mem_zalloc(sim_count(s) + 1, sizeof(*t->list));
    if (!t->name || !t->last || !t->list) {
        trace_free(t);
        return NULL;
    }
    sim_watch(s, &(struct sim_watcher){t, on_step, on_event, on_cycle, on_released, on_step_end});
    return t;
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; t->last && i < sim_count(t->sim); i++)
        mem_free(t->last[i]);
    mem_free(t->last);
    mem_free(t->list);
    mem_free(t->name);
    str_free(&t->steps);
    str_free(&t->text);
    mem_free(t);
}

void trace_print(struct trace *t, struct str *out)
{
    const struct sim *s = t->sim;

    str_add(out, "{");
    trace_field(out, "world", t->name);
    str_addf(out, ",\"maxCycles\":%llu,\"quiescent\":%s,\n\"steps\":[", (unsigned long long)sim_max_cycles(s),
             sim_end(s) == SIM_QUIESCENT ? "true" : "false");
    str_addn(out, str_text(&t->steps), t->steps.len);
    str_add(out, "],\n\"final\":");
    if (str_failed(&t->steps))
        out->failed = true;
    trace_final(s, out);
    str_add(out, "}\n");
}
