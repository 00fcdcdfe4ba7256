/* The queue of writes under any order of puts, answers, waits and cancellations, from a seed. */
#include "kube/writes.h"

#include "fake.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS NS_PER_MS

enum { KEYS = 12, INTENTS = 4000 };

struct chaos {
    struct fake f;
    struct writes *w;
    uint64_t dice;
    bool over;
    struct chaos_intent {
        struct chaos *all;
        int key;
        bool put, ended, cancelled;
        int renders;
    } intents[INTENTS];
    int n, newest[KEYS];
    char keys[KEYS][8];
};

static uint32_t roll(struct chaos *c, uint32_t sides)
{
    c->dice = c->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(c->dice >> 33) % sides;
}

static int chaos_render(void *arg, struct write_request *q, struct err *err)
{
    struct chaos_intent *i = arg;
    struct chaos *c = i->all;
    ck_assert(i->put && !i->ended && !i->cancelled);
    ck_assert_int_eq(c->newest[i->key], (int)(i - c->intents)); /* never an older one */
    i->renders++;
    switch (roll(c, 12)) {
    case 0:
        return 1;
    case 1:
        return err_set(err, roll(c, 2) ? ERR_NOMEM : ERR_INVALID, "no");
    default:
        break;
    }
    q->verb = KUBE_PUT;
    q->safe_twice = roll(c, 4) > 0;
    str_addf(&q->path, "/%d", i->key);
    return 0;
}

static void chaos_put(struct chaos *c, int key);

static void chaos_done(void *arg, enum write_end end, const struct reply *r, const char *body, size_t len)
{
    struct chaos_intent *i = arg;
    (void)r, (void)body, (void)len;
    ck_assert(i->put && !i->ended && !i->cancelled);
    ck_assert(end != WRITE_OK || i->renders);
    i->ended = true;
    if (roll(i->all, 8) == 0 && !i->all->over)
        chaos_put(i->all, i->key);
}

static void chaos_put(struct chaos *c, int key)
{
    if (c->n == INTENTS)
        return;
    struct chaos_intent *i = &c->intents[c->n];
    struct write n = {.key = c->keys[key],
                      .level = (enum write_level)roll(c, WRITE_LEVELS),
                      .wait_ns = roll(c, 3) ? 0 : roll(c, 1000) * MS,
                      .max_tries = roll(c, 3),
                      .render = chaos_render,
                      .on_done = chaos_done,
                      .arg = i};
    *i = (struct chaos_intent){.all = c, .key = key, .put = true};
    c->newest[key] = c->n++;
    ck_assert_int_eq(writes_put(c->w, &n, NULL), 0);
}

static void chaos_answer(struct chaos *c)
{
    static const int codes[] = {200, 200, 200, 201, 409, 404, 500, 503, 429, 0};
    uint32_t open = fake_count_open(&c->f);
    if (open)
        fake_reply(&c->f, fake_open(&c->f, roll(c, open)), codes[roll(c, 10)], "");
}

static void chaos_step(struct chaos *c)
{
    int key = (int)roll(c, KEYS);
    switch (roll(c, 8)) {
    case 0:
    case 1:
        chaos_put(c, key);
        break;
    case 2:
        fake_pass(&c->f, roll(c, 2000) * MS);
        break;
    case 3:
        if (roll(c, 4))
            break;
        writes_cancel(c->w, c->keys[key]);
        for (int i = 0; i < c->n; i++)
            c->intents[i].cancelled |= c->intents[i].key == key && !c->intents[i].ended;
        break;
    default:
        chaos_answer(c);
    }
}

/* Each intent ends once; one request a key; nothing is left behind. */
START_TEST(test_any_order)
{
    static struct chaos c;
    memset(&c, 0, sizeof(c));
    c.dice = (uint64_t)_i;
    fake_init(&c.f);
    struct writes_config config = {
        .server = &c.f.server, .timers = &c.f.timers, .clock = &c.f.clock, .max_in_flight = 1 + _i % 5};
    c.w = writes_new(&config, NULL);
    ck_assert_ptr_nonnull(c.w);
    for (int k = 0; k < KEYS; k++)
        snprintf(c.keys[k], sizeof(c.keys[k]), "k%d", k);
    for (int step = 0; step < 3000 && c.n < INTENTS && c.f.n < FAKE_CALLS - 500; step++) {
        c.f.chance = (uint64_t)roll(&c, 1000) << 54;
        chaos_step(&c);
        uint32_t open = fake_count_open(&c.f);
        ck_assert_uint_le(open, 1 + (uint32_t)_i % 5);
        for (uint32_t a = 0; a < open; a++)
            for (uint32_t b = a + 1; b < open; b++)
                ck_assert_str_ne(fake_open(&c.f, a)->path, fake_open(&c.f, b)->path);
    }
    c.over = true;
    writes_drain(c.w, true, NULL, NULL);
    while (fake_count_open(&c.f))
        fake_reply(&c.f, fake_open(&c.f, 0), 200, "");
    ck_assert_uint_eq(writes_pending(c.w), 0);
    for (int i = 0; i < c.n; i++)
        ck_assert_int_eq(c.intents[i].ended + c.intents[i].cancelled, 1);
    for (int l = 0; l < WRITE_LEVELS; l++)
        ck_assert_uint_eq(writes_stats(c.w)->waiting[l] + writes_stats(c.w)->in_flight[l], 0);
    writes_free(c.w);
    fake_free(&c.f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("writes_order");
    TCase *t = tcase_create("writes_order");
    tcase_add_loop_test(t, test_any_order, 0, 20);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
