#include "kube/kubeconfig.h"

#include "folder.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* base64 of "-----BEGIN CERTIFICATE-----\nx\n" and "-----BEGIN PRIVATE KEY-----\nx\n" */
#define CERT "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCngK"
#define KEY "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCngK"

static void begin(void)
{
    folder_make();
    folder_put("ca.crt", "-----BEGIN CERTIFICATE-----\n");
    folder_put("me.crt", "-----BEGIN CERTIFICATE-----\n");
    folder_put("me.key", "-----BEGIN EC PRIVATE KEY-----\n");
    folder_put("empty", "");
    folder_put("token", "from-file\n");
    unsetenv("KUBERNETES_SERVICE_HOST");
    unsetenv("KUBECONFIG");
    setenv("HOME", folder(), 1);
}

static void end(void)
{
    folder_remove();
}

/* A kubeconfig of one context "x", with these fields of its cluster and its user, in YAML's flow style. */
static int parse(const char *cluster, const char *user, bool exec, struct credentials **ret, struct err *err)
{
    struct kubeconfig_options o = {.exec = exec};
    struct str s;

    str_init(&s, 0);
    str_addf(&s,
             "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts:\n- name: x\n  context: {cluster: "
             "c, user: u, "
             "namespace: team}\nclusters:\n- name: c\n  cluster: {%s}\nusers:\n- name: u\n  user: {%s}\n",
             cluster, user);
    int rc = kubeconfig_parse(s.p, s.len, in_folder("config"), &o, ret, err);
    str_free(&s);
    return rc;
}

#define SERVER "server: 'https://a:1'"

/* What became of a field, as text; "-" for none. */
static void show(const struct credentials *c, char *buf, size_t cap)
{
    char ca[200], cert[200];
    const struct credentials_pem *pems[] = {&c->ca, &c->cert};
    char *outs[] = {ca, cert};

    for (int i = 0; i < 2; i++) {
        const char *file = pems[i]->file;
        (void)snprintf(outs[i], sizeof(ca), "%s",
                       pems[i]->data ? "data"
                       : file        ? strrchr(file, '/') + 1
                                     : "-");
    }
    (void)snprintf(buf, cap, "%s ns=%s name=%s %s ca=%s cert=%s token=%s user=%s:%s proxy=%s as=%s",
                   c->server, c->ns, c->tls_name ? c->tls_name : "-", c->insecure ? "insecure" : "secure", ca,
                   cert, c->token ? c->token : "-", c->user ? c->user : "-", c->password ? c->password : "-",
                   c->proxy ? c->proxy : "-", c->as ? c->as : "-");
}

static const struct {
    const char *cluster, *user, *shows;
} good_rows[] = {
    {SERVER, "", "https://a:1 ns=team name=- secure ca=- cert=- token=- user=-:- proxy=- as=-"},
    {SERVER ", tls-server-name: k.example, certificate-authority: ca.crt", "token: abc",
     "https://a:1 ns=team name=k.example secure ca=ca.crt cert=- token=abc user=-:- proxy=- as=-"},
    {SERVER ", certificate-authority: nowhere, certificate-authority-data: " CERT,
     "client-certificate: me.crt, client-key: ./me.key",
     "https://a:1 ns=team name=- secure ca=data cert=me.crt token=- user=-:- proxy=- as=-"},
    {SERVER ", insecure-skip-tls-verify: true", "client-certificate-data: " CERT ", client-key-data: " KEY,
     "https://a:1 ns=team name=- insecure ca=- cert=data token=- user=-:- proxy=- as=-"},
    {SERVER ", disable-compression: true, proxy-url: 'socks5://p:1'", "token: abc, tokenFile: token",
     "https://a:1 ns=team name=- secure ca=- cert=- token=from-file user=-:- proxy=socks5h://p:1 as=-"},
    {"server: 'http://127.0.0.1:8080/', proxy-url: 'http://u:p@p:1'", "username: me, password: 'p w'",
     "http://127.0.0.1:8080 ns=team name=- secure ca=- cert=- token=- user=me:p w proxy=http://u:p@p:1 as=-"},
    {SERVER, "token: abc, as: kim, as-uid: u1, as-groups: [a, b]",
     "https://a:1 ns=team name=- secure ca=- cert=- token=abc user=-:- proxy=- as=kim"},
    {SERVER, "token: null, exec: null, unknown: 1",
     "https://a:1 ns=team name=- secure ca=- cert=- token=- user=-:- proxy=- as=-"},
};

START_TEST(test_good)
{
    struct credentials *c;
    struct err err = {0};
    char text[1024];
    begin();
    ck_assert_msg(parse(good_rows[_i].cluster, good_rows[_i].user, false, &c, &err) == 0, "%s", err.text);
    show(c, text, sizeof(text));
    ck_assert_str_eq(text, good_rows[_i].shows);
    credentials_free(c);
    end();
}
END_TEST

