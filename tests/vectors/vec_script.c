#include "vec_script.h"

#include "core/world_priv.h"

#include <stdio.h>
#include <string.h>

bool script_settle(struct script *s)
{
    struct err err;
    if (world_settle(s->w, &err) == 0)
        return true;
    vec_broken(s->v, "settling", &err);
    return false;
}

static bool put_namespaces(struct script *s, const struct doc_node *list)
{
    doc_foreach (n, list)
        if (strcmp(doc_str_or(n, "kind", ""), "Namespace") == 0 && !vec_put(s->v, s->w, n, s->now))
            return false;
    return true;
}

bool script_open(struct script *s, struct vec *v, const struct fact_config *config)
{
    when_ns now = vec_when(v, vec_find(v, "fakeClock"));
    if (now == WHEN_NONE)
        now = vec_when(v, vec_find(v, "now"));
    *s = (struct script){.v = v, .cq = "cq", .now = now == WHEN_NONE ? VEC_NOW : now};
    s->w = vec_world(v, config);
    if (s->w && put_namespaces(s, doc_field(v->shared, "setupObjects")) &&
        put_namespaces(s, doc_field(v->shared, "objects")) && put_namespaces(s, v->objects))
        return true;
    script_close(s);
    return false;
}

void script_close(struct script *s)
{
    world_free(s->w);
    s->w = NULL;
}

/* ---- arguments ------------------------------------------------------------------------------------------ */

static bool is_named(const struct doc_node *n, const char *ref)
{
    const struct doc_node *m = doc_field(n, "metadata");
    const char *kind = doc_str_or(n, "kind", ""), *ns = doc_str_or(m, "namespace", "");
    char text[300];
    if (!m || !*kind)
        return false;
    snprintf(text, sizeof(text), "%s %s%s%s", kind, ns, *ns ? "/" : "", doc_str_or(m, "name", ""));
    return strcmp(text, ref) == 0;
}

static const struct doc_node *search(const struct doc_node *n, const char *ref)
{
    if (!n || is_named(n, ref))
        return n;
    const struct doc_node *found = NULL;
    for (const struct doc_node *c = n->first; c && !found; c = c->next)
        found = search(c, ref);
    return found;
}

const struct doc_node *script_arg(struct script *s, const struct doc_node *op, uint32_t i)
{
    const struct doc_node *arg = doc_at(doc_field(op, "args"), i);
    const char *ref = doc_str_or(arg, "ref", NULL);
    if (!ref)
        return arg;
    const struct doc_node *from[] = {s->v->input, s->v->fixtures, s->v->objects, s->v->shared};
    for (size_t k = 0; k < sizeof(from) / sizeof(from[0]); k++) {
        const struct doc_node *found = search(from[k], ref);
        if (found)
            return found;
    }
    vec_broken(s->v, ref, NULL);
    return NULL;
}

struct wl *script_find(const struct script *s, const char *key)
{
    const char *slash = strchr(key, '/');
    if (!slash)
        return NULL;
    return world_find_workload(s->w, vec_printf(s->v, "%.*s", (int)(slash - key), key), slash + 1);
}

/* ---- queues --------------------------------------------------------------------------------------------- */

bool script_add_cq(struct script *s, const char *name, enum queueing_strategy strategy)
{
    struct fact_cluster_queue f = {.name = name, .cohort = "", .strategy = strategy};
    struct err err;
    s->cq = name;
    if (world_put_cluster_queue(s->w, &f, s->now, &err)) {
        vec_broken(s->v, name, &err);
        return false;
    }
    bool ok = script_settle(s);
    script_cq(s)->flush_wanted = false;
    return ok;
}

struct cluster_queue *script_cq(struct script *s)
{
    return world_cq_by_name(s->w, names_find(s->w->names, s->cq));
}

bool script_read_workload(struct script *s, const struct doc_node *n, struct fact_workload *ret)
{
    struct object o;
    const struct doc_node *obj = doc_field(n, "obj");
    if (!vec_object(s->v, obj ? obj : n, &o))
        return false;
    *ret = o.workload;
    if (!*ret->queue)
        ret->queue = "lq";
    return true;
}

