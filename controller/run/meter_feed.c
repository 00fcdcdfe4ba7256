#include "run/meter_feed.h"

#include "run/run_priv.h"

#include "lifecycle/waits.h"

#include <string.h>

struct meter_feed {
    struct meter_feed_options o;
};

static bool is_true(const struct status *s, enum cond_type t)
{
    return s->cond[t].status == STATUS_TRUE;
}

/* ---- what is asked for a text ------------------------------------------------------------------------------------------------ */

static enum meter_role role_of(const struct controller *c)
{
    return !c->cfg.elect ? METER_STANDALONE : controller_leads(c) ? METER_LEADER : METER_FOLLOWER;
}

static struct world *the_world(void *arg)
{
    struct controller *c = arg;
    return c->w;
}

static void state(void *arg, struct meter_state *ret)
{
    struct controller *c = arg;
    const struct controller_stats s = controller_stats(c);
    const struct events_stats *e = events_stats(c->events);
    const struct meter_feed_options *o = &c->feed->o;

    meter_set_role(c->meter, role_of(c));
    *ret = (struct meter_state){
        .writes = writes_stats(c->writes),
        .http = o->http ? o->http(o->arg) : NULL,
        .log_dropped = o->log_dropped ? o->log_dropped(o->arg) : 0,
        .workloads = s.workloads,
        .jobs = s.jobs,
        .events_emitted = e->emitted,
        .events_dropped = e->dropped,
        .facts_stale = s.stale_facts,
        .facts_held = s.held_facts,
        .facts_malformed = s.malformed,
        .status_writes = s.status_writes,
        .queue_writes = s.queue_writes,
        .job_writes = s.job_writes,
        .workload_writes = s.workload_writes,
        .leads = controller_leads(c),
        .ready = controller_ready(c),
    };
}

static void local_queues(void *arg, void (*each)(const struct meter_local_queue *q, void *x), void *x)
{
    struct controller *c = arg;

    for (const struct thing *t = c->things; t; t = t->hh.next)
        if (t->kind == API_LOCAL_QUEUE)
            each(&(struct meter_local_queue){t->ns, t->name, queues_target(c, t->ns, t->name), t->matches},
                 x);
}

static void watches(void *arg, void (*each)(const struct meter_watch *w, void *x), void *x)
{
    const struct controller *c = arg;

    for (uint32_t i = 0; i < c->nkinds; i++) {
        const struct kind_watch *k = &c->kinds[i];
        if (!k->watch || watch_state(k->watch) == WATCH_ABSENT)
            continue;
        each(&(struct meter_watch){strrchr(k->row->path, '/') + 1, watch_synced(k->watch),
                                   watch_age(k->watch), watch_stats(k->watch)},
             x);
    }
}

int meter_feed_start(struct controller *c, const struct meter_feed_options *o, struct meter **ret,
                     struct err *err)
{
    const struct settings *s = c->cfg.settings;
    const struct gates *g = world_gates(c->w);
    const struct meter_source source = {the_world, state, local_queues, watches, c};
    const struct meter_config config = {
        .cluster_queue_resources = s->metrics.cluster_queue_resources,
        .local_queues = s->metrics.local_queues && gate_named(g, "LocalQueueMetrics"),
        .cohorts = gate_named(g, "MetricsForCohorts"),
        .fair_sharing = c->cfg.core->fair_sharing,
        .afs = c->cfg.core->afs,
        .creation_latency = gate_named(g, "MetricForWorkloadCreationLatency"),
        .role = role_of(c),
        .version = o->version,
    };

    *ret = NULL;
    c->feed = mem_zalloc(1, sizeof(*c->feed));
    if (!c->feed)
        return err_set(err, ERR_NOMEM, "out of memory");
    c->feed->o = *o;
    c->meter = meter_new(&config, &source, err);
    if (!c->meter) {
        mem_free(c->feed);
        c->feed = NULL;
        return ERR_NOMEM;
    }
    *ret = c->meter;
    return 0;
}

void meter_feed_end(struct controller *c)
{
    meter_free(c->meter);
    mem_free(c->feed);
    c->meter = NULL;
    c->feed = NULL;
}

/* ---- what happened to a Workload --------------------------------------------------------------------------------------------- */

bool meter_feed_takes(const struct controller *c, const struct doc_node *local_queue)
{
    const struct fact_selector *sel = &c->cfg.settings->metrics.local_queue_selector;
    struct fact_label labels[64];
    uint32_t n = 0;

    if (sel->is_null)
        return true;
    doc_foreach (l, doc_path(local_queue, "metadata.labels"))
        if (n < 64)
            labels[n++] = (struct fact_label){l->key, l->text};
    return selector_matches(sel, labels, n);
}

static bool lq_counted(const struct controller *c, const struct record *r)
{
    if (c->cfg.settings->metrics.local_queue_selector.is_null)
        return true;
    const struct thing *t = things_find(c, API_LOCAL_QUEUE, r->view->ns, r->view->queue);
    return t && t->matches;
}

/* The ClusterQueue of its last admission, or the one that it waits for. */
static struct meter_wl wl_of(const struct record *r)
{
    const struct controller *c = r->c;
    const char *cq = names_text(world_names(c->w), r->counted.cluster_queue);

    return (struct meter_wl){
        .cluster_queue = *cq ? cq : queues_target(c, r->view->ns, r->view->queue),
        .ns = r->view->ns,
        .local_queue = r->view->queue,
        .lq_counted = lq_counted(c, r),
        .priority_class = r->view->class_name,
    };
}

