/* One reconciliation of a Workload (10.4): document -> facts -> life cycle -> patch -> document, and what is told about it. */
#include "vec_controllers.h"
#include "vec_status.h"

#include "api/wl_json.h"
#include "lifecycle/lifecycle.h"

#include <string.h>

static const char finalizer[] = "kueue.x-k8s.io/resource-in-use";

struct reconciliation {
    struct object o;
    struct lifecycle_object object;
    struct lifecycle_config config;
    struct status status;
    struct wl_json_base base;
    struct wl_json_rest *rest;
    struct notices notices;
    struct lifecycle_result result;
    when_ns now;
};

/* ---- what is given ------------------------------------------------------------------------------------------------------ */

static bool put_queues(struct vec *v, struct world *w, when_ns now)
{
    const struct doc_node *cq = vec_find(v, "cq"), *lq = vec_find(v, "lq");
    struct object o;
    if (cq && !(vec_object(v, cq, &o) && vec_put_references(v, w, &o.cluster_queue) &&
                vec_put_object(v, w, &o, now)))
        return false;
    if (lq && vec_bool(v, vec_find(v, "shouldDeleteLQ"))) {
        if (!vec_object(v, lq, &o))
            return false;
        o.local_queue.deleting = true;
        return vec_put_object(v, w, &o, now);
    }
    return vec_put(v, w, lq, now);
}

static void take_object(struct reconciliation *r)
{
    const struct doc_node *doc = r->o.doc, *owners = doc_path(doc, "metadata.ownerReferences");

    r->object = (struct lifecycle_object){
        .ending = {.owned = owners && owners->n,
                   .deleting = doc_path(doc, "metadata.deletionTimestamp") != NULL,
                   .has_job_uid = *r->o.workload.job_uid != '\0',
                   .generation = r->o.workload.generation},
        .has_admission = r->o.workload.admission != NULL,
        .max_execution_s = (int32_t)doc_i64_or(doc_field(doc, "spec"), "maximumExecutionTimeSeconds", 0)};
    doc_foreach (f, doc_path(doc, "metadata.finalizers"))
        if (doc_is_text(f, finalizer))
            r->object.has_finalizer = true;
}

/* Settings given as options of the tables. False when one is unknown to us. */
static bool take_option(struct vec *v, struct reconciliation *r, const struct doc_node *o)
{
    const struct doc_node *c = doc_path(o, "sets.waitForPodsReady"),
                          *keep = doc_path(o, "sets.workloadRetention.afterFinished"),
                          *limit = doc_field(c, "requeuingBackoffLimitCount");
    struct podsready_config *p = &r->config.pods_ready;

    if (keep) {
        r->config.ending.has_retention = true;
        r->config.ending.retention_ns = vec_duration(v, keep);
    }
    if (c) {
        r->config.wait_for_pods_ready = true;
        p->has_limit = limit != NULL;
        p->limit = (int32_t)vec_i64(v, limit);
        p->timeout_ns = vec_duration(v, doc_field(c, "timeout"));
        p->recovery_ns = vec_duration(v, doc_field(c, "recoveryTimeout"));
        p->backoff = (struct backoff){vec_i64(v, doc_field(c, "requeuingBackoffBaseSeconds")) * NS_PER_S,
                                      vec_duration(v, doc_field(c, "requeuingBackoffMaxDuration")), 2};
    }
    return c || strcmp(doc_str_or(o, "option", ""), "WithWorkloadRetention") == 0;
}

static bool take_config(struct vec *v, struct reconciliation *r)
{
    r->config.ending.finish_orphans = true;
    for (uint32_t i = 0; i < v->ngates; i++)
        if (strcmp(v->gates[i].name, "FinishOrphanedWorkloads") == 0)
            r->config.ending.finish_orphans = v->gates[i].on;
    doc_foreach (o, vec_find(v, "reconcilerOpts"))
        if (!take_option(v, r, o))
            return false;
    return true;
}

/* ---- the document after it ---------------------------------------------------------------------------------------------- */

/* "{"metadata":{"finalizers":[...]}}" without ours. */
static const struct doc_node *without_finalizer(struct vec *v, const struct doc_node *doc, bool *ret_last)
{
    const struct doc_node *list = doc_path(doc, "metadata.finalizers");
    struct str s;
    uint32_t n = 0;

    str_init(&s, 0);
    str_add(&s, "{\"metadata\":{\"finalizers\":[");
    doc_foreach (f, list) {
        if (doc_is_text(f, finalizer))
            continue;
        str_add(&s, n++ ? "," : "");
        str_add_json(&s, f->text);
    }
    str_add(&s, "]}}");
    *ret_last = n == 0;
    const struct doc_node *patch = vec_read(v, vec_printf(v, "%s", str_text(&s)));
    str_free(&s);
    return vec_merge(v, doc, patch);
}

static const struct doc_node *with_status(struct vec *v, const struct reconciliation *r)
{
    struct wl_json_patch p = {
        .uid = "", .resource_version = "", .from = &r->base, .rest = r->rest, .to = &r->status};
    const struct doc_node *doc = r->o.doc;
    struct str s;
    bool changed;

    str_init(&s, 0);
    if (wl_json_patch(&p, &s, &changed))
        vec_broken(v, "the patch", NULL);
    else if (changed)
        doc = vec_merge(v, doc, vec_read(v, vec_printf(v, "%s", str_text(&s))));
    str_free(&s);
    return doc;
}

