#include "kube/events.h"

#include "base/mem.h"
#include "fake.h"
#include "kube/microtime.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S NS_PER_S

struct all {
    struct fake f;
    struct writes *w;
    struct events *e;
};

static void begin(struct all *a)
{
    memset(a, 0, sizeof(*a));
    fake_init(&a->f);
    struct writes_config w = {.server = &a->f.server, .timers = &a->f.timers, .clock = &a->f.clock};
    a->w = writes_new(&w, NULL);
    ck_assert_ptr_nonnull(a->w);
    struct events_config e = {.writes = a->w,
                              .timers = &a->f.timers,
                              .clock = &a->f.clock,
                              .controller = "x.io/admission",
                              .instance = "pod-1"};
    a->e = events_new(&e, NULL);
    ck_assert_ptr_nonnull(a->e);
}

static void finish(struct all *a)
{
    events_free(a->e);
    ck_assert_uint_eq(writes_pending(a->w), fake_count_open(&a->f));
    writes_free(a->w);
    ck_assert_int_eq(timers_next(&a->f.timers), INT64_MAX);
    fake_free(&a->f);
}

static void emit(struct all *a, const char *name, const char *reason, const char *note)
{
    struct event_ref r = {.api_version = "kueue.x-k8s.io/v1beta2",
                          .kind = "Workload",
                          .ns = "ns",
                          .name = name,
                          .uid = "u-1",
                          .resource_version = "7"};
    events_emit(a->e, &r, EVENTS_NORMAL, reason, "Admit", note);
    fake_settle(&a->f);
}

static void has(const struct fake_call *c, const char *part)
{
    ck_assert_msg(strstr(c->body, part) != NULL, "%s in %s", part, c->body);
}

START_TEST(test_one)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Admitted", "say \"hi\"");
    struct fake_call *c = fake_only(&a.f);
    ck_assert_int_eq(c->verb, KUBE_POST);
    ck_assert_str_eq(c->type, KUBE_JSON);
    ck_assert_str_eq(c->path, "/apis/events.k8s.io/v1/namespaces/ns/events");
    ck_assert_str_eq(c->body, "{\"apiVersion\":\"events.k8s.io/"
                              "v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"w.18b3d491b4320000\","
                              "\"namespace\":\"ns\"},\"eventTime\":\"2026-05-28T20:26:40.000000Z\","
                              "\"reportingController\":\"x.io/admission\","
                              "\"reportingInstance\":\"pod-1\",\"type\":\"Normal\",\"reason\":\"Admitted\","
                              "\"action\":\"Admit\",\"regarding\":{"
                              "\"kind\":\"Workload\",\"apiVersion\":\"kueue.x-k8s.io/"
                              "v1beta2\",\"namespace\":\"ns\",\"name\":\"w\",\"uid\":"
                              "\"u-1\",\"resourceVersion\":\"7\"},\"note\":\"say \\\"hi\\\"\"}");
    fake_reply(&a.f, c, 201, "");
    ck_assert_uint_eq(events_stats(a.e)->written, 1);
    ck_assert_uint_eq(events_stats(a.e)->waiting, 0);
    fake_pass(&a.f, 3600 * S); /* and is forgotten */
    ck_assert_int_eq(timers_next(&a.f.timers), INT64_MAX);
    ck_assert_uint_eq(a.f.n, 1);
    finish(&a);
}
END_TEST

START_TEST(test_series)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    fake_reply(&a.f, fake_only(&a.f), 201, "");
    fake_pass(&a.f, 5 * S);
    emit(&a, "w", "Pending", "another note"); /* the second at once */
    struct fake_call *c = fake_only(&a.f);
    ck_assert_int_eq(c->verb, KUBE_PATCH);
    ck_assert_str_eq(c->type, KUBE_MERGE_PATCH);
    ck_assert_str_eq(c->path, "/apis/events.k8s.io/v1/namespaces/ns/events/w.18b3d491b4320000");
    ck_assert_str_eq(c->body,
                     "{\"series\":{\"count\":2,\"lastObservedTime\":\"2026-05-28T20:26:45.000000Z\"}}");
    fake_reply(&a.f, c, 200, "");
    int64_t patched = a.f.now;
    for (int i = 0; i < 400; i++) { /* later ones only count, and are told every half an hour */
        fake_pass(&a.f, 5 * S);
        emit(&a, "w", "Pending", "more");
        if (!fake_count_open(&a.f))
            continue;
        ck_assert_int_eq(a.f.now - patched, 1800 * S);
        has(fake_only(&a.f), "\"count\":362,");
        fake_reply(&a.f, fake_only(&a.f), 200, "");
    }
    ck_assert_uint_eq(a.f.n, 3);
    fake_pass(&a.f, 359 * S);
    ck_assert_uint_eq(fake_count_open(&a.f), 0);
    fake_pass(&a.f, 3 * S); /* over: the last word */
    has(fake_only(&a.f), "\"count\":402,");
    fake_reply(&a.f, fake_only(&a.f), 200, "");
    emit(&a, "w", "Pending", "anew");
    fake_pass(&a.f, 3600 * S);
    ck_assert_uint_eq(events_stats(a.e)->repeated, 401);
    ck_assert_int_eq(fake_only(&a.f)->verb, KUBE_POST);
    finish(&a);
}
END_TEST

