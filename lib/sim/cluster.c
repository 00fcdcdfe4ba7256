/* The model cluster: what a real one would answer. Pods become ready, admission checks pass, time to get ready runs out. */
#include "sim/sim_priv.h"

#include "base/mem.h"
#include "core/gates.h"

#include <string.h>

static const char not_ready_text[] = "Not all pods are ready or succeeded";
static const char ready_text[] = "All pods reached readiness and the workload is running";

/* ---- configuration ------------------------------------------------------------------------------------------------------ */

static const struct object *config_of(const struct api_set *objects)
{
    for (uint32_t i = 0; i < api_set_count(objects); i++)
        if (api_set_at(objects, i)->kind == API_CONFIG)
            return api_set_at(objects, i);
    return NULL;
}

static void take_timeouts(struct sim *s, const struct settings_wait *wait)
{
    s->has_timeout = wait->enabled;
    s->podsready = (struct podsready_config){
        .timeout_ns = wait->timeout_ns,
        .recovery_ns = wait->recovery_ns,
        .has_limit = wait->has_limit,
        .limit = wait->limit,
        .backoff = {wait->base_s * NS_PER_S, wait->max_s * NS_PER_S, 2},
    };
}

/* On by default (engine.md 10.5). */
void cluster_configure(struct sim *s, const struct api_set *objects)
{
    static const struct settings_wait by_default = {
        .enabled = true,
        .timeout_ns = 1800 * NS_PER_S,
        .recovery_ns = 1800 * NS_PER_S,
        .base_s = 60,
        .max_s = 3600,
    };
    const struct object *o = config_of(objects);

    take_timeouts(s, o && o->settings ? &o->settings->wait : &by_default);
    if (gate_on(world_gates(s->w), GATE_DISABLE_WAIT_FOR_PODS_READY))
        s->has_timeout = false;
    s->writes_pods_ready = s->has_timeout && (s->opt.startup_ns > 0 || (o && o->config.block_admission));
}

/* ---- looks -------------------------------------------------------------------------------------------------------------- */

static void set_look(struct sim *s, struct sim_wl *sw, when_ns at)
{
    if (sw->look_at != WHEN_NONE)
        RB_REMOVE(sim_looks, &s->looks, sw);
    sw->look_at = at;
    if (at != WHEN_NONE)
        RB_INSERT(sim_looks, &s->looks, sw);
}

static bool is(const struct sim_wl *sw, enum cond_type t)
{
    return sw->status.cond[t].status == STATUS_TRUE;
}

static bool waits_for_pods(const struct sim *s, const struct sim_wl *sw)
{
    return s->writes_pods_ready && is(sw, COND_ADMITTED) && !is(sw, COND_EVICTED) && !is(sw, COND_FINISHED) &&
           !is(sw, COND_PODS_READY);
}

/* Those that were admitted before it began get their pods no earlier than then. */
static when_ns ready_at(const struct sim *s, const struct sim_wl *sw)
{
    when_ns at = i64_add(sw->status.cond[COND_ADMITTED].since, s->opt.startup_ns);

    return at < s->began ? s->began : at;
}

static when_ns deadline(const struct sim *s, const struct sim_wl *sw, const char **ret_cause)
{
    return podsready_deadline(&s->podsready, &sw->status, ret_cause);
}

static void plan_look(struct sim *s, struct sim_wl *sw, when_ns again)
{
    const char *cause;
    when_ns at = again > s->now ? again : WHEN_NONE;

    if (waits_for_pods(s, sw)) {
        when_ns ready = ready_at(s, sw), late = deadline(s, sw, &cause);
        if (late != WHEN_NONE && late < ready)
            ready = late > s->now ? late : i64_add(s->now, 1);
        at = at == WHEN_NONE || ready < at ? ready : at;
    }
    set_look(s, sw, at);
}

/* ---- answers ------------------------------------------------------------------------------------------------------------ */

