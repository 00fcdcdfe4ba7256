/* A Lease as data, and back (kubernetes.md 3.13). For lease.c. */
#ifndef SLUICE_KUBE_LEASE_RECORD_H
#define SLUICE_KUBE_LEASE_RECORD_H

#include "base/str.h"
#include "kube/microtime.h"

enum {
    LEASE_HOLDER_BYTES =
        320, /* a longer identity is cut, and is none of ours: those have at most 255 bytes */
    LEASE_VERSION_BYTES = 128,
};

struct lease_record {
    char holder[LEASE_HOLDER_BYTES];
    int64_t duration_s, transitions;
    char acquired[64], renewed[64];
    bool strategy; /* coordinated election: somebody else says who holds it */
    char version[LEASE_VERSION_BYTES];
    struct str meta, spec; /* owned: fields that are not ours, ",\"labels\":{...}" */
};

void lease_record_init(struct lease_record *r);
void lease_record_free(struct lease_record *r);
/* ERR_INVALID when it is no Lease, ERR_NOMEM; then nothing has changed. */
MUST_USE int lease_record_read(struct lease_record *r, const char *json, size_t len, struct err *err);
/* Does it say the same? What changes is a sign of life of the holder. */
bool lease_record_same(const struct lease_record *a, const struct lease_record *b);
/* The whole object. Without a version it is one to create. */
void lease_record_print(const struct lease_record *r, const char *ns, const char *name, struct str *ret);

#endif
