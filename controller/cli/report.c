#include "cli/report_priv.h"

#include "base/mem.h"
#include "cli/table.h"
#include "core/waiting.h"

#include <string.h>

static void on_cycle(void *arg, const struct cycle *c)
{
    struct report *r = arg;

    for (uint32_t i = 0; i < c->nevicted; i++) {
        uint32_t k = r->nevictions;
        if (mem_grow((void **)&r->evictions, &r->cap_evictions, k + 1, sizeof(*r->evictions))) {
            r->failed = true;
            return;
        }
        struct report_eviction *e = &r->evictions[r->nevictions++];
        *e = (struct report_eviction){sim_of(c->evicted[i])->index, sim_of(c->evicted_by[i]->w)->index,
                                      c->evicted_target[i]->reason, NONE};
        struct report_wl *by = &r->wls[e->preemptor], *victim = &r->wls[e->victim];
        if (by->first == NONE)
            by->first = k;
        else
            r->evictions[by->last].next_of_preemptor = k;
        by->last = k;
        victim->evicted_by = k;
        victim->nevicted++;
    }
}

struct report *report_new(struct sim *s)
{
    struct report *r = mem_zalloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->sim = s;
    r->wls = mem_zalloc(sim_count(s) + 1, sizeof(*r->wls));
    if (!r->wls) {
        mem_free(r);
        return NULL;
    }
    for (uint32_t i = 0; i < sim_count(s); i++)
        r->wls[i] = (struct report_wl){NONE, NONE, NONE, 0};
    sim_watch(s, &(struct sim_watcher){.arg = r, .cycle = on_cycle});
    return r;
}

void report_free(struct report *r)
{
    if (!r)
        return;
    mem_free(r->wls);
    mem_free(r->evictions);
    mem_free(r);
}

void report_amount(struct str *out, const char *resource, amount v)
{
    char buf[64];

    if (v == AMOUNT_UNLIMITED) {
        str_add(out, "unlimited");
        return;
    }
    amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), buf, sizeof(buf));
    str_add(out, buf);
}

/* ---- where -------------------------------------------------------------------------------------------------------------- */

/* The flavor of all resources, NULL if they differ. */
static const char *only_flavor(const struct sim_pod_set *ps)
{
    const char *flavor = NULL;

    for (uint32_t i = 0; i < ps->nshares; i++) {
        if (!*ps->shares[i].flavor)
            continue;
        if (flavor && strcmp(flavor, ps->shares[i].flavor) != 0)
            return NULL;
        flavor = ps->shares[i].flavor;
    }
    return flavor;
}

static void put_shares(struct str *out, const struct sim_pod_set *ps)
{
    const char *flavor = only_flavor(ps), *comma = "";

    for (uint32_t i = 0; i < ps->nshares; i++) {
        const struct sim_share *share = &ps->shares[i];
        if (!*share->flavor)
            continue;
        str_add(out, comma);
        comma = ", ";
        report_amount(out, share->resource, share->amount);
        str_addf(out, " %s", share->resource);
        if (!flavor)
            str_addf(out, " on %s", share->flavor);
    }
    if (flavor)
        str_addf(out, " on %s", flavor);
}

/* "main: 2 pods, 4 nvidia.com/gpu on h100" */
static void put_admission(struct str *out, const struct sim_admission *a)
{
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        const struct sim_pod_set *ps = &a->pod_sets[i];
        str_addf(out, "%s%s: %d %s", i ? "; " : "", ps->name, ps->count, ps->count == 1 ? "pod" : "pods");
        if (!ps->nshares)
            continue;
        str_add(out, ", ");
        put_shares(out, ps);
    }
}

/* ---- whom --------------------------------------------------------------------------------------------------------------- */

static const char *why_evicted(enum preempt_reason r)
{
    switch (r) {
    case PREEMPT_IN_CQ:
        return "priority within its queue";
    case PREEMPT_RECLAIM:
        return "takes back its quota";
    case PREEMPT_FAIR:
        return "fair share";
    case PREEMPT_RECLAIM_WHILE_BORROWING:
        return "priority, while borrowing";
    }
    return "";
}

