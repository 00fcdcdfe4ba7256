/* Tables of the areas cache_queue, cache_queue_afs and visibility_storage: what is seen of a queue, equivalence classes, penalties. */
#include "vec_script.h"

#include "core/afs.h"
#include "core/lq_view.h"
#include "core/queue_view.h"
#include "core/world_priv.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

static uint32_t cq_index(struct script *s)
{
    uint32_t i = world_cq_find(s->w, s->cq);
    if (i == NONE)
        vec_broken(s->v, s->cq, NULL);
    return i;
}

static bool open_bare(struct script *s, struct vec *v)
{
    if (!script_open(s, v, NULL))
        return false;
    if (script_add_cq(s, "cq", STRATEGY_BEST_EFFORT_FIFO))
        return true;
    script_close(s);
    return false;
}

/* ---- order of the whole queue --------------------------------------------------------------------------------- */

static uint32_t places(struct script *s, const struct place_query *q, struct place **ret)
{
    uint32_t n = 0;
    if (queue_view_places(s->w, q, ret, &n))
        vec_broken(s->v, "places", NULL);
    return n;
}

/* `want` is a list of {"obj": Workload}; the same answer each time. */
static void check_order(struct script *s, const char *field, const struct doc_node *want)
{
    struct place *got;
    uint32_t n = places(s, &(struct place_query){.cq = cq_index(s), .limit = QUEUE_VIEW_MAX}, &got);
    vec_check(s->v, field, n == (want ? want->n : 0), vec_text(s->v, want), vec_printf(s->v, "%u places", n));
    doc_foreach (c, want)
        if (c->index < n)
            vec_check_str(s->v, field, doc_path(c, "obj.metadata.name"), got[c->index].w->name);
    mem_free(got);
}

static void snapshot_order(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v))
        return;
    if (script_run_all(&s, 0))
        check_order(&s, "cq.Snapshot()", vec_want(v, "cq.Snapshot()"));
    script_close(&s);
}

static void pending_info(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        s.cq = vec_str(v, vec_find(v, "cqName"));
        if (world_cq_find(s.w, s.cq) == NONE)
            vec_check(v, "wantPendingWorkloadsInfo",
                      vec_want(v, "wantPendingWorkloadsInfo")->type == DOC_NULL, "no such queue", "a queue");
        else
            check_order(&s, "wantPendingWorkloadsInfo", vec_want(v, "wantPendingWorkloadsInfo"));
    }
    script_close(&s);
}

/* Places as the API of the listing shows them. */
static void print_place(struct script *s, const struct place *p, struct str *out)
{
    char created[40];
    when_print(p->w->created, created, sizeof(created));
    str_addf(out, "{\"localQueueName\":\"%s\",\"positionInClusterQueue\":%u,\"positionInLocalQueue\":%u,",
             names_text(s->w->names, p->w->queue), p->in_cq, p->in_lq);
    str_addf(
        out,
        "\"priority\":%d,\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"creationTimestamp\":\"%s\"}}",
        p->w->priority, p->w->name, names_text(s->w->names, p->w->ns), created);
}

static void pending_workloads(struct vec *v)
{
    struct script s;
    struct place *got;
    const struct doc_node *req = vec_find(v, "req"), *params = doc_field(req, "queryParams");
    const char *queue = vec_str(v, doc_field(req, "queueName")), *ns = vec_str(v, doc_field(req, "nsName"));
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        struct place_query q = {.offset = doc_i64_or(params, "offset", 0),
                                .limit = doc_i64_or(params, "limit", 0)};
        struct lq_view lq = lq_view(s.w, ns, queue);
        q.cq = *ns ? lq.cq : world_cq_find(s.w, queue);
        if (*ns) {
            q.ns = ns;
            q.lq = queue;
        }
        struct str out;
        str_init(&out, 0);
        str_addc(&out, '[');
        uint32_t n = q.cq == NONE ? 0 : places(&s, &q, &got);
        for (uint32_t i = 0; i < n; i++) {
            if (i)
                str_addc(&out, ',');
            print_place(&s, &got[i], &out);
        }
        str_addc(&out, ']');
        bool missing = doc_is_text(doc_get(doc_get(v->want, "wantErrMatch"), "$func"), "errors.IsNotFound");
        vec_check(v, "queue", missing == (q.cq == NONE), missing ? "none" : "a queue",
                  missing ? "a queue" : "none");
        vec_check_json(v, "wantPendingWorkloads", doc_field(vec_want(v, "wantResp"), "wantPendingWorkloads"),
                       &out, NULL);
        str_free(&out);
        if (q.cq != NONE)
            mem_free(got);
    }
    script_close(&s);
}

