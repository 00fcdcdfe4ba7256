#include "cli/html.h"

#include "serve/utf8.h"

#include <stdio.h>
#include <string.h>

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 || c == 0x7f ? UTF8_REPLACEMENT : NULL;
    }
}

/* C1 control characters are two bytes in UTF-8. */
static bool is_control(const unsigned char *p, size_t n)
{
    return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void html_short(struct str *out, const char *text, uint32_t max)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; max--) {
        size_t n = utf8_length(p);
        const char *escape = n == 0 || is_control(p, n) ? UTF8_REPLACEMENT : escape_of(*p);
        if (!max) {
            str_add(out, "…");
            return;
        }
        if (escape)
            str_add(out, escape);
        else
            str_addn(out, (const char *)p, n);
        p += n ? n : 1;
    }
}

void html_text(struct str *out, const char *text)
{
    html_short(out, text, UINT32_MAX);
}

void html_name(struct str *out, const char *name)
{
    str_add(out, "<bdi>");
    html_text(out, name);
    str_add(out, "</bdi>");
}

void html_number(struct str *out, double v, int digits)
{
    char text[64];
    double size = v < 0 ? -v : v;

    int n = snprintf(text, sizeof(text), "%.*f", size < 100 && v != (double)(int64_t)v ? digits : 0, v);
    if (n <= 0 || n >= (int)sizeof(text))
        return;
    const char *point = memchr(text, '.', (size_t)n);
    int whole = (int)(point ? point - text : n);
    for (int i = 0; i < n; i++) {
        if (i && i < whole && (whole - i) % 3 == 0 && text[i - 1] != '-')
            str_addc(out, ',');
        str_addc(out, text[i]);
    }
}
