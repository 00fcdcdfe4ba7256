#include "jobs/name.h"

#include "base/arena.h"
#include "jobs_test.h"

#include <setjmp.h>

#define LONG                                                                                                 \
    "marketing-campaign-autumn-2024-region-north-america-department-digital-strategy-sub-department-social-" \
    "media-"                                                                                                 \
    "engagement-tracker-and-analytics-dashboard-v2-final-revision-by-engineering-team-lead-senior-"          \
    "architect-"                                                                                             \
    "validation-checked-approved-by-legal-and-ops-dept"

static const struct {
    const char *group, *kind, *owner, *uid, *extra;
    size_t max;
    const char *want;
} rows[] = {
    {"batch", "Job", "name", "uid", "", JOB_NAME_MAX, "job-name-ef3a1"},
    {"batch", "Job", "name", "uid", "1", JOB_NAME_MAX, "job-name-2514c"},
    {"batch", "Job", LONG, "uid", "", JOB_NAME_MAX,
     "job-marketing-campaign-autumn-2024-region-north-america-department-digital-strategy-sub-department-"
     "social-media-"
     "engagement-tracker-and-analytics-dashboard-v2-final-revision-by-engineering-team-lead-senior-architect-"
     "validation-"
     "checked-approved-by-l-218b8"},
};

START_TEST(names)
{
    struct arena a;
    jmp_buf bail;
    arena_init(&a, 4096);
    a.bail = &bail;
    ck_assert_int_eq(setjmp(bail), 0);
    const char *got = job_name(&a, rows[_i].group, rows[_i].kind, rows[_i].owner, rows[_i].uid,
                               rows[_i].extra, rows[_i].max);
    ck_assert_str_eq(got, rows[_i].want);
    ck_assert_uint_le(strlen(got), rows[_i].max);
    got = job_name(&a, "batch", "CronTabLike", LONG, "", "", JOB_NAME_SHORT_MAX);
    ck_assert_uint_eq(strlen(got), JOB_NAME_SHORT_MAX);
    ck_assert_int_eq(strncmp(got, "crontablike-marketing-", 22), 0);
    arena_free(&a);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, names, 0, COUNT(rows));
}

int main(void)
{
    return run_tests("jobs/name", add);
}
