/* The replay against the simulation, which knows whole objects and conditions: the same admissions, evictions, ends and times; and the laws of
 * conservation; over random queues and traces. */
#include "sim/replay.h"

#include "base/mem.h"
#include "sim/sim.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 120, JOBS_OF_SEED = 80, QUEUES_MAX = 5, AT_ONCE = 2000 };

static uint64_t dice_;

static uint32_t roll(uint32_t n)
{
    dice_ ^= dice_ << 13;
    dice_ ^= dice_ >> 7;
    dice_ ^= dice_ << 17;
    return (uint32_t)((dice_ >> 32) % n);
}

struct one_job {
    uint32_t at, run, gpus, pods, queue;
    int priority;
};

struct story {
    struct str queues, jobs, workloads;
    uint32_t nqueues, stop;
    uint32_t startup; /* pods take so long, s */
    struct one_job job[JOBS_OF_SEED];
};

static void make_queues(struct story *s)
{
    static const char *const within[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority"},
                             *const reclaim[] = {"Never", "LowerPriority", "Any"};
    bool fair = roll(4) == 0, borrow_preempt = roll(4) == 0 && !fair;

    str_add(&s->queues, "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n");
    if (fair)
        str_add(&s->queues,
                "fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}\n");
    if (s->startup) /* some starts are given up: always, and then not without end */
        str_addf(&s->queues,
                 "waitForPodsReady: {timeout: %us, blockAdmission: %s, requeuingStrategy: {timestamp: %s, "
                 "backoffBaseSeconds: %u, backoffMaxSeconds: 20, backoffLimitCount: %u}}\n",
                 roll(3) ? s->startup + roll(3) : 1 + roll(s->startup), roll(2) ? "true" : "false",
                 roll(2) ? "Eviction" : "Creation", 1 + roll(9), roll(4));
    str_add(&s->queues, "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n"
                        "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: g}\n"
                        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
    if (roll(2)) /* a level more: what is quota of one cohort may be in use in the other */
        str_add(&s->queues, "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Cohort\nmetadata: {name: "
                            "all}\nspec: {parentName: top}\n"
                            "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Cohort\nmetadata: {name: "
                            "other}\nspec: {parentName: top}\n");
    for (uint32_t i = 0; i < s->nqueues; i++) {
        bool two = roll(3) == 0;
        str_addf(
            &s->queues,
            "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: q%u}\nspec:\n"
            "  cohortName: %s\n  namespaceSelector: {}\n  queueingStrategy: %s\n"
            "  preemption: {withinClusterQueue: %s, reclaimWithinCohort: %s%s}\n"
            "  resourceGroups: [{coveredResources: [nvidia.com/gpu], flavors: [{name: f, resources: [{name: "
            "nvidia.com/gpu, nominalQuota: %u%s}]}",
            i, roll(3) ? "all" : "other", roll(2) ? "StrictFIFO" : "BestEffortFIFO", within[roll(3)],
            borrow_preempt ? "Any" : reclaim[roll(3)],
            borrow_preempt ? ", borrowWithinCohort: {policy: LowerPriority}" : "", 4 + roll(12),
            roll(3) ? "" : ", borrowingLimit: 6");
        if (two)
            str_addf(&s->queues, ", {name: g, resources: [{name: nvidia.com/gpu, nominalQuota: %u}]}",
                     2 + roll(6));
        str_addf(&s->queues,
                 "]}]\n---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: q%u, "
                 "namespace: ns}\n"
                 "spec: {clusterQueue: q%u}\n",
                 i, i);
    }
}

/* Submissions at different seconds, as the format of worlds asks for. */
static void make_jobs(struct story *s)
{
    char at[40];

    str_add(&s->jobs, "job_id,submit_s,duration_s,gpus,tenant,priority,pods\n");
    for (uint32_t i = 0, t = 100; i < JOBS_OF_SEED; i++) {
        struct one_job *j = &s->job[i];
        t += 1 + roll(9);
        *j = (struct one_job){t, 1 + roll(120), 0, 1 + roll(3), roll(s->nqueues), (int)roll(3) * 10};
        j->gpus = j->pods * (1 + roll(3));
        str_addf(&s->jobs, "j%03u,%u,%u,%u,q%u,%d,%u\n", i, j->at, j->run, j->gpus, j->queue, j->priority,
                 j->pods);
        (void)when_print(j->at * NS_PER_S, at, sizeof(at));
        str_addf(
            &s->workloads,
            "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: Workload\nmetadata: {name: j%03u, namespace: ns, "
            "creationTimestamp: '%s', annotations: {sim/run-seconds: '%u', sim/stop-seconds: '%u'}}\n"
            "spec: {queueName: q%u, priority: %d, podSets: [{name: main, count: %u, template: {spec: "
            "{containers: "
            "[{name: main, resources: {requests: {nvidia.com/gpu: %u}}}]}}}]}\n",
            i, at, j->run + s->startup, s->stop, j->queue, j->priority, j->pods, j->gpus / j->pods);
    }
}

static void story_begin(struct story *s, uint64_t seed)
{
    dice_ = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    memset(s, 0, sizeof(*s));
    str_init(&s->queues, 0);
    str_init(&s->jobs, 0);
    str_init(&s->workloads, 0);
    s->nqueues = 2 + roll(QUEUES_MAX - 1);
    s->stop = roll(3) ? 0 : 1 + roll(20);
    s->startup = roll(2) ? 0 : 1 + roll(12);
    make_queues(s);
    make_jobs(s);
}

static void story_end(struct story *s)
{
    str_free(&s->queues);
    str_free(&s->jobs);
    str_free(&s->workloads);
}

static struct api_set *objects_of(const struct story *s, bool workloads)
{
    struct api_set *set = api_set_new(0);

    ck_assert_int_eq(api_read_buffer(set, "q.yaml", str_text(&s->queues), s->queues.len, NULL), 0);
    if (workloads)
        ck_assert_int_eq(api_read_buffer(set, "w.yaml", str_text(&s->workloads), s->workloads.len, NULL), 0);
    ck_assert_msg(!api_set_errors(set), "%s", api_set_errors(set) ? api_set_error(set, 0) : "");
    return set;
}

/* ---- what happens, as text ---------------------------------------------------------------------------------------------- */

static struct sim *sim_;
static bool ended; /* did the last replay come to its end? Some worlds evict for ever */

static void line(struct str *log, char what, const char *job, when_ns at)
{
    str_addf(log, "%c %s %lld\n", what, job, (long long)(at / NS_PER_S));
}

static void on_cycle(void *arg, const struct cycle *c)
{
    for (uint32_t i = 0; i < c->nevicted; i++)
        line(arg, 'E', c->evicted[i]->name, sim_time(sim_));
    for (uint32_t i = 0; i < c->ndecisions; i++)
        if (c->decisions[i].outcome == OUTCOME_ADMITTED)
            line(arg, 'A', c->decisions[i].w->name, sim_time(sim_));
}

static void on_event(void *arg, enum sim_event e, const struct sim_wl *sw)
{
    if (e == SIM_FINISHED)
        line(arg, 'F', strchr(sw->key, '/') + 1, sim_time(sim_));
}

/* False when it never comes to rest. */
static bool by_simulation(const struct story *s, struct str *log)
{
    struct api_set *set = objects_of(s, true);
    struct sim_options opt = {.start = WHEN_NONE,
                              .models = s->startup > 0,
                              .startup_ns = s->startup * NS_PER_S,
                              .max_cycles_at_once = AT_ONCE,
                              .until_ns = 100000 * NS_PER_S};
    struct sim_watcher w = {.arg = log, .cycle = on_cycle, .event = on_event};

    ck_assert_int_eq(sim_new(set, &opt, &sim_, NULL), 0);
    sim_watch(sim_, &w);
    ck_assert_int_eq(sim_run(sim_, NULL), 0);
    bool rests = sim_end(sim_) == SIM_QUIESCENT;
    sim_free(sim_);
    api_set_free(set);
    return rests;
}

static void on_note(void *arg, const struct replay_note *n)
{
    static const char what[] = {[REPLAY_ADMITTED] = 'A', [REPLAY_EVICTED] = 'E', [REPLAY_FINISHED] = 'F'};

    if (n->event == REPLAY_ADMITTED || n->event == REPLAY_EVICTED || n->event == REPLAY_FINISHED)
        line(arg, what[n->event], n->job, n->at);
}

/* Everything that is decided, with its reasons. */
static void on_decision(void *arg, const struct replay_note *n)
{
    str_addf(arg, "%lld %d %s %s", (long long)(n->at / NS_PER_S), n->event, n->job, n->queue);
    if (n->decision)
        str_addf(arg, " outcome %d wait %d", n->decision->outcome, n->decision->wait);
    if (n->decision && n->decision->a)
        str_addf(arg, " level %u", n->decision->a->borrowing);
    if (n->event == REPLAY_EVICTED)
        str_addf(arg, " reason %d by %s", n->reason, n->by);
    str_addc(arg, '\n');
}

static replay_note_fn *note_ = on_note;

static struct replay *by_replay(const struct story *s, const struct replay_options *opt, struct str *log)
{
    struct api_set *set = objects_of(s, false);
    FILE *f = fmemopen(s->jobs.p, s->jobs.len, "rb");
    struct jobs_reader *jobs;
    struct replay *r;
    struct err err = {0};

    ck_assert_int_eq(jobs_open_file(f, "jobs", &jobs, NULL), 0);
    ck_assert_int_eq(replay_new(set, opt, &r, NULL), 0);
    api_set_free(set); /* borrowed for the making only */
    replay_watch(r, note_, log);
    int rc = replay_run(r, jobs, &err);
    ck_assert_msg(!rc || (rc == ERR_STATE && opt->cycles_at_once), "%s", err.text);
    if (!rc)
        ck_assert_msg(!replay_check(r, &err), "%s", err.text);
    else
        ck_assert_ptr_nonnull(strstr(err.text, "evict each other for ever"));
    ended = !rc;
    jobs_close(jobs);
    (void)fclose(f);
    return r;
}

static struct replay_options options(const struct mapping *m, const struct story *s)
{
    return (struct replay_options){.window = {INT64_MIN + 1, INT64_MAX},
                                   .warmup_ns = -1,
                                   .stop_ns = s->stop * NS_PER_S,
                                   .startup_ns = s->startup * NS_PER_S,
                                   .map = m};
}

static struct mapping *mapping(void)
{
    struct mapping *m = mapping_new();

    ck_assert_int_eq(mapping_read(m, "namespace: ns\n", 14, NULL), 0);
    return m;
}

/* The logs are too long for a message of Check: the first line that differs. */
static void same(const struct str *got, const struct str *want, int seed)
{
    const char *a = str_text(got), *b = str_text(want);
    size_t i = 0, start = 0;

    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n')
            start = i + 1;
    ck_assert_msg(a[i] == b[i], "seed %d: \"%.30s\" where the simulation has \"%.30s\"", seed, a + start,
                  b + start);
}

START_TEST(test_same_as_simulation)
{
    struct story s;
    struct str want, got, every;
    struct mapping *m = mapping();
    int64_t live = mem_live();

    story_begin(&s, (uint64_t)_i + 1);
    str_init(&want, 0);
    str_init(&got, 0);
    str_init(&every, 0);
    bool rests = by_simulation(&s, &want);
    struct replay_options opt = options(m, &s);
    opt.cycles_at_once = AT_ONCE;
    struct replay *r = by_replay(&s, &opt, &got);
    uint64_t cycles = replay_result(r)->cycles;
    replay_free(r);
    ck_assert_int_eq(ended, rests);
    if (rests)
        same(&got, &want, _i);
    opt.every_cycle = true;
    r = by_replay(&s, &opt, &every);
    ck_assert_uint_ge(replay_result(r)->cycles, cycles);
    replay_free(r);
    if (rests)
        same(&every, &want, _i);
    str_free(&want);
    str_free(&got);
    str_free(&every);
    story_end(&s);
    ck_assert_int_eq(mem_live(), live);
    mapping_free(m);
}
END_TEST

/* Each search for victims that is left out would have found none: all decisions and their reasons are the same with it. */
START_TEST(test_searches)
{
    struct story s;
    struct str some, all;
    struct mapping *m = mapping();

    story_begin(&s, (uint64_t)_i + 5000);
    str_init(&some, 0);
    str_init(&all, 0);
    struct replay_options opt = options(m, &s);
    opt.cycles_at_once = AT_ONCE;
    note_ = on_decision;
    replay_free(by_replay(&s, &opt, &some));
    opt.every_search = true;
    replay_free(by_replay(&s, &opt, &all));
    note_ = on_note;
    ck_assert_uint_gt(some.len, 0);
    same(&some, &all, _i);
    str_free(&some);
    str_free(&all);
    story_end(&s);
    mapping_free(m);
}
END_TEST

/* Windows, warm-up, checkpoints and starts that cost: the laws hold (they are checked in by_replay), and work is never lost for nothing. */
START_TEST(test_laws)
{
    struct story s;
    struct str log, again;
    struct mapping *m = mapping();

    story_begin(&s, (uint64_t)_i + 1000);
    str_init(&log, 0);
    str_init(&again, 0);
    struct replay_options opt = options(m, &s);
    opt.window = (struct window){200 * NS_PER_S, (250 + roll(200)) * NS_PER_S};
    opt.warmup_ns = roll(2) ? -1 : (int64_t)roll(80) * NS_PER_S;
    opt.checkpoint_ns = roll(2) ? 0 : (int64_t)(1 + roll(30)) * NS_PER_S;
    opt.skip_impossible = roll(2);
    opt.cycles_at_once = AT_ONCE;
    opt.bins = 2 + 2 * roll(20); /* with them, what happens over time adds up */
    struct replay *a = by_replay(&s, &opt, &log), *b = by_replay(&s, &opt, &again);
    const struct replay_result *res = replay_result(a);
    ck_assert_str_eq(str_text(&log), str_text(&again));
    uint32_t jobs = 0;
    for (uint32_t i = 0; i < JOBS_OF_SEED; i++)
        jobs += s.job[i].at * NS_PER_S >= opt.window.from && s.job[i].at * NS_PER_S < opt.window.to;
    if (ended && !res->impossible)
        ck_assert_uint_eq(res->total.jobs, jobs);
    if (!res->evictions && !res->total.timeouts)
        ck_assert(res->total.lost == 0);
    ck_assert(res->total.borrowed >= 0 && res->total.lent >= 0 && res->total.overdraft == 0);
    replay_free(a);
    replay_free(b);
    str_free(&log);
    str_free(&again);
    story_end(&s);
    mapping_free(m);
}
END_TEST

/* ---- by hand ------------------------------------------------------------------------------------------------------------ */

#define QUEUE(name, quota, more)                                                                             \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: " name "}\n"              \
    "spec: {cohortName: all, namespaceSelector: {}" more                                                     \
    ", resourceGroups: [{coveredResources: [nvidia.com/gpu], flavors: [{name: f, resources: [{name: "        \
    "nvidia.com/gpu, nominalQuota: " quota "}]}]}]}\n"                                                       \
    "---\napiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: " name                      \
    ", namespace: ns}\nspec: {clusterQueue: " name "}\n"

static const char hand_queues[] =
    "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n" QUEUE(
        "a", "4", ", preemption: {reclaimWithinCohort: Any}") QUEUE("b", "4", "");

/* b borrows two of a's four; a takes them back after 60 s; b's job has a checkpoint every 25 s and takes 10 s to stop. */
static const char hand_jobs[] = "job_id,submit_s,duration_s,gpus,tenant\nb1,0,100,6,b\na1,60,40,4,a\n";

START_TEST(test_by_hand)
{
    struct story s = {.stop = 10};
    struct str log;
    struct mapping *m = mapping();
    str_init(&s.queues, 0);
    str_init(&s.jobs, 0);
    str_init(&log, 0);
    str_add(&s.queues, hand_queues);
    str_add(&s.jobs, hand_jobs);
    struct replay_options opt = options(m, &s);
    opt.checkpoint_ns = 25 * NS_PER_S;
    struct replay *r = by_replay(&s, &opt, &log);
    const struct replay_result *res = replay_result(r);
    ck_assert_str_eq(str_text(&log), "A b1 0\nE b1 60\nA a1 70\nF a1 110\nA b1 110\nF b1 160\n");
    ck_assert(res->total.lost == (wide)6 * 10 * NS_PER_S);
    ck_assert(res->total.borrowed == (wide)2 * (70 + 50) * NS_PER_S);
    ck_assert(res->queues[0].lent == res->total.borrowed && res->queues[1].borrowed == res->total.borrowed);
    ck_assert(res->total.used == (wide)(6 * 120 + 4 * 40) * NS_PER_S);
    ck_assert_int_eq(res->queues[0].reclaim.n, 1);
    ck_assert_int_eq(res->queues[0].reclaim.max_ns, 10 * NS_PER_S);
    ck_assert_int_eq(res->total.wait.max_ns, 10 * NS_PER_S);
    ck_assert_int_eq(res->tenants[1].late.max_ns, 60 * NS_PER_S);
    ck_assert_int_eq(res->nloans, 1);
    ck_assert_str_eq(res->loans[0].lender, "a");
    replay_free(r);
    str_free(&log);
    str_free(&s.queues);
    str_free(&s.jobs);
    mapping_free(m);
}
END_TEST

/* Types of GPUs choose flavors by their node label: b waits for a T4, c takes either. */
START_TEST(test_types)
{
    static const char queues[] =
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: t4}\n"
        "spec: {nodeLabels: {gpu: tesla-t4}}\n---\n"
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: p100}\n"
        "spec: {nodeLabels: {gpu: P100}}\n---\n"
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: a}\n"
        "spec: {namespaceSelector: {}, resourceGroups: [{coveredResources: [nvidia.com/gpu], flavors: "
        "[{name: t4, "
        "resources: [{name: nvidia.com/gpu, nominalQuota: 2}]}, {name: p100, resources: [{name: "
        "nvidia.com/gpu, "
        "nominalQuota: 2}]}]}]}\n---\n"
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: a, namespace: ns}\n"
        "spec: {clusterQueue: a}\n";
    static const char map[] = "namespace: ns\ngpuTypeLabel: gpu\ngpuTypes: {T4: tesla-t4}\n";
    struct story s = {.stop = 0};
    struct str log;
    struct mapping *m = mapping_new();
    ck_assert_int_eq(mapping_read(m, map, strlen(map), NULL), 0);
    str_init(&s.queues, 0);
    str_init(&s.jobs, 0);
    str_init(&log, 0);
    str_add(&s.queues, queues);
    str_add(&s.jobs, "job_id,submit_s,duration_s,gpus,tenant,gpu_type\na,0,100,2,a,T4\nb,1,10,1,a,T4\n"
                     "c,2,10,1,a,P100|T4\n");
    struct replay_options opt = options(m, &s);
    replay_free(by_replay(&s, &opt, &log));
    ck_assert_str_eq(str_text(&log), "A a 0\nA c 2\nF c 12\nF a 100\nA b 100\nF b 110\n");
    str_free(&log);
    str_free(&s.queues);
    str_free(&s.jobs);
    mapping_free(m);
}
END_TEST

