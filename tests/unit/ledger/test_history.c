/* Questions: sums over periods, filters, what is open, what a reclaim took, and SQL that may only read. */
#include "build.h"

#include "base/mem.h"
#include "ledger/history.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define S NS_PER_S
#define H (3600 * S)
#define JAN (INT64_C(1767225600) * S) /* 2026-01-01T00:00:00Z */
#define FEB (JAN + 31 * 24 * H)

static struct rows rows;
static struct history *h;
static int64_t live;

static void loan(const char *resource, const char *borrower, const char *kind, const char *lender, amount v,
                 when_ns began, when_ns ended, const char *end)
{
    const struct row_loan l = {"h100", resource, borrower, kind, lender, v, began, "borrowed", false};

    rows_loan_opens(&rows, &l);
    if (ended != WHEN_NONE)
        rows_loan_closes(&rows, &l, ended, end);
}

static void usage(const char *queue, const char *flavor, amount v, when_ns began, when_ns ended)
{
    const struct row_usage u = {{queue, "ns", "w", "lq"}, queue, flavor, "gpu", v, began, false};

    rows_usage_opens(&rows, &u);
    if (ended != WHEN_NONE)
        rows_usage_closes(&rows, &u, ended, "finished");
}

static void decide(uint64_t id, const char *what, const char *queue, when_ns at, int64_t waited,
                   const char *outcome)
{
    rows_decision(&rows, &(struct row_decision){.id = id,
                                                .at = at,
                                                .workload = {"u", "ns", "w", "lq"},
                                                .what = what,
                                                .cluster_queue = queue,
                                                .reason = "r",
                                                .message = "",
                                                .since = waited < 0 ? WHEN_NONE : at - waited});
    if (outcome)
        rows_outcome(&rows, id, at, outcome);
}

/* Ended an hour into February; the ledger was kept until two hours into it. */
static void fill(void)
{
    rows_node(&rows, JAN, "Cohort", "all", "", true);
    rows_node(&rows, JAN, "Cohort", "left", "all", true);
    rows_node(&rows, JAN, "ClusterQueue", "a", "left", true);
    rows_node(&rows, JAN, "ClusterQueue", "b", "all", true);
    rows_node(&rows, JAN, "ClusterQueue", "c", "gone", true);
    rows_node(&rows, JAN, "ClusterQueue", "c", "gone", false);
    loan("gpu", "b", "ClusterQueue", "a", 4, FEB - 3 * H, FEB + H, "reclaimed");
    loan("gpu", "b", "ClusterQueue", "a", 1, FEB + H, WHEN_NONE, "");
    loan("gpu", "b", "unlimited", "", 2, JAN, JAN + H, "returned");
    loan("cpu", "a", "Cohort", "all", 3000, JAN + H, JAN + 2 * H, "reclaimed");
    usage("a", "h100", 8, JAN - 5 * H, JAN + H);
    usage("a", "a100", 1, FEB, WHEN_NONE);
    usage("b", "h100", INT64_MAX / 2, JAN, JAN + H); /* sums larger than an int64 */
    usage("b", "h100", INT64_MAX / 2, JAN + H, JAN + 2 * H);
    decide(1, "admit", "a", JAN + H, 10 * S, "published");
    decide(2, "admit", "a", JAN + 2 * H, 20 * S, NULL);
    decide(3, "admit", "a", JAN + 3 * H, 90 * S, "lost");
    decide(4, "admit", "a", JAN + 3 * H, 70 * S, "refused");
    decide(5, "admit", "b", FEB + 2 * H, 0, "superseded");
    decide(6, "admit", "b", FEB + 2 * H, -1, "published");
    decide(7, "evict", "a", JAN + 4 * H, -1, "published");
    decide(8, "finish", "a", JAN + 5 * H, -1, "published");
    decide(9, "release", "a", JAN + 5 * H, -1, "published");
}

static void setup(void)
{
    struct err err = {0};

    live = mem_live();
    build_dir();
    rows_init(&rows);
    struct ledger *l = build_open(JAN);
    fill();
    ck_assert_int_eq(ledger_write(l, &rows, FEB + 2 * H, &err), 0);
    ledger_free(l);
    ck_assert_msg(!history_open(build_path(), &h, &err), "%s", err.text);
}

