/* Places of pending Workloads, what they ask for, how many kinds there are. */
#include "core/queue_view.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>

static struct world *w;
static uint32_t cq;

/* Two LocalQueues of one ClusterQueue. In order: c (b), a (a), d (a), then b, which waits for its backoff. */
static void setup(void)
{
    w = build_world();
    build_cq(w, "a", "", "cpu: f 4");
    build_lq(w, "b", "a");
    build_job(w, "a", "a", "cpu=1", .priority = 1);
    build_job(w, "c", "b", "2 cpu=3", .priority = 2);
    build_job(w, "d", "a", "cpu=1", .priority = 1, .created = 5);
    build_job(w, "b", "b", "cpu=9", .requeue_at = 5000);
    cq = world_cq_find(w, "a");
}

static void teardown(void)
{
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

/* "NAME IN_CQ IN_LQ" of each place. */
static void assert_places(struct place_query q, const char *expected)
{
    struct place *p;
    uint32_t n;
    struct str s;
    str_init(&s, 0);
    q.cq = cq;
    ck_assert_int_eq(queue_view_places(w, &q, &p, &n), 0);
    for (uint32_t i = 0; i < n; i++)
        str_addf(&s, "%s%s %u %u", i ? ", " : "", p[i].w->name, p[i].in_cq, p[i].in_lq);
    ck_assert_str_eq(str_text(&s), expected);
    ck_assert_ptr_eq(n ? NULL : p, NULL);
    mem_free(p);
    str_free(&s);
}

START_TEST(places_of_all)
{
    assert_places((struct place_query){.limit = 100}, "c 0 0, a 1 0, d 2 1, b 3 1");
}
END_TEST

START_TEST(places_of_one_queue)
{
    assert_places((struct place_query){.ns = "ns", .lq = "b", .limit = 100}, "c 0 0, b 3 1");
    assert_places((struct place_query){.ns = "ns", .lq = "b", .limit = 100, .offset = 1}, "b 3 1");
    assert_places((struct place_query){.ns = "ns", .lq = "none", .limit = 100}, "");
}
END_TEST

START_TEST(places_in_pages)
{
    assert_places((struct place_query){.offset = 1, .limit = 2}, "a 1 0, d 2 1");
    assert_places((struct place_query){.offset = -1, .limit = 1}, "c 0 0");
    assert_places((struct place_query){.offset = 4, .limit = 1}, "");
    assert_places((struct place_query){.offset = INT64_MAX, .limit = INT64_MAX}, "");
    assert_places((struct place_query){.limit = -1}, "");
    assert_places((struct place_query){.offset = 3, .limit = INT64_MAX}, "b 3 1");
}
END_TEST

START_TEST(places_without_memory)
{
    struct place *p;
    uint32_t n;
    struct place_query q = {.cq = cq, .limit = 10};
    struct class_counts c;
    for (uint64_t i = 1; i <= 2; i++) {
        mem_fail_after(i);
        ck_assert_int_eq(queue_view_places(w, &q, &p, &n), ERR_NOMEM);
        ck_assert_ptr_null(p);
    }
    mem_fail_after(1);
    ck_assert_int_eq(queue_view_classes(w, cq, &c), ERR_NOMEM);
    mem_fail_after(0);
}
END_TEST

START_TEST(asked)
{
    ck_assert_int_eq(queue_view_asked(w, cq, "cpu"), 17000);
    ck_assert_int_eq(queue_view_asked(w, cq, "memory"), 0);
    ck_assert_int_eq(queue_view_asked(w, cq, "unheard-of"), 0);
}
END_TEST

START_TEST(classes)
{
    struct class_counts c;
    ck_assert_int_eq(queue_view_classes(w, cq, &c), 0);
    ck_assert_uint_eq(c.active, 2);
    ck_assert_uint_eq(c.inadmissible, 1);
    ck_assert_uint_eq(c.all, 3);
    build_config(w, "SchedulingEquivalenceHashing=false");
    ck_assert_int_eq(queue_view_classes(w, cq, &c), 0);
    ck_assert_uint_eq(c.all, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("queue_view");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, places_of_all);
    tcase_add_test(c, places_of_one_queue);
    tcase_add_test(c, places_in_pages);
    tcase_add_test(c, places_without_memory);
    tcase_add_test(c, asked);
    tcase_add_test(c, classes);
    suite_add_tcase(s, c);
    return build_run(s);
}
