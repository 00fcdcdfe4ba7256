#include "sim/what_if.h"

#include "base/mem.h"

#include <string.h>

struct what_if {
    const struct api_set *objects;
    struct sim *base;
    const struct sim_wl *target;
    uint32_t runs, max_runs;
    uint32_t *lost, *gained; /* room for all Workloads each */
    /* one run */
    struct arena arena; /* changed objects */
    struct api_set *set;
    struct sim *sim;
};

bool what_if_holds(const struct sim_wl *sw)
{
    const struct cond *c = sw->status.cond;

    return c[COND_QUOTA_RESERVED].status == STATUS_TRUE && c[COND_EVICTED].status != STATUS_TRUE &&
           c[COND_FINISHED].status != STATUS_TRUE;
}

bool what_if_finished(const struct sim_wl *sw)
{
    return sw->status.cond[COND_FINISHED].status == STATUS_TRUE;
}

static int64_t held_by(const struct wl *wl, const struct pod_set *ps, uint32_t res)
{
    int64_t sum = 0;

    for (uint32_t k = 0; k < ps->nslots; k++)
        if (wl->slots[ps->first + k].res == res)
            sum = i64_add(sum, wl->slots[ps->first + k].amount);
    return sum;
}

/* A pod is one of the resource `pods` (engine.md 6.2), which no container asks for. */
static int64_t asked_by(const struct world *w, const struct pod_set *ps, uint32_t res)
{
    int64_t a_pod = 0, pods = pod_set_count(w, ps);

    for (uint32_t k = 0; k < ps->shape->nreq; k++)
        if (ps->shape->req[k].res == res)
            a_pod = i64_add(a_pod, ps->shape->req[k].amount);
    if (!a_pod && res == names_find(world_names(w), "pods"))
        a_pod = 1;
    return i64_mul(a_pod, pods);
}

int64_t what_if_asked(const struct world *w, const struct wl *wl, uint32_t res)
{
    int64_t sum = 0;

    for (uint32_t i = 0; i < wl->npod_sets; i++)
        sum = i64_add(sum, wl->cq == NONE ? asked_by(w, &wl->pod_sets[i], res)
                                          : held_by(wl, &wl->pod_sets[i], res));
    return sum;
}

/* ---- the run without changes -------------------------------------------------------------------------------------------- */

/* The newest creation. All runs begin there: an annotation that a change adds must not change when others arrive. */
static when_ns begin_of(const struct api_set *set)
{
    when_ns t = WHEN_NONE;

    for (uint32_t i = 0; i < api_set_count(set); i++) {
        const struct object *o = api_set_at(set, i);
        if (o->kind == API_WORKLOAD && o->workload.created > t)
            t = o->workload.created;
    }
    return t;
}

static int load(const struct api_set *set, struct sim **ret, struct err *err)
{
    const struct sim_options opt = {.max_cycles = WHAT_IF_CYCLES_MAX,
                                    .max_cycles_at_once = WHAT_IF_CYCLES_AT_ONCE,
                                    .start = WHEN_NONE,
                                    .gathers = true,
                                    .begin = begin_of(set),
                                    .models = true};

    return sim_new(set, &opt, ret, err);
}

