#include "kube/credentials.h"

#include "folder.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *url, *server; /* NULL = refused */
    bool plain, loopback;
} server_rows[] = {
    {"https://10.0.0.1:443", "https://10.0.0.1:443", false, false},
    {"https://10.0.0.1/", "https://10.0.0.1", false, false},
    {"https://api.example.com/k8s/clusters/c-1//", "https://api.example.com/k8s/clusters/c-1", false, false},
    {"https://[::1]:6443", "https://[::1]:6443", false, true},
    {"https://[fd00::1]", "https://[fd00::1]", false, false},
    {"http://127.0.0.1:8080", "http://127.0.0.1:8080", true, true},
    {"HTTPS://LocalHost:1", "HTTPS://LocalHost:1", false, true},
    {"http://127.1.2.3", "http://127.1.2.3", true, true},
    {"https://127.0.0.1.example.com", "https://127.0.0.1.example.com", false, false},
    {"", NULL, false, false},
    {"10.0.0.1:443", NULL, false, false},
    {"ftp://a", NULL, false, false},
    {"https://", NULL, false, false},
    {"https:///path", NULL, false, false},
    {"https://a:0", NULL, false, false},
    {"https://a:65536", NULL, false, false},
    {"https://a:12x", NULL, false, false},
    {"https://a:", NULL, false, false},
    {"https://u:p@a", NULL, false, false},
    {"https://a/?q=1", NULL, false, false},
    {"https://a/#f", NULL, false, false},
    {"https://a b", NULL, false, false},
    {"https://a\r\nHost: b", NULL, false, false},
    {"https://[::1", NULL, false, false},
};

START_TEST(test_server)
{
    struct credentials *c = credentials_new();
    struct err err;
    int rc = credentials_set_server(c, server_rows[_i].url, &err);
    if (server_rows[_i].server) {
        ck_assert_int_eq(rc, 0);
        ck_assert_str_eq(c->server, server_rows[_i].server);
        ck_assert_int_eq(c->plain, server_rows[_i].plain);
        ck_assert_int_eq(c->loopback, server_rows[_i].loopback);
    } else {
        ck_assert_int_eq(rc, ERR_INVALID);
        ck_assert_str_eq(c->server, "");
    }
    credentials_free(c);
}
END_TEST

static const struct {
    const char *text, *token; /* NULL = refused */
} token_rows[] = {
    {"abc", "abc"},  {" \n abc.d-e_f~+/= \r\n", "abc.d-e_f~+/="},
    {"", NULL},      {" \n", NULL},
    {"a b", NULL},   {"a\nb", NULL},
    {"a\x7f", NULL}, {"caf\xc3\xa9", NULL},
};

START_TEST(test_token)
{
    struct credentials *c = credentials_new();
    ck_assert_int_eq(credentials_set_token(c, "before", 6, NULL), 0);
    uint64_t generation = c->generation;
    int rc = credentials_set_token(c, token_rows[_i].text, strlen(token_rows[_i].text), NULL);
    ck_assert_int_eq(rc, token_rows[_i].token ? 0 : ERR_INVALID);
    ck_assert_str_eq(c->token, token_rows[_i].token ? token_rows[_i].token : "before");
    ck_assert_uint_eq(c->generation, generation + (token_rows[_i].token ? 1 : 0));
    credentials_free(c);
}
END_TEST

START_TEST(test_long_token)
{
    struct credentials *c = credentials_new();
    char *text = malloc(CREDENTIALS_TOKEN_MAX + 1);
    memset(text, 'x', CREDENTIALS_TOKEN_MAX + 1);
    ck_assert_int_eq(credentials_set_token(c, text, CREDENTIALS_TOKEN_MAX + 1, NULL), ERR_LIMIT);
    ck_assert_int_eq(credentials_set_token(c, text, CREDENTIALS_TOKEN_MAX, NULL), 0);
    free(text);
    credentials_free(c);
}
END_TEST

static void begin(void)
{
    folder_make();
    folder_put("token", "one\n");
    folder_put("ca.crt", "-----BEGIN CERTIFICATE-----\n");
    folder_put("namespace", "sluice-system\n");
    setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
}

/* Not folder_remove(): nothing else may have been written there. */
static void end(void)
{
    static const char *const names[] = {"token", "ca.crt", "namespace"};

    for (int i = 0; i < 3; i++)
        (void)unlink(in_folder(names[i]));
    ck_assert_int_eq(rmdir(folder()), 0);
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBERNETES_SERVICE_PORT");
}

START_TEST(test_pod)
{
    struct credentials *c;
    struct err err = {0};
    begin();
    ck_assert_msg(credentials_in_cluster(folder(), &c, &err) == 0, "%s", err.text);
    ck_assert_str_eq(c->server, "https://10.96.0.1:443");
    ck_assert_str_eq(c->ns, "sluice-system");
    ck_assert_str_eq(c->ca.file, in_folder("ca.crt"));
    ck_assert(c->in_cluster && !c->insecure);
    ck_assert_str_eq(credentials_token(c, 0), "one");
    credentials_free(c);
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    ck_assert_int_eq(credentials_in_cluster(folder(), &c, &err), 0);
    ck_assert_str_eq(c->server, "https://[fd00::1]:443");
    credentials_free(c);
    end();
}
END_TEST

static const struct {
    const char *file, *text; /* NULL = not there */
    const char *says;
} bad_rows[] = {
    {"token", NULL, "No such file"},     {"token", "", "empty"},
    {"ca.crt", NULL, "No such file"},    {"ca.crt", "nothing", "no certificate"},
    {"namespace", NULL, "No such file"}, {"namespace", "\n", "no namespace"},
};

