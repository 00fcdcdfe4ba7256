#include "api/queue_json.h"

#include "api/wl_json_priv.h"
#include "base/mem.h"
#include "core/lq_view.h"
#include "core/tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What a queue holds, by flavor in the order of the spec, then by resource name. */
struct rows {
    struct cq_use *at; /* owned */
    uint32_t n, cap;
    bool failed;
};

static void take_row(const struct cq_use *u, void *arg)
{
    struct rows *r = arg;

    if (r->failed || mem_grow((void **)&r->at, &r->cap, r->n + 1, sizeof(*r->at))) {
        r->failed = true;
        return;
    }
    uint32_t i = r->n++;
    for (; i > 0 && strcmp(r->at[i - 1].flavor, u->flavor) == 0 &&
           strcmp(r->at[i - 1].resource, u->resource) > 0;
         i--)
        r->at[i] = r->at[i - 1];
    r->at[i] = *u;
}

/* One status in the making: what all three kinds have in common. */
struct view {
    bool known;
    uint32_t pending, reserving, admitted;
    bool borrows; /* `borrowed` is told */
    bool cohort;  /* and may be more than 0 */
    struct rows rows;
    bool has_share;
    int64_t share;
    const struct afs_ledger *afs;
};

static void quantity_text(const char *resource, amount v, char *text, size_t cap)
{
    amount_quantity_print(v, resource_is_cpu(resource), resource_is_binary(resource), text, cap);
}

static amount total_of(const struct cq_use *u, bool admitted)
{
    return admitted ? u->admitted : u->reserved;
}

static amount borrowed_of(const struct view *v, const struct cq_use *u, bool admitted)
{
    return v->cohort ? amount_max(0, amount_sub(total_of(u, admitted), u->nominal)) : 0;
}

/* ---- what the world says ------------------------------------------------------------------------------------------------ */

static struct view view_cluster_queue(const struct queue_json *q)
{
    struct view v = {.borrows = true};
    uint32_t i = world_cq_find(q->w, q->name);

    if (i == NONE)
        return v;
    struct cq_view cq = world_cq(q->w, i);
    v.known = true;
    v.pending = cq.npending_active + cq.npending_inadmissible;
    v.reserving = cq.nreserving;
    v.admitted = cq.nadmitted;
    v.cohort = *cq.cohort != '\0';
    v.has_share = q->fair_sharing;
    if (q->fair_sharing && cq.tree && !cq.tree->cyclic)
        v.share = share_status(tree_share(cq.tree, cq.node));
    world_cq_uses(q->w, i, take_row, &v.rows);
    return v;
}

/* 8.5: the share of a LocalQueue is always 0. */
static struct view view_local_queue(const struct queue_json *q)
{
    struct lq_view lq = lq_view(q->w, q->ns, q->name);
    struct view v = {.known = lq.exists};

    if (!lq.exists)
        return v;
    v.pending = lq.npending;
    v.reserving = lq.nreserving;
    v.admitted = lq.nadmitted;
    v.has_share = q->afs;
    v.afs = q->afs ? lq_view_consumed(q->w, q->ns, q->name) : NULL;
    lq_view_uses(q->w, q->ns, q->name, take_row, &v.rows);
    return v;
}

static struct view view_cohort(const struct queue_json *q)
{
    struct view v = {.has_share = q->fair_sharing};
    uint32_t name = names_find(world_names(q->w), q->name);
    const struct tree *t;

