/* Shapes: what distinguishes one pod set template from another, stored once however many Workloads share it (engine.md 4.10,
 * 6.4). Also the flavors they are matched with: "does this flavor match this shape" is computed once a pair. */
#ifndef SLUICE_CORE_SHAPE_H
#define SLUICE_CORE_SHAPE_H

#include "base/names.h"
#include "base/str.h"
#include "core/facts.h"
#include "core/requests.h"

/* A ResourceFlavor as the engine keeps it; owned copies of the fact. */
struct flavor {
    uint32_t name;    /* id */
    uint32_t version; /* a new one for each flavor_new; a cached match of another version is void */
    struct fact_flavor fact;
};

struct flavor *flavor_new(struct names *names,
                          const struct fact_flavor *f); /* owned; NULL when memory is exhausted */
void flavor_free(struct flavor *f);
/* Do labels, taints or tolerations differ (4.7 event 4)? */
bool flavor_differs(const struct flavor *a, const struct flavor *b);

enum match_kind {
    MATCH_OK,
    MATCH_TAINT,    /* taint number `taint` of the flavor is not tolerated */
    MATCH_AFFINITY, /* node selector or affinity */
    MATCH_ERROR,    /* the selector does not parse: shape->selector_error */
};

struct match {
    uint8_t kind;
    uint8_t taint;
};

struct shape_match {
    uint32_t flavor, version;
    struct match match;
};

struct shape {
    uint32_t id; /* equal ids = equal shapes; not reused while the shape is referenced */
    uint32_t refs;
    uint32_t nreq;
    const struct req *req; /* of one pod, in the order of requests_of_pod */
    bool wants_topology, wants_devices;
    const char *selector_error;
    struct fact_pod
        pod; /* selector, terms, tolerations: owned copies. Containers, overhead, digest: not kept */
    /* private */
    struct shape_match *matches;
    uint32_t nmatches, cap_matches;
    char *key; /* canonical bytes: digest, requests, topology */
    uint32_t key_len;
};

struct shapes;

struct shapes *shapes_new(struct names *names); /* `names` borrowed */
void shapes_free(struct shapes *s);
/* The shape of a pod set with these requests of one pod; made if new. The caller holds one reference. Name, count, minCount are not
 * part of it. */
MUST_USE int shapes_take(struct shapes *s, const struct fact_pod_set *ps, const struct req *req,
                         uint32_t nreq, struct shape **ret, struct err *err);
void shapes_drop(struct shapes *s, struct shape *shape); /* gives a reference back */
uint32_t shapes_count(const struct shapes *s);

/* 6.4 steps 2 and 3; the result is remembered in the shape. Never allocates after shape_reserve(shape, n) for n flavors; when
 * memory is exhausted it is computed anew each time. */
struct match shape_match(struct shape *shape, const struct flavor *flavor);
void shape_reserve(struct shape *shape, uint32_t nflavors);

/* Parts of the above, pure. Toleration rule of Kubernetes (6.4 step 2). */
bool toleration_tolerates(const struct fact_toleration *t, const struct fact_taint *taint);
/* Does the selector match the labels (9.4)? */
bool selector_matches(const struct fact_selector *sel, const struct fact_label *labels, uint32_t nlabels);

/* Text of a mismatch: "untolerated taint {KEY VALUE EFFECT <nil>} in flavor NAME" or "flavor NAME doesn't match node affinity". */
void match_print(struct str *out, struct match m, const struct flavor *flavor);

#endif
