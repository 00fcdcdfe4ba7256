#include "kube/exec.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V1 "client.authentication.k8s.io/v1"
#define ANSWER(status) "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":" status "}"

static struct credentials_exec plugin;

static struct credentials *begin(void)
{
    struct credentials *c = credentials_new();

    plugin = (struct credentials_exec){.api_version = V1, .command = "sh"};
    ck_assert_ptr_nonnull(c);
    c->exec = &plugin;
    ck_assert_int_eq(credentials_set_server(c, "https://10.0.0.1:6443", NULL), 0);
    return c;
}

static const struct {
    const char *text;
    const char *token, *cert; /* "" = none */
    when_ns expires;
} good_rows[] = {
    {ANSWER("{\"token\":\"abc\"}"), "abc", "", WHEN_NONE},
    {ANSWER("{\"token\":\"abc\",\"expirationTimestamp\":\"1970-01-01T00:00:05Z\"}"), "abc", "", 5 * NS_PER_S},
    {ANSWER("{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}"), "", "C", WHEN_NONE},
    {ANSWER("{\"token\":\"abc\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\","
            "\"expirationTimestamp\":null}"),
     "abc", "C", WHEN_NONE},
};

START_TEST(test_good)
{
    struct credentials *c = begin();
    struct err err = {0};
    ck_assert_int_eq(credentials_set_token(c, "old", 3, NULL), 0);
    uint64_t generation = c->generation;
    ck_assert_msg(exec_answer(c, good_rows[_i].text, strlen(good_rows[_i].text), &err) == 0, "%s", err.text);
    ck_assert_str_eq(c->token ? c->token : "", good_rows[_i].token);
    ck_assert_str_eq(c->exec_cert ? c->exec_cert : "", good_rows[_i].cert);
    ck_assert_int_eq(c->exec_key != NULL, c->exec_cert != NULL);
    ck_assert_int_eq(c->exec_expires, good_rows[_i].expires);
    ck_assert(c->exec_fresh);
    ck_assert_uint_gt(c->generation, generation);
    credentials_free(c);
}
END_TEST

static const struct {
    const char *text, *says;
} bad_rows[] = {
    {"", "line 1"},
    {"{}", "kind"},
    {"{\"kind\":\"Pod\",\"apiVersion\":\"" V1 "\"}", "kind"},
    {"{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "beta1\",\"status\":{\"token\":\"a\"}}",
     "apiVersion"},
    {ANSWER("null"), "status"},
    {ANSWER("{}"), "neither token nor"},
    {ANSWER("{\"token\":\"\"}"), "neither token nor"},
    {ANSWER("{\"token\":7}"), "status.token"},
    {ANSWER("{\"token\":\"a\\nb\"}"), "status.token"},
    {ANSWER("{\"clientKeyData\":\"K\"}"), "neither token nor"},
    {ANSWER("{\"clientCertificateData\":\"C\"}"), "go together"},
    {ANSWER("{\"token\":\"a\",\"clientKeyData\":\"K\"}"), "go together"},
    {ANSWER("{\"token\":\"a\",\"expirationTimestamp\":\"soon\"}"), "status.expirationTimestamp"},
};

START_TEST(test_bad)
{
    struct credentials *c = begin();
    struct err err = {0};
    int64_t live;
    ck_assert_int_eq(credentials_set_token(c, "old", 3, NULL), 0);
    live = mem_live();
    ck_assert_int_lt(exec_answer(c, bad_rows[_i].text, strlen(bad_rows[_i].text), NULL), 0);
    ck_assert_int_lt(exec_answer(c, bad_rows[_i].text, strlen(bad_rows[_i].text), &err), 0);
    ck_assert_msg(strstr(err.text, bad_rows[_i].says), "%s", err.text);
    ck_assert_str_eq(c->token, "old");
    ck_assert(!c->exec_fresh && !c->exec_cert);
    ck_assert_int_eq(mem_live(), live);
    credentials_free(c);
}
END_TEST

static const struct {
    bool interactive, cluster;
    const char *ca, *config;
    const char *info;
} info_rows[] = {
    {false, false, "abc", NULL,
     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"spec\":{\"interactive\":false}}"},
    {true, true, NULL, NULL,
     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
     "\",\"spec\":{\"interactive\":true,\"cluster\":{\"server\":\"https://10.0.0.1:6443\"}}}"},
    {false, true, "abc", "{\"a\":1}",
     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
     "\",\"spec\":{\"interactive\":false,\"cluster\":{\"server\":\"https://"
     "10.0.0.1:6443\",\"certificate-authority-data\":\"YWJj\",\"config\":{\"a\":1}}}}"},
    {false, true, "abcd", NULL,
     "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
     "\",\"spec\":{\"interactive\":false,\"cluster\":{\"server\":\"https://"
     "10.0.0.1:6443\",\"certificate-authority-data\":\"YWJjZA==\"}}}"},
};

START_TEST(test_info)
{
    struct credentials *c = begin();
    plugin.interactive = info_rows[_i].interactive;
    plugin.cluster_info = info_rows[_i].cluster;
    plugin.cluster_config = info_rows[_i].config;
    c->ca.data = info_rows[_i].ca;
    c->ca.len = info_rows[_i].ca ? strlen(info_rows[_i].ca) : 0;
    char *info = exec_info(c);
    ck_assert_str_eq(info, info_rows[_i].info);
    mem_free(info);
    credentials_free(c);
}
END_TEST