/* NULL = it is gone. */
static const struct doc_node *after(struct vec *v, const struct reconciliation *r)
{
    const struct doc_node *doc = with_status(v, r), *list = doc_path(doc, "metadata.finalizers");
    bool last = !list || !list->n;

    if (r->result.release)
        doc = without_finalizer(v, doc, &last);
    if (r->result.deactivate)
        doc = vec_merge(v, doc, vec_read(v, "{\"spec\":{\"active\":false}}"));
    return last && (r->object.ending.deleting || r->result.remove) ? NULL : doc;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

/* The clock of the tables is not that of all their conditions, and the time of a backoff does not always follow from their input: times
 * do not count. A case without an expected document expects nothing of it, unless it is being deleted. */
static void check_document(struct vec *v, const struct reconciliation *r)
{
    static const char *const ignore[] = {"lastTransitionTime", "requeueAt", NULL};
    const struct doc_node *want = doc_field(v->want, "wantWorkloadUseMergePatch"), *got = after(v, r);

    want = want ? want : doc_field(v->want, "wantWorkload");
    if (want || r->object.ending.deleting)
        vec_check_bool(v, "gone", NULL, !got != !want);
    if (!want || !got)
        return;
    vec_check_doc(v, "workload", want, got, &(struct vec_compare){.ignore = ignore, .sets = true});
    vec_check_bool(v, "requeueAt", NULL,
                   !doc_path(want, "status.requeueState.requeueAt") !=
                       !doc_path(got, "status.requeueState.requeueAt"));
}

static void check_notices(struct vec *v, const struct reconciliation *r)
{
    struct str s;

    str_init(&s, 0);
    str_addc(&s, '[');
    for (uint32_t i = 0; i < r->notices.n; i++) {
        const struct notice *n = &r->notices.v[i];
        str_addf(&s, "%s{\"key\":\"%s/%s\",\"eventType\":\"%s\",\"reason\":", i ? "," : "", r->o.ns,
                 r->o.name, n->warning ? "Warning" : "Normal");
        str_add_json(&s, n->reason);
        str_add(&s, ",\"message\":");
        str_add_json(&s, n->note);
        str_addc(&s, '}');
    }
    str_addc(&s, ']');
    vec_check_json(v, "wantEvents", doc_field(v->want, "wantEvents"), &s, NULL);
    str_free(&s);
}

/* What changed something is looked at anew because of that, so then no time is asked for. */
static void check_again(struct vec *v, const struct reconciliation *r)
{
    const struct doc_node *want = doc_path(v->want, "wantResult.requeueAfter");
    char text[64] = "";

    if (r->result.again != WHEN_NONE)
        duration_print(r->result.again - r->now, text, sizeof(text));
    if (want || !r->result.changed)
        vec_check_str(v, "requeueAfter", want, text);
}

static void check_queued(struct vec *v, struct world *w)
{
    const struct doc_node *want = doc_field(v->want, "wantWorkloadsInQueue");
    uint32_t n = 0;

    for (uint32_t i = 0; i < world_cq_count(w); i++)
        n += world_cq(w, i).npending_active + world_cq(w, i).npending_inadmissible;
    if (want)
        vec_check_i64(v, "wantWorkloadsInQueue", want, n);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

static void look(struct vec *v, struct world *w, struct reconciliation *r)
{
    struct wl *wl = vec_put_workload(v, w, &r->o.workload, r->now);
    struct err err;

    if (!wl)
        return;
    if (world_settle(w, &err)) {
        vec_broken(v, "settling", &err);
        return;
    }
    struct lifecycle l = lifecycle_of(w, wl, r->o.workload.gated_by, r->now);
    l.object = &r->object;
    l.config = &r->config;
    l.notices = &r->notices;
    if (lifecycle_step(&l, &r->status, &r->result, &err)) {
        vec_broken(v, "life cycle", &err);
        return;
    }
    check_document(v, r);
    check_notices(v, r);
    check_again(v, r);
    check_queued(v, w);
}

void vec_reconcile(struct vec *v)
{
    struct reconciliation r = {.now = vec_when(v, vec_find(v, "fakeClock"))};

    if (!vec_object(v, vec_find(v, "workload"), &r.o))
        return;
    if (vec_find(v, "patchErr")) {
        vec_skip(v, "an error of the API server");
        return;
    }
    take_object(&r);
    if (!take_config(v, &r)) {
        vec_broken(v, "an option", NULL);
        return;
    }
    status_init(&r.status);
    if (wl_json_read(r.o.doc, &r.o.workload, &r.status, &r.base, &r.rest))
        vec_broken(v, "reading a status", NULL);
    struct world *w = vec_world(v, NULL);
    if (w && vec_put_list(v, w, doc_field(v->shared, "objects"), r.now) &&
        vec_put_list(v, w, v->objects, r.now) && put_queues(v, w, r.now))
        look(v, w, &r);
    world_free(w);
    notices_free(&r.notices);
    wl_json_rest_free(r.rest);
    status_free(&r.status);
}
