#include "base/quantity.h"

#include <math.h>
#include <string.h>

typedef unsigned __int128 u128;

#define COEF_MAX ((u128)-1 >> 1)
#define NANO (-9)      /* the finest power of ten that a quantity read from text has */
#define POW_MAX 38     /* 10^38 is the largest power of ten in 128 bits */
#define TEXT_MAX 63    /* longest text, see decimal_text */
#define FAST_DIGITS 18 /* up to so many digits Kubernetes counts in int64 and keeps the scale as written */
#define FAST_BIN_DIGITS 14 /* the same for Ki..Ei, less 3 a power of 1024 */

/* ---- magnitudes ---- */

static u128 pow10_of(int n)
{
    static const uint64_t tab[] = {UINT64_C(1),
                                   UINT64_C(10),
                                   UINT64_C(100),
                                   UINT64_C(1000),
                                   UINT64_C(10000),
                                   UINT64_C(100000),
                                   UINT64_C(1000000),
                                   UINT64_C(10000000),
                                   UINT64_C(100000000),
                                   UINT64_C(1000000000),
                                   UINT64_C(10000000000),
                                   UINT64_C(100000000000),
                                   UINT64_C(1000000000000),
                                   UINT64_C(10000000000000),
                                   UINT64_C(100000000000000),
                                   UINT64_C(1000000000000000),
                                   UINT64_C(10000000000000000),
                                   UINT64_C(100000000000000000),
                                   UINT64_C(1000000000000000000),
                                   UINT64_C(10000000000000000000)};
    return n < 20 ? tab[n] : (u128)tab[19] * tab[n - 19];
}

/* m * 10^n; false when 128 bits do not hold it. */
static bool raise(u128 *m, int64_t n)
{
    if (*m == 0 || n == 0)
        return true;
    u128 r;
    if (n > POW_MAX || __builtin_mul_overflow(*m, pow10_of((int)n), &r))
        return false;
    *m = r;
    return true;
}

/* m / 10^n, rounded up; `more` says that the true value is a little above m. */
static u128 lower_up(u128 m, int64_t n, bool more)
{
    if (n > POW_MAX)
        return m || more ? 1 : 0;
    u128 p = pow10_of((int)n);
    u128 q = m / p;
    return q + (m % p || more ? 1 : 0);
}

static u128 strip_zeros(u128 m, int64_t *exp)
{
    if (m == 0)
        return 0;
    while (m >> 64 && m % 10 == 0) {
        m /= 10;
        ++*exp;
    }
    if (m >> 64)
        return m;
    uint64_t low = (uint64_t)m;
    while (low % 10 == 0) {
        low /= 10;
        ++*exp;
    }
    return low;
}

static int digits_of(u128 m)
{
    int n = 1;
    while (n <= POW_MAX && m >= pow10_of(n))
        n++;
    return n;
}

/* 256 bits, least significant first. */
struct wide {
    uint32_t w[8];
};

static struct wide wide_product(u128 a, u128 b)
{
    struct wide r = {{0}};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < 4; j++) {
            carry += (uint64_t)(uint32_t)(a >> (32 * i)) * (uint32_t)(b >> (32 * j)) + r.w[i + j];
            r.w[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        r.w[i + 4] = (uint32_t)carry;
    }
    return r;
}