static void place_priority(struct vec *v)
{
    struct script s;
    struct fact_workload f;
    if (!open_bare(&s, v))
        return;
    if (script_read_workload(&s, vec_find(v, "wl"), &f)) {
        const struct wl *wl = script_push(&s, &f);
        if (wl)
            vec_check_i64(v, "wantPriority", vec_want(v, "wantPriority"), wl->priority);
    }
    script_close(&s);
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

static void lq_status(struct vec *v)
{
    struct script s;
    const struct doc_node *m = doc_field(vec_find(v, "queue"), "metadata");
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        struct lq_view q = lq_view(s.w, doc_str_or(m, "namespace", ""), doc_str_or(m, "name", ""));
        vec_check_str(v, "wantErr", doc_field(vec_want(v, "wantErr"), "error"),
                      q.exists ? "" : "localQueue doesn't exist or inactive");
        vec_check_i64(v, "wantStatus", vec_want(v, "wantStatus"), q.npending);
    }
    script_close(&s);
}

/* Why it is not admitted, and of which queues. The last call of the case admits it. */
static void unadmitted(struct vec *v)
{
    struct script s;
    struct object first, last;
    const char *reason, *cause, *cq;
    enum stop_policy stop;
    struct status status;
    const struct doc_node *want = vec_want(v, "expectedStatus");
    if (!script_open(&s, v, NULL))
        return;
    status_init(&status);
    if (script_run(&s, doc_field(v->shared, "ops")) && vec_object(v, vec_find(v, "workload"), &first) &&
        vec_object(v, doc_at(doc_field(doc_at(v->ops, 1), "args"), 0), &last)) {
        bool ok = status_from_fact(&status, &first.workload) == 0;
        vec_check(v, "counted", ok && status_unadmitted(&status, &reason, &cause), "true", "false");
        vec_check_str(v, "reason", doc_field(want, "reason"), reason);
        vec_check_str(v, "underlyingCause", doc_field(want, "underlyingCause"), cause);
        (void)world_lq(s.w, first.ns, first.workload.queue, &cq, &stop);
        vec_check_str(v, "localQueueName", doc_field(want, "localQueueName"), first.workload.queue);
        vec_check_str(v, "clusterQueue", doc_field(want, "clusterQueue"), cq);
        ok = status_from_fact(&status, &last.workload) == 0;
        vec_check(v, "counted afterwards", ok && !status_unadmitted(&status, &reason, &cause), "false",
                  "true");
    }
    status_free(&status);
    script_close(&s);
}

static void pending_resources(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        s.cq = "cq1";
        vec_check_i64(v, "wantValue", vec_want(v, "wantValue"),
                      queue_view_asked(s.w, cq_index(&s), "cpu") / 1000);
    }
    script_close(&s);
}

/* A Workload of an equivalence class: the class is given by the digest of its pods. "" and "unknown" are those that have none. */
static struct wl *push_class(struct script *s, const char *name, const char *class)
{
    struct fact_container c = {.name = "c"};
    struct fact_pod_set ps = vec_pod_set("main", 1, &c, 1);
    struct fact_workload f = vec_workload(&ps, 1);
    f.name = f.uid = name;
    ps.pod.digest = class;
    ps.pod.digest_len = (uint32_t)strlen(class);
    return script_push(s, &f);
}