/* Repetitions before the first one is written: one request. */
START_TEST(test_repeated_while_waiting)
{
    struct all a;
    begin(&a);
    struct event_ref r = {.api_version = "v1", .kind = "Node", .name = "n"};
    for (int i = 0; i < 3; i++)
        events_emit(a.e, &r, EVENTS_WARNING, "Bad", "Look", "note");
    fake_settle(&a.f);
    struct fake_call *c = fake_only(&a.f);
    has(c, "\"namespace\":\"default\""); /* cluster-scoped */
    ck_assert_ptr_null(strstr(strstr(c->body, "regarding"), "\"namespace\""));
    has(c, "\"note\":\"note\",\"series\":{\"count\":3,");
    events_emit(a.e, &r, EVENTS_WARNING, "Bad", "Look", "note"); /* in flight */
    fake_reply(&a.f, c, 201, "");
    ck_assert_uint_eq(fake_count_open(&a.f), 0); /* it has its series: later */
    finish(&a);
}
END_TEST

START_TEST(test_second_while_first_flies)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    emit(&a, "w", "Pending", "one");
    fake_reply(&a.f, fake_only(&a.f), 201, "");
    has(fake_only(&a.f), "{\"series\":{\"count\":2,");
    finish(&a);
}
END_TEST

static const struct {
    const char *name, *reason, *type;
    uint64_t repeated;
} same_rows[] = {
    {"w", "Pending", EVENTS_NORMAL, 1},
    {"v", "Pending", EVENTS_NORMAL, 0},
    {"w", "Admitted", EVENTS_NORMAL, 0},
    {"w", "Pending", EVENTS_WARNING, 0},
};

START_TEST(test_what_is_the_same)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    struct event_ref r = {.api_version = "kueue.x-k8s.io/v1beta2",
                          .kind = "Workload",
                          .ns = "ns",
                          .name = same_rows[_i].name,
                          .uid = "u-1",
                          .resource_version = "8"};
    events_emit(a.e, &r, same_rows[_i].type, same_rows[_i].reason, "Admit", "two");
    fake_settle(&a.f);
    ck_assert_uint_eq(events_stats(a.e)->repeated, same_rows[_i].repeated);
    ck_assert_uint_eq(fake_count_open(&a.f), 2 - same_rows[_i].repeated);
    finish(&a);
}
END_TEST

START_TEST(test_expired)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    fake_reply(&a.f, fake_only(&a.f), 201, "");
    emit(&a, "w", "Pending", "two");
    fake_reply(&a.f, fake_only(&a.f), 404, "");
    struct fake_call *c = fake_only(&a.f);
    ck_assert_int_eq(c->verb, KUBE_POST);
    has(c, "\"note\":\"two\",\"series\":{\"count\":2,");
    fake_reply(&a.f, c, 201, "");
    ck_assert_uint_eq(fake_count_open(&a.f), 0);
    ck_assert_uint_eq(events_stats(a.e)->dropped, 0);
    finish(&a);
}
END_TEST

static const struct {
    int status;
    const char *body;
    uint64_t dropped, written;
} end_rows[] = {
    {201, "", 0, 1},
    {409, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"code\":409}", 0,
     1},             /* a lost answer before it */
    {403, "", 1, 0}, /* the namespace goes */
    {404, "", 1, 0},
    {422, "", 1, 0},
};

START_TEST(test_answers)
{
    struct all a;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    fake_lose(&a.f, fake_only(&a.f));
    fake_pass(&a.f, S);
    fake_reply(&a.f, fake_only(&a.f), end_rows[_i].status, end_rows[_i].body);
    ck_assert_uint_eq(events_stats(a.e)->dropped, end_rows[_i].dropped);
    ck_assert_uint_eq(events_stats(a.e)->written, end_rows[_i].written);
    ck_assert_uint_eq(events_stats(a.e)->waiting, 0);
    finish(&a);
}
END_TEST

START_TEST(test_given_up)
{
    struct all a;
    int tries = 0;
    begin(&a);
    emit(&a, "w", "Pending", "one");
    for (; events_stats(a.e)->waiting; fake_pass(&a.f, S))
        if (fake_count_open(&a.f)) {
            fake_reply(&a.f, fake_only(&a.f), 500, "");
            tries++;
        }
    ck_assert_int_eq(tries, 12);
    ck_assert_uint_eq(events_stats(a.e)->dropped, 1);
    finish(&a);
}
END_TEST

