/* Parts of the life cycle of Workloads (10.4); the order of pending Workloads; what LocalQueues consumed. */
#include "vec_controllers.h"
#include "vec_status.h"

#include "base/mem.h"
#include "core/afs.h"
#include "core/queue_view.h"
#include "lifecycle/checks.h"
#include "lifecycle/execution.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/podsready.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list of checks, first half ------------------------------------------------------------------------------------- */

bool vec_put_references(struct vec *v, struct world *w, const struct fact_cluster_queue *cq)
{
    struct err err;
    for (uint32_t g = 0; g < cq->ngroups; g++)
        for (uint32_t i = 0; i < cq->groups[g].nflavors; i++) {
            struct fact_flavor f = {.name = cq->groups[g].flavors[i].flavor, .topology = ""};
            if (world_put_flavor(w, &f, &err)) {
                vec_broken(v, "a flavor", &err);
                return false;
            }
        }
    for (uint32_t i = 0; i < cq->nchecks; i++) {
        struct fact_admission_check c = {cq->checks[i].name, "", true};
        if (world_put_check(w, &c, &err)) {
            vec_broken(v, "a check", &err);
            return false;
        }
    }
    return true;
}

static void print_checks(const struct status *s, struct str *out)
{
    str_addc(out, '[');
    for (uint32_t i = 0; i < s->nchecks; i++) {
        const struct status_check *c = &s->checks[i];
        str_addf(out, "%s{\"name\":\"%s\",\"state\":\"%s\",\"message\":", i ? "," : "", c->name,
                 check_state_name(c->state));
        str_add_json(out, c->message);
        if (c->has_requeue_after)
            str_addf(out, ",\"requeueAfterSeconds\":%d", c->requeue_after_s);
        if (c->has_retry_count)
            str_addf(out, ",\"retryCount\":%d", c->retry_count);
        str_addc(out, '}');
    }
    str_addc(out, ']');
}

static void check_checks(struct vec *v, const char *field, const struct doc_node *want,
                         const struct status *s)
{
    static const char *const ignore[] = {"lastTransitionTime", NULL};
    struct str text;
    str_init(&text, 0);
    print_checks(s, &text);
    vec_check_json(v, field, want, &text, &(struct vec_compare){.ignore = ignore, .sets = true});
    str_free(&text);
}

/* ---- times (10.5, 10.6) ------------------------------------------------------------------------------------------------- */

