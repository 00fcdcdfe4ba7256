#include "simulated/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct answer text_va(struct store *st, int code, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *p = val_alloc(&st->a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct answer){.code = code, .body = p, .len = (size_t)n, .retry_after_s = -1};
}

struct answer answer_text(struct store *st, int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct answer a = text_va(st, code, fmt, args);
    va_end(args);
    return a;
}

struct answer answer_version(int code, const struct version *v)
{
    return (struct answer){.code = code, .v = v, .retry_after_s = -1};
}

/* `details`: JSON of the details, or NULL; `metadata`: what stands in the metadata. */
static struct answer status(struct store *st, int code, const char *reason, const char *message,
                            const char *details, const char *metadata)
{
    struct str s;
    str_init(&s, 0);
    str_addf(
        &s,
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{%s},\"status\":\"Failure\",\"message\":",
        metadata ? metadata : "");
    str_add_json(&s, message);
    if (*reason)
        str_addf(&s, ",\"reason\":\"%s\"", reason);
    if (details)
        str_addf(&s, ",\"details\":%s", details);
    str_addf(&s, ",\"code\":%d}", code);
    struct answer a = {.code = code, .body = val_strndup(&st->a, str_text(&s), s.len), .len = s.len};
    a.retry_after_s = -1;
    str_free(&s);
    return a;
}

struct answer refuse(struct store *st, int code, const char *reason, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct answer text = text_va(st, code, fmt, args);
    va_end(args);
    return status(st, code, reason, text.body, NULL, NULL);
}

/* "jobs.batch" */
static const char *full_name(struct store *st, const struct resource *r)
{
    return *r->group ? val_printf(&st->a, "%s.%s", r->plural, r->group) : r->plural;
}

static const char *details_of(struct store *st, const struct resource *r, const char *name, const char *more)
{
    const char *group = *r->group ? val_printf(&st->a, "\"group\":\"%s\",", r->group) : "";
    return val_printf(&st->a, "{\"name\":\"%s\",%s\"kind\":\"%s\"%s}", name, group, r->plural, more);
}

struct answer refuse_not_found(struct store *st, const struct resource *r, const char *name)
{
    const char *message = val_printf(&st->a, "%s \"%s\" not found", full_name(st, r), name);
    return status(st, 404, "NotFound", message, details_of(st, r, name, ""), NULL);
}

struct answer refuse_no_route(struct store *st)
{
    return answer_text(st, 404, "404 page not found\n");
}

struct answer refuse_exists(struct store *st, const struct resource *r, const char *name)
{
    const char *message = val_printf(&st->a, "%s \"%s\" already exists", full_name(st, r), name);
    return status(st, 409, "AlreadyExists", message, details_of(st, r, name, ""), NULL);
}

struct answer refuse_conflict(struct store *st, const struct resource *r, const char *name, const char *why)
{
    const char *message =
        val_printf(&st->a, "Operation cannot be fulfilled on %s \"%s\": %s", full_name(st, r), name, why);
    return status(st, 409, "Conflict", message, details_of(st, r, name, ""), NULL);
}

struct answer refuse_changed(struct store *st, const struct resource *r, const char *name)
{
    return refuse_conflict(
        st, r, name,
        "the object has been modified; please apply your changes to the latest version and try again");
}

struct answer refuse_invalid(struct store *st, const struct resource *r, const char *name, const char *field,
                             const char *cause, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *why = text_va(st, 422, fmt, args).body;
    va_end(args);
    struct str causes;
    str_init(&causes, 0);
    str_addf(&causes, ",\"causes\":[{\"reason\":\"%s\",\"message\":", cause);
    str_add_json(&causes, why);
    str_addf(&causes, ",\"field\":\"%s\"}]", field);
    const char *kind = *r->group ? val_printf(&st->a, "%s.%s", r->kind, r->group) : r->kind;
    const char *message = val_printf(&st->a, "%s \"%s\" is invalid: %s: %s", kind, name, field, why);
    struct answer a = status(st, 422, "Invalid", message, details_of(st, r, name, str_text(&causes)), NULL);
    str_free(&causes);
    return a;
}

struct answer refuse_options(struct store *st, const char *field, const char *why)
{
    const char *message =
        val_printf(&st->a, "ListOptions.meta.k8s.io \"\" is invalid: %s: Forbidden: %s", field, why);
    const char *details =
        val_printf(&st->a,
                   "{\"group\":\"meta.k8s.io\",\"kind\":\"ListOptions\",\"causes\":[{\"reason\":"
                   "\"FieldValueForbidden\",\"message\":\"Forbidden\",\"field\":\"%s\"}]}",
                   field);
    return status(st, 422, "Invalid", message, details, NULL);
}

struct answer refuse_expired(struct store *st, const char *message, const char *cont)
{
    const char *metadata = cont ? val_printf(&st->a, "\"continue\":\"%s\"", cont) : NULL;
    return status(st, 410, "Expired", message, NULL, metadata);
}

struct answer refuse_too_large(struct store *st, int64_t rv)
{
    const char *message = val_printf(&st->a, "Too large resource version: %lld, current: %lld", (long long)rv,
                                     (long long)store_rv(st));
    struct answer a =
        status(st, 504, "Timeout", message,
               "{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\",\"message\":\"Too large resource "
               "version\"}],\"retryAfterSeconds\":1}",
               NULL);
    a.retry_after_s = 1;
    return a;
}

struct answer refuse_busy(struct store *st, int code, int64_t retry_after_s)
{
    struct answer a = code == 429 ? answer_text(st, 429, "Too many requests, please try again later.\n")
                      : code == 503
                          ? status(st, 503, "ServiceUnavailable", "the server is shutting down", NULL, NULL)
                          : status(st, 500, "InternalError",
                                   "Internal error occurred: etcdserver: leader changed", NULL, NULL);
    a.retry_after_s = retry_after_s;
    return a;
}