static void put_victims(struct str *out, const struct report *r, const struct report_wl *rw)
{
    uint32_t prev = NONE;

    for (uint32_t k = rw->first; k != NONE; prev = k, k = r->evictions[k].next_of_preemptor) {
        const struct report_eviction *e = &r->evictions[k];
        if (prev == NONE)
            str_add(out, out->len ? "; evicted " : "evicted ");
        else if (r->evictions[prev].reason != e->reason)
            str_addf(out, " (%s), ", why_evicted(r->evictions[prev].reason));
        else
            str_add(out, ", ");
        str_add(out, sim_at(r->sim, e->victim)->key);
    }
    if (prev != NONE)
        str_addf(out, " (%s)", why_evicted(r->evictions[prev].reason));
}

/* ---- why it waits ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *words;
} waits[] = {
    {"WaitingForQuota", "not enough quota is free"},
    {"ExceedsMaxQuota", "asks for more than its queue can ever have"},
    {"NoMatchingFlavor", "no flavor suits it"},
    {"TopologyPlacementFailed", "no place in the topology"},
    {"WaitingForPreemptedWorkloads", "waits for those that it evicts"},
    {"WaitingForPodsReady", "waits until the pods of others are ready"},
    {"AdmissionGated", "held back by a gate"},
    {"Suspended", "its queue does not admit"},
    {"Misconfigured", "cannot be queued"},
    {"Deactivated", "switched off"},
    {"OnHold", "on hold"},
};

static const char *words_of(const char *reason)
{
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        if (!strcmp(waits[i].reason, reason))
            return waits[i].words;
    return "waits";
}

/* The text of the condition, without what every such text begins with. */
static const char *detail_of(const char *message)
{
    static const char head[] = "couldn't assign flavors to ";

    return strncmp(message, head, sizeof(head) - 1) ? message : message + sizeof(head) - 1;
}

static uint32_t ahead_of(const struct world *w, const struct wl *wl)
{
    uint32_t n = 0;

    for (struct wl *x = world_pending_first(w, wl->pending_cq, false); x && x != wl;
         x = world_pending_next(x))
        n++;
    return n;
}

/* Not evaluated since it was queued: whoever looks at it is not there yet. */
static void put_unevaluated(struct str *out, const struct report *r, const struct wl *wl)
{
    const struct world *w = sim_world(r->sim);
    enum wait_reason parked;

    if (waiting_parked_reason(w, wl, &parked)) {
        str_addf(out, "%s: one just like it was refused", words_of(wait_reason_text(parked)));
    } else if (wl->bucket == BUCKET_ACTIVE) {
        uint32_t n = ahead_of(w, wl);
        str_addf(out, n ? "not its turn yet: %u ahead of it" : "not its turn yet", n);
    } else {
        str_add(out, "waits until something changes in its cohort");
    }
}

static void put_waiting(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct report_wl *rw = &r->wls[sw->index];
    const struct cond *c = &sw->status.cond[COND_QUOTA_RESERVED], *evicted = &sw->status.cond[COND_EVICTED];

    if (rw->evicted_by != NONE)
        str_addf(out, "evicted for %s (%s); ", sim_at(r->sim, r->evictions[rw->evicted_by].preemptor)->key,
                 why_evicted(r->evictions[rw->evicted_by].reason));
    else if (evicted->status == STATUS_TRUE && strcmp(evicted->reason, "Deactivated") != 0)
        str_addf(out, "evicted: %s; ", evicted->message);
    if (c->status == STATUS_ABSENT || !strcmp(c->reason, "PendingEvaluation"))
        put_unevaluated(out, r, sw->wl);
    else
        str_addf(out, "%s: %s", words_of(c->reason), detail_of(c->message));
}

/* ---- the table of Workloads --------------------------------------------------------------------------------------------- */

enum state {
    STATE_RUNNING,
    STATE_RESERVED,
    STATE_STOPPING,
    STATE_WAITING,
    STATE_FINISHED,
    STATE_ABSENT,
    STATES
};

static const char *const state_names[STATES] = {
    [STATE_RUNNING] = "admitted", [STATE_RESERVED] = "reserved", [STATE_STOPPING] = "stopping",
    [STATE_WAITING] = "waiting",  [STATE_FINISHED] = "finished", [STATE_ABSENT] = "to come",
};

static enum state state_of(const struct sim_wl *sw)
{
    const struct cond *c = sw->status.cond;