static void not_ready(struct vec *v)
{
    const struct doc_node *config = vec_find(v, "waitForPodsReady");
    struct podsready_config c = {.timeout_ns = vec_duration(v, doc_field(config, "timeout")),
                                 .recovery_ns = vec_duration(v, doc_field(config, "recoveryTimeout"))};
    when_ns now = vec_when(v, vec_find(v, "fakeClock"));
    struct object o = {.workload = vec_workload(NULL, 0)};
    struct status s;
    const char *cause;
    char text[64];
    status_init(&s);
    if (vec_find(v, "workload") && !vec_object(v, vec_find(v, "workload"), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        when_ns due = podsready_deadline(&c, &s, &cause);
        duration_print(due != WHEN_NONE && due > now ? due - now : 0, text, sizeof(text));
        vec_check_str(v, "wantRecheckAfter", vec_want(v, "wantRecheckAfter"), text);
        vec_check_str(v, "wantUnderlyingCause", vec_want(v, "wantUnderlyingCause"), cause);
    }
    status_free(&s);
}

static void execution_time(struct vec *v)
{
    struct object o;
    struct status s;
    int64_t ns;
    char text[64] = "";
    if (!vec_object(v, vec_find(v, "wl"), &o))
        return;
    if (vec_status(v, &o.workload, &s)) {
        s.accumulated_s =
            (int32_t)doc_i64_or(doc_field(o.doc, "status"), "accumulatedPastExecutionTimeSeconds", 0);
        if (execution_total(&s, &ns))
            duration_print(ns, text, sizeof(text));
        vec_check_str(v, "want", vec_want(v, "want"), text);
    }
    status_free(&s);
}

/* ---- the list of checks ------------------------------------------------------------------------------------------------- */

/* Our world knows an admission from its reservation on, for pod sets of the spec; the tables give it bare, as "p1". */
static void complete_admission(struct vec *v, struct fact_workload *f)
{
    static const struct fact_condition reserved = {
        .type = COND_QUOTA_RESERVED, .status = STATUS_TRUE, .reason = "QuotaReserved", .message = ""};
    struct fact_pod_set *ps = vec_alloc(v, sizeof(*ps));
    if (!f->admission || f->nconditions || f->npod_sets != 1)
        return;
    *ps = f->pod_sets[0];
    ps->name = f->admission->pod_sets[0].pod_set;
    f->pod_sets = ps;
    f->conditions = &reserved;
    f->nconditions = 1;
}

/* Of a queue "lq" in the namespace of the Workload. */
static void sync_checks_of(struct vec *v, struct world *w, struct fact_workload *f, const char *field)
{
    struct fact_local_queue lq = {.ns = f->ns, .name = "lq", .cluster_queue = "cq", .consumed_at = WHEN_NONE};
    struct status s;
    struct err err;
    bool changed = false;
    f->queue = "lq";
    complete_admission(v, f);
    status_init(&s);
    if (world_put_local_queue(w, &lq, VEC_NOW, &err)) {
        vec_broken(v, "a LocalQueue", &err);
        return;
    }
    struct wl *wl = vec_put_workload(v, w, f, VEC_NOW);
    if (wl && vec_status(v, f, &s)) {
        if (checks_sync(w, wl, &s, VEC_NOW, &changed))
            vec_broken(v, "syncing", NULL);
        if (doc_get(v->want, "wantChange"))
            vec_check_bool(v, "wantChange", vec_want(v, "wantChange"), changed);
        check_checks(v, field, vec_want(v, field), &s);
    }
    status_free(&s);
}

static void sync_checks(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object cq, o;
    if (w && vec_object(v, vec_find(v, "cq"), &cq) && vec_put_references(v, w, &cq.cluster_queue) &&
        vec_put_object(v, w, &cq, VEC_NOW) && vec_object(v, vec_find(v, "wl"), &o))
        sync_checks_of(v, w, &o.workload, "wantChecks");
    world_free(w);
}

static void sync_states(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "list");
    struct fact_cq_check *checks = vec_alloc(v, (list ? list->n : 0) * sizeof(*checks));
    struct fact_cluster_queue cq = {.name = "cq", .cohort = "", .checks = checks};
    struct fact_workload f = vec_workload(NULL, 0);
    struct world *w = vec_world(v, NULL);
    struct err err;
    doc_foreach (c, list)
        checks[cq.nchecks++].name = vec_str(v, c);
    if (api_read_check_states(vec_find(v, "states"), v->arena, API_LENIENT, &f.checks, &f.nchecks, &err))
        vec_broken(v, "states", &err);
    else if (w && vec_put_references(v, w, &cq) && world_put_cluster_queue(w, &cq, VEC_NOW, &err) == 0)
        sync_checks_of(v, w, &f, "wantStates");
    world_free(w);
}

/* ---- order of pending Workloads ----------------------------------------------------------------------------------------- */

static void check_listing(struct vec *v, const struct world *w, uint32_t cq, const char *ns, const char *lq)
{
    const struct doc_node *params = doc_field(vec_find(v, "req"), "queryParams");
    struct place_query q = {.cq = cq,
                            .ns = ns,
                            .lq = lq,
                            .offset = doc_i64_or(params, "offset", 0),
                            .limit = doc_i64_or(params, "limit", 0)};
    struct place *p;
    uint32_t n;
    struct str s;
    if (queue_view_places(w, &q, &p, &n)) {
        vec_broken(v, "places", NULL);
        return;
    }
    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; i < n; i++) {
        const struct wl *wl = p[i].w;
        char created[40];
        when_print(wl->created, created, sizeof(created));
        str_addf(&s, "%s{\"localQueueName\":\"%s\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",",
                 i ? "," : "", names_text(world_names(w), wl->queue), wl->name,
                 names_text(world_names(w), wl->ns));
        str_addf(&s, "\"creationTimestamp\":\"%s\"},\"positionInClusterQueue\":%u,", created, p[i].in_cq);
        str_addf(&s, "\"positionInLocalQueue\":%u,\"priority\":%" PRId64 "}", p[i].in_lq, wl_priority(wl));
    }
    mem_free(p);
    str_addc(&s, ']');
    vec_check_json(v, "wantPendingWorkloads", doc_field(vec_want(v, "wantResp"), "wantPendingWorkloads"), &s,
                   NULL);
    str_free(&s);
}

