#include "core/pairs.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>

START_TEST(ids_are_dense_in_order_of_first_use)
{
    struct pairs p;
    uint32_t id;
    pairs_init(&p);
    ck_assert_uint_eq(pairs_find(&p, 1, 2), UINT32_MAX);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 200; i++) {
            ck_assert_int_eq(pairs_id(&p, i % 7, i / 7, &id), 0);
            ck_assert_uint_eq(id, i);
        }
    ck_assert_uint_eq(pairs_find(&p, 3, 0), 3);
    ck_assert_uint_eq(pairs_find(&p, 0, 3), 21);
    ck_assert_uint_eq(pairs_find(&p, 7, 0), UINT32_MAX);
    ck_assert_uint_eq(p.n, 200);
    ck_assert_uint_eq(p.at[21].b, 3);
    pairs_free(&p);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

START_TEST(a_map_knows_only_what_was_put)
{
    struct idmap m = {0};
    ck_assert_uint_eq(idmap_get(&m, 0), UINT32_MAX);
    ck_assert_int_eq(idmap_put(&m, 5, 50), 0);
    ck_assert_int_eq(idmap_put(&m, 2, 20), 0);
    ck_assert_int_eq(idmap_put(&m, 2, 21), 0);
    ck_assert_int_eq(idmap_put(&m, 100, 7), 0);
    ck_assert_uint_eq(idmap_get(&m, 5), 50);
    ck_assert_uint_eq(idmap_get(&m, 2), 21);
    ck_assert_uint_eq(idmap_get(&m, 100), 7);
    ck_assert_uint_eq(idmap_get(&m, 3), UINT32_MAX);
    ck_assert_uint_eq(idmap_get(&m, 101), UINT32_MAX);
    idmap_free(&m);
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

/* Makes 100 pairs and 100 entries; the state when memory ran out must be that before the failing call. */
static bool fill(struct pairs *p, struct idmap *m)
{
    uint32_t id;
    for (uint32_t i = 0; i < 100; i++) {
        if (pairs_id(p, i, 2 * i, &id)) {
            ck_assert_uint_eq(p->n, i);
            ck_assert_uint_eq(pairs_find(p, i, 2 * i), UINT32_MAX);
            return false;
        }
        if (idmap_put(m, id, i)) {
            ck_assert_uint_eq(idmap_get(m, id), UINT32_MAX);
            return false;
        }
    }
    return true;
}

START_TEST(out_of_memory)
{
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct pairs p;
        struct idmap m = {0};
        pairs_init(&p);
        mem_fail_after(n);
        done = fill(&p, &m);
        mem_fail_after(0);
        ck_assert(done || n < 30);
        ck_assert(done || fill(&p, &m));
        pairs_free(&p);
        idmap_free(&m);
        ck_assert_int_eq(mem_live(), 0);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pairs");
    TCase *t = tcase_create("pairs");
    tcase_add_test(t, ids_are_dense_in_order_of_first_use);
    tcase_add_test(t, a_map_knows_only_what_was_put);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return build_run(s);
}
