/* The status of a Workload as JSON (engine.md 1.5, 5.6, 5.7, 10): what a write has to keep of a document, and the merge patch of
 * `/status` that takes the object from what it was to what it is to be. A merge patch replaces lists whole, so conditions,
 * admissionChecks, schedulingStats.evictions, resourceRequests and preemptionGates go whole or not at all.
 *
 * For each Workload seen: wl_json_read; then the document can go. For a write: wl_json_patch with the base and the rest that it gave. */
#ifndef SLUICE_API_WL_JSON_H
#define SLUICE_API_WL_JSON_H

#include "api/doc.h"
#include "base/str.h"
#include "core/status.h"

/* What lists of the status hold and our record does not: conditions of unknown types, podSetUpdates and unknown fields of checks, states
 * of preemption gates; and what an eviction takes away (clusterName, nominatedClusterNames, unhealthyNodes). One block. */
struct wl_json_rest;

/* What the object says, as digests: equal for equal statuses, times to the second. */
struct wl_json_base {
    uint64_t conditions, checks, evictions;
    uint64_t requests;   /* resourceRequests; 0 = none */
    when_ns reserved_at; /* WHEN_NONE = QuotaReserved is not True */
    when_ns requeue_at;
    int32_t requeue_count, accumulated_s;
    bool has_admission;
};

/* Reads the whole status of a v1beta2 Workload, `f` being its fact: in place of what `s`, initialised, held; its base; and the rest, owned by
 * the caller (wl_json_rest_free), NULL in the normal case that there is nothing to keep. Fields of a wrong type count as absent.
 * ERR_NOMEM leaves all three as they were. */
MUST_USE int wl_json_read(const struct doc_node *workload, const struct fact_workload *f, struct status *s,
                          struct wl_json_base *ret_base, struct wl_json_rest **ret_rest);
void wl_json_rest_free(struct wl_json_rest *r);          /* NULL is fine */
size_t wl_json_rest_bytes(const struct wl_json_rest *r); /* 0 for NULL */

struct wl_json_patch {
    const char *uid, *resource_version; /* "" = left out of the patch */
    const struct wl_json_base *from;
    const struct wl_json_rest *rest; /* as read with `from`; may be NULL */
    const struct status *to;
    /* core/admission.h; looked at only when `to` holds quota and the object has no admission, or has one of a reservation that began in
     * another second, or `readmitted` */
    const struct fact_admission *admission;
    bool readmitted; /* it lost its quota and got some again since `from` was read */
    /* status.resourceRequests of a pending Workload (5.6): name and usage count; NULL = stays. An admission takes them away. */
    const struct fact_assignment *requests;
    uint32_t nrequests;
    const struct fact_reclaimable *reclaimable; /* NULL = stays */
    uint32_t nreclaimable;
};

/* Appends {"metadata":{"uid":..,"resourceVersion":..},"status":{..}} with only what changed. *ret_changed false: nothing did, and nothing
 * was appended. ERR_NOMEM, also when `out` is full. */
MUST_USE int wl_json_patch(const struct wl_json_patch *p, struct str *out, bool *ret_changed);

/* Parts of it, for requests that create a status: {"clusterQueue":..}, and a list of conditions. A failure shows in str_failed(out). */
void wl_json_admission(const struct fact_admission *a, struct str *out);
void wl_json_conditions(const struct status *s, const struct wl_json_rest *rest, struct str *out);

#endif
