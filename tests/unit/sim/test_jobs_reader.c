#include "sim/jobs_reader.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "job_id,submit_s,duration_s,gpus,gpu_type,tenant,priority,pods,cpus\n"
#define SACCT "JobID|Account|User|Submit|ElapsedRaw|AllocTRES|NNodes|Priority|State\n"

static char text_[4096];

/* Reads all; the jobs as one line each, or the error. */
static const char *read_all(const char *text)
{
    struct jobs_reader *r;
    struct err err = {0};
    struct job j;
    bool more = true;
    FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "rb");
    int rc = jobs_open_file(f, "t", &r, &err);
    size_t n = 0;

    text_[0] = 0;
    while (!rc && !(rc = jobs_next(r, &j, &more, &err)) && more)
        n += (size_t)snprintf(text_ + n, sizeof(text_) - n, "%s %s %s %s %lld %lld %lld %lld %d %d;", j.id,
                              j.tenant, j.user, j.gpu_type, (long long)(j.submit / NS_PER_MS),
                              (long long)(j.run_ns / NS_PER_MS), (long long)j.gpus_milli,
                              (long long)j.cpus_milli, j.pods, j.priority);
    if (rc)
        (void)snprintf(text_, sizeof(text_), "%s", err.text);
    jobs_close(r);
    (void)fclose(f);
    return text_;
}

struct case_ {
    const char *text, *want;
};

static const struct case_ good[] = {
    {HEAD, ""},
    {HEAD "a,0,10,4,,red,0,1,0\n", "a red   0 10000 4000 0 1 0;"},
    {HEAD "a,1.5,10,0.46,T4|P100,red,-7,2,6\r\nb,1.5,1,1,,blue,1,1,0", /* the last line without its end */
     "a red  T4|P100 1500 10000 460 6000 2 -7;b blue   1500 1000 1000 0 1 1;"},
    {"tenant,gpus,x,duration_s,submit_s,job_id\nred,1,?,2,3,a\n", "a red   3000 2000 1000 0 1 0;"},
    {SACCT "2|red|ann|2026-01-31T09:00:10|60|cpu=8,gres/gpu:a100=3,gres/gpu=4,mem=1G|2|9|COMPLETED\n"
           "1|red|bob|2026-01-31T09:00:00|30|cpu=1,node=3|||FAILED\n"
           "1.batch|red|bob|2026-01-31T09:00:00|30||||FAILED\n"
           "3|red|bob|2026-01-31T09:00:00|0||1||CANCELLED by 5\n"
           "4|red|bob|2026-01-31T09:00:00|10||1||RUNNING\n",
     "1 red bob  1769850000000 30000 0 1000 3 0;2 red ann a100 1769850010000 60000 4000 8000 2 9;"},
    {"JobID|Account|Submit|Elapsed|ReqTRES\n1|red|2026-01-31T09:00:00|1-02:03:04.5|gres/gpu=1\n",
     "1 red   1769850000000 93784000 1000 0 1 0;"},
};

static const struct case_ bad[] = {
    {"", "empty"},
    {"hello\n", "line 1: no format of traces begins with \"hello\""},
    {"time_s,vc,quota_gpus\n1,2,3\n", "no format of traces"},
    {"job_id,submit_s,duration_s,tenant\n", "line 1: column \"gpus\" is missing"},
    {"job_id,submit_s,duration_s,gpus,tenant,gpus\n", "line 1: column \"gpus\" is there twice"},
    {HEAD "a,0,10,4,,red,0,1,0\nb,-5,10,4,,red,0,1,0\n", "line 3: submit_s \"-5\" is negative"},
    {HEAD "a,0,-10,4,,red,0,1,0\n", "line 2: duration_s \"-10\" is negative"},
    {HEAD "a,0,0,4,,red,0,1,0\n", "line 2: duration_s is 0"},
    {HEAD "a,0,x,4,,red,0,1,0\n", "line 2: duration_s \"x\" is no number"},
    {HEAD "a,0,,4,,red,0,1,0\n", "line 2: duration_s \"\" is empty"},
    {HEAD "a,0,99999999999999999999999,4,,red,0,1,0\n", "is too large"},
    {HEAD "a,0,1,4,,red,0,0,0\n", "line 2: pods is 0"},
    {HEAD "a,0,1,4,,red,2147483648,1,0\n", "does not fit into 32 bits"},
    {HEAD "a,0,1,4,,,0,1,0\n", "line 2: tenant is empty"},
    {HEAD "a,9,10,4,,red,0,1,0\nb,8,10,4,,red,0,1,0\n",
     "line 3: job \"b\" was submitted before the one above it"},
    {HEAD "a,9,10,4,,red,0,1,0\nb,10,10,4,,r",
     "line 3: 6 columns where the first line has 9: is the file cut short?"},
    {"JobID|Submit\n", "column \"Account\" is missing"},
    {"JobID|Submit|Account\n", "column \"ElapsedRaw\" (or \"Elapsed\") is missing"},
    {SACCT "1|red|bob|soon|30|cpu=1|1||\n", "line 2: Submit \"soon\" is no time"},
    {SACCT "1|red|bob|2026-01-31T09:00:00|-30|cpu=1|1||\n", "line 2: ElapsedRaw \"-30\" is negative"},
    {SACCT "1|red\n", "line 2: 2 columns where the first line has 9"},
    {"{\"kind\":", "line 1"},
};

