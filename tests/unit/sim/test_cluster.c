/* The model cluster and gathered worlds: when it begins and ends, pods that become ready or do not, admission checks. */
#include "sim/sim.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG(text) "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n" text "---\n"
#define BASE_WITH(spec)                                                                                      \
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\napiVersion: v1\n"   \
    "kind: Namespace\nmetadata: {name: ns}\n"                                                                \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q}\n"                     \
    "spec: {namespaceSelector: {}, queueingStrategy: BestEffortFIFO" spec ",\n"                              \
    "  resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, resources: [{name: cpu, "              \
    "nominalQuota: 4}]}]}]}\n"                                                                               \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: q, namespace: ns}\n"        \
    "spec: {clusterQueue: q}\n"
#define BASE BASE_WITH("")
#define JOB(name, cpu, more)                                                                                 \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: " name ", namespace: ns" more \
    "}\n"                                                                                                    \
    "spec: {queueName: q, podSets: [{name: main, count: 1, template: {spec: {containers: [{name: c, "        \
    "resources: {requests: {cpu: " cpu "}}}]}}}]}\n"
#define AT(s) ", creationTimestamp: '2026-01-01T00:00:" s "Z'"
#define SIM(s) ", annotations: {" s "}"
#define CHECKED BASE_WITH(", admissionChecksStrategy: {admissionChecks: [{name: budget}]}")
#define CHECK(status)                                                                                        \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: AdmissionCheck\nmetadata: {name: budget}\n"              \
    "spec: {controllerName: example.com/budget}\n" status
#define T0 (INT64_C(1767225600) * NS_PER_S)

static struct api_set *set;
static struct str log_;

static void on_step(void *arg, when_ns t)
{
    (void)arg;
    str_addf(&log_, "%s%lld:", log_.len ? "\n" : "", (long long)((t - T0) / NS_PER_S));
}

static void on_event(void *arg, enum sim_event e, const struct sim_wl *sw)
{
    static const char sign[] = {
        [SIM_FINISHED] = '.', [SIM_RELEASED] = '<', [SIM_LOOKED] = '?', [SIM_ARRIVED] = '+'};

    (void)arg;
    str_addf(&log_, " %c%s", sign[e], strchr(sw->key, '/') + 1);
}

static void on_cycle(void *arg, const struct cycle *c)
{
    (void)arg;
    for (uint32_t i = 0; i < c->ndecisions; i++)
        str_addf(&log_, " %s%c", strchr(c->decisions[i].w->key, '/') + 1,
                 c->decisions[i].outcome == OUTCOME_ADMITTED ? '!' : '-');
}

static struct sim *make(const char *text, const struct sim_options *opt)
{
    struct err err = {0};
    struct sim *s;

    set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(set, "test.yaml", text, strlen(text), &err), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_errors(set) ? api_set_error(set, 0) : "");
    ck_assert_msg(!sim_new(set, opt, &s, &err), "%s", err.text);
    sim_watch(s, &(struct sim_watcher){.step = on_step, .event = on_event, .cycle = on_cycle});
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

/* Seconds since T0; -1 = not given. */
static const struct {
    const char *about, *text;
    int begin, until, startup;
    enum sim_end end;
    const char *log;
} runs[] = {
    {"without annotations all are there at the newest time",
     BASE JOB("a", "3", AT("05")) JOB("b", "3", AT("02")), -1, 0, 0, SIM_QUIESCENT, "5: +a +b b! a-"},
    {"with one of them, they come when they were created",
     BASE JOB("a", "3", AT("05")) JOB("b", "3", AT("07") SIM("sim/run-seconds: '9'")), -1, 0, 0,
     SIM_QUIESCENT, "5: +a a!\n7: +b b-"},
    {"a beginning that is given: earlier ones are there, later ones come",
     BASE JOB("a", "1", AT("05")) JOB("b", "1", AT("02")) JOB("c", "1", AT("20")), 10, 0, 0, SIM_QUIESCENT,
     "10: +a +b b! a!\n20: +c c!"},
    {"created when it arrives, if nothing else is said",
     BASE JOB("b", "3", SIM("sim/arrive-at: '2026-01-01T00:00:09Z'")) JOB("a", "3", AT("11")), 30, 0, 0,
     SIM_QUIESCENT, "30: +a +b b! a-"},
    {"an end", BASE JOB("a", "3", AT("00") SIM("sim/run-seconds: '10'")) JOB("b", "3", AT("01")), -1, 9, 0,
     SIM_TIME_OVER, "0: +a a!\n1: +b b-"},
    {"what happens at the end still happens",
     BASE JOB("a", "3", AT("00") SIM("sim/run-seconds: '10'")) JOB("b", "3", AT("01")), -1, 10, 0,
     SIM_QUIESCENT, "0: +a a!\n1: +b b-\n10: .a b!"},
    {"blockAdmission: at once ready",
     CONFIG("waitForPodsReady: {blockAdmission: true}\n") BASE JOB("a", "1", AT("00"))
         JOB("b", "1", AT("00")),
     -1, 0, 0, SIM_QUIESCENT, "0: +a +b a! b!"},
    {"blockAdmission: the next one waits for the pods of the one before",
     CONFIG("waitForPodsReady: {blockAdmission: true}\n") BASE JOB("a", "1", AT("00"))
         JOB("b", "1", AT("00")),
     -1, 0, 30, SIM_QUIESCENT, "0: +a +b a! b-\n30: ?a b!\n60: ?b"},
    {"too late: evicted, back after a minute, and given up the second time",
     CONFIG("waitForPodsReady: {timeout: 100s, requeuingStrategy: {backoffLimitCount: 1}}\n")
         BASE JOB("a", "1", AT("00")),
     -1, 0, 101, SIM_QUIESCENT, "0: +a a!\n100: ?a <a\n160: ?a a!\n260: ?a <a"},
    {"in time", CONFIG("waitForPodsReady: {timeout: 100s}\n") BASE JOB("a", "1", AT("00")), -1, 0, 99,
     SIM_QUIESCENT, "0: +a a!\n99: ?a"},
    {"switched off: nobody waits for pods",
     CONFIG("featureGates: {DisableWaitForPodsReady: true}\n") BASE JOB("a", "1", AT("00")), -1, 0, 99,
     SIM_QUIESCENT, "0: +a a!"},
};

