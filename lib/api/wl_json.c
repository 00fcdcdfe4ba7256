#include "api/wl_json_priv.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

/* What of a status goes into the patch. */
enum {
    DIRTY_CONDITIONS = 1,
    DIRTY_CHECKS = 2,
    DIRTY_REQUEUE = 4,
    DIRTY_ACCUMULATED = 8,
    DIRTY_EVICTIONS = 16,
    DIRTY_ADMISSION = 32,    /* set */
    DIRTY_NO_ADMISSION = 64, /* taken away */
    DIRTY_REQUESTS = 128,
    DIRTY_NO_REQUESTS = 256,
    DIRTY_RECLAIMABLE = 512,
};

/* ---- small parts -------------------------------------------------------------------------------------------------------- */

static void add_time(struct str *out, const char *key, when_ns t)
{
    char text[40];

    when_print(t == WHEN_NONE ? 0 : t, text, sizeof(text)); /* the field is required */
    str_addf(out, ",\"%s\":\"%s\"", key, text);
}

static void add_text(struct str *out, const char *before, const char *text)
{
    str_add(out, before);
    str_add_json(out, text);
}

static void add_quantities(struct str *out, const char *before, const struct fact_amount *list, uint32_t n)
{
    char text[64];

    str_add(out, before);
    str_addc(out, '{');
    for (uint32_t i = 0; i < n; i++) {
        quantity_print(list[i].q, text, sizeof(text));
        add_text(out, i ? "," : "", list[i].resource);
        str_addf(out, ":\"%s\"", text);
    }
    str_addc(out, '}');
}

/* ---- conditions --------------------------------------------------------------------------------------------------------- */

static void add_condition(struct str *out, enum cond_type type, const struct cond *c)
{
    static const char *const words[] = {
        [STATUS_ABSENT] = "", [STATUS_FALSE] = "False", [STATUS_TRUE] = "True", [STATUS_UNKNOWN] = "Unknown"};

    str_addf(out, "{\"type\":\"%s\",\"status\":\"%s\"", cond_type_name(type), words[c->status]);
    if (c->generation)
        str_addf(out, ",\"observedGeneration\":%" PRId32, c->generation);
    add_time(out, "lastTransitionTime", c->since);
    add_text(out, ",\"reason\":", c->reason);
    add_text(out, ",\"message\":", c->message);
    str_addc(out, '}');
}

void wl_json_conditions(const struct status *s, const struct wl_json_rest *rest, struct str *out)
{
    const char *comma = "";

    str_addc(out, '[');
    for (int t = 0; t < COND_TYPES; t++) {
        if (s->cond[t].status == STATUS_ABSENT)
            continue;
        str_add(out, comma);
        add_condition(out, (enum cond_type)t, &s->cond[t]);
        comma = ",";
    }
    for (uint32_t i = 0; rest && i < rest->n; i++) {
        if (rest->parts[i].kind != PART_CONDITION)
            continue;
        str_addf(out, "%s%s", comma, rest->parts[i].text);
        comma = ",";
    }
    str_addc(out, ']');
}

static void add_conditions(const struct wl_json_patch *p, struct str *out)
{
    str_add(out, "\"conditions\":");
    wl_json_conditions(p->to, p->rest, out);
}

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

/* What a check's own controller said of pod sets is void with the reset of an eviction (10.3). */
static void add_check(const struct wl_json_patch *p, const struct status_check *c, struct str *out)
{
    const struct wl_json_part *kept = wl_json_check_part(p->rest, c->name);

    add_text(out, "{\"name\":", c->name);
    str_addf(out, ",\"state\":\"%s\"", check_state_name(c->state));
    add_time(out, "lastTransitionTime", c->since);
    add_text(out, ",\"message\":", c->message);
    if (c->has_requeue_after)
        str_addf(out, ",\"requeueAfterSeconds\":%d", c->requeue_after_s);
    if (c->has_retry_count)
        str_addf(out, ",\"retryCount\":%d", c->retry_count);
    if (kept && *kept->text && (kept->pending || c->state != CHECK_PENDING))
        str_addf(out, ",\"podSetUpdates\":%s", kept->text);
    if (kept)
        str_add(out, kept->more);
    str_addc(out, '}');
}

static void add_checks(const struct wl_json_patch *p, struct str *out)
{
    str_add(out, "\"admissionChecks\":");
    if (!p->to->nchecks) {
        str_add(out, "null");
        return;
    }
    for (uint32_t i = 0; i < p->to->nchecks; i++) {
        str_addc(out, i ? ',' : '[');
        add_check(p, &p->to->checks[i], out);
    }
    str_addc(out, ']');
}

/* ---- requeue state, times, evictions ------------------------------------------------------------------------------------ */

