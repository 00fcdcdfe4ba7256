/* The metrics: what is counted and what is read, as one golden text; promtool's opinion of it; and what happens when queues go, roles
 * change, or memory runs out. */
#include "../core/build.h"
#include "base/mem.h"
#include "kube/http.h"
#include "run/meter.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world *w;

static struct world *the_world(void *arg)
{
    (void)arg;
    return w;
}

static const struct writes_stats writes = {
    .waiting = {1, 2, 3, 4},
    .in_flight = {5, 6, 7, 8},
    .window = 16,
    .sent = 100,
    .retries = 3,
    .ends = {90, 1, 2, 3, 4, 5, 6, 7, 8},
    .throttled = 9,
};
static const struct http_stats http = {
    .requests = {10, 11, 12, 13, 14},
    .watches = 15,
    .replies = {[KUBE_GET] = {1, 0, 9, 0, 0, 0}, [KUBE_PATCH] = {0, 0, 12, 0, 1, 0}},
    .throttled = 1,
    .timeouts = 2,
    .bytes_sent = 1000,
    .bytes_received = 2000,
    .connections = 4,
    .shut = 1,
    .open = 2,
    .running = 3,
};

static void state(void *arg, struct meter_state *ret)
{
    (void)arg;
    *ret = (struct meter_state){
        .writes = &writes,
        .http = &http,
        .workloads = 7,
        .jobs = 6,
        .events_emitted = 5,
        .events_dropped = 1,
        .facts_stale = 1,
        .facts_held = 2,
        .facts_malformed = 3,
        .status_writes = 4,
        .queue_writes = 3,
        .job_writes = 2,
        .workload_writes = 1,
        .ready = true,
        .leads = true,
    };
}

static void local_queues(void *arg, void (*each)(const struct meter_local_queue *q, void *x), void *x)
{
    static const struct meter_local_queue list[] = {
        {"ns", "one", "one", true},      {"ns", "two", "two", true},
        {"ns", "lost", "nowhere", true}, {"ns", "one", "one", true}, /* named twice, told once */
        {"ns", "secret", "one", false},
    };

    (void)arg;
    for (uint32_t i = 0; i < COUNT(list); i++)
        each(&list[i], x);
}

static void watches(void *arg, void (*each)(const struct meter_watch *v, void *x), void *x)
{
    static const struct watch_stats s = {.objects = 9, .bytes = 900, .lists = 1, .streams = 2, .gone = 1};

    (void)arg;
    each(&(struct meter_watch){"workloads", true, 1500 * NS_PER_MS, &s}, x);
    each(&(struct meter_watch){"jobs", false, 0, &s}, x);
}

static const struct meter_source source = {the_world, state, local_queues, watches, NULL};
static const struct meter_config all = {
    .cluster_queue_resources = true,
    .local_queues = true,
    .cohorts = true,
    .fair_sharing = true,
    .afs = true,
    .creation_latency = true,
    .role = METER_LEADER,
    .version = "1.2.3",
    .no_process = true,
};

static const struct meter_wl in_one = {"one", "ns", "one", true, "high"};
static const struct meter_wl in_two = {"two", "ns", "two", true, ""};
static const struct meter_wl in_secret = {"one", "ns", "secret", false, ""};

static struct meter *made(const struct meter_config *c, const struct meter_source *s)
{
    struct err err;
    struct meter *m = meter_new(c, s, &err);

    ck_assert_ptr_nonnull(m);
    return m;
}

static char *text_of(struct meter *m)
{
    struct str out;
    struct err err;

    str_init(&out, 0);
    ck_assert_int_eq(meter_text(m, &out, &err), 0);
    char *text = out.len ? str_take(&out) : mem_strdup("");
    ck_assert_ptr_nonnull(text);
    return text;
}

/* Two queues below a cohort below another, one that borrows, one that waits; one queue of its own that is stopped. */
static void build(void)
{
    w = build_world();
    build_config(w, "", .fair_sharing = true);
    build_cohort(w, "top", "", "cpu,memory: f 4 8Gi");
    build_cohort(w, "mid", "top", "");
    build_cq(w, "one", "mid", "cpu,memory: f 4+6-1 16Gi; g 2 1Gi");
    build_cq(w, "two", "mid", "cpu,memory: f 2 16Gi");
    build_cq(w, "own", "", "cpu: f 1", .stop = STOP_HOLD);
    build_lq(w, "lost", "nowhere");
    build_lq(w, "secret", "one");
    build_job(w, "a", "one", "cpu=5 memory=1Gi", .held = "cpu=f memory=f");
    build_job(w, "b", "one", "2 cpu=500m", .held = "f", .reserved_only = true, .since = 1);
    build_job(w, "c", "two", "cpu=1", .held = "f", .since = 2);
    build_job(w, "d", "two", "cpu=100 memory=1Gi");
    build_job(w, "e", "two", "cpu=100 memory=1Gi");
    build_job(w, "f", "one", "cpu=1 memory=100Gi");
    build_job(w, "x", "own", "cpu=1");
}

