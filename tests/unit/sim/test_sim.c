#include "sim/sim.h"

#include "base/mem.h"
#include "sim/trace.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* One queue "q" of 4 cpu, BestEffortFIFO, with preemption of lower priority. */
#define QUEUE(name, quota)                                                                                   \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: " name "}\n"              \
    "spec: {cohortName: all, namespaceSelector: {}, queueingStrategy: BestEffortFIFO,\n"                     \
    "  preemption: {withinClusterQueue: LowerPriority},\n"                                                   \
    "  resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, "              \
    "nominalQuota: " quota "}]}]}]}\n"                                                                       \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: " name ", namespace: ns}\n" \
    "spec: {clusterQueue: " name "}\n"
#define BASE                                                                                                 \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\napiVersion: v1\n"   \
    "kind: Namespace\nmetadata: {name: ns}\n" QUEUE("q", "4")
/* `more` is the rest of the metadata, `spec` the rest of the specification. */
#define JOB(name, cpu, more, spec)                                                                           \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: " name ", namespace: ns" more \
    "}\n"                                                                                                    \
    "spec: {queueName: q" spec                                                                               \
    ", podSets: [{name: main, count: 1, template: {spec: {containers: [{name: c, resources: "                \
    "{requests: {cpu: " cpu "}}}]}}}]}\n"
#define AT(s) ", creationTimestamp: '2026-01-01T00:00:" s "Z'"
#define SIM(s) ", annotations: {" s "}"

static struct api_set *set;
static struct str log_;

static void on_step(void *arg, when_ns t)
{
    (void)arg;
    str_addf(&log_, "%s%lld:", log_.len ? "\n" : "",
             (long long)((t - INT64_C(1767225600) * NS_PER_S) / NS_PER_S));
}

static void on_event(void *arg, enum sim_event e, const struct sim_wl *sw)
{
    static const char sign[] = {[SIM_FINISHED] = '.', [SIM_RELEASED] = '<', [SIM_ARRIVED] = '+'};

    (void)arg;
    str_addf(&log_, " %c%s", sign[e], strchr(sw->key, '/') + 1);
}

static void on_cycle(void *arg, const struct cycle *c)
{
    (void)arg;
    str_add(&log_, " [");
    for (uint32_t i = 0; i < c->ndecisions; i++)
        str_addf(&log_, "%s%s%s", i ? " " : "", strchr(c->decisions[i].w->key, '/') + 1,
                 c->decisions[i].outcome == OUTCOME_ADMITTED     ? "!"
                 : c->decisions[i].outcome == OUTCOME_PREEMPTING ? "x"
                                                                 : "?");
    str_add(&log_, "]");
}

static void on_released(void *arg, const struct sim_wl *const *list, uint32_t n)
{
    (void)arg;
    for (uint32_t i = 0; i < n; i++)
        str_addf(&log_, " <%s", strchr(list[i]->key, '/') + 1);
}

static struct sim *make(const char *text, uint64_t max_cycles)
{
    struct sim *s;
    struct err err = {0};
    struct sim_options opt = {.max_cycles = max_cycles, .max_cycles_at_once = 200, .start = WHEN_NONE};

    set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(set, "test.yaml", text, strlen(text), &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_errors(set) ? api_set_error(set, 0) : "");
    ck_assert_msg(!sim_new(set, &opt, &s, &err), "%s", err.text);
    sim_watch(s, &(struct sim_watcher){NULL, on_step, on_event, on_cycle, on_released, NULL});
    return s;
}

static void setup(void)
{
    str_init(&log_, 0);
}

static void teardown(void)
{
    api_set_free(set);
    set = NULL;
    str_free(&log_);
}

/* Arrivals "+", finishes ".", releases "<", cycles in brackets: admitted "!", evicting "x", else "?". */
static const struct {
    const char *about, *text, *log;
} runs[] = {
    {"arrive and stay for ever", BASE JOB("a", "1", AT("05"), ""), "5: +a [a!]"},
    {"run, finish, wake the other, whose turn comes at once",
     BASE JOB("a", "3", AT("00") SIM("sim/run-seconds: '10'"), "") JOB("b", "2", AT("01"), ""),
     "0: +a [a!]\n1: +b [b?]\n10: .a [b!]"},
    {"arrival by annotation, order by creation",
     BASE JOB("a", "3", AT("09") SIM("sim/arrive-at: '2026-01-01T00:00:20Z'"), "")
         JOB("b", "3", AT("08") SIM("sim/arrive-at: '2026-01-01T00:00:20Z'"), ""),
     "20: +a +b [b!] [a?]"},
    {"evicted without time to stop: released after the cycle, and the same time goes on",
     BASE JOB("low", "4", AT("00"), "") JOB("high", "4", AT("05"), ", priority: 10"),
     "0: +low [low!]\n5: +high [highx] <low [high!] [low?]"},
    {"evicted with time to stop: it keeps its quota until then",
     BASE JOB("low", "4", AT("00") SIM("sim/stop-seconds: '7'"), "")
         JOB("high", "4", AT("05"), ", priority: 10"),
     "0: +low [low!]\n5: +high [highx] [highx]\n12: <low [high!] [low?]"},
    {"a run cut short starts over in full",
     BASE JOB("low", "4", AT("00") SIM("sim/run-seconds: '8'"), "")
         JOB("high", "4", AT("05") SIM("sim/run-seconds: '5'"), ", priority: 10"),
     "0: +low [low!]\n5: +high [highx] <low [high!] [low?]\n10: .high [low!]\n18: .low"},
    {"no creation: as if created with the newest, in the order of the file",
     BASE JOB("z", "1", "", "") JOB("y", "1", "", "") JOB("x", "1", AT("07"), ""),
     "7: +x +y +z [z!] [y!] [x!]"},
    {"inactive ones do not queue", BASE JOB("a", "1", AT("00"), ", active: false"), "0: +a"},
};