static int assume(struct sim *s, const char *name)
{
    for (uint32_t i = 0; i < s->nassumed; i++)
        if (!strcmp(s->assumed[i], name))
            return 0;
    const char *copy = arena_strndup(&s->arena, name, strlen(name));
    if (!copy || mem_grow((void **)&s->assumed, &s->cap_assumed, s->nassumed + 1, sizeof(*s->assumed)))
        return ERR_NOMEM;
    s->assumed[s->nassumed++] = copy;
    return 0;
}

/* A check that failed in the files stays so: somebody did answer it. */
static int pass_checks(struct sim *s, struct sim_wl *sw, bool *ret_answered)
{
    if (!is(sw, COND_QUOTA_RESERVED) || is(sw, COND_EVICTED) || is(sw, COND_FINISHED))
        return 0;
    for (uint32_t i = 0; i < sw->status.nchecks; i++) {
        struct status_check *c = &sw->status.checks[i];
        if (c->state != CHECK_PENDING)
            continue;
        if (assume(s, c->name))
            return ERR_NOMEM;
        c->state = CHECK_READY;
        c->since = s->now;
        *ret_answered = true;
    }
    return 0;
}

static int set_pods_ready(struct sim *s, struct sim_wl *sw, enum cond_status status, const char *reason,
                          const char *message, bool *ret_answered)
{
    const struct cond *c = &sw->status.cond[COND_PODS_READY];
    bool changed = false;

    if (c->status == status && !strcmp(c->reason, reason))
        return 0;
    int rc = status_set(&sw->status, COND_PODS_READY, status, reason, message, s->now, sw->wl->generation,
                        &changed);
    *ret_answered = *ret_answered || changed;
    return rc;
}

/* What the job's side says about its pods (engine.md 10.5). */
static int answer_pods(struct sim *s, struct sim_wl *sw, bool *ret_answered)
{
    const struct cond *c = &sw->status.cond[COND_PODS_READY];
    bool recovers = c->status == STATUS_FALSE && !strcmp(c->reason, "WaitForRecovery");

    if (!s->writes_pods_ready || is(sw, COND_FINISHED))
        return 0;
    if (!is(sw, COND_ADMITTED))
        return c->status == STATUS_TRUE
                   ? set_pods_ready(s, sw, STATUS_FALSE, "WaitForStart", not_ready_text, ret_answered)
                   : 0;
    if (!waits_for_pods(s, sw))
        return 0;
    if (ready_at(s, sw) <= s->now)
        return set_pods_ready(s, sw, STATUS_TRUE, recovers ? "Recovered" : "Started", ready_text,
                              ret_answered);
    return recovers ? 0 : set_pods_ready(s, sw, STATUS_FALSE, "WaitForStart", not_ready_text, ret_answered);
}

int cluster_answer(struct sim *s, struct sim_wl *sw, const struct lifecycle_result *r, bool *ret_answered,
                   struct err *err)
{
    *ret_answered = false;
    if (r->deactivate && !sw->deactivated)
        *ret_answered = sw->deactivated = true;
    int rc = pass_checks(s, sw, ret_answered);
    if (!rc)
        rc = answer_pods(s, sw, ret_answered);
    if (rc)
        return err_set(err, rc, "out of memory for the status of %s", sw->key);
    plan_look(s, sw, r->again);
    return 0;
}

int record_look(struct sim *s, struct sim_wl *sw, struct err *err)
{
    const char *cause;

    if (waits_for_pods(s, sw) && ready_at(s, sw) > s->now) {
        when_ns late = deadline(s, sw, &cause);
        if (late != WHEN_NONE && late <= s->now &&
            podsready_expire(&s->podsready, &sw->status, sw->key, cause, 0, s->now, sw->wl->generation))
            return err_set(err, ERR_NOMEM, "out of memory for the status of %s", sw->key);
    }
    set_look(s, sw, WHEN_NONE);
    return record_changed(s, sw, err);
}
