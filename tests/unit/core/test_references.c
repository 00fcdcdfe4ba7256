/* Which ClusterQueues name a flavor or a check. */
#include "core/references.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>

static struct world *w;
static uint32_t cq;

static void setup(void)
{
    w = build_world();
    build_cq(w, "a", "", "cpu: f 4");
    cq = world_cq_find(w, "a");
}

static void teardown(void)
{
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

START_TEST(references)
{
    uint32_t cqs[1];
    struct fact_cq_check check = {.name = "k"};
    build_cq(w, "z", "", "cpu: g 1; f 1", .checks = &check, .nchecks = 1);
    ck_assert_uint_eq(references_of_flavor(w, "f", cqs, 1), 2);
    ck_assert_uint_eq(cqs[0], cq);
    ck_assert_uint_eq(references_of_flavor(w, "g", cqs, 1), 1);
    ck_assert_uint_eq(references_of_check(w, "k", cqs, 1), 1);
    ck_assert_uint_eq(cqs[0], world_cq_find(w, "z"));
    ck_assert_uint_eq(references_of_check(w, "none", cqs, 1), 0);
    world_del_cluster_queue(w, "z");
    ck_assert_uint_eq(references_of_check(w, "k", cqs, 1), 0);
    ck_assert_uint_eq(references_of_flavor(w, "f", cqs, 1), 1);
}
END_TEST

/* 9.6 */
START_TEST(finalizers)
{
    struct fact_cq_check check = {.name = "k"};
    build_cq(w, "z", "", "cpu: g 1", .checks = &check, .nchecks = 1);
    ck_assert(references_hold_flavor(w, "none", false));
    ck_assert(!references_hold_flavor(w, "none", true));
    ck_assert(references_hold_flavor(w, "g", true));
    ck_assert(references_hold_check(w, "k", true));
    ck_assert(references_hold_check(w, "none", false));
    ck_assert(references_hold_cluster_queue(w, "z", false));
    ck_assert(!references_hold_cluster_queue(w, "z", true));
    ck_assert(!references_hold_cluster_queue(w, "none", true));
    build_job(w, "waits", "z", "cpu=9");
    struct wl *x = build_job(w, "holds", "z", "cpu=1", .held = "g");
    ck_assert(references_hold_cluster_queue(w, "z", true));
    build_finish(w, x);
    ck_assert(!references_hold_cluster_queue(w, "z", true));
    world_del_cluster_queue(w, "z");
    ck_assert(!references_hold_flavor(w, "g", true));
    ck_assert(!references_hold_check(w, "k", true));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("references");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, references);
    tcase_add_test(c, finalizers);
    suite_add_tcase(s, c);
    return build_run(s);
}