/* Deletes and makes nothing that is there. */
static bool open_queue(struct script *s, const struct fact_workload *f)
{
    const char *cq;
    enum stop_policy stop;
    struct fact_local_queue q = {.ns = f->ns, .name = f->queue, .cluster_queue = s->cq};
    if (world_lq(s->w, f->ns, f->queue, &cq, &stop) != LQ_MISSING)
        return true;
    struct err err;
    q.consumed_at = WHEN_NONE;
    if (world_put_local_queue(s->w, &q, s->now, &err) == 0)
        return true;
    vec_broken(s->v, f->queue, &err);
    return false;
}

struct wl *script_push(struct script *s, const struct fact_workload *f)
{
    struct wl *wl = NULL;
    struct err err;
    if (!open_queue(s, f))
        return NULL;
    if (world_put_workload(s->w, f, s->now, &wl, &err))
        vec_broken(s->v, "putting a Workload", &err);
    return wl;
}

bool script_requeue(struct script *s, const struct fact_workload *f, struct requeue r)
{
    struct wl *wl = world_find_workload(s->w, f->ns, f->name);
    bool fresh = !wl || wl->bucket == BUCKET_NONE;
    if (fresh || wl->bucket == BUCKET_INFLIGHT)
        wl = script_push(s, f);
    s->requeued = false;
    if (!wl || wl->pending_cq == NONE)
        return false;
    struct pending *p = &s->w->cqs[wl->pending_cq]->pending;
    if (fresh)
        pending_lift(p, wl);
    s->requeued = pending_requeue(p, wl, r, s->now);
    return s->requeued;
}

struct wl *script_pop(struct script *s)
{
    struct cluster_queue *cq = script_cq(s);
    queueing_reorder(s->w, cq);
    if (cq->pending.inflight && cq->pending.nactive)
        pending_lift(&cq->pending, cq->pending.inflight); /* nobody requeues it any more */
    struct wl *head = pending_pop(&cq->pending);
    if (head)
        head->in_items = false;
    return head;
}

void script_heads(struct script *s)
{
    const char *keep = s->cq;
    for (uint32_t i = 0; i < s->w->ncq_order; i++) {
        struct cluster_queue *cq = s->w->cqs[s->w->cq_order[i]];
        if (cq->state != CQ_ACTIVE)
            continue;
        s->cq = names_text(s->w->names, cq->name);
        struct wl *head = script_pop(s);
        if (head && s->npopped < 16)
            s->popped[s->npopped++] = head;
    }
    s->cq = keep;
}

enum requeue_reason script_requeue_reason(struct script *s, const char *text)
{
    for (int r = REQUEUE_GENERIC; r <= REQUEUE_PREEMPTION_NO_CANDIDATES; r++)
        if (strcmp(requeue_reason_text((enum requeue_reason)r), text) == 0)
            return (enum requeue_reason)r;
    vec_broken(s->v, text, NULL);
    return REQUEUE_GENERIC;
}

enum wait_reason script_wait_reason(struct script *s, const char *text)
{
    for (int r = WAIT_NONE; r <= WAIT_MISCONFIGURED; r++)
        if (strcmp(wait_reason_text((enum wait_reason)r), text) == 0)
            return (enum wait_reason)r;
    vec_broken(s->v, text, NULL);
    return WAIT_NONE;
}

const char *const *script_keys(struct script *s, uint32_t cq, bool inadmissible, uint32_t *ret_n)
{
    const struct pending *p = &s->w->cqs[cq]->pending;
    const char **keys = vec_alloc(s->v, (inadmissible ? p->ninadmissible : p->nactive) * sizeof(*keys));
    *ret_n = 0;
    for (struct wl *wl = world_pending_first(s->w, cq, inadmissible); wl; wl = world_pending_next(wl))
        keys[(*ret_n)++] = wl->key;
    return keys;
}

/* ---- calls ------------------------------------------------------------------------------------------------ */

static const char *name_of(const struct doc_node *n)
{
    const char *text = "";
    if (doc_is(n, DOC_STRING))
        return doc_str(n, &text, NULL) ? "" : text;
    return doc_str_or(doc_field(n, "metadata"), "name", "");
}