static struct sim_options options_of(int begin, int until, int startup)
{
    return (struct sim_options){
        .max_cycles_at_once = 200,
        .start = WHEN_NONE,
        .gathers = true,
        .begin = begin < 0 ? WHEN_NONE : T0 + begin * NS_PER_S,
        .until_ns = until * NS_PER_S,
        .models = true,
        .startup_ns = startup * NS_PER_S,
    };
}

START_TEST(run)
{
    const struct sim_options opt = options_of(runs[_i].begin, runs[_i].until, runs[_i].startup);
    struct sim *s = make(runs[_i].text, &opt);
    struct err err = {0};

    ck_assert_int_eq(sim_run(s, &err), 0);
    ck_assert_msg(!strcmp(str_text(&log_), runs[_i].log), "%s: expected\n%s\ngot\n%s", runs[_i].about,
                  runs[_i].log, str_text(&log_));
    ck_assert_msg(sim_end(s) == runs[_i].end, "%s: end %d", runs[_i].about, sim_end(s));
    sim_free(s);
}
END_TEST

static const struct {
    const char *about, *text;
    bool admitted;
    uint32_t assumed;
} checks[] = {
    {"nobody answers: Ready", CHECKED CHECK("") JOB("a", "1", AT("00")), true, 1},
    {"no such object: its queue is not active", CHECKED JOB("a", "1", AT("00")), false, 0},
    {"not active by its own word",
     CHECKED CHECK("status: {conditions: [{type: Active, status: 'False', reason: R, message: m, "
                   "lastTransitionTime: '2026-01-01T00:00:00Z'}]}\n") JOB("a", "1", AT("00")),
     false, 0},
    {"no checks", BASE JOB("a", "1", AT("00")), true, 0},
};

START_TEST(check)
{
    const struct sim_options opt = options_of(-1, 0, 0);
    struct sim *s = make(checks[_i].text, &opt);
    struct err err = {0};

    ck_assert_int_eq(sim_run(s, &err), 0);
    bool admitted = sim_at(s, 0)->status.cond[COND_ADMITTED].status == STATUS_TRUE;
    ck_assert_msg(admitted == checks[_i].admitted, "%s", checks[_i].about);
    ck_assert_msg(sim_assumed_checks(s) == checks[_i].assumed, "%s", checks[_i].about);
    if (checks[_i].assumed)
        ck_assert_str_eq(sim_assumed_check(s, 0), "budget");
    sim_free(s);
}
END_TEST

/* Recorded worlds know of no model: a check that nobody answers keeps its Workload waiting. */
START_TEST(no_model)
{
    const struct sim_options opt = {.max_cycles_at_once = 200, .start = WHEN_NONE};
    struct sim *s = make(checks[0].text, &opt);
    struct err err = {0};

    ck_assert_int_eq(sim_run(s, &err), 0);
    ck_assert(sim_at(s, 0)->status.cond[COND_ADMITTED].status != STATUS_TRUE);
    ck_assert_uint_eq(sim_assumed_checks(s), 0);
    sim_free(s);
}
END_TEST

START_TEST(out_of_memory)
{
    const char *text =
        CONFIG("waitForPodsReady: {timeout: 100s, blockAdmission: true, requeuingStrategy: "
               "{backoffLimitCount: 1}}\n") CHECKED CHECK("") JOB("a", "1", AT("00")) JOB("b", "1", AT("01"));
    const struct sim_options opt = options_of(-1, 0, 101);
    struct err err = {0};

    set = api_set_new(0);
    ck_assert_int_eq(api_read_buffer(set, "test.yaml", text, strlen(text), &err), 0);
    int64_t live = mem_live();
    for (uint64_t n = 1;; n++) {
        struct sim *s = NULL;
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

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
    Suite *s = suite_create("cluster");
    TCase *t = tcase_create("all");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, run, 0, ROWS(runs));
    tcase_add_loop_test(t, check, 0, ROWS(checks));
    tcase_add_test(t, no_model);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