static void count_admission(struct record *r, const struct meter_wl *w, const struct meter_seen *was)
{
    struct meter *m = r->c->meter;
    const struct status *s = r->status;
    when_ns created = r->wl ? r->wl->created : WHEN_NONE;
    int64_t until_ready;

    if (!was->reserved && is_true(s, COND_QUOTA_RESERVED))
        meter_reserved(m, w, waits_since_queued(s, created, s->cond[COND_QUOTA_RESERVED].since));
    if (!was->admitted && is_true(s, COND_ADMITTED))
        meter_admitted(m, w, waits_since_queued(s, created, s->cond[COND_ADMITTED].since), s->nchecks > 0,
                       waits_since_reserved(s, s->cond[COND_ADMITTED].since));
    if (was->ready_at == WHEN_NONE && waits_until_ready(s, &until_ready))
        meter_ready(m, w, waits_since_queued(s, created, s->cond[COND_PODS_READY].since), until_ready);
}

/* Reason and cause apart, as they are counted in schedulingStats (10.3). */
static struct meter_eviction eviction_of(const struct status *s, const struct meter_seen *was)
{
    static const char prefix[] = "DeactivatedDueTo";
    const struct cond *e = &s->cond[COND_EVICTED];
    struct meter_eviction ret = {.reason = e->reason, .cause = "", .ready_ns = -1};
    const bool with_cause = !strncmp(e->reason, prefix, sizeof(prefix) - 1);

    if (with_cause) {
        ret.reason = "Deactivated";
        ret.cause = e->reason + sizeof(prefix) - 1;
    }
    for (uint32_t i = 0; i < s->nevictions; i++) {
        const struct status_eviction *c = &s->evictions[i];
        if (strcmp(c->reason, ret.reason) != 0 || (with_cause && strcmp(c->cause, ret.cause) != 0))
            continue;
        ret.cause = c->cause;
        ret.first = c->count == 1;
    }
    if (was->ready_at != WHEN_NONE)
        ret.ready_ns = amount_max(0, i64_sub(e->since, was->ready_at));
    return ret;
}

static void count_end(struct record *r, const struct meter_wl *w, const struct meter_seen *was)
{
    struct meter *m = r->c->meter;
    const struct status *s = r->status;
    const struct cond *admitted = &s->cond[COND_ADMITTED], *finished = &s->cond[COND_FINISHED];
    int64_t latency, ran = s->accumulated_s ? s->accumulated_s * NS_PER_S : -1;

    if (was->reserved && is_true(s, COND_EVICTED) && was->evicted_at != s->cond[COND_EVICTED].since) {
        const struct meter_eviction e = eviction_of(s, was);
        meter_evicted(m, w, &e);
    }
    if (was->reserved && waits_until_released(s, &latency)) {
        const struct meter_eviction e = eviction_of(s, was);
        meter_released(m, w, e.reason, latency);
    }
    if (was->finished || finished->status != STATUS_TRUE)
        return;
    if (admitted->status == STATUS_TRUE)
        ran = (ran > 0 ? ran : 0) + amount_max(0, i64_sub(finished->since, admitted->since));
    meter_finished(m, w, ran);
}

void meter_feed_taken(struct record *r)
{
    struct controller *c = r->c;
    const struct status *s = r->status;
    const struct meter_seen was = r->counted;

    if (!c->meter)
        return;
    if (*r->view->cluster_queue &&
        names_id(world_names(c->w), r->view->cluster_queue, &r->counted.cluster_queue))
        r->counted.cluster_queue = 0;
    if (was.known && c->leads && c->complete) {
        const struct meter_wl w = wl_of(r);
        meter_set_role(c->meter, role_of(c));
        count_admission(r, &w, &was);
        count_end(r, &w, &was);
    }
    r->counted.known = true;
    r->counted.reserved = is_true(s, COND_QUOTA_RESERVED);
    r->counted.admitted = is_true(s, COND_ADMITTED);
    r->counted.ready_at = is_true(s, COND_PODS_READY) ? s->cond[COND_PODS_READY].since : WHEN_NONE;
    r->counted.finished = is_true(s, COND_FINISHED);
    r->counted.evicted_at = is_true(s, COND_EVICTED) ? s->cond[COND_EVICTED].since : WHEN_NONE;
}

void meter_feed_mark(struct record *r)
{
    struct controller *c = r->c;
    const char *reason, *cause;

    if (!c->meter || !r->view)
        return;
    struct meter_wl w = wl_of(r);
    meter_set_role(c->meter, role_of(c));
    if (!is_true(r->status, COND_QUOTA_RESERVED) && !is_true(r->status, COND_FINISHED))
        w.cluster_queue = queues_target(c, r->view->ns, r->view->queue);
    if (is_true(r->status, COND_FINISHED))
        meter_mark_finished(c->meter, &r->mark, &w);
    else if (status_unadmitted(r->status, &reason, &cause))
        meter_mark_unadmitted(c->meter, &r->mark, &w, reason, cause);
    else
        meter_unmark(c->meter, &r->mark);
}

void meter_feed_gone(struct record *r)
{
    meter_unmark(r->c->meter, &r->mark);
}

void meter_feed_thing_gone(struct controller *c, const struct thing *t)
{
    if (t->kind == API_CLUSTER_QUEUE)
        meter_cluster_queue_gone(c->meter, t->name);
    else if (t->kind == API_LOCAL_QUEUE)
        meter_local_queue_gone(c->meter, t->ns, t->name);
    else if (t->kind == API_COHORT)
        meter_cohort_gone(c->meter, t->name);
}
