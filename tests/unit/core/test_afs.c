#include "core/afs.h"

#include "base/mem.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))
#define MINUTE (60 * NS_PER_S)

static struct names *names;
static struct afs_config config;
static struct afs_ledger ledger;
static uint32_t cpu, memory;

static struct quantity read_q(const char *text)
{
    struct quantity q;
    ck_assert_int_eq(quantity_parse(text, strlen(text), &q, NULL), 0);
    return q;
}

static struct afs_amount amount_of(uint32_t res, const char *text)
{
    return (struct afs_amount){res, read_q(text)};
}

static void setup(void)
{
    names = names_new();
    ck_assert_int_eq(names_id(names, "memory", &memory), 0);
    ck_assert_int_eq(names_id(names, "cpu", &cpu), 0);
    config = (struct afs_config){.on = true, .half_life_ns = 5 * MINUTE, .sampling_ns = 5 * MINUTE};
    afs_ledger_init(&ledger);
}

static void teardown(void)
{
    afs_ledger_free(&ledger);
    afs_config_free(&config);
    names_free(names);
}

static void assert_consumed(uint32_t i, uint32_t res, const char *want)
{
    char text[64];
    ck_assert_uint_lt(i, ledger.nconsumed);
    ck_assert_uint_eq(ledger.consumed[i].res, res);
    quantity_print(ledger.consumed[i].q, text, sizeof(text));
    ck_assert_str_eq(text, want);
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *q;
    double f;
    const char *want;
} scale_rows[] = {
    {"1500m", 1, "1500m"},
    {"2", 0, "0"},
    {"0", 0.5, "0"},
    {"4", 0.5, "2"},
    {"10n", 0.15, "1n"},
    {"-10n", 0.19, "-1n"},
    {"1n", 0.9, "0"},
    {"8", 0.7071067811865476, "5656854249n"},
    /* exact in decimals: the binary value of the factor would end in ...125 */
    {"64Ti", 0.00034376390587387284, "24190234349953124739n"},
    {"3", 1e-300, "0"},
    {"3", 1e10, "30G"},
    {"24190234349953124739n", 0.1, "2419023434995312473n"},
};

START_TEST(scale)
{
    char text[64];
    quantity_print(afs_scale(read_q(scale_rows[_i].q), scale_rows[_i].f), text, sizeof(text));
    ck_assert_str_eq(text, scale_rows[_i].want);
}
END_TEST

START_TEST(alpha)
{
    ck_assert(afs_alpha(&config, 5 * MINUTE) == 0.5);
    ck_assert(afs_alpha(&config, 15 * MINUTE) == 0.875);
    ck_assert(afs_alpha(&config, 0) == 0);
    ck_assert(afs_alpha(&config, -MINUTE) == 0);
    ck_assert(afs_alpha(&config, 2 * MINUTE + 30 * NS_PER_S) == 1 - 0.7071067811865476);
    ck_assert(fabs(afs_alpha(&config, 4 * MINUTE) - (1 - pow(0.5, 0.8))) < 1e-15);
    ck_assert(afs_alpha(&config, INT64_MAX) == 1);
    config.half_life_ns = 0;
    ck_assert(afs_alpha(&config, MINUTE) == 0);
}
END_TEST

/* ---- usage and penalties ------------------------------------------------------------------------------------------------ */

START_TEST(usage_is_weighted)
{
    struct fact_amount weights[] = {{"cpu", read_q("3")}};
    struct fact_config f = {.afs = true, .afs_weights = weights, .nafs_weights = 1};
    struct fact_amount consumed[] = {{"memory", read_q("7")}, {"cpu", read_q("1500m")}};

    ck_assert_int_eq(afs_configure(&config, names, &f), 0);
    ck_assert_int_eq(config.sampling_ns, 5 * MINUTE);
    ck_assert(afs_usage(&config, names, &ledger) == 0);
    ck_assert_int_eq(afs_seed(&ledger, names, consumed, 2, 0), 0);
    ck_assert(afs_usage(&config, names, &ledger) == 11.5);
    ledger.weight = 2;
    ck_assert(afs_usage(&config, names, &ledger) == 5.75);
    ledger.weight = 0;
    ck_assert(isinf(afs_usage(&config, names, &ledger)));
}
END_TEST

