#include "sim/what_if.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define BASE                                                                                                 \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\napiVersion: v1\n"   \
    "kind: Namespace\nmetadata: {name: ns}\n"                                                                \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q}\n"                     \
    "spec: {namespaceSelector: {}, resourceGroups: [{coveredResources: [cpu], flavors: [{name: f,\n"         \
    "  resources: [{name: cpu, nominalQuota: 4}]}]}]}\n"                                                     \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: q, namespace: ns}\n"        \
    "spec: {clusterQueue: q}\n"
#define JOB(name, count, cpu, priority)                                                                      \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: " name ", namespace: ns}\n"   \
    "spec: {queueName: q, priority: " priority ", podSets: [{name: main, count: " count                      \
    ", template: {spec: {containers: [{name: c, resources: {requests: {cpu: " cpu "}}}]}}}]}\n"

static struct api_set *set;
static struct what_if *w;

/* Runs the world without changes; asks about ns/`name`. */
static void begin(const char *text, const char *name)
{
    struct err err = {0};

    set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(set, "t.yaml", text, strlen(text), &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_error(set, 0));
    ck_assert_msg(!what_if_new(set, "ns", name, &w, &err), "%s", err.text);
    ck_assert_int_eq(what_if_start(w, NULL, &err), 0);
}

static void end(void)
{
    what_if_free(w);
    api_set_free(set);
    ck_assert_int_eq(mem_live(), 0);
}

static struct change change(enum change_kind kind, enum api_kind object, const char *name)
{
    return (struct change){.kind = kind,
                           .object = object,
                           .ns = object == API_WORKLOAD ? "ns" : "",
                           .name = name,
                           .part = object == API_WORKLOAD ? "main" : "f",
                           .item = "c",
                           .resource = "cpu",
                           .from_text = "",
                           .to_text = "",
                           .to = 1};
}

static bool starts(const struct change *c, uint32_t n, struct what_if_result *ret)
{
    struct err err = {0};

    ck_assert_msg(!what_if_run(w, c, n, ret, &err), "%s", err.text);
    return ret->starts;
}

/* Two run and fill the queue; "late" asks for 2 x 1 cpu. */
#define FULL BASE JOB("a", "1", "3", "0") JOB("b", "1", "1", "0") JOB("late", "2", "1", "0")

static void with_and_without(struct change c, int64_t enough, int64_t too_little)
{
    struct what_if_result r;

    c.to = too_little;
    ck_assert(!starts(&c, 1, &r));
    c.to = enough;
    ck_assert(starts(&c, 1, &r));
    ck_assert(r.rest);
}

START_TEST(numbers)
{
    begin(BASE JOB("a", "1", "3", "0") JOB("late", "2", "1", "0"), "late");
    ck_assert(!what_if_holds(what_if_target(w)));
    with_and_without(change(CHANGE_COUNT, API_WORKLOAD, "late"), 1, 2);
    with_and_without(change(CHANGE_REQUEST, API_WORKLOAD, "late"), 500, 501);
    with_and_without(change(CHANGE_NOMINAL, API_CLUSTER_QUEUE, "q"), 5000, 4999);
    ck_assert_uint_eq(what_if_runs(w), 7);
    end();
}
END_TEST

START_TEST(the_end_of_others)
{
    struct what_if_result r;

    begin(FULL, "late");
    const struct change a = change(CHANGE_END, API_WORKLOAD, "a"), b = change(CHANGE_END, API_WORKLOAD, "b");
    ck_assert(starts(&a, 1, &r));
    ck_assert(!starts(&b, 1, &r));
    ck_assert_uint_eq(r.nlost + r.ngained, 0);
    end();
}
END_TEST

/* More quota for one that is older than the rest takes it from them; nothing of the changes stays. */
START_TEST(others_lose)
{
    struct what_if_result r;

    begin(BASE JOB("big", "1", "5", "0") JOB("small", "1", "4", "0"), "big");
    struct change c = change(CHANGE_COUNT, API_WORKLOAD, "big");
    ck_assert(!starts(&c, 1, &r));
    c = change(CHANGE_REQUEST, API_WORKLOAD, "big");
    c.to = 4000;
    ck_assert(starts(&c, 1, &r));
    ck_assert_uint_eq(r.nlost, 1);
    ck_assert_str_eq(sim_at(what_if_base(w), r.lost[0])->key, "ns/small");
    ck_assert(!starts(NULL, 0, &r));
    ck_assert_uint_eq(r.nlost + r.ngained, 0);
    end();
}
END_TEST

START_TEST(two_changes)
{
    struct what_if_result r;

    begin(BASE JOB("a", "2", "1", "0") JOB("late", "1", "5", "0"), "late");
    struct change c[2] = {change(CHANGE_REQUEST, API_WORKLOAD, "late"),
                          change(CHANGE_NOMINAL, API_CLUSTER_QUEUE, "q")};
    c[0].to = 3000;
    c[1].to = 5000;
    ck_assert(!starts(c, 1, &r));
    ck_assert(!starts(c + 1, 1, &r));
    ck_assert(starts(c, 2, &r));
    end();
}
END_TEST

