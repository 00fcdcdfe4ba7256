#include "sim/series.h"

#include "base/mem.h"

#include <string.h>

/* Where no two events are nearer, no bin need be shorter. */
#define FIRST_STEP_NS NS_PER_S

int series_open(struct series *s, uint32_t bins, when_ns from)
{
    *s = (struct series){.from = from, .step_ns = FIRST_STEP_NS, .cap = bins};
    s->bin = mem_zalloc(bins, sizeof(*s->bin));
    return s->bin ? 0 : ERR_NOMEM;
}

void series_free(struct series *s)
{
    mem_free(s->bin);
    *s = (struct series){0};
}

static void fold(struct series *s)
{
    uint32_t n = (s->n + 1) / 2;

    for (uint32_t i = 0; i < n; i++)
        for (int v = 0; v < SERIES_VALUES; v++)
            s->bin[i][v] = s->bin[2 * i][v] + (2 * i + 1 < s->n ? s->bin[2 * i + 1][v] : 0);
    memset(s->bin[n], 0, (s->n - n) * sizeof(*s->bin));
    s->n = n;
    s->step_ns = i64_mul(s->step_ns, 2);
}

void series_widen(struct series *s, int64_t step_ns)
{
    while (s->step_ns < step_ns)
        fold(s);
}

void series_add(struct series *s, enum series_value what, when_ns a, when_ns b, amount v)
{
    a = a > s->from ? a : s->from;
    if (b <= a || !v)
        return;
    int64_t end = i64_sub(b, s->from);
    while ((end - 1) / s->step_ns >= s->cap)
        fold(s);
    uint32_t last = (uint32_t)((end - 1) / s->step_ns);
    s->n = last + 1 > s->n ? last + 1 : s->n;
    for (int64_t at = a - s->from; at < end;) {
        int64_t i = at / s->step_ns, next = i64_mul(i + 1, s->step_ns);
        next = next < end ? next : end;
        s->bin[i][what] += (wide)v * (next - at);
        at = next;
    }
}

wide series_sum(const struct series *s, enum series_value what)
{
    wide sum = 0;

    for (uint32_t i = 0; i < s->n; i++)
        sum += s->bin[i][what];
    return sum;
}
