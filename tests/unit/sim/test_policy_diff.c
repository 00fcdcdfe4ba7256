#include "sim/policy_diff.h"

#include "base/mem.h"
#include "base/str.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT(kind, name, spec)                                                                             \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: " kind "\nmetadata: {" name "}\nspec: {" spec "}\n"
#define FLAVOR OBJECT("ResourceFlavor", "name: f", "")
#define CQ(name, more, quota)                                                                                \
    OBJECT("ClusterQueue", "name: " name,                                                                    \
           more "namespaceSelector: {}, resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, "     \
                "resources: [{name: cpu, " quota "}]}]}]")
#define LQ(name, cq) OBJECT("LocalQueue", "namespace: ns, name: " name, "clusterQueue: " cq)
#define IN "cohortName: all, "
#define RECLAIM "preemption: {reclaimWithinCohort: Any}, "
#define WORKLOAD(name, queue, cpu, more)                                                                     \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: " name ", namespace: ns}\n"   \
    "spec: {queueName: " queue ", podSets: [{name: main, count: 1, template: {spec: {containers: [{name: "   \
    "c, resources: {requests: {cpu: " cpu "}}}]}}}]}\n" more
/* It runs already. */
#define RUNS(cq, cpu)                                                                                        \
    "status: {admission: {clusterQueue: " cq ", podSetAssignments: [{name: main, flavors: {cpu: f}, "        \
    "resourceUsage: {cpu: " cpu                                                                              \
    "}, count: 1}]}, conditions: [{type: QuotaReserved, status: 'True', reason: "                            \
    "QuotaReserved, message: '', lastTransitionTime: '2026-01-01T00:00:00Z'}, {type: Admitted, status: "     \
    "'True', reason: Admitted, message: '', lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n"

static struct api_set *read_set(const char *text)
{
    struct api_set *set = api_set_new(0);
    struct err err = {0};

