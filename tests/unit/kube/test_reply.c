#include "kube/reply.h"

#include "base/mem.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS(code, reason, rest)                                                                           \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"why\"," \
    "\"reason\":\"" reason "\",\"code\":" code rest "}"

static const struct {
    int status;
    const char *body;
    int64_t retry_after_s; /* of the header */
    enum reply_class class;
    int64_t ret_retry_after_s;
    const char *reason, *message; /* the message begins so */
} rows[] = {
    {200, "{}", -1, REPLY_OK, -1, "", ""},
    {201, "", -1, REPLY_OK, -1, "", ""},
    {409, STATUS("409", "Conflict", ""), -1, REPLY_CONFLICT, -1, "Conflict", "why"},
    {409, STATUS("409", "AlreadyExists", ""), -1, REPLY_EXISTS, -1, "AlreadyExists", "why"},
    {404, STATUS("404", "NotFound", ""), -1, REPLY_NOT_FOUND, -1, "NotFound", "why"},
    {404, "404 page not found\n", -1, REPLY_NOT_FOUND, -1, "", "HTTP status 404: 404 page not found "},
    {410, STATUS("410", "Expired", ""), -1, REPLY_GONE, -1, "Expired", "why"},
    {410, STATUS("410", "Gone", ""), -1, REPLY_GONE, -1, "Gone", "why"},
    {410, "", -1, REPLY_GONE, -1, "", "HTTP status 410"},
    {422, STATUS("422", "Invalid", ""), -1, REPLY_INVALID, -1, "Invalid", "why"},
    {400, STATUS("400", "BadRequest", ""), -1, REPLY_INVALID, -1, "BadRequest", "why"},
    {413, STATUS("413", "RequestEntityTooLarge", ""), -1, REPLY_INVALID, -1, "RequestEntityTooLarge", "why"},
    {415, STATUS("415", "UnsupportedMediaType", ""), -1, REPLY_INVALID, -1, "UnsupportedMediaType", "why"},
    {418, "", -1, REPLY_INVALID, -1, "", "HTTP status 418"},
    {403, STATUS("403", "Forbidden", ""), -1, REPLY_FORBIDDEN, -1, "Forbidden", "why"},
    /* a policy may give its own reason and code: the reason decides */
    {422, STATUS("422", "Forbidden", ""), -1, REPLY_FORBIDDEN, -1, "Forbidden", "why"},
    {401, STATUS("401", "Unauthorized", ""), -1, REPLY_UNAUTHORIZED, -1, "Unauthorized", "why"},
    {401, "Unauthorized", -1, REPLY_UNAUTHORIZED, -1, "", "HTTP status 401: Unauthorized"},
    {429, STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":3}"), -1, REPLY_THROTTLED, 3,
     "TooManyRequests", "why"},
    {429, STATUS("429", "TooManyRequests", ",\"details\":{\"retryAfterSeconds\":3}"), 7, REPLY_THROTTLED, 7,
     "TooManyRequests", "why"},
    {429, "Too many requests, please try again later.", 1, REPLY_THROTTLED, 1, "",
     "HTTP status 429: Too many"},
    {503, STATUS("503", "ServiceUnavailable", ""), 5, REPLY_UNAVAILABLE, 5, "ServiceUnavailable", "why"},
    {504, STATUS("504", "Timeout", ""), -1, REPLY_TIMEOUT, -1, "Timeout", "why"},
    {500, STATUS("500", "ServerTimeout", ""), -1, REPLY_TIMEOUT, -1, "ServerTimeout", "why"},
    {504, STATUS("504", "Timeout", ",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}"),
     -1, REPLY_FUTURE, -1, "Timeout", "why"},
    {504,
     "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large resource version: 9, current: 3\"}",
     -1, REPLY_FUTURE, -1, "Timeout", "Too large resource version: 9"},
    {500, STATUS("500", "InternalError", ""), -1, REPLY_SERVER, -1, "InternalError", "why"},
    {500, STATUS("500", "", ""), -1, REPLY_SERVER, -1, "", "why"},
    {502, "<html>\n<body>bad\tgateway</body>", -1, REPLY_SERVER, -1, "",
     "HTTP status 502: <html> <body>bad gateway</body>"},
    {301, "", -1, REPLY_SERVER, -1, "", "HTTP status 301"},
    {500, "{\"kind\":\"Status\",", -1, REPLY_SERVER, -1, "", "HTTP status 500: {"},
    {409, "{\"kind\":\"Pod\",\"reason\":\"Forbidden\"}", -1, REPLY_CONFLICT, -1, "", "HTTP status 409: {"},
    {0, "", -1, REPLY_LOST, -1, "", "connection reset"},
};

