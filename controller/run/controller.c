/* Making, leading, stopping. */
#include "run/preflight.h"

#include <string.h>

/* ---- the Lease ------------------------------------------------------------------------------------------------------------- */

static const char *lease_ns(const struct controller *c)
{
    const char *ns = c->cfg.settings->election.ns;

    return *ns ? ns : c->cfg.ns;
}

/* Permissions and policies, once. */
static void look_around(void *arg)
{
    struct controller *c = arg;

    if (c->cfg.preflight && !c->preflight)
        c->preflight = preflight_new(c);
}

/* What was seen before may be older than the last write of the leader before us: everything is read anew (kubernetes.md 3.13 d). */
static void on_lead(void *arg)
{
    struct controller *c = arg;

    run_log(c, LOG_INFO, "", "leading as %s", c->cfg.identity);
    c->lease_trouble = false;
    c->leads = true;
    meter_set_role(c->meter, METER_LEADER);
    look_around(c);
    if (c->was_standby)
        kinds_resync(c);
    else if (c->complete) {
        things_guard_all(c);
        records_touch_all(c);
        jobs_touch_all(c);
        queues_touch_all(c);
    }
    timer_start(&c->timers, &c->queue_timer, 0); /* those that became due while it stood by */
    run_changed(c);
}

static void on_lost(void *arg, const char *why)
{
    struct controller *c = arg;

    run_log(c, LOG_ERROR, "", "the Lease is lost: %s", why);
    c->leads = false;
    c->lost = true;
}

static void on_holder(void *arg, const char *identity)
{
    struct controller *c = arg;

    c->was_standby = true;
    run_log(c, LOG_INFO, "", "standing by: %s leads", identity);
}

static void on_namespace_made(void *arg, const struct kube_reply *reply)
{
    struct controller *c = arg;

    c->making_namespace = NULL;
    if (reply->status == 201)
        run_log(c, LOG_INFO, "", "the namespace %s was made, for the Lease", lease_ns(c));
}

/* A cluster where neither we nor Kueue was installed: who may make the namespace of the Lease makes it. */
static void make_namespace(struct controller *c)
{
    const struct kube_handler handler = {.on_done = on_namespace_made, .arg = c};
    struct kube_request q = {
        .verb = KUBE_POST,
        .path = "/api/v1/namespaces",
        .content_type = KUBE_JSON,
        .timeout_ns = 15 * NS_PER_S,
    };

    str_clear(&c->text);
    str_add(&c->text, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":");
    str_add_json(&c->text, lease_ns(c));
    str_add(&c->text, "}}");
    q.body = str_text(&c->text);
    q.body_len = c->text.len;
    if (!str_failed(&c->text))
        c->making_namespace = c->seams.rest.start(c->seams.rest.self, &q, &handler, NULL);
}

static void on_lease_trouble(void *arg, const char *text)
{
    struct controller *c = arg;

    run_log(c, LOG_WARNING, "lease", "%s", text);
    c->lease_trouble = true;
    controller_check_lease(c);
}

void controller_check_lease(struct controller *c)
{
    if (c->lease_trouble && c->complete && !c->making_namespace &&
        !things_find(c, API_NAMESPACE, "", lease_ns(c)))
        make_namespace(c);
}

static int start_lease(struct controller *c, struct err *err)
{
    const struct settings_election *e = &c->cfg.settings->election;
    const struct lease_config config = {
        .server = &c->seams.rest,
        .timers = &c->timers,
        .clock = &c->seams.clock,
        .ns = lease_ns(c),
        .name = *e->name ? e->name : "c1f6bfd2.kueue.x-k8s.io",
        .identity = c->cfg.identity,
        .duration_ns = e->lease_ns,
        .renew_deadline_ns = e->renew_ns,
        .retry_ns = e->retry_ns,
    };
    const struct lease_handler handler = {on_lead, on_lost, on_holder, on_lease_trouble, c};

    if (!c->cfg.elect) { /* nothing is sent before the first turn */
        c->leads = true;
        timer_start(&c->timers, &c->first_timer, 0);
        return 0;
    }
    c->lease = lease_new(&config, &handler, err);
    return c->lease ? 0 : err ? err->code : ERR_NOMEM;
}

static bool may_write(void *arg)
{
    const struct controller *c = arg;

    return !c->lost && (!c->lease || lease_may_write(c->lease));
}

/* ---- making ---------------------------------------------------------------------------------------------------------------- */

static void on_write_trouble(void *arg, const char *key, const struct reply *reply)
{
    run_log(arg, LOG_WARNING, key, "write failed, is tried again: %s", reply->message);
}

static int make_writes(struct controller *c, struct err *err)
{
    const struct writes_config w = {
        .server = &c->seams.rest,
        .timers = &c->timers,
        .clock = &c->seams.clock,
        .may_write = may_write,
        .on_trouble = on_write_trouble,
        .arg = c,
    };
    struct events_config e = {
        .timers = &c->timers,
        .clock = &c->seams.clock,
        .controller = "kueue.x-k8s.io/kueue-admission",
        .instance = c->cfg.identity,
    };

    c->writes = writes_new(&w, err);
    e.writes = c->writes;
    c->events = c->writes ? events_new(&e, err) : NULL;
    return c->events ? 0 : ERR_NOMEM;
}

