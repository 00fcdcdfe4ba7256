#include "simulated/life_priv.h"

#include "api/set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_LIFE_S = 300, /* of trouble */
    END_S = 6000,       /* of calm after which whoever is not over is stuck */
    REST_S = 90,        /* when all is over, until the last look */
    MOST_TURNS = 20000, /* at one moment */
    SWEEP_S = 5,
};

/* ---- telling ------------------------------------------------------------------------------------------------------------ */

void life_broken(struct life *l, const char *fmt, ...)
{
    if (!l->r->ok)
        return;
    va_list args;
    char text[2048];
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    l->r->ok = false;
    str_addf(&l->r->why, "after %.3f s: %s", (double)l->clock.mono / 1e9, text);
}

void life_say(struct life *l, const char *fmt, ...)
{
    va_list args;
    char text[4096];
    if (!l->o->verbose)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (!l->o->watch_of || strstr(text, l->o->watch_of))
        printf("%10.3f  %s\n", (double)l->clock.mono / 1e9, text);
}

void life_fault(struct life *l, enum fault f)
{
    l->r->kinds += l->r->faults[f]++ == 0;
    l->r->fault_total++;
    life_say(l, "fault: %s", fault_name(f));
}

uint32_t life_below(struct life *l, uint32_t n)
{
    return n < 2 ? 0 : (uint32_t)(dice_next(&l->dice) % n);
}

int64_t life_between(struct life *l, int64_t least_ns, int64_t most_ns)
{
    return least_ns + (int64_t)(dice_next(&l->dice) % (uint64_t)(most_ns - least_ns + 1));
}

bool life_calm(const struct life *l)
{
    return l->clock.mono >= l->calm_at;
}

bool life_condition(const struct val *object, const char *type)
{
    const struct val *c = val_find(val_path(object, "status.conditions"), "type", type);
    return c && strcmp(val_text(c, "status", ""), "True") == 0;
}

/* ---- the controller ----------------------------------------------------------------------------------------------------- */

static void log_line(void *arg, int level, const char *object, const char *text)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    life_say(arg, "log: %s: %s: %s", names[level & 3], object, text);
}

static void begin(struct life *l)
{
    struct err err;
    snprintf(l->identity, sizeof(l->identity), "sluice-%u", ++l->instance);
    struct controller_config c = {.core = &l->config->config,
                                  .settings = l->config->settings,
                                  .identity = l->identity,
                                  .ns = "kueue-system",
                                  .elect = true,
                                  .sink = memory_sink(&l->memory, laws_sink(l->laws)),
                                  .log = log_line,
                                  .log_arg = l};
    struct kube_server server = l->o->memory ? memory_server(&l->memory) : l->server.seam;
    struct controller_seams s = {.watches = server, .rest = server, .clock = l->clock.clock};
    l->renew_started = -1;
    if (controller_new(&c, &s, &l->controller, &err) != 0) {
        life_broken(l, "the controller does not start: %s", err.text);
        l->controller = NULL;
        l->down_until = INT64_MAX;
    }
    life_say(l, "%s begins", l->identity);
}

/* The process is no more; another begins in a while. */
static void end(struct life *l, int64_t down_ns)
{
    life_say(l, "%s ends", l->identity);
    simserver_crash(&l->server);
    l->ending = true;
    controller_free(l->controller);
    l->ending = false;
    simserver_crash(&l->server); /* freeing cannot undo what was sent */
    l->controller = NULL;
    l->renew_started = -1;
    l->crash_due = l->stop_due = false;
    l->server.frozen_until = 0;
    l->down_until = l->clock.mono + down_ns;
    laws_crashed(l->laws);
}

