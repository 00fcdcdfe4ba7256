#include "base/sha1.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The examples of FIPS 180, and lengths around the block of 64 (as sha1sum prints them). */
static const struct {
    const char *text;
    size_t times;
    const char *want;
} rows[] = {
    {"", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {"a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    {"a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
    {"a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},
    {"a", 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},
    {"a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
    {"a", 65, "11655326c708d70319be2610e8a57d9a5b959d3b"},
};

START_TEST(digests)
{
    char got[SHA1_HEX + 1];
    size_t n = strlen(rows[_i].text), len = n * rows[_i].times;
    char *text = malloc(len + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < rows[_i].times; i++)
        memcpy(text + i * n, rows[_i].text, n);
    sha1_hex(text, len, got);
    ck_assert_str_eq(got, rows[_i].want);
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base/sha1");
    TCase *tc = tcase_create("sha1");
    tcase_add_loop_test(tc, digests, 0, sizeof(rows) / sizeof(rows[0]));
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
