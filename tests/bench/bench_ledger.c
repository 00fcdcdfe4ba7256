/* Speed and size of the ledger: `bench-ledger [-u USAGES] [-l LOANS] [FILE]` writes that many intervals over twelve months, in batches as a
 * controller would, asks the questions of `sluice history`, and prints one JSON line. Default: 10 million and 1 million, in /tmp.
 *
 * bytes_per_row: of the file, over all rows of history (usage, loans, decisions and their outcomes). write_us_per_row: CPU time of the
 * writer. *_s: CPU time of a question. The exit
 * status is 1 when loans by month take a second, or a row 150 bytes. The file of the default name is removed in the end. */
#include "ledger/book.h"
#include "ledger/history.h"
#include "ledger/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QUEUES = 100, BATCH = 500 };
enum { LOANS_MAX_S = 1, ROW_MAX_BYTES = 150 }; /* the limits: more is a failure */
#define BEGAN (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01 */
#define YEAR (INT64_C(365) * 86400 * NS_PER_S)

static double cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const struct err *err)
{
    (void)fprintf(stderr, "bench-ledger: %s\n", err->text);
    return EXIT_FAILURE;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Every Workload holds GPUs and CPUs, so it has two intervals, an admission and an end. */
static void add_usage(struct rows *r, uint64_t i, uint64_t n, uint64_t *decision)
{
    char uid[40], name[40], queue[32], ns[32];
    uint64_t z = mix(i + 1);
    when_ns began = BEGAN + (int64_t)((__int128)YEAR * (int64_t)i / (int64_t)n) / NS_PER_S * NS_PER_S;
    when_ns ended = began + (int64_t)(1 + z % 7200) * NS_PER_S;
    struct row_usage u = {.flavor = "h100", .resource = "nvidia.com/gpu", .began = began};

    (void)snprintf(uid, sizeof(uid), "%08x-%04x-4%03x-a%03x-%012" PRIx64, (unsigned)z,
                   (unsigned)(z >> 32) & 0xffff, (unsigned)i & 0xfff, (unsigned)(z >> 48) & 0xfff, i);
    (void)snprintf(name, sizeof(name), "job-train-%" PRIu64 "-%05x", i / 2, (unsigned)z & 0xfffff);
    (void)snprintf(queue, sizeof(queue), "team-%" PRIu64, z % QUEUES);
    (void)snprintf(ns, sizeof(ns), "ns-%" PRIu64, z % QUEUES);
    u.workload = (struct row_workload){uid, ns, name, queue};
    u.cluster_queue = queue;
    const struct row_decision d = {.workload = u.workload,
                                   .what = "admit",
                                   .cluster_queue = queue,
                                   .reason = "QuotaReserved",
                                   .message = "",
                                   .at = began,
                                   .id = ++*decision,
                                   .since = began - 60 * NS_PER_S};
    rows_decision(r, &d);
    rows_outcome(r, *decision, began, "published");
    u.amount = (int64_t)(1 + z % 8);
    rows_usage_opens(r, &u);
    rows_usage_closes(r, &u, ended, "finished");
    u.resource = "cpu";
    u.amount = (int64_t)(1 + z % 8) * 16000;
    rows_usage_opens(r, &u);
    rows_usage_closes(r, &u, ended, "finished");
}

static void add_loan(struct rows *r, uint64_t i, uint64_t n)
{
    char borrower[32], lender[32];
    uint64_t z = mix(i + 77);
    when_ns began = BEGAN + (int64_t)((__int128)YEAR * (int64_t)i / (int64_t)n) / NS_PER_S * NS_PER_S;
    struct row_loan l = {.flavor = "h100",
                         .resource = "nvidia.com/gpu",
                         .borrower = borrower,
                         .lender_kind = "ClusterQueue",
                         .lender = lender,
                         .amount = (int64_t)(1 + z % 16),
                         .began = began,
                         .begin = z % 3 ? "borrowed" : "refinanced"};

    (void)snprintf(borrower, sizeof(borrower), "team-%" PRIu64, z % QUEUES);
    (void)snprintf(lender, sizeof(lender), "team-%" PRIu64, (z >> 20) % QUEUES);
    rows_loan_opens(r, &l);
    rows_loan_closes(r, &l, began + (int64_t)(1 + z % 9000) * NS_PER_S, z % 5 ? "returned" : "reclaimed");
}

static int write_all(struct ledger *l, uint64_t usages, uint64_t loans, struct err *err)
{
    uint64_t workloads = usages / 2, decision = 0, done = 0;
    struct rows r;
    int rc = 0;

    rows_init(&r);
    for (uint64_t i = 0; i < workloads && !rc; i++) {
        add_usage(&r, i, workloads, &decision);
        for (; done < loans && done * workloads < (i + 1) * loans; done++)
            add_loan(&r, done, loans);
        if (r.n >= BATCH || i + 1 == workloads) {
            rc = ledger_write(l, &r, BEGAN + YEAR, err);
            rows_clear(&r);
        }
    }
    rows_free(&r);
    return rc;
}

static int ask(struct history *h, enum history_report report, enum period by, when_ns from, uint32_t *ret_n,
               double *ret_s, struct err *err)
{
    const struct history_filter f = {.from = from, .to = WHEN_NONE, .by = by};
    const struct history_row *rows;
    double began = cpu_s();
    int rc = history_ask(h, report, &f, &rows, ret_n, err);

    *ret_s = cpu_s() - began;
    return rc;
}

static int ask_all(const char *path, double *ret_loans_s, struct err *err)
{
    static const struct {
        const char *name;
        enum history_report report;
        enum period by;
        when_ns from;
    } asks[] = {{"loans_by_month_s", HISTORY_LOANS, PERIOD_MONTH, WHEN_NONE},
                {"loans_last_month_s", HISTORY_LOANS, PERIOD_ALL, BEGAN + YEAR - YEAR / 12},
                {"usage_by_month_s", HISTORY_USAGE, PERIOD_MONTH, WHEN_NONE},
                {"waits_by_month_s", HISTORY_WAITS, PERIOD_MONTH, WHEN_NONE}};
    struct history *h = NULL;
    uint32_t n;
    double s;
    int rc = history_open(path, &h, err);

    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]) && !rc; i++) {
        rc = ask(h, asks[i].report, asks[i].by, asks[i].from, &n, &s, err);
        (void)printf(",\"%s\":%.3f", asks[i].name, s);
        if (!i)
            *ret_loans_s = s;
    }
    history_close(h);
    return rc;
}

