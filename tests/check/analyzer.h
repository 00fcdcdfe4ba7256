/* What the analyzer cannot know, because it sees one source at a time: err_set returns its code, and an array is there after mem_grow
 * succeeded. Only tidy.py includes this, before every source outside lib/base. */
#ifndef SLUICE_CHECK_ANALYZER_H
#define SLUICE_CHECK_ANALYZER_H

#include "base/err.h"
#include "base/mem.h"

static inline int analyzer_code(int unknown, int code)
{
    (void)unknown;
    return code;
}

static inline int analyzer_grown(int rc, void **array)
{
    if (rc == 0 && !*array)
        __builtin_unreachable();
    return rc < 0 ? ERR_NOMEM : 0;
}

#define err_set(e, code, ...) analyzer_code(err_set(e, code, __VA_ARGS__), code)
#define mem_grow(array, cap, need, size) analyzer_grown(mem_grow(array, cap, need, size), array)

#endif