/* Where cpu stands for GPUs, a unit is a thousandth of one, as quotas are counted: two jobs of one fit into a quota of 2. */
START_TEST(test_cpu)
{
    static const char queues[] =
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n---\n"
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ClusterQueue\nmetadata: {name: a}\n"
        "spec: {namespaceSelector: {}, resourceGroups: [{coveredResources: [cpu], flavors: [{name: f, "
        "resources: [{name: cpu, nominalQuota: 2}]}]}]}\n---\n"
        "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: a, namespace: ns}\n"
        "spec: {clusterQueue: a}\n";
    static const char *const maps[] = {"{namespace: ns, resource: cpu, unitsPerGpu: 1000}",
                                       "{namespace: ns, resource: cpu}"};
    struct story s = {.stop = 0};
    struct str log;
    struct mapping *m = mapping_new();
    ck_assert_int_eq(mapping_read(m, maps[_i], strlen(maps[_i]), NULL), 0);
    ck_assert_int_eq(mapping_units(m), 1000);
    str_init(&s.queues, 0);
    str_init(&s.jobs, 0);
    str_init(&log, 0);
    str_add(&s.queues, queues);
    str_add(&s.jobs, "job_id,submit_s,duration_s,gpus,tenant\na,0,100,1,a\nb,1,10,1,a\nc,2,10,0.5,a\n");
    struct replay_options opt = options(m, &s);
    struct replay *r = by_replay(&s, &opt, &log);
    ck_assert_str_eq(str_text(&log), "A a 0\nA b 1\nF b 11\nA c 11\nF c 21\nF a 100\n");
    ck_assert_int_eq(replay_result(r)->total.nominal, 2000);
    ck_assert(replay_result(r)->total.used == (wide)1000 * (100 + 10 + 5) * NS_PER_S);
    replay_free(r);
    str_free(&log);
    str_free(&s.queues);
    str_free(&s.jobs);
    mapping_free(m);
}
END_TEST

