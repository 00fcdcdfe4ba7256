#include "core/afs.h"

#include "base/decimal.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NANO_EXP (-9)
#define SAMPLING_DEFAULT_NS (300 * NS_PER_S)

typedef unsigned __int128 u128;

/* ---- configuration ---- */

int afs_configure(struct afs_config *c, struct names *names, const struct fact_config *f)
{
    struct afs_config made = {.on = f->afs, .half_life_ns = f->afs_half_life_ns};

    made.sampling_ns = f->afs_sampling_ns ? f->afs_sampling_ns : SAMPLING_DEFAULT_NS;
    if (f->nafs_weights) {
        made.weights = mem_zalloc(f->nafs_weights, sizeof(*made.weights));
        if (!made.weights)
            return ERR_NOMEM;
    }
    for (; made.nweights < f->nafs_weights; made.nweights++) {
        struct afs_amount *a = &made.weights[made.nweights];
        a->q = f->afs_weights[made.nweights].q;
        if (names_id(names, f->afs_weights[made.nweights].resource, &a->res)) {
            mem_free(made.weights);
            return ERR_NOMEM;
        }
    }
    afs_config_free(c);
    *c = made;
    return 0;
}

void afs_config_free(struct afs_config *c)
{
    mem_free(c->weights);
    *c = (struct afs_config){0};
}

void afs_ledger_init(struct afs_ledger *l)
{
    *l = (struct afs_ledger){.updated = WHEN_NONE, .weight = 1};
}

void afs_ledger_free(struct afs_ledger *l)
{
    for (uint32_t i = 0; i < l->npenalties; i++)
        mem_free(l->penalties[i].amounts);
    mem_free(l->penalties);
    mem_free(l->consumed);
    afs_ledger_init(l);
}

/* ---- arithmetic ---- */

/* 0.5^y for y >= 0 by the steps of Go's math.Pow, which decide its last bit: halves are exact, the rest is an exponential. */
static double half_to(double y)
{
    if (y == 0.5)
        return sqrt(0.5);
    double whole, part = modf(y, &whole);
    if (part > 0.5) {
        part -= 1;
        whole += 1;
    }
    double r = part != 0 ? exp(part * -M_LN2) : 1;
    return whole > 4096 ? 0 : ldexp(r, -(int)whole);
}

static double seconds(int64_t ns)
{
    return (double)(ns / NS_PER_S) + (double)(ns % NS_PER_S) / 1e9;
}

double afs_alpha(const struct afs_config *c, int64_t elapsed_ns)
{
    if (c->half_life_ns <= 0 || elapsed_ns <= 0)
        return 0;
    return 1 - half_to(seconds(elapsed_ns) / seconds(c->half_life_ns));
}

/* Three words, least significant first, divided by `by`; the remainder is dropped. */
static void words_div(uint64_t w[3], uint64_t by)
{
    u128 rest = 0;
    for (int i = 2; i >= 0; i--) {
        rest = rest << 64 | w[i];
        w[i] = (uint64_t)(rest / by);
        rest %= by;
    }
}

/* Nano-units of a * b * 10^exp for exp <= -9, rounded down; all ones when 127 bits do not hold them. */
static u128 nano_product(u128 a, uint64_t b, int64_t exp)
{
    u128 low = (u128)(uint64_t)a * b, high = (a >> 64) * b + (low >> 64);
    uint64_t w[3] = {(uint64_t)low, (uint64_t)high, (uint64_t)(high >> 64)};
    for (; exp < NANO_EXP && (w[0] || w[1] || w[2]); exp++)
        words_div(w, 10);
    u128 r = (u128)w[1] << 64 | w[0];
    return w[2] || r >> 127 ? (u128)-1 >> 1 : r;
}

