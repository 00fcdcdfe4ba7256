#include "api/source.h"

#include "api_test.h"

/* Endless bytes, in steps that are no power of two: byte i is i mod 251. */
struct flow {
    uint64_t off, end;
    int fail; /* instead of the end */
};

static int flow_read(void *ctx, char *buf, size_t cap, size_t *ret, struct err *err)
{
    struct flow *f = ctx;
    size_t n = cap < 1000 ? cap : 1000;
    if (f->off == f->end && f->fail)
        return err_set(err, f->fail, "broken");
    n = n < f->end - f->off ? n : (size_t)(f->end - f->off);
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)((f->off + i) % 251);
    f->off += n;
    *ret = n;
    return 0;
}

START_TEST(sliding)
{
    struct flow f = {.end = 10000000};
    struct source s;
    struct err e = {0};
    source_init(&s, flow_read, &f);
    for (uint64_t off = 0; off < f.end; off += 997) {
        ck_assert_int_eq(source_need(&s, off, 1, &e), 1);
        ck_assert_int_eq((unsigned char)*source_at(&s, off), (int)(off % 251));
        s.keep = off;
    }
    ck_assert_uint_le(s.cap, 256 << 10);
    ck_assert_int_eq(source_need(&s, f.end - 1, 2, &e), 0);
    ck_assert_uint_eq(source_end(&s), f.end);
    source_free(&s);
}
END_TEST

START_TEST(keeping)
{
    struct flow f = {.end = 3000000};
    struct source s;
    struct err e = {0};
    source_init(&s, flow_read, &f);
    ck_assert_int_eq(source_need(&s, 0, 3000000, &e), 1);
    ck_assert_int_eq((unsigned char)*source_at(&s, 2999999), 2999999 % 251);
    source_free(&s);
}
END_TEST

START_TEST(too_much)
{
    struct flow f = {.end = UINT64_MAX};
    struct source s;
    struct err e = {0};
    int rc;
    source_init(&s, flow_read, &f);
    while ((rc = source_more(&s, &e)) > 0)
        ;
    ck_assert_int_eq(rc, ERR_LIMIT);
    ck_assert_uint_eq(s.len, SOURCE_WINDOW_MAX);
    source_free(&s);
}
END_TEST

START_TEST(failures)
{
    struct flow f = {.end = 1000, .fail = ERR_IO};
    struct source s;
    struct err e = {0};
    source_init(&s, flow_read, &f);
    ck_assert_int_eq(source_need(&s, 0, 1000, &e), 1);
    ck_assert_int_eq(source_need(&s, 0, 1001, &e), ERR_IO);
    ck_assert_str_eq(e.text, "broken");
    source_free(&s);
    mem_fail_after(1);
    source_init(&s, flow_read, &f);
    ck_assert_int_eq(source_more(&s, &e), ERR_NOMEM);
    mem_fail_after(0);
    source_free(&s);
}
END_TEST

START_TEST(of_a_text)
{
    struct source s;
    source_init_text(&s, "abc", 3);
    ck_assert_int_eq(source_need(&s, 1, 2, NULL), 1);
    ck_assert_int_eq(source_need(&s, 1, 3, NULL), 0);
    ck_assert_int_eq(*source_at(&s, 1), 'b');
    source_free(&s);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, sliding);
    tcase_add_test(tc, keeping);
    tcase_add_test(tc, too_much);
    tcase_add_test(tc, failures);
    tcase_add_test(tc, of_a_text);
}

int main(void)
{
    return run_tests("api/source", add);
}
