/* The file: batches, one writer, what becomes of corrupt and foreign files, retention, what a new writer recalls. */
#include "build.h"
#include "fake.h"

#include "base/mem.h"
#include "ledger/schema.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define S NS_PER_S
#define DAY (86400 * S)
#define NOW (INT64_C(1767268800) * S)

static struct rows rows;
static int64_t live; /* blocks before the test */

static void setup(void)
{
    live = mem_live();
    build_dir();
    rows_init(&rows);
}

static void teardown(void)
{
    rows_free(&rows);
    build_dir_gone();
    ck_assert_int_eq(mem_live(), live);
}

static void put_rows(struct ledger *l, when_ns now)
{
    struct err err = {0};

    ck_assert_msg(!ledger_write(l, &rows, now, &err), "%s", err.text);
    rows_clear(&rows);
}

/* ---- batches ------------------------------------------------------------------------------------------------------------- */

START_TEST(every_row_arrives)
{
    struct ledger *l = build_open(NOW);
    const amount ten = 10, five = 5;

    build_decision(&rows, 1, "u1", "admit", NOW);
    rows_outcome(&rows, 1, NOW + S, "published");
    build_usage(&rows, "u1", NOW, NOW + 60 * S, 8);
    build_usage(&rows, "u2", NOW, WHEN_NONE, 4);
    build_loan(&rows, "cq-b", "cq-a", NOW, NOW + 30 * S, 2);
    build_loan(&rows, "cq-b", "", NOW, WHEN_NONE, 3);
    rows_preemption(&rows, &(struct row_preemption){.decision = 2,
                                                    .at = NOW,
                                                    .victim = {"u1", "team", "u1", "queue"},
                                                    .preemptor = {"u3", "team", "u3", "queue"},
                                                    .victim_queue = "cq-a",
                                                    .preemptor_queue = "cq-b",
                                                    .rule = "InCohortReclamation",
                                                    .victim_before = 2.5,
                                                    .preemptor_after = 1});
    rows_loss(&rows, 2, "h100", "nvidia.com/gpu", 480);
    rows_quota(&rows,
               &(struct row_quota){NOW, "ClusterQueue", "cq-a", "h100", "nvidia.com/gpu", &ten, NULL, &five});
    rows_node(&rows, NOW, "ClusterQueue", "cq-a", "all", true);
    rows_gap(&rows, WHEN_NONE, NOW, "full", 7);
    put_rows(l, NOW + 61 * S);

    ck_assert_str_eq(
        build_text("SELECT uid || namespace || workload || local_queue || what || reason || message || "
                   "outcome || waited_s FROM decisions"),
        "u1teamu1queueadmitBecauseas it ispublished10.0");
    ck_assert_str_eq(
        build_text("SELECT group_concat(workload || ' ' || amount || ' ' || coalesce(ended, 'open') || ' ' ||"
                   " coalesce(end_reason, '-'), '; ') FROM (SELECT * FROM usages ORDER BY workload)"),
        "u1 8 2026-01-01T12:01:00Z finished; u2 4 open -");
    ck_assert_str_eq(
        build_text("SELECT group_concat(borrower || '<-' || lender || ' ' || amount, ', ') FROM loans"),
        "cq-b<-cq-a 2, cq-b<- 3");
    ck_assert_str_eq(build_text("SELECT printf('%.4f', sum(hours)) FROM loans"),
                     "0.0675"); /* 2 x 30 s, 3 x 61 s */
    ck_assert_str_eq(
        build_text("SELECT victim || preemptor || rule || victim_share_before || lost_hours FROM "
                   "preemptions"),
        "u1u3InCohortReclamation2.50.133333333333333");
    ck_assert_str_eq(
        build_text("SELECT node || nominal || coalesce(borrowing_limit, '-') || lending_limit FROM quotas"),
        "cq-a10-5");
    ck_assert_str_eq(build_text("SELECT coalesce(began, '?') || reason || lost FROM gaps"), "?full7");
    ck_assert_int_eq(build_ask("SELECT count(*) FROM open_usage"), 1);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM workload"), 3);
    ledger_free(l);
}
END_TEST

