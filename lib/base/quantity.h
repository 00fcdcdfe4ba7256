/* Kubernetes quantities, exact over their whole range (engine.md 2.1, 2.2, 2.6). */
#ifndef SLUICE_BASE_QUANTITY_H
#define SLUICE_BASE_QUANTITY_H

#include "base/amount.h"
#include "base/err.h"

#include <stddef.h>

enum quantity_format { QUANTITY_DECIMAL_SI, QUANTITY_BINARY_SI, QUANTITY_DECIMAL_EXPONENT };

/* value = coef * 10^exp10. Canonical: coef has no trailing decimal zero unless it is 0 (then exp10 is 0). */
struct quantity {
    __int128 coef;
    int32_t exp10;
    enum quantity_format format;
    int32_t
        zeros; /* how many zeros coef had as written ("300m": 2). Only quantity_double looks; may be left 0 */
};

/* Reads "100m", "1Gi", "1e3", "-.5": the grammar of Kubernetes, with its rules for what is finer than 1n (rounded up, away from
 * zero) and for what is too large. ERR_INVALID with Kubernetes' own text ("quantities must match the regular expression ..."). */
MUST_USE int quantity_parse(const char *s, size_t len, struct quantity *ret, struct err *err);

struct quantity quantity_from_i64(int64_t v);
/* Value and milli-value rounded up (away from zero) to an integer, clamped to the range of int64. */
int64_t quantity_value(struct quantity q);
int64_t quantity_milli(struct quantity q);
int quantity_sign(struct quantity q);
int quantity_cmp(struct quantity a, struct quantity b);
/* Exact sum and product in the format of `a` (of `b` where a sum has a = 0); what 128 bits do not hold is rounded away from zero
 * to some 38 digits, so the sign and "far outside int64" stay. */
struct quantity quantity_add(struct quantity a, struct quantity b);
struct quantity quantity_mul(struct quantity a, struct quantity b);
/* Canonical text (largest suffix that keeps the mantissa an integer). Returns the length, at most cap-1; `cap` of 64 is enough.
 * Differs from Kubernetes where that loses the value: above 1000E the mantissa grows, or an exponent is printed. */
size_t quantity_print(struct quantity q, char *buf, size_t cap);
/* The approximation that Kubernetes makes, to the last bit: mantissa as written times a power of ten. */
double quantity_double(struct quantity q);

/* Workload side: request conversion of engine.md 2.1 (cpu in milli, rest in units, rounded up, clamped). */
int64_t quantity_request(struct quantity q, bool is_cpu);
/* Queue side: quota conversion of engine.md 2.1 (may give AMOUNT_UNLIMITED). */
amount quantity_quota(struct quantity q, bool is_cpu);
/* The other way round, engine.md 2.2: text of an amount of a resource. `binary` for memory, ephemeral-storage, hugepages-*.
 * Unlimited is printed as a number here; callers that want "<unlimited>" use amount_print. */
size_t amount_quantity_print(amount v, bool is_cpu, bool binary, char *buf, size_t cap);
/* As above with "<unlimited>" for Unlimited: the form of messages. */
size_t amount_print(amount v, bool is_cpu, bool binary, char *buf, size_t cap);

/* The two facts about a resource name that the above need. */
bool resource_is_cpu(const char *name);
bool resource_is_binary(const char *name);

#endif