START_TEST(run)
{
    struct sim *s = make(runs[_i].text, 0);
    struct err err = {0};

    ck_assert_int_eq(sim_run(s, &err), 0);
    ck_assert_int_eq(sim_end(s), SIM_QUIESCENT);
    ck_assert_msg(!strcmp(str_text(&log_), runs[_i].log), "%s:\n%s\nwanted\n%s", runs[_i].about,
                  str_text(&log_), runs[_i].log);
    sim_free(s);
}
END_TEST

START_TEST(max_cycles)
{
    struct sim *s = make(BASE JOB("low", "4", AT("00"), "") JOB("high", "4", AT("05"), ", priority: 10"), 2);
    struct err err = {0};
    bool more;

    ck_assert_int_eq(sim_run(s, &err), 0);
    ck_assert_int_eq(sim_end(s), SIM_STOPPED);
    ck_assert_str_eq(str_text(&log_), "0: +low [low!]\n5: +high [highx]"); /* evicted, not yet released */
    const struct sim_wl *low = sim_at(s, 1);
    ck_assert_str_eq(low->key, "ns/low");
    ck_assert_int_eq(low->status.cond[COND_EVICTED].status, STATUS_TRUE);
    ck_assert_int_eq(low->status.cond[COND_QUOTA_RESERVED].status, STATUS_TRUE);
    ck_assert_ptr_nonnull(low->admission);
    ck_assert_int_eq(sim_step(s, &more, &err), 0);
    ck_assert(!more);
    sim_free(s);
}
END_TEST

static const struct {
    const char *text, *err;
} bad[] = {
    {BASE JOB("a", "1", SIM("sim/run-seconds: soon"), ""), "sim/run-seconds"},
    {BASE JOB("a", "1", SIM("sim/run-seconds: '-1'"), ""), "sim/run-seconds"},
    {BASE JOB("a", "1", SIM("sim/stop-seconds: '1.5'"), ""), "sim/stop-seconds"},
    {BASE JOB("a", "1", SIM("sim/arrive-at: noon"), ""), "sim/arrive-at"},
    {BASE JOB("a", "1", "", "") JOB("a", "2", "", ""), "ns/a is there twice"},
};

START_TEST(refused)
{
    struct sim *s;
    struct err err = {0};
    struct sim_options opt = {0};

    set = api_set_new(API_NO_VALIDATE); /* else the reader refuses the second of a name */
    ck_assert_int_eq(api_read_buffer(set, "test.yaml", bad[_i].text, strlen(bad[_i].text), &err), 0);
    ck_assert_int_ne(sim_new(set, &opt, &s, &err), 0);
    ck_assert_msg(strstr(err.text, bad[_i].err) != NULL, "%s", err.text);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(same_bytes_twice)
{
    struct str out[2];
    const char *text = BASE JOB("low", "4", AT("00") SIM("sim/run-seconds: '8'"), "")
        JOB("high", "4", AT("05"), ", priority: 10");

    for (int i = 0; i < 2; i++) {
        struct err err = {0};
        struct sim *s = make(text, 0);
        struct trace *t = trace_new(s, "w");
        str_init(&out[i], 0);
        ck_assert_int_eq(sim_run(s, &err), 0);
        trace_print(t, &out[i]);
        ck_assert(!str_failed(&out[i]));
        trace_free(t);
        sim_free(s);
        api_set_free(set);
    }
    set = NULL;
    ck_assert_str_eq(str_text(&out[0]), str_text(&out[1]));
    ck_assert_ptr_nonnull(
        strstr(str_text(&out[0]), "\"evicted\":[\"ns/low\"],\n  \"released\":[\"ns/low\"]"));
    str_free(&out[0]);
    str_free(&out[1]);
}
END_TEST

START_TEST(out_of_memory)
{
    struct err err = {0};
    int64_t live;

    const char *text = BASE JOB("low", "4", AT("00"), "") JOB("high", "4", AT("05"), ", priority: 10");
    set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(set, "test.yaml", text, strlen(text), &err), 0);
    live = mem_live();
    for (uint64_t n = 1;; n++) {
        struct sim *s = NULL;
        struct sim_options opt = {.start = WHEN_NONE};
        mem_fail_after(n);
        int rc = sim_new(set, &opt, &s, &err);
        if (!rc)
            rc = sim_run(s, &err);
        mem_fail_after(0);
        sim_free(s);
        ck_assert_int_eq(mem_live(), live);
        if (!rc)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_uint_lt(n, 10000);
    }
}
END_TEST

START_TEST(max_cycles_line)
{
    static const struct {
        const char *text;
        uint64_t n;
    } rows[] = {{"# sim: maxCycles=12\nkind: X", 12},
                {"# sim: maxCycles=1", 1},
                {"kind: X", 0},
                {"", 0},
                {"# sim: maxCycles=", 0}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_uint_eq(sim_max_cycles_of(rows[i].text, strlen(rows[i].text)), rows[i].n);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *s = suite_create("sim");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, run, 0, ROWS(runs));
    tcase_add_loop_test(t, refused, 0, ROWS(bad));
    tcase_add_test(t, max_cycles);
    tcase_add_test(t, same_bytes_twice);
    tcase_add_test(t, out_of_memory);
    tcase_add_test(t, max_cycles_line);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