/* The same texts, whatever they are, are stored once, and come back as they were. */
START_TEST(texts_are_only_texts)
{
    static const char *const hostile[] = {
        "'); DROP TABLE usage; --", "\"", "%s%n", "\x01\x1b[31m", "\xff\xfe", ""};
    struct ledger *l = build_open(NOW);
    char longer[3000];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
            build_usage(&rows, hostile[i], NOW + again * 10 * S, NOW + S + again * 10 * S, 1);
        build_usage(&rows, longer, NOW + again * 10 * S, NOW + S + again * 10 * S, 1);
        put_rows(l, NOW);
    }
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 14);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM workload"), 7);
    ck_assert_str_eq(build_text("SELECT uid FROM workload WHERE uid LIKE '%DROP%'"), hostile[0]);
    ck_assert_int_eq(build_ask("SELECT max(length(uid)) FROM workload"), ROW_MESSAGE_MAX);
    ledger_free(l);
}
END_TEST

START_TEST(messages_are_cut_between_characters)
{
    struct ledger *l = build_open(NOW);
    char message[ROW_MESSAGE_MAX + 10];

    memset(message, 'x', sizeof(message));
    memcpy(message + ROW_MESSAGE_MAX - 1, "\xc3\xa9", 3);
    rows_decision(&rows,
                  &(struct row_decision){1, NOW, {"u", "n", "w", "q"}, "admit", "c", "r", message, NOW});
    put_rows(l, NOW);
    ck_assert_int_eq(build_ask("SELECT length(CAST(message AS BLOB)) FROM decision"), ROW_MESSAGE_MAX - 1);
    ledger_free(l);
}
END_TEST

