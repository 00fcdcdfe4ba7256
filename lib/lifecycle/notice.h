/* What is to be told about an object as Kubernetes events (engine.md 11.4), as data: who writes them is the caller's business. */
#ifndef SLUICE_LIFECYCLE_NOTICE_H
#define SLUICE_LIFECYCLE_NOTICE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct notice {
    bool warning; /* type Warning, else Normal */
    char *reason,
        *note; /* owned; the note is at most 1024 bytes (cut as the top of the specification says) */
};

struct notices {
    struct notice *v; /* owned; in the order in which they happened */
    uint32_t n, cap;
};

/* `list` zeroed is an empty list. ERR_NOMEM leaves it as it was. */
MUST_USE int notices_add(struct notices *list, bool warning, const char *reason, const char *note);
/* Forgets those after the first `n`. */
void notices_cut(struct notices *list, uint32_t n);
void notices_free(struct notices *list); /* leaves it empty */

#endif