static void add_requeue(const struct wl_json_patch *p, struct str *out)
{
    const struct status *s = p->to;
    const char *comma = "";
    char text[40];

    if (!s->requeue_count && s->requeue_at == WHEN_NONE) {
        str_add(out, "\"requeueState\":null");
        return;
    }
    str_add(out, "\"requeueState\":{");
    if (s->requeue_count != p->from->requeue_count) {
        str_add(out, "\"count\":");
        if (s->requeue_count)
            str_addf(out, "%d", s->requeue_count);
        else
            str_add(out, "null");
        comma = ",";
    }
    if (wl_json_seconds(s->requeue_at) != wl_json_seconds(p->from->requeue_at)) {
        if (s->requeue_at == WHEN_NONE) {
            str_addf(out, "%s\"requeueAt\":null", comma);
        } else {
            when_print(s->requeue_at, text, sizeof(text));
            str_addf(out, "%s\"requeueAt\":\"%s\"", comma, text);
        }
    }
    str_addc(out, '}');
}

static void add_accumulated(const struct wl_json_patch *p, struct str *out)
{
    str_add(out, "\"accumulatedPastExecutionTimeSeconds\":");
    if (p->to->accumulated_s)
        str_addf(out, "%d", p->to->accumulated_s);
    else
        str_add(out, "null");
}

/* An eviction closes the preemption gates (10.3). */
static void add_gates(const struct wl_json_patch *p, struct str *out)
{
    const char *comma = ",\"preemptionGates\":[";

    for (uint32_t i = 0; i < p->rest->n; i++) {
        const struct wl_json_part *g = &p->rest->parts[i];
        if (g->kind != PART_GATE)
            continue;
        str_add(out, comma);
        add_text(out, "{\"name\":", g->name);
        str_add(out, ",\"position\":\"Closed\"");
        if (g->open)
            add_time(out, "lastTransitionTime", p->to->cond[COND_EVICTED].since);
        else if (*g->text)
            add_text(out, ",\"lastTransitionTime\":", g->text);
        str_addc(out, '}');
        comma = ",";
    }
    if (*comma && !comma[1])
        str_addc(out, ']');
}

/* The counts, and what an eviction takes away. */
static void add_evictions(const struct wl_json_patch *p, struct str *out)
{
    const struct status *s = p->to;

    str_add(out, "\"schedulingStats\":{\"evictions\":[");
    for (uint32_t i = 0; i < s->nevictions; i++) {
        add_text(out, i ? ",{\"reason\":" : "{\"reason\":", s->evictions[i].reason);
        add_text(out, ",\"underlyingCause\":", s->evictions[i].cause);
        str_addf(out, ",\"count\":%d}", s->evictions[i].count);
    }
    str_add(out, "]}");
    if (!p->rest)
        return;
    if (p->rest->has_cluster_name)
        str_add(out, ",\"clusterName\":null");
    if (p->rest->has_nominated)
        str_add(out, ",\"nominatedClusterNames\":null");
    if (p->rest->has_unhealthy)
        str_add(out, ",\"unhealthyNodes\":null");
    add_gates(p, out);
}

/* ---- admission ---------------------------------------------------------------------------------------------------------- */

static void add_assignment(const struct fact_assignment *a, struct str *out)
{
    add_text(out, "{\"name\":", a->pod_set);
    if (a->nflavors) {
        for (uint32_t i = 0; i < a->nflavors; i++) {
            add_text(out, i ? "," : ",\"flavors\":{", a->flavors[i].resource);
            add_text(out, ":", a->flavors[i].flavor);
        }
        str_addc(out, '}');
    }
    if (a->nusage)
        add_quantities(out, ",\"resourceUsage\":", a->usage, a->nusage);
    if (a->count >= 0)
        str_addf(out, ",\"count\":%d", a->count);
    str_addc(out, '}');
}

void wl_json_admission(const struct fact_admission *a, struct str *out)
{
    add_text(out, "{\"clusterQueue\":", a->cluster_queue);
    str_add(out, ",\"podSetAssignments\":[");
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        if (i)
            str_addc(out, ',');
        add_assignment(&a->pod_sets[i], out);
    }
    str_add(out, "]}");
}

static void add_admission(const struct wl_json_patch *p, struct str *out)
{
    str_add(out, "\"admission\":");
    wl_json_admission(p->admission, out);
}

static void add_no_admission(const struct wl_json_patch *p, struct str *out)
{
    (void)p;
    str_add(out, "\"admission\":null");
}

