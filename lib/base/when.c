#include "base/when.h"

#include <stdbool.h>
#include <string.h>

#define SECONDS_OF_DAY INT64_C(86400)

/* ---- times ---- */

/* Days from 1970-01-01 of the proleptic Gregorian calendar; years are counted from March, in eras of 400. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t days, int64_t *ret_y, int64_t *ret_m, int64_t *ret_d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *ret_d = doy - (153 * mp + 2) / 5 + 1;
    *ret_m = mp < 10 ? mp + 3 : mp - 9;
    *ret_y = yoe + era * 400 + (*ret_m <= 2);
}

static int64_t days_in_month(int64_t y, int64_t m)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return days[m - 1] + (m == 2 && leap);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `n` digits of at most `most`, then `after` unless that is 0; moves *s. */
static bool number(const char **s, const char *end, int n, int64_t most, char after, int64_t *ret)
{
    int64_t v = 0;
    if (end - *s < n + (after != 0))
        return false;
    for (; n > 0; n--, ++*s) {
        if (!is_digit(**s))
            return false;
        v = v * 10 + (**s - '0');
    }
    if (after && *(*s)++ != after)
        return false;
    *ret = v;
    return v <= most;
}

struct civil {
    int64_t year, month, day, hour, minute, second, nanos, offset_s;
};

static bool read_fraction(const char **s, const char *end, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (*s == end || **s != '.')
        return true;
    int64_t unit = NS_PER_S;
    for (++*s; *s < end && is_digit(**s); ++*s) {
        unit /= 10;
        if (unit == 0)
            return false;
        *ret_ns += (**s - '0') * unit;
    }
    return unit < NS_PER_S;
}

static bool read_zone(const char **s, const char *end, int64_t *ret_s)
{
    *ret_s = 0;
    if (*s == end)
        return false;
    char sign = *(*s)++;
    if (sign == 'Z' || sign == 'z')
        return true;
    int64_t hours, minutes;
    if (sign != '+' && sign != '-')
        return false;
    if (!number(s, end, 2, 23, ':', &hours) || !number(s, end, 2, 59, 0, &minutes))
        return false;
    *ret_s = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool read_civil(const char *s, const char *end, struct civil *c)
{
    bool date = number(&s, end, 4, 9999, '-', &c->year) && number(&s, end, 2, 12, '-', &c->month) &&
                number(&s, end, 2, 31, 0, &c->day);
    if (!date || c->month < 1 || c->day < 1 || c->day > days_in_month(c->year, c->month))
        return false;
    if (s == end || (*s != 'T' && *s != 't'))
        return false;
    s++;
    return number(&s, end, 2, 23, ':', &c->hour) && number(&s, end, 2, 59, ':', &c->minute) &&
           number(&s, end, 2, 60, 0, &c->second) && read_fraction(&s, end, &c->nanos) &&
           read_zone(&s, end, &c->offset_s) && s == end;
}

int when_parse(const char *s, size_t len, when_ns *ret, struct err *err)
{
    struct civil c;
    int shown = len > 64 ? 64 : (int)len;
    if (len == 0 || !read_civil(s, s + len, &c))
        return err_set(err, ERR_INVALID, "\"%.*s\" is not a time of the form 2026-01-31T23:59:59Z", shown,
                       s ? s : "");
    if (c.second == 60) { /* a leap second: the last instant before it, so that order is kept */
        c.second = 59;
        c.nanos = NS_PER_S - 1;
    }
    int64_t seconds = days_from_civil(c.year, c.month, c.day) * SECONDS_OF_DAY + c.hour * 3600 +
                      c.minute * 60 + c.second - c.offset_s;
    /* Before 1970 the product alone may leave the range that the sum is in. */
    __int128 ns = (__int128)seconds * NS_PER_S + c.nanos;
    if (ns <= INT64_MIN || ns > INT64_MAX)
        return err_set(err, ERR_RANGE, "\"%.*s\" is outside the years 1678 to 2262", shown, s);
    *ret = (when_ns)ns;
    return 0;
}

static size_t copy_out(const char *text, size_t len, char *buf, size_t cap)
{
    if (cap == 0)
        return 0;
    if (len > cap - 1)
        len = cap - 1;
    memcpy(buf, text, len);
    buf[len] = '\0';
    return len;
}

/* Writes `n` digits of v and `after`. */
static char *put_number(char *p, int64_t v, int n, char after)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    p[n] = after;
    return p + n + 1;
}

size_t when_print(when_ns t, char *buf, size_t cap)
{
    char text[32], *p = text;
    int64_t seconds = t / NS_PER_S - (t % NS_PER_S < 0);
    int64_t days = seconds / SECONDS_OF_DAY - (seconds % SECONDS_OF_DAY < 0);
    int64_t rest = seconds - days * SECONDS_OF_DAY, y, m, d;
    civil_from_days(days, &y, &m, &d);
    p = put_number(p, y, 4, '-');
    p = put_number(p, m, 2, '-');
    p = put_number(p, d, 2, 'T');
    p = put_number(p, rest / 3600, 2, ':');
    p = put_number(p, rest / 60 % 60, 2, ':');
    p = put_number(p, rest % 60, 2, 'Z');
    return copy_out(text, (size_t)(p - text), buf, cap);
}