static bool op_put(struct script *s, const struct doc_node *op)
{
    return vec_put(s->v, s->w, script_arg(s, op, 0), s->now);
}

static bool op_put_workload(struct script *s, const struct doc_node *op)
{
    struct object o;
    struct err err;
    if (!vec_object(s->v, script_arg(s, op, 0), &o))
        return false;
    if (world_put_workload(s->w, &o.workload, s->now, NULL, &err) == 0)
        return true;
    vec_broken(s->v, "putting a Workload", &err);
    return false;
}

static bool op_del_cq(struct script *s, const struct doc_node *op)
{
    world_del_cluster_queue(s->w, name_of(script_arg(s, op, 0)));
    return true;
}

static bool op_del_lq(struct script *s, const struct doc_node *op)
{
    const struct doc_node *q = script_arg(s, op, 0);
    world_del_local_queue(s->w, doc_str_or(doc_field(q, "metadata"), "namespace", ""), name_of(q));
    return true;
}

static bool op_del_cohort(struct script *s, const struct doc_node *op)
{
    world_del_cohort(s->w, name_of(script_arg(s, op, 0)));
    return true;
}

static bool op_del_check(struct script *s, const struct doc_node *op)
{
    world_del_check(s->w, name_of(script_arg(s, op, 0)));
    return true;
}

/* The object is gone. */
static bool op_del_workload(struct script *s, const struct doc_node *op)
{
    struct wl *wl = script_find(s, name_of(script_arg(s, op, 0)));
    if (wl)
        world_del_workload(s->w, wl, s->now);
    return true;
}

/* It only leaves its queue. */
static bool op_leave(struct script *s, const struct doc_node *op)
{
    struct wl *wl = script_find(s, name_of(script_arg(s, op, 0)));
    if (wl)
        queueing_delete(s->w, wl);
    return true;
}

static bool op_push(struct script *s, const struct doc_node *op)
{
    struct fact_workload f;
    return script_read_workload(s, script_arg(s, op, 0), &f) && script_push(s, &f);
}

static bool op_pop(struct script *s, const struct doc_node *op)
{
    (void)op;
    struct wl *head = script_pop(s);
    if (head && s->npopped < 16)
        s->popped[s->npopped++] = head;
    return true;
}

static bool op_heads(struct script *s, const struct doc_node *op)
{
    (void)op;
    script_heads(s);
    return true;
}

/* (info, reason, reason of QuotaReserved=False). */
static bool op_requeue(struct script *s, const struct doc_node *op)
{
    struct fact_workload f;
    if (!script_read_workload(s, script_arg(s, op, 0), &f))
        return false;
    struct requeue r = {script_requeue_reason(s, vec_str(s->v, script_arg(s, op, 1))),
                        script_wait_reason(s, vec_str(s->v, script_arg(s, op, 2))),
                        gate_on(&s->w->gates, GATE_EQUIVALENCE_HASHING)};
    script_requeue(s, &f, r);
    return !s->v->failed;
}

/* (info, immediate, reason, ...): "immediate" is what FailedAfterNomination brings about. */
static bool op_requeue_immediate(struct script *s, const struct doc_node *op)
{
    struct fact_workload f;
    if (!script_read_workload(s, script_arg(s, op, 0), &f))
        return false;
    struct requeue r = {script_requeue_reason(s, vec_str(s->v, script_arg(s, op, 2))),
                        script_wait_reason(s, vec_str(s->v, script_arg(s, op, 3))),
                        gate_on(&s->w->gates, GATE_EQUIVALENCE_HASHING)};
    if (vec_bool(s->v, script_arg(s, op, 1)))
        r.reason = REQUEUE_FAILED_AFTER_NOMINATION;
    script_requeue(s, &f, r);
    return !s->v->failed;
}