struct quantity afs_scale(struct quantity q, double f)
{
    struct quantity factor = {.format = QUANTITY_DECIMAL_SI};
    int exp;
    if (f == 0 || q.coef == 0)
        return (struct quantity){.format = q.format};
    uint64_t digits = decimal_shortest(fabs(f), &exp);
    bool negative = (q.coef < 0) != (f < 0);
    u128 m = q.coef < 0 ? -(u128)q.coef : (u128)q.coef;
    struct quantity r = {.format = q.format, .exp10 = NANO_EXP};
    if ((int64_t)q.exp10 + exp > NANO_EXP) {
        factor.coef = negative != (q.coef < 0) ? -(__int128)digits : (__int128)digits;
        factor.exp10 = exp;
        r = quantity_mul(q, factor);
    } else {
        m = nano_product(m, digits, (int64_t)q.exp10 + exp);
        for (; m && m % 10 == 0; m /= 10)
            r.exp10++;
        r.coef = negative ? -(__int128)m : (__int128)m;
    }
    if (r.coef == 0)
        return (struct quantity){.format = q.format};
    /* The product is kept with 9 places: what its approximation starts from. */
    r.zeros = r.exp10 > NANO_EXP ? r.exp10 - NANO_EXP : 0;
    return r;
}

/* ---- amounts by resource ---- */

/* Where the resource is in a list sorted by name, or would be. */
static uint32_t place_of(const struct names *names, const struct afs_ledger *l, uint32_t res)
{
    const char *name = names_text(names, res);
    uint32_t i = 0;
    while (i < l->nconsumed && strcmp(names_text(names, l->consumed[i].res), name) < 0)
        i++;
    return i;
}

static int reserve(struct afs_ledger *l, uint32_t n)
{
    void *v = l->consumed;
    int rc = mem_grow(&v, &l->cap_consumed, l->nconsumed + n, sizeof(*l->consumed));
    l->consumed = v;
    return rc;
}

/* Room must have been reserved. */
static void consume(const struct names *names, struct afs_ledger *l, uint32_t res, struct quantity q)
{
    uint32_t i = place_of(names, l, res);
    if (i < l->nconsumed && l->consumed[i].res == res) {
        l->consumed[i].q = quantity_add(l->consumed[i].q, q);
        return;
    }
    memmove(&l->consumed[i + 1], &l->consumed[i], (l->nconsumed - i) * sizeof(*l->consumed));
    l->consumed[i] = (struct afs_amount){res, q};
    l->nconsumed++;
}

static struct afs_penalty *penalty_of(const struct afs_ledger *l, const void *w)
{
    for (uint32_t i = 0; i < l->npenalties; i++)
        if (l->penalties[i].w == w)
            return &l->penalties[i];
    return NULL;
}

struct quantity afs_pending(const struct afs_ledger *l, uint32_t res)
{
    struct quantity sum = {0};
    for (uint32_t i = 0; i < l->npenalties; i++)
        for (uint32_t j = 0; j < l->penalties[i].n; j++)
            if (l->penalties[i].amounts[j].res == res)
                sum = quantity_add(sum, l->penalties[i].amounts[j].q);
    return sum;
}

/* ---- usage ---- */

static double weight_of(const struct afs_config *c, uint32_t res)
{
    for (uint32_t i = 0; i < c->nweights; i++)
        if (c->weights[i].res == res)
            return quantity_double(c->weights[i].q);
    return 1;
}

static void earlier(const struct names *names, const struct afs_amount *v, uint32_t n, const char *after,
                    const char **best, uint32_t *ret_res)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *name = names_text(names, v[i].res);
        if ((!after || strcmp(name, after) > 0) && (!*best || strcmp(name, *best) < 0)) {
            *best = name;
            *ret_res = v[i].res;
        }
    }
}

/* The first resource by name after `after` that is consumed or pending; NULL ends. */
static const char *next_resource(const struct names *names, const struct afs_ledger *l, const char *after,
                                 uint32_t *ret_res)
{
    const char *best = NULL;
    earlier(names, l->consumed, l->nconsumed, after, &best, ret_res);
    for (uint32_t i = 0; i < l->npenalties; i++)
        earlier(names, l->penalties[i].amounts, l->penalties[i].n, after, &best, ret_res);
    return best;
}

double afs_usage(const struct afs_config *c, const struct names *names, const struct afs_ledger *l)
{
    double usage = 0;
    uint32_t res = 0;
    if (l->weight <= 0)
        return HUGE_VAL;
    for (const char *name = NULL; (name = next_resource(names, l, name, &res));) {
        struct quantity q = {0};
        uint32_t i = place_of(names, l, res);
        if (i < l->nconsumed && l->consumed[i].res == res)
            q = l->consumed[i].q;
        usage += weight_of(c, res) * quantity_double(quantity_add(q, afs_pending(l, res)));
    }
    return usage / l->weight;
}