static void free_world(void)
{
    world_free(w);
    w = NULL;
}

/* One of everything that can happen. */
static void happen(struct meter *m, struct meter_mark marks[4])
{
    const struct meter_eviction preempted = {"Preempted", "", true, 3 * NS_PER_S};
    const struct meter_eviction stopped = {"ClusterQueueStopped", "", false, -1};
    const struct meter_eviction deactivated = {"Deactivated", "AdmissionCheck", true, -1};

    meter_reserved(m, &in_one, 1500 * NS_PER_MS);
    meter_reserved(m, &in_two, 0);
    meter_admitted(m, &in_one, 2 * NS_PER_S, true, NS_PER_S);
    meter_admitted(m, &in_two, 0, false, 0);
    meter_ready(m, &in_one, 12 * NS_PER_S, 10 * NS_PER_S);
    meter_evicted(m, &in_one, &preempted);
    meter_evicted(m, &in_two, &stopped);
    meter_evicted(m, &in_secret, &deactivated);
    meter_preempted(m, "two", "InCohortReclamation");
    meter_released(m, &in_one, "Preempted", 30 * NS_PER_S);
    meter_finished(m, &in_one, 90 * NS_PER_S);
    meter_finished(m, &in_secret, -1);
    meter_created(m, "Job", 30 * NS_PER_MS);
    meter_mark_unadmitted(m, &marks[0], &in_two, "NoReservation", "WaitingForQuota");
    meter_mark_unadmitted(m, &marks[1], &in_two, "NoReservation", "WaitingForQuota");
    meter_mark_unadmitted(m, &marks[2], &in_secret, "NoReservation", "PendingEvaluation");
    meter_mark_finished(m, &marks[3], &in_one);
    meter_turn(m, 3 * NS_PER_MS, 30 * NS_PER_MS);
    meter_turn(m, 150000, 150000);
    meter_lag(m, 1100000);
}

static void cycle(struct meter *m)
{
    struct cq_count skips[] = {{world_cq_find(w, "one"), 3}};
    struct recompute recomputes[] = {{world_cq_find(w, "one"), RECOMPUTE_NEW_TARGETS},
                                     {world_cq_find(w, "two"), RECOMPUTE_SKIPPED},
                                     {world_cq_find(w, "two"), RECOMPUTE_DEFERRED_FIT}};

    (void)build_cycle(w);
    ck_assert_ptr_nonnull(build_last());
    meter_cycle(m, build_last(), 700000);
    struct cycle made_up = {.progressed = true,
                            .skips = skips,
                            .nskips = 1,
                            .recomputes = recomputes,
                            .nrecomputes = COUNT(recomputes)};
    meter_cycle(m, &made_up, 20 * NS_PER_MS);
}

/* ---- the golden text ------------------------------------------------------------------------------------------------------- */

static char *golden(void)
{
    static char path[4096];
    const char *slash = strrchr(__FILE__, '/');

    snprintf(path, sizeof(path), "%.*s/meter_golden.txt", (int)(slash - __FILE__), __FILE__);
    return path;
}

static void compare(const char *text)
{
    static char want[1 << 18];
    FILE *f = fopen(golden(), getenv("METER_WRITE") ? "w" : "r");

    ck_assert_ptr_nonnull(f);
    if (getenv("METER_WRITE")) {
        fputs(text, f);
        fclose(f);
        return;
    }
    want[fread(want, 1, sizeof(want) - 1, f)] = '\0';
    fclose(f);
    const char *a = text, *b = want;
    for (int line = 1; *a || *b; line++) { /* the first line that differs says more than both texts */
        size_t na = strcspn(a, "\n"), nb = strcspn(b, "\n");
        ck_assert_msg(na == nb && !memcmp(a, b, na),
                      "line %d (METER_WRITE=1 writes the file anew):\n%.*s\nwanted:\n%.*s", line, (int)na, a,
                      (int)nb, b);
        a += na + (a[na] != '\0');
        b += nb + (b[nb] != '\0');
    }
}

