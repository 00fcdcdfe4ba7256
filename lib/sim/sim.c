#include "sim/sim_priv.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

int sim_new(const struct api_set *objects, const struct sim_options *options, struct sim **ret,
            struct err *err)
{
    struct sim *s = mem_zalloc(1, sizeof(*s));

    *ret = NULL;
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->opt = *options;
    arena_init(&s->arena, 65536);
    str_init(&s->text, 0);
    RB_INIT(&s->finishes);
    RB_INIT(&s->releases);
    RB_INIT(&s->looks);
    s->w = world_new();
    int rc = s->w ? sim_load(s, objects, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc)
        sim_free(s);
    else
        *ret = s;
    return rc;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->nwls; i++)
        record_free(&s->wls[i]);
    mem_free(s->wls);
    mem_free(s->arrivals);
    mem_free(s->list);
    mem_free(s->assumed);
    seen_free(&s->seen);
    str_free(&s->text);
    if (s->w)
        world_free(s->w);
    arena_free(&s->arena);
    mem_free(s);
}

void sim_watch(struct sim *s, const struct sim_watcher *w)
{
    s->watch = *w;
}

void sim_keep_history(struct sim *s, const struct sim_history *h)
{
    s->history = *h;
}

/* ---- cycles ------------------------------------------------------------------------------------------------------------- */

static int compare_index(const void *a, const void *b)
{
    const struct sim_wl *x = *(const struct sim_wl *const *)a, *y = *(const struct sim_wl *const *)b;

    return x->index < y->index ? -1 : x->index > y->index;
}

/* Everybody whose time to stop is over, in order of names, in s->list. */
static uint32_t take_due(struct sim *s)
{
    uint32_t n = 0;

    for (struct sim_wl *sw = sim_first_release(s); sw && sw->release_at <= s->now;
         sw = RB_NEXT(sim_releases, , sw))
        s->list[n++] = sw;
    qsort(s->list, n, sizeof(*s->list), compare_index);
    return n;
}