static void park(struct script *s, struct wl *wl, enum requeue_reason reason, bool equivalence)
{
    pending_lift(&script_cq(s)->pending, wl);
    (void)pending_requeue(&script_cq(s)->pending, wl, (struct requeue){reason, WAIT_FOR_QUOTA, equivalence},
                          s->now);
}

static void record_hash(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v))
        return;
    bool ok = true;
    doc_foreach (c, vec_find(v, "heapWorkloads"))
        ok = ok && push_class(&s, c->key, vec_str(v, c));
    const char *hash = vec_str(v, vec_find(v, "hashToRecord"));
    struct wl *failed = ok ? push_class(&s, "failed", hash) : NULL;
    if (failed) {
        /* One more of that class fails, and goes. */
        park(&s, failed, REQUEUE_NO_FIT, *hash != '\0');
        world_del_workload(s.w, failed, s.now);
        struct cq_view q = world_cq(s.w, cq_index(&s));
        vec_check_i64(v, "wantActive", vec_want(v, "wantActive"), q.npending_active);
        vec_check_i64(v, "wantInadmissible", vec_want(v, "wantInadmissible"), q.npending_inadmissible);
        vec_check_i64(v, "wantMoved", vec_want(v, "wantMoved"), q.npending_inadmissible);
    }
    script_close(&s);
}

/* Workloads without a class exist only where none has one: the gate is off. */
static bool has_class(const struct doc_node *hashes)
{
    doc_foreach (c, hashes)
        if (!doc_is_text(c, "") && !doc_is_text(c, "unknown"))
            return true;
    return false;
}

static void hash_counts(struct vec *v)
{
    struct script s;
    struct class_counts got;
    const struct doc_node *active = vec_find(v, "activeHashes"), *parked = vec_find(v, "inadmissibleHashes");
    struct fact_gate off = {"SchedulingEquivalenceHashing", false};
    const char *inflight = vec_str(v, vec_find(v, "inflightHash"));
    if (!has_class(active) && !has_class(parked) && (!*inflight || strcmp(inflight, "unknown") == 0)) {
        v->gates = &off;
        v->ngates = 1;
    }
    if (!open_bare(&s, v))
        return;
    if (vec_bool(v, vec_find(v, "hasInflight"))) {
        (void)push_class(&s, "inflight", inflight);
        (void)script_pop(&s);
    }
    doc_foreach (c, parked) {
        struct wl *wl = push_class(&s, vec_printf(v, "parked%u", c->index), vec_str(v, c));
        if (wl)
            park(&s, wl, REQUEUE_GENERIC, false);
    }
    doc_foreach (c, active)
        (void)push_class(&s, vec_printf(v, "active%u", c->index), vec_str(v, c));
    if (queue_view_classes(s.w, cq_index(&s), &got)) {
        vec_broken(v, "counting", NULL);
    } else {
        vec_check_i64(v, "wantActive", vec_want(v, "wantActive"), got.active);
        vec_check_i64(v, "wantInadmissible", vec_want(v, "wantInadmissible"), got.inadmissible);
        vec_check_i64(v, "wantUnion", vec_want(v, "wantUnion"), got.all);
    }
    script_close(&s);
}

/* ---- flush --------------------------------------------------------------------------------------------------------- */

static void check_buckets(struct script *s, const char *field, const struct doc_node *want, bool inadmissible)
{
    doc_foreach (c, vec_find(s->v, "cqNames")) {
        uint32_t n, cq = world_cq_find(s->w, vec_str(s->v, c));
        if (cq == NONE) {
            vec_broken(s->v, "no ClusterQueue", NULL);
            return;
        }
        const char *const *keys = script_keys(s, cq, inadmissible, &n);
        vec_check_set(s->v, field, doc_field(want, vec_str(s->v, c)), keys, n);
    }
}