static void teardown(void)
{
    history_close(h);
    rows_free(&rows);
    build_dir_gone();
    ck_assert_int_eq(mem_live(), live);
}

static const char *answer(enum history_report report, struct history_filter f)
{
    static char text[4000];
    const struct history_row *r;
    uint32_t n;
    size_t at = 0;
    struct err err = {0};

    text[0] = '\0';
    f.from = f.from ? f.from : WHEN_NONE;
    f.to = f.to ? f.to : WHEN_NONE;
    ck_assert_msg(!history_ask(h, report, &f, &r, &n, &err), "%s", err.text);
    for (uint32_t i = 0; i < n && at < sizeof(text) - 200; i++) {
        char time[32];
        (void)when_print(r[i].from, time, sizeof(time));
        time[10] = '\0';
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s", i ? "; " : "", f.by ? time : "",
                               r[i].queue);
        if (report == HISTORY_LOANS)
            at += (size_t)snprintf(text + at, sizeof(text) - at, "<-%s:%s %s %.0f taken %lld",
                                   r[i].other_kind, r[i].other, r[i].resource, (double)r[i].sum / (double)H,
                                   (long long)r[i].taken_back);
        else if (report == HISTORY_USAGE)
            at += (size_t)snprintf(text + at, sizeof(text) - at, " %s %.0f", r[i].flavor,
                                   (double)r[i].sum / (double)H);
        else if (report == HISTORY_ADMISSIONS)
            at += (size_t)snprintf(text + at, sizeof(text) - at, " %d %d %d", (int)r[i].count,
                                   (int)r[i].evicted, (int)r[i].finished);
        else
            at += (size_t)snprintf(text + at, sizeof(text) - at, " %d: %.0f %.0f %.0f %.0f", (int)r[i].count,
                                   (double)r[i].mean_ns / 1e9, (double)r[i].median_ns / 1e9,
                                   (double)r[i].p90_ns / 1e9, (double)r[i].max_ns / 1e9);
    }
    return text;
}

static const struct {
    enum history_report report;
    struct history_filter f;
    const char *want;
} cases[] = {
    {HISTORY_LOANS,
     {0},
     " a<-Cohort:all cpu 3000 taken 3000;  b<-ClusterQueue:a gpu 17 taken 3;  b<-unlimited: gpu 2 taken 0"},
    {HISTORY_LOANS,
     {.by = PERIOD_MONTH, .resource = "gpu"},
     "2026-01-01 b<-ClusterQueue:a gpu 12 taken 0; 2026-01-01 b<-unlimited: gpu 2 taken 0; "
     "2026-02-01 b<-ClusterQueue:a gpu 5 taken 3"},
    {HISTORY_LOANS, {.from = FEB, .resource = "gpu"}, " b<-ClusterQueue:a gpu 5 taken 3"},
    {HISTORY_LOANS,
     {.to = FEB, .resource = "gpu"},
     " b<-ClusterQueue:a gpu 12 taken 0;  b<-unlimited: gpu 2 taken 0"},
    {HISTORY_LOANS, {.from = FEB + 90 * 24 * H}, ""},
    {HISTORY_LOANS,
     {.queue = "a"},
     " a<-Cohort:all cpu 3000 taken 3000;  b<-ClusterQueue:a gpu 17 taken 3"}, /* either side */
    {HISTORY_LOANS,
     {.cohort = "left"},
     " a<-Cohort:all cpu 3000 taken 3000;  b<-ClusterQueue:a gpu 17 taken 3"},
    {HISTORY_LOANS, {.cohort = "gone"}, ""},
    {HISTORY_LOANS, {.flavor = "a100"}, ""},
    {HISTORY_LOANS, {.queue = "nobody"}, ""},
    {HISTORY_LOANS, {.queue = "'; DROP TABLE loan; --"}, ""},
    {HISTORY_USAGE, {.queue = "a"}, " a a100 2;  a h100 48"},
    {HISTORY_USAGE, {.queue = "a", .from = JAN}, " a a100 2;  a h100 8"},
    {HISTORY_USAGE, {.queue = "a", .from = JAN, .to = FEB + H}, " a a100 1;  a h100 8"},
    {HISTORY_USAGE, {.cohort = "left", .flavor = "h100"}, " a h100 48"},
    {HISTORY_USAGE, {.cohort = "all", .flavor = "a100"}, " a a100 2"},
    {HISTORY_USAGE, {.queue = "b"}, " b h100 9223372036854775808"},
    {HISTORY_USAGE,
     {.queue = "a", .flavor = "h100", .by = PERIOD_DAY},
     "2025-12-31 a h100 40; 2026-01-01 a h100 8"},
    {HISTORY_ADMISSIONS, {0}, " a 3 1 1;  b 1 0 0"},
    {HISTORY_ADMISSIONS, {.by = PERIOD_MONTH}, "2026-01-01 a 3 1 1; 2026-02-01 b 1 0 0"},
    {HISTORY_ADMISSIONS, {.to = FEB + 2 * H}, " a 3 1 1"}, /* `to` is no longer in it */
    {HISTORY_WAITS, {0}, " a 3: 40 20 20 90"},
};

