#include "base/str.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_MAX ((size_t)64 << 20)

void str_init(struct str *s, size_t max)
{
    *s = (struct str){.max = max ? max : DEFAULT_MAX};
}

void str_free(struct str *s)
{
    mem_free(s->p);
    *s = (struct str){.max = s->max};
}

void str_clear(struct str *s)
{
    s->len = 0;
    s->failed = false;
    if (s->p)
        s->p[0] = '\0';
}

/* Makes room for `n` more bytes and a NUL. */
static bool room(struct str *s, size_t n)
{
    if (s->failed)
        return false;
    if (n > s->max || s->len > s->max - n) {
        s->failed = true;
        return false;
    }
    size_t need = s->len + n + 1;
    if (need <= s->cap)
        return true;
    size_t cap = s->cap ? s->cap * 2 : 64;
    if (cap < need)
        cap = need;
    char *p = mem_realloc(s->p, cap);
    if (!p) {
        s->failed = true;
        return false;
    }
    s->p = p;
    s->p[s->len] = '\0';
    s->cap = cap;
    return true;
}

void str_addn(struct str *s, const char *text, size_t n)
{
    if (n == 0 || !room(s, n))
        return;
    memcpy(s->p + s->len, text, n);
    s->len += n;
    s->p[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_addn(s, text, strlen(text));
}

void str_addc(struct str *s, char c)
{
    str_addn(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        s->failed = true;
    else if (n > 0 && room(s, (size_t)n)) {
        vsnprintf(s->p + s->len, (size_t)n + 1, fmt, again);
        s->len += (size_t)n;
    }
    va_end(again);
}

/* Decodes one UTF-8 sequence of `text`, which ends in NUL. Returns its length, or 0 when it is not valid. */
static size_t utf8_next(const unsigned char *text, uint32_t *ret_rune)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = text[0];
    size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    if (n == 0)
        return 0;
    uint32_t rune = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        rune = rune << 6 | (text[i] & 0x3fu);
    }
    if (rune < least[n] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
        return 0;
    *ret_rune = rune;
    return n;
}

/* Whether Go's %q shows the rune as it is: the blanks and invisible characters beyond ASCII that can turn up in text people type. */
static bool printable(uint32_t rune)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {{0x7f, 0xa0},     {0xad, 0xad},     {0x1680, 0x1680}, {0x180e, 0x180e},
                  {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
                  {0xe000, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}};
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (rune >= hidden[i].from && rune <= hidden[i].to)
            return false;
    return rune >= 0x20;
}

/* The letter that follows a backslash for `c` in a Go string literal, or 0. */
static char go_escape(unsigned char c)
{
    static const char letters[] = "abtnvfr"; /* 7 to 13 */
    if (c >= 7 && c <= 13)
        return letters[c - 7];
    return c == '"' || c == '\\' ? (char)c : 0;
}

void str_add_quoted(struct str *s, const char *text)
{
    str_addc(s, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        uint32_t rune = 0;
        size_t n = utf8_next(p, &rune);
        char letter = go_escape(*p);
        if (letter)
            str_addf(s, "\\%c", letter);
        else if (n == 0 || *p < 0x20 || *p == 0x7f)
            str_addf(s, "\\x%02x", *p);
        else if (printable(rune))
            str_addn(s, (const char *)p, n);
        else
            str_addf(s, "\\u%04x", (unsigned)rune);
        p += n ? n : 1;
    }
    str_addc(s, '"');
}

/* The letter that follows a backslash for `c` in JSON, or 0. */
static char json_escape(unsigned char c)
{
    switch (c) {
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    case '"':
    case '\\':
        return (char)c;
    default:
        return 0;
    }
}

void str_add_json(struct str *s, const char *text)
{
    str_addc(s, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        uint32_t rune = 0;
        size_t n = utf8_next(p, &rune);
        char letter = json_escape(*p);
        if (letter)
            str_addf(s, "\\%c", letter);
        else if (n == 0)
            str_add(s, "\xef\xbf\xbd");
        else if (*p < 0x20)
            str_addf(s, "\\u%04x", *p);
        else
            str_addn(s, (const char *)p, n);
        p += n ? n : 1;
    }
    str_addc(s, '"');
}

const char *str_text(const struct str *s)
{
    return s->p ? s->p : "";
}

bool str_failed(const struct str *s)
{
    return s->failed;
}

char *str_take(struct str *s)
{
    if (s->failed || !room(s, 0)) { /* callers have nothing else to free */
        mem_free(s->p);
        *s = (struct str){.max = s->max, .failed = true};
        return NULL;
    }
    char *p = s->p;
    *s = (struct str){.max = s->max};
    return p;
}
