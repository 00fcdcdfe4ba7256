/* Tables of the area cache_queue: what happens to pending Workloads (engine.md 4). */
#include "vec_script.h"

#include "core/queue_view.h"
#include "core/world_priv.h"

#include <string.h>

static uint32_t cq_index(struct script *s, const char *name)
{
    uint32_t i = world_cq_find(s->w, name);
    if (i == NONE)
        vec_broken(s->v, name, NULL);
    return i;
}

/* Opens the case, with a bare ClusterQueue "cq" of that strategy. */
static bool open_bare(struct script *s, struct vec *v, enum queueing_strategy strategy)
{
    if (!script_open(s, v, NULL))
        return false;
    if (script_add_cq(s, "cq", strategy))
        return true;
    script_close(s);
    return false;
}

static uint32_t count_pending(struct script *s)
{
    struct cq_view q = world_cq(s->w, cq_index(s, s->cq));
    return q.npending_active + q.npending_inadmissible;
}

/* Keys in a bucket of the script's ClusterQueue. */
static void check_keys(struct script *s, const char *field, const struct doc_node *want, bool inadmissible)
{
    uint32_t n;
    const char *const *keys = script_keys(s, cq_index(s, s->cq), inadmissible, &n);
    vec_check_set(s->v, field, want, keys, n);
}

/* Workload -> LocalQueue it was last assigned to (4.7 event 5), as a map of keys. */
static void check_assigned(struct script *s, const char *field, const struct doc_node *want)
{
    struct str out;
    str_init(&out, 0);
    str_addc(&out, '{');
    for (const struct wl *wl = world_first_workload(s->w); wl; wl = world_next_workload(wl)) {
        if (wl->lq == NONE)
            continue;
        const struct local_queue *q = &s->w->local_queues[wl->lq];
        if (out.len > 1)
            str_addc(&out, ',');
        str_add_json(&out, wl->key);
        str_addf(&out, ":\"%s/%s\"", names_text(s->w->names, q->ns), names_text(s->w->names, q->name));
    }
    str_addc(&out, '}');
    vec_check_json(s->v, field, want, &out, NULL);
    str_free(&out);
}

/* ---- adding, updating, deleting ----------------------------------------------------------------------------- */

/* The text that goes with a Workload that could not be queued: why it is in no bucket. */
static const char *why_not_queued(struct script *s, const struct wl *wl)
{
    if (!wl || !queueing_admissible(s->w, wl))
        return "workload is inadmissible and can't be added to a LocalQueue";
    if (wl->lq == NONE)
        return "localQueue doesn't exist or inactive";
    return wl->pending_cq == NONE ? "clusterQueue doesn't exist" : "";
}

static void add_workload(struct vec *v)
{
    struct script s;
    struct object o;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0) && vec_object(v, vec_find(v, "workload"), &o)) {
        const struct wl *wl = world_find_workload(s.w, o.ns, o.name);
        vec_check_str(v, "wantErr", doc_field(vec_want(v, "wantErr"), "error"), why_not_queued(&s, wl));
        check_assigned(&s, "wantAssigned", vec_want(v, "wantAssigned"));
    }
    script_close(&s);
}

/* Workloads of LocalQueues that are neither in flight nor gone, as "LocalQueue Workload". */
static void check_items(struct script *s, const char *field, const struct doc_node *want, const char *lq)
{
    const char *got[16];
    uint32_t n = 0;
    for (const struct wl *wl = world_first_workload(s->w); wl; wl = world_next_workload(wl)) {
        const struct local_queue *q = wl->lq == NONE ? NULL : &s->w->local_queues[wl->lq];
        if (!q || !wl->in_items || n == 16)
            continue;
        if (strcmp(
                vec_printf(s->v, "%s/%s", names_text(s->w->names, q->ns), names_text(s->w->names, q->name)),
                lq) == 0)
            got[n++] = wl->key;
    }
    vec_check_set(s->v, field, want, got, n);
}

/* Pops until the queue is empty. */
static void check_order(struct script *s, const char *cq, const struct doc_node *want)
{
    const char *got[16];
    uint32_t n = 0;
    s->cq = cq;
    for (struct wl *head; n < 16 && (head = script_pop(s)); pending_delete(&script_cq(s)->pending, head))
        got[n++] = head->key;
    vec_check_list(s->v, vec_printf(s->v, "wantQueueOrder.%s", cq), want, got, n);
}