static void turn(struct life *l)
{
    unsigned n = 0;
    bool more = true;
    for (; more && n < MOST_TURNS; n++) {
        memory_enter(&l->memory);
        more = controller_turn(l->controller);
        memory_leave(&l->memory);
    }
    if (n == MOST_TURNS)
        life_broken(l, "turns without end");
    if (l->crash_due) {
        end(l, life_between(l, 0, 30 * NS_PER_S));
        return;
    }
    if (controller_lost(l->controller)) {
        end(l, life_between(l, 0, 5 * NS_PER_S));
        return;
    }
    if (l->stop_due && controller_leads(l->controller)) {
        l->stop_due = false;
        life_fault(l, FAULT_STOP);
        controller_stop(l->controller);
    }
    if (controller_stopped(l->controller))
        end(l, life_between(l, 0, 5 * NS_PER_S));
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

static int64_t next_of(const struct life *l)
{
    int64_t a = vclock_next(&l->clock), b = l->controller ? controller_next(l->controller) : l->down_until;
    if (l->controller && b < l->server.frozen_until)
        b = l->server.frozen_until;
    return a < b ? a : b;
}

static void sweep(void *arg)
{
    struct life *l = arg;
    laws_sweep(l);
    vclock_after(&l->clock, SWEEP_S * NS_PER_S, sweep, l);
    if (!life_calm(l) || l->bringing)
        return;
    if (!l->calmed) {
        l->calmed = true;
        life_say(l, "calm");
        users_calm(l);
    } else if (l->over_at) {
        l->ended = l->clock.mono >= l->over_at + REST_S * NS_PER_S;
    } else if (laws_over(l, NULL)) {
        l->over_at = l->clock.mono;
        l->r->settled_ns = l->over_at;
        life_say(l, "all is over");
    } else if (l->clock.mono > l->calm_at + END_S * NS_PER_S) {
        struct str why;
        str_init(&why, 0);
        laws_over(l, &why);
        life_broken(l, "stuck: %s", str_text(&why));
        str_free(&why);
    }
}

static void live(struct life *l)
{
    while (l->r->ok && !l->ended) {
        if (!l->controller && l->clock.mono >= l->down_until)
            begin(l);
        if (l->controller && l->clock.mono >= l->server.frozen_until)
            turn(l);
        int64_t next = next_of(l);
        if (next == INT64_MAX) {
            life_broken(l, "nothing happens any more");
            return;
        }
        vclock_move(&l->clock, next);
        vclock_run_one(&l->clock);
        l->r->steps++;
    }
    if (l->r->ok)
        laws_end(l);
}

/* ---- making ------------------------------------------------------------------------------------------------------------- */

static bool read_config(struct life *l)
{
    struct err err;
    l->set = api_set_new(0);
    const char *text = l->scene.config;
    if (!l->set || api_read_buffer(l->set, "configuration", text, strlen(text), &err) != 0)
        return false;
    for (uint32_t i = 0; i < api_set_errors(l->set); i++)
        life_broken(l, "%s", api_set_error(l->set, i));
    for (uint32_t i = 0; i < api_set_count(l->set); i++)
        if (api_set_at(l->set, i)->kind == API_CONFIG)
            l->config = api_set_at(l->set, i);
    return l->config != NULL;
}

static void conceive(struct life *l)
{
    vclock_init(&l->clock, l->seed);
    l->dice = dice_of_seed(l->seed * UINT64_C(0x5851f42d4c957f2d) + 1);
    l->store = store_new(l->seed, vclock_wall, &l->clock);
    if (!l->store)
        abort();
    simserver_init(&l->server, l->store, &l->clock, l->seed);
    l->server.fault = faults_of_request;
    l->server.seen = laws_request;
    l->server.arg = l;
    if (l->o->memory)
        memory_init(&l->memory, l);
    l->quota = quota_new(l);
    l->laws = laws_new(l);
    if (!l->quota || !l->laws)
        abort();
    l->renew_started = -1;
    l->calm_at = (LEAST_LIFE_S + (int64_t)life_below(l, 120)) * NS_PER_S;
    scene_make(l);
    model_start(l);
    users_start(l);
    faults_start(l);
    vclock_after(&l->clock, SWEEP_S * NS_PER_S, sweep, l);
    if (!read_config(l))
        life_broken(l, "the configuration cannot be read");
}

void life_run(uint64_t seed, const struct life_options *o, struct life_result *ret)
{
    struct life l = {.seed = seed, .o = o, .r = ret};
    *ret = (struct life_result){.ok = true};
    str_init(&ret->why, 0);
    conceive(&l);
    live(&l);
    if (l.controller) {
        simserver_crash(&l.server);
        controller_free(l.controller);
    }
    ret->lived_ns = l.clock.mono;
    ret->events = l.server.events;
    for (int v = 0; v < KUBE_VERBS; v++)
        ret->requests += l.server.requests[v];
    laws_free(l.laws);
    quota_free(l.quota);
    api_set_free(l.set);
    store_free(l.store);
    vclock_free(&l.clock);
}

void life_result_free(struct life_result *r)
{
    str_free(&r->why);
}
