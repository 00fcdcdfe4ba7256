/* Times and durations. A time is int64 nanoseconds since 1970 (years 1678 to 2262); WHEN_NONE means "not set". */
#ifndef SLUICE_BASE_WHEN_H
#define SLUICE_BASE_WHEN_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef int64_t when_ns;

#define WHEN_NONE INT64_MIN
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* RFC 3339 with optional fraction (1 to 9 digits), `T` or `t`, `Z`, `z` or +hh:mm. ERR_INVALID (syntax, no such day) or ERR_RANGE. */
MUST_USE int when_parse(const char *s, size_t len, when_ns *ret, struct err *err);
/* "2026-01-01T00:00:00Z", whole seconds (rounded down). Returns the length; `cap` of 32 is enough. */
size_t when_print(when_ns t, char *buf, size_t cap);
/* Go's duration text ("1h30m", "5m0s", "-1.5s", "0"); units ns us µs ms s m h. ERR_INVALID or ERR_RANGE. */
MUST_USE int duration_parse(const char *s, size_t len, int64_t *ret_ns, struct err *err);
size_t duration_print(int64_t ns, char *buf, size_t cap);

#endif