/* The first calls of the case, up to those that only look at the queue. */
static uint32_t count_looks(const struct vec *v)
{
    uint32_t n = 0;
    doc_foreach (op, v->ops)
        n += strncmp(doc_str_or(op, "op", ""), "ClusterQueue.", 13) == 0;
    return n;
}

static void update_workload(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, count_looks(v))) {
        const struct doc_node *first = doc_at(vec_find(v, "workloads"), 0);
        const struct wl *wl =
            script_find(&s, vec_printf(v, "/%s", doc_str_or(doc_field(first, "metadata"), "name", "")));
        vec_check_str(v, "wantErr", doc_field(vec_want(v, "wantErr"), "error"), why_not_queued(&s, wl));
        vec_check_bool(v, "wantUpdated", vec_want(v, "wantUpdated"), wl && wl->bucket == BUCKET_ACTIVE);
        check_assigned(&s, "wantAssigned", vec_want(v, "wantAssigned"));
        doc_foreach (q, vec_want(v, "wantQueueMembers"))
            check_items(&s, "wantQueueMembers", q, q->key);
        doc_foreach (q, vec_want(v, "wantQueueOrder"))
            check_order(&s, q->key, q);
    }
    script_close(&s);
}

static void delete_workload(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        const struct doc_node *items = vec_want(v, "q.items");
        const char *keys[16];
        uint32_t n = 0;
        for (const struct wl *wl = world_first_workload(s.w); wl && n < 16; wl = world_next_workload(wl))
            if (wl->in_items)
                keys[n++] = wl->key;
        vec_check_i64(v, "cq.PendingTotal()", vec_want(v, "cq.PendingTotal()"), count_pending(&s));
        check_assigned(&s, "manager.workloadAssignedQueues", vec_want(v, "manager.workloadAssignedQueues"));
        for (uint32_t i = 0; i < n; i++)
            vec_check(v, "q.items", doc_field(items, keys[i]) && items->n == n, vec_text(v, items), keys[i]);
    }
    script_close(&s);
}

/* Adds, updates, requeues in the order of the table, then flushes. */
static void queue_of_lists(struct vec *v)
{
    struct script s;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 0)) {
        uint32_t cq = cq_index(&s, "cq"), before = world_cq(s.w, cq).npending_inadmissible;
        if (vec_bool(v, vec_find(v, "queueInadmissibleWorkloads"))) {
            script_cq(&s)->flush_wanted = true;
            (void)world_flush(s.w, s.now);
        }
        uint32_t after = world_cq(s.w, cq).npending_inadmissible;
        vec_check_i64(v, "wantInadmissibleWorkloadsRequeued",
                      vec_want(v, "wantInadmissibleWorkloadsRequeued"), (int64_t)before - after);
        vec_check_i64(v, "wantPending", vec_want(v, "wantPending"), count_pending(&s));
        check_keys(&s, "wantActiveWorkloads", vec_want(v, "wantActiveWorkloads"), false);
    }
    script_close(&s);
}

/* One Workload: pushed twice, popped if it can be. */
static void push_or_update(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v, STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (script_run_all(&s, 0)) {
        const struct doc_node *obj = doc_field(doc_field(vec_want(v, "wantWorkload"), "obj"), "metadata");
        const struct doc_node *parked = vec_want(v, "wantInAdmissibleWorkloads");
        const char *keys[2];
        uint32_t n = 0;
        doc_foreach (c, parked)
            if (n < 2)
                keys[n++] = c->key;
        vec_check_str(v, "wantWorkload", doc_field(obj, "name"), s.npopped ? s.popped[0]->name : "");
        uint32_t got;
        const char *const *ours = script_keys(&s, cq_index(&s, "cq"), true, &got);
        vec_check(v, "wantInAdmissibleWorkloads", got == n && (n == 0 || strcmp(ours[0], keys[0]) == 0),
                  vec_text(v, parked), got ? ours[0] : "none");
        vec_check(v, "cq.PendingTotal()", count_pending(&s) == 1, "1", "another number");
    }
    script_close(&s);
}

