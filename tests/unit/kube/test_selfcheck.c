#include "kube/selfcheck.h"

#include "base/mem.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 12 };

static struct selfcheck_item items[N];
static int done, status;
static char text[1024];

static void on_done(void *arg, int rc, const struct err *err)
{
    (void)arg;
    done++;
    status = rc;
    (void)snprintf(text, sizeof(text), "%s", rc < 0 ? err->text : "");
}

static void begin(struct fake *f)
{
    static const struct selfcheck_item fresh[N] = {
        {.verb = "get", .group = "batch", .resource = "jobs"},
        {.verb = "list", .group = "batch", .resource = "jobs"},
        {.verb = "patch", .group = "batch", .resource = "jobs", .subresource = "status"},
        {.verb = "list", .group = "kueue.x-k8s.io", .resource = "workloads"},
        {.verb = "watch", .group = "kueue.x-k8s.io", .resource = "workloads"},
        {.verb = "list", .group = "kueue.x-k8s.io", .resource = "cohorts"},
        {.verb = "watch", .group = "kueue.x-k8s.io", .resource = "cohorts"},
        {.verb = "update", .group = "coordination.k8s.io", .resource = "leases", .ns = "sys"},
        {.verb = "create", .group = "coordination.k8s.io", .resource = "leases", .ns = "sys"},
        {.verb = "get", .group = "", .resource = "secrets", .ns = "sys"},
        {.verb = "list", .group = "", .resource = "nodes"},
        {.verb = "list", .group = "", .resource = "nodes"},
    };
    done = status = 0;
    memcpy(items, fresh, sizeof(items));
    fake_init(f);
}

/* Answers all; allowed is what holds none of the words of `denied` (NULL-terminated). */
static void answer(struct fake *f, const char *const *denied)
{
    while (fake_count_open(f) > 0) {
        struct fake_call *c = fake_open(f, 0);
        bool allowed = true;
        ck_assert_uint_le(fake_count_open(f), SELFCHECK_PARALLEL);
        ck_assert_str_eq(c->path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        for (int i = 0; denied[i]; i++)
            allowed = allowed && !strstr(c->body, denied[i]);
        fake_reply(f, c, 201,
                   allowed ? "{\"status\":{\"allowed\":true}}"
                           : "{\"status\":{\"allowed\":false,\"reason\":\"\"}}");
    }
}

static const struct {
    const char *denied[4];
    uint32_t missing;
    const char *rules;
} rule_rows[] = {
    {{NULL}, 0, ""},
    {{"\"jobs\"", NULL},
     3,
     "# ClusterRole\n- apiGroups: [\"batch\"]\n  resources: [\"jobs\"]\n  verbs: [\"get\", \"list\"]\n- "
     "apiGroups: "
     "[\"batch\"]\n  resources: [\"jobs/status\"]\n  verbs: [\"patch\"]\n"},
    {{"kueue", "nodes", NULL},
     6,
     "# ClusterRole\n- apiGroups: [\"kueue.x-k8s.io\"]\n  resources: [\"workloads\", \"cohorts\"]\n  verbs: "
     "[\"list\", "
     "\"watch\"]\n- apiGroups: [\"\"]\n  resources: [\"nodes\"]\n  verbs: [\"list\"]\n"},
    {{"leases", "secrets", "\"watch\",\"group\":\"kueue.x-k8s.io\",\"resource\":\"cohorts\"", NULL},
     4,
     "# ClusterRole\n- apiGroups: [\"kueue.x-k8s.io\"]\n  resources: [\"cohorts\"]\n  verbs: [\"watch\"]\n"
     "# Role in the namespace sys\n- apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n  "
     "verbs: "
     "[\"update\", \"create\"]\n- apiGroups: [\"\"]\n  resources: [\"secrets\"]\n  verbs: [\"get\"]\n"},
};

START_TEST(test_rules)
{
    struct fake f;
    struct selfcheck *c;
    begin(&f);
    ck_assert_int_eq(selfcheck_start(&f.server, items, N, on_done, NULL, &c, NULL), 0);
    ck_assert_uint_eq(fake_count_open(&f), SELFCHECK_PARALLEL);
    answer(&f, rule_rows[_i].denied);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(selfcheck_missing(items, N), rule_rows[_i].missing);
    char *rules = selfcheck_rules(items, N);
    ck_assert_str_eq(rules, rule_rows[_i].rules);
    mem_free(rules);
    fake_free(&f);
}
END_TEST

START_TEST(test_question)
{
    struct fake f;
    struct selfcheck *c;
    begin(&f);
    ck_assert_int_eq(selfcheck_start(&f.server, items + 2, 1, on_done, NULL, &c, NULL), 0);
    ck_assert_str_eq(
        fake_only(&f)->body,
        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\",\"spec\":{"
        "\"resourceAttributes\":{\"verb\":\"patch\",\"group\":\"batch\",\"resource\":\"jobs\","
        "\"subresource\":\"status\",\"namespace\":\"\"}}}");
    selfcheck_cancel(c);
    ck_assert_uint_eq(fake_count_open(&f), 0);
    ck_assert_int_eq(done, 0);
    fake_free(&f);
}
END_TEST

static const struct {
    int status;
    const char *body;
} failure_rows[] = {{0, ""}, {403, "{}"}, {201, "no JSON"}, {404, "404 page not found"}};

START_TEST(test_failures)
{
    struct fake f;
    struct selfcheck *c;
    int64_t live = mem_live();
    begin(&f);
    ck_assert_int_eq(selfcheck_start(&f.server, items, N, on_done, NULL, &c, NULL), 0);
    if (failure_rows[_i].status)
        fake_reply(&f, fake_open(&f, 3), failure_rows[_i].status, failure_rows[_i].body);
    else
        fake_lose(&f, fake_open(&f, 3));
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(status, ERR_IO);
    ck_assert_str_ne(text, "");
    ck_assert_uint_eq(fake_count_open(&f), 0);
    f.refuse = true;
    ck_assert_int_lt(selfcheck_start(&f.server, items, N, on_done, NULL, &c, NULL), 0);
    ck_assert_int_eq(selfcheck_start(&f.server, items, 0, on_done, NULL, &c, NULL), ERR_LIMIT);
    fake_free(&f);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("selfcheck");
    TCase *tc = tcase_create("selfcheck");
    tcase_add_loop_test(tc, test_rules, 0, sizeof(rule_rows) / sizeof(*rule_rows));
    tcase_add_test(tc, test_question);
    tcase_add_loop_test(tc, test_failures, 0, sizeof(failure_rows) / sizeof(*failure_rows));
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