static void flush(struct vec *v)
{
    struct script s;
    uint32_t before = 0, after = 0;
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run_all(&s, vec_find(v, "workloads")->n);
    for (uint32_t i = 0; i < s.w->ncqs; i++)
        s.w->cqs[i]->flush_wanted = false;
    for (uint32_t i = 0; i < s.w->ncohorts; i++)
        s.w->cohorts[i].flush_wanted = false;
    doc_foreach (op, v->ops) {
        struct fact_workload f;
        if (strcmp(doc_str_or(op, "op", ""), "Manager.RequeueWorkload") != 0)
            continue;
        ok = ok && script_read_workload(&s, script_arg(&s, op, 0), &f);
        if (ok)
            script_requeue(&s, &f, (struct requeue){REQUEUE_GENERIC, WAIT_NONE, true});
    }
    doc_foreach (c, vec_find(v, "cqNames")) {
        s.cq = vec_str(v, c);
        before += world_cq(s.w, cq_index(&s)).npending_inadmissible;
        script_cq(&s)->flush_wanted = true;
    }
    if (ok) {
        (void)world_flush(s.w, s.now);
        for (uint32_t i = 0; i < world_cq_count(s.w); i++)
            after += world_cq(s.w, i).npending_inadmissible;
        vec_check_i64(v, "wantMovedCount", vec_want(v, "wantMovedCount"), (int64_t)before - after);
        check_buckets(&s, "wantInadmissible", vec_want(v, "wantInadmissible"), true);
        check_buckets(&s, "wantActive", vec_want(v, "wantActive"), false);
    }
    script_close(&s);
}

/* ---- the inadmissible bucket ------------------------------------------------------------------------------------------ */

static bool make_inadmissible(struct script *s, const struct doc_node *info)
{
    struct fact_workload f;
    if (!script_read_workload(s, info, &f))
        return false;
    return script_requeue(s, &f, (struct requeue){REQUEUE_GENERIC, WAIT_NONE, true});
}

static void inadmissible(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v))
        return;
    bool ok = true;
    const char *key = vec_str(v, vec_find(v, "key"));
    doc_foreach (c, vec_find(v, "initial"))
        ok = ok && make_inadmissible(&s, c);
    if (vec_find(v, "value"))
        ok = ok && make_inadmissible(&s, vec_find(v, "value"));
    struct wl *wl = script_find(&s, key);
    if (doc_get(v->want, "wantWorkload")) {
        bool found = wl && wl->bucket == BUCKET_INADMISSIBLE;
        vec_check(v, "wantWorkload", found == (vec_want(v, "wantWorkload")->type != DOC_NULL), "the other",
                  "this");
    } else {
        if (wl && !vec_find(v, "value"))
            queueing_delete(s.w, wl);
        vec_check_i64(v, "wantLen", vec_want(v, "wantLen"),
                      world_cq(s.w, cq_index(&s)).npending_inadmissible);
    }
    if (!ok)
        vec_broken(v, "not put aside", NULL);
    script_close(&s);
}

/* ---- counts by label ---------------------------------------------------------------------------------------------------- */

/* The values of the tracked labels of a Workload, in the form of the table: "[a b    ]" for six. */
static const char *label_key(struct vec *v, const struct doc_node *wl)
{
    struct str s;
    uint32_t n = 0;
    str_init(&s, 0);
    str_addc(&s, '[');
    doc_foreach (l, vec_find(v, "labels")) {
        if (!doc_is_text(doc_field(l, "sourceKind"), "Workload"))
            continue;
        const struct doc_node *labels = doc_path(wl, "metadata.labels");
        if (n++)
            str_addc(&s, ' ');
        str_add(&s, doc_str_or(labels, doc_str_or(l, "sourceLabelKey", ""), ""));
    }
    for (n = n ? n : 1; n < 6; n++)
        str_addc(&s, ' ');
    str_addc(&s, ']');
    const char *key = vec_printf(v, "%s", str_text(&s));
    str_free(&s);
    return key;
}

