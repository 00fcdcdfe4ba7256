/* The end of Workloads (10.4, 10.9), finalizers (9.6), status of queues (9.1, 9.5, 11.1, 11.2), settlement of entry penalties (4.9). */
#include "vec_controllers.h"

#include "api/queue_json.h"
#include "core/references.h"
#include "core/world_priv.h"
#include "lifecycle/queue_cond.h"
#include "vec_ops.h"
#include "vec_status.h"

#include <string.h>

static const char finalizer[] = "kueue.x-k8s.io/resource-in-use";

static bool is_listed(const struct doc_node *list, const char *text)
{
    doc_foreach (n, list)
        if (strcmp(n->text, text) == 0)
            return true;
    return false;
}

static bool has_finalizer(const struct doc_node *object)
{
    return is_listed(doc_path(object, "metadata.finalizers"), finalizer);
}

/* ---- finalizers --------------------------------------------------------------------------------------------------------- */

static void flavor(struct vec *v)
{
    const struct doc_node *in = vec_find(v, "flavor");
    /* The case deletes the flavor first where it is to be gone afterwards; no field of its input says so. */
    bool deleting = vec_bool(v, doc_field(v->want, "wantDeleted"));
    struct world *w;
    struct object o;
    if (vec_bool(v, vec_find(v, "skipStore"))) {
        vec_skip(v, "an error of the API server");
        return;
    }
    w = vec_world(v, NULL);
    if (w && vec_object(v, in, &o) && vec_put_object(v, w, &o, VEC_NOW)) {
        bool held = references_hold_flavor(w, o.name, deleting);
        vec_check_bool(v, "wantDeleted", vec_want(v, "wantDeleted"), deleting && !held);
        vec_check_bool(v, "wantFlavor", NULL, held != has_finalizer(vec_want(v, "wantFlavor")));
    }
    world_free(w);
}

static void cluster_queue(struct vec *v)
{
    struct world *w = vec_world(v, NULL);
    if (w && vec_put_list(v, w, doc_field(v->shared, "objects"), VEC_NOW) &&
        vec_put(v, w, vec_find(v, "workload"), VEC_NOW) && vec_settle(v, w)) {
        vec_check_i64(v, "wantReserving", vec_want(v, "wantReserving"),
                      world_cq(w, world_cq_find(w, "cq")).nreserving);
        vec_check_bool(v, "wantDeleted", vec_want(v, "wantDeleted"),
                       !references_hold_cluster_queue(w, "cq", true));
    }
    world_free(w);
}

/* The flavors of a ClusterQueue that is gone: which have lost their last reference? */
static void unreferenced(struct vec *v)
{
    const struct doc_node *cq = vec_find(v, "cq");
    const char *names[8];
    uint32_t n = 0;
    struct world *w = vec_world(v, NULL);
    if (w && vec_put_list(v, w, vec_find(v, "clusterQueues"), VEC_NOW) && vec_put(v, w, cq, VEC_NOW)) {
        world_del_cluster_queue(w, doc_str_or(doc_field(cq, "metadata"), "name", ""));
        doc_foreach (g, doc_path(cq, "spec.resourceGroups")) {
            doc_foreach (f, doc_field(g, "flavors")) {
                const char *name = doc_str_or(f, "name", "");
                if (!references_hold_flavor(w, name, true) && n < 8)
                    names[n++] = name;
            }
        }
        vec_check_set(v, "wantEnqueued", vec_want(v, "wantEnqueued"), names, n);
    }
    world_free(w);
}

/* ---- status of queues --------------------------------------------------------------------------------------------------- */

typedef int render_fn(const struct queue_json *q, struct str *out);

/* The status as it would be written; what LocalQueues consumed is looked at elsewhere, the clock of the tables is not that of their
 * conditions. */