START_TEST(history_is_only_added_to)
{
    static const char *const changes[] = {"UPDATE usage SET amount = 0", "DELETE FROM usage",
                                          "DELETE FROM loan", "UPDATE decision SET at_ns = 0",
                                          "DELETE FROM gap"};
    struct ledger *l = build_open(NOW);
    sqlite3 *db;

    build_usage(&rows, "u1", NOW, NOW + S, 8);
    build_loan(&rows, "b", "a", NOW, NOW + S, 8);
    build_decision(&rows, 1, "u1", "admit", NOW);
    rows_gap(&rows, NOW, NOW + 1, "full", 0);
    put_rows(l, NOW);
    ck_assert_int_eq(sqlite3_open(build_path(), &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        ck_assert_int_eq(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    (void)sqlite3_close(db);
    ledger_free(l);
}
END_TEST

/* ---- one writer --------------------------------------------------------------------------------------------------------- */

START_TEST(one_writer_and_many_readers)
{
    struct ledger *l = build_open(NOW);
    struct ledger *other = ledger_new(&(struct ledger_options){.path = build_path(), .writer = "other"});
    struct err err = {0};

    ck_assert_int_eq(ledger_open(other, NOW, &err), ERR_EXISTS);
    ck_assert_ptr_nonnull(strstr(err.text, "another program writes this ledger"));
    ck_assert_int_eq(ledger_fault(other), LEDGER_BUSY);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM session"), 1); /* a reader */
    ledger_close(l, NOW + S);
    ck_assert_msg(!ledger_open(other, NOW + 2 * S, &err), "%s", err.text);
    ledger_free(other);
    ledger_free(l);
}
END_TEST

/* A reader in the middle of its reading holds nobody up. */
START_TEST(readers_hold_nobody_up)
{
    struct ledger *l = build_open(NOW);
    sqlite3 *db;

    build_usage(&rows, "u1", NOW, NOW + S, 8);
    put_rows(l, NOW);
    ck_assert_int_eq(sqlite3_open(build_path(), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN; SELECT * FROM usage", NULL, NULL, NULL), SQLITE_OK);
    build_usage(&rows, "u2", NOW, NOW + S, 8);
    put_rows(l, NOW);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 2);
    (void)sqlite3_close(db);
    ledger_free(l);
}
END_TEST

/* ---- other files -------------------------------------------------------------------------------------------------------- */

static int open_as_is(struct err *err)
{
    struct ledger *l =
        ledger_new(&(struct ledger_options){.path = build_path(), .writer = "test", .any_filesystem = true});
    int rc = ledger_open(l, NOW, err);

    ledger_free(l);
    return rc;
}

static int files_that_begin(const char *with)
{
    DIR *d = opendir(build_file("."));
    const struct dirent *e;
    int n = 0;

    while ((e = readdir(d)))
        n += !strncmp(e->d_name, with, strlen(with));
    (void)closedir(d);
    return n;
}

START_TEST(foreign_and_newer_files_are_left_alone)
{
    struct err err = {0};

    build_exec("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    ck_assert_int_eq(open_as_is(&err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "not a ledger"));
    ck_assert_int_eq(build_ask("SELECT count(*) FROM t"), 1);
    ck_assert_int_eq(unlink(build_path()), 0);

    ledger_free(build_open(NOW));
    build_exec("PRAGMA user_version = 99");
    ck_assert_int_eq(open_as_is(&err), ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "version 99 of a newer program"));
    ck_assert_int_eq(files_that_begin("ledger.db.corrupt"), 0);
}
END_TEST

static void damage(long at, size_t n)
{
    FILE *f = fopen(build_path(), "r+b");

    ck_assert_ptr_nonnull(f);
    (void)fseek(f, at, SEEK_SET);
    for (size_t i = 0; i < n; i++)
        (void)fputc(0x5a, f);
    (void)fclose(f);
}

/* Wherever it is broken: it is kept beside, and a new one knows of the gap. */
START_TEST(corrupt_files_are_set_aside)
{
    static const struct {
        long at;
        size_t n;
    } cases[] = {{0, 4096}, {4096 * 3, 4096 * 6}, {100, 3000}};
    struct err err = {0};
    struct ledger *l = build_open(NOW);

    for (int i = 0; i < 400; i++)
        build_usage(&rows, "u1", NOW, NOW + S + i, 8);
    put_rows(l, NOW);
    ledger_close(l, NOW);
    damage(cases[_i].at, cases[_i].n);
    ck_assert_msg(!ledger_open(l, NOW + DAY, &err), "%s", err.text);
    ck_assert_ptr_nonnull(ledger_set_aside(l));
    ck_assert_ptr_nonnull(strstr(ledger_set_aside(l), "ledger.db.corrupt-20260102T120000Z"));
    ck_assert_int_eq(access(ledger_set_aside(l), R_OK), 0);
    ck_assert_str_eq(build_text("SELECT coalesce(began, '?') || ended || reason FROM gaps"),
                     "?2026-01-02T12:00:00Zcorrupt");
    build_usage(&rows, "u1", NOW, NOW + S, 8);
    put_rows(l, NOW);
    ledger_close(l, NOW);

    damage(0, 4096); /* and once more at the same second */
    ck_assert_msg(!ledger_open(l, NOW + DAY, &err), "%s", err.text);
    ck_assert_ptr_nonnull(strstr(ledger_set_aside(l), "Z-2"));
    ck_assert_int_ge(files_that_begin("ledger.db.corrupt"), 2);
    ledger_free(l);
}
END_TEST

START_TEST(a_crash_is_a_gap)
{
    struct ledger *l = build_open(NOW);
    when_ns until = 0;
    struct err err = {0};

    build_usage(&rows, "u1", NOW, NOW + S, 8);
    put_rows(l, NOW + 5 * S);
    ledger_close(l, WHEN_NONE);
    ck_assert_int_eq(ledger_open(l, NOW + 9 * S, &err), 0);
    ck_assert_str_eq(build_text("SELECT began || ended || reason FROM gaps"),
                     "2026-01-01T12:00:05Z2026-01-01T12:00:09Zcrashed");
    ck_assert_int_eq(ledger_kept_until(l, &until, NULL), 0);
    ck_assert_int_eq(until, NOW + 5 * S);
    ledger_close(l, NOW + 10 * S);
    ck_assert_int_eq(ledger_open(l, NOW + 20 * S, &err), 0); /* ended in order */
    ck_assert_int_eq(build_ask("SELECT count(*) FROM gap"), 1);
    ledger_free(l);
}
END_TEST

/* The end of the write-ahead log is torn off: all batches before it are there, the last one is not, and nothing is corrupt. */
START_TEST(a_torn_log_loses_the_last_batch_only)
{
    struct ledger *l = build_open(NOW);
    char copy[3][400];
    const char *const parts[] = {"", "-wal"};
    struct stat s;

    for (int i = 1; i <= 5; i++) {
        build_usage(&rows, "u1", NOW, NOW + i * S, 8);
        put_rows(l, NOW + i * S);
    }
    (void)snprintf(copy[2], sizeof(copy[2]), "%s", build_file("copy.db"));
    for (int i = 0; i < 2; i++) {
        char command[900];
        (void)snprintf(copy[i], sizeof(copy[i]), "%s%s", copy[2], parts[i]);
        (void)snprintf(command, sizeof(command), "cp %s%s %s", build_path(), parts[i], copy[i]);
        ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c)
    }
    ledger_free(l);
    ck_assert_int_eq(stat(copy[1], &s), 0);
    ck_assert_int_eq(truncate(copy[1], s.st_size - 100), 0);
    l = ledger_new(&(struct ledger_options){.path = copy[2], .writer = "test"});
    ck_assert_int_eq(ledger_open(l, NOW + DAY, NULL), 0);
    ck_assert_ptr_null(ledger_set_aside(l));
    ledger_close(l, NOW + DAY);
    ck_assert_int_eq(rename(copy[2], build_path()), 0);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 4);
    ledger_free(l);
}
END_TEST

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

/* Whichever write fails: the batch is there whole or not at all, the reason is told, and when the disk is well again all goes on. */
START_TEST(a_failing_disk_loses_no_committed_batch)
{
    static const struct {
        int code;
        enum ledger_fault fault;
    } kinds[] = {{SQLITE_FULL, LEDGER_FULL}, {SQLITE_IOERR_WRITE, LEDGER_IO}};
    struct ledger *l = build_open(NOW);
    int64_t kept = 0;
    bool failed = true;

    for (uint64_t n = 1; failed && n < 200; n++) {
        struct err err = {0};
        for (int i = 0; i < 30; i++)
            build_usage(&rows, i % 2 ? "u1" : "u2", NOW, NOW + S, 8);
        fake_disk_fail_after(n, kinds[_i].code);
        failed = ledger_write(l, &rows, NOW, &err) != 0;
        fake_disk_fail_after(0, 0);
        if (failed) {
            ck_assert_int_eq(err.code, ERR_IO);
            ck_assert_msg(ledger_fault(l) == kinds[_i].fault || ledger_fault(l) == LEDGER_IO, "%s", err.text);
        } else
            kept += 30;
        ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), kept);
        rows_clear(&rows);
        build_usage(&rows, "u9", NOW, NOW + S, 1);
        put_rows(l, NOW);
        kept++;
    }
    ck_assert(!failed);
    ledger_close(l, NOW);
    ck_assert_int_eq(ledger_open(l, NOW, NULL), 0);
    ck_assert_ptr_null(ledger_set_aside(l));
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), kept);
    ledger_free(l);
}
END_TEST