START_TEST(penalties_are_exact)
{
    const char *first = "first", *second = "second";
    struct afs_amount two = amount_of(cpu, "4"), three = amount_of(cpu, "6"), mem = amount_of(memory, "8Gi");

    ck_assert_int_eq(afs_penalize(&config, names, &ledger, first, &two, 1), 0);
    ck_assert_int_eq(afs_penalize(&config, names, &ledger, second, &mem, 1), 0);
    ck_assert_int_eq(quantity_milli(afs_pending(&ledger, cpu)), 2000);
    ck_assert_int_eq(afs_penalize(&config, names, &ledger, first, &three, 1), 0);
    ck_assert_int_eq(quantity_milli(afs_pending(&ledger, cpu)), 3000);
    ck_assert(afs_usage(&config, names, &ledger) == 3 + 4294967296.0);
    afs_unpenalize(&ledger, first);
    afs_unpenalize(&ledger, first);
    ck_assert_int_eq(quantity_milli(afs_pending(&ledger, cpu)), 0);
    ck_assert_int_eq(quantity_value(afs_pending(&ledger, memory)), INT64_C(4294967296));
    ck_assert(afs_has_penalties(&ledger));
    afs_unpenalize(&ledger, second);
    ck_assert(!afs_has_penalties(&ledger));
    ck_assert_uint_eq(ledger.nconsumed, 0);
}
END_TEST

/* ---- settlement, sampling, seed ----------------------------------------------------------------------------------------- */

START_TEST(settling_folds_the_record)
{
    struct afs_amount asked = amount_of(cpu, "4"), held = amount_of(cpu, "4");
    struct fact_amount persisted = {"cpu", read_q("8")};

    ck_assert_int_eq(afs_penalize(&config, names, &ledger, "w", &asked, 1), 0);
    ck_assert_int_eq(afs_settle(&config, names, &ledger, "w", &held, 1, 0), 0);
    assert_consumed(0, cpu, "2"); /* never updated before: no time has passed */
    ck_assert(!afs_has_penalties(&ledger));
    ck_assert_int_eq(afs_seed(&ledger, names, &persisted, 1, 99), 0);
    ck_assert_int_eq(afs_seed(&ledger, names, &persisted, 1, 99), 0);
    assert_consumed(0, cpu, "10");
    ck_assert_int_eq(ledger.updated, 0);
    ck_assert_int_eq(afs_sample(&config, names, &ledger, &held, 1, 5 * MINUTE), 0);
    assert_consumed(0, cpu, "7");
    ck_assert_int_eq(ledger.updated, 5 * MINUTE);
    /* time does not run backwards */
    ck_assert_int_eq(afs_settle(&config, names, &ledger, "w", &held, 1, MINUTE), 0);
    assert_consumed(0, cpu, "7");
    ck_assert_int_eq(ledger.updated, 5 * MINUTE);
}
END_TEST

START_TEST(sampling_sorts_and_forgets)
{
    struct afs_amount held[] = {amount_of(memory, "4"), amount_of(cpu, "4")};

    ck_assert_int_eq(afs_sample(&config, names, &ledger, NULL, 0, 0), 0);
    config.half_life_ns = 10 * MINUTE;
    ck_assert_int_eq(afs_sample(&config, names, &ledger, held, 2, 5 * MINUTE), 0);
    assert_consumed(0, cpu, "1171572875n");
    assert_consumed(1, memory, "1171572875n");
    config.half_life_ns = 0;
    ck_assert_int_eq(afs_sample(&config, names, &ledger, held, 2, 10 * MINUTE), 0);
    ck_assert_uint_eq(ledger.nconsumed, 0);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

static int all_calls(void)
{
    struct fact_amount weights[] = {{"a", read_q("3")}, {"b", read_q("1")}};
    struct fact_config f = {.afs = true, .afs_weights = weights, .nafs_weights = 2};
    struct afs_amount held[] = {amount_of(memory, "4"), amount_of(cpu, "4")};
    int rc = afs_configure(&config, names, &f);

    rc = rc ? rc : afs_penalize(&config, names, &ledger, "w", held, 2);
    rc = rc ? rc : afs_penalize(&config, names, &ledger, "v", held, 2);
    rc = rc ? rc : afs_settle(&config, names, &ledger, "w", held, 2, 0);
    rc = rc ? rc : afs_seed(&ledger, names, weights, 2, 0);
    rc = rc ? rc : afs_sample(&config, names, &ledger, held, 2, 1);
    return rc;
}

START_TEST(out_of_memory)
{
    for (uint64_t n = 1;; n++) {
        mem_fail_after(n);
        int rc = all_calls();
        mem_fail_after(0);
        if (rc == 0)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_uint_lt(n, 100);
        teardown();
        ck_assert_int_eq(mem_live(), 0);
        setup();
    }
    teardown();
    ck_assert_int_eq(mem_live(), 0);
    setup();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("afs");
    TCase *t = tcase_create("afs");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, scale, 0, COUNT(scale_rows));
    tcase_add_test(t, alpha);
    tcase_add_test(t, usage_is_weighted);
    tcase_add_test(t, penalties_are_exact);
    tcase_add_test(t, settling_folds_the_record);
    tcase_add_test(t, sampling_sorts_and_forgets);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);

    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
