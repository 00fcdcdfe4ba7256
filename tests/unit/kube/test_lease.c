#include "kube/lease.h"

#include "base/mem.h"
#include "fake.h"
#include "kube/lease_record.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S NS_PER_S
#define MS NS_PER_MS

struct seen {
    struct fake f;
    struct lease *l;
    char log[2048];
    size_t n;
};

static void note(struct seen *s, const char *what, const char *more)
{
    s->n += (size_t)snprintf(s->log + s->n, sizeof(s->log) - s->n, "%s%s%s", s->n ? " " : "", what, more);
    ck_assert_uint_lt(s->n, sizeof(s->log));
}

static void on_lead(void *arg)
{
    struct seen *s = arg;
    ck_assert(lease_leading(s->l) && lease_may_write(s->l));
    note(s, "lead", "");
}

static void on_lost(void *arg, const char *why)
{
    struct seen *s = arg;
    ck_assert(!lease_leading(s->l) && !lease_may_write(s->l));
    ck_assert(why[0]);
    note(s, "lost", "");
}

static void on_holder(void *arg, const char *identity)
{
    note(arg, "holder=", identity);
}

static void on_trouble(void *arg, const char *text)
{
    (void)text;
    note(arg, "trouble", "");
}

static void on_released(void *arg)
{
    note(arg, "released", "");
}

static void begin(struct seen *s)
{
    memset(s, 0, sizeof(*s));
    fake_init(&s->f);
    s->f.chance = 0;
    struct lease_config c = {.server = &s->f.server,
                             .timers = &s->f.timers,
                             .clock = &s->f.clock,
                             .ns = "ns",
                             .name = "lock",
                             .identity = "me_1"};
    struct lease_handler h = {on_lead, on_lost, on_holder, on_trouble, s};
    s->l = lease_new(&c, &h, NULL);
    ck_assert_ptr_nonnull(s->l);
    ck_assert_uint_eq(s->f.n, 0);
    ck_assert_int_eq(lease_age(s->l), -1);
    fake_settle(&s->f);
}

static void finish(struct seen *s)
{
    lease_free(s->l);
    fake_finish(&s->f);
}

/* A Lease's text; `renew` tells one renewal from the next. Two may be in use at a time. */
static const char *lease_text(const char *holder, int renew, int version, const char *more)
{
    static char text[2][1024];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof(text[turn]),
             "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"lock\","
             "\"labels\":{\"a\":\"b\"},\"resourceVersion\":\"%d\"},\"spec\":{\"holderIdentity\":\"%s\","
             "\"leaseDurationSeconds\":15,\"acquireTime\":\"2026-01-01T00:00:00.000000Z\","
             "\"renewTime\":\"2026-01-01T00:00:%02d.000000Z\",\"leaseTransitions\":4%s}}",
             version, holder, renew % 60, more);
    return text[turn];
}

static void expect(const struct fake_call *c, enum kube_verb verb, const char *part)
{
    ck_assert_int_eq(c->verb, verb);
    ck_assert_str_eq(c->path, verb == KUBE_POST ? "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
                                                : "/apis/coordination.k8s.io/v1/namespaces/ns/leases/lock");
    ck_assert_int_eq(c->timeout_ns, 5 * S);
    ck_assert_msg(strstr(c->body, part) != NULL, "%s in %s", part, c->body);
}

/* Leads since now, with version 8. */
static void lead(struct seen *s)
{
    begin(s);
    fake_reply(&s->f, fake_only(&s->f), 404, "");
    expect(fake_only(&s->f), KUBE_POST, "me_1");
    fake_reply(&s->f, fake_only(&s->f), 201, lease_text("me_1", 0, 8, ""));
    TOLD(s, "lead");
}

