/* Bytes as documents, written as YAML and as JSON. No crash, no leak; what is written can be read, is the same document, and is written
 * the same way again. */
#include "api/convert.h"
#include "api/set.h"
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text of all documents of a text, owned by `c`; NULL when it cannot be read as a whole. */
static const struct str *convert(struct convert *c, enum convert_format format, const char *name,
                                 const char *text, size_t len)
{
    struct err err;
    const struct str *out = NULL;
    struct api_set *s = api_set_new(0);
    if (!s)
        abort();
    convert_init(c, format);
    api_set_documents(s, convert_document, c);
    if (api_read_buffer(s, name, text, len, &err) < 0 || convert_text(c, &out, &err) < 0)
        abort(); /* bad input is noted, never a failure */
    if (api_set_errors(s) || c->errors.len)
        out = NULL;
    api_set_free(s);
    return out;
}

static void check(enum convert_format format, const char *name, const char *text, size_t len)
{
    struct convert once, twice;
    const struct str *a = convert(&once, format, "t.yaml", text, len);
    if (a) {
        const struct str *b = convert(&twice, format, name, str_text(a), a->len);
        if (!b || strcmp(str_text(a), str_text(b)) != 0)
            abort();
        convert_free(&twice);
    }
    convert_free(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t live = mem_live();
    check(CONVERT_YAML, "t.yaml", (const char *)data, size);
    check(CONVERT_JSON, "t.json", (const char *)data, size);
    if (mem_live() != live)
        abort();
    return 0;
}