static void promtool(const char *text)
{
    char path[] = "/tmp/sluice-meter-XXXXXX", command[128];
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    if (system("command -v promtool >/dev/null 2>&1") != 0) // NOLINT(cert-env33-c)
        printf("promtool is not there: its check of the metrics is left out\n");
    else {
        snprintf(command, sizeof(command), "promtool check metrics <%s", path);
        ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c)
    }
    unlink(path);
}

START_TEST(test_golden)
{
    struct meter_mark marks[4] = {0};
    build();
    struct meter *m = made(&all, &source);

    happen(m, marks);
    cycle(m);
    char *text = text_of(m);
    compare(text);
    promtool(text);
    mem_free(text);
    meter_free(m);
    free_world();
}
END_TEST

/* The metrics of the process are not the same each time; they must be there and be sensible. */
START_TEST(test_process)
{
    static const char *const names[] = {"\nprocess_cpu_seconds_total ",
                                        "\nprocess_resident_memory_bytes ",
                                        "\nprocess_virtual_memory_bytes ",
                                        "\nprocess_open_fds ",
                                        "\nprocess_max_fds ",
                                        "\nprocess_start_time_seconds "};
    static const double least[] = {0, 100000, 100000, 3, 10, 1.6e9},
                        most[] = {1e6, 1e12, 1e16, 1e5, 1e12, 1e10};
    struct meter_config c = all;
    c.no_process = false;
    build();
    struct meter *m = made(&c, &source);
    char *text = text_of(m);

    for (uint32_t i = 0; i < COUNT(names); i++) {
        const char *at = strstr(text, names[i]);
        ck_assert_msg(at, "%s", names[i]);
        double v = strtod(at + strlen(names[i]), NULL);
        ck_assert_msg(v >= least[i] && v <= most[i], "%s%f", names[i], v);
    }
    ck_assert_ptr_nonnull(strstr(text, "\nkueue_build_info{git_version=\"1.2.3\","));
    ck_assert_ptr_nonnull(strstr(text, "\nsluice_build_info{version=\"1.2.3\","));
    promtool(text);
    mem_free(text);
    meter_free(m);
    free_world();
}
END_TEST

/* ---- what is switched off -------------------------------------------------------------------------------------------------- */

static const struct {
    size_t flag; /* of meter_config */
    const char *gone[4];
} off[] = {
    {offsetof(struct meter_config, cluster_queue_resources),
     {"kueue_cluster_queue_resource_reservation", "kueue_cluster_queue_nominal_quota",
      "kueue_cluster_queue_resource_pending"}},
    {offsetof(struct meter_config, local_queues), {"kueue_local_queue_"}},
    {offsetof(struct meter_config, cohorts),
     {"kueue_cohort_subtree_", "kueue_cohort_info", "kueue_cluster_queue_info"}},
    {offsetof(struct meter_config, fair_sharing), {"weighted_share"}},
    {offsetof(struct meter_config, afs), {"admission_fair_sharing_usage"}},
    {offsetof(struct meter_config, creation_latency), {"creation_latency"}},
};

START_TEST(test_off)
{
    struct meter_config c = all;
    struct meter_mark marks[4] = {0};
    *(bool *)((char *)&c + off[_i].flag) = false;
    build();
    struct meter *m = made(&c, &source), *whole = made(&all, &source);

    happen(m, marks);
    memset(marks, 0, sizeof(marks));
    happen(whole, marks);
    char *text = text_of(m), *other = text_of(whole);
    for (int i = 0; off[_i].gone[i]; i++) {
        ck_assert_msg(!strstr(text, off[_i].gone[i]), "%s", off[_i].gone[i]);
        ck_assert_msg(strstr(other, off[_i].gone[i]), "%s", off[_i].gone[i]);
    }
    ck_assert_ptr_nonnull(strstr(text, "\nkueue_pending_workloads{"));
    mem_free(text);
    mem_free(other);
    meter_free(m);
    meter_free(whole);
    free_world();
}
END_TEST