    for (uint32_t i = 0; !v.known && (t = world_tree(q->w, i)); i++) {
        for (uint32_t k = 0; k < t->nnodes && !v.known && !t->cyclic; k++) {
            if (t->nodes[k].cq != TREE_NONE || t->nodes[k].name != name || !name)
                continue;
            v.known = true;
            v.share = q->fair_sharing ? share_status(tree_share(t, k)) : 0;
        }
    }
    return v;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static void begin(const struct queue_json *q, struct str *out)
{
    str_addc(out, '{');
    if (*q->uid || *q->resource_version) {
        const char *comma = "";
        str_add(out, "\"metadata\":{");
        if (*q->uid) {
            str_add(out, "\"uid\":");
            str_add_json(out, q->uid);
            comma = ",";
        }
        if (*q->resource_version) {
            str_addf(out, "%s\"resourceVersion\":", comma);
            str_add_json(out, q->resource_version);
        }
        str_add(out, "},");
    }
    str_add(out, "\"status\":{");
}

static void add_usage(const struct view *v, const char *key, bool admitted, struct str *out)
{
    const char *flavor = NULL;
    char text[64];

    str_addf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < v->rows.n; i++) {
        const struct cq_use *u = &v->rows.at[i];
        bool same = flavor && strcmp(flavor, u->flavor) == 0;
        if (!same) {
            str_add(out, flavor ? "]},{\"name\":" : "{\"name\":");
            str_add_json(out, u->flavor);
            str_add(out, ",\"resources\":[");
        }
        flavor = u->flavor;
        str_add(out, same ? ",{\"name\":" : "{\"name\":");
        str_add_json(out, u->resource);
        quantity_text(u->resource, total_of(u, admitted), text, sizeof(text));
        str_addf(out, ",\"total\":\"%s\"", text);
        quantity_text(u->resource, borrowed_of(v, u, admitted), text, sizeof(text));
        if (v->borrows)
            str_addf(out, ",\"borrowed\":\"%s\"", text);
        str_addc(out, '}');
    }
    str_add(out, flavor ? "]}]" : "]");
}

static void add_condition(const struct cond *c, struct str *out)
{
    char text[40];

    when_print(c->since == WHEN_NONE ? 0 : c->since, text, sizeof(text));
    str_addf(out, ",\"conditions\":[{\"type\":\"Active\",\"status\":\"%s\"",
             c->status == STATUS_TRUE ? "True" : "False");
    if (c->generation)
        str_addf(out, ",\"observedGeneration\":%" PRId32, c->generation);
    str_addf(out, ",\"lastTransitionTime\":\"%s\",\"reason\":", text);
    str_add_json(out, c->reason);
    str_add(out, ",\"message\":");
    str_add_json(out, c->message);
    str_add(out, "}]");
}

/* 4.9. The map is required: one that is empty is written as such. (A merge patch adds to a map; what was consumed decays and stays listed.) */
static void add_consumed(const struct queue_json *q, const struct afs_ledger *l, struct str *out)
{
    char text[64];

    str_add(out, ",\"admissionFairSharingStatus\":{\"consumedResources\":");
    str_addc(out, '{');
    for (uint32_t i = 0; i < l->nconsumed; i++) {
        if (i)
            str_addc(out, ',');
        str_add_json(out, names_text(world_names(q->w), l->consumed[i].res));
        quantity_print(l->consumed[i].q, text, sizeof(text));
        str_addf(out, ":\"%s\"", text);
    }
    str_addc(out, '}');
    if (l->updated != WHEN_NONE) {
        when_print(l->updated, text, sizeof(text));
        str_addf(out, ",\"lastUpdate\":\"%s\"", text);
    }
    str_addc(out, '}');
}

static void add_share(const struct queue_json *q, const struct view *v, struct str *out)
{
    if (!v->has_share) {
        str_add(out, "\"fairSharing\":null");
        return;
    }
    str_addf(out, "\"fairSharing\":{\"weightedShare\":%" PRId64, v->share);
    if (v->afs)
        add_consumed(q, v->afs, out);
    str_addc(out, '}');
}

static int render(const struct queue_json *q, struct view *v, struct str *out)
{
    int rc = !v->known ? ERR_NOTFOUND : v->rows.failed ? ERR_NOMEM : 0;

    if (!rc) {
        begin(q, out);
        str_addf(out, "\"pendingWorkloads\":%u,\"reservingWorkloads\":%u,\"admittedWorkloads\":%u",
                 v->pending, v->reserving, v->admitted);
        add_usage(v, "flavorsReservation", false, out);
        add_usage(v, "flavorsUsage", true, out);
        if (q->active && q->active->status != STATUS_ABSENT)
            add_condition(q->active, out);
        str_addc(out, ',');
        add_share(q, v, out);
        str_add(out, "}}");
        rc = str_failed(out) ? ERR_NOMEM : 0;
    }
    mem_free(v->rows.at);
    return rc;
}

