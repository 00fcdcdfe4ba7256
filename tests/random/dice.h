/* Where choices come from: a seed (splitmix64), or the bytes of a fuzzer. A seed never runs out; after the last byte every choice is
 * the first one and dice_one_in says no. */
#ifndef SLUICE_TESTS_RANDOM_DICE_H
#define SLUICE_TESTS_RANDOM_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
    const uint8_t *bytes; /* borrowed; NULL = from the seed */
    size_t n, at;
};

static inline struct dice dice_of_seed(uint64_t seed)
{
    return (struct dice){.state = seed};
}

static inline struct dice dice_of_bytes(const uint8_t *bytes, size_t n)
{
    return (struct dice){.bytes = bytes, .n = n};
}

static inline bool dice_out(const struct dice *d)
{
    return d->bytes && d->at >= d->n;
}

static inline uint64_t dice_next(struct dice *d)
{
    if (d->bytes)
        return d->at < d->n ? d->bytes[d->at++] : 0;
    uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= result < n; n is 1 to 256. */
static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
    return n < 2 ? 0 : (uint32_t)(dice_next(d) % n);
}

static inline bool dice_one_in(struct dice *d, uint32_t n)
{
    return dice_below(d, n) == n - 1;
}

#endif