/* Workloads of the case by key, newest object each, that have this label key and are in the bucket. */
static uint32_t count_labelled(struct script *s, const char *labels, bool inadmissible)
{
    uint32_t n = 0;
    for (const struct wl *wl = world_first_workload(s->w); wl; wl = world_next_workload(wl)) {
        const struct doc_node *newest = NULL;
        doc_foreach (op, s->v->ops) {
            const struct doc_node *obj = doc_field(script_arg(s, op, 0), "obj");
            if (obj && strcmp(wl->name, doc_str_or(doc_field(obj, "metadata"), "name", "")) == 0)
                newest = obj;
        }
        bool parked = wl->bucket == BUCKET_INADMISSIBLE;
        n += newest && wl->bucket != BUCKET_NONE && parked == inadmissible &&
             strcmp(label_key(s->v, newest), labels) == 0;
    }
    return n;
}

static void pending_trackers(struct vec *v)
{
    struct script s;
    uint32_t active = 0, parked = 0;
    if (!open_bare(&s, v))
        return;
    if (script_run_all(&s, 0)) {
        doc_foreach (c, vec_want(v, "wantPending")) {
            vec_check_i64(v, c->key, c, count_labelled(&s, c->key, false));
            active += (uint32_t)vec_i64(v, c);
        }
        doc_foreach (c, vec_want(v, "wantInadmissible")) {
            vec_check_i64(v, c->key, c, count_labelled(&s, c->key, true));
            parked += (uint32_t)vec_i64(v, c);
        }
        struct cq_view q = world_cq(s.w, cq_index(&s));
        vec_check(v, "active", q.npending_active == active, "another number", "this");
        vec_check(v, "inadmissible", q.npending_inadmissible == parked, "another number", "this");
    }
    script_close(&s);
}

/* ---- scan progress (4.4 step 4) --------------------------------------------------------------------------------------------- */

static void set_scan(struct script *s, struct wl *wl, const struct doc_node *scan)
{
    const struct doc_node *tried = doc_at(doc_field(scan, "lastTriedFlavorIdx"), 0);
    struct pod_set *ps = &wl->pod_sets[0];
    uint32_t cpu;
    if (names_id(s->w->names, "cpu", &cpu))
        vec_broken(s->v, "cpu", NULL);
    wl->scan = (struct scan){true,
                             doc_i64_or(scan, "clusterQueueGeneration", 0),
                             (uint64_t)doc_i64_or(scan, "schedulingCycle", 0),
                             {0, 0}};
    memcpy(wl->scan.class, wl->class, sizeof(wl->class));
    ps->nslots = 1;
    wl->slots[ps->first] = (struct slot){cpu, NONE, 0};
    wl->tried[ps->first] = (int16_t)doc_i64_or(tried, "cpu", 0);
}

static void check_scan(struct script *s, const struct wl *wl, const struct doc_node *want)
{
    const struct doc_node *tried = doc_at(doc_field(want, "lastTriedFlavorIdx"), 0);
    const struct pod_set *ps = &wl->pod_sets[0];
    vec_check_bool(s->v, "wantCarried", vec_want(s->v, "wantCarried"), wl->scan.present);
    if (!wl->scan.present)
        return;
    vec_check_i64(s->v, "generation", doc_field(want, "clusterQueueGeneration"), wl->scan.generation);
    vec_check_i64(s->v, "cycle", doc_field(want, "schedulingCycle"), (int64_t)wl->scan.cycle);
    vec_check(s->v, "class", memcmp(wl->scan.class, wl->class, sizeof(wl->class)) == 0, "its own", "another");
    vec_check(s->v, "slots", ps->nslots == 1, "1", "another number");
    vec_check_i64(s->v, "lastTriedFlavorIdx", doc_field(tried, "cpu"), wl->tried[ps->first]);
}

static void carries_scan(struct vec *v)
{
    struct script s;
    const struct doc_node *scan = vec_find(v, "recorded");
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run(&s, doc_field(v->shared, "ops"));
    struct wl *wl = ok ? script_find(&s, "/wl") : NULL;
    if (!wl) {
        vec_broken(v, "/wl", NULL);
    } else {
        set_scan(&s, wl, scan);
        if (script_run(&s, v->ops))
            check_scan(&s, wl, vec_want(v, "want"));
    }
    script_close(&s);
}

