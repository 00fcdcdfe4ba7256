#include "kube/reply.h"

#include "api/json.h"

#include <stdio.h>
#include <string.h>

/* ---- what it means ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *reason;
    enum reply_class class;
} by_reason[] = {
    {"Conflict", REPLY_CONFLICT},
    {"AlreadyExists", REPLY_EXISTS},
    {"NotFound", REPLY_NOT_FOUND},
    {"Expired", REPLY_GONE},
    {"Gone", REPLY_GONE},
    {"Invalid", REPLY_INVALID},
    {"BadRequest", REPLY_INVALID},
    {"MethodNotAllowed", REPLY_INVALID},
    {"NotAcceptable", REPLY_INVALID},
    {"RequestEntityTooLarge", REPLY_INVALID},
    {"UnsupportedMediaType", REPLY_INVALID},
    {"Forbidden", REPLY_FORBIDDEN},
    {"Unauthorized", REPLY_UNAUTHORIZED},
    {"TooManyRequests", REPLY_THROTTLED},
    {"ServiceUnavailable", REPLY_UNAVAILABLE},
    {"Timeout", REPLY_TIMEOUT},
    {"ServerTimeout", REPLY_TIMEOUT},
    {"InternalError", REPLY_SERVER},
};

static const struct {
    int code;
    enum reply_class class;
} by_code[] = {
    {400, REPLY_INVALID},   {401, REPLY_UNAUTHORIZED}, {403, REPLY_FORBIDDEN}, {404, REPLY_NOT_FOUND},
    {405, REPLY_INVALID},   {406, REPLY_INVALID},      {408, REPLY_TIMEOUT},   {409, REPLY_CONFLICT},
    {410, REPLY_GONE},      {413, REPLY_INVALID},      {415, REPLY_INVALID},   {422, REPLY_INVALID},
    {429, REPLY_THROTTLED}, {503, REPLY_UNAVAILABLE},  {504, REPLY_TIMEOUT},
};

static const char *const names[] = {
    [REPLY_OK] = "ok",
    [REPLY_CONFLICT] = "conflict",
    [REPLY_EXISTS] = "exists",
    [REPLY_NOT_FOUND] = "not_found",
    [REPLY_GONE] = "gone",
    [REPLY_FUTURE] = "future",
    [REPLY_INVALID] = "invalid",
    [REPLY_FORBIDDEN] = "forbidden",
    [REPLY_UNAUTHORIZED] = "unauthorized",
    [REPLY_THROTTLED] = "throttled",
    [REPLY_UNAVAILABLE] = "unavailable",
    [REPLY_TIMEOUT] = "timeout",
    [REPLY_SERVER] = "server",
    [REPLY_LOST] = "lost",
};

const char *reply_class_name(enum reply_class c)
{
    return (size_t)c < sizeof(names) / sizeof(names[0]) ? names[c] : "unknown";
}

bool reply_maybe_done(enum reply_class c)
{
    return c == REPLY_TIMEOUT || c == REPLY_SERVER || c == REPLY_LOST;
}

static enum reply_class class_of(int code, const char *reason)
{
    if (code >= 200 && code < 300)
        return REPLY_OK;
    if (code == 0 && !*reason)
        return REPLY_LOST;
    for (size_t i = 0; i < sizeof(by_reason) / sizeof(by_reason[0]); i++)
        if (strcmp(by_reason[i].reason, reason) == 0)
            return by_reason[i].class;
    for (size_t i = 0; i < sizeof(by_code) / sizeof(by_code[0]); i++)
        if (by_code[i].code == code)
            return by_code[i].class;
    return code >= 400 && code < 500 ? REPLY_INVALID : REPLY_SERVER;
}

/* ---- the Status object -------------------------------------------------------------------------------------------------- */

