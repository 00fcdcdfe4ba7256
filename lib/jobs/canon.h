/* Parts of documents as canonical text, to compare parts that come from different objects: keys in order, nothing empty, quantities of
 * resources in their shortest form ("1000m" is "1"). Equal texts mean the same to Kubernetes. */
#ifndef SLUICE_JOBS_CANON_H
#define SLUICE_JOBS_CANON_H

#include "api/doc.h"
#include "base/str.h"

struct canon_digest {
    uint64_t hi, lo;
};

/* Appends the text of a node; nothing when there is nothing in it. `scratch` is used and rewound; its bail must be set. */
void canon_put(struct str *out, const struct doc_node *n, struct arena *scratch);
/* 128 bits of SHA-1. */
struct canon_digest canon_digest_of(const char *text, size_t len);
bool canon_digest_equal(struct canon_digest a, struct canon_digest b);

#endif
