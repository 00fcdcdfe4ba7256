#include "core/workload.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

when_ns wl_queue_time(const struct marks *m, when_ns created, bool by_creation, bool priority_sorting)
{
    if (m->evicted && m->evict_reason == EVICT_PODS_READY_TIMEOUT && !by_creation)
        return m->evicted_at;
    if (m->evicted && m->evict_reason == EVICT_ADMISSION_CHECK)
        return m->evicted_at;
    if (!priority_sorting && m->preempted_by_reclaim)
        return m->preempted_at + NS_PER_MS;
    return created;
}

int wl_compare(const struct wl *a, const struct wl *b)
{
    if (a->afs_usage != b->afs_usage)
        return a->afs_usage < b->afs_usage ? -1 : 1;
    if (a->sticky != b->sticky)
        return a->sticky ? -1 : 1;
    int64_t pa = wl_priority(a), pb = wl_priority(b);
    if (pa != pb)
        return pa > pb ? -1 : 1;
    if (a->queue_time != b->queue_time)
        return a->queue_time < b->queue_time ? -1 : 1;
    int c = strcmp(a->uid, b->uid);
    /* Two Workloads never share a uid; tests without uids need a total order all the same. */
    return c ? c : strcmp(a->key, b->key);
}

int32_t wl_boost(const char *text)
{
    if (!*text || isspace((unsigned char)*text)) /* strtol passes over them */
        return 0;
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    return *end || errno || v > INT32_MAX || v < INT32_MIN ? 0 : (int32_t)v;
}