static int release_due(struct sim *s, bool as_events, uint32_t *ret_n, struct err *err)
{
    uint32_t n = take_due(s);

    *ret_n = n;
    for (uint32_t i = 0; i < n; i++) {
        if (as_events && s->watch.event)
            s->watch.event(s->watch.arg, SIM_RELEASED, s->list[i]);
        int rc = record_release(s, s->list[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

/* One cycle and what follows it. *ret_more is false when there were no heads or the maximum was reached. */
static int one_cycle(struct sim *s, bool *ret_more, bool *ret_progressed, struct err *err)
{
    const struct cycle *c;
    uint32_t nreleased = 0;

    *ret_more = *ret_progressed = false;
    int rc = world_cycle(s->w, s->now, &c, err);
    if (rc || !c)
        return rc;
    s->cycles++;
    bool progressed = c->progressed;
    if (s->opt.tick)
        s->opt.tick(s->opt.tick_arg, s);
    if (s->watch.cycle)
        s->watch.cycle(s->watch.arg, c);
    if (s->history.cycle)
        s->history.cycle(s->history.arg, c);
    rc = records_apply(s, c, err);
    if (rc)
        return rc;
    if (s->opt.max_cycles && s->cycles >= s->opt.max_cycles) {
        s->end = SIM_STOPPED;
        return 0;
    }
    rc = release_due(s, false, &nreleased, err);
    if (rc)
        return rc;
    if (nreleased && s->watch.released)
        s->watch.released(s->watch.arg, (const struct sim_wl *const *)s->list, nreleased);
    (void)world_flush(s->w, s->now);
    *ret_more = true;
    *ret_progressed = progressed || nreleased;
    return 0;
}

/* Until the state of the queues repeats itself. */
static int run_cycles(struct sim *s, struct err *err)
{
    uint64_t first = s->cycles;
    bool more, progressed, is_new;

    seen_clear(&s->seen);
    for (;;) {
        if (seen_add(&s->seen, seen_state_of(s->w), &is_new))
            return err_set(err, ERR_NOMEM, "out of memory for the states of the queues");
        if (!is_new)
            return 0;
        int rc = one_cycle(s, &more, &progressed, err);
        if (rc || !more)
            return rc;
        if (s->opt.max_cycles_at_once && s->cycles - first >= s->opt.max_cycles_at_once) {
            s->end = SIM_RESTLESS;
            return 0;
        }
        if (progressed)
            seen_clear(&s->seen);
    }
}

/* ---- event times -------------------------------------------------------------------------------------------------------- */

static void earlier(when_ns *t, when_ns other)
{
    if (other != WHEN_NONE && (*t == WHEN_NONE || other < *t))
        *t = other;
}

/* WHEN_NONE: nothing will happen any more. */
static when_ns next_time(struct sim *s)
{
    const struct sim_wl *finish = sim_first_finish(s), *release = sim_first_release(s);
    const struct sim_wl *look = sim_first_look(s);
    when_ns t = WHEN_NONE;

    if (s->cycles == 0 && s->end == SIM_RUNNING && !s->started)
        return s->now;
    if (s->next_arrival < s->narrivals)
        earlier(&t, s->arrivals[s->next_arrival]->arrival);
    if (finish)
        earlier(&t, finish->finish_at);
    if (release)
        earlier(&t, release->release_at);
    if (look)
        earlier(&t, look->look_at);
    if (t != WHEN_NONE && s->opt.until_ns && t > i64_add(s->began, s->opt.until_ns)) {
        s->end = SIM_TIME_OVER;
        return WHEN_NONE;
    }
    return t;
}

static void tell(struct sim *s, enum sim_event e, const struct sim_wl *sw)
{
    if (s->watch.event)
        s->watch.event(s->watch.arg, e, sw);
}

static int finish_due(struct sim *s, struct err *err)
{
    uint32_t n = 0;

    for (struct sim_wl *sw = sim_first_finish(s); sw && sw->finish_at <= s->now;
         sw = RB_NEXT(sim_finishes, , sw))
        s->list[n++] = sw;
    qsort(s->list, n, sizeof(*s->list), compare_index);
    for (uint32_t i = 0; i < n; i++) {
        tell(s, SIM_FINISHED, s->list[i]);
        int rc = record_finish(s, s->list[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

/* Each look leads to a later one, or to none. */
static int look_due(struct sim *s, struct err *err)
{
    uint32_t n = 0;

    for (struct sim_wl *sw = sim_first_look(s); sw && sw->look_at <= s->now; sw = RB_NEXT(sim_looks, , sw))
        s->list[n++] = sw;
    qsort(s->list, n, sizeof(*s->list), compare_index);
    for (uint32_t i = 0; i < n; i++) {
        tell(s, SIM_LOOKED, s->list[i]);
        int rc = record_look(s, s->list[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static int arrive_due(struct sim *s, struct err *err)
{
    while (s->next_arrival < s->narrivals && s->arrivals[s->next_arrival]->arrival <= s->now) {
        struct sim_wl *sw = s->arrivals[s->next_arrival++];
        tell(s, SIM_ARRIVED, sw);
        int rc = record_arrive(s, sw, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* What happens by itself at this time, before the cycles. */
static int happen(struct sim *s, struct err *err)
{
    uint32_t n;
    int rc = world_sample_usage(s->w, s->now, err); /* what was held until now */

    if (!rc)
        rc = finish_due(s, err);
    if (!rc)
        rc = release_due(s, true, &n, err);
    if (!rc)
        rc = look_due(s, err);
    if (!rc)
        rc = arrive_due(s, err);
    if (!rc)
        rc = release_due(s, true, &n, err); /* evicted just now, with no time to stop */
    if (!rc)
        (void)world_flush(s->w, s->now);
    return rc;
}

int sim_step(struct sim *s, bool *ret_more, struct err *err)
{
    when_ns t = s->end == SIM_RUNNING ? next_time(s) : WHEN_NONE;

    *ret_more = false;
    if (t == WHEN_NONE) {
        if (s->end == SIM_RUNNING)
            s->end = SIM_QUIESCENT;
        return 0;
    }
    s->now = t;
    s->started = true;
    if (s->watch.step)
        s->watch.step(s->watch.arg, t);
    int rc = happen(s, err);
    if (!rc)
        rc = run_cycles(s, err);
    if (!rc && s->watch.step_end)
        s->watch.step_end(s->watch.arg);
    if (!rc && s->history.step_end)
        s->history.step_end(s->history.arg);
    *ret_more = !rc && s->end == SIM_RUNNING;
    return rc;
}

int sim_run(struct sim *s, struct err *err)
{
    bool more = true;
    int rc = 0;

    while (more && !rc)
        rc = sim_step(s, &more, err);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

enum sim_end sim_end(const struct sim *s)
{
    return s->end;
}

when_ns sim_time(const struct sim *s)
{
    return s->started ? s->now : WHEN_NONE;
}

when_ns sim_began(const struct sim *s)
{
    return s->began;
}

uint64_t sim_cycles(const struct sim *s)
{
    return s->cycles;
}

uint64_t sim_max_cycles(const struct sim *s)
{
    return s->opt.max_cycles;
}

struct world *sim_world(const struct sim *s)
{
    return s->w;
}

bool sim_fair_sharing(const struct sim *s)
{
    return s->fair_sharing;
}

uint32_t sim_count(const struct sim *s)
{
    return s->nwls;
}

const struct sim_wl *sim_at(const struct sim *s, uint32_t i)
{
    return &s->wls[i];
}

const struct sim_wl *sim_of(const struct wl *wl)
{
    return wl->user;
}

uint32_t sim_assumed_checks(const struct sim *s)
{
    return s->nassumed;
}

const char *sim_assumed_check(const struct sim *s, uint32_t i)
{
    return s->assumed[i];
}

uint64_t sim_max_cycles_of(const char *text, size_t len)
{
    static const char head[] = "# sim: maxCycles=";
    size_t n = sizeof(head) - 1, i = n;
    uint64_t v = 0;

    if (len < n || memcmp(text, head, n) != 0)
        return 0;
    for (; i < len && text[i] >= '0' && text[i] <= '9' && v < UINT32_MAX; i++)
        v = v * 10 + (uint64_t)(text[i] - '0');
    return v;
}
