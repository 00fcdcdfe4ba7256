/* What an object says, as digests; and the reading of a whole status. */
#include "api/wl_json_priv.h"
#include "base/mem.h"

#include <string.h>

enum { EVICTIONS_MAX = 256, REQUESTS_MAX = 64 };

/* FNV-1a, 64 bit */
static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    for (const unsigned char *b = p; n; b++, n--)
        h = (h ^ *b) * 0x100000001b3u;
    return h;
}

uint64_t wl_json_hash_text(uint64_t h, const char *text)
{
    return hash_bytes(h, text, strlen(text) + 1);
}

uint64_t wl_json_hash_i64(uint64_t h, int64_t v)
{
    return hash_bytes(h, &v, sizeof(v));
}

uint64_t wl_json_hash_quantity(uint64_t h, struct quantity q)
{
    h = wl_json_hash_i64(h, (int64_t)q.coef);
    return wl_json_hash_i64(wl_json_hash_i64(h, (int64_t)(q.coef >> 64)), q.exp10);
}

uint64_t wl_json_conditions_digest(const struct status *s)
{
    uint64_t h = WL_JSON_SEED;

    for (int t = 0; t < COND_TYPES; t++) {
        const struct cond *c = &s->cond[t];
        h = wl_json_hash_i64(h, c->status);
        if (c->status == STATUS_ABSENT)
            continue;
        h = wl_json_hash_text(wl_json_hash_text(h, c->reason), c->message);
        h = wl_json_hash_i64(wl_json_hash_i64(h, wl_json_seconds(c->since)), c->generation);
    }
    return h;
}

uint64_t wl_json_checks_digest(const struct status *s)
{
    uint64_t h = WL_JSON_SEED;

    for (uint32_t i = 0; i < s->nchecks; i++) {
        const struct status_check *c = &s->checks[i];
        h = wl_json_hash_text(wl_json_hash_text(h, c->name), c->message);
        h = wl_json_hash_i64(wl_json_hash_i64(h, c->state), wl_json_seconds(c->since));
        h = wl_json_hash_i64(h, c->has_requeue_after ? c->requeue_after_s : INT64_MIN);
        h = wl_json_hash_i64(h, c->has_retry_count ? c->retry_count : INT64_MIN);
    }
    return h;
}

uint64_t wl_json_evictions_digest(const struct status *s)
{
    uint64_t h = WL_JSON_SEED;

    for (uint32_t i = 0; i < s->nevictions; i++) {
        const struct status_eviction *e = &s->evictions[i];
        h = wl_json_hash_i64(wl_json_hash_text(wl_json_hash_text(h, e->reason), e->cause), e->count);
    }
    return h;
}

static uint64_t hash_amount(const char *resource, struct quantity q)
{
    return wl_json_hash_quantity(wl_json_hash_text(WL_JSON_SEED, resource), q);
}

uint64_t wl_json_requests_digest(const struct fact_assignment *list, uint32_t n)
{
    uint64_t h = WL_JSON_SEED;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k < list[i].nusage; k++)
            sum += hash_amount(list[i].usage[k].resource, list[i].usage[k].q);
        h = wl_json_hash_i64(wl_json_hash_text(h, list[i].pod_set), (int64_t)sum);
    }
    return n ? h : 0;
}

/* The same of a document. */
static uint64_t requests_digest(const struct doc_node *list)
{
    uint64_t h = WL_JSON_SEED;
    struct quantity q;

    if (!list || !list->n)
        return 0;
    doc_foreach (c, list) {
        uint64_t sum = 0;
        doc_foreach (r, doc_field(c, "resources"))
            if (r->key && !doc_quantity(r, &q, NULL))
                sum += hash_amount(r->key, q);
        h = wl_json_hash_i64(wl_json_hash_text(h, doc_str_or(c, "name", "")), (int64_t)sum);
    }
    return h;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static int read_evictions(const struct doc_node *status, struct status *s)
{
    const struct doc_node *list = doc_path(status, "schedulingStats.evictions");
    uint32_t n = list ? (list->n < EVICTIONS_MAX ? list->n : EVICTIONS_MAX) : 0;

    if (!n)
        return 0;
    s->evictions = mem_zalloc(n, sizeof(*s->evictions));
    if (!s->evictions)
        return ERR_NOMEM;
    doc_foreach (c, list) {
        if (s->nevictions == n)
            break;
        int64_t count = doc_i64_or(c, "count", 0);
        struct status_eviction e = {mem_strdup(doc_str_or(c, "reason", "")),
                                    mem_strdup(doc_str_or(c, "underlyingCause", "")),
                                    count > INT32_MAX ? INT32_MAX
                                    : count < 0       ? 0
                                                      : (int32_t)count};
        s->evictions[s->nevictions++] = e;
        if (!e.reason || !e.cause)
            return ERR_NOMEM;
    }
    return 0;
}

static int32_t seconds_of(const struct doc_node *status)
{
    int32_t v = 0;

    return doc_i32(doc_field(status, "accumulatedPastExecutionTimeSeconds"), &v, NULL) ? 0 : v;
}

static struct wl_json_base base_of(const struct status *s, const struct doc_node *status)
{
    const struct cond *reserved = &s->cond[COND_QUOTA_RESERVED];

    return (struct wl_json_base){
        .conditions = wl_json_conditions_digest(s),
        .checks = wl_json_checks_digest(s),
        .evictions = wl_json_evictions_digest(s),
        .requests = requests_digest(doc_field(status, "resourceRequests")),
        .reserved_at = reserved->status == STATUS_TRUE ? reserved->since : WHEN_NONE,
        .requeue_at = s->requeue_at,
        .requeue_count = s->requeue_count,
        .accumulated_s = s->accumulated_s,
        .has_admission = doc_field(status, "admission") != NULL,
    };
}

int wl_json_read(const struct doc_node *workload, const struct fact_workload *f, struct status *s,
                 struct wl_json_base *ret_base, struct wl_json_rest **ret_rest)
{
    const struct doc_node *status = doc_field(workload, "status"),
                          *gates = doc_path(workload, "spec.preemptionGates");
    struct wl_json_rest *rest;
    struct status next;

    status_init(&next);
    int rc = status_from_fact(&next, f);
    if (!rc)
        rc = read_evictions(status, &next);
    if (!rc)
        rc = wl_json_rest_read(status, &rest);
    if (rc) {
        status_free(&next);
        return rc;
    }
    next.accumulated_s = seconds_of(status);
    next.has_gates = next.has_gates || (gates && gates->n);
    status_free(s);
    *s = next;
    *ret_base = base_of(s, status);
    *ret_rest = rest;
    return 0;
}