int queue_json_cluster_queue(const struct queue_json *q, struct str *out)
{
    struct view v = view_cluster_queue(q);

    return render(q, &v, out);
}

int queue_json_local_queue(const struct queue_json *q, struct str *out)
{
    struct view v = view_local_queue(q);

    return render(q, &v, out);
}

int queue_json_cohort(const struct queue_json *q, struct str *out)
{
    struct view v = view_cohort(q);

    if (!v.known)
        return ERR_NOTFOUND;
    begin(q, out);
    add_share(q, &v, out);
    str_add(out, "}}");
    return str_failed(out) ? ERR_NOMEM : 0;
}

/* ---- digests of the world ----------------------------------------------------------------------------------------------- */

/* One line of usage, as both sides say it. */
static uint64_t hash_use(uint64_t h, const char *flavor, const char *resource, struct quantity total,
                         struct quantity borrowed)
{
    h = wl_json_hash_text(wl_json_hash_text(h, flavor), resource);
    return wl_json_hash_quantity(wl_json_hash_quantity(h, total), borrowed);
}

static uint64_t hash_counts(uint64_t h, int64_t pending, int64_t reserving, int64_t admitted)
{
    return wl_json_hash_i64(wl_json_hash_i64(wl_json_hash_i64(h, pending), reserving), admitted);
}

static uint64_t hash_condition(uint64_t h, const char *status, const char *reason, const char *message,
                               int64_t generation)
{
    h = wl_json_hash_text(wl_json_hash_text(wl_json_hash_text(h, status), reason), message);
    return wl_json_hash_i64(h, generation);
}

static uint64_t hash_share(uint64_t h, bool has, int64_t share)
{
    return wl_json_hash_i64(h, has ? share : INT64_MIN);
}

/* A sum: the order of a map does not count. */
static uint64_t hash_amount(const char *resource, struct quantity q)
{
    return wl_json_hash_quantity(wl_json_hash_text(WL_JSON_SEED, resource), q);
}

static uint64_t hash_consumed(uint64_t h, uint64_t sum, when_ns updated)
{
    return wl_json_hash_i64(wl_json_hash_i64(h, (int64_t)sum), wl_json_seconds(updated));
}

/* The value that quantity_text writes. */
static struct quantity quantity_of(const char *resource, amount v)
{
    char text[64];
    struct quantity q;

    quantity_text(resource, v, text, sizeof(text));
    return quantity_parse(text, strlen(text), &q, NULL) ? quantity_from_i64(v) : q;
}

static uint64_t hash_usage(uint64_t h, const struct view *v, bool admitted)
{
    for (uint32_t i = 0; i < v->rows.n; i++) {
        const struct cq_use *u = &v->rows.at[i];
        h = hash_use(h, u->flavor, u->resource, quantity_of(u->resource, total_of(u, admitted)),
                     quantity_of(u->resource, v->borrows ? borrowed_of(v, u, admitted) : 0));
    }
    return wl_json_hash_i64(h, v->rows.n);
}

static uint64_t digest(const struct queue_json *q, struct view *v)
{
    uint64_t h = hash_counts(WL_JSON_SEED, v->pending, v->reserving, v->admitted), sum = 0;
    const struct cond *c = q->active;

    h = hash_usage(hash_usage(h, v, false), v, true);
    if (c && c->status != STATUS_ABSENT)
        h = hash_condition(h, c->status == STATUS_TRUE ? "True" : "False", c->reason, c->message,
                           c->generation);
    h = hash_share(h, v->has_share, v->share);
    if (v->afs) {
        for (uint32_t i = 0; i < v->afs->nconsumed; i++)
            sum += hash_amount(names_text(world_names(q->w), v->afs->consumed[i].res), v->afs->consumed[i].q);
        h = hash_consumed(h, sum, v->afs->updated);
    }
    bool known = v->known && !v->rows.failed;
    mem_free(v->rows.at);
    return !known ? 0 : h ? h : 1;
}

uint64_t queue_json_cluster_queue_digest(const struct queue_json *q)
{
    struct view v = view_cluster_queue(q);

    return digest(q, &v);
}

