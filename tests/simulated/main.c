/* simulated: lives of the controller on a simulated API server in virtual time, each made from a seed.
 *
 *     simulated [--seeds N] [--first K] [--jobs N] [--quiet-world] [--memory] [--only WORD] [-v]
 *
 * Life number i is made from seed K + i; N processes share them (as many as there are processors). -v tells what happens (one seed at a
 * time is enough), --only lines that hold WORD, --quiet-world leaves the faults out, --memory adds one:
 * the controller's memory runs out, for a moment or for seconds. A life that breaks a law is printed with its seed; the same seed replays it. */
#include "base/mem.h"
#include "simulated/life.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct settings {
    uint64_t seeds, first;
    uint32_t jobs;
    struct life_options o;
};

struct totals {
    uint64_t passed, failed, faults[FAULTS];
    uint64_t workloads, finished, given_up, admissions, evictions, starts, writes, idle, requests, events;
    uint64_t least_workloads, least_faults, least_kinds;
    double lived_s;
};

static int usage(void)
{
    fprintf(stderr, "usage: simulated [--seeds N] [--first K] [--jobs N] [--quiet-world] [--memory] [--only "
                    "WORD] [-v]\n");
    return 2;
}

static bool read_settings(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(a, "-v") == 0)
            s->o.verbose = true;
        else if (strcmp(a, "--quiet-world") == 0)
            s->o.silent_world = true;
        else if (strcmp(a, "--memory") == 0)
            s->o.memory = true;
        else if (!v)
            return false;
        else if (strcmp(a, "--seeds") == 0)
            s->seeds = strtoull(argv[++i], NULL, 10);
        else if (strcmp(a, "--first") == 0)
            s->first = strtoull(argv[++i], NULL, 10);
        else if (strcmp(a, "--jobs") == 0)
            s->jobs = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(a, "--only") == 0)
            s->o.watch_of = argv[++i];
        else
            return false;
    }
    return true;
}

static void least(uint64_t *of, uint64_t n)
{
    if (n < *of)
        *of = n;
}

static void add(struct totals *t, const struct life_result *r)
{
    for (int f = 0; f < FAULTS; f++)
        t->faults[f] += r->faults[f];
    t->workloads += r->workloads;
    t->finished += r->finished;
    t->given_up += r->given_up;
    t->admissions += r->admissions;
    t->evictions += r->evictions;
    t->starts += r->starts;
    t->writes += r->writes;
    t->idle += r->idle_writes;
    t->requests += r->requests;
    t->events += r->events;
    t->lived_s += (double)r->lived_ns / 1e9;
    if (!r->ok)
        return;
    least(&t->least_workloads, r->workloads);
    least(&t->least_faults, r->fault_total);
    least(&t->least_kinds, r->kinds);
}

static void live(uint64_t seed, const struct settings *s, struct totals *t)
{
    struct life_result r;
    int64_t blocks = mem_live();
    life_run(seed, &s->o, &r);
    if (!r.ok)
        printf("seed %llu: %s\n", (unsigned long long)seed, str_text(&r.why));
    bool ok = r.ok;
    add(t, &r);
    life_result_free(&r);
    if (mem_live() != blocks) {
        printf("seed %llu: %lld blocks of memory are lost\n", (unsigned long long)seed,
               (long long)(mem_live() - blocks));
        ok = false;
    }
    t->passed += ok;
    t->failed += !ok;
    fflush(stdout);
}