START_TEST(test_created)
{
    struct seen s;
    begin(&s);
    expect(fake_only(&s.f), KUBE_GET, "");
    fake_reply(&s.f, fake_only(&s.f), 404, "");
    struct fake_call *c = fake_only(&s.f);
    ck_assert_str_eq(
        c->body,
        "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"lock\","
        "\"namespace\":\"ns\"},\"spec\":{\"holderIdentity\":\"me_1\",\"leaseDurationSeconds\":15,"
        "\"acquireTime\":\"2026-05-28T20:26:40.000000Z\",\"renewTime\":\"2026-05-28T20:26:40.000000Z\","
        "\"leaseTransitions\":0}}");
    ck_assert_str_eq(c->type, KUBE_JSON);
    ck_assert(!lease_leading(s.l));
    fake_reply(&s.f, c, 201, lease_text("me_1", 0, 8, ""));
    TOLD(&s, "lead");
    ck_assert_str_eq(lease_holder(s.l), "me_1");
    /* renewed every two seconds, without a look before it; what is not ours stays */
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
        fake_pass(&s.f, 2 * S - 1);
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
        fake_pass(&s.f, 1);
        expect(fake_only(&s.f), KUBE_PUT, "\"labels\":{\"a\":\"b\"}");
        expect(fake_only(&s.f), KUBE_PUT, "\"acquireTime\":\"2026-01-01T00:00:00.000000Z\"");
        expect(fake_only(&s.f), KUBE_PUT, "\"leaseTransitions\":4}");
        char version[40];
        snprintf(version, sizeof(version), "\"resourceVersion\":\"%d\"", 8 + i);
        expect(fake_only(&s.f), KUBE_PUT, version);
        fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", i + 1, 9 + i, ""));
    }
    TOLD(&s, "");
    finish(&s);
}
END_TEST

START_TEST(test_race_lost)
{
    struct seen s;
    begin(&s);
    fake_reply(&s.f, fake_only(&s.f), 404, "");
    fake_reply(&s.f, fake_only(&s.f), 409, "{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"code\":409}");
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("you_2", 0, 9, ""));
    TOLD(&s, "trouble holder=you_2");
    ck_assert_str_eq(lease_holder(s.l), "you_2");
    ck_assert(!lease_may_write(s.l));
    finish(&s);
}
END_TEST

/* Time in the object means nothing; what counts is how long it has not changed. */
START_TEST(test_takes_over)
{
    struct seen s;
    int asked = 0;
    begin(&s);
    for (int i = 0; i < 6; i++) { /* it lives */
        fake_reply(&s.f, fake_only(&s.f), 200, lease_text("you_2", i, i, ""));
        s.f.wall += (i % 2 ? 1 : -1) * 3600 * S;
        fake_pass(&s.f, 2 * S);
    }
    int64_t last = s.f.now - 2 * S;
    while (fake_only(&s.f)->verb == KUBE_GET) {
        asked++;
        fake_reply(&s.f, fake_only(&s.f), 200, lease_text("you_2", 5, 5, ""));
        if (!fake_count_open(&s.f))
            fake_pass(&s.f, 2 * S);
    }
    ck_assert_int_ge(s.f.now - last, 15 * S);
    ck_assert_int_lt(s.f.now - last, 18 * S);
    ck_assert_int_eq(asked, 8);
    expect(fake_only(&s.f), KUBE_PUT, "\"leaseTransitions\":5}");
    expect(fake_only(&s.f), KUBE_PUT, "\"resourceVersion\":\"5\"");
    ck_assert_ptr_null(strstr(fake_only(&s.f)->body, "2026-01-01"));
    TOLD(&s, "holder=you_2");
    fake_reply(&s.f, fake_only(&s.f), 409, ""); /* another one was faster */
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("", 6, 6, "")); /* and gave it away */
    expect(fake_only(&s.f), KUBE_PUT, "me_1");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 7, 7, ""));
    TOLD(&s, "lead");
    finish(&s);
}
END_TEST

