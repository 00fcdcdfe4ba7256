/* Older files become new ones, whole steps at a time. */
#include "build.h"

#include "ledger/history.h"
#include "ledger/schema.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;

static void setup(void)
{
    build_dir();
    ck_assert_int_eq(sqlite3_open(build_path(), &db), SQLITE_OK);
}

static void teardown(void)
{
    (void)sqlite3_close(db);
    db = NULL;
    build_dir_gone();
}

START_TEST(steps_run_once_and_in_order)
{
    static const char *const one[] = {"CREATE TABLE a (x)", NULL};
    static const char *const two[] = {"CREATE TABLE a (x)", "INSERT INTO a VALUES (7); CREATE TABLE b (y)",
                                      NULL};

    ck_assert_int_eq(schema_check(db, one, NULL), ERR_STATE);
    ck_assert_int_eq(schema_migrate(db, one, NULL), 0);
    ck_assert_int_eq(schema_migrate(db, one, NULL), 0);
    ck_assert_int_eq(schema_check(db, one, NULL), 0);
    ck_assert_int_eq(schema_check(db, two, NULL), ERR_STATE);
    ck_assert_int_eq(schema_migrate(db, two, NULL), 0);
    ck_assert_int_eq(schema_migrate(db, two, NULL), 0);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM a"), 1);
    ck_assert_int_eq(build_ask("PRAGMA user_version"), 2);
    ck_assert_int_eq(build_ask("PRAGMA application_id"), SCHEMA_ID);
    ck_assert_int_eq(schema_migrate(db, one, NULL), ERR_STATE);
}
END_TEST

START_TEST(a_step_that_fails_leaves_the_version_before)
{
    static const char *const bad[] = {"CREATE TABLE a (x)",
                                      "INSERT INTO a VALUES (7); INSERT INTO nowhere VALUES (1)", NULL};
    struct err err = {0};

    ck_assert_int_eq(schema_migrate(db, bad, &err), ERR_IO);
    ck_assert_msg(strstr(err.text, "no such table: nowhere") != NULL, "%s", err.text);
    (void)sqlite3_close(db);
    db = NULL;
    ck_assert_int_eq(build_ask("PRAGMA user_version"), 1);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM a"), 0);
}
END_TEST

/* tests/unit/ledger/fixtures/vN.sql is what a file of version N holds; `.dump` of the program of then. */
static char *read_fixture(int version)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/v%d.sql", LEDGER_FIXTURES, version);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    char *text = calloc(1, 1 << 20);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, f), 0);
    (void)fclose(f);
    return text;
}

START_TEST(files_of_every_version_open)
{
    struct history *h = NULL;
    struct err err = {0};
    char *text = read_fixture(_i), *why = NULL;

    (void)sqlite3_exec(db, text, NULL, NULL, &why);
    ck_assert_msg(!why, "%s", why);
    free(text);
    if (schema_steps[_i])
        ck_assert_int_eq(history_open(build_path(), &h, &err), ERR_STATE); /* a reader does not migrate */
    struct ledger *l = build_open(INT64_C(1800000000) * NS_PER_S);
    ledger_free(l);
    const struct history_filter f = {.from = WHEN_NONE, .to = WHEN_NONE};
    const struct history_row *rows;
    uint32_t n;
    ck_assert_msg(!history_open(build_path(), &h, &err), "%s", err.text);
    ck_assert_int_eq(history_ask(h, HISTORY_LOANS, &f, &rows, &n, &err), 0);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(rows[0].queue, "team-b");
    ck_assert_str_eq(rows[0].other, "team-a");
    history_close(h);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM usages"), 4);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM decisions"), 5);
    ck_assert_int_eq(build_ask("SELECT count(*) FROM preemptions"), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    int versions = 0;

    while (schema_steps[versions])
        versions++;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, steps_run_once_and_in_order);
    tcase_add_test(t, a_step_that_fails_leaves_the_version_before);
    tcase_add_loop_test(t, files_of_every_version_open, 1, versions + 1);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