/* An update while it was in flight, then one more. */
static void generation_changed(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v, STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (script_run_all(&s, 0)) {
        struct cq_view q = world_cq(s.w, cq_index(&s, "cq"));
        vec_check_i64(v, "wantActiveWorkloads", vec_want(v, "wantActiveWorkloads"), q.npending_active);
        vec_check_i64(v, "wantInadmissibleWorkloads", vec_want(v, "wantInadmissibleWorkloads"),
                      q.npending_inadmissible);
    }
    script_close(&s);
}

static void backoff_expired(struct vec *v)
{
    struct script s;
    struct fact_workload f;
    if (!open_bare(&s, v, STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (script_read_workload(&s, vec_find(v, "workloadInfo"), &f)) {
        const struct wl *wl = script_push(&s, &f);
        if (wl)
            vec_check_bool(v, "want", vec_want(v, "want"), pending_backoff_expired(wl, s.now));
    }
    script_close(&s);
}

/* ---- order, heads ------------------------------------------------------------------------------------------- */

static void strict_fifo(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v, STRATEGY_STRICT_FIFO))
        return;
    if (script_run_all(&s, 0))
        vec_check_str(v, "expected", vec_want(v, "expected"), s.npopped ? s.popped[0]->name : "");
    script_close(&s);
}

static void heads(struct vec *v)
{
    struct script s;
    struct object o;
    const char *got[16];
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run_all(&s, v->ops->n);
    /* "pending-..." are those that the table's checker takes for inactive: here they are stopped. */
    doc_foreach (c, vec_find(v, "clusterQueues"))
        if (ok && vec_object(v, c, &o) && strncmp(o.name, "pending-", 8) == 0) {
            o.cluster_queue.stop = STOP_HOLD;
            ok = vec_put_object(v, s.w, &o, s.now);
        }
    if (ok && script_run(&s, v->ops)) {
        for (uint32_t i = 0; i < s.npopped; i++)
            got[i] = s.popped[i]->name;
        vec_check_set(v, "wantWorkloads", vec_want(v, "wantWorkloads"), got, s.npopped);
        check_assigned(&s, "wantAssigned", vec_want(v, "wantAssigned"));
    }
    script_close(&s);
}

/* Heads that wait until there is one: pop again when all the rest has happened. The Workloads of the case are in the API server from
 * the beginning; the newest object of a requeue is the one that was got. */
static void heads_async(struct vec *v)
{
    struct script s;
    struct fact_workload f;
    const struct doc_node *want = doc_at(vec_want(v, "wantHeads"), 0);
    const struct doc_node *newest = doc_at(doc_field(v->got, "wantHeads"), 0);
    if (!script_open(&s, v, NULL))
        return;
    bool ok = script_run(&s, doc_field(v->shared, "ops")) &&
              vec_put_list(v, s.w, vec_find(v, "initialObjs"), s.now);
    doc_foreach (op, v->ops)
        if (ok && strcmp(doc_str_or(op, "op", ""), "Manager.RequeueWorkload") == 0 && s.npopped) {
            s.npopped = 0;
            s.cq = names_text(s.w->names, s.w->cqs[script_find(&s, "/a")->pending_cq]->name);
            ok = script_read_workload(&s, newest, &f);
            script_requeue(&s, &f, (struct requeue){REQUEUE_FAILED_AFTER_NOMINATION, WAIT_NONE, true});
        } else if (ok) {
            struct doc_node list = {.type = DOC_LIST, .n = 1, .text = "", .first = op};
            struct doc_node one = *op;
            one.next = NULL;
            one.index = 0;
            list.first = &one;
            ok = script_run(&s, &list);
        }
    script_heads(&s);
    if (ok) {
        const struct wl *head = s.npopped ? s.popped[s.npopped - 1] : NULL;
        vec_check(v, "wantHeads", head && strcmp(head->key, "/a") == 0, "/a", head ? head->key : "none");
        if (head)
            vec_check_str(v, "clusterQueue", doc_field(want, "clusterQueue"),
                          names_text(s.w->names, s.w->cqs[head->pending_cq]->name));
    }
    script_close(&s);
}