START_TEST(memory_that_fails_is_told)
{
    struct ledger *l = NULL;
    struct err err = {0};
    int rc = ERR_NOMEM;

    for (uint64_t n = 1; rc && n < 100000; n += 1 + n / 20) {
        l = ledger_new(&(struct ledger_options){.path = build_path(), .writer = "test"});
        build_usage(&rows, "u1", NOW, NOW + S, 8);
        fake_memory_fail_after(n);
        rc = ledger_open(l, NOW, &err);
        if (!rc)
            rc = ledger_write(l, &rows, NOW, &err);
        fake_memory_fail_after(0);
        if (rc)
            ck_assert_msg(rc == ERR_NOMEM, "%d %s", rc, err.text);
        rows_clear(&rows);
        ledger_free(l);
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(files_that_begin("ledger.db.corrupt"), 0);
    ck_assert_int_ge(build_ask("SELECT count(*) FROM usage"), 1);
    for (uint64_t n = 1; n < 40; n++) { /* our own memory */
        mem_fail_after(n);
        l = ledger_new(&(struct ledger_options){.path = build_path(), .writer = "test"});
        build_usage(&rows, "u1", NOW, NOW + S, 8);
        mem_fail_after(0);
        if (l && rows_failed(&rows)) {
            ck_assert_int_eq(ledger_open(l, NOW, &err), 0);
            ck_assert_int_eq(ledger_write(l, &rows, NOW, &err), ERR_NOMEM);
        }
        rows_free(&rows);
        rows_init(&rows);
        ledger_free(l);
    }
}
END_TEST

START_TEST(closed_ledgers_say_so)
{
    struct ledger *l = ledger_new(&(struct ledger_options){.path = build_path(), .writer = "test"});
    struct err err = {0};
    bool more;
    uint64_t id;
    when_ns t;

    ck_assert_int_eq(ledger_write(l, &rows, NOW, &err), ERR_STATE);
    ck_assert_int_eq(ledger_trim(l, &(struct ledger_keep){NOW, 0}, &more, &err), ERR_STATE);
    ck_assert_int_eq(ledger_last_decision(l, &id, &err), ERR_STATE);
    ck_assert_int_eq(ledger_kept_until(l, &t, &err), ERR_STATE);
    ck_assert_int_eq(ledger_bytes(l), -1);
    ledger_interrupt(l);
    ledger_free(l);
    l = ledger_new(&(struct ledger_options){.path = "/does/not/exist/ledger.db", .writer = "test"});
    ck_assert_int_eq(ledger_open(l, NOW, &err), ERR_IO);
    ledger_free(l);
    ck_assert_ptr_null(ledger_new(&(struct ledger_options){.path = "", .writer = "test"}));
}
END_TEST

/* ---- retention ---------------------------------------------------------------------------------------------------------- */

static void fill(struct ledger *l, int days, int a_day)
{
    uint64_t id = 0;
    char uid[32];
    const amount v = 1;

    for (int d = 0; d < days; d++) {
        for (int i = 0; i < a_day; i++) {
            when_ns t = NOW + d * DAY + i * S;
            (void)snprintf(uid, sizeof(uid), "u-%d-%d", d, i);
            build_decision(&rows, ++id, uid, "admit", t);
            rows_outcome(&rows, id, t, "published");
            build_usage(&rows, uid, t, t + S, 8);
            build_loan(&rows, "b", "a", t, t + S, 8);
        }
        rows_quota(&rows, &(struct row_quota){NOW + d * DAY, "ClusterQueue", "a", "f", "r", &v, NULL, NULL});
        put_rows(l, NOW + d * DAY);
    }
    build_usage(&rows, "u-0-0", NOW, WHEN_NONE, 1); /* the oldest Workload still runs */
    put_rows(l, NOW + days * DAY);
}

START_TEST(old_history_goes)
{
    struct ledger *l = build_open(NOW);
    struct ledger_keep keep = {.before = NOW + 5 * DAY};
    bool more = true;
    int calls = 0;

    fill(l, 10, 400);
    for (; more && calls < 100; calls++)
        ck_assert_int_eq(ledger_trim(l, &keep, &more, NULL), 0);
    ck_assert_int_ge(calls, 2); /* in pieces */
    ck_assert(!more);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 2000);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM loan"), 2000);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM decision"), 2000);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM outcome"), 2000);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM workload"), 2001);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM quota"), 5);
    ck_assert_int_eq(build_ask("SELECT min(ended_ns) FROM usage"), NOW + 5 * DAY + S);
    ck_assert_int_eq(build_ask("SELECT value FROM meta WHERE key = 'kept_since_ns'"), NOW + 5 * DAY);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM meta"), 1);
    keep.before = NOW + 1000 * DAY; /* all of it: what is open and the last quota stay */
    for (more = true; more;)
        ck_assert_int_eq(ledger_trim(l, &keep, &more, NULL), 0);
    ck_assert_int_eq(
        build_ask("SELECT (SELECT count(*) FROM usage) * 1000 + (SELECT count(*) FROM open_usage) * 100 + "
                  "(SELECT count(*) FROM workload) * 10 + (SELECT count(*) FROM quota)"),
        111);
    build_usage(&rows, "u-9-9", NOW, NOW + S, 1); /* a Workload that the cache may have known */
    put_rows(l, NOW);
    ledger_free(l);
}
END_TEST

