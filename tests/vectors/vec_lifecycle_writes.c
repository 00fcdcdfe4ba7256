/* Single writes to a Workload's status, and the wait that a release ends. */
#include "vec_controllers.h"
#include "vec_status.h"

#include "api/wl_json.h"
#include "lifecycle/waits.h"

#include <string.h>

/* The object and what a patch needs of it. */
struct written {
    struct object o;
    struct status status;
    struct wl_json_base base;
    struct wl_json_rest *rest;
};

static bool begin(struct vec *v, const struct doc_node *doc, struct written *w)
{
    status_init(&w->status);
    if (!vec_object(v, doc, &w->o))
        return false;
    if (!wl_json_read(w->o.doc, &w->o.workload, &w->status, &w->base, &w->rest))
        return true;
    vec_broken(v, "reading a status", NULL);
    return false;
}

static void end(struct written *w)
{
    wl_json_rest_free(w->rest);
    status_free(&w->status);
}

static struct wl_json_patch patch_of(const struct written *w)
{
    return (struct wl_json_patch){
        .uid = "", .resource_version = "", .from = &w->base, .rest = w->rest, .to = &w->status};
}

/* Is there something to write about what it asks for (5.6)? */
void vec_resource_requests(struct vec *v)
{
    const struct doc_node *list = doc_field(vec_find(v, "info"), "totalRequests");
    struct fact_assignment *requests = vec_alloc(v, (list ? list->n : 0) * sizeof(*requests));
    struct written w = {.rest = NULL};
    struct str s;
    bool changed;

    if (!begin(v, vec_find(v, "wl"), &w))
        return;
    struct wl_json_patch p = patch_of(&w);
    doc_foreach (c, list) {
        struct fact_assignment *a = &requests[p.nrequests++];
        a->pod_set = doc_str_or(c, "name", "");
        a->usage = vec_requests(v, doc_field(c, "requests"), &a->nusage);
    }
    p.requests = requests;
    str_init(&s, 0);
    if (wl_json_patch(&p, &s, &changed))
        vec_broken(v, "the patch", NULL);
    else
        vec_check_bool(v, "want", vec_want(v, "want"), changed);
    str_free(&s);
    end(&w);
}

void vec_reclaimable_pods(struct vec *v)
{
    const struct doc_node *list = vec_find(v, "reclaimablePods"), *doc = doc_at(v->objects, 0);
    struct fact_reclaimable *pods = vec_alloc(v, (list ? list->n : 0) * sizeof(*pods));
    struct written w = {.rest = NULL};
    struct str s;
    bool changed;

    if (vec_find(v, "err")) {
        vec_skip(v, "an error of the API server");
        return;
    }
    if (!begin(v, doc, &w))
        return;
    struct wl_json_patch p = patch_of(&w);
    doc_foreach (c, list)
        pods[p.nreclaimable++] =
            (struct fact_reclaimable){doc_str_or(c, "name", ""), (int32_t)doc_i64_or(c, "count", 0)};
    p.reclaimable = pods;
    str_init(&s, 0);
    if (wl_json_patch(&p, &s, &changed))
        vec_broken(v, "the patch", NULL);
    else
        vec_check_doc(v, "wantStatus", vec_want(v, "wantStatus"),
                      doc_field(vec_merge(v, doc, vec_read(v, vec_printf(v, "%s", str_text(&s)))), "status"),
                      NULL);
    str_free(&s);
    end(&w);
}

/* The quota that an evicted Workload held is free: of which queue, why, after how long? */
void vec_eviction_latency(struct vec *v)
{
    when_ns now = vec_when(v, vec_find(v, "now"));
    struct object was = {.doc = NULL};
    struct written w = {.rest = NULL};
    const char *cq = "", *reason = "";
    char text[64];
    int64_t ns = 0;
    bool changed;

    if (vec_find(v, "oldWl") && !vec_object(v, vec_find(v, "oldWl"), &was))
        return;
    if (!begin(v, vec_find(v, "newWl"), &w))
        return;
    if (was.doc && was.workload.admission && !w.o.workload.admission)
        cq = was.workload.admission->cluster_queue;
    /* The tables leave out the condition that goes with the loss. */
    if (status_set(&w.status, COND_QUOTA_RESERVED, STATUS_FALSE, "Pending", "", now, 0, &changed))
        vec_broken(v, "a condition", NULL);
    bool ok = *cq && waits_until_released(&w.status, &ns);
    if (ok)
        reason = w.status.cond[COND_EVICTED].reason;
    duration_print(ok ? ns : 0, text, sizeof(text));
    vec_check_bool(v, "wantOK", vec_want(v, "wantOK"), ok);
    vec_check_str(v, "wantCQ", vec_want(v, "wantCQ"), ok ? cq : "");
    vec_check_str(v, "wantReason", vec_want(v, "wantReason"), reason);
    vec_check_str(v, "wantLatency", vec_want(v, "wantLatency"), text);
    end(&w);
}