static void fs_admission(struct vec *v)
{
    struct script s;
    struct object cq, lq;
    const struct doc_node *afs = vec_find(v, "afsConfig"), *used = vec_find(v, "initConsumedResources");
    struct fact_config c = {.afs = true};
    c.afs_half_life_ns = vec_duration(v, doc_field(afs, "usageHalfLifeTime"));
    c.afs_sampling_ns = vec_duration(v, doc_field(afs, "usageSamplingInterval"));
    c.afs_weights = vec_amounts(v, doc_field(afs, "resourceWeights"), &c.nafs_weights);
    if (!script_open(&s, v, &c))
        return;
    bool ok = vec_object(v, vec_find(v, "cq"), &cq) && vec_put_object(v, s.w, &cq, s.now);
    doc_foreach (n, vec_find(v, "lqs"))
        if (ok && (ok = vec_object(v, n, &lq))) {
            struct fact_local_queue *q = &lq.local_queue;
            q->cluster_queue = cq.name;
            q->consumed =
                vec_amounts(v, doc_field(used, vec_printf(v, "%s/%s", lq.ns, lq.name)), &q->nconsumed);
            q->consumed_at = s.now;
            ok = vec_put_object(v, s.w, &lq, s.now);
        }
    if (ok && script_settle(&s) && script_run_all(&s, 0))
        vec_check_str(v, "wantWl", doc_path(vec_want(v, "wantWl"), "metadata.name"),
                      s.npopped ? s.popped[0]->name : "");
    script_close(&s);
}

/* ---- requeue (4.6) ------------------------------------------------------------------------------------------- */

/* A Workload of as many pod sets as the recorded scan has, with these resources, and the scan itself. */
static bool scanned(struct script *s, const struct doc_node *scan, struct wl **ret)
{
    struct vec *v = s->v;
    const struct doc_node *sets = doc_field(scan, "lastTriedFlavorIdx");
    uint32_t n = sets ? sets->n : 1;
    struct fact_pod_set *ps = vec_alloc(v, n * sizeof(*ps));
    struct fact_container *c = vec_alloc(v, n * sizeof(*c));
    for (uint32_t i = 0; i < n; i++) {
        struct fact_amount *a = vec_alloc(v, 8 * sizeof(*a));
        c[i] = (struct fact_container){.name = "c", .requests = a};
        doc_foreach (r, doc_at(sets, i))
            a[c[i].nrequests++] = (struct fact_amount){r->key, quantity_from_i64(1)};
        ps[i] = vec_pod_set(vec_printf(v, "ps%u", i), 1, &c[i], 1);
    }
    struct fact_workload f = vec_workload(ps, n);
    *ret = script_push(s, &f);
    if (!*ret)
        return false;
    (*ret)->scan = (struct scan){.present = sets != NULL,
                                 .generation = doc_i64_or(scan, "clusterQueueGeneration", 0),
                                 .cycle = (uint64_t)doc_i64_or(scan, "schedulingCycle", 0)};
    memcpy((*ret)->scan.class, (*ret)->class, sizeof((*ret)->class));
    doc_foreach (set, sets) {
        struct pod_set *p = &(*ret)->pod_sets[set->index];
        p->nslots = 0;
        doc_foreach (r, set) {
            uint32_t res = names_find(s->w->names, r->key);
            (*ret)->slots[p->first + p->nslots] = (struct slot){res, NONE, 1};
            (*ret)->tried[p->first + p->nslots++] = (int16_t)vec_i64(v, r);
        }
    }
    return true;
}

