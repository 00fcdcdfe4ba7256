#include "sim/replay_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CYCLES_AT_ONCE_MAX = 100000 };

bool replay_in_window(const struct replay *r, when_ns t)
{
    return t >= r->opt.window.from && t < r->opt.window.to;
}

int replay_new(const struct api_set *objects, const struct replay_options *options, struct replay **ret,
               struct err *err)
{
    struct replay *r = mem_zalloc(1, sizeof(*r));

    *ret = NULL;
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->opt = *options;
    r->res.began = r->res.ended_at = WHEN_NONE;
    str_init(&r->text, 0);
    str_init(&r->digest, 0);
    r->w = world_new();
    r->tenant_names = names_new();
    int rc =
        r->w && r->tenant_names ? replay_load(r, objects, err) : err_set(err, ERR_NOMEM, "out of memory");
    if (rc)
        replay_free(r);
    else
        *ret = r;
    return rc;
}

static void free_groups(struct replay_group *g, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        mem_free(g[i].name);
        series_free(&g[i].series);
    }
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    for (struct wl *wl = r->w ? world_first_workload(r->w) : NULL; wl; wl = world_next_workload(wl))
        mem_free(wl->user);
    if (r->w)
        world_free(r->w);
    if (r->tenant_names)
        names_free(r->tenant_names);
    for (uint32_t i = 0; i < r->ntenants; i++) {
        mem_free(r->places[i].ns);
        mem_free(r->places[i].queue);
    }
    free_groups(&r->res.total, 1);
    free_groups(r->res.queues, r->res.nqueues);
    free_groups(r->res.tenants, r->res.ntenants);
    free_groups(r->res.sizes, REPLAY_SIZES);
    mem_free(r->res.queues);
    mem_free(r->res.tenants);
    mem_free(r->res.loans);
    mem_free(r->queues);
    mem_free(r->tenants);
    mem_free(r->places);
    mem_free(r->held);
    mem_free(r->held_at);
    mem_free(r->heap);
    mem_free(r->late);
    mem_free(r->loans);
    mem_free(r->loan_at);
    share_free(r);
    seen_free(&r->seen);
    str_free(&r->text);
    str_free(&r->digest);
    mem_free(r);
}

void replay_watch(struct replay *r, replay_note_fn *fn, void *arg)
{
    r->note = fn;
    r->note_arg = arg;
}

void replay_watch_loans(struct replay *r, replay_loans_fn *fn, void *arg)
{
    r->loans_seen = fn;
    r->loans_seen_arg = arg;
}

when_ns replay_now(const struct replay *r)
{
    return r->now;
}

const struct replay_result *replay_result(const struct replay *r)
{
    return &r->res;
}

struct world *replay_world(const struct replay *r)
{
    return r->w;
}

/* ---- what is due -------------------------------------------------------------------------------------------------------- */

static int rank(const struct live *l)
{
    return l->state == LIVE_RUNS ? 0 : l->state == LIVE_STOPS ? 1 : 2;
}

/* At equal times those that finish, then those that let go, then those that the clock looks at. */
static bool earlier(const struct live *a, const struct live *b)
{
    if (a->due != b->due)
        return a->due < b->due;
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    return a->number < b->number;
}

static void heap_put(struct replay *r, uint32_t i, struct live *l)
{
    r->heap[i] = l;
    l->place = i;
}