/* ---- entry penalties, settlement, sampling ---- */

int afs_penalize(const struct afs_config *c, struct names *names, struct afs_ledger *l, const void *w,
                 const struct afs_amount *requests, uint32_t n)
{
    (void)names;
    struct afs_amount *amounts = mem_alloc((n ? n : 1) * sizeof(*amounts));
    void *v = l->penalties;
    if (!amounts || mem_grow(&v, &l->cap_penalties, l->npenalties + 1, sizeof(*l->penalties))) {
        mem_free(amounts);
        return ERR_NOMEM;
    }
    l->penalties = v;
    double alpha = afs_alpha(c, c->sampling_ns);
    for (uint32_t i = 0; i < n; i++)
        amounts[i] = (struct afs_amount){requests[i].res, afs_scale(requests[i].q, alpha)};
    struct afs_penalty *p = penalty_of(l, w);
    if (p)
        mem_free(p->amounts);
    else
        p = &l->penalties[l->npenalties++];
    *p = (struct afs_penalty){w, amounts, n};
    return 0;
}

void afs_unpenalize(struct afs_ledger *l, const void *w)
{
    struct afs_penalty *p = penalty_of(l, w);
    if (!p)
        return;
    mem_free(p->amounts);
    uint32_t i = (uint32_t)(p - l->penalties);
    memmove(p, p + 1, (l->npenalties - i - 1) * sizeof(*p));
    l->npenalties--;
}

bool afs_has_penalties(const struct afs_ledger *l)
{
    return l->npenalties > 0;
}

/* Moves the time on, never back; returns what has elapsed. A ledger never updated begins now. */
static int64_t advance(struct afs_ledger *l, when_ns now)
{
    if (l->updated == WHEN_NONE) {
        l->updated = now;
        return 0;
    }
    int64_t elapsed = i64_sub(now, l->updated);
    if (elapsed <= 0)
        return 0;
    l->updated = now;
    return elapsed;
}

static void decay(const struct names *names, struct afs_ledger *l, double alpha,
                  const struct afs_amount *admitted, uint32_t n)
{
    for (uint32_t i = 0; i < l->nconsumed; i++)
        l->consumed[i].q = afs_scale(l->consumed[i].q, 1 - alpha);
    for (uint32_t i = 0; i < n; i++)
        consume(names, l, admitted[i].res, afs_scale(admitted[i].q, alpha));
}

int afs_settle(const struct afs_config *c, struct names *names, struct afs_ledger *l, const void *w,
               const struct afs_amount *admitted, uint32_t n, when_ns now)
{
    struct afs_penalty *p = penalty_of(l, w);
    if (reserve(l, n + (p ? p->n : 0)))
        return ERR_NOMEM;
    decay(names, l, afs_alpha(c, advance(l, now)), admitted, n);
    for (uint32_t i = 0; p && i < p->n; i++)
        consume(names, l, p->amounts[i].res, p->amounts[i].q);
    afs_unpenalize(l, w);
    return 0;
}

int afs_sample(const struct afs_config *c, struct names *names, struct afs_ledger *l,
               const struct afs_amount *admitted, uint32_t n, when_ns now)
{
    if (reserve(l, n))
        return ERR_NOMEM;
    int64_t elapsed = advance(l, now);
    if (c->half_life_ns <= 0)
        l->nconsumed = 0; /* nothing is remembered */
    else
        decay(names, l, afs_alpha(c, elapsed), admitted, n);
    return 0;
}

int afs_seed(struct afs_ledger *l, struct names *names, const struct fact_amount *consumed, uint32_t n,
             when_ns at)
{
    if (l->seeded)
        return 0;
    if (reserve(l, n))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t res;
        if (names_id(names, consumed[i].resource, &res))
            return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        consume(names, l, names_find(names, consumed[i].resource), consumed[i].q);
    if (l->updated == WHEN_NONE)
        l->updated = at;
    l->seeded = true;
    return 0;
}
