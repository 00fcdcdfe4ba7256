#include "run/meter_priv.h"

#include "base/mem.h"

/* Label values of one series; the last is always the role. */
#define VALUES(m, ...) ((const char *const[]){__VA_ARGS__, meter_role_name(m)})

static double seconds(int64_t ns)
{
    return ns > 0 ? (double)ns / NS_PER_S : 0;
}

const char *meter_role_name(const struct meter *m)
{
    static const char *const names[] = {"standalone", "follower", "leader"};
    return names[m->role];
}

struct meter *meter_new(const struct meter_config *c, const struct meter_source *s, struct err *err)
{
    struct meter *m = mem_zalloc(1, sizeof(*m));

    if (!m) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    m->cfg = *c;
    m->source = *s;
    m->role = c->role;
    m->start = meter_start_time();
    m->metrics = metrics_new(meter_table, METER_FAMILIES, m, err);
    if (m->metrics)
        return m;
    mem_free(m);
    return NULL;
}

void meter_free(struct meter *m)
{
    if (!m)
        return;
    metrics_free(m->metrics);
    mem_free(m->classes);
    mem_free(m);
}

void meter_set_role(struct meter *m, enum meter_role role)
{
    if (m)
        m->role = role;
}

int meter_text(struct meter *m, struct str *out, struct err *err)
{
    meter_look(m);
    int rc = metrics_text(m->metrics, out, err);
    meter_look_end(m);
    return rc;
}

int meter_page(void *arg, struct str *out, const char **content_type)
{
    struct err err;

    if (meter_text(arg, out, &err)) {
        str_clear(out);
        str_add(out, err.text);
        return 500;
    }
    *content_type = METRICS_CONTENT_TYPE;
    return 200;
}

/* ---- of one Workload --------------------------------------------------------------------------------------------------------- */

static bool of_cq(const struct meter *m, const struct meter_wl *w)
{
    return m && w->cluster_queue && *w->cluster_queue;
}

static bool of_lq(const struct meter *m, const struct meter_wl *w)
{
    return m && m->cfg.local_queues && w->lq_counted && w->local_queue && *w->local_queue;
}

/* What most of them are: a counter or a wait by queue and priority class. */
static void count(struct meter *m, enum meter_family cq, enum meter_family lq, const struct meter_wl *w)
{
    if (of_cq(m, w))
        metrics_add(m->metrics, cq, VALUES(m, w->cluster_queue, w->priority_class), 1);
    if (of_lq(m, w))
        metrics_add(m->metrics, lq, VALUES(m, w->local_queue, w->ns, w->priority_class), 1);
}

static void wait(struct meter *m, enum meter_family cq, enum meter_family lq, const struct meter_wl *w,
                 int64_t ns)
{
    if (of_cq(m, w))
        metrics_observe(m->metrics, cq, VALUES(m, w->cluster_queue, w->priority_class), seconds(ns));
    if (of_lq(m, w))
        metrics_observe(m->metrics, lq, VALUES(m, w->local_queue, w->ns, w->priority_class), seconds(ns));
}

void meter_reserved(struct meter *m, const struct meter_wl *w, int64_t waited_ns)
{
    count(m, M_RESERVED, M_LQ_RESERVED, w);
    wait(m, M_RESERVED_WAIT, M_LQ_RESERVED_WAIT, w, waited_ns);
}

/* All cohorts above. */
static void count_cohorts(struct meter *m, const struct meter_wl *w)
{
    const struct world *world = m->source.world(m->source.arg);
    uint32_t cq = world_cq_find(world, w->cluster_queue);

    if (cq == NONE)
        return;
    struct cq_place p = world_cq_place(world, cq);
    for (uint32_t at = p.tree ? p.tree->nodes[p.node].parent : TREE_NONE; at != TREE_NONE;
         at = p.tree->nodes[at].parent)
        metrics_add(m->metrics, M_COHORT_ADMITTED,
                    VALUES(m, names_text(world_names(world), p.tree->nodes[at].name), w->priority_class), 1);
}

void meter_admitted(struct meter *m, const struct meter_wl *w, int64_t waited_ns, bool has_checks,
                    int64_t checks_ns)
{
    count(m, M_ADMITTED, M_LQ_ADMITTED, w);
    wait(m, M_ADMISSION_WAIT, M_LQ_ADMISSION_WAIT, w, waited_ns);
    if (has_checks)
        wait(m, M_CHECKS_WAIT, M_LQ_CHECKS_WAIT, w, checks_ns);
    if (of_cq(m, w) && m->cfg.cohorts)
        count_cohorts(m, w);
}

void meter_ready(struct meter *m, const struct meter_wl *w, int64_t since_queued_ns,
                 int64_t since_admitted_ns)
{
    wait(m, M_READY_WAIT, M_LQ_READY_WAIT, w, since_queued_ns);
    wait(m, M_UNTIL_READY, M_LQ_UNTIL_READY, w, since_admitted_ns);
}

void meter_evicted(struct meter *m, const struct meter_wl *w, const struct meter_eviction *e)
{
    if (of_cq(m, w)) {
        const char *const *v = VALUES(m, w->cluster_queue, e->reason, e->cause, w->priority_class);
        metrics_add(m->metrics, M_EVICTED, v, 1);
        if (e->first)
            metrics_add(m->metrics, M_EVICTED_ONCE, v, 1);
        if (e->ready_ns >= 0)
            metrics_observe(m->metrics, M_READY_TO_EVICTED, VALUES(m, w->cluster_queue, e->reason, e->cause),
                            seconds(e->ready_ns));
    }
    if (of_lq(m, w))
        metrics_add(m->metrics, M_LQ_EVICTED,
                    VALUES(m, w->local_queue, w->ns, e->reason, e->cause, w->priority_class), 1);
}

