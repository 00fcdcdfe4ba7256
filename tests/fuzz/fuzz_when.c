/* Times and durations: whatever is read prints to a text that reads back as the same value. */
#include "base/when.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static void check_time(when_ns t)
{
    char text[32], tiny[5];
    when_ns back;
    size_t n = when_print(t, text, sizeof(text));
    CHECK(n == 20 && strlen(text) == n);
    int r = when_parse(text, n, &back, NULL);
    when_ns into = (t % NS_PER_S + NS_PER_S) % NS_PER_S;
    if (t <= INT64_MIN + into) /* the second begins before the range */
        CHECK(r == ERR_RANGE);
    else
        CHECK(r == 0 && back == t - into);
    CHECK(when_print(t, tiny, sizeof(tiny)) == 4 && memcmp(tiny, text, 4) == 0);
}

static void check_duration(int64_t ns)
{
    char text[32];
    int64_t back;
    size_t n = duration_print(ns, text, sizeof(text));
    CHECK(n > 1 && n < sizeof(text) - 1 && strlen(text) == n);
    CHECK(duration_parse(text, n, &back, NULL) == 0 && back == ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    struct err e;
    int64_t v;
    int r = when_parse(s, size, &v, &e);
    CHECK(r == 0 || ((r == ERR_INVALID || r == ERR_RANGE) && e.code == r && e.text[0]));
    if (r == 0) {
        CHECK(v != WHEN_NONE);
        check_time(v);
        check_duration(v);
    }
    r = duration_parse(s, size, &v, &e);
    CHECK(r == 0 || ((r == ERR_INVALID || r == ERR_RANGE) && e.code == r && e.text[0]));
    if (r == 0) {
        check_duration(v);
        check_time(v);
    }
    return 0;
}
