/* Fuzzing of the scanner and of all that reads through it. The first byte says how the text comes in; read as it comes or at once, as
 * "x.yaml" or "x.json", the objects and errors are the same. A value that can be found by a path is within the text. */
#include "api/scan.h"
#include "api/set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find(const char *text, size_t len)
{
    static const char *const paths[] = {"",      "items[1]",     "a.b", "spec.podSets[0].template",
                                        "[x.y]", "items[0].kind"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct scan_piece p;
        if (scan_find(text, len, 1, paths[i], &p))
            assert(p.text >= text && p.text + p.len <= text + len && p.line >= 1);
    }
}

/* Cut in two at any place, a value ends where it ends. */
static void cut(const char *text, size_t len, size_t at)
{
    struct scan_cut one = {0}, two = {0};
    at = len ? at % len : 0;
    const char *a = scan_cut(&one, text, text + len), *b = scan_cut(&two, text, text + at);
    if (!b)
        b = scan_cut(&two, text + at, text + len);
    assert(a == b && (!a || (a >= text && a <= text + len)));
}

/* Reads the object in the text: nothing goes beyond its end, and it comes to an end. */
static void scan(const char *text, size_t len)
{
    struct source src;
    struct scan s;
    struct scan_next n;
    struct err err;
    size_t parts = 0;
    source_init_text(&src, text, len);
    scan_begin(&s, &src, 0, 1);
    while (scan_next(&s, &n, &err) == 0 && n.kind != SCAN_END) {
        assert(n.piece.text >= text && n.piece.text + n.piece.len <= text + len);
        assert(parts++ <= len);
    }
    assert(s.off <= len);
}

static struct api_set *read_set(unsigned flags, const char *name, const char *text, size_t len)
{
    struct api_set *s = api_set_new(flags);
    struct err err;
    if (!s || api_read_buffer(s, name, text, len, &err) == ERR_NOMEM)
        abort();
    return s;
}

static void compare(const struct api_set *a, const struct api_set *b)
{
    assert(api_set_count(a) == api_set_count(b) && api_set_errors(a) == api_set_errors(b));
    for (uint32_t i = 0; i < api_set_count(a); i++) {
        const struct object *x = api_set_at(a, i), *y = api_set_at(b, i);
        assert(x->kind == y->kind && x->line == y->line && strcmp(x->name, y->name) == 0);
    }
    for (uint32_t i = 0; i < api_set_errors(a); i++)
        assert(strcmp(api_set_error(a, i), api_set_error(b, i)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *text = malloc(size); /* of exactly this size, so that a byte too far is seen */
    size_t len = size - 1;
    if (!text)
        abort();
    memcpy(text, data + 1, len);
    find(text, len);
    cut(text, len, data[0]);
    if (len && *text == '{')
        scan(text, len);
    const char *name = data[0] & 1 ? "x.json" : "x.yaml";
    struct api_set *plain = read_set(0, name, text, len), *compact = read_set(API_COMPACT, name, text, len);
    compare(plain, compact);
    api_set_free(plain);
    api_set_free(compact);
    free(text);
    return 0;
}
