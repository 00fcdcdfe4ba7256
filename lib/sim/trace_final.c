/* The final state of a trace. */
#include "sim/trace_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- ClusterQueues ------------------------------------------------------------------------------------------------------ */

struct use_rows {
    struct cq_use *at; /* owned */
    uint32_t n, cap;
    bool failed;
};

static void take_use(const struct cq_use *u, void *arg)
{
    struct use_rows *rows = arg;

    if (mem_grow((void **)&rows->at, &rows->cap, rows->n + 1, sizeof(*rows->at)))
        rows->failed = true;
    else
        rows->at[rows->n++] = *u;
}

static int compare_uses(const void *a, const void *b)
{
    const struct cq_use *x = a, *y = b;
    int c = strcmp(x->flavor, y->flavor);

    return c ? c : strcmp(x->resource, y->resource);
}

static void put_uses(struct str *out, const char *key, const struct use_rows *rows, bool has_cohort,
                     bool admitted)
{
    str_addf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct cq_use *u = &rows->at[i];
        amount total = admitted ? u->admitted : u->reserved;
        str_add(out, i ? ",{" : "{");
        trace_field(out, "flavor", u->flavor);
        str_add(out, ",");
        trace_field(out, "resource", u->resource);
        str_add(out, ",\"total\":");
        trace_amount(out, u->resource, total);
        str_add(out, ",\"borrowed\":");
        trace_amount(out, u->resource, has_cohort ? amount_max(0, amount_sub(total, u->nominal)) : 0);
        str_add(out, "}");
    }
    str_add(out, "]");
}

static void put_share(struct str *out, struct share share)
{
    double precise = share_weighted(share);

    str_addf(out, ",\"weightedShare\":%lld", (long long)share_status(share));
    if (isinf(precise))
        str_add(out, ",\"preciseShare\":\"inf\"");
    else
        str_addf(out, ",\"preciseShare\":\"%.12g\"", precise);
}

static void put_pending(const struct world *w, struct str *out, uint32_t cq, bool inadmissible)
{
    const char *comma = "";

    str_add(out, inadmissible ? ",\"pendingInadmissible\":[" : ",\"pendingActive\":[");
    for (struct wl *wl = world_pending_first(w, cq, inadmissible); wl; wl = world_pending_next(wl)) {
        str_add(out, comma);
        str_add_json(out, wl->key);
        comma = ",";
    }
    str_add(out, "]");
}

static void put_cluster_queue(const struct sim *s, struct str *out, uint32_t cq)
{
    const struct world *w = sim_world(s);
    const struct cq_view v = world_cq(w, cq);
    struct use_rows rows = {0};

    world_cq_uses(w, cq, take_use, &rows);
    out->failed = out->failed || rows.failed;
    qsort(rows.at, rows.n, sizeof(*rows.at), compare_uses);
    str_add(out, "{");
    trace_field(out, "name", v.name);
    str_addf(out, ",\"active\":%s,\"reservingWorkloads\":%u,\"admittedWorkloads\":%u",
             v.state == CQ_ACTIVE ? "true" : "false", v.nreserving, v.nadmitted);
    put_uses(out, "flavorsReservation", &rows, *v.cohort, false);
    put_uses(out, "flavorsUsage", &rows, *v.cohort, true);
    if (sim_fair_sharing(s) && v.in_snapshot)
        put_share(out, tree_share(v.tree, v.node));
    put_pending(w, out, cq, false);
    put_pending(w, out, cq, true);
    str_add(out, "}");
    mem_free(rows.at);
}

static void put_cluster_queues(const struct sim *s, struct str *out)
{
    uint32_t n;
    const uint32_t *order = world_cq_order(sim_world(s), &n);

    str_add(out, ",\"clusterQueues\":[");
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, i ? ",\n " : "\n ");
        put_cluster_queue(s, out, order[i]);
    }
    str_add(out, "]");
}

/* ---- cohorts ------------------------------------------------------------------------------------------------------------ */

struct cohort_row {
    const char *name;
    const struct tree *t;
    uint32_t node;
};

static bool has_active(const struct tree *t, uint32_t cohort)
{
    for (uint32_t i = cohort + 1; i < t->nodes[cohort].end; i++)
        if (t->nodes[i].cq != TREE_NONE && t->nodes[i].active)
            return true;
    return false;
}

static int compare_cohorts(const void *a, const void *b)
{
    return strcmp(((const struct cohort_row *)a)->name, ((const struct cohort_row *)b)->name);
}