static const struct {
    const char *cluster, *user, *says; /* behind the file's name */
} bad_rows[] = {
    {"", "", ":9: clusters[0].cluster.server: must be given"},
    {"server: 7", "", ":9: clusters[0].cluster.server: must be a string, not a number"},
    {"server: 'a:1'", "", ":9: clusters[0].cluster.server: \"a:1\" is no URL"},
    {SERVER ", insecure-skip-tls-verify: 'yes'", "",
     "cluster.insecure-skip-tls-verify: must be true or false"},
    {SERVER ", insecure-skip-tls-verify: true, certificate-authority: ca.crt", "", "must not be true beside"},
    {SERVER ", certificate-authority: nowhere.crt", "", "cluster.certificate-authority: /"},
    {SERVER ", certificate-authority: empty", "", "no \"-----BEGIN CERTIFICATE-----\" in it"},
    {SERVER ", certificate-authority-data: '%%'", "", "certificate-authority-data: is no base64"},
    {SERVER ", certificate-authority-data: YQ", "", "is no base64"},
    {SERVER ", certificate-authority-data: 'YQ=a'", "", "is no base64"},
    {SERVER ", certificate-authority-data: '===='", "", "is no base64"},
    {SERVER ", certificate-authority-data: YWJj", "", "no \"-----BEGIN CERTIFICATE-----\" in it"},
    {SERVER ", tls-server-name: 'a/b'", "", "is no name of a host"},
    {SERVER ", proxy-url: 'p:1'", "", "proxy-url: \"p:1\" is no URL"},
    {SERVER ", proxy-url: 'http://'", "", "is no URL"},
    {SERVER, "token: \"a\\nb\"", ":12: users[0].user.token: must not hold control characters"},
    {SERVER, "token: 'a b'", "users[0].user.token: the token holds a character"},
    {SERVER, "token: 12", "must be a string, not a number"},
    {SERVER, "tokenFile: nowhere", "users[0].user.tokenFile: /"},
    {SERVER, "tokenFile: empty", "the token is empty"},
    {SERVER, "client-certificate: me.crt", "users[0].user.client-key: must be given"},
    {SERVER, "client-key-data: " KEY, "users[0].user.client-certificate: must be given"},
    {SERVER, "client-certificate: me.crt, client-key: me.crt", "no \"PRIVATE KEY-----\" in it"},
    {SERVER, "token: a, username: b", "either a token or a name"},
    {SERVER, "as-groups: [a]", "users[0].user.as: must be given with"},
    {SERVER, "as: a, as-groups: a", "users[0].user.as-groups: must be a list"},
    {SERVER, "as: a, as-groups: [1]", "users[0].user.as-groups[0]: must be a string"},
    {SERVER, "as: a, as-user-extra: {k: v}", "users[0].user.as-user-extra.k: must be a list"},
    {SERVER, "as: a, as-user-extra: {k: [\"a\\r\\nb\"]}", "as-user-extra.k[0]: must be a string without"},
    {SERVER, "as: \"a\\r\\nX: b\"", "must not hold control characters"},
    {SERVER, "auth-provider: {name: gcp}", "users[0].user.auth-provider: such plugins are gone"},
    {SERVER, "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1beta1}",
     "users[0].user.exec: credentials of a plugin (aws) are for the command line only"},
    {SERVER, "exec: [a]", "users[0].user.exec: must be a map"},
};

START_TEST(test_bad)
{
    struct credentials *c;
    struct err err = {0};
    begin();
    int64_t live = mem_live();
    ck_assert_int_eq(parse(bad_rows[_i].cluster, bad_rows[_i].user, false, &c, &err), ERR_INVALID);
    const char *path = in_folder("config");
    ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0, "%s", err.text);
    ck_assert_msg(strstr(err.text + strlen(path), bad_rows[_i].says), "%s", err.text);
    ck_assert_int_eq(mem_live(), live);
    end();
}
END_TEST

#define API "apiVersion: client.authentication.k8s.io/v1"

static const struct {
    const char *exec, *says; /* NULL = good */
} exec_rows[] = {
    {API ", command: aws, args: [eks, get-token], env: [{name: A, value: b}, {name: C}], interactiveMode: "
         "Never, installHint: see there, provideClusterInfo: true",
     NULL},
    {API "beta1, command: ./aws", NULL},
    {API ", interactiveMode: IfAvailable, command: /bin/aws", NULL},
    {API ", command: aws", "exec.interactiveMode: must be given"},
    {API ", command: aws, interactiveMode: Sometimes", "must be Never, IfAvailable or Always"},
    {API "alpha1, command: aws", "exec.apiVersion: must be"},
    {"command: aws", "exec.apiVersion: must be"},
    {API ", interactiveMode: Never", "exec.command: must be given"},
    {API ", interactiveMode: Never, command: aws, args: [1]", "exec.args[0]: must be a string"},
    {API ", interactiveMode: Never, command: aws, env: [{value: a}]", "exec.env[0].name: must be the name"},
    {API ", interactiveMode: Never, command: aws, env: [{name: 'A=B'}]",
     "exec.env[0].name: must be the name"},
};