void meter_preempted(struct meter *m, const char *preempting_cluster_queue, const char *reason)
{
    if (m)
        metrics_add(m->metrics, M_PREEMPTED, VALUES(m, preempting_cluster_queue, reason), 1);
}

void meter_released(struct meter *m, const struct meter_wl *w, const char *reason, int64_t latency_ns)
{
    if (of_cq(m, w))
        metrics_observe(m->metrics, M_EVICTION_LATENCY, VALUES(m, w->cluster_queue, reason),
                        seconds(latency_ns));
}

void meter_finished(struct meter *m, const struct meter_wl *w, int64_t ran_ns)
{
    count(m, M_FINISHED, M_LQ_FINISHED, w);
    if (ran_ns >= 0)
        wait(m, M_EXECUTION, M_LQ_EXECUTION, w, ran_ns);
}

void meter_created(struct meter *m, const char *job_kind, int64_t latency_ns)
{
    if (m && m->cfg.creation_latency)
        metrics_observe(m->metrics, M_CREATION_LATENCY, VALUES(m, job_kind), seconds(latency_ns));
}

/* ---- what Workloads are ------------------------------------------------------------------------------------------------------ */

/* The new one is taken before the old one is given back: a series that stays the same is not made anew. */
static void move(struct meter *m, struct metric_series **at, struct metric_series *to)
{
    metrics_give_back(m->metrics, *at);
    *at = to;
}

void meter_mark_unadmitted(struct meter *m, struct meter_mark *mark, const struct meter_wl *w,
                           const char *reason, const char *cause)
{
    if (!m)
        return;
    move(m, &mark->cq,
         of_cq(m, w) ? metrics_hold(m->metrics, M_UNADMITTED, VALUES(m, w->cluster_queue, reason, cause))
                     : NULL);
    move(m, &mark->lq,
         of_lq(m, w) ? metrics_hold(m->metrics, M_LQ_UNADMITTED,
                                    VALUES(m, w->local_queue, w->ns, w->cluster_queue, reason, cause))
                     : NULL);
}

void meter_mark_finished(struct meter *m, struct meter_mark *mark, const struct meter_wl *w)
{
    if (!m)
        return;
    move(m, &mark->cq,
         of_cq(m, w) ? metrics_hold(m->metrics, M_FINISHED_NOW, VALUES(m, w->cluster_queue)) : NULL);
    move(m, &mark->lq,
         of_lq(m, w) ? metrics_hold(m->metrics, M_LQ_FINISHED_NOW, VALUES(m, w->local_queue, w->ns)) : NULL);
}

void meter_unmark(struct meter *m, struct meter_mark *mark)
{
    if (!m)
        return;
    move(m, &mark->cq, NULL);
    move(m, &mark->lq, NULL);
}

/* ---- the engine and the loop ------------------------------------------------------------------------------------------------- */

void meter_cycle(struct meter *m, const struct cycle *cy, int64_t took_ns)
{
    static const char *const results[RECOMPUTE_RESULTS] = {
        [RECOMPUTE_DEFERRED_FIT] = "deferred_fit",
        [RECOMPUTE_NEW_TARGETS] = "new_targets",
        [RECOMPUTE_SKIPPED] = "skipped",
    };

    if (!m)
        return;
    const struct world *w = m->source.world(m->source.arg);
    const char *const *v = VALUES(m, cy->progressed ? "success" : "inadmissible");
    m->cycles++;
    metrics_add(m->metrics, M_ATTEMPTS, v, 1);
    metrics_observe(m->metrics, M_ATTEMPT_SECONDS, v, seconds(took_ns));
    for (uint32_t i = 0; i < cy->nskips; i++)
        metrics_set(m->metrics, M_SKIPS, VALUES(m, world_cq_place(w, cy->skips[i].cq).name), cy->skips[i].n);
    for (uint32_t i = 0; i < cy->nrecomputes; i++)
        metrics_add(
            m->metrics, M_RECOMPUTATIONS,
            VALUES(m, world_cq_place(w, cy->recomputes[i].cq).name, results[cy->recomputes[i].result]), 1);
}

void meter_turn(struct meter *m, int64_t cpu_ns, int64_t wall_ns)
{
    if (!m)
        return;
    m->turns++;
    m->longest_cpu = cpu_ns > m->longest_cpu ? cpu_ns : m->longest_cpu;
    m->longest_wall = wall_ns > m->longest_wall ? wall_ns : m->longest_wall;
    metrics_observe(m->metrics, M_TURN, NULL, seconds(cpu_ns));
    metrics_observe(m->metrics, M_TURN_WALL, NULL, seconds(wall_ns));
}

void meter_lag(struct meter *m, int64_t late_ns)
{
    if (m)
        metrics_observe(m->metrics, M_LAG, NULL, seconds(late_ns));
}

/* ---- queues that are gone ---------------------------------------------------------------------------------------------------- */

void meter_cluster_queue_gone(struct meter *m, const char *name)
{
    if (m)
        metrics_forget(m->metrics, METRIC_CLUSTER_QUEUE, name, NULL);
}

void meter_local_queue_gone(struct meter *m, const char *ns, const char *name)
{
    if (m)
        metrics_forget(m->metrics, METRIC_LOCAL_QUEUE, name, ns);
}

void meter_cohort_gone(struct meter *m, const char *name)
{
    if (m)
        metrics_forget(m->metrics, METRIC_COHORT, name, NULL);
}