uint64_t queue_json_local_queue_digest(const struct queue_json *q)
{
    struct view v = view_local_queue(q);

    return digest(q, &v);
}

uint64_t queue_json_cohort_digest(const struct queue_json *q)
{
    struct view v = view_cohort(q);
    uint64_t h = hash_share(WL_JSON_SEED, v.has_share, v.share);

    return !v.known ? 0 : h ? h : 1;
}

/* ---- digests of documents ----------------------------------------------------------------------------------------------- */

/* What is none becomes one that no queue holds. */
static struct quantity quantity_in(const struct doc_node *n)
{
    struct quantity q;

    return doc_quantity(n, &q, NULL) ? quantity_from_i64(n ? INT64_MIN : 0) : q;
}

static uint64_t hash_list(uint64_t h, const struct doc_node *list, bool borrows)
{
    int64_t n = 0;

    doc_foreach (f, list) {
        doc_foreach (r, doc_field(f, "resources")) {
            h = hash_use(h, doc_str_or(f, "name", ""), doc_str_or(r, "name", ""),
                         quantity_in(doc_field(r, "total")),
                         quantity_in(borrows ? doc_field(r, "borrowed") : NULL));
            n++;
        }
    }
    return wl_json_hash_i64(h, n);
}

static const struct doc_node *active_of(const struct doc_node *status)
{
    doc_foreach (c, doc_field(status, "conditions"))
        if (strcmp(doc_str_or(c, "type", ""), "Active") == 0)
            return c;
    return NULL;
}

static uint64_t hash_afs(uint64_t h, const struct doc_node *afs)
{
    uint64_t sum = 0;
    struct quantity q;

    if (!afs)
        return h;
    doc_foreach (c, doc_field(afs, "consumedResources"))
        if (c->key && !doc_quantity(c, &q, NULL))
            sum += hash_amount(c->key, q);
    return hash_consumed(h, sum, doc_when_or(afs, "lastUpdate", WHEN_NONE));
}

uint64_t queue_json_digest_of(enum api_kind kind, const struct doc_node *object)
{
    const struct doc_node *status = doc_field(object, "status"), *active = active_of(status),
                          *share = doc_field(status, "fairSharing");
    bool borrows = kind == API_CLUSTER_QUEUE;
    uint64_t h = WL_JSON_SEED;

    if (kind != API_COHORT) {
        h = hash_counts(h, doc_i64_or(status, "pendingWorkloads", 0),
                        doc_i64_or(status, "reservingWorkloads", 0),
                        doc_i64_or(status, "admittedWorkloads", 0));
        h = hash_list(hash_list(h, doc_field(status, "flavorsReservation"), borrows),
                      doc_field(status, "flavorsUsage"), borrows);
        if (active)
            h = hash_condition(h, doc_str_or(active, "status", ""), doc_str_or(active, "reason", ""),
                               doc_str_or(active, "message", ""),
                               doc_i64_or(active, "observedGeneration", 0));
    }
    h = hash_share(h, share != NULL, doc_i64_or(share, "weightedShare", 0));
    if (kind == API_LOCAL_QUEUE)
        h = hash_afs(h, doc_field(share, "admissionFairSharingStatus"));
    return h ? h : 1;
}

int queue_json_active(const struct doc_node *object, struct cond *c)
{
    const struct doc_node *n = active_of(doc_field(object, "status"));
    struct cond next = {.since = WHEN_NONE};

    if (n) {
        next =
            (struct cond){.status = doc_is_text(doc_field(n, "status"), "True") ? STATUS_TRUE : STATUS_FALSE,
                          .reason = mem_strdup(doc_str_or(n, "reason", "")),
                          .message = mem_strdup(doc_str_or(n, "message", "")),
                          .since = doc_when_or(n, "lastTransitionTime", WHEN_NONE),
                          .generation = cond_generation(doc_i64_or(n, "observedGeneration", 0))};
        if (!next.reason || !next.message) {
            mem_free(next.reason);
            mem_free(next.message);
            return ERR_NOMEM;
        }
    }
    mem_free(c->reason);
    mem_free(c->message);
    *c = next;
    return 0;
}
