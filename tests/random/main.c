/* random-worlds: small dense worlds made from seeds, each lived through with the invariants checked after every cycle and every event.
 *
 *     random-worlds [--seed N] [--count N] [--minutes M] [--keep DIR] [--full] [-v]
 *
 * World number k is made from seed N + k. Each is lived three times: as it is; again, on every second seed with the memory of each
 * cycle running out; and with its objects put in another order. All three must decide the same, byte for byte. --full: 20,000 worlds.
 * --keep writes the ten smallest worlds that do not settle, made smaller. -v prints the decisions of the worlds and of the lives that
 * differ. */
#include "base/mem.h"
#include "random/life.h"
#include "random/loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEPS 24

struct settings {
    uint64_t seed, count;
    double minutes;
    const char *keep;
    bool verbose;
};

struct totals {
    bool verbose;
    uint64_t passed, failed, unsettled, unsettled_fair, fair, repeats;
    uint64_t cycles, admitted, evicted, failures;
};

static bool complain(uint64_t seed, const char *which, const char *what)
{
    printf("seed %llu, %s: %s\n", (unsigned long long)seed, which, what);
    return false;
}

/* Prints the first line that differs. */
static bool complain_of_difference(uint64_t seed, const char *which, const char *a, const char *b)
{
    size_t line = 0, i = 0;
    unsigned n = 1;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n') {
            line = i + 1;
            n++;
        }
    printf("seed %llu, %s: decides otherwise in line %u\n  %.*s\n  %.*s\n", (unsigned long long)seed, which,
           n, (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"), b + line);
    return false;
}

/* Lives the world again in another way and compares. */
static bool again(uint64_t seed, const struct plan *p, struct dice d, const struct life_result *first,
                  struct life_options o, const char *which, struct totals *t)
{
    struct life_result r;
    o.steps = STEPS;
    o.trace = true;
    life_run(p, d, &o, &r);
    t->failures += r.failures;
    bool ok = r.ok ? true : complain(seed, which, str_text(&r.why));
    /* A penalty for which there was no memory is not noted, so under admission fair sharing the order may differ afterwards. */
    bool comparable = !(o.short_of_memory && p->afs);
    if (ok && comparable && strcmp(str_text(&r.trace), str_text(&first->trace)) != 0)
        ok = complain_of_difference(seed, which, str_text(&first->trace), str_text(&r.trace));
    if (!ok && t->verbose)
        printf("%s\n%s", which, str_text(&r.trace));
    life_free(&r);
    return ok;
}

/* What admission fair sharing has counted depends on when a holder and its queue become known (4.9), so there only objects of one kind
 * change places. */
static enum life_order order_of(uint64_t seed, const struct plan *p)
{
    return seed % 3 && !p->afs ? LIFE_SHUFFLED : LIFE_SHUFFLED_KINDS;
}

static bool run_world(uint64_t seed, const struct settings *s, struct totals *t, struct loops *loops)
{
    struct plan p;
    struct dice d = dice_of_seed(seed);
    struct life_result r;
    int64_t live = mem_live();
    plan_roll(&p, &d);
    life_run(&p, d, &(struct life_options){.steps = STEPS, .trace = true}, &r);
    bool ok = r.ok ? true : complain(seed, "as it is", str_text(&r.why));
    if (s->verbose)
        printf("seed %llu\n%s", (unsigned long long)seed, str_text(&r.trace));
    t->fair += p.fair;
    t->unsettled += !r.settled;
    t->unsettled_fair += !r.settled && p.fair;
    t->repeats += r.repeats;
    t->cycles += r.cycles;
    t->admitted += r.admitted;
    t->evicted += r.evicted;
    if (!r.settled && ok && s->keep)
        loops_offer(loops, seed, &p);
    if (ok && seed % 2)
        ok = again(seed, &p, d, &r, (struct life_options){.short_of_memory = true}, "short of memory", t);
    else if (ok)
        ok = again(seed, &p, d, &r, (struct life_options){.order = LIFE_IN_ORDER}, "again", t);
    if (ok)
        ok = again(seed, &p, d, &r, (struct life_options){.order = order_of(seed, &p)}, "shuffled", t);
    life_free(&r);
    if (ok && mem_live() != live)
        ok = complain(seed, "afterwards", "memory is lost");
    return ok;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int usage(void)
{
    fprintf(stderr, "usage: random-worlds [--seed N] [--count N] [--minutes M] [--keep DIR] [--full] [-v]\n");
    return 2;
}

static bool read_settings(int argc, char **argv, struct settings *s)
{
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(a, "-v") == 0) {
            s->verbose = true;
            continue;
        }
        if (strcmp(a, "--full") == 0) {
            s->count = 20000;
            continue;
        }
        if (!v)
            return false;
        if (strcmp(a, "--seed") == 0)
            s->seed = strtoull(v, NULL, 10);
        else if (strcmp(a, "--count") == 0 || strcmp(a, "--seeds") == 0)
            s->count = strtoull(v, NULL, 10);
        else if (strcmp(a, "--minutes") == 0)
            s->minutes = strtod(v, NULL);
        else if (strcmp(a, "--keep") == 0)
            s->keep = v;
        else
            return false;
        i++;
    }
    return true;
}

static double share(uint64_t n, uint64_t of)
{
    return of ? 100.0 * (double)n / (double)of : 0;
}

int main(int argc, char **argv)
{
    struct settings s = {.seed = 1, .count = 300};
    struct totals t = {0};
    struct loops *loops = loops_new();
    if (!loops || !read_settings(argc, argv, &s))
        return usage();
    double begin = now_s();
    t.verbose = s.verbose;
    uint64_t worlds = 0;
    for (; worlds < s.count && (s.minutes <= 0 || now_s() - begin < s.minutes * 60); worlds++) {
        bool ok = run_world(s.seed + worlds, &s, &t, loops);
        t.passed += ok;
        t.failed += !ok;
    }
    printf("%llu cycles, %llu admissions, %llu evictions, %llu cycles without memory\n",
           (unsigned long long)t.cycles, (unsigned long long)t.admitted, (unsigned long long)t.evicted,
           (unsigned long long)t.failures);
    printf("%llu worlds (%.1f %%) do not settle within %d cycles: %.1f %% of those with fair sharing, %.1f "
           "%% of the others; %llu "
           "come back to an earlier state\n",
           (unsigned long long)t.unsettled, share(t.unsettled, worlds), LIFE_MOST_CYCLES,
           share(t.unsettled_fair, t.fair), share(t.unsettled - t.unsettled_fair, worlds - t.fair),
           (unsigned long long)t.repeats);
    bool kept = !s.keep || loops_write(loops, s.keep);
    loops_free(loops);
    printf("%llu passed, %llu failed\n", (unsigned long long)t.passed, (unsigned long long)t.failed);
    return t.failed || !t.passed || !kept;
}