/* Requeued from in flight, and once more while it is queued: the second changes nothing. */
static void requeue_if_not_present(struct vec *v)
{
    struct script s;
    struct wl *wl;
    bool strict = vec_find(v, "lastAssignment") == NULL && vec_find(v, "reason") == NULL;
    const char *reason = vec_str(v, vec_find(v, "reason"));
    if (strict)
        reason = vec_str(v, doc_at(doc_field(doc_at(v->ops, 0), "args"), 1));
    if (!open_bare(&s, v, strict ? STRATEGY_STRICT_FIFO : STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (scanned(&s, vec_find(v, "lastAssignment"), &wl)) {
        struct pending *p = &script_cq(&s)->pending;
        struct requeue r = {script_requeue_reason(&s, reason), WAIT_NONE, true};
        vec_check(v, "pop", script_pop(&s) == wl, "the Workload", "another");
        vec_check(v, "first requeue", pending_requeue(p, wl, r, s.now), "true", "false");
        vec_check(v, "second requeue", !pending_requeue(p, wl, r, s.now), "false", "true");
        vec_check_bool(v, "wantInadmissible", vec_want(v, "wantInadmissible"),
                       wl->bucket == BUCKET_INADMISSIBLE);
        if (!strict)
            vec_check_bool(v, "wantSticky", vec_want(v, "wantSticky"),
                           world_cq_sticky(s.w, cq_index(&s, "cq")) == wl);
    }
    script_close(&s);
}

static void requeue_workload(struct vec *v)
{
    struct script s;
    struct object o;
    if (!script_open(&s, v, NULL))
        return;
    if (script_run_all(&s, 1) && vec_object(v, vec_find(v, "workload"), &o)) {
        /* What is not in the API server any more is not known here: there is nothing to requeue. */
        bool there = vec_bool(v, vec_find(v, "inClient"));
        if (there && !vec_bool(v, vec_find(v, "inQueue")))
            there = vec_put_object(v, s.w, &o, s.now);
        struct wl *wl = world_find_workload(s.w, o.ns, o.name);
        bool requeued = there && wl && wl->pending_cq != NONE &&
                        pending_requeue(&s.w->cqs[wl->pending_cq]->pending, wl, (struct requeue){0}, s.now);
        vec_check_bool(v, "wantRequeued", vec_want(v, "wantRequeued"), requeued);
    }
    script_close(&s);
}

static void no_fit_reason(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v, STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (script_run_all(&s, 0)) {
        struct wl *wl = script_find(&s, "default/wl");
        enum wait_reason r = WAIT_NONE;
        if (vec_bool(v, vec_find(v, "deleteFromInadmissible")))
            queueing_delete(s.w, wl);
        vec_check_bool(v, "wantOk", vec_want(v, "wantOk"),
                       pending_parked_reason(&script_cq(&s)->pending, wl, &r));
        vec_check_str(v, "wantReason", vec_want(v, "wantReason"), wait_reason_text(r));
    }
    script_close(&s);
}

static void hash_by_reason(struct vec *v)
{
    struct script s;
    if (!open_bare(&s, v, STRATEGY_BEST_EFFORT_FIFO))
        return;
    if (script_run_all(&s, 0))
        vec_check_bool(v, "wantHash", vec_want(v, "wantHash"), world_cq_parked(s.w, cq_index(&s, "cq")) > 0);
    script_close(&s);
}

static const struct vec_entry entries[] = {
    {"cache_queue__TestAddWorkload", add_workload, NULL, 0},
    {"cache_queue__TestUpdateWorkload", update_workload, NULL, 0},
    {"cache_queue__TestDeleteWorkload", delete_workload, NULL, 0},
    {"cache_queue__TestDeleteAndForgetWorkload", delete_workload, NULL, 0},
    {"cache_queue__TestClusterQueueImpl", queue_of_lists, NULL, 0},
    {"cache_queue__Test_PushOrUpdate", push_or_update, NULL, 0},
    {"cache_queue__TestPushOrUpdateGenerationChanged", generation_changed, NULL, 0},
    {"cache_queue__TestBackoffWaitingTimeExpired", backoff_expired, NULL, 0},
    {"cache_queue__TestStrictFIFO", strict_fifo, NULL, 0},
    {"cache_queue__TestHeads", heads, NULL, 0},
    {"cache_queue__TestHeadsAsync", heads_async, NULL, 0},
    {"cache_queue__TestFsAdmission", fs_admission, NULL, 0},
    {"cache_queue__TestBestEffortFIFORequeueIfNotPresent", requeue_if_not_present, NULL, 0},
    {"cache_queue__TestStrictFIFORequeueIfNotPresent", requeue_if_not_present, NULL, 0},
    {"cache_queue__TestRequeueWorkloadStrictFIFO", requeue_workload, NULL, 0},
    {"cache_queue__TestGetNoFitReason", no_fit_reason, NULL, 0},
    {"cache_queue__TestRequeueHashTriggerByReason", hash_by_reason, NULL, 0},
    {"cache_queue__TestNewRequeuer", NULL, "how another program batches its flushes", 0},
};

VEC_AREA(vec_area_queue, entries);
