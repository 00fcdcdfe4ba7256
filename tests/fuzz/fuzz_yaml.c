/* Bytes as a stream of YAML and JSON documents -> objects -> facts, by the rules and without them. No crash, no leak; what the rules
 * accept is also accepted without them. */
#include "api/set.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t read_with(unsigned flags, const uint8_t *data, size_t size)
{
    struct err err;
    struct api_set *s = api_set_new(flags);
    if (!s)
        abort();
    if (api_read_buffer(s, "input", (const char *)data, size, &err) < 0)
        abort(); /* bad input is noted, never a failure */
    uint32_t n = api_set_count(s);
    for (uint32_t i = 0; i < n; i++) {
        const struct object *o = api_set_at(s, i);
        if (!o->name || !o->ns || !o->file || !o->doc)
            abort();
    }
    for (uint32_t i = 0; i < api_set_errors(s); i++) {
        if (!*api_set_error(s, i))
            abort();
    }
    api_set_free(s);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    uint32_t strict = read_with(0, data, size);
    if (read_with(API_NO_VALIDATE, data, size) < strict)
        abort();
    read_with(API_LENIENT, data, size);
    if (mem_live() != live)
        abort();
    return 0;
}
