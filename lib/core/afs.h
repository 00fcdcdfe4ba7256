/* Admission fair sharing (engine.md 4.9): what each LocalQueue consumed lately, decayed, and the penalties of admissions not yet
 * settled. Results are 0 or ERR_NOMEM; a failed call changes nothing. */
#ifndef SLUICE_CORE_AFS_H
#define SLUICE_CORE_AFS_H

#include "base/names.h"
#include "core/facts.h"

struct afs_amount {
    uint32_t res;
    struct quantity q;
};

struct afs_config {
    bool on;
    int64_t half_life_ns, sampling_ns;
    struct afs_amount *weights; /* owned */
    uint32_t nweights;
};

/* One Workload's penalty. */
struct afs_penalty {
    const void *w;              /* identity only */
    struct afs_amount *amounts; /* owned */
    uint32_t n;
};

struct afs_ledger {
    struct afs_amount *consumed; /* owned; sorted by resource name */
    uint32_t nconsumed, cap_consumed;
    struct afs_penalty *penalties; /* owned */
    uint32_t npenalties, cap_penalties;
    when_ns updated; /* WHEN_NONE = never */
    double weight;
    bool seeded; /* persisted status merged */
};

MUST_USE int afs_configure(struct afs_config *c, struct names *names, const struct fact_config *f);
void afs_config_free(struct afs_config *c);
/* Nothing consumed, never updated, weight 1. */
void afs_ledger_init(struct afs_ledger *l);
void afs_ledger_free(struct afs_ledger *l); /* leaves it initialised */

/* alpha(t) = 1 - 0.5^(t / half life); 0 without half life. */
double afs_alpha(const struct afs_config *c, int64_t elapsed_ns);
/* Product of a quantity and a float, exact in decimals, rounded toward zero to 9 places. */
struct quantity afs_scale(struct quantity q, double f);

/* Weighted usage / weight; +Inf for a weight <= 0. */
double afs_usage(const struct afs_config *c, const struct names *names, const struct afs_ledger *l);
/* Entry penalty of a Workload: requests x alpha(sampling interval); replaces an earlier one. */
MUST_USE int afs_penalize(const struct afs_config *c, struct names *names, struct afs_ledger *l,
                          const void *w, const struct afs_amount *requests, uint32_t n);
void afs_unpenalize(struct afs_ledger *l, const void *w); /* drops the record without folding */
bool afs_has_penalties(const struct afs_ledger *l);
/* Sum of the recorded penalties of one resource; 0 when there are none. */
struct quantity afs_pending(const struct afs_ledger *l, uint32_t res);
/* Settlement on Admitted: decay with the usage held by admitted Workloads, fold the record in. */
MUST_USE int afs_settle(const struct afs_config *c, struct names *names, struct afs_ledger *l, const void *w,
                        const struct afs_amount *admitted, uint32_t n, when_ns now);
/* Sampling (decay only). */
MUST_USE int afs_sample(const struct afs_config *c, struct names *names, struct afs_ledger *l,
                        const struct afs_amount *admitted, uint32_t n, when_ns now);
/* Merges the persisted status once. */
MUST_USE int afs_seed(struct afs_ledger *l, struct names *names, const struct fact_amount *consumed,
                      uint32_t n, when_ns at);

#endif