static void check_status(struct vec *v, const struct doc_node *want, render_fn *render,
                         const struct queue_json *q)
{
    static const char *const ignore[] = {"lastTransitionTime", "fairSharing", NULL};
    struct str s;

    str_init(&s, 0);
    if (render(q, &s))
        vec_broken(v, "a status", NULL);
    else
        vec_check_doc(v, "status", want, doc_field(vec_read(v, vec_printf(v, "%s", str_text(&s))), "status"),
                      &(struct vec_compare){.ignore = ignore});
    str_free(&s);
}

/* The condition Active of an object: as a ClusterQueue's controller left it. */
static const struct doc_node *active_of(const struct doc_node *object)
{
    doc_foreach (c, doc_path(object, "status.conditions"))
        if (strcmp(doc_str_or(c, "type", ""), "Active") == 0)
            return c;
    return NULL;
}

static enum queue_cond_target target_of(const struct doc_node *cq)
{
    const struct doc_node *active = active_of(cq);
    if (!cq)
        return TARGET_MISSING;
    return active && strcmp(doc_str_or(active, "status", ""), "True") == 0 ? TARGET_ACTIVE : TARGET_INACTIVE;
}

void vec_check_local_queue(struct vec *v)
{
    const struct doc_node *want = doc_field(vec_want(v, "wantLocalQueue"), "status"),
                          *cq = vec_find(v, "clusterQueue");
    struct world *w = vec_world(v, NULL);
    struct cond c = {0};
    struct object o;
    bool changed;
    if (w && vec_put(v, w, cq, VEC_NOW) && vec_object(v, vec_find(v, "localQueue"), &o) &&
        vec_put_object(v, w, &o, VEC_NOW) && vec_put_list(v, w, vec_find(v, "runningWls"), VEC_NOW) &&
        vec_settle(v, w)) {
        if (queue_cond_local_queue(&c, o.local_queue.stop, target_of(cq), VEC_NOW,
                                   doc_i64_or(doc_field(o.doc, "metadata"), "generation", 0), &changed))
            vec_broken(v, "a condition", NULL);
        else
            check_status(
                v, want, queue_json_local_queue,
                &(struct queue_json){
                    .w = w, .uid = "", .resource_version = "", .ns = o.ns, .name = o.name, .active = &c});
    }
    queue_cond_free(&c);
    world_free(w);
}

/* The condition that the status holds, then the one that it is to hold. */
static void check_condition(struct vec *v, const struct world *w, const struct doc_node *want)
{
    struct cond c = {0};
    bool changed;
    int rc = 0;
    doc_foreach (b, doc_field(vec_find(v, "cqStatus"), "conditions"))
        rc = queue_cond_set(&c, strcmp(doc_str_or(b, "status", ""), "True") == 0, doc_str_or(b, "reason", ""),
                            doc_str_or(b, "message", ""), VEC_NOW, 0, &changed);
    if (rc || queue_cond_set(&c, strcmp(vec_str(v, vec_find(v, "newConditionStatus")), "True") == 0,
                             vec_str(v, vec_find(v, "newReason")), vec_str(v, vec_find(v, "newMessage")),
                             VEC_NOW, 1, &changed))
        vec_broken(v, "a condition", NULL);
    else
        check_status(
            v, want, queue_json_cluster_queue,
            &(struct queue_json){
                .w = w, .uid = "", .resource_version = "", .ns = "", .name = "test-cq", .active = &c});
    vec_check_bool(v, "unchanged", NULL, !changed);
    queue_cond_free(&c);
}

static void cluster_queue_status(struct vec *v)
{
    const struct doc_node *want = vec_want(v, "wantCqStatus");
    bool known = vec_bool(v, vec_find(v, "insertCqIntoManager"));
    struct world *w = vec_world(v, NULL);
    if (!w || !vec_put_list(v, w, doc_field(v->shared, "objects"), VEC_NOW) ||
        (known && !vec_put_list(v, w, v->objects, VEC_NOW)) || !vec_settle(v, w)) {
        world_free(w);
        return;
    }
    uint32_t i = world_cq_find(w, "test-cq");
    bool exists = i != NONE && world_cq(w, i).exists;
    vec_check_bool(v, "wantError", NULL, exists == (doc_field(v->want, "wantError") != NULL));
    if (exists)
        check_condition(v, w, want);
    world_free(w);
}