/* A source that can tell the world only, and a meter that is not there. */
START_TEST(test_little)
{
    const struct meter_source only = {.world = the_world};
    struct meter_mark marks[4] = {0};
    build();
    struct meter *m = made(&all, &only);
    char *text = text_of(m);

    ck_assert_ptr_null(strstr(text, "sluice_write_queue"));
    ck_assert_ptr_nonnull(strstr(text, "kueue_pending_workloads{cluster_queue=\"one\",status=\"active\","));
    mem_free(text);
    meter_free(m);
    happen(NULL, marks);
    meter_unmark(NULL, &marks[0]);
    meter_set_role(NULL, METER_LEADER);
    meter_cluster_queue_gone(NULL, "one");
    meter_local_queue_gone(NULL, "ns", "one");
    meter_cohort_gone(NULL, "mid");
    meter_free(NULL);
    free_world();
}
END_TEST

/* ---- what goes --------------------------------------------------------------------------------------------------------------- */

START_TEST(test_gone)
{
    struct meter_mark marks[4] = {0};
    build();
    struct meter *m = made(&all, &source);

    happen(m, marks);
    world_del_cluster_queue(w, "two");
    world_del_local_queue(w, "ns", "two");
    meter_cluster_queue_gone(m, "two");
    meter_local_queue_gone(m, "ns", "two");
    meter_cohort_gone(m, "mid");
    char *text = text_of(m);
    ck_assert_ptr_null(strstr(text, "{cluster_queue=\"two\""));
    ck_assert_ptr_null(strstr(text, "_total{name=\"two\",namespace=\"ns\""));
    ck_assert_ptr_null(strstr(text, "kueue_cohort_subtree_admitted_workloads_total{cohort=\"mid\""));
    ck_assert_ptr_nonnull(strstr(text, "kueue_admitted_workloads_total{cluster_queue=\"one\""));
    mem_free(text);
    /* those who were counted there come to something new, or go */
    meter_mark_unadmitted(m, &marks[0], &in_one, "NoReservation", "x");
    meter_unmark(m, &marks[1]);
    text = text_of(m);
    ck_assert_ptr_nonnull(strstr(text,
                                 "kueue_unadmitted_workloads{cluster_queue=\"one\",reason=\"NoReservation\","
                                 "underlying_cause=\"x\",replica_role=\"leader\"} 1\n"));
    mem_free(text);
    for (int i = 0; i < 4; i++)
        meter_unmark(m, &marks[i]);
    text = text_of(m);
    ck_assert_ptr_null(strstr(text, "kueue_unadmitted_workloads{"));
    ck_assert_ptr_null(strstr(text, "kueue_finished_workloads{"));
    mem_free(text);
    meter_free(m);
    free_world();
}
END_TEST

START_TEST(test_roles)
{
    struct meter_config c = all;
    c.role = METER_FOLLOWER;
    build();
    struct meter *m = made(&c, &source);

    meter_set_role(m, METER_LEADER);
    meter_reserved(m, &in_one, 0);
    meter_set_role(m, METER_STANDALONE);
    char *text = text_of(m);
    ck_assert_ptr_nonnull(strstr(text,
                                 "kueue_quota_reserved_workloads_total{cluster_queue=\"one\",priority_class="
                                 "\"high\",replica_role=\"leader\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "kueue_reserving_active_workloads{cluster_queue=\"one\","
                                       "replica_role=\"standalone\"} 2\n"));
    ck_assert_ptr_null(strstr(text, "follower"));
    mem_free(text);
    meter_free(m);
    free_world();
}
END_TEST

/* Wherever memory runs out: a text or an error, never a crash, and the next text is whole again. */
START_TEST(test_memory)
{
    struct meter_mark marks[4] = {0};
    build();
    struct meter *m = made(&all, &source);
    happen(m, marks);
    char *want = text_of(m);
    mem_free(want);
    want = text_of(m);

    for (uint64_t n = 1; n < 60; n++) {
        struct str out;
        struct err err = {0};
        const char *type = NULL;
        str_init(&out, 0);
        mem_fail_after(n);
        int status = meter_page(m, &out, &type);
        mem_fail_after(0);
        ck_assert(status == 200 || status == 500);
        ck_assert(status == 500 || !strcmp(type, METRICS_CONTENT_TYPE));
        str_free(&out);
        (void)err;
    }
    char *text = text_of(m);
    ck_assert_str_eq(text, want);
    mem_free(text);
    mem_free(want);
    meter_free(m);
    free_world();
    ck_assert_int_eq(mem_live(), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("meter");
    TCase *t = tcase_create("meter");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_golden);
    tcase_add_test(t, test_process);
    tcase_add_loop_test(t, test_off, 0, COUNT(off));
    tcase_add_test(t, test_little);
    tcase_add_test(t, test_gone);
    tcase_add_test(t, test_roles);
    tcase_add_test(t, test_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