START_TEST(large_files_shrink)
{
    struct ledger *l = build_open(NOW);
    struct ledger_keep keep = {.before = WHEN_NONE};
    bool more = true;
    int calls = 0;

    fill(l, 10, 400);
    int64_t all = ledger_bytes(l);
    ck_assert_int_eq(ledger_trim(l, &keep, &more, NULL), 0); /* no limits */
    ck_assert(!more);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usage"), 4000);
    keep.max_bytes = all / 2;
    for (more = true; more && calls < 100; calls++)
        ck_assert_int_eq(ledger_trim(l, &keep, &more, NULL), 0);
    ck_assert_int_le(ledger_bytes(l), all / 2);
    int64_t left = build_ask("SELECT count(*) FROM usage");
    ck_assert(left > 500 && left < 3000);
    ck_assert_int_eq(build_ask("SELECT max(ended_ns) FROM usage"),
                     NOW + 9 * DAY + 400 * S); /* the oldest went */
    keep.max_bytes = 1;                        /* less than it can ever be: it ends nevertheless */
    for (calls = 0, more = true; more && calls < 1000; calls++)
        ck_assert_int_eq(ledger_trim(l, &keep, &more, NULL), 0);
    ck_assert(!more);
    ledger_free(l);
}
END_TEST

/* ---- recall -------------------------------------------------------------------------------------------------------------- */

