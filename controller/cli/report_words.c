/* What the report says about one Workload: its state, where it was admitted, whom it evicted, why it waits. */
#include "cli/report_priv.h"

#include "base/mem.h"
#include "core/queue_view.h"
#include "core/reason.h"
#include "core/waiting.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- state -------------------------------------------------------------------------------------------------------------- */

static const char *const state_names[REPORT_STATES] = {
    [REPORT_ADMITTED] = "admitted", [REPORT_RESERVED] = "reserved", [REPORT_STOPPING] = "stopping",
    [REPORT_WAITING] = "waiting",   [REPORT_FINISHED] = "finished", [REPORT_TO_COME] = "to come",
};

const char *report_state_name(enum report_state state)
{
    return state_names[state];
}

enum report_state report_state_of(const struct sim_wl *sw)
{
    const struct cond *c = sw->status.cond;

    if (c[COND_FINISHED].status == STATUS_TRUE)
        return REPORT_FINISHED;
    if (!sw->wl)
        return REPORT_TO_COME;
    if (c[COND_QUOTA_RESERVED].status != STATUS_TRUE)
        return REPORT_WAITING;
    if (c[COND_EVICTED].status == STATUS_TRUE)
        return REPORT_STOPPING;
    return c[COND_ADMITTED].status == STATUS_TRUE ? REPORT_ADMITTED : REPORT_RESERVED;
}

bool report_somebody_waits(const struct sim *s)
{
    for (uint32_t i = 0; i < sim_count(s); i++) {
        enum report_state state = report_state_of(sim_at(s, i));
        if (state != REPORT_ADMITTED && state != REPORT_FINISHED)
            return true;
    }
    return false;
}

const char *report_queue_of(const struct world *w, const struct sim_wl *sw)
{
    const char *cq = "";
    enum stop_policy stop;

    if (sw->admission)
        return sw->admission->cluster_queue;
    (void)world_lq(w, sw->fact->ns, sw->fact->queue, &cq, &stop);
    return cq;
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

const char *report_why(enum preempt_reason r)
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
            str_addf(out, " (%s), ", report_why(r->evictions[prev].reason));
        else
            str_add(out, ", ");
        str_add(out, sim_at(r->sim, e->victim)->key);
    }
    if (prev != NONE)
        str_addf(out, " (%s)", report_why(r->evictions[prev].reason));
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

const char *report_words(const char *reason)
{
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
        if (!strcmp(waits[i].reason, reason))
            return waits[i].words;
    return "waits";
}

/* The text of a condition, without what every such text begins with and without a word of Go that says nothing to people. */
static void put_message(struct str *out, const char *message)
{
    static const char head[] = "couldn't assign flavors to ", nil[] = " <nil>}";

    if (!strncmp(message, head, sizeof(head) - 1))
        message += sizeof(head) - 1;
    for (const char *p; (p = strstr(message, nil)); message = p + sizeof(nil) - 2)
        str_addn(out, message, (size_t)(p - message));
    str_add(out, message);
}

/* " (Can't admit new workloads: ...)", when its ClusterQueue is the reason. */
static void put_inactive_queue(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct world *w = sim_world(r->sim);
    uint32_t cq = world_cq_find(w, report_queue_of(w, sw));
    const char *reason;
    struct str why;

    str_init(&why, 0);
    if (cq != NONE && world_cq(w, cq).exists && !world_cq_active(w, cq, &reason, &why))
        str_addf(out, " (%s)", str_text(&why));
    if (str_failed(&why))
        out->failed = true;
    str_free(&why);
}

const char *report_wait_reason(const struct sim_wl *sw)
{
    if (!report_unevaluated(sw))
        return sw->status.cond[COND_QUOTA_RESERVED].reason;
    return wait_reason_text(sw->wl->wants_devices ? WAIT_MISCONFIGURED : WAIT_PENDING_EVALUATION);
}

bool report_unevaluated(const struct sim_wl *sw)
{
    const struct cond *c = &sw->status.cond[COND_QUOTA_RESERVED];

    return c->status == STATUS_ABSENT || !strcmp(c->reason, "PendingEvaluation");
}

/* Its condition only says that one like it was refused (engine.md 10.4 step 8). */
static bool is_bypassed(const struct sim_wl *sw)
{
    static const char head[] = "Bypassed scheduling evaluation";

    return !strncmp(sw->status.cond[COND_QUOTA_RESERVED].message, head, sizeof(head) - 1);
}

/* ---- one just like it ---------------------------------------------------------------------------------------------------- */

static int compare_shapes(const struct sim_wl *a, const struct sim_wl *b)
{
    if (a->wl->pending_cq != b->wl->pending_cq)
        return a->wl->pending_cq < b->wl->pending_cq ? -1 : 1;
    return memcmp(a->wl->class, b->wl->class, sizeof(a->wl->class));
}

static int compare_refused(const void *a, const void *b)
{
    const struct sim_wl *x = *(const struct sim_wl *const *)a, *y = *(const struct sim_wl *const *)b;
    int c = compare_shapes(x, y);

    return c ? c : x->index < y->index ? -1 : x->index > y->index;
}

int report_refusals(struct report *r)
{
    uint32_t n = sim_count(r->sim);

    r->refused = mem_alloc((n + 1) * sizeof(struct sim_wl *));
    if (!r->refused)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        const struct sim_wl *sw = sim_at(r->sim, i);
        if (report_state_of(sw) == REPORT_WAITING && sw->wl->bucket != BUCKET_NONE &&
            !report_unevaluated(sw) && !is_bypassed(sw))
            r->refused[r->nrefused++] = sw;
    }
    qsort(r->refused, r->nrefused, sizeof(*r->refused), compare_refused);
    return 0;
}