/* ---- running it ------------------------------------------------------------------------------------------------------------- */

static int done, status;
static char text[1024];

static void on_done(void *arg, int rc, const struct err *err)
{
    (void)arg;
    done++;
    status = rc;
    (void)snprintf(text, sizeof(text), "%s", rc < 0 ? err->text : "");
}

static const struct {
    const char *script;
    int64_t timeout_ns;
    int status;
    const char *says; /* the error, or the token */
} run_rows[] = {
    {"echo '" ANSWER("{\"token\":\"abc\"}") "'", 0, 0, "abc"},
    {"echo '" ANSWER("{\"token\":\"'$A$B'\"}") "'", 0, 0, "1two"},
    {"test -n \"$HOME$PATH\" && echo \"$KUBERNETES_EXEC_INFO\" | grep -q '\"interactive\":false' && echo "
     "'" ANSWER("{\"token\":\"told\"}") "'",
     0, 0, "told"},
    {"test -t 0 || cat; echo '" ANSWER("{\"token\":\"no-input\"}") "'", 0, 0, "no-input"},
    {"exit 3", 0, ERR_IO, "exit status 3; install it"},
    {"kill -9 $$", 0, ERR_IO, "signal 9"},
    {"exec sleep 60", 50 * NS_PER_MS, ERR_IO, "took too long"},
    /* Its stderr is the test's: who reads that, would wait for the sleep. */
    {"sleep 60 2> /dev/null & exit 0", 200 * NS_PER_MS, ERR_IO, "took too long"},
    {"echo nonsense", 0, ERR_INVALID, "its answer"},
    {"yes", 0, ERR_LIMIT, "longer than"},
};

START_TEST(test_run)
{
    static const struct credentials_pair env[] = {{"A", "1"}, {"B", "two"}};
    struct credentials *c = begin();
    const char *args[] = {"-c", run_rows[_i].script};
    struct exec *e;
    struct err err = {0};
    uv_loop_t loop;

    setenv("A", "overruled", 1);
    setenv("KUBERNETES_EXEC_INFO", "overruled", 1);
    plugin.args = args;
    plugin.n_args = 2;
    plugin.env = env;
    plugin.n_env = 2;
    plugin.install_hint = "install it";
    done = 0;
    uv_loop_init(&loop);
    ck_assert_msg(exec_start(&loop, c, run_rows[_i].timeout_ns, on_done, NULL, &e, &err) == 0, "%s",
                  err.text);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(done, 1);
    ck_assert_msg(status == run_rows[_i].status, "%d %s", status, text);
    ck_assert_msg(strstr(status == 0 ? c->token : text, run_rows[_i].says), "%s", text);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    credentials_free(c);
}
END_TEST

static void on_gone(void *arg)
{
    ++*(int *)arg;
}

START_TEST(test_cancel)
{
    static const char *const args[] = {"60"};
    struct credentials *c = begin();
    struct exec *e;
    struct err err;
    uv_loop_t loop;
    int gone = 0;
    int64_t live = mem_live();

    done = 0;
    uv_loop_init(&loop);
    plugin.command = "/nowhere/plugin";
    ck_assert_int_eq(exec_start(&loop, c, 0, on_done, NULL, &e, &err), ERR_IO);
    ck_assert_msg(strstr(err.text, "/nowhere/plugin"), "%s", err.text);
    plugin.command = "sleep";
    plugin.args = args;
    plugin.n_args = 1;
    ck_assert_int_eq(exec_start(&loop, c, 0, on_done, NULL, &e, &err), 0);
    exec_cancel(e, on_gone, &gone);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(done, 0);
    ck_assert_int_eq(gone, 1);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    ck_assert_int_eq(mem_live(), live);
    credentials_free(c);
}
END_TEST

START_TEST(test_memory)
{
    struct credentials *c = begin();
    int64_t live = mem_live();
    uv_loop_t loop;
    struct exec *e;

    uv_loop_init(&loop);
    for (uint64_t n = 1; n < 10000; n++) {
        struct err err;
        mem_fail_after(n);
        int rc = exec_start(&loop, c, 0, on_done, NULL, &e, &err);
        mem_fail_after(0);
        if (rc == 0) {
            exec_cancel(e, NULL, NULL);
            n = 10000;
        } else {
            ck_assert_int_eq(rc, ERR_NOMEM);
        }
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(mem_live(), live);
    }
    const char *answer = good_rows[3].text;
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = exec_answer(c, answer, strlen(answer), NULL);
        mem_fail_after(0);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert(!c->token && !c->exec_cert && !c->exec_fresh);
    }
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    credentials_free(c);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("exec");
    TCase *tc = tcase_create("exec");
    tcase_add_loop_test(tc, test_good, 0, sizeof(good_rows) / sizeof(*good_rows));
    tcase_add_loop_test(tc, test_bad, 0, sizeof(bad_rows) / sizeof(*bad_rows));
    tcase_add_loop_test(tc, test_info, 0, sizeof(info_rows) / sizeof(*info_rows));
    tcase_add_loop_test(tc, test_run, 0, sizeof(run_rows) / sizeof(*run_rows));
    tcase_add_test(tc, test_cancel);
    tcase_add_test(tc, test_memory);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
