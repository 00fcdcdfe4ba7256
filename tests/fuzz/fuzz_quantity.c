/* Quantities: whatever is read prints to a text that reads back as the same value and prints the same; arithmetic keeps its laws. */
#include "base/quantity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

/* One text, and the canonical form of what it says. */
static int round_trip(const char *s, size_t len, struct quantity *ret)
{
    struct err e;
    char text[64], again[64], tiny[6];
    struct quantity back;
    int r = quantity_parse(s, len, ret, &e);
    if (r) {
        CHECK(r == ERR_INVALID && e.code == r && e.text[0]);
        return r;
    }
    size_t n = quantity_print(*ret, text, sizeof(text));
    CHECK(n > 0 && n < sizeof(text) - 1 && strlen(text) == n);
    CHECK(quantity_parse(text, n, &back, &e) == 0);
    CHECK(quantity_cmp(*ret, back) == 0);
    CHECK(quantity_value(*ret) == quantity_value(back) && quantity_milli(*ret) == quantity_milli(back));
    /* A binary quantity without a binary suffix reads back as a decimal one, which may print shorter. */
    if (back.format == ret->format || ret->format != QUANTITY_BINARY_SI)
        CHECK(quantity_print(back, again, sizeof(again)) == n && memcmp(text, again, n) == 0);
    CHECK(quantity_print(*ret, tiny, sizeof(tiny)) <= 5 && strncmp(tiny, text, 5) == 0);
    double d = quantity_double(*ret);
    CHECK(d == d && (d < 0) <= (quantity_sign(*ret) < 0));
    return 0;
}

static void laws(struct quantity a, struct quantity b)
{
    struct quantity zero = quantity_from_i64(0), one = quantity_from_i64(1), minus = quantity_from_i64(-1);
    struct quantity sum = quantity_add(a, b), product = quantity_mul(a, b);
    CHECK(quantity_cmp(sum, quantity_add(b, a)) == 0);
    CHECK(quantity_cmp(product, quantity_mul(b, a)) == 0);
    CHECK(quantity_sign(product) == quantity_sign(a) * quantity_sign(b));
    CHECK(quantity_cmp(a, b) == -quantity_cmp(b, a));
    CHECK(quantity_cmp(a, b) == quantity_sign(quantity_add(a, quantity_mul(b, minus))));
    CHECK(quantity_cmp(quantity_add(a, zero), a) == 0 && quantity_cmp(quantity_mul(a, one), a) == 0);
    if (quantity_cmp(a, b) <= 0)
        CHECK(quantity_value(a) <= quantity_value(b) && quantity_quota(a, true) <= quantity_quota(b, true));
    char text[64];
    CHECK(quantity_print(sum, text, sizeof(text)) < sizeof(text) - 1);
    CHECK(quantity_print(product, text, sizeof(text)) < sizeof(text) - 1);
}

static void amounts(int64_t v)
{
    char text[64];
    for (int kind = 0; kind < 3; kind++) {
        struct quantity q;
        size_t n = amount_quantity_print(v, kind == 0, kind == 1, text, sizeof(text));
        CHECK(quantity_parse(text, n, &q, NULL) == 0);
        CHECK(quantity_request(q, kind == 0) == v || v < -INT64_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    const char *cut = size ? memchr(s, '\n', size) : NULL;
    size_t first = cut ? (size_t)(cut - s) : size;
    struct quantity a, b = quantity_from_i64(3);
    if (round_trip(s, first, &a))
        return 0;
    if (cut && round_trip(cut + 1, size - first - 1, &b))
        return 0;
    laws(a, b);
    amounts(quantity_value(a));
    amounts(quantity_milli(b));
    return 0;
}
