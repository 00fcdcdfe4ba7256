/* Waits that grow: base, base x factor, base x factor^2, ... up to a cap (engine.md 4.11, 10.5). Without jitter, which is the
 * business of whoever may draw random numbers. */
#ifndef SLUICE_BASE_BACKOFF_H
#define SLUICE_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    int64_t base_ns, cap_ns; /* > 0 */
    uint32_t factor;         /* >= 1 */
};

/* The wait before try number `n` + 1: 0 for n = 0, then base x factor^(n-1), never more than the cap. */
int64_t backoff_wait(const struct backoff *b, uint64_t n);

/* For a loop: `*slow` counts the rounds in a row that brought nothing (0 at first). A round that brought something starts over.
 * Returns how long to wait before the next round. */
int64_t backoff_next(const struct backoff *b, uint64_t *slow, bool brought);

#endif