    ck_assert_ptr_nonnull(set);
    ck_assert_int_eq(api_read_buffer(set, "t.yaml", text, strlen(text), &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_errors(set) ? api_set_error(set, 0) : "");
    return set;
}

static void put_pairs(const struct policy_diff *d, struct str *out)
{
    for (uint32_t i = 0; i < d->npairs; i++) {
        const struct policy_pair *p = &d->pairs[i];
        str_addf(out, "%s: may borrow %lld %lld, may lend %lld %lld, borrowed %lld %lld, lent %lld %lld%s\n",
                 p->queue, (long long)p->before.may_borrow, (long long)p->after.may_borrow,
                 (long long)p->before.may_lend, (long long)p->after.may_lend, (long long)p->before.borrowed,
                 (long long)p->after.borrowed, (long long)p->before.lent, (long long)p->after.lent,
                 policy_pair_loses_borrowing(p) ? " !" : "");
    }
}

static void put_all(const struct policy_diff *d, struct str *out)
{
    for (uint32_t i = 0; i < d->nchanges; i++) {
        const struct policy_change *c = &d->changes[i];
        const char *dot = strrchr(c->field, '.');
        str_addf(out, "%s %s %s %s '%s' '%s'\n", policy_area_name(c->area), api_kind_name(c->kind), c->name,
                 dot ? dot + 1 : c->field, c->from, c->to);
    }
    put_pairs(d, out);
    for (uint32_t i = 0; i < d->nmoves; i++)
        str_addf(out, "%s %s %s %s\n", policy_move_name(d->moves[i].kind), d->moves[i].key,
                 d->moves[i].queue_before, d->moves[i].queue_after);
}

static const struct {
    const char *about, *before, *after, *state, *all;
} cases[] = {
    {"the same in another order, with a default written out",
     FLAVOR CQ("a", "", "nominalQuota: 4") LQ("a", "a"),
     LQ("a", "a") CQ("a", "stopPolicy: None, ", "nominalQuota: 4000m") FLAVOR, NULL, ""},
    {"a quota", FLAVOR CQ("a", "", "nominalQuota: 4"), FLAVOR CQ("a", "", "nominalQuota: 5"), NULL,
     "quota ClusterQueue a nominalQuota '4' '5'\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\n"},
    {"a weight and a setting", FLAVOR CQ("a", "", "nominalQuota: 4"),
     FLAVOR CQ("a", "fairSharing: {weight: 2}, preemption: {withinClusterQueue: LowerPriority}, ",
               "nominalQuota: 4"),
     NULL,
     "weight ClusterQueue a weight '1' '2'\n"
     "setting ClusterQueue a withinClusterQueue 'Never' 'LowerPriority'\n"},
    {"labels of a flavor", OBJECT("ResourceFlavor", "name: f", "nodeLabels: {gpu: a}"),
     OBJECT("ResourceFlavor", "name: f", "nodeLabels: {gpu: b}"), NULL,
     "setting ResourceFlavor f gpu 'a' 'b'\n"},
    {"an object that comes, one that goes", FLAVOR CQ("a", "", "nominalQuota: 4") LQ("a", "a"),
     FLAVOR CQ("a", "", "nominalQuota: 4") OBJECT("Cohort", "name: c", "parentName: d"), NULL,
     "added Cohort c  '' ''\ntree Cohort c parentName '' 'd'\n"
     "removed LocalQueue a  '' ''\ntree LocalQueue a clusterQueue 'a' ''\n"},
    {"out of the cohort: nobody borrows any more",
     FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 2"),
     FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", "", "nominalQuota: 2"), NULL,
     "tree ClusterQueue b cohortName 'all' ''\n"
     "a: may borrow 2000 0, may lend 4000 4000, borrowed 0 0, lent 0 0 !\n"
     "b: may borrow 4000 0, may lend 2000 0, borrowed 0 0, lent 0 0 !\n"},
    {"a borrowing limit of nothing", FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 2"),
     FLAVOR CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 2, borrowingLimit: 0"), NULL,
     "limit ClusterQueue b borrowingLimit '' '0'\n"
     "b: may borrow 4000 0, may lend 2000 2000, borrowed 0 0, lent 0 0 !\n"},
    {"more quota: who waits starts", CQ("a", "", "nominalQuota: 4"), CQ("a", "", "nominalQuota: 5"),
     FLAVOR LQ("a", "a") WORKLOAD("x", "a", "4", "") WORKLOAD("y", "a", "1", ""),
     "quota ClusterQueue a nominalQuota '4' '5'\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\nstarts ns/y a a\n"},
    {"less quota: what runs goes on, what would have started waits", CQ("a", "", "nominalQuota: 4"),
     CQ("a", "", "nominalQuota: 3"),
     FLAVOR LQ("a", "a") WORKLOAD("x", "a", "3", RUNS("a", "3")) WORKLOAD("y", "a", "1", ""),
     "quota ClusterQueue a nominalQuota '4' '3'\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\nwaits ns/y a a\n"},
    {"a lender may take back: the borrower is evicted",
     CQ("a", IN, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 0"),
     CQ("a", IN RECLAIM, "nominalQuota: 4") CQ("b", IN, "nominalQuota: 0"),
     FLAVOR LQ("a", "a") LQ("b", "b") WORKLOAD("x", "b", "3", RUNS("b", "3")) WORKLOAD("y", "a", "4", ""),
     "setting ClusterQueue a reclaimWithinCohort 'Never' 'Any'\n"
     "a: may borrow 0 0, may lend 4000 4000, borrowed 0 0, lent 3000 0\n"
     "b: may borrow 4000 4000, may lend 0 0, borrowed 3000 0, lent 0 0\n"
     "evicted ns/x b b\nstarts ns/y a a\n"},
    {"drained", CQ("a", "", "nominalQuota: 4"), CQ("a", "stopPolicy: HoldAndDrain, ", "nominalQuota: 4"),
     FLAVOR LQ("a", "a") WORKLOAD("x", "a", "3", RUNS("a", "3")),
     "setting ClusterQueue a stopPolicy 'None' 'HoldAndDrain'\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\nevicted ns/x a a\n"},
    {"another ClusterQueue behind the LocalQueue",
     CQ("a", "", "nominalQuota: 4") CQ("b", "", "nominalQuota: 4") LQ("a", "a"),
     CQ("a", "", "nominalQuota: 4") CQ("b", "", "nominalQuota: 4") LQ("a", "b"),
     FLAVOR WORKLOAD("x", "a", "3", ""),
     "tree LocalQueue a clusterQueue 'a' 'b'\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\n"
     "b: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\nelsewhere ns/x a b\n"},
    {"what the change takes away does not come back from the state",
     CQ("a", "", "nominalQuota: 4") LQ("a", "a"), LQ("a", "a"),
     FLAVOR CQ("a", "", "nominalQuota: 9") WORKLOAD("x", "a", "3", ""),
     "removed ClusterQueue a  '' ''\nquota ClusterQueue a nominalQuota '4' ''\n"
     "a: may borrow 0 0, may lend 0 0, borrowed 0 0, lent 0 0\nwaits ns/x a a\n"},
};

START_TEST(differences)
{
    struct err err = {0};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_set *before = read_set(cases[i].before), *after = read_set(cases[i].after);
        struct api_set *state = cases[i].state ? read_set(cases[i].state) : NULL;
        struct policy_diff *d;
        struct str all;
        ck_assert_msg(!policy_diff_new(before, after, state, &d, &err), "%s: %s", cases[i].about, err.text);
        str_init(&all, 0);
        put_all(d, &all);
        ck_assert_msg(!strcmp(str_text(&all), cases[i].all), "%s:\n%s", cases[i].about, str_text(&all));
        ck_assert_int_eq(policy_diff_any(d), *cases[i].all != '\0');
        str_free(&all);
        policy_diff_free(d);
        /* Nothing becomes different by itself. */
        ck_assert_int_eq(policy_diff_new(before, before, state, &d, &err), 0);
        ck_assert_msg(!policy_diff_any(d), "%s", cases[i].about);
        policy_diff_free(d);
        api_set_free(before);
        api_set_free(after);
        api_set_free(state);
    }
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(why)
{
    struct api_set *before = read_set(FLAVOR CQ("a", "", "nominalQuota: 4") LQ("a", "a")),
                   *after = read_set(FLAVOR CQ("a", "", "nominalQuota: 2") LQ("a", "a")),
                   *state = read_set(WORKLOAD("x", "a", "3", ""));
    struct policy_diff *d;
    struct err err = {0};

    ck_assert_int_eq(policy_diff_new(before, after, state, &d, &err), 0);
    ck_assert_int_eq(d->nmoves, 1);
    ck_assert_msg(strstr(d->moves[0].why, "insufficient"), "%s", d->moves[0].why);
    ck_assert_int_eq(d->nworkloads, 1);
    policy_diff_free(d);
    api_set_free(before);
    api_set_free(after);
    api_set_free(state);
}
END_TEST

START_TEST(no_memory)
{
    struct api_set *before = read_set(FLAVOR CQ("a", IN, "nominalQuota: 4") LQ("a", "a")),
                   *after = read_set(FLAVOR CQ("a", IN, "nominalQuota: 2") LQ("a", "b")),
                   *state = read_set(WORKLOAD("x", "a", "3", ""));
    int64_t live = mem_live();
    struct policy_diff *d;
    int rc = ERR_NOMEM;

    for (uint64_t n = 1; rc && n < 100000; n += n < 300 ? 1 : 7) {
        struct err err = {0};
        mem_fail_after(n);
        rc = policy_diff_new(before, after, state, &d, &err);
        mem_fail_after(0);
        if (rc) {
            ck_assert_int_eq(rc, ERR_NOMEM);
            ck_assert_msg(mem_live() == live, "%llu: %s", (unsigned long long)n, err.text);
        }
    }
    ck_assert_int_eq(rc, 0);
    policy_diff_free(d);
    api_set_free(before);
    api_set_free(after);
    api_set_free(state);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_diff");
    TCase *tc = tcase_create("all");
    const TTest *const tests[] = {differences, why, no_memory};

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tc, tests[i]);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