/* ---- durations ---- */

static const struct unit {
    const char *text;
    int64_t ns;
} units[] = {{"ns", 1},           {"us", 1000},    {"\xc2\xb5s", 1000}, /* micro sign */
             {"\xce\xbcs", 1000},                                       /* Greek mu */
             {"ms", NS_PER_MS},   {"s", NS_PER_S}, {"m", 60 * NS_PER_S}, {"h", 3600 * NS_PER_S}};

static int64_t unit_ns(const char *s, size_t len)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].text) == len && memcmp(units[i].text, s, len) == 0)
            return units[i].ns;
    return 0;
}

#define DURATION_LIMIT ((uint64_t)1 << 63)

/* Digits after the point: value and scale, as many as fit (Go's rule, so that the last nanosecond agrees). */
static const char *fraction(const char *s, const char *end, uint64_t *ret, double *ret_scale)
{
    bool full = false;
    for (*ret = 0, *ret_scale = 1; s < end && is_digit(*s); s++) {
        full = full || *ret > (DURATION_LIMIT - 1) / 10 || *ret * 10 + (uint64_t)(*s - '0') > DURATION_LIMIT;
        if (full)
            continue;
        *ret = *ret * 10 + (uint64_t)(*s - '0');
        *ret_scale *= 10;
    }
    return s;
}

/* One "1.5h"; moves *s and adds to *sum, which stays at most DURATION_LIMIT. */
static int duration_term(const char **s, const char *end, uint64_t *sum)
{
    const char *p = *s;
    uint64_t whole = 0, part = 0;
    bool over = false, digits = p < end && is_digit(*p);
    for (; p < end && is_digit(*p); p++)
        over = over || __builtin_mul_overflow(whole, 10u, &whole) ||
               __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole);
    double scale = 1;
    if (p < end && *p == '.') {
        const char *from = p + 1;
        p = fraction(from, end, &part, &scale);
        digits = digits || p > from;
    }
    const char *unit = p;
    while (p < end && *p != '.' && !is_digit(*p))
        p++;
    int64_t ns = unit_ns(unit, (size_t)(p - unit));
    if (!digits || ns == 0)
        return ERR_INVALID;
    if (over || __builtin_mul_overflow(whole, (uint64_t)ns, &whole) || whole > DURATION_LIMIT)
        return ERR_RANGE;
    whole += (uint64_t)((double)part * ((double)ns / scale));
    if (whole > DURATION_LIMIT - *sum)
        return ERR_RANGE;
    *sum += whole;
    *s = p;
    return 0;
}

int duration_parse(const char *s, size_t len, int64_t *ret_ns, struct err *err)
{
    const char *p = s, *end = s + len;
    int shown = len > 64 ? 64 : (int)len;
    bool negative = false;
    if (len && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    uint64_t sum = 0;
    int r = p == end ? ERR_INVALID : 0;
    if (end - p == 1 && *p == '0')
        p = end;
    while (!r && p < end)
        r = duration_term(&p, end, &sum);
    if (!r && sum == DURATION_LIMIT && !negative)
        r = ERR_RANGE;
    if (r == ERR_RANGE)
        return err_set(err, r, "duration \"%.*s\" is too long", shown, s);
    if (r)
        return err_set(err, r, "\"%.*s\" is not a duration of the form 1h30m or 1.5s", shown, len ? s : "");
    *ret_ns = (int64_t)(negative ? -sum : sum);
    return 0;
}

/* Writes v / 10^digits before `p`, without trailing zeros and without a point if it is whole; returns the new start. */
static char *put_fraction(char *p, uint64_t v, int digits)
{
    bool any = false;
    for (; digits > 0; digits--, v /= 10) {
        any = any || v % 10;
        if (any)
            *--p = (char)('0' + v % 10);
    }
    if (any)
        *--p = '.';
    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    return p;
}

/* Below a second: the unit that has a digit before the point. */
static char *put_small(char *p, uint64_t ns)
{
    if (ns < 1000) {
        *--p = 'n';
        return put_fraction(p, ns, 0);
    }
    if (ns < (uint64_t)NS_PER_MS) {
        *--p = '\xb5';
        *--p = '\xc2';
        return put_fraction(p, ns, 3);
    }
    *--p = 'm';
    return put_fraction(p, ns, 6);
}

size_t duration_print(int64_t ns, char *buf, size_t cap)
{
    char text[40], *end = text + sizeof(text), *p = end;
    uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    *--p = 's';
    if (v == 0) {
        *--p = '0';
    } else if (v < (uint64_t)NS_PER_S) {
        p = put_small(p, v);
    } else {
        const uint64_t second = (uint64_t)NS_PER_S, minute = 60 * second, hour = 60 * minute;
        p = put_fraction(p, v % minute, 9);
        if (v >= minute) {
            *--p = 'm';
            p = put_fraction(p, v % hour / minute, 0);
        }
        if (v >= hour) {
            *--p = 'h';
            p = put_fraction(p, v / hour, 0);
        }
    }
    if (ns < 0)
        *--p = '-';
    return copy_out(p, (size_t)(end - p), buf, cap);
}