static int nrecalled;

static int see_usage(void *arg, const struct row_usage *u)
{
    (void)arg;
    nrecalled++;
    ck_assert_str_eq(u->workload.uid, "u2");
    ck_assert_str_eq(u->workload.queue, "queue");
    ck_assert_str_eq(u->cluster_queue, "cq-a");
    ck_assert_int_eq(u->amount, 4);
    ck_assert_int_eq(u->began, NOW);
    return 0;
}

static int see_loan(void *arg, const struct row_loan *u)
{
    (void)arg;
    nrecalled++;
    ck_assert_str_eq(u->lender, "cq-a");
    ck_assert_str_eq(u->begin, "borrowed");
    return 0;
}

static int see_quota(void *arg, const struct row_quota *q)
{
    (void)arg;
    nrecalled++;
    ck_assert_str_eq(q->node, "a");
    ck_assert_int_eq(*q->nominal, 7);
    ck_assert_ptr_null(q->borrowing);
    ck_assert_int_eq(*q->lending, 3);
    return 0;
}

static int see_node(void *arg, const char *kind, const char *node, const char *parent)
{
    (void)arg;
    nrecalled++;
    ck_assert_str_eq(kind, "Cohort");
    ck_assert_str_eq(node, "a");
    ck_assert_str_eq(parent, "root");
    return 0;
}