/* ---- penalties (4.9) ---------------------------------------------------------------------------------------------------------- */

static void penalties(struct vec *v)
{
    static const char who[8];
    struct names *names = names_new();
    struct afs_ledger l;
    struct afs_config c = {0};
    /* A half life that is over at once: a penalty is all of the request. */
    struct fact_config f = {.afs = true, .afs_half_life_ns = 1, .afs_sampling_ns = 3600 * NS_PER_S};
    bool ok = names && afs_configure(&c, names, &f) == 0;
    afs_ledger_init(&l);
    doc_foreach (op, vec_find(v, "ops")) {
        const char *name = vec_str(v, doc_field(op, "wl"));
        const void *id = &who[name[strlen(name) - 1] - '0'];
        uint32_t n;
        const struct fact_amount *push = vec_amounts(v, doc_field(op, "push"), &n);
        struct afs_amount *a = vec_alloc(v, n * sizeof(*a));
        for (uint32_t i = 0; i < n; i++) {
            a[i].q = push[i].q;
            ok = ok && names_id(names, push[i].resource, &a[i].res) == 0;
        }
        if (doc_field(op, "push"))
            ok = ok && afs_penalize(&c, names, &l, id, a, n) == 0;
        else
            afs_unpenalize(&l, id);
    }
    if (!ok)
        vec_broken(v, "a penalty", NULL);
    vec_check_bool(v, "wantHas", vec_want(v, "wantHas"), afs_has_penalties(&l));
    doc_foreach (m, vec_want(v, "wantMilli"))
        vec_check_i64(v, m->key, m, quantity_milli(afs_pending(&l, names_find(names, m->key))));
    afs_ledger_free(&l);
    afs_config_free(&c);
    names_free(names);
}

static const struct vec_entry entries[] = {
    {"cache_queue__TestSnapshotDeterministicOrder", snapshot_order, NULL, 0},
    {"cache_queue__TestGetPendingWorkloadsInfo", pending_info, NULL, 0},
    {"cache_queue__TestStatus", lq_status, NULL, 0},
    {"cache_queue__TestPendingResourceMetrics", pending_resources, NULL, 0},
    {"cache_queue__TestRecordInadmissibleHash", record_hash, NULL, 0},
    {"cache_queue__TestSchedulingHashCounts", hash_counts, NULL, 0},
    {"cache_queue__TestQueueInadmissibleWorkloads", flush, NULL, 0},
    {"cache_queue__TestInadmissibleWorkloads_Delete", inadmissible, NULL, 0},
    {"cache_queue__TestInadmissibleWorkloads_Get", inadmissible, NULL, 0},
    {"cache_queue__TestInadmissibleWorkloads_Insert", inadmissible, NULL, 0},
    {"cache_queue__TestInadmissibleWorkloads_Len", inadmissible, NULL, 0},
    {"cache_queue__TestClusterQueuePendingTrackers", pending_trackers, NULL, VEC_ANY_GATES},
    {"cache_queue__TestAddOrUpdateWorkloadCarriesLastAssignment", carries_scan, NULL, 0},
    {"cache_queue__TestUpdateUnadmittedWorkload", unadmitted, NULL, 0},
    {"cache_queue_afs__TestPenaltyBookkeepingIsIdempotentAndExact", penalties, NULL, 0},
    {"visibility_storage__TestPendingWorkloadsInCQ", pending_workloads, NULL, VEC_NONPORTABLE},
    {"visibility_storage__TestPendingWorkloadsInLQ", pending_workloads, NULL, VEC_NONPORTABLE},
    {"visibility_storage__TestNewPendingWorkloadPriority", place_priority, NULL, 0},
};

VEC_AREA(vec_area_queue_view, entries);