START_TEST(test_strategy)
{
    struct seen s;
    begin(&s);
    for (int i = 0; i < 20; i++) { /* silent for long: still not to be grabbed */
        fake_reply(&s.f, fake_only(&s.f), 200,
                   lease_text(i < 10 ? "you_2" : "", 1, 1, ",\"strategy\":\"OldestEmulationVersion\""));
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
        fake_pass(&s.f, 2 * S);
    }
    TOLD(&s, "holder=you_2");
    fake_reply(
        &s.f, fake_only(&s.f), 200,
        lease_text("me_1", 2, 2, ",\"strategy\":\"OldestEmulationVersion\",\"preferredHolder\":\"me_1\""));
    expect(fake_only(&s.f), KUBE_PUT,
           "\"leaseTransitions\":4,\"strategy\":\"OldestEmulationVersion\",\"preferredHolder\":\"me_1\"}}");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 3, 3, ""));
    TOLD(&s, "lead");
    finish(&s);
}
END_TEST

START_TEST(test_standing_by_has_jitter)
{
    struct seen s;
    begin(&s);
    s.f.chance = UINT64_MAX;
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("you_2", 0, 9, ""));
    fake_pass(&s.f, 4390 * MS);
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    fake_pass(&s.f, 10 * MS);
    fake_only(&s.f);
    finish(&s);
}
END_TEST

/* How a renewal may end badly; `kept` = one good answer later all is well. */
START_TEST(test_renewal_fails)
{
    static const int codes[] = {0, 500, 503, 429, 504, 401, 403, 409};
    struct seen s;
    lead(&s);
    int64_t good = s.f.now;
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), codes[_i], "");
    while (!fake_count_open(&s.f))
        fake_pass(&s.f, 100 * MS);
    expect(fake_only(&s.f), KUBE_GET, ""); /* the version may have moved */
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 1, 30, ""));
    expect(fake_only(&s.f), KUBE_PUT, "\"resourceVersion\":\"30\"");
    ck_assert(lease_may_write(s.l));
    if (_i % 2) { /* and it goes on failing */
        while (lease_leading(s.l)) {
            if (fake_count_open(&s.f))
                fake_reply(&s.f, fake_only(&s.f), codes[_i], "");
            ck_assert(lease_may_write(s.l) == (s.f.now - good < 10 * S));
            fake_pass(&s.f, 100 * MS);
        }
        ck_assert_int_eq(s.f.now - good, 10 * S);
        ck_assert(strstr(s.log, "lost") && !strstr(strstr(s.log, "lost") + 1, "lost"));
        fake_pass(&s.f, 60 * S); /* nothing is tried any more */
        ck_assert_uint_eq(fake_count_open(&s.f), 0);
    } else {
        int64_t began = s.f.now;
        fake_pass(&s.f, S);
        fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 2, 31, ""));
        ck_assert_int_eq(lease_age(s.l), S); /* from when the request began */
        fake_pass(&s.f, began + 10 * S - s.f.now - 1);
        ck_assert(lease_may_write(s.l));
        fake_pass(&s.f, 1);
        ck_assert(!lease_may_write(s.l));
    }
    finish(&s);
}
END_TEST

START_TEST(test_no_answer_at_all)
{
    struct seen s;
    lead(&s);
    fake_pass(&s.f, 2 * S);
    struct fake_call *c = fake_only(&s.f);
    fake_pass(&s.f, 8 * S - 1);
    ck_assert(lease_may_write(s.l));
    fake_pass(&s.f, 1);
    TOLD(&s, "lost");
    ck_assert(c->cancelled);
    finish(&s);
}
END_TEST

/* Even before its timer could run: the fence needs no timer. */
START_TEST(test_fence_needs_no_timer)
{
    struct seen s;
    lead(&s);
    s.f.now += 10 * S - 1;
    ck_assert(lease_may_write(s.l));
    s.f.now += 1;
    ck_assert(lease_leading(s.l) && !lease_may_write(s.l));
    finish(&s);
}
END_TEST

START_TEST(test_stolen)
{
    struct seen s;
    lead(&s);
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), 409, "");
    expect(fake_only(&s.f), KUBE_GET, "");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text(_i ? "" : "you_2", 1, 30, ""));
    TOLD(&s, _i ? "lost" : "holder=you_2 lost");
    finish(&s);
}
END_TEST