START_TEST(test_exec)
{
    struct credentials *c;
    struct err err = {0};
    char user[512];
    begin();
    (void)snprintf(user, sizeof(user), "exec: {%s}", exec_rows[_i].exec);
    int rc = parse(SERVER ", extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1}}]",
                   user, true, &c, &err);
    ck_assert_msg((rc == 0) == !exec_rows[_i].says, "%s", err.text);
    if (rc < 0)
        ck_assert_msg(strstr(err.text, exec_rows[_i].says), "%s", err.text);
    if (_i == 0) {
        ck_assert_str_eq(c->exec->command, "aws");
        ck_assert_uint_eq(c->exec->n_args, 2);
        ck_assert_str_eq(c->exec->args[1], "get-token");
        ck_assert_uint_eq(c->exec->n_env, 2);
        ck_assert_str_eq(c->exec->env[0].value, "b");
        ck_assert_str_eq(c->exec->env[1].value, "");
        ck_assert_str_eq(c->exec->install_hint, "see there");
        ck_assert(c->exec->cluster_info && !c->exec->interactive);
        ck_assert_ptr_nonnull(strstr(c->exec->cluster_config, "\"a\": 1"));
    }
    if (_i == 1)
        ck_assert_str_eq(c->exec->command, in_folder("./aws"));
    if (rc == 0)
        credentials_free(c);
    end();
}
END_TEST

START_TEST(test_impersonation)
{
    struct credentials *c;
    struct err err = {0};
    begin();
    ck_assert_msg(
        parse(SERVER,
              "as: kim, as-groups: [a, 'system:b'], as-user-extra: {'acme.com/scope': [v1, v2], Plain: [w]}",
              false, &c, &err) == 0,
        "%s", err.text);
    ck_assert_uint_eq(c->n_as_groups, 2);
    ck_assert_str_eq(c->as_groups[1], "system:b");
    ck_assert_uint_eq(c->n_as_extra, 3);
    ck_assert_str_eq(c->as_extra[0].key, "acme.com%2Fscope");
    ck_assert_str_eq(c->as_extra[1].value, "v2");
    ck_assert_str_eq(c->as_extra[2].key, "Plain");
    credentials_free(c);
    end();
}
END_TEST

static const char one[] = "current-context: x\n"
                          "clusters: [{name: c, cluster: {server: 'https://one'}}]\n"
                          "users: [{name: u, user: {token: one}}]\n";
static const char two[] =
    "current-context: y\n"
    "contexts: [{name: x, context: {cluster: c, user: u}}, {name: y, context: {cluster: d, user: u}}, {name: "
    "z, context: {cluster: nowhere}}]\n"
    "clusters: [{name: c, cluster: {server: 'https://two'}}, {name: d, cluster: {server: 'https://two-d'}}]\n"
    "users: [{name: u, user: {token: two}}]\n";

static const struct {
    const char *files; /* of $KUBECONFIG, %s for the directory */
    const char *context;
    const char *server, *token; /* NULL = ERR_NOTFOUND */
} merge_rows[] = {
    {"%s/one:%s/two", NULL, "https://one", "one"},
    {"%s/two:%s/one", NULL, "https://two-d", "two"},
    {"%s/none:%s/two", "x", "https://two", "two"},
    {"%s/one:%s/two", "y", "https://two-d", "one"},
    {"%s/one:%s/none", NULL, NULL, NULL},
    {"%s/two:%s/one", "z", NULL, NULL},
    {"%s/two:%s/one", "w", NULL, NULL},
    {"%s/empty:%s/none", NULL, NULL, NULL},
    {"%s/none:%s/none2", NULL, NULL, NULL},
    {":%s/two::%s/one:", "x", "https://two", "two"},
};

START_TEST(test_merging)
{
    struct kubeconfig_options o = {.context = merge_rows[_i].context};
    struct credentials *c;
    struct err err = {0};
    char list[256];
    begin();
    folder_put("one", one);
    folder_put("two", two);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(list, sizeof(list), merge_rows[_i].files, folder(), folder());
#pragma GCC diagnostic pop
    setenv("KUBECONFIG", list, 1);
    int rc = kubeconfig_load(&o, &c, &err);
    if (merge_rows[_i].server) {
        ck_assert_msg(rc == 0, "%s", err.text);
        ck_assert_str_eq(c->server, merge_rows[_i].server);
        ck_assert_str_eq(c->token, merge_rows[_i].token);
        ck_assert_str_eq(c->ns, "default");
        credentials_free(c);
    } else {
        ck_assert_int_eq(rc, ERR_NOTFOUND);
        ck_assert_str_ne(err.text, "");
    }
    end();
}
END_TEST

