#include "sim/tally.h"

#include "base/amount.h"

static uint32_t class_of(int64_t ns)
{
    uint64_t ms = (uint64_t)ns / NS_PER_MS;

    if (ms < 1u << TALLY_BITS)
        return (uint32_t)ms;
    int shift = 63 - __builtin_clzll(ms) - TALLY_BITS;
    return ((uint32_t)(shift + 1) << TALLY_BITS) + ((uint32_t)(ms >> shift) & ((1u << TALLY_BITS) - 1));
}

/* The largest length of a class. */
static int64_t class_end(uint32_t c)
{
    if (c < 1u << TALLY_BITS)
        return c * NS_PER_MS;
    uint32_t shift = (c >> TALLY_BITS) - 1;
    uint64_t top = (1u << TALLY_BITS) + (c & ((1u << TALLY_BITS) - 1));
    return i64_mul((int64_t)(((top + 1) << shift) - 1), NS_PER_MS);
}

void tally_add(struct tally *t, int64_t ns)
{
    ns = ns < 0 ? 0 : ns;
    t->n++;
    t->sum_ns += ns;
    t->max_ns = ns > t->max_ns ? ns : t->max_ns;
    t->count[class_of(ns)]++;
}

int64_t tally_percentile(const struct tally *t, uint32_t percent)
{
    uint64_t want = (t->n * percent + 99) / 100, seen = 0;

    for (uint32_t c = 0; c < TALLY_CLASSES && want; c++) {
        seen += t->count[c];
        if (seen >= want)
            return class_end(c) < t->max_ns ? class_end(c) : t->max_ns;
    }
    return 0;
}

void tally_over(const struct tally *t, const int64_t *ns, uint32_t n, uint64_t *ret)
{
    uint64_t left = t->n;
    uint32_t c = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (; c < TALLY_CLASSES && class_end(c) <= ns[i]; c++)
            left -= t->count[c];
        ret[i] = ns[i] >= t->max_ns ? 0 : left;
    }
}

int64_t tally_mean(const struct tally *t)
{
    return t->n ? (int64_t)(t->sum_ns / (wide)t->n) : 0;
}

int64_t window_part(struct window w, when_ns a, when_ns b)
{
    a = a > w.from ? a : w.from;
    b = b < w.to ? b : w.to;
    return b > a ? i64_sub(b, a) : 0;
}