START_TEST(test_deleted)
{
    struct seen s;
    lead(&s);
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), 404, "");
    fake_reply(&s.f, fake_only(&s.f), 404, "");
    expect(fake_only(&s.f), KUBE_POST, "me_1");
    ck_assert(lease_may_write(s.l));
    fake_reply(&s.f, fake_only(&s.f), 201, lease_text("me_1", 1, 50, ""));
    TOLD(&s, "");
    fake_pass(&s.f, 2 * S);
    expect(fake_only(&s.f), KUBE_PUT, "\"resourceVersion\":\"50\"");
    finish(&s);
}
END_TEST

START_TEST(test_unreadable)
{
    struct seen s;
    begin(&s);
    fake_reply(&s.f, fake_only(&s.f), 200, "<html>");
    TOLD(&s, "trouble");
    fake_pass(&s.f, 2 * S);
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("", 0, 1, ""));
    fake_reply(&s.f, fake_only(&s.f), 200, "{\"kind\":\"Status\"}"); /* written all the same */
    TOLD(&s, "lead");                                                /* the same trouble is told once */
    fake_pass(&s.f, 2 * S);
    expect(fake_only(&s.f), KUBE_GET, "");
    finish(&s);
}
END_TEST

START_TEST(test_release)
{
    struct seen s;
    lead(&s);
    fake_pass(&s.f, S);
    lease_release(s.l, on_released, &s);
    ck_assert(!lease_may_write(s.l) && !lease_leading(s.l));
    fake_settle(&s.f);
    expect(fake_only(&s.f), KUBE_PUT, "\"holderIdentity\":\"\",\"leaseDurationSeconds\":1,");
    expect(fake_only(&s.f), KUBE_PUT, "\"leaseTransitions\":4}");
    if (_i == 1) { /* the version has moved: once more */
        fake_reply(&s.f, fake_only(&s.f), 409, "");
        fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 1, 30, ""));
        expect(fake_only(&s.f), KUBE_PUT, "\"resourceVersion\":\"30\"");
    } else if (_i == 2) { /* nobody answers */
        fake_pass(&s.f, 3 * S);
        TOLD(&s, "released");
        finish(&s);
        return;
    }
    TOLD(&s, "");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("", 1, 30, ""));
    TOLD(&s, "released");
    fake_pass(&s.f, 60 * S);
    TOLD(&s, "");
    finish(&s);
}
END_TEST

START_TEST(test_release_while_renewing)
{
    struct seen s;
    lead(&s);
    fake_pass(&s.f, 2 * S);
    lease_release(s.l, on_released, &s);
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("me_1", 1, 9, ""));
    expect(fake_only(&s.f), KUBE_PUT, "\"holderIdentity\":\"\"");
    expect(fake_only(&s.f), KUBE_PUT, "\"resourceVersion\":\"9\"");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("", 1, 10, ""));
    TOLD(&s, "released");
    finish(&s);
}
END_TEST

START_TEST(test_release_of_nothing)
{
    struct seen s;
    begin(&s);
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("you_2", 1, 9, ""));
    fake_pass(&s.f, 2 * S);
    lease_release(s.l, on_released, &s);
    fake_settle(&s.f);
    TOLD(&s, "holder=you_2 released");
    ck_assert_uint_eq(fake_count_open(&s.f), 0);
    finish(&s);
    /* what is being written may make us the holder */
    begin(&s);
    fake_reply(&s.f, fake_only(&s.f), 404, "");
    lease_release(s.l, on_released, &s);
    fake_reply(&s.f, fake_only(&s.f), 201, lease_text("me_1", 1, 9, ""));
    expect(fake_only(&s.f), KUBE_PUT, "\"holderIdentity\":\"\"");
    fake_reply(&s.f, fake_only(&s.f), 200, lease_text("", 1, 10, ""));
    TOLD(&s, "released");
    finish(&s);
}
END_TEST

static const struct {
    const char *ns, *identity;
    int64_t duration, deadline, retry;
    int code;
} config_rows[] = {
    {"ns", "", 0, 0, 0, ERR_LIMIT},
    {"ns", "me", 10 * S, 10 * S, 2 * S, ERR_RANGE},
    {"ns", "me", 15 * S, 2 * S, 2 * S, ERR_RANGE},
    {"ns", "me", 15 * S, 10 * S, -1, ERR_RANGE},
    {"ns", "me", 900 * MS, 500 * MS, 100 * MS, ERR_RANGE},
    {"ns", "me", 3 * S, 2 * S, S, 0},
};

