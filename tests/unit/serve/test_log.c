#define _GNU_SOURCE
#include "base/mem.h"
#include "serve/log.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static when_ns wall(void *arg)
{
    (void)arg;
    return INT64_C(1767225600) * NS_PER_S + 7 * NS_PER_MS + 999999; /* 2026-01-01 */
}

/* A log into a pipe, and what came out of it. */
struct piped {
    int fd[2];
    struct log *log;
    char text[1 << 17];
};

static void piped_open(struct piped *p, enum log_form form, enum log_level level)
{
    struct log_options o = {.form = form, .level = level, .wall = wall};
    struct err err;

    ck_assert_int_eq(pipe2(p->fd, O_CLOEXEC), 0);
    o.fd = p->fd[1];
    p->log = log_new(&o, &err);
    ck_assert_ptr_nonnull(p->log);
}

/* All there is, without waiting. */
static const char *piped_read(struct piped *p)
{
    size_t len = 0;
    ssize_t n;

    ck_assert_int_eq(fcntl(p->fd[0], F_SETFL, O_NONBLOCK), 0);
    while ((n = read(p->fd[0], p->text + len, sizeof(p->text) - 1 - len)) > 0)
        len += (size_t)n;
    p->text[len] = '\0';
    return p->text;
}

static void piped_close(struct piped *p)
{
    log_free(p->log);
    close(p->fd[0]);
    close(p->fd[1]);
}

static struct piped piped;

#define TS "2026-01-01T00:00:00.007Z"

static const struct {
    enum log_level level;
    const char *object, *msg;
    struct log_field f;
    const char *json, *human;
} rows[] = {
    {LOG_AT_INFO,
     "ns/a",
     "hello",
     {.key = "n", .type = LOG_INT, .number = -3},
     "{\"ts\":\"" TS "\",\"level\":\"info\",\"object\":\"ns/a\",\"msg\":\"hello\",\"n\":-3}\n",
     TS " info    ns/a: hello n=-3\n"},
    {LOG_AT_ERROR,
     "",
     "",
     {.key = "ok", .type = LOG_BOOL, .number = 1},
     "{\"ts\":\"" TS "\",\"level\":\"error\",\"msg\":\"\",\"ok\":true}\n",
     TS " error    ok=true\n"},
    {LOG_AT_WARNING,
     NULL,
     "a\"b\\c\nd\x01\xff\xc3\xa4\x1b[1m",
     {.key = "t", .type = LOG_TEXT, .text = "x\ty"},
     "{\"ts\":\"" TS "\",\"level\":\"warning\",\"msg\":\"a\\\"b\\\\c\\nd\\u0001\xef\xbf\xbd\xc3\xa4\\u001b["
     "1m\",\"t\":\"x\\ty\"}\n",
     TS " warning a\"b\\c d??\xc3\xa4?[1m t=x y\n"},
    {LOG_AT_INFO,
     "o",
     "m",
     {.key = "r", .type = LOG_REAL, .real = 0.25},
     "{\"ts\":\"" TS "\",\"level\":\"info\",\"object\":\"o\",\"msg\":\"m\",\"r\":0.25}\n",
     TS " info    o: m r=0.25\n"},
    {LOG_AT_INFO,
     "o",
     "m",
     {.key = "r", .type = LOG_REAL, .real = (double)INFINITY},
     "{\"ts\":\"" TS "\",\"level\":\"info\",\"object\":\"o\",\"msg\":\"m\",\"r\":null}\n",
     TS " info    o: m r=null\n"},
    {LOG_AT_DEBUG, "o", "left out", {.key = "n"}, "", ""},
};

START_TEST(test_lines)
{
    for (int human = 0; human < 2; human++) {
        piped_open(&piped, human ? LOG_HUMAN : LOG_AUTO, LOG_AT_INFO);
        log_write(piped.log, rows[_i].level, rows[_i].object, rows[_i].msg, &rows[_i].f, 1);
        ck_assert_str_eq(piped_read(&piped), human ? rows[_i].human : rows[_i].json);
        piped_close(&piped);
    }
}
END_TEST