/* ---- entry penalties ---------------------------------------------------------------------------------------------------- */

/* A Workload in its queue becomes what it is to be, with a penalty of its own. */
static struct wl *penalized(struct vec *v, struct world *w, const struct fact_workload *old)
{
    struct fact_workload waiting = *old;
    struct afs_amount four = {.q = quantity_from_i64(4)};
    waiting.nconditions = 0;
    waiting.admission = NULL;
    struct wl *wl = vec_put_workload(v, w, &waiting, VEC_NOW);
    wl = wl ? vec_put_workload(v, w, old, VEC_NOW) : NULL;
    if (!wl)
        return NULL;
    if (wl->lq == NONE || names_id(w->names, "cpu", &four.res) ||
        afs_penalize(&w->afs, w->names, &w->local_queues[wl->lq].afs, wl, &four, 1)) {
        vec_broken(v, "a penalty", NULL);
        return NULL;
    }
    return wl;
}

static void settles(struct vec *v)
{
    struct fact_config config = {
        .afs = true, .afs_half_life_ns = 300 * NS_PER_S, .afs_sampling_ns = 300 * NS_PER_S};
    struct world *w = vec_world(v, &config);
    struct object old, new;
    struct wl *wl = NULL;
    if (w && vec_run_ops(v, w, VEC_NOW) && vec_object(v, vec_find(v, "oldWl"), &old) &&
        vec_object(v, vec_find(v, "newWl"), &new))
        wl = penalized(v, w, &old.workload);
    if (wl) {
        const struct afs_ledger *l = &w->local_queues[wl->lq].afs;
        uint32_t before = l->nconsumed;
        if (vec_put_object(v, w, &new, VEC_NOW)) {
            bool folded = l->nconsumed > before && quantity_sign(l->consumed[0].q) > 0;
            vec_check_bool(v, "wantPending", vec_want(v, "wantPending"), afs_has_penalties(l));
            vec_check_bool(v, "wantFolded", doc_field(v->want, "wantFolded"), folded);
        }
    }
    world_free(w);
}

static const struct vec_entry entries[] = {
    {"controller_core__TestClusterQueueReconcile", cluster_queue, NULL, 0},
    {"controller_core__TestCqHandlerGeneric", unreferenced, NULL, 0},
    {"controller_core__TestResourceFlavorReconcile", flavor, NULL, 0},
    {"controller_core__TestUpdateCqStatusIfChanged", cluster_queue_status, NULL, 0},
    {"controller_core__TestUpdateDropsUnsettleableAfsEntryPenalty", settles, NULL, 0},
    {"controller_core__TestUpdateSettlesAfsEntryPenalty", settles, NULL, 0},
    {"controller_core__TestCohortReconcilerFilters", NULL,
     "which changes another program passes over: ours compares what it would write", 0},
    {"controller_core__TestNotifyClusterQueueUpdate", NULL,
     "which changes another program passes over: ours compares what it would write", 0},
    {"controller_core__TestResourceFlavorPredicates", NULL,
     "which changes another program passes over: ours compares what it would write", 0},
    {"controller_core__TestWorkloadPriorityClassPredicates", NULL,
     "which changes another program passes over: ours compares what it would write", 0},
    {"controller_core__TestRecordResourceMetrics", NULL, "metrics are kept by controller/run", 0},
    {"controller_core__TestWorkloadPriorityClassReconcile", NULL,
     "priorities of a class are followed by controller/run", 0},
    {"controller_core__TestReconcileDRA", NULL, "device requests (DRA) come later", 0},
};

VEC_AREA(vec_area_controllers, entries);
