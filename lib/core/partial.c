/* Partial admission (engine.md 6.8). */
#include "core/assign.h"

#include <string.h>

bool partial_search(const int32_t *full, const int32_t *min, uint32_t n, int32_t *counts,
                    bool (*ok)(const int32_t *counts, void *arg), void *arg)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < n; i++)
        total += min[i] ? full[i] - min[i] : 0;
    if (total <= 0)
        return false;
    int64_t lo = 0, hi = total + 1, last = -1;
    while (lo < hi) {
        int64_t mid = (lo + hi) / 2;
        for (uint32_t i = 0; i < n; i++) {
            int64_t delta = min[i] ? full[i] - min[i] : 0;
            counts[i] = (int32_t)(full[i] - delta * mid / total);
        }
        if (ok(counts, arg)) {
            hi = mid;
            last = mid;
        } else {
            lo = mid + 1;
        }
    }
    if (last != lo)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t delta = min[i] ? full[i] - min[i] : 0;
        counts[i] = (int32_t)(full[i] - delta * last / total);
    }
    return true;
}