static void configure_lifecycle(struct controller *c)
{
    const struct settings *s = c->cfg.settings;
    const struct gates *g = world_gates(c->w);
    const struct settings_wait *w = &s->wait;

    c->observability = gate_on(g, GATE_OBSERVABILITY);
    c->explicit_status = gate_on(g, GATE_EXPLICIT_STATUS);
    c->lifecycle = (struct lifecycle_config){
        .ending =
            {
                .finish_orphans = gate_named(g, "FinishOrphanedWorkloads"),
                .has_retention = s->deletes_finished,
                .retention_ns = s->finished_ns,
            },
        .wait_for_pods_ready = w->enabled,
        .pods_ready =
            {
                .timeout_ns = w->timeout_ns,
                .recovery_ns = w->recovery_ns,
                .has_limit = w->has_limit,
                .limit = w->limit,
                .backoff = {w->base_s * NS_PER_S, w->max_s * NS_PER_S, 2},
            },
    };
    c->rules = (struct job_rules){
        .making =
            {
                .gates = g,
                .label_keys = s->label_keys_to_copy,
                .nlabel_keys = s->nlabel_keys_to_copy,
            },
        .manage_without_queue = s->manage_jobs_without_queue,
        .pods_ready = w->enabled,
        .has_retention = s->deletes_deactivated,
        .retention_ns = s->deactivated_ns,
    };
    c->classes_changed = true;
}

static void sample_usage(void *arg)
{
    struct controller *c = arg;
    struct err err;

    timer_start(&c->timers, &c->afs_timer, c->cfg.core->afs_sampling_ns);
    if (world_sample_usage(c->w, run_now(c), &err))
        run_log(c, LOG_WARNING, "", "%s", err.text);
    queues_touch_all(c);
    run_changed(c);
}

static void rearm(void *arg)
{
    struct controller *c = arg;

    records_touch_all(c);
}

static int start(struct controller *c, struct err *err)
{
    int rc = world_configure(c->w, c->cfg.core, err);

    if (rc)
        return rc;
    configure_lifecycle(c);
    timers_init(&c->timers, &c->seams.clock);
    timer_init(&c->queue_timer, queues_due, c);
    timer_init(&c->rearm_timer, rearm, c);
    timer_init(&c->afs_timer, sample_usage, c);
    timer_init(&c->first_timer, look_around, c);
    c->wall_offset = run_now(c) - kube_mono(&c->seams.clock);
    rc = make_writes(c, err);
    if (!rc)
        rc = start_lease(c, err);
    if (!rc)
        rc = kinds_start(c, err);
    if (!rc && c->cfg.core->afs && c->cfg.core->afs_sampling_ns > 0)
        timer_start(&c->timers, &c->afs_timer, c->cfg.core->afs_sampling_ns);
    return rc;
}

int controller_new(const struct controller_config *config, const struct controller_seams *s,
                   struct controller **ret, struct err *err)
{
    struct controller *c = mem_zalloc(1, sizeof(*c));

    *ret = NULL;
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->cfg = *config;
    c->seams = *s;
    sink_counter_init(&c->counter);
    c->sink = config->sink ? config->sink : &c->counter.sink;
    arena_init(&c->arena, 65536);
    arena_init(&c->scratch, 16384);
    str_init(&c->text, TEXT_MAX);
    c->dirty_end = &c->dirty;
    c->dirty_jobs_end = &c->dirty_jobs;
    c->waiting_end = &c->waiting;
    c->w = world_new();
    int rc = c->w ? start(c, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        controller_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void controller_free(struct controller *c)
{
    if (!c)
        return;
    preflight_free(c->preflight);
    kinds_stop(c);
    if (c->making_namespace)
        c->seams.rest.cancel(c->seams.rest.self, c->making_namespace);
    jobs_free(c);
    records_free(c);
    things_free(c);
    meter_feed_end(c);
    events_free(c->events);
    lease_free(c->lease);
    writes_free(c->writes);
    seen_free(&c->seen);
    str_free(&c->text);
    arena_free(&c->arena);
    arena_free(&c->scratch);
    if (c->w)
        world_free(c->w);
    mem_free(c);
}

/* ---- stopping -------------------------------------------------------------------------------------------------------------- */

static void on_released(void *arg)
{
    struct controller *c = arg;

    c->drained = true;
}

static void on_empty(void *arg)
{
    struct controller *c = arg;

    c->leads = false;
    if (c->lease)
        lease_release(c->lease, on_released, c);
    else
        c->drained = true;
}

/* What waits is dropped: the next controller decides it anew. What is in flight ends. */
void controller_stop(struct controller *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    run_log(c, LOG_INFO, "", "stopping: %u writes are under way", writes_pending(c->writes));
    writes_drain(c->writes, true, on_empty, c);
}

bool controller_stopped(const struct controller *c)
{
    return c->drained;
}

bool controller_lost(const struct controller *c)
{
    return c->lost;
}

/* ---- reading --------------------------------------------------------------------------------------------------------------- */

bool controller_leads(const struct controller *c)
{
    return c->leads && !c->lost;
}

bool controller_ready(const struct controller *c)
{
    return c->complete && !c->lost && (c->leads || (c->lease && *lease_holder(c->lease)));
}

struct world *controller_world(struct controller *c)
{
    return c->w;
}

struct controller_stats controller_stats(const struct controller *c)
{
    struct controller_stats s = c->stats;

    s.workloads = c->nrecords;
    s.jobs = c->njobs;
    s.write_queue = writes_pending(c->writes);
    return s;
}
