#include "core/fit.h"

#include <string.h>

static int64_t free_of(const struct req *free, uint32_t nfree, uint32_t res)
{
    for (uint32_t i = 0; i < nfree; i++)
        if (free[i].res == res)
            return free[i].amount > 0 ? free[i].amount : 0;
    return 0;
}

int32_t fit_count(const struct names *names, const struct req *requests, uint32_t n, const struct req *free,
                  uint32_t nfree, uint32_t *ret_res)
{
    const char *limit = NULL;
    int64_t best = INT32_MAX;
    uint32_t res = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (requests[i].amount <= 0)
            continue;
        int64_t count = free_of(free, nfree, requests[i].res) / requests[i].amount;
        const char *name = names_text(names, requests[i].res);
        if (count > INT32_MAX)
            count = INT32_MAX;
        if (!limit || count < best || (count == best && strcmp(name, limit) < 0)) {
            limit = name;
            best = count;
            res = requests[i].res;
        }
    }
    if (ret_res)
        *ret_res = res;
    return (int32_t)best;
}