static void listing(struct vec *v)
{
    const struct doc_node *req = vec_find(v, "req");
    const char *queue = doc_str_or(req, "queueName", ""), *ns = doc_str_or(req, "nsName", NULL), *cq = queue;
    struct world *w = vec_world(v, NULL);
    if (w && vec_put_list(v, w, vec_find(v, "clusterQueues"), VEC_NOW) &&
        vec_put_list(v, w, vec_find(v, "queues"), VEC_NOW) &&
        vec_put_list(v, w, vec_find(v, "workloads"), VEC_NOW)) {
        enum stop_policy stop;
        if (ns && world_lq(w, ns, queue, &cq, &stop) != LQ_OK)
            vec_broken(v, "the LocalQueue", NULL);
        else
            check_listing(v, w, world_cq_find(w, cq), ns, ns ? queue : NULL);
    }
    world_free(w);
}

static void listed_priority(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    struct object o;
    struct wl *wl = NULL;
    if (w && vec_object(v, vec_find(v, "wl"), &o))
        wl = vec_put_workload(v, w, &o.workload, VEC_NOW);
    if (wl)
        vec_check_i64(v, "wantPriority", vec_want(v, "wantPriority"), wl_priority(wl));
    world_free(w);
}

/* ---- consumption of LocalQueues (4.9) ----------------------------------------------------------------------------------- */

struct consumption {
    struct names *names;
    struct afs_config config;
    struct afs_ledger ledger;
};

static void begin(struct vec *v, struct consumption *c)
{
    const struct doc_node *config = vec_find(v, "afsConfig");
    *c = (struct consumption){.names = names_new(), .config = {.on = true}};
    c->config.half_life_ns = vec_duration(v, doc_field(config, "usageHalfLifeTime"));
    c->config.sampling_ns = vec_duration(v, doc_field(config, "usageSamplingInterval"));
    afs_ledger_init(&c->ledger);
}

static void seed(struct vec *v, struct consumption *c, const struct doc_node *resources, when_ns at)
{
    uint32_t n;
    const struct fact_amount *a = vec_amounts(v, resources, &n);
    if (afs_seed(&c->ledger, c->names, a, n, at))
        vec_broken(v, "seeding", NULL);
}

static void end(struct consumption *c)
{
    afs_ledger_free(&c->ledger);
    names_free(c->names);
}

/* A Workload that asks for 4 cpu is settled. */
static void settle(struct vec *v)
{
    const struct doc_node *entry = vec_find(v, "initialEntry");
    struct consumption c;
    struct afs_amount four = {.q = quantity_from_i64(4)};
    when_ns now = vec_when(v, vec_find(v, "now"));
    begin(v, &c);
    if (entry)
        seed(v, &c, doc_field(entry, "resources"), vec_when(v, doc_field(entry, "lastUpdate")));
    if (names_id(c.names, "cpu", &four.res) || afs_penalize(&c.config, c.names, &c.ledger, &four, &four, 1) ||
        afs_settle(&c.config, c.names, &c.ledger, &four, NULL, 0, now))
        vec_broken(v, "settling", NULL);
    vec_check_i64(v, "wantCPUMilli", vec_want(v, "wantCPUMilli"), quantity_milli(c.ledger.consumed[0].q));
    vec_check_bool(v, "wantStatusAccounted", vec_want(v, "wantStatusAccounted"), c.ledger.seeded);
    if (doc_field(v->want, "wantLastUpdate"))
        vec_check_when(v, "wantLastUpdate", vec_want(v, "wantLastUpdate"), c.ledger.updated);
    end(&c);
}