START_TEST(test_bad_pod)
{
    struct credentials *c;
    struct err err = {0};
    int64_t live = mem_live();
    begin();
    if (bad_rows[_i].text)
        folder_put(bad_rows[_i].file, bad_rows[_i].text);
    else
        ck_assert_int_eq(unlink(in_folder(bad_rows[_i].file)), 0);
    ck_assert_int_lt(credentials_in_cluster(folder(), &c, &err), 0);
    ck_assert_msg(strstr(err.text, bad_rows[_i].says) && strstr(err.text, bad_rows[_i].file), "%s", err.text);
    ck_assert_int_eq(mem_live(), live);
    end();
}
END_TEST

START_TEST(test_no_pod)
{
    struct credentials *c;
    unsetenv("KUBERNETES_SERVICE_HOST");
    ck_assert_int_eq(credentials_in_cluster(NULL, &c, NULL), ERR_NOTFOUND);
}
END_TEST

/* A token is read again after a minute, after a 401, and never more often; a file that is gone leaves the old one. */
START_TEST(test_rotation)
{
    struct credentials *c;
    begin();
    ck_assert_int_eq(credentials_in_cluster(folder(), &c, NULL), 0);
    ck_assert_str_eq(credentials_token(c, 0), "one");
    uint64_t first = c->generation;
    folder_put("token", "two");
    ck_assert_str_eq(credentials_token(c, 59 * NS_PER_S), "one");
    ck_assert_str_eq(credentials_token(c, 60 * NS_PER_S), "two");
    ck_assert_uint_ne(c->generation, first);
    folder_put("token", "three");
    ck_assert(credentials_renew(c, first, 61 * NS_PER_S)); /* sent with the first: the second is newer */
    ck_assert_str_eq(credentials_token(c, 61 * NS_PER_S), "two");
    uint64_t second = c->generation;
    ck_assert(credentials_renew(c, second, 62 * NS_PER_S));
    ck_assert_str_eq(credentials_token(c, 62 * NS_PER_S), "three");
    ck_assert(credentials_renew(c, second, 63 * NS_PER_S));
    ck_assert(!credentials_renew(c, c->generation, 63 * NS_PER_S)); /* nothing newer to try with */
    ck_assert_int_eq(unlink(in_folder("token")), 0);
    ck_assert_str_eq(credentials_token(c, 200 * NS_PER_S), "three");
    folder_put("token", "");
    ck_assert(!credentials_renew(c, c->generation, 201 * NS_PER_S));
    ck_assert_str_eq(credentials_token(c, 300 * NS_PER_S), "three");
    folder_put("token", "four");
    ck_assert_str_eq(credentials_token(c, 360 * NS_PER_S), "four");
    credentials_free(c);
    end();
}
END_TEST

START_TEST(test_plugin_is_due)
{
    static const struct credentials_exec x = {.command = "x"};
    struct credentials *c = credentials_new();
    ck_assert(!credentials_exec_due(c, 0));
    c->exec = &x;
    ck_assert(credentials_exec_due(c, 0));
    c->exec_fresh = true;
    ck_assert(!credentials_exec_due(c, INT64_MAX));
    c->exec_expires = 100;
    ck_assert(!credentials_exec_due(c, 99));
    ck_assert(credentials_exec_due(c, 100));
    ck_assert(credentials_renew(c, c->generation, 0));
    ck_assert(credentials_exec_due(c, 0));
    credentials_free(c);
}
END_TEST

START_TEST(test_files)
{
    char *text;
    size_t len;
    struct err err;
    begin();
    ck_assert_int_eq(credentials_read_file(in_folder("token"), 4, &text, &len, &err), 0);
    ck_assert_str_eq(text, "one\n");
    ck_assert_uint_eq(len, 4);
    mem_free(text);
    ck_assert_int_eq(credentials_read_file(in_folder("token"), 3, &text, &len, &err), ERR_LIMIT);
    ck_assert_int_eq(credentials_read_file(folder(), 3, &text, &len, &err), ERR_IO);
    ck_assert_int_eq(credentials_read_file(in_folder("none"), 3, &text, &len, &err), ERR_IO);
    folder_put("token", "");
    ck_assert_int_eq(credentials_read_file(in_folder("token"), 3, &text, &len, &err), 0);
    ck_assert_str_eq(text, "");
    mem_free(text);
    end();
}
END_TEST

START_TEST(test_memory)
{
    struct credentials *c;
    int64_t live = mem_live();
    begin();
    for (uint64_t n = 1;; n++) {
        struct err err;
        ck_assert_uint_lt(n, 1000);
        mem_fail_after(n);
        int rc = credentials_in_cluster(folder(), &c, &err);
        mem_fail_after(0);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_int_eq(mem_live(), live);
    }
    credentials_free(c);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("credentials");
    TCase *tc = tcase_create("credentials");
    tcase_add_loop_test(tc, test_server, 0, sizeof(server_rows) / sizeof(*server_rows));
    tcase_add_loop_test(tc, test_token, 0, sizeof(token_rows) / sizeof(*token_rows));
    tcase_add_test(tc, test_long_token);
    tcase_add_test(tc, test_pod);
    tcase_add_loop_test(tc, test_bad_pod, 0, sizeof(bad_rows) / sizeof(*bad_rows));
    tcase_add_test(tc, test_no_pod);
    tcase_add_test(tc, test_rotation);
    tcase_add_test(tc, test_plugin_is_due);
    tcase_add_test(tc, test_files);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