static void heap_sift(struct replay *r, uint32_t i)
{
    struct live *l = r->heap[i];

    for (; i && earlier(l, r->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_put(r, i, r->heap[(i - 1) / 2]);
    for (uint32_t child; (child = 2 * i + 1) < r->nheap; i = child) {
        if (child + 1 < r->nheap && earlier(r->heap[child + 1], r->heap[child]))
            child++;
        if (!earlier(r->heap[child], l))
            break;
        heap_put(r, i, r->heap[child]);
    }
    heap_put(r, i, l);
}

int replay_heap_add(struct replay *r, struct live *l, struct err *err)
{
    if (mem_grow((void **)&r->heap, &r->cap_heap, r->nheap + 1, sizeof(struct live *)))
        return err_set(err, ERR_NOMEM, "out of memory for what runs");
    heap_put(r, r->nheap++, l);
    heap_sift(r, l->place);
    return 0;
}

void replay_heap_remove(struct replay *r, struct live *l)
{
    uint32_t i = l->place;
    struct live *last = r->heap[--r->nheap];

    if (last == l)
        return;
    heap_put(r, i, last);
    heap_sift(r, i);
}

/* ---- what happens to a job ---------------------------------------------------------------------------------------------- */

static void tell_since(struct replay *r, enum replay_event e, const struct live *l, const struct decision *d,
                       when_ns since)
{
    if (!r->note)
        return;
    uint32_t cq = l->held != NONE ? r->held[l->held].cq : l->home;
    r->note(r->note_arg, &(struct replay_note){.event = e,
                                               .wl = l->wl,
                                               .at = r->now,
                                               .job = l->wl->name,
                                               .queue = r->res.queues[cq].name,
                                               .decision = d,
                                               .since = since,
                                               .units = l->units});
}

void replay_tell(struct replay *r, enum replay_event e, const struct live *l, const struct decision *d)
{
    tell_since(r, e, l, d, WHEN_NONE);
}

void replay_drop(struct replay *r, struct live *l)
{
    world_del_workload(r->w, l->wl, r->now);
    r->nlive--;
    r->nmeasured -= l->measured;
    r->changed = true;
    mem_free(l);
}

static void finish(struct replay *r, struct live *l)
{
    replay_tell(r, REPLAY_FINISHED, l, NULL);
    replay_heap_remove(r, l);
    r->futile = 0;
    account_let_go(r, l);
    account_finished(r, l);
    replay_drop(r, l);
}

/* Quota goes back, and it is in the queue again (engine.md 10.3). */
static int release(struct replay *r, struct live *l, struct err *err)
{
    struct marks m = l->wl->marks;

    replay_tell(r, REPLAY_RELEASED, l, NULL);
    replay_heap_remove(r, l);
    account_let_go(r, l);
    m.reserved = m.admitted = m.pods_ready = false;
    m.reserved_at = m.admitted_at = WHEN_NONE;
    m.requeued_digest++;
    l->state = LIVE_WAITS;
    l->due = WHEN_NONE;
    l->since = r->now;
    l->held = NONE;
    account_waits(r, l);
    bool later = ready_backs_off(r, l, &m);
    world_put_marks(r->w, l->wl, &m, r->now);
    r->changed = true;
    return later ? replay_heap_add(r, l, err) : 0;
}

/* The pair of the GPUs in its admission. */
static uint32_t gpu_pair(const struct replay *r, const struct wl *wl)
{
    for (uint32_t i = 0; i < wl->pod_sets[0].nslots; i++) {
        const struct slot *s = &wl->slots[wl->pod_sets[0].first + i];
        if (s->res == r->gpu)
            return s->fr;
    }
    return NONE;
}

static int admit(struct replay *r, const struct decision *d, struct err *err)
{
    struct live *l = d->w->user;
    struct marks m = d->w->marks;

    m.reserved = m.admitted = true;
    m.reserved_at = m.admitted_at = r->now;
    m.evicted = m.preempted = m.preempted_by_reclaim = false;
    m.evicted_at = m.preempted_at = WHEN_NONE;
    m.evict_reason = EVICT_OTHER;
    m.evicted_digest++;
    const when_ns waited_since = l->since;
    account_admitted(r, l, d->cq, gpu_pair(r, d->w));
    l->since = r->now;
    ready_begin(r, l, &m);
    int rc = replay_heap_add(r, l, err);
    tell_since(r, REPLAY_ADMITTED, l, d, waited_since);
    world_put_marks(r->w, d->w, &m, r->now);
    return rc;
}

/* Work since the start or the last checkpoint is lost. */
int64_t replay_stop_run(struct replay *r, struct live *l)
{
    int64_t ran = r->now - l->since, worked = ran > r->opt.startup_ns ? ran - r->opt.startup_ns : 0;
    int64_t kept = r->opt.checkpoint_ns ? worked - worked % r->opt.checkpoint_ns : 0;

    kept = kept < l->left_ns ? kept : l->left_ns;
    l->left_ns -= kept;
    return ran - kept;
}

static int evict(struct replay *r, const struct cycle *c, uint32_t i, struct err *err)
{
    struct wl *wl = c->evicted[i];
    struct live *l = wl->user;
    struct marks m = wl->marks;

    m.evicted = m.preempted = true;
    m.evicted_at = m.preempted_at = r->now;
    m.preempted_by_reclaim = c->evicted_target[i]->reason == PREEMPT_RECLAIM_WHILE_BORROWING;
    m.evict_reason = EVICT_PREEMPTED;
    m.evicted_digest++;
    if (r->note)
        r->note(r->note_arg, &(struct replay_note){.event = REPLAY_EVICTED,
                                                   .wl = wl,
                                                   .at = r->now,
                                                   .job = wl->name,
                                                   .queue = r->res.queues[r->held[l->held].cq].name,
                                                   .decision = c->evicted_by[i],
                                                   .reason = c->evicted_target[i]->reason,
                                                   .by = c->evicted_by[i]->w->name,
                                                   .cycle = c,
                                                   .evicted = i,
                                                   .units = l->units});
    r->victim = wl;
    r->winner = c->evicted_by[i]->w;
    r->futile++;
    account_evicted(r, l, replay_stop_run(r, l), false);
    replay_heap_remove(r, l);
    l->state = LIVE_STOPS;
    l->due = i64_add(r->now, r->opt.stop_ns);
    world_put_marks(r->w, wl, &m, r->now);
    return replay_heap_add(r, l, err);
}

static int apply(struct replay *r, const struct cycle *c, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < c->nevicted && !rc; i++)
        rc = evict(r, c, i, err);
    for (uint32_t i = 0; i < c->ndecisions && !rc; i++) {
        const struct decision *d = &c->decisions[i];
        if (d->outcome == OUTCOME_ADMITTED) {
            rc = admit(r, d, err);
            continue;
        }
        if (d->cq != NONE)
            account_need(r, d->w->user, d);
        replay_tell(r, REPLAY_WAITS, d->w->user, d);
    }
    r->res.decisions += c->ndecisions;
    return rc;
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

static void finish_due(struct replay *r)
{
    while (r->nheap && r->heap[0]->due <= r->now && r->heap[0]->state == LIVE_RUNS)
        finish(r, r->heap[0]);
}

static int release_due(struct replay *r, bool *ret_any, struct err *err)
{
    int rc = 0;

    *ret_any = false;
    while (!rc && r->nheap && r->heap[0]->due <= r->now && r->heap[0]->state == LIVE_STOPS) {
        rc = release(r, r->heap[0], err);
        *ret_any = true;
    }
    return rc;
}

static int restless(const struct replay *r, struct err *err)
{
    if (!r->victim || r->victim == r->winner)
        return err_set(err, ERR_STATE, "the queues do not come to rest");
    return err_set(
        err, ERR_STATE,
        "the queues do not come to rest: jobs evict each other for ever, such as \"%s\" of LocalQueue %s by "
        "\"%s\" of %s",
        r->victim->name, names_text(world_names(r->w), r->victim->queue), r->winner->name,
        names_text(world_names(r->w), r->winner->queue));
}

static int cycles(struct replay *r, struct err *err)
{
    uint32_t most = r->opt.cycles_at_once ? r->opt.cycles_at_once : CYCLES_AT_ONCE_MAX;
    struct seen_state before = {{0}}, after;
    bool is_new, still = false;

    seen_clear(&r->seen);
    r->victim = r->winner = NULL;
    for (uint32_t n = 0;; n++) {
        after = seen_state_of(r->w);
        if (seen_add(&r->seen, after, &is_new))
            return err_set(err, ERR_NOMEM, "out of memory for the states of the queues");
        still = n && !memcmp(&before, &after, sizeof(after));
        if (!is_new)
            break;
        before = after;
        const struct cycle *c;
        int rc = world_cycle(r->w, r->now, &c, err);
        if (rc)
            return rc;
        still = !c;
        if (!c)
            break;
        r->res.cycles++;
        bool progressed = c->progressed, released = false;
        rc = apply(r, c, err);
        if (!rc)
            rc = release_due(r, &released, err);
        if (rc)
            return rc;
        (void)world_flush(r->w, r->now);
        if (progressed || released)
            seen_clear(&r->seen);
        if (n >= most || r->futile >= most)
            return restless(r, err);
    }
    /* Only a world that stands still stays so; one that goes in a lap has more cycles to run at the next event. */
    r->changed = !still;
    return account_loans(r, false, err);
}

static int read_next(struct replay *r, struct jobs_reader *jobs, struct err *err)
{
    int rc = 0;

    do {
        rc = jobs_next(jobs, &r->next, &r->has_next, err);
    } while (!rc && r->has_next && r->opt.warmup_ns >= 0 &&
             r->next.submit < i64_sub(r->opt.window.from, r->opt.warmup_ns));
    return rc;
}

static int arrive_due(struct replay *r, struct jobs_reader *jobs, struct err *err)
{
    int rc = 0;

    while (!rc && r->has_next && r->next.submit <= r->now) {
        r->futile = 0;
        rc = replay_arrive(r, &r->next, err);
        if (!rc)
            rc = read_next(r, jobs, err);
    }
    return rc;
}

static int step(struct replay *r, struct jobs_reader *jobs, struct err *err)
{
    bool any;
    int rc = world_sample_usage(r->w, r->now, err); /* what was held until now */
    if (rc)
        return rc;
    finish_due(r);
    rc = release_due(r, &any, err);
    if (!rc)
        rc = ready_due(r, err);
    if (!rc)
        rc = arrive_due(r, jobs, err);
    if (!rc)
        rc = release_due(r, &any, err); /* evicted just now, with no time to stop */
    if (rc)
        return rc;
    (void)world_flush(r->w, r->now);
    if (!r->changed && r->plain && !r->opt.every_cycle) {
        r->res.skipped_cycles++;
        return 0;
    }
    return cycles(r, err);
}

static bool next_time(struct replay *r)
{
    bool any = r->has_next || r->nheap;

    if (!r->has_next || (r->nheap && r->heap[0]->due < r->next.submit))
        r->now = r->nheap ? r->heap[0]->due : r->now;
    else
        r->now = r->next.submit;
    return any;
}

static int compare_groups(const void *a, const void *b)
{
    return strcmp(((const struct replay_group *)a)->name, ((const struct replay_group *)b)->name);
}

int replay_run(struct replay *r, struct jobs_reader *jobs, struct err *err)
{
    int rc = read_next(r, jobs, err);

    r->res.began = r->has_next ? r->next.submit : r->opt.window.from;
    r->now = r->res.began;
    r->changed = true;
    if (!rc)
        rc = account_open(r, err);
    while (!rc && next_time(r)) {
        /* All of the window has ended, and nobody is still to come. */
        if (r->now >= r->opt.window.to && !r->nmeasured)
            break;
        rc = step(r, jobs, err);
        share_follow(r);
    }
    if (!rc)
        rc = account_close(r, err);
    if (!rc && r->res.ntenants)
        qsort(r->res.tenants, r->res.ntenants, sizeof(*r->res.tenants), compare_groups);
    if (!rc && r->res.nqueues)
        qsort(r->res.queues, r->res.nqueues, sizeof(*r->res.queues), compare_groups);
    return rc;
}
