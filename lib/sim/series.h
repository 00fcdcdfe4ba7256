/* How something went over time, in a bounded number of equal bins: when they do not reach, each two become one. Integrals are exact: what is
 * added to the bins is what their sum is. */
#ifndef SLUICE_SIM_SERIES_H
#define SLUICE_SIM_SERIES_H

#include "base/amount.h"
#include "sim/tally.h"

enum series_value {
    SERIES_USED,     /* units held */
    SERIES_WAITING,  /* jobs that wait */
    SERIES_IDLE,     /* units of quota not used while a job waits */
    SERIES_BORROWED, /* units above the own quota */
    SERIES_LENT,
    SERIES_VALUES
};

enum { SERIES_BINS_MAX = 4096 };

struct series {
    when_ns from;    /* where the first bin begins */
    int64_t step_ns; /* length of a bin */
    uint32_t n,
        cap; /* bins that something was added to or that lie before such a one; as many as there may be */
    wide (*bin)[SERIES_VALUES]; /* owned */
};

/* `bins`: 2..SERIES_BINS_MAX, even. ERR_NOMEM. */
MUST_USE int series_open(struct series *s, uint32_t bins, when_ns from);
void series_free(struct series *s); /* also of one of zeros */
/* Adds `v` times the time from a to b; before `from` is nothing. Times after the year 2262 are not expected. */
void series_add(struct series *s, enum series_value what, when_ns a, when_ns b, amount v);
/* Bins become as long as `step_ns`, which is the length of bins of a series of the same beginning, or stay as they are. */
void series_widen(struct series *s, int64_t step_ns);
wide series_sum(const struct series *s, enum series_value what);

#endif