static void report(const struct totals *t, double seconds)
{
    uint64_t all = 0;
    for (int f = 0; f < FAULTS; f++) {
        printf("%s%s %llu", f ? ", " : "faults: ", fault_name((enum fault)f),
               (unsigned long long)t->faults[f]);
        all += t->faults[f];
    }
    printf("; %llu in all\n", (unsigned long long)all);
    printf("at least, in one life: %llu Workloads, %llu faults of %llu kinds\n",
           (unsigned long long)t->least_workloads, (unsigned long long)t->least_faults,
           (unsigned long long)t->least_kinds);
    printf("%llu Workloads, %llu finished, %llu given up; %llu admissions, %llu evictions, %llu "
           "starts of "
           "jobs\n",
           (unsigned long long)t->workloads, (unsigned long long)t->finished, (unsigned long long)t->given_up,
           (unsigned long long)t->admissions, (unsigned long long)t->evictions,
           (unsigned long long)t->starts);
    printf(
        "%llu requests, %llu writes (%llu changed nothing), %llu watch events; %.1f days lived in %.1f s\n",
        (unsigned long long)t->requests, (unsigned long long)t->writes, (unsigned long long)t->idle,
        (unsigned long long)t->events, t->lived_s / 86400, seconds);
    printf("%llu passed, %llu failed\n", (unsigned long long)t->passed, (unsigned long long)t->failed);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- several at once ---------------------------------------------------------------------------------------------------- */

/* What a process of its own tells: where it is, in case it does not come back, and what it found. */
struct worker {
    pid_t pid;
    uint64_t seed;
    struct totals t;
};

static struct totals nothing(void)
{
    return (struct totals){
        .least_workloads = UINT64_MAX, .least_faults = UINT64_MAX, .least_kinds = UINT64_MAX};
}

static void work(const struct settings *s, struct worker *w, uint64_t first, uint64_t step)
{
    for (uint64_t i = first; i < s->seeds; i += step) {
        w->seed = s->first + i;
        live(w->seed, s, &w->t);
    }
}

static void sum(struct totals *t, const struct totals *u)
{
    uint64_t *const to[] = {&t->passed,   &t->failed,     &t->workloads, &t->finished,
                            &t->given_up, &t->admissions, &t->evictions, &t->starts,
                            &t->writes,   &t->idle,       &t->requests,  &t->events};
    const uint64_t from[] = {u->passed,    u->failed, u->workloads, u->finished, u->given_up, u->admissions,
                             u->evictions, u->starts, u->writes,    u->idle,     u->requests, u->events};
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        *to[i] += from[i];
    for (int f = 0; f < FAULTS; f++)
        t->faults[f] += u->faults[f];
    t->lived_s += u->lived_s;
    least(&t->least_workloads, u->least_workloads);
    least(&t->least_faults, u->least_faults);
    least(&t->least_kinds, u->least_kinds);
}

/* Each process lives its share; one that dies counts as one life that failed. */
static void work_apart(const struct settings *s, uint32_t n, struct totals *ret)
{
    struct worker *w = mmap(NULL, n * sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    fflush(stdout);
    for (uint32_t i = 0; i < n; i++) {
        w[i].t = nothing();
        pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            exit(2);
        }
        if (pid == 0) {
            work(s, &w[i], i, n);
            exit(0);
        }
        w[i].pid = pid; /* by the parent alone: the child would write 0 */
    }
    for (uint32_t i = 0; i < n; i++) {
        int status = 0;
        waitpid(w[i].pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            printf("seed %llu: the process died\n", (unsigned long long)w[i].seed);
            w[i].t.failed++;
        }
        sum(ret, &w[i].t);
    }
    munmap(w, n * sizeof(*w));
}

int main(int argc, char **argv)
{
    struct settings s = {.seeds = 100, .first = 1, .jobs = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN)};
    struct totals t = nothing();
    if (!read_settings(argc, argv, &s))
        return usage();
    /* Memory of one life serves the next. */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    double begin = now_s();
    if (s.jobs < 2 || s.seeds < 2 || s.o.verbose) {
        struct worker w = {.t = nothing()};
        work(&s, &w, 0, 1);
        t = w.t;
    } else {
        work_apart(&s, s.jobs, &t);
    }
    report(&t, now_s() - begin);
    return t.failed || !t.passed;
}
