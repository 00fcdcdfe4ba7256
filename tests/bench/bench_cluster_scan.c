#include "bench_cluster_scan.h"

#include <string.h>

static const struct span absent = {NULL, 0};

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Behind the closing quote of a string whose opening quote is at p; `end` when there is none. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\')
            p++;
        else if (*p == '"')
            return p + 1;
    }
    return end;
}

static const char *skip_nested(const char *p, const char *end)
{
    int depth = 0;

    while (p < end) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return end;
}

static const char *skip_value(const char *p, const char *end)
{
    if (p < end && *p == '"')
        return skip_string(p, end);
    if (p < end && (*p == '{' || *p == '['))
        return skip_nested(p, end);
    while (p < end && !strchr(",}] \n\t\r", *p))
        p++;
    return p;
}

struct span scan_field(struct span object, const char *key)
{
    const char *p = object.p, *end = p + object.n;
    size_t len = strlen(key);

    if (!p || p == end || *p != '{')
        return absent;
    p = skip_blank(p + 1, end);
    while (p < end && *p == '"') {
        const char *name = p + 1;
        p = skip_string(p, end);
        bool found = (size_t)(p - name) == len + 1 && !memcmp(name, key, len);
        p = skip_blank(p, end);
        if (p == end || *p != ':')
            return absent;
        p = skip_blank(p + 1, end);
        const char *value = p;
        p = skip_value(p, end);
        if (found)
            return (struct span){value, (size_t)(p - value)};
        p = skip_blank(p, end);
        if (p < end && *p == ',')
            p = skip_blank(p + 1, end);
    }
    return absent;
}

bool scan_item(struct span list, struct span *at)
{
    const char *end = list.p + list.n, *p = at->p ? at->p + at->n : list.p;

    if (!p || p == end || (!at->p && *p != '['))
        return false;
    p = skip_blank(at->p ? p : p + 1, end);
    if (p < end && *p == ',')
        p = skip_blank(p + 1, end);
    if (p == end || *p == ']')
        return false;
    at->p = p;
    at->n = (size_t)(skip_value(p, end) - p);
    return at->n > 0;
}

struct span scan_text(struct span value)
{
    if (!value.p || value.n < 2 || *value.p != '"')
        return absent;
    return (struct span){value.p + 1, value.n - 2};
}

bool scan_is(struct span value, const char *text)
{
    struct span t = scan_text(value);

    return t.p && t.n == strlen(text) && !memcmp(t.p, text, t.n);
}
