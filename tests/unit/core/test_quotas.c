/* Quotas of resource groups as the engine keeps them: 1.2, 2.1, 3.1. */
#include "base/mem.h"
#include "build.h"
#include "core/world_priv.h"

#include <check.h>

START_TEST(groups_and_their_pairs)
{
    uint32_t n;
    struct quotas q;
    struct world *w = build_world();
    struct fact_resource_group *groups = build_groups("cpu,memory: f 4+2-1 1Gi; g 8 2Gi | gpu: h 3-0", &n);
    ck_assert_int_eq(quotas_read(w, groups, n, &q), 0);
    ck_assert_uint_eq(q.ngroups, 2);
    ck_assert_uint_eq(q.n, 5);
    ck_assert_uint_eq(q.groups[0].nres, 2);
    ck_assert_uint_eq(q.groups[0].nflavors, 2);
    struct pair_names p = world_pair(w, q.groups[0].fr[3]);
    ck_assert_str_eq(p.flavor, "g");
    ck_assert_str_eq(p.resource, "memory");
    ck_assert_uint_eq(q.list[3].fr, q.groups[0].fr[3]);
    ck_assert_int_eq(q.list[0].nominal, 4000); /* cpu in milli-units */
    ck_assert_int_eq(q.list[0].borrowing, 2000);
    ck_assert_int_eq(q.list[0].lending, 1000);
    ck_assert_int_eq(q.list[1].nominal, INT64_C(1) << 30);
    ck_assert(!q.list[1].has_borrowing && !q.list[1].has_lending);
    ck_assert(q.list[4].has_lending && q.list[4].lending == 0);
    quotas_free(&q);
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(what_is_beyond_counting_is_unlimited)
{
    uint32_t n;
    struct quotas q;
    struct world *w = build_world();
    struct fact_resource_group *groups = build_groups("cpu: f 9223372036854775807", &n);
    ck_assert_int_eq(quotas_read(w, groups, n, &q), 0);
    ck_assert_int_eq(q.list[0].nominal, AMOUNT_UNLIMITED);
    quotas_free(&q);
    ck_assert_int_eq(quotas_read(w, NULL, 0, &q), 0);
    ck_assert_uint_eq(q.n, 0);
    world_free(w);
}
END_TEST

START_TEST(out_of_memory)
{
    int rc = ERR_NOMEM;
    for (uint64_t k = 1; rc; k++) {
        uint32_t n;
        struct quotas q;
        struct world *w = build_world();
        struct fact_resource_group *groups = build_groups("x1,x2: y1 4+2-1 1; y2 8 2 | gpu: h 3-0", &n);
        int64_t before = mem_live();
        mem_fail_after(k);
        rc = quotas_read(w, groups, n, &q);
        mem_fail_after(0);
        ck_assert_uint_lt(k, 50);
        if (rc)
            ck_assert_uint_eq(q.ngroups, 0);
        quotas_free(&q);
        ck_assert_int_le(mem_live(), before + 4); /* names and pairs may have grown */
        world_free(w);
        ck_assert_int_eq(mem_live(), 0);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quotas");
    TCase *t = tcase_create("quotas");
    tcase_add_test(t, groups_and_their_pairs);
    tcase_add_test(t, what_is_beyond_counting_is_unlimited);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return build_run(s);
}