static void add_requests(const struct wl_json_patch *p, struct str *out)
{
    for (uint32_t i = 0; i < p->nrequests; i++) {
        add_text(out, i ? ",{\"name\":" : "\"resourceRequests\":[{\"name\":", p->requests[i].pod_set);
        add_quantities(out, ",\"resources\":", p->requests[i].usage, p->requests[i].nusage);
        str_addc(out, '}');
    }
    str_addc(out, ']');
}

static void add_no_requests(const struct wl_json_patch *p, struct str *out)
{
    (void)p;
    str_add(out, "\"resourceRequests\":null");
}

static void add_reclaimable(const struct wl_json_patch *p, struct str *out)
{
    str_add(out, "\"reclaimablePods\":[");
    for (uint32_t i = 0; i < p->nreclaimable; i++) {
        add_text(out, i ? ",{\"name\":" : "{\"name\":", p->reclaimable[i].pod_set);
        str_addf(out, ",\"count\":%d}", p->reclaimable[i].count);
    }
    str_addc(out, ']');
}

/* ---- the patch ---------------------------------------------------------------------------------------------------------- */

/* An admission does not change while it lasts (1.5), so it is written when it begins; one of a later reservation than the object knows of
 * is another one. */
static unsigned dirty_admission(const struct wl_json_patch *p)
{
    const struct cond *reserved = &p->to->cond[COND_QUOTA_RESERVED];
    unsigned no_requests = p->from->requests ? DIRTY_NO_REQUESTS : 0;

    if (reserved->status !=
        STATUS_TRUE) /* without the condition, it is not ours to say that the admission is void */
        return p->from->has_admission && reserved->status != STATUS_ABSENT ? DIRTY_NO_ADMISSION : 0;
    if (!p->admission)
        return 0;
    if (!p->from->has_admission || p->readmitted ||
        wl_json_seconds(p->from->reserved_at) != wl_json_seconds(reserved->since))
        return DIRTY_ADMISSION | no_requests;
    return 0;
}

static unsigned dirty_parts(const struct wl_json_patch *p)
{
    const struct wl_json_base *b = p->from;
    const struct status *s = p->to;
    unsigned dirty = dirty_admission(p);

    if (b->conditions != wl_json_conditions_digest(s))
        dirty |= DIRTY_CONDITIONS;
    if (b->checks != wl_json_checks_digest(s))
        dirty |= DIRTY_CHECKS;
    if (b->evictions != wl_json_evictions_digest(s))
        dirty |= DIRTY_EVICTIONS;
    if (b->requeue_count != s->requeue_count ||
        wl_json_seconds(b->requeue_at) != wl_json_seconds(s->requeue_at))
        dirty |= DIRTY_REQUEUE;
    if (b->accumulated_s != s->accumulated_s)
        dirty |= DIRTY_ACCUMULATED;
    if (p->nrequests && !(dirty & DIRTY_ADMISSION) &&
        b->requests != wl_json_requests_digest(p->requests, p->nrequests))
        dirty |= DIRTY_REQUESTS;
    if (p->reclaimable)
        dirty |= DIRTY_RECLAIMABLE;
    return dirty;
}

static void add_metadata(const struct wl_json_patch *p, struct str *out)
{
    bool uid = *p->uid != '\0', version = *p->resource_version != '\0';

    if (!uid && !version)
        return;
    str_add(out, "\"metadata\":{");
    if (uid)
        add_text(out, "\"uid\":", p->uid);
    if (version)
        add_text(out, uid ? ",\"resourceVersion\":" : "\"resourceVersion\":", p->resource_version);
    str_add(out, "},");
}

int wl_json_patch(const struct wl_json_patch *p, struct str *out, bool *ret_changed)
{
    static const struct {
        unsigned dirty;
        void (*add)(const struct wl_json_patch *p, struct str *out);
    } parts[] = {
        {DIRTY_CONDITIONS, add_conditions},     {DIRTY_ADMISSION, add_admission},
        {DIRTY_NO_ADMISSION, add_no_admission}, {DIRTY_CHECKS, add_checks},
        {DIRTY_REQUEUE, add_requeue},           {DIRTY_ACCUMULATED, add_accumulated},
        {DIRTY_EVICTIONS, add_evictions},       {DIRTY_REQUESTS, add_requests},
        {DIRTY_NO_REQUESTS, add_no_requests},   {DIRTY_RECLAIMABLE, add_reclaimable},
    };
    unsigned dirty = dirty_parts(p);
    const char *comma = "";

    *ret_changed = dirty != 0;
    if (!dirty)
        return 0;
    str_addc(out, '{');
    add_metadata(p, out);
    str_add(out, "\"status\":{");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!(dirty & parts[i].dirty))
            continue;
        str_add(out, comma);
        parts[i].add(p, out);
        comma = ",";
    }
    str_add(out, "}}");
    return str_failed(out) ? ERR_NOMEM : 0;
}
