/* What a LocalQueue's status shows. */
#include "core/lq_view.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>

static struct world *w;
static uint32_t cq;

static void setup(void)
{
    w = build_world();
    build_cq(w, "a", "", "cpu: f 4");
    build_lq(w, "b", "a");
    build_job(w, "c", "b", "cpu=3");
    build_job(w, "d", "b", "cpu=9", .requeue_at = 5000);
    build_job(w, "o", "a", "cpu=1");
    cq = world_cq_find(w, "a");
}

static void teardown(void)
{
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

struct uses {
    uint32_t n;
    amount reserved, admitted;
};

static void add_use(const struct cq_use *u, void *arg)
{
    struct uses *s = arg;
    s->n++;
    s->reserved += u->reserved;
    s->admitted += u->admitted;
}

START_TEST(local_queue)
{
    struct uses s = {0};
    build_job(w, "e", "b", "cpu=1", .held = "f", .cq = "a");
    build_job(w, "g", "b", "cpu=2", .held = "f", .cq = "a", .reserved_only = true);
    build_job(w, "h", "a", "cpu=1", .held = "f", .cq = "a");
    struct lq_view v = lq_view(w, "ns", "b");
    ck_assert(v.exists);
    ck_assert_uint_eq(v.cq, cq);
    ck_assert_uint_eq(v.npending, 2);
    ck_assert_uint_eq(v.nreserving, 2);
    ck_assert_uint_eq(v.nadmitted, 1);
    lq_view_uses(w, "ns", "b", add_use, &s);
    ck_assert_uint_eq(s.n, 1);
    ck_assert_int_eq(s.reserved, 3000);
    ck_assert_int_eq(s.admitted, 1000);
}
END_TEST

START_TEST(local_queue_missing)
{
    struct uses s = {0};
    ck_assert(!lq_view(w, "ns", "none").exists);
    lq_view_uses(w, "ns", "none", add_use, &s);
    build_lq(w, "far", "nowhere");
    build_job(w, "e", "far", "cpu=1");
    struct lq_view v = lq_view(w, "ns", "far");
    ck_assert(v.exists);
    ck_assert_uint_eq(v.cq, NONE);
    ck_assert_uint_eq(v.npending, 1);
    lq_view_uses(w, "ns", "far", add_use, &s);
    ck_assert_uint_eq(s.n, 0);
    build_lq(w, "b", "a", .stop = STOP_HOLD);
    ck_assert_uint_eq(lq_view(w, "ns", "b").npending, 0);
}
END_TEST

START_TEST(consumed)
{
    struct fact_amount four = {"cpu", quantity_from_i64(4)};
    ck_assert_ptr_null(lq_view_consumed(w, "ns", "none"));
    ck_assert_uint_eq(lq_view_consumed(w, "ns", "b")->nconsumed, 0);
    build_lq(w, "b", "a", .consumed = &four, .nconsumed = 1, .consumed_at = AT(0));
    const struct afs_ledger *l = lq_view_consumed(w, "ns", "b");
    ck_assert_uint_eq(l->nconsumed, 1);
    ck_assert_int_eq(quantity_value(l->consumed[0].q), 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lq_view");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, local_queue);
    tcase_add_test(c, local_queue_missing);
    tcase_add_test(c, consumed);
    suite_add_tcase(s, c);
    return build_run(s);
}