START_TEST(test_read)
{
    size_t len = strlen(rows[_i].body);
    struct kube_reply r = {rows[_i].status, rows[_i].body, len, rows[_i].retry_after_s,
                           rows[_i].status ? "" : "connection reset"};
    struct reply got;
    reply_read(&r, &got);
    ck_assert_str_eq(reply_class_name(got.class), reply_class_name(rows[_i].class));
    ck_assert_int_eq(got.retry_after_s, rows[_i].ret_retry_after_s);
    ck_assert_int_eq(got.code, rows[_i].status);
    ck_assert_str_eq(got.reason, rows[_i].reason);
    ck_assert_msg(strncmp(got.message, rows[_i].message, strlen(rows[_i].message)) == 0, "%s", got.message);
    ck_assert(got.class == REPLY_OK || got.message[0]);
    if (got.class == REPLY_OK || got.class == REPLY_LOST)
        return;
    mem_fail_after(1); /* the code alone still says something */
    reply_read(&r, &got);
    mem_fail_after(0);
    ck_assert(got.class != REPLY_OK && got.message[0]);
}
END_TEST

static const struct {
    const char *json;
    enum reply_class class;
    int code;
} event_rows[] = {
    {STATUS("410", "Expired", ""), REPLY_GONE, 410},
    {"{\"kind\":\"Status\",\"code\":410}", REPLY_GONE, 410},
    {STATUS("504", "Timeout", ",\"details\":{\"causes\":[{\"reason\":\"ResourceVersionTooLarge\"}]}"),
     REPLY_FUTURE, 504},
    {STATUS("429", "TooManyRequests", ""), REPLY_THROTTLED, 429},
    {STATUS("500", "InternalError", ""), REPLY_SERVER, 500},
    {STATUS("200", "", ""), REPLY_SERVER, 200},
    {"{\"kind\":\"Status\"}", REPLY_SERVER, 0},
    {"{}", REPLY_SERVER, 0},
    {"null", REPLY_SERVER, 0},
};

START_TEST(test_error_event)
{
    struct reply got;
    reply_read_status(event_rows[_i].json, strlen(event_rows[_i].json), &got);
    ck_assert_str_eq(reply_class_name(got.class), reply_class_name(event_rows[_i].class));
    ck_assert_int_eq(got.code, event_rows[_i].code);
    ck_assert(got.message[0]);
}
END_TEST

START_TEST(test_long_message)
{
    static char body[4096];
    struct reply got;
    int n = snprintf(body, sizeof(body), "{\"kind\":\"Status\",\"reason\":\"%0100d\",\"message\":\"", 1);
    for (int i = 0; i < 600; i++)
        n += snprintf(body + n, sizeof(body) - (size_t)n, "\xc3\xbc");
    snprintf(body + n, sizeof(body) - (size_t)n, "\"}");
    struct kube_reply r = {500, body, strlen(body), -1, ""};
    reply_read(&r, &got);
    ck_assert_uint_eq(strlen(got.reason), sizeof(got.reason) - 1);
    ck_assert_uint_eq(strlen(got.message), 510); /* whole letters only */
}
END_TEST

static const struct {
    uint64_t chance, failures;
    int64_t retry_after_s, wait_ms;
} wait_rows[] = {
    {0, 1, -1, 10},
    {UINT64_MAX, 0, -1, 99},
    {UINT64_MAX, 1, -1, 99},
    {UINT64_MAX, 2, -1, 199},
    {UINT64_MAX / 2, 3, -1, 199},
    {UINT64_MAX, 100, -1, 29999},
    {0, 1, 0, 10},
    {0, 1, 2, 2000},
    {UINT64_MAX, 1, 2, 2499},
    {0, 1, 3600, 60000},
    {UINT64_MAX, 100, 1, 29999},
};

START_TEST(test_wait)
{
    static const struct backoff b = {100 * NS_PER_MS, 30 * NS_PER_S, 2};
    struct fake f;
    fake_init(&f);
    f.chance = wait_rows[_i].chance;
    int64_t wait = reply_wait(&f.clock, &b, wait_rows[_i].failures, wait_rows[_i].retry_after_s);
    ck_assert_int_eq(wait / NS_PER_MS, wait_rows[_i].wait_ms);
    fake_free(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reply");
    TCase *t = tcase_create("reply");
    tcase_add_loop_test(t, test_read, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_loop_test(t, test_error_event, 0, (int)(sizeof(event_rows) / sizeof(event_rows[0])));
    tcase_add_test(t, test_long_message);
    tcase_add_loop_test(t, test_wait, 0, (int)(sizeof(wait_rows) / sizeof(wait_rows[0])));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