static const struct sim_wl *find(const struct sim *s, const char *key)
{
    uint32_t lo = 0, hi = sim_count(s);

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int c = strcmp(sim_at(s, mid)->key, key);
        if (!c)
            return sim_at(s, mid);
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static int find_target(struct what_if *w, const char *ns, const char *name, struct err *err)
{
    struct str key;

    str_init(&key, 0);
    str_addf(&key, "%s/%s", ns, name);
    bool failed = str_failed(&key);
    w->target = failed ? NULL : find(w->base, str_text(&key));
    str_free(&key);
    if (failed)
        return err_set(err, ERR_NOMEM, "out of memory");
    return w->target ? 0 : err_set(err, ERR_NOTFOUND, "no Workload %s/%s in the files", ns, name);
}

static uint32_t runs_for(uint32_t nworkloads)
{
    uint32_t n = WHAT_IF_WORK_MAX / (nworkloads + 1);

    return n > WHAT_IF_RUNS_MAX ? WHAT_IF_RUNS_MAX : n < WHAT_IF_RUNS_MIN ? WHAT_IF_RUNS_MIN : n;
}

int what_if_new(const struct api_set *objects, const char *ns, const char *name, struct what_if **ret,
                struct err *err)
{
    struct what_if *w = mem_zalloc(1, sizeof(*w));

    *ret = NULL;
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    w->objects = objects;
    arena_init(&w->arena, 65536);
    int rc = load(objects, &w->base, err);
    if (!rc)
        rc = find_target(w, ns, name, err);
    if (!rc) {
        uint32_t n = sim_count(w->base);
        w->max_runs = runs_for(n);
        w->lost = mem_zalloc(n + 1, sizeof(*w->lost));
        w->gained = mem_zalloc(n + 1, sizeof(*w->gained));
        if (!w->lost || !w->gained)
            rc = err_set(err, ERR_NOMEM, "out of memory");
    }
    if (rc)
        what_if_free(w);
    else
        *ret = w;
    return rc;
}

int what_if_start(struct what_if *w, const struct sim_watcher *watch, struct err *err)
{
    if (watch)
        sim_watch(w->base, watch);
    w->runs++;
    return sim_run(w->base, err);
}

static void forget_run(struct what_if *w)
{
    sim_free(w->sim);
    api_set_free(w->set);
    w->sim = NULL;
    w->set = NULL;
    arena_reset(&w->arena);
}

void what_if_free(struct what_if *w)
{
    if (!w)
        return;
    forget_run(w);
    sim_free(w->base);
    mem_free(w->lost);
    mem_free(w->gained);
    arena_free(&w->arena);
    mem_free(w);
}

/* ---- a run with changes ------------------------------------------------------------------------------------------------- */

static const struct object *flavor_named(const struct api_set *set, const char *name)
{
    for (uint32_t i = 0; i < api_set_count(set); i++) {
        const struct object *o = api_set_at(set, i);
        if (o->kind == API_FLAVOR && !strcmp(o->name, name))
            return o;
    }
    return NULL;
}

static const struct object *changed(struct what_if *w, const struct object *o, const struct change *changes,
                                    uint32_t n)
{
    struct object *own = NULL;

    for (uint32_t i = 0; i < n; i++) {
        const struct change *c = &changes[i];
        if (!change_is_of(c, o))
            continue;
        if (!own) {
            own = ARENA_NEW(&w->arena, struct object, 1);
            *own = *o;
        }
        change_apply(c, &w->arena, own,
                     c->kind == CHANGE_TOLERATE ? flavor_named(w->objects, c->item) : NULL);
    }
    return own ? own : o;
}

static int add_objects(struct what_if *w, const struct change *changes, uint32_t n, struct err *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < api_set_count(w->objects) && !rc; i++)
        rc = api_set_add(w->set, changed(w, api_set_at(w->objects, i), changes, n), err);
    return rc;
}

/* Nothing but arguments is alive across setjmp. */
static int make_set(struct what_if *w, const struct change *changes, uint32_t n, struct err *err)
{
    jmp_buf bail;

    w->set = api_set_new(0);
    if (!w->set)
        return err_set(err, ERR_NOMEM, "out of memory");
    w->arena.bail = &bail;
    if (setjmp(bail))
        return err_set(err, ERR_NOMEM, "out of memory for changed objects");
    return add_objects(w, changes, n, err);
}

static void compare(struct what_if *w, struct what_if_result *ret)
{
    *ret = (struct what_if_result){
        .rest = sim_end(w->sim) == SIM_QUIESCENT, .lost = w->lost, .gained = w->gained};
    for (uint32_t i = 0; i < sim_count(w->base); i++) {
        const struct sim_wl *was = sim_at(w->base, i), *is = sim_at(w->sim, i);
        if (was == w->target)
            ret->starts = ret->rest && (what_if_holds(is) || what_if_finished(is));
        else if (what_if_finished(was) || what_if_finished(is) || what_if_holds(was) == what_if_holds(is))
            continue;
        else if (what_if_holds(was))
            w->lost[ret->nlost++] = i;
        else
            w->gained[ret->ngained++] = i;
    }
}

int what_if_run(struct what_if *w, const struct change *changes, uint32_t n, struct what_if_result *ret,
                struct err *err)
{
    *ret = (struct what_if_result){0};
    if (w->runs >= w->max_runs)
        return err_set(err, ERR_LIMIT, "no more than %u runs", w->max_runs);
    w->runs++;
    int rc = make_set(w, changes, n, err);
    w->arena.bail = NULL; /* it was make_set's */
    if (!rc)
        rc = load(w->set, &w->sim, err);
    if (!rc)
        rc = sim_run(w->sim, err);
    if (!rc)
        compare(w, ret);
    forget_run(w);
    return rc;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

const struct sim *what_if_base(const struct what_if *w)
{
    return w->base;
}

const struct sim_wl *what_if_target(const struct what_if *w)
{
    return w->target;
}

const struct api_set *what_if_objects(const struct what_if *w)
{
    return w->objects;
}

uint32_t what_if_runs(const struct what_if *w)
{
    return w->runs;
}

uint32_t what_if_left(const struct what_if *w)
{
    return w->max_runs - w->runs;
}
