/* A Workload as the bench sees and writes it: in place of a job's controller it says that it is finished, and gives back the quota of one that
 * was evicted (engine.md 10.3 "Completion"). */
#ifndef BENCH_CLUSTER_WL_H
#define BENCH_CLUSTER_WL_H

#include "base/str.h"
#include "bench_cluster_drive.h"
#include "bench_cluster_scan.h"

struct wl_class {
    const char *name;
    uint32_t count, cpu, priority; /* count: in each queue */
    int64_t runs_ns, every_ns;
};

enum { WL_CLASSES = 3 };
extern const struct wl_class wl_classes[WL_CLASSES]; /* small, medium, large */

enum { WL_ADMITTED = 1, WL_RESERVED = 2, WL_EVICTED = 4, WL_FINISHED = 8 };

/* What the API server has. */
struct wl_seen {
    uint64_t version;
    uint32_t index; /* number in its name */
    unsigned is;    /* WL_ADMITTED ... */
    struct span conditions;
};

void wl_body(struct str *out, uint32_t index, const struct wl_class *class, uint32_t queue);
/* False: not one of ours. */
bool wl_read(const char *json, size_t len, struct wl_seen *ret);
/* Paths and bodies; `conditions` is the list as it was seen. */
void wl_status_path(struct str *out, uint32_t index);
void wl_finish(struct str *out, uint64_t version, struct span conditions, when_ns now);
void wl_release(struct str *out, uint64_t version, struct span conditions, when_ns now);

#endif