/* Copies at most cap - 1 bytes, whole UTF-8 sequences only, with blanks for control characters. */
static void put_text(char *to, size_t cap, const char *text, size_t len)
{
    size_t n = len < cap - 1 ? len : cap - 1;

    while (n < len && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    to[n] = '\0';
}

/* The version asked for is newer than the server's: 504 Timeout like any other, but for its cause (3.2). */
static bool is_future(const struct doc_node *status)
{
    const struct doc_node *cause;

    for (cause = doc_first(doc_path(status, "details.causes")); cause; cause = cause->next)
        if (strcmp(doc_str_or(cause, "reason", ""), "ResourceVersionTooLarge") == 0)
            return true;
    return strncmp(doc_str_or(status, "message", ""), "Too large resource version", 26) == 0;
}

static void take_status(const struct doc_node *n, struct reply *ret)
{
    const char *reason = doc_str_or(n, "reason", ""), *message = doc_str_or(n, "message", "");
    int64_t code = doc_i64_or(n, "code", 0);

    if (strcmp(doc_str_or(n, "kind", ""), "Status") != 0)
        return;
    put_text(ret->reason, sizeof(ret->reason), reason, strlen(reason));
    put_text(ret->message, sizeof(ret->message), message, strlen(message));
    if (ret->code == 0 && code > 0 && code < 1000)
        ret->code = (int)code;
    ret->class = class_of(ret->code, ret->reason);
    if (ret->class == REPLY_TIMEOUT && is_future(n))
        ret->class = REPLY_FUTURE;
    if (ret->retry_after_s < 0)
        ret->retry_after_s = doc_i64_or(doc_field(n, "details"), "retryAfterSeconds", -1);
}

/* Reads a Status, if it is one; without memory the code alone decides. */
static void read_text(const char *json, size_t len, struct reply *ret)
{
    struct arena a, scratch;
    const struct doc_node *n;

    arena_init(&a, 4096);
    arena_init(&scratch, 4096);
    if (json_read(&a, &scratch, json, len, 1, &n, NULL) == 0)
        take_status(n, ret);
    arena_free(&a);
    arena_free(&scratch);
}

static bool looks_like_json(const char *text, size_t len)
{
    size_t blank = 0;

    while (blank < len && strchr(" \t\r\n", text[blank]))
        blank++;
    return blank < len && text[blank] == '{';
}

static void need_message(struct reply *ret, const char *body, size_t len)
{
    char text[sizeof(ret->message)];

    if (ret->message[0])
        return;
    put_text(text, 201, body, len);
    snprintf(ret->message, sizeof(ret->message), "HTTP status %d%s%s", ret->code, text[0] ? ": " : "", text);
}

void reply_read(const struct kube_reply *r, struct reply *ret)
{
    *ret = (struct reply){
        .code = r->status, .retry_after_s = r->retry_after_s, .class = class_of(r->status, "")};
    if (ret->class == REPLY_OK)
        return;
    if (ret->class == REPLY_LOST) {
        const char *why = r->error && r->error[0] ? r->error : "no answer";
        put_text(ret->message, sizeof(ret->message), why, strlen(why));
        return;
    }
    if (looks_like_json(r->body, r->body_len))
        read_text(r->body, r->body_len, ret);
    need_message(ret, r->body, r->body_len);
}

void reply_read_status(const char *json, size_t len, struct reply *ret)
{
    *ret = (struct reply){.retry_after_s = -1, .class = REPLY_SERVER};
    read_text(json, len, ret);
    if (ret->class == REPLY_OK || ret->class == REPLY_LOST)
        ret->class = REPLY_SERVER; /* an error without a code is an error all the same */
    need_message(ret, json, len);
}

/* ---- how long to wait --------------------------------------------------------------------------------------------------- */

enum { RETRY_AFTER_MAX_S = 60 };
#define LEAST_WAIT (10 * NS_PER_MS)

int64_t reply_chance(const struct kube_clock *clock, int64_t most)
{
    return (int64_t)((unsigned __int128)clock->random(clock->self) * (uint64_t)most >> 64);
}

int64_t reply_wait(const struct kube_clock *clock, const struct backoff *b, uint64_t failures,
                   int64_t retry_after_s)
{
    int64_t wait = reply_chance(clock, backoff_wait(b, failures ? failures : 1));
    int64_t asked_s = retry_after_s < RETRY_AFTER_MAX_S ? retry_after_s : RETRY_AFTER_MAX_S;

    if (asked_s > 0) {
        int64_t asked = asked_s * NS_PER_S;
        asked += reply_chance(clock, asked / 4); /* so that not all come back at once */
        wait = wait > asked ? wait : asked;
    }
    return wait > LEAST_WAIT ? wait : LEAST_WAIT;
}
