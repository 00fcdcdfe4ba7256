/* Sums over time, and how waits are distributed: in constant memory, whatever the length of a trace. */
#ifndef SLUICE_SIM_TALLY_H
#define SLUICE_SIM_TALLY_H

#include "base/when.h"

#include <stdbool.h>
#include <stdint.h>

/* Units times nanoseconds: 10^5 GPUs counted in thousandths over a century are 10^26. */
__extension__ typedef __int128 wide;

/* Lengths of time in classes of at most 0.8 % (exact below 128 ms). Fill with zeros to begin. */
enum { TALLY_BITS = 7, TALLY_CLASSES = (44 - TALLY_BITS + 2) << TALLY_BITS };

struct tally {
    uint64_t n;
    wide sum_ns;
    int64_t max_ns;
    uint32_t count[TALLY_CLASSES];
};

void tally_add(struct tally *t, int64_t ns); /* negative counts as 0 */
/* The length that `percent` of 100 do not exceed, to the upper end of its class; 0 when there are none. */
int64_t tally_percentile(const struct tally *t, uint32_t percent);
/* How many were longer than each of `n` lengths, which ascend: to the accuracy of the classes. */
void tally_over(const struct tally *t, const int64_t *ns, uint32_t n, uint64_t *ret);
int64_t tally_mean(const struct tally *t);

/* How much of [a, b) lies in the window [from, to). */
struct window {
    when_ns from, to;
};
int64_t window_part(struct window w, when_ns a, when_ns b);

#endif