static int stop(void *arg, const struct row_usage *u)
{
    (void)arg;
    (void)u;
    return ERR_NOMEM;
}

START_TEST(a_new_writer_recalls)
{
    struct ledger *l = build_open(NOW);
    const amount three = 3, seven = 7;
    uint64_t id = 99;
    struct err err = {0};

    ck_assert_int_eq(ledger_last_decision(l, &id, NULL), 0);
    ck_assert_int_eq(id, 0);
    build_usage(&rows, "u1", NOW, NOW + S, 8);
    build_usage(&rows, "u2", NOW, WHEN_NONE, 4);
    build_loan(&rows, "cq-b", "cq-a", NOW, WHEN_NONE, 2);
    build_decision(&rows, 41, "u1", "admit", NOW);
    rows_outcome(&rows, 42, NOW, "lost"); /* its decision went with a lost batch */
    rows_quota(&rows, &(struct row_quota){NOW, "Cohort", "a", "f", "r", &three, &three, NULL});
    rows_quota(&rows, &(struct row_quota){NOW, "Cohort", "a", "f", "r", &seven, NULL, &three});
    rows_quota(&rows, &(struct row_quota){NOW, "Cohort", "b", "f", "r", &seven, NULL, NULL});
    rows_quota(&rows, &(struct row_quota){NOW, "Cohort", "b", "f", "r", NULL, NULL, NULL});
    rows_node(&rows, NOW, "Cohort", "a", "", true);
    rows_node(&rows, NOW, "Cohort", "a", "root", true);
    rows_node(&rows, NOW, "Cohort", "b", "root", true);
    rows_node(&rows, NOW, "Cohort", "b", "root", false);
    put_rows(l, NOW);
    ledger_close(l, NOW);
    ck_assert_int_eq(ledger_open(l, NOW, NULL), 0);
    ck_assert_int_eq(ledger_last_decision(l, &id, NULL), 0);
    ck_assert_int_eq(id, 42);
    ck_assert_int_eq(ledger_recall_usage(l, see_usage, NULL, &err), 0);
    ck_assert_int_eq(ledger_recall_loans(l, see_loan, NULL, &err), 0);
    ck_assert_int_eq(ledger_recall_quotas(l, see_quota, NULL, &err), 0);
    ck_assert_int_eq(ledger_recall_nodes(l, see_node, NULL, &err), 0);
    ck_assert_int_eq(nrecalled, 4);
    ck_assert_int_eq(ledger_recall_usage(l, stop, NULL, &err), ERR_NOMEM);
    ledger_free(l);
}
END_TEST

int main(void)
{
    fake_memory_install();
    fake_disk_install();
    Suite *s = suite_create("ledger");
    TCase *t = tcase_create("ledger");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_row_arrives);
    tcase_add_test(t, texts_are_only_texts);
    tcase_add_test(t, messages_are_cut_between_characters);
    tcase_add_test(t, history_is_only_added_to);
    tcase_add_test(t, one_writer_and_many_readers);
    tcase_add_test(t, readers_hold_nobody_up);
    tcase_add_test(t, foreign_and_newer_files_are_left_alone);
    tcase_add_loop_test(t, corrupt_files_are_set_aside, 0, 3);
    tcase_add_test(t, a_crash_is_a_gap);
    tcase_add_test(t, a_torn_log_loses_the_last_batch_only);
    tcase_add_loop_test(t, a_failing_disk_loses_no_committed_batch, 0, 2);
    tcase_add_test(t, memory_that_fails_is_told);
    tcase_add_test(t, closed_ledgers_say_so);
    tcase_add_test(t, old_history_goes);
    tcase_add_test(t, large_files_shrink);
    tcase_add_test(t, a_new_writer_recalls);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
