/* The small Workload: 4.1 and 4.2. */
#include "core/workload.h"

#include "build.h"

#include <check.h>

/* 4.1 queueTime, rule by rule; 100 is the creation, 200 the eviction, 300 the preemption. */
static const struct {
    const char *rule;
    struct marks marks;
    bool by_creation, priority_sorting;
    when_ns want;
} time_rows[] = {
    {"4.1 rule 1: PodsReadyTimeout moves it",
     {.evicted = true, .evict_reason = EVICT_PODS_READY_TIMEOUT, .evicted_at = 200},
     false,
     true,
     200},
    {"4.1 rule 1: not with timestamp Creation",
     {.evicted = true, .evict_reason = EVICT_PODS_READY_TIMEOUT, .evicted_at = 200},
     true,
     true,
     100},
    {"4.1 rule 2: AdmissionCheck moves it",
     {.evicted = true, .evict_reason = EVICT_ADMISSION_CHECK, .evicted_at = 200},
     true,
     true,
     200},
    {"4.1 rule 2: another reason does not",
     {.evicted = true, .evict_reason = EVICT_PREEMPTED, .evicted_at = 200},
     false,
     true,
     100},
    {"4.1 rule 3: reclaimed while borrowing, without priority sorting",
     {.preempted_by_reclaim = true, .preempted_at = 300},
     false,
     false,
     300 + NS_PER_MS},
    {"4.1 rule 3: with priority sorting it keeps its time",
     {.preempted_by_reclaim = true, .preempted_at = 300},
     false,
     true,
     100},
    {"4.1 rule 4", {0}, false, true, 100},
};

START_TEST(queue_time)
{
    ck_assert_msg(wl_queue_time(&time_rows[_i].marks, 100, time_rows[_i].by_creation,
                                time_rows[_i].priority_sorting) == time_rows[_i].want,
                  "%s", time_rows[_i].rule);
}
END_TEST

/* 4.2: the first of each pair is earlier. */
static const struct {
    const char *rule;
    struct wl a, b;
} order_rows[] = {
    {"4.2 rule 1: lower usage of the LocalQueue, before stickiness",
     {.uid = "z", .afs_usage = 1},
     {.uid = "a", .afs_usage = 2, .sticky = true}},
    {"4.2 rule 2: sticky, before priority", {.uid = "z", .sticky = true}, {.uid = "a", .priority = 9}},
    {"4.2 rule 3: higher priority, before time",
     {.uid = "z", .priority = 1, .queue_time = 9},
     {.uid = "a", .queue_time = 1}},
    {"4.2 rule 3: priority is the effective one",
     {.uid = "z", .priority = 1, .boost = 5},
     {.uid = "a", .priority = 5}},
    {"4.2 rule 3: 64 bits",
     {.uid = "z", .priority = INT32_MAX, .boost = 1},
     {.uid = "a", .priority = INT32_MAX}},
    {"4.2 rule 4: earlier time, before uid", {.uid = "z", .queue_time = 1}, {.uid = "a", .queue_time = 2}},
    {"4.2 rule 5: lower uid", {.uid = "B"}, {.uid = "a"}},
    {"one total order: equal uids go by key", {.uid = "u", .key = "ns/a"}, {.uid = "u", .key = "ns/b"}},
};

START_TEST(order)
{
    ck_assert_msg(wl_compare(&order_rows[_i].a, &order_rows[_i].b) < 0, "%s", order_rows[_i].rule);
    ck_assert_msg(wl_compare(&order_rows[_i].b, &order_rows[_i].a) > 0, "%s", order_rows[_i].rule);
}
END_TEST

/* 4.1: the annotation is a signed 32-bit decimal, or 0. */
static const struct {
    const char *text;
    int32_t want;
} boost_rows[] = {
    {"", 0},
    {"5", 5},
    {"-7", -7},
    {"2147483647", INT32_MAX},
    {"-2147483648", INT32_MIN},
    {"2147483648", 0},
    {"-2147483649", 0},
    {"99999999999999999999", 0},
    {"5x", 0},
    {" 5", 0},
    {"\t5", 0},
    {"+5", 5},
    {"x", 0},
};

START_TEST(boost)
{
    ck_assert_int_eq(wl_boost(boost_rows[_i].text), boost_rows[_i].want);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("workload");
    TCase *t = tcase_create("workload");
    tcase_add_loop_test(t, queue_time, 0, COUNT(time_rows));
    tcase_add_loop_test(t, order, 0, COUNT(order_rows));
    tcase_add_loop_test(t, boost, 0, COUNT(boost_rows));
    suite_add_tcase(s, t);
    return build_run(s);
}