START_TEST(test_no_queue)
{
    struct api_set *set = api_set_new(0);
    char text[] = "job_id,submit_s,duration_s,gpus,tenant\nx,0,1,1,nobody\n";
    FILE *f = fmemopen(text, strlen(text), "rb");
    struct mapping *m = mapping();
    struct replay_options opt = {.window = {INT64_MIN + 1, INT64_MAX}, .warmup_ns = -1, .map = m};
    struct jobs_reader *jobs;
    struct replay *r;
    struct err err = {0};

    ck_assert_int_eq(api_read_buffer(set, "q.yaml", hand_queues, strlen(hand_queues), NULL), 0);
    ck_assert_int_eq(jobs_open_file(f, "jobs", &jobs, NULL), 0);
    ck_assert_int_eq(replay_new(set, &opt, &r, NULL), 0);
    ck_assert_int_eq(replay_run(r, jobs, &err), ERR_NOTFOUND);
    ck_assert_ptr_nonnull(strstr(err.text, "tenant \"nobody\" of line 2"));
    ck_assert_ptr_nonnull(strstr(err.text, "ns/nobody"));
    replay_free(r);
    jobs_close(jobs);
    (void)fclose(f);
    api_set_free(set);
    mapping_free(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replay");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_same_as_simulation, 0, SEEDS);
    tcase_add_loop_test(t, test_searches, 0, SEEDS);
    tcase_add_loop_test(t, test_laws, 0, SEEDS);
    tcase_add_test(t, test_by_hand);
    tcase_add_test(t, test_types);
    tcase_add_loop_test(t, test_cpu, 0, 2);
    tcase_add_test(t, test_no_queue);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