START_TEST(answers)
{
    ck_assert_str_eq(answer(cases[_i].report, cases[_i].f), cases[_i].want);
}
END_TEST

static void preempt(uint64_t id, when_ns at, const char *victim, const char *resource, int64_t lost)
{
    rows_preemption(&rows, &(struct row_preemption){.decision = id,
                                                    .at = at,
                                                    .victim = {victim, "ns", victim, "lq"},
                                                    .preemptor = {"p", "ns", "p", "lq"},
                                                    .victim_queue = "b",
                                                    .preemptor_queue = "a",
                                                    .rule = "InCohortReclamation"});
    rows_loss(&rows, id, "h100", resource, lost);
}

START_TEST(preemptions_have_a_notice_and_a_cost)
{
    struct ledger *l = build_open(FEB + 3 * H);
    const struct history_filter f = {.from = WHEN_NONE, .to = WHEN_NONE};
    const struct history_row *r;
    uint32_t n;

    rows_clear(&rows);
    usage("v1", "h100", 2, FEB, FEB + H + 40 * S);
    usage("v2", "h100", 2, FEB, FEB + H + 90 * S);
    preempt(20, FEB + H, "v1", "gpu", 7200);
    preempt(21, FEB + H, "v2", "gpu", 3600);
    ck_assert_int_eq(ledger_write(l, &rows, FEB + 3 * H, NULL), 0);
    ledger_free(l);
    ck_assert_int_eq(history_ask(h, HISTORY_PREEMPTIONS, &f, &r, &n, NULL), 0);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(r[0].queue, "b");
    ck_assert_str_eq(r[0].other, "a");
    ck_assert_str_eq(r[0].rule, "InCohortReclamation");
    ck_assert_int_eq(r[0].count, 2);
    ck_assert(r[0].sum == (wide)3 * H);
    ck_assert_int_eq(r[0].median_ns, 40 * S);
    ck_assert_int_eq(r[0].max_ns, 90 * S);
}
END_TEST

START_TEST(extent)
{
    struct history_extent e;
    const struct history_filter all = {.from = WHEN_NONE, .to = WHEN_NONE};

    ck_assert_int_eq(history_extent(h, &all, &e, NULL), 0);
    ck_assert_int_eq(e.began, JAN);
    ck_assert_int_eq(e.last, FEB + 2 * H);
    ck_assert_int_eq(e.kept_since, WHEN_NONE);
    ck_assert_int_eq(e.gaps, 0);
    ledger_free(build_open(FEB + 3 * H)); /* the writer before was not closed in order: a gap */
    const struct history_filter late = {.from = FEB + 4 * H, .to = WHEN_NONE};
    ck_assert_int_eq(history_extent(h, &all, &e, NULL), 0);
    ck_assert_int_eq(e.gaps, 1);
    ck_assert_int_eq(history_extent(h, &late, &e, NULL), 0);
    ck_assert_int_eq(e.gaps, 0);
}
END_TEST

/* ---- files -------------------------------------------------------------------------------------------------------------- */