/* Divides by 10; whether there was a remainder. */
static bool wide_div10(struct wide *v)
{
    uint64_t rest = 0;
    for (int i = 7; i >= 0; i--) {
        rest = rest << 32 | v->w[i];
        v->w[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
    return rest != 0;
}

static u128 wide_low(const struct wide *v)
{
    return (u128)v->w[3] << 96 | (u128)v->w[2] << 64 | (u128)v->w[1] << 32 | v->w[0];
}

/* Whether COEF_MAX is not exceeded. */
static bool wide_fits(const struct wide *v)
{
    return !(v->w[4] || v->w[5] || v->w[6] || v->w[7] || v->w[3] >> 31);
}

static bool wide_is_zero(const struct wide *v)
{
    return wide_fits(v) && wide_low(v) == 0;
}

static u128 magnitude(struct quantity q)
{
    return q.coef < 0 ? -(u128)q.coef : (u128)q.coef;
}

/* The canonical quantity of +-m * 10^exp. `written` is the exponent that Kubernetes would keep. */
static struct quantity make(bool negative, u128 m, int64_t exp, int64_t written, enum quantity_format format)
{
    struct quantity q = {.format = format};
    m = strip_zeros(m, &exp);
    while (m > COEF_MAX) {
        m = lower_up(m, 1, false);
        exp++;
        m = strip_zeros(m, &exp);
    }
    if (m == 0)
        return q;
    if (exp > INT32_MAX) {
        if (!raise(&m, exp - INT32_MAX) || m > COEF_MAX)
            m = COEF_MAX;
        exp = INT32_MAX;
    }
    if (exp < INT32_MIN)
        exp = INT32_MIN;
    q.coef = negative ? -(__int128)m : (__int128)m;
    q.exp10 = (int32_t)exp;
    if (written < exp)
        q.zeros = exp - written > INT32_MAX ? INT32_MAX : (int32_t)(exp - written);
    return q;
}

static int64_t clamp(bool negative, u128 m)
{
    u128 limit = negative ? (u128)INT64_MAX + 1 : INT64_MAX;
    if (m >= limit)
        return negative ? INT64_MIN : INT64_MAX;
    return negative ? -(int64_t)m : (int64_t)m;
}

/* The quantity times 10^shift as an integer, rounded away from zero, clamped. */
static int64_t scaled(struct quantity q, int shift)
{
    u128 m = magnitude(q);
    int64_t exp = (int64_t)q.exp10 + shift;
    if (exp < 0)
        m = lower_up(m, -exp, false);
    else if (!raise(&m, exp))
        m = COEF_MAX;
    return clamp(q.coef < 0, m);
}

/* ---- reading ---- */

struct suffix {
    int64_t exp; /* of ten, or of two for QUANTITY_BINARY_SI */
    enum quantity_format format;
};

struct parts {
    bool negative;
    const char *num, *frac, *suffix; /* digits without leading zeros, digits after the point, the rest */
    size_t num_len, frac_len, suffix_len;
    bool digits; /* there is at least one digit, a leading zero counting */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(const char *s, const char *end)
{
    const char *p = s;
    while (p < end && is_digit(*p))
        p++;
    return (size_t)(p - s);
}

/* Cuts the text as Kubernetes' scanner does: a sign alone, a point alone or nothing before a suffix all count as 0. */
static bool split(const char *s, const char *end, struct parts *ret)
{
    *ret = (struct parts){0};
    if (s < end && (*s == '+' || *s == '-'))
        ret->negative = *s++ == '-';
    const char *start = s;
    while (s < end && *s == '0')
        s++;
    ret->num = s;
    ret->num_len = digits_at(s, end);
    s += ret->num_len;
    ret->digits = s > start;
    if (s < end && *s == '.') {
        ret->frac = ++s;
        ret->frac_len = digits_at(s, end);
        s += ret->frac_len;
        ret->digits = ret->digits || ret->frac_len;
    }
    ret->suffix = s;
    while (s < end && *s && strchr("eEinumkKMGTP", *s))
        s++;
    if (s < end && (*s == '+' || *s == '-'))
        s++;
    s += digits_at(s, end);
    ret->suffix_len = (size_t)(s - ret->suffix);
    return s == end;
}

/* e5, E-3: the digits must fit int64, of which Kubernetes keeps 32 bits. */
static bool read_exponent(const char *s, size_t len, struct suffix *ret)
{
    const char *end = s + len;
    if (len < 2 || (*s != 'e' && *s != 'E'))
        return false;
    s++;
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if (s == end || digits_at(s, end) != (size_t)(end - s))
        return false;
    uint64_t v = 0;
    for (; s < end; s++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return false;
    if (v > (uint64_t)INT64_MAX + negative)
        return false;
    ret->format = QUANTITY_DECIMAL_EXPONENT;
    ret->exp = (int32_t)(uint32_t)(negative ? -v : v);
    return true;
}

static bool read_suffix(const char *s, size_t len, struct suffix *ret)
{
    static const char big[] = "kMGTPE", small[] = "num", binary[] = "KMGTPE";
    *ret = (struct suffix){.format = QUANTITY_DECIMAL_SI};
    if (len == 0)
        return true;
    const char *at;
    if (len == 1 && (at = memchr(big, *s, sizeof(big) - 1))) {
        ret->exp = 3 * (at - big + 1);
        return true;
    }
    if (len == 1 && (at = memchr(small, *s, sizeof(small) - 1))) {
        ret->exp = NANO + 3 * (at - small);
        return true;
    }
    if (len == 2 && s[1] == 'i' && (at = memchr(binary, *s, sizeof(binary) - 1))) {
        ret->format = QUANTITY_BINARY_SI;
        ret->exp = 10 * (at - binary + 1);
        return true;
    }
    return read_exponent(s, len, ret);
}

/* A row of digits: m * 10^zeros, and something less than 10^zeros on top of it if `more`. */
struct digits {
    u128 m;
    int64_t zeros;
    bool full, more; /* m takes no more digits; some that were not 0 are lost */
};

static bool append(u128 *m, unsigned digit)
{
    if (*m > COEF_MAX / 10 || (*m == COEF_MAX / 10 && digit > (unsigned)(COEF_MAX % 10)))
        return false;
    *m = *m * 10 + digit;
    return true;
}

static void feed(struct digits *d, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        d->zeros++;
        if (s[i] == '0')
            continue;
        if (d->m == 0)
            d->zeros = 1;
        while (!d->full && d->zeros > 0) {
            if (append(&d->m, d->zeros == 1 ? (unsigned)(s[i] - '0') : 0))
                d->zeros--;
            else
                d->full = true;
        }
        d->more = d->more || d->full;
    }
}

/* Nano-units of m * 2^bits * 10^exp with exp < 0, rounded up; COEF_MAX when 126 bits do not hold them. The product needs
 * 127 + 60 + 30 bits. */
static u128 binary_nanos(u128 m, int64_t bits, int64_t exp, bool more)
{
    struct wide w = wide_product(m, (u128)1000000000u << bits);
    for (; exp < 0 && !wide_is_zero(&w); exp++)
        more = wide_div10(&w) || more;
    u128 r = wide_low(&w);
    return wide_fits(&w) && r < COEF_MAX ? r + (more ? 1 : 0) : COEF_MAX;
}

/* Ki..Ei: never more than INT64_MAX; a fraction of 1 is no longer binary (both as Kubernetes). */
static struct quantity from_binary(const struct parts *p, const struct digits *d, int64_t exp, int64_t bits,
                                   bool fast)
{
    u128 m = d->m;
    if (m == 0)
        return make(false, 0, 0, 0, QUANTITY_BINARY_SI);
    if (exp >= 0) {
        if (!raise(&m, exp) || m > ((u128)INT64_MAX >> bits))
            return make(p->negative, INT64_MAX, 0, 0, QUANTITY_BINARY_SI);
        return make(p->negative, m << bits, 0, fast ? 0 : NANO, QUANTITY_BINARY_SI);
    }
    m = binary_nanos(m, bits, exp, d->more);
    if (m > (u128)INT64_MAX * 1000000000u)
        return make(p->negative, INT64_MAX, 0, 0, QUANTITY_BINARY_SI);
    enum quantity_format format = m < 1000000000u ? QUANTITY_DECIMAL_SI : QUANTITY_BINARY_SI;
    return make(p->negative, m, NANO, NANO, format);
}

static struct quantity from_decimal(const struct parts *p, const struct digits *d, int64_t exp,
                                    struct suffix suffix, bool fast)
{
    u128 m = d->m;
    int64_t written = fast ? suffix.exp - (int64_t)p->frac_len : NANO;
    exp += suffix.exp;
    if (exp < NANO) {
        m = lower_up(m, NANO - exp, d->more);
        exp = NANO;
    } else if (d->more) {
        m++; /* more than 38 digits: far outside int64, what is lost rounds away from zero as well */
    }
    return make(p->negative, m, exp, written, suffix.format);
}

/* Whether Kubernetes counts this text in int64; if not it insists on a digit, and keeps the scale of 1n. */
static bool is_fast(const struct parts *p, struct suffix suffix)
{
    int64_t len = (p->num_len ? (int64_t)p->num_len : 1);
    if (suffix.format == QUANTITY_BINARY_SI)
        return p->frac_len == 0 && len + suffix.exp / 10 * 3 <= FAST_BIN_DIGITS;
    return len + (int64_t)p->frac_len <= FAST_DIGITS && suffix.exp - (int64_t)p->frac_len >= NANO;
}

int quantity_parse(const char *s, size_t len, struct quantity *ret, struct err *err)
{
    struct parts p;
    struct suffix suffix;
    if (len == 0 || !split(s, s + len, &p))
        return err_set(err, ERR_INVALID,
                       "quantities must match the regular expression "
                       "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    if (!read_suffix(p.suffix, p.suffix_len, &suffix))
        return err_set(err, ERR_INVALID, "unable to parse quantity's suffix");
    bool fast = is_fast(&p, suffix);
    if (!fast && !p.digits)
        return err_set(err, ERR_INVALID, "unable to parse numeric part of quantity");
    struct digits d = {0};
    feed(&d, p.num, p.num_len);
    feed(&d, p.frac, p.frac_len);
    int64_t exp = d.zeros - (int64_t)p.frac_len;
    if (suffix.format == QUANTITY_BINARY_SI)
        *ret = from_binary(&p, &d, exp, suffix.exp, fast);
    else
        *ret = from_decimal(&p, &d, exp, suffix, fast);
    return 0;
}

/* ---- integers in and out ---- */

struct quantity quantity_from_i64(int64_t v)
{
    return make(v < 0, v < 0 ? -(u128)v : (u128)v, 0, 0, QUANTITY_DECIMAL_SI);
}

int64_t quantity_value(struct quantity q)
{
    return scaled(q, 0);
}

int64_t quantity_milli(struct quantity q)
{
    return scaled(q, 3);
}

int64_t quantity_request(struct quantity q, bool is_cpu)
{
    return is_cpu ? quantity_milli(q) : quantity_value(q);
}

amount quantity_quota(struct quantity q, bool is_cpu)
{
    if (is_cpu && quantity_cmp(q, quantity_from_i64(INT64_MAX / 1000)) >= 0)
        return AMOUNT_UNLIMITED;
    return quantity_request(q, is_cpu);
}

/* Go's math.Pow10, whose tables fix the last bit of results. */
static double go_pow10(int64_t n)
{
    static const double units[] = {1e00, 1e01, 1e02, 1e03, 1e04, 1e05, 1e06, 1e07, 1e08, 1e09, 1e10,
                                   1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
                                   1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31};
    static const double up[] = {1e00, 1e32, 1e64, 1e96, 1e128, 1e160, 1e192, 1e224, 1e256, 1e288};
    static const double down[] = {1e-00,  1e-32,  1e-64,  1e-96,  1e-128, 1e-160,
                                  1e-192, 1e-224, 1e-256, 1e-288, 1e-320};
    if (n > 308)
        return HUGE_VAL;
    if (n < -323)
        return 0;
    return n >= 0 ? up[n / 32] * units[n % 32] : down[-n / 32] / units[-n % 32];
}

double quantity_double(struct quantity q)
{
    u128 m = magnitude(q);
    int64_t exp = q.exp10;
    if (q.zeros > 0 && raise(&m, q.zeros))
        exp -= q.zeros;
    double base = q.coef < 0 ? -(double)m : (double)m;
    return exp == 0 || m == 0 ? base : base * go_pow10(exp);
}

/* ---- arithmetic ---- */

int quantity_sign(struct quantity q)
{
    return (q.coef > 0) - (q.coef < 0);
}

static int cmp_magnitude(struct quantity a, struct quantity b)
{
    u128 ma = magnitude(a), mb = magnitude(b);
    int64_t top_a = digits_of(ma) + (int64_t)a.exp10, top_b = digits_of(mb) + (int64_t)b.exp10;
    if (top_a != top_b)
        return top_a < top_b ? -1 : 1;
    /* As many digits after raising: at most 39, so what does not fit is above anything that does. */
    if (a.exp10 > b.exp10 && !raise(&ma, (int64_t)a.exp10 - b.exp10))
        return 1;
    if (b.exp10 > a.exp10 && !raise(&mb, (int64_t)b.exp10 - a.exp10))
        return -1;
    return (ma > mb) - (ma < mb);
}

int quantity_cmp(struct quantity a, struct quantity b)
{
    int sa = quantity_sign(a), sb = quantity_sign(b);
    if (sa != sb)
        return sa < sb ? -1 : 1;
    return sa == 0 ? 0 : sa * cmp_magnitude(a, b);
}

/* |+-high * 10^gap +- low|, whether the signs are opposite or not; false when 128 bits do not hold a step. */
static bool sum_exact(u128 high, int64_t gap, u128 low, bool opposite, bool *ret_low_wins, u128 *ret)
{
    if (!raise(&high, gap))
        return false;
    *ret_low_wins = opposite && low > high;
    if (!opposite)
        return !__builtin_add_overflow(high, low, ret);
    *ret = low > high ? low - high : high - low;
    return true;
}

/* The sum when high * 10^gap is too large: high is raised as far as it goes, and low lowered by the rest. */
static u128 sum_rounded(u128 high, int64_t *gap, u128 low, bool opposite)
{
    while (high <= COEF_MAX / 10) {
        high *= 10;
        --*gap;
    }
    if (!opposite)
        return high + lower_up(low, *gap, false);
    return high - (*gap > POW_MAX ? 0 : low / pow10_of((int)*gap));
}

struct quantity quantity_add(struct quantity a, struct quantity b)
{
    enum quantity_format format = a.coef ? a.format : b.format;
    if (a.coef == 0 || b.coef == 0) {
        struct quantity r = a.coef ? a : b;
        r.format = format;
        return r;
    }
    struct quantity high = a.exp10 >= b.exp10 ? a : b, low = a.exp10 >= b.exp10 ? b : a;
    int64_t written_a = (int64_t)a.exp10 - a.zeros, written_b = (int64_t)b.exp10 - b.zeros;
    int64_t written = written_a < written_b ? written_a : written_b;
    int64_t gap = (int64_t)high.exp10 - low.exp10;
    bool opposite = (a.coef < 0) != (b.coef < 0), low_wins = false;
    u128 m = 0;
    if (sum_exact(magnitude(high), gap, magnitude(low), opposite, &low_wins, &m))
        return make((low_wins ? low : high).coef < 0, m, low.exp10, written, format);
    m = sum_rounded(magnitude(high), &gap, magnitude(low), opposite);
    return make(high.coef < 0, m, low.exp10 + gap, low.exp10 + gap, format);
}

struct quantity quantity_mul(struct quantity a, struct quantity b)
{
    int64_t exp = (int64_t)a.exp10 + b.exp10;
    int64_t written = exp - a.zeros - b.zeros;
    struct wide w = wide_product(magnitude(a), magnitude(b));
    bool more = false;
    for (; !wide_fits(&w); exp++)
        more = wide_div10(&w) || more;
    return make((a.coef < 0) != (b.coef < 0), wide_low(&w) + (more ? 1 : 0), exp, written, a.format);
}

/* ---- printing ---- */

/* Writes the decimal digits of m and `zeros` more; returns the length. */
static size_t put_digits(char *out, u128 m, int64_t zeros)
{
    char rev[40];
    size_t n = 0, len = 0;
    do {
        rev[n++] = (char)('0' + (int)(m % 10));
        m /= 10;
    } while (m);
    while (n)
        out[len++] = rev[--n];
    for (; zeros > 0; zeros--)
        out[len++] = '0';
    return len;
}

/* e-3, e12 */
static size_t put_exponent(char *out, int64_t exp)
{
    size_t len = 0;
    out[len++] = 'e';
    if (exp < 0)
        out[len++] = '-';
    return len + put_digits(out + len, (u128)(exp < 0 ? -exp : exp), 0);
}

/* m * 10^exp in thousands. At most 39 digits, 2 zeros, 'e' and 11 more; or 45 digits and a suffix. */
static size_t put_decimal(char *out, u128 m, int64_t exp, bool exponent)
{
    static const char suffixes[] = "num\0kMGTPE"; /* 10^-9 and up */
    const int64_t top = 18, most_digits = 45;
    if (exp < NANO && !exponent) {
        m = lower_up(m, NANO - exp, false);
        exp = NANO;
        m = strip_zeros(m, &exp);
    }
    int64_t zeros = (exp % 3 + 3) % 3;
    if (!exponent && exp > top) {
        zeros = exp - top;
        if (zeros + digits_of(m) > most_digits) {
            zeros = exp % 3;
            exponent = true;
        }
    }
    exp -= zeros;
    size_t len = put_digits(out, m, zeros);
    if (exponent)
        return exp ? len + put_exponent(out + len, exp) : len;
    char suffix = suffixes[(exp - NANO) / 3];
    if (suffix)
        out[len++] = suffix;
    return len;
}

/* An integer of at least 1024 in Ki..Ei; 0 when it has no such form. */
static size_t put_binary(char *out, u128 m, int64_t exp)
{
    if (exp < 0 || !raise(&m, exp) || m < 1024)
        return 0;
    int power = 0;
    for (; power < 6 && m % 1024 == 0; power++)
        m /= 1024;
    size_t len = put_digits(out, m, 0);
    if (power) {
        out[len++] = "KMGTPE"[power - 1];
        out[len++] = 'i';
    }
    return len;
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

size_t quantity_print(struct quantity q, char *buf, size_t cap)
{
    char text[TEXT_MAX + 1];
    size_t sign = 0, len = 0;
    u128 m = magnitude(q);
    if (m == 0)
        return copy_out("0", 1, buf, cap);
    if (q.coef < 0)
        text[sign++] = '-';
    if (q.format == QUANTITY_BINARY_SI)
        len = put_binary(text + sign, m, q.exp10);
    if (len == 0)
        len = put_decimal(text + sign, m, q.exp10, q.format == QUANTITY_DECIMAL_EXPONENT);
    return copy_out(text, sign + len, buf, cap);
}

size_t amount_quantity_print(amount v, bool is_cpu, bool binary, char *buf, size_t cap)
{
    struct quantity q = quantity_from_i64(v);
    if (is_cpu && q.coef)
        q.exp10 -= 3;
    else if (binary && v % 1024 == 0) /* others are read back as plain integers, so decimal (engine.md 2.2) */
        q.format = QUANTITY_BINARY_SI;
    return quantity_print(q, buf, cap);
}

size_t amount_print(amount v, bool is_cpu, bool binary, char *buf, size_t cap)
{
    static const char unlimited[] = "<unlimited>";
    if (v == AMOUNT_UNLIMITED)
        return copy_out(unlimited, sizeof(unlimited) - 1, buf, cap);
    return amount_quantity_print(v, is_cpu, binary, buf, cap);
}

bool resource_is_cpu(const char *name)
{
    return strcmp(name, "cpu") == 0;
}

bool resource_is_binary(const char *name)
{
    static const char prefix[] = "hugepages-";
    return strcmp(name, "memory") == 0 || strcmp(name, "ephemeral-storage") == 0 ||
           strncmp(name, prefix, sizeof(prefix) - 1) == 0;
}
