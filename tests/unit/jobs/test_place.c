#include "jobs/place.h"

#include "jobs_test.h"

/* Owners by name; each is owned by the next one that it names. */
static const struct row {
    const char *name, *kind, *queue, *up, *up_kind;
    bool answers;
} family[] = {
    {"set", "JobSet", "", "wrap", "AppWrapper", true},
    {"wrap", "AppWrapper", "q", "", "", true},
    {"off", "JobSet", "q", "wrap", "AppWrapper", false},
    {"bare", "JobSet", "", "", "", true},
    {"lost", "JobSet", "q", "nobody", "JobSet", true},
    {"cron", "CronJob", "q", "wrap", "AppWrapper", true},
    {"under", "Job", "q", "cron", "CronJob", true},
    {"forged", "JobSet", "q", "", "", true},
    {"one", "Job", "q", "two", "Job", true},
    {"two", "Job", "q", "one", "Job", true},
};

static enum job_owner_known find(void *arg, const char *ns, const struct job_owner *ref,
                                 struct job_owner_view *ret)
{
    int *deep = arg;
    ck_assert_str_eq(ns, "ns");
    if (strcmp(ref->kind, "CronJob") == 0)
        return JOB_OWNER_FOREIGN;
    if (strcmp(ref->name, "deep") == 0) { /* so many of them, one above the other, with a uid each */
        static const char *const uids[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
        --*deep;
        ck_assert_int_ge(*deep, 0);
        *ret = (struct job_owner_view){.uid = ref->uid, .queue = "q", .answers = true};
        ret->owner = (struct job_owner){"batch", *deep ? "Job" : "", "deep", uids[*deep]};
        return JOB_OWNER_FOUND;
    }
    for (size_t i = 0; i < COUNT(family); i++) {
        const struct row *r = &family[i];
        if (strcmp(r->name, ref->name) != 0 || strcmp(r->kind, ref->kind) != 0)
            continue;
        *ret = (struct job_owner_view){.uid = strcmp(r->name, "forged") == 0 ? "another" : r->name,
                                       .queue = r->queue,
                                       .owner = {"", r->up_kind, r->up, r->up},
                                       .answers = r->answers};
        return JOB_OWNER_FOUND;
    }
    return JOB_OWNER_MISSING;
}

static const struct {
    const char *kind, *name;
    bool all; /* manageJobsWithoutQueueName */
    enum job_place place;
    const char *ancestor;
} rows[] = {
    {"", "", false, JOB_TOP, ""},
    {"JobSet", "set", false, JOB_CHILD, "wrap"},
    {"JobSet", "off", false, JOB_CHILD, "wrap"},
    {"JobSet", "bare", false, JOB_TOP, ""},
    {"JobSet", "bare", true, JOB_CHILD, "bare"},
    {"JobSet", "lost", false, JOB_ORPHANED, ""},
    {"JobSet", "nobody", false, JOB_ORPHANED, ""},
    {"JobSet", "forged", false, JOB_TOP, ""},
    {"CronJob", "cron", false, JOB_TOP, ""},
    {"Job", "under", false, JOB_CHILD, "under"},
    {"Job", "one", false, JOB_CYCLE, ""},
};

START_TEST(places)
{
    struct job_view job = {
        .ns = "ns", .uid = "u", .owner = {"", rows[_i].kind, rows[_i].name, rows[_i].name}};
    struct job_ancestry a = job_place_of(&job, rows[_i].all, find, NULL);
    ck_assert_int_eq(a.place, rows[_i].place);
    if (a.place == JOB_CHILD)
        ck_assert_str_eq(a.ancestor.name, rows[_i].ancestor);
    ck_assert_ptr_nonnull(a.ancestor_queue);
}
END_TEST

START_TEST(depth)
{
    static const struct {
        int owners;
        enum job_place place;
    } depths[] = {{1, JOB_CHILD}, {JOB_PLACE_MAX_HOPS, JOB_CHILD}, {JOB_PLACE_MAX_HOPS + 1, JOB_TOO_DEEP}};
    for (size_t i = 0; i < COUNT(depths); i++) {
        int left = depths[i].owners;
        char uid[4];
        snprintf(uid, sizeof(uid), "%d", left);
        struct job_view job = {.ns = "ns", .uid = "u", .owner = {"batch", "Job", "deep", uid}};
        ck_assert_int_eq(job_place_of(&job, false, find, &left).place, depths[i].place);
    }
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, places, 0, COUNT(rows));
    tcase_add_test(tc, depth);
}

int main(void)
{
    return run_tests("place", add);
}