/* What admitted Workloads hold, by resource. */
static uint32_t admitted_usage(struct vec *v, struct consumption *c, struct afs_amount *ret, uint32_t most)
{
    uint32_t n = 0;
    doc_foreach (wl, vec_find(v, "runningWls")) {
        doc_foreach (ps, doc_path(wl, "status.admission.podSetAssignments")) {
            doc_foreach (r, doc_field(ps, "resourceUsage")) {
                uint32_t id, i = 0;
                if (names_id(c->names, r->key, &id) || n == most) {
                    vec_broken(v, "usage", NULL);
                    return n;
                }
                while (i < n && ret[i].res != id)
                    i++;
                ret[i] = (struct afs_amount){id, i < n ? quantity_add(ret[i].q, vec_quantity(v, r))
                                                       : vec_quantity(v, r)};
                n = i == n ? n + 1 : n;
            }
        }
    }
    return n;
}

static void check_consumed(struct vec *v, const struct consumption *c)
{
    const struct doc_node *want =
        doc_path(vec_want(v, "wantLocalQueue"), "status.fairSharing.admissionFairSharingStatus");
    struct str s;
    str_init(&s, 0);
    str_addc(&s, '{');
    for (uint32_t i = 0; i < c->ledger.nconsumed; i++) {
        char text[64];
        quantity_print(c->ledger.consumed[i].q, text, sizeof(text));
        str_addf(&s, "%s\"%s\":\"%s\"", i ? "," : "", names_text(c->names, c->ledger.consumed[i].res), text);
    }
    str_addc(&s, '}');
    vec_check_json(v, "consumedResources", doc_field(want, "consumedResources"), &s, NULL);
    if (doc_field(want, "lastUpdate"))
        vec_check_when(v, "lastUpdate", doc_field(want, "lastUpdate"), c->ledger.updated);
    str_free(&s);
}

static void sample(struct vec *v)
{
    const struct doc_node *entry = vec_find(v, "initialConsumedResources");
    const struct doc_node *status =
        doc_path(vec_find(v, "localQueue"), "status.fairSharing.admissionFairSharingStatus");
    struct consumption c;
    struct afs_amount held[8];
    when_ns now = vec_when(v, vec_find(v, "clock"));
    vec_check_local_queue(v);
    if (!vec_find(v, "afsConfig"))
        return;
    begin(v, &c);
    if (entry) {
        seed(v, &c, doc_field(entry, "resources"), vec_when(v, doc_field(entry, "lastUpdate")));
        c.ledger.seeded = doc_bool_or(entry, "statusAccounted", false);
    }
    seed(v, &c, doc_field(status, "consumedResources"), now);
    uint32_t n = admitted_usage(v, &c, held, 8);
    if (afs_sample(&c.config, c.names, &c.ledger, held, n, now))
        vec_broken(v, "sampling", NULL);
    check_consumed(v, &c);
    end(&c);
}

static const struct vec_entry entries[] = {
    {"controller_core__TestAdmittedNotReadyWorkload", not_ready, NULL, 0},
    {"workload__TestEvictionPendingLatency", vec_eviction_latency, NULL, 0},
    {"workload__TestPropagateResourceRequests", vec_resource_requests, NULL, 0},
    {"workload__TestTotalExecutionTime", execution_time, NULL, 0},
    {"workload__TestUpdateReclaimablePods", vec_reclaimable_pods, NULL, 0},
    {"controller_core__TestLocalQueueReconcile", sample, NULL, 0},
    {"controller_core__TestReconcile", vec_reconcile, NULL, VEC_ANY_GATES | VEC_ANY_CONTENT},
    {"controller_core__TestReconcileEviction", vec_reconcile, NULL, VEC_ANY_CONTENT},
    {"controller_core__TestReconcileInadmissible", vec_reconcile, NULL, VEC_ANY_CONTENT},
    {"controller_core__TestReconcileRequeue", vec_reconcile, NULL, VEC_ANY_CONTENT},
    {"controller_core__TestReconcileSyncAdmissionChecks", sync_checks, NULL, 0},
    {"controller_core__TestSyncCheckStates", sync_states, NULL, 0},
    {"controller_core__TestUpdateAfsConsumedUsage", settle, NULL, 0},
    {"visibility_storage__TestNewPendingWorkloadPriority", listed_priority, NULL, 0},
    {"visibility_storage__TestPendingWorkloadsInCQ", listing, NULL, 0},
    {"visibility_storage__TestPendingWorkloadsInLQ", listing, NULL, 0},
};

VEC_AREA(vec_area_lifecycle, entries);