/* Calls that only read, or that the handler makes itself. */
static bool op_nothing(struct script *s, const struct doc_node *op)
{
    (void)s;
    (void)op;
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct script *s, const struct doc_node *op);
} calls[] = {
    {"Manager.AddClusterQueue", op_put},
    {"Manager.AddLocalQueue", op_put},
    {"Manager.AddOrUpdateCohort", op_put},
    {"Manager.AddOrUpdateWorkload", op_put_workload},
    {"Manager.DeleteWorkload", op_leave},
    {"Manager.DeleteAndForgetWorkload", op_del_workload},
    {"Manager.RequeueWorkload", op_requeue},
    {"Manager.Heads", op_heads},
    {"ClusterQueue.Update", op_put},
    {"ClusterQueue.PushOrUpdate", op_push},
    {"ClusterQueue.Pop", op_pop},
    {"ClusterQueue.Delete", op_del_workload},
    {"ClusterQueue.RequeueIfNotPresent", op_requeue},
    {"ClusterQueue.requeueIfNotPresent", op_requeue_immediate},
    {"Cache.AddClusterQueue", op_put},
    {"Cache.UpdateClusterQueue", op_put},
    {"Cache.DeleteClusterQueue", op_del_cq},
    {"Cache.AddLocalQueue", op_put},
    {"Cache.DeleteLocalQueue", op_del_lq},
    {"Cache.AddOrUpdateCohort", op_put},
    {"Cache.DeleteCohort", op_del_cohort},
    {"Cache.AddOrUpdateResourceFlavor", op_put},
    {"Cache.AddOrUpdateTopology", op_put},
    {"Cache.AddOrUpdateAdmissionCheck", op_put},
    {"Cache.DeleteAdmissionCheck", op_del_check},
    {"Cache.AddOrUpdateWorkload", op_put_workload},
    {"Cache.addOrUpdateWorkloadWithoutLock", op_put_workload},
    {"Cache.DeleteWorkload", op_del_workload},
    {"ClusterQueue.Dump", op_nothing},
    {"ClusterQueue.DumpInadmissible", op_nothing},
    {"ClusterQueue.GetNoFitReason", op_nothing},
    {"ClusterQueue.Info", op_nothing},
    {"ClusterQueue.Pending", op_nothing},
    {"ClusterQueue.PendingBreakdown", op_nothing},
    {"ClusterQueue.PendingTotal", op_nothing},
    {"ClusterQueue.Snapshot", op_nothing},
    {"ClusterQueue.trackedInfo", op_nothing},
    {"Manager.PendingWorkloads", op_nothing},
    {"Manager.PendingWorkloadsInfo", op_nothing},
    {"Manager.getClusterQueue", op_nothing},
    {"Cache.ClusterQueueActive", op_nothing},
    {"Cache.ClusterQueueAncestors", op_nothing},
    {"Cache.ClusterQueueReadiness", op_nothing},
    {"Cache.ClusterQueueTerminating", op_nothing},
    {"Cache.ClusterQueuesUsingAdmissionCheck", op_nothing},
    {"Cache.GetCacheLocalQueue", op_nothing},
    {"Cache.LocalQueueUsage", op_nothing},
    {"Cache.PodsReadyForAllAdmittedWorkloads", op_nothing},
    {"Cache.TerminateClusterQueue", op_nothing},
    {"Cache.Usage", op_nothing},
    {"Cache.WaitForPodsReady", op_nothing},
    {"Cache.ancestors", op_nothing},
    {"Cache.workloadAncestors", op_nothing},
    {"Snapshot.AddWorkload", op_nothing},
    {"Snapshot.RemoveWorkload", op_nothing},
};

static bool run_op(struct script *s, const struct doc_node *op)
{
    const char *name = doc_str_or(op, "op", "");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].run(s, op) && script_settle(s);
    vec_broken(s->v, name, NULL);
    return false;
}

static bool run_first(struct script *s, const struct doc_node *ops, uint32_t n)
{
    doc_foreach (op, ops) {
        if (op->index >= n)
            return true;
        if (!run_op(s, op))
            return false;
    }
    return true;
}

bool script_run(struct script *s, const struct doc_node *ops)
{
    return run_first(s, ops, ops ? ops->n : 0);
}

bool script_run_all(struct script *s, uint32_t without)
{
    uint32_t n = s->v->ops ? s->v->ops->n : 0;
    return script_run(s, doc_field(s->v->shared, "setupOps")) &&
           script_run(s, doc_field(s->v->shared, "ops")) &&
           run_first(s, s->v->ops, n > without ? n - without : 0);
}