START_TEST(test_too_many)
{
    struct all a;
    char name[16];
    begin(&a);
    for (int i = 0; i < EVENTS_MAX + 5; i++) {
        snprintf(name, sizeof(name), "w%d", i);
        emit(&a, name, "Pending", "one");
    }
    ck_assert_uint_eq(events_stats(a.e)->waiting, EVENTS_MAX);
    ck_assert_uint_eq(events_stats(a.e)->dropped, 5);
    emit(&a, "w7", "Pending", "one"); /* one that is known needs no place */
    ck_assert_uint_eq(events_stats(a.e)->dropped, 5);
    ck_assert_uint_eq(events_stats(a.e)->repeated, 1);
    finish(&a);
}
END_TEST

START_TEST(test_many_known)
{
    struct all a;
    char name[16];
    begin(&a);
    int64_t live = mem_live();
    for (int i = 0; i < EVENTS_SEEN + 100; i++) {
        a.f.n = 0; /* nobody looks at them */
        snprintf(name, sizeof(name), "w%d", i);
        emit(&a, name, "Pending", "one");
        struct fake_call *c = fake_only(&a.f);
        fake_reply(&a.f, c, 201, "");
        free(c->path);
        free(c->type);
        free(c->body);
        free(c);
    }
    a.f.n = 0;
    ck_assert_int_eq(mem_live() - live, 2 * EVENTS_SEEN); /* bodies are gone */
    ck_assert_uint_eq(events_stats(a.e)->dropped, 0);
    finish(&a);
}
END_TEST

START_TEST(test_long_texts)
{
    struct all a;
    char name[254], note[3000], reason[200];
    memset(name, 'n', 253);
    memset(name + 230, '-', 10);
    name[253] = '\0';
    memset(reason, 'R', 199);
    reason[199] = '\0';
    for (size_t i = 0; i < sizeof(note) - 1; i++)
        note[i] = i % 2 ? '\xbc' : '\xc3';
    note[sizeof(note) - 1] = '\0';
    begin(&a);
    emit(&a, name, reason, note);
    struct fake_call *c = fake_only(&a.f);
    char *at = strstr(c->body, "\"name\":\""), *dot = strchr(at, '.');
    ck_assert_int_eq(dot - (at + 8), 230);
    at = strstr(c->body, "\"note\":\"") + 8;
    ck_assert_uint_eq(strcspn(at, "\""), 1024);
    ck_assert_ptr_nonnull(strstr(at, "\xc3\xbc ...\"}"));
    at = strstr(c->body, "\"reason\":\"") + 10;
    ck_assert_uint_eq(strcspn(at, "\""), 128);
    finish(&a);
}
END_TEST

START_TEST(test_limits)
{
    char instance[130];
    struct fake f;
    struct err err;
    fake_init(&f);
    memset(instance, 'i', 129);
    instance[129] = '\0';
    struct events_config c = {
        .timers = &f.timers, .clock = &f.clock, .controller = "x", .instance = instance};
    ck_assert_ptr_null(events_new(&c, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    events_free(NULL);
    fake_free(&f);
}
END_TEST

START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    for (uint64_t n = 1; n < 30; n++) {
        struct all a;
        begin(&a);
        mem_fail_after(n);
        for (int i = 0; i < 3; i++) {
            emit(&a, "w", "Pending", "one");
            if (fake_count_open(&a.f))
                fake_reply(&a.f, fake_only(&a.f), 201, "");
        }
        mem_fail_after(0);
        fake_pass(&a.f, S);
        while (fake_count_open(&a.f))
            fake_reply(&a.f, fake_only(&a.f), 201, "");
        ck_assert_uint_eq(events_stats(a.e)->waiting, 0);
        ck_assert_uint_ge(
            events_stats(a.e)->dropped + events_stats(a.e)->written + events_stats(a.e)->repeated, 3);
        finish(&a);
        ck_assert_int_eq(mem_live(), live);
    }
}
END_TEST

static const struct {
    when_ns t;
    const char *text;
} time_rows[] = {
    {0, "1970-01-01T00:00:00.000000Z"},
    {INT64_C(1780000000123456789), "2026-05-28T20:26:40.123456Z"},
    {INT64_C(1780000000000000999), "2026-05-28T20:26:40.000000Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
};

START_TEST(test_microtime)
{
    char text[MICROTIME_BYTES];
    microtime_print(time_rows[_i].t, text);
    ck_assert_str_eq(text, time_rows[_i].text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("events");
    TCase *t = tcase_create("events");
    tcase_add_test(t, test_one);
    tcase_add_test(t, test_series);
    tcase_add_test(t, test_repeated_while_waiting);
    tcase_add_test(t, test_second_while_first_flies);
    tcase_add_loop_test(t, test_what_is_the_same, 0, (int)(sizeof(same_rows) / sizeof(same_rows[0])));
    tcase_add_test(t, test_expired);
    tcase_add_loop_test(t, test_answers, 0, (int)(sizeof(end_rows) / sizeof(end_rows[0])));
    tcase_add_test(t, test_given_up);
    tcase_add_test(t, test_too_many);
    tcase_add_test(t, test_many_known);
    tcase_add_test(t, test_long_texts);
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_out_of_memory);
    tcase_add_loop_test(t, test_microtime, 0, (int)(sizeof(time_rows) / sizeof(time_rows[0])));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