static uint32_t list_cohorts(const struct world *w, struct cohort_row *rows)
{
    const struct tree *t;
    uint32_t n = 0;

    for (uint32_t i = 0; (t = world_tree(w, i)); i++) {
        for (uint32_t k = 0; k < t->nnodes; k++) {
            if (t->nodes[k].cq != TREE_NONE || t->cyclic || !has_active(t, k))
                continue;
            if (rows)
                rows[n] = (struct cohort_row){names_text(world_names(w), t->nodes[k].name), t, k};
            n++;
        }
    }
    return n;
}

static void put_cohorts(const struct sim *s, struct str *out)
{
    uint32_t n = list_cohorts(sim_world(s), NULL);
    struct cohort_row *rows = mem_alloc((n + 1) * sizeof(*rows));

    if (!rows) {
        out->failed = true;
        return;
    }
    (void)list_cohorts(sim_world(s), rows);
    qsort(rows, n, sizeof(*rows), compare_cohorts);
    str_add(out, ",\"cohorts\":[");
    for (uint32_t i = 0; i < n; i++) {
        str_add(out, i ? ",\n {" : "\n {");
        trace_field(out, "name", rows[i].name);
        put_share(out, tree_share(rows[i].t, rows[i].node));
        str_add(out, "}");
    }
    str_add(out, "]");
    mem_free(rows);
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

/* The order of the names of the types. */
static const enum cond_type by_type[] = {
    COND_ADMITTED,
    COND_BLOCKED_ON_GATES,
    COND_DEACTIVATION_TARGET,
    COND_EVICTED,
    COND_FINISHED,
    COND_PODS_READY,
    COND_PREEMPTED,
    COND_QUOTA_RESERVED,
    COND_REQUEUED,
    COND_WAITING_FOR_REPLACEMENT,
};

static const char *status_text(enum cond_status s)
{
    return s == STATUS_TRUE ? "True" : s == STATUS_FALSE ? "False" : "Unknown";
}

static void put_conditions(struct str *out, const struct status *s)
{
    const char *open = ",\"conditions\":[{";

    for (size_t i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++) {
        const struct cond *c = &s->cond[by_type[i]];
        if (c->status == STATUS_ABSENT)
            continue;
        str_add(out, open);
        open = ",{";
        trace_field(out, "type", cond_type_name(by_type[i]));
        str_add(out, ",");
        trace_field(out, "status", status_text(c->status));
        str_add(out, ",");
        trace_field(out, "reason", c->reason);
        if (by_type[i] == COND_QUOTA_RESERVED)
            trace_optional(out, "message", c->message);
        if ((by_type[i] == COND_QUOTA_RESERVED || by_type[i] == COND_FINISHED) && c->since != WHEN_NONE) {
            str_add(out, ",");
            trace_time(out, "lastTransitionTime", c->since);
        }
        str_add(out, "}");
    }
    if (*open == ',' && open[1] == '{')
        str_add(out, "]");
}

static const char *phase_of(const struct status *s)
{
    if (s->cond[COND_FINISHED].status == STATUS_TRUE)
        return "finished";
    if (s->cond[COND_ADMITTED].status == STATUS_TRUE)
        return "admitted";
    return s->cond[COND_QUOTA_RESERVED].status == STATUS_TRUE ? "quotaReserved" : "pending";
}

static void put_workload(struct str *out, const struct sim_wl *sw)
{
    const struct sim_admission *a = sw->admission;

    str_add(out, "{");
    trace_field(out, "workload", sw->key);
    str_add(out, ",");
    trace_field(out, "phase", phase_of(&sw->status));
    if (a) {
        str_add(out, ",");
        trace_field(out, "clusterQueue", a->cluster_queue);
        str_add(out, ",\"podSets\":[");
        for (uint32_t i = 0; i < a->npod_sets; i++) {
            const struct sim_pod_set *ps = &a->pod_sets[i];
            str_add(out, i ? "," : "");
            trace_pod_set(out, ps->name, ps->count, ps->shares, ps->nshares);
        }
        str_add(out, "]");
    }
    put_conditions(out, &sw->status);
    str_add(out, "}");
}

/* Those that have not arrived yet are not there. */
static void put_workloads(const struct sim *s, struct str *out)
{
    const char *comma = "\n ";

    str_add(out, ",\"workloads\":[");
    for (uint32_t i = 0; i < sim_count(s); i++) {
        const struct sim_wl *sw = sim_at(s, i);
        if (!sw->wl && sw->status.cond[COND_FINISHED].status != STATUS_TRUE)
            continue;
        str_add(out, comma);
        put_workload(out, sw);
        comma = ",\n ";
    }
    str_add(out, "]");
}

void trace_final(const struct sim *s, struct str *out)
{
    str_add(out, "{");
    trace_time(out, "time", sim_time(s));
    put_cluster_queues(s, out);
    if (sim_fair_sharing(s))
        put_cohorts(s, out);
    put_workloads(s, out);
    str_add(out, "}");
}