/* The first by name that waits in the same queue, is of the same shape and was refused in person; NULL if none. */
static const struct sim_wl *refused_twin(const struct report *r, const struct sim_wl *sw)
{
    uint32_t lo = 0, hi = r->nrefused;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (compare_shapes(r->refused[mid], sw) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->nrefused && !compare_shapes(r->refused[lo], sw) ? r->refused[lo] : NULL;
}

static void put_twin(struct str *out, const struct report *r, const struct sim_wl *sw, const char *reason)
{
    const struct sim_wl *twin = refused_twin(r, sw);

    str_addf(out, "%s: ", report_words(reason));
    if (!twin) {
        str_add(out, "one just like it was refused");
        return;
    }
    str_addf(out, "as for %s, ", twin->key);
    put_message(out, twin->status.cond[COND_QUOTA_RESERVED].message);
}

static void put_refused_devices(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct decision d = {.w = sw->wl, .message = MESSAGE_DEVICES, .wait = WAIT_MISCONFIGURED};

    str_addf(out, "%s: ", report_words(wait_reason_text(d.wait)));
    reason_message(out, sim_world(r->sim), &d);
}

/* Not evaluated since it was queued: whoever looks at it is not there yet. */
static void put_unevaluated(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    uint32_t place = r->wls[sw->index].in_cq;
    enum wait_reason parked;

    if (sw->wl->wants_devices)
        put_refused_devices(out, r, sw);
    else if (waiting_parked_reason(sim_world(r->sim), sw->wl, &parked))
        put_twin(out, r, sw, wait_reason_text(parked));
    else if (sw->wl->bucket == BUCKET_ACTIVE)
        str_addf(out, place > 1 ? "not its turn yet: %u ahead of it" : "not its turn yet", place - 1);
    else
        str_add(out, "waits until something changes in its cohort");
}

/* "Deactivated", or "DeactivatedDueTo..." with a message that says more. */
static bool is_deactivated(const struct sim_wl *sw)
{
    const struct cond *evicted = &sw->status.cond[COND_EVICTED];

    return evicted->status == STATUS_TRUE && !strncmp(evicted->reason, "Deactivated", strlen("Deactivated"));
}

void report_waiting(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct cond *c = &sw->status.cond[COND_QUOTA_RESERVED];

    if (report_unevaluated(sw)) {
        put_unevaluated(out, r, sw);
    } else if (is_bypassed(sw)) {
        put_twin(out, r, sw, c->reason);
    } else if (is_deactivated(sw)) {
        str_addf(out, "%s: %s", report_words("Deactivated"), sw->status.cond[COND_EVICTED].message);
    } else {
        str_addf(out, "%s: ", report_words(c->reason));
        put_message(out, c->message);
        if (!strcmp(c->reason, "Suspended"))
            put_inactive_queue(out, r, sw);
    }
}

/* Who or what took its place away, while it has none. */
static void put_evicted(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct report_wl *rw = &r->wls[sw->index];
    const struct cond *evicted = &sw->status.cond[COND_EVICTED];

    if (rw->evicted_by != NONE)
        str_addf(out, "evicted for %s (%s); ", sim_at(r->sim, r->evictions[rw->evicted_by].preemptor)->key,
                 report_why(r->evictions[rw->evicted_by].reason));
    else if (evicted->status == STATUS_TRUE && !is_deactivated(sw))
        str_addf(out, "evicted: %s; ", evicted->message);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

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

static void put_arrival(struct str *out, const struct sim_wl *sw)
{
    char at[40];

    when_print(sw->arrival, at, sizeof(at));
    str_addf(out, "arrives at %s", at);
}

void report_details(struct str *out, const struct report *r, const struct sim_wl *sw)
{
    const struct report_wl *rw = &r->wls[sw->index];
    enum report_state state = report_state_of(sw);

    if (state == REPORT_WAITING) {
        put_evicted(out, r, sw);
        report_waiting(out, r, sw);
    } else if (sw->admission) {
        put_admission(out, sw->admission);
    }
    if (state == REPORT_TO_COME)
        put_arrival(out, sw);
    if (state == REPORT_RESERVED)
        put_checks(out, &sw->status);
    if (state == REPORT_STOPPING)
        str_addf(out, "; %s", sw->status.cond[COND_EVICTED].message);
    put_victims(out, r, rw);
    if (state != REPORT_WAITING && state != REPORT_STOPPING && rw->nevicted)
        str_addf(out, "; was evicted %u time%s before", rw->nevicted, rw->nevicted == 1 ? "" : "s");
}

/* ---- places ------------------------------------------------------------------------------------------------------------- */

static int take_places(struct report *r, uint32_t cq)
{
    struct place_query q = {.cq = cq, .ns = "", .limit = QUEUE_VIEW_MAX};
    struct place *places;
    uint32_t n;

    if (queue_view_places(sim_world(r->sim), &q, &places, &n))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct report_wl *rw = &r->wls[sim_of(places[i].w)->index];
        rw->in_cq = places[i].in_cq + 1;
        rw->in_lq = places[i].in_lq + 1;
    }
    mem_free(places);
    return 0;
}

int report_places(struct report *r)
{
    uint32_t n;
    const uint32_t *order = world_cq_order(sim_world(r->sim), &n);

    for (uint32_t i = 0; i < n; i++)
        if (take_places(r, order[i]))
            return ERR_NOMEM;
    return 0;
}
