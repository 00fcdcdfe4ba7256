/* Amounts: what quotas and usage are counted in (engine.md 2.1). cpu in milli-units, everything else in units. AMOUNT_UNLIMITED
 * is an ordinary value, INT64_MAX: whatever saturates there becomes Unlimited. */
#ifndef SLUICE_BASE_AMOUNT_H
#define SLUICE_BASE_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t amount;

#define AMOUNT_UNLIMITED INT64_MAX
#define AMOUNT_MIN INT64_MIN

/* Saturating addition, subtraction and multiplication of plain integers. */
static inline int64_t i64_add(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_add_overflow(a, b, &r))
        return r;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

static inline int64_t i64_sub(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_sub_overflow(a, b, &r))
        return r;
    return b < 0 ? INT64_MAX : INT64_MIN;
}

static inline int64_t i64_mul(int64_t a, int64_t b)
{
    int64_t r;
    if (!__builtin_mul_overflow(a, b, &r))
        return r;
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

/* Amount arithmetic: Unlimited absorbs (engine.md 2.1). */
static inline amount amount_add(amount a, amount b)
{
    if (a == AMOUNT_UNLIMITED || b == AMOUNT_UNLIMITED)
        return AMOUNT_UNLIMITED;
    return i64_add(a, b);
}

static inline amount amount_sub(amount a, amount b)
{
    if (a == AMOUNT_UNLIMITED)
        return b == AMOUNT_UNLIMITED ? 0 : AMOUNT_UNLIMITED;
    if (b == AMOUNT_UNLIMITED)
        return AMOUNT_MIN;
    return i64_sub(a, b);
}

static inline amount amount_max(amount a, amount b)
{
    return a > b ? a : b;
}

static inline amount amount_min(amount a, amount b)
{
    return a < b ? a : b;
}

#endif
