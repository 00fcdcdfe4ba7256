/* Everything that goes wrong, and when. */
#include "simulated/life_priv.h"

#include <string.h>

const char *fault_name(enum fault f)
{
    static const char *const names[FAULTS] = {
        "request lost",    "answer lost",      "throttled (429)", "broken (500)",
        "overrun (504)",   "refused (403)",    "conflict",        "slow",
        "connections cut", "half-dead",        "expired (410)",   "late watch",
        "Lease stolen",    "Lease deleted",    "clock stepped",   "crash",
        "paused",          "throttling storm", "stopped",         "memory out"};
    return f < FAULTS ? names[f] : "?";
}

/* ---- of single requests ------------------------------------------------------------------------------------------------- */

enum simserver_fault faults_of_request(void *arg, const struct simserver_request *r)
{
    struct life *l = arg;
    static const enum simserver_fault of[] = {SIM_LOST_BEFORE, SIM_LOST_AFTER, SIM_THROTTLED, SIM_BROKEN,
                                              SIM_SLOW,        SIM_OVERRUN,    SIM_REFUSED,   SIM_CONFLICT};
    static const enum fault as[] = {FAULT_LOST_BEFORE, FAULT_LOST_AFTER, FAULT_THROTTLED, FAULT_BROKEN,
                                    FAULT_SLOW,        FAULT_OVERRUN,    FAULT_REFUSED,   FAULT_CONFLICT};
    bool write = r->verb != KUBE_GET;
    if (l->o->silent_world || life_calm(l))
        return SIM_NONE;
    if (l->clock.mono < l->storm_until)
        return SIM_THROTTLED;
    if (write && l->crash_armed) {
        l->crash_armed = false;
        l->crash_due = true;
        life_fault(l, FAULT_CRASH);
    }
    if (life_below(l, write ? 60 : 90) != 0)
        return SIM_NONE;
    uint32_t i = life_below(l, write ? 8 : 5); /* the last are for writes alone */
    if (of[i] == SIM_CONFLICT && (r->verb == KUBE_POST || !r->route->name))
        return SIM_NONE;
    life_fault(l, as[i]);
    return of[i];
}

/* ---- of the whole ------------------------------------------------------------------------------------------------------- */

static struct entry *the_lease(struct life *l)
{
    return store_first(l->store, resource_of_kind("Lease"));
}

static void steal(struct life *l)
{
    struct entry *e = the_lease(l);
    if (!e || e->newest->deleted)
        return;
    const char *now = store_time(l->store);
    int64_t n = val_number(e->newest->object, "spec.leaseTransitions", 0);
    rest_patch(
        l->store, "thief", e->resource, e->ns, e->name, NULL,
        val_format(&l->store->a,
                   "{\"spec\":{\"holderIdentity\":\"thief\",\"leaseDurationSeconds\":%u,\"acquireTime\":"
                   "\"%.19s.000000Z\",\"renewTime\":\"%.19s.000000Z\",\"leaseTransitions\":%lld}}",
                   5 + life_below(l, 11), now, now, (long long)n + 1));
    life_fault(l, FAULT_STOLEN);
}

static void steal_later(void *arg)
{
    steal(arg);
}

static void delete_lease(struct life *l)
{
    struct entry *e = the_lease(l);
    if (e && !e->newest->deleted && rest_delete(l->store, "thief", e->resource, e->ns, e->name))
        life_fault(l, FAULT_DELETED);
}

static void step_clock(struct life *l)
{
    int64_t by = life_between(l, NS_PER_S, 600 * NS_PER_S);
    l->clock.step_ns = life_below(l, 2) ? by : -by;
    life_fault(l, FAULT_CLOCK);
}

/* Long enough, now and then, for another to take the Lease. */
static void pause_it(struct life *l)
{
    int64_t ns = life_between(l, NS_PER_S, 40 * NS_PER_S);
    if (!l->controller || l->clock.mono < l->server.frozen_until)
        return;
    l->server.frozen_until = l->clock.mono + ns;
    life_fault(l, FAULT_PAUSE);
    if (ns > 18 * NS_PER_S && life_below(l, 2))
        vclock_after(&l->clock, 16 * NS_PER_S, steal_later, l);
}

static void cut(struct life *l)
{
    simserver_cut(&l->server);
    life_fault(l, FAULT_CUT);
}

static void half_dead(struct life *l)
{
    if (simserver_half_dead(&l->server))
        life_fault(l, FAULT_HALF_DEAD);
}

static void expire(struct life *l)
{
    if (simserver_expire(&l->server))
        life_fault(l, FAULT_EXPIRED);
}

static void delay_watch(struct life *l)
{
    if (simserver_delay_watch(&l->server, life_between(l, NS_PER_S, 30 * NS_PER_S)))
        life_fault(l, FAULT_LATE_WATCH);
}

/* Whatever is asked is put off. */
static void storm(struct life *l)
{
    l->storm_until = l->clock.mono + life_between(l, NS_PER_S, 15 * NS_PER_S);
    life_fault(l, FAULT_STORM);
}

static void crash_at_next_write(struct life *l)
{
    l->crash_armed = true;
}

static void stop(struct life *l)
{
    l->stop_due = true;
}

static void strike(void *arg)
{
    struct life *l = arg;
    static void (*const which[])(struct life * l) = {cut,
                                                     cut,
                                                     cut,
                                                     half_dead,
                                                     expire,
                                                     expire,
                                                     delay_watch,
                                                     delay_watch,
                                                     delay_watch,
                                                     steal,
                                                     delete_lease,
                                                     step_clock,
                                                     step_clock,
                                                     pause_it,
                                                     pause_it,
                                                     storm,
                                                     crash_at_next_write,
                                                     crash_at_next_write,
                                                     crash_at_next_write,
                                                     stop};
    uint32_t i = life_below(l, sizeof(which) / sizeof(which[0]));
    if (!life_calm(l))
        which[i](l);
}

void faults_start(struct life *l)
{
    uint32_t n = 16 + life_below(l, 10);
    for (uint32_t i = 0; i < n && !l->o->silent_world; i++)
        vclock_after(&l->clock, life_between(l, 5 * NS_PER_S, l->calm_at), strike, l);
}
