#include "base/err.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e) {
        va_list args;
        va_start(args, fmt);
        if (vsnprintf(e->text, sizeof(e->text), fmt, args) < 0)
            e->text[0] = '\0';
        va_end(args);
        e->code = code;
    }
    return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
    if (!e)
        return 0;
    char prefix[sizeof(e->text)];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(prefix, sizeof(prefix), fmt, args);
    va_end(args);
    if (n <= 0)
        return e->code;
    size_t plen = strnlen(prefix, sizeof(prefix) - 1);
    size_t room = sizeof(e->text) - 1 - plen;
    size_t tlen = strnlen(e->text, room);
    memmove(e->text + plen, e->text, tlen);
    memcpy(e->text, prefix, plen);
    e->text[plen + tlen] = '\0';
    return e->code;
}

const char *err_name(int code)
{
    switch (code) {
    case 0:
        return "success";
    case ERR_NOMEM:
        return "out of memory";
    case ERR_INVALID:
        return "malformed input";
    case ERR_RANGE:
        return "value out of range";
    case ERR_NOTFOUND:
        return "not found";
    case ERR_EXISTS:
        return "already exists";
    case ERR_STATE:
        return "not possible in this state";
    case ERR_IO:
        return "input/output error";
    case ERR_LIMIT:
        return "over a maximum";
    default:
        return "unknown error";
    }
}