START_TEST(test_config)
{
    struct fake f;
    struct err err = {0};
    fake_init(&f);
    struct lease_config c = {.server = &f.server,
                             .timers = &f.timers,
                             .clock = &f.clock,
                             .ns = config_rows[_i].ns,
                             .name = "lock",
                             .identity = config_rows[_i].identity,
                             .duration_ns = config_rows[_i].duration,
                             .renew_deadline_ns = config_rows[_i].deadline,
                             .retry_ns = config_rows[_i].retry};
    struct lease_handler h = {on_lead, on_lost, NULL, NULL, NULL};
    struct lease *l = lease_new(&c, &h, &err);
    ck_assert_int_eq(err.code, config_rows[_i].code);
    ck_assert(!l == !!err.code);
    lease_free(l);
    fake_free(&f);
}
END_TEST

/* ---- several, one Lease ------------------------------------------------------------------------------------------------- */

enum { PEERS = 3 };

struct peers {
    struct fake f;
    struct lease *l[PEERS];
    uint64_t dice;
    bool exists;
    struct lease_record stored;
    int version, leads, losses;
};

static uint32_t roll(struct peers *p, uint32_t sides)
{
    p->dice = p->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(p->dice >> 33) % sides;
}

static void peer_leads(void *arg)
{
    ((struct peers *)arg)->leads++;
}

static void peer_lost(void *arg, const char *why)
{
    (void)why;
    ((struct peers *)arg)->losses++;
}

/* Does what the call asks for; the status. */
static int serve(struct peers *p, const struct fake_call *c, struct str *body)
{
    struct lease_record r;
    if (c->verb == KUBE_GET && !p->exists)
        return 404;
    if (c->verb != KUBE_GET) {
        lease_record_init(&r);
        ck_assert_int_eq(lease_record_read(&r, c->body, strlen(c->body), NULL), 0);
        bool fits =
            c->verb == KUBE_POST ? !p->exists : p->exists && strcmp(r.version, p->stored.version) == 0;
        if (!fits) {
            lease_record_free(&r);
            return p->exists ? 409 : 404;
        }
        lease_record_free(&p->stored);
        p->stored = r;
        p->exists = true;
        snprintf(p->stored.version, sizeof(p->stored.version), "%d", ++p->version);
    }
    lease_record_print(&p->stored, "ns", "lock", body);
    return c->verb == KUBE_POST ? 201 : 200;
}

static void answer(struct peers *p, bool fair)
{
    struct str body;
    uint32_t open = fake_count_open(&p->f);
    if (!open)
        return;
    struct fake_call *c = fake_open(&p->f, roll(p, open));
    str_init(&body, 0);
    uint32_t fate = fair ? 9 : roll(p, 10);
    int status = fate == 0 ? 500 : serve(p, c, &body);
    if (fate == 1)
        fake_lose(&p->f, c); /* done, but the answer is lost */
    else
        fake_reply(&p->f, c, status, str_text(&body));
    str_free(&body);
}

static int leaders(const struct peers *p)
{
    int n = 0;
    for (int i = 0; i < PEERS; i++)
        n += lease_may_write(p->l[i]);
    return n;
}

static struct lease *peer(struct peers *p, int i)
{
    char identity[16];
    snprintf(identity, sizeof(identity), "peer_%d_%u", i, roll(p, 1000000));
    struct lease_config c = {.server = &p->f.server,
                             .timers = &p->f.timers,
                             .clock = &p->f.clock,
                             .ns = "ns",
                             .name = "lock",
                             .identity = identity};
    struct lease_handler h = {peer_leads, peer_lost, NULL, NULL, p};
    struct lease *l = lease_new(&c, &h, NULL);
    ck_assert_ptr_nonnull(l);
    return l;
}