    if (c[COND_FINISHED].status == STATUS_TRUE)
        return STATE_FINISHED;
    if (!sw->wl)
        return STATE_ABSENT;
    if (c[COND_QUOTA_RESERVED].status != STATUS_TRUE)
        return STATE_WAITING;
    if (c[COND_EVICTED].status == STATUS_TRUE)
        return STATE_STOPPING;
    return c[COND_ADMITTED].status == STATUS_TRUE ? STATE_RUNNING : STATE_RESERVED;
}

static const char *queue_of(const struct world *w, const struct sim_wl *sw)
{
    const char *cq = "";
    enum stop_policy stop;

    if (sw->admission)
        return sw->admission->cluster_queue;
    (void)world_lq(w, sw->fact->ns, sw->fact->queue, &cq, &stop);
    return *cq ? cq : "-";
}

static void put_checks(struct str *out, const struct status *s)
{
    const char *comma = "; waits for ";

    for (uint32_t i = 0; i < s->nchecks; i++) {
        if (s->checks[i].state == CHECK_READY)
            continue;
        str_addf(out, "%s%s", comma, s->checks[i].name);
        comma = ", ";
    }
}

static void put_details(struct str *out, const struct report *r, const struct sim_wl *sw, enum state state)
{
    const struct report_wl *rw = &r->wls[sw->index];

    if (state == STATE_WAITING)
        put_waiting(out, r, sw);
    else if (sw->admission)
        put_admission(out, sw->admission);
    if (state == STATE_RESERVED)
        put_checks(out, &sw->status);
    if (state == STATE_STOPPING)
        str_addf(out, "; %s", sw->status.cond[COND_EVICTED].message);
    put_victims(out, r, rw);
    if (state != STATE_WAITING && state != STATE_STOPPING && rw->nevicted)
        str_addf(out, "; was evicted %u time%s before", rw->nevicted, rw->nevicted == 1 ? "" : "s");
}

static void put_summary(struct str *out, const struct report *r, const uint32_t *counts)
{
    const char *comma = "";
    char at[40];

    for (int i = 0; i < STATES; i++) {
        if (!counts[i])
            continue;
        str_addf(out, "%s%u %s", comma, counts[i], state_names[i]);
        comma = ", ";
    }
    str_addf(out, "%s%llu cycles", *comma ? "; " : "", (unsigned long long)sim_cycles(r->sim));
    if (sim_time(r->sim) > 0) { /* 1970: no time was given anywhere */
        when_print(sim_time(r->sim), at, sizeof(at));
        str_addf(out, ", the last at %s", at);
    }
    str_add(out, "\n");
    if (sim_end(r->sim) == SIM_RESTLESS)
        str_add(out, "It does not come to rest: evictions go on and on at this time, with nothing new from "
                     "outside.\n");
    if (sim_end(r->sim) == SIM_STOPPED)
        str_add(out, "Stopped at the maximum of cycles; something may still move.\n");
}

static void put_workloads(struct report *r, struct str *out)
{
    static const char *const heads[] = {"WORKLOAD", "CLUSTERQUEUE", "STATE", "DETAILS"};
    uint32_t counts[STATES] = {0};
    struct table t;
    struct str details;

    table_init(&t, 4);
    str_init(&details, 0);
    for (size_t i = 0; i < 4; i++)
        table_cell(&t, heads[i]);
    for (uint32_t i = 0; i < sim_count(r->sim); i++) {
        const struct sim_wl *sw = sim_at(r->sim, i);
        enum state state = state_of(sw);
        counts[state]++;
        str_clear(&details);
        put_details(&details, r, sw, state);
        table_cell(&t, sw->key);
        table_cell(&t, queue_of(sim_world(r->sim), sw));
        table_cell(&t, state_names[state]);
        table_cell(&t, str_text(&details));
    }
    table_print(&t, out);
    str_add(out, "\n");
    put_summary(out, r, counts);
    if (str_failed(&details))
        out->failed = true;
    str_free(&details);
    table_free(&t);
}

void report_print(struct report *r, struct str *out)
{
    if (r->failed)
        out->failed = true;
    put_workloads(r, out);
    str_add(out, "\n");
    report_queues(r, out);
}
