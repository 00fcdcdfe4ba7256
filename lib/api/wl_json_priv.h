/* Inside of wl_json: what lists of a status hold and our record does not, and the digests. */
#ifndef SLUICE_API_WL_JSON_PRIV_H
#define SLUICE_API_WL_JSON_PRIV_H

#include "api/wl_json.h"

enum part_kind {
    PART_CONDITION, /* of an unknown type: `text` is all of it */
    PART_CHECK, /* `text` is its podSetUpdates or "", `more` its unknown fields, each with a comma in front */
    PART_GATE,  /* `open` and `since` as they were; `text` is since as it was written */
};

struct wl_json_part {
    enum part_kind kind;
    bool pending, open;
    const char *name, *text, *more; /* within the block */
};

struct wl_json_rest {
    size_t bytes; /* of the whole block */
    uint32_t n;
    bool has_cluster_name, has_nominated, has_unhealthy;
    struct wl_json_part parts[];
};

/* A node as JSON without blanks. */
void wl_json_node(const struct doc_node *n, struct str *out);

/* Digests, which begin with WL_JSON_SEED. */
#define WL_JSON_SEED 0xcbf29ce484222325u
uint64_t wl_json_hash_text(uint64_t h, const char *text);
uint64_t wl_json_hash_i64(uint64_t h, int64_t v);
/* By value: 1Gi and 1073741824 are equal. */
uint64_t wl_json_hash_quantity(uint64_t h, struct quantity q);

/* Times in seconds, as they are written; WHEN_NONE stays. */
static inline int64_t wl_json_seconds(when_ns t)
{
    return t == WHEN_NONE ? t : t / NS_PER_S - (t % NS_PER_S < 0);
}
uint64_t wl_json_conditions_digest(const struct status *s);
uint64_t wl_json_checks_digest(const struct status *s);
uint64_t wl_json_evictions_digest(const struct status *s);
/* Of resourceRequests; 0 for none. The order of resources does not count. */
uint64_t wl_json_requests_digest(const struct fact_assignment *list, uint32_t n);

/* The rest of a document's status; NULL when there is nothing. ERR_NOMEM. */
MUST_USE int wl_json_rest_read(const struct doc_node *status, struct wl_json_rest **ret);
/* What is known of a check, NULL if nothing. */
const struct wl_json_part *wl_json_check_part(const struct wl_json_rest *r, const char *name);

#endif