static void peers_step(struct peers *p)
{
    p->f.chance = (uint64_t)roll(p, 1000) << 54;
    switch (roll(p, 40)) {
    case 0: { /* a process dies, another is born */
        int i = (int)roll(p, PEERS);
        lease_free(p->l[i]);
        p->l[i] = peer(p, i);
        break;
    }
    case 1:
        p->f.wall += ((int64_t)roll(p, 7200) - 3600) * S;
        break;
    case 2:
        lease_release(p->l[roll(p, PEERS)], NULL, NULL);
        break;
    default:
        answer(p, false);
        if (roll(p, 3) == 0)
            fake_pass(&p->f, roll(p, roll(p, 10) ? 1000 : 8000) * MS);
    }
}

START_TEST(test_one_leader)
{
    static struct peers p;
    memset(&p, 0, sizeof(p));
    p.dice = (uint64_t)_i;
    fake_init(&p.f);
    lease_record_init(&p.stored);
    for (int i = 0; i < PEERS; i++)
        p.l[i] = peer(&p, i);
    for (int step = 0; step < 3000 && p.f.n < FAKE_CALLS - 200; step++) {
        peers_step(&p);
        ck_assert_int_le(leaders(&p), 1);
    }
    ck_assert_int_gt(p.leads, 2);
    for (int i = 0; i < PEERS; i++) { /* and in the end somebody leads */
        lease_free(p.l[i]);
        p.l[i] = peer(&p, i);
    }
    for (int i = 0; i < 80; i++) {
        while (fake_count_open(&p.f))
            answer(&p, true);
        fake_pass(&p.f, 500 * MS);
    }
    ck_assert_int_eq(leaders(&p), 1);
    for (int i = 0; i < PEERS; i++)
        lease_free(p.l[i]);
    lease_record_free(&p.stored);
    fake_free(&p.f);
}
END_TEST

START_TEST(test_out_of_memory)
{
    int64_t live = mem_live();
    for (uint64_t n = 1; n < 60; n++) {
        struct seen s;
        memset(&s, 0, sizeof(s));
        fake_init(&s.f);
        struct lease_config c = {.server = &s.f.server,
                                 .timers = &s.f.timers,
                                 .clock = &s.f.clock,
                                 .ns = "ns",
                                 .name = "lock",
                                 .identity = "me_1"};
        struct lease_handler h = {on_lead, on_lost, on_holder, on_trouble, &s};
        mem_fail_after(n);
        while (!(s.l = lease_new(&c, &h, NULL)))
            mem_fail_after(0);
        fake_settle(&s.f);
        for (int i = 0; i < 30 && !lease_leading(s.l); i++) {
            if (i == 10)
                mem_fail_after(0);
            if (fake_count_open(&s.f))
                fake_reply(&s.f, fake_only(&s.f), 200,
                           lease_text(fake_only(&s.f)->verb == KUBE_GET ? "" : "me_1", i, i, ""));
            if (!lease_leading(s.l))
                fake_pass(&s.f, S);
        }
        mem_fail_after(0);
        ck_assert(lease_leading(s.l));
        finish(&s);
        ck_assert_int_eq(mem_live(), live);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lease");
    TCase *t = tcase_create("lease");
    tcase_add_test(t, test_created);
    tcase_add_test(t, test_race_lost);
    tcase_add_test(t, test_takes_over);
    tcase_add_test(t, test_strategy);
    tcase_add_test(t, test_standing_by_has_jitter);
    tcase_add_loop_test(t, test_renewal_fails, 0, 8);
    tcase_add_test(t, test_no_answer_at_all);
    tcase_add_test(t, test_fence_needs_no_timer);
    tcase_add_loop_test(t, test_stolen, 0, 2);
    tcase_add_test(t, test_deleted);
    tcase_add_test(t, test_unreadable);
    tcase_add_loop_test(t, test_release, 0, 3);
    tcase_add_test(t, test_release_while_renewing);
    tcase_add_test(t, test_release_of_nothing);
    tcase_add_loop_test(t, test_config, 0, (int)(sizeof(config_rows) / sizeof(config_rows[0])));
    tcase_add_loop_test(t, test_one_leader, 0, 20);
    tcase_add_test(t, test_out_of_memory);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
