#include "ledger/period.h"

#include "base/amount.h"

#include <string.h>

#define DAY (INT64_C(86400) * NS_PER_S)
#define FIRST (INT64_MIN + 1)

static when_ns begin_of_days(when_ns t, int64_t days, int64_t shift)
{
    int64_t length = days * DAY, rest = i64_add(t, shift) % length;

    return i64_sub(t, rest < 0 ? rest + length : rest);
}

/* The printed date says which month it is. */
static when_ns begin_of_month(when_ns t)
{
    char text[32];
    when_ns begin;
    size_t n = when_print(t, text, sizeof(text));

    if (n < 20)
        return FIRST;
    memcpy(text + n - 12, "01T00:00:00Z", 12);
    return when_parse(text, n, &begin, NULL) ? FIRST : begin;
}

when_ns period_begin(enum period p, when_ns t)
{
    switch (p) {
    case PERIOD_DAY:
        return begin_of_days(t, 1, 0);
    case PERIOD_WEEK:
        return begin_of_days(t, 7, 3 * DAY); /* 1970-01-01 was a Thursday */
    case PERIOD_MONTH:
        return begin_of_month(t);
    case PERIOD_ALL:
    default:
        return FIRST;
    }
}

when_ns period_next(enum period p, when_ns begin)
{
    static const int64_t most[] = {[PERIOD_DAY] = 1, [PERIOD_WEEK] = 7, [PERIOD_MONTH] = 31};

    if (p == PERIOD_ALL)
        return INT64_MAX;
    when_ns next = period_begin(p, i64_add(begin, most[p] * DAY));
    return next > begin ? next : INT64_MAX;
}
