/* Finds parts of a JSON text without reading it whole: the bench looks at each change of 15,000 Workloads, and what it costs is taken from the
 * API server that is measured. For texts of an API server: what is malformed is "not there". */
#ifndef BENCH_CLUSTER_SCAN_H
#define BENCH_CLUSTER_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* A value's own text, quotes and braces included; borrowed. p NULL = absent. */
struct span {
    const char *p;
    size_t n;
};

/* The value of a field of an object; absent when it is no object or has no such field. */
struct span scan_field(struct span object, const char *key);
/* The items of a list, one after the other: `at` begins as {NULL, 0}. False: no more. */
bool scan_item(struct span list, struct span *at);
/* A string without its quotes, escapes as they stand; absent when it is no string. */
struct span scan_text(struct span value);
bool scan_is(struct span value, const char *text); /* a string with this text? */

#endif
