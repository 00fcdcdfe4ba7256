/* waitForPodsReady in a replay (engine.md 10.5): starts that take time, starts that take too long. */
#include "sim/replay_priv.h"

#include "base/mem.h"

int ready_configure(struct replay *r, const struct object *config, struct err *err)
{
    static const struct settings_wait by_default = {
        .enabled = true, .timeout_ns = 1800 * NS_PER_S, .base_s = 60, .max_s = 3600};
    const struct settings_wait *wait = config && config->settings ? &config->settings->wait : &by_default;
    bool on = wait->enabled && !gate_on(world_gates(r->w), GATE_DISABLE_WAIT_FOR_PODS_READY);

    r->ready = (struct podsready_config){.timeout_ns = wait->timeout_ns,
                                         .has_limit = wait->has_limit,
                                         .limit = wait->limit,
                                         .backoff = {wait->base_s * NS_PER_S, wait->max_s * NS_PER_S, 2}};
    r->writes_ready = on && r->opt.startup_ns > 0;
    if (r->writes_ready && !wait->has_limit && r->opt.startup_ns > wait->timeout_ns)
        return err_set(err, ERR_INVALID,
                       "no job would ever start: pods are ready after %lld s, and waitForPodsReady gives a "
                       "start up after %lld s, again and again",
                       (long long)(r->opt.startup_ns / NS_PER_S), (long long)(wait->timeout_ns / NS_PER_S));
    return 0;
}

static void run(struct replay *r, struct live *l)
{
    l->state = LIVE_RUNS;
    l->due = i64_add(l->since, i64_add(l->left_ns, r->opt.startup_ns));
}

void ready_begin(struct replay *r, struct live *l, struct marks *m)
{
    m->pods_ready = !r->writes_ready;
    if (m->pods_ready) {
        run(r, l);
        return;
    }
    bool late = r->opt.startup_ns > r->ready.timeout_ns;
    l->state = LIVE_STARTS;
    l->due = i64_add(l->since, late ? r->ready.timeout_ns : r->opt.startup_ns);
}

static int become_ready(struct replay *r, struct live *l, struct err *err)
{
    struct marks m = l->wl->marks;

    m.pods_ready = true;
    run(r, l);
    replay_tell(r, REPLAY_READY, l, NULL);
    world_put_marks(r->w, l->wl, &m, r->now);
    r->changed = true;
    return replay_heap_add(r, l, err);
}

/* Nobody starts it any more; what it holds is free at once (10.8). */
static void leave(struct replay *r, struct live *l)
{
    replay_tell(r, REPLAY_LEFT, l, NULL);
    account_let_go(r, l);
    account_left(r);
    replay_drop(r, l);
}

static int time_out(struct replay *r, struct live *l, struct err *err)
{
    struct marks m = l->wl->marks;

    account_evicted(r, l, replay_stop_run(r, l), true);
    if (r->ready.has_limit && l->tries >= r->ready.limit) {
        leave(r, l);
        return 0;
    }
    if (mem_grow((void **)&r->late, &r->cap_late, r->nlate + 1, sizeof(*r->late)))
        return err_set(err, ERR_NOMEM, "out of memory for what is late");
    l->tries++;
    m.evicted = true;
    m.evicted_at = r->now;
    m.evict_reason = EVICT_PODS_READY_TIMEOUT;
    m.evicted_digest++;
    m.requeue_at = i64_add(r->now, backoff_wait(&r->ready.backoff, (uint64_t)l->tries));
    l->state = LIVE_STOPS;
    l->due = i64_add(r->now, r->opt.stop_ns);
    replay_tell(r, REPLAY_TIMED_OUT, l, NULL);
    world_put_marks(r->w, l->wl, &m, r->now);
    r->changed = true;
    r->late[r->nlate++] = l;
    return 0;
}

static void come_back(struct replay *r, struct live *l)
{
    struct marks m = l->wl->marks;

    m.requeue_at = WHEN_NONE;
    m.requeued_false = false;
    m.requeued_digest++;
    l->state = LIVE_WAITS;
    l->due = WHEN_NONE;
    replay_tell(r, REPLAY_BACK, l, NULL);
    world_put_marks(r->w, l->wl, &m, r->now);
    r->changed = true;
}

bool ready_backs_off(struct replay *r, struct live *l, struct marks *m)
{
    bool later = m->requeue_at != WHEN_NONE && m->requeue_at > r->now;

    m->requeued_false = later;
    if (!later) {
        m->requeue_at = WHEN_NONE;
        return false;
    }
    l->state = LIVE_BACKS_OFF;
    l->due = m->requeue_at;
    return true;
}

static int look(struct replay *r, struct live *l, struct err *err)
{
    replay_heap_remove(r, l);
    if (l->state == LIVE_BACKS_OFF) {
        come_back(r, l);
        return 0;
    }
    return r->opt.startup_ns > r->ready.timeout_ns ? time_out(r, l, err) : become_ready(r, l, err);
}

/* Who has no time to stop lets go after all that happens now, so it comes back into the heap at the end. */
int ready_due(struct replay *r, struct err *err)
{
    int rc = 0;

    r->nlate = 0;
    while (!rc && r->nheap && r->heap[0]->due <= r->now &&
           (r->heap[0]->state == LIVE_STARTS || r->heap[0]->state == LIVE_BACKS_OFF))
        rc = look(r, r->heap[0], err);
    for (uint32_t i = 0; i < r->nlate && !rc; i++)
        rc = replay_heap_add(r, r->late[i], err);
    return rc;
}
