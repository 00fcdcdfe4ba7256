#include "kube/discovery.h"

#include "base/mem.h"
#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH                                                                                                \
    "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"jobs\",\"namespaced\":true},{\"name\":"        \
    "\"jobs/status\",\"namespaced\":true},{\"name\":\"cronjobs\",\"namespaced\":true}]}"
#define CORE "{\"resources\":[{\"name\":\"nodes\",\"namespaced\":false},{\"name\":\"nodes/proxy\"}]}"

static struct discovery_item items[4];
static struct discovery_version version;
static int done, status;
static char text[1024];

static void on_done(void *arg, int rc, const struct discovery_version *v, const struct err *err)
{
    (void)arg;
    done++;
    status = rc;
    version = *v;
    (void)snprintf(text, sizeof(text), "%s", rc < 0 ? err->text : "");
}

static void begin(struct fake *f)
{
    static const struct discovery_item fresh[] = {
        {.group = "batch", .version = "v1", .resource = "jobs"},
        {.group = "", .version = "v1", .resource = "nodes"},
        {.group = "batch", .version = "v1", .resource = "job", .served = true},
        {.group = "jobset.x-k8s.io", .version = "v1alpha2", .resource = "jobsets"},
    };
    done = status = 0;
    memcpy(items, fresh, sizeof(items));
    fake_init(f);
}

static struct fake_call *asked(struct fake *f, const char *path)
{
    for (uint32_t i = 0; i < fake_count_open(f); i++) {
        if (strcmp(fake_open(f, i)->path, path) == 0)
            return fake_open(f, i);
    }
    ck_abort_msg("%s is not asked for", path);
    return NULL;
}

START_TEST(test_answers)
{
    struct fake f;
    struct discovery *d;
    begin(&f);
    ck_assert_int_eq(discovery_start(&f.server, items, 4, on_done, NULL, &d, NULL), 0);
    ck_assert_uint_eq(fake_count_open(&f), 4);
    fake_reply(&f, asked(&f, "/apis/batch/v1"), 200, BATCH);
    fake_reply(&f, asked(&f, "/apis/jobset.x-k8s.io/v1alpha2"), 404, "404 page not found");
    fake_reply(&f, asked(&f, "/version"), 200,
               "{\"major\":\"1\",\"minor\":\"36+\",\"gitVersion\":\"v1.36.2-eks\"}");
    ck_assert_int_eq(done, 0);
    ck_assert(!items[0].served); /* not before the end */
    fake_reply(&f, asked(&f, "/api/v1"), 200, CORE);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(status, 0);
    ck_assert(items[0].served && items[0].namespaced && items[0].status);
    ck_assert(items[1].served && !items[1].namespaced && !items[1].status);
    ck_assert(!items[2].served && !items[3].served);
    ck_assert_int_eq(version.major, 1);
    ck_assert_int_eq(version.minor, 36);
    ck_assert_str_eq(version.text, "v1.36.2-eks");
    fake_free(&f);
}
END_TEST

static const struct {
    const char *path;
    int status;
    const char *body;
} failure_rows[] = {
    {"/apis/batch/v1", 503, "{\"kind\":\"Status\",\"message\":\"not now\"}"},
    {"/apis/batch/v1", 200, "no JSON"},
    {"/version", 404, ""},
    {"/api/v1", 403, "{}"},
    {"/api/v1", 0, ""},
};

START_TEST(test_failures)
{
    struct fake f;
    struct discovery *d;
    begin(&f);
    ck_assert_int_eq(discovery_start(&f.server, items, 4, on_done, NULL, &d, NULL), 0);
    struct fake_call *c = asked(&f, failure_rows[_i].path);
    if (failure_rows[_i].status)
        fake_reply(&f, c, failure_rows[_i].status, failure_rows[_i].body);
    else
        fake_lose(&f, c);
    ck_assert_int_eq(done, 1);
    ck_assert_int_eq(status, ERR_IO);
    ck_assert_str_ne(text, "");
    ck_assert_uint_eq(fake_count_open(&f), 0); /* the others are given up */
    ck_assert(items[2].served);
    fake_free(&f);
}
END_TEST

START_TEST(test_end)
{
    struct fake f;
    struct discovery *d;
    int64_t live = mem_live();
    begin(&f);
    ck_assert_int_eq(discovery_start(&f.server, items, 4, on_done, NULL, &d, NULL), 0);
    discovery_cancel(d);
    ck_assert_uint_eq(fake_count_open(&f), 0);
    f.refuse = true;
    ck_assert_int_lt(discovery_start(&f.server, items, 4, on_done, NULL, &d, NULL), 0);
    ck_assert_int_eq(done, 0);
    fake_free(&f);
    ck_assert_int_eq(mem_live(), live);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("discovery");
    TCase *tc = tcase_create("discovery");
    tcase_add_test(tc, test_answers);
    tcase_add_loop_test(tc, test_failures, 0, sizeof(failure_rows) / sizeof(*failure_rows));
    tcase_add_test(tc, test_end);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? 1 : 0;
}