/* Long and odd texts: one line of at most LOG_LINE_MAX bytes that ends as it should, whatever is cut. */
START_TEST(test_cut)
{
    static const char *const units[] = {"a", "\"", "\x01", "\xc3\xa4", "\xff", "\xf0\x9f\x98\x80"};
    static char big[9001];
    const char *u = units[_i];
    size_t n = strlen(u);

    for (size_t shift = 0; shift < 9; shift++) {
        memset(big, 'x', shift);
        for (size_t i = shift; i + n < sizeof(big); i += n)
            memcpy(big + i, u, n + 1);
        struct log_field f[3] = {log_text("one", big), log_int("two", 2), log_text("three", big)};
        piped_open(&piped, LOG_JSON, LOG_AT_INFO);
        log_write(piped.log, LOG_AT_INFO, big, shift % 2 ? "short" : big, f, 3);
        const char *text = piped_read(&piped);
        size_t len = strlen(text);
        ck_assert_uint_gt(len, LOG_LINE_MAX - 100);
        ck_assert_uint_le(len, LOG_LINE_MAX);
        ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
        ck_assert_msg(text[len - 2] == '}' && text[len - 3] == '"' && text[len - 4] != '\\', "%s",
                      text + len - 9);
        ck_assert_int_eq(log_stats(piped.log).lines[LOG_AT_INFO], 1);
        piped_close(&piped);
    }
}
END_TEST

/* Nobody reads: lines are dropped whole, the writer goes on, the first line that gets through tells how many. */
START_TEST(test_full_pipe)
{
    uint64_t dropped;

    piped_open(&piped, LOG_JSON, LOG_AT_INFO);
    for (int i = 0; i < 3000; i++)
        log_line(piped.log, LOG_AT_INFO, "o", "0123456789012345678901234567890123456789");
    dropped = log_stats(piped.log).dropped;
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_eq(log_stats(piped.log).lines[LOG_AT_INFO] + dropped, 3000);
    /* the descriptor that we were given still blocks */
    ck_assert_int_eq(fcntl(piped.fd[1], F_GETFL) & O_NONBLOCK, 0);
    const char *text = piped_read(&piped);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert_ptr_null(strstr(text, "dropped"));
    log_line(piped.log, LOG_AT_ERROR, "", "back");
    char want[64];
    snprintf(want, sizeof(want), "\"msg\":\"back\",\"dropped\":%llu}\n", (unsigned long long)dropped);
    ck_assert_ptr_nonnull(strstr(piped_read(&piped), want));
    log_line(piped.log, LOG_AT_ERROR, "", "again");
    ck_assert_ptr_null(strstr(piped_read(&piped), "dropped"));
    piped_close(&piped);
}
END_TEST

/* A file's position is shared with everybody else who writes to it. */
START_TEST(test_file)
{
    char path[] = "/tmp/sluice-log-XXXXXX", text[512];
    struct log_options o = {.level = LOG_AT_INFO, .wall = wall};
    int fd = mkstemp(path);
    struct err err;

    ck_assert_int_ge(fd, 0);
    unlink(path);
    o.fd = fd;
    struct log *l = log_new(&o, &err);
    ck_assert_ptr_nonnull(l);
    ck_assert_int_eq(write(fd, "one\n", 4), 4);
    log_line(l, LOG_AT_INFO, "", "two");
    ck_assert_int_eq(write(fd, "three\n", 6), 6);
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_str_eq(text, "one\n{\"ts\":\"" TS "\",\"level\":\"info\",\"msg\":\"two\"}\nthree\n");
    log_free(l);
    close(fd);
}
END_TEST

static const struct {
    const char *text;
    int level; /* -1 = refused */
} names[] = {{"error", 0}, {"warning", 1}, {"info", 2}, {"debug", 3}, {"0", 0},
             {"3", 3},     {"4", -1},      {"", -1},    {"Info", -1}, {"33", -1}};

START_TEST(test_levels)
{
    enum log_level level = LOG_AT_DEBUG;
    struct err err;
    int rc = log_level_parse(names[_i].text, &level, &err);

    if (names[_i].level < 0)
        ck_assert_int_eq(rc, ERR_INVALID);
    else {
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq((int)level, names[_i].level);
    }
}
END_TEST

START_TEST(test_failures)
{
    struct log_options o = {.fd = -1};
    struct err err;

    ck_assert_ptr_null(log_new(&o, &err));
    ck_assert_int_eq(err.code, ERR_IO);
    mem_fail_after(1);
    ck_assert_ptr_null(log_new(&o, &err));
    mem_fail_after(0);
    ck_assert_int_eq(err.code, ERR_NOMEM);
    log_write(NULL, LOG_AT_ERROR, "", "", NULL, 0);
    log_free(NULL);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("log");

    tcase_add_loop_test(t, test_lines, 0, sizeof(rows) / sizeof(rows[0]));
    tcase_add_loop_test(t, test_cut, 0, 6);
    tcase_add_test(t, test_full_pipe);
    tcase_add_test(t, test_file);
    tcase_add_loop_test(t, test_levels, 0, sizeof(names) / sizeof(names[0]));
    tcase_add_test(t, test_failures);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
