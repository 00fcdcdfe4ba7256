/* bench-core: how fast and how small the engine is. One JSON line a scenario; each runs in a process of its own, so that the peak
 * memory (VmHWM) is its own. Time is CPU from the first to the last decision; reading facts is not counted. Worlds are made
 * from counters, so every run sees the same.
 *
 *     bench-core [SCENARIO...]     default: all
 */
#include "base/mem.h"
#include "core/cycle.h"
#include "core/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ORIGIN (INT64_C(1767268800) * NS_PER_S) /* 2026-01-01T12:00:00Z */

static void die(const char *what)
{
    fprintf(stderr, "bench-core: %s\n", what);
    exit(1);
}

static void check(int rc)
{
    if (rc)
        die(err_name(rc));
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

/* ---- worlds ------------------------------------------------------------------------------------------------------------------ */

static struct quantity qty(const char *text)
{
    struct quantity q;
    check(quantity_parse(text, strlen(text), &q, NULL));
    return q;
}

static struct world *start_world(bool fair)
{
    struct world *w = world_new();
    struct fact_config c = {.fair_sharing = fair};
    struct fact_flavor f = {.name = "f", .topology = ""};
    struct fact_namespace ns = {.name = "ns"};
    if (!w)
        die("out of memory");
    check(world_configure(w, &c, NULL));
    check(world_put_flavor(w, &f, NULL));
    check(world_put_namespace(w, &ns, NULL));
    return w;
}

/* A ClusterQueue with cpu and, if memory_gi > 0, memory, and its LocalQueue. */
static void put_queue(struct world *w, uint32_t i, const char *cohort, int64_t cpu, int64_t memory_gi,
                      const struct fact_preemption *preemption)
{
    char cq[32], lq[32];
    snprintf(cq, sizeof cq, "cq%04u", i);
    snprintf(lq, sizeof lq, "lq%04u", i);
    const char *resources[] = {"cpu", "memory"};
    struct fact_quota quotas[2] = {{.nominal = quantity_from_i64(cpu)},
                                   {.nominal = quantity_from_i64(memory_gi << 30)}};
    struct fact_flavor_quotas fq = {"f", quotas};
    struct fact_resource_group group = {resources, memory_gi ? 2 : 1, &fq, 1};
    struct fact_cluster_queue f = {.name = cq,
                                   .cohort = cohort,
                                   .strategy = STRATEGY_BEST_EFFORT_FIFO,
                                   .groups = &group,
                                   .ngroups = 1,
                                   .when_can_borrow = FUNGIBILITY_MAY_STOP,
                                   .when_can_preempt = FUNGIBILITY_TRY_NEXT};
    if (preemption)
        f.preemption = *preemption;
    check(world_put_cluster_queue(w, &f, ORIGIN, NULL));
    struct fact_local_queue l = {.ns = "ns", .name = lq, .cluster_queue = cq};
    check(world_put_local_queue(w, &l, ORIGIN, NULL));
}

struct job {
    uint32_t queue;
    const char *name, *uid;
    when_ns created;
    int32_t priority;
    const char *cpu, *memory; /* memory NULL = none */
    bool held;
};

static struct wl *put_job(struct world *w, const struct job *j)
{
    char cq[32], lq[32];
    snprintf(cq, sizeof cq, "cq%04u", j->queue);
    snprintf(lq, sizeof lq, "lq%04u", j->queue);
    struct fact_amount req[2] = {{"cpu", qty(j->cpu)}, {"memory", qty(j->memory ? j->memory : "0")}};
    uint32_t nreq = j->memory ? 2 : 1;
    struct fact_container c = {.name = "c", .requests = req, .nrequests = nreq};
    struct fact_pod_set ps = {.name = "main", .count = 1, .topology = "", .topology_group = ""};
    ps.pod = (struct fact_pod){.containers = &c,
                               .ncontainers = 1,
                               .runtime_class = "",
                               .digest = j->cpu,
                               .digest_len = (uint32_t)strlen(j->cpu),
                               .selector_error = ""};
    struct fact_flavor_ref flavors[2] = {{"cpu", "f"}, {"memory", "f"}};
    struct fact_assignment a = {
        .pod_set = "main", .flavors = flavors, .nflavors = nreq, .usage = req, .nusage = nreq, .count = 1};
    struct fact_admission admission = {cq, &a, 1};
    struct fact_condition conds[2] = {{.type = COND_QUOTA_RESERVED,
                                       .status = STATUS_TRUE,
                                       .reason = "QuotaReserved",
                                       .message = "",
                                       .since = j->created},
                                      {.type = COND_ADMITTED,
                                       .status = STATUS_TRUE,
                                       .reason = "Admitted",
                                       .message = "",
                                       .since = j->created}};
    struct fact_workload f = {.ns = "ns",
                              .name = j->name,
                              .uid = j->uid,
                              .generation = 1,
                              .created = j->created,
                              .queue = lq,
                              .priority_class = "",
                              .priority = j->priority,
                              .active = true,
                              .gated_by = "",
                              .priority_boost = "",
                              .job_uid = "",
                              .pod_sets = &ps,
                              .npod_sets = 1,
                              .requeue_at = WHEN_NONE};
    if (j->held) {
        f.admission = &admission;
        f.conditions = conds;
        f.nconditions = 2;
    }
    struct wl *wl;
    check(world_put_workload(w, &f, ORIGIN, &wl, NULL));
    return wl;
}

static const struct cycle *cycle(struct world *w)
{
    const struct cycle *c;
    check(world_cycle(w, ORIGIN, &c, NULL));
    return c;
}

/* ---- scenarios ---------------------------------------------------------------------------------------------------------------- */

/* 1,000 ClusterQueues in 50 cohorts, 50,000 pending, all fit: decisions only. */
static void bench_admit(void)
{
    const uint32_t cqs = 1000, cohorts = 50, per = 50, n = cqs * per;
    struct world *w = start_world(false);
    char name[32], uid[32], cohort[32];
    for (uint32_t i = 0; i < cqs; i++) {
        snprintf(cohort, sizeof cohort, "co%03u", i % cohorts);
        put_queue(w, i, cohort, per, per, NULL);
    }
    for (uint32_t j = 0; j < n; j++) {
        snprintf(name, sizeof name, "w%06u", j);
        snprintf(uid, sizeof uid, "u%06u", (uint32_t)((uint64_t)j * 7919 % n));
        put_job(w, &(struct job){j % cqs, name, uid, ORIGIN - (int64_t)(n - j) * NS_PER_S,
                                 (int32_t)(j / cqs % 3), "1", "1Gi", false});
    }
    check(world_settle(w, NULL));
    uint32_t admitted = 0, cycles = 0;
    uint64_t mallocs = 0, before;
    double t0 = cpu_s();
    for (;;) {
        before = mem_count();
        const struct cycle *c = cycle(w);
        if (!c)
            break;
        cycles++;
        if (cycles > 2)
            mallocs += mem_count() - before;
        for (uint32_t i = 0; i < c->ndecisions; i++)
            admitted += c->decisions[i].outcome == OUTCOME_ADMITTED;
    }
    double t = cpu_s() - t0;
    printf("{\"scenario\":\"admit\",\"queues\":%u,\"pending\":%u,\"admitted\":%u,\"cycles\":%u,\"cpu_us_per_"
           "admission\":%.3f,"
           "\"mallocs_after_second_cycle\":%llu,\"peak_mib\":%.1f}\n",
           cqs, n, admitted, cycles, t * 1e6 / admitted, (unsigned long long)mallocs,
           (double)peak_kib() / 1024);
    world_free(w);
}

/* One cohort, ten ClusterQueues full of 1-cpu Workloads, one Workload that needs a part of it: one cycle looks at all of them. */
static void bench_preempt(uint32_t victims, bool fair)
{
    struct world *w = start_world(fair);
    struct fact_preemption p = {.within_cluster_queue = POLICY_LOWER_PRIORITY,
                                .reclaim_within_cohort = POLICY_ANY};
    const char *resource = "cpu";
    struct fact_quota all = {.nominal = quantity_from_i64(victims)};
    struct fact_flavor_quotas fq = {"f", &all};
    struct fact_resource_group group = {&resource, 1, &fq, 1};
    struct fact_cohort cohort = {.name = "c", .parent = "", .groups = &group, .ngroups = 1};
    char name[32], uid[32], cpu[32];
    if (fair)
        check(world_put_cohort(w, &cohort, NULL));
    for (uint32_t i = 0; i < 11; i++)
        put_queue(w, i, "c", i == 0 && !fair ? victims : 0, 0, &p);
    for (uint32_t v = 0; v < victims; v++) {
        snprintf(name, sizeof name, "v%05u", v);
        snprintf(uid, sizeof uid, "u-v%05u", v);
        put_job(w,
                &(struct job){1 + v % 10, name, uid, ORIGIN - (10 + (int64_t)(v * 7919 % victims)) * NS_PER_S,
                              (int32_t)(v * 31 % 5), "1", NULL, true});
    }
    snprintf(cpu, sizeof cpu, "%u", victims / (fair ? 20 : 10));
    put_job(w, &(struct job){0, "p", "u-p", ORIGIN - 5 * NS_PER_S, 10, cpu, NULL, false});
    check(world_settle(w, NULL));
    const struct cycle *c = cycle(w); /* the first one brings memory */
    double t0 = cpu_s(), n = 0;
    uint64_t mallocs = mem_count();
    uint32_t evicted = c->nevicted;
    do {
        c = cycle(w); /* its victims are under way: the same search again */
        n++;
    } while (cpu_s() - t0 < 0.5);
    double t = cpu_s() - t0;
    printf("{\"scenario\":\"preempt\",\"mode\":\"%s\",\"running\":%u,\"victims\":%u,\"cycles\":%.0f,\"cpu_ms_"
           "per_cycle\":%.4f,"
           "\"mallocs\":%llu,\"peak_mib\":%.1f}\n",
           fair ? "fair" : "classical", victims, evicted, n, t * 1e3 / n,
           (unsigned long long)(mem_count() - mallocs), (double)peak_kib() / 1024);
    world_free(w);
}

static void preempt_700_classical(void)
{
    bench_preempt(700, false);
}

static void preempt_700_fair(void)
{
    bench_preempt(700, true);
}

static void preempt_5000_classical(void)
{
    bench_preempt(5000, false);
}

static void preempt_5000_fair(void)
{
    bench_preempt(5000, true);
}

/* 50,000 admitted on 1,000 queues: what starting a cycle costs. One small Workload waits for ever, so that there is a head. */
static void bench_snapshot(void)
{
    const uint32_t cqs = 1000, n = 50000, per = n / cqs;
    struct world *w = start_world(false);
    char name[32], uid[32], cohort[32];
    for (uint32_t i = 0; i < cqs; i++) {
        snprintf(cohort, sizeof cohort, "co%03u", i % 50);
        put_queue(w, i, cohort, per, per, NULL);
    }
    for (uint32_t j = 0; j < n; j++) {
        snprintf(name, sizeof name, "w%06u", j);
        snprintf(uid, sizeof uid, "u%06u", j);
        put_job(w,
                &(struct job){j % cqs, name, uid, ORIGIN - (1 + (int64_t)j) * NS_PER_S, 0, "1", "1Gi", true});
    }
    check(world_settle(w, NULL));
    (void)cycle(w);
    double t0 = cpu_s(), cycles = 0;
    uint64_t mallocs = mem_count();
    do {
        for (int i = 0; i < 100; i++)
            (void)cycle(w);
        cycles += 100;
    } while (cpu_s() - t0 < 0.3);
    double t = cpu_s() - t0;
    printf("{\"scenario\":\"snapshot\",\"queues\":%u,\"admitted\":%u,\"cpu_ms_per_cycle_start\":%.4f,"
           "\"mallocs\":%llu,\"peak_mib\":%.1f}\n",
           cqs, n, t * 1e3 / cycles, (unsigned long long)(mem_count() - mallocs), (double)peak_kib() / 1024);
    world_free(w);
}

/* 320,000 pending on 1,000 queues of one full cohort tree each of 20: one pass over all heads, then one finish and its flush. */
static void bench_pending(void)
{
    const uint32_t cqs = 1000, n = 320000;
    struct world *w = start_world(false);
    char name[32], uid[32], cohort[32], cpu[32];
    struct wl *holder = NULL;
    for (uint32_t i = 0; i < cqs; i++) {
        snprintf(cohort, sizeof cohort, "co%03u", i % 50);
        put_queue(w, i, cohort, 1, 0, NULL);
        snprintf(name, sizeof name, "h%06u", i);
        holder = put_job(w, &(struct job){i, name, name, ORIGIN - n * NS_PER_S, 0, "1", NULL, false});
    }
    const struct cycle *c = cycle(w); /* every queue is full now */
    if (!c || c->ndecisions != cqs)
        die("the holders were not admitted");
    for (uint32_t j = 0; j < n; j++) {
        snprintf(name, sizeof name, "w%06u", j);
        snprintf(uid, sizeof uid, "u%06u", (uint32_t)((uint64_t)j * 7919 % n));
        snprintf(cpu, sizeof cpu, "%u", 1 + j % 16);
        put_job(w, &(struct job){j % cqs, name, uid, ORIGIN - (int64_t)(n - j) * NS_PER_S, (int32_t)(j % 3),
                                 cpu, NULL, false});
    }
    world_flush(w, ORIGIN); /* what the new ClusterQueues asked for */
    double t0 = cpu_s();
    c = cycle(w);
    double t1 = cpu_s();
    struct marks m = holder->marks;
    m.finished = true;
    world_put_marks(w, holder, &m, ORIGIN);
    world_flush(w, ORIGIN);
    double t2 = cpu_s();
    printf("{\"scenario\":\"pending\",\"queues\":%u,\"pending\":%u,\"heads\":%u,\"cpu_ms_pass\":%.3f,\"cpu_"
           "ms_finish_and_flush\":%.3f,"
           "\"cpu_ms\":%.3f,\"peak_mib\":%.1f}\n",
           cqs, n, c ? c->ndecisions : 0, (t1 - t0) * 1e3, (t2 - t1) * 1e3, (t2 - t0) * 1e3,
           (double)peak_kib() / 1024);
    world_free(w);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"admit", bench_admit},
    {"preempt-700-classical", preempt_700_classical},
    {"preempt-700-fair", preempt_700_fair},
    {"preempt-5000-classical", preempt_5000_classical},
    {"preempt-5000-fair", preempt_5000_fair},
    {"snapshot", bench_snapshot},
    {"pending", bench_pending},
};

static bool is_wanted(int argc, char **argv, const char *name)
{
    bool wanted = argc < 2;
    for (int i = 1; i < argc; i++)
        wanted |= strcmp(argv[i], name) == 0;
    return wanted;
}

int main(int argc, char **argv)
{
    int failed = 0, ran = 0;
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (!is_wanted(argc, argv, scenarios[i].name))
            continue;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            scenarios[i].run();
            fflush(stdout);
            _exit(0);
        }
        int status;
        failed |= pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0;
        ran++;
    }
    if (!ran)
        die("no such scenario; there are admit, preempt-{700,5000}-{classical,fair}, snapshot, pending");
    return failed;
}
