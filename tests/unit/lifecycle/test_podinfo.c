#include "lifecycle/podinfo.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 256);
}

static void teardown(void)
{
    arena_free(&arena);
}

static const struct fact_label labels_a[] = {{"zone", "a"}}, labels_b[] = {{"zone", "b"}},
                               labels_both[] = {{"disk", "ssd"}, {"zone", "a"}};
static const struct fact_toleration tolerations[] = {{"gpu", "x", TOLERATE_EQUAL, EFFECT_NO_SCHEDULE},
                                                     {"spot", "", TOLERATE_EXISTS, EFFECT_ANY}};
static const struct fact_flavor flavors[] = {
    {.name = "a",
     .labels = labels_a,
     .nlabels = 1,
     .tolerations = tolerations,
     .ntolerations = 1,
     .topology = ""},
    {.name = "b", .labels = labels_b, .nlabels = 1, .topology = ""},
    {.name = "both",
     .labels = labels_both,
     .nlabels = 2,
     .tolerations = tolerations,
     .ntolerations = 2,
     .topology = ""},
};

static const struct fact_flavor *find(void *arg, const char *name)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(flavors) / sizeof(flavors[0]); i++)
        if (strcmp(flavors[i].name, name) == 0)
            return &flavors[i];
    return NULL;
}

static int of(const struct fact_flavor_ref *refs, uint32_t n, bool topology, struct podinfo *ret,
              struct err *err)
{
    struct fact_assignment as = {
        .pod_set = "main", .flavors = refs, .nflavors = n, .count = -1, .has_topology = topology};
    return podinfo_of_assignment(&as, 7, false, find, NULL, &arena, ret, err);
}

START_TEST(assignment)
{
    const struct fact_flavor_ref two[] = {{"memory", "both"}, {"cpu", "a"}, {"gpu", "both"}};
    struct podinfo p;

    ck_assert_int_eq(of(two, 3, false, &p, NULL), 0);
    ck_assert_str_eq(p.name, "main");
    ck_assert_int_eq(p.count, 7);
    ck_assert_uint_eq(p.selector.n, 2);
    ck_assert_str_eq(p.selector.v[0].key, "zone"); /* of cpu, the first resource by name */
    ck_assert_uint_eq(p.ntolerations, 2);
    ck_assert_uint_eq(p.ngates, 0);
    ck_assert_int_eq(of(two, 3, true, &p, NULL), 0);
    ck_assert_uint_eq(p.ngates, 1);
    ck_assert_str_eq(p.annotations.v[0].key, "kueue.x-k8s.io/podset-unconstrained-topology");
}
END_TEST

START_TEST(bad_assignment)
{
    const struct fact_flavor_ref missing[] = {{"cpu", "c"}}, conflict[] = {{"cpu", "a"}, {"memory", "b"}};
    struct podinfo p;
    struct err err;

    ck_assert_int_eq(of(missing, 1, false, &p, &err), ERR_NOTFOUND);
    ck_assert_str_eq(err.text, "resourceflavors.kueue.x-k8s.io \"c\" not found");
    ck_assert_int_eq(of(conflict, 2, false, &p, &err), ERR_STATE);
}
END_TEST

START_TEST(merge_and_restore)
{
    const char *gates[] = {"g"};
    struct podinfo_toleration t = {.t = tolerations[0], .has_seconds = true, .seconds = 5};
    struct podinfo original = {.selector = {labels_a, 1}, .tolerations = &t, .ntolerations = 1}, p = original;
    struct podinfo add = {.selector = {labels_both, 2}, .gates = gates, .ngates = 1};

    ck_assert_int_eq(podinfo_merge(&p, &add, false, &arena, NULL), 0);
    ck_assert_uint_eq(p.selector.n, 2);
    ck_assert_uint_eq(p.ngates, 1);
    ck_assert_int_eq(podinfo_merge(&p, &add, false, &arena, NULL), 0);
    ck_assert_uint_eq(p.ngates, 1);
    ck_assert(podinfo_restore(&p, &original));
    ck_assert_uint_eq(p.selector.n, 1);
    ck_assert_uint_eq(p.ngates, 0);
    ck_assert(!podinfo_restore(&p, &original));
    add.tolerations = &(struct podinfo_toleration){.t = tolerations[0]};
    add.ntolerations = 1;
    ck_assert_int_eq(podinfo_merge(&p, &add, false, &arena, NULL), 0);
    ck_assert_uint_eq(p.ntolerations, 2); /* they differ in their seconds */
    ck_assert(podinfo_restore(&p, &original));
}
END_TEST

START_TEST(conflicts)
{
    struct podinfo p = {.labels = {labels_a, 1}, .annotations = {labels_a, 1}, .selector = {labels_a, 1}};
    struct podinfo adds[] = {
        {.labels = {labels_b, 1}}, {.annotations = {labels_b, 1}}, {.selector = {labels_b, 1}}};
    struct err err;

    for (int i = 0; i < 3; i++) {
        adds[i].ngates = 0;
        ck_assert_int_eq(podinfo_merge(&p, &adds[i], true, &arena, &err), ERR_STATE);
        ck_assert(!podinfo_restore(&p, &p));
        ck_assert_str_eq(p.labels.v[0].value, "a");
    }
}
END_TEST

START_TEST(slices)
{
    const struct fact_label before[] = {{"kueue.x-k8s.io/workload", "w1"},
                                        {"kueue.x-k8s.io/workload-slice-name", "w1"}};
    const struct fact_label after[] = {{"kueue.x-k8s.io/workload", "w2"},
                                       {"kueue.x-k8s.io/workload-slice-name", "w2"}};
    struct podinfo p = {.annotations = {before, 2}}, add = {.annotations = {after, 2}};
    struct podinfo plain = {.annotations = {after, 1}};

    ck_assert_int_eq(podinfo_merge(&p, &add, false, &arena, NULL), ERR_STATE);
    ck_assert_int_eq(podinfo_merge(&p, &plain, true, &arena, NULL), ERR_STATE);
    ck_assert_int_eq(podinfo_merge(&p, &add, true, &arena, NULL), 0);
    ck_assert_uint_eq(p.annotations.n, 2);
    ck_assert_str_eq(p.annotations.v[0].value, "w2");
    ck_assert_str_eq(p.annotations.v[1].value, "w2");
}
END_TEST

START_TEST(out_of_memory)
{
    const struct fact_flavor_ref two[] = {{"memory", "both"}, {"cpu", "a"}};
    struct podinfo p;

    for (uint64_t n = 1;; n++) {
        teardown();
        arena_init(&arena, 1); /* a block for each allocation */
        mem_fail_after(n);
        int rc = of(two, 2, true, &p, NULL);
        mem_fail_after(0);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_uint_lt(n, 100);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("podinfo");
    TCase *t = tcase_create("podinfo");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, assignment);
    tcase_add_test(t, bad_assignment);
    tcase_add_test(t, merge_and_restore);
    tcase_add_test(t, conflicts);
    tcase_add_test(t, slices);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