START_TEST(other_files_are_refused)
{
    struct history *other = NULL;
    struct err err = {0};
    FILE *f = fopen(build_file("text"), "wb");

    (void)fputs("this is no database, but long enough to be looked at as one, as SQLite reads a hundred "
                "bytes at first. ",
                f);
    (void)fclose(f);
    ck_assert_int_eq(history_open(build_file("text"), &other, &err), ERR_INVALID);
    ck_assert_int_eq(history_open(build_file("none"), &other, &err), ERR_NOTFOUND);
    f = fopen(build_file("empty"), "wb");
    (void)fclose(f);
    ck_assert_int_eq(history_open(build_file("empty"), &other, &err), ERR_STATE);
    ck_assert_ptr_null(other);
}
END_TEST

START_TEST(memory_that_fails)
{
    const struct history_filter f = {.from = WHEN_NONE, .to = WHEN_NONE, .by = PERIOD_MONTH, .cohort = "all"};
    const struct history_row *r;
    uint32_t n;
    int rc = ERR_NOMEM;

    for (uint64_t k = 1; rc && k < 500; k++) {
        struct history *mine = NULL;
        mem_fail_after(k);
        rc = history_open(build_path(), &mine, NULL);
        if (!rc)
            rc = history_ask(mine, HISTORY_LOANS, &f, &r, &n, NULL);
        mem_fail_after(0);
        ck_assert(rc == 0 || rc == ERR_NOMEM);
        history_close(mine);
    }
    ck_assert_int_eq(rc, 0);
}
END_TEST

/* ---- SQL ----------------------------------------------------------------------------------------------------------------- */

static char told[1000];

static int tell(void *arg, uint32_t n, const char *const *values, const bool *numbers)
{
    (void)arg;
    for (uint32_t i = 0; i < n; i++) {
        size_t at = strlen(told);
        (void)snprintf(told + at, sizeof(told) - at, "%s%s%s ", values[i] ? values[i] : "NULL",
                       numbers[i] ? "#" : "", "");
    }
    return 0;
}

START_TEST(sql_answers)
{
    told[0] = '\0';
    ck_assert_int_eq(history_sql(h, "SELECT borrower, sum(amount) s, NULL FROM loans GROUP BY 1 ORDER BY 1;",
                                 tell, NULL, NULL),
                     0);
    ck_assert_str_eq(told, "borrower s NULL a 3000# NULL b 7# NULL ");
}
END_TEST

START_TEST(sql_only_reads)
{
    static const char *const bad[] = {"DELETE FROM usage",
                                      "INSERT INTO name VALUES (99, 'x')",
                                      "UPDATE meta SET value = 1",
                                      "CREATE TABLE t (x)",
                                      "CREATE TEMP TABLE t (x)",
                                      "DROP VIEW loans",
                                      "ATTACH '/tmp/x' AS y",
                                      "PRAGMA user_version = 7",
                                      "PRAGMA query_only = OFF",
                                      "VACUUM INTO '/tmp/x'",
                                      "BEGIN",
                                      "SELECT load_extension('x')",
                                      "SELECT 1; SELECT 2",
                                      "WITH a AS (SELECT 1) DELETE FROM usage",
                                      "",
                                      "-- nothing",
                                      "SELECT * FROM nobody",
                                      "SELECT (",
                                      "EXPLAIN DELETE FROM usage"};
    struct err err = {0};

    ck_assert_msg(history_sql(h, bad[_i], tell, NULL, &err) == ERR_INVALID, "%s", bad[_i]);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 3);
}
END_TEST

static int stop(void *arg, uint32_t n, const char *const *values, const bool *numbers)
{
    (void)arg;
    (void)n;
    (void)values;
    (void)numbers;
    return ERR_LIMIT;
}

START_TEST(sql_stops_when_told)
{
    ck_assert_int_eq(history_sql(h, "SELECT 1", stop, NULL, NULL), ERR_LIMIT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("history");
    TCase *t = tcase_create("history");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, answers, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(t, preemptions_have_a_notice_and_a_cost);
    tcase_add_test(t, extent);
    tcase_add_test(t, other_files_are_refused);
    tcase_add_test(t, memory_that_fails);
    tcase_add_test(t, sql_answers);
    tcase_add_loop_test(t, sql_only_reads, 0, 19);
    tcase_add_test(t, sql_stops_when_told);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