int main(int argc, char **argv)
{
    uint64_t usages = 10000000, loans = 1000000;
    const char *path = "/tmp/bench-ledger.db";
    struct err err = {0};
    int c;

    while ((c = getopt(argc, argv, "u:l:")) != -1)
        *(c == 'u' ? &usages : &loans) = strtoull(optarg, NULL, 10);
    if (optind < argc)
        path = argv[optind];
    (void)unlink(path);
    struct ledger *l = ledger_new(
        &(struct ledger_options){.path = path, .writer = "bench", .scratch = true, .any_filesystem = true});
    if (!l || ledger_open(l, BEGAN, &err))
        return fail(&err);
    double began = cpu_s();
    if (write_all(l, usages, loans, &err))
        return fail(&err);
    double wrote = cpu_s() - began;
    uint64_t rows = usages + loans + usages; /* a decision and an outcome for two intervals */
    int64_t bytes = ledger_bytes(l);
    ledger_free(l);
    (void)printf(
        "{\"scenario\":\"ledger\",\"usages\":%" PRIu64 ",\"loans\":%" PRIu64
        ",\"file_mib\":%.1f,\"bytes_per_row\":%.1f,\"bytes_per_interval\":%.1f,\"write_us_per_row\":%.2f",
        usages, loans, (double)bytes / 1048576, (double)bytes / (double)rows,
        (double)bytes / (double)(usages + loans), wrote * 1e6 / (double)rows);
    double loans_s = 0;
    if (ask_all(path, &loans_s, &err))
        return fail(&err);
    (void)printf("}\n");
    if (optind >= argc)
        (void)unlink(path);
    return loans_s < LOANS_MAX_S && bytes < ROW_MAX_BYTES * (int64_t)rows ? EXIT_SUCCESS : EXIT_FAILURE;
}