START_TEST(policy)
{
    struct what_if_result r;

    begin(BASE JOB("a", "1", "4", "0") JOB("late", "1", "2", "0"), "late");
    struct change c[2] = {change(CHANGE_WITHIN, API_CLUSTER_QUEUE, "q"),
                          change(CHANGE_PRIORITY, API_WORKLOAD, "late")};
    c[0].to = POLICY_LOWER_PRIORITY;
    c[1].to = 10;
    c[1].to_text = "high";
    ck_assert(!starts(c, 1, &r));
    ck_assert(starts(c, 2, &r));
    end();
}
END_TEST

START_TEST(nobody)
{
    struct err err = {0};

    begin(FULL, "late");
    struct what_if *other;
    ck_assert_int_eq(what_if_new(set, "ns", "nobody", &other, &err), ERR_NOTFOUND);
    ck_assert_ptr_null(other);
    end();
}
END_TEST

START_TEST(limit)
{
    struct what_if_result r;
    struct err err = {0};

    begin(FULL, "late");
    while (what_if_left(w))
        ck_assert_int_eq(what_if_run(w, NULL, 0, &r, &err), 0);
    ck_assert_int_eq(what_if_run(w, NULL, 0, &r, &err), ERR_LIMIT);
    ck_assert_uint_eq(what_if_runs(w), WHAT_IF_RUNS_MAX);
    end();
}
END_TEST

/* Every allocation of a run fails once. */
START_TEST(no_memory)
{
    struct what_if_result r;
    struct err err = {0};
    int rc = ERR_NOMEM;

    begin(FULL, "late");
    struct change c = change(CHANGE_REQUEST, API_WORKLOAD, "late");
    for (uint64_t n = 1; rc == ERR_NOMEM && what_if_left(w); n++) {
        mem_fail_after(n);
        rc = what_if_run(w, &c, 1, &r, &err);
        mem_fail_after(0);
        ck_assert(rc == 0 || rc == ERR_NOMEM);
    }
    ck_assert_int_eq(rc, 0);
    end();
}
END_TEST

/* ---- texts -------------------------------------------------------------------------------------------------------------- */

START_TEST(texts)
{
    static const struct {
        enum change_kind kind;
        enum api_kind object;
        int64_t to;
        const char *field, *value;
    } cases[] = {
        {CHANGE_COUNT, API_WORKLOAD, 3, "spec.podSets[main].count", "3"},
        {CHANGE_REQUEST, API_WORKLOAD, 1500,
         "spec.podSets[main].template.spec.containers[c].resources.requests[cpu]", "1500m"},
        {CHANGE_NOMINAL, API_CLUSTER_QUEUE, 5000,
         "spec.resourceGroups.flavors[f].resources[cpu].nominalQuota", "5"},
        {CHANGE_WEIGHT, API_COHORT, 1500, "spec.fairSharing.weight", "1500m"},
        {CHANGE_RECLAIM, API_CLUSTER_QUEUE, POLICY_ANY, "spec.preemption.reclaimWithinCohort", "Any"},
        {CHANGE_BORROW_WITHIN, API_CLUSTER_QUEUE, POLICY_LOWER_PRIORITY,
         "spec.preemption.borrowWithinCohort.policy", "LowerPriority"},
        {CHANGE_ACTIVE, API_WORKLOAD, 1, "spec.active", "true"},
    };
    struct str s;

    str_init(&s, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct change c = change(cases[i].kind, cases[i].object, "x");
        c.to = cases[i].to;
        str_clear(&s);
        change_print_field(&c, &s);
        ck_assert_str_eq(str_text(&s), cases[i].field);
        str_clear(&s);
        change_print_value(&c, true, &s);
        ck_assert_str_eq(str_text(&s), cases[i].value);
    }
    str_free(&s);
}
END_TEST

START_TEST(quantities)
{
    static const struct {
        const char *resource;
        int64_t v;
        const char *text;
    } cases[] = {{"cpu", 1500, "1500m"},        {"cpu", 0, "0"},        {"cpu", 20000, "20"},
                 {"memory", 3221225472, "3Gi"}, {"memory", 1000, "1k"}, {"nvidia.com/gpu", 100, "100"}};
    char buf[64];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct quantity q = change_quantity(cases[i].resource, cases[i].v);
        (void)quantity_print(q, buf, sizeof(buf));
        ck_assert_str_eq(buf, cases[i].text);
        ck_assert_int_eq(quantity_request(q, resource_is_cpu(cases[i].resource)), cases[i].v);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("what_if");
    TCase *tc = tcase_create("all");
    const TTest *const tests[] = {numbers, the_end_of_others, others_lose, two_changes, policy, nobody,
                                  limit,   no_memory,         texts,       quantities};

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