START_TEST(test_good)
{
    ck_assert_str_eq(read_all(good[_i].text), good[_i].want);
}
END_TEST

START_TEST(test_bad)
{
    const char *got = read_all(bad[_i].text);

    ck_assert_msg(strstr(got, bad[_i].want) && !strncmp(got, "t: ", 3), "\"%s\" has no \"%s\"", got,
                  bad[_i].want);
}
END_TEST

static const char workloads[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["
    "{\"apiVersion\":\"kueue.x-k8s.io/"
    "v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"b\",\"namespace\":\"ns\","
    "\"creationTimestamp\":\"2026-01-31T09:00:10Z\"},\"spec\":{\"queueName\":\"q\",\"priority\":5,"
    "\"podSets\":[{\"name\":"
    "\"main\",\"count\":2,\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{"
    "\"requests\":{\"cpu\":"
    "\"500m\",\"nvidia.com/"
    "gpu\":\"8\"}}}]}}}]},\"status\":{\"conditions\":[{\"type\":\"Admitted\",\"status\":\"True\","
    "\"reason\":\"Admitted\",\"message\":\"\",\"lastTransitionTime\":\"2026-01-31T09:01:00Z\"},{\"type\":"
    "\"Finished\","
    "\"status\":\"True\",\"reason\":\"Succeeded\",\"message\":\"\",\"lastTransitionTime\":\"2026-01-31T10:01:"
    "00Z\"}]}},"
    "{\"apiVersion\":\"kueue.x-k8s.io/"
    "v1beta2\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\","
    "\"creationTimestamp\":\"2026-01-31T09:00:00Z\"},\"spec\":{\"queueName\":\"q\",\"podSets\":[{\"name\":"
    "\"main\",\"count\""
    ":1,\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}}]}}]}";

START_TEST(test_workloads)
{
    ck_assert_str_eq(read_all(workloads), "ns/b ns/q   1769850010000 3600000 16000 1000 2 5;");
}
END_TEST

/* Out of memory at each allocation: an error and no leak. */
START_TEST(test_memory)
{
    const char *texts[] = {good[2].text, good[4].text};
    int64_t live = mem_live();
    uint64_t n = 1;

    do {
        mem_fail_after(n++);
        (void)read_all(texts[_i]);
        mem_fail_after(0);
        ck_assert_int_eq(mem_live(), live);
    } while (strstr(text_, "out of memory") && n < 1000);
    ck_assert_uint_gt(n, 3);
    ck_assert_ptr_null(strstr(text_, "memory"));
}
END_TEST

/* A long trace takes no more memory than a short one, and a line that never ends is refused. */
START_TEST(test_long)
{
    char name[] = "/tmp/sluice-jobs-XXXXXX";
    int fd = mkstemp(name);
    FILE *f = fdopen(fd, "w+");
    struct jobs_reader *r;
    struct job j;
    bool more = true;
    uint64_t n = 0;

    ck_assert_ptr_nonnull(f);
    (void)fputs(HEAD, f);
    for (int i = 0; i < 200000; i++)
        (void)fprintf(f, "%d,%d,10,1,,red,0,1,0\n", i, i / 3);
    rewind(f);
    ck_assert_int_eq(jobs_open_file(f, "t", &r, NULL), 0);
    uint64_t before = mem_count();
    for (; !jobs_next(r, &j, &more, NULL) && more; n++)
        ck_assert_int_eq(j.gpus_milli, 1000);
    ck_assert_uint_eq(n, 200000);
    ck_assert_uint_eq(mem_count(), before);
    jobs_close(r);
    (void)fseek(f, 0, SEEK_END);
    for (int i = 0; i < 40; i++)
        (void)fprintf(f, "%032768d", i);
    rewind(f);
    struct err err = {0};
    ck_assert_int_eq(jobs_open_file(f, "t", &r, &err), 0);
    int rc;
    while (!(rc = jobs_next(r, &j, &more, &err)) && more)
        ;
    ck_assert_int_eq(rc, ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "line 200002: longer than"));
    jobs_close(r);
    (void)fclose(f);
    (void)remove(name);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jobs_reader");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, test_workloads);
    tcase_add_loop_test(t, test_memory, 0, 2);
    tcase_add_test(t, test_long);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