/* --kubeconfig, $KUBECONFIG, the pod, ~/.kube/config. */
START_TEST(test_order)
{
    struct kubeconfig_options o = {0};
    struct credentials *c;
    struct err err;
    begin();
    ck_assert_int_eq(kubeconfig_find(&o, &c, &err), ERR_NOTFOUND);
    ck_assert_int_eq(mkdir(in_folder(".kube"), 0700), 0);
    folder_put(".kube/config", two);
    ck_assert_int_eq(kubeconfig_find(&o, &c, &err), 0);
    ck_assert_str_eq(c->server, "https://two-d");
    ck_assert_ptr_nonnull(strstr(c->source, ".kube/config, context y"));
    credentials_free(c);
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    int rc = kubeconfig_find(&o, &c, &err); /* this machine has no such files, unless it is a pod */
    ck_assert(rc != ERR_NOTFOUND);
    if (rc == 0)
        credentials_free(c);
    folder_put("both",
               "current-context: y\ncontexts: [{name: y, context: {cluster: d}}]\nclusters: [{name: d, "
               "cluster: {server: 'https://env'}}]\n");
    setenv("KUBECONFIG", in_folder("both"), 1);
    ck_assert_int_eq(kubeconfig_find(&o, &c, &err), 0);
    ck_assert_str_eq(c->server, "https://env");
    credentials_free(c);
    folder_put("three", two);
    o.file = in_folder("three");
    ck_assert_int_eq(kubeconfig_find(&o, &c, &err), 0);
    ck_assert_str_eq(c->server, "https://two-d");
    credentials_free(c);
    o.file = in_folder("none");
    ck_assert_int_eq(kubeconfig_find(&o, &c, &err), ERR_NOTFOUND);
    end();
}
END_TEST

static const struct {
    const char *text;
    int rc;
    const char *says;
} text_rows[] = {
    {"", ERR_NOTFOUND, "no current-context"},
    {"- a", ERR_INVALID, "this is no kubeconfig"},
    {"kind: Pod", ERR_INVALID, "kind: must be Config"},
    {"a: [", ERR_INVALID, "line "},
    {"current-context: x\ncontexts: {}", ERR_INVALID, "contexts: must be a list"},
    {"current-context: x\ncontexts: [{name: x}]", ERR_INVALID, "contexts[0].cluster: must be given"},
    {"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c}]", ERR_INVALID,
     "clusters[0].server: must be given"},
    {"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, "
     "cluster: {server: 'https://a'}}]",
     ERR_NOTFOUND, "no user \"u\""},
    {"{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\"}}],"
     "\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://a\"}}]}",
     0, ""},
};

START_TEST(test_texts)
{
    struct kubeconfig_options o = {0};
    struct credentials *c;
    struct err err = {0};
    int rc = kubeconfig_parse(text_rows[_i].text, strlen(text_rows[_i].text), "config", &o, &c, &err);
    ck_assert_msg(rc == text_rows[_i].rc, "%d %s", rc, err.text);
    ck_assert_msg(strstr(err.text, text_rows[_i].says), "%s", err.text);
    if (rc == 0)
        credentials_free(c);
}
END_TEST

START_TEST(test_memory)
{
    struct credentials *c;
    begin();
    int64_t live = mem_live();
    for (uint64_t n = 1;; n++) {
        struct err err;
        ck_assert_uint_lt(n, 10000);
        mem_fail_after(n);
        int rc = kubeconfig_parse(two, sizeof(two) - 1, "config", &(struct kubeconfig_options){0}, &c, &err);
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
    Suite *s = suite_create("kubeconfig");
    TCase *tc = tcase_create("kubeconfig");
    tcase_add_loop_test(tc, test_good, 0, sizeof(good_rows) / sizeof(*good_rows));
    tcase_add_loop_test(tc, test_bad, 0, sizeof(bad_rows) / sizeof(*bad_rows));
    tcase_add_loop_test(tc, test_exec, 0, sizeof(exec_rows) / sizeof(*exec_rows));
    tcase_add_test(tc, test_impersonation);
    tcase_add_loop_test(tc, test_merging, 0, sizeof(merge_rows) / sizeof(*merge_rows));
    tcase_add_test(tc, test_order);
    tcase_add_loop_test(tc, test_texts, 0, sizeof(text_rows) / sizeof(*text_rows));
    tcase_add_test(tc, test_memory);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
